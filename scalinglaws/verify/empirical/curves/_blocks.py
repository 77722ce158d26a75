r"""A schedule as a law of training curves sees it: where warm-up ends, and the changes after it, neighbors taken together.

The rate of step k, :math:`\eta_k`, counts in multiples of the peak :math:`\eta_p`. A block holds neighboring changes of one sign; of
it are kept the sum of the changes :math:`w = \sum d_k`, and the means of :math:`S_{k-1}` and :math:`\ln(\eta_k/\eta_p)` that they
weigh, so that a sum of smooth functions over a block is right to second order in its width.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ....equality import by_value
from ....reprs import short_repr

Array = NDArray[np.float64]
Steps = NDArray[np.int64]

MOST_BLOCKS = 300
FLOOR = 1e-6
"""Share of the peak below which a rate counts as this share."""
_SAME_PEAK = 1e-9
_ROUNDING = 1e-13  # of the peak: a change below is none of the rate's own


def warmup_end(rates: Array) -> int:
    """Return the step at which the rate has its first maximum, up to rounding.

    Examples
    --------
    >>> warmup_end(np.array([0.1, 0.2, 0.3, 0.3, 0.1]))
    2
    """
    return int(np.argmax(rates >= rates.max() * (1 - _SAME_PEAK)))


def changes(rates: Array) -> Array:
    r"""Return :math:`(\eta_{k-1} - \eta_k)/\eta_p` of every step, 0 up to the end of warm-up.

    Examples
    --------
    >>> changes(np.array([0.1, 0.4, 0.3, 0.1]))
    array([0.  , 0.  , 0.25, 0.5 ])
    """
    found = np.zeros_like(rates)
    found[1:] = (rates[:-1] - rates[1:]) / rates.max()
    found[: warmup_end(rates) + 1] = 0.0
    return found


@short_repr
@dataclass(frozen=True)
@by_value
class Blocks:
    """Changes of a schedule before some points.

    Attributes
    ----------
    whole : ndarray, shape (m, 3)
        Weight, mean of S, and mean of the logarithm of the rate of each block.
    counts : ndarray of int, shape (n,)
        How many whole blocks come before each point.
    parts : ndarray, shape (n, 3)
        The block in progress at each point, as far as it has come; weight 0 where there is none.
    """

    whole: Array
    counts: Steps
    parts: Array


def blocks_of(rates: Array, sums: Array, steps: Steps, most: int | None = MOST_BLOCKS) -> Blocks:
    """Put the changes of a schedule together.

    Parameters
    ----------
    rates : ndarray, shape (T,)
        Of all steps.
    sums : ndarray, shape (T,)
        Sum of the rates up to each step, itself included.
    steps : ndarray of int, shape (n,)
        Points, as numbers of steps taken, >= 1.
    most : int, optional
        Number of blocks at most, if the sign of the changes does not alternate more often; None for one for each change.

    Returns
    -------
    Blocks
        Half of the blocks are spread evenly over the changes of the rate, half over those of its logarithm.
    """
    drops = changes(rates)
    places = np.flatnonzero(np.abs(drops) > _ROUNDING)
    if not places.size:
        empty = np.zeros((0, 3))
        return Blocks(empty, np.zeros(steps.size, dtype=np.int64), np.zeros((steps.size, 3)))
    drop = drops[places]
    logs = np.log(np.maximum(rates[places] / rates.max(), FLOOR))
    columns = np.stack((drop, drop * sums[places - 1], drop * logs), axis=1)
    starts = _starts(drop, logs, most)
    ends = np.append(starts[1:], drop.size)
    whole = np.add.reduceat(columns, starts, axis=0)
    before = np.concatenate((np.zeros((1, 3)), np.cumsum(columns, axis=0)))
    seen = np.searchsorted(places, steps - 1, side="right")  # changes up to each point
    counts = np.searchsorted(ends, seen, side="right")
    begun = starts[np.minimum(counts, starts.size - 1)]
    open_ = (counts < starts.size) & (seen > begun)
    parts = np.where(open_[:, None], before[seen] - before[begun], 0.0)
    last = np.where(open_, seen - 1, begun)
    _to_means(whole, sums, logs, places, starts, ends - 1)
    _to_means(parts, sums, logs, places, begun, last)
    return Blocks(whole, counts.astype(np.int64), parts)


def _starts(drop: Array, logs: Array, most: int | None) -> Steps:
    """Return the first change of every block."""
    if most is None:
        return np.arange(drop.size)
    turns = np.append(True, np.diff(np.sign(drop)) != 0)
    parts = max(most - int(np.count_nonzero(turns)), most // 2)
    lengths = np.abs(np.diff(logs, prepend=0.0))
    measure = np.cumsum(np.abs(drop)) / np.sum(np.abs(drop))
    if np.any(lengths > 0):
        measure = 0.5 * (measure + np.cumsum(lengths) / np.sum(lengths))
    cells = np.floor(measure * parts * (1 - 1e-12))
    return np.flatnonzero(turns | (np.diff(cells, prepend=-1.0) != 0))


def _to_means(
    block: Array, sums: Array, logs: Array, places: Steps, first: Steps, last: Steps
) -> None:
    """Divide weighted sums by their weights, in place; means stay where what they are means of lies."""
    weight = block[:, 0]
    held = np.where(weight == 0.0, 1.0, weight)
    low, high = sums[places[first] - 1], sums[places[last] - 1]
    block[:, 1] = np.clip(block[:, 1] / held, low, high)
    ends = np.sort(np.stack((logs[first], logs[last])), axis=0)
    block[:, 2] = np.clip(block[:, 2] / held, ends[0], ends[1])
