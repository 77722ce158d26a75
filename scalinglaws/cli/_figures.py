"""Pictures of tables."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..errors import DomainError
from ..formatting import typeset
from ._figure_notes import (
    DOWN,
    ERROR,
    LEFT,
    RIGHT,
    SAME,
    UP,
    answers,
    beyond_axes,
    close,
    coinciding,
    distinct,
    meanings,
    where_given,
    words,
)
from ._formats import wrote

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from ..solvers.catalogue import Shown

FIGURES = (".pdf", ".png", ".svg")

Array = NDArray[np.float64]
Columns = dict[str, list[Any]]

_WIDTHS = {1: 7.2, 2: 10.4}  # of a picture in inches, by the number of panels side by side
_WIDEST = 12.8
_HEIGHTS = {1: 3.7, 2: 3.0}  # of a row of panels, by the number of rows
_MOST_COLORS = 10
_MOST_NAMED = 24  # curves in the key
_FEW = 30  # points of a curve, each of which is marked
_NARROW = 5.0  # ratio below which a logarithmic axis has round numbers instead of powers of ten
_RATIO = 4.0  # of the largest value to the smallest from which an axis is logarithmic
_DEEPEST = 1e-4  # of the least test loss: train losses below are not drawn
_DERIVED = "#333333"
_STYLES = ((0, ()), (0, (3.2, 1.6)), (0, (1, 1.5)))
_MARKERS = {UP: "^", DOWN: "v", LEFT: "<", RIGHT: ">"}


@dataclass(frozen=True)
class Picture:
    """What a picture shows.

    Attributes
    ----------
    title : str
        What was solved.
    columns : dict of str to list
        The table.
    shown : Shown
        What the solver declares.
    varied : list of str
        Arguments with several values.
    meanings : mapping of str to str
        What columns mean.
    arguments : mapping of str to str
        What arguments mean.
    constant : mapping of str to object
        Arguments that have one value, defaults included.
    derived : mapping of str to float
        Powers of the argument that the theory derives for columns.
    remarks : sequence of str
        What else is said of what was solved.
    """

    title: str
    columns: Columns
    shown: Shown
    varied: list[str]
    meanings: Mapping[str, str] = field(default_factory=dict)
    arguments: Mapping[str, str] = field(default_factory=dict)
    constant: Mapping[str, Any] = field(default_factory=dict)
    derived: Mapping[str, float] = field(default_factory=dict)
    remarks: Sequence[str] = ()

    @property
    def along(self) -> str:
        """The argument with most values, along the horizontal axis."""
        return max(self.varied, key=lambda key: len(set(self.columns[key])))

    @property
    def others(self) -> list[str]:
        """Arguments with a curve for each value."""
        return [key for key in self.varied if key != self.along]

    def panels(self) -> list[list[str]]:
        """Group the columns: losses share a panel, an error belongs to what stands before, everything else has its own."""
        drawn = [key for key in self.shown.columns if key not in (*self.told(), ERROR)]
        losses = [key for key in drawn if key.endswith("loss")]
        return [
            group for group in (losses, *([key] for key in drawn if key not in losses)) if group
        ]

    def told(self) -> list[str]:
        """Columns of yes and no, which are told in words."""
        return [key for key in self.shown.columns if isinstance(self.columns[key][0], bool)]

    def curves(self) -> list[Curve]:
        """Return all curves, those of one column together."""
        rows: dict[tuple[Any, ...], list[int]] = {}
        for i in range(len(self.columns[self.along])):
            rows.setdefault(tuple(self.columns[key][i] for key in self.others), []).append(i)
        found = []
        for key in itertools.chain(*self.panels()):
            error = key in self.shown.columns[:1] and ERROR in self.shown.columns
            for position, (chosen, which) in enumerate(rows.items()):
                x, y, spread = (
                    np.array([self.columns[name][i] for i in which], dtype=float)
                    for name in (self.along, key, ERROR if error else key)
                )
                found.append(Curve(key, position, chosen, x, y, spread if error else None))
        return found


@dataclass(frozen=True)
class Curve:
    """A column against the argument, at one choice of the others; `position` counts the choices."""

    key: str
    position: int
    chosen: tuple[Any, ...]
    x: Array
    y: Array
    error: Array | None

    @property
    def on_axis(self) -> bool:
        """Whether anything is drawn of a loss, which is 0 or infinite elsewhere."""
        return bool(np.any(np.isfinite(self.y) & (self.y != 0)))

    def like(self, other: Curve) -> bool:
        """Say whether two curves cannot be told apart."""
        return self.x.shape == other.x.shape and bool(
            np.array_equal(self.x, other.x)
            and np.allclose(self.y, other.y, rtol=SAME, atol=0, equal_nan=True)
        )


def draw(picture: Picture, output: Path) -> None:
    """Draw a picture into a file."""
    try:
        figure(picture).savefig(output, dpi=150)
    except OSError as failure:
        raise DomainError(
            f"cannot write {output}: {failure.strerror}", argument="output", value=output
        ) from failure
    wrote(output)


def figure(picture: Picture) -> Figure:
    """Draw what was solved against the argument that takes most values, one curve for each value of the others.

    In at most two rows of panels. Above them a key, below them what the quantities mean; what does not fit on an axis, and curves
    that coincide.
    """
    from matplotlib.figure import Figure

    from ..verify.plots.style import explain

    if not picture.varied:
        raise DomainError(
            "a picture needs an argument that varies: give a list or a range",
            argument="output",
            value="a picture",
        )
    panels, curves = picture.panels(), picture.curves()
    rows = 1 if len(panels) <= 3 else 2
    across = -(-len(panels) // rows)
    width = _WIDTHS.get(across, _WIDEST)
    drawing = Figure(figsize=(width, rows * _HEIGHTS[rows]), layout="constrained")
    found = drawing.subplots(rows, across, squeeze=False).ravel()
    for axes in found[len(panels) :]:
        axes.remove()
    notes: list[str] = []
    drawn: list[Curve] = []
    for axes, group in zip(found, panels, strict=False):
        drawn += _panel(axes, picture, [c for c in curves if c.key in group], notes)
    handles, left_out = _key(picture, drawn, any(axes.get_gid() == "derived" for axes in found))
    said = [*meanings(picture), *notes, *left_out, *answers(picture), *picture.remarks]
    explain(drawing, list(dict.fromkeys(said)), title=picture.title, key=handles)
    return drawing


# -- a panel ------------------------------------------------------------------------------------------------------------


def _panel(axes: Axes, picture: Picture, curves: list[Curve], notes: list[str]) -> list[Curve]:
    """Draw curves and return those that are seen; say what cannot be."""
    from ..verify.plots.style import bare, logarithmic, plain

    keys = list(dict.fromkeys(curve.key for curve in curves))
    x = np.concatenate([curve.x for curve in curves])
    y = np.concatenate([curve.y for curve in curves])
    powers = (*picture.shown.logarithmic, *picture.derived)  # which are straight on such axes
    scales = _spread(x), _spread_of_values(keys[0], y, powers)
    lowest = _floor(curves, keys) if scales[1] else -math.inf
    for axis, scale, set_scale, values in (
        (axes.xaxis, scales[0], axes.set_xscale, x),
        (axes.yaxis, scales[1], axes.set_yscale, y),
    ):
        if scale:
            set_scale("log")
            positive = values[np.isfinite(values) & (values > 0)]
            logarithmic(axis, narrow=bool(positive.max() < _NARROW * positive.min()))
        else:
            plain(axis)
    seen, same = distinct(curves)
    if len(keys) > 1 or picture.others:
        notes += coinciding(picture, same, len({curve.position for curve in curves}))
    beyond: dict[tuple[str, str], list[tuple[Curve, Array]]] = {}
    total = max(curve.position for curve in curves) + 1
    several = len({curve.key for curve in seen}) > 1
    for curve in seen:
        number_of_key = keys.index(curve.key)
        _curve(axes, curve, number_of_key, total, several, (scales[0], lowest), beyond)
    notes += [*close(picture, seen), *beyond_axes(picture, beyond)]
    _reference(axes, picture, keys, seen)
    _limits(axes, keys[0], y, log=scales[1])
    axes.set_xlabel(words(picture.along))
    left = [key for key in keys if any(curve.key == key and curve.on_axis for curve in seen)]
    hidden = [key for key in keys if not any(curve.key == key for curve in seen)]
    axes.set_ylabel(
        "loss" if len(left) > 1 else " = ".join(map(words, [*(left or keys[:1]), *hidden]))
    )
    bare(axes)
    return seen


def _curve(
    axes: Axes,
    curve: Curve,
    which: int,
    total: int,
    several: bool,
    scale: tuple[bool, float],
    beyond: dict[tuple[str, str], list[tuple[Curve, Array]]],
) -> None:
    """Draw a curve where it is on the axes, and arrows at the edges beyond which it goes on.

    The scale is whether the argument's axis is logarithmic, and the value from which on downwards nothing is drawn.
    """
    x, y = curve.x, curve.y
    left = (x <= 0) if scale[0] else np.zeros(x.shape, dtype=bool)
    sides = {UP: y == math.inf, DOWN: y <= scale[1], LEFT: left, RIGHT: np.isinf(x)}
    inside = np.isfinite(y) & ~np.any(list(sides.values()), axis=0)
    alone = inside & ~np.r_[False, inside[:-1]] & ~np.r_[inside[1:], False]
    few = x.size < _FEW
    look: dict[str, Any] = {"color": _color(curve.position, total), "gid": curve.key}
    axes.plot(
        np.where(inside, x, np.nan),
        np.where(inside, y, np.nan),
        linestyle=_STYLES[which % len(_STYLES)],
        marker=".",
        markevery=None if few else np.flatnonzero(alone).tolist(),
        linewidth=(2.2, 1.5, 1.5)[which % 3],
        alpha=0.5 if which == 0 and several else 1.0,
        zorder=2 + 0.1 * which,
        **look,
    )
    if curve.error is not None and np.any(curve.error[inside] > 0):
        axes.errorbar(
            x[inside], y[inside], curve.error[inside], fmt="none", capsize=2.5, ecolor=look["color"]
        )
    for side, there in sides.items():
        across = side in (UP, DOWN)
        at = there & (
            ~left & np.isfinite(x) if across else ~sides[UP] & ~sides[DOWN] & ~np.isnan(y)
        )
        ends = at & ~(np.r_[False, at[:-1]] & np.r_[at[1:], False])
        if np.any(ends):
            _arrows(axes, side, x[ends], y[ends], look["color"])
        if np.any(said := there if across else at):
            beyond.setdefault((side, curve.key), []).append((curve, said))
    if np.any(nothing := np.isnan(y)):
        beyond.setdefault(("", curve.key), []).append((curve, nothing))


def _arrows(axes: Axes, side: str, x: Array, y: Array, color: Any) -> None:
    """Put arrows at an edge."""
    edge = np.full(x.shape, float(side in (UP, RIGHT)))
    where, transform = (
        ((x, edge), axes.get_xaxis_transform())
        if side in (UP, DOWN)
        else ((edge, y), axes.get_yaxis_transform())
    )
    axes.plot(
        *where,
        _MARKERS[side],
        transform=transform,
        color=color,
        ms=6,
        clip_on=False,
        gid=f"beyond {side}",
        zorder=4,
    )


def _floor(curves: list[Curve], keys: list[str]) -> float:
    """Return the value from which on downwards a logarithmic axis ends: far below what is drawn first."""
    y = np.concatenate([curve.y for curve in curves if curve.key == keys[0]])
    positive = y[np.isfinite(y) & (y > 0)]
    return _DEEPEST * float(positive.min()) if len(keys) > 1 and positive.size else 0.0


def _spread(x: Array) -> bool:
    """Say whether an axis should be logarithmic: values of different size, but not steps that are counted from 0."""
    finite = np.unique(x[np.isfinite(x)])
    positive = finite[finite > 0]
    if finite.size != np.sum(finite >= 0) or positive.size < 2:
        return False
    if finite[0] == 0 and np.allclose(np.diff(finite), finite[1]):
        return False
    return bool(positive[-1] >= _RATIO * positive[0])


def _spread_of_values(key: str, y: Array, logarithmic: tuple[str, ...]) -> bool:
    """Say whether the axis of values should be logarithmic."""
    finite = y[np.isfinite(y)]
    positive = finite[finite > 0]
    if key.endswith("exponent") or np.any(finite < 0) or positive.size == 0:
        return False
    ratio = float(positive.max() / positive.min())
    zeros = bool(np.any(finite == 0))
    if zeros and not (key.endswith("loss") or key in logarithmic):
        return ratio >= 100
    return ratio >= _RATIO or key in logarithmic


def _limits(axes: Axes, key: str, y: Array, *, log: bool) -> None:
    """Say where nothing changes, and do not magnify what hardly does."""
    finite = y[np.isfinite(y)]
    if finite.size == 0:
        axes.text(0.5, 0.5, "no finite values", transform=axes.transAxes, ha="center", fontsize=9)
        return
    low, high = float(finite.min()), float(finite.max())
    if finite.size == y.size and high - low <= 1e-9 * max(abs(low), abs(high)):
        room = abs(low) / 2 or 1.0
        if not log:
            axes.set_ylim(low - room, low + room)
        axes.text(
            0.5,
            0.9,
            f"{typeset(low)} throughout",
            transform=axes.transAxes,
            ha="center",
            va="top",
            fontsize=9,
        )
    elif key.endswith("exponent"):
        bottom, top = axes.get_ylim()
        middle, half = (bottom + top) / 2, max((top - bottom) / 2, 0.03)
        axes.set_ylim(middle - half, middle + half)


def _reference(axes: Axes, picture: Picture, keys: list[str], seen: list[Curve]) -> None:
    """Draw the derived power of the argument: a level among exponents, a slope among quantities."""
    key = keys[0]
    name = key.removesuffix("_exponent")
    if len(keys) > 1 or name not in picture.derived:
        return
    power = picture.derived[name]
    look: dict[str, Any] = {
        "color": _DERIVED,
        "lw": 1.0,
        "ls": "--",
        "gid": "derived",
        "zorder": 1.5,
    }
    if key != name:
        axes.axhline(abs(power), **look)
        axes.set_title(f"derived: {typeset(abs(power))}", loc="right", fontsize=9, color=_DERIVED)
        axes.set_gid("derived")
    else:
        curve = seen[0]
        good = np.isfinite(curve.y) & (curve.y > 0) & np.isfinite(curve.x) & (curve.x > 0)
        if not np.any(good):
            return
        x, last = curve.x[good], curve.y[good][-1]
        along = np.geomspace(x.min(), x.max(), 65)
        axes.plot(along, last * (along / x[-1]) ** power, **look)
        axes.set_title(f"derived power: {typeset(power)}", loc="right", fontsize=9, color=_DERIVED)
        axes.set_gid("derived")


# -- the key ------------------------------------------------------------------------------------------------------------


def _key(picture: Picture, drawn: list[Curve], with_derived: bool) -> tuple[list[Any], list[str]]:
    """Return an entry for each color and each kind of line that is seen, and say which curves have none."""
    from matplotlib.lines import Line2D

    handles, notes = [], []
    total = max(curve.position for curve in drawn) + 1
    first = {curve.position: curve for curve in reversed(drawn)}
    positions = sorted(first) if picture.others else []
    if len(positions) > _MOST_NAMED:
        chosen = np.unique(np.linspace(0, len(positions) - 1, _MOST_NAMED // 2).round()).astype(int)
        notes = [f"{len(positions)} curves, in the order of their colors; {chosen.size} are named"]
        positions = [positions[i] for i in chosen]
    for position in positions:
        handles.append(
            Line2D(
                [],
                [],
                color=_color(position, total),
                lw=2.2,
                label=where_given(picture, first[position]),
                gid="curve",
            )
        )
    losses = next((group for group in picture.panels() if len(group) > 1), [])
    kinds = [key for key in losses if any(curve.key == key and curve.on_axis for curve in drawn)]
    if len(kinds) > 1:
        for key in kinds:
            which = losses.index(key) % len(_STYLES)
            color = "#333333" if picture.others else _color(0, 1)
            style: dict[str, Any] = {"ls": _STYLES[which], "lw": (2.2, 1.5, 1.5)[which]}
            handles.append(Line2D([], [], color=color, label=words(key), gid=key, **style))
    if with_derived:
        handles.append(
            Line2D([], [], color=_DERIVED, lw=1.0, ls="--", label="derived", gid="derived")
        )
    return handles, notes


def _color(position: int, total: int) -> Any:
    if total <= _MOST_COLORS:
        return f"C{position}"
    from matplotlib import colormaps

    return colormaps["viridis"](0.92 * position / (total - 1))
