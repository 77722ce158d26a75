r"""Real nodes for sums over the modes of the projected covariance: Gauss rules in the logarithm of the rate.

Responses with momentum, or accelerated otherwise, explode off the real axis, so that the complex nodes of `elliptic` do
not serve them. Energies :math:`\rho_i` at rates :math:`x_i > 0` are a positive measure: a Gauss rule stands for it, and one
of its own for the noise, :math:`\sum_i x_i f(x_i)`. The moments come from a contour that hugs :math:`[x_-, x_+]`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from ...arguments import Array, afford
from ...equality import by_value
from ...errors import ConvergenceError, DomainError
from ...reprs import short_repr
from .._blas import one_thread
from .._roots import brentq
from ..spectra import Modes
from .elliptic import interval, kappas, learned, start_of
from .kappa import ComplexArray

TOLERANCE = 1e-10
"""Error from which the number of nodes follows where rounding allows that many."""

_HEIGHT = 6.0  # logarithm by which squares of polynomials grow from the interval to the contour
_ALIAS = 39.0  # exp(-39) is its error
_FEWEST = 5  # nodes, were the interval a point
_SHORTEST = 0.5  # length in the logarithm of the rate to which an interval is widened
_AMPLIFIED = 1e14  # terms of a norm over the norm, beyond which a recurrence is rounding
_VANISHED = 1e-9  # of a squared coefficient, which is near 1 for an interval without gaps
_LEVELS = 24  # largest eigenvalues between which gaps are sought
_GAP = 0.3  # length of a gap over that between nodes, from which contours leave it out
_WIDEST = 1.0  # logarithm by which polynomials grow from an isolated interval to its contour
_NARROWEST = 1e-6  # half an interval, of 4 in all
_WIDE = 1.0  # interval that takes many nodes
_PER_DECADE = 2  # times at which the rules are compared with the contour


@short_repr
@dataclass(frozen=True)
@by_value
class RealNodes:
    r"""Nodes with positive weights.

    .. math:: \sum_i \rho_i f(x_i) \simeq \sum_j w_j f(x_j), \qquad \sum_i x_i^2 f(x_i) \simeq \sum_j m_j x_j^2 f(x_j)

    Attributes
    ----------
    rates : ndarray, shape (n,)
        :math:`x_j > 0`, those of the signal before those of the noise, each in rising order.
    signal : ndarray, shape (n,)
        :math:`w_j`, 0 at nodes of the noise; the floor is left out.
    noise : ndarray, shape (n,)
        Multiplicities :math:`m_j`: so many modes make gradient noise there; 0 at nodes of the signal.
    floor : float
        :math:`L_N`, the energy at x = 0.
    error : float
        Largest deviation from the contour at times :math:`\tau` up to :math:`1/x_-`: of :math:`\sum_i \rho_i e^{-x_i\tau}` relative to
        itself and the floor, and of :math:`\sum_i x_i e^{-x_i\tau}` relative to itself; at :math:`\tau = 0` from the spectrum.
    """

    rates: Array
    signal: Array
    noise: Array
    floor: float
    error: float


@one_thread
def gauss_nodes(modes: Modes, features: float, *, tolerance: float = TOLERANCE) -> RealNodes:
    r"""Return real positive nodes for the signal and for the noise at a finite number of features.

    Parameters
    ----------
    modes : Modes
        The spectrum, as deep as the smaller one of N and the rates that matter asks for.
    features : float
        N >= 1, finite, not necessarily whole; where it is far above the number of modes, the modes themselves are better nodes.
    tolerance : float
        Error for functions that are bounded for Re x > 0, from which the number of nodes follows.

    Returns
    -------
    RealNodes
        About 4 nodes for each of signal and noise in a factor of e between the edges, and a few more.

    Raises
    ------
    DomainError
        If N is infinite: the modes themselves are nodes then.
    ConvergenceError
        If the equation for kappa is not solved.
    ResourceError
        If the contour does not fit into the memory budget.

    Notes
    -----
    Both measures are flattened in :math:`y = \log x`, by a power of x that is fitted to their transforms and multiplied back. The contour
    is an ellipse with foci :math:`\log x_\pm` in y, on which squares of polynomials of degree n grow by no more than :math:`e^6`.
    In gaps between the largest eigenvalues polynomials are large, so those that are farther apart than a third of the distance between
    nodes have ellipses of their own. There the trapezoidal rule gives inner products to rounding, Stieltjes' procedure with two
    orthogonalizations against all previous polynomials the recurrence, and the eigenvalues of its matrix the rule. For functions
    bounded in the right half plane its error is :math:`e^{-2\pi n/\log(x_+/x_-)}`.

    For (a, b) = (2, 1.5), (2.6, 1.4), (1.6, 2) and (3.4, 3), N = 1e3 to 1e9 and times up to :math:`1/x_-` sums of
    :math:`\rho_i e^{-2x_i\tau}` with the floor are good to 1e-9 of themselves, those of :math:`x_i^2 e^{-2x_i\tau}` to 1e-8, and losses
    of gradient descent with noise agree with `scalinglaws.solvers.linear.online_sgd` after up to 1e4 steps to 5e-12. Where there are
    as many modes as features late times are known to 1e-3 only: see ``error``. At (2, 1.5) 84 nodes in 0.05 s for N = 1e3, 160 in 0.1 s
    for 1e6.

    References
    ----------
    .. [1] W. Gautschi, "Orthogonal polynomials: computation and approximation", Oxford (2004), sec. 2.2.

    Examples
    --------
    >>> from scalinglaws.solvers import PowerLawSpectrum
    >>> nodes = gauss_nodes(PowerLawSpectrum.from_ab(2, 1.5).modes(), 1000)
    >>> nodes.rates.size, bool(nodes.error < 1e-8)
    (84, True)
    >>> bool(abs(np.sum(nodes.signal) + nodes.floor - np.pi**2 / 6) < 1e-12)
    True
    """
    if not math.isfinite(features):
        raise DomainError(
            "Gauss nodes are for a finite number of features", argument="features", value=features
        )
    low, high = interval(modes, features, tolerance)
    center, length = math.log(low) / 2 + math.log(high) / 2, max(math.log(high / low), _SHORTEST)
    most = _FEWEST + math.ceil(length * math.log(1 / tolerance) / (2 * math.pi))
    scale = length / 4
    parts = _parts(modes, features, low, high, _GAP * length / most)
    ends = [((one - center) / scale, (two - center) / scale) for one, two in parts]
    if math.log(high / low) < _SHORTEST:
        ends = [(-2.0, 2.0)]
    pieces = [
        _ellipse(*ends[i], most, min(_space(ends, i - 1), _space(ends, i)))
        for i in range(len(ends))
    ]
    u, weights = (np.concatenate(columns) for columns in zip(*pieces, strict=True))
    y = center + scale * u
    afford(
        8.0 * u.size * (most + 20),
        "the contour around the spectrum",
        "use fewer features",
    )
    z = np.asarray(np.exp(y))
    solved = [
        kappas(modes, features, part)
        for part in np.split(z, np.cumsum([piece[0].size for piece in pieces])[:-1])
    ]
    if not all(found for _, _, found in solved):
        raise ConvergenceError(
            f"the equation for kappa was not solved on the contour for features = {features}"
        )
    kappa, df1 = (np.concatenate([one[i] for one in solved]) for i in range(2))
    transform, floor = learned(modes, features, kappa, df1, start_of(modes, features))
    change = scale * weights * z
    times = np.geomspace(
        0.1 / high, 1 / low, 2 + math.ceil(_PER_DECADE * math.log10(10 * high / low))
    )
    fall = np.exp(-times[:, None] * z)
    rules, missed = [], 0.0
    for values, rest in ((change * transform, floor), (change * df1, 0.0)):
        x, w = _rule(u, values, weights, most, pieces[0][0].size)
        x = np.exp(center + scale * x)
        kept = (x > low / 2) & (x < 2 * high) & (w > 0)
        rules.append((x[kept], w[kept]))
        exact = 2 * (fall @ values).real
        sums = np.exp(-times[:, None] * x[kept]) @ w[kept]
        if np.any(exact + rest > 0):
            missed = max(missed, float(np.max(np.abs(sums - exact) / (exact + rest))))
    (x, w), (places, masses) = rules
    # whether the contour itself holds everything
    for found, expected in (
        (float(np.sum(w)) + floor, float(np.sum(modes.signal))),
        (float(np.sum(masses)), float(modes.multiplicities @ modes.eigenvalues)),
    ):
        if expected > 0:
            missed = max(missed, abs(found - expected) / expected)
    return RealNodes(
        np.concatenate([x, places]),
        np.concatenate([w, np.zeros_like(places)]),
        np.concatenate([np.zeros_like(x), masses / places]),
        floor,
        missed,
    )


def _parts(
    modes: Modes, features: float, low: float, high: float, least: float
) -> list[tuple[float, float]]:
    """Return intervals in log x, from below, that gaps wider than `least` leave between the largest eigenvalues."""
    lam, count = modes.eigenvalues, modes.multiplicities
    levels = np.unique(lam)[::-1][: _LEVELS + 1]
    ends = [math.log(high)]
    for above, below in pairwise(levels.tolist()):
        if math.log(above / below) < least:
            continue

        # x = u (1 + sum_k lambda_k / (u - lambda_k) / N) rises where the sum of squares is below N
        def lack(u: float) -> float:
            return float(count @ (lam / (u - lam)) ** 2) - features

        def slope(u: float) -> float:
            return -float(count @ (lam / (u - lam)) ** 2 / (u - lam))

        def place(u: float) -> float:
            return u * (1 + float(count @ (lam / (u - lam))) / features)

        margin = 1e-7 * (above - below)
        middle = brentq(
            lambda u: float((count * lam**2) @ (u - lam) ** -3.0), below + margin, above - margin
        )
        if lack(middle) >= 0:
            continue
        upper = place(brentq(lack, middle, above - margin)) if lack(above - margin) > 0 else above
        lower = place(brentq(lack, below + margin, middle)) if lack(below + margin) > 0 else below
        if math.log(upper / lower) >= least:
            ends.extend((math.log(upper), math.log(lower)))
    ends.append(math.log(low))
    return [(ends[i + 1], ends[i]) for i in range(0, len(ends), 2)][::-1]


def _space(ends: list[tuple[float, float]], i: int) -> float:
    """Return how far it is from an interval to the next one."""
    return ends[i + 1][0] - ends[i][1] if 0 <= i < len(ends) - 1 else math.inf


def _ellipse(low: float, high: float, most: int, space: float) -> tuple[ComplexArray, ComplexArray]:
    """Return the upper half, from left to right, of an ellipse around an interval, and du / (2 pi i) of a clockwise turn."""
    half = max((high - low) / 2, _NARROWEST)
    # no farther beyond the ends than a third of the way to the next interval
    height = min(_WIDEST, math.acosh(1 + space / (3 * half)))
    if half > _WIDE / 2:
        height = min(_HEIGHT / (2 * most), height)
    n = math.ceil(_ALIAS / (2 * height)) + (most if half > _WIDE / 2 else _FEWEST)
    angle = height + 1j * math.pi * (np.arange(n)[::-1] + 0.5) / n
    return (
        np.asarray((low + high) / 2 + half * np.cosh(angle)),
        np.asarray(-half / 2 * np.sinh(angle) / n),
    )


def _rule(
    u: ComplexArray, values: ComplexArray, weights: ComplexArray, most: int, first: int
) -> tuple[Array, Array]:
    """Return nodes in [-2, 2] and weights of the Gauss rule of a measure given on contours, flattened on the first of them."""
    size = np.abs(values / weights)
    if not np.all(size > 0):
        return np.empty(0), np.empty(0)
    if np.ptp(u.real[:first]) < _WIDE:
        first = u.size
    power = float(np.polyfit(u.real[:first], np.log(size[:first]), 1)[0])
    flat = values * np.exp(-power * u)
    diagonal, squares, mass = _stieltjes(u, flat, most)
    off = np.sqrt(squares[: diagonal.size - 1])
    found, vectors = np.linalg.eigh(np.diag(diagonal) + np.diag(off, 1) + np.diag(off, -1))
    return found, mass * vectors[0] ** 2 * np.exp(power * found)


def _stieltjes(u: ComplexArray, weights: ComplexArray, most: int) -> tuple[Array, Array, float]:
    """Return the recurrence of orthogonal polynomials, as far as rounding allows, and the measure's mass."""
    mass = 2 * float(np.sum(weights).real)
    table = np.empty((most + 1, u.size), complex)
    table[0] = 1 / math.sqrt(mass)
    size = np.abs(weights)
    diagonal: list[float] = []
    squares: list[float] = []
    for k in range(most):
        if 2 * float(size @ np.abs(table[k]) ** 2) > _AMPLIFIED:
            break
        rest, along = u * table[k], 0.0
        for _ in range(2):
            shares = 2 * (table[: k + 1] @ (weights * rest)).real
            rest = rest - shares @ table[: k + 1]
            along += float(shares[k])
        diagonal.append(along)
        squares.append(2 * float(np.sum(weights * rest * rest).real))
        if not squares[-1] > _VANISHED:
            break
        table[k + 1] = rest / math.sqrt(squares[-1])
    return np.array(diagonal), np.array(squares), mass
