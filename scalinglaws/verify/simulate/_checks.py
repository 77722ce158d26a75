"""What every simulation checks at the door."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ...errors import DomainError, ResourceError
from ...solvers.spectra import Spectrum

Array = NDArray[np.float64]

_MAX_ENTRIES = 250_000_000  # numbers held at once: 2 GB
_MOST_STEPS = 2**53  # beyond it, neighboring whole numbers are the same float


def listed(spectrum: Spectrum) -> tuple[Array, Array]:
    """Return eigenvalues and signals one by one; refuse more than fit into memory."""
    if math.isfinite(spectrum.size):
        afford(int(spectrum.size))
    return spectrum.explicit()


def whole(name: str, value: float) -> int:
    """Return a count; refuse anything but whole numbers >= 1."""
    if not (1 <= value < math.inf and value == int(value)):
        raise DomainError(
            f"{name} = {value} must be a whole number >= 1", argument=name, value=value
        )
    return int(value)


def whole_or_inf(name: str, value: float) -> int | None:
    """Return a count, or None for infinity."""
    if value == math.inf:
        return None
    if not (1 <= value < math.inf and value == int(value)):
        raise DomainError(
            f"{name} = {value} must be a whole number >= 1, or inf", argument=name, value=value
        )
    return int(value)


def nonnegative(name: str, value: float) -> float:
    """Return a finite number >= 0."""
    if not 0 <= value < math.inf:
        raise DomainError(f"{name} = {value} must be finite and >= 0", argument=name, value=value)
    return float(value)


def positive(name: str, value: float) -> float:
    """Return a finite number > 0."""
    if not 0 < value < math.inf:
        raise DomainError(f"{name} = {value} must be finite and > 0", argument=name, value=value)
    return float(value)


def ordered(name: str, values: ArrayLike) -> Array:
    """Return numbers that are >= 0 and do not decrease, as a float array of at most one dimension."""
    try:
        found = np.array(values).astype(float, casting="same_kind")
    except (TypeError, ValueError):
        raise DomainError(
            f"{name} must be real numbers; got {values!r}", argument=name, value=values
        ) from None
    if found.ndim > 1 or found.size == 0:
        raise DomainError(
            f"{name} must be a number or a non-empty one-dimensional array; got shape {found.shape}",
            argument=name,
            value=values,
        )
    flat = found.reshape(-1)
    _refuse(name, flat, ~(flat >= 0), "must be >= 0")
    _refuse(
        name,
        flat,
        np.append(False, flat[1:] < flat[:-1]),
        "is less than the one before it; sort them",
    )
    return found


def step_counts(name: str, values: ArrayLike) -> NDArray[np.int64]:
    """Return whole numbers that are >= 0 and do not decrease."""
    found = ordered(name, values)
    flat = found.reshape(-1)
    _refuse(
        name,
        flat,
        ~((flat < _MOST_STEPS) & (flat == np.floor(flat))),
        "must be a finite whole number",
    )
    return found.astype(np.int64)


def _refuse(name: str, values: Array, wrong: NDArray[np.bool_], complaint: str) -> None:
    """Name the first wrong value, if there is one."""
    if wrong.any():
        first = int(np.argmax(wrong))
        raise DomainError(
            f"{name}[{first}] = {values[first]} {complaint}",
            argument=name,
            value=float(values[first]),
        )


def afford(entries: float) -> None:
    """Refuse what would not fit into memory."""
    if entries > _MAX_ENTRIES:
        raise ResourceError(
            f"one draw would hold {entries:.1e} numbers, more than {_MAX_ENTRIES:.1e}; use fewer modes, samples, features or times"
        )
