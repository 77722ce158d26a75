"""Pictures of the lazy linear model's bottlenecks."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from .... import theory
from ....arguments import choice, generator, several
from ....errors import AccuracyWarning, refusal
from ....notation import SourceCapacity
from ....reprs import short_repr
from ....solvers.linear import ridge
from ....solvers.spectra import PowerLawSpectrum
from ...estimate import curve_from_replicates
from ...rule import quantile
from ...simulate.linear import population_projection, random_feature_ridge
from ..style import LAW, RIVAL, SIMULATION, THEORY, band, bare, canvas

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Array = NDArray[np.float64]


@short_repr
@dataclass(frozen=True)
class Bottleneck:
    """A law, its rival and the simulation that decides between them.

    Attributes
    ----------
    law : str
        ``"linear.data"`` or ``"linear.model"``.
    task : SourceCapacity
        Exponents of the task.
    rival : float
        Exponent of the alternative.
    rival_name : str
        What it is.
    """

    law: str
    task: SourceCapacity
    rival: float
    rival_name: str


def bottlenecks(
    cases: Sequence[Bottleneck],
    *,
    sizes: Sequence[int] = (16, 32, 64, 128, 256),
    modes: int = 1024,
    draws: int = 16,
    replicates: int = 8,
    tolerance: float = 0.1,
    rng: np.random.Generator | int = 0,
    figure: Figure | None = None,
) -> Figure:
    """Draw simulated losses over the solver's curve, the law and its rival, with relative deviations below.

    Parameters
    ----------
    cases : sequence of Bottleneck
        One column each.
    sizes : sequence of int
        Numbers of samples or features that are simulated.
    modes : int
        Modes of the simulated spectrum; the solver's curve has as many where simulations are compared with it.
    draws, replicates : int
        Draws averaged in a replicate, and replicates.
    tolerance : float
        Half-width of the band in the lower panels, relative.
    rng : Generator or int
        Source of randomness.
    figure : Figure, optional
        An empty figure to draw in; by default a new one that belongs to no window.

    Returns
    -------
    Figure
        A Matplotlib figure; ``figure.savefig(path)`` writes it.

    Raises
    ------
    DomainError
        If there is no case, or one names another law.
    """
    if not cases:
        raise refusal("cases", cases, "is empty: give at least one Bottleneck", shown=False)
    several("cases", cases, Bottleneck)
    source = generator(rng)
    figure = canvas(figure, (5.2 * len(cases), 5.6))
    axes = figure.subplots(2, len(cases), sharex="col", squeeze=False, height_ratios=(3, 1))
    for case, upper, lower in zip(cases, *axes, strict=True):
        _draw(case, upper, lower, np.array(sizes), modes, draws, replicates, tolerance, source)
    return figure


def _draw(
    case: Bottleneck,
    upper: Axes,
    lower: Axes,
    sizes: Any,
    modes: int,
    draws: int,
    replicates: int,
    tolerance: float,
    source: np.random.Generator,
) -> None:
    keywords = {"linear.data": "samples", "linear.model": "features"}
    choice("law", case.law, keywords)
    keyword, law = keywords[case.law], theory.law(case.law)
    given = {"alpha": case.task.alpha, "beta": case.task.beta}
    limited, endless = (
        PowerLawSpectrum(case.task.alpha, case.task.beta, size) for size in (modes, np.inf)
    )

    losses = np.empty((replicates, sizes.size))
    for r in range(replicates):
        for j, size in enumerate(sizes):
            if keyword == "samples":
                losses[r, j] = random_feature_ridge(
                    limited, samples=size, draws=draws, rng=source
                ).test_loss.mean()
            else:
                losses[r, j] = population_projection(
                    limited, features=size, draws=draws, rng=source
                ).mean()
    measured = curve_from_replicates(sizes, losses, method="direct simulation")
    mean, reach = np.asarray(measured.value), quantile(0.95, measured.df) * np.asarray(measured.se)

    wide = np.geomspace(sizes[0] / 2, sizes[-1] * 8, 80)
    on_curve: dict[str, Any] = {keyword: wide}
    at_points: dict[str, Any] = {keyword: sizes}
    solver = np.asarray(ridge(endless, **on_curve).test_loss)
    expected = np.asarray(ridge(limited, **at_points).test_loss)
    exponent = float(law(**given))
    upper.plot(wide, solver, color=THEORY, lw=2, label="solver, infinitely many modes")
    with warnings.catch_warnings():
        warnings.simplefilter(
            "ignore", AccuracyWarning
        )  # the picture itself shows how far the leading term is off
        leading = law.asymptote(wide, **given)
    upper.plot(
        wide,
        leading,
        color=LAW,
        lw=1.5,
        ls="--",
        label=f"derived law: {law.variable}$^{{-{exponent:g}}}$",
    )
    anchor = mean[0] * (wide / sizes[0]) ** -case.rival
    visible = anchor > solver[-1] / 10
    upper.plot(
        wide[visible],
        anchor[visible],
        color=RIVAL,
        lw=1.5,
        ls=":",
        label=f"{case.rival_name}: {law.variable}$^{{-{case.rival:g}}}$",
    )
    upper.errorbar(
        sizes,
        mean,
        reach,
        fmt="o",
        color=SIMULATION,
        ms=5,
        capsize=3,
        zorder=3,
        label=f"simulation, {modes} modes",
    )
    upper.set(xscale="log", yscale="log", ylabel="test loss")
    upper.set_title(
        rf"{case.law}:  $\alpha={float(case.task.alpha):g}$,  $\beta={float(case.task.beta):g}$",
        loc="left",
        fontsize=11,
    )
    upper.legend(frameon=False, fontsize=9)

    band(lower, tolerance)
    lower.errorbar(
        sizes, mean / expected - 1, reach / expected, fmt="o", color=SIMULATION, ms=5, capsize=3
    )
    lower.set(
        ylabel="simulation /\nsolver $-$ 1",
        xlabel=f"{keyword} {law.variable}",
        ylim=(-2.2 * tolerance, 2.2 * tolerance),
    )
    bare(upper, lower)
