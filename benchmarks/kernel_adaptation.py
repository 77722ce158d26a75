"""Kernels that adapt to a data set: `adapt` against damped iteration of its equations, and against the number of inputs.

Run ``python benchmarks/kernel_adaptation.py`` (three minutes).
"""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np
from threadpoolctl import threadpool_limits

from scalinglaws.solvers.kernel_adaptation import AdaptedKernels, adapt

RIDGE, SECONDS = 0.2, 10.0


def task(n: int, d: int) -> tuple[np.ndarray, np.ndarray]:
    """Return Gaussian inputs, and a cubic target of the first coordinate."""
    x = np.random.default_rng(3).standard_normal((n, d))
    z = x[:, 0]
    return x, z + 0.1 * (z**3 - 3 * z)


def activated(kernel: np.ndarray) -> tuple[np.ndarray, Callable[[np.ndarray], np.ndarray]]:
    """Return the kernel of error functions, and the way back, as they are written down."""
    a = 1 + 2 * np.diag(kernel)
    u = 2 * kernel / np.sqrt(np.outer(a, a))

    def back(derivative: np.ndarray) -> np.ndarray:
        b = derivative * 2 / np.pi / np.sqrt(1 - u**2)
        return b * 2 / np.sqrt(np.outer(a, a)) - 2 * np.diag((b * u).sum(axis=1) / a)

    return 2 / np.pi * np.arcsin(u), back


def damped(
    x: np.ndarray, y: np.ndarray, layers: tuple[int, ...], scale: float, tolerance: float
) -> tuple[float, float, int, float]:
    """Iterate K^-1 <- (1 - eta) K^-1 + eta T, eta halved where F rises; return F, residual, steps and seconds."""
    start = time.perf_counter()
    n, d = x.shape
    jitter = 1e-8 * np.eye(n)
    covariances = [np.eye(d) / d]
    kernel = x @ x.T / d
    for _ in layers[1:]:
        kernel = activated(kernel)[0] + jitter
        covariances.append(kernel)

    def look(given: list[np.ndarray]) -> tuple[float, list[np.ndarray]]:
        """Return F and the precisions that the equations ask for."""
        energy, ways = 0.0, []
        priors = [np.eye(d) / d]
        kernel = x @ given[0] @ x.T
        for k, width in enumerate(layers):
            ratio = np.linalg.solve(priors[k], given[k])
            energy += 0.5 * width * (np.trace(ratio) - len(ratio) - np.linalg.slogdet(ratio)[1])
            kernel = given[k] if k else kernel
            value, back = activated(kernel)
            ways.append(back)
            priors.append(value + jitter)
        noisy = value + RIDGE * np.eye(n)
        inverse = np.linalg.inv(noisy)
        tilde = inverse @ y
        energy += 0.5 * scale * y @ tilde + 0.5 * np.linalg.slogdet(noisy)[1]
        derivative = -0.5 * (scale * np.outer(tilde, tilde) - inverse)
        wanted = [np.empty(0)] * len(layers)
        for k in range(len(layers) - 1, -1, -1):
            derivative = ways[k](derivative)
            q = np.linalg.inv(priors[k])
            force = x.T @ derivative @ x if k == 0 else derivative
            wanted[k] = q + 2 / layers[k] * force
            derivative = 0.5 * layers[k] * (q - q @ given[k] @ q)
        return energy, wanted

    energy, wanted = look(covariances)
    eta, steps, worst = 0.5, 0, np.inf
    while time.perf_counter() - start < SECONDS:
        worst = max(
            float(np.max(np.abs(k @ t - np.eye(len(k)))))
            for k, t in zip(covariances, wanted, strict=True)
        )
        if worst < tolerance or eta < 1e-12:
            break
        steps += 1
        with np.errstate(all="ignore"):
            moved = [
                np.linalg.inv((1 - eta) * np.linalg.inv(k) + eta * t)
                for k, t in zip(covariances, wanted, strict=True)
            ]
            moved = [0.5 * (k + k.T) for k in moved]
            lower, next_wanted = look(moved)
        positive = all(np.linalg.eigvalsh(k)[0] > 0 for k in moved)
        if np.isfinite(lower) and positive and lower <= energy:
            covariances, energy, wanted = moved, lower, next_wanted
            eta = min(0.5, 1.5 * eta)
        else:
            eta *= 0.5
    return energy, worst, steps, time.perf_counter() - start


def plain_residual(x: np.ndarray, found: AdaptedKernels) -> str:
    """Write residual, steps and free energy."""
    return f"{found.diagnostics.residual:.0e} in {found.diagnostics.iterations:4d} steps, F = {found.free_energy:.8f}"


def main() -> None:
    """Print the tables."""
    print("adapt (both starts) against damped iteration of the equations, error functions, d = 5")
    for n, layers, scale in (
        (20, (100,), 30.0),
        (20, (100,), 100.0),
        (20, (100, 100), 30.0),
        (60, (100,), 100.0),
        (60, (100, 100), 30.0),
        (60, (100, 100), 100.0),
        (60, (100, 100, 100), 100.0),
    ):
        x, y = task(n, 5)
        start = time.perf_counter()
        found = adapt(x, y, layers=layers, activation="erf", scale=scale, ridge=RIDGE)
        took = time.perf_counter() - start
        energy, worst, steps, other = damped(x, y, layers, scale, 1e-6)
        print(
            f"  n = {n:3d}, {len(layers)} hidden, scale {scale:3.0f}: {took:6.3f} s to {plain_residual(x, found)}"
            f"   damped {other:6.3f} s to {worst:.0e} in {steps} steps, F = {energy:.8f}"
        )
    print("against the number of inputs, scale 100")
    for depth, sizes in ((1, (60, 120, 240, 480)), (2, (60, 120, 240)), (3, (60, 120))):
        for n in sizes:
            x, y = task(n, 10)
            start = time.perf_counter()
            found = adapt(x, y, layers=[100] * depth, activation="erf", scale=100.0, ridge=RIDGE)
            took = time.perf_counter() - start
            print(
                f"  {depth} hidden, n = {n:3d}: {took:7.3f} s, residual {plain_residual(x, found)}"
            )


if __name__ == "__main__":
    with threadpool_limits(1):
        main()
