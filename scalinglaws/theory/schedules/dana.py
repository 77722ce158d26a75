r"""Dimension-adapted momentum: how much faster its slow modes are learned, and the compute-optimal model.

The rate of the momentum is :math:`\gamma_3(t) \sim t^{-\nu} N^{-\omega}`, in units of that of the gradient. By power counting, which is
heuristic, modes with :math:`\gamma_3 \lambda t^2 > 1` are learned by time t, at the effective time :math:`\tau = \gamma_3 t^2`;
before that exceeds t, SGD is faster. The bottlenecks of the linear model are met at that pace. With :math:`\nu = 1/b` (decaying) or
:math:`\omega = 1` (constant, until :math:`t \sim N^b`) the noise of small batches stays bounded.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any

import sympy as sp

from ...arguments import instance
from ...errors import refusal
from ...reprs import short_repr
from ..derivation import DEFINITION, EQUAL, Derivation, Step, asymptotic, step
from ..optimum import CostLimited, optimum_steps, pieces
from ..records import Derived, Form
from ..references import FERBACH_2025
from ..relations import against_zero
from ..symbols import ALPHA, BETA, BOX, C, N, T, as_exponent, check_task, free_box
from .bottlenecks import LOG, bottlenecks, inside
from .phases import Diagram, Line, Region

_RATE, _EDGE, _TAU = sp.symbols("gamma_3 lambda_t tau", positive=True)
_TERMS = ("time", "model", "transient", "noise")


@short_repr
@dataclass(frozen=True)
class DanaLimited:
    r"""A lazy linear model that learns with dimension-adapted momentum, one sample or a few at a step, without label noise.

    Attributes
    ----------
    spectrum_exponent, signal_exponent : Expr or number
        b and a: eigenvalues k^-b, signal power k^-a.
    fading : Expr, number or None
        :math:`\nu`: the rate of the momentum falls as :math:`t^{-\nu}`; None for 1/b, the slowest that is stable at any N.
    shrinking : Expr or number
        :math:`\omega`: the rate of the momentum falls as :math:`N^{-\omega}`.
    box : mapping
        Ranges of the parameters in which the derivation is checked.
    """

    spectrum_exponent: Any = ALPHA
    signal_exponent: Any = ALPHA * BETA + 1
    fading: Any = None
    shrinking: Any = 0
    box: Mapping[sp.Symbol, tuple[Any, Any]] = field(default_factory=lambda: BOX)

    def __post_init__(self) -> None:
        """Refuse what is no exponent, and momentum that grows or fades faster than it can help."""
        check_task(self)
        if self.fading is None:
            object.__setattr__(self, "fading", 1 / self.spectrum_exponent)
        for name, of in (("fading", "t^-nu"), ("shrinking", "N^-omega")):
            power = as_exponent(name, getattr(self, name), f"the momentum's rate {of}")
            if power.is_negative:
                raise refusal(name, power, "must be at least 0: the rate does not grow")
            free_box(self.box, power)
            object.__setattr__(self, name, power)
        if (self.fading - 1).is_positive:
            raise refusal("fading", self.fading, "must be at most 1: SGD is faster than that")

    @property
    def pace(self) -> sp.Expr:
        """The effective time, where the momentum helps."""
        return T ** sp.cancel(2 - self.fading) * N**-self.shrinking

    @property
    def gain(self) -> sp.Expr:
        """By how much the effective time exceeds that of SGD: where it does not reach 1, the momentum does not help."""
        return T ** sp.cancel(1 - self.fading) * N**-self.shrinking


@lru_cache(maxsize=16)
def _assembled(
    b: sp.Expr, a: sp.Expr, pace: sp.Expr, gain: sp.Expr, ranges: tuple[Any, ...]
) -> tuple[Diagram, tuple[CostLimited, ...]]:
    """Assemble the bottlenecks where the momentum helps, and region by region where it does not."""
    box = dict(ranges)
    found = bottlenecks(a, b, ranges)
    capped = gain.has(N)

    def limited(condition: sp.Basic, tempo: sp.Expr, cap: sp.Expr | None) -> CostLimited:
        limits = found.limits(condition)
        limits |= {name: box[name] for name in pace.free_symbols & box.keys()}
        terms = found.terms(condition, tempo, *_TERMS)
        if terms["transient"] == terms["model"]:
            del terms["transient"]
        region = () if isinstance(found.source, sp.Symbol) or condition == sp.true else (condition,)
        above = () if found.above == sp.true else (found.above,)
        names = {
            frozenset({"time", "model"}): "Ia",
            frozenset({"time", "transient"}): "II",
            frozenset({"noise", "transient"}): "III",
            frozenset({"transient", f"{cap} <= 1"}): "III",
            frozenset({"model", "transient"}): "floor",
        }
        return CostLimited(
            terms,
            (N, T),
            C,
            (N * T, C),
            () if cap is None else ((cap, 1),),
            limits,
            where=tuple(part for part in (*above, *region) if part != sp.true and limits),
            names=names,
            constants=False,
            logarithm=LOG if any(term.has(LOG) for term in terms.values()) else None,
            reference=FERBACH_2025,
        )

    regions, slow = [], []
    for _, condition in found.regions():
        whole = sp.And(found.above, condition)
        regions.append(Region(whole, limited(condition, pace, 1 / gain if capped else None)))
        if capped:
            slow.append(limited(condition, T, gain))
    line = None
    if at := found.line():
        ((name, value),) = at.items()
        line = Line(name, value, found.above.subs(at))
    return Diagram(tuple(regions), line), tuple(slow)


def derive_dana(model: DanaLimited, of: sp.Expr | None = None) -> Derived:
    r"""Derive the compute-optimal exponents of dimension-adapted momentum; its pace is a heuristic of power counting.

    Parameters
    ----------
    model : DanaLimited
        Any spectrum, signal and rate of the momentum.
    of : Expr, optional
        A monomial in N and t whose growth is asked for instead of the loss.

    Returns
    -------
    Derived
        One regime per balance, and the lines between them. The form ``features`` has the growth of the best size, ``time`` the
        exponent of the loss against steps, before N features limit it.

    Raises
    ------
    DomainError
        If less momentum, or none, would do better somewhere: that has to be derived by itself.

    Examples
    --------
    >>> hard = DanaLimited(spectrum_exponent=2, signal_exponent=2)
    >>> derive_dana(hard).expr, derive_dana(DanaLimited(2, 2, fading=0, shrinking=1)).expr
    (3/7, 2/5)
    >>> derive_dana(DanaLimited(2, 2, fading=1)).expr  # no faster than SGD
    1/3
    """
    instance("model", model, DanaLimited)
    diagram, slow = _assembled(
        model.spectrum_exponent,
        model.signal_exponent,
        model.pace,
        model.gain,
        tuple(model.box.items()),
    )
    for region, other in zip(diagram.regions, slow, strict=False):
        _fastest(region, other)
    where = (sp.Gt(model.spectrum_exponent, 1),)
    conditions = tuple(part for part in (*where, *diagram.jumps(of)) if part != sp.true)
    forms = {} if of is not None else _forms(model)
    asked = N if of is None and "features" in forms else of

    def build() -> Derivation:
        steps = [*_pace_steps(model), *_region_steps(diagram.regions, slow, asked)]
        return Derivation(tuple(steps), (), diagram.box)

    return Derived(diagram.regimes(of), conditions, build, piecewise=True, forms=forms)


def _fastest(region: Region, slow: CostLimited) -> None:
    """Refuse where it is better not to wait until the momentum helps."""
    for one, here in region.model.winners:
        for two, there in slow.winners:
            gap = sp.cancel(one.exponent(C) - two.exponent(C))
            worse = sp.And(region.condition, here, there, sp.Gt(gap, 0))
            try:
                point = inside(region.model.box, worse)
            except ValueError:
                continue
            raise refusal(
                "model",
                point,
                "does better without its momentum: the two have to be derived apart",
                shown=False,
            )


def _pace_steps(model: DanaLimited) -> list[Step]:
    """Write down the pace: which modes are learned when, and what the loss does while features are many."""
    loss = sp.Symbol("L_t", positive=True)
    rate = T**-model.fading * N**-model.shrinking
    powers = _in_time(model)
    steps = [
        step(
            _RATE,
            rate,
            DEFINITION,
            "rate of the momentum, in units of that of the gradient: the largest that small batches allow",
            FERBACH_2025,
        ),
        step(
            _EDGE,
            1 / (_RATE * T**2),
            DEFINITION,
            "heuristic: momentum that has been building up for t has learned the modes with gamma_3 lambda t^2 > 1",
            FERBACH_2025,
        ),
        step(_TAU, 1 / _EDGE, DEFINITION, "effective time: SGD would have learned them by then"),
        step(_TAU, model.pace, EQUAL, "a power of time, longer than time itself once it helps"),
    ]
    if powers:
        (slowest, *others) = powers
        leading = _TAU**-slowest
        if others:
            (other,) = others
            leading = sp.Piecewise(
                (leading, against_zero(other - slowest, sp.Gt)),
                (_TAU**-other, against_zero(slowest - other, sp.Gt)),
            )
        steps += [
            step(
                loss,
                sp.Add(*(_TAU**-power for power in powers)),
                DEFINITION,
                "what is unlearned, and what is left of the noise of the first steps, features unlimited",
            ),
            step(loss, leading, asymptotic(T), "the slower one is left"),
        ]
    return steps


def _in_time(model: DanaLimited) -> tuple[sp.Expr, ...]:
    """Return the exponents of the loss in effective time; nothing where two of them are equal numbers."""
    found = bottlenecks(model.signal_exponent, model.spectrum_exponent, tuple(model.box.items()))
    terms = found.terms(sp.true, T, "time", "noise")
    powers = tuple(sp.cancel(-term.as_base_exp()[1]) for term in terms.values())
    return powers if sp.cancel(powers[0] - powers[1]) != 0 else powers[:1]


def _region_steps(
    regions: tuple[Region, ...], slow: tuple[CostLimited, ...], of: sp.Expr | None
) -> Iterator[Step]:
    """Write the steps of the optimum region by region, with and, where that is a choice, without momentum."""
    for number, region in enumerate(regions, start=1):
        suffix = f"_{number}" if len(regions) > 1 else ""
        case = region.condition
        if not slow:
            yield from optimum_steps(region.model, of, suffix=suffix, case=case)
            continue
        before = f"_0{number}" if len(regions) > 1 else "_0"
        yield from optimum_steps(slow[number - 1], suffix=before, case=case)
        yield from optimum_steps(region.model, of, suffix=suffix, case=case)
        least = sp.Symbol(f"e{suffix}", real=True)
        claimed, without = (
            pieces([(one.exponent(C), where) for one, where in program.winners])
            for program in (region.model, slow[number - 1])
        )
        yield step(
            least,
            sp.Min(claimed, without, evaluate=False),
            DEFINITION,
            "either so few steps that momentum does not help, or so many that it does: what falls faster",
            where=case,
        )
        yield step(least, claimed, EQUAL, "enough steps for the momentum to help", where=case)


def _forms(model: DanaLimited) -> dict[str, Form]:
    fast = sp.cancel(2 - model.fading)
    until = " between t = N^(omega/(1 - nu)) and the floor" if model.shrinking != 0 else ""
    forms = {
        "time": Form(
            fast * sp.Min(*_in_time(model)),
            f"exponent of the loss against steps, features unlimited{until}",
        )
    }
    size = derive_dana(replace(model), N).expr
    forms["features"] = Form(size, "power of C with which the best number of features grows")
    forms["steps"] = Form(1 - size, "power of C with which the best number of steps grows")
    return forms
