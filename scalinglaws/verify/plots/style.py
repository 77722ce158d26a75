"""Colors and manners that pictures share."""

from __future__ import annotations

from collections.abc import Sequence
from textwrap import fill
from typing import TYPE_CHECKING, Any

from ...errors import refusal
from ...formatting import percent, typeset

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.axis import Axis
    from matplotlib.figure import Figure

THEORY, SIMULATION, LAW, RIVAL = "#1b3a5c", "#d1495b", "#4a8c6f", "#9a9a9a"
CASES = (("#1b3a5c", "o"), ("#d1495b", "s"), ("#e09f3e", "^"), ("#5b9bd5", "D"))
"""Color and marker of cases side by side; the colors differ in lightness too."""
NOTE = "#444444"
NOTE_SIZE, KEY_SIZE, TITLE_SIZE = 8.5, 9, 11
LINE = 1.35  # height of a line of text over the size of its letters
_LETTER = 0.58  # width of a letter over the size of letters, on average and rather too wide
_PLAIN = (1e-3, 1e5)  # an axis within these limits has plain numbers


def bare(*axes: Axes) -> None:
    """Take away the lines that frame nothing."""
    for axis in axes:
        axis.spines[["top", "right"]].set_visible(False)


def canvas(figure: Figure | None, size: tuple[float, float]) -> Figure:
    """Return the figure to draw in: the one that was given, or a new one of so many inches that belongs to no window."""
    from matplotlib.figure import Figure

    if figure is None:
        return Figure(figsize=size, layout="constrained")
    if not isinstance(figure, Figure):
        raise refusal("figure", figure, "must be a Matplotlib figure")
    return figure


def band(axes: Axes, half: float) -> None:
    """Shade relative deviations of at most so much around the line at zero, and say what is shaded."""
    axes.axhspan(-half, half, color=THEORY, alpha=0.08, lw=0, gid="band")
    axes.axhline(0, color=THEORY, lw=1)
    axes.annotate(
        f"shaded: ±{percent(half)}",
        (1, 1),
        (-3, -2),
        xycoords="axes fraction",
        textcoords="offset points",
        ha="right",
        va="top",
        fontsize=7.5,
        color=NOTE,
    )


def logarithmic(axis: Axis, *, narrow: bool = False) -> None:
    """Write plain numbers on a logarithmic axis, or powers of ten where it reaches far; few round ones where it is narrow."""
    from matplotlib.ticker import LogFormatterSciNotation, MaxNLocator, NullLocator

    if narrow:
        axis.set_major_locator(MaxNLocator(4, steps=[1, 2, 5, 10]))
        axis.set_minor_locator(NullLocator())
        plain(axis)
        return

    class Numbers(LogFormatterSciNotation):
        """Labels where Matplotlib would set them, in our writing."""

        def __call__(self, x: float, pos: int | None = None) -> str:
            if not super().__call__(x, pos):
                return ""
            low, high = sorted(axis.get_view_interval())
            near = low >= _PLAIN[0] and high <= _PLAIN[1]
            return f"{x:g}" if near else typeset(x, 2, plain=False)

    axis.set_major_formatter(Numbers())
    axis.set_minor_formatter(Numbers(labelOnlyBase=False, minor_thresholds=(1, 0.4)))


def plain(axis: Axis) -> None:
    """Write large and small numbers of a linear axis each with its power of ten, and whole ones without decimals."""
    from matplotlib.ticker import ScalarFormatter

    class Numbers(ScalarFormatter):
        """Labels as Matplotlib writes them while they are plain."""

        def __call__(self, x: float, pos: int | None = None) -> str:
            high = max(map(abs, axis.get_view_interval()))
            if high > _PLAIN[1] or high < 10 * _PLAIN[0]:
                return typeset(x, 3)
            return str(super().__call__(x, pos))

    numbers = Numbers(useOffset=False)
    numbers.set_scientific(False)
    axis.set_major_formatter(numbers)


def wrapped(text: str, inches: float, size: float = NOTE_SIZE, indent: str = "") -> str:
    """Break a text into lines of at most a width."""
    letters = max(int(inches * 72 / (_LETTER * size)), 20)
    return fill(
        text,
        letters,
        subsequent_indent=indent,
        break_long_words=False,
        break_on_hyphens=False,
    )


def tall(text: str, size: float = NOTE_SIZE) -> float:
    """Return the height of a text in inches."""
    return LINE * size / 72 * (text.count("\n") + 1) if text else 0.0


def explain(
    figure: Figure, notes: Sequence[str], *, title: str = "", key: Sequence[Artist] = ()
) -> None:
    """Write notes below a picture, a title and a key above it; it grows, and what was drawn keeps its size.

    Parameters
    ----------
    figure : Figure
        With everything else in it.
    notes : sequence of str
        A line each, or more where it is long.
    title : str
        At the top.
    key : sequence of Artist
        Handles with labels, of a key below the title.
    """
    width, height = figure.get_size_inches()
    text = "\n".join(wrapped(note, width - 0.3, indent="   ") for note in notes)
    head = "\n".join(wrapped(line, width, TITLE_SIZE) for line in title.split("\n"))
    longest = max((len(str(handle.get_label())) for handle in key), default=0)
    columns = int((width - 0.2) / (0.65 + _LETTER * KEY_SIZE / 72 * longest))
    columns = max(1, min(len(key), columns))
    rows = -(-len(key) // columns)
    below = tall(text) + 0.12 if notes else 0.0
    above = tall(head, TITLE_SIZE) + (0.1 if title else 0.0)
    keys = 1.75 * KEY_SIZE / 72 * rows + 0.1 if key else 0.0
    whole = height + below + above + keys
    figure.set_size_inches(width, whole)
    bottom, share = below / whole, height / whole
    engine: Any = figure.get_layout_engine()
    if engine is None:
        old = figure.subplotpars
        figure.subplots_adjust(bottom=bottom + share * old.bottom, top=bottom + share * old.top)
    else:
        engine.set(rect=(0, bottom, 1, share))
    if title:
        where = (0.5, 1 - 0.05 / whole)
        figure.text(*where, head, ha="center", va="top", fontsize=TITLE_SIZE, gid="title")
    if key:
        figure.legend(
            handles=list(key),
            loc="upper center",
            bbox_to_anchor=(0.5, 1 - above / whole),
            borderaxespad=0,
            ncols=columns,
            frameon=False,
            fontsize=KEY_SIZE,
        ).set_in_layout(False)
    if notes:
        figure.text(
            0.15 / width,
            (below - 0.04) / whole,
            text,
            va="top",
            fontsize=NOTE_SIZE,
            linespacing=LINE / 1.2,
            color=NOTE,
            gid="notes",
        )
