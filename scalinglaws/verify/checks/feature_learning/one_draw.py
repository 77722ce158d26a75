"""One network of few features, trained on single batches, and what it is the same as: unlimited features with noisier labels."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from ....solvers.spectra import PowerLawSpectrum
from ...comparison import Comparison, Measurement, Prediction, Rival
from ...registry import Context, check
from .tolerances import Array

_IDENTITY_TOLERANCE = 1e-10  # relative: an identity, up to rounding errors of some hundred steps
_BATCH, _RICHNESS, _RATE, _NOISE = 3, 3.0, 0.02, 0.25
_STEPS = np.array([1, 10, 40, 120])


@check(
    "feature_learning.one-draw",
    statement="SGD of one network of N features is a recursion for its output, its kernel and its readout, without weights",
    laws=("feature_learning.reduction",),
)
def reduced_to_noise(context: Context) -> Iterator[Comparison]:
    """All weights of a network, with fewer and with more features than modes, from a readout that does not start at zero."""
    modes = 25
    for features in (12, 40):
        rng = context.generator(f"features-{features}", 0)
        eigenvalues, signal = PowerLawSpectrum(1.5, 0.5, modes).explicit()
        target = np.sqrt(signal / eigenvalues)
        first, readout = rng.normal(size=(features, modes)), 1.2 * rng.normal(size=features)
        batches = rng.normal(size=(_STEPS[-1], _BATCH, modes)) * np.sqrt(eigenvalues)
        noise = np.sqrt(_NOISE) * rng.normal(size=(_STEPS[-1], _BATCH))
        trained = _trained(first, readout, target, eigenvalues, batches, noise)
        reduced, silent = (
            _reduced(first, readout, target, eigenvalues, batches, noise, share)
            for share in (1.0, 0.0)
        )
        yield Comparison(
            f"{context.check}/features-{features}",
            Prediction(
                "loss of one draw against steps",
                "curve",
                reduced,
                "unlimited features on the spectrum of S^(1/2) Lambda S^(1/2), the rest of the target as noise of the labels",
                x=_STEPS.astype(float),
                domain={"steps": (0.0, np.inf)},
            ),
            Measurement(
                trained,
                1e-12 * trained,
                None,
                1,
                f"steps of all weights, {features} features of {modes} modes, batches of {_BATCH}",
                (float(_STEPS[0]), float(_STEPS[-1])),
                deterministic=True,
            ),
            tolerance=_IDENTITY_TOLERANCE,
            tolerance_kind="relative",
            rival=Rival("labels without noise", silent),
        )


def _trained(
    first: Array, readout: Array, target: Array, eigenvalues: Array, batches: Array, noise: Array
) -> Array:
    """Train readout and features, and return the population losses."""
    count, layer, losses = len(first), first.copy(), []
    for t, (inputs, errors) in enumerate(zip(batches, noise, strict=True), start=1):
        residual = inputs @ (target - layer.T @ readout / count) + errors
        signal = inputs.T @ residual / len(inputs)
        moved = readout + _RATE * layer @ signal
        layer = layer + _RATE * _RICHNESS / count * np.outer(readout, first.T @ (first @ signal))
        readout = moved
        if t in _STEPS:
            losses.append(np.sum(eigenvalues * (target - layer.T @ readout / count) ** 2))
    return np.array(losses)


def _reduced(
    first: Array,
    readout: Array,
    target: Array,
    eigenvalues: Array,
    batches: Array,
    noise: Array,
    share: float,
) -> Array:
    """Follow output, kernel and squared readout instead, with a share of the labels' noise, and add the floor to the losses."""
    count = len(first)
    values, vectors = np.linalg.eigh(first.T @ first / count)
    kept = values > 1e-9 * values[-1]
    root = np.sqrt(values[kept])[:, None] * vectors[:, kept].T  # S^(1/2), to the row space
    covariance = (root * eigenvalues) @ root.T
    best = np.linalg.solve(covariance, root @ (eigenvalues * target))
    rest = target - root.T @ best  # independent of the features: noise
    floor = np.sum(eigenvalues * rest**2)
    g = root @ first.T @ readout / count / values[kept]
    kernel, square, losses = np.eye(g.size), readout @ readout / count, []
    for t, (inputs, errors) in enumerate(zip(batches, noise, strict=True), start=1):
        features = inputs @ root.T
        residual = features @ (best - g) + share * (inputs @ rest + errors)
        e = _RATE * features.T @ residual / len(inputs)
        alpha, growth = g @ e, e @ kernel @ e
        g, kernel, square = (
            g + kernel @ e + _RICHNESS * (square + alpha) * e,
            kernel
            + _RICHNESS * (np.outer(g, e) + np.outer(e, g))
            + _RICHNESS**2 * square * np.outer(e, e),
            square + 2 * alpha + growth,
        )
        if t in _STEPS:
            losses.append((best - g) @ covariance @ (best - g) + floor)
    return np.array(losses)
