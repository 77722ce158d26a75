"""What sampling of a posterior returns."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from ....arguments import number
from ....results import Diagnostics, Result

Array = NDArray[np.float64]
Flags = NDArray[np.bool_]


@dataclass(frozen=True, kw_only=True)
class NetworkSample(Result):
    """What every network's sample has.

    Attributes
    ----------
    energies : ndarray, shape (chains, draws)
        Minus the logarithm of the posterior density, up to a constant.
    train_loss : ndarray, shape (chains, draws)
        Mean squared error on the training points of the network averaged over its readout.
    train_mean : ndarray, shape (chains, P)
        Mean of the network on the training points over draws and readouts.
    acceptance : ndarray, shape (chains,)
        Mean acceptance probability after warm-up.
    step_size : ndarray, shape (chains,)
        Of the integrator, frozen after warm-up, in units of the prior's standard deviation.
    divergences : int
        Trajectories after warm-up along which the integrator lost the energy.
    r_hat, effective_size, standard_error : mapping
        Split R-hat, the effective number of draws, and the standard error of the mean over all draws, of the scalars on which
        chains must agree.
    planted : ndarray of bool, shape (chains,)
        Which chains started planted.
    diagnostics : Diagnostics
        `residual` is the largest R-hat minus one, `iterations` the number of gradients.
    """

    recorded: ClassVar[tuple[str, ...]] = ()

    energies: Array
    train_loss: Array
    train_mean: Array
    acceptance: Array
    step_size: Array
    divergences: int
    r_hat: dict[str, float]
    effective_size: dict[str, float]
    diagnostics: Diagnostics
    standard_error: dict[str, float] = field(default_factory=dict)
    planted: Flags = field(default_factory=lambda: np.zeros(0, dtype=bool))


@dataclass(frozen=True, kw_only=True)
class PosteriorSample(NetworkSample):
    r"""Networks of two layers drawn from a posterior, in several chains.

    Attributes
    ----------
    overlaps : ndarray, shape (chains, draws, N)
        :math:`m_c = w_c \cdot w_*`, each neuron's weight along the direction of interest.
    squared_weights : ndarray, shape (chains, draws, N)
        :math:`|w_c|^2`.
    readouts : ndarray, shape (chains, draws, N)
        :math:`a_c`, drawn given the hidden weights.
    test_loss, alignment : ndarray, shape (chains, draws)
        Of the network averaged over its readout, on test points: mean squared error over the target's mean square, and the
        coefficient :math:`\langle f y\rangle / \langle y^2\rangle` of the target. Empty without test points.
    components : ndarray, shape (chains, draws, K)
        Of the same, the coefficients :math:`\langle f\, He_k(z)/\sqrt{k!}\rangle` on normalized Hermite polynomials of
        :math:`z = w_* \cdot x`, exact for standard normal inputs. Empty if none were asked for.
    energies : ndarray, shape (chains, draws)
        Minus the logarithm of the posterior density of the hidden weights, up to a constant.
    train_loss : ndarray, shape (chains, draws)
        Mean squared error on the training points of the network averaged over its readout.
    train_mean : ndarray, shape (chains, P)
        Mean of the network on the training points over draws and readouts.
    acceptance : ndarray, shape (chains,)
        Mean acceptance probability after warm-up.
    step_size : ndarray, shape (chains,)
        Of the integrator, frozen after warm-up, in units of the prior's standard deviation.
    divergences : int
        Trajectories after warm-up along which the integrator lost the energy.
    r_hat, effective_size, standard_error : mapping
        Split R-hat, the effective number of draws, and the standard error of the mean over all draws, of the energy, of the mean
        squared overlap, of the kurtosis of overlaps, of the train loss and of components: quantities that no relabeling or
        reflection of neurons changes.
    planted : ndarray of bool, shape (chains,)
        Which chains started planted.
    diagnostics : Diagnostics
        `residual` is the largest R-hat minus one, `iterations` the number of gradients.
    """

    recorded = (
        "energies",
        "train_loss",
        "overlaps",
        "squared_weights",
        "readouts",
        "test_loss",
        "alignment",
        "components",
    )

    overlaps: Array
    squared_weights: Array
    readouts: Array
    test_loss: Array
    alignment: Array
    components: Array = field(default_factory=lambda: np.zeros((0, 0, 0)))

    @property
    def kurtosis(self) -> Array:
        r"""Kurtosis :math:`\langle m^4\rangle / \langle m^2\rangle^2` of the overlaps of each draw's neurons, shape (chains, draws)."""
        return kurtosis(self.overlaps)

    def specialized(self, beyond: float) -> Array:
        """Count the neurons of each draw whose overlap exceeds a bound in size, shape (chains, draws)."""
        found: Array = np.sum(np.abs(self.overlaps) > number("beyond", beyond), axis=-1).astype(
            float
        )
        return found


@dataclass(frozen=True, kw_only=True)
class ConvolutionalSample(NetworkSample):
    r"""Linear convolutional networks drawn from a posterior, in several chains.

    Attributes
    ----------
    learnability : ndarray, shape (chains, draws)
        :math:`\langle \bar f y\rangle / \langle y^2\rangle` of the network averaged over its readout, with the teacher's y, exact for
        standard normal inputs. Empty without a teacher.
    along : ndarray, shape (chains, draws)
        :math:`b = \frac{S}{\sigma_w^2} w_*^\top \hat\Sigma w_*`, the filters' variance along the direction over the prior's.
    across : ndarray, shape (chains, draws)
        :math:`b_\perp`, the same across it, averaged over directions. Empty for patches of size one.
    energies : ndarray, shape (chains, draws)
        Minus the logarithm of the posterior density of the coordinates that are sampled, up to a constant.
    train_loss : ndarray, shape (chains, draws)
        Mean squared error on the training points of the network averaged over its readout.
    train_mean : ndarray, shape (chains, P)
        Mean of the network on the training points over draws and readouts.
    acceptance : ndarray, shape (chains,)
        Mean acceptance probability after warm-up.
    step_size : ndarray, shape (chains,)
        Of the integrator, frozen after warm-up, in units of the prior's standard deviation.
    divergences : int
        Trajectories after warm-up along which the integrator lost the energy.
    r_hat, effective_size, standard_error : mapping
        Split R-hat, the effective number of draws, and the standard error of the mean over all draws, of all that is recorded.
    planted : ndarray of bool, shape (chains,)
        Which chains started planted.
    diagnostics : Diagnostics
        `residual` is the largest R-hat minus one, `iterations` the number of gradients.
    """

    recorded = ("energies", "train_loss", "learnability", "along", "across")

    learnability: Array
    along: Array
    across: Array


@dataclass(frozen=True, kw_only=True)
class DeepSample(NetworkSample):
    r"""Networks of three layers drawn from a posterior, in several chains.

    Attributes
    ----------
    overlaps : ndarray, shape (chains, draws, N1)
        :math:`w_j \cdot w_*`, weights of the first layer along the direction of interest.
    linear_parts : ndarray, shape (chains, draws, N2)
        :math:`\langle h_c(x)\, w_* \cdot x\rangle`, the linear component along the direction of the middle layer's pre-activations,
        exact for standard normal inputs.
    middle_norms : ndarray, shape (chains, draws, N2)
        :math:`|v_c|`, norms of the middle layer's weights.
    test_loss, alignment : ndarray, shape (chains, draws)
        Of the network averaged over its readout, on test points: mean squared error over the target's mean square, and the
        coefficient :math:`\langle f y\rangle / \langle y^2\rangle` of the target. Empty without test points.
    energies : ndarray, shape (chains, draws)
        Minus the logarithm of the posterior density of the hidden weights, up to a constant.
    train_loss : ndarray, shape (chains, draws)
        Mean squared error on the training points of the network averaged over its readout.
    train_mean : ndarray, shape (chains, P)
        Mean of the network on the training points over draws and readouts.
    acceptance : ndarray, shape (chains,)
        Mean acceptance probability after warm-up.
    step_size : ndarray, shape (chains,)
        Of the integrator, frozen after warm-up, in units of the prior's standard deviation.
    divergences : int
        Trajectories after warm-up along which the integrator lost the energy.
    r_hat, effective_size, standard_error : mapping
        Split R-hat, the effective number of draws, and the standard error of the mean over all draws, of the energy, of the mean
        squared overlap, of the mean squared linear part and of the train loss: quantities that no relabeling or reflection of
        neurons changes.
    planted : ndarray of bool, shape (chains,)
        Which chains started planted.
    diagnostics : Diagnostics
        `residual` is the largest R-hat minus one, `iterations` the number of gradients.
    """

    recorded = (
        "energies",
        "train_loss",
        "overlaps",
        "linear_parts",
        "middle_norms",
        "test_loss",
        "alignment",
    )

    overlaps: Array
    linear_parts: Array
    middle_norms: Array
    test_loss: Array
    alignment: Array


def kurtosis(overlaps: Array) -> Array:
    """Return the fourth moment over the squared second one, along the last axis."""
    squares = overlaps**2
    found: Array = np.mean(squares**2, axis=-1) / np.mean(squares, axis=-1) ** 2
    return found
