"""Noisy labels shrink the kernel that has been learned: networks trained by SGD against the solver and the law's scale of time."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from .... import theory
from ....solvers.feature_learning import online_dmft
from ....solvers.spectra import PowerLawSpectrum
from ...comparison import Comparison, Measurement, Prediction, Rival
from ...estimate import curve_from_replicates, measure
from ...registry import Context, check
from ...simulate import feature_learning as simulate
from .tolerances import CURVE_TOLERANCE, REPLICATES, Array

_ALPHA, _BETA, _MODES, _RATE, _BATCH, _REPLICAS = 1.5, 1.25, 20, 0.1, 4, 10


@check(
    "feature_learning.label-noise-descent",
    statement="with noisy labels the kernel of a rich network falls again, as the solver says and on the scale of the law",
    laws=("feature_learning.label_noise",),
)
def descent(context: Context) -> Iterator[Comparison]:
    """Scale of the kernel of many modes with the same eigenvalues, and after a number of steps in proportion to the law's."""
    law = theory.law("feature_learning.label_noise")
    spectrum = PowerLawSpectrum(_ALPHA, _BETA, _MODES)
    draws = context.pick(4, 16)

    def unit(variance: float) -> float:
        given = {"alpha": _ALPHA, "B": _BATCH, "eta": _RATE, "gamma": 1.0, "sigma2": variance}
        return float(law.evaluate("steps", **given))

    def solved(steps: Array, variance: float) -> Array:
        return np.asarray(
            online_dmft(
                int(steps[-1]),
                spectrum,
                batch=_BATCH,
                learning_rate=_RATE,
                richness=1.0,
                noise_variance=variance,
                at=steps,
            ).scale
        )

    slow, fast = 0.5, 1.0
    ends = np.array([1.0, 4.0]) * 0.6 * unit(fast)
    steps = np.round(ends).astype(int)
    noisy, later = solved(steps, fast), np.round(ends * unit(slow) / unit(fast)).astype(int)
    silent = solved(steps, 0.0)
    for label, variance, at, predicted, source, rival in (
        ("solver", fast, steps, noisy, "online_dmft", Rival("labels without noise", silent)),
        (
            "scale",
            slow,
            later[-1:],
            noisy[-1:],
            f"{law.name}: that of twice the noise, after as many t_n",
            Rival("labels without noise", silent[-1:]),
        ),
    ):

        def replicate(r: int, at: Array = at, variance: float = variance) -> Array:
            found = simulate.online_sgd(
                at,
                spectrum,
                batch=_BATCH * _REPLICAS,
                learning_rate=_RATE,
                richness=1.0,
                noise_variance=variance,
                replicas=_REPLICAS,
                draws=draws,
                rng=context.generator("descent", r),
            )
            mean: Array = found.kernel_scale.mean(axis=0)
            return mean

        def curve(rows: Array, at: Array = at) -> Measurement:
            return curve_from_replicates(at, rows, method=f"{REPLICATES} times {draws} networks")

        yield Comparison(
            f"{context.check}/{label}",
            Prediction(
                "scale of the kernel against steps",
                "curve",
                predicted,
                source,
                x=at.astype(float),
                domain={"steps": (50.0, np.inf)},
            ),
            measure(replicate, curve, replicates=REPLICATES, tolerance=CURVE_TOLERANCE * predicted),
            tolerance=CURVE_TOLERANCE,
            tolerance_kind="relative",
            rival=rival,
        )
