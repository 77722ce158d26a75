"""What is asked of a solver: the task, and arguments that are one value, a list or a range."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..errors import DomainError, unknown_name
from ..formatting import number
from ..notation import belonging
from ..reprs import short_repr
from ._grammar import MAX_ROWS, floats, to_float
from ._solvers import Solver
from ._spectrum import FILES, SHAPE, take_spectrum

_ZIPF = ("alpha", "size")
_LISTED = 10  # numbers that a title writes out
_EVERY = 10  # whole numbers of a short range that are all taken


class _Zipf(tuple[float, ...]):
    """Weights of clusters, k^-(1 + alpha)."""

    def __new__(cls, values: list[float], alpha: float) -> _Zipf:
        found = super().__new__(cls, values)
        found.alpha = alpha
        return found

    alpha: float


@short_repr
@dataclass(frozen=True)
class Request:
    """What was asked of a solver.

    Attributes
    ----------
    solver : Solver
        The function, and how to call it.
    spectrum : PowerLawSpectrum or None
        None for a solver without one.
    written : str
        How it was described, where that was in another notation than alpha and beta.
    fixed : dict
        What every call gets: words, and lists that are one value.
    one_by_one : dict of str to list
        Arguments of which each call gets one value.
    together : dict of str to list
        Arguments that one call gets as arrays.
    files : dict of str to str
        Where a measured spectrum was read from.
    """

    solver: Solver
    spectrum: Any
    written: str
    fixed: dict[str, Any]
    one_by_one: dict[str, list[float]]
    together: dict[str, list[float]]
    files: dict[str, str]

    @property
    def varied(self) -> list[str]:
        """Arguments with several values, of all that make rows."""
        axes, along = self.one_by_one | self.together, self.solver.shown.along
        return [key for key in axes if len(axes[key]) > 1] + ([along] if along else [])

    def title(self) -> str:
        """Name the solver, the task, and what does not vary."""
        task = "" if self.spectrum is None else _task(self)
        if self.written:
            task += f", from {self.written}"
        given = self.fixed | {
            key: axis[0]
            for key, axis in (self.one_by_one | self.together).items()
            if key not in self.varied
        }
        rest = ", ".join(
            f"{key} = {_given(value)}" for key, value in given.items() if key not in self.varied
        )
        head = f"{self.solver.name}: {task or rest}".removesuffix(": ")
        return f"{head}\n{rest}" if task and rest else head


def read_request(solver: Solver, given: dict[str, str], notation: str | None = None) -> Request:
    """Sort the arguments of a command by how the solver takes them."""
    name, shown, parameters = solver.name, solver.shown, dict(solver.parameters)
    shape = (*SHAPE, *FILES) if solver.has_spectrum else ()
    described = _ZIPF if solver.weights else ()
    files = {key: given[key] for key in FILES if key in given} if shape else {}
    spectrum, how = take_spectrum(solver, given, notation)
    for key in given:
        if key not in (*parameters, *described):
            known = [*parameters, *shape, *described]
            more = belonging(key) if shape and key not in shape else ""
            raise unknown_name(f"argument of {name}", key, known, more)
    zipf = {key: given.pop(key) for key in described if key in given}
    if zipf:
        weights = _zipf(
            name,
            str(solver.weights),
            {key: to_float(key, text) for key, text in zipf.items()},
            given,
        )
        parameters.pop(str(solver.weights))
    missing = [
        key for key, item in parameters.items() if item.default is item.empty and key not in given
    ]
    if missing:
        instead = f" ({solver.weights}= or alpha= and size=)" if solver.weights in missing else ""
        raise DomainError(
            f"{name} needs {', '.join(f'{key}=' for key in missing)}{instead}",
            argument=missing[0],
            value=None,
        )

    fixed: dict[str, Any] = {key: given.pop(key) for key in solver.words if key in given}
    fixed |= {key: _yes(key, given.pop(key)) for key in shown.flags if key in given}
    if "rng" in given:
        fixed["rng"] = _seed(given.pop("rng"))
    axes = {key: floats(key, text) for key, text in given.items()}
    axes |= {key: _counted(axes[key]) for key in solver.counted if ":" in given.get(key, "")}
    fixed |= {key: tuple(axes.pop(key)) for key in shown.whole if key in axes}
    if zipf:
        fixed[str(solver.weights)] = weights
    if shown.along in axes:
        fixed[shown.along] = _only(shown.along, axes.pop(shown.along))
    rows = math.prod(map(len, axes.values()))
    if rows > MAX_ROWS:
        raise DomainError(
            f"the grid has {rows} points; at most {MAX_ROWS} are computed",
            argument="values",
            value=rows,
        )
    one_by_one = {key: axis for key, axis in axes.items() if key in solver.one_by_one}
    together = {key: axis for key, axis in axes.items() if key not in one_by_one}
    return Request(solver, spectrum, how, fixed, one_by_one, together, files)


def _yes(key: str, text: str) -> bool:
    """Read yes or no."""
    known = {"true": True, "yes": True, "false": False, "no": False}
    if text.lower() not in known:
        raise DomainError(f"{key} = {text!r} must be true or false", argument=key, value=text)
    return known[text.lower()]


def _seed(text: str) -> int:
    """Read the seed of a solver that samples."""
    if not text.isdecimal():
        raise DomainError(
            f"rng = {text!r} must be a seed, one whole number >= 0", argument="rng", value=text
        )
    return int(text)


def _only(key: str, values: list[float]) -> float:
    """Return a value that must be alone."""
    if len(values) > 1:
        raise DomainError(
            f"{key} must be one number, the last one: the rows are all {key} up to it",
            argument=key,
            value=values,
        )
    return values[0]


def _counted(values: list[float]) -> list[float]:
    """Return whole numbers near those of a range, each once; all of them if a range within a decade gave its ends alone."""
    first, last = round(values[0]), round(values[-1])
    if len(values) == 2 and first < last < 10 * first and last - first < _EVERY:
        return [float(value) for value in range(first, last + 1)]
    return list(dict.fromkeys(float(round(value)) for value in values))


def _zipf(name: str, key: str, shape: dict[str, float], given: dict[str, str]) -> _Zipf:
    """Return the weights that alpha= and size= describe."""
    if key in given:
        raise DomainError(
            f"{name}: {key}= and alpha= describe the same; give one of them",
            argument=key,
            value=given[key],
        )
    if set(shape) != set(_ZIPF):
        raise DomainError(
            f"{name} needs alpha= and size= together, or {key}=", argument="alpha", value=shape
        )
    excess, size = shape["alpha"], shape["size"]
    if not 0 < excess < math.inf:
        raise DomainError(
            f"alpha = {number(excess)} must be finite and > 0", argument="alpha", value=excess
        )
    if not (1 <= size <= MAX_ROWS and size == round(size)):
        raise DomainError(
            f"size = {number(size)} must be a whole number from 1 to {MAX_ROWS}",
            argument="size",
            value=size,
        )
    return _Zipf((np.arange(1, int(size) + 1) ** -(1 + excess)).tolist(), excess)


def _task(request: Request) -> str:
    spectrum = request.spectrum
    if request.files:
        signal = request.files.get("signal", "")
        white = not signal and np.array_equal(spectrum.eigenvalues, spectrum.signal)
        found = (
            ", signal = eigenvalues (a white target)"
            if white
            else f", signal {signal}" * bool(signal)
        )
        return f"{request.files['spectrum']}, {number(spectrum.size)} modes{found}"
    return f"alpha = {number(spectrum.alpha)}, beta = {number(spectrum.beta)}, {number(spectrum.size)} modes"


def _given(value: Any) -> str:
    if isinstance(value, _Zipf):
        return f"k^-{number(1 + value.alpha)} for k = 1 to {len(value)}"
    if isinstance(value, tuple):
        return (
            ",".join(map(number, value))
            if len(value) <= _LISTED
            else f"{len(value)} numbers from {number(value[0])} to {number(value[-1])}"
        )
    return written(value)


def written(value: Any) -> str:
    """Write a number, a flag or a word as a table shows it."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return value if isinstance(value, str) else number(value)
