"""Images of digits that scikit-learn brings along."""

from __future__ import annotations

from functools import cache
from importlib import import_module

import numpy as np
from numpy.typing import NDArray

from ...errors import DataError

Array = NDArray[np.float64]


@cache
def digits() -> tuple[Array, NDArray[np.int64]]:
    """Return 1797 images of 8 x 8 pixels, one a row, as numbers from 0 to 16, and which digits they show; leave them as they are."""
    try:
        datasets = import_module("sklearn.datasets")
    except ImportError:
        raise DataError(
            "the images of digits come with scikit-learn, which is not installed: pip install 'scalinglaws[data]'"
        ) from None
    data = datasets.load_digits()
    return np.asarray(data.data, float), np.asarray(data.target, np.int64)
