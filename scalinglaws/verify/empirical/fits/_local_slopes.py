"""Exponents of one curve point by point: a diagnostic beside the fit of a law."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ....arguments import instance, number, numbers, one_row
from ....errors import DataError, refusal
from ....results import Result
from ._record import Fit

Array = NDArray[np.float64]

_NARROWEST = 0.25  # decades on either side
_LEAST_POINTS = 3  # distinct ones, in a window
_STEP = 1e-4  # of a central difference in ln x


@dataclass(frozen=True)
class LocalSlopes(Result):
    r"""Local exponents :math:`-d\ln L/d\ln x` of a curve.

    Attributes
    ----------
    x : ndarray, shape (m,)
        Where they were taken, increasing.
    slope : ndarray, shape (m,)
        Minus the slope of the regression of ln L on ln x around x.
    standard_error : ndarray, shape (m,), or None
        By leaving out each run once; inf where a single run determines the slope. None where all points belong to one run.
    points : ndarray of int, shape (m,)
        In the window.
    half_width : float
        Of the window, in decades.
    left_out : int
        Places with fewer than three distinct x in their window.
    """

    x: Array
    slope: Array
    standard_error: Array | None
    points: NDArray[np.int64]
    half_width: float
    left_out: int

    def __len__(self) -> int:
        return int(self.x.size)

    def expected(self, fit: Fit) -> Array:
        r"""Return the local exponents of a fitted law, to be laid over the measured ones.

        Of ``power_offset`` that is :math:`\gamma (1 - E/L)`: it falls to 0 although :math:`\gamma` is a constant.

        Parameters
        ----------
        fit : Fit
            Of a law in one variable.

        Returns
        -------
        ndarray, shape (m,)
            By central differences, to about 1e-8.
        """
        instance("fit", fit, Fit)
        law = fit.model
        if len(law.variables) != 1:
            raise refusal("fit", fit.law, "must be of a law in one variable")
        (name,) = law.variables
        up, down = (law.predict(fit.x, {name: self.x * np.exp(side * _STEP)}) for side in (1, -1))
        return np.asarray((down - up) / (2 * _STEP))


def local_slopes(
    x: ArrayLike,
    loss: ArrayLike,
    half_width: float = 0.25,
    *,
    run: Any = None,
    at: ArrayLike | None = None,
) -> LocalSlopes:
    r"""Measure the exponent of a curve point by point, by regression of :math:`\ln L` on :math:`\ln x` in a window around each.

    A diagnostic: an offset or a crossover bends it, and no window makes the slope the law's exponent. On a curve with a plateau,
    :math:`\gamma = 0.5` and 1 % noise, windows chosen by AIC give 0.41 with an interval that covers 0.5 in 31 % of cases; the fit of
    ``three_region`` gives 0.500 and covers. So: fit a law, and lay `LocalSlopes.expected` over the measured slopes.

    Parameters
    ----------
    x, loss : array_like, shape (n,)
        Data, compute, steps or model size, and losses; > 0.
    half_width : float
        Of the window in decades, >= 0.25.
    run : array_like of labels, shape (n,), optional
        Run of each point. Points of one training curve are correlated: errors come from leaving out runs, never points. By default each
        point is a run.
    at : array_like, shape (m,), optional
        Where to measure; by default at each distinct x.

    Returns
    -------
    LocalSlopes
        Where the window has three distinct x at least.

    Raises
    ------
    DataError
        If that is nowhere the case.
    DomainError
        If an argument is not allowed.

    Notes
    -----
    Within a window all points count the same. At the ends of the data windows are one-sided, and slopes are those of their middles.
    Errors are those of the jackknife, :math:`\frac{R-1}{R} \sum_r (s_{(r)} - \bar s)^2` over the R runs in the window. Time grows with
    the number of places times points in a window times runs there.

    Examples
    --------
    >>> x = np.geomspace(1e3, 1e6, 13)
    >>> found = local_slopes(x, 5 * x**-0.35)
    >>> np.allclose(found.slope, 0.35)
    True
    """
    given, losses = one_row("x", x, low=0, strict=True), one_row("loss", loss, low=0, strict=True)
    if given.size != losses.size:
        raise refusal("loss", losses.shape, f"must be {given.size}, one per x", shown=False)
    half = number("half_width", half_width, low=_NARROWEST)
    labels = np.arange(given.size) if run is None else np.asarray(run).ravel()
    if labels.size != given.size:
        raise refusal("run", labels.shape, f"must be {given.size}, one per x", shown=False)
    members = np.unique(labels, return_inverse=True)[1].ravel()
    places = np.unique(given if at is None else numbers("at", at, low=0, strict=True).ravel())
    u, y = np.log(given), np.log(losses)
    reach = half * np.log(10) * (1 + 1e-9)
    kept, slopes, errors, counts = [], [], [], []
    for place in places:
        near = np.abs(u - np.log(place)) <= reach
        if np.unique(given[near]).size < _LEAST_POINTS:
            continue
        kept.append(place)
        slopes.append(-_slope(u[near], y[near]))
        errors.append(_jackknife(u[near], y[near], members[near]))
        counts.append(int(np.sum(near)))
    if not kept:
        raise DataError(
            f"no window of {half:g} decades on either side holds {_LEAST_POINTS} distinct x; widen half_width"
        )
    single = np.unique(members).size == 1
    return LocalSlopes(
        x=np.array(kept),
        slope=np.array(slopes),
        standard_error=None if single else np.array(errors),
        points=np.array(counts, np.int64),
        half_width=half,
        left_out=int(places.size - len(kept)),
    )


def _slope(u: Array, y: Array) -> float:
    """Return the slope of a regression line; NaN where u is one number."""
    centered = u - np.mean(u)
    spread = float(centered @ centered)
    return float(centered @ y) / spread if spread > 1e-12 * u.size else np.nan


def _jackknife(u: Array, y: Array, members: NDArray[np.int64]) -> float:
    """Return the error of the slope by leaving out each run once; inf if there is no slope without one of them."""
    runs = np.unique(members)
    if runs.size < 2:
        return np.inf
    parts = np.array([_slope(u[members != r], y[members != r]) for r in runs])
    if not np.all(np.isfinite(parts)):
        return np.inf
    return float(np.sqrt((runs.size - 1) / runs.size * np.sum((parts - np.mean(parts)) ** 2)))
