"""How many dimensions the data have, from their two nearest neighbors, and what a kernel makes of that."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import sparse, special

from ... import theory
from ...arguments import afford, affordable, choice, floats, generator, number, refuse_first, whole
from ...equality import by_value
from ...errors import DataError, refusal
from ...reprs import short_repr

Array = NDArray[np.float64]
Indices = NDArray[np.intp]

_FEWEST = 20  # points of a scale
_SMALLEST_PART = 100  # points left after decimation
_MOST_SCALES = 6
_MANY_COORDINATES = 20  # beyond, a tree of the points visits nearly all of them
_SPARE = 6  # candidates beyond those asked for, since distances by inner products are rounded
_TIED = 0.01  # share of ratios that are 1 beyond which the data lie on a grid
_HIGH = 8.0  # beyond, more samples than anybody has lie too sparse
_ROUNDING = 1e-12
_DRIFT = 1.1  # factor between scales that is worth a word
_LEVEL = 0.05


@short_repr
@by_value
@dataclass(frozen=True)
class IntrinsicDimension:
    """The dimension of the manifold on which data lie, at the scale of their neighbors' distances and at larger ones.

    Attributes
    ----------
    value : float
        The estimate from all points, at the smallest scale.
    interval : tuple of float
        95 % interval: of the error that samples make, not of curvature, noise or edges.
    samples : int
        Points that were used, all different.
    duplicates : int
        Points that were left out since others are equal to them.
    overlap : float
        By how much the variance exceeds that of independent ratios, since neighborhoods overlap.
    scales : ndarray, shape (S,)
        Root mean square distance of the farthest neighbor used, for all points, for halves, quarters and so on.
    dimensions, lower, upper : ndarray, shape (S,)
        Estimates at these scales and their intervals.
    notes : tuple of str
        What the reader must know, in sentences.
    """

    value: float
    interval: tuple[float, float]
    samples: int
    duplicates: int
    overlap: float
    scales: Array
    dimensions: Array
    lower: Array
    upper: Array
    notes: tuple[str, ...]


def intrinsic_dimension(
    inputs: ArrayLike,
    *,
    neighbors: int = 2,
    discard: float = 0.1,
    rng: np.random.Generator | int = 0,
) -> IntrinsicDimension:
    r"""Estimate the dimension of the manifold on which data lie, from the distances to each point's nearest neighbors.

    Where points are scattered evenly over the reach of a few neighbors, at distances :math:`r_1 \le r_2 \le \dots`,

    .. math:: (j - 1)\,\ln\frac{r_j}{r_{j-1}}, \qquad j = 2, \dots, k

    are independent and exponential with mean :math:`1/d`, whatever the density. Of these m ratios the largest, which outliers make, are
    only counted: with c smaller ones :math:`z_i` and :math:`T = \sum_i z_i + (m - c)\,z_c`, the estimate is :math:`\hat d = (c - 1)/T`,
    and :math:`2 d T` has a chi-square distribution of 2c degrees of freedom, were it not for neighborhoods that overlap. The
    correlation of those that share a point is measured, and takes its part of the degrees of freedom: without that, the interval
    holds the truth 87 times in a hundred.

    Parameters
    ----------
    inputs : array_like, shape (n, D)
        Points in rows; of those that are equal one counts. At least 20 must differ.
    neighbors : int
        k, from 2 to 20: the two nearest resolve the smallest scale; more neighbors look farther.
    discard : float
        Share of the ratios, the largest, that are only counted; 0 for all, below 0.5.
    rng : Generator or int
        Source of randomness, for the parts into which the data are cut.

    Returns
    -------
    IntrinsicDimension
        Estimate with interval; the same for the parts of a random cut into 2, 4, 8... parts of at least 100 points (at most six
        scales): distances grow and the estimate shows what the manifold looks like from farther away.

    Raises
    ------
    DomainError
        If an argument is out of range.
    DataError
        If fewer than 20 points differ, or too few distances do.
    ResourceError
        If the points' neighbors would not fit into the memory budget (``SCALINGLAWS_MEMORY``).

    Notes
    -----
    A tree for at most 20 coordinates; beyond, all distances by inner products in blocks, :math:`O(n^2 D)` for all scales together: on
    one core 11 s for 5000 points of 1000 coordinates.

    Noise fills all dimensions at scales below its own: the estimate then falls toward larger scales, and the value, at the smallest,
    is not the one to trust. Where d is large, a few neighbors reach far: edges make the estimate too small (2000 points of cubes: 4.7
    for 5, 8.9 for 10) and curvature too large (products of circles: 5.6 for 5, 11.9 for 10). The interval knows nothing of either.

    References
    ----------
    .. [1] E. Facco, M. d'Errico, A. Rodriguez, A. Laio, Sci. Rep. 7, 12140 (2017), for two neighbors.
    .. [2] E. Levina, P. Bickel, NeurIPS 17 (2004), for more.

    Examples
    --------
    >>> t = np.random.default_rng(0).random((2000, 2)) * 3
    >>> roll = np.stack([t[:, 0] * np.cos(2 * t[:, 0]), t[:, 1], t[:, 0] * np.sin(2 * t[:, 0])], axis=1)
    >>> found = intrinsic_dimension(roll)
    >>> found.interval[0] < 2 < found.interval[1], found.dimensions.size
    (True, 5)
    """
    points, unit = _points(inputs)
    count = whole("neighbors", neighbors, low=2, high=20)
    share = number("discard", discard, low=0.0)
    if share >= 0.5:
        raise refusal("discard", discard, "must be >= 0 and < 0.5")
    source = generator(rng)
    given = points.shape[0]
    points = np.unique(points, axis=0)
    samples = points.shape[0]
    if samples < max(_FEWEST, 4 * count):
        raise DataError(
            f"only {samples} of {given} points differ: at least {max(_FEWEST, 4 * count)} are needed"
        )
    afford(
        samples * (4.0 * count * count + points.shape[1]),
        f"{count} neighbors of {samples} points",
        "give fewer points",
    )
    order = source.permutation(samples)
    scales, found, tied = [], [], 0.0
    for level in range(_MOST_SCALES):
        parts = np.array_split(order, 2**level)
        if level and parts[-1].size < _SMALLEST_PART:
            break
        ratios = [_ratios(points[part], count) for part in parts]
        if not level:
            tied = float(np.mean(ratios[0][0] == 0))
        found.append(_estimate([one[0] for one in ratios], [one[1] for one in ratios], share))
        scales.append(math.sqrt(np.mean(np.concatenate([one[2] for one in ratios]) ** 2)))
    dimensions, lower, upper, overlaps = np.array(found).T
    return IntrinsicDimension(
        value=float(dimensions[0]),
        interval=(float(lower[0]), float(upper[0])),
        samples=samples,
        duplicates=given - samples,
        overlap=float(overlaps[0]),
        scales=unit * np.array(scales),
        dimensions=dimensions,
        lower=lower,
        upper=upper,
        notes=_notes(dimensions, lower, upper, given - samples, tied, points.shape[1]),
    )


def _points(inputs: ArrayLike) -> tuple[Array, float]:
    """Return points that are centered and of size 1, and the unit in which they are."""
    points = floats("inputs", inputs)
    if points.ndim != 2 or 0 in points.shape:
        raise refusal(
            "inputs",
            inputs,
            f"must be a table of points in rows and coordinates in columns; got shape {points.shape}",
            shown=False,
        )
    refuse_first("inputs", points, ~np.isfinite(points), "must be finite")
    # neither scale nor place matters; squares must neither overflow nor vanish
    size = float(np.max(np.abs(points)))
    scaled = points / size if size > 0 else points
    return scaled - scaled.mean(axis=0), size


def _ratios(points: Array, neighbors: int) -> tuple[Array, Indices, Array]:
    """Return (j - 1) ln(r_j / r_(j-1)), shape (n, k - 1); the points of each neighborhood, (n, k + 1); and r_k."""
    distances, places = _nearest(points, neighbors)
    steps = np.log(distances[:, 1:] / distances[:, :-1])
    steps[steps < _ROUNDING] = 0.0  # equal, but for the point where coordinates were centered
    own = np.arange(points.shape[0])[:, None]
    return (
        steps * np.arange(1, neighbors),
        np.concatenate([own, places], axis=1),
        distances[:, -1],
    )


def _nearest(points: Array, neighbors: int) -> tuple[Array, Indices]:
    """Return distances to each point's nearest others, in rising order, and which they are."""
    count, coordinates = points.shape
    if coordinates <= _MANY_COORDINATES:
        from scipy.spatial import cKDTree  # a tenth of a second that other measurements do without

        wide, near = cKDTree(points).query(points, neighbors + 1)
        return _without_itself(np.asarray(wide), np.asarray(near))
    spare = min(neighbors + 1 + _SPARE, count)
    block = int(max(1, min(count, affordable() / (4 * (count + spare * coordinates)), 2048)))
    squares = np.einsum("ij,ij->i", points, points)
    distances, places = np.empty((count, neighbors)), np.empty((count, neighbors), np.intp)
    for start in range(0, count, block):
        rows = points[start : start + block]
        rough = squares[None] - 2 * (rows @ points.T)  # but for a constant in each row
        candidates = np.argpartition(rough, spare - 1, axis=1)[:, :spare]
        exact = np.linalg.norm(points[candidates] - rows[:, None], axis=2)
        inside = np.argsort(exact, axis=1, kind="stable")[:, : neighbors + 1]
        found = _without_itself(
            np.take_along_axis(exact, inside, 1),
            np.take_along_axis(candidates, inside, 1),
            start,
        )
        distances[start : start + block], places[start : start + block] = found
    return distances, places


def _without_itself(distances: Array, places: Indices, start: int = 0) -> tuple[Array, Indices]:
    """Drop each point from the list of its own neighbors, or the last one where rounding put others first."""
    own = places == np.arange(start, start + places.shape[0])[:, None]
    own[~own.any(axis=1), -1] = True
    shape = (places.shape[0], places.shape[1] - 1)
    return distances[~own].reshape(shape), places[~own].reshape(shape)


def _estimate(
    ratios: list[Array], members: list[Indices], discard: float
) -> tuple[float, float, float, float]:
    """Return estimate, ends of the interval, and overlap, from the ratios of disjoint parts of the data."""
    pooled = np.concatenate([part.ravel() for part in ratios])
    kept = max(2, round((1 - discard) * pooled.size))
    cut = float(np.partition(pooled, kept - 1)[kept - 1])
    total = float(np.sum(np.minimum(pooled, cut)))
    if not total > 0:
        raise DataError("nearest neighbors are all at equal distances: points on a grid have none")
    # derivative of the logarithm of the likelihood by ln d, neighborhood by neighborhood
    density = kept / total
    scores = [np.sum((part <= cut) - density * np.minimum(part, cut), axis=1) for part in ratios]
    mean = float(np.mean(np.concatenate(scores)))
    variance = sum(_summed_covariance(s - mean, m) for s, m in zip(scores, members, strict=True))
    overlap = max(1.0, variance / kept)
    freedom = 2 * kept / overlap
    low, high = (
        float(special.chdtri(freedom, 1 - p)) * overlap / (2 * total)
        for p in (_LEVEL / 2, 1 - _LEVEL / 2)
    )
    return (kept - 1) / total, low, high, overlap


def _summed_covariance(scores: Array, members: Indices) -> float:
    """Sum products of the scores of all pairs of neighborhoods that share a point."""
    count, size = members.shape
    belongs = sparse.csr_matrix(
        (np.ones(members.size), members.ravel(), size * np.arange(count + 1)),
        shape=(count, count),
    )
    shares = belongs @ belongs.T
    shares.data[:] = 1.0
    return float(scores @ (shares @ scores))


def _notes(
    dimensions: Array,
    lower: Array,
    upper: Array,
    duplicates: int,
    tied: float,
    coordinates: int,
) -> tuple[str, ...]:
    notes = []
    if duplicates:
        notes.append(f"{duplicates} points equal others and were left out")
    if tied > _TIED:
        notes.append(
            f"{tied:.0%} of neighbors are at equal distances, as on a grid: the estimate is too large"
        )
    last = dimensions.size - 1
    change = dimensions[0] / dimensions[last]
    if max(change, 1 / change) > _DRIFT and (lower[0] > upper[last] or upper[0] < lower[last]):
        falls = change > 1
        notes.append(
            f"the estimate {'falls' if falls else 'rises'} from {dimensions[0]:.3g} to {dimensions[last]:.3g} toward larger scales: "
            + (
                "noise at small scales, or edges"
                if falls
                else "sheets that lie close, or curvature"
            )
        )
    if dimensions[0] > _HIGH:
        notes.append(
            f"beyond {_HIGH:g} dimensions points are too sparse: the estimate can be off by a fifth, too small by edges, too large by "
            "curvature"
        )
    if lower[0] > _DRIFT * coordinates:
        notes.append(
            f"more dimensions than the {coordinates} coordinates of the points, which are no even scatter on any scale"
        )
    return tuple(notes)


SMOOTHNESS = {
    "laplace": 1.0,
    "relu_ntk": 1.0,
    "relu_nngp": 3.0,
    "rbf": math.inf,
    "erf_nngp": math.inf,
    "erf_ntk": math.inf,
}
r""":math:`\theta` of kernels by name: :math:`|x - z|^\theta` is the first term of their expansion at short distances that is no even
power; infinite where there is none. At the angle :math:`\phi` between inputs :math:`\kappa_0 = 1 - \phi/\pi` and
:math:`\kappa_1 = \cos\phi + (\sin\phi - \phi\cos\phi)/\pi = \cos\phi + \phi^3/3\pi + \dots`; more layers add such terms and make none
of lower order."""


@short_repr
@by_value
@dataclass(frozen=True)
class KernelExponent:
    """How fast a kernel's spectrum falls on a manifold, by its smoothness and the manifold's dimension.

    Attributes
    ----------
    kernel : str
        Its name.
    smoothness : float
        theta; infinite for kernels that are analytic.
    dimension : float
        d, as it was given or estimated.
    capacity, decay : float
        Exponents of the eigenvalues and of the loss of a target that is as smooth as the kernel; infinite for analytic kernels, whose
        eigenvalues fall faster than any power.
    capacity_interval, decay_interval : tuple of float
        What the interval of the dimension makes of them.
    """

    kernel: str
    smoothness: float
    dimension: float
    capacity: float
    capacity_interval: tuple[float, float]
    decay: float
    decay_interval: tuple[float, float]


def kernel_exponent(kernel: str, dimension: IntrinsicDimension | float) -> KernelExponent:
    r"""Predict the exponents of a kernel's spectrum from its smoothness and the dimension of the data.

    The law ``manifold.spectral`` says which: eigenvalues :math:`k^{-(1 + \theta/d)}`, and a loss :math:`P^{-\theta/d}` for targets that are
    as smooth as the kernel itself.

    Parameters
    ----------
    kernel : {"laplace", "relu_ntk", "relu_nngp", "rbf", "erf_nngp", "erf_ntk"}
        A kernel of `scalinglaws.solvers.kernels`, of any depth.
    dimension : IntrinsicDimension or float
        d, positive.

    Returns
    -------
    KernelExponent
        Exponents, with intervals where the dimension has one.

    Raises
    ------
    DomainError
        If the kernel has no smoothness that is known here, or the dimension is not positive.

    Notes
    -----
    The prediction holds for modes far out, which resolve the manifold; and kernels of networks without bias see directions alone: for
    them d is the dimension of the inputs divided by their lengths.

    Examples
    --------
    >>> found = kernel_exponent("relu_nngp", 6.0)
    >>> found.capacity, found.decay
    (1.5, 0.5)
    """
    theta = SMOOTHNESS[choice("kernel", kernel, SMOOTHNESS)]
    if isinstance(dimension, IntrinsicDimension):
        places = (dimension.value, *dimension.interval)
    else:
        places = (number("dimension", dimension, low=0.0, strict=True),) * 3
    if math.isinf(theta):
        infinite = (math.inf, math.inf)
        return KernelExponent(kernel, theta, places[0], math.inf, infinite, math.inf, infinite)
    law = theory.law("manifold.spectral")
    white = law.model.spectrum_exponent
    names = {str(symbol): symbol for symbol in white.free_symbols}
    capacity = [float(white.subs({names["theta"]: theta, names["d"]: d})) for d in places]
    decay = [float(law(theta=theta, d=d)) for d in places]
    return KernelExponent(
        kernel,
        theta,
        places[0],
        capacity[0],
        (capacity[2], capacity[1]),  # the larger the dimension, the smaller the exponent
        decay[0],
        (decay[2], decay[1]),
    )
