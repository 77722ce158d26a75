"""What runs say of a law's parameters: whether they can be told apart, and what in the fit is doubtful."""

from __future__ import annotations

import math
from collections.abc import Mapping
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
_ROUNDING = 1e-4  # of the largest component of a direction that the loss does not see
_SAME = 1e-9  # of ln L


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
    logs = law.logarithms({name: fit.columns[name][kept] for name in law.variables})
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
    of_runs = () if fit.runs is None else fit.runs.warnings
    more = [
        CodedWarning(warning.code, f"{name}: {warning.message}")
        for name, other in laws.items()
        for warning in other.warnings
        if warning.code not in told and warning not in of_runs
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
    """Return the logarithms that residuals may follow; what a person named a variable as it is."""
    found = [
        (name, np.exp(values) if name in law.own else values)
        for name, values in zip(law.variables, logs, strict=True)
    ]
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
    """Say along which directions of the parameters the loss does not change."""
    size = np.maximum(np.linalg.norm(centered, axis=0), 1e-300)
    told = []
    for vector in _unseen(centered / size):
        parts = _exact(fit, vector / size)
        if parts is None:
            weight = np.abs(vector)
            taken = [
                name
                for name, each in zip(names, weight, strict=True)
                if each >= _NAMED * max(weight)
            ]
            told.append(f"the loss does not tell {', '.join(taken)} apart")
        else:
            told.append(_orbit(fit.model, dict(zip(names, parts, strict=True))))
    return "; ".join(dict.fromkeys(told))


def _unseen(jacobian: Array) -> Array:
    """Return directions that a Jacobian does not see, each with as few parameters as may be."""
    values, vectors = np.linalg.svd(jacobian, full_matrices=True)[1:]
    values = np.append(values, np.zeros(len(vectors) - values.size))
    rows: Array = vectors[values <= values[0] / NOT]
    for k in range(len(rows)):  # elimination: each has one parameter that the others lack
        left = np.abs(rows[k:]).max(axis=1)
        best = k + int(np.argmax(left))
        rows[[k, best]] = rows[[best, k]]
        pivot = int(np.argmax(np.abs(rows[k])))
        rows[k] /= rows[k, pivot]
        others = np.arange(len(rows)) != k
        rows[others] -= rows[others, pivot][:, None] * rows[k]
    return rows


def _exact(fit: Fit, direction: Array) -> Array | None:
    """Return a direction of the free coordinates without its rounding errors, if the loss stays the same along it however far."""
    law = fit.model
    whole = np.zeros(len(law.names))
    whole[law.free] = direction
    whole[np.abs(whole) < _ROUNDING * np.max(np.abs(whole))] = 0.0
    kept = whole[law.free]
    logs = law.logarithms(fit.columns)
    middles = law.middles(logs)
    for amplitude, exponent, variable in law.centers:
        whole[amplitude] += whole[exponent] * middles[variable]
    step = whole / np.max(np.abs(whole))
    with np.errstate(all="ignore"):
        moved = law.values(np.stack([fit.x, fit.x + 0.3 * step, fit.x - 0.2 * step]), logs)
    same = np.abs(moved[1:] - moved[0]) <= _SAME
    return kept if bool(np.all(same)) else None


def _orbit(law: FitLaw, parts: Mapping[str, float]) -> str:
    """Say what may be multiplied and what added without any change of the loss."""
    log = dict(zip(law.names, law.logs, strict=True))
    plain = {name: part for name, part in parts.items() if part and not log[name]}
    unit = max((plain or parts).values(), key=abs)
    powers = {name: round(float(part / unit), 3) for name, part in parts.items()}
    powers = {name: power for name, power in powers.items() if power}
    if not plain:
        told = ", ".join(
            f"{name} by t" + ("" if power == 1 else f"^{power:g}") for name, power in powers.items()
        )
        kind = "a common factor cancels" if set(powers.values()) == {1.0} else "a gauge"
        return f"{kind}: the loss stays the same when one multiplies {told}, whatever t"
    added = ", ".join(f"{_times(powers[name])} to {name}" for name in plain if name in powers)
    scaled = [
        f"{name} by exp({_times(power)})" for name, power in powers.items() if name not in plain
    ]
    more = f" and multiplies {', '.join(scaled)}" if scaled else ""
    return f"a gauge: the loss stays the same when one adds {added}{more}, whatever x"


def _times(power: float) -> str:
    return {1.0: "x", -1.0: "-x"}.get(power, f"{power:g} x")


def _of_data(fit: Fit, logs: Array, kept: NDArray[np.bool_]) -> list[CodedWarning]:
    problems = []
    short = [
        f"{name} spans {np.ptp(values) / math.log(10):.2g} decades"
        for k, (name, values) in enumerate(zip(fit.model.variables, logs, strict=True))
        if name not in fit.model.own
        and k not in dict(fit.model.alike)
        and np.ptp(values) < _DECADES * math.log(10) * (1 - 1e-9)
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
