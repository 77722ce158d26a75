"""Random problems, rotated into the directions in which gradient descent does not mix anything."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ...arguments import afford
from ...equality import by_value
from ...reprs import short_repr
from ...solvers import _jit
from ...solvers.spectra import Spectrum

Array = NDArray[np.float64]

_WELL_CONDITIONED = 1e-6  # ratio of eigenvalues down to which all are good to ten digits
_NULL = 1e-13  # singular values below this share of the largest one are rounding errors of zero
_BLOCK = 1 << 22  # numbers in a temporary array of errors


def listed(spectrum: Spectrum) -> tuple[Array, Array]:
    """Return eigenvalues and signals one by one; refuse more than fit into memory."""
    if math.isfinite(spectrum.size):
        afford_draw(spectrum.size)
    return spectrum.explicit()


def afford_draw(entries: float) -> None:
    """Refuse a draw that would not fit into memory."""
    afford(entries, "one draw", "use fewer modes, samples, features or times")


def table(*shape: int) -> Array:
    """Return an empty array for what all draws will show; refuse one that would not fit into memory."""
    afford(float(math.prod(shape)), "the results", "use fewer draws, or fewer points for each")
    return np.empty(shape)


@short_repr
@dataclass(frozen=True)
@by_value
class Population:
    r"""Learning from unlimited data: error amplitudes along the eigenvectors of :math:`\Sigma^{1/2} F \Sigma^{1/2}`.

    Attributes
    ----------
    rates : ndarray, shape (r,)
        Eigenvalues that are not structurally zero, r = min(N, M).
    amplitudes : ndarray, shape (r,)
        Components of :math:`\Sigma^{1/2} w^*` along the eigenvectors.
    floor : float
        Squared length of what is left of :math:`\Sigma^{1/2} w^*`: the loss that no readout can reduce.
    noise_variance : float
        Variance of the label noise.
    """

    rates: Array
    amplitudes: Array
    floor: float
    noise_variance: float

    def losses(self, left: Array, moved: Array) -> tuple[Array, Array]:
        """Return test and train loss where the share `left`, shape (r, T), of each amplitude is left."""
        return self._losses(self.amplitudes[:, None] * left)

    def losses_of(self, readouts: Array) -> tuple[Array, Array]:
        """Return test and train loss of readouts, shape (r, T), in the basis of the eigenvectors."""
        return self._losses(self.amplitudes[:, None] - np.sqrt(self.rates)[:, None] * readouts)

    def heated_losses(
        self, left: Array, moved: Array, along: Array, free: Array
    ) -> tuple[Array, Array]:
        """Return losses with noise in the readouts, `along` the eigenvectors; what is `free` of them changes no loss."""
        return self._losses(self.amplitudes[:, None] * left - np.sqrt(self.rates)[:, None] * along)

    @property
    def dimensions(self) -> tuple[int, int]:
        """Return how many directions of readouts have a rate, and in how many dimensions noise must be drawn for the others."""
        return self.rates.size, 0

    def _losses(self, error: Array) -> tuple[Array, Array]:
        test = self.floor + np.sum(error**2, axis=0)
        return test, test + self.noise_variance


@short_repr
@dataclass(frozen=True)
@by_value
class Regression:
    r"""Learning from P samples: singular vectors of the matrix H of hidden features, shape (P, N).

    Attributes
    ----------
    rates : ndarray, shape (r,)
        Squared singular values over P, of which r = min(N, M, P) are not structurally zero.
    labels : ndarray, shape (r,)
        Components of the labels along the left singular vectors.
    rest : float
        Squared length of what is left of the labels.
    right : ndarray, shape (r, N)
        Right singular vectors.
    projection : ndarray, shape (N, M), or None
        :math:`A/\sqrt N`; None for the identity.
    scale, target : ndarray, shape (M,)
        :math:`\Sigma^{1/2}` and :math:`\Sigma^{1/2} w^*`.
    samples : int
        P.
    """

    rates: Array
    labels: Array
    rest: float
    right: Array
    projection: Array | None
    scale: Array
    target: Array
    samples: int

    def losses(self, left: Array, moved: Array) -> tuple[Array, Array]:
        """Return test and train loss where the residual has shrunk to `left`, its sum over time being `moved`, shape (r, T)."""
        return self._losses(
            self.labels[:, None] * left,
            (self.labels * np.sqrt(self.rates / self.samples))[:, None] * moved,
        )

    def losses_of(self, readouts: Array) -> tuple[Array, Array]:
        """Return test and train loss of readouts, shape (r, T), in the basis of the right singular vectors."""
        return self._losses(
            self.labels[:, None] - np.sqrt(self.samples * self.rates)[:, None] * readouts, readouts
        )

    def heated_losses(
        self, left: Array, moved: Array, along: Array, free: Array
    ) -> tuple[Array, Array]:
        """Return losses with noise in the readouts: `along` the right singular vectors, and whatever of `free` is normal to them."""
        readout = (self.labels * np.sqrt(self.rates / self.samples))[:, None] * moved + along
        residual = self.labels[:, None] - np.sqrt(self.samples * self.rates)[:, None] * readout
        train = (np.sum(residual**2, axis=0) + self.rest) / self.samples
        weights = self.right.T @ (readout - self.right @ free) + free
        found = self.scale[:, None] * self._learned(weights)
        return np.sum((self.target[:, None] - found) ** 2, axis=0), train

    @property
    def dimensions(self) -> tuple[int, int]:
        """Return how many directions of readouts have a rate, and in how many dimensions noise must be drawn for the others."""
        return self.right.shape

    def _losses(self, residual: Array, readout: Array) -> tuple[Array, Array]:
        train = (np.sum(residual**2, axis=0) + self.rest) / self.samples
        rank, times = readout.shape
        learns, target = None, self.target
        if times > rank:  # many times: triangularize the map from readouts to errors, once
            columns = np.column_stack([self.scale[:, None] * self._learned(self.right.T), target])
            if columns.shape[0] > rank + 1:
                columns = _triangular(columns)
            learns, target = columns[:, :-1], columns[:, -1]
        test = np.empty(times)
        block = max(1, _BLOCK // target.size)
        for start in range(0, times, block):
            part = readout[:, start : start + block]
            found = (
                self.scale[:, None] * self._learned(self.right.T @ part)
                if learns is None
                else learns @ part
            )
            test[start : start + block] = np.sum((target[:, None] - found) ** 2, axis=0)
        return test, train

    def _learned(self, readouts: Array) -> Array:
        return readouts if self.projection is None else self.projection.T @ readouts


def problems(
    source: np.random.Generator,
    draws: int,
    eigenvalues: Array,
    signal: Array,
    features: int | None,
    samples: int | None,
    noise_variance: float,
) -> Iterator[Population | Regression]:
    """Draw problems, each from a stream of its own, so that draw i does not depend on how many are asked for."""
    for problem, _ in problems_and_streams(
        source, draws, eigenvalues, signal, features, samples, noise_variance
    ):
        yield problem


def problems_and_streams(
    source: np.random.Generator,
    draws: int,
    eigenvalues: Array,
    signal: Array,
    features: int | None,
    samples: int | None,
    noise_variance: float,
) -> Iterator[tuple[Population | Regression, np.random.Generator]]:
    """Draw problems, each with what its stream still holds."""
    if samples is None:
        yield from populations(source, draws, eigenvalues, signal, features, noise_variance)
        return
    modes = eigenvalues.size
    columns = features or modes
    afford_draw((samples + 2 * (features or 0)) * modes + 2 * samples * columns)
    scale, target, root = np.sqrt(eigenvalues), np.sqrt(signal / eigenvalues), np.sqrt(signal)
    inputs = np.empty(
        (samples, modes)
    )  # one buffer for all draws: fresh memory would cost as much as the numbers in it
    projection = None if features is None else np.empty((features, modes))
    rank = min(samples, columns, modes)
    for _ in range(draws):
        rng = source.spawn(1)[0]
        fill(rng, inputs)
        inputs *= scale
        labels = inputs @ target + math.sqrt(noise_variance) * rng.standard_normal(samples)
        hidden = inputs
        if projection is not None:
            fill(rng, projection)
            projection /= math.sqrt(projection.shape[0])
            hidden = inputs @ projection.T
        values, along, rest, right = _decomposed(hidden, labels, rank)
        out_of_reach = float(rest @ rest) if rank < samples else 0.0
        yield (
            Regression(
                values**2 / samples, along, out_of_reach, right, projection, scale, root, samples
            ),
            rng,
        )


def populations(
    source: np.random.Generator,
    draws: int,
    eigenvalues: Array,
    signal: Array,
    features: int | None,
    noise_variance: float,
) -> Iterator[tuple[Population, np.random.Generator]]:
    """Draw problems with unlimited data, each with what its stream still holds."""
    scale, root = np.sqrt(eigenvalues), np.sqrt(signal)
    if features is None:
        for _ in range(draws):
            yield Population(eigenvalues, root, 0.0, noise_variance), source.spawn(1)[0]
        return
    modes = eigenvalues.size
    afford_draw(3 * (features + 1) * modes)
    rows = np.empty((features + 1, modes))
    for _ in range(draws):
        rng = source.spawn(1)[0]
        fill(rng, rows[:-1])
        rows[:-1] *= scale / math.sqrt(features)
        if features < modes:
            # triangularize the features with the target as a last column: what is left of it is its distance from their span
            rows[-1] = root
            triangle = _triangular(rows.T)
            vectors, values, _ = np.linalg.svd(triangle[:-1, :-1])
            amplitudes, floor = triangle[:-1, -1] @ vectors, float(triangle[-1, -1] ** 2)
        else:
            vectors, values, _ = np.linalg.svd(_triangular(rows[:-1]).T)
            amplitudes, floor = root @ vectors, 0.0
        yield Population(_without_rounding(values) ** 2, amplitudes, floor, noise_variance), rng


def _decomposed(matrix: Array, labels: Array, rank: int) -> tuple[Array, Array, Array, Array]:
    """Return singular values, components of the labels along left singular vectors, what is left of them, right vectors."""
    wide = matrix.shape[0] < matrix.shape[1]
    squares, vectors = np.linalg.eigh(matrix @ matrix.T if wide else matrix.T @ matrix)
    squares, vectors = squares[-rank:], vectors[:, -rank:]
    if squares[0] > _WELL_CONDITIONED * squares[-1]:
        values = np.sqrt(squares)
        if wide:
            along, right = labels @ vectors, (matrix.T @ (vectors / values)).T
            return values, along, labels - vectors @ along, right
        along = ((labels @ matrix) @ vectors) / values
        return values, along, labels - matrix @ (vectors @ (along / values)), vectors.T
    # squaring has cost the smallest singular values too many digits
    left, values, right = np.linalg.svd(matrix, full_matrices=False)
    left, values, right = left[:, :rank], values[:rank], right[:rank]
    along = labels @ left
    return _without_rounding(values), along, labels - left @ along, right


def _without_rounding(values: Array) -> Array:
    """Return singular values with zero in place of rounding errors, so that these directions are never learned."""
    return np.where(values > _NULL * values[0], values, 0.0)


def _triangular(matrix: Array) -> Array:
    """Return the triangular factor of a QR decomposition."""
    return np.asarray(np.linalg.qr(matrix, mode="r"))


def fill(rng: np.random.Generator, out: Array) -> None:
    """Fill a contiguous array with standard normal numbers: the generator's own, from a compiled loop (three times as fast)."""
    if _jit.JIT:
        _fill(rng, out.reshape(-1))
    else:
        rng.standard_normal(out=out)


@_jit.njit
def _fill(rng: np.random.Generator, out: Array) -> None:
    for i in range(out.size):
        out[i] = rng.standard_normal()
