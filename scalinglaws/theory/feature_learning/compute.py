r"""The compute-optimal network that learns features: three regimes, derived from its bottlenecks.

Online stochastic gradient descent with N features for t steps costs :math:`C = N t`. Time, what a finite number of features adds,
and the noise of the gradients fall with warped time, :math:`\tau \sim t^f`; what N features can express does not depend on time. At the
best N two bottlenecks balance.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import sympy as sp

from ..asymptotics import RATIONAL
from ..linear import (
    Case,
    ComputeLimited,
    ModeLimited,
    TransientLimited,
    derive_mode,
    derive_transient,
)
from ..optimum import CostLimited
from ..parameters import as_expression
from ..records import Derived, Regime
from ..references import BORDELON_2024_FEATURES
from ..symbols import ALPHA, BETA, C, N, T
from .bottlenecks import WarpedLimited, derive_warped, noise
from .exponents import FeedbackLimited, both, derive_feedback

_LOG = sp.Symbol("log_C", positive=True)
_LOW, _HIGH = sp.Rational(1, 5), sp.Integer(4)
REGIMES = {
    frozenset({"time", "model"}): "hard",
    frozenset({"time", "transient"}): "easy",
    frozenset({"noise", "transient"}): "super-easy",
}


def compute_limited(power: Any = 1) -> ComputeLimited:
    """Assemble the bottlenecks of a network that learns features, at its compute optimum.

    Parameters
    ----------
    power : Expr or number
        Power m of the feedback: 1 for a rich two-layer network, 0 for a lazy one.

    Returns
    -------
    ComputeLimited
        Hard and easy tasks, each with its own pace of warped time, and the lines between regimes with their logarithms.

    Notes
    -----
    The noise of the gradients enters with the rate at which warped time forgets it. For rich hard tasks it does not decay that fast
    at a fixed learning rate; it then has to be kept below the other bottlenecks by a smaller one.

    Examples
    --------
    >>> from scalinglaws.theory.linear import derive_compute
    >>> derive_compute(compute_limited()).expr.subs({ALPHA: 2, BETA: sp.Rational(1, 2)})
    2/5
    >>> derive_compute(compute_limited(power=0)).expr.subs({ALPHA: 2, BETA: sp.Rational(1, 2)})
    1/3
    """
    return _assembled(as_expression("power", power))


@lru_cache(maxsize=8)
def _assembled(power: sp.Expr) -> ComputeLimited:
    feedback = FeedbackLimited(power=power)
    found = {
        "time": (derive_feedback(feedback), T, sp.S.One),
        "model": (derive_mode(ModeLimited(N, RATIONAL(1, 1))), N, sp.S.One),
        "transient": (
            derive_warped(WarpedLimited(TransientLimited(), derive_transient, feedback)),
            T,
            1 / N,
        ),
        "noise": (derive_warped(noise(feedback)), T, sp.S.One),
    }

    def limited(
        terms: dict[str, sp.Expr], ranges: dict[sp.Symbol, Any], names: Any, **more: Any
    ) -> CostLimited:
        budget = (N * T, C)
        return CostLimited(
            terms,
            (N, T),
            C,
            budget,
            box=ranges,
            names=names,
            constants=False,
            reference=BORDELON_2024_FEATURES,
            **more,
        )

    def inside(condition: sp.Basic) -> dict[str, sp.Expr]:
        """Collect the powers that lead in a region; the lines are where they change."""
        return {
            name: sp.Add(
                *dict.fromkeys(
                    factor * scale**-entry.exponent
                    for entry in derived.regimes
                    if _leads(entry, condition)
                )
            )
            for name, (derived, scale, factor) in found.items()
        }

    capacity = {ALPHA: (1, 4)}
    hard, easy, line = BETA < 1, BETA > 1, sp.Eq(BETA, 1)
    border = 2 - 1 / ALPHA
    at_one = {
        name: factor * _on_line(derived, scale) for name, (derived, scale, factor) in found.items()
    }
    met = {name: term.subs(BETA, border) for name, term in inside(easy).items()}
    cases = (
        Case(
            sp.And(ALPHA > 1, hard), limited(inside(hard), {**capacity, BETA: (_LOW, 1)}, REGIMES)
        ),
        Case(
            sp.And(ALPHA > 1, easy), limited(inside(easy), {**capacity, BETA: (1, _HIGH)}, REGIMES)
        ),
        Case(sp.And(line, ALPHA > 1), limited(at_one, capacity, {}, logarithm=_LOG), "hard | easy"),
        Case(
            sp.And(sp.Eq(BETA, border), ALPHA > 1),
            limited(met, capacity, {}, logarithm=_LOG),
            "easy | super-easy",
        ),
    )
    return ComputeLimited(cases, (ALPHA > 1,))


def _leads(regime: Regime, condition: sp.Basic) -> bool:
    return not regime.on_boundary and both(regime.condition, condition) != sp.false


def _on_line(found: Derived, scale: sp.Symbol) -> sp.Expr:
    """Return a bottleneck at beta = 1: there, two of its powers that become one carry a logarithm."""
    regime = next((entry for entry in found.regimes if entry.on_boundary), found.regimes[0])
    values = {BETA: sp.S.One}
    return scale ** -regime.exponent.subs(values) * _LOG ** sp.sympify(regime.log_power).subs(
        values
    )
