r"""The compute-optimal lazy linear model: seven phases, derived from its bottlenecks.

Online stochastic gradient descent with N features for t steps costs :math:`C = N t`. Its loss is a sum of
bottlenecks, each a law of its own; the optimum balances two of them. For capacity below one the step must shrink with
the model, :math:`\eta \sim 1/\sum_{k \lesssim N} k^{-\alpha} \sim N^{\alpha - 1}`, and what relaxes is the effective time
:math:`t_e = \eta t`. Features are assumed to be Gaussian, or to act as if they were; see the package.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import chain
from typing import Any

import sympy as sp

from ...arguments import flag, instance
from ...reprs import short_repr
from ..asymptotics import RATIONAL, slope_only_sum
from ..derivation import Derivation
from ..optimum import CostLimited, optimum_steps
from ..records import Derived, Regime
from ..references import PAQUETTE_2024
from ..symbols import ALPHA, BETA, C, N, T
from .bottlenecks import (
    ModeLimited,
    TimeLimited,
    TransientLimited,
    derive_mode,
    derive_time,
    derive_transient,
)

_LOG = sp.Symbol("log_C", positive=True)
_CORNER = 2 - sp.sqrt(2)

_NAMES = {
    frozenset({"time", "model"}): "Ia",
    frozenset({"time", "transient"}): "II",
    frozenset({"noise", "transient"}): "III",
}
_NAMES_MIDDLE = {
    frozenset({"time", "model"}): "Ib",
    frozenset({"noise", "model"}): "IVa",
    frozenset({"time", "noise"}): "IVb",
}
_NAMES_LOW = {frozenset({"time", "model"}): "Ib"}
_NAMES_LOW_EASY = {frozenset({"time", "model"}): "Ic"}


@short_repr
@dataclass(frozen=True)
class Case:
    """A part of parameter space with its own sum of bottlenecks.

    Attributes
    ----------
    condition : Basic
        Where.
    model : CostLimited
        The sum and its budget.
    boundary : str
        Name of the line, where the case is a boundary between phases; empty for a region.
    known_log : bool
        Whether the power of the logarithm on that line follows from the sum.
    known_scales : bool
        Whether the optimum determines the scales there.
    """

    condition: sp.Basic
    model: CostLimited
    boundary: str = ""
    known_log: bool = True
    known_scales: bool = True

    def __post_init__(self) -> None:
        """Refuse what is no flag."""
        flag("known_log", self.known_log)
        flag("known_scales", self.known_scales)


@short_repr
@dataclass(frozen=True)
class ComputeLimited:
    """A compute-optimal model whose bottlenecks differ between parts of parameter space.

    Attributes
    ----------
    cases : tuple of Case
        Regions first, then boundaries.
    where : tuple of Relational
        Conditions on the parameters outside of which no case holds.
    """

    cases: tuple[Case, ...] = field(default_factory=lambda: linear_cases())
    where: tuple[sp.Basic, ...] = ()


def derive_compute(model: ComputeLimited, of: sp.Expr | None = None) -> Derived:
    """Derive the compute-optimal exponent in every phase.

    Parameters
    ----------
    model : ComputeLimited
        Regions, their bottlenecks and their budgets.
    of : Expr, optional
        A monomial in the scales whose growth is asked for instead of the loss.

    Returns
    -------
    Derived
        Regimes of all cases; phases of one name and exponent are joined across cases.
    """
    instance("model", model, ComputeLimited)
    regions = [case for case in model.cases if not case.boundary]

    def build() -> Derivation:
        several = len(regions) > 1
        steps = (
            optimum_steps(
                case.model, of, suffix=f"_{number}" if several else "", case=case.condition
            )
            for number, case in enumerate(regions, start=1)
        )
        return Derivation(tuple(chain.from_iterable(steps)), (), _hull(regions))

    regimes = [
        Regime(entry.name, sp.And(case.condition, entry.condition), entry.exponent, entry.constant)
        for case in regions
        for entry in case.model.regimes(of)
    ]
    # where one term leads alone, the scales are free within a range, and their exponents jump
    free = (
        [case.condition for case in model.cases if case.boundary and not case.known_scales]
        if of is not None
        else []
    )
    jumps = tuple(sp.to_nnf(sp.Not(condition)) for condition in free)
    return Derived(
        (*_joined(regimes), *_boundaries(model, of)), (*model.where, *jumps), build, piecewise=True
    )


def derive_boundaries(model: ComputeLimited) -> Derived:
    """Derive where phases meet, and exponent and logarithm of the loss there.

    Parameters
    ----------
    model : ComputeLimited
        Regions and boundaries.

    Returns
    -------
    Derived
        One regime per line.
    """
    instance("model", model, ComputeLimited)
    lines = [case for case in model.cases if case.boundary]

    def build() -> Derivation:
        steps = (
            optimum_steps(case.model, suffix=f"_{number}", case=_off_line(case.condition))
            for number, case in enumerate(lines, start=1)
        )
        return Derivation(tuple(chain.from_iterable(steps)), (), _hull(lines))

    regimes = _boundaries(model, None)
    return Derived(
        tuple(regimes), (sp.Or(*(regime.condition for regime in regimes)),), build, piecewise=True
    )


def _hull(cases: Sequence[Case]) -> dict[sp.Symbol, tuple[Any, Any]]:
    """Return the smallest box that contains the boxes of all cases."""
    box: dict[sp.Symbol, tuple[Any, Any]] = {}
    for case in cases:
        for name, (low, high) in case.model.box.items():
            before = box.get(name, (low, high))
            box[name] = (min(before[0], low), max(before[1], high))
    return box


def _off_line(condition: sp.Basic) -> sp.Basic:
    """Drop the equation of a line from its condition: what is left bounds the parameter along it."""
    return sp.And(*(part for part in sp.And.make_args(condition) if not isinstance(part, sp.Eq)))


def _boundaries(model: ComputeLimited, of: sp.Expr | None) -> list[Regime]:
    found: list[Regime] = []
    for case in model.cases:
        if not case.boundary:
            continue
        if of is not None and not case.known_scales:
            continue
        for regime in case.model.regimes(of):
            power = regime.log_power if case.known_log else None
            power = int(power) if isinstance(power, sp.Integer) else power
            found.append(
                Regime(
                    case.boundary,
                    sp.And(case.condition, regime.condition),
                    regime.exponent,
                    regime.constant,
                    power,
                )
            )
    return found


def _joined(regimes: list[Regime]) -> list[Regime]:
    """Join regimes of one name and exponent whose conditions differ in the range of a single parameter."""
    kept: list[Regime] = []
    for regime in regimes:
        for number, other in enumerate(kept):
            if other.name == regime.name and sp.cancel(other.exponent - regime.exponent) == 0:
                one, two = (set(sp.And.make_args(entry.condition)) for entry in (other, regime))
                rest = sp.Or(sp.And(*(one - two)), sp.And(*(two - one)))
                (name,) = rest.free_symbols
                real = sp.Symbol(name.name, real=True)
                ranges = (_range(part, name) for part in sp.Or.make_args(rest))
                union = sp.Union(*ranges).as_relational(real).subs(real, name)
                kept[number] = Regime(
                    other.name,
                    sp.And(union, *(one & two)),
                    other.exponent,
                    other.constant,
                    other.log_power,
                )
                break
        else:
            kept.append(regime)
    return kept


def _range(condition: sp.Basic, name: sp.Symbol) -> sp.Set:
    """Return where a positive parameter lies between bounds."""
    found = sp.Interval.open(0, sp.oo)
    for part in sp.And.make_args(condition):
        bound = part.rhs if part.lhs == name else part.lhs
        below = part.lts == name
        strict = isinstance(part, (sp.StrictLessThan, sp.StrictGreaterThan))
        found &= (
            sp.Interval(-sp.oo, bound, True, strict)
            if below
            else sp.Interval(bound, sp.oo, strict, True)
        )
    return found


# -- the cases of the linear model --------------------------------------------------------------------------------------


def _powers(derived: Derived, variable: sp.Symbol) -> sp.Expr:
    """Write a bottleneck as the sum of its candidate powers: which one leads is for the optimum to decide."""
    return sp.Add(
        *dict.fromkeys(
            variable ** (-regime.exponent) for regime in derived.regimes if not regime.on_boundary
        )
    )


def linear_cases() -> tuple[Case, ...]:
    """Assemble the bottlenecks of the linear model, region by region and line by line.

    Returns
    -------
    tuple of Case
        Three regions of capacity, then the boundaries between phases.

    Notes
    -----
    A bottleneck appears only where its own sum converges: the transient for capacity above one, gradient noise above one half.
    On a boundary where two powers of a bottleneck meet, its term carries the logarithm that its own law has there; at
    capacity one the trace, and with it the inverse step size, grows as a logarithm of N.
    """
    return _assembled()


@lru_cache(maxsize=1)
def _assembled() -> tuple[Case, ...]:
    time = _powers(derive_time(TimeLimited()), T)
    full = _powers(derive_mode(ModeLimited(N, RATIONAL(1, 1))), N)
    # as many modes as features (up to a factor): only the slopes of the shape are needed, and no trace has to converge
    cut = sp.Add(
        *(
            N**candidate
            for candidate in slope_only_sum(
                ALPHA * BETA + 1, at_zero=ALPHA, at_infinity=0, cutoff=None
            ).candidates
        )
    )
    transient = sp.expand(_powers(derive_transient(TransientLimited()), T) / N)
    noise = _powers(derive_time(TimeLimited(signal_exponent=2 * ALPHA)), T)
    shrunk = N ** (ALPHA - 1)
    budget, slow = (N * T, C), (N ** (2 - ALPHA) * T, C)

    def box(low: Any, high: Any) -> dict[sp.Symbol, tuple[Any, Any]]:
        return {
            ALPHA: (sp.Rational(low), sp.Rational(high)),
            BETA: (sp.Rational(1, 5), sp.Integer(4)),
        }

    def limited(
        terms: Mapping[str, sp.Expr],
        cost: Any,
        ranges: Mapping[sp.Symbol, Any],
        names: Mapping[frozenset[str], str],
        **more: Any,
    ) -> CostLimited:
        return CostLimited(
            terms,
            (N, T),
            C,
            cost,
            box=ranges,
            names=names,
            constants=False,
            reference=PAQUETTE_2024,
            **more,
        )

    above = {"time": time, "model": full, "transient": transient, "noise": noise}
    between = {"time": time, "model": cut, "noise": shrunk * noise}
    below = {"time": time, "model": cut}
    half, one = sp.Rational(1, 2), sp.S.One
    ranges = (box(1, 4), box(half, 1), box(sp.Rational(1, 10), half))
    hard, easy = {BETA: (sp.Rational(1, 5), one)}, {BETA: (one, sp.Integer(4))}
    regions = (
        Case(ALPHA > 1, limited(above, budget, ranges[0], _NAMES)),
        Case(sp.And(ALPHA > half, ALPHA < 1), limited(between, slow, ranges[1], _NAMES_MIDDLE)),
        Case(sp.And(ALPHA <= half, BETA < 1), limited(below, slow, ranges[2] | hard, _NAMES_LOW)),
        Case(
            sp.And(ALPHA <= half, BETA > 1), limited(below, slow, ranges[2] | easy, _NAMES_LOW_EASY)
        ),
    )

    def merged(terms: Mapping[str, sp.Expr], values: Mapping[sp.Symbol, Any]) -> dict[str, sp.Expr]:
        """Insert the equation of a line; two powers of one bottleneck that become equal turn into a logarithm."""
        found = {}
        for name, whole in terms.items():
            parts = sp.Add.make_args(whole)
            inserted = list(dict.fromkeys(sp.powsimp(part.subs(values)) for part in parts))
            found[name] = sp.Add(*inserted) * (_LOG if len(inserted) < len(parts) else 1)
        return found

    def line(
        name: str, condition: sp.Basic, terms: Any, cost: Any, values: Any, ranges: Any, **more: Any
    ) -> Case:
        inside = {key: limits for key, limits in ranges.items() if key not in values}
        inserted = (cost[0].subs(values), cost[1])
        return Case(
            condition,
            limited(merged(terms, values), inserted, inside, {}, logarithm=_LOG),
            name,
            **more,
        )

    at_one = {"time": time, "model": full, "noise": noise / _LOG}
    corner = {"time": time, "model": full}  # noise is smaller there, by the logarithm
    lines = (
        line("Ia | II", sp.And(sp.Eq(BETA, 1), ALPHA > 1), above, budget, {BETA: one}, ranges[0]),
        line(
            "II | III",
            sp.And(sp.Eq(BETA, 2 - 1 / ALPHA), ALPHA > 1),
            above,
            budget,
            {BETA: 2 - 1 / ALPHA},
            ranges[0],
        ),
        line(
            "Ia | Ib",
            sp.And(sp.Eq(ALPHA, 1), BETA < 1),
            at_one,
            (N * T, C / _LOG),
            {ALPHA: one},
            hard,
        ),
        line(
            "III | IVa",
            sp.And(sp.Eq(ALPHA, 1), BETA > 1),
            at_one,
            (N * T, C / _LOG),
            {ALPHA: one},
            easy,
        ),
        line(
            "Ia | Ib | III | IVa",
            sp.And(sp.Eq(ALPHA, 1), sp.Eq(BETA, 1)),
            corner,
            (N * T, C / _LOG),
            {ALPHA: one, BETA: one},
            {},
        ),
        line(
            "Ib | IV",
            sp.And(sp.Eq(BETA, 1), ALPHA > half, ALPHA < 1),
            between,
            slow,
            {BETA: one},
            ranges[1],
        ),
        line(
            "IVa | IVb",
            sp.And(sp.Eq(ALPHA, _CORNER), BETA > 1),
            between,
            slow,
            {ALPHA: _CORNER},
            easy,
            known_scales=False,
        ),
        line("Ib | Ic", sp.And(sp.Eq(BETA, 1), ALPHA < half), below, slow, {BETA: one}, ranges[2]),
        line(
            "Ic | IVb",
            sp.And(sp.Eq(ALPHA, half), BETA >= 1),
            below,
            slow,
            {ALPHA: half},
            easy,
            known_log=False,
        ),
    )
    return (*regions, *lines)
