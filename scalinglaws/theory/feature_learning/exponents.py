r"""Exponents of a kernel that grows while it learns, from self-consistency.

What a network learns makes its kernel larger, and a larger kernel learns faster. If the lazy model's loss falls as
:math:`t^{-\chi_0}` and the kernel grows with the error that was released, :math:`s^m` with :math:`s - 1 \sim \gamma\int L\,dt`, then
the loss falls as :math:`\tau^{-\chi_0}` in the warped time :math:`\tau = \int s^m\,dt`, and its exponent in t solves

.. math:: \chi = \chi_0\,[1 + m \max(0, 1 - \chi)].

The same follows without an ansatz by integrating over warped time, which also gives the dependence on :math:`\gamma`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import sympy as sp

from ...arguments import instance
from ...errors import refusal
from ...reprs import short_repr
from ..asymptotics import EXP, MellinCombination, MellinSymbol
from ..derivation import DEFINITION, EQUAL, Derivation, Step, asymptotic, balances, solves, step
from ..fixed_points import FixedPointBranch, fixed_point
from ..linear import TimeLimited, derive_time
from ..monomials import reduced
from ..optimum import pieces
from ..records import Derived, Regime
from ..references import BORDELON_2024_FEATURES
from ..relations import against_zero
from ..symbols import ALPHA, BETA, BOX, T, as_exponent, check_task, free_box

TAU, GAMMA, LAZINESS = sp.symbols("tau gamma ell", positive=True)
LEVEL = sp.Symbol("n", positive=True)
LOSS, CONSTANT, LAZY, CHI = sp.symbols("L c chi_0 chi", positive=True)
BOUNDARY = "hard | easy"
_E, _A, _G, _W, _D, _S, _TIME, _V, _RATE, _START = sp.symbols(
    "E A g W D s t_tau v a T_star", positive=True
)


@short_repr
@dataclass(frozen=True)
class FeedbackLimited:
    r"""A model limited by training time, whose kernel grows with what it has learned.

    In warped time :math:`\tau = \int s^m\,dt` it is the lazy model; :math:`s` grows with the released error,

    .. math:: L(\tau) = \sum_k s_k\,r(2\tau\lambda_k), \qquad \frac{ds}{dt} \propto \gamma L, \qquad \lambda_k = k^{-b},\ s_k = k^{-a}

    Attributes
    ----------
    spectrum_exponent, signal_exponent : Expr or number
        b and a.
    residual : MellinSymbol or MellinCombination
        r(x): fraction of a mode's power still unlearned.
    power : Expr or number
        m: the kernel grows as the m-th power of s; 1 for two layers, 0 for a lazy model.
    box : mapping
        Ranges of the parameters in which the derivation is checked.
    """

    spectrum_exponent: Any = ALPHA
    signal_exponent: Any = ALPHA * BETA + 1
    residual: MellinSymbol | MellinCombination = EXP
    power: Any = 1
    box: Mapping[sp.Symbol, tuple[Any, Any]] = field(default_factory=lambda: BOX)

    def __post_init__(self) -> None:
        """Refuse what is no exponent and no shape."""
        check_task(self, "residual")
        power = as_exponent("power", self.power, "the growth s^m of the kernel")
        object.__setattr__(self, "power", power)

    @property
    def lazy(self) -> TimeLimited:
        """The same model with a kernel that does not grow."""
        return TimeLimited(self.spectrum_exponent, self.signal_exponent, self.residual, self.box)


@short_repr
@dataclass(frozen=True)
class Warp:
    r"""How warped time grows with time in one regime: :math:`\tau \sim t^f \log^k t`.

    Attributes
    ----------
    name : str
        ``"hard"``, ``"easy"``, or the boundary between them.
    condition : Basic
        Where.
    lazy : Regime
        The lazy loss there.
    factor : Expr
        f, by which every exponent of the lazy model is multiplied.
    log_power : Expr
        k.
    """

    name: str
    condition: sp.Basic
    lazy: Regime
    factor: sp.Expr
    log_power: sp.Expr


def warps(model: FeedbackLimited) -> tuple[Warp, ...]:
    """Derive how warped time grows, in every regime of the lazy loss and of the feedback.

    Parameters
    ----------
    model : FeedbackLimited
        Any spectrum, signal, residual and power.

    Returns
    -------
    tuple of Warp
        Regions first, then boundaries.

    Examples
    --------
    >>> for entry in warps(FeedbackLimited()):
    ...     print(entry.name, entry.condition, entry.factor, entry.log_power)
    hard beta < 1 2/(beta + 1) 0
    easy beta > 1 1 0
    hard | easy Eq(beta, 1) 1 1/2
    """
    instance("model", model, FeedbackLimited)
    m = _power(model)
    found = derive_time(model.lazy)
    regions: list[Warp] = []
    lines: list[Warp] = []
    for regime in found.regimes:
        (lines if regime.on_boundary else regions).extend(_warps_of(regime, m))
    lines = [entry for entry in [*regions, *lines] if entry.condition.atoms(sp.Eq)]
    return (*(entry for entry in regions if not entry.condition.atoms(sp.Eq)), *lines)


def _warps_of(regime: Regime, m: sp.Expr) -> list[Warp]:
    """Combine one regime of the lazy loss with every branch of the feedback."""
    found = []
    x, logs = regime.exponent, regime.log_power
    branches = sorted(_branches(m), key=lambda entry: entry.solution == LAZY) if m != 0 else []
    for branch in branches:
        condition = sp.And(
            *(
                against_zero((part.gts - part.lts).subs(LAZY, x), sp.Gt)
                for part in branch.conditions
            )
        )
        easy = branch.solution == LAZY
        factor = sp.factor(branch.solution.subs(LAZY, x) / x)
        # the log of the lazy loss feeds back as well: s^(m+1) ~ tau^(1-x) log^l tau
        spread = sp.S.Zero if easy else sp.cancel(logs * m / (1 + m * x))
        found.append(Warp("easy" if easy else "hard", condition, regime, factor, spread))
    found.append(
        Warp(
            BOUNDARY,
            against_zero(x - 1, sp.Eq),
            regime,
            sp.S.One,
            sp.cancel((logs + 1) * m / (m + 1)),
        )
    )
    if m == 0:
        found = [Warp("lazy", sp.true, regime, sp.S.One, sp.S.Zero)]
    joined = ((entry, both(regime.condition, entry.condition)) for entry in found)
    return [
        Warp(entry.name, where, regime, entry.factor, entry.log_power)
        for entry, where in joined
        if where != sp.false
    ]


def both(one: sp.Basic, two: sp.Basic) -> sp.Basic:
    """Join two conditions; false where they bound one parameter from above and below with nothing in between.

    Examples
    --------
    >>> both(BETA < 1, BETA > 1), both(sp.Eq(BETA, 1), BETA < 2)
    (False, Eq(beta, 1))
    """
    joined = sp.And(one, two)
    ends: dict[sp.Symbol, list[Any]] = {}
    lines: dict[sp.Symbol, sp.Expr] = {}
    for part in sp.And.make_args(joined):
        if part.is_Relational and isinstance(part.lhs, sp.Symbol) and part.rhs.is_number:
            low, high = ends.setdefault(part.lhs, [-sp.oo, sp.oo])
            if isinstance(part, sp.Eq):
                lines[part.lhs] = part.rhs
            elif isinstance(part, (sp.Gt, sp.Ge)):
                ends[part.lhs] = [max(low, part.rhs), high]
            else:
                ends[part.lhs] = [low, min(high, part.rhs)]
    if any(low >= high for low, high in ends.values()):
        return sp.false
    kept = [
        part.subs(lines) if not isinstance(part, sp.Eq) else part
        for part in sp.And.make_args(joined)
    ]
    return sp.And(*kept)


def _power(model: FeedbackLimited) -> sp.Expr:
    m = sp.sympify(model.power)
    if not m.is_nonnegative:
        raise refusal("power", m, "must be a number >= 0, or a positive symbol")
    return m


def _branches(m: sp.Expr) -> tuple[FixedPointBranch, ...]:
    """Solve the self-consistent equation for the exponent."""
    return fixed_point(_consistent(m), CHI).branches


def _consistent(m: sp.Expr) -> sp.Expr:
    return LAZY * (1 + m * sp.Max(0, 1 - CHI))


# -- the law ------------------------------------------------------------------------------------------------------------


def derive_feedback(model: FeedbackLimited) -> Derived:
    """Derive how fast a model learns whose kernel grows with what it has learned.

    Parameters
    ----------
    model : FeedbackLimited
        Any spectrum, signal, residual and power of the feedback.

    Returns
    -------
    Derived
        Regimes of ``L(t)``: hard tasks, whose lazy exponent is below one and which learn faster, easy ones, and the boundary
        with its logarithm. Exponents only.

    Examples
    --------
    >>> derive_feedback(FeedbackLimited(spectrum_exponent=2, signal_exponent=2)).expr
    2/3

    A kernel that grows as the square of what was learned (three layers):

    >>> derive_feedback(FeedbackLimited(spectrum_exponent=2, signal_exponent=2, power=2)).expr
    3/4
    """
    instance("model", model, FeedbackLimited)
    found = warps(model)
    regimes = []
    for entry in found:
        x = sp.S.One if entry.name == BOUNDARY else entry.lazy.exponent
        regimes.append(
            Regime(
                entry.name,
                entry.condition,
                sp.factor(x * entry.factor),
                None,
                sp.cancel(entry.lazy.log_power - x * entry.log_power),
            )
        )
    return Derived(
        tuple(regimes),
        derive_time(model.lazy).conditions,
        lambda: _feedback_derivation(model, found),
        piecewise=True,
    )


def _feedback_derivation(model: FeedbackLimited, found: tuple[Warp, ...]) -> Derivation:
    lazy, m = derive_time(model.lazy), _power(model)
    regions = [
        entry
        for entry in found
        if not entry.condition.atoms(sp.Eq)
        and not entry.lazy.log_power
        and entry.lazy.exponent != 1
    ]
    steps = lazy_steps(lazy)
    if m == 0:
        steps += [
            step(TAU, T, DEFINITION, "a kernel that does not grow"),
            step(LOSS, CONSTANT * T**-LAZY, EQUAL, "a power of time"),
        ]
    elif regions:
        steps += [*_consistency(regions, m), *_through_warped_time(regions, m)]
    return Derivation(tuple(steps), lazy.conditions, _box(model))


def _box(model: FeedbackLimited) -> dict[sp.Symbol, tuple[Any, Any]]:
    return free_box(
        model.box,
        model.signal_exponent,
        model.spectrum_exponent,
        model.power,
        model.residual.function,
    )


def lazy_steps(lazy: Derived) -> list[Step]:
    """Write the steps of the lazy loss with warped time in place of time."""
    kept = [renamed(entry, {T: TAU}) for entry in lazy.derivation.steps]
    plain = [regime.exponent for regime in lazy.regimes if not regime.log_power]
    if plain:
        kept += [
            step(LAZY, sp.Min(*plain), DEFINITION, "the exponent of the lazy model"),
            step(
                LOSS,
                CONSTANT * TAU**-LAZY,
                EQUAL,
                "what holds for time in the lazy model holds for warped time in the rich one",
            ),
        ]
    return kept


def renamed(entry: Step, names: Mapping[sp.Symbol, sp.Symbol]) -> Step:
    """Write a step in other symbols."""
    relation = entry.relation
    if relation.variable is not None:
        relation = asymptotic(names.get(relation.variable, relation.variable))
    reason = entry.reason
    for old, new in names.items():  # formulas in words
        reason = re.sub(rf"(?<=\*){old}\b", str(new), reason)
    return Step(entry.expr.xreplace(names), relation, reason, entry.reference, entry.where)


def _cases(regions: list[Warp], hard: sp.Expr, easy: sp.Expr) -> sp.Expr:
    """Write a quantity that differs between hard and easy tasks."""
    return pieces([(hard if entry.name == "hard" else easy, entry.condition) for entry in regions])


def integral(function: sp.Expr, variable: sp.Symbol, upper: sp.Expr) -> sp.Expr:
    """Write an integral from 0 to `upper` as one over the half line, with the variable at upper/(1 + v)."""
    place = upper / (1 + _V)
    return sp.Integral(function.subs(variable, place) * upper / (1 + _V) ** 2, (_V, 0, sp.oo))


def _consistency(regions: list[Warp], m: sp.Expr) -> list[Step]:
    """Write the argument by an ansatz that must reproduce itself."""
    solved = pieces(
        [(sp.factor(entry.lazy.exponent * entry.factor), entry.condition) for entry in regions]
    )
    equation = sp.Eq(CHI, _consistent(m), evaluate=False)
    return [
        step(
            CHI,
            solved,
            solves(equation),
            "each branch of the maximum, kept where it is the larger one",
            BORDELON_2024_FEATURES,
        ),
        step(
            _E,
            integral((1 + T) ** -CHI, T, T),
            DEFINITION,
            "error released up to time t if the loss falls as t^-chi",
        ),
        step(
            _E,
            _cases(regions, T ** (1 - CHI) / (1 - CHI), 1 / (CHI - 1)),
            asymptotic(T),
            "it grows where chi < 1 and is finite where chi > 1",
        ),
        step(
            _A, _cases(regions, 1 / (1 - CHI), 1 / (CHI - 1)), DEFINITION, "the constant in front"
        ),
        step(_G, sp.Max(0, 1 - CHI), DEFINITION, "its exponent"),
        step(
            _E, _A * T**_G, EQUAL, "the kernel grows as the power m of this", BORDELON_2024_FEATURES
        ),
        step(
            _W,
            integral((_A * T**_G) ** m, T, T),
            DEFINITION,
            "warped time: the kernel, integrated over time",
        ),
        step(_W, _A**m * T ** (1 + m * _G) / (1 + m * _G), EQUAL, "a power of time"),
        step(_D, CONSTANT * _W**-LAZY, DEFINITION, "the loss at that warped time"),
        step(
            _RATE, CONSTANT * (_A**m / (1 + m * _G)) ** -LAZY, DEFINITION, "the constant in front"
        ),
        step(_D, _RATE * T**-CHI, EQUAL, "the ansatz reproduces itself"),
    ]


def _grown(m: sp.Expr) -> dict[str, sp.Expr]:
    """Return kernel variable and elapsed time at warped time tau, as leading powers, for hard and easy tasks."""
    hard = ((m + 1) * GAMMA * TAU ** (1 - LAZY) / (1 - LAZY)) ** (1 / (m + 1))
    easy = (1 + (m + 1) * GAMMA / (LAZY - 1)) ** (1 / (m + 1))
    slowed = (1 + m * LAZY) / (m + 1)  # = 1 - m (1 - x)/(m + 1)
    return {
        "hard": hard,
        "easy": easy,
        "hard time": TAU**slowed / (slowed * ((m + 1) * GAMMA / (1 - LAZY)) ** (m / (m + 1))),
        "easy time": TAU / easy**m,
        "hard warp": (T * slowed * ((m + 1) * GAMMA / (1 - LAZY)) ** (m / (m + 1))) ** (1 / slowed),
        "easy warp": T * easy**m,
    }


def _through_warped_time(regions: list[Warp], m: sp.Expr) -> list[Step]:
    """Write the argument by integration over warped time; no ansatz, and gamma comes out."""
    at = _grown(m)
    kernel = (1 + (m + 1) * GAMMA * integral((1 + TAU) ** -LAZY, TAU, TAU)) ** (1 / (m + 1))
    grown = _cases(regions, at["hard"], at["easy"])
    warp = _cases(regions, at["hard warp"], at["easy warp"])
    amplitude = sp.Symbol("c_gamma", positive=True)
    return [
        step(
            _S,
            kernel,
            DEFINITION,
            "once more without an ansatz: s^m ds/dtau is gamma times the loss",
            BORDELON_2024_FEATURES,
        ),
        step(_S, grown, asymptotic(TAU), "its leading power"),
        step(
            _TIME,
            integral(_cases(regions, at["hard"], at["easy"]) ** -m, TAU, TAU),
            DEFINITION,
            "time that has passed: dt = dtau/s^m",
        ),
        step(
            _TIME,
            _cases(regions, at["hard time"], at["easy time"]),
            EQUAL,
            "a power of warped time",
        ),
        step(TAU, warp, solves(sp.Eq(_TIME, T, evaluate=False)), "warped time at time t"),
        step(
            amplitude,
            CONSTANT * (warp / T ** (CHI / LAZY)) ** -LAZY,
            DEFINITION,
            "the constant in front, gamma included",
        ),
        step(LOSS, amplitude * T**-CHI, EQUAL, "the same exponent"),
    ]


# -- the crossover ------------------------------------------------------------------------------------------------------


def derive_crossover(model: FeedbackLimited) -> Derived:
    r"""Derive when a weakly rich model leaves the lazy curve.

    Parameters
    ----------
    model : FeedbackLimited
        Any spectrum, signal, residual and power of the feedback.

    Returns
    -------
    Derived
        Growth exponent of the crossover time in :math:`1/\gamma`, for hard tasks; easy ones stay on the lazy curve but for a
        constant.

    Raises
    ------
    DomainError
        If the task is hard for no parameters.

    Examples
    --------
    >>> derive_crossover(FeedbackLimited(spectrum_exponent=2, signal_exponent=2)).expr
    2
    """
    instance("model", model, FeedbackLimited)
    m = _power(model)
    lazy = derive_time(model.lazy)
    hard = [
        entry
        for entry in warps(model)
        if entry.name == "hard" and not entry.condition.atoms(sp.Eq) and not entry.lazy.log_power
    ]
    if not hard:
        raise refusal(
            "model",
            model,
            f"the lazy exponent {lazy.expr} is never below one: the kernel stays bounded and "
            "nothing crosses over",
            named=False,
        )
    regimes, conditions = [], []
    for entry in hard:
        x = entry.lazy.exponent
        rich, gamma_power = x * entry.factor, -m * x / (1 + m * x)
        # gamma^g t^-chi = t^-x at t = gamma^p
        power = gamma_power / (rich - x)
        regimes.append(Regime("hard", entry.lazy.condition, reduced(-power), None))
        conditions.append(entry.condition)
    where = () if sp.true in conditions else (sp.Or(*conditions),)
    exponent = pieces(
        [
            (regime.exponent, condition)
            for regime, condition in zip(regimes, conditions, strict=True)
        ]
    )

    def build() -> Derivation:
        at = _grown(m)
        kernel = (1 + (m + 1) / LAZINESS * integral((1 + TAU) ** -LAZY, TAU, TAU)) ** (1 / (m + 1))
        inverse = {GAMMA: 1 / LAZINESS}
        early, late, share = sp.symbols("L_lazy L_rich A", positive=True)
        slowed = (1 + m * LAZY) / (m + 1)
        growth = slowed * ((m + 1) / (1 - LAZY)) ** (m / (m + 1))
        steps = [
            *lazy_steps(lazy),
            step(
                _S,
                kernel,
                DEFINITION,
                "s^m ds/dtau is gamma = 1/ell times the loss",
                BORDELON_2024_FEATURES,
            ),
            step(
                _S,
                at["hard"].subs(inverse),
                asymptotic(TAU),
                "its leading power: the kernel grows without bound",
            ),
            step(
                _TIME,
                integral(at["hard"].subs(inverse) ** -m, TAU, TAU),
                DEFINITION,
                "time that has passed: dt = dtau/s^m",
            ),
            step(_TIME, at["hard time"].subs(inverse), EQUAL, "a power of warped time"),
            step(
                TAU,
                at["hard warp"].subs(inverse),
                solves(sp.Eq(_TIME, T, evaluate=False)),
                "warped time at time t",
            ),
            step(late, CONSTANT * TAU**-LAZY, DEFINITION, "the rich loss"),
            step(
                share, growth ** (-(m + 1) / (m * (1 - LAZY))), DEFINITION, "the constant in front"
            ),
            step(early, CONSTANT * T**-LAZY, DEFINITION, "the lazy loss"),
            step(
                T,
                share * LAZINESS**exponent,
                balances(sp.Eq(early, late, evaluate=False)),
                "where the two curves meet",
            ),
        ]
        return Derivation(
            tuple(steps),
            (*lazy.conditions, *conditions) if len(conditions) == 1 and where else lazy.conditions,
            _box(model),
        )

    return Derived(tuple(regimes), (*lazy.conditions, *where), build, piecewise=len(regimes) > 1)
