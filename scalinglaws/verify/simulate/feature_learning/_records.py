"""What simulations of feature learning return."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ....equality import by_value
from ....reprs import short_repr

Array = NDArray[np.float64]


@short_repr
@dataclass(frozen=True)
@by_value
class SimulatedTraining:
    r"""Losses and kernel scales of independent draws.

    Attributes
    ----------
    test_loss : ndarray, shape (draws, T), or (draws,) for a single time
        Population loss, without label noise.
    train_loss : ndarray, same shape
        Mean squared error on the samples, with label noise; where samples are unlimited, on the next one.
    kernel_scale : ndarray, same shape
        :math:`s = 1 + \gamma |w|^2 / N`.
    """

    test_loss: Array
    train_loss: Array
    kernel_scale: Array


@short_repr
@dataclass(frozen=True)
@by_value
class KernelSpectrum:
    r"""Eigenvalues of the kernel at initialization, on the data of one draw, and what of the target lies along each.

    Attributes
    ----------
    eigenvalues : ndarray, shape (r,)
        :math:`x_j > 0`, in decreasing order.
    powers : ndarray, shape (r,)
        :math:`\mu_j \ge 0`.
    floor : float
        Train loss that the initial features cannot remove; all of it is :math:`\mathrm{floor} + \sum_j \mu_j`.
    """

    eigenvalues: Array
    powers: Array
    floor: float


@short_repr
@dataclass(frozen=True)
@by_value
class SimulatedCircle:
    """Losses of independent networks on the circle.

    Attributes
    ----------
    test_loss : ndarray, shape (draws, T), or (draws,) for a single time
        Half the mean squared error halfway between the samples.
    train_loss : ndarray, same shape
        Half the mean squared error on the samples.
    weight_growth : ndarray, same shape
        Mean squared weight over its start.
    """

    test_loss: Array
    train_loss: Array
    weight_growth: Array


@short_repr
@dataclass(frozen=True)
@by_value
class SimulatedLevels:
    """Losses and kernel scales level by level, each level trained with the growth that the one before would have caused.

    Attributes
    ----------
    test_loss : ndarray, shape (levels + 1, T), or (levels + 1,) for a single time
        Population loss, the lazy one first.
    kernel_scale : ndarray, same shape
        What multiplies the kernel at the start.
    """

    test_loss: Array
    kernel_scale: Array
