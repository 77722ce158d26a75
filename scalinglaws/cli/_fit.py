"""The command that fits laws to people's runs."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from ..errors import DataError, refusal
from ._app import Json, Whole, app
from ._formats import Answer, check_suffix, emit, wrote
from ._runs import (
    RunOptions,
    all_warnings,
    as_options,
    is_saved_fit,
    plain_json,
    positive_numbers,
    read_fit,
    read_runs,
)

if TYPE_CHECKING:
    from ..verify.empirical import CodedWarning, Fit

_SAVED = (".json", ".npz")
_FLAG = Parameter(negative=())


@app.command
def fit(
    file: str,
    /,
    *,
    law: str = "auto",
    reading: RunOptions = RunOptions(),  # noqa: B008  # frozen
    group: str | None = None,
    bootstrap: Whole = 4000,
    holdout: str = "rolling",
    envelope: float | None = None,
    delta: float | None = None,
    compute: str | None = None,
    seed: Whole = 0,
    save: Path | None = None,
    html: Annotated[Path | None, Parameter(name="--html")] = None,
    json: Json = False,
    verbose: Annotated[bool, _FLAG] = False,
    strict: Annotated[bool, _FLAG] = False,
) -> int:
    """Fit laws to training runs: parameters with intervals, errors of forecasts, the best model size for a compute.

    Parameters
    ----------
    file : str
        A table of runs (.csv, .tsv, .json, .jsonl, .parquet, packed as .gz; - for standard input), a fit that was saved, or an
        example: synthetic, gadre.
    law : str
        A law (surface, surface_power, power_offset, ...) or an expression in N, D, C; auto fits surface, and from 30 runs and 4
        budgets on surface_power beside it. Several, as a,b,c, are compared.
    group : str
        Column with the recipe, of which each is fitted.
    bootstrap : int
        Fits to resampled runs, for the intervals; 0 for none.
    holdout : str
        How several laws are compared: rolling (later budgets from earlier ones) or last-budget.
    envelope : float
        Weight of runs above the law, in (0, 1]: 0.3 for runs that are worse than need be.
    delta : float
        Threshold of the Huber loss in ln L; 1e-3 as in the literature, inf for least squares. By default 1.345 robust standard
        deviations of the residuals.
    compute : str
        Of the table, in FLOP: 1e22,1e23 or a range 1e21:1e24:4. By default the largest budget of the runs, 10 and 100 times it.
    seed : int
        Root of the random streams of the resampling.
    save : Path
        File for the fit (.json, .npz), which other commands read.
    html : Path
        Page to write, with the pictures.
    json : bool
        Print JSON.
    verbose : bool
        All warnings, with their causes and cures.
    strict : bool
        End with exit code 1 if there are warnings.
    """
    if save is not None:
        check_suffix(save, _SAVED, option="--save")
    if html is not None:
        check_suffix(html, (".html",), option="--html")
    computes = None if compute is None else positive_numbers("compute", compute)
    options = reading.given()
    fitting = {"delta": delta, "envelope": envelope, "bootstrap": bootstrap, "seed": seed}
    found = read_fit(file, law=law, **fitting, **options)
    source = _called(file, reading, save)
    if save is not None:
        found.save(save)
        wrote(save)
    if html is not None:
        found.to_html(html, compute=computes, command=_typed())
        wrote(html)
    words = as_options(found.report(compute=computes, verbose=verbose, source=source))
    emit(Answer(_as_data(found, computes), [words]), json, None)
    return _code(all_warnings(found), strict)


def _code(warnings: tuple[CodedWarning, ...], strict: bool) -> int:
    return 1 if strict and warnings else 0
