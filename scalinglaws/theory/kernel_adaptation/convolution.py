r"""Samples by which a linear convolutional network learns one filter: the 3/4 power of its inputs."""

from __future__ import annotations

from dataclasses import dataclass, field

import sympy as sp

from ...arguments import instance
from ...reprs import short_repr
from ..derivation import DEFINITION, EQUAL, Derivation, asymptotic, solves, step
from ..optimum import CostLimited, derive_optimum, optimum_steps
from ..parameters import as_expression
from ..records import Derived, Form, Regime
from ..references import RINGEL_2025
from .symbols import CHI, DIMENSION, KAPPA

CHANNELS = sp.Symbol("c", positive=True)
_B, _S, _P, _LEARNED, _START = sp.symbols("b S P L P_0", positive=True)
_BETA, _SHARE = sp.symbols("beta p", positive=True)


@short_repr
@dataclass(frozen=True)
class AdaptedFilters:
    r"""A linear convolutional network with :math:`C = d^c` channels, whose filters' variance along the target grows by b.

    Its free energy is :math:`\frac C2 (b - 1 - \ln b) + \frac\chi2 \frac{1}{b/d + \kappa_e/P}`, but for fluctuations of the readout, which
    a large scale :math:`\chi` outweighs; prior variances are one.

    Attributes
    ----------
    channels : Expr
        c, above 0 and below 1: otherwise the best b does not grow.
    """

    channels: sp.Expr = field(default=CHANNELS)

    def __post_init__(self) -> None:
        """Take numbers, too."""
        object.__setattr__(self, "channels", as_expression("channels", self.channels))

    @property
    def cost(self) -> CostLimited:
        r"""The terms that matter for b >> 1 without data: :math:`\frac C2 b + \frac\chi2 \frac db`, the cost of the pattern."""
        d, c = DIMENSION, self.channels
        box = {c: (sp.Rational(1, 4), sp.Rational(9, 10))} if c.is_Symbol else {}
        terms = {"prior": d**c * _B / 2, "readout": CHI * d / (2 * _B)}
        return CostLimited(terms, (_B,), d, box=box, reference=RINGEL_2025)


def derive_convolution(model: AdaptedFilters) -> Derived:
    r"""Derive the samples at which the filters of a linear convolutional network are learned.

    Parameters
    ----------
    model : AdaptedFilters
        Any power of d for the number of channels.

    Returns
    -------
    Derived
        Exponent of growth (1 + c)/2 against d, constant :math:`\kappa_e/\sqrt\chi`. Forms ``samples`` and ``cost``.

    Examples
    --------
    >>> found = derive_convolution(AdaptedFilters(sp.Rational(1, 2)))
    >>> found.expr, found.constant
    (3/4, kappa/sqrt(chi))
    """
    instance("model", model, AdaptedFilters)
    d, c = DIMENSION, model.channels
    cost = derive_optimum(model.cost)
    exponent = sp.expand(-cost.expr)
    # the cost I = alpha sqrt(chi C d) is linear in the alignment: P = kappa I'/(chi (1 - alpha))
    constant = sp.powsimp(KAPPA / CHI * cost.constant)
    where = (sp.Lt(c, 1),) if c.is_Symbol else ()

    def build() -> Derivation:
        whole = d**c / 2 * (_B - 1 - sp.log(_B)) + CHI / (2 * (_B / d + KAPPA / _P))
        scaled = {_B: _BETA * d ** ((1 - c) / 2), _P: _SHARE * d**exponent}
        slope = sp.diff(whole, _B).subs(scaled)
        limit = d**c / 2 * (1 - CHI / (_BETA + KAPPA / _SHARE) ** 2)
        best = sp.sqrt(CHI) - KAPPA / _SHARE
        steps = [
            *optimum_steps(model.cost, suffix="_cost"),
            step(
                _S,
                slope,
                DEFINITION,
                "slope in b of the free energy (C/2) (b - 1 - log b) + (chi/2)/(b/d + kappa/P), whose readout is integrated out, at "
                "b = beta d^((1-c)/2) and P = p d^((1+c)/2), the scales at which prior and readout balance",
                RINGEL_2025,
            ),
            step(_S, limit, asymptotic(d), "many inputs: b is large, and its logarithm small"),
            step(
                _BETA,
                best,
                solves(sp.Eq(limit, 0, evaluate=False)),
                "the minimum, where this is positive",
            ),
            step(
                _LEARNED,
                (_B * _P / d / (KAPPA + _B * _P / d)).subs(scaled).subs(_BETA, best),
                DEFINITION,
                "learnability of N modes of eigenvalue b/d at the effective ridge kappa",
            ),
            step(
                _LEARNED,
                1 - KAPPA / (sp.sqrt(CHI) * _SHARE),
                EQUAL,
                "one minus a threshold over the samples",
            ),
            step(
                _SHARE,
                constant,
                solves(sp.Eq(1 - KAPPA / (sp.sqrt(CHI) * _SHARE), 0, evaluate=False)),
                "where it leaves zero",
            ),
            step(_START, _SHARE * d**exponent, DEFINITION, "the samples there"),
            step(_START, constant * d**exponent, EQUAL, "kappa sqrt(C d/chi)"),
        ]
        return Derivation(tuple(steps), where, dict(model.cost.box))

    regime = Regime("filters adapt", sp.true, exponent, constant)
    forms = {
        "samples": Form(
            constant * d**exponent, "samples at which learnability leaves zero, large d"
        ),
        "cost": Form(sp.powsimp(cost.constant * d**exponent), "cost of the pattern"),
    }
    return Derived((regime,), where, build, forms=forms)
