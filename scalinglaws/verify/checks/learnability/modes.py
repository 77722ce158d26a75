"""Mode by mode: regression on independent features against the effective ridge, and against the laws where they are sharp."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from ....arguments import Array
from ....solvers import learnability as solve
from ....solvers.spectra import EmpiricalSpectrum
from ....theory import law
from ...comparison import Comparison, Measurement, Prediction, Rival
from ...registry import Context, check
from ...simulate.learnability import regress_modes
from .._measured import mean_over

MODES, SHOWN = 400, 20
SAMPLES, RIDGE = 60, 0.05
_CURVE = 0.03  # relative: corrections of order 1/P at the modes that are half learned
_LOSS = 0.05  # relative: the same, doubled by the square
_HALF = 0.05  # relative, of samples
_SLOPE = 0.08  # absolute: the next term of the effective ridge at 24 samples and more


@check(
    "learnability.modes",
    statement="independent features are learned mode by mode as the effective ridge says, half of one at the samples that the law says, "
    "and what is left falls with its powers",
    laws=("learnability.mode", "learnability.half"),
    demo=True,
)
def regressed_modes(context: Context) -> Iterator[Comparison]:
    """Exact regression on Gaussian features; every replicate is a data set."""
    eigenvalues = np.arange(1, MODES + 1.0) ** -2
    yield from _curve(context, eigenvalues)
    yield from _half(context, eigenvalues)
    yield from _powers(context)


def _curve(context: Context, eigenvalues: Array) -> Iterator[Comparison]:
    """Learnability of twenty modes, and the test loss of a target on five of them with noise."""
    target, noise = np.zeros(MODES), 0.01
    target[:5] = 1 / np.arange(1, 6)
    found = regress_modes(
        eigenvalues,
        target,
        SAMPLES,
        ridge=RIDGE,
        noise_variance=noise,
        modes=SHOWN,
        draws=context.pick(quick=600, full=2000),
        rng=context.generator("curve", 0),
    )
    learned = found.learnability[:, 0]
    theory = solve.effective_ridge(eigenvalues, samples=SAMPLES, ridge=RIDGE)
    k = np.arange(1, SHOWN + 1.0)
    share = SAMPLES * eigenvalues[:SHOWN]
    method = f"exact regression on Gaussian features, P = {SAMPLES}, ridge {RIDGE:g}, {MODES} modes"
    yield Comparison(
        f"{context.check}/learnability",
        Prediction(
            "learnability of each mode",
            "curve",
            theory.learnability[:SHOWN],
            "solvers.learnability.effective_ridge",
            x=k,
        ),
        Measurement(
            learned.mean(axis=0),
            learned.std(axis=0, ddof=1) / math.sqrt(len(learned)),
            len(learned) - 1,
            len(learned),
            method,
            (1.0, float(SHOWN)),
        ),
        tolerance=_CURVE,
        rival=Rival("the ridge as it is given", share / (RIDGE + share)),
    )
    curve = solve.learning_curve(
        EmpiricalSpectrum(eigenvalues, target**2),
        samples=SAMPLES,
        ridge=RIDGE,
        noise_variance=noise,
    )
    still = curve.test_loss * (1 - curve.fluctuation) - curve.fluctuation * noise
    yield Comparison(
        f"{context.check}/loss",
        Prediction(
            "test loss of a target on five modes, with noise",
            "threshold",
            float(curve.test_loss),
            "solvers.learnability.learning_curve",
        ),
        mean_over(found.test_loss[:, 0], method, SAMPLES),
        tolerance=_LOSS,
        tolerance_kind="relative",
        rival=Rival("the bias alone", float(still)),
    )


def _half(context: Context, eigenvalues: Array) -> Iterator[Comparison]:
    """Samples at which half of a mode is learned: between two numbers of samples, by the odds on logarithmic scales."""
    for mode, ridge, quick in ((10, RIDGE, 600), (8, 1.0, 150)):
        draws = context.pick(quick=quick, full=3000)
        own = float(eigenvalues[mode - 1])
        theory = float(
            solve.samples_for_learnability(eigenvalues, ridge=ridge, mode_eigenvalue=own)
        )
        ladder = [round(0.75 * theory), round(1.3 * theory)]
        odds = []
        for samples in ladder:
            found = regress_modes(
                eigenvalues,
                [1.0],
                samples,
                ridge=ridge,
                modes=mode,
                draws=draws,
                rng=context.generator(f"half-{mode}", samples),
            ).learnability[:, 0, mode - 1]
            mean = float(found.mean())
            error = float(found.std(ddof=1)) / math.sqrt(found.size)
            odds.append((math.log(mean / (1 - mean)), error / (mean * (1 - mean))))
        (low, low_error), (high, high_error) = odds
        reach = math.log(ladder[1] / ladder[0])
        part = -low / (high - low)
        measured = ladder[0] * math.exp(part * reach)
        slope = (high - low) / reach
        error = measured / slope * math.hypot((1 - part) * low_error, part * high_error)
        measurement = Measurement(
            measured,
            error,
            2 * (draws - 1),
            2,
            f"odds of mode {mode} at {ladder[0]} and {ladder[1]} samples, ridge {ridge:g}",
            (float(ladder[0]), float(ladder[1])),
        )
        formula = law("learnability.half")
        for name, value, source in (
            ("half", theory, "solvers.learnability.samples_for_learnability"),
            (
                "half-law",
                float(formula.evaluate("samples", k=mode, alpha=1, sigma2=ridge)),
                f"{formula.name}, samples at a given ridge",
            ),
        ):
            yield Comparison(
                f"{context.check}/{name}-{mode}",
                Prediction(
                    f"samples at which half of mode {mode} is learned", "threshold", value, source
                ),
                measurement,
                tolerance=_HALF,
                tolerance_kind="relative",
                rival=Rival("the inverse eigenvalue, as published", 1 / own),
            )


def _powers(context: Context) -> Iterator[Comparison]:
    """What is left of the first modes at two numbers of samples: without ridge, and with one that the spectrum hardly adds to."""
    formula = law("learnability.mode")
    for name, alpha, ridge, fading, count, shown, quick in (
        # the ridge is what all modes beyond the last one come to: at up to 96 samples they are noise, as an infinite spectrum's are
        ("ridgeless", 1, 1 / 400, 4, 400, 2, 200),
        ("ridge", 3, 1.0, 0, 60, 1, 500),
    ):
        eigenvalues = np.arange(1, count + 1.0) ** -(1 + alpha)
        ladder, sets = (24, 96), context.pick(quick=quick, full=2000)
        logs, errors = [], []
        for samples in ladder:
            found = regress_modes(
                eigenvalues,
                [1.0],
                samples,
                ridge=ridge,
                modes=shown,
                draws=sets,
                rng=context.generator(f"power-{name}", samples),
            ).learnability[:, 0]
            left = (1 - found) @ eigenvalues[:shown]
            logs.append(math.log(float(left.mean())))
            errors.append(float(left.std(ddof=1)) / math.sqrt(sets) / float(left.mean()))
        reach = math.log(ladder[1] / ladder[0])
        exponent, other = (float(formula(alpha=alpha, rho=rho)) for rho in (fading, 4 - fading))
        yield Comparison(
            f"{context.check}/exponent-{name}",
            Prediction(
                "exponent with which what is left of the first modes falls",
                "exponent",
                exponent,
                formula.name,
                domain={"samples": (float(ladder[0]), math.inf)},
            ),
            Measurement(
                (logs[0] - logs[1]) / reach,
                math.hypot(*errors) / reach,
                2 * (sets - 1),
                2,
                f"exact regression on {count} Gaussian features, alpha = {alpha}, ridge {ridge:g}",
                (float(ladder[0]), float(ladder[1])),
            ),
            tolerance=_SLOPE,
            rival=Rival("the other regime's", other),
        )
