"""What a simulation returns."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ....equality import by_value
from ....reprs import short_repr

Array = NDArray[np.float64]


@short_repr
@dataclass(frozen=True)
@by_value
class ScheduledRuns:
    """Losses of independent runs, all with the same rates and batches.

    Attributes
    ----------
    steps : ndarray, shape (K,) or ()
        Numbers of steps after which the losses were recorded.
    test_loss : ndarray, shape (draws, K) or (draws,)
        Population loss of each run's readout, without label noise.
    averaged_loss : ndarray, same shape, or None
        Population loss of the average of readouts, of the readout itself before a tail starts; None where none was asked for.
    """

    steps: NDArray[np.int64]
    test_loss: Array
    averaged_loss: Array | None = None

    @property
    def mean_loss(self) -> Array:
        """Test loss averaged over runs, shape (K,) or ()."""
        return np.asarray(self.test_loss.mean(axis=0))

    @property
    def standard_error(self) -> Array:
        """Standard error of `mean_loss`, shape (K,) or (); nan for a single run."""
        return _standard_error(self.test_loss)

    @property
    def mean_averaged_loss(self) -> Array | None:
        """Loss of the average of readouts, averaged over runs, shape (K,) or (); None where none was asked for."""
        return None if self.averaged_loss is None else np.asarray(self.averaged_loss.mean(axis=0))

    @property
    def averaged_standard_error(self) -> Array | None:
        """Standard error of `mean_averaged_loss`, shape (K,) or ()."""
        return None if self.averaged_loss is None else _standard_error(self.averaged_loss)


def _standard_error(losses: Array) -> Array:
    runs = losses.shape[0]
    if runs == 1:
        return np.full(losses.shape[1:], np.nan)
    return np.asarray(losses.std(axis=0, ddof=1) / math.sqrt(runs))
