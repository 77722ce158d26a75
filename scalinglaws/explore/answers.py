"""What a panel of the explorer answers: pictures as plain arrays, numbers and words, without a line about how they are shown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from html import escape
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..equality import by_value
from ..formatting import typeset
from ..reprs import short_repr
from ..verify.plots.style import CASES, LAW, RIVAL

Array = NDArray[np.float64]

COLORS = (*(color for color, _ in CASES), LAW)
"""Colors of lines, in the order in which they are used."""
PALE = RIVAL
"""Color of what is there for comparison."""


@short_repr
@by_value
@dataclass(frozen=True)
class Line:
    """A curve.

    Parameters
    ----------
    label : str
        Its name in the key; curves of one name share an entry, and an empty name has none.
    x, y : arrays of the same length
        Its points; NaN interrupts it.
    color : str
        Of it.
    dash : str
        ``"solid"``, ``"dashed"`` or ``"dotted"``.
    """

    label: str
    x: Sequence[float] | Array
    y: Sequence[float] | Array
    color: str = COLORS[0]
    dash: str = "solid"


@short_repr
@by_value
@dataclass(frozen=True)
class Marks:
    """Points.

    Parameters
    ----------
    label : str
        Their name in the key.
    x, y : arrays of the same length
        Where they are.
    color : str
        Of them.
    """

    label: str
    x: Sequence[float] | Array
    y: Sequence[float] | Array
    color: str = COLORS[1]


@short_repr
@by_value
@dataclass(frozen=True)
class Words:
    """Words inside a picture, centered at a point."""

    text: str
    x: float
    y: float


@short_repr
@by_value
@dataclass(frozen=True)
class Regions:
    """A colored plane, in cells.

    Parameters
    ----------
    which : array of int, shape (rows, columns)
        The region of each cell, rows from below; -1 where there is none.
    colors : tuple of str
        Of the regions.
    box : tuple of float
        Left, right, bottom and top of the picture.
    """

    which: NDArray[np.int_]
    colors: tuple[str, ...]
    box: tuple[float, float, float, float]


Drawn = Line | Marks | Words | Regions


@short_repr
@by_value
@dataclass(frozen=True)
class Number:
    """A number in the table of an answer.

    Parameters
    ----------
    name : str
        By which a program finds it.
    label : str
        What a person reads.
    value : float, int or str
        As the library returned it; exact ones are written as words.
    note : str
        What follows it.
    """

    name: str
    label: str
    value: float | int | str
    note: str = ""


@short_repr
@by_value
@dataclass(frozen=True)
class Answer:
    """All that a panel shows at one state.

    Parameters
    ----------
    drawn : mapping
        Name of a frame of the panel -> what is drawn in it.
    numbers : sequence of Number
        A table.
    html : str
        Words below, as safe HTML: what people typed has been escaped.
    across : mapping
        Name of a frame -> what is on its x axis, where the state decides.
    """

    drawn: Mapping[str, Sequence[Drawn]]
    numbers: Sequence[Number] = ()
    html: str = ""
    across: Mapping[str, str] = field(default_factory=dict)

    def page(self) -> str:
        """Write the table and the words."""
        return table(self.numbers) + self.html


def table(numbers: Sequence[Number]) -> str:
    """Write numbers as rows, each with its full digits where a program looks for them.

    Examples
    --------
    >>> table([Number("loss", "test loss", 0.125)])
    '<table><tr><th>test loss</th><td data-name="loss" data-value="0.125">0.125</td><td></td></tr></table>'
    """
    if not numbers:
        return ""
    rows = "".join(
        f'<tr><th>{escape(entry.label)}</th><td data-name="{escape(entry.name)}" '
        f'data-value="{escape(_full(entry.value))}">{escape(_short(entry.value))}</td>'
        f"<td>{escape(entry.note)}</td></tr>"
        for entry in numbers
    )
    return f"<table>{rows}</table>"


def paragraphs(*words: str) -> str:
    """Write plain words as paragraphs.

    Examples
    --------
    >>> paragraphs("a < b", "c")
    '<p>a &lt; b</p><p>c</p>'
    """
    return "".join(f"<p>{escape(part)}</p>" for part in words if part)


def _full(value: Any) -> str:
    return value if isinstance(value, str) else repr(float(value))


def _short(value: Any) -> str:
    return value if isinstance(value, str) else typeset(float(value), 5)
