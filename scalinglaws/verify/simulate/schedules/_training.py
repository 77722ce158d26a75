"""One-pass training with rates, batches and memory that change from step to step."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ....arguments import (
    flag,
    generator,
    number,
    one_row,
    ordered,
    refuse_first,
    whole,
    whole_numbers,
    whole_or_inf,
)
from ....errors import refusal
from ....solvers._jit import njit
from ....solvers.spectra import Spectrum, one_spectrum
from .._problems import listed, populations, table
from ._records import ScheduledRuns

Array = NDArray[np.float64]

_DIVERGED = 1e280  # squared amplitudes that can still be multiplied by a rate
_NEGLIGIBLE = 1e-160  # amplitudes whose squares are not normal numbers


def train(
    rates: ArrayLike,
    spectrum: Spectrum,
    *,
    batch: ArrayLike = 1,
    momentum: float = 0.0,
    nesterov: bool = False,
    memory_rates: ArrayLike | None = None,
    damping: float = 8.0,
    tail_start: int | None = None,
    ema_weight: float | None = None,
    at: ArrayLike | None = None,
    features: float = math.inf,
    noise_variance: float = 0.0,
    draws: int = 1,
    rng: np.random.Generator | int = 0,
) -> ScheduledRuns:
    r"""Draw random-feature students and train each on samples that are never seen again, at given rates and batches.

    .. math:: g_t = \frac1{B_t} \sum_{b=1}^{B_t} (f_t(\psi_b) - y_b)\, \frac{A\psi_b}{\sqrt N}, \qquad
              m_{t+1} = \mu_t m_t + g_t, \qquad v_{t+1} = v_t - \gamma_t g_t - \gamma'_t m_{t+1}, \qquad v_0 = m_0 = 0,

    for :math:`t = 0 \dots T-1`, with :math:`B_t` fresh Gaussian samples in each step; the test loss is the population loss
    :math:`L_t = \sum_k \lambda_k e_k^2` of the error vector :math:`e = w^* - A^\top v_t/\sqrt N`.

    Parameters
    ----------
    rates : array_like, shape (T,)
        :math:`\eta_t \ge 0`, the rate of the step from t to t + 1.
    spectrum : PowerLawSpectrum or EmpiricalSpectrum
        Finite spectrum of M modes, eigenvalues :math:`\lambda_k`.
    batch : array_like of int or inf, shape () or (T,)
        :math:`B_t \ge 1`; infinite for the gradient of the population loss.
    momentum : float
        :math:`0 \le \mu < 1`. With memory as in PyTorch: :math:`\gamma_t = 0, \gamma'_t = \eta_t` (heavy ball).
    nesterov : bool
        :math:`\gamma_t = \eta_t, \gamma'_t = \mu\eta_t` instead; needs a momentum.
    memory_rates : array_like, shape (T,), optional
        :math:`\gamma'_t \ge 0` of dimension-adapted momentum (DANA): :math:`\gamma_t = \eta_t`,
        :math:`\mu_t = 1 - \delta/(\delta + t)`; excludes a momentum.
    damping : float
        :math:`\delta > 0` of dimension-adapted momentum.
    tail_start : int, optional
        Average readouts from :math:`v_{start}` on, 0 <= start <= T.
    ema_weight : float, optional
        Average them exponentially instead, :math:`a_{t+1} = (1 - w) a_t + w v_{t+1}`, :math:`a_0 = v_0`, with weight 0 < w <= 1.
    at : array_like of int, shape () or (K,), optional
        Numbers of steps after which losses are recorded, non-decreasing, at most T; left out, T alone.
    features : int or inf
        N >= 1; infinite for a student that sees the features :math:`\psi` themselves.
    noise_variance : float
        :math:`\sigma^2 \ge 0`.
    draws : int
        Independent repetitions. Draw i is the same however many are asked for.
    rng : Generator or int
        Source of randomness; each draw takes a stream spawned from it.

    Returns
    -------
    ScheduledRuns
        Test loss, shape (draws, K), or (draws,) for a single number of steps, and the loss of the average if one was asked for.

    Raises
    ------
    DomainError
        If an argument is out of range, arrays differ in length, two methods or averages are asked for, the spectrum is infinite,
        or the rates are so large that the losses overflow; the message says in which draw and at which step.
    ResourceError
        If one draw, or what all of them show, would need more than the memory budget (``SCALINGLAWS_MEMORY``, 4 GB by default).

    Notes
    -----
    In the singular vectors of :math:`\Sigma^{1/2}A^\top/\sqrt N` every student is one of a diagonal problem in
    r = min(N, M) dimensions: its samples are standard normal vectors, and the label holds one more independent Gaussian with
    whatever of the target lies outside the span of the features, and the noise. Put the errors of all these in one vector e: a batch
    of standard normal rows Z enters through :math:`Z^\top Z e` alone. The rows' components along e are independent of what is
    orthogonal to e, so this vector is :math:`\chi^2 e + \chi |e| z_\perp` where :math:`\chi^2` has B degrees of freedom and
    :math:`z_\perp` is a single standard normal vector less its part along e: exactly distributed, and one vector is drawn whatever
    the size of the batch.

    :math:`O(M N \min(N, M))` per draw with finite N, O(r) per step, most of it spent on random numbers: 400 runs of 400 steps with
    100 modes take 0.2 seconds. Every draw consumes its own stream on a single thread, so results do not depend on how many threads
    there are.

    References
    ----------
    .. [1] D. Ferbach, K. Everett, G. Gidel, E. Paquette, C. Paquette, "Dimension-adapted momentum outscales SGD", arXiv:2505.16098.

    Examples
    --------
    >>> from scalinglaws.solvers import PowerLawSpectrum
    >>> rates, given = np.full(300, 0.2), {"batch": 4, "noise_variance": 0.1, "draws": 50}
    >>> constant = train(rates, PowerLawSpectrum(1.5, 1.0, 50), **given)
    >>> decayed = train(2 * rates * (1 - np.arange(300) / 300), PowerLawSpectrum(1.5, 1.0, 50), **given)
    >>> bool(decayed.mean_loss < constant.mean_loss)
    True
    """
    one_spectrum(spectrum, rates=rates)
    eigenvalues, signal = listed(spectrum)
    given = one_row("rates", rates, low=0)
    steps = given.size
    batches = _batches(batch, steps)
    gains = _gains(given, momentum, nesterov, memory_rates, damping)
    start, weight = _average(tail_start, ema_weight, steps)
    counts = _recorded(at, steps)
    count, draws = whole_or_inf("features", features), whole("draws", draws)
    noise_variance = number("noise_variance", noise_variance, low=0)
    averaging = start >= 0 or weight > 0
    losses = table(2 if averaging else 1, draws, counts.size)
    drawn = populations(generator(rng), draws, eigenvalues, signal, count, noise_variance)
    for i, (problem, stream) in enumerate(drawn):
        failed = _train(
            stream,
            counts.reshape(-1),
            problem.rates,
            problem.amplitudes.copy(),
            math.sqrt(problem.floor + noise_variance),
            *gains,
            batches,
            start,
            weight,
            losses[0, i],
            losses[-1, i],
        )
        if failed >= 0:
            complaint = f"is too large: draw {i} diverges and overflows at step {failed}"
            raise refusal("rates", float(given[failed - 1]), complaint, at=(failed - 1,))
        losses[:, i] += problem.floor
    found = losses.reshape(losses.shape[0], draws, *counts.shape)
    return ScheduledRuns(counts, found[0], found[1] if averaging else None)


def _batches(batch: ArrayLike, steps: int) -> Array:
    """Return the batch of each step, infinity for unlimited ones."""
    sizes = whole_numbers("batch", batch, infinite=True)
    if sizes.ndim and sizes.shape != (steps,):
        complaint = (
            f"must be one number, or one for each of the {steps} steps; got shape {sizes.shape}"
        )
        raise refusal("batch", sizes, complaint, shown=False)
    return np.ascontiguousarray(np.broadcast_to(sizes, (steps,)))


def _gains(
    rates: Array, momentum: float, nesterov: bool, memory_rates: Any, damping: float
) -> tuple[Array, Array, Array]:
    """Return what is left of the memory, what the gradient moves, and what the memory moves, at each step."""
    kept = number("momentum", momentum, low=0)
    damping = number("damping", damping, low=0, strict=True)
    if not kept < 1:
        raise refusal("momentum", momentum, "must be >= 0 and < 1")
    if flag("nesterov", nesterov) and kept == 0:
        raise refusal("nesterov", nesterov, "needs a momentum > 0")
    none = np.zeros(rates.size)
    if memory_rates is not None:
        moves = one_row("memory_rates", memory_rates, low=0)
        if moves.size != rates.size:
            complaint = f"must have one entry for each of the {rates.size} steps; got {moves.size}"
            raise refusal("memory_rates", moves, complaint, shown=False)
        if kept > 0:
            raise refusal("momentum", momentum, "must be 0 with memory_rates: give one of them")
        kept_of_it: Array = 1 - damping / (damping + np.arange(rates.size, dtype=float))
        return kept_of_it, rates, moves
    if kept == 0:
        return none, rates, none
    constant = np.full(rates.size, kept)
    return (constant, rates, kept * rates) if nesterov else (constant, none, rates)


def _average(tail_start: Any, ema_weight: Any, steps: int) -> tuple[int, float]:
    """Return where an average begins, or -1, and the weight of an exponential one, or 0."""
    if tail_start is not None and ema_weight is not None:
        raise refusal("ema_weight", ema_weight, "must be left out with tail_start: one average")
    if tail_start is not None:
        return whole("tail_start", tail_start, low=0, high=steps), 0.0
    if ema_weight is None:
        return -1, 0.0
    return -1, number("ema_weight", ema_weight, low=0, high=1, strict=True)


def _recorded(at: ArrayLike | None, steps: int) -> NDArray[np.int64]:
    """Return the numbers of steps after which losses are wanted."""
    counts = ordered("at", steps if at is None else at, whole=True, infinite=False, single_row=True)
    refuse_first("at", counts, counts > steps, f"must be at most the number of steps, {steps}")
    return counts.astype(np.int64)


@njit
def _train(
    rng: np.random.Generator,
    counts: NDArray[np.int64],
    rates: Array,
    error: Array,
    spread: float,
    kept: Array,
    gradient_gain: Array,
    memory_gain: Array,
    batches: Array,
    start: int,
    weight: float,
    losses: Array,
    averaged: Array,
) -> int:
    """Train one student, overwriting its whitened error; return the step that overflows, or -1.

    `averaged` is written after `losses`, and is the same array where no average is taken.
    """
    size = rates.size
    pull, memory, average = np.empty(size), np.zeros(size), np.zeros(size)
    outside = spread * spread
    length = outside
    for j in range(size):
        length += error[j] * error[j]
        if weight > 0.0 or start == 0:
            average[j] = error[j]
    step = 0
    for record in range(counts.size):
        while step < counts[record]:
            batch = batches[step]
            parallel, across = 1.0, 0.0
            if batch < np.inf and length > 0.0:
                chi = rng.chisquare(batch)
                along = 0.0
                for j in range(size):
                    z = rng.standard_normal()
                    pull[j] = z
                    along += z * error[j]
                along = (along + spread * rng.standard_normal()) / length
                across = np.sqrt(chi * length) / batch
                parallel = chi / batch - across * along
            else:
                for j in range(size):
                    pull[j] = 0.0
            keep, direct, moves = kept[step], gradient_gain[step], memory_gain[step]
            step += 1
            length = outside
            for j in range(size):
                gradient = rates[j] * (parallel * error[j] + across * pull[j])
                memory[j] = keep * memory[j] + gradient
                error[j] -= direct * gradient + moves * memory[j]
                # arithmetic with numbers that are not normal is a hundred times slower
                if abs(error[j]) < _NEGLIGIBLE:
                    error[j] = 0.0
                if abs(memory[j]) < _NEGLIGIBLE:
                    memory[j] = 0.0
                length += error[j] * error[j]
            if not length < _DIVERGED:
                return step
            if weight > 0.0:
                for j in range(size):
                    average[j] += weight * (error[j] - average[j])
            elif 0 <= start <= step:
                for j in range(size):
                    average[j] += error[j]
        loss, mean = 0.0, 0.0
        for j in range(size):
            loss += error[j] * error[j]
            mean += average[j] * average[j]
        losses[record] = loss
        if weight > 0.0:
            averaged[record] = mean
        elif start >= 0:
            averaged[record] = mean / (step - start + 1.0) ** 2 if step >= start else loss
    return -1
