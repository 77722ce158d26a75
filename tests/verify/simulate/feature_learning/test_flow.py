"""Flows that learn features against the raw equations of motion, exact linear runs, small steps of descent, conserved quantities."""

import math
import os
import subprocess
import sys

import numpy as np
import pytest
from scipy.integrate import solve_ivp
from threadpoolctl import threadpool_limits

from scalinglaws.errors import ConvergenceError, DomainError, ResourceError
from scalinglaws.solvers.spectra import EmpiricalSpectrum, PowerLawSpectrum
from scalinglaws.verify.simulate import linear
from scalinglaws.verify.simulate._problems import problems
from scalinglaws.verify.simulate.feature_learning import (
    gradient_flow,
    kernel_spectrum,
    network_flow,
)
from scalinglaws.verify.simulate.feature_learning._integrator import integrate

# (modes, features, samples): every order of the three, equal sizes, and every limit
SIZES = [
    (14, 5, 9),
    (14, 9, 5),
    (6, 8, 12),
    (6, 12, 8),
    (9, 6, 14),
    (9, 14, 6),
    (8, 8, 8),
    (14, 6, math.inf),
    (6, 14, math.inf),
    (12, math.inf, 6),
    (6, math.inf, 12),
    (12, math.inf, math.inf),
]


@pytest.fixture(autouse=True)
def _one_thread():
    """Keep small matrices from waiting for busy cores."""
    with threadpool_limits(1):
        yield


class Raw:
    """One draw in the variables of the model, with the right-hand sides as they are written down.

    For infinite N there is no matrix of features: any M x M one with orthogonal rows of squared length M gives the same flow.
    """

    def __init__(self, spectrum, features, samples, noise, seed, draw=0):
        rng = np.random.default_rng(seed).spawn(draw + 1)[draw]
        self.eigenvalues, signal = spectrum.explicit()
        self.target = np.sqrt(signal / self.eigenvalues)
        modes, self.noise = self.eigenvalues.size, noise
        self.inputs = None
        self.covariance, self.push = np.diag(self.eigenvalues), np.zeros(modes)
        if samples < math.inf:
            self.inputs = rng.standard_normal((samples, modes)) * np.sqrt(self.eigenvalues)
            errors = math.sqrt(noise) * rng.standard_normal(samples)
            self.labels = self.inputs @ self.target + errors
            self.covariance, self.push = (
                self.inputs.T @ self.inputs / samples,
                self.inputs.T @ errors / samples,
            )
        if math.isinf(features):
            self.initial = (
                math.sqrt(modes)
                * np.linalg.qr(np.random.default_rng(99).standard_normal((modes, modes)))[0]
            )
        else:
            self.initial = rng.standard_normal((features, modes))
        self.shape = self.initial.shape

    def velocities(self, readout, layer, richness, projected):
        width = self.shape[0]
        v1 = self.covariance @ (self.target - layer.T @ readout / width) + self.push
        moved = self.initial.T @ (self.initial @ v1) / width if projected else v1
        return layer @ v1, richness * np.outer(readout, moved)

    def path(self, times, richness, projected, **given):
        rows = self.shape[0]

        def motion(_, state):
            one, two = self.velocities(
                state[:rows], state[rows:].reshape(self.shape), richness, projected
            )
            return np.r_[one, two.ravel()]

        start = np.r_[np.zeros(rows), self.initial.ravel()]
        states = solve_ivp(
            motion,
            (0, times[-1]),
            start,
            **{"method": "DOP853", "rtol": 1e-11, "atol": 1e-12} | given,
            t_eval=times,
        ).y.T
        return [(state[:rows], state[rows:].reshape(self.shape)) for state in states]

    def losses(self, readout, layer):
        learned = layer.T @ readout / self.shape[0]
        test = np.sum(self.eigenvalues * (self.target - learned) ** 2)
        return test, test + self.noise if self.inputs is None else np.mean(
            (self.labels - self.inputs @ learned) ** 2
        )

    def scale(self, readout, richness):
        return 1 + richness * readout @ readout / self.shape[0]


@pytest.mark.parametrize("simulate", [gradient_flow, network_flow])
@pytest.mark.parametrize(("modes", "features", "samples"), SIZES)
def test_flows_solve_the_raw_equations(modes, features, samples, simulate):
    spectrum, times, richness = (
        PowerLawSpectrum(1.5, 0.6, modes),
        np.array([0.0, 0.4, 3.0, 3.0, 25.0]),
        2.0,
    )
    found = simulate(
        times,
        spectrum,
        features=features,
        richness=richness,
        samples=samples,
        noise_variance=0.1,
        draws=2,
        rng=5,
    )
    raw = Raw(spectrum, features, samples, 0.1, 5, draw=1)
    path = raw.path(np.unique(times), richness, simulate is gradient_flow)
    path = [path[i] for i in (0, 1, 2, 2, 3)]
    expected = np.array([(*raw.losses(*state), raw.scale(state[0], richness)) for state in path]).T
    np.testing.assert_allclose(found.test_loss[1], expected[0], rtol=1e-7)
    np.testing.assert_allclose(found.train_loss[1], expected[1], rtol=1e-7, atol=1e-9)
    np.testing.assert_allclose(found.kernel_scale[1], expected[2], rtol=1e-8)


@pytest.mark.parametrize("simulate", [gradient_flow, network_flow])
@pytest.mark.parametrize(("modes", "features", "samples"), SIZES)
def test_without_richness_it_is_the_exact_flow_of_the_linear_model_on_the_same_draws(
    modes, features, samples, simulate
):
    # w / sqrt(N) is the linear model's readout, A_0 / sqrt(N) its projection
    spectrum, times = PowerLawSpectrum(1.5, 0.8, modes), [0, 0.3, 5, 200]
    given = {"features": features, "samples": samples, "noise_variance": 0.1, "draws": 2, "rng": 7}
    found, exact = (
        simulate(times, spectrum, richness=0, **given),
        linear.gradient_flow(times, spectrum, **given),
    )
    np.testing.assert_allclose(found.test_loss, exact.test_loss, rtol=1e-7)
    np.testing.assert_allclose(found.train_loss, exact.train_loss, rtol=1e-7, atol=1e-9)
    np.testing.assert_array_equal(found.kernel_scale, 1.0)


@pytest.mark.parametrize("tolerance", [1e-5, 1e-8, 1e-11])
def test_the_law_of_conservation_holds_as_well_as_steps_are_accurate(tolerance):
    # Ahat Ahat^T - gamma w w^T = N on the rows' space, with A = B A_0 and Ahat = A S_0^(-1/2), rebuilt in the model's variables
    modes, features, samples, richness = 20, 7, 15, 3.0
    eigenvalues, signal = PowerLawSpectrum(1.5, 0.5, modes).explicit()
    problem = next(
        problems(np.random.default_rng(3), 1, eigenvalues, signal, features, samples, 0.0)
    )
    rates, initial = problem.rates, math.sqrt(features) * problem.projection
    drive = np.sqrt(rates) * problem.labels / math.sqrt(samples)
    root = np.linalg.pinv(initial.T @ initial / features, rcond=1e-10, hermitian=True)
    worst = 0.0
    for end in (0.5, 5.0, 50.0):
        learned, squares, omega, forward = integrate(
            np.array([end]), np.eye(rates.size), rates, drive, richness, tolerance
        )
        readout, layer = (
            math.sqrt(features) * problem.right.T @ omega,
            problem.right.T @ forward @ problem.right @ initial,
        )
        np.testing.assert_allclose(learned[:, 0], forward.T @ omega, rtol=1e-12)
        assert squares[0] == pytest.approx(readout @ readout / features, rel=1e-12)
        invariant = layer @ root @ layer.T - richness * np.outer(readout, readout)
        worst = max(worst, np.abs(invariant / features - np.eye(features)).max())
    assert worst < 300 * tolerance
    assert np.linalg.norm(readout) > 1  # something has happened


def test_the_network_conserves_the_difference_between_its_layers():
    # A A^T - gamma w w^T stays what it was at the start
    eigenvalues, signal = PowerLawSpectrum(1.5, 0.5, 15).explicit()
    start = np.random.default_rng(4).standard_normal((6, 15)) / math.sqrt(6)
    for end in (0.5, 5.0, 50.0):
        _, _, omega, layer = integrate(
            np.array([end]), start, eigenvalues, np.sqrt(eigenvalues * signal), 3.0, 1e-9
        )
        np.testing.assert_allclose(
            layer @ layer.T - 3 * np.outer(omega, omega), start @ start.T, atol=1e-7
        )
    assert omega @ omega > 1


@pytest.mark.parametrize("simulate", [gradient_flow, network_flow])
def test_small_steps_of_descent_approach_the_flow(simulate):
    spectrum, richness = PowerLawSpectrum(1.5, 0.6, 14), 2.0
    found = simulate(
        2.0, spectrum, features=6, richness=richness, samples=10, noise_variance=0.1, rng=8
    )
    raw, errors = Raw(spectrum, 6, 10, 0.1, 8), []
    for rate in (1e-2, 1e-3):
        readout, layer = np.zeros(6), raw.initial
        for _ in range(round(2 / rate)):
            one, two = raw.velocities(readout, layer, richness, simulate is gradient_flow)
            readout, layer = readout + rate * one, layer + rate * two
        errors.append(
            [
                loss - flow[0]
                for loss, flow in zip(
                    raw.losses(readout, layer), (found.test_loss, found.train_loss), strict=True
                )
            ]
        )
    errors = np.array(errors)
    assert np.all(np.abs(errors[0]) < 2e-3)
    np.testing.assert_allclose(
        errors[1] / errors[0], 0.1, rtol=0.1
    )  # first order in the learning rate


def test_errors_fall_with_the_tolerance():
    spectrum, times = PowerLawSpectrum(1.5, 0.4, 30), np.geomspace(0.1, 100, 7)
    given = {"features": 12, "richness": 3, "rng": 2}
    best = gradient_flow(times, spectrum, tolerance=1e-13, **given)
    for tolerance in (1e-4, 1e-6, 1e-8, 1e-10):
        found = gradient_flow(times, spectrum, tolerance=tolerance, **given)
        np.testing.assert_allclose(found.test_loss, best.test_loss, rtol=20 * tolerance)
        np.testing.assert_allclose(found.kernel_scale, best.kernel_scale, rtol=20 * tolerance)


def test_losses_do_not_depend_on_which_times_are_recorded():
    spectrum, given = (
        PowerLawSpectrum(1.5, 0.5, 20),
        {"features": 8, "richness": 2, "samples": 12, "rng": 1},
    )
    many = gradient_flow(np.linspace(0, 30, 200), spectrum, **given)
    alone = gradient_flow(30, spectrum, **given)
    assert many.test_loss[0, -1] == pytest.approx(alone.test_loss[0], rel=1e-7)
    assert many.kernel_scale[0, -1] == pytest.approx(alone.kernel_scale[0], rel=1e-8)
    assert np.all(np.diff(many.train_loss[0]) < 0)


@pytest.mark.parametrize(("modes", "features", "samples"), SIZES)
def test_the_kernel_is_that_of_the_same_draw(modes, features, samples):
    spectrum = PowerLawSpectrum(1.5, 0.8, modes)
    found = kernel_spectrum(spectrum, features=features, samples=samples, rng=6)
    raw = Raw(spectrum, features, samples, 0.0, 6)
    values, vectors = np.linalg.eigh(raw.covariance)
    root = vectors * np.sqrt(np.maximum(values, 0)) @ vectors.T
    kernel = root @ raw.initial.T @ raw.initial @ root / raw.shape[0]
    x, directions = np.linalg.eigh(kernel)
    rank = int(min(modes, features, samples))
    assert found.eigenvalues.shape == found.powers.shape == (rank,)
    np.testing.assert_allclose(found.eigenvalues, x[::-1][:rank], rtol=1e-9)
    powers = (directions.T @ root @ raw.target)[::-1] ** 2
    np.testing.assert_allclose(found.powers, powers[:rank], rtol=1e-6, atol=1e-12)
    assert found.floor == pytest.approx(powers[rank:].sum(), abs=1e-9)
    # the lazy train loss is made of it
    times = np.array([0.0, 1.0, 30.0])
    lazy = gradient_flow(
        times, spectrum, features=features, richness=0, samples=samples, rng=6
    ).train_loss[0]
    np.testing.assert_allclose(
        found.floor + np.exp(-2 * np.outer(times, found.eigenvalues)) @ found.powers,
        lazy,
        rtol=1e-7,
        atol=1e-10,
    )


@pytest.mark.parametrize("samples", [9, math.inf])
def test_kernels_of_one_generator_are_those_of_its_draws_and_contain_the_noise(samples):
    spectrum, source = PowerLawSpectrum(1.5, 0.8, 12), np.random.default_rng(6)
    given = {"features": 5, "samples": samples, "noise_variance": 0.3}
    start = gradient_flow([0, 1.0], spectrum, richness=0, draws=3, rng=6, **given).train_loss
    for draw in range(3):
        found = kernel_spectrum(spectrum, rng=source, **given)
        assert found.floor + found.powers.sum() == pytest.approx(start[draw, 0], rel=1e-12)
        assert found.floor + np.exp(-2 * found.eigenvalues) @ found.powers == pytest.approx(
            start[draw, 1], rel=1e-8
        )


def test_directions_without_rate_belong_to_the_floor():
    found = kernel_spectrum(
        EmpiricalSpectrum([1.0, 0.5, 1e-40], [0.3, 0.2, 0.1]), features=3, rng=1
    )
    assert found.eigenvalues.size == 2
    assert found.floor + found.powers.sum() == pytest.approx(0.6, rel=1e-12)
    assert found.floor == pytest.approx(0.1, rel=1e-6)


@pytest.mark.pure
@pytest.mark.parametrize("simulate", [gradient_flow, network_flow])
def test_draws_are_reproducible_and_do_not_depend_on_how_many_there_are(simulate):
    spectrum = PowerLawSpectrum(1.5, 1.0, 10)
    given = {"features": 4, "samples": 5, "richness": 1.0, "noise_variance": 0.1}
    few, many = (simulate([0.5, 3], spectrum, draws=draws, rng=3, **given) for draws in (2, 4))
    for name in ("test_loss", "train_loss", "kernel_scale"):
        np.testing.assert_array_equal(getattr(few, name), getattr(many, name)[:2])
        assert len(set(getattr(many, name)[:, 1])) == 4
    source = np.random.default_rng(3)
    np.testing.assert_array_equal(
        simulate([0.5, 3], spectrum, draws=2, rng=source, **given).test_loss, few.test_loss
    )
    np.testing.assert_array_equal(
        simulate([0.5, 3], spectrum, draws=2, rng=source, **given).test_loss, many.test_loss[2:]
    )


@pytest.mark.pure
@pytest.mark.parametrize("simulate", [gradient_flow, network_flow])
def test_a_single_time_gives_one_loss_per_draw(simulate):
    spectrum = PowerLawSpectrum(1.5, 1.0, 5)
    alone, listed = simulate(2, spectrum, richness=1), simulate([2], spectrum, richness=1)
    assert alone.test_loss.shape == alone.train_loss.shape == alone.kernel_scale.shape == (1,)
    assert listed.test_loss.shape == (1, 1)
    assert alone.test_loss[0] == listed.test_loss[0, 0]
    start = simulate(0, spectrum, richness=1)
    assert start.test_loss[0] == pytest.approx(spectrum.explicit()[1].sum(), rel=1e-14)
    assert start.kernel_scale[0] == 1


@pytest.mark.parametrize("simulate", [gradient_flow, network_flow])
def test_nothing_to_learn_leaves_everything_in_place(simulate):
    found = simulate([0, 10], EmpiricalSpectrum([1.0, 0.5], [0.0, 0.0]), features=3, richness=2)
    np.testing.assert_array_equal(found.test_loss, 0.0)
    np.testing.assert_array_equal(found.kernel_scale, 1.0)


@pytest.mark.parametrize("simulate", [gradient_flow, network_flow])
def test_units_of_time_and_of_the_target_do_not_matter(simulate):
    # eigenvalues times c: time over c; target times c: richness over c^2 and losses times c^2
    base = EmpiricalSpectrum([1.0, 0.5, 0.1], [0.3, 0.2, 0.1])
    scaled = EmpiricalSpectrum([1e60, 5e59, 1e59], [3e-31, 2e-31, 1e-31])  # w*^2 times 1e-90
    one = simulate([1.0, 9.0], base, features=2, richness=1.5, rng=3)
    two = simulate([1e-60, 9e-60], scaled, features=2, richness=1.5e90, rng=3)
    np.testing.assert_allclose(one.test_loss, two.test_loss * 1e30, rtol=1e-7)
    np.testing.assert_allclose(one.kernel_scale, two.kernel_scale, rtol=1e-8)


PROBE = """
from scalinglaws.solvers.spectra import PowerLawSpectrum
from scalinglaws.verify.simulate.feature_learning import gradient_flow, network_flow
for simulate in (gradient_flow, network_flow):
    found = simulate([0.5, 3], PowerLawSpectrum(1.5, 1.0, 8), features=4, samples=6, richness=2, draws=2, rng=5)
    print(*found.test_loss.ravel(), *found.train_loss.ravel(), *found.kernel_scale.ravel())
"""


def test_compiled_or_not_the_numbers_are_the_same():
    found = []
    for switch in ("0", "1"):
        environment = {**os.environ, "SCALINGLAWS_JIT": switch}
        run = subprocess.run(
            [sys.executable, "-c", PROBE],
            capture_output=True,
            text=True,
            check=True,
            env=environment,
        )
        found.append(np.array(run.stdout.split(), float))
    np.testing.assert_allclose(found[0], found[1], rtol=1e-8)


SPECTRUM = PowerLawSpectrum(1.5, 1.0, 10)


@pytest.mark.parametrize("simulate", [gradient_flow, network_flow])
@pytest.mark.parametrize(
    ("given", "complaint"),
    [
        ({"t": math.inf}, "t = inf cannot be reached"),
        ({"t": [0, -1]}, r"t\[1\] = -1.0 must be >= 0"),
        ({"t": [2, 1]}, r"t\[1\] = 1.0 is less than the one before it"),
        ({"features": 0}, "features = 0"),
        ({"features": 2.5}, "features = 2.5"),
        ({"samples": 0}, "samples = 0"),
        ({"richness": -1}, "richness = -1"),
        ({"richness": math.inf}, "richness = inf"),
        ({"richness": math.nan}, "richness = nan"),
        ({"noise_variance": -1}, "noise_variance = -1"),
        ({"draws": 0}, "draws = 0"),
        ({"tolerance": 0}, "tolerance = 0"),
        ({"tolerance": 1e-16}, "tolerance = 1e-16"),
        ({"spectrum": PowerLawSpectrum(1.5, 1.0)}, "give a finite size"),
    ],
)
def test_refusals(simulate, given, complaint):
    with pytest.raises(DomainError, match=complaint):
        simulate(**{"t": 1.0, "spectrum": SPECTRUM, "richness": 1.0} | given)


def test_kernels_refuse_what_they_cannot_draw():
    for given, complaint in (
        ({"features": 0}, "features = 0"),
        ({"samples": 1.5}, "samples"),
        ({"noise_variance": -1}, "noise"),
    ):
        with pytest.raises(DomainError, match=complaint):
            kernel_spectrum(SPECTRUM, **given)


@pytest.mark.parametrize("simulate", [gradient_flow, network_flow])
def test_what_would_take_too_long_or_too_much_is_refused(simulate, monkeypatch):
    monkeypatch.setenv("SCALINGLAWS_MEMORY", "2GB")
    with pytest.raises(ResourceError, match="use fewer modes"):
        simulate(1, PowerLawSpectrum(1.5, 1.0, 1e6), features=1000, richness=1)
    with pytest.raises(ResourceError, match=r"t = 1e\+15 needs at least .* steps .* end earlier"):
        simulate(1e15, SPECTRUM, features=5, richness=1)


def test_a_run_that_takes_too_long_says_how_far_it_came(monkeypatch):
    monkeypatch.setattr("scalinglaws.verify.simulate.feature_learning._integrator._MOST_WORK", 1e6)
    with pytest.raises(
        ResourceError, match=r"given up at t = \d.*end earlier, or lower the richness"
    ):
        gradient_flow(100, SPECTRUM, richness=100)


@pytest.mark.parametrize("simulate", [gradient_flow, network_flow])
def test_hopeless_runs_are_given_up_soon(simulate):
    with pytest.raises(ResourceError, match=r"given up at t = \d.*lower the richness"):
        simulate(1, SPECTRUM, features=5, richness=1e40)


@pytest.mark.parametrize("simulate", [gradient_flow, network_flow])
def test_steps_too_small_for_double_precision_are_refused(simulate):
    with pytest.raises(ConvergenceError, match="too small to move on"):
        simulate(1, EmpiricalSpectrum([1.0, 0.5], [1e200, 1e200]), features=5, richness=1e200)
