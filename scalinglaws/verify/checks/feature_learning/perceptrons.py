"""Networks on the circle that are smoother or deeper than two layers of rectified linear units, lazy, against their kernels' flow."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from functools import partial

import numpy as np

from ....solvers import feature_learning as solve
from ...comparison import Comparison, Prediction, Rival
from ...estimate import exponent_from_replicates, measure, power_law_exponent
from ...registry import Context, check
from ...simulate import feature_learning as simulate
from .tolerances import REPLICATES, Array, simulated_exponent

_LAZY = 1e-3  # richness
_SAMPLES, _HARMONICS = 128, 48


@check(
    "feature_learning.circle_perceptron",
    statement="smoother or deeper networks on the circle learn lazily with their kernels' flow, more slowly if smoother",
    no_law="the flow of kernels in a window; exponents of the law are for times that these networks do not reach",
    effort="full",
)
def lazy_perceptrons(context: Context) -> Iterator[Comparison]:
    """Slopes of networks and of the flow of kernels of infinite width, fitted alike; the rival is the other kernel."""
    given: dict[str, int] = {"harmonics": _HARMONICS, "grid": _SAMPLES}
    for power, target in ((2, 1.5), (2, 1.1)):
        t = np.geomspace(3, 30, 5)
        smooth, rough = (
            np.asarray(
                solve.circle_flow(t, activation_power=q, target_exponent=target, **given).train_loss
            )
            for q in (power, 1)
        )
        yield _compared(
            context,
            f"squares-{target:g}",
            t,
            smooth,
            Rival("as rough as linear units", float(power_law_exponent(t, rough))),
            partial(_network, target=target, neurons=1000, power=power, hidden=1),
        )
    t, target = np.geomspace(3, 30, 5), 0.8
    eigenvalues = _two_hidden_layers()
    k = np.arange(1, _HARMONICS + 1)
    deep = 0.25 * np.exp(-2 * np.outer(t, eigenvalues)) @ k ** (-2 * target)
    shallow = np.asarray(
        solve.circle_flow(t, activation_power=1, target_exponent=target, **given).train_loss
    )
    yield _compared(
        context,
        "two-hidden-layers",
        t,
        deep,
        Rival("one hidden layer", float(power_law_exponent(t, shallow))),
        partial(_network, target=target, neurons=800, power=1, hidden=2),
    )


def _compared(
    context: Context,
    name: str,
    t: Array,
    flow: Array,
    rival: Rival,
    network: Callable[..., Array],
) -> Comparison:
    """Compare the slope of networks with the one of the flow in the same window."""
    predicted = float(power_law_exponent(t, flow))
    return Comparison(
        f"{context.check}/{name}",
        Prediction(
            "exponent of the lazy loss in time, in a window",
            "exponent",
            predicted,
            "the flow of the tangent kernel at infinite width, fitted like the measurement",
            domain={"time": (float(t[0]), float(t[-1]))},
        ),
        measure(
            partial(network, context, name, t),
            partial(
                exponent_from_replicates,
                t,
                method=f"least squares in logarithms; {_SAMPLES} samples, {_HARMONICS} harmonics, richness {_LAZY:g}",
            ),
            replicates=REPLICATES,
            tolerance=simulated_exponent(predicted),
        ),
        tolerance=simulated_exponent(predicted),
        rival=rival,
    )


def _two_hidden_layers() -> Array:
    """Return eigenvalues of the tangent kernel of two hidden layers of rectified linear units, infinitely wide, bias 1."""
    angle = 2 * math.pi / _SAMPLES * np.arange(_SAMPLES)
    overlap, length = np.cos(angle) + 1, 2.0
    sent = np.ones(_SAMPLES)  # from the layers above
    layers = []
    for _ in range(2):
        turn = np.arccos(np.clip(overlap / length, -1, 1))
        active = (math.pi - turn) / (2 * math.pi)
        layers.append((overlap, active))
        overlap = length * (np.sin(turn) + (math.pi - turn) * np.cos(turn)) / (2 * math.pi)
        length /= 2
    total = overlap
    for seen, active in layers[::-1]:
        sent = sent * active
        total = total + sent * seen
    eigenvalues: Array = np.fft.rfft(total).real[1 : _HARMONICS + 1] / _SAMPLES
    return eigenvalues


def _network(
    context: Context,
    name: str,
    t: Array,
    r: int,
    *,
    target: float,
    neurons: int,
    power: int,
    hidden: int,
) -> Array:
    """Return the loss of one network."""
    found: Array = simulate.circle_perceptron(
        t,
        neurons=neurons,
        samples=_SAMPLES,
        harmonics=_HARMONICS,
        richness=_LAZY,
        target_exponent=target,
        activation_power=power,
        hidden_layers=hidden,
        pace=1.0,
        rng=context.generator(name, r),
    ).train_loss[0]
    return found
