"""Pictures of clusters show the simulation's, the solvers' and the laws' numbers."""

import numpy as np
import pytest
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure

from scalinglaws import theory
from scalinglaws.errors import DomainError
from scalinglaws.solvers.percolation import allocate, allocate_integer, zipf_model_loss
from scalinglaws.theory.percolation import critical_exponents
from scalinglaws.verify.plots.percolation import _losses as losses_module
from scalinglaws.verify.plots.percolation import (
    allocation_by_rank,
    cluster_curves,
    cluster_tree,
    dataset_losses,
    lattice_slice,
    loss_curves,
    regime_diagram,
    tried_allocations,
    width_against_size,
)
from scalinglaws.verify.simulate.percolation import (
    bethe_dataset,
    fitted_scale,
    label_clusters,
    lattice_clusters,
    learning_curves,
    random_allocations,
)


def marked(axis, gid):
    """Return the data of the line with a name."""
    (line,) = (line for line in axis.get_lines() if line.get_gid() == gid)
    return np.asarray(line.get_xdata(), float), np.asarray(line.get_ydata(), float)


@pytest.fixture(scope="module")
def dataset():
    return bethe_dataset(12, largest=20_000, rng=3)


def test_a_tree_has_an_edge_for_each_site_but_one_as_long_as_its_step_outward(dataset):
    parent, targets = dataset.cluster(0)
    (lines,) = cluster_tree(dataset).axes[0].collections
    ends = np.array(lines.get_segments())
    assert ends.shape == (parent.size - 1, 2, 2)
    np.testing.assert_allclose(lines.get_array(), targets[1:])
    radius = np.linalg.norm(ends, axis=2)
    np.testing.assert_allclose(
        np.abs(radius[:, 1] - radius[:, 0]), 1, atol=1e-9
    )  # all neighbors are one step farther or nearer
    assert (
        len(np.unique(ends.reshape(-1, 2).round(9), axis=0)) == parent.size
    )  # no two sites on one place
    first, _ = dataset.cluster(3)
    assert (
        len(cluster_tree(dataset, rank=3).axes[0].collections[0].get_segments()) == first.size - 1
    )


def test_the_middle_of_a_tree_halves_its_longest_path(dataset):
    parent, _ = dataset.cluster(0)
    ends = np.array(cluster_tree(dataset).axes[0].collections[0].get_segments())
    depth = np.zeros(parent.size)
    longest = 0
    best = np.zeros(parent.size)
    for i in range(parent.size - 1, 0, -1):
        longest = max(longest, best[parent[i]] + best[i] + 1)
        best[parent[i]] = max(best[parent[i]], best[i] + 1)
    depth = np.linalg.norm(ends, axis=2).max()
    assert round(depth) == -(-longest // 2)


def test_a_tree_that_is_too_large_or_missing(dataset):
    with pytest.raises(DomainError, match="rank = 12"):
        cluster_tree(dataset, rank=12)
    huge = bethe_dataset(1, smallest=100_001, largest=200_000)
    with pytest.raises(DomainError, match="take a rank beyond 0"):
        cluster_tree(huge)


def test_a_slice_colors_the_largest_clusters():
    occupied = np.zeros((6, 6), bool)
    occupied[0], occupied[2, :4], occupied[5, 5] = True, True, True
    figure = lattice_slice(label_clusters(occupied))
    (image,) = figure.axes[0].get_images()
    shown = np.asarray(image.get_array())
    assert (shown[0] == 1).all()
    assert (shown[2, :4] == 2).all()
    assert shown[5, 5] == 3
    assert (shown[~occupied] == 0).all()
    assert [text.get_text() for text in figure.axes[0].get_legend().get_texts()] == [
        "6 sites",
        "4 sites",
        "1 sites",
    ]
    assert image.cmap(image.norm(0))[:3] == to_rgb("white")


def test_a_slice_of_more_dimensions_is_through_the_middle():
    found = lattice_clusters((12, 10, 8), 0.4, labels=True, rng=1)
    shown = np.asarray(lattice_slice(found).axes[0].get_images()[0].get_array())
    np.testing.assert_array_equal(shown > 0, found.labels[:, :, 4] > 0)
    with pytest.raises(DomainError, match="must have labels"):
        lattice_slice(lattice_clusters((8, 8), 0.5))
    with pytest.raises(DomainError, match="two dimensions or more"):
        lattice_slice(lattice_clusters((8,), 0.5, labels=True))
    assert lattice_slice(lattice_clusters((8, 8), 0.0, labels=True)).axes[0].get_legend() is None


def test_allocations_are_the_solvers_and_the_law_s(tmp_path):
    figure = allocation_by_rank(1000, alpha=1, exponent=0.5)
    left, right = figure.axes
    rank, share = marked(left, "exact")
    weights = np.arange(1, 10 + int(np.ceil(4 * 78.0115773)) + 1) ** -2.0
    found = allocate(weights, 1000.0, exponents=0.5)
    np.testing.assert_allclose(share, found.allocation[: rank.size])
    assert rank[-1] == found.included == 45
    whole = allocate_integer(weights, 1000, exponents=0.5).allocation
    np.testing.assert_array_equal(marked(left, "integer")[1], whole[whole > 0])
    rank, share = marked(left, "published")
    kept = np.isfinite(share)
    assert rank[kept][-1] == 78
    np.testing.assert_allclose(share[kept], 435.1807415 * rank[kept] ** (-4 / 3), rtol=1e-9)
    np.testing.assert_allclose(marked(left, "level x*")[1], 2.25)
    last, least = marked(right, "exact")
    assert (last, least) == (45, 1)
    assert marked(right, "loss")[1].min() == 1
    at, excess = marked(right, "published")
    heads, tails = np.cumsum(weights ** (2 / 3)), weights.sum() - np.cumsum(weights)
    assert at == 78
    np.testing.assert_allclose(excess * found.loss, heads[77] ** 1.5 / 1000**0.5 + tails[77])
    figure.savefig(tmp_path / "shares.png")
    assert (tmp_path / "shares.png").stat().st_size > 10_000


@pytest.mark.parametrize("exponent", [0.25, 1.0, 1.5])
def test_allocations_in_every_regime(exponent):
    left, right = allocation_by_rank(300, alpha=1, exponent=exponent, clusters=2000).axes
    assert marked(left, "exact")[1].sum() == pytest.approx(300)
    assert marked(left, "integer")[1].sum() == 300
    assert marked(right, "published")[1] > 1


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        ({"n": 1}, "n = 1 must"),
        ({"n": 10.5}, "n = 10.5 must"),
        ({"alpha": 0}, "alpha = 0 must"),
        ({"exponent": -1}, "exponent = -1 must"),
        ({"clusters": 1}, "clusters = 1 must"),
    ],
)
def test_allocations_refuse(arguments, complaint):
    with pytest.raises(DomainError, match=complaint):
        allocation_by_rank(**{"n": 100, "alpha": 1, "exponent": 0.5, **arguments})


def test_losses_are_the_solvers_and_slopes_approach_the_laws():
    sizes = [1e2, 1e6, 1e10, 1e12]
    upper, data, slopes, data_slopes = loss_curves(sizes).axes
    for beta, model_slope, data_slope in (
        (0.25, 0.25, 0.25),
        (0.5, 0.5, None),
        (1, None, 0.5),
        (1.5, 1, 0.5),
    ):
        x, loss = marked(upper, f"loss {beta:g}")
        np.testing.assert_array_equal(x, sizes)
        expected = zipf_model_loss(sizes, alpha=1, exponent=beta).loss / (np.pi**2 / 6)
        np.testing.assert_allclose(loss, expected, rtol=1e-12)
        for axis, law in ((slopes, model_slope), (data_slopes, data_slope)):
            found, derived = (
                marked(axis, f"exponent {beta:g}")[1][-1],
                marked(axis, f"law {beta:g}")[1][-1],
            )
            if law is not None:
                assert derived == law
            assert abs(found - derived) < 0.005
    # where limits meet, the logarithm is part of the slope
    np.testing.assert_allclose(marked(slopes, "law 1")[1], 1 - 2 / np.log(sizes))
    np.testing.assert_allclose(marked(data_slopes, "law 0.5")[1], 0.5 - 1 / np.log(sizes))
    assert marked(data, "loss 1")[1][0] < 1


def test_loss_curves_refuse():
    for sizes in ([1, 2], [5], [10, 5], [2, np.inf]):
        with pytest.raises(DomainError, match=r"sizes(\[[01]\])? = .* must be one row"):
            loss_curves(sizes)
    with pytest.raises(DomainError, match="give one to 4"):
        loss_curves([10, 100], exponents=[])


def test_regimes_agree_with_the_laws():
    figure = regime_diagram(resolution=41)
    rng = np.random.default_rng(2)
    for axis, name in zip(figure.axes, ("percolation.model", "percolation.data"), strict=True):
        law = theory.law(name)
        names = sorted(("smoothness-limited", "cluster-limited"))
        (mesh,) = axis.collections
        corners = mesh.get_coordinates()
        x, y = ((corners[:-1, :-1, k] + corners[1:, 1:, k]) / 2 for k in (0, 1))
        colors = np.ma.asarray(mesh.get_array()).reshape(x.shape)
        for row, column in zip(
            rng.integers(0, x.shape[0], 25), rng.integers(0, x.shape[1], 25), strict=True
        ):
            assert (
                law.regime(alpha=float(x[row, column]), beta=float(y[row, column]))
                == names[colors[row, column]]
            )
        alpha, beta = marked(axis, "boundary")
        kept = np.isfinite(alpha) & np.isfinite(beta)
        np.testing.assert_allclose(
            beta[kept],
            alpha[kept] if name.endswith("model") else alpha[kept] / (1 + alpha[kept]),
            atol=1e-12,
        )
        for order in (2, 4):
            found = [critical_exponents(d) for d in (3, 4, 5, 6)]
            np.testing.assert_allclose(
                marked(axis, f"c = {order}")[0], [float(entry.alpha) for entry in found]
            )
            np.testing.assert_allclose(
                marked(axis, f"c = {order}")[1], [float(entry.learning(order)) for entry in found]
            )


def test_regimes_have_room_for_two_dimensions_and_draw_in_a_given_figure():
    given = Figure(figsize=(12, 4), layout="constrained")
    assert regime_diagram(dimensions=(2,), resolution=20, figure=given) is given
    assert all(axis.get_xlim()[1] > 17.2 for axis in given.axes)
    with pytest.raises(DomainError, match="lies outside limits"):
        regime_diagram(limits=((0, 2), (0, 1)))
    with pytest.raises(DomainError, match="dimension = 1"):
        regime_diagram(dimensions=(1,))
    assert not any(axis.texts == [] for axis in regime_diagram(dimensions=(), resolution=20).axes)


def test_simulated_datasets_lie_on_the_theory():
    data = [bethe_dataset(60, smallest=1000, largest=10**5, rng=seed) for seed in range(6)]
    figure = dataset_losses(data, units=[30, 100, 300], samples=[100, 300, 1000], rng=1)
    for upper, lower in zip(figure.axes[:2], figure.axes[2:], strict=True):
        expected, found = marked(upper, "theory")[1], marked(upper, "simulation")[1]
        np.testing.assert_allclose(found / expected, 1, atol=0.12)
        assert np.all(np.diff(expected) < 0)
        assert np.all(np.abs(marked(lower, "simulation")[1]) < 0.12)
    assert [text.get_text() for text in figure.axes[0].get_legend().get_texts()] == [
        "theory",
        "simulation, 6 datasets",
    ]


def test_datasets_refuse(dataset):
    with pytest.raises(DomainError, match="one BetheDataset or more"):
        dataset_losses([])
    with pytest.raises(DomainError, match="at the threshold"):
        dataset_losses(bethe_dataset(2, occupation=0.08))
    with pytest.raises(DomainError):
        dataset_losses(dataset, samples=[10**9])
    assert losses_module.BAND == 0.1


def test_single_clusters_are_drawn_over_their_fitted_scales(dataset):
    curves = learning_curves(dataset)
    left, right = cluster_curves(dataset, curves, clusters=4).axes
    n, loss = marked(left, "cluster 1")
    np.testing.assert_array_equal(n, curves.training_counts[0])
    np.testing.assert_array_equal(loss, curves.test_loss[0])
    scale = fitted_scale(curves.training_counts[0], curves.test_loss[0])
    np.testing.assert_allclose(marked(right, "cluster 1")[0], n / scale)
    assert len([line for line in left.get_lines() if line.get_gid()]) == 4
    with pytest.raises(DomainError, match="another dataset"):
        cluster_curves(bethe_dataset(3, largest=3000), curves)


def test_random_divisions_show_every_candidate_and_the_exact_rule(dataset):
    tried = random_allocations(dataset, learning_curves(dataset), 100, candidates=40)
    axis = tried_allocations({100.0: tried}, exact={100.0: (5, 0.4)}).axes[0]
    (dots,) = axis.collections
    np.testing.assert_allclose(dots.get_offsets()[:, 1], tried.losses)
    np.testing.assert_allclose(marked(axis, "best")[1], tried.simulated)
    assert [entry.item() for entry in marked(axis, "exact")] == [5.0, 0.4]
    with pytest.raises(DomainError, match="one to four"):
        tried_allocations({100.0: tried}, exact={})


def test_the_width_of_models_and_its_fit():
    (axis,) = width_against_size().axes
    n, width = marked(axis, "models")
    assert n.size == 50
    x, fit = marked(axis, "fit")
    slope = np.diff(np.log(fit)) / np.diff(np.log(x))
    assert slope[0] == pytest.approx(np.polyfit(np.log(n), np.log(width), 1)[0])
