"""All formulas of a law at given numbers, each with its value or with what it lacks."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import mpmath
import sympy as sp

from ..arguments import digit_count, number
from ..errors import DomainError, unknown_name
from ..notation import belonging
from ..reprs import short_repr
from .decimals import decimal
from .parameters import deciding, to_exact
from .records import Form

LEADING = "leading term"
"""Name of the law's own leading term among its formulas."""

_GUARD = 15


@short_repr
@dataclass(frozen=True)
class Evaluation:
    """A formula of a law at given numbers.

    Attributes
    ----------
    name, statement : str
        Of the formula.
    value : float, mpf or None
        None if it cannot be evaluated.
    note : str
        Why it cannot, or which symbols were taken from other formulas.
    """

    name: str
    statement: str
    value: Any
    note: str = ""


def symbols_of(law: Any) -> dict[str, sp.Symbol]:
    """Collect the symbols that can have numbers: parameters, the variable, and those of the formulas.

    A parameter that the law allows to be zero is not positive, whatever its symbol was derived with.
    """
    zero = {str(entry.lhs) for entry in law.validity if isinstance(entry, sp.Ge) and entry.rhs == 0}
    found = {
        name: sp.Symbol(name, nonnegative=True) if name in zero else law._symbol(name)
        for name in law.symbols
    }
    found[str(law.variable)] = law.variable
    for form in law.forms.values():
        found |= {str(symbol): symbol for symbol in form.expr.free_symbols}
    return found


def evaluate_forms(
    law: Any, values: Mapping[str, Any], digits: int | None = None
) -> tuple[Evaluation, ...]:
    """Evaluate every formula of a law for which the numbers suffice.

    Parameters
    ----------
    law : Law
        Whose formulas.
    values : mapping of str to number
        By the names of parameters, of the variable and of the formulas' other symbols. A formula that is named like a symbol
        without a number, as N at the optimum, supplies it to the others.
    digits : int, optional
        Return mpmath numbers with that many digits instead of floats.

    Returns
    -------
    tuple of Evaluation
        The leading term first, if the variable has a number; then the formulas.

    Raises
    ------
    DomainError
        If a name is unknown, or a number has the wrong sign.
    """
    count = 15 if digits is None else digit_count("digits", digits)
    known, values = symbols_of(law), law._read(values)
    for name, value in values.items():
        if name not in known:
            more = belonging(name) if law.task else ""
            raise unknown_name(f"parameter of {law.name}", name, known, more)
        low = 0.0 if known[name].is_nonnegative else -math.inf
        number(name, value, low=low, strict=bool(known[name].is_positive))
    exact = {name: to_exact(value, name) for name, value in values.items()}
    exact |= {
        str(symbol): value
        for symbol, value in law.canonical(exact).items()
        if str(symbol) not in exact
    }
    found = {
        name: _evaluated(name, form, exact, count)
        for name, form in law.forms.items()
        if not _missing(form, exact)
    }
    supplied = {
        name: entry.value
        for name, entry in found.items()
        if name in known and name not in exact and entry.value is not None
    }
    for name, form in law.forms.items():
        if name in found:
            continue
        lent = sorted(set(_missing(form, exact)) & supplied.keys())
        inserted = exact | {key: _as_number(supplied[key]) for key in lent}
        if missing := _missing(form, inserted):
            found[name] = Evaluation(name, form.statement, None, _lack(missing, form, exact, count))
        else:
            entry = _evaluated(name, form, inserted, count)
            found[name] = replace(entry, note=entry.note or f"at {', '.join(lent)} as given here")
    entries = [found[name] for name in law.forms]
    if str(law.variable) in values:
        entries.insert(0, _leading(law, values, count))
    if digits is not None:
        return tuple(entries)
    return tuple(
        entry if entry.value is None else replace(entry, value=float(entry.value))
        for entry in entries
    )


def _missing(form: Form, values: Mapping[str, Any]) -> list[str]:
    return sorted({str(symbol) for symbol in form.expr.free_symbols} - values.keys())


def _as_number(value: Any) -> sp.Expr:
    return sp.Float(value, mpmath.mp.dps) if isinstance(value, mpmath.mpf) else sp.sympify(value)


def _evaluated(name: str, form: Form, values: Mapping[str, sp.Expr], digits: int) -> Evaluation:
    """Evaluate a formula all of whose symbols have numbers; branches are chosen exactly."""
    point = {symbol: values[str(symbol)] for symbol in form.expr.free_symbols}
    for condition in form.conditions:
        if not bool(condition.subs(point)):
            return Evaluation(name, form.statement, None, _demand(condition, values, digits))
    branch = {symbol: value for symbol, value in point.items() if symbol in deciding(form.expr)}
    # exact powers of long fractions can take minutes
    rounded = {symbol: sp.N(value, digits + _GUARD) for symbol, value in point.items()}
    try:
        value = sp.N(form.expr.subs(branch).subs(rounded), digits + 5)
    except (ValueError, ZeroDivisionError, OverflowError):
        value = sp.nan
    if not (value.is_number and value.is_real and value.is_finite):
        return Evaluation(name, form.statement, None, "has no finite value here")
    with mpmath.workdps(digits + 5):
        return Evaluation(name, form.statement, mpmath.mpf(value))


def _lack(missing: list[str], form: Form, values: Mapping[str, Any], digits: int) -> str:
    """Say which numbers a formula lacks, and what they must satisfy."""
    demands = [
        _demand(condition, values, digits)
        for condition in form.conditions
        if {str(symbol) for symbol in condition.free_symbols} & set(missing)
    ]
    return "; ".join([f"needs {', '.join(missing)}", *demands])


def _demand(condition: sp.Basic, values: Mapping[str, Any], digits: int) -> str:
    """Say what a formula demands, as ``L must exceed E = 1.69``."""
    upper, lower = condition.gts, condition.lts
    size = values.get(str(lower))
    shown = "" if size is None else f" = {decimal(size, min(digits, 6))}"
    return f"{upper} must exceed {lower}{shown}"


def _leading(law: Any, values: Mapping[str, Any], digits: int) -> Evaluation:
    """Evaluate the leading term, where its constant is known."""
    parameters = {name: value for name, value in values.items() if name in law.symbols}
    at = f"{law.quantity}, without what fades at larger {law.variable}"
    try:
        rough = law.asymptote(float(values[str(law.variable)]), **parameters)
    except DomainError as failure:
        return Evaluation(LEADING, at, None, str(failure))
    if digits <= 15:
        return Evaluation(LEADING, at, rough)
    regime = law.branch(**parameters)
    point = {
        law._symbol(name): sp.N(to_exact(value), digits + _GUARD)
        for name, value in parameters.items()
    }
    x = to_exact(values[str(law.variable)])
    power = regime.exponent if law.growth else -regime.exponent
    expr = regime.constant * x**power * sp.log(x) ** regime.log_power
    with mpmath.workdps(digits + 5):
        return Evaluation(LEADING, at, mpmath.mpf(sp.N(expr.subs(point), digits + 5)))
