"""Mean losses of one-pass training along any schedule of rates and batches, by any of a few first-order methods."""

from __future__ import annotations

import math
import warnings
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ...arguments import Array, Value, choice, instance, number, ordered, refuse_first, shaped
from ...equality import by_value
from ...errors import StabilityWarning, refusal
from ...reprs import short_repr
from ...results import PROMISED, Diagnostics, Result, Status, judged
from ..catalogue import shows
from ..equivalents.edges import Resolvent
from ..spectra import Spectrum, one_spectrum
from ._methods import DANA, EMA, SGD, Average, Method, TailAverage
from ._run import Run
from ._schedule import Schedule
from ._stability import Criterion, checked_run, first_pole, worst

_UNRESOLVED = 1e-3  # relative difference of two meshes beyond which neither is believed


@short_repr
@by_value
@dataclass(frozen=True)
class TrainingDiagnostics(Diagnostics):
    r"""How good a result is.

    Attributes
    ----------
    status, residual, iterations, method, error_estimate
        As of `scalinglaws.results.Diagnostics`; `residual` is the difference of the two meshes.
    stability_margin : float or None
        :math:`1 - \hat K` at the worst step (see `stability`); None for `DANA`.
    macro_steps : int
        Steps that were taken, macro or single.
    mesh_error : float
        Largest relative difference between two meshes, one with half the steps of the other; 0 where every step is taken.
    """

    stability_margin: float | None
    macro_steps: int
    mesh_error: float


@shows("learning_rate", "intrinsic_time", "test_loss", along="steps")
@dataclass(frozen=True)
class ScheduledTraining(Result):
    r"""Losses along a schedule.

    Arrays have the shape of the steps that were asked for; scalars in, floats out.

    Attributes
    ----------
    steps : float or ndarray
        t.
    learning_rate, batch : float or ndarray
        :math:`\eta_t` and :math:`B_t` of the step that follows; at the end the last ones again.
    intrinsic_time : float or ndarray
        :math:`\tau_t = \sum_{u < t} \eta_u`.
    test_loss : float or ndarray
        Mean test loss.
    averaged_loss : float, ndarray or None
        Mean test loss of the averaged iterate, that of the iterate itself before a tail starts; None without an average.
    test_error : float or ndarray
        Estimated absolute error of the losses: what two meshes differ by, and rounding.
    floor : float
        Loss of the best predictor from N features.
    features, noise_variance : float
        The inputs N and :math:`\sigma^2`.
    diagnostics : TrainingDiagnostics
        Stability margin, macro steps, and the difference of two meshes.
    weight_decay : float
        The input r.
    """

    steps: Value
    learning_rate: Value
    batch: Value
    intrinsic_time: Value
    test_loss: Value
    averaged_loss: Value | None
    test_error: Value
    floor: float
    features: float
    noise_variance: float
    diagnostics: TrainingDiagnostics
    weight_decay: float = 0.0


def train(
    schedule: Schedule,
    spectrum: Spectrum,
    *,
    features: float = math.inf,
    batch: float | Schedule,
    noise_variance: float = 0.0,
    weight_decay: float = 0.0,
    method: Method = SGD(),  # noqa: B008 - frozen
    average: Average | None = None,
    at: ArrayLike | None = None,
    on_failure: str = "raise",
) -> ScheduledTraining:
    r"""Compute the mean test loss of one-pass training along a schedule of rates and batches.

    For Gaussian features second moments close exactly, whatever the rates: those of stochastic gradient descent are

    .. math:: \rho_i(t + 1) = q_t(x_i) \rho_i(t) + \frac{\eta_t^2 x_i^2}{B_t} (L_t + \sigma^2), \quad
              q_t(x) = 1 - 2 \eta_t x + \eta_t^2 x^2 \Big(1 + \frac1{B_t}\Big), \quad L_t = L_N + \sum_i \rho_i(t)

    with the eigenvalues :math:`x_i` of the covariance of N features and the loss :math:`L_N` of the best predictor from them;
    methods with memory have three numbers per mode. Weight decay r multiplies the weights by :math:`1 - \eta_t r` in each step of
    stochastic gradient descent; then cross moments of error and target are followed too, see `scalinglaws.solvers.linear.online_sgd`.

    Parameters
    ----------
    schedule : Schedule
        Rates :math:`\eta_t`, t = 0, ..., T - 1; :math:`\eta_t` acts in the step t -> t + 1.
    spectrum : PowerLawSpectrum or EmpiricalSpectrum
        Eigenvalues :math:`\lambda_k` and signal powers :math:`s_k`.
    features : float
        N >= 1, ``math.inf`` for the limit (then the equations are exact; else in the mean over draws of features, for large N).
    batch : float or Schedule
        :math:`B_t \ge 1`, ``math.inf`` for descent on the population loss.
    noise_variance : float
        :math:`\sigma^2 \ge 0`, variance of the label noise.
    weight_decay : float
        :math:`r \ge 0`, for `SGD` without an average; macro steps need :math:`\eta_t (x_{max} + r/2) \le 1`.
    method : SGD, HeavyBall, Nesterov or DANA
        The method.
    average : TailAverage or EMA, optional
        An average of the iterates of SGD, whose loss is `averaged_loss`.
    at : array_like, optional
        Steps to look at, whole numbers from 0 to T, non-decreasing; by default those at which macro steps end: dense behind every break and
        geometric beyond.
    on_failure : {"raise", "return"}
        What to do if two meshes disagree.

    Returns
    -------
    ScheduledTraining
        Losses with their estimated errors, rates and intrinsic times.

    Raises
    ------
    DomainError
        If an argument is out of range, or the run is unstable: a schedule that is a function by the criterion of `stability`, an
        array by what happens.
    ConvergenceError
        If two meshes differ by more than 1e-3; the result is attached.
    ResourceError
        If an array of rates is too long to be followed step by step.

    Warns
    -----
    StabilityWarning
        If rates from an array are unstable at some steps.
    AccuracyWarning
        If the estimated error exceeds 1e-8 of the loss (for methods with memory and limited features: that of the quadrature).

    Notes
    -----
    Below 2000 steps, and for arrays, each step is taken: 0.1 to 1 microseconds for SGD; so it is for longer runs where macro steps
    would not give 1e-8 and each step costs less. Else the difference equation is solved by
    collocation on macro steps whose length grows with time (and shrinks towards an end at which the noise vanishes), implicit in each
    node of a quadrature over the spectrum: some 600 macro steps for 1e8 steps, whatever N and M, errors near 1e-12 of the loss at the end.
    All is computed on two meshes, of which one halves the steps of the other; their difference is the error estimate. Where it exceeds
    1e-8, as behind a warm-up, steps are halved once or twice more. Implicit steps hide instability, which is why it is tested
    beforehand, and why meshes that disagree are refused.

    Methods with memory and limited features rest on Gauss quadratures in real nodes: at (a, b) = (2, 1.5) losses are off by less
    than 1e-11 up to N = 1e4, 5e-10 at 1e6 and 2e-7 at 1e8; by 1e-7 at (1.6, 2) and N = 1e6, 6e-5 at (1.4, 3) and N = 1e8. 0.1 s more.

    References
    ----------
    .. [1] C. Paquette, E. Paquette, B. Adlam, J. Pennington, "Homogenization of SGD in high-dimensions",
       arXiv:2205.07069.
    .. [2] B. Bordelon, C. Pehlevan, "Learning curves for SGD on structured features", arXiv:2106.02713.
    .. [3] B. Li et al., "Functional scaling laws in kernel regression: loss dynamics and learning rate schedules",
       arXiv:2509.19189.

    Examples
    --------
    >>> from scalinglaws.solvers import PowerLawSpectrum
    >>> task = PowerLawSpectrum.from_ab(2, 1.5)
    >>> schedule = Schedule.wsd(rate=0.1, steps=10**8, cooldown=0.2)
    >>> found = train(schedule, task, batch=4, noise_variance=0.1, at=10**8)
    >>> print(f"{found.test_loss:.9e}")
    5.571911401e-05
    """
    one_spectrum(spectrum, schedule=schedule)
    batches, size = checked_run(schedule, features, batch, method)
    noise = number("noise_variance", noise_variance, low=0.0, high=1e290)
    decay = number("weight_decay", weight_decay, low=0.0, high=1e290)
    choice("on_failure", on_failure, ("raise", "return"))
    places = _checked_steps(at, schedule.steps)
    begin = _checked_average(average, method, schedule.steps)
    extremes = worst(schedule, batches)
    margin = _margin(extremes, spectrum, size, method, schedule.smooth and batches.smooth)
    if decay > 0 and (not isinstance(method, SGD) or average is not None):
        raise refusal("weight_decay", decay, "is possible for SGD() without an average only")
    run = Run(
        schedule,
        batches,
        spectrum,
        size,
        noise,
        method,
        average,
        begin,
        first_pole(extremes),
        decay,
    )
    if decay > 0 and not run.direct:
        _check_decay(decay, float(np.max(extremes[1])), spectrum, size)
    found = run.losses(places)

    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        relative = np.where(found.least > 0, found.errors / found.least, 0.0)
    status = Status.CONVERGED
    if not (found.mesh_error < _UNRESOLVED and np.all(found.least >= 0)):
        status = Status.UNRESOLVED
    elif not np.all(relative <= max(PROMISED, 2 * run.nodes.error)):
        status = Status.LOST_ACCURACY
    worst_error = float(np.max(relative, initial=0.0))
    diagnostics = TrainingDiagnostics(
        status=status,
        residual=found.mesh_error,
        iterations=found.taken,
        method=found.method,
        error_estimate=worst_error if status is not Status.UNRESOLVED else found.mesh_error,
        stability_margin=margin,
        macro_steps=found.taken,
        mesh_error=found.mesh_error,
    )
    last = np.minimum(found.steps, schedule.steps - 1).astype(float)
    shape = found.steps.shape if at is None else np.shape(at)
    result = ScheduledTraining(
        steps=shaped(found.steps.astype(float), shape),
        learning_rate=shaped(schedule(last), shape),
        batch=shaped(batches(last), shape),
        intrinsic_time=shaped(found.times, shape),
        test_loss=shaped(found.losses, shape),
        averaged_loss=None if average is None else shaped(found.averages, shape),
        test_error=shaped(found.errors, shape),
        floor=run.nodes.floor,
        features=size,
        noise_variance=noise,
        diagnostics=diagnostics,
        weight_decay=decay,
    )
    judged("train", result, diagnostics, on_failure)
    return result


def _check_decay(decay: float, rate: float, spectrum: Spectrum, features: float) -> None:
    """Refuse rates beyond which stability without decay says nothing of that with it."""
    top = Resolvent(spectrum.modes()).top(features, math.inf)
    if rate * (top + decay / 2) > 1:
        raise refusal(
            "weight_decay",
            decay,
            f"needs rates of at most {1 / (top + decay / 2):.6g}, the inverse of the largest eigenvalue plus half of it; got {rate:g}",
        )


def _checked_steps(at: ArrayLike | None, steps: int) -> NDArray[np.int64] | None:
    """Return the steps to look at."""
    if at is None:
        return None
    given = ordered("at", at, whole=True, infinite=False, single_row=True)
    refuse_first("at", given, given > steps, f"must be at most the {steps} steps of the schedule")
    return np.atleast_1d(given).astype(np.int64)


def _checked_average(average: Average | None, method: Method, steps: int) -> int:
    """Return the first iterate of an average."""
    if average is None:
        return 0
    instance("average", average, TailAverage, EMA)
    if not isinstance(method, SGD):
        raise refusal("average", average, f"goes with SGD() only, not with {method}")
    return average.first(steps) if isinstance(average, TailAverage) else 0


def _margin(
    extremes: tuple[Array, Array, Array],
    spectrum: Spectrum,
    features: float,
    method: Method,
    smooth: bool,
) -> float | None:
    """Return the distance to instability; refuse functions beyond it, warn of arrays."""
    if isinstance(method, DANA):
        return None
    criterion = Criterion(spectrum.modes(), features, method)
    rows = list(zip(*extremes, strict=True))
    norms = [criterion.norm(float(rate), float(size)) for _, rate, size in rows]
    place = int(np.argmax(norms))
    if norms[place] < 1:
        return 1 - norms[place]
    step, rate, size = rows[place]
    why = (
        f"the largest eigenvalue is {criterion.top:.6g}"
        if math.isinf(norms[place])
        else f"the kernel norm is {norms[place]:.6g}"
    )
    told = f"is unstable at step {step:.0f}, with batch = {size:.6g} and features = {features:g}"
    most = f"it must be below {criterion.largest(float(rate), float(size)):.6g} there"
    if smooth:
        raise refusal("rate", float(rate), f"{told} ({why}); {most}")
    warnings.warn(
        f"train: rate = {rate:.6g} {told} ({why}); {most}", StabilityWarning, stacklevel=3
    )
    return 1 - norms[place]
