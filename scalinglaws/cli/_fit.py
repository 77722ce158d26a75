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
    Source,
    as_options,
    cut,
    in_options,
    plain_json,
    positive_numbers,
    read_fit,
    read_runs,
    warning_lines,
)

if TYPE_CHECKING:
    from ..results import Result
    from ..verify.empirical import Fit, Runs

_SAVED = (".json", ".npz")
_FLAG = Parameter(negative=())


@app.command
def fit(
    file: Source,
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
        A law (surface, surface_power, repetition, power_offset, ...) or an expression in N, D, C; auto fits surface, and from 30 runs and 4
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
        one = group is None and "," not in law
        check_suffix(save, _SAVED if one else _SAVED[1:], option="--save")
    if html is not None:
        check_suffix(html, (".html",), option="--html")
    from ..verify import empirical

    computes = None if compute is None else positive_numbers("compute", compute)
    options = reading.given()
    if group is not None or "," in law:
        for name, value in (("envelope", envelope), ("html", html), ("compute", compute)):
            if value is not None:
                raise refusal(name, value, "goes with one fit: one law, and no --group")
        if group is not None and "," in law:
            raise refusal("group", group, "goes with one law")
        runs = read_runs(file, group=group, **options)
        threshold: dict[str, Any] = {} if delta is None else {"delta": delta}
        with in_options():
            if group is None:
                several: Result = empirical.compare_laws(
                    [name.strip() for name in law.split(",")], runs, holdout=holdout, **threshold
                )
            else:
                several = empirical.fit_groups(
                    "surface" if law == "auto" else law,
                    runs,
                    shared=(),
                    bootstrap=bootstrap,
                    rng=seed,
                    **threshold,
                )
        return _shown(runs, several, save, json, verbose, strict)
    if holdout != "rolling":
        raise refusal("holdout", holdout, "says how several laws are compared: --law a,b")
    found = read_fit(
        file, law=law, delta=delta, envelope=envelope, bootstrap=bootstrap, seed=seed, **options
    )
    if found.calibration is None and len(found):
        found = calibrated(found)
    source = _called(file, options, save)
    if save is not None:
        found.save(save)
        wrote(save)
    if html is not None:
        found.to_html(html, computes, command=_typed(), source=source)
        wrote(html)
    if json:
        emit(Answer(_as_data(found, computes), []), True, None)
    else:
        words = found.report(computes, verbose=verbose, source=source)
        sys.stdout.write(as_options(words) + "\n")
    return 1 if strict and found.warnings else 0


def _shown(
    runs: Runs, found: Any, save: Path | None, json: bool, verbose: bool, strict: bool
) -> int:
    """Print a comparison of laws, or the fits of groups."""
    from ..verify.empirical.fits._report import described_runs

    if save is not None:
        found.save(save)
        wrote(save)
    doubts = list(runs.warnings)
    doubts += [one for one in getattr(found, "warnings", ()) if one not in doubts]
    if json:
        emit(Answer(plain_json(found.to_dict()), []), True, None)
    else:
        lines = [*described_runs(runs), "", *found.summary().splitlines()]
        told = warning_lines(doubts, verbose)
        lines += ["", *(told if verbose else map(cut, told))] if told else []
        sys.stdout.write(as_options("\n".join(lines)) + "\n")
    return 1 if strict and doubts else 0


def calibrated(found: Fit) -> Fit:
    """Return a fit with the errors of its forecasts, where there are budgets to forecast."""
    try:
        return found.calibrate()  # type: ignore[no-any-return]
    except DataError:
        return found


def _called(file: str, options: dict[str, Any], save: Path | None) -> str:
    """Return how other commands name the fit: the saved one, or the table with the options that say how it is read."""
    if save is not None:
        return shlex.quote(str(save))
    words = [file]
    for name, value in options.items():
        values = value if isinstance(value, tuple) else (value,)
        if (name, value) != ("rows", "last"):
            words += [
                f"--{name.replace('_', '-')}={entry}" for entry in values if entry is not None
            ]
    return shlex.join(words)


def _typed() -> str:
    """Return the command as it was typed."""
    return shlex.join(["scalinglaws", *sys.argv[1:]])


def _as_data(found: Fit, computes: list[float] | None) -> dict[str, Any]:
    """Return what is printed, and more digits of it, for JSON."""
    from ..errors import DomainError
    from ..verify.empirical.fits._optimum import optimum
    from ..verify.empirical.fits._report_tables import default_computes

    asked = default_computes(found) if computes is None else computes
    table: dict[str, Any] | None = None
    if len(asked):
        try:
            table = optimum(found, asked).to_dict()
        except DomainError:
            table = None
    runs = found.runs
    return plain_json(  # type: ignore[no-any-return]
        {
            "runs": None
            if runs is None
            else {
                "source": runs.source,
                "sha256": runs.sha256,
                "count": len(runs),
                "columns": runs.columns,
                "counts": runs.counts,
                "loss_unit": runs.loss_unit,
                "cost": runs.cost,
                "dropped": [list(entry) for entry in runs.dropped],
            },
            "laws": {one.law: _law_data(one) for one in (found, *found.laws.values())},
            "weights": found.weights,
            "rolling": None if found.rolling is None else found.rolling.to_dict(),
            "calibration": None if found.calibration is None else found.calibration.to_dict(),
            "optimum": table,
            "warnings": [
                {"code": one.code, "message": one.message, "cause": one.cause, "cure": one.cure}
                for one in found.warnings
            ],
        }
    )


def _law_data(one: Fit) -> dict[str, Any]:
    known = len(one.samples) > 0 or one.cov is not None
    return {
        "formula": one.model.formula,
        "parameters": one.parameters,
        "intervals": {name: list(one.interval(name)) for name in one.names} if known else None,
        "covariance": None if one.cov is None else one.cov.tolist(),
        "objective": one.objective,
        "delta": one.delta,
        "rms": one.rms if len(one) else None,
        "points": len(one),
        "bootstrap": len(one.samples),
        "condition": None if one.identifiability is None else one.identifiability.condition,
        "success": one.success,
        "message": one.message,
        "source": one.source,
    }
