"""Stated accuracies of merged infinite spectra, inverse queries and frontiers, against 30 digits at random points."""

import math

import mpmath
import numpy as np
import pytest

from scalinglaws.errors import AccuracyWarning, DomainError
from scalinglaws.results import Status
from scalinglaws.solvers import EmpiricalSpectrum, PowerLawSpectrum
from scalinglaws.solvers.linear import (
    compute_frontier,
    degrees_of_freedom,
    effective_ridge,
    features_for_loss,
    gradient_flow,
    learnability,
    loss_surface,
    ridge,
    samples_for_loss,
    time_for_loss,
)

from .test_accuracy import (
    INF,
    effort,
    flow_sum,
    inverse,
    limited_flow,
    limited_flow_pair,
    limited_sgd,
    mpf,
    spectra,
    statics,
)


def power_law_sums(alpha, beta, kappa):
    """Return df_1, df_2 and the lazy loss of infinitely many modes: one by one, then as geometric series of zeta functions."""
    first = max(40, int((4 / float(kappa)) ** (1 / float(alpha)))) + 1
    decay = alpha * beta + 1
    shares = [1 / (1 + kappa * mpmath.mpf(k) ** alpha) for k in range(1, first + 1)]
    df1, df2 = mpmath.fsum(shares), mpmath.fsum(x * x for x in shares)
    left = mpmath.fsum(mpmath.mpf(k) ** -decay * (1 - x) for k, x in enumerate(shares, 1))
    for j in range(60):
        sign = (-1) ** j
        left += sign * kappa**-j * mpmath.zeta(decay + alpha * j, first + 1)
        if j:
            rest = sign * kappa**-j * mpmath.zeta(alpha * j, first + 1)
            df1 -= rest
            df2 += (j - 1) * rest
    return df1, df2, left


@effort(4, 300)
def test_statics_of_infinite_power_laws(count):
    rng = np.random.default_rng(31)
    for _ in range(count):
        alpha, beta = rng.uniform(1.05, 4), 10 ** rng.uniform(-1, 0.5)
        n, p = 10 ** rng.uniform(0, 2), float(rng.choice([INF, 10 ** rng.uniform(0, 2)]))
        strength = float(rng.choice([0, 10 ** rng.uniform(-5, 1)]))
        spectrum, note = PowerLawSpectrum(alpha, beta), (alpha, beta, n, p, strength)
        sizes = {"features": n, "samples": p, "ridge": strength}
        found = effective_ridge(spectrum, **sizes)
        with mpmath.workdps(36):
            kappa, a, b = mpf(found), mpf(alpha), mpf(beta)
            df1, df2, _ = power_law_sums(a, b, kappa)
            sums = degrees_of_freedom(found, spectrum)
            assert abs(sums.df1 - df1) <= 1e-12 * df1, note
            assert abs(sums.df2 - df2) <= 1e-12 * df2, note
            for _ in range(3):  # Newton's method
                df1, df2, left = power_law_sums(a, b, kappa)
                one, two = 1 - df1 * inverse(n), 1 - df1 * inverse(p)
                fall = df1 - df2
                slope = one * two + fall * (inverse(n) * two + inverse(p) * one)
                kappa -= (kappa * one * two - mpf(strength)) / slope
            df1, df2, left = power_law_sums(a, b, kappa)
            # of the last mode that counts, whose number is known to 1e-15, kappa is a power
            assert abs(found - kappa) <= 1e-13 * kappa, note
            k = int(10 ** rng.uniform(0, 4))
            exact = 1 / (1 + kappa * mpmath.mpf(k) ** a)
            assert abs(learnability(k, spectrum, **sizes) - exact) <= 1e-13 * exact, note
            if math.isinf(p) and strength == 0:
                loss = ridge(spectrum, **sizes)
                assert abs(loss.test_loss - left) <= 1e-13 * left, note


@effort(5, 500)
def test_inverse_queries(count):
    """Brent's method ends at 1e-9 of the time or size."""
    rng = np.random.default_rng(32)
    for eigenvalues, signal in spectra(rng, count, most=4, spans=(0.3, 1, 3)):
        spectrum = EmpiricalSpectrum(eigenvalues, signal)
        level = signal.sum() * 10 ** -rng.uniform(0.01, rng.choice([1, 20, 200]))
        t = time_for_loss(level, spectrum)
        around = [flow_sum(eigenvalues, signal, t * (1 + off)) for off in (-1e-9, 1e-9)]
        assert around[1] < mpf(level) < around[0]
        strength, other = 10 ** rng.uniform(-4, 0), float(rng.choice([INF, rng.uniform(2, 100)]))
        for name, query in (("features", features_for_loss), ("samples", samples_for_loss)):
            rest = {"samples" if name == "features" else "features": other, "ridge": strength}
            level = ridge(spectrum, **{name: 10 ** rng.uniform(0.1, 2)}, **rest).test_loss
            size = query(level, spectrum, **rest)
            if size == 1:
                continue
            with mpmath.workdps(60):
                values = []
                for off in (-1e-9, 1e-9):
                    pair = size * (1 + off), other
                    n, p = pair if name == "features" else pair[::-1]
                    values.append(
                        statics(eigenvalues, signal, n, p, strength, 0.0)["test_loss"] - mpf(level)
                    )
            assert values[0] * values[1] < 0, (name, size, rest)


@effort(1, 60)
def test_frontiers_and_surfaces(count):
    """At the best size the loss is that of 36 digits, and its slope vanishes as well as the size is known."""
    rng = np.random.default_rng(33)
    for eigenvalues, signal in spectra(rng, count, most=3, spans=(2, 3)):
        spectrum, compute = EmpiricalSpectrum(eigenvalues, signal), 10 ** rng.uniform(2, 3)
        for dynamics, size_error in (("flow", 2e-5), ("sgd", 1e-3)):
            try:
                found = compute_frontier(compute, spectrum, dynamics=dynamics)
            except DomainError:
                continue  # the best size lies at an end
            rate = found.learning_rate

            def loss(off):
                n, t = found.features * math.exp(off), found.time * math.exp(-off)  # noqa: B023
                if dynamics == "flow":  # noqa: B023
                    return limited_flow(eigenvalues, signal, n, INF, 0, t)[0]  # noqa: B023
                return limited_sgd(eigenvalues, signal, n, 1, rate, 0, t)  # noqa: B023

            h = 1e-3
            values = [mpmath.log(loss(h * k)) for k in (-2, -1, 0, 1, 2)]
            slope = (values[0] - 8 * values[1] + 8 * values[3] - values[4]) / (12 * h)
            curvature = (values[1] - 2 * values[2] + values[3]) / h**2
            assert abs(slope / curvature) < size_error
            exact = mpmath.exp(values[2])
            assert abs(found.loss - exact) < 1e-11 * exact
            surface = loss_surface([found.features], [found.time], spectrum, dynamics=dynamics)
            assert abs(surface.loss[0, 0] - exact) < 1e-11 * exact


@effort(3, 200)
def test_spectra_are_resolved_as_deeply_as_promised(count):
    """Degrees of freedom and losses of the modes that `depth_for` asks for, at the ridge that it is asked for."""
    rng = np.random.default_rng(36)
    for _ in range(count):
        alpha, beta = 1 + 10 ** rng.uniform(-3, 0.4), 10 ** rng.uniform(-2.5, 0.5)
        learned, spectrum = 10 ** rng.uniform(0, 2.3), PowerLawSpectrum(alpha, beta)
        kappa = float(learned**-alpha * 10 ** rng.uniform(0, 1))
        for depth in (spectrum.depth_for(learned, 0.0), spectrum.depth_for(math.inf, kappa)):
            modes = spectrum.modes(depth)
            shares = modes.eigenvalues / (modes.eigenvalues + kappa)
            found = (
                modes.multiplicities @ shares,
                modes.multiplicities @ shares**2,
                modes.signal @ (1 - shares),
            )
            with mpmath.workdps(30):
                for value, exact in zip(
                    found, power_law_sums(mpf(alpha), mpf(beta), mpf(kappa)), strict=True
                ):
                    assert abs(value - exact) < 1e-10 * exact, (alpha, beta, learned, kappa)


@effort(1, 25)
def test_exponents_of_frontiers(count):
    """By differences of losses with 36 digits; for descent also where the best time lies at and below 12 steps."""
    rng = np.random.default_rng(35)
    for eigenvalues, signal in spectra(rng, count, most=3, spans=(2, 3)):
        spectrum, compute = EmpiricalSpectrum(eigenvalues, signal), 10 ** rng.uniform(1.5, 3)
        for dynamics in ("flow", "sgd"):
            try:
                found = compute_frontier(compute, spectrum, dynamics=dynamics)
            except DomainError:
                continue  # the best size lies at an end
            if dynamics == "sgd" and found.time < 14:
                continue  # the continuation has no oracle below

            def loss(x, c):
                n = found.features * math.exp(x)  # noqa: B023
                t = compute * math.exp(c) / n  # noqa: B023
                if dynamics == "flow":  # noqa: B023
                    return mpmath.log(limited_flow(eigenvalues, signal, n, INF, 0, t)[0])  # noqa: B023
                rate = found.learning_rate  # noqa: B023
                return mpmath.log(limited_sgd(eigenvalues, signal, n, 1, rate, 0, t))  # noqa: B023

            h = 1e-3
            fall = (loss(0, -2 * h) - 8 * loss(0, -h) + 8 * loss(0, h) - loss(0, 2 * h)) / (12 * h)
            curvature = (loss(-h, 0) - 2 * loss(0, 0) + loss(h, 0)) / h**2
            mixed = (loss(h, h) - loss(-h, h) - loss(h, -h) + loss(-h, -h)) / (4 * h * h)
            assert abs(found.loss_exponent + fall) < 1e-5
            assert abs(found.features_exponent + mixed / curvature) < 1e-4


@pytest.mark.parametrize("middle", [60.0, pytest.param(40.0, marks=pytest.mark.slow)])
def test_frontiers_are_smooth_where_whole_steps_begin_to_matter(middle):
    """Local exponents of sizes and losses by searching again next to the budget; kinks at whole steps made them 6.7e-4 off."""
    spectrum, step = PowerLawSpectrum(1.5, 0.5), 0.05
    budgets = middle * np.exp(step * np.arange(-2, 3))
    found = compute_frontier(budgets, spectrum)
    assert 8 < found.time.min() < found.time.max() < 14
    for values, exponents in (
        (-np.log(found.loss), found.loss_exponent),
        (np.log(found.features), found.features_exponent),
    ):
        slope = (values[0] - 8 * values[1] + 8 * values[3] - values[4]) / (12 * step)
        assert abs(slope - exponents[2]) < 1e-4
        # third differences of smooth exponents are of the order of the cube of the step
        assert np.max(np.abs(np.diff(exponents, 3))) < 1e-4


def test_a_frontier_between_whole_steps_that_tell_too_little_is_told():
    """Modes that are gone after a step leave losses between the steps open."""
    spectrum = EmpiricalSpectrum([1.0, 0.5, 1e-3], [1.0, 0.5, 0.05])
    with pytest.warns(AccuracyWarning, match="compute_frontier"):
        found = compute_frontier(30.0, spectrum, batch=INF, relative_rate=1.45)
    assert found.diagnostics.status is Status.LOST_ACCURACY


@effort(2, 60)
def test_a_floor_next_to_the_contour_of_the_tail(count):
    """Late test losses with noise, where the pole of the floor must lie outside the contour at the time itself."""
    rng = np.random.default_rng(34)
    for eigenvalues, signal in spectra(rng, count, most=2, spans=(0.3,)):
        n, p = eigenvalues.size * rng.uniform(2, 9), eigenvalues.size * 10 ** rng.uniform(1, 4)
        t = rng.uniform(12, 30) / eigenvalues.min()
        check_pair(eigenvalues, signal, n, p, 0.3, t)


def test_a_floor_that_was_missed(reference):
    """At this point the error was 5.9e-15, 8 times its estimate."""
    row = reference("linear_accuracy")["floor_of_the_tail"]
    expected = check_pair(
        *(row[name] for name in ("eigenvalues", "signal", "n", "p", "noise", "t"))
    )
    assert float(expected) == pytest.approx(row["test_loss"], rel=1e-15)


def check_pair(eigenvalues, signal, n, p, noise, t):
    """Compare a test loss of limited features and samples with many digits, and return it."""
    found = gradient_flow(
        t, EmpiricalSpectrum(eigenvalues, signal), features=n, samples=p, noise_variance=noise
    )
    expected = limited_flow_pair(eigenvalues, signal, n, p, noise, t)
    oracle = 1e-16 * (sum(signal) + noise)
    assert abs(mpf(found.test_loss) - expected) <= found.test_error + oracle
    return expected
