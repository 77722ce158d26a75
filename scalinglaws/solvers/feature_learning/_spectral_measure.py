r"""What the flow sees of a kernel: its eigenvalues and the target's power in each, exactly or by a contour around them.

With finite features or samples the lazy kernel has a continuous spectrum. Sums over it of functions that are analytic in the
right half plane, such as :math:`e_x(\tau)^2`, equal integrals along a closed contour around it, on which the transform of the
lazy train loss, :math:`z\hat C(z)` of the linear model, gives the weights:

.. math:: \int \mu(dx) f(x) = \frac{1}{2\pi i} \oint z \hat C(z)\, f(-z)\, d\log z \simeq \mathrm{Re} \sum_j \mu_j f(x_j).

The contour is the image of a straight line under the map of a strip onto the first quadrant without the support, so that
the trapezoid rule converges geometrically, at a rate that depends on the logarithm of the ratio of the largest and smallest
rate only. Nothing is fitted. The same nodes serve the test loss under reuse, as pairs. What lies at x = 0, the target's
power out of reach, is left outside of the contour.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from ...arguments import Array
from ...equality import by_value
from ...reprs import short_repr
from ..equivalents.kappa import ComplexArray
from ..equivalents.response import inverse, pair_transform, resolve, train_transform
from ..equivalents.spectral_sums import effective_ridge
from ..spectra import Modes, Spectrum
from ._balance import log_growth
from ._integrator import Spectral

PER_DECADE = 12  # nodes of the contour: an error of exp(-pi^2/2 * 12/log 10) = 7e-12
FROZEN = 1e-4  # of 1/tau, below which eigenvalues are merged: an error of its square
SLOWEST = 1e-10  # of 1/tau, how far a spectrum without gap is followed
FARTHEST = 1e-60  # of the largest rate, the same
TRUNCATION = 2e-11  # error of sums over the contour, relative to the loss at the start


@short_repr
@dataclass(frozen=True)
@by_value
class Measure:
    """Rates x_j with weights mu_j, real or complex, and the power `floor` at rate 0; `error` is that of the start loss."""

    rates: Spectral
    weights: Spectral
    floor: float
    error: float
    pairs: ComplexArray | None = None
    gap: bool = True
    steps: int = 0
    residual: float = 0.0

    @property
    def start(self) -> float:
        """Return the loss at the start."""
        return self.floor + float(np.sum(np.real(self.weights)))

    @property
    def reach(self) -> float:
        """Sum of mu/x, which bounds the scale."""
        return float(np.sum(np.real(self.weights / self.rates)))

    def test_loss(self, rest: Spectral, scale: Array) -> Array:
        """Return the test loss under reuse, from what is left of each mode, one row per time."""
        unlearned = (1 / np.sqrt(scale))[:, None]
        upper = np.concatenate([rest if self.gap else rest - unlearned, unlearned], axis=1)
        both = np.concatenate([upper, upper.conj()], axis=1)
        return np.asarray(scale * np.sum(((upper @ self.pairs) * both).real, axis=1))


def of_modes(modes: Modes, slowest: float) -> Measure:
    """Return the measure of unlimited features and samples; eigenvalues far below `slowest` = 1/tau become one."""
    late = modes.eigenvalues < FROZEN * slowest
    if np.count_nonzero(late) < 2:
        # copies can be written to: for the read-only arrays of a spectrum kernels would be compiled once more
        return Measure(modes.eigenvalues.copy(), modes.signal.copy(), 0.0, 0.0)
    signal = modes.signal[late]
    power = float(np.sum(signal))
    if power == 0.0:
        return Measure(modes.eigenvalues[~late], modes.signal[~late], 0.0, 0.0)
    mean = float((signal / power) @ modes.eigenvalues[late])
    return Measure(
        np.append(modes.eigenvalues[~late], mean), np.append(modes.signal[~late], power), 0.0, 0.0
    )


def horizon(modes: Modes, richness: float, t: float, depth: float = 1.0) -> float:
    """Estimate the warped time at time t from above."""
    power = float(np.sum(modes.signal))
    latest = min(max(crude_horizon(power, richness, t, depth), 1e-290), 1e290)
    tau = np.geomspace(min(latest, t, 1e-3 * shortest(modes, richness, depth)), latest, 400)
    scales = _scales(modes, richness, tau, depth)
    time = tau[0] + np.cumsum(np.append(0.0, np.diff(tau) / scales[1:]))
    return min(10 * float(tau[min(int(np.searchsorted(time, t)), tau.size - 1)]), latest)


def horizon_of_scale(modes: Modes, richness: float, scale: float) -> float:
    """Estimate the warped time at which the scale is reached from above."""
    tau = np.geomspace(1e-3 * shortest(modes, richness), 1 / float(np.min(modes.eigenvalues)), 2000)
    return 100 * float(
        tau[min(int(np.searchsorted(_scales(modes, richness, tau), scale)), tau.size - 1)]
    )


def shortest(modes: Modes, richness: float, depth: float = 1.0) -> float:
    """Return the shortest scale of the warped time."""
    drive = depth * richness * float(modes.signal @ modes.eigenvalues)
    return 1 / max(float(np.max(modes.eigenvalues)), math.sqrt(drive))


def _scales(modes: Modes, richness: float, tau: Array, depth: float = 1.0) -> Array:
    """Estimate the scale at warped times from above, taking modes as learned where x tau > 1."""
    order = np.argsort(-modes.eigenvalues)
    x, mu = modes.eigenvalues[order], modes.signal[order]
    learned = np.concatenate([[0.0], np.cumsum(mu / x)])
    slow = np.concatenate([np.cumsum((mu * x)[::-1])[::-1], [0.0]])
    count = np.searchsorted(-x, -1 / tau)
    with np.errstate(over="ignore"):
        weighed = richness * (learned[count] + tau * slow[count] * tau)
        if depth == 1.0:  # s (s - 1) = richness sum mu/x
            return np.asarray(0.5 + np.sqrt(0.25 + weighed))
        return np.asarray(np.exp(depth * log_growth(weighed, depth)))


def crude_horizon(power: float, richness: float, t: float, depth: float = 1.0) -> float:
    """Bound the warped time at time t: sigma grows at a rate of at most half of its richness times the power."""
    if depth == 1.0:
        return t * (1 + 0.25 * richness * power * t)
    grown = 0.5 * richness * power * t
    if grown == 0.0:
        return t
    most = min((depth + 1) * math.log1p(grown), 690.0)  # of an exponent
    return t * math.expm1(most) / ((depth + 1) * grown)


def of_kernel(
    spectrum: Spectrum, features: float, samples: float, slowest: float, *, pairs: bool
) -> Measure:
    """Return the measure of the lazy kernel with finite features or samples: a contour down to its gap, or far below `slowest` = 1/tau.

    With `pairs`, a last node stands for what is never learned: the transform at 0, or where there is no gap, what is there at
    the start, for the others to be counted as differences.
    """
    n = min(features, samples)
    modes = spectrum.modes(spectrum.depth_for(n, math.inf))
    start = float(np.sum(modes.signal))
    kappa = 0.0
    if n < modes.size:
        (kappa,) = effective_ridge(spectrum, np.array([n]), np.array([math.inf]), np.zeros(1))
    edge = gap(modes, features, samples, float(kappa))
    high = 8 * float(modes.multiplicities @ modes.eigenvalues)
    low = min(max(0.8 * edge if edge > 0 else FARTHEST * high, SLOWEST * slowest), high / 2)
    gapped = low < edge
    x, growth, step = quadrant(low, high)
    at = resolve(modes, features, samples, -x.conj(), far=True)
    end = resolve(
        modes, features, samples, np.array([1e-12 * low if gapped else 1e-3 * low], complex)
    )
    steps, residual = max(at.steps, end.steps), max(at.residual, end.residual)
    weights = step / (1j * np.pi) * growth.conj() * train_transform(modes, at, 0.0)[0]
    learned = float(np.sum(weights.real))
    floor = max(
        float(train_transform(modes, end, 0.0)[0][0].real) if gapped else start - learned, 0.0
    )
    table = None
    if pairs:
        last = (
            end if gapped else resolve(modes, features, samples, np.array([1e15 * high], complex))
        )
        shares = np.append(step / (2j * np.pi) * growth.conj(), 0.5)
        difference, unlimited = pair_transform(modes, at.joined(last), 0.0)
        table = (
            2 * shares[:, None] * (difference + unlimited) * np.concatenate([shares, shares.conj()])
        )
    return Measure(
        x.conj(),
        weights,
        floor,
        max(abs(learned + floor - start) / max(start, 1e-290), TRUNCATION),
        table,
        gapped,
        steps,
        residual,
    )


def quadrant(low: float, high: float) -> tuple[ComplexArray, ComplexArray, float]:
    r"""Return nodes x and d log x/du on the upper half of a contour around the interval, and the step in u.

    :math:`x(v) \propto \cosh v \prod_n \frac{(1+q^{2n}e^{2v})(1+q^{2n}e^{-2v})}{(1+q^{2n-1}e^{2v})(1+q^{2n-1}e^{-2v})}` with
    :math:`q = e^{-2U}` maps the rectangle 0 < Re v < U, 0 < Im v < pi/2 onto the first quadrant, the lower side onto [low, high]
    and the upper side onto the imaginary axis; the contour is the line in the middle.
    """
    width = math.log(4 * high / low)
    for _ in range(3):  # x(U)/x(0) = e^U/4 but for powers of q
        ends = _product(np.array([0.0, width], complex), width)[0].real
        width += math.log(high / low) - float(ends[1] - ends[0])
    count = math.ceil(PER_DECADE * width / math.log(10)) + 1
    step = width / count
    v = np.asarray((np.arange(count) + 0.5) * step + 0.25j * np.pi, complex)
    logs, growth = _product(v, width)
    return np.asarray(low * np.exp(logs - float(ends[0]))), growth, step


def _product(v: ComplexArray, width: float) -> tuple[ComplexArray, ComplexArray]:
    """Return log x(v), up to a constant, and its derivative."""
    log, growth = v + np.log1p(np.exp(-2 * v)), np.tanh(v)
    for n in range(1, 9):
        for sign in (2, -2):
            power = np.exp(sign * v - 2 * width * n)
            sense = 1 if n % 2 == 0 else -1
            log = log + sense * np.log1p(power)
            growth = growth + sense * sign * power / (1 + power)
    return np.asarray(log), np.asarray(growth)


def gap(modes: Modes, features: float, samples: float, kappa: float) -> float:
    """Return the smallest positive rate of the lazy kernel, from kappa at rate 0; 0 if rates reach down to 0.

    Rates -z(kappa) are outside of the spectrum where kappa is real, and largest at the edge.
    """
    n, larger = min(features, samples), max(features, samples)
    if modes.size > n * (1 + 1e-9):
        if n == larger:
            return 0.0
        trial = kappa * np.exp(
            -np.concatenate([np.geomspace(1e-14, 1, 300), np.linspace(1, 60, 150)[1:]])
        )
    elif modes.size < n * (1 - 1e-9):
        trial = -float(np.min(modes.eigenvalues)) * np.concatenate(
            [np.geomspace(1e-3, 0.5, 60), 1 - np.geomspace(0.5, 1e-9, 200)]
        )
    else:
        return 0.0
    df1 = (modes.eigenvalues / (modes.eigenvalues + trial[:, None])) @ modes.multiplicities
    rate = -trial * (1 - df1 * inverse(n)) * (1 - df1 * inverse(larger))
    allowed = df1 * inverse(larger if modes.size > n else n) < 1
    return max(float(np.max(rate[allowed], initial=0.0)), 0.0)
