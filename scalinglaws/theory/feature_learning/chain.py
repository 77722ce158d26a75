r"""Chains of several hidden factors, and how far their kernel grows.

Gradient flow of :math:`f = w^\top A_m \cdots A_1 \psi` conserves :math:`A_{j+1}^\top A_{j+1} - A_j A_j^\top` and
:math:`A_m A_m^\top - \gamma w w^\top`. With the scale :math:`\sigma = 1 + \gamma |w|^2` of a factor the kernel grows as
:math:`s = \sigma^m`, and with :math:`d\tau = s\,dt`

.. math:: \sigma^m (\sigma - 1) = \gamma \sum_k (w^*_k)^2\, \Phi_k^2, \qquad L = \sum_k s_k (1 - \Phi_k)^2 .

Two layers are m = 1, the lazy model is m = 0; nothing asks m to be whole.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import sympy as sp

from ...arguments import instance
from ...reprs import short_repr
from ..asymptotics import EXP
from ..derivation import DEFINITION, EQUAL, Derivation, Relation, Step, asymptotic, solves, step
from ..linear import TimeLimited, derive_time
from ..records import Derived, Form, Regime
from ..references import BORDELON_2024_FEATURES
from ..symbols import ALPHA, BETA, BOX, INDEX, T, check_task, free_box
from .exponents import BOUNDARY, GAMMA, LOSS, TAU, integral
from .warp import (
    POINT,
    WarpLimited,
    _easy_steps,
    _hard_steps,
    _kernel_of,
    _split,
    derive_prefactor,
    learned_fraction,
    moments,
    overlap,
)

DEPTH = sp.Symbol("m", positive=True)
"""Number of hidden factors."""

_NU, _PHI, _W, _I1, _I2, _B, _S, _TIME = sp.symbols("nu Phi w I_1 I_2 B s t_tau", positive=True)
_SIGMA, _HELD, _RATE, _FRONT = sp.symbols("sigma B_sigma a c_t", positive=True)
_GROWTH = sp.Symbol("C_s", positive=True)


@short_repr
@dataclass(frozen=True)
class ChainLimited:
    r"""A chain of hidden factors in training, features and samples unlimited.

    Attributes
    ----------
    spectrum_exponent, signal_exponent : Expr or number
        b and a: eigenvalues :math:`k^{-b}`, signal power :math:`k^{-a}`.
    depth : Expr or number
        m, the number of hidden factors.
    box : mapping
        Ranges of the parameters in which the derivation is checked.
    """

    spectrum_exponent: Any = ALPHA
    signal_exponent: Any = ALPHA * BETA + 1
    depth: Any = DEPTH
    box: Mapping[sp.Symbol, tuple[Any, Any]] = field(
        default_factory=lambda: {**BOX, DEPTH: (sp.Rational(1, 2), 3)}
    )

    def __post_init__(self) -> None:
        """Refuse what is no exponent."""
        check_task(self)


def derive_depth(model: ChainLimited) -> Derived:
    r"""Derive the loss of a chain of m hidden factors at long times.

    Parameters
    ----------
    model : ChainLimited
        Any spectrum, signal and depth.

    Returns
    -------
    Derived
        Regimes of ``L(t)`` for any :math:`\gamma > 0`, :math:`\chi = (m+1)\beta/(1+m\beta)` for hard tasks.

    Examples
    --------
    >>> derive_depth(ChainLimited(spectrum_exponent=2, signal_exponent=2, depth=2)).regimes[0].exponent
    3/4
    """
    instance("model", model, ChainLimited)
    a, b, m = (
        sp.sympify(entry) for entry in (model.signal_exponent, model.spectrum_exponent, model.depth)
    )
    x = sp.cancel((a - 1) / b)
    lazy = derive_time(TimeLimited(b, a, EXP, model.box))
    hard, easy, line = _split(x)
    nu = sp.factor(m * (1 - x) / (2 * (m + 1)))
    one, two = moments(x, nu)
    chi = sp.factor((m + 1) * x / (1 + m * x))
    rate = (GAMMA * one / b) ** (m / (m + 1))
    regimes = []
    if hard != sp.false:
        front = two / b * (rate * (1 + m * x) / (m + 1)) ** -chi
        regimes.append(Regime("hard", hard, chi, front))
    if easy != sp.false:
        regimes.append(Regime("easy", easy, x, None))
    if line != sp.false:
        slow = m / (m + 1)
        regimes.append(Regime(BOUNDARY, line, sp.S.One, (b / GAMMA) ** slow / (2 * b), -slow))
    conditions = (*lazy.conditions, *((sp.Ge(m, 0, evaluate=False),) if m.is_Symbol else ()))

    def build() -> Derivation:
        steps = _chain_steps(a, b, x, m, hard) if hard != sp.false else []
        if easy != sp.false:
            kept = [
                entry
                for entry in _easy_steps(a, b, x, easy)
                if str(entry.quantity) in ("L_easy", "B_oo")
            ]
            steps += kept[:-1]  # the last one is in time
            steps += _saturated(b, x, m, easy)
        box = free_box(model.box, a, b, m)
        box[POINT] = (sp.Rational(1, 2), sp.Integer(8))
        return Derivation(tuple(steps), lazy.conditions, box)

    return Derived(tuple(regimes), conditions, build, piecewise=True)


def _chain_steps(a: sp.Expr, b: sp.Expr, x: sp.Expr, m: sp.Expr, where: sp.Basic) -> list[Step]:
    """Write the steps for a kernel that grows without bound."""
    nu = sp.factor(m * (1 - x) / (2 * (m + 1)))
    closed, weights = moments(x, nu), sp.expand(a - b)
    learned, shown = learned_fraction(_NU, TAU * INDEX**-b), learned_fraction(_NU, POINT)
    history = sp.exp(-POINT * _W / (1 + _W)) * (1 + _W) ** (_NU - 2)
    chi, slowed = sp.factor((m + 1) * x / (1 + m * x)), (1 + m * x) / (m + 1)
    factor = (GAMMA * _I1 / b * TAU ** (1 - x)) ** (1 / (m + 1))

    def total(power: sp.Expr, shape: sp.Expr) -> sp.Expr:
        return sp.Sum(INDEX**-power * shape, (INDEX, 1, sp.oo))

    rows: list[tuple[sp.Symbol, sp.Expr, Relation, str]] = [
        (
            _NU,
            nu,
            solves(sp.Eq(2 * (m + 1) * _NU, m * (1 - x), evaluate=False)),
            "if s = sigma^m grows as tau^(2 nu), sigma^(m + 1) must grow as the weights learned",
        ),
        (
            _PHI,
            POINT * sp.Integral(history, (_W, 0, sp.oo)),
            DEFINITION,
            "q' = lambda (h - q) with h = tau^-nu, at lambda tau = z",
        ),
        (_PHI, shown, EQUAL, "a confluent hypergeometric function"),
        (
            _I1,
            sp.Integral(POINT ** (x - 2) * shown**2, (POINT, 0, sp.oo)),
            DEFINITION,
            "first moment of the learned fraction",
        ),
        (_I1, closed[0], EQUAL, "its Mellin-Barnes integral, summed over two series of poles"),
        (
            _I2,
            sp.Integral(POINT ** (x - 1) * (1 - shown) ** 2, (POINT, 0, sp.oo)),
            DEFINITION,
            "second moment: what is left",
        ),
        (_I2, closed[1], EQUAL, "tied to the first by the mode's equation"),
        (_B, total(weights, learned**2), DEFINITION, "squared weights learned so far"),
        (_B, _I1 / b * TAU ** (1 - x), asymptotic(TAU), "an integral over modes"),
        (
            _HELD,
            _SIGMA**m * (_SIGMA - 1) / GAMMA,
            DEFINITION,
            "the factors stay balanced: what factors of scale sigma have learned",
        ),
        (_HELD, _SIGMA ** (m + 1) / GAMMA, asymptotic(_SIGMA), "its leading power"),
        (
            _SIGMA,
            factor,
            solves(sp.Eq(_HELD, _I1 / b * TAU ** (1 - x), evaluate=False)),
            "the scale of a factor at warped time tau",
        ),
        (
            _RATE,
            (GAMMA * _I1 / b) ** (m / (m + 1)),
            DEFINITION,
            "the rate at which the kernel grows",
        ),
        (_S, _SIGMA**m, DEFINITION, "the kernel is the m-th power of the scale of a factor"),
        (_S, _RATE * TAU ** (m * (1 - x) / (m + 1)), EQUAL, "it grows without bound"),
        (
            _TIME,
            integral(TAU ** (-m * (1 - x) / (m + 1)), TAU, TAU) / _RATE,
            DEFINITION,
            "time that has passed: dt = dtau/s",
        ),
        (_TIME, TAU**slowed / (_RATE * slowed), EQUAL, "a power of warped time"),
        (LOSS, total(a, (1 - learned) ** 2), DEFINITION, "the loss"),
        (LOSS, _I2 / b * TAU**-x, asymptotic(TAU), "an integral over modes"),
        (
            TAU,
            (_RATE * slowed * T) ** (1 / slowed),
            solves(sp.Eq(_TIME, T, evaluate=False)),
            "warped time at time t",
        ),
        (_FRONT, _I2 / b * (_RATE * slowed) ** -chi, DEFINITION, "the constant in front"),
        (LOSS, _FRONT * T**-chi, EQUAL, "the loss at time t"),
    ]
    cited = (_PHI, _B, _HELD)
    return [
        step(name, value, how, why, BORDELON_2024_FEATURES if name in cited else None, where)
        for name, value, how, why in rows
    ]


def _saturated(b: sp.Expr, x: sp.Expr, m: sp.Expr, where: sp.Basic) -> list[Step]:
    """Write what is left of an easy task, in terms of the scale that a factor ends at."""
    end, held, warped, loss = sp.symbols("sigma_oo B_end tau_easy L_easy", positive=True)
    return [
        step(
            held,
            end**m * (end - 1) / GAMMA,
            DEFINITION,
            "the factors stay balanced: their scale ends where this is all there is to be learned",
            None,
            where,
        ),
        step(warped, end**m * T, DEFINITION, "warped time", None, where),
        step(
            loss,
            sp.gamma(x) / b * (2 * end**m) ** -x * T**-x,
            EQUAL,
            "the loss at time t",
            None,
            where,
        ),
    ]


# -- the kernel ---------------------------------------------------------------------------------------------------------


def growth_constant(a: sp.Expr, b: sp.Expr) -> tuple[sp.Expr, sp.Expr, sp.Expr]:
    r"""Return constant, power and offset of :math:`s \simeq C_s t^p + s_1` on hard tasks.

    Parameters
    ----------
    a, b : Expr
        Signal and spectrum.

    Returns
    -------
    tuple of Expr
        :math:`C_s = c^{2/(1+\beta)} \left(\frac{1+\beta}2\right)^p` with :math:`c = \sqrt{\gamma I_1/\alpha}`,
        :math:`p = \frac{1-\beta}{1+\beta}`, and :math:`s_1`, which depends on :math:`\beta` alone.

    Notes
    -----
    With :math:`h \propto \tau^{-\nu} (1 + a\tau^{-2\nu})` a mode is learned as a sum of two fractions, :math:`\Phi_\nu` and
    :math:`\Phi_{3\nu}`, and :math:`h^{-2} = 1 + \gamma \sum_k (w^*_k)^2 q_k^2` fixes a: in warped time the offset is
    :math:`b_0 = 1/(1 + I_{13}/I_1)` with :math:`I_{13} = \int z^{\beta-2}\Phi_\nu\Phi_{3\nu}\,dz`, and in time
    :math:`s_1 = b_0\,(1 + \beta)/(2\beta)`.

    Examples
    --------
    >>> C_s, p, s_1 = growth_constant(sp.Rational(7, 4), sp.Rational(3, 2))
    >>> sp.N(C_s.subs(GAMMA, 1), 9), p, sp.N(s_1, 6)
    (1.21371925, 1/3, 0.695556)
    """
    x = sp.cancel((a - 1) / b)
    nu, first = (1 - x) / 4, moments(x)[0]
    power = sp.factor((1 - x) / (1 + x))
    constant = (GAMMA * first / b) ** (1 / (1 + x)) * ((1 + x) / 2) ** power
    offset = (1 + x) / (2 * x) / (1 + overlap(x, nu, 3 * nu) / first)
    return constant, power, offset


def derive_kernel_scale(model: WarpLimited) -> Derived:
    r"""Derive how the kernel of a two-layer network grows.

    Parameters
    ----------
    model : WarpLimited
        Any spectrum and signal.

    Returns
    -------
    Derived
        Regimes of ``s(t)``, whose exponents are those of growth: a power on hard tasks, the square root of a logarithm on the
        boundary, a limit on easy tasks.

    Examples
    --------
    >>> derive_kernel_scale(WarpLimited(spectrum_exponent=2, signal_exponent=2)).expr
    1/3
    """
    instance("model", model, WarpLimited)
    a, b = sp.sympify(model.signal_exponent), sp.sympify(model.spectrum_exponent)
    x = sp.cancel((a - 1) / b)
    found, (hard, easy, line) = derive_prefactor(model), _split(x)
    regimes, forms = [], {}
    if hard != sp.false:
        constant, power, offset = growth_constant(a, b)
        regimes.append(Regime("hard", hard, power, constant, 0, (offset / constant, power)))
        forms["offset"] = Form(offset, "s_1 of s = C_s t^p + s_1, for hard tasks")
    if easy != sp.false:
        (plain,) = (entry for entry in found.regimes if entry.name == "easy")
        size, fading = plain.correction or (sp.S.Zero, sp.S.One)
        end = (1 + sp.sqrt(1 + 4 * GAMMA * sp.zeta(sp.expand(a - b)))) / 2
        regimes.append(Regime("easy", easy, sp.S.Zero, end, 0, (size / x, fading)))
    if line != sp.false:
        regimes.append(Regime(BOUNDARY, line, sp.S.Zero, sp.sqrt(GAMMA / b), sp.S.Half))
        forms["boundary"] = Form(
            (1 + sp.sqrt(1 + 4 * GAMMA * _at_boundary(b))) / 2,
            "s(tau) at beta = 1, at the warped time tau = s t up to smaller terms",
        )

    def build() -> Derivation:
        steps: list[Step] = []
        if hard != sp.false:
            steps += growth_steps(a, b, hard)
        if easy != sp.false:
            steps += [
                entry
                for entry in _easy_steps(a, b, x, easy)
                if str(entry.quantity) in ("B_oo", "s_oo")
            ]
        if line != sp.false:
            steps += _boundary_steps(a, b, line)
        box = free_box(model.box, a, b)
        box[POINT] = (sp.Rational(1, 2), sp.Integer(8))
        return Derivation(tuple(steps), found.conditions, box)

    return Derived(tuple(regimes), found.conditions, build, piecewise=True, forms=forms)


def growth_steps(a: sp.Expr, b: sp.Expr, where: sp.Basic) -> list[Step]:
    """Write the steps to the kernel of hard tasks as a power of time."""
    x = sp.cancel((a - 1) / b)
    power = sp.factor((1 - x) / (1 + x))
    left_out = (LOSS, _FRONT, _I2)
    return [
        *(entry for entry in _hard_steps(a, b, x, where) if entry.quantity not in left_out),
        step(
            _GROWTH,
            _RATE ** (2 / (1 + x)) * ((1 + x) / 2) ** power,
            DEFINITION,
            "the constant in front",
            None,
            where,
        ),
        step(_S, _GROWTH * T**power, EQUAL, "the kernel at time t", None, where),
    ]


def _at_boundary(b: sp.Expr) -> sp.Expr:
    """Return the squared weights learned at warped time tau where beta = 1."""
    return (sp.log(TAU) + sp.EulerGamma - sp.log(2)) / b + sp.EulerGamma


def _boundary_steps(a: sp.Expr, b: sp.Expr, where: sp.Basic) -> list[Step]:
    """Write the steps for a kernel that grows as the square root of a logarithm."""
    norm, kernel = sp.symbols("B_1 s_line", positive=True)
    total = sp.Sum(
        INDEX ** -sp.expand(a - b) * (1 - sp.exp(-TAU * INDEX**-b)) ** 2, (INDEX, 1, sp.oo)
    )
    return [
        step(norm, total, DEFINITION, "squared weights learned so far", None, where),
        step(
            norm,
            _at_boundary(b),
            asymptotic(TAU),
            "a double pole: a logarithm, and a constant that matters as long",
            None,
            where,
        ),
        *_kernel_of(norm, kernel, where),
    ]
