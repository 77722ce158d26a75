r"""A network that must align with a cubic target: its most likely configurations, and the cost of each pattern.

.. math:: A = \sum_{i \le N} a_i\, g(w_i), \quad g(w) = \frac{w^3}{(3 + 2w^2)^{3/2}}, \quad a_i \sim N(0, 1/N), \; w_i \sim N(0, 1/d).

Given the weights, A is Gaussian with variance :math:`V = \frac1N \sum_i \psi(w_i^2)`, :math:`\psi(r) = (r/(3 + 2r))^3`, so that
:math:`P(A \ge 1) = E_w \bar\Phi(V^{-1/2})` and the cost of a configuration is :math:`\frac d2 \sum_i w_i^2 + \frac{1}{2V}`.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.integrate import simpson
from scipy.optimize import brentq, minimize, minimize_scalar

from ...arguments import (
    broadcast,
    generator,
    number,
    numbers,
    shaped,
    whole,
    whole_numbers,
)
from ...errors import ConvergenceError, refusal
from ...results import Result
from ..catalogue import shows
from ._normal import Array

_POLE = math.sqrt(1.5)  # distance of the poles of psi(w^2) from the real axis
_FINE = 50  # points of Simpson's rule per width of the prior


@shows("cost", "neurons", "squared_weight", "relaxed")
@dataclass(frozen=True)
class SpecializedCost(Result):
    r"""Cost of aligning through few neurons.

    Attributes
    ----------
    cost : float or ndarray
        Of the best whole number of neurons, or of the number asked for.
    neurons : float or ndarray
        How many specialize.
    squared_weight : float or ndarray
        Squared weight of each on the target's direction.
    relaxed : float or ndarray
        Cost if the number of neurons could be a fraction, :math:`9\sqrt{Nd}`; smaller than `cost`.
    """

    cost: float | Array
    neurons: float | Array
    squared_weight: float | Array
    relaxed: float | Array


@shows("cost", "inflation")
@dataclass(frozen=True)
class GaussianCost(Result):
    """Cost of aligning through the variance of all neurons.

    Attributes
    ----------
    cost : float or ndarray
        Cost.
    inflation : float or ndarray
        Factor by which the weights' variance grows.
    """

    cost: float | Array
    inflation: float | Array


@shows("rate", "tilt", "variance", "specialized")
@dataclass(frozen=True)
class AlignmentRate(Result):
    r"""Mean-field large deviation of the alignment.

    Attributes
    ----------
    rate : float or ndarray
        I, the estimate of :math:`-\log P(A \ge 1)`.
    tilt : float or ndarray
        :math:`\tau`, conjugate to the overlap.
    variance : float or ndarray
        v, the variance of the alignment given the weights.
    specialized : float or ndarray
        Expected number of neurons with \|w\| > 1; below 1, use `specialized_cost`.
    """

    rate: float | Array
    tilt: float | Array
    variance: float | Array
    specialized: float | Array


@dataclass(frozen=True)
class Configuration(Result):
    """The cheapest weights found by direct optimization.

    Attributes
    ----------
    cost : float
        Its cost.
    weights : ndarray, shape (N,)
        Absolute values, largest first.
    specialized : int
        How many are above 1.
    starts : int
        Optimizations run.
    agreeing : int
        How many of them ended at this cost, to 1e-6.
    """

    cost: float
    weights: Array
    specialized: int
    starts: int
    agreeing: int


def psi(r: Array) -> Array:
    """Return the squared overlap of a neuron of squared weight r."""
    return (r / (3 + 2 * r)) ** 3


def specialized_cost(
    n: ArrayLike, d: ArrayLike, *, neurons: ArrayLike | None = None
) -> SpecializedCost:
    r"""Compute the cost of aligning through a few specialized neurons of equal weight.

    .. math:: \min_r\ \frac{d M r}{2} + \frac{N}{2 M \psi(r)}, \qquad r = \frac3k\big(1 + \sqrt{1 + k}\big),\quad k = M\sqrt{d/N}

    and the best M, one of the whole numbers around :math:`M^* = 3\sqrt{N/d}`.

    Parameters
    ----------
    n : array_like
        Width N, whole, >= 1.
    d : array_like
        Input dimension, > 0; broadcast against `n`.
    neurons : array_like, optional
        M, whole, from 1 to N; the best if left out.

    Returns
    -------
    SpecializedCost
        Cost, number of neurons and their squared weight.

    Raises
    ------
    DomainError
        If an argument is out of range.

    Notes
    -----
    Closed form, accurate to rounding. At N = d three neurons specialize, not one.

    References
    ----------
    .. [1] N. Rubin, O. Davidovich, Z. Ringel, arXiv:2512.04165 (patterns of feature learning).

    Examples
    --------
    >>> found = specialized_cost(100, 100)
    >>> round(found.cost, 9), found.neurons, round(found.squared_weight, 9)
    (900.0, 3.0, 3.0)
    """
    checked = {
        "n": whole_numbers("n", n),
        "d": numbers("d", d, low=0.0, strict=True),
    }
    if neurons is not None:
        checked["neurons"] = whole_numbers("neurons", neurons)
        if np.any(np.greater(checked["neurons"], checked["n"])):
            raise refusal("neurons", neurons, f"must not exceed n = {n!r}")
    shape, flat = broadcast(checked)
    width, dimension = flat[:2]
    relaxed = 3 * np.sqrt(width / dimension)
    low = np.clip(np.floor(relaxed), 1, width)
    tried = [flat[2]] if neurons is not None else [low, np.minimum(low + 1, width)]
    costs, weights = zip(*(_of_equal(width, dimension, count) for count in tried), strict=True)
    best = np.argmin(costs, axis=0)
    cost, count, weight = (
        shaped(np.choose(best, options), shape) for options in (list(costs), tried, list(weights))
    )
    return SpecializedCost(cost, count, weight, shaped(9 * np.sqrt(width * dimension), shape))


def _of_equal(n: Array, d: Array, neurons: Array) -> tuple[Array, Array]:
    k = neurons * np.sqrt(d / n)
    r = 3 * (1 + np.sqrt(1 + k)) / k
    return d * neurons * r / 2 + n / (2 * neurons * psi(r)), r


def gaussian_cost(
    n: ArrayLike, d: ArrayLike, *, inflation: ArrayLike | None = None
) -> GaussianCost:
    r"""Compute the cost of aligning through a larger variance of all weights, or none (the lazy network).

    .. math:: \min_\beta\ \frac N2 (\beta - 1 - \log\beta) + \frac{1}{2 E\,\psi(w^2)}, \qquad w \sim N(0, \beta/d)

    Parameters
    ----------
    n : array_like
        Width N, whole, >= 1.
    d : array_like
        Input dimension, > 0; broadcast against `n`.
    inflation : array_like, optional
        :math:`\beta > 0`; 1 for the lazy network, the best if left out.

    Returns
    -------
    GaussianCost
        Cost and inflation.

    Raises
    ------
    DomainError
        If an argument is out of range.

    Notes
    -----
    The trapezoid rule for the mean, exact to rounding; the minimum to 1e-12. For large N and d the cost tends to
    :math:`\frac23 5.4^{1/4} (Nd)^{3/4}`, the lazy cost to :math:`0.9 d^3`.

    References
    ----------
    .. [1] N. Rubin, O. Davidovich, Z. Ringel, arXiv:2512.04165 (patterns of feature learning).

    Examples
    --------
    >>> round(gaussian_cost(100, 100).cost, 6)
    1376.84618
    >>> round(gaussian_cost(10, 10, inflation=1).cost, 6)
    2450.069998
    """
    checked = {
        "n": whole_numbers("n", n),
        "d": numbers("d", d, low=0.0, strict=True),
    }
    if inflation is not None:
        checked["inflation"] = numbers("inflation", inflation, low=0.0, strict=True)
    shape, flat = broadcast(checked)
    rows = []
    for width, dimension, *given in zip(*flat, strict=True):
        cost = _of_inflated(float(width), float(dimension))
        found = math.log(given[0]) if given else _least(cost, math.log(100 * (1 + dimension)))
        rows.append((cost(found), math.exp(found)))
    columns = np.array(rows).reshape(-1, 2).T
    return GaussianCost(*(shaped(np.asarray(column), shape) for column in columns))


def _of_inflated(n: float, d: float) -> Callable[[float], float]:
    def cost(log_inflation: float) -> float:
        scale = math.exp(log_inflation / 2) / math.sqrt(d)
        step = min(0.1, _POLE / (6 * scale))  # the rule's error is exp(-2 pi 6)
        x = step * np.arange(-math.ceil(12 / step), math.ceil(12 / step) + 1)
        density = np.exp(-(x**2) / 2)
        mean = float(density @ psi(np.square(scale * x))) / float(density.sum())
        return n / 2 * (math.expm1(log_inflation) - log_inflation) + 1 / (2 * mean)

    return cost


def _least(cost: Callable[[float], float], most: float) -> float:
    """Return where a function is least between 0 and `most`: the best of a grid, polished."""
    grid = np.linspace(0.0, most, 101)
    values = [cost(point) for point in grid.tolist()]
    best = int(np.argmin(values))
    found = minimize_scalar(
        cost,
        bounds=(grid[max(best - 1, 0)], grid[min(best + 1, 100)]),
        method="bounded",
        options={"xatol": 1e-9},
    )
    return float(found.x)


def alignment_rate(n: ArrayLike, d: ArrayLike) -> AlignmentRate:
    r"""Compute how likely a network is to be aligned with its target, in mean-field theory.

    .. math:: I = \min_v\ \frac{1}{2v} + N \sup_\tau [\tau v - \Lambda(\tau)], \qquad \Lambda(\tau) = \log E\, e^{\tau \psi(w^2)}

    whose solution has :math:`v = \Lambda'(\tau)`, :math:`\tau = 1/(2Nv^2)`. Both terms are convex in v: there is one solution.

    Parameters
    ----------
    n : array_like
        Width N, whole, >= 1.
    d : array_like
        Input dimension, > 0; broadcast against `n`.

    Returns
    -------
    AlignmentRate
        Rate, tilt, variance and the number of specialized neurons.

    Raises
    ------
    DomainError
        If an argument is out of range.

    Notes
    -----
    Brent's method in :math:`\log\tau` over a trapezoid rule, accurate to 1e-10. A mean-field statement: where less than one
    neuron would specialize, whole neurons cost more (`specialized_cost`).

    References
    ----------
    .. [1] N. Rubin, O. Davidovich, Z. Ringel, arXiv:2512.04165 (patterns of feature learning).

    Examples
    --------
    >>> found = alignment_rate(100, 100)
    >>> round(found.rate, 6), round(found.specialized, 6)
    (884.223681, 3.2024)
    """
    shape, flat = broadcast(
        {"n": whole_numbers("n", n), "d": numbers("d", d, low=0.0, strict=True)}
    )
    rows = [_rate(float(width), float(dimension)) for width, dimension in zip(*flat, strict=True)]
    return AlignmentRate(
        *(shaped(np.asarray(column), shape) for column in np.array(rows).reshape(-1, 4).T)
    )


def site(d: float, points: Array) -> tuple[Array, Array]:
    """Return squared overlaps and logarithms of unnormalized weights of a neuron's weight at the points."""
    return psi(points**2), -d * points**2 / 2


def _rate(n: float, d: float) -> tuple[float, float, float, float]:
    reach = max(6.0, 12 / math.sqrt(d))
    w = np.linspace(-reach, reach, 2 * math.ceil(reach / min(0.02, 0.1 / math.sqrt(d))) + 1)
    overlap, prior = site(d, w)
    norm = _log_sum(prior)

    def tilted(log_tilt: float) -> tuple[Array, float, float]:
        logs = prior + math.exp(log_tilt) * overlap
        total = _log_sum(logs)
        weights = np.exp(logs - total)
        return weights, total - norm, float(weights @ overlap)

    def excess(log_tilt: float) -> float:
        return log_tilt + math.log(2 * n) + 2 * math.log(tilted(log_tilt)[2])

    # v lies between its untilted value and 1/8, the largest overlap
    low, high = math.log(32 / n), -excess(-700.0) - 700.0
    root = brentq(excess, min(low, high) - 1, max(low, high) + 1, xtol=1e-13, rtol=1e-14)
    _, generating, variance = tilted(root)
    tilt = math.exp(root)
    value = 1 / (2 * variance) + n * (tilt * variance - generating)
    beyond = np.linspace(1.0, reach, 2 * math.ceil(_FINE * (reach - 1) * math.sqrt(d)) + 2001)
    overlap, prior = site(d, beyond)
    step = w[1] - w[0]
    share = 2 * float(simpson(np.exp(prior + tilt * overlap - norm - generating), x=beyond)) / step
    return value, tilt, variance, n * share


def _log_sum(logs: Array) -> float:
    top = float(logs.max())
    return top + math.log(float(np.exp(logs - top).sum()))


def optimize_configuration(
    n: int, d: float, *, starts: int = 30, rng: np.random.Generator | int
) -> Configuration:
    r"""Find the most likely weights of an aligned network by direct optimization over all of them.

    .. math:: \min_w\ \frac d2 \sum_i w_i^2 + \frac{N}{2 \sum_i \psi(w_i^2)}

    Parameters
    ----------
    n : int
        Width N, >= 1.
    d : float
        Input dimension, > 0.
    starts : int
        Number of random starts, >= 1: a random number of neurons is made large in each.
    rng : Generator or int
        Source of random numbers, or its seed.

    Returns
    -------
    Configuration
        The cheapest minimum found.

    Raises
    ------
    DomainError
        If an argument is out of range.
    ConvergenceError
        If no start ended at a minimum.

    Notes
    -----
    L-BFGS with the exact gradient; some milliseconds per start at N = 100. Knows nothing of patterns: a test of them.

    References
    ----------
    .. [1] N. Rubin, O. Davidovich, Z. Ringel, arXiv:2512.04165 (patterns of feature learning).

    Examples
    --------
    >>> found = optimize_configuration(100, 100, starts=20, rng=0)
    >>> round(found.cost, 3), found.specialized
    (900.0, 3)
    """
    width, dimension = (
        whole("n", n),
        number("d", d, low=0.0, strict=True),
    )
    tries = whole("starts", starts)
    source = generator(rng)

    def cost(w: Array) -> tuple[float, Array]:
        r = w**2
        total = float(psi(r).sum())
        slope = 9 * r**2 / (3 + 2 * r) ** 4  # of psi
        return dimension / 2 * float(r.sum()) + width / (
            2 * total
        ), dimension * w - width / total**2 * slope * w

    ends = []
    for _ in range(tries):
        start = source.standard_normal(width) / math.sqrt(dimension)
        large = int(
            source.integers(0, min(width, math.ceil(6 * math.sqrt(width / dimension)) + 3) + 1)
        )
        start[:large] += source.uniform(1.0, 4.0, large)
        found = minimize(
            cost,
            start,
            jac=True,
            method="L-BFGS-B",
            options={"maxiter": 20_000, "maxfun": 40_000, "ftol": 1e-15, "gtol": 1e-8},
        )
        ends.append((float(found.fun), np.sort(np.abs(found.x))[::-1]))
    value, weights = min(ends, key=lambda end: end[0])
    if not math.isfinite(value):
        raise ConvergenceError(
            f"optimize_configuration: no start of n = {n}, d = {d} ended at a minimum",
            result=weights,
        )
    agreeing = sum(abs(end[0] - value) <= 1e-6 * value for end in ends)
    return Configuration(value, weights, int(np.sum(weights > 1)), tries, agreeing)
