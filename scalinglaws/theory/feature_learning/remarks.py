"""What the theory of feature learning has to say about a solver's task, in a line."""

from __future__ import annotations

from typing import Any

from ...arguments import number
from .. import law

__all__ = ["compute_frontier"]


def compute_frontier(*, alpha: Any, beta: Any, **others: Any) -> str:
    """Name the compute-optimal regime of a task when features learn, and its exponents.

    Parameters
    ----------
    alpha, beta : float
        Of the task.
    **others
        Change nothing.

    Returns
    -------
    str
        One line.

    Examples
    --------
    >>> compute_frontier(alpha=1.5, beta=0.5)
    'hard: loss C^-0.3529, features C^0.4706 for a positive richness (feature_learning.compute)'
    """
    loss, size = law("feature_learning.compute"), law("feature_learning.compute_model")
    values = {"alpha": alpha, "beta": beta}
    for name, value in values.items():
        number(name, value)
    exponents = f"loss C^-{float(loss(**values)):.4g}, features C^{float(size(**values)):.4g}"
    return (
        f"{loss.regime(**values)}: {exponents} for a positive richness (feature_learning.compute)"
    )
