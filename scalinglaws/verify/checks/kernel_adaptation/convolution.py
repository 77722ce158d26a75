"""A linear convolutional network whose filters adapt: against sampled networks, and its law at sizes that no network has."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np
from scipy.optimize import brentq

from ....arguments import Array
from ....solvers import kernel_adaptation as solve
from ....theory import law
from ...comparison import Comparison, Prediction, Rival
from ...estimate import local_exponent
from ...registry import Context, check
from ...rule import FAIL, PASS
from ...simulate.kernel_adaptation import convolutional_posterior
from .._measured import computed, mean_over

SIZES: dict[str, Any] = {
    "patches": 6,
    "patch_size": 10,
    "channels": 400,
    "ridge": 0.05,
    "scale": 100.0,
}
FEW, ENOUGH = 25, 45
"""Samples: fewer than half of the 60 dimensions, for which the equations are not meant, and three quarters of them."""
_SAMPLED_TOLERANCE = 0.05  # absolute, of learnability: a quarter of what adaptation adds
_RESOLVED = 0.02  # absolute: a tenth of that, where hundreds of data sets are averaged
_VARIANCE_TOLERANCE = 0.1  # relative: channels are 40 times as many as a filter's entries
_LIMIT = 5e10  # dimension: filters along the target are inflated 700-fold there
_EXPONENT_TOLERANCE = 2e-3  # absolute: what is left of one over that inflation
_CONSTANT_TOLERANCE = 5e-3  # relative: the same
_TOO_FEW = "fewer samples than half of the dimensions: deterministic equivalents for large sizes promise too much to a network of 60 inputs"


def sampled(context: Context, samples: int, sets: int) -> tuple[Array, float]:
    """Return learnability and variances of filters, a row for each data set, and the largest R-hat."""
    rows, agreement = [], 0.0
    for r in range(sets):
        found = convolutional_posterior(
            samples,
            chains=2,
            draws=context.pick(quick=80, full=200),
            warmup=context.pick(quick=100, full=200),
            rng=context.generator(f"{samples}", r),
            **SIZES,
        )
        rows.append(
            [float(each.mean()) for each in (found.learnability, found.along, found.across)]
        )
        agreement = max(agreement, *found.r_hat.values())
    return np.array(rows), agreement


@check(
    "kernel_adaptation.convolution",
    statement="a linear convolutional network learns what the free energy and its closed form say, where lazy filters learn less",
    laws=("kernel_adaptation.cnn_sample_complexity",),
)
def adapted_filters(context: Context) -> Iterator[Comparison]:
    """Sampled networks of 60 inputs with enough samples and, at full effort, with too few; then the power of the law far out."""
    for samples, sets in ((ENOUGH, context.pick(quick=24, full=48)), (FEW, 200)):
        if samples == FEW and context.effort == "quick":
            continue
        theory = solve.linear_cnn(samples=samples, directions="all", **SIZES)
        rows, agreement = sampled(context, samples, sets)
        method = (
            f"Hamiltonian Monte Carlo of {SIZES['channels']} channels on {SIZES['patches']} patches of size "
            f"{SIZES['patch_size']}, P = {samples}; one data set and teacher per replicate; largest R-hat {agreement:.3f}"
        )
        lazy = float(theory.lazy_learnability)
        source, expect = "solvers.kernel_adaptation.linear_cnn", FAIL if samples == FEW else PASS
        reason = _TOO_FEW if samples == FEW else None
        yield Comparison(
            f"{context.check}/learnability-{samples}",
            Prediction(
                "learnability of the target", "threshold", float(theory.learnability), source
            ),
            mean_over(rows[:, 0], method, samples),
            tolerance=_RESOLVED if samples == FEW else _SAMPLED_TOLERANCE,
            rival=Rival("lazy filters", lazy),
            expect=expect,
            expect_reason=reason,
            notes=(
                f"variance of filters across the target {rows[:, 2].mean():.4f}, "
                f"in theory {float(theory.inflation_across):.4f}",
            ),
        )
        if samples == FEW:
            continue
        yield Comparison(
            f"{context.check}/closed-form-{samples}",
            Prediction(
                "learnability of the target, 1 - P_*/P",
                "threshold",
                1 - float(theory.threshold) / samples,
                "kernel_adaptation.cnn_sample_complexity, at the solver's effective ridge",
            ),
            mean_over(rows[:, 0], method, samples),
            tolerance=_SAMPLED_TOLERANCE,
            rival=Rival("lazy filters", lazy),
        )
        yield Comparison(
            f"{context.check}/variance-{samples}",
            Prediction(
                "variance of filters along the target over the prior's",
                "threshold",
                float(theory.inflation),
                source,
            ),
            mean_over(rows[:, 1], method, samples),
            tolerance=_VARIANCE_TOLERANCE,
            tolerance_kind="relative",
            rival=Rival("lazy filters", 1.0),
        )
    yield from _law(context)


def _half(dimension: float) -> tuple[float, float]:
    """Return the samples at which half of the target is learned, and the effective ridge there; sizes grow as roots of d."""
    a = round(math.sqrt(dimension / 500))
    sizes: dict[str, Any] = {"channels": 1000 * a, "patches": 10 * a, "patch_size": 50 * a}

    def excess(log_samples: float) -> float:
        found = solve.linear_cnn(samples=math.exp(log_samples), ridge=1.0, scale=100.0, **sizes)
        return float(found.learnability) - 0.5

    center = math.log(3 * (500.0 * a**2) ** 0.75)
    root = math.exp(brentq(excess, center - 2, center + 2, xtol=1e-12))
    return root, float(
        solve.linear_cnn(samples=root, ridge=1.0, scale=100.0, **sizes).effective_ridge
    )


def _law(context: Context) -> Iterator[Comparison]:
    """The three quarters, and the constant, with channels and patches that grow as the root of the dimension."""
    formula = law("kernel_adaptation.cnn_sample_complexity")
    assert formula.constant is not None
    exponent = float(formula(c=0.5))
    domain = {"dimension": (_LIMIT, np.inf)}

    def samples(d: Any) -> Array:
        return np.array([_half(float(each))[0] for each in d])

    yield Comparison(
        f"{context.check}/exponent",
        Prediction(
            "exponent of samples of half learnability in d, 2 d^(1/2) channels and more, sign reversed",
            "exponent",
            -exponent,
            formula.name,
            domain=domain,
        ),
        local_exponent(samples, _LIMIT),
        tolerance=_EXPONENT_TOLERANCE,
        rival=Rival("lazy filters, d", -1.0),
        evidence="exact",
    )
    half, ridge = _half(_LIMIT)
    values = {"kappa": ridge, "chi": 100.0}
    constant = float(
        formula.constant.subs(
            {symbol: values[str(symbol)] for symbol in formula.constant.free_symbols}
        )
    )
    channels = 1000 * math.sqrt(_LIMIT / 500)
    yield Comparison(
        f"{context.check}/constant",
        Prediction(
            "samples of half learnability over (Cd)^(1/2)",
            "threshold",
            2 * constant,
            f"{formula.name}: 1 - P_*/P is one half at 2 P_*",
            domain=domain,
        ),
        computed(
            half / math.sqrt(channels * _LIMIT),
            1e-8,
            f"solvers.kernel_adaptation.linear_cnn at d = {_LIMIT:.0e}",
            (_LIMIT, _LIMIT),
        ),
        tolerance=_CONSTANT_TOLERANCE,
        tolerance_kind="relative",
        rival=Rival("half is learned at P_*", constant),
        evidence="exact",
    )
