"""Tail probabilities of a sum of cubes, by the method asked for."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from ...arguments import (
    broadcast,
    choice,
    generator,
    numbers,
    shaped,
    whole,
    whole_numbers,
)
from ...results import Diagnostics, Result, Status, judged
from ..catalogue import shows
from ._cubes import log_tail_of_two, log_tail_on_lattice
from ._normal import Array, afford_draws, log_sum
from ._tail_sampler import missed_by_tilt, sampled

METHODS = ("lattice", "importance", "tilt")
_LATTICE_ERROR = 2e-6  # share that the cells' width adds


@shows("log_probability", "standard_error")
@dataclass(frozen=True)
class TailProbability(Result):
    """How likely a sum of cubes is to exceed a threshold.

    Attributes
    ----------
    n, s : float or ndarray
        Number of terms and threshold.
    log_probability : float or ndarray
        Logarithm of the probability.
    standard_error : float or ndarray
        Of `log_probability`, from sampling; 0 for what was not sampled.
    log_shared, log_jump : float or ndarray
        Logarithms of the probabilities that the event happens without and with a large term, where the method tells them apart:
        at a threshold that differs between methods. Not a number elsewhere.
    diagnostics : Diagnostics
        Method and error estimate.
    """

    n: float | Array
    s: float | Array
    log_probability: float | Array
    standard_error: float | Array
    log_shared: float | Array
    log_jump: float | Array
    diagnostics: Diagnostics


def log_tail(
    n: ArrayLike,
    s: ArrayLike,
    method: str = "lattice",
    *,
    samples: int = 20_000,
    rng: np.random.Generator | int | None = None,
) -> TailProbability:
    r"""Compute how likely a sum of cubes of Gaussian numbers is to exceed a threshold, far into its tail.

    .. math:: \log P(A_n > s), \qquad A_n = \frac{1}{\sqrt{15 n}} \sum_{c=1}^n a_c^3, \quad a_c \sim N(0, 1)

    the alignment of n neurons that must learn a cubic target.

    Parameters
    ----------
    n : array_like
        Number of terms, whole, >= 1; broadcast against `s`.
    s : array_like
        Threshold in standard deviations of the sum, finite.
    method : {"lattice", "importance", "tilt"}
        ``"lattice"``: convolution of a tilted lattice law, no random numbers. ``"importance"``: importance sampling, separately
        with and without a jump of one term. ``"tilt"``: without the part that jumps, as a warning; a single exponential tilt
        misses the event beyond the transition of `cube_rate`, and is told so.
    samples : int
        Samples of each part, >= 2.
    rng : Generator or int, optional
        Source of random numbers, or its seed; needed for sampling.

    Returns
    -------
    TailProbability
        Logarithms of the probability, with standard errors.

    Raises
    ------
    DomainError
        If an argument is out of range, or a method that samples is given no `rng`.
    ConvergenceError
        If rounding spoils the lattice; sampling still works there.
    ResourceError
        If the lattice would be too large, or more than 5e9 terms would be drawn.

    Warns
    -----
    AccuracyWarning
        If a sample cannot be trusted: less than 50 weights are effective, the error of the logarithm is above 0.3, or a single tilt
        leaves out a jump that is likelier than what it found. ``diagnostics.status`` says so, too.

    Notes
    -----
    One term is exact, two are a quadrature. A negative threshold follows from its mirror image. The lattice is accurate to
    2e-6, down to probabilities of 1e-50, and takes some 2 s per element; sampling takes about 10 ns per term and sample for
    weights that are exact (the proposal is constant in cells).

    References
    ----------
    .. [1] S. V. Nagaev, Ann. Probab. 7 (1979), 745 (the rate); S. Juneja and P. Shahabuddin, "Rare-event simulation techniques",
       2006, section 3 (conditioning on the largest term).

    Examples
    --------
    >>> found = log_tail(100, 42, "importance", rng=0)
    >>> bool(abs(found.log_probability + 67.2949) < 0.02)
    True
    >>> round(log_tail(1, 3).log_probability, 6)
    -4.443191
    """
    choice("method", method, METHODS)
    shape, (terms, thresholds) = broadcast({"n": whole_numbers("n", n), "s": numbers("s", s)})
    source = None if method == "lattice" else generator(rng)
    size = whole("samples", samples, low=2)
    if source is not None:
        work = float(np.sum(np.where((thresholds != 0) & (terms > 1), terms, 0.0)))
        afford_draws("log_tail", size, work, "terms")
    rows = [
        _one(int(n), float(s), method, size, source) for n, s in zip(terms, thresholds, strict=True)
    ]
    found = np.array([row[:4] for row in rows]).reshape(-1, 4)
    error = float(
        np.max(np.where(found[:, 1] > 0, found[:, 1], found[:, 1] + _LATTICE_ERROR), initial=0.0)
    )
    names = {
        "lattice": "lattice convolution",
        "importance": "importance sampling in two parts",
        "tilt": "importance sampling, one tilt",
    }
    count, threshold, value, spread, shared, jump = (
        shaped(column, shape) for column in (terms, thresholds, *found.T)
    )
    status = Status.CONVERGED if all(row[4] for row in rows) else Status.UNDERSAMPLED
    diagnostics = Diagnostics(status, 0.0, 0 if source is None else size, names[method], error)
    result = TailProbability(count, threshold, value, spread, shared, jump, diagnostics)
    judged("log_tail", result, diagnostics)
    return result


def _one(
    n: int, s: float, method: str, samples: int, source: np.random.Generator | None
) -> tuple[float, float, float, float, bool]:
    """Return log P, its standard error, its two parts, and whether they can be trusted."""
    from scipy.special import log_ndtr

    if s < 0:
        value, error, *_, good = _one(n, -s, method, samples, source)
        return (
            math.log1p(-math.exp(value)),
            error * math.exp(value) / -math.expm1(value) if value > -math.inf else 0.0,
            math.nan,
            math.nan,
            good,
        )
    if s == 0:
        return -math.log(2), 0.0, math.nan, math.nan, True
    if n == 1:
        return float(log_ndtr(-np.cbrt(math.sqrt(15) * s))), 0.0, math.nan, math.nan, True
    if source is not None:
        shared, jump = sampled(n, s, samples, source, jumps=method == "importance")
        total = log_sum([shared, jump])
        missed = missed_by_tilt(n, s) if method == "tilt" else -math.inf
        good = total.good and missed < total.log_mean
        return total.log_mean, total.error, shared.log_mean, jump.log_mean, good
    if n == 2:
        return log_tail_of_two(s), 0.0, math.nan, math.nan, True
    lattice = log_tail_on_lattice(n, s)
    return float(np.logaddexp(*lattice[:2])), 0.0, *lattice[:2], True
