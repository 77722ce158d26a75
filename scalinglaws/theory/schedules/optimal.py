r"""The best schedule of the rate for a given number of steps, at a fixed batch.

With u the intrinsic time that is left, :math:`T = \int du/\eta` and the noise is :math:`\frac{\sigma^2}{B}\int\eta K\,du`: at given X and T
the least noise has :math:`\eta \propto K^{-1/2}`, since :math:`\int\eta K \int 1/\eta \ge (\int\sqrt K)^2`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import sympy as sp

from ...arguments import instance
from ...errors import refusal
from ...reprs import short_repr
from ..asymptotics import EXP, power_sum
from ..derivation import DEFINITION, EQUAL, Derivation, Step, asymptotic, balances, solves, step
from ..optimum import CostLimited, derive_optimum
from ..records import Derived, Form, Regime
from ..references import BORDELON_2026, FLAJOLET_1995, LI_2026_SCHEDULES
from ..relations import against_zero, strongest
from ..symbols import ALPHA, BETA, BOX, INDEX, check_task, free_box
from ._argument import BIAS, COUNT, balance_steps, capped_steps
from ._letters import (
    BATCH,
    INTRINSIC,
    KERNEL,
    LARGEST,
    NOISE,
    POWER,
    RANGES,
    REMAINING,
    STEPS,
)
from ._sums import finite_trace, over_modes, tidy_gammas
from ._tradeoff import GROWTH, SLOPE, Term, Traded
from .cooldown import NAMES, as_power, decay, kernel_of

_W, _ETA, _PRICE, _ROOT, _LEFT, _V, _PART = sp.symbols("w eta mu R r V z", positive=True)
_TIME = sp.Symbol("t", nonnegative=True)
FRACTION = sp.Symbol("f", positive=True)
"""Share of the steps that a cooldown takes."""


@short_repr
@dataclass(frozen=True)
class OptimalLimited:
    r"""One-pass SGD with label noise under the best schedule of its rate, features unlimited.

    Attributes
    ----------
    spectrum_exponent, signal_exponent : Expr or number
        b and a.
    box : mapping
        Ranges of the parameters in which the derivation is checked.
    """

    spectrum_exponent: Any = ALPHA
    signal_exponent: Any = ALPHA * BETA + 1
    box: Mapping[sp.Symbol, tuple[Any, Any]] = field(default_factory=lambda: BOX)

    def __post_init__(self) -> None:
        """Refuse what is no exponent, and a spectrum whose noise has no sum."""
        check_task(self)
        finite_trace(self.spectrum_exponent)


def derive_optimal(model: OptimalLimited) -> Derived:
    r"""Derive the loss after T steps under the best schedule, and the schedule.

    Parameters
    ----------
    model : OptimalLimited
        Any spectrum and signal.

    Returns
    -------
    Derived
        Regimes: easy tasks, under a decay of power :math:`2b - 1`, with the minimax exponent :math:`(a-1)/a`; hard ones, at the largest
        rate but for a vanishing share of the steps. Forms: ``X`` (intrinsic time), ``C_F`` and ``C_V`` (constants of bias and noise),
        ``peak`` (rate at the start), ``rate`` (at step t, clipped at the largest), ``power``, and ``cooldown``
        (of hard tasks: the exponent of its share).

    Examples
    --------
    >>> found = derive_optimal(OptimalLimited(spectrum_exponent=sp.Rational(3, 2), signal_exponent=2))
    >>> found.expr, found.forms["C_V"].expr.evalf(6)
    (1/2, 2.12628)
    """
    instance("model", model, OptimalLimited)
    a, b = model.signal_exponent, model.spectrum_exponent
    x = sp.cancel((a - 1) / b)
    left = power_sum(a, EXP.compose(-b))
    bias = tidy_gammas(left.terms[0].coefficient) * sp.Integer(2) ** -x
    kernel, tail, memory, chi = kernel_of(b)
    cost = sp.cancel(2 * b) ** 2 * memory
    pair = Traded(
        Term(-x, 0, sp.true, "spectrum", lambda: bias),
        Term(1 / b, 0, sp.true, "spectrum", lambda: cost * NOISE / BATCH),
        LARGEST,
    )
    nothing = (sp.S.Zero, sp.S.One)
    regimes = tuple(
        Regime(name, pair.condition(relation), exponent, constant, 0, correction)
        for name, relation, (exponent, constant), correction in (
            ("easy", sp.Gt, pair.easy()[:2], nothing),
            ("hard", sp.Lt, pair.hard()[:2], pair.left_out_when_hard()),
            # where the largest rate and the balance fall alike, the schedule is clipped, and has no closed constant
            ("line", sp.Eq, (x, None), nothing),
        )
        if pair.condition(relation) != sp.false
    )
    conditions = strongest((*left.conditions, *finite_trace(b)))

    def build() -> Derivation:
        steps = [
            *_schedule_steps(b, kernel, tail.leading((2 * REMAINING) ** (1 / b)), memory, chi),
            *_loss_steps(a, b, left.leading((2 * INTRINSIC) ** (1 / b)), pair),
        ]
        box = {**free_box(model.box, a, b), _PART: (sp.Rational(1, 10), sp.Rational(9, 10))}
        return Derivation(tuple(steps), conditions, box)

    forms = _forms(b, pair, bias, cost)
    if pair.condition(sp.Lt) != sp.false:
        forms["cooldown"] = _cooldown(b, x)
    return Derived(regimes, conditions, build, piecewise=True, forms=forms)


def _forms(b: sp.Expr, pair: Traded, bias: sp.Expr, cost: sp.Expr) -> dict[str, Form]:
    """Write the schedule, and the constants that it comes with."""
    power, constant, _ = pair.time()
    best = constant * STEPS**power
    peak = 2 * b * INTRINSIC / STEPS
    running = peak * (1 - _TIME / STEPS) ** (2 * b - 1)
    return {
        "C_F": Form(bias, "the bias is C_F X^-beta"),
        "C_V": Form(cost, "the least noise is C_V (sigma^2/(B T)) X^(1/alpha)"),
        "X": Form(best, "intrinsic time at the optimum, where the largest rate allows it"),
        "power": Form(2 * b - 1, "power p of the best decay eta_0 (1 - t/T)^p"),
        "peak": Form(peak, "rate at the start, for the intrinsic time X"),
        "rate": Form(
            sp.Min(LARGEST, running),
            "rate at step t for the intrinsic time X of the decay before it is clipped",
            (sp.Gt(STEPS, _TIME),),
        ),
    }


@lru_cache(maxsize=1)
def _best_fraction() -> sp.Expr:
    """Return what `allocate` finds of 1/f, its exponents being m of the bias and n of the noise."""
    program = CostLimited(
        {"bias": FRACTION * STEPS**-SLOPE, "noise": FRACTION**-GROWTH * STEPS**-GROWTH},
        (FRACTION,),
        STEPS,
        box={name: (sp.Rational(1, 10), sp.Rational(9, 10)) for name in (SLOPE, GROWTH)},
        constants=False,
    )
    (found,) = program.regimes(1 / FRACTION)
    return found.exponent


def _cooldown(b: sp.Expr, x: sp.Expr) -> Form:
    """Write how the best share of a cooldown falls with the steps, for any power of its end."""
    zero = sp.Symbol("p", nonnegative=True)  # a number that is given for it may be zero
    terms = power_sum(0, decay(POWER).compose(-b)).terms
    falls = sp.Min(*(sp.factor(sp.cancel(1 - term.exponent / b)) for term in terms))
    share = _best_fraction().xreplace({SLOPE: x, GROWTH: falls})
    return Form(
        share.subs(POWER, zero),
        "hard tasks: the best share of a cooldown of power p at the largest rate falls as T to minus this",
        (sp.Gt(falls.subs(POWER, zero), x),),
    )


def _schedule_steps(
    b: sp.Expr, kernel: sp.Expr, tail: sp.Expr, memory: sp.Expr, chi: sp.Expr
) -> list[Step]:
    """Write which rate is best at a given intrinsic time, and what noise it leaves."""
    half = sp.cancel(chi / 2)
    root = sp.sqrt(memory)
    inner = sp.Integral((1 + _W) ** (half - 2), (_W, 0, sp.oo))
    front = sp.cancel(2 * b)
    return [
        step(
            KERNEL,
            kernel,
            DEFINITION,
            "noise that enters at the intrinsic time u before the end is forgotten as the kernel",
            LI_2026_SCHEDULES,
        ),
        step(KERNEL, tail, asymptotic(REMAINING), "leading Mellin residue", FLAJOLET_1995),
        step(
            _ETA,
            sp.sqrt(_PRICE / memory) * REMAINING**half,
            balances(sp.Eq(_ETA * KERNEL, _PRICE / _ETA, evaluate=False)),
            "a little more rate at u costs noise eta K and saves steps 1/eta at the price mu: stationary at every u",
            BORDELON_2026,
        ),
        step(
            _ROOT,
            root * INTRINSIC ** (1 - half) * inner,
            DEFINITION,
            "integral of the root of the kernel over u = X/(1 + w) from 0 to X",
        ),
        step(_ROOT, root * front * INTRINSIC ** (1 / front), EQUAL, "a power"),
        step(
            _PRICE,
            (_ROOT / STEPS) ** 2,
            solves(sp.Eq(_ROOT / sp.sqrt(_PRICE), STEPS, evaluate=False)),
            "the steps are the integral of 1/eta: they fix the price",
        ),
        step(
            _V,
            NOISE / BATCH * sp.sqrt(_PRICE) * _ROOT,
            DEFINITION,
            "noise: the integral of eta K; by the inequality of Cauchy and Schwarz the least there is for X and T",
        ),
        step(
            _V,
            NOISE / (BATCH * STEPS) * front**2 * memory * INTRINSIC ** (1 / b),
            EQUAL,
            "a power of X over the steps",
        ),
        step(
            _LEFT,
            root * front * REMAINING ** (1 / front) / sp.sqrt(_PRICE),
            DEFINITION,
            "steps that are left at u: the same integral from 0 to u",
        ),
        step(_LEFT, STEPS * (REMAINING / INTRINSIC) ** (1 / front), EQUAL, "in units of all"),
        step(
            REMAINING,
            INTRINSIC * (1 - _PART) ** front,
            solves(sp.Eq(_LEFT, STEPS * (1 - _PART), evaluate=False)),
            "intrinsic time left at step t = z T",
        ),
        step(
            _ETA,
            front * INTRINSIC / STEPS * (1 - _PART) ** (front - 1),
            EQUAL,
            f"the best rate: a decay of power {front - 1}",
        ),
    ]


def _loss_steps(a: sp.Expr, b: sp.Expr, leading: sp.Expr, pair: Traded) -> list[Step]:
    """Write the best intrinsic time, and the loss there."""
    easy, hard = ([pair] if pair.condition(sign) != sp.false else [] for sign in (sp.Gt, sp.Lt))
    return [
        step(
            BIAS,
            over_modes(INDEX**-a, EXP, b, 2 * INTRINSIC),
            DEFINITION,
            "bias: what is not learned at the intrinsic time X",
            LI_2026_SCHEDULES,
        ),
        step(BIAS, leading, asymptotic(INTRINSIC), "leading Mellin residue", FLAJOLET_1995),
        step(
            COUNT,
            BATCH * STEPS / NOISE * _V,
            DEFINITION,
            "the least noise in units of sigma^2/(B T)",
        ),
        *(balance_steps(easy, sp.S.One) if easy else []),
        *(capped_steps(hard, sp.S.One) if hard else []),
    ]


def derive_fraction(model: OptimalLimited, power: Any = POWER) -> Derived:
    r"""Derive which share f of the steps a cooldown takes at best on a hard task, at the largest rate.

    .. math:: \min_f \big[f\,T^{-\beta} + (fT)^{-(1-1/b)} + (fT)^{-p/(p+1)}\big]

    Parameters
    ----------
    model : OptimalLimited
        Any spectrum and signal; hard tasks only, :math:`\beta < 1 - 1/\tilde b`.
    power : Expr or number
        p > 0 of the cooldown's end, 1 for a linear one.

    Returns
    -------
    Derived
        Growth of 1/f, by regime: :math:`f \sim T^{-(\nu-\beta)/(\nu+1)}`, :math:`\nu = 1 - 1/\tilde b`, :math:`\tilde b = \min(b, p+1)`.

    Examples
    --------
    >>> task = OptimalLimited(spectrum_exponent=sp.Rational(5, 2), signal_exponent=sp.Rational(7, 5))
    >>> derive_fraction(task, 1).expr.n(4)
    0.2267
    """
    instance("model", model, OptimalLimited)
    a, b, p = model.signal_exponent, model.spectrum_exponent, as_power(power)
    x = sp.cancel((a - 1) / b)
    found = power_sum(0, decay(p).compose(-b))
    falls = {
        NAMES[term.origin]: sp.factor(sp.cancel(1 - term.exponent / b)) for term in found.terms
    }
    noise = {name: FRACTION**-power * STEPS**-power for name, power in falls.items()}
    # the bias grows by beta f/2 of itself, since the intrinsic time shrinks by that share
    ranges = free_box({**RANGES, **model.box}, b, a, p)
    hard = [against_zero(power - x, sp.Gt) for power in falls.values()]
    if sp.false in hard:
        raise refusal(
            "model",
            model,
            "is an easy task: its best rate falls, and how long the decay is matters for constants only",
            shown=False,
        )
    program = CostLimited(
        {"bias": FRACTION * STEPS**-x, **noise},
        (FRACTION,),
        STEPS,
        box=ranges,
        where=(*finite_trace(b), *(entry for entry in hard if entry != sp.true)),
        names={frozenset({"bias", name}): name for name in noise},
        constants=False,
        reference=LI_2026_SCHEDULES,
    )
    return derive_optimum(program, of=1 / FRACTION)
