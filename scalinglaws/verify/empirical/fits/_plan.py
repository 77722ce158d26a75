"""Plans: how large a model, on how many tokens, for a compute, a loss, a size or a number of tokens, under caps and other costs."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from ....arguments import instance, number, numbers, text
from ....errors import DomainError
from ._costs import per_token_cost, read_cost
from ._intervals import level_of
from ._plan_record import Plan
from ._plan_task import TARGETS, Task
from ._record import Fit
from ._tradeoff import CAPS

_MOST_TOKENS = 1e100  # as of runs


def plan(
    fit: Fit,
    *,
    compute: ArrayLike | None = None,
    loss: ArrayLike | None = None,
    params: ArrayLike | None = None,
    tokens: ArrayLike | None = None,
    unique_tokens: float | None = None,
    inference_tokens: float = 0,
    max_params: float | None = None,
    max_tokens: float | None = None,
    max_ratio: float | None = None,
    cost: str | None = None,
    law: str | None = None,
    level: float = 0.95,
) -> Plan:
    r"""Plan a run: the best model for a compute, the cheapest for a loss, or what goes with a size or a number of tokens.

    .. math:: \frac{\partial \ln X/\partial \ln N}{\partial \ln X/\partial \ln D} =
        \frac{\partial \ln c/\partial \ln N}{\partial \ln c/\partial \ln D}, \quad
        X = A N^{-a} + B D^{-b}, \quad c = 6 N D + 2 N D_{inf}

    Parameters
    ----------
    fit : Fit
        Of laws in N and D.
    compute : array_like, optional
        All that may be spent: training, and inference where `inference_tokens` are given. Exactly one of this and the next three
        must be given.
    loss : array_like, optional
        Loss to reach at the least cost.
    params, tokens : array_like, optional
        Size, or number of training tokens; the plan is the one whose best size, or data, it is.
    unique_tokens : float, optional
        Tokens that there are; beyond, they are repeated, and count less and less: by the constants of a fit of ``repetition``, else by
        published ones (`constants`, `constants_from`).
    inference_tokens : float
        Tokens that the model will read or write when it is used, each at the cost of 2 N.
    max_params, max_tokens, max_ratio : float, optional
        Largest N, D and D/N.
    cost : str, optional
        Of training, an expression in N and D that grows with both; by default ``6*N*D``, or what the fit's runs cost.
    law : str, optional
        One of the fit's laws instead of all, weighted.
    level : float
        Nominal coverage of the intervals, between 0 and 1.

    Returns
    -------
    Plan
        Numbers, or arrays of the shape of the target.

    Raises
    ------
    DomainError
        If none or several of the targets are given, a budget is below the cost of one parameter and one token, a loss is not above the
        irreducible one or out of reach of the caps, a plan repeats its tokens more often than any run of which a law of repetition is known
        (1500 epochs), or an argument is not allowed.
    DataError
        If a plan has 16 epochs or more, by constants fitted to runs of fewer than 8.

    Notes
    -----
    N and D of several laws are weighted in their logarithms, losses as `forecast` does, and a loss is reached where the weighted
    forecast reaches it. 4000 resampled fits and 7 budgets: 0.05 s by closed forms, 0.5 s with inference or repetition, 2 s for a cost that
    is no sum of powers. Points agree to 1e-9 with a numerical minimization.

    References
    ----------
    .. [1] N. Sardana et al., *Beyond Chinchilla-Optimal*, arXiv:2401.00448, eq. 5.
    .. [2] N. Muennighoff et al., *Scaling Data-Constrained Language Models*, arXiv:2305.16264, eqs. 5 and 6.

    Examples
    --------
    >>> from scalinglaws.verify.empirical import from_parameters
    >>> known = from_parameters("besiroglu")
    >>> served = plan(known, loss=2.1, inference_tokens=1e12)
    >>> print(f"{served.params:.0f} parameters, {served.tokens:.9e} tokens, {served.total_cost:.9e} FLOP")
    7480418255 parameters, 5.557347983e+11 tokens, 3.990360889e+22 FLOP
    """
    instance("fit", fit, Fit)
    targets = {"compute": compute, "loss": loss, "params": params, "tokens": tokens}
    given = [name for name, value in targets.items() if value is not None]
    if len(given) != 1:
        told = f"; got {', '.join(given)}" if given else ""
        raise DomainError(
            f"exactly one of {', '.join(TARGETS)} must be given{told}: caps are max_params, max_tokens, max_ratio",
            argument=given[1] if given else "compute",
            value=targets[given[1]] if given else None,
        )
    (target,) = given
    value = numbers(target, targets[target], low=0, strict=True)  # type: ignore[arg-type]
    task = Task(
        fit,
        target,
        np.atleast_1d(value).ravel(),
        unique=_optional("unique_tokens", unique_tokens),
        inference=number("inference_tokens", inference_tokens, low=0, high=_MOST_TOKENS),
        caps={
            name: bound
            for name, cap in zip(CAPS, (max_params, max_tokens, max_ratio), strict=True)
            if (bound := _optional(name, cap)) is not None
        },
        cost=per_token_cost(fit.cost) if cost is None else read_cost(text("cost", cost)),
        law=law,
        level=level_of(level),
    )
    return task.plan(value.shape)


def _optional(name: str, value: Any) -> float | None:
    return None if value is None else number(name, value, low=0, strict=True)
