"""What each layer of sampled networks knows of the target's direction."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from ....arguments import Array, several
from ....errors import refusal
from ....formatting import short
from ...simulate.kernel_adaptation import DeepSample
from ..style import CASES, KEY_SIZE, RIVAL, bare, canvas

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_BINS = 40
_ROOM = 1.05  # beyond the largest value
_SLOT = 0.05  # of the axis, between its top and the marks


def layer_histograms(
    found: DeepSample | Sequence[DeepSample],
    prior: DeepSample | Sequence[DeepSample],
    *,
    figure: Figure | None = None,
) -> Figure:
    r"""Draw how large the linear components of both hidden layers are along the direction, posterior beside prior.

    Parameters
    ----------
    found : DeepSample or sequence of DeepSample
        Up to four networks of three layers, a row of the picture for each.
    prior : DeepSample or sequence of DeepSample
        The same networks, sampled without data.
    figure : Figure, optional
        An empty figure to draw in; by default a new one that belongs to no window.

    Returns
    -------
    Figure
        A Matplotlib figure; ``figure.savefig(path)`` writes it. In row I and layer L (1 or 2) the histograms carry ``"posterior I L"``
        and ``"prior I L"`` as ``gid``, and marks at the mean over draws of the largest component ``"largest posterior I L"`` and
        ``"largest prior I L"``.

    Raises
    ------
    DomainError
        If an object is no such sample, there are none or more than four, or widths of posterior and prior differ.

    Notes
    -----
    Left, overlaps :math:`|w\cdot w_*|` of the first layer's weights; right, coefficients
    :math:`|\langle h_c(x)\,w_*\cdot x\rangle|` of the middle layer's pre-activations. Densities on a logarithmic axis: what specializes
    are few neurons. The layer whose largest components have left the prior's is the one that learned the direction.

    Examples
    --------
    >>> import numpy as np
    >>> from scalinglaws.verify.simulate.kernel_adaptation import sample_deep
    >>> x = np.random.default_rng(0).standard_normal((60, 2))
    >>> given = {"neurons": (6, 3), "ridge": 0.1, "draws": 100, "warmup": 200, "rng": 1}
    >>> posterior = sample_deep(x, x[:, 0], **given)
    >>> figure = layer_histograms(posterior, sample_deep(x[:0], x[:0, 0], **given))
    >>> len(figure.axes)
    2
    """
    networks, priors = several("found", found, DeepSample), several("prior", prior, DeepSample)
    if not 1 <= len(networks) <= len(CASES):
        raise refusal(
            "found", None, f"must be 1 to {len(CASES)} samples; got {len(networks)}", shown=False
        )
    if [_widths(each) for each in networks] != [_widths(each) for each in priors]:
        raise refusal("prior", None, "must have the widths of found, in its order", shown=False)
    rows = len(networks)
    figure = canvas(figure, (8.4, 1.0 + 2.5 * rows))
    axes = figure.subplots(rows, 2, squeeze=False, sharex="col")
    ends = [
        _ROOM * max(float(np.abs(getattr(each, name)).max()) for each in (*networks, *priors))
        for name in ("overlaps", "linear_parts")
    ]
    for i, (each, before) in enumerate(zip(networks, priors, strict=True)):
        first, middle = _widths(each)
        for layer, (axis, after, start) in enumerate(
            (
                (axes[i, 0], each.overlaps, before.overlaps),
                (axes[i, 1], each.linear_parts, before.linear_parts),
            ),
            start=1,
        ):
            _compare(axis, np.abs(after), np.abs(start), ends[layer - 1], f"{i} {layer}")
        axes[i, 0].set_ylabel("density")
        axes[i, 0].set_title(f"{short(first)} first neurons", fontsize=KEY_SIZE, loc="left")
        axes[i, 1].set_title(f"{short(middle)} middle neurons", fontsize=KEY_SIZE, loc="left")
    axes[-1, 0].set_xlabel(r"first layer: overlap $|w\cdot w_*|$")
    axes[-1, 1].set_xlabel(r"middle layer: linear part $|\langle h\, w_*\cdot x\rangle|$")
    handles, labels = axes[0, 0].get_legend_handles_labels()
    figure.legend(
        handles, labels, loc="outside upper left", fontsize=KEY_SIZE, frameon=False, ncols=4
    )
    bare(*axes.flat)
    return figure


def _widths(sample: DeepSample) -> tuple[int, int]:
    return sample.overlaps.shape[-1], sample.linear_parts.shape[-1]


def _compare(axis: Axes, after: Array, before: Array, end: float, place: str) -> None:
    """Draw two histograms on common bins, and above them the largest of a network's neurons, on average."""
    edges = np.linspace(0, end, _BINS + 1)
    color = CASES[0][0]
    heights = [np.histogram(values, edges, density=True)[0] for values in (after, before)]
    least = min(float(each[each > 0].min()) for each in heights) / 2
    axis.stairs(
        np.maximum(heights[0], least),
        edges,
        baseline=least,
        fill=True,
        color=color,
        alpha=0.35,
        label="posterior",
        gid=f"posterior {place}",
    )
    axis.stairs(
        np.maximum(heights[1], least),
        edges,
        baseline=least,
        color=RIVAL,
        lw=1.6,
        label="prior",
        gid=f"prior {place}",
    )
    for values, shade, marker, name in (
        (after, color, "v", "posterior"),
        (before, RIVAL, "v", "prior"),
    ):
        axis.plot(
            [float(values.max(axis=-1).mean())],
            [1 - _SLOT],
            marker,
            color=shade,
            ms=8,
            mec="white",
            transform=axis.get_xaxis_transform(),
            clip_on=False,
            label=f"largest neuron, {name}",
            gid=f"largest {name} {place}",
        )
    axis.set_yscale("log")
    axis.set_ylim(least, 6 * max(float(each.max()) for each in heights))
    axis.set_xlim(0, end)
