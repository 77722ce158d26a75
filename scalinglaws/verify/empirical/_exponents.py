r"""Capacity and source of a sample: slopes over a window of modes, with the biases of the sample taken off.

To first order in 1/n, eigenvalues of a sample are too large by the factor :math:`1 + c_\alpha k/n`, and the residual of the labels is too
small by :math:`1 - k/n`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import optimize

from ...arguments import numbers, whole
from ...errors import DataError, refusal
from ...reprs import short_repr
from ._records import NO_POWER_LAW, POWER_LAW, TOO_FEW, MeasuredSpectrum
from ._sample import Modes, Sample
from ._windows import FIRST, LEAST_SPAN, MOST_BIAS, MOST_MODES, SHARE, Window, modes_of, slope

Array = NDArray[np.float64]

LOWEST, HIGHEST = 1.01, 8.0
"""Capacities are looked for between them."""
SHALLOW = 1.05
"""Capacities below it come with a warning: the correction is then larger than what it corrects."""
_PASSES = 20  # of the search for the window
EXHAUSTED = 1e-10
"""Residual of labels that is made of rounding errors."""


def eigenvalue_bias(capacity: float, k: Array, samples: float, rank: float = math.inf) -> Array:
    r"""Compute the relative bias of a sample's eigenvalues, to first order.

    .. math:: \frac{\hat\lambda_k}{\lambda_k} - 1 \simeq \frac1n \sum_{j \ne k} \frac{\lambda_j}{\lambda_k - \lambda_j} \simeq
              \frac kn \left[c_\alpha - \int_{r/k}^\infty \frac{dx}{x^\alpha - 1}\right],
              \qquad c_\alpha = -\frac\pi\alpha \cot\frac\pi\alpha

    Parameters
    ----------
    capacity : float
        :math:`\alpha > 1`.
    k : ndarray
        Modes, at most half of the rank.
    samples, rank : float
        n and r, the number of modes in all; both may be inf.

    Returns
    -------
    ndarray
        Of the shape of `k`.

    Examples
    --------
    >>> print(eigenvalue_bias(1.5, np.array([10.0]), 100.0).round(5))
    [0.12092]
    """
    constant = -math.pi / capacity / math.tan(math.pi / capacity)
    if math.isinf(rank):
        return np.asarray(constant * k / samples)
    # the integral term by term: 1/(x^a - 1) = x^-a + x^-2a + ...; the ratio of terms is below 2^-a
    orders = capacity * np.arange(1.0, 60.0)[:, None]
    missing = np.sum((rank / k) ** (1 - orders) / (orders - 1), axis=0)
    return np.asarray((constant - missing) * k / samples)


def capacity_over(modes: Modes, window: Window) -> float:
    r"""Return the capacity over a window: the root of :math:`a = g(a)`, minus the slope of corrected eigenvalues for capacity a.

    g falls, so there is one root at most; without one between 1.01 and 8, the end at which it would be is returned.
    """
    k = modes_of(window)
    x, y = np.log(k), np.log(modes.eigenvalues[k - 1])
    at = k.astype(float)

    def excess(a: float) -> float:
        return a + slope(x, y - np.log1p(eigenvalue_bias(a, at, modes.samples, modes.rank)))

    if excess(LOWEST) >= 0:
        return LOWEST
    if excess(HIGHEST) <= 0:
        return HIGHEST
    return float(optimize.brentq(excess, LOWEST, HIGHEST, xtol=1e-12))


def corrected_logs(modes: Modes, capacity: float | None, k: NDArray[np.intp]) -> Array:
    """Return logarithms of eigenvalues without their bias at some modes; as they were measured, if the capacity is not known."""
    logs = np.log(modes.eigenvalues[k - 1])
    if capacity is None:
        return logs
    at = k.astype(float)
    return np.asarray(logs - np.log1p(eigenvalue_bias(capacity, at, modes.samples, modes.rank)))


def residual_logs(modes: Modes, k: NDArray[np.intp]) -> Array | None:
    """Return logarithms of the residual without its bias at some modes; None where modes hold all of the labels."""
    residual = 1 - np.cumsum(modes.shares)[k - 1]
    if not np.all(residual > EXHAUSTED):
        return None
    return np.asarray(np.log(residual) - np.log1p(-k / modes.samples))


def decay_over(modes: Modes, window: Window) -> float | None:
    r"""Return :math:`\alpha\beta`, minus the slope of the residual against k + 1/2; None where modes hold all of the labels."""
    k = modes_of(window)
    logs = residual_logs(modes, k)
    return None if logs is None else decay_from(k, logs)


def decay_from(k: NDArray[np.intp], logs: Array) -> float:
    """Return minus the slope of logarithms of residuals against k + 1/2, the middle of the sum over what lies beyond k."""
    return -slope(np.log(k + 0.5), logs)


@short_repr
@dataclass(frozen=True)
class FitWindow:
    """Where the exponents of a sample can be read off.

    Attributes
    ----------
    window : tuple of int
        First and last mode; the widest there is, if no capacity was found.
    capacity : float or None
        Over this window.
    verdict, reason : str
        Why there is none.
    """

    window: Window
    capacity: float | None
    verdict: str = POWER_LAW
    reason: str = ""


def last_mode(modes: Modes, capacity: float | None) -> int:
    """Return the last mode of a fit: k_1 = n min(0.15, 0.5/|c|), half of the rank, or all modes that were computed."""
    one = np.ones(1)
    bias = 0.0 if capacity is None else float(eigenvalue_bias(capacity, one, 1.0)[0])
    share = min(SHARE, MOST_BIAS / abs(bias)) if bias else SHARE
    least = min(modes.samples * share, modes.rank / 2, MOST_MODES, modes.eigenvalues.size)
    return math.floor(least * (1 + 1e-12))


def fit_window(modes: Modes) -> FitWindow:
    """Find the window of a sample: it depends on the capacity, and the capacity on it.

    Starts from the widest; at most 20 passes; a cycle ends at its smallest window.
    """
    widest = last_mode(modes, None)
    least = LEAST_SPAN * FIRST
    if widest < least:
        window = (FIRST, max(widest, FIRST + 1))
        return FitWindow(window, None, TOO_FEW, _too_few(modes, widest))
    last, seen = widest, list[int]()
    for _ in range(_PASSES):
        window = (FIRST, max(last, least))
        capacity = capacity_over(modes, window)
        if not LOWEST < capacity < HIGHEST:
            return FitWindow(window, None, NO_POWER_LAW, _no_root(capacity))
        last = last_mode(modes, capacity)
        if last in seen:
            last = min(seen[seen.index(last) :])
            break
        seen.append(last)
    window = (FIRST, max(last, least))
    capacity = capacity_over(modes, window)
    if last < least:
        return FitWindow(window, None, TOO_FEW, _too_few(modes, last, capacity))
    if not LOWEST < capacity < HIGHEST:
        return FitWindow(window, None, NO_POWER_LAW, _no_root(capacity))
    return FitWindow(window, capacity)


def _no_root(capacity: float) -> str:
    if capacity <= LOWEST:
        return (
            f"eigenvalues fall no faster than k^-{LOWEST:g} once their bias is taken off: "
            "the capacity is about 1 or less, or they follow no power law"
        )
    return f"eigenvalues fall faster than k^-{HIGHEST:g}: they follow no power law"


def _too_few(modes: Modes, last: int, capacity: float | None = None) -> str:
    least = LEAST_SPAN * FIRST
    if modes.rank / 2 < least:
        return (
            f"there are only {modes.rank:.0f} modes: a fit must reach from mode {FIRST} to at least {least}, "
            "and to no more than half of them"
        )
    if math.isinf(modes.samples):
        return (
            f"there are only {modes.eigenvalues.size} modes, too few for a fit up to mode {least}"
        )
    steep = "" if capacity is None else f" for a capacity near {capacity:.3g}"
    return (
        f"{modes.samples:.0f} samples resolve modes up to {last}{steep}: "
        f"a fit must reach from mode {FIRST} to at least {least}"
    )


def spectrum_over(modes: Modes, window: Window) -> MeasuredSpectrum | None:
    """Return a spectrum with the power laws of a window; None where they cannot be fitted, or what labels have does not fall."""
    capacity, decay = capacity_over(modes, window), decay_over(modes, window)
    k = modes_of(window)
    residual = residual_logs(modes, k)
    if not LOWEST < capacity < HIGHEST or decay is None or residual is None or decay <= 0:
        return None
    eigenvalues = corrected_logs(modes, capacity, k) + capacity * np.log(k)
    return MeasuredSpectrum(
        samples=modes.samples,
        eigenvalues=modes.eigenvalues,
        shares=modes.shares,
        power=modes.power,
        capacity=capacity,
        decay=decay,
        window=window,
        eigenvalue_amplitude=math.exp(float(np.mean(eigenvalues))),
        residual_amplitude=math.exp(float(np.mean(residual + decay * np.log(k + 0.5)))),
        rank=modes.rank,
    )


def widest_count(samples: int) -> int:
    """Return how many modes the widest window of so many samples needs."""
    return min(math.floor(SHARE * samples) + 1, MOST_MODES)


def measured_spectrum(
    gram: ArrayLike, labels: ArrayLike, *, count: int | None = None
) -> MeasuredSpectrum:
    r"""Measure the leading modes of a sample and the power laws that continue them.

    Parameters
    ----------
    gram : array_like, shape (n, n)
        K, symmetric and positive semidefinite.
    labels : array_like, shape (n,) or (n, c)
        Centered here.
    count : int, optional
        Modes to keep; those of the widest window, 0.15 n, by default.

    Returns
    -------
    MeasuredSpectrum
        Of K/n.

    Raises
    ------
    DomainError
        If an argument is out of range.
    DataError
        If no power laws can be fitted, or labels are constant.

    Notes
    -----
    The window starts at mode 5 and ends at :math:`n \min(0.15, 0.5/|c_\alpha|)`, half of the rank or mode 1000. :math:`O(n^3)`.
    """
    matrix = numbers("gram", gram)
    if matrix.ndim != 2 or matrix.shape[0] != matrix.shape[1]:
        raise refusal("gram", matrix.shape, "must be a square matrix", shown=False)
    targets = numbers("labels", labels)
    n = matrix.shape[0]
    if targets.ndim not in (1, 2) or targets.shape[0] != n or targets.size == 0:
        complaint = f"must have one row for each of the {n} points; got shape {targets.shape}"
        raise refusal("labels", targets, complaint, shown=False)
    needed = widest_count(n)
    kept = needed if count is None else max(whole("count", count, high=n), min(needed, n))
    modes = Sample(matrix, targets.reshape(n, -1), is_gram=True).modes(kept)
    found = fit_window(modes)
    if found.capacity is None:
        raise DataError(f"no power law can be fitted: {found.reason}")
    spectrum = spectrum_over(modes, found.window)
    if spectrum is None:
        raise DataError(
            "no power law can be fitted: the modes of the window hold all of the labels, or no more than noise would have there"
        )
    return spectrum
