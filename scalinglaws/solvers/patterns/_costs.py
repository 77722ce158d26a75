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

from ...arguments import (
    afford,
    broadcast,
    generator,
    number,
    numbers,
    refuse_first,
    shaped,
    whole,
    whole_numbers,
)
from ...errors import ConvergenceError, ResourceError, refusal
from ...results import Result
from .._roots import bounded_minimum
from ..catalogue import shows
from ._normal import Array
from ._site import psi

_LOG_STEP = 0.1  # of a weight over its deviation: an error of exp(-2 pi (pi/4)/0.1)
_LOG_NEAREST, _LOG_FARTHEST = (
    -9.0,
    math.log(14.0),
)  # the integrand falls as its seventh power, and as a Gaussian
_LARGEST_LOG = 709.0  # of a float
_MOST_WEIGHTS = 1e8  # over all starts of a direct optimization


@shows("cost", "neurons", "squared_weight", "relaxed")
@dataclass(frozen=True)
class SpecializedCost(Result):
    r"""Cost of aligning through few neurons.

    Attributes
    ----------
    cost : float or ndarray
        Cost -log P of the best whole number of neurons, or of the number asked for.
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
        Cost -log P of the inflated variance.
    inflation : float or ndarray
        Factor by which the weights' variance grows.
    """

    cost: float | Array
    inflation: float | Array


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
    Closed form, accurate to rounding. How many neurons specialize depends on the target's normalization, by
    :math:`M^* = 3 (\alpha/C) \sqrt{N/d}` for an alignment :math:`\alpha` and an overlap C times that of this network. At N = d it
    is 3 here, where the constants of the error function are dropped, and for the target :math:`He_3/\sqrt6` with true constants; 1
    for :math:`He_3` at an alignment of 1; 8 for a network that equals :math:`He_3` in full.

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
        chosen, most = np.broadcast_arrays(checked["neurons"], checked["n"])
        refuse_first("neurons", chosen, chosen > most, "must not exceed n at the same place")
    shape, flat = broadcast(checked)
    width, dimension = flat[:2]
    root, side = np.sqrt(width), np.sqrt(dimension)
    with np.errstate(over="ignore"):  # as many as there are
        low = np.clip(np.floor(3 * (root / side)), 1, width)
    tried = [flat[2]] if neurons is not None else [low, np.minimum(low + 1, width)]
    costs, weights = zip(*(_of_equal(root, side, count) for count in tried), strict=True)
    best = np.argmin(costs, axis=0)
    cost, count, weight = (
        shaped(np.choose(best, options), shape) for options in (list(costs), tried, list(weights))
    )
    return SpecializedCost(cost, count, weight, shaped(9 * root * side, shape))


def _of_equal(root: Array, side: Array, neurons: Array) -> tuple[Array, Array]:
    """Return cost and squared weight of equal neurons, given the roots of N and d.

    With t = sqrt(d) r = 3 (1 + sqrt(1 + k)) sqrt(N)/M, the least cost M d r (2 + r/3)/3 is M (2 sqrt(d) t + t^2/3)/3.
    """
    t = 3 * (1 + np.sqrt(1 + neurons * (side / root))) * (root / neurons)
    return neurons * t * (2 * side + t / 3) / 3, t / side


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
        If an argument is out of range, or a cost exceeds the largest float.

    Notes
    -----
    The trapezoid rule in the logarithm of a weight for the mean, exact to rounding; the minimum to 1e-12. For large N and d the
    cost tends to :math:`\frac23 5.4^{1/4} (Nd)^{3/4}`, the lazy cost to :math:`0.9 d^3`.

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
        most = min(math.log(100) + math.log1p(dimension), _LARGEST_LOG)
        found = math.log(given[0]) if given else _least(cost, most)
        value = cost(found)
        if not math.isfinite(value):
            raise refusal("d", dimension, "makes a cost beyond the largest float, 1.8e308")
        rows.append((value, math.exp(found)))
    columns = np.array(rows).reshape(-1, 2).T
    return GaussianCost(*(shaped(np.asarray(column), shape) for column in columns))


def _of_inflated(n: float, d: float) -> Callable[[float], float]:
    def cost(log_inflation: float) -> float:
        spread = 0.5 * (log_inflation - math.log(d))  # log of the deviation of weights
        # over log x = log w - spread, from below where the overlap saturates
        nearest = math.floor((_LOG_NEAREST + min(-spread, 0.0)) / _LOG_STEP)
        t = _LOG_STEP * np.arange(nearest, math.ceil(_LOG_FARTHEST / _LOG_STEP))
        # psi = (3 exp(-2 log w) + 2)^-3, in logarithms: it may underflow
        logs = t - np.exp(2 * t) / 2 - 3 * np.logaddexp(math.log(3) - 2 * (t + spread), math.log(2))
        top = float(logs.max())
        total = _LOG_STEP * float(np.exp(logs - top).sum()) * math.sqrt(2 / math.pi)
        log_readout = -math.log(2 * total) - top
        if log_readout > _LARGEST_LOG:
            return math.inf
        excess = math.expm1(log_inflation) if log_inflation < _LARGEST_LOG else math.inf
        return n / 2 * (excess - log_inflation) + math.exp(log_readout)

    return cost


def _least(cost: Callable[[float], float], most: float) -> float:
    """Return where a function is least between 0 and `most`: the best of a grid, polished."""
    grid = np.linspace(0.0, most, 101)
    values = [cost(point) for point in grid.tolist()]
    best = int(np.argmin(values))
    return bounded_minimum(cost, grid[max(best - 1, 0)], grid[min(best + 1, 100)], xatol=1e-9)[0]


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
    ResourceError
        If all starts together have more than 1e8 weights, or one does not fit into the memory budget.

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
    if float(width) * tries > _MOST_WEIGHTS:
        raise ResourceError(
            f"optimize_configuration: {tries} starts of {width} weights are more than {_MOST_WEIGHTS:.0e} weights, "
            "some minutes of work; use fewer starts or neurons"
        )
    afford(25.0 * width, "one optimization", "use fewer neurons")  # ten pairs of L-BFGS

    def cost(w: Array) -> tuple[float, Array]:
        r = w**2
        total = float(psi(r).sum())
        slope = 9 * r**2 / (3 + 2 * r) ** 4  # of psi
        return dimension / 2 * float(r.sum()) + width / (
            2 * total
        ), dimension * w - width / total**2 * slope * w

    from scipy.optimize import minimize

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
