r"""The best rate for a schedule of given shape: what a decay or an average buys.

At intrinsic time X after T steps of B samples with label noise :math:`\sigma^2` each,

.. math:: L(T) = \min_{X \le \eta_{\max} T/r} \Big[\sum_k s_k\,f(\lambda_k X) + \frac{\sigma^2}{BT} \sum_k v(\lambda_k X)\Big],
          \qquad \lambda_k = k^{-b},\ s_k = k^{-a},

with r the peak of the rate over its mean: f says what is left of a mode, v what its noise costs in units of one step's.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from itertools import product
from typing import Any

import sympy as sp

from ...arguments import instance, number
from ...errors import refusal
from ...reprs import short_repr
from ..asymptotics import EXP, MellinCombination, MellinSymbol, X, power_sum
from ..derivation import DEFINITION, Derivation, Step, asymptotic, step
from ..parameters import as_expression
from ..records import Derived, Form, Regime
from ..references import FLAJOLET_1995, LI_2025_FUNCTIONAL
from ..relations import strongest
from ..symbols import ALPHA, BETA, INDEX, check_task, free_box
from ._argument import BIAS, COUNT, balance_steps, capped_steps
from ._letters import BATCH, INTRINSIC, LARGEST, NOISE, POWER, RANGES
from ._sums import excluded, finite_trace, over_modes
from ._tradeoff import Term, Traded, terms_of
from .cooldown import as_power, decay, may_vanish

_NAMES = {"zeta": "spectrum", "gamma": "shape", "double": "boundary"}
_KINKED = MellinSymbol(((sp.S.Zero, sp.S.One, 2),), function=sp.exp(-X) - 1 + X)
"""e^-x without its first two terms, in sums where those cancel."""


def decayed(power: Any) -> MellinSymbol:
    r"""Return what the noise of a mode costs after a decay :math:`(1 - t/T)^p`, in units of one step's share.

    .. math:: v(y) = (p + 1)\,y^2 \int_0^1 w^{p/(p+1)} e^{-2yw}\,dw \;\sim\; y^{1/(p+1)}

    Parameters
    ----------
    power : Expr or number
        p >= 0; 0 for a constant rate.

    Returns
    -------
    MellinSymbol
        Against :math:`y = \lambda X`: fast modes cost the more, the steeper the rate vanishes.

    Examples
    --------
    >>> decayed(0).function.subs(X, 50).evalf(6)
    25.0000
    """
    found: MellinSymbol = decay(power) * (as_power(power) + 1)
    return found


def averaged_bias(share: Any) -> MellinCombination:
    r"""Return what is left of a mode in the average over the last iterates, at a constant rate.

    .. math:: f(y) = \Big[e^{-(1-g)y}\,\frac{1 - e^{-gy}}{gy}\Big]^2, \qquad y = \lambda X

    Parameters
    ----------
    share : number
        g, the share of the steps that is averaged over; 1 for an average from the start, whose f falls only as :math:`y^{-2}`.

    Returns
    -------
    MellinCombination
        Against y.

    Examples
    --------
    >>> averaged_bias(1).function.subs(X, 100).evalf(4)
    0.0001000
    """
    g = _share(share)
    late = [_KINKED.scale(2 * (1 - g))] if g != 1 else []
    parts = MellinCombination((*late, -2 * _KINKED.scale(2 - g), _KINKED.scale(2)))
    mean = sp.exp((g / 2 - 1) * X) * sp.sinh(g * X / 2) / (g * X / 2)
    return _written(parts.times_power(-2) * (1 / g**2), mean**2)


def averaged(share: Any) -> MellinCombination:
    r"""Return what the noise of a mode costs in the average over the last iterates, in units of one step's share.

    .. math:: v(y) = \frac1g\Big[1 - \frac{1 - e^{-gy}}{gy} - e^{-2(1-g)y}\,\frac{(1 - e^{-gy})^2}{2gy}\Big], \qquad y = \lambda X

    Parameters
    ----------
    share : number
        g, the share of the steps that is averaged over, above 0 and at most 1.

    Returns
    -------
    MellinCombination
        Against y: at most 1/g, however fast a mode.

    Examples
    --------
    >>> averaged(1).function.subs(X, 1000).evalf(4)
    0.9985
    """
    g = _share(share)
    late = [_KINKED.scale(2 * (1 - g)) * -sp.S.Half] if g != 1 else []
    parts = (_KINKED.scale(g), *late, _KINKED.scale(2 - g), _KINKED.scale(2) * -sp.S.Half)
    rest = sp.exp(-g * X / 2) * sp.sinh(g * X / 2) / (g * X / 2)
    cost = (1 - rest - sp.exp(2 * (g - 1) * X) * g * X * rest**2 / 2) / g
    return _written(MellinCombination(parts).times_power(-1) * (1 / g**2), cost)


def _written(parts: MellinCombination, function: sp.Expr) -> MellinCombination:
    """Write the function as a whole, whose parts would cancel each other in numbers."""
    first, *others = parts.symbols
    empty = (replace(entry, function=sp.S.Zero) for entry in others)
    return MellinCombination((replace(first, function=function), *empty))


def _share(value: Any) -> sp.Expr:
    number("share", value, low=0.0, high=1.0, strict=True)
    return sp.nsimplify(as_expression("share", value), rational=True)


@short_repr
@dataclass(frozen=True)
class TunedLimited:
    r"""One-pass SGD with label noise at the best rate for a schedule of given shape, features unlimited.

    Attributes
    ----------
    spectrum_exponent, signal_exponent : Expr or number
        b and a.
    residual, noise : MellinSymbol or MellinCombination
        f and v against :math:`y = \lambda X`: ``EXP.scale(2)`` and `decayed`, or `averaged_bias` and `averaged`.
    peak : Expr or number
        r, the largest rate over the mean: p + 1 for a decay, 1 for averages of a constant rate.
    box : mapping
        Ranges of the parameters in which the derivation is checked.
    """

    spectrum_exponent: Any = ALPHA
    signal_exponent: Any = ALPHA * BETA + 1
    residual: MellinSymbol | MellinCombination = field(default_factory=lambda: EXP.scale(2))
    noise: MellinSymbol | MellinCombination = field(default_factory=lambda: decayed(POWER))
    peak: Any = POWER + 1
    box: Mapping[sp.Symbol, tuple[Any, Any]] = field(default_factory=lambda: RANGES)

    def __post_init__(self) -> None:
        """Refuse what is no exponent, no shape and no spectrum with a finite sum."""
        check_task(self, "residual", "noise")
        finite_trace(self.spectrum_exponent)
        peak = as_expression("peak", self.peak)
        if not peak.is_positive:
            raise refusal("peak", peak, "must be positive: a rate over its mean")
        object.__setattr__(self, "peak", peak)
        self.ranges()

    def ranges(self) -> dict[sp.Symbol, tuple[Any, Any]]:
        """Return the ranges of the parameters that occur."""
        used = (self.spectrum_exponent, self.signal_exponent, self.peak)
        return free_box(self.box, *used, self.residual.function, self.noise.function)

    @classmethod
    def of_power(cls, power: Any, **more: Any) -> TunedLimited:
        """Return the model of a decay (1 - t/T)^p; a stable phase before it changes constants only."""
        return cls(noise=decayed(power), peak=as_power(power) + 1, **more)

    @classmethod
    def of_average(cls, share: Any, **more: Any) -> TunedLimited:
        """Return the model of an average over the last share of the steps, at a constant rate."""
        return cls(residual=averaged_bias(share), noise=averaged(share), peak=1, **more)


def traded_in(model: TunedLimited) -> tuple[Traded, ...]:
    """Pair every kind of bias with every kind of noise."""
    a, b = model.signal_exponent, model.spectrum_exponent
    left, spread = (
        power_sum(a, model.residual.compose(-b)),
        power_sum(0, model.noise.compose(-b)),
    )
    biases = terms_of(left, b, sp.S.One, _NAMES | {"gamma": "saturated"})
    noises = terms_of(spread, b, NOISE / BATCH, _NAMES)
    pairs = (Traded(*pair, LARGEST / model.peak) for pair in product(biases, noises))
    possible = finite_trace(b)
    return tuple(entry for entry in pairs if not excluded(entry.where, possible))


def _named(entry: Traded, kind: str) -> str:
    """Name a regime: easy or hard, and what limits it apart from bias and spectrum."""
    more = [
        part.name
        for part in (entry.bias, *([entry.noise] if kind != "hard" else []))
        if part.name != "spectrum"
    ]
    return ", ".join((kind, *more))


def _others(entry: Traded, pairs: tuple[Traded, ...]) -> list[Term]:
    """List the terms of a sum that lead elsewhere, off the lines."""
    found = [pair.noise for pair in pairs if pair.bias is entry.bias]
    found += [pair.bias for pair in pairs if pair.noise is entry.noise]
    return [term for term in found if not term.logs and term not in (entry.bias, entry.noise)]


def _regimes(pairs: tuple[Traded, ...]) -> tuple[Regime, ...]:
    """List the regimes of the loss: one for each pair where they balance, one for each bias at the largest rate, and the lines."""
    found: list[Regime] = []
    for entry in pairs:
        for kind, relation, outcome in (
            ("easy", sp.Gt, entry.easy),
            ("hard", sp.Lt, entry.hard),
            ("line", sp.Eq, entry.line),
        ):
            condition = entry.condition(relation)
            if condition == sp.false:
                continue
            exponent, constant, logs = outcome()
            logs = int(logs) if isinstance(logs, sp.Integer) else logs
            # of the other regimes' terms, or of the noise that is smaller than the bias
            correction = (sp.S.Zero, sp.S.One)
            if kind == "hard":
                correction = entry.left_out_when_hard()
            elif kind == "easy" and not logs:
                correction = entry.left_out(_others(entry, pairs)) or correction
            found.append(
                Regime(_named(entry, kind), condition, exponent, constant, logs, correction)
            )
    return tuple(found)


def derive_tuned(model: TunedLimited) -> Derived:
    r"""Derive the loss after T steps at the best rate for a schedule of given shape.

    Parameters
    ----------
    model : TunedLimited
        Any spectrum, signal, and shapes of bias and noise.

    Returns
    -------
    Derived
        Regimes: easy tasks, where bias balances noise, limited by the spectrum or by the shape of the decay; hard ones, at the largest rate
        that is allowed; the lines between them, with their logarithms. Constants off lines, in :math:`\sigma^2/B` and :math:`\eta_{\max}`.

    Examples
    --------
    A cosine vanishes as the square of the steps that are left:

    >>> task = {"spectrum_exponent": 2, "signal_exponent": 4}
    >>> [derive_tuned(TunedLimited.of_power(p, **task)).expr for p in (0, 1, 2)]
    [3/5, 3/4, 3/4]
    >>> derive_tuned(TunedLimited.of_average(1, **task)).expr
    3/4
    """
    instance("model", model, TunedLimited)
    pairs = traded_in(model)
    regimes, conditions = _regimes(pairs), _conditions(model)
    return Derived(
        regimes,
        conditions,
        lambda: Derivation(_steps(model, pairs), conditions, model.ranges()),
        piecewise=True,
    )


def derive_rate(model: TunedLimited) -> Derived:
    r"""Derive how the best rate falls with the number of steps.

    Parameters
    ----------
    model : TunedLimited
        As for `derive_tuned`.

    Returns
    -------
    Derived
        Regimes of :math:`\eta_0 \sim T^{-\xi}`. A rate that falls as :math:`(1 + t/t_0)^{-\xi}` while training goes on
        has the intrinsic time of the best rate at every T: it is the best power of an anytime schedule.

    Examples
    --------
    >>> derive_rate(TunedLimited.of_power(0, spectrum_exponent=2, signal_exponent=4)).expr
    3/5
    """
    instance("model", model, TunedLimited)
    pairs = traded_in(model)
    found: list[Regime] = []
    for entry in pairs:
        power, constant, logs = entry.time()
        slower = entry.noise.logs > entry.bias.logs  # on the line, noise asks for less
        for kind, relation, at_most in (
            ("easy", sp.Gt, False),
            ("hard", sp.Lt, True),
            ("line", sp.Eq, not slower),
        ):
            condition = entry.condition(relation)
            if condition == sp.false:
                continue
            best, log = (LARGEST, 0) if at_most else (model.peak * constant, logs)
            if kind == "line" and entry.noise.logs == entry.bias.logs:
                best = sp.Min(LARGEST, model.peak * constant)
            log = int(log) if isinstance(log, sp.Integer) else log
            exponent = sp.S.Zero if kind != "easy" else sp.factor(sp.cancel(1 - power))
            found.append(Regime(_named(entry, kind), condition, exponent, best, log))
    conditions = _conditions(model)

    def build() -> Derivation:
        return Derivation(_steps(model, pairs, tuple(found)), conditions, model.ranges())

    return Derived(tuple(found), conditions, build, piecewise=True)


def derive_shapes(model: TunedLimited) -> Derived:
    r"""Derive the loss at the best rate as `derive_tuned` does, with what the best rate and averages do as forms.

    Parameters
    ----------
    model : TunedLimited
        Any spectrum, signal, and shapes of bias and noise.

    Returns
    -------
    Derived
        As `derive_tuned`. Forms, all of them exponents: ``rate`` (:math:`\xi` in :math:`\eta_0 \sim T^{-\xi}`), ``averaged`` and
        ``averaged_from_start`` (of the loss, with the average over the second half of the iterates, or over all, at a constant rate),
        ``anytime`` and ``anytime_averaged`` (q of the best rate :math:`(1 + t/t_0)^{-q}`, without and with averaging).

    Examples
    --------
    >>> found = derive_shapes(TunedLimited.of_power(1, spectrum_exponent=2, signal_exponent=4))
    >>> {name: form.expr for name, form in found.forms.items()}
    {'rate': 1/2, 'averaged': 3/4, 'averaged_from_start': 3/4, 'anytime': 3/5, 'anytime_averaged': 1/2}
    """
    found = derive_tuned(model)
    task = {
        "spectrum_exponent": model.spectrum_exponent,
        "signal_exponent": model.signal_exponent,
        "box": model.box,
    }
    late, all_of_it = (TunedLimited.of_average(share, **task) for share in (sp.S.Half, 1))
    zero = sp.Symbol("p", nonnegative=True)  # a number that is given for it may be zero
    forms = {
        "rate": Form(derive_rate(model).expr.subs(POWER, zero), "xi: the best rate falls as T^-xi"),
        "averaged": Form(
            derive_tuned(late).expr,
            "exponent of the loss with the average over the second half of the iterates, rate constant",
        ),
        "averaged_from_start": Form(
            derive_tuned(all_of_it).expr,
            "the same with the average over all iterates: the start is forgotten as X^-2 only",
        ),
        "anytime": Form(
            derive_rate(TunedLimited.of_power(0, **task)).expr,
            "q of the best rate (1 + t/t_0)^-q, whose loss has the exponent of the best constant rate at every T",
        ),
        "anytime_averaged": Form(
            derive_rate(late).expr, "q of the best rate (1 + t/t_0)^-q under a running tail average"
        ),
    }
    return replace(found, forms=forms)


def _conditions(model: TunedLimited) -> tuple[sp.Basic, ...]:
    a, b = model.signal_exponent, model.spectrum_exponent
    left = power_sum(a, model.residual.compose(-b))
    spread = power_sum(0, model.noise.compose(-b))
    power = may_vanish(POWER) if POWER in model.noise.function.free_symbols else ()
    return strongest((*finite_trace(b), *left.conditions, *spread.conditions, *power))


def _steps(
    model: TunedLimited, pairs: tuple[Traded, ...], rates: tuple[Regime, ...] = ()
) -> tuple[Step, ...]:
    """Write the argument: the two sums, their balance, that no rate does better, and the largest rate."""
    a, b = model.signal_exponent, model.spectrum_exponent
    left = power_sum(a, model.residual.compose(-b))
    spread = power_sum(0, model.noise.compose(-b))
    resolved = INTRINSIC ** (1 / b)
    steps = [
        step(
            BIAS,
            over_modes(INDEX**-a, model.residual, b, INTRINSIC),
            DEFINITION,
            "bias: what is not learned at the intrinsic time X",
            LI_2025_FUNCTIONAL,
        ),
        step(
            BIAS,
            left.leading(resolved),
            asymptotic(INTRINSIC),
            "leading Mellin residues",
            FLAJOLET_1995,
        ),
        step(
            COUNT,
            over_modes(sp.S.One, model.noise, b, INTRINSIC),
            DEFINITION,
            "what the noise of all modes costs, each in units of sigma^2/(B T)",
            LI_2025_FUNCTIONAL,
        ),
        step(
            COUNT,
            spread.leading(resolved),
            asymptotic(INTRINSIC),
            "leading Mellin residues: of the spectrum, or of how the rate vanishes",
            FLAJOLET_1995,
        ),
    ]
    plain = [entry for entry in pairs if not entry.bias.logs and not entry.noise.logs]
    easy = [entry for entry in plain if entry.condition(sp.Gt) != sp.false]
    hard = [entry for entry in plain if entry.condition(sp.Lt) != sp.false]
    if easy:
        steps += balance_steps(easy, model.peak, rates)
    if hard:
        steps += capped_steps(hard, model.peak)
    return tuple(steps)
