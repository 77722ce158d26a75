r"""Bias against label noise, at the best rate: one program for all schedules, solved by `allocate`.

.. math:: L(T) = \min_{X \le x T} \big[c_F X^{-m} + c_N X^n/T\big]
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from typing import Any

import sympy as sp

from ...reprs import short_repr
from ..asymptotics import Branch, PowerSum
from ..monomials import reduced
from ..optimum import CostLimited
from ..records import Regime
from ..relations import against_zero
from ._letters import INTRINSIC, STEPS
from ._sums import tidy_gammas

SLOPE, GROWTH, FRONT, COST, SHARE = sp.symbols("m n c_F c_N x", positive=True)
"""Exponents of bias and noise, their constants, and the largest mean rate."""


@short_repr
@dataclass(frozen=True)
class Term:
    """One way in which bias or noise goes with intrinsic time: constant * X**exponent * log(X)**logs, where a condition holds."""

    exponent: sp.Expr
    logs: Any
    condition: sp.Basic
    name: str
    _build: Callable[[], sp.Expr] = field(repr=False, compare=False)

    @cached_property
    def constant(self) -> sp.Expr:
        """The factor in front, built when it is first asked for."""
        return self._build()


def terms_of(
    found: PowerSum, b: sp.Expr, factor: sp.Expr, names: dict[str, str]
) -> tuple[Term, ...]:
    """Translate the branches of a sum in K = X^(1/b)."""

    def translate(branch: Branch) -> Term:
        term = branch.candidate
        return Term(
            sp.factor(sp.cancel(term.exponent / b)),
            term.log_power,
            branch.condition,
            names[term.origin],
            lambda: factor * tidy_gammas(term.coefficient) * b**-term.log_power,
        )

    return tuple(map(translate, found.branches()))


@lru_cache(maxsize=1)
def program() -> CostLimited:
    """Return the program, its exponents being parameters."""
    return CostLimited(
        {
            "bias": FRONT * INTRINSIC**-SLOPE,
            "noise": COST * INTRINSIC**GROWTH / STEPS,
        },
        (INTRINSIC,),
        STEPS,
        caps=((INTRINSIC, SHARE * STEPS),),
        box={
            SLOPE: (sp.Rational(1, 10), sp.Integer(4)),
            GROWTH: (sp.Rational(1, 20), sp.Integer(1)),
        },
    )


@lru_cache(maxsize=2)
def solved(of_time: bool) -> tuple[Regime, Regime]:
    """Return what `allocate` finds of the loss, or of intrinsic time: where bias and noise balance, and at the largest rate."""
    found = program().regimes(INTRINSIC if of_time else None)
    easy, hard = sorted(found, key=lambda entry: entry.condition != (GROWTH + SLOPE > 1))
    return easy, hard


@short_repr
@dataclass(frozen=True)
class Traded:
    """The optimum of one kind of bias against one kind of noise.

    Attributes
    ----------
    bias, noise : Term
        Their exponents are -m and n.
    easy, hard, line : Basic
        Where they balance, where the largest rate is the best, and where both.
    """

    bias: Term
    noise: Term
    largest: sp.Expr

    @property
    def where(self) -> sp.Basic:
        """Where both terms are of these kinds."""
        return sp.And(self.bias.condition, self.noise.condition)

    @property
    def margin(self) -> sp.Expr:
        """Return m + n - 1: positive where bias and noise balance below the largest rate."""
        return sp.cancel(self.noise.exponent - self.bias.exponent - 1)

    def condition(self, relation: Any) -> sp.Basic:
        """Write where the margin is above, below or at zero."""
        return sp.And(self.where, against_zero(self.margin, relation))

    def insert(self, expr: sp.Expr) -> sp.Expr:
        """Insert exponents and constants into what the program found."""
        values = {
            SLOPE: lambda: -self.bias.exponent,
            GROWTH: lambda: self.noise.exponent,
            FRONT: lambda: self.bias.constant,
            COST: lambda: self.noise.constant,
            SHARE: lambda: self.largest,
        }
        needed = {name: values[name]() for name in values if name in expr.free_symbols}
        return expr.xreplace(needed)

    def exponent(self, regime: Regime) -> sp.Expr:
        """Return an exponent that the program found."""
        return reduced(self.insert(regime.exponent))

    def scale(self) -> sp.Expr:
        """Return the power of T in the best intrinsic time where bias and noise balance: a logarithm of X is as many of T."""
        return self.exponent(solved(True)[0])

    def easy(self) -> tuple[sp.Expr, sp.Expr, sp.Expr]:
        """Return exponent, constant and power of the logarithm of the loss where bias and noise balance."""
        found = solved(False)[0]
        m, n = -self.bias.exponent, self.noise.exponent
        share = sp.cancel(n / (m + n)), sp.cancel(m / (m + n))
        logs = reduced(share[0] * self.bias.logs + share[1] * self.noise.logs)
        # log X is log T times the power with which X grows
        return self.exponent(found), self.insert(found.constant) * self.scale() ** logs, logs

    def time(self) -> tuple[sp.Expr, sp.Expr, sp.Expr]:
        """Return exponent, constant and power of the logarithm of the best intrinsic time where bias and noise balance."""
        found = solved(True)[0]
        logs = reduced((self.bias.logs - self.noise.logs) * self.scale())
        return self.scale(), self.insert(found.constant) * self.scale() ** logs, logs

    def hard(self) -> tuple[sp.Expr, sp.Expr, sp.Expr]:
        """Return the same of the loss at the largest rate."""
        found = solved(False)[1]
        return self.exponent(found), self.insert(found.constant), sp.sympify(self.bias.logs)

    def line(self) -> tuple[sp.Expr, sp.Expr | None, sp.Expr]:
        """Return the same of the loss where the best rate would fall as the largest does: not at all, up to logarithms."""
        if self.noise.logs > self.bias.logs:  # noise asks for less
            return self.easy()
        exponent, constant, logs = self.hard()
        # where both fall alike, the constant depends on which of the two is smaller
        return exponent, None if self.noise.logs == self.bias.logs else constant, logs

    def left_out(self, others: Sequence[Term]) -> tuple[sp.Expr, sp.Expr] | None:
        """Return c and g of the relative size c T^-g of another term of bias or noise where these two balance; None without one."""
        power, constant, _ = self.time()
        m, n = -self.bias.exponent, self.noise.exponent
        for other in others:
            bias = (other.exponent / self.bias.exponent).is_positive
            mine, share = (self.bias, n / (m + n)) if bias else (self.noise, m / (m + n))
            gap = sp.cancel(other.exponent - mine.exponent)
            ratio = share * other.constant / mine.constant * constant**gap
            return ratio, sp.cancel(-gap * power)
        return None

    def left_out_when_hard(self) -> tuple[sp.Expr, sp.Expr]:
        """Return the same of the noise at the largest rate."""
        m, n = -self.bias.exponent, self.noise.exponent
        ratio = self.noise.constant / self.bias.constant * self.largest ** (m + n)
        return ratio, sp.cancel(1 - m - n)
