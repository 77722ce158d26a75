"""What can go wrong, and what each kind of trouble carries with it.

Every error derives from `ScalingLawsError` and from the built-in exception that a caller would expect.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from difflib import get_close_matches
from numbers import Number
from typing import Any

from .letters import GREEK

_SHOWN = 10  # names listed on one line; more of them are set in columns
_WIDTH = 78  # characters of a line of columns

_ENTRIES = 6  # of an array or a sequence that a message shows
_LENGTH = 80  # characters of a value that a message shows
_LONG, _DIGITS_A_BIT = 10**_LENGTH, 0.30103


class ScalingLawsError(Exception):
    """Base class of every error raised on purpose by this package."""


class DomainError(ScalingLawsError, ValueError):
    """An argument lies outside what is allowed.

    Attributes
    ----------
    argument : str or None
        Name of the offending argument.
    value : object
        What was given, or the first of several numbers that is not allowed.
    """

    def __init__(self, message: str, *, argument: str | None = None, value: Any = None) -> None:
        super().__init__(message)
        self.argument = argument
        self.value = value


class DataError(ScalingLawsError, ValueError):
    """A user's data cannot be used as they are.

    Attributes
    ----------
    row : int or None
        Index of the first offending row, counted from 0.
    """

    def __init__(self, message: str, *, row: int | None = None) -> None:
        super().__init__(message)
        self.row = row


class ConvergenceError(ScalingLawsError, RuntimeError):
    """A solver did not reach its tolerance.

    Attributes
    ----------
    result : object
        What was reached, in the solver's own result type.
    """

    def __init__(self, message: str, *, result: Any = None) -> None:
        super().__init__(message)
        self.result = result


class ResourceError(ScalingLawsError, MemoryError):
    """A request would need more memory or time than is allowed."""

    def __new__(cls, *args: Any, **extra: Any) -> ResourceError:
        """Make an instance as other errors are made: the one of `MemoryError` refuses classes that have another base, as when unpickled."""
        return Exception.__new__(cls, *args)


class WorkerError(ScalingLawsError, RuntimeError):
    """A worker process died, or a map-like lost or mixed up what it was given.

    Attributes
    ----------
    finished : dict
        Outputs that were made before, by the positions of their items (checks by their names).
    """

    def __init__(self, message: str, *, finished: dict[Any, Any] | None = None) -> None:
        super().__init__(message)
        self.finished = {} if finished is None else finished


class AccuracyWarning(UserWarning):
    """A result is less accurate than the documentation promises."""


class StabilityWarning(UserWarning):
    """A learning rate has left the range in which discrete steps follow the smooth dynamics."""


class ExtrapolationWarning(UserWarning):
    """A formula is used outside the range in which it was tested."""


def unknown_name(
    kind: str, name: Any, known: Iterable[str], more: str = "", *, likeness: float = 0.5
) -> DomainError:
    """Build the error for a name that does not exist, with the nearest ones that do.

    Parameters
    ----------
    kind : str
        What the name should have named, for example ``"law"``.
    name : str
        What was asked for.
    known : iterable of str
        What there is.
    more : str
        What else may help.
    likeness : float
        How much alike names are of which one may be a slip for the other, from 0 to 1.

    Returns
    -------
    DomainError
        To be raised by the caller.

    Examples
    --------
    >>> print(unknown_name("law", "linear.dota", ["linear.data", "linear.time"]))
    unknown law 'linear.dota'; did you mean 'linear.data' or 'linear.time'?

    A symbol is never taken for another one that is written alike:

    >>> print(unknown_name("parameter", "alpha_p", ["alpha", "beta"]))
    unknown parameter 'alpha_p'; known: alpha, beta
    """
    names = sorted(known)
    near = [
        entry
        for entry in get_close_matches(str(name), names, n=5, cutoff=likeness)
        if _may_be_meant(str(name), entry)
    ][:3]
    if near:
        hint = "did you mean " + " or ".join(repr(entry) for entry in near) + "?"
    elif len(names) <= _SHOWN:
        hint = "known: " + (", ".join(names) or "none")
    else:
        hint = "known:\n" + columns(names)
    if more:
        gap = "\n" if "\n" in hint else " " if near else "; "
        hint += gap + more
    return DomainError(f"unknown {kind} {brief(name)}; {hint}", argument=kind, value=name)


def columns(names: Sequence[str]) -> str:
    """Set names in columns, down each before the next, as many as fit on a line.

    Examples
    --------
    >>> print(columns(["one", "two", "three"]))
      one  two  three
    """
    for rows in range(1, len(names) + 1):
        parts = [names[start : start + rows] for start in range(0, len(names), rows)]
        widths = [max(map(len, part)) for part in parts]
        if sum(widths) + 2 * len(widths) <= _WIDTH or rows == len(names):
            break
    lines = (
        [
            part[row].ljust(width)
            for part, width in zip(parts, widths, strict=True)
            if row < len(part)
        ]
        for row in range(rows)
    )
    return "\n".join(("  " + "  ".join(line)).rstrip() for line in lines)


def _may_be_meant(given: str, known: str) -> bool:
    """Tell whether a name can be a slip for another: a symbol is none for one with another letter, or another index."""
    base, _, index = given.lower().partition("_")
    if base not in GREEK and len(base) > 1:
        return True
    other, _, its = known.lower().partition("_")
    return base == other and index == its


def known_name(kind: str, name: Any, known: Iterable[str], more: str = "") -> str:
    """Return a name if it is one of those that there are; raise `unknown_name` for any other, and for what is no name at all.

    Examples
    --------
    >>> known_name("law", "linear.data", ["linear.data", "linear.time"])
    'linear.data'
    """
    names = list(known)
    if not isinstance(name, str) or name not in names:
        raise unknown_name(kind, name, names, more)
    return name


def refusal(
    argument: str,
    value: Any,
    complaint: str,
    *,
    shown: bool = True,
    named: bool = True,
    at: int | tuple[int, ...] | None = None,
) -> DomainError:
    """Build the error for an argument that is not allowed.

    Parameters
    ----------
    argument : str
        Its name.
    value : object
        What was given; long values are abbreviated.
    complaint : str
        What is allowed, as ``"must be finite and >= 0"``; the message is name, value and complaint.
    shown : bool
        Whether the message shows the value.
    named : bool
        Whether the message begins with name and value; without them, the complaint is a whole sentence.
    at : int or tuple of int, optional
        Place of the value in an argument with several: one index for each axis.

    Returns
    -------
    DomainError
        To be raised by the caller.

    Examples
    --------
    >>> print(refusal("ridge", -1.0, "must be finite and >= 0"))
    ridge = -1.0 must be finite and >= 0
    """
    if not named:
        return DomainError(complaint, argument=argument, value=value)
    indices = (at,) if isinstance(at, int) else at
    place = "" if indices is None else f"[{', '.join(map(str, indices))}]"
    given = f" = {brief(value)}" if shown else ""
    gap = "" if complaint.startswith(":") else " "
    return DomainError(f"{argument}{place}{given}{gap}{complaint}", argument=argument, value=value)


@contextmanager
def called(**names: str) -> Iterator[None]:
    """Let refusals name arguments as the caller knows them, where an inner function knows them by other names.

    Parameters
    ----------
    **names : str
        Name inside -> name outside.

    Examples
    --------
    >>> with called(path="export"):
    ...     raise refusal("path", "page.txt", "must end in .html")
    Traceback (most recent call last):
        ...
    scalinglaws.errors.DomainError: export = 'page.txt' must end in .html
    """
    try:
        yield
    except DomainError as failure:
        outside = names.get(str(failure.argument))
        if outside is None:
            raise
        words = re.sub(rf"^{failure.argument}\b", outside, str(failure))
        raise DomainError(words, argument=outside, value=failure.value) from None


def brief(value: Any) -> str:
    """Write a value for a message: numbers as they are, text in quotes, anything long cut short.

    Examples
    --------
    >>> brief("no"), brief(0.5), brief(range(1000))[:12]
    ("'no'", '0.5', 'range(0, 100')
    """
    shape = getattr(value, "shape", ())
    if shape and getattr(value, "size", 0) > _ENTRIES:
        return f"an array of shape {shape}"
    if isinstance(value, (list, tuple)) and len(value) > _ENTRIES:
        return f"a {type(value).__name__} of {len(value)} entries"
    plain = isinstance(value, Number) or (shape == () and hasattr(value, "dtype"))
    if isinstance(value, int) and abs(value) >= _LONG:  # Python would not even write the longest
        return f"a whole number of {int(value.bit_length() * _DIGITS_A_BIT) + 1} digits"
    text = str(value) if plain else repr(value)  # a number without its type
    text = " ".join(text.split())
    return text if len(text) <= _LENGTH else f"{text[:_LENGTH]}..."
