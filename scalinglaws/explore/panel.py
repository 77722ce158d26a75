"""A panel: what a person sets, what is drawn, and the function between the two. It knows no browser."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from math import prod
from typing import Any
from urllib.parse import quote

from ..equality import by_value
from ..errors import DomainError, refusal
from ..reprs import short_repr
from .answers import Answer
from .controls import Control, File

Values = Mapping[str, Any]


@short_repr
@by_value
@dataclass(frozen=True)
class Frame:
    """A picture's axes.

    Parameters
    ----------
    name : str
        By which an answer finds it.
    x, y : str
        What is on the axes.
    x_log, y_log : bool
        Which are logarithmic.
    box : tuple of float, optional
        Left, right, bottom, top; by default what is drawn decides.
    height : int
        In pixels.
    """

    name: str
    x: str
    y: str
    x_log: bool = False
    y_log: bool = False
    box: tuple[float, float, float, float] | None = None
    height: int = 380


@short_repr
@by_value
@dataclass(frozen=True)
class Panel:
    """One page of the explorer.

    Parameters
    ----------
    name : str
        In addresses.
    title, about : str
        What a person reads above it; `about` is one or two sentences.
    controls : sequence of Control
        What is set.
    frames : sequence of Frame
        What is drawn.
    answer : callable
        Values by name -> Answer; raises errors of the package for what it refuses.
    snapshot : mapping
        Name of a control -> values of it that a snapshot holds; the others stay where they start.
    """

    name: str
    title: str
    about: str
    controls: Sequence[Control]
    frames: Sequence[Frame]
    answer: Callable[[Values], Answer]
    snapshot: Mapping[str, Sequence[Any]] = field(default_factory=dict)

    @property
    def states(self) -> int:
        """How many states a snapshot holds."""
        return prod(map(len, self.snapshot.values())) if self.snapshot else 0

    def start(self) -> dict[str, Any]:
        """Return the values at first."""
        return {control.name: control.start for control in self.controls}

    def read(self, query: Mapping[str, str]) -> tuple[dict[str, Any], list[str]]:
        """Read values from an address.

        Parameters
        ----------
        query : mapping of str to str
            What follows the question mark, decoded.

        Returns
        -------
        values : dict
            Of all controls; where something is refused, it starts as if nothing had been given.
        complaints : list of str
            What was refused and why.
        """
        values, complaints = self.start(), []
        known = {
            control.name: control for control in self.controls if not isinstance(control, File)
        }
        for name, text in query.items():
            try:
                if name not in known:
                    raise refusal(name, text, f"is not known here: {', '.join(known)}")
                values[name] = known[name].read(text)
            except DomainError as failure:
                complaints.append(str(failure))
        return values, complaints

    def query(self, values: Values) -> str:
        """Write values as what follows the question mark of an address: all of them, so that an address means the same for ever."""
        return "&".join(
            f"{control.name}={quote(control.write(values[control.name]), safe=':;.,*/+-^() ')}".replace(
                " ", "%20"
            ).replace("+", "%2B")
            for control in self.controls
            if not isinstance(control, File)
        )


def accepted(panel: Panel, values: Values) -> None:
    """Check what no control could have checked: the size of files.

    Raises
    ------
    DomainError
        For a file that is too large.
    """
    for control in panel.controls:
        if isinstance(control, File) and (given := values[control.name]) is not None:
            name, content = given
            if len(content) > control.largest:
                raise DomainError(
                    f"{name} has {len(content)} bytes; at most {control.largest} are read",
                    argument=control.name,
                    value=name,
                )


def answered(panel: Panel, values: Values) -> Answer:
    """Return the answer of a panel, after what its controls could not check."""
    accepted(panel, values)
    return panel.answer(values)
