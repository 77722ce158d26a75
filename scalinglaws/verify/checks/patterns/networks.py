"""Finite networks with erf units, sampled from their posterior: which pattern they show."""

from __future__ import annotations

import math
from collections.abc import Iterator
from functools import cache

import numpy as np

from ....solvers import patterns as solve
from ....theory import patterns as engine
from ...comparison import Comparison, Prediction, Rival
from ...registry import Context, check
from ...simulate.kernel_adaptation import PosteriorSample, teacher_posterior
from .tolerances import REPLICATES, mean_of

_CUBIC = np.array([0, 0, 0, 1]) / math.sqrt(6)  # of unit mean square
_SHARE_TOLERANCE = 0.1  # absolute, of a probability: what is left above the rivals by a wide margin, for draws on the way between states
_LAZY_TOLERANCE = 0.15  # absolute: an eighth of the way to weights that specialize


@check(
    "patterns.network",
    statement="networks drawn from their posterior specialize where the engine says so, and stay lazy where it says that",
    laws=("patterns.two_layer",),
    effort="full",
)
def network(context: Context) -> Iterator[Comparison]:
    """A cubic target: as many neurons as inputs, where specialization is cheapest, and a wide network, where laziness is.

    The engine speaks of exponents; sizes are taken where prefactors do not turn the order around.
    """

    def drawn(name: str, r: int, dimension: int, neurons: int, samples: int) -> PosteriorSample:
        return teacher_posterior(
            samples,
            dimension=dimension,
            neurons=neurons,
            ridge=1.0,
            target=_CUBIC,
            chains=2,
            draws=300,
            warmup=300,
            rng=context.generator(name, r),
        )

    dimension, neurons, samples = 6, 6, 300

    @cache
    def narrow(r: int) -> tuple[float, float, float]:
        found = drawn("narrow", r, dimension, neurons, samples)
        count = found.specialized(1.0)
        return float(np.mean(count > 0)), float(count.mean()), float(np.mean(found.overlaps**2))

    winners = engine.sample_complexity(engine.fully_connected((1,), 3)).winners
    measured = mean_of(
        lambda r: narrow(r)[0],
        replicates=REPLICATES,
        method=f"Hamiltonian Monte Carlo, d = {dimension}, N = {neurons}, P = {samples}, noise variance 1; one data set per replicate",
        window=(float(samples), float(samples)),
    )
    rows = np.array([narrow(r) for r in range(REPLICATES)])
    square = float(rows[:, 2].mean())
    yield Comparison(
        f"{context.check}/specialized",
        Prediction(
            "probability that some neuron's overlap exceeds 1",
            "threshold",
            float(all("S" in str(winner.pattern) for winner in winners)),
            f"theory.patterns.sample_complexity: {', '.join(str(winner.pattern) for winner in winners)} at N = d",
        ),
        measured,
        tolerance=_SHARE_TOLERANCE,
        rival=Rival(
            "Gaussian overlaps with the same mean square",
            1 - math.erf(1 / math.sqrt(2 * square)) ** neurons,
        ),
        notes=(
            f"under the prior {1 - math.erf(math.sqrt(dimension / 2)) ** neurons:.3f}; mean number of neurons beyond 1: "
            f"{rows[:, 1].mean():.2f}",
        ),
    )

    dimension, neurons, samples = 2, 64, 100
    power = round(math.log(neurons, dimension))
    winners = engine.sample_complexity(engine.fully_connected((power,), 3)).winners
    pattern = solve.specialized_cost(neurons, dimension)
    share = float(pattern.neurons) / neurons
    rich = dimension * share * float(pattern.squared_weight) + 1 - share
    yield Comparison(
        f"{context.check}/lazy",
        Prediction(
            "mean squared overlap over that of the prior",
            "threshold",
            1.0 if all(str(winner.pattern) == "GP" for winner in winners) else rich,
            f"theory.patterns.sample_complexity: {', '.join(str(winner.pattern) for winner in winners)} at N = d^{power}",
        ),
        mean_of(
            lambda r: (
                dimension
                * float(np.mean(drawn("wide", r, dimension, neurons, samples).overlaps ** 2))
            ),
            replicates=REPLICATES,
            method=f"Hamiltonian Monte Carlo, d = {dimension}, N = {neurons}, P = {samples}, noise variance 1; one data set per replicate",
            window=(float(samples), float(samples)),
        ),
        tolerance=_LAZY_TOLERANCE,
        rival=Rival("specialization", rich),
    )
