"""Hamiltonian Monte Carlo of one chain, and how well several chains agree."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ....arguments import numbers, refuse_first
from ....errors import refusal
from ....reprs import short_repr

Array = NDArray[np.float64]
Potential = Callable[[Array], tuple[float, Array]]

_LOST = 1000.0  # of energy along a trajectory: the integrator is unstable
_MOST_LEAPS = 256  # of one trajectory
# dual averaging of the logarithm of the step size
_SHRINKAGE, _DELAY, _FORGETTING = 0.05, 10.0, 0.75


@short_repr
@dataclass
class Chain:
    """A state that moves, and what it took.

    Attributes
    ----------
    position : ndarray
        Where the chain is; the prior is standard normal in these coordinates.
    energy : float
        Potential there.
    gradient : ndarray
        Its gradient.
    step_size : float
        Of the integrator.
    gradients : int
        Evaluated so far.
    """

    position: Array
    energy: float
    gradient: Array
    step_size: float
    gradients: int = 1

    def move(
        self, potential: Potential, duration: float, rng: np.random.Generator
    ) -> tuple[float, bool]:
        """Follow one trajectory and accept or refuse its end; return the acceptance probability and whether the energy was lost."""
        # a random duration, since one that is in tune with a mode's period would never move it
        leaps = min(math.ceil(duration * rng.uniform(0.5, 1.5) / self.step_size), _MOST_LEAPS)
        momentum = rng.standard_normal(self.position.shape)
        threshold = math.log(rng.random())
        start = self.energy + 0.5 * float(np.vdot(momentum, momentum))
        position, momentum, energy, gradient = leapfrog(
            potential, self.position, momentum, self.gradient, step_size=self.step_size, leaps=leaps
        )
        self.gradients += leaps
        gain = start - energy - 0.5 * float(np.vdot(momentum, momentum))
        if not gain > -_LOST:  # infinite and undefined energies, too
            return 0.0, True
        if threshold < gain:
            self.position, self.energy, self.gradient = position, energy, gradient
        return math.exp(min(gain, 0.0)), False


def leapfrog(
    potential: Potential,
    position: Array,
    momentum: Array,
    gradient: Array,
    *,
    step_size: float,
    leaps: int,
) -> tuple[Array, Array, float, Array]:
    """Integrate the equations of motion; unit masses.

    Parameters
    ----------
    potential : callable
        From a position to the energy and its gradient.
    position, momentum, gradient : ndarray
        At the start.
    step_size : float
        Of time.
    leaps : int
        Steps, >= 1.

    Returns
    -------
    tuple
        Position, momentum, energy and gradient at the end. The energy's error is of second order in the step size.
    """
    position = position.copy()
    momentum = momentum - 0.5 * step_size * gradient
    energy = math.inf
    for leap in range(leaps):
        position += step_size * momentum
        energy, gradient = potential(position)
        if not math.isfinite(energy):
            break
        momentum -= (step_size if leap < leaps - 1 else 0.5 * step_size) * gradient
    return position, momentum, energy, gradient


def first_step(chain: Chain, potential: Potential, rng: np.random.Generator) -> None:
    """Choose a step size whose single leap is accepted about every other time, by doubling or halving."""
    momentum = rng.standard_normal(chain.position.shape)
    start = chain.energy + 0.5 * float(np.vdot(momentum, momentum))
    factor = 0.0
    for _ in range(60):
        _, end, energy, _ = leapfrog(
            potential, chain.position, momentum, chain.gradient, step_size=chain.step_size, leaps=1
        )
        chain.gradients += 1
        gain = start - energy - 0.5 * float(np.vdot(end, end))
        direction = 2.0 if gain > -math.log(2) else 0.5
        if factor and direction != factor:
            break
        factor = direction
        chain.step_size *= factor
        if chain.step_size > 1:  # a unit of the prior
            break


def warm_up(
    chain: Chain,
    potential: Potential,
    duration: float,
    moves: int,
    acceptance: float,
    rng: np.random.Generator,
) -> None:
    """Let a chain forget its start, and choose its step size by dual averaging for a mean acceptance; it is frozen afterwards."""
    center = math.log(4 * chain.step_size)
    shortfall, averaged = 0.0, math.log(chain.step_size)
    for count in range(1, moves + 1):
        if count == moves // 2:  # what the way from the start has taught is forgotten
            center, shortfall, averaged = averaged + math.log(2), 0.0, averaged
        since = count if count < moves // 2 else count - moves // 2 + 1
        accepted, _ = chain.move(potential, duration, rng)
        weight = 1 / (since + _DELAY)
        shortfall = (1 - weight) * shortfall + weight * (acceptance - accepted)
        current = center - math.sqrt(since) / _SHRINKAGE * shortfall
        chain.step_size = min(math.exp(current), duration)
        share = since**-_FORGETTING
        averaged = share * math.log(chain.step_size) + (1 - share) * averaged
    if moves > 0:
        chain.step_size = math.exp(averaged)


def split_r_hat(values: ArrayLike) -> float:
    """Compare the spread between chains with that within; one if they agree.

    Each chain is cut into halves, so that one that drifts disagrees with itself.

    Parameters
    ----------
    values : array_like, shape (chains, draws)
        A scalar along every chain, or an array of flags, which tells when an event took place; at least four draws.

    Returns
    -------
    float
        Square root of the pooled variance over the mean variance within halves, >= sqrt(1 - 2/draws); inf for halves that are
        constant and differ.

    References
    ----------
    .. [1] A. Gelman et al., Bayesian Data Analysis, 3rd ed., 2013, section 11.4.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> agreeing = rng.standard_normal((4, 1000))
    >>> bool(split_r_hat(agreeing) < 1.01), bool(split_r_hat(agreeing + [[0], [0], [0], [1]]) > 1.05)
    (True, True)
    """
    halves = _halves(values)
    size = halves.shape[1]
    within = float(halves.var(axis=1, ddof=1).mean())
    between = float(halves.mean(axis=1).var(ddof=1))
    if within == 0:
        return 1.0 if between == 0 else math.inf
    return math.sqrt((size - 1) / size + between / within)


def effective_size(values: ArrayLike) -> float:
    """Return how many independent draws would determine the mean as well as correlated ones do.

    Parameters
    ----------
    values : array_like, shape (chains, draws)
        A scalar along every chain, or an array of flags, which tells when an event took place; at least four draws.

    Returns
    -------
    float
        Number of draws over the integrated autocorrelation time, which is summed until it is lost in noise (pairs of lags that are
        positive and do not increase), with the disagreement of chains counted as correlation.

    References
    ----------
    .. [1] C. J. Geyer, Statist. Sci. 7 (1992), 473, section 3.3; A. Gelman et al., Bayesian Data Analysis, 2013, section 11.5.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> bool(3000 < effective_size(rng.standard_normal((4, 1000))) < 5000)
    True
    """
    halves = _halves(values)
    count, size = halves.shape
    centered = halves - halves.mean(axis=1, keepdims=True)
    transform = np.fft.rfft(centered, 2 * size, axis=1)
    covariance = (
        np.fft.irfft(np.abs(transform) ** 2, 2 * size, axis=1)[:, :size].mean(axis=0) / size
    )
    within = covariance[0] * size / (size - 1)
    total = within * (size - 1) / size + float(halves.mean(axis=1).var(ddof=1))
    if total == 0:
        return float(count * size)
    correlation = 1 - (within - covariance) / total
    correlation[0] = 1.0
    pairs = correlation[: size // 2 * 2].reshape(-1, 2).sum(axis=1)
    positive = pairs[: int(np.argmax(pairs <= 0))] if np.any(pairs <= 0) else pairs
    time = 2 * float(np.minimum.accumulate(positive).sum()) - 1 if positive.size else 1.0
    # anticorrelated draws are worth more than independent ones; a sum that noise has made negative is not trusted
    return float(count * size / max(time, 1 / math.log10(max(count * size, 10))))


def _halves(values: ArrayLike) -> Array:
    if isinstance(values, np.ndarray) and values.dtype == bool:
        values = values.astype(float)
    rows = numbers("values", values)
    if rows.ndim != 2 or rows.shape[1] < 4:
        raise refusal(
            "values",
            rows.shape,
            f"must have shape (chains, draws) with at least four draws; got {rows.shape}",
            shown=False,
        )
    refuse_first("values", rows, ~np.isfinite(rows), "must be finite")
    half = rows.shape[1] // 2
    return np.concatenate([rows[:, :half], rows[:, -half:]])
