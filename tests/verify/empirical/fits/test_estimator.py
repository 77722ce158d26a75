"""Laws as estimators: alone, and inside scikit-learn."""

import pickle
import subprocess
import sys

import numpy as np
import pytest

from scalinglaws.errors import DataError, DomainError
from scalinglaws.verify.empirical import estimator, example_runs, fit


@pytest.fixture(scope="module")
def runs():
    return example_runs("synthetic")


@pytest.fixture(scope="module")
def table(runs):
    return np.column_stack([runs.N, runs.D])


def test_it_is_the_same_fit(runs, table):
    plain = fit("surface", runs, bootstrap=0)
    made = estimator("surface").fit(table, runs.loss)
    np.testing.assert_array_equal(made.fit_.x, plain.x)
    assert made.parameters_ == plain.parameters
    np.testing.assert_allclose(
        made.predict(table), np.exp(plain.model.predict(plain.x, plain.columns))
    )
    assert made.score(table, runs.loss) == pytest.approx(-plain.rms)
    weights = np.where(np.arange(60) < 30, 1.0, 0.0)
    half = made.score(table[:30], runs.loss[:30])
    assert made.score(table, runs.loss, sample_weight=weights) == pytest.approx(half)


def test_names_or_places_of_columns(runs, table):
    import pyarrow

    wanted = estimator("surface").fit(table, runs.loss)
    columns = {"D": runs.D, "loss": runs.loss, "N": runs.N}
    for X in (columns, pyarrow.table(columns)):
        found = estimator("surface").fit(X, runs.loss)
        np.testing.assert_array_equal(found.fit_.x, wanted.fit_.x)
        np.testing.assert_array_equal(found.predict(X), wanted.predict(table))
    assert list(wanted.feature_names_in_) == ["N", "D"]
    assert wanted.n_features_in_ == 2


def test_a_data_frame(runs, table):
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame({"D": runs.D, "N": runs.N})
    found = estimator("surface").fit(frame, pandas.Series(runs.loss))
    wanted = estimator("surface").fit(table, runs.loss)
    np.testing.assert_array_equal(found.fit_.x, wanted.fit_.x)


def test_other_laws():
    x = np.geomspace(1, 1e4, 30)
    found = estimator("power_offset").fit(x[:, None], 0.5 + 3 * x**-0.4)
    assert found.parameters_ == pytest.approx({"E": 0.5, "c": 3, "gamma": 0.4}, rel=1e-6)
    curve = 0.01 + 0.8 * (0.5 * x**0.9 + 3) ** -0.6
    found = estimator("perceptron").fit({"P": x}, curve)
    np.testing.assert_allclose(found.predict({"P": x}), curve, rtol=1e-6)


def test_repeated_points_count_as_often_as_they_are_given(runs, table):
    """As in a bagged ensemble: nothing is dropped as a duplicate."""
    twice = np.repeat(np.arange(60), np.random.default_rng(0).integers(0, 3, 60))
    counts = np.bincount(twice, minlength=60).astype(float)
    listed = estimator("surface", delta=0.01).fit(table[twice], runs.loss[twice])
    weighted = estimator("surface", delta=0.01).fit(table, runs.loss, sample_weight=counts)
    np.testing.assert_allclose(listed.fit_.x, weighted.fit_.x, rtol=1e-6)


def test_arguments_are_kept_and_changed():
    made = estimator("surface", delta=0.002, fixed={"b": 0.4})
    assert made.get_params() == {
        "law": "surface",
        "delta": 0.002,
        "envelope": None,
        "bounds": None,
        "fixed": {"b": 0.4},
        "bootstrap": 0,
        "rng": 0,
    }
    assert made.set_params(delta=0.1, law="surface_power") is made
    assert (made.delta, made.law) == (0.1, "surface_power")
    assert repr(estimator("surface", delta=0.1)) == "LawEstimator(law='surface', delta=0.1)"
    with pytest.raises(ValueError, match="unknown parameter 'dleta'"):
        made.set_params(dleta=1)


def test_inside_scikit_learn(runs, table):
    from sklearn.base import clone, is_regressor
    from sklearn.ensemble import BaggingRegressor
    from sklearn.model_selection import GridSearchCV, KFold, cross_val_score
    from sklearn.utils.validation import check_is_fitted

    made = estimator("surface", delta=0.002)
    copy = clone(made)
    assert copy is not made
    assert copy.get_params() == made.get_params()
    assert is_regressor(made)
    folds = KFold(5, shuffle=True, random_state=0)
    search = GridSearchCV(
        estimator(), {"law": ["surface", "surface_power"], "delta": [1e-3, 1e-2]}, cv=folds
    )
    search.fit(table, runs.loss)
    assert search.best_params_["law"] in ("surface", "surface_power")
    assert -0.01 < search.best_score_ < 0
    by_hand = []
    for inside, outside in folds.split(table):
        found = fit("surface", runs.take(inside), delta=1e-2, bootstrap=0)
        columns = {"N": runs.N[outside], "D": runs.D[outside]}
        error = np.log(runs.loss[outside]) - found.model.predict(found.x, columns)
        by_hand.append(-np.sqrt(np.mean(error**2)))
    scores = cross_val_score(estimator(delta=1e-2), table, runs.loss, cv=folds)
    np.testing.assert_allclose(scores, by_hand, rtol=1e-6)
    check_is_fitted(search.best_estimator_)
    bagged = BaggingRegressor(estimator(), n_estimators=5, random_state=0).fit(table, runs.loss)
    assert np.max(np.abs(np.log(bagged.predict(table) / runs.loss))) < 0.02


def test_it_survives_pickling(runs, table):
    made = estimator("surface").fit(table, runs.loss)
    again = pickle.loads(pickle.dumps(made))
    np.testing.assert_array_equal(again.predict(table), made.predict(table))


def test_scikit_learn_is_not_imported():
    code = (
        "import sys, numpy as np\n"
        "from scalinglaws.verify.empirical import estimator\n"
        "x = np.geomspace(1, 1e4, 20)\n"
        "estimator('power').fit(x[:, None], 3 * x**-0.4).predict(x[:, None])\n"
        "assert 'sklearn' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_refusals(runs, table):
    with pytest.raises(DomainError, match="unknown option 'dleta'"):
        estimator("surface", dleta=1)
    with pytest.raises(DomainError, match="unknown law"):
        estimator("surfaces")
    with pytest.raises(DataError, match="not fitted yet"):
        estimator().predict(table)
    made = estimator()
    with pytest.raises(DomainError, match="must have 2 columns, N, D"):
        made.fit(table[:, :1], runs.loss)
    with pytest.raises(DomainError, match="has no column D; there are N"):
        made.fit({"N": runs.N}, runs.loss)
    with pytest.raises(DomainError, match="must have a loss for each N"):
        made.fit(table, runs.loss[:-1])
    with pytest.raises(DomainError, match=r"y\[0\] = -1"):
        made.fit(table, -np.ones(60))
    with pytest.raises(DomainError, match=r"X\[0, 0\] = 0"):
        made.fit(0 * table, runs.loss)
    with pytest.raises(DataError, match="too few"):
        made.fit(table[:6], runs.loss[:6])
