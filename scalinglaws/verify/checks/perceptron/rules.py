"""Errors of Hebb's rule, of largest stability and of Bayes' rule, which no rule can beat."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from .... import theory
from ....solvers import perceptron as solve
from ...comparison import Comparison, Prediction, Rival
from ...estimate import curve_from_replicates, local_exponent, measure, power_law_exponent
from ...registry import Context, check
from ...simulate import perceptron as simulate
from .._measured import mean_over
from .tolerances import (
    BAYES_TOLERANCE,
    EXPONENT_TOLERANCE,
    REPLICATES,
    SIMULATED_TOLERANCE,
    SOLVER_TOLERANCE,
    Array,
    constant,
)

_HEBB = (32.0, 128.0, 512.0)
_STUDENTS = (2.0, 8.0, 32.0)


@check(
    "perceptron.limits",
    statement="errors of Hebb's rule, of maximum stability and of Bayes' rule fall as powers of the samples; none is below Bayes'",
    laws=("perceptron.hebb", "perceptron.max_stability", "perceptron.bayes"),
    compiles=3.0,
)
def limits(context: Context) -> Iterator[Comparison]:
    """Exponents by the solver and in simulation, and the least error at fixed norm against the bound."""
    yield from _simulated(context)
    for name, curve, rival in (
        ("hebb", solve.hebb, "max_stability"),
        ("max_stability", solve.max_stability, "hebb"),
        ("bayes", solve.bayes, "hebb"),
    ):
        law, other = (theory.law(f"perceptron.{each}") for each in (name, rival))
        yield Comparison(
            f"{context.check}/{name.replace('_', '-')}",
            Prediction(
                "exponent of the error", "exponent", float(law()), f"{law.name}: {law.expr}"
            ),
            local_exponent(lambda alpha, curve=curve: curve(alpha).error, 1e6),  # type: ignore[misc]
            tolerance=SOLVER_TOLERANCE,
            rival=Rival(f"that of {rival.replace('_', ' ')}", float(other())),
            evidence="exact",
        )
    if context.effort == "quick":
        return
    alpha, inputs = 8.0, 100
    best, bound = solve.optimal_norm(alpha), float(solve.bayes(alpha).error)

    def replicate(r: int) -> Array:
        found = simulate.fixed_norm(
            float(best.norm) * np.array([0.25, 1.0]),  # the first on the way to the second
            alpha=alpha,
            inputs=inputs,
            draws=180,
            rng=context.generator("bound", r),
        )
        return np.asarray(found.error[:, 1:].mean(axis=0) / bound)

    yield Comparison(
        f"{context.check}/bound",
        Prediction(
            "error at the best norm over Bayes'",
            "curve",
            np.array([best.error / bound]),
            "solvers.perceptron.optimal_norm over bayes",
            x=np.array([alpha]),
        ),
        measure(
            replicate,
            lambda ratios: curve_from_replicates(
                [alpha], ratios, method=f"minimizers on drawn data, N = {inputs}"
            ),
            replicates=REPLICATES,
            tolerance=BAYES_TOLERANCE,
        ),
        tolerance=BAYES_TOLERANCE,
        rival=Rival("Gibbs' rule", np.array([float(solve.gibbs(alpha).error) / bound])),
    )


def _simulated(context: Context) -> Iterator[Comparison]:
    """Exponents and constants by drawn data: Hebb's rule by its sum, the others by students drawn from the version space."""
    law, inputs = theory.law("perceptron.hebb"), 32
    rows = np.array(
        [
            [
                simulate.fixed_norm(
                    0.0,
                    alpha=alpha,
                    inputs=inputs,
                    draws=context.pick(quick=8, full=80),
                    rng=context.generator(f"hebb {alpha:g}", r),
                ).error.mean()
                for alpha in _HEBB
            ]
            for r in range(REPLICATES)
        ]
    )
    fits = np.asarray(power_law_exponent(_HEBB, rows))
    yield Comparison(
        f"{context.check}/hebb-simulated",
        Prediction("exponent of the error", "exponent", float(law()), f"{law.name}: {law.expr}"),
        mean_over(fits, f"Hebb's rule on drawn data, N = {inputs}", _HEBB[-1]),
        tolerance=SIMULATED_TOLERANCE,
        rival=Rival("that of Bayes", float(theory.law("perceptron.bayes")())),
    )
    inputs = 16
    found = [
        [
            simulate.version_space(
                alpha,
                inputs=inputs,
                students=30,
                draws=context.pick(quick=8, full=80),
                rng=context.generator(f"students {alpha:g}", r),
            )
            for alpha in _STUDENTS
        ]
        for r in range(REPLICATES)
    ]
    bayes, stable = (
        np.array([[getattr(each, name).mean() for each in row] for row in found])
        for name in ("expected_error", "expected_stable_error")
    )
    method = f"students drawn from the version space, N = {inputs}"
    for name, rows, curve in (
        ("bayes", bayes, solve.bayes),
        ("max_stability", stable, solve.max_stability),
    ):
        law = theory.law(f"perceptron.{name}")
        solved = np.asarray(curve(_STUDENTS).error)
        yield Comparison(
            f"{context.check}/{name.replace('_', '-')}-simulated",
            Prediction(
                "exponent of the error",
                "exponent",
                float(power_law_exponent(_STUDENTS, solved)),
                f"{law.name}: {law.expr}, solver, fitted like the measurement",
            ),
            mean_over(np.asarray(power_law_exponent(_STUDENTS, rows)), method, _STUDENTS[-1]),
            tolerance=EXPONENT_TOLERANCE,
            rival=Rival("that of Hebb", float(theory.law("perceptron.hebb")())),
            notes=(f"derived exponent {law.expr} for many samples",),
        )
    one, other = (theory.law(f"perceptron.{name}") for name in ("max_stability", "bayes"))
    yield Comparison(
        f"{context.check}/ratio-simulated",
        Prediction(
            "error of largest stability over Bayes'",
            "threshold",
            constant(one) / constant(other),
            f"constants of {one.name} and {other.name}",
        ),
        mean_over(stable[:, -1] / bayes[:, -1], method, _STUDENTS[-1]),
        tolerance=BAYES_TOLERANCE,
        tolerance_kind="relative",
        rival=Rival("Gibbs' rule over Bayes', the root of two", 2**0.5),
    )
