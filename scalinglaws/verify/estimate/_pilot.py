"""Whether more replicates are worth taking: a pilot first."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

from ...arguments import function, numbers, whole
from ...errors import refusal
from ..comparison import Measurement

Array = NDArray[np.float64]

SHARE = 0.3
"""Standard error, in units of the tolerance, up to which a comparison is worth making: an exact theory then passes with
probability 0.83 at 8 degrees of freedom."""


def measure(
    simulate: Callable[[int], ArrayLike],
    estimate: Callable[[Array], Measurement],
    *,
    replicates: int,
    tolerance: ArrayLike,
    pilot: int = 4,
) -> Measurement:
    """Measure from replicates, unless the first few show that all of them could not decide.

    Parameters
    ----------
    simulate : callable
        From the number of a replicate, counted from 0, to its row of losses; rows must not depend on one another.
    estimate : callable
        From an array of rows to a measurement.
    replicates : int
        How many to take, at least `pilot`.
    tolerance : array_like
        Of the comparison, in units of the measured value; for a curve one per point (tolerance times the prediction).
    pilot : int
        How many to take first, at least 2. They are part of the measurement.

    Returns
    -------
    Measurement
        From all replicates; or from the pilot alone, marked `underpowered`, if the standard error that it promises exceeds
        0.3 tolerances even at the favorable end of its own 95 % confidence interval.

    Raises
    ------
    DomainError
        If `pilot` or `replicates` is too small, or the tolerance not positive.

    Examples
    --------
    >>> from scalinglaws.verify.estimate import curve_from_replicates
    >>> import numpy as np
    >>> noisy = lambda r: np.random.default_rng(r).normal(1.0, 1.0, 3)
    >>> estimate = lambda rows: curve_from_replicates([1, 2, 3], rows, method="example")
    >>> measure(noisy, estimate, replicates=16, tolerance=0.05).underpowered
    True
    >>> measure(noisy, estimate, replicates=16, tolerance=5.0).n_rep
    16
    """
    function("simulate", simulate)
    function("estimate", estimate)
    count = whole("replicates", replicates, low=2)
    if not 2 <= whole("pilot", pilot, low=2) <= count:
        raise refusal("pilot", pilot, f"must lie between 2 and replicates = {replicates}")
    allowed = numbers("tolerance", tolerance)
    if not np.all(allowed > 0):
        raise refusal("tolerance", tolerance, "must be positive")
    rows = [numbers("simulate", simulate(r)) for r in range(pilot)]
    first = estimate(np.array(rows))
    if not isinstance(first, Measurement):
        raise refusal("estimate", first, "must return a Measurement")
    # the pilot's variance is uncertain itself: take the smallest that it does not rule out
    luck = math.sqrt((pilot - 1) / float(special.chdtri(pilot - 1, 0.05)))
    statistical = np.sqrt(np.maximum(np.asarray(first.se) ** 2 - first.systematic**2, 0.0))
    promised = luck * statistical * math.sqrt(pilot / replicates)
    if np.any(promised > SHARE * allowed):
        return replace(
            first,
            method=f"{first.method}; pilot of {pilot}, {replicates} replicates would not suffice",
            underpowered=True,
        )
    rows += [numbers("simulate", simulate(r)) for r in range(pilot, replicates)]
    return estimate(np.array(rows))
