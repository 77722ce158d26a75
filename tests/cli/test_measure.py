"""Capacity and source of files, from the command line."""

import json

import numpy as np
import pytest

from scalinglaws.cli import run
from scalinglaws.verify import empirical
from scalinglaws.verify.simulate.empirical import draw_task

TASK = draw_task(200, alpha=1.5, decay=0.75, modes=1000, rng=0)


def call(capsys, *arguments):
    code = run(tuple(map(str, arguments)))
    captured = capsys.readouterr()
    return code, captured.out, captured.err


@pytest.fixture(scope="module")
def features():
    """Rows whose products are the Gram matrix."""
    values, vectors = np.linalg.eigh(TASK.gram)
    return vectors * np.sqrt(np.maximum(values, 0))


@pytest.fixture(scope="module")
def known():
    return empirical.measure(gram=TASK.gram, labels=TASK.labels, rng=3)


def test_an_archive_holds_gram_and_labels(capsys, tmp_path, known):
    np.savez(tmp_path / "task.npz", gram=TASK.gram, labels=TASK.labels)
    code, out, err = call(capsys, "measure", tmp_path / "task.npz", "--seed", 3, "--json")
    found = json.loads(out)
    assert (code, err) == (0, "")
    assert found["capacity"]["value"] == known.capacity.value
    assert found["source"]["interval"] == list(known.source.interval)
    _, out, _ = call(capsys, "measure", tmp_path / "task.npz", "--seed", 3)
    assert out.split() == known.report().split()


def test_two_files_and_columns_of_a_table(capsys, tmp_path, features):
    wanted = empirical.measure(features=features, labels=TASK.labels).capacity.value
    np.save(tmp_path / "features.npy", features)
    np.save(tmp_path / "labels.npy", TASK.labels)
    table = tmp_path / "table.csv"
    head = ",".join([*(f"f{i}" for i in range(features.shape[1])), "target"])
    joined = np.column_stack([features, TASK.labels])
    np.savetxt(table, joined, delimiter=",", header=head, comments="", fmt="%.17g")
    for given in (
        (tmp_path / "features.npy", tmp_path / "labels.npy"),
        (table,),  # a column of this name is found
        (table, "target"),
    ):
        _, out, _ = call(capsys, "measure", *given, "--json")
        assert json.loads(out)["capacity"]["value"] == pytest.approx(wanted, rel=1e-9)


def test_kernels_and_words(capsys, tmp_path):
    rng = np.random.default_rng(0)
    inputs = rng.standard_normal((160, 3))
    kinds = np.where(inputs[:, 0] > 0, "cat", "dog")
    np.save(tmp_path / "inputs.npy", inputs)
    (tmp_path / "labels.csv").write_text("kind\n" + "\n".join(kinds) + "\n")
    given = (tmp_path / "inputs.npy", tmp_path / "labels.csv", "--kernel", "laplace", "--length", 2)
    code, out, err = call(capsys, "measure", *given, "--json")
    found = json.loads(out)
    assert (code, err) == (0, "")
    same = empirical.measure(kernel="laplace", inputs=inputs, labels=kinds, length=2)
    assert found["capacity"]["value"] == same.capacity.value
    assert "laplace" in found["source_of_data"]


def test_eigenvalues_and_coefficients(capsys, tmp_path):
    k = np.arange(1.0, 1001)
    np.savez(tmp_path / "modes.npz", eigenvalues=k**-1.5, coefficients=k**-0.875)
    code, out, _ = call(capsys, "measure", tmp_path / "modes.npz", "--json")
    assert code == 0
    assert json.loads(out)["capacity"]["value"] == pytest.approx(1.5, abs=1e-6)
    code, _, err = call(capsys, "measure", tmp_path / "modes.npz", "labels.npy")
    assert code == 2
    assert "needs coefficients beside them, and no labels" in err


def test_what_is_written(capsys, tmp_path):
    np.savez(tmp_path / "task.npz", gram=TASK.gram, labels=TASK.labels)
    page, kept = tmp_path / "page.html", tmp_path / "kept.npz"
    _, out, err = call(capsys, "measure", tmp_path / "task.npz", "--html", page, "--output", kept)
    assert err.split() == ["wrote", str(page), "wrote", str(kept)]
    assert "power law" in out
    assert page.read_text().startswith("<!")
    assert empirical.TaskMeasurement.load(kept).report().split() == out.split()
    picture = tmp_path / "picture.svg"
    call(capsys, "measure", tmp_path / "task.npz", "--output", picture)
    assert picture.exists()
    assert (tmp_path / "picture-curve.svg").exists()
    call(capsys, "measure", tmp_path / "task.npz", "--output", tmp_path / "said.md")
    assert "| capacity" in (tmp_path / "said.md").read_text()


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (("nowhere.npy", "labels.npy"), "cannot read nowhere.npy"),
        (("features.npy",), "labels are missing: give a second file, or columns of the first; "),
        (("table.csv", "kind"), "there are no labels kind"),
        (("table.csv",), "labels are missing"),
        (("words.csv", "b"), "must hold numbers; words are allowed as labels only"),
        (("features.npy", "short.npy"), "labels"),
        (("features.npy", "labels.npy", "--kernel", "laplac"), "laplace"),
        (("features.npy", "labels.npy", "--kernel", "rbf", "--gram"), "give one of them"),
        (("features.npy", "labels.npy", "--samples", "9"), "samples = 9 belongs to eigenvalues"),
        (("features.npy", "labels.npy", "--html", "a.txt"), "suffix must be one of .html"),
        (("many.npz", "labels.npy"), "name one of them features"),
        (("features.npy", "many.npz"), "name one of them labels"),
    ],
)
def test_what_is_refused(capsys, tmp_path, monkeypatch, features, arguments, complaint):
    monkeypatch.chdir(tmp_path)
    np.save("features.npy", features)
    np.save("labels.npy", TASK.labels)
    np.save("short.npy", TASK.labels[:-1])
    np.savez("many.npz", one=features, two=features)
    (tmp_path / "table.csv").write_text("a,b\n" + "\n".join(f"{i}.5,{i}" for i in range(30)))
    (tmp_path / "words.csv").write_text("a,b\n" + "\n".join(f"w{i},{i}" for i in range(30)))
    code, out, err = call(capsys, "measure", *arguments)
    assert (code, out) == (2, "")
    assert complaint in err


def test_a_task_is_drawn_and_measured(capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    code, out, err = call(
        capsys,
        "simulate",
        "empirical",
        "task",
        "--samples",
        200,
        "--modes",
        1000,
        "--output",
        "t.npz",
    )
    assert (code, err) == (0, "wrote t.npz\n")
    assert "variance of labels" in out
    with np.load("t.npz") as kept:
        np.testing.assert_array_equal(kept["gram"], TASK.gram)
        np.testing.assert_array_equal(kept["labels"], TASK.labels)
    code, _, err = call(capsys, "simulate", "empirical", "task", "--alpha", 1)
    assert code == 2
    assert "alpha = 1" in err
