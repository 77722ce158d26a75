"""How well the chains of a sampler agree, and whether that is well enough."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ...arguments import numbers, refuse_first, whole
from ...equality import by_value
from ...errors import refusal
from ...reprs import short_repr
from ...results import Status

Array = NDArray[np.float64]

_R_HAT = 1.1
_LEAST_EFFECTIVE = (
    10.0  # draws of each chain, five of each half, as in section 11.5 of Gelman et al.
)


@short_repr
@by_value
@dataclass(frozen=True)
class Agreement:
    """What several chains say of the same scalars, made by `agreement`.

    Attributes
    ----------
    r_hat, effective_size, standard_error : mapping
        Of each scalar: split R-hat, effective number of draws, standard error of the mean over all draws.
    status : Status
        Whether R-hat is at most 1.1 everywhere, and every scalar has ten effective draws for each chain.
    complaint : str
        What is wrong, and what to do; empty if nothing is.
    """

    r_hat: dict[str, float]
    effective_size: dict[str, float]
    standard_error: dict[str, float]
    status: Status
    complaint: str

    @property
    def residual(self) -> float:
        """Largest R-hat minus one."""
        return max(self.r_hat.values()) - 1

    @property
    def error_estimate(self) -> float:
        """Standard error of the slowest scalar's mean over its standard deviation."""
        return 1 / math.sqrt(min(self.effective_size.values()))


def agreement(scalars: Mapping[str, Array]) -> Agreement:
    """Judge whether chains agree.

    Parameters
    ----------
    scalars : mapping
        From names to values along the chains, shape (chains, draws).

    Returns
    -------
    Agreement
        Of the scalars, with the verdict.
    """
    r_hat = {key: split_r_hat(values) for key, values in scalars.items()}
    sizes = {key: effective_size(values) for key, values in scalars.items()}
    worst = max(r_hat, key=lambda key: r_hat[key])
    slowest = min(sizes, key=lambda key: sizes[key])
    chains = len(scalars[slowest])
    status, complaint = Status.CONVERGED, ""
    if not r_hat[worst] <= _R_HAT:
        status = Status.MAX_ITERATIONS
        complaint = (
            f"R-hat of the {worst.replace('_', ' ')} is {r_hat[worst]:.3f}: chains disagree; "
            "use more warmup or thinning"
        )
    elif sizes[slowest] < _LEAST_EFFECTIVE * chains:
        status = Status.UNDERSAMPLED
        complaint = (
            f"the {slowest.replace('_', ' ')} has {sizes[slowest]:.0f} effective draws in {chains} chains, too few to judge "
            "whether they agree; use more draws or thinning"
        )
    errors = {key: float(np.std(values)) / math.sqrt(sizes[key]) for key, values in scalars.items()}
    return Agreement(r_hat, sizes, errors, status, complaint)


def chain_sizes(chains: object, draws: object) -> tuple[int, int]:
    """Return how many chains of how many draws are run; refuse what convergence cannot be judged by."""
    runs, kept = whole("chains", chains), whole("draws", draws)
    if runs < 2 or kept < 4:
        raise refusal(
            "chains", chains, f"must be >= 2 and draws = {draws} >= 4 to judge convergence"
        )
    return runs, kept


def split_r_hat(values: ArrayLike) -> float:
    """Compare the spread between chains with that within; one if they agree.

    Each chain is cut into halves, so that one that drifts disagrees with itself.

    Parameters
    ----------
    values : array_like, shape (chains, draws)
        A scalar along every chain, or an array of flags, which tells when an event took place; at least four draws.

    Returns
    -------
    float
        Square root of the pooled variance over the mean variance within halves, >= sqrt(1 - 2/draws); inf for halves that are
        constant and differ.

    References
    ----------
    .. [1] A. Gelman et al., Bayesian Data Analysis, 3rd ed., 2013, section 11.4.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> agreeing = rng.standard_normal((4, 1000))
    >>> bool(split_r_hat(agreeing) < 1.01), bool(split_r_hat(agreeing + [[0], [0], [0], [1]]) > 1.05)
    (True, True)
    """
    halves = _halves(values)
    size = halves.shape[1]
    within = float(halves.var(axis=1, ddof=1).mean())
    between = float(halves.mean(axis=1).var(ddof=1))
    if within == 0:
        return 1.0 if between == 0 else math.inf
    return math.sqrt((size - 1) / size + between / within)


def effective_size(values: ArrayLike) -> float:
    """Return how many independent draws would determine the mean as well as correlated ones do.

    Parameters
    ----------
    values : array_like, shape (chains, draws)
        A scalar along every chain, or an array of flags, which tells when an event took place; at least four draws.

    Returns
    -------
    float
        Number of draws over the integrated autocorrelation time, which is summed until it is lost in noise (pairs of lags that are
        positive and do not increase), with the disagreement of chains counted as correlation.

    References
    ----------
    .. [1] C. J. Geyer, Statist. Sci. 7 (1992), 473, section 3.3; A. Gelman et al., Bayesian Data Analysis, 2013, section 11.5.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> bool(3000 < effective_size(rng.standard_normal((4, 1000))) < 5000)
    True
    """
    halves = _halves(values)
    count, size = halves.shape
    centered = halves - halves.mean(axis=1, keepdims=True)
    transform = np.fft.rfft(centered, 2 * size, axis=1)
    covariance = (
        np.fft.irfft(np.abs(transform) ** 2, 2 * size, axis=1)[:, :size].mean(axis=0) / size
    )
    within = covariance[0] * size / (size - 1)
    total = within * (size - 1) / size + float(halves.mean(axis=1).var(ddof=1))
    if total == 0:
        return float(count * size)
    correlation = 1 - (within - covariance) / total
    correlation[0] = 1.0
    pairs = correlation[: size // 2 * 2].reshape(-1, 2).sum(axis=1)
    positive = pairs[: int(np.argmax(pairs <= 0))] if np.any(pairs <= 0) else pairs
    time = 2 * float(np.minimum.accumulate(positive).sum()) - 1 if positive.size else 1.0
    # anticorrelated draws are worth more than independent ones; a sum that noise has made negative is not trusted
    return float(count * size / max(time, 1 / math.log10(max(count * size, 10))))


def _halves(values: ArrayLike) -> Array:
    if isinstance(values, np.ndarray) and values.dtype == bool:
        values = values.astype(float)
    rows = numbers("values", values)
    if rows.ndim != 2 or rows.shape[1] < 4:
        raise refusal(
            "values",
            rows.shape,
            f"must have shape (chains, draws) with at least four draws; got {rows.shape}",
            shown=False,
        )
    refuse_first("values", rows, ~np.isfinite(rows), "must be finite")
    half = rows.shape[1] // 2
    return np.concatenate([rows[:, :half], rows[:, -half:]])
