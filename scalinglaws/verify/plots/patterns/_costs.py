"""What patterns cost against the scale of the network, with prefactors, and how fast the costs approach their exponents."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import sympy as sp
from numpy.typing import ArrayLike

from ....arguments import one_row
from ....errors import refusal
from ....solvers.patterns import (
    AlignmentProbability,
    alignment_rate,
    gaussian_cost,
    specialized_cost,
)
from ....theory.parameters import to_exact
from ....theory.patterns import fully_connected, sample_complexity
from ..style import SIMULATION, THEORY, bare, canvas

if TYPE_CHECKING:
    from matplotlib.figure import Figure

LOOKS = {
    "S1(1)": ("#4a8c6f", "one neuron specializes in part, S1(1)"),
    "S(1)": ("#4a8c6f", "few neurons specialize, S(1)"),
    "G(1)": ("#e09f3e", "all learn, G(1)"),
    "GP": ("#9a9a9a", "lazy, GP"),
}


def cost_curves(
    dimensions: ArrayLike,
    *,
    width_exponent: Any = 1,
    measured: Sequence[AlignmentProbability] = (),
    figure: Figure | None = None,
) -> Figure:
    r"""Draw the cost of each pattern of a two-layer network against its size, and the local slopes on the exponents.

    The network is that of `scalinglaws.solvers.patterns.log_alignment`, of width :math:`N = d^n`; its cost is
    :math:`-\log P(A \ge 1)`.

    Parameters
    ----------
    dimensions : array_like, shape (k,)
        Input dimensions d, increasing, at least three, >= 2.
    width_exponent : number or str
        n, rational; the width is rounded to a whole number.
    measured : sequence of AlignmentProbability, optional
        Sampled probabilities at the same width exponent.
    figure : Figure, optional
        An empty figure to draw in; by default a new one that belongs to no window.

    Returns
    -------
    Figure
        A Matplotlib figure; ``figure.savefig(path)`` writes it. Left costs, right local slopes of neighboring dimensions, with the
        engine's exponents dashed. Lines carry the name of their pattern, or ``"mean field"``, as ``gid``, the dashed ones with
        ``", exponent"``; marks ``"measured"``.

    Raises
    ------
    DomainError
        If the dimensions do not increase, or a measured network has another width.

    Examples
    --------
    >>> figure = cost_curves([20, 40, 80])
    >>> [line.get_gid() for line in figure.axes[0].get_lines()]
    ['S(1)', 'G(1)', 'GP', 'mean field']
    """
    d = one_row("dimensions", dimensions, least=3, low=2, increasing=True)
    exponent = fully_connected([width_exponent], 3).width_exponents[0]
    if not exponent.is_number:
        raise refusal("width_exponent", width_exponent, "must be a number")
    n = np.round(d ** float(to_exact(exponent)))
    special = "S1(1)" if exponent < 1 else "S(1)"
    costs = {
        special: specialized_cost(n, d).cost,
        "G(1)": gaussian_cost(n, d).cost,
        "GP": gaussian_cost(n, d, inflation=1).cost,
        "mean field": alignment_rate(n, d).rate,
    }
    for entry in measured:
        if not isinstance(entry, AlignmentProbability) or entry.n != round(
            entry.d ** float(exponent)
        ):
            raise refusal(
                "measured",
                entry,
                f"must hold results of log_alignment with n = d^{exponent}, rounded",
                shown=False,
            )
    figure = canvas(figure, (10.4, 4.4))
    left, right = figure.subplots(1, 2)
    middle = np.sqrt(d[1:] * d[:-1])
    for name, cost in costs.items():
        color, words = LOOKS.get(name, (THEORY, "mean-field theory, no pattern assumed"))
        style = {
            "color": color,
            "lw": 1.4 if name == "mean field" else 2,
            "ls": "--" if name == "mean field" else "-",
            "gid": name,
        }
        left.plot(d, cost, label=words, **style)
        right.plot(
            middle, np.diff(np.log(np.asarray(cost))) / np.diff(np.log(d)), marker=".", **style
        )
    for ranked in sample_complexity(fully_connected([exponent], 3)).ranking:
        if str(ranked) in costs:
            right.axhline(
                float(ranked.exponent),
                color=LOOKS[str(ranked)][0],
                lw=1,
                ls=(0, (6, 3)),
                zorder=1,
                gid=f"{ranked}, exponent",
            )
            right.annotate(
                f"{ranked}: {ranked.exponent}",
                (1, float(ranked.exponent)),
                (3, 0),
                xycoords=("axes fraction", "data"),
                textcoords="offset points",
                va="center",
                fontsize=9,
                color=LOOKS[str(ranked)][0],
            )
    if measured:
        at = [entry.d for entry in measured]
        values, errors = (
            [-entry.log_probability for entry in measured],
            [entry.standard_error for entry in measured],
        )
        bars = left.errorbar(
            at,
            values,
            errors,
            fmt="o",
            color=SIMULATION,
            ms=5,
            capsize=2,
            zorder=4,
            label="importance sampling",
        )
        bars[0].set_gid("measured")
    left.set(xscale="log", yscale="log", ylabel=r"cost, $-\log P$")
    right.set(xscale="log", ylabel="local slope in $d$")
    for axes in (left, right):
        width = "" if exponent == 0 else "d" if exponent == 1 else f"d^{{{sp.latex(exponent)}}}"
        axes.set_xlabel(f"input dimension $d$   ($N = {width or 1}$)")
        bare(axes)
    left.legend(frameon=False, fontsize=9)
    return figure
