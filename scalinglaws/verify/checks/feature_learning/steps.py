"""What steps can do that flow time hides: the solver's steps and flows against the laws of steps, of the kernel and of depth."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np

from .... import theory
from ....errors import StabilityWarning
from ....solvers import feature_learning as solve
from ....solvers.spectra import PowerLawSpectrum
from ...comparison import Comparison, Measurement, Prediction, Rival
from ...estimate import local_exponent
from ...registry import Context, check

_SLOPE_TOLERANCE = 0.01  # absolute: corrections of order 1/s at the steps and times used
_CONSTANT_TOLERANCE = 0.015  # relative: the same
_GROWTH_TOLERANCE = 0.02  # relative: the order after the offset
_PACE = 1.5  # c, below 2
_ALPHA = 1.5


def _exact(value: Any, spread: Any, method: str, ends: tuple[float, float]) -> Measurement:
    return Measurement(value, spread, None, 1, method, ends, deterministic=True)


def _slope(losses: Any, early: int, late: int) -> float:
    return float(-np.log(losses[late] / losses[early]) / np.log(late / early))


@check(
    "feature_learning.steps",
    statement="in steps that are each stable, a rich network keeps the lazy exponent, and gains a constant",
    laws=("feature_learning.steps",),
    evidence="exact",
)
def stable_steps(context: Context) -> Iterator[Comparison]:
    """Gradient descent at a constant rate over the scale of the kernel, unlimited modes."""
    law, early, late = theory.law("feature_learning.steps"), 10**4, 10**5
    for beta in (0.5,) if context.effort == "quick" else (0.25, 0.5, 0.75):
        run = solve.gradient_descent(
            late, PowerLawSpectrum(_ALPHA, beta), richness=1.0, relative_rate=_PACE
        )
        slope = _slope(run.test_loss, early, late)
        yield Comparison(
            f"{context.check}/exponent-beta-{beta:g}",
            Prediction(
                "exponent of the loss in steps",
                "exponent",
                float(law(alpha=_ALPHA, beta=beta)),
                f"{law.name}: n^-({law.expr})",
                domain={"steps": (1e4, np.inf)},
            ),
            _exact(
                slope,
                abs(slope - _slope(run.test_loss, early, 3 * early)) + 1e-9,
                "slope of the solver's loss over a decade",
                (early, late),
            ),
            tolerance=_SLOPE_TOLERANCE,
            rival=Rival("2 beta/(1 + beta), that of flow time", 2 * beta / (1 + beta)),
            evidence="exact",
        )
        # the lazy constant is Gamma(beta)/alpha (2 c)^-beta, which the ratio divides out
        predicted = law.asymptote(float(late), alpha=_ALPHA, beta=beta, c=_PACE)
        yield Comparison(
            f"{context.check}/constant-beta-{beta:g}",
            Prediction(
                "loss after 100 000 steps",
                "threshold",
                float(predicted),
                f"{law.name}, leading term",
                domain={"steps": (1e5, np.inf)},
            ),
            _exact(
                float(run.test_loss[late]),
                1e-8 * float(run.test_loss[late]),
                "the solver's loss",
                (late, late),
            ),
            tolerance=_CONSTANT_TOLERANCE,
            tolerance_kind="relative",
            rival=Rival("the lazy constant", float(predicted / law.evaluate("ratio", beta=beta))),
            evidence="exact",
        )


@check(
    "feature_learning.silver",
    statement="long steps among short ones gain an exponent, 1.2716 beta, whether features learn or not",
    laws=("feature_learning.steps_silver",),
    evidence="exact",
)
def silver(context: Context) -> Iterator[Comparison]:
    """The silver schedule at full batches, read at 2^k - 1 steps."""
    law, (early, late), beta = theory.law("feature_learning.steps_silver"), (511, 8191), 0.5
    for name, richness in (("lazy", 0.0), ("rich", 1.0)):
        losses = solve.gradient_descent(
            late,
            PowerLawSpectrum(_ALPHA, beta),
            richness=richness,
            relative_rate=solve.silver_steps(late),
        ).test_loss
        slope = _slope(losses, early, late)
        yield Comparison(
            f"{context.check}/{name}",
            Prediction(
                "exponent of the loss in silver steps",
                "exponent",
                float(law(alpha=_ALPHA, beta=beta)),
                f"{law.name}: n^-({law.expr})",
                domain={"steps": (511.0, np.inf)},
            ),
            _exact(
                slope,
                abs(slope - _slope(losses, early, 2047)) + 1e-9,
                "slope of the solver's loss from 511 to 8191 steps",
                (early, late),
            ),
            tolerance=_SLOPE_TOLERANCE,
            rival=Rival("beta, that of equal steps", beta),
            evidence="exact",
        )


@check(
    "feature_learning.window",
    statement="a fixed rate is stable on a hard task for eta^(-2/(1 - beta)) steps, the next order included",
    laws=("feature_learning.window",),
    evidence="exact",
)
def window(context: Context) -> Iterator[Comparison]:
    """When the solver's steps at fixed rates reach the edge of stability."""
    law = theory.law("feature_learning.window")
    for beta, rates in ((0.25, (0.1, 0.05)), (0.5, (0.3, 0.2, 0.15))):
        eta, taken = np.array(rates), []
        values: dict[str, Any] = {"alpha": _ALPHA, "beta": beta, "gamma": 1}
        predicted = np.asarray(law.evaluate("steps", **values, eta=eta))
        leading = np.array([law.asymptote(1 / rate, **values) for rate in rates])
        for rate, most in zip(rates, predicted, strict=True):
            with warnings.catch_warnings():  # the edge of stability is what is looked for
                warnings.simplefilter("ignore", StabilityWarning)
                scale = solve.gradient_descent(
                    int(1.05 * most) + 2,
                    PowerLawSpectrum(_ALPHA, beta),
                    richness=1.0,
                    learning_rate=rate,
                ).scale
            above = int(np.argmax(rate * scale >= 2))
            share = (2 / rate - scale[above - 1]) / (scale[above] - scale[above - 1])
            taken.append(above - 1 + share)
        found = np.array(taken)
        yield Comparison(
            f"{context.check}/beta-{beta:g}",
            Prediction(
                "steps until eta s = 2 against the rate",
                "curve",
                predicted,
                f"{law.name}, with the offset of the kernel's growth",
                x=eta,
                domain={"learning rate": (0.0, 0.3)},
            ),
            _exact(found, 0.5 + 0 * found, "the solver's steps", (min(rates), max(rates))),
            tolerance=_GROWTH_TOLERANCE,
            tolerance_kind="relative",
            rival=Rival("the leading power alone", leading),
            evidence="exact",
        )


@check(
    "feature_learning.kernel_scale",
    statement="the kernel of a hard task grows as t^((1 - beta)/(1 + beta)), at beta = 1 as the root of a logarithm",
    laws=("feature_learning.kernel_scale",),
    evidence="exact",
)
def kernel_scale(context: Context) -> Iterator[Comparison]:
    """The solver's scale at long times, with its constant and the next order."""
    law, t = theory.law("feature_learning.kernel_scale"), np.array([1e4, 1e6, 1e8])
    values: dict[str, Any] = {"alpha": _ALPHA, "gamma": 1}
    for beta in (0.25, 0.5):
        found = np.asarray(
            solve.gradient_flow(t, PowerLawSpectrum(_ALPHA, beta), richness=1.0).scale
        )
        leading = law.asymptote(t, beta=beta, **values)
        yield Comparison(
            f"{context.check}/beta-{beta:g}",
            Prediction(
                "scale of the kernel against time",
                "curve",
                leading + law.evaluate("offset", beta=beta),
                f"{law.name}: C_s t^({law.expr}) + s_1",
                x=t,
                domain={"time": (1e4, np.inf)},
            ),
            _exact(found, 1e-8 * found, "the solver's scale", (1e4, 1e8)),
            tolerance=_GROWTH_TOLERANCE,
            tolerance_kind="relative",
            rival=Rival("growth as in warped time", leading[0] * (t / t[0]) ** ((1 - beta) / 2)),
            evidence="exact",
        )
    found = np.asarray(solve.gradient_flow(t, PowerLawSpectrum(_ALPHA, 1.0), richness=1.0).scale)
    yield Comparison(
        f"{context.check}/beta-1",
        Prediction(
            "scale of the kernel against time, on the boundary",
            "curve",
            np.asarray(law.evaluate("boundary", tau=found * t, **values)),
            f"{law.name}, closed form in warped time",
            x=t,
            domain={"time": (1e4, np.inf)},
        ),
        _exact(found, 1e-8 * found, "the solver's scale", (1e4, 1e8)),
        tolerance=_GROWTH_TOLERANCE / 4,
        tolerance_kind="relative",
        rival=Rival("the root of the logarithm alone", np.sqrt(np.log(t) / _ALPHA)),
        evidence="exact",
    )


@check(
    "feature_learning.depth",
    statement="m hidden factors learn a hard task as t^(-(m + 1) beta/(1 + m beta))",
    laws=("feature_learning.depth",),
    evidence="exact",
)
def depth(context: Context) -> Iterator[Comparison]:
    """The solver's local slopes at times that no simulation reaches, and the loss there."""
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
