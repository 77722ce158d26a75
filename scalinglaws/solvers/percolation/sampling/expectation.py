r"""The expected loss of one cluster that receives a random number of training samples.

The number d of samples in the cluster is binomial, or hypergeometric if the samples are distinct sites. The loss falls with d by a law:
a plateau and a power, or the learning curve h of a critical tree. For few samples the law is summed outward from the mean, where
no weight underflows; for many it is expanded about the mean.
"""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from ..._jit import njit
from ..bethe.tree import tree_loss

Array = NDArray[np.float64]

HARD, TREE = 0, 1
"""Names of the laws in the kernels."""

STEEPEST = 100.0
"""Largest finite exponent: beyond it the direct sums would be too long."""

TABLE_SIZE = 1024
_TABLE_EXPONENT = 20.0  # above, or above the scale below, the table times the power of the scale would leave the range of floats
_TABLE_SCALE = 1e10
_ORDER = 10  # moments in the expansion about the mean
_BINOMIALS: Array = np.array(
    [[float(math.comb(n, k)) for k in range(_ORDER)] for n in range(_ORDER)]
)
_NEGLIGIBLE = 1e-19
_SATURATED = 10.0  # tanh(2 sqrt u) differs from 1 by less than 1e-17 above u = _SATURATED^2
_LOG_2 = math.log(2)


def powers_of_counts(exponent: float) -> Array:
    """Return d^-exponent for d = 0, 1, ... (1 at d = 0), the table that the sums look up for the law "hard"."""
    counts = np.arange(TABLE_SIZE, dtype=float)
    counts[0] = 1.0
    return np.where(counts == 1.0, 1.0, 0.0) if math.isinf(exponent) else counts**-exponent


@lru_cache(maxsize=8)
def tree_losses_of_counts(scale: float) -> Array:
    """Return h(d/scale) for d = 0, 1, ..., the table that the sums look up for the law "tree"."""
    losses = np.array([tree_loss(d / scale) if d else 1.0 for d in range(TABLE_SIZE)])
    losses.setflags(write=False)
    return losses


def law_table(law: int, exponent: float, scale: float) -> tuple[Array, float]:
    """Return the table of a law, and what tells that it is that of a cluster: the exponent, or the scale of a tree."""
    if law == TREE:
        return tree_losses_of_counts(scale), scale
    return powers_of_counts(exponent), exponent


def expansion_threshold(exponents: Array) -> Array:
    r"""Return the mean from which the expansion about it is accurate to 5e-14, at least 600.

    The first term left out is :math:`\binom{\beta+11}{12}\,11!!\,\mu^{-6}`.
    """
    from scipy import special

    finite = np.minimum(exponents, STEEPEST)
    first = np.log(special.poch(finite, 12) / math.factorial(12) * 10395 / 5e-14 + 1.0)
    return np.asarray(np.maximum(600.0, np.exp(first / 6)))


@njit
def _law(
    d: float, exponent: float, scale: float, power: float, law: int, table: Array, tabled: bool
) -> float:
    """Return the loss after d samples."""
    if law == TREE:
        if tabled and d < TABLE_SIZE:
            return float(table[int(d)])
        return 1.0 if d == 0.0 else tree_loss(d / scale)
    if d <= scale:
        return 1.0
    if power == 0.0:
        return 0.0
    if tabled and d < TABLE_SIZE:
        return float(power * table[int(d)])
    return float((d / scale) ** -exponent)


@njit
def _summed(
    samples: float,
    mean: float,
    inside: float,
    outside: float,
    drawn: float,
    exponent: float,
    scale: float,
    power: float,
    law: int,
    table: Array,
    tabled: bool,
) -> float:
    """Sum the law over counts, outward from the mean, with weights relative to that of the mean."""
    # weights relative to that of the mean count, by ratios of neighbors: nothing underflows where
    # all probabilities are tiny, and no logarithm of a factorial is needed. d + 1 relative to d:
    # (P - d)(inside - d drawn)/((d + 1)(outside + (d + 1) drawn)), drawn = 1 without replacement
    start = float(math.floor(mean))
    total = _law(start, exponent, scale, power, law, table, tabled)
    norm = 1.0
    weight, d = 1.0, start
    while weight > _NEGLIGIBLE * norm and d < samples:
        weight *= (samples - d) * (inside - d * drawn) / ((d + 1) * (outside + (d + 1) * drawn))
        d += 1
        norm += weight
        total += weight * _law(d, exponent, scale, power, law, table, tabled)
    weight, d = 1.0, start
    # the law is at most 1: no term to come exceeds its weight
    while (
        d > 0.0 and weight > 0.0 and (weight > _NEGLIGIBLE * total or weight > _NEGLIGIBLE * norm)
    ):
        weight *= d * (outside + d * drawn) / ((samples - d + 1) * (inside - (d - 1) * drawn))
        d -= 1
        norm += weight
        total += weight * _law(d, exponent, scale, power, law, table, tabled)
    return total / norm


@njit
def _central_moments(
    mean: float, spread: float, share: float, finite: float, moments: Array
) -> None:
    r"""Fill in E (d/mean - 1)^j, from E[(d rises) phi(d + 1)] = E[(d falls) phi(d)] with phi = (d - mean)^j.

    spread is the variance over the mean, share the probability, and finite 1/N for N sites to choose from.
    """
    moments[0], moments[1] = 1.0, 0.0
    for j in range(1, _ORDER):
        total, inverse = 0.0, 1.0
        for i in range(j - 1, -1, -1):
            # each step down in i costs a power of 1/mean: the sum is dominated by its first terms
            inverse /= mean
            term = spread * moments[i] - share * moments[i + 1]
            if i < j - 1:
                term += finite * mean * moments[i + 2]
            # (d + 1 - mean)^j - (d - mean)^j expanded; moments are relative to the mean
            total += _BINOMIALS[j, i] * inverse * term
        moments[j + 1] = total / (1.0 - j * finite)


@njit
def _expanded(
    mean: float, exponent: float, scale: float, law: int, moments: Array, slopes: Array
) -> float:
    """Sum the Taylor series of the law about the mean."""
    if law == HARD:
        return float((mean / scale) ** -exponent) * _power_series(exponent, moments)
    u = mean / scale
    root = math.sqrt(u)
    # log cosh y = y - log 2: h(u) = u^(-1/2) - log 2/(2u), two pure powers
    if root > _SATURATED:
        return _power_series(0.5, moments) / root - 0.5 * _LOG_2 / u * _power_series(1.0, moments)
    # T = tanh(2 sqrt u)/sqrt u obeys u T' = 1 - T/2 - u T^2, and (2 u h)' = T; series in the relative distance from u
    slopes[0] = math.tanh(2 * root) / root
    derivative = tree_loss(u)
    total, square_before = derivative, 0.0
    for j in range(_ORDER):
        # coefficients of h in r with u(1 + r): (1 + r) h_r + h = T/2, and those of T:
        # (1 + r) T_r = 1 - T/2 - u (1 + r) T^2
        derivative = 0.5 * slopes[j] / (j + 1) - derivative
        total += derivative * moments[j + 1]
        square = 0.0
        for i in range(j + 1):
            square += slopes[i] * slopes[j - i]
        source = 1.0 if j == 0 else 0.0
        slopes[j + 1] = (source - (0.5 + j) * slopes[j] - u * (square + square_before)) / (j + 1)
        square_before = square
    return total


@njit
def _power_series(exponent: float, moments: Array) -> float:
    """Sum binomial(-exponent, j) E (d/mean - 1)^j."""
    total, coefficient = 1.0, 1.0
    for j in range(1, _ORDER + 1):
        coefficient *= -(exponent + j - 1) / j
        total += coefficient * moments[j]
    return total


@njit
def _looked_up(law: int, exponent: float, scale: float, key: float) -> tuple[bool, float]:
    """Tell whether the table holds the law, and return the factor of its entries."""
    if law == TREE:
        return scale == key, 1.0
    tabled = exponent == key and exponent <= _TABLE_EXPONENT and scale <= _TABLE_SCALE
    if scale == 0.0 or math.isinf(exponent):
        return tabled, 0.0
    return tabled, scale**exponent if tabled else 1.0


@njit
def losses_at_means(
    means: Array,
    samples: Array,
    exponent: float,
    threshold: float,
    scale: float,
    law: int,
    table: Array,
    table_key: float,
    out: Array,
) -> None:
    """Fill in the expected losses of single clusters, shape (means, samples), as functions that are continued to means above samples."""
    moments, slopes = np.empty(_ORDER + 1), np.empty(_ORDER + 1)
    tabled, power = _looked_up(law, exponent, scale, table_key)
    for i in range(means.size):
        for j in range(samples.size):
            mean, size = means[i], means[i] / samples[j]
            if mean >= threshold:
                _central_moments(mean, 1.0 - size, size, 0.0, moments)
                out[i, j] = _expanded(mean, exponent, scale, law, moments, slopes)
            else:
                out[i, j] = _summed(
                    samples[j],
                    mean,
                    size,
                    1.0 - size,
                    0.0,
                    exponent,
                    scale,
                    power,
                    law,
                    table,
                    tabled,
                )


@njit
def expected_losses(
    samples: Array,
    sizes: Array,
    sites: float,
    weights: Array,
    exponents: Array,
    thresholds: Array,
    scales: Array,
    law: int,
    table: Array,
    table_key: float,
    out: Array,
) -> None:
    """Sum weights times expected losses over clusters, for each number of samples.

    sizes are probabilities and sites 0 (binomial counts), or whole numbers and their sum (hypergeometric). Exponents, thresholds and
    scales are one for all, or one for each cluster. The table and its key are those of `law_table`.
    """
    # work arrays, once for all clusters
    moments, slopes = np.empty(_ORDER + 1), np.empty(_ORDER + 1)
    for i in range(samples.size):
        count = samples[i]
        total, lost = 0.0, 0.0
        for k in range(sizes.size):
            size = sizes[k]
            exponent = exponents[k] if exponents.size > 1 else exponents[0]
            threshold = thresholds[k] if thresholds.size > 1 else thresholds[0]
            scale = scales[k] if scales.size > 1 else scales[0]
            if sites > 0.0:
                inside, outside, drawn = size, sites - size - count, 1.0
                share, chosen, finite = size / sites, count / sites, 1.0 / sites
                # variance over mean, but for N/(N - 1), which the recursion of the moments supplies
                spread = (sites - size) / sites * (1.0 - chosen)
                mean = share * count
                share = share * (1.0 - chosen) + chosen * (sites - size) / sites
                certain = size == sites or count == sites
            else:
                inside, outside, drawn = size, 1.0 - size, 0.0
                share, finite, spread = size, 0.0, 1.0 - size
                mean = size * count
                certain = size >= 1.0
            # 1 - mean/scale decides which part of the law the counts can see; Chernoff bounds of the tails
            gap = mean - scale
            # all counts on the plateau: P(d > scale) < exp(-gap^2/(2 scale)) = exp(-50)
            flat = law == HARD and (
                exponent == 0.0 or count <= scale or (gap < 0.0 and gap * gap > 100.0 * scale)
            )
            vanishing = law == HARD and gap > 0.0 and (scale == 0.0 or math.isinf(exponent))
            if count == 0.0 or size == 0.0 or flat:
                loss = 1.0
            # P(d <= scale) < exp(-gap^2/(2 mean)) = exp(-750), below the smallest number
            elif vanishing and gap * gap > 1500.0 * mean:
                loss = 0.0
            else:
                tabled, power = _looked_up(law, exponent, scale, table_key)
                # the end of the plateau is out of sight: P(d <= scale) < exp(-gap^2/(2 mean)) is
                # below exp(-45) times the loss at the mean, (mean/scale)^-beta
                smooth = law == TREE or (
                    not vanishing
                    and gap > 0.0
                    and gap * gap > 2.0 * mean * (45.0 + exponent * math.log(mean / scale))
                )
                if certain:
                    loss = _law(
                        mean if sites == 0.0 else min(size, count),
                        exponent,
                        scale,
                        power,
                        law,
                        table,
                        tabled,
                    )
                elif mean >= threshold and smooth:
                    _central_moments(mean, spread, share, finite, moments)
                    loss = _expanded(mean, exponent, scale, law, moments, slopes)
                else:
                    loss = _summed(
                        count,
                        mean,
                        inside,
                        outside,
                        drawn,
                        exponent,
                        scale,
                        power,
                        law,
                        table,
                        tabled,
                    )
            # compensated sum: rounding would show with millions of clusters
            term = weights[k] * loss - lost
            step = total + term
            lost = (step - total) - term
            total = step
        out[i] = total
