"""Rich gradient flow: the exact reduction against time stepping of the layers, and curves with finite sizes.

Run ``python benchmarks/feature_learning.py`` (about a minute, most of it for the time stepping).
"""

from __future__ import annotations

import math
import time

import numpy as np
from scipy.integrate import solve_ivp
from threadpoolctl import threadpool_limits
from timing import best_of

from scalinglaws.solvers import PowerLawSpectrum, feature_learning, linear

Array = np.ndarray


def layers(spectrum: PowerLawSpectrum, richness: float, t: float) -> tuple[float, float]:
    """Integrate w' = M push, M' = richness w push^T mode by mode; return the loss and the time per unit of t at the end."""
    eigenvalues, signal = spectrum.explicit()
    target, size = np.sqrt(signal / eigenvalues), eigenvalues.size

    def rates(_: float, state: Array) -> Array:
        w, m = state[:size], state[size:].reshape(size, size)
        push = eigenvalues * (target - m.T @ w)
        return np.concatenate([m @ push, richness * np.outer(w, push).ravel()])

    def run(end: float, state: Array, begin: float = 0.0) -> tuple[Array, float]:
        start = time.perf_counter()
        state = solve_ivp(
            rates, (begin, end), state, method="DOP853", rtol=1e-7, atol=1e-9, t_eval=[end]
        ).y[:, -1]
        return state, time.perf_counter() - start

    state, _ = run(0.9 * t, np.concatenate([np.zeros(size), np.eye(size).ravel()]))
    state, seconds = run(t, state, 0.9 * t)
    rest = target - state[size:].reshape(size, size).T @ state[:size]
    return float(eigenvalues @ rest**2), seconds / (0.1 * t)


def long_times() -> None:
    """Print the time to reach t = 1e10, against the layers stepped in time."""
    spectrum, t = PowerLawSpectrum(1.5, 0.5, 200), 200.0
    stepped, rate = layers(spectrum, 1.0, t)
    solved = feature_learning.gradient_flow(t, spectrum, richness=1).test_loss
    print(
        f"agreement with the layers of 200 modes at t = {t:g}: {abs(solved / stepped - 1):.1e} relative (their tolerance 1e-7)\n"
    )
    infinite = PowerLawSpectrum(1.5, 0.5)
    fast = best_of(lambda: feature_learning.gradient_flow(1e10, infinite, richness=1))
    # the step is limited by the largest rate, scale * lambda_1, and the scale grows with time: more steps per unit of time later
    scales = feature_learning.gradient_flow([t, 1e10], infinite, richness=1).scale
    flat = rate * 1e10
    print("flow to t = 1e10                                             seconds      ratio")
    print(f"layers, 200 modes, extrapolated at their pace at t = {t:g}     {flat:9.2e}          1")
    print(
        f"exact reduction, unlimited modes                           {fast:9.2e}  {flat / fast:9.1e}"
    )
    print(
        f"(a lower bound: the stable step shrinks further by {scales[1] / scales[0]:.0f}; a full power law needs 1e9 modes, not 200)\n"
    )
    print("milliseconds by the end of training, unlimited modes")
    row = [
        f"{end:6.0e}: {1e3 * best_of(lambda e=end: feature_learning.gradient_flow(e, infinite, richness=1)):6.1f}"
        for end in (1e2, 1e6, 1e10, 1e20)
    ]
    print("  " + "   ".join(row))


def finite_sizes() -> None:
    """Print the time of whole curves with finite features, and with reused samples."""
    t = np.geomspace(0.1, 1e6, 50)
    print(
        "\nmilliseconds for a curve of 50 times                          rich     lazy (linear solver)    target"
    )
    for label, spectrum, arguments, target in (
        ("N = 50, 400 modes", PowerLawSpectrum(1.5, 0.5, 400), {"features": 50}, 2000),
        ("N = 1e4, unlimited modes", PowerLawSpectrum(1.5, 0.5), {"features": 1e4}, 2000),
        (
            "N = 15, P = 20, 40 modes",
            PowerLawSpectrum(1.5, 0.75, 40),
            {"features": 15, "samples": 20},
            4000,
        ),
        (
            "N = 100, P = 300, unlimited modes",
            PowerLawSpectrum(1.5, 0.5),
            {"features": 100, "samples": 300},
            4000,
        ),
        (
            "N = 1e5, P = 1e6, unlimited modes",
            PowerLawSpectrum(1.5, 0.5),
            {"features": 1e5, "samples": 1e6},
            4000,
        ),
    ):
        rich = best_of(
            lambda s=spectrum, a=arguments: feature_learning.gradient_flow(t, s, richness=1, **a)
        )
        lazy = best_of(lambda s=spectrum, a=arguments: linear.gradient_flow(t, s, **a), 2)
        print(f"  {label:<52}{1e3 * rich:10.1f} {1e3 * lazy:15.1f} {target:17d}")


def others() -> None:
    """Print the time of the other solvers."""
    spectrum = PowerLawSpectrum(1.5, 0.5)
    x, mu = np.random.default_rng(0).uniform(0.001, 1, 500), np.full(500, 0.01)
    print("\nmilliseconds                                             ")
    for label, call in (
        (
            "realization, 500 eigenvalues, t = 1e4",
            lambda: feature_learning.realization_flow(1e4, x, mu, richness=1),
        ),
        (
            "crossover time, richness 1e-4",
            lambda: feature_learning.crossover_time(spectrum, richness=1e-4),
        ),
        (
            "static limit",
            lambda: feature_learning.static_limit(spectrum, features=100, samples=300),
        ),
        (
            "compute frontier, one budget",
            lambda: feature_learning.compute_frontier(1e8, spectrum, richness=1),
        ),
    ):
        call()
        print(f"  {label:<52}{1e3 * best_of(call, 3):10.2f}")


if __name__ == "__main__":
    with threadpool_limits(1):
        assert math.isfinite(
            feature_learning.gradient_flow(
                1, PowerLawSpectrum(1.5, 0.5), richness=1, features=10, samples=20
            ).test_loss
        )
        long_times()
        finite_sizes()
        others()
