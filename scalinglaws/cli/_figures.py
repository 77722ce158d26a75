"""Pictures of tables."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import DomainError
from ..formatting import number
from ._formats import wrote

if TYPE_CHECKING:
    from ..solvers.catalogue import Shown

FIGURES = (".pdf", ".png", ".svg")

Columns = dict[str, list[Any]]


def draw(title: str, columns: Columns, shown: Shown, varied: list[str], output: Path) -> None:
    """Draw what was solved against the argument that takes most values, one line for each value of the others.

    Losses share a panel; everything else has one of its own.
    """
    from matplotlib.figure import Figure

    if not varied:
        raise DomainError(
            "a picture needs an argument that varies: give a list or a range",
            argument="output",
            value=output,
        )
    x = max(varied, key=lambda key: len(set(columns[key])))
    others = [key for key in varied if key != x]
    numeric = [key for key in shown.columns if not isinstance(columns[key][0], bool)]
    losses = [key for key in numeric if key.endswith("loss")]
    panels = [
        group for group in (losses, *([key] for key in numeric if key not in losses)) if group
    ]
    figure = Figure(figsize=(4.4 * len(panels) + 0.8, 4.2), layout="constrained")
    for axes, group in zip(figure.subplots(1, len(panels), squeeze=False)[0], panels, strict=True):
        _panel(axes, columns, x, others, group, shown.logarithmic)
    figure.suptitle(title, fontsize="medium")
    try:
        figure.savefig(output, dpi=150)
    except OSError as failure:
        raise DomainError(
            f"cannot write {output}: {failure.strerror}", argument="output", value=output
        ) from failure
    wrote(output)


def _panel(
    axes: Any,
    columns: Columns,
    x: str,
    others: list[str],
    group: list[str],
    logarithmic: tuple[str, ...],
) -> None:
    lines: dict[tuple[Any, ...], list[int]] = {}
    for i in range(len(columns[x])):
        lines.setdefault(tuple(columns[key][i] for key in others), []).append(i)
    for key, style in zip(group, itertools.cycle(("-", "--", ":")), strict=False):
        for position, (chosen, rows) in enumerate(lines.items()):
            words = [_words(key)] if len(group) > 1 else []
            words += [
                f"{name} = {value if isinstance(value, str) else number(value)}"
                for name, value in zip(others, chosen, strict=True)
            ]
            axes.plot(
                [columns[x][i] for i in rows],
                [columns[key][i] for i in rows],
                style,
                color=f"C{position % 10}",
                marker="." if len(rows) < 30 else None,
                label=", ".join(words),
            )
    values = [value for key in group for value in columns[key]]
    positive = min(values) > 0 and not group[0].endswith("exponent")
    if positive or (group[0] in logarithmic and max(values) > 0):
        axes.set_yscale("log")
    if min(columns[x]) > 0:
        axes.set_xscale("log")
    axes.set_xlabel(_words(x))
    axes.set_ylabel(_words(group[0]) if len(group) == 1 else "loss")
    axes.spines[["top", "right"]].set_visible(False)
    if others or len(group) > 1:
        axes.legend(frameon=False, fontsize="small")


def _words(name: str) -> str:
    return name.replace("_", " ")
