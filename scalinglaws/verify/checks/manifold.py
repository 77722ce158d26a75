"""Laws of manifolds: self-averaging against the solver, nearest neighbors against sampled points."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from scipy.spatial import cKDTree

from ... import theory
from ...solvers.linear import ridge
from ...solvers.spectra import PowerLawSpectrum
from ..comparison import Comparison, Prediction, Rival
from ..estimate import exponent_from_replicates, local_exponent, measure
from ..registry import Context, check


@check(
    "manifold.variance-limited",
    statement="with features fixed, what more samples still gain falls as 1/P",
    laws=("manifold.variance_limited",),
)
def variance_limited(context: Context) -> Iterator[Comparison]:
    """The solver's loss above its limit, at two step sizes."""
    law, spectrum, features = (
        theory.law("manifold.variance_limited"),
        PowerLawSpectrum(1.5, 0.8),
        50,
    )
    limit = float(ridge(spectrum, features=features).test_loss)

    def excess(samples: Any) -> Any:
        return np.asarray(ridge(spectrum, features=features, samples=samples).test_loss) - limit

    yield Comparison(
        f"{context.check}/solver",
        Prediction(
            "exponent of the excess loss", "exponent", float(law()), f"{law.name}: {law.expr}"
        ),
        local_exponent(excess, 1e6),
        tolerance=1e-3,
        rival=Rival("standard error of a mean", 0.5),
        evidence="exact",
    )


@check(
    "manifold.nearest-neighbor",
    statement="the distance to the nearest of P samples falls as P^(-1/d)",
    laws=("manifold.nearest_neighbor",),
    demo=True,
)
def nearest_neighbor(context: Context) -> Iterator[Comparison]:
    """Points drawn on a torus, which has no edges."""
    law, sizes = theory.law("manifold.nearest_neighbor"), (250, 500, 1000, 2000)
    for dimension in (2, 3):

        def replicate(r: int, dimension: int = dimension) -> list[float]:
            rng = context.generator(f"dimension {dimension}", r)
            return [
                _distance(size, dimension, context.pick(quick=4000, full=40_000), rng)
                for size in sizes
            ]

        yield Comparison(
            f"{context.check}/dimension-{dimension}",
            Prediction(
                "exponent of the distance",
                "exponent",
                float(law(d=dimension)),
                f"{law.name}: {law.expr}",
            ),
            measure(
                replicate,
                lambda losses: exponent_from_replicates(
                    sizes, losses, method="distances to sampled points on a torus"
                ),
                replicates=12,
                tolerance=0.03,
            ),
            tolerance=0.03,
            rival=Rival("one dimension more", 1 / (dimension + 1)),
        )


@check(
    "manifold.spectral",
    statement="a kernel of smoothness theta learns its like as P^(-theta/d), not as the published bound P^(-1/d)",
    laws=("manifold.spectral",),
    refutes=("manifold.spectral",),
)
def spectral(context: Context) -> Iterator[Comparison]:
    """The solver's loss for eigenvalues and signal powers k^-(1 + theta/d)."""
    law = theory.law("manifold.spectral")
    assert law.published is not None
    point = law.published.point
    white = 1 + float(point["theta"] / point["d"])
    spectrum = PowerLawSpectrum.from_ab(white, white)
    yield Comparison(
        f"{context.check}/solver",
        Prediction(
            "exponent of the test loss in samples",
            "exponent",
            float(law(**point)),
            f"{law.name}: {law.expr}",
            domain={"samples": (1e6, np.inf)},
        ),
        local_exponent(lambda samples: ridge(spectrum, samples=samples).test_loss, 1e8),
        tolerance=1e-3,
        rival=Rival("published 1/d, for Lipschitz targets", float(law.published_value(**point))),
        evidence="exact",
    )


def _distance(size: int, dimension: int, count: int, rng: np.random.Generator) -> float:
    """Average the distance from random places to the nearest of some random points."""
    places = rng.random((count, dimension))
    return float(cKDTree(rng.random((size, dimension)), boxsize=1.0).query(places)[0].mean())
