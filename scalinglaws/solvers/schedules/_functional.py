"""The functional law: loss curves as functionals of the schedule, in intrinsic time."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ...arguments import Array, Value, flag, number, shaped
from ...errors import refusal
from ...results import PROMISED, Diagnostics, Result, Status, judged
from ..catalogue import shows
from ..equivalents.losses import ROUNDING
from ..equivalents.macro_steps import Mesh, sums
from ..spectra import Spectrum, one_spectrum
from ._methods import SGD
from ._run import _CHUNK, Run
from ._schedule import Schedule
from ._stability import Criterion, checked_run, first_pole, worst
from ._train import _UNRESOLVED, _checked_steps
from ._warped import descend_warped, march_warped

_ROWS = 4_000_000  # exponentials at once
_MOST_NORM = 0.99


@shows("learning_rate", "intrinsic_time", "bias", "variance", "test_loss", along="steps")
@dataclass(frozen=True)
class FunctionalLaw(Result):
    r"""Bias and variance along a schedule.

    Arrays have the shape of the steps that were asked for; scalars in, floats out.

    Attributes
    ----------
    steps : float or ndarray
        t.
    intrinsic_time : float or ndarray
        :math:`\tau_t = \sum_{u < t} \eta_u`.
    learning_rate : float or ndarray
        :math:`\eta_t` of the step that follows; at the end the last one again.
    bias : float or ndarray
        F, the loss of gradient flow, floor included.
    variance : float or ndarray
        V, loss caused by noise: of labels alone, or with feedback of labels and gradients.
    test_loss : float or ndarray
        F + V.
    test_error : float or ndarray
        Estimated absolute error of the law's value (not of the law): what two meshes differ by, and rounding.
    floor : float
        Loss of the best predictor from N features.
    kernel_norm : float
        Largest :math:`\hat K = \frac{\theta}{2} \sum_i x_i`: by about this part V falls short without feedback.
    largest_step : float
        Largest :math:`\eta\, x_{\max}`; the law is that of small ones.
    feedback : bool
        Whether the loss itself drives the variance.
    features, noise_variance : float
        The inputs N and :math:`\sigma^2`.
    diagnostics : Diagnostics
        How it was solved.
    """

    steps: Value
    intrinsic_time: Value
    learning_rate: Value
    bias: Value
    variance: Value
    test_loss: Value
    test_error: Value
    floor: float
    kernel_norm: float
    largest_step: float
    feedback: bool
    features: float
    noise_variance: float
    diagnostics: Diagnostics


def functional_law(
    schedule: Schedule,
    spectrum: Spectrum,
    *,
    features: float = math.inf,
    batch: float | Schedule,
    noise_variance: float = 0.0,
    at: ArrayLike | None = None,
    feedback: bool = False,
    on_failure: str = "raise",
) -> FunctionalLaw:
    r"""Compute the functional law of a schedule: the loss as bias and variance in intrinsic time, for small rates.

    .. math:: L \approx F(\tau) + \sigma^2 \int_0^\tau \theta(\tau') K(\tau - \tau')\, d\tau', \quad
              F(\tau) = L_N + \sum_i \rho_i e^{-2 x_i \tau}, \quad K(u) = \sum_i x_i^2 e^{-2 x_i u}

    with the intrinsic time :math:`\tau = \sum \eta` and the temperature :math:`\theta = \eta/B`, constant within each step. With
    `feedback` the Volterra equation is solved, which has :math:`L(\tau') + \sigma^2` under the integral.

    Parameters
    ----------
    schedule : Schedule
        Rates :math:`\eta_t`, t = 0, ..., T - 1.
    spectrum : PowerLawSpectrum or EmpiricalSpectrum
        Eigenvalues :math:`\lambda_k` and signal powers :math:`s_k`.
    features : float
        N >= 1, ``math.inf`` for the limit.
    batch : float or Schedule
        :math:`B_t \ge 1`, ``math.inf`` for none of the noise.
    noise_variance : float
        :math:`\sigma^2 \ge 0`, variance of the label noise.
    at : array_like, optional
        Steps to look at, whole numbers from 0 to T, non-decreasing; by default those at which macro steps end.
    feedback : bool
        Whether the loss itself drives the variance, as it does in training.
    on_failure : {"raise", "return"}
        What to do if two meshes disagree.

    Returns
    -------
    FunctionalLaw
        Bias and variance with the estimated error, and what the law neglects.

    Raises
    ------
    DomainError
        If an argument is out of range; with feedback, if the kernel norm exceeds .99.
    ConvergenceError
        If two meshes differ by more than 1e-3 of the law.

    Warns
    -----
    AccuracyWarning
        If the estimated error exceeds 1e-8 of the law.

    Notes
    -----
    Assumes :math:`\eta x \ll 1`; without feedback also :math:`\hat K \ll 1` and :math:`L \ll \sigma^2`. Where that holds `train` finds
    the same bias to :math:`O(\eta x)` of the modes still being learned, and a variance larger by about the factor
    :math:`1/(1 - \hat K)` at a rate that was constant, by less behind a cooldown: at :math:`\hat K = .033` by .014 to .017 of it.

    In each node the integral obeys a difference equation, which is solved by collocation on macro steps, as in `train`: .1 s for 1e8
    steps. Errors of the law's own value are below 1e-9; below 2000 steps, and for arrays, near rounding.

    References
    ----------
    .. [1] B. Li et al., "Functional scaling laws in kernel regression: loss dynamics and learning rate schedules",
       arXiv:2509.19189.

    Examples
    --------
    >>> from scalinglaws.solvers import PowerLawSpectrum
    >>> task = PowerLawSpectrum.from_ab(2, 1.5)
    >>> schedule = Schedule.wsd(rate=0.1, steps=10**6, cooldown=0.2)
    >>> law = functional_law(schedule, task, batch=4, noise_variance=0.1, at=10**6)
    >>> print(f"{law.bias:.4e} + {law.variance:.4e}, kernel norm {law.kernel_norm:.3f}")
    2.8317e-04 + 1.8024e-04, kernel norm 0.033
    """
    one_spectrum(spectrum, schedule=schedule)
    batches, size = checked_run(schedule, features, batch, SGD())
    noise = number("noise_variance", noise_variance, low=0.0, high=1e290)
    flag("feedback", feedback)
    places = _checked_steps(at, schedule.steps)
    run = Run(
        schedule,
        batches,
        spectrum,
        size,
        noise,
        SGD(),
        None,
        0,
        first_pole(worst(schedule, batches)),
    )
    norm, largest = _neglected(run, spectrum, size)
    if feedback and not norm < _MOST_NORM:
        raise refusal(
            "rate",
            schedule.rate,
            f"makes the kernel norm {norm:.4g}, of which the law with feedback allows {_MOST_NORM:g}",
        )
    found, times, losses, apart, taken, how = _followed(run, places, feedback)
    bias = _flow(run, times)
    variance = losses - bias if feedback else losses
    total = bias + variance
    errors = apart + run._rounding(total, times, 1000)
    with np.errstate(divide="ignore", invalid="ignore"):
        relative = float(np.max(errors / total, initial=0.0))
    mesh_error = float(np.max(np.where(total > 0, apart / total, math.inf), initial=0.0))
    status = Status.CONVERGED
    if not mesh_error < _UNRESOLVED:
        status = Status.UNRESOLVED
    elif not relative <= max(PROMISED, 2 * run.nodes.error):
        status = Status.LOST_ACCURACY
    diagnostics = Diagnostics(status, mesh_error, taken, how, relative)
    shape = found.shape if at is None else np.shape(at)
    last = np.minimum(found, schedule.steps - 1).astype(float)
    result = FunctionalLaw(
        steps=shaped(found.astype(float), shape),
        intrinsic_time=shaped(times, shape),
        learning_rate=shaped(schedule(last), shape),
        bias=shaped(bias, shape),
        variance=shaped(variance, shape),
        test_loss=shaped(total, shape),
        test_error=shaped(errors, shape),
        floor=run.nodes.floor,
        kernel_norm=norm,
        largest_step=largest,
        feedback=feedback,
        features=size,
        noise_variance=noise,
        diagnostics=diagnostics,
    )
    judged("functional_law", result, diagnostics, on_failure)
    return result


def _neglected(run: Run, spectrum: Spectrum, features: float) -> tuple[float, float]:
    """Return the largest kernel norm, and the largest step of the fastest mode."""
    _, rates, sizes = worst(run.schedule, run.batches)
    trace = float(np.sum(run.nodes.noise / run.nodes.rates).real)
    top = Criterion(spectrum.modes(), features, SGD()).top
    return 0.5 * trace * float(np.max(rates / sizes)), top * float(np.max(rates))


def _flow(run: Run, times: Array) -> Array:
    """Return the loss of gradient flow at intrinsic times."""
    x, signal = run.nodes.rates, run.nodes.signal
    rows = max(1, _ROWS // x.size)
    found = np.empty(times.size)
    for first in range(0, times.size, rows):
        part = slice(first, first + rows)
        found[part] = (np.exp(-2 * times[part, None] * x) @ signal).real
    return run.nodes.floor + found


def _followed(
    run: Run, places: NDArray[np.int64] | None, feedback: bool
) -> tuple[NDArray[np.int64], Array, Array, Array, int, str]:
    """Return steps, intrinsic times, variances (with feedback losses), their errors, how many steps were taken, and how."""
    weight = float(feedback)
    floor = run.nodes.floor if feedback else 0.0
    start = run.nodes.signal if feedback else np.zeros_like(run.nodes.signal)

    def marched(plan: Mesh) -> Array:
        rates, spread = run.schedule(plan.times), 1 / run.batches(plan.times)
        losses = np.zeros(plan.lengths.size + 1)
        losses[0] = run.start if feedback else 0.0
        march_warped(
            *(run.nodes.rates, run.nodes.noise, start.copy(), plan.lengths, rates, spread),
            *(plan.backward, run.noise, floor, weight, losses),
        )
        return losses

    plan = None if run.direct else run._mesh(places)
    halved = None if plan is None else plan.halved()
    if plan is not None and halved is not None and run.followed(halved):
        wanted = plan.ends if places is None else places
        coarse, fine = marched(plan), marched(halved)
        at, before = (np.searchsorted(mesh.ends, wanted) for mesh in (halved, plan))
        times = sums(halved, run.schedule(halved.times))[at]
        apart = np.abs(fine[at] - coarse[before])
        how = "collocation on macro steps, two meshes"
        return wanted, times, fine[at], apart, halved.lengths.size, how
    count = run.schedule.steps
    rates, spread = run.schedule.values(), 1 / run.batches.values()
    losses = np.zeros(count + 1)
    losses[0] = run.start if feedback else 0.0
    energy = start.copy()
    chunk = max(1, int(_CHUNK / run.nodes.rates.size))
    for first in range(0, count, chunk):
        descend_warped(
            *(run.nodes.rates, run.nodes.noise, energy, rates, spread, run.noise, floor),
            *(weight, first, min(first + chunk, count), losses),
        )
    wanted = places if places is not None else np.arange(count + 1)
    if places is None and count >= 2000:
        wanted = run._mesh(None).ends
    times = np.concatenate(([0.0], np.cumsum(rates)))[wanted]
    rounding = 8 * ROUNDING * math.sqrt(count) * np.abs(losses[wanted])
    return wanted, times, losses[wanted], rounding, count, "every step"
