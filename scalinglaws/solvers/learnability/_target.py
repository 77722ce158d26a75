"""How many samples it takes to learn a target of many modes."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike

from ...arguments import Value, broadcast, numbers, shaped
from ...errors import refusal
from .._roots import brentq
from .._samples import SMALLEST_EIGENVALUE
from ..catalogue import shows
from ..equivalents.spectral_sums import degrees_of_freedom
from ..spectra import Spectrum, depth, one_spectrum

_DOWN = math.log(1e3)  # by which the search widens
_WIDEST = 1000.0  # the logarithms of all floating-point numbers lie within


@shows("samples")
def samples_for_target(
    spectrum: Spectrum,
    *misplaced: object,
    ridge: ArrayLike,
    learnability: ArrayLike = 0.5,
    unlearnable: ArrayLike = 0.0,
) -> Value:
    r"""Compute the number of samples by which a share of a whole target is learned, one half by default.

    With the ratio :math:`t = \kappa/P` as the unknown,

    .. math:: \mathcal L = \frac{\sum_k y_k^2\, \lambda_k/(\lambda_k + t)}{\sum_k y_k^2 + u}, \qquad
              P = \frac{\sigma^2}{t} + \sum_k \frac{\lambda_k}{\lambda_k + t} .

    Parameters
    ----------
    spectrum : PowerLawSpectrum or EmpiricalSpectrum
        Eigenvalues :math:`\lambda_k` and signal :math:`s_k = y_k^2`.
    ridge : array_like
        :math:`\sigma^2 \ge 0`, added to the Gram matrix with no 1/P. All arguments broadcast.
    learnability : array_like
        :math:`\mathcal L` of the target as in `learning_curve`, between 0 and 1, both excluded.
    unlearnable : array_like
        u, the power of the target outside of all modes, >= 0.

    Returns
    -------
    float or ndarray
        P, not necessarily whole; inf where the modes hold no more than this share of the target.

    Raises
    ------
    DomainError
        If an argument is out of range, the target has no power, or modes are needed beyond what floating-point numbers hold.

    Notes
    -----
    One root of a function that falls with t, then P explicitly: no equation is solved for :math:`\kappa`. Some 0.2 ms an element
    for a power law of any size; accurate to 1e-12. `samples_for_learnability` answers for single modes.

    References
    ----------
    .. [1] J. B. Simon, M. Dickens, D. Karkada, M. R. DeWeese, "The eigenlearning framework", arXiv:2110.03922.

    Examples
    --------
    >>> from scalinglaws.solvers import PowerLawSpectrum
    >>> from scalinglaws.solvers.learnability import learning_curve
    >>> spectrum = PowerLawSpectrum(2, 0.5)
    >>> half = samples_for_target(spectrum, ridge=0.1)
    >>> round(half, 6), round(learning_curve(spectrum, samples=half, ridge=0.1).learnability, 12)
    (2.094029, 0.5)
    """
    one_spectrum(spectrum, *misplaced)
    checked = {
        "ridge": numbers("ridge", ridge, low=0.0),
        "learnability": numbers("learnability", learnability, low=0.0, high=1.0),
        "unlearnable": numbers("unlearnable", unlearnable, low=0.0),
    }
    shape, (noise, shares, outside) = broadcast(checked)
    for value in shares[(shares <= 0) | (shares >= 1)][:1]:
        raise refusal("learnability", float(value), "must lie between 0 and 1, both excluded")
    ratios = np.empty(noise.size)
    solved: dict[tuple[float, float], float] = {}
    for i, key in enumerate(zip(shares.tolist(), outside.tolist(), strict=True)):
        if key not in solved:
            solved[key] = _ratio(spectrum, *key)
        ratios[i] = solved[key]
    reached = ratios > 0
    inside = np.where(reached, ratios, 1.0)
    with np.errstate(over="ignore"):
        samples = noise / inside + degrees_of_freedom(inside, spectrum)[0]
    return shaped(np.where(reached, samples, math.inf), shape)


def _ratio(spectrum: Spectrum, share: float, outside: float) -> float:
    """Return kappa / P at which a share of the target is learned; 0 if it never is."""
    whole = spectrum.modes(depth("ridge", spectrum, np.array([math.inf]), np.array([1.0])))
    total = float(np.sum(whole.signal))
    if not total + outside > 0:
        raise refusal("spectrum", None, "has a signal of 0: there is no target", shown=False)
    wanted = share * (total + outside)
    if wanted >= total:
        return 0.0

    def excess(log_ratio: float) -> float:
        t = math.exp(log_ratio)
        modes = spectrum.modes(depth("learnability", spectrum, np.array([math.inf]), np.array([t])))
        return float(modes.signal @ (modes.eigenvalues / (modes.eigenvalues + t))) - wanted

    # every mode is learned no better than the first
    high = math.log(float(np.max(whole.eigenvalues))) + math.log(total / wanted)
    low = high - _DOWN
    while excess(low) < 0:
        low -= _DOWN
        if low < math.log(SMALLEST_EIGENVALUE) - _DOWN:
            return 0.0
    return math.exp(brentq(excess, low, high, xtol=1e-14, rtol=1e-14))
