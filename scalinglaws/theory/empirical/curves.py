"""Losses that are a power of one scale: with a correction, and above an offset."""

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
from ..references import HESTNESS_2017, KAPLAN_2020
from .symbols import APPARENT, CONSTANT, EXCESS, EXPONENTS, LOSS, OFFSET, SLOPE, build, slope_of, x

_c, _gamma, _omega = sp.symbols("c gamma omega", positive=True)
_u = sp.Symbol("u", real=True)

# -- a power law and the first correction to it -------------------------------------------------------------------------


@short_repr
@dataclass(frozen=True)
class CorrectedPower:
    """A power law, and the relative size of the first correction to it.

    Attributes
    ----------
    loss : Expr
        A monomial.
    correction : Expr
        A monomial, of either sign, that fades as the scale grows.
    scale : Symbol
        What grows.
    box : mapping
        Ranges of the exponents.
    """

    loss: sp.Expr = _c * x**-_gamma
    correction: sp.Expr = _u * x**-_omega
    scale: sp.Symbol = x
    box: Mapping[sp.Symbol, tuple[Any, Any]] = field(
        default_factory=lambda: {_gamma: EXPONENTS, _omega: (sp.Rational(1, 2), sp.Rational(3, 2))}
    )


def derive_power(model: CorrectedPower) -> Derived:
    """Derive the exponent that a power law appears to have while a correction to it still counts.

    Parameters
    ----------
    model : CorrectedPower
        Any monomial and any correction that fades.

    Returns
    -------
    Derived
        Exponent and constant of the monomial; forms ``loss``, ``corrected`` and ``apparent_exponent``.

    Examples
    --------
    >>> derive_power(CorrectedPower()).forms["apparent_exponent"].expr
    gamma + omega*u/(x**omega*(u/x**omega + 1))
    """
    instance("model", model, CorrectedPower)
    scale, small = model.scale, model.correction
    exponent, fading = -power_of(model.loss, scale), -power_of(small, scale)
    constant = model.loss * scale**exponent
    whole_loss = model.loss * (1 + small)
    apparent = exponent + fading * small / (1 + small)
    forms = {
        "loss": Form(model.loss, "the ansatz"),
        "corrected": Form(whole_loss, "with the first correction to scaling"),
        "apparent_exponent": Form(apparent, f"{APPARENT}, which the correction changes"),
    }
    corrected = sp.Symbol("L_corrected", positive=True)
    steps = [
        step(LOSS, model.loss, DEFINITION, "assumed: a power law", KAPLAN_2020),
        step(
            corrected,
            LOSS * (1 + small),
            DEFINITION,
            "assumed: a correction that fades as a power of the scale",
        ),
        step(
            SLOPE,
            slope_of(whole_loss, scale, corrected),
            DEFINITION,
            "slope in double logarithmic axes",
        ),
        step(SLOPE, apparent, EQUAL, "off the exponent wherever the correction counts"),
        step(CONSTANT, constant, DEFINITION, "the constant in front"),
        step(
            corrected,
            CONSTANT * scale**-exponent,
            asymptotic(scale),
            "the correction has faded: a power law",
        ),
    ]
    return Derived(
        (Regime("power law", sp.true, exponent, constant),),
        (),
        Derivation(tuple(steps), (), dict(model.box)),
        forms=forms,
    )


@lru_cache(maxsize=1)
def power_law() -> Law:
    r"""Return ``empirical.power``: :math:`c\,x^{-\gamma}`, and the exponent it appears to have while corrections count."""
    return build(
        "power",
        "a power law, and the exponent it appears to have where a correction to scaling counts",
        quantity="loss",
        variable=x,
        symbols={"gamma": "exponent", "c": "amplitude"},
        reference=(KAPLAN_2020,),
        model=CorrectedPower(),
        derive=derive_power,
    )


# -- a power law above an offset -----------------------------------------------------------------------------------------


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

    loss: sp.Expr = OFFSET + _c * x**-_gamma
    scale: sp.Symbol = x
    box: Mapping[sp.Symbol, tuple[Any, Any]] = field(default_factory=lambda: {_gamma: EXPONENTS})


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
            LOSS,
            model.loss,
            DEFINITION,
            "assumed: a power law above an irreducible loss",
            HESTNESS_2017,
        ),
        step(
            SLOPE,
            -scale * sp.diff(model.loss, scale) / LOSS,
            DEFINITION,
            "slope in double logarithmic axes",
        ),
        step(
            SLOPE,
            exponent * (1 - offset / LOSS),
            EQUAL,
            "smaller than the exponent wherever the offset counts",
        ),
        step(EXCESS, LOSS - offset, DEFINITION, "what is above the offset"),
        step(EXCESS, constant * scale**-exponent, EQUAL, "a power law"),
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
    return build(
        "hestness",
        "a power law above an irreducible loss, and the exponent it appears to have",
        quantity="loss above the irreducible one",
        variable=x,
        symbols={"gamma": "exponent", "c": "amplitude"},
        reference=(HESTNESS_2017,),
        model=PowerOffset(),
        derive=derive_offset,
    )
