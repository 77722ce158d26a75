"""Perceptrons of largest stability."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import nnls

from ....arguments import generator, whole
from ....equality import by_value
from ....errors import ConvergenceError
from ....reprs import short_repr
from .._problems import table
from ._teacher import angle_over_pi, task_size, tasks

Array = NDArray[np.float64]

_GAP = 1e-6  # relative, between a stability and its bound: above, the search has stopped short
_ROUNDS = 20  # of the search, for each sample


@short_repr
@by_value
@dataclass(frozen=True)
class SimulatedStability:
    r"""Perceptrons whose smallest margin is largest.

    Attributes
    ----------
    error : ndarray, shape (draws,)
        Generalization error, the angle between student and teacher over pi.
    stability : ndarray, shape (draws,)
        :math:`\kappa`, the smallest :math:`y\,w\cdot x/\sqrt N` of a student of squared norm N.
    bound : ndarray, shape (draws,)
        What no stability exceeds: the distance of the samples' convex hull from zero.
    """

    error: Array
    stability: Array
    bound: Array


def max_stability(
    alpha: float,
    *,
    inputs: int = 100,
    distribution: str = "gaussian",
    draws: int = 1,
    rng: np.random.Generator | int = 0,
) -> SimulatedStability:
    r"""Draw data that a teacher labels, and find the student whose smallest margin is largest.

    .. math:: \kappa = \max_{|w|^2 = N}\ \min_\mu\ y^\mu w\cdot x^\mu/\sqrt N

    Parameters
    ----------
    alpha : float
        Samples per input, > 0; their number is rounded.
    inputs, distribution, draws, rng
        As in `fixed_norm`, and the same data.

    Returns
    -------
    SimulatedStability
        Errors and stabilities, with bounds that certify them.

    Raises
    ------
    DomainError
        If an argument is out of range.
    ConvergenceError
        If a stability is below its bound by more than 1e-6 of it.
    ResourceError
        If a draw or the results would need more than the memory budget.

    Notes
    -----
    The student is the point of the convex hull of :math:`y^\mu x^\mu` that is nearest to zero, found by least squares with
    coefficients that are not negative (Lawson and Hanson). Some N steps of O(P N) each.

    References
    ----------
    .. [1] C. L. Lawson, R. J. Hanson, Solving least squares problems, 1974, chapter 23.

    Examples
    --------
    >>> found = max_stability(8, inputs=50, draws=4)
    >>> found.error.shape, bool(np.all(found.stability > 0))
    ((4,), True)
    """
    samples, size = task_size(alpha, inputs, distribution)
    count = whole("draws", draws)
    error, stability, bound = table(3, count)
    for i, (signed, teacher) in enumerate(
        tasks(generator(rng), count, samples, size, distribution)
    ):
        student, stability[i], bound[i] = most_stable(signed)
        error[i] = angle_over_pi(student, teacher)
    return SimulatedStability(error, stability, bound)


def most_stable(signed: Array) -> tuple[Array, float, float]:
    """Return the student of squared norm N and largest stability, its stability, and a bound on all stabilities."""
    samples, size = signed.shape
    rows = np.vstack([signed.T, np.ones(samples)])
    wanted = np.zeros(size + 1)
    wanted[-1] = 1.0
    try:
        weights = np.asarray(nnls(rows, wanted, maxiter=_ROUNDS * samples)[0], float)
    except RuntimeError as error:
        raise ConvergenceError(
            f"the student of largest stability is not found for {samples} samples of {size} inputs; use fewer samples"
        ) from error
    student = weights @ signed
    length = float(np.linalg.norm(student))
    if not length > 0:
        raise ConvergenceError(
            f"no student separates {samples} samples of {size} inputs up to rounding; use fewer samples"
        )
    student *= math.sqrt(size) / length
    stability = float(np.min(signed @ student))
    bound = math.sqrt(size) * length / float(weights.sum())
    if not stability >= (1 - _GAP) * bound:
        raise ConvergenceError(
            f"the largest stability is not reached: {stability:.6g} with a bound of {bound:.6g}; use fewer samples"
        )
    return student, stability, bound
