"""Clusters of sites and bonds on hypercubic lattices."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .....arguments import MOST_EXACT, afford, choice, flag, flags, generator, number, whole
from .....errors import refusal
from ... import _counter
from . import kernels as kernels
from .records import (
    LabeledClusters,
    LatticeClusters,
    LatticeSamples,
    boundaries,
    counted,
)

_KINDS = ("site", "bond")
_MOST_SITES = 2**31 - 1  # sizes are 32-bit numbers
_SMALL = 4096  # sizes counted in a table
_METHOD = "union-find over runs of sites"


@dataclass
class _Workspace:
    """Memory for one lattice after another."""

    shape: tuple[int, ...]
    kind: str
    periodic: tuple[bool, ...]
    volume: int = field(init=False)

    def __post_init__(self) -> None:
        self.volume, axes = math.prod(self.shape), len(self.shape)
        if self.volume > _MOST_SITES:
            raise refusal("shape", self.shape, "must have less than 2^31 sites")
        bonds = self.kind == "bond"
        words = (self.volume + 63) // 64 + 1
        runs = self.volume if bonds else (self.shape[-1] + 1) // 2 * (self.volume // self.shape[-1])
        entries = words * ((axes if bonds else 1) + 2) + runs
        afford(entries, "the clusters", "use a smaller lattice")
        self.words = np.zeros((axes if bonds else 1, words), np.uint64)
        self.begins = np.zeros(words, np.uint64)
        self.first = np.empty(words, np.int32)
        self.parents, self.all_sizes = np.empty(runs, np.int32), np.empty(runs, np.int32)
        self.count = self.nodes = 0

    def fill(self, key: np.uint64, occupation: float) -> None:
        """Occupy sites or bonds at random."""
        chance = np.uint64(round(occupation * 2.0**53))
        with np.errstate(over="ignore"):
            for axis in range(self.words.shape[0]):
                own = np.uint64(_counter.subkey(key, np.uint64(axis)))
                kernels.flip_coins(own, chance, self.volume, self.words[axis])

    def connect(self) -> None:
        """Find the clusters."""
        with np.errstate(over="ignore"):
            self.nodes, self.count = kernels.connect(
                self.words,
                self.kind == "bond",
                np.array(self.shape),
                np.array(self.periodic),
                self.begins,
                self.first,
                self.parents,
                self.all_sizes,
            )

    @property
    def sizes(self) -> NDArray[np.int32]:
        """Sizes at the roots of clusters, in the order of first sites; 0 at other runs."""
        return self.all_sizes[: self.nodes]

    def here(self) -> NDArray[np.uint64]:
        """Return the bits of occupied sites."""
        if self.kind == "site":
            occupied: NDArray[np.uint64] = self.words[0]
            return occupied
        found = np.full(self.begins.size, ~np.uint64(0))
        found[-1] = 0
        if self.volume % 64:
            found[-2] = 2 ** (self.volume % 64) - 1
        return found

    def labels(self) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
        """Return the number of every site's cluster, in the shape of the lattice, and the sizes of clusters."""
        afford(self.volume / 2, "the labels", "use a smaller lattice, or labels=False")
        names, sizes = np.empty(self.nodes, np.int32), np.empty(self.count, np.int64)
        kernels.name_clusters(self.parents[: self.nodes], self.sizes, names, sizes)
        found = np.zeros(self.volume + 8, np.int32)
        if self.nodes:
            with np.errstate(over="ignore"):
                kernels.write_labels(self.here(), self.begins, self.first, names, found)
        return found[: self.volume].reshape(self.shape), sizes


def label_clusters(
    occupied: ArrayLike, *, periodic: bool | Sequence[bool] = False
) -> LabeledClusters:
    """Number the clusters of a given lattice.

    Two occupied sites belong to one cluster if a path of occupied sites leads from one to the other, each a neighbor of the last
    along an axis.

    Parameters
    ----------
    occupied : array_like of bool
        The lattice, with at least one axis and one site.
    periodic : bool or sequence of bool
        Whether the last site along an axis is a neighbor of the first: for all axes, or one flag per axis.

    Returns
    -------
    LabeledClusters
        The label of every site, 0 if it is empty, and the size of every cluster.

    Raises
    ------
    DomainError
        If `occupied` is not an array of booleans, or has no axis or site, or 2^31 sites or more.
    ResourceError
        If it would not fit into memory.

    Notes
    -----
    Union-find over runs of occupied sites, 64 sites at a time. Without periodic boundaries, the same clusters as those of
    ``scipy.ndimage.label``.

    Examples
    --------
    >>> found = label_clusters([[True, False, True], [True, False, False]])
    >>> found.labels
    array([[1, 0, 2],
           [1, 0, 0]], dtype=int32)
    >>> label_clusters([[True, False, True], [True, False, False]], periodic=True).sizes
    array([3])

    Along one axis only, the sites of a torus cut open:

    >>> corners = [[True, False, True], [False, False, False], [True, False, True]]
    >>> label_clusters(corners, periodic=(False, True)).sizes
    array([2, 2])
    """
    try:
        array = np.asarray(occupied)
    except ValueError:
        raise refusal("occupied", occupied, "must be an array of booleans") from None
    if array.dtype != np.bool_ or array.ndim == 0 or array.size == 0:
        raise refusal(
            "occupied",
            occupied,
            f"must be an array of booleans with at least one site; got {array.dtype} of shape "
            f"{array.shape}",
            shown=False,
        )
    wrapped = flags("periodic", periodic, array.ndim)
    space = _Workspace(array.shape, "site", wrapped)
    packed = np.zeros(space.words.nbytes, np.uint8)
    packed[: (array.size + 7) // 8] = np.packbits(array.reshape(-1), bitorder="little")
    space.words[0] = packed.view("<u8")
    space.connect()
    return LabeledClusters(*space.labels(), boundaries(wrapped), counted(_METHOD, 1))


def lattice_clusters(
    shape: Sequence[int],
    occupation: float,
    *,
    kind: str = "site",
    periodic: bool | Sequence[bool] = True,
    labels: bool = False,
    rng: np.random.Generator | int = 0,
) -> LatticeClusters:
    """Occupy sites or bonds of a lattice at random, and count the clusters by their size.

    Parameters
    ----------
    shape : sequence of int
        Number of sites along each axis.
    occupation : float
        Probability p that a site is occupied, or a bond; 0 <= p <= 1, rounded to a multiple of 2^-53.
    kind : str
        ``"site"``: neighbors are connected if both are occupied. ``"bond"``: all sites are occupied, and neighbors are connected
        by bonds that are occupied; along a periodic axis of two sites there are two bonds between them.
    periodic : bool or sequence of bool
        Whether the last site along an axis is a neighbor of the first: for all axes, or one flag per axis.
    labels : bool
        Whether to return the label of every site.
    rng : Generator or int
        Source of randomness.

    Returns
    -------
    LatticeClusters
        The sizes that occur and how often they do, the largest of them, and labels on request.

    Raises
    ------
    DomainError
        If an argument is out of range.
    ResourceError
        If the lattice would not fit into memory.

    Notes
    -----
    Random bits are functions of a key and of the site's number, and 64 sites are occupied, and connected, at a time.

    Examples
    --------
    >>> found = lattice_clusters((64, 64), 0.5, kind="bond")
    >>> found.occupied, int(found.sizes @ found.counts)
    (4096, 4096)
    >>> lattice_clusters((8, 8, 8), 1.0).largest
    512
    """
    if not isinstance(shape, (Sequence, np.ndarray)) or np.isscalar(shape):
        raise refusal("shape", shape, "must be whole numbers, one for each axis")
    lengths = tuple(
        whole("shape", entry) for entry in list(np.ravel(np.array(shape, dtype=object)))
    )
    if not lengths:
        raise refusal("shape", shape, "must have at least one axis", shown=False)
    wrapped, labels = flags("periodic", periodic, len(lengths)), flag("labels", labels)
    space = _Workspace(lengths, one_of_kinds(kind), wrapped)
    chance = probability(occupation)
    space.fill(_counter.new_key(generator(rng)), chance)
    space.connect()
    small, large = np.zeros(_SMALL, np.int64), np.empty(space.volume // _SMALL + 1, np.int64)
    found = kernels.tally(space.sizes, small, large)
    more, how_many = np.unique(large[:found], return_counts=True)
    occurring = np.flatnonzero(small)
    return LatticeClusters(
        lengths,
        chance,
        kind,
        boundaries(wrapped),
        np.concatenate([occurring, more]),
        np.concatenate([small[occurring], how_many]),
        space.labels()[0] if labels else None,
        counted(_METHOD, 1),
    )


def sample_lattices(
    length: int,
    dimension: int,
    *,
    occupation: float,
    kind: str = "site",
    periodic: bool | Sequence[bool] = True,
    samples: int = 1,
    first: int = 0,
    roots: int = 1000,
    rng: np.random.Generator | int = 0,
) -> LatticeSamples:
    """Draw many lattices and keep what the estimators need: largest clusters, and how many sites and clusters exceed each power of 4.

    Parameters
    ----------
    length : int
        Number of sites along each axis.
    dimension : int
        Number of axes.
    occupation : float
        Probability that a site, or a bond, is occupied.
    kind, periodic
        As in `lattice_clusters`.
    samples : int
        Number of lattices.
    first : int
        Number of the first one: sample i is the same in whatever portions samples are drawn, so that several processes with the
        same seed can share them; see `LatticeSamples.joined`.
    roots : int
        Number of occupied sites drawn at random in each lattice, with replacement.
    rng : Generator or int
        Source of randomness; a seed where samples are drawn in portions.

    Returns
    -------
    LatticeSamples
        One row per lattice.

    Raises
    ------
    DomainError
        If an argument is out of range.
    ResourceError
        If a lattice would not fit into memory.

    Examples
    --------
    >>> whole = sample_lattices(32, 2, occupation=0.5, samples=4, rng=1)
    >>> parts = [sample_lattices(32, 2, occupation=0.5, samples=2, first=i, rng=1) for i in (0, 2)]
    >>> bool((LatticeSamples.joined(parts).largest == whole.largest).all())
    True
    """
    length, dimension, samples = (
        whole("length", length),
        whole("dimension", dimension),
        whole("samples", samples),
    )
    start, draws = (
        whole("first", first, low=0, high=MOST_EXACT),
        whole("roots", roots, low=0, high=MOST_EXACT),
    )
    chance = probability(occupation)
    if dimension * math.log2(length) >= 31:
        raise refusal("length", length, "must make less than 2^31 sites")
    wrapped = flags("periodic", periodic, dimension)
    space = _Workspace((length,) * dimension, one_of_kinds(kind), wrapped)
    columns = max(1, (space.volume.bit_length() + 1) // 2)
    afford(
        3.0 * samples * columns,
        f"statistics of {samples:.3g} samples",
        "draw them in parts: first=",
    )
    tails = np.zeros((3, samples, columns), np.int64)
    largest, squares = np.zeros(samples, np.int64), np.zeros(samples)
    source = _counter.new_key(generator(rng))
    for i in range(samples):
        with np.errstate(over="ignore"):
            key = np.uint64(_counter.subkey(source, np.uint64(start + i)))
            space.fill(key, chance)
            space.connect()
            largest[i], squares[i] = kernels.summarize(space.sizes, tails[0, i], tails[1, i])
            if draws and largest[i]:
                own = np.uint64(_counter.subkey(key, np.uint64(dimension)))
                kernels.draw_roots(
                    own,
                    draws,
                    space.volume,
                    space.here(),
                    space.begins,
                    space.first,
                    space.parents,
                    space.sizes,
                    tails[2, i],
                )
    return LatticeSamples(
        length,
        dimension,
        chance,
        kind,
        boundaries(wrapped),
        largest,
        squares,
        tails[1],
        tails[0],
        tails[2],
        counted(_METHOD, samples),
    )


def one_of_kinds(kind: str) -> str:
    """Return ``"site"`` or ``"bond"``; refuse anything else."""
    choice("kind", kind, _KINDS)
    return kind


def probability(value: float) -> float:
    """Return a number between 0 and 1."""
    return number("occupation", value, low=0, high=1)
