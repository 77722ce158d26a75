"""How laws turn what a user gives them into numbers, and formulas into another notation."""

from __future__ import annotations

import math
from collections.abc import Mapping
from fractions import Fraction
from numbers import Rational as RationalNumber
from typing import Any

import mpmath
import numpy as np
import sympy as sp

from ..arguments import numbers
from ..errors import DomainError, refusal, unknown_name
from .relations import against_zero


def nearly(relation: sp.Basic, exact: Mapping[sp.Symbol, sp.Expr]) -> bool:
    """Whether a condition holds, equalities up to rounding errors of floats."""
    if isinstance(relation, sp.And):
        return all(nearly(part, exact) for part in relation.args)
    if isinstance(relation, sp.Or):
        return any(nearly(part, exact) for part in relation.args)
    if isinstance(relation, (sp.Eq, sp.Ne)):
        left, right = float(relation.lhs.subs(exact)), float(relation.rhs.subs(exact))
        return (abs(left - right) <= 1e-13 * max(abs(left), abs(right), 1.0)) == isinstance(
            relation, sp.Eq
        )
    return holds(relation, exact)


def holds(condition: sp.Basic, exact: Mapping[sp.Symbol, sp.Expr]) -> bool:
    """Whether a condition holds at a point, all of whose numbers are inserted at once.

    One after the other, a sum of symbols that are declared positive is found positive before a negative number is inserted.

    Examples
    --------
    >>> one, two = sp.symbols("one two", positive=True)
    >>> holds(sp.Gt(one + two, 0, evaluate=False), {one: sp.Integer(0), two: sp.Integer(-1)})
    False
    """
    return bool(condition.xreplace(dict(exact)))


def is_exact(value: Any) -> bool:
    """Whether a value is an integer or a fraction, or a symbolic number built from such."""
    return isinstance(value, (RationalNumber, sp.Basic)) and not isinstance(value, sp.Float)


def to_exact(value: Any, name: str = "") -> sp.Expr:
    """Turn a number into a SymPy number without changing its value; a refusal names the argument, if that is told."""

    def refuse(complaint: str) -> DomainError:
        if name:
            return refusal(str(name), value, complaint)
        return refusal("values", value, f"{value!r} {complaint}", named=False)

    if isinstance(value, (bool, str, np.timedelta64)):
        raise refuse("is not a number")
    if isinstance(value, Fraction):
        return sp.Rational(value.numerator, value.denominator)
    if isinstance(value, mpmath.mpf) and mpmath.isfinite(value):
        mantissa, exponent = value.man_exp
        return sp.Integer(int(mantissa)) * sp.Integer(2) ** int(exponent)
    if isinstance(value, (float, np.floating)):
        if not np.isfinite(value):
            raise refuse("is not finite")
        return sp.Rational(
            str(float(value))
        )  # the decimal that a person typed: 0.1 means 1/10, so boundaries are hit
    number = sp.sympify(value) if isinstance(value, (int, np.integer, sp.Expr)) else None
    if number is None or not (number.is_number and number.is_real):
        raise refuse("is not a real number")
    return number


def as_expression(name: str, value: Any) -> sp.Expr:
    """Turn a finite real number or expression into SymPy's; refuse the rest, text above all."""
    if isinstance(value, (sp.Expr, RationalNumber, Fraction, float, np.number)) and not isinstance(
        value, (bool, np.bool_, np.timedelta64)
    ):
        found = sp.sympify(value)
        if not found.has(sp.nan, sp.oo, sp.zoo, sp.I) and found.is_extended_real is not False:
            return found
    raise refusal(name, value, "must be a finite real number or SymPy expression")


def evaluate_arrays(
    name: str,
    expr: sp.Expr,
    conditions: list[sp.Basic],
    given: Mapping[sp.Symbol, Any],
    outside: str,
) -> Any:
    """Evaluate an expression on broadcast arrays; raise or mask where a condition is violated or a value is not finite."""
    symbols = list(given)
    try:
        raw = [
            np.ma.filled(np.ma.asarray(given[symbol]).astype(float, casting="same_kind"), np.nan)
            for symbol in symbols
        ]
    except (TypeError, ValueError) as failure:
        raise refusal(
            "values", given, f"{name} takes arrays of real numbers: {failure}", named=False
        ) from None
    try:
        arrays = np.broadcast_arrays(*raw)
    except ValueError:
        shapes = ", ".join(
            f"{symbol} {array.shape}" for symbol, array in zip(symbols, raw, strict=True)
        )
        raise refusal(
            "values",
            shapes,
            f"the shapes of the parameters do not broadcast: {shapes}",
            named=False,
        ) from None
    valid = np.logical_and.reduce([np.isfinite(array) for array in arrays])
    for condition in [None, *conditions]:
        if condition is not None:
            with np.errstate(all="ignore"):
                holds = sp.lambdify(symbols, condition, "numpy")(*arrays)
            valid = valid & np.broadcast_to(holds, valid.shape)
        if outside == "raise" and not valid.all():
            first = int(np.flatnonzero(~valid)[0])
            values = {
                str(symbol): array.ravel()[first]
                for symbol, array in zip(symbols, arrays, strict=True)
            }
            raise outside_validity(
                name, "finite parameters" if condition is None else condition, values
            )
    inside = [np.where(valid, array, 1.0) for array in arrays]
    with np.errstate(all="ignore"):
        raw_result = sp.lambdify(symbols, expr, "numpy")(*inside)
    result = np.broadcast_to(raw_result, valid.shape).astype(float)
    beyond = valid & ~np.isfinite(result)
    if beyond.any() and outside == "raise":
        first = int(np.flatnonzero(beyond)[0])
        at = {
            str(name): column.ravel()[first] for name, column in zip(symbols, arrays, strict=True)
        }
        raise refusal("values", at, f"{name} has no finite value at {show(at)}", named=False)
    valid &= ~beyond
    return np.ma.masked_array(result, mask=~valid) if outside == "mask" else result


def evaluate_form(
    name: str,
    form: str,
    expr: sp.Expr,
    values: Mapping[str, Any],
    conditions: tuple[sp.Basic, ...] = (),
) -> Any:
    """Evaluate a closed formula at numbers or arrays, every symbol checked against its sign, and what else it demands."""
    symbols = {str(symbol): symbol for symbol in sorted(expr.free_symbols, key=str)}
    for key in values:
        if key not in symbols:
            raise unknown_name(f"symbol of {name}, {form}", key, symbols)
    if missing := [key for key in symbols if key not in values]:
        raise refusal(
            missing[0], None, f"{name}, {form} needs {', '.join(missing)}: {expr}", named=False
        )
    arrays = []
    for key, symbol in symbols.items():
        low = 0.0 if symbol.is_nonnegative else -math.inf
        arrays.append(numbers(key, values[key], low=low, strict=bool(symbol.is_positive)))
    if expr.has(*_SPECIAL) or any(hasattr(part, "_imp_") for part in expr.atoms(sp.Function)):
        result = _by_points(list(symbols.values()), expr, arrays)
    else:
        compiled = sp.lambdify(list(symbols.values()), expr, "numpy")
        try:
            with np.errstate(all="ignore", over="raise"):
                result = np.asarray(compiled(*arrays), float)
        except FloatingPointError:
            # a part is too large for a float, the whole need not be: (1 + x^80)^(-1/80)
            result = _by_points(list(symbols.values()), expr, arrays)
    if not np.all(np.isfinite(result)):
        raise refusal(
            "values",
            dict(values),
            f"{name}, {form} = {expr} has no finite value at {show(values)}",
            named=False,
        )
    for condition in conditions:
        met = sp.lambdify(list(symbols.values()), condition, "numpy")(*arrays)
        if not np.all(met):
            raise refusal(
                "values",
                dict(values),
                f"{name}, {form}: {condition.gts} must exceed {condition.lts}; got {show(values)}",
                named=False,
            )
    return float(result) if result.ndim == 0 else result


_SPECIAL = (
    sp.LambertW,
    sp.zeta,
    sp.uppergamma,
    sp.polygamma,
    sp.gamma,
)  # functions that NumPy does not have


def _by_points(symbols: list[sp.Symbol], expr: sp.Expr, arrays: list[Any]) -> Any:
    """Evaluate an expression with special functions point by point, the branch of every Piecewise chosen first."""
    if not arrays:
        return np.array(float(expr))
    broadcast = np.broadcast_arrays(*arrays)
    result = np.empty(broadcast[0].shape)
    for place in np.ndindex(result.shape):
        point = {
            name: to_exact(float(array[place]))
            for name, array in zip(symbols, broadcast, strict=True)
        }
        chosen = expr.subs({name: value for name, value in point.items() if name in deciding(expr)})
        value = sp.N(chosen.subs({name: sp.N(value, 25) for name, value in point.items()}), 20)
        result[place] = float(value) if value.is_real else np.nan
    return result


def deciding(expr: sp.Expr) -> set[sp.Symbol]:
    """Collect the symbols in the conditions of a Piecewise."""
    conditions = [
        condition for piecewise in expr.atoms(sp.Piecewise) for _, condition in piecewise.args
    ]
    return set().union(*(condition.free_symbols for condition in conditions))


def show(values: Mapping[str, Any]) -> str:
    """Write parameters for an error message."""
    return ", ".join(f"{key} = {value}" for key, value in values.items())


def outside_validity(
    name: str, condition: sp.Basic | str, values: Mapping[str, Any]
) -> DomainError:
    """Build the error that names the violated condition."""
    return refusal(
        "values", dict(values), f"{name} holds for {condition}; got {show(values)}", named=False
    )


def tidy(expr: sp.Basic) -> sp.Basic:
    """Cancel inside extrema, Gamma functions, powers and conditions after a change of notation."""

    def clean(part: sp.Expr) -> sp.Expr:
        return sp.cancel(part) if part.is_Add or part.is_Mul else part

    if expr in (sp.true, sp.false):
        return expr
    if isinstance(expr, (sp.And, sp.Or)):
        return expr.func(*map(tidy, expr.args))
    if expr.is_Relational:
        return against_zero(expr.lhs - expr.rhs, expr.func)
    if isinstance(expr, sp.Piecewise):
        return sp.Piecewise(
            *((tidy(value), tidy(condition)) for value, condition in expr.args), evaluate=False
        )
    cleaned = (sp.Min, sp.Max, sp.gamma, sp.zeta)
    expr = expr.replace(
        lambda part: isinstance(part, cleaned), lambda part: part.func(*map(clean, part.args))
    )
    expr = expr.replace(lambda part: part.is_Pow, lambda part: sp.Pow(part.base, clean(part.exp)))
    return clean(expr) if expr.is_rational_function() else expr
