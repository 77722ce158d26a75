"""The probability that a network is aligned with its target, by importance sampling."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from ...arguments import choice, generator, number, whole
from ...equality import by_value
from ...errors import refusal
from ...reprs import short_repr
from ...results import Diagnostics, Result, Status, judged
from .. import _jit
from ..catalogue import shows
from ._alignment import LARGEST_DIMENSION, LEAST_DIMENSION, estimate, mean_field, told_apart
from ._fixed_number import (
    FixedNumber,
    bounds_of_specialized,
    first_neurons,
    fixed_numbers,
    graded,
    scale_of,
)
from ._normal import (
    LOG_ROOT_2PI,
    Array,
    Estimate,
    Indices,
    afford_draws,
    blocks,
    cell_of,
    guide,
    log_mean,
    log_sum,
)
from ._site import best_weight, one_neuron, over_one_neuron, psi

_MOST_BY_QUADRATURE = 2
_PANELS, _NODES = 128, 8
METHODS = ("importance", "quadrature")
_CELLS, _FARTHEST = (
    4096,
    12.0,
)  # of the weights that do not specialize, and how many deviations they reach
_FLAT = 40.0  # cells for each root of the width: what a density varies within them adds 1e-3 to a weight
_DROPPED = 1e-10  # share of the probability below which a number of neurons is left out
_LEAST_SHARE = 0.01  # of all samples for a number of neurons that is not
_TABLE = 300  # integrals over one weight that are done one by one; more are interpolated
_TOLERANCE = 1.0  # of a logarithm of the probability, between sampling and saddle points
_SPARE = 60.0  # by which weights beyond the reach are less likely


@shows("log_probability", "standard_error", "specialized")
@dataclass(frozen=True)
class AlignmentProbability(Result):
    """How likely a network drawn at random is to be aligned with its target.

    Attributes
    ----------
    n, d : float
        Width and input dimension.
    log_probability : float
        Logarithm of the probability.
    standard_error : float
        Of `log_probability`; 0 by quadrature.
    specialized : float
        Expected number of neurons with a weight beyond 1, given the alignment. In layers much narrower than the input, specialized
        weights are smaller than that.
    diagnostics : Diagnostics
        Method and error estimate.
    """

    n: float
    d: float
    log_probability: float
    standard_error: float
    specialized: float
    diagnostics: Diagnostics


def log_alignment(
    n: int,
    d: float,
    method: str = "importance",
    *,
    samples: int = 10_000,
    rng: np.random.Generator | int | None = None,
) -> AlignmentProbability:
    r"""Compute how likely the weights and readouts of a network are to align it with a cubic target.

    .. math::

        P(A \ge 1) = E_w\, \bar\Phi(V^{-1/2}), \qquad V = \frac1N \sum_i \Big(\frac{w_i^2}{3 + 2 w_i^2}\Big)^3, \quad w_i \sim N(0, 1/d)

    Parameters
    ----------
    n : int
        Width N, >= 1.
    d : float
        Input dimension, from 1e-12 to 1e20.
    method : {"importance", "quadrature"}
        Sampling, or for one and two neurons quadrature.
    samples : int
        Samples, >= 2, over all numbers of specialized neurons.
    rng : Generator or int, optional
        Source of random numbers, or its seed; needed for sampling.

    Returns
    -------
    AlignmentProbability
        Logarithm of the probability, its standard error, and how many neurons specialize.

    Raises
    ------
    DomainError
        If an argument is out of range, or quadrature is asked for more than two neurons.
    ResourceError
        If more than 5e9 weights would be drawn, or the samples do not fit into the memory budget.

    Warns
    -----
    AccuracyWarning
        If the sample cannot be trusted: less than 50 weights are effective, the error of the logarithm is above 0.3, or the saddle
        points of `alignment_rate` are more than 1 away. ``diagnostics.status`` says so, too.

    Notes
    -----
    Networks with different numbers M of specialized neurons, those beyond a threshold, are sampled apart and added, where a
    few are expected: for each M one of them is integrated out, the others follow the law that they have around the likeliest
    network, all else the tilted law of small weights. From eight expected ones on, all weights are drawn from the tilted law of
    `alignment_rate`; in layers narrower than the input that would miss the likeliest networks. Densities are constant in cells, so
    that importance weights are exact. About 10 ns per weight and some 50 us per sample.

    References
    ----------
    .. [1] N. Rubin, O. Davidovich, Z. Ringel, arXiv:2512.04165 (patterns of feature learning).

    Examples
    --------
    >>> round(log_alignment(2, 4, "quadrature").log_probability, 6)
    -27.460054
    >>> found = log_alignment(20, 20, rng=0)
    >>> bool(abs(found.log_probability + 173.31) < 0.1)
    True
    """
    choice("method", method, METHODS)
    width = whole("n", n)
    dimension = number("d", d, low=LEAST_DIMENSION, high=LARGEST_DIMENSION)
    if method == "quadrature":
        if width > _MOST_BY_QUADRATURE:
            raise refusal("n", n, "must be 1 or 2 for method='quadrature'")
        value, beyond, error = _by_quadrature(width, dimension)
        found, status, drawn = Estimate(value, 0.0, math.inf), Status.CONVERGED, 0
    else:
        size, source = whole("samples", samples, low=2), generator(rng)
        afford_draws("log_alignment", size, width, "weights")
        found, beyond, drawn = _sampled(float(width), dimension, size, source)
        error, status = found.error, found.status
        # another route to the same number, which knows of all numbers of specialized neurons
        if abs(found.log_mean + estimate(float(width), dimension)) > _TOLERANCE + 4 * error:
            status = Status.UNDERSAMPLED
    rounding = 4 * float(np.finfo(float).eps) * abs(found.log_mean)
    if status.ok and rounding > _TOLERANCE:
        status = Status.LOST_ACCURACY
    name = "importance sampling" if drawn else "quadrature"
    diagnostics = Diagnostics(status, 0.0, drawn, name, math.hypot(error, rounding))
    result = AlignmentProbability(
        width, dimension, found.log_mean, found.error, beyond, diagnostics
    )
    judged("log_alignment", result, diagnostics)
    return result


@short_repr
@dataclass(frozen=True)
@by_value
class Proposal:
    """A law of one weight, constant in cells.

    Attributes
    ----------
    edges : ndarray, shape (K + 1,)
        Of the cells.
    cumulative, first : ndarray, shape (K,)
        Of `guide`.
    logs : ndarray, shape (K,)
        Logarithm of the density of |w| for Gaussian weights over that of the law, without the Gaussian's exponent.
    """

    edges: Array
    cumulative: Array
    first: Indices
    logs: Array


def proposal(edges: Array, logs: Array, d: float) -> Proposal:
    """Return a law from the logarithm of its density in cells."""
    widths = np.diff(edges)
    mass = np.exp(logs - logs.max()) * widths
    mass /= mass.sum()
    with np.errstate(divide="ignore"):  # cells that are never drawn
        ratio = math.log(2) + 0.5 * math.log(d) - LOG_ROOT_2PI - np.log(mass / widths)
    return Proposal(edges, *guide(mass), ratio)


def small_weights(n: float, d: float, tilt: float, most: float) -> Proposal:
    """Return the tilted law of weights up to a bound."""
    near = min(most, _FARTHEST / math.sqrt(d))
    edges = np.linspace(0.0, near, max(_CELLS, math.ceil(_FLAT * math.sqrt(n))) + 1)
    if near < most:
        edges = np.append(edges[:-1], graded(near, near, most, scale_of(d)))
    return proposal(edges, _tilted(edges, d, tilt), d)


def _tilted(edges: Array, d: float, tilt: float) -> Array:
    centers = 0.5 * (edges[1:] + edges[:-1])
    return np.asarray(tilt * psi(centers**2) - d * centers**2 / 2)


def _sampled(
    n: float, d: float, samples: int, rng: np.random.Generator
) -> tuple[Estimate, float, int]:
    """Return the estimate of log P, the expected number of weights beyond 1, and the number of samples."""
    law, _ = mean_field(n, d)
    if not told_apart(n, d, law):
        logs, beyond = _independent(n, d, law.tilt, law.peak, samples, rng)
        shares = np.exp(logs - logs.max())
        return log_mean(logs), float(shares @ beyond / shares.sum()), samples
    parts = fixed_numbers(n, d)
    expected = np.array([part.log_probability for part in parts])
    expected = np.exp(expected - np.logaddexp.reduce(expected))
    estimates, counts, drawn = [], [], 0
    for part, share in zip(parts, expected.tolist(), strict=True):
        if share < _DROPPED:
            continue
        size = max(math.ceil(samples * max(share, _LEAST_SHARE) / (1 + _LEAST_SHARE)), 2)
        logs, beyond = _with_fixed_number(part, size, rng)
        found = log_mean(logs)
        if found.log_mean > -math.inf:
            shares = np.exp(logs - logs.max())
            counts.append((found.log_mean, float(shares @ beyond / shares.sum())))
        estimates.append(found)
        drawn += size
    total = log_sum(estimates)
    return total, sum(math.exp(log - total.log_mean) * count for log, count in counts), drawn


def _independent(
    n: float, d: float, tilt: float, peak: float, samples: int, rng: np.random.Generator
) -> tuple[Array, Array]:
    """Draw all weights from the tilted law; return logarithms of importance weights, and numbers beyond 1."""
    from scipy.special import log_ndtr

    most = math.sqrt(2 * (_SPARE + math.log(n) + tilt / 8) / d)
    near = min(_FARTHEST / math.sqrt(d), 1.5 / peak if peak > 0 else most, most)
    edges = np.linspace(0.0, near, max(_CELLS, math.ceil(_FLAT * math.sqrt(n))) + 1)
    if near < most:
        rest = graded(near, max(peak, near), most, scale_of(d))
        edges = np.append(edges[:-1], rest)
    total, logs, beyond = np.zeros((3, samples))
    _draw(proposal(edges, _tilted(edges, d, tilt), d), d, int(n), total, logs, beyond, rng)
    return logs + log_ndtr(-np.sqrt(n / total)), beyond


def _with_fixed_number(
    part: FixedNumber, samples: int, rng: np.random.Generator
) -> tuple[Array, Array]:
    """Draw networks with a fixed number of specialized neurons; the last of these is integrated out."""
    from scipy.interpolate import CubicSpline
    from scipy.special import log_ndtr

    n, d, neurons = part.n, part.d, part.neurons
    total, logs, beyond = np.zeros((3, samples))
    if n > neurons:
        law = small_weights(n, d, part.tilt, part.threshold)
        _draw(law, d, int(n) - neurons, total, logs, beyond, rng)
    if neurons > 1:
        law = proposal(*first_neurons(part), d)
        _draw(law, d, neurons - 1, total, logs, beyond, rng)
    logs += part.log_ways
    if neurons == 0:
        return logs + log_ndtr(-np.sqrt(n / total)), beyond
    nodes = total
    if samples > _TABLE and total.max() > total.min() * (1 + 1e-9):
        nodes = np.exp(np.linspace(math.log(total.min()), math.log(total.max()), _TABLE))
    last, large = np.zeros((2, nodes.size))
    over_one_neuron(nodes, n, d, part.threshold, part.reach, last, large)
    if nodes is not total:
        at = np.log(total)
        last, large = (CubicSpline(np.log(nodes), values)(at) for values in (last, large))
    return logs + last, beyond + large


def _draw(
    law: Proposal,
    d: float,
    count: int,
    total: Array,
    logs: Array,
    beyond: Array,
    rng: np.random.Generator,
) -> None:
    """Add so many weights to each sample: their overlaps, logarithms of importance weights, and numbers beyond 1."""
    for rows, terms in blocks(total.size, count):
        _add_draws(
            law.edges,
            law.cumulative,
            law.first,
            law.logs,
            d,
            terms,
            total[rows],
            logs[rows],
            beyond[rows],
            rng,
        )


@_jit.njit
def _add_draws(
    edges: Array,
    cumulative: Array,
    first: Indices,
    ratio: Array,
    d: float,
    count: int,
    total: Array,
    logs: Array,
    beyond: Array,
    rng: np.random.Generator,
) -> None:
    for i in range(total.size):
        overlaps, weight, large = 0.0, 0.0, 0
        for _ in range(count):
            j = cell_of(rng.random(), cumulative, first)
            w = edges[j] + rng.random() * (edges[j + 1] - edges[j])
            r = w * w
            x = r / (3 + 2 * r)
            overlaps += x * x * x
            weight += ratio[j] - 0.5 * d * r
            large += w > 1
        total[i] += overlaps
        logs[i] += weight
        beyond[i] += large


def _by_quadrature(n: int, d: float) -> tuple[float, float, float]:
    """Return log P of one or two neurons, the expected number of weights beyond 1 and the error of the logarithm."""
    low, high = bounds_of_specialized(n, d)
    if n == 1:
        value, beyond = one_neuron(0.0, 1.0, d, 0.0, high)
        return value, beyond, 1e-13
    found = [_two_neurons(d, low, high, panels) for panels in (_PANELS // 2, _PANELS)]
    return *found[1], abs(found[1][0] - found[0][0])


def _two_neurons(d: float, threshold: float, reach: float, panels: int) -> tuple[float, float]:
    """Integrate over the weights of two neurons: none, one or both of them specialized."""
    logs, beyond = [], []
    nodes, weights = np.polynomial.legendre.leggauss(_NODES)
    near, far = (0.0, threshold), (threshold, reach)
    for outer, inner, ways in ((near, near, 1), (near, far, 2), (far, far, 1)):
        center = 0.0 if outer != inner else best_weight(2.0, 0.0, 2.0, d, *outer)
        edges = graded(outer[0], center, outer[1], scale_of(d), panels)
        edges = np.unique(np.append(edges, np.clip(1.0, *outer)))
        half, middle = np.diff(edges)[:, None] / 2, (edges[1:] + edges[:-1])[:, None] / 2
        w = (middle + half * nodes).ravel()
        values = math.log(2 * ways) + 0.5 * math.log(d) - LOG_ROOT_2PI - d * w**2 / 2
        values += np.log(half * weights).ravel()
        large = (w > 1).astype(float)
        over_one_neuron(psi(w**2), 2.0, d, *inner, values, large)
        logs.append(values)
        beyond.append(large)
    every, large = np.concatenate(logs), np.concatenate(beyond)
    value = float(np.logaddexp.reduce(every))
    return value, float(np.exp(every - value) @ large)
