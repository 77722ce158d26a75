"""Kernels that grow as recorded: the equations by another integrator, the lazy network, and what the levels tend to."""

import numpy as np
import pytest
from scipy.integrate import solve_ivp

from scalinglaws.errors import DomainError, ResourceError
from scalinglaws.solvers.spectra import EmpiricalSpectrum, PowerLawSpectrum
from scalinglaws.verify.simulate.feature_learning import frozen_growth, gradient_flow

SPECTRUM, TIMES = PowerLawSpectrum(1.5, 0.5, 4), np.array([0.0, 0.5, 3.0, 20.0])


def integrated(spectrum, levels, richness):
    """Integrate all levels and their kernels at once."""
    eigenvalues, signal = spectrum.explicit()
    target, modes = np.sqrt(signal / eigenvalues), eigenvalues.size

    def motion(_, state):
        v = state[: (levels + 1) * modes].reshape(levels + 1, modes)
        kernels = state[(levels + 1) * modes :].reshape(levels, modes, modes)
        force, grown = eigenvalues * v, []
        for errors, gradient in zip(v[:-1], force[:-1], strict=True):
            learned = target - errors
            product = np.outer(gradient, learned)
            grown.append(richness * (product + product.T + 2 * learned @ gradient * np.eye(modes)))
        moved = [-force[0], *(-kernel @ g for kernel, g in zip(kernels, force[1:], strict=True))]
        return np.concatenate([np.ravel(moved), np.ravel(grown)])

    start = np.concatenate([np.tile(target, levels + 1), np.tile(np.eye(modes).ravel(), levels)])
    found = solve_ivp(
        motion, (0, TIMES[-1]), start, method="LSODA", t_eval=TIMES, rtol=1e-10, atol=1e-13
    )
    v = found.y[: (levels + 1) * modes].reshape(levels + 1, modes, -1)
    return np.sum(eigenvalues[:, None] * v**2, axis=1)


def test_the_equations_by_another_integrator_and_errors_fall_with_the_square_of_the_steps():
    exact, errors = integrated(SPECTRUM, 3, 1.5), []
    for points in (50, 100):
        found = frozen_growth(TIMES, SPECTRUM, levels=3, richness=1.5, points=points).test_loss
        errors.append(np.abs(found[:, 1:3] / exact[:, 1:3] - 1).max())
    assert errors[0] < 2e-3
    assert errors[1] / errors[0] == pytest.approx(0.25, rel=0.25)


def test_at_the_default_the_loss_is_as_accurate_as_stated():
    t, given = np.geomspace(1, 100, 5), {"levels": 3, "richness": 1.0}
    spectrum = PowerLawSpectrum(1.5, 0.5, 40)
    found, fine = (frozen_growth(t, spectrum, points=n, **given).test_loss for n in (30, 120))
    np.testing.assert_allclose(found, fine, rtol=5e-3)


def test_the_levels_tend_to_the_network_that_causes_its_own_growth():
    t, spectrum = [0.3, 1.0, 3.0], PowerLawSpectrum(1.5, 0.5, 15)
    found = frozen_growth(t, spectrum, levels=14, richness=2.0, points=200)
    flow = gradient_flow(t, spectrum, richness=2.0)
    np.testing.assert_allclose(found.test_loss[-1], flow.test_loss[0], rtol=3e-4)
    np.testing.assert_allclose(found.kernel_scale[-1], flow.kernel_scale[0], rtol=3e-4)


def test_without_richness_all_levels_are_lazy():
    found = frozen_growth(TIMES, SPECTRUM, levels=2, richness=0)
    lazy = gradient_flow(TIMES, SPECTRUM, richness=0).test_loss[0]
    np.testing.assert_allclose(found.test_loss, np.tile(lazy, (3, 1)), rtol=1e-8)
    np.testing.assert_array_equal(found.kernel_scale, 1.0)


@pytest.mark.pure
def test_shapes_and_the_start():
    one, many = (frozen_growth(t, SPECTRUM, levels=1, richness=1) for t in (2.0, [0.0, 0.0, 2.0]))
    assert one.test_loss.shape == (2,)
    assert many.kernel_scale.shape == (2, 3)
    np.testing.assert_allclose(many.test_loss[:, 0], SPECTRUM.explicit()[1].sum(), rtol=1e-14)
    np.testing.assert_array_equal(many.kernel_scale[:, :2], 1.0)
    nothing = frozen_growth([0, 5], EmpiricalSpectrum([1.0, 0.5], [0, 0]), levels=2, richness=1)
    np.testing.assert_array_equal(nothing.test_loss, 0.0)
    start = frozen_growth(0.0, SPECTRUM, levels=1, richness=1)
    np.testing.assert_array_equal(start.kernel_scale, 1.0)


@pytest.mark.pure
@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"t": [2, 1]}, r"t\[1\] = 1"),
        ({"t": np.inf}, "t = inf cannot be reached step by step"),
        ({"levels": -1}, "levels = -1"),
        ({"levels": 1.5}, "levels = 1.5"),
        ({"points": 4}, "points = 4"),
        ({"richness": -1}, "richness = -1 must be >= 0 and finite"),
        ({"spectrum": PowerLawSpectrum(1.5, 1)}, "give a finite size"),
    ],
)
def test_refusals(changes, complaint):
    given = {"t": 1, "spectrum": SPECTRUM, "levels": 1, "richness": 1.0, **changes}
    with pytest.raises(DomainError, match=complaint):
        frozen_growth(**given)


@pytest.mark.pure
def test_too_much_work_is_refused():
    with pytest.raises(ResourceError, match="take too long; use fewer modes, levels or points"):
        frozen_growth(10.0, PowerLawSpectrum(1.5, 0.5, 5000), levels=9, richness=1)
