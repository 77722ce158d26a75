"""Exponents of posynomials whose coefficients are powers of one large scale, exactly: at a point, and at all points at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from itertools import combinations

import numpy as np

from ...errors import refusal
from ...reprs import short_repr
from ._vertices import Row, dual_vertices, infeasible_rays, solve_exactly

_SINGULAR = 1e-9  # far below the determinants of small fractions
_ROUNDING = 1e-6


@short_repr
@dataclass(frozen=True)
class Power:
    r"""A monomial :math:`d^{e \cdot n} p^{a}` in sizes :math:`d^{n_k}` and free scales p.

    Attributes
    ----------
    sizes : tuple of Fraction
        e, the powers of the sizes.
    free : tuple of Fraction
        a, the powers of the free scales.
    """

    sizes: Row
    free: Row

    def __mul__(self, other: Power) -> Power:
        sizes = tuple(one + two for one, two in zip(self.sizes, other.sizes, strict=True))
        return Power(
            sizes, tuple(one + two for one, two in zip(self.free, other.free, strict=True))
        )

    def __pow__(self, power: int | Fraction) -> Power:
        return Power(
            tuple(entry * power for entry in self.sizes),
            tuple(entry * power for entry in self.free),
        )


@short_repr
@dataclass(frozen=True)
class TropicalProgram:
    r"""The exponent of the minimum of a sum of monomials in sizes and free scales.

    .. math:: t(n) = \min_\pi \max_i (e_i \cdot n + a_i \cdot \pi) \quad\text{with}\quad g_q \cdot \pi \le h_q \cdot n

    Attributes
    ----------
    terms : tuple of Power
        What is added up.
    caps : tuple of Power
        Monomials that must not exceed one; :math:`h_q` is minus the power of the sizes.

    Notes
    -----
    The set of dual variables does not depend on n, so its vertices are listed once: t is the largest of finitely many linear
    functions, `forms`. Where a product of caps contradicts itself, which `feasible` decides, there is no minimum.

    Examples
    --------
    The sum d M + N/M with 1 <= M <= N at d = N: one unit of exponent, and M = 1.

    >>> one, none = (Fraction(1),), (Fraction(0),)
    >>> term = lambda d, n, m: Power((Fraction(d), Fraction(n)), (Fraction(m),))
    >>> program = TropicalProgram((term(1, 0, 1), term(0, 1, -1)), (term(0, 0, -1), term(0, -1, 1)))
    >>> [str(entry) for entry in (program.exponent((1, 3)), program.minimum((1, 3))[1][0])]
    ['2', '1']
    """

    terms: tuple[Power, ...]
    caps: tuple[Power, ...] = ()

    @cached_property
    def forms(self) -> tuple[Row, ...]:
        """Linear functions of the size exponents, none of which is negative; the largest is the exponent of the minimum."""
        vertices = dual_vertices(
            tuple(term.free for term in self.terms), tuple(cap.free for cap in self.caps)
        )
        items = [*self.terms, *self.caps]  # the bound of a cap is one over its power of the sizes
        found = list(dict.fromkeys(_combined(vertex, items) for vertex in vertices))
        return tuple(
            row for row in found if not any(row != other and _below(row, other) for other in found)
        )

    @cached_property
    def feasible(self) -> tuple[Row, ...]:
        """Linear functions of the size exponents that must not be negative for the caps to have a common point."""
        rays = infeasible_rays(tuple(cap.free for cap in self.caps))
        negative = (tuple(-entry for entry in _combined(ray, self.caps)) for ray in rays)
        return tuple(row for row in dict.fromkeys(negative) if any(entry < 0 for entry in row))

    def exponent(self, sizes: Sequence[Fraction]) -> Fraction | None:
        """Return the exponent of the minimum at given exponents of the sizes; None if the caps exclude each other there."""
        if any(dot(row, sizes) < 0 for row in self.feasible):
            return None
        return max(dot(row, sizes) for row in self.forms)

    def minimum(self, sizes: Sequence[Fraction]) -> tuple[Fraction, Row] | None:
        """Find the exponents of the minimum and of the free scales there by the vertices of the program itself.

        Parameters
        ----------
        sizes : sequence of Fraction
            Exponents of the sizes; none may be negative.

        Returns
        -------
        tuple
            Exponent, and powers of the free scales: the smallest ones where several do equally well. None if the caps exclude each other.

        Raises
        ------
        DomainError
            If nothing keeps the free scales from running away.

        Notes
        -----
        Independent of `forms`: the vertices of the constraints are listed anew for every point, all at once in floating point with
        room for rounding, and those that may be within the constraints again in fractions.
        """
        width = len(self.terms[0].free)
        rows = [((*term.free, Fraction(-1)), -dot(term.sizes, sizes)) for term in self.terms]
        rows += [((*cap.free, Fraction(0)), -dot(cap.sizes, sizes)) for cap in self.caps]
        best: tuple[Fraction, Row] | None = None
        for subset in _likely_vertices(rows, width + 1):
            chosen = [rows[index] for index in subset]
            point = solve_exactly([row for row, _ in chosen], [right for _, right in chosen])
            if point is None or any(dot(row, point) > right for row, right in rows):
                continue
            candidate = (point[-1], point[:-1])
            best = candidate if best is None or candidate < best else best
        if best is None and all(dot(row, sizes) >= 0 for row in self.feasible):
            raise refusal(
                "caps",
                self.caps,
                "the minimum falls to zero: a cap on a free scale is missing",
                named=False,
            )
        return best


def _likely_vertices(rows: Sequence[tuple[Row, Fraction]], size: int) -> list[list[int]]:
    """List the sets of constraints that meet in a point which floating point cannot tell from one within all constraints."""
    if len(rows) < size:
        return []
    matrix, right = np.array([row for row, _ in rows], float), np.array([b for _, b in rows], float)
    subsets = np.array(list(combinations(range(len(rows)), size)))
    bases = matrix[subsets]
    regular = np.abs(np.linalg.det(bases)) > _SINGULAR
    subsets, bases = subsets[regular], bases[regular]
    points = np.linalg.solve(bases, right[subsets][..., None])[..., 0]
    room = _ROUNDING * (1 + np.abs(right).max())
    likely: list[list[int]] = subsets[np.all(points @ matrix.T <= right + room, axis=1)].tolist()
    return likely


def _below(row: Row, other: Row) -> bool:
    """Whether a linear function of numbers that are not negative never exceeds another one."""
    return all(one <= two for one, two in zip(row, other, strict=True))


def dot(row: Sequence[Fraction], point: Sequence[Fraction]) -> Fraction:
    """Evaluate a linear function."""
    return sum((one * two for one, two in zip(row, point, strict=True) if one), Fraction(0))


def _combined(weights: Row, items: Sequence[Power]) -> Row:
    row = [Fraction(0)] * len(items[0].sizes)
    for weight, item in zip(weights, items, strict=True):
        if weight:  # few are not zero
            for k, entry in enumerate(item.sizes):
                if entry:
                    row[k] += weight * entry
    return tuple(row)
