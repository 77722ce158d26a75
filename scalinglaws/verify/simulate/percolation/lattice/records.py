"""What simulations of percolation on lattices return."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .....errors import refusal
from .....results import Diagnostics, Result, Status

Array = NDArray[np.float64]
Counts = NDArray[np.int64]
Periodic = bool | tuple[bool, ...]
"""Whether opposite faces are neighbors: one flag, or one per axis where axes differ."""


def boundaries(flags: tuple[bool, ...]) -> Periodic:
    """Return what a record says of the boundaries along all axes."""
    return flags[0] if len(set(flags)) == 1 else flags


def counted(method: str, samples: int, error: float = 0.0) -> Diagnostics:
    """Return the diagnostics of something counted, with the relative standard error if it is an estimate."""
    return Diagnostics(Status.CONVERGED, 0.0, samples, method, error)


@dataclass(frozen=True)
class LabeledClusters(Result):
    """Clusters of a given lattice.

    Attributes
    ----------
    labels : ndarray of int32, the shape of the lattice
        0 for empty sites; clusters are numbered from 1 in the order of their first sites.
    sizes : ndarray of int64, shape (count,)
        Number of sites of cluster 1, 2, ...
    periodic : bool or tuple of bool
        Whether opposite faces are neighbors; one flag per axis where axes differ.
    """

    labels: NDArray[np.int32]
    sizes: Counts
    periodic: Periodic
    diagnostics: Diagnostics

    @property
    def count(self) -> int:
        """Number of clusters."""
        return self.sizes.size


@dataclass(frozen=True)
class LatticeClusters(Result):
    """Clusters of one random lattice.

    Attributes
    ----------
    shape : tuple of int
        Lengths of the lattice.
    occupation : float
        Probability that a site, or a bond, is occupied.
    kind : str
        ``"site"`` or ``"bond"``.
    periodic : bool or tuple of bool
        Whether opposite faces are neighbors; one flag per axis where axes differ.
    sizes : ndarray of int64, shape (S,)
        The sizes that occur, in increasing order.
    counts : ndarray of int64, shape (S,)
        How many clusters have each of them.
    labels : ndarray of int32, or None
        As in `LabeledClusters`, if asked for.
    """

    shape: tuple[int, ...]
    occupation: float
    kind: str
    periodic: Periodic
    sizes: Counts
    counts: Counts
    labels: NDArray[np.int32] | None
    diagnostics: Diagnostics

    @property
    def largest(self) -> int:
        """Size of the largest cluster, 0 if all sites are empty."""
        return int(self.sizes[-1]) if self.sizes.size else 0

    @property
    def occupied(self) -> int:
        """Number of occupied sites."""
        return int(self.sizes @ self.counts)

    @property
    def count(self) -> int:
        """Number of clusters."""
        return int(self.counts.sum())


@dataclass(frozen=True)
class LatticeSamples(Result):
    """What is kept of many random lattices; column j of a tail is about clusters of at least 4^j sites.

    Attributes
    ----------
    length, dimension : int
        Length of each of the axes, and how many there are.
    occupation : float
        Probability that a site, or a bond, is occupied.
    kind : str
        ``"site"`` or ``"bond"``.
    periodic : bool or tuple of bool
        Whether opposite faces are neighbors; one flag per axis where axes differ.
    largest : ndarray of int64, shape (samples,)
        Size of the largest cluster.
    squares : ndarray, shape (samples,)
        Sum of squared sizes.
    tail_sites : ndarray of int64, shape (samples, J)
        Number of sites in such clusters.
    tail_clusters : ndarray of int64, shape (samples, J)
        Number of such clusters.
    tail_roots : ndarray of int64, shape (samples, J)
        How many of the occupied sites drawn at random lie in such clusters.
    """

    length: int
    dimension: int
    occupation: float
    kind: str
    periodic: Periodic
    largest: Counts
    squares: Array
    tail_sites: Counts
    tail_clusters: Counts
    tail_roots: Counts
    diagnostics: Diagnostics

    @staticmethod
    def of(found: LatticeClusters) -> LatticeSamples:
        """Return what is kept of one lattice, without random sites.

        Parameters
        ----------
        found : LatticeClusters
            Of a lattice with equal lengths.

        Returns
        -------
        LatticeSamples
            One sample, whose `tail_roots` are 0.

        Raises
        ------
        DomainError
            If the lengths differ.
        """
        if len(set(found.shape)) != 1:
            raise refusal(
                "found",
                found.shape,
                f"has the shape {found.shape}; all lengths must be equal",
                shown=False,
            )
        volume = math.prod(found.shape)
        least = 4 ** np.arange(max(1, (volume.bit_length() + 1) // 2))
        large = found.sizes[:, None] >= least
        return LatticeSamples(
            found.shape[0],
            len(found.shape),
            found.occupation,
            found.kind,
            found.periodic,
            np.array([found.largest]),
            np.array([float((found.sizes.astype(float) ** 2) @ found.counts)]),
            ((found.sizes * found.counts) @ large)[None, :],
            (found.counts @ large)[None, :],
            np.zeros((1, least.size), np.int64),
            found.diagnostics,
        )

    @staticmethod
    def joined(parts: Sequence[LatticeSamples]) -> LatticeSamples:
        """Return the samples of several runs of the same lattice as one.

        Parameters
        ----------
        parts : sequence of LatticeSamples
            Of equal length, dimension, occupation, kind and boundaries.

        Returns
        -------
        LatticeSamples
            All samples, in the order given.

        Raises
        ------
        DomainError
            If the lattices differ, or there are none.
        """
        kinds = {
            (part.length, part.dimension, part.occupation, part.kind, part.periodic)
            for part in parts
        }
        if len(kinds) != 1:
            raise refusal(
                "parts",
                parts,
                f"must be samples of one kind of lattice; got {len(kinds)}",
                shown=False,
            )

        def together(name: str) -> NDArray[Any]:
            return np.concatenate([getattr(part, name) for part in parts])

        largest, like = together("largest"), parts[0]
        return LatticeSamples(
            like.length,
            like.dimension,
            like.occupation,
            like.kind,
            like.periodic,
            largest,
            together("squares"),
            together("tail_sites"),
            together("tail_clusters"),
            together("tail_roots"),
            counted(like.diagnostics.method, largest.size),
        )


@dataclass(frozen=True)
class OccupationSweep(Result):
    """Clusters while sites or bonds are occupied one by one, averaged over samples.

    Attributes
    ----------
    length, dimension : int
        Length of each of the axes, and how many there are.
    kind : str
        ``"site"`` or ``"bond"``.
    periodic : bool or tuple of bool
        Whether opposite faces are neighbors; one flag per axis where axes differ.
    samples : int
        Number of random orders.
    largest : ndarray, shape (n + 1,)
        Mean size of the largest cluster when 0, 1, ..., n sites or bonds are occupied, n being all of them.
    squares : ndarray, shape (n + 1,)
        Mean sum of squared cluster sizes.
    """

    length: int
    dimension: int
    kind: str
    periodic: Periodic
    samples: int
    largest: Array
    squares: Array
    diagnostics: Diagnostics


@dataclass(frozen=True)
class CanonicalAverages(Result):
    """Averages over sites or bonds that are occupied independently of each other.

    Attributes
    ----------
    occupation : float or ndarray
        Probability that one is occupied.
    largest : float or ndarray, same shape
        Mean size of the largest cluster.
    squares : float or ndarray, same shape
        Mean sum of squared cluster sizes.
    """

    occupation: float | Array
    largest: float | Array
    squares: float | Array
    diagnostics: Diagnostics


@dataclass(frozen=True)
class LatticeEstimate(Result):
    """A number measured on lattices.

    Attributes
    ----------
    value, standard_error : float
        The estimate.
    scales : ndarray, shape (m,)
        Smallest size, or length, of each window.
    local, local_standard_errors : ndarray, shape (m,)
        The estimate from each window alone.
    systematic_error : float or None
        What more samples do not reduce: corrections to the law that was assumed, which make estimates from small clusters differ
        from those of large ones. None where nothing tells.
    """

    value: float
    standard_error: float
    scales: Array
    local: Array
    local_standard_errors: Array
    diagnostics: Diagnostics
    systematic_error: float | None = None
