"""What the theory of the lazy linear model has to say about a solver's task, in a line: Gaussian features are assumed."""

from __future__ import annotations

from typing import Any

from ...arguments import number, text
from .. import law
from ..catalogue import Remark

__all__ = ["compute_frontier"]


def compute_frontier(*, alpha: Any, beta: Any, dynamics: str = "sgd", **others: Any) -> Remark:
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
    Remark
        One line, with the powers of compute in it.

    Examples
    --------
    >>> compute_frontier(alpha=1.5, beta=0.5)
    'phase Ia: loss C^-0.3, features C^0.4 (linear.compute)'
    """
    if text("dynamics", dynamics) != "sgd":
        return Remark("the phases of linear.compute are those of dynamics=sgd")
    values = {"alpha": alpha, "beta": beta}
    for name, value in values.items():
        number(name, value)
    loss, size, time = (
        float(law(f"linear.{name}")(**values))
        for name in ("compute", "compute_model", "compute_time")
    )
    phase = law("linear.compute").regime(**values)
    return Remark(
        f"phase {phase}: loss C^-{loss:.4g}, features C^{size:.4g} (linear.compute)",
        {"loss": -loss, "features": size, "time": time},
    )
