r"""Real nodes for sums over the modes of the projected covariance: Gauss rules in the logarithm of the rate.

Responses with momentum, or accelerated otherwise, explode off the real axis, so that the complex nodes of `elliptic` do
not serve them. Energies :math:`\rho_i` at rates :math:`x_i > 0` are a positive measure: a Gauss rule stands for it, and one
of its own for the noise, :math:`\sum_i x_i f(x_i)`. The moments come from a contour that hugs :math:`[x_-, x_+]`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from ...arguments import Array, afford
from ...equality import by_value
from ...errors import ConvergenceError, DomainError
from ...reprs import short_repr
from .._blas import one_thread
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
_VANISHED = 1e-3  # of a squared coefficient, which is near 1 for an interval without gaps
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
        itself and the floor, and of :math:`\sum_i x_i e^{-x_i\tau}` relative to itself.
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
        Up to about 70 nodes for each of signal and noise, more where as many modes as features reach down to 0.

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
    Both measures are flattened in :math:`y = \log x`, by a power of x that is fitted to their transforms on the contour and
    multiplied back. An ellipse with foci :math:`\log x_\pm` in y, on which squares of polynomials of degree n grow by no more than
    :math:`e^6`, gives inner products to rounding by the trapezoidal rule; Stieltjes' procedure with two orthogonalizations
    against all previous polynomials gives the recurrence, and the eigenvalues of its matrix the rule. For functions bounded in the
    right half plane its error is :math:`e^{-2\pi n/\log(x_+/x_-)}`.

    Gaps between the largest eigenvalues amplify rounding, which limits n to about 65, and the accuracy for wide spectra. For (a, b) =
    (2, 1.5), (2.6, 1.4) and (1.6, 2) losses of gradient descent with noise after up to 1e4 steps agree with
    `scalinglaws.solvers.linear.online_sgd` to 2e-12 at N = 1e3, 5e-12 at 1e4, 5e-11 at 1e5, 5e-10 at 1e6 and 2e-8 at 1e9. Sums of
    :math:`\rho_i (1 - \eta x_i)^{2t}` with the floor are good to 2e-11, 2e-9, 5e-8 and 1e-5 of themselves at N = 1e3 to 1e6 and
    all t, those of :math:`x_i^2 (1 - \eta x_i)^{2t}` to 1e-9, 2e-8, 1e-6 and 1e-4 up to :math:`t = 1/(\eta x_-)`. For b = 3 at
    N = 1e6 they are off by up to 1e-3: ``error`` says what was reached. 40 to 130 ms.

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
    u, weights = _ellipse(most)
    y = center + length / 4 * u
    afford(
        3.0 * u.size * (modes.eigenvalues.size + 2 * most),
        "the contour around the spectrum",
        "use fewer features",
    )
    z = np.asarray(np.exp(y))
    kappa, df1, found = kappas(modes, features, z)
    if not found:
        raise ConvergenceError(
            f"the equation for kappa was not solved on the contour for features = {features}"
        )
    transform, floor = learned(modes, features, kappa, df1, start_of(modes, features))
    change = length / 4 * weights * z
    times = np.geomspace(
        0.1 / high, 1 / low, 2 + math.ceil(_PER_DECADE * math.log10(10 * high / low))
    )
    fall = np.exp(-times[:, None] * z)
    rules, missed = [], 0.0
    for values, rest in ((change * transform, floor), (change * df1, 0.0)):
        x, w = _rule(u, values, weights, most)
        x = np.exp(center + length / 4 * x)
        kept = (x > low / 2) & (x < 2 * high) & (w > 0)
        rules.append((x[kept], w[kept]))
        exact = 2 * (fall @ values).real
        found_sums = np.exp(-times[:, None] * x[kept]) @ w[kept]
        if np.any(exact + rest > 0):
            missed = max(missed, float(np.max(np.abs(found_sums - exact) / (exact + rest))))
    (x, w), (places, masses) = rules
    return RealNodes(
        np.concatenate([x, places]),
        np.concatenate([w, np.zeros_like(places)]),
        np.concatenate([np.zeros_like(x), masses / places]),
        floor,
        missed,
    )


def _ellipse(most: int) -> tuple[ComplexArray, ComplexArray]:
    """Return the upper half, from left to right, of an ellipse around [-2, 2], and du / (2 pi i) of a clockwise turn."""
    height = _HEIGHT / (2 * most)
    n = math.ceil(most + _ALIAS / (2 * height))
    angle = height + 1j * math.pi * (np.arange(n)[::-1] + 0.5) / n
    return np.asarray(2 * np.cosh(angle)), np.asarray(-np.sinh(angle) / n)


def _rule(
    u: ComplexArray, values: ComplexArray, weights: ComplexArray, most: int
) -> tuple[Array, Array]:
    """Return nodes in [-2, 2] and weights of the Gauss rule of a measure given on the contour."""
    size = np.abs(values / weights)
    if not np.all(size > 0):
        return np.empty(0), np.empty(0)
    power = float(np.polyfit(u.real, np.log(size), 1)[0])
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
