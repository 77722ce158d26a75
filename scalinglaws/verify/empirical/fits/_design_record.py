"""The runs of a design, and what they will tell."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ....arguments import path as checked_path
from ....formatting import scientific
from ....notebook import words_html
from ....results import Result
from ....tables import Table

Array = NDArray[np.float64]

_QUANTITIES = {"loss": "ln L", "params": "ln N_opt"}
_COUNT_COLUMNS = {"total": "params", "non-embedding": "params_non_embedding"}


@dataclass(frozen=True)
class Design(Result):
    r"""Runs to do next, and the standard deviations to expect of what a fit says with them.

    Attributes
    ----------
    law : str
        The law that will be fitted.
    names : tuple of str
        Targets: ``"loss"`` for :math:`\ln L`, ``"params"`` for :math:`\ln N_{opt}`.
    N, D, C : ndarray, shape (m,)
        Parameters, tokens and compute of the runs, by compute.
    seeds : ndarray of int, shape (m,)
        How often each is to be made.
    cost, budget : float
        Compute of all of them, and what was allowed.
    target_named : str
        ``"compute"``: the best model for a compute; ``"model"``: one of given N and D.
    target_compute, target_params, target_tokens : float
        Where the targets are meant.
    noise, misfit : float
        Standard deviations assumed, in ln L: of a run around the law, and of the law around the truth.
    sd, sd_noise, sd_misfit, sd_prior : ndarray, shape (k,)
        Root mean squared error of each target after the new runs, and its parts (their squares add up).
    sd_now : ndarray, shape (k,)
        The same with existing runs alone; NaN where they do not determine it.
    isoflop_N, isoflop_D, isoflop_C : ndarray
        The isoFLOP plan of the same cost: 7 sizes within a factor of 4 of the best at 2 to 9 budgets, the best number of them.
    isoflop_times : float
        How often each of its runs is made.
    isoflop_sd, isoflop_sd_noise, isoflop_sd_misfit : ndarray, shape (k,)
        As `sd`, with that plan.
    candidate_N, candidate_D, candidate_C : ndarray
        What there was to choose from.
    existing_N, existing_D, existing_C : ndarray
        Runs that there are.
    efficiency : float
        If the law is true: certified least value of what was minimized over the achieved one, a ratio of variances; else NaN.
    gap : float
        Of the certificate, relative.
    settled : bool
        Whether no exchange of one run for another is better.
    with_prior : bool
        Whether a weak prior stands in for runs that are too few to determine all parameters.
    counts : str
        What N counts; empty where nothing says so.
    """

    law: str
    names: tuple[str, ...]
    N: Array
    D: Array
    C: Array
    seeds: NDArray[np.int64]
    cost: float
    budget: float
    target_named: str
    target_compute: float
    target_params: float
    target_tokens: float
    noise: float
    misfit: float
    sd: Array
    sd_noise: Array
    sd_misfit: Array
    sd_prior: Array
    sd_now: Array
    isoflop_N: Array
    isoflop_D: Array
    isoflop_C: Array
    isoflop_times: float
    isoflop_sd: Array
    isoflop_sd_noise: Array
    isoflop_sd_misfit: Array
    candidate_N: Array
    candidate_D: Array
    candidate_C: Array
    existing_N: Array
    existing_D: Array
    existing_C: Array
    efficiency: float
    gap: float
    settled: bool
    with_prior: bool
    counts: str = ""

    def __len__(self) -> int:
        return int(np.sum(self.seeds))

    def __repr__(self) -> str:
        return f"<Design for {self.law}: {len(self)} runs, {scientific(self.cost)} FLOP>"

    def _repr_html_(self) -> str:
        return words_html(f"{self.summary()}\n\n{self.to_table().to_text()}")

    def summary(self) -> str:
        """Describe the plan in a few lines: its cost, what to expect of it, and what of the usual plan.

        Returns
        -------
        str
            Lines of at most a hundred characters.
        """
        place = (
            f"C = {scientific(self.target_compute)}"
            if self.for_compute
            else f"N = {scientific(self.target_params)}, D = {scientific(self.target_tokens)}"
        )
        head = (
            f"{len(self)} runs, {scientific(self.cost, 3)} of {scientific(self.budget, 3)} FLOP, "
            f"for {' and '.join(_QUANTITIES[name] for name in self.names)} at {place} by {self.law}"
        )
        expects = f"sd of a run {scientific(self.noise)} (noise), of the law {scientific(self.misfit)} (misfit)"
        rows = []
        usual = f"isoFLOP plan of this cost, {len(self.isoflop_N)} runs" + (
            "" if self.isoflop_times < 1.005 else f" {self.isoflop_times:.3g} times"
        )
        for label, parts in (
            ("now", (self.sd_now, None, None)),
            ("with these runs", (self.sd, self.sd_noise, self.sd_misfit)),
            (usual, (self.isoflop_sd, self.isoflop_sd_noise, self.isoflop_sd_misfit)),
        ):
            if label == "now" and not np.any(np.isfinite(self.sd_now)):
                continue
            cells = [
                "" if part is None else _sd(part[k])
                for k in range(len(self.names))
                for part in parts
            ]
            rows.append((label, *cells))
        header = (
            "expected sd",
            *(
                f"{word}{_QUANTITIES[name] if not word else ''}"
                for name in self.names
                for word in ("", "noise", "misfit")
            ),
        )
        lines = [head, expects, *Table(header, rows).to_text().splitlines()]
        if np.isfinite(self.efficiency):
            lines.append(
                f"efficiency {self.efficiency:.3f} of the best plan in fractions of runs (certified to {self.gap:.0e}), if the law is true"
            )
        if self.with_prior:
            lines.append("runs are too few for all parameters: a weak prior stands in")
        if not self.settled:
            lines.append("the search was stopped: a better exchange of runs may be left")
        return "\n".join(lines)

    @property
    def for_compute(self) -> bool:
        """Whether the target is the best model of a compute, not a model of given size and data."""
        return self.target_named == "compute"

    def to_table(self) -> Table:
        """Return the runs as a table, with how often each is to be made; `to_csv` has all digits.

        Returns
        -------
        Table
            C, N, D, D/N and seeds.
        """
        return Table(
            ("C", "N", "D", "D/N", "seeds"),
            [
                (
                    scientific(C, 3),
                    scientific(N, 3),
                    scientific(D, 3),
                    scientific(D / N),
                    str(seeds),
                )
                for N, D, C, seeds in zip(self.N, self.D, self.C, self.seeds, strict=True)
            ],
        )

    def to_csv(self, path: str | Path | None = None) -> str:
        """Write the runs as a table in which only losses are missing: filled in, `read_runs` reads it.

        Parameters
        ----------
        path : str or Path, optional
            File to write too.

        Returns
        -------
        str
            A row for each run: its name, N, D, C, seed, and an empty cell for the loss.
        """
        stream = io.StringIO()
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(self.header)
        writer.writerows(self.rows())
        if path is not None:
            checked_path("path", path).write_text(stream.getvalue(), encoding="utf-8")
        return stream.getvalue()

    @property
    def header(self) -> tuple[str, ...]:
        """Columns of `to_csv`."""
        return ("run", _COUNT_COLUMNS.get(self.counts, "N"), "tokens", "flops", "seed", "loss")

    def rows(self) -> list[tuple[str, int, int, str, int, str]]:
        """Return the rows of `to_csv`: sizes and tokens are whole numbers, compute is theirs."""
        found = []
        for k in range(self.N.size):
            N, D = round(float(self.N[k])), round(float(self.D[k]))
            C = float(self.C[k]) * (N / float(self.N[k])) * (D / float(self.D[k]))
            found += [
                (
                    f"next-{k + 1}" + ("" if self.seeds[k] == 1 else f"-{seed}"),
                    N,
                    D,
                    f"{C:.12g}",
                    seed,
                    "",
                )
                for seed in range(1, int(self.seeds[k]) + 1)
            ]
        return found


def _sd(value: float) -> str:
    return "-" if not np.isfinite(value) else f"{value:.3g}"
