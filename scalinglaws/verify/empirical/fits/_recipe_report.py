"""The comparison of recipes in a few lines, for a person to read."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from textwrap import wrap

import numpy as np

from ....formatting import number, scientific
from .._coded_warnings import CodedWarning, warning_lines
from ._multiplier import ComputeMultiplier
from ._record import Fit
from ._sharing import SharingTest

COLUMNS, LINES = 100, 24
_NAME = 22  # columns of a recipe
_MOST = 3  # recipes that are shown
_PLACES = {1: 4, 2: 2}  # computes of each in the table, by the number of recipes


def recipe_lines(
    *,
    reference: str,
    fits: Mapping[str, Fit],
    formula: str,
    shared: Sequence[str],
    test: SharingTest,
    chosen: bool,
    multipliers: Mapping[str, ComputeMultiplier],
    separately: Mapping[str, ComputeMultiplier],
    at: Mapping[str, ComputeMultiplier],
    separate_at: Mapping[str, ComputeMultiplier],
    warnings: Sequence[CodedWarning],
    verbose: bool,
) -> list[str]:
    """Return the lines: verdicts, multipliers, the test of what is shared, parameters, warnings."""
    names = list(at) if verbose else list(at)[:_MOST]
    lines: list[str] = []
    if len(at) > 2 and not verbose:
        lines += _short_verdicts(reference, names, at, separate_at, shared)
    else:
        for name in names:
            lines += _broken(_verdict(reference, name, at[name], shared, separate_at.get(name)))
    lines += ["", *_table(reference, names, shared, multipliers, separately, verbose)]
    lines += [
        "",
        *_sharing(test, shared, chosen),
        *parameter_lines(fits, formula, shared, [reference, *names]),
    ]
    room = max(LINES - len(lines), 1)
    told = warning_lines(warnings, verbose, most=room if len(warnings) <= room else room - 1)
    return [_cut(line, COLUMNS) if not verbose else line for line in (*lines, *told)]


def span(low: float, high: float) -> str:
    """Write an interval of multipliers.

    Examples
    --------
    >>> span(0.6123, 0.6561), span(0.2, math.inf)
    ('0.61..0.66', '0.20..none')
    """
    return f"{factor(low)}..{factor(high)}"


def factor(value: float) -> str:
    """Write a factor with two or three digits.

    Examples
    --------
    >>> factor(0.6275), factor(1.2345), factor(12.345), factor(1234.5), factor(math.inf), factor(0.0123)
    ('0.63', '1.23', '12', '1200', 'none', '0.012')
    """
    if math.isinf(value):
        return "none"
    if 0.0995 <= value < 9.995:
        return f"{value:.2f}"
    if value >= 9.995:
        return f"{float(f'{value:.2g}'):.0f}" if value < 1e5 else scientific(value)
    return number(value, 2)


def _verdict(
    reference: str,
    name: str,
    found: ComputeMultiplier,
    shared: Sequence[str],
    alone: ComputeMultiplier | None,
) -> Iterator[str]:
    """Say whether a recipe is better, by which factor, and whether that grows, at the largest compute of the runs."""
    recipe, other = _cut(name, _NAME), _cut(reference, _NAME)
    C = scientific(float(found.compute[-1]))
    if not found.reached[-1]:
        yield f"{recipe} is worse than {other}: no compute gives it the loss {found.loss[-1]:.4g} of {C}, below its E"
        return
    m = factor(float(found.multiplier[-1]))
    known = _known(found)
    if not known:
        yield f"{recipe}: the loss of {other} with {m} of its compute at {C}; no interval without resamples"
    else:
        yield {
            -1: f"{recipe} is better than {other}: the same loss with {m} of the compute{known} at {C}",
            0: f"{recipe} and {other}: no difference is shown; {m} of the compute{known} at {C}",
            1: f"{recipe} is worse than {other}: the same loss needs {m} times the compute{known} at {C}",
        }[_side(found)]
    if found.compute.size > 1:
        yield f"  {_growth(found, shared)}"
    if _rests(found, alone):
        assert alone is not None
        m = factor(float(alone.multiplier[-1]))
        yield f"  this rests on sharing {', '.join(shared)}: with nothing shared {m}{_known(alone)}"


def _short_verdicts(
    reference: str,
    names: Sequence[str],
    at: Mapping[str, ComputeMultiplier],
    separate_at: Mapping[str, ComputeMultiplier],
    shared: Sequence[str],
) -> Iterator[str]:
    """Say of several recipes, a line each, whether they are better."""
    more = (
        f", the {len(names)} best of {len(at)} (--verbose for all)" if len(names) < len(at) else ""
    )
    C = scientific(float(at[names[0]].compute[-1]))
    yield f"against {_cut(reference, _NAME)} at {C}{more}:"
    marked = False
    for name in names:
        found = at[name]
        words = {-1: "is better", 0: "no difference is shown", 1: "is worse"}[_side(found)]
        mark = " *" if _rests(found, separate_at.get(name)) else ""
        marked |= bool(mark)
        m = factor(float(found.multiplier[-1]))
        yield f"  {_cut(name, _NAME)}: {words}{mark}; {m} of the compute for the same loss{_known(found)}"
    if marked:
        yield f"  * only with {', '.join(shared)} shared: another verdict with nothing shared"


def _known(found: ComputeMultiplier) -> str:
    """Write the interval at the largest compute, if there is one."""
    if found.low is None or found.high is None:
        return ""
    return f" ({_percent(found.level)}: {span(float(found.low[-1]), float(found.high[-1]))})"


def _rests(found: ComputeMultiplier, alone: ComputeMultiplier | None) -> bool:
    """Tell whether a verdict is another one where nothing is shared."""
    return alone is not None and _side(alone) != _side(found)


def _side(found: ComputeMultiplier) -> int:
    """Return -1 where a recipe is better, 1 where it is worse, 0 where neither is shown."""
    if not found.reached[-1]:
        return 1
    if found.low is None or found.high is None:
        return 0
    return int(found.low[-1] > 1) - int(found.high[-1] < 1)


def _broken(lines: Iterable[str]) -> Iterator[str]:
    for line in lines:
        indent = "  " if line.startswith("  ") else ""
        yield from wrap(
            line.strip(), COLUMNS, initial_indent=indent, subsequent_indent=f"{indent}  "
        )


def _percent(share: float) -> str:
    return f"{100 * share:g} %"


def _growth(found: ComputeMultiplier, shared: Sequence[str]) -> str:
    """Say whether the advantage grows with compute, over the runs."""
    first, last = (
        f"{factor(float(found.multiplier[k]))} at {scientific(float(found.compute[k]))}"
        for k in (0, -1)
    )
    if found.growth == found.growth_low == found.growth_high == 1:
        return f"the same factor at every compute, because {', '.join(shared)} are shared: assumed, not found"
    if found.growth_low is None or found.growth_high is None:
        return f"{first}, {last}"
    ends = f"{_percent(found.level)}: {span(found.growth_low, found.growth_high)}"
    change = f"{first}, {last}; x {factor(found.growth)} ({ends})"
    better = float(found.multiplier[-1]) < 1
    if found.growth_high < 1:
        return f"{'its advantage grows' if better else 'it catches up'} with compute: {change}"
    if found.growth_low > 1:
        return f"{'its advantage shrinks' if better else 'it falls behind'} with compute: {change}"
    return f"whether that grows is not known: {change}"


def _table(
    reference: str,
    names: Sequence[str],
    shared: Sequence[str],
    multipliers: Mapping[str, ComputeMultiplier],
    separately: Mapping[str, ComputeMultiplier],
    verbose: bool,
) -> Iterator[str]:
    """Write multipliers, a line for each recipe and compute; what lies beyond the runs is marked."""
    yield f"compute over that of {_cut(reference, 40)} at C, for its best loss there"
    own = f"shared {', '.join(shared)}" if shared else "nothing shared"
    rows = [
        [
            "",
            "C",
            "loss",
            own,
            "95 %",
            "nothing shared" if separately else "",
            "95 %" if separately else "",
        ]
    ]
    beyond = False
    for name in names:
        found = multipliers[name]
        if found.level != 0.95:
            rows[0][4] = _percent(found.level)
        for k in _shown(found, len(names), verbose):
            mark = "" if found.inside[k] else " !"
            beyond |= bool(mark)
            row = [
                _cut(name, _NAME),
                f"{scientific(float(found.compute[k]))}{mark}",
                f"{found.loss[k]:.4g}",
                *_cells(found, k),
            ]
            rows.append([*row, *(_cells(separately[name], k) if separately else ("", ""))])
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = [cell.ljust(width) for cell, width in zip(row, widths, strict=True) if width]
        yield f"  {'  '.join(cells)}".rstrip()
    if beyond:
        yield "  ! beyond the runs of both: intervals hold there only if the law does"


def _shown(found: ComputeMultiplier, recipes: int, verbose: bool) -> list[int]:
    """Return which computes are shown: all of a single recipe, else the largest inside and those beyond that there is room for."""
    every = list(range(found.compute.size))
    most = _PLACES.get(recipes, 1)
    if verbose or found.compute.size <= most:
        return every
    inside = np.flatnonzero(found.inside)
    start = int(inside[-1]) if inside.size and most < 4 else 0
    return every[start : start + most]


def _cells(found: ComputeMultiplier, k: int) -> tuple[str, str]:
    m = factor(float(found.multiplier[k]))
    if found.low is None or found.high is None:
        return m, ""
    return m, span(float(found.low[k]), float(found.high[k]))


def _sharing(test: SharingTest, shared: Sequence[str], chosen: bool) -> Iterator[str]:
    """Write the test, and what followed from it."""
    yield from test.summary().split("\n")
    if test.rejected:
        yield (
            "  they are shared because you asked: the runs say otherwise; try --shared none"
            if shared
            else "  so nothing is shared"
        )
    elif not shared and chosen:
        yield "  nothing is shared, as you asked"


def parameter_lines(
    fits: Mapping[str, Fit], formula: str, shared: Sequence[str], names: Sequence[str]
) -> Iterator[str]:
    """Write the parameters of recipes in a table."""
    yield f"{_cut(formula, 60)}; shared: {', '.join(shared) or 'nothing'}"
    head = ["", "runs", *next(iter(fits.values())).names, "rms"]
    rows = [head]
    for name in names:
        found = fits[name]
        values = [scientific(value, 3) for value in found.parameters.values()]
        rows.append([_cut(name, _NAME), str(len(found)), *values, f"{100 * found.rms:.2g} %"])
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = [row[0].ljust(widths[0])]
        cells += [cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True)]
        yield f"  {'  '.join(cells)}".rstrip()


def _cut(text: str, width: int) -> str:
    return text if len(text) <= width else f"{text[: width - 3]}..."
