"""Figures of a measured task, for the page: its spectrum, the tail of its labels, and the learning curve."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ...formatting import number, typeset
from ...svg import Axis, bars, element, label, linear_ticks, padded, polyline
from ..page.figures import LEFT, LOWER, MAIN, RIGHT, WIDTH, escaped, frame, rect
from ._prediction import SIGMA, TaskPrediction
from ._records import MeasuredExponent, MeasuredSpectrum
from ._spectrum_curves import SpectrumCurves, eigenvalue_curves, residual_curves

if TYPE_CHECKING:
    from ._task import MeasuredTask

Array = NDArray[np.float64]
_HEIGHT = 406


def task_figures(measurement: MeasuredTask, prediction: TaskPrediction) -> Iterator[str]:
    """Draw spectrum, residual and learning curve, as far as they are known; each is an ``svg`` element."""
    if measurement.spectrum is not None:
        yield _spectrum_figure(
            eigenvalue_curves(measurement.spectrum),
            measurement.spectrum,
            measurement.capacity,
            ("eigenvalue of K/n", "local α", "spectrum"),
        )
        yield _spectrum_figure(
            residual_curves(measurement.spectrum),
            measurement.spectrum,
            measurement.decay,
            ("labels outside k modes", "local αβ", "residual"),
        )
    if prediction.curve is not None:
        yield _curve_figure(prediction)


def _spectrum_figure(
    curves: SpectrumCurves,
    spectrum: MeasuredSpectrum,
    found: MeasuredExponent,
    names: tuple[str, str, str],
) -> str:
    """Draw measured and corrected values with window and fit; below, local exponents with the estimate and its interval."""
    y_name, slope_name, key = names
    x = Axis(*padded([1.0, float(curves.k[-1])], 0.03, log=True), LEFT, RIGHT, log=True)
    values = [*curves.measured.tolist(), *curves.corrected.tolist()]
    y = Axis(*padded(values, 0.06, log=True), *MAIN, log=True)
    first, last = spectrum.window
    inside = [rect(x(first), high, x(last), low, class_="window") for low, high in (MAIN, LOWER)]
    dots = [
        element("circle", cx=x(k), cy=y(value), r=2, class_=kind)
        for kind, column in (("ring", curves.measured), ("datum", curves.corrected))
        for k, value in zip(curves.k.tolist(), column.tolist(), strict=True)
    ]
    window = (curves.fit_k >= first) & (curves.fit_k <= last)
    fit = list(zip(map(x, curves.fit_k.tolist()), map(y, curves.fit.tolist()), strict=True))
    chosen = [point for point, kept in zip(fit, window, strict=True) if kept]
    upper = [*dots, polyline(fit, class_="theory thin dashed")]
    upper += [polyline(chosen, class_="theory")] if len(chosen) > 1 else []

    ends = list(found.interval or ())
    shown = [*curves.slope.tolist(), *([found.value] if found.value is not None else []), *ends]
    slope = Axis(*padded(_central(shown), 0.12, log=False), *LOWER)
    lower = []
    if found.value is not None:
        if ends:
            lower.append(rect(LEFT, slope(ends[1]), RIGHT, slope(ends[0]), class_="band"))
        lower.append(
            polyline(
                [(LEFT, slope(found.value)), (RIGHT, slope(found.value))], class_="theory thin"
            )
        )
    points = zip(curves.slope_k.tolist(), curves.slope.tolist(), strict=True)
    drawn = [(x(k), slope(value)) for k, value in points]
    lower += [polyline(drawn, class_="slope")] if len(drawn) > 1 else []

    estimate = "no estimate" if found.value is None else f"exponent {number(found.value, 4)}"
    legend = [
        element("circle", cx=LEFT + 4, cy=12, r=2, class_="ring"),
        label("as measured", LEFT + 12, 16),
        element("circle", cx=LEFT + 96, cy=12, r=2, class_="datum"),
        label("without bias", LEFT + 104, 16),
        polyline([(LEFT + 180, 12), (LEFT + 202, 12)], class_="theory"),
        label(f"fit, {estimate}", LEFT + 208, 16),
        rect(LEFT, 26, LEFT + 20, 38, class_="window"),
        label(f"modes of the fit, {first} to {last}", LEFT + 26, 36),
        label(found.verdict, RIGHT, 36, class_="end"),
    ]
    title = (
        f"{y_name} against mode number: {estimate} over modes {first} to {last}, {found.verdict}"
    )
    marks = linear_ticks(slope.low, slope.high, 3)
    return _drawing(
        key,
        title,
        x,
        y,
        inside,
        upper,
        lower,
        legend,
        ("mode k", y_name, slope_name),
        (slope, marks),
    )


def _curve_figure(prediction: TaskPrediction) -> str:
    """Draw the predicted curve with its band, and held-out losses; below, the ratio of the two with what is allowed."""
    curve, held = prediction.curve, prediction.held_out
    if curve is None:
        return ""
    x = Axis(*padded(curve.samples.tolist(), 0.03, log=True), LEFT, RIGHT, log=True)
    values = [*curve.low.tolist(), *curve.high.tolist()]
    values += [] if held is None else np.asarray(held.measured).tolist()
    y = Axis(*padded(values, 0.05, log=True), *MAIN, log=True)
    across = list(map(x, curve.samples.tolist()))
    upper = [_area(across, y, curve.low, curve.high)]
    line = list(zip(across, map(y, curve.loss.tolist()), strict=True))
    known = [point for point, far in zip(line, curve.extrapolated, strict=True) if not far]
    upper += [polyline(line, class_="theory thin dashed")]
    upper += [polyline(known, class_="theory")] if len(known) > 1 else []
    lower: list[str] = []
    ratio_axis = Axis(0.5, 2.0, *LOWER, log=True)
    marks = [1.0]
    if held is not None and prediction.ratio is not None and prediction.allowed is not None:
        sizes = list(map(x, np.asarray(held.samples).tolist()))
        reach = SIGMA * np.asarray(held.standard_error)
        upper.append(_bars(sizes, y, np.asarray(held.measured), reach))
        upper += [
            element(
                "circle",
                element("title", escaped(f"P = {typeset(size)}: {typeset(value)}")),
                cx=at,
                cy=y(value),
                r=3.4,
                class_="datum",
            )
            for at, size, value in zip(sizes, held.samples, held.measured, strict=True)
        ]
        ends = [*prediction.ratio, *prediction.allowed, *(1 / prediction.allowed)]
        ratio_axis = Axis(*padded(list(map(float, ends)), 0.15, log=True), *LOWER, log=True)
        marks = [value for value, _ in ratio_axis.ticks(4)[0]]
        lower.append(_area(sizes, ratio_axis, 1 / prediction.allowed, prediction.allowed))
        lower.append(
            polyline([(LEFT, ratio_axis(1)), (RIGHT, ratio_axis(1))], class_="theory thin")
        )
        lower += [
            element("circle", cx=at, cy=ratio_axis(value), r=3.4, class_="datum")
            for at, value in zip(sizes, prediction.ratio.tolist(), strict=True)
        ]
    else:
        middle = sum(LOWER) / 2
        lower.append(
            label("not checked on held-out data", (LEFT + RIGHT) / 2, middle, class_="mid name")
        )
        marks = []
    legend = [
        polyline([(LEFT, 12), (LEFT + 22, 12)], class_="theory"),
        label("predicted", LEFT + 28, 16),
        rect(LEFT + 92, 6, LEFT + 112, 18, class_="band"),
        label("95 % band", LEFT + 118, 16),
        polyline([(LEFT + 190, 12), (LEFT + 212, 12)], class_="theory thin dashed"),
        label("beyond what was checked", LEFT + 218, 16),
    ]
    if held is not None:
        legend += [
            element("circle", cx=LEFT + 11, cy=32, r=3.4, class_="datum"),
            bars([(LEFT + 11, 25, 39)], class_="bar"),
            label("held-out data, ± 1.96 standard errors", LEFT + 28, 36),
        ]
    agrees = {None: "not checked", True: "held-out data agree", False: "held-out data do not agree"}
    title = f"test loss against samples, predicted and measured: {agrees[prediction.agrees]}"
    names = ("samples P", "loss / power of labels", "ratio")
    return _drawing("curve", title, x, y, [], upper, lower, legend, names, (ratio_axis, marks))


def _drawing(
    key: str,
    title: str,
    x: Axis,
    y: Axis,
    behind: Sequence[str],
    upper: Sequence[str],
    lower: Sequence[str],
    legend: Sequence[str],
    names: tuple[str, str, str],
    below: tuple[Axis, Sequence[float]],
) -> str:
    """Put two panels under each other, with ticks, names and a legend."""
    major, minor = x.ticks(6)
    ticks = [(x(value), words) for value, words in major]
    parts = [element("title", escaped(title))]
    for panel, (bottom, top) in (("upper", MAIN), ("lower", LOWER)):
        parts.append(element("clipPath", rect(LEFT, top, RIGHT, bottom), id=f"{key}-{panel}"))
    parts += [*behind, *frame(ticks, [x(value) for value in minor], y, *names)]
    axis, marks = below
    parts += [
        element("text", typeset(value, 3), x=LEFT - 6, y=axis(value) + 4, class_="end")
        for value in marks
    ]
    parts.append(element("g", *upper, clip_path=f"url(#{key}-upper)"))
    parts.append(element("g", *lower, clip_path=f"url(#{key}-lower)"))
    parts += legend
    return element(
        "svg", *parts, viewBox=f"0 0 {WIDTH:.0f} {_HEIGHT}", class_="figure", role="img", id=key
    )


def _central(values: Sequence[float]) -> list[float]:
    """Leave out what lies far from the rest: local exponents of few modes do."""
    low, middle, high = np.quantile(values, [0.1, 0.5, 0.9])
    reach = max(3 * (high - low), 0.2 * abs(middle), 1e-3)
    return [value for value in values if abs(value - middle) <= reach] or [float(middle)]


def _area(across: Sequence[float], y: Axis, low: Array, high: Array) -> str:
    edge = [*zip(across, map(y, low.tolist()), strict=True)]
    edge += reversed([*zip(across, map(y, high.tolist()), strict=True)])
    return polyline(edge, class_="band")


def _bars(across: Sequence[float], y: Axis, middle: Array, reach: Array) -> str:
    ends = zip(across, (middle - reach).tolist(), (middle + reach).tolist(), strict=True)
    return bars(((at, y(low), y(high)) for at, low, high in ends), class_="bar")
