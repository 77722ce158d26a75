"""Pictures of networks on the circle."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .... import theory
from ....arguments import instance, one_row
from ....errors import refusal
from ....solvers.feature_learning import circle_flow
from ...simulate.feature_learning import SimulatedCircle
from ..style import CASES, LAW, RIVAL, THEORY, bare, canvas

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Array = NDArray[np.float64]


def circle_slopes(
    t: ArrayLike,
    simulated: Mapping[str, SimulatedCircle],
    *,
    target_exponent: float,
    samples: int = 4096,
    harmonics: int = 1024,
    bias: float = 1.0,
    figure: Figure | None = None,
) -> Figure:
    r"""Draw losses of networks on the circle, and their local slopes with those of the kernel flow and the derived ones.

    A slope is :math:`-\Delta\log L/\Delta\log t` between neighboring times, for the flow and for the networks alike, and is drawn at the
    geometric mean of the two.

    Parameters
    ----------
    t : array_like, shape (T,)
        Times, finite, > 0 and increasing, at least two.
    simulated : mapping of str to SimulatedCircle
        One to four kinds of networks with their names, at these times; losses on the samples are drawn.
    target_exponent : float
        :math:`q_y` of the target; source :math:`\beta = q_y - 1/2`.
    samples, harmonics : int
        P and K of the simulation.
    bias : float
        Input bias b.
    figure : Figure, optional
        An empty figure to draw in; by default a new one that belongs to no window.

    Returns
    -------
    Figure
        A Matplotlib figure; ``figure.savefig(path)`` writes it. Left: losses, means over draws with bars of one standard error, and the
        kernel flow of an infinitely wide lazy network on the same samples and harmonics (``gid`` ``"flow"``; networks: their names).
        Right: slopes under the same names, with bars if there is more than one draw, and what the laws ``linear.time`` and
        ``feature_learning.time`` derive (the name of the law).

    Raises
    ------
    DomainError
        If times are not increasing, or the networks do not fit them, or `circle_flow` refuses an argument.

    Examples
    --------
    >>> from scalinglaws.verify.simulate.feature_learning import circle_network
    >>> task = {"target_exponent": 1.0, "samples": 128, "harmonics": 32}
    >>> network = circle_network([1, 10], neurons=200, richness=1e-3, **task)
    >>> [line.get_gid() for line in circle_slopes([1, 10], {"lazy": network}, **task).axes[1].get_lines()]
    ['flow', 'linear.time', 'feature_learning.time', 'lazy']
    """
    times = one_row("t", t, least=2, low=0, strict=True, increasing=True)
    instance("simulated", simulated, Mapping)
    if not 1 <= len(simulated) <= len(CASES):
        raise refusal(
            "simulated",
            list(simulated),
            f"has {len(simulated)} networks: give one to {len(CASES)}",
            shown=False,
        )
    for name, found in simulated.items():
        if (
            not isinstance(found, SimulatedCircle)
            or found.train_loss.ndim != 2
            or found.train_loss.shape[1] != times.size
        ):
            raise refusal(
                "simulated",
                found,
                f"simulated[{name!r}] must be a SimulatedCircle at the {times.size} times",
                named=False,
            )
    flow = circle_flow(
        times,
        activation_power=1,
        target_exponent=target_exponent,
        bias=bias,
        harmonics=harmonics,
        grid=samples,
    )
    figure = canvas(figure, (10.4, 4.2))
    left, right = figure.subplots(1, 2)
    middle = np.sqrt(times[1:] * times[:-1])
    left.plot(times, flow.train_loss, color=THEORY, lw=1.8, gid="flow", label="kernel flow")
    right.plot(
        middle, _slopes(times, np.asarray(flow.train_loss)), color=THEORY, lw=1.8, gid="flow"
    )
    values: dict[str, Any] = {"alpha": 2.0, "beta": target_exponent - 0.5}
    for name, kind, color in (
        ("linear.time", "lazy", RIVAL),
        ("feature_learning.time", "rich", LAW),
    ):
        exponent = float(theory.law(name)(**values))
        right.axhline(
            exponent,
            color=color,
            lw=1.5,
            ls="--",
            gid=name,
            label=f"derived, {kind}: ${exponent:.4g}$",
            zorder=1.9,
        )
    for (name, found), (color, marker) in zip(
        simulated.items(), (*CASES[1:], CASES[0]), strict=False
    ):
        loss = found.train_loss
        for axis, where, drawn in ((left, times, loss), (right, middle, _slopes(times, loss))):
            error = drawn.std(axis=0, ddof=1) / np.sqrt(len(drawn)) if len(drawn) > 1 else None
            look = {
                "fmt": marker + "-",
                "color": color,
                "ms": 4.5,
                "lw": 0.8,
                "capsize": 2,
                "zorder": 3,
            }
            axis.errorbar(where, drawn.mean(axis=0), error, label=name, **look)[0].set_gid(name)
    left.set(xscale="log", yscale="log", xlabel="time t", ylabel="loss")
    left.set_title(
        rf"$\beta={values['beta']:.4g}$,  {harmonics} harmonics", loc="left", fontsize=11
    )
    left.legend(frameon=False, fontsize=9)
    right.set(xscale="log", xlabel="time t", ylabel=r"local slope $-\Delta\log L\,/\,\Delta\log t$")
    handles, labels = right.get_legend_handles_labels()
    right.legend(
        handles[:2],
        labels[:2],
        frameon=False,
        fontsize=9,
        ncols=2,
        loc="lower right",
        bbox_to_anchor=(1.0, 1.0),
        borderaxespad=0.2,
    )
    bare(left, right)
    return figure


def _slopes(times: Array, loss: Array) -> Array:
    """Return local slopes between neighboring times, along the last axis."""
    return -np.diff(np.log(loss), axis=-1) / np.diff(np.log(times))
