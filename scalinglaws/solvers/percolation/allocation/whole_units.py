"""Whole units of the budget: a greedy choice by a heap, which is optimal where gains fall with every unit."""

from __future__ import annotations

import heapq
import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ....arguments import MOST_EXACT, Array, afford, affordable, choice, whole
from ....errors import ResourceError
from ....results import Diagnostics, Status
from ..._jit import njit
from ..cluster_arguments import clusters
from .hard_and_flowing import Allocation, allocate

Counts = NDArray[np.int64]

_HALVINGS = 100  # of a bracket of log lambda
_PORTION = 2**20  # choices of one unit or block that are made before a keyboard interrupt is heard
_MOST_CHOICES = 2**27


@njit
def _left(units: float, beta: float, m: float, shifted: bool) -> float:
    """Return what is left unlearned."""
    kept = 1.0
    if shifted:
        kept = (1 + units / m) ** -beta
    elif units > m:
        kept = (units / m) ** -beta
    return kept


@njit
def _learned(units: float, beta: float, m: float) -> float:
    """Return what so many units learn under the hard law."""
    return -math.expm1(-beta * math.log(units / m)) if units > m else 0.0


@njit
def _gain(units: int, beta: float, m: float, shifted: bool) -> float:
    """Return what one more unit learns of the cluster, without the cancellation of the two losses."""
    if shifted:
        kept, share = (1 + units / m) ** -beta, 1 / (m + units)
    elif units > m:
        kept, share = (units / m) ** -beta, 1 / units
    else:  # the unit may reach across the end of the plateau
        return _learned(units + 1.0, beta, m)
    gained: float = -kept * math.expm1(-beta * math.log1p(share))
    return gained


@njit
def _first_block(beta: float, m: float) -> int:
    """Return the number of units that gains most per unit from nothing, under the hard law."""
    tangent = min(m * math.exp(math.log1p(beta) / beta), 2.0**53)  # more than any budget
    below = max(math.floor(tangent), 1.0)
    # the gain per unit rises up to the tangent point and falls beyond it
    if _learned(below, beta, m) * (below + 1) >= _learned(below + 1, beta, m) * below:
        return int(below)
    return int(below + 1)


@njit
def _greedy(
    w: Array,
    beta: Array,
    m: Array,
    shifted: bool,
    left: int,
    units: Counts,
    choices: int,
    state: Array,
) -> int:
    """Spend what is left of the budget, in at most so many choices; return what remains, 0 if nothing more can be used.

    `state` holds by how much the bound lies below the loss, the last gain per unit, and whether a block did not fit.
    """
    heap = [(0.0, 0, 0) for _ in range(0)]
    blocks = np.ones(w.size, dtype=np.int64)
    for k in range(w.size):
        if not w[k] > 0.0:
            continue
        b, size = beta[0] if beta.size == 1 else beta[k], m[0] if m.size == 1 else m[k]
        if not shifted and units[k] == 0:
            blocks[k] = _first_block(b, size)
            heap.append((-w[k] * _learned(float(blocks[k]), b, size) / blocks[k], k, blocks[k]))
        else:
            heap.append((-w[k] * _gain(units[k], b, size, shifted), k, 1))
    heapq.heapify(heap)
    slack, rate, full = state[0], state[1], state[2] > 0.0
    while left > 0 and len(heap) > 0 and choices > 0:
        choices -= 1
        negative, k, block = heapq.heappop(heap)
        if negative == 0.0 and units[k] > 0:  # gains below all floating-point numbers are all alike
            units[k] += left
            left = 0
            break
        b, size = beta[0] if beta.size == 1 else beta[k], m[0] if m.size == 1 else m[k]
        if block > left:
            if (
                not full
            ):  # relaxed to a fraction of the block, the same choice is optimal: the bound
                full = True
                slack = -negative * left
            # what fits of a first block gains less per unit; it waits for its turn
            gained = w[k] * _learned(float(left), b, size)
            if gained > 0.0:
                heapq.heappush(heap, (-gained / left, k, left))
            continue
        if full:
            slack += negative * block
        units[k] += block
        left -= block
        rate = -negative
        heapq.heappush(heap, (-w[k] * _gain(units[k], b, size, shifted), k, 1))
    state[0], state[1], state[2] = slack, rate, 1.0 if full else 0.0
    return left if len(heap) > 0 else 0


@njit
def _total(w: Array, beta: Array, m: Array, shifted: bool, units: Counts) -> tuple[float, int]:
    total, number = 0.0, 0
    for k in range(w.size):
        total += w[k] * _left(
            float(units[k]),
            beta[0] if beta.size == 1 else beta[k],
            m[0] if m.size == 1 else m[k],
            shifted,
        )
        number += units[k] > 0
    return total, number


def allocate_integer(
    weights: ArrayLike, n: int, *, exponents: ArrayLike, scales: ArrayLike = 1.0, law: str = "hard"
) -> Allocation:
    r"""Divide a whole number of units between clusters.

    The problem of `allocate` with whole :math:`n_k`. A shifted law gains less from every further unit, so the greedy choice is
    optimal. A hard law gains most per unit from a first block of :math:`\arg\max_b (1 - f(b))/b` units and then from single
    ones; the greedy choice over blocks is optimal unless the last one does not fit, and ``bound`` says by how much it can fail.

    Parameters
    ----------
    weights : array_like
        Weights w, one per cluster, >= 0, in any order.
    n : int
        Units to be spent, from 0 to 2^53.
    exponents, scales : array_like
        Learning exponent and scale, > 0: one number, or one per cluster.
    law : {"hard", "shifted"}
        Learning curve of one cluster, as in `allocate`.

    Returns
    -------
    Allocation
        With whole shares. Units that no cluster can use (all weights zero) stay unspent.

    Raises
    ------
    DomainError
        If an argument lies outside its domain.
    ResourceError
        If there are more clusters than fit into the memory budget (``SCALINGLAWS_MEMORY``, 4 GB by default), or 1.3e8 choices of
        single units do not spend the budget.

    Notes
    -----
    Units that the continuous solution for n - K already proves worth spending are given at once, so that the heap serves some
    2K units and the cost is O(K log K) for nearly any n. Where a budget falls into the jump of large equal blocks, it does not: then
    single units are handed out one by one, and at most 1.3e8 of them. Loss and bound are accurate to 1e-14.

    References
    ----------
    A. Brill, arXiv:2412.07942 (2024), section 3, for the problem.

    Examples
    --------
    >>> answer = allocate_integer([4, 1, 0.01], 10, exponents=1.0)
    >>> answer.allocation.tolist(), round(answer.loss, 6)
    ([7.0, 3.0, 0.0], 0.914762)
    """
    choice("law", law, ("hard", "shifted"))
    w, beta, m = clusters(weights, exponents, scales, law)
    budget = whole("n", n, low=0, high=MOST_EXACT)
    afford(4.0 * w.size, f"{w.size} clusters", f"use at most {affordable() / 4:.0f}")
    left, shifted = budget, law == "shifted"
    units = np.zeros(w.size, dtype=np.int64)
    positive = int(np.count_nonzero(w > 0))
    if positive and left > 2 * positive:
        # with K units set aside for rounding up, whatever is worth the multiplier's price is among the n best units
        if shifted:
            start = allocate(
                w, float(left - positive), exponents=beta, scales=m, law=law
            ).allocation
            assert start is not None
            units = np.floor(start).astype(np.int64)
        else:
            units = _head_start(w, beta, m, float(left - positive))
        left -= int(units.sum())
    state, remains = np.zeros(3), left
    for _ in range(math.ceil(_MOST_CHOICES / max(_PORTION, w.size))):
        if remains == 0:
            break
        remains = _greedy(w, beta, m, shifted, remains, units, max(_PORTION, w.size), state)
    if remains:
        raise ResourceError(
            f"{budget} units to {w.size} clusters take more than {_MOST_CHOICES} choices of single units: "
            "use allocate, or larger units (n and scales divided by the same number)"
        )
    slack, rate = max(float(state[0]), 0.0), float(state[1])
    loss, number = _total(w, beta, m, shifted, units)
    diagnostics = Diagnostics(
        Status.CONVERGED, 0.0, left, f"greedy, {law} law", slack / loss if loss > 0 else 0.0
    )
    level = math.log(rate) if rate > 0 else -math.inf
    return Allocation(
        float(budget), units.astype(float), loss, loss - slack, level, number, diagnostics
    )


def _head_start(w: Array, beta: Array, m: Array, budget: float) -> Counts:
    """Return what a multiplier that does not overspend gives to clusters whose first block gains more per unit than it."""
    with np.errstate(divide="ignore"):
        height = np.log(w) + np.log(beta) - np.log(m)
    threshold = height - (1 + beta) / beta * np.log1p(beta)
    high = float(threshold.max())
    low = high - 1.0

    def shares(level: float) -> Array:
        learned = threshold >= level
        with np.errstate(over="ignore"):  # more than any budget
            return m * np.where(
                learned, np.exp(np.where(learned, height - level, 0.0) / (1 + beta)), 0.0
            )

    for _ in range(_HALVINGS):
        if shares(low).sum() > budget:
            break
        low = high - 2 * (high - low)
    # a higher multiplier only leaves more to the heap; shares change by a part of 1 + beta of it
    close = 1e-9 * float(1 + beta.min())
    for _ in range(_HALVINGS):
        middle = 0.5 * (low + high)
        if high - low <= close or not low < middle < high:
            break
        low, high = (middle, high) if shares(middle).sum() > budget else (low, middle)
    found = shares(high)
    if found.sum() > budget:
        return np.zeros(w.size, dtype=np.int64)
    block = np.maximum(np.floor(m * np.exp(np.log1p(beta) / beta)), 1.0)
    rate = np.zeros(w.size)
    for size in (block, block + 1):
        learned = -np.expm1(-beta * np.log(np.maximum(size / m, 1.0)))
        rate = np.maximum(rate, w * learned / size)
    keep = (rate > math.exp(high) * (1 + 1e-12)) & (found > block + 2)
    return np.where(keep, np.floor(found), 0.0).astype(np.int64)
