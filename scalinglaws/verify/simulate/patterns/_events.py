"""How likely a network drawn from its prior is to be aligned with its target, and what it learns of the alignment from data."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ....arguments import afford, choice, flag, generator, number, whole
from ....errors import ConvergenceError, ResourceError, refusal
from ....results import Diagnostics, Result, Status
from .._counter import new_key
from ._neurons import log_tail, walk

Array = NDArray[np.float64]

_HYSTERESIS = 0.2
"""Gate: by how much the cost may differ between the way up and the way down, as a share of it."""
_LEARNED_TWICE = 0.05
"""The same of what was learned with less and less noise, and from aligned neurons."""
_MOST_MOVES = 1e10  # some quarter of an hour
_STEPS = 6  # of the noise, on the way from the prior
_MOST_DIMENSION = 1e12


@dataclass(frozen=True)
class AlignmentCost(Result):
    r"""Minus the logarithm of the probability that a network drawn from its prior is aligned with its target.

    Attributes
    ----------
    cost : float
        :math:`-\log P(A \ge \alpha)`, the mean over the way up and the way down.
    up, down : float
        From levels that rise, from the prior on, and from levels that fall again.
    levels, forces : ndarray, shape (levels,)
        Levels s, and the slope of the cost there, the mean of both ways.
    specialized : ndarray, shape (levels,)
        Mean number of neurons whose weight along the target exceeds :math:`2^{-1/2}`.
    diagnostics : Diagnostics
        `residual` is the difference of the two ways over the cost.
    """

    cost: float
    up: float
    down: float
    levels: Array
    forces: Array
    specialized: Array
    diagnostics: Diagnostics


@dataclass(frozen=True)
class LearnedAlignment(Result):
    r"""What networks learn that are told, with noise, how much they are aligned with their target.

    Attributes
    ----------
    learned : float
        :math:`\alpha`, the posterior mean of the alignment.
    fresh, aligned : float
        From noise that falls, and from noise that rises again after it was less.
    specialized : float
        Mean number of neurons whose weight along the target exceeds :math:`2^{-1/2}`.
    kurtosis : float
        Of weights along the target, :math:`\langle m^4\rangle/\langle m^2\rangle^2`: 3 under the prior.
    diagnostics : Diagnostics
        `residual` is the difference of the two.
    """

    learned: float
    fresh: float
    aligned: float
    specialized: float
    kurtosis: float
    diagnostics: Diagnostics


def anneal_alignment(
    neurons: int,
    dimension: int,
    *,
    degree: int = 3,
    activation: str = "erf",
    patches: int = 1,
    alignment: float = 1.0,
    held: bool = False,
    levels: int = 12,
    sweeps: int = 100,
    rng: np.random.Generator | int,
    on_failure: str = "raise",
) -> AlignmentCost:
    r"""Measure how unlikely an aligned network is under its prior, by raising the alignment that it must have level by level.

    .. math::

        -\log P(A \ge \alpha) = \log 2 + \int_0^\alpha E_s\Big[\frac{\varphi(s/\sqrt V)}{\bar\Phi(s/\sqrt V)\sqrt V}\Big] ds, \qquad
        V = \frac{1}{N} \sum_{c \le N} c_k(w_c)^2

    The network is :math:`f(x) = \sum_c a_c\,\mathrm{erf}(w_c\cdot x)` with :math:`w_c \sim N(0, 1/d)`, :math:`a_c \sim N(0, 1/N)`, and
    A its component on :math:`He_k(x_1)/\sqrt{k!}` for standard normal inputs: given the weights it is normal with variance V, and
    :math:`E_s` is the mean over weights of networks with :math:`A \ge s`. A linear network, for k = 1, has N channels that see each
    of ``patches`` patches of `dimension` inputs, :math:`f = \sum_{ic} a_{ic}\, w_c\cdot x_i`, and the target is a network of one filter.

    Parameters
    ----------
    neurons : int
        N >= 1: hidden neurons, or channels.
    dimension : int
        d >= 2 inputs of a neuron, up to 1e12: more cost no more.
    degree : int
        k, odd, up to 15.
    activation : {"erf", "linear"}
        Linear for k = 1 only.
    patches : int
        How many, of a linear network; readouts have the variance 1/N over that.
    alignment : float
        :math:`\alpha > 0`.
    held : bool
        Whether the length of the weights across the target is held at its mean under the prior.
    levels : int
        Of the integral, by Gauss-Legendre in the root of the level.
    sweeps : int
        Over all neurons at each level, on either way, after a quarter as many that are left out.
    rng : Generator or int
        Source of randomness.
    on_failure : {"raise", "return"}
        What to do if the two ways disagree.

    Returns
    -------
    AlignmentCost
        The cost, and the slope of each level.

    Raises
    ------
    DomainError
        If an argument is out of range.
    ConvergenceError
        If the cost differs by more than a fifth between the way up and the way down; with the result attached.
    ResourceError
        If it takes more than 1e10 moves.

    Notes
    -----
    Metropolis moves of one neuron at a time, to anywhere or by steps of all scales, and exchanges in which a neuron joins or leaves
    those that are large while these shrink or grow: no pattern is assumed. Some 0.1 microseconds per move; 100 neurons take 50 ms.

    Examples
    --------
    >>> found = anneal_alignment(100, 100, rng=0)
    >>> 740 < found.cost < 840, bool(2 < found.specialized[-1] < 4)
    (True, True)
    """
    chain = _Chain(neurons, dimension, degree, activation, patches, held, rng)
    level = number("alignment", alignment, low=0, strict=True)
    count, moves = whole("levels", levels), whole("sweeps", sweeps, low=4)
    _affordable("anneal_alignment", 2.5 * count * moves * chain.logs.size)
    choice("on_failure", on_failure, ("raise", "return"))
    nodes, weights = np.polynomial.legendre.leggauss(count)
    roots = (nodes + 1) / 2
    heights = level * roots**2
    forces, numbers = np.empty((2, count)), np.empty((2, count))
    for way, places in enumerate((range(count), reversed(range(count)))):
        for i in places:
            rows = chain.run(heights[i], 0.0, moves)
            deviation = np.sqrt(rows[:, 0])
            forces[way, i] = np.mean([_hazard(heights[i] / s) / s for s in deviation.tolist()])
            numbers[way, i] = rows[:, 1].mean()
    up, down = (math.log(2) + level * float(np.sum(weights * roots * row)) for row in forces)
    cost = (up + down) / 2
    residual = abs(up - down) / cost
    good = residual <= _HYSTERESIS
    result = AlignmentCost(
        cost,
        up,
        down,
        heights,
        forces.mean(axis=0),
        numbers.mean(axis=0),
        _diagnosed(good, residual),
    )
    if not good and on_failure == "raise":
        raise ConvergenceError(
            f"anneal_alignment: the cost is {up:.5g} on the way up and {down:.5g} on the way down; "
            "take more sweeps or levels, or on_failure='return'",
            result=result,
        )
    return result


def learn_alignment(
    neurons: int,
    dimension: int,
    *,
    ridge_per_sample: float,
    degree: int = 3,
    activation: str = "erf",
    patches: int = 1,
    scale: float = 1.0,
    held: bool = False,
    sweeps: int = 400,
    rng: np.random.Generator | int,
    on_failure: str = "raise",
) -> LearnedAlignment:
    r"""Measure what a network learns that is told, by data with noise, that its alignment with the target is one.

    .. math:: p(w) \propto p_0(w)\, \frac{e^{-\chi/2(V + \kappa')}}{\sqrt{V + \kappa'}}, \qquad
              \alpha = E\Big[\frac{V}{V + \kappa'}\Big], \qquad \kappa' = \frac{\kappa}{P}

    The posterior of the networks of `anneal_alignment` given a measurement of A with the variance :math:`\kappa'/\chi`; what they do off
    the target is left free.

    Parameters
    ----------
    neurons, dimension, degree, activation, patches, held
        As for `anneal_alignment`.
    scale : float
        :math:`\chi > 0`, by which variances of readouts and noise are divided.
    ridge_per_sample : float
        :math:`\kappa' > 0`.
    sweeps : int
        Over all neurons from either side, after a quarter as many, and as many again at larger noise, that are left out.
    rng : Generator or int
        Source of randomness.
    on_failure : {"raise", "return"}
        What to do if the two sides disagree.

    Returns
    -------
    LearnedAlignment
        What is learned, and how many neurons specialize.

    Raises
    ------
    DomainError
        If an argument is out of range.
    ConvergenceError
        If what is learned differs by more than 0.05 between noise that has fallen and noise that has risen; with the result attached.
    ResourceError
        If it takes more than 1e10 moves.

    Examples
    --------
    >>> found = learn_alignment(64, 64, ridge_per_sample=1e-3, rng=0)
    >>> 0.4 < found.learned < 0.6
    True
    """
    chain = _Chain(neurons, dimension, degree, activation, patches, held, rng)
    ridge = number("ridge_per_sample", ridge_per_sample, low=0, strict=True)
    height = math.sqrt(number("scale", scale, low=0, strict=True))
    moves = whole("sweeps", sweeps, low=8)
    _affordable("learn_alignment", 4.0 * moves * chain.logs.size)
    choice("on_failure", on_failure, ("raise", "return"))
    for step in range(_STEPS, 0, -1):
        chain.run(height, ridge * 2.0**step, max(moves // _STEPS, 4))
    rows = [chain.run(height, ridge, moves)]
    for step in (1, 2, 1):
        chain.run(height, ridge / 2.0**step, max(moves // 8, 4))
    rows.append(chain.run(height, ridge, moves))
    fresh, aligned = (float(np.mean(row[:, 0] / (row[:, 0] + ridge))) for row in rows)
    residual = abs(fresh - aligned)
    good = residual <= _LEARNED_TWICE
    result = LearnedAlignment(
        (fresh + aligned) / 2,
        fresh,
        aligned,
        float(np.mean([row[:, 1] for row in rows])),
        float(np.mean([row[:, 3] for row in rows]) / np.mean([row[:, 2] for row in rows]) ** 2),
        _diagnosed(good, residual),
    )
    if not good and on_failure == "raise":
        raise ConvergenceError(
            f"learn_alignment: {fresh:.3f} is learned where noise falls, and {aligned:.3f} where it rises; "
            "take more sweeps, or on_failure='return'",
            result=result,
        )
    return result


class _Chain:
    """Neurons of one network, drawn from their prior, and moved."""

    def __init__(
        self,
        neurons: int,
        dimension: int,
        degree: int,
        activation: str,
        patches: int,
        held: bool,
        rng: np.random.Generator | int,
    ) -> None:
        """Check what all have in common."""
        n, d = whole("neurons", neurons), whole("dimension", dimension, low=2, high=_MOST_DIMENSION)
        k, pieces = whole("degree", degree, high=15), whole("patches", patches)
        if k % 2 == 0:
            raise refusal("degree", degree, "must be odd: the error function has no even overlap")
        linear = choice("activation", activation, ("erf", "linear")) == "linear"
        if linear and k > 1:
            raise refusal("degree", degree, "must be 1 for a linear network")
        if pieces > 1 and not linear:
            raise refusal("patches", patches, "belong to a linear network")
        held = flag("held", held)
        afford(10.0 * n, "the neurons", "use fewer")
        self._rng = generator(rng)
        self.logs = np.log(np.abs(self._rng.standard_normal(n))) - 0.5 * math.log(d)
        self._directions = 0.0 if held or linear else d - 1.0
        self.across = (
            np.log(self._rng.chisquare(d - 1, n) / d)
            if self._directions
            else np.full(n, math.log1p(-1 / d))
        )
        strength = 1.0
        if not linear:
            odd = math.prod(range(k - 2, 0, -2))
            strength = 4 / math.pi * 2.0 ** (k - 1) * odd**2 / math.factorial(k)
        self._given = (
            float(d),
            self._directions,
            strength,
            0 if linear else k,
            1.0 / (n * float(pieces)),
        )
        r, rest = np.exp(2 * self.logs), np.exp(self.across)
        self.squares = strength * (r if linear else (r / (1 + 2 * rest + 2 * r)) ** k)

    def run(self, level: float, ridge: float, sweeps: int) -> Array:
        """Return the variance of the alignment and the number of large weights, sweep by sweep, after a quarter as many sweeps."""
        found = np.empty((sweeps, 4))
        with np.errstate(over="ignore"):
            walk(
                self.logs,
                self.across,
                self.squares,
                *self._given,
                float(level),
                float(ridge),
                sweeps // 4,
                new_key(self._rng),
                found,
            )
        return found


def _hazard(x: float) -> float:
    return math.exp(-0.5 * x * x - 0.5 * math.log(2 * math.pi) - log_tail(x))


def _affordable(name: str, moves: float) -> None:
    if moves > _MOST_MOVES:
        raise ResourceError(
            f"{name}: {moves:.2g} moves are more than {_MOST_MOVES:.0e}, some quarter of an hour; use fewer neurons or sweeps"
        )


def _diagnosed(good: bool, residual: float) -> Diagnostics:
    return Diagnostics(
        Status.CONVERGED if good else Status.UNDERSAMPLED, residual, 0, "Metropolis moves", residual
    )
