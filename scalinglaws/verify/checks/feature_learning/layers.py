"""What becomes of the weights: projected descent is descent behind frozen features, and layers without projection stay balanced."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from operator import getitem

import numpy as np

from ....solvers import feature_learning as solve
from ....solvers.spectra import PowerLawSpectrum
from ...comparison import Comparison, Measurement, Prediction, Rival
from ...estimate import curve_from_replicates, measure
from ...registry import Context, check
from ...simulate import feature_learning as simulate
from .tolerances import CURVE_TOLERANCE, REPLICATES, Array

_IDENTITY_TOLERANCE = 1e-10  # relative: an identity, up to rounding errors of some hundred steps
_EDGE_TOLERANCE = 0.1  # relative: edges of some twenty modes are off by some hundredths, downwards
_RICHNESS = 2.0


@check(
    "feature_learning.layers",
    statement="projected descent is descent behind frozen features; unprojected layers stay balanced, and one spike leaves the bulk",
    no_law="two identities of the model, and the spectrum of its first layer",
)
def trained_layers(context: Context) -> Iterator[Comparison]:
    """All weights of small networks, step by step."""
    yield _projected(context)
    yield from _balanced(context)


def _projected(context: Context) -> Comparison:
    """Compare projected steps with steps on the weights behind the first features, for the same draw."""
    steps, spectrum = np.array([1, 10, 100, 300]), PowerLawSpectrum(1.5, 0.5, 30)
    projected, inner, layer = (
        simulate.layer_descent(
            steps,
            spectrum,
            features=20,
            richness=_RICHNESS,
            learning_rate=0.1,
            trained=rule,
            rng=context.generator("projected", 0),
        ).test_loss[0]
        for rule in ("projected", "inner", "layer")
    )
    return Comparison(
        f"{context.check}/projected",
        Prediction(
            "loss against steps",
            "curve",
            inner,
            "gradient descent on w and V in f = w V A_0 psi/N, with A_0 as it is drawn",
            x=steps.astype(float),
            domain={"steps": (0.0, np.inf)},
        ),
        Measurement(
            projected,
            1e-12 * projected,
            None,
            1,
            "steps of A that are projected by A_0, for one draw of 20 features of 30 modes",
            (1.0, 300.0),
            deterministic=True,
        ),
        tolerance=_IDENTITY_TOLERANCE,
        tolerance_kind="relative",
        rival=Rival("no projection", layer),
    )


def _balanced(context: Context) -> Iterator[Comparison]:
    """Compare the first layer of wide networks with the scale of the kernel that the solver has for unlimited width."""
    modes, width, rate = 20, context.pick(800, 3200), 0.02
    steps = np.array([50, 150, 500])
    spectrum, t = PowerLawSpectrum(1.5, 0.5, modes), rate * steps
    scale = np.asarray(solve.linear_network(t, spectrum, richness=_RICHNESS).scale)
    bulk = (1 + np.sqrt(modes / width)) ** 2

    runs = [
        simulate.layer_descent(
            steps,
            spectrum,
            features=width,
            richness=_RICHNESS,
            learning_rate=rate,
            rng=context.generator("balanced", r),
        )
        for r in range(REPLICATES)
    ]
    for label, name, predicted, rows, source, rival in (
        (
            "balance",
            "squared length of the first layer over its width, growth against time",
            scale - 1,
            [run.gain[0] for run in runs],
            "A A^T - gamma w w^T is conserved: s - 1",
            Rival("as much as the readout, without richness", (scale - 1) / _RICHNESS),
        ),
        (
            "spike",
            "largest eigenvalue of A A^T/N against time",
            scale,
            [run.spike[0] for run in runs],
            "one direction grows, to s",
            Rival("the end of the bulk", np.full(steps.size, bulk)),
        ),
        (
            "bulk",
            "second eigenvalue of A A^T/N against time",
            np.full(steps.size, bulk),
            [run.edge[0] for run in runs],
            "all other directions stay as they were drawn, to (1 + sqrt(M/N))^2",
            Rival("all of the layer grows", bulk * scale),
        ),
    ):
        found: list[Array] = rows
        tolerance = _EDGE_TOLERANCE if label == "bulk" else CURVE_TOLERANCE
        yield Comparison(
            f"{context.check}/{label}",
            Prediction(name, "curve", predicted, source, x=t, domain={"time": (0.0, np.inf)}),
            measure(
                partial(getitem, found),
                lambda rows: curve_from_replicates(
                    t, rows, method=f"descent at the rate {rate:g}, width {width}, {modes} modes"
                ),
                replicates=REPLICATES,
                tolerance=tolerance * predicted,
            ),
            tolerance=tolerance,
            tolerance_kind="relative",
            rival=rival,
        )
