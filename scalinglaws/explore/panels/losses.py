"""Loss of one task against time, features or samples, lazy and rich, beside the powers that the laws promise."""

from __future__ import annotations

import math
from collections.abc import Callable
from fractions import Fraction
from functools import lru_cache
from typing import Any

import numpy as np

from ... import theory
from ...errors import DomainError, ScalingLawsError
from ...solvers import PowerLawSpectrum, feature_learning, linear
from ..answers import COLORS, PALE, Answer, Line, Marks, Number, paragraphs
from ..controls import Choice, Slider
from ..panel import Frame, Panel, Values
from ._beside import near
from ._shared import decades, heard, told

AXES = {"t": "training time t", "N": "features N", "P": "samples P"}
LAWS = {"t": "time", "N": "model", "P": "data"}
GRIDS = {"t": decades(0.1, 1e8, 4), "N": decades(1, 1e8, 4), "P": decades(1, 1e8, 4)}
ROUGH = {**GRIDS, "N": decades(1, 1e8, 1), "P": np.geomspace(1, 1e8, 5)}
"""Of rich losses, which take a run for each size."""


def answer(values: Values) -> Answer:
    """Return the losses along one axis, and at the point where the sliders stand."""
    axis, batch = values["axis"], values["batch"]
    shape = round(values["alpha"], 6), round(values["beta"], 6)
    rate = values["rate"] * _stable(PowerLawSpectrum(*shape), batch, values["N"])
    spent = batch * values["t"] / rate
    lines, marks, words = list[Line](), list[Marks](), list[str]()
    numbers = [
        Number("learning_rate", "learning rate of SGD", rate),
        Number("samples_used", "samples that SGD takes until t", _shown(spent)),
    ]
    for name, (label, color, needs, _) in CURVES.items():
        if name == "once" and axis == "P" and math.isinf(batch):
            continue
        rest = tuple(values[need] for need in needs)
        sizes = [math.inf if name == "end" else values["t"], values["N"], values["P"]]
        try:
            _, loss, said = _losses(name, "", *shape, *sizes, *rest)
            x, y, more = _losses(name, axis, *shape, *sizes, *rest)
        except ScalingLawsError as failure:
            words.append(f"{label}: {failure}")
            continue
        words += [*said, *more]
        numbers.append(Number(name, f"test loss, {label}", _shown(loss)))
        if name == "rich" and axis != "t":
            marks.append(Marks(label, x, y, color))
        else:
            lines.append(Line(label, x, y, color, "dotted" if name == "end" else "solid"))
        place = spent if (name, axis) == ("once", "P") else values[axis]
        if x[0] <= place <= x[-1] and math.isfinite(loss):
            marks.append(Marks("here", [place], [loss], color))
    laws, exponents, said = _laws(axis, *shape, values["richness"])
    text = paragraphs(*dict.fromkeys((*words, *said)))
    return Answer(
        {"curves": [*lines, *near(laws, lines), *marks]},
        [*numbers, *exponents],
        text + told(f"linear.{LAWS[axis]}", f"feature_learning.{LAWS[axis]}"),
        {"curves": AXES[axis]},
    )


def _shown(value: float) -> float | str:
    return float(value) if math.isfinite(value) else "unlimited"


# -- solvers ------------------------------------------------------------------------------------------------------------


@lru_cache(maxsize=256)
def _losses(
    name: str, axis: str, alpha: float, beta: float, t: float, n: float, p: float, *rest: float
) -> tuple[Any, Any, tuple[str, ...]]:
    """Return places, losses and warnings, along an axis or at a point; kept, for one slider moves few curves."""
    grid: Any = (ROUGH if name == "rich" else GRIDS).get(axis)
    sizes: dict[str, Any] = {"t": t, "N": n, "P": None if name == "once" else p}
    if axis and (name, axis) != ("end", "t"):
        sizes[axis] = grid
    with heard() as said:
        losses = CURVES[name][3](PowerLawSpectrum(alpha, beta), *sizes.values(), *rest)
    if grid is not None:
        losses = np.broadcast_to(np.where(np.isfinite(losses), losses, np.nan), grid.shape)
    return grid, losses, tuple(said)


def _flow(task: PowerLawSpectrum, t: Any, n: Any, p: Any, noise: float) -> Any:
    return linear.gradient_flow(t, task, features=n, samples=p, noise_variance=noise).test_loss


def _rich(task: PowerLawSpectrum, t: Any, n: Any, p: Any, richness: float) -> Any:
    flow = feature_learning.gradient_flow(t, task, features=n, samples=p, richness=richness)
    return flow.test_loss


def _once(
    task: PowerLawSpectrum, t: Any, n: Any, p: Any, batch: float, noise: float, share: float
) -> Any:
    """Return losses of one-pass SGD at times t, or after P samples where those are given."""
    rate = share * _stable(task, batch, n)
    steps = t / rate if p is None else p / batch
    # the more features, the larger the rate and the fewer the steps, which may not fall
    way = slice(None, None, -1 if np.ndim(rate) else 1)
    found = linear.online_sgd(
        np.atleast_1d(steps)[way],
        task,
        features=np.atleast_1d(n)[way],
        batch=batch,
        learning_rate=np.atleast_1d(rate)[way],
        noise_variance=noise,
    )
    losses: Any = found.test_loss
    return losses[way] if losses.size > 1 else float(losses[0])


def _stable(task: PowerLawSpectrum, batch: float, n: Any) -> Any:
    return linear.sgd_stability(task, features=n, batch=batch, learning_rate=1.0).max_learning_rate


CURVES: dict[str, tuple[str, str, tuple[str, ...], Callable[..., Any]]] = {
    "flow": ("lazy, gradient flow", COLORS[0], ("noise",), _flow),
    "rich": ("rich, gradient flow without label noise", COLORS[1], ("richness",), _rich),
    "once": ("lazy, one-pass SGD", COLORS[2], ("batch", "noise", "rate"), _once),
    "end": ("lazy, trained to the end", COLORS[3], ("noise",), _flow),
}


# -- laws ---------------------------------------------------------------------------------------------------------------


@lru_cache(maxsize=256)
def _laws(
    axis: str, alpha: float, beta: float, richness: float
) -> tuple[list[Line], list[Number], tuple[str, ...]]:
    """Return the leading terms of the laws, their exponents, and what they warn of."""
    x = GRIDS[axis][GRIDS[axis] > 1]
    exact: dict[str, Any] = {"alpha": Fraction(str(alpha)), "beta": Fraction(str(beta))}
    lines, numbers = list[Line](), list[Number]()
    with heard() as said:
        for learning, room in {"lazy": "linear", "rich": "feature_learning"}.items():
            law = theory.law(f"{room}.{LAWS[axis]}")
            try:
                g, phase = law(**exact), law.regime(**exact)
                numbers.append(Number(law.name, f"exponent of {axis}, {learning}", str(g), phase))
                constant, given = law, exact
                if law.name == "feature_learning.time":  # its constant depends on the richness
                    constant = theory.law("feature_learning.prefactor")
                    given = {**exact, "gamma": Fraction(str(round(richness, 6)))}
                y = constant.asymptote(x, **given)
            except DomainError as failure:
                said.append(f"{law.name}: {failure}")
                continue
            which = learning if axis == "t" else "lazy and rich"  # learning changes times only
            label = f"law, {which}, all else unlimited: {axis}^-{g if g.q == 1 else f'({g})'}"
            lines.append(Line(label, x, y, COLORS[-1] if learning == "rich" else PALE, "dashed"))
    if axis != "t":
        lines = lines[:1]
    return lines, numbers, tuple(said)


PANEL = Panel(
    "losses",
    "How does the loss of one task fall?",
    "Test loss of the linear model with random features against time, features or samples. Where features learn, the "
    "richness says how fast. Sliders at their right end mean: unlimited.",
    (
        Choice("axis", "Vary", AXES, "t"),
        Slider("alpha", "capacity α", 1.05, 3, 1.5),
        Slider("beta", "source β", 0.05, 3, 0.5),
        Slider("t", "time t", 0.1, 1e8, 1e4, 0.1, logarithmic=True),
        Slider("N", "features N", 1, 1e8, 1e3, 0.1, logarithmic=True, unlimited=True),
        Slider("P", "samples P", 1, 1e8, math.inf, 0.1, logarithmic=True, unlimited=True),
        Slider(
            "batch", "batch B of SGD", 1, 1e6, 32, 0.1, logarithmic=True, unlimited=True, whole=True
        ),
        Slider("rate", "its rate, share of the largest stable one", 0.01, 0.9, 0.3),
        Slider("noise", "noise variance σ²", 0, 4, 0, 0.05),
        Slider("richness", "richness γ", 0.01, 100, 1, 0.1, logarithmic=True),
    ),
    (
        Frame(
            "curves",
            "training time t, features N or samples P",
            "test loss",
            True,
            True,
            height=460,
        ),
    ),
    answer,
    {
        "axis": tuple(AXES),
        "alpha": (1.25, 1.5, 2.0),
        "beta": (0.25, 0.5, 1.0, 2.0),
        "N": (1e3, math.inf),
        "P": (1e3, math.inf),
    },
)
