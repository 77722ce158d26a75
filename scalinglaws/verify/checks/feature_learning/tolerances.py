"""What the checks of feature learning share: tolerances, and how fast a deviation falls."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ...comparison import Measurement
from ...estimate import power_law_exponent

Array = NDArray[np.float64]

REPLICATES = 12  # streams per comparison: 11 degrees of freedom
CURVE_TOLERANCE = 0.05  # relative: the default for curves; deviations by theory stay below it
RATE_TOLERANCE = 0.25  # absolute: half the distance to the next power of 1/sqrt(size)


def simulated_exponent(exponent: float) -> float:
    """Return the tolerance of an exponent that is simulated."""
    return max(0.03, 0.05 * exponent)


def simulated_curve(order: float) -> float:
    """Return the tolerance of a curve that is simulated at finite sizes: twice the stated order of the deviation, or the default."""
    return max(CURVE_TOLERANCE, 2 * order)


def rate_of_deviation(sizes: ArrayLike, deviations: ArrayLike, *, method: str) -> Measurement:
    """Measure the power with which a mean deviation falls as sizes grow.

    Parameters
    ----------
    sizes : array_like, shape (J,)
        Sizes.
    deviations : array_like, shape (R, J)
        One row per replicate; of either sign, their means positive.
    method : str
        For the report.

    Returns
    -------
    Measurement
        Least squares in logarithms of the mean deviations, with the jackknife's standard error: a single replicate may well
        deviate in the other direction, so that only means have a logarithm. R - 1 degrees of freedom.
    """
    u, rows = np.asarray(sizes, float), np.asarray(deviations, float)
    count = len(rows)
    without = (rows.sum(axis=0) - rows) / (count - 1)
    each = count * power_law_exponent(u, rows.mean(axis=0)) - (count - 1) * power_law_exponent(
        u, without
    )
    return Measurement(
        float(each.mean()),
        float(each.std(ddof=1)) / math.sqrt(count),
        count - 1,
        count,
        method,
        (float(u[0]), float(u[-1])),
    )
