"""Arguments that solvers of percolation share: weights, exponents and scales of clusters."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from ...arguments import Array, afford, affordable, numbers
from ...errors import refusal

LAWS = ("hard", "shifted", "tree")
"""Learning curves of one cluster."""
_LEAST = (1e-300, 1e-290)  # of exponents and of scales: units over them are numbers


def clusters(
    weights: ArrayLike,
    exponents: ArrayLike,
    scales: ArrayLike,
    law: str,
    names: tuple[str, str] = ("exponents", "scales"),
) -> tuple[Array, Array, Array]:
    """Return weights, exponents and scales; the last two, called as the caller does, with one entry where it is common to all."""
    w = np.ascontiguousarray(numbers("weights", weights, low=0.0))
    if w.ndim != 1 or w.size == 0:
        complaint = f"must be one-dimensional and not empty; got shape {w.shape}"
        raise refusal("weights", w.shape, complaint, shown=False)
    with np.errstate(over="ignore"):
        total = w.sum()
    if not np.isfinite(total):
        complaint = "add up to more than the largest floating-point number; divide them by it"
        raise refusal("weights", total, complaint, shown=False)
    beta = _common(names[0], exponents, w.size, _LEAST[0])
    m = _common(names[1], scales, w.size, _LEAST[1])
    if law == "tree" and not (beta == 0.5).all():
        raise refusal(
            names[0],
            beta[beta != 0.5][0],
            "must be 0.5 with law='tree': that curve falls as u^(-1/2), and its exponent cannot be chosen",
        )
    return w, beta, m


def _common(name: str, value: ArrayLike, size: int, least: float) -> Array:
    array = numbers(name, value, low=least)
    if array.shape not in ((), (1,), (size,)):
        complaint = f"must be a number or have one entry for each of the {size} weights; got shape {array.shape}"
        raise refusal(name, array.shape, complaint, shown=False)
    flat = np.ascontiguousarray(array.reshape(-1))
    return flat[:1].copy() if flat.size > 1 and (flat == flat[0]).all() else flat


def afford_allocations(budgets: int, count: int) -> None:
    """Refuse allocations that would not fit into memory."""
    afford(
        budgets * count,
        f"allocations of {budgets} budgets to {count} clusters",
        f"use with_allocation=False, or at most {max(int(affordable() // count), 1)} budgets at once",
    )
