"""Saved fits that somebody changed: refused with the name of what is wrong, instead of planned with."""

import json

import numpy as np
import pytest

from scalinglaws.errors import DataError, DomainError
from scalinglaws.verify import empirical
from scalinglaws.verify.empirical import Fit


@pytest.fixture(scope="module")
def saved():
    return empirical.fit("auto", empirical.example_runs("synthetic"), bootstrap=5)


def changed(fit, name, value):
    document = json.loads(fit.to_json())
    document["result"]["fields"][name] = value
    return json.dumps(document)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("law", "foo"),
        ("law", "E + A*N**-a"),
        ("names", ["E", "A"]),
        ("x", [1, 2]),
        ("x", "abc"),
        ("cov", [[1]]),
        ("losses", []),
        ("samples", [[1, 2]]),
        ("columns", 3),
        ("residuals", [1]),
        ("row_weights", [0]),
        ("jacobian", [[]]),
        ("calibration", 3),
        ("runs", 5),
        ("warnings", ["x"]),
        ("warnings", None),
        ("cost", 0),
        ("cost", -6),
        ("cost", "6"),
        ("delta", -1),
        ("delta", "x"),
        ("success", "no"),
    ],
)
def test_a_changed_fit_is_refused(saved, name, value):
    with pytest.raises(DataError):
        Fit.from_json(changed(saved, name, value))


@pytest.mark.parametrize("suffix", [".json", ".JSON", ".npz"])
def test_what_was_saved_is_read_again(saved, tmp_path, suffix):
    assert Fit.load(saved.save(tmp_path / f"fit{suffix}")) == saved
    known = empirical.from_parameters("besiroglu")
    assert Fit.load(known.save(tmp_path / f"known{suffix}")).parameters == known.parameters


@pytest.mark.parametrize(
    "weights", [{"surface": -5.0, "surface_power": 6.0}, {"other": 1.0}, {"surface": np.nan}]
)
def test_weights_must_be_shares(saved, tmp_path, weights):
    from dataclasses import replace

    path = replace(saved, weights=weights).save(tmp_path / "fit.npz")
    with pytest.raises(DataError, match="weights"):
        Fit.load(path)


def test_both_suffixes_are_named(saved, tmp_path):
    with pytest.raises(DomainError, match=r"\.npz or \.json"):
        saved.save(tmp_path / "fit.txt")


def test_recipes_refuse_what_shares_nothing():
    runs = empirical.example_runs("gadre")
    with pytest.raises(DomainError, match="shared"):
        empirical.compare_recipes("surface", runs, "c4_original", shared=3, bootstrap=0)
