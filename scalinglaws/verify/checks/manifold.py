"""Laws of manifolds: self-averaging against random features and networks, resolution against sampled points, pieces and kernels."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import linalg, special
from scipy.spatial import cKDTree

from ... import theory
from ...solvers.linear import ridge
from ...solvers.spectra import PowerLawSpectrum
from ..comparison import Comparison, Prediction, Rival
from ..estimate import (
    curve_from_replicates,
    exponent_from_replicates,
    local_exponent,
    measure,
)
from ..registry import Context, check

Array = NDArray[np.float64]

_EXPONENT_TOLERANCE = 0.05  # relative; the default for exponents above 0.6 in simulations


@check(
    "manifold.variance-limited",
    statement="with features fixed, what more samples still gain falls as 1/P",
    laws=("manifold.variance_limited",),
)
def variance_limited(context: Context) -> Iterator[Comparison]:
    """Direct simulation of regressions on the same features, and the solver's loss above its limit far out.

    The theory says that the excess is a power of P - N from the start, so that is the abscissa.
    """
    law, features, surplus = theory.law("manifold.variance_limited"), 12, (24, 48, 96, 192)
    draws = context.pick(quick=120, full=1200)
    exponent, rival = float(law()), Rival("standard error of a mean", 0.5)
    source = f"{law.name}: {law.expr}"
    yield Comparison(
        f"{context.check}/random-features",
        Prediction("exponent of the excess loss", "exponent", exponent, source),
        measure(
            lambda r: sampled_excess(features, surplus, draws, context.generator("simulation", r)),
            lambda losses: exponent_from_replicates(
                surplus, losses, method="regressions on few random features and many samples"
            ),
            replicates=12,
            tolerance=_EXPONENT_TOLERANCE * exponent,
        ),
        tolerance=_EXPONENT_TOLERANCE,
        tolerance_kind="relative",
        rival=rival,
    )
    spectrum, features = PowerLawSpectrum(1.5, 0.8), 50
    limit = float(ridge(spectrum, features=features).test_loss)

    def excess(samples: Any) -> Any:
        return np.asarray(ridge(spectrum, features=features, samples=samples).test_loss) - limit

    yield Comparison(
        f"{context.check}/solver",
        Prediction("exponent of the excess loss", "exponent", exponent, source),
        local_exponent(excess, 1e6),
        tolerance=1e-3,
        rival=rival,
        evidence="exact",
    )


@check(
    "manifold.width-variance",
    statement="what a deep network predicts varies between initializations as its number of parameters to the power -1/2",
    laws=("manifold.width_variance",),
)
def width_variance(context: Context) -> Iterator[Comparison]:
    """Networks of two hidden layers at random, read out by ridge regression on the same few samples."""
    law, widths = theory.law("manifold.width_variance"), (48, 96, 192, 384)
    draws = context.pick(quick=16, full=160)
    inputs = 4
    parameters = [width * width + (inputs + 1) * width for width in widths]
    yield Comparison(
        f"{context.check}/random-networks",
        Prediction(
            "exponent of the variance between initializations",
            "exponent",
            float(law()),
            f"{law.name}: {law.expr}",
        ),
        measure(
            lambda r: _variances(widths, inputs, draws, context.generator("simulation", r)),
            lambda rows: exponent_from_replicates(
                parameters, rows, method="ridge regressions on the last of two random hidden layers"
            ),
            replicates=16,
            tolerance=0.03,
        ),
        tolerance=0.03,
        rival=Rival("an average over parameters", 1.0),
        notes=("hidden weights stay as they were drawn; only the readout learns",),
    )


@check(
    "manifold.variance-limited-model",
    statement="with samples fixed, what more random features still gain falls as 1/N",
    laws=("manifold.variance_limited_model",),
)
def variance_limited_model(context: Context) -> Iterator[Comparison]:
    """Direct simulation, each draw with and without a bound on its features on the same samples.

    The theory says that the excess is a power of N - P from the start, so that is the abscissa.
    """
    law = theory.law("manifold.variance_limited_model")
    samples, surplus = 12, (24, 48, 96, 192)
    draws = context.pick(quick=120, full=1200)

    def replicate(r: int) -> Array:
        rng = context.generator("simulation", r)
        return excess_losses(samples, surplus, draws, rng)

    yield Comparison(
        f"{context.check}/random-features",
        Prediction(
            "exponent of the excess loss", "exponent", float(law()), f"{law.name}: {law.expr}"
        ),
        measure(
            replicate,
            lambda losses: exponent_from_replicates(
                surplus, losses, method="random-feature regressions on the same samples"
            ),
            replicates=12,
            tolerance=0.15,
        ),
        tolerance=0.15,
        rival=Rival("standard error of a mean", 0.5),
    )


@check(
    "manifold.model-resolution",
    statement="a model of N pieces on a d-dimensional manifold loses N^(-2/d) if they are constant, N^(-4/d) if they are linear",
    laws=("manifold.model_resolution",),
)
def model_resolution(context: Context) -> Iterator[Comparison]:
    """Pieces around anchors on a torus, each with the value (and the slope) of a smooth function at its anchor."""
    law, sizes = theory.law("manifold.model_resolution"), (500, 1000, 2000, 4000)
    places = context.pick(quick=1000, full=10_000)
    for dimension, sets in ((1, 10), (2, 3), (3, 1)):
        rows = np.array(
            [
                np.mean(
                    [losses_of_pieces(sizes, dimension, places, rng) for _ in range(sets)], axis=0
                )
                for rng in (context.generator(f"dimension {dimension}", r) for r in range(12))
            ]
        )
        for index, (kind, order) in enumerate((("constant", 2), ("linear", 4))):
            if (dimension, order) == (1, 4):
                continue  # the longest few gaps between random points on a line make nearly all of it
            rival = dimension + 1 if order == 2 else dimension
            yield Comparison(
                f"{context.check}/{kind}-{dimension}",
                Prediction(
                    "exponent of the squared error",
                    "exponent",
                    float(law(d=dimension, q=order)),
                    f"{law.name}: {law.expr}",
                ),
                exponent_from_replicates(
                    sizes, rows[:, index], method=f"piecewise {kind} fits on a torus"
                ),
                tolerance=0.1,
                rival=Rival(
                    "one dimension more" if order == 2 else "pieces that are constant",
                    float(law(d=rival, q=2)),
                ),
            )
        if dimension == 2:
            # a function with squared gradient G on average, seen from a direction at random: A = G/d
            amplitude = _GRADIENT / dimension / _ball(dimension) ** (2 / dimension)
            predicted, least = (
                np.asarray(found, float)
                for found in (
                    law.asymptote(sizes, d=dimension, q=2, A=amplitude),
                    law.evaluate("bound", N=np.array(sizes), d=dimension, q=2, A=amplitude),
                )
            )
            yield Comparison(
                f"{context.check}/loss-of-constant-{dimension}",
                Prediction(
                    "squared error",
                    "curve",
                    predicted,
                    f"{law.name}: {law.constant}",
                    x=np.array(sizes),
                ),
                curve_from_replicates(
                    sizes, rows[:, 0], method="piecewise constant fits on a torus"
                ),
                tolerance=0.1,
                rival=Rival("the best arrangement of anchors", least),
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
    """Kernels between points on spheres, whose spectra nobody puts in, and the solver's loss for powers k^-(1 + theta/d)."""
    law = theory.law("manifold.spectral")
    assert law.published is not None
    tasks = [
        ("rough-2", 1, 2, (50, 100, 200, 400), context.pick(quick=3, full=30)),
        ("smooth-2", 3, 2, (75, 150, 300, 600), context.pick(quick=2, full=20)),
    ]
    if context.effort == "full":  # in three dimensions the power sets in only here
        tasks.append(("smooth-3", 3, 3, (400, 800, 1600, 3200), 2))
    for name, theta, dimension, sizes, draws in tasks:
        at: dict[str, Any] = {"theta": theta, "d": dimension}
        exponent = float(law(**at))

        def replicate(
            r: int,
            name: str = name,
            shape: tuple[int, int] = (theta, dimension),
            sizes: tuple[int, ...] = sizes,
            draws: int = draws,
        ) -> Array:
            rng = context.generator(name, r)
            return np.asarray(
                np.mean([_kernel_losses(sizes, *shape, rng) for _ in range(draws)], 0)
            )

        yield Comparison(
            f"{context.check}/{name}",
            Prediction(
                "exponent of the test loss in samples",
                "exponent",
                exponent,
                f"{law.name}: {law.expr}",
                domain={"samples": (float(sizes[0]), np.inf)},
            ),
            measure(
                replicate,
                lambda losses, sizes=sizes: exponent_from_replicates(  # type: ignore[misc]
                    sizes, losses, method="kernel interpolation between random points on a sphere"
                ),
                replicates=16,
                tolerance=max(0.03, _EXPONENT_TOLERANCE * exponent),
            ),
            tolerance=max(0.03, _EXPONENT_TOLERANCE * exponent),
            rival=Rival("published 1/d, for Lipschitz targets", float(law.published_value(**at)))
            if theta > 1
            else Rival("one dimension more", theta / (dimension + 1)),
        )
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


def excess_losses(
    samples: int,
    surplus: tuple[int, ...],
    draws: int,
    rng: np.random.Generator,
) -> Array:
    """Average what the loss of N - P = `surplus` random features is above that of unlimited ones, on the same samples."""
    modes = np.arange(1.0, 61)
    eigenvalues, target = modes**-1.5, modes**-0.35
    inputs = rng.standard_normal((draws, samples, target.size)) * np.sqrt(eigenvalues)
    features = rng.standard_normal((draws, samples + max(surplus), target.size))
    labels = (inputs @ target)[..., None]

    def loss(seen: Array) -> Array:
        """Fit the least-norm predictor whose Gram matrix is that of the inputs with what is seen of them."""
        weights = np.swapaxes(seen, 1, 2) @ np.linalg.solve(seen @ inputs.swapaxes(1, 2), labels)
        return np.asarray((weights[..., 0] - target) ** 2 @ eigenvalues)

    limit, found = loss(inputs), []
    for more in surplus:  # each set of features holds the smaller ones
        kept = features[:, : samples + more]
        found.append(loss(inputs @ kept.swapaxes(1, 2) @ kept / (samples + more)) - limit)
    return np.asarray(np.mean(found, axis=1))


def sampled_excess(
    features: int, surplus: tuple[int, ...], draws: int, rng: np.random.Generator
) -> Array:
    """Average what the loss of P - N = `surplus` samples is above that of unlimited ones, on the same N random features."""
    modes = np.arange(1.0, 61)
    eigenvalues, target = modes**-1.5, modes**-0.35
    projection = rng.standard_normal((draws, features, target.size))
    inputs = rng.standard_normal((draws, features + max(surplus), target.size))
    inputs *= np.sqrt(eigenvalues)
    labels, hidden = inputs @ target, inputs @ projection.swapaxes(1, 2)

    def loss(matrix: Array, right: Array) -> Array:
        """Solve the normal equations, and look at the predictor on all inputs."""
        readout = np.linalg.solve(matrix, right[..., None])[..., 0]
        learned = np.einsum("dn,dnm->dm", readout, projection)
        return np.asarray((learned - target) ** 2 @ eigenvalues)

    weighted = projection * eigenvalues
    limit, found = loss(weighted @ projection.swapaxes(1, 2), weighted @ target), []
    for more in surplus:  # each set of samples holds the smaller ones
        seen = hidden[:, : features + more]
        transposed = seen.swapaxes(1, 2)
        right = (transposed @ labels[:, : features + more, None])[..., 0]
        found.append(loss(transposed @ seen, right) - limit)
    return np.asarray(np.mean(found, axis=1))


def _variances(widths: tuple[int, ...], inputs: int, draws: int, rng: np.random.Generator) -> Array:
    """Return how much the prediction of random deep networks with fitted readouts varies between draws of their weights."""
    samples, places, targets, ridge_term = 8, 32, 16, 0.1
    points = rng.standard_normal((samples + places, inputs))
    points *= np.sqrt(inputs) / np.linalg.norm(points, axis=1, keepdims=True)
    waves = rng.standard_normal((inputs, targets)), rng.uniform(0, 2 * np.pi, targets)
    labels = np.sin(points[:samples] @ waves[0] + waves[1])
    found = np.empty((len(widths), draws, places, targets))
    for row, width in enumerate(widths):
        for draw in range(draws):
            first = rng.standard_normal((inputs, width)) * np.sqrt(2 / inputs)
            second = rng.standard_normal((width, width)) * np.sqrt(2 / width)
            hidden = np.maximum(np.maximum(points @ first, 0) @ second, 0)
            kernel = hidden @ hidden[:samples].T / width
            regular = kernel[:samples] + ridge_term * np.eye(samples)
            found[row, draw] = kernel[samples:] @ np.linalg.solve(regular, labels)
    return np.asarray(found.var(axis=1, ddof=1).mean(axis=(1, 2)))


def _kernel_losses(
    sizes: tuple[int, ...], smoothness: int, dimension: int, rng: np.random.Generator
) -> Array:
    r"""Return squared errors of kernel interpolation between random points on a sphere, averaged over Gaussian targets.

    The kernel is Matern's with the term :math:`|x - x'|^1` or :math:`|x - x'|^3`, and the target a Gaussian field of the same
    covariance: with the points given, the average over such targets is a variance that linear algebra gives.
    """
    places = 200
    points = rng.standard_normal((max(sizes) + places, dimension + 1))
    points /= np.linalg.norm(points, axis=1, keepdims=True)
    distances = np.sqrt(np.maximum(2 - 2 * points @ points[: max(sizes)].T, 0.0))
    kernel = np.exp(-distances) * (1 + distances if smoothness == 3 else 1)
    square = kernel[: max(sizes)]
    square[np.diag_indices_from(square)] = 1 + 1e-12
    # rows of a Cholesky factor do not depend on later points: every size is in the largest one
    explained = linalg.solve_triangular(
        linalg.cholesky(square, lower=True), kernel[max(sizes) :].T, lower=True
    )
    left = 1 - np.cumsum(explained**2, axis=0)
    return np.asarray(left[np.array(sizes) - 1].mean(axis=1))


_GRADIENT = 2 * np.pi**2
"""Mean squared gradient of a wave cos(2 pi x_j + phase) along an axis."""


def losses_of_pieces(
    sizes: tuple[int, ...], dimension: int, count: int, rng: np.random.Generator
) -> Array:
    """Return mean squared errors of pieces with value, and with value and slope, of a sum of waves; shape (2, sizes)."""
    phases = rng.uniform(0, 2 * np.pi, dimension)

    def waves(points: Array) -> Array:
        return 2 * np.pi * points + phases

    found = np.zeros((2, len(sizes)))
    for place, size in enumerate(sizes):
        anchors, at = rng.random((size, dimension)), rng.random((count, dimension))
        nearest = cKDTree(anchors, boxsize=1.0).query(at)[1]
        here = waves(anchors[nearest])
        step = (at - anchors[nearest] + 0.5) % 1.0 - 0.5  # the short way around the torus
        error = np.sum(np.cos(waves(at)) - np.cos(here), axis=1) / np.sqrt(dimension)
        slope = np.sum(-2 * np.pi * np.sin(here) * step, axis=1) / np.sqrt(dimension)
        found[:, place] = np.mean(error**2), np.mean((error - slope) ** 2)
    return found


def _ball(dimension: int) -> float:
    """Return the volume of a ball of radius 1."""
    return float(np.pi ** (dimension / 2) / special.gamma(dimension / 2 + 1))
