"""Spectra from files."""

import numpy as np
import pytest

from scalinglaws.errors import DataError, DomainError
from scalinglaws.solvers.spectrum_files import load_spectrum

K = np.arange(1.0, 201.0)
EIGENVALUES, SIGNAL = K**-1.5, K**-2.0


def written(folder, name):
    """Write the same spectrum in one of the forms that are read."""
    path = folder / name
    if name.endswith(".npy"):
        np.save(path, np.column_stack([EIGENVALUES, SIGNAL]))
    elif name.endswith(".npz"):
        np.savez(path, eigenvalues=EIGENVALUES, signal=SIGNAL)
    else:
        comma = "," if name.endswith(".csv") else " "
        np.savetxt(path, np.column_stack([EIGENVALUES, SIGNAL]), delimiter=comma, fmt="%.17g")
    return path


@pytest.mark.parametrize("name", ["a.npy", "a.npz", "a.csv", "a.txt"])
def test_every_form_holds_the_same(tmp_path, name):
    found = load_spectrum(written(tmp_path, name))
    np.testing.assert_array_equal(found.eigenvalues, EIGENVALUES)
    np.testing.assert_array_equal(found.signal, SIGNAL)


def test_a_signal_of_its_own_and_none(tmp_path):
    np.save(tmp_path / "e.npy", EIGENVALUES)
    np.savetxt(tmp_path / "s.txt", SIGNAL, header="power of the target")
    found = load_spectrum(tmp_path / "e.npy", tmp_path / "s.txt")
    np.testing.assert_allclose(found.signal, SIGNAL)
    white = load_spectrum(tmp_path / "e.npy")
    np.testing.assert_array_equal(white.signal, EIGENVALUES)


def test_a_line_of_names_and_comments_are_skipped(tmp_path):
    (tmp_path / "a.csv").write_text("\ufeffeigenvalue;signal\n# measured\n1;0.5\n\n0.5 ; 0.25\n")
    found = load_spectrum(tmp_path / "a.csv")
    np.testing.assert_array_equal(found.eigenvalues, [1, 0.5])
    np.testing.assert_array_equal(found.signal, [0.5, 0.25])


def test_objects_are_never_loaded(tmp_path):
    class Trap:
        def __reduce__(self):
            return (print, ("loaded",))

    for name, save in (("a.npy", np.save), ("a.npz", np.savez)):
        save(tmp_path / name, np.array([Trap()], dtype=object))
        with pytest.raises(DataError, match="Python objects, which are not loaded"):
            load_spectrum(tmp_path / name)


@pytest.mark.parametrize(
    ("name", "content", "complaint"),
    [
        ("a.xlsx", b"", "the suffix must be one of"),
        ("a.npy", b"hello", "damaged"),
        ("a.npz", b"PK\x03\x04hello", "damaged"),
        ("a.npy", b"", "damaged"),
        ("a.txt", b"", "holds no numbers"),
        ("a.txt", b"eigenvalue\n", "holds no numbers"),
        ("a.txt", b"\xff\xfe\x00", "is no text"),
        ("a.csv", b"1,2\nx,y\n", "line 2: 'x' is no number"),
        ("a.csv", b"1,2\n3\n", "line 2: 1 numbers"),
        ("a.csv", b"1,2,3\n", "has 3 columns; one column"),
    ],
)
def test_what_cannot_be_read_is_said(tmp_path, name, content, complaint):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(DataError, match=complaint):
        load_spectrum(tmp_path / name)


@pytest.mark.parametrize(
    ("array", "complaint"),
    [
        (np.eye(5), "eigvalsh"),
        (np.ones((4, 3)), "one column of eigenvalues, or two"),
        (1j * K, "real numbers"),
        (K[:0], "holds no numbers"),
        (np.array(3.0), "has shape"),
    ],
)
def test_what_is_no_column_is_said(tmp_path, array, complaint):
    np.save(tmp_path / "a.npy", array)
    with pytest.raises(DataError, match=complaint):
        load_spectrum(tmp_path / "a.npy")


def test_signals_that_do_not_fit(tmp_path):
    np.save(tmp_path / "e.npy", EIGENVALUES)
    np.save(tmp_path / "two.npy", np.column_stack([EIGENVALUES, SIGNAL]))
    np.save(tmp_path / "short.npy", SIGNAL[:-1])
    np.savez(tmp_path / "many.npz", one=SIGNAL, two=SIGNAL)
    with pytest.raises(DataError, match="leave out signal="):
        load_spectrum(tmp_path / "two.npy", tmp_path / "short.npy")
    with pytest.raises(DataError, match="has 2 columns"):
        load_spectrum(tmp_path / "e.npy", tmp_path / "two.npy")
    with pytest.raises(DataError, match="199 numbers"):
        load_spectrum(tmp_path / "e.npy", tmp_path / "short.npy")
    with pytest.raises(DataError, match="name one of them eigenvalues"):
        load_spectrum(tmp_path / "many.npz")
    with pytest.raises(DataError, match="cannot read"):
        load_spectrum(tmp_path / "nowhere.npy")
    np.save(tmp_path / "negative.npy", -EIGENVALUES)
    with pytest.raises(DomainError, match="eigenvalues"):
        load_spectrum(tmp_path / "negative.npy")
