"""Posterior sampling: gradients per second against plain NumPy and SciPy, and effective draws per second.

Run ``python benchmarks/simulate_kernel_adaptation.py`` (a minute).
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable

import numpy as np
from scipy.special import erf
from threadpoolctl import threadpool_limits
from timing import best_of

from scalinglaws.verify.simulate.kernel_adaptation import (
    ConvolutionalSample,
    sample_convolutional,
    teacher_posterior,
)
from scalinglaws.verify.simulate.kernel_adaptation._convolution import Convolution
from scalinglaws.verify.simulate.kernel_adaptation._data import Reduced, reduced
from scalinglaws.verify.simulate.kernel_adaptation._layers import Layers
from scalinglaws.verify.simulate.kernel_adaptation._network import Network
from scalinglaws.verify.simulate.kernel_adaptation._sampler import planned, sample


def plain(w: np.ndarray, x: np.ndarray, y: np.ndarray, ridge: float) -> tuple[float, np.ndarray]:
    """Write the energy and its gradient down as they stand, with the smaller of the two matrices inverted."""
    z = x @ w.T
    hidden, slope, share = erf(z), 2 / math.sqrt(math.pi) * np.exp(-(z**2)), 1 / len(w)
    if len(x) >= len(w):
        matrix = share * hidden.T @ hidden + ridge * np.eye(len(w))
        inverse = np.linalg.inv(matrix)
        log_det = np.linalg.slogdet(matrix)[1] + (len(x) - len(w)) * math.log(ridge)
        rest = (y - share * hidden @ (inverse @ (hidden.T @ y))) / ridge
        pull = hidden @ inverse
    else:
        matrix = share * hidden @ hidden.T + ridge * np.eye(len(x))
        inverse = np.linalg.inv(matrix)
        log_det = np.linalg.slogdet(matrix)[1]
        rest = inverse @ y
        pull = inverse @ hidden
    pull = share * (pull - np.outer(rest, hidden.T @ rest)) * slope
    return 0.5 * float(np.sum(w**2) + y @ rest + log_det), w + pull.T @ x


def plain_filters(
    w: np.ndarray, x: np.ndarray, y: np.ndarray, ridge: float, scale: float
) -> tuple[float, np.ndarray]:
    """Write down a linear convolutional network with all its filters, shape (C, S), on inputs of shape (P, N, S)."""
    (samples, patches, size), channels = x.shape, len(w)
    share = 1 / (patches * size * channels)
    covariance = w.T @ w
    kernel = share * (x @ covariance).reshape(samples, -1) @ x.reshape(samples, -1).T
    inverse = np.linalg.inv(kernel + ridge * np.eye(samples))
    rest = inverse @ y
    log_det = -np.linalg.slogdet(inverse)[1]
    pull = inverse - scale * np.outer(rest, rest)
    rows = x.reshape(samples * patches, size)
    slope = rows.T @ (pull @ x.reshape(samples, -1)).reshape(samples * patches, size)
    return 0.5 * float(np.sum(w**2) + scale * y @ rest + log_det), w + share * w @ slope


def plain_deep(
    w: np.ndarray, v: np.ndarray, x: np.ndarray, y: np.ndarray, ridge: float
) -> tuple[float, np.ndarray, np.ndarray]:
    """Write down a network of three layers; fewer neurons in the middle layer than samples."""
    unit, share = 1 / math.sqrt(len(w)), 1 / len(v)
    first = x @ w.T
    hidden, slope = erf(first), 2 / math.sqrt(math.pi) * np.exp(-(first**2))
    second = unit * hidden @ v.T
    top, upper = erf(second), 2 / math.sqrt(math.pi) * np.exp(-(second**2))
    matrix = share * top.T @ top + ridge * np.eye(len(v))
    inverse = np.linalg.inv(matrix)
    log_det = np.linalg.slogdet(matrix)[1] + (len(x) - len(v)) * math.log(ridge)
    rest = (y - share * top @ (inverse @ (top.T @ y))) / ridge
    pull = unit * share * (top @ inverse - np.outer(rest, top.T @ rest)) * upper
    energy = 0.5 * float(np.sum(w**2) + np.sum(v**2) + y @ rest + log_det)
    return energy, w + (pull @ v * slope).T @ x, v + pull.T @ hidden


class Filters:
    """Sampler of all filters, as `plain_filters` has them."""

    def __init__(
        self, channels: int, x: np.ndarray, y: np.ndarray, ridge: float, scale: float
    ) -> None:
        """Keep the data."""
        self.channels, self.given = channels, (x, y, ridge, scale)

    def start(self, planted: bool, rng: np.random.Generator) -> np.ndarray:
        """Draw from the prior."""
        del planted
        return rng.standard_normal((self.channels, self.given[0].shape[2]))

    def __call__(self, position: np.ndarray) -> tuple[float, np.ndarray]:
        """Return the energy and its gradient."""
        return plain_filters(position, *self.given)


def compared(label: str, ours: Callable[[], object], theirs: Callable[[], object]) -> None:
    """Print gradients per second of both, the best of fifteen runs each."""
    count = max(2, int(0.05 / best_of(ours, 3)))

    def repeated(function: Callable[[], object]) -> Callable[[], None]:
        def run() -> None:
            for _ in range(count):
                function()

        return run

    fast, slow = (count / best_of(repeated(function), 15) for function in (ours, theirs))
    print(f"  {label}: ours {fast:7.0f}   NumPy {slow:7.0f}   ratio {fast / slow:4.1f}", end="")


def convolutional() -> None:
    """Print gradients per second, and effective draws of the learnability with the triangular factor against all filters."""
    print("gradients per second, linear convolutional network; NumPy has all C filters")
    for patches, size, channels, samples in (
        (6, 10, 400, 45),
        (4, 20, 400, 58),
        (8, 40, 800, 168),
        (8, 40, 4000, 168),
        (8, 40, 800, 500),
    ):
        rng = np.random.default_rng(0)
        x = rng.standard_normal((samples, patches, size))
        y = x[:, 0, 0]
        network = Convolution(
            reduced(x.reshape(samples, -1), y, 1.0, 100.0),
            patches,
            channels,
            ridge=1.0,
            scale=100.0,
            weight_variance=1.0,
            readout_variance=1.0,
        )
        position, w = network.start(False, rng), rng.standard_normal((channels, size))
        compared(
            f"N = {patches}, S = {size}, C = {channels:4d}, P = {samples:3d}",
            lambda network=network, position=position: network(position),
            lambda w=w, x=x, y=y: plain_filters(w, x, y, 1.0, 100.0),
        )
        # the same covariance of filters through either: gradients in its entries
        factor = np.linalg.cholesky(w.T @ w)
        ours = network(factor[np.tril_indices(size)])[1]
        theirs = np.linalg.solve(w.T @ w, w.T @ (plain_filters(w, x, y, 1.0, 100.0)[1] - w))
        expected = (theirs @ factor)[np.tril_indices(size)]
        diagonal = np.arange(size)
        prior = factor.copy()
        prior[diagonal, diagonal] -= (channels - diagonal - 1) / np.diagonal(factor)
        apart = np.max(np.abs(ours - prior[np.tril_indices(size)] - expected))
        print(f"   apart {apart:.0e}")
    print("effective draws per second of the learnability")
    patches, size, channels, samples = 8, 40, 800, 168
    given = {"channels": channels, "ridge": 1.0, "scale": 100.0}
    teacher = np.eye(patches)[0], np.eye(size)[0]
    x = np.random.default_rng(0).standard_normal((samples, patches, size))
    y = x[:, 0, 0]
    options = {
        "chains": 2,
        "draws": 100,
        "warmup": 100,
        "thinning": 1,
        "duration": 1.5,
        "acceptance": 0.8,
        "planted": 0,
        "on_failure": "return",
    }
    start = time.perf_counter()
    found = sample_convolutional(x, y, teacher=teacher, rng=0, **given, **options)
    ours = found.effective_size["learnability"] / (time.perf_counter() - start)
    filters = Filters(channels, x, y, 1.0, 100.0)

    def observe(
        position: np.ndarray, stream: np.random.Generator
    ) -> tuple[dict[str, float], np.ndarray]:
        del stream
        covariance, flat = position.T @ position / (position.size * patches), x.reshape(samples, -1)
        kernel = (x @ covariance).reshape(samples, -1) @ flat.T
        rest = np.linalg.solve(kernel + np.eye(samples), y)
        return {"learnability": float(covariance[0] @ (x[:, 0].T @ rest))}, np.zeros(0)

    start = time.perf_counter()
    plain_found = sample(
        ConvolutionalSample,
        "filters",
        filters,
        observe,
        lambda kept: {"learnability": kept["learnability"]},
        planned(**options),
        0,
    )
    theirs = plain_found.effective_size["learnability"] / (time.perf_counter() - start)
    print(
        f"  N = {patches}, S = {size}, C = {channels}, P = {samples}: triangular factor {ours:.0f}, all filters in NumPy {theirs:.0f}, "
        f"ratio {ours / theirs:.1f}; learnability {found.learnability.mean():.4f} and {plain_found.learnability.mean():.4f}"
    )


def deep() -> None:
    """Print gradients per second of networks of three layers."""
    print("gradients per second, three layers, d = 8, N2 = 8, P = 600")
    for first in (8, 32, 256):
        rng = np.random.default_rng(0)
        x, y = rng.standard_normal((600, 8)) / math.sqrt(8), rng.standard_normal(600)
        network = Layers(
            Reduced(x, y, basis=None, constant=0.0),
            (first, 8),
            1 / math.sqrt(first),
            ridge=1.0,
            scale=1.0,
            readout_variance=1.0,
            activation="erf",
            along=np.eye(8)[0],
        )
        position = network.start(False, rng)
        w, v = network.split(position)
        compared(
            f"N1 = {first:3d}",
            lambda network=network, position=position: network(position),
            lambda w=w, v=v, x=x, y=y: plain_deep(w, v, x, y, 1.0),
        )
        theirs = np.concatenate([part.ravel() for part in plain_deep(w, v, x, y, 1.0)[1:]])
        print(f"   apart {np.max(np.abs(network(position)[1] - theirs)):.0e}")


def two_layers() -> None:
    """Print gradients and effective draws per second of networks of two layers."""
    print("gradients per second, two layers, d = 8")
    for samples, neurons in ((100, 64), (300, 6), (1000, 20), (1500, 40), (5000, 100)):
        rng = np.random.default_rng(0)
        x, w = rng.standard_normal((samples, 8)) / math.sqrt(8), rng.standard_normal((neurons, 8))
        y = x[:, 0]
        network = Network(
            x, y, neurons, ridge=1.0, scale=1.0, readout_variance=1.0, activation="erf"
        )
        compared(
            f"P = {samples:4d}, N = {neurons:3d}",
            lambda network=network, w=w: network(w),
            lambda w=w, x=x, y=y: plain(w, x, y, 1.0),
        )
        print(f"   apart {np.max(np.abs(network(w)[1] - plain(w, x, y, 1.0)[1])):.0e}")
    print("effective draws per second of the slowest order parameter, cubic target")
    for dimension, neurons, samples in ((6, 6, 300), (2, 64, 100)):
        start = time.perf_counter()
        found = teacher_posterior(
            samples,
            dimension=dimension,
            neurons=neurons,
            ridge=1.0,
            target=np.array([0, 0, 0, 1]) / math.sqrt(6),
            chains=2,
            draws=300,
            warmup=300,
            rng=0,
            on_failure="return",
        )
        took = time.perf_counter() - start
        worst, draws = min(found.effective_size.items(), key=lambda entry: entry[1])
        print(
            f"  d = {dimension}, N = {neurons:2d}, P = {samples}: {draws / took:5.0f} of the {worst.replace('_', ' ')}"
            f"; {took:.1f} s, {found.diagnostics.iterations / took:.0f} gradients per second"
        )


def main() -> None:
    """Print the tables."""
    two_layers()
    convolutional()
    deep()


if __name__ == "__main__":
    with threadpool_limits(1):
        main()
