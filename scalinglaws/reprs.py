"""How objects show themselves in a line: what they are and what they hold, never a whole array or formula.

A dataclass writes every field out in full, which for a law or for a result with arrays are pages. `short_repr` replaces that by
one line, in which arrays are counted and long values are cut.
"""

from __future__ import annotations

import math
from dataclasses import fields, is_dataclass
from enum import Enum
from typing import Any, TypeVar

LONGEST = 120
"""Characters of the line."""
_VALUE = 44  # characters of one value
_WRITTEN = 3  # entries of a sequence that are written out
_ENDING = ", ...)"

Kind = TypeVar("Kind", bound=type[Any])


def short_repr(kind: Kind) -> Kind:
    """Give a dataclass a representation of one line; a decorator, above `dataclass`.

    Examples
    --------
    >>> from dataclasses import dataclass
    >>> @short_repr
    ... @dataclass(frozen=True)
    ... class Curve:
    ...     name: str
    ...     loss: np.ndarray
    >>> Curve("time", np.geomspace(1, 1e-3, 50))
    Curve(name='time', loss=<50 numbers from 0.001 to 1>)
    """
    kind.__repr__ = described  # type: ignore[assignment]
    return kind


def described(thing: Any) -> str:
    """Write a dataclass in a line: its name, and as many of its fields as fit.

    Of a result that says what its table shows, those fields come first.
    """
    names = [field.name for field in fields(thing) if field.repr]
    first = [name for name in shown_columns(thing) if name in names]
    parts: list[str] = []
    head = f"{type(thing).__name__}("
    ordered = [*first, *(name for name in names if name not in first)]
    for place, name in enumerate(ordered, start=1):
        parts.append(f"{name}={in_short(getattr(thing, name))}")
        rest = ")" if place == len(ordered) else _ENDING
        if len(head + ", ".join(parts) + rest) > LONGEST:
            return head + ", ".join([*parts[:-1], "...)"])
    return head + ", ".join(parts) + ")"


def shown_columns(thing: Any) -> tuple[str, ...]:
    """Return what the class of a result declares that its table shows, by `scalinglaws.solvers.catalogue.shows`."""
    declared = getattr(thing, "_shown", None)
    return () if declared is None else tuple(declared.columns)


def line(words: str, longest: int = LONGEST) -> str:
    r"""Put words in one line, cut where it would be too long.

    Examples
    --------
    >>> line("a law of\nmany words", 12)
    'a law of...'
    """
    words = " ".join(words.split())
    return words if len(words) <= longest else words[: longest - 3].rstrip() + "..."


def in_short(value: Any) -> str:
    """Write one value shortly: arrays are counted, formulas and text cut, objects named.

    Examples
    --------
    >>> in_short(np.zeros((4, 5))), in_short([1, 2]), in_short(range(9)), in_short(tuple("abcd"))
    ('<4 x 5 numbers, all 0>', '[1, 2]', 'range(0, 9)', '<4 entries>')
    """
    import numpy as np  # not needed to load what shows itself

    if isinstance(value, Enum):
        return value.name
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, np.ndarray):
        return _array(value)
    if isinstance(value, (tuple, list, set, frozenset, dict)) or hasattr(value, "items"):
        return _sequence(value)
    if is_dataclass(value) and not isinstance(value, type):
        written = repr(value)
        name = type(value).__name__
        return written if len(written) <= _VALUE and "\n" not in written else f"{name}(...)"
    if isinstance(value, type) or (callable(value) and hasattr(value, "__name__")):
        return line(value.__name__, _VALUE)
    if isinstance(value, int) and abs(value) > 10**_VALUE:
        return f"<{math.floor(math.log10(abs(value))) + 1} digits>"
    return line(repr(value), _VALUE)


def _array(value: Any) -> str:
    import numpy as np

    if value.ndim == 0 or (value.ndim == 1 and value.size <= _WRITTEN):
        written = line(str(value.tolist()), _VALUE)
        if len(written) < _VALUE:
            return written
    size = " x ".join(map(str, value.shape))
    if value.dtype.kind not in "iuf" or not value.size:
        return f"<{size} {'flags' if value.dtype.kind == 'b' else 'entries'}>"
    low, high = float(np.min(value)), float(np.max(value))
    spread = f", all {low:.3g}" if low == high else f" from {low:.3g} to {high:.3g}"
    return f"<{size} numbers{spread}>"


def _sequence(value: Any) -> str:
    entries = list(value.items()) if hasattr(value, "items") else list(value)
    flat = [part for entry in entries for part in (entry if hasattr(value, "items") else (entry,))]
    if len(entries) <= _WRITTEN and all(
        part is None or isinstance(part, (bool, int, float, str)) for part in flat
    ):
        written = repr(value)
        if len(written) <= _VALUE and "\n" not in written:
            return written
    return f"<{len(entries)} {'entry' if len(entries) == 1 else 'entries'}>"
