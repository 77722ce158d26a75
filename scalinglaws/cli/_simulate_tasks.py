"""The command that draws a task of known capacity and source."""

from __future__ import annotations

import numpy as np
from cyclopts import App

from ..arguments import number as number_in
from ..errors import DomainError
from ..formatting import number
from ..tables import Block, Table
from ._app import Json, Whole
from ._formats import TABLE_FORMATS, Answer, check_suffix, emit, wrote
from ._simulate import Kept, simulate

_SAVED = ".npz"

empirical = App(
    name="empirical",
    help="Tasks of known capacity and source, to be measured.",
    help_format="plaintext",
)
simulate.command(empirical)


@empirical.command
def task(
    *,
    samples: Whole = 500,
    alpha: float = 1.5,
    beta: float = 0.5,
    modes: Whole = 4000,
    seed: Whole = 0,
    json: Json = False,
    output: Kept = None,
) -> int:
    """Draw samples of a task whose features and labels are exact power laws.

    Parameters
    ----------
    samples : int
        How many.
    alpha : float
        Capacity: variances of the features fall as k^-alpha; above 1.
    beta : float
        Source: the signal beyond mode k falls as k^-(alpha beta).
    modes : int
        Features that are drawn one by one; the rest is added by its mean and variance.
    seed : int
        Of the random numbers.
    json : bool
        Print JSON.
    output : Path
        The Gram matrix and the labels as .npz, which `scalinglaws measure` reads; or the summary as .csv, .json, .md, .tex or .txt.
    """
    if output is not None:
        check_suffix(output, (*TABLE_FORMATS, _SAVED))
    from ..verify.simulate.empirical import draw_task

    beta = number_in("beta", beta, low=0, strict=True)
    drawn = draw_task(samples, alpha=alpha, decay=alpha * beta, modes=modes, rng=seed)
    power = float(np.var(drawn.labels))
    header = ("samples", "alpha", "beta", "modes", "variance of labels")
    row = (samples, alpha, beta, modes, power)
    told: list[Block] = [
        Table(header, [tuple(map(number, row))]),
        "exact: eigenvalues k^-alpha, residual of the labels k^-(alpha beta)",
    ]
    answer = Answer(dict(zip(header, row, strict=True)), told, (header, [row]))
    if output is None or output.suffix != _SAVED:
        emit(answer, json, output)
        return 0
    try:
        np.savez_compressed(output, gram=drawn.gram, labels=drawn.labels)
    except OSError as failure:
        raise DomainError(
            f"cannot write {output}: {failure.strerror}", argument="output", value=output
        ) from failure
    wrote(output)
    emit(answer, json, None)
    return 0
