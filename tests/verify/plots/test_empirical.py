"""Pictures of measured tasks show the numbers of the measurement and of the prediction."""

import numpy as np
import pytest
from matplotlib.figure import Figure

from scalinglaws.errors import DataError
from scalinglaws.verify.empirical import measure
from scalinglaws.verify.plots.empirical import learning_curve, spectrum_and_residual
from scalinglaws.verify.simulate.empirical import draw_task


@pytest.fixture(scope="module")
def task():
    drawn = draw_task(400, alpha=1.5, decay=0.75, rng=0)
    return measure(gram=drawn.gram, labels=drawn.labels)


def _line(axes, gid):
    (found,) = [line for line in axes.get_lines() if line.get_gid() == gid]
    return np.asarray(found.get_xdata(), float), np.asarray(found.get_ydata(), float)


def test_spectrum_and_residual(task, tmp_path):
    given = Figure()
    figure = spectrum_and_residual(task, figure=given)
    assert figure is given
    eigenvalues, residual, local, local_residual = figure.axes
    k, measured = _line(eigenvalues, "measured")
    np.testing.assert_array_equal(measured, task.spectrum.eigenvalues[k.astype(int) - 1])
    k, fit = _line(eigenvalues, "fit")
    assert (k[0], k[-1]) == pytest.approx(task.spectrum.window, rel=0.1)
    assert -np.polyfit(np.log(k), np.log(fit), 1)[0] == pytest.approx(task.capacity.value)
    k, left = _line(residual, "measured")
    np.testing.assert_allclose(left, 1 - np.cumsum(task.spectrum.shares)[k.astype(int) - 1])
    for axes, found in ((local, task.capacity), (local_residual, task.decay)):
        assert _line(axes, "estimate")[1][0] == found.value
        assert np.median(_line(axes, "local")[1]) == pytest.approx(found.value, rel=0.3)
    figure.savefig(tmp_path / "spectrum.png")


def test_learning_curve(task, tmp_path):
    prediction = task.predict()
    figure = learning_curve(task, prediction)
    left, right = figure.axes
    samples, loss = _line(left, "predicted")
    assert samples[-1] <= prediction.checked_to
    np.testing.assert_array_equal(loss, prediction.curve.loss[: loss.size])
    np.testing.assert_array_equal(_line(left, "held out")[1], task.held_out.measured)
    np.testing.assert_array_equal(_line(right, "ratio")[1], prediction.ratio)
    assert any("Held-out data" in text.get_text() for text in figure.texts)
    figure.savefig(tmp_path / "curve.png")


def test_what_is_not_known_is_not_drawn():
    k = np.arange(1.0, 2001)
    known = measure(eigenvalues=k**-1.5, coefficients=k**-0.875)
    left, right = learning_curve(known).axes
    assert [line.get_gid() for line in left.get_lines()] == ["beyond"]
    assert "not checked" in right.texts[0].get_text()
    few = measure(eigenvalues=k[:6] ** -1.5, coefficients=k[:6] ** -0.875)
    with pytest.raises(DataError, match="no learning curve to draw"):
        learning_curve(few)
    with pytest.raises(DataError, match="no spectrum to draw"):
        spectrum_and_residual(few)
