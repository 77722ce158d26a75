"""Gradient flow of a perceptron without a constraint on its norm."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.integrate import solve_ivp
from scipy.optimize import brentq
from scipy.special import expit

from ....arguments import afford, generator, numbers, ordered, whole
from ....equality import by_value
from ....errors import ConvergenceError
from ....reprs import short_repr
from .._problems import table
from ._fixed_norm import minimizer
from ._teacher import angle_over_pi, task_size, tasks

Array = NDArray[np.float64]

_LATEST = 1e8
_SMALLEST = 1e-12  # norms: where the range of fixed norms begins in the solver, too
_PATH = 5000  # numbers per input that a path keeps: some 10 for each of some 200 steps
_ACCURACY = 1e-7


@short_repr
@by_value
@dataclass(frozen=True)
class SimulatedFlow:
    r"""Perceptrons along gradient flow, when they pass given norms.

    Attributes
    ----------
    norm : ndarray, shape (L,)
        :math:`\lambda = |w|/\sqrt N`.
    time : ndarray, shape (draws, L)
        When each is reached.
    error : ndarray, shape (draws, L)
        Generalization error then.
    error_fixed_norm : ndarray, shape (draws, L)
        That of the minimizer of the training loss at this norm, on the same data.
    """

    norm: Array
    time: Array
    error: Array
    error_fixed_norm: Array


def gradient_flow(
    norm: ArrayLike,
    *,
    alpha: float,
    inputs: int = 100,
    distribution: str = "gaussian",
    draws: int = 1,
    rng: np.random.Generator | int = 0,
) -> SimulatedFlow:
    r"""Draw data that a teacher labels, and let a student follow the gradient of the logistic loss from zero.

    .. math:: \dot w = -\frac NP \nabla_w \sum_\mu V(y^\mu\,w\cdot x^\mu/\sqrt N), \qquad V(u) = \log(1 + e^{-2u})

    Parameters
    ----------
    norm : array_like, shape (L,)
        :math:`\lambda \ge 10^{-12}` at which to look, non-decreasing.
    alpha, inputs, distribution, draws, rng
        As in `fixed_norm`.

    Returns
    -------
    SimulatedFlow
        Times and errors, beside those of the minimizers at the same norms.

    Raises
    ------
    DomainError
        If an argument is out of range.
    ConvergenceError
        If the flow has not reached a norm by the time 1e8, or could not be followed.
    ResourceError
        If a draw or the results would need more than the memory budget.

    Notes
    -----
    Backward differentiation formulas with the exact Jacobian, to 1e-7: O(P N^2) for each Jacobian.

    Examples
    --------
    >>> found = gradient_flow([1, 5], alpha=8, inputs=40)
    >>> bool(found.time[0, 1] > found.time[0, 0] > 2)
    True
    """
    numbers("norm", norm, low=_SMALLEST)
    norms = np.atleast_1d(ordered("norm", norm, infinite=False, single_row=True))
    samples, size = task_size(alpha, inputs, distribution)
    entries = 2.0 * samples * size + (4.0 * size + _PATH) * size  # data, Jacobians, path
    afford(entries, "one draw", "use fewer samples or inputs")
    count = whole("draws", draws)
    time, error, fixed = table(3, count, norms.size)
    drawn = tasks(generator(rng), count, samples, size, distribution)
    for i, (signed, teacher) in enumerate(drawn):
        best = signed.sum(axis=0)
        times, students = _followed(signed, norms)
        for j, each in enumerate(norms):
            best = minimizer(signed, best, float(each))
            fixed[i, j] = angle_over_pi(best, teacher)
            error[i, j] = angle_over_pi(students[j], teacher)
            time[i, j] = times[j]
    return SimulatedFlow(norms, time, error, fixed)


def _followed(signed: Array, norms: Array) -> tuple[Array, list[Array]]:
    """Return when the flow passes norms, and where it is then."""
    samples, size = signed.shape
    speed = size / samples

    def slope(_: float, w: Array) -> Array:
        return np.asarray(2 * speed * (expit(-2 * (signed @ w)) @ signed))

    def jacobian(_: float, w: Array) -> Array:
        push = expit(2 * (signed @ w))
        return np.asarray(-4 * speed * (signed.T * (push * (1 - push))) @ signed)

    def ahead(_: float, w: Array) -> float:
        return float(np.linalg.norm(w)) / math.sqrt(size) - float(norms[-1])

    ahead.terminal = True  # type: ignore[attr-defined]
    path = solve_ivp(
        slope,
        (0.0, _LATEST),
        np.zeros(size),
        method="BDF",
        jac=jacobian,
        rtol=_ACCURACY,
        atol=_ACCURACY * min(float(norms[0]), 1.0),
        events=ahead,
        dense_output=True,
    )
    if path.status != 1:
        reached = float(np.linalg.norm(path.y[:, -1])) / math.sqrt(size)
        raise ConvergenceError(
            f"gradient_flow: the norm {norms[-1]:g} is not reached: {reached:.6g} at t = {path.t[-1]:.3g}; ask for smaller norms"
        )

    def length(t: float) -> float:
        return float(np.linalg.norm(path.sol(t))) / math.sqrt(size)

    lengths = np.linalg.norm(path.y, axis=0) / math.sqrt(size)
    times = np.full(norms.size, path.t_events[0][0])
    for j, each in enumerate(norms):
        if each >= min(lengths[-1], norms[-1]):
            break  # the last one, and what is told apart from it by rounding alone
        after = int(np.argmax(lengths >= each))
        times[j] = _crossing(length, float(each), path.t[after - 1], path.t[after])
    return times, [np.asarray(path.sol(t)) for t in times]


def _crossing(length: Callable[[float], float], norm: float, early: float, late: float) -> float:
    """Return when a length passes a norm; an end where it is there already, give or take the error of interpolation."""
    if length(early) >= norm:
        return early
    if length(late) <= norm:
        return late
    return float(brentq(lambda t: length(t) - norm, early, late, rtol=1e-12))
