"""The same fits by SciPy: slower, another algorithm, for whoever wants to see that both agree."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ....errors import ConvergenceError
from ._law import Columns, FitLaw
from ._solve import Solution, prepared, starting_points

Array = NDArray[np.float64]

_TIGHT = 1e-15
_MOST_SIGNS = 50  # rounds in which residuals above the law are weighted anew


def reference_solve(
    law: FitLaw,
    columns: Columns,
    losses: ArrayLike,
    *,
    delta: float,
    weights: ArrayLike | None = None,
    start: ArrayLike | None = None,
    envelope: float = 1.0,
) -> Solution:
    """Fit a law as `solve` does, by trust-region least squares with analytic Jacobians.

    Parameters
    ----------
    law, columns, losses, delta, weights, start, envelope
        As for `solve`; an envelope is fitted by weighting anew, by the signs of the residuals, until no sign changes.

    Returns
    -------
    Solution
        The best of all starts.

    Raises
    ------
    ConvergenceError
        If the signs of residuals do not settle.
    """
    logs, values, counted = prepared(law, columns, losses, weights)
    starts = (
        [law.within(np.array(start, float))]
        if start is not None
        else starting_points(law, columns, values, delta, counted, envelope)
    )
    middles, target = law.middles(logs), np.log(values)
    centered = logs - middles[:, None]
    found = [
        _descent(law, law.shifted(point, middles), centered, target, counted, delta, envelope)
        for point in starts
    ]
    objective, x, settled, steps = min(found, key=lambda entry: entry[0])
    x = law.shifted(x, -middles)
    jacobian = law.gradient(x, columns)
    return Solution(x, objective, jacobian, target - law.predict(x, columns), settled, steps)


def _descent(
    law: FitLaw,
    x: Array,
    logs: Array,
    target: Array,
    weights: Array,
    delta: float,
    envelope: float,
) -> tuple[float, Array, bool, int]:
    above = np.zeros(target.size, bool)
    steps, settled = 0, True
    for _ in range(_MOST_SIGNS if envelope != 1.0 else 1):
        x, settled, taken = _weighted(
            law, x, logs, target, np.where(above, envelope, 1.0) * weights, delta
        )
        steps += taken
        residuals = target - law.values(x, logs)
        if np.array_equal(above, residuals > 0):
            break
        above = residuals > 0
    else:
        if envelope != 1.0:
            raise ConvergenceError(
                f"the signs of residuals did not settle in {_MOST_SIGNS} rounds; use `solve`"
            )
    size = np.abs(residuals)
    huber = np.where(size < delta, 0.5 * residuals**2, _linear(size, delta))
    signed = np.where(residuals > 0, envelope, 1.0) * weights
    return float(np.sum(signed * huber)), x, settled, steps


def _linear(size: Array, delta: float) -> Array:
    return np.zeros_like(size) if np.isinf(delta) else delta * (size - 0.5 * delta)


def _weighted(
    law: FitLaw, x: Array, logs: Array, target: Array, weights: Array, delta: float
) -> tuple[Array, bool, int]:
    from scipy.optimize import least_squares

    free = law.free
    finite = np.isfinite(delta)

    def whole(part: Array) -> Array:
        full = x.copy()
        full[free] = part
        return full

    def loss(z: Array) -> Any:  # Huber's, times the weight of each point
        inside = z <= 1
        root = np.sqrt(np.where(inside, 1.0, z))
        return weights * np.array(
            [
                np.where(inside, z, 2 * root - 1),
                np.where(inside, 1.0, 1 / root),
                np.where(inside, 0.0, -0.5 / root**3),
            ]
        )

    low, high = np.array(law.low)[free], np.array(law.high)[free]
    inner = np.nextafter(low, high), np.nextafter(high, low)
    result = least_squares(
        lambda part: target - law.values(whole(part), logs),
        np.clip(x[free], *inner),
        jac=lambda part: -law.gradients(whole(part), logs)[:, free],
        bounds=(low, high),
        loss=loss if finite else lambda z: weights * np.array([z, np.ones_like(z), 0 * z]),
        f_scale=delta if finite else 1.0,
        x_scale="jac",
        ftol=_TIGHT,
        xtol=_TIGHT,
        gtol=_TIGHT,
        max_nfev=2000,
    )
    return whole(result.x), bool(result.success), int(result.nfev)
