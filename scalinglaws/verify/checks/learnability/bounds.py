"""Bounds that hold for every data set, against data sets that are chosen to break them."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np
from scipy.linalg import hadamard

from ....arguments import Array
from ....solvers import learnability as solve
from ....solvers.kernels import erf_nngp
from ....theory import law
from ...comparison import Comparison, Prediction, Rival
from ...registry import Context, check
from ...simulate.learnability import digits_on_sphere, hardest_subset, population_posterior
from .._measured import computed, mean_over

_POINTS, _DIMENSION = 400, 64
_COUNT = 0.3  # of whole numbers
_SLOPE = (
    0.1  # absolute: modes before it take one sample each, besides some twenty and more of the ridge
)
_PROJECTION = 0.01  # absolute: a tenth of the distance to the bound
_ROUNDING = 1e-9  # of logarithms of probabilities, relative to the ridge's inverse


@check(
    "learnability.bounds",
    statement="no data set breaks the bounds of what it teaches, random, repeated or chosen point by point; averages' bounds are broken",
    laws=("learnability.bound",),
)
def attacked_bounds(context: Context) -> Iterator[Comparison]:
    """Posterior probabilities on points of a sphere, functions of another measure on it, and the law where its averages are exact."""
    yield from _attacks(context, _cloud(context.generator("points", 0)))
    yield from _law(context)


@check(
    "learnability.bounds.digits",
    statement="no choice of images of digits breaks the bounds of what it teaches; averages' bounds are broken",
    no_law="attacks on solvers' bounds: the law of bounds has a power of the mode's number, and digits have none",
    effort="full",
)
def attacked_on_digits(context: Context) -> Iterator[Comparison]:
    """Posterior probabilities on digits, and functions of another measure on their sphere."""
    images, _ = digits_on_sphere()
    yield from _attacks(
        context, images[context.generator("images", 0).permutation(len(images))[:_POINTS]]
    )


def _cloud(rng: np.random.Generator) -> Array:
    """Draw points of a sphere around one of its points, with coordinates of falling variance, as data are."""
    variances = 1 / np.arange(1, _DIMENSION + 1.0)
    points: Array = rng.standard_normal((_POINTS, _DIMENSION)) * np.sqrt(
        variances / variances.mean()
    )
    points += 2 * rng.choice((-1.0, 1.0), _DIMENSION)
    points *= math.sqrt(_DIMENSION) / np.linalg.norm(points, axis=1, keepdims=True)
    return points


def _attacks(context: Context, points: Array) -> Iterator[Comparison]:
    """Choose among points of a sphere to break the bounds."""
    gram = erf_nngp(points, depth=1, weight_variance=1.0)
    yield _posteriors(context, gram)
    yield from _other_measure(context, points, gram)


def _count(
    context: Context, name: str, told: str, source: str, counted: int, of: int, rival: Rival
) -> Comparison:
    """Compare how many data sets break a bound with none."""
    return Comparison(
        f"{context.check}/{name}",
        Prediction(told, "threshold", 0.0, source),
        computed(float(counted), 0.0, f"exact regression on {of} data sets", (1.0, float(of))),
        tolerance=_COUNT,
        rival=rival,
        evidence="exact",
    )


def _posteriors(context: Context, gram: Array) -> Comparison:
    """Count data sets on which an alignment with a mode is likelier than the bounds allow, and those on which it is with averages."""
    n = len(gram)
    eigenvalues, vectors = np.linalg.eigh(gram / n)
    trace = float(np.trace(gram)) / n
    broken = averages = sets = 0
    for mode in (0, 5, 20):
        eigenvalue, target = float(eigenvalues[-1 - mode]), vectors[:, -1 - mode] * math.sqrt(n)
        cost = float(solve.alignment_cost(eigenvalue, 0.5))
        for ridge in (0.01, 1.0):
            rng = context.generator(f"subsets-{mode}", round(100 * ridge))
            hard: dict[str, Any] = {"direction": target, "ridge": ridge}
            greedy = hardest_subset(gram, target, 40, **hard)
            likely = hardest_subset(gram, target, 40, alignment=0.5, **hard)
            for samples in (5, 40):
                tried = [
                    greedy[:samples],
                    likely[:samples],
                    np.repeat(greedy[:1], samples),
                    np.tile(greedy[: samples // 5], 5),
                    *rng.integers(n, size=(context.pick(quick=3, full=100), samples)),
                ]
                for places in tried:
                    posterior = population_posterior(gram, target, places, **hard)
                    found = posterior.log_probability(0.5)
                    bound = solve.posterior_bound(
                        gram[np.ix_(places, places)], target[places], ridge=ridge, cost=cost
                    )
                    least = float(min(bound.jensen, bound.evidence, bound.hoelder))
                    broken += found > least + _ROUNDING * (1 + abs(least))
                    averages += found > -cost + samples * (trace + 1) / (2 * ridge)
                    sets += 1
    return _count(
        context,
        "posterior",
        "data sets on which an alignment is likelier than Jensen's, the evidence's or Hölder's bound",
        "solvers.learnability.posterior_bound",
        int(broken),
        sets,
        Rival("Jensen's bound with the population's averages", float(averages)),
    )


def _other_measure(context: Context, points: Array, gram: Array) -> Iterator[Comparison]:
    """Let points teach linear functions on the sphere around them, under whose uniform measure the kernel's eigenvalue is known."""
    d = points.shape[1]
    eigenvalue = float(solve.arcsine_sphere_eigenvalue(d))
    rng = context.generator("directions", 0)
    directions = np.linalg.svd(points - points.mean(axis=0), full_matrices=False)[2][[0, 1, 4]]
    broken = averages = sets = 0
    highest, hardest = 0.0, (directions[0], np.arange(1), 1.0)
    for u in directions:
        psi = points @ u
        for ridge in (0.1, 1.0):
            hard = np.argsort(-np.abs(psi))[:100]
            tried = [hard[:20], hard, np.repeat(hard[:1], 50), np.tile(hard[:10], 5)]
            tried += list(rng.integers(len(psi), size=(context.pick(quick=10, full=100), 100)))
            for places in tried:
                block = gram[np.ix_(places, places)]
                noisy = psi[places] + rng.standard_normal(len(places))
                found = solve.cross_dataset_bound(
                    psi[places], block, noisy, eigenvalue=eigenvalue, ridge=ridge
                )
                inverse = np.linalg.solve(
                    block + ridge * np.eye(len(places)), np.stack([noisy, psi[places]], axis=1)
                )
                projection, learned = eigenvalue * psi[places] @ inverse
                broken += abs(projection) > found.bound * (1 + _ROUNDING)
                broken += found.bound > found.simple_bound * (1 + _ROUNDING)
                broken += learned > found.learnability_bound * (1 + _ROUNDING)
                share = eigenvalue * len(places)
                averages += learned > share / (ridge + share)
                sets += 1
                if learned > highest:
                    highest, hardest = float(learned), (u, places, ridge)
    yield _count(
        context,
        "other-measure",
        "data sets that teach more of a linear function than their own squares allow",
        "solvers.learnability.cross_dataset_bound",
        int(broken),
        sets,
        Rival("squares at their average over the sphere", float(averages)),
    )
    u, places, ridge = hardest
    block = gram[np.ix_(places, places)]
    found = solve.cross_dataset_bound(
        points[places] @ u, block, points[places] @ u, eigenvalue=eigenvalue, ridge=ridge
    )
    weights = np.linalg.solve(block + ridge * np.eye(len(places)), points[places] @ u)
    # the predictor itself, over the function's own square at the same points, of which the mean over the sphere is one
    rows = []
    for r in range(context.pick(quick=12, full=48)):
        anywhere = context.generator("sphere", r).standard_normal((500, d))
        anywhere *= math.sqrt(d) / np.linalg.norm(anywhere, axis=1, keepdims=True)
        fitted = erf_nngp(anywhere, points[places], depth=1, weight_variance=1.0) @ weights
        along = anywhere @ u
        rows.append(float(fitted @ along) / float(along @ along))
    yield Comparison(
        f"{context.check}/projection",
        Prediction(
            "share of a linear function that the hardest of these data sets teaches",
            "threshold",
            float(found.projection),
            "solvers.learnability.cross_dataset_bound",
        ),
        mean_over(
            np.array(rows), "the predictor at 500 points of the sphere per replicate", len(places)
        ),
        tolerance=_PROJECTION,
        rival=Rival("its bound", float(found.learnability_bound)),
    )


def _needed(features: Array, eigenvalues: Array, mode: int, ridge: float, most: int) -> int:
    """Return how many points the point-by-point opponent needs until half of the posterior is aligned with a mode."""
    gram = (features * eigenvalues) @ features.T
    gram, target = (gram + gram.T) / 2, features[:, mode - 1]
    given: dict[str, Any] = {"direction": target, "ridge": ridge}
    places = hardest_subset(gram, target, most, alignment=0.5, **given)
    low, high = 0, most  # of the samples with which half is not, and is, aligned
    while high - low > 1:
        samples = (low + high) // 2
        posterior = population_posterior(gram, target, places[:samples], **given)
        if posterior.log_probability(0.5) >= math.log(0.5):
            high = samples
        else:
            low = samples
    return high


def _law(context: Context) -> Iterator[Comparison]:
    """Signs for modes: every data set has the population's averages; how many samples an opponent needs, at a small and a large ridge."""
    formula, n = law("learnability.bound"), 128
    eigenvalues = np.arange(1, n + 1.0) ** -2
    cases = {0.1: np.array([4, 8, 16]), 2.0: np.array([3, 4, 6, 8])}
    least = {
        (ridge, mode): float(
            formula.evaluate("bound", alpha=1, k=int(mode), a=0.5, sigma2=ridge, y2=1)
        )
        for ridge, modes in cases.items()
        for mode in modes
    }
    early = heuristic = tried = 0
    slopes = []
    for r in range(context.pick(quick=4, full=16)):
        mixed = 1 + context.generator("signs", r).permutation(n - 1)
        features = hadamard(n).astype(float)[:, np.r_[0, mixed]]
        for ridge, modes in cases.items():
            needed = [_needed(features, eigenvalues, int(mode), ridge, 180) for mode in modes]
            for mode, samples in zip(modes, needed, strict=True):
                early += samples < least[ridge, mode]
                heuristic += samples < 1 / eigenvalues[mode - 1]
                tried += 1
        slopes.append(float(np.polyfit(np.log(modes), np.log(needed), 1)[0]))
    yield _count(
        context,
        "law",
        "modes that an opponent learns from fewer samples than the law's",
        formula.name,
        early,
        tried,
        Rival("the inverse eigenvalue, whatever the ridge", float(heuristic)),
    )
    first, last = float(modes[0]), float(modes[-1])
    yield Comparison(
        f"{context.check}/exponent",
        Prediction(
            "exponent of the samples that an opponent needs in the mode's number, sign reversed",
            "exponent",
            -float(formula(alpha=1)),
            formula.name,
            domain={"mode": (first, math.inf)},
        ),
        mean_over(-np.array(slopes), f"samples chosen point by point, ridge {ridge:g}", last),
        tolerance=_SLOPE,
        rival=Rival("modes before it, as without ridge", -1.0),
    )
