"""The only bridge from SymPy to Numba: formulas as compiled functions."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..arguments import broadcast, numbers, shaped
from ..errors import refusal
from ..parsing import parse_expression, spelled_out
from ..reprs import short_repr
from . import _jit

if TYPE_CHECKING:
    import sympy

__all__ = ["CompiledExpression", "compile_expression"]

Array = NDArray[np.float64]

_KEPT = 256
_MOST_OPERATIONS = 2000
_NAMES = (
    *("exp", "log", "sqrt", "pow", "sin", "cos", "tan", "asin", "acos", "atan", "atan2"),
    *("sinh", "cosh", "tanh", "asinh", "acosh", "atanh", "erf", "erfc", "gamma", "lgamma"),
    "copysign",
)
_OF_ARRAYS = {"floor": np.floor, "ceil": np.ceil, "minimum": np.minimum, "maximum": np.maximum}
"""Those of NumPy: for numbers beyond integers, and with NaN in their result if it is in an argument."""


@short_repr
@dataclass(frozen=True)
class CompiledExpression:
    """A formula as a compiled function of numbers and arrays.

    Attributes
    ----------
    expr : Expr
        The formula.
    args : tuple of str
        Names of the arguments, in their order.
    kernel : callable
        The compiled function of single floats, for use in other kernels: it checks nothing, and returns NaN or infinity where
        the formula is no finite real number.
    """

    expr: sympy.Expr
    args: tuple[str, ...]
    kernel: Callable[..., float] = field(repr=False, compare=False)
    _over: Callable[[Array, Array], None] = field(repr=False, compare=False)

    def __call__(self, *values: ArrayLike) -> float | Array:
        """Compute the formula.

        Parameters
        ----------
        *values : array_like
            Finite numbers, one argument for each of `args`, which broadcast.

        Returns
        -------
        float or ndarray
            In the common shape of the arguments.

        Raises
        ------
        DomainError
            If there are too few or too many arguments, one is no finite number, or the formula is no finite real number for
            some of them.
        ResourceError
            If the memory budget does not hold the arrays.
        """
        if len(values) != len(self.args):
            wanted = f"{len(self.args)} ({', '.join(self.args)})" if self.args else "none"
            complaint = (
                f"must be as many as the arguments of the formula, {wanted}; got {len(values)}"
            )
            raise refusal("values", None, complaint, shown=False)
        checked = {
            name: numbers(name, value) for name, value in zip(self.args, values, strict=True)
        }
        shape, columns = broadcast(checked) if checked else ((), [])
        found = np.empty(math.prod(shape))
        with np.errstate(all="ignore"):  # where nothing is compiled
            self._over(np.array(columns).reshape(len(columns), found.size), found)
        wrong = np.flatnonzero(~np.isfinite(found))
        if wrong.size:
            at = ", ".join(
                f"{name} = {float(column[wrong[0]])!r}"
                for name, column in zip(self.args, columns, strict=True)
            )
            complaint = f"is not a finite real number{' at ' * bool(at)}{at}"
            raise refusal("expr", self.expr, complaint)
        return shaped(found, shape)


def compile_expression(
    expr: sympy.Expr | str, args: Sequence[sympy.Symbol | str] | sympy.Symbol | str
) -> CompiledExpression:
    """Compile a formula to a function of floats.

    Parameters
    ----------
    expr : Expr or str
        A real SymPy expression of at most 2000 operations: arithmetic, powers, exp, log, circular and hyperbolic functions and
        their inverses, erf, erfc, gamma, loggamma, Abs, sign, floor, ceiling, Min, Max, Piecewise with comparisons. Or text, as
        `scalinglaws.parsing.parse_expression` reads it: arithmetic, sqrt, exp and log; nothing of it is executed.
    args : sequence of Symbol or str
        The arguments in their order, all symbols of the formula among them; a single one may stand by itself.

    Returns
    -------
    CompiledExpression
        To be called with numbers or arrays; its `kernel` is for other kernels. Equal formulas with equal arguments are compiled
        once in a process (the last 256 are kept).

    Raises
    ------
    DomainError
        If the text is no formula, a part of the expression is not compiled (the message names it), a number exceeds the range of
        floats, a symbol is no argument, or an argument appears twice.

    Notes
    -----
    Parts that appear several times are computed once. Each operation is rounded; digits that a formula loses by cancellation
    are lost: bring it into a form that keeps them. Whole powers up to 64 are multiplied out. A comparison with what is no real
    number does not hold. Compilation takes some 0.3 s for a short formula, when it is first called. Machine code is not kept on
    disk: such a function has no file whose changes would tell that the code is out of date.

    Examples
    --------
    >>> loss = compile_expression("E + A*N**-a", ("N", "E", "A", "a"))
    >>> print(loss([10, 1000], 1.7, 5.0, 0.35).round(6))
    [3.933418 2.145625]
    >>> loss is compile_expression("A/N**a + E", ("N", "E", "A", "a"))
    True
    """
    import sympy as sp

    from ._expression_printer import check, symbols_of

    if isinstance(expr, str):
        given = parse_expression(expr, "expr")
    elif isinstance(expr, sp.Expr):
        given = expr
    else:
        raise refusal("expr", expr, "must be a SymPy expression, or a formula as text")
    several = (args,) if isinstance(args, (str, sp.Symbol)) else args
    if not isinstance(several, (list, tuple)):
        raise refusal("args", args, "must be a list of symbols or names")
    listed = []
    for place, entry in enumerate(several):
        if not isinstance(entry, (str, sp.Symbol)) or entry == "":
            raise refusal("args", entry, "must be a symbol or a name", at=place)
        listed.append(
            spelled_out(entry) if isinstance(entry, str) and isinstance(expr, str) else entry
        )
    size = int(given.count_ops())
    if size > _MOST_OPERATIONS:
        complaint = f"has {size} operations; at most {_MOST_OPERATIONS} are compiled"
        raise refusal("expr", None, complaint, shown=False)
    try:
        check(given)
        return _compiled(given, symbols_of(given, tuple(listed)))
    except (RecursionError, SyntaxError, MemoryError):  # of SymPy's printer, of Python's parser
        raise refusal("expr", None, "is nested too deeply", shown=False) from None


@lru_cache(maxsize=_KEPT)
def _compiled(expr: Any, symbols: tuple[Any, ...]) -> CompiledExpression:
    from ._expression_printer import python_function

    functions: dict[str, Any] = {name: getattr(math, name) for name in _NAMES}
    if not _jit.JIT:
        functions = {name: _as_compiled(function) for name, function in functions.items()}
    functions |= {**_OF_ARRAYS, "nan": math.nan, "abs": abs}
    kernel = _jit.njit(python_function(expr, symbols, functions))
    columns = ", ".join(f"columns[{k}, i]" for k in range(len(symbols)))
    scope: dict[str, Any] = {"kernel": kernel}
    exec(
        f"def over(columns, found):\n for i in range(found.size):\n  found[i] = kernel({columns})",
        scope,
    )
    return CompiledExpression(expr, tuple(map(str, symbols)), kernel, _jit.njit(scope["over"]))


def _as_compiled(function: Callable[..., Any]) -> Callable[..., Any]:
    """Let a function of Python's return what the compiled one does where it would raise."""

    def safe(*values: float) -> Any:
        try:
            return np.float64(function(*values))
        except ValueError:
            return np.float64(math.nan)
        except OverflowError:
            return np.float64(math.inf)

    return safe
