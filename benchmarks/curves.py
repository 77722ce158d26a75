"""Laws of training curves: the compressed sum of the multi-power law against the exact one in NumPy, and times of fits.

Run ``python benchmarks/curves.py`` (seconds). Targets: a curve of 72000 steps at 545 points a hundred times faster than the exact sum, with
an error of the loss below 1e-3; a fit to three curves within a second; momentum's filter linear in the steps.
"""

from __future__ import annotations

import numpy as np
from timing import best_of

from scalinglaws.solvers.schedules import Schedule
from scalinglaws.verify.empirical import fit_curves
from scalinglaws.verify.empirical.curves._laws import CURVE_LAWS, CurvePoints
from scalinglaws.verify.estimate import ScheduledCurve

STEPS, WARMUP, PEAK = 72_000, 2_160, 3e-4
TRUE = {"L_0": 2.65, "A": 0.6, "alpha": 0.45, "B": 0.13, "C": 430.0, "beta": 0.6, "gamma": 0.65}


def schedules(steps: int) -> dict[str, np.ndarray]:
    """Return rates of all steps: constant, cosine to a tenth, and a drop to .3, each after warm-up."""
    k = np.arange(steps)
    ramp = np.minimum((k + 1) / WARMUP, 1.0)
    share = np.clip((k - WARMUP + 1) / (steps - WARMUP), 0, 1)
    shapes = {
        "constant": np.ones(steps),
        "cosine": 0.1 + 0.45 * (1 + np.cos(np.pi * share)),
        "drop": np.where(k < 0.8 * steps, 1.0, 0.3),
    }
    return {name: PEAK * ramp * shape for name, shape in shapes.items()}


def exact(rates: np.ndarray, at: np.ndarray) -> np.ndarray:
    """Return the losses by the sum as it stands, in NumPy."""
    L_0, A, alpha, B, C, beta, gamma = TRUE.values()
    S, w, peak = np.cumsum(rates), int(np.argmax(rates)), rates.max()
    found = []
    for n in at:
        k = np.arange(w + 1, n)
        drops = (rates[k - 1] - rates[k]) / peak
        speeds = C * (rates[k] / peak) ** -gamma
        kept = (1 + speeds * (S[n - 1] - S[k - 1])) ** -beta
        found.append(L_0 + A * S[n - 1] ** -alpha - B * np.sum(drops * (1 - kept)))
    return np.array(found)


def main() -> None:
    """Print all."""
    at = np.linspace(WARMUP + 128, STEPS, 545).astype(int)
    law, rates = CURVE_LAWS["multi_power"], schedules(STEPS)["cosine"]
    x = law.coordinates(TRUE, PEAK)
    points = CurvePoints(law, Schedule.from_array(rates), at, PEAK)
    known, found = exact(rates, at), np.exp(points.logs(x)[0])
    slow = best_of(lambda: exact(rates, at), 2)
    fast = best_of(lambda: np.exp(points.logs(x)[0]), 20)
    build = best_of(lambda: CurvePoints(law, Schedule.from_array(rates), at, PEAK), 5)
    off = float(np.max(np.abs(found - known)))
    print(
        f"72000 steps, 545 points: exact sum in NumPy {slow:.3f} s; compressed, with slopes {1e3 * fast:.2f} ms"
    )
    print(
        f"  {slow / fast:.0f} times faster; blocks made once in {1e3 * build:.1f} ms; error of the loss {off:.1e}"
    )

    momentum = CURVE_LAWS["momentum"]
    filtered = CurvePoints(momentum, Schedule.from_array(rates), at, PEAK)
    y = np.array([2.65, 0.0, 0.45, -3.0, -5.0])
    print(f"momentum filter: {1e3 * best_of(lambda: filtered.logs(y), 20):.2f} ms")

    for steps in (24_000, STEPS):
        rng, curves = np.random.default_rng(0), {}
        for name, row in schedules(steps).items():
            logged = np.arange(WARMUP + 128, steps, 128)
            held = CurvePoints(law, Schedule.from_array(row), logged, PEAK, None)
            losses = np.exp(held.logs(x)[0] + 1e-3 * rng.standard_normal(logged.size))
            curves[name] = ScheduledCurve(row, logged, losses)
        for name in CURVE_LAWS:
            fit = fit_curves(name, curves, holdout=None)
            seconds = best_of(lambda law=name, runs=curves: fit_curves(law, runs, holdout=None), 2)
            told = f"{fit.points} points, residuals {100 * fit.residual_rms:.3f} %"
            print(f"3 curves of {steps} steps, {name}: {seconds:.2f} s; {told}")


if __name__ == "__main__":
    main()
