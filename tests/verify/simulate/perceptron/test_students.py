"""Students of largest stability, and students at random that make no error: against other algorithms, the theory and refusals."""

import math

import numpy as np
import pytest
from scipy.optimize import minimize

from scalinglaws.errors import ConvergenceError, DomainError, ResourceError
from scalinglaws.solvers import perceptron as solve
from scalinglaws.verify.simulate.perceptron import _fixed_norm as fixed
from scalinglaws.verify.simulate.perceptron import _stability as stability
from scalinglaws.verify.simulate.perceptron import _version_space as module
from scalinglaws.verify.simulate.perceptron import fixed_norm, max_stability, version_space
from scalinglaws.verify.simulate.perceptron._teacher import angle_over_pi, tasks


def drawn(alpha, size, seed=0):
    (task,) = tasks(np.random.default_rng(seed), 1, round(alpha * size), size, "gaussian")
    return task


def test_the_most_stable_student_is_that_of_another_method():
    signed, _ = drawn(4, 12)
    student, smallest, bound = stability.most_stable(signed)
    other = minimize(
        lambda w: w @ w,
        student,
        jac=lambda w: 2 * w,
        method="SLSQP",
        constraints=[{"type": "ineq", "fun": lambda w: signed @ w - 1, "jac": lambda w: signed}],
        options={"ftol": 1e-14},
    ).x
    assert angle_over_pi(student, other) < 1e-6
    assert smallest == pytest.approx(math.sqrt(12) / np.linalg.norm(other), rel=1e-6)
    assert smallest == pytest.approx(bound, rel=1e-9)
    assert np.linalg.norm(student) == pytest.approx(math.sqrt(12))


def test_the_most_stable_student_is_the_minimizer_at_a_large_norm():
    found = max_stability(4, inputs=30, draws=3)
    path = fixed_norm([1, 10, 100, 1000, 1e4], alpha=4, inputs=30, draws=3)
    np.testing.assert_allclose(path.error[:, -1], found.error, rtol=1e-3)


def test_stabilities_and_errors_agree_with_the_replica_equations():
    found, theory = max_stability(4, inputs=60, draws=40, rng=1), solve.max_stability(4)
    for measured, expected in ((found.error, theory.error), (found.stability, theory.stability)):
        spread = measured.std(ddof=1) / math.sqrt(40)
        assert abs(measured.mean() - expected) < 3 * spread + 0.02 * expected


def test_students_are_those_that_rejection_accepts():
    """Three inputs and six samples: directions drawn blindly, and kept if they make no error."""
    signed, _ = drawn(2, 3)
    center = stability.most_stable(signed)[0]
    chains = module.Billiard(signed, center, np.random.default_rng(1)).students(4000)
    assert np.all(chains @ signed.T > -1e-12)
    blind = np.random.default_rng(2).standard_normal((400_000, 3))
    blind = blind[np.all(blind @ signed.T > 0, axis=1)]
    blind /= np.linalg.norm(blind, axis=1)[:, None]
    assert len(blind) > 2000
    np.testing.assert_allclose(chains.mean(axis=(0, 1)), blind.mean(axis=0), atol=0.01)
    both = chains.reshape(-1, 3)
    np.testing.assert_allclose(both.T @ both / len(both), blind.T @ blind / len(blind), atol=0.01)


def test_the_teacher_is_one_of_the_students():
    """Angles to the teacher and to students have the same mean, which is that of the theory but for 1/N."""
    found = version_space(4, inputs=24, students=40, draws=120, rng=3)
    for to_teacher, expected, theory in (
        (found.error, found.expected_error, solve.bayes(4)),
        (found.single_error, found.expected_single_error, solve.gibbs(4)),
        (found.stable_error, found.expected_stable_error, solve.max_stability(4)),
    ):
        apart = to_teacher - expected
        assert abs(apart.mean()) < 3 * apart.std(ddof=1) / math.sqrt(120)
        assert expected.std() < 0.9 * to_teacher.std()
        spread = expected.std(ddof=1) / math.sqrt(120)
        assert abs(expected.mean() - theory.error) < 3 * spread + theory.error / 24
    assert np.all(found.r_hat < 1.1)


def test_the_center_votes_like_the_students():
    signed, teacher = drawn(4, 40)
    center = stability.most_stable(signed)[0]
    students = module.Billiard(signed, center, np.random.default_rng(0)).students(400)[:, 10:]
    students = students.reshape(-1, 40)
    inputs = np.random.default_rng(1).standard_normal((20_000, 40))
    vote = np.sign(np.sign(inputs @ students.T).sum(axis=1))
    error = float(np.mean(vote != np.sign(inputs @ teacher)))
    assert error == pytest.approx(angle_over_pi(students.mean(axis=0), teacher), abs=0.01)


def test_draws_do_not_depend_on_their_number():
    for simulated in (max_stability, version_space):
        few, many = (simulated(3, inputs=8, draws=draws, rng=4) for draws in (2, 3))
        np.testing.assert_array_equal(few.error, many.error[:2])
    few_samples = version_space(0.01, inputs=100, students=40)
    assert few_samples.error[0] == pytest.approx(0.5, abs=0.2)


@pytest.mark.parametrize("simulated", [max_stability, version_space])
@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        ({"alpha": 0}, "alpha = 0 must"),
        ({"inputs": 1}, "inputs = 1 must"),
        ({"distribution": "ternary"}, "distribution"),
        ({"draws": 0}, "draws = 0 must"),
    ],
)
def test_refusals(simulated, arguments, complaint):
    with pytest.raises(DomainError, match=complaint):
        simulated(**{"alpha": 2, "inputs": 20, **arguments})


def test_more_refusals(monkeypatch):
    with pytest.raises(DomainError, match="students = 19 must"):
        version_space(2, students=19)
    monkeypatch.setenv("SCALINGLAWS_MEMORY", "10MB")
    with pytest.raises(ResourceError, match="one draw would hold"):
        version_space(100, inputs=40)


def test_what_is_not_reached_is_told(monkeypatch):
    monkeypatch.setattr(module, "_BOUNCES", 0)
    with pytest.raises(ConvergenceError, match="a flight has not ended after 0 reflections"):
        version_space(8, inputs=10)
    monkeypatch.undo()
    monkeypatch.setattr(module, "_FLIGHT", 0.01)
    with pytest.raises(ConvergenceError, match="version_space: .*; use more students"):
        version_space(8, inputs=10, students=20)
    monkeypatch.setattr(stability, "_GAP", -1.0)
    with pytest.raises(ConvergenceError, match="largest stability is not reached"):
        max_stability(2, inputs=10)


@pytest.mark.parametrize("loss", ["logistic", "exponential"])
def test_newton_and_l_bfgs_find_the_same_minimum(loss, monkeypatch):
    given = {"norm": [0.01, 0.5, 3, 30], "alpha": 3, "inputs": 30, "loss": loss, "draws": 2}
    newton = fixed_norm(**given)
    monkeypatch.setattr(fixed, "_DENSE", 0)
    np.testing.assert_allclose(fixed_norm(**given).error, newton.error, rtol=1e-5)
    signed, _ = drawn(3, 30)
    monkeypatch.undo()
    # a norm at which all forces but one are below rounding: the Hessian is singular, or L-BFGS goes on
    hard = fixed.minimizer(signed, stability.most_stable(signed)[0], 1e6, loss)
    assert angle_over_pi(hard, stability.most_stable(signed)[0]) < 1e-4
