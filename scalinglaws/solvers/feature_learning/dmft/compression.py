r"""Fewer vectors for the memory of online SGD: noise in pairs, what is smooth by singular values.

The vectors e are new noise at every step, mutually almost orthogonal; in the long run only how they vary over a time comparable to
their own age and to their distance matters. Two neighbors that both stand for :math:`2^l` steps become their sum over
:math:`\sqrt2` once both their distance from now and their age at birth exceed :math:`W 2^{l+1}` steps: an error of second order in
1/W. (By the distance alone the young would be merged too early: that costs a factor of a hundred.)

The vectors g are smooth: with :math:`Y = Q F`, orthonormal in the metric :math:`y_i \cdot \Lambda y_j`, of the memory
:math:`Y \Delta Y^T` those directions are kept that it acts on by more than a tolerance.
"""

from __future__ import annotations

import numpy as np

from .memory import Array, Memory, Numbers

EVERY = 48
"""Steps between compressions of what is smooth."""

_SMALLEST = 1e-14  # eigenvalue of the scaled Gram matrix that counts, relative to the largest


class Compression:
    """Which vectors of a memory are smooth, and which are noise: lists of places, noise in order of time."""

    def __init__(self, memory: Memory, window: int, tolerance: float) -> None:
        self.memory, self.window, self.tolerance = memory, window, tolerance
        self.smooth: list[int] = [int(i) for i in np.flatnonzero(memory.used)]
        self.noise: list[tuple[int, int, int]] = []  # place, level, first step
        self._since = 0

    def step(self, rate: float, batch: float) -> None:
        """Take one step, and compress."""
        g, e = self.memory.step(rate, batch)
        if g < 0:
            return
        self.smooth.append(g)
        self.noise.append((e, 0, self.memory.t - 1))
        self._merge()
        self._since += 1
        if self._since >= EVERY:
            self.compress()

    def _merge(self) -> None:
        """Merge neighbors of equal level that are far enough away, and old enough at birth."""
        M, now, i = self.memory, self.memory.t, 0
        while i + 1 < len(self.noise):
            (first, level, born), (second, other, later) = self.noise[i : i + 2]
            far = self.window * 2 ** (level + 1)
            if level != other or born < far or now - later <= far:
                i += 1
                continue
            half = np.sqrt(0.5)
            M.means[first] = half * (M.means[first] + M.means[second])
            M.N[:, first] = half * (M.N[:, first] + M.N[:, second])
            M.Delta[first] = half * (M.Delta[first] + M.Delta[second])
            M.Delta[:, first] = half * (M.Delta[:, first] + M.Delta[:, second])
            M.C[:, first] = half * (M.C[:, first] + M.C[:, second])
            M.C[:, :, first] = half * (M.C[:, :, first] + M.C[:, :, second])
            M.release([second])
            self.noise[i : i + 2] = [(first, level + 1, born)]
            i = max(i - 1, 0)

    def compress(self) -> None:
        """Keep of the smooth vectors those directions that matter."""
        self._since = 0
        places = self.smooth
        if len(places) < 2:
            return
        M, others = self.memory, [place for place, *_ in self.noise]
        turn, back = self._directions(places, others)
        kept, gone = places[: turn.shape[1]], places[turn.shape[1] :]
        inner = back @ M.Delta[np.ix_(places, places)] @ back.T
        outer = back @ M.Delta[np.ix_(places, others)]
        means, N = turn.T @ M.means[places], M.N[:, places] @ turn
        C = _turned(M.C[:, places][:, :, places], turn)
        cross = np.matmul(turn.T.astype(M.kind), M.C[:, places][:, :, others])
        M.release(gone)
        M.means[kept], M.N[:, kept] = means, N
        M.Delta[np.ix_(kept, kept)] = (inner + inner.T) / 2
        M.Delta[np.ix_(kept, others)], M.Delta[np.ix_(others, kept)] = outer, outer.T
        for i, place in enumerate(kept):
            M.C[:, place, kept] = C[:, i]
            M.C[:, place, others] = M.C[:, others, place] = cross[:, i]
        self.smooth = kept

    def _directions(self, places: list[int], others: list[int]) -> tuple[Array, Array]:
        """Return the combinations of vectors to keep, one in each column; and in them what each vector is."""
        M = self.memory
        metric = gram(M, places)
        size = np.sqrt(np.maximum(np.diag(metric), 1e-300))
        values, vectors = np.linalg.eigh(metric / size[:, None] / size)
        good = values > _SMALLEST * values[-1]
        root, vectors = np.sqrt(values[good]), vectors[:, good]
        F = root[:, None] * vectors.T * size
        acts = [F @ M.Delta[np.ix_(places, places)] @ F.T]
        if others:
            value, vector = np.linalg.eigh(gram(M, others))
            rooted = vector * np.sqrt(np.maximum(value, 0.0))
            acts.append(F @ M.Delta[np.ix_(places, others)] @ rooted)
        left, strength, _ = np.linalg.svd(np.concatenate(acts, axis=1), full_matrices=False)
        count = max(int(np.sum(strength > self.tolerance * M.nodes.largest)), 1)
        left = left[:, :count]
        return (vectors / root) @ left / size[:, None], left.T @ F

    def forget_noise(self) -> None:
        """Keep of the noise its mean only, which is smooth."""
        M = self.memory
        places = [place for place, *_ in self.noise]
        M.N[:, places] = 0.0
        M.C[:, places] = 0.0
        M.C[:, :, places] = 0.0
        self.smooth, self.noise = [*self.smooth, *places], []
        self.compress()


def gram(memory: Memory, places: list[int]) -> Array:
    r"""Return :math:`y_i \cdot \Lambda y_j`."""
    n, means = memory.nodes, memory.means[places]
    among = memory.C[:, places][:, :, places]
    found = (means * n.signal) @ means.T + np.tensordot(n.variances, among, 1)
    real: Array = found.real
    return np.asarray((real + real.T) / 2)


def _turned(C: Numbers, turn: Array) -> Numbers:
    """Return covariances of combinations."""
    given = turn.astype(C.dtype)
    return np.asarray(np.matmul(given.T, np.matmul(C, given)))
