"""Fits of one law to points: the best of its starts, and again for many sets of weights."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ....arguments import afford, instance, numbers
from ....equality import by_value
from ....errors import refusal
from ....reprs import short_repr
from . import _newton
from ._law import Columns, FitLaw
from ._laws import fit_law

Array = NDArray[np.float64]

_POWERS = (1.0, 0.5)  # of the sum, at which surface_power starts from the optimum of surface
_FELT = 1e-100  # of the largest slope
_FRESH, _RATE = (
    7,
    10.0,
)  # points without repetition for a start of their own, and the rates of that start
_CEILINGS = (1.02, 1.2, 2.0, 30.0)  # over the largest loss, from which rosenfeld starts


@short_repr
@dataclass(frozen=True)
@by_value
class Solution:
    """Where a fit ended.

    Attributes
    ----------
    x : ndarray, shape (p,)
        Coordinates of the law: logarithms of positive parameters.
    objective : float
        F, the weighted sum of Huber losses of the residuals.
    jacobian : ndarray, shape (n, p)
        Gradients of f = ln L in these coordinates.
    residuals : ndarray, shape (n,)
        ln L_i - f_i.
    converged : bool
        Whether no step went down any more.
    steps : int
        Newton steps tried, those of all starts together.
    """

    x: Array
    objective: float
    jacobian: Array
    residuals: Array
    converged: bool
    steps: int


def solve(
    law: FitLaw,
    columns: Mapping[str, ArrayLike],
    losses: ArrayLike,
    *,
    delta: float,
    weights: ArrayLike | None = None,
    start: ArrayLike | None = None,
    envelope: float = 1.0,
) -> Solution:
    r"""Fit a law to points by damped Newton steps.

    Minimizes :math:`F = \sum_i w_i H_\delta(\ln L_i - f_i)` from each of the law's starts, over a sequence of thresholds from 0.1
    down to delta.

    Parameters
    ----------
    law : FitLaw
        With bounds and fixed parameters, if any.
    columns : mapping of str to array_like, shape (n,)
        The law's variables.
    losses : array_like, shape (n,)
        Positive.
    delta : float
        Huber's threshold; inf for least squares.
    weights : array_like, shape (n,), optional
        How often each point counts; 1 by default.
    start : array_like, shape (p,), optional
        Coordinates of the only start.
    envelope : float
        Factor of the weights of residuals above the law.

    Returns
    -------
    Solution
        The best of all starts.
    """
    logs, losses, weights = prepared(law, columns, losses, weights)
    starts = (
        [law.within(np.array(start, float))]
        if start is not None
        else starting_points(law, columns, losses, delta, weights, envelope)
    )
    best: tuple[float, Array, bool] | None = None
    taken = 0
    middles = law.middles(logs)
    centered = logs - middles[:, None]
    task = _newton.Task(
        law.engine.accumulate,
        centered,
        np.log(losses),
        _newton.stages(delta),
        envelope,
        np.array(law.low),
        np.array(law.high),
        law.free,
    )
    for point in starts:
        x = law.shifted(point, middles)
        objective, steps, settled = task.minimize(x, weights)
        taken += steps
        if math.isfinite(objective) and (best is None or objective < best[0]):
            best = objective, law.shifted(x, -middles), settled
    if best is None:
        raise refusal(
            "losses", None, f"{law.id} has no finite value near any of its starts", named=False
        )
    objective, x, settled = best
    residuals = np.log(losses) - law.values(x, logs)
    return Solution(x, objective, law.gradients(x, logs), residuals, settled, taken)


def starting_points(
    law: FitLaw,
    columns: Mapping[str, ArrayLike],
    losses: Array,
    delta: float,
    weights: Array,
    envelope: float = 1.0,
) -> list[Array]:
    """Return the starts of a law: from a grid of shapes, or from the optimum of the simpler law that it contains."""
    if law.like is not None:
        return _like(law, columns, losses, delta, weights, envelope)
    if law.simpler is None:
        return law.grid_starts(law.logarithms(columns), losses, weights)
    base = fit_law(law.simpler)
    shared = len(base.names)
    base = replace(  # of the bounds only those of E mean the same there
        base, low=(law.low[0], *base.low[1:]), high=(law.high[0], *base.high[1:])
    )
    x = solve(base, columns, losses, delta=delta, weights=weights, envelope=envelope).x
    if law.low[shared] == law.high[shared]:
        powers = [law.low[shared]]
    else:
        powers = list(_POWERS)
        for j in (3, 4):  # an exponent that is fixed says what the power has to be
            if law.low[j] == law.high[j] > 0:
                powers.append(min(max(x[j] / law.low[j], law.low[shared]), law.high[shared]))
    # (A N^-a)^c is the model term again: all but E are divided by c
    return [law.within(np.array([x[0], *(x[1:] / c), c])) for c in powers]


def _like(
    law: FitLaw, columns: Columns, losses: Array, delta: float, weights: Array, envelope: float
) -> list[Array]:
    """Start from the optimum of the law of which this one is a case in other coordinates."""
    start = {"surface": _as_envelope, "surface_power": _as_power, "unrepeated": _unrepeated}
    return start[law.like or ""](law, columns, losses, delta, weights, envelope)


def _unrepeated(
    law: FitLaw, columns: Columns, losses: Array, delta: float, weights: Array, envelope: float
) -> list[Array]:
    """Start from the surface of the points that repeat no token, or of all where these are too few, at ten times for both rates."""
    logs = law.logarithms(columns)
    fresh = (weights > 0) & (logs[1] <= logs[2])
    base = fit_law("surface")
    base = replace(base, low=law.low[:5], high=law.high[:5])
    tells = np.ptp(logs[0, fresh]) > 0 and np.ptp(logs[1, fresh]) > 0 if fresh.any() else False
    if np.count_nonzero(fresh) < _FRESH or not tells:
        fresh = weights > 0
    seen = {name: np.exp(logs[k, fresh]) for k, name in enumerate(("N", "D"))}
    x = solve(base, seen, losses[fresh], delta=delta, weights=weights[fresh], envelope=envelope).x
    return [law.within(np.array([*x, math.log(_RATE), math.log(_RATE)]))]


def _as_power(
    law: FitLaw, columns: Columns, losses: Array, delta: float, weights: Array, envelope: float
) -> list[Array]:
    """Start Kaplan's law, a power of a sum with b = 1, from the optimum of that power in its own coordinates."""
    offset = law.names[0] == "E"
    base = fit_law("surface_power").constrained(
        fixed={"b": 1.0} if offset else {"b": 1.0, "E": 0.0}
    )
    x = solve(base, columns, losses, delta=delta, weights=weights, envelope=envelope).x
    a, c = max(x[3], 1e-3), x[5]  # A N^-a = (N_c/N)^(a_N/a_D), B/D = D_c/D, c = a_D
    found = [a * c, c, x[1] / a, x[2]]
    return [law.within(np.array([x[0], *found] if offset else found))]


def _as_envelope(
    law: FitLaw, columns: Columns, losses: Array, delta: float, weights: Array, envelope: float
) -> list[Array]:
    """Start Rosenfeld's law from surfaces: with its ceiling known, e = L/sqrt(1 - (L/e_0)^2) is a surface."""
    place = law.names.index("epsilon_0")
    worst = float(np.max(losses[weights > 0]))
    ceilings = [factor * worst for factor in _CEILINGS]
    if law.low[place] == law.high[place]:
        ceilings = [math.exp(law.low[place])]
    found = []
    for ceiling in ceilings:
        share = np.minimum(
            losses / ceiling, 1 - 1e-6
        )  # a loss above the ceiling is no value of the law
        raised = losses / np.sqrt((1 - share) * (1 + share))
        x = solve(
            fit_law("surface"), columns, raised, delta=delta, weights=weights, envelope=envelope
        ).x
        at = {"A": x[2], "alpha": x[4], "B": x[1], "beta": x[3], "c_inf": x[0]}
        at["epsilon_0"] = math.log(ceiling)
        found.append(law.within(np.array([at[name] for name in law.names])))
    return found


def resolve_many(
    law: FitLaw,
    columns: Mapping[str, ArrayLike],
    losses: ArrayLike,
    weights: ArrayLike,
    *,
    delta: float,
    start: ArrayLike,
    envelope: float = 1.0,
) -> Array:
    """Fit a law again for many sets of weights, as a bootstrap does, all from one start.

    Parameters
    ----------
    law, columns, losses, delta, envelope
        As for `solve`.
    weights : array_like, shape (B, n)
        One row for each fit.
    start : array_like, shape (p,)
        Coordinates, as of the fit to all points; thresholds begin at ten times delta.

    Returns
    -------
    ndarray, shape (B, p)
        Coordinates.

    Notes
    -----
    On as many threads as Numba may use; a row's fit depends on no other row, so the number of threads changes nothing.
    """
    rows = np.ascontiguousarray(np.atleast_2d(numbers("weights", weights, low=0)))
    logs, losses, _ = prepared(law, columns, losses, None)
    if rows.shape[1] != logs.shape[1]:
        raise refusal("weights", rows.shape, "must have a column for each point", shown=False)
    afford(len(rows) * len(law.names), "the refits", "use fewer")
    middles = law.middles(logs)
    task = _newton.Task(
        law.engine.accumulate,
        logs - middles[:, None],
        np.log(losses),
        _newton.stages(delta, 10 * delta),
        envelope,
        np.array(law.low),
        np.array(law.high),
        law.free,
    )
    found = task.minimize_many(law.shifted(law.within(np.array(start, float)), middles), rows)
    return law.shifted(found, -middles)


def errors(solution: Solution, weights: Array, free: NDArray[np.bool_]) -> tuple[float, Array]:
    """Return the residuals' standard deviation and the covariance sigma^2 (J^T W J)^+ of what was fitted."""
    left = float(np.sum(weights)) - int(np.sum(free))
    variance = float(np.sum(weights * solution.residuals**2)) / max(left, 1.0)
    return float(np.sqrt(variance)), variance * normal_inverse(solution.jacobian, weights, free)


def normal_inverse(jacobian: Array, weights: Array, free: NDArray[np.bool_]) -> Array:
    """Return (J^T W J)^+ over what was fitted and felt, 0 elsewhere."""
    found = np.zeros((free.size, free.size))
    rows = jacobian[:, free] * np.sqrt(weights)[:, None]
    size = np.linalg.norm(rows, axis=0)
    felt = size > _FELT * np.max(size, initial=0.0)  # what the points do not feel has no variance
    scaled = rows[:, felt] / size[felt]
    inverse = np.linalg.pinv(scaled.T @ scaled, rcond=1e-14, hermitian=True)
    place = np.flatnonzero(free)[felt]
    found[np.ix_(place, place)] = inverse / np.outer(size[felt], size[felt])
    return found


def prepared(
    law: FitLaw, columns: Columns, losses: ArrayLike, weights: ArrayLike | None
) -> tuple[Array, Array, Array]:
    """Return logarithms of the variables, losses and weights, checked."""
    instance("law", law, FitLaw)
    logs = law.logarithms(columns)
    values = numbers("losses", losses, low=0, strict=True).ravel()
    counted = np.ones(values.size) if weights is None else numbers("weights", weights, low=0)
    for name, array in (("losses", values), ("weights", counted)):
        if array.shape != (logs.shape[1],):
            raise refusal(name, array.shape, f"must be {logs.shape[1]}, one per point", shown=False)
    return logs, np.ascontiguousarray(values), np.ascontiguousarray(counted, dtype=float)
