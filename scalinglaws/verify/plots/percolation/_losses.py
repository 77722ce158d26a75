"""Losses against the size of model and dataset: of ideal clusters on the laws, and of simulated ones on the theory."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .... import theory
from ....arguments import floats, generator, one_row, several
from ....errors import refusal
from ....solvers.percolation import allocate, cluster_scale, data_loss, zipf_model_loss
from ...simulate.percolation import BetheDataset, data_losses, model_loss
from ..style import CASES, SIMULATION, THEORY, band, bare, canvas, explain

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Array = NDArray[np.float64]

SIZES = tuple(float(f"{10 ** (2 + i / 4):.3g}") for i in range(41))  # 100 to 1e12
STEP = 1.05  # ratio of the two points of a local slope
BAND = 0.1  # relative, in the lower panels


def loss_curves(
    sizes: ArrayLike = SIZES,
    *,
    alpha: float = 1.0,
    exponents: Sequence[float] = (0.25, 0.5, 1.0, 1.5),
    figure: Figure | None = None,
) -> Figure:
    r"""Draw the loss of infinitely many clusters against model and data size, and local exponents with the derived ones.

    Parameters
    ----------
    sizes : array_like, shape (n,)
        Degrees of freedom, and numbers of samples, which are rounded; increasing, >= 2, two or more.
    alpha : float
        Zipf excess of the weights, > 0.
    exponents : sequence of float
        Up to four learning exponents beta of one cluster, by the hard law.
    figure : Figure, optional
        An empty figure to draw in; by default a new one that belongs to no window.

    Returns
    -------
    Figure
        A Matplotlib figure; ``figure.savefig(path)`` writes it. Left the model at its best allocation, right the data; above losses over
        that of no model or data, ``"loss 0.5"`` as ``gid``, below local exponents, ``"exponent 0.5"``, and those of the laws
        ``percolation.model`` and ``percolation.data``, dashed, ``"law 0.5"``, which where two limits meet includes the slope of the
        logarithm.

    Raises
    ------
    DomainError
        If sizes do not increase or there are too many exponents, or an argument is out of range.

    Examples
    --------
    >>> figure = loss_curves([1e2, 1e4, 1e6], exponents=[0.5])
    >>> [line.get_gid() for line in figure.axes[0].get_lines()]
    ['loss 0.5', 'key']
    """
    size = one_row("sizes", sizes, least=2, low=2, increasing=True)
    exponents = one_row("exponents", exponents).tolist()
    if not 1 <= len(exponents) <= len(CASES):
        raise refusal(
            "exponents",
            exponents,
            f"has {len(exponents)} entries: give one to {len(CASES)}",
            shown=False,
        )
    figure = canvas(figure, (10.8, 6.0))
    panels = figure.subplots(2, 2, sharex="col", height_ratios=(3, 2))
    for column, kind in enumerate(("model", "data")):
        upper, lower = panels[:, column]
        for beta, (color, _) in zip(exponents, CASES, strict=False):
            x, loss, slope = _curve(kind, size, alpha, float(beta))
            upper.plot(
                x, loss, color=color, lw=1.8, gid=f"loss {beta:g}", label=rf"$\beta = {beta:g}$"
            )
            lower.plot(x, slope, color=color, lw=1.8, gid=f"exponent {beta:g}")
            lower.plot(
                x,
                _law_slope(kind, x, alpha, float(beta)),
                "--",
                color=color,
                lw=1.1,
                gid=f"law {beta:g}",
            )
        upper.set(xscale="log", yscale="log")
        lower.set(xscale="log", ylim=(0, None))
        lower.set_xlabel("degrees of freedom $n$" if kind == "model" else "samples $P$")
        bare(upper, lower)
    panels[0, 0].set_ylabel("loss / loss at zero")
    panels[1, 0].set_ylabel("local exponent")
    panels[0, 0].plot([], [], "--", color="#555555", lw=1.1, label="derived", gid="key")
    panels[0, 0].legend(frameon=False, fontsize=9, title=rf"$\alpha = {alpha:g}$", alignment="left")
    notes = []
    for kind, words in (("model", "degrees of freedom"), ("data", "samples")):
        law = theory.law(f"percolation.{kind}")
        same: dict[tuple[float, float], list[str]] = {}
        for beta in exponents:
            values: dict[str, Any] = {"alpha": alpha, "beta": beta}
            exponent = float(law(**values)), float(law.log_power(**values))
            same.setdefault(exponent, []).append(f"{beta:g}")
        notes += [
            f"{words}: the same derived exponent, {value:.4g}, for β = {' and '.join(which)}"
            for (value, _), which in same.items()
            if len(which) > 1
        ]
    if notes:
        explain(figure, notes)
    return figure


def _curve(kind: str, size: Array, alpha: float, beta: float) -> tuple[Array, Array, Array]:
    """Return sizes, losses and local exponents."""
    if kind == "model":
        none = zipf_model_loss(0.0, alpha=alpha, exponent=beta).loss
        loss, less, more = (
            np.asarray(zipf_model_loss(size * f, alpha=alpha, exponent=beta).loss)
            for f in (1.0, 1 / STEP, STEP)
        )
        return size, loss / none, -np.log(more / less) / np.log(STEP**2)
    whole = np.unique(np.rint(size))
    near = [np.maximum(np.rint(whole / STEP), 1), np.rint(whole * STEP)]
    near[1] = np.maximum(near[1], near[0] + 1)
    loss, less, more = (
        np.asarray(data_loss(x, alpha=alpha, exponent=beta).loss) for x in (whole, *near)
    )
    return whole, loss, -np.log(more / less) / np.log(near[1] / near[0])


def _law_slope(kind: str, x: Array, alpha: float, beta: float) -> Array:
    """Return the exponent of a law, with the slope of its logarithm."""
    law = theory.law(f"percolation.{kind}")
    values: dict[str, Any] = {"alpha": alpha, "beta": beta}
    power = law.log_power(**values)
    return np.asarray(
        float(law(**values)) - (float(power) / np.log(x) if power else 0.0) * np.ones(x.size)
    )


@dataclass(frozen=True)
class _Compared:
    """Simulated and expected losses, one row per dataset."""

    size: Array
    simulated: Array
    expected: Array


def dataset_losses(
    datasets: BetheDataset | Sequence[BetheDataset],
    *,
    units: ArrayLike = (30, 100, 300, 1000, 3000),
    samples: ArrayLike = (100, 300, 1000, 3000, 10000),
    rng: np.random.Generator | int = 0,
    figure: Figure | None = None,
) -> Figure:
    r"""Draw simulated losses against model and data size on a theory without free parameters, and the deviations below.

    The theory knows the sizes :math:`s_k` and raw variances of the clusters, hence the scales :math:`n_{0,k}` (`cluster_scale`), and the
    curve h by which each is learned. A model of n training sites is divided by `allocate`; P samples fall on sites at random (`data_loss`).

    Parameters
    ----------
    datasets : BetheDataset or sequence of BetheDataset
        One or more, at the threshold.
    units : array_like of int
        Training sites of the model, allocated.
    samples : array_like of int
        Training sites drawn from all.
    rng : Generator or int
        Source of randomness of training sites.
    figure : Figure, optional
        An empty figure to draw in; by default a new one that belongs to no window.

    Returns
    -------
    Figure
        A Matplotlib figure; ``figure.savefig(path)`` writes it. Above the geometric means over datasets of theory (``"theory"`` as
        ``gid``) and simulation (``"simulation"``); below medians of their ratio, with the quarter and three quarters points.

    Raises
    ------
    DomainError
        If there is no dataset, one is not at the threshold, or there are fewer sites than samples.

    Examples
    --------
    >>> from scalinglaws.verify.simulate.percolation import bethe_dataset
    >>> data = [bethe_dataset(20, largest=10**4, rng=seed) for seed in (1, 2)]
    >>> figure = dataset_losses(data, units=[10, 100], samples=[10, 100])
    >>> [axis.get_xlabel() for axis in figure.axes[2:]]
    ['allocated training sites $n$', 'random training sites $P$']
    """
    given = several("datasets", datasets, BetheDataset)
    if not given:
        raise refusal("datasets", datasets, "must be one BetheDataset or more", shown=False)
    if any(abs(data.occupation * (data.coordination - 1) - 1) > 1e-12 for data in given):
        raise refusal(
            "datasets",
            datasets,
            "must be drawn at the threshold, where the theory holds",
            shown=False,
        )
    source = generator(rng)
    columns = {
        "allocated training sites $n$": _models(
            given, np.atleast_1d(floats("units", units)), source
        ),
        "random training sites $P$": _samples(given, np.atleast_1d(np.asarray(samples)), source),
    }
    figure = canvas(figure, (10.4, 5.6))
    panels = figure.subplots(2, 2, sharex="col", sharey="row", height_ratios=(3, 1))
    for (words, found), upper, lower in zip(columns.items(), *panels, strict=True):
        _compare(upper, lower, found)
        lower.set_xlabel(words)
        bare(upper, lower)
    panels[0, 0].set_ylabel("loss")
    panels[1, 0].set_ylabel("simulation /\ntheory $-$ 1")
    many = f"simulation, {len(given)} datasets" if len(given) > 1 else "simulation"
    handles, _ = panels[0, 0].get_legend_handles_labels()
    panels[0, 0].legend(handles, ["theory", many], frameon=False, fontsize=9)
    return figure


def _models(given: Sequence[BetheDataset], units: Array, source: np.random.Generator) -> _Compared:
    simulated, expected = np.empty((2, len(given), units.size))
    for row, data in enumerate(given):
        weights = data.sizes / data.sizes.sum()
        scales = cluster_scale(
            data.sizes, variance=data.raw_variance, coordination=data.coordination
        )
        best = allocate(weights, units, exponents=0.5, scales=scales, law="tree")
        assert best.allocation is not None
        sites = np.minimum(np.rint(best.allocation), data.sizes - 1).astype(np.int64)
        expected[row], simulated[row] = best.loss, model_loss(data, sites, rng=source)
    return _Compared(units, simulated, expected)


def _samples(given: Sequence[BetheDataset], samples: Any, source: np.random.Generator) -> _Compared:
    simulated, expected = np.empty((2, len(given), samples.size))
    for row, data in enumerate(given):
        scales = cluster_scale(
            data.sizes, variance=data.raw_variance, coordination=data.coordination
        )
        found = data_loss(
            samples, weights=data.sizes, exponent=0.5, scales=scales, law="tree", distinct=True
        )
        expected[row], simulated[row] = found.loss, data_losses(data, samples, rng=source)
    return _Compared(np.asarray(samples, dtype=float), simulated, expected)


def _compare(upper: Axes, lower: Axes, found: _Compared) -> None:
    ratio = found.simulated / found.expected - 1
    middle = np.median(ratio, axis=0)
    upper.plot(
        found.size,
        np.exp(np.log(found.expected).mean(axis=0)),
        color=THEORY,
        lw=1.6,
        gid="theory",
        label="theory",
    )
    mean = np.exp(np.log(found.simulated).mean(axis=0))
    upper.plot(
        found.size,
        mean,
        "o",
        color=SIMULATION,
        ms=5,
        gid="simulation",
        label="simulation",
        zorder=3,
    )
    upper.set(xscale="log", yscale="log")
    band(lower, BAND)
    spread = np.abs(np.quantile(ratio, (0.25, 0.75), axis=0) - middle)
    lower.errorbar(
        found.size, middle, spread, fmt="o", color=SIMULATION, ms=4.5, capsize=2, zorder=3
    )[0].set_gid("simulation")
    lower.set_ylim(-2.5 * BAND, 2.5 * BAND)
