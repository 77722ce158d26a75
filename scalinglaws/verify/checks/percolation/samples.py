"""Samples that fall on clusters by Zipf's law, drawn one by one: exponent and prefactor of the loss."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from .... import theory
from ....solvers import percolation as solve
from ...comparison import Comparison, Measurement, Prediction, Rival
from ...estimate import curve_from_replicates, exponent_from_replicates, measure
from ...registry import Context, check
from ...simulate import percolation as simulate
from .tolerances import CURVE_TOLERANCE, Array

_REPLICATES = 24


@check(
    "percolation.data-prefactor",
    statement="the loss of samples that fall on clusters at random has the derived prefactor and not the published one",
    laws=("percolation.data",),
    refutes=("percolation.data",),
)
def data_prefactor(context: Context) -> Iterator[Comparison]:
    """Samples drawn one by one at the law's point of dispute; at full effort also the solver, which sums over all counts."""
    law = theory.law("percolation.data")
    assert law.published is not None
    alpha, beta = (float(law.published.point[name]) for name in ("alpha", "beta"))

    def both(samples: Array) -> tuple[Array, Rival]:
        derived, published = (
            np.array(
                [float(law.evaluate(form, P=size, alpha=alpha, beta=beta)) for size in samples]
            )
            for form in ("loss", "published_loss")
        )
        return derived, Rival(
            "published: counts replaced by their means, sums by integrals",
            published / float(law.evaluate("normalized", alpha=alpha)),
        )

    drawn = np.rint(np.geomspace(1e3, context.pick(quick=10**5, full=10**6), 3))
    derived, rival = both(drawn)
    yield Comparison(
        f"{context.check}/simulation",
        Prediction(
            "loss against samples",
            "curve",
            derived,
            f"{law.name}, both leading terms",
            x=drawn,
            domain={"samples": (float(drawn[0]), np.inf)},
        ),
        measure(
            lambda r: np.asarray(
                simulate.zipf_losses(
                    drawn, alpha=alpha, exponent=beta, rng=context.generator("simulation", r)
                )
            ),
            lambda rows: curve_from_replicates(drawn, rows, method="samples drawn one by one"),
            replicates=_REPLICATES,
            tolerance=CURVE_TOLERANCE * derived,
        ),
        tolerance=CURVE_TOLERANCE,
        tolerance_kind="relative",
        rival=rival,
    )
    if context.effort == "quick":
        return
    samples = np.geomspace(1e8, 1e12, 5)
    derived, rival = both(samples)
    found = np.asarray(solve.data_loss(samples, alpha=alpha, exponent=beta).loss)
    yield Comparison(
        f"{context.check}/solver",
        Prediction(
            "loss against samples",
            "curve",
            derived,
            f"{law.name}, both leading terms",
            x=samples,
            domain={"samples": (float(samples[0]), np.inf)},
        ),
        Measurement(
            found,
            1e-9 * found,
            None,
            1,
            "solvers.percolation.data_loss",
            (float(samples[0]), float(samples[-1])),
            deterministic=True,
        ),
        tolerance=1e-3,
        tolerance_kind="relative",
        rival=rival,
        evidence="exact",
    )


@check(
    "percolation.data-exponent",
    statement="samples that fall on clusters at random leave P^-min(beta, alpha/(1 + alpha)), not what a model leaves",
    laws=("percolation.data",),
)
def data_exponent(context: Context) -> Iterator[Comparison]:
    """Drawn one by one where clusters not yet seen decide, far from the smoothness-limited regime."""
    law, model = theory.law("percolation.data"), theory.law("percolation.model")
    alpha, beta = 1, 2
    samples = np.rint(np.geomspace(1e3, context.pick(quick=10**5, full=10**6), 5))
    yield Comparison(
        f"{context.check}/cluster-limited",
        Prediction(
            "exponent of the loss against samples",
            "exponent",
            float(law(alpha=alpha, beta=beta)),
            f"{law.name}: {law.expr}",
        ),
        measure(
            lambda r: np.asarray(
                simulate.zipf_losses(
                    samples, alpha=alpha, exponent=beta, rng=context.generator("simulation", r)
                )
            ),
            lambda rows: exponent_from_replicates(samples, rows, method="samples drawn one by one"),
            replicates=_REPLICATES,
            tolerance=0.03,
        ),
        tolerance=0.03,
        rival=Rival("the exponent in model size", float(model(alpha=alpha, beta=beta))),
    )


@check(
    "percolation.sampling",
    statement="samples drawn by a power theta of the weights leave P^-min(beta, s/theta), more or less than those drawn by the weights",
    laws=("percolation.sampling",),
)
def sampling(context: Context) -> Iterator[Comparison]:
    """Drawn one by one where rare clusters decide, and at the best power, where the exponent is that of a model."""
    law, uniform = theory.law("percolation.sampling"), theory.law("percolation.data")
    samples = np.rint(np.geomspace(1e3, context.pick(quick=10**5, full=10**6), 5))
    for name, alpha, beta, theta in (
        ("rare-clusters", 1.0, 2.0, 0.6),
        ("best-power", 2.0, 1.0, float(law.evaluate("best_theta", beta=1))),
    ):
        expected = float(law(alpha=alpha, beta=beta, theta=theta))
        tolerance = CURVE_TOLERANCE * expected

        def replicate(
            r: int, name: str = name, alpha: float = alpha, beta: float = beta, theta: float = theta
        ) -> Array:
            return np.asarray(
                simulate.zipf_losses(
                    samples,
                    alpha=alpha,
                    exponent=beta,
                    sampling=theta,
                    rng=context.generator(name, r),
                )
            )

        yield Comparison(
            f"{context.check}/{name}",
            Prediction(
                f"exponent of the loss against samples, alpha = {alpha:g}, beta = {beta:g}, theta = {theta:g}",
                "exponent",
                expected,
                f"{law.name}: {law.expr}",
            ),
            measure(
                replicate,
                lambda rows: exponent_from_replicates(
                    samples, rows, method="samples drawn one by one"
                ),
                replicates=_REPLICATES,
                tolerance=tolerance,
            ),
            tolerance=CURVE_TOLERANCE,
            tolerance_kind="relative",
            rival=Rival("drawn by the weights themselves", float(uniform(alpha=alpha, beta=beta))),
        )
