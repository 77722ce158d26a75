"""The lazy linear model: its bottleneck exponents and its losses, against simulation and against the solver."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction
from typing import Any

import numpy as np

from .... import theory
from ....notation import SourceCapacity
from ....solvers.linear import ridge
from ....solvers.spectra import EmpiricalSpectrum, PowerLawSpectrum
from ...comparison import Comparison, Prediction, Rival
from ...estimate import (
    curve_from_replicates,
    exponent_from_replicates,
    local_exponent,
    measure,
    power_law_exponent,
)
from ...registry import Context, check
from ...simulate.linear import population_projection, random_feature_ridge
from .tolerances import (
    CURVE_TOLERANCE,
    EXPONENT_TOLERANCE,
    NULL_TOLERANCE,
    REPLICATES,
    SOLVER_TOLERANCE,
    Array,
    replicate_losses,
)


def _bottleneck(
    context: Context,
    resource: str,
    task: SourceCapacity,
    rival: Rival,
    sizes: Sequence[int],
    modes: int,
    draws: int,
    simulate: Callable[[PowerLawSpectrum, int, int, np.random.Generator], Array],
) -> Iterator[Comparison]:
    """Compare a law's exponent with direct simulation at small sizes and with the solver at a large one."""
    law = theory.law({"samples": "linear.data", "features": "linear.model"}[resource])
    exponent = float(law(alpha=task.alpha, beta=task.beta))
    source = f"{law.name}: {law.variable}^-({law.expr})"
    limited = PowerLawSpectrum(task.alpha, task.beta, modes)
    endless = PowerLawSpectrum(task.alpha, task.beta)

    # equal work at every size: small systems fluctuate more and cost less
    counts = [context.pick(quick=draws, full=10 * draws) * sizes[-1] // size for size in sizes]
    replicate = replicate_losses(
        context, sizes, counts, lambda size, count, rng: simulate(limited, size, count, rng)[None]
    )
    method = f"direct simulation, {modes} modes; least squares in log-log per replicate"

    def solved(spectrum: PowerLawSpectrum, n: Any) -> Any:
        given: dict[str, Any] = {resource: n}
        return ridge(spectrum, **given).test_loss

    here = [
        float(power_law_exponent(sizes, solved(spectrum, sizes))) for spectrum in (limited, endless)
    ]
    yield Comparison(
        f"{context.check}/simulation",
        Prediction(
            "exponent of the test loss",
            "exponent",
            exponent,
            source,
            domain={resource: (float(sizes[0]), float(sizes[-1]))},
        ),
        measure(
            lambda r: replicate(r)[0],
            lambda losses: exponent_from_replicates(sizes, losses, method=method),
            replicates=REPLICATES,
            tolerance=EXPONENT_TOLERANCE * exponent,
        ),
        tolerance=EXPONENT_TOLERANCE,
        tolerance_kind="relative",
        rival=rival,
        notes=(
            f"derived exponent {law.expr} = {exponent:g} at alpha = {task.alpha}, beta = {task.beta}; the solver's curve, fitted "
            f"alike in this window: {here[0]:.4f} ({modes} modes), {here[1]:.4f} (infinitely many)",
        ),
    )
    yield Comparison(
        f"{context.check}/solver",
        Prediction(
            "exponent of the test loss",
            "exponent",
            exponent,
            source,
            domain={resource: (1e8, np.inf)},
        ),
        local_exponent(lambda n: solved(endless, n), 1e8),
        tolerance=SOLVER_TOLERANCE,
        rival=rival,
        evidence="exact",
    )


def _regression(
    spectrum: PowerLawSpectrum, size: int, draws: int, rng: np.random.Generator
) -> Array:
    return random_feature_ridge(spectrum, samples=size, draws=draws, rng=rng).test_loss


def _projection(
    spectrum: PowerLawSpectrum, size: int, draws: int, rng: np.random.Generator
) -> Array:
    return population_projection(spectrum, features=size, draws=draws, rng=rng)


@check(
    "linear.data.source-limited",
    statement="with few samples the loss of a rough target falls as P^-(alpha*beta)",
    laws=("linear.data",),
)
def data_source_limited(context: Context) -> Iterator[Comparison]:
    """Beta < 2: the unresolved tail of the signal decides."""
    task = SourceCapacity(Fraction(5, 2), Fraction(6, 5))
    rival = Rival("saturated exponent 2*alpha", float(2 * task.alpha))
    return _bottleneck(context, "samples", task, rival, (16, 32, 64, 128), 1024, 10, _regression)


@check(
    "linear.data.saturated",
    statement="with few samples the loss of a smooth target falls as P^-(2*alpha)",
    laws=("linear.data",),
)
def data_saturated(context: Context) -> Iterator[Comparison]:
    """Beta > 2: the bias on the first modes decides."""
    task = SourceCapacity(Fraction(5, 2), Fraction(16, 5))
    rival = Rival("unsaturated exponent alpha*beta", float(task.alpha * task.beta))
    return _bottleneck(context, "samples", task, rival, (24, 48, 96, 192), 1024, 8, _regression)


@check(
    "linear.model.source-limited",
    statement="with few features the loss of a hard task falls as N^-(alpha*beta)",
    laws=("linear.model",),
)
def model_source_limited(context: Context) -> Iterator[Comparison]:
    """Beta < 1: the unresolved tail of the signal decides."""
    task = SourceCapacity(Fraction(3), Fraction(1, 2))
    rival = Rival("saturated exponent alpha", float(task.alpha))
    return _bottleneck(context, "features", task, rival, (16, 32, 64, 128), 1024, 10, _projection)


@check(
    "linear.model.saturated",
    statement="with few features the loss of an easy task falls as N^-alpha, not as the published N^-min(2*alpha, alpha*beta)",
    laws=("linear.model",),
    demo=True,
    refutes=("linear.model",),
)
def model_saturated(context: Context) -> Iterator[Comparison]:
    """Beta > 1: the projection of the first modes decides; the data reject the published exponent."""
    task = SourceCapacity(Fraction(5, 2), Fraction(9, 5))
    law = theory.law("linear.model")
    assert law.published is not None
    rival = Rival(
        f"published {law.published.expr}",
        float(law.published_value(alpha=task.alpha, beta=task.beta)),
    )
    return _bottleneck(context, "features", task, rival, (24, 48, 96, 192), 1024, 6, _projection)


@check(
    "linear.statics",
    statement="test and train loss of random-feature ridge regression follow the deterministic equivalent",
    no_law="the solver's curves at finite sizes, on both sides of N = P, where no power law holds",
)
def statics(context: Context) -> Iterator[Comparison]:
    """Finite N, P, ridge and noise: the whole formula, on both sides of N = P."""
    spectrum = PowerLawSpectrum.from_ab(2, 1.5, 300)
    features, sizes = 150, (80, 120, 240)
    given: dict[str, Any] = {"ridge": 1e-2, "noise_variance": 0.09}
    theory_curve = ridge(spectrum, features=features, samples=sizes, **given)
    rival_curve = ridge(spectrum, samples=sizes, **given)

    def simulate(size: int, draws: int, rng: np.random.Generator) -> Array:
        found = random_feature_ridge(
            spectrum, features=features, samples=size, draws=draws, rng=rng, **given
        )
        return np.stack([found.test_loss, found.train_loss])

    replicate = replicate_losses(
        context, sizes, [context.pick(quick=30, full=300)] * len(sizes), simulate
    )
    method = f"direct simulation, {features} features, 300 modes, ridge 0.01, noise variance 0.09"
    for which, name in enumerate(("test_loss", "train_loss")):
        curve = np.asarray(getattr(theory_curve, name))
        yield Comparison(
            f"{context.check}/{name}",
            Prediction(
                f"{name.replace('_', ' ')} against samples",
                "curve",
                curve,
                "solvers.linear.ridge",
                x=np.array(sizes, float),
                domain={
                    "samples": (float(sizes[0]), np.inf),
                    "features": (float(features), np.inf),
                },
            ),
            measure(
                lambda r, which=which: replicate(r)[which],  # type: ignore[misc]
                lambda losses: curve_from_replicates(sizes, losses, method=method),
                replicates=REPLICATES,
                tolerance=CURVE_TOLERANCE * curve,
            ),
            tolerance=CURVE_TOLERANCE,
            tolerance_kind="relative",
            rival=Rival("N = infinity", np.asarray(getattr(rival_curve, name))),
        )


@check(
    "linear.null.shuffled-labels",
    statement="labels without relation to the inputs show no learning curve",
    no_law="a null: where nothing can be learned, simulation and estimate must show no exponent",
)
def shuffled_labels(context: Context) -> Iterator[Comparison]:
    """Shuffling leaves labels of the same variance that are independent of the inputs: their loss has a plateau, no exponent."""
    task, modes, sizes = SourceCapacity(Fraction(5, 2), Fraction(6, 5)), 512, (16, 32, 64, 128)
    eigenvalues, signal = PowerLawSpectrum(task.alpha, task.beta, modes).explicit()
    shuffled = EmpiricalSpectrum(eigenvalues, np.zeros(modes))
    variance = float(signal.sum())

    def simulate(size: int, draws: int, rng: np.random.Generator) -> Array:
        return random_feature_ridge(
            shuffled, samples=size, draws=draws, rng=rng, noise_variance=variance
        ).test_loss[None]

    draws = [context.pick(quick=6, full=60) * sizes[-1] // size for size in sizes]
    replicate = replicate_losses(context, sizes, draws, simulate)
    method = f"direct simulation, {modes} modes, labels independent of the inputs"
    exponent = float(theory.law("linear.data")(alpha=task.alpha, beta=task.beta))
    yield Comparison(
        f"{context.check}/simulation",
        Prediction(
            "exponent of the test loss",
            "exponent",
            0.0,
            "no law",
            domain={"samples": (float(sizes[0]), float(sizes[-1]))},
        ),
        measure(
            lambda r: replicate(r)[0],
            lambda losses: exponent_from_replicates(sizes, losses, method=method),
            replicates=REPLICATES,
            tolerance=NULL_TOLERANCE,
        ),
        tolerance=NULL_TOLERANCE,
        rival=Rival("the law for labels that are not shuffled", exponent),
    )
