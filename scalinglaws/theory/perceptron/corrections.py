r"""What comes after the early power law: its first correction in the norm over the data, and the steepest slope that this leaves."""

from __future__ import annotations

import sympy as sp

from ...arguments import instance
from ...errors import refusal
from ..derivation import DEFINITION, EQUAL, Derivation, Step, asymptotic, solves, step
from ..records import Derived, Form, Regime
from ..references import AUBIN_2020
from ..relations import against_zero
from ..symbols import ALPHA
from .displacements import PUSH, WIDTH, displacement_integrals
from .early import AMPLITUDE, INTEGRAL, integral_steps, require_fast_force, squared_force
from .losses import MARGIN, FixedNorm, tail_power

DISTANCE = sp.Symbol("y", positive=True)
"""How far the norm lies below the number of samples per input: alpha/lambda, or its square in the squared convention."""


def first_correction(model: FixedNorm) -> sp.Expr:
    r"""Return the relative correction to the early power law, over :math:`\lambda/\alpha`.

    .. math:: m_1 = \sqrt{\pi/8}\,\Big[-3g'(0) - \frac{2}{3I} - I g''(0)\Big]

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
    instance("model", model, FixedNorm)
    force, I = model.force, squared_force(model)
    first, second = (sp.diff(force, MARGIN, order).subs(MARGIN, 0) for order in (1, 2))
    return sp.sqrt(sp.pi / 8) * (-3 * first - 2 / (3 * I) - I * second)


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
    instance("model", model, FixedNorm)
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
            constant * norm**-exponent * (1 + m1 * model.scale / ALPHA),
            "error over that at zero norm, 1 << lambda << alpha",
        ),
    }

    def build() -> Derivation:
        return Derivation(
            (*integral_steps(model), *_amplitude_steps(model), *correction_steps(model)),
            (),
            dict(model.box),
        )

    return Derived((regime,), (), build, forms=forms)


def _amplitude_steps(model: FixedNorm) -> list[Step]:
    p = model.power
    reach, a = sp.symbols("B a", positive=True)
    e1, e2, relative = sp.symbols("e_1 e_2 r", positive=True)
    first, second = displacement_integrals(model, WIDTH, PUSH)
    value = squared_force(model)
    amplitude = sp.Symbol("k_1", positive=True)
    return [
        step(
            WIDTH,
            1 / reach,
            DEFINITION,
            "b = lambda s, s = sqrt(1 - R^2), becomes small with lambda/alpha",
        ),
        step(
            PUSH,
            WIDTH / INTEGRAL,
            DEFINITION,
            "the displacement at zero margin over s, to be confirmed",
        ),
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
        step(
            e2,
            1 / (reach * INTEGRAL),
            asymptotic(reach),
            "decided by all positive margins; equal, as the saddle point demands",
        ),
        step(a, 1 / e1, DEFINITION, "alpha times the error, times sqrt(2 pi)"),
        step(
            reach,
            sp.sqrt(sp.sqrt(2 / sp.pi) * DISTANCE ** (1 / p) / value),
            solves(sp.Eq(sp.sqrt(2 / sp.pi) / (reach * a), DISTANCE ** (-1 / p), evaluate=False)),
            "lambda/alpha = sqrt(2/pi) b/a",
        ),
        step(relative, a, DEFINITION, "sqrt(alpha) times the error over that at zero norm"),
        step(
            amplitude,
            sp.sqrt(sp.sqrt(2 / sp.pi) * value),
            DEFINITION,
            "the constant in front, the same as at fixed norm",
        ),
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
        step(
            quarter,
            sp.Integral(w * sp.erfc(w / sp.sqrt(2)) / 2, (w, 0, sp.oo)),
            DEFINITION,
            "examples that are still misclassified",
        ),
        step(quarter, sp.Rational(1, 4), EQUAL, "half of half a variance"),
        step(
            n1,
            second / 2 + first / INTEGRAL,
            DEFINITION,
            "e_1 = c (1 + n_1 b^2): curvature of the force, and the shift of zero margin",
        ),
        step(
            n2,
            -(4 * quarter * first + 2 * third / INTEGRAL) / INTEGRAL,
            DEFINITION,
            "e_2 = (c^2 I/b) (1 + n_2 b^2): misclassified examples, and displaced margins",
        ),
        step(
            shift,
            n1 - n2,
            solves(sp.Eq(n1, shift + n2, evaluate=False)),
            "c = (b/I) (1 + k_c b^2) keeps both equal",
        ),
        step(total, n1 + shift, DEFINITION, "1/a = (b/I) (1 + K b^2)"),
        step(
            m1,
            -INTEGRAL * sp.sqrt(sp.pi / 2) * total / 2,
            DEFINITION,
            "with b^2 = sqrt(pi/2) I lambda/alpha, to this order",
        ),
        step(
            m1,
            first_correction(model),
            EQUAL,
            "m_1: the error is k_1 lambda^(-1/2) (1 + m_1 lambda/alpha)",
        ),
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
    instance("model", model, FixedNorm)
    require_fast_force(model)
    if against_zero(2 * tail_power(model) - 3, sp.Gt) != sp.true:
        raise refusal(
            "loss",
            model.loss,
            "must have a force g for which u^2 g(u)^2 can be integrated over all margins",
        )
    p, norm, scale, I, m1 = (
        model.power,
        model.norm,
        model.scale,
        squared_force(model),
        first_correction(model),
    )
    if not m1.subs(model.middle).is_positive:
        raise refusal(
            "loss",
            model.loss,
            f"has m_1 = {m1} <= 0: local slopes approach 1/2 from above, without a maximum below it",
        )
    second = model.integral(model.force**2, 2)
    place = (second / (I * m1)) ** sp.Rational(1, 3)
    constant = sp.Rational(3, 2) * m1 * place / p
    exponent = sp.Rational(2, 3)

    def build() -> Derivation:
        finite, missing, m, kappa = sp.symbols("d_1 d F kappa_2", positive=True)
        m_one = sp.Symbol("m_1")
        heavy = sp.Integral(MARGIN**2 * model.force**2, (MARGIN, 0, sp.oo))
        whole = sp.Integral(
            model.force**2 * sp.exp(-(MARGIN**2) / (2 * norm ** (2 / p))), (MARGIN, 0, sp.oo)
        )
        steps = [
            *integral_steps(model),
            step(kappa, heavy, DEFINITION, "how far from zero margin the squared force reaches"),
            *(
                [step(kappa, second, EQUAL, "its value, by the same substitution")]
                if second != heavy
                else []
            ),
            *correction_steps(model),
            step(
                m,
                whole,
                DEFINITION,
                "the squared relative error at alpha -> oo, times lambda sqrt(pi/2)",
            ),
            step(
                finite,
                norm * sp.diff(whole, norm) / (2 * m),
                DEFINITION,
                "what its slope -d ln(error)/d ln(norm) misses",
            ),
            step(
                finite,
                kappa / (2 * p * INTEGRAL * scale**2),
                asymptotic(norm),
                "margins of finite size at finite norm",
            ),
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
            step(
                missing,
                AMPLITUDE * ALPHA**-exponent,
                EQUAL,
                "a fit at any alpha that is finite sees a smaller exponent",
            ),
        ]
        return Derivation(tuple(steps), (), dict(model.box))

    slope = 1 / (2 * p)
    forms = {
        "location": Form(
            (place * ALPHA ** sp.Rational(1, 3)) ** p, f"{norm} at which the slope is largest"
        ),
        "slope": Form(slope - constant * ALPHA**-exponent, "largest local slope"),
        "second_moment": Form(second, "kappa_2"),
    }
    return Derived((Regime("large alpha", sp.true, exponent, constant),), (), build, forms=forms)
