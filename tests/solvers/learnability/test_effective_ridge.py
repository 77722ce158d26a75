"""Effective ridge, learnabilities and learning curves: known values, identities, limits, simulation."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scalinglaws.errors import DomainError
from scalinglaws.solvers import EmpiricalSpectrum, PowerLawSpectrum, linear
from scalinglaws.solvers.learnability import (
    EffectiveRidge,
    LearningCurve,
    effective_ridge,
    learning_curve,
    samples_for_learnability,
)


@pytest.fixture(scope="module")
def known(reference):
    return reference("learnability")


eigenvalues = st.lists(st.floats(1e-6, 1e3), min_size=1, max_size=8)
ridges = st.one_of(st.just(0.0), st.floats(1e-8, 1e4))
numbers_of_samples = st.one_of(st.floats(0.0, 1.0), st.floats(1.0, 1e5))


def test_known_values(known):
    for samples, ridge, alpha, modes, kappa, first, tenth, fluctuation in known["effective_ridge"][
        "rows"
    ]:
        values = np.arange(1.0, modes + 1) ** (-1 - alpha)
        found = effective_ridge(values, samples=samples, ridge=ridge)
        assert found.kappa == pytest.approx(kappa, abs=1e-9)
        assert found.learnability[[0, 9]] == pytest.approx([first, tenth], abs=1e-9)
        assert found.fluctuation == pytest.approx(fluctuation, abs=1e-9)
        assert found.diagnostics.status.ok


def test_digits(known, digits):
    expected = known["digits"]
    spectrum = EmpiricalSpectrum.from_gram(digits.gram, digits.labels)
    assert spectrum.eigenvalues[:5] == pytest.approx(expected["eigenvalues"], abs=1e-6)
    assert spectrum.eigenvalues.sum() == pytest.approx(2 / math.pi * math.asin(2 / 3), rel=1e-12)
    assert spectrum.eigenvalues.sum() == pytest.approx(expected["trace"], abs=1e-9)
    curve = learning_curve(spectrum, samples=expected["samples"], ridge=expected["ridge"])
    assert curve.learnability == pytest.approx(expected["learnability"], abs=5e-5)
    assert curve.test_loss == pytest.approx(expected["test_loss"], abs=5e-5)


@pytest.mark.parametrize(
    "spectrum",
    [
        PowerLawSpectrum(1.5, 1.0),
        PowerLawSpectrum(0.7, 2.0, 50),
        EmpiricalSpectrum([2.0, 0.5, 0.01], [1.0, 0.2, 0.1], [1, 10, 1e6]),
    ],
    ids=["power law", "finite power law", "levels"],
)
@pytest.mark.parametrize("ridge", [0.0, 1e-12, 0.3, 1e5])
def test_the_ridge_is_the_one_of_linear_regression_without_one_over_samples(spectrum, ridge):
    samples = np.array([1.0, 7.5, 40.0, 3e4])
    found = effective_ridge(spectrum, samples=samples, ridge=ridge)
    other = linear.ridge(spectrum, samples=samples, ridge=ridge / samples)
    np.testing.assert_array_equal(found.kappa, samples * other.kappa)
    same = linear.effective_ridge(spectrum, samples=samples, ridge=ridge / samples)
    np.testing.assert_allclose(found.kappa, samples * same, rtol=1e-13)
    np.testing.assert_allclose(found.fluctuation, other.degrees_of_freedom_2 / samples, rtol=1e-13)
    np.testing.assert_allclose(
        found.learnability_of(1.0),
        [
            1 / (1 + k) if k else 1.0
            for k in np.asarray(other.kappa)  # the first mode of the power laws
        ],
        rtol=1e-14,
    )


@given(eigenvalues, numbers_of_samples, ridges)
def test_learnabilities_are_shares_that_add_up(values, samples, ridge):
    found = effective_ridge(values, samples=samples, ridge=ridge)
    learned = found.learnability
    assert np.all((learned >= 0) & (learned <= 1))
    order = np.argsort(values)
    assert np.all(np.diff(learned[order]) >= 0)
    assert 0 <= found.fluctuation <= 1 + 1e-12
    if found.kappa > 0:
        # a sum of modes nearly learned says nothing of what P (1 - ridge/kappa) leaves
        assert learned.sum() == pytest.approx(
            samples * (1 - ridge / found.kappa), rel=1e-8, abs=1e-11 * samples
        )
    else:
        assert ridge == 0
        assert samples >= len(values) * (1 - 1e-8)
    assert learned == pytest.approx(found.learnability_of(values), rel=1e-15)


@given(eigenvalues, numbers_of_samples, st.floats(1e-6, 1e4))
def test_more_samples_and_less_ridge_teach_more(values, samples, ridge):
    found = effective_ridge(
        values, samples=[[samples, 2 * samples], [samples, samples]], ridge=[[ridge], [2 * ridge]]
    ).learnability
    slack = 1e-10 * found[0, 0]
    assert np.all(found[0, 1] >= found[0, 0] - slack)
    assert np.all(found[1, 0] <= found[0, 0] + slack)


@given(eigenvalues, st.floats(1e-3, 0.999), st.floats(1e-6, 1e4))
def test_samples_for_a_learnability_give_that_learnability(values, share, ridge):
    samples = samples_for_learnability(values, ridge=ridge, learnability=share)
    assert samples.shape == (len(values),)
    found = effective_ridge(values, samples=samples, ridge=ridge)
    assert found.learnability.diagonal() == pytest.approx(np.full(len(values), share), rel=1e-9)
    half = samples_for_learnability(values, ridge=ridge)
    at_half = effective_ridge(values, samples=half, ridge=ridge).kappa
    assert half == pytest.approx(at_half / np.array(values), rel=1e-9)  # P = kappa(P)/lambda
    one_by_one = [
        samples_for_learnability(values, ridge=ridge, mode_eigenvalue=value) for value in values
    ]
    np.testing.assert_array_equal(half, one_by_one)


@given(eigenvalues, st.floats(1.0, 3.0), st.floats(1e-6, 10.0))
@settings(max_examples=30)
def test_only_ratios_of_samples_and_multiplicities_count(values, samples, ridge):
    """Fewer samples than one, with fewer modes of each kind: the equation is the same."""
    plain = EmpiricalSpectrum(values, np.ones(len(values)))
    scarce = EmpiricalSpectrum(values, np.ones(len(values)), np.full(len(values), 0.1))
    one = learning_curve(plain, samples=samples, ridge=ridge)
    tenth = learning_curve(scarce, samples=samples / 10, ridge=ridge / 10)
    assert tenth.kappa == pytest.approx(one.kappa / 10, rel=1e-11)
    assert tenth.learnability == pytest.approx(one.learnability, rel=1e-11)
    assert tenth.fluctuation == pytest.approx(one.fluctuation, rel=1e-10)
    assert tenth.test_loss == pytest.approx(one.test_loss, rel=1e-9)


def test_one_mode_is_a_quadratic_equation():
    samples = np.array([0.0, 1e-30, 1e-9, 0.4, 1.0, 3.0, 1e8])
    for ridge in (1e-9, 0.2, 50.0):
        found = effective_ridge([0.7], samples=samples, ridge=ridge)
        b = samples * 0.7 - 0.7 - ridge  # kappa^2 + b kappa - ridge P lambda = 0
        root = np.sqrt(b**2 + 4 * ridge * samples * 0.7)
        exact = np.where(b < 0, (root - b) / 2, 2 * ridge * samples * 0.7 / (np.abs(b) + root))
        assert found.kappa == pytest.approx(exact, rel=1e-12)


def test_boundaries():
    none = effective_ridge([1.0, 0.5], samples=0, ridge=0.1)
    assert none.kappa == 1.6
    assert none.fluctuation == 0
    assert none.learnability.tolist() == [0, 0]
    all_of_them = effective_ridge([1.0, 0.5], samples=[2, 3, 1e9], ridge=0)
    assert np.all(all_of_them.kappa == 0)
    assert np.all(all_of_them.learnability == 1)
    assert all_of_them.fluctuation == pytest.approx([1, 2 / 3, 2e-9])
    nothing = effective_ridge([1.0, 0.5], samples=[0, 0.5, 2], ridge=math.inf)
    assert np.all(np.isinf(nothing.kappa))
    assert np.all(nothing.learnability == 0)
    split = effective_ridge([1.0, 1.0, 0.5], samples=1.5, ridge=0.1)
    level = effective_ridge(EmpiricalSpectrum([1, 0.5], [0, 0], [2, 1]), samples=1.5, ridge=0.1)
    assert level.kappa == pytest.approx(split.kappa, rel=1e-14)
    assert level.learnability == pytest.approx(split.learnability, rel=1e-14)
    shuffled = effective_ridge([0.5, 1.0, 1.0], samples=1.5, ridge=0.1)
    assert shuffled.learnability[0] == pytest.approx(split.learnability[2], rel=1e-14)
    one = samples_for_learnability([1.0, 0.5], ridge=[0.0, 0.1], learnability=1.0)
    assert one.tolist() == [[2, 2], [math.inf, math.inf]]
    assert samples_for_learnability([1.0, 0.5], ridge=0.1, learnability=0).tolist() == [0, 0]
    with pytest.raises(DomainError, match="infinitely many modes"):
        _ = effective_ridge(PowerLawSpectrum(2, 1), samples=3, ridge=0.1).learnability


def test_no_jump_where_samples_are_few():
    values = np.arange(1, 21.0) ** -2
    for there in (1.0, 1e-17):
        below, above = (
            effective_ridge(values, samples=there * (1 + side * 1e-9), ridge=0.1)
            for side in (-1, 1)
        )
        assert above.kappa == pytest.approx(below.kappa, rel=1e-8)
        assert above.fluctuation == pytest.approx(below.fluctuation, rel=1e-8)
        assert above.learnability == pytest.approx(below.learnability, rel=1e-8)


def test_huge_eigenvalues_and_noise_where_samples_are_next_to_none():
    found = effective_ridge([1e200, 5e199], samples=[0, 1e-18], ridge=1.0)
    assert found.fluctuation == pytest.approx([0, 1e-18 * 1.25 / 2.25], rel=1e-12, abs=0)
    curve = learning_curve(
        EmpiricalSpectrum([1.0, 0.5], [1.0, 1.0]),
        samples=[0, 1e-18, 2e-17],
        ridge=0.1,
        noise_variance=1e30,
    )
    each = 1e30 * 1.25 / 1.6**2
    assert curve.test_loss == pytest.approx([2, 1e-18 * each, 2e-17 * each], rel=1e-11)


@pytest.mark.parametrize("samples", [0.0, 0.3, 5.0, 80.0])
@pytest.mark.parametrize("ridge", [1e-3, 0.5])
def test_learning_curves_are_plain_sums(samples, ridge):
    spectrum = PowerLawSpectrum(1.4, 0.6, 60)
    values, power = spectrum.explicit()
    curve = learning_curve(
        spectrum, samples=samples, ridge=ridge, noise_variance=0.3, unlearnable=0.2
    )
    own = effective_ridge(values, samples=samples, ridge=ridge)
    learned = own.learnability
    assert curve.kappa == pytest.approx(own.kappa, rel=1e-12)
    assert curve.learnability == pytest.approx(power @ learned / (power.sum() + 0.2), rel=1e-12)
    gamma = learned @ learned / samples if samples else 0.0
    loss = (power @ (1 - learned) ** 2 + 0.2 + gamma * 0.3) / (1 - gamma)
    assert curve.fluctuation == pytest.approx(gamma, rel=1e-11)
    assert curve.test_loss == pytest.approx(loss, rel=1e-11)


def test_power_outside_of_all_modes_is_that_of_modes_without_variance():
    values, power = [1.0, 0.3, 1e-12], [0.5, 0.2, 0.4]
    arguments = {"samples": [0.5, 3.0, 20.0], "ridge": 0.1, "noise_variance": 0.2}
    with_mode = learning_curve(EmpiricalSpectrum(values, power), **arguments)
    rest = learning_curve(EmpiricalSpectrum(values[:2], power[:2]), unlearnable=0.4, **arguments)
    assert rest.learnability == pytest.approx(with_mode.learnability, rel=1e-9)
    assert rest.test_loss == pytest.approx(with_mode.test_loss, rel=1e-9)


def test_regression_on_gaussian_features_learns_as_much():
    """Sixty data sets: mean coefficients of exact regression, within four standard errors and 1/P."""
    generator = np.random.default_rng(3)
    values = np.arange(1, 101.0) ** -1.5
    samples, ridge, draws = 40, 0.1, 60
    found = []
    for _ in range(draws):
        phi = generator.standard_normal((samples, values.size))
        gram = (phi * values) @ phi.T
        inverse = np.linalg.inv(gram + ridge * np.eye(samples))
        found.append(values * np.einsum("ik,ij,jk->k", phi, inverse, phi))
    mean, error = np.mean(found, axis=0), np.std(found, axis=0) / math.sqrt(draws)
    learned = effective_ridge(values, samples=samples, ridge=ridge).learnability
    assert np.all(np.abs(mean - learned)[:20] < 4 * error[:20] + learned[:20] / samples)


def test_results_are_kept(tmp_path):
    found = effective_ridge(PowerLawSpectrum(2, 1), samples=[3, 5], ridge=0.1)
    assert EffectiveRidge.from_json(found.to_json()) == found
    listed = effective_ridge([1.0, 0.5], samples=3, ridge=0.1)
    assert EffectiveRidge.load(listed.save(tmp_path / "ridge.npz")) == listed
    curve = learning_curve(PowerLawSpectrum(2, 1), samples=3, ridge=0.1)
    assert LearningCurve.from_json(curve.to_json()) == curve


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"samples": -1, "ridge": 0.1}, r"samples = -1.* >= 0"),
        ({"samples": math.inf, "ridge": 0.1}, "samples = inf"),
        ({"samples": 3, "ridge": -0.1}, r"ridge = -0.1"),
        ({"samples": [1, 2], "ridge": [1, 2, 3]}, "do not broadcast"),
        ({"samples": 1e20, "ridge": 1e-285}, "over the samples"),
    ],
)
def test_refusals(arguments, message):
    with pytest.raises(DomainError, match=message):
        effective_ridge([1.0, 0.5], **arguments)
    with pytest.raises(DomainError, match=message):
        learning_curve(EmpiricalSpectrum([1.0, 0.5], [1, 1]), **arguments)


@pytest.mark.parametrize("wrong", [[], 3.0, [[1.0]], [1.0, 0.0], [1.0, math.nan], "power", None])
def test_what_is_no_spectrum_is_refused(wrong):
    for solve in (effective_ridge, learning_curve):
        with pytest.raises(DomainError, match="spectrum"):
            solve(wrong, samples=3, ridge=0.1)
    with pytest.raises(DomainError, match="spectrum"):
        samples_for_learnability(wrong, ridge=0.1)


def test_more_refusals():
    with pytest.raises(DomainError, match="without power"):
        learning_curve(EmpiricalSpectrum([1.0], [0.0]), samples=1, ridge=0.1)
    with pytest.raises(DomainError, match="learnability"):
        samples_for_learnability([1.0], ridge=0.1, learnability=1.1)
    with pytest.raises(DomainError, match="mode_eigenvalue"):
        samples_for_learnability([1.0], ridge=0.1, mode_eigenvalue=0)
    with pytest.raises(DomainError, match="broadcast"):
        samples_for_learnability([1.0], ridge=[0.1, 0.2], learnability=[0.1, 0.2, 0.3])


@pytest.mark.parametrize("argument", ["noise_variance", "unlearnable"])
def test_powers_whose_sum_is_no_number_are_refused_by_name(argument):
    with pytest.raises(DomainError, match=argument):
        learning_curve(PowerLawSpectrum(2, 1), samples=3, ridge=0.1, **{argument: 1e308})
