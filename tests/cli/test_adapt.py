"""Kernels that adapt to data in files, from the command line."""

import json

import numpy as np
import pytest

from scalinglaws.cli import run
from scalinglaws.solvers.kernel_adaptation import AdaptedKernels, adapt

X = np.random.default_rng(0).standard_normal((25, 3))
Y = X[:, 0] + 0.3 * (X[:, 0] ** 3 - 3 * X[:, 0])
NEW = X[:4] + 0.1


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("data")
    np.save(folder / "X.npy", X)
    np.save(folder / "y.npy", Y)
    np.save(folder / "new.npy", NEW)
    return folder


@pytest.fixture(scope="module")
def known():
    return adapt(X, Y, layers=[30, 40], activation="erf", scale=30.0, ridge=0.2)


def call(capsys, *arguments):
    code = run(tuple(map(str, arguments)))
    captured = capsys.readouterr()
    return code, captured.out, captured.err


def given(files, *more):
    return (
        *("adapt", files / "X.npy", files / "y.npy", "--layers", 30, 40, "--activation", "erf"),
        *("--scale", 30, "--ridge", 0.2, *more),
    )


def test_json_holds_what_was_found_but_no_large_matrices(capsys, files, known):
    code, out, err = call(capsys, *given(files, "--json", "--predict", files / "new.npy"))
    found = json.loads(out)
    assert (code, err) == (0, "")
    assert found["free_energy"] == known.free_energy
    assert found["mean"] == known.mean.tolist()
    assert found["layers"] == [30, 40]
    assert found["predictions"] == known.predict(NEW).tolist()
    assert found["warnings"] == []
    assert not {"kernels", "output_kernel", "inputs"} & set(found)


def test_text_tells_layers_directions_errors_and_predictions(capsys, files, known):
    _, out, _ = call(capsys, *given(files))
    assert f"free energy {known.free_energy:.10g}" in out
    assert f"{known.divergences[1]:.4g}" in out
    variances = 3 * np.linalg.eigvalsh(known.weight_covariance)
    assert f"{variances[-1]:.4g}" in out
    assert f"{np.sqrt(np.mean((Y - known.mean) ** 2)):.4g}" in out
    assert "New inputs" not in out
    _, out, _ = call(capsys, *given(files, "--predict", files / "new.npy"))
    rows = out.partition("New inputs")[2].splitlines()[3:]
    np.testing.assert_allclose(
        [float(row.split()[1]) for row in rows], known.predict(NEW), rtol=1e-5
    )


def test_files_of_any_format(capsys, files, known, tmp_path):
    kept = tmp_path / "kernels.npz"
    _, _, err = call(capsys, *given(files, "--output", kept))
    assert err == f"wrote {kept}\n"
    assert AdaptedKernels.load(kept) == known
    table = tmp_path / "means.csv"
    call(capsys, *given(files, "--output", table))
    read = np.genfromtxt(table, delimiter=",", names=True)
    assert read.dtype.names == ("target", "mean", "nngp_mean")
    np.testing.assert_array_equal(read["nngp_mean"], known.nngp_mean)


def test_columns_of_a_table_several_targets_and_variances(capsys, tmp_path):
    table = tmp_path / "table.csv"
    joined = np.column_stack([X, Y, Y**2])
    np.savetxt(table, joined, delimiter=",", header="a,b,c,one,two", comments="", fmt="%.17g")
    code, out, _ = call(
        capsys, "adapt", table, "one,two", "--layers", 20, 20, "--activation", "linear",
        "--scale", 20, "--ridge", 0.3, "--weight-variance", 1, 2, "--annealing-steps", 0, "--json",
    )  # fmt: skip
    wanted = adapt(
        X, joined[:, 3:], layers=[20, 20], activation="linear", scale=20.0, ridge=0.3,
        weight_variance=[1.0, 2.0], annealing_steps=0,
    )  # fmt: skip
    found = json.loads(out)
    assert code == 0
    assert found["weight_variance"] == [1, 2]
    np.testing.assert_allclose(found["mean"], wanted.mean, rtol=1e-12)
    assert len(found["start_free_energies"]) == 1


def test_cautions_are_warnings(capsys, files, tmp_path):
    small = (
        "adapt",
        files / "X.npy",
        files / "y.npy",
        "--layers",
        30,
        "--scale",
        1,
        "--ridge",
        0.2,
    )
    _, out, err = call(capsys, *small)
    assert "warning: adapt: scale = 1 is of order one" in out
    assert err == ""
    _, out, _ = call(capsys, *small, "--json")
    assert len(json.loads(out)["warnings"]) == 1
    _, _, err = call(capsys, *small, "--output", tmp_path / "means.csv")
    assert err.startswith("warning: adapt: scale = 1")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("--activation", "relu"), "activation = 'relu' must be 'linear' or 'erf'"),
        (("--ridge", 0), "ridge = 0.0 must be > 0"),
        (("--layers", 1.5), "unable to convert"),
        (("--output", "kernels.doc"), "the suffix must be one of"),
        (("--predict", "missing.npy"), "cannot read missing.npy"),
    ],
)
def test_requests_that_cannot_be_carried_out(capsys, files, change, message):
    code, out, err = call(capsys, "adapt", files / "X.npy", files / "y.npy", "--layers", 30, "--scale", 30,
                          *(() if "--ridge" in change else ("--ridge", 0.2)), *change)  # fmt: skip
    assert (code, out) == (2, "")
    assert message in err


def test_new_inputs_of_another_length_and_files_without_inputs(capsys, files, tmp_path):
    np.save(tmp_path / "short.npy", NEW[:, :2])
    code, _, err = call(capsys, *given(files, "--predict", tmp_path / "short.npy"))
    assert (code, "as long as those of X, 3; got 2" in err) == (2, True)
    np.savez(tmp_path / "modes.npz", eigenvalues=np.ones(3), coefficients=np.ones(3))
    code, _, err = call(capsys, "adapt", tmp_path / "modes.npz", "--layers", 30, "--scale", 30, "--ridge", 0.2)  # fmt: skip
    assert (code, "must hold inputs, one row an example" in err) == (2, True)


def test_scale_and_ridge_have_defaults(capsys, files):
    """Mean-field scaling: the width of the last layer."""
    code, out, _ = call(capsys, "adapt", files / "X.npy", files / "y.npy", "--layers", 30, 40)
    assert code == 0
    assert "scale 40, ridge 0.1:" in out
