"""What a kernel that does not adapt learns of a task."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ....arguments import instance
from ....formatting import short
from ...empirical._learnability import TaskLearnability, half_in_words
from ..style import KEY_SIZE, LAW, NOTE, RIVAL, THEORY, bare, canvas, explain, logarithmic

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def task_learnability(found: TaskLearnability, *, figure: Figure | None = None) -> Figure:
    r"""Draw how much of a task is learned against samples, and the samples that each of its modes takes.

    Parameters
    ----------
    found : TaskLearnability
        What was computed.
    figure : Figure, optional
        An empty figure to draw in; by default a new one that belongs to no window.

    Returns
    -------
    Figure
        A Matplotlib figure; ``figure.savefig(path)`` writes it. Left: learnability (``gid`` ``"learnability"``) and test loss over
        the power (``"test loss"``). Right: samples for half of each mode against its eigenvalue (``"half"``; areas are shares of the
        target), with lower bounds (``"bound"``) and the heuristic :math:`1/\lambda` (``"heuristic"``).

    Raises
    ------
    DomainError
        If `found` is no such result.

    Examples
    --------
    >>> from scalinglaws.verify.empirical import learnability
    >>> found = learnability(eigenvalues=[1.0, 0.1, 0.01], coefficients=[1.0, 0.3, 0.1], samples=[1, 10, 100])
    >>> figure = task_learnability(found)
    >>> [line.get_gid() for axis in figure.axes for line in axis.get_lines()]
    ['learnability', 'test loss', 'heuristic', 'bound']
    """
    instance("found", found, TaskLearnability)
    figure = canvas(figure, (9.4, 4.2))
    left, right = figure.subplots(1, 2)
    for values, color, label in (
        (found.learnability, THEORY, "learnability"),
        (found.test_loss, RIVAL, "test loss"),
    ):
        left.plot(found.samples, values, "o-", color=color, ms=3, lw=1.6, label=label, gid=label)
    left.set_xscale("log")
    left.set_ylim(bottom=0)
    left.set_xlabel("samples P")
    left.set_ylabel("over the power of the target")
    left.legend(frameon=False, fontsize=KEY_SIZE)
    order = np.argsort(found.eigenvalues)
    values = found.eigenvalues[order]
    right.plot(values, 1 / values, ":", color=NOTE, lw=1.2, label=r"$1/\lambda$", gid="heuristic")
    right.plot(
        values, found.mode_bound[order], "v", color=LAW, ms=5, label="lower bound", gid="bound"
    )
    shares = found.shares[order] / max(float(found.shares.max()), np.finfo(float).tiny)
    right.scatter(
        values,
        found.mode_half[order],
        12 + 110 * shares,
        color=THEORY,
        alpha=0.75,
        linewidths=0,
        label="half is learned; areas: share of the target",
        gid="half",
    )
    right.set_xscale("log")
    right.set_yscale("log")
    right.set_xlabel(r"eigenvalue $\lambda$")
    right.set_ylabel("samples P")
    right.legend(frameon=False, fontsize=KEY_SIZE)
    for axis in (left.xaxis, right.xaxis, right.yaxis):
        logarithmic(axis)
    bare(left, right)
    explain(
        figure,
        [f"{half_in_words(found)}; ridge {short(found.ridge)}, trace {short(found.trace)}."],
    )
    return figure
