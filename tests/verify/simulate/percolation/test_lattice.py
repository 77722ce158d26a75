"""Clusters on hypercubic lattices, against other algorithms, enumeration, and the exponents of the literature."""

import itertools
import math
from dataclasses import replace
from functools import partial

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage, stats

from scalinglaws.errors import DomainError
from scalinglaws.sweep import run_many
from scalinglaws.verify.simulate import _counter
from scalinglaws.verify.simulate.percolation import (
    LatticeSamples,
    OccupationSweep,
    canonical,
    crossing,
    fisher_exponent,
    fisher_windows,
    fractal_dimension,
    label_clusters,
    lattice_clusters,
    newman_ziff,
    rank_exponent,
    sample_lattices,
)
from scalinglaws.verify.simulate.percolation.lattice import kernels as kernels


@pytest.fixture(scope="module")
def known(reference):
    return reference("percolation_lattice")


def _cross(dimension):
    return ndimage.generate_binary_structure(dimension, 1)


def _searched(open_site, neighbors, shape):
    """Label by breadth-first search, in the order of first sites."""
    labels, count = np.zeros(shape, int), 0
    for start in np.ndindex(*shape):
        if not open_site[start] or labels[start]:
            continue
        count += 1
        labels[start], queue = count, [start]
        for site in queue:
            for other in neighbors(site):
                if open_site[other] and not labels[other]:
                    labels[other] = count
                    queue.append(other)
    return labels


def _adjacent(site, shape, periodic):
    for axis, step in itertools.product(range(len(shape)), (-1, 1)):
        x = site[axis] + step
        if _wraps(periodic, axis) or 0 <= x < shape[axis]:
            yield (*site[:axis], x % shape[axis], *site[axis + 1 :])


def _wraps(periodic, axis):
    return periodic if isinstance(periodic, bool) else periodic[axis]


lattices = st.integers(1, 5).flatmap(
    lambda d: st.tuples(*[st.integers(1, {1: 300, 2: 90, 3: 20, 4: 9, 5: 6}[d])] * d)
)


@settings(max_examples=150)
@given(shape=lattices, occupation=st.floats(0, 1), seed=st.integers(0, 2**32 - 1))
def test_labels_are_those_of_scipy_up_to_their_order(shape, occupation, seed):
    occupied = np.random.default_rng(seed).random(shape) < occupation
    found = label_clusters(occupied)
    expected, count = ndimage.label(occupied, _cross(len(shape)))
    assert found.count == count
    pairs = set(zip(found.labels.ravel().tolist(), expected.ravel().tolist(), strict=True))
    assert len(pairs) == len({a for a, _ in pairs}) == len({b for _, b in pairs})
    assert (0, 0) in pairs or occupied.all()
    assert np.array_equal(found.sizes, np.bincount(found.labels.ravel(), minlength=count + 1)[1:])


def test_long_runs_are_labelled_to_their_last_site():
    """Runs of every length up to three words, at every place in a word, with gaps of one site and more."""
    row = np.zeros(200 * 210, bool)
    rng = np.random.default_rng(8)
    position = 0
    for length in rng.permutation(np.arange(1, 200)):
        row[position : position + length] = True
        position += length + rng.integers(1, 4)
    for size in (position, position - 1, 64, 63, 1):
        found = label_clusters(row[:size])
        expected, count = ndimage.label(row[:size])
        np.testing.assert_array_equal(found.labels, expected)  # both count from the first site on
        assert found.sizes.tolist() == np.bincount(expected)[1:].tolist()
        assert found.sizes.size == count


@settings(max_examples=60)
@given(
    shape=st.one_of(
        st.tuples(st.integers(1, 200)),
        st.lists(st.integers(1, 6), min_size=2, max_size=4).map(tuple),
    ),
    occupation=st.floats(0, 1),
    periodic=st.booleans() | st.tuples(*[st.booleans()] * 4),
    seed=st.integers(0, 2**32 - 1),
)
def test_labels_are_those_of_a_search(shape, occupation, periodic, seed):
    occupied = np.random.default_rng(seed).random(shape) < occupation
    periodic = periodic if isinstance(periodic, bool) else periodic[: len(shape)]
    expected = _searched(occupied, lambda site: _adjacent(site, shape, periodic), shape)
    assert np.array_equal(label_clusters(occupied, periodic=periodic).labels, expected)


@pytest.mark.parametrize("shape", [(67, 41), (5, 3, 70), (64, 64), (2, 2, 2, 2, 3), (130,)])
@pytest.mark.parametrize("periodic", [False, True, "first", "last"])
def test_bonds_are_those_of_a_search(shape, periodic):
    if isinstance(periodic, str):  # along one axis only
        only = 0 if periodic == "first" else len(shape) - 1
        periodic = [axis == only for axis in range(len(shape))]
    found = lattice_clusters(shape, 0.45, kind="bond", periodic=periodic, labels=True, rng=3)
    # the same bits, read one by one
    key = _counter.new_key(np.random.default_rng(3))
    volume, bonds = math.prod(shape), []
    for axis in range(len(shape)):
        words = np.zeros((volume + 63) // 64 + 1, np.uint64)
        with np.errstate(over="ignore"):
            own = np.uint64(_counter.subkey(key, np.uint64(axis)))
            kernels.flip_coins(own, np.uint64(round(0.45 * 2**53)), volume, words)
        bonds.append(
            np.array([int(words[i // 64]) >> (i % 64) & 1 for i in range(volume)]).reshape(shape)
        )

    def neighbors(site):
        for axis, length in enumerate(shape):
            before = (*site[:axis], (site[axis] - 1) % length, *site[axis + 1 :])
            after = (*site[:axis], (site[axis] + 1) % length, *site[axis + 1 :])
            if bonds[axis][site] and (_wraps(periodic, axis) or site[axis] > 0):
                yield before
            if bonds[axis][after] and (_wraps(periodic, axis) or site[axis] < length - 1):
                yield after

    assert np.array_equal(found.labels, _searched(np.ones(shape, bool), neighbors, shape))
    assert found.occupied == volume
    assert found.largest == np.bincount(found.labels.ravel()).max()


@pytest.mark.pure
@pytest.mark.parametrize(
    ("periodic", "sizes", "kept"),
    [
        (False, [1, 1, 1, 1], False),
        ((False, False), [1, 1, 1, 1], False),
        ((False, True), [2, 2], (False, True)),
        (np.array([True, False]), [2, 2], (True, False)),
        ([True, True], [4], True),
        (True, [4], True),
    ],
)
def test_one_flag_per_axis(periodic, sizes, kept, tmp_path):
    corners = np.array([[1, 0, 1], [0, 0, 0], [1, 0, 1]], bool)
    found = label_clusters(corners, periodic=periodic)
    assert found.sizes.tolist() == sizes
    assert found.periodic == kept
    assert type(found).load(found.save(tmp_path / "found.npz")).periodic == kept


@pytest.mark.pure
def test_sides_that_touch_along_one_axis_only():
    # of 3 sites in a row there are 3 pairs of neighbors where the ends touch, and 2 where they do not
    flags = (False, True)
    assert newman_ziff(3, 2, kind="bond", periodic=flags).largest.size == 1 + 6 + 9
    assert newman_ziff(3, 3, kind="bond", periodic=(True, False, False)).largest.size == 1 + 63
    samples = sample_lattices(8, 2, occupation=0.5, samples=2, periodic=flags, rng=1)
    one = lattice_clusters((8, 8), 1.0, periodic=flags)
    assert samples.periodic == one.periodic == flags
    assert one.largest == 64
    with pytest.raises(DomainError, match="free boundaries bias"):
        fisher_windows(samples, dimension=91 / 48)


@pytest.mark.parametrize("kind", ["site", "bond"])
@pytest.mark.parametrize("periodic", [(False, True), (True, False)])
def test_cylinders_agree_with_independent_draws(kind, periodic):
    p = 0.4
    sweep = canonical(newman_ziff(3, 2, kind=kind, periodic=periodic, samples=20_000, rng=1), p)
    drawn = sample_lattices(
        3, 2, occupation=p, kind=kind, periodic=periodic, samples=20_000, roots=0, rng=2
    )
    for found, values in ((sweep.largest, drawn.largest), (sweep.squares, drawn.squares)):
        assert found == pytest.approx(values.mean(), abs=6 * values.std() / math.sqrt(20_000))


@pytest.mark.pure
def test_small_lattices_by_hand():
    assert label_clusters([True, False, True], periodic=True).labels.tolist() == [1, 0, 1]
    assert label_clusters([[True, False], [False, True]]).labels.tolist() == [[1, 0], [0, 2]]
    assert lattice_clusters((3, 3), 1.0).largest == 9
    assert lattice_clusters((3, 3), 0.0).largest == 0
    assert lattice_clusters((2, 3), 0.0, kind="bond").sizes.tolist() == [1]
    assert lattice_clusters((2, 3), 1.0, kind="bond", periodic=False).largest == 6
    sweep = newman_ziff(2, 2, kind="bond", periodic=False)
    assert sweep.largest[[0, 1, 3, 4]].tolist() == [1, 2, 4, 4]
    samples = sample_lattices(6, 2, occupation=0.5, samples=2, roots=5)
    assert samples.tail_roots[:, 0].tolist() == [5, 5]


@pytest.mark.parametrize("periodic", [False, True, (False, True)])
def test_enumeration_of_sites_agrees_with_the_sweep(periodic):
    # all 512 lattices, by number of occupied sites: the sweep samples these means, and canonical weighs them
    largest, squares, ways = np.zeros(10), np.zeros(10), np.zeros(10)
    by_hand, p = 0.0, 0.37
    for cells in itertools.product([False, True], repeat=9):
        sizes = label_clusters(np.array(cells).reshape(3, 3), periodic=periodic).sizes
        n = sum(cells)
        ways[n] += 1
        largest[n] += sizes.max(initial=0)
        squares[n] += sizes @ sizes
        by_hand += p**n * (1 - p) ** (9 - n) * sizes.max(initial=0)
    sweep = newman_ziff(3, 2, periodic=periodic, samples=40_000, rng=1)
    exact = OccupationSweep(
        3, 2, "site", periodic, 512, largest / ways, squares / ways, sweep.diagnostics
    )
    assert canonical(exact, p).largest == pytest.approx(by_hand, rel=1e-13)
    assert sweep.largest == pytest.approx(exact.largest, abs=5 * 1.5 / 200)
    assert sweep.squares == pytest.approx(exact.squares, abs=5 * 13 / 200)


@pytest.mark.parametrize("kind", ["site", "bond"])
@pytest.mark.parametrize("length", [2, 3])
def test_sweep_and_independent_draws_agree_with_each_other(kind, length):
    # two algorithms, two random sources, one mean; small tori have double bonds
    p = 0.4
    sweep = canonical(newman_ziff(length, 2, kind=kind, samples=20_000, rng=1), p)
    drawn = sample_lattices(length, 2, occupation=p, kind=kind, samples=20_000, roots=0, rng=2)
    for found, values in ((sweep.largest, drawn.largest), (sweep.squares, drawn.squares)):
        assert found == pytest.approx(values.mean(), abs=6 * values.std() / math.sqrt(20_000))


def test_bonds_of_a_torus_by_enumeration():
    # 2 x 2 torus, two bonds between neighbors: a pair of sites is connected with probability 1 - (1 - p)^2, around a ring of four
    p = 0.3
    pair = 1 - (1 - p) ** 2
    exact = 0.0
    for joined in itertools.product([0, 1], repeat=4):
        weight = math.prod(pair if bond else 1 - pair for bond in joined)
        exact += weight * {0: 1, 1: 2, 3: 4, 4: 4}.get(
            sum(joined), 2 if joined[0] == joined[2] else 3
        )
    found = canonical(newman_ziff(2, 2, kind="bond", samples=40_000, rng=5), p)
    assert found.largest == pytest.approx(exact, abs=5 * 1.2 / 200)


def test_one_dimension_has_the_geometric_size_law():
    # runs of s sites: p^s (1-p)^2 per site
    p, length = 0.6, 2_000_000
    found = lattice_clusters((length,), p, rng=4)
    counts = dict(zip(found.sizes.tolist(), found.counts.tolist(), strict=True))
    for s in range(1, 12):
        mean = length * p**s * (1 - p) ** 2
        assert counts[s] == pytest.approx(mean, abs=5 * math.sqrt(mean))


@pytest.mark.parametrize("occupation", [0.0, 1e-3, 0.109016661, 0.5, 0.5927, 0.999, 1.0])
def test_coins_fall_as_often_as_they_should(occupation):
    words = np.zeros(20_001, np.uint64)
    sites = 20_000 * 64 - 13
    kernels.flip_coins(np.uint64(9), np.uint64(round(occupation * 2**53)), sites, words)
    bits = np.unpackbits(words.view(np.uint8), bitorder="little").astype(float)
    assert bits[sites:].sum() == 0
    lanes = bits[: sites - sites % 64].reshape(-1, 64)
    spread = math.sqrt(occupation * (1 - occupation))
    assert lanes.mean() == pytest.approx(occupation, abs=5 * spread / math.sqrt(lanes.size))
    assert np.abs(lanes.mean(axis=0) - occupation).max() <= 5 * spread / math.sqrt(lanes.shape[0])
    if 0 < occupation < 1:
        flat = bits[:sites] - occupation
        for lag in (1, 63, 64):
            assert abs(np.mean(flat[lag:] * flat[:-lag])) < 5 * spread**2 / math.sqrt(sites)


def test_counts_labels_and_sizes_of_one_lattice_agree():
    found = lattice_clusters((300, 300), 0.55, periodic=False, labels=True, rng=2)
    again = label_clusters(found.labels > 0)
    assert np.array_equal(again.labels, found.labels)
    assert np.array_equal(np.unique(again.sizes), found.sizes)
    assert found.count == again.count
    assert found.occupied == np.count_nonzero(found.labels)
    assert found.largest == again.sizes.max()


@pytest.mark.parametrize("places", [9, 10_000, 16_777_216])
def test_binomial_weights_neither_underflow_nor_drift(places):
    n = np.arange(places + 1, dtype=float)
    sweep = OccupationSweep(
        1, 1, "site", True, 1, n, n * (n - 1), lattice_clusters((1,), 1.0).diagnostics
    )
    occupations = np.array([0.0, 1e-9, 0.2, 0.5, 0.59274605, 0.999999, 1.0])
    found = canonical(sweep, occupations)
    assert found.largest == pytest.approx(places * occupations, rel=1e-12, abs=0)
    assert found.squares == pytest.approx(
        places * (places - 1.0) * occupations**2, rel=1e-12, abs=0
    )
    steps = np.where(n > 0.4 * places, 1.0, 0.0)
    cut = canonical(
        OccupationSweep(1, 1, "site", True, 1, steps, steps, sweep.diagnostics), 0.4
    ).largest
    assert cut == pytest.approx(stats.binom.sf(math.floor(0.4 * places), places, 0.4), rel=1e-7)


@pytest.mark.parametrize("kind", ["site", "bond"])
def test_sweep_ends_where_it_must(kind):
    sweep = newman_ziff(11, 3, kind=kind, rng=3)
    assert sweep.largest.size == 1 + 11**3 * (3 if kind == "bond" else 1)
    assert sweep.largest[-1] == 11**3
    assert sweep.squares[-1] == 11**6
    assert np.all(np.diff(sweep.largest) >= 0)
    assert np.all(np.diff(sweep.squares) >= 0)
    assert np.all(
        sweep.squares
        <= sweep.largest * (np.arange(sweep.largest.size) if kind == "site" else 11**3)
    )


def _portion(first):
    return sample_lattices(40, 3, occupation=0.3, samples=2, first=first, rng=8)


def test_samples_do_not_depend_on_portions_or_workers():
    whole = sample_lattices(40, 3, occupation=0.3, samples=6, rng=8)
    for workers in (1, 2):
        parts = LatticeSamples.joined(run_many(_portion, [0, 2, 4], workers=workers))
        for name in ("largest", "squares", "tail_sites", "tail_clusters", "tail_roots"):
            assert np.array_equal(getattr(parts, name), getattr(whole, name))
    sweeps = [
        newman_ziff(16, 2, samples=n, first=i, rng=4).largest for n, i in ((4, 0), (2, 0), (2, 2))
    ]
    assert np.array_equal(sweeps[0], (sweeps[1] + sweeps[2]) / 2)


def test_tails_are_those_of_the_size_counts(tmp_path):
    samples = sample_lattices(64, 2, occupation=0.58, samples=400, roots=200, rng=1)
    assert np.array_equal(samples.tail_sites[:, 0], samples.tail_sites.max(axis=1))
    assert samples.tail_roots[:, 0].tolist() == [200] * 400
    # occupied sites drawn at random see the site-weighted tail
    shares = samples.tail_roots / 200 - samples.tail_sites / samples.tail_sites[:, :1]
    assert np.abs(shares.mean(axis=0)).max() < 5 * 0.5 / math.sqrt(200 * 400)
    kept = LatticeSamples.load(samples.save(tmp_path / "samples.npz"))
    assert np.array_equal(kept.tail_clusters, samples.tail_clusters)


def test_quick_exponents_in_two_dimensions(known):
    p, d = known["site_threshold"]["2"], known["fractal_dimension"]["2"]
    samples = sample_lattices(1024, 2, occupation=p, samples=24, roots=20_000, rng=11)
    tau = fisher_exponent(samples, powers=(3, 5))
    assert tau.value == pytest.approx(known["tau"]["2"], abs=0.01)
    assert 0 < tau.standard_error < 0.005
    below = fisher_exponent(samples, powers=(2, 2)).value
    steps = np.abs(np.diff([below, *tau.local]))
    assert tau.systematic_error == pytest.approx(steps.max(), rel=1e-12)
    groups = [
        sample_lattices(length, 2, occupation=p, samples=1500, roots=0, rng=length)
        for length in (16, 32, 64, 128)
    ]
    found = fractal_dimension(groups)
    assert found.value == pytest.approx(d, abs=0.015)
    assert found.standard_error < 0.01
    lattice = rank_exponent(samples, ensemble="lattice", powers=(3, 5))
    rooted = rank_exponent(samples, ensemble="site_rooted", powers=(3, 5))
    assert lattice.value == pytest.approx(d / 2, abs=0.05)
    assert rooted.value == pytest.approx(91 / 5, abs=max(5 * rooted.standard_error, 3))


def test_quick_crossing_in_two_dimensions(known):
    sweeps = [
        [newman_ziff(length, 2, samples=40, first=40 * i, rng=6) for i in range(8)]
        for length in (32, 64)
    ]
    found = crossing(*sweeps, dimension=known["fractal_dimension"]["2"], bracket=(0.5, 0.7))
    assert 0 < found.standard_error < 0.004
    assert found.value == pytest.approx(known["site_threshold"]["2"], abs=0.008)


@pytest.fixture
def lattices():
    """Return a function that makes samples of any length, with clusters of every size."""
    drawn = sample_lattices(8, 2, occupation=0.59, samples=2, roots=0)

    def made(length, dimension=2, largest_power=20, **others):
        tails = np.zeros((2, 22), np.int64)
        tails[:, : largest_power + 1] = 1
        return replace(drawn, length=length, dimension=dimension, tail_sites=tails, **others)

    return made


@pytest.mark.parametrize(
    ("dimension", "length", "windows"),
    [
        (2, 64, (1, 1)),
        (2, 256, (3, 3)),
        (2, 1024, (4, 5)),
        (2, 4096, (4, 7)),
        (2, 2**20, (4, 7)),
        (3, 256, (4, 6)),
        (4, 64, (4, 4)),
        (5, 16, (3, 3)),
        (6, 16, (3, 4)),
        (7, 64, (3, 5)),
    ],
)
def test_windows_end_a_factor_of_64_below_the_largest_cluster(
    known, lattices, dimension, length, windows
):
    d = known["fractal_dimension"][str(min(dimension, 6))]
    assert fisher_windows(lattices(length, dimension), dimension=d) == windows
    begin, end = windows
    assert 4**begin >= 4
    assert 64 * 4 ** (end + 1) <= length**d


def test_tau_is_not_estimated_where_it_would_be_wrong(lattices):
    with pytest.raises(DomainError, match="not estimated: free boundaries bias it"):
        fisher_windows(lattices(1024, periodic=False), dimension=91 / 48)
    with pytest.raises(DomainError, match="not estimated: the lattice is too small"):
        fisher_windows(lattices(32), dimension=91 / 48)
    # long enough, but no cluster that large was seen
    with pytest.raises(DomainError, match="not estimated: the lattice is too small"):
        fisher_windows(lattices(1024, largest_power=5), dimension=91 / 48)
    assert fisher_windows(lattices(1024, largest_power=6), dimension=91 / 48) == (4, 5)
    with pytest.raises(DomainError, match="dimension = 0"):
        fisher_windows(lattices(1024), dimension=0)


@pytest.mark.slow
@pytest.mark.parametrize("dimension", [2, 3, 4, 5, 6])
def test_fisher_exponent_at_full_size(known, dimension):
    case, p = known["tau_measured"][str(dimension)], known["site_threshold"][str(dimension)]
    found = fisher_exponent(
        sample_lattices(
            case["length"], dimension, occupation=p, samples=case["samples"], roots=0, rng=2024
        )
    )
    assert found.value == pytest.approx(known["tau"][str(dimension)], abs=case["tolerance"])
    # what corrections to scaling leave, which in six dimensions are logarithms and exceed what windows tell
    apart = abs(found.value - known["tau"][str(dimension)])
    assert apart < (4 if dimension == 6 else 1) * found.systematic_error + 3 * found.standard_error
    # the measurement of the specification, with its own error
    assert found.value == pytest.approx(
        case["value"], abs=4 * math.hypot(found.standard_error, case["standard_error"])
    )


@pytest.mark.slow
@pytest.mark.parametrize(
    ("dimension", "lengths"),
    [(2, (32, 128)), (3, (16, 64)), (4, (8, 32)), (5, (6, 16)), (6, (6, 10))],
)
def test_fractal_dimension_at_full_size(known, dimension, lengths):
    name = str(dimension)
    p, exact = known["site_threshold"][name], known["fractal_dimension"][name]
    groups = [
        sample_lattices(
            length,
            dimension,
            occupation=p,
            samples=4000 if dimension == 6 else 1000,
            roots=0,
            rng=length,
        )
        for length in lengths
    ]
    found = fractal_dimension(groups)
    # corrections to scaling of lattices this small: as large as those of the measurement quoted, and its error
    value, error = known["dimension_measured"][name]
    assert found.value == pytest.approx(
        exact, abs=abs(value - exact) + 4 * math.hypot(error, found.standard_error)
    )
    assert found.standard_error < 0.03


@pytest.mark.parametrize(
    ("call", "argument"),
    [
        (partial(label_clusters, [0, 1]), "occupied"),
        (partial(label_clusters, np.zeros((0, 3), bool)), "occupied"),
        (partial(label_clusters, np.array(True)), "occupied"),
        (partial(lattice_clusters, (), 0.5), "shape"),
        (partial(lattice_clusters, (2, 0), 0.5), "shape"),
        (partial(lattice_clusters, (2**16, 2**16), 0.5), "shape"),
        (partial(lattice_clusters, (4,), 1.5), "occupation"),
        (partial(lattice_clusters, (4,), math.nan), "occupation"),
        (partial(lattice_clusters, (4,), 0.5, kind="face"), "kind"),
        (partial(sample_lattices, 2**16, 2, occupation=0.5), "length"),
        (partial(sample_lattices, 4, 2, occupation=0.5, first=-1), "first"),
        (partial(newman_ziff, 4, 2, first=0.5), "first"),
        (partial(newman_ziff, 2**16, 2), "length"),
        (partial(LatticeSamples.joined, []), "parts"),
    ],
)
def test_refusals(call, argument):
    with pytest.raises(DomainError) as caught:
        call()
    assert caught.value.argument == argument


def test_estimators_refuse_what_they_cannot_measure():
    samples = sample_lattices(16, 2, occupation=0.3, samples=3)
    with pytest.raises(DomainError, match="there are none"):
        fisher_exponent(samples)
    with pytest.raises(DomainError, match="ensemble"):
        rank_exponent(samples, ensemble="both", powers=(0, 1))
    with pytest.raises(DomainError, match="two or more lengths"):
        fractal_dimension([samples])
    with pytest.raises(DomainError, match="in dimension 1"):
        fisher_exponent(sample_lattices(16, 1, occupation=0.5))
    with pytest.raises(DomainError, match="occupation"):
        canonical(newman_ziff(4, 1), 1.5)
    sweeps = [
        [newman_ziff(length, 2, samples=2, first=2 * i) for i in range(2)] for length in (8, 16)
    ]
    with pytest.raises(DomainError, match="must cross"):
        crossing(*sweeps, dimension=1.9, bracket=(0.1, 0.2))
    assert (
        fisher_exponent(sample_lattices(64, 2, occupation=0.59), powers=(0, 1)).standard_error
        == math.inf
    )
