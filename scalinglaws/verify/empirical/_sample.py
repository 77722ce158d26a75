"""A sample of a task: its rows by their Gram matrix or their features, its labels, and the modes of both."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from ...arguments import afford
from ...equality import by_value
from ...errors import DataError
from ...reprs import short_repr
from ._eigenpairs import leading_pairs

Array = NDArray[np.float64]
Rows = NDArray[np.intp]

_LARGEST = 1e140  # of labels and coefficients: sums of squares, and ratios of them, stay in range


@short_repr
@by_value
@dataclass(frozen=True)
class Modes:
    r"""What a sample has in each of its leading modes.

    Attributes
    ----------
    eigenvalues : ndarray, shape (m,)
        :math:`\hat\lambda_k` of K/n in falling order, as far as they are above rounding errors.
    shares : ndarray, shape (m,)
        :math:`|u_k^T Y|^2/|Y|^2` of the centered labels.
    power : float
        :math:`|Y|^2/n` of the centered labels.
    samples : float
        n; inf for the modes of a population.
    rank : float
        How many modes there are in all; inf if they are not known to end.
    """

    eigenvalues: Array
    shares: Array
    power: float
    samples: float
    rank: float = math.inf


@short_repr
@by_value
@dataclass(frozen=True)
class Sample:
    """Rows of data.

    Attributes
    ----------
    kernel : ndarray, shape (n, n) or (n, d)
        Gram matrix K, or features F with d < n, of which the Gram matrix is never formed.
    labels : ndarray, shape (n, c)
        One column for each output.
    is_gram : bool
        Which of the two it is.
    center : bool
        Whether features are centered on their mean over the rows.
    precision : float
        Relative rounding errors of the entries.
    """

    kernel: Array
    labels: Array
    is_gram: bool
    center: bool = False
    precision: float = float(np.finfo(float).eps)

    @property
    def size(self) -> int:
        """Number of rows, n."""
        return int(self.kernel.shape[0])

    def part(self, rows: Rows) -> Sample:
        """Return a sample of some of the rows."""
        if self.is_gram:
            afford(2.0 * rows.size**2, f"the Gram matrix of {rows.size} points", "use fewer points")
        chosen = self.kernel[np.ix_(rows, rows)] if self.is_gram else self.kernel[rows]
        return replace(self, kernel=chosen, labels=self.labels[rows])

    def modes(self, count: int) -> Modes:
        """Return the leading modes, as many as asked for or as lie above rounding errors.

        Raises
        ------
        DataError
            If labels do not vary, or there is no mode at all.
        """
        labels = centered_labels(self.labels)
        power = float(np.mean(np.sum(labels**2, axis=1)))
        values, projections = self._pairs(labels, min(count, *self.kernel.shape))
        floor = math.sqrt(self.size) * self.precision * float(values[0])
        if not values[0] > 0:
            raise DataError(
                "no eigenvalue of the Gram matrix is positive: inputs do not differ, or it is none"
            )
        kept = int(np.sum(values > floor))
        width = math.inf if self.is_gram else self.kernel.shape[1]
        rank = float(kept) if kept < values.size else width
        shares = np.sum(projections[:kept] ** 2, axis=1) / (self.size * power)
        return Modes(values[:kept], shares, power, float(self.size), rank)

    def _pairs(self, labels: Array, count: int) -> tuple[Array, Array]:
        """Return eigenvalues of K/n, and the products of unit eigenvectors with labels."""
        if self.is_gram:
            matrix = centered_gram(self.kernel) if self.center else self.kernel
            values, vectors = leading_pairs(matrix, count)
            return values / self.size, vectors.T @ labels
        features = self.kernel - self.kernel.mean(axis=0) if self.center else self.kernel
        values, vectors = leading_pairs(features.T @ features, count)
        # eigenvectors of the Gram matrix are the features' products with those of the covariance, made unit vectors
        products = vectors.T @ (features.T @ labels)
        return values / self.size, products / np.sqrt(np.maximum(values, np.finfo(float).tiny))[
            :, None
        ]

    def extended_residual(self, rows: Rows, others: Rows, modes: Rows) -> Array:
        r"""Return what regression on leading modes of some rows leaves of the labels of others, over their power.

        .. math:: f_k(x) = \sum_{i \le k} \frac{1}{m\hat\lambda_i} K(x, X) u_i\, u_i^T Y

        Parameters
        ----------
        rows, others : ndarray of int
            The m rows that are learned from, and those that test.
        modes : ndarray of int
            k, increasing.

        Returns
        -------
        ndarray
            For each k.
        """
        learned, tested = self.part(rows), self.part(others)
        mean = learned.labels.mean(axis=0)
        known, wanted = learned.labels - mean, tested.labels - mean
        most = int(modes[-1])
        if self.is_gram:
            square, cross = learned.kernel, self.kernel[np.ix_(others, rows)]
            if self.center:
                columns = square.mean(axis=0)
                cross = cross - cross.mean(axis=1, keepdims=True) - columns + columns.mean()
                square = centered_gram(square)
            values, vectors = leading_pairs(square, most)
            reached, weights = cross @ vectors, (vectors.T @ known) / values[:, None]
        else:
            shift = learned.kernel.mean(axis=0) if self.center else 0.0
            features, new = learned.kernel - shift, tested.kernel - shift
            values, vectors = leading_pairs(features.T @ features, most)
            reached = new @ vectors
            weights = (vectors.T @ (features.T @ known)) / values[:, None]
        left, first, residual = wanted, 0, []
        for last in map(int, modes):
            left = left - reached[:, first:last] @ weights[first:last]
            residual.append(float(np.sum(left**2)))
            first = last
        return np.array(residual) / float(np.sum(centered_labels(tested.labels) ** 2))


def centered_labels(labels: Array) -> Array:
    """Return labels less their mean; refuse labels that do not vary, or whose squares are no floats."""
    scale = float(np.max(np.abs(labels)))
    if scale > 0:
        refuse_extreme("labels", scale)
    away = labels - labels.mean(axis=0)
    if not float(np.max(np.abs(away))) > 1e-12 * scale:
        raise DataError("labels are constant: there is nothing to learn; give labels that vary")
    return np.asarray(away)


def refuse_extreme(name: str, largest: float) -> None:
    """Refuse numbers whose squares, of which losses are made, overflow or vanish."""
    if not 1 / _LARGEST <= largest <= _LARGEST:
        raise DataError(
            f"the largest of the {name} is {largest:.3g}: its square is out of range; give them in other units, "
            f"within {1 / _LARGEST:g} to {_LARGEST:g}"
        )


def centered_gram(gram: Array) -> Array:
    """Return the Gram matrix of features that are centered on their mean over the rows."""
    means = gram.mean(axis=0)
    return np.asarray(gram - means - means[:, None] + means.mean())
