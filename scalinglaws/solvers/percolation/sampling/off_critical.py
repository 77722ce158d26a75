r"""Off criticality: sizes of clusters with a cutoff, and the losses that follow from them.

In units of the cutoff, rank k and size x obey :math:`k = k_\xi t\,\Gamma(-t, x)` with :math:`t = 1/(1+\alpha)`. Sizes vary smoothly with
rank, so that sums over ranks beyond the first are integrals over sizes, that is incomplete gamma functions, with small corrections.
"""

from __future__ import annotations

import math

import mpmath
import numpy as np
from numpy.typing import ArrayLike

from ....arguments import Array, Value, broadcast, numbers, shaped, whole_numbers
from ..._jit import njit
from ..._roots import brentq
from ...catalogue import shows
from ..allocation.hard_and_flowing import prepare_allocation
from ..bethe.ensemble import FIRST, HEAD, STENCIL, Ensemble, ensemble_losses, head_sum
from .expectation import HARD
from .expected_loss import steepnesses

_STEPS = 200
_LARGEST_LOG = 709.0  # of a floating-point number
_DOUBLINGS = 60  # of a bracket in log x, which end beyond any budget
_ZETAS: Array = np.array([float(mpmath.zeta(max(n, 2))) for n in range(28)])


@njit
def upper_gamma(order: float, x: float) -> float:
    """Return the upper incomplete gamma function times exp(x), for order from -1 to 1 and x > 0."""
    return upper_gamma_at(order, math.log(x))


@njit
def upper_gamma_at(order: float, log_x: float) -> float:
    """Return the same at a given log x, also where x underflows."""
    x = math.exp(log_x)
    if x >= 1.0:  # continued fraction, by Lentz's method
        b = x + 1.0 - order
        c, d = math.inf, 1.0 / b
        fraction = d
        for n in range(1, 500):
            a = -n * (n - order)
            b += 2.0
            d = 1.0 / (a * d + b)
            c = b + a / c
            fraction *= c * d
            if abs(c * d - 1.0) < 1e-16:
                break
        return float(x**order * fraction)
    if order < -0.5:
        # Gamma(a, x) = (Gamma(a + 1, x) - x^a exp(-x))/a: for a in [-1, -1/2] and x < 1 the second
        # term exceeds the first by three tenths or more, so that less than a digit is lost
        power = math.exp(min(order * log_x, _LARGEST_LOG))
        return float((upper_gamma_series(order + 1.0, log_x) * math.exp(x) - power) / order)
    return upper_gamma_series(order, log_x) * math.exp(x)


@njit
def _log_gamma_above_one(x: float) -> float:
    """Return log Gamma(1 + x), with all digits for small x."""
    if abs(x) > 0.25:
        return math.lgamma(1.0 + x)
    total = 0.0
    for k in range(_ZETAS.size - 1, 1, -1):
        # log Gamma(1 + x) = -gamma x + sum of zeta(k) (-x)^k/k, by Horner's rule
        total = (total + _ZETAS[k] / k) * -x
    return -x * (total + np.euler_gamma)


@njit
def upper_gamma_series(order: float, log_x: float) -> float:
    """Return the upper incomplete gamma function for order above -1/2 and x < 1."""
    x, log_power = math.exp(log_x), min(order * log_x, _LARGEST_LOG)
    total = -np.euler_gamma - log_x
    if abs(order) > 1e-300:
        # Gamma(a) - x^a/a = (Gamma(1 + a) - x^a)/a, both as differences from 1
        total = (math.expm1(_log_gamma_above_one(order)) - math.expm1(log_power)) / order
    term, power = 1.0, math.exp(log_power)
    for n in range(1, 40):
        term *= -x / n
        total -= power * term / (n + order)
        if abs(term) < 1e-18:
            break
    return total


@njit
def _log_sizes(log_rank: Array, t: float, out: Array) -> None:
    """Solve rank = t Gamma(-t, x) for log x, rank in units of the crossover rank."""
    for i in range(log_rank.size):
        target = log_rank[i]
        # t Gamma(-t, x) < x^-t exp(-x) bounds the root from above; log-log the function is concave, and Newton's method monotone
        y = min(-target / t, math.log(max(1.0, -target)))
        for _ in range(_STEPS):
            if (
                y < -700.0
            ):  # x^-t - Gamma(1 - t), of which the first exceeds the second by far unless t is small
                y = -target / t
                if t < 0.5:
                    power = math.exp(min(target, 700.0)) + math.expm1(_log_gamma_above_one(-t))
                    y = -math.log1p(power) / t if target < 700.0 else y
                break
            x = math.exp(y)
            tail = t * upper_gamma_at(-t, y)
            # log(t Gamma(-t, x)) = log tail - x, whose slope in log x is -t x^-t/tail
            change = (math.log(tail) - x - target) * tail * x**t / t
            y += change
            if abs(change) < 1e-14 * max(1.0, abs(y)):
                break
        out[i] = y


def _log_sizes_at(rank: Array, alpha: float, crossover_rank: ArrayLike) -> Array:
    logs = np.empty(rank.size)
    _log_sizes(np.log(rank) - np.log(crossover_rank), 1.0 / (1.0 + alpha), logs)
    return logs


def subcritical_sizes(rank: ArrayLike, *, alpha: ArrayLike, crossover_rank: ArrayLike) -> Value:
    r"""Compute the sizes of ranked clusters below the percolation threshold, in units of the cutoff size.

    .. math:: k = k_\xi\,(\tau-2)\,\Gamma(2-\tau, s_k/s_\xi), \qquad \tau - 2 = \frac1{1+\alpha}

    for clusters drawn as those of random sites, with a density of sizes :math:`n_s \propto s^{-\tau} e^{-s/s_\xi}`.

    Parameters
    ----------
    rank : array_like
        k > 0, not necessarily whole, 1 for the largest cluster. All arguments broadcast.
    alpha : array_like
        Zipf excess > 0 at the threshold.
    crossover_rank : array_like
        :math:`k_\xi > 0`, the rank from which sizes follow the critical law.

    Returns
    -------
    float or ndarray
        :math:`s_k/s_\xi`: near :math:`(k/k_\xi)^{-(1+\alpha)}` for k well above the crossover rank, logarithmic below.

    Raises
    ------
    DomainError
        If an argument is out of range.

    Notes
    -----
    Newton's method in the logarithms, monotone. Accurate to 1e-14 times :math:`1 + |\log s_k/s_\xi|`, relative: sizes far below
    the cutoff lose digits as any power of such a size does.

    References
    ----------
    The law of sizes is that of D. Stauffer, A. Aharony, "Introduction to percolation theory" (1994), section 2.4, for mean-field clusters.

    Examples
    --------
    >>> round(subcritical_sizes(1, alpha=1, crossover_rank=100), 9)
    2.262233269
    """
    checked = {
        "rank": numbers("rank", rank, low=0.0, strict=True),
        "alpha": numbers("alpha", alpha, low=0.0, strict=True),
        "crossover_rank": numbers("crossover_rank", crossover_rank, low=0.0, strict=True),
    }
    shape, (ranks, alphas, crossovers) = broadcast(checked)
    found = np.empty(ranks.size)
    for value in np.unique(alphas).tolist():
        chosen = alphas == value
        found[chosen] = np.exp(_log_sizes_at(ranks[chosen], value, crossovers[chosen]))
    return shaped(found, shape)


@shows("loss")
def crossover_model_loss(
    n: ArrayLike, *, alpha: ArrayLike, exponent: ArrayLike, crossover_rank: ArrayLike = 1000.0
) -> Value:
    r"""Compute the loss after an optimal allocation of degrees of freedom below the percolation threshold.

    .. math:: \frac{L(n)}{L(0)} = \min_j \frac{S_j^{1+\beta} n^{-\beta} + T_j}{T_0}, \qquad
              S_j = \sum_{k\le j} s_k^{1/(1+\beta)}, \quad T_j = \sum_{k>j} s_k

    with the sizes of `subcritical_sizes`. For large :math:`k_\xi` it tends to a function of :math:`n/k_\xi` alone, flat below the
    crossover and falling with the critical exponent min(alpha, beta) above.

    Parameters
    ----------
    n : array_like
        Degrees of freedom, >= 0. All arguments broadcast.
    alpha : array_like
        Zipf excess > 0 at the threshold.
    exponent : array_like
        :math:`\beta`, from 0 to 100, of the law min(1, n^-beta) by which every cluster is learned.
    crossover_rank : array_like
        :math:`k_\xi \ge 1`.

    Returns
    -------
    float or ndarray
        L(n)/L(0), for infinitely many clusters.

    Raises
    ------
    DomainError
        If an argument is out of range.

    Notes
    -----
    Sums over the first 511 ranks, incomplete gamma functions with Euler-Maclaurin corrections beyond. Cost does not grow with n.
    Accurate to 1e-12.

    References
    ----------
    A. Brill, arXiv:2412.07942 (2024), section 4, for the scaling of the crossover.

    Examples
    --------
    >>> round(crossover_model_loss(18.66e3, alpha=1, exponent=0.5), 4)
    0.5
    """
    checked = {
        "n": numbers("n", n, low=0.0),
        **_problem(alpha, exponent, crossover_rank),
    }
    numbers("exponent", exponent, low=0.0)
    shape, flat = broadcast(checked)
    found = np.empty(flat[0].size)
    for chosen, problem in _problems(flat[1:]):
        found[chosen] = _model_losses(flat[0][chosen], *problem)
    return shaped(found, shape)


@shows("loss", counted=("samples",))
def crossover_data_loss(
    samples: ArrayLike, *, alpha: ArrayLike, exponent: ArrayLike, crossover_rank: ArrayLike = 1000.0
) -> Value:
    r"""Compute the loss in the number of training samples below the percolation threshold.

    .. math:: \frac{L(P)}{L(0)} = \sum_k p_k\, E\min(1, d_k^{-\beta}), \qquad d_k \sim \mathrm{Bin}(P, p_k),\ p_k = \frac{s_k}{\sum_j s_j}

    with the sizes of `subcritical_sizes`. For large :math:`k_\xi` it tends to a function of :math:`P/k_\xi` alone.

    Parameters
    ----------
    samples : array_like
        P, whole numbers >= 0. All arguments broadcast.
    alpha : array_like
        Zipf excess > 0 at the threshold.
    exponent : array_like
        :math:`\beta \ge 0`, at most 100 or inf.
    crossover_rank : array_like
        :math:`k_\xi \ge 1`.

    Returns
    -------
    float or ndarray
        L(P)/L(0), for infinitely many clusters.

    Raises
    ------
    DomainError
        If an argument is out of range.

    Notes
    -----
    The method of `data_loss`. Accurate to 1e-12.

    References
    ----------
    A. Brill, arXiv:2412.07942 (2024), section 4, for the scaling of the crossover.

    Examples
    --------
    >>> round(crossover_data_loss(85410, alpha=1, exponent=0.5, crossover_rank=3000), 4)
    0.5
    """
    shape, flat = broadcast(
        {
            "samples": whole_numbers("samples", samples, low=0),
            **_problem(alpha, exponent, crossover_rank),
        }
    )
    found = np.empty(flat[0].size)
    for chosen, (excess, beta, crossover) in _problems(flat[1:]):
        ensemble = subcritical_ensemble(excess, crossover)
        found[chosen] = 1.0  # what any samples teach is nothing next to infinitely many
        if ensemble is not None:
            found[chosen], _ = ensemble_losses(flat[0][chosen], ensemble, beta, 1.0, HARD)
    return shaped(found, shape)


def _problem(alpha: ArrayLike, exponent: ArrayLike, crossover_rank: ArrayLike) -> dict[str, Array]:
    return {
        "alpha": numbers("alpha", alpha, low=0.0, strict=True),
        "exponent": steepnesses(exponent),
        "crossover_rank": numbers("crossover_rank", crossover_rank, low=1.0),
    }


def _problems(flat: list[Array]) -> list[tuple[Array, tuple[float, float, float]]]:
    """Group elements by their parameters."""
    rows = np.stack(flat, axis=1)
    return [
        (np.all(rows == row, axis=1), (float(row[0]), float(row[1]), float(row[2])))
        for row in np.unique(rows, axis=0)
    ]


def subcritical_ensemble(alpha: float, crossover_rank: float) -> Ensemble | None:
    """Return the infinite list of clusters with the sizes of `subcritical_sizes`, as probabilities; None if sizes add up to infinity."""
    from scipy import special

    t, s = 1.0 / (1.0 + alpha), alpha / (1.0 + alpha)
    logs = _log_sizes_at(HEAD, alpha, crossover_rank)
    relative = _relative(logs)  # to the largest: the sizes themselves may underflow
    values, weights = head_sum(np.exp(relative))
    whole = float(np.sum(values * weights))
    if relative[FIRST - 1] > -_LARGEST_LOG:
        whole += crossover_rank * t * _lower(s, float(logs[FIRST - 1])) * math.exp(-logs[0])
    if math.isinf(whole):
        return None
    log_whole = float(logs[0]) + math.log(whole)

    def density(log_p: Array) -> Array:
        log_x = log_p + log_whole
        return np.asarray(np.exp(math.log(crossover_rank * t) - t * log_x - np.exp(log_x)))

    def moments(log_p: Array, j: Array) -> Array:
        # sum of q (q/p)^j over x below the edge, from the lower incomplete gamma function of order j + 1 - t
        x = np.exp(log_p + log_whole)
        order = j + s
        scaled = special.hyp1f1(1.0, 1.0 + order, x) * np.exp(-x) / order
        return np.asarray(crossover_rank * t * np.exp(log_p - t * (log_p + log_whole)) * scaled)

    log_first = max(float(relative[FIRST - 1]), -1e300) - math.log(whole)
    return Ensemble(values / whole, log_first, density, moments)


def _relative(logs: Array) -> Array:
    """Return logarithms of sizes over the first size."""
    with np.errstate(invalid="ignore"):
        found = logs - logs[0]
    found[0] = 0.0
    return np.where(np.isnan(found), -math.inf, found)


def _lower(order: float, log_x: float) -> float:
    """Return the lower incomplete gamma function; infinite, if it exceeds all floating-point numbers."""
    from scipy import special

    x = math.exp(log_x)
    with np.errstate(over="ignore", divide="ignore"):
        power = np.float64(math.exp(order * log_x)) / order
    return float(special.hyp1f1(1.0, 1.0 + order, x) * math.exp(-x) * power)


def _model_losses(n: Array, alpha: float, beta: float, crossover_rank: float) -> Array:
    t, excess = 1.0 / (1.0 + alpha), alpha / (1.0 + alpha)
    power = 1.0 / (1.0 + beta)
    logs = _log_sizes_at(HEAD, alpha, crossover_rank)
    relative = _relative(logs)
    if relative[FIRST - 1] < -_LARGEST_LOG:  # nothing is left beyond the list
        head = np.exp(relative[:FIRST])
        if beta == 0.0:
            return np.ones(n.size)
        alone: Array = np.asarray(prepare_allocation(head, exponent=beta).solve(n).loss)
        return np.asarray(alone / head.sum())
    sizes, log_edge = np.exp(logs), float(logs[FIRST - 1])
    edge = sizes[FIRST - 1]
    constant = crossover_rank * t

    # sums up to and beyond the last rank of the list, by the integrals from there
    beyond = (
        constant * _lower(excess, log_edge) + float(np.sum(STENCIL * sizes[FIRST - 4 :])) - edge
    )
    total = beyond + float(np.sum(sizes[:FIRST]))
    if beta == 0.0 or math.isinf(total):  # what is learned is nothing next to an infinite loss
        return np.ones(n.size)
    best = prepare_allocation(sizes[:FIRST], exponent=beta).solve(n)
    listed = np.asarray(best.included)
    losses: Array = (np.asarray(best.loss) + beyond) / total
    order = power - t
    gamma_edge = upper_gamma_at(order, log_edge) * math.exp(-edge)
    at_edge = float(np.sum(np.exp(power * logs[:FIRST])))

    def ends(log_x: float) -> tuple[float, float]:
        """Return the root of a size, and minus its relative change with rank: dx/dk, from k = k_xi t Gamma(-t, x), over x."""
        return math.exp(power * log_x), math.exp(t * log_x + math.exp(log_x)) / constant

    def sums(log_x: float) -> tuple[float, float]:
        """Sum roots up to a rank and sizes beyond it, with the first Euler-Maclaurin terms."""
        x = math.exp(log_x)
        (root, falls), (root_edge, falls_edge) = ends(log_x), ends(log_edge)
        s = (
            at_edge
            + constant * (upper_gamma_at(order, log_x) * math.exp(-x) - gamma_edge)
            + 0.5 * (root - root_edge)
        )
        s += power * (root_edge * falls_edge - root * falls) / 12
        return s, constant * _lower(excess, log_x) - 0.5 * x + x * falls / 12

    for i in np.flatnonzero(listed == FIRST).tolist():
        # the last cluster included has room for (1 + beta)^(1/beta) units, were rank continuous; the whole rank is one beside
        goal = math.log(n[i]) - math.log1p(beta) / beta

        def surplus(log_x: float, goal: float = goal) -> float:
            return math.log(sums(log_x)[0]) - power * log_x - goal

        high = log_edge
        if surplus(high) >= 0.0:
            continue
        low = high - 1.0
        for _ in range(_DOUBLINGS):
            if surplus(low) >= 0.0:
                break
            high, low = low, low - 2.0 * (high - low)
        middle = float(brentq(surplus, low, high, xtol=1e-13, rtol=1e-14))
        rank = constant * upper_gamma_at(-t, middle) * math.exp(-math.exp(middle))
        near = np.maximum(np.floor(rank) + np.arange(-1.0, 3.0), FIRST)
        for log_x in _log_sizes_at(near, alpha, crossover_rank).tolist():
            s, rest = sums(log_x)
            losses[i] = min(losses[i], (s * (s / n[i]) ** beta + rest) / total)
    return losses
