"""How many samples a feature costs, measured: learnability against samples on a ladder of dimensions."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...arguments import function, number, root_seed, whole_numbers
from ...arguments import path as checked_path
from ...errors import refusal
from ...keeping import fingerprint, keep, kept
from ...results import Result, jsonable
from ...sweep import MapLike, run_many
from ..simulate.kernel_adaptation import LearnabilityPoint

Array = NDArray[np.float64]
Point = Callable[..., LearnabilityPoint]


@dataclass(frozen=True)
class MeasuredComplexity(Result):
    r"""Numbers of samples at which a level is reached, one for each dimension.

    Attributes
    ----------
    level : float
        :math:`\alpha`.
    dimensions : ndarray, shape (D,)
        d.
    samples : ndarray, shape (D,)
        :math:`P_\alpha`; NaN where the points do not tell.
    errors : ndarray, shape (D,)
        Its standard error, over data sets.
    freedom : ndarray, shape (D,)
        Degrees of freedom of that, by Welch and Satterthwaite.
    missing : tuple of str
        Why dimensions have none.
    """

    level: float
    dimensions: Array
    samples: Array
    errors: Array
    freedom: Array
    missing: tuple[str, ...]

    @property
    def slope(self) -> float:
        r"""Least-squares slope of :math:`\log P_\alpha` in log d, weighted by errors; NaN for less than two dimensions."""
        shares, logs = self._shares()
        return float(shares @ logs) if logs.size > 1 else math.nan

    @property
    def slope_error(self) -> float:
        """Its standard error, from those of the samples."""
        return math.sqrt(float(np.sum(self._variances()))) if self._variances().size else math.nan

    @property
    def slope_freedom(self) -> float:
        """Degrees of freedom of that."""
        parts = self._variances()
        known = np.isfinite(self.samples)
        if not parts.size:
            return math.nan
        return float(np.sum(parts) ** 2 / np.sum(parts**2 / self.freedom[known]))

    def _variances(self) -> Array:
        known = np.isfinite(self.samples)
        shares, _ = self._shares()
        found: Array = (shares * self.errors[known] / self.samples[known]) ** 2
        return found

    def _shares(self) -> tuple[Array, Array]:
        """Return what the slope takes of each logarithm, and these."""
        known = np.isfinite(self.samples)
        if np.sum(known) < 2:
            return np.zeros(0), np.zeros(0)
        logs = np.log(self.samples[known])
        weights = (self.samples[known] / self.errors[known]) ** 2
        u = np.log(self.dimensions[known])
        centered = u - np.average(u, weights=weights)
        return weights * centered / np.sum(weights * centered**2), logs


@dataclass(frozen=True)
class LearnabilityLadder(Result):
    """Points at several dimensions and numbers of samples.

    Attributes
    ----------
    points : tuple of LearnabilityPoint
        In the order of dimensions and of samples.
    """

    points: tuple[LearnabilityPoint, ...]

    @property
    def dimensions(self) -> tuple[int, ...]:
        """The dimensions, each once."""
        return tuple(dict.fromkeys(point.dimension for point in self.points))

    @property
    def left_out(self) -> tuple[str, ...]:
        """Points that do not count, with the reason."""
        return tuple(
            f"d = {point.dimension}, P = {point.samples}: {point.reason}"
            for point in self.points
            if point.reason
        )

    def at(self, dimension: int) -> tuple[LearnabilityPoint, ...]:
        """Return the points of a dimension that count, along increasing samples."""
        found = [p for p in self.points if p.dimension == dimension and not p.reason]
        return tuple(sorted(found, key=lambda point: point.samples))

    def samples_at(self, level: float = 0.2) -> MeasuredComplexity:
        r"""Read off the number of samples at which a level is reached, by interpolation in log P between two points.

        Parameters
        ----------
        level : float
            :math:`\alpha`, between 0 and 1.

        Returns
        -------
        MeasuredComplexity
            One number for each dimension, from the first pair of neighboring points that count and have the level between them;
            nothing is extrapolated.

        Raises
        ------
        DomainError
            If the level is not between 0 and 1.
        """
        wanted = number("level", level, low=0.0, high=1.0, strict=True)
        rows, missing = [], []
        for dimension in self.dimensions:
            points = self.at(dimension)
            row = next(
                (
                    _crossed(low, high, wanted)
                    for low, high in pairwise(points)
                    if low.mean <= wanted < high.mean
                ),
                (math.nan,) * 3,
            )
            rows.append(row)
            if math.isnan(row[0]):
                seen = ", ".join(f"{point.mean:.3f} at P = {point.samples}" for point in points)
                missing.append(
                    f"d = {dimension}: no two points around {wanted:g} ({seen or 'none counts'})"
                )
        samples, errors, freedom = np.array(rows).T
        return MeasuredComplexity(
            wanted,
            np.array(self.dimensions, dtype=float),
            samples,
            errors,
            freedom,
            tuple(missing),
        )


def learnability_ladder(
    point: Point,
    dimensions: Sequence[int],
    samples: Sequence[Sequence[int]],
    *,
    workers: int | MapLike = 1,
    folder: str | Path | None = None,
    on_done: Callable[[int], None] | None = None,
    rng: np.random.Generator | int,
    **options: object,
) -> LearnabilityLadder:
    """Measure learnability at several dimensions and numbers of samples, each point on its own.

    Parameters
    ----------
    point : callable
        ``point(samples, dimension=..., rng=..., **options)`` measures one, as
        `scalinglaws.verify.simulate.kernel_adaptation.learnability_point` does.
    dimensions : sequence of int
        d, each once.
    samples : sequence of sequences of int
        P for each of them.
    workers : int or map-like
        Processes, as for `scalinglaws.sweep.run_many`; the numbers do not depend on it.
    folder : str or Path, optional
        Where every point is kept as soon as it ends, and found again if nothing that could change it has: the function, its options,
        `rng`, and the sources of this package. By default nothing is kept.
    on_done : callable, optional
        Called with the place of every point as it ends.
    rng : Generator or int
        Source of randomness. The stream of a point depends on it and on d and P alone.
    **options
        Of `point`.

    Returns
    -------
    LearnabilityLadder
        Of all points; ``left_out`` lists those that do not count.

    Raises
    ------
    DomainError
        If dimensions and samples do not match, or an argument of a point is out of range.
    WorkerError
        If a worker process died; points that have ended are kept in the folder.

    Examples
    --------
    >>> from scalinglaws.verify.simulate.kernel_adaptation import gaussian_process_point
    >>> found = learnability_ladder(gaussian_process_point, [2, 3], [[60, 120], [150, 300]], datasets=2, rng=0)
    >>> [point.samples for point in found.points], found.left_out
    ([60, 120, 150, 300], ())
    """
    function("point", point)
    sizes = [int(d) for d in whole_numbers("dimensions", dimensions, low=1)]
    if not sizes or len(set(sizes)) < len(sizes):
        raise refusal("dimensions", dimensions, "must be different whole numbers, at least one")
    if not isinstance(samples, Sequence) or len(samples) != len(sizes):
        complaint = f"must have one row for each of {len(sizes)} dimensions"
        raise refusal("samples", samples, complaint)
    rows = [[int(p) for p in whole_numbers("samples", row, low=1)] for row in samples]
    root = root_seed(rng)
    place = None if folder is None else checked_path("folder", folder)
    task = partial(_measured, point, root, place, options)
    # the costliest first, so that no worker is left with it at the end
    pairs = [(d, p) for d, row in zip(sizes, rows, strict=True) for p in row]
    order = sorted(range(len(pairs)), key=lambda i: -pairs[i][1] * pairs[i][0] ** 2)
    found = run_many(
        task,
        [pairs[i] for i in order],
        workers=workers,
        on_done=None if on_done is None else lambda i: on_done(order[i]),
    )
    placed = dict(zip(order, found, strict=True))
    return LearnabilityLadder(tuple(placed[i] for i in range(len(pairs))))


def _measured(
    point: Point,
    root: int,
    folder: Path | None,
    options: Mapping[str, Any],
    pair: tuple[int, int],
) -> LearnabilityPoint:
    """Measure one point, or find it."""
    dimension, samples = pair
    path = None
    if folder is not None:
        key = fingerprint(point, jsonable({"root": root, "pair": pair, "options": dict(options)}))
        path = None if key is None else folder / f"d{dimension}-P{samples}-{key}.npz"
    found = kept(LearnabilityPoint, path)
    if found is None:
        stream = np.random.default_rng(np.random.SeedSequence(root, spawn_key=pair))
        found = point(samples, dimension=dimension, rng=stream, **options)
        keep(found, path)
    return found


def _crossed(
    low: LearnabilityPoint, high: LearnabilityPoint, level: float
) -> tuple[float, float, float]:
    """Interpolate linearly in log P; return it, its standard error and the degrees of freedom of that."""
    rise, span = high.mean - low.mean, math.log(high.samples / low.samples)
    share = (level - low.mean) / rise
    samples = low.samples * math.exp(share * span)
    parts = [(1 - share) * low.error, share * high.error]
    variance = sum(part**2 for part in parts)
    freedom = variance**2 / sum(
        part**4 / (point.values.size - 1) for part, point in zip(parts, (low, high), strict=True)
    )
    return samples, samples * span / rise * math.sqrt(variance), freedom
