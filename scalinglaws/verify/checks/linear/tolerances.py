"""What the checks of the linear model share: tolerances, replicates."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache

import numpy as np
from numpy.typing import NDArray

from ...registry import Context

Array = NDArray[np.float64]

REPLICATES = 12  # streams per comparison: 11 degrees of freedom
EXPONENT_TOLERANCE = 0.05  # relative; the default for exponents above 0.6 in simulations
SOLVER_TOLERANCE = 1e-3  # absolute: what is left of the corrections at a size of 1e8
NULL_TOLERANCE = 0.25  # absolute: a twelfth of the exponent that unshuffled labels would show
CURVE_TOLERANCE = (
    0.05  # relative: corrections of order 1/min(N, P) = 1/80, and the default for curves
)


def replicate_losses(
    context: Context,
    sizes: Sequence[int],
    draws: Sequence[int],
    simulate: Callable[[int, int, np.random.Generator], Array],
) -> Callable[[int], Array]:
    """Return the function from the number of a replicate to its losses, averaged over draws; shape (losses, sizes).

    Parameters
    ----------
    context : Context
        Of the check, for its random streams.
    sizes, draws : sequence of int
        Sizes, and how many independent draws are averaged at each.
    simulate : callable
        From size, number of draws and generator to losses of shape (losses, draws).
    """

    @cache
    def losses(r: int) -> Array:
        rng = context.generator("simulation", r)
        return np.stack(
            [
                simulate(size, count, rng).mean(axis=-1)
                for size, count in zip(sizes, draws, strict=True)
            ],
            axis=-1,
        )

    return losses
