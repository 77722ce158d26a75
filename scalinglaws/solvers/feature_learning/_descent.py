"""Gradient descent with feature learning on the population loss, in steps of any schedule."""

from __future__ import annotations

import math
import warnings
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from ...arguments import Array, afford, number, whole
from ...errors import AccuracyWarning, ResourceError, StabilityWarning, refusal
from ...results import PROMISED, Diagnostics, Result, Status
from ..catalogue import shows
from ..schedules import Schedule
from ..spectra import Spectrum, one_spectrum
from ._descent_kernel import descend
from .dmft.modes import MERGING, MarchModes
from .dmft.solutions import chosen_modes, listed, needed, overflow, per_step, unstable_steps

_MOST_WORK = 1e13  # multiplications of one run: some hours
_CHUNK = 2e8  # multiplications between two looks at the keyboard: some tenths of a second


@shows("test_loss", "scale", along="steps")
@dataclass(frozen=True)
class FeatureLearningDescent(Result):
    r"""Loss along gradient descent with feature learning.

    Attributes
    ----------
    steps : ndarray, shape (T + 1,)
        0, 1, ..., T; the arrays below have the same shape.
    learning_rate : ndarray
        Rate :math:`\eta` of the step that follows, at the end the last one again.
    richness, depth : float
        The inputs :math:`\gamma` and m.
    test_loss : ndarray
        Loss, of which train and test are the same.
    scale : ndarray
        Scale s of the kernel.
    diagnostics : Diagnostics
        Residual: how far the error has drifted from the one of the weights, relative to the start.
    """

    steps: Array
    learning_rate: Array
    richness: float
    depth: float
    test_loss: Array
    scale: Array
    diagnostics: Diagnostics


def gradient_descent(
    steps: int,
    spectrum: Spectrum,
    *,
    richness: float,
    learning_rate: ArrayLike | Schedule = math.inf,
    relative_rate: ArrayLike | Schedule = math.inf,
    depth: int = 1,
    modes: str = "merged",
) -> FeatureLearningDescent:
    r"""Compute the loss of a feature-learning model along gradient descent, features and data unlimited.

    The chain :math:`f = w^T A_m \cdots A_1 \psi` of m hidden factors starts at w = 0, A = 1 and takes the steps

    .. math:: w \leftarrow w + \eta_t A_m \cdots A_1 g, \qquad
              A_j \leftarrow A_j + \eta_t \gamma\, (A_{j+1}^T \cdots A_m^T w)(A_{j-1} \cdots A_1 g)^T, \qquad g = \Lambda v,

    with the error :math:`v = w^* - A_1^T \cdots A_m^T w`. One rate may be given, one for each step, or rates that follow the growth of
    the kernel: with its scale :math:`s_t = (1 + \gamma |w_t|^2)^m`, steps have :math:`\eta_t = \min(\eta, c/(s_t \lambda_1))`. In the long
    run :math:`c < 2` is stable for m = 1. Steps of a constant c are an even pace in the warped time, :math:`\tau = c n/\lambda_1`,
    and per step a rich network gains no exponent: :math:`L \sim n^{-\beta}` (`feature_learning.steps` among the laws).

    Parameters
    ----------
    steps : int
        T >= 0, how many steps to take.
    spectrum : PowerLawSpectrum or EmpiricalSpectrum
        Eigenvalues :math:`\lambda_k` and signal powers :math:`s_k = \lambda_k (w^*_k)^2`.
    richness : float
        :math:`\gamma \ge 0`; 0 is the lazy limit.
    learning_rate : float, array_like of shape (T,), or Schedule
        :math:`\eta > 0`, for all steps or for each, as numbers or as a `scalinglaws.solvers.schedules.Schedule` of T steps;
        ``math.inf`` leaves it to `relative_rate`.
    relative_rate : float, array_like of shape (T,), or Schedule
        c > 0, likewise; ``math.inf`` leaves it to `learning_rate`.
    depth : int
        m >= 0, a whole number: 1 for two layers, 0 for the lazy model.
    modes : {"merged", "full"}
        Merge small eigenvalues into a few (of a spectrum of any size), or keep every mode of a finite spectrum.

    Returns
    -------
    FeatureLearningDescent
        Loss, scale of the kernel and rate at steps 0, 1, ..., T.

    Raises
    ------
    DomainError
        If an argument is out of range, neither rate is finite, ``modes="full"`` meets an infinite spectrum, or the run is so
        unstable that numbers overflow.
    ResourceError
        If the run would need more than the memory budget, or more than 1e13 multiplications.

    Warns
    -----
    StabilityWarning
        If :math:`\eta_t s_t \lambda_1` reaches 2: at any step where one rate is for all steps, twice in a row where each step has
        its own (single long steps belong to schedules such as `silver_steps`).
    AccuracyWarning
        If rounding errors exceed 1e-8.

    Notes
    -----
    Modes enter through the measure :math:`\sum_k s_k \delta_{\lambda_k}` only, so that merging them is exact for this recursion but
    for the quadrature: less than 1e-9 of the loss while steps are stable. Losses keep their relative accuracy
    however far they have fallen. Time :math:`3 m n^2` multiplications a step with n modes (40 to 100 when merged): 1e5 steps of
    two layers take a second.

    References
    ----------
    .. [1] B. Bordelon, A. Atanasov, C. Pehlevan, "How feature learning can improve neural scaling laws", arXiv:2409.17858.

    Examples
    --------
    >>> from scalinglaws.solvers import PowerLawSpectrum
    >>> task = PowerLawSpectrum(1.5, 0.5, 200)
    >>> found = gradient_descent(100, task, richness=1, learning_rate=1, relative_rate=1.5)
    >>> found.test_loss[[1, 10, 100]].round(8), found.scale[[1, 10, 100]].round(6)
    (array([0.66387222, 0.18037203, 0.03987313]), array([2.159149, 3.19824 , 5.079719]))
    """
    one_spectrum(spectrum, steps=steps)
    count = whole("steps", steps, low=0)
    richness = number("richness", richness, low=0.0)
    m = whole("depth", depth, low=0, high=1000)
    afford(6.0 * (count + 1), "the run", "take fewer steps")
    learning_rate = listed("learning_rate", learning_rate, count)
    relative_rate = listed("relative_rate", relative_rate, count)
    rates = per_step("learning_rate", learning_rate, count, infinite=True)
    relative = per_step("relative_rate", relative_rate, count, infinite=True)
    if np.any(np.isinf(rates) & np.isinf(relative)):
        raise refusal(
            "learning_rate", math.inf, "and relative_rate must not both be inf: give one of them"
        )
    largest = float(np.max(spectrum.modes().eigenvalues))
    need = (float(count), False)
    for _ in range(3):
        found = chosen_modes(modes, spectrum, need, 3.0 * m)
        result = _run(found, largest, rates, relative, richness, m, modes)
        # merged modes serve for stable steps; longer ones need finer modes, seen when done
        gone = needed(largest, result.learning_rate[:-1], result.scale[:-1])
        if modes == "full" or (gone[0] <= 1.1 * need[0] and gone[1] <= need[1]):
            break
        need = (max(gone[0], need[0]), gone[1] or need[1])
    varied = np.ndim(learning_rate) or np.ndim(relative_rate)
    too_long = unstable_steps(
        "gradient_descent",
        result.learning_rate if varied else 1.0,
        result.scale if varied else result.learning_rate * result.scale,
        2 / largest,
    )
    if too_long:
        warnings.warn(too_long, StabilityWarning, stacklevel=2)
    if not result.diagnostics.status.ok:
        warnings.warn(
            f"gradient_descent: rounding errors reach {result.diagnostics.residual:.1e} of the errors at the start; use smaller "
            "rates, or fewer steps",
            AccuracyWarning,
            stacklevel=2,
        )
    return result


def silver_steps(steps: int) -> Array:
    r"""Return the silver step sizes, in units of one over the largest eigenvalue.

    .. math:: c_j = 1 + (1 + \sqrt 2)^{\nu(j) - 1}, \qquad j = 1 \dots n

    with the power :math:`\nu(j)` of 2 in j. The steps :math:`n = 2^k - 1` add up to :math:`(1 + \sqrt 2)^k - 1`: read there, a quadratic
    is minimized as if time were :math:`n^{\log_2(1 + \sqrt 2)} = n^{1.2716}`.

    Parameters
    ----------
    steps : int
        n >= 0.

    Returns
    -------
    ndarray, shape (n,)
        For `relative_rate` of `gradient_descent`.

    Raises
    ------
    DomainError
        If `steps` is no such number.

    References
    ----------
    .. [1] J. M. Altschuler, P. A. Parrilo, "Acceleration by stepsize hedging I", arXiv:2309.07879.

    Examples
    --------
    >>> silver_steps(7).round(4)
    array([1.4142, 2.    , 1.4142, 3.4142, 1.4142, 2.    , 1.4142])
    """
    count = whole("steps", steps, low=0)
    afford(3.0 * (count + 1), "the schedule", "take fewer steps")
    j = np.arange(1, count + 1)
    return np.asarray(1 + (1 + math.sqrt(2)) ** (np.log2(j & -j) - 1))


def _run(
    modes: MarchModes,
    largest: float,
    absolute: Array,
    relative: Array,
    richness: float,
    depth: int,
    kind: str,
) -> FeatureLearningDescent:
    """Take the steps."""
    eigenvalues, signal = modes.signal_eigenvalues, modes.signal
    count, n = absolute.size, eigenvalues.size
    step = depth * n * n + n
    if 3.0 * step * count > _MOST_WORK:
        raise ResourceError(
            f"{count} steps with {n} modes take {3.0 * step * count:.1e} multiplications, more than {_MOST_WORK:.0e}; take fewer "
            "steps, or modes = 'merged'"
        )
    start = np.sqrt(signal / eigenvalues)
    error, factors, back = start.copy(), np.tile(np.eye(n), (depth, 1, 1)), np.zeros((depth + 1, n))
    losses, scales, rates = np.zeros(count + 1), np.ones(count + 1), np.zeros(count + 1)
    chunk = max(1, int(_CHUNK / step))
    with np.errstate(over="ignore"):
        relative = relative / largest  # infinite where it sets no limit
    for first in range(0, count, chunk):
        last = min(first + chunk, count)
        state = (error, factors, back, rates, losses, scales)
        reached = descend(eigenvalues, richness, absolute, relative, *state, first, last)
        if reached < last:
            raise overflow(rates[max(reached - 1, 0)], int(reached))
    drift = _drift(start, error, factors, back)
    with np.errstate(over="ignore"):  # told below
        losses[count] = eigenvalues @ error**2
        scales[count] = (1.0 + richness * float(back[depth] @ back[depth])) ** depth
    if not math.isfinite(losses[count] + scales[count]):
        raise overflow(rates[max(count - 1, 0)], count)
    rates[count] = rates[count - 1] if count else 0.0
    status = Status.LOST_ACCURACY if drift > PROMISED else Status.CONVERGED
    merged = MERGING if kind == "merged" else 0.0
    return FeatureLearningDescent(
        steps=np.arange(count + 1.0),
        learning_rate=rates,
        richness=richness,
        depth=float(depth),
        test_loss=losses,
        scale=scales,
        diagnostics=Diagnostics(
            status, drift, count, f"gradient descent, {kind} modes", drift + merged
        ),
    )


def _drift(start: Array, error: Array, factors: Array, back: Array) -> float:
    """Return how far the error has drifted from the one of the weights, relative to the largest at the start."""
    learned = back[-1]
    for matrix in factors[::-1]:
        learned = matrix.T @ learned
    return float(
        np.max(np.abs(start - learned - error), initial=0.0) / np.max(start, initial=1e-300)
    )
