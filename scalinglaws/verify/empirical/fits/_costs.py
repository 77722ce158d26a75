r"""What training a model costs: any expression that grows with its parameters N and its tokens D.

Sums of powers are kept as such: :math:`\ln c(u, v)` with :math:`u = \ln N`, :math:`v = \ln D` is convex then, so that the cheapest
model of a loss, or the best of a budget, is the only one at which slopes agree.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import elementwise
from scipy.special import logsumexp

from ....equality import by_value
from ....errors import refusal
from ....parsing import parse_expression
from ....reprs import short_repr

Array = NDArray[np.float64]

LARGEST = 230.0  # |ln N| and |ln D| up to which anything is looked for: 1e100
_TOLERANCES = {"xatol": 0.0, "xrtol": 4e-16, "fatol": 0.0, "frtol": 0.0}
_GRID = np.linspace(0.0, 40.0, 21)  # ln N and ln D at which a cost must grow
_MOST_STEPS = 200


def root(function: Callable[..., Array], low: Any, high: Any, args: tuple[Any, ...] = ()) -> Array:
    """Find where a growing function is 0, elementwise: -inf where it is positive at the lower end, inf where negative at the upper."""
    ends = np.broadcast_arrays(np.asarray(low, float), np.asarray(high, float), *args)
    left, right, rest = ends[0], ends[1], tuple(ends[2:])
    with np.errstate(all="ignore"):
        first, last = function(left, *rest), function(right, *rest)
        inside = (first < 0) & (last > 0)
        found = np.where(first >= 0, np.where(first == 0, left, -np.inf), np.inf)
        found = np.where(last == 0, right, found)
        if np.any(inside):
            solved = elementwise.find_root(
                function,
                (left[inside], right[inside]),
                args=tuple(entry[inside] for entry in rest),
                tolerances=_TOLERANCES,
                maxiter=_MOST_STEPS,
            )
            found[inside] = solved.x
    return np.asarray(found)


@short_repr
@dataclass(frozen=True)
@by_value
class Cost:
    """A sum of monomials in N and D.

    Attributes
    ----------
    text : str
        As it was written.
    logs, params, tokens : ndarray, shape (t,)
        Logarithms of the coefficients, and the powers of N and D.
    """

    text: str
    logs: Array
    params: Array
    tokens: Array

    convex = True

    @property
    def per_token(self) -> float | None:
        """The number k where the cost is k N D."""
        if self.logs.size == 1 and self.params[0] == 1 and self.tokens[0] == 1:
            return float(np.exp(self.logs[0]))
        return None

    def plus_inference(self, tokens: float) -> Cost:
        """Return the cost of training and of 2 N FLOP for each of so many tokens."""
        if tokens == 0:
            return self
        return Cost(
            f"{self.text} + 2*N*{tokens:.6g}",
            np.append(self.logs, np.log(2 * tokens)),
            np.append(self.params, 1.0),
            np.append(self.tokens, 0.0),
        )

    def log(self, u: Any, v: Any) -> Array:
        """Return the logarithm of the cost."""
        return np.asarray(logsumexp(self._terms(u, v), axis=0))

    def log_trade(self, u: Any, v: Any) -> Array:
        """Return the logarithm of the cost's slope in ln N over that in ln D."""
        terms = self._terms(u, v)
        shape = (-1,) + (1,) * (terms.ndim - 1)
        with np.errstate(divide="ignore"):
            up = logsumexp(terms, axis=0, b=self.params.reshape(shape))
            across = logsumexp(terms, axis=0, b=self.tokens.reshape(shape))
        return np.asarray(up - across)

    def params_at(self, v: Any, log_cost: Any) -> Array:
        """Return the ln N that, with ln D, costs so much; -inf where the tokens alone cost more."""
        return self._other(self.params, self.tokens, v, log_cost, lambda u, w: self.log(u, w))

    def tokens_at(self, u: Any, log_cost: Any) -> Array:
        """Return the ln D that, with ln N, costs so much; -inf where the parameters alone cost more."""
        return self._other(self.tokens, self.params, u, log_cost, lambda v, w: self.log(w, v))

    def tokens_at_ratio(self, log_ratio: float, log_cost: Any) -> Array:
        """Return the ln D that costs so much with D/N fixed."""
        low = -LARGEST if self.convex else max(log_ratio, 0.0)
        return root(lambda v, goal: self.log(v - log_ratio, v) - goal, low, LARGEST, (log_cost,))

    def _terms(self, u: Any, v: Any) -> Array:
        u, v = np.broadcast_arrays(np.asarray(u, float), np.asarray(v, float))
        shape = (-1,) + (1,) * u.ndim
        return np.asarray(
            self.logs.reshape(shape)
            + self.params.reshape(shape) * u
            + self.tokens.reshape(shape) * v
        )

    def _other(
        self,
        own: Array,
        others: Array,
        given: Any,
        log_cost: Any,
        log: Callable[[Any, Any], Array],
    ) -> Array:
        """Solve for one variable: directly where all terms with it have one power of it."""
        given, goal = np.broadcast_arrays(np.asarray(given, float), np.asarray(log_cost, float))
        powers = np.unique(own[own > 0])
        if powers.size > 1:
            return root(lambda w, z, top: log(w, z) - top, -LARGEST, LARGEST, (given, goal))
        terms = self.logs.reshape((-1,) + (1,) * given.ndim) + np.multiply.outer(others, given)
        with np.errstate(divide="ignore", invalid="ignore"):
            rest = goal
            if np.any(own == 0):
                fixed = logsumexp(terms[own == 0], axis=0) - goal
                rest = goal + np.log(np.maximum(-np.expm1(np.minimum(fixed, 0.0)), 0.0))
            return np.asarray((rest - logsumexp(terms[own > 0], axis=0)) / powers[0])


@short_repr
@dataclass(frozen=True)
@by_value
class OtherCost(Cost):
    """A cost that is no sum of monomials: evaluated as it is written, and looked through point by point."""

    value: Callable[..., Any] = field(default=np.multiply, repr=False)
    slopes: tuple[Callable[..., Any], Callable[..., Any]] = field(
        default=(np.multiply, np.multiply), repr=False
    )
    inference: float = 0.0

    convex = False

    @property
    def per_token(self) -> float | None:
        """None: it is no multiple of N D."""
        return None

    def plus_inference(self, tokens: float) -> OtherCost:
        """Return the cost of training and of 2 N FLOP for each of so many tokens."""
        return OtherCost(
            self.text, self.logs, self.params, self.tokens, self.value, self.slopes, tokens
        )

    def log(self, u: Any, v: Any) -> Array:
        """Return the logarithm of the cost."""
        u, v = np.broadcast_arrays(np.asarray(u, float), np.asarray(v, float))
        size, data = np.exp(u), np.exp(v)
        with np.errstate(all="ignore"):
            return np.asarray(np.log(self.value(size, data) + 2 * size * self.inference))

    def log_trade(self, u: Any, v: Any) -> Array:
        """Return the logarithm of the cost's slope in ln N over that in ln D."""
        u, v = np.broadcast_arrays(np.asarray(u, float), np.asarray(v, float))
        size, data = np.exp(u), np.exp(v)
        with np.errstate(all="ignore"):
            up = size * (self.slopes[0](size, data) + 2 * self.inference)
            return np.asarray(np.log(up) - np.log(data * self.slopes[1](size, data)))

    def _other(
        self,
        own: Array,
        others: Array,
        given: Any,
        log_cost: Any,
        log: Callable[[Any, Any], Array],
    ) -> Array:
        # no formula need hold below one parameter and one token
        return root(lambda w, z, top: log(w, z) - top, 0.0, LARGEST, (given, np.asarray(log_cost)))


def per_token_cost(factor: float) -> Cost:
    """Return the cost k N D.

    Examples
    --------
    >>> per_token_cost(6).text
    '6*N*D'
    """
    return Cost(f"{factor:.10g}*N*D", np.log([factor]), np.ones(1), np.ones(1))


@lru_cache(maxsize=32)
def read_cost(text: str) -> Cost:
    """Read a cost.

    Parameters
    ----------
    text : str
        An expression in N and D that is positive and grows with both.

    Returns
    -------
    Cost
        As a sum of monomials where it is one.

    Raises
    ------
    DomainError
        If it is no such expression.

    Examples
    --------
    >>> read_cost("6*N*D + 1e3*D").params
    array([1., 0.])
    """
    import sympy as sp

    formula = parse_expression(text, "cost")
    N, D = sp.Symbol("N", positive=True), sp.Symbol("D", positive=True)
    if others := sorted(str(symbol) for symbol in formula.free_symbols - {N, D}):
        raise refusal("cost", text, f"must be an expression in N and D; {others[0]} is neither")
    rows = [_monomial(term, N, D) for term in sp.Add.make_args(sp.expand(formula))]
    if all(row is not None and row[0] > 0 for row in rows):
        table = np.array(sorted(row for row in rows if row is not None), float)
        found = Cost(text, np.log(table[:, 0]), table[:, 1], table[:, 2])
        if np.all(table[:, 1:] >= 0) and np.all(np.any(table[:, 1:] > 0, axis=0)):
            return found
        raise refusal("cost", text, "must grow with N and with D")
    value, *slopes = (
        sp.lambdify((N, D), part, "numpy")
        for part in (formula, sp.diff(formula, N), sp.diff(formula, D))
    )
    none = np.zeros(0)
    other = OtherCost(text, none, none, none, value, (slopes[0], slopes[1]))
    with np.errstate(all="ignore"):
        grid = np.meshgrid(np.exp(_GRID), np.exp(_GRID))
        parts = [np.broadcast_to(part(*grid), grid[0].shape) for part in (value, *slopes)]
    if not all(np.all(part > 0) and np.all(np.isfinite(part)) for part in parts):
        raise refusal("cost", text, "must be positive and grow with N and with D")
    return other


def _monomial(term: Any, N: Any, D: Any) -> tuple[float, float, float] | None:
    """Return coefficient and powers of a monomial; None for anything else."""
    import sympy as sp

    powers = term.as_powers_dict()
    p, q = (powers.get(name, sp.S.Zero) for name in (N, D))
    if p.free_symbols or q.free_symbols:
        return None
    rest = term / (N**p * D**q)
    if rest.free_symbols or not (rest.is_real and p.is_real and q.is_real):
        return None
    return float(rest), float(p), float(q)
