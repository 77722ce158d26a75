"""The checks that put laws of feature learning against simulated networks: as expected, and flipped by wrong laws."""

import numpy as np
import pytest

from scalinglaws import verify
from scalinglaws.theory.formula import Law
from scalinglaws.verify.checks.feature_learning import simulated_flow, simulated_networks
from scalinglaws.verify.registry import Context

from ..mutations import verdicts

QUICK = {
    "simulated_time": simulated_flow.simulated_exponents,
    "simulated_kernel_scale": simulated_flow.simulated_growth,
    "simulated_prefactor": simulated_flow.simulated_constant,
    "simulated_bootstrap": simulated_flow.simulated_insertions,
    "simulated_crossover": simulated_flow.simulated_departure,
    "simulated_network": simulated_networks.simulated_layers,
    "simulated_compute": simulated_networks.simulated_frontier,
}
FULL = {
    "simulated_transient": simulated_networks.simulated_addition,
    "simulated_sizes": simulated_networks.simulated_ends,
}


@pytest.fixture
def another_source(monkeypatch, name):
    """Ask the laws for beta + 0.1; the widths that are best at a budget depend on beta less."""
    shift = 0.4 if name == "simulated_compute" else 0.1
    for method in ("__call__", "asymptote"):
        original = getattr(Law, method)

        def mutated(self, *args, original=original, **values):
            return original(self, *args, **{**values, "beta": values["beta"] + shift})

        monkeypatch.setattr(Law, method, mutated)


@pytest.mark.parametrize("name", QUICK)
def test_verdicts_are_as_expected(name):
    found = [*QUICK[name](Context(f"feature_learning.{name}", "quick", 0))]
    assert [entry.id for entry in found if not entry.as_expected] == []
    assert [entry.id for entry in found if not entry.discriminating] == []
    assert {entry.evidence for entry in found} == {"simulation"}


@pytest.mark.parametrize("name", QUICK)
def test_another_source_fails(another_source, name):
    found = verdicts(QUICK[name], f"feature_learning.{name}")
    if name == "simulated_kernel_scale":  # bounded for every easy task
        assert found.pop("beta-1.25") == "pass"
    assert "pass" not in found.values()


def test_the_lowest_of_parabolas_is_found_where_it_is():
    widths, centers = np.log([5.0, 8, 12, 18, 27, 40]), np.log([9.0, 16.0, 24.0])
    losses = 0.3 * (widths[:, None] - centers) ** 2 - 1
    lowest, where = simulated_networks._lowest(widths, losses)
    np.testing.assert_allclose(lowest, -1, atol=1e-12)
    np.testing.assert_allclose(where, centers, rtol=1e-10)


def test_the_frontier_of_two_powers_has_the_exponents_of_their_balance():
    """N^-1 + (C/N)^-1/2: the best width is C^(1/3) times a constant."""
    widths, budgets = np.geomspace(3, 3000, 25), np.geomspace(1e3, 1e5, 5)
    loss = 1 / widths[:, None] + (budgets / widths[:, None]) ** -0.5
    rows = loss * (1 + 1e-6 * np.random.default_rng(0).standard_normal((4, 25, 5)))
    for label, wanted in (("loss", 1 / 3), ("size", 1 / 3), ("time", 2 / 3)):
        found = simulated_networks._frontier(rows, widths, budgets, label, "test")
        assert found.value == pytest.approx(wanted, abs=3e-3)
        assert found.df == 3
        assert found.se < 1e-4


@pytest.mark.slow
@pytest.mark.parametrize("name", [*QUICK, *FULL])
def test_full_effort(name):
    report = verify.run([f"feature_learning.{name}"], effort="full", rng=1)
    assert [entry.id for entry in report.comparisons if not entry.as_expected] == []
    assert all(entry.discriminating for entry in report.comparisons)


@pytest.mark.slow
@pytest.mark.parametrize("name", [*FULL, "simulated_compute"])
def test_another_source_fails_in_full(another_source, name):
    found = verdicts({**FULL, **QUICK}[name], f"feature_learning.{name}", "full")
    if (
        name == "simulated_sizes"
    ):  # features limit an easy task with an exponent that does not depend on beta
        assert found.pop("features") == "pass"
    assert "pass" not in found.values()
