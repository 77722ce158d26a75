r"""Families of comparisons: what many verdicts say together.

A single pass needs no correction, and "the whole family passes" is the conjunction. Claims of failure, and of differences that
are detectable at all, are corrected over the family (Holm). Whether the family is consistent, and whether it shares a bias, is
asked of the differences themselves.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

from ..arguments import refuse_first
from ..errors import refusal
from ..reprs import short_repr
from .comparison import Comparison

Array = NDArray[np.float64]


def holm(p_values: ArrayLike) -> Array:
    """Adjust p-values for a family by Holm's step-down method.

    Parameters
    ----------
    p_values : array_like, shape (n,)
        Between 0 and 1.

    Returns
    -------
    ndarray, shape (n,)
        Adjusted p-values in the same order; rejecting those below a level keeps the probability of any false rejection
        below that level.

    References
    ----------
    .. [1] S. Holm, "A simple sequentially rejective multiple test procedure", Scand. J. Statist. 6, 65 (1979).

    Examples
    --------
    >>> holm([0.01, 0.04, 0.03])
    array([0.03, 0.06, 0.06])
    """
    p = np.asarray(p_values, float)
    if p.ndim != 1:
        raise refusal("p_values", p_values, "must be one row of numbers between 0 and 1")
    refuse_first("p_values", p, ~((p >= 0) & (p <= 1)), "must lie between 0 and 1")
    order = np.argsort(p, kind="stable")
    stepped = np.minimum(np.maximum.accumulate((p.size - np.arange(p.size)) * p[order]), 1.0)
    adjusted = np.empty_like(stepped)
    adjusted[order] = stepped
    return adjusted


@short_repr
@dataclass(frozen=True)
class Family:
    """Comparisons judged together.

    Attributes
    ----------
    name : str
        What they have in common.
    members : tuple of str
        Their ids.
    chi2, df, p : float, int, float
        Consistency of all differences with zero, and the probability of a larger value.
    holm : tuple of float
        Adjusted ``1 - p_equivalence`` of every member: below 0.05, the failure stands in the family too.
    holm_difference : tuple of float
        Adjusted `p_difference`: below 0.05, the difference is detectable in the family too.
    bias : tuple of float
        Common difference, weighted with inverse variances, and its standard error.
    ratio : tuple of float or None
        Common ratio of measurement to prediction, weighted likewise, its standard error, and the chi-square that is left.
    """

    name: str
    members: tuple[str, ...]
    chi2: float
    df: int
    p: float
    holm: tuple[float, ...]
    holm_difference: tuple[float, ...]
    bias: tuple[float, float]
    ratio: tuple[float, float, float] | None = None

    @property
    def failures(self) -> tuple[str, ...]:
        """Members whose failure stands after the correction."""
        return tuple(name for name, p in zip(self.members, self.holm, strict=True) if p < 0.05)

    @property
    def detectable(self) -> tuple[str, ...]:
        """Members whose difference from the prediction is detectable after the correction, within tolerance or not."""
        return tuple(
            name for name, p in zip(self.members, self.holm_difference, strict=True) if p < 0.05
        )


def family(name: str, comparisons: Sequence[Comparison]) -> Family:
    r"""Judge comparisons together.

    .. math:: \chi^2 = \sum_i z_i^2, \qquad \bar d = \frac{\sum_i d_i/s_i^2}{\sum_i 1/s_i^2},
              \qquad \bar r = \frac{\sum_i m_i p_i/s_i^2}{\sum_i p_i^2/s_i^2}

    Parameters
    ----------
    name : str
        What they have in common.
    comparisons : sequence of Comparison
        All that belong to it, with standard errors; comparisons with error bounds only have no p-values and are refused.

    Returns
    -------
    Family
        Corrected p-values, consistency, common bias and, for exponents, common ratio.

    Raises
    ------
    DomainError
        If there is none, or a member has no p-value.
    """
    if not comparisons:
        raise refusal(
            "comparisons", comparisons, "is empty: a family needs at least one", shown=False
        )
    outcomes = []
    for comparison in comparisons:
        outcome = comparison.outcome
        if outcome.z is None or outcome.p_equivalence is None or outcome.p_difference is None:
            raise refusal(
                "comparisons",
                comparison.id,
                f"{comparison.id} has no standard error to be judged in a family by",
                named=False,
            )
        outcomes.append(outcome)
    z = np.array([outcome.z for outcome in outcomes], float)
    d = np.array([outcome.difference for outcome in outcomes])
    s = np.array([outcome.se for outcome in outcomes], float)
    weights = 1 / s**2
    chi2 = float(np.sum(z**2))
    ratio = None
    if all(comparison.prediction.kind != "curve" for comparison in comparisons):
        p = np.array([float(comparison.prediction.value) for comparison in comparisons])
        m = np.array([float(comparison.measurement.value) for comparison in comparisons])
        if np.any(p != 0):
            slope = float(np.sum(weights * m * p) / np.sum(weights * p**2))
            ratio = (
                slope,
                float(np.sum(weights * p**2) ** -0.5),
                float(np.sum(weights * (m - slope * p) ** 2)),
            )
    return Family(
        name,
        tuple(comparison.id for comparison in comparisons),
        chi2,
        z.size,
        float(special.chdtrc(z.size, chi2)),
        tuple(map(float, holm([1 - float(outcome.p_equivalence or 0.0) for outcome in outcomes]))),
        tuple(map(float, holm([float(outcome.p_difference or 0.0) for outcome in outcomes]))),
        (float(np.sum(weights * d) / np.sum(weights)), float(np.sum(weights) ** -0.5)),
        ratio,
    )
