"""The one door: what every room, the command line included, checks before it trusts an argument.

A check takes the argument's name and its value and returns the value in the form that the code behind the door uses; if
it refuses, the error names the argument, the value and what is allowed.
"""

from __future__ import annotations

import math
import operator
import os
import re
from collections.abc import Iterable, Mapping
from typing import Any, TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .errors import DomainError, ResourceError, refusal

Array = NDArray[np.float64]
Value = float | Array
Choice = TypeVar("Choice", bound=str)

MOST_EXACT = 2**53
"""Beyond it, neighboring whole numbers are the same float."""

# -- numbers ------------------------------------------------------------------------------------------------------------


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
    try:
        if np.asarray(value).dtype.kind in "US":  # which NumPy would read as numbers
            raise TypeError
        array = np.asarray(value, dtype=float)
    except (TypeError, ValueError, OverflowError):
        raise refusal(name, value, "must be a number or an array of numbers") from None
    below = (array > low) if strict else (array >= low)
    good = below & ((array <= high) & np.isfinite(array) | (infinite & (array == math.inf)))
    if not np.all(good):
        raise refusal(
            name, array[~good].ravel()[0], f"must be {_range(low, high, infinite, strict)}"
        )
    return array


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
    return one(name, numbers(name, value, low=low, high=high, infinite=infinite, strict=strict))


def whole_numbers(
    name: str, value: ArrayLike, *, low: float = 1, high: float = math.inf, infinite: bool = False
) -> Array:
    """Return an argument as an array of floats that are whole numbers in a range."""
    array = numbers(name, value, low=low, infinite=infinite)
    broken = array[np.isfinite(array) & ((array != np.floor(array)) | (array > high))]
    if broken.size:
        allowed = f">= {low:g}" if high == math.inf else f"from {low:g} to {high:g}"
        more = " (or inf)" if infinite else ""
        raise refusal(name, broken.flat[0], f"must be a whole number {allowed}{more}")
    return array


def whole(name: str, value: Any, *, low: int = 1, high: float = math.inf) -> int:
    """Return an argument as one whole number in a range, an int; 3.0 is one, True and 3.5 are not."""
    if isinstance(value, (bool, np.bool_)):
        raise refusal(name, value, f"must be a whole number {_range(low, high, False, False)}")
    try:
        return (
            operator.index(value)
            if low <= operator.index(value) <= high
            else _refused(name, value, low, high)
        )
    except TypeError:  # no integer, perhaps a float
        found = one(name, whole_numbers(name, value, low=low, high=high))
    return int(found)


def whole_or_inf(name: str, value: Any, *, low: int = 1) -> int | None:
    """Return a count, or None for infinity."""
    found = number(name, value, low=low, infinite=True)
    return None if math.isinf(found) else whole(name, value, low=low)


def one(name: str, array: Array) -> float:
    """Return the only element of a checked argument; refuse several."""
    if array.ndim:
        raise refusal(
            name, array, f"must be one number; got an array of shape {array.shape}", shown=False
        )
    return float(array)


def ordered(name: str, value: ArrayLike, *, whole: bool = False, infinite: bool = True) -> Array:
    """Return times or steps as an array: >= 0, possibly infinite, non-decreasing along the last axis, possibly whole numbers."""
    array = numbers(name, value, low=0.0, infinite=infinite)
    if whole:
        broken = array[np.isfinite(array) & (array != np.floor(array))]
        if broken.size:
            raise refusal(
                name, broken[0], f"must be a whole number{' (or inf)' if infinite else ''}"
            )
    if array.ndim and array.shape[-1] > 1:
        early, late = array[..., :-1], array[..., 1:]
        if np.any(late < early):
            first = tuple(np.argwhere(late < early)[0])
            raise DomainError(
                f"{name} must not decrease along its last axis; got {early[first]} before {late[first]}",
                argument=name,
                value=value,
            )
    return array


def _refused(name: str, value: Any, low: float, high: float) -> int:
    raise refusal(name, value, f"must be a whole number {_range(low, high, False, False)}")


def _range(low: float, high: float, infinite: bool, strict: bool) -> str:
    """Say in words which numbers are allowed."""
    if high < math.inf and low > -math.inf and not strict:
        return f"from {low:g} to {high:g}"
    ends = [f"{'>' if strict else '>='} {low:g}"] if low > -math.inf else []
    ends += [f"<= {high:g}"] if high < math.inf else []
    if infinite:
        return (" and ".join(ends) or "a number") + " (inf for the limit)"
    return " and ".join([*ends, "finite"]) if high == math.inf else " and ".join(ends)


# -- shapes -------------------------------------------------------------------------------------------------------------


def broadcast(checked: Mapping[str, Array]) -> tuple[tuple[int, ...], list[Array]]:
    """Broadcast arguments against each other; return the common shape and the flat arrays."""
    try:
        arrays = np.broadcast_arrays(*checked.values())
    except ValueError:
        shapes = ", ".join(f"{name} {array.shape}" for name, array in checked.items())
        raise DomainError(
            f"the shapes of the arguments do not broadcast: {shapes}",
            argument=next(iter(checked)),
            value=shapes,
        ) from None
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


def flag(name: str, value: Any) -> bool:
    """Return a flag; refuse anything but True and False: a non-empty text or a tuple of flags is not one."""
    if not isinstance(value, (bool, np.bool_)):
        raise refusal(name, value, "must be True or False")
    return bool(value)


def generator(value: Any, *, name: str = "rng") -> np.random.Generator:
    """Return a source of random numbers; refuse to make one from nothing."""
    if isinstance(value, np.random.Generator):
        return value
    if value is None or isinstance(value, (bool, np.bool_, str)):
        raise refusal(name, value, "must be a Generator or a seed, a whole number >= 0")
    try:
        return np.random.default_rng(value)
    except (TypeError, ValueError):
        raise refusal(name, value, "must be a Generator or a seed, a whole number >= 0") from None


# -- memory -------------------------------------------------------------------------------------------------------------

_UNITS = {"": 1, "B": 1, "KB": 1e3, "MB": 1e6, "GB": 1e9, "TB": 1e12}
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
    found = re.fullmatch(r"\s*(\d+(?:\.\d*)?(?:[eE]\+?\d+)?)\s*([kKMGT]?[bB]?)\s*", text)
    unit = found.group(2).upper() if found else ""
    if found is None or unit not in _UNITS or float(found.group(1)) == 0:
        raise refusal(
            "SCALINGLAWS_MEMORY", text, "must be a number of bytes > 0, or a size such as 8GB"
        )
    return float(found.group(1)) * _UNITS[unit]


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


def affordable(*, size: int = 8) -> float:
    """Return how many numbers of `size` bytes fit into the memory budget."""
    return memory_budget() / size
