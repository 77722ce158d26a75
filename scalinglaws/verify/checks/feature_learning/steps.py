"""What steps can do that flow time hides: networks trained step by step against the laws of steps and of the kernel's growth.

Networks of M features with a diagonal covariance are what unlimited width and data leave; the modes beyond M, not learned by then,
add their signal to the loss. Half as many modes tell what M is worth. Full effort adds the solver at far larger times.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np
from scipy.special import zeta

from .... import theory
from ....errors import AccuracyWarning, StabilityWarning
from ....solvers import feature_learning as solve
from ....solvers.spectra import PowerLawSpectrum
from ...comparison import Comparison, Measurement, Prediction, Rival
from ...registry import Context, check
from ...simulate import feature_learning as simulate
from .tolerances import CURVE_TOLERANCE, Array, simulated_exponent

_SLOPE_TOLERANCE = 0.01  # absolute: corrections of order 1/s at the steps and times of the solver
_CONSTANT_TOLERANCE = 0.015  # relative: the same
_GAIN_TOLERANCE = 0.03  # relative: the same, at the steps that networks take
_GROWTH_TOLERANCE = 0.02  # relative: the order after the offset
_PACE = 1.5  # c, below 2
_ALPHA = 1.5


def _exact(value: Any, spread: Any, method: str, ends: tuple[float, float]) -> Measurement:
    return Measurement(value, spread, None, 1, method, ends, deterministic=True)


def _slope(losses: Any, early: int, late: int) -> float:
    return float(-np.log(losses[late] / losses[early]) / np.log(late / early))


def unlearned(beta: float, modes: int) -> float:
    """Return the signal beyond a number of modes, which a network without them does not show in its loss."""
    return float(zeta(1 + _ALPHA * beta, modes + 1))


def _steps_taken(beta: float, modes: int, steps: Any, **given: Any) -> tuple[Array, Array]:
    """Return loss, with what the network lacks, and scale of one network, by descent on the population."""
    found = simulate.gradient_descent(steps, PowerLawSpectrum(_ALPHA, beta, modes), **given)
    return found.test_loss[0] + unlearned(beta, modes), found.kernel_scale[0]


def _network_slope(
    beta: float, modes: int, ends: tuple[int, int], **given: Any
) -> tuple[float, float, Measurement]:
    """Return the last loss, half the modes' last loss, and the slope between both steps, its error from half the modes."""
    many, few = (_steps_taken(beta, m, ends, **given)[0] for m in (modes, modes // 2))
    slopes = [
        float(-np.diff(np.log(losses))[0] / np.log(ends[1] / ends[0])) for losses in (many, few)
    ]
    measured = _exact(
        slopes[0],
        abs(slopes[0] - slopes[1]) + 1e-9,
        f"slope of the loss of a network of {modes} modes; the error is what half of them change",
        (float(ends[0]), float(ends[1])),
    )
    return float(many[1]), float(few[1]), measured


@check(
    "feature_learning.steps",
    statement="in steps that are each stable, a rich network keeps the lazy exponent, and gains a constant",
    laws=("feature_learning.steps",),
)
def stable_steps(context: Context) -> Iterator[Comparison]:
    """Gradient descent at a constant rate over the scale of the kernel."""
    law, modes = theory.law("feature_learning.steps"), context.pick(1600, 4000)
    ends = (context.pick(40, 200), context.pick(160, 800))
    for beta in (0.5,) if context.effort == "quick" else (0.25, 0.5, 0.75):
        predicted = float(law(alpha=_ALPHA, beta=beta))
        rich, coarse, measured = _network_slope(
            beta, modes, ends, richness=1.0, relative_rate=_PACE
        )
        yield Comparison(
            f"{context.check}/exponent-beta-{beta:g}",
            Prediction(
                "exponent of the loss in steps",
                "exponent",
                predicted,
                f"{law.name}: n^-({law.expr})",
                domain={"steps": (40.0, np.inf)},
            ),
            measured,
            tolerance=simulated_exponent(predicted),
            rival=Rival("2 beta/(1 + beta), that of flow time", 2 * beta / (1 + beta)),
        )
        lazy, _, _ = _network_slope(beta, modes, ends, richness=0.0, relative_rate=_PACE)
        if beta != 0.5:  # the constants of others are too close to one
            continue
        yield Comparison(
            f"{context.check}/gain-beta-{beta:g}",
            Prediction(
                "rich loss over the lazy one, after as many steps of the same pace",
                "threshold",
                float(law.evaluate("ratio", beta=beta)),
                f"{law.name}: its constant over that of the lazy model",
                domain={"steps": (40.0, np.inf)},
            ),
            _exact(
                rich / lazy,
                abs(rich - coarse) / lazy,
                f"two networks of {modes} modes",
                (float(ends[1]), float(ends[1])),
            ),
            tolerance=_GAIN_TOLERANCE,
            tolerance_kind="relative",
            rival=Rival("no gain", 1.0),
        )
    if context.effort == "full":
        yield from _solved_steps(context)


def _solved_steps(context: Context) -> Iterator[Comparison]:
    """The solver's exponent and constant at 100 000 steps."""
    law, early, late = theory.law("feature_learning.steps"), 10**4, 10**5
    for beta in (0.25, 0.5, 0.75):
        run = solve.gradient_descent(
            late, PowerLawSpectrum(_ALPHA, beta), richness=1.0, relative_rate=_PACE
        )
        slope = _slope(run.test_loss, early, late)
        yield Comparison(
            f"{context.check}/solver-exponent-beta-{beta:g}",
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
            f"{context.check}/solver-constant-beta-{beta:g}",
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
)
def silver(context: Context) -> Iterator[Comparison]:
    """The silver schedule at full batches, read at 2^k - 1 steps."""
    law, beta = theory.law("feature_learning.steps_silver"), 0.5
    predicted = float(law(alpha=_ALPHA, beta=beta))
    for name, richness, modes, ends in (
        ("lazy", 0.0, 8000, (63, 1023)),
        ("rich", 1.0, context.pick(1200, 4000), (context.pick(15, 31), context.pick(127, 511))),
    ):
        schedule = solve.silver_steps(ends[1])
        _, _, measured = _network_slope(
            beta, modes, ends, richness=richness, relative_rate=schedule
        )
        yield Comparison(
            f"{context.check}/{name}",
            Prediction(
                "exponent of the loss in silver steps",
                "exponent",
                predicted,
                f"{law.name}: n^-({law.expr})",
                domain={"steps": (15.0, np.inf)},
            ),
            measured,
            tolerance=simulated_exponent(predicted),
            rival=Rival("beta, that of equal steps", beta),
        )
        if context.effort == "quick":
            continue
        early, late = 511, 8191
        losses = solve.gradient_descent(
            late,
            PowerLawSpectrum(_ALPHA, beta),
            richness=richness,
            relative_rate=solve.silver_steps(late),
        ).test_loss
        slope = _slope(losses, early, late)
        yield Comparison(
            f"{context.check}/solver-{name}",
            Prediction(
                "exponent of the loss in silver steps",
                "exponent",
                predicted,
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


def _crossing(scale: Array, rate: float) -> float:
    """Return when the scale of the kernel reaches two over the rate, between steps."""
    above = int(np.argmax(rate * scale >= 2))
    share = (2 / rate - scale[above - 1]) / (scale[above] - scale[above - 1])
    return above - 1 + float(share)


@check(
    "feature_learning.window",
    statement="a fixed rate is stable on a hard task for eta^(-2/(1 - beta)) steps, the next order included",
    laws=("feature_learning.window",),
)
def window(context: Context) -> Iterator[Comparison]:
    """When networks that take steps at fixed rates reach the edge of stability."""
    law, modes = theory.law("feature_learning.window"), context.pick(800, 3000)
    cases = (
        ((0.5, (0.4, 0.35)),)
        if context.effort == "quick"
        else ((0.25, (0.25, 0.2)), (0.5, (0.4, 0.35, 0.3)))
    )
    for beta, rates in cases:
        values: dict[str, Any] = {"alpha": _ALPHA, "beta": beta, "gamma": 1}
        eta = np.array(rates)
        predicted = np.asarray(law.evaluate("steps", **values, eta=eta))
        found = np.empty((2, eta.size))
        for j, (rate, most) in enumerate(zip(rates, predicted, strict=True)):
            for i, count in enumerate((modes, modes // 2)):
                _, scale = _steps_taken(
                    beta, count, np.arange(int(1.2 * most) + 2), richness=1.0, learning_rate=rate
                )
                found[i, j] = _crossing(scale, rate)
        yield _window(
            f"{context.check}/beta-{beta:g}",
            beta,
            eta,
            _exact(
                found[0],
                np.abs(found[0] - found[1]),
                f"networks of {modes} modes; the error is what half of them change",
                (min(rates), max(rates)),
            ),
        )
    if context.effort == "full":
        yield from _solved_window(context)


def _window(name: str, beta: float, eta: Array, measured: Measurement, **given: Any) -> Comparison:
    """Compare the steps until the edge of stability with the law's."""
    law = theory.law("feature_learning.window")
    values: dict[str, Any] = {"alpha": _ALPHA, "beta": beta, "gamma": 1}
    return Comparison(
        name,
        Prediction(
            "steps until eta s = 2 against the rate",
            "curve",
            np.asarray(law.evaluate("steps", **values, eta=eta)),
            f"{law.name}, with the offset of the kernel's growth",
            x=eta,
            domain={"learning rate": (0.0, 0.4)},
        ),
        measured,
        tolerance=_GROWTH_TOLERANCE,
        tolerance_kind="relative",
        rival=Rival(
            "the leading power alone",
            np.array([law.asymptote(1 / rate, **values) for rate in eta.tolist()]),
        ),
        **given,
    )


def _solved_window(context: Context) -> Iterator[Comparison]:
    """The solver's steps, at smaller rates and unlimited modes."""
    law = theory.law("feature_learning.window")
    for beta, rates in ((0.25, (0.1, 0.05)), (0.5, (0.3, 0.2, 0.15))):
        eta, taken = np.array(rates), []
        predicted = np.asarray(law.evaluate("steps", alpha=_ALPHA, beta=beta, gamma=1, eta=eta))
        for rate, most in zip(rates, predicted, strict=True):
            with warnings.catch_warnings():  # the edge of stability is what is looked for
                warnings.simplefilter("ignore", StabilityWarning)
                scale = solve.gradient_descent(
                    int(1.05 * most) + 2,
                    PowerLawSpectrum(_ALPHA, beta),
                    richness=1.0,
                    learning_rate=rate,
                ).scale
            taken.append(_crossing(scale, rate))
        found = np.array(taken)
        yield _window(
            f"{context.check}/solver-beta-{beta:g}",
            beta,
            eta,
            _exact(found, 0.5 + 0 * found, "the solver's steps", (min(rates), max(rates))),
            evidence="exact",
        )


@check(
    "feature_learning.kernel_scale",
    statement="the kernel of a hard task grows as t^((1 - beta)/(1 + beta)), at beta = 1 as the root of a logarithm",
    laws=("feature_learning.kernel_scale",),
)
def kernel_scale(context: Context) -> Iterator[Comparison]:
    """Networks in gradient flow; the solver's scale at times that they do not reach."""
    cases = {0.25: (context.pick(600, 3000), [20.0, 50.0]), 1.0: (200, [20.0, 60.0, 120.0])}
    if context.effort == "full":
        cases[0.5] = (2000, [20.0, 60.0, 120.0, 240.0])
    for beta, (modes, times) in cases.items():
        t = np.array(times)
        found, half = (
            simulate.gradient_flow(
                t, PowerLawSpectrum(_ALPHA, beta, count), richness=1.0, tolerance=1e-6
            ).kernel_scale[0]
            for count in (modes, modes // 2)
        )
        measured = _exact(
            found,
            np.abs(found - half),
            f"gradient flow of a network of {modes} modes; the error is what half of them change",
            (float(t[0]), float(t[-1])),
        )
        tolerance = CURVE_TOLERANCE if beta < 1 else _GROWTH_TOLERANCE / 4
        yield _kernel_growth(f"{context.check}/beta-{beta:g}", beta, t, measured, tolerance)
    if context.effort == "quick":
        return
    t = np.array([1e4, 1e6, 1e8])
    for beta in (0.25, 0.5, 1.0):
        solved = np.asarray(
            solve.gradient_flow(t, PowerLawSpectrum(_ALPHA, beta), richness=1.0).scale
        )
        measured = _exact(solved, 1e-8 * solved, "the solver's scale", (1e4, 1e8))
        tolerance = _GROWTH_TOLERANCE if beta < 1 else _GROWTH_TOLERANCE / 4
        yield _kernel_growth(
            f"{context.check}/solver-beta-{beta:g}", beta, t, measured, tolerance, evidence="exact"
        )


def _kernel_growth(
    name: str, beta: float, t: Array, measured: Measurement, tolerance: float, **given: Any
) -> Comparison:
    """Compare the scale of the kernel with the law, with its constant and the next order, or in closed form on the boundary."""
    law = theory.law("feature_learning.kernel_scale")
    values: dict[str, Any] = {"alpha": _ALPHA, "gamma": 1}
    domain = {"time": (20.0, np.inf)}
    if beta == 1:
        warped = np.asarray(measured.value) * t
        predicted = np.asarray(law.evaluate("boundary", tau=warped, **values))
        source = f"{law.name}, closed form in warped time"
        rival = Rival("the root of the logarithm alone", np.sqrt(np.log(t) / _ALPHA))
    else:
        with warnings.catch_warnings():  # the next order is added
            warnings.simplefilter("ignore", AccuracyWarning)
            leading = law.asymptote(t, beta=beta, **values)
        predicted = leading + law.evaluate("offset", beta=beta)
        source = f"{law.name}: C_s t^({law.expr}) + s_1"
        rival = Rival("growth as in warped time", predicted[0] * (t / t[0]) ** ((1 - beta) / 2))
    return Comparison(
        name,
        Prediction(
            "scale of the kernel against time", "curve", predicted, source, x=t, domain=domain
        ),
        measured,
        tolerance=tolerance,
        tolerance_kind="relative",
        rival=rival,
        **given,
    )
