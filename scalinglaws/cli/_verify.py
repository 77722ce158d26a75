"""Commands of the other rooms: solvers, checks, and the installation."""

from __future__ import annotations

import os
import sys
from dataclasses import asdict, replace
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from .. import arguments
from ..contents import read_text
from ..errors import DataError, DomainError, unknown_name
from ..tables import Table
from ._app import Json, Latex, Output, Whole, app, whole
from ._formats import TABLE_FORMATS, Answer, check_suffix, emit, write
from ._signals import stopped_by
from ._sweep import doers
from ._waiting import counting

if TYPE_CHECKING:
    from ..verify import Report


@app.command
def verify(
    *names: str,
    effort: str = "quick",
    workers: Annotated[int | None, Parameter(converter=whole)] = None,
    scheduler: str | None = None,
    seed: Whole = 0,
    strict: Annotated[bool, Parameter(negative=())] = False,
    resume: Annotated[bool, Parameter(negative=())] = False,
    demo: Annotated[bool, Parameter(negative=())] = False,
    verbose: Annotated[bool, Parameter(negative=())] = False,
    listed: Annotated[bool, Parameter(name="--list", negative=())] = False,
    evidence: Annotated[bool, Parameter(negative=())] = False,
    latex: Latex = False,
    json: Json = False,
    output: Output = None,
) -> int:
    """Confront the theories with simulation; exit code 0 only if no verdict contradicts what is expected.

    Parameters
    ----------
    names : str
        Checks, laws (for the checks that test them), theories (linear) or patterns (linear.data.*); all by default.
    effort : str
        quick (seconds) or full (minutes); a check that exists at full effort only, named in full, runs at that.
    workers : int
        Processes; one per available core by default. The numbers do not depend on it.
    scheduler : str
        Address of a dask.distributed scheduler (tcp://HOST:8786) whose workers run the checks.
    seed : int
        Root of all random streams.
    strict : bool
        Fail too if a comparison decided nothing where a verdict was expected.
    resume : bool
        Use what an interrupted run with the same effort and seed has finished.
    demo : bool
        Run one fast check of each theory, for a first look.
    verbose : bool
        Tell the seconds of every check, on standard error.
    listed : bool
        List the checks instead of running them: what each one tests, and from which effort on.
    evidence : bool
        List the laws instead, each with what stands behind it: simulation, data, our own solver, or nothing yet.
    latex : bool
        Print LaTeX, for a document of yours; a file that ends in .tex is a whole document.
    json : bool
        Print JSON.
    output : Path
        File to write (.html, .json, .csv, .md, .tex, .txt).
    """
    if output is not None:
        check_suffix(output, (*TABLE_FORMATS, ".html"))  # before the work, not after it
    from ..sweep import end_workers
    from ..verify import registry

    if listed and evidence:
        raise DomainError("give --list or --evidence, not both", argument="evidence", value=True)
    if evidence:
        return _evidence(names, json, output, latex=latex)
    if listed:
        entries = registry.select(names or None, "full")
        rows = [(entry.name, entry.effort, entry.statement) for entry in entries]
        data = [
            {
                "check": entry.name,
                "effort": entry.effort,
                "statement": entry.statement,
                "laws": list(entry.laws),
            }
            for entry in entries
        ]
        header = ("check", "effort", "what is tested")
        emit(Answer(data, [Table(header, rows)], (header, list(rows))), json, output, latex=latex)
        return 0
    if demo:
        if names:
            raise DomainError(
                "--demo chooses the checks itself: name none", argument="names", value=names
            )
        names = tuple(name for name, entry in registry.registered().items() if entry.demo)
    chosen = registry.select(names or None, effort)
    for entry in chosen:
        if entry.effort_at(effort) != effort:
            print(f"{entry.name} runs at {entry.effort} effort, its least", file=sys.stderr)
    finished: list[str] = []
    try:
        with (
            doers(scheduler, workers) as hands,
            counting(f"{effort} effort", len(chosen)) as advance,
        ):

            def on_done(name: str) -> None:
                finished.append(name)
                advance(name)

            found = registry.run(
                names or None,
                effort,
                workers=hands,
                rng=seed,
                resume=resume,
                on_done=on_done,
            )
    except KeyboardInterrupt as interrupt:
        end_workers()
        word, code = stopped_by(interrupt)
        print(
            f"{word}: {len(finished)} of {len(chosen)} checks are finished and kept; run again with --resume to go on from there",
            file=sys.stderr,
        )
        return code
    _show(found, json, output, latex)
    if verbose:
        print(_seconds(found).to_text(), file=sys.stderr)
    if output is not None:
        print(found.summary_line(), file=sys.stderr)
    return 0 if found.succeeded(strict=strict) else 1


def _evidence(names: tuple[str, ...], json: bool, output: Path | None, *, latex: bool) -> int:
    """List laws with what stands behind each."""
    from ..verify.evidence import count_evidence, laws_by_evidence
    from ..verify.registry import registered

    known = laws_by_evidence()
    for name in names:
        if not any(_names(name, entry.law) for entry in known):
            raise unknown_name("law", name, [entry.law for entry in known])
    chosen = [e for e in known if not names or any(_names(name, e.law) for name in names)]
    header = ("law", "standing", "evidence", "checks, or why no simulation")
    full = {name for name, entry in registered().items() if entry.effort == "full"}
    rows = [
        (
            e.law,
            e.standing,
            e.kind,
            e.reason or ", ".join(f"{name} (full)" if name in full else name for name in e.checks),
        )
        for e in chosen
    ]
    data = [asdict(entry) for entry in chosen]
    emit(
        Answer(
            data,
            [
                Table(header, rows),
                f"{count_evidence(chosen)}\n(full): needs full effort, as parts of other checks may",
            ],
            (header, rows),
        ),
        json,
        output,
        latex=latex,
    )
    return 0


def _names(name: str, law: str) -> bool:
    """Whether a name is that of a law, of its theory, or a pattern that it fits."""
    return law == name or law.startswith(f"{name}.") or fnmatchcase(law, name)


def _seconds(report: Report) -> Table:
    """List the checks by the time that they took, the longest first."""
    slowest = sorted(report.seconds.items(), key=lambda item: -sum(item[1]))
    return Table(
        ("check", "seconds", "compilation"),
        [(name, f"{run:.2f}", f"{compiled:.2f}") for name, (run, compiled) in slowest],
    )


@app.command
def report(
    path: Path, /, *, latex: Latex = False, json: Json = False, output: Output = None
) -> int:
    """Show a report that was written as JSON, or turn it into another format; exit code as it had.

    Parameters
    ----------
    path : Path
        File written by verify --output FILE.json.
    latex : bool
        Print LaTeX, for a document of yours; a file that ends in .tex is a whole document.
    json : bool
        Print JSON.
    output : Path
        File to write (.html, .json, .csv, .md, .tex, .txt).
    """
    if output is not None:
        check_suffix(output, (*TABLE_FORMATS, ".html"))
    from ..verify.registry import registered
    from ..verify.report import Report

    try:
        text = read_text(arguments.path("path", path))
    except DataError as failure:
        why = str(failure).removeprefix(f"{path} ")
        raise DataError(f"cannot read {path}: it {why}") from failure
    except OSError as failure:
        raise DomainError(
            f"cannot read {path}: {failure.strerror or failure}", argument="path", value=path
        ) from failure
    try:
        found = Report.from_json(text)
    except DataError as failure:
        raise DataError(f"{path}: {failure}") from failure
    made = {entry.check for entry in found.entries}
    _show(
        replace(
            found,
            statements={
                name: entry.statement for name, entry in registered().items() if name in made
            },
        ),
        json,
        output,
        latex,
    )
    return 0 if found.succeeded() else 1


def _show(report: Report, json: bool, output: Path | None, latex: bool) -> None:
    """Show a report, or write it in the format that a file's suffix names."""
    from ..verify.report import HEADER

    if output is not None and output.suffix == ".html":
        write(output, report.to_html())
        if json:
            print(report.to_json())
    else:
        answer = Answer(report.to_dict(), report.blocks(), (HEADER, report.rows()))
        emit(answer, json, output, latex=latex)


@app.command
def env(*, latex: Latex = False, json: Json = False, output: Output = None) -> int:
    """Describe the installation: versions, cores, compilation.

    Parameters
    ----------
    latex : bool
        Print LaTeX, for a document of yours; a file that ends in .tex is a whole document.
    json : bool
        Print JSON.
    output : Path
        File to write (.json, .csv, .md, .tex, .txt).
    """
    from ..solvers._jit import JIT  # looks at the environment before Numba does

    import numba  # isort: skip
    from ..verify.provenance import environment

    data = environment()
    data["compiled kernels"] = "yes" if JIT else "no (SCALINGLAWS_JIT=0)"
    data["kernel cache"] = (
        os.environ.get("NUMBA_CACHE_DIR") or "beside the source, else the user's cache folder"
    )
    data["kernel threads"] = numba.get_num_threads()
    rows = [(key, str(value)) for key, value in data.items()]
    header = ("item", "value")
    emit(Answer(data, [Table(header, rows)], (header, list(rows))), json, output, latex=latex)
    return 0
