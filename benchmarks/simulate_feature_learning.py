"""Features that are learned, by flow and in steps: time per draw against the raw variables.

Flows are compared with an adaptive integrator, and how far they are apart is printed; steps with a plain NumPy loop over w and A.

Run ``python benchmarks/simulate_feature_learning.py`` (two minutes).
"""

from __future__ import annotations

import math

import numpy as np
from scipy.integrate import solve_ivp
from threadpoolctl import threadpool_limits
from timing import best_of

from scalinglaws.solvers.spectra import PowerLawSpectrum
from scalinglaws.verify.simulate.feature_learning import (
    gradient_descent,
    gradient_flow,
    network_flow,
    online_sgd,
)

TOLERANCE = 1e-8
RATE = 0.1  # of learning, in steps


def raw(
    times: np.ndarray,
    spectrum: PowerLawSpectrum,
    features: int,
    samples: float,
    richness: float,
    projected: bool,
) -> np.ndarray:
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
    path = solve_ivp(
        motion, (0, times[-1]), start, "DOP853", times, rtol=TOLERANCE, atol=TOLERANCE
    ).y
    learned = (
        np.einsum("nt,nmt->mt", path[:features], path[features:].reshape(*initial.shape, -1))
        / features
    )
    return eigenvalues @ (target[:, None] - learned) ** 2


def plain(
    steps: int, spectrum: PowerLawSpectrum, features: int, rows: int, richness: float, fresh: bool
) -> float:
    """Iterate w and A as the model is written down, on fresh batches or on one; return the test loss."""
    eigenvalues, signal = spectrum.explicit()
    target, scale, rng = (
        np.sqrt(signal / eigenvalues),
        np.sqrt(eigenvalues),
        np.random.default_rng(1),
    )
    initial = rng.standard_normal((features, eigenvalues.size))
    readout, layer, inputs = (
        np.zeros(features),
        initial.copy(),
        rng.standard_normal((rows, eigenvalues.size)) * scale,
    )
    for _ in range(steps):
        if fresh:
            inputs = rng.standard_normal(inputs.shape) * scale
        v1 = inputs.T @ (inputs @ (target - layer.T @ readout / features)) / rows
        change = layer @ v1
        if richness > 0:
            layer += np.outer(RATE * richness * readout, initial.T @ (initial @ v1) / features)
        readout = readout + RATE * change
    return float(eigenvalues @ (target - layer.T @ readout / features) ** 2)


def training() -> None:
    """Print a line per rule of training and size."""
    print("alpha = 1.5, beta = 0.5: milliseconds per draw, mean over ten of ours")
    for modes, features, rows, steps, richness in (
        (500, 100, 25, 200, 0.0),
        (500, 100, 25, 200, 1.0),
        (500, 100, 25, 2000, 1.0),
        (500, 100, 400, 200, 1.0),
        (2000, 50, 20, 200, 1.0),
    ):
        spectrum = PowerLawSpectrum(1.5, 0.5, modes)
        for simulate, name in ((online_sgd, "batch"), (gradient_descent, "samples")):
            given = {
                "features": features,
                name: rows,
                "learning_rate": RATE,
                "richness": richness,
                "rng": 1,
            }
            simulate(1, spectrum, **given)
            ours = (
                best_of(lambda run=simulate, n=steps, s=spectrum, g=given: run(n, s, draws=10, **g))
                / 10
            )
            theirs = best_of(
                lambda size=(steps, spectrum, features, rows, richness, simulate is online_sgd): (
                    plain(*size)
                ),
                1 if steps > 500 else 3,
            )
            sizes = f"M = {modes:4d}, N = {features:3d}, {name:7s} = {rows:3d}, T = {steps:4d}"
            label = f"{simulate.__name__:16s} {sizes}, gamma = {richness:.0f}"
            print(
                f"  {label}: ours {ours * 1e3:6.1f}   plain loop {theirs * 1e3:7.0f}   ratio {theirs / ours:5.1f}"
            )


def main() -> None:
    """Print a line per model, size and richness."""
    training()
    print(
        f"alpha = 1.5, beta = 0.5, 20 times up to t_max, tolerance {TOLERANCE:.0e}: milliseconds per draw"
    )
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
            given = {
                "features": features,
                "samples": samples,
                "richness": richness,
                "rng": 1,
                "tolerance": TOLERANCE,
            }
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
