r"""Optimal exponents of sums of monomials under budgets.

A loss with several bottlenecks is a sum of monomials in free scales (model size, data, time), and resources are budgets on
monomials of the same scales. Up to a factor between 1 and the number of terms,

.. math:: \min_X \sum_i c_i X^{a_i} \asymp \max_{(y, \mu)} \prod_i c_i^{y_i} \prod_q C_q^{-\mu_q},

the maximum being over the vertices of :math:`y \ge 0,\ \sum_i y_i = 1,\ \sum_i y_i a_i + \sum_q \mu_q F_q = 0` (and
:math:`\mu_q \ge 0` for caps): linear-programming duality in the logarithms of the scales. `allocate` lists the vertices with
symbolic exponents, each a way in which terms balance; `regimes_in_region` says where in a space of parameters each one wins.
All symbols must be declared ``positive=True``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import chain, combinations
from typing import Any

import numpy as np
import sympy as sp
from sympy.polys.matrices import DomainMatrix

from ..errors import DomainError
from ._numbers import to_exact
from .monomials import Monomial, like_terms, monomial, power_of, power_product, reduced
from .relations import against_zero, is_positive

_FEASIBLE = 1e-12  # duals down to minus this count as feasible
_INFINITESIMAL = 1e-6  # a logarithm, as a power
_MAX_TERMS, _MAX_FREE = 12, 6  # the number of vertices grows like the binomial of the two


@dataclass(frozen=True)
class Program:
    """What is minimized: terms, free scales, and the budgets and caps on them."""

    free: tuple[sp.Symbol, ...]
    terms: tuple[Monomial, ...]
    budgets: tuple[Monomial, ...]
    caps: tuple[Monomial, ...]


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
        return tuple(dict.fromkeys(against_zero(sign, sp.Gt) for sign in self._signs if is_positive(sign) is None))

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
        return found + [(item.coefficient, -mu) for item, mu in zip(constraints, self.multipliers.values(), strict=True)]

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
            reached = sp.Mul(*(self._exact[name] ** power for name, power in zip(self._program.free, cap.exponents, strict=True)))
            ratio = power_product([(reached, sp.S.One), (cap.coefficient, sp.S.NegativeOne)])
            condition = sp.Le(ratio, 1)
            if condition != sp.true:
                found.append(condition)
        return tuple(found)

    @property
    def leading_constant(self) -> sp.Expr:
        """What to multiply `value` with where this balance wins strictly: the other terms vanish against the active ones."""
        return sp.Mul(*(sp.factor(1 / y) ** y for y in self.duals.values()))

    @property
    def leading_alloc(self) -> dict[sp.Symbol, sp.Expr | None]:
        """The free scales at the minimum of the active terms alone; None where those leave one undetermined."""
        return self._exact

    @property
    def exact_alloc(self) -> dict[sp.Symbol, sp.Expr | None]:
        """The free scales at the exact minimum of the sum; only where all terms are active."""
        if self.exact_constant is None:
            raise DomainError(
                f"the exact minimum is known only where all {len(self._program.terms)} terms are active and the open caps are "
                f"respected; here {', '.join(map(str, self.active))}",
                argument="exact_alloc",
                value=self.active,
            )
        return self._exact

    @cached_property
    def _exact(self) -> dict[sp.Symbol, sp.Expr | None]:
        return self._solve(list(self.duals.values()))

    @property
    def _open_caps(self) -> list[Monomial]:
        return [cap for number, cap in enumerate(self._program.caps) if number not in self._support[1]]

    def exponent(self, scale: sp.Symbol) -> sp.Expr:
        """Return the power of `scale` in the value."""
        _check_scale(self._program, scale)
        return reduced(self._raw_exponent(scale))

    def _raw_exponent(self, scale: sp.Symbol) -> sp.Expr:
        return sp.Add(*(power_of(factor, scale) * power for factor, power in self._factors))

    def determined(self, *, leading: bool, accept: Callable[[Mapping[sp.Symbol, sp.Expr]], bool]) -> dict[sp.Symbol, sp.Expr]:
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
        shares = list(self.duals.values()) if leading else [sp.S.One] * len(self._support[0])
        program, width = self._program, len(self._program.free) + 1
        solved = self._solve(shares)
        if None in solved.values():
            for term in program.terms:
                trial = self._solve(shares, [([*term.exponents, sp.S.NegativeOne], 1 / term.coefficient)])
                complete = {name: value for name, value in trial.items() if value is not None}
                if len(complete) == len(trial) and accept(complete):
                    return complete
        pins: list[tuple[list[sp.Expr], sp.Expr]] = []
        while open_ := [number for number, value in enumerate(solved.values()) if value is None]:
            pins.append(([sp.Integer(column == open_[0]) for column in range(width)], sp.S.One))
            solved = self._solve(shares, pins)
        return {name: value for name, value in solved.items() if value is not None}

    def _solve(self, shares: Sequence[sp.Expr], extra: Sequence[tuple[list[sp.Expr], sp.Expr]] = ()) -> dict[sp.Symbol, sp.Expr | None]:
        """Solve ``c_i X^a_i = share_i * L``, ``X^F_q = C_q`` and further equations for X, linearly in the logarithms."""
        program, (terms, caps) = self._program, self._support
        closed = [*(program.caps[q] for q in caps), *program.budgets]
        rows = [[*program.terms[i].exponents, sp.S.NegativeOne] for i in terms] + [[*item.exponents, sp.S.Zero] for item in closed]
        right = [share / program.terms[i].coefficient for i, share in zip(terms, shares, strict=True)]
        right += [item.coefficient for item in closed]
        rows += [row for row, _ in extra]
        right += [value for _, value in extra]
        reduced, pivots = _reduce([row + list(sp.eye(len(rows)).row(number)) for number, row in enumerate(rows)])
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
    """

    balance: Balance
    value: sp.Expr
    ties: tuple[Balance, ...]


@dataclass(frozen=True)
class Allocation(Sequence[Balance]):
    """All ways in which the optimum can be fixed; a sequence of `Balance`.

    Attributes
    ----------
    regimes : tuple of Balance
        The vertices of the dual problem.
    compatibility : tuple of Expr
        Monomials of the bounds that must be at least 1 for budgets and caps to have a common point.
    """

    regimes: tuple[Balance, ...]
    compatibility: tuple[sp.Expr, ...] = ()

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
            Winner, its exponent or value, and ties.

        Raises
        ------
        DomainError
            If no balance is possible (the program is unbounded there), the constraints exclude each other, or a number is missing.

        Examples
        --------
        >>> N, D, C, a, b = sp.symbols("N D C a b", positive=True)
        >>> found = allocate(N**-a + D**-b, (N, D), budget=(N * D, C))
        >>> found.at({a: 1, b: 1}, scale=C).value
        -1/2
        """
        program = self.regimes[0]._program
        exact = _numbers_for(program, values)
        if scale is not None:
            _check_scale(program, scale)
        if scale in exact:
            raise DomainError(f"{scale} grows without bound and cannot have a value", argument="values", value=values)
        needed = set().union(*(sign.free_symbols for entry in self.regimes for sign in entry._signs))
        if scale is None:
            needed |= _amplitudes(program)
        else:
            needed |= set().union(*(entry._raw_exponent(scale).free_symbols for entry in self.regimes))
        if missing := sorted(str(name) for name in needed - exact.keys()):
            raise DomainError(f"values are missing for {', '.join(missing)}", argument="values", value=values)
        _check_constraints_at(program, exact, scale, values)
        ranked: list[tuple[sp.Expr, Balance]] = []
        for entry in self.regimes:
            numbers = [sign.subs(exact) for sign in entry._signs]
            if any(number.has(sp.zoo, sp.nan) or not bool(number >= 0) for number in numbers):
                continue
            measure = (entry.value if scale is None else entry.exponent(scale)).subs(exact)
            ranked.append((measure, entry))
        if not ranked:
            raise DomainError(
                f"no balance is possible at {', '.join(f'{k} = {v}' for k, v in values.items())}: the optimum falls to zero, so a budget "
                "or a term that grows is missing",
                argument="values",
                value=dict(values),
            )
        best = max(ranked, key=lambda pair: sp.N(pair[0], 50))
        winners = [entry for measure, entry in ranked if sp.expand(measure - best[0]) == 0]
        return Optimum(winners[0], best[0], tuple(winners[1:]))


def _amplitudes(program: Program) -> set[sp.Symbol]:
    """Return the symbols in coefficients and bounds."""
    return set().union(*(item.coefficient.free_symbols for item in (*program.terms, *program.budgets, *program.caps)))


def _check_scale(program: Program, scale: Any) -> None:
    """Refuse to let something grow that the problem does not contain: its power would be zero in silence."""
    known = _amplitudes(program)
    if scale not in known:
        shown = ", ".join(sorted(map(str, known))) or "none"
        raise DomainError(
            f"scale = {scale} is no symbol of the coefficients and bounds ({shown}); symbols must be declared positive=True",
            argument="scale",
            value=scale,
        )


def _numbers_for(program: Program, values: Any) -> dict[sp.Symbol, sp.Expr]:
    """Read the numbers of parameters, each of which must occur in the problem and be positive."""
    if not isinstance(values, Mapping):
        raise DomainError(f"values = {values!r} must map symbols to numbers", argument="values", value=values)
    items = (*program.terms, *program.budgets, *program.caps)
    known = _amplitudes(program).union(*(power.free_symbols for item in items for power in item.exponents))
    exact = {}
    for name, value in values.items():
        if name not in known:
            shown = ", ".join(sorted(map(str, known))) or "none"
            raise DomainError(f"{name!s} is no parameter of the problem ({shown})", argument="values", value=values)
        exact[name] = to_exact(value)
        if not exact[name].is_positive:
            raise DomainError(f"{name} = {value} must be positive", argument="values", value=values)
    return exact


def _check_constraints_at(program: Program, exact: Mapping[sp.Symbol, sp.Expr], scale: sp.Symbol | None, values: Any) -> None:
    """Refuse points at which constraints exclude each other, or degenerate so that the symbolic answer does not hold."""

    def here(items: tuple[Monomial, ...]) -> tuple[Monomial, ...]:
        found = []
        for item in items:
            powers = tuple(power.subs(exact) for power in item.exponents)
            if any(power.has(sp.zoo, sp.nan, sp.oo) for power in powers) or all(power == 0 for power in powers):
                raise DomainError(
                    f"{item.expr} degenerates at {values}: allocate with these numbers instead", argument="values", value=values
                )
            found.append(Monomial(item.expr, item.coefficient.subs(exact), powers))
        return tuple(found)

    point = Program(program.free, program.terms, here(program.budgets), here(program.caps))
    if point.budgets and len(_reduce([item.exponents for item in point.budgets])[1]) < len(point.budgets):
        raise DomainError(f"the budgets depend on each other at {values}", argument="values", value=values)
    for ratio in _compatibility(point):
        power, rest = (sp.S.Zero, ratio) if scale is None else _split(ratio, scale, {})
        if power.is_negative or (power.is_zero and rest.is_number and bool(rest < 1)):
            raise DomainError(f"budgets and caps have no common point: {ratio} >= 1 is violated", argument="caps", value=values)


# -- building the list of vertices --------------------------------------------------------------------------------------


def allocate(
    terms: sp.Expr | Iterable[sp.Expr],
    free: sp.Symbol | Sequence[sp.Symbol],
    budget: Any = None,
    caps: Iterable[Any] = (),
) -> Allocation:
    r"""Minimize a sum of monomials over free scales under budgets and caps, with symbolic exponents.

    .. math:: \min_X \sum_i c_i X^{a_i} \quad\text{with}\quad X^{F_q} = C_q \text{ (budgets)},\ X^{F_q} \le C_q \text{ (caps)}

    Parameters
    ----------
    terms : Expr or iterable of Expr
        The sum, or its monomials. Coefficients must be positive; symbols that are not free are parameters.
    free : Symbol or sequence of Symbol
        The scales X to choose.
    budget : (monomial, bound), Eq, or a list of those
        Equality constraints, for example ``(6*N*D, C)``.
    caps : iterable of (monomial, bound) or Le
        Upper bounds, for example ``[(D, D_0)]``.

    Returns
    -------
    Allocation
        A sequence of `Balance`, one per vertex that some parameters allow. At given parameters the optimum is the largest one
        whose conditions hold; see `Allocation.at` and `regimes_in_region`.

    Raises
    ------
    DomainError
        If a term is not a monomial, a sign cannot be decided, budgets depend on each other, constraints exclude
        each other, or nothing keeps the optimum from falling to zero; the message names the culprit.

    Notes
    -----
    The value is the optimum up to a factor between 1 and the number of terms. Where all terms are active it is exact after
    multiplication with ``exact_constant``. Logarithms are not seen: ties between balances may hide them. The cost grows
    like the binomial coefficient of the number of terms over the number of scales; milliseconds for two terms, 0.1 s for five.

    References
    ----------
    .. [2] R. J. Duffin, E. L. Peterson, C. Zener, "Geometric Programming", Wiley (1967), ch. I.3.

    Examples
    --------
    >>> N, D, C, A, B, a, b = sp.symbols("N D C A B a b", positive=True)
    >>> (chinchilla,) = allocate(A * N**-a + B * D**-b, (N, D), budget=(6 * N * D, C))
    >>> chinchilla.exponent(C)
    -a*b/(a + b)
    >>> power_of(chinchilla.allocation[N], C)
    b/(a + b)
    """
    if isinstance(terms, str) or not isinstance(terms, (sp.Expr, Iterable)):
        raise DomainError(
            f"terms = {terms!r} must be a SymPy expression or several; scalinglaws.parsing.parse_expression reads text",
            argument="terms",
            value=terms,
        )
    names = (free,) if isinstance(free, sp.Symbol) else tuple(free) if isinstance(free, Iterable) else ()
    if not names or len(set(names)) < len(names) or not all(isinstance(name, sp.Symbol) and name.is_positive for name in names):
        raise DomainError(f"free = {free} must be one or more different symbols declared positive=True", argument="free", value=free)
    given = sp.Add.make_args(terms) if isinstance(terms, sp.Expr) else [sp.sympify(term) for term in terms]
    program = Program(
        names,
        like_terms([monomial("terms", term, names) for term in given]),
        tuple(_constraint("budget", item, names) for item in _pairs(budget)),
        tuple(_constraint("caps", item, names) for item in _pairs(caps)),
    )
    if not program.terms:
        raise DomainError("terms is empty: there is nothing to minimize", argument="terms", value=terms)
    if len(program.terms) > _MAX_TERMS or len(names) > _MAX_FREE:
        raise DomainError(
            f"{len(program.terms)} terms in {len(names)} scales: at most {_MAX_TERMS} in {_MAX_FREE} are handled",
            argument="terms",
            value=terms,
        )
    if program.budgets:
        _, pivots = _reduce([item.exponents for item in program.budgets])
        if len(pivots) < len(program.budgets):
            raise DomainError(
                f"the budgets {', '.join(str(item.expr) for item in program.budgets)} depend on each other: one follows from, or "
                "contradicts, the rest",
                argument="budget",
                value=budget,
            )
    compatibility = _compatibility(program)
    regimes = tuple(_vertices(program))
    if not regimes:
        raise DomainError(f"the optimum falls to zero: {_escape(program)}", argument="terms", value=terms)
    return Allocation(regimes, compatibility)


def _vertices(program: Program) -> Iterator[Balance]:
    """Solve the dual constraints on every support that can determine them."""
    columns = [(sp.S.One, *term.exponents) for term in program.terms]
    capped = [(sp.S.Zero, *cap.exponents) for cap in program.caps]
    always = [(sp.S.Zero, *item.exponents) for item in program.budgets]
    room = len(program.free) + 1 - len(always)
    target = [sp.S.One] + [sp.S.Zero] * len(program.free)
    for count in range(1, min(room, len(columns)) + 1):
        for support in combinations(range(len(columns)), count):
            for closed in _subsets(range(len(capped)), room - count):
                chosen = [columns[i] for i in support] + [capped[q] for q in closed] + always
                found = _unique(chosen, target)
                if found is None or any(_sign(entry) is False for entry in found[: count + len(closed)]):
                    continue
                solution = [sp.factor(entry.as_expr() if hasattr(entry, "as_expr") else entry) for entry in found]
                if any(entry.is_nonpositive for entry in solution[: count + len(closed)]):
                    continue
                if not _contradictory(solution[: count + len(closed)]):
                    yield _balance(program, support, closed, solution)


def _contradictory(signs: list[sp.Expr]) -> bool:
    """Whether two of the conditions bound one parameter from above and below with nothing in between."""
    bounds: dict[sp.Symbol, list[Any]] = {}
    single = [sign for sign in signs if len(sign.free_symbols) == 1]
    for sign in single if len(single) > 1 else []:
        if is_positive(sign) is None:
            condition = against_zero(sign, sp.Gt)
            if isinstance(condition, sp.Rel) and isinstance(condition.lhs, sp.Symbol) and condition.rhs.is_number:
                low, high = bounds.setdefault(condition.lhs, [sp.S.Zero, sp.oo])
                above = isinstance(condition, sp.StrictGreaterThan)
                bounds[condition.lhs] = [max(low, condition.rhs), high] if above else [low, min(high, condition.rhs)]
    return any(low >= high for low, high in bounds.values())


def _balance(program: Program, support: tuple[int, ...], closed: tuple[int, ...], solution: list[sp.Expr]) -> Balance:
    constraints = [*(program.caps[q] for q in closed), *program.budgets]
    duals = dict(zip((program.terms[i].expr for i in support), solution, strict=False))
    multipliers = dict(zip((item.expr for item in constraints), solution[len(support) :], strict=True))
    return Balance(duals, multipliers, program, (support, closed))


def _subsets(items: range, most: int) -> Iterator[tuple[int, ...]]:
    return chain.from_iterable(combinations(items, size) for size in range(min(most, len(items)) + 1))


def _rref(rows: Sequence[Sequence[sp.Expr]]) -> tuple[Any, tuple[int, ...]]:
    """Bring a matrix of rational functions into reduced row echelon form."""
    reduced, pivots = DomainMatrix.from_Matrix(sp.Matrix([list(row) for row in rows])).to_field().rref()
    return reduced, tuple(pivots)


def _reduce(rows: Sequence[Sequence[sp.Expr]]) -> tuple[list[list[sp.Expr]], tuple[int, ...]]:
    reduced, pivots = _rref(rows)
    return reduced.to_Matrix().tolist(), pivots


def _unique(columns: Sequence[Sequence[sp.Expr]], target: Sequence[sp.Expr]) -> list[Any] | None:
    """Solve ``sum_j x_j column_j = target`` if exactly one solution exists, in the elements of its field."""
    rows = [[column[i] for column in columns] + [target[i]] for i in range(len(target))]
    reduced, pivots = _rref(rows)
    if pivots != tuple(range(len(columns))):
        return None
    field_ = reduced.domain
    convert = (lambda entry: entry) if field_.is_FractionField else field_.to_sympy
    return [convert(reduced[i, len(columns)].element) for i in range(len(columns))]


def _sign(entry: Any) -> bool | None:
    """Decide quickly whether an element is positive: all its symbols are, so that the signs of coefficients tell."""
    if not hasattr(entry, "numer") or isinstance(entry, sp.Basic):
        return False if entry.is_nonpositive else None
    if not entry:
        return False
    above, below = ({bool(coefficient > 0) for coefficient in part.coeffs()} for part in (entry.numer, entry.denom))
    return None if len(above) > 1 or len(below) > 1 else above == below


# -- reading terms and constraints --------------------------------------------------------------------------------------


def _pairs(items: Any) -> list[Any]:
    if items is None:
        return []
    single = isinstance(items, sp.Basic) or (isinstance(items, tuple) and len(items) == 2 and isinstance(items[0], sp.Expr))
    return [items] if single else list(items)


def _constraint(argument: str, item: Any, free: tuple[sp.Symbol, ...]) -> Monomial:
    relation = sp.Eq if argument == "budget" else sp.Le
    if isinstance(item, relation):
        left, right = item.args
    elif isinstance(item, tuple) and len(item) == 2:
        left, right = map(sp.sympify, item)
    else:
        raise DomainError(f"{argument}: {item} must be a pair (monomial, bound) or {relation.__name__}", argument=argument, value=item)
    found = monomial(argument, left, free)
    bound = monomial(argument, right, free)
    if any(power != 0 for power in bound.exponents):
        raise DomainError(f"{argument}: the bound {right} must not contain free scales", argument=argument, value=item)
    if all(power == 0 for power in found.exponents):
        raise DomainError(f"{argument}: {left} contains none of the free scales {free}", argument=argument, value=item)
    shown = sp.Eq(left, right, evaluate=False) if argument == "budget" else sp.Le(left, right, evaluate=False)
    return Monomial(shown, bound.coefficient / found.coefficient, found.exponents)


def _split(ratio: sp.Expr, scale: sp.Symbol, exact: Mapping[sp.Symbol, sp.Expr]) -> tuple[sp.Expr, sp.Expr]:
    power = power_of(ratio, scale)
    return power.subs(exact), (ratio / scale**power).subs(exact)


# -- what can be wrong with the constraints -----------------------------------------------------------------------------


def _compatibility(program: Program) -> tuple[sp.Expr, ...]:
    """List the products of bounds that must be at least 1 (Farkas' lemma, on minimal sets of dependent constraints)."""
    constraints = [*program.budgets, *program.caps]
    found: dict[sp.Expr, None] = {}
    for size in range(2, min(len(constraints), len(program.free) + 1) + 1):
        for chosen in combinations(range(len(constraints)), size):
            rows = [[constraints[q].exponents[j] for q in chosen] for j in range(len(program.free))]
            reduced, pivots = _reduce(rows)
            if pivots != tuple(range(size - 1)):
                continue  # independent, or dependent already without the last one
            weights = [*(sp.factor(-reduced[i][-1]) for i in range(size - 1)), sp.S.One]
            if sp.S.Zero in weights:
                continue
            on_caps = [is_positive(weight) for q, weight in zip(chosen, weights, strict=True) if q >= len(program.budgets)]
            if False in on_caps and True in on_caps:
                continue
            sign = -1 if False in on_caps else 1
            ratio = power_product((constraints[q].coefficient, sign * weight) for q, weight in zip(chosen, weights, strict=True))
            if ratio.is_number and bool(ratio < 1):
                names = ", ".join(str(constraints[q].expr) for q in chosen)
                raise DomainError(f"budgets and caps have no common point: {names}", argument="caps", value=names)
            if not ratio.is_number:
                found[ratio] = None
    return tuple(found)


def _escape(program: Program) -> str:
    """Say along which direction all terms vanish."""
    from scipy.optimize import linprog

    symbols = sorted(set().union(*(power.free_symbols for item in program.terms for power in item.exponents)), key=str)
    point = {name: sp.Rational(7 + 3 * number, 5) for number, name in enumerate(symbols)}

    def numbers(items: tuple[Monomial, ...]) -> Any:
        return np.array([[float(power.subs(point)) for power in item.exponents] for item in items]).reshape(-1, len(program.free))

    upper = np.vstack([numbers(program.terms), numbers(program.caps)])
    bounds = np.concatenate([-np.ones(len(program.terms)), np.zeros(len(program.caps))])
    fixed = numbers(program.budgets)
    kept = {"A_eq": fixed, "b_eq": np.zeros(len(fixed))} if len(fixed) else {}
    sizes = np.ones(2 * len(program.free))
    split = {key: np.hstack([value, -value]) if value.ndim == 2 else value for key, value in kept.items()}
    found = linprog(sizes, A_ub=np.hstack([upper, -upper]), b_ub=bounds, **split)
    if not found.success:
        return "a budget, or a term that grows with a scale, is missing"
    direction = found.x[: len(program.free)] - found.x[len(program.free) :]
    moves = [f"{name} -> {'infinity' if step > 0 else '0'}" for name, step in zip(program.free, direction, strict=True) if abs(step) > 1e-9]
    return f"with {', '.join(moves)} all terms vanish; a budget, or a term that grows there, is missing"


# -- which balance wins where -------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class RegionalRegime:
    """A balance that wins in a part of a region.

    Attributes
    ----------
    regime : Balance
        The winner.
    exponent : Expr
        Power of the scale in its value.
    conditions : tuple of Relational
        Where it wins, within the region.
    fraction : float
        Share of the samples at which it wins.
    uncovered : int
        Samples of other winners that `conditions` fail to exclude; 0 unless the description is incomplete.
    ties : tuple of Balance
        Others that are as large wherever this one wins: constants and logarithms are then not those of this one alone.
    """

    regime: Balance
    exponent: sp.Expr
    conditions: tuple[sp.Basic, ...]
    fraction: float
    uncovered: int
    ties: tuple[Balance, ...] = ()


@dataclass(frozen=True)
class RegionalMap(Sequence[RegionalRegime]):
    """Winners in a region, the largest part first; a sequence of `RegionalRegime`."""

    entries: tuple[RegionalRegime, ...]

    def __getitem__(self, index: Any) -> Any:
        return self.entries[index]

    def __len__(self) -> int:
        return len(self.entries)

    def as_piecewise(self, *, decay: bool = False) -> sp.Expr:
        """Assemble the exponent as one expression, valid within the region.

        Parameters
        ----------
        decay : bool
            Reverse the sign: the exponent g of ``scale**-g``.

        Returns
        -------
        Expr
            A Piecewise; on the boundaries, where exponents agree, either branch.
        """
        sign = -1 if decay else 1
        weak = {sp.StrictGreaterThan: sp.Ge, sp.StrictLessThan: sp.Le}
        pieces = []
        for entry in self.entries:
            closed = (weak.get(condition.func, condition.func)(*condition.args) for condition in entry.conditions)
            pieces.append((sign * entry.exponent, sp.And(*closed)))
        return sp.Piecewise(*pieces)


def regimes_in_region(
    regimes: Iterable[Balance],
    scale: sp.Symbol,
    region: Mapping[sp.Symbol, tuple[Any, Any]] | Callable[[np.random.Generator], Sequence[float]],
    params: Sequence[sp.Symbol] | None = None,
    *,
    where: Iterable[sp.Basic] = (),
    samples: int = 400,
    rng: np.random.Generator | int = 0,
    logarithm: sp.Symbol | None = None,
) -> RegionalMap:
    """Find which balance wins where as one scale grows without bound, with readable conditions.

    Parameters
    ----------
    regimes : Allocation or iterable of Balance
        As returned by `allocate`.
    scale : Symbol
        What grows. Several large scales: substitute powers of one first.
    region : mapping of Symbol to (low, high), or callable
        A box, or a function that draws one point, in the order of `params`, from a Generator.
    params : sequence of Symbol, optional
        The parameters; by default the keys of the box.
    where : iterable of Relational
        Points that violate one of these are drawn again.
    samples : int
        Number of points.
    rng : Generator or int
        Source of the points.
    logarithm : Symbol, optional
        A parameter that grows as the logarithm of the scale: it decides between equal exponents.

    Returns
    -------
    RegionalMap
        Winners with exponents and conditions.

    Raises
    ------
    DomainError
        If a parameter has no range, the region is empty, or no balance is possible at a point of it.

    Notes
    -----
    Exponents are exact; the conditions are certified by the samples alone, so slivers smaller than their spacing can be
    missed: raise `samples`, or give a smaller region. Conditions are chosen by greedy set cover among the irreducible factors
    of duals and of exponent differences, products being used only where single factors cannot separate the winners.

    Examples
    --------
    >>> K, P, v, a, b = sp.symbols("K P v a b", positive=True)
    >>> ridge = allocate(K ** -(a - 1) + K ** (-2 * b) + v * K / P, K)
    >>> box = {a: (sp.Rational(11, 10), 8), b: (1, 3)}
    >>> for entry in regimes_in_region(ridge, P, box):
    ...     print(entry.exponent, *entry.conditions)
    -(a - 1)/a a - 2*b < 1
    -2*b/(2*b + 1) a - 2*b > 1
    """
    regimes = tuple(regimes)
    if not regimes:
        raise DomainError("regimes is empty: there is nothing to choose from", argument="regimes", value=regimes)
    if samples < 1:
        raise DomainError(f"samples = {samples} must be at least 1", argument="samples", value=samples)
    _check_scale(regimes[0]._program, scale)
    where = (where,) if isinstance(where, sp.Basic) else tuple(where)
    if isinstance(region, Mapping):
        for name, ends in region.items():
            if np.shape(ends) != (2,) or not -np.inf < float(ends[0]) <= float(ends[1]) < np.inf:
                raise DomainError(
                    f"region: {name} in {ends} must be two finite numbers, the lower one first", argument="region", value=region
                )
    names = tuple(params) if params is not None else tuple(region) if isinstance(region, Mapping) else ()
    exponents = [entry._raw_exponent(scale) for entry in regimes]
    duals = [entry._signs for entry in regimes]
    needed = set().union(*(expr.free_symbols for expr in [*exponents, *chain.from_iterable(duals)]))
    if missing := sorted(str(name) for name in needed - set(names)):
        raise DomainError(f"region gives no range for {', '.join(missing)}", argument="region", value=region)
    points = _draw(region, names, where, samples, np.random.default_rng(rng))

    def at_points(exprs: Sequence[sp.Expr]) -> Any:
        values = sp.lambdify(names, list(exprs), "numpy", cse=True)(*points.T)
        return np.array([np.broadcast_to(np.asarray(value, float), len(points)) for value in values])

    with np.errstate(all="ignore"):
        possible = np.array([np.all(at_points(signs) > -_FEASIBLE, axis=0) for signs in duals])
        heights = at_points(exponents)
        if logarithm is not None:
            logs = [entry._raw_exponent(logarithm) for entry in regimes]
            heights = heights + _INFINITESIMAL * at_points(logs)
        heights = np.where(possible, heights, -np.inf)
    if not possible.any(axis=0).all():
        stuck = points[int(np.flatnonzero(~possible.any(axis=0))[0])]
        place = ", ".join(f"{name} = {value:.6g}" for name, value in zip(names, stuck, strict=True))
        raise DomainError(f"no balance is possible at {place}: the optimum falls to zero there", argument="region", value=place)
    labels = np.argmax(heights > heights.max(axis=0) - 1e-12, axis=0)
    winners = [number for number in range(len(regimes)) if np.any(labels == number)]
    entries = []
    for number in winners:
        inequalities = [*duals[number], *(exponents[number] - exponents[other] for other in winners if other != number)]
        if logarithm is not None:
            inequalities += [logs[number] - logs[other] for other in winners if other != number]
        inside = labels == number
        conditions, uncovered = _separate([entry for entry in inequalities if entry.free_symbols], inside, at_points)
        equal = np.all(heights[:, inside] > heights[number, inside] - 1e-12, axis=1)
        ties = tuple(regimes[other] for other in np.flatnonzero(equal) if other != number)
        entries.append(RegionalRegime(regimes[number], regimes[number].exponent(scale), conditions, float(inside.mean()), uncovered, ties))
    return RegionalMap(tuple(sorted(entries, key=lambda entry: -entry.fraction)))


def _draw(region: Any, names: tuple[sp.Symbol, ...], where: tuple[sp.Basic, ...], samples: int, source: np.random.Generator) -> Any:
    accept = sp.lambdify(names, sp.And(*where), "numpy") if where else None
    if isinstance(region, Mapping):
        low, high = (np.array([float(region[name][side]) for name in names]) for side in (0, 1))

        def sample(generator: np.random.Generator) -> Any:
            return low + (high - low) * generator.random(len(names))
    else:
        sample = region
    points: list[Any] = []
    for _ in range(1000 * samples):
        point = np.asarray(sample(source), float)
        if accept is None or bool(accept(*point)):
            points.append(point)
            if len(points) == samples:
                return np.array(points).reshape(samples, len(names))
    raise DomainError(
        f"only {len(points)} of {1000 * samples} points satisfy {where}: the region is empty or too thin", argument="where", value=where
    )


def _separate(inequalities: list[sp.Expr], inside: Any, at_points: Callable[[Sequence[sp.Expr]], Any]) -> tuple[tuple[sp.Basic, ...], int]:
    """Choose few conditions that hold at the winner's points and exclude the foreign ones (greedy set cover)."""
    foreign = ~inside
    factors: dict[sp.Expr, None] = {}
    products: dict[sp.Expr, None] = {}
    for inequality in inequalities:
        numerator, denominator = sp.fraction(sp.factor(inequality))
        whole = sp.S.One
        for base, power in sp.factor_list(numerator * denominator)[1]:
            signs = np.sign(at_points([base])[0])
            if np.all(signs == signs[0]) and signs[0]:
                continue  # of constant sign on the region
            factors[base] = None
            if power % 2:
                whole *= base
        if whole != 1:
            products[whole] = None
    chosen: list[tuple[sp.Expr, Any]] = []
    for pool in (factors, products):
        oriented = []
        for expr in pool:
            values = at_points([expr])[0]
            if np.all(values[inside] > 0) or np.all(values[inside] < 0):
                sign = 1 if values[inside][0] > 0 else -1
                oriented.append((sign * expr, sign * values <= 0))
        while foreign.any():
            best = max(oriented, key=lambda pair: (np.sum(pair[1] & foreign), -pair[0].count_ops()), default=None)
            if best is None or not np.any(best[1] & foreign):
                break
            chosen.append(best)
            foreign = foreign & ~best[1]
    excluded = ~inside & ~foreign
    for pair in list(chosen):  # a later choice can make an earlier one superfluous
        rest = [other for other in chosen if other is not pair]
        if rest and np.array_equal(np.any([others for _, others in rest], axis=0) & ~inside, excluded):
            chosen = rest
    return tuple(against_zero(expr, sp.Gt) for expr, _ in chosen), int(foreign.sum())
