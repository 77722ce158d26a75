"""Gradient descent with momentum on a fixed sample, step by step."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ....arguments import flag, generator, number, ordered, whole, whole_or_inf
from ....errors import refusal
from ....solvers._jit import njit
from ....solvers.spectra import Spectrum, one_spectrum
from .._problems import afford_draw, listed, problems, table
from ._records import SimulatedLosses

Array = NDArray[np.float64]

_DIVERGED = 1e140  # amplitudes whose squares are still finite
_NEGLIGIBLE = 1e-200  # amplitudes whose squares are zero


def gradient_descent(
    steps: ArrayLike,
    spectrum: Spectrum,
    *,
    features: float = math.inf,
    samples: float = math.inf,
    learning_rate: float,
    momentum: float = 0.0,
    noise_variance: float = 0.0,
    weight_decay: float = 0.0,
    decoupled: bool = False,
    draws: int = 1,
    rng: np.random.Generator | int = 0,
) -> SimulatedLosses:
    r"""Draw random-feature regressions and train them by gradient descent, with momentum if wanted.

    .. math:: v_{n+1} = v_n - \eta\, \nabla_v \tfrac1{2P}\|y - f_n\|^2 + \mu\, (v_n - v_{n-1}), \qquad v_{-1} = v_0 = 0,

    with :math:`f = N^{-1/2}\, v\cdot A\psi` on P fixed samples; the test loss is :math:`L_n = \sum_k \lambda_k e_k^2` of the
    error vector :math:`e = w^* - A^\top v_n/\sqrt N`.

    Parameters
    ----------
    steps : array_like of int, shape () or (T,)
        Numbers of steps n after which losses are recorded, >= 0 and non-decreasing.
    spectrum : PowerLawSpectrum or EmpiricalSpectrum
        Finite spectrum of M modes, eigenvalues :math:`\lambda_k`.
    features : int or inf
        N >= 1; infinite for a student that sees the features :math:`\psi` themselves.
    samples : int or inf
        P >= 1; infinite for the gradient of the population loss.
    learning_rate : float
        :math:`\eta > 0`. The iteration is stable for :math:`\eta x < 2 (1 + \mu)` at the largest eigenvalue x of the Hessian.
    momentum : float
        :math:`0 \le \mu < 1`.
    noise_variance : float
        :math:`\sigma^2 \ge 0`.
    weight_decay : float
        :math:`r \ge 0`; adds :math:`r v_n` to the gradient.
    decoupled : bool
        Whether the decay acts on the weights instead, :math:`v \leftarrow (1 - \eta r) v - \eta m` with the buffer
        :math:`m \leftarrow \mu m + \nabla`.
    draws : int
        Independent repetitions. Draw i is the same however many are asked for, and the one that `gradient_flow` makes.
    rng : Generator or int
        Source of randomness; each draw takes a stream spawned from it.

    Returns
    -------
    SimulatedLosses
        Test and train loss, shape (draws, T), or (draws,) for a single number of steps. With infinite P the train loss is the
        test loss plus :math:`\sigma^2`.

    Raises
    ------
    DomainError
        If an argument is out of range, steps decrease, the spectrum is infinite, or the learning rate is so large that the
        losses overflow; the message says at which step.
    ResourceError
        If one draw would need more than the memory budget (``SCALINGLAWS_MEMORY``, 4 GB by default).

    Notes
    -----
    The iteration is carried out in the basis of the Hessian's eigenvectors, in which it is the same iteration, mode by mode:
    O(P M N + P N min(N, P)) per draw, O(min(N, P)) per step and O(M min(N, P)) per recorded step.

    Examples
    --------
    >>> from scalinglaws.solvers import PowerLawSpectrum
    >>> spectrum = PowerLawSpectrum(1.5, 1.0, 50)
    >>> slow, fast = (gradient_descent(1000, spectrum, learning_rate=0.5, momentum=mu).test_loss for mu in (0, 0.9))
    >>> fast < slow
    array([ True])
    """
    one_spectrum(spectrum, steps=steps)
    eigenvalues, signal = listed(spectrum)
    counts = ordered("steps", steps, whole=True, infinite=False, single_row=True).astype(np.int64)
    features_, samples_, draws = (
        whole_or_inf("features", features),
        whole_or_inf("samples", samples),
        whole("draws", draws),
    )
    learning_rate, noise_variance, decay = (
        number("learning_rate", learning_rate, low=0, strict=True),
        number("noise_variance", noise_variance, low=0),
        number("weight_decay", weight_decay, low=0),
    )
    flag("decoupled", decoupled)
    if not 0 <= number("momentum", momentum) < 1:
        raise refusal("momentum", momentum, "must be >= 0 and < 1")
    afford_draw(3 * counts.size * min(eigenvalues.size, features, samples))
    losses = table(2, draws, counts.size)
    drawn = problems(
        generator(rng), draws, eigenvalues, signal, features_, samples_, noise_variance
    )
    for i, problem in enumerate(drawn):
        left, moved = np.empty((2, counts.size, problem.rates.size))
        state = np.repeat([[1.0], [1.0], [0.0], [0.0]], problem.rates.size, axis=1)
        steepest = int(np.argmax(problem.rates))
        failed = _descend(
            counts.reshape(-1),
            problem.rates,
            steepest,
            learning_rate,
            float(momentum),
            learning_rate * decay,
            decoupled,
            state,
            left,
            moved,
        )
        if failed >= 0:
            own = (1 + momentum) * decay if decoupled and momentum > 0 else decay
            bound = 2 * (1 + momentum) / (float(problem.rates.max()) + own)
            raise refusal(
                "learning_rate",
                learning_rate,
                f"is too large: draw {i} diverges and overflows at step {failed}; this draw is stable "
                f"below {bound:.4g}",
            )
        losses[:, i] = problem.losses(left.T, moved.T)
    return SimulatedLosses(*losses.reshape(2, draws, *counts.shape))


@njit
def _descend(
    counts: NDArray[np.int64],
    rates: Array,
    steepest: int,
    learning_rate: float,
    momentum: float,
    decay: float,
    decoupled: bool,
    state: Array,
    left: Array,
    moved: Array,
) -> int:
    """Iterate the residual p of every mode and its sum q over steps times the learning rate; record both in `left` and `moved`.

    The state holds p, the p before, q and the q before; the step at which the iteration overflows is returned, or -1.
    """
    step = 0
    for record in range(counts.size):
        while step < counts[record]:
            for i in range(rates.size):
                p, q = state[0, i], state[2, i]
                gradient = learning_rate * p
                lag, lost = momentum * (q - state[3, i]), decay * q
                if decoupled:
                    lag += momentum * decay * state[3, i]
                gradient -= lost
                p_next = p - rates[i] * gradient
                if decay > 0.0:
                    p_next -= rates[i] * lag
                else:  # what is left may become much smaller than 1
                    p_next += momentum * (p - state[1, i])
                if (
                    abs(p_next) < _NEGLIGIBLE
                ):  # arithmetic with numbers that are not normal is a hundred times slower
                    p_next = 0.0
                state[0, i] = p_next
                state[1, i] = p
                state[2, i] = q + gradient + lag
                state[3, i] = q
            step += 1
            # no mode grows faster than the steepest one
            if not abs(state[0, steepest]) < _DIVERGED:
                return step
        for i in range(rates.size):
            left[record, i] = state[0, i]
            moved[record, i] = state[2, i]
    return -1
