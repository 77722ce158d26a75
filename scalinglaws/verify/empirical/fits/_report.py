"""A fit in a few lines: what was read, what was fitted, whether it can extrapolate, what is best at which compute."""

from __future__ import annotations

import math
import shlex
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ....arguments import flag, numbers, text
from ....formatting import decimals, number, scientific, short
from .._coded_warnings import MOST_SHOWN, warning_lines
from .._runs import Runs, run_lines
from ._budgets import largest_fitted
from ._calibration import PRIOR
from ._fit import EFFICIENT, PUBLISHED, default_threshold
from ._identifiability import ILL
from ._intervals import interval
from ._optimal_points import CLOSED
from ._repetition import LEAST_EPOCHS, half_value, largest_epochs
from ._report_tables import COLUMNS, decades_words, table_lines, validated_horizon

if TYPE_CHECKING:
    from ._record import Fit
    from ._rolling import RollingOrigin

Array = NDArray[np.float64]

LINES = 24

PUBLIC_POWERS = (0.27, 0.82)
"""Least and largest c of ``surface_power`` on ten public sets of runs."""

_LEVEL = 0.95
_NEXT = (3, 1)  # decades above it of the plan, and of the budget of the next runs
_PUBLISHED_BUDGET = 21.0  # log10 of the compute from which published constants go on
_FIRST = "next: "


def report(
    fit: Fit,
    compute: ArrayLike | None = None,
    *,
    verbose: bool = False,
    source: str | None = None,
) -> str:
    """Describe a fit in a few lines.

    Parameters
    ----------
    fit : Fit
        To data, or of published constants.
    compute : array_like, optional
        C of the table, > 0; by default the largest budget of the runs, 10 and 100 times it.
    verbose : bool
        All warnings with their cures, and as many lines as it takes. Otherwise at most 24 lines of 100 characters; more than three
        warnings are counted.
    source : str, optional
        How the runs, or a saved fit, are called in the commands of the last lines; by default the name of their file.

    Returns
    -------
    str
        What was read; the laws with their 95 % intervals; errors of forecasts of later budgets; the best model size for each compute,
        and its loss with three intervals; the next commands.

    Examples
    --------
    >>> from scalinglaws.verify import empirical
    >>> print(empirical.from_parameters("besiroglu").report(compute=[1e24]).splitlines()[0])
    surface: L = E + A/N^a + B/D^b, Besiroglu et al. 2024
    """
    whole = flag("verbose", verbose)
    asked = (
        None
        if compute is None
        else np.atleast_1d(numbers("compute", compute, low=0, strict=True)).ravel()
    )
    named = None if source is None else text("source", source)
    blocks = [
        list(block)
        for block in (
            _data_lines(fit),
            _law_lines(fit),
            _extrapolation_lines(fit),
            table_lines(fit, asked),
            _next_lines(fit, named),
        )
    ]
    blocks = [block for block in blocks if block]
    for most in (MOST_SHOWN, 2, 1, 0):  # fewer where there is no room
        doubts = warning_lines(fit.warnings, whole, most)
        arranged = _arranged([*blocks[:2], doubts, *blocks[2:]] if doubts else blocks, whole)
        if whole or len(arranged) <= LINES:
            break
    return "\n".join(arranged)


def _arranged(blocks: Sequence[list[str]], verbose: bool) -> list[str]:
    """Put blocks under each other, with empty lines between them while there is room."""
    lines: list[str] = []
    rows = sum(map(len, blocks))
    for k, block in enumerate(blocks):
        if k and (verbose or rows + len(blocks) - 1 <= LINES):
            lines.append("")
        lines += block
    if verbose:
        return lines
    last = len(lines) - len(blocks[-1])  # commands stay whole
    return [
        line if len(line) <= COLUMNS or k >= last else line[: COLUMNS - 3] + "..."
        for k, line in enumerate(lines)
    ]


# -- data and laws ----------------------------------------------------------------------------------------------------------


def _data_lines(fit: Fit) -> Iterator[str]:
    if fit.runs is None:
        if len(fit):
            spans = [
                f"{scientific(float(values.min()))} < {name} < {scientific(float(values.max()))}"
                for name, values in fit.columns.items()
            ]
            yield f"{len(fit)} points, {', '.join(spans)}"
        return
    yield from described_runs(fit.runs)


def described_runs(runs: Runs) -> list[str]:
    """Say in lines of at most 100 characters what was read."""
    return [part for line in run_lines(runs) for part in _broken(line, ", ", "    ")]


def _broken(line: str, at: str, indent: str) -> Iterator[str]:
    """Break a line that is too long behind commas or the like."""
    kept = ""
    for part in line.split(at):
        longer = f"{kept}{at}{part}" if kept else part
        if kept.strip() and len(longer) > COLUMNS - len(at):
            yield f"{kept}{at}".rstrip()
            longer = indent + part
        kept = longer
    yield kept


def _law_lines(fit: Fit) -> Iterator[str]:
    yield from _broken(f"{fit.law}: {_formula(fit)}{_variable(fit)}{_how(fit)}", ", ", "  ")
    yield from _parameter_lines(fit)
    if len(fit):
        yield f"  {_residual_words(fit)}"
    if "R_D" in fit.names:
        yield f"  {_repetition_words(fit)}"
    for other in fit.laws.values():
        words = [f"{other.law}: {_formula(other)}"]
        words.append(
            _power_words(other) if "c" in other.names else f"residuals {_percent(other.rms)} % rms"
        )
        yield ", ".join(words)


def _formula(fit: Fit) -> str:
    formula = fit.model.formula
    return formula if fit.law != formula else "an expression"


def _variable(fit: Fit) -> str:
    """Say which column of the runs a law in x alone was fitted to."""
    if fit.runs is None or "x" not in fit.columns:
        return ""
    held = [name for name in "CND" if np.array_equal(fit.columns["x"], getattr(fit.runs, name))]
    return f", x = {held[0]}" if held else ""


def _how(fit: Fit) -> str:
    if not len(fit):
        return f", {fit.source}" if fit.source else ""
    parts = [
        "least squares"
        if math.isinf(fit.delta)
        else f"Huber delta {number(fit.delta, 2)}{_chosen(fit)}"
    ]
    if fit.envelope < 1:
        parts.append(f"weight {fit.envelope:g} above")
    words = ", ".join(parts)
    if len(fit.samples):
        return f", {words}; 95 % by {len(fit.samples)} bootstraps"
    return f", {words}; 95 % by the covariance" if fit.cov is not None else f", {words}"


def _chosen(fit: Fit) -> str:
    """Say of a threshold that it is the default one."""
    usual = default_threshold(fit)
    return f" ({EFFICIENT:g} robust sd)" if math.isclose(usual, fit.delta, rel_tol=1e-9) else ""


def _parameter_lines(fit: Fit) -> Iterator[str]:
    names = set(fit.names)
    rows: list[list[str]]
    if "R_D" in names:
        rows = [["E", "A", "a"], ["", "B", "b"], ["", "R_D", "R_N"]]
    elif names >= {"E", "A", "B", "a", "b"}:
        rows = [["E", "A", "a"], ["c" if "c" in names else "", "B", "b"]]
    else:
        rows = [list(fit.names[k : k + 3]) for k in range(0, len(fit.names), 3)]
    cells = [[parameter_cell(fit, name) for name in row] for row in rows]
    widths = [
        [max(len(row[column][part]) for row in cells if column < len(row)) for part in range(3)]
        for column in range(len(cells[0]))
    ]
    tail = _exponent_words(fit)
    for k, row in enumerate(cells):
        line = "  " + "   ".join(
            "  ".join(
                word.ljust(width) for word, width in zip(cell, width_of, strict=True) if width
            )
            for cell, width_of in zip(row, widths, strict=False)
        )
        yield (line + (f"   {tail}" if tail and k == len(cells) - 1 else "")).rstrip()


def parameter_cell(fit: Fit, name: str) -> tuple[str, str, str]:
    """Return a parameter, its value and its interval, as they are printed."""
    if not name:
        return "", "", ""
    value = fit.parameters[name]
    if name in fit.fixed:
        return name, number(value, 6), "fixed"
    if fit.cov is None and not len(fit.samples):
        return name, number(value, 9), ""
    low, high = interval(fit, name, _LEVEL)
    write = _writer(value, low, high)
    return name, write(value), f"{write(low)}..{write(high)}"


def _writer(value: float, low: float, high: float) -> Any:
    """Return how numbers are written so that two digits of their interval's width show."""
    largest = max(abs(value), abs(low), abs(high))
    places = decimals(high - low)
    if places is None or not 1e-3 <= largest < 1e5:
        return lambda entry: scientific(entry)
    return lambda entry: f"{entry:.{places}f}"


def _exponent_words(fit: Fit) -> str:
    if fit.law not in CLOSED or not fit.parameters["a"] + fit.parameters["b"] > 0:
        return ""
    share = fit.parameters["b"] / (fit.parameters["a"] + fit.parameters["b"])
    return f"N_opt ~ C^{share:.3f}"


def _power_words(fit: Fit) -> str:
    """Say what c is, and whether it may be 1."""
    value = fit.parameters["c"]
    if fit.cov is None and not len(fit.samples):
        return f"c {value:.2f}"
    low, high = interval(fit, "c", _LEVEL)
    verdict = "holds 1" if low <= 1 <= high else "excludes 1"
    least, most = PUBLIC_POWERS
    return f"c {value:.2f}  {low:.2f}..{high:.2f}: {verdict} (public sets {least}..{most})"


def _repetition_words(fit: Fit) -> str:
    """Say when a token is worth half, and how often runs saw theirs."""
    at = half_value(fit.parameters["R_D"])
    if any(warning.code == "W-no-decay" and "R_D" in warning.message for warning in fit.warnings):
        words = "no decay seen: a repeated token is worth as much as a new one"
    else:
        words = f"a token is worth half after 1 + R_D ln 2 = {at:.3g} epochs"
    if not len(fit):
        return words
    seen = largest_epochs(fit)
    words += f"; runs of up to {seen:.3g} epochs"
    few = f" (R_D needs {LEAST_EPOCHS:g})"
    return words + (few if seen < LEAST_EPOCHS else "")


def _residual_words(fit: Fit) -> str:
    words = [f"residuals {_percent(fit.rms)} % rms"]
    known = fit.identifiability
    if known is not None and known.trends:
        none = f"no trend with {_listed(list(known.trends), 'or')}"
        words.append(f"trend with {_listed(known.trend, 'and')}" if known.trend else none)
    if not fit.success:
        words.append(fit.message)
    if known is not None:
        words.append(_identified(fit))
    return "; ".join(words)


def _identified(fit: Fit) -> str:
    known = fit.identifiability
    size = (
        "infinite"
        if math.isinf(known.condition)
        else short(round(known.condition, 1 if known.condition < 10 else 0))
    )
    if known.condition <= ILL:
        return f"identifiable (condition {size})"
    word = "hardly" if known.identifiable else "not"
    return f"{word} identifiable (condition {size}: {', '.join(known.weakest)})"


def _percent(share: float, *, signed: bool = False) -> str:
    """Write a share in percent to two decimals."""
    return f"{100 * share:+.2f}" if signed else f"{100 * share:.2f}"


def _listed(names: Sequence[str], word: str) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} {word} {names[-1]}"


# -- extrapolation ------------------------------------------------------------------------------------------------------------


def _extrapolation_lines(fit: Fit) -> Iterator[str]:
    if not len(fit):
        return
    if fit.rolling is None or fit.calibration is None or not len(fit.rolling):
        yield "can it extrapolate?  not known: there are too few budgets to forecast a later one from earlier ones"
        if fit.calibration is not None:
            yield f"  drift {_percents(fit.calibration.drift)} % a decade{_prior_words(fit)}"
        return
    yield from _rolling_words(fit.rolling)
    yield f"  {_drift_words(fit)}"


def _rolling_words(rolling: RollingOrigin) -> Iterator[str]:
    count = len(rolling)
    forecasts = f"{count} forecast{'s' if count > 1 else ''} of a later budget from earlier ones"
    yield f"can it extrapolate?  {forecasts}, predicted - observed:"
    told = []
    for k, law in enumerate(rolling.laws):
        words = (" mean", " rms") if k == 0 else ("", "")
        mean, rms = _percent(rolling.mean(law), signed=True), _percent(rolling.rms(law))
        told.append(f"{law} {mean} %{words[0]}, {rms} %{words[1]}")
    if len(rolling.laws) > 1:
        shares = [f"{rolling.weights[law]:.2f}" for law in rolling.laws]
        told.append(f"weights {', '.join(shares)}")
    yield from _broken("  " + "; ".join(told), "; ", "    ")


def _drift_words(fit: Fit) -> str:
    found = fit.calibration
    words = [f"drift {_percents(found.drift)} % a decade{_prior_words(fit)}"]
    words.append(f"validated horizon: {decades_words(validated_horizon(fit))}")
    seen = fit.rolling.size_edge.size
    if seen:
        inside = int(np.sum(fit.rolling.size_inside()))
        words.append(f"N_opt {inside} of {seen} in 95 %")
    return "; ".join(words)


def _percents(drift: float) -> str:
    """Write a share in percent with two digits, and no more than two decimals."""
    return number(round(100 * drift, 2), 2)


def _prior_words(fit: Fit) -> str:
    """Say what a drift is made of."""
    if fit.calibration.given:
        return ", as given"
    public = (
        "public data" if fit.calibration.prior == PRIOR else f"{_percents(fit.calibration.prior)} %"
    )
    return f", shrunk to {public}" if len(fit.rolling) else f" of {public} alone"


# -- what comes next ----------------------------------------------------------------------------------------------------------


def _next_lines(fit: Fit, source: str | None) -> Iterator[str]:
    """Write the commands that go on from here; where the table cannot be read again in a short one, from a saved fit."""
    if fit.law not in CLOSED or not {"N", "D"} <= set(fit.columns):
        return
    named = _name(fit) if source is None else source
    largest = largest_fitted(fit) if len(fit) else _PUBLISHED_BUDGET
    target, budget = (scientific(10 ** (largest + k), 1) for k in _NEXT)
    saved = named == "-"
    if saved:  # it cannot be read again
        yield f"{_FIRST}--save fit.json, and then"
        named = "fit.json"
    noise = "" if len(fit) else " --noise 0.005"  # constants have no residuals
    lines = [
        f"scalinglaws plan {named} --compute {target}",
        f"scalinglaws design {named} --target {target} --budget {budget}{noise}",
    ]
    for k, line in enumerate(lines):
        first = _FIRST if k == 0 and not saved else " " * len(_FIRST)
        yield from _continued(first + line)


def _continued(line: str) -> Iterator[str]:
    """Break a command that is too long before its last options."""
    head, *options = line.split(" --")
    kept = head
    for option in options:
        if len(kept) + len(option) + 5 > COLUMNS and len(kept) > len(_FIRST) + 4:
            yield kept + " \\"
            kept = " " * (len(_FIRST) + 4) + f"--{option}"
        else:
            kept += f" --{option}"
    yield kept


def _name(fit: Fit) -> str:
    """Return how commands name a fit: the file of its runs, or that of published constants."""
    if fit.runs is not None:
        return (
            "-" if fit.runs.source == "standard input" else shlex.quote(Path(fit.runs.source).name)
        )
    known = [name for name, (_, _, source) in PUBLISHED.items() if source == fit.source]
    return known[0] if known else "-"
