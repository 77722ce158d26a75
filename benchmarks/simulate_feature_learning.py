"""Flows that learn features: time per draw against an adaptive integrator in the raw variables, and how far they are apart.

Run ``python benchmarks/simulate_feature_learning.py`` (two minutes).
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable

import numpy as np
from scipy.integrate import solve_ivp
from threadpoolctl import threadpool_limits

from scalinglaws.solvers.spectra import PowerLawSpectrum
from scalinglaws.verify.simulate.feature_learning import gradient_flow, network_flow

TOLERANCE = 1e-8


def best_of(function: Callable[[], object], repeats: int = 3) -> float:
    """Return the shortest wall time of several calls, in seconds."""
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        function()
        times.append(time.perf_counter() - start)
    return min(times)


def raw(times: np.ndarray, spectrum: PowerLawSpectrum, features: int, samples: float, richness: float, projected: bool) -> np.ndarray:
    """Integrate w and A as the model is written down, by the same method at the same tolerance; return test losses."""
    eigenvalues, signal = spectrum.explicit()
    target, rng = np.sqrt(signal / eigenvalues), np.random.default_rng(1).spawn(1)[0]
    modes, inputs = eigenvalues.size, None
    if samples < math.inf:
        inputs = rng.standard_normal((int(samples), modes)) * np.sqrt(eigenvalues)
        rng.standard_normal(int(samples))  # label noise of variance zero
    initial = rng.standard_normal((features, modes))

    def motion(_: float, state: np.ndarray) -> np.ndarray:
        readout, layer = state[:features], state[features:].reshape(initial.shape)
        error = target - layer.T @ readout / features
        v1 = eigenvalues * error if inputs is None else inputs.T @ (inputs @ error) / samples
        v3 = initial.T @ (initial @ v1) / features if projected else v1
        return np.concatenate([layer @ v1, (richness * readout[:, None] * v3).ravel()])

    start = np.concatenate([np.zeros(features), initial.ravel()])
    path = solve_ivp(motion, (0, times[-1]), start, "DOP853", times, rtol=TOLERANCE, atol=TOLERANCE).y
    learned = np.einsum("nt,nmt->mt", path[:features], path[features:].reshape(*initial.shape, -1)) / features
    return eigenvalues @ (target[:, None] - learned) ** 2


def main() -> None:
    """Print a line per model, size and richness."""
    print(f"alpha = 1.5, beta = 0.5, 20 times up to t_max, tolerance {TOLERANCE:.0e}: milliseconds per draw")
    for simulate in (gradient_flow, network_flow):
        for modes, features, samples, richness, end in (
            (50, 20, math.inf, 1.0, 100.0),
            (50, 20, 30, 1.0, 100.0),
            (200, 50, math.inf, 1.0, 100.0),
            (200, 50, math.inf, 1.0, 1000.0),
            (400, 100, 200, 1.0, 100.0),
            (400, 100, 200, 10.0, 100.0),
        ):
            times, spectrum = np.geomspace(0.1, end, 20), PowerLawSpectrum(1.5, 0.5, modes)
            given = {"features": features, "samples": samples, "richness": richness, "rng": 1, "tolerance": TOLERANCE}
            simulate(1, spectrum, **given)
            ours = best_of(lambda run=simulate, t=times, s=spectrum, g=given: run(t, s, **g))
            size = (times, spectrum, features, samples, richness, simulate is gradient_flow)
            theirs = best_of(lambda size=size: raw(*size), 1)
            found = simulate(times, spectrum, **given)
            off = np.max(np.abs(raw(*size) - found.test_loss[0])) / found.test_loss[0, 0]
            label = f"{simulate.__name__:13s} M = {modes}, N = {features:3d}, P = {samples:3.0f}, gamma = {richness:2.0f}, t <= {end:4.0f}"
            print(
                f"  {label}, s = {found.kernel_scale[0, -1]:4.1f}: ours {ours * 1e3:7.1f}   solve_ivp {theirs * 1e3:8.0f}"
                f"   ratio {theirs / ours:4.0f}   apart {off:.0e}"
            )


if __name__ == "__main__":
    with threadpool_limits(1):
        main()
