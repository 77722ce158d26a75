"""What pictures show of a measured spectrum: eigenvalues and residual with their fits, and local exponents."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ...equality import by_value
from ...reprs import short_repr
from ._learning_curve import corrected_eigenvalues, corrected_residual
from ._records import MeasuredSpectrum

Array = NDArray[np.float64]

_POINTS = 120
_SPAN = 2.0  # last over first mode of a local exponent
_SLOPES = 40


@short_repr
@by_value
@dataclass(frozen=True)
class SpectrumCurves:
    """Eigenvalues or residual of a sample against the number of modes.

    Attributes
    ----------
    k, measured, corrected : ndarray, shape (m,)
        Modes at equal steps of their logarithm; values as the sample has them, and without their bias.
    fit_k, fit : ndarray
        The fitted power law over all these modes.
    slope_k, slope : ndarray
        Local exponents of corrected values, by least squares over a factor of 2 in k around each.
    """

    k: Array
    measured: Array
    corrected: Array
    fit_k: Array
    fit: Array
    slope_k: Array
    slope: Array


def eigenvalue_curves(spectrum: MeasuredSpectrum) -> SpectrumCurves:
    """Return the curves of the eigenvalues."""
    values = np.asarray(spectrum.eigenvalues, dtype=float)
    k = np.arange(1.0, values.size + 1)
    fit = spectrum.eigenvalue_amplitude * k**-spectrum.capacity
    return _curves(k, k, values, corrected_eigenvalues(spectrum), fit, spectrum.window[1])


def residual_curves(spectrum: MeasuredSpectrum) -> SpectrumCurves:
    """Return the curves of the residual, the share of the labels outside the first k modes."""
    shares = np.asarray(spectrum.shares, dtype=float)
    k = np.arange(1.0, shares.size + 1)
    fit = spectrum.residual_amplitude * (k + 0.5) ** -spectrum.decay
    corrected = corrected_residual(spectrum)[1:]
    corrected[k >= 0.98 * spectrum.samples] = np.nan  # nothing is left there but rounding errors
    return _curves(k, k + 0.5, 1 - np.cumsum(shares), corrected, fit, spectrum.window[1])


def _curves(
    k: Array, at: Array, measured: Array, corrected: Array, fit: Array, last: int
) -> SpectrumCurves:
    # the last modes of a sample are neither large nor free of bias: where a value is lost to rounding, the picture ends
    good = (measured > 1e-13 * measured[0]) & (corrected > 0)
    end = int(np.flatnonzero(good)[-1]) + 1 if good.any() else 1
    places = np.unique(np.rint(np.geomspace(1, end, _POINTS)).astype(int)) - 1
    places = places[(measured[places] > 0) & (corrected[places] > 0)]
    centers, slopes = [], []
    reach = _SPAN**0.5
    for center in np.geomspace(3.0, max(min(end, 2 * last) / reach, 3.0), _SLOPES):
        around = slice(max(round(center / reach) - 1, 0), min(round(center * reach), end))
        x, y = np.log(at[around]), corrected[around]
        if x.size >= 3 and np.all(y > 0):
            centers.append(center)
            slopes.append(-float(np.polyfit(x, np.log(y), 1)[0]))
    return SpectrumCurves(
        k[places],
        measured[places],
        corrected[places],
        k[places],
        fit[places],
        np.array(centers),
        np.array(slopes),
    )
