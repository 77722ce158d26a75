"""How much compute one recipe needs for the loss that another reaches."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ....arguments import instance, numbers
from ....errors import refusal
from ....formatting import scientific
from ....reprs import LONGEST, line
from ....results import Result
from ._intervals import level_of, percentiles
from ._optimum import CLOSED, compute_for, optimal_point
from ._record import Fit

Array = NDArray[np.float64]


@dataclass(frozen=True)
class ComputeMultiplier(Result):
    r"""Compute with which one recipe reaches the best loss of another, over the other's compute.

    Attributes
    ----------
    reference, candidate : str
        The recipes.
    law : str
        The law of both.
    compute : ndarray, shape (m,)
        C of the reference.
    loss : ndarray, shape (m,)
        The best loss of the reference there.
    multiplier : ndarray, shape (m,)
        :math:`m(C) = C_{cand}(L_{ref}(C)) / C`; below 1 the candidate is better. inf where there is none: the loss is not above the
        candidate's E.
    low, high : ndarray, shape (m,), or None
        Percentiles of the resampled fits; None without any.
    growth : float
        The multiplier at the largest compute over that at the least: below 1 the candidate gains with compute; inf if it has none there.
    growth_low, growth_high : float or None
        Its interval.
    level : float
        Of the intervals.
    inside : ndarray of bool, shape (m,)
        Whether both recipes have runs of as much compute, and of as little. Elsewhere the intervals hold only if the law does.
    samples : int
        Pairs of resampled fits behind the intervals.
    left_out : int
        Those without an optimum, because an exponent or an amplitude is 0; they stand in no interval.
    """

    reference: str
    candidate: str
    law: str
    compute: Array
    loss: Array
    multiplier: Array
    low: Array | None
    high: Array | None
    growth: float
    growth_low: float | None
    growth_high: float | None
    level: float
    inside: NDArray[np.bool_]
    samples: int
    left_out: int

    def __repr__(self) -> str:
        shown = ", ".join(
            f"{m:.3g} at {scientific(C)}"
            for C, m in list(zip(self.compute, self.multiplier, strict=True))[:3]
        )
        words = f"ComputeMultiplier of {self.candidate} against {self.reference}: {shown}"
        return f"<{line(words, LONGEST - 2)}>"

    @property
    def reached(self) -> NDArray[np.bool_]:
        """Where there is a multiplier, shape (m,)."""
        return np.isfinite(self.multiplier)


def compute_multiplier(
    reference: Fit,
    candidate: Fit,
    compute: ArrayLike,
    *,
    level: float = 0.95,
    names: tuple[str, str] = ("reference", "candidate"),
) -> ComputeMultiplier:
    r"""Compare two fits of one law: with how much compute the candidate reaches the best loss of the reference.

    .. math:: m(C) = \frac{C_{cand}\big(L_{ref}(C)\big)}{C}, \qquad
              m = \Big(\frac{A_1}{A_0}\Big)^{1/a} \Big(\frac{B_1}{B_0}\Big)^{1/b} \text{ for equal } E, a, b \text{ (and } c)

    Both spend their compute in the best way; recipe 0 is the reference.

    Parameters
    ----------
    reference, candidate : Fit
        Of ``surface``, or both of ``surface_power``. Intervals need resampled fits of both: those of `fit_groups` belong together, row
        by row; those of two separate fits are independent.
    compute : array_like, shape (m,)
        C of the reference, > 0.
    level : float
        Of the intervals.
    names : (str, str)
        What they are called.

    Returns
    -------
    ComputeMultiplier
        The multiplier is inf, never a number, where the loss is not above the candidate's E.

    Raises
    ------
    DomainError
        If the fits are of other laws, or count compute differently, or a law has no optimum.

    Notes
    -----
    The intervals say what resampled runs change. With all parameters fitted separately they are wide beyond the runs: 2 recipes of
    24 runs up to 1e21 FLOP give ln m at 1e24 to about 1.5. Sharing exponents narrows them, if sharing is right.

    Examples
    --------
    >>> from scalinglaws.verify import empirical
    >>> known = empirical.from_parameters("besiroglu")
    >>> p = known.parameters
    >>> better = empirical.from_parameters("surface", p | {"A": 0.94 * p["A"], "B": 0.9 * p["B"]})
    >>> print(f"{compute_multiplier(known, better, 1e22).multiplier[0]:.10f}")
    0.6275494652
    """
    instance("reference", reference, Fit)
    instance("candidate", candidate, Fit)
    share = level_of(level)
    at = np.atleast_1d(numbers("compute", compute, low=0, strict=True)).ravel()
    if at.size == 0:
        raise refusal("compute", compute, "must hold at least one compute")
    if reference.law != candidate.law or reference.law not in CLOSED:
        raise refusal(
            "candidate",
            candidate.law,
            f"must be a fit of {' or '.join(CLOSED)}, and the reference of the same law; it is of {reference.law}",
        )
    if reference.cost != candidate.cost:
        raise refusal(
            "candidate",
            None,
            f"counts {candidate.cost:g} N D of compute, the reference {reference.cost:g} N D",
            shown=False,
        )
    law, cost = reference.law, reference.cost
    loss, found = _multipliers(law, reference.parameters, candidate.parameters, at, cost)
    count = min(len(reference.samples), len(candidate.samples))
    low = high = growth_low = growth_high = None
    kept = 0
    if count:
        pair = [
            {name: values[:count] for name, values in fit.sample_parameters.items()}
            for fit in (reference, candidate)
        ]
        good = np.all(
            [values > 0 for p in pair for name, values in p.items() if name != "E"], axis=0
        )
        kept = int(np.sum(good))
        if kept < 2:
            raise refusal(
                "candidate",
                None,
                "has no resampled fit with an optimum to take intervals from",
                named=False,
            )
        rows = [{name: values[good, None] for name, values in p.items()} for p in pair]
        drawn = _multipliers(law, rows[0], rows[1], at[None, :], cost)[1]
        low, high = percentiles(drawn, share)
        growth_low, growth_high = (float(end) for end in percentiles(_growth(at, drawn), share))
    return ComputeMultiplier(
        reference=names[0],
        candidate=names[1],
        law=law,
        compute=at,
        loss=loss,
        multiplier=found,
        low=low,
        high=high,
        growth=float(_growth(at, found)),
        growth_low=growth_low,
        growth_high=growth_high,
        level=share,
        inside=_inside(reference, candidate, at),
        samples=kept,
        left_out=count - kept,
    )


def common_range(fits: Mapping[str, Fit]) -> tuple[float, float]:
    """Return the least and the largest compute that all fits have runs of; the least is above the other where they are apart."""
    spans = [_span(fit) for fit in fits.values()]
    return max(low for low, _ in spans), min(high for _, high in spans)


def _multipliers(
    law: str,
    reference: Mapping[str, Any],
    candidate: Mapping[str, Any],
    compute: Array,
    cost: float,
) -> tuple[Array, Array]:
    """Return the best loss of the reference, and the multiplier; parameters are broadcast against the compute."""
    loss = np.asarray(optimal_point(law, reference, compute, cost)[2])
    alike = [name for name in reference if name not in ("A", "B")]
    if all(np.array_equal(reference[name], candidate[name]) for name in alike):
        factor = (np.asarray(candidate["A"]) / reference["A"]) ** (1 / np.asarray(reference["a"]))
        factor = factor * (np.asarray(candidate["B"]) / reference["B"]) ** (
            1 / np.asarray(reference["b"])
        )
        return loss, np.broadcast_to(factor, loss.shape).copy()
    return loss, np.asarray(compute_for(law, candidate, loss, cost)) / compute


def _growth(compute: Array, multiplier: Array) -> Array:
    """Return the multiplier at the largest compute over that at the least, along the last axis; inf if it is lost on the way."""
    first, last = multiplier[..., np.argmin(compute)], multiplier[..., np.argmax(compute)]
    reached = np.isfinite(last)
    return np.where(reached, last / np.where(reached, first, 1.0), np.inf)


def _inside(reference: Fit, candidate: Fit, compute: Array) -> NDArray[np.bool_]:
    if not (len(reference) and len(candidate)):
        return np.zeros(compute.size, bool)
    low, high = common_range({"0": reference, "1": candidate})
    slack = 1.05  # budgets are rounded
    return np.asarray((compute >= low / slack) & (compute <= high * slack))


def _span(fit: Fit) -> tuple[float, float]:
    compute = fit.cost * fit.columns["N"] * fit.columns["D"]
    return float(np.min(compute)), float(np.max(compute))
