"""Figures of D'Amico, Bocchi and Negri, and of the talk about it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.special import chdtrc

from ..checks.perceptron.published import ARCHITECTURES, PUBLISHED, pairings
from ..plots.style import CASES, NOTE, RIVAL, bare, canvas
from ..registry import Context
from ._registry import figure

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@figure(
    source="damico",
    name="table-of-nine",
    title="The table of nine: predicted and measured exponents of networks",
    claim="For nine pairs of network and data the exponent of the learning curve is the product of two that are measured along "
    "training, gamma = gamma_1 gamma_2.",
    shown="the published exponents against each other, with one standard error of their difference, and their differences in "
    "units of it; the numbers are the authors', nothing here was trained.",
    uses=("published table",),
    seconds=0.5,
)
def table_of_nine(context: Context) -> tuple[Figure, str]:
    """Points on a diagonal, and their differences row by row."""
    table = np.array(list(PUBLISHED.values()))
    drawn = canvas(None, (10.0, 4.4))
    left, right = drawn.subplots(1, 2, width_ratios=(1, 1.1))
    left.plot([0, 0.8], [0, 0.8], color=RIVAL, lw=1, zorder=1)
    labels = []
    for i, (data, rows) in enumerate(zip(PUBLISHED, table, strict=True)):
        color = CASES[i][0]
        for j, (kind, (predicted, measured, error)) in enumerate(
            zip(ARCHITECTURES, rows, strict=True)
        ):
            marker = CASES[j][1]
            look = {"fmt": marker, "color": color, "ms": 6, "capsize": 2.5, "lw": 1}
            left.errorbar(predicted, measured, error, **look)
            right.errorbar((measured - predicted) / error, len(labels), xerr=1, **look)
            labels.append(f"{data} {kind}   {predicted:.2f}  {measured:.2f}")
        left.plot([], [], "o", color=color, label=data)
    for j, kind in enumerate(ARCHITECTURES):
        left.plot([], [], CASES[j][1], color=NOTE, mfc="none", label=kind)
    left.set(
        xlabel=r"predicted $\gamma_1\gamma_2$",
        ylabel=r"measured $\gamma$",
        xlim=(0, 0.8),
        ylim=(0, 0.8),
        aspect="equal",
    )
    left.legend(frameon=False, fontsize=9, loc="upper left", ncols=2)
    right.axvline(0, color=RIVAL, lw=1, zorder=1)
    right.set(
        yticks=range(len(labels)),
        yticklabels=labels,
        ylim=(len(labels) - 0.5, -0.5),
        xlabel="(measured $-$ predicted) / standard error",
    )
    right.set_title("predicted and measured exponent", loc="right", x=-0.02, fontsize=9, color=NOTE)
    bare(left, right)
    chi2, correlation = pairings(table)
    p = float(chdtrc(table[..., 0].size, chi2[0]))
    weights = table[..., 2] ** -2
    bias = float(np.sum(weights * (table[..., 1] - table[..., 0])) / weights.sum())
    return drawn, (
        f"Chi-square is {chi2[0]:.2f} for nine pairs (p = {p:.2f}), against {np.mean(chi2):.0f} on average if predictions are "
        f"exchanged among the networks of a data set, and the mean rank correlation within data sets is {correlation[0]:.2f}: the "
        f"pairs agree, with a mean difference of {bias:+.3f} +- {weights.sum() ** -0.5:.3f}; that errors of a fourth and more "
        "allow no sharper verdict is what the check perceptron.published-exponents says."
    )
