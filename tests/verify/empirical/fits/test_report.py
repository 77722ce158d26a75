"""The screen and the page of a fit, and what other choices would have given."""

import math
import re
from dataclasses import replace
from html import escape

import numpy as np
import pytest

from scalinglaws.errors import DataError, DomainError
from scalinglaws.verify import empirical
from scalinglaws.verify.empirical.fits._error_panels import (
    pair_panels,
    profile_panels,
    rolling_panels,
)
from scalinglaws.verify.empirical.fits._optimal_points import optimal_point
from scalinglaws.verify.empirical.fits._page import judgment, write_page
from scalinglaws.verify.empirical.fits._panels import (
    BAND,
    LINE,
    POINTS,
    RIVAL,
    fit_panels,
    frontier_panels,
    isoflop_panels,
    residual_panels,
)
from scalinglaws.verify.empirical.fits._report import report
from scalinglaws.verify.empirical.fits._sensitivity import sensitivity
from scalinglaws.verify.empirical.fits._svg_panels import panel_figure
from scalinglaws.verify.plots import empirical as plots

TRUTH = {"E": 1.8, "A": 480.0, "B": 2000.0, "a": 0.35, "b": 0.37}
RUNS = empirical.example_runs("synthetic")


def exact(law="surface", **changed):
    """Return a fit to losses without noise, on five budgets of seven sizes."""
    p = TRUTH | changed
    C = np.repeat(np.geomspace(1e19, 1e21, 5), 7)
    N = optimal_point("surface", p, C)[0] * np.tile(np.geomspace(1 / 8, 8, 7), 5)
    D = C / (6 * N)
    data = {"N": N, "D": D, "loss": p["E"] + p["A"] / N ** p["a"] + p["B"] / D ** p["b"]}
    return empirical.fit(law, data, bootstrap=0)


@pytest.fixture(scope="module")
def fit():
    return empirical.fit("auto", RUNS, bootstrap=100).calibrate()


# -- other choices ------------------------------------------------------------------------------------------------------------


def test_without_noise_no_choice_matters():
    found = sensitivity(exact())
    assert len(found.choices) == 5 + 5
    for name, value in TRUTH.items():
        np.testing.assert_allclose(found.parameters[name], value, rtol=1e-5)
    N, _, loss = optimal_point("surface", TRUTH, found.compute)
    assert found.compute == pytest.approx(1e22)
    np.testing.assert_allclose(found.params, N, rtol=1e-5)
    np.testing.assert_allclose(found.loss, loss, rtol=1e-7)


def test_choices_are_fits_to_what_they_say(fit):
    found = sensitivity(fit)
    rows = list(found.choices)
    assert [rows[0], *found.runs[:3]] == ["as fitted", 60, 55, 50]
    for name, value in fit.parameters.items():
        assert found.parameters[name][0] == pytest.approx(value, rel=1e-9)
    squares = empirical.fit("surface", RUNS, delta=math.inf, bootstrap=0)
    k = rows.index("least squares")
    assert found.parameters["b"][k] == pytest.approx(squares.parameters["b"], rel=1e-7)
    kept = np.ones(60, bool)
    kept[np.argsort(-RUNS.loss)[:10]] = False
    fewer = empirical.fit("surface", RUNS.take(kept), delta=fit.delta, bootstrap=0)
    k = rows.index("without the 10 highest losses")
    assert found.parameters["a"][k] == pytest.approx(fewer.parameters["a"], rel=1e-7)
    below = empirical.fit("surface", RUNS.take(RUNS.C < 9e20), delta=fit.delta, bootstrap=0)
    k = rows.index("without the budget 1e21")
    assert found.parameters["E"][k] == pytest.approx(below.parameters["E"], rel=1e-7)
    assert found == empirical.fits._sensitivity.sensitivity(fit)


def test_too_few_runs_leave_entries_empty():
    some = RUNS.take(np.arange(0, 60, 5))
    found = sensitivity(empirical.fit("surface", some, bootstrap=0))
    k = list(found.choices).index("without the 10 highest losses")
    assert found.runs[k] == 2
    assert math.isnan(found.loss[k])
    assert math.isnan(found.parameters["a"][k])
    with pytest.raises(DomainError, match="has no data"):
        sensitivity(empirical.from_parameters("hoffmann"))


# -- the screen -----------------------------------------------------------------------------------------------------------------


def test_fewer_laws_and_no_samples_leave_less(fit):
    alone = replace(fit, laws={}, weights={}, rolling=None, calibration=None)
    words = report(alone)
    assert "surface_power" not in words
    assert "can it extrapolate?  not known" in words
    assert "calibrated" not in words
    bare = replace(alone, samples=np.zeros((0, 5)), cov=None)
    words = report(bare)
    assert ".." not in words.split("95 %", 1)[0].split("\n  E ")[1].splitlines()[0]


def test_published_constants_are_written_with_all_digits():
    words = report(empirical.from_parameters("hoffmann"), compute=[5.76e23])
    for digits in ("1.69337368", "406.401018", "410.722827", "0.33917084", "0.2849083"):
        assert digits in words
    assert "5.8e23" in words
    assert "scalinglaws plan hoffmann --compute 1e24" in words


def test_rows_beyond_what_was_checked_are_marked(fit):
    words = report(fit, compute=[1e20, 5e21, 2e22])
    rows = {line.split()[0]: line for line in words.splitlines() if line[:1].isdigit()}
    assert " !" not in rows["1e20"]
    assert " !" not in rows["5e21"]
    assert " !" in rows["2e22"]
    assert "! 1.3 decades above the largest run; the drift was checked over 0.8" in words


def test_a_law_without_an_optimum_says_so():
    N, D = RUNS.N, RUNS.D
    found = empirical.fit("E + A*N**-a", {"N": N, "D": D, "loss": 1.8 + 480 / N**0.35}, bootstrap=0)
    words = report(found)
    assert "N_opt" not in words
    assert words.startswith("60 points, ") or "runs" in words.splitlines()[0]


def test_arguments_are_checked(fit):
    with pytest.raises(DomainError, match="compute"):
        report(fit, compute=[-1.0])
    with pytest.raises(DomainError, match="verbose"):
        report(fit, verbose=1)
    with pytest.raises(DomainError, match="source"):
        report(fit, source=3)


# -- pictures -------------------------------------------------------------------------------------------------------------------


def test_parabolas_are_biased_unless_exponents_agree():
    def bias(**changed):
        *_, panel = isoflop_panels(exact(**changed))
        points = [mark for mark in panel.marks if mark.kind == POINTS]
        assert [mark.look == RIVAL for mark in points] == [True, False]
        np.testing.assert_allclose(points[0].y, points[1].y, atol=1e-4)  # without noise both agree
        return points[1].y

    np.testing.assert_allclose(bias(a=0.36, b=0.36), 0, atol=1e-5)
    assert np.all(np.abs(bias(a=0.25, b=0.45)) > 0.05)


def test_the_curve_is_dashed_beyond_the_runs(fit):
    (panel,) = fit_panels(fit)
    inside, beyond = (
        [mark for mark in panel.marks if mark.kind == LINE and mark.dashed is dashed]
        for dashed in (False, True)
    )
    assert max(mark.x.max() for mark in inside) == pytest.approx(1e21, rel=1e-6)
    assert min(mark.x.min() for mark in beyond) == pytest.approx(1e21, rel=1e-6)
    bands = [mark for mark in panel.marks if mark.kind == BAND]
    widths = [float(np.log(mark.high[-1] / mark.low[-1])) for mark in bands]
    assert len(widths) == 3
    assert widths[0] > widths[1] > widths[2] > 0  # calibrated, a run, the law


def test_the_largest_budget_is_foretold_from_those_below(fit):
    (panel,) = fit_panels(fit)
    (rings,) = [mark for mark in panel.marks if mark.kind == POINTS and mark.dashed]
    below = empirical.fit("surface", RUNS.take(RUNS.C < 9e20), delta=fit.delta, bootstrap=0)
    last = RUNS.take(RUNS.C > 9e20)
    expected = below.predict(N=last.N, D=last.D).loss
    np.testing.assert_allclose(rings.y, expected, rtol=1e-8)


def test_residuals_and_forecasts_are_those_of_the_fit(fit):
    panels = residual_panels(fit)
    assert [panel.x_name for panel in panels] == ["N", "D", "D/N", "C"]
    for panel in panels:
        (points,) = [mark for mark in panel.marks if mark.kind == POINTS]
        np.testing.assert_allclose(points.y, 100 * fit.residuals)
    errors = rolling_panels(fit)[0]
    drawn = {mark.label: mark.y for mark in errors.marks if mark.kind == POINTS}
    assert set(drawn) == set(fit.rolling.laws)
    np.testing.assert_allclose(drawn["surface"], 100 * fit.rolling.error("surface"))


def test_profiles_are_least_at_the_fit(fit):
    for panel in profile_panels(fit):
        (curve,) = [mark for mark in panel.marks if mark.label == "profile"]
        at = curve.x[np.argmin(curve.y)]
        assert at == pytest.approx(fit.parameters[panel.x_name], rel=1e-6)
    assert [panel.name for panel in pair_panels(fit)] == ["pair-a-b", "pair-E-b", "pair-A-a"]


def test_what_there_is_nothing_to_draw_of(fit):
    curve = empirical.fit("power_offset", RUNS, bootstrap=0)
    assert fit_panels(curve)[0].x_name == "x"
    for panels in (isoflop_panels, frontier_panels):
        with pytest.raises(DataError):
            panels(curve)
    with pytest.raises(DataError):
        pair_panels(curve)
    with pytest.raises(DataError):
        rolling_panels(replace(fit, rolling=None))


def test_every_panel_becomes_a_figure_of_the_page(fit):
    for panels in (fit_panels, isoflop_panels, residual_panels, rolling_panels, frontier_panels):
        for panel in panels(fit):
            drawn = panel_figure(panel)
            assert drawn.startswith("<svg")
            assert "nan" not in drawn
            points = sum(mark.x.size for mark in panel.marks if mark.kind == POINTS)
            keys = sum(bool(mark.label) for mark in panel.marks if mark.kind == POINTS)
            assert drawn.count("<circle") == points + keys


@pytest.mark.parametrize(
    "picture",
    [
        "fitted_losses",
        "isoflop_curves",
        "fit_residuals",
        "forecast_errors",
        "compute_frontier",
        "parameter_profiles",
    ],
)
def test_every_picture_is_drawn(fit, picture, tmp_path):
    figure = getattr(plots, picture)(fit)
    figure.savefig(tmp_path / "picture.png")
    assert all(axes.get_xlabel() for axes in figure.axes if axes.axison)
    with pytest.raises(DomainError, match="figure"):
        getattr(plots, picture)(fit, figure=3)


# -- the page -------------------------------------------------------------------------------------------------------------------


def test_a_page_says_how_far_the_fit_can_be_trusted(fit):
    assert judgment(fit, np.array([1e21, 5e21]))[:2] == ("pass", "trust")
    assert judgment(fit, np.array([1e21, 1e23]))[1].startswith("trust up to 6")
    alone = replace(fit, rolling=None, calibration=None)
    assert judgment(alone, np.array([1e21]))[:2] == ("fail", "do not extrapolate")
    lost = replace(
        fit, identifiability=replace(fit.identifiability, condition=1e9, weakest=("A", "a"))
    )
    tone, verdict, reasons = judgment(lost, np.array([1e21]))
    assert (tone, verdict) == ("fail", "do not extrapolate")
    assert "A, a cannot be told apart" in reasons[0]
    assert judgment(empirical.from_parameters("hoffmann"), np.zeros(0))[0] == "open"


def test_the_same_fit_gives_the_same_page(fit, tmp_path):
    one, other = (
        write_page(fit, tmp_path / name, [1e22], command="scalinglaws fit x")
        for name in ("a.html", "b.html")
    )
    text = one.read_text(encoding="utf-8")
    assert text == other.read_text(encoding="utf-8")
    for words in (
        "Sensitivity of surface_power",
        "least squares",
        RUNS.sha256,
        "scalinglaws fit x",
    ):
        assert words in text
    assert "<script" not in text
    assert text.count("<svg") > 15
    with pytest.raises(DomainError, match="must end in .html"):
        write_page(fit, tmp_path / "page.txt")


@pytest.mark.parametrize(
    "made",
    [
        lambda: empirical.from_parameters("besiroglu"),
        lambda: empirical.fit("power_offset", RUNS, bootstrap=0),
        lambda: empirical.fit("E + A*N**-a + B*D**-a", RUNS, bootstrap=20),
        lambda: exact(),
    ],
)
def test_any_fit_has_a_page(made, tmp_path):
    text = write_page(made(), tmp_path / "page.html").read_text(encoding="utf-8")
    assert not re.search(r"\bnan\b", text.lower())
    assert "On a terminal" in text


def test_a_notebook_shows_what_a_terminal_shows(fit):
    known = empirical.from_parameters("besiroglu")
    design = empirical.design(known, budget=1e21, target={"compute": 1e23}, noise=0.005, max_runs=8)
    groups = empirical.fit_groups("surface", empirical.example_runs("gadre"), bootstrap=0)
    for found, words in (
        (fit, fit.report()),
        (known, known.report()),
        (empirical.plan(known, compute=1e23), "least loss for compute"),
        (design, design.summary()),
        (design, design.to_table().to_text()),
        (groups, groups.summary()),
        (empirical.compare_laws(["surface", "kaplan"], RUNS), "held-out rms"),
    ):
        shown = found._repr_html_()
        assert shown.startswith("<pre>")
        assert escape(words) in shown
