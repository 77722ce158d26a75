"""Regression on images of digits."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ....solvers.kernels import kernel_matrix, kernel_options
from .._digits import digits
from ._population import PopulationRegression, regress_population

Array = NDArray[np.float64]

_LENGTH = 8.0  # of every image: a square of one per pixel


def digits_on_sphere() -> tuple[Array, Array]:
    """Return all images of digits as points of one sphere, and a target of two classes.

    Images, 8 x 8 pixels, have their mean subtracted and are scaled to the length 8, so that a pixel's mean square is one.

    Returns
    -------
    tuple of ndarray
        Images, shape (1797, 64), and the target: whether the digit is at least five, as numbers of mean zero and variance one.

    Raises
    ------
    DataError
        If scikit-learn is not installed.

    References
    ----------
    .. [1] E. Alpaydin, C. Kaynak, "Optical recognition of handwritten digits", UCI machine learning repository (1998).

    Examples
    --------
    >>> images, target = digits_on_sphere()
    >>> np.unique(np.linalg.norm(images, axis=1).round(12)), np.unique(target.round(3))
    (array([8.]), array([-0.997,  1.003]))
    """
    pixels, shown = digits()
    images = pixels - pixels.mean(axis=0)
    images *= _LENGTH / np.linalg.norm(images, axis=1, keepdims=True)
    target = np.where(shown >= 5, 1.0, -1.0)
    target -= target.mean()
    return images, target / target.std()


def digits_kernel(kernel: str = "erf_nngp", **options: Any) -> tuple[Array, Array]:
    r"""Compute a kernel between all images of digits, as points of a sphere, and a target of two classes.

    By default it is that of a network of one hidden layer of error functions and weights of variance one,

    .. math:: K(x, x') = \frac2\pi \arcsin\Big(\frac23\,\frac{x\cdot x'}{64}\Big).

    Parameters
    ----------
    kernel : str
        One of `scalinglaws.solvers.kernels.KERNELS`.
    **options
        Of the kernel; by default, of networks, one hidden layer and weights of variance one.

    Returns
    -------
    tuple of ndarray
        The kernel, shape (1797, 1797), and the target of `digits_on_sphere`.

    Raises
    ------
    DomainError
        If there is no such kernel or option.
    DataError
        If scikit-learn is not installed.
    ResourceError
        If the memory budget does not hold the kernel.

    Examples
    --------
    >>> gram, target = digits_kernel()
    >>> print(f"{gram.trace() / len(gram):.10f}")
    0.4645590544
    """
    images, target = digits_on_sphere()
    known = kernel_options(kernel)
    usual = {"depth": 1, "weight_variance": 1.0} if "depth" in known else {}
    return kernel_matrix(kernel, images, **{**usual, **options}), target


def regress_digits(
    samples: int,
    *,
    ridge: float,
    draws: int,
    replacement: bool = True,
    targets: ArrayLike | None = None,
    kernel: str = "erf_nngp",
    rng: np.random.Generator | int,
    **options: Any,
) -> PopulationRegression:
    r"""Draw data sets from 1797 images of digits, and regress on them exactly.

    Parameters
    ----------
    samples : int
        P >= 1; at most 1797 without replacement.
    ridge : float
        :math:`\sigma^2 > 0`, added to the kernel of the data, not over P.
    draws : int
        Data sets.
    replacement : bool
        Whether an image may be drawn more than once.
    targets : array_like, shape (1797,) or (1797, T), optional
        By default the target of `digits_kernel`.
    kernel : str
        As for `digits_kernel`.
    rng : Generator or int
        Source of randomness.
    **options
        Of the kernel.

    Returns
    -------
    PopulationRegression
        Learnability and test loss over all images, of every data set.

    Raises
    ------
    DomainError, ResourceError
        As `regress_population` and `digits_kernel`.
    DataError
        If scikit-learn is not installed.

    Notes
    -----
    The kernel takes about 0.1 s; for several numbers of samples, compute it once and call `regress_population`.

    Examples
    --------
    >>> found = regress_digits(100, ridge=0.01, draws=20, rng=0)
    >>> bool(0.6 < found.learnability.mean() < 0.7)
    True
    """
    gram, target = digits_kernel(kernel, **options)
    return regress_population(
        gram,
        target if targets is None else targets,
        samples,
        ridge=ridge,
        draws=draws,
        replacement=replacement,
        rng=rng,
    )
