"""What panels have in common: laws in words, curves in decades, and warnings that are read instead of printed."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from html import escape

import numpy as np

from ... import theory
from ...errors import AccuracyWarning, ExtrapolationWarning, StabilityWarning
from ..answers import Array

_WORDS = (AccuracyWarning, ExtrapolationWarning, StabilityWarning)


@cache
def told(*names: str) -> str:
    """Tell laws and how they are derived."""
    return "".join(_told(name) for name in names)


def _told(name: str) -> str:
    law = theory.law(name)
    line = (
        f"<p>{escape(law.statement)} "
        f"(<code>{escape(law.name)}</code>, {escape(str(law.standing))})</p>"
    )
    if law.derivation is None:
        return line
    summary = "The derivation, each step checked by machine"
    return f"{line}<details><summary>{summary}</summary>{law.derivation._repr_html_()}</details>"


@contextmanager
def heard() -> Iterator[list[str]]:
    """Collect the package's warnings as words, each once; others are passed on."""
    words: list[str] = []
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        yield words
    for entry in caught:
        if not issubclass(entry.category, _WORDS):
            warnings.warn_explicit(entry.message, entry.category, entry.filename, entry.lineno)
        elif str(entry.message) not in words:
            words.append(str(entry.message))


def decades(low: float, high: float, each: int) -> Array:
    """Return numbers from `low` to `high`, so many to a decade.

    Examples
    --------
    >>> decades(1, 100, 1)
    array([  1.,  10., 100.])
    """
    count = max(round(float(np.log10(high / low)) * each), 1) + 1
    return np.geomspace(low, high, count)
