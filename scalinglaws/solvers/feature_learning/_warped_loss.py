"""From a measure to losses at requested times, on two grids."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from ...arguments import Array
from ...equality import by_value
from ...reprs import short_repr
from ...results import Diagnostics, Status
from ._integrator import BY_TIME, MAX_NEWTON, advance
from ._spectral_measure import Measure

GRID = 40.0  # steps per decade of the warped time, and on the second grid half of it
DEEP_GRID = 64.0  # the same for several hidden factors, whose scale grows faster
PROMISED = 1e-6
"""Relative error above which a result comes with a warning."""

SUMMED_FLOOR = 1e-4
"""Losses from a contour are not held to it below this part of the loss at the start."""

BLIND = 1e-6
"""How far, in units of 1/tau, a spectrum without gap must be resolved."""

MERGED = 4e-15
"""Relative error of a loss that rounding leaves, over the smallest relative distance of rates."""

SMALLEST = 1e-300
"""Losses below it are not followed."""

PHASE = 2e-9
"""Relative error left where the two grids happen to agree: the last step before a requested time is shorter than the others."""

METHOD = (
    "exponential integrator on a logarithmic grid of the warped time, extrapolated from two grids"
)


class Effort(NamedTuple):
    """What one flow took: Newton steps, residual for kappa, relative error; was it given up?"""

    newton: int = 0
    residual: float = 0.0
    error: float = 0.0
    failed: bool = False


def judgment(efforts: Sequence[Effort]) -> Diagnostics:
    """Judge all flows by the worst one."""
    error = max((one.error for one in efforts), default=0.0)
    status = (
        Status.MAX_ITERATIONS
        if any(one.failed for one in efforts)
        else Status.LOST_ACCURACY
        if error > PROMISED
        else Status.CONVERGED
    )
    return Diagnostics(
        status,
        max((one.residual for one in efforts), default=0.0),
        max((one.newton for one in efforts), default=0),
        METHOD,
        error,
    )


@short_repr
@dataclass(frozen=True)
@by_value
class Followed:
    """Losses and scales with estimated absolute errors; NaN where the flow was given up."""

    warped: Array
    scale: Array
    test: Array
    train: Array
    scale_error: Array
    test_error: Array
    train_error: Array
    newton: int

    @property
    def failed(self) -> bool:
        """Whether the flow was given up."""
        return self.newton >= MAX_NEWTON

    def effort(self, residual: float, start: float, floor: float) -> Effort:
        """Return what the flow took, with errors judged as by `relative_error`."""
        error = math.inf if self.failed else self.relative_error(start, floor)
        return Effort(self.newton, residual, error, self.failed)

    def relative_error(self, start: float, floor: float) -> float:
        """Return the largest error relative to the loss plus a part, `floor`, of the loss at the start."""
        worst = np.max(self.scale_error / self.scale, initial=0.0)
        for loss, error in ((self.test, self.test_error), (self.train, self.train_error)):
            least = max(floor * start, 1e10 * SMALLEST)
            worst = max(worst, np.max(error / (loss + least), initial=0.0))
        return float(worst)


def follow(measure: Measure, richness: float, times: Array, depth: float = 1.0) -> Followed:
    """Follow the flow through ascending finite times."""
    grid = DEEP_GRID if depth > 1.0 else GRID
    fine, coarse = (
        _on_grid(measure, richness, depth, times, per_decade) for per_decade in (grid, grid / 2)
    )
    newton = max(fine[1], coarse[1])
    if newton >= MAX_NEWTON:
        unknown = np.full(times.size, np.nan)
        unlimited = np.full(times.size, np.inf)
        return Followed(unknown, unknown, unknown, unknown, unlimited, unlimited, unlimited, newton)
    # fourth order: the error of the finer grid is a fifteenth of the difference
    shift = (fine[0] - coarse[0]) / 15
    warped, scale, test, train = fine[0] + shift
    scale_error, test_error, train_error = np.abs(shift[1:]) + PHASE * fine[0][1:]
    if depth > 0.0 and measure.error == 0.0:
        # rates that nearly agree: late, their difference is what is left, with what rounding left of it
        rates = np.sort(np.real(measure.rates))
        apart = np.diff(rates)[np.diff(rates) > 0.0] / rates[1:][np.diff(rates) > 0.0]
        closest = float(np.min(apart, initial=1.0))
        merged = np.where(fine[0][3] < closest * measure.start, MERGED / closest, 0.0)
        test_error = test_error + merged * fine[0][2]
        train_error = train_error + merged * fine[0][3]
    # a spectrum without gap is followed down to its slowest node only
    blind = not measure.gap and np.max(warped, initial=0.0) * np.min(np.abs(measure.rates)) > BLIND
    sums = (1.0 if blind else measure.error) * measure.start + SMALLEST
    return Followed(
        warped,
        np.maximum(scale, 1.0),
        np.maximum(test, 0.0),
        np.maximum(train, 0.0),
        scale_error,
        test_error + sums,
        train_error + sums,
        newton,
    )


def _on_grid(
    measure: Measure, richness: float, depth: float, times: Array, per_decade: float
) -> tuple[Array, int]:
    found = np.zeros((times.size, 4))
    kept = np.zeros(
        (times.size if measure.pairs is not None else 0, measure.rates.size), measure.rates.dtype
    )
    least = max(1e-3 * measure.error * measure.start, SMALLEST)
    _, newton = advance(
        measure.rates,
        measure.weights,
        richness,
        depth,
        per_decade,
        least,
        BY_TIME,
        times,
        found,
        kept,
    )
    scale, train = found[:, 2], found[:, 3] + measure.floor
    test = (
        train if measure.pairs is None or newton >= MAX_NEWTON else measure.test_loss(kept, scale)
    )
    return np.array([found[:, 1], scale, test, train]), int(newton)
