"""Results as a notebook shows them: a table with a small figure, in HTML that needs no script, no network and no style of the page."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import fields
from html import escape
from typing import Any

import numpy as np
from numpy.typing import NDArray

from . import formatting
from .reprs import in_short, shown_columns
from .svg import Axis, element, label, padded, polyline
from .tables import Table

_ROWS = 8
_COLUMNS = 7  # of a result that declares none
_LINES = 6  # curves of a figure
_POINTS = 400  # of a curve
_WIDTH, _HEIGHT = 330.0, 220.0
_LEFT, _RIGHT, _TOP, _BOTTOM = 58.0, 320.0, 10.0, 178.0
_LOGARITHMIC = 20.0  # ratio of the ends of an axis from which it is logarithmic
_COLORS = ("#1659c7", "#c4202b", "#1a7f37", "#8a4bc4", "#8a5a00", "#57606a")

Columns = dict[str, NDArray[Any]]


def words_html(words: str) -> str:
    """Show lines of words as they stand on a terminal.

    Examples
    --------
    >>> words_html("1 < N")
    '<pre>1 &lt; N</pre>'
    """
    return f"<pre>{escape(words)}</pre>"


def result_html(result: Any) -> str:
    """Show a result: its fields as a table, some rows of long ones, and a figure where something varies.

    Parameters
    ----------
    result : Result
        Any result; what its class declares with `shows` is drawn.

    Returns
    -------
    str
        One element.
    """
    values = {field.name: getattr(result, field.name) for field in fields(result)}
    shown = [name for name in shown_columns(result) if name in values]
    shown = shown or [name for name in values if name.endswith(("loss", "losses"))]
    columns = _columns(_inputs(values, shown), shown)
    rest = {name: value for name, value in values.items() if name not in columns}
    lone = {name: value for name, value in rest.items() if not _is_long(value)}
    for name, column in list(columns.items()):
        if name not in shown and len(columns) > 1 and not _varies(column):
            lone = {name: column[0].item(), **lone}
            del columns[name]
    parts = [f"<p><strong>{type(result).__name__}</strong></p>"]
    if columns:
        varied = [name for name, column in columns.items() if _varies(column)]
        drawn = figure(columns, varied, shown)
        parts.append(
            '<div style="display:flex;flex-wrap:wrap;gap:1.5em;align-items:flex-start">'
            f"<div>{_rows(columns)}</div>{drawn}</div>"
        )
    parts.append(_facts(lone))
    return f"<div>{''.join(parts)}</div>"


def _is_long(value: Any) -> bool:
    return isinstance(value, (np.ndarray, list, tuple)) and np.size(value) > 1


def _inputs(values: dict[str, Any], shown: Sequence[str]) -> dict[str, Any]:
    """Choose what stands in front of the first field that is shown, and all that is: what a table needs to be read."""
    if not shown:
        return dict(list(values.items())[:_COLUMNS])
    names = list(values)
    first = min(map(names.index, shown))
    return {name: values[name] for name in names if name in shown or names.index(name) < first}


def _columns(values: dict[str, Any], shown: Sequence[str]) -> Columns:
    """Choose the fields that make rows: all arrays that go with what is shown, or with the longest array; inputs come first."""
    arrays = {
        name: np.asarray(value)
        for name, value in values.items()
        if isinstance(value, np.ndarray)
        and value.ndim
        and value.size
        and value.dtype.kind in "biuf"
    }
    if not arrays:
        return {}
    leading = [name for name in shown if name in arrays] or [
        max(arrays, key=lambda name: arrays[name].size)
    ]
    shape = arrays[leading[0]].shape
    found: Columns = {}
    for name, array in arrays.items():
        try:
            found[name] = np.broadcast_to(array, shape).ravel()
        except ValueError:
            continue  # it belongs to something else
    return {name: found[name] for name in sorted(found, key=lambda name: name in shown)}


def _varies(column: NDArray[Any]) -> bool:
    return bool(np.any(column != column[0]))


def _rows(columns: Columns) -> str:
    """Write a table, of long columns some rows, evenly in the logarithm of their number."""
    count = len(next(iter(columns.values())))
    places = np.arange(count)
    if count > _ROWS:
        places = np.unique(np.rint(np.linspace(0, count - 1, _ROWS)).astype(int))
    rows = [tuple(_cell(column[place]) for column in columns.values()) for place in places]
    title = "" if len(places) == count else f"{len(places)} of {count} rows"
    return Table(tuple(columns), rows, title).to_html()


def _cell(value: Any) -> str:
    return (
        ("yes" if value else "no")
        if isinstance(value, (bool, np.bool_))
        else formatting.typeset(float(value), 5)
    )


def _facts(values: dict[str, Any]) -> str:
    """Write what has one value, in a line, and how good the result is in another."""
    words = []
    for name, value in values.items():
        number = isinstance(value, (int, float, np.number)) and not isinstance(value, bool)
        if name == "diagnostics" or value is None:
            continue
        words.append(
            f"{escape(name)} = {formatting.html(float(value)) if number else escape(in_short(value))}"
        )
    lines = [", ".join(words)] if words else []
    if "diagnostics" in values:
        found = values["diagnostics"]
        accuracy = formatting.html(found.error_estimate, 2)
        lines.append(
            f"{escape(found.method)}: {escape(found.status.name.lower().replace('_', ' '))}, estimated relative error {accuracy}"
        )
    return "".join(f"<p>{entry}</p>" for entry in lines)


def figure(columns: Columns, varied: Sequence[str], shown: Sequence[str]) -> str:
    """Draw what is shown against the first input that varies, a line for each value of the others.

    Parameters
    ----------
    columns : mapping of str to ndarray
        All of one length.
    varied, shown : sequence of str
        Columns that vary, and columns that are results.

    Returns
    -------
    str
        An ``svg`` element; empty if there is nothing to draw.
    """
    inputs = [name for name in varied if name not in shown and columns[name].dtype.kind != "b"]
    drawn = [name for name in shown if name in varied and columns[name].dtype.kind != "b"]
    losses = [name for name in drawn if name.endswith("loss")]
    drawn = losses or drawn[:1]
    if not inputs or not drawn:
        return ""
    x_name = max(inputs, key=lambda name: len(np.unique(columns[name])))
    others = [name for name in inputs if name != x_name]
    curves: dict[tuple[Any, ...], list[int]] = {}
    for place in range(len(columns[x_name])):
        curves.setdefault(tuple(columns[name][place] for name in others), []).append(place)
    kept = list(curves.values())[:_LINES]
    x, ys = columns[x_name].astype(float), [columns[name].astype(float) for name in drawn]
    places = [place for members in kept for place in members if np.isfinite(x[place])]
    usable = [y[place] for y in ys for place in places if np.isfinite(y[place])]
    if len(set(x[places])) < 2 or not usable:
        return ""
    across = _axis(x[places].tolist(), _LEFT, _RIGHT)
    up = _axis(usable, _BOTTOM, _TOP)
    lines = []
    for y, dashes in zip(ys, ("", "5 3", "2 3", "8 3"), strict=False):
        for members, color in zip(kept, _COLORS, strict=False):
            ordered = [
                p
                for p in members[:: max(1, len(members) // _POINTS)]
                if _drawable(x[p], across) and _drawable(y[p], up)
            ]
            points = [(across(x[place]), up(y[place])) for place in ordered]
            if points:
                how = {"stroke_dasharray": dashes} if dashes else {}
                lines.append(polyline(points, fill="none", stroke=color, stroke_width=1.8, **how))
    title = element("title", escape(f"{', '.join(drawn)} against {x_name}"))
    legend = _legend(drawn, others, list(curves)[:_LINES], len(curves))
    words = label(_words(x_name), (_LEFT + _RIGHT) / 2, _HEIGHT - 8, text_anchor="middle")
    name = "loss" if len(drawn) > 1 else _words(drawn[0])
    beside = label(
        name,
        0,
        0,
        text_anchor="middle",
        transform=f"translate(12 {(_TOP + _BOTTOM) / 2:.0f}) rotate(-90)",
    )
    drawing = element(
        "svg", title, *_frame(across, up), *lines, words, beside,
        viewBox=f"0 0 {_WIDTH:.0f} {_HEIGHT:.0f}", width=_WIDTH, height=_HEIGHT, role="img",
        fill="currentColor", font_size="11", font_family="sans-serif",
    ).replace('class="power"', 'font-size="8"')  # fmt: skip
    return f'<div style="max-width:{_WIDTH:.0f}px">{drawing}{legend}</div>'


def _legend(
    drawn: Sequence[str], others: Sequence[str], chosen: Sequence[tuple[Any, ...]], count: int
) -> str:
    """Say which line is which: dashes for what is drawn, colors for the values of other inputs."""
    entries = []
    if len(drawn) > 1:
        strokes = zip(drawn, ("solid", "dashed", "dotted", "long dashes"), strict=False)
        entries.append(", ".join(f"{stroke}: {_words(name)}" for name, stroke in strokes))
    if others:
        for values, color in zip(chosen, _COLORS, strict=False):
            pairs = zip(others, values, strict=True)
            words = ", ".join(f"{_words(name)} = {_cell(value)}" for name, value in pairs)
            entries.append(f'<span style="color:{color}">{words}</span>')
        if count > len(chosen):
            entries.append(f"{len(chosen)} of {count} lines")
    return f"<p>{'; '.join(entries)}</p>" if entries else ""


def _axis(values: Sequence[float], start: float, stop: float) -> Axis:
    positive = [value for value in values if value > 0]
    logarithmic = (
        len(positive) > 1 and min(values) >= 0 and max(positive) > _LOGARITHMIC * min(positive)
    )
    low, high = padded(positive if logarithmic else list(values), 0.04, log=logarithmic)
    return Axis(low, high, start, stop, log=logarithmic)


def _drawable(value: float, axis: Axis) -> bool:
    return math.isfinite(value) and not (axis.log and value <= 0)


def _frame(across: Axis, up: Axis) -> list[str]:
    """Draw both axes with their ticks."""
    line: dict[str, str | float] = {"stroke": "currentColor", "stroke_width": 1, "fill": "none"}
    parts = [element("path", d=f"M{_LEFT:.0f} {_TOP:.0f}V{_BOTTOM:.0f}H{_RIGHT:.0f}", **line)]
    for value, words in across.ticks(5)[0]:
        at = across(value)
        parts.append(element("path", d=f"M{at:.1f} {_BOTTOM:.0f}v4", **line))
        parts.append(element("text", words, x=at, y=_BOTTOM + 16, text_anchor="middle"))
    for value, words in up.ticks(5)[0]:
        at = up(value)
        parts.append(element("path", d=f"M{_LEFT:.0f} {at:.1f}h-4", **line))
        parts.append(element("text", words, x=_LEFT - 7, y=at + 4, text_anchor="end"))
    return parts


def _words(name: str) -> str:
    return name.replace("_", " ")
