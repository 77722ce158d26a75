"""The command that plans a run from a fit."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from ..errors import DomainError
from ._app import Json, Output, Whole, app
from ._formats import TABLE_FORMATS, Answer, check_suffix, emit
from ._grammar import to_float
from ._runs import RunOptions, option, plain_json, positive_numbers, read_fit, with_options

if TYPE_CHECKING:
    from ..verify.empirical import Plan

_FLAG = Parameter(negative=())
_TARGETS = ("compute", "loss", "params", "tokens")
_BOUNDS = ("unique_tokens", "inference_tokens", "max_params", "max_tokens", "max_ratio")

_OF_ALL = ("level", "unique_tokens", "inference_tokens", "warnings")
"""Fields of a plan that do not hold a number for each target."""


@app.command
def plan(
    fit: str,
    /,
    *,
    compute: str | None = None,
    loss: str | None = None,
    params: str | None = None,
    tokens: str | None = None,
    unique_tokens: str | None = None,
    inference_tokens: str | None = None,
    max_params: str | None = None,
    max_tokens: str | None = None,
    max_ratio: str | None = None,
    cost: str | None = None,
    law: str = "auto",
    reading: RunOptions = RunOptions(),  # noqa: B008  # frozen
    level: float = 0.95,
    bootstrap: Whole = 4000,
    seed: Whole = 0,
    json: Json = False,
    output: Output = None,
    strict: Annotated[bool, _FLAG] = False,
) -> int:
    """Plan runs: the best model and data for a compute, the cheapest for a loss, or what goes with a size or a number of tokens.

    Parameters
    ----------
    fit : str
        A table of runs, a fit that was saved (fit --save), an example (synthetic, gadre), or hoffmann or besiroglu, whose constants
        are known.
    compute : str
        All that may be spent, in FLOP: 1e24, 1e22,1e23 or a range 1e22:1e25:7. One of this and the next three.
    loss : str
        Loss to reach at the least cost.
    params : str
        Parameters of a model, to find its data: 7e9 or 7B.
    tokens : str
        Tokens, to find their model: 3e11 or 300B.
    unique_tokens : str
        Tokens that there are, as 1.4T; beyond, they are repeated.
    inference_tokens : str
        Tokens that the model will read or write when it is used, at 2 N each.
    max_params : str
        Largest N, as 7e9 or 7B.
    max_tokens : str
        Largest D, as 3e11 or 300B.
    max_ratio : str
        Largest D/N.
    cost : str
        Of training, in N and D: "6*N*D", the default unless the runs say otherwise.
    law : str
        One of the laws that are fitted, or an expression; by default all, weighted by their forecasts.
    level : float
        Nominal coverage of the intervals.
    bootstrap : int
        Fits to resampled runs, for the intervals; 0 for none.
    seed : int
        Root of the random streams of the resampling.
    json : bool
        Print JSON.
    output : Path
        File to write (.csv, .json, .md, .tex, .txt).
    strict : bool
        End with exit code 1 if there are warnings.
    """
    if output is not None:
        check_suffix(output, TABLE_FORMATS)
    texts = dict(zip(_TARGETS, (compute, loss, params, tokens), strict=True))
    chosen = [name for name, text in texts.items() if text is not None]
    if len(chosen) != 1:
        named = ", ".join(f"--{name}" for name in _TARGETS)
        told = f"; got {', '.join(f'--{name}' for name in chosen)}" if chosen else ""
        raise DomainError(f"give exactly one of {named}{told}", argument="compute", value=compute)
    (target,) = chosen
    values = positive_numbers(f"--{target}", str(texts[target]))
    bounds = dict(
        zip(
            _BOUNDS,
            (unique_tokens, inference_tokens, max_params, max_tokens, max_ratio),
            strict=True,
        )
    )
    arguments: dict[str, Any] = {
        name: to_float(option(name), text) for name, text in bounds.items() if text is not None
    }
    given = read_fit(fit, law=law, bootstrap=bootstrap, seed=seed, **reading.given())
    import numpy as np

    from ..verify import empirical

    arguments |= {target: values if len(values) > 1 else values[0], "cost": cost, "level": level}
    try:
        found = empirical.plan(given, **arguments)
    except DomainError as failure:
        raise with_options(failure, (*_BOUNDS, "cost", "level", target), _BOUNDS) from failure
    data = plain_json(found.to_dict() | {"ratio": np.asarray(found.ratio).tolist()})
    emit(Answer(data, [found.summary()], table=_table(found)), json, output)
    return 1 if strict and found.warnings else 0


def _table(found: Plan) -> tuple[tuple[str, ...], list[tuple[Any, ...]]]:
    """Return every number of a plan, one row for each target; nothing where a number is not known."""
    import numpy as np

    held = {
        name: value
        for name, value in found.to_dict().items()
        if name == "active" or (isinstance(value, (float, list)) and name not in _OF_ALL)
    }
    held["ratio"] = found.ratio
    data = {name: np.atleast_1d(np.asarray(value)).ravel().tolist() for name, value in held.items()}
    rows = zip(*data.values(), strict=True)
    return tuple(data), [tuple("" if value != value else value for value in row) for row in rows]
