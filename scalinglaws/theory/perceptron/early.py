r"""The error at fixed norm where data are plenty: :math:`\alpha \to \infty`, for any decreasing convex loss.

Equations are those of replica theory, exact here since the problem is convex: cavity fields :math:`\omega`, displaced by
:math:`\delta = -\chi\lambda V'(\lambda\Delta)` to the margins :math:`\Delta`, obey

.. math:: R = \alpha\sqrt{2/\pi}\;\mathbb E_{\omega \sim \mathcal N(0, 1 - R^2)}[\delta], \qquad 1 - R^2 = \alpha\,\mathbb E_{\omega \sim p_\tau}[\delta^2],
          \qquad \tan\pi\varepsilon = \sqrt{1 - R^2}/R
"""

from __future__ import annotations

import sympy as sp

from ...errors import refusal
from ..derivation import DEFINITION, EQUAL, Derivation, Step, asymptotic, solves, step
from ..records import Derived, Form, Regime
from ..references import AUBIN_2020, DAMICO_2025, VALLET_1989
from ..relations import against_zero
from ..symbols import ALPHA
from .displacements import PUSH, WIDTH, displacement_integrals
from .losses import MARGIN, FixedNorm, tail_power

DISTANCE = sp.Symbol("y", positive=True)
"""How far the norm lies below the number of samples per input: alpha/lambda, or its square in the squared convention."""

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
    return model.integral(model.force**2)


def integral_steps(model: FixedNorm) -> list[Step]:
    """Write the integral of the squared force, and its value."""
    whole = sp.Integral(model.force**2, (MARGIN, 0, sp.oo))
    closed = squared_force(model)
    finite = against_zero(2 * tail_power(model) - 1, sp.Gt)
    return [
        step(
            INTEGRAL,
            whole,
            DEFINITION,
            "how much of the squared force V'(u)^2/V'(0)^2 is left at positive margins",
            where=finite,
        ),
        *(
            [step(INTEGRAL, closed, EQUAL, "its value, by q = e^(-2u) and partial fractions", where=finite)]
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
        step(ORTHOGONAL, ALPHA * push**2, DEFINITION, "1 - R^2: what is orthogonal to the teacher adds up at random"),
        step(
            CHI,
            1 / (norm * model.slope * sp.sqrt(2 * ALPHA**2 / sp.pi + ALPHA)),
            solves(sp.Eq(OVERLAP**2 + ORTHOGONAL, 1, evaluate=False)),
            "the weights have unit length",
        ),
        step(TANGENT, sp.sqrt(ORTHOGONAL) / OVERLAP, DEFINITION, "tangent of the angle to the teacher"),
        step(TANGENT, sp.sqrt(sp.pi / (2 * ALPHA)), EQUAL, "for all alpha, whatever the loss", VALLET_1989),
        step(ERROR, sp.atan(TANGENT) / sp.pi, DEFINITION, "share of inputs on which an angle disagrees"),
        step(ERROR, constant / sp.sqrt(ALPHA), asymptotic(ALPHA), "small angles"),
        step(AMPLITUDE, constant, DEFINITION, "the constant in front"),
        step(ERROR, AMPLITUDE / sp.sqrt(ALPHA), EQUAL, "a power law, with the exponent of any fixed norm"),
    ]
    forms = {
        "error": Form(sp.atan(sp.sqrt(sp.pi / (2 * ALPHA))) / sp.pi, "generalization error at zero norm, exact"),
    }
    regime = Regime("large alpha", sp.true, sp.Rational(1, 2), constant)
    return Derived((regime,), (), Derivation(tuple(steps), (), dict(model.box)), forms=forms)


# -- the early power law ------------------------------------------------------------------------------------------------


def derive_early(model: FixedNorm) -> Derived:
    r"""Derive how the error falls with the norm while that is small against the number of samples per input.

    .. math:: \varepsilon/\varepsilon_0 \to \sqrt{m(\lambda)}, \qquad m(\lambda) = \mathbb E_z[V'(\lambda|z|)^2]/V'(0)^2, \qquad \alpha \to \infty

    Parameters
    ----------
    model : FixedNorm
        Any decreasing convex loss, in either convention for the norm.

    Returns
    -------
    Derived
        Exponent :math:`\gamma_1` and constant :math:`k_1` of the error over that at zero norm. With p the power of the convention and a
        force that falls as :math:`A u^{-t}`: for t > 1/2, and for all losses that are bounded below, :math:`\gamma_1 = 1/(2p)` and
        :math:`k_1^2 = \sqrt{2/\pi}\,I`, :math:`I = \int_0^\infty V'^2/V'(0)^2`; for t < 1/2 :math:`\gamma_1 = t/p`; at t = 1/2 the error has
        the root of a logarithm. Form ``lower_end``: norm at which the power law meets the error at zero norm.

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
        [norm**-regime.exponent * (sp.log(norm) ** half if regime.log_power else 1) for regime in regimes]
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
            step(OVERLAP, ALPHA * sp.sqrt(2 / sp.pi) * FIRST, DEFINITION, "saddle point: overlap with the teacher", AUBIN_2020),
            step(ORTHOGONAL, ALPHA * SECOND, DEFINITION, "saddle point: 1 - R^2", AUBIN_2020),
            step(TANGENT, ORTHOGONAL / OVERLAP**2, DEFINITION, "squared tangent of the angle to the teacher"),
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
                "only margins below 1/lambda are still pushed"
                if len(branches) == 1 and not regimes[0].log_power and t.is_extended_positive
                else "which margins are still pushed: those below 1/lambda, or all",
            ),
            step(ERROR, sp.atan(sp.sqrt(TANGENT)) / sp.pi, DEFINITION, "share of inputs on which an angle disagrees"),
            step(ERROR, sp.sqrt(mean / (2 * sp.pi * ALPHA)), asymptotic(ALPHA), "small angles"),
            step(RELATIVE, ERROR * sp.sqrt(2 * sp.pi * ALPHA), DEFINITION, "in units of the error at zero norm"),
            step(AMPLITUDE, constant, DEFINITION, "k_1, the constant in front"),
            step(RELATIVE, AMPLITUDE * power, EQUAL, "a power law of the norm" + ("" if p == 1 else ", which is written as lambda^2")),
        ]
        return Derivation(tuple(steps), (), dict(model.box))

    forms = {}
    if len(regimes) == 1 and not regimes[0].log_power:
        (only,) = regimes
        forms = {
            "relative_error": Form(only.constant * norm**-only.exponent, "the early power law: error over that at zero norm"),
            "error": Form(
                only.constant * norm**-only.exponent / sp.sqrt(2 * sp.pi * ALPHA), "the same times the error at zero norm, large alpha"
            ),
            "lower_end": Form(
                only.constant ** (1 / only.exponent), f"{norm} at which the power law meets the error at zero norm"
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
                "loss", model.loss, f"has a force that falls as u^-({t}) or slower, and no amplitude of that power"
            )
        moment = 2**-t * sp.gamma(half - t) / sp.sqrt(sp.pi)
        found += [
            (Regime("all margins", slow, t / p, height * sp.sqrt(moment)), height**2 * moment * scale ** (-2 * t)),
            (
                Regime("both", both, 1 / (2 * p), sp.sqrt(sp.sqrt(2 / sp.pi) * height**2 / p), half),
                sp.sqrt(2 / sp.pi) * height**2 * sp.log(scale) / scale,
            ),
        ]
    return found


# -- its amplitude, and what comes next ---------------------------------------------------------------------------------


def first_correction(model: FixedNorm) -> sp.Expr:
    r"""Return :math:`m_1 = \sqrt{\pi/8}\,\big[-3g'(0) - \frac{2}{3I} - I g''(0)\big]`, the relative correction to the early law in :math:`\lambda/\alpha`.

    Parameters
    ----------
    model : FixedNorm
        Any loss; g is its force.

    Returns
    -------
    Expr
        Positive where finite data make the error larger.

    Examples
    --------
    >>> first_correction(FixedNorm()).evalf(7)
    0.7984867
    """
    force, I = model.force, squared_force(model)
    first, second = (sp.diff(force, MARGIN, order).subs(MARGIN, 0) for order in (1, 2))
    return sp.sqrt(sp.pi / 8) * (-3 * first - 2 / (3 * I) - I * second)


def require_fast_force(model: FixedNorm) -> None:
    """Refuse a loss whose squared force has no integral over positive margins."""
    if against_zero(2 * tail_power(model) - 1, sp.Gt) != sp.true:
        raise refusal("loss", model.loss, "must have a force whose square can be integrated over all margins")


def derive_amplitude(model: FixedNorm) -> Derived:
    r"""Derive the early power law from the other side: from the curve at fixed :math:`\lambda/\alpha`, as that becomes small.

    .. math:: \sqrt\alpha\,\varepsilon/\varepsilon_0 = k_1\sqrt{\alpha/\lambda}\,\big[1 + m_1\lambda/\alpha + \dots\big]

    Parameters
    ----------
    model : FixedNorm
        Any loss with a force that is smooth at zero margin and whose square can be integrated, in either convention for the norm.

    Returns
    -------
    Derived
        Growth exponent :math:`1/(2p)` against :math:`y = (\alpha/\lambda)^p`, constant :math:`k_1`. Forms ``correction``, :math:`m_1`, and
        ``relative_error`` with that correction.

    Raises
    ------
    DomainError
        If the square of the force has no integral.

    Examples
    --------
    >>> derive_amplitude(FixedNorm()).constant.evalf(10)
    0.5551741228
    """
    require_fast_force(model)
    p, I = model.power, squared_force(model)
    constant = sp.sqrt(sp.sqrt(2 / sp.pi) * I)
    m1 = first_correction(model)
    exponent = 1 / (2 * p)
    regime = Regime("early", sp.true, exponent, constant, correction=(m1, 1 / p))
    norm = model.norm
    forms = {
        "correction": Form(m1, "m_1: relative correction, times lambda/alpha"),
        "relative_error": Form(
            constant * norm**-exponent * (1 + m1 * model.scale / ALPHA), "error over that at zero norm, 1 << lambda << alpha"
        ),
    }

    def build() -> Derivation:
        return Derivation((*integral_steps(model), *_amplitude_steps(model), *correction_steps(model)), (), dict(model.box))

    return Derived((regime,), (), build, forms=forms)


def _amplitude_steps(model: FixedNorm) -> list[Step]:
    p = model.power
    reach, a = sp.symbols("B a", positive=True)
    e1, e2, relative = sp.symbols("e_1 e_2 r", positive=True)
    first, second = displacement_integrals(model, WIDTH, PUSH)
    value = squared_force(model)
    amplitude = sp.Symbol("k_1", positive=True)
    return [
        step(WIDTH, 1 / reach, DEFINITION, "b = lambda s, s = sqrt(1 - R^2), becomes small with lambda/alpha"),
        step(PUSH, WIDTH / INTEGRAL, DEFINITION, "the displacement at zero margin over s, to be confirmed"),
        step(
            e1,
            first,
            DEFINITION,
            "mean displacement over s for cavity fields that are Gaussian, by the margin itself: fields are v/b - c g(v)",
            AUBIN_2020,
        ),
        step(
            e2,
            second,
            DEFINITION,
            "mean squared displacement, for fields on the teacher's side with probability Phi",
        ),
        step(e1, 1 / (reach * INTEGRAL), asymptotic(reach), "decided at zero margin"),
        step(e2, 1 / (reach * INTEGRAL), asymptotic(reach), "decided by all positive margins; equal, as the saddle point demands"),
        step(a, 1 / e1, DEFINITION, "alpha times the error, times sqrt(2 pi)"),
        step(
            reach,
            sp.sqrt(sp.sqrt(2 / sp.pi) * DISTANCE ** (1 / p) / value),
            solves(sp.Eq(sp.sqrt(2 / sp.pi) / (reach * a), DISTANCE ** (-1 / p), evaluate=False)),
            "lambda/alpha = sqrt(2/pi) b/a",
        ),
        step(relative, a, DEFINITION, "sqrt(alpha) times the error over that at zero norm"),
        step(amplitude, sp.sqrt(sp.sqrt(2 / sp.pi) * value), DEFINITION, "the constant in front, the same as at fixed norm"),
        step(relative, amplitude * DISTANCE ** (1 / (2 * p)), EQUAL, "the early power law"),
    ]


def correction_steps(model: FixedNorm) -> list[Step]:
    """Write the next order of the same expansion, which is linear in lambda/alpha."""
    force = model.force
    first, second = (sp.diff(force, MARGIN, order).subs(MARGIN, 0) for order in (1, 2))
    third, quarter, n1, n2, shift, total, m1 = sp.symbols("J H n_1 n_2 k_c K m_1")
    w = sp.Symbol("w", positive=True)
    # the fall of the force from one to zero decides, not its shape
    return [
        step(
            third,
            sp.Integral(-(force**2) * sp.diff(force, MARGIN), (MARGIN, 0, sp.oo)),
            DEFINITION,
            "displaced margins are pushed less: the first order of g(v)^2 in the displacement",
        ),
        step(third, sp.Rational(1, 3), EQUAL, "for every loss: the force falls from one to zero"),
        step(quarter, sp.Integral(w * sp.erfc(w / sp.sqrt(2)) / 2, (w, 0, sp.oo)), DEFINITION, "examples that are still misclassified"),
        step(quarter, sp.Rational(1, 4), EQUAL, "half of half a variance"),
        step(n1, second / 2 + first / INTEGRAL, DEFINITION, "e_1 = c (1 + n_1 b^2): curvature of the force, and the shift of zero margin"),
        step(
            n2,
            -(4 * quarter * first + 2 * third / INTEGRAL) / INTEGRAL,
            DEFINITION,
            "e_2 = (c^2 I/b) (1 + n_2 b^2): misclassified examples, and displaced margins",
        ),
        step(shift, n1 - n2, solves(sp.Eq(n1, shift + n2, evaluate=False)), "c = (b/I) (1 + k_c b^2) keeps both equal"),
        step(total, n1 + shift, DEFINITION, "1/a = (b/I) (1 + K b^2)"),
        step(m1, -INTEGRAL * sp.sqrt(sp.pi / 2) * total / 2, DEFINITION, "with b^2 = sqrt(pi/2) I lambda/alpha, to this order"),
        step(m1, first_correction(model), EQUAL, "m_1: the error is k_1 lambda^(-1/2) (1 + m_1 lambda/alpha)"),
    ]


# -- the largest local slope --------------------------------------------------------------------------------------------


def derive_slope(model: FixedNorm) -> Derived:
    r"""Derive by how much the largest local slope of the error against the norm misses 1/2 at finite :math:`\alpha`.

    .. math:: \max_\lambda\Big(-\frac{d\ln\varepsilon}{d\ln\lambda}\Big) \simeq \frac12 - \frac32 m_1 \frac{\lambda^*}\alpha, \qquad
              \lambda^{*3} = \frac{\kappa_2\alpha}{I m_1}, \qquad \kappa_2 = \int_0^\infty u^2\,\frac{V'(u)^2}{V'(0)^2}\,du

    Parameters
    ----------
    model : FixedNorm
        Any loss with :math:`m_1 > 0` and finite :math:`\kappa_2`.

    Returns
    -------
    Derived
        Exponent 2/3 of what is missing. Forms ``location`` (:math:`\lambda^*`), ``slope`` and ``second_moment`` (:math:`\kappa_2`). In the
        squared convention slopes are half as large.

    Raises
    ------
    DomainError
        If :math:`m_1 \le 0`, as for the hinge, where slopes are above 1/2; or if :math:`\kappa_2` is infinite.

    Examples
    --------
    >>> derive_slope(FixedNorm()).constant.evalf(4), derive_slope(FixedNorm()).forms["second_moment"].expr
    (0.7609, -pi**2/12 + 3*zeta(3)/4)
    """
    require_fast_force(model)
    if against_zero(2 * tail_power(model) - 3, sp.Gt) != sp.true:
        raise refusal("loss", model.loss, "must have a force g for which u^2 g(u)^2 can be integrated over all margins")
    p, norm, scale, I, m1 = model.power, model.norm, model.scale, squared_force(model), first_correction(model)
    if not m1.subs(model.middle).is_positive:
        raise refusal("loss", model.loss, f"has m_1 = {m1} <= 0: local slopes approach 1/2 from above, without a maximum below it")
    second = model.integral(model.force**2, 2)
    place = (second / (I * m1)) ** sp.Rational(1, 3)
    constant = sp.Rational(3, 2) * m1 * place / p
    exponent = sp.Rational(2, 3)

    def build() -> Derivation:
        finite, missing, m, kappa = sp.symbols("d_1 d F kappa_2", positive=True)
        m_one = sp.Symbol("m_1")
        heavy = sp.Integral(MARGIN**2 * model.force**2, (MARGIN, 0, sp.oo))
        whole = sp.Integral(model.force**2 * sp.exp(-(MARGIN**2) / (2 * norm ** (2 / p))), (MARGIN, 0, sp.oo))
        steps = [
            *integral_steps(model),
            step(kappa, heavy, DEFINITION, "how far from zero margin the squared force reaches"),
            *([step(kappa, second, EQUAL, "its value, by the same substitution")] if second != heavy else []),
            *correction_steps(model),
            step(m, whole, DEFINITION, "the squared relative error at alpha -> oo, times lambda sqrt(pi/2)"),
            step(
                finite,
                norm * sp.diff(whole, norm) / (2 * m),
                DEFINITION,
                "what its slope -d ln(error)/d ln(norm) misses",
            ),
            step(finite, kappa / (2 * p * INTEGRAL * scale**2), asymptotic(norm), "margins of finite size at finite norm"),
            step(
                missing,
                finite + m_one * scale / (p * ALPHA),
                DEFINITION,
                "and what finite data take away: the correction m_1 lambda/alpha",
            ),
            step(
                norm,
                (place * ALPHA ** sp.Rational(1, 3)) ** p,
                solves(sp.Eq(kappa / (INTEGRAL * scale**3), m_one / ALPHA, evaluate=False)),
                "where the sum of both is least",
            ),
            step(AMPLITUDE, constant, DEFINITION, "the constant in front"),
            step(missing, AMPLITUDE * ALPHA**-exponent, EQUAL, "a fit at any alpha that is finite sees a smaller exponent"),
        ]
        return Derivation(tuple(steps), (), dict(model.box))

    slope = 1 / (2 * p)
    forms = {
        "location": Form((place * ALPHA ** sp.Rational(1, 3)) ** p, f"{norm} at which the slope is largest"),
        "slope": Form(slope - constant * ALPHA**-exponent, "largest local slope"),
        "second_moment": Form(second, "kappa_2"),
    }
    return Derived((Regime("large alpha", sp.true, exponent, constant),), (), build, forms=forms)
