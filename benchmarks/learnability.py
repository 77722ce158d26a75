"""Lazy learnability: kappa and learnabilities against plain NumPy sums with a SciPy root.

Run ``python benchmarks/learnability.py``.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from scipy.optimize import brentq
from threadpoolctl import threadpool_limits
from timing import best_of

from scalinglaws.solvers import PowerLawSpectrum
from scalinglaws.solvers.learnability import (
    effective_ridge,
    samples_for_learnability,
    unlearnability,
)

RIDGE = 0.05
SHOWN = 100  # modes whose learnabilities are computed


def plain(values: np.ndarray, samples: Sequence[float], ridge: float) -> tuple[np.ndarray, ...]:
    """Solve for kappa with sums over all modes and a root in its logarithm, one number of samples at a time."""
    top = math.log(ridge + values.sum())
    kappas = []
    for p in samples:

        def excess(x: float, p: float = p) -> float:
            kappa = math.exp(x)
            return ridge + kappa * float(np.sum(values / (kappa + p * values))) - kappa

        kappas.append(math.exp(brentq(excess, top - 80, top + 1e-9, xtol=1e-13)))
    kappa, p = np.array(kappas)[:, None], np.array(samples)[:, None]
    return kappa[:, 0], p * values[:SHOWN] / (kappa + p * values[:SHOWN])


def compare(label: str, spectrum: object, values: np.ndarray, samples: np.ndarray) -> None:
    """Print times of both and how far they are apart; the plain way does at most ten numbers of samples."""
    shown = values[:SHOWN]

    def solve() -> tuple[object, object]:
        found = effective_ridge(spectrum, samples=samples, ridge=RIDGE)  # type: ignore[arg-type]
        return found.kappa, found.learnability_of(shown[:, None])

    kappa, learned = solve()
    few = samples[:: max(samples.size // 10, 1)]
    expected, shares = plain(values, few.tolist(), RIDGE)
    step = max(samples.size // 10, 1)
    apart = float(np.max(np.abs(np.asarray(kappa)[::step] / expected - 1)))
    apart = max(apart, float(np.max(np.abs(np.asarray(learned).T[::step] / shares - 1))))
    slow = best_of(lambda: plain(values, few.tolist(), RIDGE), 2) / few.size
    fast = best_of(solve, 3 if samples.size > 1 else 30) / samples.size
    print(
        f"{label:<44}{samples.size:>8}{slow * 1e6:>12.1f}{fast * 1e6:>12.1f}{slow / fast:>10.1f}{apart:>10.0e}"
    )


def speed() -> None:
    """Print microseconds per number of samples."""
    print("microseconds a number of samples, kappa and 100 learnabilities")
    print(f"{'spectrum':<44}{'samples':>8}{'plain':>12}{'this':>12}{'ratio':>10}{'apart':>10}")
    one, many = np.array([100.0]), np.geomspace(10, 1000, 1000)
    for size in (400, 100_000):
        values = np.arange(1.0, size + 1) ** -2
        for samples in (one, many):
            compare(f"{size} eigenvalues", values, values, samples)
    values = np.arange(1.0, 1e7 + 1) ** -2
    for samples in (one, many):
        compare(
            "infinite power law, plain one of 1e7 modes",
            PowerLawSpectrum(2.0, 1.0),
            values,
            samples,
        )


def bounds() -> None:
    """Print milliseconds of what follows from kappa."""
    values = np.arange(1.0, 401) ** -2
    half = best_of(lambda: samples_for_learnability(values, ridge=RIDGE)) / values.size
    print(f"\nsamples for half a mode, 400 eigenvalues: {half * 1e6:.1f} microseconds a mode")
    least = best_of(lambda: unlearnability(values, ridge=RIDGE, mode_eigenvalue=0.01))
    print(f"three bounds of one mode, 400 eigenvalues: {least * 1e3:.1f} milliseconds")


if __name__ == "__main__":
    with threadpool_limits(1):
        speed()
        bounds()
