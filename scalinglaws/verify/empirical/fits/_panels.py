"""What pictures of a fit show, before it is known how they are drawn: as Matplotlib figures, or on a page."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ....equality import by_value
from ....errors import DataError, DomainError
from ....formatting import scientific
from ....reprs import short_repr
from ._budgets import fitted_budgets, fitted_log_compute, largest_fitted
from ._fit import PUBLISHED, from_parameters
from ._forecast import forecast, members
from ._intervals import half_width
from ._laws import fit_law
from ._optimum import optimal_point, optimum
from ._sensitivity import refitted

if TYPE_CHECKING:
    from ._record import Fit

Array = NDArray[np.float64]

LINE, POINTS, BAND, BARS = "line", "points", "band", "bars"
LAW, RIVAL, DATA, NOTE = "law", "rival", "data", "note"
"""How a mark looks: the law, what it is compared with, what was measured, and help lines; or the number of a series."""

_STEPS = 121  # of a curve
_AHEAD = 2.0  # decades beyond the largest budget
_REACH = half_width(0.95)
_FEWEST = 5  # runs of a budget through which a parabola is put
_HIDDEN = np.zeros(0)


@short_repr
@dataclass(frozen=True)
@by_value
class Mark:
    """A line, points, a band or bars.

    Attributes
    ----------
    kind : str
        `LINE`, `POINTS`, `BAND` or `BARS`.
    x, y : ndarray
        Coordinates; of a band and of bars, y is empty.
    low, high : ndarray
        Ends of a band or of bars.
    look : str
        `LAW`, `RIVAL`, `DATA`, `NOTE`, or the number of a series in decimal digits.
    label : str
        In the key; empty for none.
    dashed : bool
        Of lines: extrapolated. Of points: rings.
    """

    kind: str
    x: Array
    y: Array = field(default_factory=lambda: _HIDDEN)
    low: Array = field(default_factory=lambda: _HIDDEN)
    high: Array = field(default_factory=lambda: _HIDDEN)
    look: str = LAW
    label: str = ""
    dashed: bool = False


@short_repr
@dataclass(frozen=True)
@by_value
class Panel:
    """Marks between two axes.

    Attributes
    ----------
    name : str
        Short, one word, for links.
    title, x_name, y_name : str
        Words above and along the axes.
    marks : tuple of Mark
        In the order in which they are drawn.
    log_x, log_y : bool
        Logarithmic axes.
    """

    name: str
    title: str
    x_name: str
    y_name: str
    marks: tuple[Mark, ...]
    log_x: bool = True
    log_y: bool = False


# -- loss against compute -----------------------------------------------------------------------------------------------------


def fit_panels(fit: Fit) -> list[Panel]:
    """Show the loss against compute: runs, the loss of the best model with its bands, and the largest budget as it was foretold.

    A law in one variable is shown against that; one in others as observed against fitted losses.
    """
    try:
        grid = _grid(fit)
        loss, bands = _curve(fit, grid)
    except (DataError, DomainError):
        return [_agreement(fit)]
    marks = [
        Mark(BAND, grid, low=low, high=high, look=look, label=f"95 %, {words}")
        for (low, high), look, words in zip(
            bands, (RIVAL, NOTE, LAW), ("calibrated", "a run", "the law"), strict=True
        )
        if np.all(np.isfinite(low))
    ]
    marks.append(Mark(POINTS, _abscissae(fit), fit.losses, look=DATA, label="runs"))
    inside = grid <= 10 ** largest_fitted(fit) * (1 + 1e-9)
    words = "best model" if _in_sizes(fit) else fit.law
    marks.append(Mark(LINE, grid[inside], loss[inside], label=words))
    last = int(np.count_nonzero(inside)) - 1
    marks.append(Mark(LINE, grid[last:], loss[last:], label="beyond the runs", dashed=True))
    marks += _foretold(fit)
    name = "compute C (FLOP)" if _in_sizes(fit) else fit.model.variables[0]
    return [
        Panel("fit", f"Loss against {name.split(' ')[0]}", name, "loss", tuple(marks), log_y=True)
    ]


def _in_sizes(fit: Fit) -> bool:
    return set(fit.model.variables) == {"N", "D"}


def _abscissae(fit: Fit) -> Array:
    return np.asarray(10 ** fitted_log_compute(fit))


def _grid(fit: Fit) -> Array:
    if not _in_sizes(fit) and len(fit.model.variables) > 1:
        raise DataError("no curve: the law has several variables")
    largest = largest_fitted(fit)
    least = float(fitted_log_compute(fit).min())
    inside = np.logspace(least, largest, _STEPS)
    return np.concatenate((inside, np.logspace(largest, largest + _AHEAD, _STEPS)[1:]))


def _curve(fit: Fit, grid: Array) -> tuple[Array, list[tuple[Array, Array]]]:
    """Return the forecast loss, of the best model for a law in N and D, and its calibrated, run and mean intervals."""
    if _in_sizes(fit):
        found = optimum(fit, grid)
        bands = [
            (getattr(found, f"loss_{kind}_low"), getattr(found, f"loss_{kind}_high"))
            for kind in ("calibrated", "run", "mean")
        ]
        return found.loss, bands
    ahead = forecast(fit, {fit.model.variables[0]: grid})
    bands = []
    for variance in (ahead.calibrated_variance, ahead.run_variance, ahead.mean_variance):
        reach = _REACH * np.sqrt(variance)
        bands.append((np.exp(ahead.log_loss - reach), np.exp(ahead.log_loss + reach)))
    return np.exp(ahead.log_loss), bands


def _foretold(fit: Fit) -> list[Mark]:
    """Return the runs of the largest budget as the law, fitted to all below, foretells them."""
    try:
        points, _, budgets = fitted_budgets(fit)
        last = points[budgets.member == len(budgets) - 1]
        weights = fit.row_weights.copy()
        weights[last] = 0.0
        other = refitted(fit, weights, fit.delta)
    except DataError:
        return []
    foretold = np.exp(
        other.model.predict(other.x, {name: v[last] for name, v in fit.columns.items()})
    )
    words = "largest budget, from those below"
    return [Mark(POINTS, _abscissae(fit)[last], foretold, look=RIVAL, label=words, dashed=True)]


def _agreement(fit: Fit) -> Panel:
    fitted = np.exp(np.log(fit.losses) - fit.residuals)
    ends = np.array([fit.losses.min(), fit.losses.max()])
    marks = (
        Mark(LINE, ends, ends, look=LAW, label=fit.law if len(fit.law) < 20 else "the law"),
        Mark(POINTS, fitted, fit.losses, look=DATA, label="runs"),
    )
    return Panel(
        "fit", "Losses, fitted and observed", "fitted loss", "observed loss", marks, log_y=True
    )


# -- isoFLOP curves -----------------------------------------------------------------------------------------------------------


def isoflop_panels(fit: Fit) -> list[Panel]:
    """Show budgets of several sizes: the law's curves with their exact minima, parabolas through the runs, and how far they are off."""
    if not _in_sizes(fit):
        raise DataError(f"{fit.law} is no law in N and D: there are no isoFLOP curves")
    curves: list[Mark] = []
    places, tops, exact, biased = [], [], [], []
    for series, (compute, rows) in enumerate(_several(fit)):
        N, losses = fit.columns["N"][rows], fit.losses[rows]
        grid = np.exp(np.linspace(np.log(N.min()) - 0.2, np.log(N.max()) + 0.2, _STEPS))
        columns = {"N": grid, "D": compute / (fit.cost * grid)}
        look = str(series)
        curves.append(Mark(LINE, grid, np.exp(forecast(fit, columns).log_loss), look=look))
        curves.append(Mark(POINTS, N, losses, look=look, label=scientific(compute)))
        best, low = _best(fit, compute)
        exact.append(best)
        places.append(compute)
        curves.append(
            Mark(
                BARS,
                np.array([best]),
                low=np.array([low * 0.995]),
                high=np.array([low * 1.005]),
                look=look,
            )
        )
        top, line = _parabola(N, losses, grid)
        tops.append(top)
        if line is not None:
            curves.append(Mark(LINE, grid, line, look=look, dashed=True))
        law = np.exp(forecast(fit, {"N": N, "D": fit.columns["D"][rows]}).log_loss)
        biased.append(_parabola(N, law, grid)[0])
    if not places:
        raise DataError("no budget has five runs of different sizes: there are no isoFLOP curves")
    at = np.array(places)
    grid = np.logspace(math.log10(at.min()), math.log10(at.max()), 3)
    sizes = np.array([_best(fit, float(compute))[0] for compute in grid])
    growth = [Mark(LINE, grid, sizes, label="the law, exactly")]
    bias = [Mark(LINE, grid, np.zeros(grid.size), look=NOTE)]
    for values, look, words in (
        (tops, RIVAL, "through the runs"),
        (biased, LAW, "through the law"),
    ):
        minima = np.array(values)
        known = np.isfinite(minima)
        off = np.log(minima[known] / np.array(exact)[known])
        bias.append(Mark(POINTS, at[known], off, look=look, label=words, dashed=look == RIVAL))
        if look == RIVAL:
            growth.append(
                Mark(
                    POINTS,
                    at[known],
                    minima[known],
                    look=look,
                    label="minima of parabolas",
                    dashed=True,
                )
            )
    title = "IsoFLOP curves (dashed: parabolas)"
    compute_name = "compute C (FLOP)"
    return [
        Panel("isoflop", title, "parameters N", "loss", tuple(curves), log_y=True),
        Panel("minima", "Best sizes", compute_name, "best N", tuple(growth), log_y=True),
        Panel(
            "bias",
            "Bias of parabolas at the same sizes",
            compute_name,
            "ln(parabola / exact) of best N",
            tuple(bias),
        ),
    ]


def _several(fit: Fit) -> Iterator[tuple[float, NDArray[np.int64]]]:
    """Return the computes of budgets with runs of several sizes, and which runs these are."""
    points, _, budgets = fitted_budgets(fit)
    for k, place in enumerate(budgets.log10_compute):
        rows = points[budgets.member == k]
        if not budgets.on_grid and np.unique(fit.columns["N"][rows]).size >= _FEWEST:
            yield float(10**place), rows


def _best(fit: Fit, compute: float) -> tuple[float, float]:
    """Return the best size, its logarithm weighted over the laws, and the loss there."""
    log_size = 0.0
    for weight, one in members(fit).values():
        size, _, _ = optimal_point(fit_law(one.law), one.parameters, compute, fit.cost)
        log_size += weight * math.log(size)
    size = math.exp(log_size)
    columns = {"N": size, "D": compute / (fit.cost * size)}
    return size, float(np.exp(forecast(fit, columns).log_loss[0]))


def _parabola(N: Array, losses: Array, grid: Array) -> tuple[float, Array | None]:
    """Fit ln L by a parabola in ln N; return its minimum, NaN if it opens downwards, and its values."""
    middle = float(np.mean(np.log(N)))
    bend, slope, level = np.polyfit(np.log(N) - middle, np.log(losses), 2)
    if not bend > 0:
        return math.nan, None
    u = np.log(grid) - middle
    return float(np.exp(middle - slope / (2 * bend))), np.exp(level + slope * u + bend * u**2)


# -- residuals ------------------------------------------------------------------------------------------------------------------


def residual_panels(fit: Fit) -> list[Panel]:
    """Show residuals against the variables, D/N and C."""
    columns = dict(fit.columns)
    if _in_sizes(fit):
        columns |= {"D/N": columns["D"] / columns["N"], "C": _abscissae(fit)}
    panels = []
    for name, values in columns.items():
        ends = np.array([values.min(), values.max()])
        if not ends[0] < ends[1]:
            continue
        marks = [
            Mark(
                BAND,
                ends,
                low=np.full(2, -200 * fit.sigma),
                high=np.full(2, 200 * fit.sigma),
                label="± 2 sd",
            ),
            Mark(LINE, ends, np.zeros(2)),
            Mark(POINTS, values, 100 * fit.residuals, look=DATA),
        ]
        title = f"Residuals against {name}"
        panels.append(
            Panel(
                f"residuals-{name.replace('/', '')}",
                title,
                name,
                "ln L, observed - fitted (%)",
                tuple(marks),
            )
        )
    return panels


# -- published laws -------------------------------------------------------------------------------------------------------------


def frontier_panels(fit: Fit) -> list[Panel]:
    """Show the best size and the loss there against compute, beside those of published laws."""
    if not _in_sizes(fit):
        raise DataError(f"{fit.law} is no law in N and D: it has no frontier")
    grid = _grid(fit)
    inside = grid <= 10 ** largest_fitted(fit) * (1 + 1e-9)
    last = int(np.count_nonzero(inside)) - 1
    found = optimum(fit, grid)
    sizes: list[Mark] = []
    losses: list[Mark] = []
    if np.all(np.isfinite(found.params_low)):
        sizes.append(Mark(BAND, grid, low=found.params_low, high=found.params_high, label="95 %"))
    if np.all(np.isfinite(found.loss_mean_low)):
        losses.append(
            Mark(
                BAND,
                grid,
                low=found.loss_mean_low,
                high=found.loss_mean_high,
                label="95 %, the law",
            )
        )
    for k, name in enumerate(PUBLISHED):
        known = from_parameters(name)
        size, _, loss = optimal_point(known.law, known.parameters, grid, fit.cost)
        sizes.append(Mark(LINE, grid, size, look=str(k + 1), label=name))
        losses.append(Mark(LINE, grid, loss, look=str(k + 1), label=name))
    for marks, values in ((sizes, found.params), (losses, found.loss)):
        marks.append(Mark(LINE, grid[: last + 1], values[: last + 1], label="this fit"))
        marks.append(Mark(LINE, grid[last:], values[last:], label="beyond the runs", dashed=True))
    return [
        Panel(
            "frontier",
            "Best size, and published laws",
            "compute C (FLOP)",
            "best N",
            tuple(sizes),
            log_y=True,
        ),
        Panel(
            "losses",
            "Loss of the best model, and published laws",
            "compute C (FLOP)",
            "loss",
            tuple(losses),
            log_y=True,
        ),
    ]
