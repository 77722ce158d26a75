"""Measurements as the checks of several theories make them."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from ..comparison import Measurement

Array = NDArray[np.float64]


def mean_over(rows: Array, method: str, samples: float) -> Measurement:
    """Measure a number by its mean over replicates."""
    error = float(rows.std(ddof=1)) / math.sqrt(rows.size)
    return Measurement(
        float(rows.mean()), error, rows.size - 1, rows.size, method, (samples, samples)
    )


def computed(value: float, error: float, method: str, window: tuple[float, float]) -> Measurement:
    """Return a number that was computed, with a bound on its numerical error."""
    return Measurement(value, error, None, 1, method, window, deterministic=True)
