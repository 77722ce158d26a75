"""Laws of schedules far out, where no simulation goes: the solver's losses at up to 1e11 steps."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from scipy.optimize import minimize_scalar

from .... import theory
from ....errors import AccuracyWarning
from ....solvers.schedules import DANA, Schedule, train, tuned_rate
from ....solvers.spectra import PowerLawSpectrum
from ...comparison import Comparison, Measurement, Prediction, Rival
from ...estimate import local_exponent
from ...registry import Context, check
from .replicates import Array, exponents_of

_TOLERANCE = (
    0.01  # absolute: corrections at 1e9 steps, a tenth of what tells a decay from a constant rate
)
_CONSTANT_TOLERANCE = 0.01  # relative
_FAR = 1e9
_GIVEN: dict[str, Any] = {"batch": 8, "noise_variance": 1.0}
_SHAPES: dict[str, tuple[float, Callable[[int], Schedule]]] = {
    "constant": (0, lambda steps: Schedule.constant(1.0, steps)),
    "linear": (1, lambda steps: Schedule.power(1, rate=1.0, steps=steps)),
    "cosine": (2, lambda steps: Schedule.cosine(rate=1.0, steps=steps)),
    "wsd": (1, lambda steps: Schedule.wsd(rate=1.0, steps=steps, cooldown=0.2)),
}


def _slope(
    context: Context,
    name: str,
    quantity: str,
    exponent: float,
    rival: Rival,
    loss: Callable[[Array], Any],
    size: float,
    source: str,
    against: str = "steps",
) -> Comparison:
    return Comparison(
        f"{context.check}/{name}",
        Prediction(quantity, "exponent", exponent, source, domain={against: (size / 10, math.inf)}),
        local_exponent(loss, size),
        tolerance=_TOLERANCE,
        rival=rival,
        evidence="exact",
    )


def _tuned(shape: Callable[[int], Schedule], task: PowerLawSpectrum, **more: Any) -> Any:
    """Return the function from numbers of steps to losses at the best rate."""
    return lambda steps: np.array(
        [tuned_rate(shape(round(t)), task, **_GIVEN, **more).test_loss for t in steps]
    )


@check(
    "schedules.tuned.far",
    statement="tuned constant rates, linear decays, cosines and cooldowns have the exponents derived, and the best power its constant",
    laws=("schedules.tuned", "schedules.optimal"),
    evidence="exact",
    effort="full",
)
def tuned_losses(context: Context) -> Iterator[Comparison]:
    """Two easy tasks and a hard one around 1e9 steps; the loss of the best schedule from 1e6 to 1e10."""
    law = theory.law("schedules.tuned")
    cases = (
        ((2.0, 1.5), ("constant", "linear", "cosine", "wsd")),
        ((3.4, 3.0), ("constant", "linear")),
        ((1.4, 2.5), ("linear", "cosine")),
    )
    for (a, b), shapes in cases:
        values, task = exponents_of(a, b), PowerLawSpectrum.from_ab(a, b)
        constant, decayed = (float(law(p=p, **values)) for p in (0, 1))
        for name in shapes:
            power, shape = _SHAPES[name]
            rival = (
                Rival("a decay", decayed)
                if name == "constant"
                else Rival("a constant rate", constant)
            )
            yield _slope(
                context,
                f"{name}-{a:g}-{b:g}",
                "exponent of the least loss",
                float(law(p=power, **values)),
                rival,
                _tuned(shape, task),
                _FAR,
                f"{law.name}: {law.expr}",
            )
    yield _best(context)


def _best(context: Context) -> Comparison:
    """Compare the loss under the best power at its best rate with the law's, constant included."""
    law, (a, b) = theory.law("schedules.optimal"), (2.0, 1.5)
    values, task = exponents_of(a, b), PowerLawSpectrum.from_ab(a, b)
    times = np.array([1e6, 1e8, 1e10])
    spent = np.asarray(law.evaluate("X", T=times, sigma2=1.0, B=8.0, **values))
    cost = float(law.evaluate("C_V", alpha=b)) / (8 * times)
    power = float(law.evaluate("power", alpha=b))
    bias = float(law.evaluate("C_F", **values)) * spent ** -values["beta"]
    linear = _tuned(_SHAPES["linear"][1], task)(times)
    found = [
        tuned_rate(Schedule.power(power, rate=1.0, steps=round(t)), task, **_GIVEN) for t in times
    ]
    return Comparison(
        f"{context.check}/best",
        Prediction(
            "least loss against steps",
            "curve",
            bias + cost * spent ** (1 / b),
            f"{law.name}: {law.expr}",
            x=times,
            domain={"steps": (1e6, math.inf)},
        ),
        Measurement(
            np.array([entry.test_loss for entry in found]),
            np.array([entry.test_error for entry in found]),
            None,
            1,
            "solver",
            (1e6, 1e10),
            deterministic=True,
        ),
        tolerance=_CONSTANT_TOLERANCE,
        tolerance_kind="relative",
        rival=Rival("a linear decay", linear),
        evidence="exact",
    )


@check(
    "schedules.dana.far",
    statement="with momentum that fades as t^-(1/b) the loss at 1e10 steps has the exponent of power counting",
    laws=("schedules.dana_decaying",),
    evidence="exact",
    effort="full",
)
def adapted_slopes(context: Context) -> Iterator[Comparison]:
    """A hard task, an easy one, and one that is limited by noise."""
    law, plain = theory.law("schedules.dana_decaying"), theory.law("schedules.momentum")
    steps = 10**11
    for a, b in ((1.75, 1.5), (2.2, 1.5), (4.2, 1.5)):
        values, task = exponents_of(a, b), PowerLawSpectrum.from_ab(a, b)

        def loss(at: Array, b: float = b, task: PowerLawSpectrum = task) -> Any:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", AccuracyWarning)  # seven digits are four too many
                return train(
                    Schedule.constant(0.025, steps),
                    task,
                    batch=1,
                    method=DANA.decaying(b, strength=3.0),
                    at=np.round(at),
                ).test_loss

        yield _slope(
            context,
            f"{a:g}-{b:g}",
            "exponent of the loss",
            float(law.evaluate("time", **values)),
            Rival("SGD", float(plain(**values))),
            loss,
            1e10,
            f"{law.name}, unlimited features",
        )


@check(
    "schedules.compute.far",
    statement="with label noise the least loss at a budget, over size and rate, has the exponent derived, and no constant rate reaches it",
    laws=("schedules.compute",),
    evidence="exact",
    effort="full",
)
def noisy_frontier(context: Context) -> Iterator[Comparison]:
    """An easy task whose time and noise balance, under a cosine."""
    law, (a, b) = theory.law("schedules.compute"), (2.0, 1.5)
    values, task = exponents_of(a, b), PowerLawSpectrum.from_ab(a, b)
    growth = float(law.evaluate("features", **values))

    def least(budget: float) -> float:
        def ended(size: float) -> float:
            features = math.exp(size)
            shape = Schedule.cosine(rate=1.0, steps=round(budget / features))
            return math.log(tuned_rate(shape, task, features=features, **_GIVEN).test_loss)

        middle = growth * math.log(budget)
        found = minimize_scalar(
            ended, bounds=(middle - 3, middle + 3), method="bounded", options={"xatol": 0.05}
        )
        return math.exp(found.fun)

    yield _slope(
        context,
        "loss",
        "exponent of the least loss",
        float(law(**values)),
        Rival("the best constant rate", float(law.evaluate("constant", **values))),
        lambda budgets: np.array([least(float(budget)) for budget in budgets]),
        1e11,
        f"{law.name}: C^-({law.expr})",
        "compute",
    )
