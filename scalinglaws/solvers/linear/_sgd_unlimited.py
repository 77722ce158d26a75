r"""Online stochastic gradient descent with unlimited features: a sum over modes, resolved however far the loss has fallen.

Every mode has its own :math:`q_k = q(\lambda_k)`, and with :math:`b_k = \eta^2\lambda_k^2/B`

.. math:: \tilde L(z) = \frac{\tilde F + \hat K\,\sigma^2 z/(z-1)}{1 - \hat K}, \qquad
          \tilde F = z \sum_k \frac{s_k}{z - q_k}, \qquad \hat K = \sum_k \frac{b_k}{z - q_k}

has poles at z = 1 (the floor) and at and below some :math:`z_c < 1`, where :math:`\hat K(z_c) = 1`. At late times the
contour is moved from 1 to :math:`z_c`, so that what it sums is of the size of :math:`z_c^t` and not of the start.
"""

from __future__ import annotations

import math

import numpy as np

from ...arguments import Array
from .._roots import brentq
from ..equivalents.contour import TRUNCATION, cotangent
from ..equivalents.kappa import ComplexArray
from ..equivalents.losses import ROUNDING, Loss
from ..equivalents.rates import SMALLEST, short_of
from ..equivalents.response import inverse
from ..spectra import Modes

_FEW = 12  # steps below which the recursion is iterated
_NEGLIGIBLE = (
    1e-40  # weight of the kernel relative to the slowest decay below which it changes no digit
)
_LEAST_GAP = 1e-290
_LATE = 1.0  # logarithm of the decay of the slowest part from which on its own contour is tried
_OVERLOOKED = 200 * TRUNCATION  # error of the contour, relative to the result: measured
_RESOLVED = 3e-12  # error, relative to the loss, with which the first contour is good enough


class UnlimitedSGD:
    """One set of parameters."""

    def __init__(self, modes: Modes, batch: float, learning_rate: float, noise: float) -> None:
        x = learning_rate * modes.eigenvalues
        self._signal, self._noise = modes.signal, noise
        self._decay = x * short_of(2, learning_rate, modes.eigenvalues, batch)  # 1 - q
        self._kernel = modes.multiplicities * x**2 * inverse(batch)
        # q itself, where it is small
        self._q = short_of(1, learning_rate, modes.eigenvalues) ** 2 + x**2 * inverse(batch)
        with np.errstate(divide="ignore"):
            self._rates = np.where(
                self._decay < 0.5, np.log1p(-np.minimum(self._decay, 0.5)), np.log(self._q)
            )
        self._norm = float(np.sum(self._kernel / self._decay))
        first = int(np.argmin(self._decay))
        self._slowest = float(self._decay[first])
        self._beyond = self._decay - self._slowest
        self._gap = self._pole()
        self._center = self._slowest - self._gap  # 1 - z_c
        distance = self._beyond + self._gap  # its square may be no number
        shares = self._kernel / distance / distance if self._gap > 0 else np.zeros(1)
        size = float(np.sum(shares))
        moved = float(shares @ self._decay) / size if size > 0 else self._slowest
        # the pole moves with every mode by its part in the slope of the kernel
        self._error = ROUNDING * (4 * moved + self._slowest + 10 * self._gap)

    def losses(self, steps: float) -> Loss:
        """Return the loss; between whole steps below 12 it is a power of its neighbors."""
        if math.isinf(steps):
            return self._floor()
        if steps < _FEW:
            return self._recursion(steps)
        scaled, weights = cotangent()
        u, weights = scaled / steps, weights / steps
        early = self._from_start(steps, u, weights, self._signal, self._noise)
        if early.error < _RESOLVED * early.value or not self._is_late(steps):
            return early
        # what is left of the start, and what noise has added, each relative to itself
        left = self._late(steps, u, weights)
        added = self._from_start(steps, u, weights, np.zeros_like(self._signal), self._noise)
        late = Loss(left.value + added.value, left.error + added.error)
        return late if late.error < early.error else early

    def _floor(self) -> Loss:
        """Return the limit of many steps."""
        amplified = 1 / (1 - self._norm)
        limit = self._norm * amplified * self._noise
        return Loss(limit, 4 * ROUNDING * amplified * limit)

    def _recursion(self, steps: float) -> Loss:
        """Iterate the energies of all modes; every term is positive."""
        energy, losses = self._signal, [float(np.sum(self._signal))]
        for _ in range(math.ceil(steps)):
            energy = self._q * energy + self._kernel * (losses[-1] + self._noise)
            losses.append(float(np.sum(energy)))
        known = [Loss(loss, (2 + 4 * i) * ROUNDING * loss) for i, loss in enumerate(losses)]
        before = math.floor(steps)
        if before == steps:
            return known[before]
        return between(known[before], known[before + 1], steps - before)

    def _from_start(
        self, steps: float, u: ComplexArray, weights: ComplexArray, signal: Array, noise: float
    ) -> Loss:
        """Invert the difference from the loss without gradient noise, or from that at late times."""
        step = np.asarray(np.expm1(u), dtype=complex)
        distance = np.asarray(self._decay + step[:, None], dtype=complex)
        kernel, kernel_size = _sums(self._kernel, distance)
        forcing, forcing_size = _sums(signal, distance)
        amplified = 1 / (1 - self._norm)
        # K(1) - K(z) without cancellation
        missing = step * _sums(self._kernel / self._decay, distance)[0]
        driven = (1 + step) * (forcing + noise / step)
        size = np.abs(1 + step) * (forcing_size + noise / np.abs(step))
        with np.errstate(under="ignore"):
            left = np.exp(steps * self._rates) * signal
            free = float(np.sum(left))
            lost = float(left @ np.minimum(-steps * self._rates, 1e3))
        choices = (
            (free, kernel / (1 - kernel), kernel_size / np.abs(1 - kernel)),
            (
                amplified * (free + self._norm * noise),
                -missing * amplified / (1 - self._norm + missing),
                np.abs(missing) * amplified / np.abs(1 - self._norm + missing),
            ),
        )
        found = []
        for start, factor, factor_size in choices:
            change = 2 * float(np.sum((weights * factor * driven).real))
            terms = 2 * float(np.sum(np.abs(weights) * factor_size * size))
            error = 2 * (TRUNCATION + ROUNDING) * amplified * terms
            error += ROUNDING * amplified * (8 * start + amplified * lost)
            error += _OVERLOOKED * (abs(change) + start)
            found.append(Loss(start + change, error))
        return min(found, key=lambda loss: loss.error)

    def _is_late(self, steps: float) -> bool:
        """Tell whether the pole is far enough from 1; a loss that is gone after one step has none."""
        return self._center < 1 and -steps * math.log1p(-self._center) > _LATE

    def _late(self, steps: float, u: ComplexArray, weights: ComplexArray) -> Loss:
        """Invert what is left of the signal, on a contour around the pole below z = 1."""
        # z - z_c and z - q, neither as a difference of nearly equal numbers
        right = np.asarray((1 - self._center) * np.expm1(u), dtype=complex)
        distance = np.asarray(self._beyond + self._gap + right[:, None], dtype=complex)
        forcing, size = _sums(self._signal, distance)
        rest = np.ones_like(right)
        if self._gap > 0:  # 1 - K(z) = K(z_c) - K(z)
            rest = right * _sums(self._kernel / (self._beyond + self._gap), distance)[0]
        with np.errstate(under="ignore"):
            scale = math.exp(steps * math.log1p(-self._center))
            weights = scale * weights * (1 - self._center + right) / rest
            left = 2 * float(np.sum((weights * forcing).real))
            terms = 2 * float(np.sum(np.abs(weights) * size))
        unit = TRUNCATION + 2 * ROUNDING + steps * self._error / (1 - self._center)
        return Loss(max(left, 0.0), unit * terms + _OVERLOOKED * abs(left) + SMALLEST)

    def _pole(self) -> float:
        """Return how far 1 - z lies below that of the slowest mode where the kernel is one."""

        def excess(y: float) -> float:
            return math.log(float(np.sum(self._kernel / (self._beyond + math.exp(y)))))

        if not np.any(self._kernel > _NEGLIGIBLE * self._slowest):
            return 0.0
        high = math.log(self._slowest)
        own = float(self._kernel[self._beyond == 0].sum())
        low = min(math.log(max(own, _LEAST_GAP)), high) - 1e-3
        if excess(high) >= 0:  # at the bound of stability, by rounding
            return self._slowest
        if excess(low) <= 0:  # the slowest mode is too small to have noise of its own
            return math.exp(low)
        return math.exp(float(brentq(excess, low, high, xtol=1e-15, rtol=1e-15, maxiter=500)))


def _sums(weights: Array, distance: ComplexArray) -> tuple[ComplexArray, Array]:
    """Add up weights over distances of shape (nodes, modes), and the absolute values of the terms."""
    return (weights / distance).sum(axis=1), (weights / np.abs(distance)).sum(axis=1)


def between(low: Loss, high: Loss, part: float) -> Loss:
    """Interpolate between the losses at two whole numbers of steps."""
    error = max(low.error, high.error)
    if min(low.value, high.value) <= 0:
        return Loss((1 - part) * low.value + part * high.value, error)
    return Loss(low.value ** (1 - part) * high.value**part, error)
