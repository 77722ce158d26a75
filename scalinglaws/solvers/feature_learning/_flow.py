"""Gradient flow with feature learning: the lazy flow in a warped time."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from ...arguments import Array, Value, broadcast, choice, numbers, ordered, refuse_first, shaped
from ...results import Diagnostics, Result, Status, judged
from ..catalogue import shows
from ..equivalents.kappa import MAX_STEPS
from ..linear import RidgeSolution, ridge
from ..linear import gradient_flow as lazy_gradient_flow
from ..schedules import Schedule
from ..spectra import Spectrum, one_spectrum
from ..spectra import depth as octaves
from ._scale_limit import largest_scale
from ._spectral_measure import Measure, crude_horizon, horizon, of_kernel, of_modes
from ._warped_loss import SUMMED_FLOOR, Effort, follow, judgment

LONGEST, RICHEST = 1e100, 1e100
"""Longest finite time and largest richness: squares of times the richness must stay normal numbers."""

DEEPEST = 1e3
"""Largest number of hidden factors: the scale is a power of it."""

_DEPTH, _LARGEST_DEPTH = 70, 1020  # octaves

_COLUMNS = (
    "test_loss",
    "train_loss",
    "scale",
    "test_error",
    "train_error",
    "scale_error",
    "fit_error",
)


@shows("test_loss", "train_loss", "scale")
@dataclass(frozen=True)
class FeatureLearningFlow(Result):
    r"""Losses along gradient flow with feature learning.

    All fields have the broadcast shape of the inputs; scalars in, floats out.

    Attributes
    ----------
    t, richness, features, samples : float or ndarray
        The inputs t, :math:`\gamma`, N and P.
    test_loss, train_loss : float or ndarray
        Mean losses; equal for unlimited samples.
    scale : float or ndarray
        Scale s of the kernel, which is also the speed of the warped time, :math:`d\tau = s\,dt`; 1 for the lazy flow.
    test_error, train_error, scale_error : float or ndarray
        Estimated absolute errors of the three.
    fit_error : float or ndarray
        Error of the discrete spectral measure that stands for a continuous one, relative to the loss at the start (0 where
        the spectrum is discrete itself).
    diagnostics : Diagnostics
        Residual of the equation for kappa, Newton steps per step of the integrator, and the largest
        error relative to the scale and to the losses (where features or samples are finite,
        relative to the loss plus 1e-4 of the one at t = 0).
    depth : float or ndarray
        The input m.
    """

    t: Value
    richness: Value
    features: Value
    samples: Value
    test_loss: Value
    train_loss: Value
    scale: Value
    test_error: Value
    train_error: Value
    scale_error: Value
    fit_error: Value
    diagnostics: Diagnostics
    depth: Value = 1.0


def gradient_flow(
    t: ArrayLike | Schedule,
    spectrum: Spectrum,
    *,
    richness: ArrayLike,
    features: ArrayLike = math.inf,
    samples: ArrayLike = math.inf,
    depth: ArrayLike = 1.0,
    on_failure: str = "raise",
) -> FeatureLearningFlow:
    r"""Compute the mean test and train loss along gradient flow of the readout and of the features.

    The model :math:`f = \frac1N w \cdot A\psi` starts at w = 0 with an iid Gaussian N x M matrix :math:`A = A_0`;
    :math:`\dot w = A v`, :math:`\dot A = \gamma\, w\, v^T A_0^T A_0/N` with v the gradient with respect to the predictor. Its error
    is the one of the lazy flow in the warped time :math:`\tau`: with rates :math:`x_j` and powers :math:`\mu_j` of the target in the
    eigenvectors of the lazy kernel, and :math:`h = s^{-1/2}`,

    .. math:: \frac{dq_j}{d\tau} = x_j (h - q_j), \qquad s = 1 + \gamma \sum_j \frac{\mu_j}{x_j} q_j^2, \qquad
              t = \int h^2 d\tau, \qquad E_{train} = \text{floor} + s \sum_j \mu_j (h - q_j)^2 .

    For unlimited features and samples :math:`x_j = \lambda_j`, :math:`\mu_j = s_j`. With N or P finite the measure is the
    continuous one of the deterministic equivalent, and the test loss the same double sum over :math:`e_j = h - q_j` with the
    two-point correlation of the lazy flow, :math:`E_{test} = s \sum_{jk} \mu_{jk} e_j e_k`.

    A chain of m hidden factors, :math:`f = w^T A_m \cdots A_1 \psi`, whose factors beyond the first start as the identity (or
    orthogonal) and learn as fast as the first, has the same equations with

    .. math:: h = \sigma^{-m/2}, \qquad \sigma = 1 + \gamma \sum_j \frac{\mu_j}{x_j} q_j^2, \qquad s = h^{-2} = \sigma^m .

    Time is what the learning rates of small steps add up to, whatever their schedule: both layers move in proportion to the rate,
    and the flow along a schedule is this flow at its intrinsic times :math:`\sum_{u<n} \eta_u`, exactly. Steps of a schedule deviate
    from it in proportion to their rates. Steps that follow the growth of the kernel are another matter: `gradient_descent`.

    Parameters
    ----------
    t : array_like or Schedule
        Time, >= 0, finite up to 1e100 or ``math.inf`` for the limit; non-decreasing along its last axis. The unit is that of
        :math:`1/\lambda`. A `scalinglaws.solvers.schedules.Schedule` of T steps stands for its T + 1 intrinsic times, before,
        between and after the steps.
    spectrum : PowerLawSpectrum or EmpiricalSpectrum
        Eigenvalues :math:`\lambda_k` and signal powers :math:`s_k`.
    richness : array_like
        :math:`\gamma \ge 0`, up to 1e100, how fast features learn compared with the readout (what multiplies the update of A;
        other papers' :math:`\gamma_0` enters as :math:`\gamma_0^2`). 0 is the lazy flow, `linear.gradient_flow`.
    features, samples : array_like
        N and P, >= 1, not necessarily whole; ``math.inf`` for the limit.
    depth : array_like
        m, the number of hidden factors, >= 0 and up to 1000, not necessarily whole: 1 for the model above, 0 for the lazy flow.
        All arguments broadcast.
    on_failure : {"raise", "return"}
        What to do if an equation is not solved.

    Returns
    -------
    FeatureLearningFlow
        Losses and scale with their estimated absolute errors.

    Raises
    ------
    DomainError
        If an argument is out of range, times decrease, or modes are needed beyond what floating-point numbers hold.
    ConvergenceError
        If the equation for kappa, or a step of the integrator, is not solved; the result is
        attached.

    Notes
    -----
    One run per richness and sizes through all times: an exponential integrator of fourth order,
    extrapolated from 20 and 40 steps per decade of the warped time, each with two unknowns; 12 to
    20 ms to t = 1e10 for an infinite spectrum. A continuous measure is summed on a contour around
    it (12 nodes per decade between the edges of the spectrum, no fit), which takes some 10 ms more,
    once for all times and test loss included. Relative errors are below 1e-8 for scales and
    losses, below 1e-9 y where that is more for a loss that has fallen exponentially by a factor
    exp(y), and with finite sizes 2e-11 of the loss at t = 0 from the contour; losses below 1e-300
    are not followed. The estimates contain all this; `AccuracyWarning` above 1e-6. The reduction to one
    function s is exact for every N, P and draw; the measures are the leading order in 1/N and 1/P.

    References
    ----------
    .. [1] B. Bordelon, A. Atanasov, C. Pehlevan, "How feature learning can improve neural scaling laws", arXiv:2409.17858.
    .. [2] N. Hale, N. J. Higham, L. N. Trefethen, "Computing A^alpha, log(A), and related matrix functions by contour
       integrals", SIAM J. Numer. Anal. 46 (2008) 2505; the map of the contour.

    Examples
    --------
    >>> from scalinglaws.solvers import PowerLawSpectrum
    >>> flow = gradient_flow([1e2, 1e8], PowerLawSpectrum(1.5, 0.5), richness=1)
    >>> [f"{loss:.6e}" for loss in flow.test_loss], flow.scale.round(4)
    (['3.535926e-02', '3.742118e-06'], array([  6.242 , 564.0531]))
    """
    one_spectrum(spectrum, t=t)
    checked = {
        "t": ordered("t", passed(t) if isinstance(t, Schedule) else t),
        "richness": numbers("richness", richness, low=0.0),
        "features": numbers("features", features, low=1.0, infinite=True),
        "samples": numbers("samples", samples, low=1.0, infinite=True),
        "depth": numbers("depth", depth, low=0.0, high=DEEPEST),
    }
    bounded("t", checked["t"], LONGEST, ", or inf for the limit")
    bounded("richness", checked["richness"], RICHEST)
    choice("on_failure", on_failure, ("raise", "return"))
    shape, flat = broadcast(checked)
    table = np.zeros((len(_COLUMNS), flat[0].size))
    efforts = []
    groups: dict[tuple[float, float, float, float], list[int]] = {}
    for i, key in enumerate(zip(*(array.tolist() for array in flat[1:]), strict=True)):
        groups.setdefault(key, []).append(i)
    for (gamma, n, p, m), group in groups.items():
        members = np.array(group)[np.argsort(flat[0][group], kind="stable")]
        table[:, members], effort = _one_flow(flat[0][members], spectrum, gamma, n, p, m)
        efforts.append(effort)
    diagnostics = judgment(efforts)
    result = FeatureLearningFlow(
        **dict(zip(checked, (shaped(array, shape) for array in flat), strict=True)),
        **{name: shaped(row, shape) for name, row in zip(_COLUMNS, table, strict=True)},
        diagnostics=diagnostics,
    )
    judged("gradient_flow", result, diagnostics, on_failure)
    return result


@shows("test_loss", "train_loss")
def static_limit(
    spectrum: Spectrum,
    *misplaced: object,
    features: ArrayLike = math.inf,
    samples: ArrayLike = math.inf,
) -> RidgeSolution:
    r"""Compute the losses that are left after infinitely long training.

    Feature learning changes how fast, not how far: the limit of gradient flow does not depend on the richness and is regression
    without ridge. With :math:`\kappa_n` from :math:`\sum_k \lambda_k/(\lambda_k+\kappa_n) = n`,

    .. math:: E_{test} = \frac{1}{1 - N/P} \sum_k \frac{s_k \kappa_N}{\lambda_k + \kappa_N} \quad (N < P), \qquad
              E_{test} = \frac{1}{1 - \mathrm{df}_2/P} \sum_k \frac{s_k \kappa_P^2}{(\lambda_k + \kappa_P)^2}
              + \frac{P}{N - P} \sum_k \frac{s_k \kappa_P}{\lambda_k + \kappa_P} \quad (P < N).

    Parameters
    ----------
    spectrum : PowerLawSpectrum or EmpiricalSpectrum
        Eigenvalues :math:`\lambda_k` and signal powers :math:`s_k`.
    features, samples : array_like
        N and P, >= 1; ``math.inf`` for the limit. Both broadcast. At N = P the test loss is infinite.

    Returns
    -------
    RidgeSolution
        ``test_loss`` and ``train_loss``, with kappa and the pieces of bias and variance.

    Raises
    ------
    DomainError
        If an argument is out of range.

    Notes
    -----
    `linear.ridge` at ridge 0 without noise: 20 microseconds per element.

    Examples
    --------
    >>> from scalinglaws.solvers import PowerLawSpectrum
    >>> round(static_limit(PowerLawSpectrum(1.5, 0.5, 1500), features=40).test_loss, 9)
    0.219608081
    """
    one_spectrum(spectrum, *misplaced)
    return ridge(spectrum, features=features, samples=samples)


def passed(schedule: Schedule) -> Array:
    """Return the time that has passed before each step of a schedule, and after the last."""
    return np.concatenate(([0.0], np.cumsum(schedule.values())))


def bounded(name: str, array: Array, most: float, else_: str = "") -> None:
    """Refuse finite values above `most`."""
    refuse_first(
        name, array, np.isfinite(array) & (array > most), f"must be at most {most:g}{else_}"
    )


def _one_flow(
    times: Array, spectrum: Spectrum, richness: float, n: float, p: float, m: float
) -> tuple[Array, Effort]:
    """Return the rows of `_COLUMNS` for ascending times, possibly infinite, and what they took."""
    if richness == 0 or m == 0:
        return _lazy_flow(times, spectrum, n, p)
    late = np.isinf(times)
    end, limited = _limit(int(np.count_nonzero(late)), spectrum, richness, n, p, m)
    rows, effort = _warped_flow(times[~late], spectrum, richness, n, p, m)
    worst = [max(pair) for pair in zip(effort, limited, strict=True)]
    steps, residual, error, failed = worst
    return np.concatenate([rows, end], axis=1), Effort(int(steps), residual, error, bool(failed))


def _limit(
    count: int, spectrum: Spectrum, richness: float, n: float, p: float, m: float
) -> tuple[Array, Effort]:
    if count == 0:
        return _rows(0, *[0.0] * 7), Effort()
    end = static_limit(spectrum, features=n, samples=p)
    scale, scale_error = largest_scale(spectrum, richness, n, p, m)
    if math.isnan(scale):
        return _rows(count, *[math.nan] * 3, *[math.inf] * 4), Effort(
            MAX_STEPS, math.inf, math.inf, True
        )
    losses = np.array([end.test_loss, end.train_loss])
    relative = end.diagnostics.error_estimate
    # the losses of a limit that is 0 or infinite are exact
    errors = np.where(np.isfinite(losses), relative * losses, 0.0)
    return _rows(count, *losses, scale, *errors, scale_error, 0.0), Effort(
        error=max(relative, scale_error / scale)
    )


def _warped_flow(
    times: Array, spectrum: Spectrum, richness: float, n: float, p: float, m: float
) -> tuple[Array, Effort]:
    if times.size == 0:
        return _rows(0, *[0.0] * 7), Effort()
    measure = measured(spectrum, richness, n, p, float(times[-1]), m)
    if not math.isfinite(measure.residual):
        unknown = _rows(times.size, *[math.nan] * 3, *[math.inf] * 4)
        return unknown, Effort(MAX_STEPS, math.inf, math.inf, True)
    found = follow(measure, richness, times, m)
    floor = 0.0 if measure.error == 0 else SUMMED_FLOOR
    values = (found.test, found.train, found.scale)
    errors = (found.test_error, found.train_error, found.scale_error, measure.error)
    return (
        _rows(times.size, *values, *errors),
        found.effort(measure.residual, measure.start, floor),
    )


def _lazy_flow(times: Array, spectrum: Spectrum, n: float, p: float) -> tuple[Array, Effort]:
    found = lazy_gradient_flow(times, spectrum, features=n, samples=p, on_failure="return")
    reached = found.diagnostics
    effort = Effort(
        reached.iterations,
        reached.residual,
        reached.error_estimate,
        reached.status is Status.MAX_ITERATIONS,
    )
    values = (found.test_loss, found.train_loss, 1.0)
    return _rows(times.size, *values, found.test_error, found.train_error, 0.0, 0.0), effort


def _rows(count: int, *columns: Value) -> Array:
    """Return values, one for all times or one for each, as rows in the order of `_COLUMNS`."""
    return np.array([np.broadcast_to(values, count) for values in columns], float)


def measured(
    spectrum: Spectrum, richness: float, n: float, p: float, t: float, m: float = 1.0
) -> Measure:
    """Return the measure of the lazy kernel, as far down as training reaches by time t."""
    t = max(t, 1e-200)
    if math.isfinite(min(n, p)):
        power = float(np.sum(spectrum.modes().signal))
        return of_kernel(
            spectrum,
            n,
            p,
            1 / max(crude_horizon(power, richness, t, m), 1e-290),
            pairs=math.isfinite(p),
        )
    far = t > 1e20 or (m > 1 and t > 1e5)  # warped time goes up to t^(m + 1)
    whole = spectrum.modes(_LARGEST_DEPTH if far else _DEPTH)
    latest = max(horizon(whole, richness, t, m), 1e-290)
    modes = spectrum.modes(octaves("t", spectrum, np.array(math.inf), np.array(1 / latest)))
    return of_modes(modes, 1 / latest)
