"""Intervals of measured exponents, and verdicts whether they are power laws at all."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from ...reprs import short_repr
from ._exponents import (
    EXHAUSTED,
    SHALLOW,
    FitWindow,
    capacity_over,
    corrected_logs,
    decay_over,
    fit_window,
    residual_logs,
    spectrum_over,
)
from ._records import NO_POWER_LAW, POWER_LAW, TOO_FEW, MeasuredExponent, MeasuredSpectrum
from ._sample import Modes
from ._windows import FIRST, SHARE, Window, modes_of, slope, sub_windows, thirds

Array = NDArray[np.float64]
Triple = tuple[float, float, float]
DrawHalves = Callable[[int], Sequence[Modes]]
"""Draws the leading modes, so many of each, of random halves of a sample."""

NORMAL = 1.96
"""Half of a 95 % interval over the standard deviation."""
MOST_INTERVALS = 2.0
"""Distance of local exponents of a power law over the 95 % interval of their difference, at most."""
MOST_SPREAD = 0.1
"""Distance of local exponents of what may still be called a power law over the exponent."""
MOST_SCATTER = 0.2
"""Root mean square of logarithms about the fit of what may still be called a power law."""
FLAT = 0.02
"""Decays whose interval holds 0 and ends below it are those of a plateau."""
_CHANCE = 3.0  # standard deviations within which noise has its share in the modes of the window
_LEAST_HALVES = 3
_SHORTEST = 12  # last mode of a window that can be cut in three


@short_repr
@dataclass(frozen=True)
class MeasuredExponents:
    r"""Exponents of a sample, and the spectra they were read off.

    Attributes
    ----------
    capacity, decay, source : MeasuredExponent
        :math:`\alpha`, :math:`\alpha\beta`, :math:`\beta`.
    spectrum : MeasuredSpectrum or None
        With its power laws; None where they cannot be fitted.
    half_samples : tuple of MeasuredSpectrum
        Of random halves, as far as power laws can be fitted.
    """

    capacity: MeasuredExponent
    decay: MeasuredExponent
    source: MeasuredExponent
    spectrum: MeasuredSpectrum | None = None
    half_samples: tuple[MeasuredSpectrum, ...] = ()


def measured_exponents(modes: Modes, draw_halves: DrawHalves | None) -> MeasuredExponents:
    r"""Measure capacity, decay and source with 95 % intervals and verdicts.

    An interval is the value plus and minus 1.96 times the root of the sum of three squares: the standard deviation over random halves
    *without* replacement (the variance that drawing a half adds, at n/2, is the variance at n), half of the range over sub-windows,
    and the distance of the mean over halves from the value.

    Something is called a power law if its exponents over three consecutive parts of the window differ by no more than 10 %, or than
    twice the 95 % interval of their difference, and if it does not scatter about the fit by more than 0.2 in its logarithm. The residual
    of labels must fall, too, by more than its interval.

    Parameters
    ----------
    modes : Modes
        Of the whole sample, or of a population.
    draw_halves : callable, optional
        How modes of halves are drawn; None for a population, whose errors are those of the window alone.

    Returns
    -------
    MeasuredExponents
    """
    found = fit_window(modes)
    last = found.window[1]
    halves: list[Modes] = []
    if draw_halves is not None and found.verdict != TOO_FEW:
        halves = [half for half in draw_halves(last) if half.eigenvalues.size >= last]
        if len(halves) < _LEAST_HALVES:
            why = f"random halves of the data have fewer modes than the {last} of the window"
            found = replace(found, capacity=None, verdict=TOO_FEW, reason=why)
    if found.verdict == TOO_FEW:
        bare = _Estimates(modes, found, [])
        capacity, decay, beta = (bare.absent(place, TOO_FEW, found.reason) for place in range(3))
        return MeasuredExponents(capacity, decay, beta)

    estimates = _Estimates(modes, found, halves)
    if found.capacity is None:
        capacity = estimates.absent(0, found.verdict, found.reason)
    else:
        capacity = _judged_capacity(modes, estimates.exponent(0), estimates.errors[0])
    if math.isnan(estimates.whole[1]):
        decay = estimates.absent(1, NO_POWER_LAW, _held(modes, last))
    else:
        decay = _judged_decay(modes, estimates.exponent(1), estimates.errors[1])
    spectra = (spectrum_over(half, estimates.half_window) for half in halves)
    return MeasuredExponents(
        capacity,
        decay,
        _source(estimates, capacity, decay),
        spectrum_over(modes, found.window),
        tuple(spectrum for spectrum in spectra if spectrum is not None),
    )


# -- exponents over windows ---------------------------------------------------------------------------------------------


class _Estimates:
    """Capacity, decay and source (places 0, 1, 2) of a sample and its halves over all windows that are asked for."""

    def __init__(self, modes: Modes, found: FitWindow, halves: Sequence[Modes]) -> None:
        self.window = found.window
        self.half_window = (FIRST, found.window[1] // 2)
        self.reached = _SHORTEST <= found.window[1] <= modes.eigenvalues.size
        if not self.reached:
            return
        parts = thirds(self.window)
        self.whole = _triple(modes, self.window)
        self.halves = np.array([_triple(half, self.half_window) for half in halves]).reshape(-1, 3)
        self.sub = np.array([_triple(modes, part) for part in sub_windows(self.window)])
        self.local = np.array([_local(modes, found.capacity, part) for part in parts])
        scatter = [[_local(half, found.capacity, part) for part in parts] for half in halves]
        self.errors = _deviations(np.array(scatter).reshape(-1, 3, 3)).T

    def exponent(self, place: int) -> MeasuredExponent:
        """Return an exponent with the parts of its error, not yet judged."""
        value = float(self.whole[place])
        replicates, sub = (
            column[np.isfinite(column)] for column in (self.halves[:, place], self.sub[:, place])
        )
        known = replicates.size >= _LEAST_HALVES
        statistical = float(np.std(replicates, ddof=1)) if known else 0.0
        drift = abs(float(np.mean(replicates)) - value) if known else 0.0
        systematic = float(np.ptp(sub)) / 2 if sub.size else 0.0
        half = NORMAL * math.hypot(statistical, systematic, drift)
        return MeasuredExponent(
            value=value,
            interval=(value - half, value + half),
            statistical=statistical,
            systematic=systematic,
            drift=drift,
            window=self.window,
            local=_listed(sub_windows(self.window), self.sub[:, place]),
            verdict=POWER_LAW,
            reason="",
            consecutive=_listed(thirds(self.window), self.local[:, place]),
        )

    def absent(self, place: int, verdict: str, reason: str) -> MeasuredExponent:
        """Return an exponent without a value; local ones stand as far as the modes reach."""
        parts = _listed(thirds(self.window), self.local[:, place]) if self.reached else ()
        return MeasuredExponent(None, None, 0.0, 0.0, 0.0, self.window, (), verdict, reason, parts)


def _triple(modes: Modes, window: Window) -> Triple:
    """Return capacity, decay and source over a window; NaN for what labels do not have."""
    capacity, decay = capacity_over(modes, window), decay_over(modes, window)
    return (capacity, math.nan, math.nan) if decay is None else (capacity, decay, decay / capacity)


def _local(modes: Modes, capacity: float | None, window: Window) -> Triple:
    """Return the same over a part of a window, with eigenvalues corrected by the capacity of the whole one; infinite decays of
    labels that its modes hold.
    """
    k = modes_of(window)
    local = -slope(np.log(k), corrected_logs(modes, capacity, k))
    decay = decay_over(modes, window)
    if decay is None:
        return (local, math.inf, math.inf)
    return (local, decay, decay / local if local > 0 else math.copysign(math.inf, decay))


def _deviations(rows: Array) -> Array:
    """Return standard deviations over halves of what is finite; 0 where there is no half, infinity where too few are finite."""
    found = np.zeros(rows.shape[1:])
    for place in np.ndindex(found.shape) if rows.shape[0] else ():
        column = rows[:, *place]
        finite = column[np.isfinite(column)]
        found[place] = np.std(finite, ddof=1) if finite.size >= _LEAST_HALVES else math.inf
    return found


def _listed(windows: Sequence[Window], values: Array) -> tuple[tuple[int, int, float], ...]:
    return tuple(
        (*window, float(value))
        for window, value in zip(windows, values, strict=True)
        if not math.isnan(value)
    )


# -- verdicts -----------------------------------------------------------------------------------------------------------


def _judged_capacity(modes: Modes, draft: MeasuredExponent, errors: Array) -> MeasuredExponent:
    k = modes_of(draft.window or (FIRST, FIRST + 1))
    logs = corrected_logs(modes, draft.value, k)
    verdict, reason = _straight("eigenvalues", draft, errors, np.log(k), logs)
    if draft.value is not None and draft.value < SHALLOW:
        reason += f"; below {SHALLOW:g}, the correction is larger than what it corrects"
    if modes.rank / 2 < SHARE * modes.samples < math.inf:
        reason += f"; there are no more than {modes.rank:.0f} modes, and no power law beyond them"
    return replace(draft, verdict=verdict, reason=reason)


def _judged_decay(modes: Modes, draft: MeasuredExponent, errors: Array) -> MeasuredExponent:
    low, high = draft.interval or (0.0, 0.0)
    if low <= 0:
        between = f"the residual of labels falls with an exponent between {low:.2g} and {high:.2g}"
        if _by_chance(modes, draft):
            verdict, more = (
                NO_POWER_LAW,
                "its modes hold no more of the labels than they would of noise",
            )
        elif high < FLAT:
            verdict, more = NO_POWER_LAW, "it stays on a plateau"
        else:
            verdict, more = TOO_FEW, "whether it falls cannot be told"
        return replace(draft, verdict=verdict, reason=f"{between}: {more}")
    k = modes_of(draft.window or (FIRST, FIRST + 1))
    logs = residual_logs(modes, k)
    if logs is None:
        return replace(draft, verdict=NO_POWER_LAW, reason=_held(modes, int(k[-1])))
    verdict, reason = _straight("residuals of labels", draft, errors, np.log(k + 0.5), logs)
    return replace(draft, verdict=verdict, reason=reason)


def _source(
    estimates: _Estimates, capacity: MeasuredExponent, decay: MeasuredExponent
) -> MeasuredExponent:
    """Return the source: a power law if both of its parts are."""
    for name, part in (("capacity", capacity), ("decay", decay)):
        if part.value is None:
            return estimates.absent(2, part.verdict, f"there is no {name}: {part.reason}")
    draft = estimates.exponent(2)
    for part in (capacity, decay):
        if part.verdict != POWER_LAW:
            return replace(draft, verdict=part.verdict, reason=part.reason)
    return replace(draft, reason="decay over capacity, and both are exponents of power laws")


def _straight(
    name: str, draft: MeasuredExponent, errors: Array, x: Array, logs: Array
) -> tuple[str, str]:
    """Judge whether logarithms lie on a line, as far as their errors tell."""
    values = [value for _, _, value in draft.consecutive]
    listed = ", ".join(f"{value:.3g}" for value in values)
    for one, other in combinations(range(len(values)), 2):
        apart = abs(values[one] - values[other])
        interval = NORMAL * math.hypot(errors[one], errors[other])
        if apart > max(MOST_SPREAD * abs(draft.value or 0.0), MOST_INTERVALS * interval):
            known = f" (95 % interval of the difference: {interval:.2g})" if interval else ""
            return NO_POWER_LAW, (
                f"{name} have exponents {listed} over consecutive parts of the window, {apart:.2g} apart{known}"
            )
    rest = logs - logs.mean() - slope(x, logs) * (x - x.mean())
    scatter = float(np.sqrt(np.mean(rest**2)))
    if scatter > MOST_SCATTER:
        return (
            NO_POWER_LAW,
            f"{name} lie {scatter:.2g} off the fit in their logarithm, root mean square: they fall in steps",
        )
    return (
        POWER_LAW,
        f"{name} have exponents {listed} over consecutive parts of the window, which agree",
    )


def _by_chance(modes: Modes, draft: MeasuredExponent) -> bool:
    """Tell whether labels that are noise would have as much in the modes of the window: k/n, and sqrt(2k)/n for one output."""
    last = draft.window[1] if draft.window else 0
    held = float(np.sum(modes.shares[:last])) * modes.samples
    return held <= last + _CHANCE * math.sqrt(2 * last)


def _held(modes: Modes, last: int) -> str:
    count = int(np.argmax(1 - np.cumsum(modes.shares) <= EXHAUSTED)) + 1
    return f"the first {count} modes hold all of the labels, and the window ends at mode {last}"
