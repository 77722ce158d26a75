r"""The error at fixed norm where data are plenty: :math:`\alpha \to \infty`, for any decreasing convex loss.

Equations are those of replica theory, exact here since the problem is convex: cavity fields :math:`\omega`, displaced by
:math:`\delta = -\chi\lambda V'(\lambda\Delta)` to the margins :math:`\Delta`, obey

.. math:: R = \alpha\sqrt{2/\pi}\;\mathbb E_{\omega \sim \mathcal N(0, 1 - R^2)}[\delta],
          \qquad 1 - R^2 = \alpha\,\mathbb E_{\omega \sim p_\tau}[\delta^2],
          \qquad \tan\pi\varepsilon = \sqrt{1 - R^2}/R
"""

from __future__ import annotations

import sympy as sp

from ...arguments import instance
from ...errors import refusal
from ..derivation import DEFINITION, EQUAL, Derivation, Step, asymptotic, solves, step
from ..records import Derived, Form, Regime
from ..references import AUBIN_2020, DAMICO_2025, VALLET_1989
from ..relations import against_zero
from ..symbols import ALPHA
from .losses import MARGIN, FixedNorm, tail_power

CHI, OVERLAP, ORTHOGONAL, TANGENT = sp.symbols("chi R S T", positive=True)
ERROR, RELATIVE, AMPLITUDE = sp.symbols("epsilon epsilon_rel c", positive=True)
INTEGRAL, FIRST, SECOND = sp.symbols("I E_1 E_2", positive=True)
_Z = sp.Symbol("z", positive=True)
_DENSITY = sp.sqrt(2 / sp.pi) * sp.exp(-(_Z**2) / 2)


def squared_force(model: FixedNorm) -> sp.Expr:
    r"""Return :math:`I = \int_0^\infty V'(u)^2\,du/V'(0)^2`.

    Parameters
    ----------
    model : FixedNorm
        Of any loss.

    Returns
    -------
    Expr
        In closed form where there is one.

    Examples
    --------
    >>> squared_force(FixedNorm())
    -1 + 2*log(2)
    """
    instance("model", model, FixedNorm)
    return model.integral(model.force**2)


def require_fast_force(model: FixedNorm) -> None:
    """Refuse a loss whose squared force has no integral over positive margins."""
    if against_zero(2 * tail_power(model) - 1, sp.Gt) != sp.true:
        raise refusal(
            "loss", model.loss, "must have a force whose square can be integrated over all margins"
        )


def integral_steps(model: FixedNorm) -> list[Step]:
    """Write the integral of the squared force, and its value, where it is finite."""
    whole = sp.Integral(model.force**2, (MARGIN, 0, sp.oo))
    closed = squared_force(model)
    finite = against_zero(2 * tail_power(model) - 1, sp.Gt)
    if finite == sp.false:
        return []
    return [
        step(
            INTEGRAL,
            whole,
            DEFINITION,
            "how much of the squared force V'(u)^2/V'(0)^2 is left at positive margins",
            where=finite,
        ),
        *(
            [
                step(
                    INTEGRAL,
                    closed,
                    EQUAL,
                    "its value, by q = e^(-2u) and partial fractions",
                    where=finite,
                )
            ]
            if closed != whole
            else []
        ),
    ]


# -- the rule of Hebb ---------------------------------------------------------------------------------------------------


def derive_hebb(model: FixedNorm) -> Derived:
    r"""Derive the error in the limit of zero norm, where every loss gives the same weights: those of Hebb's rule.

    Parameters
    ----------
    model : FixedNorm
        Any loss.

    Returns
    -------
    Derived
        Exponent :math:`\gamma_0 = 1/2` against :math:`\alpha`. Form ``error``, :math:`\frac1\pi\arctan\sqrt{\pi/2\alpha}`, is exact for
        all :math:`\alpha`.

    Examples
    --------
    >>> derive_hebb(FixedNorm()).constant
    sqrt(2)/(2*sqrt(pi))
    """
    instance("model", model, FixedNorm)
    constant = 1 / sp.sqrt(2 * sp.pi)
    norm = sp.Symbol("lambda", positive=True)
    push = sp.Symbol("delta", positive=True)
    steps = [
        step(
            push,
            CHI * norm * model.slope,
            DEFINITION,
            "norm -> 0: every example pushes with the same force -V'(0)",
            AUBIN_2020,
        ),
        step(
            OVERLAP,
            ALPHA * sp.sqrt(2 / sp.pi) * push,
            DEFINITION,
            "overlap with the teacher: each label adds the mean of a half-Gaussian",
            AUBIN_2020,
        ),
        step(
            ORTHOGONAL,
            ALPHA * push**2,
            DEFINITION,
            "1 - R^2: what is orthogonal to the teacher adds up at random",
        ),
        step(
            CHI,
            1 / (norm * model.slope * sp.sqrt(2 * ALPHA**2 / sp.pi + ALPHA)),
            solves(sp.Eq(OVERLAP**2 + ORTHOGONAL, 1, evaluate=False)),
            "the weights have unit length",
        ),
        step(
            TANGENT,
            sp.sqrt(ORTHOGONAL) / OVERLAP,
            DEFINITION,
            "tangent of the angle to the teacher",
        ),
        step(
            TANGENT,
            sp.sqrt(sp.pi / (2 * ALPHA)),
            EQUAL,
            "for all alpha, whatever the loss",
            VALLET_1989,
        ),
        step(
            ERROR,
            sp.atan(TANGENT) / sp.pi,
            DEFINITION,
            "share of inputs on which an angle disagrees",
        ),
        step(ERROR, constant / sp.sqrt(ALPHA), asymptotic(ALPHA), "small angles"),
        step(AMPLITUDE, constant, DEFINITION, "the constant in front"),
        step(
            ERROR,
            AMPLITUDE / sp.sqrt(ALPHA),
            EQUAL,
            "a power law, with the exponent of any fixed norm",
        ),
    ]
    forms = {
        "error": Form(
            sp.atan(sp.sqrt(sp.pi / (2 * ALPHA))) / sp.pi,
            "generalization error at zero norm, exact",
        ),
    }
    regime = Regime("large alpha", sp.true, sp.Rational(1, 2), constant)
    return Derived((regime,), (), Derivation(tuple(steps), (), dict(model.box)), forms=forms)


# -- the early power law ------------------------------------------------------------------------------------------------


def derive_early(model: FixedNorm) -> Derived:
    r"""Derive how the error falls with the norm while that is small against the number of samples per input.

    .. math:: \varepsilon/\varepsilon_0 \to \sqrt{m(\lambda)}, \qquad m(\lambda) = \mathbb E_z[V'(\lambda|z|)^2]/V'(0)^2,
              \qquad \alpha \to \infty

    Parameters
    ----------
    model : FixedNorm
        Any decreasing convex loss, in either convention for the norm.

    Returns
    -------
    Derived
        Exponent :math:`\gamma_1` and constant :math:`k_1` of the error over that at zero norm. With p the power of the convention
        and a force that falls as :math:`A u^{-t}`: for t > 1/2, and for all losses that are bounded below,
        :math:`\gamma_1 = 1/(2p)` and :math:`k_1^2 = \sqrt{2/\pi}\,I`, :math:`I = \int_0^\infty V'^2/V'(0)^2`; for t < 1/2
        :math:`\gamma_1 = t/p`; at t = 1/2 the error has the root of a logarithm. Forms, where there is one regime:
        ``relative_error``, ``error``, and ``lower_end``, the norm at which the power law meets the error at zero norm.

    Raises
    ------
    DomainError
        If the amplitude A of a slowly falling force is not found.

    Examples
    --------
    >>> derive_early(FixedNorm()).constant ** 2
    sqrt(2)*(-1 + 2*log(2))/sqrt(pi)
    >>> from scalinglaws.theory.perceptron import EXPONENTIAL, MARGIN
    >>> derive_early(FixedNorm(EXPONENTIAL)).constant ** 2
    sqrt(2)/(2*sqrt(pi))

    A loss without a lower bound, whose force falls as u^(-1/4):

    >>> derive_early(FixedNorm(-((1 + MARGIN) ** sp.Rational(3, 4)))).expr
    1/4
    """
    instance("model", model, FixedNorm)
    p, norm, scale, t = model.power, model.norm, model.scale, tail_power(model)
    half = sp.Rational(1, 2)
    branches = [
        (regime, leading)
        for regime, leading in _early_branches(model, t)
        if regime.condition != sp.false
    ]
    regimes = tuple(regime for regime, _ in branches)

    def cases(values: list[sp.Expr]) -> sp.Expr:
        pairs = zip(values, (regime.condition for regime in regimes), strict=True)
        return values[0] if len(values) == 1 else sp.Piecewise(*pairs)

    mean = sp.Symbol("m", positive=True)
    constant = cases([regime.constant for regime in regimes])
    power = cases(
        [
            norm**-regime.exponent * (sp.log(norm) ** half if regime.log_power else 1)
            for regime in regimes
        ]
    )

    def build() -> Derivation:
        pull = sp.diff(model.loss, MARGIN).subs(MARGIN, scale * _Z)
        steps = [
            *integral_steps(model),
            step(
                FIRST,
                CHI * scale * model.slope,
                DEFINITION,
                "alpha -> oo at fixed norm: displacements are small, and the error is decided at zero margin. Margins enter the loss "
                "as V(lambda Delta), lambda = |w|/sqrt(N)",
                AUBIN_2020,
            ),
            step(
                SECOND,
                sp.Integral(_DENSITY * (CHI * scale * pull) ** 2, (_Z, 0, sp.oo)),
                DEFINITION,
                "mean square of the displacements: margins are those of the teacher, |z|",
            ),
            step(
                OVERLAP,
                ALPHA * sp.sqrt(2 / sp.pi) * FIRST,
                DEFINITION,
                "saddle point: overlap with the teacher",
                AUBIN_2020,
            ),
            step(ORTHOGONAL, ALPHA * SECOND, DEFINITION, "saddle point: 1 - R^2", AUBIN_2020),
            step(
                TANGENT,
                ORTHOGONAL / OVERLAP**2,
                DEFINITION,
                "squared tangent of the angle to the teacher",
            ),
            step(
                mean,
                sp.Integral(_DENSITY * model.force.subs(MARGIN, scale * _Z) ** 2, (_Z, 0, sp.oo)),
                DEFINITION,
                "mean squared force, in units of that at zero margin: 1 at zero norm",
            ),
            step(TANGENT, sp.pi * mean / (2 * ALPHA), EQUAL, "chi drops out", DAMICO_2025),
            step(
                mean,
                cases([leading for _, leading in branches]),
                asymptotic(norm),
                "what is still pushed: margins below 1/lambda, unless the force falls slower than the root of the margin",
            ),
            step(
                ERROR,
                sp.atan(sp.sqrt(TANGENT)) / sp.pi,
                DEFINITION,
                "share of inputs on which an angle disagrees",
            ),
            step(ERROR, sp.sqrt(mean / (2 * sp.pi * ALPHA)), asymptotic(ALPHA), "small angles"),
            step(
                RELATIVE,
                ERROR * sp.sqrt(2 * sp.pi * ALPHA),
                DEFINITION,
                "in units of the error at zero norm",
            ),
            step(AMPLITUDE, constant, DEFINITION, "k_1, the constant in front"),
            step(
                RELATIVE,
                AMPLITUDE * power,
                EQUAL,
                "a power law of the norm" + ("" if p == 1 else ", which is written as lambda^2"),
            ),
        ]
        return Derivation(tuple(steps), (), dict(model.box))

    forms = {}
    if len(regimes) == 1 and not regimes[0].log_power:
        (only,) = regimes
        forms = {
            "relative_error": Form(
                only.constant * norm**-only.exponent,
                "the early power law: error over that at zero norm",
            ),
            "error": Form(
                only.constant * norm**-only.exponent / sp.sqrt(2 * sp.pi * ALPHA),
                "the same times the error at zero norm, large alpha",
            ),
            "lower_end": Form(
                only.constant ** (1 / only.exponent),
                f"{norm} at which the power law meets the error at zero norm",
            ),
        }
    return Derived(regimes, (), build, piecewise=True, forms=forms)


def _early_branches(model: FixedNorm, t: sp.Expr) -> list[tuple[Regime, sp.Expr]]:
    """List what can dominate the mean squared force at large norm: the branch, and the leading term."""
    p, scale, half = model.power, model.scale, sp.Rational(1, 2)
    # the equality first: a Piecewise takes the first condition that holds
    fast, slow, both = (against_zero(2 * t - 1, kind) for kind in (sp.Gt, sp.Lt, sp.Eq))
    found = []
    if fast != sp.false:
        value = squared_force(model)
        found.append(
            (
                Regime("small margins", fast, 1 / (2 * p), sp.sqrt(sp.sqrt(2 / sp.pi) * value)),
                sp.sqrt(2 / sp.pi) * INTEGRAL / scale,
            )
        )
    if slow != sp.false or both != sp.false:
        far = sp.Symbol("u", positive=True)
        height = sp.limit(model.force.subs(MARGIN, far) * far**t, far, sp.oo)
        if not height.is_positive or height.is_infinite:
            raise refusal(
                "loss",
                model.loss,
                f"has a force that falls as u^-({t}) or slower, and no amplitude of that power",
            )
        moment = 2**-t * sp.gamma(half - t) / sp.sqrt(sp.pi)
        found += [
            (
                Regime("all margins", slow, t / p, height * sp.sqrt(moment)),
                height**2 * moment * scale ** (-2 * t),
            ),
            (
                Regime(
                    "both", both, 1 / (2 * p), sp.sqrt(sp.sqrt(2 / sp.pi) * height**2 / p), half
                ),
                sp.sqrt(2 / sp.pi) * height**2 * sp.log(scale) / scale,
            ),
        ]
    return found
