r"""The loss of infinitely many clusters in inverse powers of the number of training samples."""

from __future__ import annotations

import math
import warnings
from dataclasses import dataclass

import mpmath
import numpy as np
from numpy.typing import ArrayLike

from ....arguments import (
    Array,
    Value,
    broadcast,
    numbers,
    shaped,
    whole,
    whole_numbers,
)
from ....errors import ExtrapolationWarning, refusal
from ....results import Diagnostics, Result, Status
from ...catalogue import shows
from .expected_loss import steepnesses
from .zeta import DIRECT, hurwitz, hurwitz_regular, log_zeta, zeta_regular

_RATIOS = 16  # terms of Gamma(x + s)/Gamma(x + 1) in 1/x; at x = 60 the next is below 1e-17
_MOST = 12
_LEAST, _GREATEST = (
    1e-300,
    1e15,
)  # beyond, 1/alpha is no floating-point number, or alpha/(1 + alpha) is 1
_ROUGH = 0.1
_HARMONICS = np.arange(1.0, 33.0)
_BERNOULLI = np.array(
    [float(mpmath.bernoulli(k)) for k in range(2 * _RATIOS + 1)]
)  # SciPy's lose digits


@dataclass(frozen=True)
class DataLossExpansion(Result):
    r"""Loss in inverse powers of the number of training samples.

    Attributes
    ----------
    samples, alpha, exponent : float or ndarray
        The inputs.
    loss : float or ndarray
        Sum of the expansion.
    cluster_exponent : float or ndarray
        :math:`s = \alpha/(1+\alpha)`, the exponent due to clusters without a sample.
    cluster_amplitude : float or ndarray
        :math:`A_1` of :math:`P^{-s}`; infinite at beta = s.
    learning_amplitude : float or ndarray
        Amplitude of :math:`P^{-\beta}`, due to the learning of large clusters; infinite, with the other sign, at beta = s.
    diagnostics : Diagnostics
        The error estimate adds what Poisson counts miss, of relative order 1/P, the first term left out relative to the loss, and
        the ripple due to whole ranks.
    """

    samples: Value
    alpha: Value
    exponent: Value
    loss: Value
    cluster_exponent: Value
    cluster_amplitude: Value
    learning_amplitude: Value
    diagnostics: Diagnostics


@shows("loss", counted=("samples",))
def data_loss_expansion(
    samples: ArrayLike, *, alpha: ArrayLike, exponent: ArrayLike, terms: int = 3
) -> DataLossExpansion:
    r"""Expand the expected loss of infinitely many clusters in inverse powers of the number of training samples.

    .. math:: L \simeq A_1 P^{-s} + \sum_j e_j C^{1-\beta-j}\, \zeta\big((1+\alpha)(1-\beta-j)\big)\, P^{-\beta-j}, \qquad
              A_1 = \frac{C^{1/(1+\alpha)}}{1+\alpha} M(s), \quad s = \frac{\alpha}{1+\alpha}, \quad C = \frac1{\zeta(1+\alpha)}

    where :math:`M(s) = \Gamma(s) + \sum_{d\ge1} d^{-\beta}\,\Gamma(s+d)/d!`, continued analytically where beta < s, and
    :math:`e_0 = 1, e_1 = \beta(\beta+1)/2, \dots` is the expansion of the mean of :math:`d^{-\beta}` for a Poisson count. At beta = s the
    first two terms diverge and leave :math:`P^{-\beta}(\log P + \text{constant})`; the sum is continuous there.

    Parameters
    ----------
    samples : array_like
        P, whole numbers >= 1. All arguments broadcast.
    alpha : array_like
        Zipf excess, as in `data_loss`, from 1e-300 to 1e15.
    exponent : array_like
        :math:`\beta`, from 0 to 100.
    terms : int
        How many j are kept at most, from 1 to 12; the series diverges and is ended at its smallest term.

    Returns
    -------
    DataLossExpansion
        Loss, the two leading amplitudes, the exponent s.

    Raises
    ------
    DomainError
        If an argument is out of range, or the terms of the expansion leave the range of floating-point numbers.

    Warns
    -----
    ExtrapolationWarning
        If the estimated relative error exceeds 0.1.

    Notes
    -----
    Differs from `data_loss` by a relative O(1/P), because it takes counts as Poisson, by the terms left out, and by a ripple in log P
    due to whole ranks, of the order of :math:`\exp[-2\pi k_* \frac{2+\alpha}{1+\alpha}\sin\frac{\pi}{2(2+\alpha)}]` with
    :math:`k_*^{2+\alpha} = (1+\alpha)CP/2\pi`, which falls faster than any power but is what remains at large alpha (a quarter of the loss
    at alpha = 17.2, P = 1e4). Accurate to rounding at and near beta = s: the two poles are subtracted before they are evaluated.

    References
    ----------
    A. Brill, arXiv:2412.07942 (2024), section 3.2, whose estimate has the same exponents and other amplitudes.

    Examples
    --------
    >>> found = data_loss_expansion(1e6, alpha=1, exponent=1)
    >>> round(found.cluster_amplitude, 12), round(found.learning_amplitude, 12)
    (1.648901481367, -0.5)
    """
    checked = {
        "samples": whole_numbers("samples", samples, low=0),
        "alpha": numbers("alpha", alpha, low=0.0, strict=True),
        "exponent": steepnesses(exponent),
    }
    numbers("samples", samples, low=1.0)
    numbers("alpha", alpha, low=_LEAST, high=_GREATEST)
    numbers("exponent", exponent, low=0.0)
    terms = whole("terms", terms, high=_MOST)
    shape, flat = broadcast(checked)
    table = np.empty((5, flat[0].size))
    for pair in sorted(set(zip(flat[1].tolist(), flat[2].tolist(), strict=True))):
        chosen = (flat[1] == pair[0]) & (flat[2] == pair[1])
        with np.errstate(over="ignore", invalid="ignore"):
            table[:, chosen] = _expand(flat[0][chosen], *pair, terms)
    lost = ~np.isfinite(table[[0, 4]]).all(axis=0)
    if lost.any():
        at = int(np.flatnonzero(lost)[0])
        raise refusal(
            "samples",
            float(flat[0][at]),
            f"is beyond the expansion at alpha = {flat[1][at]:g}, exponent = {flat[2][at]:g}: its terms "
            "are no floating-point numbers; use data_loss",
        )
    worst = float(np.max(table[4], initial=0.0))
    if worst > _ROUGH:
        warnings.warn(
            f"data_loss_expansion: the estimated relative error is {worst:.1e}; use data_loss",
            ExtrapolationWarning,
            stacklevel=2,
        )
    return DataLossExpansion(
        **{name: shaped(column, shape) for name, column in zip(checked, flat, strict=True)},
        loss=shaped(table[0], shape),
        cluster_exponent=shaped(table[1], shape),
        cluster_amplitude=shaped(table[2], shape),
        learning_amplitude=shaped(table[3], shape),
        diagnostics=Diagnostics(
            status=Status.CONVERGED,
            residual=0.0,
            iterations=int(terms),
            method="residues of the Mellin transform",
            error_estimate=worst,
        ),
    )


def _expand(samples: Array, alpha: float, beta: float, terms: int) -> Array:
    from scipy import special

    power = 1.0 + alpha
    s = alpha / power
    # beta - s without the rounding of s, which would show next to the merged pole
    distance = (alpha * (1.0 - beta) - beta) / power
    log_constant = -log_zeta(alpha)
    regular = mellin_regular(s, beta, distance)
    # log(CP) with p_k = C k^-(1 + alpha), C = 1/zeta(1 + alpha)
    scaled = log_constant + np.log(samples)
    regular_zeta = zeta_regular(alpha * (1.0 - beta) - beta)

    # C (CP)^-beta/(power distance) from the zeta function and -C (CP)^-s/(power distance) from
    # M(s), together: each diverges where s meets beta, and expm1 of the difference, here over the
    # larger of the two, does not cancel
    steps = distance * scaled
    merged = scaled if distance == 0.0 else -np.expm1(-np.abs(steps)) * np.sign(steps) / distance
    learned, seen = np.exp(log_constant - beta * scaled), np.exp(log_constant - s * scaled)
    loss = np.where(steps < 0.0, seen, learned) * merged / power + learned * regular_zeta
    loss += seen * regular / power
    left_out = np.zeros_like(loss)
    smallest = np.abs(loss)
    for j in range(1, terms + 1):
        # |zeta| without its sine, which vanishes now and then; the series diverges, and ends at its smallest term
        order = 1.0 - power * (1.0 - beta - j)
        coefficient = _ratio_coefficients(beta + j)[j]
        log_scale = log_constant - (beta + j) * scaled
        size = abs(coefficient) * np.exp(
            np.minimum(
                special.gammaln(order) + math.log(2.0) - order * math.log(2 * math.pi) + log_scale,
                700.0,
            )
        )
        falls = (size < smallest) & (left_out == 0.0)
        if j == terms or coefficient == 0.0:
            falls = np.zeros_like(falls)
        left_out = np.where(falls | (left_out > 0.0), left_out, size)
        if falls.any():
            loss[falls] += coefficient * float(special.zeta(1.0 - order)) * np.exp(log_scale[falls])
        smallest = np.where(falls, size, smallest)
    if distance == 0.0:
        cluster, learning = -math.inf, math.inf
    else:
        # amplitudes one by one: only here do the poles' parts appear apart
        cluster = math.exp(log_constant / power) / power * (regular - 1.0 / distance)
        scale = float(
            np.exp(log_constant * (1.0 - beta))
        )  # infinite, if beyond all floating-point numbers
        learning = scale * (regular_zeta + 1.0 / (power * distance))
    # counts are binomial: each power P^-x lacks a factor 1 - x (x + 1)/2P. The two that merge cancel, their factors nearly
    steep, flat = max(beta, s), min(beta, s)
    parts = np.abs(learned * regular_zeta) + np.abs(seen * regular) / power
    parts += np.maximum(learned, seen) * np.abs(merged) / power
    poisson = 0.5 * (
        steep * (steep + 1.0) * parts + (steep + flat + 1.0) * np.maximum(learned, seen) / power
    )
    error = (poisson / samples + 2.0 * left_out) / np.abs(loss) + _ripple(
        samples, scaled, power, beta, loss
    )
    return np.array(
        [
            loss,
            np.full_like(loss, s),
            np.full_like(loss, cluster),
            np.full_like(loss, learning),
            error,
        ]
    )


def _ripple(samples: Array, scaled: Array, power: float, beta: float, loss: Array) -> Array:
    r"""Bound how far the sum over ranks is from its integral, relative to the loss.

    By Poisson's summation formula: for each m the saddle point k of :math:`e^{-\mu + 2\pi i m k}`, :math:`\mu = PC k^{-1-\alpha}`,
    smaller than any power of 1/P, times 2. The loss of one cluster is there :math:`e^{-\mu}` times a number that is at most
    :math:`1 + |\log(-\mu)|^\beta/\Gamma(1 + \beta)`, beside a power of :math:`\mu`, which has no saddle point.
    """
    from scipy import special

    m = _HARMONICS[:, None]
    saddle = np.exp((math.log(power / (2 * math.pi)) + scaled - np.log(m)) / (1.0 + power))
    mean = 2 * math.pi * m * saddle / power
    log_size = 0.5 * np.log(np.log(mean) ** 2 + math.pi**2)
    factor = 1.0 + np.exp(np.minimum(beta * log_size - special.gammaln(1.0 + beta), 600.0))
    decay = np.exp(-mean * (1.0 + power) * math.sin(0.5 * math.pi / (1.0 + power)))
    whole = 4.0 * mean / samples * np.sqrt(saddle / (1.0 + power)) * factor * decay
    return np.asarray(whole.sum(axis=0) / np.abs(loss))


def mellin_regular(s: float, beta: float, distance: float) -> float:
    r"""Return :math:`M(s) + 1/(s-\beta)`, regular at s = beta; `distance` is s - beta."""
    from scipy import special

    d = np.arange(1, DIRECT)
    # sum over counts d of Gamma(s + d)/d! d^-beta, the count 0 with loss 1; from d = 60 on the
    # ratio is d^(s-1) (c_0 + c_1/d + ...), powers sum to Hurwitz zeta values at 1 + j - distance
    total = math.gamma(s) + float(
        np.sum(np.exp(special.gammaln(s + d) - special.gammaln(d + 1.0) - beta * np.log(d)))
    )
    coefficients = _ratio_coefficients(s)
    for j in range(_RATIOS):
        total += coefficients[j] * (
            hurwitz_regular(j - distance) if j == 0 else hurwitz(1.0 + j - distance)
        )
    return total


def _ratio_coefficients(s: float) -> Array:
    r"""Return c_j of :math:`\Gamma(x+s)/\Gamma(x+1) \sim x^{s-1} \sum_j c_j x^{-j}`."""
    from scipy import special

    # log of the ratio: coefficients (-1)^(n+1) (B_(n+1)(s) - B_(n+1)(1))/(n (n+1)) of x^-n
    logs = np.zeros(_RATIOS)
    for n in range(1, _RATIOS):
        k = np.arange(n + 2)
        polynomial = float(
            np.sum(special.comb(n + 1, k) * _BERNOULLI[: n + 2] * s ** (n + 1.0 - k))
        )
        at_one = _BERNOULLI[n + 1]  # n + 1 >= 2, where B_n(1) = B_n
        logs[n] = (-1) ** (n + 1) * (polynomial - at_one) / (n * (n + 1))
    # its exponential: j c_j = sum over i of i l_i c_(j-i)
    series = np.zeros(_RATIOS)
    series[0] = 1.0
    for j in range(1, _RATIOS):
        series[j] = sum(i * logs[i] * series[j - i] for i in range(1, j + 1)) / j
    return series
