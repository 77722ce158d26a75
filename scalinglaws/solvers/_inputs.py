"""Arguments checked at the door, and results judged before they leave."""

from __future__ import annotations

import math
import warnings

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..errors import AccuracyWarning, ConvergenceError, DomainError
from ..results import Diagnostics, Result, Status
from .spectra import Spectrum

Array = NDArray[np.float64]
Value = float | Array

PROMISED = 1e-8
"""Relative error above which a result comes with a warning."""


def numbers(
    name: str, value: ArrayLike, *, low: float, infinite: bool, strict: bool = False
) -> Array:
    """Return an argument as an array of floats that are at least (with `strict` above) `low`, finite or possibly infinite."""
    try:
        if np.asarray(value).dtype.kind in "US":  # which NumPy would read as numbers
            raise TypeError
        array = np.asarray(value, dtype=float)
    except (TypeError, ValueError, OverflowError):
        raise DomainError(
            f"{name} = {value!r} must be a number or an array of numbers",
            argument=name,
            value=value,
        ) from None
    good = ((array > low) if strict else (array >= low)) & (np.isfinite(array) | infinite)
    if not np.all(good):
        first = array[~good].ravel()[0]
        least = "" if low == -math.inf else f"{'>' if strict else '>='} {low:g}"
        allowed = least + (
            " (inf for the limit)" if infinite else " and finite" if least else "finite"
        )
        raise DomainError(f"{name} = {first} must be {allowed}", argument=name, value=value)
    return array


def whole_numbers(name: str, value: ArrayLike, *, low: float = 1, high: float = math.inf) -> Array:
    """Return an argument as an array of whole numbers in a range."""
    array = numbers(name, value, low=low, infinite=False)
    broken = array[(array != np.floor(array)) | (array > high)]
    if broken.size:
        allowed = f">= {low:g}" if high == math.inf else f"from {low:g} to {high:g}"
        raise DomainError(
            f"{name} = {broken.flat[0]} must be a whole number {allowed}",
            argument=name,
            value=value,
        )
    return array


def one(name: str, array: Array) -> float:
    """Return the only element of a checked argument; refuse several."""
    if array.ndim:
        raise DomainError(
            f"{name} must be one number; got an array of shape {array.shape}",
            argument=name,
            value=array,
        )
    return float(array)


def generator(value: np.random.Generator | int | None) -> np.random.Generator:
    """Return a source of random numbers; refuse to make one from nothing."""
    if value is None:
        raise DomainError(
            "rng = None must be a Generator or a seed for a method that samples",
            argument="rng",
            value=value,
        )
    return np.random.default_rng(value)


def ordered(name: str, value: ArrayLike, *, whole: bool) -> Array:
    """Return times or steps as an array: >= 0, possibly infinite, non-decreasing along the last axis, possibly whole numbers."""
    array = numbers(name, value, low=0.0, infinite=True)
    if whole:
        broken = array[np.isfinite(array) & (array != np.floor(array))]
        if broken.size:
            raise DomainError(
                f"{name} = {broken[0]} must be a whole number (or inf)", argument=name, value=value
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


def broadcast(checked: dict[str, Array]) -> tuple[tuple[int, ...], list[Array]]:
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


def failure_policy(on_failure: str) -> None:
    """Refuse anything but "raise" and "return"."""
    if on_failure not in ("raise", "return"):
        raise DomainError(
            f"on_failure = {on_failure!r} must be 'raise' or 'return'",
            argument="on_failure",
            value=on_failure,
        )


def depth(
    name: str, spectrum: Spectrum, count: Array, ridge: Array, *, smaller: bool = True
) -> int:
    """Return how deep a spectrum must be resolved for Laplace variables of size `ridge`; blame `name` where that is too deep."""
    try:
        return spectrum.depth_for(count, ridge)
    except DomainError as refusal:
        message = f"{refusal}".partition(";")[0]
        advice = (
            f"fewer features or samples, or a smaller {name}" if smaller else f"a larger {name}"
        )
        raise DomainError(f"{message}; use {advice}", argument=name, value=refusal.value) from None


def judged(name: str, result: Result, diagnostics: Diagnostics, on_failure: str) -> None:
    """Raise if a solver failed, warn if it lost accuracy; to be called by the public function itself."""
    status = diagnostics.status
    if status is Status.MAX_ITERATIONS and on_failure == "raise":
        reached = (
            f"relative residual {diagnostics.residual:.1e} after {diagnostics.iterations} steps"
        )
        raise ConvergenceError(f"{name}: {status.value} ({reached})", result=result)
    if status is Status.LOST_ACCURACY:
        estimate = f"estimated relative error {diagnostics.error_estimate:.1e}"
        warnings.warn(f"{name}: {status.value} ({estimate})", AccuracyWarning, stacklevel=3)


def inverse(size: float) -> float:
    """Return 1/size, 0 for infinity."""
    return 0.0 if math.isinf(size) else 1.0 / size
