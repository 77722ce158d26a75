"""The probability that a network is aligned with its target, by importance sampling around the mean-field solution."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy import integrate
from scipy.special import log_ndtr

from ...arguments import (
    choice,
    generator,
    number,
    whole,
)
from ...errors import refusal
from ...results import Diagnostics, Result, Status
from .. import _jit
from ..catalogue import shows
from ._alignment import alignment_rate, psi, site
from ._normal import LOG_ROOT_2PI, Array, Indices, cell_of, guide, log_mean, log_tail_of_normal

_CELLS = 20_000
_MOST_BY_QUADRATURE = 2
METHODS = ("importance", "quadrature")


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
        Expected number of neurons with a weight beyond 1, given the alignment.
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
        Input dimension, > 0.
    method : {"importance", "quadrature"}
        Sampling, or for one and two neurons quadrature.
    samples : int
        Samples, >= 2.
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

    Notes
    -----
    Weights are drawn independently from the tilted law of `alignment_rate` (constant in 20000 cells, so that the importance
    weights, which are bounded, are exact). About 10 ns per weight.

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
    width, dimension = (
        whole("n", n),
        number("d", d, low=0.0, strict=True),
    )
    if method == "quadrature":
        if width > _MOST_BY_QUADRATURE:
            raise refusal("n", n, "must be 1 or 2 for method='quadrature'")
        value, specialized, error = _by_quadrature(width, dimension)
        diagnostics = Diagnostics(Status.CONVERGED, 0.0, 0, "quadrature", error)
        return AlignmentProbability(width, dimension, value, 0.0, specialized, diagnostics)
    size, source = whole("samples", samples, low=2), generator(rng)
    reach = max(6.0, 12 / math.sqrt(dimension))
    edges = np.linspace(-reach, reach, _CELLS + 1)
    centers = 0.5 * (edges[1:] + edges[:-1])
    overlap, prior = site(dimension, centers)
    logs = prior + float(alignment_rate(width, dimension).tilt) * overlap
    cells = np.exp(logs - logs.max())
    cells /= cells.sum()
    cell_width = 2 * reach / _CELLS
    # log of prior density over proposal density, without the part that varies within the cell
    with np.errstate(divide="ignore"):
        constants = 0.5 * math.log(dimension) - LOG_ROOT_2PI - np.log(cells / cell_width)
    weights, large = _draws(
        *guide(cells), constants, -reach, cell_width, width, dimension, size, source
    )
    value, error = log_mean(weights)
    shares = np.exp(weights - weights.max())
    diagnostics = Diagnostics(Status.CONVERGED, 0.0, size, "importance sampling", error)
    return AlignmentProbability(
        width, dimension, value, error, float(shares @ large / shares.sum()), diagnostics
    )


@_jit.njit
def _draws(
    cumulative: Array,
    first: Indices,
    constants: Array,
    low: float,
    cell_width: float,
    n: int,
    d: float,
    samples: int,
    rng: np.random.Generator,
) -> tuple[Array, Array]:
    out, large = np.empty(samples), np.empty(samples)
    for i in range(samples):
        total, weight, count = 0.0, 0.0, 0
        for _ in range(n):
            j = cell_of(rng.random(), cumulative, first)
            w = low + (j + rng.random()) * cell_width
            r = w * w
            share = r / (3 + 2 * r)
            total += share * share * share
            weight += constants[j] - 0.5 * d * r
            count += r > 1
        out[i] = weight + log_tail_of_normal(math.sqrt(n / total)) if total > 0 else -math.inf
        large[i] = count
    return out, large


def _by_quadrature(n: int, d: float) -> tuple[float, float, float]:
    """Return log P, the expected number of specialized neurons and the error, from integrals over positive weights."""
    reach = 40 / math.sqrt(d) + 10

    def log_density(*w: float) -> float:
        total = sum(float(psi(np.asarray(x * x))) for x in w)
        return (
            float(log_ndtr(-math.sqrt(n / total))) - d / 2 * sum(x * x for x in w)
            if total > 0
            else -math.inf
        )

    grid = np.geomspace(1e-3, reach, 400)
    top = max(
        log_density(*([x] * k + [1e-3] * (n - k))) for x in grid.tolist() for k in range(1, n + 1)
    )
    options = {"epsabs": 0.0, "epsrel": 1e-10, "limit": 400}
    points = (0.25, 0.5, 1.0, 2.0, 4.0)

    def integral(lows: list[float], highs: list[float]) -> tuple[float, float]:
        found = integrate.nquad(
            lambda *w: math.exp(log_density(*w) - top),
            list(zip(lows, highs, strict=True)),
            opts=[
                {**options, "points": [p for p in points if low < p < high]}
                for low, high in zip(lows, highs, strict=True)
            ],
        )
        return float(found[0]), float(found[1])

    factor = n * (math.log(2) + 0.5 * math.log(d) - LOG_ROOT_2PI)
    small = [
        integral(
            [0.0 if i >= k else 1.0 for i in range(n)], [1.0 if i >= k else reach for i in range(n)]
        )
        for k in range(n + 1)
    ]
    ways = [math.comb(n, k) for k in range(n + 1)]
    whole = sum(way * value for way, (value, _) in zip(ways, small, strict=True))
    error = sum(way * bound for way, (_, bound) in zip(ways, small, strict=True)) / whole
    specialized = (
        sum(k * way * value for k, (way, (value, _)) in enumerate(zip(ways, small, strict=True)))
        / whole
    )
    return top + math.log(whole) + factor, specialized, error
