"""What every solver returns besides its numbers: a status that says what to do next, and ways to keep a result.

A result is a frozen dataclass that derives from `Result`: arrays, the inputs they belong to, and `Diagnostics`.
"""

from __future__ import annotations

import json
import math
import warnings
import zipfile
from dataclasses import MISSING, dataclass, fields, is_dataclass
from enum import Enum
from importlib import import_module
from pathlib import Path
from typing import Any, Self

import mpmath
import numpy as np

from .arguments import afford
from .arguments import path as checked_path
from .equality import by_value
from .errors import AccuracyWarning, ConvergenceError, DataError, ResourceError, refusal
from .reprs import described, short_repr
from .saved_names import saved_class, saved_name

PROMISED = 1e-8
"""Relative error above which a result comes with a warning."""

_FORMAT = 2
_READABLE = (1, _FORMAT)  # 1 named classes by their modules


class Status(Enum):
    """How a computation ended; the value is the message a person reads."""

    CONVERGED = "converged"
    MAX_ITERATIONS = (
        "the iteration limit was reached; use on_failure='return' to see the last iterate"
    )
    UNDERSAMPLED = "too few samples matter, or a way in which the event happens is missed; use more samples or another method"
    UNRESOLVED = "two meshes disagree, so that the run is unstable or not resolved; use smaller or smoother rates, or an array"
    LOST_ACCURACY = "errors may exceed the promised accuracy, as the estimate says; use less extreme sizes, times or ridges"

    @property
    def ok(self) -> bool:
        """Whether the result can be used."""
        return self is Status.CONVERGED


@short_repr
@dataclass(frozen=True)
class Diagnostics:
    """How good a result is.

    Attributes
    ----------
    status : Status
        Worst status over all elements.
    residual : float
        Largest relative residual of the equation that was solved.
    iterations : int
        Steps taken by the slowest element.
    method : str
        The algorithm, in a few words.
    error_estimate : float
        Estimated relative error of the result.
    """

    status: Status
    residual: float
    iterations: int
    method: str
    error_estimate: float


class Result:
    """Common manners of solver results: conversion to plain objects, files and data frames.

    Saved files outlive versions, by three rules. A class is saved under its public name (`scalinglaws.saved_names`), so its
    module may move; a public name that changes gets a line in the table there. A field added later has a default, which files
    without the field get. A field is removed or renamed only together with a class method ``_from_saved(fields)``, which takes
    a dictionary of all that a file holds and returns an object; without it, an unknown field is refused.

    Results are values: two are equal if they are of the same class and hold the same, arrays entry by entry, NaN equal to NaN in
    the same place, and equal results have equal hashes (`scalinglaws.equality`).
    """

    def __init_subclass__(cls) -> None:
        """Compare by value, and show in one line, whatever the fields."""
        by_value(cls)
        if "__repr__" not in vars(cls):  # `dataclass` writes no representation where there is one
            cls.__repr__ = described  # type: ignore[method-assign]

    def to_dict(self) -> dict[str, Any]:
        """Return the fields as plain Python objects (arrays become lists, enums their names)."""
        return {field.name: _plain(getattr(self, field.name)) for field in fields(self)}  # type: ignore[arg-type]

    def _repr_html_(self) -> str:
        from .notebook import result_html  # only a notebook needs it

        return result_html(self)

    def save(self, path: str | Path) -> Path:
        """Write the result to a ``.npz`` file: arrays as they are, the rest as JSON, nothing pickled.

        Parameters
        ----------
        path : str or Path
            File to write; must end in ``.npz``.

        Returns
        -------
        Path
            The file written.

        Raises
        ------
        DomainError
            If the suffix is another one.
        """
        target = checked_path("path", path, ".npz")
        arrays: dict[str, np.ndarray[Any, Any]] = {}
        tree = _pack(self, arrays)
        with target.open("wb") as stream:
            header = np.array(json.dumps({"format": _FORMAT, "result": tree}))
            np.savez_compressed(stream, header=header, **arrays)  # type: ignore[arg-type]
        return target

    @classmethod
    def load(cls, path: str | Path) -> Self:
        """Read a result written by `save`.

        Parameters
        ----------
        path : str or Path
            A ``.npz`` file.

        Returns
        -------
        Result
            Of the class it was saved from, which must be this class or derive from it.

        Raises
        ------
        DataError
            If the file is not such a file, or holds a class or a field that this version does not have.
        ResourceError
            If what it holds would not fit into the memory budget.
        OSError
            If it is not there, or cannot be read.
        """
        source = checked_path("path", path)
        try:
            with zipfile.ZipFile(source) as parts:
                unpacked = sum(part.file_size for part in parts.infolist())
            afford(unpacked, f"{path}", "see whether it is the file you mean", size=1)
            with np.load(source, allow_pickle=False) as store:
                header = json.loads(str(store["header"]))
                if header["format"] not in _READABLE:
                    raise DataError(
                        f"{path} has format {header['format']!r}; this version reads "
                        + " and ".join(map(str, _READABLE))
                    )
                try:
                    result = _unpack(header["result"], store)
                except DataError as failure:
                    raise DataError(
                        f"{path} holds no saved result that this version reads: {failure}"
                    ) from failure
        except (
            FileNotFoundError,
            PermissionError,
            IsADirectoryError,
            NotADirectoryError,
            DataError,
            ResourceError,
        ):
            raise
        except Exception as failure:  # whatever else a file can hold
            raise DataError(
                f"{path} holds no saved result ({type(failure).__name__}: {failure})"
            ) from failure
        if not isinstance(result, cls):
            raise DataError(f"{path} holds a {type(result).__name__}, not a {cls.__name__}")
        return result

    def to_json(self, path: str | Path | None = None) -> str:
        """Return the result as JSON, from which `from_json` makes it again, digit for digit.

        Parameters
        ----------
        path : str or Path, optional
            File to write too; must end in ``.json``.

        Returns
        -------
        str
            Arrays with their types and shapes, the rest as in a saved file; what is not finite is spelled out.

        Raises
        ------
        DomainError
            If a field holds what JSON cannot, such as complex numbers, or the suffix is another one.
        """
        target = None if path is None else checked_path("path", path, ".json")
        arrays: dict[str, np.ndarray[Any, Any]] = {}
        tree = _pack(self, arrays)
        for array in arrays.values():
            if array.dtype.kind not in "biufU":
                raise refusal(
                    "value", None, f"JSON cannot hold an array of {array.dtype}", named=False
                )
        document = {
            "format": _FORMAT,
            "result": _spelled(tree),
            "arrays": {
                key: {
                    "type": array.dtype.str,
                    "shape": array.shape,
                    "values": [
                        value
                        if not isinstance(value, float) or math.isfinite(value)
                        else str(value)
                        for value in array.ravel().tolist()
                    ],
                }
                for key, array in arrays.items()
            },
        }
        text = json.dumps(document, allow_nan=False)
        if target is not None:
            target.write_text(text, encoding="utf-8")
        return text

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Make a result again from what `to_json` returned.

        Parameters
        ----------
        text : str
            JSON, of this version or an earlier one.

        Returns
        -------
        Result
            Of the class it was made from, which must be this class or derive from it.

        Raises
        ------
        DataError
            If the text is no such JSON, or holds a class or a field that this version does not have.
        """
        try:
            document = json.loads(text)
            if document["format"] not in _READABLE:
                raise DataError(
                    f"JSON of format {document['format']!r}, which this version does not read"
                )
            store = {
                key: np.array(entry["values"], dtype=np.dtype(entry["type"])).reshape(
                    entry["shape"]
                )
                for key, entry in document["arrays"].items()
            }
            result = _unpack(document["result"], store)
        except DataError as failure:
            raise DataError(f"no result that this version reads: {failure}") from failure
        except Exception as failure:  # whatever else a text can hold
            raise DataError(
                f"the text is no result in JSON ({type(failure).__name__}: {failure})"
            ) from failure
        if not isinstance(result, cls):
            raise DataError(f"the text holds a {type(result).__name__}, not a {cls.__name__}")
        return result

    def to_dataframe(self) -> Any:
        """Return the array fields as a pandas data frame, one row per element; needs pandas."""
        try:
            pandas = import_module("pandas")
        except ImportError:
            raise ImportError(
                "to_dataframe needs pandas, which is not installed; use to_dict() or save()"
            ) from None
        columns = {
            field.name: np.asarray(value)
            for field in fields(self)  # type: ignore[arg-type]
            if isinstance(value := getattr(self, field.name), (float, int, np.ndarray))
        }
        arrays = np.broadcast_arrays(*columns.values())
        return pandas.DataFrame(
            {name: array.ravel() for name, array in zip(columns, arrays, strict=True)}
        )


def judged(name: str, result: Result, diagnostics: Diagnostics, on_failure: str = "raise") -> None:
    """Raise if a solver failed, warn if it lost accuracy; the public function itself calls it, so that its caller is warned."""
    status = diagnostics.status
    if status is Status.UNRESOLVED and on_failure == "raise":
        apart = f"they differ by {diagnostics.error_estimate:.1e} of the loss"
        raise ConvergenceError(f"{name}: {status.value} ({apart})", result=result)
    if status is Status.MAX_ITERATIONS and on_failure == "raise":
        reached = (
            f"relative residual {diagnostics.residual:.1e} after {diagnostics.iterations} steps"
        )
        raise ConvergenceError(f"{name}: {status.value} ({reached})", result=result)
    if status in (Status.LOST_ACCURACY, Status.UNDERSAMPLED):
        estimate = f"estimated relative error {diagnostics.error_estimate:.1e}"
        warnings.warn(f"{name}: {status.value} ({estimate})", AccuracyWarning, stacklevel=3)


def jsonable(value: Any) -> Any:
    """Turn numbers, arrays and sequences into what JSON can hold: infinity becomes the string ``"inf"``.

    Parameters
    ----------
    value : object
        Numbers, strings, None, arrays, and tuples, lists or mappings of such.

    Returns
    -------
    object
        Plain Python numbers, strings, None, lists and dictionaries.

    Raises
    ------
    DomainError
        If a number is NaN, or a value is of another kind.

    Examples
    --------
    >>> jsonable({"loss": np.array([0.5, np.inf])})
    {'loss': [0.5, 'inf']}
    """
    if isinstance(value, dict):
        return {key: jsonable(entry) for key, entry in value.items()}
    if isinstance(value, (np.ndarray, np.generic)):
        value = value.tolist()
    if isinstance(value, (tuple, list)):
        return [jsonable(entry) for entry in value]
    if isinstance(value, float) and not math.isfinite(value):
        if math.isnan(value):
            raise refusal("value", value, "NaN has no place in a result", named=False)
        return "inf" if value > 0 else "-inf"
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    raise refusal("value", value, f"JSON cannot hold a {type(value).__name__}", named=False)


def _plain(value: Any) -> Any:
    if isinstance(value, Enum):
        return value.name
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: _plain(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, (np.ndarray, np.generic)):
        return _plain(value.tolist()) if value.dtype.hasobject else value.tolist()
    if isinstance(value, dict):
        return {key: _plain(entry) for key, entry in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(entry) for entry in value]
    if hasattr(value, "_mpf_"):  # its digits, which a float would not hold
        return mpmath.nstr(value, max(15, math.ceil(value._mpf_[3] * math.log10(2))))
    return value


def _pack(value: Any, arrays: dict[str, np.ndarray[Any, Any]]) -> Any:
    """Turn a value into JSON, moving arrays aside."""
    if isinstance(value, Enum):
        return {"enum": saved_name(type(value)), "name": value.name}
    if is_dataclass(value) and not isinstance(value, type):
        return {
            "class": saved_name(type(value)),
            "fields": {
                field.name: _pack(getattr(value, field.name), arrays)
                for field in fields(value)
                if field.init
            },
        }
    if isinstance(value, np.ndarray) and not value.dtype.hasobject:
        key = f"array_{len(arrays)}"
        arrays[key] = value
        return {"array": key}
    if isinstance(value, np.ndarray) and all(
        isinstance(entry, (int, float)) or hasattr(entry, "_mpf_") for entry in value.ravel()
    ):  # numbers of any length
        return {
            "objects": [_pack(entry, arrays) for entry in value.ravel()],
            "shape": list(value.shape),
        }
    if hasattr(value, "_mpf_"):  # exactly: whole number times a power of 2
        sign, mantissa, power, _ = value._mpf_
        return {"mpf": [str(-int(mantissa) if sign else int(mantissa)), int(power)]}
    if isinstance(value, tuple):
        return {"tuple": [_pack(entry, arrays) for entry in value]}
    if isinstance(value, dict):
        return {"mapping": [[key, _pack(entry, arrays)] for key, entry in value.items()]}
    if isinstance(value, np.generic):
        return value.item()
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    raise refusal(
        "value", value, f"cannot save a {type(value).__name__} without pickling it", named=False
    )


def _spelled(tree: Any) -> Any:
    """Write numbers that are not finite as words, which JSON has none for."""
    if isinstance(tree, dict):
        return {key: _spelled(entry) for key, entry in tree.items()}
    if isinstance(tree, (list, tuple)):
        return [_spelled(entry) for entry in tree]
    if isinstance(tree, float) and not math.isfinite(tree):
        return {"float": str(tree)}
    return tree


def _unpack(tree: Any, store: Any) -> Any:
    if not isinstance(tree, dict):
        return tree
    if "array" in tree:
        return store[tree["array"]]
    if "float" in tree:
        return float(tree["float"])
    if "objects" in tree:
        found = np.empty(len(tree["objects"]), dtype=object)
        found[:] = [_unpack(entry, store) for entry in tree["objects"]]
        return found.reshape(tree["shape"])
    if "mpf" in tree:
        mantissa, power = tree["mpf"]
        return mpmath.mp.make_mpf(mpmath.libmp.from_man_exp(int(mantissa), int(power)))
    if "tuple" in tree:
        return tuple(_unpack(entry, store) for entry in tree["tuple"])
    if "mapping" in tree:
        return {key: _unpack(entry, store) for key, entry in tree["mapping"]}
    if "enum" in tree:
        return saved_class(tree["enum"])[tree["name"]]
    kind = saved_class(tree["class"])
    saved = {name: _unpack(entry, store) for name, entry in tree["fields"].items()}
    if hasattr(kind, "_from_saved"):
        return kind._from_saved(saved)
    known = {field.name: field for field in fields(kind) if field.init}
    needed = [
        name
        for name, field in known.items()
        if field.default is MISSING and field.default_factory is MISSING
    ]
    for complaint, names in (
        ("has no field", [name for name in saved if name not in known]),
        ("needs the field", [name for name in needed if name not in saved]),
    ):
        if names:
            raise DataError(f"{saved_name(kind)} {complaint} {', '.join(map(repr, names))}")
    return kind(**saved)
