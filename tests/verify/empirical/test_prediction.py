"""What is predicted for a measured task: exponents by their laws, a curve with a band, and what held-out data say."""

import math
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from scalinglaws import theory
from scalinglaws.solvers import PowerLawSpectrum
from scalinglaws.solvers.linear import ridge
from scalinglaws.verify.empirical import TaskPrediction, predicted_loss
from scalinglaws.verify.empirical._measurement import TaskMeasurement
from scalinglaws.verify.empirical._prediction import LAWS, RIDGE, predict
from scalinglaws.verify.empirical._records import NO_POWER_LAW, TOO_FEW

sys.path.insert(0, str(Path(__file__).parent))
from tasks import exponent, held_out, measured, power_laws


def values(prediction):
    return {entry.quantity: entry.value for entry in prediction.exponents}


@pytest.mark.parametrize(
    ("alpha", "beta", "lazy", "rich"),
    [(1.3, 0.3, 0.1695652, 0.2113821), (1.2, 0.05, 0.02727273, 0.03680982), (2.0, 0.5, 1 / 3, 0.4)],
)
def test_compute_exponents_of_the_tables(alpha, beta, lazy, rich):
    found = values(predict(measured(alpha, beta)))
    assert found["compute, lazy"] == pytest.approx(lazy, abs=5e-8)
    assert found["compute, rich"] == pytest.approx(rich, abs=5e-8)
    assert found["time, lazy"] == beta
    assert found["time, rich"] == pytest.approx(2 * beta / (1 + beta))
    assert found["model"] == found["data"] == pytest.approx(alpha * beta)


@pytest.mark.parametrize(("alpha", "beta"), [(1.5, 1.2), (2.5, 3.0), (1.1, 0.7)])
def test_each_exponent_is_what_its_law_says(alpha, beta):
    found = predict(measured(alpha, beta)).exponents
    assert [(entry.quantity, entry.law) for entry in found] == list(LAWS)
    for entry in found:
        law = theory.law(entry.law)
        assert entry.value == pytest.approx(float(law(alpha=alpha, beta=beta)), rel=1e-14)
        assert entry.regime == law.regime(alpha=alpha, beta=beta)
        assert entry.reason == ""


def test_intervals_come_from_the_replicates():
    task = measured(1.5, 0.5, errors=(0.02, 0.03))
    found = {entry.quantity: entry for entry in predict(task).exponents}
    # in time alone the source counts: half-samples at .47, .47, .53, .53
    assert found["time, lazy"].statistical == pytest.approx(0.03 * math.sqrt(4 / 3))
    assert found["time, lazy"].drift == pytest.approx(0, abs=1e-12)
    assert found["time, lazy"].systematic == pytest.approx(0, abs=1e-9)
    low, high = found["time, lazy"].interval
    assert high - low == pytest.approx(2 * 1.96 * 0.03 * math.sqrt(4 / 3), rel=1e-6)
    law = theory.law("feature_learning.compute")
    pairs = [(half.capacity, half.decay / half.capacity) for half in task.half_samples]
    rich = np.array([float(law(alpha=a, beta=b)) for a, b in pairs])
    assert found["compute, rich"].statistical == pytest.approx(rich.std(ddof=1))
    assert found["compute, rich"].drift == pytest.approx(
        abs(rich.mean() - found["compute, rich"].value)
    )


def test_sub_windows_that_differ_widen_intervals_and_band():
    task = measured(1.5, 0.5)
    k = np.arange(1.0, 121)
    bent = replace(task.spectrum, eigenvalues=task.spectrum.eigenvalues * (1 + k / 40) ** -0.5)
    other = replace(task, spectrum=bent)
    for entry, same in zip(predict(other).exponents, predict(task).exponents, strict=True):
        assert same.systematic < 1e-6
        if entry.quantity not in ("model", "data"):  # which hang on alpha beta alone
            assert entry.systematic > 0.001
    assert np.all(predict(other).curve.systematic > predict(task).curve.systematic)


def test_an_interval_that_straddles_a_boundary_is_told():
    found = {e.quantity: e for e in predict(measured(1.5, 0.97, errors=(0.01, 0.03))).exponents}
    assert set(found["time, rich"].regimes) == {"hard", "easy"}
    assert set(found["model"].regimes) == {"source-limited", "saturated"}
    assert set(found["compute, lazy"].regimes) == {"Ia", "II"}
    assert found["data"].regimes == ("source-limited",)  # its boundary is beta = 2
    away = {e.quantity: e for e in predict(measured(1.5, 0.5, errors=(0.01, 0.03))).exponents}
    assert all(len(entry.regimes) == 1 for entry in away.values())


def test_half_samples_outside_a_laws_validity_are_counted():
    task = measured(1.02, 0.5, errors=(0.04, 0.01))
    found = {entry.quantity: entry for entry in predict(task).exponents}
    assert "2 of 4 half-samples lie outside the law's validity" in found["model"].reason
    assert found["time, lazy"].reason == ""  # which holds for any capacity
    assert set(found["compute, lazy"].regimes) == {"Ia", "Ib"}


def test_outside_the_validity_of_a_law_there_is_a_reason_and_no_number():
    # known eigenvalues may fall as slowly as they like
    task = measured(1.5, 0.5, capacity=exponent(0.9), half_samples=(), spectrum=None)
    found = {entry.quantity: entry for entry in predict(task).exponents}
    assert found["model"].value is None
    assert found["model"].interval is None
    assert "linear.model holds for alpha > 1; got alpha = 0.9" in found["model"].reason
    assert found["compute, lazy"].regime == "Ib"
    assert found["compute, lazy"].value == pytest.approx(0.9 * 0.5 / 2)
    assert "no interval" in found["compute, lazy"].reason


def test_without_a_capacity_nothing_is_predicted_and_why_is_said():
    none = exponent(None, verdict=TOO_FEW, reason="30 samples resolve modes up to 4")
    task = measured(
        1.5, 0.5, capacity=none, source=none, decay=none, spectrum=None, half_samples=()
    )
    found = predict(task)
    assert all(entry.value is None for entry in found.exponents)
    assert all("30 samples resolve modes up to 4" in entry.reason for entry in found.exponents)
    assert found.curve is None
    assert "No learning curve is predicted: 30 samples" in " ".join(found.notes)
    assert found.agrees is None


def test_what_is_no_power_law_is_told_beside_the_numbers():
    bent = exponent(1.5, verdict=NO_POWER_LAW, reason="Local exponents differ.")
    found = predict(measured(1.5, 0.5, capacity=bent))
    assert values(found)["data"] == pytest.approx(0.75)
    assert any(note.startswith("The capacity: not a power law.") for note in found.notes)


# -- learning curve -----------------------------------------------------------------------------------------------------


def test_the_curve_runs_to_ten_times_the_data_and_is_the_solvers():
    found = predict(measured(1.5, 0.5, samples=2000)).curve
    assert found.samples[0] == pytest.approx(10)
    assert found.samples[-1] == pytest.approx(20_000)
    # signals of the same power: beyond the first modes, a residual of (k + 1/2)^-d has shares d k^-(d + 1)
    exact = ridge(PowerLawSpectrum(1.5, 0.5), samples=found.samples).test_loss
    ratio = found.loss / exact
    assert ratio[-1] == pytest.approx(0.75 * 0.5**0.75, rel=0.01)


def test_the_band_is_made_of_three_errors():
    task = measured(1.5, 0.5, errors=(0.02, 0.03))
    curve = predict(task).curve
    halves = np.log([predicted_loss(h, curve.samples, ridge=RIDGE) for h in task.half_samples])
    np.testing.assert_allclose(curve.statistical, halves.std(axis=0, ddof=1), rtol=1e-9)
    np.testing.assert_allclose(
        curve.drift, np.abs(halves.mean(axis=0) - np.log(curve.loss)), atol=1e-12
    )
    whole = np.sqrt(curve.statistical**2 + curve.systematic**2 + curve.drift**2)
    np.testing.assert_allclose(np.log(curve.high / curve.loss), 1.96 * whole, rtol=1e-9)
    np.testing.assert_allclose(curve.high * curve.low, curve.loss**2, rtol=1e-12)
    assert curve.high[-1] / curve.low[-1] > curve.high[0] / curve.low[0]


def test_without_held_out_data_nothing_is_called_checked():
    found = predict(measured(1.5, 0.5))
    assert found.checked_to is None
    assert found.agrees is None
    assert found.curve.extrapolated.all()
    assert any("is not checked" in note for note in found.notes)


def test_spectra_that_are_known_have_no_samples():
    task = measured(1.5, 0.5, samples=math.inf, half_samples=(), spectrum=power_laws(1.5, 0.75))
    found = predict(task)
    assert found.curve.samples[-1] == pytest.approx(10 * 60)
    assert any("no statistical error" in note for note in found.notes)
    np.testing.assert_allclose(found.curve.statistical, 0)
    assert all("no interval" in entry.reason for entry in found.exponents)


def test_held_out_data_that_agree():
    task = measured(1.5, 0.5, errors=(0.02, 0.03), samples=1000)
    sizes = [20.0, 80.0, 300.0]
    predicted = predicted_loss(task.spectrum, sizes)
    found = predict(replace(task, held_out=held_out(sizes, predicted, [1.01, 0.98, 1.03])))
    assert found.agrees is True
    assert found.checked_to == 300
    assert np.array_equal(found.curve.extrapolated, found.curve.samples > 300)
    np.testing.assert_allclose(found.ratio, [1.01, 0.98, 1.03])
    assert any("agree with the predicted curve from P = 20 to 300" in note for note in found.notes)
    assert any("0.98 to 1.03 times" in note for note in found.notes)


@pytest.mark.parametrize(
    ("ratio", "word", "share"), [(1.35, "optimistic", "26"), (0.7, "pessimistic", "43")]
)
def test_held_out_data_that_do_not_agree_are_told_in_words(ratio, word, share):
    task = measured(1.5, 0.5, errors=(0.002, 0.003), samples=1000)
    sizes = [20.0, 80.0, 300.0]
    curve = held_out(sizes, predicted_loss(task.spectrum, sizes), [1.0, 1.0, ratio])
    found = predict(replace(task, held_out=curve))
    assert found.agrees is False
    (note,) = [note for note in found.notes if "do not agree" in note]
    assert word in note
    assert "at 1 of 3 sizes" in note
    assert f"at P = 300 it is {share} %" in note
    assert f"ratio {ratio:.2f}" in note


def test_what_is_allowed_grows_with_the_error_of_the_measured_losses():
    task = measured(1.5, 0.5, samples=1000)
    sizes = [20.0, 80.0]
    curve = held_out(sizes, predicted_loss(task.spectrum, sizes), [1.1, 1.1], error=0.001)
    sharp, blunt = (
        predict(replace(task, held_out=replace(curve, standard_error=error * curve.measured)))
        for error in (0.001, 0.1)
    )
    assert sharp.agrees is False
    assert blunt.agrees is True


def test_a_saved_and_loaded_measurement_gives_the_same_prediction(tmp_path):
    task = measured(1.5, 0.5, errors=(0.02, 0.03))
    sizes = [20.0, 80.0]
    task = replace(task, held_out=held_out(sizes, predicted_loss(task.spectrum, sizes), [1.1, 1.0]))
    again = TaskMeasurement.load(task.save(tmp_path / "task.npz"))
    assert again == task
    prediction = predict(task)
    assert predict(again) == prediction
    assert TaskPrediction.load(prediction.save(tmp_path / "prediction.npz")) == prediction
    assert "optimistic" not in repr(prediction)
    assert prediction.to_dict()["exponents"][0]["law"] == "linear.time"
