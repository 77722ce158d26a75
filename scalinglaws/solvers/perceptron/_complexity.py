"""The spectral complexity of a network's weights."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ...arguments import Array
from ...results import Result


@dataclass(frozen=True)
class SpectralComplexity(Result):
    r"""Norms of a network, layer by layer.

    Attributes
    ----------
    complexity : float
        The norm that was asked for; by default the spectral complexity :math:`R_A`, product of the two below.
    product_of_norms : float
        :math:`\prod_i \rho_i \|A_i\|_\sigma`, how much the network can expand distances.
    effective_rank : float
        :math:`\big(\sum_i (\|A_i^T - M_i^T\|_{2,1}/\|A_i\|_\sigma)^{2/3}\big)^{3/2}`.
    layers : tuple of str
        Names of the layers.
    spectral_norms, group_norms : ndarray
        :math:`\|A_i\|_\sigma` and :math:`\|A_i^T - M_i^T\|_{2,1}` of each layer.
    contributions : ndarray
        Share of each layer in the sum of the effective rank; they add up to 1.
    norm : str
        Which norm `complexity` is.
    convolution : str
        How convolutions were counted.
    """

    complexity: float
    product_of_norms: float
    effective_rank: float
    layers: tuple[str, ...]
    spectral_norms: Array
    group_norms: Array
    contributions: Array
    norm: str
    convolution: str


def spectral_complexity(
    weights: Any,
    *,
    lipschitz: Any = 1.0,
    reference: Any = None,
    convolution: str = "operator",
    shape: tuple[int, int] | None = None,
    norm: str = "complexity",
) -> SpectralComplexity:
    """Compute the spectral complexity of a network from its weights."""
    raise NotImplementedError
