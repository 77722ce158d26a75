"""Intervals of parameters, and of what is computed from them."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtri

from ....arguments import number, text
from ....errors import refusal, unknown_name
from ....parsing import parse_expression

if TYPE_CHECKING:
    from ._record import Fit

Array = NDArray[np.float64]

_STEP = 1e-6  # of a derivative, in coordinates of order 1


def level_of(level: float) -> float:
    """Return the level of an interval, a share between 0 and 1."""
    return number("level", level, low=1e-6, high=1 - 1e-6)


def half_width(level: float) -> float:
    """Return how many standard deviations of a normal variable make half of an interval.

    Examples
    --------
    >>> round(half_width(0.95), 3)
    1.96
    """
    return float(ndtri(0.5 + level_of(level) / 2))


def percentiles(
    samples: ArrayLike, level: float, weights: ArrayLike | None = None
) -> tuple[Array, Array]:
    """Return the central interval of samples along their first axis; with weights, that of the weighted ones.

    Examples
    --------
    >>> low, high = percentiles(np.arange(1001.0), 0.9)
    >>> float(low), float(high)
    (50.0, 950.0)
    """
    tail = (1 - level_of(level)) / 2
    found = np.quantile(
        np.asarray(samples, float),
        [tail, 1 - tail],
        axis=0,
        method="inverted_cdf",
        weights=None if weights is None else np.asarray(weights, float),
    )
    return found[0], found[1]


def interval(fit: Fit, name: str, level: float = 0.95) -> tuple[float, float]:
    r"""Return the interval of a parameter, or of an expression in the parameters.

    Parameters
    ----------
    fit : Fit
        With samples, or at least a covariance.
    name : str
        A parameter, or an expression of them such as ``"b/(a+b)"``.
    level : float
        Share that the interval covers, between 0 and 1.

    Returns
    -------
    (float, float)
        Percentiles of the resampled fits. Where there are none: normal in the coordinate, the logarithm of what is positive, with the
        fit's covariance; an expression is taken as linear in the coordinates.

    Raises
    ------
    DomainError
        If the name is unknown, or nothing is known of the errors.

    Notes
    -----
    Percentiles of fits to resampled pairs cover 94 to 97 % at a nominal 95 % where the law is true. Intervals that are mirrored at the
    estimate ("basic") cover 87 to 91 %, and are not offered.

    Examples
    --------
    >>> from scalinglaws.verify import empirical
    >>> fit = empirical.from_parameters("besiroglu")
    >>> empirical.from_parameters("surface", fit.parameters, covariance=1e-4 * np.eye(5)).interval("a")
    (0.328..., 0.367...)
    """
    share = level_of(level)
    text("name", name)
    if len(fit.samples):
        values = quantity(fit, name, fit.sample_parameters)
        low, high = percentiles(values, share)
        return float(low), float(high)
    if fit.cov is None:
        raise refusal(
            "fit",
            None,
            "has neither samples nor a covariance: nothing is known of its errors",
            named=False,
        )
    width = half_width(share)
    law = fit.model
    if name in law.names:
        j = law.names.index(name)
        deviation = math.sqrt(max(float(fit.cov[j, j]), 0.0))
        ends = np.array([fit.x[j] - width * deviation, fit.x[j] + width * deviation])
        low, high = np.exp(ends) if law.logs[j] else ends
        return float(low), float(high)
    value, slopes = _linear(fit, name)
    deviation = math.sqrt(max(float(slopes @ fit.cov @ slopes), 0.0))
    return value - width * deviation, value + width * deviation


def quantity(fit: Fit, name: str, parameters: Mapping[str, Any]) -> Any:
    """Evaluate a parameter, or an expression in the parameters, for given values of them.

    Parameters
    ----------
    fit : Fit
        Whose law has the parameters.
    name : str
        Parameter or expression.
    parameters : mapping of str to float or ndarray
        Values.

    Returns
    -------
    float or ndarray
        Of the shape of the parameters.
    """
    if name in parameters:
        return parameters[name]
    if re.fullmatch(r"[A-Za-z_]\w*", name):
        raise unknown_name("parameter", name, list(parameters))
    import sympy as sp

    formula = parse_expression(name, "name")
    symbols = sorted(formula.free_symbols, key=lambda symbol: str(symbol.name))
    for symbol in symbols:
        if symbol.name not in parameters:
            raise unknown_name("parameter", symbol.name, list(parameters))
    if not symbols:
        raise refusal("name", name, f"names no parameter of {fit.law}")
    evaluate = sp.lambdify(symbols, formula, "numpy")
    with np.errstate(all="ignore"):
        return evaluate(*(parameters[symbol.name] for symbol in symbols))


def _linear(fit: Fit, name: str) -> tuple[float, Array]:
    """Return an expression at the fit and its slopes in the free coordinates, by central differences."""
    slopes = np.zeros(fit.x.size)
    for j in np.flatnonzero(fit.free):
        step = np.zeros(fit.x.size)
        step[j] = _STEP * max(1.0, abs(float(fit.x[j])))
        up, down = (
            float(quantity(fit, name, fit.model.parameters(fit.x + sign * step)))
            for sign in (1, -1)
        )
        slopes[j] = (up - down) / (2 * step[j])
    return float(quantity(fit, name, fit.parameters)), slopes
