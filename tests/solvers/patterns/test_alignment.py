"""The network that must align with a cubic target: costs, mean field, sampling and direct optimization."""

import json
import math
from pathlib import Path

import mpmath
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import fft, integrate, special

from scalinglaws.errors import AccuracyWarning, DomainError, ResourceError
from scalinglaws.results import Status
from scalinglaws.solvers.patterns import (
    AlignmentRate,
    _alignment_sampler,
    alignment_rate,
    attention_overlap,
    gaussian_cost,
    log_alignment,
    optimize_configuration,
    specialized_cost,
)
from scalinglaws.solvers.patterns._alignment_sampler import proposal
from scalinglaws.solvers.patterns._costs import _of_equal
from scalinglaws.solvers.patterns._site import psi

KNOWN = json.loads((Path(__file__).parents[2] / "reference" / "patterns_solvers.json").read_text())


def test_specialized_costs_have_the_known_values():
    n, d, cost = np.array(KNOWN["one_neuron"]).T
    assert specialized_cost(n, d, neurons=1).cost == pytest.approx(cost, rel=1e-11)
    n, d, cost, neurons, weight = np.array(KNOWN["best_neurons"]).T
    found = specialized_cost(n, d)
    assert found.cost == pytest.approx(cost, rel=2e-12)
    assert np.array_equal(found.neurons, neurons)
    assert found.squared_weight == pytest.approx(weight, rel=1e-8)


def test_gaussian_costs_have_the_known_values():
    n, d, cost, inflation = np.array(KNOWN["gaussian"]).T
    found = gaussian_cost(n, d)
    assert found.cost == pytest.approx(cost, rel=1e-9)
    assert found.inflation == pytest.approx(inflation, rel=1e-6)
    n, d, cost = np.array(KNOWN["lazy"]).T
    assert gaussian_cost(n, d, inflation=1).cost == pytest.approx(cost, rel=1e-9)


def test_mean_field_has_the_known_values():
    n, d, rate, tilt, variance, specialized = np.array(KNOWN["mean_field"]).T
    found = alignment_rate(n, d)
    assert found.rate == pytest.approx(rate, rel=1e-8)
    assert found.tilt == pytest.approx(tilt, rel=1e-8)
    assert found.variance == pytest.approx(variance, rel=1e-8)
    assert found.specialized[1] == pytest.approx(specialized[1], rel=1e-6)
    # printed 3.748024; the integrals below, at 25 digits, give another fifth digit
    assert found.specialized[0] == pytest.approx(3.7479740510, rel=1e-9)
    assert found.specialized[0] == pytest.approx(_specialized(20, 20, found.tilt[0]), rel=1e-9)


def _specialized(n, d, tilt):
    """Return the expected number of weights beyond 1, by mpmath."""
    with mpmath.workdps(25):

        def density(w):
            return mpmath.exp(-d * w**2 / 2 + tilt * (w**2 / (3 + 2 * w**2)) ** 3)

        beyond = mpmath.quad(density, [1, 1.5, 2, 2.5, 3, 4, 8])
        return float(n * beyond / (beyond + mpmath.quad(density, [0, 0.25, 0.5, 1])))


@pytest.mark.parametrize(("n", "d", "neurons", "cost"), KNOWN["true_constants"])
def test_costs_with_the_constants_of_the_error_function(n, d, neurons, cost):
    # the readout's cost grows by one over the squared constant of the overlap, as if there were more neurons
    n_of_unit_overlap = np.array([n / (8 / (3 * math.pi))])
    found, _ = _of_equal(np.sqrt(n_of_unit_overlap), np.sqrt(np.array([d])), np.array([neurons]))
    assert found[0] == pytest.approx(cost, rel=1e-12)


@pytest.mark.parametrize(
    ("alignment", "constant", "neurons"),
    [
        (1, 1, 3),  # this network
        (1, 8 / (3 * math.pi), 3),  # error function, He_3/sqrt(6)
        (1, 6 * 8 / (3 * math.pi), 1),  # He_3 at an alignment of 1
        (6, 6 * 8 / (3 * math.pi), 8),  # He_3 in full
    ],
)
def test_how_many_neurons_specialize_depends_on_the_normalization(alignment, constant, neurons):
    counts, ones = np.arange(1.0, 31), np.ones(30)
    costs, _ = _of_equal(
        math.sqrt(100 * alignment**2 / constant) * ones, math.sqrt(100) * ones, counts
    )
    assert counts[np.argmin(costs)] == neurons
    assert abs(3 * alignment / math.sqrt(constant) - neurons) < 1


def test_specialized_cost_at_the_ends_of_floats():
    tiny = specialized_cost([1, 6158, 10**15], 5e-324)
    assert tiny.cost == pytest.approx([4, 4, 4], rel=1e-14)  # all neurons, saturated
    assert np.array_equal(tiny.neurons, [1, 6158, 10**15])
    huge = specialized_cost(6158, 1e300)
    with mpmath.workdps(30):
        k = mpmath.sqrt(mpmath.mpf(1e300) / 6158)
        r = 3 * (1 + mpmath.sqrt(1 + k)) / k
        cost = mpmath.mpf(1e300) * r * (2 + r / 3) / 3
        assert huge.cost == pytest.approx(float(cost), rel=1e-13)
        assert huge.squared_weight == pytest.approx(float(r), rel=1e-13)


@pytest.mark.parametrize(
    ("n", "d", "inflation"),
    [(3, 1e-6, 1), (3, 1e-12, 0.5), (3, 1e-3, 20), (7, 5.0, 0.1), (50, 1e4, 30)],
)
def test_gaussian_cost_against_30_digits(n, d, inflation):
    with mpmath.workdps(30):
        scale = mpmath.sqrt(mpmath.mpf(inflation) / d)
        points = sorted({0, 1, 2, 4, 8, 16, *(x / scale for x in (0.1, 1, 10, 100) if x < scale)})
        mean = 2 * mpmath.quad(
            lambda x: ((scale * x) ** 2 / (3 + 2 * (scale * x) ** 2)) ** 3 * mpmath.npdf(x), points
        )
        cost = n * (mpmath.mpf(inflation) - 1 - mpmath.log(inflation)) / 2 + 1 / (2 * mean)
        assert gaussian_cost(n, d, inflation=inflation).cost == pytest.approx(
            float(cost), rel=1e-13
        )


def test_gaussian_cost_at_the_ends_of_floats():
    assert gaussian_cost(5, 5e-324, inflation=1).cost == pytest.approx(4, rel=1e-13)
    assert gaussian_cost(5, 5e-324).cost == pytest.approx(4, rel=1e-13)
    # lazy: 0.9 d^3
    assert gaussian_cost(7, 1e40, inflation=2).cost == pytest.approx(0.9e120 / 8, rel=1e-12)
    # the best inflation is (2.7 d^3/N)^(1/4), at a cost of 2/3 5.4^(1/4) (N d)^(3/4)
    assert gaussian_cost(6158, 1e170).cost == pytest.approx(
        2 / 3 * 5.4**0.25 * (6158 * 1e170) ** 0.75, rel=1e-9
    )
    with pytest.raises(DomainError, match=r"d = 1e\+170 .* beyond the largest float"):
        gaussian_cost(6158, 1e170, inflation=0.0015)


@given(st.integers(1, 2000), st.floats(0.5, 2000), st.integers(1, 40))
def test_specialized_cost_is_the_least_over_weights(n, d, neurons):
    neurons = min(neurons, n)
    found = specialized_cost(n, d, neurons=neurons)
    r = found.squared_weight * np.geomspace(0.5, 2, 201)
    costs = d * neurons * r / 2 + n / (2 * neurons * psi(r))
    assert found.cost == pytest.approx(float(costs.min()), rel=1e-12)
    best = specialized_cost(n, d)
    assert best.cost <= found.cost * (1 + 1e-12)
    assert best.cost >= best.relaxed * (1 - 1e-12)


def test_mean_field_against_25_digits_where_the_input_is_wide():
    # two peaks of which the second holds a ten-thousandth of the weights: the tilt alone would not resolve it
    n, d = 10, 1e9
    found = alignment_rate(n, d)
    with mpmath.workdps(40):
        overlap = lambda w: (w**2 / (3 + 2 * w**2)) ** 3  # noqa: E731
        root = mpmath.sqrt(mpmath.mpf(d))

        def law(tilt):
            r = (
                (mpmath.sqrt(18 * tilt / d) - 12)
                + mpmath.sqrt(18 * tilt / d - 24 * mpmath.sqrt(18 * tilt / d))
            ) / 8
            peak = mpmath.sqrt(r)
            windows = (
                [0, *(x / root for x in (2, 4, 8, 14))],
                [peak + x / root for x in (-14, -7, -3, 0, 3, 7, 14)],
            )
            total = sum(
                mpmath.quad(lambda w: mpmath.exp(-d * w**2 / 2 + tilt * overlap(w)), points)
                for points in windows
            )
            first = sum(
                mpmath.quad(
                    lambda w: overlap(w) * mpmath.exp(-d * w**2 / 2 + tilt * overlap(w)), points
                )
                for points in windows
            )
            return total, first / total

        def excess(tilt):
            return mpmath.log(2 * n * tilt) + 2 * mpmath.log(law(tilt)[1])

        start = 40.5 * mpmath.mpf(d)
        tilt = mpmath.findroot(
            excess, (start * (1 - mpmath.mpf(25) / d), start), solver="anderson", tol=1e-20
        )
        total, variance = law(tilt)
        log_total = mpmath.log(total * 2 * root / mpmath.sqrt(2 * mpmath.pi))
        rate = 1 / (2 * variance) + n * (tilt * variance - log_total)
    assert found.variance == pytest.approx(float(variance), rel=1e-9)
    assert found.rate == pytest.approx(float(rate), rel=1e-12)


def test_mean_field_at_sizes_beyond_all_memory():
    found = alignment_rate(444, 9.2e18)
    assert found.rate == pytest.approx(9 * math.sqrt(444 * 9.2e18), rel=1e-6)  # a share of a neuron
    # what one neuron costs, which is far more
    assert found.corrected == pytest.approx(specialized_cost(444, 9.2e18).cost, rel=1e-6)
    assert found.shortfall == pytest.approx(1 - found.rate / found.corrected, rel=1e-12)
    assert found.shortfall > 0.999


def test_the_rate_says_how_far_it_is_off():
    n, d, log_p = np.array(KNOWN["narrow_alignment"]).T
    found = alignment_rate(n, d)
    # two digits after the point; the reference leaves out small weights, 0.012 of the third
    assert found.corrected == pytest.approx(-log_p, abs=0.018)
    assert found.shortfall == pytest.approx(1 + found.rate / log_p, abs=1e-4)
    assert found.shortfall.round(3).tolist() == [0.146, 0.151, 0.012]
    n, d, log_p = np.array(KNOWN["lattice_alignment"]).T
    assert alignment_rate(n, d).corrected == pytest.approx(-log_p, abs=0.02)
    old = AlignmentRate(1.0, 2.0, 3.0, 4.0)  # as of version 0.1
    assert math.isnan(old.corrected)
    assert math.isnan(old.shortfall)


@settings(max_examples=15, deadline=None)
@given(st.integers(1, 300), st.floats(1, 300))
def test_mean_field_is_cheaper_than_independent_patterns(n, d):
    # inflated Gaussian weights are one of the laws over which the rate is the least
    found = alignment_rate(n, d)
    assert found.rate <= gaussian_cost(n, d).cost * (1 + 1e-9)
    assert found.rate <= gaussian_cost(n, d, inflation=1).cost * (1 + 1e-9)
    # and stationary: 2 N tau v^2 = 1
    assert 2 * n * found.tilt * found.variance**2 == pytest.approx(1, rel=1e-9)


def test_exponents_on_a_ladder():
    sizes = 200 * 2 ** np.arange(5)

    def slopes(cost):
        return np.diff(np.log(cost)) / math.log(2)

    assert slopes(specialized_cost(sizes, sizes).cost) == pytest.approx([1] * 4, abs=5e-4)
    assert slopes(gaussian_cost(sizes, sizes).cost) == pytest.approx(
        [1.4051, 1.4338, 1.4542, 1.4685], abs=6e-5
    )
    assert slopes(gaussian_cost(sizes, sizes, inflation=1).cost) == pytest.approx(
        [2.9513, 2.9752, 2.9875, 2.9937], abs=6e-5
    )


def test_limits_of_large_systems():
    assert gaussian_cost(10**9, 10**9).cost == pytest.approx(2 / 3 * 5.4**0.25 * 1e9**1.5, rel=0.02)
    assert gaussian_cost(1, 1e6, inflation=1).cost == pytest.approx(0.9e18, rel=1e-4)


def test_direct_optimization_finds_three_neurons():
    found = optimize_configuration(100, 100, rng=0)
    assert found.cost == pytest.approx(900, rel=1e-6)
    assert found.specialized == 3
    assert found.weights[:3] == pytest.approx([math.sqrt(3)] * 3, rel=1e-3)
    assert optimize_configuration(20, 20, rng=0).cost == pytest.approx(180, rel=1e-6)


@pytest.mark.parametrize(("n", "d", "value"), KNOWN["exact_alignment"])
def test_quadrature_has_the_known_values_and_sampling_agrees(n, d, value):
    assert log_alignment(n, d, "quadrature").log_probability == pytest.approx(-value, rel=1e-10)
    found = log_alignment(n, d, rng=4)
    # one neuron is integrated out: what is left of its error are the digits of the value
    assert abs(found.log_probability + value) < 4 * found.standard_error + 1e-10 * value


@pytest.mark.parametrize("d", [1e-3, 0.1, 1.0, 4.0])
def test_quadrature_of_one_neuron_against_20_digits(d):
    def density(w):
        chance = mpmath.erfc(mpmath.sqrt((3 + 2 * w**2) ** 3 / 2) / w**3) / 2
        return mpmath.sqrt(2 * d / mpmath.pi) * mpmath.exp(-d * w**2 / 2) * chance

    with mpmath.workdps(20):
        count = math.ceil(math.log(16 / math.sqrt(d) / 0.05, 1.1))
        exact = float(mpmath.log(mpmath.quad(density, [0.05 * 1.1**k for k in range(count)])))
    assert log_alignment(1, d, "quadrature").log_probability == pytest.approx(exact, rel=1e-13)


@pytest.mark.parametrize("d", [1e-3, 0.1, 4.0, 50.0])
def test_quadrature_of_two_neurons_is_a_plane_integral(d):
    # trapezoid rule in t, w = sinh(t)/2, whose weight is even in t: a rule for periodic functions
    step = 0.02 if d < 10 else 0.005
    t = np.arange(step / 2, math.asinh(28 / math.sqrt(d)), step)
    w = np.sinh(t) / 2
    logs = np.log(np.cosh(t) / 2) - d * w**2 / 2
    chance = special.log_ndtr(-np.sqrt(2 / (psi(w**2)[:, None] + psi(w**2))))
    exact = special.logsumexp(logs[:, None] + logs + chance)
    exact += 2 * math.log(step * 2 * math.sqrt(d / (2 * math.pi)))
    found = log_alignment(2, d, "quadrature")
    assert found.log_probability == pytest.approx(exact, rel=1e-12)
    assert found.diagnostics.error_estimate < 1e-11


def _pair(n, d, step, rest=0.0):
    """Return log P of two specialized neurons, by the trapezoid rule in the plane, the others' overlaps being given."""
    w = np.arange(0.5, 4.0, step)
    overlap = psi(w**2)
    logs = special.log_ndtr(-np.sqrt(n / (overlap[:, None] + overlap + rest)))
    logs -= d * (w[:, None] ** 2 + w**2) / 2
    total = special.logsumexp(logs) + 2 * math.log(step)
    return total + math.log(n * (n - 1) / 2 * 4 * d / (2 * math.pi))


def test_narrow_networks_have_the_probabilities_of_whole_neurons():
    for n, d, log_p in KNOWN["narrow_alignment"]:
        found = log_alignment(n, d, samples=2000, rng=2)
        assert found.log_probability == pytest.approx(log_p, abs=0.018)
        assert found.standard_error < 1e-3
        assert found.diagnostics.status is Status.CONVERGED
        assert found.specialized == pytest.approx(2 if n == 100 else 1, abs=1e-6)
    # independently: the likeliest neurons by quadrature
    for n, d, top in ((10, 1000, -1050), (4, 400, -420)):

        def density(w, n=n, d=d, top=top):
            chance = float(special.log_ndtr(-math.sqrt(n / psi(w**2))))
            return math.exp(chance - d * w**2 / 2 - top)

        value = integrate.quad(density, 0.5, 4, epsabs=0, epsrel=1e-10, points=[1, 1.5, 2])[0]
        log_p = top + math.log(2 * n * value * math.sqrt(d / (2 * math.pi)))
        found = log_alignment(n, d, samples=500, rng=2)
        assert found.log_probability == pytest.approx(log_p, abs=2e-3)
    assert _pair(100, 400, 0.004) == pytest.approx(-1813.60, abs=0.005)
    rest = 98 * 15 / 27 / 400**3 * (1 - 42 / 400)  # of small weights: E psi to second order in 1/d
    found = log_alignment(100, 400, samples=2000, rng=2)
    assert found.log_probability == pytest.approx(_pair(100, 400, 0.004, rest), abs=1e-3)


def _on_lattice(n, d, step=4e-6, points=1 << 17):
    """Return log P by convolution of the tilted law of one overlap, each value split between neighbors so that the mean is kept."""
    tilt = float(alignment_rate(n, d).tilt)
    w = np.linspace(0, 8, 2_000_001)
    w, width = (w[1:] + w[:-1]) / 2, w[1]
    overlap = psi(w**2)
    logs = tilt * overlap - d * w**2 / 2
    mass = np.exp(logs - logs.max())
    cell, part = np.divmod(overlap / step, 1)
    cell = cell.astype(int)
    law = np.bincount(cell, mass * (1 - part), points) + np.bincount(cell + 1, mass * part, points)
    density = fft.irfft(fft.rfft(law / law.sum()) ** n, points)
    y = step * np.arange(points)
    kept = (density > 1e-9 * density.max()) & (y > 0)
    logs_p = np.log(density[kept]) + special.log_ndtr(-np.sqrt(n / y[kept])) - tilt * y[kept]
    norm = math.log(law.sum() * width * 2) + logs.max() + 0.5 * math.log(d / (2 * math.pi))
    return special.logsumexp(logs_p) + n * norm


@pytest.mark.parametrize(("n", "d", "log_p"), KNOWN["lattice_alignment"])
def test_sampling_agrees_with_a_convolution(n, d, log_p):
    if n < 100:
        assert _on_lattice(n, d) == pytest.approx(log_p, abs=2e-6)
    found = log_alignment(n, d, rng=6)
    assert found.standard_error < 0.01
    assert abs(found.log_probability - log_p) < 4 * found.standard_error
    assert found.diagnostics.error_estimate == pytest.approx(found.standard_error)


@pytest.mark.parametrize("d", [1e-9, 0.5, 20.0, 1e3, 1e6, 1e9])
def test_sampling_agrees_with_quadrature_at_any_dimension(d):
    for n in (1, 2):
        exact, found = log_alignment(n, d, "quadrature"), log_alignment(n, d, samples=500, rng=3)
        assert abs(found.log_probability - exact.log_probability) <= 4 * math.hypot(
            found.standard_error, 1e-15 * abs(exact.log_probability)
        )
        assert found.specialized == pytest.approx(exact.specialized, abs=0.1)


@settings(max_examples=12, deadline=None)
@given(st.integers(1, 60), st.floats(-1, 4), st.integers(0, 2**32))
def test_samples_and_saddle_points_agree_everywhere(n, log_d, seed):
    found, rate = log_alignment(n, 10**log_d, samples=400, rng=seed), alignment_rate(n, 10**log_d)
    assert found.diagnostics.status is Status.CONVERGED
    assert abs(found.log_probability + rate.corrected) < 0.1 + 4 * found.standard_error


def test_a_bad_proposal_is_not_a_success(monkeypatch):
    # all weights from the mean-field law, in layers where less than one neuron would specialize
    monkeypatch.setattr(_alignment_sampler, "told_apart", lambda *_: False)
    for n, d in ((10, 1000), (4, 400), (100, 400)):
        with pytest.warns(AccuracyWarning, match="too few samples matter"):
            found = log_alignment(n, d, rng=0)
        assert found.diagnostics.status is Status.UNDERSAMPLED
        assert not found.diagnostics.status.ok
    monkeypatch.undo()

    def untilted(edges, logs, d):
        return proposal(edges, -d * (edges[1:] + edges[:-1]) ** 2 / 8, d)

    monkeypatch.setattr(_alignment_sampler, "proposal", untilted)
    for n, d in ((100, 10), (20, 20)):
        with pytest.warns(AccuracyWarning, match="too few samples matter"):
            assert log_alignment(n, d, rng=0).diagnostics.status is Status.UNDERSAMPLED


def test_few_samples_are_not_a_success():
    with pytest.warns(AccuracyWarning, match="use more samples"):
        found = log_alignment(20, 20, samples=20, rng=0)
    assert found.diagnostics.status is Status.UNDERSAMPLED


def test_lost_digits_are_told():
    with pytest.warns(AccuracyWarning, match="errors may exceed"):
        found = log_alignment(444, 9.2e18, samples=200, rng=0)
    assert found.diagnostics.status is Status.LOST_ACCURACY
    assert found.log_probability == pytest.approx(-specialized_cost(444, 9.2e18).cost, rel=1e-6)


def test_work_is_bounded_before_it_starts():
    with pytest.raises(ResourceError, match=r"1e\+10 random numbers, more than 5e\+09"):
        log_alignment(10**7, 1e8, samples=1000, rng=0)
    with pytest.raises(ResourceError, match="samples would hold"):
        log_alignment(5, 5, samples=10**11, rng=0)
    with pytest.raises(ResourceError, match="starts of 1000000000 weights"):
        optimize_configuration(10**9, 10, rng=0)
    with pytest.raises(ResourceError, match="couplings of 1e"):
        attention_overlap(1e6, 64)
    assert attention_overlap(1e300, 1) == 0


@pytest.mark.parametrize(("size", "value", "error"), KNOWN["sampled_alignment"])
def test_sampling_has_the_known_values(size, value, error):
    found = log_alignment(size, size, rng=9)
    assert abs(found.log_probability + value) < 4 * math.hypot(found.standard_error, error)
    assert found.standard_error < 0.04
    assert found.log_probability < -alignment_rate(size, size).rate
    assert round(found.specialized) == (3 if size == 100 else 4)


def test_moderate_probabilities_agree_with_networks():
    rng = np.random.default_rng(8)
    n, d, draws = 6, 0.05, 200_000
    w = rng.standard_normal((draws, n)) / math.sqrt(d)
    a = rng.standard_normal((draws, n)) / math.sqrt(n)
    share = float(np.mean(np.sum(a * w**3 / (3 + 2 * w**2) ** 1.5, axis=1) >= 1))
    found = log_alignment(n, d, samples=50_000, rng=1)
    spread = math.hypot(math.sqrt(share / draws), share * found.standard_error)
    assert abs(math.exp(found.log_probability) - share) < 4 * spread


@pytest.mark.parametrize(("length", "coupling", "value", "error"), KNOWN["overlap"])
def test_overlaps_have_the_known_values(length, coupling, value, error):
    assert abs(attention_overlap(coupling, length) - value) < 3 * error


def test_limits_of_the_overlap():
    for length in (2, 16, 10**6):
        small = 1e-3
        assert attention_overlap(small, length) == pytest.approx(
            (1 - 1 / length) * (small - 3 * small**3 / length), rel=1e-9
        )
    assert attention_overlap([-2, 0, 2], 8)[0] == -attention_overlap(2, 8)
    assert attention_overlap(0, 8) == 0 == attention_overlap(3, 1)
    # a hard maximum of two tokens: E|x| times E max(z1, z2)
    assert attention_overlap(50, 2) == pytest.approx(
        math.sqrt(2 / math.pi) / math.sqrt(math.pi), rel=2e-3
    )


@pytest.mark.parametrize("coupling", [0.3, 3.0, 10.0])
def test_overlap_of_two_tokens_is_a_plane_integral(coupling):
    # with z1 - z2 = sqrt(2) u, the softmax mean is (z1 + z2)/2 + (z1 - z2)/2 tanh(...)
    x, step = np.linspace(-9, 9, 3601, retstep=True)
    u = x[:, None] / math.sqrt(2)
    density = step * np.exp(-(x**2) / 2) / math.sqrt(2 * math.pi)
    exact = density @ (u * x * np.tanh(coupling * u * x)) @ density
    assert attention_overlap(coupling, 2) == pytest.approx(exact, rel=1e-9)


def test_overlap_agrees_with_sampled_heads():
    rng = np.random.default_rng(6)
    x, z = rng.standard_normal((100_000, 1)), rng.standard_normal((100_000, 5))
    weights = np.exp(1.5 * x * z)
    heads = x[:, 0] * np.sum(weights * z, axis=1) / np.sum(weights, axis=1)
    assert abs(attention_overlap(1.5, 5) - heads.mean()) < 4 * heads.std() / math.sqrt(heads.size)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: specialized_cost(0, 3), "n = 0"),
        (lambda: specialized_cost(3, 0), "d = 0"),
        (lambda: specialized_cost(3, 3, neurons=4), "neurons = 4"),
        (lambda: gaussian_cost(3, 3, inflation=0), "inflation = 0"),
        (lambda: log_alignment(3, 3, "quadrature"), "n = 3 must be 1 or 2"),
        (lambda: log_alignment(3, 3), "rng = None"),
        (lambda: log_alignment(3, 3, "magic"), "method = 'magic'"),
        (lambda: optimize_configuration(3, 3, starts=0, rng=0), "starts = 0"),
        (lambda: attention_overlap(math.inf, 3), "coupling = inf"),
        (lambda: attention_overlap(1, 0), "length = 0"),
    ],
)
def test_bad_arguments_are_named(call, words):
    with pytest.raises(DomainError, match=words):
        call()


def test_rates_of_wide_layers_keep_their_digits(reference):
    """At small tilts the two terms of the relative entropy cancel to N times rounding: the rate was off by 2e-3."""
    for n, d, rate, tilt, variance in reference("patterns_accuracy")["alignment_rate"]["rows"]:
        found = alignment_rate(n, d)
        assert found.rate == pytest.approx(rate, rel=1e-12)
        assert found.tilt == pytest.approx(tilt, rel=1e-9)
        assert found.variance == pytest.approx(variance, rel=1e-9)
