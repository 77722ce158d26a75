"""Exponents and curves from replicates, with standard errors."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..errors import DomainError
from .comparison import Measurement

Array = NDArray[np.float64]


def power_law_exponent(x: ArrayLike, losses: ArrayLike) -> Array:
    """Fit ``loss ~ x**-g`` by least squares in logarithms.

    Parameters
    ----------
    x : array_like, shape (J,)
        Positive, at least two different values.
    losses : array_like, shape (..., J)
        Positive.

    Returns
    -------
    ndarray, shape (...)
        The exponent g of every row.

    Examples
    --------
    >>> round(float(power_law_exponent([1, 10, 100], [1, 0.01, 0.0001])), 12)
    2.0
    """
    u, values = np.asarray(x, float), np.asarray(losses, float)
    if not np.all(u > 0) or np.unique(u).size < 2:
        raise DomainError(f"x = {x!r} must be positive, with at least two different values", argument="x", value=x)
    if not np.all(values > 0):
        raise DomainError("losses must be positive to have a logarithm", argument="losses", value=losses)
    centered = np.log(u) - np.mean(np.log(u))
    slopes: Array = -(np.log(values) @ centered) / (centered @ centered)
    return slopes


def exponent_from_replicates(x: ArrayLike, losses: ArrayLike, *, method: str) -> Measurement:
    """Measure an exponent from replicates: mean of their fits, with statistical and window errors in quadrature.

    Parameters
    ----------
    x : array_like, shape (J,)
        Sizes or times, at least three.
    losses : array_like, shape (R, J)
        One row per replicate, each an average over enough draws for its logarithm to be unbiased.
    method : str
        For the report.

    Returns
    -------
    Measurement
        Mean over replicates; standard error sd/sqrt(R) combined with half the spread between the two
        windows that leave out the first or the last point; R - 1 degrees of freedom.
    """
    u, values = np.asarray(x, float), np.asarray(losses, float)
    if u.size < 3 or values.ndim != 2 or values.shape[0] < 2:
        raise DomainError(
            f"an exponent needs at least 3 points and 2 replicates; got losses of shape {values.shape}",
            argument="losses",
            value=values.shape,
        )
    fits = power_law_exponent(u, values)
    late, early = power_law_exponent(u[1:], values[:, 1:]).mean(), power_law_exponent(u[:-1], values[:, :-1]).mean()
    systematic = abs(float(late - early)) / 2
    statistical = float(fits.std(ddof=1)) / math.sqrt(fits.size)
    return Measurement(
        value=float(fits.mean()),
        se=math.hypot(statistical, systematic),
        df=fits.size - 1,
        n_rep=int(fits.size),
        method=method,
        window=(float(u[0]), float(u[-1])),
        systematic=systematic,
    )


def curve_from_replicates(x: ArrayLike, losses: ArrayLike, *, method: str) -> Measurement:
    """Measure a curve from replicates: mean and standard error at every point.

    Parameters
    ----------
    x : array_like, shape (J,)
        Where the curve was measured.
    losses : array_like, shape (R, J)
        One row per replicate.
    method : str
        For the report.

    Returns
    -------
    Measurement
        Arrays over the J points; R - 1 degrees of freedom.
    """
    u, values = np.asarray(x, float), np.asarray(losses, float)
    if values.ndim != 2 or values.shape[0] < 2 or values.shape[1] != u.size:
        raise DomainError(
            f"a curve needs at least 2 replicates of {u.size} points; got losses of shape {values.shape}",
            argument="losses",
            value=values.shape,
        )
    count = values.shape[0]
    return Measurement(
        value=values.mean(axis=0),
        se=values.std(axis=0, ddof=1) / math.sqrt(count),
        df=count - 1,
        n_rep=count,
        method=method,
        window=(float(u[0]), float(u[-1])),
    )
