"""The dictionary between the cost of an alignment and its samples: read in both directions, and its law."""

from __future__ import annotations

import math
from collections.abc import Iterator
from fractions import Fraction
from typing import Any

import numpy as np

from ....solvers import kernel_adaptation as solve
from ....theory import law
from ...comparison import Comparison, Prediction, Rival
from ...estimate import local_exponent
from ...registry import Context, check
from .._measured import computed
from .tolerances import unwarned

_SAME = 1e-8  # relative and absolute: two solvers of the same equations, on different quadratures
_SLOPE = 1e-6  # relative: a derivative by differences
_LARGE = 1e7  # dimension
_LAW_TOLERANCE = 1e-5  # of exponent and, relative, constant: corrections are of order (Nd)^(-1/2)

CASES: dict[str, tuple[float, float, dict[str, Any]]] = {
    "cubic": (0.5, 1.0, {"dimension": 100, "width": 100, "degree": 3}),
    "wide": (0.5, 1.0, {"dimension": 30, "width": 900, "degree": 3}),
    "linear": (0.5, 1.0, {"dimension": 100, "width": 1000, "scale": 1000.0, "degree": 1}),
    "narrow": (0.9, math.sqrt(6), {"dimension": 20, "width": 20, "degree": 3}),
}
"""Alignment, target, and sizes of a network."""


@check(
    "kernel_adaptation.dictionary",
    statement="a cost gives the samples that align a network, and the mean-field equations at these samples give alignment and cost",
    laws=("kernel_adaptation.alignment_samples",),
    demo=True,
    compiles=2.0,
    evidence="exact",
)
def both_ways(context: Context) -> Iterator[Comparison]:
    """To samples by the dictionary and back by the dual of `two_layer`, then a derivative, several features, and large sizes."""
    source = "solvers.kernel_adaptation.samples_for_alignment"
    for name, (alignment, target, given) in CASES.items():
        sizes = {key: value for key, value in given.items() if key != "degree"}
        degree = given["degree"]
        found = solve.samples_for_alignment(alignment, target=target, **given)
        samples = float(found.samples_per_ridge)
        lazy = float(solve.samples_for_alignment(1e-7, target=target, **given).variance)
        back = unwarned(
            solve.two_layer,
            [target],
            degrees=[degree],
            ridge_per_sample=1 / samples,
            perpendicular="concentrated",
            **sizes,
        )
        method, window = (
            f"two_layer at kappa' = {1 / samples:.4g}: Newton steps on its dual",
            (samples, samples),
        )
        yield Comparison(
            f"{context.check}/alignment-{name}",
            Prediction("alignment at the dictionary's samples", "threshold", alignment, source),
            computed(
                back.learnability,
                back.diagnostics.error_estimate + 1e-12,
                method,
                window,
            ),
            tolerance=_SAME,
            rival=Rival("of a kernel that does not adapt", lazy / (lazy + 1 / samples)),
            evidence="exact",
        )
        scale = float(sizes.get("scale", 1.0))
        missing = float(np.sum((back.target - back.mean) ** 2))
        yield Comparison(
            f"{context.check}/cost-{name}",
            Prediction(
                f"cost of an alignment of {alignment}", "threshold", float(found.cost), source
            ),
            computed(
                back.free_energy - 0.5 * scale * samples * missing,
                1e-11 * back.free_energy,
                f"{method}; free energy less the data term",
                window,
            ),
            tolerance=_SAME,
            tolerance_kind="relative",
            rival=Rival(
                "of a kernel that does not adapt",
                scale * (alignment * target) ** 2 / (2 * lazy),
            ),
            evidence="exact",
        )
        step = 1e-3
        around = alignment + step * np.array([-2.0, -1.0, 1.0, 2.0])
        costs = solve.samples_for_alignment(around, target=target, **given).cost
        # log cost in log alignment, by differences of fourth order in the alignment
        power = float(np.log(costs) @ [1, -8, 8, -1]) / (12 * step) * alignment
        price = {"scale": scale, "target": target}
        yield Comparison(
            f"{context.check}/samples-{name}",
            Prediction("samples per ridge", "threshold", samples, source),
            computed(
                float(solve.samples_for_cost(found.cost, alignment, power=power, **price)),
                1e-8 * samples,
                "samples_for_cost, from the cost's slope by differences",
                window,
            ),
            tolerance=_SLOPE,
            tolerance_kind="relative",
            rival=Rival(
                "a cost that is quadratic, as of a kernel that does not adapt",
                float(solve.samples_for_cost(found.cost, alignment, power=2, **price)),
            ),
            evidence="exact",
            notes=(f"the cost grows as the alignment to the power {power:.4f}",),
        )
    yield from _several(context)
    yield from _law(context)


def _several(context: Context) -> Iterator[Comparison]:
    """Two features: the alignment of the vector equations, and back to their ridge."""
    sizes: dict[str, Any] = {"dimension": 100, "width": 1000, "scale": 1000.0}
    target = [1.0, 0.1 * math.sqrt(6)]
    for ridge in (0.03, 1e-4):
        there = unwarned(
            solve.two_layer,
            target,
            ridge_per_sample=ridge,
            perpendicular="concentrated",
            **sizes,
        )
        learned = there.learnability
        found = solve.samples_for_alignment(learned, degree=(1, 3), target=target, **sizes)
        alone = solve.samples_for_alignment(learned, degree=1, **sizes)
        yield Comparison(
            f"{context.check}/two-features-{ridge:g}",
            Prediction(
                "ridge per sample at an alignment of two features",
                "threshold",
                ridge,
                "solvers.kernel_adaptation.two_layer",
            ),
            computed(
                1 / float(found.samples_per_ridge),
                1e-10 * ridge,
                "samples_for_alignment, which follows the vector equations",
                (1 / ridge, 1 / ridge),
            ),
            tolerance=_SAME,
            tolerance_kind="relative",
            rival=Rival("the linear feature alone", 1 / float(alone.samples_per_ridge)),
            evidence="exact",
        )


def _law(context: Context) -> Iterator[Comparison]:
    """Samples per ridge in ten million dimensions, at several widths and alignments."""
    formula = law("kernel_adaptation.alignment_samples")
    assert formula.constant is not None
    constant = float(formula.constant.subs(dict.fromkeys(formula.constant.free_symbols, 1)))
    for power in (Fraction(3, 2), Fraction(2)):

        def samples(d: Any, power: float = float(power)) -> Any:
            d = np.rint(d)
            return solve.samples_for_alignment(0.5, dimension=d, width=d**power).samples_per_ridge

        exponent = float(formula(n=power))
        domain = {"dimension": (_LARGE, np.inf)}
        yield Comparison(
            f"{context.check}/exponent-{power.numerator}-{power.denominator}",
            Prediction(
                f"exponent of samples per ridge in d, N = d^({power}), sign reversed",
                "exponent",
                -exponent,
                formula.name,
                domain=domain,
            ),
            local_exponent(samples, _LARGE),
            tolerance=_LAW_TOLERANCE,
            rival=Rival("the lazy kernel's d^3", -3.0),
            evidence="exact",
        )
        at = float(samples(_LARGE)) * 0.5 / _LARGE**exponent
        yield Comparison(
            f"{context.check}/constant-{power.numerator}-{power.denominator}",
            Prediction(
                f"samples per ridge times 1 - alignment over (Nd)^(1/2), N = d^({power})",
                "threshold",
                constant,
                formula.name,
                domain=domain,
            ),
            computed(at, 1e-9, "samples_for_alignment at d = 1e7", (_LARGE, _LARGE)),
            tolerance=_LAW_TOLERANCE,
            tolerance_kind="relative",
            rival=Rival("a cost that is quadratic in the alignment", 2 * constant),
            evidence="exact",
        )
