"""One law for several groups of points, with coordinates that they share and coordinates of their own."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ....arguments import afford
from ....equality import by_value
from ....reprs import short_repr
from . import _newton
from ._bootstrap import resampled
from ._law import FitLaw
from ._solve import normal_inverse, solve

Array = NDArray[np.float64]

_NEAR = 10  # thresholds of resampled fits begin at so many times delta


@short_repr
@dataclass(frozen=True)
@by_value
class Grouped:
    """Points of several groups.

    Attributes
    ----------
    law : FitLaw
        Of all of them.
    logs : ndarray, shape (variables, n)
        Logarithms of the variables.
    losses : ndarray, shape (n,)
        Positive.
    member : ndarray of int, shape (n,)
        Group of each point.
    clusters : sequence of ndarray
        Of each group, the runs to which its points belong.
    delta : float
        Huber's threshold; inf for least squares.
    """

    law: FitLaw
    logs: Array
    losses: Array
    member: NDArray[np.int64]
    clusters: Sequence[NDArray[Any]]
    delta: float = np.inf

    @property
    def groups(self) -> int:
        """How many groups there are."""
        return len(self.clusters)

    def places(self, shared: Collection[str]) -> NDArray[np.int64]:
        """Return where the coordinates of each group stand among those of all, shape (groups, p); shared ones come first."""
        law = self.law
        found = np.empty((self.groups, len(law.names)), np.int64)
        count = 0
        for j, name in enumerate(law.names):
            if name in shared:
                found[:, j] = count
                count += 1
        for j, name in enumerate(law.names):
            if name not in shared:
                found[:, j] = count + np.arange(self.groups)
                count += self.groups
        return found

    def middles(self, shared: Collection[str]) -> Array:
        """Return what is subtracted from the variables in a fit; an amplitude that is shared while its exponent is not stays."""
        found = self.law.middles(self.logs)
        for amplitude, exponent, variable in self.law.centers:
            names = self.law.names
            if names[amplitude] in shared and names[exponent] not in shared:
                found[variable] = 0.0
        return found


@short_repr
@dataclass(frozen=True)
@by_value
class GroupSolution:
    """Where a fit to groups ended.

    Attributes
    ----------
    x : ndarray, shape (groups, p)
        Coordinates of each group.
    places : ndarray of int, shape (groups, p)
        Where they stand among those that were fitted.
    cov : ndarray, shape (q, q)
        Covariance of those that were fitted.
    sigma : float
        Standard deviation of the residuals, of all groups together.
    objective : float
        Sum of Huber losses.
    residuals : ndarray, shape (n,)
        ln L - f.
    gradients : ndarray, shape (n, p)
        Of each point, in the coordinates of its group.
    free : int
        Number of coordinates that were fitted.
    converged : bool
        Whether no step went down any more.
    steps : int
        Newton steps tried.
    """

    x: Array
    places: NDArray[np.int64]
    cov: Array
    sigma: float
    objective: float
    residuals: Array
    gradients: Array
    free: int
    converged: bool
    steps: int

    @property
    def rss(self) -> float:
        """Sum of squared residuals."""
        return float(self.residuals @ self.residuals)

    def covariance(self, group: int) -> Array:
        """Return the covariance of the coordinates of a group, shape (p, p)."""
        at = self.places[group]
        return self.cov[np.ix_(at, at)]


def solve_groups(data: Grouped, separate: Array, shared: Collection[str]) -> GroupSolution:
    """Fit groups together, from the mean of their separate fits and from the fit to all points as if they were one group.

    Parameters
    ----------
    data : Grouped
        Points.
    separate : ndarray, shape (groups, p)
        Coordinates of the fit to each group alone.
    shared : collection of str
        Parameters that are the same in all groups.

    Returns
    -------
    GroupSolution
        The better of the two.
    """
    law, places, middles = data.law, data.places(shared), data.middles(shared)
    starts = [separate]
    if shared:
        columns = dict(zip(law.variables, np.exp(data.logs), strict=True))
        pooled = solve(law, columns, data.losses, delta=data.delta).x
        starts.append(np.tile(pooled, (data.groups, 1)))
    task = _task(data, places, middles, _newton.stages(data.delta))
    y, free = task.y, task.free
    best: tuple[float, Array, bool] | None = None
    taken = 0
    for start in starts:
        z = _together(law.shifted(start, middles), places)
        objective, steps, settled = task.minimize(z, np.ones(y.size))
        taken += steps
        if best is None or objective < best[0]:
            best = objective, z, settled
    assert best is not None
    objective, z, settled = best
    x = law.shifted(z[places], -middles)
    gradients, residuals = np.empty((y.size, len(law.names))), np.empty(y.size)
    jacobian = np.zeros((y.size, z.size))
    for g in range(data.groups):
        at = np.flatnonzero(data.member == g)
        residuals[at] = y[at] - law.values(x[g], data.logs[:, at])
        gradients[at] = law.gradients(x[g], np.ascontiguousarray(data.logs[:, at]))
        jacobian[np.ix_(at, places[g])] = gradients[at]
    fitted = int(np.sum(free))
    variance = float(residuals @ residuals) / max(y.size - fitted, 1)
    cov = variance * normal_inverse(jacobian, np.ones(y.size), free)
    return GroupSolution(
        x,
        places,
        cov,
        float(np.sqrt(variance)),
        objective,
        residuals,
        gradients,
        fitted,
        settled,
        taken,
    )


def resample_groups(
    data: Grouped, x: Array, shared: Collection[str], count: int, rng: np.random.Generator
) -> Array:
    """Fit resampled points again, each group's drawn from its own.

    Parameters
    ----------
    data : Grouped
        Points.
    x : ndarray, shape (groups, p)
        Coordinates of the fit to all of them.
    shared : collection of str
        Parameters that are the same in all groups.
    count : int
        Number of resamples.
    rng : Generator
        Source of randomness.

    Returns
    -------
    ndarray, shape (count, groups, p)
        Coordinates.
    """
    law, places, middles = data.law, data.places(shared), data.middles(shared)
    afford(count * data.losses.size, "the weights of the resamples", "use fewer resamples")
    weights = np.empty((count, data.losses.size))
    for g, clusters in enumerate(data.clusters):
        weights[:, data.member == g] = resampled(count, clusters, rng)
    task = _task(data, places, middles, _newton.stages(data.delta, _NEAR * data.delta))
    found = task.minimize_many(_together(law.shifted(x, middles), places), weights)
    return law.shifted(found[:, places], -middles)


def _task(data: Grouped, places: NDArray[np.int64], middles: Array, deltas: Array) -> _newton.Task:
    """Return what is minimized over the coordinates of all groups."""
    objective = _newton.group_objective(data.law.kernel, len(data.law.variables))
    rows, y = _rows(data, places, middles), np.log(data.losses)
    return _newton.Task(objective, rows, y, deltas, 1.0, *_ends(data, places))


def _ends(data: Grouped, places: NDArray[np.int64]) -> tuple[Array, Array, NDArray[np.bool_]]:
    """Return bounds of the coordinates that are fitted, and which are free."""
    law, size = data.law, int(places.max()) + 1
    low, high, free = np.empty(size), np.empty(size), np.empty(size, np.bool_)
    for row in places:
        low[row], high[row], free[row] = law.low, law.high, law.free
    return low, high, free


def _rows(data: Grouped, places: NDArray[np.int64], middles: Array) -> Array:
    """Return the variables, centered, and below them where each point's coordinates stand."""
    centered = data.logs - middles[:, None]
    return np.ascontiguousarray(np.concatenate([centered, places[data.member].T.astype(float)]))


def _together(x: Array, places: NDArray[np.int64]) -> Array:
    """Return the coordinates that are fitted, of each the mean over the groups that have it."""
    count = np.bincount(places.ravel())
    return np.bincount(places.ravel(), weights=x.ravel()) / count
