r"""Zeros of a flow of two couplings, all of them, and the exponents with which scaling fields leave or approach them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache

import sympy as sp

from ...arguments import instance
from ...errors import refusal
from ...reprs import short_repr
from ..derivation import DEFINITION, EQUAL, Step, asymptotic, solves, step
from ..relations import is_positive
from ._letters import QUADRATIC, QUARTIC, RATIO
from .flows import RATE_R, RATE_U, Flow

_INVERSE, _SHAPE = sp.symbols("Z G", real=True)
"""1/R and U/R^2."""
_LEFT, _RIGHT = sp.symbols("h_1 h_2", positive=True)
_ELIMINATED, _RATE_Z, _RATE_G = sp.symbols("E B_Z B_G", real=True)


@short_repr
@dataclass(frozen=True)
class Zero:
    r"""A zero of a flow.

    Attributes
    ----------
    name : str
        ``"trivial"`` at R = U = 0, ``"ridge"`` at U = 0, ``"quartic"`` at U != 0, ``"massive"`` at 1/R = U/R^2 = 0,
        ``"massive_quartic"`` at 1/R = 0.
    place : mapping of Symbol to Expr
        Values of R and U or, at infinity, of 1/R and U/R^2.
    exponents : tuple of Expr
        Rates :math:`y` of the two scaling fields, which grow as :math:`(\Lambda_0/\Lambda)^y`.
    fields : tuple of tuple of Expr
        Coefficients of deviations in each scaling field.
    rates : tuple of Expr
        The flow, in the couplings of `place`.
    """

    name: str
    place: Mapping[sp.Symbol, sp.Expr]
    exponents: tuple[sp.Expr, ...]
    fields: tuple[tuple[sp.Expr, sp.Expr], ...]
    rates: tuple[sp.Expr, sp.Expr]

    @property
    def quartic(self) -> sp.Expr:
        """U, or at infinity U/R^2."""
        return list(self.place.values())[1]

    @property
    def physical(self) -> bool:
        """Whether the quartic coupling is not negative: otherwise the likelihood grows with the residual."""
        return is_positive(-self.quartic) is not True

    @property
    def stable(self) -> bool:
        """Whether both scaling fields fall."""
        return (
            is_positive(sp.Mul(*self.exponents)) is True
            and is_positive(-sp.Add(*self.exponents)) is True
        )

    @property
    def slowest(self) -> sp.Expr:
        """The larger exponent: how a stable zero is approached."""
        return sp.simplify(sp.Max(*self.exponents))


@lru_cache(maxsize=64)
def _zeros(rates: tuple[sp.Expr, sp.Expr], at_infinity: bool) -> tuple[Zero, ...]:
    found = list(_in_chart(rates, (QUADRATIC, QUARTIC), ("trivial", "ridge", "quartic")))
    if at_infinity:
        chart = infinite_rates(rates)
        names = ("massive", "massive", "massive_quartic")
        found += [
            zero
            for zero in _in_chart(chart, (_INVERSE, _SHAPE), names)
            if zero.place[_INVERSE] == 0
        ]
    names_so_far: dict[str, int] = {}
    numbered = []
    for zero in found:  # several of one kind are numbered
        count = names_so_far[zero.name] = names_so_far.get(zero.name, 0) + 1
        numbered.append(zero if count == 1 else replace(zero, name=f"{zero.name}{count}"))
    return tuple(numbered)


def zeros(flow: Flow) -> tuple[Zero, ...]:
    """Find all zeros of a flow.

    Parameters
    ----------
    flow : Flow
        Of two couplings.

    Returns
    -------
    tuple of Zero
        Finite ones first.

    Raises
    ------
    DomainError
        If zeros have no closed form, or if scaling fields turn around a zero: exponents that are not real.

    Examples
    --------
    >>> from scalinglaws.theory.renormalization import likelihood_flow
    >>> [(zero.name, zero.exponents) for zero in zeros(likelihood_flow(2))]
    [('trivial', (1, 2)), ('quartic', (-1, 1)), ('ridge', (-2, -1))]
    """
    instance("flow", flow, Flow)
    return _zeros(flow.rates, flow.at_infinity)


def infinite_rates(rates: tuple[sp.Expr, sp.Expr]) -> tuple[sp.Expr, sp.Expr]:
    """Write the flow in 1/R and U/R^2."""
    there = {QUADRATIC: 1 / _INVERSE, QUARTIC: _SHAPE / _INVERSE**2}
    one, two = (rate.subs(there, simultaneous=True) for rate in rates)
    return (
        sp.factor(-(_INVERSE**2) * one),
        sp.factor(_INVERSE**2 * two - 2 * _SHAPE * _INVERSE * one),
    )


def _in_chart(
    rates: tuple[sp.Expr, sp.Expr],
    couplings: tuple[sp.Symbol, sp.Symbol],
    names: tuple[str, str, str],
) -> Iterator[Zero]:
    """Find zeros and exponents in one pair of couplings."""
    tops = [sp.numer(sp.together(rate)) for rate in rates]
    bottoms = [sp.denom(sp.together(rate)) for rate in rates]
    try:
        places = sp.solve(tops, couplings, dict=True)
    except NotImplementedError:
        raise refusal("rates", rates, "have zeros without closed form", shown=False) from None
    jacobian = sp.Matrix(rates).jacobian(couplings)
    for found in places:
        place = {name: sp.factor(found.get(name, name)) for name in couplings}
        if any(value.free_symbols & set(couplings) for value in place.values()):
            raise refusal("rates", rates, "must vanish at points, not along a line", shown=False)
        if any(sp.simplify(bottom.subs(place)) == 0 for bottom in bottoms):
            continue  # there the propagator itself diverges
        if any(value.is_real is False for value in place.values()):
            continue
        one, two = place.values()
        name = names[0] if one == two == 0 else names[1] if two == 0 else names[2]
        linear = jacobian.subs(place).applyfunc(sp.factor)
        exponents, fields = _scaling(linear)
        yield Zero(name, place, exponents, fields, rates)


def _scaling(
    linear: sp.Matrix,
) -> tuple[tuple[sp.Expr, ...], tuple[tuple[sp.Expr, sp.Expr], ...]]:
    """Return eigenvalues and left eigenvectors of the linear flow."""
    (a, b), (c, d) = linear.tolist()
    spread = sp.factor((a - d) ** 2 + 4 * b * c)
    if is_positive(-spread) is True:
        raise refusal("rates", linear, "have a zero that the flow turns around", shown=False)
    root = sp.sqrt(spread)
    if b * c == 0 or sp.sqrt(spread).is_rational_function(*linear.free_symbols):
        pair = (a, d) if b * c == 0 else tuple(sp.factor((a + d + s * root) / 2) for s in (-1, 1))
    else:
        pair = tuple((sp.factor(a + d) + s * root) / 2 for s in (-1, 1))
    if b * c == 0 and is_positive(pair[0] - pair[1]) is True:
        pair = (pair[1], pair[0])
    fields = []
    for value in pair:
        field = (value - d, b) if b != 0 else (c, value - a) if c != 0 else None
        if field is None:
            field = (sp.S.One, sp.S.Zero) if value == a else (sp.S.Zero, sp.S.One)
        fields.append(tuple(sp.factor(part) for part in field))
    return tuple(pair), tuple(fields)


# -- steps --------------------------------------------------------------------------------------------------------------


def zero_steps(flow: Flow) -> list[Step]:
    """Derive all finite zeros: eliminate U, factor what is left, and take the zeros of the factors."""
    one, two = flow.rates
    (solution,) = sp.solve(sp.numer(sp.together(one)), QUARTIC)
    solution = sp.factor(solution)
    left = sp.factor(two.subs(QUARTIC, solution))
    infinite = (
        ", but for those of the denominators, where the rates are infinite"
        if any(sp.denom(sp.together(rate)) != 1 for rate in flow.rates)
        else ""
    )
    steps = [
        step(
            QUARTIC,
            solution,
            solves(sp.Eq(RATE_R, 0, evaluate=False)),
            "where the quadratic coupling stands still",
        ),
        step(_ELIMINATED, RATE_U, DEFINITION, "rate of the quartic coupling there"),
        step(_ELIMINATED, left, EQUAL, f"a product: its factors have all the zeros{infinite}"),
    ]
    for zero in zeros(flow):
        place = zero.place.get(QUADRATIC, sp.S.Zero)
        if place == 0:
            continue
        here = coordinate(zero)
        vanishing = next(
            factor
            for factor, _ in sp.factor_list(sp.numer(left), QUADRATIC)[1]
            if sp.simplify(factor.subs(QUADRATIC, place)) == 0
        )
        constant, *others = reversed(sp.Poly(vanishing, QUADRATIC).all_coeffs())
        rest = sp.Add(*(entry * here**power for power, entry in enumerate(others, start=1)))
        steps.append(
            step(
                here,
                place,
                solves(sp.Eq(rest, -constant, evaluate=False)),
                f"the {zero.name} zero",
            )
        )
        if zero.quartic != 0:
            there = sp.Symbol(f"U_{zero.name}", real=True)
            steps += [
                step(
                    there,
                    solution.subs(QUADRATIC, here),
                    DEFINITION,
                    "the quartic coupling there",
                ),
                step(
                    there,
                    zero.quartic,
                    EQUAL,
                    "positive: of order one, so that no small parameter controls it"
                    if zero.physical
                    else "negative: no likelihood, since it would grow with the residual",
                ),
            ]
    return steps


def rate_steps(flow: Flow) -> list[Step]:
    """Derive the rates, or state them."""
    one, two = flow.rates
    return list(flow.steps) or [
        step(RATE_R, one, DEFINITION, "rate of the first coupling"),
        step(RATE_U, two, DEFINITION, "rate of the second"),
    ]


def coordinate(zero: Zero) -> sp.Symbol:
    """Return the letter for R at a zero."""
    return sp.Symbol(f"R_{zero.name}", real=True)


def scaling_steps(zero: Zero, number: int) -> list[Step]:
    """Let two scaling fields evolve, next to a zero."""
    steps = []
    couplings = tuple(zero.place)
    shifted = {
        name: value + shift / RATIO
        for (name, value), shift in zip(zero.place.items(), (_LEFT, _RIGHT), strict=True)
    }
    here = ", ".join(
        f"{said} = {value}"
        for said, value in zip(
            ("R", "U") if couplings[0] is QUADRATIC else ("1/R", "U/R^2"),
            zero.place.values(),
            strict=True,
        )
    )
    moved = [rate.subs(shifted, simultaneous=True) for rate in zero.rates]
    for which, (exponent, field) in enumerate(zip(zero.exponents, zero.fields, strict=True)):
        if exponent == 0:
            continue
        rate = sp.Symbol(f"w_{number}{which + 1}", real=True)
        steps += [
            step(
                rate,
                sp.Add(*(part * slope for part, slope in zip(field, moved, strict=True))),
                DEFINITION,
                f"rate of a scaling field at the zero {here}, from deviations h_1/X and h_2/X",
            ),
            step(
                rate,
                exponent
                * sp.Add(
                    *(part * shift for part, shift in zip(field, (_LEFT, _RIGHT), strict=True))
                )
                / RATIO,
                asymptotic(RATIO),
                f"small deviations: the field times {exponent}, an eigenvalue of the linear flow",
            ),
        ]
    return steps


def infinite_steps(flow: Flow) -> list[Step]:
    """Write the flow at infinite R."""
    if not flow.at_infinity:
        return []
    one, two = flow.rates
    there = {QUADRATIC: 1 / _INVERSE, QUARTIC: _SHAPE / _INVERSE**2}
    moved = [rate.subs(there, simultaneous=True) for rate in (one, two)]
    found = infinite_rates(flow.rates)
    return [
        step(
            _RATE_Z,
            -(_INVERSE**2) * moved[0],
            DEFINITION,
            "rate of Z = 1/R, by the chain rule: where modes are too stiff for the quartic term",
        ),
        step(_RATE_Z, found[0], EQUAL, "vanishes at Z = 0"),
        step(
            _RATE_G,
            _INVERSE**2 * moved[1] - 2 * _SHAPE * _INVERSE * moved[0],
            DEFINITION,
            "rate of G = U/R^2",
        ),
        step(_RATE_G, found[1], EQUAL, "regular at Z = 0"),
    ]
