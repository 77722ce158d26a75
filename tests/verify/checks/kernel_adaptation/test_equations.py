"""Checks of kernels that adapt: as expected, discriminating, and flipped by wrong equations and by other networks."""

import warnings
from dataclasses import replace
from functools import cache
from types import SimpleNamespace

import numpy as np
import pytest

from scalinglaws import theory, verify
from scalinglaws.solvers import kernel_adaptation as solve
from scalinglaws.verify.checks.kernel_adaptation import (
    convolution,
    dictionary,
    kernels,
    tolerances,
    weights,
)
from scalinglaws.verify.registry import Context, registered
from scalinglaws.verify.simulate.kernel_adaptation import sample_posterior

QUICK = [
    f"kernel_adaptation.{name}"
    for name in (
        "adapted",
        "bimodality",
        "convolution",
        "dictionary",
        "exact-linear",
        "uniqueness",
    )
]


def comparisons(check, name, effort="quick"):
    return {
        entry.id.split("/")[1]: entry
        for entry in check(Context(f"kernel_adaptation.{name}", effort, 0))
    }


def verdicts(check, name, effort="quick"):
    return {key: entry.verdict for key, entry in comparisons(check, name, effort).items()}


@pytest.mark.parametrize("name", QUICK)
def test_every_verdict_is_as_expected(shared_report, name):
    report = shared_report([name])
    assert not report.crashes
    assert [entry.id for entry in report.comparisons if not entry.as_expected] == []
    assert [entry.id for entry in report.comparisons if not entry.discriminating] == []
    for entry in report.comparisons:  # and no measurement that is off by two tolerances passes
        if entry.expect != "pass":
            continue
        scale = abs(entry.prediction.value) if entry.tolerance_kind == "relative" else 1.0
        for side in (-1, 1):
            value = entry.measurement.value + side * 2 * entry.tolerance * scale
            moved = replace(entry, measurement=replace(entry.measurement, value=value))
            assert moved.verdict != "pass"


def test_every_law_of_kernel_adaptation_is_tested():
    tested = {law for entry in registered().values() for law in entry.laws}
    assert {law for law in theory.laws() if law.startswith("kernel_adaptation.")} <= tested


def scaled(name, monkeypatch, module=solve, **factors):
    """Let a solver answer for arguments that are off by a factor."""
    original = getattr(module, name)

    def mutated(*args, **given):
        return original(*args, **{**given, **{key: factors[key] * given[key] for key in factors}})

    monkeypatch.setattr(module, name, mutated)


@cache
def posterior(scale):
    """What the check samples, once for all mutations of the theory."""
    inputs, targets = tolerances.known_data()
    return sample_posterior(
        inputs,
        targets,
        neurons=kernels.WIDTH,
        ridge=kernels.RIDGE,
        scale=scale,
        draws=150,
        warmup=150,
        rng=0,
    )


@pytest.fixture
def known_posterior(monkeypatch):
    monkeypatch.setattr(kernels, "sample_posterior", lambda *a, scale, **given: posterior(scale))


def test_kernels_for_another_scale_fail(known_posterior, monkeypatch):
    """Adaptation of a third of its strength: halfway to infinite width, which the sampled network is told from, too."""
    scaled("adapt", monkeypatch, scale=0.3)
    found = verdicts(kernels.adapted, "adapted")
    assert {found[f"weights-{scale}"] for scale in (30, 100)} == {"fail"}
    assert found["mean-100"] == "fail"


def test_the_mean_of_infinite_width_fails(known_posterior, monkeypatch):
    original = solve.adapt
    monkeypatch.setattr(
        solve,
        "adapt",
        lambda *a, **given: (lambda f: replace(f, mean=f.nngp_mean))(original(*a, **given)),
    )
    found = verdicts(kernels.adapted, "adapted")
    assert {found[f"mean-{scale}"] for scale in (30, 100)} == {"fail"}


def test_sampled_linear_networks_are_not_those_of_error_functions(monkeypatch):
    original = kernels.sample_posterior
    monkeypatch.setattr(
        kernels,
        "sample_posterior",
        lambda *a, **given: original(*a, activation="linear", **given),
    )
    found = verdicts(kernels.adapted, "adapted")
    assert found["mean-30"] == found["mean-100"] == "fail"


def test_an_ansatz_that_is_off_by_the_root_of_the_width_fails(monkeypatch):
    original = solve.adapt

    def mutated(inputs, targets, *, layers, **given):
        found = original(inputs, targets, layers=layers, **given)
        return replace(found, mean=found.mean * (1 + 3e-3 / np.sqrt(layers[0])))

    monkeypatch.setattr(solve, "adapt", mutated)
    found = verdicts(kernels.exact_linear, "exact-linear")
    assert found["order"] == "fail"


def test_another_width_of_linear_networks_fails(monkeypatch):
    original = solve.exact_two_layer_linear
    monkeypatch.setattr(
        solve,
        "exact_two_layer_linear",
        lambda *a, width, **given: original(*a, width=max(width // 4, 1), **given),
    )
    assert set(verdicts(kernels.exact_linear, "exact-linear").values()) == {"fail"}


@pytest.mark.parametrize("factor", [0.99, 1.01])
def test_another_solution_of_two_layers_fails(monkeypatch, factor):
    scaled("two_layer", monkeypatch, width=factor)
    assert set(verdicts(weights.uniqueness, "uniqueness").values()) == {"fail"}
    found = verdicts(dictionary.both_ways, "dictionary")
    for name in dictionary.CASES:
        assert found[f"alignment-{name}"] == found[f"cost-{name}"] == "fail"
    assert found["two-features-0.03"] == found["two-features-0.0001"] == "fail"


def test_an_own_quadrature_with_a_wrong_constant_fails(monkeypatch):
    original = weights.Trapezoid.__init__

    def mutated(self, *args, **given):
        original(self, *args, **given)
        self.components = self.components * np.array([[1.0], [1.001]])

    monkeypatch.setattr(weights.Trapezoid, "__init__", mutated)
    assert set(verdicts(weights.uniqueness, "uniqueness").values()) == {"fail"}


def test_iteration_goes_around_where_far_modes_take_part():
    """Which is why it is left out there; elsewhere it ends at the one solution."""
    sizes = {"dimension": 100, "width": 1000, "scale": 1000.0}
    _, step = weights.Trapezoid(0.003, **sizes).iterate(np.eye(2), share=0.3, most=1000)
    assert step < 1e-13
    _, step = weights.Trapezoid(0.001, **sizes).iterate(np.eye(2), share=0.3, most=1000)
    assert step > 1e-3


def test_other_thresholds_fail(monkeypatch):
    scaled("two_layer_thresholds", monkeypatch, scale=1.05)
    found = verdicts(weights.bimodality, "bimodality")
    assert found == {"exponent": "pass", "constant": "fail", "learned": "fail"}


def test_samples_that_grow_otherwise_fail(monkeypatch):
    original = solve.two_layer_thresholds

    def mutated(target, *, dimension, **given):
        found = original(target, dimension=dimension, **given)
        return replace(found, bimodality=found.bimodality * dimension**-0.01)

    monkeypatch.setattr(solve, "two_layer_thresholds", mutated)
    assert verdicts(weights.bimodality, "bimodality")["exponent"] == "fail"


def test_a_dictionary_with_a_wrong_factor_fails(monkeypatch):
    original = solve.samples_for_alignment

    def mutated(alignment, **given):
        found = original(alignment, **given)
        return replace(found, samples_per_ridge=1.001 * np.asarray(found.samples_per_ridge))

    monkeypatch.setattr(solve, "samples_for_alignment", mutated)
    found = verdicts(dictionary.both_ways, "dictionary")
    assert {value for key, value in found.items() if not key.startswith("exponent")} == {"fail"}


def test_a_cost_without_its_power_fails(monkeypatch):
    scaled("samples_for_cost", monkeypatch, power=1.001)
    found = verdicts(dictionary.both_ways, "dictionary")
    assert {key for key, value in found.items() if value == "fail"} == {
        f"samples-{name}" for name in dictionary.CASES
    }


def test_another_power_of_the_alignment_law_fails(monkeypatch):
    scaled("samples_for_alignment", monkeypatch, width=1.01)
    found = verdicts(dictionary.both_ways, "dictionary")
    assert found["constant-3-2"] == found["constant-2-1"] == "fail"
    assert found["exponent-3-2"] == found["exponent-2-1"] == "pass"


def test_filters_for_another_scale_fail(monkeypatch):
    scaled("linear_cnn", monkeypatch, scale=0.05)
    found = verdicts(convolution.adapted_filters, "convolution")
    assert {found[f"{name}-45"] for name in ("learnability", "closed-form", "variance")} == {"fail"}
    assert found["constant"] == "fail"


def test_another_number_of_patches_in_the_limit_fails(monkeypatch):
    original = convolution._half
    monkeypatch.setattr(
        convolution, "_half", lambda d: (lambda f: (f[0] * d**0.01, f[1]))(original(d))
    )
    found = {
        entry.id.split("/")[1]: entry.verdict
        for entry in convolution._law(Context("kernel_adaptation.convolution", "quick", 0))
    }
    assert found == {"exponent": "fail", "constant": "fail"}


def test_networks_with_lazy_filters_fail(monkeypatch):
    """A hundred times the channels: sampled as they are, they hardly adapt."""
    original = convolution.convolutional_posterior
    monkeypatch.setattr(
        convolution,
        "convolutional_posterior",
        lambda samples, *, channels, **given: original(samples, channels=100 * channels, **given),
    )
    found = verdicts(convolution.adapted_filters, "convolution")
    assert found["variance-45"] == found["learnability-45"] == "fail"


def test_a_law_of_weights_without_its_modes_fails(monkeypatch):
    """Gaussian weights, put in by hand in place of sampled ones."""

    def drawn(inputs, labels, *, rng, neurons, **given):
        noise = rng.standard_normal((2, 500, neurons)) / np.sqrt(8)
        return SimpleNamespace(
            overlaps=noise,
            components=0.1 + 1e-3 * rng.standard_normal((2, 500, 2)),
            r_hat={"energy": 1.0},
        )

    monkeypatch.setattr(weights, "sample_posterior", drawn)
    assert set(verdicts(weights.sampled_weights, "weights", "full").values()) == {"fail"}


def test_a_solver_may_warn_but_only_of_its_own_limits():
    def caution():
        warnings.warn("another kind", UserWarning, stacklevel=1)

    with pytest.warns(UserWarning, match="another kind"):
        tolerances.unwarned(caution)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["adapted", "convolution", "weights"])
def test_fresh_seeds_agree(name):
    report = verify.run([f"kernel_adaptation.{name}"], effort="full", rng=1)
    assert not report.crashes
    assert [
        entry.id for entry in report.comparisons if not (entry.as_expected and entry.discriminating)
    ] == []
