"""Pictures of training curves show the numbers of the fit and of the prediction."""

import numpy as np
import pytest

from scalinglaws.errors import DomainError
from scalinglaws.solvers.schedules import Schedule
from scalinglaws.verify.empirical import fit_curves
from scalinglaws.verify.plots.empirical import fitted_curves, predicted_curves


@pytest.fixture(scope="module")
def fit():
    rates = {
        "constant": np.full(2000, 0.1),
        "drop": np.repeat([0.1, 0.02], 1000),
        "half": np.repeat([0.1, 0.05], 1000),
    }
    rows = [
        (name, t, row[t], 2 + t**-0.5 - (row[0] - row[t]) * (1 - np.exp(-(t - 999) / 50)))
        for name, row in rates.items()
        for t in range(50, 2000, 25)
    ]
    columns = dict(zip(("run", "step", "lr", "loss"), zip(*rows, strict=True), strict=True))
    return fit_curves("momentum", columns, holdout=["half"])


def test_fitted_curves(fit, tmp_path):
    figure = fitted_curves(fit)
    above, below = figure.axes
    lines = {line.get_gid(): line for axes in (above, below) for line in axes.lines}
    curve = {curve.name: curve for curve in fit.curves}["drop"]
    x, y = lines["drop"].get_data()
    np.testing.assert_array_equal(y, curve.fitted[curve.steps >= curve.warmup])
    x, y = lines["drop, residuals"].get_data()
    late = np.isin(curve.steps, x)
    np.testing.assert_allclose(y, 100 * np.log(curve.losses[late] / curve.fitted[late]))
    assert set(lines["drop, measured"].get_ydata()) <= set(curve.losses)
    assert lines["half, measured"].get_markerfacecolor() == "none"  # nothing was fitted to it
    named = [text.get_text() for text in above.get_legend().get_texts()]
    assert named == ["constant", "drop", "half, not fitted"]
    assert "1 curve that was held out" in figure.texts[-1].get_text()
    figure.savefig(tmp_path / "fitted.png")


def test_predicted_curves(fit, tmp_path):
    made = Schedule.wsd(rate=0.1, steps=3000)
    found = fit.predict(made)
    figure = predicted_curves(
        fit, {"wsd": found, "cosine": fit.predict(Schedule.cosine(rate=0.1, steps=3000))}
    )
    rates, losses = figure.axes
    lines = {line.get_gid(): line for line in losses.lines}
    x, y = lines["wsd"].get_data()
    np.testing.assert_array_equal(y, found.loss[found.steps >= x[0]])
    assert x[-1] == 3000
    assert {part.get_gid() for part in losses.collections} == {"wsd, band", "cosine, band"}
    assert losses.get_legend().get_texts()[-2].get_text() == "wsd, predicted, 95 % band"
    assert max(line.get_xdata()[-1] for line in rates.lines) == 3000
    figure.savefig(tmp_path / "predicted.png")


def test_what_cannot_be_drawn_is_refused(fit):
    with pytest.raises(DomainError, match="CurveFit"):
        fitted_curves(fit.curves)
    for given, told in (
        ({}, "1 to 4"),
        ({"wsd": fit}, "CurvePrediction"),
        ({"wsd": fit.predict(np.full(100, 0.1), at=100)}, "fewer than two steps"),
    ):
        with pytest.raises(DomainError, match=told):
            predicted_curves(fit, given)
