"""Laws compared on the same runs: criteria of how well they fit, and errors of forecasts of runs that were held out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from textwrap import fill
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ....arguments import instance, number
from ....errors import DataError, DomainError, refusal
from ....formatting import scientific
from ....notebook import words_html
from ....reprs import LONGEST, line
from ....results import Result
from .._read_runs import read_runs
from .._run_tables import read_table
from .._runs import Runs
from ._budgets import fitted_budgets
from ._fit import fit
from ._laws import fit_law
from ._record import Fit

Array = NDArray[np.float64]

LAST_BUDGET, ROLLING = HOLDOUTS = ("last-budget", "rolling")
"""What may be held out by name."""
_LEAST_HELD = 3  # runs, for an error to be a mean of something
_WIDEST = 36  # columns of a law's name
_CRITERIA = {"aicc": "AICc", "laplace_aic": "Laplace AIC", "bic": "BIC"}


@dataclass(frozen=True)
class ComparedLaw(Result):
    r"""One law of a comparison.

    Attributes
    ----------
    law : str
        Its name or expression, and what was fixed.
    free : int
        Number p of parameters that were fitted.
    parameters : dict of str to float
        All of them, of the fit to all runs; empty if there was none.
    aicc : float
        :math:`n \ln(RSS/n) + 2k + 2k(k+1)/(n-k-1)` with :math:`k = p + 1`; inf for fewer than k + 2 runs.
    laplace_aic : float
        :math:`2n \ln(\sum|r|/n) + 2k`, for residuals with heavy tails.
    bic : float
        :math:`n \ln(RSS/n) + k \ln n`.
    held_out_rms, held_out_mean : float or None
        Root mean square and mean of predicted minus observed ln L of what was held out; None where the law made no forecast.
    converged : bool
        Whether all its fits settled.
    message : str
        Why not, or why there is no fit or no forecast; empty if all went well.
    """

    law: str
    free: int
    parameters: dict[str, float]
    aicc: float
    laplace_aic: float
    bic: float
    held_out_rms: float | None
    held_out_mean: float | None
    converged: bool
    message: str


@dataclass(frozen=True)
class LawComparison(Result):
    """Laws on the same runs, in the order in which they were given.

    Attributes
    ----------
    rows : tuple of ComparedLaw
        What was found of each.
    fits : dict of str to Fit
        The fits to all runs, of the laws that could be fitted.
    points : int
        Runs that were fitted.
    held_out : int
        Runs that were forecast; bands of later budgets with ``"rolling"``.
    holdout : str
        What was held out: ``last-budget``, ``rolling``, ``mask``, or empty.
    delta : float
        Huber's threshold of all fits.
    """

    rows: tuple[ComparedLaw, ...]
    fits: dict[str, Any]
    points: int
    held_out: int
    holdout: str
    delta: float

    def __len__(self) -> int:
        return len(self.rows)

    def __repr__(self) -> str:
        words = f"LawComparison of {len(self)} laws on {self.points} runs: {self.verdict}"
        return f"<{line(words, LONGEST - 2)}>"

    @property
    def best(self) -> dict[str, str]:
        """The best law by each criterion: ``held_out_rms`` first if anything was held out, ``aicc``, ``laplace_aic``, ``bic``."""
        found = {}
        for name in ("held_out_rms", *_CRITERIA):
            rows = [row for row in self.rows if row.parameters and getattr(row, name) is not None]
            if rows:
                found[name] = min(rows, key=lambda row: float(getattr(row, name))).law
        return found

    @property
    def agree(self) -> bool:
        """Whether all criteria prefer one law."""
        return len(set(self.best.values())) == 1

    @property
    def verdict(self) -> str:
        """What the comparison says, in a line: the held-out error first, then the criteria that disagree with it."""
        best = self.best
        if not best:
            return "no law could be fitted"
        head = best.get("held_out_rms")
        if head is None:
            head = best["aicc"]
            said = f"nothing was held out; AICc prefers {head}"
        else:
            said = f"forecasts best: {head}"
        others: dict[str, list[str]] = {}
        for name, words in _CRITERIA.items():
            if best[name] != head:
                others.setdefault(best[name], []).append(words)
        if not others:
            return f"{said}; all criteria agree"
        told = "; ".join(f"{' and '.join(words)}: {law}" for law, words in others.items())
        return f"{said}; criteria disagree: {told}"

    def _repr_html_(self) -> str:
        return words_html(self.summary())

    def summary(self) -> str:
        """Describe the comparison in a table and a verdict.

        Returns
        -------
        str
            At most 100 columns.
        """
        words = {
            LAST_BUDGET: f"{self.held_out} runs of the largest compute",
            ROLLING: f"{self.held_out} bands of later budgets, each from earlier ones",
            "mask": f"{self.held_out} runs that were chosen",
        }
        head = f"{self.points} runs, delta {scientific(self.delta)}"
        if self.holdout:
            head += f"; held out: {words[self.holdout]}; error is predicted - observed ln L"
        lines = [head]
        width = min(max(len(row.law) for row in self.rows), _WIDEST)
        lines.append(
            f"  {'law':{width}}   p  held-out rms     mean       AICc    Laplace        BIC"
        )
        for row in self.rows:
            name = _cut(row.law, width)
            held = (
                "          none         "
                if row.held_out_rms is None
                else (
                    f"{100 * row.held_out_rms:10.2f} %  {100 * (row.held_out_mean or 0.0):+6.2f} %"
                )
            )
            criteria = "".join(f"{getattr(row, criterion):11.1f}" for criterion in _CRITERIA)
            shown = f"{held}{criteria}" if row.parameters else "     no fit"
            lines.append(f"  {name:{width}}  {row.free:2d}  {shown}".rstrip())
        lines += [
            _cut(f"  {_cut(row.law, width)}: {row.message}", 100)
            for row in self.rows
            if row.message
        ]
        lines += fill(self.verdict, 100, break_long_words=False, subsequent_indent="  ").split("\n")
        return "\n".join(lines)


def compare_laws(
    laws: Iterable[Any],
    runs: Runs | Mapping[str, Any] | Any,
    *,
    holdout: str | ArrayLike | None = LAST_BUDGET,
    delta: float | None = None,
) -> LawComparison:
    r"""Compare laws on the same runs, first of all by their errors on runs that were held out.

    Criteria such as AICc say which law describes the runs; a law is fitted to be extrapolated, and that is tested by holding out what
    lies beyond. All are given, and where they disagree it is said.

    Parameters
    ----------
    laws : iterable
        Each a law as `fit` takes it, or a pair of such a law and a dictionary of parameters to fix: ``("surface", {"E": 0})``.
    runs : Runs, data frame or mapping
        What `read_runs` returns or reads; for laws in other variables, a mapping with their columns and ``loss``.
    holdout : str, array_like of bool, or None
        ``"last-budget"``: the runs of the largest budget, with the one below it if these are fewer than 3; ``"rolling"``: every later
        budget from earlier ones, as `Fit.rolling_origin` does; or a flag for each run that is to be forecast; None for nothing.
    delta : float, optional
        Huber's threshold of all fits, > 0; inf for least squares. By default the least of those that the laws would have alone, which is
        that of the law with the smallest residuals.

    Returns
    -------
    LawComparison
        A law that cannot be fitted, or not without what is held out, stays in the table with the reason.

    Raises
    ------
    DataError
        If the runs have a single budget to hold out.
    DomainError
        If an argument is not allowed.

    Notes
    -----
    Every fit starts from its own grid of shapes: a surface without offset has two minima, and the better one may be another with fewer
    runs. The criteria take residuals as independent.

    References
    ----------
    .. [1] C. M. Hurvich and C.-L. Tsai, Biometrika 76, 297 (1989).

    Examples
    --------
    >>> from scalinglaws.verify import empirical
    >>> runs = empirical.example_runs("gadre", where={"dataset": "rpj"})
    >>> found = compare_laws(["surface", "kaplan", ("surface", {"E": 0})], runs)
    >>> found.rows[2].law, found.rows[2].free
    ('surface, E = 0', 4)
    >>> found.best["held_out_rms"]
    'surface'
    """
    cases = [_case(law) for law in _several(laws)]
    labels = [case.label for case in cases]
    if len(set(labels)) < len(labels):
        raise refusal("laws", labels, "must differ")
    threshold = None if delta is None else number("delta", delta, low=0, strict=True, infinite=True)
    source = (
        runs
        if isinstance(runs, Runs) or _is_plain(cases, runs)
        else read_runs(read_table(runs, named="runs"))
    )
    fits: dict[str, Fit] = {}
    reasons: dict[str, str] = {}
    for case in cases:
        try:
            fits[case.label] = case.fitted(source, threshold)
        except DataError as failure:
            reasons[case.label] = str(failure)
    if not fits:
        raise DataError(f"no law can be fitted: {reasons[labels[0]]}")
    if threshold is None:
        threshold = min(found.delta for found in fits.values())
        for case in cases:
            if case.label in fits and fits[case.label].delta != threshold:
                fits[case.label] = case.fitted(source, threshold)
    kind, held = _held_out(holdout, next(iter(fits.values())))
    rows, bands = [], 0
    for case in cases:
        if case.label not in fits:
            rows.append(_unfitted(case, reasons[case.label]))
            continue
        row = _row(case, fits[case.label])
        if kind == ROLLING:
            row, count = _rolled(row, fits[case.label])
            bands = max(bands, count)
        elif held is not None:
            row = _forecast(row, case, fits[case.label], source, held)
        rows.append(row)
    count = bands if kind == ROLLING else 0 if held is None else int(np.sum(held))
    points = len(next(iter(fits.values())))
    return LawComparison(tuple(rows), dict(fits), points, count, kind, threshold)


# -- laws and data ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Case:
    """A law to compare, and what is fixed in it."""

    label: str
    law: Any
    fixed: dict[str, float]

    def fitted(self, source: Any, delta: float | None) -> Fit:
        return fit(self.law, source, delta=delta, fixed=self.fixed, bootstrap=0)


def _several(laws: Any) -> list[Any]:
    try:
        found = None if isinstance(laws, str) else list(laws)
    except TypeError:
        found = None
    if found is None:
        raise refusal("laws", laws, "must be several laws, in a list")
    if not found:
        raise refusal("laws", found, "must name at least one law")
    return found


def _case(given: Any) -> _Case:
    law, fixed = given if isinstance(given, tuple) and len(given) == 2 else (given, {})
    instance("fixed", fixed, Mapping)
    chosen = fit_law(law).constrained(fixed=fixed)
    values = {name: float(value) for name, value in fixed.items()}
    told = [f"{name} = {value:g}" for name, value in values.items()]
    return _Case(", ".join([chosen.id, *told]), law, values)


def _is_plain(cases: list[_Case], runs: Any) -> bool:
    """Tell whether a mapping holds the variables of all laws under their own names, and they are not only N, D and C."""
    if not isinstance(runs, Mapping):
        return False
    needed = {name for case in cases for name in fit_law(case.law).variables}
    return not needed <= {"N", "D", "C"} and all(name in runs for name in (*needed, "loss"))


def _part(source: Any, kept: NDArray[np.bool_]) -> Any:
    if isinstance(source, Runs):
        return source.take(kept)
    return {name: np.asarray(column).ravel()[kept] for name, column in source.items()}


def _held_out(holdout: Any, first: Fit) -> tuple[str, NDArray[np.bool_] | None]:
    """Return the kind of holding out, and a flag for each run that is held out."""
    if holdout is None:
        return "", None
    if isinstance(holdout, str):
        if holdout not in HOLDOUTS:
            raise refusal(
                "holdout",
                holdout,
                f"must be {' or '.join(map(repr, HOLDOUTS))}, a flag for each run, or None",
            )
        if holdout == ROLLING:
            return ROLLING, None
        member = fitted_budgets(first)[2].member
        for least in range(int(member.max()), 0, -1):
            if np.sum(member >= least) >= _LEAST_HELD:
                return LAST_BUDGET, member >= least
        raise DataError(
            "all runs have one budget: there is no later one to hold out; use holdout=None, or a flag for each run"
        )
    flags = np.asarray(holdout)
    if flags.dtype.kind != "b" or flags.shape != (len(first),):
        raise refusal("holdout", holdout, f"must have a flag for each of {len(first)} runs")
    if not np.any(flags) or np.all(flags):
        raise refusal("holdout", None, "must hold out some runs, not all", shown=False)
    return "mask", flags


# -- rows -------------------------------------------------------------------------------------------------------------------


def _row(case: _Case, found: Fit) -> ComparedLaw:
    n, free = len(found), int(np.sum(found.free))
    k = free + 1
    tiny = np.finfo(float).tiny  # of an exact fit
    squares = n * float(np.log(max(np.mean(found.residuals**2), tiny)))
    small = 2 * k + 2 * k * (k + 1) / (n - k - 1) if n > k + 1 else np.inf
    return ComparedLaw(
        law=case.label,
        free=free,
        parameters=found.parameters,
        aicc=squares + small,
        laplace_aic=2 * n * float(np.log(max(np.mean(np.abs(found.residuals)), tiny))) + 2 * k,
        bic=squares + k * float(np.log(n)),
        held_out_rms=None,
        held_out_mean=None,
        converged=found.success,
        message="" if found.success else found.message,
    )


def _unfitted(case: _Case, reason: str) -> ComparedLaw:
    free = int(np.sum(fit_law(case.law).constrained(fixed=case.fixed).free))
    return ComparedLaw(case.label, free, {}, np.inf, np.inf, np.inf, None, None, False, reason)


def _forecast(
    row: ComparedLaw, case: _Case, found: Fit, source: Any, held: NDArray[np.bool_]
) -> ComparedLaw:
    """Fit what is not held out, and forecast the rest."""
    try:
        early = case.fitted(_part(source, ~held), found.delta)
    except (DataError, DomainError) as failure:
        return replace(row, message=f"no forecast: {failure}")
    late = {name: column[held] for name, column in found.columns.items()}
    error = early.model.predict(early.x, late) - np.log(found.losses[held])
    settled = row.converged and early.success
    message = row.message or ("" if early.success else f"without what is held out, {early.message}")
    return replace(
        row,
        held_out_rms=float(np.sqrt(np.mean(error**2))),
        held_out_mean=float(np.mean(error)),
        converged=settled,
        message=message,
    )


def _rolled(row: ComparedLaw, found: Fit) -> tuple[ComparedLaw, int]:
    """Forecast later budgets from earlier ones."""
    try:
        rolling = found.rolling_origin()
    except (DataError, DomainError) as failure:
        return replace(row, message=f"no forecast: {failure}"), 0
    if not len(rolling):
        why = "; ".join(rolling.skipped) or "no later budget"
        return replace(row, message=f"no forecast: {why}"), 0
    unsettled = f"{rolling.unsettled} fits to earlier budgets did not settle"
    return replace(
        row,
        held_out_rms=rolling.rms(found.law),
        held_out_mean=rolling.mean(found.law),
        converged=row.converged and not rolling.unsettled,
        message=row.message or (unsettled if rolling.unsettled else ""),
    ), len(rolling)


def _cut(text: str, width: int) -> str:
    return text if len(text) <= width else f"{text[: width - 3]}..."
