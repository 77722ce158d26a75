"""Pictures of training: losses against time, from solvers and simulations."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ....arguments import floats, number
from ....errors import refusal
from ....solvers.linear import GradientDescentSolution, GradientFlowSolution, OnlineSGDSolution
from ...simulate.linear import SimulatedLosses
from ..style import CASES, THEORY, band, bare, canvas

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Array = NDArray[np.float64]
Solution = GradientFlowSolution | GradientDescentSolution | OnlineSGDSolution

CLOCKS = {
    GradientFlowSolution: ("t", "time t"),
    GradientDescentSolution: ("steps", "steps"),
    OnlineSGDSolution: ("steps", "steps"),
}
RESULTS = (
    *("test_loss", "train_loss", "test_error", "train_error", "diagnostics"),
    *("langevin_test", "langevin_train"),
)
NAMES = {"test_loss": "test loss", "train_loss": "train loss"}
TRAIN = "#e09f3e"  # where a single case leaves a color for it
APART = 1.035  # factor by which marks that would hide each other in the lower panel are moved aside


@dataclass(frozen=True)
class _Case:
    """One training run, and the draws that simulate it."""

    label: str
    clock: str
    time: Array
    losses: dict[str, Array]
    shown: dict[str, NDArray[np.bool_]]
    place: NDArray[np.int_]
    simulated: dict[str, Array]


def loss_curves(
    solution: Solution | Mapping[str, Solution],
    *,
    simulated: SimulatedLosses | Mapping[str, SimulatedLosses] | None = None,
    at: ArrayLike | None = None,
    tolerance: float = 0.05,
    figure: Figure | None = None,
) -> Figure:
    r"""Draw test and train loss along training, with the means of simulated draws and their relative deviations below.

    Parameters
    ----------
    solution : GradientFlowSolution, GradientDescentSolution or OnlineSGDSolution, or a mapping of str to up to four such
        One training run, or several with their names. Each holds one row of times; the other inputs are single numbers.
    simulated : SimulatedLosses, or a mapping with the same names, optional
        At least two draws of the same runs; in a mapping some may be missing. A simulation of `online_sgd` has the test loss
        compared alone: its train loss is the test loss plus the noise.
    at : array_like, shape (T,), optional
        Times at which was simulated, among those of the solutions; by default all of them.
    tolerance : float
        Half-width of the band in the lower panel, relative, > 0.
    figure : Figure, optional
        An empty figure to draw in; by default a new one that belongs to no window.

    Returns
    -------
    Figure
        A Matplotlib figure; ``figure.savefig(path)`` writes it. Lines are the solver's losses; marks are means over draws, with
        bars of one standard error. Lines and marks carry ``"test loss"`` or ``"train loss"``, after the name of the run if
        there is one, as ``gid``; those of simulations end in ``", simulated"``. Time 0 has no place on the logarithmic axis and
        is left out, and so are losses that do not exceed their own estimated errors; an infinite time is a dotted level.

    Raises
    ------
    DomainError
        If a solution is of another kind or holds several runs, more than four are given, flows are mixed with steps, the draws
        do not fit the times, or the tolerance is not positive.

    Examples
    --------
    >>> from scalinglaws.solvers import PowerLawSpectrum
    >>> from scalinglaws.solvers.linear import gradient_flow
    >>> figure = loss_curves(gradient_flow([0, 1, 10, 100], PowerLawSpectrum(1.5, 1.0), samples=50))
    >>> [line.get_gid() for line in figure.axes[0].get_lines()]
    ['test loss', 'train loss']
    """
    tolerance = number("tolerance", tolerance, low=0, strict=True)
    cases = _cases(solution, simulated, at)
    compared = any(case.simulated for case in cases)
    figure = canvas(figure, (7, 5.6 if compared else 4.2))
    if compared:
        upper, lower = figure.subplots(2, 1, sharex=True, height_ratios=(3, 1))
    else:
        upper, lower = figure.subplots(), None
    for i, case in enumerate(cases):
        _draw(case, upper, lower, _looks(i, len(cases)), i - (len(cases) - 1) / 2)
    upper.set(xscale="log", yscale="log", ylabel="loss" if _kinds(cases) > 1 else "test loss")
    (lower or upper).set_xlabel(cases[0].clock)
    bare(upper)
    if lower is not None:
        band(lower, tolerance)
        widest = max(
            np.max(np.abs(_deviation(case, name)[0]) + _deviation(case, name)[1])
            for case in cases
            for name in case.simulated
        )
        half = max(2.2 * tolerance, 1.15 * float(widest))
        lower.set(ylabel="simulation /\nsolver $-$ 1", ylim=(-half, half))
        bare(lower)
    _legend(upper, cases)
    return figure


def _cases(solution: Any, simulated: Any, at: Any) -> list[_Case]:
    """Check what is given, and bring it together."""
    named = solution if isinstance(solution, Mapping) else {"": solution}
    if not 1 <= len(named) <= len(CASES):
        raise refusal(
            "solution", list(named), f"has {len(named)} runs: give one to {len(CASES)}", shown=False
        )
    draws = (
        simulated
        if isinstance(simulated, Mapping)
        else {}
        if simulated is None
        else {"": simulated}
    )
    unknown = [name for name in draws if name not in named]
    if unknown or (
        isinstance(solution, Mapping) != isinstance(simulated, Mapping) and simulated is not None
    ):
        wanted = (
            f"have the names of solution, {', '.join(map(repr, named))}"
            if isinstance(solution, Mapping)
            else "be one SimulatedLosses, as solution is one run"
        )
        raise refusal("simulated", unknown or simulated, f"must {wanted}", shown=False)
    if at is not None and not draws:
        raise refusal("at", at, "tells when was simulated: give simulated too", shown=False)
    found = [_case(str(name), run, draws.get(name), at) for name, run in named.items()]
    if len({case.clock for case in found}) > 1:
        raise refusal(
            "solution",
            list(named),
            "mixes a flow, which has a time, with runs that have steps",
            shown=False,
        )
    return found


def _case(label: str, run: Any, draws: Any, at: Any) -> _Case:
    if type(run) not in CLOCKS:
        kinds = ", ".join(kind.__name__ for kind in CLOCKS)
        raise refusal(
            "solution", run, f"has a {type(run).__name__}: it must be one of {kinds}", shown=False
        )
    clock, axis = CLOCKS[type(run)]
    time = np.asarray(getattr(run, clock), dtype=float)
    if time.ndim != 1 or time.size < 2:
        raise refusal(
            "solution",
            time.shape,
            f"must have one row of at least two {clock}; got shape {time.shape}",
            shown=False,
        )
    for field in fields(run):
        if field.name not in (clock, *RESULTS) and np.any(
            np.asarray(getattr(run, field.name)) != np.ravel(getattr(run, field.name))[0]
        ):
            raise refusal(
                "solution",
                field.name,
                f"has several values of {field.name}: give one run per name, in a mapping",
                shown=False,
            )
    losses = {name: np.asarray(getattr(run, name)) for name in NAMES if hasattr(run, name)}
    shown = {
        name: np.isfinite(values) & (values > getattr(run, name.replace("loss", "error")))
        for name, values in losses.items()
    }
    if draws is None:
        return _Case(label, axis, time, losses, shown, np.empty(0, dtype=int), {})
    if not isinstance(draws, SimulatedLosses):
        raise refusal(
            "simulated",
            draws,
            f"has a {type(draws).__name__}: it must be SimulatedLosses",
            shown=False,
        )
    when = time if at is None else np.atleast_1d(floats("at", at))
    place = np.searchsorted(time, when).clip(max=time.size - 1)
    if when.ndim != 1 or np.any(time[place] != when):
        raise refusal("at", at, "must be times that the solution has too", shown=False)
    chosen = {name: np.asarray(getattr(draws, name)) for name in losses}
    for name, values in chosen.items():
        if values.ndim != 2 or values.shape[0] < 2 or values.shape[1] != when.size:
            raise refusal(
                "simulated",
                values.shape,
                f"simulated.{name} must hold at least two draws of {when.size} times, shape (draws, "
                f"{when.size}); got {values.shape}",
                named=False,
            )
    return _Case(label, axis, time, losses, shown, place, chosen)


def _kinds(cases: list[_Case]) -> int:
    return len({name for case in cases for name in case.losses})


def _looks(number: int, count: int) -> dict[str, tuple[str, str, str, bool]]:
    """Return color, line style, marker and whether it is filled, of test and train."""
    if count == 1:
        return {"test_loss": (THEORY, "-", "o", True), "train_loss": (TRAIN, "-", "s", True)}
    color, marker = CASES[number]
    return {"test_loss": (color, "-", marker, True), "train_loss": (color, "--", marker, False)}


def _statistics(case: _Case, name: str) -> tuple[Array, Array]:
    """Return mean and standard error over draws."""
    values = case.simulated[name]
    return values.mean(axis=0), values.std(axis=0, ddof=1) / np.sqrt(values.shape[0])


def _deviation(case: _Case, name: str) -> tuple[Array, Array]:
    """Return the relative deviation of the mean from the solver, and its standard error."""
    (mean, error), expected = _statistics(case, name), case.losses[name][case.place]
    good = case.shown[name][case.place]
    safe = np.where(good, expected, 1.0)
    return np.where(good, mean / safe - 1, 0.0), np.where(good, error / safe, 0.0)


def _draw(
    case: _Case,
    upper: Axes,
    lower: Axes | None,
    looks: dict[str, tuple[str, str, str, bool]],
    place: float,
) -> None:
    prefix = f"{case.label}, " if case.label else ""
    for name, losses in case.losses.items():
        color, style, marker, filled = looks[name]
        shown = (case.time > 0) & np.isfinite(case.time) & case.shown[name]
        upper.plot(
            case.time[shown], losses[shown], style, color=color, lw=1.8, gid=prefix + NAMES[name]
        )
        for level in losses[np.isinf(case.time) & case.shown[name]][:1]:
            upper.axhline(level, color=color, lw=1, ls=":", gid=f"{prefix}{NAMES[name]}, limit")
        if name not in case.simulated:
            continue
        mean, error = _statistics(case, name)
        when = case.time[case.place]
        good = (when > 0) & np.isfinite(when) & (mean > 0)
        look: dict[str, Any] = {
            "fmt": marker,
            "color": color,
            "mfc": color if filled else "white",
            "ms": 4.5,
            "capsize": 2,
            "zorder": 3,
        }
        gid = f"{prefix}{NAMES[name]}, simulated"
        upper.errorbar(when[good], mean[good], error[good], **look)[0].set_gid(gid)
        if lower is not None:
            off, spread = _deviation(case, name)
            aside = when * APART ** (
                2 * place * len(case.simulated)
                + ((-1, 1)[name == "train_loss"] if len(case.simulated) > 1 else 0)
            )
            good &= case.shown[name][case.place]
            lower.errorbar(aside[good], off[good], spread[good], **look)[0].set_gid(gid)


def _legend(axis: Axes, cases: list[_Case]) -> None:
    """Name colors, styles and marks once each."""
    from matplotlib.lines import Line2D

    gray, handles = "#555555", []
    looks = [_looks(number, len(cases)) for number in range(len(cases))]
    if len(cases) == 1:
        handles = [
            Line2D([], [], color=looks[0][name][0], lw=1.8, label=NAMES[name])
            for name in cases[0].losses
        ]
    else:
        handles = [
            Line2D([], [], color=look["test_loss"][0], lw=1.8, label=case.label)
            for case, look in zip(cases, looks, strict=True)
        ]
        if _kinds(cases) > 1:
            handles += [
                Line2D([], [], color=gray, lw=1.8, ls=ls, label=label)
                for label, ls in (("test", "-"), ("train", "--"))
            ]
    if any(np.isinf(case.time).any() for case in cases):
        handles.append(Line2D([], [], color=gray, lw=1, ls=":", label="end of training"))
    draws = sorted({values.shape[0] for case in cases for values in case.simulated.values()})
    if draws:
        many = f"{draws[0]}" if len(draws) == 1 else f"{draws[0]} to {draws[-1]}"
        handles.append(
            Line2D(
                [],
                [],
                color=gray,
                ls="",
                marker="o",
                ms=4.5,
                label=f"simulation: mean ± s.e. of {many} draws",
            )
        )
    axis.legend(handles=handles, frameon=False, fontsize=9)
