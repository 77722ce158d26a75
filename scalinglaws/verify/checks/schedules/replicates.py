"""What the checks of schedules share: tolerances, replicates of simulated runs, and comparisons with several rivals."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ....solvers.schedules import Schedule
from ....solvers.spectra import EmpiricalSpectrum, PowerLawSpectrum, Spectrum
from ...comparison import Comparison, Measurement, Prediction, Rival
from ...estimate import curve_from_replicates, exponent_from_replicates, measure
from ...registry import Context
from ...simulate.schedules import ScheduledRuns
from ...simulate.schedules import train as simulate

Array = NDArray[np.float64]

REPLICATES = 12  # streams per comparison: 11 degrees of freedom
EXACT_TOLERANCE = 0.02  # relative: what an identity of second moments is held to
CLOSE_TOLERANCE = 0.01  # relative: where the rival is three per cent away
CURVE_TOLERANCE = 0.05  # relative; the default for curves, and corrections of order 1/N at N = 30
EXPONENT_TOLERANCE, LEAST_TOLERANCE = 0.05, 0.03  # relative and absolute, the larger one counts
_ENERGIES = 1_000_000  # signals that are summed one by one
_STILL = 1e-12  # an eigenvalue that no run learns


def allowed(exponent: float) -> float:
    """Return the tolerance of an exponent."""
    return max(LEAST_TOLERANCE, EXPONENT_TOLERANCE * exponent)


def exponents_of(a: float, b: float) -> dict[str, Any]:
    """Return capacity and source of a task with signal k^-a and eigenvalues k^-b, as laws call them."""
    return {"alpha": b, "beta": (a - 1) / b}


def whole_task(a: float, b: float, modes: int) -> EmpiricalSpectrum:
    """Return a power-law task whose signal beyond some modes, which no run reaches, stands still in one of them."""
    eigenvalues, signal = PowerLawSpectrum.from_ab(a, b, modes).explicit()
    k = np.arange(modes + 1.0, _ENERGIES)
    beyond = float(np.sum(k**-a)) + (_ENERGIES - 0.5) ** (1 - a) / (a - 1)
    return EmpiricalSpectrum(np.append(eigenvalues, _STILL), np.append(signal, beyond))


def run(
    schedule: Schedule, task: Spectrum, *, batch: float | Schedule = 1, **given: Any
) -> ScheduledRuns:
    """Simulate a schedule: the simulation takes its rates, and those of the batch, as arrays."""
    sizes = batch.values() if isinstance(batch, Schedule) else batch
    return simulate(schedule.values(), task, batch=sizes, **given)


def replicated(
    context: Context, name: str, draws: int, simulated: Callable[[int, np.random.Generator], Array]
) -> Callable[[int], Array]:
    """Return the function from the number of a replicate to its losses, averaged over draws.

    Parameters
    ----------
    context : Context
        Of the check, for its random streams.
    name : str
        Of the streams.
    draws : int
        Of each replicate in a quick run; ten times as many in a full one.
    simulated : callable
        From number of draws and generator to losses, shape (draws, ...).
    """

    @cache
    def losses(r: int) -> Array:
        count = context.pick(quick=draws, full=10 * draws)
        return np.asarray(simulated(count, context.generator(name, r)).mean(axis=0))

    return losses


def curve(
    context: Context,
    name: str,
    x: ArrayLike,
    predicted: ArrayLike,
    rivals: Mapping[str, ArrayLike],
    losses: Callable[[int], Array],
    *,
    source: str,
    method: str,
    tolerance: float = EXACT_TOLERANCE,
    against: str = "steps",
    quantity: str = "test loss",
) -> Comparison:
    """Compare simulated losses with a predicted curve; of the rivals the nearest is to be rejected, notes show them all."""
    places, right = np.asarray(x, float), np.asarray(predicted, float)
    wrong = {title: np.asarray(values, float) for title, values in rivals.items()}
    nearest = min(wrong, key=lambda title: float(np.max(np.abs(wrong[title] / right - 1))))
    found = measure(
        losses,
        lambda rows: curve_from_replicates(places, rows, method=method),
        replicates=REPLICATES,
        tolerance=tolerance * right,
    )
    return Comparison(
        f"{context.check}/{name}",
        Prediction(
            f"{quantity} against {against}",
            "curve",
            right,
            source,
            x=places,
            domain={against: (float(places[0]), math.inf)},
        ),
        found,
        tolerance=tolerance,
        tolerance_kind="relative",
        rival=Rival(nearest, wrong[nearest]),
        notes=tuple(f"{title}: {away(found, values)}" for title, values in wrong.items()),
    )


def away(found: Measurement, values: Array) -> str:
    """Say how far a rival is from what was found."""
    distances = np.abs(np.asarray(found.value) - values) / np.asarray(found.se)
    return f"{np.max(distances):.0f} standard errors away"


def slope(
    context: Context,
    name: str,
    x: ArrayLike,
    exponent: float,
    rival: Rival,
    losses: Callable[[int], Array],
    *,
    source: str,
    method: str,
    against: str = "steps",
    quantity: str = "test loss",
    notes: tuple[str, ...] = (),
) -> Comparison:
    """Compare the exponent of simulated losses with a law's."""
    places, tolerance = np.asarray(x, float), allowed(exponent)
    return Comparison(
        f"{context.check}/{name}",
        Prediction(
            f"exponent of the {quantity}",
            "exponent",
            exponent,
            source,
            domain={against: (float(places[0]), math.inf)},
        ),
        measure(
            losses,
            lambda rows: exponent_from_replicates(places, rows, method=method),
            replicates=REPLICATES,
            tolerance=tolerance,
        ),
        tolerance=tolerance,
        rival=rival,
        notes=notes,
    )
