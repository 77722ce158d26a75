"""Losses of the margin: value, slopes, proximal map, and the density of margins that they make."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from ...arguments import Array, choice
from ...equality import by_value
from ...errors import refusal
from ...reprs import short_repr

_MOST_STEPS = 200
_STEP = 2.0**-6  # of differences: the error of truncation falls as its eighth power
_SLOPE = (0.0, 4 / 5, -1 / 5, 4 / 105, -1 / 280)
_CURVATURE = (-205 / 72, 8 / 5, -1 / 5, 8 / 315, -1 / 560)
_DIFFERENTIATED = 1e-11


@short_repr
@dataclass(frozen=True)
@by_value
class ConvexLoss:
    r"""A convex loss V(u) of the scaled margin u.

    Attributes
    ----------
    name : str
        As in `fixed_norm`.
    method : str
        How its equations are solved, in a few words.
    values : callable
        From u to V, V', V''.
    proximal : callable
        From the logarithm of x and v to :math:`u - v`, :math:`\partial u/\partial v` and 1 minus that, each with its digits,
        where u minimizes :math:`V(u) + (u - v)^2/2x`.
    kinks : callable
        From x to the v at which the proximal map has kinks.
    accuracy : float
        Relative error of V' itself.
    """

    name: str
    method: str
    values: Callable[[Array], tuple[Array, Array, Array]]
    proximal: Callable[[float, Array], tuple[Array, Array, Array]]
    kinks: Callable[[float], tuple[float, ...]]
    accuracy: float = 0.0


def _logistic(u: Array) -> tuple[Array, Array, Array]:
    from scipy.special import expit

    falling = expit(-2 * u)
    return np.logaddexp(0.0, -2 * u), -2 * falling, 4 * falling * expit(2 * u)


def _exponential(u: Array) -> tuple[Array, Array, Array]:
    with np.errstate(over="ignore", under="ignore"):
        value = np.exp(-u)
    return value, -value, value


def _hinge(u: Array) -> tuple[Array, Array, Array]:
    return np.maximum(0.0, 1 - u), np.where(u < 1, -1.0, 0.0), np.zeros_like(u)


def _square(u: Array) -> tuple[Array, Array, Array]:
    return 0.5 * (1 - u) ** 2, u - 1, np.ones_like(u)


def _exponential_proximal(log_x: float, v: Array) -> tuple[Array, Array, Array]:
    from scipy.special import wrightomega

    step = wrightomega(log_x - v)  # x e^-u
    return step, 1 / (1 + step), step / (1 + step)


def _hinge_proximal(log_x: float, v: Array) -> tuple[Array, Array, Array]:
    x = math.exp(log_x)
    step = np.clip(1 - v, 0.0, x)
    kept = np.where((v < 1 - x) | (v > 1), 1.0, 0.0)
    return step, kept, 1 - kept


def _square_proximal(log_x: float, v: Array) -> tuple[Array, Array, Array]:
    from scipy.special import expit

    kept, lost = expit(-log_x), expit(log_x)
    return (1 - v) * lost, np.full_like(v, kept), np.full_like(v, lost)


def _smooth_proximal(values: Callable[[Array], tuple[Array, Array, Array]]) -> Any:
    """Find the proximal map of a smooth loss node by node, bracketed, by Newton's method."""

    def proximal(log_x: float, v: Array) -> tuple[Array, Array, Array]:
        slope = values(v)[1]
        sign = -np.sign(slope)
        with np.errstate(divide="ignore", over="ignore", under="ignore", invalid="ignore"):
            # m = |u - v| solves ln m = log x + ln |V'(u)|, and |V'| falls on the way to the minimum
            high = np.exp(np.minimum(log_x + np.log(np.abs(slope)), 690.0))
            low = np.zeros_like(v)
            m = np.minimum(high, np.maximum(log_x, 1.0) + np.abs(v))
            for _ in range(_MOST_STEPS):
                _, slope, curvature = values(v + sign * m)
                pull = -sign * slope
                excess = np.where(pull > 0, np.log(m) - log_x - np.log(pull), math.inf)
                low, high = np.where(excess <= 0, m, low), np.where(excess >= 0, m, high)
                step = excess / (1 / m + curvature / pull)
                tried = m - step
                inside = (tried > low) & (tried < high)
                bisected = np.where(low > 0, np.sqrt(low) * np.sqrt(high), 1e-3 * high)
                moved = np.where(inside, tried, np.where(excess == 0, m, bisected))
                # what is left is the rounding of the logarithms
                settled = (np.abs(excess) <= 1e-15 * (2 + abs(log_x))) | (
                    high - low <= 2e-16 * high
                )
                m = np.where(settled & ~inside, m, moved)
                if np.all(settled | (sign == 0)):
                    break
            step = np.where(sign == 0, 0.0, sign * m)
            stiff = np.exp(min(log_x, 690.0)) * values(v + step)[2]
        return step, 1 / (1 + stiff), stiff / (1 + stiff)

    return proximal


def _no_kinks(x: float) -> tuple[float, ...]:
    return ()


LOGISTIC = ConvexLoss(
    "logistic",
    "Newton in log tau and log delta_0, explicit proximal map",
    _logistic,
    _smooth_proximal(_logistic),
    _no_kinks,
)
SQUARE = ConvexLoss("square", "root of a cubic", _square, _square_proximal, _no_kinks)
_GENERIC = "Newton in log tau and log x, adaptive panels, continued from a small norm"
_EXPONENTIAL = ConvexLoss("exponential", _GENERIC, _exponential, _exponential_proximal, _no_kinks)
HINGE = ConvexLoss("hinge", _GENERIC, _hinge, _hinge_proximal, lambda x: (1 - x, 1.0))
_NAMED = {loss.name: loss for loss in (LOGISTIC, _EXPONENTIAL, HINGE, SQUARE)}


def named(loss: Any) -> ConvexLoss:
    """Return the loss of a name, or of a function."""
    if callable(loss):
        return of_function(loss)
    if not isinstance(loss, str):
        raise refusal("loss", loss, f"must be one of {', '.join(_NAMED)}, or a function")
    return _NAMED[choice("loss", loss, _NAMED)]


def of_function(function: Callable[..., Any]) -> ConvexLoss:
    """Return the loss that a function computes: V alone, which is differentiated numerically, or the tuple (V, V', V'')."""
    probe = np.linspace(-4.0, 4.0, 161)
    given = _called(function, probe)
    if isinstance(given, tuple):
        if len(given) != 3:
            complaint = (
                "must return V, or the tuple (V, V', V'') of the loss and its two derivatives"
            )
            raise refusal("loss", function, complaint)
        accuracy = 0.0

        def values(u: Array) -> tuple[Array, Array, Array]:
            value, slope, curvature = (_array(function, each, u) for each in _called(function, u))
            return value, slope, curvature
    else:
        accuracy = _DIFFERENTIATED

        def values(u: Array) -> tuple[Array, Array, Array]:
            return _differentiated(function, u, _STEP)

        fine, coarse = values(probe)[1], _differentiated(function, probe, 2 * _STEP)[1]
        if not np.all(np.abs(fine - coarse) <= 1e-7 * (1 + np.abs(fine))):
            complaint = "is not smooth enough to be differentiated numerically; return (V, V', V'')"
            raise refusal("loss", function, complaint)
    _, slope, curvature = values(probe)
    if not slope[probe.size // 2] < 0:
        raise refusal("loss", function, "must fall at margin 0: V'(0) < 0")
    if not np.all(curvature >= -1e-8 * (1 + np.abs(slope))) or np.any(np.diff(slope) < -1e-8):
        raise refusal("loss", function, "must be convex")
    return ConvexLoss(
        "callable", _GENERIC, values, _smooth_proximal(values), _no_kinks, accuracy=accuracy
    )


def _called(function: Callable[..., Any], u: Array) -> Any:
    with np.errstate(all="ignore"):
        return function(u)


def _array(function: Callable[..., Any], value: Any, u: Array) -> Array:
    found = np.asarray(value, dtype=float)
    if found.shape != u.shape:
        complaint = f"must return arrays of the shape of u, {u.shape}; got {found.shape}"
        raise refusal("loss", function, complaint)
    wrong = np.isnan(found)
    if np.any(wrong):
        raise refusal("loss", function, f"is not a number at u = {u[wrong][0]:g}")
    return found


def _differentiated(
    function: Callable[..., Any], u: Array, step: float
) -> tuple[Array, Array, Array]:
    """Return V with its derivatives by central differences of order eight."""
    value = _array(function, _called(function, u), u)
    slope, curvature = np.zeros_like(u), _CURVATURE[0] * value
    for k in range(1, 5):
        right, left = (
            _array(function, _called(function, u + side * k * step), u) for side in (1, -1)
        )
        slope = slope + _SLOPE[k] * (right - left)
        curvature = curvature + _CURVATURE[k] * (right + left)
    return value, slope / step, curvature / step**2


def margin_density(
    delta: Array, norm: Array, error: Array, displacement: Array, log_chi: Array, loss: ConvexLoss
) -> Array:
    """Return the density of training margins at single points."""
    from scipy.special import expit, ndtr

    tau = 1 / np.tan(math.pi * error)
    with np.errstate(over="ignore", under="ignore", invalid="ignore", divide="ignore"):
        u = norm * delta
        _, slope, curvature = loss.values(u)
        # chi overflows where the norm is large, V' underflows: only logarithms of their product are safe
        logistic = loss is LOGISTIC
        log_slope = math.log(2) - np.logaddexp(0.0, 2 * u) if logistic else np.log(np.abs(slope))
        shift = -np.sign(slope) * np.exp(log_chi + np.log(norm) + log_slope)
        # for the logistic loss V'' = -2 V' sigma(2 u)
        bent = (
            2 * norm * shift * expit(2 * u)
            if logistic
            else np.exp(log_chi + 2 * np.log(norm) + np.log(np.maximum(curvature, 0.0)))
        )
        omega, steep = delta - shift, 1 + bent
        # at norm 0 all margins move alike; at infinite norm those below the largest smallest margin are at it
        omega = np.where(norm == 0, delta - displacement, omega)
        steep = np.where(norm == 0, 1.0, steep)
        last = np.isinf(norm)
        omega = np.where(last, delta, omega)
        steep = np.where(last, np.where(delta > displacement, 1.0, 0.0), steep)
        law = 2 / math.sqrt(2 * math.pi) * np.exp(-(omega**2) / 2) * ndtr(tau * omega)
        # far to the left the shift overflows, and nothing is left there
        return np.asarray(np.where(law > 0, law * steep, 0.0))
