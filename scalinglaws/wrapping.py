"""Lines of words and formulas, broken where a reader would break them.

Words part at spaces; a formula parts, if it must, before its outermost plus, minus or relation, then at a product, and never
inside a name, a number or a power.
"""

from __future__ import annotations

import re

_OPEN, _CLOSE = "([{", ")]}"
_OPERATORS = (
    "+",
    "-",
    "−",
    "=",
    "<",
    ">",
    "<=",
    ">=",
    "≤",
    "≥",
    "~",
    "∼",
    "≡",
    ":=",
    "|",
    "&",
    "·",
    "≠",
)
_LOOSE = (":=", "=", "~", "∼", "≡")  # relations, at which a line may rather break than at a sum
_INDENT = 4  # of what follows, beyond the line's own
_NARROWEST = 20
_SHORT = 16  # what a broken line should hold at least


def wrapped(text: str, width: int) -> str:
    """Break the lines of a text that are longer than a width; what follows is indented.

    Parameters
    ----------
    text : str
        Lines of words and formulas.
    width : int
        Columns, at least 20.

    Returns
    -------
    str
        No line is longer, but for words and names that are.

    Examples
    --------
    >>> print(wrapped("    g = alpha*beta/(alpha*beta + 1), c = gamma(beta)*(1 + beta)", 40))
        g = alpha*beta/(alpha*beta + 1),
            c = gamma(beta)*(1 + beta)
    """
    return "\n".join(
        part for line in text.split("\n") for part in _broken(line, max(width, _NARROWEST))
    )


def _broken(line: str, width: int) -> list[str]:
    """Break one line."""
    if len(line) <= width:
        return [line]
    indent = len(line) - len(line.lstrip()) + _INDENT
    found: list[str] = []
    rest = line
    while len(rest) > width:
        place = _best(rest, width, len(rest) - len(rest.lstrip()))
        if place is None:
            break
        found.append(rest[:place].rstrip())
        rest = " " * min(indent, width // 2) + rest[place:].lstrip()
    return [*found, rest]


def _best(line: str, width: int, start: int) -> int | None:
    """Choose where to break: outside brackets rather than inside, words rather than formulas, late rather than early."""
    depth, places = 0, []
    formulas = _formulas(line)
    for place, character in enumerate(line):
        if place > width:
            break
        if place > start and (cost := _cost(line, place)) is not None:
            inside = any(low < place < high for low, high in formulas)
            short = 100 if place - start < _SHORT else 0
            places.append(
                (cost + 30 * depth + (25 if inside else 0) + short + (width - place), -place)
            )
        depth += (character in _OPEN) - (character in _CLOSE)
    if places:
        return -min(places)[1]
    later = (place for place in range(width, len(line)) if _cost(line, place) == 0)
    return next(later, None)


def _cost(line: str, place: int) -> int | None:
    """Tell what it costs to break in front of a place; None where a line must not break."""
    before, after = line[place - 1], line[place]
    if before == " " and after != " ":
        word, last = line[place:].split(" ", 1)[0], line[:place].split()[-1:]
        if word in _OPERATORS:
            return 10 if word in _LOOSE else 15
        return 45 if last and last[0] in _OPERATORS else 0
    product = before == "*" and after != "*" and line[place - 2 : place] != "**"
    if product or before == "·":
        return 40
    if after == "/" and before != " ":
        return 45
    return None


def _formulas(line: str) -> list[tuple[int, int]]:
    """Find where formulas stand: words that operators join."""
    words = [(found.start(), found.end()) for found in re.finditer(r"\S+", line)]
    joined: list[tuple[int, int]] = []
    for number, (low, high) in enumerate(words):
        if line[low:high] in _OPERATORS and 0 < number < len(words) - 1:
            start, end = words[number - 1][0], words[number + 1][1]
            if joined and joined[-1][1] >= start:
                joined[-1] = (joined[-1][0], end)
            else:
                joined.append((start, end))
    return joined
