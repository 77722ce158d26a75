"""Neurons that are tilted towards a Hermite polynomial of any odd degree, in mean-field theory."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from ...arguments import broadcast, numbers, refuse_first, shaped
from ...results import Result
from ..catalogue import shows
from ._alignment import mean_field
from ._normal import Array
from ._site import relative_entropy

_LEAST_WIDTH, _LARGEST_WIDTH = 1e-12, 1e20
_LEAST_DIMENSION, _LARGEST_DIMENSION = 1e-3, 1e9
_LARGEST_DEGREE = 15


@shows("tilt", "variance", "relative_entropy", "specialized", counted=("degree",))
@dataclass(frozen=True)
class AlignedNeurons(Result):
    r"""The law of neurons that together align with a target.

    Attributes
    ----------
    tilt : float or ndarray
        :math:`\tau`, conjugate to the overlap.
    variance : float or ndarray
        :math:`v = E\,\psi`.
    relative_entropy : float or ndarray
        :math:`\tau v - \log E_0\,e^{\tau\psi}` of one neuron.
    specialized : float or ndarray
        Probability that a neuron has \|w\| > 1.
    """

    tilt: float | Array
    variance: float | Array
    relative_entropy: float | Array
    specialized: float | Array


def aligned_neurons(
    width: ArrayLike, dimension: ArrayLike, *, degree: ArrayLike = 3
) -> AlignedNeurons:
    r"""Solve for the tilt of neurons with the overlap :math:`\psi(w^2) = (w^2/(3 + 2w^2))^k` that align in mean-field theory.

    .. math:: \min_v\ \frac{1}{2v} + N \sup_\tau\,[\tau v - \log E\,e^{\tau\psi}], \qquad w \sim N(0, 1/d), \qquad 2 N \tau v^2 = 1.

    `alignment_rate` is the minimum for k = 3 and whole N. Here N is any number, so that scales and normalizations go into it:
    :math:`\chi A^2/(2\sigma_a^2 v)` in place of 1/2v is :math:`N\sigma_a^2/(\chi A^2)` in place of N.

    Parameters
    ----------
    width : array_like
        N, from 1e-12 to 1e20.
    dimension : array_like
        d, from 1e-3 to 1e9.
    degree : array_like
        k, odd, from 1 to 15. All arguments broadcast.

    Returns
    -------
    AlignedNeurons
        Tilt, variance, relative entropy and share of specialized neurons.

    Raises
    ------
    DomainError
        If an argument is out of range.

    Notes
    -----
    As `alignment_rate`, 2 ms an element: :math:`\tau v^2` rises with the tilt, so there is one solution.

    References
    ----------
    .. [1] N. Rubin, O. Davidovich, Z. Ringel, arXiv:2512.04165 (patterns of feature learning).

    Examples
    --------
    >>> found = aligned_neurons(100, 100)
    >>> round(1 / (2 * found.variance) + 100 * found.relative_entropy, 6)  # the rate of `alignment_rate(100, 100)`
    884.223681
    """
    degrees = numbers("degree", degree)
    wrong = (degrees % 2 != 1) | (degrees < 1) | (degrees > _LARGEST_DEGREE)
    refuse_first("degree", degrees, wrong, f"must be an odd number from 1 to {_LARGEST_DEGREE}")
    sizes = {
        "width": numbers("width", width, low=_LEAST_WIDTH, high=_LARGEST_WIDTH),
        "dimension": numbers("dimension", dimension, low=_LEAST_DIMENSION, high=_LARGEST_DIMENSION),
    }
    shape, flat = broadcast({**sizes, "degree": degrees})
    rows = np.empty((flat[0].size, 4))
    for row, (n, d, k) in zip(rows, np.transpose(flat).tolist(), strict=True):
        law, found = mean_field(n, d, int(k))
        row[:] = law.tilt, found.mean, relative_entropy(law, d, found), found.beyond
    return AlignedNeurons(*(shaped(column, shape) for column in rows.T))
