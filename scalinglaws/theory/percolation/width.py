"""Width against parameters in a published family of models: how many degrees of freedom a parameter is worth, if width counts."""

from __future__ import annotations

import csv
import math
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...arguments import number
from ...reprs import short_repr
from .. import references
from ..references import Reference


@short_repr
@dataclass(frozen=True)
class WidthFit:
    """A power law between width and number of parameters, d_model = A N^x.

    Attributes
    ----------
    exponent, standard_error : float
        x, and its standard error.
    amplitude : float
        A, for N in parameters.
    models : int
        How many models were fitted.
    reference : Reference
        Where their table is printed.
    """

    exponent: float
    standard_error: float
    amplitude: float
    models: int
    reference: Reference

    def parameter_exponent(self, alpha: Any) -> float:
        """Return alpha_N = alpha x: the exponent in parameters of a loss that falls as width to the power -alpha.

        Parameters
        ----------
        alpha : number
            Zipf excess, > 0.

        Returns
        -------
        float
            To compare with 0.34 as fitted by Hoffmann et al.
        """
        return number("alpha", alpha, low=0, strict=True) * self.exponent


@cache
def _family() -> NDArray[np.float64]:
    text = (files(__package__) / "chinchilla_models.csv").read_text(encoding="utf-8")
    rows = [tuple(map(float, row)) for row in list(csv.reader(text.splitlines()))[1:]]
    table = np.array(rows)
    table[:, 0] *= 1e6
    table.setflags(write=False)
    return table


def chinchilla_models() -> NDArray[np.float64]:
    """Return the table of the Chinchilla family.

    Returns
    -------
    ndarray, shape (50, 5)
        Parameters, width d_model, attention heads, layers, and width of a head.

    References
    ----------
    .. [1] J. Hoffmann et al., arXiv:2203.15556 (2022), table A9.

    Examples
    --------
    >>> chinchilla_models().shape
    (50, 5)
    """
    return _family()


def chinchilla_width() -> WidthFit:
    """Fit the width of the Chinchilla models as a power of their number of parameters, by least squares in logarithms.

    Returns
    -------
    WidthFit
        Exponent, standard error and amplitude.

    References
    ----------
    .. [1] J. Hoffmann et al., arXiv:2203.15556 (2022), table A9.

    Examples
    --------
    >>> found = chinchilla_width()
    >>> round(found.exponent, 7), round(found.standard_error, 7), round(found.amplitude, 7)
    (0.3944246, 0.0040387, 0.486259)
    """
    size, width = np.log(_family()[:, :2].T)
    centered = size - size.mean()
    spread = float(centered @ centered)
    slope = float(centered @ width) / spread
    residual = width - width.mean() - slope * centered
    error = math.sqrt(float(residual @ residual) / (size.size - 2) / spread)
    amplitude = math.exp(float(width.mean()) - slope * float(size.mean()))
    return WidthFit(slope, error, amplitude, size.size, references.HOFFMANN_2022.at("table A9"))
