"""Perceptrons that minimize their training loss at a fixed norm."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.linalg.lapack import dposv
from scipy.optimize import minimize
from scipy.special import logsumexp

from ....arguments import afford, choice, flag, generator, numbers, ordered, whole
from ....equality import by_value
from ....errors import ConvergenceError
from ....reprs import short_repr
from .._problems import table
from ._teacher import angle_over_pi, task_size, tasks

Array = NDArray[np.float64]

LOSSES = ("logistic", "exponential")
_ITERATIONS = 5000
_LARGEST = 1e20  # norms: where the solver's range ends, too
_DENSE = 1.2e7  # P N^2, work for a Hessian, up to which Newton's method is faster
_NEWTON, _STEP, _LEAST_SHARE = (
    50,
    1e-7,
    1e-6,
)  # steps of it, the last one over the norm, and how far one is cut
_BENT = 1e-6  # of the largest curvature of a sample: below, it is left out of the Hessian
_PLAIN = 100.0  # of margins times the norm: within, the loss neither under- nor overflows
_GRADIENT = 1e-3  # of the log loss along the sphere, over the norm: above, L-BFGS has stopped short


@short_repr
@by_value
@dataclass(frozen=True)
class SimulatedPerceptrons:
    r"""Perceptrons of minimal training loss at fixed norms.

    Attributes
    ----------
    norm : ndarray, shape (L,)
        :math:`\lambda`.
    error : ndarray, shape (draws, L)
        Generalization error, the angle between student and teacher over pi.
    train_loss : ndarray, shape (draws, L)
        Mean loss of the samples.
    train_error : ndarray, shape (draws, L)
        Share of the samples that are misclassified.
    margins : ndarray, shape (draws, L, P), or None
        :math:`\Delta = y\,w\cdot x/\sqrt N` of normalized weights, if asked for.
    """

    norm: Array
    error: Array
    train_loss: Array
    train_error: Array
    margins: Array | None = None


def fixed_norm(
    norm: ArrayLike,
    *,
    alpha: float,
    inputs: int = 200,
    distribution: str = "gaussian",
    loss: str = "logistic",
    margins: bool = False,
    draws: int = 1,
    rng: np.random.Generator | int = 0,
) -> SimulatedPerceptrons:
    r"""Draw data that a teacher labels, and minimize the loss of a student whose norm is fixed.

    Of :math:`\sum_\mu V(\lambda\, y^\mu w\cdot x^\mu/\sqrt N)` over all w with :math:`|w|^2 = N`.

    Parameters
    ----------
    norm : array_like, shape (L,)
        :math:`\lambda` from 0 to 1e20, non-decreasing; 0 for its limit, Hebb's rule.
    alpha : float
        Samples per input, > 0; their number is rounded.
    inputs : int
        N >= 2.
    distribution : {"gaussian", "binary"}
        Of the entries of the inputs: normal, or -1 and 1.
    loss : {"logistic", "exponential"}
        V(u): :math:`\log(1 + e^{-2u})` or :math:`e^{-u}`.
    margins : bool
        Whether to keep the margins.
    draws : int
        Independent repetitions. Draw i is the same however many are asked for.
    rng : Generator or int
        Source of randomness; each draw takes a stream spawned from it.

    Returns
    -------
    SimulatedPerceptrons
        Errors and losses.

    Raises
    ------
    DomainError
        If an argument is out of range.
    ConvergenceError
        If the minimum is not reached.
    ResourceError
        If a draw or the results would need more than the memory budget.

    Notes
    -----
    From Hebb's rule on, each norm starts at the minimum of the one before it. While P N^2 is below 1.2e7 by Newton's method on the sphere,
    some ten Hessians for each norm; beyond, and where rounding spoils the Hessian, by L-BFGS on the logarithm of the mean loss, whose
    values would otherwise underflow, as a function of the direction: some hundred products with the data.

    Examples
    --------
    >>> found = fixed_norm([0, 2, 8], alpha=8, inputs=50, draws=4)
    >>> found.error.shape, bool(np.all(found.error[:, 0] > found.error[:, 2]))
    ((4, 3), True)
    """
    numbers("norm", norm, low=0.0, high=_LARGEST)
    norms = np.atleast_1d(ordered("norm", norm, infinite=False, single_row=True))
    samples, size = task_size(alpha, inputs, distribution)
    choice("loss", loss, LOSSES)
    count, keep = whole("draws", draws), flag("margins", margins)
    if keep:
        afford(count * norms.size * samples, "the margins", "use fewer draws, norms or samples")
    found = table(3, count, norms.size)
    kept = np.empty((count, norms.size, samples)) if keep else None
    drawn = tasks(generator(rng), count, samples, size, distribution)
    for i, (signed, teacher) in enumerate(drawn):
        student = signed.sum(axis=0)
        for j, each in enumerate(norms):
            if each > 0:
                student = minimizer(signed, student, float(each), loss)
            student = student * (math.sqrt(size) / np.linalg.norm(student))
            delta = signed @ student
            found[:, i, j] = (
                angle_over_pi(student, teacher),
                math.exp(logsumexp(log_loss(each * delta, loss)[0]) - math.log(samples)),
                np.mean(delta <= 0),
            )
            if kept is not None:
                kept[i, j] = delta
    return SimulatedPerceptrons(norms, found[0], found[1], found[2], kept)


def minimizer(signed: Array, start: Array, norm: float, loss: str = "logistic") -> Array:
    """Return the direction, of squared norm N, in which the loss at a norm is least."""
    size = signed.shape[1]
    begin = start * (math.sqrt(size) / np.linalg.norm(start))
    if signed.shape[0] * size**2 <= _DENSE:
        begin, done = _newton(signed, begin, norm, loss)
        if done:
            return begin

    def value_and_slope(w: Array) -> tuple[float, Array]:
        length = float(np.linalg.norm(w))
        unit = w * (math.sqrt(size) / length)
        logs, ratios = log_loss(norm * (signed @ unit), loss)
        total = float(logsumexp(logs))
        slope = norm * ((np.exp(logs - total) * ratios) @ signed)
        # only what is tangent to the sphere turns the direction
        slope -= (slope @ unit) / size * unit
        return total, slope * (math.sqrt(size) / length)

    found = minimize(
        value_and_slope,
        begin,
        jac=True,
        method="L-BFGS-B",
        options={"maxiter": _ITERATIONS, "maxfun": 2 * _ITERATIONS, "ftol": 1e-14, "gtol": 1e-8},
    )
    left = float(np.linalg.norm(value_and_slope(found.x)[1])) / norm
    if not left <= _GRADIENT:
        raise ConvergenceError(
            f"fixed_norm: L-BFGS stopped at norm {norm:g} with a gradient of {left:.1e} of the log loss; "
            "use smaller steps in the norm, or fewer samples"
        )
    return np.asarray(found.x, float)


def _newton(signed: Array, start: Array, norm: float, loss: str) -> tuple[Array, bool]:
    """Return where Newton's method on the sphere ends, and whether at the minimum; not if rounding spoils the Hessian."""
    size = signed.shape[1]
    w = start
    value, push, bend, shift = _summed(norm * (signed @ w), loss)
    sides = np.empty((size, 2), order="F")
    for _ in range(_NEWTON):
        slope = norm * (push @ signed)
        force = -float(slope @ w) / size
        near = np.flatnonzero(bend > _BENT * bend.max())  # the others are far from the margin
        pushed = signed[near] * (norm * np.sqrt(bend[near]))[:, None]
        hessian = pushed.T @ pushed
        hessian.flat[:: size + 1] += force
        tangent = slope + force * w
        sides[:, 0], sides[:, 1] = tangent, w
        _, both, failed = dposv(hessian, sides, lower=1)
        if failed:
            return w, False
        step = both[:, 1] * (float(w @ both[:, 0]) / float(w @ both[:, 1])) - both[:, 0]
        length = math.sqrt(float(step @ step))
        if not math.isfinite(length):
            return w, False
        # of the log loss
        gain = -float(tangent @ step) * math.exp(shift - value)
        share = 1.0
        while share > _LEAST_SHARE:
            trial = w + share * step
            trial *= math.sqrt(size / float(trial @ trial))
            ahead = _summed(norm * (signed @ trial), loss)
            if ahead[0] <= value - 1e-4 * share * gain + 1e-14 * abs(value):
                break
            share /= 2
        else:
            return w, False
        w, (value, push, bend, shift) = trial, ahead
        if length <= _STEP * math.sqrt(size):
            return w, True
    return w, False


def _summed(u: Array, loss: str) -> tuple[float, Array, Array, float]:
    """Return the logarithm of the summed loss, both derivatives over a number that keeps them from underflowing, and its logarithm."""
    if float(np.abs(u).max()) < _PLAIN:
        if loss == "exponential":
            losses = np.exp(-u)
            return math.log(float(losses.sum())), -losses, losses, 0.0
        odds = np.exp(-2 * u)
        share = odds / (1 + odds)
        return math.log(float(np.log1p(odds).sum())), -2 * share, 4 * share * (1 - share), 0.0
    total = float(logsumexp(log_loss(u, loss)[0]))
    logs = -u if loss == "exponential" else -np.logaddexp(0.0, 2 * u)
    shift = float(logs.max())
    share = np.exp(logs - shift)
    if loss == "exponential":
        return total, -share, share, shift
    return total, -2 * share, 4 * share * -np.expm1(logs), shift


def log_loss(u: Array, loss: str) -> tuple[Array, Array]:
    """Return the logarithm of the loss, and the ratio of its derivative to it."""
    if loss == "exponential":
        return -u, np.full_like(u, -1.0)
    # far out, log(1 + e^-2u) is e^-2u, whose logarithm does not underflow
    near = np.minimum(u, 18.0)
    value = np.logaddexp(0.0, -2 * near)
    push = 2 * np.exp(-np.logaddexp(0.0, 2 * near))
    far = u > 18.0
    return np.where(far, -2 * u, np.log(value)), np.where(far, -2.0, -push / value)
