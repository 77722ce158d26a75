"""What is wrong, or doubtful, with the numbers of runs: units, compute, losses that are none."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...errors import DataError, refusal
from ...formatting import number, scientific
from ._coded_warnings import CodedWarning, listed
from ._run_columns import canonical

Array = NDArray[np.float64]

COST = 6.0
"""FLOP for a parameter and a token."""
UNITS = ("nats", "bits", "bits/byte", "perplexity")
"""Of losses; bits and perplexities are turned into nats per token, bits per byte are kept."""

_MOST_NATS = 12.0
_MOST = 1e100  # of any number: beyond, products would leave what floats hold
_NEAR = 0.1  # relative distance of C from a constant times N D within which it is that, rounded
_SAME = 0.02  # within which the constant is 6
_OFF_SHARE = 0.2  # of the rows that may be slips; if more are off, C is counted in another way
_UNIT = 100.0  # C over 6 N D beyond which a unit is wrong
_PETAFLOP_DAY = 8.64e19
_SMALL, _RATIO = 1e5, 5e3  # no model is smaller and has more tokens a parameter: N in millions
_KNOWN_FROM = 1e8  # parameters, from which on embeddings matter little
_NEARLY = 1.25  # largest D/N over the least below which runs hardly tell N and D apart
_BITS = re.compile(r"(?:^|_)(bits|bpb|bpt|bpc|bits_per_\w+)(?:_|$)")
_ACCURACY = re.compile(r"(?:^|_)(acc|accuracy)(?:_|$)")


class Places:
    """Names rows in messages."""

    def __init__(self, name: str, rows: list[int], runs: list[str]) -> None:
        self.name, self.rows, self.runs = name, rows, runs

    def at(self, point: int) -> str:
        """Say where a point stands."""
        row = self.rows[point] + 1
        run = self.runs[point]
        return f"row {row}" if run == f"row {row}" else f"row {row} ({run})"

    def error(self, point: int, complaint: str) -> DataError:
        """Make the error for a point."""
        return DataError(f"{self.name}, {self.at(point)}: {complaint}", row=self.rows[point])

    def several(self, points: NDArray[Any]) -> str:
        """Name the first of several points, and count the rest."""
        return listed([self.at(int(point)) for point in points])


def check_positive(places: Places, column: str, values: Array) -> None:
    """Refuse what is not positive and finite, an empty cell among them."""
    wrong = np.flatnonzero(~((values > 1 / _MOST) & (values < _MOST)))
    if wrong.size:
        first = int(wrong[0])
        value = values[first]
        if math.isnan(value):
            raise places.error(
                first,
                f"the cell of {column} is empty, or no number; fill it in, or leave the row out with where=",
            )
        raise places.error(
            first,
            f"{column} = {value:g} must be > 0 and finite (from 1e-100 to 1e100); correct it, or leave the row out with where=",
        )


def loss_in_nats(places: Places, column: str, values: Array, unit: str | None) -> tuple[Array, str]:
    """Return losses in nats (or bits per byte), and which; refuse bits that nobody spoke of, perplexities and accuracies."""
    name = canonical(column)
    if _ACCURACY.search(name):
        raise DataError(
            f"{places.name}: {column} is an accuracy by its name, not a loss; name the loss with columns={{'loss': ...}}"
        )
    if unit is None and _BITS.search(name):
        raise DataError(
            f"{places.name}: {column} = {values[0]:g} (row {places.rows[0] + 1}) holds bits by its name; "
            "say loss_unit='bits' (a token), 'bits/byte' or 'nats'",
            row=places.rows[0],
        )
    check_positive(places, column, values)
    if unit == "bits":
        return values * math.log(2.0), "nats"
    if unit == "perplexity":
        low = np.flatnonzero(values <= 1)
        if low.size:
            raise places.error(int(low[0]), f"{column} = {values[low[0]]:g}: a perplexity is > 1")
        return np.log(values), "nats"
    return values, unit or "nats"


def check_loss(
    places: Places, column: str, values: Array, compute: Array, unit: str | None
) -> None:
    """Refuse accuracies (between 0 and 1, or in percent, and rising with compute) and, without a word on the unit, perplexities."""
    high = np.flatnonzero(values > _MOST_NATS)
    if len(values) >= 5 and (np.all(values <= 1) or high.size) and np.all(values <= 100):
        ranks = np.array([np.argsort(np.argsort(entry)) for entry in (values, compute)])
        if np.ptp(values) > 0 and np.ptp(compute) > 0 and np.corrcoef(ranks)[0, 1] > 0.5:
            best = int(np.argmax(values))
            raise places.error(
                best,
                f"{column} = {values[best]:g} is the largest, and {column} rises with compute: an accuracy, not a loss? "
                "name the loss with columns={'loss': ...}",
            )
    if unit is None and high.size:
        first = int(high[0])
        raise places.error(
            first,
            f"{column} = {values[first]:g} is above {_MOST_NATS:g} nats: a perplexity? "
            "say loss_unit='perplexity' (its logarithm is taken) or loss_unit='nats'",
        )


def compute_rule(compute: Any) -> tuple[str, float]:
    """Return whether C is taken from its column (``given``), from 6 N D (``derived``), or checked (empty), and the cost in FLOP.

    Examples
    --------
    >>> compute_rule("8*N*D"), compute_rule("given"), compute_rule(None)
    (('derived', 8.0), ('given', 6.0), ('', 6.0))
    """
    if compute is None:
        return "", COST
    if isinstance(compute, str) and compute == "given":
        return "given", COST
    found = None
    if isinstance(compute, str):
        found = re.fullmatch(r"\s*(\d+\.?\d*(?:e\d+)?)\s*\*?\s*N\s*\*?\s*D\s*", compute)
    if found is None or not 0 < float(found[1]) < 1e6:
        raise refusal(
            "compute",
            compute,
            "must be '6*N*D' with another number perhaps, or 'given' (as the column says)",
        )
    return "derived", float(found[1])


def check_units(places: Places, columns: Mapping[str, str], N: Array, D: Array) -> None:
    """Refuse parameters in millions, or tokens in billions, where nothing but the numbers themselves says so."""
    for name, values, other in (("N", N, D), ("D", D, N)):
        column = columns.get(name)
        if column is None or not np.all(values < _SMALL):
            continue
        ratio = other / values
        strange = np.all(ratio > _RATIO) and np.all(other > 1e6)
        if strange or np.any(values != np.floor(values)):
            first = int(np.argmax((values != np.floor(values)) | strange))
            word = "millions" if name == "N" and np.all(values >= 1) else "billions"
            raise places.error(
                first,
                f"{column} = {number(values[first])}, {name} in {word}? write {'350M' if name == 'N' else '7B'}, or whole numbers; "
                "if they are right, give N, D and C = 6 N D, each in a column",
            )


def compute_of(
    places: Places,
    columns: Mapping[str, str],
    N: Array,
    D: Array,
    C: Array,
    rule: tuple[str, float],
) -> tuple[float, str, list[CodedWarning]]:
    """Compare a column of compute with 6 N D.

    Returns
    -------
    cost : float
        C / (N D), where that is a constant; else 6.
    words : str
        What C is.
    warnings : list of CodedWarning
        Whether C varies against N D.

    Raises
    ------
    DataError
        If a unit is wrong, or few rows are off; the message names them.
    """
    column = columns["C"]
    if rule[0] == "given":
        return COST, column, []
    ratio = C / (COST * N * D)
    middle = float(np.median(ratio))
    if not 1 / _UNIT < middle < _UNIT:
        first = int(np.argmin(np.abs(ratio - middle)))
        raise places.error(
            first, f"{column} = {C[first]:.3g} is {middle:.2g} times 6 N D, {_meant(middle)}"
        )
    off = np.flatnonzero(np.abs(ratio / middle - 1) > _NEAR)
    if 0 < off.size <= _OFF_SHARE * len(N):
        first = int(off[0])
        raise places.error(
            first,
            f"{column} = {C[first]:.4g} is {ratio[first]:.3g} times 6 N D, elsewhere {middle:.3g} times; off in {places.several(off)}; "
            "correct them, or say compute='6*N*D' (the column is left out) or compute='given' (it is taken as it stands)",
        )
    if off.size:
        spread = f"{column} from {ratio.min():.3g} to {ratio.max():.3g} times 6 N D"
        return COST, column, [CodedWarning("W-compute-varies", spread)]
    if abs(middle - 1) <= _SAME:
        return COST, column, []
    cost = COST * middle
    return cost, f"{column} = {number(cost, 3)} N D", []


def _meant(factor: float) -> str:
    """Guess from a factor which unit is wrong."""
    power = math.log10(factor)
    if abs(power + math.log10(_PETAFLOP_DAY)) < 0.5:
        return "C in petaflop-days? multiply it by 8.64e19"
    for thousands, words in (
        (3, "thousands"),
        (6, "millions"),
        (9, "billions"),
        (15, "millions and billions"),
    ):
        if abs(power - thousands) < 0.5:
            return f"N or D in {words}? write 350M, 7B, or whole numbers"
    return "in other units? write N and D in ones, C in FLOP; or say compute='6*N*D' to leave the column out"


def doubts(
    columns: Mapping[str, str],
    counts: str,
    groups: list[str],
    chosen_group: bool,
    N: Array,
    D: Array,
) -> list[CodedWarning]:
    """List what may make a fit meaningless although no number is wrong."""
    found = []
    if not counts and N.min() < _KNOWN_FROM:
        found.append(
            CodedWarning(
                "W-counts", f"{columns.get('N', 'N')} from {scientific(float(N.min()))} on"
            )
        )
    names = sorted(set(groups))
    if len(names) > 1 and not chosen_group:
        found.append(CodedWarning("W-groups", f"{columns['group']} is {listed(names)}"))
    if len(N) > 1 and np.ptp(N) == 0:
        found.append(CodedWarning("W-one-size", f"N = {scientific(float(N[0]))}"))
    elif len(N) > 1 and np.ptp(D) == 0:
        found.append(CodedWarning("W-one-token-count", f"D = {scientific(float(D[0]))}"))
    elif len(N) > 1 and np.max(D / N) < _NEARLY * np.min(D / N):
        least, most = number(float(np.min(D / N)), 3), number(float(np.max(D / N)), 3)
        told = f"D/N = {least}" if least == most else f"D/N from {least} to {most}"
        found.append(CodedWarning("W-constant-ratio", told))
    return found
