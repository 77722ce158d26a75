"""The Gaussian tail, down to where it underflows and beyond, and random draws from piecewise-constant densities."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ...arguments import afford
from ...errors import ResourceError
from ...reprs import short_repr
from ...results import Status
from .. import _jit

Array = NDArray[np.float64]
Indices = NDArray[np.int64]

LOG_ROOT_2PI = 0.5 * math.log(2 * math.pi)
_ROOT_HALF = math.sqrt(0.5)
_FAR = 25.0  # beyond it nine terms of the asymptotic series are exact to rounding


@_jit.njit_shared
def log_tail_of_normal(z: float) -> float:
    """Return the logarithm of the probability that a standard normal number exceeds z."""
    if z < _FAR:
        return math.log(0.5 * math.erfc(z * _ROOT_HALF))
    total, term, q = 1.0, 1.0, 1 / (z * z)
    for k in range(1, 9):
        term *= -(2 * k - 1) * q
        total += term
    return -0.5 * z * z - math.log(z) - LOG_ROOT_2PI + math.log(total)


def guide(probabilities: Array) -> tuple[Array, Indices]:
    """Return cumulative probabilities of cells, and for each of as many equal slices of [0, 1] the first cell that it meets."""
    cumulative = np.cumsum(probabilities)
    cumulative /= cumulative[-1]
    return cumulative, np.searchsorted(
        cumulative, np.arange(cumulative.size) / cumulative.size, side="right"
    )


@_jit.njit
def cell_of(u: float, cumulative: Array, first: Indices) -> int:
    """Return the cell in which a uniform number falls, in constant time on average."""
    j = first[int(u * first.size)]
    while cumulative[j] <= u:
        j += 1
    return int(j)


MOST_DRAWS = 5e9
"""Random numbers of one call: about a minute."""
_BLOCK = 10_000_000  # random numbers of one call of a kernel, which no keyboard interrupts: some tenths of a second
_LEAST_EFFECTIVE, _LARGEST_ERROR = 50.0, 0.3


def afford_draws(name: str, samples: int, terms: float, what: str) -> None:
    """Refuse samples that do not fit into memory, or would take much longer than a minute."""
    afford(6.0 * samples, f"{samples:.3g} samples", "use fewer")
    if float(samples) * terms > MOST_DRAWS:
        raise ResourceError(
            f"{name}: {samples} samples of {terms:.0f} {what} are {samples * terms:.2g} random numbers, more than "
            f"{MOST_DRAWS:.0e} (about a minute); use fewer samples"
        )


def blocks(samples: int, terms: int) -> Iterator[tuple[slice, int]]:
    """Split samples of so many terms into parts that a kernel does without keeping a keyboard interrupt waiting."""
    rows = max(_BLOCK // max(terms, 1), 1)
    for start in range(0, samples, rows):
        for done in range(0, terms, _BLOCK):
            yield slice(start, start + rows), min(terms - done, _BLOCK)


@short_repr
@dataclass(frozen=True)
class Estimate:
    """A mean of weights that span many orders of magnitude.

    Attributes
    ----------
    log_mean : float
        Its logarithm; minus infinity if no sample met the event.
    error : float
        Standard error of that logarithm; infinity if no sample met the event.
    effective : float
        How many equal weights would be worth as much: the squared sum over the sum of squares.
    """

    log_mean: float
    error: float
    effective: float

    @property
    def good(self) -> bool:
        """Whether the estimate and its error can be trusted."""
        return self.effective >= _LEAST_EFFECTIVE and self.error <= _LARGEST_ERROR

    @property
    def status(self) -> Status:
        """Converged only if enough samples matter."""
        return Status.CONVERGED if self.good else Status.UNDERSAMPLED


IMPOSSIBLE = Estimate(-math.inf, 0.0, math.inf)
"""Of an event that cannot happen, which is not sampled."""


def log_mean(logs: Array) -> Estimate:
    """Estimate the logarithm of the mean of exponentials."""
    largest = float(logs.max())
    if largest == -math.inf:
        return Estimate(-math.inf, math.inf, 0.0)
    weights = np.exp(logs - largest)
    mean, square = float(weights.mean()), float(np.mean(weights**2))
    error = float(weights.std(ddof=1)) / (math.sqrt(logs.size) * mean)
    return Estimate(largest + math.log(mean), error, logs.size * mean**2 / square)


def log_sum(parts: list[Estimate]) -> Estimate:
    """Add means of independent samples, of events that exclude each other; none is effective if one event was never met."""
    possible = [part for part in parts if part.log_mean > -math.inf]
    missed = any(part.effective == 0 for part in parts)
    if not possible:
        return Estimate(-math.inf, math.inf, 0.0) if missed else IMPOSSIBLE
    total = float(np.logaddexp.reduce([part.log_mean for part in possible]))
    shares = [math.exp(part.log_mean - total) for part in possible]
    error = math.hypot(*(s * part.error for s, part in zip(shares, possible, strict=True)))
    squares = sum(s**2 / part.effective for s, part in zip(shares, possible, strict=True))
    effective = 1 / squares if squares > 0 else math.inf
    return Estimate(total, error, 0.0 if missed else effective)
