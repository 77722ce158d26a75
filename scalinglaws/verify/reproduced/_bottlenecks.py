"""The three bottlenecks of the lazy linear model side by side: time, samples, features."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ... import theory
from ...errors import AccuracyWarning
from ...formatting import percent
from ...notation import SourceCapacity
from ...solvers.linear import gradient_flow, ridge
from ...solvers.spectra import PowerLawSpectrum
from ..estimate import local_exponent
from ..plots.style import LAW, NOTE, SIMULATION, THEORY, bare, canvas
from ..registry import Context
from ..rule import quantile
from ..simulate.linear import gradient_flow as flow
from ..simulate.linear import population_projection, random_feature_ridge

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Array = NDArray[np.float64]

_MODES = 1024
_MOST = 768  # features and samples where neither is meant to limit
_FAR = 1e8  # where exponents of the solver are read
_PANELS = (
    ("linear.time", "t", "training time t", "$N = P = \\infty$"),
    ("linear.data", "samples", "samples P", "$t = N = \\infty$"),
    ("linear.model", "features", "features N", "$t = P = \\infty$"),
)


def three_bottlenecks(context: Context, task: SourceCapacity) -> tuple[Figure, str]:
    """Draw a panel for each resource: the solver's curve, the law, and a simulation of a finite number of modes.

    Returns
    -------
    tuple of Figure and str
        The drawing, and what was found.
    """
    limited, endless = (PowerLawSpectrum(task.alpha, task.beta, m) for m in (_MODES, np.inf))
    figure = canvas(None, (11.0, 4.1))
    panels = figure.subplots(1, 3, sharey=True)
    said, worst = [], 0.0
    for axes, (name, keyword, label, endlessly) in zip(panels, _PANELS, strict=True):
        law = theory.law(name)
        given = {"alpha": task.alpha, "beta": task.beta}
        exponent = float(law(**given))
        sizes, losses = _simulated(context, keyword, limited)
        mean = losses.mean(axis=0)
        reach = quantile(0.95, len(losses) - 1) * losses.std(axis=0, ddof=1) / np.sqrt(len(losses))
        wide = np.geomspace(sizes[0] / 2, sizes[-1] * 8, 80)
        near = wide[wide <= 1.5 * sizes[-1]]
        solve = _solver(keyword, endless)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", AccuracyWarning)  # the picture shows how far it is off
            leading = law.asymptote(wide, **given)
        axes.plot(wide, solve(wide), color=THEORY, lw=2, label="solver, infinitely many modes")
        axes.plot(wide, leading, "--", color=LAW, lw=1.5, label="derived law")
        finite = _solver(keyword, limited, _MOST)
        axes.plot(near, finite(near), color=SIMULATION, lw=1, label="solver, as simulated")
        axes.errorbar(
            sizes,
            mean,
            reach,
            fmt="o",
            color=SIMULATION,
            ms=4.5,
            capsize=2.5,
            zorder=3,
            label=f"simulation, {_MODES} modes, 95 %",
        )
        axes.set(xscale="log", yscale="log", xlabel=label)
        axes.set_title(f"{name}: exponent {exponent:.4g}", loc="left", fontsize=11)
        axes.text(0.97, 0.95, endlessly, transform=axes.transAxes, ha="right", va="top", color=NOTE)
        worst = max(worst, float(np.max(np.abs(mean / finite(sizes) - 1))))
        measured = float(np.asarray(local_exponent(solve, _FAR).value))
        said.append(f"{measured:.4f} in {keyword if keyword != 't' else 'time'} ({exponent:.4g})")
    panels[0].set_ylabel("test loss")
    handles, labels = panels[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper center", ncols=4, frameon=False, fontsize=9)
    bare(*panels)
    return figure, (
        f"At {_FAR:.0e} of each resource the solver's local exponents are {', '.join(said)}, the derived ones in brackets; "
        f"simulations are within {percent(worst, 2)} of the solver at their own sizes."
    )


def _solver(
    keyword: str, spectrum: PowerLawSpectrum, most: float = np.inf
) -> Callable[[Any], Array]:
    """Return the test loss as a function of one resource; of time with so many features and samples."""
    if keyword == "t":
        return lambda t: np.asarray(
            gradient_flow(t, spectrum, features=most, samples=most).test_loss
        )
    return lambda size: np.asarray(ridge(spectrum, **{keyword: size}).test_loss)


def _simulated(context: Context, keyword: str, spectrum: PowerLawSpectrum) -> tuple[Array, Array]:
    """Return sizes, and losses with one row a replicate."""
    draws, rng = context.pick(quick=48, full=400), context.generator(keyword, 0)
    if keyword == "t":
        times = np.array([4.0, 8, 16, 32, 64])
        return times, np.asarray(
            flow(
                times,
                spectrum,
                features=_MOST,
                samples=_MOST,
                draws=context.pick(quick=8, full=32),
                rng=rng,
            ).test_loss
        )
    sizes = np.array([16, 32, 64, 128, 256])
    rows: list[Array] = [
        random_feature_ridge(spectrum, samples=int(size), draws=draws, rng=rng).test_loss
        if keyword == "samples"
        else population_projection(spectrum, features=int(size), draws=draws, rng=rng)
        for size in sizes
    ]
    return sizes.astype(float), np.array(rows).T
