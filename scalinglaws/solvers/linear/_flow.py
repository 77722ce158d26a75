"""Gradient flow with finite features and samples."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from ...arguments import Value, broadcast, choice, numbers, ordered, refuse_first, shaped
from ...results import Diagnostics, Result, judged
from .._blas import one_thread
from ..catalogue import shows
from ..equivalents.contour import cotangent
from ..equivalents.inversion import CONTOUR, PAIR, pair_losses, population_losses, train_loss
from ..equivalents.losses import (
    ROUNDING,
    UNSOLVED,
    Loss,
    Losses,
    columns,
    judgment,
    solved,
    unlimited,
)
from ..equivalents.rates import remaining
from ..equivalents.response import resolve
from ..spectra import Modes, Spectrum, depth, one_spectrum
from ._ridge import ridgeless
from ._tails import Tails

LONGEST = 1e300
"""Longest finite time: reciprocals must stay normal numbers."""


@shows("test_loss", "train_loss")
@dataclass(frozen=True)
class GradientFlowSolution(Result):
    r"""Losses along gradient flow.

    All fields have the broadcast shape of the inputs; scalars in, floats out.

    Attributes
    ----------
    t, features, samples, noise_variance : float or ndarray
        The inputs t, N, P and :math:`\sigma^2`.
    test_loss, train_loss : float or ndarray
        Mean losses; the train loss contains the label noise, the test loss does not.
    test_error, train_error : float or ndarray
        Estimated absolute errors of the two: truncation, and rounding of everything but the spectrum itself.
    diagnostics : Diagnostics
        Residual of the equation for kappa, Newton steps, and the largest error relative to the loss plus 1e-4 of the train
        loss at t = 0.
    """

    t: Value
    features: Value
    samples: Value
    noise_variance: Value
    test_loss: Value
    train_loss: Value
    test_error: Value
    train_error: Value
    diagnostics: Diagnostics


def gradient_flow(
    t: ArrayLike,
    spectrum: Spectrum,
    *,
    features: ArrayLike = math.inf,
    samples: ArrayLike = math.inf,
    noise_variance: ArrayLike = 0.0,
    on_failure: str = "raise",
) -> GradientFlowSolution:
    r"""Compute the mean test and train loss of the random-feature model along gradient flow from zero.

    The readout v follows :math:`\dot v = -\nabla_v \frac{1}{2P}\|y - f\|^2`. With the renormalized ridge
    :math:`\kappa(s)` of `ridge` at complex :math:`r = s`, and the correlations of dynamical mean-field theory at two Laplace
    variables,

    .. math:: E_{test}(t) = \mathcal L^{-1}_{s \to t} \mathcal L^{-1}_{s' \to t}\, C_0(s, s'), \qquad
              E_{train}(t) = \mathcal L^{-1}_{s \to 2t} \Big[\frac{R_1}{s} \Big(\sum_k \frac{s_k \kappa}{\lambda_k + \kappa}
              + \sigma^2\Big)\Big].

    Parameters
    ----------
    t : array_like
        Time, >= 0, finite up to 1e300 or ``math.inf`` for the limit (ridgeless regression); non-decreasing along its last
        axis. The unit is that of :math:`1/\lambda`: mode k is learned at about :math:`1/\lambda_k`.
    spectrum : PowerLawSpectrum or EmpiricalSpectrum
        Eigenvalues :math:`\lambda_k` and signal powers :math:`s_k`.
    features, samples : array_like
        N and P, >= 1, not necessarily whole; ``math.inf`` for the limit (both infinite: :math:`\sum_k s_k e^{-2\lambda_k t}`).
        All arguments broadcast.
    noise_variance : array_like
        :math:`\sigma^2 \ge 0`, variance of the label noise.
    on_failure : {"raise", "return"}
        What to do if the equation for kappa is not solved.

    Returns
    -------
    GradientFlowSolution
        Losses with their estimated absolute errors.

    Raises
    ------
    DomainError
        If an argument is out of range, times decrease, or modes are needed beyond what floating-point numbers hold.
    ConvergenceError
        If the equation for kappa is not solved on the contour; the result is attached.

    Notes
    -----
    Features are assumed to be Gaussian, or to act as if they were; see the module.

    The difference from unlimited features and samples is inverted on a cotangent contour of 24 nodes, 12 of which need a
    complex kappa, followed from the real axis by Newton's method: 0.6 ms per time for P infinite, 1.5 ms otherwise, whatever
    the size of t, M, N, P. Errors are about 1e-12 of the difference from unlimited resources plus 1e-14 of the train loss at
    t = 0. A loss that falls exponentially (train losses at few samples, test losses where every mode is learned) is inverted
    on a second contour, around the slowest mode, once it is late: to about 1e-11 of itself down to 1e-290, unless a floor
    due to noise lies close above. Without limits on features and samples the sum over modes is accurate to 1e-15 times
    :math:`1 + 2\lambda_k t` of the modes that are left, at most 4e-13. `AccuracyWarning` if an error exceeds 1e-8 of its loss plus
    1e-12 of the train loss at t = 0.
    The equations are the leading order in 1/N and 1/P: relative deviations of the mean over draws are of order
    1/min(N, P).

    References
    ----------
    .. [1] B. Bordelon, A. Atanasov, C. Pehlevan, "A dynamical model of neural scaling laws", arXiv:2402.01092, sec. 3.
    .. [2] J. A. C. Weideman, L. N. Trefethen, "Parabolic and hyperbolic contours for computing the Bromwich integral",
       Math. Comp. 76 (2007) 1341; the cotangent contour is A. Talbot's.

    Examples
    --------
    >>> from scalinglaws.solvers import PowerLawSpectrum
    >>> flow = gradient_flow([10, 1e4], PowerLawSpectrum.from_ab(2, 1.5, 1000), features=100, samples=250, noise_variance=0.09)
    >>> flow.test_loss.round(6), flow.train_loss.round(6)
    (array([0.156953, 0.129812]), array([0.224903, 0.079417]))
    """
    one_spectrum(spectrum, t=t)
    checked = {
        "t": ordered("t", t, whole=False),
        "features": numbers("features", features, low=1.0, infinite=True),
        "samples": numbers("samples", samples, low=1.0, infinite=True),
        "noise_variance": numbers("noise_variance", noise_variance, low=0.0, infinite=False),
    }
    late = np.isfinite(checked["t"]) & (checked["t"] > LONGEST)
    refuse_first("t", checked["t"], late, f"must be at most {LONGEST:g}, or inf for the limit")
    choice("on_failure", on_failure, ("raise", "return"))
    shape, flat = broadcast(checked)
    times, n, p, noise = flat

    with np.errstate(divide="ignore"):
        modes = spectrum.modes(depth("t", spectrum, np.minimum(n, p), 1 / times))
    total = float(np.sum(modes.signal))
    late = np.isinf(times)
    ends = iter(ridgeless(spectrum, n[late], p[late], noise[late]))
    # all rates are below 8 times the trace (largest_eigenvalue at u = 2 trace)
    start = times * 8 * float(modes.multiplicities @ modes.eigenvalues) < 1e-18
    found: list[Losses] = []
    tails = Tails(spectrum, modes)
    for i in range(times.size):
        if late[i]:
            found.append(next(ends))
        elif start[i]:
            found.append(unlimited(Loss(total, ROUNDING * total), noise[i]))
        else:
            losses = _at_one_time(modes, times[i], n[i], p[i], noise[i])
            found.append(tails.improved(losses, times[i], n[i], p[i], noise[i]))

    diagnostics = judgment(
        found,
        total + noise,
        "Newton continuation of kappa on a cotangent contour, merged modes",
    )
    result = GradientFlowSolution(
        **dict(zip(checked, (shaped(array, shape) for array in flat), strict=True)),
        **{name: shaped(array, shape) for name, array in columns(found).items()},
        diagnostics=diagnostics,
    )
    judged("gradient_flow", result, diagnostics, on_failure)
    return result


@one_thread
def _at_one_time(modes: Modes, t: float, features: float, samples: float, noise: float) -> Losses:
    without_limits = remaining(modes.signal, 2 * t * modes.eigenvalues)
    if math.isinf(features) and math.isinf(samples):
        return unlimited(without_limits, noise)
    free = without_limits.value
    z, w = cotangent()
    weights = w / z
    doubled = resolve(modes, features, samples, z / (2 * t))
    if not doubled.found:
        return UNSOLVED
    if math.isinf(samples):
        return solved(*population_losses(modes, doubled, noise, weights, free, CONTOUR), doubled)
    train = train_loss(modes, doubled, noise, weights, free, CONTOUR)
    at = resolve(modes, features, samples, z / t)
    if not at.found:
        return UNSOLVED
    ((test, _),) = pair_losses(modes, at, noise, weights[None, :], np.array([free]), PAIR)
    return solved(test, train, doubled, at)
