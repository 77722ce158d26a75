"""Noisy labels shrink the kernel that has been learned: how long that takes, by networks trained by SGD, and how far, by the solver."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from .... import theory
from ....errors import ScalingLawsError
from ....solvers.feature_learning import online_dmft
from ....solvers.spectra import PowerLawSpectrum
from ...comparison import Comparison, Measurement, Prediction, Rival
from ...estimate import curve_from_replicates, measure
from ...registry import Context, check
from ...simulate import feature_learning as simulate
from .tolerances import CURVE_TOLERANCE, REPLICATES, Array, simulated_exponent

_ALPHA, _BETA, _RICHNESS = 1.5, 1.25, 1.0
_MODES, _REPLICAS = 2, 16  # the law asks for many directions of noise, not for many eigenvalues
_LEVELS = (1.7, 1.45)  # scales of the kernel; without noise it stays at 1.77
_LONG = 9.6  # times t_n, which the law takes for unlimited modes: the second level is reached after 5 to 8


class _Setting(NamedTuple):
    """One way to train, and the draws of a replicate."""

    rate: float
    variance: float
    batch: int
    draws: int

    @property
    def unit(self) -> float:
        """The steps of the law."""
        law = theory.law("feature_learning.label_noise")
        given = {"alpha": _ALPHA, "B": self.batch, "eta": self.rate, "gamma": _RICHNESS}
        return float(law.evaluate("steps", **given, sigma2=self.variance))


@check(
    "feature_learning.label-noise-descent",
    statement="noisy labels shrink the kernel of a rich network in steps that grow as the batch over the rate squared and the noise",
    laws=("feature_learning.label_noise",),
)
def descent(context: Context) -> Iterator[Comparison]:
    """Steps that networks take from one scale of the kernel to a smaller one, twice each; full effort adds the solver's curve."""
    law = theory.law("feature_learning.label_noise")
    slower, more = context.pick(1, 2), context.pick(1, 4)
    cases = [
        (
            "rate",
            (
                _Setting(0.1 / slower, 1.0, 4, 12 * slower),
                _Setting(0.04 / slower, 1.0, 4, 8 * slower),
            ),
            0.1 / 0.04,
            float(law(alpha=_ALPHA)),
            "one over the learning rate",
            Rival("a stretch of flow time that no rate changes", 1.0),
        ),
        (
            "noise",
            (_Setting(0.2, 0.25, 4, 6 * more), _Setting(0.2, 0.03125, 4, 6 * more)),
            8.0,
            None,
            "one over the variance of the noise",
            Rival("a time that does not depend on the noise", 0.0),
        ),
    ]
    if context.effort == "full":
        cases.append(
            (
                "batch",
                (_Setting(0.1, 1.0, 4, 24), _Setting(0.1, 1.0, 32, 24)),
                8.0,
                None,
                "the size of batches",
                Rival("a time that batches do not change", 0.0),
            )
        )
    for label, settings, factor, stated, variable, rival in cases:
        predicted = stated or float(np.log(settings[1].unit / settings[0].unit) / np.log(factor))

        def replicate(
            r: int,
            label: str = label,
            settings: tuple[_Setting, _Setting] = settings,
            factor: float = factor,
        ) -> Array:
            taken = [
                _steps_taken(one, context.generator(f"{label}-{place}", r))
                for place, one in enumerate(settings)
            ]
            return np.array([np.log(taken[1] / taken[0]) / np.log(factor)])

        def mean(rows: Array, settings: tuple[_Setting, _Setting] = settings) -> Measurement:
            return Measurement(
                float(rows.mean()),
                float(rows.std(ddof=1)) / len(rows) ** 0.5,
                len(rows) - 1,
                len(rows),
                f"{len(rows)} times {settings[0].draws} and {settings[1].draws} networks, {_MODES} eigenvalues {_REPLICAS} times each; "
                f"from s = {_LEVELS[0]} to {_LEVELS[1]}",
                (settings[0].unit, settings[1].unit),
            )

        yield Comparison(
            f"{context.check}/{label}",
            Prediction(
                f"exponent of the steps in {variable}",
                "exponent",
                predicted,
                f"{law.name}: t_n/eta = B/(gamma eta^2 sigma^2 Tr Lambda)",
                domain={"steps": (50.0, np.inf)},
            ),
            measure(
                replicate,
                mean,
                replicates=REPLICATES,
                tolerance=simulated_exponent(predicted),
            ),
            tolerance=simulated_exponent(predicted),
            rival=rival,
        )
    if context.effort == "full":
        yield _solved(context)


def _steps_taken(setting: _Setting, rng: np.random.Generator) -> float:
    """Return the steps from one level of the mean scale of the kernel to the other, after its largest value."""
    steps = np.unique(np.round(setting.unit * np.linspace(0.2, _LONG, 80)).astype(int))
    scale = simulate.online_sgd(
        steps,
        PowerLawSpectrum(_ALPHA, _BETA, _MODES),
        batch=setting.batch * _REPLICAS,
        learning_rate=setting.rate,
        richness=_RICHNESS,
        noise_variance=setting.variance,
        replicas=_REPLICAS,
        draws=setting.draws,
        rng=rng,
    ).kernel_scale.mean(axis=0)
    top = int(np.argmax(scale))
    return _crossing(steps[top:], scale[top:], _LEVELS[1]) - _crossing(
        steps[top:], scale[top:], _LEVELS[0]
    )


def _crossing(steps: Array, scale: Array, level: float) -> float:
    """Return when a scale that falls first passes a level, between the steps that were recorded."""
    below = int(np.argmax(scale < level))
    if below == 0:
        raise ScalingLawsError(f"the scale of the kernel is never both above and below {level}")
    share = (scale[below - 1] - level) / (scale[below - 1] - scale[below])
    return float(steps[below - 1] + share * (steps[below] - steps[below - 1]))


def _solved(context: Context) -> Comparison:
    """Compare how far the kernel has shrunk with the solver, at strong noise."""
    spectrum, copies, draws = PowerLawSpectrum(_ALPHA, _BETA, 20), 10, 16
    setting = _Setting(0.1, 1.0, 4, draws)
    steps = np.round(np.array([0.6, 2.4]) * setting.unit).astype(int)

    def solved(variance: float) -> Array:
        return np.asarray(
            online_dmft(
                int(steps[-1]),
                spectrum,
                batch=setting.batch,
                learning_rate=setting.rate,
                richness=_RICHNESS,
                noise_variance=variance,
                at=steps,
            ).scale
        )

    def replicate(r: int) -> Array:
        found = simulate.online_sgd(
            steps,
            spectrum,
            batch=setting.batch * copies,
            learning_rate=setting.rate,
            richness=_RICHNESS,
            noise_variance=setting.variance,
            replicas=copies,
            draws=draws,
            rng=context.generator("solver", r),
        )
        mean: Array = found.kernel_scale.mean(axis=0)
        return mean

    predicted = solved(setting.variance)
    return Comparison(
        f"{context.check}/solver",
        Prediction(
            "scale of the kernel against steps",
            "curve",
            predicted,
            "online_dmft",
            x=steps.astype(float),
            domain={"steps": (50.0, np.inf)},
        ),
        measure(
            replicate,
            lambda rows: curve_from_replicates(
                steps, rows, method=f"{REPLICATES} times {draws} networks"
            ),
            replicates=REPLICATES,
            tolerance=CURVE_TOLERANCE * predicted,
        ),
        tolerance=CURVE_TOLERANCE,
        tolerance_kind="relative",
        rival=Rival("labels without noise", solved(0.0)),
    )
