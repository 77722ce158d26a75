"""Networks followed by one vector: the same draws with all their weights, plain exponentials, and how errors fall."""

import math
import os
import subprocess
import sys

import numpy as np
import pytest

from scalinglaws.errors import DomainError, ResourceError
from scalinglaws.solvers.spectra import EmpiricalSpectrum, PowerLawSpectrum
from scalinglaws.verify.simulate import linear
from scalinglaws.verify.simulate.feature_learning import (
    gradient_flow,
    kernel_spectrum,
    network_flow,
    rank_one_flow,
)

SPECTRUM, TIMES = PowerLawSpectrum(1.5, 0.5, 40), [0.0, 0.1, 1.0, 10.0, 50.0]
SIZES = [{}, {"features": 20}, {"features": 60}, {"features": 20, "samples": 12}, {"samples": 15}]
NAMES = ("test_loss", "train_loss", "kernel_scale")


@pytest.mark.parametrize("richness", [0.0, 1.0, 30.0])
@pytest.mark.parametrize("sizes", SIZES, ids=str)
def test_all_weights_of_the_same_draws_tell_the_same_and_errors_are_as_stated(sizes, richness):
    """No conserved quantity enters the other simulation."""
    given = {**sizes, "richness": richness, "noise_variance": 0.1, "draws": 2, "rng": 3}
    whole = gradient_flow(TIMES, SPECTRUM, **given)
    for tolerance in (1e-4, 1e-6, 1e-8):
        found = rank_one_flow(TIMES, SPECTRUM, tolerance=tolerance, **given)
        for name in NAMES:
            allowed = (1.0 if name == "kernel_scale" else 5.0) * tolerance ** (2 / 3)
            np.testing.assert_allclose(getattr(found, name), getattr(whole, name), rtol=allowed)


def test_a_network_of_unlimited_width_with_no_frozen_weights_is_the_same():
    one, two = (run(TIMES, SPECTRUM, richness=2.0) for run in (network_flow, rank_one_flow))
    for name in NAMES:
        np.testing.assert_allclose(getattr(two, name), getattr(one, name), rtol=3e-4)


@pytest.mark.parametrize("modes", [1, 3, 2000])
def test_without_richness_modes_decay_on_their_own(modes):
    spectrum, t = PowerLawSpectrum(1.5, 0.5, modes), np.geomspace(0.1, 1e4 if modes > 9 else 10, 9)
    found = rank_one_flow(t, spectrum, richness=0, tolerance=1e-8)
    exact = linear.gradient_flow(t, spectrum)
    np.testing.assert_allclose(found.test_loss, exact.test_loss, rtol=2e-5, atol=1e-11)
    np.testing.assert_array_equal(found.kernel_scale, 1.0)


def test_one_mode_against_quadrature():
    """s' = 2 gamma b g, b' = (2s - 1) g, with s(s - 1) = gamma b^2: time as an integral over b."""
    richness, power = 3.0, 2.0
    found = rank_one_flow(0.7, EmpiricalSpectrum([0.8], [power]), richness=richness, tolerance=1e-9)
    left = math.sqrt(found.test_loss[0] / power)
    nodes, weights = np.polynomial.legendre.leggauss(200)
    target = math.sqrt(power / 0.8)
    top = target * (1 - left)
    b = top * (nodes + 1) / 2
    rate = np.sqrt(1 + 4 * richness * b**2) * 0.8 * (target - b)
    assert np.sum(weights / rate) * top / 2 == pytest.approx(0.7, rel=1e-5)


def test_long_training_ends_where_the_features_end():
    spectrum = PowerLawSpectrum(1.5, 1.25, 120)
    found = rank_one_flow(1e6, spectrum, features=10, richness=1.0, rng=5, tolerance=1e-4)
    best = kernel_spectrum(spectrum, features=10, rng=5).floor
    assert found.test_loss[0] == pytest.approx(best, rel=1e-9)


@pytest.mark.pure
def test_draws_are_reproducible_and_do_not_depend_on_how_many_there_are():
    spectrum = PowerLawSpectrum(1.5, 1.0, 10)
    given = {"features": 4, "richness": 1.0, "rng": 3}
    few, many = (rank_one_flow([1, 2], spectrum, draws=n, **given) for n in (2, 4))
    alone = rank_one_flow(2, spectrum, **given)
    assert alone.test_loss.shape == (1,)
    for name in NAMES:
        np.testing.assert_array_equal(getattr(few, name), getattr(many, name)[:2])
        assert len(set(getattr(many, name)[:, 1])) == 4
    assert alone.test_loss[0] == pytest.approx(many.test_loss[0, 1], rel=1e-3)


@pytest.mark.pure
def test_nothing_to_learn_leaves_everything_in_place():
    for sizes in ({}, {"features": 3}, {"features": 3, "samples": 2}):
        found = rank_one_flow([0, 5], EmpiricalSpectrum([1.0, 0.5], [0, 0]), richness=2, **sizes)
        np.testing.assert_array_equal(found.test_loss, 0.0)
        np.testing.assert_array_equal(found.kernel_scale, 1.0)


@pytest.mark.pure
@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"t": [2, 1]}, r"t\[1\] = 1"),
        ({"t": math.inf}, "t = inf cannot be reached step by step"),
        ({"features": 0}, "features = 0"),
        ({"samples": 2.5}, "samples = 2.5 must be a whole number >= 1, or inf"),
        ({"richness": -1}, "richness = -1 must be >= 0 and finite"),
        ({"noise_variance": -1}, "noise_variance = -1"),
        ({"draws": 0}, "draws = 0"),
        ({"tolerance": 0.1}, "tolerance = 0.1"),
        ({"spectrum": PowerLawSpectrum(1.5, 1)}, "give a finite size"),
    ],
)
def test_refusals(changes, complaint):
    given = {"t": 1, "spectrum": PowerLawSpectrum(1.5, 1.0, 10), "richness": 1.0, **changes}
    with pytest.raises(DomainError, match=complaint):
        rank_one_flow(**given)


def test_what_would_not_end_or_not_fit_is_refused(monkeypatch):
    with pytest.raises(ResourceError, match=r"given up at t = 0: it takes too many steps"):
        rank_one_flow(1e30, PowerLawSpectrum(1.5, 0.5, 10**6), richness=1e9, tolerance=1e-2)
    monkeypatch.setenv("SCALINGLAWS_MEMORY", "1GB")
    with pytest.raises(ResourceError, match="use fewer modes"):
        rank_one_flow(np.arange(1000), PowerLawSpectrum(1.5, 0.5, 10**6), richness=1)


PROBE = """
from scalinglaws.solvers.spectra import PowerLawSpectrum
from scalinglaws.verify.simulate.feature_learning import rank_one_flow
found = rank_one_flow([0.1, 2], PowerLawSpectrum(1.5, 1.0, 8), features=5, samples=6, richness=2, draws=2, rng=5)
print(*found.test_loss.ravel(), *found.train_loss.ravel(), *found.kernel_scale.ravel())
"""


def test_compiled_or_not_the_numbers_are_the_same():
    found = []
    for switch in ("0", "1"):
        text = subprocess.run(
            [sys.executable, "-c", PROBE],
            capture_output=True,
            text=True,
            check=True,
            env={**os.environ, "SCALINGLAWS_JIT": switch},
        ).stdout
        found.append(np.array(text.split(), dtype=float))
    np.testing.assert_allclose(found[0], found[1], rtol=1e-9)
