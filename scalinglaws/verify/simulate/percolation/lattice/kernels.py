"""Clusters on hypercubic lattices by union-find over runs of sites.

Occupation is kept as bits, 64 sites to a word, in raster order. A row along the last axis falls into runs of joined sites; runs are the
nodes of the union-find, numbered as they appear, so that the node of a site is found by counting bits. Runs of two neighboring rows
touch where both words have their bits set; of adjacent contacts only the first can join anything new. A root holds minus the size of
its cluster, any other node the number of a node nearer to its root.

Bonds are kept as one array of bits per axis, each bond with the site that it connects to its predecessor along the axis.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .....solvers._jit import njit
from ..._counter import below, coins

Words = NDArray[np.uint64]
Nodes = NDArray[np.int32]

_ZERO, _ONE, _TWO, _FOUR, _SIX, _56, _63 = (
    np.uint64(0),
    np.uint64(1),
    np.uint64(2),
    np.uint64(4),
    np.uint64(6),
    np.uint64(56),
    np.uint64(63),
)
_PAIRS, _QUADS = np.uint64(0x5555555555555555), np.uint64(0x3333333333333333)
_OCTETS, _SUM = np.uint64(0x0F0F0F0F0F0F0F0F), np.uint64(0x0101010101010101)


@njit
def count_bits(word: np.uint64) -> int:
    """Return how many bits are set (one instruction, once compiled)."""
    word = word - ((word >> _ONE) & _PAIRS)
    word = (word & _QUADS) + ((word >> _TWO) & _QUADS)
    word = (word + (word >> _FOUR)) & _OCTETS
    return int(np.int64((word * _SUM) >> _56))


@njit
def piece(words: Words, position: int) -> np.uint64:
    """Return the 64 bits from a position on; `words` has a spare word at its end, which positions above -64 may reach."""
    first = position >> 6
    shift = np.uint64(position & 63)
    found: np.uint64 = (words[first] >> shift) | ((words[first + 1] << _ONE) << (_63 - shift))
    return found


@njit
def flip_coins(key: np.uint64, chance: np.uint64, sites: int, words: Words) -> None:
    """Set each of the first `sites` bits with probability ``chance`` / 2^53, and clear the rest."""
    full = sites >> 6
    for index in range(full):
        words[index] = coins(key, np.uint64(index), chance)
    for index in range(full, words.size):
        words[index] = _ZERO
    if sites & 63:
        words[full] = coins(key, np.uint64(full), chance) & ((_ONE << np.uint64(sites & 63)) - _ONE)


@njit
def ones_below(count: int | np.int64) -> np.uint64:
    """Return a word whose lowest bits are set, none of them for counts below 1, all from 64 on."""
    if count <= 0:
        return _ZERO
    return (~_ZERO) >> np.uint64(max(64 - count, 0))


@njit
def marked(offset: int, period: int, begin: int | np.int64, end: int | np.int64) -> np.uint64:
    """Return a word with bit t set where (offset + t) modulo the period lies between begin and end - 1; 0 <= offset < period."""
    found = _ZERO
    base = -offset
    while base < 64:
        found |= ones_below(base + end) & ~ones_below(base + begin)
        base += period
    return found


@njit
def join(parent: Nodes, one: np.uint32, other: np.uint32) -> int:
    """Join two clusters; return how many that makes fewer. Both paths are climbed in turn and spliced on the way (Rem's algorithm)."""
    # unsigned numbers here and below, because signed ones might count from the end, which costs a look at each
    above, beyond = np.uint32(parent[one]), np.uint32(parent[other])
    while above != beyond:
        if above < beyond:
            parent[other] = above
            if beyond == other:
                return 1
            other = beyond
            beyond = np.uint32(parent[other])
        else:
            parent[one] = beyond
            if above == one:
                return 1
            one = above
            above = np.uint32(parent[one])
    return 0


@njit
def connect(
    words: NDArray[np.uint64],
    bonds: bool,
    shape: NDArray[np.int64],
    periodic: NDArray[np.bool_],
    begins: Words,
    first: Nodes,
    parent: Nodes,
    sizes: Nodes,
) -> tuple[int, int]:
    """Find the clusters.

    Parameters
    ----------
    words : ndarray, shape (1, W), or (d, W) for bonds
        Bits, with a spare word at the end of each row.
    bonds : bool
        Whether bits are bonds, all sites being occupied.
    shape : ndarray, shape (d,)
        Lengths of the lattice.
    periodic : ndarray of bool, shape (d,)
        Whether the last site along each axis is a neighbor of the first.
    begins : ndarray, shape (W,)
        Receives a bit for every site where a run begins.
    first : ndarray, shape (W,)
        Receives the number of runs that begin before each word, less one.
    parent, sizes : ndarray
        Receive for every run the root of its cluster, and for roots the number of sites, for other nodes 0.

    Returns
    -------
    tuple of int
        Number of nodes and of clusters.
    """
    axes = shape.size
    volume = 1
    nought = np.int64(0)  # literals would have `marked` compiled once for each
    strides = np.empty(axes, np.int64)
    for axis in range(axes - 1, -1, -1):
        strides[axis] = volume
        volume *= shape[axis]
    offsets = np.zeros(axes, np.int64)
    carries = np.zeros(2 * axes, np.uint64)
    carry = _ZERO
    nodes, clusters = 0, 0
    for k in range((volume + 63) >> 6):
        position = k << 6
        # runs
        fresh = marked(offsets[axes - 1], shape[axes - 1], nought, nought + 1)
        if bonds:
            here = ones_below(volume - position)
            begin = here & (fresh | ~words[axes - 1, k])
        else:
            here = words[0, k]
            begin = here & (fresh | ~((here << _ONE) | carry))
            carry = here >> _63
        begins[k] = begin
        first[k] = nodes - 1
        mine = nodes - 1
        lowest = begin & (_ZERO - begin)
        left = here & (lowest - _ONE)  # all of it where no run begins
        if left != _ZERO:
            sizes[mine] += count_bits(left)
        rest = begin
        while rest != _ZERO:
            above = rest & (rest - _ONE)
            upper = above & (_ZERO - above)
            sizes[nodes] = count_bits(here & (upper - _ONE) & ~((rest & (_ZERO - rest)) - _ONE))
            parent[np.uint32(nodes)] = nodes
            nodes += 1
            rest = above
        # contacts with what came before
        for axis in range(axes):
            stride, period = strides[axis], strides[axis] * shape[axis]
            for wrapped in range(
                1 if axis == axes - 1 else 0, 2 if periodic[axis] and shape[axis] > 1 else 1
            ):
                if wrapped:
                    allowed = here & marked(offsets[axis], period, period - stride, period)
                    back = period - stride
                else:
                    allowed = here & ~marked(offsets[axis], period, nought, stride)
                    back = stride
                if allowed == _ZERO:
                    carries[2 * axis + wrapped] = _ZERO
                    continue
                source = position - back
                if not bonds:
                    contact = allowed & piece(words[0], source)
                elif wrapped:
                    contact = allowed & piece(words[axis], source)
                else:
                    contact = allowed & words[axis, k]
                repeated = (
                    ((contact << _ONE) | carries[2 * axis + wrapped])
                    & ~begin
                    & ~piece(begins, source)
                )
                carries[2 * axis + wrapped] = contact >> _63
                contact &= ~repeated
                while contact != _ZERO:
                    upto = contact ^ (contact - _ONE)
                    contact &= contact - _ONE
                    there = source + count_bits(upto) - 1
                    word = np.uint64(there) >> _SIX
                    upto_it = begins[word] & ((_TWO << (np.uint64(there) & _63)) - _ONE)
                    its = first[word] + count_bits(upto_it)
                    here_too = mine + count_bits(begin & upto)
                    clusters -= join(parent, np.uint32(here_too), np.uint32(its))
            offsets[axis] = (
                (offsets[axis] + 64) % period
                if offsets[axis] + 64 >= period
                else offsets[axis] + 64
            )
    for node in range(nodes):
        own = np.uint32(node)
        root = np.uint32(parent[np.uint32(parent[own])])
        if root != own:
            parent[own] = root
            sizes[root] += sizes[own]
            sizes[own] = 0
    return nodes, clusters + nodes


@njit
def name_clusters(parent: Nodes, sizes: Nodes, names: Nodes, listed: NDArray[np.int64]) -> None:
    """Number clusters from 1 on, in the order of their first sites; write the number of every run and the size of every cluster."""
    count = 0
    for node in range(sizes.size):
        if sizes[node] > 0:
            listed[count] = sizes[node]
            count += 1
            names[node] = count
        else:  # a root comes before the other runs of its cluster
            names[node] = names[parent[node]]


@njit
def write_labels(here: Words, begins: Words, first: Nodes, names: Nodes, labels: Nodes) -> None:
    """Write the labels of occupied sites over zeros, given those of the runs; `here` has a bit for every site that has a label.

    `labels` has eight entries to spare, which stay zero.
    """
    for k in range((labels.size - 8 + 63) >> 6):
        # places are unsigned, so that none is suspected to count from the end, and stores go eight at a time
        position = np.uint64(k << 6)
        inside, begin = here[k], begins[k]
        within = inside & ~begin & _ONE  # the word begins inside of a run
        node = np.uint64(first[k] + 1 - int(np.int64(within)))
        left, stops = begin | within, begin | ~inside
        while left != _ZERO:
            lowest = left & (_ZERO - left)
            left ^= lowest
            beyond = stops & ~(lowest | (lowest - _ONE))
            start = position + np.uint64(count_bits(lowest - _ONE))
            # the end of the word, if no stop is beyond
            stop = position + np.uint64(count_bits(~beyond & (beyond - _ONE)))
            name = names[node]
            node += _ONE
            # mostly all there are, and zeros over those too many: no branch to be mispredicted
            for t in range(8):
                labels[start + np.uint64(t)] = name
            site = start + np.uint64(8)
            while site < stop:
                labels[site] = name
                site += _ONE
            for t in range(8):
                labels[stop + np.uint64(t)] = 0


@njit
def tally(sizes: Nodes, small: NDArray[np.int64], large: NDArray[np.int64]) -> int:
    """Count clusters by size below ``small.size``, list the others, and return how many these are."""
    found = 0
    for size in sizes:
        if size >= small.size:
            large[found] = size
            found += 1
        elif size > 0:
            small[size] += 1
    return found


@njit
def summarize(
    sizes: Nodes, tail_clusters: NDArray[np.int64], tail_sites: NDArray[np.int64]
) -> tuple[int, float]:
    """Add up clusters, and the sites in them, of sizes >= 4^j for every j; return the largest size and the sum of squares."""
    largest, squares = 0, 0.0
    for entry in sizes:
        size = int(entry)
        if size > 0:
            j = power_of_four(size, tail_sites.size)
            tail_clusters[j] += 1
            tail_sites[j] += size
            largest = max(largest, size)
            squares += float(size) * float(size)
    for j in range(tail_sites.size - 2, -1, -1):
        tail_clusters[j] += tail_clusters[j + 1]
        tail_sites[j] += tail_sites[j + 1]
    return largest, squares


@njit
def power_of_four(size: int, count: int) -> int:
    """Return the largest j < count with 4^j <= size."""
    j = 0
    while size >= 4 and j < count - 1:
        size >>= 2
        j += 1
    return j


@njit
def draw_roots(
    key: np.uint64,
    roots: int,
    volume: int,
    here: Words,
    begins: Words,
    first: Nodes,
    parent: Nodes,
    sizes: Nodes,
    tail: NDArray[np.int64],
) -> None:
    """Draw random occupied sites, at least one of which must exist, and count those in clusters of sizes >= 4^j for every j."""
    counter = _ZERO
    for _ in range(roots):
        while True:
            drawn, counter = below(key, np.uint64(counter), np.uint64(volume))
            site = int(np.int64(drawn))
            shift = np.uint64(site & 63)
            if (here[site >> 6] >> shift) & _ONE:
                break
        node = first[site >> 6] + count_bits(begins[site >> 6] & ((_TWO << shift) - _ONE))
        tail[power_of_four(int(sizes[parent[node]]), tail.size)] += 1
    for j in range(tail.size - 2, -1, -1):
        tail[j] += tail[j + 1]
