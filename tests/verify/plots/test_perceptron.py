"""Pictures of the perceptron show the solvers', the laws' and the simulations' numbers."""

import numpy as np
import pytest

from scalinglaws import theory
from scalinglaws.errors import DomainError
from scalinglaws.solvers import perceptron as solve
from scalinglaws.verify.estimate import norm_exponents
from scalinglaws.verify.plots.perceptron import (
    best_norm,
    collapse,
    complexity_curves,
    error_curves,
    exponent_bars,
    margin_histogram,
)
from scalinglaws.verify.simulate.perceptron import DigitsCurves, fixed_norm


def marked(axis, gid):
    """Return the data of the line with a name."""
    (line,) = (line for line in axis.get_lines() if line.get_gid() == gid)
    return np.asarray(line.get_xdata(), float), np.asarray(line.get_ydata(), float)


@pytest.fixture(scope="module")
def simulated():
    return {2: fixed_norm([0, 1, 8], alpha=2, inputs=40, draws=4)}


def test_errors_their_envelope_and_elbows(simulated, tmp_path):
    figure = error_curves([2, 1e3], simulated=simulated)
    (axis,) = figure.axes
    norm, error = marked(axis, "error 1000")
    np.testing.assert_allclose(error, solve.fixed_norm(1e3, norm).error)
    x, y = marked(axis, "envelope")
    assert x[-1] == pytest.approx(883.58573)
    assert y[-1] == pytest.approx(0.0004419773017)
    elbow, height = marked(axis, "elbows")
    assert elbow[-1] / 1e3 == pytest.approx(
        float(theory.law("perceptron.elbow").constant), rel=1e-2
    )
    start, power = marked(axis, "law 1000")
    assert power[-1] == pytest.approx(height[-1])  # it meets the least error at the elbow
    assert start[0] == pytest.approx(0.308218, abs=1e-5)
    x, y = marked(axis, "simulation 2")
    np.testing.assert_array_equal(x, [1, 8])
    np.testing.assert_allclose(y, simulated[2].error.mean(axis=0)[1:])
    figure.savefig(tmp_path / "errors.png")
    assert (tmp_path / "errors.png").stat().st_size > 10_000


def test_a_collapse_ends_on_the_master_curve(simulated):
    upper, lower = collapse([2, 1e4], simulated=simulated).axes
    x, ratio = marked(upper, "master")
    np.testing.assert_allclose(ratio, solve.master_curve(x).ratio)
    assert ratio[0] == pytest.approx(5.36878739253)
    assert np.max(np.abs(marked(lower, "deviation 10000")[1])) < 1e-3
    early, power = marked(upper, "law")
    np.testing.assert_allclose(power * early**0.5, 0.5331071606, rtol=1e-8)
    assert marked(upper, "simulation 2")[0].size == 2


def test_the_best_norm_and_its_exponent():
    left, right = best_norm([0.01, 0.1, 1, 100, 1000, 1e4]).axes
    alpha, norm = marked(left, "best norm")
    assert norm[4] == pytest.approx(883.58573)
    alpha, law = marked(left, "law")
    np.testing.assert_allclose(law, 0.8835851061 * alpha)
    slope = marked(right, "slope")[1]
    assert slope[0] == pytest.approx(0.5, abs=0.02)
    assert slope[-1] == pytest.approx(1, abs=1e-4)


def test_margins_and_their_density():
    found = fixed_norm([1, 8], alpha=4, inputs=60, margins=True, draws=2)
    (axis,) = margin_histogram(found, alpha=4, bins=40).axes
    x, density = marked(axis, "density 8")
    np.testing.assert_allclose(density, solve.fixed_norm(4, 8).margin_density(x))
    heights, edges, _ = axis.patches[1].get_data()
    assert axis.patches[1].get_gid() == "histogram 8"
    assert np.sum(heights * np.diff(edges)) == pytest.approx(0.9995, abs=3e-3)


def digits():
    P, norm = np.array([10.0, 40, 160, 640]), np.geomspace(0.5, 1e4, 200)
    elbow = 10 * P[:, None] ** 0.5
    law = (1 + (np.minimum(norm, elbow) / 3) ** 4) ** -0.15
    errors = law * np.random.default_rng(0).normal(1, 0.01, (4, 1, 1))
    observed = np.broadcast_to(norm, (1, *errors.shape))
    curves = DigitsCurves(P, np.arange(1.0, 201), errors, errors, observed)
    return curves, norm_exponents(P, observed[0], errors)


def test_complexity_along_training():
    curves, exponents = digits()
    left, right = complexity_curves(curves, exponents).axes
    steps, norm = marked(left, "norm 40")
    np.testing.assert_array_equal(steps, curves.steps)
    np.testing.assert_allclose(norm, curves.observed[0, 0, 1])
    np.testing.assert_allclose(marked(right, "elbows")[0], exponents.elbow)
    assert marked(right, "common norm")[0][0] == exponents.common_norm


def test_exponents_with_their_intervals():
    _, exponents = digits()
    (axis,) = exponent_bars({"first": exponents, "second": exponents}).axes
    for name in ("product", "total", "measured"):
        x, _ = marked(axis, name)
        np.testing.assert_allclose(x, getattr(exponents, name))


def test_refusals(simulated):
    with pytest.raises(DomainError, match="none of the alpha"):
        error_curves([1, 10], simulated=simulated)
    with pytest.raises(DomainError, match="two draws or more"):
        error_curves([2], simulated={2: fixed_norm(1, alpha=2, inputs=20)})
    with pytest.raises(DomainError, match="at most 12"):
        collapse(np.arange(1.0, 14))
    with pytest.raises(DomainError, match="limits"):
        error_curves([1], limits=(2, 1))
    with pytest.raises(DomainError, match="margins=True"):
        margin_histogram(simulated[2], alpha=2)
    with pytest.raises(DomainError, match="all above 0"):
        margin_histogram(fixed_norm([0, 1], alpha=2, inputs=20, margins=True), alpha=2)
    curves, exponents = digits()
    with pytest.raises(DomainError, match="must be of the samples"):
        complexity_curves(
            DigitsCurves(
                curves.samples[:3],
                *(getattr(curves, n) for n in ("steps", "error", "train_error", "observed")),
            ),
            exponents,
        )
    with pytest.raises(DomainError, match="which = 3 must"):
        complexity_curves(curves, exponents, which=3)
    with pytest.raises(DomainError, match="at least one"):
        exponent_bars({})
