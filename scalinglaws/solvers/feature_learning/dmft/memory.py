r"""Online SGD with feature learning, step by step, with a memory of vectors instead of two-time matrices.

With unlimited features the model is Markovian in :math:`g = X^T u` (what the network predicts, mode by mode), :math:`H = X^T X` and
:math:`c = |u|^2`. The flow conserves :math:`H - \gamma \rho\, g g^T`; steps and noise do not. With :math:`e = \eta v`,
:math:`\alpha = g \cdot e`, :math:`A = 1 + \gamma c + \gamma \alpha`, :math:`\rho' = 1/A` and
:math:`H = 1 + \gamma \rho\, g g^T + D` the steps are, exactly,

.. math::
    g' = g + A e + q, \qquad q = \gamma \rho \alpha\, g + D e, \qquad c' = c + 2 \alpha + e \cdot e + e \cdot q,

.. math::
    D' = D + \varepsilon\, g g^T - \gamma \rho' (g d^T + d g^T)
         - \gamma \big[(1 + \gamma \alpha)\, e e^T + e q^T + q e^T + \rho' q q^T\big], \qquad d = D e,

with :math:`\varepsilon = \gamma (\rho - \rho') - 2 \gamma^2 \rho \rho' \alpha`. In the proportional limit inner products are
deterministic: :math:`D = Y \Delta Y^T` is a few vectors y, of which their means and their covariances with g and with each other in each
mode are all that enters.

========================= ======================================================================
``rest``                  1 - m, with the mean m of g in units of w*, at the signal nodes
``S``                     variance of g at the response nodes
``c``, ``before``         :math:`|u|^2`, and A one step before, :math:`1/\rho`
``means``                 means of the y in units of w*, shape (vectors, signal nodes)
``N``                     covariances of y and g, shape (response nodes, vectors)
``C``                     covariances of the y, shape (response nodes, vectors, vectors)
``Delta``                 :math:`\Delta`
========================= ======================================================================
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ....arguments import afford
from ....equality import by_value
from ....reprs import short_repr

Array = NDArray[np.float64]
Numbers = NDArray[Any]
"""Real on the modes themselves, complex on a contour around what N features see of them."""

_ROOM = 64  # vectors to begin with


@short_repr
@dataclass(frozen=True)
@by_value
class Nodes:
    r"""Nodes of the two measures that enter, and what lies outside of them.

    Attributes
    ----------
    places, signal : ndarray, shape (m,)
        Eigenvalues, and the power of the target in each.
    rates, variances : ndarray, shape (n,)
        Eigenvalues, and the sum of them (multiplicity times eigenvalue) that each stands for. Sums are real parts.
    floor : float
        Power of the target out of reach: it acts as label noise, and is part of the loss.
    largest : float
        Largest eigenvalue.
    per_feature : float
        1/N, the share of the initial readout in each mode.
    """

    places: Numbers
    signal: Numbers
    rates: Numbers
    variances: Numbers
    floor: float
    largest: float
    per_feature: float


@short_repr
@dataclass(frozen=True)
@by_value
class Now:
    """Inner products at one step: `pulls` are those of the vectors of the memory with e."""

    loss: float
    noise: float
    alpha: float
    growth: float
    pulls: Array
    drift: float
    square: float


class Memory:
    """The state of a run at one step; see the top of this module."""

    def __init__(self, nodes: Nodes, richness: float, noise: float, variance: float) -> None:
        self.nodes, self.richness = nodes, richness
        self.unlearnable = noise + nodes.floor
        self.kind = np.result_type(nodes.rates, nodes.signal)
        self.drive = np.asarray(nodes.signal * nodes.places)
        self.spread = np.asarray(nodes.variances * nodes.rates)
        self.trace = float(np.sum(nodes.variances).real)
        self.rest: Numbers = np.ones(nodes.places.size, self.kind)
        self.S: Numbers = np.full(nodes.rates.size, variance * nodes.per_feature, self.kind)
        self.c, self.t = variance, 0
        self.before = 1 + richness * variance
        self.Delta: Array = np.zeros((0, 0))
        self.means: Numbers = np.zeros((0, nodes.places.size), self.kind)
        self.N: Numbers = np.zeros((nodes.rates.size, 0), self.kind)
        self.C: Numbers = np.zeros((nodes.rates.size, 0, 0), self.kind)
        self.used = np.zeros(0, dtype=bool)
        self.room(_ROOM)
        self.count = 0
        if richness > 0 and variance * nodes.per_feature > 0:
            (slot,) = self.slots(1)
            self.N[:, slot] = self.C[:, slot, slot] = self.S
            self.Delta[slot, slot] = -richness / self.before

    def room(self, size: int) -> None:
        """Make room for so many vectors; those that exist are kept."""
        old, n = self.Delta.shape[0], self.nodes
        complex_too = 1.0 + (self.kind.kind == "c")
        afford(complex_too * n.rates.size * size**2, "the memory", "use less noise, or fewer steps")
        means = np.zeros((size, n.places.size), self.kind)
        N = np.zeros((n.rates.size, size), self.kind)
        C = np.zeros((n.rates.size, size, size), self.kind)
        Delta = np.zeros((size, size))
        means[:old], N[:, :old], C[:, :old, :old] = self.means, self.N, self.C
        Delta[:old, :old] = self.Delta
        self.used = np.append(self.used, np.zeros(size - old, dtype=bool))
        self.means, self.N, self.C, self.Delta = means, N, C, Delta

    def slots(self, number: int) -> list[int]:
        """Return places for new vectors, the lowest ones."""
        free = np.flatnonzero(~self.used)
        if free.size < number:
            self.room(3 * self.used.size // 2)
            free = np.flatnonzero(~self.used)
        found = [int(place) for place in free[:number]]
        self.used[found] = True
        self.count = max(self.count, found[-1] + 1)
        return found

    def release(self, places: list[int]) -> None:
        """Forget vectors."""
        self.used[places] = False
        self.Delta[places] = 0.0
        self.Delta[:, places] = 0.0
        self.means[places] = 0.0
        self.N[:, places] = 0.0
        self.C[:, places] = 0.0
        self.C[:, :, places] = 0.0
        kept = np.flatnonzero(self.used)
        self.count = int(kept[-1]) + 1 if kept.size else 0

    @property
    def scale(self) -> float:
        """Growth of the kernel."""
        return 1 + self.richness * self.c

    def loss(self) -> float:
        """Return the test loss, without what is out of reach."""
        n = self.nodes
        total = np.sum(n.signal * self.rest**2) + np.sum(n.variances * self.S)
        return float(total.real)

    def now(self, rate: float, batch: float) -> Now:
        """Return the inner products at this step."""
        n, M = self.nodes, self.count
        weighed, free = n.signal * self.rest, n.variances * self.S
        bias, fluctuation = float((weighed @ self.rest).real), float(np.sum(free).real)
        noise = (bias + fluctuation + self.unlearnable) / batch
        alpha = rate * (float(np.sum(weighed).real) - bias - fluctuation)
        drift = float(((self.drive * self.rest) @ self.rest).real)
        pulls = rate * (self.means[:M] @ weighed - n.variances @ self.N[:, :M]).real
        square = rate**2 * (drift + float((self.spread @ self.S).real) + noise * self.trace)
        growth = 1 + self.richness * (self.c + alpha)
        return Now(bias + fluctuation, noise, alpha, growth, pulls, drift, square)

    def step(self, rate: float, batch: float, *, closed: bool = False) -> tuple[int, int]:
        """Take one step; return where the new vectors g and e are, or (-1, -1) without memory."""
        n, M, gamma, at = self.nodes, self.count, self.richness, self.now(rate, batch)
        rho, rho_new, A = 1 / self.before, 1 / at.growth, at.growth
        pace = gamma * rho * at.alpha
        fast = rate * n.rates
        kappa = 1 + pace - A * fast
        driven = A * rate**2 * n.rates * at.noise
        if closed or gamma == 0:
            a, mixed = np.zeros(0), np.zeros_like(self.S)
            moved, recalled = np.zeros_like(self.rest), 0.0
            corrected = mixed
        else:
            a = self.Delta[:M, :M] @ at.pulls
            forced = np.matmul(self.C[:, :M, :M], a.astype(self.kind))
            old_N = self.N[:, :M].copy()
            mixed = old_N @ a
            corrected = 2 * kappa * mixed + forced @ a
            new_N = kappa[:, None] * old_N + forced
            moved = a @ self.means[:M]
            recalled = float(a @ at.pulls)
        places = (-1, -1)
        grown = 1 - self.rest  # m
        slower = rate * n.places * self.rest  # mean of e
        if not closed and gamma > 0:
            self.N[:, :M] = new_N  # first: a new vector may take an old place among them
            ahead = kappa * self.S + mixed
            places = self._append(old_N, grown, slower, ahead, fast, driven, rate, at)
            self._update(a, at, rho, rho_new, places)
        self.rest = self.rest - pace * grown - A * slower - moved
        self.S = kappa**2 * self.S + corrected + A * driven
        self.c += 2 * at.alpha + at.square + pace * at.alpha + recalled
        self.before = A
        self.t += 1
        return places

    def _append(
        self,
        old: Numbers,
        grown: Numbers,
        slower: Numbers,
        ahead: Numbers,
        fast: Numbers,
        driven: Numbers,
        rate: float,
        at: Now,
    ) -> tuple[int, int]:
        """Append g and e to the memory; `ahead` is the covariance of g now and one step later."""
        M, n = at.pulls.size, self.nodes
        g, e = self.slots(2)
        self.means[g], self.means[e] = grown, slower
        for place, row in ((g, old), (e, -fast[:, None] * old)):
            self.C[:, place, :M] = row
            self.C[:, :M, place] = row
        cross = -fast * self.S
        self.C[:, g, g] = self.S
        self.C[:, g, e] = self.C[:, e, g] = cross
        self.C[:, e, e] = fast**2 * self.S + rate**2 * n.rates * at.noise
        self.N[:, g] = ahead
        self.N[:, e] = driven - fast * ahead
        return g, e

    def _update(
        self, a: Array, at: Now, rho: float, rho_new: float, places: tuple[int, int]
    ) -> None:
        """Update the matrix of the memory, new vectors included."""
        gamma, M, (g, e) = self.richness, a.size, places
        size = self.count
        d = np.zeros(size)
        d[:M] = a
        q = d.copy()
        q[g] += gamma * rho * at.alpha
        first = gamma * rho * rho_new * (at.growth - self.before)
        D = self.Delta[:size, :size]
        D[g, g] += first - 2 * gamma**2 * rho * rho_new * at.alpha
        D[g] -= gamma * rho_new * d
        D[:, g] -= gamma * rho_new * d
        D -= gamma * rho_new * np.outer(q, q)
        D[e] -= gamma * q
        D[:, e] -= gamma * q
        D[e, e] -= gamma * (1 + gamma * at.alpha)
