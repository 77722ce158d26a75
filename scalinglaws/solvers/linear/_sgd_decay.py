r"""Online stochastic gradient descent with weight decay: the energies close with their cross moments, which decay by themselves.

With :math:`h = \eta r`, :math:`X = \eta x`, :math:`p = 1 - h - X` and :math:`Q = p^2 + X^2/B` every mode obeys

.. math:: \rho' = Q \rho + 2 h p\, c + h^2 s + \frac{X^2}{B} (L + \sigma^2), \qquad c' = p\, c + h s.

For limited features the z-transform needs kappa at three places, :math:`-x_\pm` (the roots of :math:`z = Q`) and
:math:`s_0 = (z - 1)/\eta + r`. What is inverted is the difference from :math:`\sum_k s_k g_k^2`, :math:`g = (h + X p^t)/(X + h)`, the loss
for unlimited features and batches; nowhere is one transform subtracted from another that it tends to.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from ...arguments import Array
from ...errors import DomainError
from .._blas import one_thread
from ..equivalents.contour import circle, cotangent
from ..equivalents.edges import Resolvent
from ..equivalents.inversion import CONTOUR, Rule, invert
from ..equivalents.kappa import ComplexArray, occupation, renormalized_ridge
from ..equivalents.losses import ROUNDING, UNSOLVED, Loss, Losses, solved
from ..equivalents.response import Resolved, inverse, resolve
from ..spectra import Modes, Spectrum
from ._decay import unlimited_loss
from ._sgd_unlimited import between

_FEW = 12  # steps below which transforms are inverted on a circle
_ITERATED = 64  # steps up to which the recursion for unlimited features is iterated
_MOST = 768  # steps up to which a circle, or the recursion, is used where modes overshoot
_CIRCLE = 96  # nodes of the smallest circle
_ALIAS = 36.0  # exp(-36) is its error
_KAPPA = 3.0  # rounding of the terms, which rest on kappas at three places: measured
_NONE = Loss(0.0, 0.0)


class Place(NamedTuple):
    """Kappa at a place s of the transform, with its part delta = 1 - s/kappa."""

    s: ComplexArray
    kappa: ComplexArray
    delta: ComplexArray


def norm_with_decay(
    modes: Modes, features: float, batch: float, rate: float, decay: float, edge: float, top: float
) -> float:
    """Return the kernel's norm, infinite where already the mean diverges."""
    h, per_sample = rate * decay, inverse(batch)
    if h >= 2:
        return math.inf
    q, growth = 1 - h, 1 + per_sample
    w = math.sqrt(q * q + growth * h * (2 - h))
    beyond, near = (q + w) / (rate * growth), h * (2 - h) / (rate * (q + w))
    if beyond <= top:
        return math.inf
    if per_sample == 0:
        return 0.0
    resolvent = Resolvent(modes)
    far = beyond * resolvent.beyond(beyond, features, edge)
    close = (
        near * occupation(modes.eigenvalues, modes.multiplicities, _kappa(modes, features, near))[0]
    )
    return max(far - close, 0.0) * per_sample / (growth * (beyond + near))


def stable_norms(
    spectrum: Spectrum, features: Array, batch: Array, rates: Array, decays: Array
) -> tuple[Array, Array]:
    """Return the kernel norms and upper edges; refuse unstable learning rates."""
    modes = spectrum.modes()
    resolvent = Resolvent(modes)
    known: dict[tuple[float, ...], tuple[float, float]] = {}
    rows = list(zip(features, batch, rates, decays, strict=True))
    for n, b, eta, r in rows:
        if (n, b, eta, r) in known:
            continue
        edge = resolvent.edge(n, math.inf)
        top = resolvent.image(edge, n)
        norm = norm_with_decay(modes, n, b, eta, r, edge, top)
        if not norm < 1:
            low, high = 0.0, float(eta)
            for _ in range(60):
                middle = (low + high) / 2
                stable = norm_with_decay(modes, n, b, middle, r, edge, top) < 1
                low, high = (middle, high) if stable else (low, middle)
            raise DomainError(
                f"learning_rate = {eta} is unstable with batch = {b}, features = {n} and weight_decay = {r}; it must be "
                f"below {low:.6g}",
                argument="learning_rate",
                value=float(eta),
            )
        known[n, b, eta, r] = norm, top
    norms, tops = np.array([known[row] for row in rows]).reshape(-1, 2).T
    return norms, tops


class DecayedSGD:
    """One set of parameters."""

    def __init__(
        self,
        modes: Modes,
        features: float,
        batch: float,
        learning_rate: float,
        noise: float,
        decay: float,
        norm: float,
        top: float,
    ) -> None:
        self.modes, self.features, self.rate, self.noise = modes, features, learning_rate, noise
        self.decay, self.norm, self.per_sample = decay, norm, inverse(batch)
        self.h = learning_rate * decay
        self.x = learning_rate * modes.eigenvalues
        self.lost = self.x + self.h  # 1 - p
        self.kernel = modes.multiplicities * self.x**2 * self.per_sample
        self.fall = self.lost * (2 - self.lost) - self.x**2 * self.per_sample  # 1 - Q
        swing = abs(1 - self.h - learning_rate * top) if self.h + learning_rate * top > 1 else 0.0
        swing = max(swing, self.h - 1)  # modes that no feature sees
        self._swing = -math.log(swing) if swing > 0 else math.inf
        self._start: dict[int, _Transform] = {}

    def losses(self, steps: float) -> Losses:
        """Return the loss; between whole steps it is a power of its neighbors where the recursion or a circle gives it."""
        if math.isinf(steps):
            return self._floor()
        overshoots = steps * self._swing < _ALIAS
        if overshoots and steps > _MOST:
            raise DomainError(
                f"steps = {steps:g} with learning_rate = {self.rate} and weight_decay = {self.decay}, at which modes overshoot, "
                f"must be at most {_MOST}, or at least {math.ceil(_ALIAS / self._swing)}",
                argument="steps",
                value=steps,
            )
        if math.isinf(self.features) and (steps <= _ITERATED or overshoots):
            return Losses(self._recursion(steps))
        if steps < _FEW or overshoots:
            before = math.floor(steps)
            low = self._on_circle(before)
            if low is None:
                return UNSOLVED
            high = low if before == steps else self._on_circle(before + 1)
            assert high is not None  # on the same circle
            loss = low if before == steps else between(low, high, steps - before)
            return solved(loss, _NONE, *self._start[self._count(before)].resolved)
        z, w = cotangent()
        transform = _Transform(self, z / steps)
        if not transform.found:
            return UNSOLVED
        loss = self._loss(steps, transform, w / steps, CONTOUR)
        return solved(loss, _NONE, *transform.resolved) if transform.resolved else Losses(loss)

    def _loss(self, steps: float, transform: _Transform, weights: ComplexArray, rule: Rule) -> Loss:
        start = self._unlimited(steps)
        change, error = invert(weights, transform.change, rule)
        amplification = 1 / (1 - self.norm)
        error = (
            _KAPPA * amplification * error
            + 3 * rule.truncation * (abs(change) + start.value)
            + 8 * ROUNDING * amplification * start.value
            + start.error
        )
        return Loss(max(start.value + change, 0.0), error)

    def _unlimited(self, steps: float) -> Loss:
        """Return the loss for unlimited features and batches."""
        size = np.abs(1 - self.lost)
        with np.errstate(divide="ignore", under="ignore"):
            logs = np.where(self.lost < 0.5, np.log1p(-np.minimum(self.lost, 0.5)), np.log(size))
            left = np.exp(steps * logs)
            error = 2 * ROUNDING * left * (1 + np.where(left > 0, -steps * logs, 0.0))
        odd = (self.lost > 1) & (steps % 2 == 1)
        return unlimited_loss(self.modes, self.decay, np.where(odd, -left, left), error)

    def _count(self, steps: int) -> int:
        return _CIRCLE if steps < _FEW else 32 * math.ceil((8 * steps + 8) / 32)

    def _on_circle(self, steps: int) -> Loss | None:
        """Invert on a circle."""
        total = float(np.sum(self.modes.signal))
        if steps == 0:
            return Loss(total, ROUNDING * total)
        count = self._count(steps)
        u = circle(count, _ALIAS / count)
        if count not in self._start:
            self._start[count] = _Transform(self, u)
        if not self._start[count].found:
            return None
        weights = np.asarray(np.exp(steps * u) / count, dtype=complex)
        return self._loss(steps, self._start[count], weights, Rule(ROUNDING, math.exp(-_ALIAS)))

    def _recursion(self, steps: float) -> Loss:
        """Iterate energies and cross moments of all modes, for unlimited features."""
        signal, h, p = self.modes.signal, self.h, 1 - self.lost
        energy, cross = signal, signal
        growth = p * p + self.x**2 * self.per_sample
        losses = [float(np.sum(signal))]
        for _ in range(math.ceil(steps)):
            energy = (
                growth * energy
                + 2 * h * p * cross
                + h * h * signal
                + self.kernel * (losses[-1] + self.noise)
            )
            cross = p * cross + h * signal
            losses.append(float(np.sum(energy)))
        known = [Loss(loss, (2 + 4 * i) * ROUNDING * loss) for i, loss in enumerate(losses)]
        before = math.floor(steps)
        if before == steps:
            return known[before]
        return between(known[before], known[before + 1], steps - before)

    def _floor(self) -> Losses:
        """Return the limit of many steps."""
        signal, h = self.modes.signal, self.h
        forced = float(signal @ (h**2 * (2 - self.lost) / (self.lost * self.fall)))
        if math.isfinite(self.features):
            q, growth = 1 - h, 1 + self.per_sample
            w = math.sqrt(q * q + growth * h * (2 - h))
            near, far = h * (2 - h) / (self.rate * (q + w)), -(q + w) / (self.rate * growth)
            one, two, third = (self._real_place(s) for s in (near, far, self.decay))
            change = self.forcing(np.array([w], complex), one, two, third, -h * h, 2 * h * h)
            forced += float(change[0].real)
        limit = (forced + self.norm * self.noise) / (1 - self.norm)
        return Losses(Loss(limit, 40 * ROUNDING * limit / (1 - self.norm)))

    def _real_place(self, s: float) -> Place:
        modes, n = self.modes, self.features
        if s > 0:
            kappa = _kappa(modes, n, s)
        else:
            kappa = s
            for _ in range(100):
                shares = modes.eigenvalues / (modes.eigenvalues + kappa)
                excess = kappa * (1 - modes.multiplicities @ shares / n) - s
                kappa -= float(excess / (1 - modes.multiplicities @ shares**2 / n))
                if abs(excess) <= 4e-16 * abs(s):
                    break
        df1 = modes.multiplicities @ (modes.eigenvalues / (modes.eigenvalues + kappa))
        return Place(*(np.array([x], complex) for x in (s, kappa, df1 / n)))

    def forcing(
        self,
        root: ComplexArray,
        near: Place,
        far: Place,
        third: Place,
        own: ComplexArray | float,
        mixed: ComplexArray | float,
    ) -> ComplexArray:
        """Return what limited features add to the transform of the forcing, over z; own is b_1 and mixed is gamma z."""
        alone = self._added(near) - self._added(far)
        joint = self._added_pair(near, third) - self._added_pair(far, third)
        return np.asarray((own * alone + mixed / self.rate * joint) / (2 * self.rate * root))

    def _added(self, place: Place) -> ComplexArray:
        r"""Return :math:`\sum_k s_k [\frac{\kappa}{s(\lambda_k + \kappa)} - \frac1{\lambda_k + s}]`."""
        s, kappa, lam = place.s[:, None], place.kappa[:, None], self.modes.eigenvalues
        return np.asarray(
            place.delta / place.s * (kappa / (lam + kappa) * (lam / (lam + s)) @ self.modes.signal)
        )

    def _added_pair(self, place: Place, third: Place) -> ComplexArray:
        """Return the same of the sum over 1/((lambda + s)(lambda + s_0)), as one expression in both kappas."""
        s, kappa, delta = (column[:, None] for column in place)
        s0, kappa0, delta0 = (column[:, None] for column in third)
        lam, signal = self.modes.eigenvalues, self.modes.signal
        one, two = lam / (lam + kappa), 1 / (lam + kappa0)
        d2 = (one * (lam * two)) @ self.modes.multiplicities * inverse(self.features)
        lost = (
            one * (kappa / (lam + s)) * delta * two
            + lam / (lam + s) * two * (kappa0 / (lam + s0)) * delta0
        ) @ signal
        both = (lam / (lam + s) / (lam + s0)) @ signal
        alone = delta0[:, 0] / s0[:, 0] * ((kappa0 * two * (lam / (lam + s0))) @ signal)
        return np.asarray((alone + (lost - both * d2) / (1 - d2)) / place.s)


class _Transform:
    """The z-transform of the loss, less that for unlimited features and batches."""

    @one_thread
    def __init__(self, task: DecayedSGD, u: ComplexArray) -> None:
        step = np.asarray(np.expm1(u), dtype=complex)
        z, h, signal = 1 + step, task.h, task.modes.signal
        lost, x, d = task.lost, task.x, step[:, None]
        self.resolved: list[Resolved] = []
        # the forcing of unlimited features and batches, mode by mode, and with this batch
        driven = (1 + 2 * h * (1 - lost) * (d + h) / (d * (d + lost)) + h * h / d) * signal
        alone = driven / (d + lost * (2 - lost))
        noisy = alone * (x**2 * task.per_sample) / (d + task.fall)
        forcing, change = z * np.sum(driven / (d + task.fall), axis=1), z * np.sum(noisy, axis=1)
        if math.isinf(task.features):
            kernel = np.sum(task.kernel / (d + task.fall), axis=1)
        else:
            places, root = self._places(task, step, z)
            if not self.found:
                return
            near, far, third = places
            own: ComplexArray = np.asarray(1 - 2 * h - h * h / step, dtype=complex)
            mixed: ComplexArray = np.asarray(2 * h * (step + h) / step * z, dtype=complex)
            added = z * task.forcing(root, near, far, third, own, mixed)
            forcing, change = forcing + added, change + added
            kernel = self._kernel(task, root, near, far)
        noises = task.noise * z / step
        self.change = np.asarray(change + kernel * (forcing + noises) / (1 - kernel))

    @property
    def found(self) -> bool:
        """Whether the equation for kappa was solved."""
        return all(at.found for at in self.resolved)

    def _places(
        self, task: DecayedSGD, step: ComplexArray, z: ComplexArray
    ) -> tuple[tuple[Place, Place, Place], ComplexArray]:
        """Solve for kappa at the three places."""
        h, eta, growth = task.h, task.rate, 1 + task.per_sample
        q = 1 - h
        gap = h * (2 - h) + step  # z - q^2
        root = np.asarray(np.sqrt(q * q + growth * gap), dtype=complex)
        near = resolve(task.modes, task.features, math.inf, gap / (eta * (q + root)))
        # the other root lies in the lower half plane, beyond the spectrum
        far = resolve(
            task.modes,
            task.features,
            math.inf,
            np.conj(-(q + root) / (eta * growth)),
            far=True,
        )
        third = resolve(task.modes, task.features, math.inf, step / eta + task.decay)
        self.resolved = [near, far, third]
        return (
            Place(near.s, near.kappa, near.delta),
            Place(np.conj(far.s), np.conj(far.kappa), np.conj(far.delta)),
            Place(third.s, third.kappa, third.delta),
        ), root

    @staticmethod
    def _kernel(task: DecayedSGD, root: ComplexArray, near: Place, far: Place) -> ComplexArray:
        """Return the transform of the kernel, as `scalinglaws.solvers.linear._sgd` does without decay."""
        lam, count, n = task.modes.eigenvalues, task.modes.multiplicities, inverse(task.features)
        one, two = lam / (lam + far.kappa[:, None]), 1 / (lam + near.kappa[:, None])
        first, second = (one * two) @ count, (one * (lam * two)) @ count
        step = -2 * root / (task.rate * (1 + task.per_sample))
        rise = step * second + far.kappa * near.kappa * step / (1 - second * n) * first**2 * n
        return np.asarray(task.rate * task.per_sample / (2 * root) * rise)


def _kappa(modes: Modes, features: float, s: float) -> float:
    """Return kappa at a positive s."""
    trace = float(modes.multiplicities @ modes.eigenvalues)
    return renormalized_ridge(
        modes.eigenvalues, modes.multiplicities, modes.size, trace, features, 0.0, 1.0, s
    )[0]
