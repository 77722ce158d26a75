"""The learning curve that a measured spectrum predicts."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ...arguments import instance, number, numbers
from ...errors import refusal
from ...solvers._merging import parts_of_octaves, places, power_tail
from ...solvers.linear import ridge as ridge_regression
from ...solvers.spectra import EmpiricalSpectrum
from ._exponents import eigenvalue_bias
from ._records import MeasuredSpectrum

Array = NDArray[np.float64]

MOST_SAMPLES = 1e9
"""Largest number of samples for which the modes beyond those resolved do not matter."""
_OCTAVES = 70  # beyond the last measured mode, one by one or merged; what lies beyond is one level
_SMALLEST = 900  # octaves that an eigenvalue may fall
_STEEPEST = 20.0
_UNLEARNED = 1e-3  # eigenvalue of the last level over that of the last mode before it


def predicted_loss(spectrum: MeasuredSpectrum, samples: ArrayLike, *, ridge: float = 0.0) -> Array:
    r"""Predict the test loss of kernel regression from a measured spectrum.

    With corrected eigenvalues and the residual R, the loss over the power of the centered labels is

    .. math:: E(P) = \frac{\sum_k v_k \kappa^2/(\lambda_k + \kappa)^2}{1 - \frac1P \sum_k \lambda_k^2/(\lambda_k + \kappa)^2},
              \qquad \sum_k \frac{\lambda_k}{\lambda_k + \kappa} + \frac{rP}{\kappa} = P, \qquad v_k = R(k-1) - R(k)

    Where modes end at a finite rank, what the labels have beyond is noise: it is added to the sum in the numerator.

    Parameters
    ----------
    spectrum : MeasuredSpectrum
        As `continued` reads it: modes of the window and before it as they were measured, those beyond by the fitted power laws.
    samples : array_like
        P, from 1 to 1e9, not necessarily whole.
    ridge : float
        :math:`\mu \ge 0`, added to the diagonal of the Gram matrix of the training points, over its mean diagonal: the predictor
        :math:`k(x)^T (K + \mu \bar K I)^{-1} y`. That is the ridge :math:`r = \mu \sum_k \lambda_k / P` of
        `scalinglaws.solvers.linear.ridge`, which minimizes the *mean* squared error plus r times the squared norm. 0 is the limit of
        interpolation.

    Returns
    -------
    ndarray
        Mean squared error on new points over the power of the centered labels, in the shape of `samples`. Infinite without ridge where
        there are as many samples as modes.

    Raises
    ------
    DomainError
        If an argument is out of range, or the fits cannot be continued: a capacity of at most 1 has an infinite trace.

    Notes
    -----
    Features are taken to be Gaussian, labels to have no noise beyond what the power law of the residual holds. Leading order in
    1/P, see `scalinglaws.solvers.linear.ridge`. For exact power laws the sums to infinity are good to a relative 1e-9, tails included
    (capacities from 1.02 to 8). About 30 microseconds for each P.

    References
    ----------
    .. [1] A. Atanasov, "Simple derivation of scaling law exponents in linear models".
    .. [2] B. Simon, J. Dickens et al., "More is better in modern machine learning", arXiv:2311.14646, eq. (5)-(7).

    Examples
    --------
    An exact power law, known without a sample:

    >>> k = np.arange(1.0, 201)
    >>> shares = (k - 0.5) ** -0.75 - (k + 0.5) ** -0.75
    >>> spectrum = MeasuredSpectrum(np.inf, k**-1.5, 0.5**0.75 * shares, 1.0, 1.5, 0.75, (5, 200), 1.0, 0.5**0.75)
    >>> predicted_loss(spectrum, [100, 1000]).round(5)
    array([0.0426 , 0.00763])
    """
    sizes = numbers("samples", samples, low=1, high=MOST_SAMPLES)
    strength = number("ridge", ridge, low=0.0)
    modes, noise = continued(spectrum)
    trace = float(np.dot(np.asarray(modes.eigenvalues), np.asarray(modes.multiplicities)))
    solution = ridge_regression(
        modes, samples=sizes, ridge=strength * trace / sizes, noise_variance=noise
    )
    return np.asarray(solution.test_loss, dtype=float) + noise


def continued(spectrum: MeasuredSpectrum) -> tuple[EmpiricalSpectrum, float]:
    r"""Continue a measured spectrum by its fitted power laws, to infinity or to its rank.

    .. math::

        \lambda_k &= \frac{\hat\lambda_k}{1 + b_k}, & v_k &= \tilde R(k-1) - \tilde R(k) && (k \le k_1), \\
        \lambda_k &= A k^{-\alpha}, &
        v_k &= B\left[(k - \tfrac12)^{-\alpha\beta} - (k + \tfrac12)^{-\alpha\beta}\right] && (k > k_1)

    with the bias :math:`b_k` of `eigenvalue_bias` and :math:`\tilde R(k) = \hat R(k)/(1 - k/n)`.

    Parameters
    ----------
    spectrum : MeasuredSpectrum
        With the window :math:`(k_0, k_1)` of its fits, amplitudes A and B.

    Returns
    -------
    EmpiricalSpectrum
        Eigenvalues in units of the first one; signals are shares of the power of the labels. Beyond the window, modes are merged into
        levels; all beyond 70 octaves (fewer for steep spectra) are one level of their total variance and signal.
    float
        Share of the labels that no mode has: 0 where there are infinitely many.

    Raises
    ------
    DomainError
        If it is no such spectrum, its window is not covered, or the fits cannot be continued.

    Notes
    -----
    The residual of a sample is not monotone: where :math:`\tilde R` rises, :math:`v_k` would be negative. It is replaced by the mean of
    its two monotone envelopes, the largest falling sequence below it and the smallest above, between 1 and :math:`\tilde R(k_1)`: only
    modes next to a rise change, and the sum of all :math:`v_k` up to :math:`k_1` stays.
    """
    instance("spectrum", spectrum, MeasuredSpectrum)
    last = spectrum.window[1]
    listed = min(np.size(spectrum.eigenvalues), np.size(spectrum.shares))
    if not 1 <= last <= listed:
        raise refusal("spectrum", last, f"has {listed} modes, but its window ends at mode {last}")
    alpha = number("spectrum.capacity", spectrum.capacity)
    if not 1 < alpha <= _STEEPEST:
        raise refusal(
            "spectrum.capacity",
            alpha,
            f"must be above 1, or the trace is infinite, and at most {_STEEPEST:g}",
        )
    decay = number("spectrum.decay", spectrum.decay, low=0.0, strict=True)
    rank = spectrum.rank
    corrected = corrected_eigenvalues(spectrum)[:last]
    if not np.all((corrected > 0) & np.isfinite(corrected)):
        complaint = "has eigenvalues in its window that are not > 0 and finite without their bias"
        raise refusal("spectrum", None, complaint, shown=False)
    unit = corrected[0]
    scale = (
        number("spectrum.eigenvalue_amplitude", spectrum.eigenvalue_amplitude, low=0, strict=True)
        / unit
    )
    amplitude = number("spectrum.residual_amplitude", spectrum.residual_amplitude, low=0)
    shares = learned_shares(spectrum, last)
    if rank <= last:
        return EmpiricalSpectrum(corrected / unit, shares), amplitude * (last + 0.5) ** -decay

    octaves = min(_OCTAVES, math.floor(_SMALLEST / max(alpha, decay + 1)))
    most = min(rank - last, 2.0**octaves)
    beyond, counts = places(most, parts_of_octaves(alpha, decay + 1))
    k, end = last + beyond, last + most
    eigenvalues = np.concatenate([corrected / unit, scale * k**-alpha])
    signals = np.concatenate([shares, counts * amplitude * k**-decay * _halves(k, decay)])
    counts = np.concatenate([np.ones(last), counts])
    rest = amplitude * (end + 0.5) ** -decay
    if math.isfinite(rank):
        return EmpiricalSpectrum(eigenvalues, signals, counts), rest
    # the modes beyond are never learned: only their total variance and total signal matter
    level = _UNLEARNED * end**-alpha
    trace = power_tail(alpha, end + 0.5, math.inf)
    return (
        EmpiricalSpectrum(
            np.append(eigenvalues, scale * level),
            np.append(signals, rest),
            np.append(counts, trace / level),
        ),
        0.0,
    )


def corrected_eigenvalues(spectrum: MeasuredSpectrum) -> Array:
    """Return the eigenvalues without their bias; NaN where that is no small correction, far beyond the window."""
    k = np.arange(1.0, np.size(spectrum.eigenvalues) + 1)
    bias = np.full(k.size, -1.0)
    small = k <= max(spectrum.rank / 2, spectrum.window[1])
    bias[small] = eigenvalue_bias(spectrum.capacity, k[small], spectrum.samples, spectrum.rank)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(bias > -0.9, np.asarray(spectrum.eigenvalues) / (1 + bias), np.nan)


def corrected_residual(spectrum: MeasuredSpectrum) -> Array:
    r"""Return :math:`\tilde R(0) \dots \tilde R(m)`: what labels have outside the first modes, freed of what a fit to a sample gains."""
    shares = np.asarray(spectrum.shares)
    k = np.arange(0.0, shares.size + 1)
    left = 1 - np.concatenate([[0.0], np.cumsum(shares)])
    with np.errstate(divide="ignore", invalid="ignore"):
        residual = left / (1 - k / spectrum.samples)
    return np.where(k < spectrum.samples, residual, 0.0)


def learned_shares(spectrum: MeasuredSpectrum, last: int) -> Array:
    """Return the shares of the labels in modes 1 to `last`, >= 0; their sum is what the corrected residual falls by from 1."""
    residual = corrected_residual(spectrum)[: last + 1]
    k = np.arange(1.0, last + 1)
    before, after = 1 - (k - 1) / spectrum.samples, 1 - k / spectrum.samples
    # R(k - 1) - R(k), without subtracting what is nearly equal where the sample is large
    shares = np.asarray(spectrum.shares)[:last] / before - residual[1:] / (
        spectrum.samples * before
    )
    if np.all(shares >= 0) and np.all(after > 0):
        return shares
    end = min(max(float(residual[-1]), 0.0), 1.0)
    inside = np.clip(residual, end, 1.0)
    inside[0], inside[-1] = 1.0, end
    above = np.maximum.accumulate(inside[::-1])[::-1]
    below = np.minimum.accumulate(inside)
    return -np.diff((above + below) / 2)


def _halves(k: Array, power: float) -> Array:
    """Return (1 - 1/2k)^-power - (1 + 1/2k)^-power without cancellation."""
    half = 0.5 / k
    return np.exp(-power * np.log1p(half)) * np.expm1(power * (np.log1p(half) - np.log1p(-half)))
