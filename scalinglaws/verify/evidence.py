"""What stands behind each law: simulation, data, our own solver, or nothing yet."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from ..reprs import short_repr
from ..theory.catalogue import CATALOGUE
from .registry import registered

NONE = "none"
_BEST_FIRST = ("simulation", "data", "exact", "literature", NONE)

_FORM = "a form that people fit: runs drawn from it test what follows from it, whether losses have it only measured runs can say"

UNREACHABLE: dict[str, str] = {
    **dict.fromkeys(
        (
            "empirical.bnsl",
            "empirical.chinchilla",
            "empirical.hestness",
            "empirical.kaplan",
            "empirical.kaplan_batch",
            "empirical.kaplan_reconciliation",
            "empirical.kaplan_steps",
            "empirical.power",
            "empirical.surface_power",
            "empirical.three_region",
        ),
        _FORM,
    ),
    "empirical.rosenfeld": "a form that people fit: for small losses it is the additive surface, which is checked, and its envelope is a "
    "definition",
}
"""Why no simulation can put a law to the test, for each law that `exact` evidence alone supports, or none does."""


@short_repr
@dataclass(frozen=True)
class LawEvidence:
    """What stands behind a law.

    Attributes
    ----------
    law : str
        Its name.
    standing : str
        ``"derived"``, ``"ansatz"`` and so on, as `scalinglaws.theory.Law.standing`.
    kind : str
        The best kind of evidence that a check brings: ``"simulation"``, ``"data"``, ``"exact"``, where only our solver stands
        against the law, ``"literature"`` or ``"none"``.
    checks : tuple of str
        Names of the checks that bring it.
    reason : str
        Why no simulation puts the law to the test; empty where one does.
    """

    law: str
    standing: str
    kind: str
    checks: tuple[str, ...]
    reason: str = ""

    @property
    def simulated(self) -> bool:
        """Whether something that knows no theory has put the law to the test: a simulation, or measured data."""
        return self.kind in ("simulation", "data")


def laws_by_evidence() -> tuple[LawEvidence, ...]:
    """List the laws with the best evidence that checks bring for each.

    It is counted from what checks declare (`scalinglaws.verify.check`), and runs none of them; a check that needs full effort
    counts.

    Returns
    -------
    tuple of LawEvidence
        One for each law of the catalogue, in alphabetical order.

    Examples
    --------
    >>> {entry.law: entry.kind for entry in laws_by_evidence()}["manifold.nearest_neighbor"]
    'simulation'
    """
    brought: dict[str, dict[str, list[str]]] = {law: {} for law in CATALOGUE}
    for name, entry in registered().items():
        for law, kind in entry.evidence.items():
            brought[law].setdefault(kind, []).append(name)
    return tuple(
        LawEvidence(
            law,
            CATALOGUE[law].standing,
            (best := min(kinds or {NONE: []}, key=_BEST_FIRST.index)),
            tuple(kinds.get(best, ())),
            UNREACHABLE.get(law, ""),
        )
        for law, kinds in sorted(brought.items())
    )


def count_evidence(entries: Sequence[LawEvidence]) -> str:
    """Say in one sentence how many laws have which kind of evidence.

    Parameters
    ----------
    entries : sequence of LawEvidence
        As `laws_by_evidence` lists them.

    Returns
    -------
    str
        The sentence.
    """
    kinds = Counter(entry.kind for entry in entries)
    forms = sum(entry.kind == NONE and entry.standing == "ansatz" for entry in entries)
    words = {
        "exact": "rest on our own solver alone",
        "literature": "on published numbers alone",
        NONE: f"without a check (ansatz: {forms})",
    }
    parts = [f"{kinds[kind]} {word}" for kind, word in words.items() if kinds[kind]]
    head = f"{kinds['simulation'] + kinds['data']} of {len(entries)} laws are put to the test by simulation or data"
    return "; ".join([head, *parts])
