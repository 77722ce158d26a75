"""Whether a schedule is stable: the criterion of a fixed rate, at the worst steps of the run."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ...arguments import Array, instance, number
from ...errors import refusal
from ...results import Result
from ..catalogue import shows
from ..equivalents.edges import Resolvent
from ..equivalents.kappa import renormalized_ridge, size_ratio
from ..spectra import Modes, Spectrum, one_spectrum
from ._methods import DANA, SGD, HeavyBall, Method, Nesterov
from ._schedule import Schedule, as_schedule

_LOOKS = 32  # at most so many pairs of rate and batch, none of which is worse than another in both
_LEAST = 1e-30  # bending of Nesterov's denominator over its slope that changes no digit
_DOUBLINGS = 2100  # of a rate, from the smallest number to the largest


@shows("stable", "kernel_norm", "margin", "worst_step", "max_rate")
@dataclass(frozen=True)
class ScheduleStability(Result):
    r"""Whether training along a schedule stays bounded.

    Attributes
    ----------
    stable : bool
        Whether the kernel norm is below one at every step, and every mode is stable by itself.
    kernel_norm : float
        Largest :math:`\hat K` of the run; infinite where already the mean diverges.
    margin : float
        :math:`1 - \hat K`.
    worst_step : float
        Where that is.
    max_rate : float
        Supremum of the rates of a stable schedule of this shape.
    """

    stable: bool
    kernel_norm: float
    margin: float
    worst_step: float
    max_rate: float


def stability(
    schedule: Schedule,
    spectrum: Spectrum,
    *,
    features: float = math.inf,
    batch: float | Schedule,
    method: Method = SGD(),  # noqa: B008 - frozen
) -> ScheduleStability:
    r"""Tell whether training along a schedule stays bounded, and up to which largest rate.

    A rate :math:`\eta` held fixed is stable if each mode is, and if gradient noise causes less loss than it stems from, :math:`\hat K < 1`:

    .. math:: \hat K = \frac\eta B \sum_i \frac{x_i (1 + \mu)}{2 (1 - \mu^2) - \eta x_i [(1 - \mu) + (1 + \mu)/B]}

    for the heavy ball, and for SGD with :math:`\mu = 0`; for Nesterov's momentum

    .. math:: \hat K = \sum_i \frac{\frac{\eta x_i}B [1 + \mu + \mu(1 + 2\mu) \eta x_i]}
              {2 (1 - \mu^2) - \eta x_i [1 - \mu - 4 \mu^2 + \frac{1 + \mu}B] - \mu (1 + 2\mu) \eta^2 x_i^2 (1 + \frac1B)}.

    Parameters
    ----------
    schedule : Schedule
        Rates :math:`\eta_t`.
    spectrum : PowerLawSpectrum or EmpiricalSpectrum
        Eigenvalues.
    features : float
        N >= 1, ``math.inf`` for the limit.
    batch : float or Schedule
        B >= 1, ``math.inf`` for descent on the population loss.
    method : SGD, HeavyBall or Nesterov
        The method.

    Returns
    -------
    ScheduleStability
        Verdict, kernel norm at the worst step, and the largest rate.

    Raises
    ------
    DomainError
        If an argument is out of range; or for `DANA`, whose slow modes are never stationary, so that the criterion says nothing.

    Notes
    -----
    For SGD the criterion at the largest rate and smallest batch suffices; that it does at each step alone is not proved, and no
    counterexample was found. For momentum it suffices where rates vary slowly within :math:`1/(1 - \mu)` steps: rates that
    switch fast can resonate far below the bound, which only the run itself shows. At B of order one :math:`\eta/(1 - \mu)` is
    bounded, and momentum buys no larger effective rate.

    The worst steps are looked for among those at which `train` evaluates the schedule, 0.1 to 1 ms each; accurate to 1e-9.

    References
    ----------
    .. [1] C. Paquette, E. Paquette, B. Adlam, J. Pennington, "Homogenization of SGD in high-dimensions",
       arXiv:2205.07069.

    Examples
    --------
    >>> from scalinglaws.solvers import PowerLawSpectrum
    >>> found = stability(Schedule.cosine(rate=0.2, steps=1000), PowerLawSpectrum.from_ab(2, 1.5), batch=4)
    >>> found.stable, round(found.kernel_norm, 6), round(found.max_rate, 6)
    (True, 0.069534, 1.250744)
    """
    one_spectrum(spectrum, schedule=schedule)
    checked = checked_run(schedule, features, batch, method)
    if isinstance(method, DANA):
        raise refusal("method", method, "has no fixed rate to be judged by; train tells")
    criterion = Criterion(spectrum.modes(), checked[1], method)
    times, rates, batches = worst(schedule, checked[0])

    pairs = list(zip(rates.tolist(), batches.tolist(), strict=True))
    here = [criterion.norm(*pair) for pair in pairs]
    place = int(np.argmax(here))
    # a factor on the whole schedule is bounded where it is bounded at one of these steps
    bounds = [criterion.largest(*pair) / pair[0] for pair in pairs]
    norm = here[place]
    return ScheduleStability(
        norm < 1, norm, 1 - norm, float(times[place]), schedule.rate * min(bounds)
    )


def checked_run(
    schedule: Schedule, features: float, batch: float | Schedule, method: Method
) -> tuple[Schedule, float]:
    """Check what a run depends on; return the batches as a schedule, and the features."""
    instance("schedule", schedule, Schedule)
    instance("method", method, SGD, HeavyBall, Nesterov, DANA)
    if schedule.rate == math.inf:
        raise refusal("rate", schedule.rate, "must be finite; only batches may be inf")
    batches = as_schedule("batch", batch, schedule.steps)
    lowest = float(np.min(batches(batches.looks())))
    if lowest < 1:
        raise refusal("batch", lowest, "must be at least 1 at every step")
    return batches, number("features", features, low=1.0, infinite=True)


def worst(schedule: Schedule, batch: Schedule) -> tuple[Array, Array, Array]:
    """Return steps, rates and batches of which no other step is worse in both."""
    one, other = schedule.looks(), batch.looks()
    t = max(one, other, key=len)
    if t.size == schedule.steps and np.array_equal(t, np.arange(t.size)):
        rates, batches = schedule.values(), batch.values()
    else:
        t = np.unique(np.concatenate([one, other]))
        if not (schedule.smooth and batch.smooth):
            t = np.unique(np.floor(t))
        rates, batches = schedule(t), batch(t)
    if np.min(batches) == np.max(batches):
        best = np.array([np.argmax(rates)])
        best = best[rates[best] > 0]
        return t[best], rates[best], batches[best]
    order: NDArray[np.int64] = np.lexsort((batches, -rates))
    least = np.minimum.accumulate(batches[order])
    first = np.append(True, least[1:] < least[:-1])
    chosen = order[first & (rates[order] > 0)]
    if chosen.size > _LOOKS:
        chosen = chosen[np.unique(np.linspace(0, chosen.size - 1, _LOOKS).astype(np.int64))]
    return t[chosen], rates[chosen], batches[chosen]


def first_pole(extremes: tuple[Array, Array, Array]) -> float:
    """Return where 1 - q vanishes for the largest rate and the smallest batch of what `worst` found."""
    _, rates, sizes = extremes
    return 2 / (float(np.max(rates)) * (1 + 1 / float(np.min(sizes))))


class Criterion:
    """The kernel norm of a fixed rate and batch."""

    def __init__(self, modes: Modes, features: float, method: Method) -> None:
        self._modes, self._features = modes, features
        self._momentum = 0.0 if isinstance(method, (SGD, DANA)) else method.momentum
        self._nesterov = isinstance(method, Nesterov)
        self._resolvent = Resolvent(modes)
        self._edge = self._resolvent.edge(features, math.inf)
        self.top = self._resolvent.image(self._edge, features)

    def norm(self, rate: float, batch: float) -> float:
        """Return the norm, infinity where a mode alone diverges."""
        mu, spread = self._momentum, 0.0 if math.isinf(batch) else 1 / batch
        with np.errstate(over="ignore"):
            room = 2 * (1 - mu) * (1 + mu)
            if self._nesterov and mu > 0:
                return self._accelerated(rate, spread, room)
            loss = rate * ((1 - mu) + (1 + mu) * spread)
            if not room > loss * self.top:
                return math.inf
            return rate * spread * (1 + mu) / loss * self._above(room / loss)

    def largest(self, rate: float, batch: float) -> float:
        """Return the supremum of the stable rates at a batch."""
        low = high = rate
        for _ in range(_DOUBLINGS):
            if self.norm(low, batch) < 1:
                break
            low *= 0.5
        for _ in range(_DOUBLINGS):
            if not self.norm(high, batch) < 1 or high > 1e300:
                break
            high *= 2.0
        while (
            high - low > 1e-13 * high
        ):  # the norm jumps to infinity where a mode diverges: no root to find
            middle = 0.5 * (low + high)
            if middle in (low, high):
                break
            low, high = (middle, high) if self.norm(middle, batch) < 1 else (low, middle)
        return low

    def _above(self, place: float) -> float:
        """Return the sum of x/(v - x)."""
        if not place > self.top * (1 + 1e-15):
            return math.inf
        return self._resolvent.beyond(place, self._features, self._edge)

    def _accelerated(self, rate: float, spread: float, room: float) -> float:
        """Return the norm for Nesterov's momentum, by partial fractions."""
        mu = self._momentum
        bend = mu * (1 + 2 * mu) * rate * (1 + spread) * rate
        slope = rate * (1 - mu - 4 * mu**2 + (1 + mu) * spread)
        # room - slope x - bend x^2 = bend (v - x) (x + s): the roots without cancellation
        root = math.sqrt(slope**2 + 4 * bend * room)
        near = 2 * room / (root + abs(slope))
        if not bend > _LEAST * root:  # straight as far as numbers go
            return rate * spread * (1 + mu) * self._straight(room, slope)
        far = (root + abs(slope)) / (2 * bend)
        v, s = (near, far) if slope > 0 else (far, near)
        if not v > self.top:
            return math.inf
        one, two = rate * spread * (1 + mu), rate * spread * mu * (1 + 2 * mu) * rate
        above = (one + two * v) / (v + s) * self._above(v)
        below = (one - two * s) / (v + s) * self._filled(s)
        return (above + below) / bend

    def _straight(self, room: float, slope: float) -> float:
        """Return the sum of x/(room - slope x)."""
        if slope * self.top <= _LEAST * room:
            return float(self._modes.multiplicities @ self._modes.eigenvalues) / room
        return self._above(room / slope) / slope

    def _filled(self, ridge: float) -> float:
        """Return the sum of x/(x + s), the degrees of freedom."""
        lam, count = self._modes.eigenvalues, self._modes.multiplicities
        kappa = ridge
        if math.isfinite(self._features):
            n, ratio, gap = size_ratio(self._features, math.inf)
            trace = float(count @ lam)
            kappa = renormalized_ridge(lam, count, self._modes.size, trace, n, ratio, gap, ridge)[0]
        return float(count @ (lam / (lam + kappa)))
