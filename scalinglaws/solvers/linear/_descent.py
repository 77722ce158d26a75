"""Discrete gradient descent, with or without momentum."""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import ArrayLike

from ...arguments import Array, Value, broadcast, choice, numbers, ordered, refuse_first, shaped
from ...errors import DomainError
from ...results import Diagnostics, Result, judged
from .._blas import one_thread
from ..catalogue import shows
from ..equivalents.contour import circle, cotangent
from ..equivalents.edges import Resolvent
from ..equivalents.inversion import CONTOUR, PAIR, Rule, pair_losses, population_losses, train_loss
from ..equivalents.kappa import ComplexArray
from ..equivalents.losses import (
    ROUNDING,
    UNSOLVED,
    Loss,
    Losses,
    columns,
    judgment,
    solved,
    unlimited,
)
from ..equivalents.rates import SMALLEST, remaining, short_of
from ..equivalents.response import Resolved, resolve
from ..spectra import Modes, Spectrum, depth, one_spectrum
from ._ridge import ridgeless
from ._tails import Tails

_FEW = 12  # steps below which the two halves of the cotangent contour come too close to each other
_DAMPED = 30.0  # logarithm by which oscillations must have decayed where a contour leaves them out
_MOST = 768  # steps up to which a circle is used
_NODES = 4096  # most nodes on a circle
_ALIAS = 36.0


@shows("test_loss", "train_loss")
@dataclass(frozen=True)
class GradientDescentSolution(Result):
    r"""Losses along gradient descent on a fixed set of samples.

    All fields have the broadcast shape of the inputs; scalars in, floats out.

    Attributes
    ----------
    steps, features, samples, learning_rate, momentum, noise_variance : float or ndarray
        The inputs n, N, P, :math:`\eta`, :math:`\mu` and :math:`\sigma^2`.
    test_loss, train_loss : float or ndarray
        Mean losses; the train loss contains the label noise, the test loss does not.
    test_error, train_error : float or ndarray
        Estimated absolute errors of the two: truncation, and rounding of everything but the spectrum itself.
    diagnostics : Diagnostics
        Residual of the equation for kappa, Newton steps, and the largest error relative to the loss plus 1e-3 of the train
        loss at the start.
    """

    steps: Value
    features: Value
    samples: Value
    learning_rate: Value
    momentum: Value
    noise_variance: Value
    test_loss: Value
    train_loss: Value
    test_error: Value
    train_error: Value
    diagnostics: Diagnostics


def gradient_descent(
    steps: ArrayLike,
    spectrum: Spectrum,
    *,
    features: ArrayLike = math.inf,
    samples: ArrayLike = math.inf,
    learning_rate: ArrayLike,
    momentum: ArrayLike = 0.0,
    noise_variance: ArrayLike = 0.0,
    on_failure: str = "raise",
) -> GradientDescentSolution:
    r"""Compute the mean test and train loss of the random-feature model under full-batch gradient descent or heavy ball.

    .. math:: v_{n+1} = v_n - \eta\, \nabla_v \tfrac{1}{2P} \|y - f\|^2 + \mu\, (v_n - v_{n-1}), \qquad v_{-1} = v_0 = 0.

    The losses are those of `gradient_flow` with the Laplace transform replaced by a z-transform,

    .. math:: s(z) = \frac{(z - 1)(z - \mu)}{\eta z}, \qquad
              E_{test}(n) = \oint\!\oint \frac{(z z')^{n-1}}{(2\pi i)^2} \frac{(z - \mu)(z' - \mu)}{\eta^2}\, C_0(s, s')\, dz\, dz'.

    Parameters
    ----------
    steps : array_like
        n, whole numbers >= 0 or ``math.inf`` for the limit (ridgeless regression); non-decreasing along the last axis.
    spectrum : PowerLawSpectrum or EmpiricalSpectrum
        Eigenvalues :math:`\lambda_k` and signal powers :math:`s_k`.
    features, samples : array_like
        N and P, >= 1, not necessarily whole; ``math.inf`` for the limit. All arguments broadcast.
    learning_rate : array_like
        :math:`\eta > 0`, below :math:`2(1 + \mu)/x_{max}` with `largest_eigenvalue`.
    momentum : array_like
        :math:`0 \le \mu < 1`.
    noise_variance : array_like
        :math:`\sigma^2 \ge 0`, variance of the label noise.
    on_failure : {"raise", "return"}
        What to do if the equation for kappa is not solved.

    Returns
    -------
    GradientDescentSolution
        Losses with their estimated absolute errors.

    Raises
    ------
    DomainError
        If an argument is out of range, steps decrease, the learning rate is unstable, or finite N or P meet a momentum so
        large that more than 768 steps do not yet damp its oscillations, :math:`768 < n < 60 / \ln(1/\mu)` (possible only
        for :math:`\mu > 0.925`); the message names the bound.
    ConvergenceError
        If the equation for kappa is not solved on the contour; the result is attached.

    Notes
    -----
    Features are assumed to be Gaussian, or to act as if they were; see the module.

    Unlimited features and samples: the polynomial of each mode, to 1e-12 of the loss without momentum; with momentum rounding
    grows as two roots come close, up to 1e-8 of the loss (see ``test_error``). Otherwise the difference from that is inverted on
    cotangent contours around the positive and, for steps that overshoot, the negative z axis: 2 to 6 ms per element,
    whatever the size of n, M, N, P. Below 12 steps, and below :math:`60/\ln(1/\mu)`, where oscillations at :math:`|z| = \sqrt\mu`
    count, on a circle of about 8 n nodes shared by all elements with the same parameters: 10 ms up to 12 steps,
    0.3 s for 128 and several seconds for 500. Accuracy as `gradient_flow`, but with momentum, for fewer than 12 steps and for
    learning rates above :math:`1/x_{max}` only relative to the start, where features or samples are limited: about 1e-14 of it, a
    few 1e-12 on the largest circles. `AccuracyWarning` if an error exceeds 1e-8 of its loss plus 1e-11 of the train loss at the start.

    References
    ----------
    .. [1] B. Bordelon, A. Atanasov, C. Pehlevan, "A dynamical model of neural scaling laws", arXiv:2402.01092,
       app. on discrete time and momentum.
    .. [2] B. T. Polyak, "Some methods of speeding up the convergence of iteration methods",
       USSR Comput. Math. Math. Phys. 4 (1964) 1.

    Examples
    --------
    >>> from scalinglaws.solvers import PowerLawSpectrum
    >>> task = PowerLawSpectrum.from_ab(2, 1.5, 400)
    >>> arguments = {"features": 60, "samples": 150, "learning_rate": 0.15, "noise_variance": 0.09}
    >>> round(gradient_descent(300, task, **arguments).test_loss, 8)
    0.11403806
    >>> round(gradient_descent(300, task, momentum=0.8, **arguments).test_loss, 8)
    0.1111141
    """
    one_spectrum(spectrum, steps=steps)
    checked = {
        "steps": ordered("steps", steps, whole=True),
        "features": numbers("features", features, low=1.0, infinite=True),
        "samples": numbers("samples", samples, low=1.0, infinite=True),
        "learning_rate": numbers(
            "learning_rate", learning_rate, low=0.0, infinite=False, strict=True
        ),
        "momentum": numbers("momentum", momentum, low=0.0, infinite=False),
        "noise_variance": numbers("noise_variance", noise_variance, low=0.0, infinite=False),
    }
    refuse_first("momentum", checked["momentum"], checked["momentum"] >= 1, "must be below 1")
    choice("on_failure", on_failure, ("raise", "return"))
    shape, flat = broadcast(checked)
    count, n, p, eta, mu, noise = flat
    if np.any(np.isfinite(count) & (count * eta / (1 - mu) > 1e290)):
        raise DomainError(
            "steps times learning_rate must be at most 1e290, or steps inf for the limit",
            argument="steps",
            value=steps,
        )

    tops = _stable_edges(spectrum, n, p, eta, mu)
    with np.errstate(divide="ignore"):
        modes = spectrum.modes(depth("steps", spectrum, np.minimum(n, p), (1 - mu) / (count * eta)))
    total = float(np.sum(modes.signal))
    late = np.isinf(count)
    start = count * eta / (1 - mu) * 8 * float(modes.multiplicities @ modes.eigenvalues) < 1e-18
    found = dict(
        zip(
            np.flatnonzero(late).tolist(),
            ridgeless(spectrum, n[late], p[late], noise[late]),
            strict=True,
        )
    )
    circles: dict[tuple[float, ...], list[int]] = {}
    for i in np.flatnonzero(~late).tolist():
        task = _Task(modes, n[i], p[i], eta[i], mu[i], noise[i], tops[i])
        if start[i]:
            found[i] = unlimited(Loss(total, ROUNDING * total), noise[i])
        elif math.isinf(n[i]) and math.isinf(p[i]):
            found[i] = unlimited(task.without_limits(count[i]), noise[i])
        elif task.on_circle(count[i]):
            circles.setdefault((n[i], p[i], eta[i], mu[i], noise[i]), []).append(i)
        else:
            found[i] = task.on_contours(count[i])
    tails = Tails(spectrum, modes)
    for i in found.keys() - set(np.flatnonzero(late).tolist()):
        # one decay only: no momentum, and no steps so long that the fastest mode lasts as well
        if mu[i] == 0 and count[i] >= _FEW and eta[i] * tops[i] < 1 and not start[i]:
            found[i] = tails.improved(
                found[i], count[i], n[i], p[i], noise[i], learning_rate=eta[i]
            )
    for members in circles.values():
        i = members[0]
        task = _Task(modes, n[i], p[i], eta[i], mu[i], noise[i], tops[i])
        found |= zip(members, task.on_one_circle(count[members]), strict=True)

    losses = [found[i] for i in range(count.size)]
    diagnostics = judgment(
        losses,
        total + noise,
        "z-transform on cotangent contours or a circle, merged modes",
        floor=1e-3,
    )
    result = GradientDescentSolution(
        **dict(zip(checked, (shaped(array, shape) for array in flat), strict=True)),
        **{name: shaped(array, shape) for name, array in columns(losses).items()},
        diagnostics=diagnostics,
    )
    judged("gradient_descent", result, diagnostics, on_failure)
    return result


def _stable_edges(
    spectrum: Spectrum, features: Array, samples: Array, learning_rate: Array, momentum: Array
) -> Array:
    """Return the largest eigenvalues; refuse unstable learning rates."""
    edge = Resolvent(spectrum.modes())
    known: dict[tuple[float, float], float] = {}
    sizes = list(zip(features.tolist(), samples.tolist(), strict=True))
    tops = np.empty(len(sizes))
    for i, size in enumerate(sizes):
        if size not in known:
            known[size] = edge.top(*size)
        tops[i] = known[size]
    unstable = learning_rate * tops >= 2 * (1 + momentum)
    if unstable.any():
        i = int(np.flatnonzero(unstable)[0])
        raise DomainError(
            f"learning_rate = {learning_rate[i]} is unstable with features = {features[i]}, samples = {samples[i]} and momentum = "
            f"{momentum[i]}; it must be below {2 * (1 + momentum[i]) / tops[i]:.6g}",
            argument="learning_rate",
            value=float(learning_rate[i]),
        )
    return tops


@dataclass(frozen=True)
class _Task:
    """One set of parameters."""

    modes: Modes
    features: float
    samples: float
    learning_rate: float
    momentum: float
    noise: float
    top: float

    def unlimited(self, steps: float) -> float:
        """Return the loss for unlimited features and samples."""
        return self.without_limits(steps).value

    def without_limits(self, steps: float) -> Loss:
        """Return it with its rounding error."""
        rates = self.learning_rate * self.modes.eigenvalues
        bound = 2 * (1 + Fraction(self.momentum))
        rest = short_of(bound, self.learning_rate, self.modes.eigenvalues)
        if self.momentum == 0:
            with np.errstate(divide="ignore"):
                logs = np.log(np.abs(short_of(1, self.learning_rate, self.modes.eigenvalues)))
            for near in (rates, rest):  # 1 or -1 but for little
                logs = np.where(near < 0.5, np.log1p(-np.minimum(near, 0.5)), logs)
            return remaining(self.modes.signal, -2 * steps * logs)
        left, error = heavy_ball(steps, rates, self.momentum, rest)
        error = error * (2 * np.abs(left) + error)
        return Loss(float(left**2 @ self.modes.signal), float(error @ self.modes.signal) + SMALLEST)

    def on_circle(self, steps: float) -> bool:
        """Tell whether so few steps need a circle."""
        if steps < _FEW:
            return True
        if self.momentum == 0 or -steps * math.log(self.momentum) >= 2 * _DAMPED:
            return False
        if steps > _MOST:
            enough = math.ceil(-2 * _DAMPED / math.log(self.momentum))
            raise DomainError(
                f"steps = {steps:.0f} with momentum = {self.momentum} and limited features or samples must be at most {_MOST}, "
                f"or at least {enough} (60 / ln(1/momentum)) for oscillations to be damped",
                argument="steps",
                value=steps,
            )
        return True

    @one_thread
    def on_contours(self, steps: float) -> Losses:
        """Invert on cotangent contours."""
        modes, noise, free = self.modes, self.noise, self.unlimited(steps)
        if self.momentum == 0:
            weights, doubled = self._nodes(2 * steps)
            if not doubled.found:
                return UNSOLVED
            if math.isinf(self.samples):
                return solved(
                    *population_losses(modes, doubled, noise, weights, free, CONTOUR), doubled
                )
            train = train_loss(modes, doubled, noise, weights, free, CONTOUR)
        weights, at = self._nodes(steps)
        if not at.found:
            return UNSOLVED
        one = weights[None, :], np.array([free])
        if self.momentum == 0:
            ((test, _),) = pair_losses(modes, at, noise, *one, PAIR)
            return solved(test, train, doubled, at)
        dropped = math.exp(steps * math.log(self.momentum) / 2) * (
            float(np.sum(modes.signal)) + noise
        )
        ((test, train),) = pair_losses(modes, at, noise, *one, PAIR, train=True, dropped=dropped)
        return solved(test, train, at)

    @one_thread
    def on_one_circle(self, steps: Array) -> list[Losses]:
        """Invert for several numbers of steps on one circle."""
        modes, noise = self.modes, self.noise
        most = float(np.max(steps))
        count = 32 * math.ceil(min(max(8 * most, 64), _NODES) / 32)
        u = circle(count, _ALIAS / (count + 2 * most))
        rule = Rule(ROUNDING, 4 * math.exp(-_ALIAS * count / (count + 2 * most)))
        at = self._resolve(u)
        if not at.found:
            return [UNSOLVED] * steps.size
        z = np.exp(u)
        free = np.array([self.unlimited(step) for step in steps])
        factor = z / np.expm1(u) / count
        weights = np.asarray(np.exp(np.multiply.outer(steps, u)) * factor, dtype=complex)
        if self.momentum > 0:
            pairs = pair_losses(modes, at, noise, weights, free, rule, train=True)
            return [solved(test, train, at) for test, train in pairs]
        doubled = [np.exp(2 * step * u) * factor for step in steps]
        if math.isinf(self.samples):
            return [
                solved(*population_losses(modes, at, noise, two, one, rule), at)
                for two, one in zip(doubled, free, strict=True)
            ]
        trains = [
            train_loss(modes, at, noise, two, one, rule)
            for two, one in zip(doubled, free, strict=True)
        ]
        tests = pair_losses(modes, at, noise, weights, free, rule)
        return [solved(test, train, at) for (test, _), train in zip(tests, trains, strict=True)]

    def _resolve(self, u: ComplexArray, *, far: bool = False, sign: float = 1.0) -> Resolved:
        """Solve for kappa at z = sign * exp(u)."""
        z = sign * np.exp(u)
        step = np.expm1(u) if sign > 0 else z - 1
        s = np.asarray(step * (z - self.momentum) / (self.learning_rate * z), dtype=complex)
        return resolve(self.modes, self.features, self.samples, s, far=far)

    def _nodes(self, steps: float) -> tuple[ComplexArray, Resolved]:
        """Return weights over s, and kappa, at the nodes around the positive and if need be the negative z axis."""
        scaled, w = cotangent()
        u = scaled / steps
        at = self._resolve(u)
        weights = np.asarray(w / steps * np.exp(u) / np.expm1(u))
        most = np.array([self.learning_rate * self.top])
        overshoot = abs(_dominant(most, self.momentum, 2 * (1 + self.momentum) - most)[0][0])
        swing = self.learning_rate * self.top > (1 + math.sqrt(self.momentum)) ** 2
        if not swing or steps * math.log(max(overshoot, 1e-300)) < -_ALIAS:
            return weights, at
        # z = -exp(u); the lower half of the contour, because s must lie in the upper half plane
        u = np.conj(u)
        below = self._resolve(u, far=True, sign=-1.0)
        parity = 1.0 if steps % 2 == 0 else -1.0
        more = parity * np.conj(w) / steps * np.exp(u) / (np.exp(u) + 1)
        return np.concatenate([weights, more]), at.joined(below)


def _dominant(rates: Array, momentum: float, rest: Array) -> tuple[Array, Array]:
    """Return the larger root of r^2 - (1 + mu - x) r + mu, and a quarter of the discriminant (negative: complex roots).

    `rest` is 2 (1 + mu) - x.
    """
    half = np.where(rates < rest, 1 + momentum - rates, rest - 1 - momentum) / 2
    lag = (1 - momentum) / (1 + math.sqrt(momentum))  # 1 - sqrt(mu)
    quarter = (lag**2 - rates) * (rest - lag**2) / 4
    root = np.sqrt(np.maximum(quarter, 0.0))
    return half + np.where(half >= 0, root, -root), quarter


def polynomial(steps: float, rates: Array, momentum: float) -> Array:
    """Return what is left of each mode after some steps, as `heavy_ball` does."""
    return heavy_ball(steps, rates, momentum, 2 * (1 + momentum) - rates)[0]


def heavy_ball(steps: float, rates: Array, momentum: float, rest: Array) -> tuple[Array, Array]:
    r"""Return what is left of each mode after some steps of heavy ball, and its rounding error.

    .. math:: p_{n+1} = (1 + \mu - x)\, p_n - \mu\, p_{n-1}, \qquad p_0 = 1, \quad p_1 = 1 - x

    Parameters
    ----------
    steps : float
        n >= 1.
    rates : ndarray
        :math:`x = \eta\lambda` of each mode.
    momentum : float
        :math:`\mu`.
    rest : ndarray
        :math:`2(1 + \mu) - x`, what is left to the bound of stability.

    Returns
    -------
    left, error : ndarray
        :math:`p_n(x)`, in closed form that is stable where the two roots coincide, and its estimated error.
    """
    with np.errstate(all="ignore"):  # each form is evaluated outside its own range too
        root, quarter = _dominant(rates, momentum, rest)
        # what the larger root, or minus it, lacks of 1: the equation for -r has `rest` in the place of x
        slow = np.where(root < 0, rest, rates)
        lacks = 2 * slow / (1 - momentum + slow + 2 * np.sqrt(np.maximum(quarter, 0.0)))
        # 1 - root without cancellation for slow modes
        left = np.where(
            root > 0.5,
            2 * rates / (1 - momentum + rates + 2 * np.sqrt(np.maximum(quarter, 0.0))),
            1 - root,
        )
        ratio = momentum / root**2
        apart = 2 * np.sqrt(np.maximum(quarter, 0.0)) / np.abs(root)  # 1 - ratio
        series = np.where(
            apart > 0, -np.expm1(steps * np.log(np.maximum(ratio, 0.0))) / apart, steps
        )
        series = np.where(
            apart < 0.5,
            -np.expm1(steps * np.log1p(-apart)) / np.where(apart > 0, apart, 1.0),
            series,
        )
        series = np.where(apart > 0, series, steps)
        decay = np.where(
            np.abs(root) > 0.5, np.exp(steps * np.log1p(-lacks)), np.abs(root) ** steps
        )
        sign = np.where((root < 0) & (steps % 2 == 1), -1.0, 1.0)
        real = sign * decay * (1 - (rates - left) / root * series)
        angle = np.arctan2(np.sqrt(np.maximum(-quarter, 0.0)), (1 + momentum - rates) / 2)
        scale = math.exp(steps * math.log(momentum) / 2) if momentum else 0.0
        slope = ((1 - momentum - rates) / 2) / np.sqrt(np.maximum(-quarter, 1e-300))
        turning = scale * (np.cos(steps * angle) + slope * np.sin(steps * angle))
        value = np.where(quarter < 0, turning, np.where(root == 0, 0.0, real))

        # the logarithm of a root, times the steps, is as wrong as 1 minus the root; the more so the closer the
        # roots are to each other, until they cannot be told apart in so many steps
        lag = (1 - momentum) / (1 + math.sqrt(momentum))
        apart = np.sqrt(np.abs(quarter))
        close = 1 + lag * np.minimum(1 / np.maximum(apart, 1e-300), steps)
        size = 1 + np.minimum(
            np.abs(1 - momentum - rates) / np.maximum(apart, 1e-300),
            steps * np.abs(1 - momentum - rates) / math.sqrt(max(momentum, 1e-300)),
        )
        wrong = np.minimum(lacks, 1.0)
        error = np.where(
            quarter < 0,
            scale * size * (10 + steps * close),
            np.where(root == 0, 0.0, decay * size * (10 + 2 * steps * wrong * close)),
        )
        return value, 10 * ROUNDING * error
