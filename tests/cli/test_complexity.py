"""Complexity of saved weights, from the command line."""

import csv
import json

import numpy as np
import pytest

from scalinglaws.cli import run
from scalinglaws.solvers.perceptron import spectral_complexity


def call(capsys, *arguments):
    code = run(tuple(map(str, arguments)))
    captured = capsys.readouterr()
    return code, captured.out, captured.err


def network(scale):
    rng = np.random.default_rng(1)
    return {
        "hidden.weight": scale * rng.standard_normal((4, 6)),
        "hidden.bias": np.ones(4),
        "out.weight": rng.standard_normal((2, 4)),
    }


@pytest.fixture
def checkpoints(tmp_path):
    folder = tmp_path / "run"
    folder.mkdir()
    for step in (0, 10, 9, 100):
        np.savez(folder / f"step-{step}.npz", **network(1 + step))
    return folder


def test_layers_of_a_file(capsys, checkpoints, tmp_path):
    path = checkpoints / "step-9.npz"
    known = spectral_complexity(network(10.0))
    code, out, err = call(capsys, "complexity", path, "--json")
    found = json.loads(out)
    assert (code, err) == (0, "")
    assert found["columns"]["layer"] == ["hidden.weight", "out.weight"]
    assert found["columns"]["contribution"] == known.contributions.tolist()
    assert found["complexity"] == known.complexity
    _, out, _ = call(capsys, "complexity", path, "--norm", "l1", "--lipschitz", "2")
    assert f"complexity {4 * known.complexity:.6f}"[:14] in out
    assert ", l1 " in out
    table = tmp_path / "layers.csv"
    call(capsys, "complexity", path, "--output", table)
    assert len(list(csv.reader(table.read_text().splitlines()))) == 3


def test_a_folder_is_a_training_run(capsys, checkpoints, tmp_path):
    code, out, _ = call(capsys, "complexity", checkpoints, "--json")
    found = json.loads(out)["columns"]
    assert code == 0
    assert found["checkpoint"] == ["step-0", "step-9", "step-10", "step-100"]
    first = found["complexity"][0]
    np.testing.assert_allclose(found["complexity"], [first, 10 * first, 11 * first, 101 * first])
    picture = tmp_path / "curve.png"
    code, out, err = call(capsys, "complexity", checkpoints, "--output", picture)
    assert (code, out, err) == (0, "", f"wrote {picture}\n")
    assert picture.read_bytes().startswith(b"\x89PNG")
    _, out, _ = call(capsys, "complexity", checkpoints, "--norm", "group")
    assert "sum of (2,1)-norms" in out


def test_distances_from_the_start(capsys, checkpoints):
    start = checkpoints / "step-0.npz"
    _, out, _ = call(capsys, "complexity", checkpoints, "--reference", start, "--json")
    found = json.loads(out)["columns"]
    assert found["complexity"][0] == 0
    assert found["effective_rank"][1] > 0


def test_convolutions_need_a_shape(capsys, tmp_path):
    path = tmp_path / "kernel.npz"
    kernel = np.random.default_rng(2).standard_normal((3, 2, 3, 3))
    np.savez(path, kernel=kernel)
    code, _, err = call(capsys, "complexity", path)
    assert code == 2
    assert "shape = None must be given" in err
    _, out, _ = call(capsys, "complexity", path, "--shape", "6", "5", "--json")
    assert json.loads(out)["complexity"] == spectral_complexity([kernel], shape=(6, 5)).complexity


def test_refusals(capsys, tmp_path, checkpoints):
    broken = tmp_path / "broken.npz"
    broken.write_text("no archive")
    objects = tmp_path / "objects.npz"
    np.savez(objects, a=np.array([{}], dtype=object))
    for path, message in (
        (tmp_path / "none.npz", "cannot read"),
        (tmp_path, "is no file of plain arrays"),
        (broken, "is no file of plain arrays"),
        (objects, "Python objects, which are not loaded"),
    ):
        code, _, err = call(capsys, "complexity", path)
        assert code == 2
        assert message in err
    empty = tmp_path / "empty"
    empty.mkdir()
    assert "holds no .npz file" in call(capsys, "complexity", empty)[2]
    assert (
        "suffix must be one of"
        in call(capsys, "complexity", checkpoints / "step-0.npz", "--output", tmp_path / "x.png")[2]
    )
