"""All resources of the linear model limited at once: the sum of terms against simulation, and against the solvers as a surface."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from .... import theory
from ....solvers.linear import gradient_flow, online_sgd
from ....solvers.spectra import PowerLawSpectrum
from ...comparison import Comparison, Measurement, Prediction, Rival
from ...estimate import curve_from_replicates, measure
from ...registry import Context, check
from ...simulate import linear as simulate
from .tolerances import REPLICATES, Array

_SUM_TOLERANCE = (
    0.4  # relative: where terms are of one size, a sum of leading terms promises no more
)
_SURFACE_TOLERANCE = float(np.log(3))  # absolute, of log losses: what the law says of itself


def _bottlenecks(values: dict[str, Any], **sizes: Any) -> Array:
    """Add up the laws of time, features and samples alone."""
    names = {"t": "linear.time", "N": "linear.model", "P": "linear.data"}
    return np.asarray(
        sum(theory.law(names[name]).asymptote(x, **values) for name, x in sizes.items())
    )


@check(
    "linear.loss.simulated",
    statement="with time, features and samples short at once, losses are the sum of bottlenecks and of what they cost on the way",
    laws=("linear.loss",),
)
def simulated(context: Context) -> Iterator[Comparison]:
    """Gradient flow of drawn students on drawn samples, on both sides of N = P, from early to late times."""
    law, task = theory.law("linear.loss"), PowerLawSpectrum(2.5, 2.5, 256)
    values: dict[str, Any] = {"alpha": task.alpha, "beta": task.beta}
    t, sizes = np.array([30.0, 3e2, 3e3, 3e4]), ((32, 128), (128, 32), (64, 256))
    draws = dict(zip(sizes, (8, 24, 8), strict=True))  # few samples for many features vary most
    times = context.pick(quick=1, full=12)
    predicted, alone = (
        np.concatenate([found(n, p) for n, p in sizes])
        for found in (
            lambda n, p: np.asarray(law.evaluate("flow", t=t, N=n, P=p, **values)),
            lambda n, p: _bottlenecks(values, t=t, N=float(n), P=float(p)),
        )
    )

    def replicate(r: int) -> Array:
        rng = context.generator("simulation", r)
        return np.concatenate(
            [
                simulate.gradient_flow(
                    t, task, features=n, samples=p, draws=times * draws[n, p], rng=rng
                ).test_loss.mean(axis=0)
                for n, p in sizes
            ]
        )

    places = np.arange(1.0, predicted.size + 1)
    yield Comparison(
        f"{context.check}/surface",
        Prediction(
            "test loss against time, for N, P = " + "; ".join(f"{n}, {p}" for n, p in sizes),
            "curve",
            predicted,
            f"{law.name}: flow",
            x=places,
        ),
        measure(
            replicate,
            lambda rows: curve_from_replicates(
                places, rows, method=f"gradient flow, {task.size:g} modes; places are counted"
            ),
            replicates=REPLICATES,
            tolerance=_SUM_TOLERANCE * predicted,
        ),
        tolerance=_SUM_TOLERANCE,
        tolerance_kind="relative",
        rival=Rival("bottlenecks alone", alone),
    )


@check(
    "linear.loss",
    statement="the sum of bottlenecks and transients stays within a factor of three of the solvers, whatever is short",
    laws=("linear.loss",),
    effort="full",
)
def surface(context: Context) -> Iterator[Comparison]:
    """Places at random over five decades of every resource, N and P at least a factor of two apart; hard and easy tasks."""
    law, count = theory.law("linear.loss"), 25
    for index, (alpha, beta) in enumerate(((2, 0.5), (2, 1.5), (1.5, 3), (3, 2.5))):
        values: dict[str, Any] = {"alpha": alpha, "beta": beta}
        task = PowerLawSpectrum(alpha, beta)
        rng = context.generator("places", index)
        n, p = 10 ** rng.uniform(2, 7, (2, 4 * count))
        apart = np.abs(np.log(n / p)) > np.log(2)
        n, p, t = n[apart][:count], p[apart][:count], 10 ** rng.uniform(1.5, 10, count)
        rate = 0.1 / float(PowerLawSpectrum(alpha, beta, 10_000).explicit()[0].sum())
        batch = np.floor(10 ** rng.uniform(0, 2, count))
        steps = np.round(t / rate)
        solved = (
            [
                float(gradient_flow(t[i], task, features=n[i], samples=p[i]).test_loss)
                for i in range(count)
            ],
            [
                float(
                    online_sgd(
                        steps[i], task, features=n[i], batch=batch[i], learning_rate=rate
                    ).test_loss
                )
                for i in range(count)
            ],
        )
        online = {"t": rate * steps, "N": n, "B": batch, "eta": rate}
        predicted = (
            law.evaluate("flow", t=t, N=n, P=p, **values),
            law.evaluate("online", **online, **values),
        )
        rivals = (
            ("bottlenecks alone", _bottlenecks(values, t=t, N=n, P=p)),
            ("bottlenecks alone", _bottlenecks(values, t=rate * steps, N=n)),
        )
        if beta < 1:  # nothing is left out on the way that counts
            simple = t**-beta + n**-beta + p**-beta, t**-beta + n**-beta
            rivals = tuple(("exponent beta in all resources", found) for found in simple)  # type: ignore[assignment]
        for name, found, sum_of, (other, wrong) in zip(
            ("flow", "online"), solved, predicted, rivals, strict=True
        ):
            # what the rival would have the largest deviation be, were it right
            largest, expected = (
                float(np.max(np.abs(np.log(np.asarray(losses) / np.asarray(sum_of)))))
                for losses in (found, wrong)
            )
            yield Comparison(
                f"{context.check}/{name}-{alpha:g}-{beta:g}",
                Prediction(
                    f"largest deviation of a log loss from the sum, {name}, at alpha = {alpha:g}, beta = {beta:g}",
                    "threshold",
                    0.0,
                    f"{law.name}: {name}",
                ),
                Measurement(
                    largest,
                    1e-8,
                    None,
                    1,
                    f"solver at {count} places",
                    (30.0, 1e10),
                    deterministic=True,
                ),
                tolerance=_SURFACE_TOLERANCE,
                rival=Rival(other, expected),
                evidence="exact",
            )
