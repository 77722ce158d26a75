"""Fits of laws to training curves: recovery of a held-out schedule, units of the rates, bands, and curves that tell too little."""

import json
import os
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scalinglaws.errors import DataError, DomainError, ExtrapolationWarning
from scalinglaws.results import Result
from scalinglaws.solvers import PowerLawSpectrum
from scalinglaws.solvers.schedules import Schedule, train
from scalinglaws.verify.empirical import compare_curves, fit_curves
from scalinglaws.verify.empirical.curves._laws import CURVE_LAWS, CurvePoints
from scalinglaws.verify.estimate import ScheduledCurve

TASK, STEPS, RATE = PowerLawSpectrum.from_ab(1.8, 1.6), 4000, 0.15
AT = np.unique(np.round(np.linspace(20, STEPS, 150)).astype(int))
SCHEDULES = {
    "constant": Schedule.constant(RATE, STEPS),
    "cosine": Schedule.cosine(rate=RATE, steps=STEPS),
    "drop": Schedule.from_array(np.repeat([RATE, 0.3 * RATE], STEPS // 2)),
    "wsd": Schedule.wsd(rate=RATE, steps=STEPS),
}
LAWS = ("functional", "multi_power", "momentum")


@pytest.fixture(scope="module")
def curves():
    return {
        name: ScheduledCurve(
            schedule, AT, 2 + train(schedule, TASK, batch=4, noise_variance=1, at=AT).test_loss
        )
        for name, schedule in SCHEDULES.items()
    }


def _made(law, parameters, schedules, noise=0.0, unit=1.0):
    """Curves of a law itself."""
    rng, kind = np.random.default_rng(0), CURVE_LAWS[law]
    found = {}
    for name, rates in schedules.items():
        schedule = Schedule.from_array(rates)
        points = CurvePoints(kind, schedule, AT, unit, None)
        logs = points.logs(kind.coordinates(parameters, unit))[0]
        found[name] = ScheduledCurve(
            schedule, AT, np.exp(logs + noise * rng.standard_normal(AT.size))
        )
    return found


RAMP = np.minimum(np.arange(STEPS) + 1, 100) / 100
SHAPES = {
    "constant": RAMP * 3e-3,
    "cosine": RAMP * SCHEDULES["cosine"].values() * 3e-3 / RATE,
    "drop": RAMP * SCHEDULES["drop"].values() * 3e-3 / RATE,
    "wsd": RAMP * SCHEDULES["wsd"].values() * 3e-3 / RATE,
}
TRUE = {
    "multi_power": {
        "L_0": 2.5,
        "A": 0.6,
        "alpha": 0.45,
        "B": 0.13,
        "C": 40,
        "beta": 0.6,
        "gamma": 0.65,
    },
    "momentum": {"L_0": 2.5, "A": 0.6, "alpha": 0.45, "B": 0.6, "lambda": 0.98},
}


@pytest.mark.parametrize("law", ["multi_power", "momentum"])
def test_parameters_of_its_own_curves_are_found(law):
    made = _made(law, TRUE[law], SHAPES)
    fit = fit_curves(law, made, holdout=None)
    # the sum is compressed: what it is off moves parameters a little
    assert fit.parameters == pytest.approx(TRUE[law], rel=5e-3 if law == "multi_power" else 1e-5)
    assert fit.residual_rms < 2e-5
    assert fit.converged
    assert fit.held_out == ()
    assert fit.curves[0].warmup == 100
    assert not fit.curves[0].used[fit.curves[0].steps < 100].any()
    assert fit.weakest == {"multi_power": ("C", "beta"), "momentum": ("B", "lambda")}[law]


@pytest.mark.parametrize("law", ["multi_power", "momentum"])
def test_noise_is_what_the_band_and_the_errors_know(law):
    made = _made(law, TRUE[law], SHAPES, noise=2e-3)
    fit = fit_curves(law, made, holdout=["wsd"])
    assert fit.residual_rms == pytest.approx(2e-3, rel=0.15)
    errors, found = fit.standard_errors, fit.parameters
    for name in ("L_0", "A", "alpha"):
        assert abs(found[name] - TRUE[law][name]) < 4 * errors[name]
    told = fit.predict(made["wsd"].schedule, AT[5:])
    inside = (told.low < made["wsd"].losses[5:]) & (made["wsd"].losses[5:] < told.high)
    assert 0.9 < inside.mean() <= 1
    narrow = fit.predict(made["wsd"].schedule, AT[5:], level=0.5)
    assert np.all(narrow.high < told.high)
    assert narrow.scale == fit.scale


@pytest.mark.parametrize("law", LAWS)
def test_held_out_schedule_of_the_exact_solver_is_recovered(curves, law):
    fit = fit_curves(law, curves, holdout=["wsd"])
    (row,) = fit.held_out
    assert (row.name, row.message) == ("wsd", "")
    limit = {"functional": 0.001, "multi_power": 0.001, "momentum": 0.004}[law]
    assert row.rms < limit
    assert abs(row.final_error) < limit
    assert row.predicted_loss == pytest.approx(fit.predict(SCHEDULES["wsd"], STEPS).loss)
    assert row.final_loss == curves["wsd"].losses[-1]
    assert not fit.curves[-1].used.any()
    assert fit.curves[-1].fitted[-1] == pytest.approx(row.predicted_loss)
    assert fit.scale >= max(fit.residual_rms, row.rms, abs(row.final_error))


def test_laws_are_compared_by_what_they_forecast(curves):
    found = compare_curves(curves)
    assert [row.law for row in found.rows] == list(LAWS)
    assert found.best in ("functional", "multi_power")
    assert found.compared == tuple(curves)
    errors = {row.law: row.held_out_rms for row in found.rows}
    assert found.best == min(errors, key=errors.get)
    for law, fit in found.fits.items():
        assert errors[law] == pytest.approx(fit.held_out_rms)
        assert len(fit.held_out) == 4
    words = found.summary()
    assert f"* {found.best}" in words
    assert max(map(len, words.splitlines())) <= 100
    assert "forecasts best" in repr(found)
    for fit in found.fits.values():
        assert max(map(len, fit.summary().splitlines())) <= 100


def test_law_that_cannot_be_fitted_is_listed_with_its_reason(curves):
    found = compare_curves({name: curves[name] for name in ("constant", "drop")})
    rows = {row.law: row for row in found.rows}
    assert "needs 3 different schedules, and here are 2" in rows["multi_power"].message
    assert "multi_power: the multi_power law needs" in found.summary()
    assert set(found.fits) == {"functional", "momentum"}
    # what is left when the drop is held out does not decay
    for law in ("functional", "momentum"):
        assert [bool(row.message) for row in found.fits[law].held_out] == [False, True]
    assert found.compared == ("constant",)
    alone = compare_curves({"constant": curves["constant"]}, laws=["momentum"])
    assert (alone.best, alone.verdict) == ("", "no law could be fitted")


@pytest.mark.parametrize("law", ["multi_power", "momentum"])
def test_constant_rate_alone_is_refused(curves, law):
    with pytest.raises(DataError, match="falls below half of its peak.*run one more curve"):
        fit_curves(law, {"constant": curves["constant"]}, holdout=None)


def test_functional_law_of_a_constant_rate_does_not_predict_a_decay(curves):
    fit = fit_curves("functional", {"constant": curves["constant"]}, holdout=None)
    assert fit.predict(SCHEDULES["constant"], STEPS).loss > 0
    with pytest.raises(DataError, match="cannot predict a decay"):
        fit.predict(SCHEDULES["wsd"])


def test_schedule_and_its_beginning_are_one(curves):
    half = Schedule.constant(RATE, STEPS // 2)
    short = ScheduledCurve(half, AT[:50], curves["constant"].losses[:50])
    given = [curves["constant"], short, curves["drop"]]
    with pytest.raises(DataError, match="here are 2"):
        fit_curves("multi_power", given, holdout=None)


def test_another_peak_is_told(curves):
    fit = fit_curves("momentum", curves, holdout=None)
    with pytest.warns(
        ExtrapolationWarning, match="peak 0.3 is not that of the fitted curves, 0.15"
    ):
        fit.predict(Schedule.cosine(rate=0.3, steps=STEPS))


def test_records_are_saved_and_loaded(curves, tmp_path):
    found = compare_curves(curves, laws=["functional", "momentum"], holdout=None)
    again = Result.load(found.save(tmp_path / "comparison.npz"))
    assert again == found
    assert type(found).from_json(found.to_json()) == found
    fit = found.fits["momentum"]
    assert again.fits["momentum"].predict(SCHEDULES["wsd"]) == fit.predict(SCHEDULES["wsd"])
    assert np.isnan(fit.held_out_rms)
    assert fit.to_dict()["law"] == "momentum"
    assert repr(fit).startswith("<CurveFit momentum to 4 curves: L_0 = ")


@given(factor=st.floats(1e-6, 1e6), law=st.sampled_from(["multi_power", "momentum"]))
@settings(max_examples=8, deadline=None)
def test_unit_of_the_rates_does_not_matter(factor, law):
    made = _made(law, TRUE[law], SHAPES, noise=1e-3)
    scaled = {
        name: ScheduledCurve(curve.schedule.values() * factor, curve.steps, curve.losses)
        for name, curve in made.items()
        if name != "wsd"
    }
    wsd = made.pop("wsd").schedule.values()
    known = fit_curves(law, made, holdout=None)
    found = fit_curves(law, scaled, holdout=None)
    expected = known.predict(wsd, AT)
    told = found.predict(factor * wsd, AT)
    assert told.loss == pytest.approx(expected.loss, rel=1e-5)
    assert told.intrinsic_time == pytest.approx(factor * expected.intrinsic_time, rel=1e-9)
    assert found.parameters["alpha"] == pytest.approx(known.parameters["alpha"], rel=1e-3)
    power = known.parameters["alpha"]
    assert found.parameters["A"] == pytest.approx(known.parameters["A"] * factor**power, rel=1e-2)


def test_functional_law_does_not_know_the_unit_of_the_rates(curves):
    three = [curves[name] for name in ("constant", "cosine", "drop")]
    scaled = [ScheduledCurve(c.schedule.values() * 4, c.steps, c.losses) for c in three]
    known = fit_curves("functional", three, holdout=None).predict(SCHEDULES["wsd"], AT)
    found = fit_curves("functional", scaled, holdout=None)
    told = found.predict(SCHEDULES["wsd"].values() * 4, AT)
    assert told.loss == pytest.approx(known.loss, rel=1e-9)


def test_warmup_from_zero_and_rates_that_rise_again():
    k = np.arange(STEPS)
    ramp = 3e-3 * np.minimum(k / 100, 1)
    cycles = ramp * np.where(k < 100, 1, 0.55 + 0.45 * np.cos(k / 300))
    shapes = {"constant": ramp, "cycles": cycles, "drop": ramp * np.where(k < 2000, 1, 0.2)}
    made = {}
    for name, curve in _made("momentum", TRUE["momentum"], shapes).items():
        steps, losses = np.append(1, curve.steps), np.append(9.0, curve.losses)
        made[name] = ScheduledCurve(curve.schedule, steps, losses)
    for law in LAWS:
        fit = fit_curves(law, made, holdout=None)
        assert all(np.all(np.isfinite(curve.fitted)) for curve in fit.curves)
        told = fit.predict(cycles)
        assert told.steps[0] == 2
        assert np.all(np.isfinite(told.high))
    assert fit.parameters == pytest.approx(TRUE["momentum"], rel=1e-3)


@pytest.mark.parametrize("law", LAWS)
def test_extreme_losses_and_rates(law):
    known = _made("momentum", TRUE["momentum"], SHAPES)
    for loss, rate in ((1e-90, 1e25), (1e90, 1e-25)):
        made = [
            ScheduledCurve(c.schedule.values() * rate, c.steps, c.losses * loss)
            for c in known.values()
        ]
        fit = fit_curves(law, made, holdout=None)
        assert np.isfinite(fit.residual_rms)
        told = fit.predict(made[-1].schedule, AT)
        assert told.loss == pytest.approx(made[-1].losses, rel=0.2)


def test_schedules_that_end_at_zero(curves):
    rates = np.append(SCHEDULES["cosine"].values()[:-1], 0.0)
    made = _made("multi_power", {**TRUE["multi_power"], "C": 1.0}, {**SHAPES, "cosine": rates / 50})
    fit = fit_curves("multi_power", made, holdout=None)
    assert np.all(np.isfinite(fit.predict(np.append(RAMP * 3e-3, np.zeros(50))).loss))


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"law": "chinchilla"}, "law"),
        ({"runs": []}, "runs"),
        ({"runs": [3]}, r"runs\[0\]"),
        ({"runs": 3}, "runs"),
        ({"points": 5}, "points"),
        ({"start": 0}, "start"),
        ({"lr": 3}, "lr"),
        ({"holdout": 3}, "holdout"),
        ({"warmup": 100}, "warmup"),
        ({"holdout": ["nobody"]}, "unknown curve 'nobody'"),
        ({"holdout": "recipe"}, "holdout"),
        ({"holdout": ["constant", "cosine", "drop", "wsd"]}, "must leave a curve"),
    ],
)
def test_arguments(curves, given, told):
    with pytest.raises(DomainError, match=told):
        fit_curves(**{"law": "momentum", "runs": curves, **given})


def test_predictions_check_their_arguments(curves):
    fit = fit_curves("momentum", curves, holdout=None)
    for asked, told in (
        ({"at": 0}, "at"),
        ({"at": STEPS + 1}, "at"),
        ({"at": [3, 2]}, "at"),
        ({"level": 1.0}, "level"),
        ({"schedule": [0.1, -0.1]}, "schedule"),
        ({"schedule": [0.0, 0.15], "at": [1, 2]}, "must come after a step with a rate above 0"),
    ):
        with pytest.raises(DomainError, match=told):
            fit.predict(**{"schedule": SCHEDULES["wsd"], **asked})
    assert isinstance(fit.predict(SCHEDULES["wsd"], 7).loss, float)


SCRIPT = """
import numpy as np
from scalinglaws.verify.empirical import compare_curves
from scalinglaws.verify.estimate import ScheduledCurve
T, at = 2000, np.arange(20, 2001, 20)
shapes = {"constant": np.ones(T), "drop": np.repeat([1, .3], T // 2), "linear": 1 - np.arange(T) / T}
rng = np.random.default_rng(0)
losses = {n: 2 + np.cumsum(r)[at - 1]**-.5 + .02 * r[at - 1] for n, r in shapes.items()}
curves = {n: ScheduledCurve(.1 * r, at, losses[n] * np.exp(.001 * rng.standard_normal(at.size))) for n, r in shapes.items()}
print(compare_curves(curves).to_json())
"""


def test_threads_do_not_matter():
    found = []
    for threads in ("1", "2"):
        names = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS")
        env = {**os.environ, **dict.fromkeys(names, threads)}
        done = subprocess.run(
            [sys.executable, "-c", SCRIPT], env=env, capture_output=True, text=True, check=True
        )
        found.append(done.stdout)
    assert found[0] == found[1]
    assert json.loads(found[0])


def test_runs_are_held_out_whatever_their_column_is_called():
    names, steps = np.repeat(["a", "b"], 60), np.tile(np.arange(0, 600, 10), 2)
    rates = np.where(np.arange(120) % 60 > 40 + 10 * (names == "b"), 0.1, 0.3)
    losses = 2 + 3.0 * (np.cumsum(rates.reshape(2, 60), axis=1).ravel() + 1) ** -0.5
    table = {"name": names.tolist(), "step": steps, "lr": rates, "loss": losses}
    assert [row.name for row in fit_curves("momentum", table, run="name").held_out] == ["a", "b"]
    assert len(compare_curves(table, run="name", laws=["momentum"]).compared) == 2


def test_parameters_at_a_bound_are_said_to_be_there():
    """Curves of the momentum law need a kernel that falls faster than any power: beta and gamma end at their bounds."""
    lasting = dict(TRUE["momentum"], **{"lambda": 0.9})
    fit = fit_curves("multi_power", _made("momentum", lasting, SHAPES), holdout=None)
    assert "beta" in fit.at_bounds
    for name in fit.at_bounds:
        assert fit.standard_errors[name] == 0
        (told,) = (row for row in fit.summary().splitlines() if row.startswith(f"  {name:6}"))
        assert told.endswith("at a bound")
        assert "+-" not in told
    assert fit_curves("momentum", _made("momentum", lasting, SHAPES), holdout=None).at_bounds == ()


@pytest.mark.filterwarnings("error")
def test_bands_of_curves_that_tell_nothing_end_at_infinity():
    rising = {
        name: ScheduledCurve(Schedule.from_array(rates), AT, 2 + 1e-3 * AT)
        for name, rates in SHAPES.items()
    }
    told = fit_curves("momentum", rising, holdout=None).predict(SHAPES["wsd"], at=[20, STEPS])
    assert np.all(told.low <= told.loss)
    assert np.all(told.loss <= told.high)


@pytest.mark.parametrize("laws", ["x", [["momentum"]], [3], [], None, ["momentum", "momentum"]])
def test_laws_to_compare_are_checked(curves, laws):
    with pytest.raises(DomainError, match="law"):
        compare_curves(curves, laws=laws)
