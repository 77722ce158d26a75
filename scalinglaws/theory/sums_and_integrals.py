"""Numbers for expressions that contain sums to huge or infinite limits, integrals over the half line and inverse Laplace transforms.

Scales may be astronomically large: sums and integrals are done in the logarithm of their variable.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

import mpmath
import sympy as sp
from sympy.integrals.quadrature import gauss_legendre

from ..errors import DomainError

DIGITS = 20


def number(expr: sp.Expr, values: Mapping[sp.Symbol, sp.Expr]) -> Any:
    """Evaluate an expression that may contain infinite sums, to about 12 digits or more."""
    with mpmath.workdps(DIGITS):
        numeric = expr.subs(values)
        parts = numeric.atoms(*_EVALUATORS)
        found = {entry: sp.Float(_EVALUATORS[entry.func](entry), DIGITS) for entry in parts}
        return mpmath.mpf(sp.N(numeric.xreplace(found), DIGITS))


@lru_cache(maxsize=4096)
def _infinite_sum(total: sp.Sum) -> Any:
    r"""Sum a smooth function over k = 1, 2, ... whose scale may be astronomically large.

    The first modes one by one, the rest as an integral over log k (Gauss-Legendre on unit intervals: the terms
    change on the scale of k itself) with Euler-Maclaurin corrections at its ends.
    """
    (index, low, high), function = total.limits[0], total.function
    if low != 1 or not (high is sp.oo or (high.is_number and high > 0)):
        raise DomainError(
            f"only sums from 1 to infinity or to a number are evaluated; got {low} to {high}",
            argument="total",
            value=total,
        )
    if function.has(sp.Heaviside):
        raise DomainError(
            f"the sum over {function} has jumps, and only smooth sums are evaluated",
            argument="total",
            value=total,
        )
    term = sp.lambdify(index, function, "mpmath", cse=True)
    start = 40
    if high is not sp.oo:
        return _finite_sum(term, mpmath.mpf(sp.N(high, DIGITS)), start)
    value = mpmath.fsum(term(mpmath.mpf(k)) for k in range(1, start)) + term(mpmath.mpf(start)) / 2
    value -= mpmath.diff(term, start) / 12 - mpmath.diff(term, start, 3) / 720
    nodes = _unit_quadrature()
    position, previous = mpmath.log(start), mpmath.inf
    tolerance = mpmath.mpf(10) ** -13
    for _ in range(4000):
        piece = mpmath.fsum(w * (k := mpmath.exp(position + x)) * term(k) for x, w in nodes)
        value += piece
        position += 1
        if abs(piece) < abs(previous) and abs(piece) < tolerance * abs(value):
            ratio = piece / previous if mpmath.isfinite(previous) and previous else mpmath.mpf(0)
            return value + piece * ratio / (
                1 - ratio
            )  # what is left falls like a power: a geometric series over the intervals
        previous = piece
    raise DomainError(f"the sum over {function} does not converge", argument="total", value=total)


def _finite_sum(term: Callable[[Any], Any], high: Any, start: int) -> Any:
    """Sum up to a limit that may be astronomically large; between integers, the smooth continuation in the limit."""
    if high <= 10 * start and high == mpmath.floor(high):
        return mpmath.fsum(term(mpmath.mpf(k)) for k in range(1, int(high) + 1))
    if high < start:
        raise DomainError(
            f"a sum up to {high}, which is no integer, is not evaluated below {start}",
            argument="high",
            value=high,
        )
    first, last = mpmath.mpf(start), high
    value = (
        mpmath.fsum(term(mpmath.mpf(k)) for k in range(1, start)) + (term(first) + term(last)) / 2
    )
    for place, sign in ((first, -1), (last, 1)):
        value += sign * (mpmath.diff(term, place) / 12 - mpmath.diff(term, place, 3) / 720)
    length = mpmath.log(last / first)
    pieces = int(mpmath.ceil(length))
    nodes = [(length / pieces * x, length / pieces * w) for x, w in _unit_quadrature()]
    for i in range(pieces):
        origin = first * mpmath.exp(length / pieces * i)
        value += mpmath.fsum(w * (k := origin * mpmath.exp(x)) * term(k) for x, w in nodes)
    return value


@lru_cache(maxsize=4096)
def _half_line_integral(whole: sp.Integral) -> Any:
    """Integrate a positive function over (0, oo), in short intervals of log x outward from where x f(x) is largest."""
    if len(whole.limits) != 1 or len(whole.limits[0]) != 3 or whole.limits[0][1:] != (0, sp.oo):
        raise DomainError(
            f"only integrals from 0 to infinity are evaluated; got {whole.limits}",
            argument="whole",
            value=whole,
        )
    variable, function = whole.limits[0][0], whole.function
    term = sp.lambdify(variable, function, "mpmath", cse=True)

    def density(u: Any) -> Any:
        return mpmath.exp(u) * term(mpmath.exp(u))

    width = mpmath.mpf(1) / 2  # 16 nodes each: 1e-20 for what is smooth in log x
    start = max((width * i for i in range(-240, 241)), key=lambda u: abs(density(u)))
    total, tolerance = mpmath.mpf(0), mpmath.mpf(10) ** -16
    for direction in (1, -1):
        position = start if direction == 1 else start - width
        for _ in range(2000):
            piece = width * mpmath.fsum(
                w * density(position + width * x) for x, w in _unit_quadrature()
            )
            total += piece
            position += direction * width
            if abs(piece) <= tolerance * abs(total):
                break
        else:
            raise DomainError(
                f"the integral over {function} does not converge", argument="whole", value=whole
            )
    return total


@lru_cache(maxsize=4096)
def _inverse_laplace(whole: sp.InverseLaplaceTransform) -> Any:
    """Invert a Laplace transform numerically (Talbot's contour)."""
    transform, s, t = whole.args[:3]
    function, time = sp.lambdify(s, transform, "mpmath"), mpmath.mpf(sp.N(t, DIGITS))
    # at time one, since the contour's precision does not follow very long times
    return mpmath.invertlaplace(lambda p: function(p / time) / time, 1, method="talbot")


_EVALUATORS = {
    sp.Sum: _infinite_sum,
    sp.Integral: _half_line_integral,
    sp.InverseLaplaceTransform: _inverse_laplace,
}


@lru_cache(maxsize=1)
def _unit_quadrature() -> list[tuple[Any, Any]]:
    """Gauss-Legendre nodes and weights on (0, 1)."""
    nodes, weights = gauss_legendre(16, DIGITS + 5)
    return [
        ((1 + mpmath.mpf(x)) / 2, mpmath.mpf(w) / 2) for x, w in zip(nodes, weights, strict=True)
    ]
