"""Pictures of training in steps: the mean-field theory on simulated draws, and its matrices over pairs of steps."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ....arguments import floats, instance, number
from ....errors import refusal
from ....solvers.feature_learning import OnlineDMFTSolution, ReuseDMFTSolution
from ...simulate.feature_learning import SimulatedTraining
from ..style import CASES, THEORY, bare, canvas

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Array = NDArray[np.float64]
Solution = OnlineDMFTSolution | ReuseDMFTSolution

SOLVED = ("test_loss", "train_loss", "scale")
DRAWN = {"test_loss": "test_loss", "train_loss": "train_loss", "scale": "kernel_scale"}
WORDS = {"test_loss": "test loss", "train_loss": "train loss", "scale": "scale of the kernel s"}
MATRICES = {
    "error": "errors $C_0$",
    "gradient": "signals $C_2$",
    "weight": "readout weights $C_w$",
    "response": "response $U$",
}
MOST_CELLS = 400  # along a side of a heat map
STEADY = 0.99  # quantile of the response that sets its colors: its few largest entries would hide the others


@dataclass(frozen=True)
class _Run:
    """One training run, and the draws that simulate it."""

    label: str
    solution: Solution
    simulated: SimulatedTraining | None
    place: NDArray[np.int_]

    @property
    def fields(self) -> tuple[str, ...]:
        """Quantities that are drawn; online, the train loss says nothing that the test loss does not."""
        return SOLVED if isinstance(self.solution, ReuseDMFTSolution) else ("test_loss", "scale")

    def draws(self, field: str) -> Array:
        """Return simulated values, one row per draw."""
        return np.asarray(getattr(self.simulated, DRAWN[field]))


def dmft_curves(
    solution: Solution | Mapping[str, Solution],
    *,
    simulated: SimulatedTraining | Mapping[str, SimulatedTraining] | None = None,
    at: ArrayLike | None = None,
    coverage: float = 0.8,
    figure: Figure | None = None,
) -> Figure:
    r"""Draw losses and kernel scale of the mean-field theory in steps, on the bands and means of simulated draws.

    Parameters
    ----------
    solution : OnlineDMFTSolution or ReuseDMFTSolution, or a mapping of str to up to four such
        One run, or several with their names.
    simulated : SimulatedTraining, or a mapping with the same names, optional
        At least two draws of the same runs; in a mapping some may be missing.
    at : array_like of int, shape (n,), optional
        Steps at which was simulated; by default all of those of the solution.
    coverage : float
        Share of the draws within the bands, in (0, 1).
    figure : Figure, optional
        An empty figure to draw in; by default a new one that belongs to no window.

    Returns
    -------
    Figure
        A Matplotlib figure; ``figure.savefig(path)`` writes it. Left losses, right the scale s, below each the relative
        deviation of the simulated mean. Lines are the theory, shades hold the central share `coverage` of the draws, marks are means with
        bars of one standard error. Lines carry ``"test loss"``, ``"train loss"`` (reuse only) or ``"scale"`` as ``gid``, after the name of
        the run if there is one; marks the same with ``", simulated"``. Step 0 has no place on the logarithmic axis and is left out.

    Raises
    ------
    DomainError
        If a solution is of another kind or has no step, more than four are given, the draws do not fit the steps, or the
        coverage is no share.

    Examples
    --------
    >>> from scalinglaws.solvers import PowerLawSpectrum
    >>> from scalinglaws.solvers.feature_learning import online_dmft
    >>> run = online_dmft(20, PowerLawSpectrum(1.5, 0.5), batch=10, learning_rate=0.1, richness=1)
    >>> [line.get_gid() for axis in dmft_curves(run).axes for line in axis.get_lines()]
    ['test loss', 'scale']
    """
    if not 0 < number("coverage", coverage) < 1:
        raise refusal("coverage", coverage, "must lie between 0 and 1")
    runs = _runs(solution, simulated, at)
    compared = any(run.simulated is not None for run in runs)
    figure = canvas(figure, (10.4, 5.6 if compared else 4.2))
    panels = figure.subplots(
        2 if compared else 1,
        2,
        squeeze=False,
        sharex=True,
        height_ratios=(3, 1) if compared else None,
    )
    for column, fields in enumerate((("test_loss", "train_loss"), ("scale",))):
        upper, lower = panels[0, column], panels[1, column] if compared else None
        for place, run in enumerate(runs):
            for field in (field for field in fields if field in run.fields):
                _draw(upper, lower, run, field, CASES[place], coverage)
        upper.set(xscale="log", yscale="log" if column == 0 else "linear")
        (lower or upper).set_xlabel("steps")
        bare(upper)
        if lower is not None:
            lower.axhline(0, color=THEORY, lw=1, zorder=1)
            lower.margins(y=0.25)
            lower.set_ylabel("simulation /\ntheory $-$ 1")
            bare(lower)
    both = any("train_loss" in run.fields for run in runs)
    panels[0, 0].set_ylabel("loss" if both else WORDS["test_loss"])
    panels[0, 1].set_ylabel(WORDS["scale"])
    _legend(panels[0, 0], runs, both, coverage)
    return figure


def correlation_maps(solution: Solution, *, figure: Figure | None = None) -> Figure:
    r"""Draw correlations of errors, signals and readout weights between any two steps, and the response of errors.

    Parameters
    ----------
    solution : OnlineDMFTSolution or ReuseDMFTSolution
        A run of at least two steps, solved with ``matrices=True``.
    figure : Figure, optional
        An empty figure to draw in; by default a new one that belongs to no window.

    Returns
    -------
    Figure
        A Matplotlib figure; ``figure.savefig(path)`` writes it. Three maps of correlation coefficients :math:`C(t, s)/\sqrt{C(t,
        t)\,C(s, s)}`, of `MarchMatrices.error`, `gradient` and `weight`, and one of `MarchMatrices.response` over
        :math:`\eta`; the images carry these names as ``gid``. Long runs are thinned to 400 steps. White where there is nothing:
        weights that are still zero, and responses to the future. The colors of the response end at the 99th percentile of its entries.

    Raises
    ------
    DomainError
        If the solution is of another kind, has too few steps, or was solved without matrices.

    Examples
    --------
    >>> from scalinglaws.solvers import PowerLawSpectrum
    >>> from scalinglaws.solvers.feature_learning import online_dmft
    >>> run = online_dmft(20, PowerLawSpectrum(1.5, 0.5), batch=10, learning_rate=0.1, richness=1, matrices=True)
    >>> [axis.get_title() for axis in correlation_maps(run).axes[:4]]
    ['errors $C_0$', 'signals $C_2$', 'readout weights $C_w$', 'response $U$']
    """
    instance("solution", solution, *get_args(Solution))
    _checked("", solution)
    if solution.matrices is None or solution.steps.size < 3:
        raise refusal(
            "solution",
            solution,
            "must have two steps or more, and its matrices: solve with matrices=True",
            shown=False,
        )
    figure = canvas(figure, (9, 7.6))
    stride = -(-solution.steps.size // MOST_CELLS)
    panels = figure.subplots(2, 2, sharex=True, sharey=True)
    last = float(solution.steps[-1])
    rates = np.broadcast_to(solution.learning_rate, solution.steps.shape)[::stride]
    for axis, (name, words) in zip(panels.flat, MATRICES.items(), strict=True):
        matrix = np.asarray(getattr(solution.matrices, name))[::stride, ::stride]
        shown, colors = (_response if name == "response" else _coefficients)(matrix, rates)
        image = axis.imshow(
            shown,
            origin="lower",
            extent=(0, last, 0, last),
            interpolation="nearest",
            gid=name,
            **colors,
        )
        axis.set_title(words, fontsize=11)
        if name == "response":
            axis.text(
                0.7,
                0.25,
                "0: no response\nbefore its cause",
                transform=axis.transAxes,
                ha="center",
                fontsize=9,
            )
        label = r"$U/\eta$" if name == "response" else "correlation coefficient"
        beyond = "neither" if name != "response" else "max" if colors["vmin"] == 0 else "both"
        figure.colorbar(image, ax=axis, label=label, extend=beyond)
        bare(axis)
    for axis in panels[-1]:
        axis.set_xlabel("step s")
    for axis in panels[:, 0]:
        axis.set_ylabel("step t")
    return figure


def _coefficients(matrix: Array, _: Array) -> tuple[Array, dict[str, Any]]:
    """Return a covariance as correlation coefficients, and how to color them."""
    size = np.sqrt(np.maximum(np.diag(matrix), 0))
    known = size > 0
    unit = np.where(known, size, 1.0)
    shown = np.where(
        known[:, None] & known[None, :], matrix / unit[:, None] / unit[None, :], np.nan
    )
    if np.nanmin(shown) < 0:
        return shown, {"cmap": "RdBu_r", "vmin": -1, "vmax": 1}
    return shown, {"cmap": "viridis", "vmin": 0, "vmax": 1}


def _response(matrix: Array, rates: Array) -> tuple[Array, dict[str, Any]]:
    """Return a response in units of the learning rate of the earlier step, and how to color it."""
    rows, columns = np.indices(matrix.shape)
    past = rows > columns
    shown = np.where(past, matrix / rates, np.nan)
    edge = float(np.quantile(np.abs(shown[past]), STEADY))
    if np.min(shown[past]) >= 0:
        return shown, {"cmap": "viridis", "vmin": 0, "vmax": edge}
    return shown, {"cmap": "RdBu_r", "vmin": -edge, "vmax": edge}


def _runs(solution: Any, simulated: Any, at: Any) -> list[_Run]:
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
    if unknown := [name for name in draws if name not in named]:
        raise refusal(
            "simulated",
            unknown[0],
            f"must have the names of solution; {unknown[0]!r} is none",
            shown=False,
        )
    for name, run in named.items():
        _checked(name, run)
    return [_run(str(name), run, draws.get(name), at) for name, run in named.items()]


def _checked(name: str, run: Any) -> None:
    """Refuse what is no run in steps."""
    if not isinstance(run, (OnlineDMFTSolution, ReuseDMFTSolution)):
        raise refusal(
            "solution",
            run,
            f"{name!r} must be an OnlineDMFTSolution or a ReuseDMFTSolution; got "
            f"{type(run).__name__}",
            shown=False,
        )
    if run.steps.size < 2:
        raise refusal("solution", run, f"{name!r} must have at least one step", shown=False)


def _run(label: str, run: Solution, draws: Any, at: Any) -> _Run:
    place = np.arange(run.steps.size) if at is None else np.atleast_1d(floats("at", at))
    if place.ndim != 1 or np.any(
        (place < 0) | (place >= run.steps.size) | (place != np.floor(place))
    ):
        raise refusal("at", at, "must be steps that the solution has too", shown=False)
    if draws is None:
        return _Run(label, run, None, place.astype(int))
    shape, wanted = np.shape(getattr(draws, "test_loss", 0.0)), f"(draws, {place.size})"
    if (
        not isinstance(draws, SimulatedTraining)
        or len(shape) != 2
        or shape[0] < 2
        or shape[1] != place.size
    ):
        raise refusal(
            "simulated",
            shape,
            f"must hold at least two draws of {place.size} steps, shape {wanted}; got "
            f"{shape or type(draws).__name__}",
            shown=False,
        )
    return _Run(label, run, draws, place.astype(int))


def _draw(
    upper: Axes, lower: Axes | None, run: _Run, field: str, look: tuple[str, str], coverage: float
) -> None:
    """Draw one quantity of one run."""
    color, marker = look
    gid = ", ".join(filter(None, (run.label, "scale" if field == "scale" else WORDS[field])))
    style, fill = ("--", "white") if field == "train_loss" else ("-", color)
    line = getattr(run.solution, field)
    upper.plot(run.solution.steps[1:], line[1:], style, color=color, lw=1.8, gid=gid)
    if run.simulated is None:
        return
    kept = run.place > 0
    when, draws = run.place[kept], run.draws(field)[:, kept]
    low, high = np.quantile(draws, ((1 - coverage) / 2, (1 + coverage) / 2), axis=0)
    upper.fill_between(when, low, high, color=color, alpha=0.14, lw=0)
    mean, error = draws.mean(axis=0), draws.std(axis=0, ddof=1) / np.sqrt(draws.shape[0])
    marks: dict[str, Any] = {
        "fmt": marker,
        "color": color,
        "mfc": fill,
        "ms": 4.5,
        "capsize": 2,
        "zorder": 3,
    }
    upper.errorbar(when, mean, error, **marks)[0].set_gid(f"{gid}, simulated")
    if lower is not None:
        lower.errorbar(when, mean / line[when] - 1, error / line[when], **marks)[0].set_gid(
            f"{gid}, simulated"
        )


def _legend(axis: Axes, runs: list[_Run], both: bool, coverage: float) -> None:
    """Name colors, styles, marks and shades once each."""
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    gray = "#555555"
    handles: list[Any] = [
        Line2D([], [], color=CASES[i][0], lw=1.8, label=run.label)
        for i, run in enumerate(runs)
        if run.label
    ]
    if both:
        handles += [
            Line2D([], [], color=gray, lw=1.8, ls=ls, label=label)
            for label, ls in (("test", "-"), ("train", "--"))
        ]
    counts = sorted({run.draws("scale").shape[0] for run in runs if run.simulated is not None})
    if counts:
        many = f"{counts[0]}" if len(counts) == 1 else f"{counts[0]} to {counts[-1]}"
        handles.append(
            Line2D(
                [], [], color=gray, ls="", marker="o", ms=4.5, label=f"mean ± s.e. of {many} draws"
            )
        )
        handles.append(Patch(color=gray, alpha=0.2, lw=0, label=f"{coverage:.0%} of the draws"))
    if handles:
        axis.legend(handles=handles, frameon=False, fontsize=9)
