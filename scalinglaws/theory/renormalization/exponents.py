r"""Where flows of couplings end, how they get there, and whether they have a zero with a quartic coupling that is a likelihood's."""

from __future__ import annotations

import sympy as sp

from ...arguments import instance
from ...errors import refusal
from ..derivation import DEFINITION, EQUAL, Derivation, asymptotic, step
from ..records import Derived, Form, Regime
from ..relations import is_positive
from ._letters import QUADRATIC, QUARTIC, RATIO
from .flows import RATE_U, Flow
from .scaling import (
    Zero,
    coordinate,
    infinite_steps,
    rate_steps,
    scaling_steps,
    zero_steps,
    zeros,
)

_DISTANCE = sp.Symbol("D", positive=True)
_GROWTH, _FINAL, _COUPLING = sp.symbols("y y_X U_X", real=True)


def derive_stable_exponents(model: Flow) -> Derived:
    r"""Derive how a flow approaches the zero where it ends, and the exponents of all of its zeros.

    Parameters
    ----------
    model : Flow
        Of two couplings, with one stable zero that is physical.

    Returns
    -------
    Derived
        Exponent of the slowest deviation from the stable zero in :math:`\Lambda_0/\Lambda`. Forms: the place and the two exponents of
        every zero, by its name.

    Raises
    ------
    DomainError
        If no physical zero is stable, or several are.

    Examples
    --------
    >>> from scalinglaws.theory.renormalization import likelihood_flow
    >>> found = derive_stable_exponents(likelihood_flow(2))
    >>> found.expr, found.forms["quartic_U"].expr
    (1, -1/4)
    """
    instance("model", model, Flow)
    found = zeros(model)
    end = _end(found)
    exponent = -end.slowest

    def build() -> Derivation:
        steps = [*rate_steps(model), *zero_steps(model), *infinite_steps(model)]
        for number, zero in enumerate(found, start=1):
            steps += scaling_steps(zero, number)
        steps += model.spectrum_steps
        steps += [
            step(
                _DISTANCE,
                sp.Add(*(RATIO**value for value in end.exponents)),
                DEFINITION,
                f"deviations from the stable zero, {end.name}: two scaling fields of size one at X = 1",
            ),
            step(_DISTANCE, RATIO**-exponent, asymptotic(RATIO), "the slower one is left"),
        ]
        return Derivation(tuple(steps), (), model.parameters)

    regime = Regime(f"{end.name} zero", sp.true, exponent, None)
    return Derived((regime,), (), build, forms=_forms(model))


def derive_no_wilson_fisher(model: Flow) -> Derived:
    r"""Derive what the quartic coupling does in the end: whether it has a zero of the flow to go to.

    Parameters
    ----------
    model : Flow
        Of two couplings.

    Returns
    -------
    Derived
        Exponent of growth of U in :math:`\Lambda_0/\Lambda`: that at the stable zero if no finite zero has U > 0; 0, with
        the constant :math:`U_*`, if one has. Forms: places and exponents of all zeros.

    Examples
    --------
    >>> from scalinglaws.theory.renormalization import action_flow
    >>> derive_no_wilson_fisher(action_flow("generic", 2)).expr
    3
    >>> derive_no_wilson_fisher(action_flow("conserving", 2)).constant
    4/9
    """
    instance("model", model, Flow)
    if model.rates[1].subs(QUARTIC, 0) != 0:
        raise refusal("model", model, "must keep U = 0 where it starts there", shown=False)
    found = zeros(model)
    positive = [
        zero for zero in found if QUADRATIC in zero.place and is_positive(zero.quartic) is True
    ]
    if len(positive) > 1:
        raise refusal("model", model, "has several zeros with U > 0", shown=False)
    relative = sp.cancel(model.rates[1] / QUARTIC)
    end = positive[0] if positive else _end(found)
    growth = sp.S.Zero if positive else _at_end(relative, end)

    def build() -> Derivation:
        steps = [
            *rate_steps(model),
            step(_GROWTH, RATE_U / QUARTIC, DEFINITION, "relative rate of the quartic coupling"),
            step(_GROWTH, relative, EQUAL, "what is left of it"),
            *zero_steps(model),
        ]
        if positive:
            steps += [
                step(
                    _COUPLING,
                    sp.Symbol(f"U_{end.name}", real=True),
                    DEFINITION,
                    "where U stays if R is tuned to it",
                ),
                step(_COUPLING, end.quartic, EQUAL, "a Wilson-Fisher zero"),
            ]
            return Derivation(tuple(steps), (), model.parameters)
        place = end.place.get(QUADRATIC)
        there = relative if place is None else relative.subs(QUADRATIC, coordinate(end))
        steps += [
            step(
                _FINAL,
                there.subs(QUARTIC, 0) if place is not None else growth,
                DEFINITION,
                f"the same at the stable zero, {end.name}",
            ),
            step(_COUPLING, RATIO**_FINAL, DEFINITION, "U in the end, over what it starts from"),
            step(_COUPLING, RATIO**growth, EQUAL, "a power law: it stands still nowhere else"),
        ]
        return Derivation(tuple(steps), (), model.parameters)

    constant = end.quartic if positive else None
    name = "a zero with U > 0" if positive else "no zero with U > 0"
    return Derived((Regime(name, sp.true, growth, constant),), (), build, forms=_forms(model))


def _end(found: tuple[Zero, ...]) -> Zero:
    """Return the only physical zero that is stable."""
    ends = [zero for zero in found if zero.stable and zero.physical]
    if len(ends) != 1:
        named = ", ".join(zero.name for zero in ends) or "none"
        raise refusal(
            "model",
            found,
            f"must have one physical zero that is stable; it has {named}",
            shown=False,
        )
    return ends[0]


def _at_end(expr: sp.Expr, end: Zero) -> sp.Expr:
    """Evaluate an expression in R and U at a zero, finite or not."""
    if QUADRATIC in end.place:
        return sp.factor(expr.subs(end.place))
    inverse, shape = end.place
    moved = expr.subs({QUADRATIC: 1 / inverse, QUARTIC: shape / inverse**2}, simultaneous=True)
    return sp.factor(sp.cancel(moved).subs(end.place))


def _forms(model: Flow) -> dict[str, Form]:
    """Write places and exponents of all zeros as formulas."""
    forms = {}
    for zero in zeros(model):
        letters = ("R", "U") if QUADRATIC in zero.place else ("1/R", "U/R^2")
        values = tuple(zero.place.values())
        known = ", ".join(
            f"{letter} = {value}"
            for letter, value in zip(letters, values, strict=True)
            if value.is_number or value.is_Symbol
        )
        place = f"the {zero.name} zero" + (f", {known}" if known else "")
        note = "" if zero.physical else "; u < 0, no likelihood"
        for key, letter, value in zip("RU", letters, values, strict=True):
            if value != 0:
                forms[f"{zero.name}_{key}"] = Form(value, f"{letter} at the {zero.name} zero{note}")
        for which, value in enumerate(zero.exponents, start=1):
            forms[f"{zero.name}_{which}"] = Form(value, f"growth exponent at {place}{note}")
    if model.spectrum is not None:
        forms["spectrum"] = Form(
            model.spectrum, "all growth exponents at the stable zero, n = 1, 2, ...: exact"
        )
    return forms
