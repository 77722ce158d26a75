"""Many runs that differ in their schedules only, of which no more is asked than where they end."""

from __future__ import annotations

import copy
import math
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from ...arguments import Array
from ...equality import by_value
from ...errors import AccuracyWarning, DomainError
from ...reprs import short_repr
from .._roots import bounded_minimum
from ..equivalents.macro_steps import Mesh
from ..spectra import Spectrum
from ._methods import Average, Method
from ._run import Run
from ._schedule import Schedule
from ._stability import first_pole, worst
from ._train import ScheduledTraining, train

ROUGH = (1.0, 48)
"""Ratio and single steps of a mesh that finds losses to 1e-5: where to look."""
FINE = (0.5, 100)
"""Those of one that finds them to 1e-9: where a minimum is."""

_TOLERANCE = 1e-5  # of the logarithm of what is looked for
_MOST_LOOKS = 60
_NOTHING = 1e-300  # for a loss of which nothing is left


class Trials:
    """Runs with the nodes of one, which must be that of the largest rates."""

    def __init__(
        self,
        schedule: Schedule,
        batches: Schedule,
        spectrum: Spectrum,
        features: float,
        noise: float,
        method: Method,
        average: Average | None = None,
        begin: int = 0,
    ) -> None:
        self.run = Run(
            schedule,
            batches,
            spectrum,
            features,
            noise,
            method,
            average,
            begin,
            first_pole(worst(schedule, batches)),
        )
        self.looks = 0
        self._plans: dict[tuple[float, int], Mesh] = {}

    def final(self, schedule: Schedule, accuracy: tuple[float, int], *, same: bool = True) -> float:
        """Return the loss at the end (of the average, if there is one), infinity if it explodes; `same` keeps the mesh."""
        self.looks += 1
        trial = copy.copy(self.run)
        trial.schedule = schedule
        with np.errstate(all="ignore"):
            if trial.direct:
                try:
                    found = float(trial.losses(np.array([schedule.steps])).averages[-1])
                except DomainError:  # it has grown
                    return math.inf
            else:
                plan = self._plans.get(accuracy) if same else None
                if plan is None:
                    plan = trial._mesh(None, *accuracy)
                    self._plans[accuracy] = plan
                found = float(trial._marched(plan)[1][-1])
        return max(found, _NOTHING) if found >= 0 else math.inf


@short_repr
@by_value
@dataclass(frozen=True)
class Lowest:
    """The place of a minimum, what is there, and whether it is the upper end of what was searched."""

    place: float
    value: float
    bracket: tuple[float, float]
    at_top: bool


def ended(schedule: Schedule, spectrum: Spectrum, **given: Any) -> ScheduledTraining:
    """Return the run up to its end; whether its accuracy deserves a warning is left to who asks."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", AccuracyWarning)
        return train(schedule, spectrum, at=schedule.steps, **given)


def lowest(points: Array, values: Array, look: Callable[[float], float]) -> Lowest:
    """Find the minimum of a function of a positive number, from a scan at increasing points that brackets it.

    Between the neighbors of the best point of the scan the logarithm is searched to 1e-5 (Brent). At the upper end of the scan the
    minimum is the end itself if nothing below is smaller.
    """
    best = int(np.argmin(values))
    low, high = points[max(best - 1, 0)], points[min(best + 1, points.size - 1)]
    log_place, value = bounded_minimum(
        lambda log: look(math.exp(log)), math.log(low), math.log(high), _TOLERANCE, _MOST_LOOKS
    )
    place = math.exp(log_place)
    at_top = False
    if best == points.size - 1:
        top = look(float(points[-1]))
        if top <= value:
            place, value, at_top = float(points[-1]), top, True
    return Lowest(place, value, (float(low), float(high)), at_top)
