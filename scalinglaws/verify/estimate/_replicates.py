"""Exponents and curves from replicates, with standard errors."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

from ...arguments import floats, function, number, numbers, refuse_first
from ...errors import refusal
from ..comparison import Measurement, Prediction
from ._parametric import fit_exponent

Array = NDArray[np.float64]

_HIGHEST = 1e150  # of what is multiplied


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
    u, values = numbers("x", x), numbers("losses", losses)
    refuse_first("x", u, u <= 0, "must be positive, with at least two different values")
    if np.unique(u).size < 2:
        raise refusal("x", x, "must be positive, with at least two different values")
    if u.ndim != 1 or values.shape[-1:] != u.shape:
        complaint = f"must have one entry per x in every row; got shape {values.shape}"
        raise refusal("losses", values.shape, complaint, shown=False)
    refuse_first("losses", values, values <= 0, "must be positive to have a logarithm")
    centered = np.log(u) - np.mean(np.log(u))
    slopes: Array = -(np.log(values) @ centered) / (centered @ centered)
    return slopes


def exponent_from_replicates(
    x: ArrayLike, losses: ArrayLike, *, method: str, form: str = "power"
) -> Measurement:
    """Measure an exponent from replicates: mean of their fits, with statistical and window errors in quadrature.

    Parameters
    ----------
    x : array_like, shape (J,)
        Sizes or times, at least three.
    losses : array_like, shape (R, J)
        One row per replicate, each an average over enough draws for its logarithm to be unbiased.
    method : str
        For the report.
    form : str
        What is fitted, as for `fit_exponent`; ``"power"`` is right only where the theory claims a pure power law.

    Returns
    -------
    Measurement
        Mean over replicates; standard error sd/sqrt(R) combined with half the spread between the two
        windows that leave out the first or the last point; R - 1 degrees of freedom.
    """
    u, values = numbers("x", x), numbers("losses", losses)
    if u.size < 3 or values.ndim != 2 or values.shape[0] < 2:
        raise refusal(
            "losses",
            values.shape,
            "an exponent needs at least 3 points and 2 replicates; got losses of shape "
            f"{values.shape}",
            named=False,
        )
    exponents = _estimator(form)
    fits = exponents(u, values)
    late, early = exponents(u[1:], values[:, 1:]).mean(), exponents(u[:-1], values[:, :-1]).mean()
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


def _estimator(form: str) -> Callable[[Array, Array], Array]:
    """Return the function from sizes and rows of losses to exponents."""
    if form == "power":
        return power_law_exponent
    return lambda u, values: np.asarray(fit_exponent(u, values, form=form).exponent)


def same_estimator(
    name: str,
    x: ArrayLike,
    losses: ArrayLike,
    curve: ArrayLike,
    *,
    source: str,
    method: str,
    form: str = "power",
) -> tuple[Prediction, Measurement]:
    """Fit a measured curve and the theory's own curve alike, in the same window, and predict the one from the other.

    What a window of finite sizes shows is not the asymptotic exponent; where the theory gives the whole curve, its fit is
    the fair prediction.

    Parameters
    ----------
    name : str
        The quantity.
    x : array_like, shape (J,)
        Sizes or times.
    losses : array_like, shape (R, J)
        One row per replicate.
    curve : array_like, shape (J,)
        The theory's curve at the same x.
    source, method : str
        Of the prediction and of the measurement.
    form : str
        What is fitted, as for `fit_exponent`.

    Returns
    -------
    tuple of Prediction and Measurement
        To be compared.

    Examples
    --------
    >>> x, rng = np.array([1.0, 2.0, 4.0, 8.0]), np.random.default_rng(0)
    >>> curve = 1 / (1 + x)  # not yet a power
    >>> losses = curve * rng.normal(1, 0.01, (9, 4))
    >>> predicted, measured = same_estimator("slope", x, losses, curve, source="1/(1 + x)", method="example")
    >>> round(predicted.value, 3), round(measured.value, 2)
    (0.725, 0.72)
    """
    measured = exponent_from_replicates(x, losses, method=method, form=form)
    fitted = float(_estimator(form)(numbers("x", x), numbers("curve", curve)[None])[0])
    return Prediction(name, "exponent", fitted, f"{source}, fitted like the measurement"), measured


def local_exponent(loss: Callable[[Array], ArrayLike], size: float) -> Measurement:
    """Measure the slope of a computed curve at one size, with two step sizes for an error bound.

    Parameters
    ----------
    loss : callable
        From an array of sizes to losses, without noise.
    size : float
        Where.

    Returns
    -------
    Measurement
        Deterministic: its error is the difference between steps of one and of half a decade to either side.
    """
    function("loss", loss)
    size = number("size", size, low=0.0, strict=True)

    def slope(step: float) -> float:
        ends = size * np.array([1 / step, step])
        return float(power_law_exponent(ends, loss(ends)))

    wide, narrow = slope(10.0), slope(10**0.5)
    return Measurement(
        narrow,
        abs(wide - narrow) + 1e-12,
        None,
        1,
        "central difference of the solver's log loss, two step sizes",
        (size / 10**0.5, size * 10**0.5),
        deterministic=True,
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
    u, values = numbers("x", x), numbers("losses", losses)
    if values.ndim != 2 or values.shape[0] < 2 or values.shape[1] != u.size:
        raise refusal(
            "losses",
            values.shape,
            f"a curve needs at least 2 replicates of {u.size} points; got losses of shape "
            f"{values.shape}",
            named=False,
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


def threshold_from_crossings(
    crossings: ArrayLike, *, method: str, window: tuple[float, float]
) -> Measurement:
    """Measure a threshold from the crossing of every replicate.

    Parameters
    ----------
    crossings : array_like, shape (R,)
        Where each replicate crosses, found by `crossing`.
    method : str
        For the report.
    window : tuple of float
        Range that was searched.

    Returns
    -------
    Measurement
        Mean and standard error; R - 1 degrees of freedom.
    """
    values = floats("crossings", crossings)
    allowed = "must be at least 2 finite numbers: a replicate that never crosses makes the threshold unknown"
    if values.ndim != 1 or values.size < 2:
        raise refusal("crossings", crossings, allowed)
    refuse_first("crossings", values, ~np.isfinite(values), f"is not finite: crossings {allowed}")
    return Measurement(
        float(values.mean()),
        float(values.std(ddof=1)) / math.sqrt(values.size),
        values.size - 1,
        int(values.size),
        method,
        window,
    )


def crossing(x: ArrayLike, y: ArrayLike, level: float) -> float:
    """Find where a curve first crosses a level, by linear interpolation.

    Parameters
    ----------
    x, y : array_like, shape (J,)
        The curve, x increasing.
    level : float
        What is crossed, in either direction.

    Returns
    -------
    float
        The abscissa; nan if it is never crossed.

    Examples
    --------
    >>> crossing([0, 1, 2], [0.0, 0.2, 0.8], 0.5)
    1.5
    """
    u, v = (
        numbers(name, value, low=-_HIGHEST, high=_HIGHEST) for name, value in (("x", x), ("y", y))
    )
    v = v - number("level", level, low=-_HIGHEST, high=_HIGHEST)
    if u.ndim != 1 or u.shape != v.shape or u.size < 2:
        raise refusal("x", x, "must increase, with one y per x")
    refuse_first("x", u, ~np.append(True, np.diff(u) > 0), "must increase, with one y per x")
    hits = np.flatnonzero(np.sign(v[:-1]) * np.sign(v[1:]) <= 0)
    if hits.size == 0:
        return math.nan
    j = int(hits[0])
    return float(u[j]) if v[j] == 0 else float(u[j] + (u[j + 1] - u[j]) * v[j] / (v[j] - v[j + 1]))


def advantage_from_pairs(
    first: ArrayLike, second: ArrayLike, *, method: str, window: tuple[float, float]
) -> tuple[Measurement, float]:
    """Measure by how much one loss beats another, paired by seed.

    Parameters
    ----------
    first, second : array_like, shape (R,)
        Losses of the two under the same seeds, positive.
    method : str
        For the report.
    window : tuple of float
        Range of the independent variable.

    Returns
    -------
    tuple of Measurement and float
        Mean of ``log(second / first)``, positive where the first is better, with R - 1 degrees of freedom; and the
        one-sided p-value of the sign test.
    """
    one, two = numbers("first", first), numbers("second", second)
    if one.ndim != 1 or one.shape != two.shape or one.size < 2:
        raise refusal(
            "first", first, "and second must be positive losses, paired, at least 2", shown=False
        )
    for name, losses in (("first", one), ("second", two)):
        refuse_first(name, losses, ~(losses > 0), "must be a positive loss")
    gains = np.log(two / one)
    wins, count = int(np.sum(gains > 0)), gains.size
    p_sign = float(special.bdtrc(wins - 1, count, 0.5)) if wins > 0 else 1.0
    measured = Measurement(
        float(gains.mean()),
        float(gains.std(ddof=1)) / math.sqrt(count),
        count - 1,
        count,
        method,
        window,
    )
    return measured, p_sign
