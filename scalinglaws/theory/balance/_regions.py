"""Which balance wins where, and in which words."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from math import prod
from typing import Any

import numpy as np
import sympy as sp

from ...arguments import flag, function, generator, instance, several, whole
from ...errors import refusal
from ...reprs import short_repr
from ..relations import against_zero, factored
from ._program import check_scale
from ._records import Balance

_FEASIBLE = 1e-12  # duals down to minus this count as feasible
_INFINITESIMAL = 1e-6  # a logarithm, as a power


@short_repr
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


@short_repr
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
        sign = -1 if flag("decay", decay) else 1
        weak = {sp.StrictGreaterThan: sp.Ge, sp.StrictLessThan: sp.Le}
        pieces = []
        for entry in self.entries:
            closed = (
                weak.get(condition.func, condition.func)(*condition.args)
                for condition in entry.conditions
            )
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
    >>> from scalinglaws.theory.balance import allocate
    >>> K, P, v, a, b = sp.symbols("K P v a b", positive=True)
    >>> ridge = allocate(K ** -(a - 1) + K ** (-2 * b) + v * K / P, K)
    >>> box = {a: (sp.Rational(11, 10), 8), b: (1, 3)}
    >>> for entry in regimes_in_region(ridge, P, box):
    ...     print(entry.exponent, *entry.conditions)
    -(a - 1)/a a - 2*b < 1
    -2*b/(2*b + 1) a - 2*b > 1
    """
    regimes = several("regimes", regimes, Balance)
    if not regimes:
        raise refusal("regimes", regimes, "is empty: there is nothing to choose from", shown=False)
    samples = whole("samples", samples)
    check_scale(regimes[0]._program, scale)
    where = several("where", where, sp.Basic)
    if isinstance(region, Mapping):
        for name, ends in region.items():
            instance("region", name, sp.Symbol)
            if not _is_range(ends):
                raise refusal(
                    "region",
                    region,
                    f": {name} in {ends} must be two finite numbers, the lower one first",
                    shown=False,
                )
    else:
        function("region", region)
    names = (
        several("params", params, sp.Symbol)
        if params is not None
        else tuple(region)
        if isinstance(region, Mapping)
        else ()
    )
    exponents = [entry._raw_exponent(scale) for entry in regimes]
    duals = [entry._signs for entry in regimes]
    needed = set().union(*(expr.free_symbols for expr in [*exponents, *chain.from_iterable(duals)]))
    if missing := sorted(str(name) for name in needed - set(names)):
        raise refusal("region", region, f"gives no range for {', '.join(missing)}", shown=False)
    points = _draw(region, names, where, samples, generator(rng))

    known: dict[sp.Expr, Any] = {}
    columns = dict(zip(names, points.T, strict=True))

    def at_points(exprs: Sequence[sp.Expr]) -> Any:
        for expr in exprs:
            if expr not in known:
                value = evaluated(expr, columns)
                known[expr] = np.broadcast_to(np.asarray(value, float), len(points))
        return np.array([known[expr] for expr in exprs])

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
        raise refusal(
            "region",
            place,
            f"no balance is possible at {place}: the optimum falls to zero there",
            named=False,
        )
    labels = np.argmax(heights > heights.max(axis=0) - 1e-12, axis=0)
    winners = [number for number in range(len(regimes)) if np.any(labels == number)]
    entries = []
    for number in winners:
        inequalities = [
            *duals[number],
            *(exponents[number] - exponents[other] for other in winners if other != number),
        ]
        if logarithm is not None:
            inequalities += [logs[number] - logs[other] for other in winners if other != number]
        inside = labels == number
        conditions, uncovered = _separate(
            [entry for entry in inequalities if entry.free_symbols], inside, at_points
        )
        equal = np.all(heights[:, inside] > heights[number, inside] - 1e-12, axis=1)
        ties = tuple(regimes[other] for other in np.flatnonzero(equal) if other != number)
        entries.append(
            RegionalRegime(
                regimes[number],
                regimes[number].exponent(scale),
                conditions,
                float(inside.mean()),
                uncovered,
                ties,
            )
        )
    return RegionalMap(tuple(sorted(entries, key=lambda entry: -entry.fraction)))


def _is_range(ends: Any) -> bool:
    try:
        low, high = map(float, ends)
    except (TypeError, ValueError):
        return False
    return -np.inf < low <= high < np.inf


def evaluated(expr: sp.Expr, values: Mapping[sp.Symbol, Any]) -> Any:
    """Evaluate an algebraic expression on arrays; compiling a function for each would take longer than all its calls."""
    if expr.is_Symbol:
        return values[expr]
    if expr.is_number:
        return float(expr)
    parts = [evaluated(part, values) for part in expr.args]
    if expr.is_Add:
        return sum(parts)
    if expr.is_Mul:
        return prod(parts)
    if expr.is_Pow:
        return parts[0] ** parts[1]
    return sp.lambdify(list(values), expr, "numpy")(*values.values())


def _draw(
    region: Any,
    names: tuple[sp.Symbol, ...],
    where: tuple[sp.Basic, ...],
    samples: int,
    source: np.random.Generator,
) -> Any:
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
    raise refusal(
        "where",
        where,
        f"only {len(points)} of {1000 * samples} points satisfy {where}: the region is empty "
        "or too thin",
        named=False,
    )


def _separate(
    inequalities: list[sp.Expr], inside: Any, at_points: Callable[[Sequence[sp.Expr]], Any]
) -> tuple[tuple[sp.Basic, ...], int]:
    """Choose few conditions that hold at the winner's points and exclude the foreign ones (greedy set cover)."""
    foreign = ~inside
    factors: dict[sp.Expr, None] = {}
    products: dict[sp.Expr, None] = {}
    for inequality in inequalities:
        numerator, denominator = sp.fraction(factored(inequality))
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
            best = max(
                oriented,
                key=lambda pair: (np.sum(pair[1] & foreign), -pair[0].count_ops()),
                default=None,
            )
            if best is None or not np.any(best[1] & foreign):
                break
            chosen.append(best)
            foreign = foreign & ~best[1]
    excluded = ~inside & ~foreign
    for pair in list(chosen):  # a later choice can make an earlier one superfluous
        rest = [other for other in chosen if other is not pair]
        if rest and np.array_equal(
            np.any([others for _, others in rest], axis=0) & ~inside, excluded
        ):
            chosen = rest
    return tuple(against_zero(expr, sp.Gt) for expr, _ in chosen), int(foreign.sum())
