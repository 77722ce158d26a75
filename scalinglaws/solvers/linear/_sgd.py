"""Online stochastic gradient descent with finite features: exact second moments."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from ...arguments import Array, Value, broadcast, choice, numbers, ordered, shaped
from ...errors import DomainError
from ...results import Diagnostics, Result, judged
from .._blas import one_thread
from .._jit import njit
from ..catalogue import shows
from ..equivalents.contour import circle, cotangent
from ..equivalents.edges import Resolvent
from ..equivalents.inversion import CONTOUR, Rule, invert
from ..equivalents.kappa import ComplexArray
from ..equivalents.losses import ROUNDING, UNSOLVED, Loss, Losses, columns, judgment, solved
from ..equivalents.response import Resolved, inverse, projected_signal, resolve
from ..spectra import Modes, Spectrum, depth, one_spectrum
from ._ridge import ridge
from ._sgd_decay import DecayedSGD, stable_norms
from ._sgd_unlimited import UnlimitedSGD, between
from ._stability import LARGEST, stability_inputs

_FEW = 12  # steps below which the transform is inverted on a circle
_CIRCLE = 96  # its nodes
_KAPPA = 1.5  # rounding of the terms, which rest on kappas at two roots: measured
_ALIAS = 36.0  # exp(-36) is its error
_NONE = Loss(0.0, 0.0)  # there is no train loss


@shows("test_loss")
@dataclass(frozen=True)
class OnlineSGDSolution(Result):
    r"""Losses along one-pass stochastic gradient descent.

    All fields have the broadcast shape of the inputs; scalars in, floats out. There is no train loss: every sample is
    new, so that the loss on the next batch is the test loss plus :math:`\sigma^2`.

    Attributes
    ----------
    steps, features, batch, learning_rate, noise_variance : float or ndarray
        The inputs t, N, B, :math:`\eta` and :math:`\sigma^2`.
    test_loss : float or ndarray
        Mean test loss.
    test_error : float or ndarray
        Its estimated absolute error: truncation, and rounding of everything but the spectrum itself.
    diagnostics : Diagnostics
        Residual of the equation for kappa, Newton steps, and the largest error relative to the loss plus 1e-4 of the loss on
        the first batch.
    weight_decay : float or ndarray
        The input r.
    """

    steps: Value
    features: Value
    batch: Value
    learning_rate: Value
    noise_variance: Value
    test_loss: Value
    test_error: Value
    diagnostics: Diagnostics
    weight_decay: Value = 0.0


def online_sgd(
    steps: ArrayLike,
    spectrum: Spectrum,
    *,
    features: ArrayLike = math.inf,
    batch: ArrayLike,
    learning_rate: ArrayLike,
    noise_variance: ArrayLike = 0.0,
    weight_decay: ArrayLike = 0.0,
    on_failure: str = "raise",
) -> OnlineSGDSolution:
    r"""Compute the mean test loss of the random-feature model under one-pass stochastic gradient descent.

    Each step uses B fresh samples. For Gaussian features the energies :math:`\rho_i` along the eigenvectors of the
    projected covariance (eigenvalues :math:`x_i`) close exactly,

    .. math:: \rho_i(t+1) = q(x_i)\,\rho_i(t) + \frac{\eta^2 x_i^2}{B} (L_t + \sigma^2), \qquad
              q(x) = 1 - 2\eta x + \eta^2 x^2 \Big(1 + \frac1B\Big), \qquad L_t = \sum_i \rho_i(t),

    so that the loss obeys :math:`L_t = F_t + \sum_{r<t} K_{t-1-r} (L_r + \sigma^2)` with
    :math:`F_t = \sum_i \rho_i(0) q(x_i)^t` and :math:`K_t = \frac{\eta^2}{B} \sum_i x_i^2 q(x_i)^t`. The sums over i are
    replaced by their limits for large N; the z-transform solves the equation.

    With weight decay, :math:`v \leftarrow (1 - \eta r) v - \eta \nabla_B`, the energies close together with the cross moments
    :math:`c_i` of error and target, whose powers are :math:`s_i = \rho_i(0) = c_i(0)`:

    .. math:: \rho_i' = \Big[p^2 + \frac{\eta^2 x_i^2}{B}\Big] \rho_i + 2 \eta r p\, c_i + (\eta r)^2 s_i
              + \frac{\eta^2 x_i^2}{B} (L + \sigma^2), \qquad c_i' = p\, c_i + \eta r\, s_i, \qquad p = 1 - \eta (x_i + r).

    Parameters
    ----------
    steps : array_like
        t >= 0, ``math.inf`` for the limit; non-decreasing along its last axis. The loss is defined at whole numbers of steps;
        in between it is interpolated (by the analytic continuation of the solution from 12 steps on, by powers below).
    spectrum : PowerLawSpectrum or EmpiricalSpectrum
        Eigenvalues :math:`\lambda_k` and signal powers :math:`s_k`.
    features : array_like
        N >= 1, not necessarily whole; ``math.inf`` for the limit (then the equation is exact). All arguments broadcast.
    batch : array_like
        B >= 1; ``math.inf`` for gradient descent on the population loss.
    learning_rate : array_like
        :math:`\eta > 0`, below the bound of `sgd_stability`.
    noise_variance : array_like
        :math:`\sigma^2 \ge 0`, variance of the label noise.
    weight_decay : array_like
        :math:`r \ge 0`, normalized as the ridge of `ridge`.
    on_failure : {"raise", "return"}
        What to do if the equation for kappa is not solved.

    Returns
    -------
    OnlineSGDSolution
        Test losses with their estimated absolute errors.

    Raises
    ------
    DomainError
        If an argument is out of range, steps decrease, or the learning rate is unstable; the message names the bound.
        With weight decay also where modes overshoot, :math:`\eta (x_{max} + r) > 1`, and are not damped after 768 steps.
    ConvergenceError
        If the equation for kappa is not solved on the contour; the result is attached.

    Notes
    -----
    Features are assumed to be Gaussian, or to act as if they were; see the module.

    Below 12 steps and for unlimited features the recursion is iterated. Otherwise the difference from
    :math:`\sum_k s_k q(\lambda_k)^t` is inverted on a cotangent contour of 24 nodes, for limited features below 12 steps on a
    circle of 96 nodes that all elements with the same parameters share: 1 ms per element, 3 ms for the circle, whatever
    the size of t, M, N. For unlimited features, what is left of the signal is inverted on a contour around the slowest decay
    once it has fallen, and is accurate to about 1e-11 of itself however far the loss has fallen (down to 1e-290); for limited
    features to about 1e-11 of the loss plus 1e-13 of the start. Both but for a factor :math:`1/(1 - \hat K(1))`, and one over
    the relative distance of the learning rate to the bound where features are limited: see ``test_error``, and
    `AccuracyWarning` if it exceeds 1e-8 of the loss plus 1e-12 of the loss on the first batch.
    The limit is the floor :math:`(L_N + \hat K(1)\,\sigma^2)/(1 - \hat K(1))` with the loss :math:`L_N` of the best
    predictor from N features.
    With weight decay kappa is needed at three places of each node: 2 ms per element. The difference from unlimited
    features and batches is inverted, to about 1e-12 of the loss plus 1e-13 of the loss at the start, times the same factors.

    References
    ----------
    .. [1] E. Paquette, C. Paquette, L. Xiao, J. Pennington, "4+3 phases of compute-optimal neural scaling laws",
       arXiv:2405.15074, sec. 2.
    .. [2] B. Bordelon, C. Pehlevan, "Learning curves for SGD on structured features", arXiv:2106.02713.

    Examples
    --------
    >>> from scalinglaws.solvers import PowerLawSpectrum
    >>> found = online_sgd([20, 1000], PowerLawSpectrum.from_ab(2, 1.5, 800), features=100, batch=4, learning_rate=0.3)
    >>> found.test_loss.round(6)
    array([0.217208, 0.050556])
    >>> found = online_sgd(100, PowerLawSpectrum.from_ab(2, 1.5, 200), features=40, batch=4, learning_rate=0.3,
    ...                    weight_decay=0.02, noise_variance=0.1)
    >>> round(found.test_loss, 9)
    0.16466521
    """
    one_spectrum(spectrum, steps=steps)
    checked = {
        "steps": ordered("steps", steps, whole=False),
        **stability_inputs(features, batch, learning_rate),
        "noise_variance": numbers("noise_variance", noise_variance, low=0.0, high=LARGEST),
        "weight_decay": numbers("weight_decay", weight_decay, low=0.0, high=LARGEST),
    }
    choice("on_failure", on_failure, ("raise", "return"))
    shape, flat = broadcast(checked)
    t, n, b, eta, noise, decay = flat
    if np.any(np.isfinite(t) & (t * eta > 1e290)):
        raise DomainError(
            "steps times learning_rate must be at most 1e290, or steps inf for the limit",
            argument="steps",
            value=steps,
        )

    kept, plain = decay > 0, decay == 0
    norms, slacks, tops = np.zeros(t.size), np.ones(t.size), np.zeros(t.size)
    norms[plain], slacks[plain] = _stable_norms(spectrum, n[plain], b[plain], eta[plain])
    if kept.any():
        norms[kept], tops[kept] = stable_norms(spectrum, n[kept], b[kept], eta[kept], decay[kept])
    with np.errstate(divide="ignore"):
        modes = spectrum.modes(depth("steps", spectrum, n, np.maximum(1 / (t * eta), decay)))
    total = float(np.sum(modes.signal))
    start = t * eta * 8 * float(modes.multiplicities @ modes.eigenvalues) < 1e-18
    circles: dict[tuple[float, ...], _Start] = {}
    sums: dict[tuple[float, ...], UnlimitedSGD] = {}
    shrunk: dict[tuple[float, ...], DecayedSGD] = {}
    found = []
    for i in range(t.size):
        key = (n[i], b[i], eta[i], noise[i], norms[i], slacks[i])
        if start[i]:
            found.append(Losses(Loss(total, ROUNDING * total)))
        elif kept[i]:
            place = (*key[:4], decay[i], norms[i], tops[i])
            if place not in shrunk:
                shrunk[place] = DecayedSGD(modes, *place)
            found.append(shrunk[place].losses(t[i]))
        elif math.isinf(n[i]):
            if key not in sums:
                sums[key] = UnlimitedSGD(modes, *key[1:4])
            found.append(Losses(sums[key].losses(t[i])))
        elif math.isinf(t[i]):
            found.append(_floor(spectrum, n[i], noise[i], norms[i], slacks[i]))
        elif t[i] < _FEW:
            if key not in circles:
                circles[key] = _Start(modes, *key)
            found.append(circles[key].losses(t[i]))
        else:
            z, w = cotangent()
            found.append(_Transform(modes, *key, z / t[i]).losses(t[i], w / t[i], CONTOUR))
    diagnostics = judgment(
        found, total + noise, "z-transform on a cotangent contour or a circle, merged modes"
    )
    table = columns(found)
    result = OnlineSGDSolution(
        **dict(zip(checked, (shaped(array, shape) for array in flat), strict=True)),
        test_loss=shaped(table["test_loss"], shape),
        test_error=shaped(table["test_error"], shape),
        diagnostics=diagnostics,
    )
    judged("online_sgd", result, diagnostics, on_failure)
    return result


def _floor(spectrum: Spectrum, features: float, noise: float, norm: float, slack: float) -> Losses:
    """Return the limit of many steps."""
    best = ridge(spectrum, features=features)
    limit = float((best.test_loss + norm * noise) / (1 - norm))
    error = best.diagnostics.error_estimate + (2 + 1 / slack) * ROUNDING / (1 - norm)
    return Losses(Loss(limit, limit * error))


def _stable_norms(
    spectrum: Spectrum, features: Array, batch: Array, learning_rate: Array
) -> tuple[Array, Array]:
    """Return the kernel norms, and the distances to the bound; refuse unstable learning rates."""
    edge = Resolvent(spectrum.modes())
    known: dict[tuple[float, ...], tuple[float, float]] = {}
    for inputs in zip(features, batch, learning_rate, strict=True):
        if inputs not in known:
            norm, top, largest = edge.stability(*inputs)
            if not norm < 1:
                n, b, eta = inputs
                why = (
                    f"the largest eigenvalue is {top:.6g}"
                    if math.isinf(norm)
                    else f"the kernel norm is {norm:.6g}"
                )
                raise DomainError(
                    f"learning_rate = {eta} is unstable with batch = {b} and features = {n} ({why}); it must be below {largest:.6g}",
                    argument="learning_rate",
                    value=eta,
                )
            known[inputs] = norm, max(1 - inputs[2] / largest, ROUNDING)
    rows = [known[inputs] for inputs in zip(features, batch, learning_rate, strict=True)]
    norms, slacks = np.array(rows).reshape(-1, 2).T
    return norms, slacks


class _Transform:
    """The z-transform of the loss, less that of its part for unlimited features without gradient noise."""

    @one_thread
    def __init__(
        self,
        modes: Modes,
        features: float,
        batch: float,
        learning_rate: float,
        noise: float,
        norm: float,
        slack: float,
        u: ComplexArray,
    ) -> None:
        eta, per_sample = learning_rate, inverse(batch)
        step = np.asarray(np.expm1(u), dtype=complex)
        z = 1 + step
        root = np.asarray(np.sqrt(1 + (1 + per_sample) * step), dtype=complex)
        near = np.asarray(step / (eta * (1 + root)), dtype=complex)
        low = resolve(modes, features, math.inf, near)
        # the other root lies in the lower half plane, beyond the spectrum
        beyond = np.conj((1 + root) / (-eta * (1 + per_sample)))
        high = resolve(modes, features, math.inf, beyond, far=True)
        self.resolved = (low, high)
        decrement = eta * modes.eigenvalues * (2 - eta * modes.eigenvalues * (1 + per_sample))
        with np.errstate(divide="ignore"):
            self._rates = np.log1p(-np.minimum(decrement, 1.0))
        self._signal = modes.signal
        self._amplification = 1 / (1 - norm)
        # close to the bound rounding of the learning rate counts
        self._rounding = ROUNDING * (8 + 1 / slack) / (1 - norm)
        if not (low.found and high.found):
            return
        scale = 2 * eta * root
        change = z * (_over_s(modes, low) - np.conj(_over_s(modes, high))) / scale
        kernel, missing = _kernel(modes, low, high, eta, per_sample, root)
        forcing = z * np.array([self._signal @ (1 / (node + decrement)) for node in step]) + change
        noises = noise * z / step
        # 1/(1 - K) is taken relative to 1, or to its value at late times, which is then added in closed form
        self._gain, self._floor = norm / (1 - norm), norm * noise / (1 - norm)
        self._early = change + kernel * (forcing + noises) / (1 - kernel)
        self._late = (change - missing * (forcing + noises) / (1 - norm + missing)) / (1 - norm)

    @property
    def found(self) -> bool:
        """Whether the equation for kappa was solved."""
        return all(at.found for at in self.resolved)

    def losses(self, steps: float, weights: ComplexArray, rule: Rule) -> Losses:
        """Return what is found; the weights are those of a contour at this number of steps."""
        if not self.found:
            return UNSOLVED
        return solved(self.loss(steps, weights, rule), _NONE, *self.resolved)

    def loss(self, steps: float, weights: ComplexArray, rule: Rule) -> Loss:
        """Return the test loss."""
        with np.errstate(under="ignore", over="ignore"):
            unlimited = float(np.exp(steps * self._rates) @ self._signal)
        choices = []
        for values, start in (
            (self._early, unlimited),
            (self._late, unlimited * (1 + self._gain) + self._floor),
        ):
            change, error = invert(weights, values, rule)
            error = (
                _KAPPA * self._amplification * error
                + 3 * rule.truncation * (abs(change) + start)
                + self._rounding * start
            )
            choices.append(Loss(start + change, error))
        return min(choices, key=lambda loss: loss.error)


def _kernel(
    modes: Modes, low: Resolved, high: Resolved, eta: float, per_sample: float, root: ComplexArray
) -> tuple[ComplexArray, ComplexArray]:
    r"""Return the transform of the kernel, and what it lacks of its value at late times.

    The transform is :math:`\frac{\eta}{2B}(S_+ - S_-)/\sqrt{\cdot}` with :math:`S = s\,\mathrm{df}_1(\kappa(s))` at both roots: differences
    of nearly equal numbers, because most of the trace lies in modes that neither root sees. With
    :math:`W_j = \sum_k \lambda_k^j / ((\lambda_k + \kappa_1)(\lambda_k + \kappa_2))` they are

    .. math:: S_1 - S_2 = (s_1 - s_2)\,W_2 + \kappa_1\kappa_2 (\kappa_1 - \kappa_2) W_1^2/N, \qquad
              s_1 - s_2 = (\kappa_1 - \kappa_2)(1 - W_2/N).
    """
    growth, n = 1 + per_sample, high.inverse_features
    near, far = low.kappa, np.asarray(np.conj(high.kappa))
    late = _late_root(modes, float(far[np.argmin(np.abs(root - 1))].real), 2 / (eta * growth), n)

    def rise(one: ComplexArray, two: ComplexArray, step: ComplexArray) -> ComplexArray:
        w1, w2 = np.zeros_like(one), np.zeros_like(one)
        _joint_sums(modes.eigenvalues, modes.multiplicities, one, two, w1, w2)
        return np.asarray(step * w2 + one * two * step / (1 - w2 * n) * w1 * w1 * n)

    shares = modes.multiplicities @ (modes.eigenvalues / (modes.eigenvalues + late))
    step = (root - 1) / (eta * growth)  # from the far root to its place at late times
    lag = rise(np.full_like(far, late), far, step) - 2 * step * shares
    factor = eta * per_sample / (2 * root)
    return factor * rise(far, near, -2 * root / (eta * growth)), factor * (lag + low.s * low.df1)


def _late_root(modes: Modes, kappa: float, reach: float, inverse_features: float) -> float:
    """Solve kappa (1 - df1/N) = -reach beyond the spectrum by Newton's method."""
    for _ in range(50):
        shares = modes.eigenvalues / (modes.eigenvalues + kappa)
        excess = kappa * (1 - modes.multiplicities @ shares * inverse_features) + reach
        kappa -= float(excess / (1 - modes.multiplicities @ shares**2 * inverse_features))
        if abs(excess) <= 4e-16 * reach:
            break
    return kappa


@njit
def _joint_sums(
    eigenvalues: Array,
    multiplicities: Array,
    one: ComplexArray,
    two: ComplexArray,
    w1: ComplexArray,
    w2: ComplexArray,
) -> None:
    """Add up W_1 and W_2 at pairs of kappas."""
    for j in range(one.size):
        first, second = 0j, 0j
        for k in range(eigenvalues.size):
            near = eigenvalues[k] / (eigenvalues[k] + one[j])
            both = multiplicities[k] * near / (eigenvalues[k] + two[j])
            first += both
            second += both * eigenvalues[k]
        w1[j], w2[j] = first, second


class _Start:
    """The first steps, all from one circle."""

    def __init__(
        self,
        modes: Modes,
        features: float,
        batch: float,
        learning_rate: float,
        noise: float,
        norm: float,
        slack: float,
    ) -> None:
        self._u = circle(_CIRCLE, _ALIAS / _CIRCLE)
        self._transform = _Transform(
            modes, features, batch, learning_rate, noise, norm, slack, self._u
        )
        self._total = float(np.sum(modes.signal))

    def losses(self, steps: float) -> Losses:
        """Return what is found; between whole steps the loss is a power of its neighbors."""
        if not self._transform.found:
            return UNSOLVED
        before = math.floor(steps)
        loss = self._whole(before)
        if before != steps:
            loss = between(loss, self._whole(before + 1), steps - before)
        return solved(loss, _NONE, *self._transform.resolved)

    def _whole(self, steps: int) -> Loss:
        if steps == 0:
            return Loss(self._total, ROUNDING * self._total)
        weights = np.asarray(np.exp(steps * self._u) / _CIRCLE, dtype=complex)
        return self._transform.loss(steps, weights, Rule(ROUNDING, math.exp(-_ALIAS)))


def _over_s(modes: Modes, at: Resolved) -> ComplexArray:
    return np.asarray(projected_signal(modes, at) / at.s)
