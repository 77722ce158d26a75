"""What the checks of percolation share: tolerances, and curves judged dataset by dataset."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ...comparison import Comparison, Measurement, Prediction, Rival
from ...estimate import curve_from_replicates, measure

Array = NDArray[np.float64]

COORDINATION = 12  # neighbors of a site of the Bethe lattice: six dimensions
CURVE_TOLERANCE = 0.05  # relative: the default for curves
LOSS_TOLERANCE = 0.1  # relative: what a law of one cluster that is right on average is allowed for datasets of many
DISTANCE_TOLERANCE = 0.02  # relative: the law is exact, clusters are finite


def curve_in_units_of_theory(
    name: str,
    quantity: str,
    source: str,
    x: ArrayLike,
    domain: Mapping[str, tuple[float, float]],
    replicate: Callable[[int], tuple[Array, Array, Array]],
    *,
    replicates: int,
    tolerance: float,
    rival: str,
    method: str,
) -> Comparison:
    """Compare simulated curves with a theory that has its own prediction for every replicate.

    Parameters
    ----------
    name : str
        Of the comparison.
    quantity, source, x, domain, method
        As in `Prediction` and `Measurement`.
    replicate : callable
        From its number to the simulated curve, the theory's and the rival's; called again for the same number, so it should
        remember.
    replicates : int
        How many to take.
    tolerance : float
        Relative.
    rival : str
        What the rival is.

    Returns
    -------
    Comparison
        The mean ratio of simulation and theory, times the theory's mean curve: datasets differ more from each other than each does
        from its theory.
    """
    u = np.asarray(x, float)

    def ratio(r: int) -> Array:
        simulated, predicted, _ = replicate(r)
        return simulated / predicted

    found = measure(
        ratio,
        lambda rows: curve_from_replicates(u, rows, method=method),
        replicates=replicates,
        tolerance=np.full(u.size, tolerance),
    )
    drawn = [replicate(r) for r in range(found.n_rep)]
    mean = np.mean([predicted for _, predicted, _ in drawn], axis=0)
    wrong = np.mean([other / predicted for _, predicted, other in drawn], axis=0)
    measured = Measurement(
        found.value * mean,
        found.se * mean,
        found.df,
        found.n_rep,
        found.method,
        found.window,
        underpowered=found.underpowered,
    )
    return Comparison(
        name,
        Prediction(quantity, "curve", mean, source, x=u, domain=domain),
        measured,
        tolerance=tolerance,
        tolerance_kind="relative",
        rival=Rival(rival, wrong * mean),
    )
