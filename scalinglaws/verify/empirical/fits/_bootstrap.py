"""Resampled runs and their fits: pairs, not residuals, for errors are larger at the edges of the data."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ....arguments import afford, choice, generator, whole
from ....errors import refusal
from ._solve import resolve_many

if TYPE_CHECKING:
    from ._record import Fit

Array = NDArray[np.float64]


def resampled(count: int, clusters: NDArray[Any], rng: np.random.Generator) -> Array:
    """Draw how often each point counts in each resample: clusters are drawn with replacement, their points together.

    Returns
    -------
    ndarray, shape (count, n)
        Whole numbers.
    """
    names, member = np.unique(clusters, return_inverse=True)
    drawn = rng.multinomial(names.size, np.full(names.size, 1 / names.size), size=count)
    return np.ascontiguousarray(drawn[:, member], dtype=float)


def bootstrap_samples(
    fit: Fit, count: int, *, cluster: str | None = None, rng: int | np.random.Generator = 0
) -> Array:
    """Fit resampled data again, from the fit to all of them.

    Parameters
    ----------
    fit : Fit
        To data.
    count : int
        Number of resamples, >= 0.
    cluster : str, optional
        ``"run"``: runs are drawn instead of points; the default where a run has several points.
    rng : Generator or int
        Source of randomness, or a seed.

    Returns
    -------
    ndarray, shape (count, p)
        Coordinates.
    """
    size = fit.losses.size
    count = whole("count", count, low=0)
    afford(count * size, "the weights of the resamples", "use fewer resamples")
    if size == 0:
        raise refusal(
            "fit", None, "has no data to draw from: it was made from parameters", named=False
        )
    if cluster is not None:
        choice("cluster", cluster, ("run",))
    clusters = np.arange(size) if fit.run is None else fit.run
    drawn = resampled(count, clusters, generator(rng)) * fit.row_weights
    return resolve_many(
        fit.model,
        fit.columns,
        fit.losses,
        drawn,
        delta=fit.delta,
        start=fit.x,
        envelope=fit.envelope,
    )
