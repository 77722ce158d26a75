"""The ridge that takes the place of integrated modes, and the mode down to which they can be: against exact regression."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
from scipy.interpolate import PchipInterpolator

from ....arguments import Array
from ....solvers import renormalization as solve
from ....theory import law
from ...comparison import Comparison, Prediction, Rival
from ...estimate import advantage_from_pairs
from ...registry import Context, check
from ...simulate.learnability import regress_modes
from .._measured import mean_over

_CUTOFF, _RIDGE = 5, 0.05
_COEFFICIENT = 0.003  # absolute: half of what the naive ridge takes away from it at P = 60
_TIE = 0.05  # of logarithms of deviations
_MEASURED = 0.05  # relative, of a ridge: corrections of order 1/P
_SLOPE = 0.08  # absolute: modes between the cutoff and those that are learned, and whole numbers of modes
_GROUPS = 10


@check(
    "renormalization.ridge-flow",
    statement="a kernel cut off learns what the full one does at the ridge of the flow, and that ridge, measured, falls as the law says",
    laws=("renormalization.ridge_flow",),
    demo=True,
)
def ridge_flow(context: Context) -> Iterator[Comparison]:
    """Kernels cut off against the full one on the same data sets of Gaussian features."""
    eigenvalues = np.arange(1, 401.0) ** -2
    target = 1 / np.arange(1, _CUTOFF + 1)
    for samples in (60, 20):
        flow = solve.ridge_flow(eigenvalues, samples=samples, ridge=_RIDGE, cutoff=_CUTOFF)
        found = regress_modes(
            eigenvalues,
            target,
            samples,
            ridge=[_RIDGE, float(flow.ridge), float(flow.naive_ridge)],
            kept=[math.inf, _CUTOFF, _CUTOFF],
            modes=_CUTOFF,
            draws=context.pick(quick=200, full=4000),
            rng=context.generator("cutoff", samples),
        ).coefficients
        full, flowed, naive = (found[:, j] for j in range(3))
        method = f"exact regression on the same {samples} samples with 400 modes and with {_CUTOFF}"
        yield Comparison(
            f"{context.check}/coefficient-{samples}",
            Prediction(
                "coefficient on the third mode, full minus cut off",
                "threshold",
                0.0,
                "solvers.renormalization.ridge_flow",
            ),
            mean_over(full[:, 2] - flowed[:, 2], method, samples),
            tolerance=_COEFFICIENT,
            rival=Rival("all later modes as noise", float(np.mean(naive[:, 2] - flowed[:, 2]))),
        )
        measured, sign = advantage_from_pairs(
            np.linalg.norm(flowed - full, axis=1),
            np.linalg.norm(naive - full, axis=1),
            method=method,
            window=(float(samples), float(samples)),
        )
        yield Comparison(
            f"{context.check}/deviation-{samples}",
            Prediction(
                "log ratio of the coefficients' deviations, naive ridge over flow",
                "ranking",
                1.0,
                "solvers.renormalization.ridge_flow",
            ),
            measured,
            tolerance=_TIE,
            rival=Rival("the naive ridge is the better one", -1.0),
            notes=(f"sign test: p = {sign:.1e}",),
        )
    yield from _measured(context)


def _ridges(
    context: Context, samples: int, alpha: float, ridge: float, cutoffs: list[int]
) -> Array:
    """Return, for groups of data sets and cutoffs, the ridge at which the kernel cut off has the full one's coefficients on average."""
    eigenvalues = np.arange(1, 1201.0) ** -(1 + alpha)
    target = 1 / np.arange(1, _CUTOFF + 1)
    later = np.array([eigenvalues[cutoff:].sum() for cutoff in cutoffs])
    added = np.outer(later, [0.15, 0.25, 0.4, 0.65, 1.0, 1.6])
    found = np.empty((_GROUPS, len(cutoffs)))
    for group in range(_GROUPS):
        rows = regress_modes(
            eigenvalues,
            target,
            samples,
            ridge=[ridge, *(ridge + added.ravel())],
            kept=[math.inf, *np.repeat(cutoffs, added.shape[1])],
            modes=_CUTOFF,
            draws=context.pick(quick=12, full=100),
            rng=context.generator(f"measured-{samples}", group),
        ).coefficients
        missing = ((rows[:, :1] - rows[:, 1:]) @ target).mean(axis=0).reshape(added.shape)
        for j, row in enumerate(missing):  # more ridge leaves more of the target missing
            curve = PchipInterpolator(row, np.log(added[j]), extrapolate=False)
            found[group, j] = ridge + math.exp(float(curve(0.0)))
    return found


def _measured(context: Context) -> Iterator[Comparison]:
    """Measure the ridge itself: among few modes, and behind those that are learned, where it is a power of the cutoff."""
    samples, alpha, ridge = 60, 1.0, _RIDGE
    rows = _ridges(context, samples, alpha, ridge, [_CUTOFF])
    flow = solve.ridge_flow(
        np.arange(1, 1201.0) ** -2, samples=samples, ridge=ridge, cutoff=_CUTOFF
    )
    yield Comparison(
        f"{context.check}/ridge",
        Prediction(
            f"ridge with which {_CUTOFF} modes learn what all do",
            "threshold",
            float(flow.ridge),
            "solvers.renormalization.ridge_flow",
        ),
        mean_over(rows[:, 0], "interpolated between regressions at six ridges", samples),
        tolerance=_MEASURED,
        tolerance_kind="relative",
        rival=Rival("all later modes as noise", float(flow.naive_ridge)),
    )
    formula = law("renormalization.ridge_flow")
    samples, ridge, cutoffs = 24, 1e-3, [40, 160]
    added = _ridges(context, samples, alpha, ridge, cutoffs) - ridge
    slopes = np.log(added[:, 0] / added[:, 1]) / math.log(cutoffs[1] / cutoffs[0])
    yield Comparison(
        f"{context.check}/exponent",
        Prediction(
            "exponent with which the ridge of integrated modes falls with the cutoff",
            "exponent",
            float(formula(alpha=alpha)),
            formula.name,
            domain={"cutoff": (float(cutoffs[0]), math.inf)},
        ),
        mean_over(slopes, f"measured ridges at cutoffs {cutoffs[0]} and {cutoffs[1]}", samples),
        tolerance=_SLOPE,
        rival=Rival("the eigenvalue at the cutoff", 1 + alpha),
    )


@check(
    "renormalization.infrared-scale",
    statement="the last mode that is learned is proportional to the samples without a ridge, and to a root of them with one",
    laws=("renormalization.infrared_scale",),
)
def infrared_scale(context: Context) -> Iterator[Comparison]:
    """The number of the mode that is half learned, at two numbers of samples; alpha is one."""
    formula = law("renormalization.infrared_scale")
    for name, ridge, ladder, fading, count in (
        ("ridgeless", 1e-3, (24, 96), 4, 1000),
        ("ridge", 4.0, (40, 160), 0, 100),
    ):
        eigenvalues = np.arange(1, count + 1.0) ** -2
        found = np.array(
            [
                [
                    _half_learned(
                        regress_modes(
                            eigenvalues,
                            [1.0],
                            samples,
                            ridge=ridge,
                            modes=100,
                            draws=context.pick(quick=6, full=60),
                            rng=context.generator(f"{name}-{samples}", group),
                        ).learnability[:, 0]
                    )
                    for samples in ladder
                ]
                for group in range(_GROUPS)
            ]
        )
        slopes = np.log(found[:, 1] / found[:, 0]) / math.log(ladder[1] / ladder[0])
        window = float(ladder[1])
        exponent, other = (float(formula(alpha=1, rho=rho)) for rho in (fading, 4 - fading))
        yield Comparison(
            f"{context.check}/exponent-{name}",
            Prediction(
                "exponent of the mode that is half learned in the samples, sign reversed",
                "exponent",
                -exponent,
                formula.name,
                domain={"samples": (float(ladder[0]), math.inf)},
            ),
            mean_over(-slopes, f"odds of modes at {ladder[0]} and {ladder[1]} samples", window),
            tolerance=_SLOPE,
            rival=Rival("the other regime's", -other),
        )
        if name == "ridgeless":
            yield Comparison(
                f"{context.check}/mode",
                Prediction(
                    f"mode that is half learned from {ladder[1]} samples",
                    "threshold",
                    float(formula.evaluate("effective", alpha=1, P=ladder[1])),
                    f"{formula.name}, where P times the eigenvalue is the effective ridge",
                ),
                mean_over(found[:, 1], "odds of modes", window),
                tolerance=_MEASURED,
                tolerance_kind="relative",
                rival=Rival("the number of samples", float(ladder[1])),
            )


def _half_learned(learnability: Array) -> float:
    """Return the mode of even odds, by a line through the logarithms of odds of modes around it."""
    mean = learnability.mean(axis=0)
    near = np.flatnonzero((mean > 0.2) & (mean < 0.8))
    slope, level = np.polyfit(np.log(near + 1.0), np.log(mean[near] / (1 - mean[near])), 1)
    return math.exp(-level / slope)
