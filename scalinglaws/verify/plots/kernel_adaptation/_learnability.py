"""What a linear convolutional network learns, with filters that adapt and with filters that do not."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from ....arguments import several
from ....errors import refusal
from ....formatting import short
from ....solvers.kernel_adaptation import LinearCNN
from ..style import CASES, KEY_SIZE, NOTE, bare, canvas, logarithmic

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def learnability_curves(
    found: LinearCNN | Sequence[LinearCNN], *, figure: Figure | None = None
) -> Figure:
    r"""Draw learnability against samples, of filters that adapt and of lazy ones.

    Parameters
    ----------
    found : LinearCNN or sequence of LinearCNN
        Up to four curves, each along increasing samples with all else fixed.
    figure : Figure, optional
        An empty figure to draw in; by default a new one that belongs to no window.

    Returns
    -------
    Figure
        A Matplotlib figure; ``figure.savefig(path)`` writes it. Curves carry ``"adapted I"`` and ``"lazy I"`` with their place as ``gid``.

    Raises
    ------
    DomainError
        If an object is no such result, there are none or more than four, or one is no curve along increasing samples.

    Examples
    --------
    >>> from scalinglaws.solvers.kernel_adaptation import linear_cnn
    >>> found = linear_cnn(samples=[25, 50, 100], ridge=0.05, scale=50, channels=200, patches=6, patch_size=10)
    >>> figure = learnability_curves(found)
    >>> [line.get_gid() for line in figure.axes[0].get_lines()]
    ['lazy 0', 'adapted 0', 'key adapted', 'key lazy']
    """
    curves = several("found", found, LinearCNN)
    if not 1 <= len(curves) <= len(CASES):
        raise refusal(
            "found", None, f"must be 1 to {len(CASES)} curves; got {len(curves)}", shown=False
        )
    figure = canvas(figure, (6.6, 4.4))
    axis = figure.subplots()
    for i, (each, (color, _)) in enumerate(zip(curves, CASES, strict=False)):
        samples = np.asarray(each.samples)
        fixed = ("patches", "patch_size", "channels", "scale", "ridge")
        given = [np.unique(getattr(each, name)) for name in fixed]
        if samples.ndim != 1 or np.any(np.diff(samples) <= 0) or any(g.size > 1 for g in given):
            raise refusal(
                "found",
                None,
                "must be a curve: samples one increasing row, everything else fixed",
                shown=False,
                at=i,
            )
        patches, size, channels = (float(g[0]) for g in given[:3])
        label = f"d = {short(patches * size)}, {short(channels)} channels"
        axis.plot(samples, each.lazy_learnability, "--", color=color, lw=1.4, gid=f"lazy {i}")
        axis.plot(samples, each.learnability, color=color, lw=1.9, label=label, gid=f"adapted {i}")
    axis.plot([], [], color=NOTE, lw=1.9, label="filters that adapt", gid="key adapted")
    axis.plot([], [], "--", color=NOTE, lw=1.4, label="lazy filters", gid="key lazy")
    axis.set_xscale("log")
    logarithmic(axis.xaxis)
    axis.set_ylim(0, 1)
    axis.set_xlabel("samples P")
    axis.set_ylabel(r"learnability $\mathcal{L}$")
    axis.legend(loc="upper left", fontsize=KEY_SIZE, frameon=False)
    bare(axis)
    return figure
