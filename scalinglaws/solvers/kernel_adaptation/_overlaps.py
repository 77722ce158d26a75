r"""Overlaps of a neuron :math:`\mathrm{erf}(w\cdot x)` with Hermite polynomials of one direction, and laws of its weight.

With :math:`m = w\cdot w_*`, :math:`\rho = |w|^2 - m^2`, :math:`q = m^2 + \rho` and k odd, on Gaussian inputs,

.. math:: E[\mathrm{erf}(w\cdot x)\, He_k(w_*\cdot x)] = m^k G_k(q), \qquad
          G_k = \frac{2}{\sqrt\pi} (-2)^{(k-1)/2} (k-2)!!\, (1+2q)^{-k/2}.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from ...arguments import Array
from ...equality import by_value
from ...reprs import short_repr

_REACH = 6.0  # of weights along the target, in prior deviations of their whole length
_INTERVALS = 200
_PER_DEVIATION = 12.0  # nodes to a prior deviation, at least
_TAIL = 12.0  # prior deviations
_DEPTH = 60.0  # of the logarithm of the prior of rho
_PER_DEVIATION_ACROSS, _WIDEST = 3.0, 0.25  # nodes of log rho


def amplitude(degree: int) -> float:
    r"""Return :math:`G_k (1+2q)^{k/2}`, the constant in front of an overlap."""
    from scipy.special import factorial2

    odd = float(factorial2(degree - 2)) if degree > 1 else 1.0
    return 2 / math.sqrt(math.pi) * (-2.0) ** ((degree - 1) // 2) * odd


@short_repr
@dataclass(frozen=True)
class Features:
    r"""What of a neuron's output is followed: normalized polynomials along the target, alone or times :math:`|x_\perp|^2 - (d-1)`.

    Attributes
    ----------
    degrees : tuple of int
        k of :math:`He_k(z)/\sqrt{k!}`.
    mixed : tuple of int
        k of :math:`He_k(z)\,(|x_\perp|^2 - (d-1))/\sqrt{k!\,2(d-1)}`.
    dimension : float
        d.
    """

    degrees: tuple[int, ...]
    mixed: tuple[int, ...]
    dimension: float

    @property
    def size(self) -> int:
        """How many there are."""
        return len(self.degrees) + len(self.mixed)

    def components(self, m: Array, rho: Array) -> Array:
        r"""Return the overlaps :math:`c(m, \rho)`, features first."""
        return np.array([value for value, _ in self._each(m, rho)])

    def slopes(self, m: Array, rho: Array) -> Array:
        """Return their derivatives in m at fixed rho."""
        return np.array([slope for _, slope in self._each(m, rho)])

    def _each(self, m: Array, rho: Array) -> list[tuple[Array, Array]]:
        stretch = 1 + 2 * (m * m + rho)
        root = np.sqrt(stretch)
        ratio = m / root  # overlaps are its powers
        square = ratio * ratio
        before, steepness = np.ones_like(ratio), (1 - 2 * square) / root
        powers = {}
        for k in range(1, max(*self.degrees, *self.mixed, 1) + 1, 2):
            powers[k] = before * ratio, k * before * steepness
            before = before * square
        found = []
        for k in self.degrees:
            unit = amplitude(k) / math.sqrt(math.factorial(k))
            value, slope = powers[k]
            found.append((unit * value, unit * slope))
        for k in self.mixed:
            unit = amplitude(k + 2) / math.sqrt(math.factorial(k) * 2 * (self.dimension - 1))
            value, slope = powers[k]
            share = unit * rho / stretch
            found.append((share * value, share * (slope - 4 * ratio / root * value)))
        return found


@short_repr
@by_value
@dataclass(frozen=True)
class Nodes:
    r"""A quadrature rule for the prior of one weight: m of either sign folded onto :math:`m \ge 0`, times :math:`\rho`.

    Attributes
    ----------
    m : ndarray, shape (n,)
        Equally spaced.
    rho : ndarray, shape (r,)
    log_m, log_rho : ndarray
        Logarithms of the prior weights, which add up to one.
    """

    m: Array
    rho: Array
    log_m: Array
    log_rho: Array

    @property
    def pairs(self) -> tuple[Array, Array, Array]:
        """All nodes in one row: m, rho and the logarithm of their prior weights."""
        m, rho = np.repeat(self.m, self.rho.size), np.tile(self.rho, self.m.size)
        return m, rho, np.add.outer(self.log_m, self.log_rho).ravel()


def nodes(
    dimension: float,
    weight_variance: float,
    *,
    integrated: bool,
    reach: float = 1.0,
    density: float = 1.0,
    between: bool = False,
) -> Nodes:
    r"""Return a quadrature rule for the prior of one weight.

    Parameters
    ----------
    dimension, weight_variance : float
        d and :math:`\sigma_w^2`.
    integrated : bool
        Whether :math:`\rho` has nodes, or is concentrated at its mean.
    reach, density : float
        How far nodes go and how close they are, over what is usual.
    between : bool
        Whether to take the points in the middle between nodes: the errors of the two rules are equal and opposite.

    Returns
    -------
    Nodes
        The trapezoid rule in m and in the logarithm of rho, which converges exponentially: overlaps are analytic.
    """
    length = math.sqrt(weight_variance)
    deviation = length / math.sqrt(dimension)
    end = reach * max(_REACH * max(length, 1.0), _TAIL * deviation)
    count = math.ceil(max(_INTERVALS * reach, _PER_DEVIATION * end / deviation) * density)
    m: Array = (np.arange(count + 1.0) + 0.5 * between) * (end / count)
    log_m: Array = -0.5 * (m / deviation) ** 2
    if not between:
        log_m[0] -= math.log(2)  # the other nodes stand for two weights each
    log_m -= float(np.logaddexp.reduce(log_m))
    across = max(dimension - 1, 0.0)
    mean = weight_variance * across / dimension
    if not integrated or across == 0:
        return Nodes(m, np.array([mean]), log_m, np.zeros(1))
    # rho = mean e^u with the density e^(shape (u - e^u + 1))
    shape = across / 2
    depth = _DEPTH * reach / shape
    low = -1 - depth
    high = min(math.log1p(depth) + math.sqrt(2 * depth), 700.0)
    step = min(_WIDEST, 1 / (_PER_DEVIATION_ACROSS * math.sqrt(shape))) / density
    u = np.arange(math.floor(low / step), math.ceil(high / step) + 1) * step + 0.5 * between * step
    log_rho = shape * (u - np.expm1(u))
    kept = log_rho > -_DEPTH * reach
    u, log_rho = u[kept], log_rho[kept]
    return Nodes(m, mean * np.exp(u), log_m, log_rho - np.logaddexp.reduce(log_rho))
