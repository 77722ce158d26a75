"""What pictures show of a fit's errors: forecasts of later budgets, profiles and pairs of parameters."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ....errors import DataError
from ._intervals import half_width, interval
from ._panels import BAND, BARS, LAW, LINE, NOTE, POINTS, RIVAL, Mark, Panel
from ._profile import profile

if TYPE_CHECKING:
    from ._record import Fit
    from ._rolling import RollingOrigin

_REACH = half_width(0.95)
_ASIDE = 0.015  # decades between the points of two laws
_PROFILE = 25  # points of a profile
_PAIRS = 1500  # samples that are drawn


def pair_panels(fit: Fit) -> list[Panel]:
    """Show pairs of parameters of the resampled fits: exponents, and each offset or amplitude with an exponent."""
    if not len(fit.samples):
        raise DataError("there are no resampled fits to show")
    values = fit.sample_parameters
    free = [name for name, is_free in zip(fit.names, fit.free, strict=True) if is_free]
    wanted = [("a", "b"), ("E", "b"), ("A", "a"), ("E", "c")]
    pairs = [pair for pair in wanted if set(pair) <= set(free)]
    if not pairs:
        pairs = [(free[k], free[k + 1]) for k in range(min(len(free) - 1, 3))]
    panels = []
    for first, second in pairs:
        x, y = values[first][:_PAIRS], values[second][:_PAIRS]
        marks = (
            Mark(POINTS, x, y, look=NOTE, label="resampled fits"),
            Mark(
                POINTS,
                np.array([fit.parameters[first]]),
                np.array([fit.parameters[second]]),
                look=LAW,
                label="the fit",
            ),
        )
        positive = dict(zip(fit.names, fit.model.logs, strict=True))
        panels.append(
            Panel(
                f"pair-{first}-{second}",
                f"{first} and {second}",
                first,
                second,
                marks,
                log_x=positive[first] and float(np.min(x)) > 0,
                log_y=positive[second] and float(np.min(y)) > 0,
            )
        )
    return panels


def profile_panels(fit: Fit) -> list[Panel]:
    """Show the objective along each parameter, in units in which 3.84 is the end of the 95 % interval."""
    panels = []
    for name, is_free in zip(fit.names, fit.free, strict=True):
        if not is_free:
            continue
        found = profile(fit, name, points=_PROFILE)
        ends = found.values[[0, -1]]
        marks = [
            Mark(LINE, ends, np.full(2, _REACH**2), look=NOTE, label="95 %", dashed=True),
            Mark(LINE, found.values, found.ratio, label="profile"),
        ]
        if len(fit.samples):
            low, high = interval(fit, name)
            marks.append(
                Mark(
                    BARS,
                    np.array([low, high]),
                    low=np.zeros(2),
                    high=np.full(2, _REACH**2),
                    look=RIVAL,
                    label="95 % by bootstrap",
                )
            )
        log = fit.model.logs[fit.names.index(name)]
        title = f"Profile of {name}"
        panels.append(
            Panel(
                f"profile-{name}", title, name, "2 (F - least F) / scale", tuple(marks), log_x=log
            )
        )
    return panels


def rolling_panels(fit: Fit) -> list[Panel]:
    """Show the errors of forecasts of later budgets by law, with what noise and the fits explain, and the drift beyond."""
    rolling = fit.rolling
    if rolling is None or not len(rolling):
        raise DataError("no later budget was forecast from earlier ones")
    marks: list[Mark] = []
    ends = np.array([0.0, float(np.max(rolling.horizon)) * 1.05])
    if fit.calibration is not None:
        reach = 100 * _REACH * fit.calibration.drift * ends
        marks.append(Mark(BAND, ends, low=-reach, high=reach, look=NOTE, label="drift, 95 %"))
    marks.append(Mark(LINE, ends, np.zeros(2), look=NOTE))
    for k, law in enumerate(rolling.laws):
        x = rolling.horizon + (k - (len(rolling.laws) - 1) / 2) * _ASIDE
        error, reach = 100 * rolling.error(law), 100 * _REACH * np.sqrt(rolling.variance(law))
        look = str(k)
        marks.append(Mark(BARS, x, low=error - reach, high=error + reach, look=look))
        marks.append(Mark(POINTS, x, error, look=look, label=law))
    title = "Forecasts of later budgets"
    names = "decades ahead", "ln L, predicted - observed (%)"
    panels = [Panel("rolling", title, *names, tuple(marks), log_x=False)]
    if rolling.size_edge.size:
        panels.append(_size_panel(rolling))
    return panels


def _size_panel(rolling: RollingOrigin) -> Panel:
    at = 10**rolling.size_edge
    marks = [Mark(LINE, at[[0, -1]], np.zeros(2), look=NOTE)]
    for k, law in enumerate(rolling.laws):
        x = at * 10 ** ((k - (len(rolling.laws) - 1) / 2) * _ASIDE)
        error, reach = rolling.size_errors[law], _REACH * np.sqrt(rolling.size_variances[law])
        marks.append(Mark(BARS, x, low=error - reach, high=error + reach, look=str(k)))
        marks.append(Mark(POINTS, x, error, look=str(k), label=law))
    title = "Forecasts of the best size at the next budget"
    return Panel("sizes", title, "compute C (FLOP)", "ln N_opt, predicted - seen", tuple(marks))
