r"""The best model size and data for a compute: closed forms of the two surfaces, a search for any other law in N and D.

With :math:`C = \kappa N D`, :math:`S = a + b` and :math:`\ln G = \frac1S \ln\frac{aA}{bB}`,

.. math:: N_{opt} = G (C/\kappa)^{b/S}, \quad D_{opt} = G^{-1} (C/\kappa)^{a/S}, \quad
          L_{opt} = E + \Big[A \frac Sb G^{-a} (C/\kappa)^{-ab/S}\Big]^c

with c = 1 for ``surface``; a growing function of the sum has its optimum where the sum has it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import brentq

from ....arguments import number, numbers
from ....errors import refusal
from ._law import NOTHING, FitLaw
from ._laws import fit_law

Array = NDArray[np.float64]
Parameters = Mapping[str, ArrayLike]

CLOSED = ("surface", "surface_power")
"""Laws whose optimum is known in closed form."""

_GRID = 129  # points of a search in ln N, and in what is left of it
_SPACING = 0.005  # of the five points from which derivatives in ln N are taken
_NEWTON = 3
_LEAST = 5e-324  # least number that there is: over a factor it may be none
_FURTHEST = 300.0  # |ln C| up to which a compute is looked for


def optimal_point(
    law_id: str | FitLaw, parameters: Parameters, compute: ArrayLike, cost: float = 6.0
) -> tuple[Any, Any, Any]:
    r"""Return the best model size and data for a compute, and the loss there.

    Parameters
    ----------
    law_id : str or FitLaw
        A law in N and D.
    parameters : mapping of str to array_like
        Its parameters.
    compute : array_like
        C, > 0. Parameters and compute are broadcast against each other.
    cost : float
        Compute per parameter and token.

    Returns
    -------
    (N, D, L) : floats or ndarrays
        Closed forms for ``surface`` and ``surface_power``. For any other law :math:`\ln N_{opt}` is found to about 1e-9, 1e-7 where the
        loss is 0.1 % above its offset, in 0.1 ms for each set of parameters.

    Raises
    ------
    DomainError
        If the law has no minimum inside :math:`1 < N < C/\kappa`: with an exponent or an amplitude of 0, say.

    Examples
    --------
    >>> N, D, L = optimal_point("surface", {"E": 1.8172, "A": 482.01, "B": 2085.43, "a": 0.3478, "b": 0.3658}, 1e21)
    >>> print(f"{N:.9e} {D:.9e} {L:.9f}")
    2.778459463e+09 5.998527921e+10 2.305528571
    """
    law = fit_law(law_id)
    budget = numbers("compute", compute, low=0, strict=True)
    log_n = log_params(law, parameters, budget, cost)
    size = np.exp(log_n)
    data = budget / (cost * size)
    if law.id in CLOSED:
        p = _arrays(law, parameters)
        above = np.exp(_log_frontier(p, np.log(budget / cost)))
        loss = p["E"] + above
    else:
        x, where, _ = _flat(law, parameters, budget)
        logs = np.array([np.broadcast_to(log_n, where.shape), np.log(where / cost) - log_n])
        rows = logs.reshape(2, -1)
        loss = np.exp([law.values(x[k], rows[:, k : k + 1])[0] for k in range(len(x))])
        loss = loss.reshape(where.shape)
    return _unwrapped(size), _unwrapped(data), _unwrapped(loss)


def log_params(
    law: str | FitLaw,
    parameters: Parameters,
    compute: ArrayLike,
    cost: float = 6.0,
    *,
    inside: bool = True,
) -> Array:
    r"""Return :math:`\ln N_{opt}` for computes.

    Parameters
    ----------
    law, parameters, compute, cost
        As for `optimal_point`.
    inside : bool
        Whether to refuse a law without a minimum inside; else it is plus or minus infinity there.

    Returns
    -------
    ndarray
        Of the common shape of parameters and compute.
    """
    chosen = fit_law(law)
    factor = number("cost", cost, low=0, strict=True)
    budget = np.log(np.maximum(np.asarray(compute, float) / factor, _LEAST))
    if chosen.id in CLOSED:
        p = _arrays(chosen, parameters)
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            found = (_log_share(p) + p["b"] * budget) / (p["a"] + p["b"])
        # a flat term is worth nothing: all compute to the other one
        flat_model = (p["a"] <= 0) | (p["A"] <= 0)
        flat_data = (p["b"] <= 0) | (p["B"] <= 0)
        found = np.where(flat_model, -np.inf, np.where(flat_data, np.inf, found))
    else:
        if set(chosen.variables) != {"N", "D"}:
            raise refusal(
                "law", chosen.id, "has no optimum: it is no law in both N and D", shown=True
            )
        x, where, shape = _flat(chosen, parameters, np.exp(budget))
        found = _searched(chosen, x, np.log(where).ravel()).reshape(shape)
    if inside and not np.all(np.isfinite(found)):
        side = "small" if np.any(found == -np.inf) else "large"
        raise refusal(
            "law",
            chosen.id,
            f"has no optimum inside: along N D = C/{factor:g} the loss falls towards {side} models all the way",
        )
    return np.asarray(found, float)


def compute_for(
    law_id: str | FitLaw, parameters: Parameters, loss: ArrayLike, cost: float = 6.0
) -> Any:
    r"""Return the least compute that reaches a loss.

    .. math:: C(L) = \kappa \Big[\frac{b\,G^a}{A (a+b)} (L - E)^{1/c}\Big]^{-\frac{a+b}{ab}}

    Parameters
    ----------
    law_id : str or FitLaw
        A law in N and D.
    parameters : mapping of str to array_like
        Its parameters.
    loss : array_like
        L, > 0. Parameters and loss are broadcast against each other.
    cost : float
        Compute per parameter and token.

    Returns
    -------
    float or ndarray
        C; inf for a loss that no compute reaches, such as one that is not above E.

    Raises
    ------
    DomainError
        If the law has no optimum.

    Examples
    --------
    >>> known = {"E": 1.8172, "A": 482.01, "B": 2085.43, "a": 0.3478, "b": 0.3658}
    >>> f"{compute_for('surface', known, 2.0):.9e}"
    '2.474802447e+23'
    """
    law = fit_law(law_id)
    target = numbers("loss", loss, low=0, strict=True)
    factor = number("cost", cost, low=0, strict=True)
    if law.id in CLOSED:
        p = _arrays(law, parameters)
        log_params(law, parameters, 1.0, factor)  # refuses what has no optimum
        with np.errstate(divide="ignore", invalid="ignore"):
            above = np.log(target - p["E"]) / p["c"]
        a, b = p["a"], p["b"]
        scaled = above - _log_frontier(p | {"c": np.ones(())}, np.zeros(()))
        with np.errstate(over="ignore"):
            found = np.exp(np.log(factor) - (a + b) / (a * b) * scaled)
        return _unwrapped(np.where(target > p["E"], found, np.inf))
    x, where, shape = _flat(law, parameters, target)
    return _unwrapped(
        np.array(
            [_least_compute(law, x[k], float(goal), factor) for k, goal in enumerate(where.ravel())]
        ).reshape(shape)
    )


def log_gradient_params(
    law_id: str | FitLaw, parameters: Mapping[str, float], compute: ArrayLike, cost: float = 6.0
) -> Array:
    r"""Return the gradient of :math:`\ln N_{opt}` in the coordinates of a law.

    .. math:: \Big(0, \frac1S, -\frac1S, \frac1{aS} - \frac{\ell + b\lambda}{S^2},
              -\frac1{bS} - \frac{\ell - a\lambda}{S^2}\Big), \quad
              \ell = \ln\frac{aA}{bB}, \quad \lambda = \ln\frac C\kappa

    in :math:`(\ln E, \ln A, \ln B, a, b)`, and 0 for c. For any other law it is :math:`-\partial_u \nabla f / \partial_u^2 f` at the
    optimum, with derivatives in :math:`u = \ln N` along N D = const by five points.

    Parameters
    ----------
    law_id : str or FitLaw
        A law in N and D.
    parameters : mapping of str to float
        Its parameters.
    compute : array_like, shape (m,)
        C, > 0.
    cost : float
        Compute per parameter and token.

    Returns
    -------
    ndarray, shape (m, p)
        One row for each compute.
    """
    law = fit_law(law_id)
    budget = np.atleast_1d(numbers("compute", compute, low=0, strict=True)).ravel()
    log_n = log_params(law, parameters, budget, cost)
    rest = np.log(budget / cost)
    if law.id in CLOSED:
        p = {name: float(value) for name, value in _arrays(law, parameters).items()}
        a, b = p["a"], p["b"]
        total, share = a + b, float(_log_share(_arrays(law, parameters)))
        found = np.zeros((budget.size, len(law.names)))
        found[:, 1], found[:, 2] = 1 / total, -1 / total
        found[:, 3] = 1 / (a * total) - (share + b * rest) / total**2
        found[:, 4] = -1 / (b * total) - (share - a * rest) / total**2
        return found
    x = law.coordinates(parameters)
    rows = []
    for u, v in zip(log_n, rest, strict=True):
        steps = u + _SPACING * np.arange(-2, 3)
        logs = np.array([steps, v - steps])
        slopes, values = law.gradients(x, logs), law.values(x, logs)
        rows.append(-_first(slopes) / _second(values))
    return np.array(rows)


# -- closed forms -----------------------------------------------------------------------------------------------------------


def _arrays(law: FitLaw, parameters: Parameters) -> dict[str, Array]:
    """Return the parameters of a surface as arrays, with c = 1 where it has none."""
    found = {name: numbers(name, _held(law, parameters, name), low=0) for name in law.names}
    return {"c": np.ones(()), **found}


def _held(law: FitLaw, parameters: Parameters, name: str) -> ArrayLike:
    if name not in parameters:
        raise refusal("parameters", None, f"of {law.id} must name {name}", shown=False)
    return parameters[name]


def _log_share(p: Mapping[str, Array]) -> Array:
    """Return ln(aA/(bB))."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(np.log(p["a"]) + np.log(p["A"]) - np.log(p["b"]) - np.log(p["B"]))


def _log_frontier(p: Mapping[str, Array], budget: ArrayLike) -> Array:
    """Return ln(L_opt - E) for ln(C/kappa)."""
    a, b = p["a"], p["b"]
    total = a + b
    inner = np.log(p["A"]) + np.log(total / b) - a * _log_share(p) / total
    return np.asarray(p["c"] * (inner - a * b / total * np.asarray(budget)))


# -- search -----------------------------------------------------------------------------------------------------------------


def _flat(
    law: FitLaw, parameters: Parameters, other: ArrayLike
) -> tuple[Array, Array, tuple[int, ...]]:
    """Return coordinates, shape (K, p), of parameters that are broadcast against another array, that array, and their shape."""
    given = [np.asarray(_held(law, parameters, name), float) for name in law.names]
    *columns, spread = np.broadcast_arrays(*given, np.asarray(other, float))
    x = np.empty((spread.size, len(law.names)))
    for j, (column, log) in enumerate(zip(columns, law.logs, strict=True)):
        values = numbers(law.names[j], column.ravel(), low=0 if log else -math.inf)
        if log:
            with np.errstate(divide="ignore"):
                values = np.maximum(np.log(values), NOTHING)
        x[:, j] = values
    return x, spread, spread.shape


def _searched(law: FitLaw, x: Array, budgets: Array) -> Array:
    """Find ln N where the loss is least along ln N + ln D = budget, for each row of coordinates; infinite at the ends."""
    found = np.empty(len(x))
    for k, (row, budget) in enumerate(zip(x, budgets, strict=True)):
        if not budget > 0:
            raise refusal("compute", math.exp(budget), "is too small for a model of one parameter")
        u = np.linspace(0.0, budget, _GRID)
        at = _lowest(law, row, u, budget)
        if at in (0, _GRID - 1):
            found[k] = -np.inf if at == 0 else np.inf
            continue
        u = np.linspace(u[at - 1], u[at + 1], _GRID)
        u_k = float(u[_lowest(law, row, u, budget)])
        width = float(u[1] - u[0])
        for _ in range(_NEWTON):  # the lowest value hides where it is: its derivative shows it
            steps = u_k + _SPACING * np.arange(-2, 3)
            values = law.values(row, np.array([steps, budget - steps]))
            slope, bend = float(_first(values)), float(_second(values))
            if not bend > 0:
                break
            u_k -= min(max(slope / bend, -width), width)
        found[k] = u_k
    return found


def _lowest(law: FitLaw, x: Array, u: Array, budget: float) -> int:
    return int(np.argmin(law.values(x, np.array([u, budget - u]))))


def _first(values: Array) -> Any:
    """Return the first derivative along five points, the first axis."""
    return (values[0] - 8 * values[1] + 8 * values[3] - values[4]) / (12 * _SPACING)


def _second(values: Array) -> Any:
    """Return the second one."""
    return (-values[0] + 16 * values[1] - 30 * values[2] + 16 * values[3] - values[4]) / (
        12 * _SPACING**2
    )


def _least_compute(law: FitLaw, x: Array, loss: float, cost: float) -> float:
    """Find the compute whose optimum has a loss; infinite where none has."""
    goal = math.log(loss)

    def missing(budget: float) -> float:
        u = _searched(law, x[None], np.array([budget]))[0]
        if not math.isfinite(u):
            raise refusal(
                "law", law.id, f"has no optimum inside at C = {cost * math.exp(budget):.3g}"
            )
        return float(law.values(x, np.array([[u], [budget - u]]))[0]) - goal

    high = 40.0
    while missing(high) > 0:
        high *= 1.5
        if high > _FURTHEST:
            return math.inf
    low = high
    while missing(low) < 0:
        low -= 5.0
        if low <= 0:
            raise refusal("loss", loss, "is reached by any compute")
    return cost * math.exp(brentq(missing, low, high, xtol=1e-12, rtol=1e-14))


def _unwrapped(value: ArrayLike) -> Any:
    array = np.asarray(value, float)
    return float(array) if array.ndim == 0 else array
