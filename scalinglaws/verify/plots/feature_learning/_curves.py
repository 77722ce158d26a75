"""Pictures of training: how the loss falls, and how the kernel grows."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .... import theory
from ....arguments import floats, number, one_row
from ....errors import refusal
from ....formatting import latex
from ....solvers.feature_learning import crossover_time, gradient_flow, static_limit
from ....solvers.spectra import PowerLawSpectrum, Spectrum, one_spectrum
from ..style import CASES, LAW, RIVAL, THEORY, bare, canvas, explain

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Array = NDArray[np.float64]

STEP = 0.05  # of log t in a local exponent: an error of STEP**2/6 times a third derivative
LAZY, RICH = "linear.time", "feature_learning.time"
DOUBLED = 2.0  # scale of the kernel at the crossover
MARK = "#555555"
FEW = 20.0  # largest scale at which plain numbers are easier to read than powers of ten
LOGARITHMS_FROM = 10.0  # time from which 1/log t is drawn as a correction


@dataclass(frozen=True)
class _Case:
    """A quantity along one flow, its local exponent, and the quantity where the kernel has doubled."""

    richness: float
    label: str
    color: str
    values: Array
    slopes: Array
    crossover: tuple[float, float] | None


def loss_curves(
    spectrum: Spectrum,
    t: ArrayLike,
    *,
    richness: ArrayLike = (0.0, 1.0),
    features: float = math.inf,
    samples: float = math.inf,
    figure: Figure | None = None,
) -> Figure:
    r"""Draw the test loss of lazy and rich networks against time, and beside it the local exponents with the derived ones.

    The local exponent is :math:`-d\log E/d\log t` of the solver's loss; derived are :math:`\beta` for the lazy network and
    :math:`\beta\max(1, 2/(1+\beta))` for any richness above zero, before features or samples run out.

    Parameters
    ----------
    spectrum : PowerLawSpectrum or EmpiricalSpectrum
        Eigenvalues and signal powers.
    t : array_like, shape (T,)
        Times, finite, > 0 and increasing, at least three.
    richness : array_like, shape (n,)
        One to four different :math:`\gamma \ge 0`, a curve each; 0 is the lazy network.
    features, samples : float
        N and P, as for `scalinglaws.solvers.feature_learning.gradient_flow`.
    figure : Figure, optional
        An empty figure to draw in; by default a new one that belongs to no window.

    Returns
    -------
    Figure
        A Matplotlib figure; ``figure.savefig(path)`` writes it. Left: one curve per richness (``gid`` ``"loss"`` and the
        richness), a dot where the kernel has doubled (``"crossover"``, unlimited features and samples only), dotted the end
        of training if it is finite and above zero (``"limit"``). Right: local exponents (``"exponent"`` and the richness), and dashed
        what the laws ``linear.time`` and ``feature_learning.time`` derive (the name of the law), where the spectrum is a
        power law. On the boundary :math:`\beta = 1` the derived line has the correction of the logarithm in it.

    Raises
    ------
    DomainError
        If an argument is out of range.

    Notes
    -----
    Costs one `gradient_flow` per richness, about 20 ms each.

    Examples
    --------
    >>> figure = loss_curves(PowerLawSpectrum(1.5, 0.5), [1, 1e3, 1e6])
    >>> [text.get_text() for text in figure.axes[0].get_legend().get_texts()]
    ['lazy', 'rich, $\\gamma = 1$', 'kernel doubled']
    """
    one_spectrum(spectrum)
    times, cases = _cases(spectrum, t, richness, features, samples, "test_loss", -1)
    figure, left, right = _panels(figure)
    _draw(left, right, times, cases, ("loss", "exponent"))
    level = float(static_limit(spectrum, features=features, samples=samples).test_loss)
    if 0 < level < math.inf:
        left.axhline(level, color=RIVAL, lw=1.2, ls=":", gid="limit", label="end of training")
    for name in (LAZY, RICH):
        if isinstance(spectrum, PowerLawSpectrum) and any(
            (case.richness == 0) == (name == LAZY) for case in cases
        ):
            kind, color = ("lazy", RIVAL) if name == LAZY else ("rich", LAW)
            _derived(right, times, *_leading(name, spectrum), name, color, kind)
    left.set(xscale="log", yscale="log", xlabel="time t", ylabel="test loss")
    right.set(xscale="log", xlabel="time t", ylabel=r"local exponent $-d\,\log E\,/\,d\,\log t$")
    _finish(left, right, spectrum)
    levels = [
        np.asarray(line.get_ydata()) for line in right.get_lines() if line.get_gid() in (LAZY, RICH)
    ]
    if len(levels) == 2 and np.array_equal(levels[0], levels[1]):
        explain(figure, ["derived: the same exponent for lazy and for rich networks, one line"])
    return figure


def kernel_scale(
    spectrum: Spectrum,
    t: ArrayLike,
    *,
    richness: ArrayLike = (1.0,),
    features: float = math.inf,
    samples: float = math.inf,
    figure: Figure | None = None,
) -> Figure:
    r"""Draw how the kernel of rich networks grows in time, and beside it the local exponents with the derived one.

    Parameters
    ----------
    spectrum : PowerLawSpectrum or EmpiricalSpectrum
        Eigenvalues and signal powers.
    t : array_like, shape (T,)
        Times, finite, > 0 and increasing, at least three.
    richness : array_like, shape (n,)
        One to four different :math:`\gamma > 0`, a curve each.
    features, samples : float
        N and P, as for `scalinglaws.solvers.feature_learning.gradient_flow`.
    figure : Figure, optional
        An empty figure to draw in; by default a new one that belongs to no window.

    Returns
    -------
    Figure
        A Matplotlib figure; ``figure.savefig(path)`` writes it. Left: the scale s, one curve per richness (``gid`` ``"scale"``
        and the richness), a dot where it is 2 (``"crossover"``, unlimited features and samples only). Right: local exponents
        (``"exponent"`` and the richness), and dashed what follows from the law ``feature_learning.time`` (its name) where the
        spectrum is a power law: a loss :math:`t^{-\chi}` instead of :math:`\tau^{-\beta}` is a warped time
        :math:`\tau\sim t^{\chi/\beta}` and a scale :math:`s = d\tau/dt \sim t^{\chi/\beta - 1}`.

    Raises
    ------
    DomainError
        If an argument is out of range.

    Notes
    -----
    Costs one `gradient_flow` per richness, about 20 ms each.

    Examples
    --------
    >>> figure = kernel_scale(PowerLawSpectrum(1.5, 0.5), [1e2, 1e4, 1e6])
    >>> [line.get_gid() for line in figure.axes[1].get_lines()]
    ['exponent 1', 'feature_learning.time', 'zero']
    """
    one_spectrum(spectrum)
    from matplotlib.ticker import LogFormatter

    times, cases = _cases(spectrum, t, richness, features, samples, "scale", 1)
    if any(case.richness == 0 for case in cases):
        raise refusal("richness", richness, "leaves the kernel as it is: give values > 0")
    figure, left, right = _panels(figure)
    _draw(left, right, times, cases, ("scale", "exponent"))
    left.axhline(1.0, color=RIVAL, lw=1, ls=":", gid="start", label="lazy: $s = 1$")
    if isinstance(spectrum, PowerLawSpectrum):
        exponent, log_power = _leading(RICH, spectrum)
        ratio = float(spectrum.beta)
        _derived(right, times, 1 - exponent / ratio, -log_power / ratio, RICH, LAW, "", -1)
    left.set(xscale="log", yscale="log", xlabel="time t", ylabel="scale of the kernel s")
    if max(float(np.max(case.values)) for case in cases) < FEW:
        left.yaxis.set_major_formatter(LogFormatter())
        left.yaxis.set_minor_formatter(LogFormatter())
    right.set(xscale="log", xlabel="time t", ylabel=r"local exponent $d\,\log s\,/\,d\,\log t$")
    _finish(left, right, spectrum)
    return figure


def _cases(
    spectrum: Spectrum,
    t: ArrayLike,
    richness: ArrayLike,
    features: float,
    samples: float,
    field: str,
    sign: int,
) -> tuple[Array, list[_Case]]:
    """Check what is given, and solve."""
    times = one_row("t", t, least=3, low=0, strict=True, increasing=True)
    for name, size in (("features", features), ("samples", samples)):
        number(name, size, infinite=True)
    gammas = np.atleast_1d(floats("richness", richness))
    if (
        gammas.ndim != 1
        or not 1 <= gammas.size <= len(CASES)
        or np.unique(gammas).size < gammas.size
    ):
        raise refusal("richness", richness, f"must be one to {len(CASES)} different values")
    around = times * np.exp(STEP * np.array([[-1.0], [0.0], [1.0]]))
    free = math.isinf(features) and math.isinf(samples)
    found = []
    colors = [
        color for color, _ in (*CASES[1:], CASES[0])
    ]  # the first one is for the lazy network, where there is one
    for gamma in gammas.tolist():
        color = CASES[0][0] if gamma == 0 else colors.pop(0)
        flow = gradient_flow(around, spectrum, richness=gamma, features=features, samples=samples)
        before, values, after = np.asarray(getattr(flow, field))
        slopes = sign * np.log(after / before) / (2 * STEP)
        when = (
            float(crossover_time(spectrum, richness=gamma, scale=DOUBLED))
            if free and gamma > 0
            else math.inf
        )
        doubled = None
        if times[0] <= when <= times[-1]:
            doubled = when, float(getattr(gradient_flow(when, spectrum, richness=gamma), field))
        label = "lazy" if gamma == 0 else rf"rich, $\gamma = {latex(gamma)}$"
        found.append(_Case(gamma, label, color, values, slopes, doubled))
    return times, found


def _panels(figure: Figure | None) -> tuple[Figure, Axes, Axes]:
    figure = canvas(figure, (10.4, 4.2))
    left, right = figure.subplots(1, 2, width_ratios=(1.15, 1))
    return figure, left, right


def _draw(
    left: Axes, right: Axes, times: Array, cases: list[_Case], names: tuple[str, str]
) -> None:
    for case in cases:
        left.plot(
            times,
            case.values,
            color=case.color,
            lw=1.8,
            gid=f"{names[0]} {case.richness:g}",
            label=case.label,
        )
        right.plot(
            times, case.slopes, color=case.color, lw=1.8, gid=f"{names[1]} {case.richness:g}"
        )
    points = [(case.color, case.crossover) for case in cases if case.crossover is not None]
    for color, (when, value) in points:
        left.plot(
            when, value, "o", color=color, mec="white", ms=7, gid="crossover", label="_", zorder=4
        )
    if points:
        neutral = points[0][0] if len(points) == 1 else MARK
        left.plot([], [], "o", color=neutral, mec="white", ms=7, label="kernel doubled")


def _leading(name: str, spectrum: PowerLawSpectrum) -> tuple[float, float]:
    """Return exponent and power of the logarithm of a law."""
    law = theory.law(name)
    values: dict[str, Any] = {"alpha": spectrum.alpha, "beta": spectrum.beta}
    return float(law(**values)), float(law.log_power(**values))


def _derived(
    axis: Axes,
    times: Array,
    exponent: float,
    log_power: float,
    name: str,
    color: str,
    kind: str,
    sign: int = 1,
) -> None:
    """Draw the local exponent of t^-exponent log(t)^log_power, up to a sign."""
    value = f"{sign * exponent + 0.0:.4g}"
    if log_power:
        times = times[times >= LOGARITHMS_FROM]
        joined = f"{value} {'-' if sign * log_power > 0 else '+'} " if exponent else ""
        value = f"{joined}{abs(log_power):.3g}/\\log t"
    label = f"derived{', ' if kind else ''}{kind}: ${value}$"
    curve = (
        sign * (exponent - log_power / np.log(times))
        if log_power
        else np.full(times.shape, sign * exponent)
    )
    dashes = (0 if name == LAZY else 4, (4, 4))  # the gaps of one are the dashes of the other
    axis.plot(times, curve, color=color, lw=1.4, ls=dashes, gid=name, label=label, zorder=2.5)


def _finish(left: Axes, right: Axes, spectrum: Spectrum) -> None:
    if isinstance(spectrum, PowerLawSpectrum):
        left.set_title(
            rf"$\alpha={float(spectrum.alpha):g}$,  $\beta={float(spectrum.beta):g}$",
            loc="left",
            fontsize=11,
        )
    left.legend(frameon=False, fontsize=9)
    if right.get_legend_handles_labels()[1]:
        # above the panel: its lines may be anywhere
        right.legend(
            frameon=False,
            fontsize=9,
            ncols=2,
            loc="lower right",
            bbox_to_anchor=(1.0, 1.0),
            borderaxespad=0.2,
        )
    right.axhline(0.0, color=THEORY, lw=0.8, alpha=0.4, gid="zero", zorder=1)
    bare(left, right)
