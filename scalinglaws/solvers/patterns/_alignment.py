r"""How likely a network is to be aligned with its target, in mean-field theory, and how far off that is at finite sizes."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from ...arguments import MOST_EXACT, broadcast, numbers, shaped, whole_numbers
from ...results import Result
from .._roots import brentq
from ..catalogue import shows
from ._fixed_number import bounds_of_specialized, curvature_of_chance, fixed_numbers
from ._normal import Array, log_tail_of_normal
from ._site import (
    Moments,
    Tilted,
    lowest_peak,
    moments,
    relative_entropy,
    tilted_by,
    tilted_to,
)

MOST_TOLD_APART = 8.0
"""Expected number of specialized neurons up to which their numbers are told apart, instead of drawn independently."""
LEAST_DIMENSION, LARGEST_DIMENSION = 1e-12, 1e20
"""Input dimensions between which tilted laws keep their digits."""


@shows("rate", "tilt", "variance", "specialized", "corrected", "shortfall")
@dataclass(frozen=True)
class AlignmentRate(Result):
    r"""Mean-field large deviation of the alignment.

    Attributes
    ----------
    rate : float or ndarray
        I, the estimate of :math:`-\log P(A \ge 1)` in the limit of large systems.
    tilt : float or ndarray
        :math:`\tau`, conjugate to the overlap.
    variance : float or ndarray
        v, the variance of the alignment given the weights.
    specialized : float or ndarray
        Expected number of neurons with \|w\| > 1; below 1, whole neurons cost more than the rate says.
    corrected : float or ndarray
        Estimate of :math:`-\log P(A \ge 1)` at these sizes: a whole number of specialized neurons where they are few, and the
        fluctuations around them. Not a number in results of version 0.1.
    shortfall : float or ndarray
        How far the rate is below that, as a share of it: 0.15 where the rate is 15 % off.
    """

    rate: float | Array
    tilt: float | Array
    variance: float | Array
    specialized: float | Array
    corrected: float | Array = math.nan
    shortfall: float | Array = math.nan


def alignment_rate(n: ArrayLike, d: ArrayLike) -> AlignmentRate:
    r"""Compute how likely a network is to be aligned with its target, in mean-field theory.

    .. math:: I = \min_v\ \frac{1}{2v} + N \sup_\tau [\tau v - \Lambda(\tau)], \qquad \Lambda(\tau) = \log E\, e^{\tau \psi(w^2)}

    whose solution has :math:`v = \Lambda'(\tau)`, :math:`\tau = 1/(2Nv^2)`. Both terms are convex in v: there is one solution.

    Parameters
    ----------
    n : array_like
        Width N, whole, from 1 to 2^53.
    d : array_like
        Input dimension, from 1e-12 to 1e20; broadcast against `n`.

    Returns
    -------
    AlignmentRate
        Rate, tilt, variance, the number of specialized neurons, and how far the rate is off at these sizes.

    Raises
    ------
    DomainError
        If an argument is out of range.

    Notes
    -----
    Gauss-Legendre quadrature around the peaks of the tilted law, whose cost does not depend on the sizes, and Brent's method for
    the tilt, or where there are two peaks for the height of the second. The rate is accurate to 1e-12, tilt and variance to 1e-9.
    A statement on large systems: where
    less than one neuron would specialize, in layers narrower than the input, the rate takes a share of a neuron and is too small,
    by 15 % at (N, d) = (10, 1000) and by any factor beyond. ``shortfall`` says by how much, from saddle points for each number
    of specialized neurons, good to some tenths of a nat; `log_alignment` measures it.

    References
    ----------
    .. [1] N. Rubin, O. Davidovich, Z. Ringel, arXiv:2512.04165 (patterns of feature learning).

    Examples
    --------
    >>> found = alignment_rate([100, 10], [100, 1000])
    >>> found.rate.round(6), found.specialized.round(6)
    (array([884.223681, 898.483298]), array([3.2024 , 0.30183]))
    >>> found.corrected.round(1), found.shortfall.round(3)
    (array([ 891.2, 1051.8]), array([0.008, 0.146]))
    """
    shape, flat = broadcast(
        {
            "n": whole_numbers("n", n, high=MOST_EXACT),
            "d": numbers("d", d, low=LEAST_DIMENSION, high=LARGEST_DIMENSION),
        }
    )
    rows = [_rate(float(width), float(dimension)) for width, dimension in zip(*flat, strict=True)]
    return AlignmentRate(
        *(shaped(np.asarray(column), shape) for column in np.array(rows).reshape(-1, 6).T)
    )


def _rate(n: float, d: float) -> tuple[float, float, float, float, float, float]:
    law, found = mean_field(n, d)
    value = 1 / (2 * found.mean) + n * relative_entropy(law, d, found)
    corrected = estimate(n, d)
    return value, law.tilt, found.mean, n * found.beyond, corrected, 1 - value / corrected


def estimate(n: float, d: float) -> float:
    """Estimate minus the logarithm of the probability from saddle points, without sampling."""
    law, found = mean_field(n, d)
    if told_apart(n, d, law):
        logs = [entry.log_probability for entry in fixed_numbers(n, d)]
        return -float(np.logaddexp.reduce(logs))
    curvature = curvature_of_chance(n, n * found.mean)
    fluctuations = 0.5 * math.log1p(curvature * n * found.variance)
    shared = n * relative_entropy(law, d, found)
    return shared + fluctuations - log_tail_of_normal(1 / math.sqrt(found.mean))


def told_apart(n: float, d: float, law: Tilted) -> bool:
    """Tell whether specialized neurons are so few that their number must be told apart."""
    threshold, reach = bounds_of_specialized(n, d)
    # the share beyond the threshold, from integrals on either side of it
    below, above = (
        moments(law, d, *ends).log_total for ends in ((0.0, threshold), (threshold, reach))
    )
    return n * math.exp(above - float(np.logaddexp(below, above))) <= MOST_TOLD_APART


def mean_field(n: float, d: float, power: int = 3) -> tuple[Tilted, Moments]:
    """Return the tilted law of one neuron that solves the mean-field equation, and its moments; n need not be whole."""

    def excess(law: Tilted) -> float:
        return math.log(law.tilt) + math.log(2 * n) + 2 * math.log(moments(law, d).mean)

    # the excess rises with the tilt; v grows with it too, so that either side of the spinodal is bounded by v there
    lowest = lowest_peak(d, power)
    spinodal = tilted_to(lowest, d, power)
    edge = -math.log(2 * n) - 2 * math.log(moments(spinodal, d).mean)
    if excess(spinodal) >= 0:
        top = math.log(spinodal.tilt)
        root = brentq(
            lambda y: excess(tilted_by(math.exp(y), d, power)),
            edge - 1e-9,
            top + 1e-9,
            xtol=1e-14,
            rtol=1e-14,
            maxiter=200,
        )
        law = tilted_by(math.exp(root), d, power)
    else:
        # at a given height, since the share of neurons that specialize depends on its exponential
        highest = tilted_by(math.exp(edge + 1e-9), d, power).height
        root = brentq(
            lambda y: excess(tilted_to(math.sinh(y), d, power)),
            math.asinh(lowest),
            math.asinh(highest) + 1e-9,
            xtol=1e-14,
            rtol=1e-14,
            maxiter=200,
        )
        law = tilted_to(math.sinh(root), d, power)
    return law, moments(law, d)
