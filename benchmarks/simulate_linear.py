"""Training runs of the linear model: time per draw against plain NumPy loops and an adaptive integrator, and agreement.

Run ``python benchmarks/simulate_linear.py`` (a minute).
"""

from __future__ import annotations

import math

import numpy as np
from scipy.integrate import solve_ivp
from threadpoolctl import threadpool_limits
from timing import best_of

from scalinglaws.solvers import PowerLawSpectrum
from scalinglaws.verify.simulate.linear import gradient_descent, gradient_flow, online_sgd

SPECTRUM = PowerLawSpectrum.from_ab(2, 1.5, 400)
EIGENVALUES, SIGNAL = SPECTRUM.explicit()
TARGET = np.sqrt(SIGNAL / EIGENVALUES)


def raw(
    features: int, samples: int, noise: float, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Draw one regression; return the Hessian, the drive and the projection."""
    inputs = rng.standard_normal((samples, EIGENVALUES.size)) * np.sqrt(EIGENVALUES)
    labels = inputs @ TARGET + math.sqrt(noise) * rng.standard_normal(samples)
    projection = rng.standard_normal((features, EIGENVALUES.size)) / math.sqrt(features)
    hidden = inputs @ projection.T
    return hidden.T @ hidden / samples, hidden.T @ labels / samples, projection


def test_loss(readouts: np.ndarray, projection: np.ndarray) -> np.ndarray:
    """Return the population loss of readouts, one per row."""
    return (TARGET - readouts @ projection) ** 2 @ EIGENVALUES


def flow() -> None:
    """Compare exact flow with an adaptive integrator."""
    print("gradient flow, M = 400, N = 60, P = 150, 50 times up to t_max: milliseconds per draw")
    for end in (1e2, 1e3, 1e4):
        times = np.geomspace(1, end, 50)
        given = {"features": 60, "samples": 150, "noise_variance": 0.09, "rng": 1}
        ours = best_of(lambda t=times, g=given: gradient_flow(t, SPECTRUM, draws=20, **g)) / 20

        def integrated(times: np.ndarray = times) -> np.ndarray:
            hessian, drive, projection = raw(60, 150, 0.09, np.random.default_rng(1).spawn(1)[0])
            path = solve_ivp(
                lambda t, v: drive - hessian @ v,
                (0, times[-1]),
                np.zeros(60),
                "LSODA",
                times,
                rtol=1e-8,
                atol=1e-10,
            )
            return test_loss(path.y.T, projection)

        theirs = best_of(integrated, 2)
        off = np.max(
            np.abs(integrated() / gradient_flow(times, SPECTRUM, **given).test_loss[0] - 1)
        )
        print(
            f"  t_max = {end:5.0e}: ours {ours * 1e3:6.2f}   solve_ivp {theirs * 1e3:8.1f}   ratio {theirs / ours:6.0f}   apart {off:.0e}"
        )


def descent() -> None:
    """Compare descent in the eigenbasis with a loop of matrix products."""
    print("gradient descent with momentum, M = 400, N = 60, P = 150: milliseconds per draw")
    for steps in (10**3, 10**4, 10**5):
        given = {
            "features": 60,
            "samples": 150,
            "noise_variance": 0.09,
            "learning_rate": 0.15,
            "momentum": 0.5,
            "rng": 1,
        }
        ours = (
            best_of(lambda n=steps, g=given: gradient_descent(n, SPECTRUM, draws=20, **g), 3) / 20
        )

        def loop(steps: int = steps) -> float:
            hessian, drive, projection = raw(60, 150, 0.09, np.random.default_rng(1).spawn(1)[0])
            now = before = np.zeros(60)
            for _ in range(steps):
                now, before = now - 0.15 * (hessian @ now - drive) + 0.5 * (now - before), now
            return float(test_loss(now, projection))

        theirs = best_of(loop, 1)
        off = abs(loop() / gradient_descent(steps, SPECTRUM, **given).test_loss[0] - 1)
        print(
            f"  {steps:6d} steps: ours {ours * 1e3:6.2f}   NumPy {theirs * 1e3:8.1f}   ratio {theirs / ours:6.0f}   apart {off:.0e}"
        )


def sgd() -> None:
    """Compare one-pass SGD with the same algorithm on samples of the model itself."""
    print("one-pass SGD, M = 400, 1000 steps: milliseconds per draw")
    for features, batch in ((100, 1), (100, 4), (100, 64), (math.inf, 1), (math.inf, 16)):
        ours = (
            best_of(
                lambda n=features, b=batch: online_sgd(
                    1000, SPECTRUM, features=n, batch=b, learning_rate=0.1, draws=5
                ),
                3,
            )
            / 5
        )

        def loop(features: float = features, batch: int = batch) -> float:
            rng = np.random.default_rng(1)
            count = EIGENVALUES.size if math.isinf(features) else int(features)
            projection = (
                np.eye(count)
                if math.isinf(features)
                else rng.standard_normal((count, EIGENVALUES.size)) / math.sqrt(count)
            )
            scale, readout = np.sqrt(EIGENVALUES), np.zeros(count)
            for _ in range(1000):
                samples = rng.standard_normal((batch, EIGENVALUES.size)) * scale
                hidden = samples if math.isinf(features) else samples @ projection.T
                readout -= 0.1 / batch * (hidden @ readout - samples @ TARGET) @ hidden
            return float(test_loss(readout, projection))

        theirs = best_of(loop, 3)
        label = f"N = {features:3.0f}, B = {batch:2d}"
        print(
            f"  {label}: ours {ours * 1e3:6.2f}   NumPy {theirs * 1e3:8.1f}   ratio {theirs / ours:6.1f}"
        )


if __name__ == "__main__":
    with threadpool_limits(1):
        flow()
        descent()
        sgd()
