"""Which runs to do next, so that a fit to them and to those there are says most about a target."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ....arguments import choice, instance, number, numbers, several, whole_or_inf
from ....arguments import whole as whole_number
from ....errors import refusal
from ....formatting import scientific
from .._run_columns import letter_of
from . import _design_bound as bound
from . import _design_search as search
from ._design_record import Design
from ._design_sites import (
    NONE,
    Model,
    Points,
    Targets,
    default_candidates,
    isoflop_plan,
    points_of,
)
from ._forecast import members
from ._record import Fit

Array = NDArray[np.float64]

WHAT = ("loss", "params")
LEAST_NOISE, MOST_NOISE = 1e-9, 10.0  # standard deviations in ln L
_MORE = 2  # runs beyond the parameters that a fit needs
_POWERS = (
    1.0,
    0.5,
)  # of cost, over which gain is taken; exchanges from both, and the better is kept
_SWEEPS = 60
_ADDED = 20_000  # runs added one after the other
_TINY = 1e-12  # of the mean diagonal of M: runs rounded down may not determine everything


def design(
    fit: Fit,
    *,
    budget: float,
    target: Mapping[str, Any],
    candidates: Any = None,
    max_runs: int | None = None,
    max_compute: float | None = None,
    seeds: float = 1,
    ratio: tuple[float, float] = (1 / 8, 8.0),
    misfit: float = 0.03,
    noise: float | None = None,
    existing: Any = None,
    law: str | None = None,
) -> Design:
    r"""Choose the runs to do next.

    Least squares has the variance :math:`\sigma^2 w^\top w` with weights :math:`w = G (G^\top G)^{-1} c` on the runs, for a target
    with gradient c. No law is exact; what it leaves out is taken as a random field around it, of standard deviation :math:`\tau` and
    covariance

    .. math:: K = \tau^2 e^{-\frac12 (\Delta\log_{10} C)^2 - \frac12 (\Delta\rho/1.4)^2}, \quad \rho = \ln N - \tfrac12 \ln C,

    so that runs are chosen for the least

    .. math:: \mathrm{MSE} = \sigma^2 w^\top w + w^\top K w - 2 w^\top k_* + k_{**}

    with :math:`k_*` between the runs and the target for the loss, and none for the best size. Several targets are averaged, each over
    its error under the isoFLOP plan of the budget.

    Parameters
    ----------
    fit : Fit
        Of a law in N and D, to runs or from published constants.
    budget : float
        Compute of all new runs.
    target : mapping
        ``{"compute": 1e24, "what": ("loss", "params")}``: the loss of the best model for a compute, and its size; or one of them. Or
        ``{"N": 7e10, "D": 1.4e12}``: the loss of a model.
    candidates : mapping, Runs, data frame or array of shape (m, 2), optional
        N and D of runs that could be made (and C, if it is not the fit's cost times N D). By default 13 budgets, geometric from that of
        the cheapest existing run (without any, a thousandth of `budget`) to an eighth of `budget`, with 19 sizes in `ratio` each.
    max_runs : int, optional
        Most of the new runs.
    max_compute : float, optional
        Most compute of one run.
    seeds : int or inf
        Most runs at one candidate. They share the misfit, so that a second one is seldom worth its cost.
    ratio : (float, float)
        Least and largest N over the best N of the default candidates.
    misfit : float
        :math:`\tau`, in ln L, >= 0. 0: the law is true, plans are optimal to a certified bound, and rely on runs far from the target
        that real models do not obey; 0.03 won on real runs.
    noise : float, optional
        :math:`\sigma`, in ln L, > 0; by default that of the fit's residuals. Published constants have none.
    existing : mapping, Runs, data frame or array of shape (m, 2), optional
        Runs that will be fitted together with the new ones; by default those of the fit. An empty list for none.
    law : str, optional
        One of the fit's laws. By default that with the most parameters of those with weight in its forecasts, so ``surface_power``
        beside ``surface``: a plan that determines c too determines the simpler law, and not the reverse.

    Returns
    -------
    Design
        The runs and the standard deviations to expect.

    Raises
    ------
    DomainError
        If no candidate can be paid, there are fewer runs than parameters, the law has no best size, or an argument is not allowed.

    Notes
    -----
    If the law is nearly true, runs are added one after the other by gain over cost (or its root), then replaced one for
    one; a weak prior keeps the first choices finite, and what is reported does without it where there are two more runs than parameters.
    If it is true, the best fractional plan is rounded down and filled; its bound is Elfving's linear programme for one target and no
    limits, else Frank and Wolfe's steps. Predicted standard deviations are those of linearized least squares; refits agree to 5 %. Some
    0.1 to 1 s for 60 runs of 300 candidates.

    References
    ----------
    .. [1] G. Elfving, *Optimum allocation in linear regression theory*, Ann. Math. Statist. 23, 255 (1952).
    .. [2] M. Frank and P. Wolfe, *An algorithm for quadratic programming*, Naval Res. Logist. Q. 3, 95 (1956).

    Examples
    --------
    >>> from scalinglaws.verify.empirical import from_parameters
    >>> plan = design(from_parameters("besiroglu"), budget=1e22, target={"compute": 1e24}, max_runs=20, noise=0.005)
    >>> len(plan), plan.cost <= 1e22, plan.names
    (20, True, ('loss', 'params'))
    >>> bool(plan.sd[0] < plan.isoflop_sd[0])
    True
    """
    instance("fit", fit, Fit)
    fit = _with_law(fit, law)
    money = number("budget", budget, low=0, strict=True)
    dearest = (
        math.inf if max_compute is None else number("max_compute", max_compute, low=0, strict=True)
    )
    most = whole_or_inf("seeds", seeds)
    tau = number("misfit", misfit, low=0, high=MOST_NOISE)
    if most is None and tau > 0:
        raise refusal("seeds", seeds, "must be finite: runs at one candidate share the misfit")
    sigma = _noise(fit, noise)
    known = _existing(fit, existing)
    free = [name for name, is_free in zip(fit.names, fit.free, strict=True) if is_free]
    runs = math.inf
    if max_runs is not None:
        runs = float(whole_number("max_runs", max_runs))
        if runs + len(known) < len(free):
            others = f"; there are {len(known)} others" if len(known) else ""
            raise refusal(
                "max_runs",
                max_runs,
                f"must be >= {len(free) - len(known)}: {fit.law} has {len(free)} parameters{others}",
            )
    names, compute, place = _target(fit, target)
    edges = _ratio(ratio)
    rough = Model(fit, sigma, tau, (0.0, 0.0))
    given = candidates is not None
    offered = (
        points_of("candidates", candidates, fit.cost)
        if given
        else default_candidates(rough, known, money, edges, dearest)
    )
    offered = _payable(offered, money, dearest, given)
    middle = known if len(known) else offered
    model = Model(
        fit, sigma, tau, (float(np.mean(np.log(middle.N))), float(np.mean(np.log(middle.D))))
    )
    point = place if place is not None else model.at(model.best(compute), compute)
    targets = model.targets(names, point)
    named = "compute" if place is None else "model"
    problem = _Problem(model, targets, known, offered, money, runs, most, named)
    counts, figures = problem.exact() if tau == 0 else problem.nearly()
    return problem.told(counts, figures)


class _Problem:
    """One design: its parts, the two ways to choose runs, and what is told of them."""

    def __init__(
        self,
        model: Model,
        targets: Targets,
        known: Points,
        offered: Points,
        budget: float,
        runs: float,
        most: int | None,
        named: str,
    ) -> None:
        self.model = model
        self.targets = targets
        self.known = known
        self.offered = offered
        self.budget = budget
        self.runs = runs
        self.named = named
        self.most = math.inf if most is None else float(most)
        self.low, self.high = float(offered.C.min()), float(offered.C.max())
        self.nothing = np.zeros((len(model.names),) * 2)
        plan, times = isoflop_plan(model, targets, known, budget, self.low, self.high)
        parts = self._isoflop_errors(plan, times)
        self.weights = 1 / (len(targets.names) * np.sum(parts, axis=0))

    def _isoflop_errors(self, plan: Points, times: float) -> Array:
        counts = np.append(np.ones(len(self.known)), np.full(len(plan), times))
        return self.model.errors(self.known + plan, counts, self.targets, self.nothing)

    def _errors(self, counts: Array, prior: Array) -> Array:
        chosen = counts > 0
        points = self.known + self.offered.take(chosen)
        times = np.append(np.ones(len(self.known)), counts[chosen])
        return self.model.errors(points, times, self.targets, prior)

    def _search(self, base: Array) -> search.Search:
        """Gather what is minimized, with some information before any new run."""
        model, known, offered = self.model, self.known, self.offered
        rows = model.rows(known)
        base = rows.T @ rows + base
        there, own = model.toward(known, self.targets)
        field = np.zeros((len(offered),) * 2)
        bent, felt = self.nothing, np.zeros((len(offered), len(model.names)))
        if model.misfit > 0:
            field = model.field(offered, offered)
            bent = rows.T @ model.field(known, known, rows)
            felt = model.field(offered, known, rows)
        return search.Search(
            rows=np.ascontiguousarray(model.rows(offered)),
            costs=np.ascontiguousarray(offered.C),
            field=field,
            points=np.ascontiguousarray(model.toward(offered, self.targets)[0]),
            fixed=own,
            targets=np.ascontiguousarray(self.targets.gradients),
            weights=self.weights,
            base=base,
            bent=np.ascontiguousarray(bent),
            pulled=np.ascontiguousarray(there @ rows),
            felt=np.ascontiguousarray(felt),
            most=self.most,
            budget=self.budget,
            runs=self.runs,
            least=float(min(self.runs, max(0, len(model.names) + _MORE - len(known)))),
        )

    def nearly(self) -> tuple[Array, dict[str, Any]]:
        """Choose runs for a law that is nearly true: the better of two greedy starts, each with its exchanges."""
        start = self._search(self.model.prior)
        best: tuple[float, Array, bool] | None = None
        for power in _POWERS:
            counts = np.zeros(len(self.offered))
            search.add_runs(start, counts, power, _ADDED)
            settled = bool(search.exchange_runs(start, counts, _SWEEPS))
            error = float(search.value(start, counts))
            if best is None or error < best[0]:
                best = error, counts, settled
        assert best is not None
        _, counts, settled = best
        plain = start._replace(base=start.base - self.model.prior)
        enough = len(self.known) + np.sum(counts) >= len(self.model.names) + _MORE
        with_prior = not (enough and math.isfinite(search.value(plain, counts)))
        if not with_prior:
            settled = bool(search.exchange_runs(plain, counts, _SWEEPS))
        return counts, {"settled": settled, "with_prior": with_prior}

    def exact(self) -> tuple[Array, dict[str, Any]]:
        """Choose runs for a law that is true: the best fractional plan, rounded down, filled and improved by exchanges."""
        plain = self._search(self.nothing)
        limits = np.minimum(self.most, self.budget / self.offered.C)
        self._determined(plain, limits)
        gap = 0.0
        free = len(self.targets.names) == 1 and not len(self.known)
        if free and math.isinf(self.most) and math.isinf(self.runs):
            variance, plan = bound.elfving(plain.rows, plain.costs, plain.targets[0], self.budget)
            least = variance * float(self.weights[0])
        else:
            least, gap, plan = bound.capped(
                plain.rows,
                plain.costs,
                plain.targets,
                plain.weights,
                plain.base,
                limits,
                self.budget,
                self.runs,
            )
        ridge = np.trace(search.information(plain.rows, plan, plain.base)) * _TINY / len(plain.base)
        counts = np.floor(plan * (1 + 1e-12))
        search.add_runs(
            plain._replace(base=plain.base + ridge * np.eye(len(plain.base))),
            counts,
            0.5,
            _ADDED,
        )
        settled = bool(search.exchange_runs(plain, counts, _SWEEPS))
        achieved = float(search.value(plain, counts))
        return counts, {
            "settled": settled,
            "with_prior": False,
            "efficiency": (least - gap) / achieved,
            "gap": gap / least,
        }

    def _determined(self, plain: search.Search, limits: Array) -> None:
        """Refuse candidates that leave a parameter undetermined, all of them together."""
        matrix = search.information(plain.rows, limits, plain.base)
        size = np.sqrt(np.maximum(np.diag(matrix), 1e-300))
        if np.linalg.eigvalsh(matrix / np.outer(size, size))[0] < 1e-12:
            raise refusal(
                "candidates",
                None,
                f"must determine all of {', '.join(self.model.names)}, together with the runs there are: "
                "offer several sizes at several budgets, or give misfit > 0",
                shown=False,
            )

    def told(self, counts: Array, figures: dict[str, Any]) -> Design:
        """Return what is told of a plan."""
        model, targets = self.model, self.targets
        chosen = np.flatnonzero(counts > 0)
        points = self.offered.take(chosen)
        chosen = chosen[np.lexsort((points.N, points.C))]
        points = self.offered.take(chosen)
        cost = float(np.sum(counts[chosen] * points.C))
        prior = model.prior if figures["with_prior"] else self.nothing
        noise, misfit, remainder = self._errors(counts, prior)
        plan, times = isoflop_plan(
            model, targets, self.known, cost or self.budget, self.low, self.high
        )
        iso = self._isoflop_errors(plan, times)
        now = self._errors(np.zeros(len(self.offered)), self.nothing)
        now = np.where(np.isfinite(now), now, np.nan)
        return Design(
            law=model.fit.law,
            names=targets.names,
            N=points.N,
            D=points.D,
            C=points.C,
            seeds=counts[chosen].astype(np.int64),
            cost=cost,
            budget=self.budget,
            target_named=self.named,
            target_compute=float(targets.point.C[0]),
            target_params=float(targets.point.N[0]),
            target_tokens=float(targets.point.D[0]),
            noise=model.noise,
            misfit=model.misfit,
            sd=np.sqrt(noise + misfit + remainder),
            sd_noise=np.sqrt(noise),
            sd_misfit=np.sqrt(np.maximum(misfit, 0.0)),
            sd_prior=np.sqrt(remainder),
            sd_now=np.sqrt(np.sum(now, axis=0)),
            isoflop_N=plan.N,
            isoflop_D=plan.D,
            isoflop_C=plan.C,
            isoflop_times=times,
            isoflop_sd=np.sqrt(np.sum(iso, axis=0)),
            isoflop_sd_noise=np.sqrt(iso[0]),
            isoflop_sd_misfit=np.sqrt(np.maximum(iso[1], 0.0)),
            candidate_N=self.offered.N,
            candidate_D=self.offered.D,
            candidate_C=self.offered.C,
            existing_N=self.known.N,
            existing_D=self.known.D,
            existing_C=self.known.C,
            efficiency=figures.get("efficiency", math.nan),
            gap=figures.get("gap", math.nan),
            settled=figures["settled"],
            with_prior=figures["with_prior"],
            counts=model.fit.counts,
        )


def _with_law(fit: Fit, law: str | None) -> Fit:
    """Return the fit of the law that is meant: of those with weight, the one with the most parameters."""
    fit = max(
        (entry for _, entry in members(fit, law).values()), key=lambda entry: len(entry.names)
    )
    if set(fit.model.variables) != {"N", "D"}:
        raise refusal("fit", fit.law, "must be of a law in N and D", named=False)
    return fit


def _noise(fit: Fit, noise: float | None) -> float:
    if noise is not None:
        return number("noise", noise, low=LEAST_NOISE, high=MOST_NOISE)
    if not len(fit):
        raise refusal(
            "noise",
            None,
            "must be given, the standard deviation of a run in ln L (0.005, say): the fit was made from parameters and has no residuals",
            shown=False,
        )
    if not (math.isfinite(fit.sigma) and fit.sigma > LEAST_NOISE):
        raise refusal("noise", None, "must be given: the fit has residuals of 0", shown=False)
    return fit.sigma


def _existing(fit: Fit, existing: Any) -> Points:
    if existing is not None:
        return points_of("existing", existing, fit.cost)
    if not len(fit):
        return NONE
    return points_of("existing", fit.columns if fit.runs is None else fit.runs, fit.cost)


def _target(fit: Fit, target: Mapping[str, Any]) -> tuple[tuple[str, ...], float, Points | None]:
    """Read a target: what is asked for, and the compute or the point where."""
    allowed = "must be {'compute': C, 'what': ('loss', 'params')} or {'N': parameters, 'D': tokens}"
    keys = set(target) if isinstance(target, Mapping) else set()
    typed = {letter_of(key): key for key in keys if isinstance(key, str)}
    if len(keys) == 2 and set(typed) == {"N", "D"}:
        N, D = (
            number(f"target[{typed[key]!r}]", target[typed[key]], low=0, strict=True)
            for key in "ND"
        )
        place = points_of("target", {"N": [N], "D": [D]}, fit.cost)
        return ("loss",), float(place.C[0]), place
    if not ({"compute"} <= keys <= {"compute", "what"}):
        raise refusal("target", target, allowed)
    compute = number("target['compute']", target["compute"], low=0, strict=True)
    asked = several("target['what']", target.get("what", WHAT), str)
    names = tuple(dict.fromkeys(choice("target['what']", name, WHAT) for name in asked))
    if not names:
        raise refusal("target['what']", asked, "must name loss, params or both")
    return names, compute, None


def _ratio(ratio: Any) -> tuple[float, float]:
    edges = numbers("ratio", ratio, low=0, strict=True)
    if edges.shape != (2,) or not edges[0] < edges[1]:
        raise refusal("ratio", ratio, "must be two numbers, the smaller first")
    return float(edges[0]), float(edges[1])


def _payable(offered: Points, budget: float, dearest: float, given: bool) -> Points:
    """Return the candidates that can be paid; refuse to go on without any."""
    if not len(offered):
        raise refusal("candidates", None, "must be at least one run", shown=False)
    cheapest = int(np.argmin(offered.C))
    for name, limit in (("budget", budget), ("max_compute", dearest)):
        if offered.C[cheapest] > limit * (1 + 1e-12):
            what = f"N = {scientific(offered.N[cheapest])}, D = {scientific(offered.D[cheapest])}"
            cure = "" if given else "; give candidates= that are cheaper"
            raise refusal(
                name,
                limit,
                f"must be at least {scientific(offered.C[cheapest], 3)}, the compute of the cheapest candidate ({what}){cure}",
            )
    return offered.take(min(budget, dearest) * (1 + 1e-12) >= offered.C)
