"""Fits to runs that repeat their tokens: the worth that was put in comes out, and losses of many epochs are foreseen."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from ... import empirical
from ...comparison import Comparison, Measurement, Prediction, Rival
from ...empirical.fits import Fit, fit_law
from ...empirical.fits._repetition import R_D, R_N
from ...registry import Context, check

Array = NDArray[np.float64]

SURFACE = {"E": 1.8692, "A": 520.8, "B": 1487.8, "a": 0.35266, "b": 0.35266}
"""Nearly the surface of Muennighoff et al."""
DRAWN = {"steep": {"R_D": 8.0, "R_N": 3.0}, "published": {"R_D": R_D, "R_N": R_N}}
"""Constants of repetition that are drawn."""
NOISE = 0.003  # of ln L
TOLERANCE = 0.05  # of ln R: that of exponents
LOSS_TOLERANCE = 0.005  # of ln L
AHEAD = {"N": 4e9, "D": 1.92e11, "U": 3e9}
"""A run of 64 epochs, twice as many as any that is fitted."""


def repeated_runs(epochs: float = 32.0) -> dict[str, Array]:
    """Return three corpora, four sizes, and epochs doubled from one on."""
    times = 2.0 ** np.arange(np.log2(epochs) + 0.5)
    meshed = np.meshgrid((3e8, 3e9, 3e10), (1e8, 6e8, 4e9, 3e10), times)
    unique, size, seen = (entry.ravel() for entry in meshed)
    return {"N": size, "D": seen * unique, "U": unique}


def log_losses(points: dict[str, Array], rates: dict[str, float]) -> Array:
    """Return what is drawn without errors, by the formula as it is written, not by the kernel that is fitted."""
    E, A, B, a, b = (SURFACE[name] for name in "EABab")
    N, D, U = (np.asarray(points[name], float) for name in "NDU")
    best = (a * A / (b * B) * U**b) ** (1 / a)
    size = np.where(best < N, best * _worth(N / best, rates["R_N"]), N)
    data = np.where(D > U, U * _worth(D / U, rates["R_D"]), D)
    return np.asarray(np.log(E + A / size**a + B / data**b))


def _worth(times: Array, rate: float) -> Array:
    return np.asarray(1 + rate * (1 - np.exp(-np.maximum(times - 1, 0.0) / rate)))


def fitted(law: str, table: dict[str, Array]) -> Fit:
    """Fit a law to a table by least squares."""
    return empirical.fit(law, table, delta=np.inf, bootstrap=0)


@check(
    "empirical.repetition",
    statement="the worth of repeated tokens and of surplus parameters is fitted without bias, and tells losses of more epochs",
    no_law="the constants are those with which runs were drawn; what is tested is how they are fitted",
    compiles=3.0,
)
def repetition(context: Context) -> Iterator[Comparison]:
    """Means over sets of runs; the rivals are other constants, and a surface without repetition."""
    sets = context.pick(quick=40, full=200)
    points = repeated_runs()
    for case in DRAWN if context.effort == "full" else ("steep",):
        rates = DRAWN[case]
        truth = log_losses(points, rates)
        tables = []
        for r in range(sets):
            errors = NOISE * context.generator(case, r).normal(size=truth.size)
            tables.append({**points, "loss": np.exp(truth + errors)})
        fits = [fitted("repetition", table) for table in tables]
        method = f"verify.empirical.fit, mean over {sets} sets of {truth.size} runs"
        others = DRAWN["published" if case == "steep" else "steep"]
        for name in ("R_D", "R_N"):
            values = np.log([found.parameters[name] for found in fits])
            yield Comparison(
                f"{context.check}/{case}-{name}",
                Prediction(
                    f"ln {name}", "exponent", float(np.log(rates[name])), "that which was drawn"
                ),
                _mean(values, method),
                tolerance=TOLERANCE,
                rival=Rival(
                    "published constant" if case == "steep" else "constant of the other case",
                    float(np.log(others[name])),
                ),
                notes=(f"a fit scatters by {values.std(ddof=1):.2g}",),
            )
        columns = {name: np.array([value]) for name, value in AHEAD.items()}
        plain = fitted("surface", tables[0])
        yield Comparison(
            f"{context.check}/{case}-64-epochs",
            Prediction(
                "ln L at 64 epochs",
                "exponent",
                float(log_losses(columns, rates)[0]),
                "the law that was drawn",
                domain={"epochs": (64.0, 64.0)},
            ),
            _mean(np.array([_told(found, columns) for found in fits]), method),
            tolerance=LOSS_TOLERANCE,
            rival=Rival("a surface that counts every token as new", _told(plain, columns)),
            notes=("runs of up to 32 epochs were fitted",),
        )


def _told(found: Fit, columns: dict[str, Array]) -> float:
    return float(fit_law(found.law).predict(found.x, columns)[0])


def _mean(values: Array, method: str) -> Measurement:
    count = values.size
    error = float(values.std(ddof=1) / np.sqrt(count))
    return Measurement(float(values.mean()), error, count - 1, count, method, (1.0, float(count)))
