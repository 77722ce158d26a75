"""From transforms on a contour to losses with errors."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ...arguments import Array
from ...reprs import short_repr
from ..spectra import Modes
from .contour import TRUNCATION
from .kappa import ComplexArray
from .losses import ROUNDING, Loss
from .response import Resolved, pair_transform, projected_signal, train_from_test, train_transform

_ROWS = 128  # nodes of the first variable treated at a time


@short_repr
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


CONTOUR = Rule(6 * ROUNDING + 30 * TRUNCATION, 20 * TRUNCATION)
"""The cotangent contour; its unit is what random spectra showed."""

PAIR = Rule(4 * (ROUNDING + TRUNCATION), 20 * TRUNCATION)
"""Two of them, whose products are smaller than the sums of absolute values that they are measured by."""


def invert(weights: ComplexArray, values: ComplexArray, rule: Rule) -> Loss:
    """Sum a transform over a contour; return the sum and its rounding error."""
    terms = weights * values
    return Loss(2 * float(np.sum(terms.real)), 2 * rule.unit * float(np.sum(np.abs(terms))))


def population_losses(
    modes: Modes,
    at: Resolved,
    noise: float,
    weights: ComplexArray,
    free: float,
    rule: Rule,
) -> tuple[Loss, Loss]:
    """Return test and train loss for unlimited samples, from a transform of one variable.

    What is inverted is the difference from the loss `free` of unlimited features.
    """
    change, error = invert(weights, projected_signal(modes, at), rule)
    error += rule.truncation * (abs(change) + free)
    return Loss(free + change, error), Loss(free + change + noise, error + ROUNDING * noise)


def train_loss(
    modes: Modes,
    at: Resolved,
    noise: float,
    weights: ComplexArray,
    free: float,
    rule: Rule,
) -> Loss:
    """Return the train loss for limited samples, from a transform of one variable."""
    parts = (invert(weights, part, rule) for part in train_transform(modes, at, noise))
    signal, signal_difference, unused, taken = parts
    kept = _better(signal, signal_difference, free)
    fitted = _better(unused, taken, noise)
    return _truncated(
        Loss(kept.value + fitted.value, kept.error + fitted.error), modes, noise, rule
    )


def pair_losses(
    modes: Modes,
    at: Resolved,
    noise: float,
    weights: ComplexArray,
    free: Array,
    rule: Rule,
    *,
    train: bool = False,
    dropped: float = 0.0,
) -> list[tuple[Loss, Loss]]:
    """Return pairs of test and, if asked, train losses (else 0) from transforms of two variables.

    One row of weights, and one loss without limits, `free`, for each pair; a block of nodes at a
    time.
    """
    size = np.abs(weights)
    right, right_size = (
        np.concatenate([weights, weights.conj()], axis=1).T,
        np.concatenate([size, size], axis=1).T,
    )
    sums, bounds = np.zeros((3, free.size)), np.zeros((3, free.size))
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
    found = []
    for rest, change, bound in zip(free, sums.T, bounds.T, strict=True):
        test = Loss(
            rest + change[0],
            bound[0] + rule.truncation * (abs(change[0]) + rest) + dropped,
        )
        loss = Loss(0.0, 0.0)
        if train:
            loss = _truncated(
                _better(Loss(change[1], bound[1]), Loss(change[2], bound[2]), rest + noise),
                modes,
                noise,
                rule,
                dropped,
            )
        found.append((test, loss))
    return found


def curve_losses(
    modes: Modes,
    doubled: Resolved,
    at: Resolved | None,
    noise: Array,
    weights: ComplexArray,
    free: Array,
    rules: tuple[Rule, Rule],
) -> tuple[Array, Array]:
    """Return test and train losses, each with its errors, at many times, one for each row of stacked contours.

    What `population_losses` (without `at`), or `train_loss` and `pair_losses` return one by one: all contours have the same weights.
    """
    single, paired = rules

    def inverted(values: ComplexArray) -> tuple[Array, Array]:
        terms = weights * values
        return 2 * np.sum(terms.real, axis=-1), 2 * single.unit * np.sum(np.abs(terms), axis=-1)

    if at is None:
        change, error = inverted(projected_signal(modes, doubled))
        error += single.truncation * (np.abs(change) + free)
        train = free + change + noise
        return np.array([free + change, error]), np.array([train, error + ROUNDING * train])
    parts = [inverted(part) for part in train_transform(modes, doubled, noise)]
    trains = np.zeros((2, free.size))
    for whole, partial, rest in ((parts[0], parts[1], free), (parts[2], parts[3], noise)):
        other = rest + partial[0], partial[1] + ROUNDING * rest
        trains += np.where(whole[1] < other[1], whole, other)
    trains[1] += single.truncation / 4 * (float(np.sum(modes.signal)) + noise)
    difference, _ = pair_transform(modes, at, noise)
    both, size = np.concatenate([weights, weights.conj()]), np.abs(weights)
    change = 2 * (np.matmul(weights, difference) @ both).real
    bound = 2 * paired.unit * (np.matmul(size, np.abs(difference)) @ np.abs(both))
    return np.array([free + change, bound + paired.truncation * (np.abs(change) + free)]), trains


def _better(whole: Loss, difference: Loss, rest: float) -> Loss:
    """Choose between a loss inverted in full and one inverted as difference from a known rest, by the smaller error."""
    other = Loss(rest + difference.value, difference.error + ROUNDING * rest)
    return whole if whole.error < other.error else other


def _truncated(loss: Loss, modes: Modes, noise: float, rule: Rule, dropped: float = 0.0) -> Loss:
    """Add to the error of a train loss what the rule leaves out, relative to the start."""
    start = float(np.sum(modes.signal)) + noise
    return Loss(loss.value, loss.error + rule.truncation / 4 * start + dropped)
