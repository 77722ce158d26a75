"""Bounds for every data set: known values, data sets that try to break them, exact inequalities, limits."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize_scalar
from scipy.special import log_ndtr

from scalinglaws.errors import AccuracyWarning, DomainError
from scalinglaws.solvers.kernels import erf_nngp
from scalinglaws.solvers.learnability import (
    CrossDatasetBound,
    PosteriorBound,
    alignment_cost,
    arcsine_sphere_eigenvalue,
    cross_dataset_bound,
    posterior_bound,
)


@pytest.fixture(scope="module")
def known(reference):
    return reference("learnability")


def log_posterior(gram, mode, eigenvalue, targets, ridge, alignment):
    """Return ln P(A >= alpha | D) of a Gaussian process, A being the population's mean of f times a mode.

    Under the prior A has the variance of the eigenvalue, and its covariance with f on the data is eigenvalue * mode.
    """
    solved = np.linalg.solve(gram + ridge * np.eye(len(gram)), np.stack([targets, mode], axis=1))
    mean, explained = eigenvalue * (mode @ solved)
    spread = math.sqrt(eigenvalue - eigenvalue * explained)
    return float(log_ndtr((mean - alignment) / spread))


def exponent_of_evidence(gram, targets, ridge, p):
    """Return E_p by determinant and inverse."""
    n = len(gram)
    logs = np.linalg.slogdet(np.eye(n) + p * gram / ridge)[1]
    form = targets @ np.linalg.solve(p * gram + ridge * np.eye(n), targets)
    return 0.5 * logs + 0.5 * p * form


def test_known_values(known, digits):
    for row in known["posterior"]:
        k, rows = row["mode"], slice(0, row["samples"])
        gram, mode, value = digits.gram[rows, rows], digits.modes[rows, k], digits.eigenvalues[k]
        cost = alignment_cost(value, row["alignment"])
        found = posterior_bound(gram, mode, ridge=row["ridge"], cost=cost)
        exact = log_posterior(gram, mode, value, mode, row["ridge"], row["alignment"])
        assert exact == pytest.approx(row["log_probability"], abs=1e-8)
        assert found.jensen == pytest.approx(row["jensen"], abs=1e-8)
        assert found.evidence == pytest.approx(row["evidence"], abs=1e-8)
        assert exact <= found.best <= found.hoelder <= found.evidence


def test_three_hundred_subsets_do_not_break_the_bounds(digits):
    rng = np.random.default_rng(0)
    n = len(digits.gram)
    for _ in range(300):
        rows = rng.integers(n, size=rng.integers(1, 60))
        k = int(rng.integers(80))
        ridge, alignment = 10 ** rng.uniform(-3, 1), rng.uniform(0.1, 1.5)
        gram, mode, value = (
            digits.gram[np.ix_(rows, rows)],
            digits.modes[rows, k],
            digits.eigenvalues[k],
        )
        targets = mode if rng.random() < 0.7 else rng.normal(size=rows.size)
        cost = alignment_cost(value, alignment)
        found = posterior_bound(gram, targets, ridge=ridge, cost=cost)
        exact = log_posterior(gram, mode, value, targets, ridge, alignment)
        assert exact <= found.best + 1e-9 * max(1.0, cost)
        assert found.best == min(found.hoelder, found.jensen)
        assert found.hoelder <= min(0.0, found.evidence) + 1e-9
        assert found.evidence <= found.jensen + 1e-9


@given(st.integers(0, 2**32 - 1), st.integers(1, 6), st.floats(1e-2, 1e2), st.floats(0.0, 30.0))
@settings(max_examples=60)
def test_bounds_of_any_covariance(seed, n, ridge, alignment):
    """An event on a linear functional of the process, of any covariance with the data."""
    rng = np.random.default_rng(seed)
    root = rng.standard_normal((n + 1, n + 1)) * 10 ** rng.uniform(-1, 1, size=(n + 1, 1))
    joint = root @ root.T
    gram, cross, variance = joint[:n, :n], joint[:n, n], joint[n, n]
    y = rng.standard_normal(n) * 10 ** rng.uniform(-1, 1)
    solved = np.linalg.solve(gram + ridge * np.eye(n), np.stack([y, cross], axis=1))
    mean, explained = cross @ solved
    exact = log_ndtr((mean - alignment) / math.sqrt(variance - explained))
    cost = -float(log_ndtr(-alignment / math.sqrt(variance)))
    found = posterior_bound(gram, y, ridge=ridge, cost=cost)
    assert exact <= found.best + 1e-9 * max(1.0, cost)
    assert found.best <= 0


def test_any_exponent_bounds_and_the_best_one_is_the_best():
    rng = np.random.default_rng(1)
    x = rng.standard_normal((7, 20))
    gram, y = x @ x.T / 20, rng.standard_normal(7)
    powers = np.array([1.0, 1.001, 1.5, 2.0, 7.0, 1e4, 1e9, math.inf])
    for cost in (0.1, 3.0, 10.0, 40.0):
        by_power = posterior_bound(gram, y, ridge=0.3, cost=cost, exponents=powers)
        first = exponent_of_evidence(gram, y, 0.3, 1.0)
        plain = [
            -(1 - 1 / p) * cost + first - exponent_of_evidence(gram, y, 0.3, p) / p
            for p in powers[:-1]
        ]
        assert by_power.hoelder[:-1] == pytest.approx(plain, rel=1e-10, abs=1e-10)
        assert by_power.hoelder[-1] == by_power.evidence[-1]
        assert by_power.exponent.tolist() == powers.tolist()
        best = posterior_bound(gram, y, ridge=0.3, cost=cost)
        assert np.all(best.hoelder <= by_power.hoelder + 1e-12)

        def bound(x, cost=cost, first=first):
            p = 1 / x
            return -(1 - x) * cost + first - x * exponent_of_evidence(gram, y, 0.3, p)

        searched = minimize_scalar(
            bound, bounds=(1e-6, 1), method="bounded", options={"xatol": 1e-9}
        )
        assert best.hoelder == pytest.approx(min(searched.fun, 0.0), rel=1e-8, abs=1e-8)


def test_targets_out_of_reach_of_the_prior():
    """A Gram matrix without full rank: what no function of the prior fits counts in every likelihood."""
    gram, y, ridge = np.diag([2.0, 0.0]), np.array([0.4, 3.0]), 0.5
    found = posterior_bound(gram, y, ridge=ridge, cost=40.0)
    without = posterior_bound(gram[:1, :1], y[:1], ridge=ridge, cost=40.0)
    # the exponent ends before an eigenvalue within rounding of 0 would matter
    assert without.hoelder <= found.hoelder < without.hoelder + 1e-4
    assert found.evidence == pytest.approx(without.evidence + y[1] ** 2 / (2 * ridge), rel=1e-12)
    limit = posterior_bound(gram, y, ridge=ridge, cost=40.0, exponents=math.inf)
    assert limit.hoelder == pytest.approx(limit.evidence - y[1] ** 2 / (2 * ridge), rel=1e-12)


def test_costs_are_elements():
    gram, y = np.array([[1.0, 0.3], [0.3, 2.0]]), np.array([1.0, -1.0])
    costs = np.array([[0.0, 1.0], [5.0, 100.0]])
    found = posterior_bound(gram, y, ridge=0.5, cost=costs)
    assert found.best.shape == (2, 2)
    for at in np.ndindex(2, 2):
        alone = posterior_bound(gram, y, ridge=0.5, cost=costs[at])
        assert alone.best == found.best[at]
        assert alone.exponent == found.exponent[at]
    assert found.best[0, 0] == 0  # a certain event
    assert found.exponent[0, 0] == 1


def test_a_network_of_finite_width():
    """Two hidden linear weights and a Gaussian readout: bounds by an average over 4000 weights, events by importance."""
    rng = np.random.default_rng(2)
    x = rng.standard_normal((4, 3))
    y = x[:, 0]
    width, ridge, draws = 2, 0.4, 4000
    w = rng.standard_normal((draws, width, 3)) / math.sqrt(3)
    h = np.einsum("dwk,nk->dnw", w, x)
    kernels = h @ h.transpose(0, 2, 1) / width
    prior = x @ x.T / 3  # E Q
    solved = np.linalg.solve(kernels + ridge * np.eye(4), y)
    form = solved @ y
    quadratic = form.mean()
    logs = np.linalg.slogdet(np.eye(4) + kernels / ridge)[1]
    likelihood = np.exp(-0.5 * form - 0.5 * logs)
    # the event: the effective weight along the target exceeds 1; given W it is Gaussian
    g = w[:, :, 0] / math.sqrt(width)
    mean = np.einsum("dw,dnw,dn->d", g, h / math.sqrt(width), solved)
    inner = np.linalg.solve(
        kernels + ridge * np.eye(4), np.einsum("dnw,dw->dn", h / math.sqrt(width), g)[..., None]
    )[..., 0]
    variance = (g**2).sum(1) - np.einsum("dn,dnw,dw->d", inner, h / math.sqrt(width), g)
    for alignment in (0.5, 1.5, 3.0):
        tail = log_ndtr(-alignment / np.sqrt((g**2).sum(1)))
        cost = -math.log(np.exp(tail).mean())
        posterior = np.exp(log_ndtr((mean - alignment) / np.sqrt(variance)))
        exact = math.log((likelihood @ posterior) / likelihood.sum())
        found = posterior_bound(prior, y, ridge=ridge, cost=cost, quadratic=quadratic)
        assert exact <= found.best
        assert found.best == min(found.evidence, found.jensen, 0.0)
        assert found.hoelder == found.evidence
        assert found.exponent == math.inf
        assert found.evidence <= found.jensen + 1e-12
    gaussian = y @ np.linalg.solve(prior + ridge * np.eye(4), y)
    assert gaussian <= quadratic * 1.01  # the form is convex in the kernel
    plain = posterior_bound(prior, y, ridge=ridge, cost=9.0)
    same = posterior_bound(prior, y, ridge=ridge, cost=9.0, quadratic=gaussian)
    assert same.evidence == pytest.approx(plain.evidence, rel=1e-12)


def test_costs_of_alignments():
    assert alignment_cost(0.3, 0.0) == pytest.approx(math.log(2), rel=1e-15)
    assert alignment_cost([1.0, 4.0], [1.0, 2.0]) == pytest.approx(
        [-math.log(math.erfc(math.sqrt(0.5)) / 2)] * 2, rel=1e-14
    )
    z = 1e6
    assert alignment_cost(1 / z**2, 1.0) == pytest.approx(
        z**2 / 2 + math.log(z * math.sqrt(2 * math.pi)), rel=1e-12
    )
    costs = alignment_cost(np.geomspace(1e-6, 10, 30), 1.0)
    assert np.all(np.diff(costs) < 0)
    with pytest.raises(DomainError, match="alignment"):
        alignment_cost(1e-280, 1e100)


def test_a_hundred_subsets_do_not_break_cross_dataset_bounds(digits, known):
    rng = np.random.default_rng(4)
    x, d = digits.inputs, digits.inputs.shape[1]
    eigenvalue = arcsine_sphere_eigenvalue(d)
    assert eigenvalue == pytest.approx(known["sphere"]["eigenvalue"], abs=1e-12)
    for _ in range(100):
        rows = rng.choice(len(x), size=rng.integers(1, 200), replace=False)
        u = rng.standard_normal((d, 3))
        psi = x[rows] @ (u / np.linalg.norm(u, axis=0))
        gram, y = digits.gram[np.ix_(rows, rows)], digits.labels[rows]
        ridge = 10 ** rng.uniform(-4, 2)
        found = cross_dataset_bound(psi, gram, y, eigenvalue=eigenvalue, ridge=ridge)
        inverse = np.linalg.inv(gram + ridge * np.eye(rows.size))
        assert found.projection == pytest.approx(
            eigenvalue * psi.T @ inverse @ y, rel=1e-7, abs=1e-12
        )
        assert np.all(np.abs(found.projection) <= found.bound * (1 + 1e-9))
        assert np.all(found.bound <= found.simple_bound * (1 + 1e-9))
        own = eigenvalue * np.diag(psi.T @ inverse @ psi)
        assert found.learnability == pytest.approx(own, rel=1e-7)
        assert np.all(found.learnability <= found.learnability_bound * (1 + 1e-9))
        assert np.all(found.learnability_bound < 1)


def test_projections_are_those_of_the_predictor():
    """A Monte Carlo average over the sphere of the predictor times a linear function."""
    rng = np.random.default_rng(5)
    d = 5
    x = rng.standard_normal((6, d)) * [2.0, 1, 1, 1, 0.1]
    x *= math.sqrt(d) / np.linalg.norm(x, axis=1, keepdims=True)
    y, u = rng.standard_normal(6), np.eye(d)[0]
    gram = erf_nngp(x, depth=1, weight_variance=1)
    found = cross_dataset_bound(x @ u, gram, y, eigenvalue=arcsine_sphere_eigenvalue(d), ridge=0.2)
    z = rng.standard_normal((100_000, d))
    z *= math.sqrt(d) / np.linalg.norm(z, axis=1, keepdims=True)
    z = np.concatenate([z, -z])  # the kernel is odd
    predictor = erf_nngp(z, x, depth=1, weight_variance=1) @ np.linalg.solve(
        gram + 0.2 * np.eye(6), y
    )
    products = (predictor * (z @ u))[:100_000]
    error = products.std() / math.sqrt(products.size)
    assert found.projection == pytest.approx(products.mean(), abs=4 * error)


def test_eigenvalues_on_spheres_add_up_to_the_kernel():
    """The trace: eigenvalues times the numbers of spherical harmonics."""
    for d in (2, 3, 5):
        total = 0.0
        for degree in range(1, 80):
            count = math.comb(degree + d - 1, d - 1) - (
                math.comb(degree + d - 3, d - 1) if degree > 1 else 0
            )
            total += count * arcsine_sphere_eigenvalue(d, degree)
        assert total == pytest.approx(2 / math.pi * math.asin(2 / 3), rel=1e-12)
    assert arcsine_sphere_eigenvalue([3, 4], 2).tolist() == [0, 0]
    wide = arcsine_sphere_eigenvalue(1e9)
    assert wide * 1e9 == pytest.approx(4 / (3 * math.pi), rel=1e-8)  # the slope at 0
    assert arcsine_sphere_eigenvalue(1e9, 999) == 0


def test_small_ridges_warn():
    x = np.linspace(-1, 1, 30)
    gram = np.exp(-((x[:, None] - x) ** 2))
    with pytest.warns(AccuracyWarning):
        posterior_bound(gram, x, ridge=1e-12, cost=1.0)
    with pytest.warns(AccuracyWarning):
        cross_dataset_bound(x, gram, x, eigenvalue=0.1, ridge=1e-12)
    assert posterior_bound(gram, x, ridge=1e-2, cost=1.0).diagnostics.status.ok


def test_results_are_kept():
    gram, y = np.eye(2), np.ones(2)
    found = posterior_bound(gram, y, ridge=1.0, cost=[1.0, 2.0])
    assert PosteriorBound.from_json(found.to_json()) == found
    cross = cross_dataset_bound(np.eye(2), gram, y, eigenvalue=[0.5, 0.2], ridge=1.0)
    assert CrossDatasetBound.from_json(cross.to_json()) == cross


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"gram": [[1.0, 0.2]]}, "gram must be square"),
        ({"gram": [[1.0, 0.2], [0.3, 1.0]]}, "symmetric"),
        ({"gram": [[1.0, 2.0], [2.0, 1.0]]}, "positive semidefinite"),
        ({"gram": [[0.0, 0.0], [0.0, 0.0]]}, "gram"),
        ({"targets": [1.0]}, "targets"),
        ({"targets": 1.0}, "targets"),
        ({"targets": [1.0, math.nan]}, "targets"),
        ({"ridge": 0.0}, "ridge"),
        ({"ridge": [1.0, 2.0]}, "ridge"),
    ],
)
def test_refusals(changed, message):
    common = {"gram": np.eye(2), "targets": [1.0, 1.0], "ridge": 1.0} | changed
    with pytest.raises(DomainError, match=message):
        posterior_bound(cost=1.0, **common)
    with pytest.raises(DomainError, match=message):
        cross_dataset_bound(features=[1.0, 1.0], eigenvalue=0.5, **common)


def test_more_refusals():
    gram, y = np.eye(2), np.ones(2)
    with pytest.raises(DomainError, match="cost"):
        posterior_bound(gram, y, ridge=1.0, cost=-1.0)
    with pytest.raises(DomainError, match="exponents"):
        posterior_bound(gram, y, ridge=1.0, cost=1.0, exponents=0.5)
    with pytest.raises(DomainError, match="Gaussian process"):
        posterior_bound(gram, y, ridge=1.0, cost=1.0, exponents=2.0, quadratic=1.0)
    with pytest.raises(DomainError, match="quadratic"):
        posterior_bound(gram, y, ridge=1.0, cost=1.0, quadratic=-1.0)
    with pytest.raises(DomainError, match="features"):
        cross_dataset_bound(np.ones(3), gram, y, eigenvalue=1.0, ridge=1.0)
    with pytest.raises(DomainError, match="eigenvalue"):
        cross_dataset_bound(np.ones((2, 3)), gram, y, eigenvalue=[1.0, 2.0], ridge=1.0)
    with pytest.raises(DomainError, match="dimension"):
        arcsine_sphere_eigenvalue(1)
    with pytest.raises(DomainError, match="dimension"):
        arcsine_sphere_eigenvalue(2.5)
    with pytest.raises(DomainError, match="degree"):
        arcsine_sphere_eigenvalue(3, -1)


def test_data_too_large_for_floats_are_refused():
    with pytest.raises(DomainError, match="ridge"):
        posterior_bound([[1.0]], [1e200], ridge=1.0, cost=1.0)
    with pytest.raises(DomainError, match="features"):
        cross_dataset_bound([1e200, 1.0], np.eye(2), [1e200, 0.0], eigenvalue=1.0, ridge=1.0)
