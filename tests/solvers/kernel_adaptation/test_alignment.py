"""The dictionary between samples and costs: known values, both directions, and where one neuron carries the target."""

import json
import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize_scalar

from scalinglaws.errors import DomainError
from scalinglaws.solvers.kernel_adaptation import (
    samples_for_alignment,
    samples_for_cost,
    two_layer,
)
from scalinglaws.solvers.patterns import aligned_neurons, alignment_rate

KNOWN = json.loads((Path(__file__).parents[2] / "reference" / "kernel_adaptation.json").read_text())
ALIGNMENT = KNOWN["alignment"]


def test_known_values():
    for row in ALIGNMENT["rows"]:
        given_names = ALIGNMENT["columns"][1:8]
        entry = dict(zip(ALIGNMENT["columns"], row, strict=True))
        options = {name: entry[name] for name in ("dimension", *given_names) if name != "alignment"}
        options["degree"] = int(options["degree"])
        found = samples_for_alignment(entry["alignment"], **options)
        for name in ("tilt", "variance", "cost", "samples_per_ridge"):
            assert getattr(found, name) == pytest.approx(entry[name], rel=5e-10), name


def test_known_points_of_one_neuron():
    n, d, *points = np.array(ALIGNMENT["one_neuron"]).T
    found = samples_for_alignment(0.5, dimension=d, width=n)
    names = ("spinodal_alignment", "spinodal", "maxwell_alignment", "maxwell")
    for name, values in zip(names, points, strict=True):
        np.testing.assert_allclose(getattr(found, name), values, rtol=1e-7)
    assert found.specialized[0] < 1 < found.specialized[1]


@pytest.mark.parametrize("k", [3, 5, 7])
def test_points_of_one_neuron_from_its_free_energy(k):
    """Spinodal: the fewest samples. Maxwell: the two minima of the free energy are equally low."""
    n, d, chi, readout, weight, y = 20, 500, 3.0, 1.7, 0.8, 1.3
    found = samples_for_alignment(
        0.5,
        dimension=d,
        width=n,
        scale=chi,
        readout_variance=readout,
        weight_variance=weight,
        degree=k,
        target=y,
    )
    odd = math.prod(range(k - 2, 0, -2))
    gain = 4 / math.pi * 2 ** (k - 1) * odd**2 / math.factorial(k)

    def cost(a):
        def at(x):
            r = math.exp(x)
            overlap = gain * (r / (1 + 2 * weight + 2 * r)) ** k
            return d * r / (2 * weight) + chi * n * (a * y) ** 2 / (2 * readout * overlap)

        best = minimize_scalar(at, bounds=(-12, 8), method="bounded", options={"xatol": 1e-12})
        return float(best.fun)

    def total(a, samples):
        return cost(a) + chi * samples * y**2 * (1 - a) ** 2 / 2

    def samples(a, h=1e-5):
        slope = (cost(a * (1 + h)) - cost(a * (1 - h))) / (2 * h * a)
        return slope / (chi * y**2 * (1 - a))

    a = found.spinodal_alignment
    assert samples(a) == pytest.approx(found.spinodal, rel=1e-6)
    assert samples(0.9 * a) > found.spinodal < samples(1.1 * a)
    a = found.maxwell_alignment
    assert samples(a) == pytest.approx(found.maxwell, rel=1e-6)
    none = chi * found.maxwell * y**2 / 2
    assert total(a, found.maxwell) == pytest.approx(none, rel=1e-6)
    assert found.spinodal < found.maxwell


def test_solutions_at_these_ridges_have_the_alignment():
    """The other way round: the two-layer equations at the ridge found return the alignment, the tilt and the cost."""
    for k, a in ((1, 0.3), (3, 0.5), (5, 0.8)):
        found = samples_for_alignment(a, dimension=60, width=500, scale=100, degree=k)
        back = two_layer(
            [1.0],
            dimension=60,
            width=500,
            scale=100,
            degrees=[k],
            ridge_per_sample=1 / found.samples_per_ridge,
            perpendicular="concentrated",
        )
        assert back.learnability == pytest.approx(a, rel=1e-11)
        assert back.kernel[0, 0] == pytest.approx(found.variance, rel=1e-11)
        spent = back.free_energy - 100 / 2 * (1 - a) ** 2 * found.samples_per_ridge
        assert spent == pytest.approx(found.cost, rel=1e-10)


def test_several_features_go_both_ways():
    y = [1, 0.1 * math.sqrt(6)]
    sizes = {"dimension": 100, "width": 1000, "scale": 1000}
    for ridge, scalar in ALIGNMENT["scalar_form"]:
        there = two_layer(y, ridge_per_sample=ridge, perpendicular="concentrated", **sizes)
        back = samples_for_alignment(there.learnability, degree=[1, 3], target=y, **sizes)
        assert back.samples_per_ridge * ridge == pytest.approx(1, rel=1e-9)
        assert back.monotone
        fit = there.kernel @ np.linalg.inv(there.kernel + ridge * np.eye(2))
        assert back.learned == pytest.approx(np.trace(fit), rel=1e-9)
        # one direction only, that of the target: what it would say, if t were parallel to y
        unit = np.array(y) / np.linalg.norm(y)
        along = _along(unit, there.learnability * np.linalg.norm(y), **sizes)
        share = there.learnability
        assert along * (1 - share) / share == pytest.approx(scalar, abs=6e-7)


def _along(unit, aligned, dimension, width, scale):
    """Return the variance of the overlap along a direction that is tilted to an alignment by itself."""
    m = np.linspace(-6, 6, 3201)
    stretch = 1 + 2 * (m**2 + (dimension - 1) / dimension)
    c = unit[0] * 2 / math.sqrt(math.pi) * m / stretch**0.5
    c = c - unit[1] * 4 / math.sqrt(6 * math.pi) * m**3 / stretch**1.5
    prior = -dimension * m**2 / 2
    low, high = -20.0, 20.0
    for _ in range(200):
        tilt = math.exp(0.5 * (low + high))
        logs = prior + tilt * c**2
        share = np.exp(logs - logs.max())
        v = float(share @ c**2 / share.sum())
        if tilt * v**2 > scale * aligned**2 / (2 * width):
            high = math.log(tilt)
        else:
            low = math.log(tilt)
    return v


def test_one_feature_given_as_a_row_is_the_same():
    one = samples_for_alignment([0.2, 0.7], dimension=50, width=100)
    row = samples_for_alignment([0.2, 0.7], dimension=50, width=100, degree=[3], target=[1.0])
    for name in ("samples_per_ridge", "cost", "tilt", "variance", "learned"):
        np.testing.assert_allclose(getattr(row, name), getattr(one, name), rtol=1e-9)
    # specialized neurons are counted on a grid there
    np.testing.assert_allclose(row.specialized, one.specialized, rtol=0.02)


def test_the_rate_of_the_patterns_theory_is_the_cost_of_its_network():
    """That network drops the constants of the error function: its readout is larger by them."""
    n, d = 100, 100
    dropped = 3 * math.pi / 8
    weight = d / (d - 1)  # so that the length of weights across is one
    found = samples_for_alignment(
        1 - 1e-12,
        dimension=d,
        width=n,
        readout_variance=dropped,
        weight_variance=weight,
    )
    narrow = aligned_neurons(n, d / weight)
    rate = 1 / (2 * narrow.variance) + n * narrow.relative_entropy
    assert found.cost == pytest.approx(rate, rel=1e-10)
    assert aligned_neurons(n, d).tilt == alignment_rate(n, d).tilt


@settings(max_examples=25, deadline=None)
@given(
    a=st.floats(0.01, 0.98),
    d=st.integers(1, 1000),
    n=st.integers(1, 10_000),
    k=st.sampled_from([1, 3, 5]),
    chi=st.floats(0.1, 1000),
    y=st.floats(0.1, 10),
)
def test_samples_are_the_slope_of_the_cost_and_grow_with_the_alignment(a, d, n, k, chi, y):
    options = {"dimension": d, "width": n, "degree": k, "scale": chi, "target": y}
    h = 1e-5
    found = samples_for_alignment([a * (1 - h), a, a * (1 + h)], **options)
    slope = (found.cost[2] - found.cost[0]) / (2 * a * h)
    expected = slope / (chi * y**2 * (1 - a))
    assert found.samples_per_ridge[1] == pytest.approx(expected, rel=1e-5)
    assert np.all(np.diff(found.samples_per_ridge) > 0)


def test_without_adaptation_half_is_learned_at_ridge_over_eigenvalue():
    """At infinite width the law of weights is the prior's: I = alpha^2/2 lambda."""
    found = samples_for_alignment([0.2, 0.5], dimension=10, width=1e15)
    eigenvalue = found.variance[0]
    assert found.samples_per_ridge[1] == pytest.approx(1 / eigenvalue, rel=1e-6)
    back = samples_for_cost(found.cost, found.alignment, power=2)
    np.testing.assert_allclose(back, found.samples_per_ridge, rtol=1e-6)


def test_many_specialized_neurons_cost_in_proportion_to_the_alignment():
    """The relaxed optimum, P = P_0/(1 - alpha), is approached as d grows at N = d^(3/2); its cost is linear."""
    errors = []
    for d in (1e3, 1e5, 1e7):
        found = samples_for_alignment(0.5, dimension=d, width=d**1.5, scale=10.0, target=2.0)
        start = ALIGNMENT["relaxed"] * math.sqrt(d**2.5 / 10.0) / 2.0
        errors.append(abs(found.samples_per_ridge * 0.5 / start - 1))
        linear = samples_for_cost(found.cost, 0.5, power=1, scale=10.0, target=2.0)
        assert linear == pytest.approx(found.samples_per_ridge, rel=3 * errors[-1] + 1e-6)
    assert errors[2] < 2e-3
    assert errors[0] > errors[1] > errors[2]


def test_samples_at_a_small_ridge_obey_the_equation_of_the_effective_ridge():
    found = samples_for_alignment([0.2, 0.6], dimension=30, width=100)
    eigenvalues, counts = np.array([1e-2, 1e-4]), np.array([29, 4000])
    p = found.samples(0.1, eigenvalues=eigenvalues, multiplicities=counts)
    for i in range(2):
        kappa = p[i] / found.samples_per_ridge[i]
        modes = np.append(eigenvalues, found.variance[i])
        g = np.append(counts, 1)
        assert kappa == pytest.approx(
            0.1 + float(np.sum(g * modes * kappa / (kappa + p[i] * modes))), rel=1e-12
        )
    np.testing.assert_allclose(found.samples(1e12), 1e12 * found.samples_per_ridge, rtol=1e-12)


def test_bad_arguments_are_refused():
    for options, name in (
        ({"alignment": 1.0}, "alignment"),
        ({"alignment": 0.0}, "alignment"),
        ({"degree": 2}, "degree"),
        ({"degree": 17}, "degree"),
        ({"degree": [3, 1]}, "degree"),
        ({"target": 0.0}, "target"),
        ({"degree": [1, 3]}, "target"),
        ({"degree": [1, 3], "target": [0, 0]}, "target"),
        ({"dimension": 1.5}, "dimension"),
        ({"width": 0.5}, "width"),
        ({"alignment": 1e-9, "width": 1e12}, "alignment"),
    ):
        with pytest.raises(DomainError) as refused:
            samples_for_alignment(**{"alignment": 0.5, "dimension": 10, "width": 10, **options})
        assert refused.value.argument == name
    found = samples_for_alignment(0.5, dimension=10, width=10)
    with pytest.raises(DomainError, match="one length"):
        found.samples(1.0, eigenvalues=[1.0, 2.0], multiplicities=[1.0])
    for wrong in ({"cost": 0}, {"alignment": 1}, {"power": 0}, {"target": 0}):
        with pytest.raises(DomainError):
            samples_for_cost(**{"cost": 1, "alignment": 0.5, "power": 1, **wrong})
