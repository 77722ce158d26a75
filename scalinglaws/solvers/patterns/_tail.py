"""Tail probabilities of a sum of cubes, by the method asked for."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import log_ndtr

from ...arguments import (
    broadcast,
    choice,
    generator,
    numbers,
    shaped,
    whole,
    whole_numbers,
)
from ...results import Diagnostics, Result, Status
from ..catalogue import shows
from ._cubes import log_tail_of_two, log_tail_on_lattice
from ._normal import Array
from ._tail_sampler import sampled

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
        misses the event beyond the transition of `cube_rate`.
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
        If the lattice would be too large.

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
    found = np.array(
        [
            _one(int(n), float(s), method, size, source)
            for n, s in zip(terms, thresholds, strict=True)
        ]
    ).reshape(-1, 4)
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
    diagnostics = Diagnostics(
        Status.CONVERGED, 0.0, 0 if source is None else size, names[method], error
    )
    return TailProbability(count, threshold, value, spread, shared, jump, diagnostics)


def _one(
    n: int, s: float, method: str, samples: int, source: np.random.Generator | None
) -> tuple[float, float, float, float]:
    if s < 0:
        value, error, *_ = _one(n, -s, method, samples, source)
        return (
            math.log1p(-math.exp(value)),
            error * math.exp(value) / -math.expm1(value),
            math.nan,
            math.nan,
        )
    if s == 0:
        return -math.log(2), 0.0, math.nan, math.nan
    if n == 1:
        return float(log_ndtr(-np.cbrt(math.sqrt(15) * s))), 0.0, math.nan, math.nan
    if source is not None:
        (shared, first), (jump, second) = sampled(
            n, s, samples, source, jumps=method == "importance"
        )
        total = float(np.logaddexp(shared, jump))
        if total == -math.inf:
            return total, math.inf, shared, jump
        return (
            total,
            math.hypot(first * math.exp(shared - total), second * math.exp(jump - total)),
            shared,
            jump,
        )
    if n == 2:
        return log_tail_of_two(s), 0.0, math.nan, math.nan
    shared, jump, _ = log_tail_on_lattice(n, s)
    return float(np.logaddexp(shared, jump)), 0.0, shared, jump
