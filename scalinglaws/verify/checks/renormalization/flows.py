"""Where couplings flow: modes integrated out of one datum by quadrature, and shells of functions on a grid by determinants."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from ....arguments import Array
from ....solvers import renormalization as solve
from ....theory import law
from ...comparison import Comparison, Measurement, Prediction, Rival
from ...registry import Context, check
from ...simulate.renormalization import (
    integrate_modes,
    integrate_shell,
    orthogonal_features,
    sample_likelihood,
)
from .._measured import computed, mean_over

_COUPLINGS = 1e-5  # relative: differences of the toy's potential
_POSITION = 2e-3  # relative: what is left of the approach at a scale of 7/alpha is exp(-7)
_RATE = 0.01  # relative: corrections of order exp(-6)
_LOOP = (
    0.05  # of coefficients of order one: functions that vary over the residual as over the shell
)
_GROWTH = 0.1  # absolute: 32 random functions on 2048 points, in units of the conserving term
_SAMPLED = 0.03  # of exponents: absolute, relative above one; corrections of order exp(-4)
_REPLICATES, _SHELLS = 12, 16
_STARTS = ((0.5, 0.2), (0.05, 1.0), (2.0, 0.01), (0.0, 3.0), (0.3, 0.0, 0.5))


@check(
    "renormalization.fixed-points",
    statement="modes integrated out of one datum, by quadrature or drawn, leave couplings that end at the ridge they make, as the law says",
    laws=("renormalization.stable_exponents",),
)
def fixed_points(context: Context) -> Iterator[Comparison]:
    """A toy of one datum, shell by shell and by sampling: couplings, where they end from several starts, and how they get there."""
    yield from _couplings(context)
    yield from _sampled(context)
    formula = law("renormalization.stable_exponents")
    for alpha in (0.5, 1.0):
        (ridge,) = (point for point in solve.fixed_points(alpha) if point.name == "ridge")
        scales = np.array([6.0, 7.0]) / alpha
        variances = (np.exp(alpha * scales) - 1) / alpha
        growth = np.exp(alpha * scales)
        starts = _STARTS[: context.pick(quick=3, full=len(_STARTS))]
        found = [integrate_modes(start, variances) for start in starts]
        ends = np.array([2 * each.quadratic * growth for each in found])
        quartic = np.abs([12 * each.quartic * growth**2 for each in found])
        blur = np.array([each.quartic_error / np.abs(each.quartic) for each in found])
        spread = np.array([2 * each.quadratic_error * growth for each in found])
        worst = int(np.argmax(np.abs(ends[:, 1] - ridge.quadratic)))
        window = (float(scales[0]), float(scales[1]))
        method = f"quadrature of one datum shell by shell, {len(starts)} starts; the farthest"
        yield Comparison(
            f"{context.check}/position-{alpha:g}",
            Prediction(
                "dimensionless quadratic coupling at the end",
                "threshold",
                ridge.quadratic,
                "solvers.renormalization.fixed_points, ridge",
                domain={"scale": (window[1], math.inf)},
            ),
            computed(float(ends[worst, 1]), float(spread[worst, 1]), method, window),
            tolerance=_POSITION,
            tolerance_kind="relative",
            rival=Rival(
                "the zero of negative quartic coupling",
                float(formula.evaluate("quartic_R", alpha=alpha)),
            ),
            evidence="exact",
        )
        left = np.abs(ends - ridge.quadratic)
        for name, form, rows, errors, other in (
            ("quadratic", "ridge_2", left, spread / left, "ridge_1"),
            ("quartic", "ridge_1", quartic, blur, "trivial_2"),
        ):
            step = scales[1] - scales[0]
            rates = -np.log(rows[:, 1] / rows[:, 0]) / step
            predicted = -float(formula.evaluate(form, alpha=alpha))
            worst = int(np.argmax(np.abs(rates - predicted)))
            yield Comparison(
                f"{context.check}/{name}-{alpha:g}",
                Prediction(
                    f"exponent with which the {name} coupling's deviation falls",
                    "exponent",
                    predicted,
                    formula.name,
                    domain={"scale": (window[0], math.inf)},
                ),
                computed(float(rates[worst]), float(errors[worst].sum() / step), method, window),
                tolerance=_RATE,
                tolerance_kind="relative",
                rival=Rival("another exponent", -float(formula.evaluate(other, alpha=alpha))),
                evidence="exact",
            )


def _couplings(context: Context) -> Iterator[Comparison]:
    """Compare couplings at several variances with the convolution's, and with a flow that keeps two of them."""
    start, variances = [0.5, 0.2], np.array([0.05, 0.2, 1.0, 5.0])
    found = integrate_modes(start, variances)
    theory = solve.convolved_likelihood(start, variance=variances)
    cut = solve.truncated_flow(start, variance=variances)
    for name, rows, errors, predicted, rival in (
        (
            "quadratic",
            found.quadratic,
            found.quadratic_error,
            theory.quadratic,
            cut.couplings[0],
        ),
        ("quartic", found.quartic, found.quartic_error, theory.quartic, cut.couplings[1]),
    ):
        yield Comparison(
            f"{context.check}/{name}",
            Prediction(
                f"{name} coupling against the variance of integrated modes",
                "curve",
                np.asarray(predicted),
                "solvers.renormalization.convolved_likelihood",
                x=variances,
            ),
            Measurement(
                rows,
                errors,
                None,
                1,
                "quadrature of one datum, derivatives by differences",
                (float(variances[0]), float(variances[-1])),
                deterministic=True,
            ),
            tolerance=_COUPLINGS,
            rival=Rival("a flow cut off at the quartic coupling", np.asarray(rival)),
            evidence="exact",
        )


def _sampled(context: Context) -> Iterator[Comparison]:
    r"""Draw the modes instead: couplings are cumulants of their sum f at the datum.

    Integrated over f of variance s, :math:`p_s(\Delta) = \langle p_0(\Delta + f)\rangle` has the logarithm
    :math:`-\Delta^2/2s + \sum_n \kappa_n \Delta^n/(n!\,s^n)`, with the cumulants of f under its posterior at zero residual.
    """
    formula = law("renormalization.stable_exponents")
    for alpha in (0.5, 1.0):
        scales = np.array([4.0, 7.0]) / alpha
        found = np.array(
            [
                [
                    _drawn_couplings(
                        alpha,
                        scale,
                        context.pick(quick=4000, full=40_000),
                        context.generator(f"drawn {alpha:g} {scale:g}", r),
                    )
                    for scale in scales
                ]
                for r in range(_REPLICATES)
            ]
        )
        position = float(formula.evaluate("ridge_R", alpha=alpha))
        method = f"{_SHELLS} shells of modes drawn from the posterior of one datum, quartic loss"
        yield Comparison(
            f"{context.check}/drawn-position-{alpha:g}",
            Prediction(
                "dimensionless quadratic coupling at the end",
                "threshold",
                position,
                f"{formula.name}, form ridge_R",
            ),
            mean_over(found[:, 1, 0], method, float(scales[1])),
            tolerance=_POSITION,
            tolerance_kind="relative",
            rival=Rival(
                "the zero of negative quartic coupling",
                float(formula.evaluate("quartic_R", alpha=alpha)),
            ),
        )
        left = np.abs(found - [position, 0.0])
        rates = np.log(left[:, 0] / left[:, 1]) / (scales[1] - scales[0])
        for i, (name, form, other) in enumerate(
            (("quadratic", "ridge_2", "ridge_1"), ("quartic", "ridge_1", "trivial_2"))
        ):
            predicted = -float(formula.evaluate(form, alpha=alpha))
            yield Comparison(
                f"{context.check}/drawn-{name}-{alpha:g}",
                Prediction(
                    f"exponent with which the {name} coupling's deviation falls",
                    "exponent",
                    predicted,
                    formula.name,
                ),
                mean_over(rates[:, i], method, float(scales[1])),
                tolerance=_SAMPLED * max(1.0, predicted),
                rival=Rival("another exponent", -float(formula.evaluate(other, alpha=alpha))),
            )


def _drawn_couplings(
    alpha: float, scale: float, draws: int, rng: np.random.Generator
) -> tuple[float, float]:
    """Return both dimensionless couplings of a quartic loss after all modes down to a scale have been drawn."""
    edges = np.linspace(0.0, scale, _SHELLS + 1)
    variances = np.diff(np.exp(alpha * edges) / alpha)
    total = float(variances.sum())
    drawn = sample_likelihood(
        np.ones((1, _SHELLS)),
        [0.0],
        eigenvalues=variances,
        couplings=[0.0, 1.0],
        modes=1,
        chains=2,
        draws=draws,
        warmup=50,
        rng=rng,
    )
    # the mean of a mode, given the sum at the datum, is its share of the variance
    values = drawn.modes[..., 0].ravel() * (total / float(variances[0]))
    second = float(np.mean(values**2))
    fourth = float(np.mean(values**4)) - 3 * second**2
    growth = math.exp(alpha * scale)
    return (
        (1 - second / total) / total * growth,
        -fourth / (2 * total**4) * growth**2,
    )


def _terms(features: Array, variances: Array, quadratic: float) -> tuple[float, Array]:
    r"""Measure what a shell adds to the action, to the second order in u.

    Returns the coefficient of :math:`u\int\Delta^2` over :math:`6\sum G`, and those of :math:`u^2\int\Delta^4` and
    :math:`u^2(\int\Delta^2)^2` over :math:`-36\sum G^2`, by residuals of different widths.
    """
    angles = 2 * np.pi * np.arange(len(features)) / len(features)
    residuals = np.stack(
        [np.exp(width * np.cos(angles - width)) for width in (0.0, 0.5, 1.0, 2.0, 3.0)], axis=1
    )
    residuals /= np.sqrt(np.mean(residuals**2, axis=0))
    free = variances / (1 + 2 * quadratic * variances)
    steps = 1e-3 / free.sum() * np.arange(1, 5)
    loops = np.array(
        [
            integrate_shell(features, variances, residuals, quadratic=quadratic, quartic=u).loop
            for u in steps
        ]
    )
    series = np.linalg.solve(np.vander(steps, 5, increasing=True)[:, 1:], loops)
    fourth = np.mean(residuals**4, axis=0)
    structure = np.stack([fourth, np.ones_like(fourth)], axis=1)
    second: Array = np.linalg.lstsq(structure, series[1], rcond=None)[0]
    return float(series[0].mean() / (6 * free.sum())), second / (-36 * np.sum(free**2))


@check(
    "renormalization.shells",
    statement="a shell of functions in general adds no quartic coupling, one of waves what the conserving flow says, both the same ridge",
    laws=("renormalization.no_wilson_fisher",),
)
def shells(context: Context) -> Iterator[Comparison]:
    """Determinants of a shell on a grid, differentiated by the quartic coupling, for random functions and for waves."""
    alpha, replicates = 0.5, context.pick(quick=6, full=24)
    generic = np.arange(33, 65.0) ** -(1 + alpha)
    stiff = 0.25 / float(generic[0])  # a propagator of two thirds
    rows = np.array(
        [
            np.hstack(
                _terms(
                    orthogonal_features(
                        2048, generic.size, basis="random", rng=context.generator("random", r)
                    ),
                    generic,
                    stiff,
                )
            )
            for r in range(replicates)
        ]
    )
    ridge, quartic = _recursion(generic, stiff, "generic")
    method = f"determinants of {generic.size} random functions on 2048 points"
    bare = float(np.sum(generic) / np.sum(generic / (1 + 2 * stiff * generic)))
    for i, (name, told, predicted, rival) in enumerate(
        (
            (
                "ridge-generic",
                "quadratic coupling that a shell adds, over 6 u sum G",
                ridge,
                Rival("without the quadratic coupling in G", bare),
            ),
            (
                "quartic-generic",
                "quartic coupling that a shell adds, over -36 u^2 sum G^2",
                quartic,
                Rival("the conserving flow", 1.0),
            ),
            (
                "square-generic",
                "coupling of the squared mean square, over -36 u^2 sum G^2, all of the second order",
                1.0 - quartic,
                Rival("none", 0.0),
            ),
        )
    ):
        yield Comparison(
            f"{context.check}/{name}",
            Prediction(
                told, "threshold", predicted, "solvers.renormalization.shell_recursion, generic"
            ),
            mean_over(rows[:, i], method, 2048),
            tolerance=_LOOP if i == 0 else _GROWTH,
            rival=rival,
        )
    yield _growth(context, rows[:, 1], alpha)
    yield from _waves(context, alpha)


def _recursion(variances: Array, quadratic: float, momentum: str) -> tuple[float, float]:
    r"""Return what the recursion adds to both couplings, over :math:`6u\sum G` and :math:`-36u^2\sum G^2`."""
    free = variances / (1 + 2 * quadratic * variances)
    u = 1e-5 / float(free.sum())
    found = solve.shell_recursion(quadratic, u, eigenvalues=variances, cutoff=0, momentum=momentum)
    return (
        (float(found.quadratic) - quadratic) / (6 * u * float(free.sum())),
        (float(found.quartic) - u) / (-36 * u * u * float(np.sum(free**2))),
    )


def _growth(context: Context, quartic: Array, alpha: float) -> Comparison:
    """Turn the quartic coupling that is left into the exponent of the dimensionless one, where the conserving term takes a third."""
    formula = law("renormalization.no_wilson_fisher")
    taken, octave = 1 / 3, math.log(2)
    exponent = float(formula(alpha=alpha))
    # 12 u Lambda lambda^2 between the modes 2k and k
    propagators = np.array([2.0, 1.0]) ** -(1 + alpha)
    counted = (2 * np.log(propagators[1] / propagators[0]) - octave) / octave
    rows = counted + np.log(1 - taken * quartic) / octave
    return Comparison(
        f"{context.check}/growth",
        Prediction(
            "exponent with which the dimensionless quartic coupling grows, sign reversed",
            "exponent",
            -exponent,
            formula.name,
        ),
        mean_over(
            -rows, "the coupling over an octave, from determinants of random functions", 2048
        ),
        tolerance=_GROWTH,
        rival=Rival("the conserving flow", -(exponent + math.log(1 - taken) / octave)),
    )


def _waves(context: Context, alpha: float) -> Iterator[Comparison]:
    """Waves, whose pairs rebuild the quartic coupling."""
    first, last = 101, 501
    waves = orthogonal_features(1024, last + 1)[:, first:]  # whole pairs of cosine and sine
    variances = np.arange(first, last + 1.0) ** -(1 + alpha)
    tadpole, (local, square) = _terms(waves, variances, 0.0)
    ridge, quartic = _recursion(variances, 0.0, "conserving")
    method = f"determinants of waves {first} to {last} on 1024 points"
    for name, told, value, predicted, rival in (
        (
            "ridge-waves",
            "quadratic coupling that a shell of waves adds, over 6 u sum G",
            tadpole,
            ridge,
            Rival("one pairing of the six", 1 / 6),
        ),
        (
            "quartic-waves",
            "quartic coupling that a shell of waves adds, over -36 u^2 sum G^2",
            float(local),
            quartic,
            Rival("functions in general", 0.0),
        ),
        (
            "square-waves",
            "coupling of the squared mean square from waves, over -36 u^2 sum G^2",
            float(square),
            1.0 - quartic,
            Rival("functions in general", 1.0),
        ),
    ):
        yield Comparison(
            f"{context.check}/{name}",
            Prediction(
                told, "threshold", predicted, "solvers.renormalization.shell_recursion, conserving"
            ),
            computed(value, 1e-4, method, (float(first), float(last))),
            tolerance=_LOOP,
            rival=rival,
            evidence="exact",
        )
