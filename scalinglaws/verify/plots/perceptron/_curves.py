"""Error against norm and against samples."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .... import theory
from ....arguments import instance, one_row
from ....errors import refusal
from ....solvers import perceptron as solve
from ....theory.formula import Law
from ...simulate.perceptron import SimulatedPerceptrons
from ..style import LAW, RIVAL, SIMULATION, THEORY, bare, canvas

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Array = NDArray[np.float64]

_POINTS = 200
_MOST = 12

SIMULATED = "simulation"
"""What a key calls simulated points."""


def error_curves(
    alpha: ArrayLike = (1, 10, 100, 1e3, 1e4),
    *,
    limits: tuple[float, float] = (1e-2, 1e6),
    simulated: Mapping[float, SimulatedPerceptrons] | None = None,
    figure: Figure | None = None,
) -> Figure:
    r"""Draw errors against the norm for many numbers of samples, with their envelope and their elbows.

    Parameters
    ----------
    alpha : array_like, shape (A,)
        Samples per input, increasing, up to twelve.
    limits : tuple of float
        First and last norm, between 1e-12 and 1e20.
    simulated : mapping of float to SimulatedPerceptrons, optional
        Simulations by their alpha, which must be among those drawn, of at least two draws.
    figure : Figure, optional
        An empty figure to draw in; by default a new one that belongs to no window.

    Returns
    -------
    Figure
        A Matplotlib figure; ``figure.savefig(path)`` writes it. Lines carry ``"error A"`` with their alpha as ``gid``, the least errors
        ``"envelope"``, the places where the early power law would reach them ``"elbows"``, the power law itself ``"law A"``, and
        simulations ``"simulation A"``.

    Raises
    ------
    DomainError
        If an argument is out of range, or a simulation does not belong to the picture.

    Examples
    --------
    >>> figure = error_curves([1, 100])
    >>> [line.get_gid() for line in figure.axes[0].get_lines()][:2]
    ['error 1', 'law 1']
    """
    given = _alphas(alpha)
    low, high = one_row("limits", limits, least=2, low=0.0, strict=True, increasing=True)[[0, -1]]
    norm = np.geomspace(low, high, _POINTS)
    best = solve.optimal_norm(given)
    figure = canvas(figure, (7.6, 5.0))
    axis = figure.subplots()
    errors = np.asarray(solve.surface(given, norm).error)
    early = theory.law("perceptron.gamma1")
    k1, gamma1 = _constant(early), float(early())
    zero = np.asarray(solve.hebb(given).error)
    elbow = (k1 * zero / np.asarray(best.error)) ** (1 / gamma1)
    color = _shades(given.size)
    for i, each in enumerate(given):
        name = f"{each:g}"
        axis.plot(norm, errors[i], color=color[i], lw=1.6, gid=f"error {name}")
        power = np.array([k1**2, elbow[i]])
        if elbow[i] > power[0]:
            height = k1 * zero[i] * power**-gamma1
            axis.plot(power, height, "--", color=RIVAL, lw=1, zorder=1, gid=f"law {name}")
        axis.annotate(
            rf"$\alpha = {_plain(each)}$",
            (norm[0], errors[i, 0]),
            (3, 4),
            textcoords="offset points",
            fontsize=9,
            color=color[i],
        )
    many = np.geomspace(given[0], given[-1], 60) if given.size > 1 else given
    envelope = solve.optimal_norm(many)
    axis.plot(envelope.norm, envelope.error, color=LAW, lw=1.4, gid="envelope", label="least error")
    axis.plot(best.norm, best.error, "o", color=LAW, ms=4)
    known = elbow > k1**2
    axis.plot(
        elbow[known],
        np.asarray(best.error)[known],
        "d",
        color=RIVAL,
        mfc="white",
        ms=6,
        gid="elbows",
        label="elbow: the early power law (dashed) meets it",
    )
    instance("simulated", simulated or {}, Mapping)
    for each, found in (simulated or {}).items():
        _simulation(axis, float(each), found, given)
    axis.set(
        xscale="log",
        yscale="log",
        xlabel=r"norm $\lambda$",
        ylabel=r"generalization error $\varepsilon$",
        xlim=(low, high),
    )
    axis.legend(frameon=False, fontsize=9, loc="lower left")
    bare(axis)
    return figure


def collapse(
    alpha: ArrayLike = (1, 3, 10, 100),
    *,
    simulated: Mapping[float, SimulatedPerceptrons] | None = None,
    figure: Figure | None = None,
) -> Figure:
    r"""Draw errors over the least against norms over the best, and the curve on which they fall together for many samples.

    Parameters
    ----------
    alpha : array_like, shape (A,)
        Samples per input, increasing, up to twelve.
    simulated : mapping of float to SimulatedPerceptrons, optional
        As in `error_curves`.
    figure : Figure, optional
        An empty figure to draw in; by default a new one that belongs to no window.

    Returns
    -------
    Figure
        Above the curves (``"error A"``, ``"master"``), below their relative distance from the master curve.

    Raises
    ------
    DomainError
        If an argument is out of range, or a simulation does not belong to the picture.

    Examples
    --------
    >>> figure = collapse([10, 100])
    >>> [line.get_gid() for line in figure.axes[0].get_lines()]
    ['error 10', 'error 100', 'master', 'law']
    """
    given = _alphas(alpha)
    figure = canvas(figure, (7.0, 5.6))
    upper, lower = figure.subplots(2, 1, sharex=True, height_ratios=(2.4, 1))
    x = np.geomspace(0.01, 100, 121)
    master = np.asarray(solve.master_curve(x).ratio)
    best = solve.optimal_norm(given)
    color = _shades(given.size)
    for i, each in enumerate(given):
        norm, least = np.asarray(best.norm)[i], np.asarray(best.error)[i]
        ratio = np.asarray(solve.fixed_norm(each, x * norm).error) / least
        label = rf"$\alpha = {_plain(each)}$"
        upper.plot(x, ratio, color=color[i], lw=1.4, gid=f"error {each:g}", label=label)
        lower.plot(x, ratio / master - 1, color=color[i], lw=1.4, gid=f"deviation {each:g}")
    upper.plot(
        x, master, color=LAW, lw=2.2, ls=(0, (4, 2)), gid="master", label=r"$\alpha \to \infty$"
    )
    early, combined = theory.law("perceptron.gamma1"), theory.law("perceptron.combined")
    power = _constant(early) / _constant(combined)
    power *= _constant(theory.law("perceptron.gamma2")) ** -float(early())
    shown = x < 1
    upper.plot(
        x[shown],
        power * x[shown] ** -float(early()),
        ":",
        color=RIVAL,
        lw=1.4,
        gid="law",
        label="early power law",
    )
    instance("simulated", simulated or {}, Mapping)
    for each, found in (simulated or {}).items():
        at = int(np.argmin(np.abs(given - float(each))))
        norm, least = np.asarray(best.norm)[at], np.asarray(best.error)[at]
        _simulation(upper, float(each), found, given, norm=norm, error=least)
    upper.set(xscale="log", yscale="log", ylabel=r"$\varepsilon / \varepsilon_{\rm opt}$")
    upper.set_yticks([0.5, 1, 2, 5], ["0.5", "1", "2", "5"])
    upper.minorticks_off()
    upper.legend(frameon=False, fontsize=9)
    lower.axhline(0, color=LAW, lw=1)
    lower.set(
        xlabel=r"$\lambda / \lambda_{\rm opt}$",
        ylabel="over the\nmaster curve $-$ 1",
        ylim=(-0.5, 0.1),
    )
    bare(upper, lower)
    return figure


def best_norm(alpha: ArrayLike | None = None, *, figure: Figure | None = None) -> Figure:
    r"""Draw the best norm against the number of samples, and the local exponent with which it grows.

    Parameters
    ----------
    alpha : array_like, shape (A,), optional
        Samples per input, increasing, from 1e-3 to 1e12; by default 61 from 1e-2 to 1e4.
    figure : Figure, optional
        An empty figure to draw in; by default a new one that belongs to no window.

    Returns
    -------
    Figure
        Left :math:`\lambda_{opt}` (``"best norm"``) with the law for many samples (``"law"``) and that for few (``"few"``); right the
        local slope (``"slope"``).

    Raises
    ------
    DomainError
        If a number of samples is out of range.

    Examples
    --------
    >>> figure = best_norm([0.1, 1, 10])
    >>> [line.get_gid() for line in figure.axes[0].get_lines()]
    ['few', 'law', 'best norm']
    """
    given = (
        np.geomspace(1e-2, 1e4, 61)
        if alpha is None
        else one_row("alpha", alpha, least=3, low=0.0, strict=True, increasing=True)
    )
    norm = np.asarray(solve.optimal_norm(given).norm)
    law = theory.law("perceptron.gamma2")
    figure = canvas(figure, (9.6, 4.0))
    left, right = figure.subplots(1, 2)
    few = float(norm[0] / np.sqrt(given[0]))
    small, large = given < 5, given > 0.2
    left.plot(
        given[small],
        few * np.sqrt(given[small]),
        ":",
        color=RIVAL,
        lw=1.4,
        gid="few",
        label=r"$\propto \sqrt{\alpha}$",
    )
    left.plot(
        given[large],
        _constant(law) * given[large],
        "--",
        color=LAW,
        lw=1.4,
        gid="law",
        label=rf"law: ${_constant(law):.4f}\,\alpha$",
    )
    left.plot(given, norm, color=THEORY, lw=1.8, gid="best norm", label=r"$\lambda_{\rm opt}$")
    left.set(
        xscale="log",
        yscale="log",
        xlabel=r"samples per input $\alpha$",
        ylabel=r"best norm $\lambda_{\rm opt}$",
    )
    left.legend(frameon=False, fontsize=9)
    slope = np.gradient(np.log(norm), np.log(given))
    right.axhline(float(law()), color=LAW, ls="--", lw=1)
    right.axhline(0.5, color=RIVAL, ls=":", lw=1)
    right.plot(given, slope, color=THEORY, lw=1.8, gid="slope")
    right.set(
        xscale="log",
        xlabel=r"samples per input $\alpha$",
        ylabel=r"local exponent of $\lambda_{\rm opt}$",
        ylim=(0.4, 1.1),
    )
    bare(left, right)
    return figure


def _constant(law: Law) -> float:
    assert law.constant is not None
    return float(law.constant)


def _alphas(alpha: ArrayLike) -> Array:
    given = one_row("alpha", alpha, low=0.0, strict=True, increasing=True)
    if given.size > _MOST:
        raise refusal("alpha", alpha, f"must be at most {_MOST} numbers to be told apart")
    return given


def _simulation(
    axis: Axes,
    alpha: float,
    found: SimulatedPerceptrons,
    drawn: Array,
    *,
    norm: float = 1.0,
    error: float = 1.0,
) -> None:
    """Draw means over draws with their standard errors, in units of a norm and an error."""
    if not np.any(np.isclose(drawn, alpha)):
        raise refusal("simulated", alpha, f"is none of the alpha that are drawn: {drawn}")
    if not isinstance(found, SimulatedPerceptrons) or found.error.shape[0] < 2:
        raise refusal(
            "simulated", alpha, "must hold SimulatedPerceptrons of two draws or more", shown=False
        )
    shown = found.norm > 0
    spread = found.error.std(axis=0, ddof=1) / np.sqrt(found.error.shape[0])
    axis.errorbar(
        found.norm[shown] / norm,
        found.error.mean(axis=0)[shown] / error,
        spread[shown] / error,
        fmt="o",
        color=SIMULATION,
        ms=4,
        lw=1,
        zorder=3,
        label=SIMULATED if SIMULATED not in _labels(axis) else None,
    ).lines[0].set_gid(f"simulation {alpha:g}")


def _labels(axis: Axes) -> list[str]:
    """Return what a key would name."""
    return axis.get_legend_handles_labels()[1]


def _shades(count: int) -> list[tuple[float, ...]]:
    """Return colors from light to dark."""
    from matplotlib import colormaps

    return [tuple(colormaps["Blues"](0.45 + 0.5 * i / max(count - 1, 1))) for i in range(count)]


def _plain(value: float) -> str:
    """Write a number for a formula."""
    power = round(float(np.log10(value)), 9)
    return f"10^{{{int(power)}}}" if power.is_integer() and abs(power) > 2 else f"{value:g}"
