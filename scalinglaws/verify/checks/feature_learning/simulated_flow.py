"""Single networks without limits of width or data, simulated: exponents of time, growth of the kernel, constants, crossover."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

import numpy as np
from scipy.special import zeta

from .... import theory
from ....solvers.spectra import PowerLawSpectrum
from ...comparison import Comparison, Measurement, Prediction, Rival
from ...estimate import power_law_exponent
from ...registry import Context, check
from ...simulate import feature_learning as simulate
from .tolerances import Array, simulated_exponent

_ALPHA = 1.5
_STEP_ERROR = 1e-5  # of the integrator, far below every tolerance
_POINTS = 7  # of a window of one decade
# by source: where windows end that are clear of the last mode, lambda_M tau = 0.01, quick and full
_MODES = (4_000, 20_000)
_LAST_TIMES = {
    0.25: (175.0, 790.0),
    0.5: (355.0, 2_170.0),
    0.75: (600.0, 4_950.0),
    1.25: (1_000.0, 11_000.0),
}


@lru_cache(maxsize=64)
def _trained(
    alpha: float, beta: float, richness: float, modes: int, times: tuple[float, ...]
) -> tuple[Array, Array]:
    """Train one network of unlimited width; return its loss, with the signal of the modes that are left out, and its kernel's scale."""
    found = simulate.rank_one_flow(
        times, PowerLawSpectrum(alpha, beta, modes), richness=richness, tolerance=_STEP_ERROR
    )
    return found.test_loss[0] + float(zeta(alpha * beta + 1, modes + 1)), found.kernel_scale[0]


def _slope(
    context: Context, beta: float, richness: float, kind: int, shorter: float = 1.0
) -> Measurement:
    """Measure the exponent of the loss (kind 0) or of the kernel's scale (1) over a decade, and its error from half as many modes."""
    full = context.pick(quick=0, full=1)
    modes, last = _MODES[full], _LAST_TIMES[beta][full] / shorter
    t = np.geomspace(last / 10, last, _POINTS)
    curves = [
        _trained(_ALPHA, beta, richness, count, tuple(t.tolist()))[kind]
        for count in (modes, modes // 2)
    ]
    whole, fewer = (float(power_law_exponent(t, curve)) for curve in curves)
    early, late = (
        float(power_law_exponent(t[part], curves[0][part])) for part in (slice(-1), slice(1, None))
    )
    sign = -1.0 if kind else 1.0
    return Measurement(
        sign * whole,
        abs(whole - fewer) + abs(late - early) / 2,
        None,
        1,
        f"one network of unlimited width and {modes} modes, integrated in time",
        (float(t[0]), float(t[-1])),
        deterministic=True,
    )


@check(
    "feature_learning.simulated_time",
    statement="networks that are trained, not solved for, learn hard tasks as t^(-2 beta/(1 + beta)), and easy ones as t^-beta",
    laws=("feature_learning.time",),
    compiles=3.0,
)
def simulated_exponents(context: Context) -> Iterator[Comparison]:
    """The last decade of time before modes that were left out would count."""
    law = theory.law("feature_learning.time")
    for beta in _LAST_TIMES:
        predicted = float(law(alpha=_ALPHA, beta=beta))
        yield Comparison(
            f"{context.check}/beta-{beta:g}",
            Prediction(
                "exponent of the loss in time",
                "exponent",
                predicted,
                f"{law.name}: t^-({law.expr})",
                domain={"time": (10.0, np.inf)},
            ),
            _slope(context, beta, 1.0, 0),
            tolerance=simulated_exponent(predicted),
            rival=Rival("lazy", beta)
            if beta < 1
            else Rival("2 beta/(1 + beta) for easy tasks too", 2 * beta / (1 + beta)),
        )
