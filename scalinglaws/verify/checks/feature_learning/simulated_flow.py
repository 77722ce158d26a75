"""Single networks without limits of width or data, simulated: exponents of time, growth of the kernel, constants, crossover."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

import numpy as np
from scipy.special import zeta

from .... import theory
from ....solvers.spectra import PowerLawSpectrum
from ...comparison import Comparison, Measurement, Prediction, Rival
from ...estimate import crossing, power_law_exponent
from ...registry import Context, check
from ...simulate import feature_learning as simulate
from .tolerances import CURVE_TOLERANCE, Array, simulated_exponent

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


def _window(context: Context, beta: float, richness: float) -> tuple[int, float]:
    """Return how many modes are followed, and up to when; where features learn, a richer network is as far earlier."""
    full = context.pick(quick=0, full=1)
    return _MODES[full], _LAST_TIMES[beta][full] / richness**0.5


@lru_cache(maxsize=64)
def _trained(
    alpha: float, beta: float, richness: float, modes: int, times: tuple[float, ...]
) -> tuple[Array, Array]:
    """Train one network of unlimited width; return its loss, with the signal of the modes that are left out, and its kernel's scale."""
    found = simulate.rank_one_flow(
        times, PowerLawSpectrum(alpha, beta, modes), richness=richness, tolerance=_STEP_ERROR
    )
    return found.test_loss[0] + float(zeta(alpha * beta + 1, modes + 1)), found.kernel_scale[0]


def _slope(context: Context, beta: float, richness: float, kind: int) -> Measurement:
    """Measure the exponent of the loss (kind 0) or of the kernel's scale (1) over a decade, and its error from half as many modes."""
    modes, last = _window(context, beta, richness)
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


@check(
    "feature_learning.simulated_kernel_scale",
    statement="the kernel of a network that is trained grows as t^((1 - beta)/(1 + beta)) on hard tasks, and to a limit on easy ones",
    laws=("feature_learning.kernel_scale",),
)
def simulated_growth(context: Context) -> Iterator[Comparison]:
    """A rich network, whose kernel has outgrown its start; the rival is growth while the loss still falls as a lazy one."""
    law = theory.law("feature_learning.kernel_scale")
    for beta in _LAST_TIMES:
        predicted = float(law(alpha=_ALPHA, beta=beta))
        yield Comparison(
            f"{context.check}/beta-{beta:g}",
            Prediction(
                "exponent of the kernel's scale in time",
                "exponent",
                predicted,
                f"{law.name}: t^({law.expr})",
                domain={"time": (10.0, np.inf)},
            ),
            _slope(context, beta, 10.0, 1),
            tolerance=simulated_exponent(predicted),
            rival=Rival("fed by the lazy loss", 1 - beta)
            if beta < 1
            else Rival("the formula of hard tasks", (1 - beta) / (1 + beta)),
        )


@check(
    "feature_learning.simulated_prefactor",
    statement="the loss of networks that are trained is that of the law with its constant, for any richness",
    laws=("feature_learning.prefactor",),
)
def simulated_constant(context: Context) -> Iterator[Comparison]:
    """Three richnesses, each at the time at which the law has one and the same loss."""
    law, richness = theory.law("feature_learning.prefactor"), np.array([1.0, 10.0, 100.0])
    for beta in (0.25, 0.5):
        predicted, rival, found, errors = [], [], [], []
        for gamma in richness:
            modes, last = _window(context, beta, float(gamma))
            whole, fewer = (
                float(_trained(_ALPHA, beta, float(gamma), count, (last,))[0][0])
                for count in (modes, modes // 2)
            )
            found.append(whole)
            errors.append(abs(whole - fewer))
            predicted.append(float(law.asymptote(last, alpha=_ALPHA, beta=beta, gamma=gamma)))
            # the richness as a factor of time, as it is of the learning rate of the first layer
            rival.append(float(law.asymptote(gamma * last, alpha=_ALPHA, beta=beta, gamma=1.0)))
        yield Comparison(
            f"{context.check}/beta-{beta:g}",
            Prediction(
                "loss against richness",
                "curve",
                np.array(predicted),
                f"{law.name}, with its constant",
                x=richness,
                domain={"richness": (0.0, np.inf)},
            ),
            Measurement(
                np.array(found),
                np.array(errors),
                None,
                1,
                f"one network of unlimited width and {modes} modes, at t = {_window(context, beta, 1.0)[1]:g}/sqrt(richness)",
                (1.0, 100.0),
                deterministic=True,
            ),
            tolerance=CURVE_TOLERANCE,
            tolerance_kind="relative",
            rival=Rival("richness multiplies time", np.array(rival)),
        )


@check(
    "feature_learning.simulated_crossover",
    statement="weakly rich networks that are trained leave the lazy one at t ~ richness^(-1/(1 - beta))",
    laws=("feature_learning.crossover",),
)
def simulated_departure(context: Context) -> Iterator[Comparison]:
    """When the loss is four fifths of that of the same network with frozen features, at three richnesses."""
    law, alpha = theory.law("feature_learning.crossover"), 2.0
    cases = [(0.25, (0.1, 0.03, 0.01), 2_000, 6e3), (0.5, (0.1, 0.03, 0.01), 2_000, 1.5e4)]
    if context.pick(quick=0, full=1):
        cases = [
            (0.25, (0.03, 0.01, 0.003), 4_000, 2e4),
            (0.5, (0.03, 0.01, 0.003), 8_000, 1.5e5),
            (0.6, (0.05, 0.02, 0.01), 4_000, 4e4),
        ]
    for beta, richness, modes, last in cases:
        t = np.geomspace(1.0, last, 80)
        lazy, *rich = (
            _trained(alpha, beta, gamma, modes, tuple(t.tolist()))[0] for gamma in (0.0, *richness)
        )
        times = np.array([crossing(np.log(t), np.log(loss / lazy), np.log(0.8)) for loss in rich])
        early, late = -np.diff(times) / np.diff(np.log(richness))
        predicted = float(law(beta=beta))
        yield Comparison(
            f"{context.check}/beta-{beta:g}",
            Prediction(
                "growth of the crossover time with the inverse richness",
                "exponent",
                predicted,
                f"{law.name}: {law.expr}",
                domain={"richness": (0.0, 0.1)},
            ),
            Measurement(
                float(late),
                abs(float(late - early)),
                None,
                1,
                f"networks of unlimited width and {modes} modes, slope between the last two richnesses",
                (richness[-1], richness[0]),
                deterministic=True,
            ),
            tolerance=simulated_exponent(predicted),
            rival=Rival("inverse richness", 1.0),
        )


@check(
    "feature_learning.simulated_bootstrap",
    statement="networks whose kernels grow as recorded one level before have the exponents beta (2 - chi) of that level",
    laws=("feature_learning.bootstrap",),
)
def simulated_insertions(context: Context) -> Iterator[Comparison]:
    """Levels 1 to 3 beyond the lazy network, level 0; each has as its rival the exponent of the level before."""
    law, alpha, beta, richness = theory.law("feature_learning.bootstrap"), 4.0, 0.5, 1e3
    modes, last = (
        context.pick(quick=80, full=200),
        300.0 * context.pick(quick=1, full=10),
    )
    t = np.geomspace(last / 10, last, _POINTS)

    def losses(count: int, points: int) -> Array:
        found = simulate.frozen_growth(
            t, PowerLawSpectrum(alpha, beta, count), levels=3, richness=richness, points=points
        )
        return found.test_loss + float(zeta(alpha * beta + 1, count + 1))

    curves, coarse = losses(modes, 24), losses(modes * 3 // 4, 12)
    before = beta
    for level in (1, 2, 3):
        whole, other = (float(power_law_exponent(t, part[level])) for part in (curves, coarse))
        early, late = (
            float(power_law_exponent(t[part], curves[level, part]))
            for part in (slice(-1), slice(1, None))
        )
        predicted = float(law(beta=beta, n=level))
        yield Comparison(
            f"{context.check}/level-{level}",
            Prediction(
                "exponent of the loss in time",
                "exponent",
                predicted,
                f"{law.name}: t^-({law.expr})",
                domain={"time": (10.0, np.inf)},
            ),
            Measurement(
                whole,
                abs(whole - other) + abs(late - early) / 2,
                None,
                1,
                f"one network per level, unlimited width, {modes} modes, alpha = {alpha:g}, richness {richness:g}",
                (float(t[0]), float(t[-1])),
                deterministic=True,
            ),
            tolerance=simulated_exponent(predicted),
            rival=Rival("the level before", before),
        )
        before = predicted
