r"""The last mode that data determine: where the flow of the ridge stops mattering."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from ...arguments import MOST_EXACT, Array, Value, broadcast, numbers, refuse_first, shaped
from ...errors import refusal
from ...results import PROMISED, Diagnostics, Result, Status, judged
from .._eigenvalues import spectrum_of
from .._samples import SMALLEST_EIGENVALUE
from ..catalogue import shows
from ..spectra import PowerLawSpectrum, Spectrum
from ._integrated_modes import beyond, exponent

_STEPS = 200
_SURE = (
    -math.log(SMALLEST_EIGENVALUE) - 10.0
)  # fall of a logarithm that leaves eigenvalues a number
_LISTED = 2**20  # modes of a power law that are gone through one by one
_ACCURACY = 4e-15


@shows("cutoff", "running_ridge")
@dataclass(frozen=True)
class InfraredScale(Result):
    r"""The mode at which what data say of it equals the ridge there.

    All fields but `diagnostics` have the broadcast shape of the arguments; scalars in, floats out.

    Attributes
    ----------
    samples, ridge : float or ndarray
        P and :math:`\sigma^2`.
    cutoff : float or ndarray
        :math:`\Lambda_*`, of a spectrum a whole number: how many modes are above the scale.
    running_ridge : float or ndarray
        :math:`\sigma^2_{\Lambda_*} = \sigma^2 + \sum_{k > \Lambda_*} \lambda_k`.
    diagnostics : Diagnostics
        Residual of the equation, steps.
    """

    samples: Value
    ridge: Value
    cutoff: Value
    running_ridge: Value
    diagnostics: Diagnostics


def infrared_scale(
    spectrum: Spectrum | ArrayLike, *, samples: ArrayLike, ridge: ArrayLike = 0.0
) -> InfraredScale:
    r"""Compute the infrared scale: the mode number down to which a kernel can be cut off.

    .. math:: P \lambda_{\Lambda_*} = \sigma^2_{\Lambda_*} = \sigma^2 + \sum_{k > \Lambda_*} \lambda_k

    For :math:`\lambda_k = k^{-1-\alpha}` with sums as integrals this is :math:`P = \Lambda_*/\alpha + \sigma^2\Lambda_*^{1+\alpha}`:
    :math:`\Lambda_* = \alpha P` without a ridge, :math:`\Lambda_* = (P/\sigma^2)^{1/(1+\alpha)}` where the ridge dominates. Modes far
    below the scale are learned, those far beyond act as white noise; a target that is typical of the prior has an error
    of the order of :math:`\Lambda_*^{-\alpha}`, with a prefactor that this does not tell.

    Parameters
    ----------
    spectrum : PowerLawSpectrum, EmpiricalSpectrum, array_like or float
        A number is :math:`\alpha > 0` of :math:`\lambda_k = k^{-1-\alpha}`, with the mode number continuous; eigenvalues, or a
        spectrum (of which `PowerLawSpectrum` calls the whole exponent alpha), are gone through mode by mode.
    samples : array_like
        P, >= 1. Arguments but the spectrum broadcast.
    ridge : array_like
        :math:`\sigma^2 \ge 0`, added to the Gram matrix, without 1/P.

    Returns
    -------
    InfraredScale
        :math:`\Lambda_*` and the ridge there. Of a spectrum, how many leading modes have
        :math:`P\lambda_k \ge \sigma^2_k` before the first that does not.

    Raises
    ------
    DomainError
        If an argument is out of range, or a spectrum's modes were merged by a quadrature rule.

    Notes
    -----
    The continuous equation by Newton's method to about 1e-14, 0.3 microseconds an element; the modes of a long
    power law by bisection, 30 ms an element, of others one by one.

    References
    ----------
    .. [1] Z. Ringel et al., "Applications of statistical field theory in deep learning", arXiv:2502.18553.

    Examples
    --------
    >>> infrared_scale(0.5, samples=[100, 1e6]).cutoff
    array([5.e+01, 5.e+05])
    >>> infrared_scale(0.5, samples=1e8, ridge=1.0).cutoff / 1e8 ** (1 / 1.5)  # doctest: +ELLIPSIS
    0.99...
    """
    checked = {
        "samples": numbers("samples", samples, low=1.0),
        "ridge": numbers("ridge", ridge, low=0.0),
    }
    shape, (p, sigma2) = broadcast(checked)
    alpha = exponent("spectrum", spectrum)
    if alpha is not None:
        with np.errstate(over="ignore"):
            cutoffs, residual, steps = _continuous(alpha, p, sigma2)
        complaint = "are so many that the scale leaves the range of floating-point numbers"
        refuse_first("samples", p, np.isinf(cutoffs), complaint, shape)
        running = sigma2 + cutoffs**-alpha / alpha
        method = "Newton's method in the logarithm of the cutoff"
    else:
        chosen = spectrum_of("spectrum", spectrum)
        cutoffs = np.array([_counted(chosen, *pair) for pair in zip(p, sigma2, strict=True)])
        running = sigma2 + beyond(chosen, cutoffs, 0.0)
        residual, steps, method = 0.0, 0, "search through the modes"
    result = InfraredScale(
        samples=shaped(p, shape),
        ridge=shaped(sigma2, shape),
        cutoff=shaped(cutoffs, shape),
        running_ridge=shaped(running, shape),
        diagnostics=Diagnostics(
            status=Status.CONVERGED if residual < PROMISED else Status.MAX_ITERATIONS,
            residual=residual,
            iterations=steps,
            method=method,
            error_estimate=max(_ACCURACY, residual),
        ),
    )
    judged("infrared_scale", result, result.diagnostics)
    return result


def _continuous(alpha: float, p: Array, sigma2: Array) -> tuple[Array, float, int]:
    """Solve for the logarithm of the cutoff: a convex function with slopes from 1 to 1 + alpha, from above."""
    from scipy.special import expit

    target = np.log(p)
    with np.errstate(divide="ignore"):
        log_ridge = np.log(sigma2)
    x = np.minimum(math.log(alpha) + target, (target - log_ridge) / (1 + alpha))
    for step in range(1, _STEPS + 1):
        modes, noise = x - math.log(alpha), log_ridge + (1 + alpha) * x
        excess = np.logaddexp(modes, noise) - target
        slope = 1 + alpha * expit(noise - modes)
        x = x - excess / slope
        residual = float(np.max(np.abs(excess) / (1 + np.abs(target)), initial=0.0))
        if residual <= 1e-15:
            return np.exp(x), residual, step
    return np.exp(x), residual, _STEPS


def _counted(spectrum: Spectrum, samples: float, ridge: float) -> float:
    if isinstance(spectrum, PowerLawSpectrum) and spectrum.size > _LISTED:
        return _first_of_power_law(spectrum, samples, ridge)
    return _first_of_levels(spectrum, samples, ridge)


def _first_of_levels(spectrum: Spectrum, samples: float, ridge: float) -> float:
    """Count the modes before the first one that data do not determine; within a level the first has most modes beyond it."""
    if isinstance(spectrum, PowerLawSpectrum):
        eigenvalues, counts = spectrum.explicit()[0], np.ones(int(spectrum.size))
    else:
        modes = spectrum.modes()
        order = np.argsort(-modes.eigenvalues, kind="stable")
        eigenvalues, counts = modes.eigenvalues[order], modes.multiplicities[order]
        merged = counts != np.floor(counts)
        complaint = "stands for modes that were merged; list the eigenvalues one by one"
        refuse_first("spectrum", counts, merged, complaint)
    variances = eigenvalues * counts
    after = np.append(np.cumsum(variances[:0:-1])[::-1], 0.0)
    lost = samples * eigenvalues < ridge + (counts - 1) * eigenvalues + after
    return float(np.sum(counts[: int(np.argmax(lost))])) if np.any(lost) else float(np.sum(counts))


def _first_of_power_law(spectrum: PowerLawSpectrum, samples: float, ridge: float) -> float:
    """Bisect between the first mode and the one of which data tell least, before the end of a finite spectrum."""
    size, alpha = spectrum.size, spectrum.alpha

    def lost(k: float) -> bool:
        if not (k < MOST_EXACT and alpha * math.log(k + 1) < -math.log(SMALLEST_EIGENVALUE)):
            complaint = (
                f"puts the scale beyond mode {k:g}, among numbers that are not told apart or eigenvalues below "
                f"{SMALLEST_EIGENVALUE:g}; a number for the spectrum is taken with the mode number continuous"
            )
            raise refusal("samples", samples, complaint)
        rest = ridge + float(beyond(spectrum, np.array([k]), 0.0)[0])
        return bool(samples * k**-alpha < rest)

    if lost(1.0):
        return 0.0
    kept, step = 1.0, 1.0
    worst = size if math.isinf(size) else float(math.floor(size * _worst_share(alpha - 1)))
    guess = min(_guess(alpha, samples, ridge), worst)
    if guess > 1.0 and not lost(guess):
        kept = guess
    elif guess > 1.0:  # down, in steps that double
        high = guess
        while high - step > 1.0 and lost(high - step):
            high, step = high - step, 2 * step
        kept = max(high - step, 1.0)
    high = kept + step
    while not lost(min(high, worst)):
        if high >= worst:
            return size
        step *= 2
        kept, high = high, high + step
    high = min(high, worst)
    while high - kept > 1 and high > math.nextafter(kept, math.inf):
        middle = float(math.floor((kept + high) / 2))
        kept, high = (kept, middle) if lost(middle) else (middle, high)
    return kept


def _guess(alpha: float, samples: float, ridge: float) -> float:
    """Return the scale of an infinite spectrum with the mode number continuous; 1 where it is among numbers that are not told apart."""
    if not alpha > 1:
        return 1.0
    with np.errstate(over="ignore"):
        found = float(_continuous(alpha - 1, np.array([samples]), np.array([ridge]))[0][0])
    told_apart = found < MOST_EXACT / 4 and alpha * math.log(found + 1) < _SURE
    return max(float(math.floor(found)), 1.0) if told_apart else 1.0


def _worst_share(alpha: float) -> float:
    """Return where k (1 - (k/M)^alpha)/alpha is largest, as a share of M."""
    return math.exp(-math.log1p(alpha) / alpha) if alpha != 0 else math.exp(-1)
