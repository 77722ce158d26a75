"""First-order methods with at most two memories per parameter, and averages of their iterates."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from ...arguments import Array, flag, number, whole
from ...equality import by_value
from ...errors import refusal
from ...reprs import short_repr
from ._schedule import Schedule


@short_repr
@by_value
@dataclass(frozen=True)
class SGD:
    r"""Stochastic gradient descent, :math:`e_{t+1} = e_t - \eta_t g_t`.

    Examples
    --------
    >>> SGD()
    SGD()
    """


@short_repr
@by_value
@dataclass(frozen=True)
class HeavyBall:
    r"""Heavy ball, :math:`y_{t+1} = \mu y_t + g_t,\; e_{t+1} = e_t - \eta_t y_{t+1}`.

    Parameters
    ----------
    momentum : float
        :math:`\mu`, in [0, 1).
    polyak : bool
        Whether steps are :math:`\mu` times the last *step*, not times the last y: the coefficient is then
        :math:`\mu \eta_{t-1}/\eta_t`, another method where rates change. By default as PyTorch does it.

    Examples
    --------
    >>> HeavyBall(0.9)
    HeavyBall(momentum=0.9, polyak=False)
    """

    momentum: float
    polyak: bool = False

    def __post_init__(self) -> None:
        """Check the ranges."""
        object.__setattr__(self, "momentum", _momentum(self.momentum))
        flag("polyak", self.polyak)


@short_repr
@by_value
@dataclass(frozen=True)
class Nesterov:
    r"""Nesterov's momentum, :math:`y_{t+1} = \mu y_t + g_t,\; e_{t+1} = e_t - \eta_t (g_t + \mu y_{t+1})`, as PyTorch does it.

    Parameters
    ----------
    momentum : float
        :math:`\mu`, in [0, 1).

    Examples
    --------
    >>> Nesterov(0.9)
    Nesterov(momentum=0.9)
    """

    momentum: float

    def __post_init__(self) -> None:
        """Check the range."""
        object.__setattr__(self, "momentum", _momentum(self.momentum))


@short_repr
@by_value
@dataclass(frozen=True)
class DANA:
    r"""Dimension-adapted Nesterov acceleration.

    .. math:: y_{t+1} = \Big(1 - \frac{\delta}{\delta + t}\Big) y_t + g_t, \qquad
              e_{t+1} = e_t - \gamma_2(t) g_t - \gamma_3(t) y_{t+1}, \qquad \gamma_3(t) = c\,\gamma_2(t)\,(1 + t)^{-\kappa}

    with the learning rate as :math:`\gamma_2`.

    Parameters
    ----------
    strength : float
        c > 0.
    decay : float
        :math:`\kappa \ge 0`. Of power-law spectra, decay below 1/alpha is unstable in the end.
    delta : float
        :math:`\delta \ge 1`, how fast the memory fades.

    References
    ----------
    .. [1] D. Ferbach, K. Everett, G. Gidel, E. Paquette, C. Paquette, "Dimension-adapted momentum outscales SGD",
       arXiv:2505.16098.

    Examples
    --------
    >>> DANA.decaying(alpha=1.5).decay
    0.6666666666666666
    """

    strength: float = 1.0
    decay: float = 0.0
    delta: float = 8.0

    def __post_init__(self) -> None:
        """Check the ranges."""
        for name, low in (("strength", 1e-290), ("decay", 0.0), ("delta", 1.0)):
            object.__setattr__(self, name, number(name, getattr(self, name), low=low, high=1e290))

    @classmethod
    def decaying(cls, alpha: float, *, strength: float = 1.0, delta: float = 8.0) -> DANA:
        r"""Make the variant for a spectrum of capacity alpha, :math:`\gamma_3 = c \gamma_2 (1 + t)^{-1/\alpha}`."""
        return cls(strength, 1 / number("alpha", alpha, low=0.0, strict=True), delta)

    @classmethod
    def constant(cls, features: float, *, strength: float = 1.0, delta: float = 8.0) -> DANA:
        r"""Make the variant for N features, :math:`\gamma_3 = c \gamma_2/N`."""
        size = number("features", features, low=1.0)
        return cls(number("strength", strength, low=1e-290, high=1e290) / size, 0.0, delta)


Method = SGD | HeavyBall | Nesterov | DANA


@short_repr
@by_value
@dataclass(frozen=True)
class TailAverage:
    """The mean of all iterates from a step on.

    Parameters
    ----------
    start : float
        First iterate that counts, in [0, T]: a whole number; or a part of the steps, if it is a fraction below 1.

    Examples
    --------
    >>> TailAverage(start=0.5).first(1000), TailAverage(start=101).first(200)
    (500, 101)
    """

    start: float = 0.5

    def __post_init__(self) -> None:
        """Check the range."""
        value = number("start", self.start, low=0.0)
        if value >= 1:
            value = float(whole("start", self.start))
        object.__setattr__(self, "start", value)

    def first(self, steps: int) -> int:
        """Return the first iterate of a run of so many steps."""
        count = whole("steps", steps)
        found = round(self.start * count) if self.start < 1 else int(self.start)
        if found > count:
            raise refusal("start", self.start, f"is beyond the last of {count} steps")
        return found


@short_repr
@by_value
@dataclass(frozen=True)
class EMA:
    r"""An exponential moving average, :math:`A_{t+1} = (1 - w) A_t + w e_{t+1},\; A_0 = e_0`.

    Parameters
    ----------
    weight : float
        w, in (0, 1].

    Examples
    --------
    >>> EMA(weight=0.02)
    EMA(weight=0.02)
    """

    weight: float

    def __post_init__(self) -> None:
        """Check the range."""
        object.__setattr__(self, "weight", number("weight", self.weight, low=1e-290, high=1.0))


Average = TailAverage | EMA


def _momentum(value: float) -> float:
    found = number("momentum", value, low=0.0)
    if not found < 1:
        raise refusal("momentum", value, "must be below 1")
    return found


def coefficients(
    method: Method, schedule: Schedule, t: Array, rate: Array
) -> tuple[Array, Array, Array, Array, Array]:
    r"""Return :math:`a, 1 - a, \gamma_1, \gamma_2, \gamma_3` at real steps, all of the shape of t.

    In :math:`y_{t+1} = a y_t + \gamma_1 g_t,\; e_{t+1} = e_t - \gamma_2 g_t - \gamma_3 y_{t+1}`.
    """
    one, none = np.ones_like(t), np.zeros_like(t)
    match method:
        case HeavyBall(momentum=mu, polyak=polyak):
            a = np.full_like(t, mu)
            if polyak:  # the first step has nothing to remember
                before = schedule(np.maximum(t - 1, 0.0))
                a = np.divide(mu * before, rate, out=a, where=rate > 0)
            return a, 1 - a if polyak else np.full_like(t, 1 - mu), one, none, rate
        case Nesterov(momentum=mu):
            return np.full_like(t, mu), np.full_like(t, 1 - mu), one, rate, mu * rate
        case DANA(strength=c, decay=kappa, delta=delta):
            with np.errstate(under="ignore"):
                third = c * rate * np.exp(-kappa * np.log1p(t))
            return t / (delta + t), delta / (delta + t), one, rate, third
    return none, one, none, rate, none


def memory(method: Method) -> float:
    """Return how many steps a method remembers; 0 for one without memory, infinity where that grows."""
    match method:
        case HeavyBall(momentum=mu) | Nesterov(momentum=mu):
            return 1 / (1 - mu)
        case DANA():
            return math.inf
    return 0.0
