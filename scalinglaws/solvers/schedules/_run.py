"""One training run: its nodes, its meshes, and the kernels that follow it."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...arguments import Array, afford
from ...equality import by_value
from ...errors import ResourceError, refusal
from ...reprs import short_repr
from ...results import PROMISED
from ..equivalents.elliptic import TOLERANCE
from ..equivalents.losses import ROUNDING
from ..equivalents.macro_steps import POINTS, Mesh, mesh, sums
from ..spectra import Spectrum
from ._decayed import descend_decayed, driven_by_decay
from ._direct import LANES, descend, descend_averaged, descend_with_memory
from ._macro import WIDE, march, march_average
from ._macro_memory import march_with_memory
from ._methods import (
    DANA,
    EMA,
    SGD,
    Average,
    HeavyBall,
    Method,
    Nesterov,
    TailAverage,
    coefficients,
    memory,
)
from ._nodes import limited, unlimited
from ._schedule import Schedule, unseen

Steps = NDArray[np.int64]

_DIRECT = 2000  # steps below which all are taken
_RATIO = 0.3  # of the coarse mesh; the fine one halves its steps
_RATIO_OF_AVERAGES = 0.17  # as accurate, relative to averages that are far below the losses
_SINGLE = 200  # steps one by one behind every break
_START = 400  # of methods with memory, at least
_NEIGHBORS = 9  # points of the coarse mesh from which an error is taken
_MOST_WORK = 2e12  # steps times nodes taken one by one: some minutes
_CHUNK = 4e7  # steps times nodes between two looks at the keyboard: tenths of a second
_AFFORDABLE = 2e8  # of them, where macro steps do not give what is promised: a second
_REFINED = 2  # times a mesh is halved again where two differ by more than is promised
_HOPELESS = 1e-3  # difference of meshes that halving them again does not mend
_MACRO = 100  # single steps that cost what a macro step does
_NOTHING = 1e-280  # losses that are none
_GROWTH = 1e6  # over what the loss starts with, and noise: beyond, a run is unstable


@short_repr
@by_value
@dataclass(frozen=True)
class Found:
    """Losses at steps, with what is known about their errors; `least` is the smaller one of loss and averaged loss."""

    steps: Steps
    losses: Array
    averages: Array
    times: Array
    errors: Array
    mesh_error: float
    taken: int
    method: str

    @property
    def least(self) -> Array:
        """Return the smaller one of loss and averaged loss."""
        return np.minimum(self.losses, self.averages)


class Run:
    """One run, of checked arguments; `begin` is the first iterate of an average, `pole` where 1 - q vanishes first."""

    def __init__(
        self,
        schedule: Schedule,
        batches: Schedule,
        spectrum: Spectrum,
        features: float,
        noise: float,
        method: Method,
        average: Average | None,
        begin: int,
        pole: float,
        decay: float = 0.0,
    ) -> None:
        self.decay = decay
        self.schedule, self.batches, self.noise = schedule, batches, noise
        self.method, self.average, self.begin = method, average, begin
        self.direct = not (schedule.smooth and batches.smooth) or schedule.steps < _DIRECT
        memorizes = not isinstance(method, SGD)
        reach = _reach(schedule, method)
        if math.isinf(features):
            self.nodes = unlimited(
                spectrum, reach, memory=memorizes, wide=not (self.direct or memorizes)
            )
        else:
            self.nodes = limited(spectrum, features, reach, pole, memory=memorizes)
        self.start = self.nodes.total
        if self.direct and schedule.steps * float(self.nodes.rates.size) > _MOST_WORK:
            raise ResourceError(
                f"{schedule.steps} steps one by one, with {self.nodes.rates.size} nodes each, take too long; give rates and "
                "batches as functions (Schedule.from_function)"
            )

    # -- meshes -------------------------------------------------------------------------------

    def _mesh(self, landings: Steps | None, ratio: float = _RATIO, behind: int = _SINGLE) -> Mesh:
        """Return the coarse mesh, which ends macro steps at breaks, at the start of an average, and where it is looked at."""
        cuts = {0, self.schedule.steps, *self.schedule.breaks, *self.batches.breaks}
        if isinstance(self.average, TailAverage) and self.begin > 1:
            cuts.add(self.begin - 1)
        ends = sorted(cuts)
        segments = list(pairwise(ends))
        fading = [self.schedule.fades(self.batches, *ends) for ends in segments]
        single = behind
        if isinstance(self.average, EMA):  # steps it remembers
            single = min(_DIRECT, max(behind, math.ceil(6 / self.average.weight)))
        if not (self.direct or isinstance(self.method, SGD)):
            longest = memory(self.method)
            single = _START if math.isinf(longest) else max(_START, math.ceil(30 * longest))
        stops = [] if landings is None else np.unique(landings).tolist()
        # where rates grow with time, intrinsic time does by more than its share
        paces = [self.schedule.pace(low) for low, _ in segments]
        ratios = [ratio * pace for pace in paces]
        return mesh(
            segments, fading, ratios, single=single, landings=stops, decay=self._exponential_decay()
        )

    def _exponential_decay(self) -> Callable[[int], float] | None:
        """Return how fast the loss falls at a step at least, where nothing is left in the end; None where something is."""
        slowest = self.nodes.slowest
        noisy = self.noise > 0 and not math.isinf(self.batches.rate)
        if noisy or self.nodes.floor > 0 or self.decay > 0 or not isinstance(self.method, SGD):
            return None
        if 2 * self.schedule.rate * slowest * self.schedule.steps < 1:
            return None
        return lambda t: 2 * slowest * float(self.schedule(t))

    @property
    def _affordable(self) -> bool:
        """Whether every step can be taken within a second."""
        plain = isinstance(self.method, SGD) and self.average is None  # one number for each node
        work = self.schedule.steps * float(self.nodes.rates.size) * (1 if plain else 4)
        return work <= _AFFORDABLE

    def followed(self, plan: Mesh) -> bool:
        """Tell whether macro steps see what schedules do; refuse schedules where they do not, and are too long to take every step."""
        if self.schedule.follows(plan) and self.batches.follows(plan):
            return True
        if self._affordable:
            return False
        raise unseen("schedule", self.schedule)

    def losses(self, wanted: Steps | None) -> Found:
        """Return the losses at steps, by default where macro steps end (all steps of a short run)."""
        if self.direct:
            return self._directly(wanted)
        plan = self._mesh(wanted, _RATIO if self.average is None else _RATIO_OF_AVERAGES)
        places = plan.ends if wanted is None else wanted
        halved = plan.halved()
        if not self.followed(halved):
            return self._directly(places)
        afford(12.0 * halved.lengths.size * POINTS**2, "the mesh", "look at fewer steps")
        coarse, fine = self._marched(plan), self._marched(halved)
        apart = _apart(plan, coarse, halved, fine, places)
        for _ in range(_REFINED):
            if not PROMISED < np.max(apart, initial=0.0) < _HOPELESS or self._cheaper(halved):
                break
            plan, coarse, halved = halved, fine, halved.halved()
            fine = self._marched(halved)
            apart = _apart(plan, coarse, halved, fine, places)
        at = np.searchsorted(halved.ends, places)
        losses, averages = fine[0][at], fine[1][at]
        self._refuse_growth(losses, places)
        losses, averages = (
            np.where(np.abs(array) < _NOTHING, 0.0, array) for array in (losses, averages)
        )
        if not np.all(apart <= PROMISED) and self._affordable:
            return self._directly(places)
        times = sums(halved, self.schedule(halved.times))[at]
        return Found(
            places,
            losses,
            averages,
            times,
            np.where(losses > 0, apart, 0.0) * np.maximum(losses, averages)
            + self._rounding(losses, times, 1000)
            + np.where(losses > 0, 0.0, _NOTHING),
            float(np.max(apart, initial=0.0)),
            halved.lengths.size,
            "collocation on macro steps, two meshes",
        )

    def _cheaper(self, plan: Mesh) -> bool:
        """Tell whether taking every step costs less than the macro steps of the next mesh."""
        return self._affordable and self.schedule.steps < _MACRO * 2 * int(np.sum(plan.lengths > 1))

    def _rounding(self, losses: Array, times: Array, steps: int) -> Array:
        """Return errors but for that of the mesh: of sums, and of what nodes stand for."""
        found = ((8 + steps) * ROUNDING + self.nodes.error) * np.abs(losses)
        if np.iscomplexobj(
            self.nodes.rates
        ):  # terms off the axis are larger than their sum where all is learned
            sizes = np.abs(self.nodes.signal)
            rates = self.nodes.rates.real
            kept = self.decay / np.maximum(rates + self.decay, 1e-300)  # at late times
            with np.errstate(under="ignore"):
                for place, time in enumerate(times):
                    left = np.exp(-time * (rates + self.decay))
                    found[place] += TOLERANCE * float(sizes @ (kept + (1 - kept) * left) ** 2)
        return np.asarray(found)

    def _refuse_growth(self, losses: Array, places: Steps) -> None:
        with np.errstate(invalid="ignore"):
            wild = ~(np.abs(losses) <= _GROWTH * (self.start + self.noise))
        if wild.any():
            raise refusal(
                "schedule",
                self.schedule,
                f"is unstable: the loss has grown beyond {_GROWTH:g} times its start at step {places[int(np.argmax(wild))]}; use "
                "smaller rates",
                shown=False,
            )

    # -- one step after the other -------------------------------------------------------------

    def _directly(self, wanted: Steps | None) -> Found:
        """Take every step."""
        count = self.schedule.steps
        if wanted is None:
            wanted = np.arange(count + 1) if count < _DIRECT else self._mesh(None).ends
        rates, spread = self.schedule.values(), 1 / self.batches.values()
        losses = np.zeros(count + 1)
        losses[0] = self.start
        averages = losses if self.average is None else losses.copy()
        steps = self._kernel(rates, spread, losses, averages)
        chunk = max(1, int(_CHUNK / self.nodes.rates.size))
        for first in range(0, count, chunk):
            last = min(first + chunk, count)
            steps(first, last)
            self._refuse_growth(losses[first : last + 1], np.arange(first, last + 1))
        if self.average is not None:
            averages = self._averaged(losses, averages, np.arange(count + 1))
        times = np.concatenate(([0.0], np.cumsum(rates)))
        return Found(
            wanted,
            losses[wanted],
            averages[wanted],
            times[wanted],
            self._rounding(losses[wanted], times[wanted], count),
            0.0,
            count,
            "every step",
        )

    def _kernel(
        self, rates: Array, spread: Array, losses: Array, averages: Array
    ) -> Callable[[int, int], None]:
        """Return what takes the steps from one to another."""
        x, noise = self.nodes.rates, self.nodes.noise
        rest = (self.noise, self.nodes.floor)
        if not isinstance(self.method, SGD):
            t = np.arange(rates.size, dtype=float)
            a, _, *gammas = coefficients(self.method, self.schedule, t, rates)
            table = np.stack([a, *gammas], axis=-1)
            state = np.zeros((3, x.size))
            state[0] = self.nodes.signal
            return lambda first, last: descend_with_memory(
                x, noise, state, table, spread, *rest, first, last, losses
            )
        energy = self.nodes.signal.copy()
        if self.decay > 0:
            cross = energy.copy()
            return lambda first, last: descend_decayed(
                *(x, noise, energy, self.decay, self.nodes.signal, cross, rates, spread, *rest),
                *(first, last, losses),
            )
        if self.average is None:
            return lambda first, last: descend(
                x, noise, energy, rates, spread, *rest, first, last, losses
            )
        keep, take = self._weights
        mixed, averaged = (self._average_start().copy() for _ in range(2))
        return lambda first, last: descend_averaged(
            *(x, noise, energy, mixed, averaged, rates, spread, *rest),
            *(keep, take, self.begin, first, last, losses, averages),
        )

    # -- macro steps --------------------------------------------------------------------------

    def _marched(self, plan: Mesh) -> tuple[Array, Array]:
        """Return losses and averaged losses at the ends of macro steps."""
        rates, spread = self.schedule(plan.times), 1 / self.batches(plan.times)
        losses = np.zeros(plan.lengths.size + 1)
        losses[0] = self.start
        x, noise, signal = self.nodes.rates, self.nodes.noise, self.nodes.signal
        rest = (self.noise, self.nodes.floor, losses)
        if not isinstance(self.method, SGD):
            table = np.stack(coefficients(self.method, self.schedule, plan.times, rates), axis=-1)
            _, less, one, two, three = table[0, 0]
            state = np.zeros((3, x.size))
            state[0] = signal
            theta = float(two + one * three / less)
            room = (
                np.zeros((3 * POINTS, 4 * POINTS + 1, LANES)),
                np.zeros((3, POINTS + 1, x.size)),
                np.zeros((3, 4)),
                np.zeros((2 * POINTS + 2, POINTS)),
            )
            march_with_memory(
                x, noise, theta, state, plan.lengths, table, spread, plan.backward, *rest, *room
            )
            return losses, losses
        held = (0, 0, 0) if self.average is None else (plan.lengths.size, POINTS, x.size)
        afford(2.0 * math.prod(held), "the energies", "look at fewer steps")
        kept = np.zeros(held, dtype=signal.dtype)
        room = (
            np.zeros((POINTS, POINTS, x.size), signal.dtype),
            np.zeros((POINTS, x.size), signal.dtype),
            np.zeros((2 * POINTS + 2, POINTS, LANES if np.iscomplexobj(x) else WIDE), signal.dtype),
            np.zeros((2 * POINTS + 3, POINTS)),
        )
        inputs = (plan.lengths, rates, spread, plan.backward)
        march(
            x,
            noise,
            signal.copy(),
            self.decay,
            self._driven(plan, rates),
            *inputs,
            *rest,
            kept,
            *room,
        )
        if self.average is None:
            return losses, losses
        averages = losses.copy()
        keep, take = self._weights
        march_average(
            x,
            self._average_start().copy(),
            self._average_start().copy(),
            plan.lengths,
            plan.starts,
            rates,
            plan.backward,
            kept,
            keep,
            take,
            self.begin,
            averages,
            np.zeros((POINTS + 2, POINTS), signal.dtype),
        )
        return losses, self._averaged(losses, averages, plan.ends)

    def _driven(self, plan: Mesh, rates: Array) -> NDArray[Any]:
        """Return what weight decay drives the energies with at all points of a mesh; nothing without."""
        x, signal = self.nodes.rates, self.nodes.signal
        shape = (plan.lengths.size, POINTS, x.size) if self.decay > 0 else (0, 0, 0)
        afford(2.0 * math.prod(shape), "the cross moments", "look at fewer steps")
        driven = np.zeros(shape, dtype=signal.dtype)
        if self.decay > 0:
            driven_by_decay(
                *(x, self.decay, signal, signal.copy(), plan.lengths, rates, plan.backward),
                *(driven, np.zeros((POINTS + 1, POINTS), signal.dtype)),
            )
        return driven

    # -- averages -----------------------------------------------------------------------------

    @property
    def _weights(self) -> tuple[float, float]:
        """What is kept of an average, and what it takes of an iterate: a tail is summed up."""
        if isinstance(self.average, EMA):
            return 1 - self.average.weight, self.average.weight
        return 1.0, 1.0

    def _average_start(self) -> NDArray[Any]:
        """Return the moments of the average at the start."""
        begun = isinstance(self.average, EMA) or self.begin == 0
        return self.nodes.signal if begun else np.zeros_like(self.nodes.signal)

    def _averaged(self, losses: Array, sums_of_squares: Array, steps: Steps) -> Array:
        """Return the loss of the average; of the iterate itself before a tail starts."""
        found = sums_of_squares.copy()
        found[0] -= self.nodes.floor if isinstance(self.average, EMA) or self.begin == 0 else 0.0
        if isinstance(self.average, TailAverage):
            found /= np.maximum(steps - self.begin + 1.0, 1.0) ** 2
        found += self.nodes.floor
        return np.where(steps < self.begin, losses, found)


def _reach(schedule: Schedule, method: Method) -> float:
    """Return an intrinsic time up to which modes are learned at most."""
    summed = schedule.extent
    match method:
        case HeavyBall(momentum=mu) | Nesterov(momentum=mu):
            return summed / (1 - mu)
        case DANA(strength=c, decay=decay):
            return summed + c * schedule.rate * math.pow(schedule.steps, max(2.0 - decay, 0.0))
    return summed


def _apart(
    plan: Mesh,
    coarse: tuple[Array, Array],
    halved: Mesh,
    fine: tuple[Array, Array],
    places: Steps,
) -> Array:
    """Return the relative difference of losses on two meshes at ends of the coarse one, infinite where it says nothing."""
    from scipy.ndimage import maximum_filter1d

    apart, least = np.zeros(plan.ends.size), np.full(plan.ends.size, math.inf)
    shared = np.searchsorted(halved.ends, plan.ends)
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        for two, one in zip(fine, coarse, strict=True):
            difference = np.abs(two[shared] - one) / two[shared]
            nothing = (np.abs(one) < _NOTHING) & (np.abs(two[shared]) < _NOTHING)
            apart = np.fmax(apart, np.where(nothing, 0.0, difference))
            least = np.fmin(least, np.where(nothing, 0.0, two[shared]))
    resolved = np.isfinite(apart) & (apart >= 0) & (least >= 0)
    # differences change sign along the run: each point is given the largest of its neighborhood
    apart = maximum_filter1d(np.where(resolved, apart, math.inf), _NEIGHBORS)
    return np.asarray(apart[np.searchsorted(plan.ends, places)])
