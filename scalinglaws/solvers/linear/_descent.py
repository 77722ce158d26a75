"""Discrete gradient descent, with or without momentum."""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import ArrayLike

from ...arguments import (
    Array,
    Value,
    broadcast,
    choice,
    flag,
    numbers,
    ordered,
    refuse_first,
    shaped,
)
from ...errors import DomainError
from ...results import Diagnostics, Result, judged
from .._blas import one_thread
from ..catalogue import shows
from ..equivalents.contour import circle, cotangent
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
from ._decay import Nodes, decayed_losses, unlimited_loss
from ._heavy_ball import dominant, heavy_ball
from ._ridge import ridgeless
from ._stable_rates import stable_edges
from ._tails import Tails

_FEW = 12  # steps below which the two halves of the cotangent contour come too close to each other
_DAMPED = 30.0  # logarithm by which oscillations must have decayed where a contour leaves them out
_MOST = 768  # steps up to which a circle is used
_NODES = 4096  # most nodes on a circle
_ALIAS = 36.0


@shows("test_loss", "train_loss", flags=("decoupled",))
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
    weight_decay : float or ndarray
        The input r.
    decoupled : bool
        The input.
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
    weight_decay: Value = 0.0
    decoupled: bool = False


def gradient_descent(
    steps: ArrayLike,
    spectrum: Spectrum,
    *,
    features: ArrayLike = math.inf,
    samples: ArrayLike = math.inf,
    learning_rate: ArrayLike,
    momentum: ArrayLike = 0.0,
    noise_variance: ArrayLike = 0.0,
    weight_decay: ArrayLike = 0.0,
    decoupled: bool = False,
    on_failure: str = "raise",
) -> GradientDescentSolution:
    r"""Compute the mean test and train loss of the random-feature model under full-batch gradient descent or heavy ball.

    .. math:: v_{n+1} = v_n - \eta\, \nabla_v \tfrac{1}{2P} \|y - f\|^2 + \mu\, (v_n - v_{n-1}), \qquad v_{-1} = v_0 = 0.

    The losses are those of `gradient_flow` with the Laplace transform replaced by a z-transform,

    .. math:: s(z) = \frac{(z - 1)(z - \mu)}{\eta z}, \qquad
              E_{test}(n) = \oint\!\oint \frac{(z z')^{n-1}}{(2\pi i)^2} \frac{(z - \mu)(z' - \mu)}{\eta^2}\, C_0(s, s')\, dz\, dz'.

    Weight decay r adds :math:`r v` to the gradient. Of both changes only s is touched: the weights :math:`z/(z - 1)` stay, and

    .. math:: s \to \frac{(z - 1)(z - \mu)}{\eta z} + r \quad \text{(coupled)}, \qquad
              s \to \frac{(z - q)(z - \mu)}{\eta z}, \quad q = 1 - \eta r \quad \text{(decoupled)}.

    Parameters
    ----------
    steps : array_like
        n, whole numbers >= 0 or ``math.inf`` for the limit (ridgeless regression); non-decreasing along the last axis.
    spectrum : PowerLawSpectrum or EmpiricalSpectrum
        Eigenvalues :math:`\lambda_k` and signal powers :math:`s_k`.
    features, samples : array_like
        N and P, >= 1, not necessarily whole; ``math.inf`` for the limit. All arguments broadcast.
    learning_rate : array_like
        :math:`\eta > 0`, below :math:`2(1 + \mu)/(x_{max} + r)` with `largest_eigenvalue`; decoupled decay with momentum
        allows :math:`\eta x_{max} < (1 + q)(1 + \mu)` and :math:`\eta r < 1`.
    momentum : array_like
        :math:`0 \le \mu < 1`.
    noise_variance : array_like
        :math:`\sigma^2 \ge 0`, variance of the label noise.
    weight_decay : array_like
        :math:`r \ge 0`, normalized as the ridge of `ridge`, which is the limit of many steps.
    decoupled : bool
        Whether the decay acts on the weights, :math:`v \leftarrow (1 - \eta r) v - \eta m` with the buffer
        :math:`m \leftarrow \mu m + \nabla`, as in SGDW, and not within the gradient. Without momentum the two agree; with it the limit is
        regression with ridge :math:`(1 - \mu) r`, not r.
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
        for :math:`\mu > 0.925`; with decoupled decay :math:`q\mu` counts); the message names the bound.
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
    With weight decay costs are the same, and accuracies are those relative to the start.

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
    >>> round(gradient_descent(300, task, weight_decay=0.01, **arguments).test_loss, 8)
    0.12180318
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
        "weight_decay": numbers("weight_decay", weight_decay, low=0.0, high=1e290),
    }
    refuse_first("momentum", checked["momentum"], checked["momentum"] >= 1, "must be below 1")
    choice("on_failure", on_failure, ("raise", "return"))
    flag("decoupled", decoupled)
    shape, flat = broadcast(checked)
    count, n, p, eta, mu, noise, decay = flat
    apart = decoupled & (mu > 0) & (decay > 0)  # from coupled decay
    ends = np.where(apart, (1 - mu) * decay, decay)
    if np.any(np.isfinite(count) & (count * eta / (1 - mu) > 1e290)):
        raise DomainError(
            "steps times learning_rate must be at most 1e290, or steps inf for the limit",
            argument="steps",
            value=steps,
        )

    tops = stable_edges(spectrum, n, p, eta, mu, decay, apart)
    with np.errstate(divide="ignore"):
        scale = np.maximum((1 - mu) / (count * eta), ends)
        modes = spectrum.modes(depth("steps", spectrum, np.minimum(n, p), scale))
    total = float(np.sum(modes.signal))
    late = np.isinf(count)
    start = count * eta / (1 - mu) * 8 * float(modes.multiplicities @ modes.eigenvalues) < 1e-18
    found = dict(
        zip(
            np.flatnonzero(late).tolist(),
            ridgeless(spectrum, n[late], p[late], noise[late], ends[late]),
            strict=True,
        )
    )
    circles: dict[tuple[float, ...], list[int]] = {}

    def task_of(i: int) -> _Task:
        return _Task(modes, n[i], p[i], eta[i], mu[i], noise[i], tops[i], decay[i], bool(apart[i]))

    for i in np.flatnonzero(~late).tolist():
        task = task_of(i)
        if start[i]:
            found[i] = unlimited(Loss(total, ROUNDING * total), noise[i])
        elif math.isinf(n[i]) and math.isinf(p[i]):
            found[i] = unlimited(task.without_limits(count[i]), noise[i])
        elif task.on_circle(count[i]):
            circles.setdefault((n[i], p[i], eta[i], mu[i], noise[i], decay[i]), []).append(i)
        else:
            found[i] = task.on_contours(count[i])
    tails = Tails(spectrum, modes)
    for i in found.keys() - set(np.flatnonzero(late).tolist()):
        # one decay only: no momentum, and no steps so long that the fastest mode lasts as well
        if mu[i] == decay[i] == 0 and count[i] >= _FEW and eta[i] * tops[i] < 1 and not start[i]:
            found[i] = tails.improved(
                found[i], count[i], n[i], p[i], noise[i], learning_rate=eta[i]
            )
    for members in circles.values():
        found |= zip(members, task_of(members[0]).on_one_circle(count[members]), strict=True)

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
        decoupled=decoupled,
    )
    judged("gradient_descent", result, diagnostics, on_failure)
    return result


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
    decay: float = 0.0
    apart: bool = False

    def unlimited(self, steps: float) -> float:
        """Return the loss for unlimited features and samples."""
        return self.without_limits(steps).value

    def without_limits(self, steps: float) -> Loss:
        """Return it with its rounding error."""
        if self.decay > 0:
            return self._decayed_without_limits(steps)
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

    def _decayed_without_limits(self, steps: float) -> Loss:
        """Return it with weight decay."""
        values, share = self.modes.eigenvalues, None
        if self.apart:
            kept = (1 - self.momentum) * self.decay
            share = kept / (kept + values)
        rates, scale, momentum, first = self._recursion(values)
        left, error = heavy_ball(steps, rates, momentum, 2 * (1 + momentum) - rates, first)
        with np.errstate(under="ignore"):
            size = math.exp(steps * scale)
            error = size * (error + ROUNDING * (1 - steps * scale) * np.abs(left))
            return unlimited_loss(self.modes, self.decay, size * left, error, share)

    def _recursion(self, values: Array) -> tuple[Array, float, float, Array | None]:
        """Return what makes the recursion of a mode one of heavy ball: rates, a power's logarithm, momentum, the first step.

        Decoupled, the roots of r^2 - (q + mu - x) r + q mu are the larger of q and mu times those of heavy ball.
        """
        rate, mu = self.learning_rate, self.momentum
        if not self.apart:
            return rate * (values + self.decay), 0.0, mu, None
        q = 1 - rate * self.decay
        if q >= mu:
            rates, momentum = rate * values / q, mu / q
            return (
                rates,
                math.log1p(-rate * self.decay),
                momentum,
                rates - momentum * rate * self.decay,
            )
        rates, momentum = rate * values / mu, q / mu
        return rates, math.log(mu), momentum, rates - momentum * (1 - mu)

    def on_circle(self, steps: float) -> bool:
        """Tell whether so few steps need a circle."""
        if steps < _FEW:
            return True
        if self.momentum == 0 or steps * self._damping >= 2 * _DAMPED:
            return False
        if steps > _MOST:
            enough = math.ceil(2 * _DAMPED / self._damping)
            raise DomainError(
                f"steps = {steps:.0f} with momentum = {self.momentum} and limited features or samples must be at most {_MOST}, "
                f"or at least {enough} (60 / ln(1/momentum)) for oscillations to be damped",
                argument="steps",
                value=steps,
            )
        return True

    @property
    def _damping(self) -> float:
        """Twice the rate at which oscillations are damped."""
        rest = math.log1p(-self.learning_rate * self.decay) if self.apart else 0.0
        return -math.log(self.momentum) - rest

    @one_thread
    def on_contours(self, steps: float) -> Losses:
        """Invert on cotangent contours."""
        modes, noise, free = self.modes, self.noise, self.unlimited(steps)
        if self.decay > 0:
            return self._decayed_on_contours(steps)
        if self.momentum == 0:
            weights, doubled, _ = self._nodes(2 * steps)
            if not doubled.found:
                return UNSOLVED
            if math.isinf(self.samples):
                return solved(
                    *population_losses(modes, doubled, noise, weights, free, CONTOUR), doubled
                )
            train = train_loss(modes, doubled, noise, weights, free, CONTOUR)
        weights, at, _ = self._nodes(steps)
        if not at.found:
            return UNSOLVED
        one = weights[None, :], np.array([free])
        if self.momentum == 0:
            ((test, _),) = pair_losses(modes, at, noise, *one, PAIR)
            return solved(test, train, doubled, at)
        dropped = self._dropped(steps)
        ((test, train),) = pair_losses(modes, at, noise, *one, PAIR, train=True, dropped=dropped)
        return solved(test, train, at)

    def _dropped(self, steps: float) -> float:
        """Return how large oscillations that a contour leaves out may be."""
        if self.momentum == 0:
            return 0.0
        start = float(np.sum(self.modes.signal)) + self.noise
        return math.exp(-steps * self._damping / 2) * start

    def _decayed_on_contours(self, steps: float) -> Losses:
        """Invert with weight decay."""
        found = [Nodes(*self._nodes(steps))]
        if self.momentum == 0:
            found.append(Nodes(*self._nodes(2 * steps)))
        if not all(nodes.at.found for nodes in found):
            return UNSOLVED
        ((test, train),) = decayed_losses(
            self.modes,
            self.decay,
            self.noise,
            [self.without_limits(steps)],
            found[1:] or None,
            found[:1],
            (CONTOUR, PAIR),
            dropped=self._dropped(steps),
        )
        return solved(test, train, *(nodes.at for nodes in found))

    @one_thread
    def on_one_circle(self, steps: Array) -> list[Losses]:
        """Invert for several numbers of steps on one circle."""
        modes, noise = self.modes, self.noise
        most = float(np.max(steps))
        count = 32 * math.ceil(min(max(8 * most, 64), _NODES) / 32)
        u = circle(count, _ALIAS / (count + 2 * most))
        rule = Rule(ROUNDING, 4 * math.exp(-_ALIAS * count / (count + 2 * most)))
        at, s = self._resolve(u)
        if not at.found:
            return [UNSOLVED] * steps.size
        z = np.exp(u)
        free = np.array([self.unlimited(step) for step in steps])
        factor = z / np.expm1(u) / count
        weights = np.asarray(np.exp(np.multiply.outer(steps, u)) * factor, dtype=complex)
        if self.decay > 0:
            doubled_nodes = [Nodes(np.exp(2 * step * u) * factor, at, s) for step in steps]
            pairs = decayed_losses(
                modes,
                self.decay,
                noise,
                [self.without_limits(step) for step in steps],
                None if self.momentum > 0 else doubled_nodes,
                [Nodes(row, at, s) for row in weights],
                (rule, rule),
            )
            return [solved(test, train, at) for test, train in pairs]
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

    def _resolve(
        self, u: ComplexArray, *, far: bool = False, sign: float = 1.0
    ) -> tuple[Resolved, ComplexArray]:
        """Solve for kappa at z = sign * exp(u); return also s without decay and momentum, (z - 1)/eta."""
        z = sign * np.exp(u)
        step = np.expm1(u) if sign > 0 else z - 1
        rate, lost = self.learning_rate, self.learning_rate * self.decay
        inner, shift = (step + lost, 0.0) if self.apart else (step, self.decay)
        s = np.asarray(inner * (z - self.momentum) / (rate * z) + shift, dtype=complex)
        at = resolve(self.modes, self.features, self.samples, s, far=far)
        return at, np.asarray(step / rate, dtype=complex)

    def _nodes(self, steps: float) -> tuple[ComplexArray, Resolved, ComplexArray]:
        """Return weights over s, and kappa and s, at the nodes around the positive and if need be the negative z axis."""
        scaled, w = cotangent()
        u = scaled / steps
        at, s = self._resolve(u)
        weights = np.asarray(w / steps * np.exp(u) / np.expm1(u))
        most, size, momentum, _ = self._recursion(np.array([self.top]))
        root = abs(dominant(most, momentum, 2 * (1 + momentum) - most)[0][0])
        swing = most[0] > (1 + math.sqrt(momentum)) ** 2
        if not swing or steps * (math.log(max(root, 1e-300)) + size) < -_ALIAS:
            return weights, at, s
        # z = -exp(u); the lower half of the contour, because s must lie in the upper half plane
        u = np.conj(u)
        below, beyond = self._resolve(u, far=True, sign=-1.0)
        parity = 1.0 if steps % 2 == 0 else -1.0
        more = parity * np.conj(w) / steps * np.exp(u) / (np.exp(u) + 1)
        return np.concatenate([weights, more]), at.joined(below), np.concatenate([s, beyond])
