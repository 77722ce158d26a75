"""Formulas in words that the package prints in plain characters, set as formulas for pages."""

from __future__ import annotations

import re

from scalinglaws.letters import GREEK

_TOKEN = re.compile(r"\d+(?:\.\d+)?|[A-Za-z]+(?:_[A-Za-z0-9]+)*'*|[\^*/+\-=~()|]")
_WORDS = {"sum": r"\sum", "exp": r"\exp", "log": r"\log", "sqrt": r"\surd", "star": "*"}
_JOINING = {"*": r"\,", "/": "/", "+": "+", "-": "-", "=": "=", "~": r"\sim "}


def set_formulas(words: str) -> str:
    r"""Put formulas among words between dollar signs, as LaTeX; everything else stays as it is.

    Examples
    --------
    >>> print(set_formulas("eigenvalues fall as k^-alpha, signal as k^-(alpha*beta + 1)"))
    eigenvalues fall as $k^{-\alpha}$, signal as $k^{-(\alpha\,\beta+1)}$
    >>> print(set_formulas("a patch has d^s inputs"))
    a patch has $d^{s}$ inputs
    """
    found, place = [], 0
    while place < len(words):
        fresh = place == 0 or not (words[place - 1].isalnum() or words[place - 1] in "_'")
        read = _Reading(words, place).formula() if fresh else None
        if read is None:
            found.append(words[place])
            place += 1
            continue
        latex, place = read
        found.append(f"${latex}$")
    return "".join(found)


class _Reading:
    """A formula read from some place on: factors, and what joins them."""

    def __init__(self, words: str, place: int) -> None:
        self.words, self.start, self.place = words, place, place

    def formula(self) -> tuple[str, int] | None:
        """Return the longest formula that begins here, and where it ends; None for words."""
        latex = self._sum()
        if latex is None:
            return None
        typed = self.words[self.start : self.place]
        names = re.findall(r"[A-Za-z]+", typed)
        told = "^" in typed or "_" in typed or any(name in GREEK for name in names)
        share = re.search(r"(?:\b[A-Za-z]|\d)/(?:[A-Za-z]\b|\d)", typed) and names
        return (latex, self.place) if told or share else None

    def _token(self, blank: bool) -> str:
        """Return the next token, which may stand behind a blank."""
        place = self.place
        if blank and self.words[place : place + 1] == " ":
            place += 1
        found = _TOKEN.match(self.words, place)
        return found[0] if found else ""

    def _take(self, token: str) -> None:
        self.place = self.words.index(token, self.place) + len(token)

    def _sum(self) -> str | None:
        """Read factors side by side, or joined by signs."""
        latex = self._power()
        while latex is not None:
            before = self.place
            sign = self._token(blank=True)
            joined = _JOINING.get(sign, "")
            if joined:
                self._take(sign)
                self.place += self.words[self.place : self.place + 1] == " "
            elif sign and sign != ")" and self.words[self.place : self.place + 1] == " ":
                self.place += 1
            elif sign != "(" and not (sign[:1].isalpha() and latex[-1:].isdigit()):
                return latex
            more = self._power()
            if more is None:
                self.place = before
                return latex
            gap = "" if joined or latex[-1:] in "}'" or not latex[-1:].isalpha() else " "
            latex += (joined or gap) + more
        return None

    def _power(self) -> str | None:
        base = self._factor()
        if base is None or self._token(blank=False) != "^":
            return base
        self._take("^")
        sign = "-" if self._token(blank=False) == "-" else ""
        if sign:
            self._take("-")
        power = self._factor(exponent=True)
        if power is None:
            return None
        bare = power[1:-1] if not sign and power[0] == "(" and power[-1] == ")" else power
        return f"{base}^{{{sign}{bare}}}"

    def _factor(self, exponent: bool = False) -> str | None:
        token = self._token(blank=False)
        if token in ("(", "|"):
            before, closing = self.place, ")" if token == "(" else "|"
            self._take(token)
            sign = "-" if self._token(blank=False) == "-" else ""
            if sign:
                self._take("-")
            inner = self._sum()
            if inner is None or self._token(blank=False) != closing:
                self.place = before
                return None
            self._take(closing)
            left, right = ("(", ")") if closing == ")" else (r"\lvert ", r"\rvert")
            return f"{left}{sign}{inner}{right}"
        latex = _name(token, exponent)
        if latex is None:
            return None
        after = self.words[self.place + len(token) :]
        if token in ("a", "A", "I") and not exponent and not re.match(r"[\^*/]| [=|/]", after):
            return None  # a word
        self._take(token)
        return latex


def _name(token: str, exponent: bool) -> str | None:
    """Write a number or the name of a symbol; None for a word."""
    if token[:1].isdigit():
        return token
    if not token[:1].isalpha():
        return None
    bare = token.rstrip("'")
    head, *below = bare.split("_")
    if not (len(head) == 1 or head.lower() in GREEK or head in _WORDS or below or exponent):
        return None
    written = _letter(head) + "'" * (len(token) - len(bare))
    return written + (f"_{{{','.join(map(_letter, below))}}}" if below else "")


def _letter(name: str) -> str:
    if name in _WORDS:
        return _WORDS[name]
    if name.lower() in GREEK or name == "ell":
        return f"\\{name}"
    return name if len(name) == 1 or name.isdigit() else rf"\mathrm{{{name}}}"
