"""Where the early power law ends and by how much it is missed at finite alpha, on drawn data."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from .... import theory
from ....solvers import perceptron as solve
from ...comparison import Comparison, Prediction, Rival
from ...estimate import curve_from_replicates, measure, power_law_exponent
from ...registry import Context, check
from ...simulate import perceptron as simulate
from .._measured import mean_over
from .tolerances import (
    ASYMPTOTIC_TOLERANCE,
    CURVE_TOLERANCE,
    EXPONENT_TOLERANCE,
    REPLICATES,
    SIMULATED_TOLERANCE,
    Array,
    constant,
)

_INPUTS = 32
_APART = 0.25  # of ln lambda, on either side of where the slope is steepest
_ELBOWS, _MANY = (2.0, 32.0), 200.0  # samples per input


@check(
    "perceptron.amplitude",
    statement="the early power law has the derived amplitude, and the first correction to it grows as norm/alpha",
    laws=("perceptron.early_amplitude", "perceptron.gamma1"),
)
def amplitude(context: Context) -> Iterator[Comparison]:
    """Fifty samples per input; the rival leaves the correction out."""
    law, alpha, norms = theory.law("perceptron.early_amplitude"), 50.0, np.array([3.0, 10.0])
    told = {"alpha": alpha, "lambda": norms}
    curve = np.asarray(law.evaluate("relative_error", **told), float) * norms**0.5

    def replicate(r: int) -> Array:
        found = simulate.fixed_norm(
            np.append(0.0, norms),
            alpha=alpha,
            inputs=_INPUTS,
            draws=context.pick(quick=20, full=200),
            rng=context.generator("amplitude", r),
        ).error.mean(axis=0)
        return np.asarray(found[1:] / found[0] * norms**0.5)

    yield Comparison(
        f"{context.check}/corrected",
        Prediction(
            "root of the norm times the error over that at zero norm",
            "curve",
            curve,
            f"{law.name}, form relative_error",
            x=norms,
        ),
        measure(
            replicate,
            lambda rows: curve_from_replicates(norms, rows, method=_method()),
            replicates=REPLICATES,
            tolerance=CURVE_TOLERANCE * curve,
        ),
        tolerance=CURVE_TOLERANCE,
        rival=Rival("without the correction", np.full(norms.size, constant(law))),
    )


@check(
    "perceptron.steepest",
    statement="at finite alpha the steepest slope of the error against the norm falls short of one half, at a norm of alpha^(1/3)",
    laws=("perceptron.finite_alpha_slope",),
)
def steepest(context: Context) -> Iterator[Comparison]:
    """Slopes between two norms on the same data, around the law's own norm; the exponent of what they miss at full effort."""
    law, draws = theory.law("perceptron.finite_alpha_slope"), context.pick(quick=12, full=240)
    for alpha in (10.0, 30.0):
        slopes = [_steepest(context, alpha, draws, r) for r in range(REPLICATES)]
        yield Comparison(
            f"{context.check}/slope-{alpha:g}",
            Prediction(
                f"steepest exponent of the error against the norm, alpha = {alpha:g}",
                "exponent",
                float(law.evaluate("slope", alpha=alpha)),
                f"{law.name}, form slope",
            ),
            mean_over(np.array(slopes), _method(), alpha),
            tolerance=SIMULATED_TOLERANCE,
            rival=Rival("gamma_1 of many samples", float(theory.law("perceptron.gamma1")())),
        )
    if context.effort == "quick":
        return
    wide = (5.0, 15.0, 45.0)
    missed = np.array(
        [
            [0.5 - _steepest(context, alpha, 1000, REPLICATES + r) for alpha in wide]
            for r in range(REPLICATES)
        ]
    )
    yield Comparison(
        f"{context.check}/exponent",
        Prediction(
            "exponent of what the steepest slope misses",
            "exponent",
            float(power_law_exponent(wide, [_missed(alpha) for alpha in wide])),
            f"{law.name}: {law.expr}, solver, fitted like the measurement",
        ),
        mean_over(np.asarray(power_law_exponent(wide, missed)), _method(), wide[-1]),
        tolerance=SIMULATED_TOLERANCE,
        rival=Rival("1/2, a correction in norm/alpha at a norm of sqrt(alpha)", 0.5),
        notes=(f"derived exponent {law.expr}; in this window less",),
    )


@check(
    "perceptron.elbow-simulated",
    statement="continued, the early power law reaches the least error at a norm that grows as alpha, at a quarter of it",
    laws=("perceptron.elbow",),
)
def elbow(context: Context) -> Iterator[Comparison]:
    """A line of slope one half through the steepest point, and the least error of a parabola, on the same data."""
    law = theory.law("perceptron.elbow")
    draws = context.pick(quick=8, full=160)
    rows = np.array(
        [[_place(context, alpha, draws, r) for alpha in _ELBOWS] for r in range(REPLICATES)]
    )
    yield Comparison(
        f"{context.check}/growth",
        Prediction(
            "growth exponent of the elbow",
            "exponent",
            -float(power_law_exponent(_ELBOWS, [_solved(alpha) for alpha in _ELBOWS])),
            f"{law.name}: {law.expr}, solver, read off like the measurement",
        ),
        mean_over(-np.asarray(power_law_exponent(_ELBOWS, rows)), _method(), _ELBOWS[-1]),
        tolerance=2 * EXPONENT_TOLERANCE,
        rival=Rival("sqrt(alpha), as the best norm for few samples", 0.5),
        notes=(f"derived exponent {law.expr}",),
    )
    if context.effort == "quick":
        return
    places = np.array([_place(context, _MANY, 60, REPLICATES + r) for r in range(REPLICATES)])
    yield Comparison(
        f"{context.check}/place",
        Prediction("norm of the elbow over alpha", "threshold", constant(law), law.name),
        mean_over(places / _MANY, _method(), _MANY),
        tolerance=ASYMPTOTIC_TOLERANCE,
        tolerance_kind="relative",
        rival=Rival("the best norm's", constant(theory.law("perceptron.gamma2"))),
        notes=(
            f"the law is for many samples; the solver read off alike has {_solved(_MANY) / _MANY:.4f}",
        ),
    )


def _method() -> str:
    return f"minimizers on drawn data, N = {_INPUTS}"


def _around(alpha: float) -> Array:
    """Return two norms around the one where the law has the slope steepest."""
    law = theory.law("perceptron.finite_alpha_slope")
    return float(law.evaluate("location", alpha=alpha)) * np.exp([-_APART, _APART])


def _steepest(context: Context, alpha: float, draws: int, replicate: int) -> float:
    """Measure the slope at the norm where the law has it steepest."""
    error = simulate.fixed_norm(
        _around(alpha),
        alpha=alpha,
        inputs=_INPUTS,
        draws=draws,
        rng=context.generator(f"steepest {alpha:g}", replicate),
    ).error.mean(axis=0)
    return float(power_law_exponent(_around(alpha), error))


def _missed(alpha: float) -> float:
    """Return by how much the solver's slope, between the same norms, misses one half."""
    error = np.asarray(solve.fixed_norm(alpha, _around(alpha)).error)
    return 0.5 - float(power_law_exponent(_around(alpha), error))


def _elbow_norms(alpha: float) -> Array:
    """Return the steepest point's norm, and three around the best one."""
    first = float(theory.law("perceptron.finite_alpha_slope").evaluate("location", alpha=alpha))
    best = constant(theory.law("perceptron.gamma2")) * alpha
    return np.append(first, best * np.array([0.5, 1.0, 2.0]))


def _place(context: Context, alpha: float, draws: int, replicate: int) -> float:
    """Measure the elbow of errors averaged over draws."""
    found = simulate.fixed_norm(
        _elbow_norms(alpha),
        alpha=alpha,
        inputs=_INPUTS,
        draws=draws,
        rng=context.generator(f"elbow {alpha:g}", replicate),
    )
    return _elbow(alpha, found.error.mean(axis=0))


def _solved(alpha: float) -> float:
    """Return the elbow of the solver's errors at the same norms."""
    return _elbow(alpha, np.asarray(solve.fixed_norm(alpha, _elbow_norms(alpha)).error))


def _elbow(alpha: float, error: Array) -> float:
    """Return where a slope of one half from the first error on reaches the least one."""
    before, middle, after = error[1:]
    bend = before - 2 * middle + after
    least = middle - (after - before) ** 2 / (8 * bend) if bend > 0 else error[1:].min()
    return float(_elbow_norms(alpha)[0] * (error[0] / least) ** 2)
