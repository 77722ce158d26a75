"""Figures of comparisons, for the page: a curve with its residuals, and all differences in units of their tolerances."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from ...formatting import minus, percent, typeset
from ...svg import Axis, arrow, bars, element, label, linear_ticks, padded, polyline
from ..comparison import Comparison, Crash, Entry
from ..rule import FAIL, LEVEL, PASS, quantile
from .words import MEASURED, curve_axes, glyph, shortened, tone

WIDTH = 440.0
LEFT, RIGHT = 60.0, WIDTH - 14
MAIN = (252.0, 46.0)  # coordinates of the lower and the upper edge
LOWER = (362.0, 272.0)
_SLOT = 26.0  # room for a point at zero or infinity on a logarithmic axis
_ROW = 35.0


@dataclass(frozen=True)
class _Points:
    """A curve comparison as plain numbers; `reach` is what a pass allows for noise, `far` what a failure does."""

    x: list[float] | None
    predicted: list[float]
    measured: list[float]
    rival: list[float]
    reach: list[float]
    deviation: list[float]
    near: list[float]
    far: list[float]


def _points(comparison: Comparison) -> _Points:
    predicted, measured, rival = comparison.prediction, comparison.measurement, comparison.rival
    p, m = np.asarray(predicted.value, float), np.asarray(measured.value, float)
    s = np.broadcast_to(np.asarray(measured.se, float), p.shape)
    q, q_far = (
        (1.0, 1.0)
        if measured.deterministic
        else (float(quantile(1 - at, measured.df)) for at in (LEVEL, LEVEL / p.size))
    )
    spread = np.hypot(s, predicted.se) / np.abs(p)
    x = None if predicted.x is None else np.asarray(predicted.x, float).tolist()
    other = [] if rival is None else np.asarray(rival.value, float).tolist()
    return _Points(
        x,
        p.tolist(),
        m.tolist(),
        other,
        (q * s).tolist(),
        (m / p - 1).tolist(),
        (q * spread).tolist(),
        (q_far * spread).tolist(),
    )


def curve_figure(comparison: Comparison, key: str) -> str:
    r"""Draw a curve comparison.

    Above, theory (line), rival (dashed) and measurement (points with bars :math:`\pm q s`), doubly logarithmic where all values
    are positive; below, relative deviations with their bars and the band of the tolerance. Deviations beyond five tolerances
    become arrows. On a logarithmic axis zero and infinity have places of their own at its ends.

    Parameters
    ----------
    comparison : Comparison
        Of kind ``"curve"``, judged.
    key : str
        Unique on the page, for references inside the figure.

    Returns
    -------
    str
        An ``svg`` element.
    """
    data = _points(comparison)
    x_name, y_name = curve_axes(comparison)
    place, x_ticks, x_minor, breaks = _horizontal(data)
    y = _vertical(data)
    shown = [place(value) for value in data.x or range(1, len(data.predicted) + 1)]
    source = MEASURED.get(comparison.evidence, comparison.evidence)
    title = f"{comparison.id}: {y_name} by {x_name}, theory against {source}: {comparison.verdict}"
    size = 3.4 if len(shown) <= 40 else 2.2

    parts = [element("title", escaped(title))]
    parts.append(element("clipPath", rect(LEFT, MAIN[1], RIGHT, MAIN[0]), id=f"{key}-clip"))
    parts += frame(x_ticks, x_minor, y, x_name, y_name)
    parts += [
        element("path", d=f"M{at:.0f} {low:.0f}V{high:.0f}", class_="break")
        for at in breaks
        for low, high in (MAIN, LOWER)
    ]
    inside = [] if not data.rival else [_line(data, shown, data.rival, y, "rival")]
    inside.append(_line(data, shown, data.predicted, y, "theory"))
    reach = zip(shown, data.measured, data.reach, strict=True)
    inside.append(bars(((at, y(m - r), y(m + r)) for at, m, r in reach), class_="bar"))
    for j, at in enumerate(shown):
        where = f"{x_name} = {typeset(data.x[j])}" if data.x else f"{x_name} {j + 1}"
        hint = f"{where}: {typeset(data.measured[j])} ± {typeset(data.reach[j], 2)}, theory {typeset(data.predicted[j])}"
        inside.append(
            element(
                "circle",
                element("title", escaped(hint)),
                cx=at,
                cy=y(data.measured[j]),
                r=size,
                class_="datum",
            )
        )
    parts.append(element("g", *inside, clip_path=f"url(#{key}-clip)"))
    parts += _residuals(data, shown, comparison.tolerance, size)
    parts += _legend(
        source,
        comparison.rival.name if comparison.rival else None,
        f"tolerance ±{percent(comparison.tolerance)}",
    )
    return element(
        "svg", *parts, viewBox=f"0 0 {WIDTH:.0f} 406", class_="figure", role="img", id=key
    )


def escaped(words: str) -> str:
    """Escape words for the inside of an element."""
    return words.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def rect(left: float, top: float, right: float, bottom: float, **attributes: str | float) -> str:
    """Draw a rectangle between its edges."""
    return element("rect", x=left, y=top, width=right - left, height=bottom - top, **attributes)


def _horizontal(
    data: _Points,
) -> tuple[Callable[[float], float], list[tuple[float, str]], list[float], list[float]]:
    """Return the map of the horizontal axis, its ticks and the breaks before zero and infinity, as coordinates."""
    values = data.x or [float(k + 1) for k in range(len(data.predicted))]
    finite = [value for value in values if math.isfinite(value)] or [1.0]
    positive = [value for value in finite if value > 0]
    log = data.x is not None and bool(positive) and min(finite) >= 0
    start = LEFT + (_SLOT if log and min(finite) == 0 else 0)
    stop = RIGHT - (_SLOT if max(values) == math.inf else 0)
    axis = Axis(*padded(positive if log else finite, 0.05, log=log), start, stop, log=log)

    def place(value: float) -> float:
        if math.isinf(value):
            return RIGHT - 10
        return LEFT + 10 if log and value == 0 else axis(value)

    major, minor = axis.ticks(6)
    ticks = [(axis(value), words) for value, words in major]
    ticks += [(place(0.0), "0")] if start > LEFT else []
    ticks += [(place(math.inf), "∞")] if stop < RIGHT else []
    breaks = [edge for edge in (start, stop) if edge not in (LEFT, RIGHT)]
    return place, ticks, [axis(value) for value in minor], breaks


def _vertical(data: _Points) -> Axis:
    """Fit theory and measurement; follow the rival no further than once more their range, or a decade."""
    own = data.predicted + data.measured
    log = min(own) > 0
    ends = [
        m + sign * r for m, r in zip(data.measured, data.reach, strict=True) for sign in (-1, 1)
    ]
    own += (
        [max(end, m / 3) for end, m in zip(ends, np.repeat(data.measured, 2).tolist(), strict=True)]
        if log
        else ends
    )
    low, high = min(own), max(own)
    near = max(high / low, 10.0) if log else max(high - low, abs(high) * 0.2)
    limits = (low / near, high * near) if log else (low - near, high + near)
    own += [min(max(value, limits[0]), limits[1]) for value in data.rival]
    return Axis(*padded(own, 0.08, log=log), *MAIN, log=log)


def frame(
    x_ticks: list[tuple[float, str]],
    x_minor: list[float],
    y: Axis,
    x_name: str,
    y_name: str,
    lower_name: str = "deviation",
) -> list[str]:
    """Draw grid, ticks and names of both panels."""
    major, minor = y.ticks(5)
    bottom = LOWER[0]
    grid = "".join(
        f"M{at:.1f} {low:.0f}V{high:.0f}" for at, _ in x_ticks for low, high in (MAIN, LOWER)
    )
    grid += "".join(f"M{LEFT:.0f} {y(value):.1f}H{RIGHT:.0f}" for value, _ in major)
    small = "".join(f"M{at:.1f} {low:.0f}v-3" for at in x_minor for low in (MAIN[0], bottom))
    small += "".join(f"M{LEFT:.0f} {y(value):.1f}h3" for value in minor)
    parts = [element("path", d=grid, class_="grid")] if grid else []
    parts += [element("path", d=small, class_="axis")] if small else []
    parts += [rect(LEFT, high, RIGHT, low, class_="axis") for low, high in (MAIN, LOWER)]
    parts += [element("text", words, x=at, y=bottom + 15, class_="mid") for at, words in x_ticks]
    parts += [
        element("text", words, x=LEFT - 6, y=y(value) + 4, class_="end") for value, words in major
    ]
    parts.append(label(shortened(x_name, 60), (LEFT + RIGHT) / 2, bottom + 34, class_="mid name"))
    for words, (low, high) in ((y_name, MAIN), (lower_name, LOWER)):
        middle = (low + high) / 2
        length = int((low - high) / 6)
        parts.append(
            label(
                shortened(words, length),
                12,
                middle,
                class_="mid name",
                transform=f"rotate(-90 12 {middle:.0f})",
            )
        )
    return parts


def _line(data: _Points, shown: list[float], values: list[float], y: Axis, kind: str) -> str:
    """Connect ordinary points; those at zero and infinity get a dash each."""
    special = (
        [LEFT + 10, RIGHT - 10]
        if data.x and any(value == 0 or math.isinf(value) for value in data.x)
        else []
    )
    pairs = sorted(zip(shown, map(y, values), strict=True))
    ordinary = [pair for pair in pairs if pair[0] not in special]
    lines = (
        [ordinary]
        if len(ordinary) > 1
        else [[(at - 9, height), (at + 9, height)] for at, height in ordinary]
    )
    lines += [[(at - 9, height), (at + 9, height)] for at, height in pairs if at in special]
    return "".join(polyline(line, class_=kind) for line in lines)


def _residuals(data: _Points, shown: list[float], tolerance: float, size: float) -> list[str]:
    """Draw the lower panel: band, deviations, bars; colored point by point by the rule for curves."""
    largest = max(abs(e) + r for e, r in zip(data.deviation, data.near, strict=True))
    limit = min(max(1.5 * tolerance, 1.1 * largest), 5 * tolerance)
    axis = Axis(-limit, limit, *LOWER)
    parts = [rect(LEFT, axis(tolerance), RIGHT, axis(-tolerance), class_="band")]
    parts.append(element("path", d=f"M{LEFT:.0f} {axis(0):.1f}H{RIGHT:.0f}", class_="theory thin"))
    # the edges of the band are what one wants to read, unless they are too near to each other
    marks = (
        [-tolerance, 0.0, tolerance] if limit < 3 * tolerance else linear_ticks(-limit, limit, 2)
    )
    parts += [
        element("text", _signed_percent(mark), x=LEFT - 6, y=axis(mark) + 4, class_="end")
        for mark in marks
    ]
    for at, e, near, far in zip(shown, data.deviation, data.near, data.far, strict=True):
        kind = PASS if abs(e) + near <= tolerance else FAIL if abs(e) - far > tolerance else "open"
        low, high = max(e - near, -limit), min(e + near, limit)
        if low < high:
            parts.append(bars([(at, axis(low), axis(high))], class_=f"bar {kind}"))
        if abs(e) > limit:
            parts.append(
                arrow(
                    at,
                    axis(math.copysign(limit, e)),
                    "up" if e > 0 else "down",
                    class_=f"mark {kind}",
                )
            )
        else:
            parts.append(marker(at, axis(e), kind, size))
    return parts


def _signed_percent(share: float) -> str:
    return "0" if share == 0 else ("+" if share > 0 else "") + percent(share)


def marker(x: float, y: float, kind: str, size: float = 4.2) -> str:
    """Draw a point whose shape tells the verdict too: a disk for a pass, a diamond for a failure, a ring if open."""
    if kind == FAIL:
        reach = 1.35 * size
        corners = [(x, y - reach), (x + reach, y), (x, y + reach), (x - reach, y)]
        return element(
            "path",
            d="M" + "L".join(f"{a:.2f} {b:.2f}" for a, b in corners) + "Z",
            class_="mark fail",
        )
    return element("circle", cx=x, cy=y, r=size, class_=f"mark {kind}")


def _legend(source: str, rival: str | None, band: str) -> list[str]:
    parts = [
        polyline([(LEFT, 12), (LEFT + 22, 12)], class_="theory"),
        label("theory", LEFT + 28, 16),
    ]
    parts += [
        element("circle", cx=LEFT + 92, cy=12, r=3.4, class_="datum"),
        bars([(LEFT + 92, 5, 19)], class_="bar"),
    ]
    parts += [label(source, LEFT + 101, 16)]
    parts += [
        rect(RIGHT - 132, 6, RIGHT - 112, 18, class_="band"),
        label(band, RIGHT - 106, 16),
    ]
    if rival is not None:
        parts += [
            polyline([(LEFT, 32), (LEFT + 22, 32)], class_="rival"),
            label(shortened(f"rival: {rival}", 56), LEFT + 28, 36),
        ]
    return parts


def in_tolerances(entry: Entry) -> tuple[float, float, float] | None:
    """Return the difference and the ends of its interval in units of the tolerance; a curve's at its worst point.

    Returns
    -------
    tuple of float or None
        Difference, low end, high end; None where nothing was measured, or nothing is tolerated.
    """
    if isinstance(entry, Crash):
        return None
    unit = entry.tolerance
    if entry.tolerance_kind == "relative" and entry.prediction.kind != "curve":
        unit *= abs(float(entry.prediction.value))
    if not unit > 0:
        return None
    low, high = entry.outcome.interval
    return entry.outcome.difference / unit, low / unit, high / unit


def forest_figure(entries: Sequence[tuple[str, str, Entry]], title: str, axis_name: str) -> str:
    r"""Draw differences in units of their tolerances, one row each, with bars :math:`\pm q s` and the band from -1 to 1.

    Parameters
    ----------
    entries : sequence of (str, str, Comparison or Crash)
        What a row is called, the target of its link, and what it shows.
    title : str
        For those who cannot see the figure.
    axis_name : str
        What is drawn.

    Returns
    -------
    str
        An ``svg`` element. Values beyond four tolerances become arrows at the edge; the number stands in the row.
    """
    found = [in_tolerances(entry) for _, _, entry in entries]
    largest = max((max(map(abs, values)) for values in found if values is not None), default=0.0)
    limit = min(max(1.6, 1.05 * largest), 4.0)
    axis = Axis(-limit, limit, 8, WIDTH - 8)
    bottom = 4 + _ROW * len(entries)
    parts = [element("title", escaped(title))]
    for row, ((name, target, entry), values) in enumerate(zip(entries, found, strict=True)):
        parts += _forest_row(axis, 4 + _ROW * row, name, target, entry.verdict, values)
    ticks = linear_ticks(-limit, limit, 4 if limit > 2 else 3)
    line = f"M{axis(-limit):.0f} {bottom + 4:.0f}H{axis(limit):.0f}"
    parts.append(
        element(
            "path",
            d=line + "".join(f"M{axis(tick):.1f} {bottom + 4:.0f}v4" for tick in ticks),
            class_="axis",
        )
    )
    parts += [label(typeset(tick), axis(tick), bottom + 21, class_="mid") for tick in ticks]
    parts.append(label(axis_name, WIDTH / 2, bottom + 40, class_="mid name"))
    return element(
        "svg",
        *parts,
        viewBox=f"0 0 {WIDTH:.0f} {bottom + 48:.0f}",
        class_="figure forest",
        role="img",
    )


def _forest_row(
    axis: Axis,
    top: float,
    name: str,
    target: str,
    verdict: str,
    values: tuple[float, float, float] | None,
) -> list[str]:
    kind, y = tone(verdict), top + 24
    parts = [element("a", label(shortened(name, 44), axis.start, top + 12), href=f"#{target}")]
    words = f"{glyph(verdict)} {verdict}"
    parts += [rect(axis(-1), y - 7, axis(1), y + 7, class_="band")]
    parts += [element("path", d=f"M{axis.start:.0f} {y:.0f}H{axis.stop:.0f}", class_="grid")]
    parts += [element("path", d=f"M{axis(0):.1f} {y - 7:.0f}v14", class_="axis")]
    if values is not None:
        middle, low, high = values
        words = f"{_signed_number(middle)}   {words}"
        inner = max(low, axis.low), min(high, axis.high)
        if inner[0] < inner[1]:
            parts.append(
                element(
                    "path",
                    d=f"M{axis(inner[0]):.2f} {y:.0f}H{axis(inner[1]):.2f}",
                    class_=f"bar {kind}",
                )
            )
        for beyond, edge, direction in (
            (low < axis.low, axis.start, "left"),
            (high > axis.high, axis.stop, "right"),
        ):
            parts += [arrow(edge, y, direction, class_=f"mark {kind}")] if beyond else []
        if axis.low <= middle <= axis.high:
            parts.append(marker(axis(middle), y, kind))
    parts.append(label(words, axis.stop, top + 12, class_=f"end {kind}"))
    return parts


def _signed_number(value: float) -> str:
    if abs(value) < 0.005:
        return "0"
    written = (
        f"{value:+.2f}" if abs(value) < 100 else ("+" if value > 0 else "") + typeset(value, 2)
    )
    return minus(written)
