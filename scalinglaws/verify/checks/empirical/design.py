"""Runs to do next: the errors that a design expects are those of fits to runs that were drawn."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from ... import empirical
from ...comparison import Comparison, Measurement, Prediction, Rival
from ...empirical.fits import fit_law, resolve_many
from ...registry import Context, check

Array = NDArray[np.float64]

TRUTH = {"E": 1.8172, "A": 482.01, "B": 2085.43, "a": 0.3478, "b": 0.3658}
"""The surface of Besiroglu et al."""
BUDGET, RUNS = 1e22, 60
NOISE, MISFIT = 0.003, 0.003  # small enough for errors to be linear in them
TOLERANCE = 0.1  # relative: a standard deviation told to 10 % is told
CASES = {"true": (0.0, 1e24), "nearly": (MISFIT, 1e22)}
"""Misfit and target: far away where the law is true; near, where the misfit at the target counts, if it is nearly true."""
UNITS = {"loss": "ln L", "params": "ln N_opt"}


def curve(N: Array, D: Array) -> Array:
    """Return ln L of the true surface."""
    t = TRUTH
    return np.asarray(np.log(t["E"] + t["A"] * N ** -t["a"] + t["B"] * D ** -t["b"]))


def best_size(parameters: dict[str, float], compute: float) -> float:
    """Return ln N of the least loss for a compute, by a search over sizes."""
    low, high = 5.0, math.log(compute / 6) - 5
    for _ in range(8):
        u = np.linspace(low, high, 201)
        terms = parameters["A"] * np.exp(-parameters["a"] * u)
        terms += parameters["B"] * np.exp(-parameters["b"] * (math.log(compute / 6) - u))
        at = int(np.argmin(terms))
        low, high = u[max(at - 1, 0)], u[min(at + 1, 200)]
    return float((low + high) / 2)


def covariance(N: Array, D: Array, misfit: float) -> Array:
    """Return the covariances of what the law leaves out, between runs."""
    C = 6 * N * D
    u, v = np.log10(C), (np.log(N) - np.log(C) / 2) / 1.4
    apart = (u[:, None] - u) ** 2 + (v[:, None] - v) ** 2
    return np.asarray(misfit**2 * np.exp(-apart / 2))


def errors_of_refits(
    plan: empirical.Design, misfit: float, refits: int, rng: np.random.Generator
) -> dict[str, Array]:
    """Fit runs of a plan again and again, with noise and a law that is off; return the errors of both targets."""
    N, D = np.repeat(plan.N, plan.seeds), np.repeat(plan.D, plan.seeds)
    target = best_size(TRUTH, plan.target_compute)
    size = math.exp(target)
    all_N = np.append(N, size)
    all_D = np.append(D, plan.target_compute / (6 * size))
    cov = covariance(all_N, all_D, misfit)
    values, vectors = np.linalg.eigh(cov)
    half = vectors * np.sqrt(np.maximum(values, 0))
    law, known = fit_law("surface"), curve(all_N, all_D)
    start = law.coordinates(TRUTH)
    ones = np.ones((1, N.size))
    found = np.empty((refits, 2))
    for r in range(refits):
        drawn = known + half @ rng.standard_normal(all_N.size)
        losses = np.exp(drawn[:-1] + NOISE * rng.standard_normal(N.size))
        x = resolve_many(law, {"N": N, "D": D}, losses, ones, delta=math.inf, start=start)[0]
        parameters = {name: float(value) for name, value in law.parameters(x).items()}
        best = best_size(parameters, plan.target_compute)
        loss = law.predict(x, {"N": all_N[-1:], "D": all_D[-1:]})[0]
        found[r] = loss - drawn[-1], best - target
    return {"loss": found[:, 0], "params": found[:, 1]}


@check(
    "empirical.design",
    statement="errors of the fit that a plan of runs is chosen for are those expected, in noise and in misfit",
    no_law="how runs are chosen; the law stands for any that is fitted to them",
)
def planned_runs(context: Context) -> Iterator[Comparison]:
    """Root mean squares of refits to runs that were drawn; the rivals are what an isoFLOP plan expects, or noise alone."""
    refits = context.pick(quick=1000, full=2000)
    for name, (misfit, compute) in CASES.items():
        plan = empirical.design(
            empirical.from_parameters("surface", TRUTH),
            budget=BUDGET,
            target={"compute": compute},
            max_runs=RUNS,
            misfit=misfit,
            noise=NOISE,
        )
        errors = errors_of_refits(plan, misfit, refits, context.generator(name, 0))
        for k, target in enumerate(plan.names):
            yield Comparison(
                f"{context.check}/{name}-{target}",
                Prediction(
                    f"root mean squared error of {UNITS[target]} at C = {compute:.0e}",
                    "threshold",
                    float(plan.sd[k]),
                    "verify.empirical.design",
                ),
                root_mean_square(errors[target], f"fits to {len(plan)} runs that were drawn"),
                tolerance=TOLERANCE * float(plan.sd[k]),
                rival=Rival("noise alone", float(plan.sd_noise[k]))
                if (name, target)
                == ("nearly", "loss")  # near the target both plans tell the loss alike
                else Rival("the isoFLOP plan of the same cost", float(plan.isoflop_sd[k])),
                notes=(f"noise {NOISE:g}, misfit {misfit:g}; {plan.cost:.3g} FLOP",),
            )


def root_mean_square(errors: Array, method: str) -> Measurement:
    """Return a root mean square as a measurement, with the standard error of the mean square."""
    squares = errors**2
    value = math.sqrt(float(squares.mean()))
    spread = float(squares.std(ddof=1)) / math.sqrt(squares.size)
    return Measurement(
        value,
        spread / (2 * value),
        squares.size - 1,
        squares.size,
        method,
        (1.0, float(squares.size)),
    )
