"""Linear networks without projection: at large width the flow of infinite width, at small width no floor."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

import numpy as np
from scipy.special import zeta

from .... import theory
from ....solvers import feature_learning as solve
from ....solvers.spectra import PowerLawSpectrum
from ...comparison import Comparison, Prediction, Rival
from ...estimate import (
    advantage_from_pairs,
    curve_from_replicates,
    exponent_from_replicates,
    measure,
)
from ...registry import Context, check
from ...simulate import feature_learning as simulate
from .tolerances import (
    RATE_TOLERANCE,
    REPLICATES,
    Array,
    rate_of_deviation,
    simulated_curve,
    simulated_exponent,
)

_RICHNESS = 1.0
_STEP_ERROR = 1e-6  # of the integrator, far below every tolerance
_TIE = 0.1  # in the logarithm of the loss


@check(
    "feature_learning.network",
    statement="a linear network trained as it is learns as an infinitely wide one, and has no floor",
    no_law="the solver's curve at times before the power law, and how fast networks approach it",
    compiles=7.0,
    effort="full",
)
def linear_network(context: Context) -> Iterator[Comparison]:
    """Wide networks as a curve, how fast narrower ones approach it, and narrow ones that beat their own first features."""
    yield _wide(context)
    yield _approach(context)
    yield _narrow(context)


@check(
    "feature_learning.linear_network",
    statement="a linear network with no frozen weights learns a hard task as fast as the projected model",
    laws=("feature_learning.linear_network",),
)
def network_exponent(context: Context) -> Iterator[Comparison]:
    """Slopes of wide networks, which are rich enough for a power law early; modes that they lack are not learned by then."""
    law = theory.law("feature_learning.linear_network")
    cases = [(0.25, 2500, 250, (1.5, 2.5, 4.0))]
    if context.effort == "full":
        cases = [(0.25, 6000, 500, (2.0, 3.5, 6.0)), (0.5, 8000, 500, (4.0, 7.0, 12.0))]
    for beta, width, modes, t in cases:
        spectrum, name = PowerLawSpectrum(1.5, beta, modes), f"slope-{beta:g}"
        predicted = float(law(alpha=1.5, beta=beta))

        def replicate(
            r: int,
            spectrum: PowerLawSpectrum = spectrum,
            name: str = name,
            width: int = width,
            t: tuple[float, ...] = t,
            rest: float = float(zeta(1 + 1.5 * beta, modes + 1)),
        ) -> Array:
            found: Array = simulate.network_flow(
                t,
                spectrum,
                features=width,
                richness=10.0,
                rng=context.generator(name, r),
                tolerance=_STEP_ERROR,
            ).test_loss[0]
            return found + rest

        yield Comparison(
            f"{context.check}/exponent-beta-{beta:g}",
            Prediction(
                "exponent of the loss in time",
                "exponent",
                predicted,
                f"{law.name}: t^-({law.expr})",
                domain={"time": (0.5, np.inf)},
            ),
            measure(
                replicate,
                partial(
                    exponent_from_replicates,
                    t,
                    method=f"gradient flow of networks of width {width}, {modes} modes",
                ),
                replicates=6,
                tolerance=simulated_exponent(predicted),
            ),
            tolerance=simulated_exponent(predicted),
            rival=Rival("lazy", beta),
        )


def _wide(context: Context) -> Comparison:
    """Compare wide networks with the flow of infinite width."""
    modes, width, draws = 50, 3200, context.pick(quick=1, full=10)
    spectrum, t = PowerLawSpectrum(1.5, 0.5, modes), np.array([1.0, 3.0, 10.0, 30.0])
    curves = {
        gamma: np.asarray(solve.linear_network(t, spectrum, richness=gamma).test_loss)
        for gamma in (_RICHNESS, 0.0)
    }
    tolerance = simulated_curve(modes / width)
    return Comparison(
        f"{context.check}/wide",
        Prediction(
            "test loss against time",
            "curve",
            curves[_RICHNESS],
            "solvers.feature_learning.linear_network",
            x=t,
            domain={"time": (1.0, 30.0)},
        ),
        measure(
            lambda r: _flowed(context, "wide", r, t, spectrum, features=width, draws=draws).mean(
                axis=0
            ),
            lambda rows: curve_from_replicates(
                t,
                rows,
                method=f"gradient flow, {REPLICATES} times {draws} draws, width {width}, {modes} modes",
            ),
            replicates=REPLICATES,
            tolerance=tolerance * curves[_RICHNESS],
        ),
        tolerance=tolerance,
        tolerance_kind="relative",
        rival=Rival("lazy", curves[0.0]),
    )


def _approach(context: Context) -> Comparison:
    """Compare the rate at which mean losses approach those of infinite width; the next order changes the slope by 0.2."""
    t, widths = 10.0, np.array([100, 400])
    # relative to the deviation, wide networks fluctuate more
    draws = [context.pick(quick=count, full=10 * count) for count in (80, 240)]
    spectrum = PowerLawSpectrum(1.5, 0.5, 20)
    limit = float(solve.linear_network(t, spectrum, richness=_RICHNESS).test_loss)

    def replicate(r: int) -> Array:
        sizes = zip(widths, draws, strict=True)
        found = [
            _flowed(context, f"width-{n}", r, t, spectrum, features=int(n), draws=count).mean()
            for n, count in sizes
        ]
        return np.array(found) / limit - 1

    method = (
        f"gradient flow to t = {t:g}, {REPLICATES} times {draws[0]} and {draws[1]} draws, 20 modes"
    )

    return Comparison(
        f"{context.check}/width",
        Prediction(
            "exponent in the width of what the mean loss still lacks",
            "exponent",
            1.0,
            "corrections to solvers.feature_learning.linear_network, analytic in 1/N",
            domain={"width": (100.0, np.inf)},
        ),
        measure(
            replicate,
            lambda rows: rate_of_deviation(widths, rows, method=method),
            replicates=REPLICATES,
            tolerance=RATE_TOLERANCE,
        ),
        tolerance=RATE_TOLERANCE,
        rival=Rival("fluctuations: one over the square root", 0.5),
    )


def _narrow(context: Context) -> Comparison:
    """Compare networks with the best that their features at the start could do, which limits the projected model for ever."""
    spectrum, width, t = PowerLawSpectrum(1.5, 0.5, 60), 15, 50.0
    losses, floors = [], []
    for r in range(REPLICATES):
        losses.append(float(_flowed(context, "narrow", r, t, spectrum, features=width, draws=1)[0]))
        floors.append(
            simulate.kernel_spectrum(
                spectrum, features=width, rng=context.generator("narrow", r)
            ).floor
        )
    measured, _ = advantage_from_pairs(
        losses, floors, method=f"width {width}, 60 modes, t = {t:g}; paired by draw", window=(t, t)
    )
    return Comparison(
        f"{context.check}/narrow",
        Prediction(
            "log of what the first features could reach at best, over the loss",
            "ranking",
            1.0,
            "solvers.feature_learning.linear_network: a kernel of full rank",
            domain={"time": (t, np.inf)},
        ),
        measured,
        tolerance=_TIE,
        rival=Rival("a floor, as in the projected model", -1.0),
    )


def _flowed(
    context: Context, name: str, r: int, t: Any, spectrum: PowerLawSpectrum, **given: Any
) -> Array:
    """Return the test losses of one replicate."""
    rng = context.generator(name, r)
    loss: Array = simulate.network_flow(
        t, spectrum, richness=_RICHNESS, rng=rng, tolerance=_STEP_ERROR, **given
    ).test_loss
    return loss
