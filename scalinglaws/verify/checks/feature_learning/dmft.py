"""Training in steps: the dynamical mean-field theory, online and with the same samples again and again, against simulation."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

import numpy as np

from ....solvers import feature_learning as solve
from ....solvers.spectra import PowerLawSpectrum
from ...comparison import Comparison, Prediction, Rival
from ...estimate import curve_from_replicates, measure
from ...registry import Context, check
from ...simulate import feature_learning as simulate
from .tolerances import RATE_TOLERANCE, REPLICATES, Array, rate_of_deviation, simulated_curve

_TASK = PowerLawSpectrum(1.5, 0.75, 40)
_LAZY, _RICH = 0.0, 2.0  # richness
_MARCHED = 700  # steps: what is longer is solved in macro steps


@dataclass(frozen=True)
class _Training:
    """One way to train: every mode of the spectrum `replicas` times, N features, and batches or sets of `data` samples."""

    reuse: bool
    richness: float
    features: int
    data: int
    replicas: int = 8
    spectrum: PowerLawSpectrum = _TASK
    steps: Sequence[int] = (1, 3, 10, 30, 59)
    # small enough that no draw is unstable: the kernels of some are much larger than the mean one, and grow
    learning_rate: float = 0.15
    initial_variance: float = 0.0
    noise_variance: float = 0.0

    @property
    def settings(self) -> dict[str, Any]:
        """What solver and simulation are given alike."""
        names = ("learning_rate", "richness", "initial_variance", "noise_variance")
        return {name: getattr(self, name) for name in names}

    def solved(self) -> dict[str, Array]:
        """Return the losses of the theory, which knows no replicas: sizes count per replica."""
        features, data, last = (
            self.features / self.replicas,
            self.data / self.replicas,
            self.steps[-1],
        )
        names = ("test_loss", "train_loss")
        found: Any
        if not self.reuse and last > _MARCHED:
            found = solve.online_dmft(
                last,
                self.spectrum,
                features=features,
                batch=data,
                method="macro",
                at=self.steps,
                **self.settings,
            )
            return {name: np.asarray(getattr(found, name)) for name in names}
        if self.reuse:
            found = solve.reuse_dmft(
                last, self.spectrum, features=features, samples=data, **self.settings
            )
        else:
            found = solve.online_dmft(
                last, self.spectrum, features=features, batch=data, **self.settings
            )
        return {name: np.asarray(getattr(found, name))[list(self.steps)] for name in names}

    def simulated(self, draws: int, rng: np.random.Generator) -> dict[str, Array]:
        """Return losses averaged over draws."""
        given = {
            **self.settings,
            "features": self.features,
            "replicas": self.replicas,
            "draws": draws,
            "rng": rng,
        }
        if self.reuse:
            found = simulate.gradient_descent(self.steps, self.spectrum, samples=self.data, **given)
        else:
            found = simulate.online_sgd(self.steps, self.spectrum, batch=self.data, **given)
        return {
            name: np.asarray(getattr(found, name)).mean(axis=0)
            for name in ("test_loss", "train_loss")
        }


def _compared(
    context: Context, name: str, training: _Training, rival: float, draws: int
) -> Iterator[Comparison]:
    """Compare the losses of one way to train with the theory; the rival is the theory at another richness."""
    x = np.array(training.steps, float)
    solved, other = training.solved(), replace(training, richness=rival).solved()
    tolerance = simulated_curve(1 / training.features + 1 / training.data)

    @cache
    def replicate(r: int) -> dict[str, Array]:
        return training.simulated(draws, context.generator(name, r))

    data = f"{training.data} samples" if training.reuse else f"batches of {training.data}"
    modes = int(training.spectrum.size) * training.replicas
    method = (
        f"{REPLICATES} times {draws} draws; {modes} modes, {training.features} features, {data}"
    )
    for loss in ("test_loss", "train_loss") if training.reuse else ("test_loss",):
        yield Comparison(
            f"{context.check}/{name}" + (f"-{loss}" if training.reuse else ""),
            Prediction(
                f"{loss.replace('_', ' ')} against steps",
                "curve",
                solved[loss],
                f"solvers.feature_learning.{'reuse_dmft' if training.reuse else 'online_dmft'}",
                x=x,
                domain={"steps": (1.0, np.inf)},
            ),
            measure(
                lambda r, loss=loss: replicate(r)[loss],  # type: ignore[misc]
                lambda rows: curve_from_replicates(x, rows, method=method),
                replicates=REPLICATES,
                tolerance=tolerance * solved[loss],
            ),
            tolerance=tolerance,
            tolerance_kind="relative",
            rival=Rival("lazy" if rival == 0 else f"richness {rival:g}", other[loss]),
        )


@check(
    "feature_learning.online",
    statement="test loss along one-pass SGD, rich and lazy, step by step",
    no_law="the solver's curves at finite sizes, where no power law holds",
    compiles=6.0,
)
def online(context: Context) -> Iterator[Comparison]:
    """Fresh batches, with every mode eight times."""
    draws = context.pick(quick=20, full=200)
    yield from _compared(
        context, "rich", _Training(False, _RICH, features=80, data=160), _LAZY, draws
    )
    yield from _compared(
        context, "lazy", _Training(False, _LAZY, features=80, data=160), _RICH, draws
    )
    if context.effort == "full":
        long = _Training(
            False,
            1.0,
            features=160,
            data=160,
            steps=(100, 1000, 3000, 10000),
            learning_rate=0.03,
        )
        yield from _compared(context, "macro-steps", long, _LAZY, 10)


@check(
    "feature_learning.reuse",
    statement="test and train loss along gradient descent on few samples, rich and lazy, step by step",
    no_law="the solver's curves at finite sizes, where no power law holds",
)
def reuse(context: Context) -> Iterator[Comparison]:
    """The same samples at each step, with every mode eight times."""
    draws = context.pick(quick=15, full=300)
    yield from _compared(
        context, "rich", _Training(True, _RICH, features=80, data=160), _LAZY, draws
    )
    yield from _compared(
        context, "lazy", _Training(True, _LAZY, features=80, data=160), _RICH, draws
    )


@check(
    "feature_learning.training",
    statement="losses along training of a long power law, with noisy labels, and with a readout that does not start at zero",
    no_law="the solver's curves at finite sizes, where no power law holds",
    effort="full",
)
def training_cases(context: Context) -> Iterator[Comparison]:
    """What is left out at quick effort: many modes at once, both kinds of variance, online and with reuse."""
    draws = 40
    long = _Training(
        False,
        1.0,
        features=100,
        data=25,
        replicas=1,
        spectrum=PowerLawSpectrum(1.5, 0.75, 500),
        steps=(1, 3, 10, 30, 100, 200),
    )
    yield from _compared(context, "power-law-rich", long, _LAZY, draws)
    yield from _compared(context, "power-law-lazy", replace(long, richness=_LAZY), 1.0, draws)
    for kind, again in (("online", False), ("reuse", True)):
        base = _Training(again, 1.0, features=160, data=120, steps=(1, 3, 10, 20, 39))
        yield from _compared(
            context, f"{kind}-noise", replace(base, noise_variance=0.49), _LAZY, draws
        )
        yield from _compared(
            context, f"{kind}-readout", replace(base, initial_variance=2.25), _LAZY, draws
        )


@check(
    "feature_learning.replicas",
    statement="with modes, features and data multiplied alike, the mean-field theory's error falls as one over the factor",
    no_law="how fast finite systems approach the solver's mean-field theory",
    effort="full",
)
def replicas(context: Context) -> Iterator[Comparison]:
    """The smallest student has 20 features; deviations of the next order change the slope by up to 0.14."""
    copies, draws = np.array([1, 2, 4]), 2000
    for name, small in (
        ("online", _Training(False, _RICH, 20, 10, 1)),
        ("reuse", _Training(True, _RICH, 20, 15, 1)),
    ):
        solved = small.solved()["test_loss"]

        def replicate(
            r: int, name: str = name, small: _Training = small, solved: Array = solved
        ) -> Array:
            rng, errors = context.generator(name, r), []
            for factor in copies:
                size = int(factor)
                large = replace(small, features=20 * size, data=small.data * size, replicas=size)
                errors.append(np.mean(large.simulated(draws, rng)["test_loss"] / solved - 1))
            return np.array(errors)

        yield Comparison(
            f"{context.check}/{name}",
            Prediction(
                "exponent of the error in the number of replicas",
                "exponent",
                1.0,
                f"corrections to solvers.feature_learning.{name}_dmft, analytic in 1/N",
                domain={"replicas": (1.0, np.inf)},
            ),
            measure(
                replicate,
                lambda rows: rate_of_deviation(
                    copies,
                    rows,
                    method=f"{REPLICATES} times {draws} draws, mean relative error over steps",
                ),
                replicates=REPLICATES,
                tolerance=RATE_TOLERANCE,
            ),
            tolerance=RATE_TOLERANCE,
            rival=Rival("fluctuations: one over the square root", 0.5),
        )
