"""Pictures of the compute frontier: losses at fixed budgets, their minima, and how fast these fall."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .... import theory
from ....arguments import number, one_row, whole
from ....errors import DomainError, refusal
from ....formatting import latex
from ....solvers.linear import ComputeFrontier, compute_frontier, loss_surface
from ....solvers.spectra import PowerLawSpectrum, Spectrum, one_spectrum
from ..style import SIMULATION, THEORY, bare, canvas

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Array = NDArray[np.float64]

SHOWN = (
    ("loss_exponent", "linear.compute", THEORY, "loss: $L^*\\sim C^{-g}$"),
    ("features_exponent", "linear.compute_model", SIMULATION, "size: $N^*\\sim C^{\\,g}$"),
)
WITHOUT_NOISE = (
    "Ia",
    "II",
)  # phases whose balance has no gradient noise in it, and no step size that depends on N


def isoflop(
    spectrum: Spectrum,
    compute: ArrayLike,
    *,
    dynamics: str = "sgd",
    batch: float = 1.0,
    learning_rate: float | None = None,
    relative_rate: float = 0.2,
    noise_variance: float = 0.0,
    modes_per_feature: float | None = None,
    span: float = 100.0,
    points: int = 33,
    figure: Figure | None = None,
) -> Figure:
    """Draw the loss against model size at fixed budgets, the frontier through the optima, and its local exponents.

    Parameters
    ----------
    spectrum : PowerLawSpectrum or EmpiricalSpectrum
        Eigenvalues and signal powers.
    compute : array_like, shape (n,)
        Budgets C = N t, increasing, at least two.
    dynamics, batch, learning_rate, relative_rate, noise_variance, modes_per_feature
        As for `scalinglaws.solvers.linear.compute_frontier`.
    span : float
        How far a curve goes to both sides of its optimum, as a factor, > 1; it ends earlier at N = 1, at t = 1 and where the
        learning rate is unstable.
    points : int
        Model sizes per curve, and budgets of the frontier, >= 3.
    figure : Figure, optional
        An empty figure to draw in; by default a new one that belongs to no window.

    Returns
    -------
    Figure
        A Matplotlib figure; ``figure.savefig(path)`` writes it. Left: one curve per budget (``gid`` its number), optima as dots
        (``"optima"``) on the frontier (``"frontier"``). Right: local exponents of loss and size along the frontier
        (``"loss_exponent"``, ``"features_exponent"``), and dashed what the laws ``linear.compute`` and ``linear.compute_model``
        derive (the name of the law), with the name of the phase as a title. There is no derived line where the laws say
        nothing: a measured spectrum; label noise; a capacity of at most one without `modes_per_feature` or with a fixed
        learning rate; a flow, or infinite batches, outside phases Ia and II.

    Raises
    ------
    DomainError
        If an argument is out of range, budgets do not increase, or an optimum lies at an end of the range.

    Notes
    -----
    Optima and exponents are those of `compute_frontier`: 60 ms for a budget of the frontier, and 1 ms for a point of a curve.

    Examples
    --------
    >>> figure = isoflop(PowerLawSpectrum(1.5, 0.5), [1e6, 1e8], points=5)
    >>> figure.axes[1].get_title(loc="left")
    'phase Ia'
    """
    one_spectrum(spectrum)
    budgets = one_row("compute", compute, least=2, increasing=True)
    span = number("span", span, low=1, strict=True)
    if not isinstance(points, int):
        raise refusal("points", points, "must be a whole number >= 3")
    points = whole("points", points, low=3)
    training: dict[str, Any] = {
        "dynamics": dynamics,
        "batch": batch,
        "learning_rate": learning_rate,
        "relative_rate": relative_rate,
        "noise_variance": noise_variance,
        "modes_per_feature": modes_per_feature,
    }
    optima = compute_frontier(budgets, spectrum, **training)
    frontier = compute_frontier(np.geomspace(budgets[0], budgets[-1], points), spectrum, **training)
    figure = canvas(figure, (10.4, 4.4))
    left, right = figure.subplots(1, 2, width_ratios=(1.15, 1))
    _curves(left, spectrum, optima, frontier, span, points, training)
    _exponents(right, frontier, _derived(spectrum, **training))
    bare(left, right)
    return figure


def _curves(
    axis: Axes,
    spectrum: Spectrum,
    optima: ComputeFrontier,
    frontier: ComputeFrontier,
    span: float,
    points: int,
    training: dict[str, Any],
) -> None:
    from matplotlib import colormaps

    budgets, best, losses = (
        np.asarray(field) for field in (optima.compute, optima.features, optima.loss)
    )
    colors = colormaps["cividis"](np.linspace(0.75, 0.05, budgets.size))
    for i, (budget, middle) in enumerate(zip(budgets.tolist(), best.tolist(), strict=True)):
        sizes = np.geomspace(max(middle / span, 1.0), min(middle * span, budget), points)
        sizes = np.union1d(sizes, middle)
        curve = np.array([_loss(size, budget, spectrum, training) for size in sizes.tolist()])
        good = np.isfinite(curve)
        axis.plot(sizes[good], curve[good], color=colors[i], lw=1.6, gid=str(i))
        axis.annotate(
            _power(budget),
            (sizes[good][-1], curve[good][-1]),
            (4, 2),
            textcoords="offset points",
            fontsize=9,
            color=colors[i],
            annotation_clip=False,
        )
    axis.plot(
        frontier.features,
        frontier.loss,
        color=SIMULATION,
        lw=1.4,
        ls="--",
        gid="frontier",
        label="frontier",
        zorder=3,
    )
    axis.plot(
        best,
        losses,
        "o",
        color=SIMULATION,
        mec="white",
        ms=7,
        gid="optima",
        label="optima",
        zorder=4,
    )
    axis.set(xscale="log", yscale="log", xlabel="features N", ylabel="test loss")
    axis.set_xlim(right=axis.get_xlim()[1] * 2)
    axis.set_title("loss at fixed compute $C = N t$", loc="left", fontsize=11)
    axis.legend(frameon=False, fontsize=9, loc="lower left")


def _loss(size: float, budget: float, spectrum: Spectrum, training: dict[str, Any]) -> float:
    """Return the loss of a model at a budget, NaN where its learning rate is unstable."""
    try:
        return float(loss_surface(size, budget / size, spectrum, **training).loss[0, 0])
    except DomainError as failure:
        if failure.argument != "learning_rate":
            raise
        return math.nan


def _power(value: float) -> str:
    return f"${latex(value, 3, plain=False)}$"


def _derived(
    spectrum: Spectrum,
    *,
    dynamics: str,
    batch: float,
    learning_rate: float | None,
    noise_variance: float,
    modes_per_feature: float | None,
    **rest: Any,
) -> tuple[str, dict[str, float]] | None:
    """Return the phase and the exponents of the laws, None where they say nothing."""
    if not isinstance(spectrum, PowerLawSpectrum) or noise_variance != 0:
        return None
    if spectrum.alpha <= 1 and (modes_per_feature is None or learning_rate is not None):
        return None
    values: dict[str, Any] = {"alpha": spectrum.alpha, "beta": spectrum.beta}
    phase = theory.law("linear.compute").regime(**values)
    if (dynamics == "flow" or math.isinf(batch)) and phase not in WITHOUT_NOISE:
        return None
    return phase, {name: float(theory.law(name)(**values)) for _, name, _, _ in SHOWN}


def _exponents(
    axis: Axes, frontier: ComputeFrontier, derived: tuple[str, dict[str, float]] | None
) -> None:
    compute = np.asarray(frontier.compute)
    for field, law, color, label in SHOWN:
        axis.plot(compute, getattr(frontier, field), color=color, lw=2, gid=field, label=label)
        if derived is not None:
            value = derived[1][law]
            axis.axhline(
                value, color=color, lw=1.3, ls="--", gid=law, label=f"derived: $g = {value:.4g}$"
            )
    axis.set(xscale="log", xlabel="compute C", ylabel="local exponent $g$ along the frontier")
    low, high = axis.get_ylim()
    room = max(high - low, 0.1)
    axis.set_ylim((low + high) / 2 - 0.6 * room, (low + high) / 2 + 0.6 * room)
    axis.set_title(
        "" if derived is None else f"phase {derived[0]}", loc="left", fontsize=11, pad=34
    )
    # above the panel: its lines may be anywhere
    axis.legend(
        frameon=False,
        fontsize=9,
        ncols=2,
        loc="lower left",
        bbox_to_anchor=(-0.02, 1.0),
        borderaxespad=0.0,
    )
