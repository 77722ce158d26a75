r"""The sum of cubes of Gaussian numbers: its rate function, and tail probabilities by convolution on a lattice."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from ...arguments import afford, numbers, shaped
from ...errors import ConvergenceError, ResourceError
from ...results import Result
from ..catalogue import shows
from ._normal import Array

ROOT_15 = math.sqrt(15.0)  # standard deviation of a^3
TRANSITION = 2 * 3**-0.75
"""Scaled deviation from which one large number is likelier than many small shifts."""
SPINODAL = 4 * 3**-1.5
"""Scaled deviation from which a state with one large number exists."""

_LARGEST = (
    6.0  # the largest number that enters the convolution; one larger than this is added by hand
)
_STEP = 0.002
_POINTS, _MOST_POINTS = 1 << 20, 1 << 24
_TILTS = (0.02, 0.03, 0.05, 0.07, 0.1, 0.14, 0.2, 0.25, 0.3, 0.4, 0.5)
_REFINEMENTS = 2
_KEPT, _NOISY = (
    1e-15,
    1e-11,
)  # of the largest cell: below the first, rounding errors; below the second, three digits and fewer
_GOOD, _HARMLESS = 1e-7, 2e-6  # relative error that is aimed at, and that is accepted


@shows("rate", "jump", "metastable")
@dataclass(frozen=True)
class CubeRate(Result):
    r"""How unlikely a sum of cubes is, to leading order in its number of terms.

    Attributes
    ----------
    deviation : float or ndarray
        :math:`\sigma = s/(15N)^{1/4}`.
    rate : float or ndarray
        :math:`I(\sigma) = -\lim \log P(A_N > s)/\sqrt{15N}`.
    jump : float or ndarray
        :math:`\xi`, the part of the deviation that one large number carries; 0 before the transition.
    metastable : float or ndarray
        Rate of the other branch; inf where there is none.
    """

    deviation: float | Array
    rate: float | Array
    jump: float | Array
    metastable: float | Array


def larger_root(sigma: Array) -> Array:
    r"""Return the larger root of :math:`\sigma - \xi = \xi^{-1/3}/3`, 0 where there is none."""
    # with u = xi^(1/3) it is the larger root of u^4 - sigma u + 1/3, convex, positive at u = sigma^(1/3): Newton falls onto it
    exists = sigma >= SPINODAL
    safe = np.where(exists, np.minimum(sigma, 1e100), 1.0)
    u = np.cbrt(safe)
    for _ in range(60):
        u = np.maximum(
            u - (u**4 - safe * u + 1 / 3) / np.maximum(4 * u**3 - safe, 1e-300), np.cbrt(safe / 4)
        )
    return np.where(exists, np.where(sigma > 1e100, sigma, u**3), 0.0)


def cube_rate(deviation: ArrayLike) -> CubeRate:
    r"""Compute the rate function of a sum of cubes, with its first-order transition.

    .. math::

        A_N = \frac1{\sqrt{15N}} \sum_{c=1}^N a_c^3, \qquad
        -\log P(A_N > s) \simeq \sqrt{15N}\, I(\sigma), \quad \sigma = \frac{s}{(15N)^{1/4}},

        I(\sigma) = \min\Big\{\frac{\sigma^2}{2},\ \min_\xi\Big[\frac{(\sigma - \xi)^2}{2} + \frac{\xi^{2/3}}{2}\Big]\Big\}

    with :math:`a_c \sim N(0, 1)`. Cubes have no exponential moments, so a large deviation is not shared by all terms: from
    :math:`\sigma_* = 2 \cdot 3^{-3/4}` on a single one, :math:`a_c \simeq (\sqrt{15N}\, \xi (15N)^{1/4})^{1/3}`, carries half of
    it and more.

    Parameters
    ----------
    deviation : array_like
        :math:`\sigma \ge 0`; may be inf.

    Returns
    -------
    CubeRate
        Rate, jump and the rate of the branch that loses.

    Raises
    ------
    DomainError
        If a deviation is negative or not a number.

    Notes
    -----
    Newton's method from above, which converges monotonically; accurate to rounding, except that the jump loses half of the
    digits where its branch begins, at :math:`4 \cdot 3^{-3/2}`. A statement for large N (Nagaev's theorem).

    References
    ----------
    .. [1] S. V. Nagaev, "Large deviations of sums of independent random variables", Ann. Probab. 7 (1979), 745.

    Examples
    --------
    >>> found = cube_rate([0.5, 1.0])
    >>> found.rate.round(9), found.jump.round(9)
    (array([0.125     , 0.43567465]), array([0.        , 0.60612547]))
    """
    sigma = numbers("deviation", deviation, low=0.0, infinite=True)
    jump = larger_root(sigma)
    with np.errstate(over="ignore"):  # as large as a number can be: no cube costs as much
        shared = sigma**2 / 2
    slope = np.where(
        jump > 0, 1 / (3 * np.cbrt(np.where(jump > 0, jump, 1.0))), np.inf
    )  # sigma - xi, without cancellation
    alone = np.where(jump > 0, slope**2 / 2 + np.cbrt(jump) ** 2 / 2, np.inf)
    wins = sigma >= TRANSITION
    rate, other = np.where(wins, alone, shared), np.where(wins, shared, alone)
    return CubeRate(
        shaped(sigma.ravel(), sigma.shape),
        shaped(rate.ravel(), sigma.shape),
        shaped(np.where(wins, jump, 0.0).ravel(), sigma.shape),
        shaped(other.ravel(), sigma.shape),
    )


def log_tail_of_two(s: float) -> float:
    """Return log P(A_2 > s) by quadrature, s >= 0: either both numbers are beyond the symmetric point, or exactly one is."""
    from scipy import integrate
    from scipy.special import log_ndtr

    total = math.sqrt(30.0) * s
    middle = float(np.cbrt(total / 2))
    both = 2 * float(log_ndtr(-middle))

    def density(a: float) -> float:
        return -0.5 * a * a - 0.5 * math.log(2 * math.pi) + float(log_ndtr(-np.cbrt(total - a**3)))

    grid = np.linspace(-8.0, middle, 2001)
    top = max(density(a) for a in grid.tolist())
    one = 0.0
    for low, high in zip(
        np.linspace(-14.0, middle, 9)[:-1], np.linspace(-14.0, middle, 9)[1:], strict=True
    ):
        one += integrate.quad(
            lambda a: math.exp(density(a) - top), low, high, epsabs=0, epsrel=1e-12, limit=200
        )[0]
    return float(np.logaddexp(both, math.log(2 * one) + top))


def log_tail_on_lattice(n: int, s: float) -> tuple[float, float, float]:
    """Return log P(A_n > s) without and with a number above `_LARGEST`, and the relative error.

    Cells of `_STEP` of one term, exponentially tilted so that the event is likely, are convolved n times by Fourier transform.
    Rounding spoils cells far from the tilted mean; of the tilts under which they do not
    matter, the one with the least result is taken: rounding only adds.
    """
    from scipy import fft
    from scipy.special import log_ndtr

    target = s * math.sqrt(n)
    points = _POINTS
    while 0.7 * points * _STEP < target + 12 * math.sqrt(n) + 100:
        points *= 2
        if points > _MOST_POINTS:
            raise ResourceError(
                f"n = {n}, s = {s}: the lattice would need more than {_MOST_POINTS} points; use method='importance', or cube_rate"
            )
    afford(16.0 * points, "the lattice", "use method='importance'")
    index = np.arange(points)
    # a quarter of the lattice is negative
    y = np.where(index < points - points // 4, index, index - points) * _STEP
    mass, most = _masses(y), _LARGEST**3 / ROOT_15
    with np.errstate(divide="ignore"):
        log_share = np.log(np.clip((y + _STEP / 2 - target) / _STEP, 0, 1))
    # one of the n terms is large: it brings what is missing, and exceeds the largest cell
    log_far = math.log(n) + log_ndtr(-np.cbrt(ROOT_15 * np.maximum(most, target - y)))
    support = np.flatnonzero(mass)
    found: list[dict[float, tuple[float, float, float]]] = [{}, {}]

    def scan(theta: float) -> None:
        weights = np.zeros(points)
        weights[support] = mass[support] * np.exp(theta * y[support])
        norm = float(weights.sum())
        spectrum = fft.rfft(weights / norm)
        power = spectrum ** (n - 1)
        # all n terms within the lattice, and n - 1 of them with one beyond it, added by hand
        for part, (density, chance) in enumerate(((power * spectrum, log_share), (power, log_far))):
            tilted = fft.irfft(density, points)
            found[part][theta] = _untilted(tilted, chance, theta * y, (n - part) * math.log(norm))

    shrink = min(1.0, 10 / math.sqrt(n))
    for tilt in _TILTS:
        scan(tilt * shrink)
    for _ in range(_REFINEMENTS):
        for part in (0, 1):
            tilts = sorted(found[part])
            best = min(range(len(tilts)), key=lambda i: _preference(found[part][tilts[i]]))
            if found[part][tilts[best]][1] > _GOOD:
                for near in (best - 1, best + 1):
                    if 0 <= near < len(tilts):
                        scan(math.sqrt(tilts[best] * tilts[near]))
    values, noise = zip(*(min(part.values(), key=_preference)[:2] for part in found), strict=True)
    bounds = [min(entry[2] for entry in part.values()) for part in found]
    if n * most <= target:
        bounds[0] = -math.inf
    kept = [noise[part] < _HARMLESS for part in (0, 1)]
    for part in (0, 1):
        if not kept[part] and not (
            kept[1 - part] and bounds[part] < values[1 - part] + math.log(_HARMLESS)
        ):
            raise ConvergenceError(
                f"log_tail: rounding spoils the lattice at n = {n}, s = {s} under every tilt; use method='importance'",
                result=math.nan,
            )
    chosen = [values[part] if kept[part] else -math.inf for part in (0, 1)]
    error = max(noise[part] if kept[part] else _HARMLESS for part in (0, 1))
    return chosen[0], chosen[1], error


def _preference(entry: tuple[float, float, float]) -> tuple[float, float]:
    """Order estimates: the least of those that are clean, since rounding only adds, else the cleanest."""
    value, noise, _ = entry
    return (0.0, value) if noise <= _GOOD else (noise, value)


def _untilted(
    tilted: Array, log_chance: Array, exponent: Array, log_norm: float
) -> tuple[float, float, float]:
    """Return the logarithm of a sum, the share of it that is spoiled by rounding, and a bound from above."""
    # log of sum tilted * chance * exp(-theta y), relative to its largest term
    peak = float(tilted.max())
    possible = log_chance > -math.inf
    kept = np.flatnonzero(possible & (tilted > _KEPT * peak))
    least = float(np.max(np.where(possible, log_chance - exponent, -math.inf))) + math.log(
        _KEPT * peak * tilted.size
    )
    if kept.size == 0:
        return -math.inf, 1.0, least + log_norm
    logs = np.log(tilted[kept]) + log_chance[kept] - exponent[kept]
    top = float(logs.max())
    terms = np.exp(logs - top)
    total = float(terms.sum())
    noisy = float(terms[tilted[kept] <= _NOISY * peak].sum()) / total
    value = top + math.log(total)
    return value + log_norm, noisy, float(np.logaddexp(value, least)) + log_norm


def _masses(y: Array) -> Array:
    """Return the probability that one term falls into the cell around y and is not above the largest."""
    from scipy.special import ndtr

    edges = [np.cbrt(ROOT_15 * (y + half)) for half in (-_STEP / 2, _STEP / 2)]
    # on either side of 0 the difference of two small tails, not of two numbers near 1
    low, high = np.minimum(edges[0], _LARGEST), np.minimum(edges[1], _LARGEST)
    upper = low > 0
    masses: Array = np.where(upper, ndtr(-low) - ndtr(-high), ndtr(high) - ndtr(low))
    return masses
