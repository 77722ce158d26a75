"""Gradient flow, exactly, one draw at a time."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ....arguments import generator, number, ordered, whole, whole_or_inf
from ....errors import refusal
from ....solvers.spectra import Spectrum, one_spectrum
from .._problems import afford_draw, listed, problems_and_streams, table
from ._records import SimulatedLosses

Array = NDArray[np.float64]


def gradient_flow(
    t: ArrayLike,
    spectrum: Spectrum,
    *,
    features: float = math.inf,
    samples: float = math.inf,
    noise_variance: float = 0.0,
    weight_decay: float = 0.0,
    temperature: float = 0.0,
    noise_draws: int = 1,
    draws: int = 1,
    rng: np.random.Generator | int = 0,
) -> SimulatedLosses:
    r"""Draw random-feature regressions and train them by gradient flow.

    The readout starts at zero and follows the negative gradient of :math:`\frac1{2P}\|y - f\|^2`. With
    :math:`F = A^\top A/N`, the error vector :math:`e = w^* - A^\top v/\sqrt N` obeys

    .. math:: \dot e = -F(\hat\Sigma e + \xi), \qquad \hat\Sigma = \tfrac1P \Psi^\top\Psi, \quad
              \xi = \tfrac{\sigma}{P} \Psi^\top\epsilon, \qquad L(t) = \sum_k \lambda_k e_k(t)^2 .

    Weight decay adds :math:`\frac r2 |v|^2` to what is minimized, and Langevin noise :math:`\sqrt{2T}\,dW` to the flow of v.

    Parameters
    ----------
    t : array_like, shape () or (T,)
        Times, >= 0 and non-decreasing; ``math.inf`` for the end of training (least squares of least norm).
    spectrum : PowerLawSpectrum or EmpiricalSpectrum
        Finite spectrum of M modes, eigenvalues :math:`\lambda_k`.
    features : int or inf
        N >= 1; infinite for a student that sees the features :math:`\psi` themselves (F = 1).
    samples : int or inf
        P >= 1; infinite for the gradient of the population loss (:math:`\hat\Sigma = \mathrm{diag}(\lambda_k)`, no noise).
    noise_variance : float
        :math:`\sigma^2 \ge 0`.
    weight_decay, temperature : float
        r and T, >= 0. Without decay noise has no law that it tends to: the end of training is then refused.
    noise_draws : int
        Runs with Langevin noise of their own for each draw, over whose losses it averages.
    draws : int
        Independent repetitions. Draw i is the same however many are asked for.
    rng : Generator or int
        Source of randomness; each draw takes a stream spawned from it.

    Returns
    -------
    SimulatedLosses
        Test and train loss, shape (draws, T), or (draws,) for a single time. With infinite P the train loss is the test loss
        plus :math:`\sigma^2`.

    Raises
    ------
    DomainError
        If an argument is out of range, times decrease, or the spectrum is infinite.
    ResourceError
        If one draw would need more than the memory budget (``SCALINGLAWS_MEMORY``, 4 GB by default).

    Notes
    -----
    The flow is linear: in the eigenvectors of the smaller Gram matrix of the hidden features (in singular vectors where that
    matrix is close to singular, or P infinite) it is a set of independent exponentials, and nothing is integrated; with noise a
    set of independent Ornstein-Uhlenbeck processes, drawn exactly from each time to the next, the directions that no sample
    fixes included.
    O(P M N + P N min(N, P)) per draw plus O(M min(N, P)) per time, whatever the time. Relative accuracy about 1e-10.
    Singular values below 1e-13 of the largest one count as zero: what lies in these directions is never learned.

    Examples
    --------
    >>> from scalinglaws.solvers import PowerLawSpectrum
    >>> found = gradient_flow([0, 1, 10, float("inf")], PowerLawSpectrum(1.5, 1.0, 50), samples=200, draws=3)
    >>> found.test_loss.shape
    (3, 4)
    >>> found.test_loss[:, -1] < 1e-20
    array([ True,  True,  True])
    """
    one_spectrum(spectrum, t=t)
    eigenvalues, signal = listed(spectrum)
    times = ordered("t", t, single_row=True)
    features_, samples_, draws = (
        whole_or_inf("features", features),
        whole_or_inf("samples", samples),
        whole("draws", draws),
    )
    noise_variance, decay, temperature = (
        number("noise_variance", noise_variance, low=0),
        number("weight_decay", weight_decay, low=0),
        number("temperature", temperature, low=0),
    )
    repeats = whole("noise_draws", noise_draws)
    if temperature > 0 and decay == 0 and times.size and np.isinf(times).any():
        raise refusal("t", math.inf, "has no limit with Langevin noise and without weight decay")
    afford_draw(3 * times.size * min(eigenvalues.size, features, samples))
    losses = table(2, draws, times.size)
    drawn = problems_and_streams(
        generator(rng), draws, eigenvalues, signal, features_, samples_, noise_variance
    )
    row = times.reshape(-1)
    for i, (problem, stream) in enumerate(drawn):
        relaxed = _relaxed(row, problem.rates, decay)
        if temperature == 0:
            losses[:, i] = problem.losses(*relaxed)
            continue
        losses[:, i] = 0.0
        for _ in range(repeats):
            count, free = problem.dimensions
            rates = np.concatenate([problem.rates, np.zeros(free)]) + decay
            heat = _heated(stream, row, rates, temperature)
            found = problem.heated_losses(*relaxed, heat[:count], heat[count:])
            losses[:, i] += np.array(found) / repeats
    return SimulatedLosses(*losses.reshape(2, draws, *times.shape))


def _relaxed(times: Array, rates: Array, decay: float) -> tuple[Array, Array]:
    r"""Return the share of the residual that is left, :math:`1 - x q`, and q, the integral of :math:`e^{-(x + r)t}`.

    Both of shape (rates, times).
    """
    x, end = rates[:, None], np.isinf(times)
    total = x + decay
    learned = total > 0
    finite = np.where(end, 0.0, times)
    with np.errstate(over="ignore", under="ignore"):
        exponent = total * finite
        left = np.exp(-exponent)
        moved = finite * np.where(
            exponent > 0, -np.expm1(-exponent) / np.where(exponent > 0, exponent, 1.0), 1.0
        )
    # in directions of rate zero nothing is learned, however long it takes
    left, moved = (
        np.where(end & learned, 0.0, left),
        np.where(end & learned, 1 / np.where(learned, total, 1.0), moved),
    )
    if decay > 0:
        left = (decay + x * left) / total
    return left, moved


def _heated(rng: np.random.Generator, times: Array, rates: Array, temperature: float) -> Array:
    """Draw independent Ornstein-Uhlenbeck processes that start at zero; shape (rates, times)."""
    found = np.empty((rates.size, times.size))
    here, before = np.zeros(rates.size), 0.0
    for j, time in enumerate(times):
        passed = time - before if time > before else 0.0
        with np.errstate(under="ignore", over="ignore"):
            exponent = np.where(rates > 0, rates, 0.0) * min(passed, 1e300)
            spread = np.where(
                exponent > 0,
                -np.expm1(-2 * exponent) / np.where(rates > 0, rates, 1.0),
                2 * min(passed, 1e300),
            )
            here = np.exp(-exponent) * here
        here = here + np.sqrt(temperature * spread) * rng.standard_normal(rates.size)
        found[:, j], before = here, time
    return found
