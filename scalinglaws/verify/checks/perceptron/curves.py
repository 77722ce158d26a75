"""Errors at fixed norm against simulation, and against each other."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from .... import theory
from ....solvers import perceptron as solve
from ...comparison import Comparison, Measurement, Prediction, Rival
from ...estimate import curve_from_replicates, measure
from ...registry import Context, check
from ...simulate import perceptron as simulate
from .tolerances import (
    COLLAPSE_TOLERANCE,
    CURVE_TOLERANCE,
    RATIO_TOLERANCE,
    REPLICATES,
    Array,
    constant,
)

_NORMS = (0.5, 2.0, 8.0)


@check(
    "perceptron.learning-curves",
    statement="the error of perceptrons at a fixed norm follows the replica equations, for Gaussian and for binary inputs",
    no_law="the solver's curves at finite alpha, where no power law holds",
)
def learning_curves(context: Context) -> Iterator[Comparison]:
    """Three numbers of samples (one, of binary inputs in a quick run); the rival is any student without a training error."""
    inputs, alphas = 100, (0.5, 2.0, 8.0)
    for distribution in ("gaussian", "binary"):
        for alpha in alphas if distribution == "gaussian" or context.effort == "full" else (2.0,):

            def replicate(r: int, alpha: float = alpha, distribution: str = distribution) -> Array:
                found = simulate.fixed_norm(
                    _NORMS,
                    alpha=alpha,
                    inputs=inputs,
                    distribution=distribution,
                    draws=context.pick(quick=6, full=60),
                    rng=context.generator(f"{distribution} {alpha:g}", r),
                )
                return np.asarray(found.error.mean(axis=0))

            curve = np.asarray(solve.fixed_norm(alpha, _NORMS).error)
            yield Comparison(
                f"{context.check}/{distribution}-{alpha:g}",
                Prediction(
                    "generalization error against the norm",
                    "curve",
                    curve,
                    "solvers.perceptron.fixed_norm",
                    x=np.array(_NORMS),
                ),
                measure(
                    replicate,
                    lambda errors: curve_from_replicates(
                        _NORMS, errors, method=f"L-BFGS on drawn data, N = {inputs}"
                    ),
                    replicates=REPLICATES,
                    tolerance=CURVE_TOLERANCE * curve,
                ),
                tolerance=CURVE_TOLERANCE,
                tolerance_kind="relative",
                rival=Rival(
                    "a student at random that makes no error on its data",
                    np.full(curve.size, float(solve.gibbs(alpha).error)),
                ),
            )


@check(
    "perceptron.collapse",
    statement="errors at many samples fall on one curve against the norm over its best",
    no_law="the solver at finite alpha against its own limit; its constants belong to perceptron.gamma2 and perceptron.combined",
    demo=True,
)
def collapse(context: Context) -> Iterator[Comparison]:
    """Two decades of norms around the best, at a thousand samples per input."""
    x, alpha = np.geomspace(0.1, 10, 13), 1000.0
    best = solve.optimal_norm(alpha)
    curve = np.asarray(solve.master_curve(x).ratio)
    found = np.asarray(solve.fixed_norm(alpha, x * best.norm).error) / best.error
    early = theory.law("perceptron.gamma1")
    combined = theory.law("perceptron.combined")
    power = constant(early) * (x * best.norm) ** -float(early())
    yield Comparison(
        f"{context.check}/solver",
        Prediction(
            "error over the least, against the norm over the best",
            "curve",
            curve,
            "solvers.perceptron.master_curve",
            x=x,
            domain={"x": (0.1, 10.0)},
        ),
        Measurement(
            found,
            1e-9 * curve,
            None,
            1,
            f"solver at alpha = {alpha:g}",
            (0.1, 10.0),
            deterministic=True,
        ),
        tolerance=COLLAPSE_TOLERANCE,
        rival=Rival(
            "the early power law throughout",
            power / float(combined.evaluate("relative_error", alpha=alpha)),
        ),
        evidence="exact",
    )


@check(
    "perceptron.gradient-flow",
    statement="training without constraint passes the minimizers at fixed norm at a distance that vanishes at large norm",
    no_law="a ratio of two curves of the solver",
    effort="full",
)
def gradient_flow(context: Context) -> Iterator[Comparison]:
    """On the same data, at 100 samples per input; the rival is that training follows the minimizers themselves."""
    norms, alpha, inputs = (0.5, 1.0, 2.0, 5.0), 100.0, 50
    predicted = solve.gradient_flow(norms)
    ratio = np.asarray(predicted.error_ratio)

    def replicate(r: int) -> Array:
        found = simulate.gradient_flow(
            norms,
            alpha=alpha,
            inputs=inputs,
            draws=context.pick(quick=1, full=6),
            rng=context.generator("flow", r),
        )
        return np.asarray((found.error / found.error_fixed_norm).mean(axis=0))

    yield Comparison(
        f"{context.check}/error",
        Prediction(
            "error of gradient flow over that at fixed norm, against the norm",
            "curve",
            ratio,
            "solvers.perceptron.gradient_flow, many samples",
            x=np.array(norms),
        ),
        measure(
            replicate,
            lambda ratios: curve_from_replicates(
                norms, ratios, method=f"flow and L-BFGS on the same data, N = {inputs}"
            ),
            replicates=REPLICATES,
            tolerance=RATIO_TOLERANCE * ratio,
        ),
        tolerance=RATIO_TOLERANCE,
        rival=Rival("the minimizers at fixed norm", np.ones(ratio.size)),
        notes=(f"the prediction is for many samples; the simulation has {alpha:g} per input",),
    )
