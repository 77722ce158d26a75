"""Chains of several hidden factors: trained as they are, against the exact reduction, and against the law it leads to."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from .... import theory
from ....solvers import feature_learning as solve
from ....solvers.spectra import PowerLawSpectrum
from ...comparison import Comparison, Measurement, Prediction, Rival
from ...estimate import local_exponent
from ...registry import Context, check
from ...simulate import feature_learning as simulate
from .steps import unlearned
from .tolerances import Array, simulated_exponent

_ALPHA = 1.5
_IDENTITY_TOLERANCE = 1e-3  # relative: the reduction is exact, both sides are integrated to 1e-4
_SLOPE_TOLERANCE = 0.01  # absolute: corrections of order 1/s at the times of the solver
_RICH = 10.0  # rich enough for a power law within the times that chains are trained


@check(
    "feature_learning.depth",
    statement="m hidden factors learn a hard task as t^(-(m + 1) beta/(1 + m beta))",
    laws=("feature_learning.depth",),
)
def chain_losses(context: Context) -> Iterator[Comparison]:
    """Chains of one, two and three factors at the times of the exact reduction, and their slopes; the solver's, far later."""
    t = np.array([0.3, 1.0, 3.0, 10.0])
    for m in (1, 2, 3):
        yield _reduced(context, m, t)
    runs = [(2, 0.25, context.pick(400, 800), (1.0, 3.0))]
    if context.effort == "full":
        runs += [
            (2, 0.5, 800, (3.0, 10.0)),
            (3, 0.25, 1000, (0.5, 1.5)),
            (3, 0.5, 1000, (2.5, 7.5)),
        ]
    for m, beta, modes, ends in runs:
        yield _sloped(context, m, beta, modes, ends)
    if context.effort == "full":
        yield from _solved(context)


def _reduced(context: Context, m: int, t: Array) -> Comparison:
    """Compare the loss of one chain with the reduction to a single function of time, for the same modes."""
    spectrum = PowerLawSpectrum(_ALPHA, 0.5, 40)
    found, coarse = (
        simulate.chain_flow(t, spectrum, depth=m, richness=2.0, pace=pace).test_loss[0]
        for pace in (0.5, 1.0)
    )
    expected, other = (
        np.asarray(solve.gradient_flow(t, spectrum, richness=2.0, depth=depth).test_loss)
        for depth in (m, m + 1)
    )
    return Comparison(
        f"{context.check}/chain-{m}",
        Prediction(
            "loss of a chain against time",
            "curve",
            expected,
            "solvers.feature_learning.gradient_flow, the reduction that the law is derived from",
            x=t,
            domain={"time": (0.0, np.inf)},
        ),
        Measurement(
            found,
            np.abs(found - coarse),
            None,
            1,
            f"{m} factors of 40 modes, all of their entries in gradient flow; the error from steps of twice the length",
            (float(t[0]), float(t[-1])),
            deterministic=True,
        ),
        tolerance=_IDENTITY_TOLERANCE,
        tolerance_kind="relative",
        rival=Rival("one factor more", other),
    )


def _sloped(
    context: Context, m: int, beta: float, modes: int, ends: tuple[float, float]
) -> Comparison:
    """Compare the slope of the loss of one chain, with what its modes lack, with the law."""
    law = theory.law("feature_learning.depth")
    predicted = float(law(alpha=_ALPHA, beta=beta, gamma=_RICH, m=m))
    slopes = []
    for count in (modes, modes // 2):
        loss = simulate.chain_flow(
            ends, PowerLawSpectrum(_ALPHA, beta, count), depth=m, richness=_RICH, pace=1.0
        ).test_loss[0] + unlearned(beta, count)
        slopes.append(float(-np.log(loss[1] / loss[0]) / np.log(ends[1] / ends[0])))
    return Comparison(
        f"{context.check}/trained-m-{m:g}-beta-{beta:g}",
        Prediction(
            "exponent of the loss in time",
            "exponent",
            predicted,
            f"{law.name}: t^-({law.expr})",
            domain={"time": (1.0, np.inf)},
        ),
        Measurement(
            slopes[0],
            abs(slopes[0] - slopes[1]),
            None,
            1,
            f"slope of the loss of {m} factors of {modes} modes; the error is what half of them change",
            ends,
            deterministic=True,
        ),
        tolerance=simulated_exponent(predicted),
        rival=Rival("two layers", 2 * beta / (1 + beta)),
    )


def _solved(context: Context) -> Iterator[Comparison]:
    """The solver's local slopes at times that no simulation reaches."""
    law = theory.law("feature_learning.depth")
    for m, beta in ((0.5, 0.5), (2.0, 0.25), (2.0, 0.5), (3.0, 0.5)):

        def loss(t: Any, m: float = m, beta: float = beta) -> Any:
            return solve.gradient_flow(
                t, PowerLawSpectrum(_ALPHA, beta), richness=1.0, depth=m
            ).test_loss

        yield Comparison(
            f"{context.check}/m-{m:g}-beta-{beta:g}",
            Prediction(
                "exponent of the loss in time",
                "exponent",
                float(law(alpha=_ALPHA, beta=beta, gamma=1, m=m)),
                f"{law.name}: t^-({law.expr})",
                domain={"time": (1e8, np.inf)},
            ),
            local_exponent(loss, 1e9),
            tolerance=_SLOPE_TOLERANCE,
            rival=Rival("two layers", 2 * beta / (1 + beta)),
            evidence="exact",
        )
