"""Inverse queries: how much time, how many features or samples a loss takes."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from ...arguments import Array, Value, number, numbers, shaped
from ...errors import DomainError, refusal
from .._roots import bounded_minimum, brentq
from ..catalogue import shows
from ..equivalents.edges import lower_edge
from ..spectra import Spectrum, one_spectrum
from ._flow import gradient_flow
from ._ridge import ridge as solve_ridge

_PER_DECADE = 6
_LONGEST = 1e30  # time
_LARGEST = 1e15  # features or samples
_SETTLED = 400.0  # logarithm by which the slowest mode has fallen when floating-point numbers hold no rest of it


@shows("time")
def time_for_loss(
    loss: ArrayLike,
    spectrum: Spectrum,
    *,
    features: float = math.inf,
    samples: float = math.inf,
    noise_variance: float = 0.0,
) -> Value:
    r"""Compute the first time at which gradient flow reaches a test loss.

    Parameters
    ----------
    loss : array_like
        Test losses to be reached, > 0.
    spectrum : PowerLawSpectrum or EmpiricalSpectrum
        Eigenvalues and signal powers.
    features, samples : float
        N and P, >= 1, possibly infinite.
    noise_variance : float
        :math:`\sigma^2 \ge 0`.

    Returns
    -------
    float or ndarray
        t, between 0 and 1e30; 0 where the loss is no less than the one at the start.

    Raises
    ------
    DomainError
        If a loss is not reached; the message says which loss is the lowest, and where.

    Notes
    -----
    Features are assumed to be Gaussian, or to act as if they were; see the module.

    The loss may rise again (overfitting). Times from the first mode's on are searched at six per decade, minima in between
    included, until the slowest mode has settled, and the crossing is then found by Brent's method to 1e-9: about 0.1 s, for a
    loss that is not reached 0.3 s.

    Examples
    --------
    >>> from scalinglaws.solvers import PowerLawSpectrum
    >>> t = time_for_loss(0.01, PowerLawSpectrum(1.5, 0.5), features=1e6)
    >>> print(f"{gradient_flow(t, PowerLawSpectrum(1.5, 0.5), features=1e6).test_loss:.6f}")
    0.010000
    """
    one_spectrum(spectrum, loss=loss)
    modes = spectrum.modes()
    largest = float(np.max(modes.eigenvalues))
    first = 1e-3 / largest
    if not 0 < first < _LONGEST:
        raise refusal("spectrum", largest, f"learns its first mode later than at t = {_LONGEST:g}")

    def losses(times: Array) -> Array:
        found = gradient_flow(
            times, spectrum, features=features, samples=samples, noise_variance=noise_variance
        )
        return np.asarray(found.test_loss)

    last = max(_settled(spectrum, features, samples), 10 * first)
    return _search("time", loss, losses, first, last, float(np.sum(modes.signal)))


@shows("features")
def features_for_loss(
    loss: ArrayLike,
    spectrum: Spectrum,
    *,
    samples: float = math.inf,
    t: float = math.inf,
    ridge: float = 0.0,
    noise_variance: float = 0.0,
) -> Value:
    r"""Compute the smallest number of features that reaches a test loss.

    Parameters
    ----------
    loss : array_like
        Test losses to be reached, > 0.
    spectrum : PowerLawSpectrum or EmpiricalSpectrum
        Eigenvalues and signal powers.
    samples : float
        P >= 1, possibly infinite.
    t : float
        Time of gradient flow, > 0; infinite for ridge regression with the given `ridge`.
    ridge : float
        r >= 0, in the normalization of `scalinglaws.solvers.linear.ridge`; for ``t = inf`` alone.
    noise_variance : float
        :math:`\sigma^2 \ge 0`.

    Returns
    -------
    float or ndarray
        N, not necessarily whole, between 1 and 1e15; 1 where a single feature is enough.

    Raises
    ------
    DomainError
        If a loss is not reached; the message says which loss is the lowest, and where.

    Notes
    -----
    Features are assumed to be Gaussian, or to act as if they were; see the module.

    Without ridge the loss has a peak at N = P and may have a minimum on either side; the search is that of
    `time_for_loss`. A few milliseconds for ridge regression, 0.1 s along the flow.

    Examples
    --------
    >>> from scalinglaws.solvers import PowerLawSpectrum
    >>> print(f"{features_for_loss(1e-6, PowerLawSpectrum(1.5, 0.5)):.4e}")
    6.4805e+08
    """
    one_spectrum(spectrum, loss=loss)
    return _sizes("features", "samples", loss, spectrum, samples, t, ridge, noise_variance)


@shows("samples")
def samples_for_loss(
    loss: ArrayLike,
    spectrum: Spectrum,
    *,
    features: float = math.inf,
    t: float = math.inf,
    ridge: float = 0.0,
    noise_variance: float = 0.0,
) -> Value:
    r"""Compute the smallest number of samples that reaches a test loss.

    Parameters
    ----------
    loss : array_like
        Test losses to be reached, > 0.
    spectrum : PowerLawSpectrum or EmpiricalSpectrum
        Eigenvalues and signal powers.
    features : float
        N >= 1, possibly infinite.
    t, ridge, noise_variance
        As for `features_for_loss`.

    Returns
    -------
    float or ndarray
        P, not necessarily whole, between 1 and 1e15; 1 where a single sample is enough.

    Raises
    ------
    DomainError
        If a loss is not reached; the message says which loss is the lowest, and where.

    Notes
    -----
    Features are assumed to be Gaussian, or to act as if they were; see the module.

    Examples
    --------
    >>> from scalinglaws.solvers import PowerLawSpectrum
    >>> print(f"{samples_for_loss(1e-6, PowerLawSpectrum(1.5, 0.5)):.4e}")
    4.4159e+08
    """
    one_spectrum(spectrum, loss=loss)
    return _sizes("samples", "features", loss, spectrum, features, t, ridge, noise_variance)


def _settled(spectrum: Spectrum, features: float, samples: float) -> float:
    """Return a time after which gradient flow moves nothing, at most the longest that is searched."""
    n = number("features", features, low=1.0, infinite=True)
    p = number("samples", samples, low=1.0, infinite=True)
    try:
        modes = spectrum.modes(spectrum.depth_for(min(n, p), 0.0))
    except DomainError:  # too many modes for floating-point numbers, which only late losses need
        return _LONGEST
    if math.isinf(min(n, p, modes.size)):
        return _LONGEST
    edge = lower_edge(modes, n, p)[1]
    return min(_SETTLED / edge, _LONGEST) if edge > 0 else _LONGEST


def _sizes(
    wanted: str,
    other: str,
    loss: ArrayLike,
    spectrum: Spectrum,
    fixed: float,
    t: float,
    ridge: float,
    noise_variance: float,
) -> Value:
    t = number("t", t, low=0.0, strict=True, infinite=True)
    if math.isfinite(t) and ridge != 0:
        raise refusal("ridge", ridge, f"is for t = inf; a flow that stops at t = {t} has none")

    def losses(sizes: Array) -> Array:
        given: dict[str, Any] = {wanted: sizes, other: fixed, "noise_variance": noise_variance}
        if math.isinf(t):
            return np.asarray(solve_ridge(spectrum, ridge=ridge, **given).test_loss)
        return np.asarray(gradient_flow(t, spectrum, **given).test_loss)

    return _search(wanted, loss, losses, 1.0, _LARGEST, math.inf)


def _search(
    name: str,
    loss: ArrayLike,
    losses: Callable[[Array], Array],
    low: float,
    high: float,
    start: float,
) -> Value:
    """Return where a function of a positive variable first falls to each of some levels."""
    levels = numbers("loss", loss, low=0.0, strict=True)
    grid = np.geomspace(low, high, round(math.log10(high / low) * _PER_DECADE) + 1)
    known = np.empty(0)
    while known.size < grid.size:  # two decades at a time, until all levels are reached
        known = np.append(known, losses(grid[known.size : known.size + 2 * _PER_DECADE]))
        if np.min(known) <= np.min(levels, initial=math.inf):
            break
    grid = grid[: known.size]
    found = [_first(name, float(level), losses, grid, known, start) for level in levels.ravel()]
    return shaped(np.array(found), levels.shape)


def _first(
    name: str,
    level: float,
    losses: Callable[[Array], Array],
    grid: Array,
    known: Array,
    start: float,
) -> float:
    if start <= level:
        return 0.0
    if known[0] <= level:
        return (
            float(grid[0]) if math.isinf(start) else _cross(level, losses, grid[0] * 1e-14, grid[0])
        )
    reached = np.flatnonzero(known <= level)
    end = int(reached[0]) if reached.size else grid.size
    bottom = int(np.argmin(known[:end]))
    lowest, place = float(known[bottom]), float(grid[bottom])
    # a minimum between two points of the grid may reach the level before
    for i in range(1, min(end, grid.size - 1)):
        sides = known[i - 1], known[i + 1]
        if not known[i] <= min(sides):
            continue
        # a parabola falls below the middle of three points by at most an eighth of the larger rise: rounding on a plateau is
        # not searched, and the lowest point only for the message
        if known[i] - level > max(sides) - known[i] and i != bottom:
            continue
        bounds = (math.log(grid[i - 1]), math.log(grid[i + 1]))
        log_place, least = bounded_minimum(lambda x: _at(losses, x), *bounds, xatol=1e-6)
        if least <= level:
            return _cross(level, losses, grid[i - 1], math.exp(log_place))
        if least < lowest:
            lowest, place = least, math.exp(log_place)
    if end < grid.size:
        return _cross(level, losses, grid[end - 1], grid[end])
    raise refusal(
        "loss",
        level,
        f"loss = {level:.6g} is not reached: the lowest is {lowest:.6g}, at {name} = {place:.3g}; allow "
        "more of the other resources",
        named=False,
    )


def _at(losses: Callable[[Array], Array], x: float) -> float:
    return float(losses(np.array([math.exp(x)]))[0])


def _cross(level: float, losses: Callable[[Array], Array], before: float, after: float) -> float:
    def excess(x: float) -> float:
        value = _at(losses, x)
        return math.inf if math.isinf(value) else value / level - 1

    return math.exp(brentq(excess, math.log(before), math.log(after), xtol=1e-10, rtol=1e-14))
