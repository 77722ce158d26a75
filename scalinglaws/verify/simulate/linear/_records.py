"""What a simulation returns."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ....equality import by_value
from ....reprs import short_repr

Array = NDArray[np.float64]


@short_repr
@dataclass(frozen=True)
@by_value
class SimulatedLosses:
    """Losses of independent draws.

    Attributes
    ----------
    test_loss : ndarray, shape (draws,) or (draws, T)
        Population loss, without label noise; along a training run one column per time.
    train_loss : ndarray, same shape
        Mean squared error on the samples, with label noise; where samples are unlimited, on the next one.
    """

    test_loss: Array
    train_loss: Array
