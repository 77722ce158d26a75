"""The command line: every room of the package, one command each. No science lives here."""

from __future__ import annotations

import inspect
import itertools
import math
import os
import sys
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Annotated, Any

from cyclopts import App, CycloptsError, Parameter

from .. import __version__
from ..errors import DomainError, ScalingLawsError, unknown_name
from ._answers import TABLE_FORMATS, Answer, Table, check_suffix, emit
from ._values import MAX_ROWS, floats, fraction, number, pairs, to_float

app = App(
    name="scalinglaws",
    help="Neural scaling laws: derived symbolically, solved at any scale, tested against simulation.",
    version=__version__,
    help_format="plaintext",
)

Json = Annotated[bool, Parameter(name="--json", negative="", help="Print JSON to standard output.")]
Output = Annotated[Path | None, Parameter(name="--output", help="Write to a file; its suffix picks the format.")]


def _whole(kind: Any, tokens: Sequence[Any]) -> int:
    """Read a whole number; 1.9 is not one."""
    return int(tokens[0].value)


Whole = Annotated[int, Parameter(converter=_whole)]


@dataclass(frozen=True)
class SolverEntry:
    """A solver that the command line can call.

    Attributes
    ----------
    path : str
        ``"module:function"``; the first argument is a spectrum.
    columns : tuple of str
        Fields of the result that a table shows.
    """

    path: str
    columns: tuple[str, ...]


SOLVERS: dict[str, SolverEntry] = {
    "linear.ridge": SolverEntry("scalinglaws.solvers.linear:ridge", ("test_loss", "train_loss", "kappa", "bias")),
}

_SPECTRUM = ("alpha", "beta", "a", "b", "size")


@app.command
def laws(text: str = "", /, *, json: Json = False, output: Output = None) -> int:
    """List the laws, or those that mention a text.

    Parameters
    ----------
    text : str
        Part of a name, a statement or a symbol.
    json : bool
        Print JSON.
    output : Path
        File to write (.json, .csv, .md, .txt).
    """
    from .. import theory
    from ..theory.catalogue import CATALOGUE

    names = theory.laws() if not text else tuple(law.name for law in theory.find(text))
    rows = [(name, CATALOGUE[name].statement) for name in names]
    data = [{"name": name, "statement": statement} for name, statement in rows]
    header = ("law", "statement")
    blocks: list[str | Table] = [Table(header, rows)] if rows else [f"no law mentions {text!r}"]
    emit(Answer(data, blocks, (header, list(rows))), json, output)
    return 0 if rows else 1


@app.command
def law(
    name: str,
    /,
    *values: str,
    notation: str = "capacity",
    latex: Annotated[bool, Parameter(negative="")] = False,
    published: Annotated[bool, Parameter(negative="")] = False,
    json: Json = False,
    output: Output = None,
) -> int:
    """Show a law, and its exponent at given parameters.

    Parameters
    ----------
    name : str
        As listed by ``scalinglaws laws``.
    values : str
        Parameters, exactly: alpha=3/2 beta=0.5, or those of another notation.
    notation : str
        capacity (alpha, beta), bordelon (a, b), paquette, bahri, kernel or caponnetto.
    latex : bool
        Print formulas as LaTeX.
    published : bool
        Show the formula printed elsewhere, where it differs, and why.
    json : bool
        Print JSON.
    output : Path
        File to write (.json, .md, .txt).
    """
    import sympy

    from .. import theory
    from ..notation import convention

    found = theory.law(name)
    if convention(notation).name != found.notation:
        found = found.in_notation(notation)
    show = sympy.latex if latex else str
    exact: dict[str, Any] = {key: fraction(key, value) for key, value in pairs(values).items()}

    exponent, constant = show(found.expr), show(found.constant)
    data: dict[str, Any] = {
        "name": name,
        "statement": found.statement,
        "notation": notation,
        "variable": str(found.variable),
        "exponent": exponent,
        "constant": constant,
        "regimes": [
            {
                "name": entry.name,
                "condition": show(entry.condition),
                "exponent": show(entry.exponent),
                "constant": show(entry.constant),
                "log_power": entry.log_power,
            }
            for entry in found.regimes
        ],
        "validity": [str(condition) for condition in found.validity],
        "symbols": dict(found.symbols),
        "standing": found.standing,
        "references": [str(entry) for entry in found.reference],
    }
    lines = [
        f"{name}: {found.statement}",
        "",
        f"  {found.quantity} ~ c {found.variable}^-g",
        f"  g         {exponent}",
        *([] if len(found.regimes) > 1 else [f"  c         {constant}"]),
        f"  valid for {', '.join(map(str, found.validity))}",
        *(f"  {symbol:<9} {meaning}" for symbol, meaning in found.symbols.items()),
        f"  standing  {found.standing}: scalinglaws derive {name}",
        *(f"  source    {entry}" for entry in found.reference),
    ]
    if len(found.regimes) > 1:
        lines += ["", "  regimes:"]
        lines += [
            f"    {entry.name:<15} {_condition(entry.condition)}: g = {show(entry.exponent)}, c = {show(entry.constant)}"
            + (f", times log {found.variable}" if entry.log_power else "")
            for entry in found.regimes
        ]
    if exact:
        value = found(**exact)
        data["values"] = {key: str(value) for key, value in exact.items()}
        data |= {"value": str(value), "decimal": float(value), "regime": found.regime(**exact), "log_power": found.log_power(**exact)}
        at = ", ".join(f"{key} = {value}" for key, value in exact.items())
        decimal = "" if value == int(value) else f" = {float(value):.6g}"
        lines += ["", f"  at {at}: g = {value}{decimal} ({data['regime']}" + (", times a logarithm)" if data["log_power"] else ")")]
    if published:
        if found.published is None:
            lines += ["", "  no other formula for this law is known to be in print"]
            data["published"] = None
        else:
            printed = show(found.published_expr)
            data["published"] = {"exponent": printed, "reason": found.published.reason, "reference": str(found.published.reference)}
            lines += ["", f"  published elsewhere: {printed} ({found.published.reference})"]
            if exact:
                data["published"]["value"] = str(found.published_value(**exact))
                lines.append(f"  which would give g = {data['published']['value']} here")
            lines.append(f"  why not: {found.published.reason}")
    emit(Answer(data, ["\n".join(lines)]), json, output)
    return 0


def _condition(condition: Any) -> str:
    """Write a condition as a person would."""
    return f"{condition.lhs} = {condition.rhs}" if getattr(condition, "rel_op", "") == "==" else str(condition)


@app.command
def derive(
    name: str,
    /,
    *,
    check: Annotated[bool, Parameter(negative="")] = False,
    latex: Annotated[bool, Parameter(negative="")] = False,
    json: Json = False,
    output: Output = None,
) -> int:
    """Show a law's derivation, step by step.

    Parameters
    ----------
    name : str
        As listed by ``scalinglaws laws``.
    check : bool
        Let the machine check every step now (a few seconds); exit code 1 if one is refused.
    latex : bool
        Print formulas as LaTeX.
    json : bool
        Print JSON.
    output : Path
        File to write (.json, .md, .txt).
    """
    import sympy

    from .. import theory

    found = theory.law(name)
    show = sympy.latex if latex else str
    checks = found.derivation.check() if check else None
    signs = {"definition": ":=", "equal": "=", "asymptotic": "~", "solves": "=", "balance": "="}
    lines, data = [f"{name}: {found.statement}"], []
    for position, entry in enumerate(found.derivation.steps, start=1):
        kind = entry.relation.kind
        formula = f"{show(entry.quantity)} {signs[kind]} {show(entry.value)}"
        why = f"{entry.relation}; {entry.reason}" + (f" [{entry.reference}]" if entry.reference else "")
        lines += ["", f"{position:>3}. {formula}", f"     {why}"]
        record: dict[str, Any] = {
            "step": position,
            "quantity": show(entry.quantity),
            "expression": show(entry.value),
            "relation": str(entry.relation),
            "reason": entry.reason,
            "reference": str(entry.reference) if entry.reference else None,
        }
        if checks is not None:
            outcome = checks[position - 1]
            record |= {"passed": outcome.passed, "detail": outcome.detail}
            lines.append(f"     {'checked' if outcome.passed else 'REFUSED'}: {outcome.detail}")
        data.append(record)
    refused = checks is not None and not all(outcome.passed for outcome in checks)
    lines += ["", f"Hence g = {show(found.expr)} for {', '.join(map(str, found.validity))}."]
    emit(Answer({"name": name, "exponent": show(found.expr), "steps": data}, ["\n".join(lines)]), json, output)
    return 1 if refused else 0


@app.command
def solve(name: str, /, *values: str, json: Json = False, output: Output = None) -> int:
    """Run a solver.

    Parameters
    ----------
    name : str
        linear.ridge.
    values : str
        The spectrum (alpha= beta= or a= b=, and size=) and the solver's own keywords. A number (0.5, 1/2, 1e9, inf),
        a list (1,2,5) or a logarithmic range (1e3:1e9, one point per decade, or 1e3:1e9:25); several make a grid.
    json : bool
        Print JSON.
    output : Path
        File to write (.csv, .json, .md, .txt).
    """
    from ..results import jsonable
    from ..solvers import PowerLawSpectrum

    if name not in SOLVERS:
        raise unknown_name("solver", name, SOLVERS)
    if output is not None:
        check_suffix(output, TABLE_FORMATS)
    entry = SOLVERS[name]
    module, _, function = entry.path.partition(":")
    solver = getattr(import_module(module), function)
    keywords = [key for key, item in inspect.signature(solver).parameters.items() if item.kind is item.KEYWORD_ONLY and key != "on_failure"]

    given = pairs(values)
    for key in given:
        if key not in keywords and key not in _SPECTRUM:
            raise unknown_name(f"argument of {name}", key, [*keywords, *_SPECTRUM])
    shape = {key: to_float(key, given.pop(key)) for key in _SPECTRUM if key in given}
    size = shape.pop("size", math.inf)
    if set(shape) == {"alpha", "beta"}:
        spectrum = PowerLawSpectrum(**shape, size=size)
    elif set(shape) == {"a", "b"}:
        spectrum = PowerLawSpectrum.from_ab(**shape, size=size)
    else:
        raise DomainError(
            f"{name} needs a spectrum: alpha= and beta=, or a= and b=; got {', '.join(shape) or 'neither'}", argument="alpha", value=shape
        )

    axes = {key: floats(key, text) for key, text in given.items()}
    rows = math.prod(map(len, axes.values()))
    if rows > MAX_ROWS:
        raise DomainError(f"the grid has {rows} points; at most {MAX_ROWS} are computed", argument="values", value=rows)
    grid = list(itertools.product(*axes.values()))
    columns = {key: [point[i] for point in grid] for i, key in enumerate(axes)}
    result = solver(spectrum, **columns)
    for column in entry.columns:
        solved = getattr(result, column)
        columns[column] = [solved] * len(grid) if isinstance(solved, float) else list(map(float, solved))

    table = Table(tuple(columns), [tuple(map(number, row)) for row in zip(*columns.values(), strict=True)])
    quality = result.diagnostics
    head = f"{name}: alpha = {spectrum.alpha:.10g}, beta = {spectrum.beta:.10g}, {number(spectrum.size)} modes"
    foot = f"{quality.method}; {quality.iterations} steps at most, estimated relative error {quality.error_estimate:.1e}"
    data = {
        "solver": name,
        "spectrum": jsonable({"alpha": spectrum.alpha, "beta": spectrum.beta, "size": spectrum.size}),
        "columns": jsonable(columns),
        "diagnostics": {**vars(quality), "status": quality.status.name},
    }
    emit(Answer(data, [head, table, foot], (tuple(columns), list(zip(*columns.values(), strict=True)))), json, output)
    return 0


@app.command
def verify(
    *names: str,
    effort: str = "quick",
    workers: Annotated[int | None, Parameter(converter=_whole)] = None,
    seed: Whole = 0,
    json: Json = False,
    output: Output = None,
) -> int:
    """Confront the theories with simulation; exit code 0 only if every verdict is as expected.

    Parameters
    ----------
    names : str
        Checks, theories (linear) or patterns (linear.data.*); all by default.
    effort : str
        quick (seconds) or full (minutes).
    workers : int
        Processes; one per available core by default. The numbers do not depend on it.
    seed : int
        Root of all random streams.
    json : bool
        Print JSON.
    output : Path
        File to write (.json, .csv, .md, .txt).
    """
    if output is not None:
        check_suffix(output, TABLE_FORMATS)  # before the work, not after it
    from ..verify import registry
    from ..verify.report import HEADER

    chosen = registry.select(names or None, effort)
    count = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else (os.cpu_count() or 1)
    with _spinner(f"running {len(chosen)} checks at {effort} effort"):
        report = registry.run(names or None, effort, workers=count if workers is None else workers, rng=seed)
    statements = Table(("check", "statement"), [(entry.name, entry.statement) for entry in chosen])
    rows = report.rows()
    blocks: list[str | Table] = [statements, Table(HEADER, rows)]
    if notes := report.notes():
        blocks.append("\n".join(notes))
    blocks.append(f"{report.summary_line()}\n{report.provenance_line()}")
    emit(Answer(report.to_dict(), blocks, (HEADER, list(rows))), json, output)
    if output is not None:
        print(report.summary_line(), file=sys.stderr)
    return 0 if report.as_expected else 1


def _spinner(message: str) -> Any:
    """Say what is going on, on a terminal only."""
    if not sys.stderr.isatty():
        return nullcontext()
    from rich.console import Console

    return Console(stderr=True).status(message)


@app.command
def env(*, json: Json = False, output: Output = None) -> int:
    """Describe the installation: versions, cores, compilation.

    Parameters
    ----------
    json : bool
        Print JSON.
    output : Path
        File to write (.json, .csv, .md, .txt).
    """
    import numba

    from ..solvers._jit import JIT
    from ..verify.report import environment

    data = environment()
    data["compiled kernels"] = "yes" if JIT else "no (SCALINGLAWS_JIT=0)"
    data["kernel cache"] = os.environ.get("NUMBA_CACHE_DIR") or "beside the source, else the user's cache folder"
    data["kernel threads"] = numba.get_num_threads()
    rows = [(key, str(value)) for key, value in data.items()]
    header = ("item", "value")
    emit(Answer(data, [Table(header, rows)], (header, list(rows))), json, output)
    return 0


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and exit.

    Parameters
    ----------
    arguments : sequence of str, optional
        Instead of those of the process.
    """
    sys.exit(run(arguments))


def run(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code.

    Parameters
    ----------
    arguments : sequence of str, optional
        Instead of those of the process.

    Returns
    -------
    int
        0 for success, 1 for a negative answer (an unexpected verdict, a refused step, nothing found), 2 for a request
        that cannot be carried out, 130 after an interrupt.
    """
    try:
        code = app(
            None if arguments is None else list(arguments),
            exit_on_error=False,
            print_error=False,
            result_action="return_value",
        )
        sys.stdout.flush()
    except (ScalingLawsError, CycloptsError) as failure:
        print(f"error: {failure}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return 130
    except BrokenPipeError:
        # the reader has seen enough: nobody is left to tell
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except OSError as failure:
        print(f"error: {failure}", file=sys.stderr)
        return 2
    return code if isinstance(code, int) else 0
