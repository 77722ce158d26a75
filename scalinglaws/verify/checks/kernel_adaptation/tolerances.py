"""What the checks of kernel adaptation share: data, means over replicates, and numbers computed by the solvers."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable
from typing import ParamSpec, TypeVar

import numpy as np

from ....arguments import Array
from ....errors import ExtrapolationWarning

_Given = ParamSpec("_Given")
_Found = TypeVar("_Found")


def known_data() -> tuple[Array, Array]:
    """Return twenty inputs in five dimensions and a cubic target of the first one, without any randomness."""
    i, j = np.arange(1.0, 21.0)[:, None], np.arange(1.0, 6.0)[None]
    inputs: Array = math.sqrt(2) * np.cos(1.7 * i * j + 0.9 * i + 0.3 * j**2)
    z = inputs[:, 0]
    return inputs, z + 0.1 * (z**3 - 3 * z)


def unwarned(
    function: Callable[_Given, _Found], *args: _Given.args, **given: _Given.kwargs
) -> _Found:
    """Call a solver where its own cautions do not matter: a scale of order one, far modes that no network of this width has."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ExtrapolationWarning)
        return function(*args, **given)
