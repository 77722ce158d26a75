"""Vertices of polyhedra with rational coefficients, exactly: all bases at once in floating point, each confirmed in integers."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from functools import lru_cache
from itertools import combinations
from math import lcm

import numpy as np
from sympy import QQ
from sympy.polys.matrices import DomainMatrix
from sympy.polys.matrices.exceptions import DMNonInvertibleMatrixError

# integers and determinants up to here multiply without overflow, and are told apart in floating point
_EXACT = 2**31

Row = tuple[Fraction, ...]


def rational_vertices(
    columns: Sequence[Sequence[Fraction]], target: Sequence[Fraction], free: int = 0
) -> list[Row]:
    r"""List the vertices of a polyhedron in standard form.

    .. math:: \{x : \sum_j x_j\,c_j = b,\ x_j \ge 0 \text{ except for the last few}\}

    Parameters
    ----------
    columns : sequence of sequence of Fraction
        :math:`c_j`; the last `free` of them must be linearly independent.
    target : sequence of Fraction
        b.
    free : int
        How many of the last coordinates may have any sign.

    Returns
    -------
    list of tuple of Fraction
        Each vertex once, in the order of their supports.

    Notes
    -----
    Every vertex has a basis: as many independent columns as there are independent rows. All subsets of columns of that size are
    solved in one call; numerators and determinants are rounded to integers and confirmed by multiplication, so nothing is
    approximate. Integers too large for that are handled in exact arithmetic, one subset at a time.

    Examples
    --------
    >>> [[str(entry) for entry in vertex] for vertex in rational_vertices([[1, 2], [1, -1], [1, 3]], [1, 0])]
    [['0', '3/4', '1/4'], ['1/3', '2/3', '0']]
    """
    count = len(columns)
    equations = _independent(
        [
            [Fraction(column[i]) for column in columns] + [Fraction(target[i])]
            for i in range(len(target))
        ]
    )
    if equations is None:
        return []
    size = len(equations)
    last = tuple(range(count - free, count))
    if size < free:
        return []
    chosen = [(*subset, *last) for subset in combinations(range(count - free), size - free)]
    whole = [
        [int(entry * lcm(*(number.denominator for number in row))) for entry in row]
        for row in equations
    ]
    found: dict[Row, None] = {}
    for subset, values in _solutions(whole, chosen, size - free):
        if all(value >= 0 for value in values[: size - free]):
            point = [Fraction(0)] * count
            for index, value in zip(subset, values, strict=True):
                point[index] = value
            found[tuple(point)] = None
    return sorted(
        found, key=lambda point: [index for index, value in enumerate(point) if value], reverse=True
    )


def _independent(rows: list[list[Fraction]]) -> list[list[Fraction]] | None:
    """Keep rows that are linearly independent; None if the dropped ones contradict them."""
    if not rows:
        return []
    whole = _matrix(rows)
    _, pivots = whole.rref(method="GJ")
    if pivots and pivots[-1] == len(rows[0]) - 1:
        return None
    if len(pivots) == len(rows):
        return rows
    _, kept = whole.transpose().rref(method="GJ")
    return [rows[index] for index in kept]


def _solutions(
    whole: list[list[int]], chosen: list[tuple[int, ...]], signed: int
) -> list[tuple[tuple[int, ...], Row]]:
    """Solve the equations on every subset of columns that determines its coordinates.

    Most solutions that come twice, or have a negative one among the first `signed` coordinates, are left out here, where that is
    cheap; not all.
    """
    largest = max((abs(entry) for row in whole for entry in row), default=0)
    # Hadamard's bound on the determinants
    if (
        not chosen
        or not whole
        or largest * (largest * len(whole) ** 0.5) ** len(whole) >= _EXACT * 2**20
    ):
        exact = ((subset, _eliminate(whole, subset)) for subset in chosen)
        return [(subset, values) for subset, values in exact if values is not None]
    matrix = np.array([row[:-1] for row in whole], dtype=np.int64)
    right = np.array([row[-1] for row in whole], dtype=np.int64)
    subsets = np.array(chosen)
    bases = np.moveaxis(matrix[:, subsets], 0, 1)
    determinants = np.rint(np.linalg.det(bases)).astype(np.int64)
    regular = np.flatnonzero(determinants)
    bases, determinants = bases[regular], determinants[regular]
    scaled = determinants[:, None] * right
    numerators = np.rint(np.linalg.solve(bases, scaled[..., None].astype(float))[..., 0]).astype(
        np.int64
    )
    confirmed = np.all(np.einsum("kij,kj->ki", bases, numerators) == scaled, axis=1)
    negative = np.any(numerators[:, :signed] * np.sign(determinants)[:, None] < 0, axis=1)
    kept = np.flatnonzero(~negative | ~confirmed)
    # a vertex has as many bases as it has ways to fill its support up: tell them apart in lowest terms
    whole_rows = np.column_stack([determinants, numerators])[kept]
    lowest = np.zeros((len(kept), 1 + matrix.shape[1]), dtype=np.int64)
    divisors = np.gcd.reduce(whole_rows, axis=1, keepdims=True) * np.sign(whole_rows[:, :1])
    places = np.column_stack([np.zeros(len(kept), dtype=np.int64), 1 + subsets[regular[kept]]])
    np.put_along_axis(lowest, places, whole_rows // divisors, axis=1)
    lowest[~confirmed[kept], 0] = -1 - np.flatnonzero(~confirmed[kept])  # these are all kept
    kept = kept[np.sort(np.unique(lowest, axis=0, return_index=True)[1])]
    found = []
    for index, sure, numerator, determinant in zip(
        regular[kept],
        confirmed[kept],
        numerators[kept].tolist(),
        determinants[kept].tolist(),
        strict=True,
    ):
        values = (
            tuple(Fraction(entry, determinant) for entry in numerator)
            if sure
            else _eliminate(whole, chosen[index])
        )
        if values is not None:
            found.append((chosen[index], values))
    return found


def _eliminate(whole: list[list[int]], subset: tuple[int, ...]) -> Row | None:
    """Solve the equations on a subset of columns in exact arithmetic; None if it does not determine its coordinates."""
    return solve_exactly(
        [[Fraction(row[index]) for index in subset] for row in whole],
        [Fraction(row[-1]) for row in whole],
    )


def solve_exactly(matrix: Sequence[Sequence[Fraction]], right: Sequence[Fraction]) -> Row | None:
    """Solve a square linear system in fractions; None if it is singular.

    Examples
    --------
    >>> solve_exactly([[Fraction(2), Fraction(1)], [Fraction(1), Fraction(1)]], [Fraction(3), Fraction(2)])
    (Fraction(1, 1), Fraction(1, 1))
    """
    try:
        solution = _matrix(matrix).lu_solve(_matrix([[value] for value in right]))
    except DMNonInvertibleMatrixError:
        return None
    return tuple(row[0] for row in _fractions(solution))


def _matrix(rows: Sequence[Sequence[Fraction]]) -> DomainMatrix:
    exact = [[QQ(entry.numerator, entry.denominator) for entry in row] for row in rows]
    return DomainMatrix(exact, (len(exact), len(exact[0])), QQ)


def _fractions(matrix: DomainMatrix) -> list[list[Fraction]]:
    return [
        [Fraction(int(entry.numerator), int(entry.denominator)) for entry in row]
        for row in matrix.to_dense().rep.to_list()
    ]


@lru_cache(maxsize=4096)
def dual_vertices(terms: tuple[Row, ...], caps: tuple[Row, ...]) -> tuple[Row, ...]:
    r"""List the vertices of :math:`\{y, z \ge 0 : \sum y = 1,\ \sum_i y_i a_i + \sum_q z_q g_q = 0\}`.

    Parameters
    ----------
    terms, caps : tuple of tuple of Fraction
        The powers :math:`a_i` and :math:`g_q` of the free scales.

    Returns
    -------
    tuple of tuple of Fraction
        y followed by z.
    """
    width = len((terms or caps)[0])
    columns = [(Fraction(1), *powers) for powers in terms] + [
        (Fraction(0), *powers) for powers in caps
    ]
    return tuple(rational_vertices(columns, [Fraction(1), *[Fraction(0)] * width]))


@lru_cache(maxsize=4096)
def infeasible_rays(caps: tuple[Row, ...]) -> tuple[Row, ...]:
    r"""List the extreme rays of :math:`\{z \ge 0 : \sum_q z_q g_q = 0\}`, each with :math:`\sum z = 1`.

    By Farkas' lemma caps with bounds :math:`h` have a common point if and only if :math:`z \cdot h \ge 0` on all of them.
    """
    if not caps:
        return ()
    return tuple(
        rational_vertices(
            [(Fraction(1), *powers) for powers in caps],
            [Fraction(1), *[Fraction(0)] * len(caps[0])],
        )
    )


def rref_rows(
    rows: Sequence[Sequence[Fraction]], width: int
) -> tuple[list[list[Fraction]], list[int]]:
    """Bring rows into reduced echelon form by their first columns.

    Parameters
    ----------
    rows : sequence of sequence of Fraction
        Equations, right-hand sides included.
    width : int
        How many columns belong to unknowns.

    Returns
    -------
    tuple
        The rows with a pivot, and the columns of the pivots.

    Examples
    --------
    >>> rref_rows([[Fraction(2), Fraction(4)]], 1)
    ([[Fraction(1, 1), Fraction(2, 1)]], [0])
    """
    if not rows:
        return [], []
    reduced, pivots = _matrix(rows).rref(method="GJ")
    if pivots and pivots[-1] >= width:  # contradictions: leave out the rows that make them
        _, kept = _matrix([row[:width] for row in rows]).transpose().rref(method="GJ")
        return rref_rows([rows[index] for index in kept], width)
    return _fractions(reduced)[: len(pivots)], list(pivots)
