"""Where in the plane of a task's exponents the shape of a decay matters."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ....errors import refusal
from ....notation import SourceCapacity
from ..style import CASES, NOTE, canvas

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Array = NDArray[np.float64]

LIMITS = ((1.0, 4.5), (0.0, 2.6))
HARD, EASY = "#cfe0ee", "#d3e8cf"
INK = "#1b3a5c"
SHAPES = (("linear", 1.0), ("cosine", 2.0))
"""Schedules that end as a power of the steps that are left, and the power."""


def hardness(capacity: Array | float, power: float) -> Array:
    """Return the source below which a decay with this power at its end does not tell from the largest rate."""
    return np.asarray(1 - 1 / np.minimum(capacity, power + 1))


def saturation_diagram(
    *, tasks: Mapping[str, SourceCapacity] | None = None, figure: Figure | None = None
) -> Figure:
    r"""Draw where label noise makes the shape of a decay matter, in the plane of capacity :math:`\alpha` and source :math:`\beta`.

    Hard tasks, :math:`\beta < 1 - 1/\alpha`, are trained at the largest stable rate until the cooldown, and the loss falls as
    :math:`T^{-\beta}`; easy ones have a best rate, and their loss falls as :math:`T^{-\beta/(\beta + 1/\alpha)}`. A rate that vanishes as
    the power p of the steps that are left acts as the capacity :math:`\min(\alpha, p + 1)`: a linear decay loses exponent for
    :math:`\alpha > 2`, a cosine for :math:`\alpha > 3`, above the lines that are drawn for them.

    Parameters
    ----------
    tasks : mapping of str to SourceCapacity, optional
        Tasks that are marked.
    figure : Figure, optional
        An empty figure to draw in; by default a new one that belongs to no window.

    Returns
    -------
    Figure
        A Matplotlib figure; ``figure.savefig(path)`` writes it. Lines carry as ``gid`` what they separate: ``"hard"``,
        ``"beta = 1"``, ``"chi"``, ``"linear"``, ``"cosine"``.

    Raises
    ------
    DomainError
        If a task is no SourceCapacity, or lies outside the picture.

    Examples
    --------
    >>> figure = saturation_diagram(tasks={"text": SourceCapacity(1.5, 0.5)})
    >>> [line.get_gid() for line in figure.axes[0].get_lines()][:5]
    ['hard', 'beta = 1', 'chi', 'linear', 'cosine']
    """
    marks = _marks(tasks)
    figure = canvas(figure, (8.4, 4.9))
    axes = figure.subplots()
    (left, right), (bottom, top) = LIMITS
    x = np.linspace(left, right, 501)
    edge = 1 - 1 / x
    axes.fill_between(x, bottom, edge, color=HARD, lw=0)
    axes.fill_between(x, edge, top, color=EASY, lw=0)
    axes.plot(x, edge, color=INK, lw=1.6, gid="hard")
    axes.plot(x, np.ones_like(x), color=NOTE, lw=1, ls="--", gid="beta = 1")
    axes.plot(x, 2 - 1 / x, color=NOTE, lw=1, ls=":", gid="chi")
    handles = _saturation(axes, x)
    for name, place in marks:
        axes.plot(*place, "o", color=CASES[2][0], mec="white", ms=8, gid=name, zorder=5)
        axes.annotate(name, place, (7, 4), textcoords="offset points", fontsize=9, color=INK)
    for text, place in (
        ("easy: the rate\nis tuned", (1.06, 1.72)),
        ("hard: the largest rate", (2.9, 0.14)),
    ):
        axes.text(*place, text, fontsize=10.5, color=INK)
    _lines(axes)
    axes.set(
        xlim=LIMITS[0],
        ylim=LIMITS[1],
        xlabel=r"capacity $\alpha$   (eigenvalues $k^{-\alpha}$)",
        ylabel=r"source $\beta$   (signal power $k^{-(\alpha\beta + 1)}$)",
    )
    axes.legend(
        handles=handles,
        title="decays that lose exponent",
        loc="center left",
        bbox_to_anchor=(1.02, 0.5),
        frameon=False,
        fontsize=9,
        alignment="left",
        handleheight=1.5,
    )
    return figure


def _saturation(axes: Axes, x: Array) -> list[Any]:
    """Hatch where each shape falls behind the best; return entries of a key."""
    from matplotlib.patches import Patch

    handles = []
    for (shape, power), (color, _), hatch in zip(
        SHAPES, CASES[1:], ("///", "\\\\\\"), strict=False
    ):
        there = x >= power + 1
        low = hardness(x[there], power)
        axes.fill_between(
            x[there],
            low,
            LIMITS[1][1],
            facecolor="none",
            edgecolor=color,
            hatch=hatch,
            lw=0,
            alpha=0.55,
        )
        outline = (np.concatenate(([power + 1], x[there])), np.concatenate(([LIMITS[1][1]], low)))
        axes.plot(*outline, color=color, lw=1.6, gid=shape)
        exponent = rf"$T^{{-\beta/(\beta + 1/{power + 1:g})}}$"
        handles.append(
            Patch(facecolor="none", edgecolor=color, hatch=hatch, label=f"{shape}: {exponent}")
        )
    best = r"best: $T^{-\beta/(\beta + 1/\alpha)}$"
    handles += [Patch(color=EASY, label=best), Patch(color=HARD, label=r"best: $T^{-\beta}$")]
    return handles


def _lines(axes: Axes) -> None:
    """Name the lines."""
    look: dict[str, Any] = {"fontsize": 8.5, "color": NOTE}
    box = {"facecolor": "white", "edgecolor": "none", "alpha": 0.75, "pad": 1}
    axes.text(
        1.06,
        1.03,
        r"above $\beta = 1$ the floor of $N$ features is $N^{-\alpha}$",
        bbox=box,
        **look,
    )
    axes.text(1.45, 1.40, r"$\beta = 2 - 1/\alpha$", bbox=box, rotation=16, **look)
    axes.annotate(r"$\beta = 1 - 1/\alpha$", (1.35, 1 - 1 / 1.35), (1.06, 0.44), **look)
    axes.text(
        1.06,
        2.3,
        "above the dotted line, without noise, the error\nof the first steps decides, unless their batch is large",
        bbox=box,
        **look,
    )


def _marks(tasks: Mapping[str, SourceCapacity] | None) -> list[tuple[str, tuple[float, float]]]:
    """Check the tasks."""
    if tasks is None:
        return []
    if not isinstance(tasks, Mapping):
        raise refusal("tasks", tasks, "must be a mapping of names to SourceCapacity", shown=False)
    found = []
    for name, task in tasks.items():
        if not isinstance(task, SourceCapacity):
            raise refusal(
                "tasks", task, f"has {name!r}, which is not a SourceCapacity", shown=False
            )
        place = (float(task.alpha), float(task.beta))
        if any(not low <= value <= high for value, (low, high) in zip(place, LIMITS, strict=True)):
            raise refusal(
                "tasks", task, f"has {name!r} outside the picture, at {place}", shown=False
            )
        found.append((str(name), place))
    return found
