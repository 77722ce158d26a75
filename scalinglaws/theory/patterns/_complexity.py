"""Which pattern is the cheapest, and how many samples that takes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from fractions import Fraction
from functools import cached_property
from typing import Any

import sympy as sp

from ...arguments import flag
from ...errors import refusal, unknown_name
from ...reprs import short_repr
from ..balance._cells import FORM_ZERO, Cell, Polygon, clip, edges_of, joined, least_cells, value_at
from ._architectures import Architecture, Attention, exponent_of
from ._coordinates import FAR, SCALE, Space, half_plane, space_of, written
from ._cost import Cost, cost
from ._minimum import Minimum, optimize
from ._rules import Pattern, enumerate_patterns

HEURISTIC = (
    "Heuristic: a scaling argument for exponents. What is exact is that fewer than P_LB = 2 sigma^2 C/(Tr K + <y^2>) samples cannot teach "
    "the target, C being minus the logarithm of the prior probability of alignment; that P ~ C samples suffice, and that C is the cost "
    "of the cheapest pattern, are assumptions."
)


@short_repr
@dataclass(frozen=True)
class RankedPattern:
    """A pattern with the power of d in its least cost.

    Attributes
    ----------
    pattern : Pattern
        What is done by the layers.
    exponent : Expr
        A number, or the largest of linear functions of the symbols.
    """

    pattern: Pattern
    exponent: sp.Expr

    @cached_property
    def parameters(self) -> Mapping[sp.Symbol, sp.Expr]:
        """Powers of d in the parameters at the minimum; the smallest ones where several do. At symbols, those of the closed form."""
        symbolic = bool(self.pattern.architecture.symbols)
        return optimize(self.pattern, method="closed" if symbolic else "exact").exponents

    @cached_property
    def minimum(self) -> Minimum:
        """The minimum in closed form, with the constants of the posynomial."""
        return optimize(self.pattern)

    @property
    def cost(self) -> Cost:
        """The posynomial."""
        return cost(self.pattern)

    def __str__(self) -> str:
        return str(self.pattern)


@short_repr
@dataclass(frozen=True)
class WinningRegion:
    """Where one pattern, or several that cost the same, are the cheapest.

    Attributes
    ----------
    winners : tuple of Pattern
        The preferred one first.
    exponent : Expr
        Power of d in the number of samples, linear in the symbols.
    conditions : tuple of Relational
        Half-planes; the region is where all hold.
    corners : tuple of tuple of Rational
        Corners of the region, without those at infinity.
    """

    winners: tuple[Pattern, ...]
    exponent: sp.Expr
    conditions: tuple[sp.Basic, ...]
    corners: tuple[tuple[sp.Rational, ...], ...]


@short_repr
@dataclass(frozen=True)
class SampleComplexity:
    """Which patterns are the cheapest for an architecture.

    Attributes
    ----------
    architecture : Architecture or Attention
        What was asked about.
    ranking : tuple of RankedPattern
        All possible patterns, the cheapest first; by simplicity where costs are equal, or where they depend on symbols.
    infeasible : tuple of Pattern
        Patterns whose bounds exclude each other (with `purity`); at symbols, those excluded everywhere.
    purity : bool
        Whether features had to be clean.
    """

    architecture: Architecture | Attention
    ranking: tuple[RankedPattern, ...]
    infeasible: tuple[Pattern, ...]
    purity: bool
    _space: Space = field(repr=False, compare=False)

    @cached_property
    def exponent(self) -> sp.Expr:
        """Power of d in the number of samples: a rational number, or a piecewise law in the symbols."""
        if not self._space.symbols:
            return self.ranking[0].exponent
        if self._space.region is None:
            return sp.Min(*(entry.exponent for entry in self.ranking), evaluate=False)
        pieces = _by_form(self._cells, self._space)
        if len(pieces) == 1:
            return pieces[0][0]
        return sp.Piecewise(*pieces, evaluate=False)

    @property
    def validity(self) -> tuple[sp.Basic, ...]:
        """What the symbols must satisfy: sizes do not shrink with d."""
        found = (
            sp.Ge(exponent, 0)
            for exponent in self.architecture.size_exponents
            if not exponent.is_nonnegative
        )
        return tuple(dict.fromkeys(found))

    @cached_property
    def winners(self) -> tuple[RankedPattern, ...]:
        """The cheapest patterns, ties included, preferred ones first; at symbols, all that are preferred somewhere.

        At more than two symbols nothing is excluded: all patterns.
        """
        if not self._space.symbols:
            return tuple(
                entry for entry in self.ranking if entry.exponent == self.ranking[0].exponent
            )
        if self._space.region is None:
            return self.ranking
        preferred = {str(region.winners[0]) for region in self.regions}
        return tuple(entry for entry in self.ranking if str(entry.pattern) in preferred)

    @cached_property
    def _cells(self) -> tuple[Cell, ...]:
        region = self._space.region
        if region is None:
            raise refusal(
                "architecture",
                self.architecture,
                "regions are found for at most two symbols; got "
                f"{', '.join(map(str, self._space.symbols))}: give numbers to the rest",
                named=False,
            )
        return cells_of([entry.pattern for entry in self.ranking], self._space, region)

    @cached_property
    def regions(self) -> tuple[WinningRegion, ...]:
        """Where which patterns win, in one or two symbols: convex regions with exact boundaries; empty at given numbers."""
        if not self._space.symbols:
            return ()
        space, patterns = self._space, [entry.pattern for entry in self.ranking]
        return tuple(
            WinningRegion(
                tuple(patterns[number] for number in cell.winners),
                plane_written(cell.form, space),
                half_planes(cell.polygon, space),
                tuple(
                    _point(point, space)
                    for point in dict.fromkeys(_own(corner, space) for corner in cell.polygon)
                    if max(point) < FAR / 2
                ),
            )
            for cell in self._cells
        )

    def at(self, /, **values: Any) -> SampleComplexity:
        """Answer the same question at given numbers for the symbols.

        Parameters
        ----------
        **values
            One rational number per symbol, by name.

        Returns
        -------
        SampleComplexity
            With exact exponents.

        Examples
        --------
        >>> from scalinglaws.theory.patterns import fully_connected
        >>> found = sample_complexity(fully_connected(["n_1", "n_2"], 3)).at(n_1="3/2", n_2=1)
        >>> found.exponent, str(found.winners[0])
        (1, 'GP S1(1)')
        """
        return sample_complexity(substituted(self.architecture, values), purity=self.purity)

    def explain(self) -> str:
        """Explain the answer in Markdown: patterns with their costs, the winner, and what kind of statement this is."""
        lines = [f"# Sample complexity: {_described(self.architecture)}", "", HEURISTIC, ""]
        if self.purity:
            lines += [
                "Features must be clean: what is learned off target does not exceed the target.",
                "",
            ]
        if self._space.symbols:
            lines += [f"Samples grow as $d^g$ with $g = {sp.latex(self.exponent)}$.", ""]
            if self._space.region is not None:
                for region in self.regions:
                    where = (
                        ", ".join(f"${sp.latex(entry)}$" for entry in region.conditions)
                        or "everywhere"
                    )
                    names = " = ".join(map(str, region.winners))
                    lines.append(
                        f"* **{names}**: exponent ${sp.latex(region.exponent)}$ where {where}"
                    )
        else:
            lines += [
                f"Samples grow as $d^{{{self.exponent}}}$: {', '.join(map(str, self.winners))}.",
                "",
            ]
        lines += ["", "| pattern | exponent | cost |", "|---|---|---|"]
        lines += [
            f"| {entry} | ${sp.latex(entry.exponent)}$ | ${sp.latex(entry.cost.expr)}$ |"
            for entry in self.ranking
        ]
        lines += [
            f"| {pattern} | infeasible | ${sp.latex(cost(pattern).expr)}$ |"
            for pattern in self.infeasible
        ]
        return "\n".join(lines) + "\n"

    def __str__(self) -> str:
        if self._space.symbols and self._space.region is None:
            return f"samples ~ {SCALE}^g, g the least over {len(self.ranking)} patterns; give numbers to all but two symbols (heuristic)"
        names = ", ".join(map(str, self.winners))
        return f"samples ~ {SCALE}^{self.exponent}: {names} (heuristic)"


def sample_complexity(
    architecture: Architecture | Attention, *, purity: bool = False
) -> SampleComplexity:
    r"""Find how many samples a network needs to learn its target, and by which pattern of feature learning.

    Every assignment of {lazy, specialization, Gaussian feature learning} to the layers has a cost, minus the logarithm of its prior
    probability; the cheapest one happens, :math:`P_* \sim` its cost.

    Parameters
    ----------
    architecture : Architecture or Attention
        From `fully_connected`, `convolutional` or `attention`; exponents may be symbols.
    purity : bool
        Whether features must also be clean: what comes with them off target must not exceed the target, so that
        :math:`\lambda[k] \ge 1/\min N` over the layers they passed.

    Returns
    -------
    SampleComplexity
        Winners with ties, exact exponents, the full ranking. Heuristic: exponents only.

    Raises
    ------
    DomainError
        If no pattern can express the target.

    Notes
    -----
    At numbers the exponents are the largest of the linear functions that each pattern was compiled to, in fractions. In one or two
    symbols the piecewise law is found by laying one pattern over the other, polygon by polygon, in exact arithmetic.

    References
    ----------
    .. [1] N. Rubin, O. Davidovich, Z. Ringel, "Mitigating the Curse of Detail: Scaling Arguments for Feature Learning and Sample
       Complexity", arXiv:2512.04165.

    Examples
    --------
    >>> from scalinglaws.theory.patterns import fully_connected
    >>> found = sample_complexity(fully_connected([2, 2], 3))
    >>> print(found)
    samples ~ d^3/2: GP S(1), S(1) GP (heuristic)
    >>> found.winners[0].parameters
    {M_2: 1/2}
    >>> n = sp.Symbol("n", positive=True)
    >>> sample_complexity(fully_connected([n], 3), purity=True).exponent
    Piecewise((1, n <= 1), (n/2 + 1/2, (n >= 1) & (n <= 5)), (3, n >= 5))
    """
    flag("purity", purity)
    if not isinstance(architecture, (Architecture, Attention)):
        raise refusal(
            "architecture",
            architecture,
            "must come from fully_connected, convolutional or attention",
        )
    space = space_of(architecture)
    patterns = sorted(
        enumerate_patterns(architecture, purity=purity), key=lambda pattern: pattern.rank
    )
    ranked, infeasible = [], []
    for pattern in patterns:
        if space.numbers is None:
            region = space.region
            if region is not None and not _somewhere(pattern, space, region):
                infeasible.append(pattern)
                continue
            ranked.append(RankedPattern(pattern, optimize(pattern, method="compiled").exponent))
            continue
        exponent = pattern.program.exponent(space.numbers)
        if exponent is None:
            infeasible.append(pattern)
        else:
            ranked.append(RankedPattern(pattern, sp.Rational(exponent)))
    if not ranked:
        why = (
            " cleanly: its layers are too narrow"
            if infeasible
            else ": the tracked features do not connect its layers"
        )
        sentence = f"no pattern of {_described(architecture)} expresses the target{why}"
        raise refusal("architecture", architecture, sentence, named=False)
    if space.numbers is not None:
        ranked.sort(key=lambda entry: entry.exponent)  # stable: ties keep their order
    return SampleComplexity(architecture, tuple(ranked), tuple(infeasible), purity, space)


def substituted(
    architecture: Architecture | Attention, values: Mapping[str, Any]
) -> Architecture | Attention:
    """Put numbers in the place of an architecture's symbols.

    Parameters
    ----------
    architecture : Architecture or Attention
        With symbols.
    values : mapping of str to number
        By name; all symbols, and no others.

    Returns
    -------
    Architecture or Attention
        The same kind.
    """
    names = {str(symbol): symbol for symbol in architecture.symbols}
    for name in values:
        if name not in names:
            raise unknown_name("symbol of the architecture", name, names)
    if missing := [name for name in names if name not in values]:
        raise refusal(missing[0], None, f"{', '.join(missing)} must be given a number", named=False)
    exact = {names[name]: exponent_of(name, value) for name, value in values.items()}
    if isinstance(architecture, Attention):
        return Attention(*(entry.subs(exact) for entry in architecture.size_exponents))
    return replace(
        architecture,
        width_exponents=tuple(entry.subs(exact) for entry in architecture.width_exponents),
        fan_in=architecture.fan_in.subs(exact),
        readout_multiplicity=architecture.readout_multiplicity.subs(exact),
    )


def cells_of(patterns: Iterable[Pattern], space: Space, region: Polygon) -> tuple[Cell, ...]:
    """Partition a region by the cheapest pattern."""
    functions = []
    for pattern in patterns:
        program = pattern.program
        functions.append(
            (
                [space.plane(form) for form in program.forms],
                [space.plane(row) for row in program.feasible],
            )
        )
    return least_cells(functions, region)


def half_planes(polygon: Polygon, space: Space) -> tuple[sp.Basic, ...]:
    """Write the sides of a polygon as conditions, without those far away and those that the positive symbols imply."""
    found = []
    limits = [
        space.plane(tuple(Fraction(index == number) for index in range(len(space.sizes))))
        for number in range(len(space.sizes))
    ]
    for start, end, edge in edges_of(polygon):
        if max(*start, *end) >= FAR / 2 and (
            start[0] == end[0] == FAR or start[1] == end[1] == FAR
        ):
            continue
        if any(
            any(limit[1:]) and value_at(limit, start) == 0 == value_at(limit, end)
            for limit in limits
        ):
            continue
        if edge[1:] == FORM_ZERO[1:] or (len(space.symbols) == 1 and start[1] == end[1]):
            continue
        if (start[0] == end[0] == 0) or (len(space.symbols) > 1 and start[1] == end[1] == 0):
            continue
        found.append(half_plane(edge, space.symbols))
    return tuple(sorted(dict.fromkeys(found), key=str))


def plane_written(form: tuple[Fraction, Fraction, Fraction], space: Space) -> sp.Expr:
    """Write a linear function of the symbols."""
    return written(form[: len(space.symbols) + 1], space.symbols)


def _by_form(cells: Iterable[Cell], space: Space) -> list[tuple[sp.Expr, sp.Basic]]:
    """Join cells of equal exponent, whoever wins, and write each exponent with its region."""
    pieces: dict[tuple[Fraction, Fraction, Fraction], list[sp.Basic]] = {}
    for cell in sorted(
        joined(replace(entry, winners=()) for entry in cells), key=lambda entry: entry.polygon
    ):
        pieces.setdefault(cell.form, []).append(sp.And(*half_planes(cell.polygon, space)))
    return [(plane_written(form, space), sp.Or(*conditions)) for form, conditions in pieces.items()]


def _somewhere(pattern: Pattern, space: Space, region: Polygon) -> bool:
    """Whether the bounds of a pattern can be satisfied in a part of the region that has an area."""
    for row in pattern.program.feasible:
        if not region:
            break
        region = clip(region, space.plane(row))
    return bool(region)


def _own(corner: tuple[Fraction, Fraction], space: Space) -> tuple[Fraction, ...]:
    return corner[: len(space.symbols)]


def _point(corner: tuple[Fraction, ...], space: Space) -> tuple[sp.Rational, ...]:
    return tuple(sp.Rational(entry) for entry in corner)


def _described(architecture: Architecture | Attention) -> str:
    if isinstance(architecture, Attention):
        return f"softmax attention, sequences of length d^{architecture.length_exponent}"
    widths = ", ".join(map(str, architecture.width_exponents))
    kind = (
        "fully connected network"
        if architecture.readout_multiplicity == 0 and architecture.fan_in == 1
        else "convolutional network"
    )
    return f"{kind} of width exponents {widths}, {architecture.activation} activation, target of degree {architecture.degree}"
