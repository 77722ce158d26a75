"""Losses against one scale whose exponent changes: between plateau and offset, at breaks, with a growing norm."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import sympy as sp

from ...arguments import instance, whole
from ...reprs import short_repr
from ..derivation import DEFINITION, EQUAL, Derivation, asymptotic, step
from ..formula import Law
from ..perceptron import NormLimited, derive_norm
from ..records import Derived, Form, Regime
from ..references import CABALLERO_2023, DAMICO_2025
from .symbols import (
    APPARENT,
    CONSTANT,
    EXCESS,
    EXPONENTS,
    LOSS,
    OFFSET,
    SLOPE,
    P,
    build,
    slope_of,
    x,
)

_gamma = sp.Symbol("gamma", positive=True)
_SHARE = sp.Symbol("h", positive=True)
_FRONT = sp.Symbol("k", positive=True)  # c_0 is an exponent here
_MOST_BREAKS = 3

# -- plateau, power law, offset -----------------------------------------------------------------------------------------

_START, _CROSSOVER, _SHARPNESS = sp.symbols("L_0 x_0 s", positive=True)


@short_repr
@dataclass(frozen=True)
class ThreeRegions:
    r"""A loss that stays at a plateau, then falls as a power, and ends at an irreducible value.

    .. math:: L = E + (L_0 - E)\,[1 + (x/x_0)^s]^{-\gamma/s}

    Attributes
    ----------
    exponent : Expr
        The power gamma.
    crossover : Expr
        Scale x_0 at which the power law sets in.
    sharpness : Expr
        s: the larger, the sharper the crossover.
    plateau, offset : Expr
        Losses L_0 at small scales and E at unlimited ones.
    scale : Symbol
        What grows.
    box : mapping
        Ranges of exponent and sharpness.
    """

    exponent: sp.Expr = _gamma
    crossover: sp.Expr = _CROSSOVER
    sharpness: sp.Expr = _SHARPNESS
    plateau: sp.Expr = _START
    offset: sp.Expr = OFFSET
    scale: sp.Symbol = x
    box: Mapping[sp.Symbol, tuple[Any, Any]] = field(
        default_factory=lambda: {
            _gamma: EXPONENTS,
            _SHARPNESS: (sp.Rational(1, 2), sp.Rational(3)),
        }
    )


def derive_regions(model: ThreeRegions) -> Derived:
    """Derive the power law between a plateau and an offset, and the exponent it appears to have.

    Parameters
    ----------
    model : ThreeRegions
        Any exponent, crossover, sharpness and levels.

    Returns
    -------
    Derived
        Exponent and constant of what is left of the way from plateau to offset; forms ``loss`` and ``apparent_exponent``. The
        derivation shows that it is a broken power law with one break.

    Examples
    --------
    >>> derive_regions(ThreeRegions(sharpness=sp.S.One, box={})).forms["loss"].expr
    E + (-E + L_0)/(x/x_0 + 1)**gamma
    """
    instance("model", model, ThreeRegions)
    scale, offset, drop = model.scale, model.offset, model.plateau - model.offset
    reached = (scale / model.crossover) ** model.sharpness
    passed = 1 / (1 + (model.crossover / scale) ** model.sharpness)  # of no size that overflows
    left = (1 + reached) ** (-model.exponent / model.sharpness)
    loss = offset + drop * left
    above = (sp.Gt(model.plateau, offset, evaluate=False),)
    apparent = model.exponent * passed
    constant = model.crossover**model.exponent
    forms = {
        "loss": Form(loss, "the ansatz", above),
        "apparent_exponent": Form(
            apparent * (1 - offset / loss),
            f"{APPARENT}, which plateau and offset lower",
            above,
        ),
    }
    width = sp.Symbol("f", positive=True)
    steps = [
        step(
            LOSS,
            loss,
            DEFINITION,
            "assumed: a plateau, a power law, an irreducible loss",
            CABALLERO_2023,
        ),
        step(SLOPE, slope_of(loss, scale, LOSS), DEFINITION, "slope in double logarithmic axes"),
        step(
            SLOPE,
            apparent * (1 - offset / LOSS),
            EQUAL,
            "smaller than the exponent near the plateau and wherever the offset counts",
        ),
        step(
            _SHARE, (LOSS - offset) / drop, DEFINITION, "what is left of the way down to the offset"
        ),
        step(width, 1 / model.sharpness, DEFINITION, "the width of the break", CABALLERO_2023),
        step(
            _SHARE,
            (1 + (scale / model.crossover) ** (1 / width)) ** (-model.exponent * width),
            EQUAL,
            "a broken power law with one break, flat before it",
        ),
        step(_SHARE, constant * scale**-model.exponent, asymptotic(scale), "past the crossover"),
        step(CONSTANT, constant, DEFINITION, "the constant in front"),
        step(_SHARE, CONSTANT * scale**-model.exponent, EQUAL, "a power law"),
    ]
    return Derived(
        (Regime("power law", sp.true, model.exponent, constant),),
        (),
        Derivation(tuple(steps), (), dict(model.box)),
        forms=forms,
    )


@lru_cache(maxsize=1)
def three_region_law() -> Law:
    r"""Return ``empirical.three_region``: :math:`E + (L_0 - E)[1 + (x/x_0)^s]^{-\gamma/s}`."""
    return build(
        "three_region",
        "a plateau, a power law and an irreducible loss, with a crossover of any sharpness",
        quantity="loss above the irreducible one, over that at small scales",
        variable=x,
        symbols={
            "gamma": "exponent",
            "x_0": "scale at which the power law sets in",
            "s": "sharpness of the crossover",
        },
        reference=(CABALLERO_2023, DAMICO_2025),
        model=ThreeRegions(),
        derive=derive_regions,
    )


# -- broken power laws --------------------------------------------------------------------------------------------------

_LEVEL = sp.Symbol("a", nonnegative=True)
_AMPLITUDE = sp.Symbol("b", positive=True)


@short_repr
@dataclass(frozen=True)
class BrokenPower:
    r"""A power law above an offset whose exponent changes at breaks.

    .. math:: L = a + b\,x^{-c_0} \prod_i [1 + (x/d_i)^{1/f_i}]^{-c_i f_i}

    Attributes
    ----------
    breaks : int
        Their number, from 0 to 3. Before the first the exponent is c_0; the i-th, at x = d_i, adds c_i to it, within a factor
        exp(f_i) or so.
    """

    breaks: int = 1

    def __post_init__(self) -> None:
        """Check the number of breaks."""
        object.__setattr__(self, "breaks", whole("breaks", self.breaks, low=0, high=_MOST_BREAKS))

    @property
    def changes(self) -> tuple[sp.Symbol, ...]:
        """The exponents c_0, c_1, ..., as the law has them, which bounds their sum only."""
        return tuple(sp.Symbol(f"c_{i}", positive=True) for i in range(self.breaks + 1))

    @property
    def places(self) -> tuple[tuple[sp.Symbol, sp.Symbol], ...]:
        """Scale d_i and width f_i of every break."""
        return tuple(sp.symbols(f"d_{i} f_{i}", positive=True) for i in self._numbers)

    @property
    def meanings(self) -> dict[str, str]:
        """What the parameters mean."""
        found = {"c_0": "exponent before the first break", "b": "amplitude"}
        for i in self._numbers:
            found[f"c_{i}"] = f"what break {i} adds to the exponent"
            found[f"d_{i}"] = f"scale of break {i}"
            found[f"f_{i}"] = f"width of break {i}, in log x"
        return found

    @property
    def _numbers(self) -> range:
        return range(1, self.breaks + 1)


def derive_broken(model: BrokenPower) -> Derived:
    """Derive the power law after the last break, and the exponent that a broken power law appears to have anywhere.

    Parameters
    ----------
    model : BrokenPower
        With any number of breaks.

    Returns
    -------
    Derived
        Exponent and constant after the last break; forms ``loss`` and ``apparent_exponent``, in which c_0, c_1, ... may have
        either sign.

    Examples
    --------
    >>> derive_broken(BrokenPower(2)).expr
    c_0 + c_1 + c_2
    """
    instance("model", model, BrokenPower)
    first, *added = model.changes
    reached = [(x / place) ** (1 / width) for place, width in model.places]
    excess, slope, constant = _AMPLITUDE * x**-first, first, _AMPLITUDE
    for change, (place, width), part in zip(added, model.places, reached, strict=True):
        excess *= (1 + part) ** (-change * width)
        slope += change / (1 + (place / x) ** (1 / width))  # of no size that overflows
        constant *= place**change
    exponent = sp.Add(*model.changes)
    loss = _LEVEL + excess
    either = {change: sp.Symbol(change.name, real=True) for change in model.changes}
    forms = {
        "loss": Form(loss.subs(either), "the ansatz"),
        "apparent_exponent": Form(
            (slope * (1 - _LEVEL / loss)).subs(either),
            f"{APPARENT}, between the breaks and at them",
        ),
    }
    steps = [
        step(
            LOSS,
            loss,
            DEFINITION,
            "assumed: a power law whose exponent changes at breaks, above an irreducible loss"
            if added
            else "assumed: a power law above an irreducible loss",
            CABALLERO_2023,
        ),
        step(SLOPE, slope_of(loss, x, LOSS), DEFINITION, "slope in double logarithmic axes"),
        step(
            SLOPE,
            slope * (1 - _LEVEL / LOSS),
            EQUAL,
            "each break that is passed adds to the exponent",
        ),
        step(EXCESS, LOSS - _LEVEL, DEFINITION, "what is above the irreducible loss"),
        step(
            EXCESS,
            constant * x**-exponent,
            asymptotic(x),
            "all breaks are passed" if added else "a power law",
        ),
        step(_FRONT, constant, DEFINITION, "the constant in front"),
        step(EXCESS, _FRONT * x**-exponent, EQUAL, "a power law"),
    ]
    half = sp.Rational(1, 2)
    box = dict.fromkeys(model.changes, (sp.Rational(1, 10), sp.S.One))
    box |= {width: (half / 2, sp.S.One) for _, width in model.places}
    conditions = (sp.Gt(exponent, 0, evaluate=False),)
    return Derived(
        (Regime("after the last break", sp.true, exponent, constant),),
        conditions,
        Derivation(tuple(steps), conditions, box),
        forms=forms,
    )


@lru_cache(maxsize=1)
def bnsl_law() -> Law:
    """Return ``empirical.bnsl``: a broken power law with one break; ``in_notation`` writes it with none, two or three."""
    numbered = ("no_break", "one_break", "two_breaks", "three_breaks")
    models = {name: BrokenPower(breaks) for breaks, name in enumerate(numbered)}
    return build(
        "bnsl",
        "a broken power law above an irreducible loss: its exponent changes at a break, or at none, "
        "two or three",
        quantity="loss above the irreducible one",
        variable=x,
        symbols=models["one_break"].meanings,
        reference=(CABALLERO_2023,),
        model=models["one_break"],
        derive=derive_broken,
        conventions={
            name: {"model": model, "symbols": model.meanings} for name, model in models.items()
        },
    )


# -- perceptron -----------------------------------------------------------------------------------------------------------


@lru_cache(maxsize=1)
def perceptron_law() -> Law:
    r"""Return ``empirical.perceptron``: :math:`q_1 + k_1 (k_2 P^{\gamma_2} + q_2)^{-\gamma_1}`."""
    return build(
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
