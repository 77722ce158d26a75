"""A fit of the accuracy in a task in two steps, and what it predicts."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ....arguments import afford, broadcast, flag, instance, numbers, text
from ....errors import DataError, refusal, unknown_name
from ....formatting import scientific
from ....notebook import words_html
from ....reprs import LONGEST, line
from ....results import Result
from .._coded_warnings import CodedWarning, warning_lines
from ._accuracy_curve import NAMES, sigmoid
from ._files import from_json_file, save_either
from ._intervals import level_of, percentiles
from ._record import Fit
from ._report import described_runs
from ._saved import refuse_array, refuse_unsound

Array = NDArray[np.float64]

_COLUMNS = 100
_MOST = 12  # models whose predictions are written

BEYOND_BEST = 0.1
"""Above the best accuracy that was seen, up to which accuracies are predicted where no run passed the midpoint."""
_SURE = 0.9  # of the resampled fits whose midpoint the runs must have passed


@dataclass(frozen=True)
class AccuracyPrediction(Result):
    """Predicted losses and accuracies in a task, with intervals of the two curves.

    Attributes
    ----------
    params, tokens : ndarray
        N and D, of the shape to which they broadcast; so are all others.
    loss, loss_low, loss_high : ndarray
        Loss in the task; limits are NaN without resampled fits.
    accuracy, low, high : ndarray
        Share of right answers.
    level : float
        Nominal coverage.
    horizon : ndarray
        Decades of N D beyond the largest that was fitted, 0 below it.
    """

    params: Array
    tokens: Array
    loss: Array
    loss_low: Array
    loss_high: Array
    accuracy: Array
    low: Array
    high: Array
    level: float
    horizon: Array

    def summary(self) -> str:
        """Write a line for each model: task loss and accuracy with their intervals."""
        return "\n".join(prediction_lines(self))


@dataclass(frozen=True)
class TaskFit(Result):
    r"""Loss in a task as a surface in N and D, and accuracy as a sigmoid of that loss.

    Attributes
    ----------
    fit : Fit
        The first step, of the task's loss, with its resampled fits.
    task : str
        The column of accuracies.
    accuracy : ndarray, shape (n,)
        Of the runs.
    chance : float
        Accuracy of who knows nothing, :math:`c_0`.
    items : int
        Questions in the task.
    curve : ndarray, shape (3,)
        Ceiling u, slope k and midpoint m.
    samples : ndarray, shape (B, 3)
        Of the resampled runs; a row belongs to the same row of `fit.samples`.
    given_ceiling : bool
        Whether u was given.
    scatter : float
        Mean square of the residuals of the accuracies over that of binomial counts: 1 where nothing else scatters.
    passed : float
        Share of the resampled fits whose midpoint lies above the least loss of the runs; of the fit itself without any.
    doubts : tuple of CodedWarning
        What is doubtful of the second step; `warnings` holds all.
    """

    fit: Fit
    task: str
    accuracy: Array
    chance: float
    items: int
    curve: Array
    samples: Array
    given_ceiling: bool
    scatter: float
    passed: float
    doubts: tuple[CodedWarning, ...] = ()

    def __len__(self) -> int:
        return int(self.accuracy.size)

    def __repr__(self) -> str:
        u, m = self.curve[0], self.curve[2]
        words = f"TaskFit of {self.task} in {len(self)} runs: {self.chance:.3g} to {u:.3g}, half way at a loss of {m:.4g}"
        return f"<{line(words, LONGEST - 2)}>"

    def _repr_html_(self) -> str:
        return words_html(self.report())

    @property
    def parameters(self) -> dict[str, float]:
        """Parameters of both steps by name: those of the surface, and u, k, m."""
        return self.fit.parameters | {
            name: float(value) for name, value in zip(NAMES, self.curve, strict=True)
        }

    @property
    def warnings(self) -> tuple[CodedWarning, ...]:
        """What is doubtful of the second step, of the runs, and of the first."""
        return (*self.doubts, *self.fit.warnings)

    @property
    def midpoint_passed(self) -> bool:
        """Whether runs passed the midpoint, in at least 0.9 of the resampled fits: only then do they say where accuracies end."""
        return bool(self.fit.losses.min() < self.curve[2] and self.passed >= _SURE)

    def interval(self, name: str, level: float = 0.95) -> tuple[float, float]:
        """Return the interval of a parameter of either step.

        Parameters
        ----------
        name : str
            A parameter.
        level : float
            Share that the interval covers, between 0 and 1.

        Returns
        -------
        (float, float)
            Percentiles of the resampled fits.

        Raises
        ------
        DomainError
            If the name is unknown, or there are no resampled fits.
        """
        share = level_of(level)
        text("name", name)
        if name not in self.parameters:
            raise unknown_name("parameter", name, list(self.parameters))
        if not len(self.samples):
            raise refusal("bootstrap", 0, "leaves nothing to take intervals from")
        if name not in NAMES:
            return self.fit.interval(name, share)
        low, high = percentiles(self.samples[:, NAMES.index(name)], share)
        return float(low), float(high)

    def predict(
        self, params: ArrayLike, tokens: ArrayLike, *, level: float = 0.95
    ) -> AccuracyPrediction:
        """Predict loss and accuracy in the task.

        Parameters
        ----------
        params, tokens : array_like
            N and D, > 0.
        level : float
            Nominal coverage of the intervals, of the two curves; a test of `items` questions scatters by its binomial error around them.

        Returns
        -------
        AccuracyPrediction
            Of the shape to which the arguments broadcast.

        Raises
        ------
        DataError
            If no run passed the midpoint, the ceiling was not given, and an accuracy is more than 0.1 above the best of the runs.
        DomainError
            If an argument is not allowed.
        """
        share = level_of(level)
        shape, (N, D) = broadcast(
            {
                "params": numbers("params", params, low=0, strict=True),
                "tokens": numbers("tokens", tokens, low=0, strict=True),
            }
        )
        afford(
            max(len(self.samples), 1) * max(N.size, 1), "the predictions", "ask for fewer models"
        )
        model = self.fit.model
        with np.errstate(over="ignore"):  # of a model next to nothing
            loss = np.exp(model.predict(self.fit.x, {"N": N, "D": D}))
        accuracy = sigmoid(loss, self.curve, self.chance)
        self._refuse_unknown(N, D, accuracy)
        nothing = np.full(N.shape, np.nan)
        ends = [nothing] * 4
        if len(self.samples) and N.size:
            with np.errstate(over="ignore"):
                drawn = np.exp(model.predict(self.fit.samples, {"N": N, "D": D}))
            ends = [
                *percentiles(drawn, share),
                *percentiles(sigmoid(drawn, self.samples, self.chance), share),
            ]
        most = float(np.max(self.fit.columns["N"] * self.fit.columns["D"]))
        columns = (N, D, loss, ends[0], ends[1], accuracy, ends[2], ends[3])
        horizon = np.maximum(np.log10(N) + np.log10(D) - np.log10(most), 0.0)
        shaped = [np.asarray(column).reshape(shape) for column in (*columns, horizon)]
        return AccuracyPrediction(
            params=shaped[0],
            tokens=shaped[1],
            loss=shaped[2],
            loss_low=shaped[3],
            loss_high=shaped[4],
            accuracy=shaped[5],
            low=shaped[6],
            high=shaped[7],
            level=share,
            horizon=shaped[8],
        )

    def _refuse_unknown(self, N: Array, D: Array, accuracy: Array) -> None:
        if self.given_ceiling or self.midpoint_passed:
            return
        best = float(self.accuracy.max())
        above = np.flatnonzero(accuracy > best + BEYOND_BEST)
        if above.size:
            first = int(above[0])
            raise DataError(
                "no run passed the midpoint between chance and ceiling, so that nothing is known of the ceiling: "
                f"{accuracy[first]:.3g} for N = {N[first]:.3g}, D = {D[first]:.3g} is more than {BEYOND_BEST:g} above "
                f"{best:.3g}, the best that was seen; give ceiling=, the accuracy that the best models reach, or add better runs"
            )

    def report(self, prediction: AccuracyPrediction | None = None, *, verbose: bool = False) -> str:
        """Describe the fit in a few lines: both formulas, parameters with intervals, how well it fits, what is doubtful.

        Parameters
        ----------
        prediction : AccuracyPrediction, optional
            What `predict` returned, to be written below.
        verbose : bool
            All warnings, with their causes and cures.

        Returns
        -------
        str
            What a person reads.
        """
        if prediction is not None:
            instance("prediction", prediction, AccuracyPrediction)
        return "\n".join(task_lines(self, prediction, flag("verbose", verbose)))

    # -- files ----------------------------------------------------------------------------------------------------------

    def save(self, path: str | Path) -> Path:
        """Write the fit to a file, ``.npz`` or ``.json``; `load` reads both.

        Parameters
        ----------
        path : str or Path
            File to write.

        Returns
        -------
        Path
            The file written.
        """
        return save_either(self, path)

    @classmethod
    def load(cls, path: str | Path) -> Self:
        """Read a fit written by `save`.

        Parameters
        ----------
        path : str or Path
            A ``.npz`` or ``.json`` file.

        Returns
        -------
        TaskFit
            As it was saved.

        Raises
        ------
        DataError
            If the file is not such a file.
        """
        if (written := from_json_file(cls, path)) is not None:
            return written
        found = super().load(path)
        _refuse_unsound(found)
        return found

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Make a fit again from what `to_json` returned; refuse one whose parts do not belong together."""
        found = super().from_json(text)
        _refuse_unsound(found)
        return found


def _refuse_unsound(found: TaskFit) -> None:
    """Refuse a fit whose parts do not belong together, as no fit of this package is."""
    if not isinstance(found.fit, Fit):
        raise DataError("no sound fit: the first step is none")
    refuse_unsound(found.fit)
    if found.fit.runs is None or set(found.fit.columns) != {"N", "D"}:
        raise DataError("no sound fit: the first step must be one of runs in N and D")
    refuse_array("accuracy", found.accuracy, (len(found.fit),))
    refuse_array("curve", found.curve, (3,))
    refuse_array("samples", found.samples, (len(found.fit.samples), 3))


def task_lines(
    found: TaskFit, prediction: AccuracyPrediction | None, verbose: bool
) -> Iterator[str]:
    """Write a fit of a task: runs, formulas, parameters, predictions, warnings."""
    fit = found.fit
    assert fit.runs is not None
    yield from described_runs(fit.runs)
    best, worst = float(found.accuracy.max()), float(found.accuracy.min())
    yield f"  accuracy = {found.task} of {found.items} questions, {worst:.3g} to {best:.3g}, chance {found.chance:.3g}"
    yield ""
    how = f"95 % of {len(found.samples)} resamples" if len(found.samples) else "no resamples"
    yield f"{fit.model.formula}, accuracy = {found.chance:.3g} + (u - {found.chance:.3g})/(1 + exp(k (L - m)))"
    rows = [["", "value", how]]
    for name, value in found.parameters.items():
        if name == "u" and found.given_ceiling:
            rows.append([name, f"{value:.4g}", "as given"])
            continue
        ends = ""
        if len(found.samples):
            low, high = found.interval(name)
            ends = f"{low:.4g} .. {high:.4g}"
        rows.append([name, f"{value:.4g}", ends])
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        yield f"  {row[0].ljust(widths[0])}  {row[1].rjust(widths[1])}  {row[2]}".rstrip()
    beyond = int(np.sum(fit.losses < found.curve[2]))
    yield f"residuals: {100 * fit.rms:.2g} % of the loss; accuracies {found.scatter:.2g} times the variance of {found.items} questions"
    yield f"{beyond} of {len(found)} runs are past the midpoint, a loss of {found.curve[2]:.4g}"
    if prediction is not None:
        yield ""
        yield from prediction_lines(prediction)
    told = warning_lines(found.warnings, verbose)
    if told:
        yield ""
        yield from (told if verbose else map(_cut, told))


def prediction_lines(found: AccuracyPrediction) -> Iterator[str]:
    """Write predictions in a table, a line for each model."""
    percent = f"{100 * found.level:g} %"
    rows = [["N", "D", "task loss", percent, "accuracy", percent]]
    flat = [
        np.ravel(column)
        for column in (
            found.params,
            found.tokens,
            found.loss,
            found.loss_low,
            found.loss_high,
            found.accuracy,
            found.low,
            found.high,
        )
    ]
    for N, D, *values in list(zip(*flat, strict=True))[:_MOST]:
        loss, low, high, accuracy, least, most = values
        rows.append(
            [
                scientific(float(N), 3),
                scientific(float(D), 3),
                _short(loss),
                _ends(low, high),
                f"{accuracy:.3f}",
                _ends(least, most),
            ]
        )
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = [cell.ljust(width) for cell, width in zip(row, widths, strict=True)]
        yield "  ".join(cells).rstrip()
    rest = flat[0].size - _MOST
    if rest > 0:
        yield f"and {rest} more"


def _ends(low: float, high: float) -> str:
    return "" if np.isnan(low) else f"{_short(low)} .. {_short(high)}"


def _short(value: float) -> str:
    return f"{value:.3f}" if abs(value) < 1000 else f"{value:.3g}"


def _cut(line: str) -> str:
    return line if len(line) <= _COLUMNS else f"{line[: _COLUMNS - 3]}..."
