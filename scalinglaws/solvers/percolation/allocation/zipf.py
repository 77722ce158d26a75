r"""The optimal allocation of infinitely many clusters with weights :math:`k^{-(1+\alpha)}`, from sums that need no table.

Sums over ranks are taken one by one up to a first rank and by the Euler-Maclaurin formula beyond it. The integral between two
ranks is written with expm1, so that nothing happens as :math:`a = (1+\alpha)/(1+\beta)` passes 1.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import mpmath
import numpy as np
from numpy.typing import ArrayLike, NDArray

from ....arguments import choice, digit_count, number, numbers
from ....errors import refusal
from ....results import Diagnostics, Result, Status
from ..._jit import njit
from ...catalogue import shows
from .prefix_sums import entry

Array = NDArray[np.float64]

_LARGEST = 1.0e300
_TERMS = 6
# B_2i / (2i)!
_BERNOULLI = (1 / 12, -1 / 720, 1 / 30240, -1 / 1209600, 1 / 47900160, -691 / 1307674368000)


@shows("loss", "break_rank")
@dataclass(frozen=True)
class ZipfModelLoss(Result):
    """Loss of an optimal allocation to infinitely many clusters.

    Attributes
    ----------
    n : float or ndarray
        The budget.
    loss : float, ndarray or mpmath number
        Loss, not normalized: the zeta function at 1 + alpha for n = 0.
    break_rank : float, int or ndarray
        Number of clusters learned.
    alpha, exponent : float
        Parameters of the ensemble and of the learning curve.
    law : str
        Learning curve.
    diagnostics : Diagnostics
        ``error_estimate`` bounds the relative error of the loss.
    """

    n: float | Array
    loss: Any
    break_rank: Any
    alpha: float
    exponent: float
    law: str
    diagnostics: Diagnostics


@njit
def _ends(a: float, x: float) -> float:
    """Return the end terms of the Euler-Maclaurin formula for the sum of k^-a at an end x, over x^-a."""
    if x > 1e50:  # whose square may leave the range of floating-point numbers
        return a / (12 * x)
    term, total = a / x, 0.0
    for i in range(_TERMS):
        total += _BERNOULLI[i] * term
        term *= (a + 2 * i + 1) * (a + 2 * i + 2) / (x * x)
    return total


@njit
def zipf_head(m: float, a: float, first: float, head: float) -> float:
    """Return the sum of k^-a for k up to m >= first, given the sum up to `first`."""
    ratio = math.log(m / first)
    area = first ** (1 - a) * (math.expm1((1 - a) * ratio) / (1 - a) if a != 1.0 else ratio)
    total: float = head + area + m**-a * (0.5 - _ends(a, m)) - first**-a * (0.5 - _ends(a, first))
    return total


@njit
def zipf_tail(m: float, alpha: float, first: float) -> float:
    """Return the sum of k^-(1 + alpha) over k > m."""
    total = 0.0
    end = max(m, first)
    k = end
    while k > m:
        total += k ** -(1 + alpha)
        k -= 1.0
    beyond: float = (
        total + end**-alpha / alpha - end ** -(1 + alpha) * (0.5 - _ends(1 + alpha, end))
    )
    return beyond


@njit
def _enters(m: float, a: float, beta: float, shifted: bool, first: float, sums: Array) -> float:
    """Return the budget from which on rank m is learned."""
    s = sums[int(m)] if m < first else zipf_head(m, a, first, sums[int(first)])
    if shifted and a * math.log(m) + math.log(s) > 709.0:
        return math.inf
    enters: float = s * m**a - m if shifted else entry(m**-a / s, beta)
    return enters


@njit
def _points(
    n: Array,
    alpha: float,
    beta: float,
    shifted: bool,
    first: float,
    sums: Array,
    loss: Array,
    rank: Array,
) -> None:
    a = (1 + alpha) / (1 + beta)
    for i in range(n.size):
        budget = float(n[i])
        if budget == math.inf:
            loss[i], rank[i] = 0.0, math.inf
            continue
        if budget == 0.0 or not budget >= _enters(1.0, a, beta, shifted, first, sums):
            loss[i], rank[i] = zipf_tail(0.0, alpha, first), 0.0
            continue
        low, high, factor = 1.0, 2.0, 2.0
        while high < _LARGEST and budget >= _enters(high, a, beta, shifted, first, sums):
            low, factor = high, factor * factor
            high = min(high * factor, _LARGEST)
        while True:  # first between powers, then between neighbors
            middle = float(
                np.floor(
                    math.sqrt(low) * math.sqrt(high) if high > 2 * low else low + (high - low) / 2
                )
            )
            if middle <= low or middle >= high:
                break
            if budget >= _enters(middle, a, beta, shifted, first, sums):
                low = middle
            else:
                high = middle
        s = sums[int(low)] if low < first else zipf_head(low, a, first, sums[int(first)])
        spread = budget + low if shifted else budget
        # the ratio to a large exponent may underflow where its product with s does not
        learned = (
            (s ** (1 / beta) * (s / spread)) ** beta if beta > 1.0 else s * (s / spread) ** beta
        )
        loss[i] = learned + zipf_tail(low, alpha, first)
        rank[i] = low


def zipf_model_loss(
    n: ArrayLike, *, alpha: float, exponent: float, law: str = "hard", digits: int | None = None
) -> ZipfModelLoss:
    r"""Smallest loss of a budget divided between infinitely many clusters of power-law weights.

    .. math:: L(n) = \min \sum_{k\ge1} k^{-(1+\alpha)} f(n_k), \qquad \sum_k n_k = n,

    with :math:`f = \min(1, x^{-\beta})` (hard) or :math:`(1+x)^{-\beta}` (shifted). It falls as :math:`n^{-\min(\alpha,\beta)}`, with
    a factor :math:`(\log n)^{1+\alpha}` at :math:`\alpha = \beta`.

    Parameters
    ----------
    n : array_like
        Budgets, >= 0, of any size; may be inf.
    alpha : float
        Excess of the exponent of the weights, > 0.
    exponent : float
        Learning exponent beta of each cluster, > 0.
    law : {"hard", "shifted"}
        Learning curve of a cluster of scale 1; with a common scale m, give n/m.
    digits : int, optional
        Digits of the loss, from 1 to 1000; it then is an mpmath number, and the break rank an exact whole number. Default: double
        precision.

    Returns
    -------
    ZipfModelLoss
        With ``loss`` and ``break_rank``, the number of clusters learned.

    Raises
    ------
    DomainError
        If an argument lies outside its domain.

    Notes
    -----
    Bisection on the budget at which a rank begins to be learned, a few hundred sums of some twenty operations. In double
    precision the break rank has a relative error of some 1e-15/a, a = (1 + alpha)/(1 + beta), and is a float; to that error
    the loss does not depend on it. The tree law has no closed sums: use `allocate` on a finite ensemble.

    References
    ----------
    A. Brill, arXiv:2412.07942 (2024), section 3, for the ensemble; the sums and the break rank are exact here.

    Examples
    --------
    >>> point = zipf_model_loss(1e15, alpha=1, exponent=0.5)
    >>> point.break_rank, f"{point.loss:.9e}"
    (37036745773.0, '2.160303976e-07')
    """
    choice("law", law, ("hard", "shifted"))
    budgets = numbers("n", n, low=0.0, infinite=True)
    values = []
    for name, value in (("alpha", alpha), ("exponent", exponent)):
        values.append(number(name, value, low=0.0, high=1e3, strict=True))
    excess, beta = values
    digits = None if digits is None else digit_count("digits", digits)
    a = (1 + excess) / (1 + beta)
    first = 20 + 2 * math.ceil(
        max(a, 1 + excess)
    )  # where the first omitted end term is below rounding
    sums = np.concatenate([[0.0], np.cumsum(np.arange(1.0, first + 1) ** -a)])
    flat = np.ascontiguousarray(budgets.reshape(-1))
    loss, rank = np.empty(flat.size), np.empty(flat.size)
    _points(flat, excess, beta, law == "shifted", float(first), sums, loss, rank)
    if (rank >= _LARGEST / 4).any() and np.isfinite(rank[rank >= _LARGEST / 4]).any():
        raise refusal(
            "n", flat.max(), "lets more ranks be learned than floating-point numbers can count"
        )
    if digits is None:
        diagnostics = Diagnostics(
            Status.CONVERGED, 0.0, 1, "Euler-Maclaurin sums, bisection", 1e-14 * (1 + beta)
        )
        if budgets.ndim == 0:
            return ZipfModelLoss(
                float(budgets), float(loss[0]), float(rank[0]), excess, beta, law, diagnostics
            )
        return ZipfModelLoss(
            np.array(budgets),
            loss.reshape(budgets.shape),
            rank.reshape(budgets.shape),
            excess,
            beta,
            law,
            diagnostics,
        )
    exact = [
        _exact(float(x), excess, beta, law == "shifted", float(guess), digits)
        for x, guess in zip(flat, rank, strict=True)
    ]
    diagnostics = Diagnostics(
        Status.CONVERGED, 0.0, 1, "zeta functions, bisection", 10.0 ** (1 - digits)
    )
    if budgets.ndim == 0:
        return ZipfModelLoss(
            float(budgets), exact[0][0], exact[0][1], excess, beta, law, diagnostics
        )
    columns = [
        np.array([point[i] for point in exact], dtype=object).reshape(budgets.shape) for i in (0, 1)
    ]
    return ZipfModelLoss(np.array(budgets), columns[0], columns[1], excess, beta, law, diagnostics)


def _exact(
    n: float, alpha: float, beta: float, shifted: bool, guess: float, digits: int
) -> tuple[Any, Any]:
    """Return loss and break rank to many digits, starting from the rank found in double precision."""
    if n == math.inf:
        return mpmath.mpf(0), math.inf
    # digits of the loss, of the rank, of its cancellation in the entry condition, and of two zeta functions near their pole
    a_float = (1 + alpha) / (1 + beta)
    pole = -math.log10(min(abs(a_float - 1), 1.0)) if a_float != 1 else 0.0
    spare = 20 + (1 + a_float) * math.log10(guess + 2) + max(-math.log10(beta), 0.0) + pole
    with mpmath.workdps(digits + math.ceil(spare)):
        mp = mpmath.mpf
        a = (1 + mp(alpha)) / (1 + mp(beta))
        whole = None if a == 1 else mpmath.zeta(a)

        def head(m: int) -> Any:
            if m < 60:
                return mpmath.fsum(mp(k) ** -a for k in range(1, m + 1))
            return (
                mpmath.digamma(m + 1) + mpmath.euler if whole is None else whole - _beyond(a, m + 1)
            )

        def enters(m: int) -> bool:
            s = head(m)
            if shifted:
                return bool(mp(n) >= s * mp(m) ** a - m)
            before = s - mp(m) ** -a
            powers = s ** (1 + mp(beta)) - (before ** (1 + mp(beta)) if m > 1 else 0)
            return bool(mp(n) ** mp(beta) >= powers * mp(m) ** (1 + mp(alpha)))

        low, step = int(guess), max(1, int(guess * 4e-15))
        if low == 0 or not enters(low):
            high = low
            while low > 0 and not enters(low):
                low, high, step = max(low - step, 0), low, 2 * step
        else:
            high = low + step
            while enters(high):
                low, step = high, 2 * step
                high = low + step
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (middle, high) if enters(middle) else (low, middle)
        tail = _beyond(1 + mp(alpha), low + 1)
        if n == 0:
            low = 0
        if low == 0:
            return +mpmath.zeta(1 + mp(alpha)), 0
        s = head(low)
        loss = s * (s / (mp(n) + low if shifted else mp(n))) ** mp(beta) + tail
    with mpmath.workdps(digits):
        return +loss, low


def _beyond(a: Any, first: int) -> Any:
    """Return the sum of k^-a from a rank on, continued analytically below a = 1, to the working precision."""
    mp, digits = mpmath.mpf, mpmath.mp.dps
    if first < 20 * digits:
        return mpmath.zeta(a, first)
    # Euler-Maclaurin: terms fall by (2 pi first)^2 until they number more than the digits
    x = mp(first)
    total, term = x ** (1 - a) / (a - 1) + x**-a / 2, a * x ** (-a - 1)
    for k in range(1, digits):
        part = mpmath.bernoulli(2 * k) / mpmath.factorial(2 * k) * term
        total += part
        if abs(part) < abs(total) * mp(10) ** -digits:
            break
        term *= (a + 2 * k - 1) * (a + 2 * k) / x**2
    return total
