"""Reading runs and fits for commands: the options that say how a table is read, and what stands in place of one."""

from __future__ import annotations

import math
import re
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, fields
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
from cyclopts import Parameter

from ..errors import DataError, DomainError, refusal, unknown_name
from ..reprs import short_repr

if TYPE_CHECKING:
    from ..verify.empirical import CodedWarning, Fit, Runs


def no_option(kind: Any, value: str) -> None:
    """Refuse an option that nobody knows where a file is expected."""
    if value.startswith("-") and value != "-":
        raise ValueError(f"unknown option {value}")


Source = Annotated[str, Parameter(allow_leading_hyphen=True, validator=no_option)]
"""The first argument of a command: a file, ``-`` for standard input, or a name."""

EXAMPLES = ("gadre", "synthetic")
"""Runs that come with the package, by name."""

_AUTO = "auto"
_OPTIONS = {
    "columns": "--columns",
    "where": "--where",
    "run": "--columns run",
    "group": "--group",
    "rows": "--rows",
    "counts": "--counts",
    "loss_unit": "--loss-unit",
    "compute": "--flops",
    "unique": "--unique",
    "chance": "--chance",
    "ceiling": "--ceiling",
    "items": "--items",
    "schedule": "--schedule",
}


@Parameter(name="*")
@short_repr
@dataclass(frozen=True)
class RunOptions:
    """How a table of runs is read; `read_runs` and `read_fit` take the fields as keywords.

    Attributes
    ----------
    columns : str
        Quantities and their columns, where names say too little: N=params,D=tokens,loss=eval/loss; "run=" takes none for it.
    where : tuple of str
        Rows to read: status=finished, or dataset=c4,rpj for several values. May be repeated.
    rows : str
        Of a run with many rows: its last loss, the mean of its last:20, or all.
    counts : str
        What N counts: total or non-embedding.
    loss_unit : str
        Of losses: nats, bits (a token), bits/byte, perplexity.
    flops : str
        What C is: "6*N*D" with another number perhaps, or given, as the column says.
    unique : str
        Column with the number of unique tokens, for the law of repetition.
    schedule : str
        constant: the learning rate was, where no column says so, so that all rows of a run count.
    """

    columns: Annotated[str | None, Parameter(name="--columns")] = None
    where: Annotated[tuple[str, ...], Parameter(name="--where", negative="")] = ()
    rows: Annotated[str, Parameter(name="--rows")] = "last"
    counts: Annotated[str | None, Parameter(name="--counts")] = None
    loss_unit: Annotated[str | None, Parameter(name="--loss-unit")] = None
    flops: Annotated[str | None, Parameter(name="--flops")] = None
    unique: Annotated[str | None, Parameter(name="--unique")] = None
    schedule: Annotated[str | None, Parameter(name="--schedule")] = None

    def given(self) -> dict[str, Any]:
        """Return the options as keywords."""
        return {entry.name: getattr(self, entry.name) for entry in fields(self)}


def read_runs(
    argument: str,
    *,
    columns: str | None = None,
    where: Sequence[str] = (),
    rows: str = "last",
    group: str | None = None,
    counts: str | None = None,
    loss_unit: str | None = None,
    flops: str | None = None,
    unique: str | None = None,
    schedule: str | None = None,
) -> Runs:
    """Read a table of runs: a file, ``-`` for standard input, or an example by name unless a file has that name."""
    from ..verify import empirical

    options: dict[str, Any] = {
        "columns": chosen_columns(columns),
        "where": chosen_values(where),
        "rows": rows,
        "group": group,
        "counts": counts,
        "loss_unit": loss_unit,
        "compute": flops,
        "unique": unique,
        "schedule": schedule,
    }
    with in_options():
        if argument in EXAMPLES and not Path(argument).exists():
            return empirical.example_runs(argument, **options)
        _near(argument, EXAMPLES)
        return empirical.read_runs(argument, **options)


def _near(argument: str, names: Sequence[str]) -> None:
    """Refuse what is no file, and nearly a name."""
    known = argument == "-" or argument in names or Path(argument).exists()
    if not known and get_close_matches(argument, names):
        raise unknown_name("file or name", argument, names)


def read_fit(
    argument: str,
    *,
    law: str = _AUTO,
    delta: float | None = None,
    envelope: float | None = None,
    bootstrap: int = 4000,
    seed: int = 0,
    **reading: Any,
) -> Fit:
    """Return the fit that an argument of a command names.

    Parameters
    ----------
    argument : str
        A table of runs as `read_runs` takes it, a fit that was saved (.json, .npz), or ``hoffmann`` or ``besiroglu``, whose constants are
        known. A file of a name comes first.
    law : str
        As `empirical.fit` takes it; of a saved fit, one of its laws.
    delta, envelope, bootstrap, seed
        As `empirical.fit` takes them.
    **reading
        As `read_runs` takes it.

    Returns
    -------
    Fit
        Of the runs, or as it was saved or published.
    """
    from ..verify import empirical
    from ..verify.empirical.fits._fit import PUBLISHED

    told = {"delta": delta, "envelope": envelope} | {
        name: value
        for name, value in reading.items()
        if value not in (None, ()) and (name, value) != ("rows", "last")
    }
    known: Fit | None = None
    if argument in PUBLISHED and not Path(argument).exists():
        known = empirical.from_parameters(argument)
    elif is_saved_fit(argument):
        known = empirical.Fit.load(argument)
    if known is None:
        _near(argument, (*EXAMPLES, *PUBLISHED))
        runs = read_runs(argument, **reading)
        with in_options():
            return empirical.fit(
                law, runs, delta=delta, envelope=envelope, bootstrap=bootstrap, rng=seed
            )
    for name, value in told.items():
        if value is not None:
            raise refusal(
                name, value, f"says how runs are read or fitted; {argument} is a fit already"
            )
    if law in (_AUTO, known.law):
        return known
    if law not in known.laws:
        raise refusal("law", law, f"must be one of {', '.join((known.law, *known.laws))}")
    other: Fit = known.laws[law]
    return other


def is_saved_fit(argument: str) -> bool:
    """Tell whether a file holds a saved result, not a table."""
    path = Path(argument)
    try:
        if path.suffix == ".npz":
            with zipfile.ZipFile(path) as parts:
                return "header.npy" in parts.namelist()
        if path.suffix == ".json":
            with path.open("rb") as stream:
                return (
                    re.match(rb'(?:\xef\xbb\xbf)?\s*\{\s*"format"\s*:', stream.read(100))
                    is not None
                )
    except (OSError, zipfile.BadZipFile):
        pass  # whoever reads the file says what is wrong with it
    return False


def chosen_columns(given: str | None) -> dict[str, str | None] | None:
    """Read ``N=params,loss=eval/loss``: quantity -> column; nothing behind the sign is no column.

    Examples
    --------
    >>> chosen_columns("N=params,loss=eval/loss,run=")
    {'N': 'params', 'loss': 'eval/loss', 'run': None}
    """
    if given is None:
        return None
    found: dict[str, str | None] = {}
    for part in given.split(","):
        quantity, sign, column = (piece.strip() for piece in part.partition("="))
        if not sign or not quantity:
            raise refusal("columns", given, "must be pairs, as in N=params,loss=eval/loss")
        if quantity in found:
            raise refusal("columns", given, f"names {quantity} twice")
        found[quantity] = column or None
    return found


def chosen_values(given: Sequence[str]) -> dict[str, list[str]] | None:
    """Read ``status=finished``, or ``dataset=c4,rpj`` for several values: column -> values.

    Examples
    --------
    >>> chosen_values(["status=finished", "dataset=c4,rpj"])
    {'status': ['finished'], 'dataset': ['c4', 'rpj']}
    """
    found: dict[str, list[str]] = {}
    for condition in given:
        name = ""
        for part in condition.split(","):
            column, sign, value = part.partition("=")
            name = column.strip() if sign else name
            if not name:
                raise refusal("where", condition, "must be column=value")
            found.setdefault(name, []).append((value if sign else part).strip())
    return found or None


def positive_numbers(name: str, given: str) -> list[float]:
    """Read ``1e21,1e22``, or ``1e22:1e25:7`` for a logarithmic range, of positive finite numbers."""
    from ..arguments import number
    from ._grammar import floats

    return [number(name, value, low=0, strict=True) for value in floats(name, given)]


@contextmanager
def in_options() -> Iterator[None]:
    """Let errors name options of commands where they name arguments of functions."""
    try:
        yield
    except (DataError, DomainError) as failure:
        said = as_options(str(failure))
        if said.startswith("compute = '"):  # how it is computed, in words
            said = said.replace("compute", _OPTIONS["compute"], 1)
        if said == str(failure):
            raise
        raise type(failure)(said) from failure


def as_options(text: str) -> str:
    """Write options of commands for arguments of functions.

    Examples
    --------
    >>> as_options("say loss_unit='bits', or name it with columns={'loss': ...} or where=")
    'say --loss-unit bits, or name it with --columns loss=... or --where'
    """
    text = re.sub(
        r"\b(columns|where)=\{'([^']*)': (?:'([^']*)'|(None)|(\.\.\.))\}",
        lambda found: f"--{found[1]} {found[2]}={found[3] or found[5] or ''}",
        text,
    )
    names = "|".join(_OPTIONS)
    text = re.sub(
        rf"\b({names})='([^']*)'",
        lambda found: f"{_OPTIONS[found[1]]}{_between(found[1])}{_quoted(found[2])}",
        text,
    )
    return re.sub(rf"\b({names})=(?=[\s,;.)]|$)", lambda found: _OPTIONS[found[1]], text)


def option(name: str) -> str:
    """Write an argument of a function as an option of a command.

    Examples
    --------
    >>> option("max_params")
    '--max-params'
    """
    return f"--{name.replace('_', '-')}"


def with_options(
    failure: DomainError, first: Sequence[str], anywhere: Sequence[str] = ()
) -> DomainError:
    """Name options in place of the argument with which a message begins, and of others anywhere in it."""
    said = str(failure)
    for name in first:
        if said.startswith((f"{name} ", f"{name}[")):
            said = said.replace(name, option(name), 1)
            break
    for name in anywhere:
        said = said.replace(f" {name}", f" {option(name)}")
    return DomainError(said, argument=failure.argument, value=failure.value)


def _between(name: str) -> str:
    return "=" if name == "run" else " "


def _quoted(value: str) -> str:
    return value if re.fullmatch(r"[\w./:+-]+", value) else f"'{value}'"


def warning_lines(warnings: Sequence[CodedWarning], verbose: bool = False) -> list[str]:
    """Write warnings as lines, as `_coded_warnings.warning_lines` does, in the words of commands."""
    from ..verify.empirical._coded_warnings import warning_lines

    return [as_options(line) for line in warning_lines(warnings, verbose)]


def cut(line: str) -> str:
    """Cut a line to the columns of a terminal."""
    from ..verify.empirical.fits._report_tables import COLUMNS

    return line if len(line) <= COLUMNS else line[: COLUMNS - 3] + "..."


def plain_json(value: Any) -> Any:
    """Return what JSON can hold: NaN becomes null, infinity a word.

    Examples
    --------
    >>> plain_json({"loss": (1.5, math.nan, math.inf)})
    {'loss': [1.5, None, 'inf']}
    """
    if isinstance(value, Mapping):
        return {str(key): plain_json(entry) for key, entry in value.items()}
    if isinstance(value, (list, tuple, np.ndarray)):
        return [plain_json(entry) for entry in value]
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float) and not math.isfinite(value):
        return None if math.isnan(value) else str(value)
    return value
