"""What a picture shows of a table: its curves, grouped into panels."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..equality import by_value
from ..reprs import short_repr

if TYPE_CHECKING:
    from ..solvers.catalogue import Shown

Array = NDArray[np.float64]
Columns = dict[str, list[Any]]

SAME = 4e-3  # relative, curves closer than the line is wide
ERROR = "standard_error"


@short_repr
@by_value
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


@short_repr
@by_value
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
