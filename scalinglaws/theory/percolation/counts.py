r"""Functions of a number of samples that fluctuates.

A cluster of probability p receives a Poisson number d of P samples, of mean :math:`\mu = Pp`. What it leaves unlearned on average,
with :math:`h(0) = 1` and :math:`h(d) = d^{-\beta}`, is `MeanPower`; the Mellin transform of that is `CountTransform`.
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Any

import mpmath
import numpy as np
import sympy as sp

_DIRECT = 60  # terms of the sum over d before the rest is replaced by zeta functions
_ORDERS = 25  # of the expansion of Gamma(x + s)/Gamma(x + 1)
_LARGE_MEAN = 600.0


def mean_power(mean: Any, beta: Any) -> Any:
    r"""Return :math:`e^{-\mu}\big[1 + \sum_{d \ge 1} \frac{\mu^d}{d!} d^{-\beta}\big]` to about 13 digits.

    Parameters
    ----------
    mean, beta : number
        :math:`\mu \ge 0` and :math:`\beta > 0`.

    Returns
    -------
    mpmath.mpf
        Between 0 and 1.
    """
    beta = float(beta)
    mu = float(mean) if mean < 1e300 else math.inf
    if mu < 1e-6:
        return mpmath.mpf(1 - mu * mu * (1 - 2.0**-beta) / 2)
    if mu < _LARGE_MEAN:
        spread = 12 * math.sqrt(mu) + 40
        counts = np.arange(max(1, math.floor(mu - spread)), math.ceil(mu + spread))
        steps = np.log(mu / counts[1:]) if mu > 0 else np.full(counts.size - 1, -np.inf)
        start = counts[0] * math.log(mu) - mu - math.lgamma(counts[0] + 1) if mu > 0 else -math.inf
        logs = start + np.concatenate([[0.0], np.cumsum(steps)]) - beta * np.log(counts)
        return mpmath.mpf(
            math.exp(-mu) + float(np.exp(np.maximum(logs, -745.0)).sum() if mu > 0 else 0.0)
        )
    return mpmath.mpf(mean) ** -beta * (
        1 + sum(float(_moment(j)(mu)) * _binomial(-beta, j) for j in range(2, 9))
    )


def _binomial(x: float, j: int) -> float:
    return math.prod((x - i) / (i + 1) for i in range(j))


@lru_cache(maxsize=16)
def _moment(j: int) -> Any:
    """Return the j-th central moment of a Poisson variable over mean^j, as a function of the mean."""
    moments = [[1], [0]]  # polynomials in the mean: m_{j+1} = mu (sum_i binom(j, i) m_i), i < j
    for order in range(1, j):
        total = [0] * (order // 2 + 2)
        for i in range(order):
            for power, coefficient in enumerate(moments[i]):
                total[power + 1] += math.comb(order, i) * coefficient
        moments.append(total)
    found = moments[j]
    return lambda mu: sum(
        coefficient * mu ** (power - j) for power, coefficient in enumerate(found) if coefficient
    )


def _expansion(s: Any) -> list[Any]:
    r"""Return the coefficients :math:`c_j` of :math:`\Gamma(x + s)/\Gamma(x + 1) \sim x^{s - 1} \sum_j c_j x^{-j}`."""
    logs = [mpmath.mpf(0)]
    for j in range(1, _ORDERS):
        logs.append(
            (-1) ** (j + 1)
            * (mpmath.bernpoly(j + 1, s) - mpmath.bernpoly(j + 1, 1))
            / (j * (j + 1))
        )
    found = [mpmath.mpf(1)]
    for j in range(1, _ORDERS):  # exponential of a power series
        found.append(mpmath.fsum(i * logs[i] * found[j - i] for i in range(1, j + 1)) / j)
    return found


def count_transform(s: Any, beta: Any) -> Any:
    r"""Return :math:`M(s) = \Gamma(s) + \sum_{d\ge1} d^{-\beta}\,\Gamma(s + d)/d!`, continued where the sum diverges.

    Parameters
    ----------
    s, beta : number
        :math:`0 < s`; the sum converges for :math:`\beta > s`. At :math:`s = \beta` the pole is left out.

    Returns
    -------
    mpmath.mpf
        At the current precision, up to about 30 digits: the sum is done to d = 60 and its rest by zeta functions.
    """
    return _transform(mpmath.mpf(s), mpmath.mpf(beta), mpmath.mp.prec)


@lru_cache(maxsize=1024)
def _transform(s: Any, beta: Any, prec: int) -> Any:
    with mpmath.workprec(prec + 33):
        head = mpmath.gamma(s) + mpmath.fsum(
            d**-beta * mpmath.gamma(s + d) / mpmath.factorial(d) for d in range(1, _DIRECT)
        )
        parts = []
        for j, coefficient in enumerate(_expansion(s)):
            order = beta + 1 - s + j
            if order == 1:
                parts.append(
                    -mpmath.digamma(_DIRECT)
                )  # zeta(1 + e, q) - 1/e at e = 0: the pole left out
            else:
                parts.append(coefficient * mpmath.zeta(order, _DIRECT))
        value = head + mpmath.fsum(parts)
    with mpmath.workprec(prec):
        return +value


class MeanPower(sp.Function):  # type: ignore[misc]
    r"""What a cluster with a Poisson number of samples leaves unlearned: :math:`E\,h(d)`, :math:`h(0) = 1`, :math:`h(d) = d^{-\beta}`.

    Arguments: the mean :math:`\mu` and :math:`\beta`. Evaluates to about 13 digits.

    Examples
    --------
    >>> round(float(MeanPower(1, 1)), 10)
    0.8527085482
    """

    nargs = (2,)
    is_commutative = True
    is_positive = True
    _imp_ = staticmethod(mean_power)

    def _eval_evalf(self, prec: int) -> Any:
        mean, beta = (
            entry._eval_evalf(prec) if not entry.is_Float else entry for entry in self.args
        )
        if mean.is_number and beta.is_number:
            return sp.Float(
                mean_power(mean._to_mpmath(prec), beta._to_mpmath(prec)), precision=prec
            )
        return None


class CountTransform(sp.Function):  # type: ignore[misc]
    r"""The Mellin transform :math:`M(s)` of `MeanPower`, continued analytically; simple poles where :math:`s - \beta` is 0, 1, ...

    Arguments: s and :math:`\beta`.

    Examples
    --------
    >>> CountTransform(sp.Rational(1, 2), 1).evalf(15)
    4.22959662976...
    """

    nargs = (2,)
    is_commutative = True
    is_real = True
    _imp_ = staticmethod(count_transform)

    def _eval_evalf(self, prec: int) -> Any:
        s, beta = (entry if entry.is_Float else entry._eval_evalf(prec) for entry in self.args)
        if not (s is not None and s.is_number and beta.is_number):
            return None
        with mpmath.workprec(prec):
            return sp.Float(
                count_transform(s._to_mpmath(prec), beta._to_mpmath(prec)), precision=prec
            )


class PoleRest(sp.Function):  # type: ignore[misc]
    r"""What the pole of `CountTransform` at :math:`s = \beta` leaves: :math:`g_0 = \lim_{u\to\beta} [M(u) + 1/(u - \beta)]`.

    Argument: :math:`\beta`.

    Examples
    --------
    >>> PoleRest(sp.Rational(1, 2)).evalf(13)
    2.157215310532
    """

    nargs = (1,)
    is_commutative = True
    is_real = True

    def _eval_evalf(self, prec: int) -> Any:
        (beta,) = (entry if entry.is_Float else entry._eval_evalf(prec) for entry in self.args)
        if beta is None or not beta.is_number:
            return None
        with mpmath.workprec(prec):
            value = beta._to_mpmath(prec)
            return sp.Float(count_transform(value, value), precision=prec)
