"""Students at random among all that make no error on their data."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ....arguments import afford, generator, whole
from ....equality import by_value
from ....errors import ConvergenceError
from ....reprs import short_repr
from ....results import Status
from ....solvers._jit import njit
from .._convergence import agreement
from .._problems import table
from ._stability import most_stable
from ._teacher import angle_over_pi, task_size, tasks

Array = NDArray[np.float64]

CHAINS = 2
_WARMUP = 10  # flights, of which each leaves little of what was before
_FLIGHT = (
    5.0  # over alpha: some eight times the width of the version space, in units of its distance
)
_LONGEST = 8  # times as many students as asked for, before chains are said not to agree
_NEAR = 0.99  # of the way to the wall
_BOUNCES = 1000  # most of one flight, for each input and sample: some 3 N are usual
_TINY = 1e-300  # the margin of a student that has just bounced


@short_repr
@by_value
@dataclass(frozen=True)
class SimulatedVersionSpace:
    r"""Students drawn from the version space, all those that make no error on their data, and their center.

    Attributes
    ----------
    error : ndarray, shape (draws,)
        Generalization error of the center of the students, the angle to the teacher over pi.
    expected_error : ndarray, shape (draws,)
        The same to students in place of the teacher, who is no more than one of them: the mean of `error` over all teachers that
        could have labeled these data, and so known better than from one.
    single_error : ndarray, shape (draws,)
        Mean error of single students, Gibbs' rule.
    expected_single_error : ndarray, shape (draws,)
        Mean angle between students of different chains over pi.
    stable_error, expected_stable_error : ndarray, shape (draws,)
        Error of the student of largest stability, and its mean angle to students over pi.
    r_hat : ndarray, shape (draws,)
        Split R-hat of the students' angles to the teacher and to the center that the chains start from, the larger one.
    """

    error: Array
    expected_error: Array
    single_error: Array
    expected_single_error: Array
    stable_error: Array
    expected_stable_error: Array
    r_hat: Array


def version_space(
    alpha: float,
    *,
    inputs: int = 50,
    distribution: str = "gaussian",
    students: int = 100,
    draws: int = 1,
    rng: np.random.Generator | int = 0,
) -> SimulatedVersionSpace:
    r"""Draw data that a teacher labels, and students at random among those that label them alike.

    .. math:: w \sim \mathcal N(0, 1)^N \quad\text{with}\quad y^\mu\,w\cdot x^\mu > 0\ \text{for all}\ \mu

    Parameters
    ----------
    alpha : float
        Samples per input, > 0; their number is rounded.
    inputs : int
        N >= 2.
    distribution, draws, rng
        As in `fixed_norm`; each draw takes two streams.
    students : int
        Kept of each of two chains, at least 20; up to eight times as many, where chains take that long to agree.

    Returns
    -------
    SimulatedVersionSpace
        Errors of the students' center, which is Bayes' rule for many inputs, and of single students, which is Gibbs'.

    Raises
    ------
    DomainError
        If an argument is out of range.
    ConvergenceError
        If chains disagree (R-hat above 1.1), or have fewer than ten effective draws each.
    ResourceError
        If a draw or the results would need more than the memory budget.

    Notes
    -----
    Exact Hamiltonian paths of a normal distribution, ellipses that are reflected where a margin vanishes (Pakman and Paninski): a
    billiard. They start at the student of largest stability, and on the way from it to a wall. A flight is so long that the student
    after it is nearly independent of the one before: some 3 N reflections of O(P) each.

    References
    ----------
    .. [1] A. Pakman, L. Paninski, "Exact Hamiltonian Monte Carlo for truncated multivariate Gaussians", arXiv:1208.4118.
    .. [2] P. Rujan, "Playing billiards in version space", Neural Computation 9 (1997), 99.

    Examples
    --------
    >>> found = version_space(8, inputs=20, draws=4)
    >>> bool(np.all(found.expected_error < found.expected_single_error)), bool(np.all(found.r_hat < 1.1))
    (True, True)
    """
    samples, size = task_size(alpha, inputs, distribution)
    kept = whole("students", students, low=20)
    entries = 2.0 * samples * size + float(samples) ** 2 + CHAINS * 3.0 * _LONGEST * kept * size
    afford(entries, "one draw", "use fewer samples, inputs or students")
    count = whole("draws", draws)
    found = table(7, count)
    source = generator(rng)
    for i, (signed, teacher) in enumerate(tasks(source, count, samples, size, distribution)):
        found[:, i] = _looked_at(signed, teacher, kept, source.spawn(1)[0])
    return SimulatedVersionSpace(*found)


def _looked_at(
    signed: Array, teacher: Array, kept: int, rng: np.random.Generator
) -> tuple[float, ...]:
    """Return errors of center, single students and most stable one, and R-hat; chains that do not agree yet are continued."""
    center = most_stable(signed)[0]
    billiard = Billiard(signed, center, rng)
    chains = billiard.students(_WARMUP + kept)[:, _WARMUP:]
    while True:
        angles = {
            "angle to the teacher": _angles(chains, teacher),
            "angle to the most stable student": _angles(chains, center),
        }
        told = agreement(angles)
        if told.status is Status.CONVERGED:
            break
        if chains.shape[1] >= _LONGEST * kept:
            raise ConvergenceError(
                f"version_space: {told.complaint.split(';')[0]}; use more students"
            )
        chains = np.concatenate([chains, billiard.students(chains.shape[1])], axis=1)
    means = chains.mean(axis=1)
    cross = [_angles(chains[1 - k], means[k]).mean() for k in range(CHAINS)]
    pairs = np.arccos(np.clip(chains[0] @ chains[1].T, -1.0, 1.0)).mean() / math.pi
    return (
        angle_over_pi(means.mean(axis=0), teacher),
        float(np.mean(cross)),
        float(angles["angle to the teacher"].mean()),
        float(pairs),
        angle_over_pi(center, teacher),
        float(angles["angle to the most stable student"].mean()),
        1 + told.residual,
    )


class Billiard:
    """Chains in a version space, where they are: at its most stable student, and close to a wall in a direction at random."""

    def __init__(self, signed: Array, center: Array, rng: np.random.Generator):
        samples, size = signed.shape
        self.signed, self.gram, self.rng = signed, signed @ signed.T, rng
        self.flight = min(math.pi / 2, _FLIGHT * size / samples)
        middle = center * (math.sqrt(size) / np.linalg.norm(center))
        away = rng.standard_normal(size)
        margins, slopes = signed @ middle, signed @ away
        near = slopes < 0
        far = float(np.min(-margins[near] / slopes[near])) if np.any(near) else 1.0
        self.places = [middle, middle + _NEAR * far * away]

    def students(self, count: int) -> Array:
        """Return the next students of unit norm along the chains, shape (2, count, N)."""
        samples, size = self.signed.shape
        found, most = np.empty((CHAINS, count, size)), _BOUNCES * (size + samples)
        for place, row in zip(self.places, found, strict=True):
            if fly(self.rng, place, self.signed, self.gram, self.flight, most, row) < 0:
                raise ConvergenceError(
                    f"version_space: a flight has not ended after {most} reflections; use fewer samples"
                )
        return np.asarray(found / np.linalg.norm(found, axis=2)[..., None])


def _angles(students: Array, other: Array) -> Array:
    """Return angles over pi between unit students and one other."""
    cosines = students @ (other / np.linalg.norm(other))
    return np.asarray(np.arccos(np.clip(cosines, -1.0, 1.0)) / math.pi)


@njit
def fly(
    rng: np.random.Generator,
    position: Array,
    signed: Array,
    gram: Array,
    flight: float,
    bounces: int,
    positions: Array,
) -> int:
    r"""Run a chain of reflected ellipses, :math:`w(t) = w\cos t + v\sin t`, with a new normal v for each.

    Parameters
    ----------
    rng : Generator
        Source of randomness.
    position : ndarray, shape (N,)
        Where the chain is, all margins positive; moved.
    signed, gram : ndarray, shape (P, N) and (P, P)
        :math:`Z_{\mu i} = y^\mu x^\mu_i/\sqrt N`, and :math:`Z Z^T`.
    flight : float
        Time of a flight, at most pi/2.
    bounces : int
        Most reflections of one flight.
    positions : ndarray, shape (K, N)
        Receives the end of every flight.

    Returns
    -------
    int
        Reflections, or -1 if a flight had more.
    """
    samples, size = signed.shape
    velocity, margins, slopes = np.empty(size), np.empty(samples), np.empty(samples)
    total = 0
    for k in range(positions.shape[0]):
        for j in range(size):
            velocity[j] = rng.standard_normal()
        for i in range(samples):
            margin, slope = 0.0, 0.0
            for j in range(size):
                margin += signed[i, j] * position[j]
                slope += signed[i, j] * velocity[j]
            margins[i], slopes[i] = max(margin, _TINY), slope
        left, done = flight, 0
        while True:
            # a margin vanishes at the angle pi/2 + atan(slope/margin)
            steepest, wall = 0.0, -1
            for i in range(samples):
                if slopes[i] < steepest * margins[i]:
                    steepest, wall = slopes[i] / margins[i], i
            time = left
            if wall >= 0:
                time = min(math.atan(steepest) + math.pi / 2, left)
            cosine, sine = math.cos(time), math.sin(time)
            for j in range(size):
                here = position[j]
                position[j] = cosine * here + sine * velocity[j]
                velocity[j] = cosine * velocity[j] - sine * here
            if wall < 0 or time >= left:
                break
            for i in range(samples):
                margin = margins[i]
                margins[i] = max(cosine * margin + sine * slopes[i], _TINY)
                slopes[i] = cosine * slopes[i] - sine * margin
            push = 2 * slopes[wall] / gram[wall, wall]
            for j in range(size):
                velocity[j] -= push * signed[wall, j]
            for i in range(samples):
                slopes[i] -= push * gram[wall, i]
            margins[wall] = _TINY
            left -= time
            done += 1
            if done > bounces:
                return -1
        total += done
        positions[k] = position
    return total
