r"""Samples by which the weights of a two-layer network that learns a linear function become bimodal."""

from __future__ import annotations

from dataclasses import dataclass

import sympy as sp

from ...arguments import instance
from ...reprs import short_repr
from ..derivation import DEFINITION, EQUAL, Derivation, asymptotic, solves, step
from ..records import Derived, Form, Regime
from ..references import Reference
from .symbols import DIMENSION, KAPPA, RATIO

GROKKING_2023 = Reference(
    "rubin2023grokking",
    "N. Rubin, I. Seroussi, Z. Ringel",
    "Grokking as a First Order Phase Transition in Two Layer Networks",
    "ICLR 2024",
    2023,
    "arXiv:2310.03789",
)

_M, _U, _T, _FORCE, _P = sp.symbols("m u T t P", positive=True)
_ACTION, _BENDING, _MOMENT, _WEIGHT, _MEAN = sp.symbols("S B E Z f", positive=True)
_SHIFT = 3  # 1 + 2 |w|^2 of a weight that is not aligned


@short_repr
@dataclass(frozen=True)
class LinearTeacher:
    r"""A two-layer network of error functions that learns :math:`y = w_*\cdot x` on Gaussian inputs, at fixed :math:`\nu = N/\chi`.

    A weight m along the target has the squared overlap :math:`\frac4\pi\frac{m^2}{3 + 2m^2}`; prior variances are one.
    """


def derive_bimodality(model: LinearTeacher) -> Derived:
    r"""Derive the samples at which the weights along a linear target become bimodal.

    Parameters
    ----------
    model : LinearTeacher
        The network.

    Returns
    -------
    Derived
        Exponent of growth 1/2 against d at fixed :math:`\nu`. Forms ``samples``, ``mean`` (learnability there) and ``force``
        (:math:`t = P(1 - \bar f)/\kappa_e` there).

    Examples
    --------
    >>> found = derive_bimodality(LinearTeacher())
    >>> found.expr, found.forms["mean"].expr.subs(RATIO, 1).evalf(6)
    (1/2, 0.381380)
    """
    instance("model", model, LinearTeacher)
    d, half = DIMENSION, sp.S.Half
    force = sp.sqrt(_SHIFT * sp.pi * RATIO) / 2  # over sqrt(d)
    mean = 2 / sp.sqrt(sp.pi) * sp.gamma(sp.Rational(3, 4)) / sp.gamma(sp.Rational(1, 4))
    mean *= sp.sqrt(RATIO)
    constant = KAPPA * force / (1 - mean)
    where = (sp.Lt(RATIO, (sp.sqrt(RATIO) / mean) ** 2),)

    def build() -> Derivation:
        square = 4 / sp.pi * _M**2 / (_SHIFT + 2 * _M**2)
        action = d * _M**2 / 2 - _T * square
        critical = sp.pi * _SHIFT * d / 8
        scaled = sp.factor(action.subs(_T, critical)).subs(_M, _U * d ** -sp.Rational(1, 4))
        quartic = _U**4 / _SHIFT
        steps = [
            step(
                _BENDING,
                sp.simplify(_T * sp.diff(square, _M, 2).subs(_M, 0)),
                DEFINITION,
                "curvature at zero of the tilt T c2, T = chi t^2/2N, with the squared overlap c2 = (4/pi) m^2/(3 + 2 m^2) of a neuron",
                GROKKING_2023,
            ),
            step(
                _T,
                critical,
                solves(sp.Eq(_BENDING, d, evaluate=False)),
                "where it outweighs the prior d m^2/2, and two modes are born",
            ),
            step(
                _FORCE,
                force * sp.sqrt(d),
                solves(sp.Eq(_FORCE**2 / (2 * RATIO), critical, evaluate=False)),
                "the force t on a weight there",
            ),
            step(
                _ACTION,
                scaled,
                DEFINITION,
                "minus the log density there, d m^2/2 - T c2 at m = u d^(-1/4)",
            ),
            step(
                _ACTION, quartic, asymptotic(d), "squares cancel; what is left is the fourth power"
            ),
            step(
                _MOMENT,
                sp.Integral(_U**2 * sp.exp(-quartic), (_U, 0, sp.oo)),
                DEFINITION,
                "second moment of u, not normalized",
            ),
            step(
                _WEIGHT,
                sp.Integral(sp.exp(-quartic), (_U, 0, sp.oo)),
                DEFINITION,
                "its normalization",
            ),
            step(
                _MEAN,
                4 / (_SHIFT * sp.pi) * _FORCE / sp.sqrt(d) * _MOMENT / _WEIGHT,
                DEFINITION,
                "mean predictor Q t, with Q = 4/(3 pi) times the second moment over sqrt(d)",
            ),
            step(
                _MEAN,
                mean,
                EQUAL,
                "gamma functions; a number times sqrt(nu), since the length of weights cancels",
            ),
            step(
                _P,
                constant * sp.sqrt(d),
                solves(
                    sp.Eq(_P * (1 - mean) / KAPPA, force * sp.sqrt(d), evaluate=False),
                ),
                "the force is what is not learned, over the ridge per sample",
            ),
        ]
        return Derivation(
            tuple(steps),
            where,
            {RATIO: (sp.Rational(1, 10), sp.Integer(6)), _U: (sp.S.Half, sp.Integer(2))},
        )

    forms = {
        "samples": Form(
            constant * sp.sqrt(d), "samples at which weights become bimodal, large d", where
        ),
        "mean": Form(mean, "learnability there, large d", where),
        "force": Form(force * sp.sqrt(d), "t = P (1 - f)/kappa there"),
    }
    regime = Regime("two modes are born", sp.true, half, constant)
    return Derived((regime,), where, build, forms=forms)
