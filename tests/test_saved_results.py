"""Files outlive versions: what 0.1.0 saved still loads, and is saved again under names that stay."""

import json
import pkgutil
from dataclasses import dataclass, field, fields, is_dataclass, make_dataclass
from importlib import import_module

import numpy as np
import pytest

import scalinglaws
from scalinglaws import results, saved_names
from scalinglaws.errors import DataError
from scalinglaws.results import Diagnostics, Result, Status
from scalinglaws.saved_names import PATHS_OF_0_1_0, saved_class, saved_name
from scalinglaws.solvers import PowerLawSpectrum, linear


@pytest.fixture(scope="module")
def folder(root):
    return root / "tests" / "reference" / "saved_0_1_0"


@pytest.fixture(scope="module")
def expected(folder):
    return json.loads((folder / "expected.json").read_text(encoding="utf-8"))


def _at(value, path):
    for part in path.split("."):
        if isinstance(value, np.ndarray):
            value = value.ravel()[int(part)]
        elif isinstance(value, tuple):
            value = value[int(part)]
        else:
            value = value[part] if isinstance(value, dict) else getattr(value, part)
    return float(value)


def _header(path):
    with np.load(path, allow_pickle=False) as store:
        return json.loads(str(store["header"]))


def _names(tree):
    """List the names of classes in a header."""
    if isinstance(tree, list):
        return [name for entry in tree for name in _names(entry)]
    if not isinstance(tree, dict):
        return []
    own = [tree[key] for key in ("class", "enum") if isinstance(tree.get(key), str)]
    return own + _names(list(tree.values()))


def _result_classes():
    for info in pkgutil.walk_packages(scalinglaws.__path__, "scalinglaws."):
        if not info.name.endswith("__main__"):
            import_module(info.name)
    return [kind for kind in Result.__subclasses__() if kind.__module__.startswith("scalinglaws.")]


def test_every_file_of_0_1_0_loads_and_is_saved_under_names_that_stay(folder, expected, tmp_path):
    assert set(expected) == {path.name for path in folder.glob("*.npz")}
    for name, numbers in expected.items():
        old = Result.load(folder / name)
        again = old.save(tmp_path / name)
        new = Result.load(again)
        for found in (old, new):
            assert type(found).__name__ == name.removesuffix(".npz").split("-")[1]
            assert {path: _at(found, path) for path in numbers} == numbers
        header = _header(again)
        assert header["format"] == 2
        assert header["result"]["class"] == saved_name(type(old))
        for entry in _names(header["result"]):
            assert ":" not in entry
            assert "._" not in entry


def test_the_table_holds_what_the_files_of_0_1_0_name(folder):
    found = {name for path in folder.glob("*.npz") for name in _names(_header(path)["result"])}
    assert found == set(PATHS_OF_0_1_0)


def test_every_result_class_has_a_public_name_and_is_found_by_it(folder):
    classes = _result_classes()
    assert len(classes) >= 36
    names = {saved_name(kind): kind for kind in classes}
    assert len(names) == len(classes)
    for name, kind in names.items():
        assert saved_class(name) is kind
        assert ":" not in name
    for name in PATHS_OF_0_1_0.values():
        assert saved_name(saved_class(name)) == name


def test_names_are_where_a_class_is_public():
    from scalinglaws.verify import Comparison
    from scalinglaws.verify.simulate.percolation import LatticeClusters

    assert saved_name(linear.RidgeSolution) == "linear.RidgeSolution"
    assert saved_name(LatticeClusters) == "percolation.LatticeClusters"
    assert saved_name(Comparison) == "verify.Comparison"
    assert saved_name(Diagnostics) == "results.Diagnostics"
    assert saved_name(Status) == "results.Status"
    assert saved_name(PowerLawSpectrum) == "solvers.PowerLawSpectrum"
    assert saved_class("solvers.PowerLawSpectrum") is PowerLawSpectrum


@pytest.mark.parametrize(
    "name",
    [
        "os.PathLike",
        "linear.ridge",
        "linear.nothing",
        "linear.Nothing",
        "linear.Spectrum",
        "linear._statics.RidgeSolution",
        "solvers.linear.RidgeSolution",
        "..os.PathLike",
        "errors.DomainError",
        "scalinglaws.errors:DomainError",
        "os:system",
        "",
    ],
)
def test_a_file_reaches_nothing_but_public_classes(name):
    with pytest.raises(DataError, match=r"this version has no class|only this package's classes"):
        saved_class(name)


def test_a_class_outside_the_package_is_not_loaded(tmp_path):
    @dataclass(frozen=True)
    class Foreign(Result):
        value: float

    with pytest.raises(DataError, match="saved results hold only this package's classes"):
        Result.load(Foreign(1.0).save(tmp_path / "x.npz"))


@pytest.fixture
def tampered(tmp_path):
    """Return a function that saves a result of given fields, as another version might have."""

    def write(name, **held):
        tree = {"class": name, "fields": held}
        np.savez(tmp_path / "other.npz", header=np.array(json.dumps({"format": 2, "result": tree})))
        return tmp_path / "other.npz"

    return write


def _grown(monkeypatch, **more):
    """Stand for a result class to which fields were added."""
    kind = make_dataclass(
        "Grown",
        [
            ("loss", float),
            ("bound", float, field(default=0.5)),
            ("notes", dict, field(default_factory=dict)),
        ],
        bases=(Result,),
        frozen=True,
        namespace=more,
    )
    monkeypatch.setattr(results, "saved_class", lambda name: kind)
    monkeypatch.setattr(results, "saved_name", lambda kind: "linear.Grown")
    return kind


def test_a_field_added_later_gets_its_default(tampered, monkeypatch):
    kind = _grown(monkeypatch)
    assert Result.load(tampered("linear.Grown", loss=1.0)) == kind(1.0, 0.5, {})
    assert Result.load(tampered("linear.Grown", loss=1.0, bound=2.0)) == kind(1.0, 2.0, {})


def test_an_unknown_or_a_lacking_field_is_refused_by_name(tampered, monkeypatch):
    _grown(monkeypatch)
    with pytest.raises(DataError, match=r"other\.npz .*linear\.Grown has no field 'no', 'one'$"):
        Result.load(tampered("linear.Grown", loss=1.0, no=2.0, one=3.0))
    with pytest.raises(DataError, match="needs the field 'loss'"):
        Result.load(tampered("linear.Grown", bound=2.0))


def test_a_class_that_lost_a_field_reads_older_files_itself(tampered, monkeypatch):
    def read(cls, saved):
        saved.pop("error")
        return cls(**saved)

    kind = _grown(monkeypatch, _from_saved=classmethod(read))
    assert Result.load(tampered("linear.Grown", loss=1.0, error=None)) == kind(1.0)


def test_what_results_hold_is_plain_data():
    """No result class keeps what a file could not hold: fields are data, given on construction."""
    for kind in _result_classes():
        assert is_dataclass(kind)
        assert all(entry.init for entry in fields(kind))
    assert saved_names.PATHS_OF_0_1_0.keys().isdisjoint(PATHS_OF_0_1_0.values())
