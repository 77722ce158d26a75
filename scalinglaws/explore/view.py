"""How a panel looks: its widgets and pictures as Bokeh models, and an answer as the columns that these models show."""

from __future__ import annotations

import base64
import binascii
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

import numpy as np
from bokeh.models import (
    ColumnDataSource,
    CustomJSTickFormatter,
    Div,
    FileInput,
    FreehandDrawTool,
    HoverTool,
    LinearColorMapper,
    NumericInput,
    PointDrawTool,
    RadioButtonGroup,
    Select,
    TextInput,
)
from bokeh.models import Slider as BokehSlider
from bokeh.plotting import figure

from ..errors import DomainError
from ..reprs import short_repr
from .answers import Answer, Drawn, Line, Marks, Regions, Words
from .controls import Choice, Control, File, Points, Slider, Typed
from .panel import Frame, Panel, Values

INK, HANDLE = "#1b3a5c", "#d1495b"
NOWHERE = "#f1f1f1"
FEW_OPTIONS = 3
Changed = Callable[[str, Any], None]
Columns = dict[str, list[Any]]
_KNOTS = "Drag a knot, tap for one more, or take the pencil beside the picture and draw."
_DASHES = {"dashed": "7 4", "dotted": "2 3"}
_OF_LINES = ("xs", "ys", "label", "color", "dash")

_POWERS = """
const written = (value, plain = 1e5, kept = 3) => {
  if (value >= 1e-3 && value < plain) return String(+value.toPrecision(kept))
  const [digits, power] = value.toExponential(kept - 1).split('e')
  const raised = String(+power).replace(/./g, sign => sign == '-' ? '⁻' : '⁰¹²³⁴⁵⁶⁷⁸⁹'[+sign])
  return (+digits == 1 ? '' : +digits + '·') + '10' + raised
}
"""
_LOGARITHMIC = _POWERS + "return tick > last ? '∞' : written(10 ** tick)"
# below a decade ticks stand at multiples of one power, more than there is room for
_TICKS = (
    _POWERS
    + """
const near = ticks[ticks.length - 1] < 10 * ticks[0]
const apart = Math.log10(ticks[1] / ticks[0] - 1)  // of close ticks more digits differ
const kept = apart < 0 ? Math.max(3, 1 + Math.ceil(-apart)) : 3
return near && index % Math.ceil(ticks.length / 5) ? '' : written(tick, 1e4, kept)
"""
)
_LINEAR = "return tick > last ? '∞' : String(+tick.toPrecision(6))"


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
            self.palette.palette, self.palette.high = shades(plane), len(plane.colors)


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


# -- what is set --------------------------------------------------------------------------------------------------------


@short_repr
@dataclass(frozen=True)
class Handle:
    """The Bokeh models by which a control is set.

    Parameters
    ----------
    models : list
        Widgets, from above.
    put : callable
        Value -> None: lets the models show a value that did not come from them.
    """

    models: list[Any]
    put: Callable[[Any], None]


def handle(control: Control, value: Any, pictures: dict[str, Picture], changed: Changed) -> Handle:
    """Make the models of a control.

    Parameters
    ----------
    control : Control
        What is set.
    value : object
        Where it stands.
    pictures : dict
        Frame -> Picture: points are dragged in one.
    changed : callable
        Called with name and value when a person sets it.

    Returns
    -------
    Handle
        Its models.
    """
    if isinstance(control, Slider):
        return _slider(control, value, changed)
    if isinstance(control, Choice):
        return _choice(control, value, changed)
    if isinstance(control, Typed):
        return _typed(control, value, changed)
    if isinstance(control, Points):
        return _points(control, value, pictures[control.frame], changed)
    return _file(control, changed)


def slider_model(control: Slider, value: float) -> BokehSlider:
    """Make a slider that stands at a value."""
    low, high = control.ends
    last = high - control.step / 2 if control.unlimited else math.inf
    code = _LOGARITHMIC if control.logarithmic else _LINEAR
    return BokehSlider(
        name=control.name,
        title=control.label,
        start=low,
        end=high,
        step=control.step,
        value=control.position(value),
        format=CustomJSTickFormatter(code=code, args={"last": min(last, 1e300)}),
        sizing_mode="stretch_width",
    )


def _slider(control: Slider, value: float, changed: Changed) -> Handle:
    model = slider_model(control, value)
    model.on_change("value", lambda _a, _o, new: changed(control.name, control.value(new)))

    def put(wanted: float) -> None:
        if control.value(model.value) != wanted:  # else it stands there, and may be moving on
            model.value = control.position(wanted)

    return Handle([model], put)


def _choice(control: Choice, value: str, changed: Changed) -> Handle:
    names = list(control.options)
    if len(names) <= FEW_OPTIONS and sum(map(len, control.options.values())) < 40:
        labels = list(control.options.values())
        model = RadioButtonGroup(
            labels=labels,
            active=names.index(value),
            name=control.name,
            sizing_mode="stretch_width",
        )
        model.on_change("active", lambda _a, _o, new: changed(control.name, names[new]))

        def put(wanted: str) -> None:
            model.active = names.index(wanted)

        return Handle([Div(text=control.label, css_classes=["label"]), model], put)
    select = Select(
        title=control.label,
        options=list(control.options.items()),
        value=value,
        name=control.name,
        sizing_mode="stretch_width",
    )
    select.on_change("value", lambda _a, _o, new: changed(control.name, new))

    def put_option(wanted: str) -> None:
        select.value = wanted

    return Handle([select], put_option)


def _typed(control: Typed, value: str, changed: Changed) -> Handle:
    model = TextInput(
        title=control.label,
        value=value,
        name=control.name,
        placeholder=control.hint,
        max_length=300,
        sizing_mode="stretch_width",
    )
    model.on_change("value", lambda _a, _o, new: changed(control.name, new))

    def put(wanted: str) -> None:
        model.value = wanted

    return Handle([model], put)


def point_source(control: Points, value: Any, drawn: Picture) -> ColumnDataSource:
    """Draw points into a picture so that they can be dragged; return where they are."""
    x, y = (list(part) for part in zip(*value, strict=True))
    source = ColumnDataSource({"x": x, "y": y}, name=f"points-{control.name}")
    dots = drawn.figure.scatter(
        "x",
        "y",
        source=source,
        size=18 if control.most == 1 else 11,
        fill_color=HANDLE,
        line_color="white",
        line_width=2,
    )
    tool = PointDrawTool(
        renderers=[dots], add=control.most > 1, num_objects=control.most, empty_value=0
    )
    drawn.figure.add_tools(tool)
    drawn.figure.toolbar.active_multi = tool
    return source


def _points(control: Points, value: Any, drawn: Picture, changed: Changed) -> Handle:
    source = point_source(control, value, drawn)
    typed: list[Any] = []

    def put(wanted: Any) -> None:
        x, y = (list(part) for part in zip(*wanted, strict=True))
        there = sorted(zip(source.data["x"], source.data["y"], strict=True))
        # what differs by rounding or order alone stays: the hand may be moving on, and would be pulled back
        if len(there) != len(wanted) or np.max(np.abs(np.subtract(there, wanted))) > control.grain:
            source.data = {"x": x, "y": y}
        for model, coordinate in zip(typed, (x[0], y[0]), strict=False):
            model.value = coordinate

    def dragged(_attribute: str, _old: Any, new: Any) -> None:
        changed(control.name, control.dragged(zip(new["x"], new["y"], strict=False)))

    source.on_change("data", dragged)
    if control.most == 1:
        for axis, label in enumerate((drawn.frame.x, drawn.frame.y)):
            model = NumericInput(
                title=label,
                value=value[0][axis],
                mode="float",
                name=f"{control.name}-{'xy'[axis]}",
                sizing_mode="stretch_width",
            )
            model.on_change("value", lambda _a, _o, new, axis=axis: entered(axis, new))
            typed.append(model)
    else:
        drawn_line = ColumnDataSource({"xs": [], "ys": []}, name=f"freehand-{control.name}")
        stroke = drawn.figure.multi_line("xs", "ys", source=drawn_line, line_color=HANDLE)
        drawn.figure.add_tools(FreehandDrawTool(renderers=[stroke], num_objects=1))

        def by_hand(_attribute: str, _old: Any, new: Any) -> None:
            if new["xs"] and len(new["xs"][0]) > 1:
                changed(
                    control.name,
                    control.dragged(_thinned(new["xs"][0], new["ys"][0], control.most)),
                )
                drawn_line.data = {"xs": [], "ys": []}

        drawn_line.on_change("data", by_hand)

    def entered(axis: int, coordinate: float | None) -> None:
        point = [source.data["x"][0], source.data["y"][0]]
        if coordinate is None:  # the box was emptied
            typed[axis].value = point[axis]
        else:
            point[axis] = coordinate
            changed(control.name, control.dragged([point]))

    label = Div(text=control.label, css_classes=["label"])
    hint = [Div(text=_KNOTS, name=f"hint-{control.name}")] if control.most > 1 else []
    return Handle([label, *hint, *typed], put)


def _thinned(x: Sequence[float], y: Sequence[float], most: int) -> Any:
    """Return at most so many points of a stroke, from left to right, with both ends."""
    points = sorted(zip(x, y, strict=False))
    chosen = np.unique(np.linspace(0, len(points) - 1, min(most, len(points))).astype(int))
    return [points[number] for number in chosen]


def _file(control: File, changed: Changed) -> Handle:
    model = FileInput(
        accept=control.accept, name=control.name, css_classes=["drop"], sizing_mode="stretch_width"
    )

    def given(_attribute: str, _old: Any, _new: Any) -> None:
        if model.document is not None:  # the browser sends the file's name after its content
            model.document.add_next_tick_callback(read)

    def read() -> None:
        try:
            content = base64.b64decode(str(model.value), validate=True)
        except binascii.Error:
            content = b""
        changed(control.name, (str(model.filename), content))

    model.on_change("value", given)
    model.on_change("filename", given)  # of the same content under another name the value stays

    def put(wanted: Any) -> None:
        """A file is not put back: the browser would not allow it."""

    return Handle([Div(text=control.label, css_classes=["label"]), model], put)


def accepted(panel: Panel, values: Values) -> None:
    """Check what no control could have checked: the size of files.

    Raises
    ------
    DomainError
        For a file that is too large.
    """
    for control in panel.controls:
        if isinstance(control, File) and (given := values[control.name]) is not None:
            name, content = given
            if len(content) > control.largest:
                raise DomainError(
                    f"{name} has {len(content)} bytes; at most {control.largest} are read",
                    argument=control.name,
                    value=name,
                )


def answered(panel: Panel, values: Values) -> Answer:
    """Return the answer of a panel, after what its controls could not check."""
    accepted(panel, values)
    return panel.answer(values)
