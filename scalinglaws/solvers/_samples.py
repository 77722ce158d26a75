"""Spectra of samples: eigenvalues and signal as features or a Gram matrix and labels show them."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..arguments import afford, numbers
from ..errors import refusal

Array = NDArray[np.float64]

SMALLEST_EIGENVALUE = 1e-290
"""Reciprocals of eigenvalues must stay finite."""
_UNEVEN = 1e-8  # of the largest entry: beyond it a Gram matrix is not symmetric, or not positive, by more than rounding


def of_features(features: ArrayLike, labels: ArrayLike) -> tuple[Array, Array]:
    """Return eigenvalues and signal of features, shape (n, d), and labels."""
    x = _table("features", features)
    y = _targets(labels, x.shape[0], "features")
    n, d = x.shape
    afford(3.0 * x.size, "the decomposition of the features", "use fewer examples or features")
    largest = float(np.max(np.abs(x)))
    if largest == 0:
        raise refusal("features", 0.0, "are all zero: there is nothing to learn", shown=False)
    # scaled by its largest entry: squares neither overflow nor vanish
    left, values, _ = np.linalg.svd(x / largest, full_matrices=False)
    kept = values > values[0] * max(n, d) * np.finfo(float).eps
    return _projected(largest**2 * (values[kept] ** 2 / n), left[:, kept], y, "features")


def of_gram(gram: ArrayLike, labels: ArrayLike) -> tuple[Array, Array]:
    """Return eigenvalues and signal of a Gram matrix, shape (n, n), and labels."""
    k = square_gram(gram)
    n = k.shape[0]
    y = _targets(labels, n, "gram")
    largest, values, vectors = gram_modes(k)
    kept = values > values[0] * n * np.finfo(float).eps
    return _projected(largest * (values[kept] / n), vectors[:, kept], y, "gram")


def square_gram(gram: ArrayLike) -> Array:
    """Return a Gram matrix, shape (n, n), which memory holds with its eigenvectors."""
    k = _table("gram", gram)
    if k.shape[0] != k.shape[1]:
        raise refusal("gram", k.shape, "must be square", shown=False)
    afford(3.0 * k.size, "the decomposition of the Gram matrix", "use fewer examples")
    return k


def gram_modes(k: Array) -> tuple[float, Array, Array]:
    """Return the largest entry of a Gram matrix, its eigenvalues over that entry, in falling order, and its eigenvectors."""
    n = k.shape[0]
    largest = float(np.max(np.abs(k)))
    if largest == 0:
        raise refusal("gram", 0.0, "is zero: there is nothing to learn", shown=False)
    uneven = np.abs(k - k.T)
    if np.max(uneven) > _UNEVEN * largest:
        i, j = np.unravel_index(int(np.argmax(uneven)), k.shape)
        raise refusal(
            "gram",
            None,
            f"must be symmetric; entries [{i}, {j}] and [{j}, {i}] are {k[i, j]:.6g} and {k[j, i]:.6g}",
            shown=False,
        )
    values, vectors = np.linalg.eigh((k + k.T) / (2 * largest))
    if values[0] < -_UNEVEN * n:
        raise refusal(
            "gram",
            None,
            f"must be positive semidefinite; its smallest eigenvalue is {values[0] * largest:.3g}, "
            f"its largest {values[-1] * largest:.3g}",
            shown=False,
        )
    return largest, values[::-1], vectors[:, ::-1]


def _projected(eigenvalues: Array, vectors: Array, labels: Array, name: str) -> tuple[Array, Array]:
    """Project the labels on the modes of a sample; an eigenvector's component below its rounding counts as none."""
    if not (np.all(eigenvalues > SMALLEST_EIGENVALUE) and np.all(np.isfinite(eigenvalues))):
        raise refusal(
            name,
            None,
            "are too small or too large: eigenvalues of their covariance leave the range of "
            "floating-point numbers; scale them",
            shown=False,
        )
    parts = vectors.T @ labels
    parts[np.abs(parts) < 4 * np.finfo(float).eps * np.linalg.norm(labels, axis=0)] = 0.0
    return eigenvalues, np.sum(parts**2, axis=1) / labels.shape[0]


def _table(name: str, given: ArrayLike) -> Array:
    """Return a non-empty array of finite numbers with two axes."""
    array = numbers(name, given)
    if array.ndim != 2 or array.size == 0:
        raise refusal(
            name,
            array.shape,
            f"must have one row per example and one column per feature; got shape {array.shape}",
            shown=False,
        )
    return array


def _targets(labels: ArrayLike, examples: int, of: str) -> Array:
    """Return the labels with two axes, one row per example."""
    array = numbers("labels", labels)
    if array.ndim not in {1, 2} or array.shape[0] != examples or array.size == 0:
        raise refusal(
            "labels",
            array.shape,
            f"must have one row per example: shape ({examples},) or ({examples}, outputs) as {of} has "
            f"{examples} rows; got shape {array.shape}",
            shown=False,
        )
    return array.reshape(examples, -1)
