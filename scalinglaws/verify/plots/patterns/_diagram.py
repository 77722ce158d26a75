"""Phase diagrams of patterns: regions with exact edges, each with the name of the pattern that wins in it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import sympy as sp
from numpy.typing import NDArray
from scipy.ndimage import distance_transform_edt, minimum_filter

from ....arguments import instance, text
from ....errors import refusal
from ....theory.patterns import MEANINGS, PhaseDiagram, sample_complexity
from .._phases import INK, NAME_SIZE
from ..style import bare, canvas, explain

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

COLORS = (
    "#cfe0ee",
    "#d3e8cf",
    "#fbe3b5",
    "#f6cdc5",
    "#d9cfe8",
    "#93b7d6",
    "#a7cfa0",
    "#f2c879",
    "#e59a93",
    "#b6a3d3",
    "#e3d9cc",
    "#bcdedb",
)
DOT = "#d1495b"
IMPOSSIBLE = "no pattern is possible"
CELLS = 200  # of a grid along an axis, on which room for names is looked for


def phase_diagram(
    diagram: PhaseDiagram,
    *,
    marks: Mapping[str, Sequence[float]] | None = None,
    title: str = "",
    figure: Figure | None = None,
) -> Figure:
    r"""Draw which pattern of feature learning wins, over one or two exponents, with exact boundaries.

    Parameters
    ----------
    diagram : PhaseDiagram
        From `scalinglaws.theory.patterns.phase_diagram`; only its regions and boundaries are drawn, not its grid.
    marks : mapping of str to sequence of float, optional
        Points with their names: one coordinate per axis.
    title : str
        Which network it is, for instance.
    figure : Figure, optional
        An empty figure to draw in; by default a new one that belongs to no window.

    Returns
    -------
    Figure
        A Matplotlib figure; ``figure.savefig(path)`` writes it. Over two exponents the plane with its regions; a region too small
        for its name has it beside, with a line (``gid``: the name and ``", outside"``). Over one, the power of d in the number of
        samples: the least is drawn
        bold, those of patterns that win somewhere else thin. Boundaries carry the names of their two sides, ``"S1(1) | S(1)"``,
        as ``gid``, curves of exponents that of their pattern. Below, notes say what the names and lines mean.

    Raises
    ------
    DomainError
        If the diagram is no `PhaseDiagram`, or a mark has the wrong number of coordinates or lies outside.

    Examples
    --------
    >>> from scalinglaws.theory import patterns
    >>> found = patterns.phase_diagram(patterns.fully_connected(["n"], 3), {"n": (0, 6)})
    >>> [text.get_text() for text in phase_diagram(found).axes[0].texts]
    ['S1(1)', 'S(1)', 'GP']
    """
    instance("diagram", diagram, PhaseDiagram)
    text("title", title)
    if not isinstance(diagram, PhaseDiagram):
        raise refusal(
            "diagram",
            diagram,
            "must be a PhaseDiagram, from theory.patterns.phase_diagram; got "
            f"{type(diagram).__name__}",
            shown=False,
        )
    points = _checked(marks, diagram)
    plane = len(diagram.axes) == 2
    figure = canvas(figure, (8.4, 5.2) if plane else (6.8, 4.2))
    axes = figure.subplots()
    for number, (symbol, grid) in enumerate(diagram.axes):
        axes.set(
            **{
                f"{'xy'[number]}lim": (grid[0], grid[-1]),
                f"{'xy'[number]}label": f"${sp.latex(symbol)}$   ({_size(diagram, symbol)})",
            }
        )
    if diagram.purity and not title:
        title = "clean features"
    explain(figure, _notes(diagram), title=title)
    (_draw_plane if plane else _draw_line)(axes, diagram, points)
    axes.tick_params(direction="out", length=3)
    return figure


def _notes(diagram: PhaseDiagram) -> list[str]:
    """Say what names, lines and colors mean."""
    kinds = {layer.kind for pattern in diagram.patterns for layer in pattern.layers}
    several = any(len(exponents) > 1 for exponents in _exponents(diagram).values())
    if len(diagram.axes) == 2:
        lines = ["a color: where a pattern needs the fewest samples, d^g"]
        lines += ["dotted: the exponent changes, the pattern does not"] if several else []
    else:
        lines = [
            "bold: the least exponent, of the pattern named above; thin: those patterns where others need fewer samples"
        ]
    names = [words for kind, words in MEANINGS.items() if kind in kinds]
    if any(len(pattern.layers) > 1 for pattern in diagram.patterns):
        names.append("one word for each hidden layer, the first one first")
    return [*lines, *names]


def _exponents(diagram: PhaseDiagram) -> dict[str, dict[Any, None]]:
    """List the exponents of each winner."""
    return {
        name: dict.fromkeys(diagram.regions[member].exponent for member in members)
        for name, members in _preferred(diagram).items()
    }


def _checked(marks: Any, diagram: PhaseDiagram) -> dict[str, tuple[float, ...]]:
    found = {}
    instance("marks", marks or {}, Mapping)
    for name, place in (marks or {}).items():
        point = tuple(float(entry) for entry in np.ravel(place))
        inside = len(point) == len(diagram.axes) and all(
            grid[0] <= at <= grid[-1] for at, (_, grid) in zip(point, diagram.axes, strict=True)
        )
        if not inside:
            raise refusal(
                "marks",
                place,
                f": {name!r} at {point} must have {len(diagram.axes)} coordinates, within the axes",
                shown=False,
            )
        found[str(name)] = point
    return found


def _size(diagram: PhaseDiagram, symbol: sp.Symbol) -> str:
    """Say which size an exponent belongs to."""
    architecture = diagram.architecture
    for name, exponent in zip(architecture.size_symbols, architecture.size_exponents, strict=True):
        if exponent == symbol:
            return rf"${sp.latex(name)} = d^{{{sp.latex(symbol)}}}$"
    return "a size exponent"


def _preferred(diagram: PhaseDiagram) -> dict[str, list[int]]:
    """List the regions in which each pattern is the preferred winner."""
    found: dict[str, list[int]] = {}
    for number, region in enumerate(diagram.regions):
        found.setdefault(str(region.winners[0]), []).append(number)
    return {name: found[name] for name in map(str, diagram.patterns) if name in found}


def _draw_plane(axes: Axes, diagram: PhaseDiagram, marks: dict[str, tuple[float, ...]]) -> None:
    from matplotlib.patches import Patch, Polygon

    named = _preferred(diagram)
    axes.patch.set(facecolor="#f1f1f1", edgecolor="#cfcfcf", hatch="////", linewidth=0)
    handles = []
    for number, (name, members) in enumerate(named.items()):
        color = COLORS[number % len(COLORS)]
        exponents = _exponents(diagram)[name]
        for member in members:
            corners = np.array(diagram.regions[member].corners, dtype=float)
            axes.add_patch(
                Polygon(
                    corners, facecolor=color, edgecolor=color, linewidth=0.8, zorder=0.6, gid=name
                )
            )
            if len(exponents) > 1:  # boundaries with others are drawn over
                around = np.concatenate([corners, corners[:1]])
                axes.plot(*around.T, ":", color=INK, lw=1.0, zorder=1.6, gid=f"{name}, inside")
        words = " or ".join(f"${_fraction(exponent)}$" for exponent in exponents)
        handles.append(
            Patch(facecolor=color, edgecolor=INK, linewidth=0.6, label=f"{name}:  {words}")
        )
    for line in diagram.boundaries:
        (x0, y0), (x1, y1) = (tuple(map(float, end)) for end in (line.start, line.end))
        axes.plot(
            [x0, x1],
            [y0, y1],
            color=INK,
            lw=1.2,
            gid=f"{line.sides[0]} | {line.sides[1]}",
            zorder=2,
        )
    axes.legend(
        handles=handles,
        title="winner, and $g$ of $d^{\\,g}$ samples\n(heuristic)",
        loc="center left",
        bbox_to_anchor=(1.02, 0.5),
        frameon=False,
        fontsize=10,
        labelspacing=0.9,
        alignment="left",
    )
    for name, point in marks.items():
        axes.plot(*point, "o", color=DOT, mec="white", ms=7, label=name, zorder=4, clip_on=False)
    axes.figure.draw_without_rendering()  # type: ignore[union-attr]  # where there is room is known once the key is in place
    _name(axes, diagram, named, marks)


def _name(
    axes: Axes,
    diagram: PhaseDiagram,
    named: dict[str, list[int]],
    marks: dict[str, tuple[float, ...]],
) -> None:
    """Write names where there is room; marks first."""
    from matplotlib.path import Path
    from matplotlib.patheffects import withStroke

    low, high = (np.array([grid[end] for _, grid in diagram.axes]) for end in (0, -1))
    inches = np.array(axes.get_window_extent().size) / axes.figure.dpi
    place = [a + (b - a) * (np.arange(CELLS) + 0.5) / CELLS for a, b in zip(low, high, strict=True)]
    mesh = np.stack(np.meshgrid(*place), axis=-1)
    free = np.ones((CELLS, CELLS), dtype=bool)
    halo: list[Any] = [withStroke(linewidth=2.5, foreground="white", alpha=0.8)]
    for name, point in marks.items():
        leftward = (point[0] - low[0]) / (high[0] - low[0]) > 0.8
        offset, side = (-7, "right") if leftward else (7, "left")
        text = axes.annotate(
            name,
            (point[0], point[1]),
            (offset, 5),
            textcoords="offset points",
            ha=side,
            fontsize=9,
            color=INK,
            zorder=4,
        )
        text.set_path_effects(halo)
        off = (mesh - np.array(point)) / (high - low) * inches
        free &= (np.abs(off[..., 0] - (-0.3 if leftward else 0.3)) > 0.5) | (
            np.abs(off[..., 1]) > 0.25
        )
    masks = {}
    for name, members in named.items():
        mask = np.zeros((CELLS, CELLS), dtype=bool)
        for member in members:
            corners = np.array(diagram.regions[member].corners, dtype=float)
            mask |= Path(corners).contains_points(mesh.reshape(-1, 2)).reshape(mask.shape)
        masks[name] = mask
    style: dict[str, Any] = {"ha": "center", "va": "center", "color": INK}
    taken = ~free
    outside = []
    for name, mask in masks.items():
        for written, size, upright in _ways(name):
            spot = _room(
                mask & free, written, size, inches[::-1] if upright else inches, upright=upright
            )
            if spot is not None:
                where = (place[0][spot[1]], place[1][spot[0]])
                rotation = 90 if upright else 0
                put = axes.text(*where, written, size=size, rotation=rotation, gid=name, **style)
                taken |= _covered(axes, put, mesh)
                break
        else:
            outside.append(name)
    for name in outside:
        taken |= masks[name]
    for name in outside:
        _beside(axes, name, masks[name], taken, mesh, inches)
    nothing = ~np.any(list(masks.values()), axis=0)
    spot = _room(nothing & ~taken, IMPOSSIBLE, 9, inches, upright=False)
    if spot is not None:
        where = (place[0][spot[1]], place[1][spot[0]])
        box = {"facecolor": "#f1f1f1", "edgecolor": "none", "pad": 1.5}
        axes.text(*where, IMPOSSIBLE, size=9, bbox=box, **style)


def _covered(axes: Axes, text: Any, mesh: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Say which points a text covers, with a margin."""
    box = text.get_window_extent().padded(4)
    (x0, y0), (x1, y1) = axes.transData.inverted().transform(box.get_points())
    return np.asarray(
        (mesh[..., 0] > x0) & (mesh[..., 0] < x1) & (mesh[..., 1] > y0) & (mesh[..., 1] < y1)
    )


def _beside(
    axes: Axes,
    name: str,
    mask: NDArray[np.bool_],
    taken: NDArray[np.bool_],
    mesh: NDArray[np.float64],
    inches: NDArray[np.float64],
) -> None:
    """Write a name beside its region, with a line to where that is widest."""
    if not mask.any():
        return
    step = inches[::-1] / CELLS
    room = distance_transform_edt(np.pad(mask, 1), sampling=step)[1:-1, 1:-1]
    inner = np.unravel_index(np.argmax(room), mask.shape)
    fits = _fits(~taken, name, NAME_SIZE - 3, inches)
    spots = np.argwhere(fits)
    if not spots.size:
        return
    row, column = spots[np.argmin(np.sum(((spots - np.array(inner)) * step) ** 2, axis=1))]
    text = axes.annotate(
        name,
        tuple(mesh[inner]),
        tuple(mesh[row, column]),
        ha="center",
        va="center",
        fontsize=NAME_SIZE - 3,
        color=INK,
        arrowprops={"arrowstyle": "-", "color": INK, "lw": 0.9, "shrinkA": 2, "shrinkB": 0},
        bbox={"facecolor": "white", "edgecolor": INK, "linewidth": 0.5, "pad": 2, "alpha": 0.9},
        gid=f"{name}, outside",
        zorder=3,
    )
    taken |= _covered(axes, text, mesh)


def _ways(name: str) -> list[tuple[str, float, bool]]:
    """List how a name can be written, the best first: text, size, and whether it stands upright."""
    broken = name.replace(" ", "\n")
    ways = [
        (written, size, upright)
        for size in (NAME_SIZE - 2, NAME_SIZE - 4)
        for upright in (False, True)
        for written in (name, broken)
    ]
    return list(dict.fromkeys(way for way in ways if not (way[2] and "\n" in way[0])))


def _room(
    mask: NDArray[np.bool_],
    written: str,
    size: float,
    inches: NDArray[np.float64],
    *,
    upright: bool,
) -> tuple[int, int] | None:
    """Find where the box of a text fits into a region, as far from its edges as can be."""
    fits = _fits(mask, written, size, inches, upright=upright)
    if not fits.any():
        return None
    box = _box(written, size, inches, upright=upright)
    room = distance_transform_edt(np.pad(fits, 1), sampling=1 / np.array(box))[1:-1, 1:-1]
    good = np.argwhere(room >= 0.85 * room.max())
    row, column = good[np.argmin(np.sum((good - np.argwhere(mask).mean(axis=0)) ** 2, axis=1))]
    return int(row), int(column)


def _fits(
    mask: NDArray[np.bool_],
    written: str,
    size: float,
    inches: NDArray[np.float64],
    *,
    upright: bool = False,
) -> NDArray[np.bool_]:
    """Say where the middle of a text can be."""
    box = _box(written, size, inches, upright=upright)
    return np.asarray(minimum_filter(mask, size=box, mode="constant", cval=0), dtype=bool)


def _box(written: str, size: float, inches: NDArray[np.float64], *, upright: bool) -> list[int]:
    """Return rows and columns that a text takes."""
    lines = written.split("\n")
    wide, tall = (
        0.62 * size / 72 * max(map(len, lines)) + 0.06,
        1.25 * size / 72 * len(lines) + 0.04,
    )
    box = [
        2 * int(np.ceil(CELLS * length / whole / 2)) + 1
        for length, whole in ((tall, inches[1]), (wide, inches[0]))
    ]
    if upright:
        box.reverse()
    return box


def _draw_line(axes: Axes, diagram: PhaseDiagram, marks: dict[str, tuple[float, ...]]) -> None:
    """Draw the exponents over the only axis."""
    (symbol, grid) = diagram.axes[0]
    named = _preferred(diagram)
    order = {name: number for number, name in enumerate(named)}
    bare(axes)
    regions = sorted(diagram.regions, key=lambda region: min(region.corners))
    top = 0.0
    for region in regions:
        ends = np.array(sorted(float(corner[0]) for corner in region.corners))
        name = str(region.winners[0])
        axes.axvspan(*ends, color=COLORS[order[name] % len(COLORS)], lw=0, zorder=0.5)
        height = np.array([float(region.exponent.subs(symbol, end)) for end in ends])
        axes.plot(ends, height, color=INK, lw=2.4, zorder=3, gid=name)
        top = max(top, float(height.max()))
    axes.set_ylim(0, 1.25 * top)
    ranking = sample_complexity(diagram.architecture, purity=diagram.purity).ranking
    fine = np.linspace(grid[0], grid[-1], 601)
    for entry in ranking:
        if str(entry) in named:
            values = np.broadcast_to(sp.lambdify(symbol, entry.exponent, "numpy")(fine), fine.shape)
            axes.plot(
                fine, values, color=INK, lw=0.8, alpha=0.55, zorder=2, gid=f"{entry}, everywhere"
            )
    for line in diagram.boundaries:
        axes.axvline(
            float(line.start[0]),
            color=INK,
            lw=0.8,
            ls=":",
            zorder=1,
            gid=f"{line.sides[0]} | {line.sides[1]}",
        )
    runs: list[tuple[str, float, float]] = []
    for region in regions:  # neighbors with the same winner share a name
        ends = np.array(sorted(float(corner[0]) for corner in region.corners))
        name = str(region.winners[0])
        if runs and runs[-1][0] == name:
            runs[-1] = (name, runs[-1][1], ends[1])
        else:
            runs.append((name, ends[0], ends[1]))
    for name, low, high in runs:
        narrow = (high - low) / (grid[-1] - grid[0]) < 0.016 * len(name)
        axes.text(
            (low + high) / 2,
            1.2 * top,
            name,
            ha="center",
            va="top",
            fontsize=NAME_SIZE - 2,
            color=INK,
            rotation=90 if narrow else 0,
            gid=name,
        )
    for name, (at,) in marks.items():
        heights = [
            float(region.exponent.subs(symbol, at))
            for region in regions
            if min(region.corners)[0] <= at <= max(region.corners)[0]
        ]
        axes.plot(at, heights[0], "o", color=DOT, mec="white", ms=7, label=name, zorder=4)
        axes.annotate(
            name,
            (at, heights[0]),
            (6, -12),
            textcoords="offset points",
            fontsize=9,
            color=INK,
            zorder=4,
        )
    axes.set_ylabel("$g$ of $d^{\\,g}$ samples (heuristic)")


def _fraction(exponent: Any) -> str:
    """Write a linear function over one denominator."""
    numerator, denominator = sp.fraction(sp.together(exponent))
    whole = sp.latex(sp.expand(numerator))
    if denominator == 1:
        return str(whole)
    return rf"({whole})/{denominator}" if numerator.is_Add else rf"{whole}/{denominator}"
