"""What the theory of percolation has to say about a solver's task, in a line."""

from __future__ import annotations

import math
from typing import Any

from ...arguments import number
from .. import law
from ..catalogue import Remark

__all__ = ["data_loss", "data_loss_expansion", "zipf_model_loss"]


def zipf_model_loss(*, alpha: Any = 0.0, exponent: Any = 0.0, **others: Any) -> Remark:
    """Name what limits a model of these clusters, and the exponent of its loss.

    Parameters
    ----------
    alpha : float
        Of the weights, k^-(1 + alpha).
    exponent : float
        With which a cluster is learned.
    **others
        Change nothing.

    Returns
    -------
    Remark
        One line; empty where the law does not apply.

    Examples
    --------
    >>> zipf_model_loss(alpha=1, exponent=0.5)
    'smoothness-limited: loss n^-0.5 (percolation.model)'
    """
    return _regime("percolation.model", "n", alpha, exponent)


def data_loss(
    *,
    alpha: Any = 0.0,
    exponent: Any = 0.0,
    sampling: Any = 1.0,
    support: Any = math.inf,
    **others: Any,
) -> Remark:
    """Name what limits learning from samples of these clusters, and the exponent of the loss.

    Parameters
    ----------
    alpha : float
        Of the weights, k^-(1 + alpha).
    exponent : float
        With which a cluster is learned.
    sampling : float
        Power of the weights by which samples are drawn.
    support : float
        The largest rank that is drawn.
    **others
        Change nothing.

    Returns
    -------
    Remark
        One line; empty where the law does not apply.

    Examples
    --------
    >>> data_loss(alpha=1, exponent=0.5)
    'boundary of both limits: loss P^-0.5 log P (percolation.data)'
    >>> data_loss(alpha=1, exponent=1, sampling=0.75)
    'cluster-limited: loss P^-0.6667 (percolation.sampling)'
    """
    theta = number("sampling", sampling)
    if support != math.inf:
        return Remark("")
    if theta == 1.0:
        return _regime("percolation.data", "P", alpha, exponent)
    return _regime("percolation.sampling", "P", alpha, exponent, theta=theta)


def data_loss_expansion(**values: Any) -> Remark:
    """Name what limits learning from samples, as for `data_loss`."""
    return data_loss(**values)


def _regime(name: str, variable: str, alpha: Any, exponent: Any, **more: float) -> Remark:
    number("alpha", alpha)
    number("exponent", exponent, infinite=True)
    if not (alpha > 0 and 0 < exponent < math.inf):
        return Remark("")
    found, values = law(name), {"alpha": alpha, "beta": exponent, **more}
    if any(not power * (1 + alpha) > 1 for power in more.values()):
        return Remark("")
    regime, power = found.regime(**values), found.log_power(**values)
    limit = "boundary of both limits" if regime == "boundary" else regime
    logarithm = (
        ""
        if not power
        else f" log {variable}"
        if power == 1
        else f" (log {variable})^{float(power):.4g}"
    )
    exponent = float(found(**values))
    return Remark(
        f"{limit}: loss {variable}^-{exponent:.4g}{logarithm} ({name})",
        {} if power else {"loss": -exponent},
    )
