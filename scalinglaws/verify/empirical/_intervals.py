"""Intervals of measured exponents, and verdicts whether they are power laws at all."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from ._exponents import (
    HIGHEST,
    LOWEST,
    SHALLOW,
    FitWindow,
    capacity_over,
    corrected_logs,
    decay_over,
    fit_window,
    local_capacity,
    residual_logs,
    spectrum_over,
)
from ._records import NO_POWER_LAW, POWER_LAW, TOO_FEW, MeasuredExponent, MeasuredSpectrum
from ._sample import Modes
from ._windows import FIRST, Window, modes_of, slope, sub_windows, thirds

Array = NDArray[np.float64]
DrawHalves = Callable[[int], Sequence[Modes]]
"""Draws the leading modes, so many of each, of random halves of a sample."""

NORMAL = 1.96
"""Half of a 95 % interval over the standard deviation."""
_MOST_INTERVALS = 2.0  # between local exponents of a power law, in intervals of their difference
_MOST_SPREAD = 0.1  # between local exponents of what may still be called a power law, relative
_MOST_SCATTER = 0.2  # of logarithms about a fit that may still be called a power law
_LEAST_HALVES = 3
_SHORTEST = 12  # last mode of a window that can be cut in three


@dataclass(frozen=True)
class MeasuredExponents:
    """Exponents of a sample, and the spectra they were read off.

    Attributes
    ----------
    capacity, decay, source : MeasuredExponent
    spectrum : MeasuredSpectrum or None
        With its power laws; None where they cannot be fitted.
    half_samples : tuple of MeasuredSpectrum
        Of random halves, as far as power laws can be fitted.
    """

    capacity: MeasuredExponent
    decay: MeasuredExponent
    source: MeasuredExponent
    spectrum: MeasuredSpectrum | None
    half_samples: tuple[MeasuredSpectrum, ...]


def measured_exponents(modes: Modes, draw_halves: DrawHalves | None) -> MeasuredExponents:
    r"""Measure capacity, decay and source with 95 % intervals and verdicts.

    An interval is the value plus and minus 1.96 times the root of the sum of three squares: the standard deviation over random halves
    *without* replacement (of which that over halves of the variance at n/2 is just the variance at n), half of the range over
    sub-windows, and the distance of the mean over halves from the value.

    Something is called a power law if its exponents over three consecutive parts of the window differ by no more than 10 %, or than
    twice the 95 % interval of the difference, and if it does not scatter about the fit by more than 0.2 in its logarithm. The residual
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
    if found.verdict == TOO_FEW:
        none = _nothing(modes, found)
        return MeasuredExponents(*none, None, ())
    window, last = found.window, found.window[1]
    halves: list[Modes] = []
    if draw_halves is not None:
        halves = [half for half in draw_halves(last) if half.eigenvalues.size >= last]
        if len(halves) < _LEAST_HALVES:
            why = f"random halves of the data have fewer modes than the window's {last}"
            none = _nothing(modes, FitWindow(window, None, TOO_FEW, why))
            return MeasuredExponents(*none, None, ())

    shorter = (FIRST, last // 2)
    whole = _triple(modes, window)
    replicates = np.array([_triple(half, shorter) for half in halves]).reshape(-1, 3)
    parts = np.array([_triple(modes, part) for part in sub_windows(window)])
    local = [_local_triple(modes, found.capacity, part) for part in thirds(window)]
    scatter = np.array(
        [[_local_triple(half, found.capacity, part) for part in thirds(window)] for half in halves]
    ).reshape(-1, 3, 3)

    def exponent(place: int, check: Callable[[MeasuredExponent], tuple[str, str]]) -> MeasuredExponent:
        return _exponent(
            float(whole[place]),
            replicates[:, place],
            parts[:, place],
            window,
            [float(row[place]) for row in local],
            check,
        )

    errors = [_deviations(scatter[:, :, place]) for place in range(2)]
    capacity = (
        _absent(modes, found, 0)
        if found.capacity is None
        else exponent(0, lambda draft: _capacity_verdict(modes, draft, errors[0]))
    )
    decay = (
        _absent(modes, FitWindow(window, found.capacity, NO_POWER_LAW, _held(modes, window)), 1)
        if math.isnan(whole[1])
        else exponent(1, lambda draft: _decay_verdict(modes, draft, errors[1]))
    )
    if capacity.value is None or decay.value is None:
        missing, name = (capacity, "capacity") if capacity.value is None else (decay, "decay")
        reason = f"source = decay/capacity, and there is no {name}: {missing.reason}"
        source = _absent(modes, FitWindow(window, found.capacity, missing.verdict, reason), 2)
    else:
        source = exponent(2, lambda draft: _source_verdict(capacity, decay))
    spectra = (spectrum_over(half, shorter) for half in halves)
    return MeasuredExponents(
        capacity,
        decay,
        source,
        spectrum_over(modes, window),
        tuple(spectrum for spectrum in spectra if spectrum is not None),
    )


# -- exponents over windows ---------------------------------------------------------------------------------------------


def _triple(modes: Modes, window: Window) -> tuple[float, float, float]:
    """Return capacity, decay and source over a window; NaN for what labels do not have."""
    capacity, decay = capacity_over(modes, window), decay_over(modes, window)
    return (capacity, math.nan, math.nan) if decay is None else (capacity, decay, decay / capacity)


def _local_triple(
    modes: Modes, capacity: float | None, window: Window
) -> tuple[float, float, float]:
    """Return the same over a short window, with eigenvalues corrected by the capacity of the whole one."""
    local, decay = local_capacity(modes, capacity, window), decay_over(modes, window)
    if decay is None:
        return (local, math.inf, math.inf)
    return (local, decay, decay / local if local > 0 else math.copysign(math.inf, decay))


def _deviations(rows: Array) -> Array:
    """Return standard deviations over halves, 0 where there are none."""
    if rows.shape[0] < _LEAST_HALVES:
        return np.zeros(rows.shape[1])
    with np.errstate(invalid="ignore"):  # labels that a part of the halves holds have infinite slopes
        return np.asarray(np.nan_to_num(np.std(rows, axis=0, ddof=1), nan=math.inf))


def _exponent(
    value: float,
    replicates: Array,
    parts: Array,
    window: Window,
    local: Sequence[float],
    check: Callable[[MeasuredExponent], tuple[str, str]],
) -> MeasuredExponent:
    halves = replicates[np.isfinite(replicates)]
    whole_parts = parts[np.isfinite(parts)]
    statistical = float(np.std(halves, ddof=1)) if halves.size >= _LEAST_HALVES else 0.0
    drift = abs(float(np.mean(halves)) - value) if halves.size >= _LEAST_HALVES else 0.0
    systematic = float(np.ptp(whole_parts)) / 2 if whole_parts.size else 0.0
    half = NORMAL * math.hypot(statistical, systematic, drift)
    draft = MeasuredExponent(
        value=value,
        interval=(value - half, value + half),
        statistical=statistical,
        systematic=systematic,
        drift=drift,
        window=window,
        local=_listed(window, local),
        verdict=POWER_LAW,
        reason="",
    )
    verdict, reason = check(draft)
    return MeasuredExponent(**{**vars(draft), "verdict": verdict, "reason": reason})


def _listed(window: Window, local: Sequence[float]) -> tuple[tuple[int, int, float], ...]:
    return tuple((*part, value) for part, value in zip(thirds(window), local, strict=True))


def _absent(modes: Modes, found: FitWindow, place: int) -> MeasuredExponent:
    """Return an exponent without a value; local ones stand as far as the modes reach."""
    window, local = found.window, list[float]()
    if _SHORTEST <= window[1] <= modes.eigenvalues.size:
        triples = (_local_triple(modes, found.capacity, part) for part in thirds(window))
        local = [float(triple[place]) for triple in triples]
    listed = _listed(window, local) if local else ()
    return MeasuredExponent(
        None, None, 0.0, 0.0, 0.0, window, listed, found.verdict, found.reason
    )


def _nothing(
    modes: Modes, found: FitWindow
) -> tuple[MeasuredExponent, MeasuredExponent, MeasuredExponent]:
    return (_absent(modes, found, 0), _absent(modes, found, 1), _absent(modes, found, 2))


# -- verdicts -----------------------------------------------------------------------------------------------------------


def _capacity_verdict(
    modes: Modes, draft: MeasuredExponent, errors: Array
) -> tuple[str, str]:
    k = modes_of(_window(draft))
    logs = corrected_logs(modes, draft.value, k)
    verdict, reason = _straight("eigenvalues", draft, errors, np.log(k), logs)
    if draft.value is not None and draft.value < SHALLOW:
        reason += f"; below {SHALLOW:g}, the correction is larger than what it corrects"
    ends = [end for end in _bounds(modes, draft) if end]
    return verdict, "; ".join([reason, *ends])


def _bounds(modes: Modes, draft: MeasuredExponent) -> list[str]:
    """Say where a power law of a finite number of modes ends."""
    if math.isinf(modes.rank) or math.isinf(modes.samples):
        return []
    if modes.rank / 2 < 0.15 * modes.samples:
        return [f"it ends with the {modes.rank:.0f} modes that the data have"]
    return []


def _decay_verdict(modes: Modes, draft: MeasuredExponent, errors: Array) -> tuple[str, str]:
    window = _window(draft)
    if draft.interval is not None and draft.interval[0] <= 0:
        low, high = draft.interval
        return NO_POWER_LAW, (
            f"what the labels have beyond mode k cannot be told from a constant (exponent from {low:.2g} to {high:.2g}), "
            "as if they were noise"
        )
    k = modes_of(window)
    logs = residual_logs(modes, k)
    if logs is None:
        return NO_POWER_LAW, _held(modes, window)
    return _straight("the residual of labels", draft, errors, np.log(k + 0.5), logs)


def _source_verdict(capacity: MeasuredExponent, decay: MeasuredExponent) -> tuple[str, str]:
    for name, part in (("eigenvalues", capacity), ("labels", decay)):
        if part.verdict != POWER_LAW:
            return part.verdict, f"for the {name}: {part.reason}"
    return POWER_LAW, "the ratio of decay and capacity, both of power laws"


def _straight(
    name: str, draft: MeasuredExponent, errors: Array, x: Array, logs: Array
) -> tuple[str, str]:
    """Judge whether logarithms lie on a line, as far as their errors tell."""
    values = [value for _, _, value in draft.local]
    tolerated = _MOST_SPREAD * abs(draft.value or 0.0)
    for one, other in combinations(range(len(values)), 2):
        gap = abs(values[one] - values[other]) if values[one] != values[other] else 0.0
        interval = NORMAL * math.hypot(errors[one], errors[other])
        if gap > max(tolerated, _MOST_INTERVALS * interval):
            return NO_POWER_LAW, (
                f"{name} have local exponents {', '.join(f'{value:.3g}' for value in values)} over consecutive parts "
                f"of the window: {gap:.2g} apart"
                + (f", with a 95 % interval of {interval:.2g}" if interval else "")
            ).replace("the residual of labels have", "the residual of labels has")
    rest = logs - logs.mean() - slope(x, logs) * (x - x.mean())
    scatter = float(np.sqrt(np.mean(rest**2)))
    if scatter > _MOST_SCATTER:
        return NO_POWER_LAW, (
            f"{name} scatter about the fit by {scatter:.2g} in their logarithm: steps, not a power law"
        )
    return POWER_LAW, (
        f"local exponents {', '.join(f'{value:.3g}' for value in values)} agree"
    )


def _held(modes: Modes, window: Window) -> str:
    residual = 1 - np.cumsum(modes.shares)
    count = int(np.argmax(residual <= 1e-10)) + 1
    return f"the first {count} modes hold all of the labels, before the window ends at mode {window[1]}"


def _window(draft: MeasuredExponent) -> Window:
    return (FIRST, FIRST + 1) if draft.window is None else draft.window


__all__ = ["HIGHEST", "LOWEST", "MeasuredExponents", "measured_exponents"]
