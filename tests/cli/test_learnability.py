"""What a kernel learns of data in files, from the command line."""

import json

import numpy as np
import pytest

from scalinglaws.cli import run
from scalinglaws.verify.empirical import TaskLearnability, learnability

X = np.random.default_rng(0).standard_normal((50, 3))
Y = X[:, 0] + 0.3 * (X[:, 0] ** 3 - 3 * X[:, 0])


@pytest.fixture
def files(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    np.save("X.npy", X)
    np.save("y.npy", Y)
    return tmp_path


def call(capsys, *arguments):
    code = run(tuple(map(str, arguments)))
    captured = capsys.readouterr()
    return code, captured.out, captured.err


FILES = ("learnability", "X.npy", "y.npy")
KERNEL = (*FILES, "--kernel", "erf_nngp", "--ridge", 0.05)


def test_json_is_what_the_function_finds(capsys, files):
    code, out, err = call(capsys, *KERNEL, "--samples", 5, 20, "--json")
    found = json.loads(out)
    wanted = learnability(kernel="erf_nngp", inputs=X, labels=Y, ridge=0.05, samples=[5, 20])
    assert (code, err) == (0, "")
    assert found["learnability"] == wanted.learnability.tolist()
    assert found["mode_half"] == wanted.mode_half.tolist()
    assert found["half"] == wanted.half


def test_text_tells_the_curve_the_modes_and_the_caution(capsys, files):
    wanted = learnability(kernel="erf_nngp", inputs=X, labels=Y, ridge=0.05, modes=4)
    _, out, _ = call(capsys, *KERNEL, "--modes", 4)
    assert f"Half of the target is learned with {wanted.half:.4g} samples." in out
    rows = out.partition("Modes that hold most of the target")[2].splitlines()[3:7]
    np.testing.assert_allclose([float(row.split()[3]) for row in rows], wanted.mode_half, rtol=1e-3)
    np.testing.assert_allclose(
        [float(row.split()[4]) for row in rows], wanted.mode_bound, rtol=1e-3
    )
    assert "outside all modes" not in out


def test_features_that_cannot_represent_the_target(capsys, files):
    wanted = learnability(features=X, labels=Y)
    _, out, _ = call(capsys, "learnability", "X.npy", "y.npy")
    assert f"{100 * wanted.unlearnable:.4g} % of the target outside all modes" in out


OTHER = np.random.default_rng(1).standard_normal(50) + 0.3 * X[:, 0]


def test_no_number_of_samples_teaches_what_is_outside_all_modes(capsys, files):
    np.save("other.npy", OTHER)
    wanted = learnability(features=X, labels=OTHER)
    assert wanted.unlearnable > 0.5
    assert wanted.half == np.inf
    code, out, err = call(capsys, "learnability", "X.npy", "other.npy")
    assert (code, err) == (0, "")
    share = f"{100 * wanted.unlearnable:.4g} % of it lies outside all modes."
    assert f"No number of samples teaches half of the target, as {share}" in out
    assert "inf" not in out


def test_json_has_a_word_for_infinity(capsys, files):
    np.save("other.npy", OTHER)
    code, out, err = call(capsys, "learnability", "X.npy", "other.npy", "--json")

    def refuse(constant):
        raise AssertionError(constant)

    assert (code, err) == (0, "")
    assert json.loads(out, parse_constant=refuse)["half"] == "inf"


def test_files_of_any_format(capsys, files):
    _, _, err = call(capsys, *KERNEL, "--output", "found.npz")
    assert err == "wrote found.npz\n"
    wanted = learnability(kernel="erf_nngp", inputs=X, labels=Y, ridge=0.05)
    assert TaskLearnability.load("found.npz") == wanted
    call(capsys, *KERNEL, "--output", "curve.csv")
    read = np.genfromtxt("curve.csv", delimiter=",", names=True)
    assert read.dtype.names == ("samples", "kappa", "learnability", "test_loss")
    np.testing.assert_array_equal(read["test_loss"], wanted.test_loss)
    call(capsys, *KERNEL, "--output", "picture.svg")
    assert "<svg" in (files / "picture.svg").read_text()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("--kernel", "relu"), "unknown kernel 'relu'"),
        (("--ridge", -1), "ridge = -1"),
        (("--output", "x.doc"), "the suffix must be one of"),
        (("--kernel", "rbf", "--gram"), "give one of them"),
    ],
)
def test_requests_that_cannot_be_carried_out(capsys, files, change, message):
    code, out, err = call(capsys, *FILES, *change)
    assert (code, out) == (2, "")
    assert message in err
