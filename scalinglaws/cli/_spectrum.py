"""How the command line is told a spectrum: exponents in any notation, or files."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..errors import DomainError
from ..formatting import number
from ..notation import CONVENTIONS, Convention, SourceCapacity, belonging, convention
from ._grammar import to_float
from ._solvers import Solver

SHAPE = ("alpha", "beta", "a", "b", "size")
"""Arguments that describe a power law."""
FILES = ("spectrum", "signal")
"""Arguments that name files."""


def file_first(solver: Solver, values: Sequence[str]) -> Sequence[str]:
    """Read a file that stands first, as the spectrum stands first in Python, as spectrum=FILE."""
    from ..solvers.spectrum_files import SUFFIXES

    first = values[0] if values else ""
    alone = "=" not in first and first.endswith(SUFFIXES)
    return (f"spectrum={first}", *values[1:]) if alone and solver.has_spectrum else values


def take_spectrum(solver: Solver, given: dict[str, str], notation: str | None) -> tuple[Any, str]:
    """Take the arguments that describe the spectrum; return it and, where it was written in another notation, how."""
    from ..solvers import PowerLawSpectrum

    if not solver.has_spectrum:
        if notation is not None:
            raise DomainError(
                f"{solver.name} has no spectrum that --notation could describe",
                argument="notation",
                value=notation,
            )
        return None, ""
    if files := {key: given.pop(key) for key in FILES if key in given}:
        return _measured(solver.name, files, given, notation), ""
    free = {key: text for key, text in given.items() if key not in solver.parameters}
    entry, names = _written(solver.name, free, notation)
    values = {key: to_float(key, given.pop(key)) for key in names}
    size = to_float("size", given.pop("size", "inf"))
    task = SourceCapacity.from_notation(
        entry.name, **dict(zip(entry.parameters, values.values(), strict=True))
    )
    said = ", ".join(f"{key} = {number(value)}" for key, value in values.items())
    how = "" if entry.name == "capacity" else f"{said} ({entry.name})"
    return PowerLawSpectrum(task.alpha, task.beta, size), how


def _written(
    name: str, free: dict[str, str], notation: str | None
) -> tuple[Convention, Sequence[str]]:
    """Return the notation of a spectrum, and the names in which its parameters are given."""
    if notation is not None:
        entry = convention(notation)
        if (found := entry.read(free)) is None:
            wanted = " and ".join(f"{key}=" for key in entry.parameters)
            raise DomainError(
                f"{name}: the notation {entry.name!r} needs {wanted}; got {', '.join(free) or 'neither'}",
                argument="notation",
                value=notation,
            )
        if rest := [key for key in free if key in SHAPE and key not in (*found, "size")]:
            raise DomainError(
                f"{name}: {', '.join(f'{key}=' for key in rest)} is not of the notation {entry.name!r}, which takes "
                f"{' and '.join(f'{key}=' for key in entry.parameters)}",
                argument="notation",
                value=notation,
            )
        return entry, list(found)
    for entry in CONVENTIONS.values():
        for names in (entry.parameters, entry.symbols):
            if set(names) <= set(free):
                return entry, names
    own = [key for key in free if key != "size"]
    got = ", ".join(own) or "neither"
    more = "".join(f"; {text}" for text in map(belonging, own) if text)
    raise DomainError(
        f"{name} needs a spectrum: alpha= and beta=, or a= and b=, or as --notation says, or spectrum=FILE; got {got}{more}",
        argument="alpha",
        value=free,
    )


def _measured(name: str, files: dict[str, str], given: dict[str, str], notation: str | None) -> Any:
    """Read a spectrum from files."""
    from ..solvers.spectrum_files import SUFFIXES, load_spectrum

    if "spectrum" not in files:
        raise DomainError(
            "signal= goes with spectrum=, a file of eigenvalues",
            argument="signal",
            value=files["signal"],
        )
    other = [f"{key}=" for key in SHAPE if key in given]
    other += ["--notation"] if notation is not None else []
    if other:
        raise DomainError(
            f"{name}: spectrum= and {', '.join(other)} describe the same; give one of them",
            argument="spectrum",
            value=files["spectrum"],
        )
    for key, text in files.items():
        if not text.endswith(SUFFIXES):
            raise DomainError(
                f"{key} = {text!r} must be a file ({', '.join(SUFFIXES)}); a power law is alpha= and beta=",
                argument=key,
                value=text,
            )
    return load_spectrum(files["spectrum"], files.get("signal"))
