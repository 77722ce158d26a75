"""Gradient flow of the random-feature model: reference values, an independent evaluation, limits, identities, refusals."""

import math

import mpmath
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scalinglaws.errors import AccuracyWarning, ConvergenceError, DomainError
from scalinglaws.results import Result, Status
from scalinglaws.solvers import EmpiricalSpectrum, PowerLawSpectrum
from scalinglaws.solvers.equivalents import contour, inversion, response
from scalinglaws.solvers.linear import _flow, gradient_flow, ridge

INF = math.inf


def test_reference_values(reference):
    table = reference("linear")["flow"]
    for rows, digits in (("values", 1e-8), ("many_digits", 1e-12)):
        for row in table[rows]:
            a, b, size, features, samples, noise, t, test, train = (float(entry) for entry in row)
            found = gradient_flow(
                t,
                PowerLawSpectrum.from_ab(a, b, size),
                features=features,
                samples=samples,
                noise_variance=noise,
            )
            assert [found.test_loss, found.train_loss] == pytest.approx(
                [test, train], rel=digits, abs=0
            ), row


def test_reference_values_of_population_flow(reference):
    for row in reference("linear")["flow"]["population"]:
        a, b, size, features, t, test = (float(entry) for entry in row)
        found = gradient_flow(
            t, PowerLawSpectrum.from_ab(a, b, size), features=features, noise_variance=0.3
        )
        assert found.test_loss == pytest.approx(test, rel=1e-8, abs=0), row
        assert found.train_loss == pytest.approx(test + 0.3, rel=1e-8)


@pytest.mark.pure
def test_reference_of_an_explicit_spectrum(reference):
    case = reference("linear")["explicit"]
    expected = reference("linear")["flow"]["explicit"]
    spectrum = EmpiricalSpectrum(case["eigenvalues"], case["signal"])
    found = gradient_flow(
        expected["t"],
        spectrum,
        **{name: case[name] for name in ("features", "samples", "noise_variance")},
    )
    assert [found.test_loss, found.train_loss] == pytest.approx(
        [expected["test_loss"], expected["train_loss"]], rel=1e-8
    )


# -- an independent evaluation ------------------------------------------------------------------------------------------


def by_talbot(eigenvalues, signal, n, p, noise, t, count=16):
    """Invert the equations as printed at two Laplace variables: Talbot's contour, kappa by continuation in s, 30 digits."""
    with mpmath.workdps(30):
        lam, sig = [mpmath.mpf(x) for x in eigenvalues], [mpmath.mpf(x) for x in signal]
        t = mpmath.mpf(t)

        def kappa_at(s, start):
            def excess(x):
                df1 = mpmath.fsum(y / (y + x) for y in lam)
                return x * (1 - df1 / p) * (1 - df1 / n) - s

            return mpmath.findroot(excess, start)

        upper = []
        s = mpmath.mpf(10) ** 4  # where kappa = s
        kappa = s
        for j in range(count):
            theta = mpmath.pi * (2 * j + 1) / (2 * count)
            r = 2 * count / (5 * t)
            target = r * theta * (mpmath.cot(theta) + 1j)
            weight = (
                mpmath.exp(target * t)
                * r
                * (1j + mpmath.cot(theta) - theta / mpmath.sin(theta) ** 2)
                / (2j * count)
            )
            for part in range(1, 17):
                kappa = kappa_at(s * (target / s) ** (mpmath.mpf(part) / 16), kappa)
            s = target
            upper.append((s, weight, kappa))
        everywhere = upper + [tuple(mpmath.conj(x) for x in node) for node in upper]

        def c0(one, two):
            (s, _, k), (s2, _, k2) = one, two
            df, df2 = mpmath.fsum(x / (x + k) for x in lam), mpmath.fsum(x / (x + k2) for x in lam)
            r1, r1_, r3, r3_ = 1 - df / p, 1 - df2 / p, 1 - df / n, 1 - df2 / n
            hh = [1 / (s + x * r1 * r3) / (s2 + x * r1_ * r3_) for x in lam]
            s_1 = mpmath.fsum(y * h for y, h in zip(sig, hh, strict=True))
            s_2 = mpmath.fsum(y * x * h for x, y, h in zip(lam, sig, hh, strict=True))
            d_1 = mpmath.fsum(x / (x + k) / (x + k2) for x in lam)
            d_2 = mpmath.fsum(x * x / (x + k) / (x + k2) for x in lam)
            t_1 = d_1 / (r1 * r1_ * r3 * r3_)
            matrix = mpmath.matrix(
                [[1 - d_2 / p, -t_1 * r3 * r3_ / n], [-s * s2 * t_1 * r1 * r1_ / p, 1 - d_2 / n]]
            )
            right = mpmath.matrix(
                [s_1 + d_2 / p * noise / (s * s2), r1 * r1_ * s_2 + t_1 * r1 * r1_ / p * noise]
            )
            first = mpmath.lu_solve(matrix, right)[0]
            return first, r1 * r1_ * (first + noise / (s * s2))

        test, train = mpmath.mpc(0), mpmath.mpc(0)
        for one in upper:
            for two in everywhere:
                pair = c0(one, two)
                test += one[1] * two[1] * pair[0]
                train += one[1] * two[1] * pair[1]
        return float(2 * test.real), float(2 * train.real)


@pytest.mark.parametrize("case", [(2.0, 1.5, 7, 3, 5, 0.1, 3.0), (1.4, 1.1, 6, 5, 3, 0.0, 30.0)])
def test_against_the_printed_equations_on_another_contour(case):
    a, b, size, n, p, noise, t = case
    spectrum = PowerLawSpectrum.from_ab(a, b, size)
    found = gradient_flow(t, spectrum, features=n, samples=p, noise_variance=noise)
    assert [found.test_loss, found.train_loss] == pytest.approx(
        by_talbot(*spectrum.explicit(), n, p, noise, t), rel=1e-7
    )


# -- identities and limits ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("ab", [(2, 1.5), (4.5, 1.6), (1.06, 1.2)])
def test_merged_modes_against_explicit_sums(ab):
    merged = PowerLawSpectrum.from_ab(*ab, 100_000)
    plain = EmpiricalSpectrum(*merged.explicit())
    for keywords in (
        {"features": 300, "samples": 700, "noise_variance": 0.1},
        {"features": 500},
        {},
    ):
        one, two = (
            gradient_flow([3, 3e3, 3e6], spectrum, **keywords) for spectrum in (merged, plain)
        )
        np.testing.assert_allclose(one.test_loss, two.test_loss, rtol=1e-10)
        np.testing.assert_allclose(one.train_loss, two.train_loss, rtol=1e-10)


def test_unlimited_flow_is_a_plain_sum():
    spectrum = PowerLawSpectrum.from_ab(1.7, 1.3, 5000)
    eigenvalues, signal = spectrum.explicit()
    t = np.array([0.0, 0.1, 10.0, 1e4])
    found = gradient_flow(t, spectrum, noise_variance=0.5)
    np.testing.assert_allclose(
        found.test_loss, np.exp(-2 * np.outer(t, eigenvalues)) @ signal, rtol=1e-13
    )
    np.testing.assert_allclose(found.train_loss, found.test_loss + 0.5, rtol=1e-15)
    # and the limit of large numbers of both, which take another path
    large = gradient_flow(t, spectrum, features=1e30, samples=1e30, noise_variance=0.5)
    np.testing.assert_allclose(large.test_loss, found.test_loss, rtol=1e-13)
    np.testing.assert_allclose(large.train_loss, found.train_loss, rtol=1e-13)


def test_time_zero_and_infinite_time():
    spectrum = PowerLawSpectrum.from_ab(2, 1.5)
    for sizes in (
        {"features": 100, "samples": 400},
        {"features": 400, "samples": 100},
        {"samples": 100},
        {"features": 100},
        {},
    ):
        found = gradient_flow([0, 1e-300, 1e-19, INF], spectrum, **sizes, noise_variance=0.3)
        end = ridge(spectrum, **sizes, noise_variance=0.3)
        start = math.pi**2 / 6
        np.testing.assert_allclose(
            found.test_loss, [start, start, start, end.test_loss], rtol=1e-14
        )
        np.testing.assert_allclose(
            found.train_loss, [start + 0.3] * 3 + [end.train_loss], rtol=1e-14
        )
    threshold = gradient_flow(INF, spectrum, features=100, samples=100)
    assert (threshold.test_loss, threshold.train_loss) == (INF, 0.0)


@pytest.mark.parametrize(
    ("features", "samples"),
    [
        (100, 400),
        (400, 100),
        (INF, 100),
        (100, INF),
        (60, 80),
        (60, 50),
        (50, 80),
        (80, 50),
        (50, 50),
    ],
)
def test_long_training_is_ridgeless_regression(features, samples):
    spectrum = PowerLawSpectrum.from_ab(2, 1.5, 50)
    late = gradient_flow(
        [1e9, 1e20], spectrum, features=features, samples=samples, noise_variance=0.2
    )
    end = ridge(spectrum, features=features, samples=samples, noise_variance=0.2)
    if min(features, samples) == 50:  # the smallest eigenvalues reach down to 0: power laws in time
        assert late.train_loss[1] == pytest.approx(end.train_loss, rel=1e-3, abs=1e-3)
        return
    np.testing.assert_allclose(late.test_loss, end.test_loss, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(late.train_loss, end.train_loss, rtol=1e-9, atol=1e-12)


def test_long_training_of_an_infinite_spectrum():
    spectrum = PowerLawSpectrum.from_ab(2, 1.5)
    for sizes in (
        {"features": 100, "samples": 400},
        {"features": 400, "samples": 100},
        {"samples": 100},
        {"features": 100},
    ):
        late = gradient_flow(1e9, spectrum, **sizes, noise_variance=0.2)
        end = ridge(spectrum, **sizes, noise_variance=0.2)
        assert [late.test_loss, late.train_loss] == pytest.approx(
            [end.test_loss, end.train_loss], rel=1e-9, abs=1e-13
        )


@settings(max_examples=60)
@given(
    st.floats(0.4, 3),
    st.floats(0.1, 3),
    st.integers(2, 200),
    st.floats(1, 300),
    st.floats(1, 300),
    st.floats(1e-9, 10),
    st.floats(0, 1),
)
def test_the_correlations_at_equal_real_variables_are_those_of_ridge(
    alpha, beta, size, n, p, strength, noise
):
    # s^2 C_0(s, s) and s^2 C_1(s, s) at s = r, in the limit of a node on the real axis
    spectrum = PowerLawSpectrum(alpha, beta, size)
    modes = spectrum.modes()
    at = response.resolve(modes, n, p, np.array([strength + 0j]))
    difference, unlimited = response.pair_transform(modes, at, noise)
    train, train_again = response.train_from_test(at, noise, difference, unlimited)
    expected = ridge(spectrum, features=n, samples=p, ridge=strength, noise_variance=noise)
    start = float(np.sum(modes.signal)) + noise
    assert (difference + unlimited)[0, 0].real == pytest.approx(
        expected.test_loss, rel=1e-9, abs=1e-13 * start
    )
    assert train[0, 0].real == pytest.approx(expected.train_loss, rel=1e-9, abs=1e-13 * start)
    assert (train_again + unlimited + noise)[0, 0].real == pytest.approx(
        expected.train_loss, rel=1e-9, abs=1e-13 * start
    )


def test_two_points_with_unlimited_samples_agree_with_one_point():
    spectrum = PowerLawSpectrum.from_ab(2, 1.5)
    t = np.geomspace(1, 1e8, 9)
    one = gradient_flow(t, spectrum, features=1000)
    two = gradient_flow(t, spectrum, features=1000, samples=1e40)
    np.testing.assert_allclose(two.test_loss, one.test_loss, rtol=1e-11)


def test_the_time_constant(reference):
    for a, b, t, excess in reference("linear")["constants"]["time"]:
        gamma = (a - 1) / b
        found = gradient_flow(t, PowerLawSpectrum.from_ab(a, b)).test_loss
        assert found * b / math.gamma(gamma) * (2 * t) ** gamma == pytest.approx(
            1 + excess, abs=1e-10
        )


def test_the_constant_of_the_feature_embedding_term():
    # L(t, N) - L(t, inf) at 1 << t << N^b for a > b + 1; zeta(a - b) (Gamma(1 - 1/b) / b) (2t)^-(1 - 1/b) / N
    a, b, n, t = 4.5, 1.6, 1e9, 1e6
    spectrum = PowerLawSpectrum.from_ab(a, b)
    found = gradient_flow(t, spectrum, features=n).test_loss - gradient_flow(t, spectrum).test_loss
    leading = float(mpmath.zeta(a - b)) * math.gamma(1 - 1 / b) / b * (2 * t) ** -(1 - 1 / b) / n
    assert found / leading == pytest.approx(1 + 1.2e-5, abs=1e-6)


# -- random inputs ------------------------------------------------------------------------------------------------------

sizes = st.one_of(st.floats(1, 1e12), st.integers(1, 10**6), st.just(INF))


@settings(max_examples=150)
@given(
    st.floats(0.3, 4.0),
    st.floats(0.05, 4.0),
    st.one_of(st.integers(1, 10**12), st.just(INF)),
    sizes,
    st.one_of(sizes, st.none()),
    st.floats(-8, 30),
    st.sampled_from([0.0, 1e-6, 1.0]),
)
def test_no_nan_and_another_contour_agrees(alpha, beta, size, n, p, log_t, noise):
    if math.isinf(size):
        alpha += 1.0
    spectrum = PowerLawSpectrum(alpha, beta, size)
    p = n if p is None else p
    found = gradient_flow(10**log_t, spectrum, features=n, samples=p, noise_variance=noise)
    assert found.diagnostics.status is Status.CONVERGED
    assert 0 <= found.test_loss < INF
    assert 0 <= found.train_loss < INF
    start = float(np.sum(spectrum.modes().signal)) + noise
    assert found.train_loss <= start * (1 + 1e-12)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_flow, "cotangent", lambda: contour.cotangent(28))
        again = gradient_flow(10**log_t, spectrum, features=n, samples=p, noise_variance=noise)
    assert again.test_loss == pytest.approx(
        found.test_loss, rel=1e-10, abs=1e-14 * start + 3 * found.test_error
    )
    assert again.train_loss == pytest.approx(
        found.train_loss, rel=1e-10, abs=1e-14 * start + 3 * found.train_error
    )


@settings(max_examples=30)
@given(
    st.floats(0.4, 2.5), st.floats(0.1, 2), st.floats(1, 1e5), st.floats(1, 1e5), st.floats(-2, 8)
)
def test_training_never_raises_the_train_loss(alpha, beta, n, p, log_t):
    found = gradient_flow(
        10.0**log_t * np.array([1.0, 1.3, 2.0]),
        PowerLawSpectrum(alpha, beta, 3000),
        features=n,
        samples=p,
    )
    assert np.all(np.diff(found.train_loss) <= np.max(found.train_error))


@pytest.mark.parametrize("t", [1e60, 1e120, 1e250])
def test_very_long_times(t):
    spectrum = PowerLawSpectrum.from_ab(2, 1.5, 40)
    scarce = gradient_flow(t, spectrum, features=10, samples=30, noise_variance=0.1)
    assert scarce.test_loss == pytest.approx(
        ridge(spectrum, features=10, samples=30, noise_variance=0.1).test_loss, rel=1e-10
    )
    equal = gradient_flow([t, 100 * t], spectrum, features=10, samples=10, noise_variance=0.1)
    assert equal.test_loss[1] / equal.test_loss[0] == pytest.approx(
        10, rel=1e-6
    )  # grows as the square root of time
    assert equal.train_loss[0] < 1e-14
    ample = gradient_flow(t, spectrum, features=60, samples=80, noise_variance=0.1)
    assert ample.test_loss == pytest.approx(0.1, rel=1e-10)  # 40 modes of 80 samples


# -- manners ------------------------------------------------------------------------------------------------------------


@pytest.mark.pure
def test_scalars_in_floats_out_broadcasting_and_files(tmp_path):
    spectrum = EmpiricalSpectrum([1.0, 0.5, 0.25, 0.1], [0.5, 0.3, 0.1, 0.05])
    one = gradient_flow(3, spectrum, features=2, samples=7)
    assert all(
        isinstance(getattr(one, name), float)
        for name in ("t", "test_loss", "train_loss", "test_error", "samples")
    )
    grid = gradient_flow([1, 3], spectrum, features=2, samples=[[7], [INF]])
    assert grid.test_loss.shape == (2, 2)
    # kappa is found from that of the time before, and differs by rounding
    assert grid.test_loss[0, 1] == pytest.approx(one.test_loss, rel=1e-14)
    assert gradient_flow([], spectrum).test_loss.shape == (0,)
    kept = Result.load(grid.save(tmp_path / "flow.npz"))
    np.testing.assert_array_equal(kept.train_loss, grid.train_loss)


@pytest.mark.parametrize(
    ("t", "arguments", "complaint"),
    [
        (-1, {}, "t = -1.0 must be >= 0"),
        (math.nan, {}, "t = nan must be >= 0"),
        ([1, 3, 2], {}, "t must not decrease along its last axis; got 3.0 before 2.0"),
        ("soon", {}, "must be a number"),
        (1e305, {}, "at most 1e\\+300, or inf"),
        (1, {"samples": 0}, "samples = 0.0 must be >= 1"),
        (1, {"features": math.nan}, "features = nan must be >= 1"),
        (1, {"noise_variance": INF}, "noise_variance = inf must be >= 0 and finite"),
        ([1, 2], {"features": [1, 2, 3]}, "do not broadcast"),
        (1, {"on_failure": "ignore"}, "'raise' or 'return'"),
        (1e299, {}, "below 1e-290; use fewer features or samples, or a smaller t"),
    ],
)
def test_refusals(t, arguments, complaint):
    with pytest.raises(DomainError, match=complaint):
        gradient_flow(t, PowerLawSpectrum(1.5, 1.0), **arguments)


def test_failure_carries_the_result(monkeypatch):
    monkeypatch.setattr(response, "kappa_along", lambda *arguments: (7, math.inf))
    spectrum = PowerLawSpectrum(1.5, 1.0)
    with pytest.raises(ConvergenceError, match="on_failure='return'") as caught:
        gradient_flow([0, 1], spectrum, samples=10)
    assert caught.value.result.diagnostics.status is Status.MAX_ITERATIONS
    kept = gradient_flow([0, 1], spectrum, samples=10, on_failure="return")
    assert kept.test_error[1] == INF
    assert kept.test_loss[0] > 0


def test_lost_accuracy_is_announced(monkeypatch):
    monkeypatch.setattr(_flow, "CONTOUR", inversion.Rule(1e-3, 1e-3))
    with pytest.warns(AccuracyWarning, match="gradient_flow: errors may exceed"):
        assert (
            gradient_flow(1, PowerLawSpectrum(1.5, 1.0), samples=10).diagnostics.status
            is Status.LOST_ACCURACY
        )
