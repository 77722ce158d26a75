"""Roots and minima of functions of one variable, without the library that takes longer to import than most solvers take to answer."""

from __future__ import annotations

import math
from collections.abc import Callable

_ROUNDING = 4 * 2.0**-52
_ROOT_ROUNDING = math.sqrt(2.2e-16)
_GOLDEN = 0.5 * (3.0 - math.sqrt(5.0))


def brentq(
    function: Callable[[float], float],
    low: float,
    high: float,
    xtol: float = 2e-12,
    rtol: float = _ROUNDING,
    maxiter: int = 100,
) -> float:
    """Return a root between two points where a function has opposite signs, as `scipy.optimize.brentq` does, to the last bit.

    Parameters
    ----------
    function : callable
        Of a number; its value is one.
    low, high : float
        Ends of the bracket.
    xtol, rtol : float
        The root is within ``xtol + rtol abs(root)``.
    maxiter : int
        Bound of the number of steps.

    Returns
    -------
    float
        The root.

    Raises
    ------
    ValueError
        If the signs at the ends are equal, or a value is no number.
    RuntimeError
        If the steps did not suffice.

    References
    ----------
    .. [1] R. P. Brent, "Algorithms for Minimization Without Derivatives", Prentice-Hall (1973), chapters 3 and 4.

    Examples
    --------
    >>> brentq(lambda x: x**3 - 2, 0, 2)
    1.25992104989...
    """
    return brentq_steps(function, low, high, xtol, rtol, maxiter)[0]


def brentq_steps(
    function: Callable[[float], float],
    low: float,
    high: float,
    xtol: float = 2e-12,
    rtol: float = _ROUNDING,
    maxiter: int = 100,
) -> tuple[float, int]:
    """Return what `brentq` does, and the number of steps."""
    last, now = float(low), float(high)
    f_last, f_now = _value(function, last), _value(function, now)
    if f_last == 0:
        return last, 0
    if f_now == 0:
        return now, 0
    if (f_last < 0) == (f_now < 0):
        raise ValueError("f(a) and f(b) must have different signs")
    across, f_across, step_last, step = 0.0, 0.0, 0.0, 0.0  # `across` lies beyond the root
    for taken in range(1, maxiter + 1):
        if f_last != 0 and f_now != 0 and (f_last < 0) != (f_now < 0):
            across, f_across = last, f_last
            step_last = step = now - last
        if abs(f_across) < abs(f_now):
            last, now, across = now, across, now
            f_last, f_now, f_across = f_now, f_across, f_now
        margin = (xtol + rtol * abs(now)) / 2
        half = (across - now) / 2
        if f_now == 0 or abs(half) < margin:
            return now, taken
        tried = math.inf
        if abs(step_last) > margin and abs(f_now) < abs(f_last):
            tried = _interpolated(last, now, across, f_last, f_now, f_across)
        if 2 * abs(tried) < min(abs(step_last), 3 * abs(half) - margin):
            step_last, step = step, tried
        else:
            step_last = step = half
        last, f_last = now, f_now
        now += step if abs(step) > margin else math.copysign(margin, half)
        f_now = _value(function, now)
    raise RuntimeError(f"Failed to converge after {maxiter} iterations.")


def _interpolated(
    last: float, now: float, across: float, f_last: float, f_now: float, f_across: float
) -> float:
    """Return the step to the root of a line, or of an inverse parabola; infinite or no number where there is none."""
    try:
        if last == across:
            return -f_now * (now - last) / (f_now - f_last)
        slope = (f_last - f_now) / (last - now)
        slope_across = (f_across - f_now) / (across - now)
        return (
            -f_now
            * (f_across * slope_across - f_last * slope)
            / (slope_across * slope * (f_across - f_last))
        )
    except ZeroDivisionError:
        return math.inf


def _value(function: Callable[[float], float], x: float) -> float:
    found = float(function(x))
    if math.isnan(found):
        raise ValueError(f"The function value at x={x} is NaN; solver cannot continue.")
    return found


def bounded_minimum(
    function: Callable[[float], float], low: float, high: float, xatol: float, maxiter: int = 500
) -> tuple[float, float]:
    """Return a minimum inside an interval and its value, as SciPy's bounded `minimize_scalar` does, to the last bit.

    Parameters
    ----------
    function : callable
        Of a number; its value is one.
    low, high : float
        Ends of the interval, which are not looked at.
    xatol : float
        Accuracy of the place, beside the square root of the rounding.
    maxiter : int
        Bound of the number of values.

    Returns
    -------
    tuple of float
        Place and value.

    References
    ----------
    .. [1] R. P. Brent, "Algorithms for Minimization Without Derivatives", Prentice-Hall (1973), chapter 5.

    Examples
    --------
    >>> bounded_minimum(lambda x: (x - 1)**2, 0, 3, 1e-8)[0]
    1.0
    """
    a, b = float(low), float(high)
    x = best = second = third = a + _GOLDEN * (b - a)
    f_best = f_second = f_third = function(x)
    step = before = 0.0
    middle = 0.5 * (a + b)
    margin = _ROOT_ROUNDING * abs(best) + xatol / 3.0
    for _ in range(maxiter - 1):
        if not abs(best - middle) > 2.0 * margin - 0.5 * (b - a):
            break
        parabolic = False
        if abs(before) > margin:
            r = (best - second) * (f_best - f_third)
            q = (best - third) * (f_best - f_second)
            p = (best - third) * q - (best - second) * r
            q = 2.0 * (q - r)
            p, q = (-p if q > 0.0 else p), abs(q)
            r, before = before, step
            if abs(p) < abs(0.5 * q * r) and q * (a - best) < p < q * (b - best):
                parabolic = True
                step = p / q
                x = best + step
                if x - a < 2.0 * margin or b - x < 2.0 * margin:
                    step = margin if middle >= best else -margin
        if not parabolic:
            before = a - best if best >= middle else b - best
            step = _GOLDEN * before
        x = best + (1.0 if step >= 0 else -1.0) * max(abs(step), margin)
        value = function(x)
        if value <= f_best:
            a, b = (best, b) if x >= best else (a, best)
            third, f_third = second, f_second
            second, f_second = best, f_best
            best, f_best = x, value
        else:
            a, b = (x, b) if x < best else (a, x)
            if value <= f_second or second == best:
                third, f_third = second, f_second
                second, f_second = x, value
            elif value <= f_third or third in (best, second):
                third, f_third = x, value
        middle = 0.5 * (a + b)
        margin = _ROOT_ROUNDING * abs(best) + xatol / 3.0
    return float(best), float(f_best)
