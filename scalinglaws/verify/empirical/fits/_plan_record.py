"""A plan, and its table."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from textwrap import wrap
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ....formatting import scientific
from ....notebook import words_html
from ....results import Result
from .._coded_warnings import CodedWarning

Array = NDArray[np.float64]
Value = float | Array

COLUMNS = 100
"""Characters of a line."""

_KINDS = ("mean", "run", "calibrated")
_SIZES = {"compute": "compute", "params": "N_opt", "tokens": "D_opt", "ratio": "D/N"}
_ASKED = {
    "compute": "least loss for compute",
    "loss": "least compute for a loss",
    "params": "data of a model",
    "tokens": "model for tokens",
}
_MORE = 1.005  # times the compute that are told
_FAR = 0.05  # decades above the largest run that are told


@dataclass(frozen=True)
class Plan(Result):
    r"""A model and its data.

    Attributes
    ----------
    target : str
        What was given: ``compute``, ``loss``, ``params`` or ``tokens``.
    params, tokens : float or ndarray
        N and D; arrays where several targets were given.
    compute : float or ndarray
        What training costs, by `cost`.
    total_cost : float or ndarray
        The same and 2 N for each token of inference.
    loss : float or ndarray
        Forecast, weighted over `weights`.
    params_low, params_high, tokens_low, tokens_high, compute_low, compute_high, ratio_low, ratio_high : float or ndarray
        Percentiles over resampled fits of the best plan, all laws weighted; what was given has no width. NaN where nothing is known
        of a fit's errors.
    loss_mean_low, loss_mean_high, loss_run_low, loss_run_high, loss_calibrated_low, loss_calibrated_high : float or ndarray
        Where the loss of this model lies: the law's own value, a run's, and a run's if the law drifts as its forecasts showed; see
        `predict`.
    active : str or ndarray of str
        The cap that moved the plan: ``max_params``, ``max_tokens``, ``max_ratio``; empty for none, ``all`` where caps leave a part of
        the budget unspent.
    multiplier : float or ndarray
        Compute over that of the best model with the same loss, which repeats no token, serves nobody and has no cap.
    epochs : float or ndarray
        D over the unique tokens; NaN where their number was not given.
    horizon : float or ndarray
        Decades of 6 N D beyond the largest run that was fitted, 0 below it; NaN without runs.
    ratio_beyond : float or ndarray
        D/N over the largest that was fitted; NaN without runs.
    cost : str
        What training costs.
    level : float
        Nominal coverage of all intervals.
    weights : dict of str to float
        Laws and their weights.
    caps : dict of str to float
        Those that were given.
    unique_tokens : float or None
        Tokens that there are.
    inference_tokens : float
        Tokens that the model will read or write when it is used.
    constants : dict of str to float
        Constants R_D and R_N of repetition, where it matters.
    constants_from : str
        ``"fit"`` for those of a fit of ``repetition``, ``"published"`` for those of Muennighoff et al.; empty where there are none.
    certificate : str
        Why the plan is the best: a closed form, the only solution of its condition, or the least of a search.
    warnings : tuple of CodedWarning
        What is doubtful of the plan.
    """

    target: str
    params: Value
    tokens: Value
    compute: Value
    total_cost: Value
    loss: Value
    params_low: Value
    params_high: Value
    tokens_low: Value
    tokens_high: Value
    compute_low: Value
    compute_high: Value
    ratio_low: Value
    ratio_high: Value
    loss_mean_low: Value
    loss_mean_high: Value
    loss_run_low: Value
    loss_run_high: Value
    loss_calibrated_low: Value
    loss_calibrated_high: Value
    active: Any
    multiplier: Value
    epochs: Value
    horizon: Value
    ratio_beyond: Value
    cost: str
    level: float
    weights: dict[str, float]
    caps: dict[str, float] = field(default_factory=dict)
    unique_tokens: float | None = None
    inference_tokens: float = 0.0
    constants: dict[str, float] = field(default_factory=dict)
    certificate: str = ""
    warnings: tuple[CodedWarning, ...] = ()
    constants_from: str = ""

    @property
    def ratio(self) -> Value:
        """Tokens per parameter."""
        return self.tokens / self.params

    def _repr_html_(self) -> str:
        return words_html(self.summary())

    def summary(self) -> str:
        """Describe the plan in lines of at most 100 characters.

        Returns
        -------
        str
            A table, which cap is active, and what is doubtful.

        Examples
        --------
        >>> from scalinglaws.verify.empirical import from_parameters, plan
        >>> print(plan(from_parameters("besiroglu"), compute=1e23).summary())
        surface: least loss for compute, C = 6*N*D
        compute  N_opt  D_opt   D/N  loss
        1e23     2.9e10 5.7e11  19   2.032
        """
        return _text(self)


# -- the table ------------------------------------------------------------------------------------------------------------


def _text(plan: Plan) -> str:
    """Write a plan as `Plan.summary` does."""
    laws = " + ".join(
        name if weight == 1 else f"{weight:.2f} {name}" for name, weight in plan.weights.items()
    )
    spent = (
        plan.cost if not plan.inference_tokens else f"{plan.cost} + 2*N*{plan.inference_tokens:g}"
    )
    limits = [f"{name} {bound:.3g}" for name, bound in plan.caps.items()]
    limits += [] if plan.unique_tokens is None else [f"{plan.unique_tokens:.3g} unique tokens"]
    head = f"{laws}: {_ASKED[plan.target]}, C = {spent}{''.join(f', {limit}' for limit in limits)}"
    if np.any(np.isfinite(_column(plan, "loss_mean_low"))):
        head += f"; {100 * plan.level:g} % intervals"
    table = _rows(plan, _KINDS)
    for dropped in (1, 2):
        if max(map(len, table)) > COLUMNS:
            table = _rows(plan, _KINDS[dropped:])
    return "\n".join([*wrap(head, COLUMNS, subsequent_indent="  "), *table, *_remarks(plan)])


def _rows(plan: Plan, kinds: tuple[str, ...]) -> list[str]:
    """Write the table: what was given first, intervals beside values, columns without content left out."""
    order = {"loss": ("loss", "compute", "params", "tokens", "ratio")}.get(
        plan.target, (plan.target, *(name for name in _SIZES if name != plan.target), "loss")
    )
    columns: list[tuple[str, list[str], int]] = []
    far = np.atleast_1d(plan.horizon)
    with_interval = {
        "compute": ("params", "ratio"),
        "loss": ("compute", "params"),
        "params": ("compute", "tokens"),
        "tokens": ("compute", "params"),
    }[plan.target]
    for name in order:
        values = _column(plan, name)
        if name == "loss":
            form = f".{_places(values)}f"
            columns.append(("loss", [format(value, form) for value in values], 2))
            columns += [(kind, _range(plan, f"loss_{kind}", _formatter(form)), 2) for kind in kinds]
            continue
        write = _ratio if name == "ratio" else scientific
        cells = [write(value) for value in values]
        if name == "compute":
            cells = [
                cell + (" !" if decades > _FAR else "")
                for cell, decades in zip(cells, far, strict=True)
            ]
        columns.append((_SIZES[name], cells, 1 if name in with_interval else 2))
        if name in with_interval:
            columns.append(("", _range(plan, name, write), 2))
    if plan.inference_tokens:
        columns.append(("with inference", list(map(scientific, _column(plan, "total_cost"))), 2))
    if plan.unique_tokens is not None:
        columns.append(("epochs", [f"{value:.3g}" for value in _column(plan, "epochs")], 2))
    lines = ["" for _ in range(1 + far.size)]
    for name, cells, gap in columns:
        if not any(cells):
            continue
        width = max(len(name), *map(len, cells))
        lines = [
            line + cell.ljust(width + gap) for line, cell in zip(lines, (name, *cells), strict=True)
        ]
    return [line.rstrip() for line in lines]


def _remarks(plan: Plan) -> list[str]:
    """Say what the table does not show: caps, repetition, ratios, and how far above the runs the plan lies."""
    lines = []
    active = np.atleast_1d(np.asarray(plan.active))
    multiplier = _column(plan, "multiplier")
    target = _column(plan, "total_cost" if plan.target == "compute" else plan.target)
    for name in dict.fromkeys(active[active != ""].tolist()):
        where = np.flatnonzero(active == name)
        at = f"at {plan.target} {_spread(target[where])}"
        if name == "all":
            lines.append(f"all that the caps allow, less than the budget, {at}")
        else:
            lines.append(
                f"{name} moves the plan {at}: {_spread(multiplier[where], '.3g')} times the compute of the best model "
                "with that loss"
            )
    free = np.flatnonzero(active == "")
    if free.size and np.any(multiplier[free] >= _MORE):
        lines.append(
            f"training takes {_spread(multiplier[free], '.3g')} times the compute of the best model with that loss"
        )
    if plan.constants:
        held = ", ".join(f"{name} = {value:.4g}" for name, value in plan.constants.items())
        lines.append(
            f"repeated tokens by the fit's constants {held}"
            if plan.constants_from == "fit"
            else f"repeated tokens by published constants {held} (Muennighoff et al.), not by these runs"
        )
    lines += _far_words(plan)
    lines += [str(warning) for warning in plan.warnings]
    return [part for line in lines for part in wrap(line, COLUMNS, subsequent_indent="  ")]


def _far_words(plan: Plan) -> list[str]:
    far = np.atleast_1d(plan.horizon)
    if not np.any(far > _FAR):
        return []
    known = np.isfinite(_column(plan, "loss_calibrated_low")).any()
    cure = "use calibrated there" if known else "forecasts so far ahead were not checked"
    return [f"! up to {float(np.nanmax(far)):.2g} decades above the largest run ({cure})"]


def _column(plan: Plan, name: str) -> Array:
    return np.atleast_1d(np.asarray(getattr(plan, name), float)).ravel()


def _range(plan: Plan, name: str, write: Callable[[float], str]) -> list[str]:
    """Write intervals; nothing where they are not known, or a cap leaves no width."""
    ends = zip(_column(plan, f"{name}_low"), _column(plan, f"{name}_high"), strict=True)
    return [
        "" if math.isnan(low) or low == high else f"{write(low)}..{write(high)}"
        for low, high in ends
    ]


def _formatter(form: str) -> Callable[[float], str]:
    return lambda value: format(value, form)


def _ratio(value: float) -> str:
    return f"{value:.0f}" if 9.5 <= value < 1e4 else scientific(value)


def _places(losses: Array) -> int:
    """Return the decimals that show four digits of the smallest loss."""
    smallest = float(np.min(losses))
    return min(max(3 - math.floor(math.log10(smallest)), 0), 9)


def _spread(values: Array, form: str = "") -> str:
    """Write one number, or the least and the largest of several."""
    write: Callable[[float], str] = _formatter(form) if form else scientific
    first, last = write(float(np.min(values))), write(float(np.max(values)))
    return first if first == last else f"{first}..{last}"
