"""Losses against compute for several methods, over all sizes of a model."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ....arguments import number, one_row
from ....errors import refusal
from ....formatting import typeset
from ....solvers.schedules import DANA, SGD, HeavyBall, Nesterov, Schedule, train
from ....solvers.spectra import Spectrum, one_spectrum
from ..style import CASES, bare, canvas, logarithmic

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Array = NDArray[np.float64]
Method = SGD | HeavyBall | Nesterov | DANA
MakesMethod = Callable[[float], Method]

_KINDS = (SGD, HeavyBall, Nesterov, DANA)
_PER_DECADE = 12  # points of a frontier
_LAST = 10.0  # compute over which a slope is measured: the last decade


def compute_frontiers(
    spectrum: Spectrum,
    methods: Mapping[str, Method | MakesMethod],
    *,
    features: ArrayLike,
    steps: float,
    rate: float,
    batch: float = 1.0,
    noise_variance: float = 0.0,
    exponents: Mapping[str, float] | None = None,
    figure: Figure | None = None,
) -> Figure:
    r"""Draw the least loss of every compute :math:`C = N t`, for methods at a constant rate, and the curves of all sizes N below it.

    Parameters
    ----------
    spectrum : PowerLawSpectrum or EmpiricalSpectrum
        Eigenvalues and signal powers.
    methods : mapping of str to SGD, HeavyBall, Nesterov, DANA or callable
        Up to four methods by name; a callable takes N and returns one, as `DANA.constant`.
    features : array_like, shape (K,)
        Sizes N of the curves, increasing, at least two.
    steps : float
        Steps of each curve. A frontier is drawn where neither the smallest nor the largest size is the best.
    rate : float
        Learning rate, constant.
    batch : float
        B >= 1.
    noise_variance : float
        :math:`\sigma^2 \ge 0`.
    exponents : mapping of str to float, optional
        Exponents g, by the name of a method: a line :math:`C^{-g}` is drawn through the end of its frontier.
    figure : Figure, optional
        An empty figure to draw in; by default a new one that belongs to no window.

    Returns
    -------
    Figure
        A Matplotlib figure; ``figure.savefig(path)`` writes it. Frontiers carry the names of their methods as ``gid``, the curves
        of sizes ``"size"``, lines of exponents ``"exponent"``. The key says the slope over the last decade of compute.

    Raises
    ------
    DomainError
        If an argument is out of range, there are no methods or more than four, or a run is unstable.

    Notes
    -----
    One run of `scalinglaws.solvers.schedules.train` for each method and size.

    Examples
    --------
    >>> from scalinglaws.solvers import PowerLawSpectrum
    >>> task = PowerLawSpectrum.from_ab(2, 1.5)
    >>> figure = compute_frontiers(task, {"SGD": SGD()}, features=[10, 20, 40], steps=1000, rate=0.1)
    >>> [line.get_gid() for line in figure.axes[0].get_lines()]
    ['size', 'size', 'size', 'SGD']
    """
    one_spectrum(spectrum, methods=methods)
    if not isinstance(methods, Mapping) or not 1 <= len(methods) <= len(CASES):
        raise refusal(
            "methods", methods, f"must be a mapping of 1 to {len(CASES)} methods", shown=False
        )
    sizes = one_row("features", features, least=2, low=1.0, increasing=True)
    schedule = Schedule.constant(rate, int(number("steps", steps, low=2.0, high=1e15)))
    known = dict(exponents or {})
    figure = canvas(figure, (7.6, 4.8))
    axes = figure.subplots()
    for (name, method), (color, _) in zip(methods.items(), CASES, strict=False):
        curves = []
        for size in sizes.tolist():
            chosen = _method(name, method, size)
            found = train(
                schedule,
                spectrum,
                features=size,
                batch=batch,
                noise_variance=noise_variance,
                method=chosen,
            )
            after = np.asarray(found.steps) > 0
            compute, losses = (
                size * np.asarray(found.steps)[after],
                np.asarray(found.test_loss)[after],
            )
            axes.plot(compute, losses, color=color, lw=0.7, alpha=0.35, gid="size")
            curves.append((compute, losses))
        compute, least = _frontier(curves)
        slope = _slope(compute, least)
        label = f"{name}: slope {typeset(slope, 3)}"
        if name in known:
            g = number(f"exponents[{name!r}]", known[name], low=0.0)
            label += f", derived {typeset(-g, 3)}"
            along = np.geomspace(compute[-1] / 1e3, compute[-1], 17)
            line = 0.8 * least[-1] * (along / compute[-1]) ** -g
            axes.plot(along, line, color=color, lw=1, ls="--", gid="exponent")
        axes.plot(compute, least, color=color, lw=2.4, gid=name, label=label)
    axes.set(xscale="log", yscale="log", xlabel="compute N t", ylabel="test loss")
    logarithmic(axes.xaxis)
    logarithmic(axes.yaxis)
    axes.legend(frameon=False, fontsize=9)
    bare(axes)
    return figure


def _method(name: str, given: Method | MakesMethod, size: float) -> Method:
    """Return the method of a size."""
    made = given if isinstance(given, _KINDS) or not callable(given) else given(size)
    if not isinstance(made, _KINDS):
        raise refusal("methods", made, f"has {name!r}, which is no method", shown=False)
    return made


def _frontier(curves: list[tuple[Array, Array]]) -> tuple[Array, Array]:
    """Return the least loss where neither the smallest nor the largest size has it."""
    low, high = curves[0][0][0], curves[-1][0][-1]
    count = max(2, math.ceil(_PER_DECADE * math.log10(high / low)) + 1)
    compute = np.geomspace(low, high, count)
    # training that has ended is no worse later
    losses = np.array(
        [
            np.exp(np.interp(np.log(compute), np.log(at), np.log(values), left=math.inf))
            for at, values in curves
        ]
    )
    best = np.argmin(losses, axis=0)
    inside = (best > 0) & (best < len(curves) - 1)
    if np.sum(inside) < 2:
        raise refusal(
            "features", len(curves), "must reach farther: no size between is the best", shown=False
        )
    return compute[inside], losses[best, np.arange(count)][inside]


def _slope(compute: Array, losses: Array) -> float:
    """Return the slope over the last decade."""
    last = compute >= compute[-1] / (1.001 * _LAST)
    return float(np.polyfit(np.log(compute[last]), np.log(losses[last]), 1)[0])
