r"""The minimum of the free energy: L-BFGS on all layers' lower triangles, from the kernels of infinite width and along rising scales."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ...equality import by_value
from ...reprs import short_repr
from ._free_energy import Problem, State, evaluate

if TYPE_CHECKING:
    from scipy.sparse.linalg import LinearOperator

Array = NDArray[np.float64]

_MEMORY = 30  # pairs of steps that L-BFGS remembers
_NEWTON_STEPS = 6
_NEWTON_ACCURACY = 1e-2  # of each step
_PRODUCTS = 80  # of one step with second derivatives
_DIFFERENCE = 1e-4  # between gradients that are subtracted; deviations of kernels from their priors are of order one in these units
_FIRST_SCALE = 1e-3
_ROUGH = 1e-2  # residual up to which intermediate scales are solved


@short_repr
@by_value
@dataclass(frozen=True)
class Descent:
    """Where a descent ended.

    Attributes
    ----------
    position : ndarray
        All lower triangles less the unit matrix, in units in which divergences have unit second derivatives.
    state : State
    slope : float
        Largest entry of a gradient over its layer's width.
    iterations : int
    """

    position: Array
    state: State
    slope: float
    iterations: int


class _Landscape:
    """The free energy of a vector."""

    def __init__(self, problem: Problem, scale: float) -> None:
        self.problem, self.scale = problem, scale
        self._places, self._units = [], []
        for size, width in zip(problem.sizes, problem.layers, strict=True):
            rows, columns = np.tril_indices(size)
            # of matrices in Fortran order, column by column
            self._places.append(rows + size * columns)
            self._units.append(math.sqrt(width) * np.where(rows == columns, math.sqrt(2), 1.0))
        self.size = sum(map(len, self._units))
        self.point: tuple[Array, State, float] | None = None

    def __call__(self, position: Array) -> tuple[float, Array]:
        """Return free energy and gradient; a wall, which a line search backs off from, where matrices are not positive."""
        triangles = []
        start = 0
        for size, places, unit in zip(self.problem.sizes, self._places, self._units, strict=True):
            triangle = np.eye(size, order="F")
            triangle.ravel(order="K")[places] += position[start : start + len(unit)] / unit
            triangles.append(triangle)
            start += len(unit)
        with np.errstate(all="ignore"):  # far from where anything is learned
            state = evaluate(self.problem, triangles, self.scale)
        if state is None or not math.isfinite(state.free_energy):
            known = 0.0 if self.point is None else self.point[1].free_energy
            return known + 1e3 * (1 + abs(known)), np.zeros_like(position)
        slope = 0.0
        parts = []
        for gradient, places, unit, width in zip(
            state.gradients, self._places, self._units, self.problem.layers, strict=True
        ):
            lower = gradient.ravel(order="F").take(places)
            slope = max(slope, float(np.max(np.abs(lower))) / width)
            parts.append(lower / unit)
        self.point = position.copy(), state, slope
        return state.free_energy, np.concatenate(parts)


def descend(
    problem: Problem,
    scale: float,
    start: Array | None,
    *,
    tolerance: float,
    max_iterations: int,
) -> Descent | None:
    """Follow the free energy down from somewhere (None: the kernels of infinite width); None if it cannot be computed there."""
    landscape = _Landscape(problem, scale)
    position = np.zeros(landscape.size) if start is None else start
    landscape(position)
    if landscape.point is None:
        return None
    iterations = 0

    def watch(intermediate_result: object) -> None:
        nonlocal iterations
        iterations += 1
        if landscape.point is not None and landscape.point[2] <= tolerance:
            raise StopIteration

    if landscape.point[2] > tolerance:
        from scipy.optimize import minimize

        found = minimize(
            landscape,
            position,
            jac=True,
            method="L-BFGS-B",
            callback=watch,
            options={
                "maxcor": _MEMORY,
                "ftol": 0,
                "gtol": 0,
                "maxiter": max_iterations,
                "maxfun": 2 * max_iterations,
            },
        )
        landscape(found.x)
        iterations += _polish(landscape, found.hess_inv, tolerance, max_iterations - iterations)
    return Descent(*landscape.point, iterations)


def _polish(landscape: _Landscape, metric: LinearOperator, tolerance: float, most: int) -> int:
    """Take Newton steps, which see the gradient only: where free energies differ by rounding, it still leads on.

    Second derivatives along a vector are differences of gradients; what L-BFGS has learned about them preconditions conjugate
    gradients.
    """
    from scipy.sparse.linalg import LinearOperator, cg

    taken = 0
    for _ in range(_NEWTON_STEPS):
        if landscape.point is None or landscape.point[2] <= tolerance or taken >= most:
            break
        best, _, slope = landscape.point
        _, gradient = landscape(best)

        def curvature(vector: Array, best: Array = best) -> Array:
            nonlocal taken
            taken += 1
            step = _DIFFERENCE / max(float(np.linalg.norm(vector)), 1e-300)
            ahead, behind = landscape(best + step * vector)[1], landscape(best - step * vector)[1]
            return (ahead - behind) / (2 * step)

        hessian = LinearOperator((landscape.size, landscape.size), matvec=curvature)
        step, _ = cg(hessian, -gradient, rtol=_NEWTON_ACCURACY, maxiter=_PRODUCTS, M=metric)
        landscape(best + step)
        if not landscape.point[2] < slope:
            landscape(best)
            break
    return taken


def anneal(
    problem: Problem, scale: float, *, steps: int, tolerance: float, max_iterations: int
) -> Descent | None:
    """Follow the minimum from the kernels of infinite width along scales that rise in geometric steps."""
    start: Array | None = None
    iterations = 0
    for now in np.geomspace(min(_FIRST_SCALE, scale), scale, steps + 1):
        final = now == scale
        found = descend(
            problem,
            float(now),
            start,
            tolerance=tolerance if final else max(tolerance, _ROUGH),
            max_iterations=max_iterations,
        )
        if found is None:
            return None
        start = found.position
        iterations += found.iterations
    return Descent(found.position, found.state, found.slope, iterations) if found else None
