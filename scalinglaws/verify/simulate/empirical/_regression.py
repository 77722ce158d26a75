"""Kernel regression on more and more samples of a data set."""

from __future__ import annotations

import math
import warnings
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import linalg

from ....arguments import afford, flag, generator, number, numbers, whole, whole_numbers
from ....equality import by_value
from ....errors import AccuracyWarning, DataError, refusal
from ....reprs import short_repr

Array = NDArray[np.float64]

_UNEVEN = 1e-8  # of the largest entry: beyond it a matrix is not symmetric by more than rounding
PROMISED = 1e-3
"""Relative change of a loss by rounding errors above which a curve comes with a warning."""


@short_repr
@by_value
@dataclass(frozen=True)
class RegressionCurve:
    """Test losses of kernel regression against the number of samples.

    Attributes
    ----------
    samples : ndarray, shape (S,)
        P, sizes of training sets.
    loss, standard_error : ndarray, shape (S,)
        Mean squared error on the points that were left out, over the power of the centered labels: mean over splits, and its
        standard error. Splits share their points, so that the error is that of the split, not of another data set.
    losses : ndarray, shape (splits, S)
        Of each split.
    ridge : float
        Added to the diagonal of the Gram matrix, relative to its mean diagonal.
    rounding : float
        Largest relative change of a loss when the solutions are refined once: what rounding errors may amount to.
    """

    samples: Array
    loss: Array
    standard_error: Array
    losses: Array
    ridge: float
    rounding: float


def regression_curve(
    gram: ArrayLike,
    labels: ArrayLike,
    samples: ArrayLike,
    *,
    splits: int = 8,
    ridge: float = 1e-10,
    center: bool = True,
    rng: np.random.Generator | int = 0,
) -> RegressionCurve:
    r"""Learn from random subsets of a data set by kernel regression, exactly, and test on the points left out.

    .. math::

        f(x) = K_{x,S}\,(K_{SS} + r\,\bar K I)^{-1}\,Y_S, \qquad
        L(P) = \frac{\frac1{n-P}\sum_{i\notin S} |Y_i - f(x_i)|^2}{\frac1n\sum_i |Y_i|^2}, \qquad |S| = P

    with labels Y that are centered on the mean of all (below the fraction bar in any case), and :math:`\bar K` the mean of the
    diagonal of K.

    Parameters
    ----------
    gram : array_like, shape (n, n)
        K, symmetric and positive semidefinite.
    labels : array_like, shape (n,) or (n, outputs)
        Y before it is centered; classes one-hot.
    samples : array_like, shape (S,)
        P, whole numbers from 1 to n - 1, in any order.
    splits : int
        Random orders of the points, at least 2. The first P points of each are trained on: training sets of one split are nested.
    ridge : float
        r >= 0, relative to the mean diagonal.
    center : bool
        Whether labels are centered before they are learned. A kernel whose features make no constant, as Gaussian ones do, cannot
        learn what that takes away: losses then end at the squared mean of the labels, 1/n of their power, and must not be centered.
    rng : Generator or int
        Source of randomness; each split takes a stream spawned from it, so that split i is the same however many there are.

    Returns
    -------
    RegressionCurve
        Losses, their standard error over splits, and how much of them is rounding.

    Raises
    ------
    DomainError
        If an argument is out of range, shapes do not match, or all labels are the same.
    DataError
        If a Gram matrix cannot be factorized: it is not positive definite within rounding; a larger ridge helps where it is
        positive semidefinite.
    ResourceError
        If the matrices would need more than the memory budget (``SCALINGLAWS_MEMORY``, 4 GB by default).

    Warns
    -----
    AccuracyWarning
        If one step of refinement changes a loss by more than 1e-3, relative: eigenvalues below rounding are being inverted, and
        the loss is that of some other, unknown ridge.

    Notes
    -----
    The factor of the leading block of a matrix is the leading block of its Cholesky factor: one factorization serves all P of a
    split, :math:`O(P_{max}^3/3 + S\,n\,P_{max})` in place of a third of the sum of cubes.

    Examples
    --------
    >>> from scalinglaws.verify.simulate.empirical import draw_task
    >>> task = draw_task(400, alpha=1.5, decay=0.75, rng=0)
    >>> curve = regression_curve(task.gram, task.labels, [25, 50, 100, 200])
    >>> bool(np.all(np.diff(curve.loss) < 0)), curve.rounding < 1e-8
    (True, True)
    """
    kernel = numbers("gram", gram)
    if kernel.ndim != 2 or kernel.shape[0] != kernel.shape[1] or kernel.shape[0] < 2:
        raise refusal(
            "gram", kernel.shape, "must be a square matrix of 2 points or more", shown=False
        )
    n = kernel.shape[0]
    targets = numbers("labels", labels)
    if targets.ndim not in {1, 2} or targets.shape[0] != n or targets.size == 0:
        complaint = f"must have one row for each of the {n} points; got shape {targets.shape}"
        raise refusal("labels", targets.shape, complaint, shown=False)
    sizes = np.atleast_1d(whole_numbers("samples", samples, low=1, high=n - 1))
    if sizes.ndim != 1 or sizes.size == 0:
        raise refusal("samples", sizes.shape, "must be one row of sizes", shown=False)
    count, relative = whole("splits", splits, low=2), number("ridge", ridge, low=0)
    most = int(sizes.max())
    afford(
        n * n + most * (1.0 * n + 2.0 * most) + count * sizes.size + 6.0 * targets.size,
        "the Gram matrices of a split",
        "give fewer points or samples",
    )
    scale = _even_scale(kernel)
    height = float(np.max(np.abs(targets)))
    targets = targets.reshape(n, -1) / (height or 1.0)  # squares neither overflow nor vanish
    centered = targets - targets.mean(axis=0)
    power = float(np.mean(np.sum(centered**2, axis=1)))
    if power <= 1e-28:
        raise refusal("labels", None, "are all the same: there is nothing to learn", shown=False)
    if flag("center", center):
        targets = centered

    losses, rounding = np.empty((count, sizes.size)), 0.0
    for split, stream in enumerate(generator(rng).spawn(count)):
        order = stream.permutation(n)
        known = kernel[np.ix_(order[:most], order)] / scale
        moved = targets[order]
        factor = _factor(known[:, :most], relative)
        for place, size in enumerate(sizes.astype(int)):
            missed, change = _missed(known, factor, moved, size, relative)
            losses[split, place] = missed / power
            rounding = max(rounding, change)
    if rounding > PROMISED:
        warnings.warn(
            f"rounding errors change losses of kernel regression by {rounding:.1g}, relative: a ridge of {relative:.1g} is too "
            "small for this Gram matrix; raise it",
            AccuracyWarning,
            stacklevel=2,
        )
    return RegressionCurve(
        sizes,
        losses.mean(axis=0),
        losses.std(axis=0, ddof=1) / math.sqrt(count),
        losses,
        relative,
        rounding,
    )


def _even_scale(kernel: Array) -> float:
    """Return the mean diagonal of a matrix; refuse one that is not symmetric, or has no diagonal."""
    largest = float(np.max(np.abs(kernel)))
    scale = float(np.mean(np.diagonal(kernel) / largest)) * largest if largest > 0 else 0.0
    if not scale > 0:
        complaint = "must have a positive mean diagonal: a Gram matrix holds squares there"
        raise refusal("gram", scale, complaint, named=False)
    uneven = max(
        float(np.max(np.abs(kernel[start : start + 256] - kernel[:, start : start + 256].T)))
        for start in range(0, kernel.shape[0], 256)
    )
    if uneven > _UNEVEN * largest:
        complaint = (
            f"must be symmetric; entries differ from those across the diagonal by {uneven:.3g}"
        )
        raise refusal("gram", None, complaint, shown=False)
    return scale


def _factor(kernel: Array, ridge: float) -> Array:
    """Return the lower Cholesky factor of a matrix of unit mean diagonal with a ridge."""
    matrix = np.array(kernel, order="F")
    matrix[np.diag_indices_from(matrix)] += ridge
    factor, failed = linalg.lapack.dpotrf(matrix, lower=1, clean=0, overwrite_a=1)
    if failed:
        raise DataError(
            f"the Gram matrix of the first {failed} points of a split is not positive definite with a ridge of {ridge:.3g} of its "
            "mean diagonal; raise ridge if points are repeated or the kernel is very smooth, else it is no Gram matrix"
        )
    return np.asarray(factor)


def _missed(
    known: Array, factor: Array, targets: Array, size: int, ridge: float
) -> tuple[float, float]:
    """Return the mean squared error on all but the first points, and its relative change by one step of refinement."""
    block, rest = factor[:size, :size], known[:size, size:]
    weights = linalg.cho_solve((block, True), targets[:size], check_finite=False)
    left = targets[:size] - known[:size, :size] @ weights - ridge * weights
    correction = linalg.cho_solve((block, True), left, check_finite=False)
    before = targets[size:] - rest.T @ weights
    after = before - rest.T @ correction
    first, second = (float(np.mean(np.sum(part**2, axis=1))) for part in (before, after))
    # against the signal where there is hardly a loss: what is learned exactly has only rounding errors left
    return second, abs(second - first) / max(second, 1e-12)
