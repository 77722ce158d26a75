"""Where the law of a two-layer network's weights changes its shape, as the ridge per sample falls."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from ...arguments import Array, number
from ...errors import refusal
from ...results import Result
from .._roots import brentq
from ..catalogue import shows
from ._dual import Maximum, Problem, Weights, maximum
from ._two_layer import FAR, checked_problem
from ._weight_law import curvature_at_zero, far_weight, steepest_beyond

_PER_DECADE = 10
_DECADES = 9


@shows("bimodality", "far_mode", "far_neuron", whole=("target", "degrees", "mixed"))
@dataclass(frozen=True)
class TwoLayerThresholds(Result):
    r"""Ridges per sample at which the law of weights changes; 0 for what does not happen in the range that was searched,
    inf for what the prior does, too.

    Attributes
    ----------
    bimodality : float
        :math:`\kappa'` below which the density has a minimum at zero.
    far_mode : float
        :math:`\kappa'` below which it has a mode beyond `far`.
    far_neuron : float
        :math:`\kappa'` below which more than one neuron is expected there.
    bimodality_mean, far_mode_mean, far_neuron_mean : ndarray, shape (features,)
        Mean predictor at each; NaN where there is none.
    searched : tuple of float
        The largest and the least :math:`\kappa'` that were tried.
    """

    bimodality: float
    far_mode: float
    far_neuron: float
    bimodality_mean: Array
    far_mode_mean: Array
    far_neuron_mean: Array
    searched: tuple[float, float]


def two_layer_thresholds(
    target: ArrayLike,
    *,
    dimension: int,
    width: float,
    scale: float = 1.0,
    degrees: Sequence[int] = (1, 3),
    mixed: Sequence[int] = (),
    perpendicular: str = "integrated",
    readout_variance: float = 1.0,
    weight_variance: float = 1.0,
    far: float = FAR,
) -> TwoLayerThresholds:
    r"""Find where the weights of a two-layer network become bimodal, and where some of them go far, as samples are added.

    With the solution of `two_layer`, two modes are born at zero where

    .. math:: \frac{d}{\sigma_w^2} = \frac{\chi\sigma_a^2}{N}\, E_\rho\,(t\cdot c'(0))^2,

    and a far mode where the density of a weight along the target stops falling beyond `far`. They belong to one solution for each
    :math:`\kappa'`, which is unique: what changes is its shape, continuously or not.

    Parameters
    ----------
    target, dimension, width, scale, degrees, mixed, perpendicular, readout_variance, weight_variance, far
        As for `two_layer`.

    Returns
    -------
    TwoLayerThresholds
        The first ridge per sample, from large ones down, at which each of them happens.

    Raises
    ------
    DomainError
        If an argument is out of range, or the target is zero.

    Notes
    -----
    :math:`\kappa'` is searched over nine decades from where nothing can adapt, at 10 values a decade, and each first change of sign is
    polished, to 1e-10. About 0.2 s, with `perpendicular` integrated 3 s and more. A mode that comes and goes within a
    tenth of a decade is missed.

    References
    ----------
    .. [1] N. Rubin, I. Seroussi, Z. Ringel, "Grokking as a first order phase transition in two layer networks", arXiv:2310.03789.

    Examples
    --------
    >>> found = two_layer_thresholds([1, 0.1 * math.sqrt(6)], dimension=100, width=1000, scale=1000, perpendicular="concentrated")
    >>> round(found.bimodality, 7), round(found.far_mode, 6), round(found.far_neuron, 6)
    (0.0436591, 0.001625, 0.001408)
    """
    problem = checked_problem(
        target,
        dimension=dimension,
        width=width,
        scale=scale,
        degrees=degrees,
        mixed=mixed,
        perpendicular=perpendicular,
        readout_variance=readout_variance,
        weight_variance=weight_variance,
    )
    cut = number("far", far, low=0.0, strict=True)
    if not np.any(problem.target):
        raise refusal("target", target, "must not be zero")

    def bimodal(found: Maximum, weights: Weights) -> float:
        return curvature_at_zero(problem, found.t, weights.rule)

    def far_mode(found: Maximum, weights: Weights) -> float:
        return steepest_beyond(problem, found.t, weights.rule, cut)

    def far_neuron(found: Maximum, weights: Weights) -> float:
        beyond = problem.width * far_weight(found, weights, cut)
        return math.log(beyond) if beyond > 0 else -1e3

    crossings, searched = _first_crossings(problem, (bimodal, far_mode, far_neuron))
    bimodality, far_place, far_count = crossings
    return TwoLayerThresholds(
        bimodality=bimodality[0],
        far_mode=far_place[0],
        far_neuron=far_count[0],
        bimodality_mean=bimodality[1],
        far_mode_mean=far_place[1],
        far_neuron_mean=far_count[1],
        searched=searched,
    )


Condition = Callable[[Maximum, Weights], float]


def _first_crossings(
    problem: Problem, conditions: Sequence[Condition]
) -> tuple[list[tuple[float, Array]], tuple[float, float]]:
    """Go down in the ridge, and return where each condition first becomes positive, with the mean predictor there."""
    y = problem.target
    stiffness = problem.features.dimension / problem.weight_variance
    # t is at most y over the ridge, and no component of a neuron is steeper than its output, 2/sqrt(pi)
    top = 2 * math.sqrt(2 * problem.tilt * float(y @ y) / stiffness)
    lowest = top * 10.0**-_DECADES
    rate = 10 ** (-1 / _PER_DECADE)
    crossed: dict[int, tuple[float, Array]] = {}
    ridge, t = top, np.zeros(y.size)
    below = [False] * len(conditions)
    while ridge >= lowest and len(crossed) < len(conditions):
        found, weights, _ = maximum(problem, ridge, t)
        for i, condition in enumerate(conditions):
            if i in crossed:
                continue
            positive = condition(found, weights) > 0
            if positive and below[i]:
                crossed[i] = _crossing(problem, condition, ridge, ridge / rate, found.t)
            elif positive:  # under the prior, too
                crossed[i] = (math.inf, np.full(y.size, math.nan))
            below[i] = not positive
        t, ridge = found.t, ridge * rate
    missing = (0.0, np.full(y.size, math.nan))
    return [crossed.get(i, missing) for i in range(len(conditions))], (top, max(ridge, lowest))


def _crossing(
    problem: Problem, condition: Condition, low: float, high: float, t: Array
) -> tuple[float, Array]:
    def value(log_ridge: float) -> float:
        found, weights, _ = maximum(problem, math.exp(log_ridge), t)
        return condition(found, weights)

    root = math.exp(brentq(value, math.log(low), math.log(high), xtol=1e-12, rtol=1e-13))
    found, _, _ = maximum(problem, root, t)
    return root, found.kernel @ found.t
