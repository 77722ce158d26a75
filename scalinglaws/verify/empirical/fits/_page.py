"""A fit as one page for the browser."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from markupsafe import Markup
from numpy.typing import ArrayLike, NDArray

from .... import __version__, arguments
from ....errors import ConvergenceError, DataError, DomainError
from ....formatting import number, scientific
from ....reprs import short_repr
from ....tables import Table
from ...page.document import PAGES, rendered, table_section
from ._budgets import largest_fitted
from ._error_panels import pair_panels, profile_panels, rolling_panels
from ._optimum import Optimum, optimum
from ._panels import (
    Panel,
    fit_panels,
    frontier_panels,
    isoflop_panels,
    residual_panels,
)
from ._repetition_panels import repetition_panels
from ._report import parameter_cell, report
from ._report_tables import default_computes, validated_horizon
from ._sensitivity import sensitivity
from ._svg_panels import panel_figure

if TYPE_CHECKING:
    from ._record import Fit

Array = NDArray[np.float64]

_POOR = 0.05  # rms error of forecasts in ln L, above which a law is not to be extrapolated
_NEAR = 0.05  # decades that are none


@short_repr
@dataclass(frozen=True)
class _Section:
    """A part of the page."""

    anchor: str
    title: str
    words: tuple[str, ...] = ()
    figures: tuple[tuple[str, Markup], ...] = ()
    tables: tuple[Markup, ...] = field(default=())


def write_page(
    fit: Fit,
    path: str | Path,
    compute: ArrayLike | None = None,
    *,
    command: str = "",
    source: str | None = None,
) -> Path:
    """Write a fit as a page for the browser.

    Parameters
    ----------
    fit : Fit
        To data, or of published constants.
    path : str or Path
        File to write, whose name ends in ``.html``.
    compute : array_like, optional
        As `report` takes it.
    command : str
        By which the fit was made, for the provenance.
    source : str, optional
        As `report` takes it.

    Returns
    -------
    Path
        The file written: nothing beside it is needed, no network and no scripts; light and dark, for screens and paper. The same fit
        gives the same text.

    Raises
    ------
    DomainError
        If the suffix is another one.
    OSError
        If it cannot be written.
    """
    target = arguments.path("path", path, *PAGES)
    words = report(fit, compute, source=source)
    computes = (
        default_computes(fit)
        if compute is None
        else arguments.numbers("compute", compute, low=0, strict=True)
    )
    tone, verdict, reasons = judgment(fit, np.atleast_1d(computes))
    sections = [
        section
        for section in (
            _laws(fit),
            _losses(fit),
            _isoflop(fit),
            _repeated(fit),
            _residuals(fit),
            _rolling(fit),
            _plan(fit, np.atleast_1d(computes)),
            _parameters(fit),
            _provenance(fit, command),
        )
        if section.words or section.figures or section.tables
    ]
    target.write_text(
        rendered(
            "fit.html.j2",
            title=f"Fit of {fit.runs.source.rsplit('/')[-1]}"
            if fit.runs is not None
            else f"Fit of {fit.law}",
            facts=words.split("\n\n")[0].splitlines()[:4],
            tone=tone,
            verdict=verdict,
            reasons=reasons,
            warnings=fit.warnings,
            sections=sections,
            screen=words,
        ),
        encoding="utf-8",
    )
    return target


def judgment(fit: Fit, compute: Array) -> tuple[str, str, list[str]]:
    """Say in a few words how far a fit can be trusted, and why: a tone (pass, open, fail), the verdict and its reasons."""
    reasons: list[str] = []
    if not len(fit):
        return (
            "open",
            "do not extrapolate beyond the paper's runs",
            [f"published constants: {fit.source}"],
        )
    known = fit.identifiability
    if known is not None and not known.identifiable:
        reasons.append(f"the parameters {', '.join(known.weakest)} cannot be told apart")
    if not fit.success:
        reasons.append(fit.message)
    if fit.rolling is None or fit.calibration is None or not len(fit.rolling):
        reasons.append("no forecast of a later budget from earlier ones could be checked")
    elif fit.rolling.rms() > _POOR:
        reasons.append(
            f"forecasts of later budgets were off by {100 * fit.rolling.rms():.1f} % (rms)"
        )
    if reasons:
        return "fail", "do not extrapolate", reasons
    validated = validated_horizon(fit)
    largest = largest_fitted(fit)
    edge = 10 ** (largest + validated)
    reasons.append(
        f"forecasts of later budgets were off by {100 * fit.rolling.rms():.2g} % (rms), checked up to {number(validated, 2)} "
        f"decades ahead; the largest budget is {scientific(10**largest)}"
    )
    reasons.append(
        f"the law drifts by {100 * fit.calibration.drift:.2g} % a decade, which calibrated intervals hold"
    )
    if compute.size and np.all(np.log10(compute) <= largest + validated + _NEAR):
        return "pass", "trust", reasons
    return (
        "pass",
        f"trust up to {scientific(edge)}",
        [*reasons, "beyond, use calibrated intervals, and add runs"],
    )


# -- sections -------------------------------------------------------------------------------------------------------------------


def _laws(fit: Fit) -> _Section:
    tables = []
    for one in (fit, *fit.laws.values()):
        rows = [parameter_cell(one, name) for name in one.names]
        title = f"{one.law}: {one.model.formula}"
        if fit.weights:
            title += f", weight {fit.weights.get(one.law, 0.0):.2f}"
        tables.append(table_section(Table(("parameter", "value", "95 % interval"), rows, title)))
    if len(fit):
        tables += [table_section(_sensitivity_table(one)) for one in (fit, *fit.laws.values())]
    return _Section("laws", "Laws, and what other choices would give", (), (), tuple(tables))


def _sensitivity_table(fit: Fit) -> Table:
    found = sensitivity(fit)
    names = list(found.parameters)
    header = ["choice", "runs", *names, "rms (%)"]
    with_optimum = bool(np.any(np.isfinite(found.params)))
    if with_optimum:
        at = scientific(found.compute)
        header += [f"N_opt({at})", f"loss({at})"]
    rows = []
    for k, choice in enumerate(found.choices.tolist()):
        row = [choice, str(found.runs[k])]
        row += [_word(float(found.parameters[name][k])) for name in names]
        row.append(_word(100 * float(found.rms[k]), 3))
        if with_optimum:
            row += [_size(float(found.params[k])), _word(float(found.loss[k]))]
        rows.append(tuple(row))
    return Table(tuple(header), rows, f"Sensitivity of {found.law}")


def _word(value: float, digits: int = 4) -> str:
    if math.isnan(value):
        return "too few runs"
    return number(value, digits) if 1e-3 <= abs(value) < 1e6 or value == 0 else scientific(value, 3)


def _size(value: float) -> str:
    return "none" if math.isnan(value) else scientific(value, 3)


def _losses(fit: Fit) -> _Section:
    if not len(fit):
        return _Section("losses", "Loss against compute")
    panels = [*_some(fit_panels, fit), *_some(frontier_panels, fit)]
    words = (
        "Beyond the runs everything is dashed. Rings: the largest budget as the law foretells it from all budgets below.",
    )
    return _Section("losses", "Loss against compute", words, tuple(_figures(panels)))


def _isoflop(fit: Fit) -> _Section:
    panels = _some(isoflop_panels, fit) if len(fit) else []
    words = (
        (
            "Bars mark the exact minima of the law's curves. A parabola has its minimum elsewhere unless a = b, and the more so "
            "the wider the range of sizes.",
        )
        if panels
        else ()
    )
    return _Section("isoflop", "IsoFLOP curves", words, tuple(_figures(panels)))


def _repeated(fit: Fit) -> _Section:
    panels = _some(repetition_panels, fit)
    words = (
        (
            "Curves are dashed beyond the runs of their size and corpus. A token is worth half of a new one after 1 + R_D ln 2 epochs; "
            "runs of fewer than 8 epochs do not measure R_D.",
        )
        if panels
        else ()
    )
    return _Section("repetition", "Repeated tokens", words, tuple(_figures(panels)))


def _residuals(fit: Fit) -> _Section:
    panels = _some(residual_panels, fit) if len(fit) else []
    return _Section("residuals", "Residuals", (), tuple(_figures(panels)))


def _rolling(fit: Fit) -> _Section:
    if fit.rolling is None:
        return _Section("rolling", "Forecasts of later budgets")
    return _Section(
        "rolling",
        "Forecasts of later budgets",
        tuple(fit.rolling.summary().splitlines()),
        tuple(_figures(_some(rolling_panels, fit))),
    )


def _plan(fit: Fit, compute: Array) -> _Section:
    empty = _Section("plan", "Best models")
    if not compute.size:
        return empty
    try:
        found = optimum(fit, compute)
    except DomainError:
        return empty
    rows = []
    for k in range(found.compute.size):
        row = [scientific(float(found.compute[k]), 3)]
        for name in ("params", "tokens", "ratio"):
            row += [_size(float(getattr(found, name)[k])), _between(found, name, k)]
        row.append(f"{found.loss[k]:.4f}")
        row += [_between(found, f"loss_{kind}", k) for kind in ("mean", "run", "calibrated")]
        rows.append(tuple(row))
    header = (
        "C",
        "N_opt",
        "95 %",
        "D_opt",
        "95 %",
        "D/N",
        "95 %",
        "loss",
        "the law, 95 %",
        "a run, 95 %",
        "calibrated, 95 %",
    )
    words = (
        "Three intervals of the loss: where the law lies if it holds; where one new run lies if it holds; and where one lies if the law "
        "drifts on as it did in earlier budgets.",
    )
    return _Section(
        "plan", "Best models", words, (), (table_section(Table(header, rows, "By compute")),)
    )


def _between(found: Optimum, name: str, k: int) -> str:
    low, high = (float(getattr(found, f"{name}_{end}")[k]) for end in ("low", "high"))
    if not (math.isfinite(low) and math.isfinite(high)):
        return ""
    if name.startswith("loss"):
        return f"{low:.4f} to {high:.4f}"
    return f"{scientific(low, 3)} to {scientific(high, 3)}"


def _parameters(fit: Fit) -> _Section:
    panels: list[Panel] = []
    words: list[str] = []
    if len(fit):
        try:
            panels += profile_panels(fit)
        except (DataError, DomainError, ConvergenceError) as failure:
            words.append(f"No profiles: {failure}")
        panels += _some(pair_panels, fit)
    return _Section(
        "parameters", "Profiles and pairs of parameters", tuple(words), tuple(_figures(panels))
    )


def _provenance(fit: Fit, command: str) -> _Section:
    rows: list[tuple[str, str]] = []
    runs = fit.runs
    if runs is not None:
        rows.append(("file", runs.source))
        rows.append(("SHA-256", runs.sha256 or "none: no file"))
        rows.append(
            ("columns", ", ".join(f"{name} = {column}" for name, column in runs.columns.items()))
        )
        rows.append(("compute", runs.compute))
        rows.append(("N counts", runs.counts or "not known"))
        rows.append(("losses", runs.loss_unit))
        rows.append(("rows", f"{runs.rows_read} read, {len(runs)} used, {runs.rows} of each run"))
        rows.append(("where", runs.where or "all rows"))
        rows += [("left out", f"{name}: {why}") for name, why in runs.dropped]
    if fit.source:
        rows.append(("source", fit.source))
    if len(fit):
        rows.append(("threshold", "least squares" if math.isinf(fit.delta) else f"{fit.delta:.6g}"))
        rows.append(("objective", f"{fit.objective:.10g}"))
        rows.append(("resamples", str(len(fit.samples))))
        if fit.envelope < 1:
            rows.append(("weight above the law", f"{fit.envelope:g}"))
        rows += [("fixed", f"{name} = {value:g}") for name, value in fit.fixed.items()]
    if command:
        rows.append(("command", command))
    rows.append(("version", f"scalinglaws {__version__}"))
    return _Section(
        "provenance",
        "Provenance",
        (),
        (),
        (table_section(Table(("what", "value"), rows, "What this page is made from")),),
    )


def _some(panels: Callable[[Fit], list[Panel]], fit: Fit) -> list[Panel]:
    """Return panels, or none where there is nothing to show."""
    try:
        return panels(fit)
    except (DataError, DomainError):
        return []


def _figures(panels: Sequence[Panel]) -> Iterator[tuple[str, Markup]]:
    for panel in panels:
        yield panel.title, Markup(panel_figure(panel))
