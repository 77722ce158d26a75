"""Potentials of one residual: polynomials, or functions by a table."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.interpolate import CubicSpline

from ....arguments import floats, function, one_row, refuse_first
from ....equality import by_value
from ....errors import DomainError, refusal
from ....reprs import short_repr
from ._elliptical import potentials

Array = NDArray[np.float64]

_PIECES = 1024
_LARGEST = 1e100
_SMALL = 1e-5  # largest error of a table, over the data's log likelihood of order one
_HERMITE = np.polynomial.hermite_e.hermegauss(21)


@short_repr
@by_value
@dataclass(frozen=True)
class Potential:
    r"""A potential in the form in which chains evaluate it.

    Attributes
    ----------
    couplings : ndarray, shape (J,)
        :math:`c_j` of :math:`V = \sum_j c_j \Delta^{2j}`; empty for a table.
    pieces : ndarray, shape (n, 4)
        Of a table as `potentials` takes them; empty for couplings.
    reach : float
        End of the table; infinite for couplings.
    error : float
        Largest error of the table found between its nodes.
    """

    couplings: Array
    pieces: Array
    reach: float
    error: float = 0.0

    def __call__(self, residuals: Array) -> Array:
        """Return the potential of each residual."""
        flat = np.ascontiguousarray(residuals, dtype=float).ravel()
        found = np.empty_like(flat)
        potentials(flat, self.couplings, self.pieces, self.reach, found)
        return found.reshape(residuals.shape)

    def less(self, quadratic: float) -> Potential:
        r"""Return the potential minus :math:`\rho\Delta^2`."""
        if not self.pieces.size:
            couplings = self.couplings.copy()
            couplings[0] -= quadratic
            return Potential(couplings, self.pieces, self.reach)
        pieces = self.pieces.copy()
        left = -self.reach + 2 * self.reach / len(pieces) * np.arange(len(pieces))
        pieces[:, 0] -= quadratic * left**2
        pieces[:, 1] -= 2 * quadratic * left
        pieces[:, 2] -= quadratic
        return Potential(self.couplings, pieces, self.reach, self.error)

    def stiffness(self, centers: Array, variances: Array) -> float:
        """Return half the mean curvature over Gaussian residuals, by the potential's second moments (Stein)."""
        nodes, weights = _HERMITE
        spread = np.sqrt(variances)
        values = self(centers[:, None] + spread[:, None] * nodes)
        curvature = values @ (weights / weights.sum() * (nodes**2 - 1)) / variances
        return 0.5 * float(np.mean(curvature))


def read_potential(couplings: ArrayLike | None, potential: Any, reach: float) -> Potential:
    """Return the one that was given."""
    if (couplings is None) == (potential is None):
        raise DomainError(
            "exactly one of couplings and potential must be given",
            argument="couplings",
            value=couplings,
        )
    if potential is None:
        assert couplings is not None
        row = one_row("couplings", couplings)
        refuse_first("couplings", row, np.abs(row) > _LARGEST, f"must be at most {_LARGEST:g}")
        powers = np.flatnonzero(row)
        if powers.size and row[powers[-1]] < 0:
            raise refusal(
                "couplings",
                couplings,
                "must end in a positive one: V must not fall at large residuals",
            )
        return Potential(row, np.empty((0, 4)), math.inf)
    return _tabulated(function("potential", potential), reach)


def _tabulated(potential: Callable[[Array], Any], reach: float) -> Potential:
    nodes = np.linspace(-reach, reach, _PIECES + 1)
    values = _evaluated(potential, nodes)
    spline = CubicSpline(nodes, values)
    middle = (nodes[:-1] + nodes[1:]) / 2
    error = float(np.max(np.abs(spline(middle) - _evaluated(potential, middle))))
    size = max(1.0, float(np.ptp(values)))
    if error > _SMALL * size:
        raise refusal(
            "potential",
            potential,
            f"is too rough for a table of {_PIECES} pieces: it errs by {error:.1e}; use a smaller reach",
            shown=False,
        )
    for end in (0, -1):
        if spline(nodes[end], 2) < -_SMALL * size / reach**2:  # lines do, by rounding
            raise refusal(
                "potential",
                potential,
                f"must not bend down at residuals of {nodes[end]:.3g}",
                shown=False,
            )
    return Potential(np.empty(0), np.ascontiguousarray(spline.c[::-1].T), reach, error)


def _evaluated(potential: Callable[[Array], Any], residuals: Array) -> Array:
    values = floats("potential", potential(residuals), "must return an array of numbers")
    if values.shape != residuals.shape:
        told = f"must return as many values as residuals, {residuals.shape}; got {values.shape}"
        raise refusal("potential", potential, told, shown=False)
    refuse_first("potential", values, ~np.isfinite(values), "must be finite at every residual")
    return values
