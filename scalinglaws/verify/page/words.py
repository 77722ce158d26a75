"""What the page says of verdicts and comparisons, in words and typeset numbers; how it is set out, the templates say.

What is returned as `Markup` may stand on the page as it is; everything else is escaped there.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import numpy as np
from markupsafe import Markup, escape

from ... import formatting
from ..comparison import Comparison
from ..rule import FAIL, PASS

GLYPHS = {PASS: "✓", FAIL: "✗", "inconclusive": "?", "underpowered": "?", "error": "!"}
"""A sign for every verdict, so that none is told by color alone."""

MEASURED = {
    "simulation": "simulation",
    "exact": "exact computation",
    "data": "data",
    "literature": "published",
}


def glyph(verdict: str) -> str:
    """Return the sign of a verdict."""
    return GLYPHS.get(verdict, "?")


def tone(verdict: str) -> str:
    """Return the class that colors a verdict: ``pass``, ``fail``, ``open`` or ``error``."""
    return verdict if verdict in (PASS, FAIL, "error") else "open"


def shortened(words: str, length: int) -> str:
    """Cut words that are too long for their place."""
    return words if len(words) <= length else words[: length - 1].rstrip() + "…"


def breakable(name: str) -> Markup:
    """Let a long name break after its dots and slashes.

    Examples
    --------
    >>> breakable("a.b/<c>")
    Markup('a.<wbr>b/<wbr>&lt;c&gt;')
    """
    return Markup(re.sub(r"([./_])(?=.)", r"\1<wbr>", str(escape(name))))


def counted(number: int, noun: str = "point") -> str:
    """Write a count: ``1 point``, ``2 points``."""
    return f"{number} {noun}{'' if number == 1 else 's'}"


def number(value: float, digits: int = 4) -> Markup:
    """Write a number, its power of ten raised."""
    return Markup(formatting.html(value, digits))


def uncertain(value: float, se: float) -> Markup:
    """Write a number with its error, to the second digit of the error.

    Examples
    --------
    >>> uncertain(2.95873, 0.0142), uncertain(5.0, 0.0)
    (Markup('2.959 ±&nbsp;0.014'), Markup('5 ±&nbsp;0'))
    """
    places = formatting.decimals(se)
    if places is None or abs(value) >= 1e6:
        return Markup("{} ±&nbsp;{}").format(number(value, 7), number(se, 1))
    return Markup("{} ±&nbsp;{}").format(
        formatting.minus(f"{value:.{places}f}"), f"{se:.{places}f}"
    )


def relative(share: float) -> str:
    """Write a deviation in percent, with its sign."""
    return ("+" if share > 0 else "") + formatting.percent(share, 2 if abs(share) < 1 else 3)


def plain(value: Any) -> str:
    """Write what the environment says, which may be nested."""
    if value is None:
        return "none"
    if isinstance(value, float):
        return formatting.number(value, 6)
    if isinstance(value, Mapping):
        return ", ".join(f"{key}: {plain(entry)}" for key, entry in value.items())
    if isinstance(value, (list, tuple)):
        return ", ".join(map(plain, value))
    return str(value)


def prediction(comparison: Comparison) -> str:
    """Say what the theory predicts."""
    predicted = comparison.prediction
    if predicted.kind == "curve":
        return counted(np.size(predicted.value))
    value = float(predicted.value)
    if predicted.kind == "ranking":
        return (
            "the first is better" if value > 0 else "the second is better" if value < 0 else "a tie"
        )
    return uncertain(value, predicted.se) if predicted.se > 0 else number(value, 6)


def measured(comparison: Comparison) -> str:
    """Say what was measured."""
    found = comparison.measurement
    if comparison.prediction.kind == "curve":
        return counted(np.size(found.value))
    return uncertain(float(found.value), float(found.se))


def differences(comparison: Comparison) -> list[str]:
    """Write the difference and the ends of its interval: in percent for a curve, else to the second digit of its error."""
    outcome = comparison.outcome
    low, high = outcome.interval
    values = (outcome.difference, low, high)
    if outcome.worst is not None:
        return [relative(value) for value in values]
    places = formatting.decimals(max((high - low) / 2, 1e-300))
    return [_signed(value, places) for value in values]


def _signed(value: float, places: int | None) -> str:
    """Write a number with its sign; one that needs too many decimals with a power of ten."""
    if places is None or abs(value) >= 1e5:
        return Markup("+" if value > 0 else "") + number(value, 2)
    return formatting.minus(f"{value:+.{places}f}")


def tolerance(comparison: Comparison) -> str:
    """Write the tolerance, in percent if it is relative."""
    if comparison.tolerance_kind == "absolute":
        return number(comparison.tolerance)
    return formatting.percent(comparison.tolerance)


def evidence(comparison: Comparison) -> str:
    """Say what kind of evidence a comparison is."""
    if comparison.evidence == "literature":
        return "published, no evidence for the code"
    return MEASURED.get(comparison.evidence, comparison.evidence)


def window(comparison: Comparison) -> list[Markup]:
    """Write the ends of the window, or nothing where it is a point."""
    low, high = comparison.measurement.window
    return [number(end, 2 if end >= 1e5 else 4) for end in (low, high)] if low < high else []


def worst_place(comparison: Comparison, x_name: str) -> str:
    """Say where a curve is worst."""
    worst, x = comparison.outcome.worst or 0, comparison.prediction.x
    if x is None:
        return f"{x_name} {worst + 1}"
    return f"{x_name} = {formatting.typeset(float(np.asarray(x)[worst]))}"
