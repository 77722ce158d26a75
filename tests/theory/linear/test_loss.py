"""The sum of all terms of the loss: its limits, its parts, and where it is refused."""

import numpy as np
import pytest
import sympy as sp

from scalinglaws import theory
from scalinglaws.errors import DomainError
from scalinglaws.solvers import PowerLawSpectrum, linear
from scalinglaws.theory.linear import JointlyLimited, derive_loss

EASY = {"alpha": 2.5, "beta": 2.5}


@pytest.fixture(scope="module")
def law():
    return theory.law("linear.loss")


def test_the_derivation_holds(law):
    assert all(found.passed for found in law.derivation.check())


def test_with_plenty_of_all_else_only_time_is_left(law):
    t = np.array([1e3, 1e5])
    assert law(**EASY) == 2.5
    for form, more in (("flow", {"P": 1e16}), ("online", {"B": 1e9, "eta": 0.1})):
        found = law.evaluate(form, t=t, N=1e14, **more, alpha=1.5, beta=0.5)
        alone = theory.law("linear.time").asymptote(t, alpha=1.5, beta=0.5)
        np.testing.assert_allclose(found, alone, rtol=1e-3)


@pytest.mark.parametrize(("name", "resource"), [("model", "N"), ("data", "P")])
def test_where_one_resource_is_short_its_own_law_is_left(law, name, resource):
    sizes = {"N": 1e8, "P": 1e8, resource: 100.0}
    found = law.evaluate("flow", t=1e16, **sizes, alpha=2, beta=0.5)
    alone = theory.law(f"linear.{name}").asymptote(100.0, alpha=2, beta=0.5)
    assert found == pytest.approx(float(alone), rel=1e-3)


@pytest.mark.parametrize(
    ("t", "sizes"),
    [
        (1e5, {"features": 1e12}),  # the transient of features, long before N^alpha
        (1e5, {"samples": 1e12}),  # the transient of samples
        (1e14, {"features": 1e3, "samples": 1e5}),  # what both cost together
    ],
)
def test_each_term_is_right_where_it_decides(law, t, sizes):
    task = PowerLawSpectrum(**EASY)
    every = {"features": 1e16, "samples": 1e18} | sizes
    found = law.evaluate("flow", t=t, N=every["features"], P=every["samples"], **EASY)
    solved = linear.gradient_flow(t, task, **every).test_loss
    assert found == pytest.approx(float(solved), rel=0.1)


def test_noise_of_small_batches_is_right_where_it_decides(law):
    task = PowerLawSpectrum(**EASY)
    solved = linear.online_sgd(10**7, task, batch=2, learning_rate=0.01, features=1e12).test_loss
    found = law.evaluate("online", t=1e5, N=1e12, B=2, eta=0.01, **EASY)
    assert found == pytest.approx(float(solved), rel=0.1)


@pytest.mark.parametrize("change", [{"N": 100.0}, {"beta": 1.0}, {"beta": 2.0}])
def test_where_a_term_has_no_constant_the_sum_is_refused(law, change):
    with pytest.raises(DomainError, match=r"linear\.loss"):
        law.evaluate("flow", **({"t": 1e3, "N": 10.0, "P": 100.0, **EASY} | change))


def test_other_tasks_are_derived_alike():
    found = derive_loss(JointlyLimited(spectrum_exponent=2, signal_exponent=4))
    assert found.expr == sp.Rational(3, 2)
    assert {"flow", "online"} == set(found.forms)
    with pytest.raises(DomainError, match="model"):
        derive_loss("a task")
    with pytest.raises(DomainError, match="logarithm"):
        derive_loss(JointlyLimited(spectrum_exponent=2, signal_exponent=3))
