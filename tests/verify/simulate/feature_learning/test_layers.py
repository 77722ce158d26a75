"""Steps with all weights: the projected model is descent behind frozen features, and layers stay balanced as steps get short."""

import numpy as np
import pytest

from scalinglaws.errors import DomainError, ResourceError
from scalinglaws.solvers.spectra import EmpiricalSpectrum, PowerLawSpectrum
from scalinglaws.verify.simulate.feature_learning import (
    gradient_descent,
    layer_descent,
    network_flow,
)

TASK = PowerLawSpectrum(1.5, 0.5, 15)


@pytest.mark.parametrize("features", [8, 40])
def test_projected_descent_is_descent_behind_frozen_features(features):
    """To rounding, and both are what `gradient_descent` follows in fewer dimensions."""
    steps = [0, 1, 2, 30, 300]
    given = {"features": features, "richness": 2.0, "learning_rate": 0.1, "draws": 2, "rng": 4}
    projected, inner = (
        layer_descent(steps, TASK, trained=rule, **given) for rule in ("projected", "inner")
    )
    for name in ("test_loss", "readout", "spike", "edge"):
        np.testing.assert_allclose(
            getattr(projected, name), getattr(inner, name), rtol=1e-12, atol=1e-14
        )
    np.testing.assert_allclose(projected.gain, inner.gain, rtol=1e-9, atol=1e-9)
    reduced = gradient_descent(steps, TASK, **given)
    np.testing.assert_allclose(projected.test_loss, reduced.test_loss, rtol=1e-9)
    np.testing.assert_allclose(1 + projected.readout, reduced.kernel_scale, rtol=1e-9)


@pytest.mark.parametrize("trained", ["layer", "projected", "inner"])
def test_layers_stay_balanced_as_steps_get_short(trained):
    """What descent breaks of the conservation law is of first order in the rate."""
    broken = []
    for rate in (0.02, 0.01):
        found = layer_descent(
            round(4 / rate), TASK, features=25, richness=3.0, learning_rate=rate, trained=trained
        )
        broken.append(float((found.readout - found.gain)[0]))
    assert 0 < broken[1] < 0.02
    assert broken[0] / broken[1] == pytest.approx(2, rel=0.05)


def test_short_steps_are_the_flow_of_the_network():
    found = layer_descent(4000, TASK, features=10, richness=2.0, learning_rate=0.001, rng=2)
    flow = network_flow(4.0, TASK, features=10, richness=2.0, rng=2)
    np.testing.assert_allclose(found.test_loss, flow.test_loss, rtol=3e-3)
    np.testing.assert_allclose(1 + found.readout, flow.kernel_scale, rtol=3e-3)


def test_without_richness_the_layer_stands_still():
    found = layer_descent([0, 50], TASK, features=12, richness=0.0, learning_rate=0.1)
    np.testing.assert_array_equal(found.spike[:, 0], found.spike[:, 1])
    np.testing.assert_array_equal(found.gain, 0.0)
    np.testing.assert_array_equal(found.readout, 0.0)


def test_one_feature_has_no_second_eigenvalue_and_shapes():
    found = layer_descent(3, TASK, features=1, richness=1.0, learning_rate=0.05, draws=2)
    np.testing.assert_array_equal(found.edge, np.zeros(2))
    assert found == layer_descent(3, TASK, features=1, richness=1.0, learning_rate=0.05, draws=2)


@pytest.mark.pure
@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"steps": [2, 1]}, "is less than"),
        ({"features": 0}, "features = 0"),
        ({"learning_rate": 0}, "learning_rate = 0"),
        ({"richness": -1}, "richness = -1"),
        ({"trained": "all"}, "trained = 'all'"),
        ({"draws": 0}, "draws = 0"),
        ({"spectrum": PowerLawSpectrum(1.5, 1)}, "give a finite size"),
    ],
)
def test_refusals(changes, complaint):
    given = {
        "steps": 1,
        "spectrum": TASK,
        "features": 3,
        "learning_rate": 0.1,
        "richness": 1.0,
        **changes,
    }
    with pytest.raises(DomainError, match=complaint):
        layer_descent(given.pop("steps"), given.pop("spectrum"), **given)


def test_too_many_steps_and_too_long_ones_are_refused():
    with pytest.raises(ResourceError, match="too many"):
        layer_descent(10**12, TASK, features=3, learning_rate=0.1, richness=1.0)
    with pytest.raises(DomainError, match="overflows at step"):
        layer_descent(3000, TASK, features=3, learning_rate=50.0, richness=1.0)
    with pytest.raises(DomainError, match="overflows at step"):
        layer_descent(
            1, EmpiricalSpectrum([1.0], [1e300]), features=2, learning_rate=1.0, richness=1.0
        )
