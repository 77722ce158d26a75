"""Reading ``name=value`` arguments."""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction

from ..errors import DomainError
from ..parsing import spelled_number, spelled_out

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


def fraction(name: str, text: str, *, zero: bool = False) -> Fraction:
    """Read an exact number, of a size that a float could hold too; zero only where it is allowed."""
    spelled = spelled_number(text)
    try:
        if zero and Fraction(spelled) == 0:
            return Fraction(0)
        if not 1e-300 < abs(float(spelled) if "/" not in spelled else 1.0) < 1e300:
            raise ValueError
        return Fraction(spelled)
    except (ValueError, ZeroDivisionError):
        raise DomainError(
            f"{name} = {text!r} is not a nonzero number of ordinary size: write 3/2, 1.5, 2 or 7B"
            + (", one for each name" if "," in text or ":" in text else ""),
            argument=name,
            value=text,
        ) from None


def to_float(name: str, text: str) -> float:
    """Read a number, fractions, ``inf`` and a letter for its size (7B) included."""
    spelled = spelled_number(text)
    try:
        return float(spelled) if "/" not in spelled else float(Fraction(spelled))
    except (ValueError, ZeroDivisionError):
        raise DomainError(
            f"{name} = {text!r} is not a number: write 0.5, 1/2, 1e9, 7B, inf, a list 1,2,5 or a logarithmic range 1e3:1e9",
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
