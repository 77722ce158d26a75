"""The renormalized ridge, and what is learned at it."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from ...arguments import Value, broadcast, numbers, shaped, whole_numbers
from ..catalogue import shows
from ..equivalents import spectral_sums
from ..spectra import PowerLawSpectrum, Spectrum, one_spectrum
from ._ridge import ridge as solve_ridge


@shows(
    "df1",
    "df2",
    meanings={
        "df1": "number of modes learned, the sum of lambda_k/(lambda_k + kappa)",
        "df2": "the same with squares, the sum of lambda_k^2/(lambda_k + kappa)^2",
    },
)
class DegreesOfFreedom(NamedTuple):
    r"""Numbers of modes learned, :math:`\mathrm{df}_1` and :math:`\mathrm{df}_2`."""

    df1: Value
    df2: Value


@shows("kappa")
def effective_ridge(
    spectrum: Spectrum,
    *misplaced: object,
    features: ArrayLike = math.inf,
    samples: ArrayLike = math.inf,
    ridge: ArrayLike = 0.0,
) -> Value:
    r"""Compute the renormalized ridge, the eigenvalue that separates learned from unlearned modes.

    The largest root :math:`\kappa` of

    .. math:: r = \kappa \Big(1 - \frac{\mathrm{df}_1}{N}\Big) \Big(1 - \frac{\mathrm{df}_1}{P}\Big), \qquad
              \mathrm{df}_1 = \sum_k \frac{\lambda_k}{\lambda_k + \kappa}.

    Parameters
    ----------
    spectrum : PowerLawSpectrum or EmpiricalSpectrum
        Eigenvalues :math:`\lambda_k`.
    features, samples : array_like
        N and P, >= 1, ``math.inf`` for the limit. All arguments broadcast.
    ridge : array_like
        r >= 0, normalized as in `ridge` (mean squared error plus r times the squared norm of the readout).

    Returns
    -------
    float or ndarray
        :math:`\kappa`; 0 where every mode is learned, r where N and P are infinite.

    Raises
    ------
    DomainError
        If an argument is out of range, or needs modes beyond what floating-point numbers hold.
    ConvergenceError
        If Newton's method does not converge.

    Notes
    -----
    Features are assumed to be Gaussian, or to act as if they were; see the module.

    `scalinglaws.solvers.learnability.effective_ridge` takes the ridge that is added to a Gram matrix, with no 1/P: its kappa is P
    times this one at that ridge over P.

    This is ``ridge(...).kappa``: 20 microseconds per element, accurate to about 3e-14; where the smaller n of N and P is close to
    the number of modes M, to 1e-15 times :math:`n/|M - n|`, the ill condition of the equation itself (`AccuracyWarning` above 1e-8).

    References
    ----------
    .. [1] A. Atanasov, J. A. Zavatone-Veth, C. Pehlevan, "Scaling and renormalization in high-dimensional
       regression", arXiv:2405.00592, sec. V.

    Examples
    --------
    >>> from scalinglaws.solvers import PowerLawSpectrum
    >>> kappa = effective_ridge(PowerLawSpectrum(1.5, 1.0), samples=1e6)  # tends to (P alpha sin(pi/alpha) / pi)^-alpha
    >>> round(kappa * (1e6 * 1.5 * math.sin(math.pi / 1.5) / math.pi) ** 1.5, 5)
    1.0
    """
    one_spectrum(spectrum, *misplaced)
    return solve_ridge(spectrum, features=features, samples=samples, ridge=ridge).kappa


def degrees_of_freedom(kappa: ArrayLike, spectrum: Spectrum) -> DegreesOfFreedom:
    r"""Count the modes that are learned at a renormalized ridge.

    .. math:: \mathrm{df}_j(\kappa) = \sum_k \Big(\frac{\lambda_k}{\lambda_k + \kappa}\Big)^j

    Parameters
    ----------
    kappa : array_like
        :math:`\kappa \ge 0`; at 0 both are the number of modes, at ``math.inf`` 0.
    spectrum : PowerLawSpectrum or EmpiricalSpectrum
        Eigenvalues :math:`\lambda_k`.

    Returns
    -------
    DegreesOfFreedom
        ``df1`` and ``df2``, of the shape of `kappa`.

    Raises
    ------
    DomainError
        If kappa is negative or NaN, or needs modes beyond what floating-point numbers hold.

    Notes
    -----
    Features are assumed to be Gaussian, or to act as if they were; see the module.

    One sum over merged modes, 5 microseconds per element, accurate to 1e-12.

    References
    ----------
    .. [1] T. Hastie, R. Tibshirani, J. Friedman, *The Elements of Statistical Learning*, sec. 3.4.1.

    Examples
    --------
    >>> from scalinglaws.solvers import EmpiricalSpectrum
    >>> df = degrees_of_freedom(0.5, EmpiricalSpectrum([1.5, 0.5], [1.0, 1.0]))
    >>> df.df1, df.df2
    (1.25, 0.8125)
    """
    one_spectrum(spectrum, kappa=kappa)
    checked = numbers("kappa", kappa, low=0.0, infinite=True)
    df1, df2 = spectral_sums.degrees_of_freedom(np.array(checked).ravel(), spectrum)
    return DegreesOfFreedom(shaped(df1, checked.shape), shaped(df2, checked.shape))


@shows("learnability")
def learnability(
    k: ArrayLike,
    spectrum: Spectrum,
    *,
    features: ArrayLike = math.inf,
    samples: ArrayLike = math.inf,
    ridge: ArrayLike = 0.0,
) -> Value:
    r"""Compute the mean fraction of the target that is learned in each mode.

    .. math:: \langle \hat w_k \rangle = \frac{\lambda_k}{\lambda_k + \kappa}\, w_k^*

    with the renormalized ridge :math:`\kappa` of `effective_ridge`; these fractions add up to the degrees of freedom
    :math:`\mathrm{df}_1`, at most the smaller one of N and P.

    Parameters
    ----------
    k : array_like
        Mode number, whole, from 1 to the size of the spectrum; for an `EmpiricalSpectrum` in the order given, level by level.
    spectrum : PowerLawSpectrum or EmpiricalSpectrum
        Eigenvalues :math:`\lambda_k`.
    features, samples : array_like
        N and P, >= 1, ``math.inf`` for the limit. All arguments broadcast.
    ridge : array_like
        r >= 0, normalized as in `ridge`.

    Returns
    -------
    float or ndarray
        Between 0 and 1; 1/2 where :math:`\lambda_k = \kappa`.

    Raises
    ------
    DomainError
        If an argument is out of range, or needs modes beyond what floating-point numbers hold.
    ConvergenceError
        If the equation for kappa is not solved.

    Notes
    -----
    Features are assumed to be Gaussian, or to act as if they were; see the module.

    The average is over features, samples and noise; its fluctuations are the variance pieces of `ridge`. Accurate to
    about 1e-14.

    References
    ----------
    .. [1] J. B. Simon, M. Dickens, D. Karkada, M. R. DeWeese, "The eigenlearning framework", arXiv:2110.03922.
    .. [2] A. Canatar, B. Bordelon, C. Pehlevan, "Spectral bias and task-model alignment explain generalization in kernel
       regression and infinitely wide neural networks", Nat. Commun. 12 (2021) 2914.

    Examples
    --------
    >>> from scalinglaws.solvers import PowerLawSpectrum
    >>> learnability([1, 100, 400], PowerLawSpectrum(1.5, 1.0), samples=100).round(4)
    array([0.9963, 0.2113, 0.0324])
    """
    one_spectrum(spectrum, k=k)
    checked = {
        "k": whole_numbers("k", k, high=spectrum.size),
        "features": numbers("features", features, low=1.0, infinite=True),
        "samples": numbers("samples", samples, low=1.0, infinite=True),
        "ridge": numbers("ridge", ridge, low=0.0, infinite=True),
    }
    shape, (mode, n, p, r) = broadcast(checked)
    if isinstance(spectrum, PowerLawSpectrum):
        eigenvalues = mode ** (-spectrum.alpha)
    else:
        modes = spectrum.modes()
        last = np.cumsum(modes.multiplicities)
        eigenvalues = modes.eigenvalues[np.searchsorted(last[:-1], mode)]
    kappa = np.asarray(effective_ridge(spectrum, features=n, samples=p, ridge=r))
    return shaped(1 / (1 + kappa / eigenvalues), shape)
