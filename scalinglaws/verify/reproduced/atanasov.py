"""Figures of Atanasov, Zavatone-Veth and Pehlevan, and of the note on capacity and source of real tasks."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ... import theory
from ...notation import SourceCapacity
from ...solvers.linear import compute_frontier
from ...solvers.spectra import PowerLawSpectrum
from .. import empirical
from ..plots.empirical import spectrum_and_residual
from ..plots.linear import isoflop
from ..registry import Context
from ..simulate.empirical import draw_task
from ._bottlenecks import three_bottlenecks
from ._registry import figure

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_TASK = SourceCapacity(1.5, 0.5)
_DRAWN = (1.5, 0.5)  # capacity and source of the task that is measured


@figure(
    source="atanasov",
    name="spectrum-and-tail",
    title="Spectrum and tail of a task, with fitted alpha and beta",
    claim="Eigenvalues of a kernel fall as k to the power -alpha, and what of the labels lies beyond the first k modes as k to "
    "the power -alpha beta: capacity alpha and source beta, read off data, fix all exponents of the loss.",
    shown="eigenvalues and tail of one sample of a task that was drawn with known exponents, as measured and without their bias, "
    "with fits over the shaded window; below, local slopes with the 95 % interval.",
    uses=("verify.empirical.measure", "simulate.empirical.draw_task"),
    seconds=2,
)
def spectrum_and_tail(context: Context) -> tuple[Figure, str]:
    """Draw a task and measure it."""
    alpha, beta = _DRAWN
    samples = context.pick(quick=800, full=3000)
    task = draw_task(samples, alpha=alpha, decay=alpha * beta, rng=context.generator("task", 0))
    found = empirical.measure(
        gram=task.gram,
        labels=task.labels,
        center=True,
        held_out=False,
        rng=context.generator("halves", 0),
    )
    said = []
    for name, truth, exponent in (("alpha", alpha, found.capacity), ("beta", beta, found.source)):
        if exponent.value is None or exponent.interval is None:
            said.append(f"{name} is not found ({exponent.reason})")
            continue
        low, high = exponent.interval
        inside = "holds" if low <= truth <= high else "does not hold"
        said.append(
            f"{name} = {exponent.value:.3f}, and the interval from {low:.3f} to {high:.3f} {inside} the true {truth:g}"
        )
    return spectrum_and_residual(found), f"From {samples} samples {'; '.join(said)}."


@figure(
    source="atanasov",
    name="bottlenecks",
    title="Three bottlenecks: time, samples, features",
    claim="A linear model on a task of capacity alpha and source beta is limited by what is scarce: by time the loss falls with "
    "the exponent beta, by samples with min(2 alpha, alpha beta), by features with min(alpha, alpha beta).",
    shown="the solver's loss against each resource where the others are unlimited, the derived law with its constant, and direct "
    "simulations of 1024 modes (for time, of 768 features and samples), at alpha = 1.5 and beta = 0.5.",
    laws=("linear.time", "linear.data", "linear.model"),
    uses=("solvers.linear.ridge", "solvers.linear.gradient_flow", "simulate.linear"),
    seconds=4,
)
def bottlenecks(context: Context) -> tuple[Figure, str]:
    """Three panels."""
    return three_bottlenecks(context, _TASK)


@figure(
    source="atanasov",
    name="compute-frontier",
    title="The compute frontier",
    claim="At a fixed compute C = N t the best model is neither the largest nor the one trained longest: its size and its loss "
    "are powers of C that follow from alpha and beta.",
    shown="the loss of one-pass SGD against the number of features at fixed budgets, the frontier through the optima, and its "
    "local exponents over the derived ones (dashed), at alpha = 1.5 and beta = 0.5.",
    laws=("linear.compute", "linear.compute_model"),
    uses=("solvers.linear.compute_frontier", "solvers.linear.loss_surface"),
    seconds=6,
)
def frontier(context: Context) -> tuple[Figure, str]:
    """Five budgets."""
    spectrum = PowerLawSpectrum(_TASK.alpha, _TASK.beta)
    budgets = np.geomspace(1e6, 1e14, 5)
    drawn = isoflop(spectrum, budgets, points=context.pick(quick=21, full=41))
    far = compute_frontier(1e22, spectrum)
    given = {"alpha": _TASK.alpha, "beta": _TASK.beta}
    loss, size = (
        float(theory.law(name)(**given)) for name in ("linear.compute", "linear.compute_model")
    )
    phase = theory.law("linear.compute").regime(**given)
    return drawn, (
        f"In phase {phase} the derived exponents are {loss:.4f} for the loss and {size:.4f} for the size; the solver's, at C = 1e22, "
        f"are {float(far.loss_exponent):.4f} and {float(far.features_exponent):.4f}."
    )
