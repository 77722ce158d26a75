"""A loss that one types, minimized under a budget: where it is least, which terms balance, and how that scales."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import sympy as sp

from ...equality import by_value
from ...errors import DomainError, called, refusal
from ...parsing import parse_expression
from ...reprs import short_repr
from ...theory import balance
from ...theory.mathematical_markup import mathml
from ...theory.monomials import monomial, power_of, with_numbers
from ..answers import COLORS, PALE, Answer, Array, Drawn, Line, Marks, Number, paragraphs
from ..controls import Typed
from ..panel import Frame, Panel, Values
from ._beside import near

TERMS, WITH_LETTERS, SCALES = 6, 4, 4
"""At most so many terms and caps, fewer if powers are letters, and scales: what may take seconds would keep others waiting."""
BUDGETS = np.logspace(-3, 3, 7)
"""Of the frontier, over the budget."""
ALONG = np.logspace(-3, 3, 61)
"""Of the first scale, over its optimum."""
SHORT = 8
"""Characters of a number that is shown as it is."""
LARGEST, FINEST = 20, 10**6
"""Largest power that is taken, and largest denominator of one."""
_ALLOWED = "powers here are numbers up to 20 of at most 6 decimals, or single letters"
BUDGETS_KEPT = ("1e19", "1e20", "1e21", "1e22", "1e23", "5.76e23", "1e24", "1e25", "1e26")
"""Of a snapshot."""
Numbers = Mapping[sp.Symbol, Any]


@short_repr
@by_value
@dataclass(frozen=True)
class _Problem:
    """What was typed: its balances, and those where the bound of the only budget is a letter."""

    found: balance.Allocation
    typed: balance.Problem
    general: balance.Allocation | None
    scale: sp.Symbol | None
    bound: Any


def answer(values: Values) -> Answer:
    """Return the optimum, what balances there, the loss along the budget and the least loss over budgets."""
    try:
        return _answer(values)
    except DomainError:
        raise
    except (ArithmeticError, ValueError) as failure:  # numbers of thousands of digits
        raise refusal("loss", values["loss"], "has numbers beyond what can be shown") from failure


def _answer(values: Values) -> Answer:
    problem = _problem(values["loss"].strip(), values["budget"].strip())
    given = _numbers(values["numbers"])
    missing = problem.found.parameters - set(given)
    numbers: list[Number] = []
    words: list[str] = []
    drawn: dict[str, list[Drawn]] = {"along": [], "frontier": []}
    if not missing:
        best = problem.found.minimum(given)
        numbers += _optimum(problem, best)
        drawn["along"] = list(_along(problem, given, best))
    else:
        names = ", ".join(sorted(map(str, missing)))
        words.append(f"Letters without a number: {names}. What follows holds for all of them.")
    rest = {name: value for name, value in given.items() if name != problem.scale}
    try:
        numbers += _exponents(problem, rest)
        drawn["frontier"] = _frontier(problem, rest, given.get(problem.scale, problem.bound))
    except DomainError as failure:
        words.append(str(failure))
    if problem.found.irreducible:
        constant = " + ".join(
            problem.typed.typed.get(part, str(part))
            for part in sp.Add.make_args(problem.found.irreducible)
        )
        words.append(f"Excess means: over {constant}, which no allocation changes.")
    general = problem.general or problem.found
    titles = {
        "along": str(problem.typed.free[0]),
        "frontier": f"budget {problem.scale or ''}".strip(),
    }
    return Answer(drawn, numbers, paragraphs(*words) + _balances(general), titles)


# -- what is typed ------------------------------------------------------------------------------------------------------


@lru_cache(maxsize=64)
def _problem(loss: str, budget: str) -> _Problem:
    """Read a loss, and budgets and caps with semicolons between."""
    parts = [part.strip() for part in budget.split(";") if part.strip()]
    if not parts:
        raise refusal("budget", budget, "must have the form 6*N*D = 5.76e23")
    caps = [part for part in parts if "<" in part]
    equations = [part for part in parts if "<" not in part]
    with called(terms="loss"):
        typed = balance.read_problem(loss, equations, caps)
    sides = [side for side, _ in (*typed.budgets, *typed.caps)]
    named = [("loss", part) for part in sp.Add.make_args(typed.terms)]
    named += [("budget", side) for side in sides]
    powers = [power for name, part in named for power in monomial(name, part, typed.free).exponents]
    if long := [power for power in powers if not _short(power)]:
        raise refusal(
            "loss", loss, f": the power {long[0]} is taken by the command allocate; {_ALLOWED}"
        )
    count = len(sp.Add.make_args(typed.terms)) + len(caps)
    most = WITH_LETTERS if any(power.free_symbols for power in powers) else TERMS
    if count > most or len(typed.free) > SCALES:
        more = f"{most} in {SCALES} are taken here, and more by the command allocate"
        raise refusal(
            "loss",
            loss,
            f"has {count} terms and caps in {len(typed.free)} scales; {more}",
            shown=False,
        )
    found = balance.allocate(typed.terms, typed.free, typed.budgets, typed.caps)
    if len(typed.budgets) != 1 or caps:
        return _Problem(found, typed, None, None, None)
    ((spent, bound),) = typed.budgets
    if isinstance(bound, sp.Symbol):
        return _Problem(found, typed, found, bound, None)
    if bound.free_symbols:
        return _Problem(found, typed, None, None, None)
    used = {str(name) for name in (typed.terms * spent).free_symbols}
    scale = sp.Symbol(
        next(name for name in ("C", "C_0", "C_00") if name not in used), positive=True
    )
    general = balance.allocate(typed.terms, typed.free, ((spent, scale),))
    return _Problem(found, typed, general, scale, bound)


def _short(power: sp.Expr) -> bool:
    """Whether a power is a number of few digits or a letter, perhaps times such a number."""
    factor, letter = power.as_coeff_Mul()
    plain = factor.is_Rational and abs(factor) <= LARGEST and factor.q <= FINEST
    return bool(plain) and (letter == 1 or letter.is_Symbol or power == 0)


def _numbers(text: str) -> dict[sp.Symbol, Any]:
    """Read what stands for letters: ``a=1/3 b=0.4``."""
    found = {}
    for part in re.split(r"[,;\s]+", text.strip()):
        name, sign, value = part.partition("=")
        if not part:
            continue
        if not sign or not name.isidentifier():
            raise refusal("numbers", text, "must be names with numbers, as a=1/3 b=0.4")
        read = parse_expression(value, "numbers")
        if not read.is_Rational:
            raise refusal("numbers", text, f": {value} is no fraction and no decimal")
        found[parse_expression(name, "numbers")] = read
    return found


# -- what is found ------------------------------------------------------------------------------------------------------


def _optimum(problem: _Problem, best: balance.Minimum) -> Iterator[Number]:
    """List the optimum at numbers."""
    for name, value in best.scales.items():
        yield Number(f"scale {name}", f"best {name}", "any" if value is None else value)
    yield Number("excess", "least loss over what stays", best.excess)
    if best.total is not None:
        yield Number("total", "least loss", best.total)
    for term, share in best.shares.items():
        label = problem.typed.typed.get(term, str(term))
        yield Number(f"share {term}", f"share of {label}", share)
    for bound, value in best.elasticities.items():
        label = problem.typed.typed.get(bound.args[0], str(bound.args[0]))
        yield Number(
            f"elasticity {bound}", f"change of the excess for 1 % more {label}", value, "%"
        )


def _along(problem: _Problem, given: Numbers, best: balance.Minimum) -> Iterator[Drawn]:
    """Draw the loss along the budget, and its terms, where one scale decides about the other."""
    typed = problem.typed
    if len(typed.free) != 2 or len(typed.budgets) != 1 or typed.caps:
        return
    place = [_float(best.scales[name]) for name in typed.free]
    spent = monomial("budget", typed.budgets[0][0], typed.free).exponents
    p, q = (_float(power.subs(given)) for power in spent)
    if p == 0 or q == 0 or not all(map(math.isfinite, place)):
        return
    x, y = place[0] * ALONG, place[1] * ALONG ** (-p / q)
    total = np.zeros_like(x)
    for term, color in zip(sp.Add.make_args(typed.terms), COLORS[1:] * 2, strict=False):
        one = monomial("loss", term.subs(given), typed.free)
        if one.coefficient.free_symbols:  # a constant without a number moves nothing
            continue
        a, b = map(_float, one.exponents)
        with np.errstate(all="ignore"):
            values = _drawable(_float(one.coefficient) * x**a * y**b)
        total += values
        yield Line(typed.typed.get(term, str(term)), x, values, color, "dotted")
    yield Line("loss along the budget", x, total, COLORS[0])
    yield Marks("optimum", [place[0]], [total[ALONG.size // 2]])


def _exponents(problem: _Problem, given: Numbers) -> Iterator[Number]:
    """List how the optimum scales with the bound of the budget, exactly: at numbers, or in letters if nothing else can win."""
    general, scale = problem.general, problem.scale
    if general is None or scale is None:
        return
    winner, note = general[0], ""
    if len(general) > 1:
        found = general.at(given, scale)
        winner, note = found.balance, "tied: a logarithm is possible" if found.ties else ""
    powers = {"the excess": winner.exponent(scale)}
    for name, value in winner.allocation.items():
        powers[f"the best {name}"] = None if value is None else power_of(value, scale)
    for what, power in powers.items():
        shown = "any" if power is None else str(with_numbers(power, dict(given)))
        yield Number(f"exponent of {what}", f"power of {scale} in {what}", shown, note)
        note = ""


def _frontier(problem: _Problem, given: Numbers, here: Any) -> list[Drawn]:
    """Return the least losses over budgets, and the power of the budget that they tend to."""
    general, scale = problem.general, problem.scale
    if general is None or scale is None or not general.parameters <= {*given, scale}:
        return []
    winner = general.at(given, scale)
    budgets = _drawable(_float(10**12 if here is None else here) * BUDGETS)
    budgets = budgets[np.isfinite(budgets) & (budgets > 0)]
    losses = np.array([general.minimum({**given, scale: bound}).excess for bound in budgets])
    front = Line("least excess", budgets, losses, COLORS[0])
    leading = (winner.balance.value * winner.balance.leading_constant).subs(given)
    with np.errstate(all="ignore"):
        law = _drawable(_float(leading.subs(scale, 1)) * budgets ** _float(winner.value))
    label = f"law: {scale}^({winner.value})"
    drawn: list[Drawn] = [front, *near([Line(label, budgets, law, PALE, "dashed")], [front])]
    if here is not None and budgets.size == BUDGETS.size:
        middle = [BUDGETS.size // 2]
        drawn.append(Marks("this budget", budgets[middle], losses[middle]))
    return drawn


def _float(value: Any) -> float:
    """Return a number as a float; NaN for none, and for what no float holds."""
    try:
        return math.nan if value is None else float(value)
    except OverflowError:
        return math.nan


def _drawable(values: Array) -> Array:
    return np.where(np.isfinite(values), values, np.nan)


# -- what is told -------------------------------------------------------------------------------------------------------


def _balances(found: balance.Allocation) -> str:
    """Write every way in which terms can balance as a row of a table."""
    rows = "".join(
        f"<tr><td>{_formula(entry.value)}</td>"
        f"<td>{' = '.join(map(_formula, entry.duals))}{''.join(', ' + mathml(cap) for cap in entry.active[len(entry.duals) :])}</td>"
        f"<td>{', '.join(_best(*pair) for pair in entry.allocation.items())}</td>"
        f"<td>{', '.join(map(mathml, entry.conditions)) or 'always'}</td></tr>"
        for entry in found
    )
    heads = ("least excess, up to a factor", "where", "best scales, up to factors", "possible if")
    return f"<table><tr>{''.join(f'<th>{head}</th>' for head in heads)}</tr>{rows}</table>"


def _best(name: sp.Symbol, value: sp.Expr | None) -> str:
    return mathml(name) + " any" if value is None else mathml(name, r"\sim", _rounded(value))


def _formula(expr: sp.Expr) -> str:
    return mathml(_rounded(expr))


def _rounded(expr: sp.Expr) -> sp.Expr:
    """Write the numerical factor of a product as a decimal, unless it is short; exponents stay exact."""
    factor, rest = expr.as_independent(*expr.free_symbols, as_Add=False)
    return expr if len(str(factor)) <= SHORT else sp.N(factor, 6) * rest


PANEL = Panel(
    "allocation",
    "How should compute be spent?",
    "Type a sum of powers and a budget; caps follow after a semicolon, as <code>; D &lt;= 1e12</code>. The optimum is exact. "
    "Letters may stand for numbers: then it is a formula, and so are its exponents.",
    (
        Typed("loss", "loss", "1.69 + 406.4/N**0.34 + 410.7/D**0.28", "A/N**a + B/D**b"),
        Typed("budget", "budget", "6*N*D = 5.76e23", "6*N*D = C; D <= 1e12"),
        Typed("numbers", "numbers for letters", "", "a=0.34 b=0.28"),
    ),
    (
        Frame("along", "first scale", "loss along the budget", True, True),
        Frame("frontier", "budget", "least loss over what no allocation changes", True, True),
    ),
    answer,
    {
        "loss": (
            "1.69 + 406.4/N**0.34 + 410.7/D**0.28",
            "1.8172 + 482.01/N**0.3478 + 2085.43/D**0.3658",
            "A/N**a + B/D**b",
        ),
        "budget": ("6*N*D = C", *(f"6*N*D = {c}" for c in BUDGETS_KEPT)),
    },
)
