"""Whether the predicted learning curve is right for the data themselves: one half predicts what kernel regression does on the other."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import linalg

from ...arguments import afford, generator, number, numbers, whole
from ...errors import DataError, refusal
from ..simulate.empirical import regression_curve
from ._exponents import fit_window, spectrum_over, widest_count
from ._learning_curve import predicted_loss
from ._records import HeldOutCurve, MeasuredSpectrum
from ._sample import Sample, centered_gram

Array = NDArray[np.float64]

MOST_POINTS = 4000
"""Larger data sets are represented by so many random points."""
_LEAST_POINTS = 80  # of which a half has 40
_SIZES = 8
_SMALLEST = 20  # samples that are learned from
_LEARNED = 0.8  # of a half; the rest of it tests
_ORDERS = 2  # of the points of a half


def held_out_curve(
    gram: ArrayLike,
    labels: ArrayLike,
    *,
    splits: int = 8,
    ridge: float = 1e-10,
    rank: float = math.inf,
    rng: np.random.Generator | int = 0,
) -> HeldOutCurve | None:
    """Predict the learning curve from one half of the data, and measure it on the other.

    Parameters
    ----------
    gram : array_like, shape (n, n)
        Symmetric and positive semidefinite. Of more than 4000 points, 4000 are drawn.
    labels : array_like, shape (n,) or (n, outputs)
        Targets; centered here, on the mean of each half.
    splits : int
        How often one half predicts and the other measures, at least 2; each cut of the data serves both ways.
    ridge : float
        Added to the diagonal of the Gram matrix of the training points, relative to its mean diagonal, for both.
    rank : float
        How many modes the kernel has in all, as the columns of features are counted; inf where they do not end.
    rng : Generator or int
        Source of randomness.

    Returns
    -------
    HeldOutCurve or None
        At up to eight numbers of samples from 20 to 0.8 of a half. None where there are fewer than 80 points, or power laws could be
        fitted to fewer than two of the halves: the prediction was not checked.

    Raises
    ------
    DomainError
        If an argument is out of range, or shapes do not fit.
    DataError
        If a Gram matrix cannot be factorized with this ridge.
    ResourceError
        If the matrices do not fit into the memory budget.

    Warns
    -----
    AccuracyWarning
        If rounding errors change the measured losses: the ridge is too small for this Gram matrix.

    Notes
    -----
    A half's spectrum is measured, its power laws are fitted, and `predicted_loss` continues it. Points of the other half, in two
    random orders, are learned from by `scalinglaws.verify.simulate.empirical.regression_curve` and tested on the rest of that
    half, so no point takes part in both prediction and measurement of a split. Leave-one-out losses of the same regression come beside
    (`leave_one_out_residuals`).

    The spectrum is that of the matrix as it is given, as in the prediction for all data. The regression has an intercept: features are
    centered on the mean of its half as labels are, in the Gram matrix. Labels that are centered alone would keep a constant of order
    1/sqrt(n) which a kernel without a constant among its features can never learn: for 400 points and exponents (2, 1) that alone
    doubles the loss of 160 samples (0.0197 in place of 0.0092, means over 40 synthetic data sets).

    **What the error is.** All splits cut the same points: the spread of their mean, 1/sqrt(splits) of that over splits, would say how
    exactly the mean over all possible cuts is known, not how far another data set's would be. The standard deviation over random halves
    itself estimates that: for what is an average over the points of a half, exactly; for tests on less than a half, after training on
    some of its points, it is too large rather than too small. The error is that deviation times (1 + 1/splits)^(1/2). Over 40 synthetic
    data sets of each of three tasks, the standard deviation of means of 8 splits was 0.44 to 0.69 of it.

    A spectrum of n/2 points and regressions on up to 0.4 n of them for each split: O(n^3).

    Examples
    --------
    >>> from scalinglaws.verify.simulate.empirical import draw_task
    >>> task = draw_task(400, alpha=1.5, decay=0.75, rng=0)
    >>> found = held_out_curve(task.gram, task.labels, splits=4, rng=0)
    >>> found.samples
    array([ 20.,  27.,  36.,  49.,  66.,  88., 119., 160.])
    >>> bool(np.all(np.abs(found.measured - found.predicted) < 3 * found.standard_error))
    True
    """
    kernel, targets = _gram_and_labels(gram, labels)
    n = kernel.shape[0]
    count, relative = whole("splits", splits, low=2), number("ridge", ridge, low=0.0)
    modes = number("rank", rank, low=1.0, infinite=True)
    source = generator(rng)
    if n < _LEAST_POINTS:
        return None
    chosen = np.arange(n) if n <= MOST_POINTS else source.choice(n, MOST_POINTS, replace=False)
    half = chosen.size // 2
    afford(4.0 * half * half, "the Gram matrices of two halves", "use fewer points")
    sizes = np.unique(np.rint(np.geomspace(_SMALLEST, _LEARNED * half, _SIZES)))

    found: list[tuple[Array, Array, Array]] = []
    order = chosen
    for split, stream in enumerate(source.spawn(count)):
        # each cut is used both ways: where one half is harder than the data, the other one is easier
        order = np.roll(order[: 2 * half], half) if split % 2 else stream.permutation(chosen)
        one, other = order[:half], order[half : 2 * half]
        spectrum = _power_laws(kernel[np.ix_(one, one)], targets[one], modes)
        if spectrum is None:
            continue
        known, wanted = centered_gram(kernel[np.ix_(other, other)]), targets[other]
        curve = regression_curve(known, wanted, sizes, splits=_ORDERS, ridge=relative, rng=stream)
        found.append(
            (
                predicted_loss(spectrum, sizes, ridge=relative),
                curve.loss,
                leave_one_out_loss(known, wanted, sizes, ridge=relative),
            )
        )
    if len(found) < 2:
        return None
    predicted, measured, left_out = (np.array(part) for part in zip(*found, strict=True))
    return HeldOutCurve(
        samples=sizes,
        measured=measured.mean(axis=0),
        standard_error=_error(measured),
        predicted=np.exp(np.log(predicted).mean(axis=0)),
        splits=len(found),
        ridge=relative,
        points=2 * half,
        leave_one_out=left_out.mean(axis=0),
    )


def leave_one_out_residuals(gram: ArrayLike, labels: ArrayLike, *, ridge: float = 0.0) -> Array:
    r"""Return what kernel regression on all other points misses at each point.

    .. math:: y_i - f_{-i}(x_i) = \frac{[K_\mu^{-1} y]_i}{[K_\mu^{-1}]_{ii}}, \qquad K_\mu = K + \mu \bar K I

    Parameters
    ----------
    gram : array_like, shape (P, P)
        K, with mean diagonal :math:`\bar K`; it and the ridge stay as they are when a point is left out.
    labels : array_like, shape (P,) or (P, outputs)
        y; nothing is centered.
    ridge : float
        :math:`\mu \ge 0`, relative to the mean diagonal.

    Returns
    -------
    ndarray
        In the shape of `labels`.

    Raises
    ------
    DomainError
        If the ridge is out of range, or shapes do not fit.
    DataError
        If the Gram matrix cannot be factorized with this ridge.
    ResourceError
        If the matrices do not fit into the memory budget.

    Notes
    -----
    Exact: an identity of block inverses. One factorization and inversion, O(P^3).

    Examples
    --------
    What one point misses that is known from the other one alone:

    >>> leave_one_out_residuals([[2.0, 1.0], [1.0, 2.0]], [3.0, 4.0])
    array([1. , 2.5])
    """
    kernel, targets = _gram_and_labels(gram, labels)
    afford(3.0 * kernel.size, "the factor of the Gram matrix and its inverse", "use fewer points")
    inverse = _inverse_factor(kernel, number("ridge", ridge, low=0.0))
    weights = inverse.T @ (inverse @ targets)
    diagonal = np.sum(inverse**2, axis=0)
    return np.asarray((weights.T / diagonal).T)


def leave_one_out_loss(gram: Array, labels: Array, samples: Array, *, ridge: float) -> Array:
    """Return leave-one-out losses on the first points, so many of them, over the power of all labels; labels are centered."""
    targets = labels.reshape(labels.shape[0], -1)
    targets = targets - targets.mean(axis=0)
    most = int(samples.max())
    inverse = _inverse_factor(gram[:most, :most], ridge)
    losses = []
    for size in samples.astype(int):
        # the inverse of a leading block's factor is the leading block of the inverse
        block = inverse[:size, :size]
        weights = block.T @ (block @ targets[:size])
        missed = weights / np.sum(block**2, axis=0)[:, None]
        losses.append(float(np.sum(missed**2)) / size)
    return np.array(losses) / float(np.mean(np.sum(targets**2, axis=1)))


def _inverse_factor(kernel: Array, ridge: float) -> Array:
    """Return the inverse of the lower Cholesky factor of a Gram matrix with a ridge."""
    matrix = np.array(kernel, order="F")
    matrix[np.diag_indices_from(matrix)] += ridge * float(np.mean(np.diagonal(kernel)))
    factor, failed = linalg.lapack.dpotrf(matrix, lower=1, clean=1, overwrite_a=1)
    if failed:
        raise DataError(
            f"a Gram matrix is not positive definite with a ridge of {ridge:.3g} of its mean diagonal; raise ridge"
        )
    inverse, _ = linalg.lapack.dtrtri(factor, lower=1, overwrite_c=1)
    return np.asarray(inverse)


def _gram_and_labels(gram: ArrayLike, labels: ArrayLike) -> tuple[Array, Array]:
    """Return a square matrix and labels with a row for each of its points."""
    kernel, targets = numbers("gram", gram), numbers("labels", labels)
    if kernel.ndim != 2 or kernel.shape[0] != kernel.shape[1] or kernel.size == 0:
        complaint = f"must be a square matrix; got shape {kernel.shape}"
        raise refusal("gram", kernel.shape, complaint, shown=False)
    n = kernel.shape[0]
    if targets.ndim not in {1, 2} or targets.shape[0] != n or targets.size == 0:
        complaint = f"must have one row for each of the {n} points; got shape {targets.shape}"
        raise refusal("labels", targets.shape, complaint, shown=False)
    return kernel, targets


def _power_laws(gram: Array, labels: Array, rank: float) -> MeasuredSpectrum | None:
    """Measure the spectrum of a half; nothing where no power law can be fitted."""
    n = labels.shape[0]
    try:
        found = Sample(gram, labels.reshape(n, -1), is_gram=True).modes(widest_count(n))
    except DataError:  # labels of this half do not vary
        return None
    modes = replace(found, rank=min(found.rank, rank))
    fit = fit_window(modes)
    return None if fit.capacity is None else spectrum_over(modes, fit.window)


def _error(losses: Array) -> Array:
    """Return the standard error of means over splits of the same points."""
    return np.asarray(losses.std(axis=0, ddof=1) * math.sqrt(1 + 1 / losses.shape[0]))
