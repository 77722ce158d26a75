r"""Laws of data manifolds: what resolution, dimension and self-averaging say about exponents.

Two mechanisms, both without feature learning. *Resolution-limited*: P points on a d-dimensional manifold are spaced
:math:`P^{-1/d}`, and a kernel of smoothness :math:`\theta` has the spectrum :math:`k^{-(1+\theta/d)}`. *Variance-limited*: where a
resource is plentiful, the loss is smooth in its inverse.
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
from .asymptotics import EXP, RATIONAL, MellinSymbol, X, power_sum
from .building import laws_of
from .derivation import DEFINITION, EQUAL, Derivation, asymptotic, solves, step
from .formula import Law, Published
from .linear import ModeLimited, derive_mode
from .monomials import exact_numbers, power_of, reduced
from .records import Derived, Regime
from .references import BAHRI_2021, SPIGLER_2020
from .symbols import P

THETA, DIMENSION, ORDER = sp.symbols("theta d q", positive=True)
WIDTH, DEPTH, FEATURES, PARAMETERS = sp.symbols("w h N p", positive=True)
_L, _C, _E = sp.symbols("L c E", positive=True)
_LIMIT = sp.Symbol("L_inf", positive=True)


# -- self-averaging -----------------------------------------------------------------------------------------------------


@short_repr
@dataclass(frozen=True)
class VarianceLimited:
    """A loss that is smooth in the inverse of a plentiful resource.

    Attributes
    ----------
    loss : Expr
        The loss as a function of the resource.
    resource : Symbol
        What grows without bound.
    reason : str
        Where the loss comes from.
    """

    loss: sp.Expr = field(default_factory=lambda: _LIMIT / (1 - FEATURES / P))
    resource: sp.Symbol = P
    reason: str = "N features fitted without ridge to P > N samples: the residual of a regression grows by 1/(1 - N/P)"


def derive_variance(model: VarianceLimited) -> Derived:
    """Derive how a loss approaches its value at infinite resource.

    Parameters
    ----------
    model : VarianceLimited
        Any loss that has an expansion in powers of the resource.

    Returns
    -------
    Derived
        Exponent and constant of the difference.

    Examples
    --------
    >>> x = sp.Symbol("x", positive=True)
    >>> derive_variance(VarianceLimited((x**2 + 1) / (x**2 + 3), x)).expr
    2
    """
    instance("model", model, VarianceLimited)
    n, small = model.resource, sp.Symbol("epsilon", positive=True)
    inverse = sp.together(model.loss.subs(n, 1 / small))
    limit = sp.limit(inverse, small, 0, "+")
    if limit.has(sp.oo, sp.zoo, sp.nan) or small in limit.free_symbols:
        raise refusal("loss", model.loss, f"has no finite limit for {n} -> oo")
    try:
        coefficient, exponent = sp.factor(sp.together(inverse - limit)).leadterm(small)
    except (sp.PoleError, ValueError, NotImplementedError):
        coefficient, exponent = small, sp.S.Zero
    if small in coefficient.free_symbols:
        raise refusal("loss", model.loss, f"does not approach its limit as a power of {n}")
    if not exponent.is_positive:
        raise refusal("loss", model.loss, f"does not depend on {n}")
    leading = sp.factor(coefficient) * n**-exponent
    steps = [
        step(_L, model.loss, DEFINITION, model.reason, BAHRI_2021),
        step(_E, _L - limit, DEFINITION, f"what is left above the loss at {n} -> oo"),
        step(_E, leading, asymptotic(n), f"first term of the expansion in 1/{n}"),
        step(_C, sp.factor(coefficient), DEFINITION, "the constant in front"),
        step(_E, _C * n**-exponent, EQUAL, "a power law"),
    ]
    regime = Regime("self-averaging", sp.true, exponent, sp.factor(coefficient))
    return Derived((regime,), (), Derivation(tuple(steps)))


@short_repr
@dataclass(frozen=True)
class WidthLimited:
    """A deep network whose fluctuations fall as the inverse of its width.

    Attributes
    ----------
    parameters : Expr
        Number of parameters as a sum of monomials in the width; the leading one counts.
    width : Symbol
        The width.
    exponent : Expr or number
        Fluctuations fall as ``width**-exponent``.
    """

    parameters: sp.Expr = field(default_factory=lambda: DEPTH * WIDTH**2 + 2 * DIMENSION * WIDTH)
    width: sp.Symbol = WIDTH
    exponent: Any = 1


def derive_width(model: WidthLimited) -> Derived:
    """Derive how fluctuations fall with the number of parameters.

    Parameters
    ----------
    model : WidthLimited
        Any architecture whose parameters are counted by powers of its width.

    Returns
    -------
    Derived
        Exponent in parameters; the constant is that of the fluctuations at width one.

    Examples
    --------
    One hidden layer has as many parameters as units, up to a factor:

    >>> derive_width(WidthLimited(parameters=5 * WIDTH)).expr
    1
    """
    instance("model", model, WidthLimited)
    w = model.width
    terms = sp.Add.make_args(sp.expand(model.parameters))
    powers = {term: exact_numbers(power_of(term, w)) for term in terms}
    if not all(power.is_number for power in powers.values()):
        raise refusal(
            "parameters",
            model.parameters,
            f": the powers of {w} must be numbers, so that one of them leads",
        )
    leading = max(terms, key=lambda term: powers[term])
    power = powers[leading]
    if not power.is_positive or sum(powers[term] == power for term in terms) > 1:
        raise refusal("parameters", model.parameters, f"must have one leading power of {w}")
    count, amplitude, variance = (
        PARAMETERS,
        sp.Symbol("v", positive=True),
        sp.Symbol("V", positive=True),
    )
    coefficient = leading / w**power
    inverse = (count / coefficient) ** (1 / power)
    exponent = sp.sympify(model.exponent) / power
    total = sp.Symbol("n_params", positive=True)
    steps = [
        step(total, model.parameters, DEFINITION, "parameters of the network"),
        step(total, leading, asymptotic(w), "matrices between hidden layers outnumber all others"),
        step(
            w,
            inverse,
            solves(sp.Eq(total, count, evaluate=False)),
            "the width at a given number of parameters",
        ),
        step(
            variance,
            amplitude * w ** (-sp.sympify(model.exponent)),
            DEFINITION,
            "fluctuations between initializations average out over the width",
            BAHRI_2021,
        ),
        step(_C, amplitude * coefficient**exponent, DEFINITION, "the constant in front"),
        step(variance, _C * count**-exponent, EQUAL, "in parameters"),
    ]
    regime = Regime("self-averaging", sp.true, reduced(exponent), amplitude * coefficient**exponent)
    return Derived((regime,), (), Derivation(tuple(steps)))


# -- resolution ---------------------------------------------------------------------------------------------------------


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
    """

    dimension: Any = DIMENSION
    order: Any = 1
    empty: MellinSymbol = EXP
    box: Mapping[sp.Symbol, tuple[Any, Any]] = field(
        default_factory=lambda: {DIMENSION: (1, 8), ORDER: (sp.Rational(1, 2), 4)}
    )


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
    d, q = sp.sympify(model.dimension), sp.sympify(model.order)
    r = sp.Symbol("r", positive=True)
    found = power_sum(1 - q, model.empty.compose(d), mode="integral")
    term = found.terms[0]
    constant = sp.gammasimp(q * term.coefficient)
    exponent = sp.cancel(term.exponent / d)
    distance = sp.Symbol("D", positive=True)
    integral = sp.Integral(q * r ** (q - 1) * model.empty.function.subs(X, P * r**d), (r, 0, sp.oo))
    used = d.free_symbols | q.free_symbols | (model.empty.function.free_symbols - {X})
    box = {name: limits for name, limits in model.box.items() if name in used}
    steps = [
        step(
            distance,
            integral,
            DEFINITION,
            "a ball of radius r holds P r^d points on average, in units of its volume at r = 1",
            SPIGLER_2020,
        ),
        step(
            distance,
            q * term.coefficient * (P ** (-1 / d)) ** term.exponent,
            EQUAL,
            "its Mellin transform, without corrections",
        ),
        step(_C, constant, DEFINITION, "the constant in front"),
        step(distance, _C * P**-exponent, EQUAL, "a power law"),
    ]
    return Derived(
        (Regime("resolution-limited", sp.true, exponent, constant),),
        found.conditions,
        Derivation(tuple(steps), found.conditions, box),
    )


# -- laws ---------------------------------------------------------------------------------------------------------------

_build = laws_of("manifold", variable=P, reference=(BAHRI_2021,))


@lru_cache(maxsize=1)
def variance_limited_law() -> Law:
    r"""Return ``manifold.variance_limited``: :math:`L(P) - L(\infty) \sim P^{-1}`."""
    return _build(
        "variance_limited",
        "loss above its value at unlimited samples, where samples are plentiful",
        quantity="test loss above its value at unlimited samples",
        symbols={
            "N": "number of features, fixed",
            "L_inf": "test loss (with noise) at unlimited samples",
        },
        model=VarianceLimited(),
        derive=derive_variance,
    )


@lru_cache(maxsize=1)
def width_variance_law() -> Law:
    """Return ``manifold.width_variance``: fluctuations of a deep network fall as its number of parameters to the power -1/2."""
    return _build(
        "width_variance",
        "fluctuations of a deep network between initializations against its number of parameters",
        quantity="variance of the prediction between initializations",
        variable=PARAMETERS,
        symbols={"h": "number of matrices between hidden layers", "v": "variance at width one"},
        model=WidthLimited(),
        derive=derive_width,
    )


@lru_cache(maxsize=1)
def nearest_neighbor_law() -> Law:
    r"""Return ``manifold.nearest_neighbor``: :math:`E\,r = \Gamma(1 + 1/d) P^{-1/d}`."""
    return _build(
        "nearest_neighbor",
        "distance to the nearest of P samples on a d-dimensional manifold",
        quantity="mean distance to the nearest of P samples, where a ball of radius 1 has unit volume",
        symbols={"d": "dimension of the data manifold"},
        reference=(SPIGLER_2020, BAHRI_2021),
        model=NearestNeighbor(),
        derive=derive_distance,
    )


@lru_cache(maxsize=1)
def spectral_law() -> Law:
    r"""Return ``manifold.spectral``: a kernel of smoothness :math:`\theta` learns its like as :math:`P^{-\theta/d}`."""
    white = 1 + THETA / DIMENSION
    return _build(
        "spectral",
        "loss of a kernel that learns a target of its own smoothness on a d-dimensional manifold",
        symbols={
            "theta": "order of the non-analytic term |x - x'|^theta of the kernel, which is also that of the target",
            "d": "dimension of the data manifold",
        },
        reference=(BAHRI_2021, SPIGLER_2020),
        model=ModeLimited(
            resource=P,
            residual=RATIONAL(2, 2),
            variance=RATIONAL(0, 2),
            spectrum_exponent=white,
            signal_exponent=white,
            box={THETA: (1, 3), DIMENSION: (1, 4)},
        ),
        derive=derive_mode,
        published=Published(
            1 / DIMENSION,
            "a bound for Lipschitz targets, by the spacing of samples; smoother kernels and targets do better by the factor theta",
            BAHRI_2021.at("resolution-limited scaling"),
            point={"theta": sp.Integer(2), "d": sp.Integer(5)},
        ),
    )
