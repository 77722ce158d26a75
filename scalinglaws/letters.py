"""Greek letters, which people type by name or as they are."""

from __future__ import annotations

import unicodedata

GREEK = frozenset(
    [
        *("alpha", "beta", "gamma", "delta", "epsilon", "zeta", "eta", "theta", "iota", "kappa"),
        *("lambda", "mu", "nu", "xi", "pi", "rho", "sigma", "tau", "upsilon", "phi", "chi", "psi"),
        "omega",
    ]
)
"""Names of symbols."""


def greek_name(sign: str) -> str:
    """Return the name of a Greek letter, that of a capital with a capital; empty for any other sign.

    Examples
    --------
    >>> greek_name("λ"), greek_name("Σ"), greek_name("x")
    ('lambda', 'Sigma', '')
    """
    kind, _, letter = unicodedata.name(sign, "").partition(" LETTER ")
    name = letter.lower().replace("lamda", "lambda").removeprefix("final ")
    if name not in GREEK or kind not in ("GREEK SMALL", "GREEK CAPITAL"):
        return ""
    return name if kind == "GREEK SMALL" else name.capitalize()
