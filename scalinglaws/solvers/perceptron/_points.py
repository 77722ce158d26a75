"""What every way of solving the perceptron finds of a row of points."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from ...arguments import Array, numbers, refuse_first
from ...reprs import short_repr

LEAST, MOST = 1e-9, 1e12
"""Samples between which the equations were tried."""
LEAST_NORM, MOST_NORM = 1e-12, 1e20
"""Norms, besides limits, between which they were tried."""


@short_repr
@dataclass
class Points:
    """Flat arrays, one entry for each point.

    Attributes
    ----------
    tau : ndarray
        R / sqrt(1 - R^2).
    displacement, log_response : ndarray
        Of the margin at cavity field 0, and log chi.
    train_loss, train_error, test_loss, multiplier, free_share, slope : ndarray
        As in `FixedNormSolution`.
    residual, steps, sensitivity : ndarray
        Of the equations; Newton steps; estimated relative error of tau.
    """

    tau: Array
    displacement: Array
    log_response: Array
    train_loss: Array
    train_error: Array
    test_loss: Array
    multiplier: Array
    free_share: Array
    slope: Array
    residual: Array
    steps: Array
    sensitivity: Array

    @staticmethod
    def unknown(count: int) -> Points:
        """Return so many points of which nothing is known yet."""
        return Points(*(np.full(count, math.nan) for _ in range(12)))

    @property
    def error(self) -> Array:
        """Generalization error; never from the overlap, which keeps no digits near 1."""
        return generalization_error(self.tau)


def generalization_error(tau: Array) -> Array:
    """Return arccos(R) / pi."""
    return np.asarray(np.arctan2(1.0, tau) / math.pi)


def overlap(tau: Array) -> Array:
    """Return R."""
    return np.asarray(tau / np.hypot(1.0, tau))


def samples(alpha: object) -> Array:
    """Check numbers of samples per input dimension."""
    return numbers("alpha", alpha, low=LEAST, high=MOST)  # type: ignore[arg-type]


def norms(norm: object, *, limits: bool) -> Array:
    """Check norms: between `LEAST_NORM` and `MOST_NORM`, or possibly 0 or infinite."""
    array = numbers("norm", norm, low=0.0, infinite=True)  # type: ignore[arg-type]
    inside = (array >= LEAST_NORM) & (array <= MOST_NORM)
    if limits:
        inside |= (array == 0.0) | np.isinf(array)
    ends = ", or 0 or inf for the limits" if limits else ""
    complaint = f"must lie between {LEAST_NORM:g} and {MOST_NORM:g}{ends}"
    refuse_first("norm", array, ~inside, complaint)
    return array
