"""The one door: what every room, the command line included, checks before it trusts an argument.

A check takes the argument's name and its value and returns the value in the form that the code behind the door uses; if
it refuses, the error names the argument, the value and what is allowed.
"""

from __future__ import annotations

import math
import operator
import os
import re
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .errors import DomainError, ResourceError, refusal

Array = NDArray[np.float64]
Value = float | Array
Choice = TypeVar("Choice", bound=str)

MOST_EXACT = 2**53
"""Beyond it, neighboring whole numbers are the same float."""
_MOST_DIGITS = 1000

# -- numbers ------------------------------------------------------------------------------------------------------------


def floats(
    name: str, value: Any, complaint: str = "must be a number or an array of numbers"
) -> Array:
    """Return an argument as an array of floats, NaN and infinity included; refuse what NumPy would read as numbers although
    it is something else: flags, text, complex numbers, dates, arrays with a mask.

    Examples
    --------
    >>> floats("t", [1, float("inf")])
    array([ 1., inf])
    """
    if isinstance(value, np.ma.MaskedArray):
        raise refusal(name, value, f"{complaint}; fill or drop what is masked")
    try:
        given = np.asarray(value)
        if given.dtype.kind not in "iufO":
            raise TypeError
        if given.dtype == object and any(map(_is_no_number, given.ravel())):
            raise TypeError
        with np.errstate(invalid="ignore"):  # older NumPy warns of NaN in single precision
            return np.asarray(given, dtype=float)
    except (TypeError, ValueError, OverflowError):
        raise refusal(name, value, complaint) from None


def numbers(
    name: str,
    value: ArrayLike,
    *,
    low: float = -math.inf,
    high: float = math.inf,
    infinite: bool = False,
    strict: bool = False,
) -> Array:
    """Return an argument as an array of floats in a range, finite or possibly infinite.

    Parameters
    ----------
    name : str
        Of the argument.
    value : array_like
        What was given.
    low, high : float
        Ends of the range, which belong to it (with `strict`, `low` does not).
    infinite : bool
        Whether infinity is allowed too.
    strict : bool
        Whether the numbers must be above `low`.

    Returns
    -------
    ndarray
        Of floats.

    Raises
    ------
    DomainError
        If a value is no number, NaN, or out of range; the message names the first.

    Examples
    --------
    >>> numbers("samples", [1, 10], low=1)
    array([ 1., 10.])
    """
    array = floats(name, value)
    good = _within(array, low, high, infinite, strict)
    refuse_first(name, array, ~good, _range(low, high, infinite, strict))
    return array


def refuse_first(
    name: str,
    array: Array,
    wrong: ArrayLike,
    complaint: str,
    shape: tuple[int, ...] | None = None,
) -> None:
    """Refuse an argument for the first of its numbers that is wrong; the message names it and its place, and none of the others.

    Parameters
    ----------
    name : str
        Of the argument.
    array : ndarray
        Its numbers.
    wrong : array_like of bool
        Which of them are not allowed; nothing happens if none is.
    complaint : str
        What is allowed.
    shape : tuple of int, optional
        Of the argument as it was given, where the numbers were put into one row.

    Raises
    ------
    DomainError
        If one is wrong.

    Examples
    --------
    >>> refuse_first("t", np.array([1.0, -2.0, -3.0]), [False, True, True], "must be >= 0")
    Traceback (most recent call last):
    scalinglaws.errors.DomainError: t[1] = -2.0 must be >= 0
    """
    found = np.flatnonzero(np.broadcast_to(wrong, array.shape))
    if found.size:
        first = int(found[0])
        given = array.shape if shape is None else shape
        place = tuple(map(int, np.unravel_index(first, given))) if given else None
        raise refusal(name, float(array.flat[first]), complaint, at=place)


def number(
    name: str,
    value: Any,
    *,
    low: float = -math.inf,
    high: float = math.inf,
    infinite: bool = False,
    strict: bool = False,
) -> float:
    """Return an argument as one float in a range; as `numbers`, but refuse arrays."""
    found = one(name, floats(name, value))
    if not _within(np.array(found), low, high, infinite, strict):
        raise refusal(name, value, _range(low, high, infinite, strict))
    return found


def one_row(
    name: str,
    value: ArrayLike,
    *,
    least: int = 1,
    low: float = -math.inf,
    strict: bool = False,
    increasing: bool = False,
) -> Array:
    """Return an argument as a one-dimensional array of finite numbers, at least so many, possibly increasing.

    Examples
    --------
    >>> one_row("t", [1, 2, 5], least=2, low=0, strict=True, increasing=True)
    array([1., 2., 5.])
    """
    array = floats(name, value)
    bound = f"{'>' if strict else '>='} {low:g} and finite" if low > -math.inf else "finite"
    order = ", increasing" if increasing else ""
    complaint = f"must be one row of at least {least} numbers, {bound}{order}"
    if array.ndim != 1 or array.size < least:
        raise refusal(name, value, complaint)
    apart = f"is out of place: {name} {complaint}"
    refuse_first(name, array, ~_within(array, low, math.inf, False, strict), apart)
    if increasing:
        refuse_first(name, array, np.append(False, np.diff(array) <= 0), apart)
    return array


def whole_numbers(
    name: str, value: ArrayLike, *, low: float = 1, high: float = math.inf, infinite: bool = False
) -> Array:
    """Return an argument as an array of floats that are whole numbers in a range, or possibly infinite."""
    array = numbers(name, value, low=low, infinite=infinite)
    broken = np.isfinite(array) & ((array != np.floor(array)) | (array > high))
    refuse_first(name, array, broken, _whole_range(low, high, infinite))
    return array


def whole(name: str, value: Any, *, low: float = 1, high: float = math.inf) -> int:
    """Return an argument as one whole number in a range, an int; 3.0 is one, True and 3.5 are not.

    Examples
    --------
    >>> whole("samples", 1e3)
    1000
    """
    return _whole(name, value, low, high, _whole_range(low, high))


def digit_count(name: str, value: Any) -> int:
    """Return a number of digits to compute with, from 1 to 1000: beyond, work is told in hours rather than in seconds.

    Examples
    --------
    >>> digit_count("digits", 30)
    30
    """
    return whole(name, value, high=_MOST_DIGITS)


def whole_or_inf(name: str, value: Any, *, low: float = 1) -> int | None:
    """Return a count, or None for infinity."""
    if isinstance(value, float) and value == math.inf:  # NumPy's too
        return None
    return _whole(name, value, low, math.inf, _whole_range(low, math.inf, True))


def one(name: str, array: Array) -> float:
    """Return the only element of a checked argument; refuse several."""
    if array.ndim:
        raise refusal(
            name,
            array,
            f"must be a single number; got an array of shape {array.shape}",
            shown=False,
        )
    return float(array)


def ordered(
    name: str,
    value: ArrayLike,
    *,
    whole: bool = False,
    infinite: bool = True,
    single_row: bool = False,
) -> Array:
    """Return times or steps as an array: >= 0 and non-decreasing along the last axis.

    Parameters
    ----------
    name : str
        Of the argument.
    value : array_like
        What was given.
    whole : bool
        Whether the numbers must be whole, and small enough for floats to tell neighbors apart.
    infinite : bool
        Whether infinity is allowed too.
    single_row : bool
        Whether the argument must be a number or a row of numbers, of which the message then counts the offending one.

    Returns
    -------
    ndarray
        Of floats.

    Raises
    ------
    DomainError
        If a number is no such number or less than the one before it.

    Examples
    --------
    >>> ordered("t", [0, 1, 1, float("inf")])
    array([ 0.,  1.,  1., inf])
    """
    array = np.array(floats(name, value))  # results keep it
    if single_row and (array.ndim > 1 or array.size == 0):
        complaint = (
            f"must be a number or a non-empty one-dimensional array; got shape {array.shape}"
        )
        raise refusal(name, value, complaint, shown=False)

    inside = _within(array, 0.0, math.inf, infinite or whole, False)
    refuse_first(name, array, ~inside, _range(0.0, infinite=infinite))
    if whole and infinite:
        refuse_first(name, array, array != np.floor(array), "must be a whole number (or inf)")
    elif whole:
        exact = (array == np.floor(array)) & (array < MOST_EXACT)
        refuse_first(name, array, ~exact, "must be a finite whole number below 2^53")
    if array.ndim and array.shape[-1] > 1:
        early, late = array[..., :-1], array[..., 1:]
        if single_row:
            falls = np.append(False, late < early)
            refuse_first(name, array, falls, "is less than the one before it; sort them")
        if np.any(late < early):
            at = tuple(np.argwhere(late < early)[0])
            complaint = f"must not decrease along its last axis; got {early[at]} before {late[at]}"
            raise refusal(name, value, complaint, shown=False)
    return array


def _is_no_number(entry: Any) -> bool:
    """Tell whether an entry of an array of objects is one that `float` would read, or drop, in silence."""
    return entry is None or isinstance(entry, (bool, np.bool_, str, bytes, complex))


def _within(
    array: Array, low: float, high: float, infinite: bool, strict: bool
) -> NDArray[np.bool_]:
    """Tell which numbers lie in a range; NaN lies in none."""
    below = (array > low) if strict else (array >= low)
    finite = below & (array <= high) & np.isfinite(array)
    return finite | (array == math.inf) if infinite else finite


def _range(low: float, high: float = math.inf, infinite: bool = False, strict: bool = False) -> str:
    """Say in words which numbers are allowed."""
    if high < math.inf and low > -math.inf and not strict and not infinite:
        return f"must lie between {low:g} and {high:g}"
    ends = [f"{'>' if strict else '>='} {low:g}"] if low > -math.inf else []
    ends += [f"<= {high:g}"] if high < math.inf else []
    if infinite:
        return f"must be {' and '.join(ends) or 'a number'} (inf for the limit)"
    return f"must be {' and '.join(ends if high < math.inf else [*ends, 'finite'])}"


def _whole(name: str, value: Any, low: float, high: float, complaint: str) -> int:
    if isinstance(value, (bool, np.bool_)):
        raise refusal(name, value, complaint)
    try:
        found = operator.index(value)  # however large
    except TypeError:  # no integer, perhaps a float
        size = one(name, floats(name, value))
        if not size.is_integer():
            raise refusal(name, value, complaint) from None
        found = int(size)
    if not low <= found <= high:
        raise refusal(name, value, complaint)
    if found > sys.float_info.max:
        raise refusal(name, value, f"{complaint}, and below 1.8e308")
    return found


def _whole_range(low: float, high: float = math.inf, infinite: bool = False) -> str:
    most = "2^53" if high == MOST_EXACT else f"{high:g}"
    allowed = f">= {low:g}" if high == math.inf else f"from {low:g} to {most}"
    return f"must be a whole number {allowed}{', or inf' if infinite else ''}"


_FIELDS = 10  # arrays of results next to those of arguments, about

# -- shapes -------------------------------------------------------------------------------------------------------------


def broadcast(checked: Mapping[str, Array]) -> tuple[tuple[int, ...], list[Array]]:
    """Broadcast arguments against each other; return the common shape and the flat arrays, if memory holds them."""
    try:
        arrays = np.broadcast_arrays(*checked.values())
    except ValueError:
        shapes = ", ".join(f"{name} {array.shape}" for name, array in checked.items())
        raise DomainError(
            f"the shapes of the arguments do not broadcast: {shapes}",
            argument=next(iter(checked)),
            value=shapes,
        ) from None
    size = math.prod(arrays[0].shape)
    afford(
        float(size) * (len(arrays) + _FIELDS),
        f"a grid of {size:.3g} elements",
        "give the arguments in portions",
    )
    return arrays[0].shape, [np.array(array).ravel() for array in arrays]


def shaped(column: Array, shape: tuple[int, ...]) -> Value:
    """Give a flat array its shape; a float where the shape is that of a scalar."""
    return float(column[0]) if shape == () else np.array(column).reshape(shape)


# -- names, flags, random numbers ---------------------------------------------------------------------------------------


def choice(name: str, value: Any, allowed: Iterable[Choice]) -> Choice:
    """Return one of the names that are allowed.

    Examples
    --------
    >>> choice("on_failure", "raise", ("raise", "return"))
    'raise'
    """
    listed = list(allowed)
    for entry in listed:
        if isinstance(value, str) and value == entry:
            return entry
    *most, last = map(repr, listed)
    raise refusal(
        name, value, f"must be {', '.join(most)} or {last}" if most else f"must be {last}"
    )


def text(name: str, value: Any) -> str:
    """Return a text; refuse anything else."""
    if not isinstance(value, str):
        raise refusal(name, value, "must be a text")
    return value


def function(name: str, value: Any) -> Any:
    """Return something that can be called; refuse anything else, and classes, which can be called too."""
    if not callable(value) or isinstance(value, type):
        raise refusal(name, value, "must be a function")
    return value


def instance(name: str, value: Any, *kinds: type) -> None:
    """Refuse what is of none of some classes.

    Examples
    --------
    >>> instance("rows", [1, 2], list, tuple)
    """
    if not isinstance(value, kinds):
        named = " or ".join(kind.__name__ for kind in kinds)
        raise refusal(name, value, f"must be {'an' if named[0] in 'AEIOU' else 'a'} {named}")


def several(name: str, value: Any, *kinds: type) -> tuple[Any, ...]:
    """Return a tuple of what is given as one or several objects of some classes; refuse anything else.

    Examples
    --------
    >>> several("names", "linear.data", str), several("names", ["a", "b"], str)
    (('linear.data',), ('a', 'b'))
    """
    wanted = " or ".join(kind.__name__ for kind in kinds)
    if isinstance(value, kinds):
        return (value,)
    try:
        found = tuple(value)
    except TypeError:
        raise refusal(name, value, f"must be a {wanted}, or several") from None
    for place, entry in enumerate(found):
        if not isinstance(entry, kinds):
            raise refusal(name, entry, f"must be a {wanted}", at=place)
    return found


def path(name: str, value: Any, *suffixes: str) -> Path:
    """Return the path of a file or a folder; refuse what is neither a text nor a path, or ends in none of some suffixes.

    Examples
    --------
    >>> path("path", "fit.html", ".html", ".htm").name
    'fit.html'
    """
    if not isinstance(value, (str, os.PathLike)) or "\0" in str(value):
        raise refusal(name, value, "must be a path")
    found = Path(value)
    if suffixes and found.suffix.lower() not in suffixes:
        raise refusal(name, str(found), f"must end in {suffixes[0]}")
    return found


def flag(name: str, value: Any) -> bool:
    """Return a flag; refuse anything but True and False: a non-empty text or a tuple of flags is not one."""
    if not isinstance(value, (bool, np.bool_)):
        raise refusal(name, value, "must be True or False")
    return bool(value)


def flags(name: str, value: Any, count: int) -> tuple[bool, ...]:
    """Return one flag per axis (or whatever there are `count` of); a single flag holds for all of them.

    Examples
    --------
    >>> flags("periodic", True, 2), flags("periodic", (False, True), 2)
    ((True, True), (False, True))
    """
    if isinstance(value, (list, tuple)) or (isinstance(value, np.ndarray) and value.ndim):
        found = tuple(value)
        if len(found) == count and all(isinstance(entry, (bool, np.bool_)) for entry in found):
            return tuple(map(bool, found))
    elif isinstance(value, (bool, np.bool_)):
        return (bool(value),) * count
    raise refusal(name, value, f"must be True or False, or a row of {count} of them")


def generator(value: Any, *, name: str = "rng") -> np.random.Generator:
    """Return a source of random numbers; refuse to make one from nothing."""
    if isinstance(value, np.random.Generator):
        return value
    if isinstance(value, (bool, np.bool_)) or not isinstance(value, (int, np.integer)) or value < 0:
        raise refusal(name, value, "must be a Generator or a seed, a whole number >= 0")
    return np.random.default_rng(value)


def root_seed(value: Any, *, name: str = "rng") -> int:
    """Return the seed from which all streams of a run follow: a seed itself, or one drawn from a source of random numbers."""
    if isinstance(value, np.random.Generator):
        return int(value.integers(2**31))
    if isinstance(value, (bool, np.bool_)) or not isinstance(value, (int, np.integer)) or value < 0:
        raise refusal(name, value, "must be a whole number >= 0 or a Generator")
    return int(value)


# -- memory -------------------------------------------------------------------------------------------------------------

_UNITS = {"": 1, "K": 1e3, "M": 1e6, "G": 1e9, "T": 1e12}
_BUDGET = 4e9  # the same on every machine, so that answers do not depend on it


def memory_budget() -> float:
    """Return how many bytes one call may hold: ``SCALINGLAWS_MEMORY`` (bytes, or as 8GB), 4 GB by default.

    Examples
    --------
    >>> memory_budget()
    4000000000.0
    """
    text = os.environ.get("SCALINGLAWS_MEMORY", "")
    if not text.strip():
        return _BUDGET
    found = re.fullmatch(r"(\d+(?:\.\d*)?(?:E\+?\d+)?)\s*([KMGT]?)B?", text.strip().upper())
    if found is None or float(found[1]) == 0:
        raise refusal(
            "SCALINGLAWS_MEMORY", text, "must be a number of bytes > 0, or a size such as 8GB"
        )
    return float(found[1]) * _UNITS[found[2]]


def afford(entries: float, what: str, cure: str, *, size: int = 8) -> None:
    """Refuse what would not fit into the memory budget.

    Parameters
    ----------
    entries : float
        Numbers held at once.
    what : str
        What holds them, the subject of the message.
    cure : str
        What to do instead, in the imperative.
    size : int
        Bytes of one number.

    Raises
    ------
    ResourceError
        If they do not fit.

    Examples
    --------
    >>> afford(1e6, "one draw", "use fewer modes")
    """
    budget = memory_budget()
    if not entries * size <= budget:
        raise ResourceError(
            f"{what} would hold {entries * size / 1e9:.3g} GB, more than {budget / 1e9:.3g} GB; {cure}, "
            "or raise SCALINGLAWS_MEMORY"
        )


def numba_threads() -> None:
    """Refuse a number of threads in the environment with which Numba could not be imported.

    Raises
    ------
    DomainError
        If ``NUMBA_NUM_THREADS`` is set, and no whole number >= 1.
    """
    name = "NUMBA_NUM_THREADS"
    given = os.environ.get(name, "")
    if given and not (re.fullmatch(r"\s*\+?[0-9]{1,9}\s*", given) and int(given) >= 1):
        raise refusal(name, given, "in the environment must be a whole number >= 1; or unset it")


def affordable(*, size: int = 8) -> float:
    """Return how many numbers of `size` bytes fit into the memory budget."""
    return memory_budget() / size
