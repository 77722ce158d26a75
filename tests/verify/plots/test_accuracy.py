"""The picture of accuracy in two steps shows the numbers of the fit."""

import numpy as np
import pytest

from scalinglaws.errors import DomainError
from scalinglaws.verify.checks.empirical.accuracy import TARGET, draw_task
from scalinglaws.verify.empirical import fit_task
from scalinglaws.verify.empirical.fits._accuracy_curve import sigmoid
from scalinglaws.verify.plots import empirical as pictures


def lines(axes):
    return {line.get_gid(): line for line in axes.lines}


def test_both_steps_and_the_prediction():
    found = fit_task(draw_task(np.random.default_rng(0)), counts="total", bootstrap=100)
    at = found.predict([TARGET[0], 4e9], [TARGET[1], 8e10])
    left, right = pictures.accuracy_in_two_steps(found, at).axes
    C = 6 * found.fit.columns["N"] * found.fit.columns["D"]
    np.testing.assert_allclose(lines(left)["runs"].get_data(), [C, found.fit.losses])
    np.testing.assert_allclose(
        lines(left)["surface"].get_ydata(), found.fit.losses / np.exp(found.fit.residuals)
    )
    np.testing.assert_allclose(lines(left)["predicted"].get_ydata(), at.loss)
    x, y = lines(right)["sigmoid"].get_data()
    np.testing.assert_allclose(y, sigmoid(x, found.curve, 0.25))
    np.testing.assert_allclose(
        lines(right)["accuracies"].get_data(), [found.fit.losses, found.accuracy]
    )
    np.testing.assert_allclose(lines(right)["predicted"].get_data(), [at.loss, at.accuracy])
    assert {"chance", "ceiling", "midpoint"} <= set(lines(right))
    assert [entry.get_gid() for entry in right.collections if entry.get_gid()] == ["band"]
    low, high = right.get_xlim()
    assert low > high  # better losses to the right


def test_without_resamples_there_is_no_band():
    found = fit_task(draw_task(np.random.default_rng(0)), counts="total", bootstrap=0)
    figure = pictures.accuracy_in_two_steps(found, found.predict(*TARGET))
    assert "band" not in [entry.get_gid() for entry in figure.axes[1].collections]
    assert "predicted" not in lines(pictures.accuracy_in_two_steps(found).axes[1])
    with pytest.raises(DomainError, match="TaskFit"):
        pictures.accuracy_in_two_steps(found.fit)
    with pytest.raises(DomainError, match="AccuracyPrediction"):
        pictures.accuracy_in_two_steps(found, found)
