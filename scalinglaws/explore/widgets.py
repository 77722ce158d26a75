"""By what a person sets a panel: the Bokeh widgets of its controls, and the points that are dragged in its pictures."""

from __future__ import annotations

import base64
import binascii
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from bokeh.models import (
    ColumnDataSource,
    CustomJSTickFormatter,
    Div,
    FileInput,
    FreehandDrawTool,
    NumericInput,
    PointDrawTool,
    RadioButtonGroup,
    Select,
    TextInput,
)
from bokeh.models import Slider as BokehSlider

from ..reprs import short_repr
from .controls import Choice, Control, File, Points, Slider, Typed
from .view import WRITTEN, Picture

HANDLE = "#d1495b"
FEW_OPTIONS = 3
Changed = Callable[[str, Any], None]
_KNOTS = "Drag a knot, tap for one more, or take the pencil beside the picture and draw."
_LOGARITHMIC = WRITTEN + "return tick > last ? '∞' : written(10 ** tick)"
_LINEAR = "return tick > last ? '∞' : String(+tick.toPrecision(6))"


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
