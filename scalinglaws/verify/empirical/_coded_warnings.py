"""What is doubtful in people's runs, each kind by a code, with its cause and its cure in one table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ...equality import by_value
from ...reprs import short_repr
from ...tables import Table

WARNINGS: dict[str, tuple[str, str]] = {
    "W-accuracy-scatter": (
        "accuracies scatter about the sigmoid by more than their questions explain (1 %): accuracy does not follow the loss alone",
        "plot them; use the loss of the right answer in the task, not another; fit recipes apart; state items= as it is",
    ),
    "W-at-bound": (
        "the best value of a parameter is a bound: without it another would be better, or the term is not there",
        "widen bounds=, or fit a law without the term",
    ),
    "W-below-chance": (
        "accuracies are below chance by more than guessing explains: chance is another, or models prefer wrong answers",
        "state chance=, or leave the runs out with where=",
    ),
    "W-beyond-checked": (
        "a prediction further above the largest run than any forecast of later budgets was checked: laws drift away there",
        "use the calibrated interval there, or add runs of more compute",
    ),
    "W-column-left-out": (
        "a column that nothing needs has a known name, and cells that are no numbers",
        "correct the cells, or name another column with columns=",
    ),
    "W-compute-varies": (
        "C is neither 6 N D nor a constant times N D: attention, embeddings or recomputation are counted in it",
        "nothing, if that is meant; compute='6*N*D' leaves the column out",
    ),
    "W-constant-ratio": (
        "all runs have the same tokens per parameter, or nearly: N and D cannot be told apart",
        "fit a power law in C (power_offset), or add runs at other ratios",
    ),
    "W-correlated": (
        "errors of two parameters go together: what is known is one combination of them",
        "nothing, for predictions near the runs; for the parameters, add runs that tell them apart, or fix one with fixed=",
    ),
    "W-counts": (
        "models below 1e8 parameters, and it is not known whether embeddings are counted: with them or without, exponents differ",
        "counts='total' or counts='non-embedding'",
    ),
    "W-diverged": (
        "the last loss of a run is not finite",
        "nothing: the run was left out; leave it out of the file to be rid of the warning",
    ),
    "W-drift-unchecked": (
        "too few budgets, or too few runs on them, to forecast one from smaller ones: 15 runs on 2 budgets, and 3 runs on a later one",
        "add cheap runs at smaller budgets, or state the drift with calibrate(drift=)",
    ),
    "W-drift-unseen": (
        "so few runs at smaller budgets that their forecasts say nothing of a drift: it comes out near 0 whatever it is",
        "state the drift with calibrate(drift=0.015), that of public data, or add cheap runs at smaller budgets",
    ),
    "W-duplicate-rows": (
        "rows that agree in every column",
        "nothing: the first was kept; if they are runs of several seeds, add a column for the seed",
    ),
    "W-duplicate-steps": (
        "a run has several losses at one step, as after a restart",
        "nothing: the last in the file was kept",
    ),
    "W-far-ratio": (
        "a plan has more tokens per parameter than any run that was fitted, or fewer",
        "fit runs at such ratios too, or cap the plan's with max_ratio=, max_params=",
    ),
    "W-few-points": (
        "fewer than four points for each parameter: the fit follows their noise",
        "add runs, fix parameters with fixed=, or fit a law with fewer",
    ),
    "W-few-runs": (
        "fewer than 30 runs: resampled ones are too much alike, and intervals come out too narrow",
        "add runs, or use the profile of a parameter in place of its bootstrap interval",
    ),
    "W-groups": (
        "runs of several recipes or data sets are read together, which have laws of their own",
        "choose one with where=, or name the column with group= and fit each",
    ),
    "W-ill-conditioned": (
        "runs hardly tell some parameters apart (condition above 1e4): their values mean little, predictions near the runs may be good",
        "add runs over a wider range, or fix one of the parameters that are named with fixed=",
    ),
    "W-log-rows": (
        "a run has several rows and no column counts steps: they were read as its log",
        "rows='all' keeps them; columns={'run': None} reads every row as a run",
    ),
    "W-losses-alike": (
        "the largest loss is less than 1.3 times the least: an offset and a power look the same over so little",
        "add smaller or larger runs",
    ),
    "W-low-power": (
        "a test that groups share parameters did not reject, but it could hardly have: that they are equal is assumed, not shown",
        "share nothing (shared=()), or add runs that are further apart in N and D",
    ),
    "W-many-epochs": (
        "a plan repeats its tokens more often than the constants of repetition were measured for",
        "use more unique tokens, or cap the plan's tokens with max_tokens=",
    ),
    "W-mid-run": (
        "a loss was taken before the learning rate had decayed, or it is not known whether: runs that end there are 1 to 3 % better",
        "use finished runs (rows='last'); for all rows, runs at a constant rate with a column for it, or schedule='constant' if it was",
    ),
    "W-midpoint": (
        "no run is clearly past the midpoint between chance and ceiling: where accuracies end is a guess",
        "give ceiling=, the accuracy that the best models reach; or add better runs",
    ),
    "W-no-decay": (
        "the best constant of repetition is its upper bound: repeated tokens (R_D), or surplus parameters (R_N), were worth as much as new",
        "add runs of more epochs, or of larger models on few tokens; until then a plan does not know what repetition costs",
    ),
    "W-no-loss": (
        "a run has no loss in any row",
        "nothing: the run was left out; or name the column of the loss with columns=",
    ),
    "W-not-identifiable": (
        "no runs tell these parameters apart (condition above 1e7): the law has fewer than are written in it",
        "fix one of the parameters that are named with fixed=, or write the law without it; do not report their values",
    ),
    "W-offset": (
        "the irreducible loss is hardly known (its logarithm to no better than 0.5): the runs do not reach where it matters",
        "add larger runs, or fix it with fixed=; do not extrapolate far",
    ),
    "W-one-sided": (
        "residuals are skewed: some runs lie far above the law, as badly tuned ones do",
        "envelope=0.3 fits what well tuned runs reach; or leave the bad runs out with where=",
    ),
    "W-one-size": (
        "all runs have the same N: nothing is known of model size",
        "fit a curve in D, or add runs of other sizes",
    ),
    "W-one-token-count": (
        "all runs have the same D: nothing is known of data",
        "fit a curve in N, or add runs on other numbers of tokens",
    ),
    "W-power-at-bound": (
        "the power c of surface_power is at the end of its range: the runs do not say what it is",
        "fit surface, which has c = 1, or add budgets",
    ),
    "W-refits-unsettled": (
        "fits to the runs up to a smaller budget did not settle, and their forecasts are in the drift",
        "leave out runs that are badly off, or fix a parameter with fixed=",
    ),
    "W-rows-as-runs": (
        "a column counts steps and none names the run: each row was read as a run",
        "name the column of runs with run=",
    ),
    "W-short-range": (
        "a variable spans fewer than 1.5 decades: its exponent is a guess",
        "add runs over a wider range",
    ),
    "W-stopped-early": (
        "a run did not reach its end: its status or its planned steps say so, or its losses end before its rows do",
        "leave it out with where=, for example where={'status': 'finished'}",
    ),
    "W-trend": (
        "residuals follow a variable more than chance explains (1 %): the law is not what the runs follow",
        "plot the residuals against it; fit 'auto', or another law; use calibrated intervals",
    ),
    "W-unsettled": (
        "the fit took the most steps that are allowed, and still went down: its optimum is not reached, its errors mean little",
        "leave out runs that are badly off; fix a parameter that is not known with fixed=; or fit a law with fewer",
    ),
    "W-weights": (
        "the weights do not add up to the number of points: a weight counts as so many runs, and errors are those of that many",
        "nothing, if the weights count repetitions; else divide them by their mean",
    ),
    "W-weights-unchecked": (
        "several laws were fitted, and no forecast of later budgets says how much each is worth",
        "add cheap runs at smaller budgets; law= chooses one",
    ),
}
"""Code -> (cause, cure)."""

MOST_SHOWN = 3
"""Warnings; more are counted."""

_NAMED = 3  # runs or rows that a warning names
_LENGTH = 100  # characters of each


@short_repr
@dataclass(frozen=True)
@by_value
class CodedWarning:
    """Something doubtful in people's runs.

    Attributes
    ----------
    code : str
        As in `WARNINGS`, for example ``"W-diverged"``.
    message : str
        What it is here, with names and values.
    """

    code: str
    message: str

    @property
    def cause(self) -> str:
        """What such a warning means."""
        return WARNINGS[self.code][0]

    @property
    def cure(self) -> str:
        """What can be done about it."""
        return WARNINGS[self.code][1]

    def __str__(self) -> str:
        return f"{self.code}: {self.message}"


def warning_table() -> Table:
    """Return the codes of all warnings with their causes and cures.

    Returns
    -------
    Table
        In alphabetical order; `to_text`, `to_markdown`, `to_html` and `to_latex` render it.

    Examples
    --------
    >>> [row[0] for row in warning_table().rows[:2]]
    ['W-accuracy-scatter', 'W-at-bound']
    """
    return Table(("code", "cause", "cure"), [(code, *WARNINGS[code]) for code in sorted(WARNINGS)])


def warning_lines(
    warnings: Sequence[CodedWarning], verbose: bool = False, most: int = MOST_SHOWN
) -> list[str]:
    """Write warnings, a line each; more than three are counted, unless all are asked for, with their causes and cures.

    Examples
    --------
    >>> warning_lines([CodedWarning("W-diverged", f"run {k}") for k in range(5)])[2:]
    ['W-diverged: run 2', 'and 2 more warnings']
    """
    if verbose:
        return [
            line
            for warning in warnings
            for line in (f"{warning}", f"  {warning.cause}: {warning.cure}")
        ]
    lines = [f"{warning}" for warning in warnings[:most]]
    rest = len(warnings) - len(lines)
    if not rest:
        return lines
    plural = "s" if rest > 1 else ""
    return [*lines, f"and {rest} more warning{plural}" if lines else f"{rest} warning{plural}"]


def listed(names: list[str]) -> str:
    """Name a few of several, and count the rest.

    Examples
    --------
    >>> listed(["a", "b", "c", "d", "e"])
    'a, b, c and 2 more'
    """
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return ", ".join(name[:_LENGTH] for name in names[:_NAMED]) + more
