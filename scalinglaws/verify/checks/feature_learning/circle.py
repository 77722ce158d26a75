"""Networks of rectified linear units on the circle: lazy ones against the flow of their kernel, rich ones against the exponent."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from .... import theory
from ....solvers import feature_learning as solve
from ...comparison import Comparison, Prediction, Rival
from ...estimate import exponent_from_replicates, measure, power_law_exponent, same_estimator
from ...registry import Context, check
from ...simulate import feature_learning as simulate
from .tolerances import Array, simulated_exponent

_LAZY, _RICH = 1e-4, 4.0  # richness


@check(
    "feature_learning.circle",
    statement="a network of rectified linear units on the circle learns lazily with t^-beta, richly faster",
    laws=("feature_learning.circle",),
    demo=True,
    compiles=2.0,
)
def circle_slopes(context: Context) -> Iterator[Comparison]:
    """Networks that are not linear: lazy ones against the flow of their kernel, rich ones against the exponent."""
    law = theory.law("feature_learning.circle")
    # sizes by effort; the flow is that of the same truncated target, grid and times
    neurons, samples, harmonics = (
        context.pick(quick, full) for quick, full in ((2000, 6000), (1024, 4096), (256, 1024))
    )
    t = np.geomspace(20, 100, 6) if context.effort == "quick" else np.geomspace(100, 1000, 6)
    for beta in (0.5,) if context.effort == "quick" else (0.3, 0.5):
        name, rich = f"lazy-{beta:g}", float(law(q=1, q_y=beta + 0.5))
        flow = solve.circle_flow(
            t, activation_power=1, target_exponent=beta + 0.5, harmonics=harmonics, grid=samples
        )
        sizes = {"neurons": neurons, "samples": samples, "harmonics": harmonics}
        prediction, measurement = same_estimator(
            "exponent of the lazy loss in time",
            t,
            np.array([_network(context, name, r, t, _LAZY, beta, **sizes) for r in range(16)]),
            np.asarray(flow.train_loss),
            source="solvers.feature_learning.circle_flow",
            method=_network_method(_LAZY, **sizes),
        )
        yield Comparison(
            f"{context.check}/{name}",
            prediction,
            measurement,
            tolerance=simulated_exponent(float(prediction.value)),
            rival=Rival("rich", rich),
        )
    yield _rich_circle(
        context,
        0.5,
        np.geomspace(100, 200, 5),
        neurons=context.pick(600, 6000),
        replicates=context.pick(4, 9),
        samples=context.pick(2048, 4096),
    )


@check(
    "feature_learning.circle_early",
    statement="rich networks on the circle where the power law comes late: very hard and easy targets",
    laws=("feature_learning.circle",),
    effort="full",
    expect=(
        "inconclusive",
        "training does not last until the power law: local slopes still rise with time at the end of the window",
        "slopes 0.424 and 0.444 (very hard), 1.10 and 1.17 (easy) without the last and without the first time, 6000 neurons",
    ),
)
def circle_early(context: Context) -> Iterator[Comparison]:
    """The exponents of the theory against what networks show at times that can be reached."""
    t = np.geomspace(30, 150, 6)
    for beta in (0.3, 1.25):
        yield _rich_circle(context, beta, t, neurons=6000, replicates=5)


def _rich_circle(
    context: Context,
    beta: float,
    t: Array,
    *,
    neurons: int,
    replicates: int,
    samples: int = 4096,
) -> Comparison:
    """Compare the slope of rich networks with the law."""
    law, name = theory.law("feature_learning.circle"), f"rich-{beta:g}"
    predicted, sizes = (
        float(law(q=1, q_y=beta + 0.5)),
        {"neurons": neurons, "samples": samples, "harmonics": samples // 4},
    )
    flow = solve.circle_flow(t, activation_power=1, target_exponent=beta + 0.5)
    return Comparison(
        f"{context.check}/{name}",
        Prediction(
            "exponent of the rich loss in time",
            "exponent",
            predicted,
            f"{law.name}: t^-({law.expr})",
            domain={"time": (30.0, np.inf)},
        ),
        measure(
            # steps of twice the default length, which changes the slopes by 0.003
            lambda r: _network(context, name, r, t, _RICH, beta, **sizes, learning_rate=1.0),
            lambda rows: exponent_from_replicates(t, rows, method=_network_method(_RICH, **sizes)),
            replicates=replicates,
            tolerance=simulated_exponent(predicted),
        ),
        tolerance=simulated_exponent(predicted),
        rival=Rival("lazy", beta)
        if beta < 1
        else Rival(
            "lazy flow, in the same window",
            float(power_law_exponent(t, np.asarray(flow.train_loss))),
        ),
    )


def _network(
    context: Context, name: str, r: int, t: Array, richness: float, beta: float, **given: Any
) -> Array:
    """Return the loss of one network."""
    rng = context.generator(name, r)
    found = simulate.circle_network(
        t, richness=richness, target_exponent=beta + 0.5, rng=rng, **given
    )
    loss: Array = found.train_loss[0]
    return loss


def _network_method(richness: float, neurons: int, samples: int, harmonics: int) -> str:
    return f"least squares in logarithms; {neurons} neurons, {samples} samples, {harmonics} harmonics, richness {richness:g}"
