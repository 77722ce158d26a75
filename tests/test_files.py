"""Arrays and tables from files."""

import gzip
import sys
import types

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scalinglaws.errors import DataError, ResourceError
from scalinglaws.files import SUFFIXES, matrix, read_arrays
from scalinglaws.records import read_records


def read(tmp_path, name, content, **options):
    path = tmp_path / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return read_arrays(path, **options)


@pytest.mark.parametrize("separator", [",", ";", "\t", " ", " , "])
@pytest.mark.parametrize("name", ["a.csv", "a.tsv", "a.txt"])
def test_every_separator(tmp_path, name, separator):
    text = "\ufeff" + separator.join("abc") + "\n# said\n" + separator.join("123") + " # more\n\n"
    found = read(tmp_path, name, text + separator.join("456") + "\n")
    assert list(found) == ["a", "b", "c"]
    np.testing.assert_array_equal(matrix(name, found), [[1, 2, 3], [4, 5, 6]])


def test_columns_without_names_are_numbered(tmp_path):
    assert list(read(tmp_path, "a.csv", "1,2\n3,4\n")) == ["1", "2"]
    # a heading twice, and an empty one that heads no index
    assert list(read(tmp_path, "a.csv", "x,x,\n3,4,9\n")) == ["x", "2", "3"]


def test_headings_and_indices_of_pandas(tmp_path):
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame(np.arange(12.0).reshape(4, 3))
    for index in (True, False):
        frame.to_csv(tmp_path / "a.csv", index=index)
        found = read_arrays(tmp_path / "a.csv")
        assert list(found) == ["0", "1", "2"]
        np.testing.assert_array_equal(matrix("", found), frame.to_numpy())


def test_what_pandas_writes_without_pandas(tmp_path):
    found = read(tmp_path, "a.csv", ",0,1,2\n0,5,6,7\n1,8,9,10\n")
    np.testing.assert_array_equal(matrix("", found), [[5, 6, 7], [8, 9, 10]])
    found = read(tmp_path, "a.csv", "0,1,2\n5,6,7\n")
    np.testing.assert_array_equal(matrix("", found), [[5, 6, 7]])
    # an index that does not count from zero is somebody's column
    assert len(read(tmp_path, "a.csv", ",a\n3,5\n1,8\n")) == 2


def test_words_are_classes_where_they_are_allowed(tmp_path):
    text = "kind\ncat\ndog\ncat\n"
    np.testing.assert_array_equal(
        read(tmp_path, "a.csv", text, words=True)["kind"], ["cat", "dog", "cat"]
    )
    # no heading: its word comes again
    np.testing.assert_array_equal(
        read(tmp_path, "a.csv", "cat\ndog\ncat\n", words=True)["1"], ["cat", "dog", "cat"]
    )
    found = read(tmp_path, "a.csv", 'size,kind\n1,"fat, old cat"\n2,dog\n', words=True)
    assert found["kind"][0] == "fat, old cat"
    np.testing.assert_array_equal(found["size"], [1, 2])
    with pytest.raises(DataError, match="line 2: 'cat' is no number"):
        read(tmp_path, "a.csv", text)


def test_archives_keep_their_names(tmp_path):
    np.savez(tmp_path / "a.npz", X=np.eye(2), y=np.array(["cat", "dog"]), flag=np.array([True]))
    found = read_arrays(tmp_path / "a.npz", words=True)
    assert list(found) == ["X", "y", "flag"]
    with pytest.raises(DataError, match="y must hold real numbers; it holds words"):
        read_arrays(tmp_path / "a.npz")
    with pytest.raises(DataError, match="no columns of one table: X"):
        matrix("a.npz", {"X": np.eye(3), "y": np.ones(2)})


def test_parquet_with_columns_of_lists(tmp_path):
    pyarrow = pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    columns = {"embedding": [[1.0, 2.0], [3.0, 4.0]], "loss": [0.5, 0.25], "kind": ["cat", "dog"]}
    parquet.write_table(pyarrow.table(columns), tmp_path / "a.parquet")
    found = read_arrays(tmp_path / "a.parquet", words=True)
    np.testing.assert_array_equal(found["embedding"], [[1, 2], [3, 4]])
    np.testing.assert_array_equal(found["loss"], [0.5, 0.25])
    assert found["kind"].tolist() == ["cat", "dog"]
    for column, complaint in (
        ([[1.0], [2.0, 3.0]], "lists of different lengths"),
        ([1.0, None], "1 missing values"),
    ):
        parquet.write_table(pyarrow.table({"x": column}), tmp_path / "a.parquet")
        with pytest.raises(DataError, match=complaint):
            read_arrays(tmp_path / "a.parquet")
    (tmp_path / "a.parquet").write_bytes(b"hello")
    with pytest.raises(DataError, match="is no Parquet file"):
        read_arrays(tmp_path / "a.parquet")


def test_without_pyarrow_the_message_says_what_to_do(tmp_path, monkeypatch):
    (tmp_path / "a.parquet").write_bytes(b"hello")
    monkeypatch.setitem(__import__("sys").modules, "pyarrow.parquet", None)
    with pytest.raises(DataError, match=r"pip install pyarrow; or save the arrays as \.npy"):
        read_arrays(tmp_path / "a.parquet")


@pytest.mark.parametrize(
    ("name", "content", "complaint"),
    [
        ("a.xlsx", b"", "the suffix must be one of"),
        ("a.npy", b"hello", "damaged"),
        ("a.npz", b"PK\x03\x04hello", "damaged"),
        ("a.csv", b"", "holds no numbers: it is empty"),
        ("a.csv", b"a,b\n", "holds no numbers: names of columns, and no row below"),
        ("a.csv", b"\xff\xfe\x00", "is no text"),
        ("a.csv", b"1,2\n3\n", "line 2: 1 numbers, where line 1 has 2"),
        ("a.csv", b"1,2\n3,\n", "line 2: '' is no number"),
        ("a.csv", b"1,5;2,5\n3,5;4,5\n", "line 2: '3,5' is no number"),
    ],
)
def test_what_cannot_be_read_is_said(tmp_path, name, content, complaint):
    with pytest.raises(DataError, match=complaint):
        read(tmp_path, name, content)


def test_missing_files_folders_and_objects(tmp_path):
    for suffix in SUFFIXES:
        with pytest.raises(DataError, match="cannot read"):
            read_arrays(tmp_path / f"nowhere{suffix}")
    np.save(tmp_path / "a.npy", np.array([{}], dtype=object))
    with pytest.raises(DataError, match="which are not loaded"):
        read_arrays(tmp_path / "a.npy")
    np.save(tmp_path / "a.npy", np.array([1j]))
    with pytest.raises(DataError, match="it holds complex numbers"):
        read_arrays(tmp_path / "a.npy")


@pytest.mark.parametrize("name", ["a.npy", "a.npz", "a.csv"])
def test_what_does_not_fit_is_not_read(tmp_path, monkeypatch, name):
    numbers = np.zeros(200_000)
    if name.endswith("npy"):
        np.save(tmp_path / name, numbers)
    elif name.endswith("npz"):
        np.savez_compressed(tmp_path / name, numbers)  # small as a file
    else:
        np.savetxt(tmp_path / name, numbers)
    monkeypatch.setenv("SCALINGLAWS_MEMORY", "1e6")
    with pytest.raises(ResourceError, match="raise SCALINGLAWS_MEMORY"):
        read_arrays(tmp_path / name)


@settings(max_examples=30, deadline=None)
@given(
    st.lists(
        st.tuples(st.floats(allow_nan=False), st.floats(allow_nan=False)), min_size=1, max_size=5
    ),
    st.sampled_from([",", ";", "\t", " "]),
)
def test_numbers_come_back_as_they_were(tmp_path_factory, rows, separator):
    path = tmp_path_factory.mktemp("table") / "a.csv"
    path.write_text(
        "x,y\n".replace(",", separator) + "\n".join(f"{a!r}{separator}{b!r}" for a, b in rows)
    )
    np.testing.assert_array_equal(matrix(path, read_arrays(path)), rows)


def test_empty_cells_where_they_are_allowed(tmp_path):
    text = "name,a,b,c\n# said\nrun #1,1,,x\n,NA,2.5,null\nrun #2,3,4,\n,,,\n"
    found = read(tmp_path, "a.csv", text, words=True, missing=True)
    assert found["name"].tolist() == ["run #1", None, "run #2"]
    assert found["a"].tolist() == [1, None, 3]
    assert found["b"].tolist() == [None, 2.5, 4.0]
    assert found["c"].tolist() == ["x", None, None]
    # blanks at the end of a line are cells, too
    found = read(tmp_path, "a.tsv", "a\tb\n1\t\n\t2\n", words=True, missing=True)
    assert [found["a"].tolist(), found["b"].tolist()] == [[1, None], [None, 2]]
    with pytest.raises(DataError, match="line 2: '' is no number"):
        read(tmp_path, "a.csv", "a,b\n1,\n")


def test_a_word_that_comes_again_below_is_a_heading_of_a_table(tmp_path):
    found = read(tmp_path, "a.csv", "loss,x\n1,loss\n", words=True, missing=True)
    assert list(found) == ["loss", "x"]


def test_records_and_packed_files(tmp_path):
    lines = '{"a": {"b": 1, "c": true}, "d": "x"}\n{"a": {"b": 2, "c": false}, "d": "y"}\n'
    for name, content in (
        ("a.jsonl", lines.encode()),
        ("a.ndjson.gz", gzip.compress(lines.encode())),
        ("a.json", lines.encode()),
    ):
        found = read(tmp_path, name, content, words=True)
        assert {key: values.tolist() for key, values in found.items()} == {
            "a/b": [1, 2],
            "a/c": [True, False],
            "d": ["x", "y"],
        }
    found = read(tmp_path, "a.json", '{"X": [[1, 2], [3, 4.5]], "y": [0, 1]}')
    np.testing.assert_array_equal(found["X"], [[1, 2], [3, 4.5]])
    packed = gzip.compress(b"x,y\n1,2\n")
    np.testing.assert_array_equal(matrix("", read(tmp_path, "a.csv.gz", packed)), [[1, 2]])
    for content, complaint in (
        ('[{"a": 1}, {"b": 2}]', "a.json: a has 1 missing values"),
        ('[{"a": "x"}]', "a must hold real numbers; it holds words"),
        ('[{"a": 1' + "0" * 400 + "}]", "a holds a number above 1.8e308"),
        ("[1]", "record 1 is no object"),
        ("[" * 100_000, "nested too deeply"),
    ):
        with pytest.raises(DataError, match=complaint):
            read(tmp_path, "a.json", content)


def test_what_is_packed_must_fit_unpacked(tmp_path, monkeypatch):
    monkeypatch.setenv("SCALINGLAWS_MEMORY", "1e6")
    with pytest.raises(ResourceError, match="raise SCALINGLAWS_MEMORY"):
        read(tmp_path, "a.csv.gz", gzip.compress(b"1,2\n" * 10_000))


def test_content_that_was_read_already():
    packed = gzip.compress(b"x,y\n1,2\n")
    for content in (b"x,y\n1,2\n", b'[{"x": 1, "y": 2}]', b'\xef\xbb\xbf{"x": 1, "y": 2}', packed):
        found = read_arrays("-", content=content)
        np.testing.assert_array_equal(matrix("-", found), [[1, 2]])
    with pytest.raises(DataError, match="no gzip file, or damaged"):
        read_arrays("-", content=b"\x1f\x8bhello")
    assert read_records("", "") == {}


def test_parquet_by_an_engine_of_pandas(tmp_path, monkeypatch):
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame({"a": [1.0, None], "b": ["x", "y"]})
    fake = types.SimpleNamespace(read_parquet=lambda path: frame)
    monkeypatch.setitem(sys.modules, "pyarrow.parquet", None)
    monkeypatch.setitem(sys.modules, "pandas", fake)
    (tmp_path / "a.parquet").write_bytes(b"PAR1")
    found = read_arrays(tmp_path / "a.parquet", words=True, missing=True)
    assert found["a"].tolist() == [1.0, None]
    assert found["b"].tolist() == ["x", "y"]
    with pytest.raises(DataError, match="column a has 1 missing values"):
        read_arrays(tmp_path / "a.parquet", words=True)


def test_a_cell_in_quotes_may_go_over_lines(tmp_path):
    text = 'notes,x\n"long,\n run",1\nshort,2\n'
    found = read(tmp_path, "a.csv", text, words=True, missing=True)
    assert found["notes"].tolist() == ["long, run", "short"]
    with pytest.raises(DataError, match="line 5: 1 numbers, where line 1 has 2"):
        read(tmp_path, "a.csv", text + '"no end', words=True, missing=True)
