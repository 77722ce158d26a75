"""How a panel looks: its widgets and pictures as Bokeh models, and an answer as the columns that these models show."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

import numpy as np
from bokeh.models import (
    ColumnDataSource,
    CustomJSTickFormatter,
    Div,
    HoverTool,
    LinearColorMapper,
)
from bokeh.plotting import figure

from ..reprs import short_repr
from .answers import Answer, Drawn, Line, Marks, Regions, Words
from .panel import Frame

INK = "#1b3a5c"
NOWHERE = "#f1f1f1"
Columns = dict[str, list[Any]]
_DASHES = {"dashed": "7 4", "dotted": "2 3"}
_OF_LINES = ("xs", "ys", "label", "color", "dash")

WRITTEN = """
const written = (value, plain = 1e5, kept = 3) => {
  if (value >= 1e-3 && value < plain) return String(+value.toPrecision(kept))
  const [digits, power] = value.toExponential(kept - 1).split('e')
  const raised = String(+power).replace(/./g, sign => sign == '-' ? '⁻' : '⁰¹²³⁴⁵⁶⁷⁸⁹'[+sign])
  return (+digits == 1 ? '' : +digits + '·') + '10' + raised
}
"""
"""JavaScript that writes a number as people read it."""
# below a decade ticks stand at multiples of one power, more than there is room for
_TICKS = (
    WRITTEN
    + """
const near = ticks[ticks.length - 1] < 10 * ticks[0]
const apart = Math.log10(ticks[1] / ticks[0] - 1)  // of close ticks more digits differ
const kept = apart < 0 ? Math.max(3, 1 + Math.ceil(-apart)) : 3
return near && index % Math.ceil(ticks.length / 5) ? '' : written(tick, 1e4, kept)
"""
)


# -- an answer as columns -----------------------------------------------------------------------------------------------


def columns(drawn: Sequence[Drawn], frame: Frame) -> dict[str, Columns]:
    """Sort what is drawn in a frame by kind.

    Parameters
    ----------
    drawn : sequence
        Of lines, marks and words; regions are left out.
    frame : Frame
        Whose logarithmic axes have no place for what is not positive.

    Returns
    -------
    dict
        ``"lines"``, ``"bare"`` (lines without a name), ``"marks"`` and ``"words"`` -> columns of equal length.
    """
    lines: Columns = {name: [] for name in _OF_LINES}
    bare: Columns = {name: [] for name in _OF_LINES}
    marks: Columns = {name: [] for name in ("x", "y", "label", "color")}
    words: Columns = {name: [] for name in ("x", "y", "text")}
    for entry in drawn:
        if isinstance(entry, Line):
            x, y = _on_axes(entry, frame)
            kind = lines if entry.label else bare
            kind["xs"].append(x)
            kind["ys"].append(y)
            for name in ("label", "color"):
                kind[name].append(getattr(entry, name))
            kind["dash"].append(_DASHES.get(entry.dash, entry.dash))
        elif isinstance(entry, Marks):
            x, y = _on_axes(entry, frame)
            x, y = (values[~np.isnan(x + y)].tolist() for values in (x, y))
            marks["x"] += x
            marks["y"] += y
            marks["label"] += [entry.label] * len(x)
            marks["color"] += [entry.color] * len(x)
        elif isinstance(entry, Words):
            for name in words:
                words[name].append(getattr(entry, name))
    return {"lines": lines, "bare": bare, "marks": marks, "words": words}


def key(found: Mapping[str, Columns]) -> str:
    """Write the key of what is drawn, as HTML: each name once, with its color and dash.

    Examples
    --------
    >>> frame = Frame("curves", "t", "loss")
    >>> key(columns([Marks("here", [1], [2], "#d1495b")], frame))
    '<div class="key"><span><svg width="26" height="10"><circle cx="13" cy="5" r="4" fill="#d1495b"/></svg> here</span></div>'
    """
    entries: dict[str, str] = {}
    lines, marks = found["lines"], found["marks"]
    for label, color, dash in zip(lines["label"], lines["color"], lines["dash"], strict=True):
        dashes = "" if dash == "solid" else f' stroke-dasharray="{dash}"'
        entries.setdefault(label, f'<path d="M1 5H25" stroke="{color}" stroke-width="2"{dashes}/>')
    for label, color in zip(marks["label"], marks["color"], strict=True):
        entries.setdefault(label, f'<circle cx="13" cy="5" r="4" fill="{color}"/>')
    spans = "".join(
        f'<span><svg width="26" height="10">{swatch}</svg> {escape(label)}</span>'
        for label, swatch in entries.items()
        if label
    )
    if nothing(found):
        return "<p>There is nothing to draw here.</p>"
    return f'<div class="key">{spans}</div>' if spans else ""


def nothing(found: Mapping[str, Columns]) -> bool:
    """Whether a frame would stay empty."""
    return not any(len(column) for data in found.values() for column in data.values())


def _on_axes(entry: Line | Marks, frame: Frame) -> tuple[Any, Any]:
    """Return the coordinates of an entry, NaN where an axis has no place for them."""
    x, y = (np.array(values, dtype=float, ndmin=1) for values in (entry.x, entry.y))
    for values, logarithmic in ((x, frame.x_log), (y, frame.y_log)):
        values[~np.isfinite(values) | (logarithmic & (values <= 0))] = math.nan
    return x, y


def regions(drawn: Sequence[Drawn]) -> Regions | None:
    """Return the regions among what is drawn in a frame."""
    return next((entry for entry in drawn if isinstance(entry, Regions)), None)


# -- a picture ----------------------------------------------------------------------------------------------------------


@short_repr
@dataclass(frozen=True)
class Picture:
    """The Bokeh models of a frame.

    Parameters
    ----------
    frame : Frame
        Whose picture it is.
    figure : figure
        The picture.
    sources : dict
        ``"lines"``, ``"marks"``, ``"words"`` and ``"regions"`` -> what the models show.
    palette : LinearColorMapper
        Colors of regions.
    key : Div
        What lines and marks are, below the picture.
    """

    frame: Frame
    figure: Any
    sources: dict[str, ColumnDataSource]
    palette: LinearColorMapper
    key: Div

    def show(self, answer: Answer) -> None:
        """Show what an answer draws here."""
        drawn = answer.drawn.get(self.frame.name, ())
        self.figure.xaxis.axis_label = answer.across.get(self.frame.name, self.frame.x)
        found = columns(drawn, self.frame)
        for kind, data in found.items():
            self.sources[kind].data = data
        self.key.text = key(found)
        self.figure.visible = not nothing(found)
        plane = regions(drawn)
        self.sources["regions"].data = cells(plane)
        if plane is not None:
            self.palette.palette, self.palette.high = shades(plane), len(plane.colors) + 0.5


def cells(plane: Regions | None) -> Columns:
    """Return regions as the one row of an image, or no row."""
    if plane is None:
        return {name: [] for name in ("image", "x", "y", "dw", "dh")}
    left, right, bottom, top = plane.box
    image = np.ascontiguousarray(np.asarray(plane.which) + 1, dtype=np.uint8)
    return {
        "image": [image],
        "x": [left],
        "y": [bottom],
        "dw": [right - left],
        "dh": [top - bottom],
    }


def shades(plane: Regions) -> list[str]:
    """Return the colors of an image, first that of no region."""
    return [NOWHERE, *plane.colors]


def picture(frame: Frame) -> Picture:
    """Make the models of a frame, which show nothing yet.

    Parameters
    ----------
    frame : Frame
        Axes.

    Returns
    -------
    Picture
        To be filled with answers.
    """
    limits: dict[str, Any] = {}
    if frame.box is not None:
        left, right, bottom, top = frame.box
        limits = {"x_range": (left, right), "y_range": (bottom, top)}
    drawing = figure(
        x_axis_label=frame.x,
        y_axis_label=frame.y,
        x_axis_type="log" if frame.x_log else "linear",
        y_axis_type="log" if frame.y_log else "linear",
        height=frame.height,
        min_width=320,
        sizing_mode="stretch_width",
        tools="pan,wheel_zoom,box_zoom,reset,save",
        active_drag=None,
        active_scroll=None,
        name=f"frame-{frame.name}",
        **limits,
    )
    drawing.toolbar.logo = None
    drawing.outline_line_color = None
    drawing.grid.grid_line_color = "#ececec"
    drawing.axis.axis_label_text_font_style = "normal"
    drawing.axis.axis_label_text_font_size = "14px"
    drawing.axis.major_label_text_font_size = "12px"
    for axis, logarithmic in ((drawing.xaxis, frame.x_log), (drawing.yaxis, frame.y_log)):
        if logarithmic:
            axis.formatter = CustomJSTickFormatter(code=_TICKS)
    empty = {**columns((), frame), "regions": cells(None)}
    sources = {
        kind: ColumnDataSource(data, name=f"{kind}-{frame.name}") for kind, data in empty.items()
    }
    palette = LinearColorMapper(palette=[NOWHERE], low=-0.5, high=0.5)
    drawing.image("image", "x", "y", "dw", "dh", source=sources["regions"], color_mapper=palette)
    _, lines = (
        drawing.multi_line(
            "xs", "ys", source=sources[kind], line_color="color", line_dash="dash", line_width=2
        )
        for kind in ("bare", "lines")
    )
    marks = drawing.scatter(
        "x", "y", source=sources["marks"], size=8, fill_color="color", line_color="white"
    )
    drawing.text(
        "x",
        "y",
        "text",
        source=sources["words"],
        text_align="center",
        text_baseline="middle",
        text_color=INK,
        text_font_size="15px",
    )
    drawing.add_tools(
        HoverTool(renderers=[lines, marks], tooltips=[("", "@label"), ("x", "$x"), ("y", "$y")])
    )
    below = Div(name=f"key-{frame.name}", sizing_mode="stretch_width", disable_math=True)
    return Picture(frame, drawing, sources, palette, below)
