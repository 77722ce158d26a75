"""Which column is what: names that people and trackers of experiments give, by rank."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...arguments import instance
from ...errors import DataError, brief, refusal, unknown_name
from ...formatting import visible
from ...parsing import spelled_number
from ._run_tables import RunTable

Array = NDArray[np.float64]

_WITHOUT_EMBEDDING = (
    "params_non_embedding",
    "non_embedding_params",
    "n_params_non_embedding",
    "params_no_embed",
)
RANKS: dict[str, tuple[tuple[str, ...], ...]] = {
    "N": (
        ("N", "params", "n_params", "num_params", "parameters", "model_size"),
        _WITHOUT_EMBEDDING,
    ),
    "D": (("D", "tokens", "n_tokens", "train_tokens"),),
    "C": (("C", "flops", "compute", "training_flop"),),
    "loss": (
        ("eval_loss",),
        ("val_loss", "validation_loss"),
        ("final_loss",),
        ("loss",),
        ("L",),
        ("loss_*",),
    ),
    "run": (("run_id",), ("run",), ("run_name",), ("id",), ("name",)),
    "group": (("recipe",), ("dataset",)),
    "unique_tokens": (("unique_tokens", "tokens_unique", "n_unique_tokens"), ("U",)),
    "epochs": (("epochs",), ("epoch",)),
    "lr": (("lr",), ("learning_rate",)),
    "step": (("step",), ("_step",)),
    "seed": (("seed",),),
    "status": (("status",), ("state",)),
    "planned_steps": (("total_steps",), ("max_steps",)),
}
"""Names of columns by quantity, the better ranks first. Blanks, points, dashes and slashes count as ``_``, capitals as small
letters, except in names of one letter."""

_LETTERS = {"N": "N", "D": "D", "unique_tokens": "U", "C": "C"}

LABELS = ("run", "group", "seed", "status")
"""Quantities that are names, not numbers."""

_PREFIX = re.compile(r"(?:config|summary)[./]")


def canonical(name: str) -> str:
    """Write the name of a column as `RANKS` does.

    Examples
    --------
    >>> canonical("eval/loss"), canonical("Training FLOP"), canonical("N")
    ('eval_loss', 'training_flop', 'N')
    """
    name = name.strip()
    return name if len(name) == 1 else re.sub(r"[\s./\-]+", "_", name.lower())


def letter_of(name: str) -> str:
    """Return the letter that a name of parameters, tokens, unique tokens or compute stands for in laws; any other name as it is.

    Examples
    --------
    >>> letter_of("params"), letter_of("D"), letter_of("unique_tokens"), letter_of("bits")
    ('N', 'D', 'U', 'bits')
    """
    for quantity, letter in _LETTERS.items():
        if any(canonical(name) in rank for rank in RANKS[quantity]):
            return letter
    return name


def name_of(letter: str) -> str:
    """Return the name that may be given in place of a letter of laws; the letter itself, if there is none.

    Examples
    --------
    >>> name_of("N"), name_of("U"), name_of("bits")
    ('params', 'unique_tokens', 'bits')
    """
    for quantity, own in _LETTERS.items():
        if own == letter:
            return next(entry for entry in RANKS[quantity][0] if entry != letter)
    return letter


def aliases(names: list[str]) -> dict[str, str]:
    """Return each column under its name, and without the prefix of a tracker where that is nobody else's name.

    Examples
    --------
    >>> aliases(["config.params", "summary/loss", "config/loss"])["params"]
    'config.params'
    """
    found = {name: name for name in names}
    bare = {name: _PREFIX.sub("", name, count=1) if _PREFIX.match(name) else name for name in names}
    often = Counter(bare.values())
    for name, short in bare.items():
        if often[short] == 1:
            found.setdefault(short, name)
    return found


def choose_columns(
    table: RunTable, given: Mapping[str, str | None] | None, counts: str | None
) -> dict[str, str]:
    """Choose a column for each quantity that there is one for.

    Parameters
    ----------
    table : RunTable
        Its columns.
    given : mapping of str to str or None, optional
        Quantity -> column; None for a quantity of which no column is to be taken.
    counts : str, optional
        ``"non-embedding"`` prefers such counts of parameters.

    Returns
    -------
    dict of str to str
        Quantity -> column of the table.

    Raises
    ------
    DataError
        If two columns of one rank could be meant; the message lists them.
    DomainError
        If a quantity or a column is unknown.

    Examples
    --------
    >>> from ._run_tables import read_table
    >>> choose_columns(read_table({"Model Size": [1e8], "val_loss": [3.0], "loss": [2.9]}), None, None)
    {'N': 'Model Size', 'loss': 'val_loss'}
    """
    known = aliases(list(table.columns))
    chosen: dict[str, str] = {}
    given = {} if given is None else given
    instance("columns", given, Mapping)
    for quantity in given:
        if quantity not in RANKS:
            raise unknown_name("quantity", quantity, RANKS)
    for quantity, ranks in RANKS.items():
        if quantity in given:
            name = given[quantity]
            if name is not None:
                chosen[quantity] = resolved(table, name)
            continue
        if quantity == "N" and counts == "non-embedding":
            ranks = ranks[::-1]
        found = _best(quantity, ranks, known, table.name)
        if found is not None:
            chosen[quantity] = found
    return chosen


def resolved(table: RunTable, name: Any) -> str:
    """Return the column of that name, with or without a tracker's prefix."""
    known = aliases(list(table.columns))
    if not isinstance(name, str) or name not in known:
        raise unknown_name(f"column of {table.name}", name, known)
    return known[name]


def _best(
    quantity: str, ranks: tuple[tuple[str, ...], ...], known: dict[str, str], where: str
) -> str | None:
    for rank in ranks:
        found = {
            column
            for alias, column in known.items()
            if canonical(alias) in rank
            or ("loss_*" in rank and canonical(alias).startswith("loss_"))
        }
        if len(found) > 1:
            names = sorted(found)
            raise DataError(
                f"{where}: several columns could be {quantity}: {', '.join(names)}; choose one: "
                f"columns={{{quantity!r}: {names[0]!r}}}"
            )
        if found:
            return found.pop()
    return None


def counts_of(table: RunTable, chosen: Mapping[str, str], counts: str | None) -> str:
    """Tell what N counts: ``total``, ``non-embedding``, or an empty text where nothing says so."""
    known = aliases(list(table.columns))
    bare = {column: canonical(alias) for alias, column in known.items()}
    lacks = {column for column, name in bare.items() if name in _WITHOUT_EMBEDDING}
    own = chosen.get("N")
    if own in lacks:
        if counts == "total":
            raise refusal(
                "counts", counts, f"does not go with the column {own}, which leaves embeddings out"
            )
        return "non-embedding"
    return counts or ("total" if own is not None and lacks else "")


def as_number(cell: Any) -> float | None:
    """Read a cell: a number, perhaps with K, M, B (or G) or T for thousands to trillions; None if it is none.

    Examples
    --------
    >>> as_number("1.3B"), as_number("350 m"), as_number(7), as_number("nan"), as_number("x")
    (1300000000.0, 350000000.0, 7.0, nan, None)
    """
    if isinstance(cell, (bool, np.bool_)):
        return None
    try:
        return float(cell)
    except OverflowError:
        return float("inf")
    except (TypeError, ValueError):
        pass
    written = re.sub(r"\s+(?=[A-Za-z]$)", "", str(cell).strip())
    spelled = spelled_number(written)
    return float(spelled) if spelled != written else None


def numbers_of(table: RunTable, column: str) -> tuple[Array, NDArray[np.bool_]]:
    """Return a column as floats, NaN for empty cells, and which cells are empty.

    Raises
    ------
    DataError
        If a cell is no number; the message names the row, counted from 1, and its value.
    """
    cells = table.columns[column]
    if cells.dtype.kind in "iuf":
        return cells.astype(float), np.zeros(len(cells), dtype=bool)
    empty = np.array([cell is None for cell in cells.tolist()])
    values = np.full(len(cells), np.nan)
    for row, cell in enumerate(cells.tolist()):
        if cell is None:
            continue
        value = as_number(cell)
        if value is None:
            raise DataError(
                f"{table.name}, row {row + 1}: {column} = {brief(cell)} is no number; {_cure(cell)}",
                row=row,
            )
        values[row] = value
    return values, empty


def _cure(cell: Any) -> str:
    """Say how a number is to be written; a comma may separate decimals or thousands, which nothing here can tell.

    Examples
    --------
    >>> _cure("3,16")
    'write decimals as 3.16, and thousands without commas'
    >>> _cure("1 000")
    'write it without blanks or points between thousands'
    """
    written = str(cell).strip()
    if re.fullmatch(r"[\d.,'\s]*,[\d.,'\s]*(?:[eE][+-]?\d+)?\s*[KMBTkmbt]?", written):
        return "write decimals as 3.16, and thousands without commas"
    if re.fullmatch(r"\d{1,3}(?:[.'\s]\d{3})+\s*[KMBTkmbt]?", written):
        return "write it without blanks or points between thousands"
    share = re.fullmatch(r"([+-]?\d+\.?\d*)\s*%", written)
    if share:
        value = float(share[1])
        return f"write {value / 100:g}, or {value:g} if that is the unit, without the sign"
    return "write 350M, 3.5e8 or 350000000"


def labels_of(table: RunTable, column: str) -> list[str]:
    """Return a column as names, an empty text for empty cells; whole numbers are written without a point."""
    found = []
    for cell in table.columns[column].tolist():
        whole = isinstance(cell, float) and cell.is_integer() and abs(cell) < 1e15
        found.append("" if cell is None else visible(str(int(cell) if whole else cell)))
    return found
