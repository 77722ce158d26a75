"""A fit with offsets: an error that falls as a power of a norm which itself grows as a power of the data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import sympy as sp

from ...arguments import instance
from ...errors import refusal
from ...reprs import short_repr
from ..derivation import DEFINITION, EQUAL, Derivation, asymptotic, step
from ..monomials import power_of
from ..records import Derived, Form, Regime
from ..references import CABALLERO_2023, DAMICO_2025
from ..symbols import P

FLOOR, ERROR_AMPLITUDE, NORM_AMPLITUDE, NORM_START, EARLY, GROWTH = sp.symbols(
    "q_1 k_1 k_2 q_2 gamma_1 gamma_2", positive=True
)
FIXED = sp.Symbol("gamma_0", positive=True)
_FIXED_OR_NONE = sp.Symbol(
    "gamma_0", nonnegative=True
)  # in formulas, which are also asked for at 0
_L, _EXCESS, _C0 = sp.symbols("L L_excess c_0", positive=True)
_RANGE = (sp.Rational(1, 3), sp.Rational(3, 2))


@short_repr
@dataclass(frozen=True)
class NormLimited:
    """An error that falls as a power of a norm which itself grows as a power of the data.

    Attributes
    ----------
    norm : Expr
        Best norm against the number of samples: a monomial and a constant.
    exponent, amplitude, floor : Expr
        Error = floor + amplitude * samples**-fixed * norm**-exponent.
    samples : Symbol
        The number of samples.
    box : mapping
        Ranges of the exponents.
    fixed : Expr or number
        Exponent of the error against the number of samples at fixed norm, >= 0: 0 where curves of the error against the norm coincide
        for all numbers of samples, as they do for the error over that at zero norm.
    """

    norm: sp.Expr = NORM_AMPLITUDE * P**GROWTH + NORM_START
    exponent: sp.Expr = EARLY
    amplitude: sp.Expr = ERROR_AMPLITUDE
    floor: sp.Expr = FLOOR
    samples: sp.Symbol = P
    box: Mapping[sp.Symbol, tuple[Any, Any]] = field(
        default_factory=lambda: {EARLY: _RANGE, GROWTH: _RANGE}
    )
    fixed: Any = sp.S.Zero


def derive_norm(model: NormLimited) -> Derived:
    """Derive the data exponent of an error that is limited by a growing norm.

    Parameters
    ----------
    model : NormLimited
        Any power of any norm that grows as a monomial above a constant.

    Returns
    -------
    Derived
        The product of the two exponents, and that at fixed norm; forms ``loss``, ``plateau``, ``crossover``, ``three_region``,
        ``relative_exponent`` and ``absolute_exponent``.

    Raises
    ------
    DomainError
        If the norm does not grow, or the exponent at fixed norm is negative.

    Examples
    --------
    >>> derive_norm(NormLimited(fixed=sp.Rational(1, 2))).expr
    gamma_1*gamma_2 + 1/2
    """
    instance("model", model, NormLimited)
    samples, fixed = model.samples, sp.sympify(model.fixed)
    if not fixed.is_nonnegative:
        raise refusal("fixed", model.fixed, "must be >= 0; declare its symbols with positive=True")
    start = sp.Add(
        *(term for term in sp.Add.make_args(model.norm) if samples not in term.free_symbols)
    )
    growing = sp.expand(model.norm - start)
    growth = power_of(growing, samples)
    if not growth.is_positive:
        raise refusal("norm", model.norm, f"must grow as a power of {samples}")
    factor = growing / samples**growth
    product = sp.factor(model.exponent * growth)
    exponent = fixed + product
    constant = model.amplitude * factor**-model.exponent
    crossover = (start / factor) ** (1 / growth)
    at_fixed = samples**-fixed
    height = at_fixed * model.amplitude * start**-model.exponent
    regions = height * (1 + (samples / crossover) ** growth) ** -model.exponent
    loss = model.floor + at_fixed * model.amplitude * model.norm**-model.exponent
    forms = {
        "loss": Form(loss, "the ansatz"),
        "plateau": Form(model.floor + height, "loss at few samples"),
        "crossover": Form(crossover, "samples at which the power law sets in"),
        "three_region": Form(
            model.floor + regions,
            "plateau, power law and floor: five parameters, all that one curve can tell",
        ),
        "relative_exponent": Form(
            product, "exponent of the relative error, over that at zero norm and as many samples"
        ),
        "absolute_exponent": Form(
            (fixed if model.fixed != 0 else FIXED) + product,
            "exponent of the error itself, which at fixed norm falls with gamma_0",
        ),
    }
    forms = {
        name: Form(form.expr.subs(FIXED, _FIXED_OR_NONE), form.statement)
        for name, form in forms.items()
    }
    conditions = (sp.Ge(fixed, 0, evaluate=False),) if fixed.free_symbols else ()
    norm = sp.Symbol("norm", positive=True)
    steps = [
        step(
            norm,
            model.norm,
            DEFINITION,
            "assumed: the best norm grows as a power of the data",
            DAMICO_2025,
        ),
        step(
            _L,
            model.floor + at_fixed * model.amplitude * norm**-model.exponent,
            DEFINITION,
            "assumed: the error falls as a power of the norm",
            DAMICO_2025,
        ),
        step(_EXCESS, _L - model.floor, DEFINITION, "what is above the floor"),
        step(
            _EXCESS,
            regions,
            EQUAL,
            "the same curve with one parameter less: a plateau, then a power law",
            CABALLERO_2023,
        ),
        step(
            _EXCESS,
            constant * samples**-exponent,
            asymptotic(samples),
            "past the crossover the norm is all growth",
        ),
        step(_C0, constant, DEFINITION, "the constant in front"),
        step(
            _EXCESS,
            _C0 * samples**-exponent,
            EQUAL,
            "a power law whose exponent is the product of the two"
            if fixed == 0
            else "a power law: the product of the two exponents, and that at fixed norm",
        ),
    ]
    return Derived(
        (Regime("power law", sp.true, exponent, constant),),
        conditions,
        Derivation(tuple(steps), (), dict(model.box)),
        forms=forms,
    )
