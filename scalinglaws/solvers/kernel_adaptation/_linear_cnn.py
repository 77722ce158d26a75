r"""A linear convolutional network whose filters adapt: a free energy in the variance that its weights take along the target."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from ...arguments import Array, Value, broadcast, choice, numbers, shaped, whole_numbers
from ...results import Diagnostics, Result, Status, judged
from .._jit import njit
from ..catalogue import shows
from ..equivalents.kappa import renormalized_ridge

_KEPT = 8  # minima of one free energy
_SCAN = 600  # values of b, next to each other on a logarithmic scale
_SCAN_ALONG, _SCAN_ACROSS = 120, 40  # of b and of b_perp, where both are free
_STEPS = 200
_DIFFERENCE = 1e-5  # of logarithms, for second derivatives
_ROUNDING = 1e-12
_SOLVED = 1e-9  # slope of the free energy at a minimum, over the sum of its terms


@shows(
    "learnability",
    "lazy_learnability",
    "inflation",
    "inflation_across",
    "effective_ridge",
    "free_energy",
    counted=("channels", "patches", "patch_size"),
)
@dataclass(frozen=True)
class LinearCNN(Result):
    r"""A linear convolutional network at the minimum of its free energy.

    All fields but `minima`, `directions` and `diagnostics` have the broadcast shape of the arguments; scalars in, floats out.

    Attributes
    ----------
    samples, ridge, scale, channels, patches, patch_size : float or ndarray
        P, :math:`\kappa`, :math:`\chi`, C, N and S.
    directions : str
        Directions in which variances adapt.
    learnability : float or ndarray
        Share of the target in the mean predictor, :math:`\mathcal L = P\lambda_*/(\kappa_e + P\lambda_*)`.
    lazy_learnability : float or ndarray
        The same of the kernel that does not adapt, b = 1.
    free_energy : float or ndarray
        F at its least minimum.
    inflation : float or ndarray
        b, the variance of a filter along the target over its prior's.
    inflation_across : float or ndarray
        :math:`b_\perp`, the same in all other directions.
    effective_ridge : float or ndarray
        :math:`\kappa_e`.
    threshold : float or ndarray
        :math:`P_* = \kappa_e\sqrt{Cd/\chi}/(\sigma_a\sigma_w)`: samples by which the closed form learns, at this effective ridge.
    minima : tuple of ndarray, each of shape (n, 3)
        For each element, all minima of its free energy, the least first: rows of b, :math:`b_\perp` and F.
    diagnostics : Diagnostics
        Largest slope of a free energy at its minimum (over the sum of its terms), steps.
    """

    samples: Value
    ridge: Value
    scale: Value
    channels: Value
    patches: Value
    patch_size: Value
    directions: str
    learnability: Value
    lazy_learnability: Value
    free_energy: Value
    inflation: Value
    inflation_across: Value
    effective_ridge: Value
    threshold: Value
    minima: tuple[Array, ...]
    diagnostics: Diagnostics


def linear_cnn(
    *,
    samples: ArrayLike,
    ridge: ArrayLike,
    scale: ArrayLike,
    channels: ArrayLike,
    patches: ArrayLike,
    patch_size: ArrayLike,
    directions: str = "target",
    readout_variance: ArrayLike = 1.0,
    weight_variance: ArrayLike = 1.0,
    on_failure: str = "raise",
) -> LinearCNN:
    r"""Compute what a Bayesian linear convolutional network learns of a target that one filter makes.

    .. math:: f = \sum_{i \le N,\, c \le C} a_{ic}\, w_c \cdot x_i, \qquad y = \sum_i a^*_i\, w^* \cdot x_i, \qquad |a^*| = |w^*| = 1,

    with patches :math:`x_i \sim N(0, 1_S)`, d = NS inputs, :math:`w_c \sim N(0, \sigma_w^2/S)` and
    :math:`a_{ic} \sim N(0, \sigma_a^2/(NC\chi))`. Filters take the variance :math:`b\,\sigma_w^2/S` along the target and
    :math:`b_\perp\sigma_w^2/S` across it: the kernel has N eigenvalues :math:`\lambda_* = \sigma_a^2\sigma_w^2 b/d` and N(S - 1)
    eigenvalues :math:`\lambda_\perp = \sigma_a^2\sigma_w^2 b_\perp/d`. With
    :math:`\kappa_e = \kappa + \sum_k g_k\lambda_k\kappa_e/(\kappa_e + P\lambda_k)`, b minimizes

    .. math:: F = \tfrac C2 \big[b - 1 - \ln b + (S - 1)(b_\perp - 1 - \ln b_\perp)\big] + \frac\chi2 \frac{1}{\lambda_* + \kappa_e/P}
              + \tfrac P2 \big(\ln\kappa_e - 1 + \tfrac{\kappa}{\kappa_e}\big)
              + \tfrac12 \sum_k g_k \ln\big(1 + \tfrac{P\lambda_k}{\kappa_e}\big).

    For b >> 1, :math:`b = \sqrt{\chi d/C} - \kappa_e d/P` and :math:`\mathcal L = 1 - P_*/P` with
    :math:`P_* = \kappa_e\sqrt{Cd/\chi}` (:math:`\sigma_a = \sigma_w = 1`): with :math:`C \sim \sqrt d`, :math:`P_* \sim d^{3/4}`
    where the lazy kernel needs :math:`P \sim d`.

    Parameters
    ----------
    samples : array_like
        P, >= 1. All arguments but `directions` broadcast.
    ridge : array_like
        :math:`\kappa > 0`; the likelihood has the variance :math:`\kappa/\chi`.
    scale : array_like
        :math:`\chi > 0`: 1 is the standard scale, of the order of C the mean-field one.
    channels, patches, patch_size : array_like
        C, N and S, whole, >= 1.
    directions : {"target", "all"}
        Which variances adapt: that along the target, with :math:`b_\perp = 1`, or both.
    readout_variance, weight_variance : array_like
        :math:`\sigma_a^2` and :math:`\sigma_w^2`, > 0.
    on_failure : {"raise", "return"}
        What to do if a minimum is not found to rounding.

    Returns
    -------
    LinearCNN
        Learnability, variances, effective ridge, free energy and all of its minima.

    Raises
    ------
    DomainError
        If an argument is out of range.
    ConvergenceError
        If a minimum is not found; the result is attached.

    Notes
    -----
    The free energy is scanned on 600 values of b, or on 120 times 40 of both, between bounds beyond which its slopes have one
    sign, and every minimum is polished to a root of the exact slope: F to 1e-13 and b to 1e-10, relative. About 0.5 ms an element,
    3 ms with both directions.

    A deterministic equivalent for :math:`C \gg S` and :math:`P` above about d/2: with fewer samples finite networks of d = 60
    learn less than it says, by a seventh at P = 25.

    References
    ----------
    .. [1] Z. Ringel et al., "Applications of statistical field theory in deep learning", arXiv:2502.18553.

    Examples
    --------
    >>> found = linear_cnn(samples=[25, 40], ridge=0.05, scale=50, channels=200, patches=6, patch_size=10)
    >>> found.learnability.round(9), found.inflation.round(6)
    (array([0.63320266, 0.83524246]), array([3.053118, 3.773261]))
    """
    choice("on_failure", on_failure, ("raise", "return"))
    both = choice("directions", directions, ("target", "all")) == "all"
    sizes = {"channels": channels, "patches": patches, "patch_size": patch_size}
    positive = {"ridge": ridge, "scale": scale}
    variances = {"readout_variance": readout_variance, "weight_variance": weight_variance}
    checked = {
        "samples": numbers("samples", samples, low=1.0, high=_LARGEST),
        **{
            name: numbers(name, value, low=_LEAST, high=1 / _LEAST)
            for name, value in positive.items()
        },
        **{name: whole_numbers(name, value, high=_LARGEST) for name, value in sizes.items()},
        **{
            name: numbers(name, value, low=_LEAST, high=1 / _LEAST)
            for name, value in variances.items()
        },
    }
    shape, flat = broadcast(checked)
    table = np.full((flat[0].size, len(_COLUMNS)), math.nan)
    minima = np.full((flat[0].size, _KEPT, 3), math.nan)
    points = np.stack([*flat[:6], flat[6] * flat[7]], axis=1)
    (_solve_both if both else _solve_along)(points, table, minima)
    columns = dict(zip(_COLUMNS, table.T, strict=True))
    residual = float(np.max(columns.pop("residual"), initial=0.0))
    steps = int(np.max(columns.pop("steps"), initial=0.0))
    given = dict(zip(list(checked)[:6], flat, strict=False))
    solved = residual <= _SOLVED and bool(np.all(np.isfinite(columns["free_energy"])))
    result = LinearCNN(
        **{name: shaped(column, shape) for name, column in (given | columns).items()},
        directions=directions,
        minima=tuple(rows[np.isfinite(rows[:, 2])] for rows in minima),
        diagnostics=Diagnostics(
            status=Status.CONVERGED if solved else Status.MAX_ITERATIONS,
            residual=residual,
            iterations=steps,
            method="scan and roots of the slope" if not both else "scan and damped Newton",
            error_estimate=max(residual, _ROUNDING),
        ),
    )
    judged("linear_cnn", result, result.diagnostics, on_failure)
    return result


_LARGEST = 1e15
_LEAST = 1e-100  # of what must be positive
_COLUMNS = (
    "learnability",
    "lazy_learnability",
    "free_energy",
    "inflation",
    "inflation_across",
    "effective_ridge",
    "threshold",
    "residual",
    "steps",
)

# -- kernels ------------------------------------------------------------------------------------------------------------


@njit
def _state(
    x: float,
    z: float,
    p: float,
    ridge: float,
    scale: float,
    c: float,
    n: float,
    s: float,
    power: float,
    modes: Array,
) -> tuple[float, float, float, float, float]:
    """Return F, its slopes in the logarithms x of b and z of b_perp, the effective ridge over P, and the sum of the terms of a slope."""
    b, across = math.exp(x), math.exp(z)
    unit = power / (n * s)
    count = 1 if s == 1.0 else 2
    modes[0, 0], modes[0, 1] = unit * b, unit * across
    modes[1, 0], modes[1, 1] = n, n * (s - 1.0)
    trace = n * unit * (b + (s - 1.0) * across)
    k, _ = renormalized_ridge(
        modes[0, :count], modes[1, :count], n * s, trace, p, 0.0, 1.0, ridge / p
    )
    learned, missing = modes[0, 0] / (k + modes[0, 0]), k / (k + modes[0, 0])
    learned_across, missing_across = modes[0, 1] / (k + modes[0, 1]), k / (k + modes[0, 1])
    across_modes = modes[1, 1]
    fluctuations = n * math.log1p(modes[0, 0] / k)
    fluctuations += across_modes * math.log1p(modes[0, 1] / k)
    prior = (math.expm1(x) - x) + (s - 1.0) * (math.expm1(z) - z)
    data = 1.0 / (modes[0, 0] + k)
    density = ridge / (p * k)
    value = 0.5 * (c * prior + scale * data + p * (math.log(p * k) - 1.0 + density) + fluctuations)
    # how the effective ridge grows with each kind of mode: both are below one
    whole = density + (n * learned * missing + across_modes * learned_across * missing_across) / p
    rise = n * learned * missing / (p * whole)
    rise_across = across_modes * learned_across * missing_across / (p * whole)
    pull = scale * data * (learned + rise * missing)
    pull_across = scale * data * rise_across * missing
    slope = 0.5 * (c * math.expm1(x) - pull + n * learned)
    slope_across = 0.5 * (
        c * (s - 1.0) * math.expm1(z) - pull_across + across_modes * learned_across
    )
    size = 0.5 * (c * (1.0 + b) + pull + n * learned)
    return value, slope, slope_across, k, size


@njit
def _given(points: Array, i: int) -> tuple[float, float, float, float, float, float, float]:
    return (
        points[i, 0],
        points[i, 1],
        points[i, 2],
        points[i, 3],
        points[i, 4],
        points[i, 5],
        points[i, 6],
    )


@njit
def _ends(
    given: tuple[float, float, float, float, float, float, float],
) -> tuple[float, float, float]:
    """Return logarithms between which b and b_perp lie: the lower end of both, and the upper ends."""
    p, kappa, chi, c, n, s, unit = given
    d = n * s
    # below, the slopes are negative, and above positive: see the terms' bounds in the tests
    low = max(c / (c + n * p * unit / (d * kappa)), 1.0 - n / c)
    high = 0.5 + math.sqrt(0.25 + chi * d / (unit * c))
    top = 0.0
    if s > 1.0:
        top = math.log1p(chi * min(d / (4 * unit * low), p / kappa) / (c * (s - 1.0)))
    return math.log(low) - 1e-3, math.log(high) + 1e-3, top + 1e-3


# one kernel for each set of directions, so that the second minimizer is compiled only where it is used


@njit
def _solve_along(points: Array, table: Array, minima: Array) -> None:
    modes = np.empty((2, 2))
    for i in range(points.shape[0]):
        given = _given(points, i)
        low, high, _ = _ends(given)
        found, steps, worst = _minima_along(given, low, high, modes, minima[i])
        _record(given, found, steps, worst, modes, table[i], minima[i])


@njit
def _solve_both(points: Array, table: Array, minima: Array) -> None:
    modes = np.empty((2, 2))
    for i in range(points.shape[0]):
        given = _given(points, i)
        low, high, top = _ends(given)
        if points[i, 5] > 1.0:
            found, steps, worst = _minima_of_both(given, low, high, top, modes, minima[i])
        else:
            found, steps, worst = _minima_along(given, low, high, modes, minima[i])
        _record(given, found, steps, worst, modes, table[i], minima[i])


@njit
def _record(
    given: tuple[float, float, float, float, float, float, float],
    found: int,
    steps: int,
    worst: float,
    modes: Array,
    row: Array,
    minima: Array,
) -> None:
    """Write what belongs to the lowest of the minima, which are sorted."""
    p, kappa, chi, c, n, s, unit = given
    row[8] = steps
    if found == 0:
        row[7] = math.inf
        return
    _sort(minima, found)
    x, z = minima[0, 0], minima[0, 1]
    value, _, _, k, _ = _state(x, z, p, kappa, chi, c, n, s, unit, modes)
    row[0] = modes[0, 0] / (k + modes[0, 0])
    _, _, _, lazy, _ = _state(0.0, 0.0, p, kappa, chi, c, n, s, unit, modes)
    row[1] = modes[0, 0] / (lazy + modes[0, 0])
    row[2], row[3], row[4] = value, math.exp(x), math.exp(z)
    row[5] = p * k
    row[6] = p * k * math.sqrt(c * (n * s) / (chi * unit))
    row[7] = worst
    for j in range(found):
        minima[j, 0], minima[j, 1] = math.exp(minima[j, 0]), math.exp(minima[j, 1])


@njit
def _sort(minima: Array, found: int) -> None:
    """Put the least free energy first, by insertion: there are few."""
    for last in range(1, found):
        x, z, value = minima[last, 0], minima[last, 1], minima[last, 2]
        j = last
        while j > 0 and minima[j - 1, 2] > value:
            for column in range(3):
                minima[j, column] = minima[j - 1, column]
            j -= 1
        minima[j, 0], minima[j, 1], minima[j, 2] = x, z, value


@njit
def _minima_along(
    given: tuple[float, float, float, float, float, float, float],
    low: float,
    high: float,
    modes: Array,
    minima: Array,
) -> tuple[int, int, float]:
    """Find where the slope along the target turns from negative to positive; b_perp is 1."""
    p, kappa, chi, c, n, s, unit = given
    found, steps, worst = 0, 0, 0.0
    left = low
    _, falling, _, _, _ = _state(left, 0.0, p, kappa, chi, c, n, s, unit, modes)
    for i in range(1, _SCAN):
        right = low + (high - low) * i / (_SCAN - 1)
        _, rising, _, _, _ = _state(right, 0.0, p, kappa, chi, c, n, s, unit, modes)
        if falling < 0.0 <= rising and found < _KEPT:
            a, fa, b, fb = left, falling, right, rising
            x, step = b, 0
            while step < _STEPS:
                step += 1
                x = b - fb * (b - a) / (fb - fa)
                value, slope, _, _, size = _state(x, 0.0, p, kappa, chi, c, n, s, unit, modes)
                if slope > 0.0:
                    b, fb = x, slope
                    fa *= 0.5  # Illinois: the end that stays counts less
                else:
                    a, fa = x, slope
                    fb *= 0.5
                if abs(slope) < 1e-15 * size or b - a < 1e-15 * max(1.0, abs(x)):
                    break
            value, slope, _, _, size = _state(x, 0.0, p, kappa, chi, c, n, s, unit, modes)
            minima[found, 0], minima[found, 1], minima[found, 2] = x, 0.0, value
            found += 1
            steps = max(steps, step)
            worst = max(worst, abs(slope) / size)
        left, falling = right, rising
    return found, steps, worst


@njit
def _minima_of_both(
    given: tuple[float, float, float, float, float, float, float],
    low: float,
    high: float,
    top: float,
    modes: Array,
    minima: Array,
) -> tuple[int, int, float]:
    """Find the minima in both variances: the lowest points of a grid among their neighbors, polished."""
    p, kappa, chi, c, n, s, unit = given
    values = np.empty((_SCAN_ALONG, _SCAN_ACROSS))
    dx = (high - low) / (_SCAN_ALONG - 1)
    dz = (top - low) / (_SCAN_ACROSS - 1)
    for i in range(_SCAN_ALONG):
        for j in range(_SCAN_ACROSS):
            values[i, j] = _state(low + dx * i, low + dz * j, p, kappa, chi, c, n, s, unit, modes)[
                0
            ]
    found, steps, worst = 0, 0, 0.0
    for i in range(_SCAN_ALONG):
        for j in range(_SCAN_ACROSS):
            if not _lowest_around(values, i, j):
                continue
            x, z, step = _polish(low + dx * i, low + dz * j, given, modes)
            value, slope, slope_across, _, size = _state(x, z, p, kappa, chi, c, n, s, unit, modes)
            known = False
            for other in range(found):
                apart = abs(minima[other, 0] - x) + abs(minima[other, 1] - z)
                known = known or apart < 1e-6
            if known or found == _KEPT:
                continue
            minima[found, 0], minima[found, 1], minima[found, 2] = x, z, value
            found += 1
            steps = max(steps, step)
            worst = max(worst, (abs(slope) + abs(slope_across) / s) / size)
    return found, steps, worst


@njit
def _lowest_around(values: Array, i: int, j: int) -> bool:
    """Tell whether no neighbor of a point of the grid lies lower."""
    for a in range(max(i - 1, 0), min(i + 2, values.shape[0])):
        for b in range(max(j - 1, 0), min(j + 2, values.shape[1])):
            if values[a, b] < values[i, j]:
                return False
    return True


@njit
def _polish(
    x: float,
    z: float,
    given: tuple[float, float, float, float, float, float, float],
    modes: Array,
) -> tuple[float, float, int]:
    """Follow damped Newton steps down to a minimum, with second derivatives from differences of exact slopes."""
    p, kappa, chi, c, n, s, unit = given
    h = _DIFFERENCE
    value, gx, gz, _, size = _state(x, z, p, kappa, chi, c, n, s, unit, modes)
    for step in range(_STEPS):
        _, right_x, right_z, _, _ = _state(x + h, z, p, kappa, chi, c, n, s, unit, modes)
        _, left_x, left_z, _, _ = _state(x - h, z, p, kappa, chi, c, n, s, unit, modes)
        _, _, up, _, _ = _state(x, z + h, p, kappa, chi, c, n, s, unit, modes)
        _, _, down, _, _ = _state(x, z - h, p, kappa, chi, c, n, s, unit, modes)
        xx, xz, zz = (
            (right_x - left_x) / (2 * h),
            (right_z - left_z) / (2 * h),
            (up - down) / (2 * h),
        )
        lift = 0.0
        least = 0.5 * (xx + zz) - math.sqrt(0.25 * (xx - zz) ** 2 + xz * xz)
        most = 0.5 * (xx + zz) + math.sqrt(0.25 * (xx - zz) ** 2 + xz * xz)
        if least < 1e-12 * abs(most):
            lift = -least + 1e-2 * max(abs(most), abs(least)) + 1e-300
        det = (xx + lift) * (zz + lift) - xz * xz
        move_x = -((zz + lift) * gx - xz * gz) / det
        move_z = -((xx + lift) * gz - xz * gx) / det
        length = math.sqrt(move_x * move_x + move_z * move_z)
        if length > 0.5:
            move_x, move_z = move_x * 0.5 / length, move_z * 0.5 / length
        share = 1.0
        for _ in range(40):
            tried, tx, tz, _, tried_size = _state(
                x + share * move_x, z + share * move_z, p, kappa, chi, c, n, s, unit, modes
            )
            gain = share * (gx * move_x + gz * move_z)
            if tried <= value + 1e-4 * gain + 1e-15 * abs(value):
                break
            share *= 0.5
        x, z = x + share * move_x, z + share * move_z
        value, gx, gz, size = tried, tx, tz, tried_size
        if share * length < 1e-12 or abs(gx) + abs(gz) / s < 1e-14 * size:
            return x, z, step + 1
    return x, z, _STEPS
