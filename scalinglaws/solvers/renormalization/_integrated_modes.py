"""Sums over the modes beyond a cutoff, whatever the spectrum and however many cutoffs."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
from numpy.typing import ArrayLike

from ...arguments import MOST_EXACT, Array, Value, number, refuse_first, shaped, whole_numbers
from .._eigenvalues import spectrum_of
from .._jit import njit
from .._merging import parts_of_octaves, places, power_tail
from .._samples import SMALLEST_EIGENVALUE
from ..catalogue import shows
from ..spectra import EmpiricalSpectrum, PowerLawSpectrum, Spectrum

_LISTED = 2**21  # modes between the first and the last cutoff that are listed one by one
_EACH = 4000  # of them for each cutoff: beyond, quadrature rules between neighbors cost less
_RESOLVED = (
    57  # octaves that the ratio of eigenvalue and renormalized ridge must fall to be below rounding
)
_FEWEST, _MOST = 30, 1020  # octaves


@shows("variance", counted=("cutoff",))
def integrated_variance(spectrum: Spectrum | ArrayLike, cutoff: ArrayLike) -> Value:
    r"""Compute the total variance of the modes beyond a cutoff.

    .. math:: s(\Lambda) = \sum_{k > \Lambda} \lambda_k \simeq \frac{\Lambda^{-\alpha}}{\alpha} \quad (\lambda_k = k^{-1-\alpha})

    Parameters
    ----------
    spectrum : PowerLawSpectrum, EmpiricalSpectrum, array_like or float
        Eigenvalues; or the number :math:`\alpha > 0`, for the infinite spectrum :math:`\lambda_k = k^{-1-\alpha}`, which is
        ``PowerLawSpectrum(1 + alpha, 1)``: its alpha is the exponent of the eigenvalues themselves.
    cutoff : array_like
        :math:`\Lambda`, how many of the largest eigenvalues are left out; whole, >= 0, or ``math.inf``.

    Returns
    -------
    float or ndarray
        s, of the shape of `cutoff`.

    Raises
    ------
    DomainError
        If an argument is out of range, or the cutoff divides modes that a quadrature rule merged.

    Notes
    -----
    Explicit sums, and Gauss rules for the octaves of power laws: accurate to about 1e-14.

    Examples
    --------
    >>> integrated_variance(1.0, [0, 1, 10]).round(9)  # pi^2/6 without a cutoff
    array([1.64493407, 0.64493407, 0.09516634])
    """
    chosen = power_or_spectrum("spectrum", spectrum)
    cutoffs = whole_numbers("cutoff", cutoff, low=0, infinite=True)
    return shaped(beyond(chosen, np.array(cutoffs).ravel(), 0.0), cutoffs.shape)


def power_or_spectrum(name: str, value: Spectrum | ArrayLike) -> Spectrum:
    """Return a spectrum; one number is the exponent alpha of eigenvalues that fall as the power -(1 + alpha)."""
    alpha = exponent(name, value)
    return spectrum_of(name, value) if alpha is None else PowerLawSpectrum(1 + alpha, 1.0)


def exponent(name: str, value: Spectrum | ArrayLike) -> float | None:
    """Return the exponent alpha where one number stands for a spectrum, else None."""
    if isinstance(value, (float, int, np.number)) and not isinstance(value, bool):
        return number(name, value, low=1e-6, high=1e3)
    return None


def beyond(spectrum: Spectrum, cutoffs: Array, ratio: float) -> Array:
    r"""Sum :math:`\lambda_k/(1 + \lambda_k \rho)` over the modes beyond each cutoff.

    Parameters
    ----------
    spectrum : PowerLawSpectrum or EmpiricalSpectrum
        Eigenvalues.
    cutoffs : ndarray, shape (n,)
        How many leading modes are left out, in any order, possibly infinite.
    ratio : float
        :math:`\rho = P/\kappa \ge 0`.

    Returns
    -------
    ndarray, shape (n,)
        Sums.
    """
    found = np.zeros_like(cutoffs)
    inside = cutoffs < spectrum.size
    if np.any(inside):
        lows = cutoffs[inside]
        rising = bool(np.all(lows[1:] > lows[:-1]))
        if not rising:
            lows, at = np.unique(lows, return_inverse=True)
        sums = _of_power_law if isinstance(spectrum, PowerLawSpectrum) else _of_levels
        values = sums(spectrum, lows, ratio)  # type: ignore[arg-type]
        found[inside] = values if rising else values[at]
    return found


def _of_power_law(spectrum: PowerLawSpectrum, lows: Array, ratio: float) -> Array:
    alpha = spectrum.alpha
    first = float(lows[-1])
    refuse_first(
        "cutoff", lows, lows >= MOST_EXACT, "must be < 2^53 for its modes to be told apart"
    )
    if alpha * math.log(first + 1) > -math.log(SMALLEST_EIGENVALUE):
        complaint = f"lies where eigenvalues are below {SMALLEST_EIGENVALUE:g}"
        refuse_first(
            "cutoff", lows, alpha * np.log(lows + 1) > -math.log(SMALLEST_EIGENVALUE), complaint
        )
    # beyond the last mode that is resolved, only the total variance matters
    learned = math.log2(ratio) / alpha if ratio > 0 else 0.0
    octaves = math.ceil(max(math.log2(first + 1), learned) + _RESOLVED / alpha)
    last = min(spectrum.size, 2.0 ** min(max(octaves, _FEWEST), _MOST))
    rest = power_tail(alpha, last + 0.5, spectrum.size + 0.5) if spectrum.size > last else 0.0
    parts = parts_of_octaves(alpha, alpha)

    def between(low: float, high: float) -> float:
        k, weights = places(high, parts, low + 1)
        return float(np.sum(weights * _terms(k, alpha, ratio)))

    end = rest + between(first, last)
    if first - lows[0] <= min(_LISTED, _EACH * lows.size):
        k = np.arange(lows[0] + 1, first + 1)
        sums = _sums_from(_terms(k, alpha, ratio), end)
        return np.asarray(sums[(lows - lows[0]).astype(int)])
    pieces = np.array([between(low, high) for low, high in pairwise(lows)])
    return _sums_from(pieces, end)


def _terms(k: Array, alpha: float, ratio: float) -> Array:
    with np.errstate(under="ignore"):
        eigenvalues = k**-alpha
        return np.asarray(eigenvalues / (1 + eigenvalues * ratio))


def _of_levels(spectrum: EmpiricalSpectrum, lows: Array, ratio: float) -> Array:
    eigenvalues, multiplicities = (
        np.asarray(spectrum.eigenvalues),
        np.asarray(spectrum.multiplicities),
    )
    order = np.argsort(-eigenvalues, kind="stable")
    eigenvalues, multiplicities = eigenvalues[order], multiplicities[order]
    with np.errstate(over="ignore", under="ignore"):
        terms = eigenvalues / (1 + eigenvalues * ratio)
    last = np.cumsum(multiplicities)
    level = np.minimum(np.searchsorted(last, lows, side="right"), last.size - 1)
    whole = np.cumsum(multiplicities != np.floor(multiplicities)) == 0
    refuse_first(
        "cutoff",
        lows,
        ~whole[level],
        "divides modes that stand for many; list the eigenvalues one by one",
    )
    sums = _sums_from(multiplicities * terms, 0.0)
    return np.asarray(sums[level + 1] + (last[level] - lows) * terms[level])


@njit
def _sums_from(terms: Array, end: float) -> Array:
    """Sum from each place to the end, without losing digits however many there are."""
    sums = np.empty(terms.size + 1)
    sums[-1] = end
    total, lost = end, 0.0
    for i in range(terms.size - 1, -1, -1):
        raised = total + terms[i]
        if total >= terms[i]:
            lost += (total - raised) + terms[i]
        else:
            lost += (terms[i] - raised) + total
        total = raised
        sums[i] = total + lost
    return sums
