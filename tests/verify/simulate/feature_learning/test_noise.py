"""Pairs of networks with opposite noise against plain loops, against training on batches, and where the answer is known."""

import math

import numpy as np
import pytest

from scalinglaws.errors import DomainError
from scalinglaws.solvers.spectra import EmpiricalSpectrum, PowerLawSpectrum
from scalinglaws.verify.simulate.feature_learning import (
    gradient_descent,
    online_sgd,
    opposite_noise,
)

TASK = PowerLawSpectrum(1.5, 0.5, 12)


def plain(steps, spectrum, *, batch, rate, richness, noisy, sign, rng):
    """Iterate w and A as the model is written down, on the noise that the pair has."""
    eigenvalues, signal = spectrum.explicit()
    roots, amplitudes = np.sqrt(eigenvalues), np.sqrt(signal)
    readout, layer, losses = np.zeros(roots.size), np.eye(roots.size), []
    for step in range(max(steps) + 1):
        error = amplitudes - roots * (layer.T @ readout)
        if step in steps:
            losses.append((error @ error, np.sum(error[amplitudes == 0] ** 2)))
        noise = np.zeros(roots.size)
        if step < noisy:
            chi, z = rng.chisquare(batch), rng.standard_normal(roots.size)
            across = z - (z @ error) / (error @ error) * error
            noise = (chi / batch - 1) * error
            noise += math.sqrt(chi) * np.linalg.norm(error) / batch * across
        pull = roots * (error + sign * noise)
        readout, layer = (
            readout + rate * layer @ pull,
            layer + rate * richness * np.outer(readout, pull),
        )
    return np.array(losses).T


@pytest.mark.parametrize("noisy", [2, math.inf])
@pytest.mark.parametrize("richness", [0.0, 3.0])
def test_against_a_plain_loop(richness, noisy):
    spectrum = EmpiricalSpectrum([1.0, 0.5, 0.5, 0.2], [0.4, 0.3, 0.0, 0.2])
    steps, rate, batch = [0, 1, 5, 12], 0.3, 7
    found = opposite_noise(
        steps,
        spectrum,
        batch=batch,
        learning_rate=rate,
        richness=richness,
        noisy=noisy,
        draws=2,
        rng=5,
    )
    for i, stream in enumerate(np.random.default_rng(5).spawn(2)):
        state, both = stream.bit_generator.state, []
        for sign in (1, -1):
            stream.bit_generator.state = state
            both.append(
                plain(
                    steps,
                    spectrum,
                    batch=batch,
                    rate=rate,
                    richness=richness,
                    noisy=noisy,
                    sign=sign,
                    rng=stream,
                )
            )
        expected = np.mean(both, axis=0)
        np.testing.assert_allclose(found.test_loss[i], expected[0], rtol=1e-10)
        np.testing.assert_allclose(found.silent_loss[i], expected[1], rtol=1e-9, atol=1e-15)


def test_without_noise_it_is_gradient_descent():
    given = {"learning_rate": 0.2, "richness": 2.0}
    found = opposite_noise([0, 3, 40], TASK, batch=5, **given)
    expected = gradient_descent([0, 3, 40], TASK, **given)
    np.testing.assert_allclose(found.quiet_loss, expected.test_loss[0], rtol=1e-10)
    np.testing.assert_allclose(found.quiet_scale, expected.kernel_scale[0], rtol=1e-12)


def test_pairs_have_the_mean_loss_of_training_on_batches():
    given = {"learning_rate": 0.1, "richness": 1.0, "batch": 20, "rng": 1}
    pairs = opposite_noise(60, TASK, **given, draws=2000)
    single = online_sgd(60, TASK, **given, draws=6000).test_loss
    error = math.hypot(single.std() / math.sqrt(6000), pairs.test_loss.std() / math.sqrt(2000))
    assert abs(pairs.test_loss.mean() - single.mean()) < 4 * error
    # what is linear in the noise is gone
    assert pairs.test_loss.std() < 0.6 * single.std()


def test_one_kick_of_a_lazy_network_is_known():
    """A batch's noise has the variance lambda L/B in a mode without signal, and falls by 1 - eta lambda a step."""
    eigenvalues = np.arange(1, 6) ** -1.5
    spectrum = EmpiricalSpectrum(np.append(eigenvalues, eigenvalues), np.repeat([0.2, 0.0], 5))
    steps, rate, batch, draws = np.array([1, 5, 20]), 0.3, 50, 4000
    found = opposite_noise(
        steps, spectrum, batch=batch, learning_rate=rate, richness=0.0, noisy=1, draws=draws
    ).silent_loss
    left = (1 - rate * eigenvalues) ** (2 * (steps[:, None] - 1))
    expected = rate**2 / batch * np.sum(eigenvalues**2 * left, axis=1)  # L = 1 at the start
    error = found.std(axis=0) / math.sqrt(draws)
    assert np.all(np.abs(found.mean(axis=0) - expected) < 4 * error)


def test_pairs_do_not_depend_on_how_many_there_are_and_shapes():
    given = {"batch": 3, "learning_rate": 0.1, "richness": 1.0, "rng": 2}
    many, few = (opposite_noise([1, 9], TASK, **given, draws=n) for n in (3, 2))
    np.testing.assert_array_equal(many.test_loss[:2], few.test_loss)
    one = opposite_noise(9, TASK, **given, draws=3)
    np.testing.assert_array_equal(one.test_loss, many.test_loss[:, 1])
    assert one.quiet_loss.shape == ()
    assert many == opposite_noise([1, 9], TASK, **given, draws=3)


@pytest.mark.pure
@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"steps": [2, 1]}, "is less than"),
        ({"batch": 0}, "batch = 0"),
        ({"learning_rate": 0}, "learning_rate = 0"),
        ({"richness": -1}, "richness = -1"),
        ({"noisy": 0}, "noisy = 0"),
        ({"draws": 0}, "draws = 0"),
        ({"spectrum": PowerLawSpectrum(1.5, 1)}, "give a finite size"),
    ],
)
def test_refusals(changes, complaint):
    given = {
        "steps": 1,
        "spectrum": TASK,
        "batch": 3,
        "learning_rate": 0.1,
        "richness": 1.0,
        **changes,
    }
    with pytest.raises(DomainError, match=complaint):
        opposite_noise(given.pop("steps"), given.pop("spectrum"), **given)


def test_rates_that_diverge_are_refused():
    with pytest.raises(DomainError, match="overflows at step"):
        opposite_noise(3000, TASK, batch=3, learning_rate=50.0, richness=1.0)
