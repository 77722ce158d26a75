"""Whole curves of gradient flow: against 30 digits, against single times, and where the path from time to time is lost."""

import math

import numpy as np
import pytest

from scalinglaws.solvers import EmpiricalSpectrum, PowerLawSpectrum
from scalinglaws.solvers.equivalents import curves
from scalinglaws.solvers.linear import gradient_flow

from .test_accuracy import INF, covered, effort, limited_flow, limited_flow_pair, some_size, spectra


@effort(3, 40)
def test_curves_with_limits(count):
    rng = np.random.default_rng(52)
    for eigenvalues, signal in spectra(rng, count, most=4, spans=(0.3, 1, 3)):
        n, p = some_size(rng), float(rng.choice([INF, some_size(rng)]))
        noise = rng.choice([0, 1e-6, 0.3])
        times = np.sort(10 ** rng.uniform(-2, rng.uniform(-1, 2), 9)) / eigenvalues.min()
        sizes = {"features": n, "samples": p, "noise_variance": noise}
        found = gradient_flow(times, EmpiricalSpectrum(eigenvalues, signal), **sizes)
        start = signal.sum() + noise
        for i in (0, 4, 8):
            note = (times, i, eigenvalues.tolist(), signal.tolist(), sizes)
            test, train = limited_flow(eigenvalues, signal, n, p, noise, times[i])
            if math.isinf(p):
                covered(found.test_loss[i], found.test_error[i], test, note, 1e-23 * start)
                continue
            covered(found.train_loss[i], found.train_error[i], train, note, 1e-23 * start)
            if i == 4:
                test = limited_flow_pair(eigenvalues, signal, n, p, noise, times[i])
                covered(found.test_loss[i], found.test_error[i], test, note, 1e-16 * start)


@effort(1, 12)
def test_curves_with_many_modes_below_reach(count):
    """Modes that are merged because they are far too small to be learned, with and without most of the signal."""
    rng = np.random.default_rng(53)
    for number in range(count):
        eigenvalues = 10 ** np.concatenate([rng.uniform(-2, 0, 4), rng.uniform(-13, -10, 20)])
        signal = 10 ** np.concatenate([rng.uniform(-2, 0, 4), rng.uniform(-3, 0, 20)])
        if number % 2:
            signal[4:] *= rng.choice([0, 1e-8])
        n, p, noise = rng.uniform(1.5, 9), rng.uniform(1.5, 9), 0.1
        times = np.geomspace(1, 40, 9)
        spectrum = EmpiricalSpectrum(eigenvalues, signal)
        limit = 1e-8 * 4 / times[-1]
        assert curves.merged_below(spectrum.modes(), limit).eigenvalues.size == 6
        found = gradient_flow(times, spectrum, features=n, samples=p, noise_variance=noise)
        note = (eigenvalues.tolist(), signal.tolist(), n, p)
        test = limited_flow_pair(eigenvalues, signal, n, p, noise, times[3])
        covered(found.test_loss[3], found.test_error[3], test, note, 1e-16 * (signal.sum() + noise))
        for i in (1, 8):
            _, train = limited_flow(eigenvalues, signal, n, p, noise, times[i])
            covered(found.train_loss[i], found.train_error[i], train, note, 1e-23)


@pytest.mark.parametrize(
    ("n", "p"), [(1e9, 1e10), (30.0, 70.0), (50.0, 50.0), (300.0, 20.0), (1e4, INF), (INF, 1e4)]
)
@pytest.mark.parametrize("times", [(1e-3, 1e12, 60), (0.1, 10, 40), (1e-30, 1e60, 25), (5, 5, 9)])
def test_a_curve_is_its_points(n, p, times):
    task = PowerLawSpectrum(1.4, 0.6)
    t = np.full(9, 5.0) if times[0] == times[1] else np.geomspace(*times)
    sizes = {"features": n, "samples": p, "noise_variance": 0.1}
    if math.isfinite(max(n, p)):
        sizes["features"] = [[n], [2 * n]]  # curves among one another
    if times[1] > 1e50:  # beyond what an infinite spectrum is resolved to
        task = PowerLawSpectrum(1.4, 0.6, 500)
    curve = gradient_flow(t, task, **sizes)
    for i in range(0, t.size, 7):
        point = gradient_flow(t[i], task, **sizes)
        for name in ("test", "train"):
            one = getattr(curve, f"{name}_loss")[..., i].ravel()
            two, error = (np.ravel(getattr(point, f"{name}_{what}")) for what in ("loss", "error"))
            assert np.all(np.abs(one - two) <= 0.2 * error + 1e-15 * np.abs(two))


def test_a_path_that_is_lost_is_taken_up_again(monkeypatch):
    task, t = PowerLawSpectrum(1.5, 1.0), np.geomspace(1, 1e4, 12)
    sizes = {"features": 100, "samples": 40}
    before = gradient_flow(t, task, **sizes)
    near, calls = curves.kappa_near, []

    def failing(*arguments):
        calls.append(1)
        return (3, INF) if len(calls) % 3 == 0 else near(*arguments)

    monkeypatch.setattr(curves, "kappa_near", failing)
    after = gradient_flow(t, task, **sizes)
    assert len(calls) > 6
    np.testing.assert_allclose(after.test_loss, before.test_loss, rtol=1e-13)
    np.testing.assert_allclose(after.train_loss, before.train_loss, rtol=1e-13)


def test_guesses_that_are_far_off_are_refused():
    """From a guess beyond the physical sheet, or far away, nothing is returned."""
    modes = PowerLawSpectrum(1.5, 1.0).modes()
    given = (modes.eigenvalues, 1 / modes.eigenvalues, modes.multiplicities, modes.size)
    s = np.array([1e-3 + 1e-3j, 1e-3j])
    known = curves.resolve(modes, 100, 40, s)
    for shift, good in ((0.01, True), (3.0, False), (-1.5j, False)):
        x = np.log(known.kappa) + shift
        slopes, df1 = np.empty_like(x), np.empty_like(x)
        _, residual = curves.kappa_near(*given, 40.0, 0.4, 0.6, s, x, slopes, df1)
        assert math.isfinite(residual) is good
        if good:
            np.testing.assert_allclose(np.exp(x), known.kappa, rtol=1e-13)
            np.testing.assert_allclose(df1, known.df1, rtol=1e-13)
            # the slope is d log kappa / d log s
            other = curves.resolve(modes, 100, 40, s * (1 + 1e-6))
            change = np.log(other.kappa / known.kappa) / 1e-6
            np.testing.assert_allclose(slopes, change, rtol=1e-5)


def test_merged_modes_keep_their_moments():
    modes = PowerLawSpectrum(1.5, 1.0).modes()
    merged = curves.merged_below(modes, 1e-9)
    far = modes.eigenvalues < 1e-9
    assert merged.eigenvalues.size == np.count_nonzero(~far) + 2
    one, two = merged.eigenvalues[-2:]
    lam, c, signal = (
        array[far] for array in (modes.eigenvalues, modes.multiplicities, modes.signal)
    )
    c_one, (_, s_two) = merged.multiplicities[-2], merged.signal[-2:]
    assert [c_one * one, c_one * one**2, s_two, s_two * two] == pytest.approx(
        [c @ lam, c @ lam**2, signal.sum(), signal @ lam], rel=1e-13
    )
    assert curves.merged_below(modes, 0.0) is modes
