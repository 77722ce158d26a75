"""What pictures of tables say in words: what is on the axes, what lies beyond them, and which curves coincide."""

from __future__ import annotations

import itertools
import math
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..formatting import typeset

if TYPE_CHECKING:
    from ._figures import Curve, Picture

Array = NDArray[np.float64]

SAME = 4e-3  # relative, curves closer than the line is wide
MOST_SAID = 3  # notes of a kind, about one panel
UP, DOWN, LEFT, RIGHT = "▲▼◀▶"
ERROR = "standard_error"
_TECHNICAL = ("non-decreasing", "broadcast", "both broadcast")


def distinct(curves: list[Curve]) -> tuple[list[Curve], list[tuple[Curve, Curve]]]:
    """Separate the curves that are seen from those that another one hides, with that one."""
    seen: list[Curve] = []
    hidden = []
    for curve in curves:
        twin = next((other for other in seen if curve.like(other)), None)
        if twin is None:
            seen.append(curve)
        else:
            hidden.append((curve, twin))
    return seen, hidden


def coinciding(picture: Picture, hidden: list[tuple[Curve, Curve]], choices: int) -> list[str]:
    """Say which curves coincide, of so many choices of the other arguments."""
    columns: dict[str, list[str]] = {}
    values: dict[str, list[str]] = {}
    for curve, twin in hidden:
        here, there = where_given(picture, curve), where_given(picture, twin)
        if curve.key == twin.key:
            values.setdefault(f"{words(curve.key)}: the same curve for {there}", []).append(here)
        else:
            sign = "=" if np.array_equal(curve.y, twin.y, equal_nan=True) else "≈"
            of = f" of {there}" if curve.chosen != twin.chosen else ""
            what = f"{words(curve.key)} {sign} {words(twin.key)}{of}{_reason(picture, curve)}"
            columns.setdefault(what, []).append(here)
    notes = []
    for what, where in columns.items():
        throughout = len(where) == choices
        notes.append(f"{what}: one curve" if throughout else f"{what} for {_listed(where)}")
    notes += [f"{what} and {_listed(where)}" for what, where in values.items()]
    return _few(notes, "curves that coincide")


def close(picture: Picture, seen: list[Curve]) -> list[str]:
    """Say where two losses of a run can hardly be told apart, if that is most of the way."""
    notes = []
    for curve, other in itertools.combinations(seen, 2):
        if curve.position == other.position and not picture.others:
            near = np.isclose(curve.y, other.y, rtol=SAME, atol=0) & np.isfinite(curve.y)
            if np.mean(near) > 0.5:
                notes.append(
                    f"{words(other.key)} ≈ {words(curve.key)} at {words(picture.along)} = "
                    f"{_ranges(curve.x, near)}"
                )
    return notes


def _listed(where: list[str]) -> str:
    """Write some choices, or say how many there are."""
    return "; ".join(where) if len(where) <= MOST_SAID else f"{len(where)} others"


def _reason(picture: Picture, curve: Curve) -> str:
    """Say why the test and the train loss are the same, where samples are unlimited."""
    samples: Any = picture.constant.get("samples")
    if "samples" in picture.others:
        samples = curve.chosen[picture.others.index("samples")]
    return " (samples unlimited: P infinite)" if samples == math.inf else ""


def beyond_axes(
    picture: Picture, beyond: dict[tuple[str, str], list[tuple[Curve, Array]]]
) -> list[str]:
    """Say what lies beyond the edges, and where there is nothing."""
    notes, argument = [], words(picture.along)
    for (side, key), found in beyond.items():
        if side in (LEFT, RIGHT):
            edge = "0" if side == LEFT else "∞"
            where = "left" if side == LEFT else "right"
            notes.append(f"{side} {argument} = {edge}, {where} of the axis: values at the edge")
            continue
        value = {UP: "infinite", DOWN: "0", "": "not defined"}[side]
        least = max(float(curve.y[at].max()) for curve, at in found) if side == DOWN else 0.0
        if least != 0:
            value = "minus infinite" if least < 0 else f"up to {typeset(least, 2)}"
        said: dict[str, list[str]] = {}
        for curve, at in found:
            said.setdefault(_ranges(curve.x, at), []).append(where_given(picture, curve))
        lines, more = [], ", not on the axis" if side else ""
        for ranges, curves in said.items():
            of = f" ({', '.join(curves)})" if picture.others and len(curves) <= 4 else ""
            lines.append(f"{side} {words(key)} {value} at {argument} = {ranges}{of}{more}".strip())
        if len(lines) > MOST_SAID:
            lines = [f"{side} {words(key)} {value} on {len(found)} curves{more}".strip()]
        notes += lines
    return notes


def answers(picture: Picture) -> list[str]:
    """Say where a column is yes, and where it is no."""
    notes = []
    choices = list(zip(*(picture.columns[key] for key in picture.others), strict=True))
    for key in picture.told():
        x, yes = np.array(picture.columns[picture.along]), np.array(picture.columns[key])
        if yes.all() or not yes.any():
            notes.append(f"{words(key)}: {'yes' if yes.all() else 'no'} throughout")
            continue
        lines = []
        for chosen in dict.fromkeys(choices) or [()]:
            here = np.array([choice == chosen for choice in choices]) if choices else yes | True
            said = ", ".join(
                f"{word} at {words(picture.along)} = {_ranges(x[here], part[here])}"
                for word, part in (("yes", yes), ("no", ~yes))
                if part[here].any()
            )
            where = ", ".join(_given(*pair) for pair in zip(picture.others, chosen, strict=True))
            lines.append(f"{words(key)}{f' ({where})' if where else ''}: {said}")
        notes += _few(lines, f"curves on which it is said whether {words(key)}")
    return notes


def _few(lines: list[str], kind: str) -> list[str]:
    """Keep the first lines, and say how many there are."""
    if len(lines) <= MOST_SAID + 1:
        return lines
    return [*lines[:MOST_SAID], f"and {len(lines) - MOST_SAID} more {kind}"]


def _ranges(x: Array, at: NDArray[Any]) -> str:
    """Write where something happens: runs of neighboring values."""
    runs = []
    for inside, run in itertools.groupby(range(x.size), key=lambda i: bool(at[i])):
        if inside:
            members = list(run)
            first, last = typeset(float(x[members[0]])), typeset(float(x[members[-1]]))
            runs.append(first if len(members) == 1 else f"{first} to {last}")
    more = [f"{len(runs) - MOST_SAID} more"] if len(runs) > MOST_SAID + 1 else []
    return ", ".join([*runs[:MOST_SAID], *(more or runs[MOST_SAID:])])


def where_given(picture: Picture, curve: Curve) -> str:
    """Write the values at which a curve is drawn."""
    return ", ".join(_given(*pair) for pair in zip(picture.others, curve.chosen, strict=True))


def meanings(picture: Picture) -> list[str]:
    """Say what is on the axes and in the key, columns that mean the same together."""
    said: dict[str, list[str]] = {}
    columns = (*itertools.chain(*picture.panels()), *picture.told())
    for key, meaning in (
        *((key, picture.meanings.get(key, "")) for key in columns),
        *(
            (key, picture.arguments.get(key, picture.meanings.get(key, "")))
            for key in picture.varied
        ),
    ):
        if meaning:
            said.setdefault(_first(meaning), []).append(words(key))
    notes = [f"{', '.join(dict.fromkeys(keys))}: {meaning}" for meaning, keys in said.items()]
    if ERROR in picture.shown.columns:
        spread = np.array(picture.columns[ERROR], dtype=float)
        y = np.array(picture.columns[picture.shown.columns[0]], dtype=float)
        small = 100 * spread.max() < np.ptp(y[np.isfinite(y)], axis=0) if y.size > 1 else False
        more = ", smaller than the dots" if small else ""
        exact = ", which is 0 here: computed, not sampled"
        notes.append("bars: one standard error" + (more if np.any(spread > 0) else exact))
    return notes


def _first(text: str) -> str:
    """Return the first sentence, without what only matters to a program."""
    sentence = text.partition(". ")[0].removesuffix(".").replace("math.inf", "inf")
    clauses = sentence.split("; ")
    kept = [part for part in clauses if not part.lower().startswith(_TECHNICAL)]
    return "; ".join(kept or clauses)


def _given(name: str, value: Any) -> str:
    return f"{name} = {value if isinstance(value, str) else typeset(value)}"


def words(name: str) -> str:
    """Write a name as words."""
    return name.replace("_", " ")
