"""From models to the accuracy in a task, in two steps: the task's loss by a surface, accuracy by a sigmoid of that loss."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import chdtrc

from ....arguments import afford, generator, instance, number, numbers, text, whole
from ....errors import DataError, refusal
from .._coded_warnings import CodedWarning, listed
from .._read_runs import read_runs
from .._run_checks import Places
from .._run_columns import numbers_of, resolved
from .._run_tables import read_table
from .._runs import Runs
from ._accuracy_curve import NAMES, fit_sigmoids, sigmoid
from ._bootstrap import resampled
from ._fit import fit
from ._solve import resolve_many
from ._task_record import TaskFit

Array = NDArray[np.float64]

_CHANCE = 0.01  # that scatter is as large
_BELOW = 4.0  # binomial deviations below chance, which no guessing explains
_DEVIATIONS = 3.0  # binomial ones, by which accuracies must differ, and rise above chance


def fit_task(
    runs: Runs | Mapping[str, Any] | Any,
    loss: str = "task_loss",
    accuracy: str | ArrayLike = "acc",
    *,
    chance: float = 0.25,
    items: int = 1000,
    ceiling: float | None = None,
    bootstrap: int = 2000,
    rng: int | np.random.Generator = 0,
    **options: Any,
) -> TaskFit:
    r"""Fit the accuracy in a task in two steps.

    .. math:: L_{task} = E + A N^{-a} + B D^{-b}, \qquad p = c_0 + \frac{u - c_0}{1 + e^{k (L_{task} - m)}}

    Accuracy says little near chance and near its ceiling; the task's loss goes on, and what accuracy it makes can be read off any model.

    Parameters
    ----------
    runs : str, Path, data frame, mapping or Runs
        A table as `read_runs` reads it, with two columns more; or runs, whose loss is the task's.
    loss : str
        Column of the loss in the task: of the right answer, for example, in nats.
    accuracy : str or array_like, shape (n,)
        Column of the share of right answers, between 0 and 1; an array for runs that were read.
    chance : float
        Accuracy of who knows nothing, in [0, 1): 1 over the number of choices.
    items : int
        Questions in the task, by which accuracies scatter.
    ceiling : float, optional
        u, in (chance, 1]; fitted by default.
    bootstrap : int
        Number of refits of both steps to resampled runs; 0 for none.
    rng : Generator or int
        Source of randomness of the resampling, or a seed.
    **options
        As `read_runs` takes them, for a table.

    Returns
    -------
    TaskFit
        With `predict`, `interval`, `report` and `save`.

    Raises
    ------
    DataError
        If the table cannot be read, accuracies are no shares, do not differ or never rise above chance, or `fit` refuses the losses.
    DomainError
        If an argument is not allowed.

    Notes
    -----
    The first step is `fit` of ``surface``, the second the likelihood of binomial counts, at the losses that were measured. Resampled runs
    go through both, for errors of the two are not independent. Percentiles hold 92 to 97 % at a nominal 95 %, in 200 sets of 18 runs.
    Such runs with 2000 resamples take about half a second; the result does not depend on the number of threads.

    References
    ----------
    .. [1] A. Bhagia et al., *Establishing Task Scaling Laws via Compute-Efficient Model Ladders*, arXiv:2412.04403 (2024).
    .. [2] S. Y. Gadre et al., *Language models scale reliably with over-training and on downstream tasks*, arXiv:2403.08540 (2024).

    Examples
    --------
    >>> N = np.repeat(np.geomspace(1e8, 2e9, 6), 3)
    >>> D = N * np.tile([10, 20, 40], 6)
    >>> L = 1.8172 + 482.01 / N**0.3478 + 2085.43 / D**0.3658
    >>> p = 0.25 + 0.7 / (1 + np.exp(3.88 * (L - 2.586)))
    >>> found = fit_task({"params": N, "tokens": D, "task_loss": L, "acc": p}, counts="total", bootstrap=0)
    >>> {name: round(found.parameters[name], 3) for name in ("u", "k", "m")}
    {'u': 0.95, 'k': 3.88, 'm': 2.586}
    >>> print(f"{found.predict(1.94e10, 3.88e11).accuracy:.3f}")
    0.868
    """
    low = number("chance", chance, low=0, high=1)
    if low == 1:
        raise refusal("chance", chance, "must be < 1")
    questions = whole("items", items, low=1, high=1e9)
    given = None if ceiling is None else number("ceiling", ceiling, low=0, high=1)
    if given is not None and not given > low:
        raise refusal("ceiling", ceiling, f"must be above chance, {low:g}")
    count = whole("bootstrap", bootstrap, low=0)
    known, shares, name = _data(runs, loss, accuracy, options)
    _refuse_no_shares(known, name, shares)
    _refuse_no_signal(name, shares, low, questions)
    _refuse_rising(name, shares, known.loss)
    _refuse_low_ceiling(given, shares, questions)
    first = fit("surface", known, bootstrap=0)
    size = len(known)
    afford(count * size, "the weights of the resamples", "use fewer resamples")
    drawn = resampled(count, known.run, generator(rng)) if count else np.zeros((0, size))
    refits = np.zeros((0, first.x.size))
    if count:
        refits = resolve_many(
            first.model, first.columns, first.losses, drawn, delta=first.delta, start=first.x
        )
    second = fit_sigmoids(
        known.loss,
        shares,
        np.vstack([np.ones(size), drawn]),
        items=questions,
        chance=low,
        ceiling=given,
    )
    curve, samples = second.parameters[0], second.parameters[1:]
    expected = sigmoid(known.loss, curve, low)
    left = size - (2 if given is not None else 3)
    variance = np.maximum(expected * (1 - expected), 1e-12) / questions
    squares = float(np.sum((shares - expected) ** 2 / variance))
    least = float(known.loss.min())
    passed = float(np.mean(samples[:, 2] > least)) if count else float(curve[2] > least)
    found = TaskFit(
        fit=replace(first, samples=refits),
        task=name,
        accuracy=shares,
        chance=low,
        items=questions,
        curve=curve,
        samples=samples,
        given_ceiling=given is not None,
        scatter=squares / left,
        passed=passed,
    )
    held = [entry for entry, is_held in zip(NAMES, second.at_bounds[0], strict=True) if is_held]
    doubts = _doubts(found, float(chdtrc(left, squares)), bool(second.settled[0]), held)
    return replace(found, doubts=tuple(doubts))


def _data(
    source: Any, loss: str, accuracy: str | ArrayLike, options: Mapping[str, Any]
) -> tuple[Runs, Array, str]:
    """Return runs with the task's loss, their accuracies, and what the column of these is called."""
    if isinstance(source, Runs):
        if options:
            raise refusal("options", dict(options), "say how a table is read; the runs were read")
        if isinstance(accuracy, str):
            raise refusal(
                "accuracy",
                accuracy,
                "must be an array, one for each of the runs, which hold no such column; or give the table",
            )
        shares = numbers("accuracy", accuracy).ravel()
        if shares.size != len(source):
            raise refusal("accuracy", shares.shape, f"must be {len(source)}, one for each run")
        return source, shares, "accuracy"
    text("loss", loss)
    if not isinstance(accuracy, str):
        raise refusal("accuracy", accuracy, "must name a column of the table")
    table = read_table(source, named="runs")
    name = resolved(table, accuracy)
    columns = options.get("columns")
    if columns is not None:
        instance("columns", columns, Mapping)
    named = {**dict(columns or {}), "loss": resolved(table, loss)}
    try:
        runs = read_runs(
            table, columns=named, **{k: v for k, v in options.items() if k != "columns"}
        )
    except TypeError as failure:
        raise refusal("options", sorted(options), f"are those of read_runs: {failure}") from None
    values, _ = numbers_of(table, name)
    return runs, np.asarray(values[runs.row - 1]), name


def _refuse_no_shares(runs: Runs, column: str, shares: Array) -> None:
    """Refuse empty cells, percents, and what else is no share."""
    wrong = np.flatnonzero(~((shares >= 0) & (shares <= 1)))
    if not wrong.size:
        return
    places = Places(runs.source, (runs.row - 1).tolist(), runs.run.tolist())
    first = int(wrong[0])
    value = shares[first]
    if np.isnan(value):
        raise places.error(
            first,
            f"the cell of {column} is empty, or no number, where the last loss stands; fill it in, or leave the row out with where=",
        )
    if np.nanmax(shares) > 1 and np.nanmax(shares) <= 100 and np.nanmin(shares) >= 0:
        raise places.error(
            first,
            f"{column} = {value:g} is above 1: in percent? accuracies must be shares between 0 and 1; divide the column by 100",
        )
    raise places.error(first, f"{column} = {value:g} must be a share of right answers, in [0, 1]")


def _refuse_no_signal(column: str, shares: Array, chance: float, items: int) -> None:
    """Refuse accuracies that are all alike, or all chance, within three binomial deviations."""
    best, worst = float(shares.max()), float(shares.min())
    at_chance = _DEVIATIONS * max(np.sqrt(chance * (1 - chance) / items), 1 / items)
    if best < chance + at_chance:
        raise DataError(
            f"{column}: no run is above chance: the best is {best:.3g}, and {items} questions scatter to {chance + at_chance:.3g} at a "
            f"chance of {chance:g}; add better runs, or state chance="
        )
    middle = 0.5 * (best + worst)
    if best - worst <= _DEVIATIONS * np.sqrt(2 * middle * (1 - middle) / items):
        raise DataError(
            f"{column}: accuracies from {worst:.3g} to {best:.3g} do not differ by more than {items} questions scatter: nothing says how "
            "accuracy follows the loss; add smaller or larger runs"
        )


def _refuse_rising(column: str, shares: Array, losses: Array) -> None:
    """Refuse accuracies that rise with the loss, which no sigmoid here does."""
    if np.ptp(losses) == 0:  # which the surface refuses
        return
    correlation = float(np.corrcoef(shares, losses)[0, 1])
    if correlation > 0:
        raise DataError(
            f"{column} rises with the task's loss (correlation {correlation:+.2f}): a share of wrong answers, or the loss of another "
            "task? give the share of right ones, and the loss in the same task"
        )


def _refuse_low_ceiling(ceiling: float | None, shares: Array, items: int) -> None:
    """Refuse a ceiling that runs have passed by more than their questions scatter."""
    best = float(shares.max())
    if ceiling is None or ceiling == 1:
        return
    if best > ceiling + _DEVIATIONS * max(np.sqrt(ceiling * (1 - ceiling) / items), 1 / items):
        raise refusal(
            "ceiling", ceiling, f"is below the best accuracy of the runs, {best:.3g}: no ceiling"
        )


def _doubts(
    found: TaskFit, chance_of_scatter: float, settled: bool, held: list[str]
) -> Iterator[CodedWarning]:
    """Tell what is doubtful of the second step."""
    u, _, m = found.curve
    losses, names = found.fit.losses, found.fit.runs
    assert names is not None  # as `_data` reads them
    deviation = np.sqrt(found.chance * (1 - found.chance) / found.items)
    low = np.flatnonzero(found.accuracy < found.chance - _BELOW * deviation)
    if low.size:
        yield CodedWarning(
            "W-below-chance",
            listed([f"{names.run[j]} ({found.accuracy[j]:.3g})" for j in low])
            + f" against {found.chance:.3g}",
        )
    if not (found.given_ceiling or found.midpoint_passed):
        beyond = int(np.sum(losses < m))
        told = f"the best accuracy is {found.accuracy.max():.3g}, half way is {0.5 * (found.chance + u):.3g}"
        if beyond:
            told += f"; {beyond} runs are beyond it, but in {100 * (1 - found.passed):.2g} % of the resampled fits none"
        yield CodedWarning("W-midpoint", told)
        held = [name for name in held if name != "u"]
    if held:
        ends = ", ".join(f"{name} = {found.parameters[name]:.4g}" for name in held)
        yield CodedWarning("W-at-bound", ends)
    if chance_of_scatter < _CHANCE:
        yield CodedWarning(
            "W-accuracy-scatter",
            f"{found.scatter:.2g} times the variance of {found.items} questions (by chance {chance_of_scatter:.1g})",
        )
    if not settled:
        yield CodedWarning("W-unsettled", "of the sigmoid")
