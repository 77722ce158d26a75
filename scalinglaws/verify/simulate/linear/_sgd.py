"""One-pass stochastic gradient descent: fresh samples at every step."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ....arguments import generator, number, ordered, whole, whole_or_inf
from ....errors import refusal
from ....solvers._jit import njit
from ....solvers.spectra import Spectrum, one_spectrum
from .._problems import listed, populations, table
from ._records import SimulatedLosses

Array = NDArray[np.float64]

_DIVERGED = 1e140  # amplitudes whose squares are still finite
_NEGLIGIBLE = 1e-160  # amplitudes whose squares are not normal numbers


def online_sgd(
    steps: ArrayLike,
    spectrum: Spectrum,
    *,
    features: float = math.inf,
    batch: int = 1,
    learning_rate: float,
    noise_variance: float = 0.0,
    weight_decay: float = 0.0,
    draws: int = 1,
    rng: np.random.Generator | int = 0,
) -> SimulatedLosses:
    r"""Draw random-feature students and train them by stochastic gradient descent on samples that are never seen again.

    .. math:: v_{n+1} = v_n - \frac{\eta}{B} \sum_{b=1}^B (f_n(\psi_b) - y_b)\, \frac{A\psi_b}{\sqrt N}, \qquad v_0 = 0,

    with B fresh Gaussian samples at every step; the test loss is the population loss :math:`L_n = \sum_k \lambda_k e_k^2` of
    the error vector :math:`e = w^* - A^\top v_n/\sqrt N`.
    With weight decay r, :math:`v_n` on the right is multiplied by :math:`1 - \eta r`.

    Parameters
    ----------
    steps : array_like of int, shape () or (T,)
        Numbers of steps n after which losses are recorded, >= 0 and non-decreasing.
    spectrum : PowerLawSpectrum or EmpiricalSpectrum
        Finite spectrum of M modes, eigenvalues :math:`\lambda_k`.
    features : int or inf
        N >= 1; infinite for a student that sees the features :math:`\psi` themselves.
    batch : int
        B >= 1.
    learning_rate : float
        :math:`\eta > 0`.
    noise_variance : float
        :math:`\sigma^2 \ge 0`.
    weight_decay : float
        :math:`r \ge 0`.
    draws : int
        Independent repetitions. Draw i is the same however many are asked for.
    rng : Generator or int
        Source of randomness; each draw takes a stream spawned from it.

    Returns
    -------
    SimulatedLosses
        Test loss and, as train loss, the expected squared error :math:`L_n + \sigma^2` on the next sample; shape (draws, T), or
        (draws,) for a single number of steps.

    Raises
    ------
    DomainError
        If an argument is out of range, steps decrease, the spectrum is infinite, or the learning rate is so large that the
        losses overflow; the message says at which step.
    ResourceError
        If one draw would need more than the memory budget (``SCALINGLAWS_MEMORY``, 4 GB by default).

    Notes
    -----
    A step uses a sample only through the hidden features :math:`A\psi/\sqrt N` and the label, which are jointly Gaussian. With
    the singular value decomposition :math:`\Sigma^{1/2}A^\top/\sqrt N = W S U^\top` the hidden features are :math:`U S z` with
    independent standard normal z, and the label is the projection of the target on W, times z, plus an independent Gaussian
    that holds the label noise and whatever of the target lies outside the span of the features. Every realization is thus one
    of a diagonal problem in min(N, M) dimensions: O(M N min(N, M)) per draw, O(B min(N, M)) per step, most of it spent on random
    numbers. No average is taken and no equation for moments is used.

    Every draw consumes its own stream on a single thread, so results do not depend on how many threads there are.

    Examples
    --------
    >>> from scalinglaws.solvers import PowerLawSpectrum
    >>> found = online_sgd([0, 10, 100], PowerLawSpectrum(1.5, 1.0, 50), learning_rate=0.1, batch=4, draws=5)
    >>> bool(found.test_loss[:, 2].mean() < found.test_loss[:, 1].mean() < found.test_loss[:, 0].mean())
    True
    """
    one_spectrum(spectrum, steps=steps)
    eigenvalues, signal = listed(spectrum)
    counts = ordered("steps", steps, whole=True, infinite=False, single_row=True).astype(np.int64)
    features_, batch, draws = (
        whole_or_inf("features", features),
        whole("batch", batch),
        whole("draws", draws),
    )
    learning_rate, noise_variance, decay = (
        number("learning_rate", learning_rate, low=0, strict=True),
        number("noise_variance", noise_variance, low=0),
        number("weight_decay", weight_decay, low=0),
    )
    test = table(draws, counts.size)
    drawn = populations(generator(rng), draws, eigenvalues, signal, features_, noise_variance)
    for i, (problem, stream) in enumerate(drawn):
        spread = math.sqrt(problem.floor + noise_variance)
        failed = _train(
            stream,
            counts.reshape(-1),
            problem.rates,
            problem.amplitudes.copy(),
            problem.amplitudes,
            spread,
            learning_rate / batch,
            learning_rate * decay,
            batch,
            test[i],
        )
        if failed >= 0:
            raise refusal(
                "learning_rate",
                learning_rate,
                f"is too large for batch = {batch}: draw {i} diverges and overflows at step {failed}",
            )
        test[i] += problem.floor
    test = test.reshape(draws, *counts.shape)
    return SimulatedLosses(test, test + noise_variance)


@njit
def _train(
    rng: np.random.Generator,
    counts: NDArray[np.int64],
    rates: Array,
    error: Array,
    target: Array,
    spread: float,
    learning_rate: float,
    decay: float,
    batch: int,
    losses: Array,
) -> int:
    """Train one student, overwriting its whitened error; return the step that overflows, or -1."""
    size = rates.size
    sample, gradient = np.empty(size), np.empty(size)
    step = 0
    for record in range(counts.size):
        while step < counts[record]:
            gradient[:] = 0.0
            for _ in range(batch):
                residual = 0.0
                for i in range(size):
                    z = rng.standard_normal()
                    sample[i] = z
                    residual += error[i] * z
                residual += spread * rng.standard_normal()
                for i in range(size):
                    gradient[i] += residual * sample[i]
                if not abs(residual) < _DIVERGED:
                    return step + 1
            for i in range(size):
                error[i] += decay * (target[i] - error[i]) - learning_rate * rates[i] * gradient[i]
                if (
                    abs(error[i]) < _NEGLIGIBLE
                ):  # arithmetic with numbers that are not normal is a hundred times slower
                    error[i] = 0.0
            step += 1
        loss = 0.0
        for i in range(size):
            loss += error[i] * error[i]
        if not loss < np.inf:
            return step
        losses[record] = loss
    return -1
