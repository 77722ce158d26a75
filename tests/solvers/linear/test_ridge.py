"""Statics of the random-feature model: reference values, an independent evaluation, limits, identities, refusals."""

import math

import mpmath
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scalinglaws.errors import AccuracyWarning, ConvergenceError, DomainError
from scalinglaws.results import Status
from scalinglaws.solvers import EmpiricalSpectrum, PowerLawSpectrum
from scalinglaws.solvers.linear import _ridge, ridge

INF = math.inf


def test_reference_values(reference):
    table = reference("linear")
    for row in table["statics"]:
        a, b, size, features, samples, strength, noise, *expected = (float(entry) for entry in row)
        found = ridge(
            PowerLawSpectrum.from_ab(a, b, size),
            features=features,
            samples=samples,
            ridge=strength,
            noise_variance=noise,
        )
        values = [
            found.kappa,
            found.test_loss,
            found.train_loss,
            found.shared_loss("samples"),
            found.shared_loss("features"),
            found.bias,
        ]
        assert values == pytest.approx(expected, rel=1e-8, abs=0), row


@pytest.mark.pure
def test_reference_of_an_explicit_spectrum(reference):
    case = reference("linear")["explicit"]
    found = ridge(
        EmpiricalSpectrum(case["eigenvalues"], case["signal"]),
        **{name: case[name] for name in ("features", "samples", "ridge", "noise_variance")},
    )
    assert found.test_loss == pytest.approx(case["test_loss"], rel=1e-8)
    assert found.train_loss == pytest.approx(case["train_loss"], rel=1e-8)


def test_slopes(reference):
    table = reference("linear")["slopes"]
    for keyword, name, decade in (
        ("samples", "data", [1e7, 1e8]),
        ("features", "model", [1e8, 1e9]),
    ):
        for a, slope in table[name]:
            losses = ridge(PowerLawSpectrum.from_ab(a, table["b"]), **{keyword: decade}).test_loss
            assert np.log10(losses[0] / losses[1]) == pytest.approx(slope, abs=1e-4)


# -- an independent evaluation ------------------------------------------------------------------------------------------


def boxed_formulas(eigenvalues, signal, n, p, r, noise):
    """Evaluate the equations as printed, in 50 digits: bisection for kappa, no rearrangement."""
    with mpmath.workdps(50):
        lam, s = [mpmath.mpf(x) for x in eigenvalues], [mpmath.mpf(x) for x in signal]
        n, p, r, noise = (mpmath.mpf(x) for x in (n, p, r, noise))

        def df(kappa, power):
            return mpmath.fsum((x / (x + kappa)) ** power for x in lam)

        def excess(kappa):
            r1, r3 = 1 - df(kappa, 1) / p, 1 - df(kappa, 1) / n
            return kappa * r1 * r3 - r if r1 > 0 and r3 > 0 else mpmath.mpf(-1)

        low, high = mpmath.mpf(10) ** -40, r + (1 / n + 1 / p) * mpmath.fsum(lam) + 1
        for _ in range(260):
            middle = mpmath.sqrt(low * high)
            low, high = (low, middle) if excess(middle) > 0 else (middle, high)
        kappa = high
        df1, df2 = df(kappa, 1), df(kappa, 2)
        b1 = mpmath.fsum(x * (kappa / (y + kappa)) ** 2 for x, y in zip(s, lam, strict=True))
        b2 = mpmath.fsum(x * y * kappa / (y + kappa) ** 2 for x, y in zip(s, lam, strict=True))
        d, g = df1 - df2, (1 / n) / (1 - df2 / n)
        total = (noise + b1 + d * g * b2) / (1 - df2 / p - d**2 * g / p)
        same_data = (noise + b1) / (1 - df2 / p) - noise
        return [
            float(x)
            for x in (
                kappa,
                total - noise,
                (1 - df1 / p) ** 2 * total,
                same_data,
                b1 + d * g * b2,
                b1,
            )
        ]


cases = st.tuples(
    st.floats(0.4, 3.0),
    st.floats(0.1, 3.0),
    st.integers(2, 40),
    st.integers(1, 60),
    st.integers(1, 60),
    st.sampled_from([1e-12, 1e-6, 1e-3, 0.1, 10.0]),
    st.sampled_from([0.0, 0.25]),
)


@pytest.mark.pure
@settings(max_examples=40)
@given(cases)
def test_against_the_printed_formulas(case):
    alpha, beta, size, n, p, strength, noise = case
    spectrum = PowerLawSpectrum(alpha, beta, size)
    found = ridge(spectrum, features=n, samples=p, ridge=strength, noise_variance=noise)
    values = [
        found.kappa,
        found.test_loss,
        found.train_loss,
        found.shared_loss("samples"),
        found.shared_loss("features"),
        found.bias,
    ]
    assert values == pytest.approx(
        boxed_formulas(*spectrum.explicit(), n, p, strength, noise), rel=1e-10, abs=0
    )


# -- identities and limits ----------------------------------------------------------------------------------------------

sizes = st.one_of(st.floats(1, 1e12), st.integers(1, 10**6), st.just(INF))
random_inputs = st.tuples(
    st.floats(0.3, 5.0),
    st.floats(0.05, 4.0),
    st.one_of(st.integers(1, 10**12), st.just(INF)),
    sizes,
    sizes,
    st.one_of(st.just(0.0), st.floats(1e-12, 10.0), st.just(INF)),
    st.sampled_from([0.0, 1e-6, 1.0]),
)


@settings(max_examples=300)
@given(random_inputs)
def test_no_nan_and_pieces_add_up(case):
    alpha, beta, size, n, p, strength, noise = case
    if math.isinf(size):
        alpha += 1.0
    found = ridge(
        PowerLawSpectrum(alpha, beta, size),
        features=n,
        samples=p,
        ridge=strength,
        noise_variance=noise,
    )
    fields = [
        found.test_loss,
        found.train_loss,
        found.bias,
        found.variance_samples,
        found.variance_features,
        found.variance_interaction,
    ]
    assert not any(
        math.isnan(value) or value < 0 for value in [*fields, found.kappa, found.degrees_of_freedom]
    )
    assert found.diagnostics.status is Status.CONVERGED
    if math.isfinite(found.test_loss):
        pieces = (
            found.bias
            + found.variance_samples
            + found.variance_features
            + found.variance_interaction
        )
        assert pieces == pytest.approx(found.test_loss, rel=1e-9, abs=1e-300)


@settings(max_examples=60)
@given(
    st.floats(1.05, 4),
    st.floats(0.1, 4),
    st.floats(2, 1e9),
    st.floats(2, 1e9),
    st.floats(1e-9, 1.0),
    st.floats(0, 1),
)
def test_generalized_cross_validation(alpha, beta, n, p, strength, noise):
    found = ridge(
        PowerLawSpectrum(alpha, beta), features=n, samples=p, ridge=strength, noise_variance=noise
    )
    unused = 1 - found.degrees_of_freedom / p
    if unused > 1e-4:
        assert found.train_loss / unused**2 == pytest.approx(found.test_loss + noise, rel=1e-9)


@settings(max_examples=60)
@given(
    st.floats(1.05, 4),
    st.floats(0.1, 4),
    st.floats(2, 1e9),
    st.floats(2, 1e9),
    st.floats(1e-9, 1.0),
)
def test_kappa_solves_its_equation_and_is_symmetric(alpha, beta, n, p, strength):
    spectrum = PowerLawSpectrum(alpha, beta)
    found = ridge(spectrum, features=n, samples=p, ridge=strength)
    r1, r3 = 1 - found.degrees_of_freedom / p, 1 - found.degrees_of_freedom / n
    assert found.kappa * r1 * r3 == pytest.approx(strength, rel=1e-6)
    assert ridge(spectrum, features=p, samples=n, ridge=strength).kappa == pytest.approx(
        found.kappa, rel=1e-12
    )


@pytest.mark.parametrize(("n", "p"), [(100, 400), (400, 100), (INF, 100), (100, INF)])
def test_ridgeless_is_the_limit_of_small_ridge(n, p):
    spectrum = PowerLawSpectrum.from_ab(2, 1.5)
    limit = ridge(spectrum, features=n, samples=p, noise_variance=0.1)
    close = ridge(spectrum, features=n, samples=p, noise_variance=0.1, ridge=1e-11)
    assert close.test_loss == pytest.approx(limit.test_loss, rel=1e-6)
    assert close.train_loss == pytest.approx(limit.train_loss, rel=1e-6, abs=1e-6)


def test_infinite_sizes_are_limits_of_large_ones():
    spectrum = PowerLawSpectrum.from_ab(2, 1.5)
    for finite, infinite in (
        ({"features": 1e16, "samples": 100}, {"samples": 100}),
        ({"samples": 1e16, "features": 100}, {"features": 100}),
    ):
        assert ridge(spectrum, **finite).test_loss == pytest.approx(
            ridge(spectrum, **infinite).test_loss, rel=1e-10
        )


def test_projection_formula_for_unlimited_data():
    spectrum = PowerLawSpectrum.from_ab(2, 1.5, 500)
    found = ridge(spectrum, features=40)
    eigenvalues, signal = spectrum.explicit()
    assert found.test_loss == pytest.approx(
        found.kappa * np.sum(signal / (eigenvalues + found.kappa)), rel=1e-12
    )


def test_infinite_ridge_predicts_zero():
    spectrum = PowerLawSpectrum.from_ab(2, 1.5)
    found = ridge(spectrum, features=10, samples=20, ridge=INF, noise_variance=0.5)
    assert (found.test_loss, found.train_loss, found.bias) == pytest.approx(
        (math.pi**2 / 6, math.pi**2 / 6 + 0.5, math.pi**2 / 6)
    )
    assert ridge(
        spectrum, features=10, samples=20, ridge=1e12, noise_variance=0.5
    ).test_loss == pytest.approx(found.test_loss)


def test_everything_unlimited():
    spectrum = PowerLawSpectrum.from_ab(2, 1.5)
    perfect = ridge(spectrum, noise_variance=0.3)
    assert (perfect.test_loss, perfect.train_loss, perfect.kappa) == (0.0, 0.3, 0.0)
    shrunk = ridge(spectrum, ridge=1e-3, noise_variance=0.3)
    assert shrunk.kappa == 1e-3
    assert shrunk.test_loss == shrunk.bias > 0


def test_interpolation_threshold_is_infinite_and_its_cross_terms_are_not():
    found = ridge(PowerLawSpectrum.from_ab(2, 1.5), features=100, samples=100)
    assert (found.test_loss, found.train_loss) == (INF, 0.0)
    assert 0 < found.bias < found.shared_loss("samples") < INF
    assert found.shared_loss("features") < INF
    assert found.ensemble(5) == INF
    assert found.ensemble(INF) == found.shared_loss("samples")


def test_all_modes_learned():
    spectrum = PowerLawSpectrum.from_ab(2, 1.5, 50)
    found = ridge(spectrum, features=[60, 50, 60], samples=[200, 200, 50], noise_variance=0.3)
    np.testing.assert_allclose(found.test_loss[:2], 0.3 / (1 - 50 / 200) - 0.3, rtol=1e-14)
    np.testing.assert_allclose(found.train_loss, [0.225, 0.225, 0.0], rtol=1e-14)
    assert found.test_loss[2] == INF
    assert ridge(spectrum, features=60, samples=50).test_loss == 0.0
    np.testing.assert_array_equal(found.shared_loss("features"), 0.0)
    np.testing.assert_array_equal(found.shared_loss("samples"), found.test_loss)


def test_noise_plateau_of_interpolation():
    # features unlimited, ridgeless: the loss tends to sigma^2 (alpha - 1)
    assert ridge(
        PowerLawSpectrum(1.5, 1.0), samples=1e12, noise_variance=0.4
    ).test_loss == pytest.approx(0.2, rel=1e-6)


@pytest.mark.parametrize("gap", [1.0, 1e3])
def test_close_to_the_interpolation_threshold(gap):
    # N and P differ by one in 1e12: 1 - N/P must not be formed by subtraction
    n = 1e12
    found = ridge(PowerLawSpectrum(1.5, 1.0), features=n + gap, samples=n, noise_variance=0.01)
    unused = gap / (n + gap)
    df2_share = 1 / 3  # df2/df1 -> 1 - 1/alpha
    # noise / (1 - P/N) times (N - df2)/(P - df2) -> 1, to leading order
    assert found.test_loss == pytest.approx(0.01 / unused, rel=1e-3 + df2_share * 1e-6)
    mirrored = ridge(PowerLawSpectrum(1.5, 1.0), features=n, samples=n + gap, noise_variance=0.01)
    assert mirrored.test_loss == pytest.approx(0.01 / unused, rel=1e-3)


@pytest.mark.parametrize(
    ("eigenvalues", "samples"),
    [
        (np.r_[np.ones(100), np.full(400, 1e-10)], 300),
        (np.array([1, 1e-12]), 1.5),
        (np.r_[np.arange(1.0, 101) ** -2, np.full(400, 1e-16)], 101),
        (np.logspace(0, -280, 60), 30.5),
    ],
)
def test_gapped_spectra(eigenvalues, samples):
    found = ridge(EmpiricalSpectrum(eigenvalues, eigenvalues), samples=samples)
    assert found.degrees_of_freedom == pytest.approx(samples, rel=1e-12)
    assert found.diagnostics.iterations < 100


@pytest.mark.parametrize("strength", [1e-12, 1e-20, 1e-40, 1e-200])
def test_as_many_features_as_modes_and_a_tiny_ridge(strength):
    # N = M < P: R_3 = (1/N) sum kappa/(lambda + kappa), so kappa ~ sqrt(r N / ((1 - N/P) tr 1/Sigma))
    spectrum = PowerLawSpectrum(1.5, 1.0, 4)
    found = ridge(spectrum, features=4, samples=8, ridge=strength)
    expected = math.sqrt(strength * 4 / (0.5 * np.sum(1 / spectrum.explicit()[0])))
    assert found.kappa == pytest.approx(expected, rel=10 * math.sqrt(strength) + 1e-11, abs=0)


def test_ensembles_interpolate_between_one_and_all():
    found = ridge(PowerLawSpectrum.from_ab(2, 1.5), features=100, samples=400, noise_variance=0.09)
    for shared in ("samples", "features", "none"):
        assert found.ensemble(1, shared=shared) == pytest.approx(found.test_loss)
        assert found.ensemble(INF, shared=shared) == pytest.approx(found.shared_loss(shared))
        two = found.ensemble(2, shared=shared)
        assert two == pytest.approx((found.test_loss + found.shared_loss(shared)) / 2)
    np.testing.assert_allclose(found.ensemble([1, 2]), [found.ensemble(1), found.ensemble(2)])


@settings(max_examples=40)
@given(st.floats(1.05, 4), st.floats(0.1, 4), st.floats(2, 1e6), st.floats(2, 1e6))
def test_more_data_never_hurt_at_optimal_ridge_free_noise_free_infinite_width(
    alpha, beta, one, two
):
    low, high = sorted((one, two))
    losses = ridge(PowerLawSpectrum(alpha, beta), samples=[low, high]).test_loss
    assert losses[1] <= losses[0] * (1 + 1e-12)


# -- manners ------------------------------------------------------------------------------------------------------------


@pytest.mark.pure
def test_scalars_in_floats_out_and_broadcasting():
    spectrum = PowerLawSpectrum(1.5, 1.0, 60)
    one = ridge(spectrum, samples=10)
    assert all(
        isinstance(getattr(one, name), float) for name in ("kappa", "test_loss", "bias", "samples")
    )
    grid = ridge(spectrum, samples=[[10], [20]], features=[30, 40, 50])
    assert grid.test_loss.shape == (2, 3)
    assert grid.test_loss[1, 2] == ridge(spectrum, samples=20, features=50).test_loss
    empty = ridge(spectrum, samples=np.array([]))
    assert empty.test_loss.shape == (0,)


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        ({"samples": 0}, "samples = 0.0 must be >= 1"),
        ({"features": math.nan}, "features = nan must be >= 1"),
        ({"ridge": -1e-9}, "ridge = -1e-09 must be >= 0"),
        ({"noise_variance": INF}, "noise_variance = inf must be >= 0 and finite"),
        ({"samples": "many"}, "must be a number"),
        ({"samples": [1, 2], "features": [1, 2, 3]}, "do not broadcast"),
        ({"on_failure": "ignore"}, "'raise' or 'return'"),
        ({"ridge": 1e-300}, "below 1e-290"),
    ],
)
def test_refusals(arguments, complaint):
    with pytest.raises(DomainError, match=complaint):
        ridge(PowerLawSpectrum(1.5, 1.0), **arguments)
    found = ridge(PowerLawSpectrum(1.5, 1.0), samples=10)
    with pytest.raises(DomainError, match="members = 0.0 must be >= 1"):
        found.ensemble(0)
    with pytest.raises(DomainError, match="'samples', 'features' or 'none'"):
        found.shared_loss("everything")


def test_failure_carries_the_result(monkeypatch):
    def stuck(*arguments):
        arguments[-1][:, len(_ridge._OUTPUTS) + 1] = _ridge.MAX_STEPS

    monkeypatch.setattr(_ridge, "_statics_table", stuck)
    with pytest.raises(ConvergenceError, match="on_failure='return'") as caught:
        ridge(PowerLawSpectrum(1.5, 1.0), samples=10)
    assert caught.value.result.diagnostics.status is Status.MAX_ITERATIONS
    assert (
        ridge(PowerLawSpectrum(1.5, 1.0), samples=10, on_failure="return").diagnostics.iterations
        == _ridge.MAX_STEPS
    )


def test_lost_accuracy_is_announced(monkeypatch):
    def rough(*arguments):
        arguments[-1][:] = 1e-3

    monkeypatch.setattr(_ridge, "_statics_table", rough)
    with pytest.warns(AccuracyWarning, match="estimated relative error 2.0e-03"):
        assert (
            ridge(PowerLawSpectrum(1.5, 1.0), samples=10).diagnostics.status is Status.LOST_ACCURACY
        )
