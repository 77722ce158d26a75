"""Intervals of losses beyond the runs: of a law that holds, and of one that drifts away from runs of more compute."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ....equality import by_value
from ....reprs import short_repr
from ... import empirical
from ...comparison import Comparison, Prediction, Rival
from ...empirical.fits import Fit, fit_law, forecast
from ...empirical.fits._forecast import INTERVALS
from ...empirical.fits._optimal_points import optimal_point
from ...registry import Context, check
from .recovery import LEVEL, SURFACE, isoflop_runs
from .tasks import share

Array = NDArray[np.float64]

HORIZONS = (0.5, 1.0, 2.0)
"""Decades above the largest budget."""
NOISE = 0.003  # of the logarithm of a loss
MISFIT = 0.006  # per root of a decade: how far the law drifts
COVERAGE_TOLERANCE = 0.06  # absolute: calibrated intervals are wide, and nearly all may cover
_NORMAL = 1.959963984540054


@short_repr
@dataclass(frozen=True)
@by_value
class DrawnRuns:
    """Runs that were drawn, and what lies beyond them.

    Attributes
    ----------
    table : dict of str to ndarray
        N, D and loss of 60 runs at six budgets.
    beyond : dict of str to ndarray, shape (3,)
        N and D of the best models at `HORIZONS` above the largest budget.
    log_loss : ndarray, shape (3,)
        Their losses without noise.
    """

    table: dict[str, Array]
    beyond: dict[str, Array]
    log_loss: Array


def draw(misfit: float, rng: np.random.Generator) -> DrawnRuns:
    r"""Draw runs of a surface that is off by a Brownian path in :math:`\log_{10} C` from the first budget on, and by noise."""
    law = fit_law("surface")
    x = law.coordinates(SURFACE)
    columns = isoflop_runs()
    compute = np.log10(6 * columns["N"] * columns["D"])
    budgets = np.unique(compute.round(6))
    places = np.append(budgets, budgets[-1] + np.array(HORIZONS))
    steps = np.sqrt(np.diff(places)) * rng.normal(size=places.size - 1)
    path = misfit * np.append(0.0, np.cumsum(steps))
    size, data, loss = optimal_point("surface", SURFACE, 10 ** places[budgets.size :])
    off = path[np.searchsorted(budgets, compute.round(6))]
    values = law.predict(x, columns) + off + NOISE * rng.normal(size=compute.size)
    return DrawnRuns(
        {**columns, "loss": np.exp(values)},
        {"N": size, "D": data},
        np.log(loss) + path[budgets.size :],
    )


def covered(found: Fit, drawn: DrawnRuns, law: str | None = None) -> Mapping[str, Array]:
    """Tell which horizons each kind of interval of 95 % covers."""
    told = forecast(found, drawn.beyond, law=law)
    error = np.abs(told.log_loss - drawn.log_loss)
    return {
        name: error <= _NORMAL * np.sqrt(getattr(told, f"{name}_variance")) for name in INTERVALS
    }


@check(
    "empirical.calibration",
    statement="calibrated intervals of losses beyond the runs cover them where the law drifts, those of the law where it holds",
    no_law="the losses are those of runs that were drawn; what is tested are intervals",
    effort="full",
)
def calibrated_intervals(context: Context) -> Iterator[Comparison]:
    """How often they do, counted over sets of 60 runs up to 1e21 FLOP, up to two decades beyond."""
    sets = context.pick(quick=100, full=400)
    hits = {name: np.zeros(len(HORIZONS), dtype=int) for name in INTERVALS}
    for r in range(sets):
        drawn = draw(MISFIT, context.generator("drifting", r))
        found = empirical.fit("auto", drawn.table, delta=np.inf, bootstrap=0)
        for name, inside in covered(found, drawn).items():
            hits[name] += inside
    for k, horizon in enumerate(HORIZONS):
        alone = int(hits["mean"][k])
        yield Comparison(
            f"{context.check}/drifting-{horizon:g}",
            Prediction(
                f"share of calibrated intervals that cover the loss {horizon:g} decades beyond, both laws weighted",
                "threshold",
                LEVEL,
                "level of the interval",
            ),
            share(int(hits["calibrated"][k]), sets),
            tolerance=COVERAGE_TOLERANCE,
            rival=Rival("the interval of the law alone", alone / sets),
            notes=(
                f"{hits['calibrated'][k]} of {sets} intervals; {hits['run'][k]} without drift, {alone} of the law alone",
            ),
        )
    sets = context.pick(quick=300, full=2000)
    holds = np.zeros(len(HORIZONS), dtype=int)
    for r in range(sets):
        drawn = draw(0.0, context.generator("true", r))
        found = empirical.fit("surface", drawn.table, delta=np.inf, bootstrap=0)
        holds += covered(found, drawn)["mean"]
    for k, horizon in enumerate(HORIZONS):
        yield Comparison(
            f"{context.check}/true-{horizon:g}",
            Prediction(
                f"share of intervals of a law that holds which cover its loss {horizon:g} decades beyond",
                "threshold",
                LEVEL,
                "level of the interval",
            ),
            share(int(holds[k]), sets),
            tolerance=COVERAGE_TOLERANCE,
            rival=Rival("intervals of one standard error", 0.683),
            notes=(f"{holds[k]} of {sets} intervals",),
        )
