r"""Gradient flow of one network whose kernel is a multiple of the one at the start plus a single product.

Where the readout starts at zero, both layers are followed at the price of one vector: in units in which N disappears and in
coordinates in which the kernel at the start is diagonal with eigenvalues x, the function b that the network has learned obeys

.. math:: \dot b = s\,g + \frac{\gamma\,(b\cdot g)}{s}\,b, \qquad g_j = \delta_j - x_j b_j, \qquad s(s - 1) = \gamma\,|b|^2 .
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ....arguments import generator, number, whole, whole_or_inf
from ....errors import ConvergenceError, ResourceError
from ....solvers._jit import njit
from ....solvers.spectra import Spectrum, one_spectrum
from .._problems import afford_draw, listed, problems, table
from ._flow import amplitudes_of, finite_times
from ._records import SimulatedTraining

Array = NDArray[np.float64]

_MOST_STAGES = 4000  # of a step: more would only lengthen steps that accuracy limits anyway
_MOST_WORK = 1e11  # evaluations of one mode in one draw: some minutes
_LOWEST = 1e-12  # share of the loss at the start below which errors need not shrink with it
_STUCK, _TOO_LONG = 1, 2


def rank_one_flow(
    t: ArrayLike,
    spectrum: Spectrum,
    *,
    features: float = math.inf,
    richness: float,
    samples: float = math.inf,
    noise_variance: float = 0.0,
    draws: int = 1,
    rng: np.random.Generator | int = 0,
    tolerance: float = 1e-6,
) -> SimulatedTraining:
    r"""Draw projected linear networks and train both of their layers by gradient flow, for long times and many modes.

    The networks are those of `gradient_flow`, draw by draw. Because the readout starts at zero, :math:`AA^\top - \gamma ww^\top`
    never changes in coordinates in which it starts as N times the identity, and the kernel is at all times

    .. math:: K = S_0^{1/2}\Big[s + \frac{\gamma}{s}\, b\,b^\top\Big] S_0^{1/2}, \qquad
              \dot v^0 = -K \hat\Lambda v^0, \qquad w^* - v^0 = S_0^{1/2} b, \qquad s(s - 1) = \gamma |b|^2,

    with :math:`S_0 = A_0^\top A_0/N`, :math:`\hat\Lambda = \frac1P\Psi^\top\Psi` and :math:`L = \sum_k \lambda_k (v^0_k)^2`. With
    unlimited features :math:`S_0 = 1`, which is also the limit of `network_flow` at infinite width.

    Parameters
    ----------
    t : array_like, shape () or (T,)
        Times, finite, >= 0 and non-decreasing, in units of learning rate times steps.
    spectrum : PowerLawSpectrum or EmpiricalSpectrum
        Finite spectrum of M modes, eigenvalues :math:`\lambda_k`. What an infinite one would add is the signal of modes that are
        not learned yet, as long as :math:`\lambda_M \int s\,dt \ll 1`.
    features : int or inf
        N >= 1; infinite for :math:`S_0 = 1`.
    richness : float
        :math:`\gamma \ge 0`, the learning rate of A over that of w; 0 for features that stay as they are.
    samples : int or inf
        P >= 1, the same ones all along; infinite for :math:`\hat\Lambda = \mathrm{diag}(\lambda_k)`.
    noise_variance : float
        :math:`\sigma^2 \ge 0`, of the labels.
    draws : int
        Independent repetitions. Draw i is the same however many are asked for, and it is the one that `gradient_flow` makes.
    rng : Generator or int
        Source of randomness; each draw takes a stream spawned from it.
    tolerance : float
        Error that a step may make, relative to the length of b, and to the square root of the training loss down to 1e-6 of
        its start; between 1e-9 and 1e-2.

    Returns
    -------
    SimulatedTraining
        Test and train loss and the kernel scale :math:`s = 1 + \gamma|w|^2/N`, shape (draws, T), or (draws,) for a single
        time. With infinite P the train loss is the test loss plus :math:`\sigma^2`.

    Raises
    ------
    DomainError
        If an argument is out of range, times decrease or are infinite, or the spectrum is infinite.
    ResourceError
        If one draw would need more than the memory budget (``SCALINGLAWS_MEMORY``, 4 GB by default), or some minutes.
    ConvergenceError
        If steps become too small for double precision.

    Notes
    -----
    Explicit steps of Runge-Kutta-Chebyshev type, of order 2, with as many stages as stability needs: a step of length h takes
    :math:`\sqrt{3 h s x_1}` stages of O(r) operations, r = min(N, M, P), where :math:`x_1` is the largest eigenvalue. A thousand
    times longer is thus thirty times as expensive. At r = 10000, :math:`\gamma` = 1, t = 1000 and the tolerance 1e-6 one draw takes
    0.1 seconds. Measured over 90 runs up to t = 50 and :math:`\gamma` = 30: with a tolerance :math:`\epsilon`, losses are off by less than
    :math:`5\epsilon^{2/3}` of themselves, s by less than :math:`\epsilon^{2/3}`.

    References
    ----------
    .. [1] B. Bordelon, A. Atanasov, C. Pehlevan, "How feature learning can improve neural scaling laws", arXiv:2409.17858.
    .. [2] B. P. Sommeijer, L. F. Shampine, J. G. Verwer, "RKC: an explicit solver for parabolic PDEs", Journal of Computational
       and Applied Mathematics 88 (1998) 315.

    Examples
    --------
    >>> from scalinglaws.solvers import PowerLawSpectrum
    >>> from scalinglaws.verify.simulate.feature_learning import gradient_flow
    >>> spectrum = PowerLawSpectrum(1.5, 0.5, 40)
    >>> long, short = (run(10.0, spectrum, features=20, richness=1) for run in (gradient_flow, rank_one_flow))
    >>> bool(abs(short.test_loss[0] / long.test_loss[0] - 1) < 1e-4)
    True
    """
    one_spectrum(spectrum, t=t)
    eigenvalues, signal = listed(spectrum)
    times = finite_times(t)
    features_, samples_, draws = (
        whole_or_inf("features", features),
        whole_or_inf("samples", samples),
        whole("draws", draws),
    )
    richness, noise_variance = (
        number("richness", richness, low=0),
        number("noise_variance", noise_variance, low=0),
    )
    tolerance = number("tolerance", tolerance, low=1e-9, high=1e-2)
    rank = min(eigenvalues.size, features, samples)
    afford_draw(8.0 * rank + 3.0 * times.size * rank)
    found = table(3, draws, times.size)
    drawn = problems(
        generator(rng), draws, eigenvalues, signal, features_, samples_, noise_variance
    )
    for i, problem in enumerate(drawn):
        learned, scales = _flow(
            times.reshape(-1), problem.rates, amplitudes_of(problem), richness, tolerance
        )
        found[:2, i] = problem.losses_of(learned)
        found[2, i] = scales
    return SimulatedTraining(*found.reshape(3, draws, *times.shape))


def _flow(
    times: Array, rates: Array, amplitudes: Array, richness: float, tolerance: float
) -> tuple[Array, Array]:
    """Return b at all times, shape (r, T), and the scale of the kernel, shape (T,)."""
    seen = rates > 0
    learned, scales = np.zeros((rates.size, times.size)), np.ones(times.size)
    size = float(np.linalg.norm(amplitudes[seen]))
    if size == 0 or not np.any(seen):  # nothing to learn, or nothing to learn it with
        return learned, scales
    x = np.ascontiguousarray(rates[seen])
    drive = np.sqrt(x) * amplitudes[seen] / size  # in units of the target
    states = np.zeros((times.size, x.size))
    most = int(_MOST_WORK / x.size)
    with np.errstate(all="ignore"):
        bending = float(np.float64(richness) * size**2)
        outcome, reached = _advance(times, x, drive, bending, tolerance, most, states, scales)
    if outcome == _TOO_LONG:
        raise ResourceError(
            f"integration was given up at t = {reached:.3g}: it takes too many steps; end earlier, or lower the richness"
        )
    if outcome == _STUCK:
        raise ConvergenceError(
            f"steps became too small to move on at t = {reached:.3g}; lower the richness, or rescale the target"
        )
    learned[seen] = size * states.T
    return learned, scales


@njit
def _sums(x: Array, drive: Array, y: Array) -> tuple[float, float]:
    """Return b.b and b.g."""
    square, work = 0.0, 0.0
    for j in range(y.size):
        square += y[j] * y[j]
        work += y[j] * (drive[j] - x[j] * y[j])
    return square, work


@njit
def _field(x: Array, drive: Array, richness: float, y: Array, out: Array) -> float:
    """Evaluate the right-hand side; return the scale of the kernel."""
    square, work = _sums(x, drive, y)
    scale: float = 0.5 * (1.0 + np.sqrt(1.0 + 4.0 * richness * square))
    along = richness * work / scale
    for j in range(y.size):
        out[j] = scale * (drive[j] - x[j] * y[j]) + along * y[j]
    return scale


@njit
def _stages(
    h: float,
    count: int,
    x: Array,
    drive: Array,
    richness: float,
    start: Array,
    slope: Array,
    older: Array,
    newer: Array,
) -> None:
    """Take one step with this many stages; the result is left in `newer`."""
    damped = 1.0 + 2.0 / 13.0 / (count * count)
    # Chebyshev polynomials with two derivatives, up to the last one
    t0, t1, d0, d1, e0, e1 = 1.0, damped, 0.0, 1.0, 0.0, 0.0
    for _ in range(2, count + 1):
        t0, t1, d0, d1, e0, e1 = (
            t1,
            2.0 * damped * t1 - t0,
            d1,
            2.0 * damped * d1 - d0 + 2.0 * t1,
            e1,
            2.0 * damped * e1 - e0 + 4.0 * d1,
        )
    pace = d1 / e1
    t0, t1, d0, d1, e0, e1 = 1.0, damped, 0.0, 1.0, 0.0, 0.0
    b_old = 1.0 / (4.0 * damped * damped)  # that of the second stage
    b_new = 1.0 / damped
    a_new = 1.0 - b_new * damped
    square, work = 0.0, 0.0
    for j in range(start.size):
        older[j] = start[j]
        newer[j] = start[j] + b_new * pace * h * slope[j]
        square += newer[j] * newer[j]
        work += newer[j] * (drive[j] - x[j] * newer[j])
    for _ in range(2, count + 1):
        t0, t1, d0, d1, e0, e1 = (
            t1,
            2.0 * damped * t1 - t0,
            d1,
            2.0 * damped * d1 - d0 + 2.0 * t1,
            e1,
            2.0 * damped * e1 - e0 + 4.0 * d1,
        )
        b = e1 / (d1 * d1)
        mu, nu, step = 2.0 * b * damped / b_new, -b / b_old, 2.0 * b * pace / b_new * h
        first = -a_new * step
        b_old, b_new, a_new = b_new, b, 1.0 - b * t1
        scale = 0.5 * (1.0 + np.sqrt(1.0 + 4.0 * richness * square))
        rest, along, pull = 1.0 - mu - nu, mu + step * richness * work / scale, step * scale
        square, work = 0.0, 0.0
        for j in range(start.size):
            value = (
                rest * start[j]
                + along * newer[j]
                + nu * older[j]
                + pull * (drive[j] - x[j] * newer[j])
                + first * slope[j]
            )
            older[j] = newer[j]
            newer[j] = value
            square += value * value
            work += value * (drive[j] - x[j] * value)


@njit
def _error(
    h: float, x: Array, drive: Array, start: Array, slope: Array, end: Array, after: Array
) -> float:
    """Measure the error of a step, relative to what was learned and to what is left."""
    off, moved, square, left = 0.0, 0.0, 0.0, 0.0
    for j in range(start.size):
        amiss = 0.8 * (start[j] - end[j]) + 0.4 * h * (slope[j] + after[j])
        gap = drive[j] - x[j] * end[j]
        off += amiss * amiss
        moved += x[j] * amiss * amiss
        square += end[j] * end[j]
        left += gap * gap / x[j]
    worst: float = np.sqrt(max(off / square, moved / (left + _LOWEST)))
    return worst


@njit
def _advance(
    times: Array,
    x: Array,
    drive: Array,
    richness: float,
    tolerance: float,
    most: int,
    states: Array,
    scales: Array,
) -> tuple[int, float]:
    """Integrate from 0 through all times; return how it went and the time reached."""
    fast = np.max(x)
    now, taken = 0.0, 0
    start, slope = np.zeros(x.size), np.zeros(x.size)
    end, older, after = np.zeros(x.size), np.zeros(x.size), np.zeros(x.size)
    scale = _field(x, drive, richness, start, slope)
    force = 0.0
    for j in range(x.size):
        force += slope[j] * slope[j]
    step = 0.01 / (fast + np.sqrt(richness * force))
    for record in range(times.size):
        while now < times[record]:
            landing = step >= times[record] - now
            h = times[record] - now if landing else step
            if now + h == now:
                return 1, now
            # the kernel's largest eigenvalue is at most 2s - 1 of the first one's
            count = max(2, 1 + int(np.sqrt(1.0 + 1.7 * h * (2.0 * scale - 1.0) * fast)))
            if count > _MOST_STAGES:
                h *= (_MOST_STAGES / count) ** 2 * 0.9
                landing = False
                step = h
                count = _MOST_STAGES
            taken += count
            # even the longest steps, with the kernel as it is, could be too many
            ahead = 1.7 * (times[-1] - now) * (2.0 * scale - 1.0) * fast / _MOST_STAGES
            if taken + ahead > most:
                return 2, now
            _stages(h, count, x, drive, richness, start, slope, older, end)
            reached = _field(x, drive, richness, end, after)
            error = _error(h, x, drive, start, slope, end, after) / tolerance
            change = 0.8 * (error + 1e-9) ** (-1.0 / 3.0)
            if not error < 1.0:  # not a number where a far too long step has overflowed
                step = h * max(0.2, change) if error < np.inf else 0.2 * h
                continue
            # a step shortened to land on a time says nothing against the longer one
            step = max(step, h * min(3.0, change)) if landing else h * min(3.0, change)
            now = times[record] if landing else now + h
            scale = reached
            start, end = end, start
            slope, after = after, slope
        states[record] = start
        scales[record] = scale
    return 0, now
