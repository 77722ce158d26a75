r"""What other rules reach on the same data: the largest stability, and Bayes' and Gibbs' rules."""

from __future__ import annotations

from dataclasses import dataclass

import sympy as sp

from ...arguments import choice, instance
from ...errors import refusal
from ...reprs import short_repr
from ..derivation import DEFINITION, EQUAL, Derivation, asymptotic, solves, step
from ..implicit import ImplicitConstant
from ..records import Derived, Form, Regime
from ..references import OPPER_1990, OPPER_1991
from ..sums_and_integrals import number
from ..symbols import ALPHA
from .displacements import below, normal
from .early import AMPLITUDE, ERROR, FIRST, SECOND
from .losses import FixedNorm, tail_power

_KEPT = 25  # digits of constants without closed form
_QUADRATURE = 15  # and of those that are integrals
_W = sp.Symbol("w", positive=True)
_K, _S, _A, _Q = sp.symbols("k s a q", positive=True)


# -- maximum stability --------------------------------------------------------------------------------------------------


def stability_equation() -> ImplicitConstant:
    r"""Return the stability over the angle to the teacher as the root of one equation, for large :math:`\alpha`.

    .. math:: k^3\,\Phi(k) = (1 - k^2)\,\varphi(k)

    Returns
    -------
    ImplicitConstant
        :math:`k = \lim\kappa/\sqrt{1 - R^2}`, to evaluate to any number of digits.

    Examples
    --------
    >>> import mpmath
    >>> print(mpmath.nstr(stability_equation().evaluate(12), 12))
    0.638833215804
    """
    equation = _K**3 * below(_K) - (1 - _K**2) * normal(_K)
    return ImplicitConstant(equation, _K, (sp.Rational(1, 10), sp.S.One))


def derive_stability(model: FixedNorm) -> Derived:
    r"""Derive the error at the largest stability, which losses reach as the norm grows if their force falls faster than any power.

    Parameters
    ----------
    model : FixedNorm
        Any such loss, in the limit of infinite norm; the hinge gets there where its margins reach 1, and says nothing beyond.

    Returns
    -------
    Derived
        Exponent 1 against :math:`\alpha`, constant :math:`1/\big[\sqrt{2\pi}\,(k\Phi(k) + \varphi(k))\big]`. Forms ``error`` and
        ``stability`` (:math:`\kappa`, the smallest margin), for large :math:`\alpha`.

    Raises
    ------
    DomainError
        If the force falls as a power: then large margins count at any norm.

    Examples
    --------
    >>> derive_stability(FixedNorm()).constant.evalf(10)
    0.5004889318
    """
    instance("model", model, FixedNorm)
    if tail_power(model) != sp.oo:
        raise refusal(
            "loss",
            model.loss,
            "has a force that falls as a power of the margin: at infinite norm it does not find the largest stability",
        )
    root = sp.Float(stability_equation().evaluate(_KEPT), _KEPT)
    level = _K * below(_K) + normal(_K)
    constant = sp.N(1 / (sp.sqrt(2 * sp.pi) * level.subs(_K, root)), _KEPT)
    stability = sp.N((_K / level * sp.sqrt(sp.pi / 2)).subs(_K, root), _KEPT)

    def build() -> Derivation:
        steps = [
            step(
                FIRST,
                sp.Integral(normal(_K - _W) * _W, (_W, 0, sp.oo)),
                DEFINITION,
                "norm -> oo: fields below the stability kappa are displaced up to it, by w over the angle s; k = kappa/s",
                OPPER_1990,
            ),
            step(
                SECOND,
                sp.Integral(below(_K - _W) * _W**2, (_W, 0, sp.oo)),
                DEFINITION,
                "mean squared displacement, for fields on the teacher's side with probability Phi",
                OPPER_1990,
            ),
            step(
                _K,
                root,
                solves(sp.Eq(FIRST, SECOND, evaluate=False)),
                "the saddle point at a small angle: k^3 Phi(k) = (1 - k^2) phi(k), found by computation",
            ),
            step(FIRST, level, EQUAL, "by parts"),
            step(
                SECOND,
                ((_K**3 + 3 * _K) * below(_K) + (_K**2 + 2) * normal(_K)) / 3,
                EQUAL,
                "by parts, three times",
            ),
            step(
                _S,
                sp.sqrt(sp.pi / 2) / (ALPHA * level),
                solves(sp.Eq(ALPHA * sp.sqrt(2 / sp.pi) * _S * FIRST, 1, evaluate=False)),
                "the angle to the teacher",
            ),
            step(
                ERROR,
                sp.asin(_S) / sp.pi,
                DEFINITION,
                "share of inputs on which an angle disagrees",
            ),
            step(ERROR, _S / sp.pi, asymptotic(ALPHA), "small angles"),
            step(AMPLITUDE, constant, DEFINITION, "the constant in front"),
            step(ERROR, AMPLITUDE / ALPHA, EQUAL, "a power law"),
        ]
        return Derivation(tuple(steps), (), dict(model.box))

    forms = {
        "error": Form(constant / ALPHA, "error at the largest stability, large alpha"),
        "stability": Form(stability / ALPHA, "kappa, the smallest margin, large alpha"),
    }
    return Derived((Regime("large alpha", sp.true, sp.S.One, constant),), (), build, forms=forms)


# -- Bayes and Gibbs ----------------------------------------------------------------------------------------------------


@short_repr
@dataclass(frozen=True)
class Posterior:
    r"""All students that make no error on :math:`\alpha N` labels of a teacher, equally likely.

    Attributes
    ----------
    rule : {"bayes", "gibbs"}
        The majority of them, which no rule can beat, or one at random.
    """

    rule: str = "bayes"

    def __post_init__(self) -> None:
        """Refuse another rule."""
        choice("rule", self.rule, ("bayes", "gibbs"))


def derive_bayes(model: Posterior) -> Derived:
    r"""Derive the least error that any rule can reach, or that of a random student without training errors.

    With q the overlap of two such students, which is that of a student with the teacher, too:

    .. math:: \frac q{\sqrt{1 - q}} = \alpha\sqrt{\tfrac2\pi}\int\!Dv\,\frac{\varphi(\sqrt q v)}{\Phi(-\sqrt q v)}, \qquad
              \varepsilon_{\rm Bayes} = \frac{\arccos\sqrt q}\pi, \qquad \varepsilon_{\rm Gibbs} = \frac{\arccos q}\pi

    Parameters
    ----------
    model : Posterior
        Either rule.

    Returns
    -------
    Derived
        Exponent 1 against :math:`\alpha`, constant :math:`\sqrt{2\pi}\big/\!\int e^{-v^2}/\Phi(-v)\,dv`, for Gibbs times
        :math:`\sqrt2`. Forms ``error`` and ``gibbs``, for large :math:`\alpha`.

    Examples
    --------
    >>> derive_bayes(Posterior()).constant.evalf(10), derive_bayes(Posterior("gibbs")).constant.evalf(7)
    (0.4417000436, 0.6246582)
    """
    instance("model", model, Posterior)
    gibbs = model.rule == "gibbs"
    root = sp.sqrt(_Q)

    def mills(scale: sp.Expr) -> sp.Integral:
        hard, easy = (1 / below(sign * scale * _W) for sign in (-1, 1))
        return sp.Integral(normal(_W) * normal(scale * _W) * (hard + easy), (_W, 0, sp.oo))

    whole = mills(sp.S.One)
    bayes = sp.Float(number(1 / (sp.sqrt(2 * sp.pi) * whole), {}), _QUADRATURE)
    other = sp.N(sp.sqrt(2) * bayes, _QUADRATURE)
    constant = other if gibbs else bayes

    def build() -> Derivation:
        response, left = sp.symbols("M l", positive=True)
        angle = (
            sp.atan2(sp.sqrt(1 + 2 * _A**2), _A**2) / sp.pi if gibbs else sp.atan(1 / _A) / sp.pi
        )
        steps = [
            step(
                _Q,
                _A**2 / (1 + _A**2),
                DEFINITION,
                "overlap of two students without errors; a is the cotangent of their angle to the best rule",
            ),
            step(
                left,
                _Q / sp.sqrt(1 - _Q),
                DEFINITION,
                "saddle point of the posterior, left side",
                OPPER_1991,
            ),
            step(left, _A, asymptotic(_A), "large where the angle is small"),
            step(
                response,
                mills(root),
                DEFINITION,
                "right side: how likely labels are that the students do not agree on",
                OPPER_1991,
            ),
            step(response, whole, asymptotic(_A), "at zero angle"),
            step(
                _A,
                ALPHA * sp.sqrt(2 / sp.pi) * whole,
                solves(sp.Eq(left, ALPHA * sp.sqrt(2 / sp.pi) * response, evaluate=False)),
                "the angle falls as 1/alpha",
            ),
            step(
                ERROR,
                angle,
                DEFINITION,
                "one student against another: twice the squared distance"
                if gibbs
                else "the majority of the students: the middle of their cone",
            ),
            step(
                ERROR,
                (sp.sqrt(2) if gibbs else 1) / (sp.pi * _A),
                asymptotic(ALPHA),
                "small angles",
            ),
            step(AMPLITUDE, constant, DEFINITION, "the constant in front, by quadrature"),
            step(ERROR, AMPLITUDE / ALPHA, EQUAL, "a power law", OPPER_1991),
        ]
        return Derivation(tuple(steps))

    forms = {
        "error": Form(bayes / ALPHA, "error of Bayes' rule, large alpha"),
        "gibbs": Form(
            other / ALPHA, "error of a random student without training errors, large alpha"
        ),
    }
    return Derived((Regime("large alpha", sp.true, sp.S.One, constant),), (), build, forms=forms)
