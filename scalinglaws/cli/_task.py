"""The command that predicts the accuracy in a task."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from ..errors import refusal
from ._app import Json, Output, Whole, app
from ._figures import FIGURES
from ._formats import TEXT_FORMATS, Answer, check_suffix, emit, wrote
from ._runs import (
    EXAMPLES,
    RunOptions,
    Source,
    as_options,
    chosen_columns,
    chosen_values,
    in_options,
    is_saved_fit,
    plain_json,
    positive_numbers,
)

if TYPE_CHECKING:
    from ..verify.empirical import AccuracyPrediction, TaskFit

_SAVED = ".npz"
_FLAG = Parameter(negative=())


@app.command
def task(
    file: Source,
    /,
    *,
    loss: str = "task_loss",
    accuracy: str = "acc",
    chance: float = 0.25,
    items: Whole = 1000,
    ceiling: float | None = None,
    params: str | None = None,
    tokens: str | None = None,
    reading: RunOptions = RunOptions(),  # noqa: B008  # frozen
    level: float = 0.95,
    bootstrap: Whole = 2000,
    seed: Whole = 0,
    json: Json = False,
    output: Output = None,
    verbose: Annotated[bool, _FLAG] = False,
    strict: Annotated[bool, _FLAG] = False,
) -> int:
    """Predict the accuracy in a task in two steps: the task's loss by a law in N and D, accuracy by a sigmoid of that loss.

    Parameters
    ----------
    file : str
        A table of runs (.csv, .tsv, .json, .jsonl, .parquet, packed as .gz; - for standard input), with a column for the loss in the task
        and one for the accuracy.
    loss : str
        Column of the loss in the task, of the right answer for example.
    accuracy : str
        Column of the share of right answers, between 0 and 1.
    chance : float
        Accuracy of who knows nothing: 1 over the number of choices.
    items : int
        Questions in the task.
    ceiling : float
        Accuracy that the best models reach; fitted by default, which needs runs past the midpoint.
    params : str
        Parameters of models to predict: 7e9 or 7B, or several: 7B,70B.
    tokens : str
        Their tokens, as many, or one number for all.
    level : float
        Nominal coverage of the intervals of the predictions.
    bootstrap : int
        Refits of both steps to resampled runs, for the intervals; 0 for none.
    seed : int
        Root of the random streams of the resampling.
    json : bool
        Print JSON.
    output : Path
        File to write (.json, .md, .tex, .txt; the whole fit as .npz; a picture as .png, .svg or .pdf).
    verbose : bool
        All warnings, with their causes and cures.
    strict : bool
        End with exit code 1 if there are warnings.
    """
    if output is not None:
        check_suffix(output, (*TEXT_FORMATS, *FIGURES, _SAVED))
    if (params is None) != (tokens is None):
        name = "params" if params is None else "tokens"
        raise refusal(name, None, "is missing: a model to predict has both", shown=False)
    models = None
    if params is not None and tokens is not None:
        models = positive_numbers("--params", params), positive_numbers("--tokens", tokens)
    if is_saved_fit(file):
        raise refusal("file", file, "is a fit already: a task is fitted from a table of runs")
    if file in EXAMPLES and not Path(file).exists():
        raise refusal("file", file, "holds no accuracies: name a table that does")
    from ..verify import empirical

    options: dict[str, Any] = reading.given()
    options["columns"] = chosen_columns(options["columns"])
    options["where"] = chosen_values(options["where"])
    options["compute"] = options.pop("flops")
    with in_options():
        found = empirical.fit_task(
            file,
            loss,
            accuracy,
            chance=chance,
            items=items,
            ceiling=ceiling,
            bootstrap=bootstrap,
            rng=seed,
            **options,
        )
        prediction = None if models is None else found.predict(*models, level=level)
    if output is not None and output.suffix in (*FIGURES, _SAVED):
        _keep(found, prediction, output)
        output = None
    words = as_options(found.report(prediction, verbose=verbose))
    if json or output is not None:
        emit(Answer(_as_data(found, prediction), [words]), json, output)
    else:
        sys.stdout.write(words + "\n")
    return 1 if strict and found.warnings else 0


def _keep(found: TaskFit, prediction: AccuracyPrediction | None, output: Path) -> None:
    """Save the fit, or draw it."""
    if output.suffix == _SAVED:
        found.save(output)
    else:
        from ..verify.plots.empirical import accuracy_in_two_steps

        accuracy_in_two_steps(found, prediction).savefig(output, dpi=150)
    wrote(output)


def _as_data(found: TaskFit, prediction: AccuracyPrediction | None) -> dict[str, Any]:
    """Return what is printed, with all digits, for JSON."""
    known = len(found.samples) > 0
    return plain_json(  # type: ignore[no-any-return]
        {
            "runs": len(found),
            "accuracy": found.task,
            "chance": found.chance,
            "items": found.items,
            "parameters": found.parameters,
            "intervals": {name: found.interval(name) for name in found.parameters}
            if known
            else None,
            "given_ceiling": found.given_ceiling,
            "midpoint_passed": found.midpoint_passed,
            "rms": found.fit.rms,
            "scatter": found.scatter,
            "bootstrap": len(found.samples),
            "prediction": None if prediction is None else prediction.to_dict(),
            "warnings": [
                {"code": one.code, "message": one.message, "cause": one.cause, "cure": one.cure}
                for one in found.warnings
            ],
        }
    )
