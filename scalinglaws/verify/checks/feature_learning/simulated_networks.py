"""Networks of finite width and on finite data, drawn and trained: exponents of time, width, samples and compute."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

import numpy as np
from scipy.special import zeta

from .... import theory
from ....solvers.spectra import PowerLawSpectrum
from ...comparison import Comparison, Measurement, Prediction, Rival
from ...estimate import exponent_from_replicates, measure, power_law_exponent
from ...registry import Context, check
from ...simulate import feature_learning as simulate
from .tolerances import REPLICATES, Array, rate_of_deviation, simulated_exponent

_ALPHA = 2.0
_STEP_ERROR = 1e-4  # of the integrators, relative to amplitudes: far below what draws differ by


def _left_out(beta: float, modes: int) -> float:
    """Return the signal of the modes that a simulation leaves out: none of them is learned."""
    return float(zeta(_ALPHA * beta + 1, modes + 1))


@check(
    "feature_learning.simulated_network",
    statement="networks with no frozen weights, of finite width, learn hard tasks as t^(-2 beta/(1 + beta))",
    laws=("feature_learning.linear_network",),
)
def simulated_layers(context: Context) -> Iterator[Comparison]:
    """Both layers follow their gradients; all their weights are integrated, over a decade before the last mode counts."""
    law, modes = theory.law("feature_learning.linear_network"), context.pick(quick=80, full=250)
    width, draws = 8 * modes, context.pick(quick=1, full=2)
    # easy tasks reach their exponent, the lazy one, too late for networks whose width counts by then
    for beta, last in ((0.5, 36.0), (0.75, 60.0)):
        end = last * (modes / 80) ** (_ALPHA * (1 + beta) / 2)  # as clear of the last mode
        t, predicted = np.geomspace(end / 10, end, 7), float(law(alpha=_ALPHA, beta=beta))

        def replicate(
            r: int, beta: float = beta, t: Array = t, modes: int = modes, width: int = width
        ) -> Array:
            found = simulate.network_flow(
                t,
                PowerLawSpectrum(_ALPHA, beta, modes),
                features=width,
                richness=10.0,
                draws=draws,
                rng=context.generator(f"beta-{beta:g}", r),
                tolerance=_STEP_ERROR,
            )
            return np.asarray(found.test_loss.mean(axis=0) + _left_out(beta, modes))

        tolerance = simulated_exponent(predicted)
        method = f"{REPLICATES} times {draws} draws, width {width}, {modes} modes, richness 10"
        yield Comparison(
            f"{context.check}/beta-{beta:g}",
            Prediction(
                "exponent of the loss in time",
                "exponent",
                predicted,
                f"{law.name}: t^-({law.expr})",
                domain={"time": (1.0, np.inf)},
            ),
            _exponent(t, replicate, tolerance, method),
            tolerance=tolerance,
            rival=Rival("lazy", beta),
        )


@check(
    "feature_learning.simulated_transient",
    statement="on a hard task what a finite width adds to the loss of trained networks grows as the law says",
    laws=("feature_learning.transient",),
    effort="full",
    refutes=("feature_learning.transient",),
)
def simulated_addition(context: Context) -> Iterator[Comparison]:
    """Mean losses of narrow networks above that of an unlimited one with the same modes, before they saturate.

    Earlier, when few modes are learned, what each does to itself still counts beside what they do to one another.
    """
    law, beta, width, modes, draws = theory.law("feature_learning.transient"), 0.25, 100, 1600, 500
    spectrum, t = PowerLawSpectrum(_ALPHA, beta, modes), np.geomspace(10.0, 100.0, 5)
    limit = simulate.rank_one_flow(t, spectrum, richness=1.0, tolerance=1e-7).test_loss[0]

    def replicate(r: int) -> Array:
        found = simulate.rank_one_flow(
            t,
            spectrum,
            features=width,
            richness=1.0,
            draws=draws,
            rng=context.generator("hard", r),
            tolerance=_STEP_ERROR,
        )
        return np.asarray(width * (found.test_loss.mean(axis=0) - limit))

    predicted = float(law(alpha=_ALPHA, beta=beta))
    tolerance = simulated_exponent(abs(predicted))
    method = f"{REPLICATES} times {draws} draws, width {width}, {modes} modes, less the loss at unlimited width"
    yield Comparison(
        f"{context.check}/hard",
        Prediction(
            "exponent of N (L(t, N) - L(t, inf))",
            "exponent",
            predicted,
            f"{law.name}: t^-({law.expr})",
            domain={"time": (1.0, np.inf)},
        ),
        measure(
            replicate,
            lambda rows: rate_of_deviation(t, rows, method=method),
            replicates=REPLICATES,
            tolerance=tolerance,
        ),
        tolerance=tolerance,
        rival=Rival(
            "published, its value for beta >= 1",
            float(law.published_value(alpha=_ALPHA, beta=beta)),
        ),
    )


@check(
    "feature_learning.simulated_sizes",
    statement="trained to their end, networks have losses N^(-alpha min(1, beta)) of the width and P^(-alpha min(2, beta)) of the samples",
    laws=("feature_learning.model", "feature_learning.data"),
    effort="full",
    refutes=("feature_learning.model",),
)
def simulated_ends(context: Context) -> Iterator[Comparison]:
    """Rich networks on an easy task, until the smallest eigenvalue is learned; modes are twenty, or ten, times as many."""
    beta, sizes, draws = 1.5, np.array([30, 45, 67, 100, 150]), {"features": 60, "samples": 80}
    names = {"features": "model", "samples": "data"}
    for resource, name in names.items():
        law = theory.law(f"feature_learning.{name}")
        predicted = float(law(alpha=_ALPHA, beta=beta))

        def replicate(r: int, resource: str = resource) -> Array:
            rng, given = context.generator(resource, r), {"features": 20, "samples": 10}[resource]
            found = []
            for size in sizes.tolist():
                limited: dict[str, Any] = {resource: size}
                loss = simulate.rank_one_flow(
                    100.0 * size**_ALPHA,
                    PowerLawSpectrum(_ALPHA, beta, given * size),
                    richness=1.0,
                    draws=draws[resource],
                    rng=rng,
                    tolerance=1e-3,
                    **limited,
                )
                found.append(loss.test_loss.mean() + _left_out(beta, given * size))
            return np.array(found)

        other = theory.law(f"feature_learning.{'data' if name == 'model' else 'model'}")
        tolerance = simulated_exponent(predicted)
        yield Comparison(
            f"{context.check}/{resource}",
            Prediction(
                f"exponent of the final loss in the number of {resource}",
                "exponent",
                predicted,
                f"{law.name}: {law.expr}",
                domain={resource: (30.0, np.inf)},
            ),
            _exponent(
                sizes.astype(float),
                replicate,
                tolerance,
                f"{REPLICATES} times {draws[resource]} draws at each size, to t = 100 size^{_ALPHA:g}",
            ),
            tolerance=tolerance,
            rival=Rival(
                "published min(2, beta)" if name == "model" else "exponent of the features",
                float(other(alpha=_ALPHA, beta=beta)),
            ),
        )


@check(
    "feature_learning.simulated_compute",
    statement="the best of many trained networks at each budget: loss, width and time follow the compute laws, rich and lazy",
    laws=(
        "feature_learning.compute",
        "feature_learning.compute_lazy",
        "feature_learning.compute_model",
        "feature_learning.compute_time",
    ),
)
def simulated_frontier(context: Context) -> Iterator[Comparison]:
    """Eleven widths, each trained for C/N at budgets over two decades; the lowest mean loss at each, and where it lies.

    At quick effort eight widths and fewer budgets, which are enough for the loss of rich networks alone.
    """
    beta, draws, full = 0.5, context.pick(quick=8, full=12), context.pick(quick=0, full=1)
    budgets = np.geomspace(2e2, 2e4, 5) if full else np.geomspace(1e2, 3e3, 5)
    laws = {
        name: theory.law(f"feature_learning.{name}")
        for name in ("compute", "compute_lazy", "compute_model", "compute_time")
    }
    expected = {name: float(law(alpha=_ALPHA, beta=beta)) for name, law in laws.items()}
    published = float(laws["compute"].published_value(alpha=_ALPHA, beta=beta))
    lazy_width = 1 / (_ALPHA + 1)  # what balances C/N to the power -beta and N^(-alpha beta)
    widths = {
        gamma: np.round(least * 1.5 ** np.arange(context.pick(quick=8, full=11))).astype(int)
        for gamma, least in ((10.0, context.pick(quick=7, full=8)), (0.0, 5))
    }

    @cache
    def trained(gamma: float, r: int) -> Array:
        rng, rows = context.generator(f"richness-{gamma:g}", r), []
        for width in widths[gamma].tolist():
            found = simulate.rank_one_flow(
                budgets / width,
                PowerLawSpectrum(_ALPHA, beta, 10 * width),
                features=width,
                richness=gamma,
                draws=draws,
                rng=rng,
                tolerance=_STEP_ERROR,
            )
            rows.append(found.test_loss.mean(axis=0) + _left_out(beta, 10 * width))
        return np.concatenate(rows)

    entries = (
        ("loss", "compute", 10.0, Rival("lazy", expected["compute_lazy"])),
        (
            "substitution",
            "compute",
            10.0,
            Rival("published law in time, put into the lazy law of compute", published),
        ),
        ("size", "compute_model", 10.0, Rival("lazy", lazy_width)),
        ("time", "compute_time", 10.0, Rival("lazy", 1 - lazy_width)),
        ("lazy", "compute_lazy", 0.0, Rival("rich", expected["compute"])),
    )
    for label, name, gamma, rival in entries if full else entries[:1]:
        tolerance = simulated_exponent(expected[name])
        yield Comparison(
            f"{context.check}/{label}",
            Prediction(
                f"exponent of the best {label if label in ('size', 'time') else 'loss'}",
                "exponent",
                expected[name],
                f"{laws[name].name}, hard task",
                domain={"compute": (1e2, np.inf)},
            ),
            measure(
                lambda r, gamma=gamma: trained(gamma, r),  # type: ignore[misc]
                lambda rows, label=label, gamma=gamma: _frontier(  # type: ignore[misc]
                    rows.reshape(len(rows), len(widths[gamma]), budgets.size),
                    widths[gamma],
                    budgets,
                    label,
                    f"{len(rows)} times {draws} draws of {len(widths[gamma])} widths, richness {gamma:g}",
                ),
                replicates=REPLICATES,
                tolerance=tolerance,
            ),
            tolerance=tolerance,
            rival=rival,
        )


def _frontier(losses: Array, widths: Array, budgets: Array, label: str, method: str) -> Measurement:
    """Measure the exponent of the lowest mean loss, of its width or of its time, by the jackknife over replicates."""
    count = len(losses)

    def exponent(mean: Array) -> float:
        lowest, width = _lowest(np.log(widths), np.log(mean))
        if label == "size":
            return -float(power_law_exponent(budgets, np.exp(width)))
        if label == "time":
            return -float(power_law_exponent(budgets, budgets / np.exp(width)))
        return float(power_law_exponent(budgets, np.exp(lowest)))

    whole = exponent(losses.mean(axis=0))
    without = [exponent((losses.sum(axis=0) - row) / (count - 1)) for row in losses]
    each = count * whole - (count - 1) * np.array(without)
    return Measurement(
        float(each.mean()),
        float(each.std(ddof=1)) / count**0.5,
        count - 1,
        count,
        method,
        (float(budgets[0]), float(budgets[-1])),
    )


def _lowest(log_widths: Array, log_losses: Array) -> tuple[Array, Array]:
    """Return the minimum over widths at each budget and where it lies, from parabolas through the five points around the lowest."""
    found = []
    for column in log_losses.T:
        middle = int(np.clip(np.argmin(column), 2, column.size - 3))
        part = slice(middle - 2, middle + 3)
        curve = np.polynomial.Polynomial.fit(log_widths[part], column[part], 2)
        where = float(curve.deriv().roots()[0])
        found.append((float(curve(where)), where))
    lowest, width = np.array(found).T
    return lowest, width


def _exponent(
    x: Array, replicate: Callable[[int], Array], tolerance: float, method: str
) -> Measurement:
    """Measure an exponent from replicates."""
    return measure(
        replicate,
        lambda rows: exponent_from_replicates(x, rows, method=method),
        replicates=REPLICATES,
        tolerance=tolerance,
    )
