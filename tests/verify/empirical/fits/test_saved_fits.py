"""Fits that this release saved as JSON: what is in the files is in what is loaded, bit for bit."""

import json
from dataclasses import fields, is_dataclass

import numpy as np
import pytest

from scalinglaws.results import Result
from scalinglaws.verify.empirical import Fit

FILES = ("fit-auto.json", "fit-expression.json", "fit-published.json")


@pytest.fixture(scope="module")
def folder(root):
    return root / "tests" / "reference" / "saved_0_2_0"


def _compare(tree, value, arrays):
    """Walk through a file and what was loaded from it; return how many numbers were compared."""
    if isinstance(tree, dict) and "class" in tree:
        assert is_dataclass(value)
        assert set(tree["fields"]) <= {field.name for field in fields(value)}
        return sum(
            _compare(entry, getattr(value, name), arrays) for name, entry in tree["fields"].items()
        )
    if isinstance(tree, dict) and "array" in tree:
        entry = arrays[tree["array"]]
        assert list(value.shape) == entry["shape"]
        assert value.dtype.str == entry["type"]
        wanted = np.array(entry["values"], dtype=entry["type"]).reshape(entry["shape"])
        assert value.tobytes() == wanted.tobytes()
        return value.size
    if isinstance(tree, dict) and "tuple" in tree:
        assert len(value) == len(tree["tuple"])
        return sum(
            _compare(one, other, arrays) for one, other in zip(tree["tuple"], value, strict=True)
        )
    if isinstance(tree, dict) and "mapping" in tree:
        assert [key for key, _ in tree["mapping"]] == list(value)
        return sum(_compare(entry, value[key], arrays) for key, entry in tree["mapping"])
    if isinstance(tree, dict):  # a number that is not finite, spelled out
        assert isinstance(value, float)
        assert not np.isfinite(value)
        return 1
    assert value == tree
    assert type(value) is type(tree)
    return 1


@pytest.mark.parametrize("name", FILES)
def test_files_load_bit_for_bit(name, folder):
    text = (folder / name).read_text(encoding="utf-8")
    document = json.loads(text)
    for loaded in (Fit.load(folder / name), Result.from_json(text)):
        assert isinstance(loaded, Fit)
        assert _compare(document["result"], loaded, document["arrays"]) > 30
        again = Fit.from_json(loaded.to_json())
        assert again == loaded
        assert again.to_json() == loaded.to_json()


def test_loaded_fits_can_be_used(folder):
    automatic, expression, published = (Fit.load(folder / name) for name in FILES)
    assert automatic.law == "surface"
    assert set(automatic.laws) == {"surface_power"}
    assert len(automatic.runs) == 60
    assert len(automatic.samples) == 4
    np.testing.assert_allclose(
        automatic.residuals,
        np.log(automatic.losses) - automatic.model.predict(automatic.x, automatic.columns),
        atol=1e-14,
    )
    assert automatic.identifiability.identifiable
    assert sum(automatic.weights.values()) == pytest.approx(1)
    assert automatic.calibration is not None
    assert automatic.rolling is not None
    assert automatic.bootstrap(4, rng=0).samples == pytest.approx(automatic.samples, rel=1e-8)
    assert {entry.code for entry in expression.warnings} == {"W-few-runs", "W-trend"}
    assert expression.parameters["u"] == pytest.approx(-0.3, abs=0.05)
    low, high = published.interval("A")
    assert low * high == pytest.approx(482.01**2)
