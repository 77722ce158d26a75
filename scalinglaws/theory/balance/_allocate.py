"""Listing the vertices of a geometric program with symbolic exponents."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from fractions import Fraction
from itertools import chain, combinations
from numbers import Rational
from typing import Any

import numpy as np
import sympy as sp
from sympy.polys.matrices import DomainMatrix

from ...arguments import several
from ...errors import refusal
from ..monomials import Monomial, like_terms, monomial
from ..relations import factored
from ._feasibility import can_be_positive
from ._program import Program, compatibility_of, constraint, pairs, reduce_rows
from ._records import Allocation, Balance
from ._vertices import rational_vertices

_MAX_TERMS, _MAX_FREE = 12, 6  # the number of vertices grows like the binomial of the two


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
        The sum, or its monomials. Coefficients must be positive; symbols that are not free are parameters. Constants
        (neither free scales nor symbols of other terms and bounds) do not move the optimum: they are set aside as
        `Allocation.irreducible`, and values are those of the rest.
    free : Symbol or sequence of Symbol
        The scales X to choose.
    budget : (monomial, bound), Eq, or a list of those
        Equality constraints, for example ``(6*N*D, C)``.
    caps : iterable of (monomial, bound) or Le
        Upper bounds, for example ``[(D, D_0)]``.

    Returns
    -------
    Allocation
        A sequence of `Balance`, one per vertex that some parameters allow (see `Balance.possible`). At given parameters the
        optimum is the largest one
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
    .. [1] R. J. Duffin, E. L. Peterson, C. Zener, "Geometric Programming", Wiley (1967), ch. I.3.

    Examples
    --------
    >>> from scalinglaws.theory.monomials import power_of
    >>> N, D, C, A, B, a, b = sp.symbols("N D C A B a b", positive=True)
    >>> (chinchilla,) = allocate(A * N**-a + B * D**-b, (N, D), budget=(6 * N * D, C))
    >>> chinchilla.exponent(C)
    -a*b/(a + b)
    >>> power_of(chinchilla.allocation[N], C)
    b/(a + b)
    """
    if isinstance(terms, str) or not isinstance(terms, (sp.Expr, Iterable)):
        raise refusal(
            "terms",
            terms,
            "must be a SymPy expression or several; scalinglaws.parsing.parse_expression reads "
            "text",
        )
    try:
        names = (free,) if isinstance(free, sp.Symbol) else tuple(free)
    except TypeError:
        names = ()
    if (
        not names
        or not all(isinstance(name, sp.Symbol) and name.is_positive for name in names)
        or len(set(names)) < len(names)
    ):
        raise refusal("free", free, "must be one or more different symbols declared positive=True")
    given = (
        sp.Add.make_args(terms)
        if isinstance(terms, sp.Expr)
        else several("terms", terms, sp.Expr, Rational, float)
    )
    split = [monomial("terms", term, names) for term in given]
    budgets = tuple(constraint("budget", item, names) for item in pairs("budget", budget))
    bounds = tuple(constraint("caps", item, names) for item in pairs("caps", caps))
    constants = _constants(split, (*budgets, *bounds))
    moved = [term for term in split if term not in constants]
    if constants and not moved:
        raise refusal("terms", terms, f"contains none of the free scales {names}")
    program = Program(names, like_terms(moved), budgets, bounds, constants)
    if not program.terms:
        raise refusal("terms", terms, "is empty: there is nothing to minimize", shown=False)
    if len(program.terms) > _MAX_TERMS or len(names) > _MAX_FREE:
        raise refusal(
            "terms",
            terms,
            f"{len(program.terms)} terms in {len(names)} scales: at most {_MAX_TERMS} in "
            f"{_MAX_FREE} are handled",
            named=False,
        )
    if program.budgets:
        _, pivots = reduce_rows([item.exponents for item in program.budgets])
        if len(pivots) < len(program.budgets):
            raise refusal(
                "budget",
                budget,
                f"the budgets {', '.join(str(item.expr) for item in program.budgets)} depend on "
                "each other: one follows from, or contradicts, the rest",
                named=False,
            )
    compatibility = compatibility_of(program)
    regimes = tuple(_vertices(program))
    if not regimes:
        raise refusal("terms", terms, f"the optimum falls to zero: {_escape(program)}", named=False)
    return Allocation(regimes, compatibility)


def _constants(terms: list[Monomial], bounds: tuple[Monomial, ...]) -> tuple[Monomial, ...]:
    """Select what no allocation and no budget changes: no free scale, and no symbol of other terms or bounds."""
    found = []
    for term in terms:
        others = [other for other in terms if other is not term and any(other.exponents)]
        shared = set().union(*(other.coefficient.free_symbols for other in (*others, *bounds)))
        if not any(term.exponents) and not term.coefficient.free_symbols & shared:
            found.append(term)
    return tuple(found)


def _vertices(program: Program) -> Iterator[Balance]:
    """Solve the dual constraints on every support that can determine them."""
    columns = [(sp.S.One, *term.exponents) for term in program.terms]
    capped = [(sp.S.Zero, *cap.exponents) for cap in program.caps]
    always = [(sp.S.Zero, *item.exponents) for item in program.budgets]
    room = len(program.free) + 1 - len(always)
    target = [sp.S.One] + [sp.S.Zero] * len(program.free)
    if all(entry.is_Rational for column in (*columns, *capped, *always) for entry in column):
        yield from _rational(program, columns, capped, always)
        return
    everything = [*columns, *capped, *always, target]
    whole = DomainMatrix.from_Matrix(sp.Matrix(everything).T).to_field()
    fixed = range(len(columns) + len(capped), len(everything) - 1)
    for count in range(1, min(room, len(columns)) + 1):
        for support in combinations(range(len(columns)), count):
            for closed in _subsets(range(len(capped)), room - count):
                chosen = [*support, *(len(columns) + q for q in closed), *fixed]
                found = _unique(whole, chosen)
                if found is None:
                    continue
                signs = [_sign(entry) for entry in found[: count + len(closed)]]
                if False in signs:
                    continue
                solution = [
                    factored(entry.as_expr() if hasattr(entry, "as_expr") else entry)
                    for entry in found
                ]
                open_ = [one for one, sign in zip(solution, signs, strict=False) if sign is None]
                if can_be_positive(open_) is not False:
                    yield _balance(program, support, closed, solution)


def _rational(
    program: Program, columns: list[Any], capped: list[Any], always: list[Any]
) -> Iterator[Balance]:
    """Solve the same constraints where all exponents are numbers."""
    exact = [
        [Fraction(entry.p, entry.q) for entry in column] for column in (*columns, *capped, *always)
    ]
    found = []
    for vertex in rational_vertices(
        exact, [Fraction(1)] + [Fraction(0)] * len(program.free), len(always)
    ):
        support = tuple(i for i in range(len(columns)) if vertex[i])
        closed = tuple(q for q in range(len(capped)) if vertex[len(columns) + q])
        chosen = [
            *support,
            *(len(columns) + q for q in closed),
            *range(len(columns) + len(capped), len(exact)),
        ]
        found.append(
            (
                support,
                closed,
                [sp.Rational(vertex[i].numerator, vertex[i].denominator) for i in chosen],
            )
        )
    for support, closed, solution in sorted(
        found, key=lambda entry: (len(entry[0]), entry[0], len(entry[1]), entry[1])
    ):
        yield _balance(program, support, closed, solution)


def _balance(
    program: Program, support: tuple[int, ...], closed: tuple[int, ...], solution: list[sp.Expr]
) -> Balance:
    constraints = [*(program.caps[q] for q in closed), *program.budgets]
    duals = dict(zip((program.terms[i].expr for i in support), solution, strict=False))
    multipliers = dict(
        zip((item.expr for item in constraints), solution[len(support) :], strict=True)
    )
    return Balance(duals, multipliers, program, (support, closed))


def _subsets(items: range, most: int) -> Iterator[tuple[int, ...]]:
    return chain.from_iterable(
        combinations(items, size) for size in range(min(most, len(items)) + 1)
    )


def _unique(whole: DomainMatrix, chosen: Sequence[int]) -> list[Any] | None:
    """Solve ``sum_j x_j column_j = last column`` if exactly one solution exists, in the elements of its field."""
    rows, last = whole.shape
    reduced, pivots = whole.extract(list(range(rows)), [*chosen, last - 1]).rref()
    if tuple(pivots) != tuple(range(len(chosen))):
        return None
    field_ = reduced.domain
    convert = (lambda entry: entry) if field_.is_FractionField else field_.to_sympy
    return [convert(reduced[i, len(chosen)].element) for i in range(len(chosen))]


def _sign(entry: Any) -> bool | None:
    """Decide quickly whether an element is positive: all its symbols are, so that the signs of coefficients tell."""
    if not hasattr(entry, "numer") or isinstance(entry, sp.Basic):
        return False if entry.is_nonpositive else None
    if not entry:
        return False
    above, below = (
        {bool(coefficient > 0) for coefficient in part.coeffs()}
        for part in (entry.numer, entry.denom)
    )
    return None if len(above) > 1 or len(below) > 1 else above == below


def _escape(program: Program) -> str:
    """Say along which direction all terms vanish."""
    from scipy.optimize import linprog

    symbols = sorted(
        set().union(*(power.free_symbols for item in program.terms for power in item.exponents)),
        key=str,
    )
    point = {name: sp.Rational(7 + 3 * number, 5) for number, name in enumerate(symbols)}

    def numbers(items: tuple[Monomial, ...]) -> Any:
        return np.array(
            [[float(power.subs(point)) for power in item.exponents] for item in items]
        ).reshape(-1, len(program.free))

    upper = np.vstack([numbers(program.terms), numbers(program.caps)])
    bounds = np.concatenate([-np.ones(len(program.terms)), np.zeros(len(program.caps))])
    fixed = numbers(program.budgets)
    kept = {"A_eq": fixed, "b_eq": np.zeros(len(fixed))} if len(fixed) else {}
    sizes = np.ones(2 * len(program.free))
    split = {
        key: np.hstack([value, -value]) if value.ndim == 2 else value for key, value in kept.items()
    }
    found = linprog(sizes, A_ub=np.hstack([upper, -upper]), b_ub=bounds, **split)
    if not found.success:
        return "a budget, or a term that grows with a scale, is missing"
    direction = found.x[: len(program.free)] - found.x[len(program.free) :]
    moves = [
        f"{name} -> {'infinity' if step > 0 else '0'}"
        for name, step in zip(program.free, direction, strict=True)
        if abs(step) > 1e-9
    ]
    return f"with {', '.join(moves)} all terms vanish; a budget, or a term that grows there, is missing"
