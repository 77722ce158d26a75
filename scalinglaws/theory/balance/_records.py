"""Ways in which terms and constraints fix an optimum, and the choice among them at a point."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import sympy as sp

from ...arguments import digit_count, flag
from ...errors import refusal
from ...reprs import short_repr
from ..monomials import Monomial, power_of, power_product, raised, reduced, with_numbers
from ..relations import against_zero, is_positive
from ._feasibility import can_be_positive
from ._minimum import Minimum, minimum_at
from ._program import (
    Program,
    amplitudes,
    check_constraints_at,
    check_scale,
    numbers_for,
    reduce_rows,
)

_READABLE = 60  # characters of an exact number


@short_repr
@dataclass(frozen=True)
class Balance:
    r"""One way in which terms and constraints fix the optimum.

    Attributes
    ----------
    duals : mapping of Expr to Expr
        :math:`y_i` of each active term: its share in the total at the exact optimum, and the exponent with which its coefficient
        enters the value.
    multipliers : mapping of Expr to Expr
        :math:`\mu_q` of each budget and reached cap.

    Notes
    -----
    Computed when first asked for: `active` (terms and caps that fix the optimum), `value`
    (:math:`\prod c_i^{y_i} \prod C_q^{-\mu_q}`, the optimum up to a constant factor), `allocation` (the scales there, up to constant
    factors), `conditions` (what the parameters must satisfy for the balance to be possible), `exact_constant` (what to multiply
    `value` with for the exact minimum of the sum, :math:`\prod y_i^{-y_i}`, where all terms are active; else None) and
    `exact_alloc` (the scales there).
    """

    duals: Mapping[sp.Expr, sp.Expr]
    multipliers: Mapping[sp.Basic, sp.Expr]
    _program: Program = field(repr=False, compare=False)
    _support: tuple[tuple[int, ...], tuple[int, ...]] = field(repr=False)

    @cached_property
    def active(self) -> tuple[sp.Basic, ...]:
        """The terms that are equal at the optimum, and the caps that are reached there."""
        return (*self.duals, *(cap.expr for cap in self._closed_caps))

    @cached_property
    def value(self) -> sp.Expr:
        """The optimum up to a constant factor."""
        return power_product(self._factors)

    @cached_property
    def conditions(self) -> tuple[sp.Basic, ...]:
        """What the parameters must satisfy for this balance to be possible at all."""
        return tuple(
            dict.fromkeys(
                against_zero(sign, sp.Gt) for sign in self._signs if is_positive(sign) is None
            )
        )

    @cached_property
    def possible(self) -> bool | None:
        """Whether the conditions can hold together: True if proved, None if neither that nor the contrary is."""
        return can_be_positive(self._signs)

    @property
    def _signs(self) -> list[sp.Expr]:
        """What must be positive."""
        return [*self.duals.values(), *(self.multipliers[cap.expr] for cap in self._closed_caps)]

    @property
    def _closed_caps(self) -> list[Monomial]:
        return [self._program.caps[q] for q in self._support[1]]

    @property
    def _factors(self) -> list[tuple[sp.Expr, sp.Expr]]:
        """The coefficients and bounds in the value, with their exponents."""
        terms = [self._program.terms[i] for i in self._support[0]]
        constraints = [*self._closed_caps, *self._program.budgets]
        found = [(term.coefficient, y) for term, y in zip(terms, self.duals.values(), strict=True)]
        return found + [
            (item.coefficient, -mu)
            for item, mu in zip(constraints, self.multipliers.values(), strict=True)
        ]

    @cached_property
    def allocation(self) -> dict[sp.Symbol, sp.Expr | None]:
        """The free scales at the balance point, up to constant factors; None where the balance leaves one undetermined."""
        return self._solve([sp.S.One] * len(self._support[0]))

    @cached_property
    def exact_constant(self) -> sp.Expr | None:
        """The factor that turns `value` into the exact minimum."""
        if len(self.duals) < len(self._program.terms) or sp.false in self.exact_conditions:
            return None
        if self._open_caps and None in self._exact.values():
            return None
        return self.leading_constant

    @cached_property
    def exact_conditions(self) -> tuple[sp.Basic, ...]:
        """Conditions of `exact_constant`: the exact optimum respects the caps that are not reached."""
        if len(self.duals) < len(self._program.terms) or None in self._exact.values():
            return ()
        found = []
        for cap in self._open_caps:
            reached = sp.Mul(
                *(
                    raised(self._exact[name], power)
                    for name, power in zip(self._program.free, cap.exponents, strict=True)
                )
            )
            ratio = power_product([(reached, sp.S.One), (cap.coefficient, sp.S.NegativeOne)])
            condition = sp.Le(ratio, 1)
            if condition != sp.true:
                found.append(condition)
        return tuple(found)

    @property
    def leading_constant(self) -> sp.Expr:
        """What to multiply `value` with where this balance wins strictly: the other terms vanish against the active ones."""
        return sp.Mul(*(raised(sp.factor(1 / y), y) for y in self.duals.values()))

    @property
    def leading_alloc(self) -> dict[sp.Symbol, sp.Expr | None]:
        """The free scales at the minimum of the active terms alone; None where those leave one undetermined."""
        return self._exact

    @property
    def exact_alloc(self) -> dict[sp.Symbol, sp.Expr | None]:
        """The free scales at the exact minimum of the sum; only where all terms are active."""
        if self.exact_constant is None:
            raise refusal(
                "exact_alloc",
                self.active,
                f"the exact minimum is known only where all {len(self._program.terms)} terms are "
                f"active and the open caps are respected; here {', '.join(map(str, self.active))}",
                named=False,
            )
        return self._exact

    @cached_property
    def _exact(self) -> dict[sp.Symbol, sp.Expr | None]:
        return self._solve(list(self.duals.values()))

    @property
    def _open_caps(self) -> list[Monomial]:
        return [
            cap for number, cap in enumerate(self._program.caps) if number not in self._support[1]
        ]

    def exponent(self, scale: sp.Symbol) -> sp.Expr:
        """Return the power of `scale` in the value."""
        check_scale(self._program, scale)
        return reduced(self._raw_exponent(scale))

    def _raw_exponent(self, scale: sp.Symbol) -> sp.Expr:
        return sp.Add(*(power_of(factor, scale) * power for factor, power in self._factors))

    def determined(
        self, *, leading: bool, accept: Callable[[Mapping[sp.Symbol, sp.Expr]], bool]
    ) -> dict[sp.Symbol, sp.Expr]:
        """Return an allocation with every scale, also where the balance alone leaves some open.

        Parameters
        ----------
        leading : bool
            At the minimum of the active terms instead of the point where they are equal.
        accept : callable
            Whether an allocation is good: no other term exceeds the active ones.

        Returns
        -------
        dict
            Open scales are chosen such that one more term is as large as the active ones, or else set to one.
        """
        shares = (
            list(self.duals.values())
            if flag("leading", leading)
            else [sp.S.One] * len(self._support[0])
        )
        program, width = self._program, len(self._program.free) + 1
        solved = self._solve(shares)
        if None in solved.values():
            for term in program.terms:
                trial = self._solve(
                    shares, [([*term.exponents, sp.S.NegativeOne], 1 / term.coefficient)]
                )
                complete = {name: value for name, value in trial.items() if value is not None}
                if len(complete) == len(trial) and accept(complete):
                    return complete
        pins: list[tuple[list[sp.Expr], sp.Expr]] = []
        while open_ := [number for number, value in enumerate(solved.values()) if value is None]:
            pins.append(([sp.Integer(column == open_[0]) for column in range(width)], sp.S.One))
            solved = self._solve(shares, pins)
        return {name: value for name, value in solved.items() if value is not None}

    def _solve(
        self, shares: Sequence[sp.Expr], extra: Sequence[tuple[list[sp.Expr], sp.Expr]] = ()
    ) -> dict[sp.Symbol, sp.Expr | None]:
        """Solve ``c_i X^a_i = share_i * L``, ``X^F_q = C_q`` and further equations for X, linearly in the logarithms."""
        program, (terms, caps) = self._program, self._support
        closed = [*(program.caps[q] for q in caps), *program.budgets]
        rows = [[*program.terms[i].exponents, sp.S.NegativeOne] for i in terms] + [
            [*item.exponents, sp.S.Zero] for item in closed
        ]
        right = [
            share / program.terms[i].coefficient for i, share in zip(terms, shares, strict=True)
        ]
        right += [item.coefficient for item in closed]
        rows += [row for row, _ in extra]
        right += [value for _, value in extra]
        reduced, pivots = reduce_rows(
            [row + list(sp.eye(len(rows)).row(number)) for number, row in enumerate(rows)]
        )
        size = len(program.free) + 1
        found: dict[sp.Symbol, sp.Expr | None] = {}
        for column, name in enumerate(program.free):
            found[name] = None
            if column in pivots:
                line = reduced[pivots.index(column)]
                if all(line[other] == 0 for other in range(size) if other != column):
                    found[name] = power_product(zip(right, line[size:], strict=True))
        return found

    def __str__(self) -> str:
        where = ", ".join(map(str, self.conditions)) or "always"
        return f"{self.value} where {' = '.join(map(str, self.active))} ({where})"

    def _repr_latex_(self) -> str:
        return f"${sp.latex(self.value)}$"


@short_repr
@dataclass(frozen=True)
class Optimum:
    """The balance that wins at given parameters.

    Attributes
    ----------
    balance : Balance
        The winner.
    value : Expr
        Power of the scale, or the value itself where no scale was named.
    ties : tuple of Balance
        Others with the same value: powers of a logarithm may multiply the law there.

    Notes
    -----
    `value` is up to a constant factor, unless all terms are active. Where no scale was named, `minimum` is the exact one.
    """

    balance: Balance
    value: sp.Expr
    ties: tuple[Balance, ...]
    _values: Mapping[sp.Symbol, sp.Expr] | None = field(default=None, repr=False, compare=False)

    @cached_property
    def minimum(self) -> Minimum:
        """The exact minimum of the sum, and where it is; as `Allocation.minimum`."""
        if self._values is None:
            raise refusal(
                "scale",
                None,
                "a scale that grows without bound has no minimum: give it a value, and name no scale",
                named=False,
            )
        return Allocation((self.balance,)).minimum(self._values)


@short_repr
@dataclass(frozen=True)
class Allocation(Sequence[Balance]):
    """All ways in which the optimum can be fixed; a sequence of `Balance`.

    Attributes
    ----------
    regimes : tuple of Balance
        The vertices of the dual problem.
    compatibility : tuple of Expr
        Monomials of the bounds that must be at least 1 for budgets and caps to have a common point.

    Notes
    -----
    Constants move no optimum. They are summed in `irreducible`; balances and values are of the excess over it.
    """

    regimes: tuple[Balance, ...]
    compatibility: tuple[sp.Expr, ...] = ()

    def _repr_html_(self) -> str:
        from ._html import as_html

        return as_html(self)

    @property
    def irreducible(self) -> sp.Expr:
        """What no allocation changes: the sum of the constants among the terms."""
        return sp.Add(*(term.expr for term in self.regimes[0]._program.constants))

    @property
    def parameters(self) -> set[sp.Symbol]:
        """The symbols that need numbers for a minimum: all but the scales that are chosen, and those of constants."""
        program = self.regimes[0]._program
        items = (*program.terms, *program.budgets, *program.caps)
        return amplitudes(program).union(
            *(power.free_symbols for item in items for power in item.exponents)
        )

    def __getitem__(self, index: Any) -> Any:
        return self.regimes[index]

    def __len__(self) -> int:
        return len(self.regimes)

    def at(self, values: Mapping[sp.Symbol, Any], scale: sp.Symbol | None = None) -> Optimum:
        """Find the winner at given parameters, exactly.

        Parameters
        ----------
        values : mapping of Symbol to number
            Numbers for all parameters; floats are read as the decimals they print as.
        scale : Symbol, optional
            Let this parameter grow without bound and compare exponents; without it, values are compared.

        Returns
        -------
        Optimum
            Winner, its exponent or value (in decimals where the exact one takes lines), and ties.

        Raises
        ------
        DomainError
            If no balance is possible (the program is unbounded there), the constraints exclude each other, or a number is missing.

        Examples
        --------
        >>> from scalinglaws.theory.balance import allocate
        >>> N, D, C, a, b = sp.symbols("N D C a b", positive=True)
        >>> found = allocate(N**-a + D**-b, (N, D), budget=(N * D, C))
        >>> found.at({a: 1, b: 1}, scale=C).value
        -1/2
        """
        program = self.regimes[0]._program
        exact = numbers_for(program, values)
        if scale is not None:
            check_scale(program, scale)
        if scale in exact:
            raise refusal(
                "values",
                values,
                f"{scale} grows without bound and cannot have a value",
                named=False,
            )
        needed = set().union(
            *(sign.free_symbols for entry in self.regimes for sign in entry._signs)
        )
        if scale is None:
            needed |= amplitudes(program)
        else:
            needed |= set().union(
                *(entry._raw_exponent(scale).free_symbols for entry in self.regimes)
            )
        if missing := sorted(str(name) for name in needed - exact.keys()):
            raise refusal("values", values, f"are missing for {', '.join(missing)}", shown=False)
        check_constraints_at(program, exact, scale, values)
        ranked: list[tuple[sp.Expr, Balance]] = []
        for entry in self.regimes:
            numbers = [sign.subs(exact) for sign in entry._signs]
            if any(number.has(sp.zoo, sp.nan) or not bool(number >= 0) for number in numbers):
                continue
            measure = with_numbers(entry.value if scale is None else entry.exponent(scale), exact)
            ranked.append((measure, entry))
        if not ranked:
            raise refusal(
                "values",
                dict(values),
                f"no balance is possible at {', '.join((f'{k} = {v}' for k, v in values.items()))}: "
                "the optimum falls to zero, so a budget or a term that grows is missing",
                named=False,
            )
        best = max(ranked, key=lambda pair: sp.N(pair[0], 50))
        winners = [entry for measure, entry in ranked if sp.expand(measure - best[0]) == 0]
        value = best[0]
        if scale is None and value.is_number and len(str(value)) > _READABLE:
            value = sp.N(value, 15)
        return Optimum(winners[0], value, tuple(winners[1:]), None if scale else exact)

    def minimum(
        self, values: Mapping[sp.Symbol | str, Any] | None = None, *, digits: int | None = None
    ) -> Minimum:
        r"""Find the exact minimum of the sum at given numbers: the least value, and the scales there.

        .. math:: \min_X \sum_i c_i X^{a_i}, \qquad X^{F_q} = C_q \text{ (budgets)},\ X^{F_q} \le C_q \text{ (caps)}

        Parameters
        ----------
        values : mapping of Symbol or str to number
            Numbers for all parameters that have none yet, by symbol or by name; floats are read as the decimals they print as.
            Constants, which move no optimum, may be left out.
        digits : int, optional
            Return mpmath numbers with that many digits, at most 1000, instead of floats.

        Returns
        -------
        Minimum
            Excess over the irreducible part, total, scales, and the terms' shares.

        Raises
        ------
        DomainError
            If a number is missing, the constraints exclude each other, or nothing keeps the sum from falling to zero.
        ConvergenceError
            If the minimum was not found to all digits.

        Notes
        -----
        Unlike the balances, which compare powers, this weighs all terms. It is the minimum of a convex function of the
        logarithms of the scales: Newton's method, tens of milliseconds; tenths of a second with caps.

        Examples
        --------
        >>> from scalinglaws.theory.balance import allocate
        >>> N, D, C = sp.symbols("N D C", positive=True)
        >>> found = allocate(406.4 / N**0.34 + 410.7 / D**0.28, (N, D), budget=(6 * N * D, C))
        >>> best = found.minimum({C: 1e21})
        >>> f"{best.excess:.6f} at N = {best.scales[N]:.6g}, D = {best.scales[D]:.6g}"
        '0.638883 at N = 1.82422e+09, D = 9.13634e+10'
        """
        program = self.regimes[0]._program
        values = {} if values is None else values
        if isinstance(values, Mapping):
            values = {
                sp.Symbol(name, positive=True) if isinstance(name, str) else name: value
                for name, value in values.items()
            }
        exact = numbers_for(program, values)
        if missing := sorted(str(name) for name in self.parameters - exact.keys()):
            raise refusal("values", values, f"are missing for {', '.join(missing)}", shown=False)
        check_constraints_at(program, exact, None, values)
        count = 15 if digits is None else digit_count("digits", digits)
        found = minimum_at(program, exact, count)
        return found if digits is not None else found.rounded()
