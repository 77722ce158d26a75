r"""One causal pass through the discrete-time equations, without iteration and without a history for each mode.

The equations as published keep a response matrix :math:`V_k = (1 + \lambda_k U)^{-1}` for each mode. All of them are functions of the
one strictly lower triangular matrix U, and only

.. math:: W_k = U V_k = V_k U, \qquad H_0 = \sum_k \lambda_k W_k, \qquad H_1 = \sum_k \lambda_k^2 W_k

enter. With :math:`A = K R_{22} R_\Delta` and :math:`D = R_{22} R_\Delta` the system becomes (b = 1/B or 1/P)

.. math::
    R_\Delta = 1 - b H_0 \ \text{(reuse)}, \quad R_\Delta = 1 \ \text{(online)}, \qquad D = R_\Delta (1 - H_0/N), \qquad
    U = A + \eta\gamma\, (C_w \circ \Theta) D,

.. math::
    E = b \bar\lambda C - b (H_1 C + C H_1^T) + F_2, \qquad C_2 = D E D^T + \hat c \hat c^T, \qquad C_w = A E A^T + h h^T,

.. math::
    \langle v_k v_k^T \rangle = w_k^{*2} m_k m_k^T + \frac{\sigma_w^2}{N} n_k n_k^T + W_k \Big[\frac{E}{N} + b \lambda_k C\Big] W_k^T,
    \qquad m_k = V_k 1, \quad n_k = V_k j,

where C is :math:`C_0 + \sigma^2 1 1^T` under reuse and its diagonal online, :math:`\bar\lambda = \sum_k \lambda_k`, and the vectors
:math:`\hat c, h, j` carry the initial readout weights:

.. math::
    k_0 = 1 + \eta^2\gamma\,\Theta (C_2 \circ \Theta)\, k_0, \qquad
    \hat c = -\frac{\sigma_w}{N} D G_0 k_0, \qquad h = \sigma_w k_0 + K \hat c, \qquad
    j = k_0 - \frac1N U G_0 k_0, \qquad G_0 = \bar\lambda - H_1 .

With a learning rate :math:`\eta_t` for each step these hold with :math:`\mathrm{diag}(\eta)` behind every :math:`\Theta`:
:math:`K = \Theta\,\mathrm{diag}(\eta)\,[1 + \gamma\, (C_2 \circ \Theta)\,\mathrm{diag}(\eta)\, K]`.

The rows of :math:`W_k` at time t solve a triangular system with the matrix
:math:`1 + \lambda_k U` of all earlier times: for all modes together that is a product of matrices,
block by block.

The letters of the code are those of the equations:

========================= ======================================================================
``U, A, D, E, H0, H1``    :math:`U, A, D, E, H_0, H_1`
``C0, C2, Cw, R_delta``   :math:`C_0, C_2, C_w, R_\Delta`, where asked for (C0 always under reuse)
``D_t, C2_t, F2_t, H_t``  row t of D, :math:`C_2, F_2`, and of both :math:`H_0, H_1`
``C_diagonal``            diagonal of C
``W, EW, C0W``            row t of :math:`W_k`, a row for each k; E and :math:`C_0` applied to it
``X, UX``                 :math:`V_k [E/N + b\lambda_k C] W_k^T`, column t, a row for each mode k; U applied to it
``m, n``                  :math:`m_k, n_k`, one row for each time
``k0, h, c, G0k0``        :math:`k_0, h/\sigma_w, \hat c/\sigma_w, G_0 k_0`
========================= ======================================================================
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ....equality import by_value
from ....reprs import short_repr
from .kernels import add_forces, solve_columns, solve_rows
from .modes import MarchModes

Array = NDArray[np.float64]

BLOCK, BLOCKS = 48, 6
"""Times to a block of the triangular systems, and blocks that share a product with all times beyond."""

PANEL = 128
"""Times to a panel where half of a triangular matrix is left out of a product with a vector."""


@short_repr
@dataclass(frozen=True)
@by_value
class Setting:
    """Parameters of a march; sizes enter by their inverses, 1/N and b = 1/B or 1/P, learning rates one per step."""

    steps: int
    inverse_features: float
    inverse_data: float
    reuse: bool
    learning_rates: Array
    richness: float
    initial_variance: float
    noise_variance: float
    matrices: bool


def squares(setting: Setting) -> int:
    """Return how many matrices over pairs of times a march holds."""
    rich = setting.richness > 0 or setting.matrices
    forced = rich or setting.inverse_features > 0
    error = setting.reuse or setting.matrices
    return (
        1
        + (setting.richness > 0)
        + rich
        + forced
        + error
        + 2 * setting.reuse
        + 3 * setting.matrices
    )


def entries(setting: Setting, modes: MarchModes) -> float:
    """Return how many numbers a march holds at once."""
    size = setting.steps + 1.0
    return squares(setting) * size**2 + size * (5 * modes.eigenvalues.size + 2 * modes.signal.size)


class March:
    r"""Matrices over pairs of times (later, earlier), filled row by row; those that are not needed are empty.

    Row t of everything needs rows before t only: `_move_weights` (A, C_w, U), `_respond` (W_k, H_0,
    H_1), `_fluctuate` (C_0, F_2), `_feed_back` (C, E, D, C_2), in this order.

    Attributes
    ----------
    U, C0, C2, Cw, R_delta : ndarray
        Matrices of which a result is made; the letters are explained at the top of this module.
    test_loss, train_loss, scale : ndarray
        What the march is for.
    """

    def __init__(self, setting: Setting, modes: MarchModes) -> None:
        size, count = setting.steps + 1, modes.eigenvalues.size
        self._setting, self._modes = setting, modes
        # correlations of weights are needed; errors differ from their mean; E is needed
        self._rich = setting.richness > 0 or setting.matrices
        self._fluctuates = setting.inverse_features > 0 or setting.inverse_data > 0
        forced = self._rich or setting.inverse_features > 0

        def square(needed: bool) -> Array:
            return np.zeros((size, size) if needed else (0, 0))

        def by_mode(needed: bool) -> Array:
            return np.zeros((count, size if needed else 0))

        self.U = square(True)
        self.A = (
            square(True) if setting.richness > 0 else self.U
        )  # the same where nothing is learned
        self.D, self.E = square(self._rich), square(forced)
        self.H0, self.H1 = square(setting.reuse), square(setting.reuse)
        self.C0 = square(setting.reuse or setting.matrices)
        self.C2, self.Cw = square(setting.matrices), square(setting.matrices)
        self.R_delta = np.eye(size if setting.matrices else 0)
        self.test_loss, self.train_loss, self.scale = np.zeros(size), np.zeros(size), np.ones(size)

        self.D_t, self.C2_t, self.F2_t = np.zeros(size), np.zeros(size), np.zeros(0)
        self.H_t = np.zeros((2, size))
        self.C_diagonal = np.zeros(size)
        self.W, self.X, self.UX = (by_mode(self._fluctuates) for _ in range(3))
        self.EW = by_mode(setting.inverse_features > 0)
        self.C0W = by_mode(setting.reuse and setting.inverse_data > 0)
        self.m = np.ones((size, modes.signal.size))
        self.n = np.ones((size if setting.initial_variance > 0 else 0, count))
        self.k0, self.h, self.c = np.ones(size), np.ones(size), np.zeros(size)
        self.G0k0 = np.zeros(size)

        self._ones, self._nothing = np.ones(size), np.zeros(count)
        self._trace = float(modes.variances.sum())
        # weights of sums over modes of lambda and of lambda^2 times something
        self._powers = np.stack([modes.variances, modes.variances * modes.eigenvalues])
        self.scale[0] += setting.richness * setting.initial_variance
        if setting.matrices:
            self.Cw[0, 0] = setting.initial_variance

    def run(self) -> int:
        """Fill all rows; return how many hold finite losses."""
        with np.errstate(all="ignore"):  # an unstable run may overflow: it ends there
            for t in range(self._setting.steps + 1):
                if t:
                    self._move_weights(t)
                self._respond(t)
                self._fluctuate(t)
                self._feed_back(t)
                if not math.isfinite(self.test_loss[t] + self.train_loss[t] + self.scale[t]):
                    return t
        return self._setting.steps + 1

    def residual(self) -> float:
        """Return how far the mean errors at the last step are from those by the other triangular solve."""
        last, eigenvalues = self._setting.steps, self._modes.signal_eigenvalues
        W = np.empty((eigenvalues.size, last))
        _solve_rows(self.U, self.U[last], eigenvalues, W, last)
        difference = self.m[last] - (1 - eigenvalues * W.sum(axis=1))  # V_k = 1 - lambda_k W_k
        return float(np.max(np.abs(difference), initial=0.0) / np.max(np.abs(self.m), initial=1.0))

    def _move_weights(self, t: int) -> None:
        """Fill row t of A, C_w and U from the rows before it."""
        setting, A, past = self._setting, self.A, slice(0, t)
        gamma, variance = setting.richness, setting.initial_variance
        rates, eta = setting.learning_rates[past], setting.learning_rates[t - 1]
        # K = Theta eta + gamma Theta eta (C_2 o Theta) eta K says that row t of K is row t - 1, plus
        # eta, plus what features moved by earlier signals add: C_2 at t - 1 with all times before.
        # The same recursion holds for A = K D, k_0 and h
        memory = eta * gamma * (rates[:-1] * self.C2_t[: t - 1])
        A[t, past] = A[t - 1, past] + eta * self.D_t[past]
        self.k0[t] = self.k0[t - 1] + memory @ self.k0[: t - 1]
        self.h[t] = self.h[t - 1] + eta * self.c[t - 1] + memory @ self.h[: t - 1]
        if gamma:
            A[t, : t - 1] += _combine(memory, A[: t - 1, : t - 1])
        if self._rich:
            # row t of C_w = A E A^T + sigma_w^2 h h^T, by two products with a vector
            Cw_t = _apply(A[: t + 1, past], _symmetric(self.E[past, past], A[t, past]))
            Cw_t += variance * self.h[t] * self.h[: t + 1]
            self.scale[t] = 1 + gamma * Cw_t[t]
            _store(self.Cw, t, Cw_t)
            if gamma:
                # U = A + gamma (C_w o Theta) eta D
                self.U[t, past] = A[t, past] + gamma * _combine(
                    rates * Cw_t[past], self.D[past, past]
                )

    def _respond(self, t: int) -> None:
        """Solve for row t of all W_k, w (1 + lambda_k U) = U_t, and add them up to H_0 and H_1."""
        if not self._fluctuates:
            return
        _solve_rows(self.U, self.U[t], self._modes.eigenvalues, self.W, t)
        np.matmul(self._powers, self.W[:, :t], out=self.H_t[:, :t])

    def _fluctuate(self, t: int) -> None:
        """Fill row t of C_0 and F_2: second moments of errors, summed with lambda and lambda^2."""
        setting, modes, now = self._setting, self._modes, slice(0, t + 1)
        U_t = self.U[t, :t]
        # m = V 1 from (1 + lambda U) m = 1
        self.m[t] = 1 - modes.signal_eigenvalues * (U_t @ self.m[:t])
        present = modes.signal * self.m[t]
        moments = np.stack([present, present * modes.signal_eigenvalues]) @ self.m[now].T
        if setting.initial_variance and setting.inverse_features:
            # n = V j the same way, with j = k_0 - U G_0 k_0/N
            self.G0k0[t] = self._trace * self.k0[t] - self.H_t[1, :t] @ self.k0[:t]
            j_t = self.k0[t] - setting.inverse_features * (U_t @ self.G0k0[:t])
            self.n[t] = j_t - modes.eigenvalues * (U_t @ self.n[:t])
            share = setting.initial_variance * setting.inverse_features
            moments += (share * self._powers * self.n[t]) @ self.n[now].T
        if self._fluctuates and t:
            # W_k [..] W_k^T is U times X_k, which solving for X_k finds on the way
            self._force(t)
            _solve_columns(self.U, modes.eigenvalues, self.X, self.UX, t)
            moments[:, :t] += self._powers @ self.UX[:, :t]
            moments[:, t] += self._powers @ (self.X[:, :t] @ U_t)
        self.test_loss[t] = moments[0, t]
        _store(self.C0, t, moments[0])
        self.F2_t = moments[1]

    def _force(self, t: int) -> None:
        """Put (E/N + b lambda C) W_k^T, column t, into X: what drives fluctuations of a mode."""
        setting, W, past = self._setting, self.W[:, :t], slice(0, t)
        shares = setting.inverse_data * self._modes.eigenvalues
        # the noise in C = C_0 + sigma^2 1 1^T adds the same to all times
        offsets = setting.noise_variance * W.sum(axis=1) if setting.reuse else self._nothing
        EW, CW = W, W
        if setting.inverse_features:
            EW = np.matmul(W, self.E[past, past], out=self.EW[:, past])
        if setting.reuse and setting.inverse_data:
            CW = np.matmul(W, self.C0[past, past], out=self.C0W[:, past])
        weights = self._ones if setting.reuse else self.C_diagonal
        add_forces(EW, setting.inverse_features, CW, weights, offsets, shares, self.X[:, past])

    def _feed_back(self, t: int) -> None:
        """Fill row t of C, E, D and C_2."""
        setting, past, now = self._setting, slice(0, t), slice(0, t + 1)
        b, n, noise = setting.inverse_data, setting.inverse_features, setting.noise_variance
        H0_t, H1_t = self.H_t[0, past], self.H_t[1, past]
        D_t, E_t = self.D_t[now], self.F2_t
        D_t[past], D_t[t] = -n * H0_t, 1.0
        self.C_diagonal[t] = self.train_loss[t] = self.test_loss[t] + noise
        if setting.reuse and b:
            self.H0[t, past], self.H1[t, past] = H0_t, H1_t
            C_t = self.C0[t, now] + noise
            # rows t of H_0 C and H_1 C; before t as sums over modes of C_0 W, which are known
            HC_t = np.empty((2, t + 1))
            HC_t[:, past] = self._powers @ self.C0W[:, past]
            HC_t[:, t] = self.H_t[:, past] @ self.C0[past, t]
            HC_t += noise * self.H_t[:, past].sum(axis=1, keepdims=True)
            # the diagonal of R_Delta C R_Delta^T, with R_Delta = 1 - b H_0
            self.train_loss[t] += b * (b * HC_t[0, past] - 2 * C_t[past]) @ H0_t
            E_t = E_t + b * (self._trace * C_t - HC_t[1] - _apply(self.H1[now, past], C_t[past]))
            # D = R_Delta (1 - H_0/N)
            D_t[past] += b * (n * _combine(H0_t, self.H0[past, past]) - H0_t)
        elif b:
            # C is diagonal: row t of H_1 C + C H_1^T is that of H_1 times the diagonal
            E_t = E_t - b * np.append(
                H1_t * self.C_diagonal[past], -self._trace * self.C_diagonal[t]
            )
        _store(self.E, t, E_t)
        if self._rich:
            # row t of C_2 = D E D^T + sigma_w^2 c c^T
            self.D[t, now] = D_t
            self.c[t] = -n * (D_t @ self.G0k0[now])
            self.C2_t[now] = _apply(self.D[now, now], self._forced_gain(t, D_t))
            self.C2_t[now] += setting.initial_variance * self.c[t] * self.c[now]
            _store(self.C2, t, self.C2_t[now])
        if self.R_delta.size and setting.reuse:
            self.R_delta[t, past] = -b * H0_t

    def _forced_gain(self, t: int, D_t: Array) -> Array:
        """Return column t of E D^T."""
        past, now, n = slice(0, t), slice(0, t + 1), self._setting.inverse_features
        if self._setting.reuse:
            return _symmetric(self.E[now, now], D_t)
        # online D is 1 - H_0/N, and E H_0^T before t is a sum over modes of E W, which is known
        ED_t = self.E[t, now].copy()
        if n and t:
            ED_t[past] -= n * (self._modes.variances @ self.EW[:, past])
            ED_t[t] += self.E[t, past] @ D_t[past]
        return ED_t


def _store(matrix: Array, t: int, row: Array) -> None:
    """Write a row of a symmetric matrix, if the matrix is kept."""
    if matrix.size:
        matrix[t, : t + 1] = row
        matrix[: t + 1, t] = row


def _solve_rows(U: Array, right: Array, eigenvalues: Array, W: Array, t: int) -> None:
    """Solve w (1 + lambda U) = r for all modes, from the last block of times to the first.

    U is strictly lower triangular, so that w at time s needs w at later times only. What they add
    to w U comes from one product of matrices for several blocks, another for what these add to
    each other, and a loop within the block.
    """
    width = BLOCK * BLOCKS
    end = t
    while end > 0:
        start = (end - 1) // width * width
        beyond = W[:, end:t] @ U[end:t, start:end]
        high = end
        while high > start:
            low = (high - 1) // BLOCK * BLOCK
            known = beyond[:, low - start : high - start]
            if high < end:
                known += W[:, high:end] @ U[high:end, low:high]
            solve_rows(U, right, eigenvalues, known, W, low, high)
            high = low
        end = start


def _solve_columns(U: Array, eigenvalues: Array, X: Array, UX: Array, t: int) -> None:
    """Turn right-hand sides g into the solutions of (1 + lambda U) x = g, from the first block of times to the last, and find U x."""
    width = BLOCK * BLOCKS
    for start in range(0, t, width):
        end = min(start + width, t)
        before = X[:, :start] @ U[start:end, :start].T
        for low in range(start, end, BLOCK):
            high = min(low + BLOCK, end)
            known = before[:, low - start : high - start]
            if low > start:
                known += X[:, start:low] @ U[low:high, start:low].T
            solve_columns(U, eigenvalues, known, X, UX, low, high)


def _apply(lower: Array, vector: Array) -> Array:
    """Multiply a lower triangular matrix with a vector, without the upper half."""
    found = np.empty((lower.shape[0], *vector.shape[1:]))
    for low in range(0, lower.shape[0], PANEL):
        high = low + PANEL
        found[low:high] = lower[low:high, :high] @ vector[:high]
    return found


def _combine(vector: Array, lower: Array) -> Array:
    """Multiply a row vector with a lower triangular matrix, without the upper half."""
    found = np.zeros(lower.shape[1])
    for low in range(0, lower.shape[0], PANEL):
        high = low + PANEL
        found[:high] += vector[low:high] @ lower[low:high, :high]
    return found


def _symmetric(matrix: Array, vector: Array) -> Array:
    """Multiply a symmetric matrix with a vector, without its upper half, which memory would take as long to deliver."""
    found = np.zeros(matrix.shape[0])
    for low in range(0, matrix.shape[0], PANEL):
        high = low + PANEL
        rows = matrix[low:high, :high]
        found[low:high] += rows @ vector[:high]
        found[:low] += vector[low:high] @ rows[:, :low]
    return found
