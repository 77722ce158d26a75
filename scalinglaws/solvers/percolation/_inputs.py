"""Arguments that several solvers of percolation share, checked at the door."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ...errors import DomainError, ResourceError
from .._inputs import numbers

Array = NDArray[np.float64]

LAWS = ("hard", "shifted", "tree")
"""Learning curves of one cluster."""

MOST = 1e9  # numbers in an answer: 8 GB


def known_law(law: str, laws: tuple[str, ...]) -> None:
    """Refuse a learning curve that is not among those given."""
    if law not in laws:
        raise DomainError(
            f"law = {law!r} must be one of {', '.join(map(repr, laws))}", argument="law", value=law
        )


def clusters(
    weights: ArrayLike, exponents: ArrayLike, scales: ArrayLike, law: str
) -> tuple[Array, Array, Array]:
    """Return weights, exponents and scales; the last two with one entry where it is common to all clusters."""
    w = np.ascontiguousarray(numbers("weights", weights, low=0.0, infinite=False))
    if w.ndim != 1 or w.size == 0:
        raise DomainError(
            f"weights must be one-dimensional and not empty; got shape {w.shape}",
            argument="weights",
            value=w.shape,
        )
    with np.errstate(over="ignore"):
        total = w.sum()
    if not np.isfinite(total):
        raise DomainError(
            "the sum of the weights exceeds the largest floating-point number; divide them by it",
            argument="weights",
            value=total,
        )
    beta = _common("exponents", exponents, w.size)
    m = _common("scales", scales, w.size)
    if law == "tree" and not (beta == 0.5).all():
        wrong = beta[beta != 0.5][0]
        raise DomainError(
            f"exponents = {wrong} must be 0.5 with law='tree': that curve falls as u^(-1/2), and its exponent cannot be chosen",
            argument="exponents",
            value=exponents,
        )
    return w, beta, m


def _common(name: str, value: ArrayLike, size: int) -> Array:
    array = numbers(name, value, low=0.0, infinite=False, strict=True)
    if array.shape not in ((), (1,), (size,)):
        raise DomainError(
            f"{name} must be a number or have one entry for each of the {size} weights; got shape {array.shape}",
            argument=name,
            value=array.shape,
        )
    flat = np.ascontiguousarray(array.reshape(-1))
    return flat[:1].copy() if flat.size > 1 and (flat == flat[0]).all() else flat


def afford(budgets: int, count: int) -> None:
    """Refuse allocations that would not fit into memory."""
    if budgets * count > MOST:
        raise ResourceError(
            f"allocations of {budgets} budgets to {count} clusters would hold {8e-9 * budgets * count:.3g} GB, more than "
            f"{8e-9 * MOST:.3g} GB; use with_allocation=False, or at most {max(int(MOST // count), 1)} budgets at once"
        )
