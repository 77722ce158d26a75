"""The checks of patterns: as expected, discriminating, and flipped by wrong costs, wrong samplers and a wrong engine."""

import json
from dataclasses import replace
from fractions import Fraction
from types import SimpleNamespace

import numpy as np
import pytest

from scalinglaws import verify
from scalinglaws.solvers import patterns as solve
from scalinglaws.theory import patterns as engine
from scalinglaws.verify.checks.patterns import (
    costs,
    events,
    networks,
    posteriors,
    tails,
    tolerances,
)
from scalinglaws.verify.registry import Context


def verdicts(check, name="mutant"):
    return [comparison.verdict for comparison in check(Context(f"patterns.{name}", "quick", 0))]


def test_every_verdict_is_as_expected(shared_report):
    report = shared_report(["patterns"])
    assert [comparison.id for comparison in report.comparisons if not comparison.as_expected] == []
    assert [
        comparison.id for comparison in report.comparisons if not comparison.discriminating
    ] == []
    assert len(report.comparisons) == 22
    for comparison in report.comparisons:  # and no measurement that is off by two tolerances passes
        scale = (
            np.abs(comparison.prediction.value) if comparison.tolerance_kind == "relative" else 1.0
        )
        for side in (-1, 1):
            value = comparison.measurement.value + side * 2 * comparison.tolerance * scale
            assert (
                replace(
                    comparison, measurement=replace(comparison.measurement, value=value)
                ).verdict
                != "pass"
            )


def test_one_neuron_instead_of_three_fails(monkeypatch):
    original = solve.specialized_cost
    monkeypatch.setattr(
        solve, "specialized_cost", lambda n, d, neurons=1: original(n, d, neurons=neurons)
    )
    assert verdicts(costs.configuration) == ["fail"] * 4


def test_a_cost_without_its_half_fails(monkeypatch):
    original = solve.optimize_configuration
    monkeypatch.setattr(
        solve, "optimize_configuration", lambda n, d, **given: original(n, 2 * d, **given)
    )
    assert set(verdicts(costs.configuration)) == {"fail"}


@pytest.mark.parametrize("degree", [1, 5])
def test_another_degree_fails(monkeypatch, degree):
    """The engine is asked about a target that is not the cubic one: other patterns cost something else, specialization does not."""
    original = engine.fully_connected
    monkeypatch.setattr(
        tolerances.patterns, "fully_connected", lambda widths, _: original(widths, degree)
    )
    found = dict(
        zip(("specialized", "gaussian", "lazy", "approach"), verdicts(costs.exponents), strict=True)
    )
    assert found["specialized"] == "pass"
    assert found["gaussian"] == found["lazy"] == found["approach"] == "fail"


def test_a_neuron_without_an_amplitude_fails(monkeypatch):
    """The rule that charges d + N for one neuron, and lets Gaussian feature learning win below."""
    original = costs.engine_exponents

    def fixed(width, degree):
        known = original(width, degree)
        return {**known, "S1(1)": max(1.0, float(width))}

    monkeypatch.setattr(costs, "engine_exponents", fixed)
    assert verdicts(costs.narrow) == ["fail", "fail", "pass"]


def test_gaussian_features_in_place_of_a_neuron_fail(monkeypatch):
    monkeypatch.setattr(
        solve, "specialized_cost", lambda n, d, neurons=1: solve.gaussian_cost(n, d)
    )
    assert verdicts(costs.narrow) == ["fail"] * 3


def test_costs_of_a_narrow_layer_are_those_of_the_table(root):
    table = json.loads((root / "tests/reference/patterns.json").read_text())["toy"]
    width, dimension = table["width"], table["dimension"]
    assert solve.specialized_cost(width, dimension).cost == pytest.approx(
        table["specialized"], abs=5e-7
    )
    assert solve.gaussian_cost(width, dimension).cost == pytest.approx(table["gaussian"], abs=0.05)
    for power, slope in table["slopes"]:
        d = np.array([1e10, 1e12])
        first, last = solve.specialized_cost(np.rint(d ** float(Fraction(power))), d).cost
        assert np.log10(last / first) / 2 == pytest.approx(slope, abs=5e-5)
    # the limit of narrow layers, 2 d^(3/4) N^(1/4): corrections are of order (N/d)^(1/4)
    assert solve.specialized_cost(1, 1e24).cost / 1e18 == pytest.approx(
        table["narrow_limit"], rel=1e-5
    )


def test_another_width_fails(monkeypatch):
    original = engine.fully_connected
    monkeypatch.setattr(
        tolerances.patterns, "fully_connected", lambda _, degree: original((2,), degree)
    )
    found = verdicts(costs.exponents)
    assert found[:2] == ["fail", "fail"]
    assert found[2] == "pass"


@pytest.mark.filterwarnings("ignore:log_tail")
def test_a_sampler_that_misses_jumps_fails(monkeypatch):
    """As a plain tilt does; the lattice stays what it is."""
    original = solve.log_tail

    def mutated(n, s, method="lattice", **given):
        return original(n, s, "tilt" if method == "importance" else method, **given)

    monkeypatch.setattr(solve, "log_tail", mutated)
    assert verdicts(tails.tail) == ["fail"]


def test_another_transition_fails(monkeypatch):
    """Too high by a tenth; the spinodal, which is lower by as much, is the rival."""
    monkeypatch.setattr(solve, "TRANSITION", 1.1 * solve.TRANSITION)
    assert verdicts(tails.transition) == ["fail"]


@pytest.mark.parametrize("mutate", [lambda n, d: (n, 1.1 * d), lambda n, d: (2 * n, d)])
def test_another_mean_field_rate_fails(monkeypatch, mutate):
    original = solve.alignment_rate
    monkeypatch.setattr(solve, "alignment_rate", lambda n, d: original(*mutate(n, d)))
    assert verdicts(tails.alignment)[0] == "fail"


def changed_law(monkeypatch, module, name, change):
    """Let a law of another model stand for one."""
    original = module.law
    monkeypatch.setattr(
        module, "law", lambda asked: change(original(asked)) if asked == name else original(asked)
    )


def test_rare_networks_reject_other_exponents(monkeypatch):
    """The law of a linear target, whose exponent is half of what aligned networks cost, and a cost that grows as in narrow layers."""
    assert verdicts(events.rare_networks) == ["pass", "pass"]

    class Wrong:
        name = "wrong"

        def __call__(self, *, n):
            return 0.5 * (1 + n) + 0.1

    changed_law(monkeypatch, events, "patterns.two_layer", lambda _: Wrong())
    assert verdicts(events.rare_networks) == ["fail", "fail"]


def test_networks_that_do_not_specialize_fail(monkeypatch):
    """Weights of the prior: what is drawn is then the lazy network, whose cost grows as the third power."""

    def lazy(n, d, *, rng, **given):
        cost = float(solve.gaussian_cost(n, d, inflation=1).cost)
        return SimpleNamespace(cost=cost * (1 + 0.01 * rng.standard_normal()))

    monkeypatch.setattr(events, "anneal_alignment", lazy)
    assert verdicts(events.rare_networks) == ["fail", "fail"]


def test_filters_reject_one_channel(monkeypatch):
    """In the simulation each patch has its own filters when their number is taken for that of the patches."""
    original = events.anneal_alignment
    monkeypatch.setattr(
        events,
        "anneal_alignment",
        lambda n, d, patches, **given: original(n, d * patches, **given),
    )
    assert verdicts(events.rare_filters) == ["pass"]  # the product of both is what counts
    monkeypatch.setattr(
        events,
        "anneal_alignment",
        lambda n, d, patches, **given: original(n, d, patches=1, **given),
    )
    assert verdicts(events.rare_filters) == ["fail"]


def test_a_head_with_another_overlap_fails(monkeypatch):
    original = posteriors.head_overlap
    monkeypatch.setattr(
        posteriors,
        "head_overlap",
        lambda coupling, length, **given: original(coupling, length, **given) / length**0.5,
    )
    assert verdicts(posteriors.reading_head) == ["fail", "fail"]


def test_a_bound_without_its_prefactor_fails(monkeypatch):
    original = posteriors.weigh_networks
    monkeypatch.setattr(
        posteriors,
        "weigh_networks",
        lambda bits, noise, **given: original(bits, noise=1.0, **given),
    )
    assert verdicts(posteriors.weighed_networks)[1] == "fail"


@pytest.mark.slow
def test_numbers_and_costs_of_specialized_neurons(monkeypatch):
    assert verdicts(events.specialization) == ["pass", "pass"]
    original = solve.alignment_rate
    monkeypatch.setattr(solve, "alignment_rate", lambda n, d: original(n, 2 * d))
    assert verdicts(events.specialization) == ["fail", "fail"]


def posterior(rng, dimension, neurons, *, specialized, variance):
    """Overlaps of a pattern that is put in by hand."""
    overlaps = np.sqrt(variance) * rng.standard_normal((2, 200, neurons))
    overlaps[..., :specialized] += 1.7
    return SimpleNamespace(
        overlaps=overlaps,
        specialized=lambda beyond: np.sum(np.abs(overlaps) > beyond, axis=-1).astype(float),
    )


@pytest.mark.parametrize(
    ("narrow", "wide", "expected"),
    [
        ((1, 1 / 6), (0, 1 / 2), ["pass", "pass"]),
        ((0, 1 / 6), (17, 1 / 2), ["fail", "fail"]),  # each as the other
        ((0, 0.5), (0, 1.0), ["fail", "fail"]),  # all neurons inflated alike
    ],
)
def test_patterns_put_in_by_hand(monkeypatch, narrow, wide, expected):
    def drawn(samples, *, dimension, neurons, rng, **given):
        specialized, variance = narrow if dimension == 6 else wide
        return posterior(rng, dimension, neurons, specialized=specialized, variance=variance)

    monkeypatch.setattr(networks, "teacher_posterior", drawn)
    assert verdicts(networks.network) == expected


def test_an_engine_with_the_winners_exchanged_fails(monkeypatch):
    monkeypatch.setattr(
        networks,
        "teacher_posterior",
        lambda samples, *, dimension, neurons, rng, **given: posterior(
            rng, dimension, neurons, specialized=int(dimension == 6), variance=1 / dimension
        ),
    )
    original = engine.fully_connected
    monkeypatch.setattr(
        networks.engine,
        "fully_connected",
        lambda widths, degree: original((1,) if widths == (6,) else (6,), degree),
    )
    assert verdicts(networks.network) == ["fail", "fail"]


@pytest.mark.slow
def test_sampled_networks_specialize_and_stay_lazy():
    report = verify.run(["patterns.network"], effort="full", rng=1)
    assert [
        comparison.id
        for comparison in report.comparisons
        if not (comparison.as_expected and comparison.discriminating)
    ] == []
