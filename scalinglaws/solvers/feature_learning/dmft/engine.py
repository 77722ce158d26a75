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
:math:`\hat c, h, j` carry the initial readout weights. The rows of :math:`W_k` at time t solve a triangular system with the matrix
:math:`1 + \lambda_k U` of all earlier times: for all modes together that is a product of matrices, block by block.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .kernels import add_forces, solve_columns, solve_rows
from .modes import MarchModes

Array = NDArray[np.float64]

BLOCK = 48
"""Times to a block of the triangular systems."""

PANEL = 128
"""Times to a panel where half of a triangular matrix is left out of a product with a vector."""


@dataclass(frozen=True)
class Setting:
    """Parameters of a march; sizes enter by their inverses."""

    steps: int
    inverse_features: float
    inverse_data: float
    reuse: bool
    learning_rate: float
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
    return squares(setting) * size**2 + size * (4 * modes.eigenvalues.size + 2 * modes.signal.size)


class March:
    r"""Matrices over pairs of times (later, earlier), filled row by row; those that are not needed are empty.

    Attributes
    ----------
    response : ndarray
        U, strictly lower triangular: minus the response of the error of a slow mode to a force, per unit eigenvalue.
    error, gradient, weight : ndarray
        :math:`C_0, C_2, C_w`.
    data_response : ndarray
        :math:`R_\Delta`.
    test_loss, train_loss, scale : ndarray
        What the march is for.
    """

    def __init__(self, setting: Setting, modes: MarchModes) -> None:
        size = setting.steps + 1
        self._setting, self._modes = setting, modes
        self._rich = (
            setting.richness > 0 or setting.matrices
        )  # correlations of the weights are needed
        self._fluctuates = (
            setting.inverse_features > 0 or setting.inverse_data > 0
        )  # errors differ from their mean
        self._forced = self._rich or setting.inverse_features > 0

        def square(needed: bool) -> Array:
            return np.zeros((size, size) if needed else (0, 0))

        self.response = square(True)
        self._drive = (
            square(True) if setting.richness > 0 else self.response
        )  # A, the same as U where nothing is learned
        self._gain = square(self._rich)  # D
        self._forcing = square(self._forced)  # E
        self.error = square(setting.reuse or setting.matrices)
        self._first, self._second = square(setting.reuse), square(setting.reuse)  # H_0, H_1
        self.gradient, self.weight = square(setting.matrices), square(setting.matrices)
        self.data_response = np.eye(size if setting.matrices else 0)
        self.test_loss, self.train_loss, self.scale = np.zeros(size), np.zeros(size), np.ones(size)

        self._last_gain, self._last_gradient = np.zeros(size), np.zeros(size)  # rows of D and C_2
        self._residual = np.zeros(size)  # diagonal of C
        self._mean = np.ones((size, modes.signal.size))  # m
        self._initial = np.ones(
            (size if setting.initial_variance > 0 else 0, modes.eigenvalues.size)
        )  # n
        self._start, self._carried, self._pushed = (
            np.ones(size),
            np.ones(size),
            np.zeros(size),
        )  # k_0, h, c per sigma_w
        self._source = np.zeros(size)  # G_0 k_0
        self.scale[0] += setting.richness * setting.initial_variance
        if setting.matrices:
            self.weight[0, 0] = setting.initial_variance

        def columns(needed: bool) -> Array:
            return np.zeros((size if needed else 0, modes.eigenvalues.size))

        self._rows, self._columns = columns(self._fluctuates), columns(self._fluctuates)
        self._forced_rows = columns(setting.inverse_features > 0)  # E applied to the rows
        self._met_rows = columns(
            setting.reuse and setting.inverse_data > 0
        )  # C_0 applied to the rows
        self._ones, self._nothing = np.ones(size), np.zeros(modes.eigenvalues.size)
        self._trace = float(modes.variances.sum())
        self._powers = np.stack([modes.variances, modes.variances * modes.eigenvalues])
        self._sums = np.zeros((2, size))  # rows of H_0 and H_1
        self._moment = np.zeros(0)  # row of F_2

    def run(self) -> int:
        """Fill all rows; return how many hold finite losses."""
        with np.errstate(all="ignore"):  # an unstable run may overflow: it ends there
            for t in range(self._setting.steps + 1):
                if t:
                    self._advance(t)
                self._respond(t)
                self._fluctuate(t)
                self._feed_back(t)
                if not math.isfinite(self.test_loss[t] + self.train_loss[t] + self.scale[t]):
                    return t
        return self._setting.steps + 1

    def residual(self) -> float:
        """Return how far the mean errors at the last step are from those by the other triangular solve."""
        last, eigenvalues = self._setting.steps, self._modes.signal_eigenvalues
        rows = np.empty((last, eigenvalues.size))
        _solve_rows(self.response, self.response[last], eigenvalues, rows, last)
        difference = self._mean[last] - (1 - eigenvalues * rows.sum(axis=0))
        return float(
            np.max(np.abs(difference), initial=0.0) / np.max(np.abs(self._mean), initial=1.0)
        )

    def _advance(self, t: int) -> None:
        """Fill row t of A, C_w and U from the rows before it."""
        setting, drive, past = self._setting, self._drive, slice(0, t)
        eta, gamma, variance = setting.learning_rate, setting.richness, setting.initial_variance
        memory = eta**2 * gamma * self._last_gradient[: t - 1]
        drive[t, past] = drive[t - 1, past] + eta * self._last_gain[past]
        self._start[t] = self._start[t - 1] + memory @ self._start[: t - 1]
        self._carried[t] = (
            self._carried[t - 1] + eta * self._pushed[t - 1] + memory @ self._carried[: t - 1]
        )
        if gamma:
            drive[t, : t - 1] += _combine(memory, drive[: t - 1, : t - 1])
        if self._rich:
            weight = _apply(drive[: t + 1, past], self._forcing[past, past] @ drive[t, past])
            weight += variance * self._carried[t] * self._carried[: t + 1]
            self.scale[t] = 1 + gamma * weight[t]
            _store(self.weight, t, weight)
            if gamma:
                self.response[t, past] = drive[t, past] + eta * gamma * _combine(
                    weight[past], self._gain[past, past]
                )

    def _respond(self, t: int) -> None:
        """Solve for row t of all W_k, and add them up."""
        if not self._fluctuates:
            return
        _solve_rows(self.response, self.response[t], self._modes.eigenvalues, self._rows, t)
        np.matmul(self._powers, self._rows[:t].T, out=self._sums[:, :t])

    def _fluctuate(self, t: int) -> None:
        """Fill row t of C_0 and F_2, the second moments of the errors summed over modes."""
        setting, modes, now = self._setting, self._modes, slice(0, t + 1)
        row = self.response[t, :t]
        self._mean[t] = 1 - modes.signal_eigenvalues * (row @ self._mean[:t])
        present = modes.signal * self._mean[t]
        moments = np.stack([present, present * modes.signal_eigenvalues]) @ self._mean[now].T
        if setting.initial_variance and setting.inverse_features:
            self._source[t] = self._trace * self._start[t] - self._sums[1, :t] @ self._start[:t]
            carried = self._start[t] - setting.inverse_features * (row @ self._source[:t])
            self._initial[t] = carried - modes.eigenvalues * (row @ self._initial[:t])
            share = setting.initial_variance * setting.inverse_features
            moments += (share * self._powers * self._initial[t]) @ self._initial[now].T
        if self._fluctuates and t:
            self._force(t)
            _solve_columns(self.response, modes.eigenvalues, self._columns, t)
            moments += _apply(self.response[now, :t], self._columns[:t] @ self._powers.T).T
        self.test_loss[t] = moments[0, t]
        _store(self.error, t, moments[0])
        self._moment = moments[1]

    def _force(self, t: int) -> None:
        """Put what drives the fluctuations of each mode into the columns: (E/N + b lambda C) applied to its row of W."""
        setting, rows, past = self._setting, self._rows[:t], slice(0, t)
        shares = setting.inverse_data * self._modes.eigenvalues
        offsets = setting.noise_variance * rows.sum(axis=0) if setting.reuse else self._nothing
        forced, met = rows, rows
        if setting.inverse_features:
            forced = np.matmul(self._forcing[past, past], rows, out=self._forced_rows[past])
        if setting.reuse and setting.inverse_data:
            met = np.matmul(self.error[past, past], rows, out=self._met_rows[past])
        weights = self._ones if setting.reuse else self._residual
        add_forces(
            forced, setting.inverse_features, met, weights, offsets, shares, self._columns[past]
        )

    def _feed_back(self, t: int) -> None:
        """Fill row t of C, E, D and C_2."""
        setting, past, now = self._setting, slice(0, t), slice(0, t + 1)
        b, n, noise = setting.inverse_data, setting.inverse_features, setting.noise_variance
        first, second = self._sums[0, past], self._sums[1, past]
        gain, forcing = self._last_gain[now], self._moment
        gain[past], gain[t] = -n * first, 1.0
        self._residual[t] = self.train_loss[t] = self.test_loss[t] + noise
        if setting.reuse and b:
            self._first[t, past], self._second[t, past] = first, second
            residual = self.error[t, now] + noise
            seen = np.empty((2, t + 1))  # H C for the two H
            seen[:, past] = self._powers @ self._met_rows[past].T
            seen[:, t] = self._sums[:, past] @ self.error[past, t]
            seen += noise * self._sums[:, past].sum(axis=1, keepdims=True)
            self.train_loss[t] += b * (b * seen[0, past] - 2 * residual[past]) @ first
            forcing = forcing + b * (
                self._trace * residual - seen[1] - _apply(self._second[now, past], residual[past])
            )
            gain[past] += b * (n * _combine(first, self._first[past, past]) - first)
        elif b:
            forcing = forcing - b * np.append(
                second * self._residual[past], -self._trace * self._residual[t]
            )
        _store(self._forcing, t, forcing)
        if self._rich:
            self._gain[t, now] = gain
            self._pushed[t] = -n * (gain @ self._source[now])
            self._last_gradient[now] = _apply(self._gain[now, now], self._forced_gain(t, gain))
            self._last_gradient[now] += (
                setting.initial_variance * self._pushed[t] * self._pushed[now]
            )
            _store(self.gradient, t, self._last_gradient[now])
        if self.data_response.size and setting.reuse:
            self.data_response[t, past] = -b * first

    def _forced_gain(self, t: int, gain: Array) -> Array:
        """Return E D, one row."""
        past, now, n = slice(0, t), slice(0, t + 1), self._setting.inverse_features
        if self._setting.reuse:
            return self._forcing[now, now] @ gain
        forced = self._forcing[
            t, now
        ].copy()  # online D is 1 - H_0/N, and E H_0 is a sum of columns that are known
        if n and t:
            forced[past] -= n * (self._forced_rows[past] @ self._modes.variances)
            forced[t] += self._forcing[t, past] @ gain[past]
        return forced


def _store(matrix: Array, t: int, row: Array) -> None:
    """Write a row of a symmetric matrix, if the matrix is kept."""
    if matrix.size:
        matrix[t, : t + 1] = row
        matrix[: t + 1, t] = row


def _solve_rows(response: Array, right: Array, eigenvalues: Array, rows: Array, t: int) -> None:
    """Solve w (1 + lambda U) = r for all modes, from the last block of times to the first."""
    known = np.zeros((BLOCK, eigenvalues.size))
    high = t
    while high > 0:
        low = (high - 1) // BLOCK * BLOCK
        if high < t:
            np.matmul(response[high:t, low:high].T, rows[high:t], out=known)
        solve_rows(response, right, eigenvalues, known, rows, low, high)
        high = low


def _solve_columns(response: Array, eigenvalues: Array, columns: Array, t: int) -> None:
    """Turn right-hand sides g into the solutions of (1 + lambda U) x = g, from the first block of times to the last."""
    known = np.zeros((BLOCK, eigenvalues.size))
    for low in range(0, t, BLOCK):
        high = min(low + BLOCK, t)
        if low:
            np.matmul(response[low:high, :low], columns[:low], out=known[: high - low])
        solve_columns(response, eigenvalues, known, columns, low, high)


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
