"""Experiments on simulated clusters: how single ones are learned, and what random divisions of a model lose."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ....arguments import instance, whole
from ....errors import refusal
from ....solvers.percolation import cluster_learning_curve
from ....theory.percolation import chinchilla_models, chinchilla_width
from ...simulate.percolation import BetheDataset, LearningCurves, RandomAllocations, fitted_scale
from ..style import LAW, RIVAL, SIMULATION, THEORY, bare, canvas, explain, logarithmic

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Array = NDArray[np.float64]

_CURVES = 40  # clusters drawn by default


def cluster_curves(
    dataset: BetheDataset,
    curves: LearningCurves,
    *,
    clusters: int = _CURVES,
    figure: Figure | None = None,
) -> Figure:
    r"""Draw learning curves of single clusters against training sites, and over the scale that is fitted to each.

    Parameters
    ----------
    dataset : BetheDataset
        The clusters.
    curves : LearningCurves
        Their learning curves.
    clusters : int
        How many are drawn at most, evenly in the logarithm of the rank.
    figure : Figure, optional
        An empty figure to draw in; by default a new one that belongs to no window.

    Returns
    -------
    Figure
        A Matplotlib figure with two axes. Curves have ``"cluster 1"`` as ``gid``, by rank; right ``"hard"``, the power that is fitted,
        and ``"tree"``, the law h at the same scale.

    Raises
    ------
    DomainError
        If the curves are not of these clusters.

    Examples
    --------
    >>> from scalinglaws.verify.simulate.percolation import bethe_dataset, learning_curves
    >>> data = bethe_dataset(5, largest=3000)
    >>> figure = cluster_curves(data, learning_curves(data))
    >>> [axis.get_xlabel() for axis in figure.axes]
    ['training sites $n$', '$n/n_0$, fitted']
    """
    instance("dataset", dataset, BetheDataset)
    instance("curves", curves, LearningCurves)
    if not np.array_equal(dataset.sizes, curves.sizes):
        raise refusal("curves", None, "are those of another dataset", shown=False)
    many = whole("clusters", clusters)
    fitted = np.asarray(fitted_scale(curves.training_counts, curves.test_loss))
    ranks = np.unique(np.rint(np.geomspace(1, fitted.size, min(many, fitted.size)))).astype(int)
    figure = canvas(figure, (10.8, 4.4))
    left, right = figure.subplots(1, 2, sharey=True)
    for rank in ranks.tolist():
        n, loss = curves.training_counts[rank - 1], curves.test_loss[rank - 1]
        style = {"color": SIMULATION, "lw": 0.8, "alpha": 0.45, "gid": f"cluster {rank}"}
        left.plot(n, loss, **style)
        right.plot(n / fitted[rank - 1], loss, **style)
    u = np.geomspace(0.05, 1e4, 200)
    right.plot(
        u,
        np.minimum(1.0, u**-0.5),
        color=RIVAL,
        lw=1.6,
        ls="--",
        gid="hard",
        label="min(1, u$^{-1/2}$)",
    )
    right.plot(
        u, cluster_learning_curve(u), color=THEORY, lw=1.6, gid="tree", label="law of a tree, h(u)"
    )
    right.legend(frameon=False, fontsize=9)
    for axis, words in ((left, "training sites $n$"), (right, "$n/n_0$, fitted")):
        axis.set(xscale="log", yscale="log", xlabel=words)
        logarithmic(axis.xaxis)
    logarithmic(left.yaxis)
    least = float(curves.test_loss[ranks - 1].min())
    left.set(ylabel="loss of one cluster", ylim=(0.7 * least, 2.0))
    bare(left, right)
    explain(
        figure,
        [
            f"{ranks.size} of {fitted.size} clusters of {dataset.sizes.min()} to {dataset.sizes.max()} sites; scales n_0 have the "
            f"median {np.median(fitted):.3g} and lie between {fitted.min():.3g} and {fitted.max():.3g}"
        ],
    )
    return figure


def tried_allocations(
    found: Mapping[float, RandomAllocations],
    *,
    exact: Mapping[float, tuple[int, float]],
    figure: Figure | None = None,
) -> Figure:
    r"""Draw what random divisions of a model lose, against the number of clusters that they learn.

    Parameters
    ----------
    found : mapping of float to RandomAllocations
        By the degrees of freedom n, up to four.
    exact : mapping of float to tuple of int and float
        Number of clusters of the exact rule, and its loss, for the same n.
    figure : Figure, optional
        An empty figure to draw in; by default a new one that belongs to no window.

    Returns
    -------
    Figure
        A Matplotlib figure with a panel for each n: candidates as dots (``"candidates"``), colored by their exponent a, the best of
        them as they were simulated (``"best"``) and the exact rule (``"exact"``).

    Raises
    ------
    DomainError
        If there is no n, or more than four, or the rule is missing for one.

    Examples
    --------
    >>> from scalinglaws.verify.simulate.percolation import bethe_dataset, learning_curves, random_allocations
    >>> data = bethe_dataset(10, largest=3000)
    >>> tried = {100.0: random_allocations(data, learning_curves(data), 100, candidates=50)}
    >>> len(tried_allocations(tried, exact={100.0: (5, 0.3)}).axes)  # one, and the key of colors
    2
    """
    instance("found", found, Mapping)
    instance("exact", exact, Mapping)
    if not 1 <= len(found) <= 4 or found.keys() != exact.keys():
        raise refusal("found", None, "must have one to four sizes, the same as exact", shown=False)
    figure = canvas(figure, (3.6 * len(found) + 1.2, 4.0))
    axes = np.atleast_1d(figure.subplots(1, len(found)))
    for axis, (n, tried) in zip(axes, found.items(), strict=True):
        dots = axis.scatter(
            tried.break_ranks,
            tried.losses,
            c=tried.exponents,
            s=5,
            cmap="viridis",
            vmin=0,
            vmax=3,
            gid="candidates",
            rasterized=True,
        )
        axis.plot(
            tried.break_ranks[tried.best],
            tried.simulated,
            "o",
            color=SIMULATION,
            ms=6,
            mfc="none",
            gid="best",
            label="the best, simulated",
        )
        rank, loss = exact[n]
        axis.plot([rank], [loss], "*", color=LAW, ms=12, gid="exact", label="exact rule, its law")
        axis.set(xscale="log", yscale="log", xlabel="clusters learned $k_b$", title=f"n = {n:g}")
        logarithmic(axis.xaxis)
        logarithmic(axis.yaxis)
        bare(axis)
    axes[0].set_ylabel("loss")
    axes[0].legend(frameon=False, fontsize=8)
    figure.colorbar(dots, ax=axes.tolist(), label="exponent $a$ of shares $k^{-a}$")
    return figure


def width_against_size(*, figure: Figure | None = None) -> Figure:
    r"""Draw the width of the Chinchilla models against their number of parameters, with the power that fits it.

    Parameters
    ----------
    figure : Figure, optional
        An empty figure to draw in; by default a new one that belongs to no window.

    Returns
    -------
    Figure
        A Matplotlib figure; models have ``"models"`` as ``gid``, the power ``"fit"``.

    Raises
    ------
    DomainError
        If `figure` is none of Matplotlib's.

    Examples
    --------
    >>> [line.get_gid() for line in width_against_size().axes[0].get_lines()]
    ['models', 'fit']
    """
    size, width = chinchilla_models()[:, :2].T
    fit = chinchilla_width()
    figure = canvas(figure, (6.0, 4.4))
    axis = figure.subplots()
    axis.plot(size, width, "o", color=SIMULATION, ms=4, gid="models", label="Chinchilla family")
    ends = np.array([size.min(), size.max()])
    axis.plot(
        ends,
        fit.amplitude * ends**fit.exponent,
        color=THEORY,
        lw=1.6,
        gid="fit",
        label=f"{fit.amplitude:.3f} $N^{{{fit.exponent:.4f} \\pm {fit.standard_error:.4f}}}$",
    )
    axis.set(xscale="log", yscale="log", xlabel="parameters $N$", ylabel="width of a layer")
    logarithmic(axis.xaxis)
    logarithmic(axis.yaxis)
    axis.legend(frameon=False, fontsize=9)
    bare(axis)
    return figure
