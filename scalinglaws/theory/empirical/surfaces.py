"""Losses of model size and data together, and the optimum that each implies under a budget."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import sympy as sp

from ...arguments import instance
from ...errors import refusal
from ...reprs import short_repr
from ..derivation import DEFINITION, EQUAL, Derivation, Step, step
from ..formula import Law
from ..monomials import power_of, power_product
from ..optimum import CostLimited, optimum_steps
from ..records import Derived, Form, Regime
from ..references import BUSBRIDGE_2025, HOFFMANN_2022, KAPLAN_2020, Reference
from .symbols import CONSTANT, EXCESS, EXPONENTS, LOSS, OFFSET, C, D, N, build

_A, _B, _a, _b, _c, _RATIO = sp.symbols("A B a b c ratio", positive=True)
_INNER = sp.Symbol("L_in", positive=True)


@short_repr
@dataclass(frozen=True)
class AdditiveLoss:
    """A loss that is a constant and two powers, and what a run costs.

    Attributes
    ----------
    terms : mapping of str to Expr
        Two monomials in the two scales.
    scales : tuple of Symbol
        Model size and data, or any two others.
    budget : (Expr, Symbol)
        Cost as a monomial of the scales, and the symbol of the budget.
    offset : Expr
        The irreducible loss.
    box : mapping
        Ranges of the exponents.
    reference : Reference
        Where the formula comes from.
    """

    terms: Mapping[str, sp.Expr] = field(
        default_factory=lambda: {"model": _A * N**-_a, "data": _B * D**-_b}
    )
    scales: tuple[sp.Symbol, sp.Symbol] = (N, D)
    budget: tuple[sp.Expr, sp.Symbol] = (6 * N * D, C)
    offset: sp.Expr = OFFSET
    box: Mapping[sp.Symbol, tuple[Any, Any]] = field(
        default_factory=lambda: {_a: EXPONENTS, _b: EXPONENTS}
    )
    reference: Reference = HOFFMANN_2022


_aN, _aD, _Nc, _Dc = sp.symbols("a_N a_D N_c D_c", positive=True)


@short_repr
@dataclass(frozen=True)
class NestedLoss:
    """A power of a sum of two powers, above a constant or none, and what a run costs.

    Attributes
    ----------
    terms : mapping of str to Expr
        The two monomials of the sum.
    power : Expr
        The power of the sum, > 0.
    scales, budget, box, reference
        As for `AdditiveLoss`.
    offset : Expr
        The irreducible loss; none by default.
    """

    terms: Mapping[str, sp.Expr] = field(
        default_factory=lambda: {"model": (_Nc / N) ** (_aN / _aD), "data": _Dc / D}
    )
    power: sp.Expr = _aD
    scales: tuple[sp.Symbol, sp.Symbol] = (N, D)
    budget: tuple[sp.Expr, sp.Symbol] = (6 * N * D, C)
    box: Mapping[sp.Symbol, tuple[Any, Any]] = field(
        default_factory=lambda: {
            _aN: (sp.Rational(1, 20), sp.Rational(1, 2)),
            _aD: (sp.Rational(1, 20), sp.Rational(1, 2)),
        }
    )
    offset: sp.Expr = sp.S.Zero
    reference: Reference = KAPLAN_2020


@dataclass(frozen=True)
class _Optimum:
    """The least loss under a budget: the optimum of the sum, and exponent, constant and formulas of the whole."""

    inner: CostLimited
    exponent: sp.Expr
    constant: sp.Expr
    forms: Mapping[str, Form]


def _optimum(model: AdditiveLoss | NestedLoss, power: sp.Expr) -> _Optimum:
    """Find the optimum of a power of a sum: where the sum is least, so is every growing function of it."""
    cost, budget = model.budget
    inner = CostLimited(
        model.terms, model.scales, budget, model.budget, box=model.box, reference=model.reference
    )
    entry = inner.winners[0][0]
    if len(inner.winners) != 1 or entry.exact_constant is None or len(entry.duals) != 2:
        raise refusal(
            "terms",
            model.terms,
            "must be two that balance for all parameters in the box",
            shown=False,
        )
    first, second = model.scales
    (regime,) = inner.regimes()
    exponent, constant = regime.exponent, regime.constant
    if power != 1:
        exponent = sp.factor(exponent * power)
        constant = sp.powdenest(constant**power, force=True)
    bare = sp.Add(*model.terms.values())
    solved = power_product(
        [(budget / (cost / second ** power_of(cost, second)), 1 / power_of(cost, second))]
    )
    shares = [
        y * power_product([(term.subs(second, solved), sp.S.One), (first, sp.S.Zero)])
        for term, y in entry.duals.items()
    ]
    detour = sp.Add(
        *(
            y * _RATIO ** power_of(share, first)
            for share, y in zip(shares, entry.duals.values(), strict=True)
        )
    )
    above = (sp.Gt(LOSS, model.offset),) if model.offset != 0 else ()
    forms = {
        "loss": Form(model.offset + bare**power, "the ansatz"),
        "frontier": Form(
            model.offset + constant * budget**-exponent, f"least loss at budget {budget}"
        ),
        **{
            str(name): Form(entry.exact_alloc[name], f"{name} at the optimum")
            for name in model.scales
        },
        "isoflop": Form(
            model.offset + bare.subs(second, solved) ** power,
            f"loss against {first} at fixed {budget}",
        ),
        "compute": Form(
            ((LOSS - model.offset) / constant) ** (-1 / exponent),
            f"budget {budget} that reaches loss L",
            above,
        ),
        "multiplier": Form(
            detour ** (1 / regime.exponent),
            f"factor of budget that choosing {first} off by `ratio` costs",
        ),
    }
    return _Optimum(inner, exponent, constant, forms)


def derive_frontier(model: AdditiveLoss) -> Derived:
    """Derive the exact optimum of a loss of two powers under a budget.

    Parameters
    ----------
    model : AdditiveLoss
        Any two monomials and any cost monomial that trades one scale for the other.

    Returns
    -------
    Derived
        Exponent and constant of the loss above its offset; forms ``loss``, ``frontier``, ``isoflop``, ``compute``, ``multiplier`` and
        the optimal scales under their own names.

    Raises
    ------
    DomainError
        If the terms are not two that balance for all parameters in the box.

    Examples
    --------
    A cost quadratic in the model size, as of attention over long contexts:

    >>> found = derive_frontier(AdditiveLoss(budget=(N**2 * D, C)))
    >>> found.expr
    a*b/(a + 2*b)
    """
    instance("model", model, AdditiveLoss)
    found = _optimum(model, sp.S.One)
    total = sp.Symbol("L_total", positive=True)

    def build_steps() -> Derivation:
        steps = [
            *optimum_steps(found.inner),
            step(
                total,
                model.offset + LOSS,
                DEFINITION,
                "assumed: the irreducible loss adds to what model and data leave",
                model.reference,
            ),
            step(total, found.forms["frontier"].expr, EQUAL, "the frontier"),
        ]
        return Derivation(tuple(steps), (), dict(model.box))

    return Derived(tuple(found.inner.regimes()), (), build_steps, forms=found.forms)


def derive_nested(model: NestedLoss) -> Derived:
    r"""Derive the exact optimum of a power of a sum.

    The power grows with the sum, so the best scales, and by which factor of budget a choice beside them is paid for, are those
    of the sum; the exponent is multiplied by the power.

    Parameters
    ----------
    model : NestedLoss
        Any two monomials, power, offset and cost.

    Returns
    -------
    Derived
        Exponent and constant of the loss above its offset; forms as `derive_frontier`.

    Raises
    ------
    DomainError
        If the terms are not two that balance for all parameters in the box.

    Examples
    --------
    >>> derive_nested(NestedLoss(budget=(N**2 * D, C))).expr
    a_D*a_N/(2*a_D + a_N)
    """
    instance("model", model, NestedLoss)
    found = _optimum(model, model.power)
    budget = model.budget[1]
    lowest = CONSTANT * budget**-found.exponent

    def build_steps() -> Derivation:
        steps: list[Step] = [*optimum_steps(found.inner, suffix="_in")]
        if model.offset == 0:
            above, reason = LOSS, "assumed: the loss is a power of the sum"
        else:
            above, reason = (
                EXCESS,
                "assumed: what is above the irreducible loss is a power of the sum",
            )
        steps += [
            step(above, _INNER**model.power, DEFINITION, reason, model.reference),
            step(CONSTANT, found.constant, DEFINITION, "the constant in front"),
            step(above, lowest, EQUAL, "the frontier"),
        ]
        if model.offset != 0:
            steps += [
                step(
                    LOSS,
                    model.offset + EXCESS,
                    DEFINITION,
                    "assumed: the irreducible loss is added",
                ),
                step(LOSS, model.offset + lowest, EQUAL, "the frontier above the irreducible loss"),
            ]
        return Derivation(tuple(steps), (), dict(model.box))

    regime = Regime("model = data", sp.true, found.exponent, found.constant)
    return Derived((regime,), (), build_steps, forms=found.forms)


# -- laws ---------------------------------------------------------------------------------------------------------------

_SIZES = {
    "a": "exponent of model size",
    "b": "exponent of data",
    "A": "amplitude of the model term",
    "B": "amplitude of the data term",
}


@lru_cache(maxsize=1)
def chinchilla_law() -> Law:
    r"""Return ``empirical.chinchilla``: :math:`E + A N^{-a} + B D^{-b}` and its exact optimum under :math:`6ND = C`."""
    return build(
        "chinchilla",
        "additive powers of model size and data, and their exact optimum for a given compute",
        quantity="loss above the irreducible one at the compute optimum, C = 6 N D",
        variable=C,
        symbols=_SIZES,
        reference=(HOFFMANN_2022,),
        model=AdditiveLoss(),
        derive=derive_frontier,
    )


@lru_cache(maxsize=1)
def surface_power_law() -> Law:
    r"""Return ``empirical.surface_power``: :math:`E + (A N^{-a} + B D^{-b})^c` and its exact optimum under :math:`6ND = C`.

    At :math:`c = 1` it is ``empirical.chinchilla``; without offset and at :math:`b = 1` it is ``empirical.kaplan``.
    """
    return build(
        "surface_power",
        "a power of additive powers of model size and data above an irreducible loss, and its exact "
        "optimum for a given compute",
        quantity="loss above the irreducible one at the compute optimum, C = 6 N D",
        variable=C,
        symbols=_SIZES | {"c": "power of the sum of both terms"},
        reference=(BUSBRIDGE_2025, HOFFMANN_2022, KAPLAN_2020),
        model=NestedLoss(
            terms=AdditiveLoss().terms,
            power=_c,
            box={
                _a: EXPONENTS,
                _b: EXPONENTS,
                _c: (sp.Rational(1, 20), sp.Rational(3)),
            },
            offset=OFFSET,
            reference=BUSBRIDGE_2025,
        ),
        derive=derive_nested,
    )


@lru_cache(maxsize=1)
def kaplan_law() -> Law:
    """Return ``empirical.kaplan``: the loss without offset, and its exact optimum under 6ND = C."""
    return build(
        "kaplan",
        "a power of a sum of powers of model size and data, and its exact optimum for a "
        "given compute",
        quantity="loss at the compute optimum, C = 6 N D",
        variable=C,
        symbols={
            "a_N": "exponent of model size",
            "a_D": "exponent of data",
            "N_c": "scale of model size",
            "D_c": "scale of data",
        },
        reference=(KAPLAN_2020,),
        model=NestedLoss(),
        derive=derive_nested,
    )
