r"""Parameters against tokens: the best of a budget, the cheapest of a loss, the partner of a size, under caps.

On :math:`L = E + X^c`, :math:`X = A N'^{-a} + B D'^{-b}`, with any cost c(N, D), the best point is where

.. math:: \ln\frac{a A N'^{-a} s_N}{b B D'^{-b} s_D} = \ln\frac{\partial \ln c/\partial \ln N}{\partial \ln c/\partial \ln D}

and :math:`s = d \ln N'/d \ln N` is 1 without repetition. Both X and a cost that is a sum of monomials are convex in
(ln N, ln D): the condition has one solution along an edge, to one side of which everything is worse; caps move it to the
nearest point that they allow.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ....equality import by_value
from ....reprs import short_repr
from . import _repetition
from ._costs import LARGEST, Cost, root
from ._formulas import VARIABLES
from ._laws import FitLaw
from ._optimal_points import log_params

Array = NDArray[np.float64]

CAPS = ("max_params", "max_tokens", "max_ratio")
SEVERAL = len(CAPS)
"""Number that stands for two caps at once: all that they allow is used."""

_SCAN = 257  # points of a search along a budget whose cost may not be convex
_WIDEST = 60.0  # logit of the share of a term in X up to which a search goes point by point


@short_repr
@dataclass(frozen=True)
@by_value
class Surface:
    """Parameters of E + (A/N^a + B/D^b)^c, each a number or a column of samples, shape (B, 1).

    Attributes
    ----------
    E, log_A, log_B, a, b, c : ndarray
        Parameters.
    log_unique : float or None
        Logarithm of the number of unique tokens, where they are repeated.
    R_D, R_N : float or ndarray
        Constants of repetition; published ones unless they were fitted.
    """

    E: Array
    log_A: Array
    log_B: Array
    a: Array
    b: Array
    c: Array
    log_unique: float | None = None
    R_D: Any = _repetition.R_D
    R_N: Any = _repetition.R_N

    def counting(self, u: Any, v: Any) -> tuple[Array, Array]:
        """Return the logarithms of the parameters and of the tokens that count."""
        if self.log_unique is None:
            return np.asarray(u, float), np.asarray(v, float)
        own = _repetition.log_unique_params(self.log_unique, self)
        return (
            _repetition.effective(u, own, self.R_N),
            _repetition.effective(v, self.log_unique, self.R_D),
        )

    def log_trade(self, u: Any, v: Any) -> Array:
        """Return the logarithm of the loss's slope in ln N over that in ln D."""
        size, data = self.counting(u, v)
        found = (
            np.log(self.a) + self.log_A - self.a * size - np.log(self.b) - self.log_B
        ) + self.b * data
        if self.log_unique is not None:
            own = _repetition.log_unique_params(self.log_unique, self)
            found = found + _repetition.log_slope(u, own, self.R_N)
            found = found - _repetition.log_slope(v, self.log_unique, self.R_D)
        return np.asarray(found)

    def log_inner(self, u: Any, v: Any) -> Array:
        """Return ln X."""
        size, data = self.counting(u, v)
        return np.asarray(np.logaddexp(self.log_A - self.a * size, self.log_B - self.b * data))

    def loss(self, u: Any, v: Any) -> Array:
        """Return the loss."""
        return np.asarray(self.E + np.exp(self.c * self.log_inner(u, v)))

    def log_inner_of(self, loss: Any) -> Array:
        """Return ln X of a loss; -inf where it is not above E."""
        with np.errstate(divide="ignore"):
            return np.asarray(np.log(np.maximum(loss - self.E, 0.0)) / self.c)

    def log_model(self, u: Any) -> Array:
        """Return the logarithm of the model's term."""
        return np.asarray(self.log_A - self.a * self.counting(u, 0.0)[0])

    def log_data(self, v: Any) -> Array:
        """Return the logarithm of the data's term."""
        return np.asarray(self.log_B - self.b * self.counting(0.0, v)[1])

    def at_share(self, s: Any, log_inner: Any) -> tuple[Array, Array]:
        """Return ln N and ln D where X has a value and the model's term a share of it, by its logit; inf where none are enough."""
        with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
            log_model, log_data = (log_inner - np.logaddexp(0, sign * s) for sign in (-1, 1))
            size, data = (self.log_A - log_model) / self.a, (self.log_B - log_data) / self.b
            if self.log_unique is None:
                return np.asarray(size), np.asarray(data)
            own = _repetition.log_unique_params(self.log_unique, self)
            return (
                _repetition.quantity(size, own, self.R_N),
                _repetition.quantity(data, self.log_unique, self.R_D),
            )

    @property
    def columns(self) -> tuple[Array, ...]:
        """The parameters, and the constants of repetition where there is any."""
        if self.log_unique is None:
            return self.E, self.log_A, self.log_B, self.a, self.b, self.c
        rates = (np.broadcast_to(rate, self.a.shape) for rate in (self.R_D, self.R_N))
        return self.E, self.log_A, self.log_B, self.a, self.b, self.c, *rates

    @classmethod
    def of(cls, columns: Sequence[Array], log_unique: float | None = None) -> Surface:
        """Return the surface with parameters in the order of `columns`; the last two may be left out."""
        E, log_A, log_B, a, b, c, *rates = columns
        R_D, R_N = rates or (_repetition.R_D, _repetition.R_N)
        return cls(E, log_A, log_B, a, b, c, log_unique, R_D, R_N)

    def without_repetition(self) -> Surface:
        """Return the same surface for tokens that are all unique."""
        return Surface.of(self.columns)

    def named(self) -> dict[str, Array]:
        """Return the parameters of ``surface_power``."""
        named = {"E": self.E, "A": np.exp(self.log_A), "B": np.exp(self.log_B)}
        return named | {"a": self.a, "b": self.b, "c": self.c}


@short_repr
@dataclass(frozen=True)
@by_value
class Caps:
    """Upper bounds of ln N, ln D and ln D/N; inf for none."""

    max_params: float = np.inf
    max_tokens: float = np.inf
    max_ratio: float = np.inf

    @property
    def corner(self) -> tuple[float, float]:
        """The largest model and the most tokens that are allowed together."""
        return self.max_params, min(self.max_tokens, self.max_params + self.max_ratio)


@short_repr
@dataclass(frozen=True)
@by_value
class Points:
    """Where a search ended: ln N, ln D, and the number of the cap in `CAPS` that stopped it (-1 for none, `SEVERAL` for two)."""

    u: Array
    v: Array
    cap: NDArray[np.int64]


# -- surfaces of laws -----------------------------------------------------------------------------------------------------


def surface_of(
    law: FitLaw, parameters: Mapping[str, ArrayLike], log_unique: float | None = None
) -> Surface | None:
    """Return a law as a surface of two terms, if it is one.

    Parameters
    ----------
    law : FitLaw
        Any.
    parameters : mapping of str to array_like
        Numbers, or samples of shape (B,).
    log_unique : float, optional
        Logarithm of the number of unique tokens.

    Returns
    -------
    Surface or None
        With columns, shape (B, 1).
    """
    p = {name: np.atleast_1d(np.asarray(value, float)) for name, value in parameters.items()}
    one = np.ones(1)
    with np.errstate(divide="ignore"):
        if law.id in ("surface", "surface_power", "repetition"):
            values = [p["E"], np.log(p["A"]), np.log(p["B"]), p["a"], p["b"], p.get("c", one)]
            values += [p["R_D"], p["R_N"]] if law.id == "repetition" else []
        elif law.id in ("kaplan", "kaplan+offset"):
            inner = p["a_N"] / p["a_D"]
            values = [p.get("E", 0 * one), inner * np.log(p["N_c"]), np.log(p["D_c"])]
            values += [inner, one, p["a_D"]]
        elif law.catalogue is None and (evaluate := _two_terms(law.id)) is not None:
            E, A, B, a, b, c = evaluate(**p)
            values = [E, np.log(A), np.log(B), a, b, c]
        else:
            return None
    columns = [column[:, None] for column in np.broadcast_arrays(*values)]
    return Surface.of(columns, log_unique)


@lru_cache(maxsize=32)
def _two_terms(text: str) -> Callable[..., list[Array]] | None:
    """Read an expression as E + (A N^-a + B D^-b)^c, if it is one; return a function of its parameters."""
    import sympy as sp

    from ....parsing import parse_expression

    formula = parse_expression(text)
    N, D = sp.Symbol("N", positive=True), sp.Symbol("D", positive=True)
    if {symbol.name for symbol in formula.free_symbols} & {*VARIABLES} != {"N", "D"}:
        return None
    offset, rest = formula.as_independent(N, D, as_Add=True)
    power = sp.S.One
    if isinstance(rest, sp.Pow) and isinstance(rest.base, sp.Add):
        rest, power = rest.base, rest.exp
    terms = sp.Add.make_args(rest)
    if len(terms) != 2 or power.free_symbols & {N, D}:
        return None
    terms = sorted(terms, key=lambda term: term.has(D))
    found = [offset]
    slopes = []
    for term, own in zip(terms, (N, D), strict=True):
        slope = -sp.simplify(own * sp.diff(term, own) / term)
        if not term.has(own) or term.has(*({N, D} - {own})) or slope.free_symbols & {N, D}:
            return None
        found.append(term.subs(own, 1))
        slopes.append(slope)
    names = sorted(formula.free_symbols - {N, D}, key=str)
    evaluate = sp.lambdify(names, [*found, *slopes, power], "numpy")

    def values(**parameters: Array) -> list[Array]:
        size = next(iter(parameters.values())).shape
        raw = evaluate(*(parameters[symbol.name] for symbol in names))
        return [np.broadcast_to(np.asarray(value, float), size) for value in raw]

    return values


# -- searches -------------------------------------------------------------------------------------------------------------


def best_of_budget(surface: Surface, cost: Cost, caps: Caps, log_budget: ArrayLike) -> Points:
    """Find the least loss among points that cost so much, within caps; more is not spent than caps allow.

    Parameters
    ----------
    surface : Surface
        With columns of shape (B, 1).
    cost : Cost
        What is spent.
    caps : Caps
        Bounds.
    log_budget : array_like, shape (m,) or (B, m)
        Logarithms of what may be spent.

    Returns
    -------
    Points
        Arrays of shape (B, m).
    """
    shape = np.broadcast_shapes(surface.a.shape, np.shape(log_budget))
    goal = np.broadcast_to(np.asarray(log_budget, float), shape)
    factor = cost.per_token
    if factor is not None and surface.log_unique is None:
        closed = log_params("surface_power", surface.named(), np.exp(goal), factor, inside=False)
        v = goal - np.log(factor) - closed
    else:
        v = _free_tokens(surface, cost, np.asarray(log_budget, float))
    low, high = np.full(shape, -np.inf), np.full(shape, caps.max_tokens)
    high_cap = np.full(shape, CAPS.index("max_tokens"))
    if np.isfinite(caps.max_params):
        low = np.broadcast_to(cost.tokens_at(caps.max_params, goal), shape)
    if np.isfinite(caps.max_ratio):
        ratio = np.broadcast_to(cost.tokens_at_ratio(caps.max_ratio, goal), shape)
        high_cap = np.where(ratio < high, CAPS.index("max_ratio"), high_cap)
        high = np.minimum(high, ratio)
    v, cap = _clipped(v, low, CAPS.index("max_params"), high, high_cap)
    u = np.where(cap == 0, caps.max_params, cost.params_at(v, goal))
    corner = caps.corner
    if np.all(np.isfinite(corner)):
        left = np.asarray(cost.log(*corner)) <= goal
        u, v = np.where(left, corner[0], u), np.where(left, corner[1], v)
        cap = np.where(left, SEVERAL, cap)
    return Points(u, v, cap)


def cheapest(surface: Surface, cost: Cost, caps: Caps, loss: ArrayLike) -> Points:
    """Find what costs least among points of a loss, within caps; inf where no point has it.

    Parameters
    ----------
    surface, cost, caps
        As for `best_of_budget`.
    loss : array_like, shape (m,) or (B, m)
        Losses.

    Returns
    -------
    Points
        Arrays of shape (B, m).

    Notes
    -----
    Along a loss, s is the logit of the share of the model's term in X: the larger, the smaller the model.
    """
    goal = surface.log_inner_of(np.asarray(loss, float))
    shape = goal.shape
    if cost.per_token is not None and surface.log_unique is None:
        s = np.broadcast_to(np.log(surface.b / surface.a), shape)
    else:
        s = _free_share(surface, cost, goal)
    low, high = np.full(shape, -np.inf), np.full(shape, np.inf)
    high_cap = np.full(shape, CAPS.index("max_tokens"))
    with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
        if np.isfinite(caps.max_params):
            low = _logit(surface.log_model(caps.max_params) - goal)
        if np.isfinite(caps.max_tokens):
            high = -_logit(surface.log_data(caps.max_tokens) - goal)
        if np.isfinite(caps.max_ratio):
            ratio = _solved(_ratio_at_share, surface, (-LARGEST, LARGEST), goal, caps.max_ratio)
            high_cap = np.where(ratio < high, CAPS.index("max_ratio"), high_cap)
            high = np.minimum(high, ratio)
        s, cap = _clipped(s, low, CAPS.index("max_params"), high, high_cap)
        u, v = surface.at_share(s, goal)
        u = np.where(cap == 0, caps.max_params, u)
        v = np.where(cap == 1, caps.max_tokens, v)
        nowhere = (low > high) | (goal == -np.inf) | ~np.isfinite(u) | ~np.isfinite(v)
    return Points(np.where(nowhere, np.inf, u), np.where(nowhere, np.inf, v), cap)


def partner(surface: Surface, cost: Cost, caps: Caps, log_value: ArrayLike, given: str) -> Points:
    """Find the tokens for which a model is the best of its budget, or the model for which tokens are.

    Parameters
    ----------
    surface, cost, caps
        As for `best_of_budget`.
    log_value : array_like, shape (m,)
        Logarithms of the parameters or the tokens.
    given : {"params", "tokens"}
        Which.

    Returns
    -------
    Points
        Arrays of shape (B, m).
    """
    shape = np.broadcast_shapes(surface.a.shape, np.shape(log_value))
    at = np.broadcast_to(np.asarray(log_value, float), shape)
    ends = -LARGEST, LARGEST
    if given == "params":
        v = _solved(lambda local, v, u: _slack(local, cost, u, v), surface, ends, at)
        ratio = at + caps.max_ratio
        high_cap = np.where(ratio < caps.max_tokens, *map(CAPS.index, ("max_ratio", "max_tokens")))
        high = np.minimum(caps.max_tokens, ratio)
        v, cap = _clipped(v, np.full(shape, -np.inf), -1, high, high_cap)
        return Points(at, v, cap)
    u = _solved(lambda local, u, v: -_slack(local, cost, u, v), surface, ends, at)
    high = np.full(shape, caps.max_params)
    low = at - caps.max_ratio
    u, cap = _clipped(u, low, CAPS.index("max_ratio"), high, np.zeros(shape, int))
    return Points(u, at, cap)


# -- pieces ---------------------------------------------------------------------------------------------------------------


def _slack(surface: Surface, cost: Cost, u: Any, v: Any) -> Array:
    """Return what the condition of the optimum is off by: positive where there are too many tokens for the parameters."""
    with np.errstate(invalid="ignore"):
        return np.asarray(surface.log_trade(u, v) - cost.log_trade(u, v))


def _solved(
    function: Callable[..., Any], surface: Surface, ends: tuple[Any, Any], *arrays: Any
) -> Array:
    """Find where a growing function of a surface, an unknown and other arrays is 0, elementwise."""
    count = len(surface.columns)

    def flat(unknown: Array, *given: Array) -> Array:
        local = Surface.of(given[:count], surface.log_unique)
        return np.asarray(function(local, unknown, *given[count:]))

    return root(flat, *ends, (*surface.columns, *arrays))


def _free_tokens(surface: Surface, cost: Cost, goal: Array) -> Array:
    """Find ln D of the best point of a budget without caps."""

    def slack(local: Surface, v: Array, top: Array) -> Array:
        u = cost.params_at(v, top)
        found = _slack(local, cost, u, v)
        return np.where(np.isfinite(u), found, LARGEST)  # tokens alone cost more

    ends: tuple[Any, Any] = (-LARGEST, LARGEST)
    if not cost.convex:
        goal = np.atleast_2d(goal)
        most = np.clip(cost.tokens_at(0.0, goal), 1.0, LARGEST)
        grid = np.linspace(0.0, most, _SCAN)
        inner = surface.log_inner(cost.params_at(grid, goal), grid)
        ends = _around_least(grid, inner)
    return _solved(slack, surface, ends, goal)


def _free_share(surface: Surface, cost: Cost, goal: Array) -> Array:
    """Find the logit of the share of the model's term where a loss costs least, without caps."""

    def slack(local: Surface, s: Array, top: Array) -> Array:
        u, v = local.at_share(s, top)
        found = np.where(u == np.inf, -LARGEST, _slack(local, cost, u, v))
        return np.where(v == np.inf, LARGEST, found)  # no number of repeated tokens is enough

    ends: tuple[Any, Any] = (-LARGEST, LARGEST)
    if not cost.convex:
        grid = np.linspace(-_WIDEST, _WIDEST, _SCAN).reshape((-1,) + (1,) * goal.ndim)
        with np.errstate(all="ignore"):
            spent = cost.log(*surface.at_share(grid, goal))
        ends = _around_least(np.broadcast_to(grid, spent.shape), spent)
    return _solved(slack, surface, ends, np.where(np.isfinite(goal), goal, 0.0))


def _ratio_at_share(surface: Surface, s: Array, goal: Array, log_ratio: Array) -> Array:
    u, v = surface.at_share(s, goal)
    with np.errstate(invalid="ignore"):
        return np.where(v == np.inf, LARGEST, np.where(u == np.inf, -LARGEST, v - u - log_ratio))


def _around_least(grid: Array, values: Array) -> tuple[Array, Array]:
    """Return the neighbors of the point of a grid, its first axis, where values are least."""
    with np.errstate(invalid="ignore"):
        at = np.argmin(np.where(np.isfinite(values), values, np.inf), axis=0)[None]
    left, right = np.maximum(at - 1, 0), np.minimum(at + 1, len(grid) - 1)
    grid = np.broadcast_to(grid, values.shape)
    return np.take_along_axis(grid, left, 0)[0], np.take_along_axis(grid, right, 0)[0]


def _logit(log_share: Array) -> Array:
    """Return ln(p/(1-p)) for ln p; inf from p = 1 on."""
    return np.where(
        log_share < 0, log_share - np.log(-np.expm1(np.minimum(log_share, 0.0))), np.inf
    )


def _clipped(
    x: Array, low: Array, low_cap: int, high: Array, high_cap: NDArray[np.int64]
) -> tuple[Array, NDArray[np.int64]]:
    """Move what lies beyond an end to it; return which cap did, -1 for none."""
    cap = np.where(x < low, low_cap, np.where(x > high, high_cap, -1))
    return np.minimum(np.maximum(x, low), high), cap
