"""What the theory of the lazy linear model has to say about a solver's task, in a line: Gaussian features are assumed."""

from __future__ import annotations

from typing import Any

from ...arguments import number, text
from .. import law

__all__ = ["compute_frontier"]


def compute_frontier(*, alpha: Any, beta: Any, dynamics: str = "sgd", **others: Any) -> str:
    """Name the compute-optimal phase of a task, and its exponents.

    Parameters
    ----------
    alpha, beta : float
        Of the task.
    dynamics : str
        The phases are derived for ``"sgd"``.
    **others
        Change nothing.

    Returns
    -------
    str
        One line.

    Examples
    --------
    >>> compute_frontier(alpha=1.5, beta=0.5)
    'phase Ia: loss C^-0.3, features C^0.4 (linear.compute)'
    """
    if text("dynamics", dynamics) != "sgd":
        return "the phases of linear.compute are those of dynamics=sgd"
    loss, size = law("linear.compute"), law("linear.compute_model")
    values = {"alpha": alpha, "beta": beta}
    for name, value in values.items():
        number(name, value)
    exponents = f"loss C^-{float(loss(**values)):.4g}, features C^{float(size(**values)):.4g}"
    return f"phase {loss.regime(**values)}: {exponents} (linear.compute)"
