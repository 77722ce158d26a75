"""Pictures of kernels that adapt show the solvers' numbers."""

import warnings
from functools import cache

import numpy as np
import pytest

from scalinglaws.errors import DomainError, ExtrapolationWarning
from scalinglaws.solvers.kernel_adaptation import linear_cnn, two_layer
from scalinglaws.verify.estimate import LearnabilityLadder
from scalinglaws.verify.plots.kernel_adaptation import (
    layer_histograms,
    learnability_collapse,
    learnability_curves,
    weight_marginal,
)
from scalinglaws.verify.simulate.kernel_adaptation import LearnabilityPoint, sample_deep


def marked(axis, gid):
    """Return the data of the line with a name."""
    (line,) = (line for line in axis.get_lines() if line.get_gid() == gid)
    return np.asarray(line.get_xdata(), float), np.asarray(line.get_ydata(), float)


def solved(ridge, dimension=100):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ExtrapolationWarning)
        return two_layer(
            [1, 0.1 * np.sqrt(6)],
            dimension=dimension,
            width=1000,
            scale=1000,
            ridge_per_sample=ridge,
            perpendicular="concentrated",
        )


def curve(alpha, samples=(50, 100, 200, 400, 800)):
    return linear_cnn(
        samples=samples,
        ridge=1,
        scale=100,
        channels=1000 * alpha,
        patches=10 * alpha,
        patch_size=50 * alpha,
    )


def test_densities_and_modes_are_the_solvers(tmp_path):
    solutions = [solved(0.1), solved(0.03), solved(0.001)]
    figure = weight_marginal(solutions)
    (axis,) = figure.axes
    for i, each in enumerate(solutions):
        x, y = marked(axis, f"density {i}")
        np.testing.assert_allclose(y, each.density(x))
        x, y = marked(axis, f"modes {i}")
        np.testing.assert_array_equal(x[x >= 0], each.modes)
        np.testing.assert_allclose(y, y[::-1])
    x, y = marked(axis, "prior")
    assert np.trapezoid(y, x) == pytest.approx(1)
    assert marked(axis, "modes 2")[0][-1] == pytest.approx(2.415, abs=0.01)
    figure.savefig(tmp_path / "weights.png")


def test_curves_are_the_solvers(tmp_path):
    curves = [curve(1), curve(2)]
    figure = learnability_curves(curves)
    (axis,) = figure.axes
    for i, each in enumerate(curves):
        x, y = marked(axis, f"adapted {i}")
        np.testing.assert_array_equal(x, each.samples)
        np.testing.assert_array_equal(y, each.learnability)
        np.testing.assert_array_equal(marked(axis, f"lazy {i}")[1], each.lazy_learnability)
    figure.savefig(tmp_path / "learnability.png")


@cache
def deep(points, neurons=(6, 3)):
    x = np.random.default_rng(0).standard_normal((60, 3))[:points]
    return sample_deep(
        x,
        x[:, 0],
        neurons=neurons,
        ridge=0.1,
        draws=60,
        warmup=100,
        rng=1,
        on_failure="return",
    )


def test_histograms_are_of_what_was_sampled(tmp_path):
    posteriors, priors = [deep(60), deep(60, (5, 4))], [deep(0), deep(0, (5, 4))]
    figure = layer_histograms(posteriors, priors)
    assert len(figure.axes) == 4
    for i, row in enumerate(np.reshape(figure.axes, (2, 2))):
        for layer, name in enumerate(("overlaps", "linear_parts"), start=1):
            axis = row[layer - 1]
            for kind, sample in (("posterior", posteriors[i]), ("prior", priors[i])):
                values = np.abs(getattr(sample, name))
                (patch,) = (p for p in axis.patches if p.get_gid() == f"{kind} {i} {layer}")
                heights, edges, least = patch.get_data()
                expected = np.histogram(values, edges)[0] / (values.size * np.diff(edges))
                assert edges[-1] >= values.max()
                np.testing.assert_allclose(heights, np.maximum(expected, least))
                assert least < expected[expected > 0].min()
                x, _ = marked(axis, f"largest {kind} {i} {layer}")
                assert x[0] == pytest.approx(values.max(axis=-1).mean())
            assert axis.get_xlim()[1] == edges[-1]
    # rows share their axes, so that networks can be compared
    assert figure.axes[0].get_xlim() == figure.axes[2].get_xlim()
    figure.savefig(tmp_path / "layers.png")


def test_histograms_refuse_samples_that_do_not_match():
    with pytest.raises(DomainError, match="must be a DeepSample"):
        layer_histograms("sample", deep(0))
    with pytest.raises(DomainError, match="1 to 4 samples; got 0"):
        layer_histograms([], [])
    with pytest.raises(DomainError, match="must have the widths of found"):
        layer_histograms(deep(60), deep(0, (5, 4)))
    with pytest.raises(DomainError, match="must have the widths of found"):
        layer_histograms([deep(60)] * 2, deep(0))


@pytest.mark.parametrize(
    ("draw", "given", "message"),
    [
        (weight_marginal, 1.0, "must be a TwoLayer"),
        (weight_marginal, [], "1 to 4 solutions; got 0"),
        (weight_marginal, [solved(0.1), solved(0.1, 50)], "one weight_variance and one dimension"),
        (learnability_curves, "curve", "must be a LinearCNN"),
        (learnability_curves, [curve(1, (50, 100))] * 5, "1 to 4 curves; got 5"),
        (learnability_curves, curve(1, 50), "samples one increasing row"),
        (learnability_curves, curve(1, (100, 50)), "samples one increasing row"),
    ],
)
def test_refusals(draw, given, message):
    with pytest.raises(DomainError, match=message):
        draw(given)


def measured(dimension, samples, mean, *, r_hat=1.0):
    """Build a point of two data sets."""
    values, row = mean + np.array([0.01, -0.01]), np.ones(2)
    return LearnabilityPoint(
        "made", dimension, samples, values, 0.1 * values, values, values, 0.01 * row, r_hat * row
    )


def test_ladders_collapse_and_say_what_is_left_out(tmp_path):
    ladder = LearnabilityLadder(
        (
            measured(8, 200, 0.15),
            measured(8, 300, 0.25),
            measured(16, 400, 0.15),
            measured(16, 600, 0.25, r_hat=1.3),
        )
    )
    figure = learnability_collapse(ladder, 1.0)
    axis = figure.axes[0]
    x, y = marked(axis, "learned 8")
    np.testing.assert_allclose(x, [25, 37.5])
    np.testing.assert_allclose(y, [0.15, 0.25])
    np.testing.assert_allclose(marked(axis, "learned 16")[0], [25])
    np.testing.assert_allclose(marked(axis, "lazy 8")[1], [0.015, 0.025])
    np.testing.assert_allclose(marked(axis, "left out 16"), [[37.5], [0.25]])
    (notes,) = (text for text in figure.texts if text.get_gid() == "notes")
    assert notes.get_text() == "left out: d = 16, P = 600: R-hat 1.300"
    figure.savefig(tmp_path / "ladder.png")


def test_a_ladder_without_gates_says_so():
    ladder = LearnabilityLadder((measured(8, 200, 0.15),))
    (notes,) = (t for t in learnability_collapse(ladder, 0.75).texts if t.get_gid() == "notes")
    assert notes.get_text() == "no point is left out"


@pytest.mark.parametrize(
    ("found", "exponent", "complaint"),
    [
        (1.0, 1.0, "LearnabilityLadder"),
        (LearnabilityLadder(()), 1.0, "at least one point"),
        (LearnabilityLadder((measured(8, 200, 0.15),)), np.nan, "exponent"),
    ],
)
def test_what_is_no_ladder_is_refused(found, exponent, complaint):
    with pytest.raises(DomainError, match=complaint):
        learnability_collapse(found, exponent)
