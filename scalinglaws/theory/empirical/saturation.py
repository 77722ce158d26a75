"""An error that saturates at random guessing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import sympy as sp

from ...arguments import instance
from ...reprs import short_repr
from ..derivation import DEFINITION, EQUAL, Derivation, asymptotic, step
from ..formula import Law
from ..monomials import power_of
from ..records import Derived, Form, Regime
from ..references import ROSENFELD_2020
from .symbols import CONSTANT, EXCESS, LOSS, build

_A, _B, _n, _m, _alpha, _beta, _cinf, _eps0, _rest = sp.symbols(
    "A B n m alpha beta c_inf epsilon_0 c_rest", positive=True
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
            LOSS,
            envelope(error),
            DEFINITION,
            "assumed: an envelope that ends at random guessing",
            ROSENFELD_2020,
        ),
        step(
            EXCESS,
            LOSS - envelope(rest),
            DEFINITION,
            "what is left above the error at unlimited data",
        ),
        step(
            EXCESS,
            constant * model.scale**-exponent,
            asymptotic(model.scale),
            "the envelope is smooth: its slope enters the constant",
        ),
        step(CONSTANT, constant, DEFINITION, "the constant in front"),
        step(EXCESS, CONSTANT * model.scale**-exponent, EQUAL, "a power law"),
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
    return build(
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
