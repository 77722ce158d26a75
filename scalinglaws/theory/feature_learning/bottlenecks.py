r"""Bottlenecks of the lazy model, met in warped time.

What a finite number of features adds before it saturates, and how the noise of the gradients decays, are known for
a fixed kernel. A growing one passes through the same states at another pace: every power of time becomes a power of
warped time :math:`\tau \sim t^f`. Bottlenecks that do not involve time are those of the lazy model.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import sympy as sp

from ...arguments import instance
from ...reprs import short_repr
from ..derivation import DEFINITION, EQUAL, Derivation, solves, step
from ..linear import TimeLimited, TransientLimited, derive_time, derive_transient
from ..optimum import pieces
from ..records import Derived, Regime
from ..references import BORDELON_2024_FEATURES
from ..symbols import T
from .exponents import (
    BOUNDARY,
    CHI,
    LAZY,
    TAU,
    FeedbackLimited,
    _consistent,
    _power,
    both,
    renamed,
    warps,
)

_F = sp.Symbol("f", positive=True)


@short_repr
@dataclass(frozen=True)
class WarpedLimited:
    """A bottleneck of the lazy model, in a model whose kernel grows.

    Attributes
    ----------
    lazy : object
        The bottleneck, as a model of the linear theory.
    derive : callable
        From `lazy` to how it behaves in time with a fixed kernel.
    feedback : FeedbackLimited
        How the kernel grows.
    """

    lazy: Any = field(default_factory=TransientLimited)
    derive: Callable[[Any], Derived] = derive_transient
    feedback: FeedbackLimited = field(default_factory=FeedbackLimited)


def noise(feedback: FeedbackLimited | None = None) -> WarpedLimited:
    r"""Return the noise of one-pass SGD, :math:`\sum_k \lambda_k^2 e^{-2\lambda_k\tau}`, under a growing kernel."""
    pace = FeedbackLimited() if feedback is None else feedback
    instance("feedback", pace, FeedbackLimited)
    return WarpedLimited(
        TimeLimited(pace.spectrum_exponent, 2 * pace.spectrum_exponent, box=pace.box),
        derive_time,
        pace,
    )


def derive_warped(model: WarpedLimited) -> Derived:
    """Derive how a bottleneck behaves in time where the kernel grows.

    Parameters
    ----------
    model : WarpedLimited
        Any bottleneck in time, and any feedback.

    Returns
    -------
    Derived
        Regimes: those of the bottleneck, combined with those of the feedback. A negative exponent means that it grows.

    Examples
    --------
    >>> derive_warped(WarpedLimited(TransientLimited(2, 2), feedback=FeedbackLimited(2, 2))).expr
    0
    """
    instance("model", model, WarpedLimited)
    found, pace = model.derive(model.lazy), warps(model.feedback)
    regimes, plain = [], []
    for regime in found.regimes:
        for entry in pace:
            where = both(regime.condition, entry.condition)
            if where == sp.false:
                continue
            exponent, logs = (
                sp.factor(regime.exponent * entry.factor),
                sp.cancel(regime.log_power - regime.exponent * entry.log_power),
            )
            if entry.name == BOUNDARY:
                exponent, logs = (
                    sp.cancel(value.subs(_solved(entry.condition))) for value in (exponent, logs)
                )
            regimes.append(Regime(entry.name, where, exponent, None, logs))
            if not regimes[-1].on_boundary and not regime.log_power:
                plain.append((exponent, where))
    lazy = derive_time(model.feedback.lazy)
    conditions = (
        *found.conditions,
        *(part for part in lazy.conditions if part not in found.conditions),
    )

    def build() -> Derivation:
        steps = [renamed(entry, {T: TAU}) for entry in found.derivation.steps]
        regions = [
            entry for entry in pace if not entry.condition.atoms(sp.Eq) and entry.lazy.exponent != 1
        ]
        if plain and regions:
            quantity, m = steps[-1].quantity, _power(model.feedback)
            front = steps[-1].value.subs(TAU, 1)
            solved = pieces(
                [
                    (sp.factor(entry.lazy.exponent * entry.factor), entry.condition)
                    for entry in regions
                ]
            )
            lazy_exponent = sp.Min(
                *(regime.exponent for regime in lazy.regimes if not regime.log_power)
            )
            equation = sp.Eq(CHI, _consistent(m), evaluate=False)
            steps += [
                step(LAZY, lazy_exponent, DEFINITION, "exponent of the lazy loss"),
                step(
                    CHI,
                    solved,
                    solves(equation),
                    "exponent of the loss while the kernel grows",
                    BORDELON_2024_FEATURES,
                ),
                step(_F, CHI / LAZY, DEFINITION, "their ratio"),
                step(
                    TAU, T**_F, DEFINITION, "warped time, up to a constant", BORDELON_2024_FEATURES
                ),
                step(
                    quantity,
                    front * T ** -pieces(plain),
                    EQUAL,
                    "what decays with warped time, decays faster with time",
                ),
            ]
        box = {**model.feedback.box, **found.derivation.box}
        used = set().union(
            *(part.free_symbols for entry in steps for part in (entry.value, entry.where))
        )
        return Derivation(
            tuple(steps), conditions, {name: ends for name, ends in box.items() if name in used}
        )

    return Derived(tuple(regimes), conditions, build, piecewise=True)


def _solved(condition: sp.Basic) -> dict[sp.Symbol, sp.Expr]:
    """Return the values that the equations of a condition fix."""
    equations = [part for part in sp.And.make_args(condition) if isinstance(part, sp.Eq)]
    return {part.lhs: part.rhs for part in equations if isinstance(part.lhs, sp.Symbol)}
