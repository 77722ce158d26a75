"""The spectral complexity of a network's weights."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ...arguments import Array, choice, numbers, whole
from ...errors import DataError, refusal
from ...results import Result
from ._layer_norms import group_norm, spectral_norm
from ._layers import Block, Matrix, Node, chain, leaves

CONVOLUTIONS = ("operator", "zero", "reshape")
NORMS = ("complexity", "spectral", "group", "l1", "l2")


@dataclass(frozen=True)
class SpectralComplexity(Result):
    r"""Norms of a network, layer by layer.

    Attributes
    ----------
    complexity : float
        Spectral complexity :math:`R_A`, the product of the two below.
    product_of_norms : float
        :math:`\prod_i \rho_i \|A_i\|_\sigma`, how much the network can expand distances.
    effective_rank : float
        :math:`\big(\sum_i (\|A_i^T - M_i^T\|_{2,1}/\|A_i\|_\sigma)^{2/3}\big)^{3/2}`.
    value : float
        The norm that was asked for.
    layers : tuple of str
        Names of the layers.
    spectral_norms, group_norms : ndarray
        :math:`\|A_i\|_\sigma` and :math:`\|A_i^T - M_i^T\|_{2,1}` of each layer.
    contributions : ndarray
        Share of each layer in the sum of the effective rank; they add up to 1 (all are 0 where every layer is its reference).
    norm, convolution : str
        Which norm `value` is, and how convolutions were counted.
    """

    complexity: float
    product_of_norms: float
    effective_rank: float
    value: float
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
    shape: Any = None,
    norm: str = "complexity",
) -> SpectralComplexity:
    r"""Compute the spectral complexity of a network, which takes the place of the norm of a perceptron.

    .. math:: R_A = \Big(\prod_i\rho_i\|A_i\|_\sigma\Big)
              \Big(\sum_i\frac{\|A_i^T-M_i^T\|_{2,1}^{2/3}}{\|A_i\|_\sigma^{2/3}}\Big)^{3/2}

    :math:`\|\cdot\|_\sigma` is the largest singular value, :math:`\|A^T\|_{2,1}` the sum of the lengths of the rows of A, one for
    each output. Without references, :math:`R_A` is proportional to each layer; of one layer it is
    :math:`\rho\|A^T\|_{2,1}`, the norm of a perceptron.

    Parameters
    ----------
    weights : array_like, sequence or mapping
        Layers in order: matrices of shape (outputs, inputs), kernels of convolutions (outputs, inputs, rows, columns) or
        (outputs, inputs, columns), `Residual` and `Attention` blocks; anything with ``__array__`` is read as an array. Of a
        mapping (a state dictionary), names are those of the layers. Biases, arrays with one axis, do not count; a single row
        alone is a perceptron.
    lipschitz : float or sequence
        :math:`\rho > 0`, Lipschitz constants of the activations, 1 for ReLU: one for all layers or one for each.
    reference : array_like, sequence or mapping, optional
        M, of the same layers as `weights`, such as the network before training; zero by default.
    convolution : {"operator", "zero", "reshape"}
        A convolution is the operator on images around which it is periodic, or which are padded with zeros, of stride 1 and
        with outputs of the same size; or just its kernel as a matrix of shape (outputs, inputs rows columns). Do not mix them:
        they differ by more than a constant.
    shape : tuple of int, or sequence of tuples, optional
        Rows and columns of the images that convolutions see: of all, or of each in order. Needed unless they are reshaped.
    norm : {"complexity", "spectral", "group", "l1", "l2"}
        Which norm `value` is: :math:`R_A`; the product of norms alone; the sum of all :math:`\|A_i^T - M_i^T\|_{2,1}`; the sum of
        the sizes of all weights, or the root of the sum of their squares (of kernels, each entry once; less their references).

    Returns
    -------
    SpectralComplexity
        :math:`R_A`, its two factors, and what each layer contributes.

    Raises
    ------
    DomainError
        If an argument is not allowed, or the complexity is beyond floating-point numbers.
    DataError
        If weights cannot be read, are not finite, do not fit, or a layer is zero.
    ResourceError
        If a convolution would not fit into memory.

    Notes
    -----
    What the bound does not define follows conventions of our own. A residual block counts as the sum of its branches
    (`Residual`); an attention layer as two layers (`Attention`). In a state dictionary, a normalization with running variances is
    folded into the layer before it, and the scale of one without into the layer after it (`fold_normalization`); stacked
    projections of attention (``in_proj_weight``) are taken apart; all else is taken as a chain in the order of the names, since
    a dictionary does not tell which layers a shortcut skips: give blocks where that matters. Embeddings count as matrices.

    Row lengths cost as much as reading the weights. The largest singular value: all of them up to 1000 rows or columns, beyond
    Lanczos iteration to 1e-12; of periodic convolutions, one small matrix for each frequency; of padded ones, Lanczos iteration.

    References
    ----------
    .. [1] P. L. Bartlett, D. J. Foster, M. Telgarsky, "Spectrally-normalized margin bounds for neural networks",
       arXiv:1706.08498, eq. (1.2).
    .. [2] F. D'Amico, D. Bocchi, M. Negri, arXiv:2505.13230.
    .. [3] H. Sedghi, V. Gupta, P. M. Long, "The singular values of convolutional layers", arXiv:1805.10408.

    Examples
    --------
    >>> import numpy as np
    >>> first = np.sin(3 * np.arange(4)[:, None] + 5 * np.arange(6) + 1)
    >>> second = np.cos(2 * np.arange(3)[:, None] - 3 * np.arange(4))
    >>> found = spectral_complexity([first, second])
    >>> print(f"{found.complexity:.8f} {found.product_of_norms * found.effective_rank:.8f}")
    43.47571680 43.47571680
    """
    choice("convolution", convolution, CONVOLUTIONS)
    choice("norm", norm, NORMS)
    nodes = chain(weights)
    layers = leaves(nodes)
    names = tuple(layer.name for layer in layers)
    rho = numbers("lipschitz", lipschitz, low=0.0, strict=True)
    if rho.ndim > 1 or (rho.ndim == 1 and rho.size != len(layers)):
        complaint = f"must be one number, or one for each of the {len(layers)} layers"
        raise refusal("lipschitz", lipschitz, complaint)
    shapes = _shapes(layers, shape, convolution)
    changes = _changes(layers, reference)

    sigma = np.array(
        [
            _scaled(spectral_norm, layer.weight, size, convolution)
            for layer, size in zip(layers, shapes, strict=True)
        ]
    )
    if np.any(sigma == 0):
        zero = names[int(np.flatnonzero(sigma == 0)[0])]
        raise DataError(f"layer {zero} is zero: its complexity is not defined")
    group = np.array(
        [
            _scaled(group_norm, change, size, convolution)
            for change, size in zip(changes, shapes, strict=True)
        ]
    )
    expansions = dict(
        zip(map(id, layers), np.log(np.broadcast_to(rho, sigma.shape) * sigma), strict=True)
    )
    log_product = _log_product(nodes, expansions)
    terms = (group / sigma) ** (2 / 3)
    total = float(terms.sum())
    rank = total**1.5
    if log_product + math.log(max(rank, 1.0)) > 700:
        raise refusal(
            "weights",
            None,
            f"have a complexity beyond floating-point numbers, e^{log_product:.0f}",
            shown=False,
        )
    product = math.exp(log_product)
    values = {
        "complexity": product * rank,
        "spectral": product,
        "group": float(group.sum()),
        "l1": float(sum(np.abs(change).sum() for change in changes)),
        "l2": math.hypot(*(_scaled(_length, change, None, "reshape") for change in changes)),
    }
    return SpectralComplexity(
        complexity=values["complexity"],
        product_of_norms=product,
        effective_rank=rank,
        value=values[norm],
        layers=names,
        spectral_norms=sigma,
        group_norms=group,
        contributions=terms / total if total else terms,
        norm=norm,
        convolution=convolution,
    )


def _scaled(
    norm: Callable[[Array, tuple[int, int] | None, str], float],
    weight: Array,
    size: tuple[int, int] | None,
    convolution: str,
) -> float:
    """Return a norm, taken in units of the largest entry: squares of small weights would be zero."""
    unit = float(np.max(np.abs(weight)))
    return unit * norm(weight / unit, size, convolution) if unit else 0.0


def _length(weight: Array, size: tuple[int, int] | None, convolution: str) -> float:
    return float(np.sqrt((weight**2).sum()))


def _log_product(nodes: Sequence[Node], expansions: dict[int, float]) -> float:
    """Return the logarithm of the product of norms of a chain."""
    total = 0.0
    for node in nodes:
        if isinstance(node, Block):
            branch, shortcut = (
                _log_product(part, expansions) for part in (node.branch, node.shortcut)
            )
            total += float(np.logaddexp(branch, shortcut))  # an empty shortcut is the identity
        else:
            total += float(expansions[id(node)])
    return total


def _shapes(layers: Sequence[Matrix], shape: Any, convolution: str) -> list[tuple[int, int] | None]:
    """Return the size of the images that each layer sees; None where it does not matter."""
    kernels = [layer for layer in layers if layer.weight.ndim == 4]
    if convolution == "reshape" or not kernels:
        return [None] * len(layers)
    if shape is None:
        complaint = "must be given: rows and columns of the images that convolutions see, or use convolution='reshape'"
        raise refusal("shape", shape, complaint)
    rows = np.shape(shape)
    if rows not in ((2,), (len(kernels), 2)):
        complaint = (
            f"must be (rows, columns), or one such pair for each of the {len(kernels)} convolutions"
        )
        raise refusal("shape", shape, complaint)
    pairs = [tuple(whole("shape", entry) for entry in pair) for pair in np.reshape(shape, (-1, 2))]
    if len(pairs) == 1:
        pairs *= len(kernels)
    given = iter(pairs)
    found: list[tuple[int, int] | None] = []
    for layer in layers:
        if layer.weight.ndim == 2:
            found.append(None)
            continue
        height, width = next(given)
        if layer.weight.shape[2] > height or layer.weight.shape[3] > width:
            complaint = (
                f"must be at least the kernel of layer {layer.name}, {layer.weight.shape[2:]}"
            )
            raise refusal("shape", (height, width), complaint)
        found.append((height, width))
    return found


def _changes(layers: Sequence[Matrix], reference: Any) -> list[Array]:
    """Return the weights of each layer less its reference."""
    if reference is None:
        return [layer.weight for layer in layers]
    others = leaves(chain(reference, "reference"))
    if [other.weight.shape for other in others] != [layer.weight.shape for layer in layers]:
        complaint = "must have the same layers as weights, of the same shapes"
        raise refusal("reference", reference, complaint, shown=False)
    return [layer.weight - other.weight for layer, other in zip(layers, others, strict=True)]
