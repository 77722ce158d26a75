"""Fits of laws to runs against what else does it: SciPy, one start; SciPy, one fit for each resample; and the package `chinchilla`.

Run ``python benchmarks/fit.py`` (a minute; six with `chinchilla` 0.2.0 in the environment of the benchmark). Ratios are to hold on any
machine: 10 for a fit of ``surface`` or ``surface_power`` from one start, 12 for 4000 resamples on two threads, 500 against `chinchilla`.
All minimize the same objective over the same 240 runs; laws for SciPy are NumPy, centered, with log-sum-exp.
"""

from __future__ import annotations

import importlib.util
import os
import tempfile
import time

import numpy as np
from scipy.optimize import least_squares
from timing import best_of

from scalinglaws.verify.empirical import fit, read_runs
from scalinglaws.verify.empirical.fits import fit_law, resolve_many, solve
from scalinglaws.verify.empirical.fits._bootstrap import resampled
from scalinglaws.verify.empirical.fits._starts import surface_start

TRUTH = {"E": 1.8172, "A": 482.01, "B": 2085.43, "a": 0.3478, "b": 0.3658}
DELTAS = (1e-3, 7e-3)  # the literature's, and about the default for such runs
RESAMPLES = 4000
STARTS = 20
PEERS = 40  # of the resamples, which the slower one fits


def runs() -> dict[str, np.ndarray]:
    """Return 240 runs of the surface with noise of the size and the tails of the Chinchilla points."""
    rng = np.random.default_rng(0)
    C = 10 ** rng.uniform(18.5, 21.8, 240)
    N = 0.1 * np.sqrt(C) * 10 ** rng.uniform(-0.6, 0.6, 240)
    columns = {"N": N, "D": C / (6 * N)}
    law = fit_law("surface")
    noise = 0.005 * rng.standard_t(4, 240) / np.sqrt(2)
    return {**columns, "loss": np.exp(law.predict(law.coordinates(TRUTH), columns) + noise)}


def objective(residuals: np.ndarray, delta: float, weights: np.ndarray | float = 1.0) -> float:
    size = np.abs(residuals)
    return float(np.sum(weights * np.where(size < delta, size**2 / 2, delta * (size - delta / 2))))


class Peer:
    """A law in NumPy, for SciPy's least squares: centered, log-sum-exp, analytic Jacobian."""

    def __init__(self, data: dict[str, np.ndarray], power: bool) -> None:
        self.u, self.v = np.log(data["N"]), np.log(data["D"])
        self.middle = self.u.mean(), self.v.mean()
        self.u, self.v = self.u - self.middle[0], self.v - self.middle[1]
        self.y, self.power = np.log(data["loss"]), power

    def centered(self, x: np.ndarray) -> np.ndarray:
        """Return coordinates with amplitudes at the geometric means."""
        moved = np.array(x)
        moved[1:3] -= moved[3:5] * self.middle
        return moved

    def uncentered(self, x: np.ndarray) -> np.ndarray:
        """Return coordinates with amplitudes at N = D = 1 again."""
        moved = np.array(x)
        moved[1:3] += moved[3:5] * self.middle
        return moved

    def parts(self, x: np.ndarray) -> tuple[np.ndarray, ...]:
        """Return ln L, the logarithm of the sum, the model term's share of it, and the power."""
        p, q = x[1] - x[3] * self.u, x[2] - x[4] * self.v
        m = np.logaddexp(p, q)
        c = x[5] if self.power else 1.0
        return np.logaddexp(x[0], c * m), m, np.exp(p - m), c

    def residuals(self, x: np.ndarray) -> np.ndarray:
        """Return errors of ln L."""
        return self.y - self.parts(x)[0]

    def jacobian(self, x: np.ndarray) -> np.ndarray:
        """Return their gradients."""
        f, m, share, c = self.parts(x)
        above = np.exp(c * m - f)
        first, second = above * c * share, above * c * (1 - share)
        columns = [1 - above, first, second, -first * self.u, -second * self.v]
        return -np.column_stack([*columns, above * m] if self.power else columns)

    def solve(self, x: np.ndarray, delta: float, analytic: bool = True) -> np.ndarray:
        """Fit from a start, to about 1e-9 in F."""
        return least_squares(
            self.residuals,
            x,
            self.jacobian if analytic else "2-point",
            loss="huber",
            f_scale=delta,
            x_scale="jac",
            xtol=1e-10,
            ftol=1e-10,
            gtol=1e-12,
            max_nfev=1000,
        ).x


def starts(data: dict[str, np.ndarray], name: str) -> list[np.ndarray]:
    """Return starts with random exponents, and the best amplitudes for each."""
    rng = np.random.default_rng(1)
    u, v = np.log(data["N"]), np.log(data["D"])
    middle = np.array([u.mean(), v.mean()])
    found = []
    for _ in range(STARTS):
        a, b = rng.uniform(0.05, 1.5, 2)
        x = surface_start(
            u - middle[0],
            v - middle[1],
            data["loss"],
            np.ones(u.size),
            np.array([a]),
            np.array([b]),
        )
        x[1:3] += x[3:5] * middle
        found.append(x if name == "surface" else np.append(x, 1.0))
    return found


def one_start(data: dict[str, np.ndarray]) -> None:
    """Print the time of a fit from one start, the mean over starts."""
    print(
        f"milliseconds of a fit from one start, mean over {STARTS}: SciPy with analytic and with numerical Jacobian"
    )
    print(
        "law             delta   scalinglaws    SciPy   ratio   numerical   ratio   SciPy reaches F* to 1e-6"
    )
    for name in ("surface", "surface_power"):
        law, peer = fit_law(name), Peer(data, name == "surface_power")
        given = starts(data, name)
        for delta in DELTAS:
            times, reached = np.zeros((3, STARTS)), 0
            for k, start in enumerate(given):
                ways = (
                    lambda law=law, d=delta, s=start: solve(
                        law, data, data["loss"], delta=d, start=s
                    ),
                    lambda p=peer, d=delta, s=start: p.solve(p.centered(s), d),
                    lambda p=peer, d=delta, s=start: p.solve(p.centered(s), d, analytic=False),
                )
                times[:, k] = [1e3 * best_of(way, 5) for way in ways]
                values = ways[0]().objective, objective(peer.residuals(ways[1]()), delta)
                reached += values[1] < values[0] * (1 + 1e-6)
            ours, theirs, numeric = times.mean(axis=1)
            print(
                f"{name:14s} {delta:6.0e} {ours:12.3f} {theirs:8.2f} {theirs / ours:7.1f} {numeric:11.2f} {numeric / ours:7.1f}"
                f"   {reached} of {STARTS}"
            )


def whole_fit(data: dict[str, np.ndarray]) -> None:
    print(
        "\nmilliseconds of a whole fit, with starts, default threshold and what it says of itself"
    )
    known = read_runs(data)
    for name in ("surface", "surface_power", "auto"):
        taken = best_of(lambda n=name: fit(n, known, bootstrap=0), 10)
        print(f"  {name:14s} {1e3 * taken:8.1f}")


def bootstrap(data: dict[str, np.ndarray]) -> None:
    print(
        f"\nseconds of {RESAMPLES} resampled fits; SciPy's from {PEERS} of them, each from the fit to all"
    )
    print(
        "law             delta   scalinglaws    SciPy   ratio   largest F/F* - 1 of SciPy, of scalinglaws"
    )
    drawn = resampled(RESAMPLES, np.arange(240), np.random.default_rng(0))
    for name in ("surface", "surface_power"):
        law, peer = fit_law(name), Peer(data, name == "surface_power")
        for delta in DELTAS:
            x = solve(law, data, data["loss"], delta=delta).x

            def all_of_them(law=law, delta=delta, x=x):
                return resolve_many(law, data, data["loss"], drawn, delta=delta, start=x)

            found = all_of_them()
            fast = best_of(all_of_them, 3)
            begun, worse = time.perf_counter(), []
            solved = []
            for b in range(PEERS):
                rows = np.repeat(np.arange(240), drawn[b].astype(int))
                part = Peer({key: column[rows] for key, column in data.items()}, peer.power)
                at = part.solve(part.centered(x), delta)
                solved.append(peer.centered(part.uncentered(at)))
            slow = (time.perf_counter() - begun) * RESAMPLES / PEERS
            for b, at in enumerate(solved):
                theirs = objective(peer.residuals(at), delta, drawn[b])
                ours = objective(peer.residuals(peer.centered(found[b])), delta, drawn[b])
                worse.append((theirs / min(theirs, ours) - 1, ours / min(theirs, ours) - 1))
            theirs, ours = np.max(worse, axis=0)
            print(
                f"{name:14s} {delta:6.0e} {fast:12.2f} {slow:9.1f} {slow / fast:7.1f}   {theirs:.0e}, {ours:.0e}"
            )


def chinchilla_fit(data: dict[str, np.ndarray]) -> tuple[float, np.ndarray]:
    """Return seconds and coordinates of a fit by the package, from 3^5 starts, with as many processes as cores."""
    from chinchilla import Chinchilla
    from chinchilla._metrics import log_huber

    grid = {
        "e": [-0.5, 0.25, 1.0],
        "a": [2.0, 7.0, 12.0],
        "b": [2.0, 7.0, 12.0],
        "alpha": [0.1, 0.4, 0.8],
        "beta": [0.1, 0.4, 0.8],
    }
    with tempfile.TemporaryDirectory() as folder:
        peer = Chinchilla(
            project_dir=folder,
            param_grid=grid,
            loss_fn=lambda y, p: log_huber(y, p, delta=1e-3),
            log_level=40,
        )
        peer.visualizer.optim = lambda *_, **__: None  # no picture
        for n, d, loss in zip(data["N"], data["D"], data["loss"], strict=True):
            peer.append(C=6 * n * d, N=n, D=d, loss=loss)
        begun = time.perf_counter()
        peer.fit()
        slow = time.perf_counter() - begun
    at = {"E": peer.E, "A": peer.A, "B": peer.B, "a": peer.alpha, "b": peer.beta}
    return slow, fit_law("surface").coordinates(at)


def chinchilla(data: dict[str, np.ndarray]) -> None:
    if importlib.util.find_spec("chinchilla") is None:
        print("\nthe package chinchilla is not here: not compared")
        return
    law = fit_law("surface")
    slow, x = chinchilla_fit(data)
    theirs = objective(np.log(data["loss"]) - law.predict(x, data), 1e-3)
    ours = solve(law, data, data["loss"], delta=1e-3).objective
    fast = best_of(lambda: solve(law, data, data["loss"], delta=1e-3), 10)
    print(
        "\nseconds of a fit of surface, delta 1e-3, with starts: chinchilla from 3^5, with as many processes as cores"
    )
    print(f"  F of chinchilla over the least, minus 1: {theirs / ours - 1:.1e}")
    print(f"  scalinglaws {fast:.5f}   chinchilla {slow:.1f}   ratio {slow / fast:.0f}")


if __name__ == "__main__":
    print(f"{os.cpu_count()} processors")
    table = runs()
    one_start(table)
    whole_fit(table)
    bootstrap(table)
    chinchilla(table)
