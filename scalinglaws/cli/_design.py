"""The command that chooses the runs to do next."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ..errors import DomainError, refusal
from ..results import jsonable
from ._app import Json, Output, Real, Whole, app
from ._figures import FIGURES
from ._formats import TABLE_FORMATS, Answer, check_suffix, emit, wrote
from ._grammar import to_float
from ._runs import RunOptions, read_fit, with_options

_TABLE = ".csv"
_OPTIONS = (
    "budget",
    "target",
    "what",
    "max_runs",
    "max_compute",
    "seeds",
    "misfit",
    "noise",
    "ratio",
    "law",
)


@app.command
def design(
    file: str,
    /,
    *,
    budget: Real,
    target: str,
    what: str = "loss,params",
    max_runs: Whole | None = None,
    max_compute: Real | None = None,
    seeds: str = "1",
    misfit: float = 0.03,
    noise: float | None = None,
    ratio: str = "1/8,8",
    law: str = "auto",
    reading: RunOptions = RunOptions(),  # noqa: B008  # frozen
    json: Json = False,
    output: Output = None,
) -> int:
    """Choose the training runs to do next, so that a fit says most about a target.

    Parameters
    ----------
    file : str
        Runs that there are: a table, a fit that was saved (.json, .npz), or an example; or hoffmann or besiroglu, for no runs at
        all and published constants to begin with.
    budget : float
        Compute of all new runs, in FLOP.
    target : str
        Compute, as 1e24: the loss of its best model and the size; or N=70B,D=1.4T: the loss of a model.
    what : str
        Of a compute: loss, params or loss,params.
    max_runs : int
        Most of the new runs.
    max_compute : float
        Most compute of one run.
    seeds : int
        Most runs of one size on as many tokens; they share the error of the law. inf goes with --misfit 0.
    misfit : float
        By how much the law may be wrong, in ln L (a standard deviation); 0: it is true, and the plan is optimal to a bound.
    noise : float
        Standard deviation of one run, in ln L; by default that of the residuals.
    ratio : str
        Least and largest size of the candidates, over the best one.
    law : str
        The law that will be fitted; by default surface_power where it has weight in the forecasts, else surface.
    json : bool
        Print JSON.
    output : Path
        File to write: .csv, to be read again once losses are filled in; .md, .tex, .txt, .json; a picture as .png, .svg or .pdf.
    """
    if output is not None:
        check_suffix(output, (*TABLE_FORMATS, *FIGURES))
    from ..verify import empirical

    aim, options = _target(target, what), reading.given()
    edges = tuple(to_float("ratio", part) for part in ratio.split(","))
    known = read_fit(file, law=law, bootstrap=0, **options)
    try:
        found = empirical.design(
            known,
            budget=budget,
            target=aim,
            max_runs=max_runs,
            max_compute=max_compute,
            seeds=to_float("seeds", seeds),
            misfit=misfit,
            noise=noise,
            ratio=edges,  # type: ignore[arg-type]
            law=known.law if law != "auto" else None,
        )
    except DomainError as failure:
        raise with_options(failure, _OPTIONS) from failure
    data = {"summary": found.summary().splitlines()} | _finite(found.to_dict())
    answer = Answer(jsonable(data), [found.summary(), found.to_table()])
    if output is not None and output.suffix in (_TABLE, *FIGURES):
        _keep(found, output)
        output = None
    emit(answer, json, output)
    return 0


def _keep(found: Any, output: Path) -> None:
    """Write the runs as a table, or draw the plan; what is shown is shown all the same."""
    if output.suffix == _TABLE:
        try:
            found.to_csv(output)
        except OSError as failure:
            raise DomainError(
                f"cannot write {output}: {failure.strerror}", argument="output", value=output
            ) from failure
    else:
        from ..verify.plots.empirical import design_plan

        design_plan(found).savefig(output, dpi=150)
    wrote(output)


def _target(text: str, what: str) -> dict[str, Any]:
    """Read a target: a compute, or N and D."""
    if "=" not in text:
        names = tuple(name.strip() for name in what.split(",") if name.strip())
        return {"compute": to_float("target", text), "what": names}
    found = {}
    for part in text.split(","):
        name, _, value = part.partition("=")
        found[name.strip()] = to_float("target", value)
    from ..verify.empirical._run_columns import letter_of

    if {letter_of(name) for name in found} != {"N", "D"} or len(found) != 2:
        raise refusal("target", text, "must be a compute, as 1e24, or N=70B,D=1.4T")
    return found


def _finite(value: Any) -> Any:
    """Return nothing for numbers that there are none of."""
    if isinstance(value, dict):
        return {key: _finite(entry) for key, entry in value.items()}
    if isinstance(value, list):
        return [_finite(entry) for entry in value]
    return None if isinstance(value, float) and value != value else value
