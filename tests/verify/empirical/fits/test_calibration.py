"""Drift of forecasts: its formula, its intervals, warnings where nothing could be checked, and the number of threads."""

from dataclasses import replace

import numba
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scalinglaws.errors import DataError, DomainError
from scalinglaws.verify.empirical import Calibration, Fit, example_runs, fit, from_parameters
from scalinglaws.verify.empirical.fits import calibrate, drift_per_decade, forecast

from .test_rolling import drifting

FAR = {"N": 3e10, "D": 6e11}


@pytest.fixture(scope="module")
def automatic():
    return fit("auto", example_runs("synthetic"), bootstrap=0)


def test_reference_problem(reference):
    known = reference("rolling")["drift"]
    found = fit("surface", drifting(reference), delta=known["delta"], bootstrap=0).calibrate()
    assert found.calibration.bands == len(found.rolling) == known["bands"]
    assert found.calibration.unshrunk == pytest.approx(known["unshrunk"], rel=1e-4)
    assert found.calibration.drift == pytest.approx(known["shrunk"], rel=1e-4)
    assert found.calibration.validated_horizon == pytest.approx(0.8)


bands = st.lists(
    st.tuples(st.floats(-0.1, 0.1), st.floats(0, 1e-3), st.floats(0.1, 1.5)), min_size=1, max_size=8
)


@given(bands=bands, prior=st.floats(0, 0.1), factor=st.floats(0.1, 10))
def test_drift_is_a_scale_without_sign(bands, prior, factor):
    e, v, h = np.array(bands).T
    shrunk, unshrunk = drift_per_decade(e, v, h, prior)
    assert drift_per_decade(-e, v, h, prior) == (shrunk, unshrunk)
    scaled = drift_per_decade(factor * e, factor**2 * v, h, factor * prior)
    np.testing.assert_allclose(scaled, factor * np.array([shrunk, unshrunk]), atol=1e-8)
    if unshrunk > 0:
        low, high = sorted([unshrunk, prior])
        assert low - 1e-12 <= shrunk <= high + 1e-12
    else:
        assert shrunk <= prior
    without = drift_per_decade(e, 0 * v, h, prior)[0]
    assert shrunk <= without + 1e-12


def test_the_drift_of_errors_of_known_size():
    """The share of the prior falls as four bands in all that there are."""
    h = np.array([0.5, 1.0, 2.0])
    for count in (1, 10, 1000):
        horizons = np.tile(h, count)
        shrunk, unshrunk = drift_per_decade(0.03 * horizons, np.zeros(3 * count), horizons)
        assert unshrunk == pytest.approx(0.03)
        share = 4 / (3 * count + 4)
        assert shrunk**2 == pytest.approx(share * 0.015**2 + (1 - share) * 0.03**2)
    assert drift_per_decade([0.01], [1.0], [1.0]) == (0.0, 0.0)


def test_automatic_fits_are_calibrated(automatic):
    assert automatic.calibration.bands == len(automatic.rolling) == 7
    assert automatic.weights == automatic.rolling.weights
    assert automatic == calibrate(automatic)
    by_law = automatic.calibration.by_law
    for law in ("surface", "surface_power"):
        bands = automatic.rolling
        told = drift_per_decade(bands.error(law), bands.variance(law), bands.horizon)[0]
        assert by_law[law] == automatic.calibration.drift_of(law) == told
    resampled = automatic.bootstrap(10)
    assert resampled.calibration == automatic.calibration
    assert Fit.from_json(automatic.to_json()) == automatic


def test_drift_widens_the_interval_of_a_run(automatic):
    drift, by_law = automatic.calibration.drift, automatic.calibration.by_law
    far = {"N": np.array([1e9, 3e10]), "D": np.array([1e10, 6e11])}
    found = forecast(automatic, far)
    widened = found.calibrated_variance - found.run_variance
    np.testing.assert_allclose(widened, (drift * found.horizon) ** 2, rtol=1e-9)
    assert widened[0] == 0
    alone = forecast(automatic, far, law="surface")
    np.testing.assert_allclose(
        alone.calibrated_variance - alone.run_variance, (by_law["surface"] * alone.horizon) ** 2
    )


def test_a_single_law_is_calibrated_when_asked(automatic):
    single = fit("surface", example_runs("synthetic"), bootstrap=0)
    assert single.calibration is None
    assert np.isnan(forecast(single, FAR).calibrated_variance).all()
    told = single.predict(interval="calibrated", **FAR)
    assert told == single.calibrate().predict(interval="calibrated", **FAR)
    assert told == automatic.predict(interval="calibrated", law="surface", **FAR)
    assert told.high > single.predict(interval="run", **FAR).high


def test_a_given_drift_is_used_and_told(automatic):
    true = automatic.calibrate(drift=0)
    assert true.calibration.given
    assert true.calibration.drift == 0
    assert "drift 0 % a decade, as given" in true.calibration.summary()
    run = automatic.predict(interval="run", **FAR)
    assert true.predict(interval="calibrated", **FAR).high == run.high
    assert true.predict(interval="calibrated", law="surface_power", **FAR).high == (
        automatic.predict(interval="run", law="surface_power", **FAR).high
    )
    other = automatic.calibrate(prior=0.03)
    assert other.calibration.prior == 0.03
    assert other.calibration.drift > automatic.calibration.drift
    assert other.calibration.unshrunk == automatic.calibration.unshrunk
    for wrong in ({"drift": -1}, {"prior": np.inf}):
        with pytest.raises(DomainError, match=next(iter(wrong))):
            automatic.calibrate(**wrong)
    with pytest.raises(DomainError, match="unknown law 'kaplan'"):
        automatic.calibration.drift_of("kaplan")


def test_without_a_band_the_prior_stands_alone_and_a_warning_says_so():
    runs = example_runs("synthetic")
    few = runs.take(runs.budgets().member < 2)
    found = fit("auto", few, bootstrap=0)
    assert found.calibration.drift == 0.015
    assert np.isnan(found.calibration.unshrunk)
    assert found.calibration.validated_horizon == 0
    assert [w.code for w in found.warnings].count("W-drift-unchecked") == 1
    told = found.predict(interval="calibrated", N=1e10, D=1e11)
    assert {w.code for w in told.warnings} == {"W-drift-unchecked", "W-beyond-checked"}
    assert [w.code for w in found.predict(N=1e10, D=1e11).warnings] == ["W-beyond-checked"]
    assert "public data alone" in found.calibration.summary()
    assert calibrate(found) == found
    given = found.calibrate(drift=0.01)
    assert not [w for w in given.warnings if w.code == "W-drift-unchecked"]
    assert "as given; validated horizon: none" in given.calibration.summary()


def test_laws_that_no_forecast_tells_apart_are_not_averaged():
    """30 runs with at least ten tokens a parameter: twenty budgets, none forecast from 15 runs below."""
    gadre = example_runs("gadre")
    chosen = gadre.take((gadre.group == "c4_original") & (gadre.D / gadre.N >= 10))
    found = fit("auto", chosen, bootstrap=0)
    assert set(found.laws) == {"surface_power"}
    assert found.weights == {"surface": 1.0, "surface_power": 0.0}
    assert {"W-drift-unchecked", "W-weights-unchecked"} <= {w.code for w in found.warnings}
    alone = fit("surface", chosen, bootstrap=0)
    assert found.predict(**FAR).loss == alone.predict(**FAR).loss


def test_forecasts_too_uncertain_to_show_a_drift_are_told(automatic):
    gadre = example_runs("gadre")
    found = fit("auto", gadre.take(gadre.group == "rpj"), bootstrap=0)
    assert found.calibration.drift == 0
    (told,) = (w for w in found.warnings if w.code == "W-drift-unseen")
    assert "a drift of 1.5 % a decade would not show" in told.message
    assert not [w for w in found.calibrate(drift=0.015).warnings if w.code == "W-drift-unseen"]
    assert not [w for w in automatic.warnings if w.code == "W-drift-unseen"]


def test_predictions_say_how_far_they_were_checked(automatic):
    assert automatic.predict(N=1e9, D=2e10).warnings == ()
    largest = automatic.runs.C.max()
    near, far = (
        automatic.predict(N=3e9, D=largest * 10**h / 1.8e10, interval="calibrated")
        for h in (0.79, 0.82)
    )
    assert near.warnings == ()
    (warning,) = far.warnings
    assert warning.code == "W-beyond-checked"
    assert warning.message == (
        "0.82 decades of compute above the largest that was fitted; forecasts were checked over 0.8"
    )


def test_published_constants_cannot_be_calibrated():
    with pytest.raises(DataError, match="has no data"):
        from_parameters("besiroglu").calibrate()


def test_the_number_of_threads_changes_nothing():
    before = numba.get_num_threads()
    found = []
    try:
        for count in (1, before):
            numba.set_num_threads(count)
            found.append(fit("auto", example_runs("synthetic"), bootstrap=200).to_json())
    finally:
        numba.set_num_threads(before)
    assert found[0] == found[1]


def test_calibrations_are_files(automatic, tmp_path):
    found = automatic.calibration
    assert Calibration.load(found.save(tmp_path / "calibration.npz")) == found
    assert found.summary().endswith("validated horizon: 0.8 decades (7 bands)")
    assert replace(found, validated_horizon=1.0, bands=1).summary().endswith("1 decade (1 band)")
