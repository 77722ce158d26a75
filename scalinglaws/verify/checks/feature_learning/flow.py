"""Gradient flow of the projected model: the exact warp of time on single draws, and the exponents that follow from it."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any

import numpy as np

from .... import theory
from ....solvers import feature_learning as solve
from ....solvers.spectra import PowerLawSpectrum
from ...comparison import Comparison, Measurement, Prediction, Rival
from ...estimate import curve_from_replicates, local_exponent, measure
from ...registry import Context, check
from ...simulate import feature_learning as simulate
from ...simulate.linear import population_projection, random_feature_ridge
from .tolerances import CURVE_TOLERANCE, Array

_IDENTITY_TOLERANCE = (
    1e-5  # relative: the reduction is exact, both sides are integrated to better than 1e-6
)
_SLOPE_TOLERANCE = 4e-3  # absolute: corrections of order 1/s at the times used
_CROSSOVER_TOLERANCE = 0.01  # absolute: corrections at a richness of 1e-4
_RICHNESS = 3.0


@check(
    "feature_learning.warp",
    statement="rich gradient flow follows from the lazy kernel and one function of time, in every draw",
    no_law="an identity of the solver, exact for every draw and size",
)
def warp(context: Context) -> Iterator[Comparison]:
    """The model's own equations, integrated as they are, against the reduction to a single function of time."""
    spectrum, t = PowerLawSpectrum(1.5, 0.5, 100), np.geomspace(0.3, 30, 7)
    for name, sizes in (
        ("population", {"features": 30}),
        ("finite-data", {"features": 25, "samples": 18}),
    ):

        def draw(sizes: dict[str, int] = sizes, name: str = name) -> tuple[Any, Any]:
            kernel = simulate.kernel_spectrum(spectrum, **sizes, rng=context.generator(name, 0))
            flow = simulate.gradient_flow(
                t,
                spectrum,
                **sizes,
                richness=_RICHNESS,
                rng=context.generator(name, 0),
                tolerance=1e-9,
            )
            return kernel, flow

        kernel, flow = draw()
        curves = {
            richness: solve.realization_flow(
                t, kernel.eigenvalues, kernel.powers, richness=richness, floor=kernel.floor
            )
            for richness in (_RICHNESS, 0.0)
        }
        measured = np.asarray(flow.train_loss)[0]
        yield Comparison(
            f"{context.check}/{name}",
            Prediction(
                "train loss of one draw against time",
                "curve",
                np.asarray(curves[_RICHNESS].train_loss),
                "solvers.feature_learning.realization_flow",
                x=t,
                domain={"time": (0.0, np.inf)},
            ),
            Measurement(
                measured,
                1e-6 * measured,
                None,
                1,
                f"the model's own equations for one draw, {sizes}, richness {_RICHNESS:g}",
                (float(t[0]), float(t[-1])),
                deterministic=True,
            ),
            tolerance=_IDENTITY_TOLERANCE,
            tolerance_kind="relative",
            rival=Rival("lazy", np.asarray(curves[0.0].train_loss)),
        )


@check(
    "feature_learning.time",
    statement="feature learning speeds up hard tasks, to t^(-2 beta/(1 + beta)), and no easy ones",
    laws=("feature_learning.time",),
    evidence="exact",
)
def time(context: Context) -> Iterator[Comparison]:
    """The solver's local slopes at times that no simulation reaches."""
    law = theory.law("feature_learning.time")
    for beta in (0.25, 0.5, 0.75, 1.25):
        spectrum = PowerLawSpectrum(1.5, beta)

        def loss(t: Any, spectrum: PowerLawSpectrum = spectrum) -> Any:
            return solve.gradient_flow(t, spectrum, richness=1.0).test_loss

        yield Comparison(
            f"{context.check}/beta-{beta:g}",
            Prediction(
                "exponent of the loss in time",
                "exponent",
                float(law(alpha=1.5, beta=beta)),
                f"{law.name}: t^-({law.expr})",
                domain={"time": (1e8, np.inf)},
            ),
            local_exponent(loss, 1e9),
            tolerance=_SLOPE_TOLERANCE,
            rival=Rival("lazy", beta)
            if beta < 1
            else Rival("2 beta/(1 + beta) for easy tasks too", 2 * beta / (1 + beta)),
            evidence="exact",
        )


@check(
    "feature_learning.crossover",
    statement="the kernel starts to move at t ~ richness^(-1/(1 - beta))",
    laws=("feature_learning.crossover",),
    evidence="exact",
)
def crossover(context: Context) -> Iterator[Comparison]:
    """When the solver's kernel has doubled, at three small values of the richness."""
    law = theory.law("feature_learning.crossover")
    for beta in (0.25, 0.5, 0.75):
        richness = np.array([1e-3, 1e-4, 1e-5])
        times = np.asarray(solve.crossover_time(PowerLawSpectrum(1.5, beta), richness=richness))
        early, late = np.diff(np.log(times)) / np.log(10)
        yield Comparison(
            f"{context.check}/beta-{beta:g}",
            Prediction(
                "growth of the crossover time with the inverse richness",
                "exponent",
                float(law(beta=beta)),
                f"{law.name}: {law.expr}",
                domain={"richness": (0.0, 1e-3)},
            ),
            Measurement(
                float(late),
                abs(float(late - early)),
                None,
                1,
                "slope over a decade of the solver's doubling time",
                (1e-5, 1e-3),
                deterministic=True,
            ),
            tolerance=_CROSSOVER_TOLERANCE,
            rival=Rival("inverse richness", 1.0),
            evidence="exact",
        )


@check(
    "feature_learning.static",
    statement="where training ends does not depend on the richness: it is regression without ridge",
    no_law="the solver's loss at the end of training, at finite sizes, and that the richness does not change it",
)
def static(context: Context) -> Iterator[Comparison]:
    """Draws of both kinds of scarcity, and one draw followed to its end."""
    spectrum = PowerLawSpectrum(1.5, 1.25, 300)
    sizes = np.array([20, 40, 100, 200])

    @cache
    def replicate(r: int) -> Array:
        rng, draws = context.generator("simulation", r), context.pick(quick=20, full=200)
        return np.array(
            [
                random_feature_ridge(
                    spectrum, features=60, samples=int(p), draws=draws, rng=rng
                ).test_loss.mean()
                for p in sizes
            ]
        )

    limit = np.asarray(
        solve.static_limit(spectrum, features=60, samples=sizes.astype(float)).test_loss
    )
    unlimited = np.asarray(solve.static_limit(spectrum, samples=sizes.astype(float)).test_loss)
    yield Comparison(
        f"{context.check}/samples",
        Prediction(
            "loss at the end of training against samples",
            "curve",
            limit,
            "solvers.feature_learning.static_limit",
            x=sizes.astype(float),
            domain={"samples": (20.0, np.inf)},
        ),
        measure(
            replicate,
            lambda rows: curve_from_replicates(
                sizes, rows, method="regression without ridge on 60 features, 300 modes"
            ),
            replicates=12,
            tolerance=2 * CURVE_TOLERANCE * limit,
        ),
        tolerance=2 * CURVE_TOLERANCE,  # 1/min(N, P) = 1/20 at the smallest size, twice
        tolerance_kind="relative",
        rival=Rival("no limit from the features", unlimited),
    )

    small, ends, richness = PowerLawSpectrum(1.5, 1.25, 80), [], (0.0, 1.0, 5.0)
    for gamma in richness:
        rng = context.generator("one draw", 0)
        ends.append(
            float(
                simulate.gradient_flow(
                    2e3, small, features=12, richness=gamma, rng=rng, tolerance=1e-8
                ).test_loss[0]
            )
        )
    found = np.array(ends)
    best = float(
        population_projection(small, features=12, rng=context.generator("other draw", 0))[0]
    )
    yield Comparison(
        f"{context.check}/richness",
        Prediction(
            "loss of one draw at the end against the richness",
            "curve",
            np.full(3, found[0]),
            "the lazy end of the same draw",
            x=np.array(richness),
            domain={"richness": (0.0, np.inf)},
        ),
        Measurement(
            found,
            1e-6 * found,
            None,
            1,
            "the model's own equations to t = 2000",
            (0.0, 5.0),
            deterministic=True,
        ),
        tolerance=1e-3,
        tolerance_kind="relative",
        rival=Rival("another draw", np.full(3, best)),
    )


@check(
    "feature_learning.model",
    statement="few features limit a rich network with N^(-alpha min(1, beta)), few samples with P^(-alpha min(2, beta))",
    laws=("feature_learning.model", "feature_learning.data"),
    refutes=("feature_learning.model",),
    evidence="exact",
)
def model(context: Context) -> Iterator[Comparison]:
    """The solver's static limits at large sizes, of a task with 1 < beta < 2."""
    values: dict[str, Any] = {"alpha": 1.5, "beta": 1.5}
    spectrum = PowerLawSpectrum(**values)
    for resource, name in (
        ("features", "feature_learning.model"),
        ("samples", "feature_learning.data"),
    ):
        law = theory.law(name)
        other = theory.law(
            "feature_learning.data" if resource == "features" else "feature_learning.model"
        )

        def loss(size: Any, resource: str = resource) -> Any:
            given: dict[str, Any] = {resource: size}
            return solve.static_limit(spectrum, **given).test_loss

        yield Comparison(
            f"{context.check}/{resource}",
            Prediction(
                f"exponent of the final loss in the number of {resource}",
                "exponent",
                float(law(**values)),
                f"{law.name}: {law.expr}",
            ),
            local_exponent(loss, 1e10),
            tolerance=1e-3,
            rival=Rival(
                "published min(2, beta)" if resource == "features" else "exponent of the features",
                float(other(**values)),
            ),
            evidence="exact",
        )


@check(
    "feature_learning.compute",
    statement="feature learning improves the compute-optimal exponent of hard tasks",
    laws=("feature_learning.compute", "feature_learning.compute_model"),
    compiles=13.0,
    refutes=("feature_learning.compute",),
    evidence="exact",
    effort="full",
)
def compute(context: Context) -> Iterator[Comparison]:
    """The solver's loss, minimized over the model size, at two budgets."""
    budgets = np.array([1e12, 1e14])
    values: dict[str, Any] = {"alpha": 1.5, "beta": 0.5}
    found = solve.compute_frontier(budgets, PowerLawSpectrum(**values), richness=1.0)
    slopes = {
        "compute": np.asarray(found.loss_exponent),
        "compute_model": np.asarray(found.features_exponent),
    }
    lazy = {
        "compute": 1.5 * 0.5 / 2.5,
        "compute_model": 1 / 2.5,
    }  # alpha beta/(alpha + 1) and 1/(alpha + 1)
    printed = float(theory.law("feature_learning.compute").published_value(**values))
    rivals = {
        "loss": ("compute", Rival("lazy", lazy["compute"])),
        "size": ("compute_model", Rival("lazy", lazy["compute_model"])),
        "substitution": (
            "compute",
            Rival("published law in time, put into the lazy law of compute", printed),
        ),
    }
    for label, (name, rival) in rivals.items():
        (early, late), law = slopes[name], theory.law(f"feature_learning.{name}")
        yield Comparison(
            f"{context.check}/{label}",
            Prediction(
                f"exponent of the best {'size' if label == 'size' else 'loss'}",
                "exponent",
                float(law(**values)),
                f"{law.name}, hard task",
                domain={"compute": (1e12, np.inf)},
            ),
            Measurement(
                float(late),
                abs(float(late - early)) + 1e-5,
                None,
                1,
                "local slopes of the solver's frontier, two budgets",
                (1e12, 1e14),
                deterministic=True,
            ),
            tolerance=_SLOPE_TOLERANCE,
            rival=rival,
            evidence="exact",
        )


@check(
    "feature_learning.transient",
    statement="on a hard task what a finite width adds to a rich network's loss grows, and does not fall as published",
    laws=("feature_learning.transient",),
    refutes=("feature_learning.transient",),
    evidence="exact",
)
def transient(context: Context) -> Iterator[Comparison]:
    """The solver's loss at a large width above that of an unlimited one, long before it saturates."""
    law, width = theory.law("feature_learning.transient"), 1e8
    assert law.published is not None
    values: dict[str, Any] = {name: float(value) for name, value in law.published.point.items()}
    spectrum = PowerLawSpectrum(**values)

    def added(t: Any) -> Any:
        narrow = np.asarray(
            solve.gradient_flow(t, spectrum, features=width, richness=1.0).test_loss
        )
        return width * (
            narrow - np.asarray(solve.gradient_flow(t, spectrum, richness=1.0).test_loss)
        )

    yield Comparison(
        f"{context.check}/solver",
        Prediction(
            "exponent of N (L(t, N) - L(t, inf))",
            "exponent",
            float(law(**values)),
            f"{law.name}: t^-({law.expr})",
            domain={"time": (1e4, np.inf)},
        ),
        local_exponent(added, 1e5),
        tolerance=_SLOPE_TOLERANCE,
        rival=Rival("published, its value for beta >= 1", float(law.published_value(**values))),
        evidence="exact",
    )
