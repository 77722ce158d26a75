"""Gradient flow with finite features and samples."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from ...arguments import Array, Value, broadcast, choice, numbers, ordered, refuse_first, shaped
from ...results import Diagnostics, Result, judged
from .._blas import one_thread
from ..catalogue import shows
from ..equivalents.contour import cotangent
from ..equivalents.curves import contours_along
from ..equivalents.inversion import CONTOUR, PAIR, curve_losses
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
from ..equivalents.rates import SMALLEST, remaining
from ..equivalents.response import resolve
from ..spectra import Modes, Spectrum, depth, one_spectrum
from ._decay import (
    Nodes,
    decayed_losses,
    langevin,
    langevin_limits,
    unlimited_langevin,
    unlimited_loss,
)
from ._ridge import ridgeless
from ._tails import Tails

LONGEST = 1e300
"""Longest finite time: reciprocals must stay normal numbers."""


@shows("test_loss", "train_loss", optional=("langevin_test", "langevin_train"))
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
    weight_decay, temperature : float or ndarray
        The inputs r and T.
    langevin_test, langevin_train : float or ndarray
        What noise of temperature T adds to the losses of a single run (of a single sample of the posterior, at t = inf):
        `test_loss` and `train_loss` are those of the mean predictor.
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
    weight_decay: Value = 0.0
    temperature: Value = 0.0
    langevin_test: Value = 0.0
    langevin_train: Value = 0.0


def gradient_flow(
    t: ArrayLike,
    spectrum: Spectrum,
    *,
    features: ArrayLike = math.inf,
    samples: ArrayLike = math.inf,
    noise_variance: ArrayLike = 0.0,
    weight_decay: ArrayLike = 0.0,
    temperature: ArrayLike = 0.0,
    on_failure: str = "raise",
) -> GradientFlowSolution:
    r"""Compute the mean test and train loss of the random-feature model along gradient flow from zero.

    The readout v follows :math:`\dot v = -\nabla_v \frac{1}{2P}\|y - f\|^2`. With the renormalized ridge
    :math:`\kappa(s)` of `ridge` at complex :math:`r = s`, and the correlations of dynamical mean-field theory at two Laplace
    variables,

    .. math:: E_{test}(t) = \mathcal L^{-1}_{s \to t} \mathcal L^{-1}_{s' \to t}\, C_0(s, s'), \qquad
              E_{train}(t) = \mathcal L^{-1}_{s \to 2t} \Big[\frac{R_1}{s} \Big(\sum_k \frac{s_k \kappa}{\lambda_k + \kappa}
              + \sigma^2\Big)\Big].

    Weight decay adds :math:`\frac r2 |v|^2` to what is minimized, and Langevin noise :math:`\sqrt{2T}\,dW` to the flow. Decay
    replaces the transform of the error, for every draw, by :math:`\frac{s + r}{s}` times its value at :math:`s + r` (an exponential
    average of early-stopped training), and the noise adds to the losses of a single run

    .. math:: T\, \mathcal L^{-1}_{s \to 2t} \Big[\frac1s \frac{\mathrm{df}_1}{R_1}\Big|_{\kappa(s + r)}\Big] \quad \text{(test)},
              \qquad T\, \mathcal L^{-1}_{s \to 2t} \Big[\frac1s\, \mathrm{df}_1\Big|_{\kappa(s + r)}\Big] \quad \text{(train)}.

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
    weight_decay : array_like
        :math:`r \ge 0`, normalized as the ridge of `ridge`, which is the limit of long times. With the mean loss
        :math:`\frac{1}{2P} \|y - f\|^2` it is what frameworks call weight decay, :math:`v \leftarrow (1 - \eta r) v`; with a sum over
        samples theirs is P times larger.
    temperature : array_like
        :math:`T \ge 0` of the Langevin noise; at t = inf the runs sample the posterior with label variance P T and prior variance
        T/r of each weight.
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
    complex kappa, followed from the real axis by Newton's method: 0.6 ms for P infinite, 1.5 ms otherwise, whatever the size
    of t, M, N, P. Along a curve of many times they are followed from one time to the next, and modes far too small to be
    learned are merged: 0.15 and 0.3 ms per time. Errors are about 1e-12 of the difference from unlimited resources plus 1e-14
    of the train loss at t = 0. A loss that falls exponentially (train losses at few samples, test losses where every mode is
    learned) is inverted on a second contour, around the slowest mode, once it is late: to about 1e-11 of itself down to
    1e-290, unless a floor due to noise lies close above. Without limits on features and samples the sum over modes is
    accurate to 1e-15 times :math:`1 + 2\lambda_k t` of the modes that are left, at most 4e-13. `AccuracyWarning` if an error
    exceeds 1e-8 of its loss plus 1e-12 of the train loss at t = 0.
    With weight decay each time costs as much as a single one: the weights of the contour stay, kappa is taken at s + r. The
    train loss is then inverted in two ways, of which the smaller error is kept. Errors are about 1e-12 of the loss plus 1e-14
    of the train loss at t = 0, those of
    the Langevin terms about 1e-12 of themselves.
    Without decay the Langevin term of the test loss grows without bound where features outnumber samples; at t = inf it is
    infinite there.
    The equations are the leading order in 1/N and 1/P: relative deviations of the mean over draws are of order
    1/min(N, P).

    References
    ----------
    .. [1] B. Bordelon, A. Atanasov, C. Pehlevan, "A dynamical model of neural scaling laws", arXiv:2402.01092, sec. 3.
    .. [2] J. A. C. Weideman, L. N. Trefethen, "Parabolic and hyperbolic contours for computing the Bromwich integral",
       Math. Comp. 76 (2007) 1341; the cotangent contour is A. Talbot's.
    .. [3] J. Kramp, J. Lindner, M. Helias, "Dynamics of neural scaling laws in random feature regression with
       powerlaw-distributed kernel eigenvalues", arXiv:2602.23039, who treat the same three by other means.

    Examples
    --------
    >>> from scalinglaws.solvers import PowerLawSpectrum
    >>> flow = gradient_flow([10, 1e4], PowerLawSpectrum.from_ab(2, 1.5, 1000), features=100, samples=250, noise_variance=0.09)
    >>> flow.test_loss.round(6), flow.train_loss.round(6)
    (array([0.156953, 0.129812]), array([0.224903, 0.079417]))

    With weight decay training ends at ridge regression:

    >>> task = PowerLawSpectrum.from_ab(2, 1.5, 400)
    >>> arguments = {"features": 60, "samples": 150, "noise_variance": 0.09}
    >>> gradient_flow([10, 300, math.inf], task, weight_decay=0.01, **arguments).test_loss.round(6)
    array([0.183263, 0.110347, 0.110261])
    """
    one_spectrum(spectrum, t=t)
    checked = {
        "t": ordered("t", t, whole=False),
        "features": numbers("features", features, low=1.0, infinite=True),
        "samples": numbers("samples", samples, low=1.0, infinite=True),
        "noise_variance": numbers("noise_variance", noise_variance, low=0.0, infinite=False),
        "weight_decay": numbers("weight_decay", weight_decay, low=0.0, high=LONGEST),
        "temperature": numbers("temperature", temperature, low=0.0, high=LONGEST),
    }
    late = np.isfinite(checked["t"]) & (checked["t"] > LONGEST)
    refuse_first("t", checked["t"], late, f"must be at most {LONGEST:g}, or inf for the limit")
    choice("on_failure", on_failure, ("raise", "return"))
    shape, flat = broadcast(checked)
    times, n, p, noise, decay, warmth = flat

    with np.errstate(divide="ignore"):
        modes = spectrum.modes(depth("t", spectrum, np.minimum(n, p), np.maximum(1 / times, decay)))
    total = float(np.sum(modes.signal))
    trace = float(modes.multiplicities @ modes.eigenvalues)
    late = np.isinf(times)
    ends = iter(ridgeless(spectrum, n[late], p[late], noise[late], decay[late]))
    warm = late & (warmth > 0)
    places = np.flatnonzero(warm).tolist()
    heat = dict(zip(places, langevin_limits(spectrum, n[warm], p[warm], decay[warm]), strict=True))
    # all rates are below 8 times the trace (largest_eigenvalue at u = 2 trace)
    start = times * 8 * trace < 1e-18
    found: list[Losses] = []
    added = np.zeros((3, times.size))
    tails = Tails(spectrum, modes)
    plain = _curves(modes, ~late & ~start & (decay == 0), times, n, p, noise)
    for i in range(times.size):
        if late[i]:
            found.append(next(ends))
        elif start[i]:
            found.append(unlimited(Loss(total, ROUNDING * total), noise[i]))
            heat[i] = (Loss(2 * times[i] * trace, 0.0),) * 2
        else:
            task = (modes, times[i], n[i], p[i], noise[i])
            if decay[i] > 0:
                losses, heat[i] = _decayed(*task, decay[i], warmth[i] > 0)
                found.append(losses)
            else:
                found.append(tails.improved(plain[i], *task[1:]))
                if warmth[i] > 0:
                    heat[i] = _decayed(*task, 0.0, True)[1]
        if warmth[i] > 0:
            added[:, i] = _heated(warmth[i], heat[i])

    diagnostics = judgment(
        found,
        total + noise,
        "Newton continuation of kappa on a cotangent contour, merged modes",
        other=float(np.max(added[2], initial=0.0)),
    )
    result = GradientFlowSolution(
        **dict(zip(checked, (shaped(array, shape) for array in flat), strict=True)),
        **{name: shaped(array, shape) for name, array in columns(found).items()},
        diagnostics=diagnostics,
        langevin_test=shaped(added[0], shape),
        langevin_train=shaped(added[1], shape),
    )
    judged("gradient_flow", result, diagnostics, on_failure)
    return result


_COLD = (Loss(0.0, 0.0), Loss(0.0, 0.0))


def _heated(temperature: float, heat: tuple[Loss, Loss]) -> tuple[float, float, float]:
    """Return what noise of a temperature adds to test and train loss, and the larger relative error."""
    test, train = heat
    relative = [
        loss.error / max(loss.value, SMALLEST) if math.isfinite(loss.value) else 0.0
        for loss in heat
        if not math.isnan(loss.value)
    ]
    return temperature * test.value, temperature * train.value, max(relative, default=0.0)


@one_thread
def _decayed(
    modes: Modes,
    t: float,
    features: float,
    samples: float,
    noise: float,
    decay: float,
    warm: bool,
) -> tuple[Losses, tuple[Loss, Loss]]:
    """Return losses with weight decay, and what Langevin noise of unit temperature adds to them."""
    if math.isinf(features) and math.isinf(samples):
        heat = (unlimited_langevin(modes, decay, t),) * 2 if warm else _COLD
        return unlimited(_alone(modes, t, decay), noise), heat
    z, w = cotangent()
    weights, nodes = w / z, []
    for s in (z / (2 * t), z / t):
        at = resolve(modes, features, samples, s + decay)
        if not at.found:
            return UNSOLVED, (UNSOLVED.test, UNSOLVED.train)
        nodes.append(Nodes(weights, at, s))
    doubled, once = nodes
    heat = langevin(modes, doubled, CONTOUR) if warm else _COLD
    ((test, train),) = decayed_losses(
        modes, decay, noise, [_alone(modes, t, decay)], [doubled], [once], (CONTOUR, PAIR)
    )
    return solved(test, train, doubled.at, once.at), heat


def _alone(modes: Modes, t: float, decay: float) -> Loss:
    """Return the loss for unlimited features and samples."""
    exponents = (modes.eigenvalues + decay) * t
    with np.errstate(under="ignore"):
        left = np.exp(-exponents)
        return unlimited_loss(modes, decay, left, 2 * ROUNDING * left * (1 + exponents))


@one_thread
def _curves(
    modes: Modes, wanted: Array, times: Array, features: Array, samples: Array, noise: Array
) -> dict[int, Losses]:
    """Return losses without weight decay, by the number of the element: elements of equal sizes together, in the order of times."""
    found: dict[int, Losses] = {}
    places = np.flatnonzero(wanted)
    if places.size == 0:
        return found
    places = places[np.lexsort((times[places], samples[places], features[places]))]
    sizes = np.stack([features[places], samples[places]])
    starts = 1 + np.flatnonzero(np.any(sizes[:, 1:] != sizes[:, :-1], axis=0))
    for curve in np.split(places, starts):
        n, p = float(features[curve[0]]), float(samples[curve[0]])
        losses = _at_times(modes, times[curve], n, p, noise[curve])
        found.update(zip(curve.tolist(), losses, strict=True))
    return found


def _at_times(
    modes: Modes, times: Array, features: float, samples: float, noise: Array
) -> list[Losses]:
    """Return losses at non-decreasing times."""
    if math.isinf(features) and math.isinf(samples):
        exponents = (2 * t * modes.eigenvalues for t in times.tolist())
        losses = [remaining(modes.signal, exponent) for exponent in exponents]
        return [unlimited(*each) for each in zip(losses, noise.tolist(), strict=True)]
    z, w = cotangent()
    scaled = [z / 2] if math.isinf(samples) else [z / 2, z]
    found = []
    for part in contours_along(modes, features, samples, times, scaled):
        doubled, at = part.stacks[0], part.stacks[1] if len(scaled) > 1 else None
        noises, some = noise[part.places], 2 * times[part.places]
        with np.errstate(over="ignore", under="ignore"):
            free = np.exp(-np.multiply.outer(some, modes.eigenvalues)) @ modes.signal
        tests, trains = curve_losses(part.modes, doubled, at, noises, w / z, free, (CONTOUR, PAIR))
        found += [
            Losses(Loss(max(test, 0.0), error), Loss(max(train, 0.0), more), steps, residual)
            if math.isfinite(residual)
            else UNSOLVED
            for test, error, train, more, steps, residual in zip(
                *tests.tolist(),
                *trains.tolist(),
                part.steps.tolist(),
                part.residuals.tolist(),
                strict=True,
            )
        ]
    return found
