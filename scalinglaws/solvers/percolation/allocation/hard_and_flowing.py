"""Allocation of a budget to clusters, exactly: one budget or many, with a bound that no allocation can beat."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ....arguments import Array, choice, flag, numbers
from ....equality import by_value
from ....errors import ConvergenceError, refusal
from ....reprs import short_repr
from ....results import Diagnostics, Result, Status
from ...catalogue import shows
from ..cluster_arguments import LAWS, afford_allocations, clusters
from . import inverse_loss, prefix_sums, water_filling

Value = float | Array
_EMPTY = np.empty(0)


@dataclass(frozen=True)
class Allocation(Result):
    r"""An optimal allocation.

    Attributes
    ----------
    n : float or ndarray
        The budget.
    allocation : ndarray or None
        Share of each cluster, in the order of the weights; the last axis runs over clusters.
    loss : float or ndarray
        Sum of weights times what is left unlearned.
    bound : float or ndarray
        Dual bound: no allocation has a smaller loss. Equal to the loss where the allocation is proven optimal.
    log_multiplier : float or ndarray
        Logarithm of what the loss falls by per unit of budget.
    included : int or ndarray
        Number of clusters that receive anything.
    diagnostics : Diagnostics
        ``error_estimate`` is the largest relative gap between loss and bound.
    """

    n: Value
    allocation: Array | None
    loss: Value
    bound: Value
    log_multiplier: Value
    included: int | NDArray[np.int64]
    diagnostics: Diagnostics

    def to_dataframe(self) -> Any:
        """Return a pandas data frame, one row per cluster for a single budget and one row per budget for many; needs pandas."""
        if np.ndim(self.n) == 0 or self.allocation is None:
            return super().to_dataframe()
        bare = Allocation(
            self.n,
            None,
            self.loss,
            self.bound,
            self.log_multiplier,
            self.included,
            self.diagnostics,
        )
        return bare.to_dataframe()


@short_repr
@dataclass(frozen=True)
@by_value
class PreparedAllocation:
    """Clusters of one exponent and one scale, sorted and summed, so that a budget costs microseconds.

    Attributes
    ----------
    weights : ndarray
        As given.
    exponent, scale : float
        Common to all clusters.
    law : str
        ``"hard"`` or ``"shifted"``.
    powers, sums, rest : ndarray
        In decreasing order of weight: w^(1/(1 + exponent)), its running sums, and the sums of the weights beyond each rank.
    count : int
        Number of positive weights.
    ranked : ndarray
        Weights in decreasing order.
    """

    weights: Array
    exponent: float
    scale: float
    law: str
    powers: Array
    sums: Array
    rest: Array
    count: int
    ranked: Array

    def solve(self, n: ArrayLike, *, with_allocation: bool = False) -> Allocation:
        """Return the optimum at budgets n, as `allocate` does.

        Parameters
        ----------
        n : array_like
            Budgets, >= 0; may be inf.
        with_allocation : bool
            Whether to return the shares of all clusters, which takes their number of operations.

        Returns
        -------
        Allocation
            The optimum.

        Raises
        ------
        DomainError
            If a budget is negative or not a number.
        ResourceError
            If the allocations would need more than the memory budget (``SCALINGLAWS_MEMORY``, 4 GB by default).
        """
        if (
            type(n) is float and n >= 0 and with_allocation is False
        ):  # the short way for loops over budgets
            j, loss, bound, level = prefix_sums.optimum(
                self._scaled(n),
                self.exponent,
                self.law == "shifted",
                self.powers,
                self.sums,
                self.rest,
                self.count,
            )
            gap = float((loss - bound) / loss) if loss > 0 else 0.0
            return Allocation(
                n,
                None,
                float(loss),
                float(bound),
                level - math.log(self.scale),
                j,
                _judged(gap, self.law),
            )
        budgets = numbers("n", n, low=0.0, infinite=True)
        flat = np.ascontiguousarray(budgets.reshape(-1))
        if flag("with_allocation", with_allocation):
            afford_allocations(flat.size, self.weights.size)
        answer = _Answer(flat.size, self.weights.size if with_allocation else -1)
        shifted = self.law == "shifted"
        prefix_sums.optima(
            self._scaled(flat),
            self.exponent,
            shifted,
            self.powers,
            self.sums,
            self.rest,
            self.count,
            answer.included,
            answer.loss,
            answer.bound,
            answer.level,
        )
        answer.level -= math.log(self.scale)
        for i in range(flat.size) if with_allocation else ():
            j = int(answer.included[i])
            if flat[i] == math.inf:
                answer.allocation[i] = np.where(self.weights > 0, math.inf, 0.0)
            elif j == 0:
                answer.allocation[i] = 0.0
            else:
                cut = self.ranked[j - 1]
                ties = j - int(np.searchsorted(-self.ranked[:j], -cut))
                x = flat[i] / self.scale
                prefix_sums.spread(
                    self.weights,
                    self.exponent,
                    shifted,
                    x,
                    self.scale,
                    j,
                    cut,
                    ties,
                    self.sums[j - 1],
                    answer.allocation[i],
                )
        return answer.result(budgets, 0.0, 1, self.law)

    def _scaled(self, n: Any) -> Any:
        """Return budgets in units of the scale; refuse finite ones that would be infinite."""
        with np.errstate(over="ignore"):
            scaled = n / self.scale
        if np.any(np.isinf(scaled) & np.isfinite(n)):
            raise refusal(
                "scales",
                self.scale,
                "must not be so small that n over it is more than floating-point numbers hold",
            )
        return scaled


class _Answer:
    """Columns to be filled, one entry per budget."""

    def __init__(self, budgets: int, count: int) -> None:
        self.loss, self.bound, self.level = np.zeros(budgets), np.zeros(budgets), np.zeros(budgets)
        self.included = np.zeros(budgets, dtype=np.int64)
        self.allocation = np.empty((budgets, max(count, 0)))
        self.wanted = count >= 0

    def result(self, n: Array, residual: float, iterations: int, law: str) -> Allocation:
        gap = float(
            np.max((self.loss - self.bound) / np.where(self.loss > 0, self.loss, 1.0), initial=0.0)
        )
        allocation = (
            self.allocation.reshape(*n.shape, self.allocation.shape[1]) if self.wanted else None
        )
        diagnostics = _judged(gap, law, residual, iterations)
        if n.ndim == 0:
            loss, bound, level = float(self.loss[0]), float(self.bound[0]), float(self.level[0])
            return Allocation(
                float(n), allocation, loss, bound, level, int(self.included[0]), diagnostics
            )
        loss_, bound_, level_ = (
            column.reshape(n.shape) for column in (self.loss, self.bound, self.level)
        )
        return Allocation(
            np.array(n),
            allocation,
            loss_,
            bound_,
            level_,
            self.included.reshape(n.shape),
            diagnostics,
        )


def _judged(gap: float, law: str, residual: float = 0.0, iterations: int = 1) -> Diagnostics:
    return Diagnostics(Status.CONVERGED, residual, iterations, f"water-filling, {law} law", gap)


def prepare_allocation(
    weights: ArrayLike, *, exponent: float, scale: float = 1.0, law: str = "hard"
) -> PreparedAllocation:
    r"""Sort and sum clusters of one exponent and one scale, for many budgets to come.

    With :math:`C_k = w_k^{1/(1+\beta)}`, :math:`S_j = \sum_{k\le j} C_k`, :math:`T_j = \sum_{k>j} w_k`, weights in decreasing order:

    .. math:: L(n) = \min_j \left[S_j^{1+\beta} (n/m)^{-\beta} + T_j\right] \text{ (hard)}, \qquad
       L(n) = S_j^{1+\beta} (n/m + j)^{-\beta} + T_j \text{ (shifted)}

    with the largest j for which the last share is positive, :math:`(n/m + j)\, C_j > S_j`; more clusters would have negative shares.

    Parameters
    ----------
    weights : array_like
        Weights w, one per cluster, >= 0, in any order.
    exponent : float
        Learning exponent beta of all clusters, > 0.
    scale : float
        Scale m of all clusters, > 0.
    law : {"hard", "shifted"}
        Learning curve, as in `allocate`.

    Returns
    -------
    PreparedAllocation
        Whose method ``solve(n)`` returns an `Allocation`.

    Raises
    ------
    DomainError
        If an argument lies outside its domain.

    Notes
    -----
    Sums are compensated. Building costs a sort (none if the weights already decrease) and three passes; a budget costs a binary search.

    References
    ----------
    A. Brill, arXiv:2412.07942 (2024), section 3, whose break rule is replaced by the exact one.

    Examples
    --------
    >>> import numpy as np
    >>> prepared = prepare_allocation(np.arange(1, 1001.0) ** -2, exponent=0.5)
    >>> prepared.solve(100.0).included
    9
    """
    choice("law", law, ("hard", "shifted"))
    w, beta, m = clusters(weights, exponent, scale, law, ("exponent", "scale"))
    if beta.size > 1 or m.size > 1:
        raise refusal(
            "exponent",
            exponent,
            "and scale must be common to all clusters; use allocate",
            shown=False,
        )
    return _prepared(w, float(beta[0]), float(m[0]), law)


def _prepared(w: Array, beta: float, m: float, law: str) -> PreparedAllocation:
    ranked = w if (w[1:] <= w[:-1]).all() else np.sort(w)[::-1]
    ranked = np.ascontiguousarray(ranked)
    c, s, t = np.empty(w.size), np.empty(w.size), np.empty(w.size + 1)
    prefix_sums.running_sums(ranked, beta, c, s, t)
    count = w.size - int(np.searchsorted(ranked[::-1], 0.0, side="right"))
    return PreparedAllocation(w, beta, m, law, c, s, t, count, ranked)


def _by_rank(result: Any, arguments: Mapping[str, Any]) -> dict[str, Array]:
    """Return shares in the order of weights, the largest first."""
    weights = np.asarray(arguments["weights"], dtype=float)
    order = np.argsort(-weights, kind="stable")
    return {
        "rank": np.arange(1, weights.size + 1),
        "weight": weights[order],
        "allocation": result.allocation[order],
    }


@shows(
    "weight",
    "allocation",
    totals=("loss", "bound", "included"),
    logarithmic=("allocation",),
    along="rank",
    whole=("weights", "exponents", "scales"),
    rows=_by_rank,
    meanings={
        "rank": "place of a cluster by its weight, the heaviest first",
        "weight": "what a cluster contributes to the loss before anything is learned",
        "allocation": "share of the budget that a cluster gets; it learns nothing from 0",
    },
)
def allocate(
    weights: ArrayLike,
    n: ArrayLike,
    *,
    exponents: ArrayLike,
    scales: ArrayLike = 1.0,
    law: str = "hard",
    with_allocation: bool = True,
) -> Allocation:
    r"""Divide a budget between clusters so that the total loss is smallest.

    .. math:: L = \sum_k w_k f_k(n_k/m_k) \to \min, \qquad \sum_k n_k = n, \quad n_k \ge 0,

    with :math:`f = \min(1, x^{-\beta})` (hard), :math:`(1+x)^{-\beta}` (shifted), or :math:`\log\cosh(2\sqrt x)/(2x)` (tree).

    Parameters
    ----------
    weights : array_like
        Weights w, one per cluster, >= 0, in any order; their sum is the loss at n = 0.
    n : array_like
        Budgets, >= 0; may be inf.
    exponents : array_like
        Learning exponent beta, at least 1e-300: one number, or one per cluster. With ``law="tree"`` it must be 0.5.
    scales : array_like
        Scale m, at least 1e-290, in units of the budget: one number, or one per cluster.
    law : {"hard", "shifted", "tree"}
        Learning curve of one cluster.
    with_allocation : bool
        Whether to return the shares, budgets times clusters numbers.

    Returns
    -------
    Allocation
        Shares, loss, dual bound, multiplier and the number of clusters learned.

    Raises
    ------
    DomainError
        If an argument lies outside its domain.
    ResourceError
        If the allocations would need more than the memory budget (``SCALINGLAWS_MEMORY``, 4 GB by default).
    ConvergenceError
        If the multiplier is not found, with the last iterate as its result.

    Notes
    -----
    The shifted and tree laws are convex: the result is the optimum. So it is for the hard law with one exponent and one scale.
    For the hard law with several, the multiplier's solution with or without the marginal cluster is returned, whichever is
    better; where ``bound`` equals ``loss`` it is the optimum, otherwise the gap is below one cluster's.
    Loss and bound are accurate to 1e-14. The cost is a sort and some ten passes over the clusters.

    References
    ----------
    A. Brill, arXiv:2412.07942 (2024), section 3, for the problem; solved here through the convex envelope and its dual.

    Examples
    --------
    >>> answer = allocate([4, 1, 0.01], 10, exponents=1.0)
    >>> answer.allocation.round(6).tolist(), round(answer.loss, 6), answer.included
    ([6.666667, 3.333333, 0.0], 0.91, 2)
    """
    choice("law", law, LAWS)
    w, beta, m = clusters(weights, exponents, scales, law)
    budgets = numbers("n", n, low=0.0, infinite=True)
    if flag("with_allocation", with_allocation):
        afford_allocations(budgets.size, w.size)
    if law != "tree" and beta.size == 1 and m.size == 1:
        return _prepared(w, float(beta[0]), float(m[0]), law).solve(
            budgets, with_allocation=with_allocation
        )
    live = None if (w > 0).all() else np.flatnonzero(w > 0)
    answer = _Answer(budgets.size, w.size if with_allocation else -1)
    answer.allocation[:] = 0.0
    flat = budgets.reshape(-1)
    if live is not None and live.size == 0:
        answer.level[:] = -math.inf
        return answer.result(budgets, 0.0, 0, law)
    if live is not None:
        w = w[live]
        beta, m = (column if column.size == 1 else column[live] for column in (beta, m))
    solver = _hard if law == "hard" else _flowing
    residual, iterations = solver(w, beta, m, flat, law, answer, live)
    result = answer.result(budgets, residual, iterations, law)
    if iterations >= water_filling.STEPS:
        raise ConvergenceError(
            f"the multiplier was not found in {iterations} steps; relative residual {residual:.1e}",
            result=result,
        )
    return result


def _hard(
    w: Array,
    beta: Array,
    m: Array,
    n: Array,
    law: str,
    answer: _Answer,
    live: NDArray[np.int64] | None,
) -> tuple[float, int]:
    height = np.log(w * beta / m)
    # the convex envelope is a chord up to x* = (1 + beta)^(1/beta), where it touches the law: no
    # multiplier gives less. The slope there, beta w/m x*^-(1 + beta), is the threshold
    threshold = height - (1 + beta) / beta * np.log1p(beta)
    order = None
    if not (threshold[1:] <= threshold[:-1]).all():
        order = np.argsort(-threshold)
        threshold, height, w = threshold[order], height[order], w[order]
        beta, m = (column if column.size == 1 else column[order] for column in (beta, m))
    power = 1 / (1 + beta)
    rest = np.empty(w.size + 1)
    water_filling.from_the_end(w, rest)
    # sorted by threshold, every budget learns a first part of the list; the last one is a guess
    guess, worst, most = 1, 0.0, 0
    target = order if live is None else live if order is None else live[order]
    for i, budget in enumerate(n.tolist()):
        if budget == 0.0 or budget == math.inf:
            _extreme(budget, answer, i, rest[0], float(threshold[0]), w.size, live)
            continue
        j, loss, bound, level, steps, guess = water_filling.hard_optimum(
            budget, w, height, beta, power, m, threshold, rest, guess
        )
        answer.included[i], answer.loss[i], answer.bound[i], answer.level[i] = j, loss, bound, level
        most = max(most, steps)
        if answer.wanted:
            shares = (m if m.size == 1 else m[:j]) * np.exp(
                (height[:j] - level) * (power if power.size == 1 else power[:j])
            )
            if j:
                # what Newton's method left of the budget is spread in proportion
                spent = shares.sum()
                worst = max(worst, float(abs(spent / budget - 1)))
                shares *= budget / spent
            answer.allocation[i, slice(j) if target is None else target[:j]] = shares
    return worst, most


def _flowing(
    w: Array,
    beta: Array,
    m: Array,
    n: Array,
    law: str,
    answer: _Answer,
    live: NDArray[np.int64] | None,
) -> tuple[float, int]:
    tree = law == "tree"
    power = 1 / (1 + beta)
    table = inverse_loss.table()
    # what the multiplier is compared with: log(beta w/m), or for the tree law (w/m)^(1/3)
    height = np.cbrt(w / m) if tree else np.log(w * beta / m)
    top = math.log(2 / 3) + 3 * math.log(float(height.max())) if tree else float(height.max())
    worst, most = 0.0, 0
    level = top - 1.0
    row = np.empty(w.size if answer.wanted else 0)
    for i, budget in enumerate(n.tolist()):
        if budget == 0.0 or budget == math.inf:
            _extreme(budget, answer, i, float(w.sum()), top, w.size, live)
            continue
        level, steps = water_filling.flow_level(budget, height, power, m, tree, table, top, level)
        loss, used, number = water_filling.flow_out(
            w, height, beta, m, tree, table, level, budget, answer.wanted, row
        )
        # the dual function at this multiplier, a bound for every allocation. It misses the optimum
        # by the square of used - budget only, and stands for the loss too: no gap for convex laws
        bound = loss + math.exp(level) * (used - budget)
        answer.included[i], answer.loss[i], answer.bound[i], answer.level[i] = (
            number,
            bound,
            bound,
            level,
        )
        most = max(most, steps)
        if used > 0:
            worst = max(worst, abs(used - budget) / (budget + float(m.max())))
        else:
            answer.included[i] = 1
        if answer.wanted:
            if used > 0:
                row *= budget / used
            else:  # below the resolution of the multiplier: all to the steepest cluster
                row[:] = 0.0
                row[int(np.argmax(height))] = budget
            if live is None:
                answer.allocation[i] = row
            else:
                answer.allocation[i, live] = row
    return worst, most


def _extreme(
    budget: float,
    answer: _Answer,
    i: int,
    total: float,
    top: float,
    count: int,
    live: NDArray[np.int64] | None,
) -> None:
    """Answer for no budget, and for one without limit."""
    if budget == 0.0:
        answer.loss[i] = answer.bound[i] = total
        answer.level[i] = top
        return
    answer.level[i], answer.included[i] = -math.inf, count
    if answer.wanted:
        answer.allocation[i, slice(None) if live is None else live] = math.inf
