"""The effective ridge of kernel regression, and what is learned at it."""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from ...arguments import Array, Value, broadcast, choice, numbers, refuse_first, shaped
from ...errors import AccuracyWarning
from ...results import Diagnostics, Result, Status, judged
from .._jit import njit
from .._samples import SMALLEST_EIGENVALUE
from ..catalogue import shows
from ..linear import RidgeSolution
from ..linear import ridge as linear_ridge
from ..spectra import EmpiricalSpectrum, Modes, Spectrum, one_spectrum
from ._spectrum import listed_eigenvalues, with_eigenvalues

_FEW = 1e-17  # samples below which nothing is learned, to rounding
_SMALLEST_RIDGE = 1e-300  # over the samples, unless it is 0
_SEVERITY = (Status.CONVERGED, Status.LOST_ACCURACY, Status.MAX_ITERATIONS)


@shows("kappa", "fluctuation")
@dataclass(frozen=True)
class EffectiveRidge(Result):
    r"""The effective ridge of kernel regression, and what is learned at it.

    `samples`, `ridge`, `kappa` and `fluctuation` have the broadcast shape of the arguments; scalars in, floats out.

    Attributes
    ----------
    spectrum : PowerLawSpectrum or EmpiricalSpectrum
        The kernel's spectrum.
    samples, ridge : float or ndarray
        P and :math:`\sigma^2`, the ridge that is added to the Gram matrix.
    kappa : float or ndarray
        Effective ridge :math:`\kappa`.
    fluctuation : float or ndarray
        :math:`\gamma`, the sum of squared learnabilities over P, between 0 and 1: test losses exceed the squared bias by a factor
        :math:`1 / (1 - \gamma)`.
    diagnostics : Diagnostics
        Residual of the equation for kappa, steps, estimated relative error.
    """

    spectrum: Spectrum
    samples: Value
    ridge: Value
    kappa: Value
    fluctuation: Value
    diagnostics: Diagnostics

    @property
    def learnability(self) -> Array:
        r"""Learnability :math:`\mathcal L_k` of all modes, in the order given, as the last axis; the spectrum must be finite."""
        kappa = np.asarray(self.kappa)
        return self._learned(listed_eigenvalues(self.spectrum, kappa.size, "learnabilities"), kappa)

    def learnability_of(self, eigenvalue: ArrayLike) -> Value:
        r"""Compute the learnability of a mode, whether or not it is listed.

        .. math:: \mathcal L = \frac{P\lambda}{\kappa + P\lambda}

        Parameters
        ----------
        eigenvalue : array_like
            :math:`\lambda > 0`; broadcast against the result.

        Returns
        -------
        float or ndarray
            Between 0 and 1.

        Raises
        ------
        DomainError
            If it is out of range, or shapes do not fit.

        Examples
        --------
        >>> found = effective_ridge([1.0, 0.5, 0.25], samples=4, ridge=0.1)
        >>> found.learnability.round(6), round(found.learnability_of(0.5), 6)
        (array([0.933826, 0.875866, 0.779147]), 0.875866)
        """
        checked = {
            "eigenvalue": numbers("eigenvalue", eigenvalue, low=SMALLEST_EIGENVALUE, strict=True),
            "kappa": np.asarray(self.kappa),
            "samples": np.asarray(self.samples),
        }
        shape, (values, kappa, samples) = broadcast(checked)
        return shaped(learned_share(values, per_sample(kappa, samples)), shape)

    def _learned(self, eigenvalues: Array, kappa: Array) -> Array:
        ratio = per_sample(kappa, np.asarray(self.samples))
        return learned_share(eigenvalues, np.asarray(ratio)[..., None])


@shows("learnability", "test_loss", "kappa", "fluctuation")
@dataclass(frozen=True)
class LearningCurve(Result):
    r"""How much of a target kernel regression learns.

    All fields but the last have the broadcast shape of the arguments; scalars in, floats out.

    Attributes
    ----------
    samples, ridge, noise_variance, unlearnable : float or ndarray
        As given.
    kappa : float or ndarray
        Effective ridge :math:`\kappa`.
    learnability : float or ndarray
        Of the target as a whole, :math:`\mathcal L = \langle \bar f, y\rangle/\langle y, y\rangle`.
    test_loss : float or ndarray
        Mean squared error against the target without its noise.
    fluctuation : float or ndarray
        :math:`\gamma`, the sum of squared learnabilities of modes over P.
    diagnostics : Diagnostics
        Residual of the equation for kappa, steps, estimated relative error.
    """

    samples: Value
    ridge: Value
    noise_variance: Value
    unlearnable: Value
    kappa: Value
    learnability: Value
    test_loss: Value
    fluctuation: Value
    diagnostics: Diagnostics


def effective_ridge(
    spectrum: Spectrum | ArrayLike,
    *,
    samples: ArrayLike,
    ridge: ArrayLike,
    on_failure: str = "raise",
) -> EffectiveRidge:
    r"""Compute the effective ridge of a kernel, and by it how much of each mode is learned from so many samples.

    The predictor is :math:`\bar f(x) = K(x, D)\,[K(D, D) + \sigma^2]^{-1} y_D`, or the mean of a Gaussian process whose prior is the
    kernel. On average over data sets,

    .. math:: \kappa = \sigma^2 + \sum_k \frac{\lambda_k\kappa}{\kappa + P\lambda_k}, \qquad
              \mathcal L_k = \frac{P\lambda_k}{\kappa + P\lambda_k}, \qquad \gamma = \frac1P \sum_k \mathcal L_k^2 .

    Here the ridge is added to the Gram matrix, with no 1/P: :math:`\kappa` is P times the
    `scalinglaws.solvers.linear.effective_ridge` of the ridge :math:`\sigma^2/P`, whose predictor minimizes the mean squared error
    plus a penalty.

    Parameters
    ----------
    spectrum : PowerLawSpectrum, EmpiricalSpectrum or array_like, shape (n,)
        Eigenvalues :math:`\lambda_k > 0` of the kernel; ``EmpiricalSpectrum.from_gram`` reads them off a Gram matrix.
    samples : array_like
        P >= 0, not necessarily whole; with none nothing is learned.
    ridge : array_like
        :math:`\sigma^2 \ge 0`, ``math.inf`` for the limit; broadcast against `samples`.
    on_failure : {"raise", "return"}
        What to do if the equation is not solved to rounding error.

    Returns
    -------
    EffectiveRidge
        ``kappa``, ``learnability`` of every mode and ``learnability_of`` any eigenvalue, ``fluctuation``.

    Raises
    ------
    DomainError
        If an argument is out of range, or needs modes beyond what floating-point numbers hold.
    ConvergenceError
        If the equation is not solved; the result is attached.

    Notes
    -----
    The features are taken to act as if they were Gaussian, and the equation is the leading order at many samples; it describes
    30 digits (handwritten) to a few percent. Without ridge, as many samples as modes make kappa 0 and every learnability 1.

    Solved by `scalinglaws.solvers.linear.ridge`: 20 microseconds an element for a power law of any size, one pass over the modes a
    step for others. Accurate to about 1e-13 (see ``diagnostics.error_estimate``).

    References
    ----------
    .. [1] J. B. Simon, M. Dickens, D. Karkada, M. R. DeWeese, "The eigenlearning framework", arXiv:2110.03922.
    .. [2] A. Canatar, B. Bordelon, C. Pehlevan, "Spectral bias and task-model alignment explain generalization in kernel
       regression and infinitely wide neural networks", Nat. Commun. 12 (2021) 2914.

    Examples
    --------
    >>> found = effective_ridge(np.arange(1, 401.0) ** -2, samples=20, ridge=0.05)
    >>> round(found.kappa, 9), found.learnability[[0, 9]].round(9)
    (0.199340601, array([0.99013133, 0.50082561]))
    """
    given = with_eigenvalues(spectrum)
    checked = {
        "samples": numbers("samples", samples, low=0.0),
        "ridge": numbers("ridge", ridge, low=0.0, infinite=True),
    }
    choice("on_failure", on_failure, ("raise", "return"))
    shape, flat = broadcast(checked)
    p, r = flat
    solved = _solve(given, p, r, np.zeros(p.size), shape)
    result = EffectiveRidge(
        spectrum=given,
        samples=shaped(p, shape),
        ridge=shaped(r, shape),
        kappa=shaped(solved.kappa, shape),
        fluctuation=shaped(solved.fluctuation, shape),
        diagnostics=solved.diagnostics,
    )
    judged("effective_ridge", result, result.diagnostics, on_failure)
    return result


def learning_curve(
    spectrum: Spectrum,
    *,
    samples: ArrayLike,
    ridge: ArrayLike,
    noise_variance: ArrayLike = 0.0,
    unlearnable: ArrayLike = 0.0,
    on_failure: str = "raise",
) -> LearningCurve:
    r"""Compute how much of a target kernel regression learns, and its test loss.

    With :math:`\kappa`, :math:`\mathcal L_k` and :math:`\gamma` of `effective_ridge`, and the power :math:`y_k^2` of the target in
    each mode,

    .. math:: \mathcal L = \frac{\sum_k y_k^2 \mathcal L_k}{\sum_k y_k^2}, \qquad
              \mathrm{MSE} = \frac{\sum_k (1 - \mathcal L_k)^2 y_k^2 + \gamma\,\sigma_{label}^2}{1 - \gamma} .

    The target may have power outside of all modes, of which nothing is learned: it counts in both sums with
    :math:`\mathcal L_k = 0`.

    Parameters
    ----------
    spectrum : PowerLawSpectrum or EmpiricalSpectrum
        Eigenvalues :math:`\lambda_k` and signal :math:`s_k = y_k^2`; ``EmpiricalSpectrum.from_gram`` reads both off a Gram matrix
        and a target.
    samples : array_like
        P >= 0, not necessarily whole. All arguments broadcast.
    ridge : array_like
        :math:`\sigma^2 \ge 0`, added to the Gram matrix with no 1/P; ``math.inf`` for the limit.
    noise_variance : array_like
        :math:`\sigma_{label}^2 \ge 0` of noise in the labels.
    unlearnable : array_like
        Power of the target outside of all modes, >= 0.
    on_failure : {"raise", "return"}
        What to do if the equation for kappa is not solved to rounding error.

    Returns
    -------
    LearningCurve
        Learnability, test loss, kappa.

    Raises
    ------
    DomainError
        If an argument is out of range, the target has no power at all, or modes are needed beyond what floating-point numbers hold.
    ConvergenceError
        If the equation is not solved; the result is attached.

    Notes
    -----
    Assumptions and cost as of `effective_ridge`. Learnabilities are accurate to 1e-13; test losses too, unless the fluctuation is
    so close to 1 that they diverge. Without ridge the loss of noisy labels is infinite where samples and modes are as many.

    References
    ----------
    .. [1] A. Canatar, B. Bordelon, C. Pehlevan, "Spectral bias and task-model alignment explain generalization in kernel
       regression and infinitely wide neural networks", Nat. Commun. 12 (2021) 2914.

    Examples
    --------
    >>> from scalinglaws.solvers import PowerLawSpectrum
    >>> curve = learning_curve(PowerLawSpectrum(2, 0.5), samples=[0, 10, 100], ridge=0.1)
    >>> curve.learnability.round(6), curve.test_loss.round(6)
    (array([0.      , 0.823042, 0.961998]), array([1.644934, 0.237909, 0.03908 ]))
    """
    one_spectrum(spectrum)
    checked = {
        "samples": numbers("samples", samples, low=0.0),
        "ridge": numbers("ridge", ridge, low=0.0, infinite=True),
        "noise_variance": numbers("noise_variance", noise_variance, low=0.0),
        "unlearnable": numbers("unlearnable", unlearnable, low=0.0),
    }
    choice("on_failure", on_failure, ("raise", "return"))
    shape, flat = broadcast(checked)
    p, r, noise, rest = flat
    # what no mode holds acts as noise, and is missing from the predictor
    solved = _solve(spectrum, p, r, noise + rest, shape)
    total = float(np.sum(solved.modes.signal)) + rest
    refuse_first(
        "unlearnable", rest, total == 0, "leaves a target without power: its signal is 0", shape
    )
    learned = np.empty(p.size)
    _learned_power(
        solved.modes.eigenvalues, solved.modes.signal, per_sample(solved.kappa, p), learned
    )
    inputs = {name: shaped(array, shape) for name, array in zip(checked, flat, strict=True)}
    result = LearningCurve(
        **inputs,
        kappa=shaped(solved.kappa, shape),
        learnability=shaped(learned / total, shape),
        test_loss=shaped(solved.test_loss + rest, shape),
        fluctuation=shaped(solved.fluctuation, shape),
        diagnostics=solved.diagnostics,
    )
    judged("learning_curve", result, result.diagnostics, on_failure)
    return result


def per_sample(kappa: Array, samples: Array) -> Array:
    """Return kappa / P, which is infinite without samples."""
    with np.errstate(divide="ignore", over="ignore"):
        return np.asarray(kappa / samples)


def learned_share(eigenvalues: Array, ratio: Array) -> Array:
    """Return the learnability of modes at some kappa / P."""
    with np.errstate(over="ignore"):
        return np.asarray(1 / (1 + ratio / eigenvalues))


@dataclass(frozen=True)
class _Solved:
    """What follows from the equation, element by element."""

    modes: Modes
    kappa: Array
    fluctuation: Array
    test_loss: Array
    diagnostics: Diagnostics


def _solve(
    spectrum: Spectrum, samples: Array, ridge: Array, noise: Array, shape: tuple[int, ...]
) -> _Solved:
    """Solve the equation for checked arrays of one length."""
    one = samples >= 1
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        rate = np.where(samples > 0, ridge / samples, 0.0)
    refuse_first(
        "ridge",
        ridge,
        (ridge > 0) & (samples >= _FEW) & (rate < _SMALLEST_RIDGE),
        f"over the samples must be 0 or at least {_SMALLEST_RIDGE:g}",
        shape,
    )
    modes = spectrum.modes(spectrum.depth_for(np.where(one, samples, 1.0), np.where(one, rate, 0)))
    kappa, fluctuation, loss = (np.empty(samples.size) for _ in range(3))
    diagnostics = []
    for part in [one, *_few(samples)]:
        if not part.any():
            continue
        p = samples[part]
        own = spectrum
        if not one[part].all():
            # P samples of m modes of a kind are as one sample of m/P: only ratios count
            own = EmpiricalSpectrum(modes.eigenvalues, modes.signal, modes.multiplicities / p[0])
        found = _ridge(own, np.where(one[part], p, 1.0), rate[part], noise[part])
        counted = np.asarray(found.samples)
        kappa[part] = p * found.kappa
        fluctuation[part] = found.degrees_of_freedom_2 / counted
        loss[part] = found.test_loss
        diagnostics.append(found.diagnostics)
    none = samples < _FEW
    if none.any():  # kappa to first order in P
        squares = float(modes.multiplicities @ modes.eigenvalues**2)
        kappa[none] = ridge[none] + float(modes.multiplicities @ modes.eigenvalues)
        fluctuation[none] = samples[none] * squares / kappa[none] ** 2
        loss[none] = float(np.sum(modes.signal))
    return _Solved(modes, kappa, fluctuation, loss, _worst(diagnostics))


def _few(samples: Array) -> list[Array]:
    """Return which elements have the same number of samples, for all numbers below one that count."""
    few = np.unique(samples[(samples >= _FEW) & (samples < 1)])
    return [samples == each for each in few]


def _ridge(spectrum: Spectrum, samples: Array, ridge: Array, noise: Array) -> RidgeSolution:
    with warnings.catch_warnings():  # the caller is warned once, in the end
        warnings.simplefilter("ignore", AccuracyWarning)
        return linear_ridge(
            spectrum, samples=samples, ridge=ridge, noise_variance=noise, on_failure="return"
        )


def _worst(found: list[Diagnostics]) -> Diagnostics:
    """Join the diagnostics of several calls."""
    if not found:
        return Diagnostics(Status.CONVERGED, 0.0, 0, "nothing is learned without samples", 0.0)
    return Diagnostics(
        max((each.status for each in found), key=_SEVERITY.index),
        max(each.residual for each in found),
        max(each.iterations for each in found),
        found[0].method,
        max(each.error_estimate for each in found),
    )


# -- kernels ------------------------------------------------------------------------------------------------------------


@njit
def _learned_power(eigenvalues: Array, signal: Array, ratio: Array, learned: Array) -> None:
    """Sum the power that is learned, for each kappa / P."""
    for i in range(ratio.size):
        total = 0.0
        for k in range(eigenvalues.size):
            total += signal[k] / (1.0 + ratio[i] / eigenvalues[k])
        learned[i] = total
