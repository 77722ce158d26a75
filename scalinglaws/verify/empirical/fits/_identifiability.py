"""What runs say of a law's parameters: whether they can be told apart, and what in the fit is doubtful."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.special import fdtrc

from ....results import Result
from .._coded_warnings import CodedWarning, listed
from ._law import FitLaw
from ._record import Fit

Array = NDArray[np.float64]

ILL, NOT = 1e4, 1e7
"""Conditions from which on parameters are hardly told apart, and not at all."""
_CORRELATED = 0.99
_OFFSETS = ("E", "q_1")
_RATES = ("R_D", "R_N")
_OFFSET_ERROR = 0.5  # standard deviation of the logarithm of an offset of which little is known
_DECADES = 1.5  # of a variable
_RATIO = 1.3  # of the largest loss over the least
_PER_PARAMETER = 4
_TOTAL = 0.01  # by which the sum of weights may differ from the number of points
_FEW = 30  # runs for a bootstrap
_SKEW = 1.0
_TREND = 0.01  # level of a trend
_NAMED = 0.2  # of the largest component, that of a parameter which is named
_AT_BOUND = 1e-9


@dataclass(frozen=True)
class Identifiability(Result):
    r"""How well the parameters of a fit are told apart.

    Attributes
    ----------
    condition : float
        Largest over least singular value of the Jacobian, its columns scaled to length 1, amplitudes at the geometric means of the
        variables. Above 1e4 little is known of some combination of parameters, above 1e7 nothing.
    raw_condition : float
        The same with amplitudes at N = D = 1, as they are printed.
    weakest : tuple of str
        Parameters of the worst known combination, the largest part first.
    correlations : tuple of (str, str, float)
        Pairs of parameters, as they are printed, whose errors have a correlation beyond 0.99 in size.
    trends : dict of str to float
        Variable -> probability that residuals follow it and its square by chance as much as they do, beyond what the law's parameters
        can take up; below 0.01 it is a trend.
    skewness : float
        Of the residuals; NaN where they are all 0.
    problems : tuple of CodedWarning
        What is doubtful.
    """

    condition: float
    raw_condition: float
    weakest: tuple[str, ...]
    correlations: tuple[tuple[str, str, float], ...]
    trends: dict[str, float]
    skewness: float
    problems: tuple[CodedWarning, ...]

    @property
    def identifiable(self) -> bool:
        """Whether all parameters can be told apart."""
        return self.condition <= NOT

    @property
    def trend(self) -> tuple[str, ...]:
        """Variables that the residuals follow."""
        return tuple(name for name, chance in self.trends.items() if chance < _TREND)


def identifiability(fit: Fit) -> Identifiability:
    """Say how well the parameters of a fit are told apart, and what in it is doubtful.

    Parameters
    ----------
    fit : Fit
        To data.

    Returns
    -------
    Identifiability
        A fraction of a millisecond.
    """
    kept = fit.row_weights > 0
    roots = np.sqrt(fit.row_weights[kept])
    raw = fit.jacobian[kept] * roots[:, None]
    law = fit.model
    logs = np.log(np.array([fit.columns[name][kept] for name in law.variables]))
    centered = raw.copy()
    middles = law.middles(logs)
    for amplitude, exponent, variable in law.centers:  # ln A_c = ln A - a times the middle
        centered[:, exponent] += raw[:, amplitude] * middles[variable]
    free = law.free
    names = [name for name, is_free in zip(law.names, free, strict=True) if is_free]
    condition, weak = _decomposed(centered[:, free])
    raw_condition, _ = _decomposed(raw[:, free])
    largest = np.max(np.abs(weak))
    order = np.argsort(-np.abs(weak), kind="stable")
    weakest = tuple(names[j] for j in order if abs(weak[j]) >= _NAMED * largest)
    residuals = fit.residuals[kept]
    skewness = _skewness(residuals)
    trends = {
        name: _chance(fit, raw[:, free], roots, values) for name, values in _followed(law, logs)
    }
    found = Identifiability(
        condition=condition,
        raw_condition=raw_condition,
        weakest=weakest,
        correlations=_pairs(raw[:, free], names),
        trends=trends,
        skewness=skewness,
        problems=(),
    )
    problems = [
        *_of_parameters(fit, found, centered[:, free], names),
        *_of_data(fit, logs, kept),
        *_of_residuals(fit, found),
    ]
    return replace(found, problems=tuple(problems))


def identified(fit: Fit) -> Fit:
    """Return a fit, and those of other laws in it, with what `identifiability` says; each warning once."""
    laws = {name: identified(other) for name, other in fit.laws.items()}
    found = identifiability(fit)
    told = {warning.code for warning in found.problems}
    more = [
        CodedWarning(warning.code, f"{name}: {warning.message}")
        for name, other in laws.items()
        for warning in other.warnings
        if warning.code not in told
    ]
    return replace(
        fit, laws=laws, identifiability=found, warnings=(*fit.warnings, *found.problems, *more)
    )


# -- numbers ------------------------------------------------------------------------------------------------------------


def _decomposed(jacobian: Array) -> tuple[float, Array]:
    """Return the condition of a Jacobian with columns of length 1, and its worst direction."""
    size = np.linalg.norm(jacobian, axis=0)
    if not np.all(size > 0):  # what the loss does not depend on at all
        return math.inf, (size == 0).astype(float)
    wide = len(jacobian) < size.size  # else the rows of a large square matrix are not needed
    values, vectors = np.linalg.svd(jacobian / size, full_matrices=wide)[1:]
    if values.size < size.size or values[-1] <= 0:
        return math.inf, vectors[-1]
    return float(values[0] / values[-1]), vectors[-1]


def _pairs(jacobian: Array, names: list[str]) -> tuple[tuple[str, str, float], ...]:
    """Return pairs of parameters whose errors are correlated."""
    size = np.maximum(np.linalg.norm(jacobian, axis=0), 1e-300)
    inverse = np.linalg.pinv((jacobian / size).T @ (jacobian / size), rcond=1e-15, hermitian=True)
    deviations = np.sqrt(np.maximum(np.diag(inverse), 1e-300))
    rho = inverse / np.outer(deviations, deviations)
    return tuple(
        (names[i], names[j], float(np.clip(rho[i, j], -1, 1)))
        for i in range(len(names))
        for j in range(i + 1, len(names))
        if abs(rho[i, j]) > _CORRELATED
    )


def _skewness(residuals: Array) -> float:
    away = residuals - np.mean(residuals)
    spread = float(np.mean(away**2))
    return float(np.mean(away**3)) / spread**1.5 if spread > 0 else math.nan


def _followed(law: FitLaw, logs: Array) -> list[tuple[str, Array]]:
    """Return the logarithms that residuals may follow."""
    found = list(zip(law.variables, logs, strict=True))
    for one, other in law.alike:
        found[one] = (
            f"{law.variables[other]}/{law.variables[one]}",
            np.maximum(logs[other] - logs[one], 0.0),
        )
    if {"N", "D"} <= set(law.variables):
        found.append(("D/N", dict(found)["D"] - dict(found)["N"]))
    return found


def _chance(fit: Fit, jacobian: Array, roots: Array, values: Array) -> float:
    """Return the probability of a larger F of a variable and its square beside the law's own directions."""
    kept = fit.row_weights > 0
    pull = np.clip(fit.residuals[kept], -fit.delta, fit.delta) * roots
    away = values - np.mean(values)
    if not np.ptp(away) > 0:
        return 1.0
    away = away / np.max(np.abs(away))
    small = np.column_stack([roots, jacobian])
    large = np.column_stack([small, roots * away, roots * away**2])
    rest, rank = _left(small, pull)
    less, more = _left(large, pull)
    left = pull.size - more
    if more == rank or left <= 0 or not less > 0:
        return 1.0
    return float(fdtrc(more - rank, left, (rest - less) / (more - rank) / (less / left)))


def _left(directions: Array, values: Array) -> tuple[float, int]:
    """Return the sum of squares that directions leave, and their rank."""
    size = np.maximum(np.linalg.norm(directions, axis=0), 1e-300)
    basis, found, _ = np.linalg.svd(directions / size, full_matrices=False)
    basis = basis[:, found > 1e-7 * found[0]]
    return float(np.sum((values - basis @ (basis.T @ values)) ** 2)), basis.shape[1]


# -- problems -----------------------------------------------------------------------------------------------------------


def _of_parameters(
    fit: Fit, found: Identifiability, centered: Array, names: list[str]
) -> list[CodedWarning]:
    problems = []
    if not fit.success:
        problems.append(CodedWarning("W-unsettled", f"{fit.law}: {fit.message}"))
    weakest = ", ".join(found.weakest)
    if found.condition > NOT:
        problems.append(CodedWarning("W-not-identifiable", _gauge(fit, centered, names)))
    elif found.condition > ILL:
        problems.append(
            CodedWarning("W-ill-conditioned", f"condition {found.condition:.1e}; weakest {weakest}")
        )
    pairs = [f"{one} and {other} ({rho:+.4f})" for one, other, rho in _pairs(centered, names)]
    if pairs and found.condition <= NOT:
        problems.append(CodedWarning("W-correlated", listed(pairs)))
    law = fit.model
    at_bound = []
    for j in np.flatnonzero(law.free):
        for bound in (law.low[j], law.high[j]):
            if math.isfinite(bound) and abs(fit.x[j] - bound) <= _AT_BOUND * max(1.0, abs(bound)):
                at_bound.append((law.names[j], fit.parameters[law.names[j]]))
    powers = [value for name, value in at_bound if name == "c" and law.id == "surface_power"]
    undecayed = [
        f"{name} = {value:.4g}, its bound"
        for name, value in at_bound
        if law.id == "repetition" and name in _RATES and value > 1
    ]
    others = [
        f"{name} = {value:.4g}"
        for name, value in at_bound
        if not (name == "c" and law.id == "surface_power")
        and not (undecayed and name in _RATES and value > 1)
    ]
    if powers:
        problems.append(CodedWarning("W-power-at-bound", f"c = {powers[0]:g} is at its bound"))
    if undecayed:
        problems.append(CodedWarning("W-no-decay", f"no decay seen: {listed(undecayed)}"))
    if others:
        problems.append(CodedWarning("W-at-bound", f"{listed(others)} at a bound"))
    for name in _OFFSETS:
        if name in names and fit.cov is not None:
            place = law.names.index(name)
            deviation = math.sqrt(max(float(fit.cov[place, place]), 0.0))
            if deviation > _OFFSET_ERROR:
                value = fit.parameters[name]
                told = f"{name} = {value:.3g} is known to a factor of {_factor(deviation)} only"
                problems.append(CodedWarning("W-offset", told))
    return problems


def _factor(deviation: float) -> str:
    return f"{math.exp(deviation):.2g}" if deviation < 20 else "more than 1e8"


def _gauge(fit: Fit, centered: Array, names: list[str]) -> str:
    """Say along which direction of the parameters the loss does not change."""
    size = np.maximum(np.linalg.norm(centered, axis=0), 1e-300)
    _, vector = _decomposed(centered)
    direction = vector / size
    weight = np.abs(vector)
    taken = [j for j in range(len(names)) if weight[j] >= _NAMED * float(np.max(weight))]
    law = fit.model
    log = {name: law.logs[law.names.index(name)] for name in names}
    if not all(log[names[j]] for j in taken):
        return f"the loss does not tell {', '.join(names[j] for j in taken)} apart"
    largest = max((direction[j] for j in taken), key=abs)
    powers = [round(float(direction[j] / largest), 3) for j in taken]
    told = ", ".join(
        f"{names[j]} by t" + ("" if power == 1 else f"^{power:g}")
        for j, power in zip(taken, powers, strict=True)
    )
    kind = "a common factor cancels" if set(powers) == {1.0} else "a gauge"
    return f"{kind}: the loss stays the same when one multiplies {told}, whatever t"


def _of_data(fit: Fit, logs: Array, kept: NDArray[np.bool_]) -> list[CodedWarning]:
    problems = []
    short = [
        f"{name} spans {np.ptp(values) / math.log(10):.2g} decades"
        for k, (name, values) in enumerate(zip(fit.model.variables, logs, strict=True))
        if k not in dict(fit.model.alike) and np.ptp(values) < _DECADES * math.log(10) * (1 - 1e-9)
    ]
    if short:
        problems.append(CodedWarning("W-short-range", listed(short)))
    losses = fit.losses[kept]
    ratio = float(np.max(losses) / np.min(losses))
    if ratio < _RATIO:
        told = f"the largest loss is {ratio:.3g} times the least"
        problems.append(CodedWarning("W-losses-alike", told))
    points, free = int(np.sum(kept)), int(np.sum(fit.free))
    if points < _PER_PARAMETER * free:
        told = f"{points} points for the {free} parameters of {fit.law}"
        problems.append(CodedWarning("W-few-points", told))
    total = float(np.sum(fit.row_weights))
    if abs(total - points) > _TOTAL * points:
        told = f"the weights of {points} points add up to {total:.4g}, and count as that many runs"
        problems.append(CodedWarning("W-weights", told))
    runs = points if fit.run is None else len(np.unique(fit.run[kept]))
    if runs < _FEW:
        problems.append(CodedWarning("W-few-runs", f"{runs} runs"))
    return problems


def _of_residuals(fit: Fit, found: Identifiability) -> list[CodedWarning]:
    problems = []
    if found.skewness > _SKEW and fit.envelope == 1.0:
        told = f"residuals have skewness {found.skewness:.2g}: some runs are much worse than the law, none much better"
        problems.append(CodedWarning("W-one-sided", told))
    if found.trend:
        trends = [f"{name} (by chance {found.trends[name]:.1g})" for name in found.trend]
        problems.append(CodedWarning("W-trend", f"residuals of {fit.law} follow {listed(trends)}"))
    return problems
