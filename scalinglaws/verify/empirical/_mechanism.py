"""Why a loss falls with a resource: because fluctuations average out, or because the data are resolved."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import optimize, special

from ...arguments import numbers, one_row, refuse_first
from ...equality import by_value
from ...errors import refusal
from ...reprs import short_repr

Array = NDArray[np.float64]

VARIANCE_LIMITED = "variance-limited"
RESOLUTION_LIMITED = "resolution-limited"
UNDECIDED = "undecided"

_LEVEL = 0.05
_MISFIT = 0.01  # level at which no power law above a constant is left
_NEAR_ONE = (0.75, 4 / 3)  # an interval inside is that of 1/x
_FEWEST = 5
_FLATTEST, _STEEPEST = 0.01, 8.0
_GRID = np.geomspace(_FLATTEST, _STEEPEST, 240)
_KNOWN = 1e9  # degrees of freedom of errors that are known
_ROUNDING = 1e-20  # relative variance of losses without noise
_RANGE = (1e-30, 1e30)


@short_repr
@by_value
@dataclass(frozen=True)
class LimitingMechanism:
    r"""Whether a loss approaches its limit as 1/x or more slowly.

    Attributes
    ----------
    verdict : str
        "variance-limited", "resolution-limited" or "undecided".
    reason : str
        Why, in a sentence.
    exponent : float or None
        g of the best fit :math:`L_\infty + c\,x^{-g}`; None where there are too few sizes to fit one, or no fall.
    interval : tuple of float, or None
        95 % interval of g, within 0.01 to 8.
    limit, amplitude : float or None
        :math:`L_\infty \ge 0` and c of the best fit.
    p_value : float or None
        Of g = 1.
    window : tuple of float
        Smallest and largest size.
    """

    verdict: str
    reason: str
    exponent: float | None
    interval: tuple[float, float] | None
    limit: float | None
    amplitude: float | None
    p_value: float | None
    window: tuple[float, float]


@dataclass(frozen=True)
class _Curve:
    """A curve, the standard deviations by which its points are weighed, and what tells how large errors are.

    With `rows`, errors are measured from them, correlations between points included; without, by the scatter around the fit if
    `relative`, and known otherwise.
    """

    x: Array
    losses: Array
    spread: Array
    rows: Array | None
    relative: bool
    unit: float

    @property
    def freedom(self) -> float:
        """Degrees of freedom of the measured errors."""
        if self.rows is not None:
            return float(self.rows.shape[0] - 1)
        return float(self.x.size - 3) if self.relative else _KNOWN

    @property
    def ratios(self) -> Array:
        """Sizes in units of the smallest."""
        return np.asarray(self.x / self.x[0])


def limiting_mechanism(
    sizes: ArrayLike, losses: ArrayLike, *, standard_errors: ArrayLike | None = None
) -> LimitingMechanism:
    r"""Tell whether a loss is variance-limited or resolution-limited in a resource.

    .. math:: L(x) = L_\infty + c\,x^{-g}

    Where a resource is plentiful, the loss is smooth in its inverse and g = 1, whatever the task (laws ``manifold.variance_limited``,
    ``manifold.variance_limited_model``). Where it resolves the data, g is theirs, and small if they have many dimensions
    (``manifold.model_resolution``, ``manifold.spectral``).

    *Resolution-limited* are losses of which the 95 % interval of g lies below 1 and that 1/x with its next correction,
    :math:`L_\infty + c/x + e/x^2`, fits worse, at 5 % too; *variance-limited* those whose interval lies between 3/4 and 4/3 and holds 1,
    or of which that correction is a better fit than any exponent. Everything else is undecided: a wide interval, an exponent well
    above 1 (as in few dimensions, or before 1/x sets in), losses that no such curve fits at 1 %, fewer than five sizes.

    Parameters
    ----------
    sizes : array_like, shape (S,)
        x: samples, parameters, width; positive, increasing.
    losses : array_like, shape (S,) or (R, S)
        Positive; or R >= 3 replicates in rows, which tell the errors, correlated from size to size or not.
    standard_errors : array_like, shape (S,), optional
        Of the losses, independent of each other; not for replicates. Without either, relative errors are taken to be alike and read
        off the scatter around the fit.

    Returns
    -------
    LimitingMechanism
        Verdict with the exponent, its interval and the reason.

    Raises
    ------
    DomainError
        If sizes or losses are not positive, or shapes do not match.

    Notes
    -----
    Least squares over :math:`L_\infty \ge 0` and c > 0 at each g of a grid, refined; the interval holds every g whose sum of squares is
    above the least by no more than an F-test allows. In simulated curves of both kinds (nine sizes over two and a half decades, errors
    of 0.1 to 1 %) fewer than 5 % of the verdicts were wrong. Exponents of 3/4 to 1 cannot be told from 1 by more than their interval.

    Examples
    --------
    >>> x, noise = np.geomspace(10, 3000, 9), np.random.default_rng(0).normal(1, 1e-3, (2, 9))
    >>> limiting_mechanism(x, (0.1 + 2 / x) * noise[0]).verdict
    'variance-limited'
    >>> limiting_mechanism(x, (0.1 + 2 / x**0.3) * noise[1]).verdict
    'resolution-limited'
    """
    curve = _read(sizes, losses, standard_errors)
    window = (float(curve.x[0]), float(curve.x[-1]))
    if curve.x.size < _FEWEST:
        reason = (
            f"{curve.x.size} sizes are too few for an exponent above a limit: {_FEWEST} are needed"
        )
        return LimitingMechanism(UNDECIDED, reason, None, None, None, None, None, window)
    best = _best(curve)
    if curve.relative:  # noisy losses themselves would give low ones too much weight
        curve = replace(curve, spread=_fitted(curve, best))
        best = _best(curve)
    least = float(_misfits(curve, np.array([best]))[0])
    limit, height = (float(part[0]) for part in _line(curve, np.array([best]))[:2])
    if not height > 0:
        reason = "the loss does not fall"
        return LimitingMechanism(UNDECIDED, reason, None, None, None, None, None, window)
    scale = max(_scale(curve, best, least), _ROUNDING)
    quantile = float(special.fdtri(1, curve.freedom, 1 - _LEVEL))
    interval = _interval(curve, best, least + scale * quantile)
    excess = float(_misfits(curve, np.ones(1))[0]) - least
    expansion = _smooth_fit(curve)
    smooth = (_misfit_of(curve, expansion) - least) / (scale * quantile)
    fits = _within_errors(curve, expansion if smooth < 0 else _fitted(curve, best))
    verdict, reason = _judged(interval, smooth, fits)
    return LimitingMechanism(
        verdict,
        reason,
        best,
        interval,
        limit * curve.unit,
        height * curve.unit * curve.x[0] ** best,
        float(special.fdtrc(1, curve.freedom, max(excess, 0.0) / scale)),
        window,
    )


def _judged(interval: tuple[float, float], smooth: float, fits: bool) -> tuple[str, str]:
    """Return the verdict and its reason; `smooth` is above 1 where 1/x with its next correction fits worse, below 0 where better."""
    low, high = interval
    span = f"the exponent lies between {low:.4g} and {high:.4g}"
    near = _NEAR_ONE[0] <= low and high <= _NEAR_ONE[1]
    if not fits:
        return UNDECIDED, "no power law above a constant fits within the errors"
    if near and low <= 1 <= high:
        return VARIANCE_LIMITED, f"{span}, around 1"
    if near and smooth < 0:
        return VARIANCE_LIMITED, f"{span}, near 1, and 1/x with its next correction fits better"
    if high < 1:
        if smooth > 1:
            return RESOLUTION_LIMITED, f"{span}, below 1"
        return UNDECIDED, f"{span}, below 1, but 1/x with its next correction fits as well"
    if low > 1:
        return UNDECIDED, (
            f"{span}, above 1: as in few dimensions, or before 1/x sets in; take larger sizes"
        )
    return UNDECIDED, f"{span}: too few sizes, too short a range or too noisy to tell"


def _read(sizes: ArrayLike, losses: ArrayLike, standard_errors: ArrayLike | None) -> _Curve:
    x = one_row("sizes", sizes, least=2, low=0.0, strict=True, increasing=True)
    values = numbers("losses", losses, low=0.0, strict=True)
    for name, given in (("sizes", x), ("losses", values)):
        outside = (given < _RANGE[0]) | (given > _RANGE[1])
        refuse_first(name, given, outside, "must lie between 1e-30 and 1e30: take other units")
    if values.ndim not in (1, 2) or values.shape[-1] != x.size:
        raise refusal(
            "losses",
            losses,
            f"must be one per size, or rows of replicates; got shape {values.shape} for {x.size} sizes",
            shown=False,
        )
    rows = values if values.ndim == 2 else None
    if rows is not None and rows.shape[0] < 3:
        raise refusal("losses", losses, "must have three replicates at least", shown=False)
    if rows is not None and standard_errors is not None:
        raise refusal(
            "standard_errors",
            standard_errors,
            "must be left out: replicates tell them",
            shown=False,
        )
    # only ratios matter: whatever the units, nothing overflows
    unit = float(np.exp(np.mean(np.log(values))))
    mean = (values if rows is None else rows.mean(axis=0)) / unit
    if standard_errors is None:
        return _Curve(x, mean, mean, None if rows is None else rows / unit, rows is None, unit)
    errors = numbers("standard_errors", standard_errors, low=0.0, strict=True)
    if errors.shape != x.shape:
        raise refusal("standard_errors", standard_errors, "must be one per size", shown=False)
    refuse_first("standard_errors", errors, errors > values, "must not exceed the loss itself")
    return _Curve(x, mean, errors / unit, None, False, unit)


def _line(curve: _Curve, exponents: Array) -> tuple[Array, Array, Array]:
    """Return limit >= 0, height >= 0 and weighed residuals, for each exponent, of the best L_inf + height (x/x_0)^-g."""
    flat, target = 1 / curve.spread, curve.losses / curve.spread
    falling = curve.ratios ** -exponents[:, None] / curve.spread
    ff, fe, ee = np.sum(falling**2, axis=1), falling @ flat, float(flat @ flat)
    ft, et = falling @ target, float(flat @ target)
    determinant = np.maximum(ff * ee - fe**2, 1e-300)
    limit, height = (ff * et - fe * ft) / determinant, (ee * ft - fe * et) / determinant
    limit, height = (
        np.where(height <= 0, et / ee, np.where(limit < 0, 0.0, limit)),
        np.where(height <= 0, 0.0, np.where(limit < 0, ft / ff, height)),
    )
    residuals = target - limit[:, None] * flat - height[:, None] * falling
    return limit, height, residuals


def _misfits(curve: _Curve, exponents: Array) -> Array:
    return np.asarray(np.sum(_line(curve, exponents)[2] ** 2, axis=1))


def _fitted(curve: _Curve, exponent: float) -> Array:
    limit, height, _ = _line(curve, np.array([exponent]))
    return np.asarray(limit + height * curve.ratios**-exponent)


def _best(curve: _Curve) -> float:
    """Return the exponent of the least sum of squares."""
    found = _misfits(curve, _GRID)
    place = int(np.argmin(found))
    low, high = _GRID[max(place - 1, 0)], _GRID[min(place + 1, _GRID.size - 1)]
    refined = optimize.minimize_scalar(
        lambda g: float(_misfits(curve, np.array([g]))[0]),
        bounds=(low, high),
        method="bounded",
        options={"xatol": 1e-10},
    )
    return float(refined.x) if refined.fun < found[place] else float(_GRID[place])


def _scale(curve: _Curve, exponent: float, least: float) -> float:
    """Return the variance, in units of the spread, of what tells one exponent from the next."""
    if curve.rows is None:
        return least / curve.freedom if curve.relative else 1.0
    limit = float(_line(curve, np.array([exponent]))[0][0])
    falling = curve.ratios**-exponent
    columns = [falling] if limit == 0 else [falling, np.ones_like(falling)]
    basis = np.linalg.qr(np.transpose([column / curve.spread for column in columns]))[0]
    change = falling * np.log(curve.ratios) / curve.spread
    change -= basis @ (basis.T @ change)
    along = curve.rows / curve.spread @ (change / np.linalg.norm(change))
    return float(np.var(along, ddof=1)) / float(curve.rows.shape[0])


def _interval(curve: _Curve, best: float, most: float) -> tuple[float, float]:
    """Return the smallest and the largest exponent whose sum of squares is at most `most`."""
    inside = np.append(_GRID[_misfits(curve, _GRID) <= most], best)

    def excess(g: float) -> float:
        return float(_misfits(curve, np.array([g]))[0]) - most

    def edge(within: float, outward: Array) -> float:
        return float(optimize.brentq(excess, outward[0], within)) if outward.size else within

    low, high = float(inside.min()), float(inside.max())
    below, above = np.searchsorted(_GRID, low), np.searchsorted(_GRID, high, side="right")
    return edge(low, _GRID[:below][::-1]), edge(high, _GRID[above:])


def _smooth_fit(curve: _Curve) -> Array:
    """Return the best L_inf + c/x + e/x^2."""
    powers = np.array([curve.ratios**-2, curve.ratios**-1, np.ones_like(curve.x)])
    target = curve.losses / curve.spread
    found = np.linalg.lstsq((powers / curve.spread).T, target, rcond=None)[0]
    if found[2] < 0:
        powers = powers[:2]
        found = np.linalg.lstsq((powers / curve.spread).T, target, rcond=None)[0]
    return np.asarray(found @ powers)


def _misfit_of(curve: _Curve, fitted: Array) -> float:
    return float(np.sum(((curve.losses - fitted) / curve.spread) ** 2))


def _within_errors(curve: _Curve, fitted: Array) -> bool:
    """Whether a fit lies within the errors, as far as they are known otherwise than from the fit."""
    if curve.relative:
        return True
    if curve.rows is None:
        return bool(special.chdtrc(curve.x.size - 3, _misfit_of(curve, fitted)) > _MISFIT)
    errors = curve.rows.std(axis=0, ddof=1) / curve.rows.shape[0] ** 0.5
    reach = special.stdtrit(curve.freedom, 1 - _MISFIT / (2 * curve.x.size))
    return bool(np.all(np.abs(curve.losses - fitted) <= reach * errors + 1e-10 * curve.losses))
