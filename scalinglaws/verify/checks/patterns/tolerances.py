"""What the checks of patterns share."""

from __future__ import annotations

import math
from collections.abc import Callable
from fractions import Fraction

import numpy as np

from ....theory import patterns
from ...comparison import Measurement

REPLICATES = 9  # streams per comparison: 8 degrees of freedom


def engine_exponents(width: float | Fraction, degree: int) -> dict[str, float]:
    """Return the exponent of every pattern of a network of two layers, of width d^width, by the pattern's name."""
    found = patterns.sample_complexity(patterns.fully_connected((width,), degree))
    return {str(entry.pattern): float(entry.exponent) for entry in found.ranking}


def mean_of(
    values: Callable[[int], float], *, replicates: int, method: str, window: tuple[float, float]
) -> Measurement:
    """Measure a number by its mean over replicates."""
    rows = np.array([values(r) for r in range(replicates)])
    spread = float(rows.std(ddof=1)) / math.sqrt(replicates)
    return Measurement(float(rows.mean()), spread, replicates - 1, replicates, method, window)


def exponent_tolerance(exponent: float) -> float:
    """Return the tolerance of a measured exponent of growth: 0.03, or 5 % of it."""
    return max(0.03, 0.05 * abs(exponent))
