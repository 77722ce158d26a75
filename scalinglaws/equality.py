"""When two records are equal: same class, and field by field the same values, arrays included."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any, TypeVar

import numpy as np

Kind = TypeVar("Kind", bound=type)


def by_value(kind: Kind) -> Kind:
    """Let records of a class be compared, and hashed, by what they hold; stands below ``@dataclass(frozen=True)``.

    Two records are equal if they are of the same class and `same` holds for each pair of fields that the dataclass compares;
    equal records have equal hashes. A dataclass alone would ask for the truth of ``array == array``, and could not hash one.

    Parameters
    ----------
    kind : type
        A class that becomes a dataclass.

    Returns
    -------
    type
        The class itself.

    Examples
    --------
    >>> from dataclasses import dataclass
    >>> @dataclass(frozen=True)
    ... @by_value
    ... class Curve:
    ...     loss: np.ndarray
    >>> Curve(np.array([1.0, np.nan])) == Curve(np.array([1.0, np.nan]))
    True
    >>> len({Curve(np.ones(2)), Curve(np.ones(2)), Curve(np.ones(3))})
    2
    """
    kind.__eq__ = _equal  # type: ignore[assignment,method-assign]
    kind.__hash__ = _hash  # type: ignore[assignment,method-assign]
    return kind


def same(one: Any, other: Any) -> bool:
    """Return whether two values are equal, NaN being equal to NaN in the same place.

    Parameters
    ----------
    one, other : object
        Numbers, arrays, tuples, lists or mappings of such, or anything else that compares with ``==``.

    Returns
    -------
    bool
        True for arrays of the same shape with equal entries, of whatever types of numbers; an array equals no scalar.

    Examples
    --------
    >>> same({"loss": np.array([1.0, np.nan])}, {"loss": np.array([1.0, np.nan])})
    True
    >>> same(np.ones(2), np.ones(3)), same(np.ones(1), 1.0), same(float("nan"), np.float64("nan"))
    (False, False, True)
    """
    if one is other:
        return True
    if isinstance(one, np.ndarray) or isinstance(other, np.ndarray):
        return (
            isinstance(one, np.ndarray)
            and isinstance(other, np.ndarray)
            and one.shape == other.shape
            and _same_entries(one, other)
        )
    if isinstance(one, (tuple, list)) and isinstance(other, (tuple, list)):
        return (
            isinstance(one, tuple) == isinstance(other, tuple)
            and len(one) == len(other)
            and all(map(same, one, other))
        )
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    return bool(one == other) or (_is_nan(one) and _is_nan(other))


def _same_entries(one: np.ndarray[Any, Any], other: np.ndarray[Any, Any]) -> bool:
    if one.dtype.hasobject or other.dtype.hasobject:
        return all(map(same, one.ravel().tolist(), other.ravel().tolist()))
    numeric = all(array.dtype.kind in "fc" for array in (one, other))
    return np.array_equal(one, other, equal_nan=numeric)


def _is_nan(value: Any) -> bool:
    return isinstance(value, (float, complex, np.inexact)) and bool(value != value)


def _equal(self: Any, other: Any) -> bool:
    if type(other) is not type(self):
        return False
    return all(
        same(getattr(self, field.name), getattr(other, field.name))
        for field in fields(self)
        if field.compare
    )


def _hash(self: Any) -> int:
    held = (getattr(self, field.name) for field in fields(self) if field.compare)
    return hash((type(self), *map(_key, held)))


def _key(value: Any) -> Any:
    """Return something hashable that is the same for values that are the `same`."""
    if isinstance(value, np.ndarray):
        return (value.shape, *map(_key, value.ravel().tolist()))
    if isinstance(value, (tuple, list)):
        return (isinstance(value, tuple), *map(_key, value))
    if isinstance(value, Mapping):
        return frozenset((key, _key(entry)) for key, entry in value.items())
    return "nan" if _is_nan(value) else value
