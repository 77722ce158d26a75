"""Laws as kernels, written by machine: the logarithm of a formula with its gradient and Hessian. Imports SymPy."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import sympy as sp

from ....errors import refusal
from ....solvers._expression_printer import Printer, check
from ....solvers._kernel_cache import import_source

_MOST_OPERATIONS = 400  # of a formula that is differentiated twice

_HEADER = '''"""A law's logarithm, its gradient and its Hessian: generated."""

from math import (
    acos, acosh, asin, asinh, atan, atan2, atanh, copysign, cos, cosh, erf, erfc, gamma, lgamma, log1p, nan, sin, sinh, tan, tanh,
)

from numpy import ceil, exp, floor, log, maximum, minimum, power as pow, sqrt

from scalinglaws.solvers._jit import njit


@njit
def log_sum_exp(a, b):
    if a > b:
        return a + log1p(exp(b - a))
    return b + log1p(exp(a - b))


'''


class LogSumExp(sp.Function):  # type: ignore[misc]
    """The logarithm of a sum of exponentials: no argument overflows, and its derivatives are shares, between 0 and 1."""

    def fdiff(self, argindex: int = 1) -> Any:
        """Return the share of an argument."""
        return sp.exp(self.args[argindex - 1] - self)


class _Printer(Printer):
    def _print_LogSumExp(self, expr: Any) -> str:
        text = self._print(expr.args[0])
        for entry in expr.args[1:]:
            text = f"log_sum_exp({text}, {self._print(entry)})"
        return str(text)


class _Logarithm:
    """Turns a formula into its logarithm, in logarithms of what is positive."""

    def __init__(self, logs: dict[Any, Any], plain: dict[Any, Any]) -> None:
        self.logs = logs  # symbol -> that of its logarithm
        self.plain = plain  # symbol that may have either sign -> itself

    def positive(self, expr: Any) -> bool:
        """Tell whether a formula is positive whatever the values."""
        if expr.is_Symbol:
            return expr in self.logs or bool(self.plain[expr].is_positive)
        if expr.is_number:
            return bool(expr > 0)
        if expr.is_Add and self._share(expr):
            return True
        if expr.is_Add or expr.is_Mul:
            return all(self.positive(entry) for entry in expr.args)
        if expr.is_Pow:
            return self.positive(expr.base)
        return isinstance(expr, sp.exp)

    def of(self, expr: Any) -> Any:
        """Return the logarithm of a formula."""
        if not self.positive(expr):
            return self._difference(expr) if expr.is_Add else sp.log(self.value(expr))
        if expr.is_Symbol:
            return self.logs[expr] if expr in self.logs else sp.log(self.plain[expr])
        if expr.is_number:
            return sp.log(expr)
        if expr.is_Mul:
            return sp.Add(*(self.of(entry) for entry in expr.args))
        if expr.is_Pow:
            return self.value(expr.exp) * self.of(expr.base)
        if isinstance(expr, sp.exp):
            return self.value(expr.args[0])
        if self._share(expr):
            return self._difference(expr)
        return LogSumExp(*(self.of(entry) for entry in expr.args))

    def _share(self, expr: Any) -> bool:
        """Tell whether a sum is 1 - exp(-y) with y > 0: what of a size is left at finite precision, for example."""
        rest = 1 - expr
        return isinstance(rest, sp.exp) and self.positive(-rest.args[0])

    def _difference(self, expr: Any) -> Any:
        up = [entry for entry in expr.args if self.positive(entry)]
        down = [-entry for entry in expr.args if self.positive(-entry)]
        if not up or len(up) + len(down) < len(expr.args):
            return sp.log(self.value(expr))
        first, second = self.of(sp.Add(*up)), self.of(sp.Add(*down))
        return first + sp.log(1 - sp.exp(second - first))

    def value(self, expr: Any) -> Any:
        """Return a formula itself, in the coordinates."""
        if expr.is_Symbol:
            return sp.exp(self.logs[expr]) if expr in self.logs else self.plain[expr]
        if expr.is_number:
            return expr
        if expr.is_Pow and self.positive(expr.base) and not expr.exp.is_Integer:
            return sp.exp(self.of(expr))
        return expr.func(*(self.value(entry) for entry in expr.args))


def law_kernel(
    loss: Any,
    names: Sequence[str],
    logs: Sequence[bool],
    signed: Sequence[bool],
    variables: Sequence[str],
) -> Callable[..., float]:
    """Compile the logarithm of a loss with its gradient and Hessian.

    Parameters
    ----------
    loss : Expr
        The loss.
    names, variables : sequence of str
        Its parameters in the order of the coordinates, and its variables.
    logs : sequence of bool
        Whether the coordinate is the parameter's logarithm.
    signed : sequence of bool
        Whether the parameter may be negative.

    Returns
    -------
    callable
        As `_newton.Engine.law`; its source lies in the folder of compiled kernels, named by its digest.

    Raises
    ------
    DomainError
        If the formula is too long or has a part that cannot be compiled.
    """
    size = int(loss.count_ops())
    if size > _MOST_OPERATIONS:
        raise refusal(
            "law",
            None,
            f"has {size} operations; at most {_MOST_OPERATIONS} are fitted",
            shown=False,
        )
    check(loss)
    by_name = {symbol.name: symbol for symbol in loss.free_symbols}
    coordinates = [
        sp.Symbol(f"x_{j}", real=True) if log or minus else sp.Symbol(f"x_{j}", positive=True)
        for j, (log, minus) in enumerate(zip(logs, signed, strict=True))
    ]
    columns = [sp.Symbol(f"u_{k}", real=True) for k in range(len(variables))]
    as_logs = {by_name[name]: u for name, u in zip(variables, columns, strict=True)}
    plain: dict[Any, Any] = {}
    for name, log, coordinate in zip(names, logs, coordinates, strict=True):
        (as_logs if log else plain)[by_name[name]] = coordinate
    f = _Logarithm(as_logs, plain).of(loss)
    gradient = [sp.diff(f, coordinate) for coordinate in coordinates]
    hessian = [
        sp.diff(gradient[j], coordinates[k]) for j in range(len(coordinates)) for k in range(j + 1)
    ]
    steps, found = sp.cse([f, *gradient, *hessian], symbols=sp.numbered_symbols("s_"), order="none")
    printer = _Printer()
    lines = [f"    {x} = x[{j}]" for j, x in enumerate(coordinates)]
    lines += [f"    {u} = columns[{k}, i]" for k, u in enumerate(columns)]
    lines += [f"    {symbol} = {printer.doprint(value)}" for symbol, value in steps]
    count = len(coordinates)
    lines += [
        f"    j_{j} = {printer.doprint(value)}" for j, value in enumerate(found[1 : count + 1])
    ]
    lines += [f"    jacobian[{j}] = j_{j}" for j in range(count)]
    pairs = [(j, k) for j in range(count) for k in range(j + 1)]
    lines += [f"    outer[{m}] = j_{j} * j_{k}" for m, (j, k) in enumerate(pairs)]
    lines += [
        f"    curvature[{m}] = {printer.doprint(value)}"
        for m, value in enumerate(found[count + 1 :])
    ]
    lines += [f"    return {printer.doprint(found[0])}"]
    head = "@njit\ndef law(x, columns, i, jacobian, outer, curvature):\n"
    kernel: Callable[..., float] = import_source(
        _HEADER + head + "\n".join(lines) + "\n", "scalinglaws_law"
    )["law"]
    return kernel


def linear_in(loss: Any, names: Sequence[str]) -> tuple[int, ...]:
    """Return which parameters enter a loss linearly, all of them together: amplitudes and offsets."""
    by_name = {symbol.name: symbol for symbol in loss.free_symbols}
    found: list[int] = []
    slopes: list[Any] = []
    for j, name in enumerate(names):
        slope = sp.diff(loss, by_name[name])
        chosen = [by_name[names[k]] for k in (*found, j)]
        parts = [*slopes, slope]
        if not any(part.has(symbol) for part in parts for symbol in chosen):
            found.append(j)
            slopes.append(slope)
    rest = sp.simplify(loss - sum(slopes[p] * by_name[names[j]] for p, j in enumerate(found)))
    return tuple(found) if rest == 0 else ()


def in_exponents_only(loss: Any, symbol: Any) -> bool:
    """Tell whether a symbol stands in exponents and nowhere else."""

    def outside(expr: Any) -> bool:
        if expr == symbol:
            return True
        parts = (expr.base,) if expr.is_Pow else () if isinstance(expr, sp.exp) else expr.args
        return any(outside(part) for part in parts)

    return not outside(loss)


def scale_of(loss: Any, symbol: Any, variables: Sequence[Any]) -> int | None:
    """Return the variable that a parameter divides, in exp(-P/g) for example, by its number; None where it is not of that kind."""
    factor = sp.Dummy(positive=True)
    for place, variable in enumerate(variables):
        changed = loss.xreplace({symbol: symbol * factor, variable: variable * factor})
        if changed == loss:
            return place
    return None
