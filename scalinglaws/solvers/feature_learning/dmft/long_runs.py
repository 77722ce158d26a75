"""Online SGD with feature learning over many steps: exact steps with memory, then macro steps, and what the error of it all is."""

from __future__ import annotations

import copy
import math
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from ....arguments import affordable
from ....equality import by_value
from ....errors import ConvergenceError, DomainError
from ....reprs import short_repr
from ..._blas import one_thread
from ...equivalents.macro_steps import SHORTEST, Mesh, mesh
from ...schedules import Schedule
from ...spectra import Spectrum
from .collocation import Step
from .compression import Compression
from .memory import Array, Memory, Nodes
from .nodes import nodes_for

EXACT, RATIO = 256, 0.2
"""Steps taken one by one, and the length of a macro step relative to the time."""

WINDOW, TOLERANCE, LATER = 4, 1e-6, 1e-7
"""Of `Compression`: the window, and the tolerance at exact steps and at macro steps."""

DISAGREEMENT = 1e-3
"""Of two meshes, beyond which a run is refused."""

_FORGET = 8  # times the exact steps, when noise from then is forgotten
_VECTORS = 24  # smooth ones beyond which they are compressed
_FILLED = 1.25  # vectors, of those after the last compression, before the next one
_MANY, _COPIES = 1200, 2.0  # vectors at most, and how often memory holds their covariances
_HALVINGS, _GROWTH = 6, 1.3
_LONG = 1.0  # rate times A times the largest eigenvalue, beyond which the contour must be close
_OVERSHOOT = 2.5  # the same for merged modes
_BACK = 1.2  # how far back in time slopes are measured
_LONGER, _FACTOR, _SAFETY = 1.5, 3.0, 10.0  # the other mesh; differences and tolerances in an error
_REFINED = 3e-4  # error beyond which there is a third mesh
_PUMPED = 3.0  # length of a macro step over its ratio, in units of the time in which noise renews the memory
_MOST = 1000  # macro steps
_CLOSURE = 0.02  # relative error of the closure by label noise, per time scale of its descent


@short_repr
@dataclass(frozen=True)
@by_value
class Course:
    """Learning rate and batch along a run."""

    rate: Schedule
    batch: Schedule

    @property
    def steps(self) -> int:
        """How many there are."""
        return self.rate.steps

    @property
    def smooth(self) -> bool:
        """Whether both can be evaluated between steps."""
        return self.rate.smooth and self.batch.smooth

    def rates(self, times: Array) -> Array:
        """Return learning rates."""
        return self.rate(times)

    def batches(self, times: Array) -> Array:
        """Return batches."""
        return self.batch(times)

    def segments(self) -> list[tuple[int, int, bool]]:
        """Return the intervals between breaks, and whether noise fades towards the end of each."""
        corners = [0, *sorted({*self.rate.breaks, *self.batch.breaks}), self.steps]
        return [
            (low, high, self.rate.fades(self.batch, low, high)) for low, high in pairwise(corners)
        ]

    def mesh(self) -> Mesh:
        """Return the macro steps of a run that needs no shorter ones."""
        pieces = self.segments()
        ends = [(low, high) for low, high, _ in pieces]
        return mesh(ends, [fading for *_, fading in pieces], RATIO, single=EXACT)


@short_repr
@dataclass(frozen=True)
@by_value
class Model:
    """What is trained."""

    spectrum: Spectrum
    features: float
    richness: float
    variance: float
    noise: float
    full: bool = False
    closed: bool = False


@short_repr
@dataclass(frozen=True)
@by_value
class Track:
    """Losses and kernel scales at some steps; `mesh` are the ends of all steps, single and macro."""

    steps: Array
    loss: Array
    scale: Array
    mesh: Array
    residual: float


class StoppedError(Exception):
    """A run cannot go on."""

    def __init__(self, step: int, reason: str, kind: type[DomainError] | type[ConvergenceError]):
        super().__init__(reason)
        self.step, self.reason, self.kind = step, reason, kind
        self.track: Track | None = None


class _TooLongError(Exception):
    """Steps are too long for the nodes."""


class Run:
    """A run over a course, once."""

    def __init__(
        self,
        model: Model,
        course: Course,
        nodes: Nodes,
        *,
        exact: int = EXACT,
        ratio: float = RATIO,
        compressed: bool = True,
        close: bool = False,
    ) -> None:
        self.model, self.course, self.nodes = model, course, nodes
        self.exact, self.ratio, self.close = min(exact, course.steps), ratio, close
        self.memory = Memory(nodes, model.richness, model.noise, model.variance)
        if model.closed:  # from the identity, whatever the readout
            self.memory.release([int(i) for i in np.flatnonzero(self.memory.used)])
            self.memory.before = math.inf if model.variance > 0 else 1.0
        self.held = Compression(self.memory, WINDOW, TOLERANCE)
        self.compressed = compressed
        self.steps, self.losses, self.sizes = [0.0], [self.memory.loss()], [self.memory.c]
        self.mesh = [0]
        self.residual = 0.0

    def branch(self, exact: int, ratio: float) -> Run:
        """Return a run that goes on from here, with more steps one by one."""
        run = copy.copy(self)
        run.exact, run.ratio = min(exact, self.course.steps), ratio
        shared = {id(self.nodes): self.nodes}
        run.memory, run.held = copy.deepcopy((self.memory, self.held), shared)
        run.steps, run.losses = list(self.steps), list(self.losses)
        run.sizes, run.mesh = list(self.sizes), list(self.mesh)
        return run

    def singly(self) -> None:
        """Take the first steps one by one, those that are left of them."""
        memory, closed = self.memory, self.model.closed
        times = np.arange(self.exact, dtype=float)
        rates, batches = self.course.rates(times), self.course.batches(times)
        earlier = int(self.exact / _BACK)
        for t in range(memory.t, self.exact):
            if t == earlier:
                self.earlier = (t, self._logs())
            if closed or not self.compressed:
                memory.step(float(rates[t]), float(batches[t]), closed=closed)
            else:
                self.held.step(float(rates[t]), float(batches[t]))
            self._look(float(rates[t]) * memory.before)
            if self.course.steps > self.exact:
                self._remember()
            self._note([float(memory.t)], [memory.loss()], [memory.c])
            self.mesh.append(memory.t)

    def _look(self, pace: float) -> None:
        """Start again where steps are too long for the nodes; stop where numbers overflow."""
        if not math.isfinite(self.memory.c + self.memory.loss()):
            raise StoppedError(self.memory.t - 1, "losses overflow", DomainError)
        limit = _LONG if math.isfinite(self.model.features) else _OVERSHOOT
        if not self.close and pace * self.nodes.largest > limit:
            raise _TooLongError

    def _note(self, steps: list[float], losses: list[float], sizes: list[float]) -> None:
        self.steps += steps
        self.losses += losses
        self.sizes += sizes

    def _logs(self) -> Array:
        """Return the logarithms of what is extrapolated."""
        t = min(self.memory.t, self.course.steps - 1)
        now = self.memory.now(
            float(self.course.rates(np.array([float(t)]))[0]),
            float(self.course.batches(np.array([float(t)]))[0]),
        )
        with np.errstate(all="ignore"):
            return np.asarray(np.log([now.growth, now.alpha, now.noise, now.drift]))

    def onward(self, at: Array) -> None:
        """Take the other steps by macro steps, looking at some in between."""
        memory, held, course, model = self.memory, self.held, self.course, self.model
        held.tolerance = LATER
        held.compress()
        segments, growth, taken, full = course.segments(), self.ratio, 0, _VECTORS
        while memory.t < course.steps:
            if held.noise and memory.t >= _FORGET * self.exact:
                held.forget_noise()
            low, high, fading = next(piece for piece in segments if piece[1] > memory.t)
            logs = self._logs()
            self._check()
            with np.errstate(all="ignore"):
                slopes = (logs - self.earlier[1]) / math.log(memory.t / self.earlier[0])
            slopes = np.where(np.isfinite(slopes), np.clip(slopes, -4.0, 4.0), 0.0)
            taken += 1
            if taken > _MOST + 200 * len(segments):
                reason = f"noise renews the memory so fast that {_MOST} macro steps do not suffice"
                raise StoppedError(memory.t, reason, ConvergenceError)
            renewed = _PUMPED * self._renewal()
            for _ in range(_HALVINGS + 1):
                longest = growth * min(memory.t - low, renewed)
                if fading:
                    longest = min(longest, growth / (1 + growth) * (high - memory.t))
                length = min(max(int(longest), SHORTEST), high - memory.t)
                step = Step(
                    held,
                    length,
                    course.rates,
                    course.batches,
                    self.exact,
                    after=float(low),
                    closed=model.closed,
                )
                if step.solve(slopes):
                    break
                growth /= 2
            else:
                raise StoppedError(
                    memory.t, "the equations of a macro step are not solved", ConvergenceError
                )
            growth = min(self.ratio, growth * _GROWTH)
            self.residual = max(self.residual, step.change)
            self.earlier = (memory.t, logs)
            inside = at[(at > memory.t) & (at < memory.t + length)]
            if inside.size:
                losses, sizes = step.losses(inside)
                self._note(inside.tolist(), losses.tolist(), sizes.tolist())
            step.commit()
            if len(held.smooth) > full:
                held.compress()
                full = max(_VECTORS, int(_FILLED * len(held.smooth)))
            self._remember()
            self._note([float(memory.t)], [memory.loss()], [memory.c])
            self.mesh.append(memory.t)
        self._check()

    def _remember(self) -> None:
        """Stop where there is too much to remember for macro steps."""
        fitting = math.sqrt(affordable(size=16) / (_COPIES * self.nodes.rates.size))
        most = min(_MANY, int(fitting))
        if len(self.held.smooth) + len(self.held.noise) > most:
            reason = f"noise leaves more than {most} vectors to remember; only method = 'memory' takes such steps"
            raise StoppedError(self.memory.t, reason, ConvergenceError)

    def _renewal(self) -> float:
        """Return in how many steps noise renews the memory."""
        memory = self.memory
        times = np.array([float(memory.t)])
        rate, batch = float(self.course.rates(times)[0]), float(self.course.batches(times)[0])
        noise = max(memory.loss() + memory.unlearnable, 0.0) * memory.trace * memory.richness
        return batch / max(noise * rate**2, 1e-290)

    def _check(self) -> None:
        """Stop where steps are unstable, which macro steps would hide."""
        memory, n = self.memory, self.nodes
        times = np.array([float(min(memory.t, self.course.steps - 1))])
        rate, batch = float(self.course.rates(times)[0]), float(self.course.batches(times)[0])
        self._look(rate * memory.before)
        longest = rate * memory.scale * n.largest
        if not longest < 2:
            reason = f"learning_rate times scale times the largest eigenvalue is {longest:.4g}, not below 2"
            raise StoppedError(memory.t, reason, DomainError)
        pace = rate * memory.before
        gain = float(np.sum(n.variances / (1 - pace * n.rates / 2)).real) * pace / (2 * batch)
        if not gain < 1:
            reason = f"noise grows by itself: its gain is {gain:.4g}, not below 1"
            raise StoppedError(memory.t, reason, DomainError)

    def track(self, at: Array | None) -> Track:
        """Return what was noted, at some steps or at all."""
        steps, losses, sizes = np.array(self.steps), np.array(self.losses), np.array(self.sizes)
        if at is not None:
            place = np.searchsorted(steps, at)
            place = place[(place < steps.size)]
            steps, losses, sizes = steps[place], losses[place], sizes[place]
        return Track(
            steps.astype(np.int64),
            losses + self.nodes.floor,
            1 + self.model.richness * sizes,
            np.array(self.mesh),
            self.residual,
        )


@one_thread
def follow(
    model: Model,
    course: Course,
    at: Array | None,
    *,
    exact: int,
    ratio: float = RATIO,
    compressed: bool = True,
    begun: dict[bool, Run] | None = None,
) -> Track:
    """Follow a run; with other nodes once more where steps turn out to be long.

    First steps are kept in `begun`, by whether nodes are those; another run, of more single steps, goes on from there.
    """
    wanted = np.zeros(0) if at is None else at
    again = bool(begun)
    for close in (False, True):
        if begun is not None and close in begun:
            run = begun[close].branch(exact, ratio)
        elif again and not close:
            continue  # steps were too long for these nodes
        else:
            nodes = nodes_for(
                model.spectrum,
                model.features,
                float(course.steps),
                full=model.full,
                finer=close,
                exact=not compressed,
            )
            run = Run(
                model, course, nodes, exact=exact, ratio=ratio, compressed=compressed, close=close
            )
        try:
            with np.errstate(all="ignore"):
                run.singly()
                if begun is not None and close not in begun and not again:
                    begun[close] = run.branch(exact, ratio)
                if course.steps > run.exact:
                    run.onward(wanted)
        except _TooLongError:
            continue
        except StoppedError as stop:
            stop.track = run.track(None)
            raise
        return run.track(at)
    raise AssertionError


def judged(model: Model, course: Course, at: Array | None) -> tuple[Track, Array]:
    """Follow a run; return it with the relative errors of losses and scales.

    The other mesh has twice as many exact steps, and macro steps half as long again; where the two are too far apart, there
    is a third, finer in both.
    """
    begun: dict[bool, Run] = {}
    track = follow(model, course, at, exact=EXACT, ratio=RATIO, begun=begun)
    if course.steps <= EXACT:
        return track, np.full((2, track.steps.size), _SAFETY * TOLERANCE)
    steps = track.steps.astype(float)
    other = follow(model, course, steps, exact=2 * EXACT, ratio=_LONGER * RATIO, begun=begun)
    error = _apart(track, other)
    if float(np.max(error)) > _REFINED:
        finer = follow(model, course, steps, exact=2 * EXACT, ratio=RATIO / 2, begun=begun)
        other, track = track, finer
        error = _apart(track, other)
    return track, error


def _apart(one: Track, two: Track) -> Array:
    """Return the errors of losses and scales from two meshes."""
    pairs = ((one.loss, two.loss), (one.scale, two.scale))
    apart = np.array([np.abs(first / second - 1) for first, second in pairs])
    return np.asarray(_FACTOR * apart + _SAFETY * TOLERANCE)


def closure_error(model: Model, course: Course, track: Track) -> Array:
    r"""Estimate the errors of the one-time closure: by what it misses in the first steps, and what label noise adds.

    That is some two percent when the flow time reaches the scale :math:`1/(\gamma (\eta/B) \sigma^2 \mathrm{Tr} \Lambda)` on which label
    noise turns the kernel's growth around.
    """
    first = min(EXACT, course.steps)
    wanted = np.arange(first + 1.0)
    rate, batch = course.rate, course.batch
    short = Course(
        Schedule.from_array(rate(wanted[:first])),
        Schedule.from_array(np.minimum(batch(wanted[:first]), 1e200)),
    )
    closed = follow(model, short, wanted, exact=first)
    open_model = Model(
        model.spectrum, model.features, model.richness, model.variance, model.noise, model.full
    )
    exact = follow(open_model, short, wanted, exact=first)
    nodes = nodes_for(model.spectrum, model.features, float(first))
    trace, noise = float(np.sum(nodes.variances).real), model.noise + nodes.floor
    found = np.zeros((2, track.steps.size))
    times = np.minimum(track.steps, course.steps - 1).astype(float)
    turned = model.richness * noise * trace * rate(times) ** 2 / batch(times) * track.steps
    for row, (one, two) in enumerate(((closed.loss, exact.loss), (closed.scale, exact.scale))):
        missed = np.maximum.accumulate(np.abs(one / two - 1)[::-1])[::-1]
        late = float(np.max(np.abs(one / two - 1)[-max(first // 2, 1) :]))
        place = np.minimum(track.steps, first).astype(np.int64)
        found[row] = np.where(track.steps < first, missed[place], late) + _CLOSURE * turned
    return found
