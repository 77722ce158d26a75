"""The explorer as a file: states computed beforehand, shown by a browser alone."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from html import escape
from importlib.resources import files
from itertools import product
from math import inf, isnan
from pathlib import Path
from typing import Any

import numpy as np
from bokeh.document import Document
from bokeh.embed import file_html
from bokeh.events import DocumentReady
from bokeh.models import (
    Column,
    ColumnDataSource,
    CustomJS,
    CustomJSTickFormatter,
    Div,
    LinearColorMapper,
    Row,
    Select,
    TabPanel,
    Tabs,
)
from bokeh.models import Slider as BokehSlider
from bokeh.resources import INLINE
from jinja2 import Template

from ..errors import ResourceError, ScalingLawsError, refusal
from ..formatting import typeset
from ..reprs import short_repr
from .answers import Answer, Regions, paragraphs, table
from .controls import Choice, Control, Points, Slider, Typed
from .panel import Panel, answered
from .panels import TITLES, panel
from .server import style
from .view import (
    Columns,
    Picture,
    cells,
    columns,
    key,
    nothing,
    picture,
    regions,
    shades,
)
from .widgets import point_source

LARGEST = 10_000_000
"""Bytes of a snapshot."""
DIGITS = 5
"""Significant digits of what is drawn; the numbers in tables keep all of theirs."""
_DERIVATION = re.compile("(<details>.*?</details>)", re.DOTALL)


class Fragments:
    """Pieces of answers, each kept once: many states share a picture or a derivation."""

    def __init__(self) -> None:
        self.places: dict[str, int] = {}

    def place(self, piece: Any) -> int:
        """Return where a piece is kept."""
        written = json.dumps(piece, separators=(",", ":"), default=_plain, allow_nan=False)
        return self.places.setdefault(written, len(self.places))

    def columns(self, data: Columns) -> int:
        """Return where columns are kept; curves are pieces of their own, for states have many in common."""
        curves = {name: list(map(self.place, data[name])) for name in ("xs", "ys") if name in data}
        points = {name: np.array(data[name]) for name in ("x", "y") if name in data}
        return self.place({**data, **points, **curves})

    def __str__(self) -> str:
        return "[" + ",".join(self.places) + "]"


def _plain(value: Any) -> Any:
    """Write an array in few digits, what is missing as null."""
    return [
        None if isnan(entry) else _rounded(entry) for entry in np.asarray(value, float).tolist()
    ]


def _rounded(value: float) -> float | int:
    short = float(f"{value:.{DIGITS}g}")
    return int(short) if short.is_integer() and abs(short) < 1e15 else short


def export(
    path: Path, names: Sequence[str] = tuple(TITLES), told: Callable[[str], None] | None = None
) -> int:
    """Write a page that needs no server and no network.

    Parameters
    ----------
    path : Path
        Where to.
    names : sequence of str
        Of panels; those that hold no state (people's own runs) are left out.
    told : callable, optional
        Called with a panel's name as each of its states is computed.

    Returns
    -------
    int
        States in it.

    Raises
    ------
    ResourceError
        If it would be larger than `LARGEST`.
    """
    html, states = page(names, told)
    size = len(html.encode())
    if size > LARGEST:
        raise ResourceError(f"the page would have {size} bytes; at most {LARGEST} are allowed")
    try:
        path.write_text(html, encoding="utf-8")
    except OSError as failure:
        raise refusal("path", str(path), f"cannot be written: {failure.strerror}") from failure
    return states


def page(
    names: Sequence[str] = tuple(TITLES), told: Callable[[str], None] | None = None
) -> tuple[str, int]:
    """Return the page as text, and how many states it holds."""
    chosen = [found for found in map(panel, names) if found.snapshot]
    total = sum(found.states for found in chosen)
    document, tabs, data = Document(), [], []
    for found in chosen:
        kept = _Kept(found)
        for values in _states(found):
            kept.keep(values)
            if told is not None:
                told(found.name)
        data.append(kept.script())
        tabs.append(TabPanel(title=TITLES[found.name], child=_tab(found, kept, document)))
    document.add_root(Tabs(tabs=tabs, sizing_mode="stretch_width", stylesheets=[style()]))
    html = file_html(
        document,
        INLINE,
        title="scalinglaws",
        template=Template((files(__package__) / "snapshot.html.j2").read_text(encoding="utf-8")),
        template_variables={"css": style(), "data": "".join(data), "total": total},
    )
    return html, total


def _states(found: Panel) -> Iterable[dict[str, Any]]:
    """Go through all states of a panel's snapshot; the last control varies fastest."""
    for values in product(*found.snapshot.values()):
        yield {**found.start(), **dict(zip(found.snapshot, values, strict=True))}


class _Kept:
    """The states of one panel, in pieces."""

    def __init__(self, found: Panel) -> None:
        self.panel = found
        self.fragments = Fragments()
        self.states: list[dict[str, Any]] = []
        self.planes: dict[str, dict[Any, Regions]] = {frame.name: {} for frame in found.frames}

    def keep(self, values: dict[str, Any]) -> None:
        """Compute a state and keep its pieces."""
        try:
            answer = answered(self.panel, values)
        except ScalingLawsError as failure:
            answer = Answer({}, html=paragraphs(str(failure)))
        frames = {}
        for frame in self.panel.frames:
            drawn = answer.drawn.get(frame.name, ())
            kinds = columns(drawn, frame)
            pieces: dict[str, Any] = {
                kind: self.fragments.columns(data) for kind, data in kinds.items()
            }
            plane, planes = regions(drawn), self.planes[frame.name]
            if plane is not None:
                same = (plane.colors, plane.box, plane.which.tobytes())
                planes.setdefault(same, plane)
                pieces["plane"] = list(planes).index(same)
            across = answer.across.get(frame.name, frame.x)
            frames[frame.name] = {
                **pieces,
                "key": self.fragments.place(key(kinds)),
                "across": across,
                "empty": nothing(kinds),
            }
        parts = [table(answer.numbers), *_DERIVATION.split(answer.html)]
        told = [self.fragments.place(part) for part in parts if part]
        self.states.append({"frames": frames, "told": told, "query": self.panel.query(values)})

    def script(self) -> str:
        """Write all that is kept as an element of a page."""
        states = json.dumps(self.states, separators=(",", ":"))
        written = f'{{"states":{states},"fragments":{self.fragments}}}'.replace("</", "<\\/")
        return f'<script type="application/json" id="states-{self.panel.name}">{written}</script>'


def _tab(found: Panel, kept: _Kept, document: Document) -> Row:
    """Lay out a panel whose controls choose among the states that are kept."""
    pictures = {frame.name: picture(frame) for frame in found.frames}
    planes = {name: _images(drawn, kept.planes[name].values()) for name, drawn in pictures.items()}
    told = Div(name=f"told-{found.name}", sizing_mode="stretch_width", disable_math=True)
    choosers = [
        _chooser(control, found.snapshot[control.name], pictures)
        for control in found.controls
        if len(found.snapshot.get(control.name, ())) > 1
    ]
    ordered = sorted(choosers, key=lambda one: list(found.snapshot).index(one.name))
    chosen = {one.name for one in choosers}
    show = CustomJS(
        args={
            "panel": found.name,
            "models": [one.model for one in ordered],
            "lattices": [one.lattice for one in ordered],
            "sizes": [len(found.snapshot[one.name]) for one in ordered],
            "sources": {name: drawn.sources for name, drawn in pictures.items()},
            "planes": planes,
            "keys": {name: drawn.key for name, drawn in pictures.items()},
            "figures": {name: drawn.figure for name, drawn in pictures.items()},
            "axes": {name: drawn.figure.xaxis[0] for name, drawn in pictures.items()},
            "told": told,
        },
        code=(files(__package__) / "snapshot.js").read_text(encoding="utf-8"),
    )
    for one in choosers:
        one.model.js_on_change("data" if one.lattice else "value", show)
    fixed = [control for control in found.controls if control.name not in chosen]
    words = Div(
        text=f"<p>{found.about}</p>{_said(fixed)}", sizing_mode="stretch_width", disable_math=True
    )
    widgets = [words, *(model for one in choosers for model in one.shown)]
    drawings = [one for drawn in pictures.values() for one in (drawn.figure, drawn.key)]
    for model in (*widgets, *(drawn.key for drawn in pictures.values()), told):
        model.stylesheets = [style()]
    document.js_on_event(DocumentReady, show)
    parts = ((widgets, "0 1 270px"), (drawings, "2 1 400px"), ([told], "1 1 320px"))
    return Row(
        *(Column(*models, styles={"flex": flex, "min-width": "0"}) for models, flex in parts),
        sizing_mode="stretch_width",
        spacing=20,
        stylesheets=[":host { flex-wrap: wrap; }"],
    )


def _images(drawn: Picture, planes: Iterable[Regions]) -> list[Any]:
    """Draw each plane once; the page shows one of them."""
    images = []
    for plane in planes:
        colors = LinearColorMapper(palette=shades(plane), low=-0.5, high=len(plane.colors) + 0.5)
        image = drawn.figure.image(
            "image",
            "x",
            "y",
            "dw",
            "dh",
            source=ColumnDataSource(cells(plane)),
            color_mapper=colors,
        )
        image.visible, image.level = False, "underlay"
        images.append(image)
    return images


@short_repr
@dataclass(frozen=True)
class _Chooser:
    """What chooses among the values of one control: a model whose value is a place, or points that snap to a lattice."""

    name: str
    model: Any
    shown: list[Any]
    lattice: list[tuple[float, float]]


def _chooser(control: Control, values: Sequence[Any], pictures: dict[str, Picture]) -> _Chooser:
    """Make the models by which a value is chosen."""
    at = list(values).index(control.start) if control.start in values else len(values) // 2
    if isinstance(control, Points):
        source = point_source(control, values[at], pictures[control.frame])
        return _Chooser(control.name, source, [], [value[0] for value in values])
    if isinstance(control, Slider):
        labels = ["∞" if value == inf else typeset(value, 4) for value in values]
        slider = BokehSlider(
            title=control.label,
            start=0,
            end=len(values) - 1,
            step=1,
            value=at,
            format=CustomJSTickFormatter(code="return labels[tick]", args={"labels": labels}),
            name=control.name,
            sizing_mode="stretch_width",
        )
        return _Chooser(control.name, slider, [slider], [])
    labels = [
        control.options[value] if isinstance(control, Choice) else str(value) for value in values
    ]
    select = Select(
        title=control.label,
        options=[(str(place), label) for place, label in enumerate(labels)],
        value=str(at),
        name=control.name,
        sizing_mode="stretch_width",
    )
    return _Chooser(control.name, select, [select], [])


def _said(fixed: Sequence[Control]) -> str:
    """Say where the controls stand that a snapshot does not vary."""
    if not fixed:
        return ""
    parts = [f"{control.label}: {_stand(control) or 'none'}" for control in fixed]
    return f"<p>Here {escape('; '.join(parts))}.</p>"


def _stand(control: Control) -> str:
    if isinstance(control, Slider):
        return "∞" if control.start == inf else typeset(control.start, 4)
    if isinstance(control, Choice):
        return control.options[control.start]
    if isinstance(control, Points):
        return control.write(control.start)
    return control.start if isinstance(control, Typed) else "no file"
