"""Where to stop: read off noisy runs of many sizes at one batch, whose steps count as the batch trade-off says."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .... import theory
from ...comparison import Comparison, Prediction, Rival
from ...estimate import power_law_exponent
from ...registry import Context, check
from .._measured import mean_over

Array = NDArray[np.float64]

BUDGETS = np.geomspace(1e18, 1e24, 9)
_FITTED = {"a_N": 0.076, "a_S": 0.76, "N_c": 6.5e13, "S_c": 2.1e3}
_SHRINKING = {"a_B": 0.21, "B_star": 2.1e8}
_STEADY = 2e6  # a critical batch, in tokens
_BATCH = 5e5  # at which all runs are trained, whatever their loss
_NOISE = 3e-3  # of ln L: what seeds of one size differ by
_SPAN, _ACROSS = 2.0, 25  # of ln N on either side of the best, and sizes in it
_LOGGED = 160  # steps of a run at which it is logged
_HALVINGS = 60
_SIZE_TOLERANCE = 0.03  # absolute: a sixth of what both laws differ by
_LOSS_TOLERANCE = 0.05  # relative
_STOP_TOLERANCE = 0.02  # absolute, of the fraction above the converged loss


@dataclass(frozen=True)
class _Runs:
    """Runs of all sizes at one batch, and what batch is critical at a loss."""

    scale: float
    power: float  # of the loss in the critical batch, sign reversed

    def critical(self, log_loss: Array) -> Array:
        return self.scale * np.exp(-self.power * log_loss)

    def logged(self, sizes: Array) -> tuple[Array, Array]:
        """Train each size for up to very many steps; return ln C_min and ln L on the way, each of shape (sizes, steps)."""
        floor = (_FITTED["N_c"] / sizes[:, None]) ** _FITTED["a_N"]
        steps = np.geomspace(1e2, 1e9, _LOGGED)
        low, high = np.log(floor) + np.zeros_like(steps), np.log(floor) + 60.0
        for _ in range(
            _HALVINGS
        ):  # the batch that is critical depends on the loss that it leads to
            middle = 0.5 * (low + high)
            done = steps / (1 + self.critical(middle) / _BATCH)
            above = np.exp(middle) > floor + (_FITTED["S_c"] / done) ** _FITTED["a_S"]
            low, high = np.where(above, low, middle), np.where(above, middle, high)
        spent = 6 * sizes[:, None] * _BATCH * steps
        return np.log(spent / (1 + _BATCH / self.critical(low))), low

    def isoflop(self, sizes: Array, budget: float) -> Array:
        """Return ln L of each size where the run has done the work of the budget."""
        return np.array(
            [np.interp(np.log(budget), *path) for path in zip(*self.logged(sizes), strict=True)]
        )


@check(
    "empirical.stopping",
    statement="the best size for a compute stops the same factor above its converged loss, whether or not the critical batch grows as "
    "the loss falls; growth of size and loss depend on it",
    laws=("empirical.kaplan_batch", "empirical.kaplan_steps"),
    evidence="exact",
)
def stopping(context: Context) -> Iterator[Comparison]:
    """Runs at one batch, of 25 sizes around the best on nine budgets; nothing in them knows of an optimum."""
    count = context.pick(quick=16, full=200)
    steady: dict[str, Any] = {name: _FITTED[name] for name in ("a_N", "a_S")}
    both = steady | {"a_B": _SHRINKING["a_B"]}
    inverse = {name: 1 / value for name, value in both.items()}
    for name, runs, given, other in (
        ("kaplan_steps", _Runs(_STEADY, 0.0), steady, "kaplan_batch"),
        ("kaplan_batch", _Runs(_SHRINKING["B_star"], inverse["a_B"]), both, "kaplan_steps"),
    ):
        law, rival = theory.law(f"empirical.{name}"), theory.law(f"empirical.{other}")
        elsewhere = both if given is steady else steady
        sizes, losses = _best(runs, count, context.generator(name, 0))
        method = (
            f"least losses of {_ACROSS} sizes on {BUDGETS.size} budgets, ln L with noise {_NOISE:g}"
        )
        label, last = name.replace("_", "-"), float(BUDGETS[-1])
        yield Comparison(
            f"{context.check}/{label}-size",
            Prediction(
                "exponent of the best size with compute",
                "exponent",
                float(law.evaluate("N_growth", **given)),
                f"{law.name}, form N_growth",
            ),
            mean_over(-np.asarray(power_law_exponent(BUDGETS, np.exp(sizes))), method, last),
            tolerance=_SIZE_TOLERANCE,
            rival=Rival(f"that of {rival.name}", float(rival.evaluate("N_growth", **elsewhere))),
            evidence="exact",
        )
        yield Comparison(
            f"{context.check}/{label}-loss",
            Prediction(
                "exponent of the least loss with compute",
                "exponent",
                float(law(**given)),
                f"{law.name}: {law.expr}",
            ),
            mean_over(np.asarray(power_law_exponent(BUDGETS, np.exp(losses))), method, last),
            tolerance=_LOSS_TOLERANCE,
            tolerance_kind="relative",
            rival=Rival(f"that of {rival.name}", float(rival(**elsewhere))),
            evidence="exact",
        )
        floors = _FITTED["a_N"] * (np.log(_FITTED["N_c"]) - sizes)
        yield Comparison(
            f"{context.check}/{label}-stop",
            Prediction(
                "loss of the best size above its converged loss, as a fraction of that",
                "threshold",
                float(law.evaluate("stop", **steady)) - 1,
                f"{law.name}, form stop, less 1",
            ),
            mean_over(np.mean(np.exp(losses - floors), axis=1) - 1, method, last),
            tolerance=_STOP_TOLERANCE,
            rival=Rival(
                "a_N (1/a_S + 1/a_B), were the batch a power of the steps",
                _FITTED["a_N"] * (inverse["a_S"] + inverse["a_B"]),
            ),
            evidence="exact",
        )


def _best(runs: _Runs, count: int, rng: np.random.Generator) -> tuple[Array, Array]:
    """Return ln N of the best size and ln L there, each of shape (count, budgets), by parabolas through noisy runs."""
    wide = np.linspace(10, 45, 141)
    sizes, losses = np.empty((2, count, BUDGETS.size))
    for k, budget in enumerate(BUDGETS):
        middle = wide[np.argmin(runs.isoflop(np.exp(wide), budget))]
        u = middle + np.linspace(-_SPAN, _SPAN, _ACROSS)
        exact = runs.isoflop(np.exp(u), budget)
        noisy = exact[:, None] + _NOISE * rng.standard_normal((_ACROSS, count))
        curves = np.polynomial.polynomial.polyfit(u - middle, noisy, 4)
        fine = np.linspace(-_SPAN, _SPAN, 801)
        values = np.polynomial.polynomial.polyval(fine, curves)
        sizes[:, k] = middle + fine[np.argmin(values, axis=1)]
        losses[:, k] = values.min(axis=1)
    return sizes, losses
