"""What a design is computed from: gradients at candidates and targets, the misfit field, and the plan that people would make."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq

from ....arguments import afford, numbers
from ....equality import by_value
from ....errors import refusal
from ....reprs import short_repr
from ._law import FitLaw
from ._optimal_points import log_gradient_params, log_params
from ._record import Fit

Array = NDArray[np.float64]

_BUDGETS, _SIZES = 13, 19  # of candidates
_TOP = 8  # runs of the largest budget that the whole one pays
_SPAN = 1000  # from there down to the cheapest run, where there are none to go by
_ISO_SIZES, _ISO_RATIO = 7, 4.0  # of the isoFLOP plan
_ISO_BUDGETS = range(2, 10)
_RHO = 1.4  # length of the misfit field in ln N - ln C/2; in log10 C it is 1
_PRIOR_SD = {"E": 0.5}
_PRIOR_LOG, _PRIOR_POWER = 2.0, 0.3
_BLOCK = 1024


@short_repr
@dataclass(frozen=True)
@by_value
class Points:
    """Runs that were or could be made.

    Attributes
    ----------
    N, D, C : ndarray, shape (m,)
        Parameters, tokens and compute of each.
    """

    N: Array
    D: Array
    C: Array

    def __len__(self) -> int:
        return self.N.size

    def __add__(self, other: Points) -> Points:
        return Points(
            *(
                np.concatenate([getattr(self, name), getattr(other, name)])
                for name in ("N", "D", "C")
            )
        )

    def take(self, index: Any) -> Points:
        """Return some of them."""
        return Points(self.N[index], self.D[index], self.C[index])


NONE = Points(*(np.zeros(0),) * 3)


@short_repr
@dataclass(frozen=True)
@by_value
class Targets:
    """What shall be known.

    Attributes
    ----------
    names : tuple of str
        ``"loss"``, ``"params"``.
    point : Points
        Where the loss is meant: the target's own N and D, or the best ones for its compute.
    gradients : ndarray, shape (k, p)
        Of each, in centered coordinates.
    """

    names: tuple[str, ...]
    point: Points
    gradients: Array


class Model:
    """A fitted law with centered coordinates of its free parameters: amplitudes belong to the geometric means of N and D.

    Attributes
    ----------
    names : tuple of str
        Free parameters.
    noise, misfit : float
        Standard deviations, in ln L, of a run around the law's curve and of that curve around the truth.
    """

    def __init__(self, fit: Fit, noise: float, misfit: float, center: tuple[float, float]) -> None:
        self.fit = fit
        self.law: FitLaw = fit.model
        self.names = tuple(name for name, free in zip(fit.names, fit.free, strict=True) if free)
        self.noise = noise
        self.misfit = misfit
        self._center = center

    def _centered(self, gradients: Array) -> Array:
        found = np.array(gradients)
        for amplitude, exponent, variable in self.law.centers:
            middle = self._center[("N", "D").index(self.law.variables[variable])]
            found[..., exponent] += middle * found[..., amplitude]
        return np.asarray(found[..., self.fit.free])

    def rows(self, points: Points) -> Array:
        """Compute gradients of ln L over the noise, shape (m, p)."""
        if not len(points):
            return np.zeros((0, len(self.names)))
        columns = {"N": points.N, "D": points.D}
        return self._centered(self.law.gradient(self.fit.x, columns)) / self.noise

    def best(self, compute: Any) -> Array:
        """Compute the best model size for a compute."""
        found = log_params(self.law, self.fit.parameters, compute, self.fit.cost)
        return np.atleast_1d(np.exp(found))

    def at(self, N: Any, C: Any) -> Points:
        """Return runs of these sizes and computes."""
        sizes, computes = (np.atleast_1d(np.asarray(part, float)) for part in (N, C))
        return Points(sizes, computes / (self.fit.cost * sizes), computes)

    def targets(self, names: tuple[str, ...], point: Points) -> Targets:
        """Return gradients of the loss and of the best size at a point.

        The loss at the best point has the gradient of the loss there: moving the point costs nothing to first order.
        """
        rows = {
            "loss": lambda: self.rows(point)[0] * self.noise,
            "params": lambda: self._centered(
                log_gradient_params(self.law, self.fit.parameters, point.C, self.fit.cost)
            )[0],
        }
        return Targets(names, point, np.array([rows[name]() for name in names]))

    @property
    def prior(self) -> Array:
        """Information that is used where runs are few: standard deviations of .5 for ln E, 2 for other logarithms, .3 for exponents."""
        logs = dict(zip(self.law.names, self.law.logs, strict=True))
        sds = [
            _PRIOR_SD.get(name, _PRIOR_LOG if logs[name] else _PRIOR_POWER) for name in self.names
        ]
        return np.diag(np.array(sds) ** -2.0)

    def field(self, first: Points, second: Points, values: Array | None = None) -> Array:
        r"""Compute the misfit field's covariances over the noise, shape (m, n), or their product with values, shape (n, k).

        .. math:: K = \frac{\tau^2}{\sigma^2} e^{-\frac12 (\Delta\log_{10} C)^2 - \frac12 (\Delta\rho/1.4)^2}, \quad
                  \rho = \ln N - \tfrac12 \ln C
        """
        places = [
            np.array([np.log10(p.C), (np.log(p.N) - 0.5 * np.log(p.C)) / _RHO])
            for p in (first, second)
        ]
        if values is None:
            afford(3.0 * len(first) * len(second), "the misfit field", "use fewer candidates")
        blocks = []
        for start in range(0, len(first), _BLOCK):
            apart = places[0][:, start : start + _BLOCK, None] - places[1][:, None]
            block = (self.misfit / self.noise) ** 2 * np.exp(-0.5 * np.sum(apart**2, axis=0))
            blocks.append(block if values is None else block @ values)
        shape = (0, len(second) if values is None else values.shape[1])
        return np.concatenate(blocks) if blocks else np.zeros(shape)

    def errors(self, points: Points, counts: Array, targets: Targets, prior: Array) -> Array:
        """Compute noise, misfit and prior parts of each target's mean squared error, shape (3, k); inf where runs do not determine it."""
        rows = self.rows(points)
        matrix = rows.T @ (rows * counts[:, None]) + prior
        size = np.sqrt(np.maximum(np.diag(matrix), 1e-300))
        scaled = matrix / np.outer(size, size)
        if not np.all(np.isfinite(scaled)) or np.linalg.eigvalsh(scaled)[0] < 1e-13:
            return np.full((3, len(targets.names)), np.inf)
        solved = np.linalg.solve(scaled, (targets.gradients / size).T) / size[:, None]  # (p, k)
        pulls = rows @ solved  # (m, k): weights are counts times these
        weights = counts[:, None] * pulls
        noise = np.sum(weights * pulls, axis=0)
        felt = self.field(points, points, weights)
        there, own = self.toward(points, targets)
        misfit = np.sum(weights * felt, axis=0) - 2 * np.sum(weights.T * there, axis=1) + own
        return np.array([noise, misfit, np.sum(solved * (prior @ solved), axis=0)])

    def toward(self, points: Points, targets: Targets) -> tuple[Array, Array]:
        """Compute k_* over the noise of each target, shape (k, m), and k_**: 0 for the best size, which the field does not move."""
        loss = np.array([name == "loss" for name in targets.names], float)
        there = self.field(points, targets.point)[:, 0] * self.noise
        return loss[:, None] * there, loss * self.misfit**2


def default_candidates(
    model: Model, existing: Points, budget: float, ratio: tuple[float, float], dearest: float
) -> Points:
    """Return 13 budgets, from that of the cheapest run to an eighth of the whole, with 19 sizes around the best of each."""
    top = budget / _TOP
    low = float(existing.C.min()) if len(existing) else min(top, dearest) / (_SPAN / _TOP)
    high = max(low, min(top, dearest))
    computes = np.unique(np.geomspace(low, high, _BUDGETS)) if high > low else np.array([low])
    ratios = np.geomspace(*ratio, _SIZES)
    return model.at(np.outer(model.best(computes), ratios).ravel(), np.repeat(computes, _SIZES))


def isoflop_plan(
    model: Model, targets: Targets, existing: Points, cost: float, low: float, high: float
) -> tuple[Points, float]:
    """Return the isoFLOP plan of a cost: 7 sizes within a factor of 4 of the best, at 2 to 9 budgets, geometric from the least compute on.

    Of these numbers of budgets it is the one with the least error (geometric mean over targets). Where the dearest run may not be
    dear enough to spend the cost, every run is made more than once, a number of times that need not be whole.
    """
    ratios = np.geomspace(1 / _ISO_RATIO, _ISO_RATIO, _ISO_SIZES)
    budgets = [_geometric(number, cost / _ISO_SIZES, low, high) for number in _ISO_BUDGETS]
    sizes = np.split(
        model.best(np.concatenate(budgets)), np.cumsum([computes.size for computes in budgets])[:-1]
    )
    nothing = np.zeros((len(model.names),) * 2)
    plans = []
    for computes, best in zip(budgets, sizes, strict=True):
        plan = model.at(np.outer(best, ratios).ravel(), np.repeat(computes, _ISO_SIZES))
        times = cost / float(np.sum(plan.C))
        counts = np.append(np.ones(len(existing)), np.full(len(plan), times))
        parts = model.errors(existing + plan, counts, targets, nothing)
        plans.append((float(np.mean(np.log(np.sum(parts, axis=0)))), plan, times))
    _, plan, times = min(plans, key=lambda entry: entry[0])
    return plan, times


def _geometric(number: int, total: float, low: float, high: float) -> Array:
    """Return budgets that are geometric from the lowest on and have a sum; the dearest is the highest allowed, if the sum is larger."""
    lowest = min(low, total / (2 * number))
    steps = np.linspace(0, 1, number)

    def missing(logarithm: float) -> float:
        return float(np.sum(np.exp(logarithm * steps))) * lowest - total

    most = math.log(max(high / lowest, 4.0))
    span = brentq(missing, 0.0, most) if missing(most) > 0 else most
    return np.asarray(lowest * np.exp(span * steps))


def points_of(name: str, source: Any, cost: float) -> Points:
    """Read candidates or existing runs: anything with N and D, and perhaps C, or an array with a row (N, D) for each."""
    wanted = (
        "must have N and D: a dictionary of arrays, runs, a data frame, or an array of shape (m, 2)"
    )
    if isinstance(source, (np.ndarray, list, tuple)):
        table = numbers(name, source, low=0, strict=True)
        if table.size and (table.ndim != 2 or table.shape[1] != 2):
            raise refusal(name, table.shape, wanted, shown=False)
        held = dict(zip("ND", table.reshape(-1, 2).T, strict=True))
    else:
        held = {key: _column(source, key) for key in ("N", "D", "C")}
        held = {key: value for key, value in held.items() if value is not None}
        if not {"N", "D"} <= set(held):
            raise refusal(name, source, wanted, shown=False)
    columns = {
        key: numbers(f"{name}[{key!r}]", np.asarray(value), low=0, strict=True).ravel()
        for key, value in held.items()
    }
    sizes = {key: column.size for key, column in columns.items()}
    if len(set(sizes.values())) > 1:
        told = ", ".join(f"{size} of {key}" for key, size in sizes.items())
        raise refusal(
            name, None, f"must have as many values in each column; got {told}", shown=False
        )
    C = columns.get("C", cost * columns["N"] * columns["D"])
    return Points(columns["N"], columns["D"], C)


def _column(source: Any, key: str) -> Any:
    if hasattr(source, "keys"):  # a mapping or a data frame
        return source.get(key)
    found = getattr(source, key, None)
    return found if isinstance(found, np.ndarray) else None
