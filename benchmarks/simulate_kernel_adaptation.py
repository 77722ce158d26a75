"""Posterior sampling: gradients per second against plain NumPy and SciPy, and effective draws per second.

Run ``python benchmarks/simulate_kernel_adaptation.py`` (a minute).
"""

from __future__ import annotations

import math
import time

import numpy as np
from scipy.special import erf
from threadpoolctl import threadpool_limits
from timing import best_of

from scalinglaws.verify.simulate.kernel_adaptation import teacher_posterior
from scalinglaws.verify.simulate.kernel_adaptation._network import Network


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


def main() -> None:
    """Print the tables."""
    print("gradients per second, d = 8")
    for samples, neurons in ((100, 64), (300, 6), (1000, 20), (1500, 40), (5000, 100)):
        rng = np.random.default_rng(0)
        x, w = rng.standard_normal((samples, 8)) / math.sqrt(8), rng.standard_normal((neurons, 8))
        y = x[:, 0]
        network = Network(
            x, y, neurons, ridge=1.0, scale=1.0, readout_variance=1.0, activation="erf"
        )
        apart = np.max(np.abs(network(w)[1] - plain(w, x, y, 1.0)[1]))
        count = max(2, 300_000 // (samples * neurons))

        def ours(network: Network = network, w: np.ndarray = w, count: int = count) -> None:
            for _ in range(count):
                network(w)

        def theirs(
            w: np.ndarray = w, x: np.ndarray = x, y: np.ndarray = y, count: int = count
        ) -> None:
            for _ in range(count):
                plain(w, x, y, 1.0)

        fast, slow = count / best_of(ours, 15), count / best_of(theirs, 15)
        print(
            f"  P = {samples:4d}, N = {neurons:3d}: ours {fast:7.0f}   NumPy {slow:7.0f}   ratio {fast / slow:4.1f}   apart {apart:.0e}"
        )
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


if __name__ == "__main__":
    with threadpool_limits(1):
        main()
