"""Networks as people hand them over: arrays, lists, state dictionaries, blocks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from numbers import Real
from typing import Any

import numpy as np

from ...arguments import Array, choice, number, numbers
from ...equality import by_value
from ...errors import DataError, refusal
from ...reprs import short_repr

_EPSILON = 1e-5
_LARGEST = 1e100


@short_repr
@dataclass(frozen=True)
@by_value
class Residual:
    r"""A block that adds what its layers make to its input, or to a shortcut's output.

    Its share in the product of norms is :math:`1 + \prod \rho\|A\|_\sigma`, or with a shortcut
    :math:`\prod_{shortcut} + \prod_{layers}`; each of its layers has its own term in the effective rank.

    Attributes
    ----------
    layers : sequence or mapping
        Of the branch, as in `spectral_complexity`.
    shortcut : sequence or mapping, optional
        Layers of the shortcut; without, it is the identity.
    """

    layers: Any
    shortcut: Any = None


@short_repr
@dataclass(frozen=True)
@by_value
class Attention:
    """An attention layer, counted as two: the bilinear form of its scores, and what it writes.

    The layers are ``query.T @ key`` and ``output @ value``, all heads together.

    Attributes
    ----------
    query, key, value : array_like
        Of shape (inner dimension, dimension).
    output : array_like
        Of shape (dimension, inner dimension).
    """

    query: Any
    key: Any
    value: Any
    output: Any


@short_repr
@dataclass(frozen=True)
@by_value
class Matrix:
    """A layer: a matrix, or a kernel of shape (outputs, inputs, rows, columns)."""

    name: str
    weight: Array


@short_repr
@dataclass(frozen=True)
@by_value
class Block:
    """A sum of two chains; an empty shortcut is the identity."""

    branch: tuple[Node, ...]
    shortcut: tuple[Node, ...]


Node = Matrix | Block


def fold_normalization(
    weight: Any,
    scale: Any,
    variance: Any = None,
    *,
    epsilon: float = _EPSILON,
    into: str = "outputs",
) -> Array:
    r"""Fold a normalization layer into its neighbor, as it acts at inference.

    .. math:: A \to \mathrm{diag}(\gamma/\sqrt{v + \epsilon})\, A, \qquad A \to A\,\mathrm{diag}(\gamma)

    A normalization by fixed statistics (batch normalization) scales the outputs of the layer before it; of one by each
    example's own statistics (layer normalization) only the scale is linear, which acts on the inputs of the layer after it.

    Parameters
    ----------
    weight : array_like
        A, a matrix or a kernel of shape (outputs, inputs, rows, columns).
    scale : array_like
        :math:`\gamma`, one for each output or input.
    variance : array_like, optional
        v, running variances; without, 1 and no :math:`\epsilon`.
    epsilon : float
        :math:`\epsilon \ge 0`.
    into : {"outputs", "inputs"}
        On which side of A the scales act.

    Returns
    -------
    ndarray
        Of the shape of `weight`.

    Raises
    ------
    DomainError
        If shapes do not fit or an argument is out of range.

    Examples
    --------
    >>> fold_normalization([[1, 2], [3, 4]], [1, 2], [4, 4], epsilon=0)
    array([[0.5, 1. ],
           [3. , 4. ]])
    """
    a = array("weight", weight)
    side = choice("into", into, ("outputs", "inputs"))
    gamma = numbers("scale", scale)
    small = number("epsilon", epsilon, low=0.0)
    if variance is not None:
        spread = numbers("variance", variance, low=0.0)
        if spread.shape != gamma.shape or np.any(spread + small <= 0):
            raise refusal(
                "variance", variance, "must be > 0 or have epsilon > 0, one for each scale"
            )
        gamma = gamma / np.sqrt(spread + small)
    axis = 0 if side == "outputs" else 1
    if a.ndim < 2 or gamma.shape != (a.shape[axis],):
        complaint = f"must have one entry for each of the {side} of a layer of shape {a.shape}"
        raise refusal("scale", scale, complaint)
    return np.asarray(a * gamma.reshape((-1,) + (1,) * (a.ndim - 1 - axis)))


def chain(weights: Any, name: str = "weights") -> tuple[Node, ...]:
    """Return the layers of a network, in order."""
    if isinstance(weights, Mapping):
        nodes = tuple(_of_mapping(weights))
    elif isinstance(weights, (Residual, Attention)):
        nodes = tuple(_of_entry(weights, name))
    elif hasattr(weights, "__array__") or _is_matrix(weights):
        alone = array(name, weights)
        nodes = (Matrix("0", _layer("0", alone[None] if alone.ndim == 1 else alone)),)
    elif isinstance(weights, Sequence) and not isinstance(weights, str):
        nodes = tuple(node for i, entry in enumerate(weights) for node in _of_entry(entry, str(i)))
    else:
        complaint = (
            "must be an array, a sequence of arrays and blocks, or a mapping of names to arrays"
        )
        raise refusal(name, type(weights).__name__, complaint)
    if not nodes:
        complaint = (
            "holds no layer: a matrix has two axes (one output: shape (1, N)), a convolution four"
        )
        raise refusal(name, weights, complaint, shown=False)
    return nodes


def leaves(nodes: Sequence[Node]) -> list[Matrix]:
    """List the single layers of a network."""
    found: list[Matrix] = []
    for node in nodes:
        found += [node] if isinstance(node, Matrix) else leaves((*node.branch, *node.shortcut))
    return found


def array(name: str, value: Any) -> Array:
    """Return an array of finite floats, from anything that NumPy can read."""
    try:
        found = np.asarray(value)
        if found.dtype.kind not in "fiub":
            raise TypeError(f"of type {found.dtype}")
        found = np.asarray(found, dtype=float)
    except Exception as failure:  # whatever another library raises, as for tensors on a device
        raise DataError(
            f"{name} cannot be read as an array of numbers ({failure}); move it to the CPU, detached, as float32 or float64"
        ) from failure
    if not np.all(np.abs(found) <= _LARGEST):
        raise DataError(f"{name} holds numbers that are not finite, or beyond {_LARGEST:g}")
    return found


def _is_matrix(weights: Any) -> bool:
    """Tell nested lists of numbers from a list of layers."""
    return (
        isinstance(weights, (list, tuple))
        and bool(weights)
        and all(
            isinstance(row, (list, tuple)) and all(isinstance(entry, Real) for entry in row)
            for row in weights
        )
    )


def _of_entry(entry: Any, name: str) -> Iterator[Node]:
    if isinstance(entry, Residual):
        shortcut = () if entry.shortcut is None else chain(entry.shortcut, f"{name}.shortcut")
        yield Block(
            _renamed(chain(entry.layers, name), name), _renamed(shortcut, f"{name}.shortcut")
        )
    elif isinstance(entry, Attention):
        parts = {
            key: array(f"{name}.{key}", getattr(entry, key))
            for key in ("query", "key", "value", "output")
        }
        yield from _attention(name, **parts)
    else:
        found = array(name, entry)
        if found.ndim > 1:  # biases do not count
            yield Matrix(name, _layer(name, found))


def _renamed(nodes: tuple[Node, ...], name: str) -> tuple[Node, ...]:
    return tuple(
        Matrix(f"{name}.{node.name}", node.weight)
        if isinstance(node, Matrix)
        else Block(_renamed(node.branch, name), _renamed(node.shortcut, name))
        for node in nodes
    )


def _attention(
    name: str, query: Array, key: Array, value: Array, output: Array
) -> Iterator[Matrix]:
    try:
        yield Matrix(f"{name}.scores", _layer(name, query.T @ key))
        yield Matrix(f"{name}.values", _layer(name, output @ value))
    except ValueError:
        shapes = ", ".join(str(each.shape) for each in (query, key, value, output))
        raise DataError(
            f"{name}: query, key, value and output of shapes {shapes} do not fit"
        ) from None


def _layer(name: str, weight: Array) -> Array:
    """Return a matrix or a kernel of four axes; one of three is a convolution along a row."""
    if weight.ndim == 3:
        weight = weight[:, :, None, :]
    if weight.ndim not in (2, 4) or weight.size == 0:
        raise DataError(
            f"{name} has shape {weight.shape}: a layer is a matrix, or a kernel of shape (outputs, inputs, rows, columns)"
        )
    return weight


def _of_mapping(weights: Mapping[str, Any]) -> Iterator[Node]:
    """Yield the layers of a state dictionary: normalizations folded, stacked attention taken apart, biases left out."""
    arrays = {str(name): array(str(name), value) for name, value in weights.items()}
    found: list[Matrix] = []
    waiting: Array | None = None  # scales that act on the inputs of the next layer
    for name, value in arrays.items():
        owner, _, part = name.rpartition(".")
        prefix = f"{owner}." if owner else ""
        if part == "in_proj_weight" and f"{prefix}out_proj.weight" in arrays:
            query, key, projected = np.split(value, 3)
            output = arrays[f"{prefix}out_proj.weight"]
            found += _attention(owner or "attention", query, key, projected, output)
        elif (
            part == "weight"
            and owner.endswith("out_proj")
            and f"{name[: -len('out_proj.weight')]}in_proj_weight" in arrays
        ):
            continue  # counted with its attention
        elif value.ndim == 1 and part == "weight":
            variance = arrays.get(f"{prefix}running_var")
            if variance is None:
                waiting = value
            elif not found or found[-1].weight.shape[0] != value.size:
                raise DataError(
                    f"{name} normalizes {value.size} outputs, not those of the layer before it"
                )
            else:
                last = found.pop()
                found.append(Matrix(last.name, fold_normalization(last.weight, value, variance)))
        elif value.ndim > 1:
            layer = _layer(name, value)
            if waiting is not None and layer.shape[1] == waiting.size:
                layer = fold_normalization(layer, waiting, into="inputs")
            waiting = None
            found.append(Matrix(name, layer))
    yield from found
