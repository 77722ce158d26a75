"""Self-averaging: how a loss approaches its value where a resource is plentiful, and fluctuations of wide networks."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import sympy as sp

from ...arguments import instance
from ...errors import refusal
from ...reprs import short_repr
from ..derivation import DEFINITION, EQUAL, Derivation, asymptotic, solves, step
from ..monomials import exact_numbers, power_of, reduced
from ..records import Derived, Regime
from ..references import BAHRI_2021
from ..symbols import P
from ._letters import DEPTH, DIMENSION, FEATURES, PARAMETERS, WIDTH

_L, _C, _E = sp.symbols("L c E", positive=True)
_LIMIT = sp.Symbol("L_inf", positive=True)
_DF2, _B1, _B2 = sp.symbols("df_2 B_1 B_2", positive=True)

FIXED_SAMPLES = (
    P
    * (FEATURES - _DF2)
    / ((P - _DF2) * (FEATURES - P))
    * (_B1 + (P - _DF2) / (FEATURES - _DF2) * _B2)
)
r"""The loss (with noise) of N > P random features fitted without ridge to P samples, which fix :math:`\kappa` by
:math:`\mathrm{df}_1(\kappa) = P`; :math:`B_1 = \sigma^2 + \sum_k s_k \kappa^2/(\lambda_k + \kappa)^2`,
:math:`B_2 = \sum_k s_k \lambda_k \kappa/(\lambda_k + \kappa)^2`."""


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
