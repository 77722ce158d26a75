"""The objective along one parameter, all others fitted anew: an interval that need not be symmetric."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq

from ....arguments import whole
from ....errors import ConvergenceError, DataError, known_name, refusal
from ....results import Result
from ._covariance import influence, smooth_enough
from ._intervals import half_width, level_of
from ._record import Fit
from ._solve import solve

Array = NDArray[np.float64]

_BEYOND = 1.3  # of the interval that the curve shows, in distances from the optimum
_DOUBLINGS = 12  # of the distance at which the end of an interval is looked for
_LOWER = 1e-6  # relative: an objective that is less by more belongs to another optimum


@dataclass(frozen=True)
class Profile(Result):
    r"""The least objective for values of one parameter.

    Attributes
    ----------
    name : str
        The parameter.
    values : ndarray, shape (m,)
        Its values, increasing; the fitted one is among them.
    objectives : ndarray, shape (m,)
        :math:`F_{prof}`, least over all other parameters.
    ratio : ndarray, shape (m,)
        :math:`2 (F_{prof} - \hat F)/\hat\tau^2`, which is chi-squared of one degree of freedom at the truth.
    interval : (float, float)
        Where the ratio is below its quantile; 0 or infinity, or a bound, where it stays below.
    level : float
        Share that the interval covers.
    scale : float
        :math:`\hat\tau^2`.
    """

    name: str
    values: Array
    objectives: Array
    ratio: Array
    interval: tuple[float, float]
    level: float
    scale: float

    def __len__(self) -> int:
        return int(self.values.size)


def profile(fit: Fit, name: str, *, level: float = 0.95, points: int = 41) -> Profile:
    r"""Return the profile of the objective along a parameter, and the interval that it gives.

    .. math:: \frac{2 [F_{prof}(\psi) - \hat F]}{\hat\tau^2} \le \chi^2_1, \quad
              \hat\tau^2 = \frac{\sum_i w_i \psi_i^2}{\sum_i w_i 1_{|r_i|<\delta}}

    Parameters
    ----------
    fit : Fit
        To data, with a threshold of at least the scatter of its residuals (1.4826 median absolute deviations), as the default has.
    name : str
        A parameter that was fitted.
    level : float
        Share that the interval covers, between 0 and 1.
    points : int
        Values of the curve, >= 3.

    Returns
    -------
    Profile
        About a millisecond for each value of a surface and 240 runs.

    Raises
    ------
    DomainError
        If the fit has no data, or the name is unknown or that of a fixed parameter.
    DataError
        If delta is too small.
    ConvergenceError
        If a lower optimum than the fit's is found.

    Examples
    --------
    >>> from scalinglaws.verify import empirical
    >>> found = empirical.fit("surface", empirical.example_runs("synthetic"), bootstrap=0)
    >>> low, high = profile(found, "E").interval
    >>> low < found.parameters["E"] < high
    True
    """
    share = level_of(level)
    count = whole("points", points, low=3)
    law = fit.model
    known_name("parameter", name, law.names)
    place = law.names.index(name)
    if not law.free[place]:
        raise refusal("name", name, "is fixed: there is nothing along which to fit the others")
    smooth_enough(fit, "a profile")
    pull, inside = influence(fit)
    if not np.sum(inside) > 0 or not np.any(pull):
        raise DataError("the residuals are 0 or all beyond delta: they have no scale")
    scale = float(np.sum(pull * np.clip(fit.residuals, -fit.delta, fit.delta)) / np.sum(inside))
    quantile = half_width(share) ** 2

    curve = _Curve(fit, place)
    center = float(fit.x[place])
    start = half_width(share) * (
        math.sqrt(float(fit.cov[place, place])) if fit.cov is not None else 0.0
    )
    start = start if 0 < start < math.inf else 0.1
    low, high = (
        _end(
            lambda at: 2 * (curve(at) - fit.objective) / scale - quantile,
            center,
            side * start,
            bound,
        )
        for side, bound in ((-1.0, law.low[place]), (1.0, law.high[place]))
    )
    shown = [
        center + sign * _BEYOND * (abs(end - center) if math.isfinite(end) else 3 * start)
        for sign, end in ((-1, low), (1, high))
    ]
    least, most = max(shown[0], law.low[place]), min(shown[1], law.high[place])
    below = np.linspace(least, center, count // 2 + 1)
    above = np.linspace(center, most, count - count // 2)[1:]
    along = np.concatenate([below, above])
    objectives = np.array([curve(float(at)) if at != center else fit.objective for at in along])
    if np.min(objectives) < fit.objective * (1 - _LOWER):
        raise ConvergenceError(
            f"the profile of {name} finds an optimum below the fit's, {np.min(objectives):.9g} < {fit.objective:.9g}: "
            "fit again with other bounds"
        )
    log = law.logs[place]
    return Profile(
        name=name,
        values=np.exp(along) if log else along,
        objectives=objectives,
        ratio=2 * (objectives - fit.objective) / scale,
        interval=(math.exp(low), math.exp(high)) if log else (low, high),
        level=share,
        scale=scale,
    )


class _Curve:
    """The least objective for values of one coordinate, each fit started from that of the nearest value before."""

    def __init__(self, fit: Fit, place: int) -> None:
        self.fit, self.place = fit, place
        self.known: dict[float, tuple[float, Array]] = {float(fit.x[place]): (fit.objective, fit.x)}

    def __call__(self, at: float) -> float:
        if at not in self.known:
            nearest = min(self.known, key=lambda other: abs(other - at))
            law = self.fit.model
            low, high = list(law.low), list(law.high)
            low[self.place] = high[self.place] = at
            start = self.known[nearest][1].copy()
            start[self.place] = at
            for amplitude, exponent, variable in law.centers:  # along the ridge of both
                if exponent == self.place and law.free[amplitude]:
                    middle = float(np.mean(law.logarithms(self.fit.columns)[variable]))
                    start[amplitude] += (at - self.known[nearest][1][exponent]) * middle
            found = solve(
                replace(law, low=tuple(low), high=tuple(high)),
                self.fit.columns,
                self.fit.losses,
                delta=self.fit.delta,
                weights=self.fit.row_weights,
                start=start,
                envelope=self.fit.envelope,
            )
            self.known[at] = found.objective, found.x
        return self.known[at][0]


def _end(missing: Callable[[float], float], center: float, step: float, bound: float) -> float:
    """Find where a function that is negative at the center grows to 0; the bound, or infinity, where it does not."""
    near, reach = center, step
    for _ in range(_DOUBLINGS):
        far = center + reach
        at_bound = far <= bound if step < 0 else far >= bound
        if at_bound:
            far = bound
        if missing(far) > 0:
            return float(brentq(missing, near, far, xtol=1e-9, rtol=1e-9))
        if at_bound:
            return bound
        near, reach = far, 2 * reach
    return math.copysign(math.inf, step)
