"""How many samples it takes to learn a mode."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from ...arguments import Array, Value, broadcast, numbers, shaped
from ..catalogue import shows
from ..linear import degrees_of_freedom
from ..spectra import Spectrum
from ._spectrum import chosen_modes, with_eigenvalues


@shows("samples", one_by_one=("ridge", "learnability"))
def samples_for_learnability(
    spectrum: Spectrum | ArrayLike,
    *,
    ridge: ArrayLike,
    learnability: ArrayLike = 0.5,
    mode_eigenvalue: ArrayLike | None = None,
) -> Value:
    r"""Compute the number of samples at which a mode has a given learnability, one half by default.

    With :math:`t = \kappa/P`, the learnability of `effective_ridge` is :math:`\lambda_k/(\lambda_k + t)`, and its equation gives P
    explicitly:

    .. math:: t = \lambda_k\,\frac{1 - \mathcal L}{\mathcal L}, \qquad P = \frac{\sigma^2}{t} + \sum_j \frac{\lambda_j}{\lambda_j + t} .

    At one half :math:`t = \lambda_k`, so that :math:`P_{1/2} = \kappa(P_{1/2})/\lambda_k`.

    Parameters
    ----------
    spectrum : PowerLawSpectrum, EmpiricalSpectrum or array_like, shape (n,)
        Eigenvalues :math:`\lambda_j > 0` of the kernel.
    ridge : array_like
        :math:`\sigma^2 \ge 0`, added to the Gram matrix with no 1/P. All arguments broadcast.
    learnability : array_like
        :math:`\mathcal L`, from 0 (no samples) to 1 (as many as there are modes without ridge, else infinitely many).
    mode_eigenvalue : array_like, optional
        :math:`\lambda_k > 0` of the mode. By default of all modes, in the order given, as the last axis; the spectrum must then be
        finite.

    Returns
    -------
    float or ndarray
        P, not necessarily whole.

    Raises
    ------
    DomainError
        If an argument is out of range, or needs modes beyond what floating-point numbers hold.
    ResourceError
        If the memory budget does not hold the result.

    Notes
    -----
    One sum over the modes an element, 5 microseconds for a power law of any size; accurate to 1e-12. Below some 30 samples the
    equation is a rough guide only.

    References
    ----------
    .. [1] J. B. Simon, M. Dickens, D. Karkada, M. R. DeWeese, "The eigenlearning framework", arXiv:2110.03922.

    Examples
    --------
    >>> from scalinglaws.solvers.learnability import effective_ridge
    >>> half = samples_for_learnability([1.0, 0.5, 0.25], ridge=0.1)
    >>> half.round(6)
    array([1.133333, 1.7     , 2.366667])
    >>> effective_ridge([1.0, 0.5, 0.25], samples=half, ridge=0.1).learnability.diagonal().round(12)
    array([0.5, 0.5, 0.5])
    """
    given = with_eigenvalues(spectrum)
    others = {
        "ridge": numbers("ridge", ridge, low=0.0),
        "learnability": numbers("learnability", learnability, low=0.0, high=1.0),
    }
    shape, flat = broadcast(chosen_modes(given, mode_eigenvalue, others, "samples for a share"))
    return shaped(samples_at(given, *flat), shape)


def samples_at(spectrum: Spectrum, eigenvalue: Array, ridge: Array, learnability: Array) -> Array:
    """Return the samples for checked arrays of one length."""
    with np.errstate(divide="ignore", over="ignore", invalid="ignore"):
        t = eigenvalue * ((1 - learnability) / learnability)
        own = np.where(ridge == 0, 0.0, ridge / t)
    return np.asarray(own + degrees_of_freedom(t, spectrum).df1)
