"""What a person sets in a panel. Sliders, choices, typed words and points that are dragged read and write their part of an address."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ..arguments import choice
from ..equality import by_value
from ..errors import refusal
from ..reprs import short_repr

LONGEST = 300
"""Characters of a typed text."""


@short_repr
@by_value
@dataclass(frozen=True)
class Slider:
    """A number in a range.

    Parameters
    ----------
    name : str
        In the address and for the panel.
    label : str
        What a person reads.
    low, high : float
        The range; both ends belong to it.
    start : float
        Where it stands at first.
    step : float
        Of the slider; of the decimal logarithm of a logarithmic one. An address may name numbers between steps.
    logarithmic : bool
        Whether the slider moves by factors.
    unlimited : bool
        Whether infinity is allowed too: the right end of the slider.
    whole : bool
        Whether only whole numbers are.
    """

    name: str
    label: str
    low: float
    high: float
    start: float
    step: float = 0.01
    logarithmic: bool = False
    unlimited: bool = False
    whole: bool = False

    def read(self, text: str) -> float:
        """Read a number from an address.

        Raises
        ------
        DomainError
            For what is no number in the range.
        """
        try:
            value = float(text)
        except ValueError:
            raise refusal(self.name, text, self._allowed) from None
        if not (self.low <= value <= self.high or (self.unlimited and value == math.inf)):
            raise refusal(self.name, text, self._allowed)
        if self.whole and value != math.inf and value != round(value):
            raise refusal(self.name, text, self._allowed)
        return value

    @property
    def _allowed(self) -> str:
        kind = "a whole number" if self.whole else "a number"
        end = ", or inf" if self.unlimited else ""
        return f"must be {kind} from {self.low:g} to {self.high:g}{end}"

    def write(self, value: float) -> str:
        """Write a number so that it is read again to the last digit."""
        return f"{value:.15g}" if float(f"{value:.15g}") == value else repr(value)

    @property
    def ends(self) -> tuple[float, float]:
        """First and last position of the slider; one step more where infinity is allowed."""
        low, high = (math.log10(end) if self.logarithmic else end for end in (self.low, self.high))
        return low, high + (self.step if self.unlimited else 0)

    def position(self, value: float) -> float:
        """Return the position of the slider that shows a number."""
        if value == math.inf:
            return self.ends[1]
        return math.log10(value) if self.logarithmic else value

    def value(self, position: float) -> float:
        """Return the number at a position of the slider, in few digits.

        Examples
        --------
        >>> features = Slider("features", "features", 1, 1e9, 100.0, 0.1, logarithmic=True, unlimited=True)
        >>> features.value(2.3), features.value(features.ends[1])
        (200.0, inf)
        """
        low, high = self.ends
        position = min(max(position, low), high)
        if self.unlimited and position > high - self.step / 2:
            return math.inf
        value = float(f"{10**position:.3g}") if self.logarithmic else round(position, 10)
        value = float(round(value)) if self.whole else value
        return min(max(value, self.low), self.high)


@short_repr
@by_value
@dataclass(frozen=True)
class Choice:
    """One of several.

    Parameters
    ----------
    name, label : str
        As of a slider.
    options : mapping of str to str
        Value in the address -> what a person reads.
    start : str
        The first choice.
    """

    name: str
    label: str
    options: Mapping[str, str]
    start: str

    def read(self, text: str) -> str:
        """Read a value from an address.

        Raises
        ------
        DomainError
            For another value.
        """
        return choice(self.name, text, tuple(self.options))

    def write(self, value: str) -> str:
        """Write it."""
        return value


@short_repr
@by_value
@dataclass(frozen=True)
class Typed:
    """A line that people type; the panel reads it, and refuses what it cannot.

    Parameters
    ----------
    name, label, start
        As of a slider.
    hint : str
        What may be typed.
    """

    name: str
    label: str
    start: str
    hint: str = ""

    def read(self, text: str) -> str:
        """Read a text from an address.

        Raises
        ------
        DomainError
            For one that is too long or holds signs that no keyboard has.
        """
        if len(text) > LONGEST or not text.isprintable():
            raise refusal(
                self.name, text, f"must be one line of at most {LONGEST} characters", shown=False
            )
        return text

    def write(self, value: str) -> str:
        """Write it."""
        return value


@short_repr
@by_value
@dataclass(frozen=True)
class Points:
    """Points that are dragged in a frame of the panel, one or several.

    Parameters
    ----------
    name, label : str
        As of a slider.
    frame : str
        Where they are.
    box : tuple of float
        Left, right, bottom and top of the range of both coordinates.
    start : tuple of pairs of float
        Where they are at first, from left to right.
    most : int
        Points that there may be; a person adds some by a tap and draws by hand if it is more than one.
    digits : int
        Decimals of coordinates that are kept.
    """

    name: str
    label: str
    frame: str
    box: tuple[float, float, float, float]
    start: tuple[tuple[float, float], ...]
    most: int = 1
    digits: int = 2

    def read(self, text: str) -> tuple[tuple[float, float], ...]:
        """Read points, ``x:y`` with semicolons between.

        Raises
        ------
        DomainError
            For coordinates outside the box, for too many points, and for none.
        """
        try:
            found = tuple(
                (float(x), float(y)) for x, y in (part.split(":") for part in text.split(";"))
            )
        except ValueError:
            raise refusal(self.name, text, f"must be points {self._allowed}") from None
        left, right, bottom, top = self.box
        inside = all(left <= x <= right and bottom <= y <= top for x, y in found)
        if not inside or not 1 <= len(found) <= self.most:
            raise refusal(self.name, text, f"must be points {self._allowed}")
        return tuple(sorted(found))

    @property
    def _allowed(self) -> str:
        left, right, bottom, top = self.box
        ranges = f"x from {left:g} to {right:g}, y from {bottom:g} to {top:g}"
        return f"x:y;x:y... (at most {self.most}), {ranges}"

    def write(self, value: tuple[tuple[float, float], ...]) -> str:
        """Write points."""
        return ";".join(f"{x:.12g}:{y:.12g}" for x, y in value)

    @property
    def grain(self) -> float:
        """How finely coordinates are told apart."""
        return float(10.0**-self.digits)

    def dragged(self, points: Any) -> tuple[tuple[float, float], ...]:
        """Return what a person has dragged, put back into the box, in few decimals, the first ones if there are too many.

        Examples
        --------
        >>> Points("task", "task", "plane", (0, 3, 0, 2), ((1.5, 0.5),)).dragged([(1.23456, -4.0)])
        ((1.23, 0.0),)
        """
        left, right, bottom, top = self.box
        found = [
            (
                float(min(max(round(float(x), self.digits), left), right)),
                float(min(max(round(float(y), self.digits), bottom), top)),
            )
            for x, y in points
            if math.isfinite(x) and math.isfinite(y)
        ]
        return tuple(sorted(found[: self.most])) or self.start


@short_repr
@by_value
@dataclass(frozen=True)
class File:
    """A file that is dropped in. It stays in memory, and no address holds it.

    Parameters
    ----------
    name, label : str
        As of a slider.
    accept : str
        Suffixes.
    largest : int
        Bytes that it may have.
    """

    name: str
    label: str
    accept: str = ".csv"
    largest: int = 5_000_000
    start: tuple[str, bytes] | None = None


Control = Slider | Choice | Typed | Points | File
