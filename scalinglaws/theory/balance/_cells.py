"""Where the least of several piecewise linear functions is which: exact polygons in one or two parameters."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import pairwise

from ...reprs import short_repr

Point = tuple[Fraction, Fraction]
Polygon = tuple[Point, ...]
Affine = tuple[Fraction, Fraction, Fraction]
FORM_ZERO: Affine = (Fraction(0), Fraction(0), Fraction(0))


@short_repr
@dataclass(frozen=True)
class Cell:
    """A convex polygon on which one linear function is the least.

    Attributes
    ----------
    polygon : tuple of (Fraction, Fraction)
        Corners, counterclockwise.
    form : tuple of Fraction
        The function: constant and two slopes.
    winners : tuple of int
        Which of the compared functions are equal to it throughout.
    """

    polygon: Polygon
    form: Affine
    winners: tuple[int, ...]


def value_at(form: Affine, point: Point) -> Fraction:
    """Evaluate a linear function."""
    return form[0] + form[1] * point[0] + form[2] * point[1]


def difference(one: Affine, two: Affine) -> Affine:
    """Subtract one linear function from another."""
    return (one[0] - two[0], one[1] - two[1], one[2] - two[2])


def area(polygon: Polygon) -> Fraction:
    """Return twice the area of a polygon."""
    closed = (*polygon, *polygon[:1])
    return sum((one[0] * two[1] - one[1] * two[0] for one, two in pairwise(closed)), Fraction(0))


def clip(polygon: Polygon, form: Affine) -> Polygon:
    """Cut a convex polygon down to where a linear function is not negative; empty if nothing with an area is left.

    Examples
    --------
    >>> one, none = Fraction(1), Fraction(0)
    >>> square = ((none, none), (one, none), (one, one), (none, one))
    >>> area(clip(square, (-one, one, one)))  # above x + y = 1
    Fraction(1, 1)
    """
    heights = [value_at(form, point) for point in polygon]
    if all(height >= 0 for height in heights):
        return polygon
    if all(height <= 0 for height in heights):
        return ()
    kept: list[Point] = []
    for index, point in enumerate(polygon):
        here, before = heights[index], heights[index - 1]
        if (here > 0 > before) or (here < 0 < before):
            share = before / (before - here)
            last = polygon[index - 1]
            kept.append(
                (last[0] + share * (point[0] - last[0]), last[1] + share * (point[1] - last[1]))
            )
        if here >= 0:
            kept.append(point)
    return tuple(kept) if len(kept) > 2 and area(tuple(kept)) > 0 else ()


def least_cells(
    functions: Sequence[tuple[Iterable[Affine], Iterable[Affine]]], region: Polygon
) -> tuple[Cell, ...]:
    r"""Partition a region by which function is the least.

    .. math:: F(x) = \min_p \max_v f_{pv}(x)

    Parameters
    ----------
    functions : sequence of (forms, conditions)
        The linear functions f of each p, and linear functions that must not be negative where p is to be compared at all.
    region : polygon
        Convex, counterclockwise.

    Returns
    -------
    tuple of Cell
        Convex polygons that cover the region except where no p can be compared; neighbors of the same kind are joined where the
        union is convex.

    Notes
    -----
    One function after the other is laid over the cells found so far, in exact arithmetic.
    """
    alike: dict[tuple[frozenset[Affine], frozenset[Affine]], list[int]] = {}
    for number, (forms, conditions) in enumerate(functions):
        alike.setdefault((frozenset(forms), frozenset(conditions)), []).append(number)
    cells: list[Cell] = []
    bare: list[Polygon] = [region]
    for (forms_, conditions_), numbers in alike.items():
        same, conditions = tuple(numbers), tuple(conditions_)
        pieces = _pieces(tuple(forms_), conditions, region)
        left: list[Polygon] = []
        fresh: list[Cell] = []
        for polygon in bare:
            inside, outside = _split(polygon, conditions)
            left += outside
            parts = ((_intersection(inside, piece), form) for piece, form in pieces if inside)
            fresh += [Cell(part, form, same) for part, form in parts if part]
        laid = [part for cell in cells for part in _lay(cell, same, pieces, conditions)]
        cells, bare = joined([*laid, *fresh]), left
    return tuple(replace(cell, winners=tuple(sorted(cell.winners))) for cell in cells)


def _pieces(
    forms: tuple[Affine, ...], conditions: tuple[Affine, ...], region: Polygon
) -> list[tuple[Polygon, Affine]]:
    """Cut the region into polygons on each of which one form is the largest."""
    inside, _ = _split(region, conditions)
    found = []
    for form in forms:
        polygon = inside
        for other in forms:
            if other != form and polygon:
                polygon = clip(polygon, difference(form, other))
        if polygon:
            found.append((polygon, form))
    return found


def _split(polygon: Polygon, conditions: Sequence[Affine]) -> tuple[Polygon, list[Polygon]]:
    """Return the part of a polygon where all conditions hold, and the rest in convex parts."""
    outside = []
    for condition in conditions:
        if not polygon:
            break
        rest = clip(polygon, difference(FORM_ZERO, condition))
        if rest:
            outside.append(rest)
        polygon = clip(polygon, condition)
    return polygon, outside


def edges_of(polygon: Polygon) -> list[tuple[Point, Point, Affine]]:
    """List the sides of a convex polygon, each with the linear function that is positive inside."""
    return [
        (one, two, (one[0] * two[1] - two[0] * one[1], one[1] - two[1], two[0] - one[0]))
        for one, two in pairwise((*polygon, polygon[0]))
        if one != two
    ]


def _intersection(polygon: Polygon, other: Polygon) -> Polygon:
    for _, _, edge in edges_of(other):
        if not polygon:
            break
        polygon = clip(polygon, edge)
    return polygon


def _lay(
    cell: Cell,
    same: tuple[int, ...],
    pieces: list[tuple[Polygon, Affine]],
    conditions: tuple[Affine, ...],
) -> list[Cell]:
    """Compare one more function with the least so far."""
    for _, form in pieces:
        gaps = [value_at(difference(form, cell.form), point) for point in cell.polygon]
        if all(gap >= 0 for gap in gaps) and any(gaps):
            return [cell]  # one of its forms alone is larger
    inside, outside = _split(cell.polygon, conditions)
    found = [replace(cell, polygon=polygon) for polygon in outside]
    for piece, form in pieces:
        common = _intersection(inside, piece) if inside else ()
        if not common:
            continue
        gap = difference(form, cell.form)
        if not any(gap):
            found.append(Cell(common, form, (*cell.winners, *same)))
            continue
        if above := clip(common, gap):
            found.append(replace(cell, polygon=above))
        if below := clip(common, difference(cell.form, form)):
            found.append(Cell(below, form, same))
    return found


def joined(cells: Iterable[Cell]) -> list[Cell]:
    """Join neighboring cells of the same kind wherever the union is convex."""
    groups: dict[tuple[Affine, tuple[int, ...]], list[Polygon]] = {}
    for cell in cells:
        groups.setdefault((cell.form, cell.winners), []).append(cell.polygon)
    return [
        Cell(polygon, form, winners)
        for (form, winners), polygons in groups.items()
        for polygon in _merged(polygons)
    ]


def _merged(polygons: list[Polygon]) -> list[Polygon]:
    pool = list(polygons)
    index = 0
    while index < len(pool):
        for other in range(index + 1, len(pool)):
            union = _hull((*pool[index], *pool[other]))
            if area(union) == area(pool[index]) + area(pool[other]):
                pool[index] = union
                del pool[other]
                index = -1  # the union may join with an earlier one
                break
        index += 1
    return [_hull(polygon) for polygon in pool]


def _hull(points: Iterable[Point]) -> Polygon:
    """Return the convex hull, counterclockwise, without points inside edges (Andrew's monotone chain)."""
    ordered = sorted(set(points))
    chains: list[list[Point]] = []
    for sweep in (ordered, ordered[::-1]):
        chain: list[Point] = []
        for point in sweep:
            while len(chain) > 1 and _turn(chain[-2], chain[-1], point) <= 0:
                chain.pop()
            chain.append(point)
        chains.append(chain[:-1])
    return (*chains[0], *chains[1])


def _turn(one: Point, two: Point, three: Point) -> Fraction:
    return (two[0] - one[0]) * (three[1] - one[1]) - (two[1] - one[1]) * (three[0] - one[0])


def edges_between(cells: Sequence[Cell]) -> list[tuple[Point, Point, int, int]]:
    """List the segments along which two cells touch, with the positions of the cells."""
    found = []
    for first, one in enumerate(cells):
        for second in range(first + 1, len(cells)):
            for _, _, edge in edges_of(one.polygon):
                shared = _overlap(edge, one.polygon, cells[second].polygon)
                if shared is not None:
                    found.append((*shared, first, second))
    return found


def _overlap(edge: Affine, one: Polygon, two: Polygon) -> tuple[Point, Point] | None:
    """Return the common segment of two polygons on a line that bounds the first."""
    ends = []
    for polygon in (one, two):
        on_line = sorted(point for point in polygon if value_at(edge, point) == 0)
        if len(on_line) < 2:
            return None
        ends.append((on_line[0], on_line[-1]))
    low, high = max(ends[0][0], ends[1][0]), min(ends[0][1], ends[1][1])
    return (low, high) if low < high else None
