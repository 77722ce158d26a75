"""The lazy flow of a wide network that learns a function on the circle."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from ...arguments import (
    Array,
    Value,
    broadcast,
    numbers,
    ordered,
    refuse_first,
    shaped,
    whole,
)
from ...errors import refusal
from ...results import PROMISED, Diagnostics, Result, Status, judged
from ..catalogue import shows
from ..kernels import circle_eigenvalues, circle_kernel

_ROUNDING = 1e-16  # error of an eigenvalue, in units of the kernel's largest value
_OF_LARGE = (
    5e-16  # the same of the first four harmonics, whose eigenvalues are of that size themselves
)
_BLOCK = 1 << 20  # numbers in a temporary array


@shows("train_loss")
@dataclass(frozen=True)
class CircleFlow(Result):
    """Loss of the kernel flow on the circle.

    All fields have the broadcast shape of the inputs; scalars in, floats out.

    Attributes
    ----------
    t, activation_power, target_exponent, bias : float or ndarray
        The inputs.
    train_loss : float or ndarray
        Half the mean squared error on the grid.
    train_error : float or ndarray
        Bound on its absolute error, from rounding errors of the eigenvalues.
    diagnostics : Diagnostics
        The largest relative error.
    """

    t: Value
    activation_power: Value
    target_exponent: Value
    bias: Value
    train_loss: Value
    train_error: Value
    diagnostics: Diagnostics


def circle_flow(
    t: ArrayLike,
    *,
    activation_power: ArrayLike,
    target_exponent: ArrayLike,
    bias: ArrayLike = 1.0,
    harmonics: int = 1024,
    grid: int = 4096,
) -> CircleFlow:
    r"""Compute the loss of an infinitely wide two-layer network that learns a sum of harmonics lazily.

    Inputs are :math:`(\cos\theta, \sin\theta, b)` at n equidistant angles, the target is
    :math:`y = \sum_{k=1}^K k^{-q_y}\cos k\theta`, the activation :math:`z_+^q`; the network starts at zero and follows the gradient of
    :math:`\frac12 E(f - y)^2` with the tangent kernel of its start, eigenvalues :math:`\lambda_k`:

    .. math:: L(t) = \tfrac12 E(f - y)^2 = \tfrac14 \sum_{k=1}^K k^{-2q_y} e^{-2\lambda_k t} .

    Parameters
    ----------
    t : array_like
        Time, >= 0, finite or ``math.inf`` for the limit; non-decreasing along its last axis.
    activation_power : array_like of int
        q, 1, 2 or 3; capacity :math:`\alpha = 2q`.
    target_exponent : array_like
        :math:`q_y`, > 1/2 and at most 100; source :math:`\beta = (2q_y - 1)/(2q)`.
    bias : array_like
        Input bias b, between 0 and 1000; without one, every other harmonic is never learned. All four broadcast.
    harmonics : int
        K, less than n/2.
    grid : int
        n, the number of inputs, between 4 and 2^24.

    Returns
    -------
    CircleFlow
        The loss with a bound on its error.

    Raises
    ------
    DomainError
        If an argument is out of range or times decrease.

    Notes
    -----
    Exact for n equidistant training inputs and infinite width. For data without limit, take a finer grid: the eigenvalues
    change by a share of about :math:`3(k/n)^{2q}`. The power law :math:`t^{-\beta}` holds for :math:`1 \ll \lambda_1 t` and
    :math:`\lambda_K t \ll 1`; the missing harmonics are missing from the loss as well, which steepens late slopes. The local slope
    of all harmonics for q = 1, b = 1 at :math:`\lambda_1 t = 10^3` is 1.1, 1.4, 1.8 and 2.4 percent below :math:`\beta` at
    :math:`q_y = 1, 3/2, 2, 3`; for q = 2 and 3 it comes as close far later.
    `AccuracyWarning` if the error exceeds 1e-8 of the loss: very late, where rounding errors of the eigenvalues matter.
    One fast Fourier transform per kernel and K exponentials per time: 8 ms for a hundred times at the default sizes.

    References
    ----------
    .. [1] B. Bordelon, A. Atanasov, C. Pehlevan, "How feature learning can improve neural scaling laws", arXiv:2409.17858,
       the experiments on the circle.

    Examples
    --------
    >>> flow = circle_flow([0, 10, 1000], activation_power=1, target_exponent=1)
    >>> print(flow.train_loss.round(6))
    [0.410989 0.113483 0.018021]
    """
    checked = {
        "t": ordered("t", t),
        "activation_power": numbers("activation_power", activation_power, low=1.0),
        "target_exponent": numbers(
            "target_exponent", target_exponent, low=0.5, high=100, strict=True
        ),
        "bias": numbers("bias", bias, low=0.0),
    }
    powers = checked["activation_power"]
    refuse_first("activation_power", powers, ~np.isin(powers, (1, 2, 3)), "must be 1, 2 or 3")
    grid = whole("grid", grid, low=4, high=2**24)
    harmonics = whole("harmonics", harmonics)
    if harmonics >= grid / 2:
        raise refusal(
            "harmonics",
            harmonics,
            f"must be a whole number between 1 and half the grid, here {grid / 2:g}, excluded: a "
            "grid does not tell higher ones from lower ones",
        )
    shape, flat = broadcast(checked)
    kinds = np.stack(flat[1:], axis=1)
    loss, error = np.zeros(flat[0].size), np.zeros(flat[0].size)
    for kind in np.unique(kinds, axis=0):
        members = np.flatnonzero(np.all(kinds == kind, axis=1))
        for part in np.array_split(members, 1 + members.size * int(harmonics) // _BLOCK):
            loss[part], error[part] = _one_kernel(
                flat[0][part], int(kind[0]), kind[1], kind[2], int(harmonics), int(grid)
            )
    accuracy = float(np.max(error[loss > 0] / loss[loss > 0], initial=0.0))
    status = Status.CONVERGED if accuracy <= PROMISED else Status.LOST_ACCURACY
    diagnostics = Diagnostics(
        status, 0.0, 0, "sum over harmonics, eigenvalues by fast Fourier transform", accuracy
    )
    result = CircleFlow(
        **dict(zip(checked, (shaped(array, shape) for array in flat), strict=True)),
        train_loss=shaped(loss, shape),
        train_error=shaped(error, shape),
        diagnostics=diagnostics,
    )
    judged("circle_flow", result, diagnostics, "raise")
    return result


def _one_kernel(
    t: Array, q: int, exponent: float, bias: float, harmonics: int, grid: int
) -> tuple[Array, Array]:
    """Return losses and error bounds at all times."""
    k = np.arange(1.0, harmonics + 1)
    rounding = np.where(k < 5, _OF_LARGE, _ROUNDING) * float(circle_kernel(0.0, q, bias=bias))
    rates = circle_eigenvalues(q, bias=bias, harmonics=harmonics, grid=grid)[1:]
    known = (rates > rounding) | (rates == 0)  # zero by parity
    rates = np.where(known, rates, 0.0)
    power = 0.25 * k ** (-2 * exponent)
    with np.errstate(over="ignore", invalid="ignore"):
        depth = 2 * np.where(rates > 0, rates * t[:, None], 0.0)
        left = power * np.exp(-depth)
        loss = left.sum(axis=1)
        # a rate that is off by the rounding error changes its share by no more than a factor exp(2 t rounding)
        doubt = np.minimum(np.expm1(2 * np.minimum(rounding * t[:, None], 300.0)) * left, power)
        doubt[:, known & (rates == 0)] = 0.0
    # the errors of eigenvalues are measured: a quarter more
    return loss, 1.25 * doubt.sum(axis=1) + 1e-15 * loss
