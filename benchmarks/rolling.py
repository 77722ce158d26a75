"""Rolling origin of two laws, ten refits of each, against the same refits by SciPy and by the package `chinchilla`.

Run ``python benchmarks/rolling.py`` (seconds; minutes with `chinchilla` 0.2.0 in the environment of the benchmark). Target: a second for
the ten refits of both laws, and a ratio of 500 against ten fits by `chinchilla`.
"""

from __future__ import annotations

import importlib.util
import os
from dataclasses import replace

import numpy as np
from fit import DELTAS, TRUTH, Peer, chinchilla_fit, objective
from timing import best_of

from scalinglaws.verify.empirical import Fit, fit
from scalinglaws.verify.empirical.fits import fit_law, rolling_origin, solve
from scalinglaws.verify.empirical.fits._solve import starting_points

BUDGETS, SIZES = 12, 9  # ten origins: all but the first and the last


def runs() -> dict[str, np.ndarray]:
    """Return runs at twelve budgets over three decades, with noise of heavy tails."""
    rng = np.random.default_rng(0)
    C = np.repeat(np.geomspace(1e18, 1e21, BUDGETS), SIZES)
    N = 0.1 * np.sqrt(C) * np.tile(np.geomspace(0.2, 5, SIZES), BUDGETS)
    columns = {"N": N, "D": C / (6 * N)}
    law = fit_law("surface")
    noise = 0.003 * rng.standard_t(4, C.size) / np.sqrt(2)
    return {**columns, "loss": np.exp(law.predict(law.coordinates(TRUTH), columns) + noise)}


def both_laws(data: dict[str, np.ndarray], delta: float) -> Fit:
    """Return a fit of both laws."""
    found, power = (
        fit(law, data, delta=delta, bootstrap=0) for law in ("surface", "surface_power")
    )
    return replace(found, laws={"surface_power": power})


def below(data: dict[str, np.ndarray]) -> list[dict[str, np.ndarray]]:
    """Return the runs up to each origin."""
    return [
        {name: column[: SIZES * origin] for name, column in data.items()}
        for origin in range(2, BUDGETS)
    ]


def starts(part: dict[str, np.ndarray], name: str, delta: float) -> list[np.ndarray]:
    """Return the starts from which both fit: of `surface_power` they contain a fit of `surface`, which nobody's time has."""
    law = fit_law(name)
    return starting_points(law, part, part["loss"], delta, np.ones(part["loss"].size))


def scipy(data: dict[str, np.ndarray], delta: float) -> None:
    """Print times of the refits alone, and of all that rolling origin does."""
    given = both_laws(data, delta)
    bands = rolling_origin(given)
    whole = best_of(lambda: rolling_origin(given), 5)
    print(
        f"\ndelta {delta:.0e}: rolling origin of {len(bands)} bands, two laws with starts, bands and best sizes: {whole:.3f} s"
    )
    print("  ten refits      seconds    SciPy   ratio   SciPy reaches F* to 1e-6")
    total = 0.0
    for name in ("surface", "surface_power"):
        law, ours, theirs, reached = fit_law(name), 0.0, 0.0, 0
        for part in below(data):
            points = starts(part, name, delta)
            peer = Peer(part, name == "surface_power")

            def fast(law=law, part=part, points=points):
                return min(
                    solve(law, part, part["loss"], delta=delta, start=x).objective for x in points
                )

            def slow(peer=peer, points=points):
                return min(
                    objective(peer.residuals(peer.solve(peer.centered(x), delta)), delta)
                    for x in points
                )

            ours += best_of(fast, 3)
            theirs += best_of(slow, 2)
            reached += slow() < fast() * (1 + 1e-6)
        total += theirs
        print(f"  {name:14s} {ours:8.4f} {theirs:8.3f} {theirs / ours:7.1f}   {reached} of 10")
    print(
        f"  SciPy's refits of both laws over all of rolling origin, SciPy's starts for nothing: {total / whole:.1f}"
    )


def chinchilla(data: dict[str, np.ndarray]) -> None:
    """Print the time of rolling origin over ten fits, of which one is measured."""
    if importlib.util.find_spec("chinchilla") is None:
        print("\nthe package chinchilla is not here: not compared")
        return
    given = both_laws(data, 1e-3)
    whole = best_of(lambda: rolling_origin(given), 5)
    slow = 10 * chinchilla_fit(below(data)[5])[0]
    print(
        f"\nten fits of surface by chinchilla, from one of a middle size: {slow:.0f} s, ratio {slow / whole:.0f}"
    )


if __name__ == "__main__":
    print(f"{os.cpu_count()} processors")
    table = runs()
    for threshold in DELTAS:
        scipy(table, threshold)
    chinchilla(table)
