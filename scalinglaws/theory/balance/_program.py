"""What is minimized: terms, free scales, budgets and caps; and what can be wrong with them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import sympy as sp
from sympy.polys.matrices import DomainMatrix

from ...errors import refusal
from ...reprs import short_repr
from ..monomials import Monomial, monomial, power_of, power_product
from ..parameters import as_expression, to_exact
from ..relations import is_positive


@short_repr
@dataclass(frozen=True)
class Program:
    """What is minimized: terms, free scales, and the budgets and caps on them; constants are kept apart."""

    free: tuple[sp.Symbol, ...]
    terms: tuple[Monomial, ...]
    budgets: tuple[Monomial, ...]
    caps: tuple[Monomial, ...]
    constants: tuple[Monomial, ...] = ()


def pairs(argument: str, items: Any) -> list[Any]:
    """List constraints that were given as one or as several."""
    if items is None:
        return []
    single = isinstance(items, sp.Basic) or (
        isinstance(items, tuple) and len(items) == 2 and isinstance(items[0], sp.Expr)
    )
    if single:
        return [items]
    try:
        return list(items)
    except TypeError:
        raise refusal(
            argument, items, "must be a pair (monomial, bound), a relation, or several of them"
        ) from None


def constraint(argument: str, item: Any, free: tuple[sp.Symbol, ...]) -> Monomial:
    """Read a budget or cap; its coefficient moves to the bound."""
    relation = sp.Eq if argument == "budget" else sp.Le
    if isinstance(item, relation):
        left, right = item.args
    elif isinstance(item, tuple) and len(item) == 2:
        left, right = (as_expression(argument, side) for side in item)
    else:
        raise refusal(
            argument,
            item,
            f": {item} must be a pair (monomial, bound) or {relation.__name__}",
            shown=False,
        )
    found = monomial(argument, left, free)
    bound = monomial(argument, right, free)
    if any(power != 0 for power in bound.exponents):
        raise refusal(
            argument, item, f": the bound {right} must not contain free scales", shown=False
        )
    if all(power == 0 for power in found.exponents):
        raise refusal(
            argument, item, f": {left} contains none of the free scales {free}", shown=False
        )
    shown = (
        sp.Eq(left, right, evaluate=False)
        if argument == "budget"
        else sp.Le(left, right, evaluate=False)
    )
    return Monomial(shown, bound.coefficient / found.coefficient, found.exponents)


def rref(rows: Sequence[Sequence[sp.Expr]]) -> tuple[Any, tuple[int, ...]]:
    """Bring a matrix of rational functions into reduced row echelon form."""
    reduced, pivots = (
        DomainMatrix.from_Matrix(sp.Matrix([list(row) for row in rows])).to_field().rref()
    )
    return reduced, tuple(pivots)


def reduce_rows(rows: Sequence[Sequence[sp.Expr]]) -> tuple[list[list[sp.Expr]], tuple[int, ...]]:
    """Bring a matrix into reduced row echelon form, as expressions."""
    reduced, pivots = rref(rows)
    return reduced.to_Matrix().tolist(), pivots


def amplitudes(program: Program) -> set[sp.Symbol]:
    """Return the symbols in coefficients and bounds."""
    return set().union(
        *(
            item.coefficient.free_symbols
            for item in (*program.terms, *program.budgets, *program.caps)
        )
    )


def check_scale(program: Program, scale: Any) -> None:
    """Refuse to let something grow that the problem does not contain: its power would be zero in silence."""
    known = amplitudes(program)
    if not isinstance(scale, sp.Symbol) or scale not in known:
        shown = ", ".join(sorted(map(str, known))) or "none"
        raise refusal(
            "scale",
            scale,
            f"is no symbol of the coefficients and bounds ({shown}); symbols must be declared "
            "positive=True",
        )


def numbers_for(program: Program, values: Any) -> dict[sp.Symbol, sp.Expr]:
    """Read the numbers of parameters, each of which must occur in the problem and be positive."""
    if not isinstance(values, Mapping):
        raise refusal("values", values, "must map symbols to numbers")
    items = (*program.terms, *program.budgets, *program.caps)
    known = amplitudes(program).union(
        *(power.free_symbols for item in items for power in item.exponents),
        *(item.expr.free_symbols for item in program.constants),
    )
    exact = {}
    for name, value in values.items():
        if name not in known:
            shown = ", ".join(sorted(map(str, known))) or "none"
            raise refusal(
                "values", values, f"{name!s} is no parameter of the problem ({shown})", named=False
            )
        exact[name] = to_exact(value, str(name))
        if not exact[name].is_positive:
            raise refusal("values", values, f"{name} = {value} must be positive", named=False)
    return exact


def check_constraints_at(
    program: Program, exact: Mapping[sp.Symbol, sp.Expr], scale: sp.Symbol | None, values: Any
) -> None:
    """Refuse points at which constraints exclude each other, or degenerate so that the symbolic answer does not hold."""

    def here(items: tuple[Monomial, ...]) -> tuple[Monomial, ...]:
        found = []
        for item in items:
            powers = tuple(power.subs(exact) for power in item.exponents)
            if any(power.has(sp.zoo, sp.nan, sp.oo) for power in powers) or all(
                power == 0 for power in powers
            ):
                raise refusal(
                    "values",
                    values,
                    f"{item.expr} degenerates at {values}: allocate with these numbers instead",
                    named=False,
                )
            found.append(Monomial(item.expr, item.coefficient.subs(exact), powers))
        return tuple(found)

    point = Program(program.free, program.terms, here(program.budgets), here(program.caps))
    if point.budgets and len(reduce_rows([item.exponents for item in point.budgets])[1]) < len(
        point.budgets
    ):
        raise refusal(
            "values", values, f"the budgets depend on each other at {values}", named=False
        )
    for ratio in compatibility_of(point):
        power = sp.S.Zero if scale is None else power_of(ratio, scale)
        rest = ratio if scale is None else ratio / scale**power
        if power.is_negative or (power.is_zero and rest.is_number and bool(rest < 1)):
            raise refusal(
                "caps",
                values,
                f"budgets and caps have no common point: {ratio} >= 1 is violated",
                named=False,
            )


def compatibility_of(program: Program) -> tuple[sp.Expr, ...]:
    """List the products of bounds that must be at least 1 (Farkas' lemma, on minimal sets of dependent constraints)."""
    constraints = [*program.budgets, *program.caps]
    found: dict[sp.Expr, None] = {}
    for size in range(2, min(len(constraints), len(program.free) + 1) + 1):
        for chosen in combinations(range(len(constraints)), size):
            rows = [[constraints[q].exponents[j] for q in chosen] for j in range(len(program.free))]
            reduced, pivots = reduce_rows(rows)
            if pivots != tuple(range(size - 1)):
                continue  # independent, or dependent already without the last one
            weights = [*(sp.factor(-reduced[i][-1]) for i in range(size - 1)), sp.S.One]
            if sp.S.Zero in weights:
                continue
            on_caps = [
                is_positive(weight)
                for q, weight in zip(chosen, weights, strict=True)
                if q >= len(program.budgets)
            ]
            if False in on_caps and True in on_caps:
                continue
            sign = -1 if False in on_caps else 1
            ratio = power_product(
                (constraints[q].coefficient, sign * weight)
                for q, weight in zip(chosen, weights, strict=True)
            )
            if ratio.is_number and bool(ratio < 1):
                names = ", ".join(str(constraints[q].expr) for q in chosen)
                raise refusal(
                    "caps", names, f"budgets and caps have no common point: {names}", named=False
                )
            if not ratio.is_number:
                found[ratio] = None
    return tuple(found)
