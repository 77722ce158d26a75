r"""What steps of a given length do: the pace of training, where the kernel grows.

Along the flow the largest eigenvalue of the kernel is :math:`s(t)\lambda_1`, up to a factor below 2 that tends to 1 on hard tasks. A
step at the rate :math:`\eta_t = c/(s_t\lambda_1)` moves the warped time by :math:`\eta_t s_t = c/\lambda_1` whatever the kernel, so
that steps of constant stability are an even pace in warped time; :math:`\lambda_1 = 1` here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import sympy as sp

from ...arguments import instance
from ...reprs import short_repr
from ..derivation import DEFINITION, EQUAL, Derivation, Step, asymptotic, solves, step
from ..records import Derived, Form, Regime
from ..references import ALTSCHULER_2023
from ..symbols import ALPHA, BETA, BOX, T, check_task, free_box
from .chain import _FRONT, _GROWTH, _I2, _S, growth_constant, growth_steps
from .exponents import BOUNDARY, LOSS, TAU
from .warp import POINT, WarpLimited, _easy_steps, _hard_steps, _split, derive_prefactor, moments

STEPS, RATE, SLOWNESS = sp.symbols("n c r", positive=True)
"""Number of steps; their rate in units of one over the largest eigenvalue of the growing kernel; one over a fixed rate."""

_ETA, _EXCESS, _STAR, _COUNT = sp.symbols("eta C_beta t_star n_star", positive=True)
_SILVER = 1 + sp.sqrt(2)


@short_repr
@dataclass(frozen=True)
class StepsLimited:
    r"""A two-layer network in steps of a given schedule, features and samples unlimited.

    Attributes
    ----------
    spectrum_exponent, signal_exponent : Expr or number
        b and a: eigenvalues :math:`k^{-b}`, signal power :math:`k^{-a}`.
    box : mapping
        Ranges of the parameters in which the derivation is checked.
    """

    spectrum_exponent: Any = ALPHA
    signal_exponent: Any = ALPHA * BETA + 1
    box: Mapping[sp.Symbol, tuple[Any, Any]] = field(default_factory=lambda: BOX)

    def __post_init__(self) -> None:
        """Refuse what is no exponent."""
        check_task(self)

    @property
    def exponents(self) -> tuple[sp.Expr, sp.Expr, sp.Expr]:
        """The signal's, the spectrum's, and that of the lazy loss."""
        a, b = sp.sympify(self.signal_exponent), sp.sympify(self.spectrum_exponent)
        return a, b, sp.cancel((a - 1) / b)

    @property
    def flow(self) -> WarpLimited:
        """The same task in flow time."""
        return WarpLimited(self.spectrum_exponent, self.signal_exponent, box=self.box)


def derive_steps(model: StepsLimited) -> Derived:
    r"""Derive the loss against the number of steps, each at the same distance from instability.

    Parameters
    ----------
    model : StepsLimited
        Any spectrum and signal.

    Returns
    -------
    Derived
        Regimes of ``L(n)`` at the rate :math:`c/(s_n\lambda_1)`: the lazy exponent for every task, with its constant.

    Examples
    --------
    >>> found = derive_steps(StepsLimited(spectrum_exponent=2, signal_exponent=2))
    >>> found.expr, sp.N(found.regimes[0].constant.subs(RATE, 1), 6)
    (1/2, 0.577321)
    """
    instance("model", model, StepsLimited)
    a, b, x = model.exponents
    hard, easy, line = _split(x)
    two = moments(x)[1]
    lazy = sp.gamma(x) / b * (2 * RATE) ** -x
    branches = (
        ("hard", hard, two / b * RATE**-x),
        ("easy", easy, lazy),
        (BOUNDARY, line, 1 / (2 * b * RATE)),
    )
    # the corrections are of order 1/s, of a size that depends on the richness, and not the other branches
    regimes = tuple(
        Regime(name, where, x, constant, 0, (sp.S.Zero, sp.S.One))
        for name, where, constant in branches
        if where != sp.false
    )
    forms = {
        "ratio": Form(
            two * 2**x / sp.gamma(x),
            "loss of a hard task over that of the lazy model at the same rate c and step",
        )
    }
    conditions = derive_prefactor(model.flow).conditions

    def build() -> Derivation:
        steps: list[Step] = []
        if hard != sp.false:
            steps += [
                entry
                for entry in _hard_steps(a, b, x, hard)
                if str(entry.quantity) not in ("t_tau", "tau", "c_t") and not entry.value.has(T)
            ]
            steps += _paced(TAU, LOSS, _I2 / b * RATE**-x, x, hard)
        if easy != sp.false:
            kept = [entry for entry in _easy_steps(a, b, x, easy) if not entry.value.has(T)]
            steps += [entry for entry in kept if str(entry.quantity) == "L_easy"]
            warped, loss = sp.symbols("tau_easy L_easy", positive=True)
            steps += _paced(warped, loss, lazy, x, easy)
        box = free_box(model.box, a, b)
        if hard != sp.false:
            box[POINT] = (sp.Rational(1, 2), sp.Integer(8))
        return Derivation(tuple(steps), conditions, box)

    return Derived(regimes, conditions, build, forms=forms if hard != sp.false else {})


def _paced(
    warped: sp.Symbol, loss: sp.Symbol, constant: sp.Expr, x: sp.Expr, where: sp.Basic
) -> list[Step]:
    """Write the last steps: from warped time to steps."""
    front, taken = sp.Symbol(f"c_{warped}", positive=True), sp.Symbol(f"n_{warped}", positive=True)
    return [
        step(
            taken,
            warped / RATE,
            DEFINITION,
            "steps taken: each moves warped time by eta s = c",
            None,
            where,
        ),
        step(
            warped,
            RATE * STEPS,
            solves(sp.Eq(taken, STEPS, evaluate=False)),
            "warped time after n steps",
            None,
            where,
        ),
        step(front, constant, DEFINITION, "the constant in front", None, where),
        step(loss, front * STEPS**-x, EQUAL, "the loss after n steps", None, where),
    ]


def derive_silver(model: StepsLimited) -> Derived:
    r"""Derive how far silver steps get, :math:`c_j = 1 + (1+\sqrt2)^{\nu_2(j)-1}`, read at :math:`n = 2^k - 1`.

    That the loss falls with the sum of the steps as it does with warped time is what was measured, not what is derived.

    Parameters
    ----------
    model : StepsLimited
        Any spectrum and signal.

    Returns
    -------
    Derived
        One regime.

    Examples
    --------
    >>> derive_silver(StepsLimited(spectrum_exponent=2, signal_exponent=2)).expr.n(6)
    0.635777
    """
    instance("model", model, StepsLimited)
    a, b, x = model.exponents
    level, here, after, last = sp.symbols("k tau_k tau_next k_n", positive=True)
    count, amplitude = sp.symbols("n_k c", positive=True)
    power = sp.log(_SILVER) / sp.log(2)
    found = derive_prefactor(model.flow)

    def build() -> Derivation:
        steps = (
            step(here, _SILVER**level - 1, DEFINITION, "sum of the first 2^k - 1 silver steps"),
            step(
                after,
                2 * here + 1 + _SILVER ** (level - 1),
                DEFINITION,
                "the same steps, a long one, and the same steps again",
                ALTSCHULER_2023,
            ),
            step(after, _SILVER ** (level + 1) - 1, EQUAL, "the sum of the next generation"),
            step(count, 2**level - 1, DEFINITION, "steps taken"),
            step(
                last,
                sp.log(STEPS + 1) / sp.log(2),
                solves(sp.Eq(2**last - 1, STEPS, evaluate=False)),
                "generations in n steps",
            ),
            step(TAU, _SILVER**last - 1, DEFINITION, "warped time: every step moves it by eta s"),
            step(TAU, STEPS**power, asymptotic(STEPS), "a power of the number of steps"),
            step(
                LOSS,
                amplitude * TAU**-x,
                DEFINITION,
                "loss at that warped time, as measured; its constant is not that of small steps",
            ),
            step(LOSS, amplitude * STEPS ** (-x * power), EQUAL, "the loss after n steps"),
        )
        box = {**free_box(model.box, a, b), level: (sp.S.One, sp.Integer(8))}
        return Derivation(steps, found.conditions, box)

    return Derived((Regime("all", sp.true, x * power, None),), found.conditions, build)


def derive_window(model: StepsLimited) -> Derived:
    r"""Derive how many steps of a fixed learning rate a hard task allows.

    Parameters
    ----------
    model : StepsLimited
        Any spectrum and signal.

    Returns
    -------
    Derived
        Growth of the number of steps with :math:`r = 1/\eta`, until :math:`\eta s \lambda_1 = 2`. The forms ``time`` and ``steps``
        have the next order of the kernel's growth too.

    Examples
    --------
    >>> derive_window(StepsLimited(spectrum_exponent=2, signal_exponent=2)).expr
    4
    """
    instance("model", model, StepsLimited)
    a, b, x = model.exponents
    hard, _, _ = _split(x)
    constant, power, offset = growth_constant(a, b)
    exponent = sp.factor(2 / (1 - x))
    front = (2 / constant) ** (1 / power)
    time = ((2 / _ETA - offset) / constant) ** (1 / power)
    forms = {
        "time": Form(time, "flow time at which eta s lambda_1 = 2"),
        "steps": Form(time / _ETA, "the same in steps"),
    }
    found = derive_prefactor(model.flow)
    conditions = (*found.conditions, *(() if hard == sp.true else (hard,)))

    def build() -> Derivation:
        steps = [
            *growth_steps(a, b, sp.true),
            step(
                _STAR,
                (2 * SLOWNESS / _GROWTH) ** (1 / power),
                solves(sp.Eq(_GROWTH * _STAR**power, 2 * SLOWNESS, evaluate=False)),
                "the kernel reaches the edge of stability: s = 2/eta = 2 r",
            ),
            step(_COUNT, _STAR * SLOWNESS, DEFINITION, "steps until then"),
            step(_FRONT, (2 / _GROWTH) ** (1 / power), DEFINITION, "the constant in front"),
            step(_COUNT, _FRONT * SLOWNESS**exponent, EQUAL, "a power of one over the rate"),
        ]
        box = free_box(model.box, a, b)
        box[POINT] = (sp.Rational(1, 2), sp.Integer(8))
        return Derivation(tuple(steps), conditions, box)

    return Derived(
        (Regime("hard", hard, exponent, front),), conditions, build, piecewise=True, forms=forms
    )


def derive_excess(model: StepsLimited) -> Derived:
    r"""Derive how the noise of small batches weighs on a hard task, relative to its loss.

    At leading order in :math:`\eta/B` the noise of a step decays in warped time but is amplified with the kernel, and breaks the balance
    of the layers; both add :math:`(\eta\,\mathrm{Tr}\Lambda/B)\,s(t)` times a number, relative to the loss. The number is measured.

    Parameters
    ----------
    model : StepsLimited
        Any spectrum and signal.

    Returns
    -------
    Derived
        Growth exponent for hard tasks.

    Examples
    --------
    >>> derive_excess(StepsLimited(spectrum_exponent=2, signal_exponent=2)).expr
    1/3
    """
    instance("model", model, StepsLimited)
    a, b, x = model.exponents
    hard, _, _ = _split(x)
    power = sp.factor((1 - x) / (1 + x))
    samples, excess = sp.symbols("B_batch E", positive=True)
    found = derive_prefactor(model.flow)
    conditions = (*found.conditions, *(() if hard == sp.true else (hard,)))
    batch, kernel = sp.symbols("B s", positive=True)
    forms = {
        "excess": Form(
            _EXCESS * _ETA * sp.zeta(b) / batch * kernel,
            "loss over that of unlimited batches, minus 1, at the scale s; C_beta = .82, .79, .77 at beta = 1/4, 1/2, 3/4",
        )
    }

    def build() -> Derivation:
        noise, front = _ETA * sp.zeta(b) / samples, sp.Symbol("c_E", positive=True)
        steps = [
            *growth_steps(a, b, sp.true),
            step(
                excess,
                _EXCESS * noise * _S,
                DEFINITION,
                "noise of the steps, amplified with the kernel: an argument to leading order, its number measured",
            ),
            step(front, _EXCESS * noise * _GROWTH, DEFINITION, "the constant in front"),
            step(excess, front * T**power, EQUAL, "it grows as the kernel does"),
        ]
        box = free_box(model.box, a, b)
        box[POINT] = (sp.Rational(1, 2), sp.Integer(8))
        return Derivation(tuple(steps), conditions, box)

    return Derived(
        (Regime("hard", hard, power, None),), conditions, build, piecewise=True, forms=forms
    )
