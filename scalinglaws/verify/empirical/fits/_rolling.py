"""Rolling origin: budgets are forecast from smaller ones, and what was forecast is compared with what was seen."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ....arguments import choice, instance, number, whole
from ....errors import DataError
from ....formatting import scientific
from ....results import Result
from ._budgets import fitted_budgets, upper_ends
from ._law import FitLaw
from ._optimal_points import CLOSED, log_gradient_params, log_params
from ._record import Fit
from ._requirements import enough
from ._solve import Solution, errors, normal_inverse, solve

Array = NDArray[np.float64]
Counts = NDArray[np.int64]

_LEAST_BUDGETS = 2  # below an edge, for a fit there
_LEAST_RUNS = 3  # of a band
_EXACT = 1e-6  # decades by which the reach may be missed
_FLOOR = 4e-6  # of a mean squared error: 0.2 %, so that luck does not decide
_NORMAL = 1.959963984540054  # half a 95 % interval, in standard deviations


@dataclass(frozen=True)
class RollingOrigin(Result):
    r"""Forecasts of later budgets from earlier ones; errors are predicted minus observed, in :math:`\ln L`.

    A band is the runs of one budget, forecast from all runs up to a smaller one, its origin.

    Attributes
    ----------
    laws : tuple of str
        The fit's own first.
    budgets : ndarray, shape (b,)
        :math:`\log_{10} C` of the budgets.
    origin, edge : ndarray, shape (k,)
        :math:`\log_{10} C` of the largest budget fitted and of the one forecast.
    horizon : ndarray, shape (k,)
        Mean :math:`\log_{10} C` of the band minus the largest fitted.
    runs, fitted_runs : ndarray of int, shape (k,)
        In the band, and below it.
    errors : dict of str to ndarray, shape (k,)
        Mean error over the band by each law.
    variances : dict of str to ndarray, shape (k,)
        What noise and the uncertainty of the fit explain of its square: :math:`\bar J \mathrm{Cov} \bar J^T + \sigma^2/m`.
    scores : dict of str to float
        Mean squared error, and 4e-6; empty without bands.
    weights : dict of str to float
        Inverse scores that sum to 1; all of it the fit's own law without bands.
    size_origin, size_edge : ndarray, shape (q,)
        Where :math:`N_{opt}` of the next budget was forecast, too.
    size_errors, size_variances : dict of str to ndarray, shape (q,)
        Of :math:`\ln N_{opt}`, forecast minus seen; the variances of both, summed.
    size_unseen : int
        Next budgets whose runs do not reach to both sides of an optimum.
    skipped : tuple of str
        Origins from which nothing could be forecast, and why.
    unsettled : int
        Fits that ended at the limit of steps.
    """

    laws: tuple[str, ...]
    budgets: Array
    origin: Array
    edge: Array
    horizon: Array
    runs: Counts
    fitted_runs: Counts
    errors: dict[str, Array]
    variances: dict[str, Array]
    scores: dict[str, float]
    weights: dict[str, float]
    size_origin: Array
    size_edge: Array
    size_errors: dict[str, Array]
    size_variances: dict[str, Array]
    size_unseen: int
    skipped: tuple[str, ...]
    unsettled: int

    def __len__(self) -> int:
        return int(self.edge.size)

    def _of(self, table: Mapping[str, Array], law: str | None) -> Array:
        return self._weighted(table) if law is None else table[choice("law", law, self.laws)]

    @property
    def validated_horizon(self) -> float:
        """Decades of the longest forecast; 0 without any."""
        return float(np.max(self.horizon, initial=0.0))

    def error(self, law: str | None = None) -> Array:
        r"""Return the mean error of each band, of one law or of all: :math:`\bar e = \sum_k w_k \bar e_k`."""
        return self._of(self.errors, law)

    def variance(self, law: str | None = None) -> Array:
        r"""Return its variance; of all laws :math:`\sum_k w_k \bar v_k`, which it has at most: laws err together."""
        return self._of(self.variances, law)

    def rms(self, law: str | None = None) -> float:
        """Return the root mean square error of the bands; NaN where there is none."""
        return float(np.sqrt(np.mean(self.error(law) ** 2))) if len(self) else math.nan

    def mean(self, law: str | None = None) -> float:
        """Return the mean error of the bands; NaN where there is none."""
        return float(np.mean(self.error(law))) if len(self) else math.nan

    def size_error(self, law: str | None = None) -> Array:
        r"""Return the error of each forecast of :math:`\ln N_{opt}`, of one law or weighted over all."""
        return self._of(self.size_errors, law)

    def size_inside(self, law: str | None = None) -> NDArray[np.bool_]:
        r"""Tell which of them lie inside the 95 % interval; all laws have :math:`\sum_k w_k [v_k + (f_k - f)^2]`, as forecasts do."""
        error = self.size_error(law)
        if law is None:
            spread = {name: (one - error) ** 2 for name, one in self.size_errors.items()}
            variance = self._weighted(self.size_variances) + self._weighted(spread)
        else:
            variance = self._of(self.size_variances, law)
        return np.asarray(np.abs(error) <= _NORMAL * np.sqrt(variance))

    def summary(self) -> str:
        """Describe the forecasts in a few lines.

        Examples
        --------
        >>> from scalinglaws.verify.empirical import example_runs, fit
        >>> print(fit("surface", example_runs("synthetic"), bootstrap=0).rolling_origin().summary())
        7 forecasts of a later budget from earlier ones, predicted - observed:
          surface -0.16 % mean, 0.18 % rms
          N_opt of the next budget: 4 of 4 inside 95 %, 0.01 rms in ln
        """
        if not len(self):
            return f"no budget could be forecast from smaller ones ({len(self.budgets)} budgets)"
        count = len(self)
        told = [
            f"{law} {100 * self.mean(law):+.2f} % mean, {100 * self.rms(law):.2f} % rms"
            for law in self.laws
        ]
        lines = [
            f"{count} forecast{'s' * (count > 1)} of a later budget from earlier ones, predicted - observed:",
            f"  {'; '.join(told)}",
        ]
        if len(self.laws) > 1:
            shares = ", ".join(f"{self.weights[law]:.2f}" for law in self.laws)
            lines[-1] += f"; weights {shares}"
        seen = self.size_edge.size
        if seen:
            inside = int(np.sum(self.size_inside()))
            rms = float(np.sqrt(np.mean(self.size_error() ** 2)))
            lines.append(
                f"  N_opt of the next budget: {inside} of {seen} inside 95 %, {rms:.2f} rms in ln"
            )
        return "\n".join(lines)

    def _weighted(self, values: Mapping[str, Array]) -> Array:
        return np.asarray(np.sum([self.weights[name] * values[name] for name in self.laws], axis=0))


def rolling_origin(fit: Fit, *, minimum_runs: int = 15, reach: float = 1.0) -> RollingOrigin:
    r"""Forecast each budget from smaller ones, by fits of their own.

    For each budget with enough runs up to it, those are fitted alone, from their own starts and with everything else as in the fit:
    threshold, weights, envelope, bounds and fixed parameters. Each later budget within reach is forecast by the mean of
    :math:`e_i = f_i - \ln L_i` over its runs, at least 3.

    Parameters
    ----------
    fit : Fit
        To data; other laws in `laws` are compared with its own on the same bands.
    minimum_runs : int
        Runs up to an origin, on at least 2 budgets.
    reach : float
        Decades of compute from an origin to the furthest budget forecast from it; where budgets are cells of a grid, from end to end.

    Returns
    -------
    RollingOrigin
        Bands in the order of their origins; none where the runs have too few budgets.

    Raises
    ------
    DataError
        If the fit has no data, or nothing says what compute its points took.
    DomainError
        If an argument is not allowed.

    Notes
    -----
    Of several points of one run, the run counts once. For ``surface`` and ``surface_power`` the optimum of the next budget is looked
    at as well: :math:`L` and :math:`\ln N_{opt}` there are fitted to its runs, with E and the exponents from below (A and B are
    free, which is the same), and compared with the forecast of :math:`\ln N_{opt}`. Two laws, 60 runs on 6 budgets: about 20 ms.

    Examples
    --------
    >>> from scalinglaws.verify.empirical import example_runs, fit
    >>> found = rolling_origin(fit("surface", example_runs("synthetic"), bootstrap=0))
    >>> len(found), round(found.validated_horizon, 2)
    (7, 0.8)
    """
    instance("fit", fit, Fit)
    least = whole("minimum_runs", minimum_runs, low=1)
    furthest = number("reach", reach, low=0, strict=True)
    points = _Points(fit)
    laws = {name: one.model for name, one in {fit.law: fit, **fit.laws}.items()}
    found = _Found(tuple(laws))
    for origin in range(_LEAST_BUDGETS - 1, points.count - 1):
        later = points.later(origin, furthest)
        below = np.flatnonzero(points.member <= origin)
        if not later or points.runs(below) < least:
            continue
        try:
            refits = {name: _Refit(law, points, below, fit) for name, law in laws.items()}
        except DataError as failure:  # the runs below cannot determine a law
            found.skipped.append(f"{scientific(10 ** points.values[origin])}: {failure}")
            continue
        found.unsettled += sum(not refit.solution.converged for refit in refits.values())
        for edge in later:
            found.forecast(refits, points, origin, edge)
        if later[0] == origin + 1 and all(law.id in CLOSED for law in laws.values()):
            found.allocate(refits, points, origin)
    return found.result(points)


class _Points:
    """The points of a fit that count, by budget."""

    def __init__(self, fit: Fit) -> None:
        index, self.log_compute, budgets = fitted_budgets(fit)
        self.values, self.member = budgets.log10_compute, budgets.member
        self.ends = upper_ends(self.log_compute, budgets)
        self.columns = {name: column[index] for name, column in fit.columns.items()}
        self.losses = fit.losses[index]
        self.weights = fit.row_weights[index]
        self.run = index if fit.run is None else fit.run[index]
        self.count = len(budgets)
        self.bands = [np.flatnonzero(self.member == edge) for edge in range(self.count)]
        self.band_runs = [self.runs(band) for band in self.bands]

    def runs(self, index: Counts) -> int:
        """Count the runs of points."""
        return int(np.unique(self.run[index]).size)

    def later(self, origin: int, reach: float) -> list[int]:
        """Return the budgets that are forecast from one."""
        furthest = self.ends[origin] + reach + _EXACT
        return [
            edge
            for edge in range(origin + 1, self.count)
            if self.ends[edge] <= furthest and self.band_runs[edge] >= _LEAST_RUNS
        ]

    def at(self, index: Counts) -> dict[str, Array]:
        """Return the variables of points."""
        return {name: column[index] for name, column in self.columns.items()}


class _Refit:
    """A law fitted to the points up to an origin."""

    def __init__(self, law: FitLaw, points: _Points, below: Counts, fit: Fit) -> None:
        columns, weights = points.at(below), points.weights[below]
        enough(law, columns, weights)
        self.law, self.fit = law, fit
        self.logs = law.logarithms(points.columns)
        self.solution = self._solved(law, columns, points.losses[below], weights)
        self.sigma, self.cov = errors(self.solution, weights, law.free)
        self.degrees = max(float(np.sum(weights)) - int(np.sum(law.free)), 1.0)
        self.parameters = _named(law, self.solution.x)

    def _solved(
        self, law: FitLaw, columns: dict[str, Array], losses: Array, weights: Array, **more: Array
    ) -> Solution:
        delta, envelope = self.fit.delta, self.fit.envelope
        return solve(law, columns, losses, delta=delta, weights=weights, envelope=envelope, **more)

    def band(self, points: _Points, index: Counts) -> tuple[float, float]:
        """Return the mean error over a band and its variance."""
        logs = np.ascontiguousarray(self.logs[:, index])
        weights = points.weights[index]
        total = float(np.sum(weights))
        shares = weights / total
        error = self.law.values(self.solution.x, logs) - np.log(points.losses[index])
        mean = shares @ self.law.gradients(self.solution.x, logs)
        independent = total * points.runs(index) / index.size  # points of one run err together
        return float(shares @ error), float(mean @ self.cov @ mean + self.sigma**2 / independent)

    def size(self, points: _Points, index: Counts) -> tuple[float, float] | None:
        """Return the error of ln N_opt at a budget and its variance; None where its runs show no optimum."""
        columns, weights = points.at(index), points.weights[index]
        logs = np.ascontiguousarray(self.logs[:, index])
        budget = np.exp(np.average(logs.sum(axis=0), weights=weights))  # N D
        held = {name: self.parameters[name] for name in self.law.names if name not in "AB"}
        law = self.law.constrained(fixed=held)
        if int(np.sum(law.free)) < 2 or min(held["a"], held["b"]) <= 0:
            return None
        seen = self._solved(law, columns, points.losses[index], weights, start=self.solution.x)
        there = _named(law, seen.x)
        if not all(map(math.isfinite, (*self.parameters.values(), *there.values()))):
            return None
        forecast, log_n = (
            float(log_params(self.law, p, budget, 1.0, inside=False))
            for p in (self.parameters, there)
        )
        if not (seen.converged and logs[0].min() < log_n < logs[0].max()):
            return None
        if not math.isfinite(forecast):
            return None
        squares = self.degrees * self.sigma**2 + float(np.sum(weights * seen.residuals**2))
        variance = squares / (self.degrees + max(float(np.sum(weights)) - 2, 0.0))
        cov = variance * normal_inverse(seen.jacobian, weights, law.free)
        total = 0.0
        for parameters, matrix in ((self.parameters, self.cov), (there, cov)):
            slope = log_gradient_params(self.law, parameters, budget, 1.0)[0]
            total += float(slope @ matrix @ slope)
        return forecast - log_n, total


def _named(law: FitLaw, x: Array) -> dict[str, float]:
    return {name: float(value) for name, value in law.parameters(x).items()}


class _Found:
    """What is put together on the way."""

    def __init__(self, laws: tuple[str, ...]) -> None:
        self.laws = laws
        self.places: list[tuple[int, int, float, int, int]] = []
        self.bands: list[list[tuple[float, float]]] = []
        self.size_places: list[int] = []
        self.sizes: list[list[tuple[float, float]]] = []
        self.unseen = self.unsettled = 0
        self.skipped: list[str] = []

    def forecast(
        self, refits: Mapping[str, _Refit], points: _Points, origin: int, edge: int
    ) -> None:
        """Forecast one band by each law."""
        index = points.bands[edge]
        below = np.flatnonzero(points.member <= origin)
        horizon = float(np.mean(points.log_compute[index]) - np.max(points.log_compute[below]))
        self.places.append((origin, edge, horizon, points.band_runs[edge], points.runs(below)))
        self.bands.append([refits[name].band(points, index) for name in self.laws])

    def allocate(self, refits: Mapping[str, _Refit], points: _Points, origin: int) -> None:
        """Compare the optimum of the next budget with the forecast of each law."""
        each = [refits[name].size(points, points.bands[origin + 1]) for name in self.laws]
        known = [one for one in each if one is not None]
        if len(known) < len(each):
            self.unseen += 1
            return
        self.size_places.append(origin)
        self.sizes.append(known)

    def result(self, points: _Points) -> RollingOrigin:
        """Weigh the laws."""
        places = np.array(self.places).reshape(-1, 5)
        origin, edge = places[:, 0].astype(int), places[:, 1].astype(int)
        errors_, variances = _by_law(self.laws, self.bands)
        size_errors, size_variances = _by_law(self.laws, self.sizes)
        size_origin = np.array(self.size_places, dtype=int)
        scores = {}
        weights = {name: float(name == self.laws[0]) for name in self.laws}
        if self.bands:
            scores = {name: float(np.mean(errors_[name] ** 2)) + _FLOOR for name in self.laws}
            total = sum(1 / score for score in scores.values())
            weights = {name: 1 / score / total for name, score in scores.items()}
        return RollingOrigin(
            laws=self.laws,
            budgets=points.values,
            origin=points.values[origin],
            edge=points.values[edge],
            horizon=places[:, 2],
            runs=places[:, 3].astype(np.int64),
            fitted_runs=places[:, 4].astype(np.int64),
            errors=errors_,
            variances=variances,
            scores=scores,
            weights=weights,
            size_origin=points.values[size_origin],
            size_edge=points.values[size_origin + 1],
            size_errors=size_errors,
            size_variances=size_variances,
            size_unseen=self.unseen,
            skipped=tuple(self.skipped),
            unsettled=self.unsettled,
        )


def _by_law(
    laws: tuple[str, ...], rows: list[list[tuple[float, float]]]
) -> tuple[dict[str, Array], dict[str, Array]]:
    """Turn rows of one (error, variance) a law into arrays of each by law."""
    table = np.array(rows, float).reshape(-1, len(laws), 2)
    return (
        {name: table[:, k, 0].copy() for k, name in enumerate(laws)},
        {name: table[:, k, 1].copy() for k, name in enumerate(laws)},
    )
