"""Hamiltonian Monte Carlo of one chain."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ....reprs import short_repr

Array = NDArray[np.float64]
Potential = Callable[[Array], tuple[float, Array]]

_LOST = 1000.0  # of energy along a trajectory: the integrator is unstable
_MOST_LEAPS = 256  # of one trajectory
# dual averaging of the logarithm of the step size
_SHRINKAGE, _DELAY, _FORGETTING = 0.05, 10.0, 0.75


@short_repr
@dataclass
class Chain:
    """A state that moves, and what it took.

    Attributes
    ----------
    position : ndarray
        Where the chain is; the prior is standard normal in these coordinates.
    energy : float
        Potential there.
    gradient : ndarray
        Its gradient.
    step_size : float
        Of the integrator.
    gradients : int
        Evaluated so far.
    """

    position: Array
    energy: float
    gradient: Array
    step_size: float
    gradients: int = 1

    def move(
        self, potential: Potential, duration: float, rng: np.random.Generator
    ) -> tuple[float, bool]:
        """Follow one trajectory and accept or refuse its end; return the acceptance probability and whether the energy was lost."""
        # a random duration, since one that is in tune with a mode's period would never move it
        leaps = min(math.ceil(duration * rng.uniform(0.5, 1.5) / self.step_size), _MOST_LEAPS)
        momentum = rng.standard_normal(self.position.shape)
        threshold = math.log(rng.random())
        start = self.energy + 0.5 * float(np.vdot(momentum, momentum))
        position, momentum, energy, gradient = leapfrog(
            potential, self.position, momentum, self.gradient, step_size=self.step_size, leaps=leaps
        )
        self.gradients += leaps
        gain = start - energy - 0.5 * float(np.vdot(momentum, momentum))
        if not gain > -_LOST:  # infinite and undefined energies, too
            return 0.0, True
        if threshold < gain:
            self.position, self.energy, self.gradient = position, energy, gradient
        return math.exp(min(gain, 0.0)), False


def leapfrog(
    potential: Potential,
    position: Array,
    momentum: Array,
    gradient: Array,
    *,
    step_size: float,
    leaps: int,
) -> tuple[Array, Array, float, Array]:
    """Integrate the equations of motion; unit masses.

    Parameters
    ----------
    potential : callable
        From a position to the energy and its gradient.
    position, momentum, gradient : ndarray
        At the start.
    step_size : float
        Of time.
    leaps : int
        Steps, >= 1.

    Returns
    -------
    tuple
        Position, momentum, energy and gradient at the end. The energy's error is of second order in the step size.
    """
    position = position.copy()
    momentum = momentum - 0.5 * step_size * gradient
    energy = math.inf
    for leap in range(leaps):
        position += step_size * momentum
        energy, gradient = potential(position)
        if not math.isfinite(energy):
            break
        momentum -= (step_size if leap < leaps - 1 else 0.5 * step_size) * gradient
    return position, momentum, energy, gradient


def first_step(chain: Chain, potential: Potential, rng: np.random.Generator) -> None:
    """Choose a step size whose single leap is accepted about every other time, by doubling or halving."""
    momentum = rng.standard_normal(chain.position.shape)
    start = chain.energy + 0.5 * float(np.vdot(momentum, momentum))
    factor = 0.0
    for _ in range(60):
        _, end, energy, _ = leapfrog(
            potential, chain.position, momentum, chain.gradient, step_size=chain.step_size, leaps=1
        )
        chain.gradients += 1
        gain = start - energy - 0.5 * float(np.vdot(end, end))
        direction = 2.0 if gain > -math.log(2) else 0.5
        if factor and direction != factor:
            break
        factor = direction
        chain.step_size *= factor
        if chain.step_size > 1:  # a unit of the prior
            break


def warm_up(
    chain: Chain,
    potential: Potential,
    duration: float,
    moves: int,
    acceptance: float,
    rng: np.random.Generator,
) -> None:
    """Let a chain forget its start, and choose its step size by dual averaging for a mean acceptance; it is frozen afterwards."""
    center = math.log(4 * chain.step_size)
    shortfall, averaged = 0.0, math.log(chain.step_size)
    for count in range(1, moves + 1):
        if count == moves // 2:  # what the way from the start has taught is forgotten
            center, shortfall, averaged = averaged + math.log(2), 0.0, averaged
        since = count if count < moves // 2 else count - moves // 2 + 1
        accepted, _ = chain.move(potential, duration, rng)
        weight = 1 / (since + _DELAY)
        shortfall = (1 - weight) * shortfall + weight * (acceptance - accepted)
        current = center - math.sqrt(since) / _SHRINKAGE * shortfall
        chain.step_size = min(math.exp(current), duration)
        share = since**-_FORGETTING
        averaged = share * math.log(chain.step_size) + (1 - share) * averaged
    if moves > 0:
        chain.step_size = math.exp(averaged)
