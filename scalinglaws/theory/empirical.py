"""Formulas that were fitted rather than derived, and what follows from them.

Each law here starts from an ansatz: its derivation's first line is assumed. The rest is derived: optima under a budget,
limits, and which of the parameters a measurement can tell apart.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import sympy as sp

from ..arguments import instance
from ..errors import refusal
from ..reprs import short_repr
from .building import laws_of
from .derivation import DEFINITION, EQUAL, Derivation, asymptotic, step
from .formula import Law
from .monomials import power_of, power_product
from .optimum import CostLimited, optimum_steps
from .perceptron import NormLimited, derive_norm
from .records import Derived, Form, Regime
from .references import (
    DAMICO_2025,
    HESTNESS_2017,
    HOFFMANN_2022,
    KAPLAN_2020,
    ROSENFELD_2020,
    Reference,
)

N, D, C, P, x = sp.symbols("N D C P x", positive=True)
_A, _B, _a, _b, _RATIO, _LEVEL = sp.symbols("A B a b ratio L", positive=True)
_OFFSET = sp.Symbol("E", nonnegative=True)
_L, _EXCESS, _C0, _SLOPE = sp.symbols("L L_excess c_0 g", positive=True)
_EXPONENTS = (sp.Rational(1, 10), sp.Rational(3, 2))


_build = laws_of("empirical", standing="ansatz")


# -- Chinchilla ---------------------------------------------------------------------------------------------------------


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
    offset: sp.Expr = _OFFSET
    box: Mapping[sp.Symbol, tuple[Any, Any]] = field(
        default_factory=lambda: {_a: _EXPONENTS, _b: _EXPONENTS}
    )
    reference: Reference = HOFFMANN_2022


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

    Examples
    --------
    A cost quadratic in the model size, as of attention over long contexts:

    >>> found = derive_frontier(AdditiveLoss(budget=(N**2 * D, C)))
    >>> found.expr
    a*b/(a + 2*b)
    """
    instance("model", model, AdditiveLoss)
    cost, budget = model.budget
    inner = CostLimited(
        model.terms, model.scales, budget, model.budget, box=model.box, reference=model.reference
    )
    if (
        len(inner.winners) != 1
        or inner.winners[0][0].exact_constant is None
        or len(inner.winners[0][0].duals) != 2
    ):
        raise refusal(
            "terms",
            model.terms,
            "must be two that balance for all parameters in the box",
            shown=False,
        )
    entry, _ = inner.winners[0]
    first, second = model.scales
    (regime,) = inner.regimes()
    bare = sp.Add(*model.terms.values())
    solved = power_product(
        [(budget / (cost / second ** power_of(cost, second)), 1 / power_of(cost, second))]
    )
    best = entry.exact_alloc
    lowest = regime.constant * budget**-regime.exponent
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
    forms = {
        "loss": Form(model.offset + bare, "the ansatz"),
        "frontier": Form(model.offset + lowest, f"least loss at budget {budget}"),
        str(first): Form(best[first], f"{first} at the optimum"),
        str(second): Form(best[second], f"{second} at the optimum"),
        "isoflop": Form(
            model.offset + bare.subs(second, solved), f"loss against {first} at fixed {budget}"
        ),
        "compute": Form(
            ((_LEVEL - model.offset) / regime.constant) ** (-1 / regime.exponent),
            f"budget {budget} that reaches loss L",
            (sp.Gt(_LEVEL, model.offset),),
        ),
        "multiplier": Form(
            detour ** (1 / regime.exponent),
            f"factor of budget that choosing {first} off by `ratio` costs",
        ),
    }

    def build() -> Derivation:
        total = sp.Symbol("L_total", positive=True)
        steps = [
            *optimum_steps(inner),
            step(
                total,
                model.offset + _L,
                DEFINITION,
                "assumed: the irreducible loss adds to what model and data leave",
                model.reference,
            ),
            step(total, model.offset + lowest, EQUAL, "the frontier"),
        ]
        return Derivation(tuple(steps), (), dict(model.box))

    return Derived((regime,), (), build, forms=forms)


@lru_cache(maxsize=1)
def chinchilla_law() -> Law:
    r"""Return ``empirical.chinchilla``: :math:`E + A N^{-a} + B D^{-b}` and its exact optimum under :math:`6ND = C`."""
    return _build(
        "chinchilla",
        "additive powers of model size and data, and their exact optimum for a given compute",
        quantity="loss above the irreducible one at the compute optimum, C = 6 N D",
        variable=C,
        symbols={
            "a": "exponent of model size",
            "b": "exponent of data",
            "A": "amplitude of the model term",
            "B": "amplitude of the data term",
        },
        reference=(HOFFMANN_2022,),
        model=AdditiveLoss(),
        derive=derive_frontier,
    )


# -- Kaplan -------------------------------------------------------------------------------------------------------------

_aN, _aD, _Nc, _Dc = sp.symbols("a_N a_D N_c D_c", positive=True)


@short_repr
@dataclass(frozen=True)
class NestedLoss:
    """A power of a sum of two powers, and what a run costs.

    Attributes
    ----------
    terms : mapping of str to Expr
        The two monomials of the sum.
    power : Expr
        The power of the sum.
    scales, budget, box
        As for `AdditiveLoss`.
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


def derive_nested(model: NestedLoss) -> Derived:
    """Derive the exact optimum of a power of a sum.

    Parameters
    ----------
    model : NestedLoss
        Any two monomials, power and cost.

    Returns
    -------
    Derived
        Exponent and constant of the loss; forms ``loss``, ``frontier`` and the optimal scales.
    """
    instance("model", model, NestedLoss)
    budget = model.budget[1]
    inner = CostLimited(
        model.terms, model.scales, budget, model.budget, box=model.box, reference=KAPLAN_2020
    )
    (regime,) = inner.regimes()
    entry, _ = inner.winners[0]
    exponent = sp.factor(regime.exponent * model.power)
    constant = sp.powdenest(regime.constant**model.power, force=True)
    forms = {
        "loss": Form(sp.Add(*model.terms.values()) ** model.power, "the ansatz"),
        "frontier": Form(constant * budget**-exponent, f"least loss at budget {budget}"),
        **{
            str(name): Form(entry.exact_alloc[name], f"{name} at the optimum")
            for name in model.scales
        },
    }

    def build() -> Derivation:
        steps = [
            *optimum_steps(inner, suffix="_in"),
            step(
                _L,
                sp.Symbol("L_in", positive=True) ** model.power,
                DEFINITION,
                "assumed: the loss is a power of the sum",
                KAPLAN_2020,
            ),
            step(_C0, constant, DEFINITION, "the constant in front"),
            step(_L, _C0 * budget**-exponent, EQUAL, "the frontier"),
        ]
        return Derivation(tuple(steps), (), dict(model.box))

    return Derived((Regime("model = data", sp.true, exponent, constant),), (), build, forms=forms)


@lru_cache(maxsize=1)
def kaplan_law() -> Law:
    """Return ``empirical.kaplan``: the loss without offset, and its exact optimum under 6ND = C."""
    return _build(
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


# -- Rosenfeld ----------------------------------------------------------------------------------------------------------

_n, _m, _alpha, _beta, _cinf, _eps0, _rest = sp.symbols(
    "n m alpha beta c_inf epsilon_0 c_rest", positive=True
)


@short_repr
@dataclass(frozen=True)
class Envelope:
    """An error that saturates at random guessing.

    Attributes
    ----------
    small : Expr
        The error where it is small, falling to a rest as a power of `scale`.
    scale : Symbol
        What grows.
    guess : Symbol
        Error of random guessing; it is also the scale of saturation, since a common factor of both cannot be told
        from one of the small error.
    box : mapping
        Ranges of the exponents.
    """

    small: sp.Expr = _A * _n**-_alpha + _rest
    scale: sp.Symbol = _n
    guess: sp.Symbol = _eps0
    box: Mapping[sp.Symbol, tuple[Any, Any]] = field(
        default_factory=lambda: {_alpha: (sp.Rational(1, 5), sp.Rational(3, 5))}
    )


def derive_envelope(model: Envelope) -> Derived:
    """Derive how a saturating error approaches its value at unlimited data.

    Parameters
    ----------
    model : Envelope
        Any power-law error in the envelope.

    Returns
    -------
    Derived
        Exponent and constant of the error above that at unlimited data; forms ``loss`` and ``small_error``.
    """
    instance("model", model, Envelope)
    rest = sp.Add(
        *(term for term in sp.Add.make_args(model.small) if model.scale not in term.free_symbols)
    )
    term = sp.expand(model.small - rest)
    exponent = -power_of(term, model.scale)
    error = sp.Symbol("epsilon", positive=True)

    def envelope(value: sp.Expr) -> sp.Expr:
        return model.guess * value / sp.sqrt(value**2 + model.guess**2)

    constant = term * model.scale**exponent * sp.diff(envelope(error), error).subs(error, rest)
    constant = sp.factor(sp.simplify(constant))
    full = _A * _n**-_alpha + _B * _m**-_beta + _cinf
    forms = {
        "loss": Form(envelope(full), "the ansatz: data n, model size m"),
        "small_error": Form(
            full, "what the ansatz tends to where errors are far below random guessing"
        ),
    }
    steps = [
        step(
            error,
            model.small,
            DEFINITION,
            "assumed: powers of data and model size add up",
            ROSENFELD_2020,
        ),
        step(
            _L,
            envelope(error),
            DEFINITION,
            "assumed: an envelope that ends at random guessing",
            ROSENFELD_2020,
        ),
        step(
            _EXCESS,
            _L - envelope(rest),
            DEFINITION,
            "what is left above the error at unlimited data",
        ),
        step(
            _EXCESS,
            constant * model.scale**-exponent,
            asymptotic(model.scale),
            "the envelope is smooth: its slope enters the constant",
        ),
        step(_C0, constant, DEFINITION, "the constant in front"),
        step(_EXCESS, _C0 * model.scale**-exponent, EQUAL, "a power law"),
    ]
    return Derived(
        (Regime("data-limited", sp.true, exponent, constant),),
        (),
        Derivation(tuple(steps), (), dict(model.box)),
        forms=forms,
    )


@lru_cache(maxsize=1)
def rosenfeld_law() -> Law:
    """Return ``empirical.rosenfeld``: additive powers of data and model size in an envelope."""
    return _build(
        "rosenfeld",
        "additive powers of model size and data in an envelope that ends at random guessing",
        quantity="error above that at unlimited data",
        variable=_n,
        symbols={
            "alpha": "exponent of data",
            "A": "amplitude of the data term",
            "c_rest": "small error left at unlimited data",
            "epsilon_0": "error of random guessing",
        },
        reference=(ROSENFELD_2020,),
        model=Envelope(),
        derive=derive_envelope,
    )


# -- Hestness -----------------------------------------------------------------------------------------------------------

_c, _gamma = sp.symbols("c gamma", positive=True)


@short_repr
@dataclass(frozen=True)
class PowerOffset:
    """A power law above an offset.

    Attributes
    ----------
    loss : Expr
        Offset plus monomial.
    scale : Symbol
        What grows.
    box : mapping
        Ranges of the exponents.
    """

    loss: sp.Expr = _OFFSET + _c * x**-_gamma
    scale: sp.Symbol = x
    box: Mapping[sp.Symbol, tuple[Any, Any]] = field(default_factory=lambda: {_gamma: _EXPONENTS})


def derive_offset(model: PowerOffset) -> Derived:
    """Derive the true and the apparent exponent of a power law above an offset.

    Parameters
    ----------
    model : PowerOffset
        Any offset and monomial.

    Returns
    -------
    Derived
        Exponent and constant above the offset; forms ``loss`` and ``apparent_exponent``.
    """
    instance("model", model, PowerOffset)
    scale = model.scale
    offset = sp.Add(
        *(term for term in sp.Add.make_args(model.loss) if scale not in term.free_symbols)
    )
    term = sp.expand(model.loss - offset)
    exponent = -power_of(term, scale)
    constant = term * scale**exponent
    apparent = exponent * (1 - offset / model.loss)
    forms = {
        "loss": Form(model.loss, "the ansatz"),
        "apparent_exponent": Form(
            apparent, "slope of log loss against log scale, which the offset lowers"
        ),
    }
    steps = [
        step(
            _L,
            model.loss,
            DEFINITION,
            "assumed: a power law above an irreducible loss",
            HESTNESS_2017,
        ),
        step(
            _SLOPE,
            -scale * sp.diff(model.loss, scale) / _L,
            DEFINITION,
            "slope in double logarithmic axes",
        ),
        step(
            _SLOPE,
            exponent * (1 - offset / _L),
            EQUAL,
            "smaller than the exponent wherever the offset counts",
        ),
        step(_EXCESS, _L - offset, DEFINITION, "what is above the offset"),
        step(_EXCESS, constant * scale**-exponent, EQUAL, "a power law"),
    ]
    return Derived(
        (Regime("power law", sp.true, exponent, constant),),
        (),
        Derivation(tuple(steps), (), dict(model.box)),
        forms=forms,
    )


@lru_cache(maxsize=1)
def hestness_law() -> Law:
    r"""Return ``empirical.hestness``: :math:`E + c\,x^{-\gamma}`, and the exponent it appears to have."""
    return _build(
        "hestness",
        "a power law above an irreducible loss, and the exponent it appears to have",
        quantity="loss above the irreducible one",
        variable=x,
        symbols={"gamma": "exponent", "c": "amplitude"},
        reference=(HESTNESS_2017,),
        model=PowerOffset(),
        derive=derive_offset,
    )


# -- perceptron -----------------------------------------------------------------------------------------------------------


@lru_cache(maxsize=1)
def perceptron_law() -> Law:
    r"""Return ``empirical.perceptron``: :math:`q_1 + k_1 (k_2 P^{\gamma_2} + q_2)^{-\gamma_1}`."""
    return _build(
        "perceptron",
        "relative error (over that at zero norm) against samples where the best norm grows with "
        "them: plateau, power law, floor; the error itself falls faster, with gamma_0",
        quantity="relative error above its floor",
        variable=P,
        symbols={
            "gamma_1": "exponent of the error against the norm",
            "gamma_2": "exponent of the best norm against the samples",
            "k_1": "amplitude of the error",
            "k_2": "amplitude of the norm",
        },
        reference=(DAMICO_2025,),
        model=NormLimited(),
        derive=derive_norm,
    )
