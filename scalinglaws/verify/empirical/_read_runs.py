"""Reading people's runs."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from importlib.resources import files
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...arguments import choice, instance, several, text
from ...errors import DataError, brief, refusal
from ._coded_warnings import CodedWarning, listed
from ._run_checks import (
    UNITS,
    Places,
    check_loss,
    check_positive,
    check_units,
    compute_of,
    compute_rule,
    doubts,
    loss_in_nats,
)
from ._run_columns import RANKS, choose_columns, counts_of, resolved
from ._run_rows import chosen_rows, read_cells, rows_rule, runs_of, without_duplicates
from ._run_tables import RunSource, RunTable, read_table
from ._runs import Runs

Array = NDArray[np.float64]

COUNTS = ("total", "non-embedding")
SCHEDULES = ("constant",)
EXAMPLES = ("gadre", "synthetic")


def read_runs(
    source: RunSource,
    columns: Mapping[str, str | None] | None = None,
    counts: str | None = None,
    rows: str = "last",
    run: str | None = None,
    group: str | None = None,
    where: Mapping[str, Any] | None = None,
    compute: str | None = None,
    loss_unit: str | None = None,
    variables: Sequence[str] = (),
    unique: str | None = None,
    schedule: str | None = None,
) -> Runs:
    r"""Read training runs: parameters N, tokens D, compute C and final loss L of each.

    Columns are recognized by their names; what was chosen is kept, and printed by `Runs.summary`. Missing ones are derived:
    :math:`C = 6 N D`, and N or D from C, or D from epochs and unique tokens.

    Parameters
    ----------
    source : str, Path, mapping or data frame
        ``.csv``, ``.tsv``, ``.json`` (records), ``.jsonl``, each also as ``.gz``, ``.parquet``; ``"-"`` for standard input; a data frame
        (NaN is an empty cell); or a dictionary of arrays. Nested keys are joined by ``/``, and the prefixes ``config.`` and
        ``summary.`` of trackers may be left out where that is unique. Cells may be written as 350M or 1.4T.
    columns : mapping of str to str or None, optional
        Quantity -> column, for what is not recognized: N, D, C, loss, run, group, unique_tokens, epochs, lr, step, seed, status,
        planned_steps; None for a column that is not to be taken.
    counts : str, optional
        Whether N is ``"total"`` or ``"non-embedding"``; exponents of small models depend on it.
    rows : str
        What is taken of a run with many rows: ``"last"`` loss, the mean of the ``"last:20"``, or ``"all"``. Losses in empty cells
        are passed over; a run whose last loss is not finite diverged, and is left out. All rows are losses of finished runs only at a
        constant learning rate.
    run, group : str, optional
        Columns with the name of the run, and with its recipe or data set; the same as in `columns`.
    where : mapping, optional
        Column -> value, or several values: the rows that are read.
    compute : str, optional
        ``"6*N*D"``, or another number times N D: a column of compute is left out; ``"given"``: it is taken as it stands. By default
        it is compared with 6 N D.
    loss_unit : str, optional
        ``"nats"`` (default) or ``"bits"`` a token, ``"perplexity"``, both turned into nats, or ``"bits/byte"``, which are kept.
    variables : sequence of str
        Further columns of numbers to keep, in `Runs.variables`: for laws in shares of a mixture, bits, experts.
    unique : str, optional
        Column with the number of unique tokens of each run, of which D may be more: ``unique_tokens`` in `columns`.
    schedule : str, optional
        ``"constant"``: the learning rate was, where no column says so, and losses within a run are as good as last ones.

    Returns
    -------
    Runs
        In the order of the table. `Runs.warnings` holds what is doubtful; nothing is printed.

    Raises
    ------
    DataError
        If the table cannot be read, or cannot be right: an empty, non-positive or infinite cell, N in millions, C off 6 N D in some rows,
        accuracies, perplexities, bits; the message names the row (counted from 1 below the names), the value and the cure.
    DomainError
        If an argument is not allowed.
    ResourceError
        If the table would not fit into the memory budget.

    Notes
    -----
    Time and memory grow with the number of cells: a million rows of ten columns take 2 to 5 seconds from arrays, 17 from text.

    Examples
    --------
    >>> runs = read_runs({"params": ["70M", "160M", "410M"], "tokens": ["2B"] * 3, "loss": [3.6, 3.2, 2.9]}, counts="total")
    >>> runs.N, runs.cost, [warning.code for warning in runs.warnings]
    (array([7.0e+07, 1.6e+08, 4.1e+08]), 6.0, ['W-one-token-count'])
    """
    if counts is not None:
        counts = choice("counts", counts, COUNTS)
    if loss_unit is not None:
        loss_unit = choice("loss_unit", loss_unit, UNITS)
    if schedule is not None:
        choice("schedule", schedule, SCHEDULES)
    rule = rows_rule(rows)
    cost_rule = compute_rule(compute)
    named = _named(columns, run, group, unique)
    table = read_table(source)
    chosen = choose_columns(table, named, counts)
    if cost_rule[0] == "derived" and "N" in chosen and "D" in chosen:
        chosen.pop("C", None)
    _check_enough(table, chosen)
    if cost_rule[0] == "given" and "C" not in chosen:
        raise refusal("compute", compute, f"needs a column of compute; there are {_columns(table)}")
    own = _own_columns(table, variables)
    counts = counts_of(table, chosen, counts)
    kept, notes = without_duplicates(table, chosen_rows(table, where))
    needed = {"N", "D", "C", "loss", *named, *own}
    if "D" not in chosen and "C" not in chosen:
        needed |= {"epochs", "unique_tokens"}
    cells = read_cells(table, chosen | own, needed)
    chosen = {
        name: column
        for name, column in chosen.items()
        if name in cells.numbers or name in cells.labels
    }
    found = runs_of(cells, kept, rule, schedule is not None)
    notes = [*cells.left_out, *notes]
    notes += [CodedWarning(code, listed(named)) for code, named in found.notes.items()]
    if "step" in chosen and "run" not in chosen and len(kept) > 1:
        notes.append(CodedWarning("W-rows-as-runs", f"{len(kept)} rows, steps in {chosen['step']}"))
    if not found.rows:
        why = listed([f"{name} ({reason})" for name, reason in found.dropped])
        raise DataError(f"{table.name}: no run is left: {why or 'no row has a loss'}")

    values = {name: np.array(held) for name, held in found.values.items()}
    places = Places(table.name, found.rows, found.labels["name"])
    loss, unit = loss_in_nats(places, chosen["loss"], np.array(found.loss), loss_unit)
    for name in ("N", "D", "C", "unique_tokens", "epochs"):
        if name in values and name in needed:
            check_positive(places, chosen[name], values[name])
    N, D, C = _completed(values, cost_rule[1])
    check_loss(places, chosen["loss"], loss, C, loss_unit)
    cost, words = cost_rule[1], _product(cost_rule[1])
    if "C" not in chosen:
        check_units(places, chosen, N, D)
        words += " (no column for it)" if cost_rule[0] == "" else ""
    elif "N" in chosen and "D" in chosen:
        cost, words, more = compute_of(places, chosen, N, D, C, cost_rule)
        notes += more
    else:
        check_units(places, chosen, N, D)
        words = chosen["C"]
    groups = found.labels.get("group")
    notes += doubts(chosen, counts, groups or [], "group" in named, N, D)
    others = [values[name] for name in ("unique_tokens", *own) if name in values]
    sd, degrees = None, 0
    if rule[0] == "last":
        sd, degrees = _seed_spread([N, D, *others], loss, found.labels)
    order = list(dict.fromkeys(note.code for note in notes))
    return Runs(
        N=N,
        D=D,
        C=C,
        loss=loss,
        run=np.array(found.labels["name"]),
        row=np.array(found.rows, dtype=np.int64) + 1,
        group=None if groups is None else np.array(groups),
        unique_tokens=values.get("unique_tokens"),
        epochs=values.get("epochs"),
        lr=values.get("lr"),
        step=values.get("step"),
        seed=np.array(found.labels["seed"]) if "seed" in found.labels else None,
        source=table.name,
        sha256=table.sha256,
        columns=chosen,
        counts=counts,
        loss_unit=unit,
        cost=cost,
        compute=words,
        rows=rows,
        rows_read=table.rows,
        where="" if where is None else ", ".join(f"{k} = {v}" for k, v in where.items()),
        dropped=tuple(found.dropped),
        warnings=tuple(note for code in order for note in notes if note.code == code),
        seed_sd=sd,
        seed_degrees=degrees,
        variables={name[1:]: values[name] for name in own},
    )


def example_runs(name: str = "gadre", **options: Any) -> Runs:
    r"""Read runs that come with the package.

    Parameters
    ----------
    name : str
        ``"gadre"``: 104 runs on three data sets, many of them over-trained; facts from a repository under the MIT licence,
        whose notice stands beside the file. ``"synthetic"``: 60 runs of
        :math:`L = 1.8172 + 482.01 N^{-0.3478} + 2085.43 D^{-0.3658}` with noise of 0.25 %, ten sizes within a factor 6 of the
        best at each of six budgets.
    **options
        As `read_runs` takes them.

    Returns
    -------
    Runs
        As `read_runs` returns them.

    References
    ----------
    .. [1] S. Y. Gadre et al., *Language models scale reliably with over-training and on downstream tasks*, arXiv:2403.08540 (2024).

    Examples
    --------
    >>> example_runs("gadre", where={"dataset": "rpj"})
    <Runs gadre_runs.csv: 35 runs>
    """
    name = choice("name", name, EXAMPLES)
    if "source" in options:
        raise refusal("source", options["source"], "is the example itself; use read_runs")
    try:
        return read_runs(str(files(__package__) / "data" / f"{name}_runs.csv"), **options)
    except TypeError as failure:
        raise refusal("options", options, f"are those of read_runs: {failure}") from None


def _named(
    columns: Any, run: str | None, group: str | None, unique: str | None
) -> dict[str, str | None]:
    """Put together what the caller says of columns."""
    if columns is not None:
        instance("columns", columns, Mapping)
    named = dict(columns or {})
    for quantity, column in (("run", run), ("group", group), ("unique_tokens", unique)):
        if column is not None:
            text("unique" if quantity == "unique_tokens" else quantity, column)
            other = named.get(quantity, column)
            if not (isinstance(other, str) and other == column):
                complaint = f"contradicts columns={{{quantity!r}: {brief(other)}}}"
                raise refusal(quantity, column, complaint)
            named[quantity] = column
    return named


def _own_columns(table: RunTable, variables: Any) -> dict[str, str]:
    """Return the columns that a person wants kept, each under a name that is no quantity's."""
    return {f"\0{name}": resolved(table, name) for name in several("variables", variables, str)}


def _check_enough(table: RunTable, chosen: Mapping[str, str]) -> None:
    """Refuse a table without losses, or with less than two of N, D and C."""
    lacking = [name for name in ("N", "D", "loss") if name not in chosen]
    derived = ("N", "C") if "N" in chosen else ("D", "C")
    if "loss" not in lacking and (not lacking or all(name in chosen for name in derived)):
        return
    if lacking == ["D"] and "epochs" in chosen and "unique_tokens" in chosen:
        return
    name = "loss" if "loss" in lacking else lacking[0]
    known = ", ".join(RANKS[name][0] if name != "loss" else ("eval/loss", "val_loss", "loss"))
    raise DataError(
        f"{table.name}: no column for {name} ({known}); name it: columns={{{name!r}: ...}}; there are {_columns(table)}"
    )


def _columns(table: RunTable) -> str:
    names = list(table.columns)
    return ", ".join(names[:20]) + (f" and {len(names) - 20} more" if len(names) > 20 else "")


def _completed(values: dict[str, Array], cost: float) -> tuple[Array, Array, Array]:
    """Derive what of N, D and C has no column, and unique tokens from epochs."""
    if "D" not in values and "C" in values and "N" in values:
        values["D"] = values["C"] / (cost * values["N"])
    if "D" not in values:
        values["D"] = values["epochs"] * values["unique_tokens"]
    if "N" not in values:
        values["N"] = values["C"] / (cost * values["D"])
    if "epochs" in values and "unique_tokens" not in values:
        seen = values["epochs"] > 0
        values["unique_tokens"] = np.where(
            seen, values["D"] / np.where(seen, values["epochs"], 1.0), np.nan
        )
    N, D = values["N"], values["D"]
    return N, D, values["C"] if "C" in values else cost * N * D


def _product(cost: float) -> str:
    return f"{cost:g} N D"


def _seed_spread(
    columns: Sequence[Array], loss: Array, labels: Mapping[str, list[str]]
) -> tuple[float | None, int]:
    """Pool the variance of ln L among runs that differ in nothing but their seeds."""
    groups = labels.get("group") or [""] * len(loss)
    alike: dict[tuple[Any, ...], list[float]] = defaultdict(list)
    keys = zip(groups, *(column.tolist() for column in columns), strict=True)
    for key, value in zip(keys, np.log(loss).tolist(), strict=True):
        alike[key].append(value)
    squares = sum(float(np.sum((np.array(v) - np.mean(v)) ** 2)) for v in alike.values())
    degrees = sum(len(values) - 1 for values in alike.values())
    return (float(np.sqrt(squares / degrees)), degrees) if degrees else (None, 0)
