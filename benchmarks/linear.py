"""The linear model: time per point against explicit sums and simulation, independence of scale, and the bias of the theory.

Run ``python benchmarks/linear.py``; add ``--bias`` for the comparison with simulation (a minute or two).
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable

import numpy as np
from scipy.optimize import brentq
from threadpoolctl import threadpool_limits
from timing import best_of, least_cpu, product_rate

from scalinglaws.solvers import PowerLawSpectrum
from scalinglaws.solvers.equivalents.contour import cotangent
from scalinglaws.solvers.equivalents.curves import contours_along
from scalinglaws.solvers.linear import (
    compute_frontier,
    gradient_descent,
    gradient_flow,
    online_sgd,
    ridge,
)
from scalinglaws.verify.simulate import linear as simulated
from scalinglaws.verify.simulate.linear import random_feature_ridge


def explicit(a: float, b: float, modes: int, samples: float) -> float:
    """Solve the ridgeless data bottleneck with plain sums over all modes and SciPy's root finder."""
    k = np.arange(1.0, modes + 1)
    eigenvalues, signal = k**-b, k**-a

    def excess(x: float) -> float:
        return float(np.log(np.sum(eigenvalues / (eigenvalues + np.exp(x))) / samples))

    kappa = np.exp(
        brentq(excess, np.log(modes**-b), np.log(eigenvalues.sum() / samples), xtol=1e-13)
    )
    df2 = np.sum((eigenvalues / (eigenvalues + kappa)) ** 2)
    return float(np.sum(signal * (kappa / (eigenvalues + kappa)) ** 2) / (1 - df2 / samples))


def speed() -> None:
    """Print time per point and its ratio to the explicit sum."""
    modes, a, b, samples = 10**6, 2.0, 1.5, 1000.0
    spectrum = PowerLawSpectrum.from_ab(a, b, modes)
    merged, plain = ridge(spectrum, samples=samples).test_loss, explicit(a, b, modes, samples)
    print(
        f"agreement with the explicit sum over {modes:.0e} modes: {abs(merged / plain - 1):.1e} relative\n"
    )
    slow = best_of(lambda: explicit(a, b, modes, samples), 3)
    single = best_of(lambda: ridge(spectrum, samples=samples), 200)
    grid = np.geomspace(10, 1e5, 2000)
    many = best_of(lambda: ridge(spectrum, samples=grid)) / grid.size
    print("time per point                                          seconds      ratio")
    print(f"NumPy sum over 1e6 modes, SciPy root                  {slow:9.2e}          1")
    print(
        f"ridge, one point per call                             {single:9.2e}  {slow / single:9.0f}"
    )
    print(f"ridge, 2000 points in a call                          {many:9.2e}  {slow / many:9.0f}")
    PowerLawSpectrum.from_ab(a, b).modes()

    def fresh() -> None:
        fresh.alpha += 1e-9  # type: ignore[attr-defined]
        PowerLawSpectrum(fresh.alpha, 1.0).modes()  # type: ignore[attr-defined]

    fresh.alpha = 1.5  # type: ignore[attr-defined]
    print(f"merging an infinite spectrum (once per spectrum)      {best_of(fresh, 50):9.2e}")


def flatness() -> None:
    """Print the time per point over ten decades of every scale."""
    print("\nmicroseconds per point (2000 points in a call)")
    for label, sizes, arguments in (
        (
            "modes M",
            (1e4, 1e8, 1e12, np.inf),
            lambda size: (
                PowerLawSpectrum(1.5, 1.0, size),
                {"samples": np.geomspace(10, 1e3, 2000)},
            ),
        ),
        (
            "samples P",
            (1e3, 1e6, 1e9, 1e12),
            lambda size: (PowerLawSpectrum(1.5, 1.0), {"samples": np.full(2000, size)}),
        ),
        (
            "features N",
            (1e3, 1e6, 1e9, 1e12),
            lambda size: (
                PowerLawSpectrum(1.5, 1.0),
                {"features": np.full(2000, size), "samples": 1e6},
            ),
        ),
    ):
        row = []
        for size in sizes:
            spectrum, given = arguments(size)
            ridge(spectrum, **given)
            row.append(
                f"{size:6.0e}: {best_of(lambda s=spectrum, g=given: ridge(s, **g), 3) / 2000 * 1e6:5.1f}"
            )
        print(f"  {label:<11}" + "   ".join(row))


def training() -> None:
    """Print the time per point of every training solver over ten decades of every scale."""
    task = PowerLawSpectrum(1.5, 0.5)
    print("\nmilliseconds per point of training (20 points in a call)")

    def row(label: str, sizes: tuple[float, ...], call: Callable[[float], object]) -> None:
        cells = []
        for size in sizes:
            call(size)
            cells.append(f"{size:6.0e}: {best_of(lambda s=size: call(s), 3) / 20 * 1e3:5.2f}")
        print(f"  {label:<34}" + "   ".join(cells))

    def times(t: float) -> np.ndarray:
        return np.geomspace(t / 2, t, 20)

    decades = (1e2, 1e4, 1e6, 1e9, 1e12)
    row(
        "flow, N and P finite, against t",
        decades,
        lambda t: gradient_flow(times(t), task, features=1e6, samples=1e7),
    )
    row(
        "flow, N and P finite, against N",
        decades,
        lambda n: gradient_flow(times(1e6), task, features=n, samples=10 * n),
    )
    row(
        "flow, N and P finite, against M",
        decades,
        lambda m: gradient_flow(
            times(1e6), PowerLawSpectrum(1.5, 0.5, m), features=1e6, samples=1e7
        ),
    )
    row(
        "the same with weight decay",
        decades,
        lambda t: gradient_flow(
            times(t), task, features=1e6, samples=1e7, weight_decay=1e-4, temperature=1.0
        ),
    )
    row(
        "flow, P infinite, against t",
        decades,
        lambda t: gradient_flow(times(t), task, features=1e6),
    )
    row(
        "online SGD, against t",
        decades,
        lambda t: online_sgd(times(t), task, features=1e6, batch=1, learning_rate=0.05),
    )
    row(
        "the same with weight decay",
        decades,
        lambda t: online_sgd(
            times(t), task, features=1e6, batch=1, learning_rate=0.05, weight_decay=1e-4
        ),
    )
    row(
        "online SGD, against N",
        decades,
        lambda n: online_sgd(times(1e6), task, features=n, batch=1, learning_rate=0.05),
    )
    row(
        "heavy ball, N and P finite, against t",
        decades[1:],
        lambda t: gradient_descent(
            np.round(times(t)), task, features=1e6, samples=1e7, learning_rate=0.1, momentum=0.9
        ),
    )
    row(
        "the same with decoupled decay",
        decades[1:],
        lambda t: gradient_descent(
            *(np.round(times(t)), task),
            features=1e6,
            samples=1e7,
            learning_rate=0.1,
            momentum=0.9,
            weight_decay=1e-4,
            decoupled=True,
        ),
    )
    print(
        f"  best split of one compute budget  {1e3 * best_of(lambda: compute_frontier(1e14, task), 3):.0f}"
    )


def curves() -> None:
    """Print what a point of a curve of 60 times costs, against a call for each time, and the share of the product rate."""
    task, times, rate = PowerLawSpectrum(1.5, 0.5), np.geomspace(1, 1e12, 60), product_rate()
    print(
        "\n60 times of a curve of gradient flow      ms a point   one call a time   ratio   apart   share of product rate"
    )
    z, _ = cotangent()
    pairs = 6 * (2 * z.size) ** 2  # products a mode: six of real and imaginary parts of all nodes
    for features, samples in ((1e9, 1e10), (1e6, 1e7), (1e2, 1e3), (1e6, np.inf)):
        given = {"features": features, "samples": samples, "noise_variance": 0.01}
        modes = task.modes(task.depth_for(min(features, samples), 1 / times))
        together = gradient_flow(times, task, **given).test_loss
        each = [gradient_flow(t, task, **given).test_loss for t in times]
        apart = np.max(np.abs(together / each - 1))
        one = least_cpu(lambda g=given: gradient_flow(times, task, **g), 9) / times.size
        single = least_cpu(lambda g=given: [gradient_flow(t, task, **g) for t in times], 5)
        single /= times.size
        parts = contours_along(modes, features, samples, times, [z])
        summed = sum(part.residuals.size * part.modes.eigenvalues.size for part in parts)
        share = 2 * pairs * summed / times.size / one / rate
        print(
            f"  N = {features:.0e}, P = {samples:6.0e}                  {1e3 * one:10.2f} {1e3 * single:17.2f} {single / one:7.1f}"
            f"   {apart:.0e}   {f'{share:.0%}' if np.isfinite(samples) else '-'}"
        )


def simulation() -> None:
    """Print what simulations cost that reach one per cent, against the solver."""
    task, t = PowerLawSpectrum.from_ab(2, 1.5, 400), np.array([1.0, 10.0, 100.0, 1e3, 1e4])
    given = {"features": 60, "samples": 150, "noise_variance": 0.09}
    print("\nfive times of a curve to one per cent                  seconds      ratio")
    for label, solve, simulate in (
        (
            "gradient flow",
            lambda: gradient_flow(t, task, **given),
            lambda n: simulated.gradient_flow(t, task, **given, draws=n),
        ),
        (
            "heavy ball, 1e4 steps",
            lambda: gradient_descent(t, task, **given, learning_rate=0.15, momentum=0.8),
            lambda n: simulated.gradient_descent(
                t.astype(int), task, **given, learning_rate=0.15, momentum=0.8, draws=n
            ),
        ),
        (
            "online SGD, 1e4 steps",
            lambda: online_sgd(
                t, task, features=60, noise_variance=0.09, batch=4, learning_rate=0.2
            ),
            lambda n: simulated.online_sgd(
                t.astype(int),
                task,
                features=60,
                noise_variance=0.09,
                batch=4,
                learning_rate=0.2,
                draws=n,
            ),
        ),
    ):
        simulate(2)
        solve()
        start = time.perf_counter()
        losses = simulate(60).test_loss
        per_draw = (time.perf_counter() - start) / 60
        needed = float(np.max(losses.std(axis=0) / losses.mean(axis=0)) / 0.01) ** 2
        fast = best_of(solve)
        print(f"{label:<24} solver                        {fast:9.2e}          1")
        print(
            f"{'':<24} simulation, {needed:5.0f} draws       {needed * per_draw:9.2e}  {needed * per_draw / fast:9.0f}"
        )


def bias() -> None:
    """Print c in mean over draws / theory - 1 = c / P, with one standard error."""
    print(
        "\nbias of the deterministic equivalent times P (unlimited features, 1024 modes, ridgeless, no noise)"
    )
    for a, b in ((2.0, 1.5), (4.0, 2.5), (7.5, 2.0)):
        spectrum = PowerLawSpectrum.from_ab(a, b, 1024)
        row = []
        for samples, draws in ((24, 8000), (48, 4000), (96, 2000)):
            losses = random_feature_ridge(
                spectrum, samples=samples, draws=draws, rng=samples
            ).test_loss
            ratio = losses / ridge(spectrum, samples=samples).test_loss
            row.append(
                f"P = {samples}: {(ratio.mean() - 1) * samples:5.2f} +- {ratio.std() / draws**0.5 * samples:4.2f}"
            )
        print(f"  alpha = {b:g}, beta = {(a - 1) / b:<8.4g}" + "   ".join(row))


if __name__ == "__main__":
    with threadpool_limits(1):
        speed()
        flatness()
        training()
        curves()
        simulation()
        if "--bias" in sys.argv[1:]:
            bias()
