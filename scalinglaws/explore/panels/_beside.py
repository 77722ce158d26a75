"""Laws beside curves: no farther than they help."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np

from ..answers import Line

ROOM = 10.0
"""Factor by which a law may leave what is drawn."""


def near(laws: Iterable[Line], lines: Sequence[Line]) -> list[Line]:
    """Cut laws where they leave the positive curves that are drawn, which decide about the picture.

    Parameters
    ----------
    laws : iterable of Line
        What is cut.
    lines : sequence of Line
        Curves on a logarithmic axis.

    Returns
    -------
    list of Line
        The laws, NaN where they are a factor `ROOM` below the least value of a curve or above the largest.

    Examples
    --------
    >>> (law,) = near([Line("law", [1, 2, 3], [1.0, 0.1, 1e-9])], [Line("curve", [1, 2, 3], [1.0, 0.2, 0.1])])
    >>> law.y
    array([1. , 0.1, nan])
    """
    drawn = np.concatenate([np.ravel(line.y) for line in lines] or [np.empty(0)])
    drawn = drawn[np.isfinite(drawn) & (drawn > 0)]
    low, high = (drawn.min() / ROOM, drawn.max() * ROOM) if drawn.size else (0.0, np.inf)
    pairs = ((law, np.asarray(law.y)) for law in laws)
    return [replace(law, y=np.where((y >= low) & (y <= high), y, np.nan)) for law, y in pairs]
