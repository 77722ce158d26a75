r"""Leading terms of power-law sums, derived from Mellin transforms.

Every bottleneck of a power-law task is a sum :math:`\sum_k k^{-p} g(k/K)` at large scale :math:`K`. The shape :math:`g` is
stored through its Mellin transform, a ratio of Gamma functions

.. math:: g^*(s) = \int_0^\infty x^{s-1} g(x)\,dx = C\,c^{\,s}\,\frac{\prod_i \Gamma(a_i + b_i s)}{\prod_j \Gamma(c_j + d_j s)},

and the sum is :math:`\frac{1}{2\pi i}\int K^s g^*(s)\,\zeta(s+p)\,ds`: its terms are the residues to the left. `power_sum` collects
them. All symbols must be declared ``positive=True``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import combinations, pairwise

import sympy as sp

from ..arguments import choice, instance, whole
from ..errors import refusal
from ..reprs import short_repr
from .mellin import (
    EXP,
    ONE_MINUS_EXP,
    POLE_SEARCH,
    RATIONAL,
    STEP,
    TAIL,
    MellinCombination,
    MellinSymbol,
    Pole,
    X,
    as_shape,
)
from .parameters import as_expression
from .relations import against_zero, is_positive, strongest, vanishes

__all__ = [
    "EXP",
    "ONE_MINUS_EXP",
    "RATIONAL",
    "STEP",
    "TAIL",
    "Branch",
    "Candidate",
    "MellinCombination",
    "MellinSymbol",
    "PowerSum",
    "SlopeSum",
    "X",
    "inverse_laplace_power",
    "power_sum",
    "slope_only_sum",
]


@short_repr
@dataclass(frozen=True)
class Candidate:
    """One possible leading term ``coefficient * K**exponent * log(K)**log_power``.

    The coefficient is built when it is first asked for: that of a dominated term may be infinite.

    Attributes
    ----------
    exponent : Expr
        Power of K.
    origin : str
        ``"zeta"`` (the sum behaves as an integral), ``"gamma"`` (the first modes decide), or ``"double"``
        (both at once: a logarithm).
    log_power : int
        1 for a double pole, 2 for a triple one, else 0.
    """

    exponent: sp.Expr
    origin: str
    log_power: int
    _build: Callable[[], sp.Expr] = field(repr=False, compare=False)

    @cached_property
    def coefficient(self) -> sp.Expr:
        """The factor in front."""
        return self._build()

    def term(self, scale: sp.Expr) -> sp.Expr:
        """Return the whole term at scale K."""
        return self.coefficient * scale**self.exponent * sp.log(scale) ** self.log_power


@short_repr
@dataclass(frozen=True)
class Branch:
    """A leading term and the condition on the parameters under which it leads."""

    condition: sp.Basic
    candidate: Candidate


@short_repr
@dataclass(frozen=True)
class PowerSum:
    r"""The asymptotic form of :math:`\sum_{k\ge1} k^{-p} g(k/K)` for large K.

    Attributes
    ----------
    p : Expr
        Exponent of the sum.
    symbol : MellinSymbol or MellinCombination
        The shape g.
    terms : tuple of Candidate
        Terms that are not provably dominated.
    candidates : tuple of Candidate
        All terms found, dominated ones included.
    conditions : tuple of Relational
        What the parameters must satisfy for the sum to converge (empty if it always does).
    ties : tuple
        For each group of terms whose exponents can coincide: the group, and the term that replaces it (with a logarithm
        where poles coincide).
    """

    p: sp.Expr
    symbol: MellinSymbol | MellinCombination
    terms: tuple[Candidate, ...]
    candidates: tuple[Candidate, ...]
    conditions: tuple[sp.Basic, ...]
    ties: tuple[tuple[tuple[Candidate, ...], Candidate], ...] = ()

    def exponent(self) -> sp.Expr:
        """Return the growth exponent: the largest one among the terms."""
        return sp.Max(*(term.exponent for term in self.terms))

    def branches(self) -> tuple[Branch, ...]:
        """Return every way the parameters can choose a leading term, logarithms on the boundaries included."""
        found = [
            Branch(
                sp.And(
                    *(_compare(term, other, sp.Gt) for other in self.terms if other is not term)
                ),
                term,
            )
            for term in self.terms
        ]
        for group, merged in self.ties:
            others = [
                _compare(group[0], other, sp.Gt)
                for other in self.terms
                if not any(other is member for member in group)
            ]
            found.append(
                Branch(
                    sp.And(*(_compare(one, two, sp.Eq) for one, two in pairwise(group)), *others),
                    merged,
                )
            )
        return tuple(found)

    def leading(self, scale: sp.Expr) -> sp.Expr:
        """Return the leading term at scale K: a Piecewise in the parameters where more than one term can lead."""
        branches = self.branches()
        if len(branches) == 1:
            return branches[0].candidate.term(scale)
        return sp.Piecewise(
            *((branch.candidate.term(scale), branch.condition) for branch in branches)
        )

    def uniform(self, scale: sp.Expr) -> sp.Expr:
        """Return the sum of all candidates: accurate near a boundary, where single terms diverge with opposite signs.

        On a boundary this is the logarithmic term. Dominated candidates that are infinite (where the integral-like term
        meets a later pole) are left out.
        """
        if any(term.log_power for term in self.terms):
            return sp.Add(*(term.term(scale) for term in self.terms))
        return sp.Add(
            *(
                term.term(scale)
                for term in self.candidates
                if not term.coefficient.has(sp.zoo, sp.nan, sp.oo)
            )
        )


def _compare(
    one: Candidate, two: Candidate, relation: Callable[[sp.Expr, sp.Expr], sp.Basic]
) -> sp.Basic:
    return against_zero(one.exponent - two.exponent, relation)


def power_sum(
    p: sp.Expr | float,
    symbol: MellinSymbol | MellinCombination,
    *,
    mode: str = "sum",
    poles: int = 1,
) -> PowerSum:
    r"""Derive the leading terms of a power-law sum.

    .. math:: \sum_{k\ge1} k^{-p} g(k/K) = \frac{1}{2\pi i}\int K^s g^*(s)\,\zeta(s + p)\,ds, \qquad K \to \infty

    Parameters
    ----------
    p : Expr or number
        Exponent of the sum.
    symbol : MellinSymbol or MellinCombination
        The shape g.
    mode : {"sum", "integral"}
        ``"integral"`` gives :math:`\int_0^\infty x^{-p} g(x/K)\,dx = K^{1-p} g^*(1-p)`, which is exact.
    poles : int
        Left poles taken from every Gamma factor.

    Returns
    -------
    PowerSum
        Terms, conditions and boundaries.

    Raises
    ------
    DomainError
        If the sum diverges for all parameters, a sign cannot be decided, or all terms cancel.

    Notes
    -----
    The pole of zeta gives :math:`K^{1-p} g^*(1-p)`, a left pole :math:`-q` of the symbol with residue :math:`\rho` gives
    :math:`K^{-q}\rho\,\zeta(p-q)`; where the two coincide the double pole gives :math:`K^{-q}\rho\log K`. A few
    milliseconds, independent of scale. A combination of symbols is required to converge term by term. Where poles of a
    combination's parts cancel only at special parameters, give those parameters as numbers: substituting them afterwards meets
    infinite terms of opposite sign.

    References
    ----------
    .. [1] P. Flajolet, X. Gourdon, P. Dumas, "Mellin transforms and asymptotics: harmonic sums", Theoret. Comput. Sci. 144,
       3 (1995), sec. 3.

    Examples
    --------
    Gradient flow on a power-law spectrum, :math:`\sum_k k^{-a} e^{-2tk^{-b}}` with :math:`K = (2t)^{1/b}`:

    >>> a, b, K = sp.symbols("a b K", positive=True)
    >>> flow = power_sum(a, EXP.compose(-b))
    >>> flow.leading(K)
    K**(1 - a)*gamma((a - 1)/b)/b
    >>> flow.conditions
    (a > 1,)
    """
    instance("symbol", symbol, MellinSymbol, MellinCombination)
    p, symbol = as_expression("p", p), as_shape("symbol", symbol)
    choice("mode", mode, ("sum", "integral"))
    poles = whole("poles", poles)
    parts = symbol.like_terms() if isinstance(symbol, MellinCombination) else (symbol,)
    if not parts:
        raise refusal(
            "symbol", symbol, "the combination of symbols is identically zero", named=False
        )

    conditions: list[sp.Basic] = []
    for part in parts:
        for place in part.right_poles():
            _require(
                place - (1 - p),
                f"the sum over k^-({p}) {symbol.function} diverges at large k",
                conditions,
            )
    zeta = Candidate(sp.expand(1 - p), "zeta", 0, lambda: _transform_at(parts, 1 - p))
    if mode == "integral":
        for _, poles_here in _gamma_candidates(p, parts, 1):
            for pole in poles_here[:1]:
                _require(
                    (1 - p) - pole.place,
                    f"the integral over x^-({p}) {symbol.function} diverges at x = 0",
                    conditions,
                )
        return PowerSum(p, symbol, (zeta,), (zeta,), strongest(conditions))

    gammas = _gamma_candidates(p, parts, poles)
    candidates = [zeta, *(candidate for candidate, _ in gammas)]
    members = {id(candidate): found for candidate, found in gammas}
    kept = [
        one
        for one in candidates
        if not any(
            is_positive(other.exponent - one.exponent) for other in candidates if other is not one
        )
    ]

    groups: list[list[Candidate]] = []
    for term in kept:
        home = next(
            (group for group in groups if vanishes(group[0].exponent - term.exponent)), None
        )
        if home is None:
            groups.append([term])
        else:
            home.append(term)
    terms = [group[0] if len(group) == 1 else _merge(p, group, members) for group in groups]
    for group, term in zip(groups, terms, strict=True):
        members[id(term)] = [pole for entry in group for pole in members.get(id(entry), [])]
    for term in terms:
        if len(terms) == 1 and term.coefficient.has(sp.nan, sp.zoo):
            raise refusal(
                "symbol",
                symbol,
                f"the coefficient of K^({term.exponent}) is not finite",
                named=False,
            )
    ties = [
        (group, _merge(p, group, members))
        for size in range(2, len(terms) + 1)
        for group in combinations(terms, size)
        if all(_compare(one, two, sp.Eq) != sp.false for one, two in pairwise(group))
    ]
    return PowerSum(p, symbol, tuple(terms), tuple(candidates), strongest(conditions), tuple(ties))


def _gamma_candidates(
    p: sp.Expr, parts: tuple[MellinSymbol, ...], count: int
) -> list[tuple[Candidate, list[Pole]]]:
    """Collect the first `count` left poles of every Gamma factor, those of several symbols at one place merged.

    Residues of a combination can cancel (a subtraction that removes the first terms of an expansion): then the
    next pole takes the place of the one that is gone.
    """
    reach = count if len(parts) == 1 else count + POLE_SEARCH
    factors = [
        [pole for _, pole in zip(range(reach), part.poles(index, left=True), strict=False)]
        for part in parts
        for index in range(len(part.numerator))
    ]
    groups: list[list[Pole]] = []
    for pole in (pole for factor in factors for pole in factor):
        home = next((group for group in groups if vanishes(group[0].place - pole.place)), None)
        if home is None:
            groups.append([pole])
        else:
            home.append(pole)
    home_of = {id(pole): number for number, group in enumerate(groups) for pole in group}
    alive = [_same_symbol_twice(group) or not _cancelled(group) for group in groups]
    chosen: dict[int, None] = {}
    for factor in factors:
        left = count
        for pole in factor:
            if left and alive[home_of[id(pole)]]:
                chosen[home_of[id(pole)]] = None
                left -= 1
    return [(_gamma_candidate(p, groups[number]), groups[number]) for number in chosen]


def _cancelled(group: list[Pole]) -> bool:
    """Whether the residues of several symbols at one place add up to nothing."""
    return len(group) > 1 and bool(
        sp.gammasimp(sp.expand(sp.Add(*(pole.residue() for pole in group)))) == 0
    )


def _gamma_candidate(p: sp.Expr, group: list[Pole]) -> Candidate:
    place = group[0].place
    if _same_symbol_twice(group):
        # two Gamma factors of one symbol share this pole for all parameters: a double pole in its own right
        return Candidate(
            sp.expand(place),
            "double",
            1,
            lambda: _pair_residue(group) * sp.zeta(sp.cancel(p + place)),
        )
    return Candidate(
        sp.expand(place),
        "gamma",
        0,
        lambda: sp.Add(*(pole.residue() for pole in group)) * sp.zeta(sp.cancel(p + place)),
    )


def _merge(p: sp.Expr, group: Sequence[Candidate], members: Mapping[int, list[Pole]]) -> Candidate:
    """Build the term that replaces candidates of equal exponent."""
    found = [pole for entry in group for pole in members.get(id(entry), [])]
    exponent = group[-1].exponent
    with_zeta = any(entry.origin == "zeta" for entry in group)
    repeated = _same_symbol_twice(found)
    if with_zeta and repeated:  # a triple pole
        return Candidate(exponent, "double", 2, lambda: _pair_residue(found) / 2)
    if with_zeta and len(found) > 1 and _cancelled(found):  # no pole is left but that of zeta
        return group[0]
    if with_zeta:
        return Candidate(exponent, "double", 1, lambda: sp.Add(*(pole.residue() for pole in found)))
    if repeated:
        return Candidate(
            exponent,
            "double",
            1,
            lambda: _pair_residue(found) * sp.zeta(sp.cancel(p + found[0].place)),
        )
    return Candidate(exponent, "gamma", 0, lambda: sp.Add(*(entry.coefficient for entry in group)))


def _transform_at(parts: tuple[MellinSymbol, ...], place: sp.Expr) -> sp.Expr:
    """Evaluate a transform, across singularities that cancel between its parts."""
    value = sp.Add(*(part.transform(place) for part in parts))
    if len(parts) > 1 and value.has(sp.nan, sp.zoo):
        s = sp.Dummy("s")
        value = sp.limit(sp.Add(*(part.transform(s) for part in parts)), s, place)
    return value


def _require(margin: sp.Expr, complaint: str, conditions: list[sp.Basic]) -> None:
    """Note that `margin` must be positive; raise if it never is."""
    positive = is_positive(margin)
    if positive is False:
        raise refusal("p", margin, f"{complaint}: {sp.cancel(margin)} > 0 is violated", named=False)
    if positive is None and (condition := against_zero(margin, sp.Gt)) not in conditions:
        conditions.append(condition)


def _same_symbol_twice(members: Sequence[Pole]) -> bool:
    return any(
        one.symbol is two.symbol and one.index != two.index for one, two in combinations(members, 2)
    )


def _pair_residue(members: Sequence[Pole]) -> sp.Expr:
    """Leading coefficient of the double poles formed by two Gamma factors of one symbol, zeta left out."""
    return sp.Add(
        *(
            one.own_residue() * two.own_residue() * one.rest(one.index, two.index)
            for one, two in combinations(members, 2)
            if one.symbol is two.symbol and one.index != two.index
        )
    )


# -- two smaller tools --------------------------------------------------------------------------------------------------


@short_repr
@dataclass(frozen=True)
class SlopeSum:
    """Growth exponents of a sum of which only the slopes of the shape are known.

    Attributes
    ----------
    candidates : tuple of Expr
        Exponents of K that compete.
    """

    candidates: tuple[sp.Expr, ...]

    def exponent(self) -> sp.Expr:
        """Return the largest candidate."""
        return sp.Max(*self.candidates)

    def ties(self) -> tuple[sp.Basic, ...]:
        """Return the conditions under which two candidates are equal, where the sum carries a logarithm."""
        relations = (
            sp.Eq(sp.expand(one), sp.expand(two)) for one, two in combinations(self.candidates, 2)
        )
        return tuple(relation for relation in relations if relation != sp.false)


def slope_only_sum(
    p: sp.Expr | float,
    *,
    at_zero: sp.Expr | float | None = None,
    at_infinity: sp.Expr | float | None = None,
    cutoff: sp.Expr | float | None = None,
) -> SlopeSum:
    r"""Find the growth exponent of :math:`\sum_{k \le K^m} k^{-p} g(k/K)` from the slopes of g alone.

    Parameters
    ----------
    p : Expr or number
        Exponent of the sum.
    at_zero : Expr, number or None
        :math:`q_0` in :math:`g \sim x^{q_0}` at 0; None if g vanishes faster than any power.
    at_infinity : Expr, number or None
        :math:`q_\infty` in :math:`g \sim x^{q_\infty}` at infinity; None if g vanishes faster than any power.
    cutoff : Expr, number or None
        m > 1 of a finite number :math:`K^m` of modes; None for infinitely many.

    Returns
    -------
    SlopeSum
        With exponent :math:`\max\{1-p,\,-q_0,\,m(1-p)+(m-1)q_\infty\}`.

    Raises
    ------
    DomainError
        If infinitely many modes make the sum diverge, or its convergence cannot be decided.

    Examples
    --------
    >>> a, b = sp.symbols("a b", positive=True)
    >>> slope_only_sum(a + 1, at_zero=2 * b, at_infinity=0).exponent()
    Max(-a, -2*b)
    """
    p = as_expression("p", p)
    found = [sp.expand(1 - p)]
    if at_zero is not None:
        found.append(sp.expand(-as_expression("at_zero", at_zero)))
    if at_infinity is not None:
        slope = as_expression("at_infinity", at_infinity)
        if cutoff is not None:
            m = as_expression("cutoff", cutoff)
            if not (m - 1).is_positive:
                raise refusal("cutoff", m, "must exceed 1: the sum must reach past its scale")
            found.append(sp.expand(m * (1 - p) + (m - 1) * slope))
        elif not is_positive(p - slope - 1):
            raise refusal(
                "at_infinity",
                slope,
                f": the sum converges only if p - at_infinity > 1, which is not certain for p = {p}; "
                "give a cutoff",
            )
    return SlopeSum(tuple(found))


def inverse_laplace_power(
    coefficient: sp.Expr | float, exponent: sp.Expr | float, t: sp.Expr
) -> sp.Expr:
    r"""Invert the Laplace transform of a singular power, for large time (Tauber).

    .. math:: C s^e \;\to\; \frac{C\,t^{-e-1}}{\Gamma(-e)}, \qquad s \to 0,\ t \to \infty

    Parameters
    ----------
    coefficient, exponent : Expr or number
        C and e.
    t : Expr
        Time.

    Returns
    -------
    Expr
        Zero for e = 0, 1, 2, ...: an analytic term leaves no power behind.

    Examples
    --------
    >>> t = sp.Symbol("t", positive=True)
    >>> inverse_laplace_power(1, -1, t), inverse_laplace_power(1, 2, t)
    (1, 0)
    """
    exponent = as_expression("exponent", exponent)
    coefficient, t = as_expression("coefficient", coefficient), as_expression("t", t)
    if exponent.is_integer and exponent.is_nonnegative:
        return sp.S.Zero
    return coefficient * t ** (-exponent - 1) / sp.gamma(-exponent)
