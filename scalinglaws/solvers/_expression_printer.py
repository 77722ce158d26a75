"""SymPy expressions as Python that Numba compiles. Imports SymPy: only for whoever compiles an expression."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import sympy as sp
from sympy.core.numbers import NumberSymbol
from sympy.logic.boolalg import BooleanAtom
from sympy.printing.pycode import PythonCodePrinter

from ..errors import DomainError, refusal

_FUNCTIONS: tuple[Any, ...] = (
    *(sp.exp, sp.log, sp.Abs, sp.sign, sp.floor, sp.ceiling, sp.Min, sp.Max, sp.Piecewise),
    *(sp.sin, sp.cos, sp.tan, sp.asin, sp.acos, sp.atan, sp.atan2),
    *(sp.sinh, sp.cosh, sp.tanh, sp.asinh, sp.acosh, sp.atanh),
    *(sp.erf, sp.erfc, sp.gamma, sp.loggamma),
)
_PARTS = (
    *(sp.Symbol, sp.Rational, sp.Float, NumberSymbol, sp.Add, sp.Mul, sp.Pow),
    *(sp.StrictLessThan, sp.LessThan, sp.StrictGreaterThan, sp.GreaterThan, sp.Eq, sp.Ne),
    *(sp.And, sp.Or, sp.Not, BooleanAtom, sp.functions.elementary.piecewise.ExprCondPair),
    *_FUNCTIONS,
)
ALLOWED = ", ".join(sorted([*(entry.__name__ for entry in _FUNCTIONS), "sqrt"], key=str.lower))
_LARGEST_WHOLE_POWER = 64  # multiplied out


def check(expr: Any) -> None:
    """Refuse an expression with a part that is not compiled; the message names the part."""
    for part in sp.preorder_traversal(expr):
        if not isinstance(part, _PARTS):
            name = part if part.is_Atom else type(part).__name__
            raise refusal(
                "expr",
                None,
                f"cannot be compiled: {name} is no real arithmetic and none of {ALLOWED}",
                shown=False,
            )
        if isinstance(part, (sp.Rational, sp.Float)):
            _number(part)


def _number(value: Any) -> float:
    """Return a number as a float; refuse one that floats cannot hold."""
    try:
        found = float(value)
    except OverflowError:
        found = math.inf
    if not math.isfinite(found) or (found == 0 and value != 0):
        size = "large" if found else "small"
        shown = str(value)
        complaint = f"has a number too {size} for a float: {shown[:20]}{'...' * (len(shown) > 20)}"
        raise refusal("expr", None, complaint, shown=False)
    return found


class Printer(PythonCodePrinter):  # type: ignore[misc]
    """Python of real floats: every number is one, no power is complex, a case that is left out is not a number."""

    def __init__(self) -> None:
        super().__init__({"fully_qualified_modules": False, "allow_unknown_functions": False})

    def _print_Rational(self, expr: Any) -> str:
        text = repr(_number(expr))
        return f"({text})" if text.startswith("-") else text

    _print_Integer = _print_Float = _print_NumberSymbol = _print_Rational
    _print_Half = _print_Zero = _print_One = _print_NegativeOne = _print_Rational
    _print_Pi = _print_Exp1 = _print_Rational

    def _print_Pow(self, expr: Any, rational: bool = False) -> str:
        base, power = expr.args
        text = f"({self._print(base)})"
        if power.is_Integer and abs(power) <= _LARGEST_WHOLE_POWER:
            whole = f"{text}**{abs(int(power))}" if abs(power) != 1 else text
            return f"({whole})" if power > 0 else f"(1.0/({whole}))"
        if abs(power) == sp.S.Half:
            return f"sqrt({text})" if power > 0 else f"(1.0/sqrt({text}))"
        return f"pow({text}, {self._print(power)})"

    def _print_Mul(self, expr: Any) -> str:
        return f"({'*'.join(f'({self._print(factor)})' for factor in expr.args)})"

    def _print_Piecewise(self, expr: Any) -> str:
        text = "nan"
        for value, condition in reversed(expr.args):
            text = f"(({self._print(value)}) if ({self._print(condition)}) else {text})"
        return text

    def _print_Min(self, expr: Any) -> str:
        return self._nested("minimum", expr.args)

    def _print_Max(self, expr: Any) -> str:
        return self._nested("maximum", expr.args)

    def _nested(self, name: str, args: tuple[Any, ...]) -> str:
        first, *rest = args
        if not rest:
            return str(self._print(first))
        return f"{name}({self._print(first)}, {self._nested(name, tuple(rest))})"

    def _print_log(self, expr: Any) -> str:
        return f"log({self._print(expr.args[0])})"

    def _print_loggamma(self, expr: Any) -> str:
        text = self._print(expr.args[0])  # complex for others
        return f"(lgamma({text}) if ({text}) > 0.0 else nan)"

    def _print_sign(self, expr: Any) -> str:
        text = self._print(expr.args[0])
        return f"(0.0 if ({text}) == 0.0 else copysign(1.0, {text}))"


def python_function(
    expr: Any, args: tuple[Any, ...], functions: dict[str, Any]
) -> Callable[..., float]:
    """Return a function of numbers, with parts that appear several times computed once."""
    # a symbol may be called like a function
    own = {symbol: sp.Dummy("argument", **symbol.assumptions0) for symbol in args}
    made: Callable[..., float] = sp.lambdify(
        tuple(own.values()), expr.xreplace(own), modules=[functions], printer=Printer, cse=True
    )
    return made


def symbols_of(expr: Any, args: tuple[Any, ...]) -> tuple[Any, ...]:
    """Return the symbols that arguments name, in their order; refuse symbols that none names."""
    free = sorted(expr.free_symbols, key=str)
    found = []
    for place, entry in enumerate(args):
        if isinstance(entry, sp.Symbol):
            found.append(entry)
            continue
        alike = [symbol for symbol in free if symbol.name == entry]
        if len(alike) > 1:
            complaint = "names several symbols of expr, which differ in assumptions; give symbols"
            raise refusal("args", entry, complaint, at=place)
        found += alike or [sp.Symbol(entry)]
    for place, symbol in enumerate(found):
        if symbol in found[:place]:
            raise refusal("args", str(symbol), "appears twice", at=place)
    missing = [str(symbol) for symbol in free if symbol not in found]
    if missing:
        raise _missing(missing)
    return tuple(found)


def _missing(names: list[str]) -> DomainError:
    which = ", ".join(names)
    return refusal("args", None, f"must name every symbol of expr; missing: {which}", shown=False)
