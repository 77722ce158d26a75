r"""The concave dual of mean-field feature learning: its maximum, by damped Newton steps."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from ...arguments import Array, afford
from ...equality import by_value
from ...reprs import short_repr
from .._jit import njit
from ._overlaps import Features, Nodes, nodes

_STEPS = 200
_HALVINGS = 60
_ARMIJO = 1e-4
_NEGLIGIBLE = 45.0  # below the top of a logarithm
_FARTHEST, _DENSEST = 32.0, 4.0  # of a rule, over what is usual
_AGREEING = 1e-10


@short_repr
@by_value
@dataclass(frozen=True)
class Problem:
    r"""What the equations are about, but for the effective ridge.

    Attributes
    ----------
    target : ndarray, shape (features,)
        y.
    features : Features
    width, scale, readout_variance, weight_variance : float
        N, :math:`\chi`, :math:`\sigma_a^2`, :math:`\sigma_w^2`.
    integrated : bool
        Whether :math:`\rho` is integrated over its prior, or concentrated at its mean.
    """

    target: Array
    features: Features
    width: float
    scale: float
    readout_variance: float
    weight_variance: float
    integrated: bool

    @property
    def tilt(self) -> float:
        r"""Return :math:`\chi\sigma_a^2/2N`, in front of the squared :math:`t\cdot c`."""
        return self.scale * self.readout_variance / (2 * self.width)


@short_repr
@by_value
@dataclass(frozen=True)
class Weights:
    """Nodes of one neuron's weight, with its overlaps there.

    Attributes
    ----------
    rule : Nodes
    m, rho, log_prior : ndarray, shape (nodes,)
    components : ndarray, shape (features, nodes)
    reach : float
        How far nodes go, over what is usual.
    """

    rule: Nodes
    m: Array
    rho: Array
    log_prior: Array
    components: Array
    reach: float


@short_repr
@by_value
@dataclass(frozen=True)
class Maximum:
    r"""The dual at one point, and the law of a weight that goes with it.

    Attributes
    ----------
    t : ndarray, shape (features,)
    value : float
        :math:`\Phi(t)`.
    kernel : ndarray, shape (features, features)
        Q.
    slope : ndarray
        :math:`y - \kappa' t - Q t`.
    curvature : ndarray
        Minus the Hessian of :math:`\Phi` over :math:`\chi`.
    share : ndarray, shape (nodes,)
        Probability of each node.
    log_total : float
        log Z.
    steps : int
    """

    t: Array
    value: float
    kernel: Array
    slope: Array
    curvature: Array
    share: Array
    log_total: float
    steps: int = 0

    @property
    def residual(self) -> float:
        """Largest slope, relative to the terms that it is the sum of."""
        pull = self.kernel @ self.t
        size = float(np.max(np.abs(pull)) + np.max(np.abs(pull + self.slope)))
        return float(np.max(np.abs(self.slope))) / size if size > 0 else 0.0


def weights_of(problem: Problem, reach: float, density: float, *, between: bool = False) -> Weights:
    """Place nodes, and compute overlaps there."""
    rule = nodes(
        problem.features.dimension,
        problem.weight_variance,
        integrated=problem.integrated,
        reach=reach,
        density=density,
        between=between,
    )
    afford(
        (2.0 * problem.features.size + 6) * rule.m.size * rule.rho.size,
        "the nodes of a weight",
        "use a smaller dimension",
    )
    m, rho, log_prior = rule.pairs
    return Weights(rule, m, rho, log_prior, problem.features.components(m, rho), reach)


def evaluate(problem: Problem, ridge: float, weights: Weights, t: Array) -> Maximum:
    r"""Evaluate the dual at any t, at :math:`\kappa' = ` `ridge`."""
    y, size = problem.target, problem.target.size
    share = np.empty(weights.m.size)
    overlap, spread = np.zeros((size, size)), np.zeros((size, size))
    log_total = _tilted(
        weights.components, weights.log_prior, problem.tilt, t, share, overlap, spread
    )
    kernel = problem.readout_variance * overlap
    value = problem.scale * float(y @ t - 0.5 * ridge * (t @ t)) - problem.width * log_total
    curvature = ridge * np.eye(size) + kernel
    curvature += 2 * problem.tilt * problem.readout_variance * spread
    return Maximum(t, value, kernel, y - ridge * t - kernel @ t, curvature, share, log_total)


def climb(problem: Problem, ridge: float, weights: Weights, start: Array) -> Maximum:
    """Follow damped Newton steps to the maximum of the dual on given nodes, which is unique."""
    here = evaluate(problem, ridge, weights, start)
    for step in range(_STEPS):
        if here.residual < 1e-15:
            return replace(here, steps=step)
        move = np.linalg.solve(here.curvature, here.slope)
        rise = problem.scale * float(here.slope @ move)
        length, there = 1.0, here
        for _ in range(_HALVINGS):
            there = evaluate(problem, ridge, weights, here.t + length * move)
            # what a step gains close to the maximum is lost in rounding, and at small scales, where log Z is all rounding, far from it
            gained = there.value - here.value >= _ARMIJO * length * rise - 1e-14 * abs(here.value)
            if gained or there.residual <= 0.5 * here.residual:
                break
            length *= 0.5
        if there.residual >= here.residual and here.residual < 1e-11:
            return replace(here, steps=step)
        here = there
    return replace(here, steps=_STEPS)


def maximum(problem: Problem, ridge: float, start: Array) -> tuple[Maximum, Weights, float]:
    r"""Maximize the dual, on nodes that reach far enough and are dense enough.

    Returns
    -------
    Maximum
        Of the dual.
    Weights
        The nodes.
    float
        Estimated error of the mean predictor from the distance of nodes, relative to the target.
    """
    reach, density, steps = 1.0, 1.0, 0
    scale = float(np.max(np.abs(problem.target))) or 1.0
    while True:
        weights = weights_of(problem, reach, density)
        found = climb(problem, ridge, weights, start)
        steps, start = steps + found.steps, found.t
        if reach < _FARTHEST and _beyond(problem, found, weights):
            reach *= 2
            continue
        other = evaluate(problem, ridge, weights_of(problem, reach, density, between=True), found.t)
        moved = np.linalg.solve(other.curvature, other.slope - found.slope)
        error = ridge * float(np.max(np.abs(moved))) / scale
        if error < _AGREEING or density >= _DENSEST:
            return replace(found, steps=steps), weights, error
        density *= 2


def _beyond(problem: Problem, found: Maximum, weights: Weights) -> bool:
    """Tell whether weights beyond the nodes matter: the logarithm of their density, on few points that go much further."""
    rule = weights.rule
    far_m, far_rho = np.geomspace(1.0, _FARTHEST, 200) * rule.m[-1], rule.rho
    if rule.rho.size > 1:
        low, high = float(rule.rho[0]), float(rule.rho[-1])
        far_rho = np.concatenate(
            [
                low * np.geomspace(1e-30, 1, 60),
                np.geomspace(low, high, 20),
                high * np.geomspace(1, 100, 20),
            ]
        )
    every_m = np.concatenate([rule.m[:: max(rule.m.size // 200, 1)], far_m])
    m, rho = np.repeat(every_m, far_rho.size), np.tile(far_rho, every_m.size)
    outside = (m >= rule.m[-1]) | (
        ((rho <= rule.rho[0]) | (rho >= rule.rho[-1])) & (rule.rho.size > 1)
    )
    m, rho = m[outside], rho[outside]
    s = found.t @ problem.features.components(m, rho)
    outer = float(np.max(_log_prior(problem, m, rho) + problem.tilt * s * s))
    s = found.t @ weights.components
    inner = _log_prior(problem, weights.m, weights.rho) + problem.tilt * s * s
    return outer > float(inner.max()) - _NEGLIGIBLE


def _log_prior(problem: Problem, m: Array, rho: Array) -> Array:
    """Return the logarithm of the prior density in m and log rho, but for a constant."""
    d, variance = problem.features.dimension, problem.weight_variance
    logs = -d * m * m / (2 * variance)
    if problem.integrated and d > 1:
        u = np.log(rho * d / (variance * (d - 1)))
        logs = logs + (d - 1) / 2 * (u - np.expm1(u))
    return logs


@njit
def _tilted(
    components: Array,
    log_prior: Array,
    tilt: float,
    t: Array,
    share: Array,
    overlap: Array,
    spread: Array,
) -> float:
    """Fill in probabilities of nodes, mean products of components, and the covariance of their tilted force; return log Z."""
    size, count = components.shape
    mean = np.zeros(size)
    top = -math.inf
    for i in range(count):
        s = 0.0
        for k in range(size):
            s += t[k] * components[k, i]
        share[i] = log_prior[i] + tilt * s * s
        top = max(top, share[i])
    total = 0.0
    for i in range(count):
        if share[i] < top - _NEGLIGIBLE:
            share[i] = 0.0
            continue
        p = math.exp(share[i] - top)
        share[i] = p
        total += p
        s = 0.0
        for k in range(size):
            s += t[k] * components[k, i]
        for k in range(size):
            c = components[k, i]
            mean[k] += p * s * c
            for j in range(k + 1):
                product = p * c * components[j, i]
                overlap[k, j] += product
                spread[k, j] += product * s * s
    for i in range(count):
        share[i] /= total
    for k in range(size):
        for j in range(k + 1):
            overlap[k, j] /= total
            spread[k, j] = spread[k, j] / total - mean[k] * mean[j] / (total * total)
            overlap[j, k], spread[j, k] = overlap[k, j], spread[k, j]
    return top + math.log(total)
