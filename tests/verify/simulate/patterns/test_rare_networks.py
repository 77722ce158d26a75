"""Rare networks against quadrature and against plain draws; heads and parities against their definitions."""

import math

import numpy as np
import pytest
from scipy import integrate, stats

from scalinglaws.errors import ConvergenceError, DomainError, ResourceError
from scalinglaws.verify.simulate.patterns import (
    anneal_alignment,
    head_overlap,
    learn_alignment,
    weigh_networks,
)

CUBIC = 8 / (3 * math.pi)


def squares(m, across, degree=3):
    return CUBIC * (m**2 / (1 + 2 * across + 2 * m**2)) ** degree


def one_neuron(dimension, held):
    """Weights of one neuron and their probabilities, on a grid."""
    m = np.linspace(0, 8, 4001)[1:]
    prior = 2 * stats.norm.pdf(m, scale=1 / math.sqrt(dimension)) * (m[1] - m[0])
    if held:
        return squares(m, 1 - 1 / dimension), prior
    rest = np.linspace(0, 8, 1601)[1:]
    law = stats.chi2.pdf(rest * dimension, dimension - 1) * dimension * (rest[1] - rest[0])
    return squares(m[:, None], rest[None]), prior[:, None] * law[None]


@pytest.mark.parametrize("held", [True, False])
def test_one_neuron_is_an_integral(held):
    dimension, level = 6, 0.5
    variance, prior = one_neuron(dimension, held)
    exact = -math.log(float(np.sum(prior * stats.norm.sf(level / np.sqrt(variance)))))
    costs = [
        anneal_alignment(
            1, dimension, alignment=level, held=held, levels=16, sweeps=1500, rng=seed
        ).cost
        for seed in range(4)
    ]
    assert exact > 10
    assert np.mean(costs) == pytest.approx(exact, rel=0.01)


@pytest.mark.parametrize("held", [True, False])
def test_what_one_neuron_learns_is_an_integral(held):
    dimension, ridge = 6, 0.02
    variance, prior = one_neuron(dimension, held)
    weights = prior * np.exp(-0.5 / (variance + ridge)) / np.sqrt(variance + ridge)
    exact = float(np.sum(weights * variance / (variance + ridge)) / np.sum(weights))
    found = np.mean(
        [
            learn_alignment(
                1, dimension, ridge_per_sample=ridge, held=held, sweeps=4000, rng=seed
            ).learned
            for seed in range(4)
        ]
    )
    assert found == pytest.approx(exact, abs=0.01)


def test_few_neurons_in_few_dimensions_against_plain_draws():
    """Neurons are large often enough there that they join and leave all the time."""
    n, d, level = 4, 3, 0.3
    rng = np.random.default_rng(0)
    w = rng.standard_normal((400_000, n, d)) / math.sqrt(d)
    variance = squares(w[..., 0], np.sum(w[..., 1:] ** 2, axis=-1)).mean(axis=1)
    aligned = stats.norm.sf(level / np.sqrt(variance))
    large = np.sum(np.abs(w[..., 0]) > math.sqrt(0.5), axis=1)
    found = [
        anneal_alignment(n, d, alignment=level, levels=16, sweeps=1000, rng=seed)
        for seed in range(4)
    ]
    assert np.mean([each.cost for each in found]) == pytest.approx(
        -math.log(aligned.mean()), rel=0.02
    )
    # the last level is just below the whole alignment
    level = found[0].levels[-1]
    aligned = stats.norm.sf(level / np.sqrt(variance))
    assert np.mean([each.specialized[-1] for each in found]) == pytest.approx(
        float(aligned @ large / aligned.sum()), rel=0.02
    )


def test_a_linear_network_of_one_channel_is_a_product_of_normal_numbers():
    d, patches, level = 5, 4, 1.0

    def density(m):
        return stats.norm.pdf(m) * stats.norm.sf(level * math.sqrt(d * patches) / m)

    exact = -math.log(2 * integrate.quad(density, 0, 40)[0])
    costs = [
        anneal_alignment(
            1, d, degree=1, activation="linear", patches=patches, sweeps=2000, rng=seed
        ).cost
        for seed in range(4)
    ]
    assert np.mean(costs) == pytest.approx(exact, rel=0.02)


def test_many_channels_are_chi_squared():
    channels, d, patches = 30, 20, 10
    b = np.linspace(1e-3, 30, 100_001)  # squared length of all filters over its mean
    logs = stats.chi2.logpdf(channels * b, channels) + stats.norm.logsf(np.sqrt(d * patches / b))
    exact = -float(np.logaddexp.reduce(logs) + math.log(channels * (b[1] - b[0])))
    costs = [
        anneal_alignment(
            channels,
            d,
            degree=1,
            activation="linear",
            patches=patches,
            levels=16,
            sweeps=300,
            rng=seed,
        ).cost
        for seed in range(4)
    ]
    assert np.mean(costs) == pytest.approx(exact, rel=0.01)


def test_streams_are_reproducible_and_levels_rise():
    first, again = (anneal_alignment(5, 8, sweeps=50, rng=3, on_failure="return") for _ in range(2))
    assert first.cost == again.cost
    assert np.all(np.diff(first.levels) > 0)
    assert 0 < first.levels[0] < first.levels[-1] < 1


def test_ways_that_disagree_are_told():
    with pytest.raises(ConvergenceError, match="on the way up") as caught:
        anneal_alignment(2, 20_000, levels=4, sweeps=4, rng=0)
    assert caught.value.result.cost > 0
    with pytest.raises(ConvergenceError, match="where noise falls"):
        learn_alignment(3, 5000, ridge_per_sample=1e-4, sweeps=8, rng=1)


def test_what_averages_to_zero_is_left_out_of_a_head():
    couplings = [0.5, 1.5]
    reduced = head_overlap(couplings, 8, draws=4000, rng=0)
    entire = head_overlap(couplings, 8, draws=20_000, rng=1, whole_product=True)
    error = np.hypot(reduced.std(axis=0) / math.sqrt(4000), entire.std(axis=0) / math.sqrt(20_000))
    assert np.all(np.abs(reduced.mean(axis=0) - entire.mean(axis=0)) < 4 * error)
    assert np.all(error < 0.06)


def test_limits_of_a_head():
    assert np.all(
        head_overlap([1.0], 1, draws=5, rng=0).std() > 0
    )  # its own position, of mean zero
    assert abs(head_overlap([1.0], 1, draws=20_000, rng=0).mean()) < 0.03
    small = head_overlap([-1e-4, 0.0, 1e-4], 10, draws=2000, rng=0)
    slope = (small[:, 2] - small[:, 0]) / 2e-4
    assert slope.mean() == pytest.approx(0.9, abs=4 * slope.std() / math.sqrt(2000))


def test_parities_are_weighed_by_their_likelihood():
    bits, noise = 3, 2.0
    found = weigh_networks(bits, noise=noise, level=0.99, draws=3, rng=5)
    assert found.cost == pytest.approx(3 * math.log(2))
    for i, stream in enumerate(np.random.default_rng(5).spawn(3)):
        target = int(stream.integers(8))
        count = int(found.samples[i])
        x = np.array([stream.choice([-1.0, 1.0], bits) for _ in range(count)])
        subsets = [[j for j in range(bits) if s >> j & 1] for s in range(8)]
        outputs = np.array([np.prod(x[:, subset], axis=1) for subset in subsets])
        for p in range(1, count + 1):
            energies = np.sum((outputs[:, :p] - outputs[target, :p]) ** 2, axis=1) / (2 * noise)
            exact = -energies[target] - np.logaddexp.reduce(-energies)
            assert found.log_probability[i, p - 1] == pytest.approx(exact, abs=1e-12)
        assert math.exp(exact) >= 0.99
        assert np.all(np.isnan(found.log_probability[i, count:]))


def test_no_data_set_breaks_the_bound():
    for noise in (0.1, 1.0, 10.0):
        found = weigh_networks(5, noise=noise, level=0.9, draws=20, rng=1)
        p = np.arange(1, found.log_probability.shape[1] + 1)
        excess = found.log_probability + found.cost - p / noise
        assert np.nanmax(excess) <= 1e-9


def test_a_data_set_that_never_aligns_is_told():
    with pytest.raises(ConvergenceError, match="after 3 samples"):
        weigh_networks(8, noise=1.0, most=3, draws=2, rng=0)


@pytest.mark.parametrize(
    ("call", "complaint"),
    [
        (lambda: anneal_alignment(0, 5, rng=0), "neurons"),
        (lambda: anneal_alignment(2, 1, rng=0), "dimension"),
        (lambda: anneal_alignment(2, 5, degree=2, rng=0), "must be odd"),
        (lambda: anneal_alignment(2, 5, patches=2, rng=0), "belong to a linear network"),
        (
            lambda: anneal_alignment(2, 5, activation="linear", rng=0),
            "must be 1 for a linear network",
        ),
        (lambda: learn_alignment(2, 5, ridge_per_sample=1.0, scale=0, rng=0), "scale"),
        (lambda: anneal_alignment(2, 5, alignment=0, rng=0), "alignment"),
        (lambda: anneal_alignment(2, 5, on_failure="ignore", rng=0), "on_failure"),
        (lambda: learn_alignment(2, 5, ridge_per_sample=0, rng=0), "ridge_per_sample"),
        (lambda: head_overlap([1.0], 0, draws=1, rng=0), "length"),
        (lambda: weigh_networks(25, noise=1.0, draws=1, rng=0), "bits"),
        (lambda: weigh_networks(2, noise=0, draws=1, rng=0), "noise"),
        (
            lambda: weigh_networks(2, noise=1.0, level=1, draws=1, rng=0),
            "level = 1 must be below 1",
        ),
    ],
)
def test_refusals(call, complaint):
    with pytest.raises(DomainError, match=complaint):
        call()


def test_work_is_bounded():
    with pytest.raises(ResourceError, match="moves"):
        anneal_alignment(10**6, 10, sweeps=10**6, rng=0)
    with pytest.raises(ResourceError, match="moves"):
        learn_alignment(10**6, 10, ridge_per_sample=1.0, sweeps=10**6, rng=0)
