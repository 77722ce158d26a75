r"""Macro steps of online SGD with memory: the difference equations of `memory`, by collocation on many steps at once.

Within a macro step of n steps every quantity is a polynomial through its values at the start and at p Radau points, on which the
difference equations are imposed at the times :math:`s_k = c_k n - 1`: :math:`\sum_m (E_{km} + d_k S_{km}) f_m` equals a source
(`scalinglaws.solvers.schedules`). What the memory gains meanwhile is

* of the terms in :math:`g g^T` and :math:`g d^T`, one vector: the average :math:`\bar y` of g, at every time that of the time up to
  then (`R` in the code), and what it misses of the noise of g on both sides;
* of the terms in e, one vector :math:`\bar e` for the mean, and for the noise its stationary correlations.

The unknown are A, :math:`\alpha`, the noise, V and X (the square of the mean of e, and what its noise is pulled by), and the products
of all vectors with e at the p times; Anderson's method finds them in about ten sweeps.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ...equivalents.macro_steps import POINTS, backward, radau
from .compression import Compression
from .memory import Array, Numbers

DEPTH = 12
"""Sweeps that Anderson's method remembers."""

CONVERGED, ACCEPTED = 1e-11, 1e-8
"""Changes of a sweep, relative to each unknown's size, that are aimed for, and that will do."""

SWEEPS = 60
"""Sweeps at most."""

_CLOSEST = 0.3  # steps from the start, in averages
_LEAST = 1e-3  # of the largest product of a vector with e, for the size of the others
_COLLAPSED = 0.2  # of A: a sweep that goes below has gone astray
_COUPLED = 5  # unknown other than products
_TINY = 1e-290


class Step:
    """One macro step from the state of a memory; nothing changes before `commit`."""

    def __init__(
        self,
        held: Compression,
        length: int,
        rate: Callable[[Array], Array],
        batch: Callable[[Array], Array],
        since: int,
        *,
        after: float = 0.0,
        closed: bool = False,
    ) -> None:
        memory = held.memory
        self.held, self.memory, self.n = held, memory, length
        self.on = 0.0 if closed else 1.0
        self.E = backward(np.array(length))
        self.S = np.concatenate([np.zeros((POINTS, 1)), np.eye(POINTS)], axis=1) - self.E
        self.sum = np.linalg.inv(self.E[:, 1:])  # cumulative sums at the points
        self.Q = self.S[:, 1:] @ self.sum  # and at the times
        self.QS = self.Q @ self.S
        self.s = radau()[1:] * length - 1.0
        self.safe = np.where(np.abs(self.s) < _CLOSEST, np.copysign(_CLOSEST, self.s), self.s)
        self.late = np.maximum(self.s, 0.0)
        times = np.maximum(memory.t + self.s, after)
        self.age = np.maximum(times - since, 0.0)
        self.eta, self.B = rate(times), batch(times)
        count = memory.count
        self.places = np.flatnonzero(memory.used[:count])
        self.means = memory.means[self.places]
        self.N0 = memory.N[:, self.places]
        self.C = np.ascontiguousarray(memory.C[:, self.places][:, :, self.places])
        self.Delta = memory.Delta[np.ix_(self.places, self.places)]
        self.now = memory.now(float(self.eta[0]), float(self.B[0]))
        self.S_s: Numbers = np.repeat(memory.S[:, None], POINTS, axis=1)
        self.Nt_s: Numbers = self.S_s * self.s

    def guess(self, slopes: Array) -> Array:
        """Return the unknown by power laws from the start."""
        growth = ((self.memory.t + self.s) / max(self.memory.t, 1)) ** slopes[:, None]
        now, eta = self.now, self.eta / self.eta[0]
        A = now.growth * growth[0]
        alpha = now.alpha * growth[1] * eta
        noise = now.noise * growth[2] * (self.B[0] / self.B if np.isfinite(self.B[0]) else 1.0)
        V = now.drift * growth[3]
        u = A * self.eta * self.memory.nodes.rates[:, None] - alpha * self.memory.richness / A
        X = self._pulled(self._first(A, noise, 1 - u, self.S_s), geometric(u, self.age))
        pulls = now.pulls[self.places] * (growth[1] * eta)[:, None]
        return np.concatenate([A, alpha, noise, V, X, alpha, pulls.ravel()])

    def sizes(self, x: Array) -> Array:
        """Return the sizes that changes of the unknown are compared with."""
        rows = x[: (_COUPLED + 1) * POINTS].reshape(-1, POINTS)
        size = np.repeat(np.max(np.abs(rows), axis=1), POINTS)
        size[POINTS * 4 : POINTS * 5] = max(1.0, float(np.max(np.abs(rows[4]))))  # X next to 1
        pulls = x[(_COUPLED + 1) * POINTS :].reshape(POINTS, -1)
        most = np.max(np.abs(pulls), axis=0)
        most = most + _LEAST * float(np.max(most, initial=0.0))
        return np.asarray(np.maximum(np.concatenate([size, np.tile(most, POINTS)]), 1e-300))

    def _first(self, A: Array, noise: Array, kappa: Numbers, S: Numbers) -> Numbers:
        """Return the covariance of e with g one step later."""
        fast = self.eta * self.memory.nodes.rates[:, None]
        return np.asarray(fast * (A * self.eta * noise - kappa * S))

    def _pulled(self, first: Numbers, lasting: Numbers) -> Array:
        """Return X."""
        weights = self.memory.nodes.variances
        return np.asarray(-self.eta * (weights @ (first * lasting)).real)

    def _twice(self, twins: Pairs, first: Numbers) -> tuple[Array, Numbers]:
        r"""Return X_2, and what stationary noise of e adds to :math:`S`, without its factors."""
        weights = self.memory.nodes.variances
        both = first * twins.summed(missing(twins.u, self.age), self.age, weights[:, None] * first)
        return np.asarray(self.eta**2 * (weights @ both).real), both

    def sweep(self, x: Array) -> Array:
        """Return the unknown as they follow from the unknown."""
        memory, n, gamma, eta = self.memory, self.memory.nodes, self.memory.richness, self.eta
        A, alpha, noise, V, X, be = x[: (_COUPLED + 1) * POINTS].reshape(-1, POINTS)
        pulls = x[(_COUPLED + 1) * POINTS :].reshape(POINTS, -1)
        s, Q, S1 = self.s, self.Q, self.S[:, 1:]
        shifted = np.concatenate([[memory.before], A])
        rho, new = 1 / (self.S @ shifted), 1 / A
        eps = self.on * gamma * rho * new * (self.E @ shifted - 2 * gamma * alpha)
        a, aR, product, factor = self._memory_terms(rho, new, alpha, eps, X, V, be, pulls)
        pace = gamma * rho * alpha * factor
        pushed, drawn = self.on * (X + s * eta**2 * V), self.on * gamma * s * product
        A_d = A - gamma * (1 + gamma * alpha) * pushed - drawn
        # means
        share = aR / self.safe
        lost = A_d * eta * n.places[:, None] - pace
        recalled = (a @ self.means).T + (pace + share * s)
        rest = self._solved(lost, share, -recalled[:, :, None], memory.rest[:, None])[:, :, 0]
        rest_s = self._inside(memory.rest, rest)
        # covariances with the vectors
        u = A * eta * n.rates[:, None] - pace
        kappa = 1 - u
        nodes, count = self.C.shape[:2]  # C is symmetric: one product with all of it
        forced = self.C.reshape(nodes * count, count) @ a.T.astype(memory.kind)
        forced = forced.reshape(nodes, count, POINTS).transpose(0, 2, 1)
        N = self._solved(u, share, forced, self.N0)
        N_s = self.S[:, :1] * self.N0[:, None] + np.matmul(S1.astype(memory.kind), N)
        sums = np.matmul(Q.astype(memory.kind), N_s)
        mixed = np.einsum("km,jkm->jk", a, N_s)
        summed = np.einsum("km,jkm->jk", a, sums)
        among = np.einsum("km,jkm->jk", a, forced)
        # variances
        X2, both = np.zeros(POINTS), np.zeros_like(u)
        if self.on:  # the closure forgets all of this
            twins, late = Pairs(u), missing(u, self.late)
            X2, both = self._twice(twins, self._first(A, noise, kappa, self.S_s))
        driven = A**2 * eta**2 * n.rates[:, None] * noise
        self_noise = self.on * gamma * (1 + gamma * alpha)
        noisy = driven + 2 * kappa * self_noise * eta * both
        S_s, Nt_s = self.S_s, self.Nt_s
        lost = u * (2 - u)
        alone = np.linalg.inv(self.E[:, 1:] + lost[:, :, None] * S1)
        begun = (self.E[:, 0] + lost * self.S[:, 0]) * memory.S[:, None]
        past = self.E[:, 1:] + u[:, :, None] * S1 - share[:, None] * (2 * self.Q @ S1 + S1)
        past = np.linalg.inv(past)  # for sums of covariances of g with its past: they begin at zero
        noisy = noisy + 2 * kappa * mixed + among + 2 * share * summed - begun
        for _ in range(2 if self.on else 1):
            source = noisy
            if self.on:
                N_R = Nt_s / self.safe
                variance = (2 * Nt_s + S_s) @ Q.T / self.safe**2
                own = kappa * S_s
                own = own * twins.summed(late, self.late, n.variances[:, None] * own)
                own -= self.late * N_R * (n.variances @ N_R)
                source = noisy + aR**2 * variance + 2 * kappa * (aR * N_R - eps * eta * own)
            S = np.matmul(alone, source[:, :, None])[:, :, 0]
            S_s = self._inside(memory.S, S)
            source = kappa * S_s + summed + mixed + share * (S_s @ Q.T)
            Nt = np.matmul(past, source[:, :, None])[:, :, 0]
            Nt_s = Nt @ S1.T
        self.S_s, self.Nt_s = S_s, Nt_s
        # inner products
        weighed = n.signal[:, None] * rest_s
        bias, fluctuation = np.sum(weighed * rest_s, axis=0).real, (n.variances @ S_s).real
        loss = bias + fluctuation
        new_alpha = eta * (np.sum(weighed, axis=0).real - loss)
        new_noise = (loss + memory.unlearnable) / self.B
        new_V = np.sum(n.places[:, None] * weighed * rest_s, axis=0).real
        square = eta**2 * (new_V + (memory.spread @ S_s).real + new_noise * memory.trace)
        new_pulls = (
            eta[:, None] * (weighed.T @ self.means.T - np.tensordot(n.variances, N_s, 1)).real
        )
        average = (s - rest_s @ Q.T) / self.safe
        new_be = eta * (np.sum(average * weighed, axis=0) - n.variances @ (Nt_s / self.safe)).real
        gained = 2 * new_alpha + square + factor * product - drawn * eta**2 * V
        gained -= self_noise * (s * eta**4 * V**2 + 2 * eta**2 * V * X + X2)
        new_A = 1 + gamma * (memory.c + Q @ gained + new_alpha)
        new_X = self._pulled(self._first(A, new_noise, kappa, S_s), geometric(u, self.age))
        self._found: dict[str, Any] = {
            "rest": rest, "S": S, "N": N, "Nt": Nt, "rest_s": rest_s, "N_s": N_s, "gained": gained,
            "a": a, "aR": aR, "new": new, "eps": eps, "pace": pace, "alpha": alpha, "A": A,
        }  # fmt: skip
        return np.concatenate(
            [new_A, new_alpha, new_noise, new_V, new_X, new_be, new_pulls.ravel()]
        )

    def _memory_terms(
        self,
        rho: Array,
        new: Array,
        alpha: Array,
        eps: Array,
        X: Array,
        V: Array,
        be: Array,
        pulls: Array,
    ) -> tuple[Array, Array, Array, Array]:
        """Return the coefficients of the vectors and of the average in d, e . q and the factor of q."""
        gamma, s, Q = self.memory.richness, self.s, self.Q
        base, eye, factor = pulls @ self.Delta, np.eye(POINTS), np.ones(POINTS)
        product = np.zeros(POINTS)
        for i in range(2):
            back = gamma * (factor * be)[:, None] * Q * new
            a = np.linalg.solve(eye + back, factor[:, None] * base)
            J = Q @ (new[:, None] * a)
            right = factor * (be * (Q @ eps) - gamma * np.sum(J * pulls, axis=1))
            aR = np.linalg.solve(eye + 2 * back, right)
            if i == 0:
                product = gamma * rho * alpha**2 + np.sum(a * pulls, axis=1) + aR * be
                pushed = X + s * self.eta**2 * V
                factor = 1 - self.on * gamma * (pushed + rho * s * product)
        return np.asarray(a), np.asarray(aR), np.asarray(product), np.asarray(factor)

    def _inside(self, start: Numbers, values: Numbers) -> Numbers:
        """Return the values at the times."""
        return np.asarray(start[:, None] * self.S[:, 0] + values @ self.S[:, 1:].T)

    def _solved(self, lost: Numbers, share: Array, source: Numbers, start: Numbers) -> Numbers:
        """Solve E f + lost S f - share Q S f = source in each node, from the values at the start; shape (nodes, points, columns)."""
        full = self.E + lost[:, :, None] * self.S - share[:, None] * self.QS
        right = source - full[:, :, :1] * start[:, None]
        return np.asarray(np.linalg.solve(full[:, :, 1:], right))

    def solve(self, slopes: Array) -> bool:
        """Find the unknown; tell whether that succeeded."""
        x = self.guess(slopes)
        size = self.sizes(x)
        floor = _COLLAPSED * self.memory.before
        xs: list[Array] = []
        fs: list[Array] = []
        best = np.inf
        with np.errstate(all="ignore"):
            for count in range(SWEEPS):
                self.sweeps = count + 1
                try:
                    g = self.sweep(x)
                except np.linalg.LinAlgError:
                    return False
                if not np.all(np.isfinite(g)):
                    return False
                f = (g - x) / size
                best = float(np.max(np.abs(f)))
                self.change = best
                if best < CONVERGED:
                    return True
                xs.append(x / size)
                fs.append(f)
                xs, fs = xs[-DEPTH:], fs[-DEPTH:]
                following = xs[-1] + f
                if len(fs) > 1:
                    dF = np.diff(np.array(fs), axis=0).T
                    dX = np.diff(np.array(xs), axis=0).T
                    weights = np.linalg.lstsq(dF, f, rcond=1e-14)[0]
                    following = following - (dX + dF) @ weights
                x = following * size
                if np.min(x[:POINTS]) < floor or np.min(x[2 * POINTS : 3 * POINTS]) < 0:
                    x, xs, fs = g, [], []  # plain iteration once more
                    if np.min(x[:POINTS]) < floor or np.min(x[2 * POINTS : 3 * POINTS]) < 0:
                        return False
        return best < ACCEPTED

    def commit(self) -> None:
        """Move the memory to the end of the step, with two more vectors."""
        memory, gamma, n, found = self.memory, self.memory.richness, self.n, self._found
        total = self.sum[-1]
        mean = total / n
        memory.rest, memory.S = found["rest"][:, -1], found["S"][:, -1]
        memory.c += float(total @ found["gained"])
        memory.before = float(found["A"][-1])
        memory.t += n
        if gamma * self.on == 0:
            return
        a, aR, new = found["a"], found["aR"], found["new"]
        places = self.places
        memory.N[:, places] = found["N"][:, -1]
        average, drift = memory.slots(2)
        self.held.smooth += [average, drift]
        memory.means[average] = 1 - found["rest_s"] @ mean
        memory.means[drift] = memory.nodes.places * (found["rest_s"] @ (mean * self.eta))
        memory.N[:, average] = found["Nt"][:, -1] / n
        memory.C[:, average, average] = (2 * self.Nt_s + self.S_s) @ total / n**2
        cross = np.einsum("k,jkm->jm", mean, found["N_s"])
        memory.C[:, average, places] = memory.C[:, places, average] = cross
        D = memory.Delta
        D[average, average] += total @ (found["eps"] - 2 * gamma * new * aR)
        J = gamma * (total * new) @ a
        D[average, places] -= J
        D[places, average] -= J
        q = np.zeros(D.shape[0])
        q[places] = mean @ a
        q[average] += mean @ (found["pace"] + aR)
        D -= gamma * n * (mean @ new) * np.outer(q, q)
        D[drift] -= gamma * n * q
        D[:, drift] -= gamma * n * q
        D[drift, drift] -= gamma * n * (1 + gamma * float(mean @ found["alpha"]))

    def losses(self, steps: Array) -> tuple[Array, Array]:
        """Return losses and |u|^2 at steps within the macro step."""
        memory, found, n = self.memory, self._found, self.memory.nodes
        row = lagrange((steps - memory.t) / self.n)
        rest = memory.rest[:, None] * row[:, 0] + found["rest"] @ row[:, 1:].T
        S = memory.S[:, None] * row[:, 0] + found["S"] @ row[:, 1:].T
        c = memory.c + row[:, 1:] @ (self.sum @ found["gained"])
        loss = (n.signal @ rest**2 + n.variances @ S).real
        return np.asarray(loss), np.asarray(c)


def lagrange(places: Array) -> Array:
    """Return the interpolating polynomials through 0 and the Radau points at some places, shape (places, points + 1)."""
    c = radau()
    apart = c[:, None] - c + np.eye(c.size)
    offsets = places[:, None, None] - c + np.zeros((c.size, 1))
    offsets[:, np.arange(c.size), np.arange(c.size)] = 1.0
    return np.asarray(np.prod(offsets, axis=2) / np.prod(apart, axis=1))


def missing(u: Numbers, count: Array) -> Numbers:
    r"""Return :math:`1 - (1-u)^l`; 1 where the real power is of a negative number, which is small and alternates."""
    if u.dtype.kind == "c":
        return np.asarray(-np.expm1(count * np.log1p(-u)))
    positive = u < 1
    return np.where(positive, -np.expm1(count * np.log1p(-np.where(positive, u, 0.0))), 1.0)


def geometric(u: Numbers, count: Array) -> Numbers:
    r"""Return :math:`(1 - (1-u)^l)/u`."""
    tiny = np.abs(u) < _TINY
    return np.asarray(np.where(tiny, count, missing(u, count) / np.where(tiny, 1.0, u)))


class Pairs:
    r"""The matrices :math:`(1 - (\kappa_k \kappa_j)^l)/(1 - \kappa_k \kappa_j)` with :math:`\kappa = 1 - u`, for any l."""

    def __init__(self, u: Numbers) -> None:
        self.u, lost = u, u.T
        below = lost[:, None] * (1 - lost[:, :, None])
        below += lost[:, :, None]
        self.tiny = below.dtype.kind == "f" and float(below.min()) < _TINY
        self.tiny = self.tiny or (below.dtype.kind == "c" and bool(np.any(np.abs(below) < _TINY)))
        self.inverse = below if self.tiny else np.divide(1.0, below, out=below)

    def summed(self, gone: Numbers, count: Array, weighed: Numbers) -> Numbers:
        r"""Multiply those of l = `count` with vectors, from :math:`1 - \kappa^l`; shapes (nodes, times) all, but for count."""
        if self.tiny:
            rows = gone.T
            above = rows[:, :, None] + rows[:, None] * (1 - rows[:, :, None])
            none = np.abs(self.inverse) < _TINY
            ratio = np.where(none, count[:, None, None], above) / np.where(none, 1.0, self.inverse)
            return np.asarray(np.matmul(ratio, weighed.T[:, :, None])[:, :, 0].T)
        # 1 - r r' = g + (1 - g) g' with g = 1 - r: nothing cancels
        both = np.stack([weighed.T, (gone * weighed).T], axis=2)
        whole, part = np.moveaxis(np.matmul(self.inverse, both), 2, 0)
        return np.asarray(gone * whole.T + (1 - gone) * part.T)
