"""What a fit would be with other choices: fewer runs, another threshold."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ....arguments import instance
from ....errors import DataError, DomainError, refusal
from ....formatting import scientific
from ....results import Result
from ._budgets import fitted_budgets
from ._fit import Points, _fitted
from ._laws import FitLaw
from ._optimum import optimal_point
from ._record import Fit
from ._requirements import enough

Array = NDArray[np.float64]

_DROPPED = (5, 10)  # highest losses
_LITERATURE = 1e-3  # threshold in published fits


@dataclass(frozen=True)
class Sensitivity(Result):
    """A fit, and what other choices would have made of it.

    Attributes
    ----------
    law : str
        The law.
    choices : ndarray of str, shape (k,)
        What was done: first the fit as it is.
    runs : ndarray of int, shape (k,)
        Points that were fitted.
    parameters : dict of str to ndarray, shape (k,)
        By name; NaN where the points left do not suffice.
    rms : ndarray, shape (k,)
        Root mean square of the residuals in ln L, of the points that were fitted.
    compute : float
        Ten times the largest compute of the runs; NaN where the law knows none.
    loss : ndarray, shape (k,)
        Loss of the compute-optimal model there; NaN likewise.
    params : ndarray, shape (k,)
        Its size; NaN likewise.
    """

    law: str
    choices: NDArray[np.str_]
    runs: NDArray[np.int64]
    parameters: dict[str, Array]
    rms: Array
    compute: float
    loss: Array
    params: Array


def sensitivity(fit: Fit) -> Sensitivity:
    """Fit again without the 5 and 10 highest losses, with a threshold of 0.001, by least squares, and without each budget.

    Parameters
    ----------
    fit : Fit
        To data.

    Returns
    -------
    Sensitivity
        The fit as it is in front. Where fewer points than parameters + 2 would be left, its entries are NaN.

    Raises
    ------
    DomainError
        If the fit has no data.

    Examples
    --------
    >>> from scalinglaws.verify import empirical
    >>> found = sensitivity(empirical.fit("surface", empirical.example_runs("synthetic"), bootstrap=0))
    >>> print(*found.choices[:6], sep=chr(10))
    as fitted
    without the 5 highest losses
    without the 10 highest losses
    delta 0.001
    least squares
    without the budget 1e19
    """
    instance("fit", fit, Fit)
    if not len(fit):
        raise refusal("fit", None, "has no data: it was made from parameters", named=False)
    law = fit.model
    compute = _beyond(fit)
    names, counts, rms = [], [], []
    points: list[tuple[float, float]] = []
    found: list[Array] = []
    for name, weights, delta in _choices(fit):
        try:
            other = refitted(fit, weights, delta)
        except DataError:
            other = None
        names.append(name)
        counts.append(int(np.count_nonzero(weights)))
        found.append(np.full(len(law.names), np.nan) if other is None else other.x)
        rms.append(math.nan if other is None else other.rms)
        points.append(
            (math.nan, math.nan)
            if other is None
            else _optimal(law, other.parameters, compute, fit.cost)
        )
    table = law.parameters(np.array(found))
    return Sensitivity(
        law=fit.law,
        choices=np.array(names),
        runs=np.array(counts, dtype=np.int64),
        parameters={name: np.asarray(values) for name, values in table.items()},
        rms=np.array(rms),
        compute=compute,
        loss=np.array([loss for loss, _ in points]),
        params=np.array([size for _, size in points]),
    )


def refitted(fit: Fit, weights: Array, delta: float) -> Fit:
    """Fit the law of a fit to its points again, with other weights and another threshold; refuse too few points.

    Parameters
    ----------
    fit : Fit
        To data.
    weights : ndarray, shape (n,)
        How much each point counts; 0 leaves it out.
    delta : float
        Threshold.

    Returns
    -------
    Fit
        Without samples.

    Raises
    ------
    DataError
        If too few points are left, or all have the same N, D or D/N.
    """
    law = fit.model
    data = Points(fit.columns, fit.losses, fit.runs)
    enough(law, fit.columns, weights)
    return _fitted(law, data, weights, delta, fit.envelope, fit.bounds, fit.fixed)


def _choices(fit: Fit) -> Iterator[tuple[str, Array, float]]:
    weights = fit.row_weights
    yield "as fitted", weights, fit.delta
    order = np.argsort(-fit.losses, kind="stable")
    for count in _DROPPED:
        kept = weights.copy()
        kept[order[:count]] = 0.0
        yield f"without the {count} highest losses", kept, fit.delta
    yield f"delta {_LITERATURE:g}", weights, _LITERATURE
    yield "least squares", weights, math.inf
    if fit.runs is not None:
        points, _, budgets = fitted_budgets(fit)
        if len(budgets) > 1:
            for k, place in enumerate(budgets.log10_compute):
                kept = weights.copy()
                kept[points[budgets.member == k]] = 0.0
                yield f"without the budget {scientific(10**place)}", kept, fit.delta


def _beyond(fit: Fit) -> float:
    if not {"N", "D"} <= set(fit.columns):
        return math.nan
    compute = fit.cost * fit.columns["N"] * fit.columns["D"]
    return 10 * float(np.max(compute if fit.runs is None else fit.runs.C))


def _optimal(
    law: FitLaw, parameters: dict[str, float], compute: float, cost: float
) -> tuple[float, float]:
    """Return loss and size of the best model; NaN where there is none."""
    if not math.isfinite(compute):
        return math.nan, math.nan
    try:
        size, _, loss = optimal_point(law, parameters, compute, cost)
    except DomainError:
        return math.nan, math.nan
    return float(loss), float(size)
