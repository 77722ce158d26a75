"""The mean-field solution of a two-layer network: known values, uniqueness, limits, and what it warns of."""

import json
import math
import warnings
from pathlib import Path

import mpmath
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import erf, eval_hermitenorm, gammaln, roots_genlaguerre

from scalinglaws.errors import DomainError, ExtrapolationWarning
from scalinglaws.solvers.kernel_adaptation import two_layer, two_layer_thresholds
from scalinglaws.solvers.kernel_adaptation._dual import (
    Problem,
    climb,
    evaluate,
    maximum,
    weights_of,
)
from scalinglaws.solvers.kernel_adaptation._overlaps import Features, nodes

KNOWN = json.loads((Path(__file__).parents[2] / "reference" / "kernel_adaptation.json").read_text())


def target(epsilon):
    return [1, math.sqrt(6) * epsilon]


def quietly(*args, **options):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ExtrapolationWarning)
        return two_layer(*args, **options)


def table_problem(integrated=False):
    known = KNOWN["two_layer"]
    features = Features((1, 3), (), float(known["dimension"]))
    return Problem(
        np.array(target(known["epsilon"])),
        features,
        known["width"],
        known["scale"],
        1.0,
        1.0,
        integrated,
    )


# -- known values -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("row", KNOWN["two_layer"]["rows"])
def test_known_values(row):
    known = KNOWN["two_layer"]
    ridge, mean_1, mean_3, t_1, t_3, free_energy, inflation, positions = row
    found = two_layer(
        target(known["epsilon"]),
        dimension=known["dimension"],
        width=known["width"],
        scale=known["scale"],
        ridge_per_sample=ridge,
        perpendicular="concentrated",
    )
    # ten printed digits
    np.testing.assert_allclose(found.mean, [mean_1, mean_3], atol=6e-11, rtol=0)
    np.testing.assert_allclose(found.dual, [t_1, t_3], rtol=1e-8)
    assert found.free_energy == pytest.approx(free_energy, rel=1e-9)
    assert found.inflation == pytest.approx(inflation, rel=1e-8)
    positive = found.modes[found.modes > 0]
    np.testing.assert_allclose(positive, positions, atol=0.008)
    assert found.phase == ["Gaussian", "GM-I", "GM-II"][len(positions)]
    assert found.cautions == ()


def test_known_value_with_the_length_across_integrated():
    known = KNOWN["integrated"]
    found = two_layer(
        target(known["epsilon"]),
        **{key: known[key] for key in ("dimension", "width", "scale", "ridge_per_sample")},
    )
    assert found.free_energy == pytest.approx(known["free_energy"], abs=1e-6)
    np.testing.assert_allclose(found.mean, known["mean"], atol=1e-10)


def test_known_thresholds():
    known, thresholds = KNOWN["two_layer"], KNOWN["thresholds"]
    found = two_layer_thresholds(
        target(known["epsilon"]),
        dimension=known["dimension"],
        width=known["width"],
        scale=known["scale"],
        perpendicular="concentrated",
    )
    assert found.bimodality == pytest.approx(thresholds["bimodality"], abs=6e-8)
    assert found.bimodality_mean[0] == pytest.approx(thresholds["bimodality_mean_1"], abs=6e-6)
    assert found.far_mode == pytest.approx(thresholds["far_mode"], abs=6e-7)
    assert found.far_neuron == pytest.approx(thresholds["far_neuron"], abs=6e-7)


@pytest.mark.parametrize("row", KNOWN["sampled"]["rows"])
def test_the_theory_that_sampling_was_compared_with(row):
    known = KNOWN["sampled"]
    ridge, mean_1, mean_3, inflation, kurtosis = row
    found = two_layer(
        [*target(known["epsilon"]), 0],
        dimension=known["dimension"],
        width=known["width"],
        scale=known["scale"],
        ridge_per_sample=(ridge + known["added_ridge"]) / known["samples"],
        degrees=(1, 3, 5),
        mixed=(1,),
    )
    np.testing.assert_allclose(found.mean[:2], [mean_1, mean_3], atol=6e-4)
    assert found.inflation == pytest.approx(inflation, abs=6e-4)
    assert found.kurtosis == pytest.approx(kurtosis, abs=6e-4)


def test_samples_at_a_fifth_of_the_target_are_those_that_simulations_are_compared_with():
    known = KNOWN["measured_samples"]
    for d, samples in zip(known["dimensions"], known["samples"], strict=True):
        found = quietly(
            [0, 1, 0, 0],
            dimension=d,
            width=d,
            samples=samples,
            ridge=1.0,
            degrees=(1, 3, 5, 7),
            mixed=(1, 3),
        )
        assert found.learnability == pytest.approx(known["alignment"], abs=1e-3)


@pytest.mark.parametrize("scale", [1e-2, 1e-3, 1e-6, 1e-12])
def test_small_scales_are_the_lazy_kernel(scale):
    """The dual's value is lost in rounding there, its slope is not: the limit is ridge regression with the prior's kernel."""
    d, ridge, y = 8, 0.4, np.array(target(0.1))
    nodes_, shares = np.polynomial.hermite_e.hermegauss(120)
    m = nodes_ / math.sqrt(d)
    ratio = m / np.sqrt(1 + 2 * (m**2 + (d - 1) / d))
    c = 2 / math.sqrt(math.pi) * np.array([ratio, -2 * ratio**3 / math.sqrt(6)])
    kernel = (c * shares / shares.sum()) @ c.T
    found = quietly(
        y,
        dimension=d,
        width=40,
        scale=scale,
        ridge_per_sample=ridge,
        perpendicular="concentrated",
    )
    lazy = kernel @ np.linalg.solve(kernel + ridge * np.eye(2), y)
    # adaptation changes it in proportion to chi/N
    np.testing.assert_allclose(found.mean, lazy, rtol=scale + 1e-11)
    assert found.diagnostics.iterations < 10


# -- independent computations -------------------------------------------------------------------------------------------


@settings(max_examples=25, deadline=None)
@given(
    m=st.floats(-2.0, 2.0),
    rho=st.floats(0.0, 1.0),
    k=st.sampled_from([1, 3, 5, 7]),
)
def test_overlaps_are_gauss_hermite_integrals(m, rho, k):
    x, weights = np.polynomial.hermite_e.hermegauss(120)
    weights = weights / weights.sum()
    z, across = np.meshgrid(x, x, indexing="ij")
    every = np.outer(weights, weights)
    outputs = erf(m * z + math.sqrt(rho) * across)
    hermite = eval_hermitenorm(k, z) / math.sqrt(math.factorial(k))
    features = Features((k,), (k,), 2.0)
    found = features.components(np.array([m]), np.array([rho]))[:, 0]
    assert found[0] == pytest.approx(float(np.sum(every * outputs * hermite)), abs=1e-12)
    mixed = hermite * (across**2 - 1) / math.sqrt(2)  # d = 2
    assert found[1] == pytest.approx(float(np.sum(every * outputs * mixed)), abs=1e-12)


@settings(max_examples=20, deadline=None)
@given(m=st.floats(-3.0, 3.0), rho=st.floats(0.0, 4.0))
def test_slopes_of_overlaps_are_their_derivatives(m, rho):
    features = Features((1, 3, 7), (1, 5), 9.0)
    with mpmath.workdps(30):
        for i in range(features.size):
            slope = features.slopes(np.array([m]), np.array([rho]))[i, 0]
            h = 1e-6
            ends = features.components(np.array([m - h, m + h]), np.array([rho, rho]))[i]
            assert slope == pytest.approx((ends[1] - ends[0]) / (2 * h), abs=1e-8)


@pytest.mark.parametrize(("d", "variance"), [(2, 1.0), (3, 2.0), (20, 1.0), (300, 0.5)])
def test_nodes_have_the_moments_of_the_prior(d, variance):
    rule = nodes(d, variance, integrated=True)
    m, across = np.exp(rule.log_m), np.exp(rule.log_rho)
    assert m.sum() == pytest.approx(1, abs=1e-13)
    assert across.sum() == pytest.approx(1, abs=1e-13)
    for power in (1, 2, 3):  # of a chi-squared law of d - 1
        moment = math.exp(gammaln((d - 1) / 2 + power) - gammaln((d - 1) / 2))
        exact = moment * (2 * variance / d) ** power
        assert float(across @ rule.rho**power) == pytest.approx(exact, rel=1e-11)
    assert float(m @ rule.m**2) == pytest.approx(variance / d, rel=1e-12)
    assert float(m @ rule.m**4) == pytest.approx(3 * (variance / d) ** 2, rel=1e-12)


def test_another_quadrature_gives_the_same_solution():
    """Gauss and Laguerre's rule in the length across, with 60 nodes; it needs more of them the further out the modes are."""
    d, width, scale, ridge = 30, 300.0, 300.0, 0.003
    y = np.array(target(0.1))
    u, weights = roots_genlaguerre(60, (d - 3) / 2)
    weights = weights / weights.sum()
    m = np.linspace(-6, 6, 1601)
    prior = np.exp(-d * m**2 / 2)
    every = np.outer(prior / prior.sum(), weights)
    stretch = 1 + 2 * (m[:, None] ** 2 + 2 / d * u)
    c = np.array(
        [
            2 / math.sqrt(math.pi) * m[:, None] / stretch**0.5,
            -4 / math.sqrt(6 * math.pi) * m[:, None] ** 3 / stretch**1.5,
        ]
    )
    found = quietly(y, dimension=d, width=width, scale=scale, ridge_per_sample=ridge)
    s = np.tensordot(found.dual, c, 1)
    tilted = every * np.exp(scale / (2 * width) * s**2 - found.log_total)
    assert tilted.sum() == pytest.approx(1, abs=1e-8)
    kernel = np.einsum("imr,jmr,mr->ij", c, c, tilted)
    np.testing.assert_allclose(kernel @ found.dual, found.mean, atol=1e-9)
    np.testing.assert_allclose(kernel, found.kernel, atol=1e-9)


def test_the_dual_has_the_slope_and_the_curvature_that_are_claimed():
    problem = table_problem()
    weights = weights_of(problem, 1.0, 1.0)
    t, ridge, h = np.array([20.0, 50.0]), 0.01, 1e-4
    here = evaluate(problem, ridge, weights, t)
    for i in range(2):
        step = h * np.eye(2)[i]
        up, down = (evaluate(problem, ridge, weights, t + sign * step) for sign in (1, -1))
        slope = (up.value - down.value) / (2 * h) / problem.scale
        assert here.slope[i] == pytest.approx(slope, rel=1e-7)
        bent = (down.slope - up.slope) / (2 * h)
        np.testing.assert_allclose(here.curvature[i], bent, rtol=1e-6)


@pytest.mark.parametrize("row", KNOWN["two_layer"]["rows"])
def test_any_start_ends_at_the_same_maximum(row):
    problem, ridge = table_problem(), row[0]
    best, weights, _ = maximum(problem, ridge, np.zeros(2))
    assert best.steps <= 30
    rng = np.random.default_rng(0)
    for _ in range(5):
        start = rng.standard_normal(2) * np.abs(best.t) * 2
        found = climb(problem, ridge, weights, start)
        assert found.steps <= 30
        np.testing.assert_allclose(found.t, best.t, rtol=1e-9)


def test_the_free_energy_is_no_larger_at_any_other_law():
    """Duality: laws tilted by another t have a larger F, by what the definition itself gives."""
    problem, ridge = table_problem(), 0.003
    best, weights, _ = maximum(problem, ridge, np.zeros(2))
    y = problem.target

    def free_energy(t):
        law = evaluate(problem, ridge, weights, t)
        share = law.share[law.share > 0]
        entropy = float(share @ (np.log(share) - weights.log_prior[law.share > 0]))
        inverse = np.linalg.solve(law.kernel + ridge * np.eye(2), y)
        return problem.width * entropy + problem.scale / 2 * float(y @ inverse)

    assert free_energy(best.t) == pytest.approx(best.value, rel=1e-10)
    rng = np.random.default_rng(1)
    for size in (1e-3, 0.1, 1.0):
        for _ in range(5):
            assert free_energy(best.t * (1 + size * rng.standard_normal(2))) > best.value


def test_without_scale_the_kernel_is_that_of_an_infinitely_wide_network():
    with pytest.warns(ExtrapolationWarning, match="order one"):
        found = two_layer(target(0.1), dimension=50, width=1e9, ridge_per_sample=0.01)
    rule = nodes(50.0, 1.0, integrated=True)
    m, rho, logs = rule.pairs
    c = Features((1, 3), (), 50.0).components(m, rho)
    kernel = (c * np.exp(logs)) @ c.T
    lazy = kernel @ np.linalg.solve(kernel + 0.01 * np.eye(2), target(0.1))
    np.testing.assert_allclose(found.mean, lazy, rtol=1e-6)
    assert found.inflation == pytest.approx(1, abs=1e-6)
    assert found.kurtosis == pytest.approx(3, abs=1e-6)
    assert found.phase == "Gaussian"


def test_samples_and_ridge_give_the_effective_ridge():
    """At a large ridge it adds the trace of the kernel; the two starts agree."""
    found = two_layer(target(0.1), dimension=50, width=1000, scale=1000, samples=2e4, ridge=1000)
    whole = 2 / math.pi * math.asin(2 / 3)  # of a neuron's squared output, at unit length
    assert found.unique
    assert found.effective_ridge == found.ridge_per_sample * 2e4
    assert found.effective_ridge - 1000 == pytest.approx(whole, rel=0.25)
    again = two_layer(
        target(0.1), dimension=50, width=1000, scale=1000, ridge_per_sample=found.ridge_per_sample
    )
    np.testing.assert_allclose(found.mean, again.mean, rtol=1e-12)


def test_the_density_is_that_of_the_modes():
    found = two_layer(target(0.1), dimension=100, width=1000, scale=1000, ridge_per_sample=1e-3)
    m = np.linspace(-6, 6, 12001)
    density = found.density(m)
    assert float(np.trapezoid(density, m)) == pytest.approx(1, abs=1e-10)
    second = float(np.trapezoid(density * m**2, m))
    assert 100 * second == pytest.approx(found.inflation, rel=1e-9)
    peaks = m[1:-1][(density[1:-1] > density[:-2]) & (density[1:-1] > density[2:])]
    np.testing.assert_allclose(peaks[peaks > 0], found.modes, atol=1e-3)
    far = float(np.trapezoid(density * (np.abs(m) > 1.5), m))
    assert found.far_neurons == pytest.approx(1000 * far, rel=1e-2)
    assert found.phase == "GM-II"


# -- what it warns of ---------------------------------------------------------------------------------------------------


def test_a_far_mode_without_a_neuron_is_reported():
    with pytest.warns(ExtrapolationWarning, match="neurons are in a far mode"):
        found = two_layer(
            target(0.1),
            dimension=100,
            width=1000,
            scale=1000,
            ridge_per_sample=0.0015,
            perpendicular="concentrated",
        )
    assert found.phase == "GM-II"
    assert found.far_neurons < 1


def test_too_few_samples_are_reported_where_sampling_disagrees_and_not_where_it_agrees():
    known, few = KNOWN["sampled"], KNOWN["few_samples"]
    sizes = {key: known[key] for key in ("dimension", "width", "scale")}
    options = {"degrees": (1, 3, 5), "mixed": (1,), **sizes}
    y = [*target(0.1), 0]
    found = quietly(y, samples=few["samples"], ridge=few["ridge"], **options)
    assert found.mean[0] == pytest.approx(few["mean_1"], abs=6e-3)
    assert abs(found.mean[0] - few["sampled_mean_1"]) > 0.1
    assert any("too few samples" in caution for caution in found.cautions)
    for ridge, *_ in known["rows"]:
        assert two_layer(y, samples=known["samples"], ridge=ridge, **options).cautions == ()


def test_bad_arguments_are_refused():
    good = {"dimension": 10, "width": 10, "ridge_per_sample": 0.1}
    for wrong, name in (
        ({"degrees": (1, 2)}, "degrees"),
        ({"degrees": (3, 1)}, "degrees"),
        ({"degrees": ()}, "degrees"),
        ({"degrees": (1,)}, "target"),
        ({"dimension": 1, "mixed": (1,)}, "dimension"),
        ({"dimension": 2.5}, "dimension"),
        ({"samples": 10}, "ridge_per_sample"),
        ({"ridge_per_sample": None}, "ridge_per_sample"),
        ({"ridge_per_sample": None, "samples": 10}, "ridge_per_sample"),
        ({"ridge_per_sample": 0}, "ridge_per_sample"),
        ({"perpendicular": "both"}, "perpendicular"),
        ({"far": 0}, "far"),
    ):
        with pytest.raises(DomainError) as refused:
            two_layer([1, 0], **{**good, **wrong})
        assert refused.value.argument == name


def test_one_input_has_no_length_across():
    """With d = 1 both treatments are one."""
    each = [
        two_layer([1, 0.1], dimension=1, width=50, scale=50, ridge_per_sample=0.1, perpendicular=p)
        for p in ("integrated", "concentrated")
    ]
    np.testing.assert_array_equal(each[0].mean, each[1].mean)


@settings(max_examples=15, deadline=None)
@given(
    y=st.tuples(st.floats(-2, 2), st.floats(-2, 2)),
    d=st.integers(2, 200),
    width=st.floats(10, 1e4),
    ratio=st.floats(0.01, 3),
    ridge=st.floats(1e-3, 10),
)
def test_every_solution_obeys_the_equations(y, d, width, ratio, ridge):
    found = quietly(list(y), dimension=d, width=width, scale=ratio * width, ridge_per_sample=ridge)
    size = max(map(abs, y))
    residual = found.kernel @ found.dual + ridge * found.dual - np.array(y)
    assert np.max(np.abs(residual)) <= 1e-10 * (size + 1e-300)
    assert found.diagnostics.error_estimate < 1e-8
    if size > 1e-3:
        assert 0 < found.learnability < 1
    assert found.inflation > 0
