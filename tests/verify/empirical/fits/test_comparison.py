"""Laws compared on the same runs: criteria, held-out errors, and what is said where they disagree."""

import csv
import json
import os

import numpy as np
import pytest

from scalinglaws.errors import DataError, DomainError
from scalinglaws.verify import empirical
from scalinglaws.verify.empirical import compare_laws, fit

FILE = os.environ.get("SCALINGLAWS_CHINCHILLA_CSV", "")
LAWS = [
    "surface",
    "E + A*N**-a + B*D**-a",
    "kaplan+offset",
    "kaplan",
    ("surface", {"E": 0}),
    "surface_power",
]


@pytest.fixture(scope="module")
def rpj():
    return empirical.example_runs("gadre", where={"dataset": "rpj"})


@pytest.fixture(scope="module")
def found(rpj):
    return compare_laws(LAWS, rpj)


@pytest.mark.data
@pytest.mark.skipif(not FILE, reason="SCALINGLAWS_CHINCHILLA_CSV names no file")
def test_240_points(reference):
    with open(FILE, encoding="utf-8") as stream:
        table = list(csv.DictReader(stream))
    size, compute, loss = (
        np.array([float(row[name]) for row in table])
        for name in ("Model Size", "Training FLOP", "loss")
    )
    kept = loss < np.sort(loss)[-5]
    runs = empirical.read_runs({"N": size[kept], "C": compute[kept], "loss": loss[kept]})
    found = compare_laws(LAWS, runs, holdout=compute[kept] >= 1e21, delta=1e-2)
    assert (found.points, found.held_out) == (240, 23)
    for row, wanted in zip(found.rows, reference("fits")["chinchilla"]["comparison"], strict=True):
        _, fixed, free, aicc, laplace, rms, bias = wanted
        assert row.free == free
        assert row.law.endswith("E = 0") == bool(fixed)
        assert row.aicc == pytest.approx(aicc, abs=0.06)
        assert row.laplace_aic == pytest.approx(laplace, abs=0.06)
        assert row.held_out_rms == pytest.approx(rms, abs=6e-5)
        assert row.held_out_mean == pytest.approx(bias, abs=6e-4)
        assert row.converged
    surface, alike = found.rows[:2]
    assert surface.aicc < alike.aicc  # and the two others say the opposite
    assert surface.laplace_aic > alike.laplace_aic
    assert surface.held_out_rms > alike.held_out_rms
    assert found.best == {
        "held_out_rms": LAWS[1],
        "aicc": "surface_power",
        "laplace_aic": "surface_power",
        "bic": "surface_power",
    }
    assert not found.agree
    assert "criteria disagree" in found.summary()


def test_over_trained_runs(found, rpj):
    """The held-out error and two criteria prefer three different laws, and the summary says so."""
    assert found.held_out == 3
    assert found.points == 35
    assert [row.free for row in found.rows] == [5, 4, 5, 4, 4, 6]
    assert all(row.converged for row in found.rows)
    assert found.best["held_out_rms"] == LAWS[1]
    assert found.best["aicc"] == "kaplan+offset"
    assert found.best["laplace_aic"] == "surface_power"
    text = found.summary()
    assert "criteria disagree" in text
    assert max(map(len, text.split("\n"))) <= 100
    assert len(text.split("\n")) <= 10
    assert (
        found.fits["surface"].delta
        == found.delta
        == min(
            fit(
                *(law if isinstance(law, tuple) else (law,))[:1],
                rpj,
                fixed=law[1] if isinstance(law, tuple) else None,
                bootstrap=0,
            ).delta
            for law in LAWS
        )
    )


def test_criteria_and_errors_are_those_of_fits_made_by_hand(found, rpj):
    late = np.sort(rpj.C)[-3] <= rpj.C
    for law, row in zip(LAWS, found.rows, strict=True):
        name, fixed = law if isinstance(law, tuple) else (law, None)
        whole = fit(name, rpj, delta=found.delta, fixed=fixed, bootstrap=0)
        n, k = 35, row.free + 1
        assert row.parameters == whole.parameters
        squares = n * np.log(np.mean(whole.residuals**2))
        assert row.bic == pytest.approx(squares + k * np.log(n))
        assert row.aicc == pytest.approx(squares + 2 * k + 2 * k * (k + 1) / (n - k - 1))
        assert row.laplace_aic == pytest.approx(
            2 * n * np.log(np.mean(np.abs(whole.residuals))) + 2 * k
        )
        early = fit(name, rpj.take(~late), delta=found.delta, fixed=fixed, bootstrap=0)
        columns = {"N": rpj.N[late], "D": rpj.D[late]}
        error = early.model.predict(early.x, columns) - np.log(rpj.loss[late])
        assert row.held_out_rms == pytest.approx(np.sqrt(np.mean(error**2)))
        assert row.held_out_mean == pytest.approx(np.mean(error))


def test_a_mask_is_the_last_budget_where_it_names_it(found, rpj):
    masked = compare_laws(LAWS, rpj, holdout=np.sort(rpj.C)[-3] <= rpj.C)
    assert [row.held_out_rms for row in masked.rows] == [row.held_out_rms for row in found.rows]
    assert masked.holdout == "mask"
    none = compare_laws(LAWS, rpj, holdout=None)
    assert "held_out_rms" not in none.best
    assert "nothing was held out" in none.verdict
    assert [row.aicc for row in none.rows] == [row.aicc for row in found.rows]


def test_the_true_law_wins_by_every_criterion():
    """Runs of a surface with little noise: the true law forecasts best, and all criteria agree."""
    runs = empirical.example_runs("synthetic")
    found = compare_laws(["surface", "kaplan", ("surface", {"E": 0}), "kaplan+offset"], runs)
    assert found.agree
    assert found.best["held_out_rms"] == "surface"
    assert found.verdict.endswith("all criteria agree")


def test_one_curve():
    x = np.geomspace(1, 1e6, 31)
    loss = (0.02 + 0.98 * (1 + x / 30) ** -0.5) * np.exp(
        0.005 * np.random.default_rng(0).normal(size=31)
    )
    data = {"x": x, "loss": loss}
    found = compare_laws(["power", "power_offset", "three_region", "bnsl"], data)
    assert found.best["held_out_rms"] in ("three_region", "bnsl")
    assert found.best["bic"] == "three_region"
    assert found.rows[0].held_out_mean != found.rows[0].held_out_rms > 0.2


def test_what_cannot_be_fitted_or_forecast_stays_with_its_reason(rpj):
    few = rpj.take(np.arange(0, 35, 4)[:8])
    found = compare_laws(
        ["surface", "surface_power", "power_offset"], few, holdout=np.sort(few.C)[-4] < few.C
    )
    surface, power, curve = found.rows
    assert surface.held_out_rms is None
    assert "too few" in surface.message
    assert surface.parameters
    assert power.held_out_rms is None
    assert curve.held_out_rms is not None  # three parameters, and five runs left
    assert found.best["held_out_rms"] == "power_offset"
    assert "no forecast" in found.summary()
    seven = few.take(np.arange(7))
    found = compare_laws(["surface", "surface_power"], seven, holdout=None)
    assert found.rows[1].parameters == {}
    assert not found.rows[1].converged
    assert "at least 8 are needed" in found.rows[1].message
    assert "no fit" in found.summary()
    assert "surface_power" not in found.fits
    assert set(found.best.values()) == {"surface"}
    with pytest.raises(DataError, match="no law can be fitted"):
        compare_laws(["surface"], few.take(np.arange(4)), holdout=None)


def test_files(found, tmp_path):
    assert empirical.LawComparison.load(found.save(tmp_path / "laws.npz")) == found
    assert empirical.LawComparison.from_json(found.to_json()) == found
    json.loads(found.to_json(), parse_constant=pytest.fail)
    assert "forecasts best" in repr(found)
    assert len(repr(found)) <= 120


@pytest.mark.parametrize(
    ("laws", "options", "complaint"),
    [
        ("surface", {}, "in a list"),
        ([], {}, "at least one"),
        (["surface", "empirical.chinchilla"], {}, "must differ"),
        (["surfaces"], {}, "did you mean"),
        ([("surface", {"F": 0})], {}, "unknown parameter"),
        (["surface"], {"holdout": "last"}, "last-budget"),
        (["surface"], {"holdout": [True, False]}, "a flag for each of 35 runs"),
        (["surface"], {"holdout": np.zeros(35, bool)}, "some runs, not all"),
        (["surface"], {"holdout": np.ones(35)}, "a flag for each"),
        (["surface"], {"delta": 0}, "delta"),
    ],
)
def test_refusals(laws, options, complaint, rpj):
    with pytest.raises(DomainError, match=complaint):
        compare_laws(laws, rpj, **options)


def test_one_budget_has_nothing_later(rpj):
    runs = empirical.example_runs("synthetic")
    one = runs.take(runs.budgets().member == 2)
    with pytest.raises(DataError, match="one budget"):
        compare_laws(["surface", "kaplan"], one)


def test_rolling_origin_holds_out_every_later_budget(rpj):
    """The numbers are those of each fit's own rolling origin; a law in compute alone takes part."""
    found = compare_laws(["surface", "power_offset"], rpj, holdout="rolling")
    for row in found.rows:
        rolling = found.fits[row.law].rolling_origin()
        assert len(rolling) == found.held_out == 4
        assert row.held_out_rms == rolling.rms(row.law)
        assert row.held_out_mean == rolling.mean(row.law)
    assert "4 bands of later budgets" in found.summary()
    few = compare_laws(
        ["surface", "power_offset"], rpj.take(np.arange(0, 35, 4)), holdout="rolling"
    )
    assert few.held_out == 0
    assert all("no forecast" in row.message for row in few.rows)
    assert "held_out_rms" not in few.best
