"""Panels as figures of a page."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ....svg import Axis, bars, coordinate, element, label, padded, polyline
from ...page.figures import LEFT, RIGHT, WIDTH, escaped, rect
from ._panels import BAND, BARS, LINE, POINTS, Mark, Panel

Array = NDArray[np.float64]

_TOP, _PLOT = 8.0, 236.0  # above the key, and the height of the plot
_ROW = 18.0  # of the key
_LETTER = 6.1  # width of a letter of the key
_SYMBOL = 30.0
_MANY = 120  # points, from which on they are small


def panel_figure(panel: Panel) -> str:
    """Draw a panel.

    Parameters
    ----------
    panel : Panel
        With at least one mark that is finite.

    Returns
    -------
    str
        An ``svg`` element, whose colors are those of the page.
    """
    rows = _key_rows([mark for mark in panel.marks if mark.label])
    top = _TOP + _ROW * len(rows) + 4
    bottom = top + _PLOT
    x = Axis(*_limits(panel, "x"), LEFT, RIGHT, log=panel.log_x)
    y = Axis(*_limits(panel, "y"), bottom, top, log=panel.log_y)
    parts = [element("title", escaped(panel.title))]
    parts.append(element("clipPath", rect(LEFT, top, RIGHT, bottom), id=f"{panel.name}-clip"))
    parts += _frame(panel, x, y, top, bottom)
    inside = [drawn for mark in panel.marks for drawn in _mark(mark, x, y)]
    parts.append(element("g", *inside, clip_path=f"url(#{panel.name}-clip)"))
    for row, marks in enumerate(rows):
        at = LEFT
        for mark in marks:
            height = _TOP + _ROW * row + 4
            parts += _symbol(mark, at, height)
            parts.append(label(mark.label, at + _SYMBOL, height + 4))
            at += _width(mark)
    return element(
        "svg",
        *parts,
        viewBox=f"0 0 {WIDTH:.0f} {coordinate(bottom + 42)}",
        class_="figure",
        role="img",
        id=panel.name,
    )


def _limits(panel: Panel, along: str) -> tuple[float, float]:
    """Fit points, lines and bars; bands no further than once more their range."""
    near, far = [], []
    for mark in panel.marks:
        if along == "x":
            near.append(mark.x)
        elif mark.kind == BAND:
            far += [mark.low, mark.high]
        else:
            near += [mark.y, mark.low, mark.high]
    log = panel.log_x if along == "x" else panel.log_y
    kept = _finite(near, log)
    reach = _finite(far, log)
    if kept.size == 0:
        kept = reach
    if reach.size:
        low, high = float(kept.min()), float(kept.max())
        if log:
            stretch = max(high / low, 1.05)
            kept = np.append(kept, np.clip(reach, low / stretch, high * stretch))
        else:
            stretch = max(high - low, 1e-12)
            kept = np.append(kept, np.clip(reach, low - stretch, high + stretch))
    return padded(kept.tolist(), 0.04, log=log)


def _finite(arrays: Sequence[Array], log: bool) -> Array:
    joined = np.concatenate([array.ravel() for array in arrays] or [np.zeros(0)])
    joined = joined[np.isfinite(joined)]
    return np.asarray(joined[joined > 0] if log else joined)


def _frame(panel: Panel, x: Axis, y: Axis, top: float, bottom: float) -> list[str]:
    x_major, x_minor = x.ticks(6)
    y_major, y_minor = y.ticks(5)
    grid = "".join(f"M{x(value):.1f} {bottom:.0f}V{top:.0f}" for value, _ in x_major)
    grid += "".join(f"M{LEFT:.0f} {y(value):.1f}H{RIGHT:.0f}" for value, _ in y_major)
    small = "".join(f"M{x(value):.1f} {bottom:.0f}v-3" for value in x_minor)
    small += "".join(f"M{LEFT:.0f} {y(value):.1f}h3" for value in y_minor)
    parts = [element("path", d=grid, class_="grid")] if grid else []
    parts += [element("path", d=small, class_="axis")] if small else []
    parts.append(rect(LEFT, top, RIGHT, bottom, class_="frame axis"))
    parts += [
        element("text", words, x=x(value), y=bottom + 15, class_="mid") for value, words in x_major
    ]
    parts += [
        element("text", words, x=LEFT - 6, y=y(value) + 4, class_="end") for value, words in y_major
    ]
    middle = (top + bottom) / 2
    parts.append(label(panel.x_name, (LEFT + RIGHT) / 2, bottom + 34, class_="mid name"))
    parts.append(
        label(panel.y_name, 12, middle, class_="mid name", transform=f"rotate(-90 12 {middle:.0f})")
    )
    return parts


def _mark(mark: Mark, x: Axis, y: Axis) -> list[str]:
    look = _look(mark)
    across = [x(value) for value in mark.x.tolist()]
    if mark.kind == BAND:
        edge = [*zip(across, map(y, mark.low.tolist()), strict=True)]
        edge += reversed([*zip(across, map(y, mark.high.tolist()), strict=True)])
        return [polyline(edge, class_=f"area {look}")]
    if mark.kind == BARS:
        ends = zip(across, map(y, mark.low.tolist()), map(y, mark.high.tolist()), strict=True)
        return [bars(ends, class_=f"stroke {look}")]
    heights = [y(value) for value in mark.y.tolist()]
    if mark.kind == LINE:
        if len(across) < 2:
            return []
        dashed = " dashed" if mark.dashed else ""
        return [polyline(zip(across, heights, strict=True), class_=f"stroke {look}{dashed}")]
    size = 3.2 if len(across) <= _MANY else 1.7
    kind = "hollow" if mark.dashed else "filled"
    return [
        element("circle", cx=at, cy=height, r=size, class_=f"{kind} {look}")
        for at, height in zip(across, heights, strict=True)
    ]


def _look(mark: Mark) -> str:
    return f"series s{int(mark.look) % 8}" if mark.look.isdecimal() else f"look-{mark.look}"


def _key_rows(marks: Sequence[Mark]) -> list[list[Mark]]:
    rows: list[list[Mark]] = []
    left = 0.0
    for mark in marks:
        if not rows or _width(mark) > left:
            rows.append([])
            left = RIGHT - LEFT + 12
        rows[-1].append(mark)
        left -= _width(mark)
    return rows


def _width(mark: Mark) -> float:
    return _SYMBOL + _LETTER * len(mark.label) + 14


def _symbol(mark: Mark, at: float, height: float) -> list[str]:
    look = _look(mark)
    if mark.kind == BAND:
        return [rect(at, height - 6, at + 22, height + 6, class_=f"area {look}")]
    if mark.kind == POINTS:
        kind = "hollow" if mark.dashed else "filled"
        return [element("circle", cx=at + 11, cy=height, r=3.2, class_=f"{kind} {look}")]
    if mark.kind == BARS:
        return [bars([(at + 11, height - 7, height + 7)], class_=f"stroke {look}")]
    dashed = " dashed" if mark.dashed else ""
    return [polyline([(at, height), (at + 22, height)], class_=f"stroke {look}{dashed}")]
