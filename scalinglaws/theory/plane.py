"""The plane of two exponents: in which regime of a law each point lies, and where the regimes meet."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import sympy as sp
from numpy.typing import NDArray

from ..notation import convention
from .formula import Law

Array = NDArray[np.float64]
Limits = tuple[tuple[float, float], tuple[float, float]]

EDGE = 1e-12  # boundaries belong to the picture of the phases on both sides


class PhasePlane:
    """The regimes of a law in the plane of two exponents, in the coordinates of a picture.

    Parameters
    ----------
    law : Law
        With regimes in two exponents, written in `notation`.
    notation : str
        A name of `scalinglaws.notation.convention` with two parameters.
    parameters : pair of str
        Which of the notation's parameters are across and up.
    limits : pair of pairs of float
        ((left, right), (bottom, top)).

    Examples
    --------
    >>> import numpy as np
    >>> from scalinglaws import theory
    >>> plane = PhasePlane(theory.law("linear.compute"), "capacity", ("alpha", "beta"), ((0, 3), (0, 3)))
    >>> [plane.phases[number].name for number in plane.index(np.array([1.5, 0.7]), np.array([0.5, 2.5]))]
    ['Ia', 'IVa']
    """

    def __init__(
        self, law: Law, notation: str, parameters: tuple[str, str], limits: Limits
    ) -> None:
        regimes = law.regimes
        self.limits = limits
        self.demands = _inequalities(sp.And(*law.validity))
        self.phases = sorted(
            (regime for regime in regimes if not regime.on_boundary),
            key=lambda regime: regime.name.casefold(),
        )
        self.edges = [regime for regime in regimes if regime.on_boundary]
        self.entry = convention(notation)
        self.places = [self.entry.parameters.index(name) for name in parameters]
        written = {
            symbol.name: symbol for regime in regimes for symbol in regime.condition.free_symbols
        }
        written |= {
            symbol.name: symbol for demand in self.demands for symbol in demand.free_symbols
        }
        printed = [self.entry.symbols[place] for place in self.places]
        self.symbols = [written.get(name, sp.Symbol(name)) for name in printed]

    def valid(self, x: Any, y: Any) -> Any:
        """Say where there is a power law: alpha and beta are positive, and the law is content."""
        with np.errstate(
            divide="ignore", invalid="ignore"
        ):  # the borders themselves are part of a picture
            alpha, beta = self._canonical(x, y)
            return (alpha > 0) & (beta > 0) & self.holds(sp.And(*self.demands), x, y)

    def _canonical(self, x: Any, y: Any) -> tuple[Any, Any]:
        ordered = [None, None]
        for place, value in zip(self.places, (x, y), strict=True):
            ordered[place] = value
        return self.entry.to_canonical(*ordered)

    def holds(self, condition: Any, x: Any, y: Any) -> Any:
        """Say where the inequalities of a condition hold, borders included."""
        answer = np.ones(np.broadcast(x, y).shape, dtype=bool)
        for relation in _inequalities(condition):
            answer &= sp.lambdify(self.symbols, relation.gts - relation.lts, "numpy")(x, y) >= -EDGE
        return answer

    def index(self, x: Any, y: Any) -> NDArray[np.int_]:
        """Return the number of the phase at each point, -1 where there is no power law."""
        which = np.full(np.broadcast(x, y).shape, -1)
        valid = self.valid(x, y)
        for number, phase in enumerate(self.phases):
            which[(which < 0) & valid & self.holds(phase.condition, x, y)] = number
        return which

    def curves(self, condition: Any) -> Iterator[tuple[Array, Array]]:
        """Solve the equation in a condition, and follow its curve as far as the inequalities hold."""
        equations = [
            relation for relation in sp.And.make_args(condition) if isinstance(relation, sp.Eq)
        ]
        if len(equations) != 1:
            return  # a point, where curves meet
        run, solved = (0, 1) if equations[0].has(self.symbols[1]) else (1, 0)
        for root in sp.solve(equations[0], self.symbols[solved]):
            ends = [
                float(end)
                for relation in _inequalities(condition)
                for end in sp.solve(
                    (relation.gts - relation.lts).subs(self.symbols[solved], root),
                    self.symbols[run],
                )
                if end.is_real
            ]
            low, high = self.limits[run]
            along = np.union1d(
                np.linspace(low, high, 257), [end for end in ends if low < end < high]
            )
            across = sp.lambdify(self.symbols[run], root, "numpy")
            with np.errstate(divide="ignore", invalid="ignore"):
                other = np.broadcast_to(np.asarray(across(along), dtype=float), along.shape)
            x, y = (along, other) if run == 0 else (other, along)
            with np.errstate(divide="ignore", invalid="ignore"):
                good = self.holds(condition, x, y)
            yield np.where(good, x, np.nan), np.where(good, y, np.nan)

    def border(self) -> Iterator[tuple[Array, Array]]:
        """Follow beta = 0 and whatever else ends the validity of the law."""
        plain = [sp.Symbol(symbol.name, real=True) for symbol in self.symbols]
        numerator, _ = sp.fraction(sp.together(self._canonical(*plain)[1]))
        x = np.linspace(*self.limits[0], 257)
        for root in sp.solve(numerator, plain[1]):
            y = np.broadcast_to(sp.lambdify(plain[0], root, "numpy")(x), x.shape)
            yield np.where(x >= 0, x, np.nan), np.where(x >= 0, y, np.nan)
        for demand in self.demands:
            if demand.free_symbols == {self.symbols[0]}:
                yield from self.curves(
                    sp.And(
                        sp.Eq(demand.gts, demand.lts),
                        *(other for other in self.demands if other != demand),
                    )
                )


def _inequalities(condition: Any) -> list[Any]:
    """Return the inequalities of a condition that joins its parts by "and"."""
    return [
        relation
        for relation in sp.And.make_args(condition)
        if isinstance(relation, (sp.Gt, sp.Ge, sp.Lt, sp.Le))
    ]
