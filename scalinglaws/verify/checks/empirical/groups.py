"""Recipes compared: the size and power of the test that they share exponents, and intervals of the compute multiplier."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ... import empirical
from ...comparison import Comparison, Prediction, Rival
from ...registry import Context, check
from .tasks import share

Array = NDArray[np.float64]
Parameters = Mapping[str, float]

REFERENCE = {"E": 1.8172, "A": 482.01, "B": 2085.43, "a": 0.3478, "b": 0.3658}
"""The surface of Besiroglu et al., of the reference in every set of runs."""
BETTER = REFERENCE | {"A": 0.94 * REFERENCE["A"], "B": 0.9 * REFERENCE["B"]}
"""A recipe that needs a share of the compute, the same for all losses."""
STEEPER = REFERENCE | {"A": 470.0, "B": 1900.0, "a": 0.35, "b": 0.36}
"""A recipe with exponents of its own, whose advantage shrinks."""
BUDGETS = np.geomspace(1e19, 1e21, 4)
NOISE = 0.003
LEVEL = 0.95
COMPUTE = (1e20, 1e21, 1e22)
DIFFERENCE = 0.04  # of b, of which the test of both exponents is said to find about three fifths
APART = 0.1  # of b, between recipes that share nothing
SIZE_TOLERANCE = 0.03  # absolute: a test at 5 % rejects between 2 and 8 % of what is true
POWER_TOLERANCE = (
    0.1  # absolute: a difference of 0.04 is then told from one of 0.02, found by a fifth
)
COVERAGE_TOLERANCE = 0.07  # absolute: between 88 and, as always too many are better, 100 %


def draw_recipes(
    rng: np.random.Generator, candidate: Parameters, reference: Parameters = REFERENCE
) -> dict[str, Any]:
    """Return a table of 24 runs of each of two recipes: four budgets, six sizes within a factor 5, noise of 0.3 %."""
    names: list[str] = []
    tables = []
    for name, truth in (("baseline", reference), ("B", candidate)):
        C = np.repeat(BUDGETS, 6)
        best = 0.0946 * np.sqrt(C)  # parameters at about 20 tokens each
        N = best * np.tile(np.geomspace(0.2, 5, 6), BUDGETS.size)
        D = C / (6 * N)
        L = truth["E"] + truth["A"] * N ** -truth["a"] + truth["B"] * D ** -truth["b"]
        tables.append(np.array([N, D, L * np.exp(NOISE * rng.normal(size=N.size))]))
        names += [name] * N.size
    N, D, L = np.concatenate(tables, axis=1)
    return {"params": N, "tokens": D, "loss": L, "recipe": np.array(names)}


def apart_in_b(difference: float) -> dict[str, float]:
    """Return the reference with another exponent of data, and about the same losses at 1e20."""
    middle = 20 * 0.0946 * 1e10 / 1.2  # tokens
    factor = middle**difference
    return REFERENCE | {"b": REFERENCE["b"] + difference, "B": REFERENCE["B"] * factor}


def multiplier(candidate: Parameters, compute: float) -> float:
    """Return the compute of the candidate over that of the reference for the same loss, by a search over sizes."""

    def best(truth: Parameters, C: float) -> float:
        low, high = 3.0, np.log(C / 6) - 3
        for _ in range(6):
            u = np.linspace(low, high, 201)
            terms = truth["A"] * np.exp(-truth["a"] * u) + truth["B"] * np.exp(
                -truth["b"] * (np.log(C / 6) - u)
            )
            at = int(np.argmin(terms))
            low, high = u[max(at - 1, 0)], u[min(at + 1, 200)]
        return float(truth["E"] + terms.min())

    target, least, most = best(REFERENCE, compute), compute / 100, compute * 100
    for _ in range(60):
        middle = np.sqrt(least * most)
        least, most = (least, middle) if best(candidate, middle) < target else (middle, most)
    return float(np.sqrt(least * most) / compute)


@check(
    "empirical.groups-test",
    statement="the joint F test of shared exponents rejects 5 % of equal ones, and as many different ones as it says",
    no_law="how laws of several recipes are compared; whose exponents they are does not matter",
    effort="full",  # fewer sets could not tell 2 to 8 % from more
)
def sharing(context: Context) -> Iterator[Comparison]:
    """Two recipes of 24 runs: with equal exponents, and with b apart by 0.04. The rivals are what Cochran's Q does, and half of it."""
    sets = 1000
    rejected, found, claimed = 0, 0, []
    apart = apart_in_b(DIFFERENCE)
    for r in range(sets):
        rng = context.generator("sets", r)
        rejected += _fitted(draw_recipes(rng, BETTER)).test().rejected
        tested = _fitted(draw_recipes(rng, apart)).test(difference=DIFFERENCE)
        found += tested.rejected
        claimed.append(tested.power["b"])
    yield Comparison(
        f"{context.check}/size",
        Prediction(
            "share of equal exponents that are rejected", "threshold", 0.05, "level of the test"
        ),
        share(rejected, sets),
        tolerance=SIZE_TOLERANCE,
        rival=Rival("Cochran's Q on separate fits", 0.115),
        notes=(f"{rejected} of {sets} sets",),
    )
    yield Comparison(
        f"{context.check}/power",
        Prediction(
            f"share of differences of {DIFFERENCE:g} in b that are found",
            "threshold",
            float(np.mean(claimed)),
            "noncentral F, mean over the sets",
        ),
        share(found, sets),
        tolerance=POWER_TOLERANCE,
        rival=Rival("power at half the difference", 0.19),
        notes=(f"{found} of {sets} sets",),
    )


@check(
    "empirical.groups",
    statement="intervals of the compute multiplier of two recipes cover it, inside the runs and a decade beyond",
    no_law="how laws of several recipes are compared; whose exponents they are does not matter",
    effort="full",
)
def multipliers(context: Context) -> Iterator[Comparison]:
    """With shared exponents where they are equal, and without where they are not; the truth is found by a search over model sizes."""
    sets = context.pick(quick=150, full=400)
    cases: list[tuple[str, Parameters, tuple[str, ...]]] = [("shared", BETTER, ("a", "b"))]
    if context.effort == "full":
        cases.append(("own", apart_in_b(APART), ()))
    for name, candidate, shared in cases:
        truth = np.array([multiplier(candidate, C) for C in COMPUTE])
        covered = np.zeros(len(COMPUTE), int)
        for r in range(sets):
            rng = context.generator(name, r)
            fits = _fitted(draw_recipes(rng, candidate), shared, bootstrap=300, rng=rng)
            found = fits.compute_multiplier("baseline", "B", COMPUTE, level=LEVEL)
            assert found.low is not None
            assert found.high is not None
            covered += (found.low <= truth) & (truth <= found.high)
        for C, hits in zip(COMPUTE, covered, strict=True):
            yield Comparison(
                f"{context.check}/{name}-{C:.0e}".replace("e+", "e"),
                Prediction(
                    "share of intervals that cover the multiplier",
                    "threshold",
                    LEVEL,
                    "level of the interval",
                ),
                share(int(hits), sets),
                tolerance=COVERAGE_TOLERANCE,
                rival=Rival("intervals of one standard error", 0.683),
                notes=(f"{hits} of {sets} intervals",),
            )


def _fitted(
    table: dict[str, Any], shared: tuple[str, ...] = ("a", "b"), **options: Any
) -> empirical.GroupFits:
    options = {"bootstrap": 0} | options
    return empirical.fit_groups("surface", table, "recipe", shared, **options)
