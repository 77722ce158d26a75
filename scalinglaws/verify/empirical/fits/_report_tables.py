"""Tables of the best models for computes, in the few characters of a terminal."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ....errors import DomainError
from ....formatting import number, scientific
from ._budgets import largest_fitted
from ._forecast import forecast, members
from ._intervals import half_width
from ._optimum import Optimum, optimum

if TYPE_CHECKING:
    from ._record import Fit

Array = NDArray[np.float64]

COLUMNS = 100
"""Of a terminal."""

_LEVEL = 0.95
_RATIO_INTERVAL = 5  # place in the table
_INTERVALS = ("mean", "run", "calibrated")
_DECADES = (0, 1, 2)  # above the largest budget, of the table
_NEAR = 0.05  # decades that are none


def default_computes(fit: Fit) -> Array:
    """Return the largest budget of the runs, and 10 and 100 times it, rounded as they are printed; none where it is not known."""
    if not len(fit) or not (_in_sizes(fit) or len(fit.model.variables) == 1):
        return np.zeros(0)
    return np.array([_rounded(10 ** (largest_fitted(fit) + k)) for k in _DECADES])


def _rounded(value: float) -> float:
    return float(scientific(value))


def _in_sizes(fit: Fit) -> bool:
    return set(fit.model.variables) == {"N", "D"}


def table_lines(fit: Fit, asked: Array | None) -> Iterator[str]:
    """Write the table of the best models; of the losses, for a law in one variable."""
    compute = default_computes(fit) if asked is None else asked
    if not compute.size:
        return
    if _in_sizes(fit):
        yield from _optimum_lines(fit, compute)
    elif len(fit.model.variables) == 1 and len(fit):
        yield from _curve_lines(fit, compute)


def _curve_lines(fit: Fit, x: Array) -> Iterator[str]:
    found = forecast(fit, {fit.model.variables[0]: x})
    losses = np.exp(found.log_loss)
    places = _places(losses)
    reaches = [
        half_width(_LEVEL) * np.sqrt(variance)
        for variance in (found.mean_variance, found.run_variance, found.calibrated_variance)
    ]
    rows = []
    for k in range(x.size):
        row = [
            scientific(float(x[k])) + _mark(fit, float(found.horizon[k])),
            f"{losses[k]:.{places}f}",
        ]
        for reach in reaches:
            ends = np.exp(found.log_loss[k] + np.array([-reach[k], reach[k]]))
            row.append(_range(float(ends[0]), float(ends[1]), _fixed(places)))
        rows.append(row)
    header = [fit.model.variables[0], "loss", *_INTERVALS]
    yield from _aligned(fit.law, header, rows)
    yield from _far_words(fit, found.horizon)


def _mark(fit: Fit, horizon: float) -> str:
    """Return the mark of what lies beyond what was checked."""
    return " !" if horizon > validated_horizon(fit) + _NEAR else ""


def _fixed(places: int) -> Any:
    return lambda value: f"{value:.{places}f}"


def _aligned(title: str, header: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """Write a table without its empty columns, with a title, in whose line the intervals have theirs."""
    used = [k for k in range(len(header)) if any(row[k] for row in rows)]
    widths = {k: max(len(header[k]), *(len(row[k]) for row in rows)) for k in used}
    gaps = {k: 1 if header[k] == "N_opt" else 2 for k in used}
    for spare in (_RATIO_INTERVAL, header.index("run")):  # what is left out where there is no room
        if sum(widths[k] + gaps[k] for k in used) - 2 > COLUMNS and spare in used:
            used.remove(spare)
    intervals = [k for k in used if header[k] in _INTERVALS]
    if intervals:
        before = sum(widths[k] + gaps[k] for k in used if k < intervals[0])
        title = (
            f"{title.ljust(before - 1)}{'95 % of the loss:'}" if len(title) < before - 1 else title
        )
    yield title
    for row in (header, *rows):
        yield "".join(row[k].ljust(widths[k] + gaps[k]) for k in used).rstrip()


def _optimum_lines(fit: Fit, compute: Array) -> Iterator[str]:
    try:
        found = optimum(fit, compute)
    except DomainError as failure:
        yield f"no table of the best models: {failure}"
        return
    laws = members(fit)
    title = (
        next(iter(laws))
        if len(laws) == 1
        else ("both laws, weighted" if len(laws) == 2 else f"{len(laws)} laws, weighted")
    )
    header = ["compute", "N_opt", "", "D_opt", "D/N", "", "loss", *_INTERVALS]
    yield from _aligned(title, header, list(_optimum_rows(fit, found)))
    yield from _far_words(fit, found.horizon)


def _optimum_rows(fit: Fit, found: Optimum) -> Iterator[list[str]]:
    places = _places(found.loss)
    for k in range(found.compute.size):
        row = [
            scientific(float(found.compute[k])) + _mark(fit, float(found.horizon[k])),
            _size(float(found.params[k])),
            _range(found.params_low[k], found.params_high[k], _size),
            _size(float(found.tokens[k])),
            _ratio(float(found.ratio[k])),
            _range(found.ratio_low[k], found.ratio_high[k], _ratio),
            f"{found.loss[k]:.{places}f}",
        ]
        for kind in _INTERVALS:
            low, high = (getattr(found, f"loss_{kind}_{end}")[k] for end in ("low", "high"))
            row.append(_range(low, high, _fixed(places)))
        yield row


def _range(low: float, high: float, write: Any) -> str:
    return (
        f"{write(float(low))}..{write(float(high))}"
        if math.isfinite(low) and math.isfinite(high)
        else ""
    )


def _size(value: float) -> str:
    """Write a size with two digits, the second a zero perhaps.

    Examples
    --------
    >>> _size(3e10), _size(27.4)
    ('3.0e10', '2.7e1')
    """
    mantissa, power = f"{value:.1e}".split("e")
    return f"{mantissa}e{int(power)}"


def _ratio(value: float) -> str:
    if 9.5 <= value < 1e4:
        return f"{value:.0f}"
    return f"{value:.1f}" if 0.95 <= value < 9.5 else scientific(float(f"{value:.2g}"))


def _places(losses: Array) -> int:
    """Return the decimals that show four digits of the smallest loss."""
    smallest = float(np.min(np.abs(losses)))
    return min(max(3 - math.floor(math.log10(smallest)), 0), 9) if smallest > 0 else 3


def validated_horizon(fit: Fit) -> float:
    """Return how many decades of compute ahead forecasts were checked; 0 where none was."""
    if fit.calibration is None:
        return 0.0
    return float(fit.calibration.validated_horizon)


def _far_words(fit: Fit, horizon: Array) -> Iterator[str]:
    """Say how far the marked rows lie beyond the runs, and over how far forecasts were checked."""
    checked = validated_horizon(fit)
    far = horizon[np.isfinite(horizon)]
    if not np.any(far > checked + _NEAR):
        return
    words = f"! {decades_words(float(far.max()))} above the largest run; "
    if fit.calibration is None or not len(fit.rolling):
        yield words + "no forecast over so far was checked"
    else:
        yield (
            words
            + f"the drift was checked over {number(round(checked, 1), 3)} (use calibrated there)"
        )


def decades_words(count: float) -> str:
    """Write a number of decades to one decimal."""
    rounded = round(count, 1)
    return f"{rounded:g} decade{'s' if rounded != 1 else ''}"
