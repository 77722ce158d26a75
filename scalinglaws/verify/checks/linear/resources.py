"""Features and samples are not interchangeable: they limit an easy task with different exponents."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from .... import theory
from ....solvers.linear import ridge
from ....solvers.spectra import PowerLawSpectrum
from ...comparison import Comparison, Prediction, Rival
from ...estimate import advantage_from_pairs, local_exponent
from ...registry import Context, check
from ...simulate.linear import population_projection, random_feature_ridge
from .tolerances import SOLVER_TOLERANCE

_TIE = 0.2  # log ratio of losses that would still count as equal


@check(
    "linear.asymmetry",
    statement="for an easy task few features cost more than few samples",
    laws=("linear.data", "linear.model"),
    refutes=("linear.model",),
)
def asymmetry(context: Context) -> Iterator[Comparison]:
    """One task with 1 < beta < 2: both exponents by the solver, and the better of the two by simulation."""
    task = PowerLawSpectrum(2.5, 1.6)
    exponents = {
        resource: float(theory.law(name)(alpha=task.alpha, beta=task.beta))
        for resource, name in (("features", "linear.model"), ("samples", "linear.data"))
    }
    for resource, other in (("features", "samples"), ("samples", "features")):

        def loss(size: Any, resource: str = resource) -> Any:
            given: dict[str, Any] = {resource: size}
            return ridge(task, **given).test_loss

        law = {"features": "linear.model", "samples": "linear.data"}[resource]
        yield Comparison(
            f"{context.check}/{resource}",
            Prediction(
                f"exponent of the test loss in the number of {resource}",
                "exponent",
                exponents[resource],
                law,
            ),
            local_exponent(loss, 1e9),
            tolerance=SOLVER_TOLERANCE,
            rival=Rival(f"exponent in the number of {other}", exponents[other]),
            evidence="exact",
        )

    limited, size, draws = (
        PowerLawSpectrum(task.alpha, task.beta, 600),
        48,
        context.pick(quick=12, full=120),
    )

    def mean_losses(r: int) -> tuple[float, float]:
        rng = context.generator("simulation", r)
        few_samples = random_feature_ridge(limited, samples=size, draws=draws, rng=rng).test_loss
        few_features = population_projection(limited, features=size, draws=draws, rng=rng)
        return float(np.mean(few_samples)), float(np.mean(few_features))

    samples, features = np.array([mean_losses(r) for r in range(12)]).T
    window = (float(size), float(size))
    advantage, p_sign = advantage_from_pairs(
        samples, features, method=f"simulation at N = {size} and at P = {size}", window=window
    )
    solved = [
        float(ridge(limited, samples=size).test_loss),
        float(ridge(limited, features=size).test_loss),
    ]
    yield Comparison(
        f"{context.check}/winner",
        Prediction(
            "few samples beat few features",
            "ranking",
            float(np.sign(np.log(solved[1] / solved[0]))),
            "solvers.linear.ridge",
        ),
        advantage,
        tolerance=_TIE,
        rival=Rival("a tie, as the published model exponent says", 0.0),
        notes=(
            f"log ratio of the solver's losses {np.log(solved[1] / solved[0]):.3f}; sign test p = {p_sign:.1g}",
        ),
    )
