"""The least cost of a pattern: in closed form, exactly at given widths, or for all widths at once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cached_property
from itertools import combinations

import sympy as sp

from ...arguments import choice, instance
from ...errors import DomainError, refusal
from ...reprs import short_repr
from ..balance import Power, allocate
from ..balance._cells import Polygon, clip
from ..balance._tropical import dot
from ..balance._vertices import Row, rref_rows, solve_exactly
from ..monomials import power_product
from ._coordinates import SCALE, Space, space_of
from ._cost import cost, written_bound, written_power
from ._rules import Pattern

METHODS = ("closed", "exact", "compiled")


@short_repr
@dataclass(frozen=True)
class Minimum:
    r"""The cheapest parameters of a pattern.

    Attributes
    ----------
    pattern : Pattern
        What was minimized.
    method : {"closed", "exact", "compiled"}
        How.
    exponent : Expr
        Power of d in the least cost.
    exponents : mapping of Symbol to Expr
        Powers of d in the parameters there; empty for the compiled method.
    value : Expr or None
        The least cost in the sizes, with its constant; closed method only.
    parameters : mapping of Symbol to Expr
        The parameters there, with their constants; closed method only.
    weights : mapping of Expr to Expr
        Share of each term that depends on a parameter in the minimum of its group, the dual variables; closed method only.
    clamped : tuple of Relational
        Bounds that are reached.
    validity : tuple of Relational
        Where the closed form holds, in exponents of d; empty if everywhere, or at given widths.
    """

    pattern: Pattern
    method: str
    exponent: sp.Expr
    exponents: Mapping[sp.Symbol, sp.Expr]
    value: sp.Expr | None = None
    parameters: Mapping[sp.Symbol, sp.Expr] = field(default_factory=dict)
    weights: Mapping[sp.Expr, sp.Expr] = field(default_factory=dict)
    clamped: tuple[sp.Basic, ...] = ()
    validity: tuple[sp.Basic, ...] = ()

    def __str__(self) -> str:
        shown = ", ".join(f"{name} ~ {SCALE}^{power}" for name, power in self.exponents.items())
        return f"{self.pattern}: {SCALE}^{self.exponent}" + (f" at {shown}" if shown else "")


def optimize(pattern: Pattern, *, method: str = "closed") -> Minimum:
    r"""Minimize the cost of a pattern over its parameters.

    Parameters
    ----------
    pattern : Pattern
        With numbers or symbols for its width exponents.
    method : {"closed", "exact", "compiled"}
        ``"closed"``: the inequality of weighted means, :math:`\prod_j (c_j/\delta_j)^{\delta_j}` with
        :math:`A^\top\delta = 0,\ \sum\delta = 1`, for the parameters that no bound holds; at given widths the bounds that hold are
        found, and for symbols the form with the fewest of them is returned, with its validity. ``"exact"``: a linear program in
        fractions at given widths. ``"compiled"``: the largest of the linear functions that hold for all widths.

    Returns
    -------
    Minimum
        Exponents are exact; the constants are those of the posynomial, whose own prefactors are heuristic.

    Raises
    ------
    DomainError
        If the exact method is asked for with symbols, or no parameters satisfy the bounds (with `purity`).

    References
    ----------
    .. [1] R. J. Duffin, E. L. Peterson, C. Zener, "Geometric Programming", Wiley (1967), ch. I.3.

    Examples
    --------
    >>> from scalinglaws.theory.patterns import enumerate_patterns, fully_connected
    >>> *_, gaussian = enumerate_patterns(fully_connected([1], 3))
    >>> found = optimize(gaussian)
    >>> found.value, found.parameters
    (4*3**(1/4)*N**(3/4)*d**(3/4)/3, {beta: 3**(1/4)*d**(3/4)/N**(1/4)})
    >>> print(optimize(gaussian, method="exact"))
    G(1): d^3/2 at beta ~ d^1/2
    """
    instance("pattern", pattern, Pattern)
    choice("method", method, METHODS)
    space = space_of(pattern.architecture)
    if method == "compiled":
        if space.numbers is None:
            return Minimum(
                pattern, method, largest(space.written(form) for form in pattern.program.forms), {}
            )
        exponent = pattern.program.exponent(space.numbers)
        if exponent is None:
            raise _infeasible(pattern)
        return Minimum(pattern, method, sp.Rational(exponent), {})
    if method == "exact":
        if space.numbers is None:
            raise refusal(
                "method",
                method,
                f"needs numbers for {', '.join(map(str, space.symbols))}; 'closed' and 'compiled' "
                "take symbols",
            )
        found = pattern.program.minimum(space.numbers)
        if found is None:
            raise _infeasible(pattern)
        return Minimum(
            pattern,
            method,
            sp.Rational(found[0]),
            dict(zip(pattern.parameters, map(sp.Rational, found[1]), strict=True)),
        )
    form = next(_valid_forms(pattern, space), None)
    if form is None:
        raise _infeasible(pattern)
    return form.minimum(space)


def closed_forms(pattern: Pattern) -> tuple[Minimum, ...]:
    """List the closed forms of a pattern's least cost, one per set of bounds that can hold, each with its validity.

    Parameters
    ----------
    pattern : Pattern
        With symbols for width exponents, one or two.

    Returns
    -------
    tuple of Minimum
        Fewest reached bounds first.

    Examples
    --------
    >>> from scalinglaws.theory.patterns import enumerate_patterns, fully_connected
    >>> n = sp.Symbol("n", positive=True)
    >>> special = enumerate_patterns(fully_connected([n], 3))[2]
    >>> for found in closed_forms(special):
    ...     print(found.value, found.clamped, found.validity)
    2*sqrt(N)*sqrt(d) () (n >= 1,)
    N + d (M >= 1,) (n <= 1,)
    """
    instance("pattern", pattern, Pattern)
    space = space_of(pattern.architecture)
    return tuple(form.minimum(space) for form in _valid_forms(pattern, space))


def largest(forms: Iterable[sp.Expr]) -> sp.Expr:
    """Write the largest of linear functions; none is compared with the others, which is slow."""
    different = tuple(dict.fromkeys(forms))
    return different[0] if len(different) == 1 else sp.Max(*different, evaluate=False)


def _infeasible(pattern: Pattern) -> DomainError:
    return refusal(
        "pattern",
        str(pattern),
        f"{pattern}: no parameters satisfy the bounds {', '.join(map(str, cost(pattern).bounds))}",
        named=False,
    )


# -- closed forms -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Form:
    """A stationary point with some bounds reached.

    ``free`` are the exponents of the parameters as linear functions of the size exponents; ``groups`` are sets of terms that share
    parameters, each with its dual weights.
    """

    pattern: Pattern
    active: tuple[int, ...]
    free: tuple[Row, ...]
    groups: tuple[tuple[tuple[int, ...], Row], ...]
    pivots: dict[int, Power]

    @cached_property
    def levels(self) -> list[Row]:
        """Exponents of the terms, as linear functions of the size exponents."""
        return [_inserted(term, self.free) for term in self.pattern.program.terms]

    @cached_property
    def slack(self) -> list[Row]:
        """Linear functions that must not be negative for the other bounds to hold."""
        caps = self.pattern.program.caps
        rows = (
            _inserted(cap, self.free)
            for number, cap in enumerate(caps)
            if number not in self.active
        )
        return [tuple(-entry for entry in row) for row in rows if any(row)]

    @cached_property
    def pulls(self) -> list[tuple[list[int], list[int], Row]]:
        """Terms that push against each reached bound, terms that pull away from it, and the coefficients of all."""
        program = self.pattern.program
        columns = list(self.pivots)
        found = []
        for position in range(len(self.active)):
            matrix = [[program.caps[q].free[column] for column in columns] for q in self.active]
            transposed = [list(line) for line in zip(*matrix, strict=True)]
            coefficients = []
            for term in program.terms:
                solved = solve_exactly(transposed, [-term.free[column] for column in columns])
                assert solved is not None  # the reached bounds are independent in these columns
                coefficients.append(solved[position])
            pushing = [j for j, entry in enumerate(coefficients) if entry > 0]
            pulling = [j for j, entry in enumerate(coefficients) if entry < 0]
            found.append((pushing, pulling, tuple(coefficients)))
        return found

    def holds_at(self, sizes: Sequence[Fraction]) -> bool:
        """Decide whether this is the minimum for d -> oo at given exponents."""
        if any(dot(row, sizes) < 0 for row in self.slack):
            return False
        heights = [dot(level, sizes) for level in self.levels]
        for pushing, pulling, coefficients in self.pulls:
            top = max((heights[j] for j in (*pushing, *pulling)), default=None)
            if top is None:
                continue
            total = sum(
                float(coefficients[j]) * self._amplitude(j)
                for j in (*pushing, *pulling)
                if heights[j] == top
            )
            if total < -1e-12:
                return False
        return True

    def _amplitude(self, term: int) -> float:
        """Return the constant in front of a term."""
        for members, weights in self.groups:
            if term in members:
                whole = 1.0
                for weight in weights:
                    whole *= float(weight) ** -float(weight)
                return float(weights[members.index(term)]) * whole
        return 1.0

    def regions(self, space: Space) -> list[list[tuple[Fraction, Fraction, Fraction]]]:
        """List alternatives of half-planes in the symbols: where the form holds is their union."""
        alternatives = [[space.plane(row) for row in self.slack]]
        for pushing, pulling, _ in self.pulls:
            if not pulling:
                continue
            alternatives = [
                [
                    *known,
                    *(
                        space.plane(_minus(self.levels[lead], self.levels[other]))
                        for other in pulling
                    ),
                ]
                for known in alternatives
                for lead in pushing
            ]
        return alternatives

    def conditions(self, space: Space) -> tuple[sp.Basic, ...]:
        """Write where the form holds."""
        found = [space.condition(row) for row in self.slack]
        for pushing, pulling, _ in self.pulls:
            if not pulling:
                continue
            if not pushing:
                return (sp.false,)
            if len(pushing) == 1:
                found += [
                    space.condition(_minus(self.levels[pushing[0]], self.levels[other]))
                    for other in pulling
                ]
            else:
                sides = [
                    sp.Max(*(space.written(self.levels[j]) for j in side))
                    for side in (pushing, pulling)
                ]
                found.append(sp.Ge(sides[0], sides[1]))
        return tuple(dict.fromkeys(entry for entry in found if entry != sp.true))

    def minimum(self, space: Space) -> Minimum:
        """Write the closed form."""
        pattern, program, names = self.pattern, self.pattern.program, self.pattern.parameters
        terms = [written_power(pattern, term) for term in self._reduced]
        grouped = {j for members, _ in self.groups for j in members}
        values: dict[sp.Symbol, sp.Expr] = {}
        weights: dict[sp.Expr, sp.Expr] = {}
        total = [terms[j] for j in range(len(terms)) if j not in grouped]
        for members, _ in self.groups:
            own = tuple(name for name in names if any(terms[j].has(name) for j in members))
            (balance,) = (
                entry
                for entry in allocate([terms[j] for j in members], own)
                if len(entry.duals) == len(members)
            )
            constant = balance.exact_constant
            assert constant is not None  # as many terms as parameters and one, and no caps
            total.append(balance.value * constant)
            solved = balance.exact_alloc
            values |= {name: value for name, value in solved.items() if value is not None}
            weights |= balance.duals
        for column, power in self.pivots.items():
            reached = written_power(pattern, power)
            factors = [(reached.subs(dict.fromkeys(names, sp.S.One)), sp.S.One)]
            factors += [
                (values[name], sp.Rational(entry))
                for name, entry in zip(names, power.free, strict=True)
                if entry
            ]
            values[names[column]] = power_product(factors)
        numbers = {name: space.written(row) for name, row in zip(names, self.free, strict=True)}
        heights = [space.written(level) for level in self.levels]
        return Minimum(
            pattern,
            "closed",
            sp.Max(*heights) if space.numbers is not None else largest(heights),
            numbers,
            sp.Add(*total),
            {name: values[name] for name in names},
            weights,
            tuple(written_bound(pattern, program.caps[q]) for q in self.active),
            () if space.numbers is not None else self.conditions(space),
        )

    @property
    def _reduced(self) -> list[Power]:
        """The terms with the reached bounds inserted."""
        return [_substituted(term, self.pivots) for term in self.pattern.program.terms]


def _minus(one: Row, two: Row) -> Row:
    return tuple(a - b for a, b in zip(one, two, strict=True))


def _inserted(power: Power, free: tuple[Row, ...]) -> Row:
    """Insert exponents of the parameters that are linear in the size exponents."""
    row = list(power.sizes)
    for weight, line in zip(power.free, free, strict=True):
        row = [entry + weight * more for entry, more in zip(row, line, strict=True)]
    return tuple(row)


def _substituted(power: Power, pivots: Mapping[int, Power]) -> Power:
    """Insert the parameters that bounds determine."""
    kept = Power(
        power.sizes,
        tuple(Fraction(0) if index in pivots else entry for index, entry in enumerate(power.free)),
    )
    for column, value in pivots.items():
        if power.free[column]:
            kept = kept * value ** power.free[column]
    return kept


def _valid_forms(pattern: Pattern, space: Space) -> Iterator[_Form]:
    """Try every set of bounds, small ones first."""
    program = pattern.program
    for size in range(len(pattern.parameters) + 1):
        for active in combinations(range(len(program.caps)), size):
            form = _form(pattern, active)
            if form is None:
                continue
            if space.numbers is not None:
                if form.holds_at(space.numbers):
                    yield form
            elif any(_meets(planes, space.region) for planes in form.regions(space)):
                yield form


def forms_at(pattern: Pattern, sizes: Sequence[Fraction]) -> _Form:
    """Find the stationary point that is the minimum at given size exponents."""
    space = Space((), tuple((entry,) for entry in sizes))
    form = next(_valid_forms(pattern, space), None)
    if form is None:
        raise _infeasible(pattern)
    return form


def _meets(planes: list[tuple[Fraction, Fraction, Fraction]], region: Polygon | None) -> bool:
    """Whether half-planes leave something of the region with an area; without a region nothing is excluded."""
    if region is None:
        return True
    for plane in planes:
        region = clip(region, plane)
        if not region:
            return False
    return True


def _form(pattern: Pattern, active: tuple[int, ...]) -> _Form | None:
    """Find the stationary point with the given bounds reached; None if there is none."""
    program = pattern.program
    width, sizes = len(pattern.parameters), len(program.terms[0].sizes)
    pivots: dict[int, Power] = {}
    if active:
        # the bounds as linear equations for the logarithms of the parameters; the last columns are those of the sizes
        rows, columns = rref_rows(
            [[*program.caps[q].free, *(-entry for entry in program.caps[q].sizes)] for q in active],
            width,
        )
        if len(columns) < len(active):
            return None
        for row, column in zip(rows, columns, strict=True):
            others = tuple(
                Fraction(0) if index == column else -entry
                for index, entry in enumerate(row[:width])
            )
            pivots[column] = Power(tuple(row[width:]), others)
    reduced = [_substituted(term, pivots) for term in program.terms]
    free: list[Row | None] = [None] * width
    groups = []
    for members, own in _connected(reduced):
        if len(members) != len(own) + 1:
            return None
        weights = solve_exactly(
            [[Fraction(1)] * len(members), *([reduced[j].free[p] for j in members] for p in own)],
            [Fraction(1), *[Fraction(0)] * len(own)],
        )
        if weights is None or any(weight <= 0 for weight in weights):
            return None
        matrix = [[*(reduced[j].free[p] for p in own), Fraction(-1)] for j in members]
        solved = [
            solve_exactly(matrix, [-reduced[j].sizes[k] for j in members]) for k in range(sizes)
        ]
        if None in solved:
            return None
        for position, p in enumerate(own):
            free[p] = tuple(column[position] for column in solved if column is not None)
        groups.append((tuple(members), weights))
    if any(free[p] is None for p in range(width) if p not in pivots):
        return None  # no term depends on the parameter any more
    zero = (Fraction(0),) * sizes
    known = tuple(row if row is not None else zero for row in free)
    for column, value in pivots.items():
        free[column] = _inserted(value, known)
    return _Form(
        pattern, active, tuple(row for row in free if row is not None), tuple(groups), pivots
    )


def _connected(terms: list[Power]) -> list[tuple[list[int], list[int]]]:
    """Group the terms that share parameters; terms without any are left out."""
    groups: list[tuple[set[int], set[int]]] = []
    for j, term in enumerate(terms):
        own = {p for p, entry in enumerate(term.free) if entry}
        if not own:
            continue
        members = {j}
        for group in [group for group in groups if group[1] & own]:
            groups.remove(group)
            members |= group[0]
            own |= group[1]
        groups.append((members, own))
    return [(sorted(members), sorted(own)) for members, own in groups]
