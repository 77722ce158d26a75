"""Runs that people trained, as they were read: numbers, where they come from, and what is doubtful in them."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ...arguments import whole
from ...equality import by_value
from ...errors import refusal
from ...formatting import scientific
from ...notebook import words_html
from ...reprs import short_repr
from ...results import Result
from ._coded_warnings import CodedWarning, listed

Array = NDArray[np.float64]
Names = NDArray[np.str_]

_GAP = 0.05  # decades between two budgets
_MOST = 12  # budgets; beyond, they lie on a grid
CELL = 0.25
"""Decades of a cell of the grid."""

_ARRAYS = (
    "N",
    "D",
    "C",
    "loss",
    "run",
    "row",
    "group",
    "unique_tokens",
    "epochs",
    "lr",
    "step",
    "seed",
)


@short_repr
@dataclass(frozen=True)
@by_value
class Budgets:
    r"""Runs of about the same compute, put together.

    Attributes
    ----------
    log10_compute : ndarray, shape (k,)
        Mean of :math:`\log_{10} C` of each group, increasing.
    member : ndarray of int, shape (n,)
        Number of the group of each run, counted from 0.
    on_grid : bool
        Whether there were more than 12, or one wider than a quarter of a decade, and the groups are cells of such a width.
    """

    log10_compute: Array
    member: NDArray[np.int64]
    on_grid: bool

    def __len__(self) -> int:
        return len(self.log10_compute)


def grouped_computes(logarithms: Array) -> Budgets:
    r"""Put computes together, given by :math:`\log_{10} C`, shape (n,); see `Runs.budgets`."""
    order = np.argsort(logarithms, kind="stable")
    member = np.empty(len(order), dtype=np.int64)
    member[order] = np.append(0, np.cumsum(np.diff(logarithms[order]) > _GAP))
    low, high = np.full(member.max() + 1, np.inf), np.full(member.max() + 1, -np.inf)
    np.minimum.at(low, member, logarithms)
    np.maximum.at(high, member, logarithms)
    # many computes close to each other are a chain, not a budget
    on_grid = len(low) > _MOST or bool(np.any(high - low > CELL))
    if on_grid:
        cells = np.floor((logarithms - logarithms.min()) / CELL + 1e-9)
        member = np.unique(cells, return_inverse=True)[1]
    means = np.bincount(member, weights=logarithms) / np.bincount(member)
    return Budgets(means, member, on_grid)


@dataclass(frozen=True)
class Runs(Result):
    r"""Training runs as `read_runs` read them.

    Attributes
    ----------
    N, D, C, loss : ndarray, shape (n,)
        Parameters, training tokens, training compute in FLOP, and final loss, in `loss_unit`.
    run : ndarray of str, shape (n,)
        Name of the run; ``row 7`` where nothing names it. Several points of one run share it.
    row : ndarray of int, shape (n,)
        Row of the table from which the point comes, counted from 1 below the names of columns.
    group, seed : ndarray of str, shape (n,), or None
        Recipe or data set, and seed, where there are columns for them.
    unique_tokens, epochs, lr, step : ndarray, shape (n,), or None
        Where there are columns for them; NaN for an empty cell.
    source, sha256 : str
        The file and its digest; the digest is empty for what is no file.
    columns : dict of str to str
        Quantity -> column that was taken for it.
    counts : str
        What N counts: ``total``, ``non-embedding``, or empty where nothing says so.
    loss_unit : str
        ``nats`` (a token), or ``bits/byte``.
    cost : float
        :math:`C / (N D)` where it is a constant, else 6.
    compute : str
        What C is, in words: its column, or 6 N D.
    rows : str
        What was taken of runs with many rows: ``last``, ``last:20`` or ``all``.
    rows_read : int
        Rows of the table, those that `where` left out among them.
    where : str
        Which rows were asked for, in words.
    dropped : tuple of (str, str)
        Runs that were left out, and why.
    warnings : tuple of CodedWarning
        What is doubtful; `WARNINGS` holds cause and cure of each code.
    seed_sd : float or None
        Standard deviation of :math:`\ln L` among runs of the same (N, D) and group, pooled; None where there are none.
    seed_degrees : int
        Its degrees of freedom.
    variables : dict of str to ndarray, shape (n,)
        Further columns that were asked for, by name.
    """

    N: Array
    D: Array
    C: Array
    loss: Array
    run: Names
    row: NDArray[np.int64]
    group: Names | None
    unique_tokens: Array | None
    epochs: Array | None
    lr: Array | None
    step: Array | None
    seed: Names | None
    source: str
    sha256: str
    columns: dict[str, str]
    counts: str
    loss_unit: str
    cost: float
    compute: str
    rows: str
    rows_read: int
    where: str
    dropped: tuple[tuple[str, str], ...]
    warnings: tuple[CodedWarning, ...]
    seed_sd: float | None
    seed_degrees: int
    variables: dict[str, Array] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.N)

    def __repr__(self) -> str:
        more = [f"{len(self.dropped)} dropped"] if self.dropped else []
        count = len(self.warnings)
        more += [f"{count} warning{'s' if count > 1 else ''}"] if count else []
        words = "".join(f", {entry}" for entry in more)
        return f"<Runs {self._name[:60]}: {len(self)} runs{words}>"

    def _repr_html_(self) -> str:
        return words_html(self.summary()) + super()._repr_html_()

    @property
    def _name(self) -> str:
        return Path(self.source).name

    def budgets(self) -> Budgets:
        r"""Put runs of about the same compute together.

        Sorted by :math:`\log_{10} C`, a gap above 0.05 starts a new budget; its value is the mean over its runs. More than 12 such
        groups, or one wider than 0.25, are no budgets: then they are the occupied cells of a grid of 0.25 decades from the smallest
        C on.

        Returns
        -------
        Budgets
            Their computes, and to which each run belongs.

        Examples
        --------
        >>> from scalinglaws.verify.empirical import example_runs
        >>> len(example_runs("synthetic").budgets())
        6
        """
        return grouped_computes(np.log10(self.C))

    def take(self, points: ArrayLike) -> Runs:
        """Return some of the points, everything else as it is.

        Parameters
        ----------
        points : array_like of int or bool
            Which, by number or by one flag each; at least one.

        Returns
        -------
        Runs
            In that order.

        Raises
        ------
        DomainError
            If there is no such point, or none is left.

        Examples
        --------
        >>> from scalinglaws.verify.empirical import example_runs
        >>> runs = example_runs("synthetic")
        >>> len(runs.take(runs.C < 1e20))
        30
        """
        index = np.asarray(points)
        right = index.ndim == 1 and index.size > 0 and index.dtype.kind in "iub"
        if right and index.dtype.kind == "b":
            right = index.size == len(self) and bool(index.any())
        elif right:
            right = bool(np.all((index >= -len(self)) & (index < len(self))))
        if not right:
            raise refusal(
                "points",
                points,
                f"must be numbers of some of the {len(self)} points, or one flag each",
            )
        held = {name: getattr(self, name) for name in _ARRAYS}
        return replace(
            self,
            **{name: value[index] for name, value in held.items() if value is not None},
            variables={name: value[index] for name, value in self.variables.items()},
        )

    def summary(self, most_warnings: int = 3) -> str:
        """Describe the runs in a few lines: columns, ranges, what was dropped, and what is doubtful.

        Parameters
        ----------
        most_warnings : int
            More warnings than these are counted, not written.

        Returns
        -------
        str
            Lines of about a hundred characters.

        Examples
        --------
        >>> from scalinglaws.verify.empirical import example_runs
        >>> print(example_runs("synthetic").summary())
        synthetic_runs.csv: 60 runs, N = params (total), D = tokens, L = eval/loss, C = 6 N D (no column for it)
          4.4e7 < N < 1.7e10, 1.1e9 < D < 3.6e11, 1e19 < C < 1e21 (6 budgets), 0.6 < D/N < 873
        """
        most = whole("most_warnings", most_warnings, low=0)
        lines = [*run_lines(self), *(f"  {warning}" for warning in self.warnings[:most])]
        if len(self.warnings) > most:
            rest = len(self.warnings) - most
            lines.append(f"  and {rest} more warning{'s' if rest > 1 else ''}")
        return "\n".join(lines)

    def _labels(self) -> tuple[Names, Names]:
        return (self.run if self.group is None else self.group), self.run

    def to_dataframe(self) -> Any:
        """Return a pandas data frame, one row for each point; needs pandas."""
        try:
            pandas = import_module("pandas")
        except ImportError:
            raise ImportError(
                "to_dataframe needs pandas, which is not installed; use to_dict() or save()"
            ) from None
        held = {name: getattr(self, name) for name in _ARRAYS} | self.variables
        return pandas.DataFrame(
            {
                name: value.tolist() if value.dtype.kind == "U" else value
                for name, value in held.items()
                if value is not None
            }
        )


def run_lines(runs: Runs) -> list[str]:
    """Say in a few lines what was read: columns, ranges, spread among seeds, what was dropped."""
    derived = {"N": f"C/{runs.cost:g}D", "D": f"C/{runs.cost:g}N"}
    if "C" not in runs.columns:
        derived["D"] = "epochs * unique tokens"
    taken = {
        name: runs.columns.get(name, f"{words} (no column for it)")
        for name, words in derived.items()
    }
    unit = "" if runs.loss_unit == "nats" else f" ({runs.loss_unit})"
    points = len(set(zip(*map(list, runs._labels()), strict=True)))
    several = f" with {len(runs)} points" if points < len(runs) else ""
    head = (
        f"{runs._name}: {points} runs{several}, N = {taken['N']} ({runs.counts or 'counts unknown'}), "
        f"D = {taken['D']}, L = {runs.columns['loss']}{unit}, C = {runs.compute}"
    )
    count = len(runs.budgets())
    budgets = f"{count} budget{'s' if count > 1 else ''}"
    spans = [
        f"{_span(values)[0]} < {name} < {_span(values)[1]}{more}"
        for name, values, more in (
            ("N", runs.N, ""),
            ("D", runs.D, ""),
            ("C", runs.C, f" ({budgets})"),
            ("D/N", runs.D / runs.N, ""),
        )
    ]
    lines = [head, "  " + ", ".join(spans)]
    if runs.seed_sd is not None:
        lines.append(
            f"  seeds: ln L differs by {runs.seed_sd:.2g} (sd, {runs.seed_degrees} degrees of freedom)"
        )
    if runs.dropped:
        named = listed([f"{run} ({why})" for run, why in runs.dropped])
        lines.append(f"  dropped {len(runs.dropped)}: {named}")
    return lines


def _span(values: Array) -> tuple[str, str]:
    return scientific(float(values.min())), scientific(float(values.max()))
