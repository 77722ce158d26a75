"""Phase diagrams: where in the plane of a task's two exponents which formula holds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import sympy as sp
from numpy.typing import NDArray
from scipy.ndimage import distance_transform_edt

from ... import theory
from ...arguments import whole
from ...errors import refusal
from ...notation import SourceCapacity, convention
from ...theory.formula import Law
from ...theory.plane import Limits, PhasePlane
from ...theory.records import Regime

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Array = NDArray[np.float64]

COLORS = {
    "Ia": "#cfe0ee",
    "Ib": "#b3cde3",
    "Ic": "#93b7d6",
    "II": "#d3e8cf",
    "III": "#fbe3b5",
    "IVa": "#f6cdc5",
    "IVb": "#e59a93",
    "hard": "#cfe0ee",
    "easy": "#d3e8cf",
    "super-easy": "#fbe3b5",
    "floor": "#e3d9ec",
}
OTHERS = ("#cfe0ee", "#fbe3b5", "#d3e8cf", "#f6cdc5")
INK, DOT, NOTHING = "#1b3a5c", "#d1495b", "#9a9a9a"
NAME_SIZE, TASK_SIZE = 13, 9
LONG = 10  # characters of a name beyond which it may take two lines
CELLS = 160  # of a grid along an axis, on which room for names is looked for


@dataclass(frozen=True)
class _Axis:
    """Which parameter of a notation is drawn on an axis, how it is labelled and how far it goes."""

    parameter: str
    label: str
    limits: tuple[float, float]


AXES = {
    "capacity": (
        _Axis("alpha", r"capacity $\alpha$   (eigenvalues $k^{-\alpha}$)", (0.0, 3.0)),
        _Axis("beta", r"source $\beta$   (signal power $k^{-(\alpha\beta + 1)}$)", (0.0, 3.0)),
    ),
    "bordelon": (
        _Axis("b", r"$b$   (eigenvalues $k^{-b}$)", (0.0, 3.0)),
        _Axis("a", r"$a$   (signal power $k^{-a}$)", (0.5, 5.0)),
    ),
    "paquette": (
        _Axis("alpha_p", r"$\alpha_P$   (eigenvalues $k^{-2\alpha_P}$)", (0.0, 1.25)),
        _Axis("beta_p", r"$\beta_P$   (target coefficients $k^{-\beta_P}$)", (0.0, 1.5)),
    ),
    "caponnetto": (
        _Axis("capacity", r"capacity $\alpha$   (eigenvalues $k^{-\alpha}$)", (0.0, 3.0)),
        _Axis("r", r"source $r$   (signal power $k^{-(2 r \alpha + 1)}$)", (0.0, 1.5)),
    ),
}


def law_with_phases(name: str) -> Law:
    """Return a law by name, refusing those without phases in (alpha, beta)."""
    found = theory.law(name)
    if (
        set(found.symbols) != {"alpha", "beta"}
        or sum(not regime.on_boundary for regime in found.regimes) < 2
    ):
        raise refusal("law", name, f"{name} has no phases in (alpha, beta)", named=False)
    return found


def draw_phases(
    axes: Sequence[Axes],
    laws: Sequence[Law],
    *,
    notation: str,
    tasks: Sequence[SourceCapacity] | Mapping[str, SourceCapacity],
    resolution: int,
    limits: Limits | None,
    ranges: Limits | None = None,
    own: tuple[str, str] | None = None,
) -> None:
    """Draw the phases of laws side by side, in the same coordinates.

    Parameters
    ----------
    axes, laws : sequences of Axes and of Law
        One law on each.
    notation, tasks, resolution, limits
        As for `scalinglaws.verify.plots.linear.phase_diagram`.
    ranges : pair of pairs of float, optional
        Limits where none are given and all tasks fit in; by default those of the notation.
    own : pair of str, optional
        Labels of alpha and beta for laws in which they are not capacity and source; with the notation ``"capacity"``.
    """
    entry = convention(notation)
    if notation not in AXES:
        raise refusal(
            "notation",
            notation,
            f"{notation!r} has the parameters {', '.join(entry.parameters)}: a picture needs one of "
            f"{', '.join(AXES)}",
            shown=False,
        )
    resolution = whole("resolution", resolution, low=2)
    marks = _marks(tasks, notation)
    chosen = _limits(limits, ranges or (AXES[notation][0].limits, AXES[notation][1].limits), marks)
    # a law that is not about capacity and source has (alpha, beta) of its own
    planes = [
        PhasePlane(
            law.in_notation(notation) if law.task else law,
            notation,
            (AXES[notation][0].parameter, AXES[notation][1].parameter),
            chosen,
        )
        for law in laws
    ]
    for axis, plane, law in zip(axes, planes, laws, strict=True):
        _fill(axis, plane, resolution)
        _boundaries(axis, plane)
        xlabel, ylabel = own or (AXES[notation][0].label, AXES[notation][1].label)
        axis.set(xlabel=xlabel, ylabel=ylabel, xlim=plane.limits[0], ylim=plane.limits[1])
        _key(axis, plane, str(sp.latex(law.variable)), "" if law.growth else "-")
    for axis, plane in zip(
        axes, planes, strict=True
    ):  # where there is room is known once all keys are in place
        _name(axis, plane, marks)


def _marks(tasks: Any, notation: str) -> list[tuple[str, float, float]]:
    """Return label and coordinates of every task."""
    try:
        named = (
            list(tasks.items()) if isinstance(tasks, Mapping) else [(None, task) for task in tasks]
        )
    except TypeError:
        raise refusal("tasks", tasks, "must be a sequence or a mapping") from None
    entry = convention(notation)
    marks = []
    for name, task in named:
        if not isinstance(task, SourceCapacity):
            raise refusal(
                "tasks", task, f"has {task!r}, which is not a SourceCapacity", shown=False
            )
        values = dict(
            zip(entry.parameters, entry.from_canonical(task.alpha, task.beta), strict=True)
        )
        x, y = (float(values[shown.parameter]) for shown in AXES[notation])
        marks.append((f"({x:.3g}, {y:.3g})" if name is None else str(name), x, y))
    return marks


def _limits(given: Any, ranges: Limits, marks: list[tuple[str, float, float]]) -> Limits:
    """Check the limits, or choose them."""
    if given is None:
        chosen = []
        for (low, high), values in zip(
            ranges, ([x for _, x, _ in marks], [y for _, _, y in marks]), strict=True
        ):
            room = 0.08 * (high - low)
            chosen.append(
                (
                    min([low, *(v - room for v in values if v <= low)]),
                    max([high, *(v + room for v in values if v >= high)]),
                )
            )
        return chosen[0], chosen[1]
    try:
        array = np.array(given, dtype=float)
    except (TypeError, ValueError):
        array = np.array([])
    if (
        array.shape != (2, 2)
        or not np.all(np.isfinite(array))
        or np.any(array[:, 0] >= array[:, 1])
    ):
        raise refusal("limits", given, "must be ((left, right), (bottom, top)), finite and rising")
    for label, *point in marks:
        if np.any(point < array[:, 0]) or np.any(point > array[:, 1]):
            raise refusal(
                "limits",
                given,
                f"the task {label} at ({point[0]:g}, {point[1]:g}) lies outside limits",
                named=False,
            )
    (left, right), (bottom, top) = array.tolist()
    return (left, right), (bottom, top)


def _colors(phases: Sequence[Regime]) -> list[str]:
    return [
        COLORS.get(phase.name, OTHERS[number % len(OTHERS)]) for number, phase in enumerate(phases)
    ]


def _fill(axis: Axes, plane: PhasePlane, resolution: int) -> None:
    """Colour the phases; what stays uncoloured is hatched."""
    from matplotlib.colors import ListedColormap

    edges = [np.linspace(low, high, resolution + 1) for low, high in plane.limits]
    for regime in plane.edges:  # cells end where a boundary runs along an axis
        for x, y in plane.curves(regime.condition):
            for number, values in enumerate((x, y)):
                there = np.unique(values[np.isfinite(values)])
                if there.size == 1 and plane.limits[number][0] < there[0] < plane.limits[number][1]:
                    edges[number] = np.union1d(edges[number], there)
    x, y = ((edge[1:] + edge[:-1]) / 2 for edge in edges)
    which = plane.index(*np.meshgrid(x, y))
    axis.patch.set(facecolor="#f1f1f1", edgecolor="#cfcfcf", hatch="////", linewidth=0)
    colors = ListedColormap(_colors(plane.phases))
    shown = np.ma.masked_less(which, 0)
    axis.pcolormesh(
        *edges,
        shown,
        cmap=colors,
        vmin=-0.5,
        vmax=len(plane.phases) - 0.5,
        rasterized=True,
        zorder=0.5,
    )


def _boundaries(axis: Axes, plane: PhasePlane) -> None:
    for x, y in plane.border():
        axis.plot(x, y, color=NOTHING, lw=1.2, gid="no power law", zorder=1.8)
    for regime in plane.edges:
        for x, y in plane.curves(regime.condition):
            good = plane.valid(x, y)
            axis.plot(
                np.where(good, x, np.nan),
                np.where(good, y, np.nan),
                color=INK,
                lw=1.2,
                gid=regime.name,
                zorder=2,
            )


def _grid(plane: PhasePlane) -> tuple[Array, Array, NDArray[np.int_]]:
    """Return the coordinates of a grid, and the phase at each of its points."""
    x, y = (a + (b - a) * (np.arange(CELLS) + 0.5) / CELLS for a, b in plane.limits)
    return x, y, plane.index(*np.meshgrid(x, y))


def _key(axis: Axes, plane: PhasePlane, variable: str, sign: str) -> None:
    """Write the phases' exponents beside the picture."""
    from matplotlib.legend_handler import HandlerPatch
    from matplotlib.patches import Patch
    from matplotlib.text import Text

    class Named(HandlerPatch):
        """A patch with the phase's name in it."""

        def create_artists(
            self,
            legend: Any,
            handle: Any,
            left: float,
            down: float,
            width: float,
            height: float,
            *rest: Any,
        ) -> Any:
            size, transform = rest
            name = Text(
                width / 2 - left,
                height / 2 - down,
                handle.get_gid(),
                fontsize=size,
                color=INK,
                ha="center",
                va="center_baseline",
            )
            name.set_transform(transform)
            return [*super().create_artists(legend, handle, left, down, width, height, *rest), name]

    x, y, which = _grid(plane)
    handles = []
    for number, (phase, color) in enumerate(zip(plane.phases, _colors(plane.phases), strict=True)):
        if np.any(which == number):
            row, column = np.argwhere(which == number)[0]
            formula = _positive(
                phase.exponent, dict(zip(plane.symbols, (x[column], y[row]), strict=True))
            )
            handles.append(
                Patch(
                    facecolor=color,
                    edgecolor=INK,
                    linewidth=0.6,
                    label=f"${formula}$",
                    gid=phase.name,
                )
            )
    axis.legend(
        handles=handles,
        title=f"exponent $g$ of ${variable}^{{{sign}g}}$",
        loc="center left",
        bbox_to_anchor=(1.02, 0.5),
        frameon=False,
        fontsize=10,
        labelspacing=1.1,
        alignment="left",
        handlelength=max(2.6, *(0.7 * len(phase.name) for phase in plane.phases)),
        handleheight=1.6,
        handler_map={Patch: Named()},
    )


def _name(axis: Axes, plane: PhasePlane, marks: list[tuple[str, float, float]]) -> None:
    """Write the phases' names where there is room, and the tasks."""
    from matplotlib.patheffects import withStroke

    low, high = np.array(plane.limits).T
    x, y, which = _grid(plane)
    axis.figure.draw_without_rendering()  # type: ignore[union-attr]
    inches = np.array(axis.get_window_extent().size) / axis.figure.dpi
    step = inches / CELLS

    halo = [withStroke(linewidth=2.5, foreground="white", alpha=0.8)]
    free = np.ones(which.shape, dtype=bool)
    for label, *place in marks:
        point = (place[0], place[1])
        at = (np.array(point) - low) / (high - low) * inches
        width = 0.6 * TASK_SIZE / 72 * len(label) + 0.15
        leftward = at[0] + width > inches[0]
        axis.plot(*point, "o", color=DOT, mec="white", ms=7, label=label, zorder=4, clip_on=False)
        axis.annotate(
            label,
            point,
            (-6 if leftward else 6, 4),
            textcoords="offset points",
            ha="right" if leftward else "left",
            fontsize=TASK_SIZE,
            color=INK,
            path_effects=halo,
            zorder=4,
        )
        left = at[0] - (width if leftward else 0.1)
        columns, rows = (np.arange(CELLS) + 0.5) * step[0], (np.arange(CELLS) + 0.5) * step[1]
        taken = (columns > left) & (columns < left + width + 0.1)
        free &= ~(taken[None, :] & (np.abs(rows - at[1] - 0.06) < 0.2)[:, None])

    for number in (*range(len(plane.phases)), -1):
        mask = which == number
        if not np.any(mask):
            continue
        name = plane.phases[number].name if number >= 0 else "no power law"
        size = NAME_SIZE if number >= 0 else TASK_SIZE
        need = 0.6 * size / 72 * max(len(name), 2) / 2 if number >= 0 else 0.15
        room = distance_transform_edt(np.pad(mask & free, 1), sampling=step[::-1])[1:-1, 1:-1]
        good = np.argwhere(room >= 0.85 * room.max())
        row, column = good[
            np.argmin(np.sum(((good - np.argwhere(mask).mean(axis=0)) * step[::-1]) ** 2, axis=1))
        ]
        if room.max() < need and len(name) > LONG:
            name = name.replace("-", "-\n")
            size = NAME_SIZE - 3
            need = 0.6 * size / 72 * max(map(len, name.split("\n"))) / 2
        if room.max() >= need:
            style = (
                {"bbox": {"facecolor": "#f1f1f1", "edgecolor": "none", "pad": 1.5}}
                if number < 0
                else {}
            )
            text = "no power\nlaw" if number < 0 and mask[row].sum() * step[0] < 1.2 else name
            axis.text(
                x[column],
                y[row],
                text,
                ha="center",
                va="center",
                fontsize=size,
                color=INK if number >= 0 else "#6b6b6b",
                **style,
            )
        elif number >= 0:  # a sliver: from its top, or from where it is widest
            row = np.flatnonzero(mask.any(axis=1))[-1]
            column = int(np.median(np.flatnonzero(mask[row])))
            arrow = {
                "arrowstyle": "-|>,head_width=0.15,head_length=0.3",
                "color": INK,
                "lw": 0.9,
                "shrinkA": 0,
                "shrinkB": 0,
            }
            tip = (float(x[column]), float(y[max(row - 6, 0)]))
            axis.annotate(
                name,
                tip,
                (0, 24),
                textcoords="offset points",
                ha="center",
                va="bottom",
                fontsize=size,
                color=INK,
                arrowprops=arrow,
            )
    axis.tick_params(direction="out", length=3)


def _positive(exponent: Any, values: dict[Any, float]) -> str:
    """Write an exponent as a fraction of factors that are positive in its phase."""
    parts = []
    for part in sp.fraction(sp.together(exponent)):
        constant, factors = sp.factor_list(part)
        signed = [
            (-factor if factor.subs(values) < 0 else factor, power) for factor, power in factors
        ]
        pieces = [] if abs(constant) == 1 and signed else [sp.latex(abs(constant))]
        bare = len(signed) == 1 and signed[0][1] == 1 and not pieces
        for factor, power in sorted(signed, key=lambda pair: pair[0].is_Add):
            text = _latex(factor)
            text = rf"({text})" if factor.is_Add and not bare else text
            pieces.append(text if power == 1 else f"{text}^{{{power}}}")
        parts.append(" ".join(pieces))
    return parts[0] if parts[1] == "1" else rf"\dfrac{{{parts[0]}}}{{{parts[1]}}}"


def _latex(expr: Any) -> str:
    """Write a sum with its positive terms first."""
    terms = sorted(expr.as_ordered_terms(), key=lambda term: bool(term.could_extract_minus_sign()))
    return "".join(
        f" - {sp.latex(-term)}"
        if term.could_extract_minus_sign()
        else f"{' + ' if number else ''}{sp.latex(term)}"
        for number, term in enumerate(terms)
    )
