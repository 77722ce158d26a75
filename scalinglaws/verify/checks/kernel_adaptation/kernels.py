"""Adapted kernels on a data set: against sampled networks, and where networks are linear against the exact posterior."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from ....arguments import Array
from ....solvers import kernel_adaptation as solve
from ...comparison import Comparison, Prediction, Rival
from ...registry import Context, check
from ...rule import FAIL
from ...simulate.kernel_adaptation import PosteriorSample, sample_posterior
from .._measured import computed, mean_over
from .tolerances import known_data, unwarned

RIDGE, WIDTH = 0.2, 100
_MEAN_TOLERANCE = 0.02  # relative: half of what adaptation changes at the smaller scale
_COVARIANCE_TOLERANCE = 0.05  # relative: a tenth of the adaptation, room for the Gaussian ansatz
_KURTOSIS_TOLERANCE = 0.3  # absolute: a fifth of the way from one mode to two
_SLOPE_TOLERANCE = 0.03  # absolute: what is left of 1/N^2 at 100 neurons
_LINEAR_TOLERANCE = 5e-4  # relative: a fiftieth of what adaptation changes


def distance(first: Array, second: Array) -> float:
    """Return the length of a difference over that of the second."""
    return float(np.linalg.norm(first - second) / np.linalg.norm(second))


@check(
    "kernel_adaptation.adapted",
    statement="kernels that adapt give the mean and the weights of a sampled finite network, up to its weights not being Gaussian",
    no_law="the equations are solved on one data set; no power law follows from them",
)
def adapted(context: Context) -> Iterator[Comparison]:
    """A hundred error functions on twenty points; chains are replicates, and data hold no randomness."""
    inputs, targets = known_data()
    samples, dimension = inputs.shape
    for scale in (30.0, 100.0):
        theory = unwarned(
            solve.adapt,
            inputs,
            targets,
            layers=[WIDTH],
            activation="erf",
            scale=scale,
            ridge=RIDGE,
        )
        draws = context.pick(quick=150, full=1000)
        name = f"{scale:g}"
        found: PosteriorSample = sample_posterior(
            inputs,
            targets,
            neurons=WIDTH,
            ridge=RIDGE,
            scale=scale,
            chains=context.pick(quick=4, full=8),
            draws=draws,
            warmup=draws,
            rng=context.generator(name, 0),
        )
        method = (
            f"Hamiltonian Monte Carlo, N = {WIDTH}, n = {samples}, d = {dimension}, chi = {name}, "
            f"{draws} draws of each chain; largest R-hat {max(found.r_hat.values()):.3f}"
        )
        every = np.array([distance(theory.mean, mean) for mean in found.train_mean])
        lazy = distance(theory.nngp_mean, found.train_mean.mean(axis=0))
        source = "solvers.kernel_adaptation.adapt"
        yield Comparison(
            f"{context.check}/mean-{name}",
            Prediction(
                "relative distance of the sampled mean predictor from the adapted one",
                "threshold",
                0.0,
                source,
            ),
            mean_over(every, method, samples),
            tolerance=_MEAN_TOLERANCE,
            rival=Rival(
                "the mean of infinite width, whose distance would be",
                distance(theory.nngp_mean, theory.mean),
            ),
            notes=(f"distance of the sampled mean from that of infinite width: {lazy:.4f}",),
        )
        spread = dimension * np.mean(found.overlaps**2, axis=(1, 2))
        yield Comparison(
            f"{context.check}/weights-{name}",
            Prediction(
                "variance of weights along the target over the prior's, d Sigma_11",
                "threshold",
                dimension * float(theory.weight_covariance[0, 0]),
                source,
            ),
            mean_over(spread, method, samples),
            tolerance=_COVARIANCE_TOLERANCE,
            tolerance_kind="relative",
            rival=Rival("weights that do not adapt", 1.0),
        )
        fourth = (
            np.mean(found.overlaps**4, axis=(1, 2)) / np.mean(found.overlaps**2, axis=(1, 2)) ** 2
        )
        yield Comparison(
            f"{context.check}/kurtosis-{name}",
            Prediction("kurtosis of weights along the target", "threshold", 3.0, source),
            mean_over(fourth, method, samples),
            tolerance=_KURTOSIS_TOLERANCE,
            rival=Rival("two sharp modes", 1.0),
            expect=FAIL,
            expect_reason="weights that adapt are not Gaussian: the ansatz is what separates the other two comparisons from zero; "
            "solvers.kernel_adaptation.two_layer has the law of weights for Gaussian inputs",
        )


@check(
    "kernel_adaptation.exact-linear",
    statement="on linear networks of two layers, adapted kernels are off by 1/N: the posterior is known exactly",
    no_law="the order of a correction to equations that hold for wide networks; no scaling law of the theory",
)
def exact_linear(context: Context) -> Iterator[Comparison]:
    """Widths of three decades at the mean-field scale, against an integral over the readout's length."""
    inputs, targets = known_data()
    widths = (20, 100, 1000)
    errors, lazy, bounds = [], [], []
    for width in widths:
        theory = unwarned(
            solve.adapt,
            inputs,
            targets,
            layers=[width],
            activation="linear",
            scale=width,
            ridge=RIDGE,
        )
        exact = solve.exact_two_layer_linear(inputs, targets, width=width, scale=width, ridge=RIDGE)
        errors.append(distance(theory.mean, exact.mean))
        lazy.append(distance(theory.nngp_mean, exact.mean))
        # means are closer to the solution than the equations are, which are solved to their residual
        bounds.append(theory.diagnostics.residual + exact.diagnostics.error_estimate)
    told = ", ".join(f"{error:.2e} at {width}" for error, width in zip(errors, widths, strict=True))
    rate = float(np.log(errors[1] / errors[2]) / np.log(widths[2] / widths[1]))
    method = "one integral over the readout's length, 2000 points and more"
    yield Comparison(
        f"{context.check}/order",
        Prediction(
            "power of 1/N of the error of the mean, at chi = N",
            "exponent",
            1.0,
            "corrections to the saddle of N neurons",
            domain={"width": (100.0, np.inf)},
        ),
        computed(
            rate,
            (bounds[1] / errors[1] + bounds[2] / errors[2]) / float(np.log(10)),
            method,
            (100.0, 1000.0),
        ),
        tolerance=_SLOPE_TOLERANCE,
        rival=Rival("sampling noise of N neurons, 1/2", 0.5),
        evidence="exact",
        notes=(f"relative errors: {told}",),
    )
    yield Comparison(
        f"{context.check}/mean",
        Prediction(
            f"relative distance of the exact mean from the adapted one, N = {widths[1]}",
            "threshold",
            0.0,
            "solvers.kernel_adaptation.adapt",
        ),
        computed(errors[1], bounds[1], method, (float(widths[1]), float(widths[1]))),
        tolerance=_LINEAR_TOLERANCE,
        rival=Rival("the mean of infinite width, whose distance would be", lazy[1]),
        evidence="exact",
    )
