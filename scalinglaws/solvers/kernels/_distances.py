"""Kernels of products of inputs and of distances between them."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ...arguments import number
from ...errors import refusal
from .._blas import one_thread
from .._jit import njit
from ._inputs import Inputs, read_inputs, refuse_overflow

Array = NDArray[np.float64]

_MEDIAN_ROWS = 2000
_NEAR = 0.05  # below this share of the sum of both squares, a squared distance is summed from differences
_LEAST = 1e-300  # of a scaled length: shorter ones make no difference to a kernel


def linear_kernel(x: ArrayLike, z: ArrayLike | None = None) -> Array:
    r"""Compute the products of inputs.

    .. math:: K_{ij} = x_i \cdot z_j

    Parameters
    ----------
    x : array_like, shape (n, d)
        Inputs, one in each row.
    z : array_like, shape (m, d), optional
        Other inputs; by default `x`.

    Returns
    -------
    ndarray, shape (n, m)
        The kernel; there is no factor 1/d.

    Raises
    ------
    DomainError
        If an argument is no matrix of finite numbers, the rows differ in length, or a squared length exceeds 1.8e308.
    ResourceError
        If the memory budget does not hold the result.

    Notes
    -----
    One matrix product: errors are below :math:`2d \times 10^{-16} |x_i| |z_j|`.

    Examples
    --------
    >>> print(linear_kernel([[1, 2], [3, 4]]))
    [[ 5. 11.]
     [11. 25.]]
    """
    inputs = read_inputs(x, z)
    with np.errstate(over="ignore", invalid="ignore"):
        for name, rows in (("x", inputs.x), ("z", inputs.z)):
            refuse_overflow(name, np.einsum("ij,ij->i", rows, rows), "its squared length")
        return np.asarray(inputs.x @ inputs.z.T)


def rbf_kernel(x: ArrayLike, z: ArrayLike | None = None, *, length: float | None = None) -> Array:
    r"""Compute the Gaussian kernel of radial basis functions.

    .. math:: K_{ij} = \exp\Big(-\frac{|x_i - z_j|^2}{2\ell^2}\Big)

    Parameters
    ----------
    x : array_like, shape (n, d)
        Inputs, one in each row.
    z : array_like, shape (m, d), optional
        Other inputs; by default `x`.
    length : float, optional
        :math:`\ell > 0`; by default `median_distance` of `x`. Matrices that are used together need one length: give it.

    Returns
    -------
    ndarray, shape (n, m)
        The kernel; 1 on the diagonal if there is no `z`, and symmetric.

    Raises
    ------
    DomainError
        If an argument is no matrix of finite numbers, the rows differ in length, `length` is no positive number, or none is
        given and the median distance is 0.
    ResourceError
        If the memory budget does not hold the result.

    Notes
    -----
    Products of tiles of centered inputs. Where a distance is small against the lengths, it is summed from differences, so that
    near duplicates lose no digits; distances below 1e-150 of the largest number count as 0. Entries are accurate to
    :math:`(1 + |x - z|^2/\ell^2) \times 10^{-14}` of themselves, absolutely to 1e-14, for up to a thousand features.

    References
    ----------
    .. [1] C. E. Rasmussen, C. K. I. Williams, *Gaussian Processes for Machine Learning*, MIT Press 2006, equation 4.9.

    Examples
    --------
    >>> print(rbf_kernel([[0.0], [1.0]], [[0.0], [2.0]], length=1).round(6))
    [[1.       0.135335]
     [0.606531 0.606531]]
    """
    return _of_distances(x, z, length, gaussian=True)


def laplace_kernel(
    x: ArrayLike, z: ArrayLike | None = None, *, length: float | None = None
) -> Array:
    r"""Compute the Laplace kernel, of the distance itself.

    .. math:: K_{ij} = \exp\Big(-\frac{|x_i - z_j|}{\ell}\Big)

    Parameters
    ----------
    x : array_like, shape (n, d)
        Inputs, one in each row.
    z : array_like, shape (m, d), optional
        Other inputs; by default `x`.
    length : float, optional
        :math:`\ell > 0`; by default `median_distance` of `x`. Matrices that are used together need one length: give it.

    Returns
    -------
    ndarray, shape (n, m)
        The kernel; 1 on the diagonal if there is no `z`, and symmetric.

    Raises
    ------
    DomainError
        If an argument is no matrix of finite numbers, the rows differ in length, `length` is no positive number, or none is
        given and the median distance is 0.
    ResourceError
        If the memory budget does not hold the result.

    Notes
    -----
    The distance is the Euclidean one (the kernel of that name in scikit-learn takes the sum of absolute differences). Computed
    as `rbf_kernel`: entries are accurate to :math:`(1 + |x - z|/\ell) \times 10^{-14}` of themselves, absolutely to 1e-14, for up
    to a thousand features.

    References
    ----------
    .. [1] C. E. Rasmussen, C. K. I. Williams, *Gaussian Processes for Machine Learning*, MIT Press 2006, equation 4.18.

    Examples
    --------
    >>> print(laplace_kernel([[0.0], [1.0]], [[0.0], [2.0]], length=1).round(6))
    [[1.       0.135335]
     [0.367879 0.367879]]
    """
    return _of_distances(x, z, length, gaussian=False)


def median_distance(x: ArrayLike) -> float:
    """Compute the median distance of pairs of inputs, the default length of kernels of distances.

    Parameters
    ----------
    x : array_like, shape (n, d)
        Inputs, one in each row, at least two. Beyond 2000, pairs of 2000 rows at equal steps from the first are taken: the cost
        is bounded, and the same inputs have the same length.

    Returns
    -------
    float
        The median over pairs of different rows, accurate to 1e-14 of itself for up to a thousand features.

    Raises
    ------
    DomainError
        If `x` is no matrix of finite numbers, has one row only, or the median is 0 or exceeds 1.8e308.
    ResourceError
        If the memory budget does not hold the distances.

    Examples
    --------
    >>> median_distance([[0.0, 0.0], [3.0, 4.0], [0.0, 1.0]])
    4.242640687119285
    """
    return _median(read_inputs(x, None).x, "x")


def _median(x: Array, blamed: str) -> float:
    """Return the median distance; one that is no length is blamed on an argument."""
    count = min(len(x), _MEDIAN_ROWS)
    if count < 2:
        complaint = "must be given: one input has no distances whose median could be taken"
        complaint = "must have at least two rows" if blamed == "x" else complaint
        raise refusal(blamed, None, complaint, shown=False)
    # whole numbers: rows at equal steps are the same on every machine
    rows = np.ascontiguousarray(x[np.arange(count) * len(x) // count])
    inputs = read_inputs(rows, None)
    distances = _Distances(inputs)
    found = inputs.matrix(distances, 0.0)
    pairs = np.concatenate([row[place + 1 :] for place, row in enumerate(found[:-1])])
    middle = float(np.median(pairs))
    with np.errstate(over="ignore"):
        median = float(np.ldexp(middle, distances.scale))
    if not 0 < median < math.inf:
        what = "its median distance" if blamed == "x" else "must be given: the median distance"
        cure = "scale the inputs down" if median else "half of the pairs of rows are equal"
        raise refusal(
            blamed, None, f"{': ' * (blamed == 'x')}{what} is {median:g}; {cure}", shown=False
        )
    return median


@one_thread
def _of_distances(
    x: ArrayLike, z: ArrayLike | None, length: float | None, *, gaussian: bool
) -> Array:
    given = None if length is None else number("length", length, low=0, strict=True)
    inputs = read_inputs(x, z)
    ell = _median(inputs.x, "length") if given is None else given
    distances = _Distances(inputs)
    with np.errstate(over="ignore"):
        scaled = max(float(np.ldexp(ell, -distances.scale)), _LEAST)

    def make(i: slice, j: slice, tile: Array) -> None:
        distances(i, j, tile)
        # infinite quotients are right: their kernel is 0
        with np.errstate(over="ignore"):
            tile /= scaled
            if gaussian:
                tile *= tile
                tile *= -0.5
            else:
                np.negative(tile, out=tile)
        np.exp(tile, out=tile)

    return inputs.matrix(make, 1.0)


class _Distances:
    """Distances of rows, in units of a power of two: no square leaves the range of floats."""

    def __init__(self, inputs: Inputs) -> None:
        largest = max(float(np.abs(rows).max()) for rows in (inputs.x, inputs.z))
        self.scale = min(max(math.frexp(largest)[1], -1000), 1000)
        # exact but for numbers that are nothing beside the largest one
        unit = math.ldexp(1.0, -self.scale)
        self.x = inputs.x * unit
        self.z = self.x if inputs.alone else inputs.z * unit
        center = self.x.mean(axis=0)  # any point would do: distances do not depend on it
        self.centered_x = self.x - center
        self.centered_z = self.centered_x if inputs.alone else self.z - center
        self.squares_x = np.einsum("ij,ij->i", self.centered_x, self.centered_x)
        self.squares_z = (
            self.squares_x
            if inputs.alone
            else np.einsum("ij,ij->i", self.centered_z, self.centered_z)
        )

    def __call__(self, i: slice, j: slice, tile: Array) -> None:
        np.matmul(self.centered_x[i], self.centered_z[j].T, out=tile)
        _distances(tile, self.squares_x[i], self.squares_z[j], self.x[i], self.z[j])


@njit
def _distances(products: Array, squares_x: Array, squares_z: Array, x: Array, z: Array) -> None:
    """Write distances in place of products of centered rows."""
    for i in range(products.shape[0]):
        for j in range(products.shape[1]):
            both = squares_x[i] + squares_z[j]
            square = both - 2 * products[i, j]
            if square < _NEAR * both:  # cancellation: rounding errors of the sum would be seen
                square = 0.0
                for k in range(x.shape[1]):
                    square += (x[i, k] - z[j, k]) ** 2
            products[i, j] = math.sqrt(square)
