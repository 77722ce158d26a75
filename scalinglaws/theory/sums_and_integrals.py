"""Numbers for expressions that contain sums to huge or infinite limits, integrals over the half line and inverse Laplace transforms.

Scales may be astronomically large: sums and integrals are done in the logarithm of their variable.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from heapq import heappop, heappush
from itertools import count
from typing import Any

import mpmath
import sympy as sp
from sympy.integrals.quadrature import gauss_legendre

from ..errors import refusal

DIGITS = 20
_LONGEST = mpmath.mpf(10) ** 60  # logarithm of the smallest number
_HALVINGS = 200


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
        raise refusal(
            "total",
            total,
            f"only sums from 1 to infinity or to a number are evaluated; got {low} to {high}",
            named=False,
        )
    if function.has(sp.Heaviside):
        raise refusal(
            "total",
            total,
            f"the sum over {function} has jumps, and only smooth sums are evaluated",
            named=False,
        )
    term = sp.lambdify(index, function, [{"exp": _exp}, "mpmath"], cse=True)
    start, sharp = 40, _has_an_edge(function, index)
    if high is not sp.oo:
        return _finite_sum(term, mpmath.mpf(sp.N(high, DIGITS)), start)
    value = mpmath.fsum(term(mpmath.mpf(k)) for k in range(1, start)) + term(mpmath.mpf(start)) / 2
    value -= mpmath.diff(term, start) / 12 - mpmath.diff(term, start, 3) / 720
    nodes = _unit_quadrature()
    position, previous = mpmath.log(start), mpmath.inf
    tolerance = mpmath.mpf(10) ** -13
    for _ in range(4000):
        if sharp:
            piece = _refined(lambda u: (k := mpmath.exp(u)) * term(k), position, value)
        else:
            piece = mpmath.fsum(w * (k := mpmath.exp(position + x)) * term(k) for x, w in nodes)
        value += piece
        position += 1
        if abs(piece) < abs(previous) and abs(piece) < tolerance * abs(value):
            ratio = piece / previous if mpmath.isfinite(previous) and previous else mpmath.mpf(0)
            return value + piece * ratio / (
                1 - ratio
            )  # what is left falls like a power: a geometric series over the intervals
        previous = piece
    raise refusal("total", total, f"the sum over {function} does not converge", named=False)


def _exp(power: Any) -> Any:
    """Exponentiate; what is too small for the exponent of a number to be written down is zero."""
    return mpmath.mpf(0) if mpmath.re(power) < -_LONGEST else mpmath.exp(power)


def _erfc(argument: Any) -> Any:
    """Evaluate the complementary error function; far out it is too small to be written down, and zero."""
    return mpmath.mpf(0) if mpmath.re(argument) > _LONGEST else mpmath.erfc(argument)


def _has_an_edge(function: sp.Expr, index: sp.Symbol) -> bool:
    """Whether terms change on a scale much shorter than the index itself: exponentials of a growing power of it."""
    powers = (
        part.as_base_exp() for entry in function.atoms(sp.exp) for part in entry.exp.args or ()
    )
    inside = [(base, power) for base, power in powers if base.has(index) and not base.has(sp.log)]
    nested = any(entry.exp.has(sp.exp) for entry in function.atoms(sp.exp))
    return nested or any(power.is_positive for _, power in inside)


def _refined(density: Callable[[Any], Any], start: Any, known: Any) -> Any:
    """Integrate over a unit interval that may hold an edge or a peak of any width: the worst part is halved, again and again."""
    nodes = _unit_quadrature()

    def rule(low: Any, width: Any) -> Any:
        return width * mpmath.fsum(w * density(low + width * x) for x, w in nodes)

    def part(low: Any, width: Any, whole: Any) -> tuple[Any, int, Any, Any, Any, Any]:
        left, right = rule(low, width / 2), rule(low + width / 2, width / 2)
        return (-abs(left + right - whole), next(order), low, width, left, right)

    order = count()
    parts = [part(start, mpmath.mpf(1), rule(start, mpmath.mpf(1)))]
    for _ in range(_HALVINGS):
        total = mpmath.fsum(left + right for *_, left, right in parts)
        if -mpmath.fsum(error for error, *_ in parts) <= mpmath.mpf(10) ** -13 * max(
            abs(total), abs(known)
        ):
            break
        _, _, low, width, left, right = heappop(parts)
        heappush(parts, part(low, width / 2, left))
        heappush(parts, part(low + width / 2, width / 2, right))
    return mpmath.fsum(left + right for *_, left, right in parts)


def _finite_sum(term: Callable[[Any], Any], high: Any, start: int) -> Any:
    """Sum up to a limit that may be astronomically large; between integers, the smooth continuation in the limit."""
    if high <= 10 * start and high == mpmath.floor(high):
        return mpmath.fsum(term(mpmath.mpf(k)) for k in range(1, int(high) + 1))
    if high < start:
        raise refusal(
            "high",
            high,
            f"a sum up to {high}, which is no integer, is not evaluated below {start}",
            named=False,
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
        raise refusal(
            "whole",
            whole,
            f"only integrals from 0 to infinity are evaluated; got {whole.limits}",
            named=False,
        )
    variable, function = whole.limits[0][0], whole.function
    term = sp.lambdify(variable, function, [{"exp": _exp, "erfc": _erfc}, "mpmath"], cse=True)

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
            raise refusal(
                "whole", whole, f"the integral over {function} does not converge", named=False
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
