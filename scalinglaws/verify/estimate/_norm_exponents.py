"""Exponents of learning curves that follow a norm of the weights, with bootstrap errors."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import stdtrit

from ...arguments import afford, floats, generator, number, one_row, whole
from ...equality import by_value
from ...errors import DataError, refusal
from ...reprs import short_repr

Array = NDArray[np.float64]

_NAMES = ("gamma0", "gamma1", "gamma2", "product", "total", "measured")
_POINTS = 200
_MOST_LOST = 0.1  # share of resampled sets of seeds that may leave no estimate


@short_repr
@by_value
@dataclass(frozen=True)
class NormExponents:
    r"""Exponents of an error :math:`\varepsilon(\lambda, P)` against a norm and against the number of samples.

    Attributes
    ----------
    gamma0, gamma1, gamma2 : float
        Of the error against samples at one norm; of the error against the norm, where it falls most steeply; of the norm at
        which the error ends to fall, against samples.
    product, total : float
        :math:`\gamma_1\gamma_2`, and :math:`\gamma_0 + \gamma_1\gamma_2`.
    measured : float
        :math:`\gamma` of the least error against samples.
    standard_errors : dict of str to float
        Of each of these: the spread over resampled sets of R seeds, times :math:`\sqrt{R/(R - 1)}`, as draws from R seeds spread less
        than fresh seeds do.
    difference_errors : dict of str to float
        Of ``measured - product`` and ``measured - total``, whose parts are correlated, likewise.
    replicates : ndarray, shape (B, 6)
        The exponents of resampled sets of seeds, in the order above.
    samples : ndarray, shape (S,)
        P.
    elbow, least_error : ndarray, shape (S,)
        The norm at which the error ends to fall, and the least error, from all seeds.
    norm, error : ndarray, shape (S, J)
        The averaged curves.
    common_norm : float
        Where :math:`\gamma_0` was taken.
    seeds : int
        R.
    """

    gamma0: float
    gamma1: float
    gamma2: float
    product: float
    total: float
    measured: float
    standard_errors: dict[str, float]
    difference_errors: dict[str, float]
    replicates: Array
    samples: Array
    elbow: Array
    least_error: Array
    norm: Array
    error: Array
    common_norm: float
    seeds: int

    def interval(self, name: str) -> tuple[float, float]:
        """Return the ends of an interval for an exponent: 95 %, by Student's t with one degree of freedom less than seeds.

        The central 95 % of the resampled values would be too short for few seeds: of three, they hold the exponent in 66 to 81 %.
        """
        if name not in _NAMES:
            raise refusal("name", name, f"must be one of {', '.join(_NAMES)}")
        half = float(stdtrit(self.seeds - 1, 0.975)) * self.standard_errors[name]
        return getattr(self, name) - half, getattr(self, name) + half


def norm_exponents(
    samples: ArrayLike,
    norms: ArrayLike,
    errors: ArrayLike,
    *,
    window: float = 0.35,
    excess: float = 0.15,
    steepest: int = 3,
    resamples: int = 400,
    rng: np.random.Generator | int = 0,
) -> NormExponents:
    r"""Measure how an error falls with a norm that grows along training, and with the number of samples.

    Errors of all seeds are averaged where the norm, of which the largest so far counts, is the same. Of the averaged curves,
    :math:`\gamma_1` is the largest local slope of :math:`-\ln\varepsilon` against :math:`\ln\lambda` below the elbow, the mean over the
    curves with most samples; the elbow is the first norm at which the error is within 15 % of its minimum, and :math:`\gamma_2` the
    slope of its logarithm against :math:`\ln P`; :math:`\gamma_0` is the slope of :math:`-\ln\varepsilon` against :math:`\ln P` at one
    norm, the geometric mean of the steepest points; and :math:`\gamma` that of the least error.

    Parameters
    ----------
    samples : array_like, shape (S,)
        P, positive and increasing, at least three.
    norms, errors : array_like, shape (R, S, T)
        Along training, for R >= 2 seeds; norms are positive, errors >= 0.
    window : float
        Local slopes are fitted over this distance in :math:`\ln\lambda` to either side.
    excess : float
        The elbow's error over the least, less one.
    steepest : int
        So many curves, those with most samples, have their steepest slopes averaged.
    resamples : int
        B, sets of seeds drawn with replacement.
    rng : Generator or int
        Source of randomness.

    Returns
    -------
    NormExponents
        Exponents with errors.

    Raises
    ------
    DomainError
        If an argument is out of range, or no numbers.
    DataError
        If the curves are no positive numbers of this shape, or too short for a slope below their elbow; if seeds have no norm in
        common; or if some curve does not reach the norm at which :math:`\gamma_0` is read.
    ResourceError
        If it would need more than the memory budget.

    Notes
    -----
    That :math:`\gamma = \gamma_0 + \gamma_1\gamma_2` is partly built in: it follows wherever curves at different P are the same power law
    that ends on a plateau, whatever the norm means. And :math:`\gamma_0` counts curves that have passed their elbow, too, whose plateaus
    fall faster at one norm than power laws do: even of power laws that coincide up to their plateaus, where it is 0, it makes a positive
    number.

    Errors cover what seeds do, not what the definitions do: :math:`\gamma_1` is a maximum, which noise raises. On synthetic curves its
    mean is above the truth by a third to half of its standard deviation where errors are smooth along training, and by three where
    each record has noise of 3 % of its own; average more seeds, or widen the window, where :math:`\gamma_1` itself is asked for.

    References
    ----------
    .. [1] F. D'Amico, D. Bocchi, M. Negri, arXiv:2505.13230.

    Examples
    --------
    >>> P, rng = np.array([10.0, 40, 160, 640]), np.random.default_rng(0)
    >>> norm = np.geomspace(1, 1e4, 300)
    >>> curve = P[:, None]**-0.2 * np.maximum(norm, 0.01)**-0.6  # falls up to an elbow at 10 P^0.5
    >>> curve = np.maximum(curve, P[:, None]**-0.2 * (10 * P[:, None]**0.5)**-0.6)
    >>> noisy = curve * rng.normal(1, 0.001, (5, 1, 1))
    >>> found = norm_exponents(P, np.broadcast_to(norm, noisy.shape), noisy)
    >>> [round(getattr(found, name), 2) for name in ("gamma1", "gamma2", "measured")]
    [0.6, 0.5, 0.5]
    """
    sizes = one_row("samples", samples, least=3, low=0.0, strict=True, increasing=True)
    for name, value in (("window", window), ("excess", excess)):
        number(name, value, low=0.0, strict=True)
    count = whole("steepest", steepest, high=sizes.size)
    sets = whole("resamples", resamples, low=10)
    lam, eps = floats("norms", norms), floats("errors", errors)
    fits = lam.ndim == 3 and lam.shape == eps.shape and lam.shape[1] == sizes.size
    if not fits or lam.shape[0] < 2 or lam.shape[2] < 2:
        raise DataError(
            f"norms of shape {lam.shape} and errors of shape {eps.shape} must both be "
            f"(seeds, {sizes.size} numbers of samples, records), with two seeds and two records or more"
        )
    if not (np.all(lam > 0) and np.all(eps >= 0) and np.all(np.isfinite(lam + eps))):
        raise DataError("norms must be positive and finite, errors >= 0 and finite")
    afford(
        2.0 * lam.shape[0] * sizes.size * _POINTS + 20.0 * sets,
        "the resampled curves",
        "use fewer seeds, curves or resamples",
    )
    grids, curves = _aligned(sizes, lam, eps)
    point = _exponents(sizes, grids, curves.mean(axis=0), window, excess, count)
    if point is None:
        raise DataError(
            f"curves have no exponents: one of the last {count} does not reach window = {window:g} in ln(norm) to either side "
            "of a point below its elbow, or an averaged error is 0"
        )
    values, elbows, common = point
    for j in np.flatnonzero(~_reached(grids, common)):
        ends = np.exp(grids[j, [0, -1]])
        raise DataError(
            f"gamma_0 is read at the norm {math.exp(common):.4g}, but the curve at {sizes[j]:g} samples runs "
            f"from {ends[0]:.4g} to {ends[1]:.4g}"
        )
    source = generator(rng)
    rows = []
    for _ in range(sets):
        chosen = curves[source.integers(0, lam.shape[0], lam.shape[0])].mean(axis=0)
        found = _exponents(sizes, grids, chosen, window, excess, count)
        if found is not None and np.all(_reached(grids, found[2])):
            rows.append(found[0])
    if len(rows) < (1 - _MOST_LOST) * sets:
        raise DataError(
            f"only {len(rows)} of {sets} resampled sets of seeds have exponents: take more seeds"
        )
    replicates = np.array(rows)
    columns = dict(zip(_NAMES, replicates.T, strict=True))
    shrunk = math.sqrt(lam.shape[0] / (lam.shape[0] - 1))
    differences = {name: columns["measured"] - columns[name] for name in ("product", "total")}
    mean = curves.mean(axis=0)
    return NormExponents(
        **dict(zip(_NAMES, map(float, values), strict=True)),
        standard_errors={
            name: shrunk * float(column.std(ddof=1)) for name, column in columns.items()
        },
        difference_errors={
            name: shrunk * float(each.std(ddof=1)) for name, each in differences.items()
        },
        replicates=replicates,
        samples=sizes,
        elbow=np.exp(elbows),
        least_error=mean.min(axis=1),
        norm=np.exp(grids),
        error=mean,
        common_norm=math.exp(common),
        seeds=lam.shape[0],
    )


def _aligned(samples: Array, norms: Array, errors: Array) -> tuple[Array, Array]:
    """Interpolate every seed's error to common norms; return ln(norm), shape (S, J), and errors, shape (R, S, J)."""
    seeds, sizes, _ = norms.shape
    grids = np.empty((sizes, _POINTS))
    curves = np.empty((seeds, sizes, _POINTS))
    logs = np.log(np.maximum.accumulate(norms, axis=2))
    for j in range(sizes):
        low, high = logs[:, j, 0].max(), logs[:, j, -1].min()
        if not low < high:
            raise DataError(
                f"at {samples[j]:g} samples seeds have no norms in common: one begins at {math.exp(low):.4g}, "
                f"another ends at {math.exp(high):.4g}"
            )
        grids[j] = np.linspace(low, high, _POINTS)
        for r in range(seeds):
            # where the norm stands still or shrinks, the last error counts
            last = np.append(np.diff(logs[r, j]) > 0, True)
            curves[r, j] = np.interp(grids[j], logs[r, j][last], errors[r, j][last])
    return grids, curves


def _reached(grids: Array, common: float) -> NDArray[np.bool_]:
    """Tell which curves reach a norm."""
    return np.asarray((grids[:, 0] <= common) & (common <= grids[:, -1]))


def _exponents(
    samples: Array,
    grids: Array,
    curves: Array,
    window: float,
    excess: float,
    count: int,
) -> tuple[Array, Array, float] | None:
    """Return the six exponents, ln(elbow), and ln(norm) of gamma0; None if some curve has none."""
    least = curves.min(axis=1)
    if not np.all(least > 0):
        return None
    u, logs = np.log(samples), np.log(curves)
    first = np.argmax(curves <= (1 + excess) * least[:, None], axis=1)
    elbows = grids[np.arange(samples.size), first]
    steep = [_steepest(grids[j], logs[j], elbows[j], window) for j in range(-count, 0)]
    known = [each for each in steep if each is not None]
    if len(known) < count:
        return None
    slopes, places = np.array(known).T
    common = float(places.mean())
    at_common = np.array([np.interp(common, grids[j], logs[j]) for j in range(samples.size)])
    gamma0, gamma1 = -_slope(u, at_common), float(slopes.mean())
    gamma2, measured = _slope(u, elbows), -_slope(u, np.log(least))
    product = gamma1 * gamma2
    row = np.array([gamma0, gamma1, gamma2, product, gamma0 + product, measured])
    return row, elbows, common


def _steepest(grid: Array, logs: Array, elbow: float, window: float) -> tuple[float, float] | None:
    """Return the largest local slope of a falling curve around norms below its elbow, and where it is."""
    step = grid[1] - grid[0]
    half = math.floor(window / step * (1 + 1e-9)) if step > 0 else 0
    if half < 1 or 2 * half >= grid.size:
        return None
    # least squares over a window of equal distances: one fixed row of weights
    offsets = np.arange(-half, half + 1)
    slopes = -np.correlate(logs, offsets / (step * float(offsets @ offsets)), "valid")
    centers = grid[half : grid.size - half]
    below = centers <= elbow
    if not np.any(below):
        return None
    at = int(np.argmax(np.where(below, slopes, -np.inf)))
    return float(slopes[at]), float(centers[at])


def _slope(x: Array, y: Array) -> float:
    centered = x - x.mean()
    return float(centered @ y / (centered @ centered))
