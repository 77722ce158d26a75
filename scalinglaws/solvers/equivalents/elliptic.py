r"""Complex nodes for sums over the modes of the projected covariance: a contour in elliptic functions.

With N features the covariance that training sees has eigenvalues :math:`x_i` in :math:`[x_-, x_+]`, along which the
target has energies :math:`\rho_i`. Their transforms are known from the renormalized ridge alone: with
:math:`s = \kappa (1 - \mathrm{df}_1/N)` and its root :math:`\kappa_0` at s = 0,

.. math:: \sum_i \frac{x_i}{x_i + s} = \mathrm{df}_1(\kappa), \qquad
          \sum_i \frac{\rho_i}{x_i + s} = \frac{N \sum_k s_k h_k}{\kappa \sum_k h_k}, \quad
          h_k = \frac{\lambda_k}{(\lambda_k + \kappa)(\lambda_k + \kappa_0)}.

The floor :math:`L_N`, the energy at x = 0, is taken out, so that nothing cancels for small x. For M <= N modes
:math:`\kappa_0 = 0` and the second transform is :math:`\sum_k s_k/(\lambda_k + \kappa)/(1 - \mathrm{df}_1/N)`. So a sum over
i is an integral around :math:`[x_-, x_+]`, for which a few dozen complex nodes do.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from ...arguments import Array
from ...equality import by_value
from ...errors import ConvergenceError, DomainError
from ...reprs import short_repr
from .._jit import njit
from ..spectra import Modes
from .edges import Resolvent, lower_edge
from .kappa import ComplexArray, all_learned, renormalized_ridge
from .response import resolve

TOLERANCE = 1e-13
"""Error of a sum relative to that of the absolute values of its terms, from which the number of nodes follows."""

_NARROWEST = 2.0  # ratio of the ends of an interval in z below which it is widened
_POLISHED = 0.25  # of the last node, beyond which Newton's method takes another step


@short_repr
@dataclass(frozen=True)
@by_value
class Nodes:
    r"""Nodes and weights: :math:`\sum_i \rho_i f(x_i) = 2\,\mathrm{Re} \sum_j w_j f(z_j)`.

    Attributes
    ----------
    rates : ndarray, shape (n,)
        Nodes :math:`z_j` in the upper half plane, by increasing real part.
    signal : ndarray, shape (n,)
        Weights for :math:`\sum_i \rho_i f(x_i)`, of what can be learned: the floor is left out.
    noise : ndarray, shape (n,)
        Weights for :math:`\sum_i x_i^2 f(x_i)`.
    floor : float
        :math:`L_N`, the energy at x = 0.
    error : float
        By how much the sums of :math:`\rho_i` and of :math:`x_i` are missed, relative to themselves.
    """

    rates: ComplexArray
    signal: ComplexArray
    noise: ComplexArray
    floor: float
    error: float


def contour_nodes(
    modes: Modes, features: float, *, reach: float = math.inf, tolerance: float = TOLERANCE
) -> Nodes:
    r"""Return nodes for sums of functions that are regular for :math:`|\arg z| \le 45°`, left of `reach`.

    Parameters
    ----------
    modes : Modes
        The spectrum, as deep as the smaller one of N and the rates that matter asks for.
    features : float
        N >= 1, finite, not necessarily whole.
    reach : float
        :math:`z_c = 2/[\eta_{max} (1 + 1/B_{min})]`, > :math:`x_+`; where
        :math:`|z - z_c/2| < z_c/2` steps of gradient descent contract.
    tolerance : float
        Truncation error of sums, relative to the sum of the absolute values of their terms.

    Returns
    -------
    Nodes
        By increasing real part.

    Raises
    ------
    DomainError
        If N is infinite (the modes themselves are nodes then), or the reach is not beyond the spectrum: the learning rate is
        unstable, which callers find out first.
    ConvergenceError
        If the equation for kappa is not solved.

    Notes
    -----
    With :math:`Y = z^2/(1 - z^2/z_c^2)` the sector left of the reach becomes the half plane Re Y > 0. The elliptic map of Hale,
    Higham and Trefethen around :math:`[m, M] = [Y(x_-), Y(x_+)]`,

    .. math:: Y = \sqrt{mM}\,\frac{1 + k\,\mathrm{sn}(t)}{1 - k\,\mathrm{sn}(t)}, \qquad k = \frac{\sqrt{M/m} - 1}{\sqrt{M/m} + 1}, \qquad
              t_j = -K + \Big(j + \frac12\Big) \frac{2K}n + \frac i2 K',

    makes the trapezoidal rule converge as :math:`e^{-\pi n K'/(2K)}`: :math:`n = \lceil\frac{2K}{\pi K'} \ln\frac1\epsilon\rceil`
    grows with the logarithms of :math:`x_+/x_-` and of the distance of the reach from :math:`x_+`. The contour lies inside the
    lemniscate :math:`|z|^2 < z_c^2 \cos(2 \arg z)`, hence in the disk where steps contract.

    At a = 2, b = 1.5 and reach = 16 losses of gradient descent with noise after 1 to 1e4 steps are off, relative to themselves, by
    3e-9 and 2e-12 with 49 and 65 nodes at N = 1e3, by 4e-13 with 132 at N = 1e6, and by 4e-13 with 195 at N = 1e9: by at most 30 times
    the tolerance, and by rounding of 1e-13, or of 1e-16 over the relative distance of the reach from :math:`x_+`. 2 ms for
    N = 1e3 and 3 ms for N = 1e6 with infinitely many modes.

    Where the spectrum has fewer modes than features, there is no floor, and :math:`x_-` is the edge from
    :math:`-\lambda_M < \kappa < 0`; a loss that falls as :math:`e^{-2x_-\tau}` is then known relative to :math:`e^{-\sqrt2 x_-\tau}`.
    For M = N the eigenvalues reach down to 0; those that together hold less than a tenth of the tolerance are cut off.

    References
    ----------
    .. [1] N. Hale, N. J. Higham, L. N. Trefethen, "Computing A^alpha, log(A), and related matrix functions by contour integrals",
       SIAM J. Numer. Anal. 46 (2008) 2505.

    Examples
    --------
    >>> from scalinglaws.solvers import PowerLawSpectrum
    >>> modes = PowerLawSpectrum.from_ab(2, 1.5).modes()
    >>> nodes = contour_nodes(modes, 1000, reach=16.0)
    >>> nodes.rates.size, bool(nodes.error < 1e-12)
    (70, True)
    >>> bool(abs(2 * np.sum(nodes.signal).real + nodes.floor - np.pi**2 / 6) < 1e-12)
    True
    """
    if not math.isfinite(features):
        raise DomainError(
            "contour nodes are for a finite number of features", argument="features", value=features
        )
    low, high = interval(modes, features, tolerance)
    if not reach > high:
        raise DomainError(
            f"reach = {reach:.6g} must lie beyond the largest eigenvalue {high:.6g}: the learning rate is unstable",
            argument="reach",
            value=reach,
        )
    z, dz = elliptic_contour(low, high, reach, tolerance)
    kappa, df1, found = kappas(modes, features, z)
    if not found:
        raise ConvergenceError(
            f"the equation for kappa was not solved on the contour for features = {features}"
        )
    start = start_of(modes, features)
    transform, floor = learned(modes, features, kappa, df1, start)
    signal, noise = dz * transform, dz * z * df1
    total, trace = float(np.sum(modes.signal)), float(modes.multiplicities @ modes.eigenvalues)
    missed = abs(2 * float(np.sum(signal).real) + floor - total) / total if total > 0 else 0.0
    missed = max(missed, abs(2 * float(np.sum(noise / z).real) - trace) / trace)
    return Nodes(z, signal, noise, floor, missed)


def elliptic_contour(
    low: float, high: float, reach: float, tolerance: float
) -> tuple[ComplexArray, ComplexArray]:
    r"""Return nodes around an interval, and :math:`dz/(2\pi i)` with the sign of a clockwise turn.

    Parameters
    ----------
    low, high : float
        Ends of the interval, 0 < low <= high < reach.
    reach : float
        Where the nodes stay left of, possibly infinite.
    tolerance : float
        Truncation error from which the number of nodes follows.

    Returns
    -------
    z, dz : ndarray, shape (n,)
        The upper half of the contour, from left to right.
    """
    # roots of Y at both ends, and their ratio
    left = low / math.sqrt((1 - low / reach) * (1 + low / reach))
    right = high
    if math.isfinite(reach):
        right = high / math.sqrt((reach - high) / reach * (1 + high / reach))
    spread = max(right / left, _NARROWEST)
    k, lack = (spread - 1) / (spread + 1), 2 / (spread + 1)  # and 1 - k
    complement = 2 * math.sqrt(spread) / (spread + 1)  # k'
    quarter, height = math.pi / (2 * _agm(complement)), math.pi / (2 * _agm(k))
    n = math.ceil(2 * quarter / (math.pi * height) * math.log(1 / tolerance))
    # the right half; k sn(t) = sqrt(k) exp(i phi) at height K'/2, and sn is odd
    sn, cn, dn = _jacobi(n, k, complement)
    root, filling = math.sqrt(k), 1 + k * sn**2
    rise = cn * dn / filling  # sin phi
    fall = (cn**2 / (1 + sn)) * (dn**2 / (1 + k * sn)) / filling  # 1 - cos phi
    distance = (lack / (1 + root)) ** 2 + 2 * root * fall  # |1 - k sn(t)|^2
    half = np.sqrt((lack + 2j * root * rise) / distance)  # root of Y, but for its center
    slope = 2 * root * ((1 + k) * cn * dn - 1j * complement**2 * sn) / (dn**2 + k * cn**2)
    mirrored = slice(n % 2, None)  # but for a node in the middle
    y = np.concatenate([1 / half[mirrored][::-1].conj(), half])
    y *= math.sqrt(left) * math.sqrt(spread * left)
    slope = np.concatenate([slope[mirrored][::-1].conj(), slope])
    turned = 1 + (y / reach) ** 2
    z = np.asarray(y / np.sqrt(turned), dtype=complex)
    step = 2 * quarter / n
    return z, np.asarray(z * slope / turned * (step / (4j * math.pi)), dtype=complex)


def _agm(x: float) -> float:
    """Return the arithmetic-geometric mean of 1 and x."""
    a, b = 1.0, x
    while abs(a - b) > 1e-15 * a:
        a, b = (a + b) / 2, math.sqrt(a * b)
    return a


def _jacobi(n: int, k: float, complement: float) -> tuple[Array, Array, Array]:
    """Return sn, cn and dn at the middles, from the center on, of n equal parts of [-K, K]."""
    place = (np.arange(n // 2, n) + 0.5) * 2 / n - 1  # in units of K
    near = place > 0.5
    sn, cn, dn = _jacobi_near_zero(np.where(near, 1 - place, place) * (math.pi / 2), k, complement)
    # in the outer half by reflection: there cn and dn are small
    return (
        np.where(near, cn / dn, sn),
        np.where(near, complement * sn / dn, cn),
        np.where(near, complement / dn, dn),
    )


def _jacobi_near_zero(angle: Array, k: float, complement: float) -> tuple[Array, Array, Array]:
    """Return sn, cn and dn at pi/(2K) of an angle, by Landen's descending transformation: every term is positive."""
    ladder = []
    while k > 1e-9:
        k, lack = (k / (1 + complement)) ** 2, 2 * complement / (1 + complement)  # and 1 - k
        ladder.append((k, lack))
        complement = 2 * math.sqrt(complement) / (1 + complement)
    sn, cn, dn = np.sin(angle), np.cos(angle), np.ones_like(angle)
    for k, lack in reversed(ladder):
        square = sn**2
        filling = 1 + k * square
        sn, cn, dn = (1 + k) * sn / filling, cn * dn / filling, (cn**2 + lack * square) / filling
    return sn, cn, dn


def interval(modes: Modes, features: float, tolerance: float) -> tuple[float, float]:
    """Return both edges of the spectrum."""
    high = Resolvent(modes).top(features, math.inf)
    low = lower_edge(modes, features, math.inf)[1]
    if low == 0.0:  # as many modes as features: s = kappa^2 sum_k 1/lambda_k / N close to 0
        lam = modes.eigenvalues
        total = max(float(np.sum(modes.signal)), 1e-300)
        kappa = 0.1 * tolerance * total / max(float(np.sum(modes.signal / lam)), total / high)
        low = kappa * (kappa * (float(np.sum(modes.multiplicities / lam)) / features))
    return min(low, high), high


def start_of(modes: Modes, features: float) -> float:
    """Return kappa without a ridge."""
    if all_learned(modes.size, features, 0.0):
        return 0.0
    lam, count = modes.eigenvalues, modes.multiplicities
    return float(
        renormalized_ridge(lam, count, modes.size, float(count @ lam), features, 0.0, 1.0, 0.0)[0]
    )


def kappas(
    modes: Modes, features: float, z: ComplexArray
) -> tuple[ComplexArray, ComplexArray, bool]:
    """Return kappa and its degrees of freedom at -z, from the node farthest from the real axis to both ends."""
    s = -z.conj()
    middle = int(np.argmax(np.angle(z)))
    up = resolve(modes, features, math.inf, s[middle:])
    down = resolve(modes, features, math.inf, s[middle::-1]).without_first()
    kappa = np.concatenate([down.kappa[::-1], up.kappa]).conj()
    df1 = np.concatenate([down.df1[::-1], up.df1]).conj()
    # once more where the contour may pass close to the largest eigenvalues
    near = np.abs(z) > _POLISHED * np.abs(z[-1])
    _, _, filled, squares = _sums(modes, kappa[near], 0.0)
    excess = kappa[near] * (1 - filled / features) + z[near]
    kappa[near] -= excess / (1 - squares / features)
    df1[near] = _sums(modes, kappa[near], 0.0)[2]
    return kappa, df1, up.found and down.found


def learned(
    modes: Modes, features: float, kappa: ComplexArray, df1: ComplexArray, start: float
) -> tuple[ComplexArray, float]:
    """Return the transform of the energies that can be learned, and the others."""
    signal, count, _, _ = _sums(modes, kappa, start)
    if start == 0.0:
        return signal / (1 - df1 / features), 0.0
    left = float(modes.signal @ (start / (modes.eigenvalues + start)))
    return features / kappa * (signal / count), left


def _sums(
    modes: Modes, kappa: ComplexArray, start: float
) -> tuple[ComplexArray, ComplexArray, ComplexArray, ComplexArray]:
    """Sum signals and multiplicities times 1/(lambda + kappa), with lambda/(lambda + start) where that is below 1, and df_1, df_2."""
    out = np.zeros((4, kappa.size), complex)
    _add_up(modes.eigenvalues, modes.multiplicities, modes.signal, kappa, start, out)
    return out[0], out[1], out[2], out[3]


@njit
def _add_up(
    eigenvalues: Array,
    multiplicities: Array,
    signal: Array,
    kappa: ComplexArray,
    start: float,
    out: ComplexArray,
) -> None:
    learned = eigenvalues / (eigenvalues + start)
    for j in range(kappa.size):
        scale = abs(kappa[j])
        cosine, sine = kappa[j].real / scale, kappa[j].imag / scale
        energy, count, df1, df2 = 0j, 0j, 0j, 0j
        for k in range(eigenvalues.size):
            # 1/(lambda + kappa) in units of the larger one, so that no square leaves the range of floating-point numbers
            unit = 1.0 / max(eigenvalues[k], scale)
            a, b = eigenvalues[k] * unit, scale * unit
            re, im = a + b * cosine, b * sine
            size = 1.0 / (re * re + im * im)
            inverse = complex(re * size, -im * size)
            share = a * inverse
            part = learned[k] * unit * inverse
            energy += signal[k] * part
            count += multiplicities[k] * part
            df1 += multiplicities[k] * share
            df2 += multiplicities[k] * (share * share)
        out[0, j], out[1, j], out[2, j], out[3, j] = energy, count, df1, df2
