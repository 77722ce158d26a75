"""What the checks of kernel adaptation share: data, overlaps, and numbers computed by the solvers."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable
from typing import ParamSpec, TypeVar

import numpy as np

from ....arguments import Array
from ....errors import ExtrapolationWarning
from ...comparison import Measurement
from ...simulate.kernel_adaptation import PosteriorSample

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


def component(found: PosteriorSample, degree: int) -> Array:
    r"""Return the component of every sampled network on :math:`He_k/\sqrt{k!}`, k = 1 or 3, shape (chains, draws); no test set.

    .. math:: \sum_c a_c\, m_c^k G_k(|w_c|^2)/\sqrt{k!}, \qquad G_1 = \frac{2}{\sqrt\pi}(1 + 2q)^{-1/2}, \quad
              G_3 = -\frac{4}{\sqrt\pi}(1 + 2q)^{-3/2}
    """
    front = {1: 2.0, 3: -4.0}[degree] / math.sqrt(math.pi * math.factorial(degree))
    ratio = found.overlaps / np.sqrt(1 + 2 * found.squared_weights)
    total: Array = np.sum(found.readouts * front * ratio**degree, axis=-1)
    return total


def mean_over(rows: Array, method: str, samples: float) -> Measurement:
    """Measure a number by its mean over replicates."""
    error = float(rows.std(ddof=1)) / math.sqrt(rows.size)
    return Measurement(
        float(rows.mean()), error, rows.size - 1, rows.size, method, (samples, samples)
    )


def computed(value: float, error: float, method: str, window: tuple[float, float]) -> Measurement:
    """Return a number that was computed, with its numerical error."""
    return Measurement(value, error, None, 1, method, window, deterministic=True)
