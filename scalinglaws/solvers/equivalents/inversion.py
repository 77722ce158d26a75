"""From transforms on a contour to losses with errors."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ...arguments import Array
from ..spectra import Modes
from .contour import TRUNCATION
from .kappa import ComplexArray
from .losses import ROUNDING, Tally
from .response import Resolved, pair_transform, projected_signal, train_from_test, train_transform

_ROWS = 128  # nodes of the first variable treated at a time


@dataclass(frozen=True)
class Rule:
    """How good a quadrature is.

    Attributes
    ----------
    unit : float
        Error relative to the sum of absolute values of the terms.
    truncation : float
        Error relative to the result.
    """

    unit: float
    truncation: float


CONTOUR = Rule(ROUNDING + TRUNCATION, 4 * TRUNCATION)
"""The cotangent contour."""


def invert(weights: ComplexArray, values: ComplexArray, rule: Rule) -> tuple[float, float]:
    """Sum a transform over a contour; return the sum and its rounding error."""
    terms = weights * values
    return 2 * float(np.sum(terms.real)), 2 * rule.unit * float(np.sum(np.abs(terms)))


def record_one_point(
    tally: Tally,
    i: int,
    modes: Modes,
    at: Resolved,
    noise: float,
    weights: ComplexArray,
    free: float,
    rule: Rule,
) -> None:
    """Record what follows from transforms of one variable: the train loss, for unlimited samples also the test loss."""
    if at.inverse_samples == 0:
        change, error = invert(weights, projected_signal(modes, at), rule)
        error += rule.truncation * (abs(change) + free)
        tally.set_test(i, free + change, error)
        tally.set_train(i, free + change + noise, error + ROUNDING * noise)
        return
    parts = (invert(weights, part, rule) for part in train_transform(modes, at, noise))
    signal, signal_difference, unused, taken = parts
    kept = _better(signal, signal_difference, free)
    fitted = _better(unused, taken, noise)
    tally.set_train(
        i, kept[0] + fitted[0], kept[1] + fitted[1] + rule.truncation / 4 * (tally.total + noise)
    )


def record_two_point(
    tally: Tally,
    members: list[int],
    modes: Modes,
    at: Resolved,
    noise: float,
    weights: ComplexArray,
    free: Array,
    rule: Rule,
    *,
    train: bool = False,
    dropped: float = 0.0,
) -> None:
    """Record the test loss, and if asked the train loss, from transforms of two variables.

    One row of weights, and one free loss, for each member of the tally; a block of nodes at a time.
    """
    size = np.abs(weights)
    right, right_size = (
        np.concatenate([weights, weights.conj()], axis=1).T,
        np.concatenate([size, size], axis=1).T,
    )
    sums, bounds = np.zeros((3, len(members))), np.zeros((3, len(members)))
    for first in range(0, at.s.size, _ROWS):
        rows = slice(None) if at.s.size <= _ROWS else slice(first, first + _ROWS)
        difference, unlimited = pair_transform(modes, at, noise, rows=rows)
        values = [difference]
        if train:
            values += train_from_test(at, noise, difference, unlimited, rows=rows)
        for kind, value in enumerate(values):
            sums[kind] += 2 * np.einsum("ti,it->t", weights[:, rows], value @ right).real
            bounds[kind] += (
                2 * rule.unit * np.einsum("ti,it->t", size[:, rows], np.abs(value) @ right_size)
            )
    for k, i in enumerate(members):
        change = sums[0, k]
        tally.set_test(
            i, free[k] + change, bounds[0, k] + rule.truncation * (abs(change) + free[k]) + dropped
        )
        if train:
            loss, error = _better(
                (sums[1, k], bounds[1, k]), (sums[2, k], bounds[2, k]), free[k] + noise
            )
            tally.set_train(i, loss, error + rule.truncation / 4 * (tally.total + noise) + dropped)


def _better(
    whole: tuple[float, float], difference: tuple[float, float], rest: float
) -> tuple[float, float]:
    """Choose between a loss inverted in full and one inverted as difference from a known rest, by the smaller error."""
    other = rest + difference[0], difference[1] + ROUNDING * rest
    return whole if whole[1] < other[1] else other
