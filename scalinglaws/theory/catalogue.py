"""The table of laws: where each is built, and what it states in one line.

Listing imports no SymPy; a law's module is loaded when the law is asked for.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Entry:
    """A line of the catalogue.

    Attributes
    ----------
    builder : str
        ``"module:function"``; the function takes no arguments and returns the law.
    statement : str
        What the law says.
    """

    builder: str
    statement: str


CATALOGUE: dict[str, Entry] = {
    "linear.time": Entry(
        "scalinglaws.theory.linear.laws:time_law",
        "loss of the lazy linear model against training time, features and samples unlimited",
    ),
    "linear.data": Entry(
        "scalinglaws.theory.linear.laws:data_law",
        "loss of the lazy linear model against the number of samples, trained to convergence without ridge or noise",
    ),
    "linear.model": Entry(
        "scalinglaws.theory.linear.laws:model_law",
        "loss of the lazy linear model against the number of random features, samples and time unlimited",
    ),
}
