"""The upper edge of the spectrum that training sees, and what it allows."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from ...arguments import Array, Value, broadcast, numbers, shaped
from ...results import Result
from ..catalogue import shows
from ..equivalents.edges import Resolvent
from ..spectra import Spectrum, one_spectrum


def largest_eigenvalue(
    spectrum: Spectrum,
    *misplaced: object,
    features: ArrayLike = math.inf,
    samples: ArrayLike = math.inf,
) -> Value:
    r"""Compute the largest eigenvalue of the covariance that gradient descent sees.

    The upper edge of the deterministic spectrum of :math:`F \hat\Sigma` (empirical covariance of the projected features),

    .. math:: x_{max} = \min_{u > \lambda_1} u \Big(1 + \frac{d(u)}N\Big)\Big(1 + \frac{d(u)}P\Big), \qquad
              d(u) = \sum_k \frac{\lambda_k}{u - \lambda_k}.

    Parameters
    ----------
    spectrum : PowerLawSpectrum or EmpiricalSpectrum
        Eigenvalues :math:`\lambda_k`.
    features, samples : array_like
        N and P, >= 1, ``math.inf`` for the limit (both infinite: :math:`\lambda_1`). They broadcast.

    Returns
    -------
    float or ndarray
        :math:`x_{max}`: gradient descent converges for learning rates below :math:`2/x_{max}`.

    Raises
    ------
    DomainError
        If an argument is out of range.

    Notes
    -----
    Features are assumed to be Gaussian, or to act as if they were; see the module.

    A root of the derivative in the logarithm of :math:`u/\lambda_1 - 1`, 0.3 ms per element. The edge lies
    above the mean largest eigenvalue of a draw, by 1.4 to 1.6 standard deviations at N = 60, P = 150 and 400 modes with alpha = 1.1,
    1.5, 2.5, and at (N, P) = (20, 30) and (60, inf) with alpha = 1.5 (200 draws each).

    References
    ----------
    .. [1] V. A. Marchenko, L. A. Pastur, "Distribution of eigenvalues for some sets of random matrices",
       Math. USSR Sb. 1 (1967) 457.
    .. [2] A. Atanasov, J. A. Zavatone-Veth, C. Pehlevan, "Scaling and renormalization in high-dimensional
       regression", arXiv:2405.00592.

    Examples
    --------
    >>> from scalinglaws.solvers import EmpiricalSpectrum
    >>> round(largest_eigenvalue(EmpiricalSpectrum([1.0] * 100, [1.0] * 100), samples=400), 12)  # (1 + sqrt(M/P))^2
    2.25
    """
    one_spectrum(spectrum, *misplaced)
    checked = {
        "features": numbers("features", features, low=1.0, infinite=True),
        "samples": numbers("samples", samples, low=1.0, infinite=True),
    }
    shape, (n, p) = broadcast(checked)
    edge = Resolvent(spectrum.modes())
    return shaped(np.array([edge.top(*sizes) for sizes in zip(n, p, strict=True)]), shape)


@shows("stable", "kernel_norm", "largest_eigenvalue", "max_learning_rate")
@dataclass(frozen=True)
class SGDStability(Result):
    r"""Whether online stochastic gradient descent converges.

    All fields have the broadcast shape of the inputs; scalars in, floats out.

    Attributes
    ----------
    features, batch, learning_rate : float or ndarray
        The inputs N, B and :math:`\eta`.
    kernel_norm : float or ndarray
        :math:`\hat K(1)`: how much loss one unit of loss causes later through gradient noise; infinite where already the
        mean diverges.
    largest_eigenvalue : float or ndarray
        :math:`x_{max}`, upper edge of the spectrum for unlimited samples.
    stable : bool or ndarray
        Whether :math:`\hat K(1) < 1` and :math:`\eta x_{max}(1 + 1/B) < 2`.
    max_learning_rate : float or ndarray
        Supremum of the stable learning rates.
    """

    features: Value
    batch: Value
    learning_rate: Value
    kernel_norm: Value
    largest_eigenvalue: Value
    stable: bool | np.ndarray[tuple[int, ...], np.dtype[np.bool_]]
    max_learning_rate: Value


def sgd_stability(
    spectrum: Spectrum,
    *misplaced: object,
    features: ArrayLike = math.inf,
    batch: ArrayLike,
    learning_rate: ArrayLike,
) -> SGDStability:
    r"""Tell whether one-pass stochastic gradient descent converges, and up to which learning rate.

    The mean-square error of `online_sgd` stays bounded if the total weight of its memory kernel is below one,

    .. math:: \hat K(1) = \frac{\eta}{B} \sum_i \frac{x_i}{2 - \eta x_i (1 + 1/B)} = \frac{d(u)}{B + 1} < 1, \qquad
              u\Big(1 + \frac{d(u)}N\Big) = \frac{2}{\eta (1 + 1/B)}, \qquad d(u) = \sum_k \frac{\lambda_k}{u - \lambda_k},

    with the largest root u, and :math:`\eta\, x_{max} (1 + 1/B) < 2` for the eigenvalues :math:`x_i` of the projected
    covariance.

    Parameters
    ----------
    spectrum : PowerLawSpectrum or EmpiricalSpectrum
        Eigenvalues :math:`\lambda_k`.
    features : array_like
        N >= 1, ``math.inf`` for the limit. All arguments broadcast.
    batch : array_like
        B >= 1, fresh samples per step; ``math.inf`` for descent on the population loss.
    learning_rate : array_like
        :math:`\eta > 0`.

    Returns
    -------
    SGDStability
        Kernel norm, largest eigenvalue, verdict, and the supremum of stable learning rates.

    Raises
    ------
    DomainError
        If an argument is out of range.

    Notes
    -----
    Features are assumed to be Gaussian, or to act as if they were; see the module.

    Three scalar roots, about 1 ms per element, accurate to 1e-12; close to the bound the kernel norm only to 4e-15 over the relative
    distance from it, because rounding of the learning rate counts.

    References
    ----------
    .. [1] C. Paquette, E. Paquette, B. Adlam, J. Pennington, "Homogenization of SGD in high-dimensions",
       arXiv:2205.07069.
    .. [2] B. Bordelon, C. Pehlevan, "Learning curves for SGD on structured features", arXiv:2106.02713.

    Examples
    --------
    >>> from scalinglaws.solvers import PowerLawSpectrum
    >>> found = sgd_stability(PowerLawSpectrum(1.5, 1.0, 800), features=100, batch=4, learning_rate=0.3)
    >>> found.stable, round(found.kernel_norm, 6), round(found.max_learning_rate, 6)
    (True, 0.106089, 1.19481)
    """
    one_spectrum(spectrum, *misplaced)
    checked = stability_inputs(features, batch, learning_rate)
    shape, flat = broadcast(checked)
    edge = Resolvent(spectrum.modes())
    rows = np.array([edge.stability(*inputs) for inputs in zip(*flat, strict=True)]).reshape(-1, 3)
    norm, top, limit = rows.T
    stable = (norm < 1).reshape(shape)
    return SGDStability(
        **dict(zip(checked, (shaped(array, shape) for array in flat), strict=True)),
        kernel_norm=shaped(norm, shape),
        largest_eigenvalue=shaped(top, shape),
        stable=bool(stable) if shape == () else stable,
        max_learning_rate=shaped(limit, shape),
    )


LARGEST = 1e290
"""Of learning rates, batches, noise and their reciprocals: room for what is multiplied with them."""


def stability_inputs(
    features: ArrayLike, batch: ArrayLike, learning_rate: ArrayLike
) -> dict[str, Array]:
    """Check what stability depends on."""
    return {
        "features": numbers("features", features, low=1.0, infinite=True),
        "batch": numbers("batch", batch, low=1.0, high=LARGEST, infinite=True),
        "learning_rate": numbers("learning_rate", learning_rate, low=1 / LARGEST, high=LARGEST),
    }
