"""What the theory of feature learning has to say about a solver's task, in a line."""

from __future__ import annotations

from typing import Any

from ...arguments import number
from .. import law
from ..catalogue import Remark

__all__ = ["compute_frontier"]


def compute_frontier(*, alpha: Any, beta: Any, richness: Any = None, **others: Any) -> Remark:
    """Name the compute-optimal regime of a task when features learn, and its exponents.

    Parameters
    ----------
    alpha, beta : float
        Of the task.
    richness : float, optional
        What is said holds for any above zero.
    **others
        Change nothing.

    Returns
    -------
    Remark
        One line, with the powers of compute in it where the richness is known to be positive.

    Examples
    --------
    >>> compute_frontier(alpha=1.5, beta=0.5)
    'hard: loss C^-0.3529, features C^0.4706 for a positive richness (feature_learning.compute)'
    """
    values = {"alpha": alpha, "beta": beta}
    for name, value in values.items():
        number(name, value)
    loss, size, time = (
        float(law(f"feature_learning.{name}")(**values))
        for name in ("compute", "compute_model", "compute_time")
    )
    regime = law("feature_learning.compute").regime(**values)
    rich = richness is not None and number("richness", richness) > 0
    return Remark(
        f"{regime}: loss C^-{loss:.4g}, features C^{size:.4g} for a positive richness (feature_learning.compute)",
        {"loss": -loss, "features": size, "time": time} if rich else {},
    )
