"""Clusters as they are: trees colored by their target, slices of lattices colored by cluster."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ....arguments import instance
from ....errors import refusal
from ...simulate.percolation import BetheDataset, LabeledClusters, LatticeClusters
from ..style import THEORY, canvas, explain

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Array = NDArray[np.float64]

MOST_SITES = 100_000  # of a tree: more would be a blot
EDGE = 2.5  # standard deviations where the colors of a target end
NAMED = 8  # largest clusters that have colors of their own
CLUSTERS = ("#1b3a5c", "#d1495b", "#e09f3e", "#5b9bd5", "#4a8c6f", "#8a4bc4", "#b0604a", "#2a9d8f")
REST = ("#c9ced6", "#b4bbc6", "#dde1e6", "#a3acb8")


def cluster_tree(dataset: BetheDataset, *, rank: int = 0, figure: Figure | None = None) -> Figure:
    r"""Draw a cluster of the Bethe lattice in the plane, every site in the color of its target.

    In the middle is the middle of the longest path. The distance from it is the number of steps along the tree, and a branch has a sector
    in proportion to its leaves.

    Parameters
    ----------
    dataset : BetheDataset
        As `bethe_dataset` draws it.
    rank : int
        Which cluster, 0 for the largest.
    figure : Figure, optional
        An empty figure to draw in; by default a new one that belongs to no window.

    Returns
    -------
    Figure
        A Matplotlib figure; ``figure.savefig(path)`` writes it. One collection of edges, ``"tree"`` as ``gid``, whose array holds the
        targets of their outer ends; a ring marks the root.

    Raises
    ------
    DomainError
        If there is no such cluster, or it has more than 100 000 sites.

    Examples
    --------
    >>> from scalinglaws.verify.simulate.percolation import bethe_dataset
    >>> figure = cluster_tree(bethe_dataset(5, largest=1000))
    >>> figure.axes[0].collections[0].get_gid()
    'tree'
    """
    instance("dataset", dataset, BetheDataset)
    from matplotlib.collections import LineCollection

    parent, targets = dataset.cluster(rank)
    if parent.size > MOST_SITES:
        raise refusal(
            "rank",
            rank,
            f"cluster {rank} has {parent.size} sites; at most {MOST_SITES} are drawn: take a rank "
            f"beyond {int(np.sum(dataset.sizes > MOST_SITES)) - 1}",
            named=False,
        )
    place = _layout(parent)
    figure = canvas(figure, (7.4, 6.4))
    axis = figure.subplots()
    ends = np.stack([place[parent[1:]], place[1:]], axis=1)
    width = float(np.clip(60 / np.sqrt(parent.size), 0.25, 1.6))
    lines = LineCollection(
        list(ends),
        cmap="coolwarm",
        linewidths=width,
        gid="tree",
        rasterized=parent.size > 5000,
        capstyle="round",
    )
    lines.set_array(np.asarray(targets[1:], dtype=float))
    lines.set_clim(-EDGE, EDGE)
    axis.add_collection(lines)
    axis.plot(*place[0], "o", mfc="none", mec=THEORY, mew=1.2, ms=7, gid="root", zorder=3)
    axis.set_aspect("equal")
    axis.set_axis_off()
    axis.autoscale_view()
    figure.colorbar(
        lines, ax=axis, label="target, in standard deviations", extend="both", shrink=0.7
    )
    axis.set_title(
        f"{parent.size} sites, raw variance V = {dataset.raw_variance[rank]:.3g}",
        fontsize=11,
        color=THEORY,
    )
    explain(
        figure,
        [
            f"a cluster of the Bethe lattice, z = {dataset.coordination}, p = {dataset.occupation:.4g}; a line joins two "
            "neighbors and has the color of the outer one's target",
            "ring: the site from which the cluster was grown; in the middle: that of the longest path",
            "V: variance of the target over the cluster before it is standardized",
        ],
    )
    return figure


def _layout(parent: NDArray[np.int32]) -> Array:
    """Return coordinates of all sites: the distance from the middle of the longest path, and angles by the number of leaves."""
    near: list[list[int]] = [[] for _ in range(parent.size)]
    for i, above in enumerate(parent.tolist()):
        if above >= 0:
            near[i].append(above)
            near[above].append(i)
    one_end = _outward(near, 0)[0][-1]
    order, inner = _outward(near, one_end)
    path = [order[-1]]
    while inner[path[-1]] >= 0:
        path.append(inner[path[-1]])
    order, inner = _outward(near, path[len(path) // 2])

    leaves = [0] * parent.size
    for i in reversed(order):
        leaves[i] = max(leaves[i], 1)
        if inner[i] >= 0:
            leaves[inner[i]] += leaves[i]
    radius, angle, begin, wide = ([0.0] * parent.size for _ in range(4))
    wide[order[0]] = 2 * np.pi
    for i in order:
        outer = sorted((j for j in near[i] if j != inner[i]), key=lambda j: leaves[j])
        total, at = sum(leaves[j] for j in outer), begin[i]
        for j in outer[::2] + outer[1::2][::-1]:  # the largest branch in the middle
            begin[j], wide[j], radius[j] = at, wide[i] * leaves[j] / total, radius[i] + 1
            angle[j] = at + wide[j] / 2
            at += wide[j]
    return np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=1)


def _outward(near: list[list[int]], start: int) -> tuple[list[int], list[int]]:
    """Return the sites in the order of their distance from one, and each one's neighbor toward it."""
    inner = [-1] * len(near)
    order = [start]
    for i in order:
        for j in near[i]:
            if j != inner[i]:
                inner[j] = i
                order.append(j)
    return order, inner


def lattice_slice(
    clusters: LatticeClusters | LabeledClusters, *, figure: Figure | None = None
) -> Figure:
    """Draw the clusters of a lattice in a plane through it, the largest ones in colors of their own.

    Parameters
    ----------
    clusters : LatticeClusters or LabeledClusters
        With labels, in two dimensions or more. Of further axes the middle is taken.
    figure : Figure, optional
        An empty figure to draw in; by default a new one that belongs to no window.

    Returns
    -------
    Figure
        A Matplotlib figure; ``figure.savefig(path)`` writes it. One image, ``"clusters"`` as ``gid``: 0 for empty sites, 1 to 8 for
        the largest clusters of the whole lattice, above that shades of gray for the others.

    Raises
    ------
    DomainError
        If there are no labels, or less than two axes.

    Examples
    --------
    >>> from scalinglaws.verify.simulate.percolation import lattice_clusters
    >>> figure = lattice_slice(lattice_clusters((64, 64), 0.5927, labels=True))
    >>> figure.axes[0].get_images()[0].get_array().shape
    (64, 64)
    """
    instance("clusters", clusters, LatticeClusters, LabeledClusters)
    from matplotlib.colors import ListedColormap
    from matplotlib.patches import Patch

    labels = getattr(clusters, "labels", None)
    if not isinstance(labels, np.ndarray):
        raise refusal(
            "clusters",
            clusters,
            "must have labels: lattice_clusters(..., labels=True)",
            shown=False,
        )
    if labels.ndim < 2:
        raise refusal(
            "clusters",
            labels.shape,
            "must be those of a lattice of two dimensions or more",
            shown=False,
        )
    sizes = np.bincount(labels.ravel())
    sizes[0] = 0
    largest = np.argsort(-sizes, kind="stable")[: min(NAMED, int(np.sum(sizes > 0)))]
    colors = NAMED + 1 + np.arange(sizes.size) % len(REST)
    colors[largest] = np.arange(1, largest.size + 1)
    colors[0] = 0
    middle: tuple[Any, ...] = tuple(length // 2 for length in labels.shape[2:])
    shown = colors[labels[(slice(None), slice(None), *middle)]]
    figure = canvas(figure, (8.4, 6.0))
    axis = figure.subplots()
    palette = ListedColormap(["white", *CLUSTERS, *REST])
    axis.imshow(
        shown,
        cmap=palette,
        vmin=-0.5,
        vmax=palette.N - 0.5,
        interpolation="nearest",
        gid="clusters",
    )
    axis.set(xticks=[], yticks=[])
    handles = [
        Patch(color=CLUSTERS[i], label=f"{sizes[cluster]} sites")
        for i, cluster in enumerate(largest)
        if np.any(shown == i + 1)
    ]
    if np.any(shown > NAMED):
        handles.append(Patch(color=REST[0], label="others"))
    if handles:
        title = "largest clusters" if labels.ndim == 2 else "largest clusters\nof the whole lattice"
        axis.legend(
            handles=handles,
            title=title,
            loc="center left",
            bbox_to_anchor=(1.02, 0.5),
            frameon=False,
            alignment="left",
            fontsize=9,
        )
    cut = "" if labels.ndim == 2 else f"; a plane through the middle of {labels.ndim} dimensions"
    notes = [f"a lattice of {' x '.join(map(str, labels.shape))} sites{cut}"]
    if np.any(shown > NAMED):
        notes.append("others: each in one of several grays")
    if np.any(shown == 0):
        notes.append("white: empty sites")
    explain(figure, notes)
    return figure
