"""Exact numbers as people read them: in decimals, where they are no short fractions."""

from __future__ import annotations

from typing import Any

import mpmath
import sympy as sp

from ..formatting import number

_SHORT = 12  # characters of a fraction that is shown as it is
_FLOAT_DIGITS = 15


def decimal(value: Any, digits: int = 6) -> str:
    """Write a number with so many significant digits.

    Parameters
    ----------
    value : float, mpf or Expr
        A real number.
    digits : int
        Significant digits.

    Returns
    -------
    str
        In plain characters.

    Examples
    --------
    >>> decimal(sp.sqrt(2)), decimal(sp.Integer(10) ** 21), decimal(sp.pi, 30)
    ('1.41421', '1e+21', '3.14159265358979323846264338328')
    >>> decimal(sp.Integer(10) ** 400 / 3)
    '3.33333e+399'
    """
    with mpmath.workdps(digits + 5):
        precise = mpmath.mpf(sp.N(value, digits + 5) if isinstance(value, sp.Basic) else value)
        if digits <= _FLOAT_DIGITS and (precise == 0 or -300 < mpmath.log10(abs(precise)) < 300):
            return number(float(precise), digits)
        return str(mpmath.nstr(precise, digits))


def with_decimals(expr: sp.Expr, digits: int = 6) -> str:
    """Write a formula whose numerical factors are decimals, unless they are short fractions.

    Parameters
    ----------
    expr : Expr
        A sum of products.
    digits : int
        Significant digits.

    Returns
    -------
    str
        Exponents stay exact.

    Examples
    --------
    >>> C = sp.Symbol("C", positive=True)
    >>> with_decimals(sp.Rational(4107, 10) ** sp.Rational(17, 31) * C ** sp.Rational(-2, 11))
    '27.1159*C**(-2/11)'
    >>> with_decimals(2 * C / 3), with_decimals(sp.Integer(7) ** sp.Rational(1, 123))
    ('2*C/3', '1.01595')
    """
    if expr.is_Add and expr.free_symbols:
        return " + ".join(with_decimals(part, digits) for part in expr.args)
    factor, rest = expr.as_independent(*expr.free_symbols, as_Add=False)
    if factor.is_Rational and len(str(factor)) <= _SHORT:
        return str(expr)
    if rest == 1:
        return decimal(factor, digits)
    shown = str(rest)
    return decimal(factor, digits) + (shown[1:] if shown.startswith("1/") else f"*{shown}")
