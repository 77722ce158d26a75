"""Data sets of one direction whose heavy tails are tamed: the direction at stratified quantiles."""

from __future__ import annotations

import math

import numpy as np
from numpy.polynomial.hermite_e import hermeval
from numpy.typing import NDArray
from scipy.special import ndtri

from ....arguments import afford, generator, whole

Array = NDArray[np.float64]

MOST_DEGREE = 40


def stratified_polynomial(
    samples: int, *, dimension: int, degree: int = 3, rng: np.random.Generator | int
) -> tuple[Array, Array]:
    r"""Draw inputs and the labels of a normalized polynomial of one direction, which is drawn once in each of P strata.

    .. math:: y = \frac{He_k(x_1)}{\sqrt{k!}}, \qquad x_1^\mu = \Phi^{-1}\Big(\frac{\mu + u_\mu}{P}\Big), \quad u \sim U(0, 1),

    for :math:`\mu = 0, \dots, P - 1`; all other components are independent standard normal.

    Parameters
    ----------
    samples : int
        P >= 1.
    dimension : int
        d >= 1.
    degree : int
        k, from 1 to 40.
    rng : Generator or int
        Source of randomness.

    Returns
    -------
    tuple of ndarray
        Inputs, shape (P, d), and labels, shape (P,). A single point, at random, has exactly the standard normal distribution.

    Raises
    ------
    DomainError
        If an argument is out of range.
    ResourceError
        If the data would need more than the memory budget.

    Notes
    -----
    The squared label of a cubic target is so heavy-tailed that a few points decide what an independent sample of hundreds says.
    Strata take away much of that noise and change no mean: drawn within its stratum, the outermost point still varies.

    Examples
    --------
    >>> x, y = stratified_polynomial(1000, dimension=3, rng=0)
    >>> x.shape, bool(abs(np.mean(y**2) - 1) < 0.5), bool(abs(np.mean(x[:, 0] ** 2) - 1) < 0.01)
    ((1000, 3), True, True)
    """
    size, width = whole("samples", samples), whole("dimension", dimension)
    order = whole("degree", degree, high=MOST_DEGREE)
    afford(size * (width + 3.0), "the data", "use fewer samples or dimensions")
    source = generator(rng)
    x = source.standard_normal((size, width))
    x[:, 0] = ndtri((np.arange(size) + source.random(size)) / size)
    x[0, 0] = max(float(x[0, 0]), -9.0)  # a uniform number can be zero
    labels: Array = hermeval(x[:, 0], np.eye(order + 1)[order]) / math.sqrt(math.factorial(order))
    return x, labels
