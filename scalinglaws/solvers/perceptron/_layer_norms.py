"""Norms of single layers: of a matrix, and of a convolution as the operator that it is on an image."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from ...arguments import Array, afford

if TYPE_CHECKING:
    from scipy.sparse.linalg import LinearOperator

_DENSE = 1000  # smaller side of a matrix up to which all its singular values are found
_TOLERANCE = 1e-11


def spectral_norm(weight: Array, shape: tuple[int, int] | None, convolution: str) -> float:
    """Return the largest singular value of a layer."""
    if weight.ndim == 2 or convolution == "reshape":
        return _of_matrix(weight.reshape(weight.shape[0], -1))
    assert shape is not None
    return _circular(weight, *shape) if convolution == "operator" else _padded(weight, *shape)


def group_norm(weight: Array, shape: tuple[int, int] | None, convolution: str) -> float:
    """Return the sum of the lengths of a layer's rows, one for each output."""
    if weight.ndim == 2 or convolution == "reshape":
        return float(np.sqrt((weight.reshape(weight.shape[0], -1) ** 2).sum(axis=1)).sum())
    assert shape is not None
    if convolution == "operator":  # every output sees the whole kernel
        return math.prod(shape) * float(np.sqrt((weight**2).sum(axis=(1, 2, 3))).sum())
    power = (weight**2).sum(axis=1)
    rows, columns = (
        _inside(size, length) for size, length in zip(shape, power.shape[1:], strict=True)
    )
    return float(np.sqrt(np.einsum("ia,oab,jb->oij", rows, power, columns)).sum())


def _of_matrix(matrix: Array) -> float:
    from scipy.sparse.linalg import LinearOperator

    if min(matrix.shape) <= _DENSE:
        return float(np.linalg.norm(matrix, 2))
    return _largest(LinearOperator(matrix.shape, matvec=matrix.dot, rmatvec=matrix.T.dot))


def _largest(operator: LinearOperator) -> float:
    """Return the largest singular value of an operator, by Lanczos iteration from a vector without symmetry."""
    from scipy.sparse.linalg import svds

    start = np.random.default_rng(0).standard_normal(min(operator.shape))
    found = svds(
        operator, k=1, v0=start, tol=_TOLERANCE, return_singular_vectors=False, solver="arpack"
    )
    return float(found[0])


def _circular(kernel: Array, height: int, width: int) -> float:
    """Return the largest singular value of a convolution around a torus: the largest over its frequencies."""
    outputs, inputs, rows, columns = kernel.shape
    afford(
        2 * outputs * inputs * width, "one frequency of a convolution", "use convolution='reshape'"
    )
    largest = 0.0
    for frequency in range(height // 2 + 1):  # the others are their complex conjugates
        phase = np.exp(-2j * math.pi * frequency / height * np.arange(rows))
        row = np.tensordot(kernel, phase, axes=([2], [0]))
        turn = np.exp(-2j * math.pi / width * np.outer(np.arange(columns), np.arange(width)))
        matrices = np.moveaxis(row @ turn, -1, 0)
        largest = max(largest, float(np.linalg.norm(matrices, 2, axis=(1, 2)).max()))
    return largest


def _padded(kernel: Array, height: int, width: int) -> float:
    """Return the largest singular value of a convolution of an image with zeros around it."""
    from scipy.sparse.linalg import LinearOperator

    outputs, inputs, rows, columns = kernel.shape
    full = (height + rows - 1, width + columns - 1)
    afford(
        2 * outputs * inputs * math.prod(full),
        "a convolution's transform",
        "use convolution='reshape'",
    )
    spectrum = np.fft.rfft2(kernel, full)  # (outputs, inputs, *frequencies)
    grid = spectrum.shape[2:]
    # a small matrix for each frequency, side by side in memory
    there = np.ascontiguousarray(np.moveaxis(spectrum.conj().reshape(outputs, inputs, -1), -1, 0))
    home = np.ascontiguousarray(there.conj().transpose(0, 2, 1))
    top, left = rows // 2, columns // 2

    def turned(matrices: Any, image: Any) -> Any:
        columns = image.reshape(image.shape[0], -1).T[:, :, None]
        return (matrices @ columns)[:, :, 0].T.reshape(-1, *grid)

    def forward(image: Array) -> Array:
        # out[i, j] = sum of K[a, b] in[i + a - top, j + b - left]: a correlation
        spread = np.fft.rfft2(image.reshape(inputs, height, width), full)
        found = np.fft.irfft2(turned(there, spread), full)
        found = np.roll(found, (top, left), axis=(1, 2))
        return np.asarray(found[:, :height, :width].ravel())

    def back(image: Array) -> Array:
        shifted = np.zeros((outputs, *full))
        shifted[:, :height, :width] = image.reshape(outputs, height, width)
        shifted = np.roll(shifted, (-top, -left), axis=(1, 2))
        found = np.fft.irfft2(turned(home, np.fft.rfft2(shifted)), full)
        return np.asarray(found[:, :height, :width].ravel())

    sizes = (outputs * height * width, inputs * height * width)
    operator = LinearOperator(sizes, matvec=forward, rmatvec=back, dtype=float)
    if min(sizes) > _SMALL:
        return _largest(operator)
    return float(np.linalg.norm(operator @ np.eye(sizes[1]), 2))


_SMALL = 8  # below, Lanczos iteration has no room


def _inside(size: int, length: int) -> Array:
    """Tell, for each output position and each entry of a kernel, whether the entry lies inside the image: 1 or 0."""
    at = np.arange(size)[:, None] + np.arange(length) - length // 2
    return ((at >= 0) & (at < size)).astype(float)
