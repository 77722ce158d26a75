"""Elliptical slices: against conjugate posteriors, quadrature, other reference Gaussians, and what must be refused."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scalinglaws.errors import ConvergenceError, DomainError, ResourceError
from scalinglaws.results import Status
from scalinglaws.verify.simulate.renormalization import _sample, sample_likelihood
from scalinglaws.verify.simulate.renormalization._potential import read_potential

RNG = np.random.default_rng(0)
FEATURES = RNG.standard_normal((6, 3))
EIGENVALUES = np.array([1.0, 0.5, 0.2])
TARGETS = RNG.standard_normal(6)


def conjugate(features, targets, eigenvalues, quadratic):
    precision = np.diag(1 / eigenvalues) + 2 * quadratic * features.T @ features
    covariance = np.linalg.inv(precision)
    return 2 * quadratic * covariance @ features.T @ targets, np.diag(covariance)


def agrees(found, means, variances, errors=4.5):
    assert np.all(np.abs(found.means - means) < errors * found.standard_error + 1e-12)
    np.testing.assert_allclose(found.variances, variances, rtol=0.1)


@pytest.mark.parametrize("wide", [False, True])
@pytest.mark.parametrize("tabulated", [False, True])
def test_a_quadratic_potential_is_gaussian_regression(wide, tabulated):
    """With more data than modes, and with more modes than data, of which only what the data see is drawn."""
    features, eigenvalues, targets = FEATURES, EIGENVALUES, TARGETS
    if wide:
        features = np.random.default_rng(1).standard_normal((4, 9))
        eigenvalues, targets = np.arange(1, 10.0) ** -1.5, TARGETS[:4]
    law = {"potential": lambda t: 0.7 * t**2} if tabulated else {"couplings": [0.7]}
    found = sample_likelihood(features, targets, eigenvalues=eigenvalues, draws=2000, rng=1, **law)
    agrees(found, *conjugate(features, targets, eigenvalues, 0.7))
    # the reference is the posterior itself, so draws are independent
    assert found.stiffness == pytest.approx(0.7, rel=1e-4)
    assert found.effective_size.min() > 5000
    fitted = found.modes @ features[:, : found.modes.shape[-1]].T
    if not wide:
        np.testing.assert_allclose(
            found.energies, 0.7 * np.sum((fitted - targets) ** 2, axis=-1), rtol=1e-5
        )


def test_without_a_likelihood_the_prior_is_left():
    found = sample_likelihood(
        FEATURES, TARGETS, eigenvalues=EIGENVALUES, couplings=[0.0], draws=2000, rng=2
    )
    agrees(found, np.zeros(3), EIGENVALUES)
    assert found.stiffness == 0


def quadrature(features, targets, eigenvalues, potential):
    """Two modes on a grid."""
    nodes = np.linspace(-8, 8, 801)
    f = np.stack(np.meshgrid(nodes, nodes, indexing="ij"), axis=-1) * np.sqrt(eigenvalues)
    log = -0.5 * np.sum(f**2 / eigenvalues, axis=-1)
    log -= np.sum(potential(f @ features.T - targets), axis=-1)
    weight = np.exp(log - log.max())
    weight /= weight.sum()
    means = np.einsum("ij,ijk->k", weight, f)
    return means, np.einsum("ij,ijk->k", weight, f**2) - means**2


LAWS = {
    "quartic": ({"couplings": [0.3, 1.0]}, lambda t: 0.3 * t**2 + t**4),
    "sextic": ({"couplings": [0.0, 0.0, 0.4]}, lambda t: 0.4 * t**6),
    "double well": ({"couplings": [-1.0, 0.5]}, lambda t: -(t**2) + 0.5 * t**4),
    "robust": ({"potential": lambda t: 2 * np.log(np.cosh(t))}, lambda t: 2 * np.log(np.cosh(t))),
    "lopsided": (
        {"potential": lambda t: np.log1p(np.exp(-2 * t)) + 0.1 * t**2},
        lambda t: np.log1p(np.exp(-2 * t)) + 0.1 * t**2,
    ),
}


@pytest.mark.parametrize("name", LAWS)
def test_against_quadrature(name):
    law, potential = LAWS[name]
    features, eigenvalues = FEATURES[:, :2], EIGENVALUES[:2]
    found = sample_likelihood(features, TARGETS, eigenvalues=eigenvalues, draws=3000, rng=3, **law)
    agrees(found, *quadrature(features, TARGETS, eigenvalues, potential))
    assert found.diagnostics.status is Status.CONVERGED


def test_the_reference_changes_nothing_but_the_speed(monkeypatch):
    """No reference, the prior's own ellipses, and one that is far too stiff."""
    features, eigenvalues = FEATURES[:, :2], EIGENVALUES[:2]
    means, variances = quadrature(features, TARGETS, eigenvalues, LAWS["quartic"][1])
    sizes = []
    for stiffness in (0.0, 4.0):
        monkeypatch.setattr(_sample, "_matched", lambda *_, s=stiffness: s)
        found = sample_likelihood(
            features,
            TARGETS,
            eigenvalues=eigenvalues,
            couplings=[0.3, 1.0],
            draws=4000,
            thinning=3,
            rng=4,
        )
        agrees(found, means, variances)
        sizes.append(found.effective_size.min())
    monkeypatch.undo()
    matched = sample_likelihood(
        features,
        TARGETS,
        eigenvalues=eigenvalues,
        couplings=[0.3, 1.0],
        draws=4000,
        thinning=3,
        rng=4,
    )
    assert matched.effective_size.min() > max(sizes)


def test_modes_that_data_do_not_touch_keep_their_prior():
    found = sample_likelihood(
        [[1.0, 0.0, 0.0]], [1.0], eigenvalues=EIGENVALUES, couplings=[1.0, 1.0], rng=5
    )
    np.testing.assert_allclose(found.means[1:], 0, atol=1e-12)
    np.testing.assert_allclose(found.variances[1:], EIGENVALUES[1:], rtol=1e-12)


def test_seeds_and_shown_modes():
    given = {"eigenvalues": EIGENVALUES, "couplings": [0.5, 0.5], "draws": 50}
    one = sample_likelihood(FEATURES, TARGETS, rng=6, **given)
    assert one == sample_likelihood(FEATURES, TARGETS, rng=6, **given)
    assert one != sample_likelihood(FEATURES, TARGETS, rng=7, **given)
    few = sample_likelihood(FEATURES, TARGETS, rng=6, modes=1, **given)
    np.testing.assert_allclose(few.modes[..., 0], one.modes[..., 0], rtol=1e-12, atol=1e-14)
    assert few.means.shape == few.r_hat.shape == few.standard_error.shape == (1,)


@settings(max_examples=30)
@given(
    seed=st.integers(0, 1000),
    scale=st.floats(0.1, 3),
    rho=st.floats(0, 5),
    reach=st.floats(1, 10),
)
def test_tables(seed, scale, rho, reach):
    """Cubic pieces, the parabolas that continue them, and what is left when a parabola is taken away."""

    def function(t):
        return np.sqrt(1 + (scale * t) ** 2)

    table = read_potential(None, function, reach)
    inside = np.random.default_rng(seed).uniform(-reach, reach, 50)
    np.testing.assert_allclose(table(inside), function(inside), atol=1e-6)
    assert table.error < 1e-6
    ends = reach * np.array([-1, 1])
    step = 1e-6 * reach
    slope = (table(ends * (1 - 1e-6)) - table(ends * (1 - 2e-6))) / step
    np.testing.assert_allclose(
        table(ends * (1 + 1e-6)), table(ends) + slope * step, rtol=1e-7, atol=1e-9
    )
    outside = ends * 1.5
    np.testing.assert_allclose(
        table.less(rho)(outside), table(outside) - rho * outside**2, rtol=1e-9, atol=1e-9
    )
    np.testing.assert_allclose(
        table.less(rho)(inside), table(inside) - rho * inside**2, rtol=1e-9, atol=1e-9
    )


def test_a_residual_beyond_the_table_is_an_error():
    with pytest.raises(ConvergenceError, match="beyond the table of the potential") as failure:
        sample_likelihood(
            FEATURES,
            TARGETS,
            eigenvalues=EIGENVALUES,
            potential=lambda t: t**2,
            reach=0.5,
            rng=0,
        )
    assert failure.value.result.farthest > 0.5
    assert failure.value.result.diagnostics.status is Status.LOST_ACCURACY


def test_chains_that_disagree_are_an_error(monkeypatch):
    """Two wells that are far apart, and ellipses around neither of them."""
    monkeypatch.setattr(_sample, "_matched", lambda *_: 0.0)
    given = {
        "eigenvalues": [100.0],
        "couplings": [-50.0, 1.0],
        "draws": 100,
        "warmup": 0,
        "rng": 1,
    }
    with pytest.raises(
        ConvergenceError, match="sample_likelihood: .* on_failure='return'"
    ) as found:
        sample_likelihood([[1.0]] * 20, [0.0] * 20, **given)
    kept = sample_likelihood([[1.0]] * 20, [0.0] * 20, on_failure="return", **given)
    assert kept == found.value.result
    assert not kept.diagnostics.status.ok


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"features": [[1.0]]}, "shapes"),
        ({"targets": [np.nan] * 6}, "finite"),
        ({"eigenvalues": [1.0, -1.0, 1.0]}, "eigenvalues"),
        ({"couplings": None}, "exactly one"),
        ({"potential": np.cosh}, "exactly one"),
        ({"couplings": [1.0, -1.0]}, "must end in a positive one"),
        ({"couplings": None, "potential": 3}, "potential"),
        ({"couplings": None, "potential": lambda t: -(t**2)}, "must not bend down"),
        ({"couplings": None, "potential": lambda t: np.where(t > 0, 1.0, 0.0)}, "too rough"),
        ({"couplings": None, "potential": lambda t: t[:3]}, "as many values"),
        (
            {"couplings": None, "potential": lambda t: np.full(t.shape, np.inf)},
            "finite at every residual",
        ),
        ({"couplings": None, "potential": np.cosh, "reach": 0.0}, "reach"),
        ({"chains": 1}, "chains = 1"),
        ({"draws": 3}, "draws = 3"),
        ({"thinning": 0}, "thinning = 0"),
        ({"warmup": -1}, "warmup = -1"),
        ({"modes": 4}, "modes = 4"),
        ({"on_failure": "warn"}, "on_failure"),
        ({"rng": 0.5}, "rng"),
    ],
)
def test_refusals(change, complaint):
    given = {
        "features": FEATURES,
        "targets": TARGETS,
        "eigenvalues": EIGENVALUES,
        "couplings": [1.0],
        "rng": 0,
        **change,
    }
    with pytest.raises(DomainError, match=complaint):
        sample_likelihood(given.pop("features"), given.pop("targets"), **given)


def test_memory():
    with pytest.raises(ResourceError, match="use fewer chains, draws"):
        sample_likelihood(
            FEATURES, TARGETS, eigenvalues=EIGENVALUES, couplings=[1.0], draws=10**9, rng=0
        )


def test_means_are_unbiased_over_seeds():
    """The reported standard errors are those of the means: over seeds their squares average to one."""
    means, _ = quadrature(FEATURES[:, :2], TARGETS, EIGENVALUES[:2], LAWS["quartic"][1])
    scores = []
    for seed in range(40):
        found = sample_likelihood(
            FEATURES[:, :2],
            TARGETS,
            eigenvalues=EIGENVALUES[:2],
            couplings=[0.3, 1.0],
            draws=200,
            rng=seed,
        )
        scores.append((found.means - means) / found.standard_error)
    scores = np.array(scores).ravel()
    assert abs(scores.mean()) < 4 / math.sqrt(scores.size)
    assert 0.6 < np.mean(scores**2) < 1.5


def test_couplings_whose_energies_are_no_numbers_are_refused():
    with pytest.raises(DomainError, match=r"couplings\[1\]"):
        sample_likelihood(
            np.eye(2), [1.0, 1.0], eigenvalues=[1.0, 0.5], couplings=[0, 1e300], rng=0
        )
