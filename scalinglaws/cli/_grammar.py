"""Reading ``name=value`` arguments."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from fractions import Fraction

from ..errors import DomainError
from ..parsing import spelled_out

MAX_ROWS = 100_000
"""Largest grid that a command computes."""


def pairs(tokens: Sequence[str]) -> dict[str, str]:
    """Split ``name=value`` tokens; each name once, Greek letters by their names."""
    found: dict[str, str] = {}
    for token in tokens:
        name, sign, value = token.partition("=")
        if not sign or not name or not value:
            raise DomainError(
                f"{token!r} must have the form name=value, without blanks",
                argument="values",
                value=token,
            )
        name = spelled_out(name)
        if name in found:
            raise DomainError(f"{name} is given twice", argument=name, value=value)
        found[name] = value
    return found


_SIZES = {"k": "e3", "K": "e3", "M": "e6", "B": "e9", "G": "e9", "T": "e12"}


def _meant(text: str) -> str:
    """Write a number that has a letter for its size (70B), or a power of ten (10^9, 3*10**9), as it is read; empty for others."""
    if found := re.fullmatch(r"(\d+(?:\.\d*)?|\.\d+)([kKMBGT])", text):
        return found[1] + _SIZES[found[2]]
    if found := re.fullmatch(r"(?:(\d+(?:\.\d*)?)[*x×·])?10(?:\*\*|\^)(\d+)", text):
        return f"{found[1] or 1}e{found[2]}"
    return ""


def fraction(name: str, text: str, *, zero: bool = False) -> Fraction:
    """Read an exact number, of a size that a float could hold too; zero only where it is allowed."""
    try:
        if zero and Fraction(text) == 0:
            return Fraction(0)
        if not 1e-300 < abs(float(text) if "/" not in text else 1.0) < 1e300:
            raise ValueError
        return Fraction(text)
    except (ValueError, ZeroDivisionError):
        raise DomainError(
            f"{name} = {text!r} is not a nonzero number of ordinary size: write "
            + (_meant(text) or "3/2, 1.5 or 2")
            + (", one for each name" if "," in text or ":" in text else ""),
            argument=name,
            value=text,
        ) from None


def to_float(name: str, text: str) -> float:
    """Read a number, fractions and ``inf`` included."""
    try:
        return float(text) if "/" not in text else float(Fraction(text))
    except (ValueError, ZeroDivisionError):
        raise DomainError(
            f"{name} = {text!r} is not a number: write "
            + (_meant(text) or "0.5, 1/2, 1e9, inf, a list 1,2,5 or a logarithmic range 1e3:1e9"),
            argument=name,
            value=text,
        ) from None


def floats(name: str, text: str) -> list[float]:
    """Read one number, a list ``1,2,5``, or a logarithmic range ``low:high`` or ``low:high:count``."""
    if ":" not in text:
        return [to_float(name, part) for part in text.split(",")]
    parts = text.split(":")
    if len(parts) > 3:
        raise DomainError(
            f"{name} = {text!r}: a range is low:high or low:high:count", argument=name, value=text
        )
    low, high = (to_float(name, part) for part in parts[:2])
    if not (0 < low < math.inf and 0 < high < math.inf):
        raise DomainError(
            f"{name} = {text!r}: a logarithmic range needs positive finite ends; otherwise list numbers: 0,1,2",
            argument=name,
            value=text,
        )
    decades = math.log10(high) - math.log10(low)
    if len(parts) == 3 and not (parts[2].isdecimal() and int(parts[2]) >= 2):
        raise DomainError(
            f"{name} = {text!r}: the count must be a whole number >= 2", argument=name, value=text
        )
    count = int(parts[2]) if len(parts) == 3 else max(2, round(abs(decades)) + 1)
    if count > MAX_ROWS:
        raise DomainError(
            f"{name} = {text!r}: at most {MAX_ROWS} points", argument=name, value=text
        )
    exponents = (math.log10(low) + decades * i / (count - 1) for i in range(count))
    return [float(f"{10**exponent:.12g}") for exponent in exponents]
