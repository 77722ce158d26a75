"""Labels as people have them: numbers, or classes by number or by name."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ...arguments import numbers
from ...errors import DataError, refusal
from ._sample import centered_labels

Array = NDArray[np.float64]

_MOST_CLASSES = 1000


def read_labels(labels: ArrayLike, samples: int) -> tuple[Array, tuple[str, ...]]:
    """Read labels as a matrix with a column for each output.

    Parameters
    ----------
    labels : array_like
        One row for each sample. A row of whole numbers that are stored as such, of flags or of words names classes: they become
        one column each, 1 for members and 0 for others.
    samples : int
        n.

    Returns
    -------
    labels : ndarray, shape (n, c)
        Not centered.
    notes : tuple of str
        What was made of them.

    Raises
    ------
    DomainError
        If they are no such labels, or not n.
    DataError
        If they are constant, or classes too many to be classes.

    Examples
    --------
    >>> columns, notes = read_labels(["cat", "dog", "cat"], 3)
    >>> columns
    array([[1., 0.],
           [0., 1.],
           [1., 0.]])
    """
    given = labels if isinstance(labels, np.ma.MaskedArray) else np.asarray(labels)
    if given.ndim == 2 and given.shape[1] == 1 and given.dtype.kind in "iubUSO":
        given = given[:, 0]
    if given.ndim not in (1, 2) or given.shape[0] != samples or given.size == 0:
        complaint = f"must have one row for each of the {samples} samples; got shape {given.shape}"
        raise refusal("labels", labels, complaint, shown=False)
    if given.ndim == 1 and _names_classes(given):
        return _one_hot(given)
    found = numbers("labels", given)
    columns = np.array(found.reshape(samples, -1))
    centered_labels(columns)
    notes: tuple[str, ...] = ()
    if given.ndim == 2 and given.dtype.kind in "iub":
        notes = (f"Labels are {given.shape[1]} columns of whole numbers, taken as numbers.",)
    return columns, notes


def _names_classes(labels: NDArray[Any]) -> bool:
    if isinstance(labels, np.ma.MaskedArray):
        return False  # refused as numbers
    words = labels.dtype.kind == "O" and all(isinstance(entry, str) for entry in labels)
    return labels.dtype.kind in "iubUS" or words


def _one_hot(labels: NDArray[Any]) -> tuple[Array, tuple[str, ...]]:
    names, places = np.unique(
        labels.astype(str) if labels.dtype.kind == "O" else labels, return_inverse=True
    )
    kind = {"U": "words", "S": "words", "b": "flags"}.get(names.dtype.kind, "whole numbers")
    if names.size == 1:
        raise DataError("labels are constant: there is nothing to learn; give labels that vary")
    if names.size > _MOST_CLASSES:
        raise DataError(
            f"labels are {kind} with {names.size} different values, which would be classes (at most {_MOST_CLASSES}); "
            "give numbers to be predicted as floats"
        )
    columns = np.zeros((labels.size, names.size))
    columns[np.arange(labels.size), places.ravel()] = 1.0
    same = "; for two classes the same as +1 and -1" if names.size == 2 else ""
    few = (
        "; they are many for classes: give numbers to be predicted as floats"
        if kind == "whole numbers" and 2 * names.size > labels.size
        else ""
    )
    return columns, (
        f"Labels are {kind} and taken for {names.size} classes: one column each, 1 for its members and 0 for others{same}{few}.",
    )
