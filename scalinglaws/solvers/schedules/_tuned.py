"""The best rate for a shape."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from ...arguments import Array, number
from ...errors import refusal
from ...results import Result, judged
from ..catalogue import shows
from ..spectra import Spectrum, one_spectrum
from ._methods import DANA, SGD, Average, Method
from ._run import Run, _reach
from ._schedule import Schedule
from ._stability import checked_run, stability
from ._train import TrainingDiagnostics, _checked_average
from ._trials import FINE, ROUGH, Trials, ended, lowest

_BELOW = 1 - 1e-6  # of the bound of stability: the largest rate that is tried
_APART = 3.0  # of the rates of the scan
_ROUNDING = 1e-12  # of the loss at the start: what is learned must be more
_LITTLE = 0.03  # learned, or noise gathered, at the smallest one


@shows("rate", "test_loss", "test_error", "capped", "max_rate")
@dataclass(frozen=True)
class TunedRate(Result):
    r"""The best rate of a shape.

    Attributes
    ----------
    rate : float
        The rate at which the loss at the end is least: `Schedule.with_rate` of it is the tuned schedule.
    test_loss : float
        Mean test loss there; of the average, if one was asked for.
    test_error : float
        Its estimated absolute error.
    capped : bool
        Whether the least loss is that of the largest rate tried, so that the cap decides and not the task.
    max_rate : float
        Largest rate tried.
    bracket : tuple of float
        The rates between which the minimum was searched, neighbors of the best one of the scan.
    rates, losses : ndarray
        The scan, increasing rates and final losses to 1e-5; infinite where a run exploded.
    looks : int
        Runs that were made.
    diagnostics : TrainingDiagnostics
        Of the run at the best rate.
    """

    rate: float
    test_loss: float
    test_error: float
    capped: bool
    max_rate: float
    bracket: tuple[float, float]
    rates: Array
    losses: Array
    looks: int
    diagnostics: TrainingDiagnostics


def tuned_rate(
    schedule: Schedule,
    spectrum: Spectrum,
    *,
    features: float = math.inf,
    batch: float | Schedule,
    noise_variance: float = 0.0,
    method: Method = SGD(),  # noqa: B008 - frozen
    average: Average | None = None,
    max_rate: float | None = None,
) -> TunedRate:
    r"""Find the rate at which a shape of schedule ends with the least loss.

    .. math:: \eta^* = \arg\min_{\eta \le \eta_{\max}} L_T[\eta\, \phi]

    with the shape :math:`\phi_t`, the schedule over its rate, and the loss :math:`L_T` of `train` at the end.

    Parameters
    ----------
    schedule : Schedule
        The shape; its own rate does not matter.
    spectrum : PowerLawSpectrum or EmpiricalSpectrum
        Eigenvalues :math:`\lambda_k` and signal powers :math:`s_k`.
    features : float
        N >= 1, ``math.inf`` for the limit.
    batch : float or Schedule
        :math:`B_t \ge 1`, which stays as it is.
    noise_variance : float
        :math:`\sigma^2 \ge 0`, variance of the label noise.
    method : SGD, HeavyBall, Nesterov or DANA
        The method.
    average : TailAverage or EMA, optional
        An average of the iterates of SGD, whose loss is then what counts.
    max_rate : float, optional
        Cap :math:`\eta_{\max}`, below the bound of `stability`, which is the default; `DANA` has no such bound and needs a cap.

    Returns
    -------
    TunedRate
        The rate, its loss, and whether the cap decides.

    Raises
    ------
    DomainError
        If an argument is out of range, the cap is unstable, or no rate lowers the loss by more than 1e-12 of it.
    ConvergenceError
        If two meshes differ at the best rate.

    Warns
    -----
    AccuracyWarning
        As `train` does, of the run at the best rate.

    Notes
    -----
    Rates a factor of 3 apart are scanned over all that matter: from the cap down to one at which nothing has happened by the
    end, and farther down as long as the smallest rate is the best. The neighbors of the best one bracket the minimum, so that no
    bracket is ever cut short; where a task has several minima, the lowest of the scan is taken. The rate is accurate to 1e-4 of itself, the
    loss, flat there, to 1e-8.

    Some 30 runs that share nodes and meshes: .3 to .8 s for 1e8 steps of SGD, some 5 s with memory or an average.

    References
    ----------
    .. [1] B. Li et al., "Functional scaling laws in kernel regression: loss dynamics and learning rate schedules",
       arXiv:2509.19189.

    Examples
    --------
    >>> from scalinglaws.solvers import PowerLawSpectrum
    >>> task = PowerLawSpectrum.from_ab(2, 1.5)
    >>> found = tuned_rate(Schedule.power(1, rate=1, steps=10**6), task, batch=8, noise_variance=1)
    >>> print(f"{found.rate:.4f}, {found.test_loss:.4e}, {found.capped}")
    0.0963, 8.4175e-04, False
    """
    one_spectrum(spectrum, schedule=schedule)
    if isinstance(schedule, Schedule) and schedule.rate == math.inf:
        raise refusal("rate", schedule.rate, "must be finite")
    batches, size = checked_run(schedule, features, batch, method)
    noise = number("noise_variance", noise_variance, low=0.0, high=1e290)
    begin = _checked_average(average, method, schedule.steps)
    top = _cap(schedule, spectrum, batches, size, method, max_rate)

    fastest = schedule.with_rate(top)
    trials = Trials(fastest, batches, spectrum, size, noise, method, average, begin)
    points = [top]
    bottom = _smallest(trials.run, fastest)
    while points[-1] > bottom:
        points.append(points[-1] / _APART)
    values = [trials.final(schedule.with_rate(rate), ROUGH) for rate in points]
    # some small rate is better than none: go on until one is found
    while int(np.argmin(values)) == len(values) - 1 and points[-1] > 1e-280:
        points.append(points[-1] / _APART)
        values.append(trials.final(schedule.with_rate(points[-1]), ROUGH))
    rates, losses = np.array(points[::-1]), np.array(values[::-1])
    best = lowest(rates, losses, lambda rate: trials.final(schedule.with_rate(rate), FINE))
    if not best.value < (1 - _ROUNDING) * trials.run.start:
        raise refusal(
            "noise_variance",
            noise,
            "drowns the signal: no rate lowers the loss by more than rounding",
        )
    found = ended(
        schedule.with_rate(best.place),
        spectrum,
        features=size,
        batch=batches,
        noise_variance=noise,
        method=method,
        average=average,
    )
    final = found.test_loss if found.averaged_loss is None else found.averaged_loss
    result = TunedRate(
        best.place,
        float(final),
        float(found.test_error),
        best.at_top,
        top,
        best.bracket,
        rates,
        losses,
        trials.looks,
        found.diagnostics,
    )
    judged("tuned_rate", result, found.diagnostics)
    return result


def _cap(
    schedule: Schedule,
    spectrum: Spectrum,
    batches: Schedule,
    features: float,
    method: Method,
    given: float | None,
) -> float:
    """Return the largest rate to try."""
    if isinstance(method, DANA):
        if given is None:
            raise refusal(
                "max_rate",
                given,
                "is needed with DANA, which has no bound of stability",
                shown=False,
            )
        return number("max_rate", given, low=1e-280, high=1e280)
    bound = stability(schedule, spectrum, features=features, batch=batches, method=method).max_rate
    if given is None:
        return bound * _BELOW
    cap = number("max_rate", given, low=1e-280, high=1e280)
    if not cap < bound:
        raise refusal("max_rate", given, f"must be below {bound:.6g}, where training is unstable")
    return cap


def _smallest(run: Run, fastest: Schedule) -> float:
    """Return a rate at which next to nothing is learned, and next to no noise gathered."""
    x, noise, signal = run.nodes.rates, run.nodes.noise, run.nodes.signal
    reach = _reach(fastest, run.method) / fastest.rate
    learned = 1 / (reach * float(np.max(np.abs(x))))
    noise = noise if isinstance(run.method, SGD) else noise * x**2
    kicks = float(np.abs(np.sum(noise))) * (run.noise + run.start)
    gathered = float(np.abs(np.sum(signal * x))) / kicks if kicks > 0 else learned
    return max(_LITTLE * min(learned, gathered), 1e-280)
