"""Networks trained on more and more images of digits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ....arguments import afford, function, generator, one_row, ordered, whole
from ....equality import by_value
from ....reprs import short_repr
from .._digits import digits
from ._network import Observe, train_network

Array = NDArray[np.float64]

TEST_IMAGES = 597
"""Images that are set aside for the test error; 1200 are left to train on."""


@short_repr
@by_value
@dataclass(frozen=True)
class DigitsCurves:
    """Networks along their training, for several numbers of samples and seeds.

    Attributes
    ----------
    samples : ndarray, shape (S,)
        P, training images.
    steps : ndarray, shape (T,)
        Steps at which networks were looked at.
    error : ndarray, shape (seeds, S, T)
        Share of test images that are misclassified.
    train_error : ndarray, shape (seeds, S, T)
        Share of training images.
    observed : ndarray, shape (K, seeds, S, T)
        What `observe` said of the weights.
    """

    samples: Array
    steps: Array
    error: Array
    train_error: Array
    observed: Array


def digits_curves(
    steps: ArrayLike,
    samples: ArrayLike,
    *,
    seeds: int = 5,
    observe: Observe,
    widths: Sequence[int] = (64,),
    scale: float = 1.0,
    optimizer: str = "adam",
    learning_rate: float = 1e-3,
    batch: int = 64,
    weight_decay: float = 0.0,
    rng: np.random.Generator | int = 0,
) -> DigitsCurves:
    """Train networks on images of digits, 8 x 8 pixels in ten classes, and look at them on the way.

    Each seed splits the 1797 images that scikit-learn brings along anew, sets 597 aside as a test, and trains networks on the first P
    of the others, from an initialization of its own. Images are centered, with a mean square norm of one.

    Parameters
    ----------
    steps : array_like, shape (T,)
        Steps at which to look, as in `train_network`.
    samples : array_like, shape (S,)
        P, increasing whole numbers from 2 to 1200.
    seeds : int
        Splits and initializations.
    observe : callable
        From the list of weight matrices to K numbers, such as the spectral complexity.
    widths, scale, optimizer, learning_rate, weight_decay
        As in `train_network`.
    batch : int
        Samples of a batch; all where there are fewer.
    rng : Generator or int
        Source of randomness; each seed takes a stream spawned from it, so that seed i is the same however many there are.

    Returns
    -------
    DigitsCurves
        Errors and observations.

    Raises
    ------
    DomainError
        If an argument is out of range.
    DataError
        If scikit-learn is not installed.
    ResourceError
        If the results would need more than the memory budget.

    Notes
    -----
    About 0.5 s for 3000 steps of Adam at width 64 on one core.

    References
    ----------
    .. [1] E. Alpaydin, C. Kaynak, "Optical recognition of handwritten digits", UCI machine learning repository (1998).

    Examples
    --------
    >>> found = digits_curves([0, 300], [50, 400], seeds=2, observe=lambda weights: abs(weights[0]).sum())
    >>> found.error.shape, found.observed.shape
    ((2, 2, 2), (1, 2, 2, 2))
    >>> bool(found.error[:, 1, 1].mean() < 0.2)
    True
    """
    sizes = one_row("samples", samples, low=2, increasing=True)
    images, labels = _images()
    for size in sizes:
        whole("samples", size, low=2, high=labels.size - TEST_IMAGES)
    count, most = whole("seeds", seeds), whole("batch", batch)
    function("observe", observe)
    looked = ordered("steps", steps, whole=True, infinite=False, single_row=True)
    afford(3.0 * count * sizes.size * looked.size, "the results", "use fewer seeds or steps")
    source, runs = generator(rng), []
    for _ in range(count):
        stream = source.spawn(1)[0]
        order = stream.permutation(labels.size)
        test, rest = order[:TEST_IMAGES], order[TEST_IMAGES:]
        runs.append(
            [
                train_network(
                    steps,
                    images[rest[:size]],
                    labels[rest[:size]],
                    test_inputs=images[test],
                    test_labels=labels[test],
                    widths=widths,
                    scale=scale,
                    optimizer=optimizer,
                    learning_rate=learning_rate,
                    batch=min(most, size),
                    weight_decay=weight_decay,
                    observe=observe,
                    rng=own,
                )
                for size, own in zip(sizes.astype(int), stream.spawn(sizes.size), strict=True)
            ]
        )
    return DigitsCurves(
        sizes,
        runs[0][0].steps,
        np.array([[run.error for run in row] for row in runs]),
        np.array([[run.train_error for run in row] for row in runs]),
        np.moveaxis(np.array([[run.observed for run in row] for row in runs]), -1, 0),
    )


@cache
def _images() -> tuple[Array, NDArray[np.int64]]:
    """Return centered images of unit mean square norm, and their labels."""
    pixels, labels = digits()
    images = pixels - pixels.mean(axis=0)
    images /= np.sqrt(np.mean(np.sum(images**2, axis=1)))
    return images, labels
