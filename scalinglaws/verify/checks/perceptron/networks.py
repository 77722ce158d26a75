"""Networks on digits, along their spectral complexity: what of the perceptron's two laws is left."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from ....solvers.perceptron import spectral_complexity
from ...comparison import Comparison, Measurement, Prediction, Rival
from ...estimate import NormExponents, norm_exponents
from ...registry import Context, check
from ...rule import FAIL, INCONCLUSIVE, PASS
from ...simulate.perceptron import digits_curves
from .tolerances import Array

SAMPLES = (20, 40, 80, 160, 320, 640, 1200)
RUNS: dict[str, dict[str, Any]] = {
    "one-layer": {"scale": 0.1, "batch": 64},
    "two-layers": {"widths": (64, 64), "scale": 0.3, "batch": 64},
    "large-start": {"scale": 1.0, "batch": 32},
    "sgd": {"scale": 0.5, "optimizer": "sgd", "learning_rate": 0.2, "batch": 32},
}
"""How networks are trained: 3000 steps of Adam at a rate of 1e-3, 6000 of SGD."""
SEEDS = 12
_UNDECIDED = {
    "one-layer": "the sum is above the measured exponent by 0.11 +- 0.03 (seed 0), too near the tolerance to decide: gamma_0 is read "
    "where curves with few samples have passed their elbow, which makes it too large"
}
"""Runs whose sum of exponents is not told apart from the tolerance's end, and why."""
_TOLERANCE = 0.15  # absolute: a quarter of the exponent itself, half of what the product misses


def records(run: str, count: int = 60) -> Array:
    """Return the steps at which networks of a run are looked at, evenly in their logarithm."""
    last = 6000 if RUNS[run].get("optimizer") == "sgd" else 3000
    return np.unique(np.geomspace(1, last, count).round())


def complexity(weights: list[Array]) -> float:
    """Return the spectral complexity of a network."""
    return spectral_complexity(weights).complexity


def digits_exponents(run: str, rng: np.random.Generator, *, seeds: int = SEEDS) -> NormExponents:
    """Train one run's networks and measure their exponents along the spectral complexity."""
    curves = digits_curves(
        records(run), SAMPLES, seeds=seeds, observe=complexity, rng=rng, **RUNS[run]
    )
    return norm_exponents(curves.samples, curves.observed[0], curves.error, rng=0)


@check(
    "perceptron.digits",
    statement="on digits the error's exponent is gamma_0 + gamma_1 gamma_2; the published product alone is too small",
    laws=("perceptron.composite", "empirical.perceptron"),
    effort="full",
)
def digits(context: Context) -> Iterator[Comparison]:
    """Four ways to train; the difference from the measured exponent has a bootstrap error over seeds."""
    for run in RUNS:
        found = digits_exponents(run, context.generator(run, 0))
        told = ", ".join(
            f"{name} {getattr(found, name):.2f} +- {found.standard_errors[name]:.2f}"
            for name in ("gamma0", "gamma1", "gamma2", "product", "total", "measured")
        )
        yield Comparison(
            f"{context.check}/{run}-total",
            Prediction(
                "exponent of the least error",
                "exponent",
                found.total,
                "perceptron.composite: gamma_0 + gamma_1*gamma_2, measured",
            ),
            _measured(found, "total"),
            tolerance=_TOLERANCE,
            rival=Rival("published gamma_1 gamma_2", found.product),
            expect=INCONCLUSIVE if run in _UNDECIDED else PASS,
            expect_reason=_UNDECIDED.get(run),
            notes=(told,),
        )
        yield Comparison(
            f"{context.check}/{run}-product",
            Prediction(
                "exponent of the least error",
                "exponent",
                found.product,
                "empirical.perceptron: gamma_1*gamma_2, measured",
            ),
            _measured(found, "product"),
            tolerance=_TOLERANCE,
            rival=Rival("as for the perceptron, 1", 1.0),
            expect=FAIL,
            expect_reason="curves at different P do not coincide at equal complexity: there the error falls as P^-gamma_0, which the "
            "product leaves out",
            notes=(told,),
        )


def _measured(found: NormExponents, predicted: str) -> Measurement:
    return Measurement(
        found.measured,
        found.difference_errors[predicted],
        SEEDS - 1,
        SEEDS,
        "networks on digits; error of the difference by bootstrap over seeds",
        (float(SAMPLES[0]), float(SAMPLES[-1])),
    )
