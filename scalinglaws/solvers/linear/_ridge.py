"""Ridge regression: losses, bias and variance pieces, ensembles."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from ...arguments import Array, Value, broadcast, choice, numbers, shaped
from ...results import PROMISED, Diagnostics, Result, Status, judged
from .._jit import njit
from ..catalogue import shows
from ..equivalents.kappa import (
    MAX_STEPS,
    all_learned,
    filling,
    mismatch,
    renormalized_ridge,
    size_ratio,
)
from ..equivalents.losses import Loss, Losses
from ..spectra import Spectrum, one_spectrum

_ROUNDING = 2e-15


@shows("test_loss", "train_loss", "kappa", "bias")
@dataclass(frozen=True)
class RidgeSolution(Result):
    r"""Losses of random-feature ridge regression, and where they come from.

    All fields have the broadcast shape of the inputs; scalars in, floats out.

    Attributes
    ----------
    features, samples, ridge, noise_variance : float or ndarray
        The inputs N, P, r and :math:`\sigma^2`.
    kappa : float or ndarray
        Renormalized ridge :math:`\kappa`: modes with :math:`\lambda_k > \kappa` are learned.
    degrees_of_freedom : float or ndarray
        :math:`\mathrm{df}_1 = \sum_k \lambda_k / (\lambda_k + \kappa)`.
    degrees_of_freedom_2 : float or ndarray
        :math:`\mathrm{df}_2 = \sum_k \lambda_k^2 / (\lambda_k + \kappa)^2`.
    test_loss, train_loss : float or ndarray
        Mean losses, the train loss without the penalty; at ridge 0 the train loss is 0 up to P = N, where the test loss is infinite.
    bias : float or ndarray
        Squared bias: loss of the predictor averaged over features and samples.
    variance_samples, variance_features, variance_interaction : float or ndarray
        Variance due to the samples alone (label noise included), to the features alone, and to both together; with
        `bias` they add up to `test_loss`.
    diagnostics : Diagnostics
        Residual of the equation for kappa, steps, estimated relative error.
    """

    features: Value
    samples: Value
    ridge: Value
    noise_variance: Value
    kappa: Value
    degrees_of_freedom: Value
    degrees_of_freedom_2: Value
    test_loss: Value
    train_loss: Value
    bias: Value
    variance_samples: Value
    variance_features: Value
    variance_interaction: Value
    diagnostics: Diagnostics

    def shared_loss(self, shared: str) -> Value:
        r"""Return the product of errors of two predictors that share part of their randomness, :math:`E_\times`.

        Parameters
        ----------
        shared : {"samples", "features", "none"}
            What the two have in common; the rest is drawn independently.

        Returns
        -------
        float or ndarray
            Bias plus the variance due to what is shared.
        """
        choice("shared", shared, ("samples", "features", "none"))
        if shared == "samples":
            return self.bias + self.variance_samples
        return self.bias + self.variance_features if shared == "features" else self.bias

    def ensemble(self, members: ArrayLike, *, shared: str = "samples") -> Value:
        r"""Return the test loss of an average of several predictors.

        .. math:: E_K = E_\times + (E - E_\times)/K

        Parameters
        ----------
        members : array_like
            K >= 1, possibly infinite; broadcast against the solution.
        shared : {"samples", "features", "none"}
            What all members have in common.

        Returns
        -------
        float or ndarray
            Test loss.
        """
        count = numbers("members", members, low=1, infinite=True)
        common = np.asarray(self.shared_loss(shared))
        alone = np.asarray(self.test_loss)
        with np.errstate(
            invalid="ignore"
        ):  # infinity shared out among infinitely many members, and infinity minus itself
            loss = np.where(
                common == alone,
                alone,
                common + np.where(np.isinf(count), 0.0, (alone - common) / count),
            )
        return float(loss) if loss.ndim == 0 else loss


def ridge(
    spectrum: Spectrum,
    *misplaced: object,
    features: ArrayLike = math.inf,
    samples: ArrayLike = math.inf,
    ridge: ArrayLike = 0.0,
    noise_variance: ArrayLike = 0.0,
    on_failure: str = "raise",
) -> RidgeSolution:
    r"""Compute the mean test and train loss of random-feature ridge regression.

    The predictor minimizes :math:`\frac1P \|y - f\|^2 + r |v|^2`. The renormalized ridge :math:`\kappa` solves

    .. math:: r = \kappa\, R_1 R_3, \qquad R_1 = 1 - \frac{\mathrm{df}_1}{P}, \quad R_3 = 1 - \frac{\mathrm{df}_1}{N},
              \qquad \mathrm{df}_j = \sum_k \Big(\frac{\lambda_k}{\lambda_k + \kappa}\Big)^j,

    and with :math:`d = \mathrm{df}_1 - \mathrm{df}_2`, :math:`g = 1/(N - \mathrm{df}_2)`,
    :math:`B_1 = \sum_k s_k \kappa^2/(\lambda_k+\kappa)^2`, :math:`B_2 = \sum_k s_k \lambda_k\kappa/(\lambda_k+\kappa)^2`,

    .. math:: E_{test} + \sigma^2 = \frac{\sigma^2 + B_1 + d\,g\,B_2}{1 - \mathrm{df}_2/P - d^2 g/P}, \qquad
              E_{train} = R_1^2\,(E_{test} + \sigma^2).

    Parameters
    ----------
    spectrum : PowerLawSpectrum or EmpiricalSpectrum
        Eigenvalues :math:`\lambda_k` and signal powers :math:`s_k`.
    features, samples : array_like
        N and P, >= 1, not necessarily whole; ``math.inf`` for the limit. All arguments broadcast.
    ridge : array_like
        r >= 0 in the normalization above (mean squared error plus r times the squared norm of the readout v); 0 is
        the limit r -> 0 (interpolation of least norm where P < N), inf the predictor that is zero.
    noise_variance : array_like
        :math:`\sigma^2 \ge 0`, variance of the label noise.
    on_failure : {"raise", "return"}
        What to do if the equation for kappa is not solved to rounding error.

    Returns
    -------
    RidgeSolution
        Losses, kappa, bias and variance pieces, ensembles.

    Raises
    ------
    DomainError
        If an argument is out of range, or needs modes beyond what floating-point numbers hold.
    ConvergenceError
        If the equation for kappa is not solved; the result is attached.

    Notes
    -----
    Features are assumed to be Gaussian, or to act as if they were; see the module.

    With unlimited features this is kernel regression whose Gram matrix gets r P added to its diagonal;
    `scalinglaws.solvers.learnability` takes that number instead, without the 1/P.

    Safeguarded Newton iteration in log kappa on merged modes: about 20 microseconds per element on one core, whatever the
    size of M, N, P. Accurate to about 1e-13 relative to the equations (see ``diagnostics.error_estimate``, and
    `AccuracyWarning` above 1e-8); differences of nearly equal numbers are rewritten as sums of positive terms. The equations are
    the leading order in 1/N and 1/P: the mean over draws exceeds them by a relative c / min(N, P), where direct
    simulation with unlimited features and 24 samples gave c = 0.59(7) at (alpha, beta) = (1.5, 2/3), 2.17(16) at (2.5, 1.2) and
    4.47(29) at (2, 3.25) (``benchmarks/linear.py --bias``). At N = P without ridge the
    test loss is infinite.

    References
    ----------
    .. [1] A. Atanasov, J. A. Zavatone-Veth, C. Pehlevan, "Scaling and renormalization in high-dimensional
       regression", arXiv:2405.00592, sec. V.
    .. [2] B. Simon, J. Dickens et al., "More is better in modern machine learning", arXiv:2311.14646, eq. (5)-(7).

    Examples
    --------
    >>> from scalinglaws.solvers import PowerLawSpectrum
    >>> solution = ridge(PowerLawSpectrum.from_ab(2, 1.5), features=100, samples=400, noise_variance=0.09)
    >>> round(solution.test_loss, 10), round(solution.bias, 10)
    (0.1003272828, 0.0193973786)
    """
    one_spectrum(spectrum, *misplaced)
    checked = {
        "features": numbers("features", features, low=1.0, infinite=True),
        "samples": numbers("samples", samples, low=1.0, infinite=True),
        "ridge": numbers("ridge", ridge, low=0.0, infinite=True),
        "noise_variance": numbers("noise_variance", noise_variance, low=0.0),
    }
    choice("on_failure", on_failure, ("raise", "return"))
    shape, flat = broadcast(checked)

    modes = spectrum.modes(spectrum.depth_for(np.minimum(flat[0], flat[1]), flat[2]))
    table = np.zeros((flat[0].size, _COLUMNS))
    _statics_table(
        modes.eigenvalues,
        modes.multiplicities,
        modes.signal,
        modes.size,
        flat[0],
        flat[1],
        flat[2],
        flat[3],
        table,
    )

    inputs = dict(zip(checked, (shaped(array, shape) for array in flat), strict=True))
    outputs = dict(zip(_OUTPUTS, (shaped(column, shape) for column in table.T), strict=False))
    residual, steps, sensitivity = (
        float(np.max(column, initial=0.0)) for column in table.T[len(_OUTPUTS) :]
    )
    error = 2 * sensitivity
    status = (
        Status.MAX_ITERATIONS
        if steps >= MAX_STEPS
        else Status.LOST_ACCURACY
        if error > PROMISED
        else Status.CONVERGED
    )
    result = RidgeSolution(
        **inputs,
        **outputs,
        diagnostics=Diagnostics(
            status=status,
            residual=residual,
            iterations=int(steps),
            method="safeguarded Newton in log kappa on merged modes",
            error_estimate=error,
        ),
    )
    judged("ridge", result, result.diagnostics, on_failure)
    return result


def ridgeless(
    spectrum: Spectrum,
    features: Array,
    samples: Array,
    noise: Array,
    strength: Array | float = 0.0,
) -> list[Losses]:
    """Return the limits of long training: regression without ridge, or with the one that weight decay is."""
    if features.size == 0:
        return []
    end = ridge(
        spectrum,
        features=features,
        samples=samples,
        ridge=strength,
        noise_variance=noise,
        on_failure="return",
    )
    steps, residual, accuracy = (
        end.diagnostics.iterations,
        end.diagnostics.residual,
        end.diagnostics.error_estimate,
    )

    def known(loss: float) -> Loss:
        return Loss(loss, accuracy * loss if math.isfinite(loss) else 0.0)

    return [
        Losses(known(test), known(train), steps, residual)
        for test, train in zip(np.asarray(end.test_loss), np.asarray(end.train_loss), strict=True)
    ]


# -- kernels ------------------------------------------------------------------------------------------------------------

_OUTPUTS = (
    "kappa",
    "degrees_of_freedom",
    "degrees_of_freedom_2",
    "test_loss",
    "train_loss",
    "bias",
    "variance_samples",
    "variance_features",
    "variance_interaction",
)
_COLUMNS = len(_OUTPUTS) + 3  # residual, steps, sensitivity


@njit
def _statics_table(
    eigenvalues: Array,
    multiplicities: Array,
    signal: Array,
    size: float,
    features: Array,
    samples: Array,
    ridge: Array,
    noise: Array,
    table: Array,
) -> None:
    trace = 0.0
    for k in range(eigenvalues.size):
        trace += multiplicities[k] * eigenvalues[k]
    for i in range(features.size):
        _statics(
            eigenvalues,
            multiplicities,
            signal,
            size,
            trace,
            features[i],
            samples[i],
            ridge[i],
            noise[i],
            table[i],
        )


@njit
def _statics(
    eigenvalues: Array,
    multiplicities: Array,
    signal: Array,
    size: float,
    trace: float,
    features: float,
    samples: float,
    ridge: float,
    noise: float,
    row: Array,
) -> None:
    n, ratio, gap = size_ratio(features, samples)
    if math.isinf(ridge):  # the predictor is zero
        total = 0.0
        for k in range(signal.size):
            total += signal[k]
        row[0], row[3], row[4], row[5] = math.inf, total, total + noise, total
        row[11] = _ROUNDING
        return
    if all_learned(size, n, ridge):
        # only noise that the samples do not average out is left
        share = 0.0 if math.isinf(samples) else size / samples
        unused = 1.0 - share if share < 1.0 - 1e-9 else 0.0
        test = 0.0 if noise == 0.0 or share == 0.0 else noise * share / unused
        row[1], row[2], row[3], row[4], row[6] = size, size, test, noise * unused, test
        row[11] = _ROUNDING / unused if unused > 0.0 else 0.0
        return

    kappa, steps = renormalized_ridge(
        eigenvalues, multiplicities, size, trace, n, ratio, gap, ridge
    )
    df1, df2, d, b1, b2 = 0.0, 0.0, 0.0, 0.0, 0.0
    for k in range(eigenvalues.size):
        inverse = 1.0 / (eigenvalues[k] + kappa)
        low, high = kappa * inverse, eigenvalues[k] * inverse
        df1 += multiplicities[k] * high
        df2 += multiplicities[k] * high * high
        d += multiplicities[k] * high * low
        b1 += signal[k] * low * low
        b2 += signal[k] * high * low

    # 1 - df1/n for the smaller of N and P from kappa's own equation: exact where df1 -> n
    _, scarce, _ = filling(kappa, ratio, gap, ridge)
    ample = gap + ratio * scarce
    r1, r3 = (scarce, ample) if samples <= features else (ample, scarce)

    # With a1 = 1 - df2/P and a3 = 1 - df2/N the denominator of the loss is den / a3; every term
    # below is positive.
    a1, a3 = r1 + d / samples, r3 + d / features
    den = r1 * r3 + r1 * d / features + r3 * d / samples
    lost = (r3 * df2 + df1 * d / features) / samples  # a3 - den
    variance_features = d * b2 / (features * a3)
    variance_samples = (noise + b1) * df2 / (samples * a1)
    test = _over(a3 * b1 + d * b2 / features + noise * lost, den)
    interaction = _over(
        variance_features * lost + (noise + b1) * d * d / (features * samples * a1), den
    )
    row[0], row[1], row[2], row[3] = kappa, df1, df2, test
    row[4] = 0.0 if r1 == 0.0 else r1 * r1 * (test + noise)
    row[5], row[6], row[7], row[8] = b1, variance_samples, variance_features, interaction
    if math.isinf(n):
        residual, slope = 0.0, 1.0
    else:
        residual, slope = mismatch(
            eigenvalues, multiplicities, size, df1, d, n, kappa, ratio, gap, ridge
        )
    row[9], row[10] = abs(residual), steps
    row[11] = _ROUNDING * (1 + abs(math.log(kappa)) / 4) + (abs(residual) + _ROUNDING) / slope


@njit
def _over(numerator: float, denominator: float) -> float:
    return 0.0 if numerator == 0.0 else numerator / denominator
