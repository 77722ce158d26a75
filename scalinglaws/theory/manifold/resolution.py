"""Resolution: how far it is to the nearest sample, or to the nearest piece of a model, on a manifold."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import sympy as sp

from ...arguments import instance
from ...reprs import short_repr
from ..asymptotics import EXP, MellinSymbol, X, power_sum
from ..derivation import DEFINITION, EQUAL, Derivation, solves, step
from ..records import Derived, Form, Regime
from ..references import BAHRI_2021, SPIGLER_2020
from ..symbols import P
from ._letters import DIMENSION, FEATURES, ORDER

_L, _C, _AMPLITUDE, _LEAST, _REACH, _C_L = sp.symbols("L c A L_min R c_L", positive=True)


@short_repr
@dataclass(frozen=True)
class NearestNeighbor:
    r"""The distance from a point to the nearest of P others, raised to a power.

    .. math:: E\,r^q = \int_0^\infty q\,r^{q-1}\, g(P r^d)\, dr

    Attributes
    ----------
    dimension, order : Expr or number
        d, and q: an error of local order q (1 for a Lipschitz function, 2 for its square, 4 for a squared piecewise
        linear fit).
    empty : MellinSymbol
        g(x): probability that a ball with x points on average holds none; exp(-x) for independent points.
    box : mapping
        Ranges of the parameters in which the derivation is checked.
    resource : Symbol
        P, as it is written: what is scattered over the manifold.
    """

    dimension: Any = DIMENSION
    order: Any = 1
    empty: MellinSymbol = EXP
    box: Mapping[sp.Symbol, tuple[Any, Any]] = field(
        default_factory=lambda: {DIMENSION: (1, 8), ORDER: (sp.Rational(1, 2), 4)}
    )
    resource: sp.Symbol = P


def derive_distance(model: NearestNeighbor) -> Derived:
    """Derive how an error set by the nearest sample falls with their number.

    Parameters
    ----------
    model : NearestNeighbor
        Any dimension, order and probability of an empty ball.

    Returns
    -------
    Derived
        Exponent q/d with its constant, exact for all P.

    Examples
    --------
    >>> derive_distance(NearestNeighbor(dimension=3, order=2)).expr
    2/3
    """
    instance("model", model, NearestNeighbor)
    d, q, n = sp.sympify(model.dimension), sp.sympify(model.order), model.resource
    r = sp.Symbol("r", positive=True)
    found = power_sum(1 - q, model.empty.compose(d), mode="integral")
    term = found.terms[0]
    constant = sp.gammasimp(q * term.coefficient)
    exponent = sp.cancel(term.exponent / d)
    distance = sp.Symbol("D", positive=True)
    integral = sp.Integral(q * r ** (q - 1) * model.empty.function.subs(X, n * r**d), (r, 0, sp.oo))
    used = d.free_symbols | q.free_symbols | (model.empty.function.free_symbols - {X})
    box = {name: limits for name, limits in model.box.items() if name in used}
    steps = [
        step(
            distance,
            integral,
            DEFINITION,
            f"a ball of radius r holds {n} r^d points on average, in units of its volume at r = 1",
            SPIGLER_2020,
        ),
        step(
            distance,
            q * term.coefficient * (n ** (-1 / d)) ** term.exponent,
            EQUAL,
            "its Mellin transform, without corrections",
        ),
        step(_C, constant, DEFINITION, "the constant in front"),
        step(distance, _C * n**-exponent, EQUAL, "a power law"),
    ]
    return Derived(
        (Regime("resolution-limited", sp.true, exponent, constant),),
        found.conditions,
        Derivation(tuple(steps), found.conditions, box),
    )


@short_repr
@dataclass(frozen=True)
class AnchorLimited:
    r"""A model made of N pieces, each right at its anchor and off by a power of the distance from it.

    .. math:: L(N) = A\,E\,r^q, \qquad L(N) \ge A \int_0^R q\,r^{q-1} (1 - N r^d)\, dr, \quad N R^d = 1

    Of any N anchors the balls of radius r cover at most a share :math:`N r^d` of the manifold, which gives the bound.

    Attributes
    ----------
    dimension, order : Expr or number
        d; and q: 1 for a Lipschitz function, 2 for the square of a piecewise constant fit's error, 4 for that of a piecewise
        linear one.
    amplitude : Expr or number
        A: the loss at distance 1 from an anchor, in units in which a ball of radius 1 has unit volume.
    empty : MellinSymbol
        g(x): probability that a ball with x anchors on average holds none; exp(-x) for anchors at random places.
    resource : Symbol
        N, as it is written. Parameters are pieces, up to a factor.
    box : mapping
        Ranges of the parameters in which the derivation is checked.
    """

    dimension: Any = DIMENSION
    order: Any = ORDER
    amplitude: Any = _AMPLITUDE
    empty: MellinSymbol = EXP
    resource: sp.Symbol = FEATURES
    box: Mapping[sp.Symbol, tuple[Any, Any]] = field(
        default_factory=lambda: {DIMENSION: (1, 8), ORDER: (sp.Rational(1, 2), 4)}
    )


def derive_anchors(model: AnchorLimited) -> Derived:
    """Derive how the loss of a model of many pieces falls with their number, and what no arrangement of them can beat.

    Parameters
    ----------
    model : AnchorLimited
        Any dimension, order and probability of an empty ball.

    Returns
    -------
    Derived
        Exponent q/d with the constant of these anchors; the form ``bound`` is what the best arrangement could reach.

    Examples
    --------
    Piecewise linear fits in two dimensions:

    >>> found = derive_anchors(AnchorLimited(dimension=2, order=4, amplitude=1))
    >>> found.expr, found.constant, found.forms["bound"].expr
    (2, 2, 1/(3*N**2))
    """
    instance("model", model, AnchorLimited)
    d, q, n = sp.sympify(model.dimension), sp.sympify(model.order), model.resource
    amplitude = sp.sympify(model.amplitude)
    distance = derive_distance(NearestNeighbor(d, q, model.empty, model.box, n))
    (regime,) = distance.regimes
    exponent, constant = regime.exponent, amplitude * regime.constant
    least = sp.cancel(amplitude * d / (d + q)) * n**-exponent
    steps = [
        *distance.derivation.steps,
        step(
            _L,
            amplitude * distance.derivation.steps[0].quantity,
            DEFINITION,
            "the loss at a place is a power of its distance from the nearest anchor",
            BAHRI_2021,
        ),
        step(_C_L, constant, DEFINITION, "the constant in front"),
        step(_L, _C_L * n**-exponent, EQUAL, "a power law"),
        step(
            _REACH,
            n ** (-1 / d),
            solves(sp.Eq(n * _REACH**d, 1, evaluate=False)),
            "balls around all anchors can fill the manifold once they are that large",
        ),
        step(
            _LEAST,
            amplitude * (_REACH**q - n * q * _REACH ** (q + d) / (q + d)),
            DEFINITION,
            f"of any anchors, balls of radius r cover a share of {n} r^d at most: the integral over the rest",
        ),
        step(_LEAST, least, EQUAL, "what no arrangement of the anchors can beat"),
    ]
    used = {name: limits for name, limits in model.box.items() if name in (d * q).free_symbols}
    return Derived(
        (Regime("resolution-limited", sp.true, exponent, constant),),
        distance.conditions,
        Derivation(tuple(steps), distance.conditions, used),
        forms={"bound": Form(least, "no arrangement of the anchors does better")},
    )
