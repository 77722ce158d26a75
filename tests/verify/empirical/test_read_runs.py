"""Reading runs: what is recognized, every error by its name, every warning by its code."""

import io
import sys

import numpy as np
import pytest

from scalinglaws.errors import DataError, DomainError
from scalinglaws.verify.empirical import (
    WARNINGS,
    CodedWarning,
    example_runs,
    read_runs,
    warning_table,
)
from scalinglaws.verify.empirical._coded_warnings import listed

N = np.array([1e8, 3e8, 1e9, 3e9, 1e8, 3e8])
D = np.array([2e9, 2e9, 2e10, 2e10, 8e10, 9e10])
LOSS = 1.8 + 480 * N**-0.35 + 2000 * D**-0.36


def table(**changed):
    """Return six sound runs with other columns."""
    found = {"run": [f"r{i}" for i in range(6)], "params": N, "tokens": D, "loss": LOSS} | changed
    return {name: values for name, values in found.items() if values is not None}


def changed(values, place, value):
    found = list(values)
    found[place] = value
    return found


def log(rate=None, **more):
    """Return three runs with four rows each."""
    rows = {
        "run": np.repeat(["a", "b", "c"], 4),
        "params": np.repeat([1e8, 3e8, 1e9], 4),
        "step": np.tile([10, 20, 30, 40], 3),
        "tokens": np.tile([1e9, 2e9, 3e9, 4e9], 3) * np.repeat([1, 2, 3], 4),
        "loss": [5.0, 4.0, 3.5, 3.4, 4.9, 3.9, 3.3, 3.2, 4.8, 3.6, 3.1, 3.0],
    }
    return rows | ({} if rate is None else {"lr": rate}) | more


COSINE = np.tile([1.0, 0.8, 0.4, 0.1], 3)


def codes(runs):
    return [warning.code for warning in runs.warnings]


def test_the_sound_table_is_sound():
    runs = read_runs(table())
    assert codes(runs) == []
    np.testing.assert_array_equal(runs.N, N)
    np.testing.assert_array_equal(runs.D, D)
    np.testing.assert_array_equal(runs.C, 6 * N * D)
    np.testing.assert_array_equal(runs.loss, LOSS)
    assert runs.run.tolist() == [f"r{i}" for i in range(6)]
    assert runs.row.tolist() == [1, 2, 3, 4, 5, 6]
    assert runs.columns == {"N": "params", "D": "tokens", "loss": "loss", "run": "run"}
    assert (runs.counts, runs.loss_unit, runs.cost, runs.sha256) == ("", "nats", 6.0, "")
    assert read_runs(table(), counts="non-embedding").counts == "non-embedding"


# -- errors: table, options, complaint ----------------------------------------------------------------------------------

ERRORS = {
    "N not positive": (table(params=changed(N, 2, 0.0)), {}, r"row 3 \(r2\): params = 0 must be > 0 and finite .*; correct"),
    "D negative": (table(tokens=changed(D, 1, -2e9)), {}, r"row 2 \(r1\): tokens = -2e\+09 must be > 0"),
    "N infinite": (table(params=changed(N, 0, np.inf)), {}, r"row 1 \(r0\): params = inf must be"),
    "C not finite": (table(flops=changed(6 * N * D, 5, np.inf)), {}, r"row 6 \(r5\): flops = inf must be"),
    "loss not positive": (table(loss=changed(LOSS, 3, -1.0)), {}, r"row 4 \(r3\): loss = -1 must be > 0"),
    "accuracy by its name": (
        table(loss=None, top1_acc=LOSS / 10), {"columns": {"loss": "top1_acc"}}, "top1_acc is an accuracy by its name",
    ),
    "accuracy, a share": (table(loss=1 / LOSS), {}, r"\(r3\): loss = 0\.\d+ is the largest, and loss rises with compute: an accuracy"),
    "accuracy, in percent": (table(loss=100 - 10 * LOSS), {}, "an accuracy, not a loss"),
    "perplexity": (table(loss=np.exp(LOSS)), {}, r"row 1 \(r0\): loss = \d+.* is above 12 nats: a perplexity\? say loss_unit='perplexity'"),
    "perplexity of one": (table(loss=changed(np.exp(LOSS), 2, 1.0)), {"loss_unit": "perplexity"}, r"row 3 .*a perplexity is > 1"),
    "bits by the column's name": (
        table(loss=None, loss_bits=LOSS), {}, r"loss_bits = .* holds bits by its name; say loss_unit='bits'",
    ),
    "N in millions": (table(params=N / 1e6), {}, r"params = 100, N in millions\? write 350M"),
    "N in millions, not whole": (table(params=N / 1e6 + 0.5, tokens=D / 1e3), {}, r"params = 100\.5, N in millions\?"),
    "N in millions, by C": (
        table(params=N / 1e6, flops=6 * N * D), {}, r"flops = 1\.2e\+18 is 1e\+06 times 6 N D, N or D in millions\? write 350M",
    ),
    "N in billions": (table(params=N / 1e9, tokens=D / 1e9), {}, r"params = 0\.1, N in billions\? write 350M"),
    "D in billions": (table(tokens=D / 1e9), {}, r"tokens = 2, D in billions\? write 7B"),
    "C in petaflop-days": (table(flops=6 * N * D / 8.64e19), {}, r"petaflop-days\? multiply it by 8\.64e19"),
    "C in other units": (table(flops=6 * N * D / 3e4), {}, r"in other units\?"),
    "C off 6 N D in a row": (
        table(flops=changed(6 * N * D, 4, 6e20)), {},
        r"row 5 \(r4\): flops = 6e\+20 is 12\.5 times 6 N D, elsewhere 1 times; off in row 5 \(r4\); correct them, or say compute=",
    ),
    "missing cell": (table(params=changed(N, 2, None)), {}, r"row 3 \(r2\): the cell of params is empty.*; fill it in"),
    "decimal comma": (table(tokens=changed(D, 1, "3,81e10")), {}, r"row 2: tokens = '3,81e10' is no number; write decimals as 3\.16, and"),
    "commas between thousands": (table(params=changed(N, 2, "43,694,684")), {}, r"is no number; .* thousands without commas"),
    "points between thousands": (table(params=changed(N, 2, "43.694.684")), {}, r"row 3: params = .* without blanks or points"),
    "blanks between thousands": (table(params=changed(N, 2, "43\u202f694\u202f684")), {}, r"row 3: params = .* without blanks or points"),
    "no number": (table(params=changed(N, 2, "7x")), {}, r"row 3: params = '7x' is no number; write 350M"),
    "flags for numbers": (table(params=[True] * 6), {}, "params = True is no number"),
    "where leaves nothing": (
        table(status=["done"] * 6), {"where": {"status": "finished"}},
        "where leaves nothing: no row has status = finished.*status is done",
    ),
    "two columns of one rank": (
        table(val_loss=LOSS, validation_loss=LOSS), {}, "several columns could be loss: val_loss, validation_loss; choose one",
    ),
    "two sizes": (table(n_params=N), {}, "several columns could be N: n_params, params"),
    "several losses": (table(loss=None, loss_c4=LOSS, loss_pile=LOSS), {}, "several columns could be loss: loss_c4, loss_pile"),
    "no loss": (
        table(loss=None), {},
        r"no column for loss \(eval/loss, val_loss, loss\); name it: columns=\{'loss': ...\}; there are run, params, tokens",
    ),
    "no size": (table(params=None), {}, "no column for N"),
    "no tokens": (table(tokens=None), {}, "no column for D"),
    "no run is left": (table(loss=[np.nan] * 6), {}, r"no run is left: r0 \(diverged: the last loss is nan\), .* and 3 more"),
    "a name for several sizes": (
        table(run=["a", "a", "b", "b", "c", "d"]), {}, r"row 1: the run a has params = 1e\+08 and 3e\+08; run does not name runs",
    ),
    "columns of different lengths": (table(loss=LOSS[:5]), {}, "different lengths: run 6"),
    "empty": ({}, {}, "holds no runs: it is empty"),
    "no rows": ({"params": [], "loss": []}, {}, "names of columns, and no row below"),
    "a scalar for a column": (table(loss=3.0), {}, "column loss must be a row of cells"),
    "two-dimensional": (table(loss=np.ones((6, 2))), {}, "must be one row of cells"),
}  # fmt: skip


@pytest.mark.parametrize("name", ERRORS)
def test_errors_name_row_value_and_cure(name):
    given, options, complaint = ERRORS[name]
    with pytest.raises(DataError, match=complaint):
        read_runs(given, **options)


def test_an_error_knows_its_row():
    with pytest.raises(DataError) as caught:
        read_runs(table(params=changed(N, 2, 0.0)))
    assert caught.value.row == 2


FILES = {
    "empty": ("a.csv", b"", "a.csv holds no numbers: it is empty"),
    "header only": ("a.csv", b"params,tokens,loss\n", "names of columns, and no row below"),
    "not UTF-8": ("a.csv", b"params,tokens,loss\n1,2,\xff\n", r"no text in UTF-8 \(from byte 23 on\); save it as UTF-8"),
    "ragged": ("a.csv", b"params,tokens,loss\n1,2\n", "line 2: 2 numbers, where line 1 has 3"),
    "bad JSON": ("a.jsonl", b'{"params": 1}\n{"params": \n', "line 2 is no JSON"),
    "JSON of numbers": ("a.json", b"[1, 2]", "record 1 is no object"),
    "JSON columns": ("a.json", b'{"N": [1], "D": [1, 2]}', "the columns have different lengths"),
    "bad gzip": ("a.csv.gz", b"params,tokens\n", "is no gzip file, or damaged"),
    "bad Parquet": ("a.parquet", b"PAR1", "is no Parquet file"),
    "a folder": (".", None, "cannot read"),
    "no file": ("b.csv", None, "cannot read .*: No such file"),
}  # fmt: skip


@pytest.mark.parametrize("name", FILES)
def test_files_that_cannot_be_read(tmp_path, name):
    file, content, complaint = FILES[name]
    if content is not None:
        (tmp_path / file).write_bytes(content)
    with pytest.raises(DataError, match=complaint):
        read_runs(tmp_path / file)


def test_parquet_without_an_engine_names_both(tmp_path, monkeypatch):
    (tmp_path / "a.parquet").write_bytes(b"PAR1")
    monkeypatch.setitem(sys.modules, "pyarrow.parquet", None)
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(DataError, match="need pyarrow, or pandas with an engine"):
        read_runs(tmp_path / "a.parquet")


ARGUMENTS = {
    "rows": ({"rows": "first"}, "rows = 'first' must be 'last', 'last:20'"),
    "rows, none": ({"rows": "last:0"}, "rows = 'last:0' must be"),
    "counts": ({"counts": "all"}, "counts = 'all' must be 'total' or 'non-embedding'"),
    "loss_unit": ({"loss_unit": "bytes"}, "must be 'nats', 'bits', 'bits/byte' or 'perplexity'"),
    "compute": ({"compute": "6*N"}, r"compute = '6\*N' must be '6\*N\*D'"),
    "compute given": ({"compute": "given"}, "needs a column of compute; there are run, params"),
    "columns": ({"columns": 3}, "columns = 3 must be a Mapping"),
    "unknown quantity": ({"columns": {"M": "params"}}, "unknown quantity 'M'"),
    "unknown column": ({"columns": {"N": "paramz"}}, "unknown column of arrays 'paramz'; did you mean 'params'"),
    "where": ({"where": "status"}, "where = 'status' must be a dictionary"),
    "where, unknown": ({"where": {"stat": 1}}, "unknown column of arrays 'stat'"),
    "run twice": ({"run": "run", "columns": {"run": "tokens"}}, "run = 'run' contradicts"),
}  # fmt: skip


@pytest.mark.parametrize("name", ARGUMENTS)
def test_arguments_are_checked(name):
    options, complaint = ARGUMENTS[name]
    with pytest.raises(DomainError, match=complaint):
        read_runs(table(), **options)


def test_other_things_are_no_tables():
    for source in (None, 3, b"runs.csv", "", "a\0b", [1, 2]):
        with pytest.raises(DomainError, match="source"):
            read_runs(source)


# -- warnings: table, options, what is said -----------------------------------------------------------------------------

DOUBTS = {
    "W-column-left-out": (table(lr=["cosine"] * 6), {}, "row 1: lr = 'cosine' is no number"),
    "W-compute-varies": (table(flops=6 * N * D * np.geomspace(1, 2, 6)), {}, "flops from 1 to 2 times 6 N D"),
    "W-constant-ratio": (table(tokens=20 * N), {}, "D/N = 20"),
    "W-counts": (table(params=changed(N, 0, 1e7)), {}, "params from 1e7 on"),
    "W-diverged": (table(loss=changed(LOSS, 2, np.inf)), {}, "r2"),
    "W-duplicate-rows": ({k: [*v, v[0]] for k, v in table().items()}, {}, r"row 7 \(as row 1\)"),
    "W-duplicate-steps": (log(step=[10, 20, 30, 40, 10, 30, 30, 40, 10, 20, 30, 40]), {}, r"b \(1 rows\)"),
    "W-groups": (table(dataset=list("aabbcc")), {}, "dataset is a, b, c"),
    "W-log-rows": ({k: v for k, v in log().items() if k != "step"}, {}, r"a \(4 rows\), b \(4 rows\), c"),
    "W-mid-run": (log(changed(COSINE, 3, 0.7)), {}, r"a \(rate 0\.7 of its largest\)"),
    "W-no-loss": (table(loss=changed(LOSS, 4, None)), {}, "r4"),
    "W-one-size": (table(params=[1e8] * 6), {}, "N = 1e8"),
    "W-one-token-count": (table(tokens=[2e9] * 6), {}, "D = 2e9"),
    "W-rows-as-runs": (table(run=None, step=np.arange(6)), {}, "6 rows, steps in step"),
    "W-stopped-early": (table(status=changed(["finished"] * 6, 1, "crashed")), {}, r"r1 \(crashed\)"),
}  # fmt: skip


def test_a_ratio_that_is_nearly_constant_is_doubted():
    near = read_runs(table(tokens=N * [19.6, 20.4, 20, 20.1, 19.9, 20.2]))
    assert codes(near) == ["W-constant-ratio"]
    assert near.warnings[0].message == "D/N from 19.6 to 20.4"
    assert codes(read_runs(table(tokens=N * [20, 26, 20, 26, 20, 26]))) == []


@pytest.mark.parametrize("code", DOUBTS)
def test_every_warning_by_its_code(code):
    given, options, words = DOUBTS[code]
    runs = read_runs(given, **options)
    assert codes(runs) == [code]
    (warning,) = runs.warnings
    with pytest.raises(AssertionError, match=words):
        raise AssertionError(warning.message)
    assert f"{code}: {warning.message}" in runs.summary()
    assert (warning.cause, warning.cure) == WARNINGS[code]


def test_the_table_of_warnings_is_whole():
    assert [row[0] for row in warning_table().rows] == sorted(WARNINGS)
    assert list(WARNINGS) == sorted(WARNINGS)
    assert str(CodedWarning("W-counts", "x")) == "W-counts: x"
    assert listed(["y" * 500, "b", "c", "d"]) == "y" * 100 + ", b, c and 1 more"


def test_more_than_three_warnings_are_counted():
    runs = read_runs(
        table(dataset=list("aabbcc"), params=[1e7] * 6, lr=["x"] * 6, status=["killed"] * 6)
    )
    assert len(runs.warnings) == 5
    assert runs.summary().endswith("\n  and 2 more warnings")
    assert runs.summary(0).count("W-") == 0
    assert runs.summary(5).count("W-") == 5


# -- what is chosen -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("names", "chosen"),
    [
        (("loss", "final_loss"), "final_loss"),
        (("L", "loss"), "loss"),
        (("L", "loss_x"), "L"),
        (("final_loss", "val_loss"), "val_loss"),
        (("validation_loss", "loss", "train/loss"), "validation_loss"),
        (("val_loss", "eval/loss"), "eval/loss"),
        (("loss_c4", "train/loss"), "loss_c4"),
        (("loss_c4", "loss_pile", "loss"), "loss"),
    ],
)
def test_ranks_of_losses(names, chosen):
    runs = read_runs(table(loss=None) | dict.fromkeys(names, LOSS))
    assert runs.columns["loss"] == chosen


@pytest.mark.parametrize(
    "name", ["N", "params", "n_params", "num_params", "parameters", "Model Size"]
)
def test_names_of_sizes(name):
    np.testing.assert_array_equal(read_runs(table(params=None) | {name: N}).N, N)


@pytest.mark.parametrize("name", ["D", "tokens", "n_tokens", "train_tokens"])
def test_names_of_tokens(name):
    np.testing.assert_array_equal(read_runs(table(tokens=None) | {name: D}).D, D)


@pytest.mark.parametrize("name", ["C", "flops", "compute", "Training FLOP"])
def test_names_of_compute_from_which_tokens_follow(name):
    runs = read_runs(table(tokens=None) | {name: 6 * N * D})
    np.testing.assert_allclose(runs.D, D, rtol=1e-14)
    assert f"D = C/6N (no column for it), L = loss, C = {name}" in runs.summary()
    runs = read_runs(table(params=None) | {name: 6 * N * D})
    np.testing.assert_allclose(runs.N, N, rtol=1e-14)


def test_names_of_runs_have_ranks():
    for better, worse in (
        ("run_id", "run"),
        ("run", "run_name"),
        ("run_name", "id"),
        ("id", "name"),
    ):
        names = {better: list("abcdef"), worse: list("uvwxyz")}
        assert read_runs(table(run=None) | names).run.tolist() == list("abcdef")


def test_tokens_from_epochs_and_the_other_way():
    runs = read_runs(table(tokens=None, epochs=[2.0] * 6, unique_tokens=D / 2))
    np.testing.assert_array_equal(runs.D, D)
    assert "D = epochs * unique tokens" in runs.summary()
    runs = read_runs(table(epochs=[4.0] * 6))
    np.testing.assert_array_equal(runs.unique_tokens, D / 4)


def test_counts_are_known_from_the_columns():
    both = table(params_non_embedding=N * 0.9)
    assert read_runs(both).counts == "total"
    np.testing.assert_array_equal(read_runs(both).N, N)
    chosen = read_runs(both, counts="non-embedding")
    np.testing.assert_array_equal(chosen.N, N * 0.9)
    alone = {k: v for k, v in both.items() if k != "params"}
    assert read_runs(alone).counts == "non-embedding"
    with pytest.raises(DomainError, match="does not go with the column params_non_embedding"):
        read_runs(alone, counts="total")


def test_prefixes_of_trackers_are_left_out_where_that_is_unique():
    given = {"config.params": N, "config/tokens": D, "summary.eval/loss": LOSS, "config.loss": N}
    runs = read_runs(given, where={"config.params": list(N)})
    assert runs.columns == {"N": "config.params", "D": "config/tokens", "loss": "summary.eval/loss"}
    twice = {"config.params": N, "summary.params": N, "tokens": D, "loss": LOSS}
    with pytest.raises(DataError, match="no column for N"):
        read_runs(twice)
    assert read_runs(twice, columns={"N": "summary.params"}).columns["N"] == "summary.params"
    assert read_runs(given, columns={"N": "params"}).columns["N"] == "config.params"


def test_columns_can_be_named_and_refused():
    runs = read_runs(table(size=N * 2), columns={"N": "size", "run": None})
    np.testing.assert_array_equal(runs.N, N * 2)
    assert runs.run[0] == "row 1"
    assert read_runs(table(recipe=list("aabbcc")), group="recipe").group.tolist() == list("aabbcc")


def test_a_column_that_was_named_must_hold_numbers():
    with pytest.raises(DataError, match="lr = 'cosine' is no number"):
        read_runs(table(lr=["cosine"] * 6), columns={"lr": "lr"})


# -- compute and units --------------------------------------------------------------------------------------------------


def test_compute_that_is_six_n_d_up_to_rounding():
    rounded = [float(f"{value:.1e}") for value in 6 * N * D]
    runs = read_runs(table(flops=rounded))
    assert (runs.cost, runs.compute, codes(runs)) == (6.0, "flops", [])
    np.testing.assert_array_equal(runs.C, rounded)


def test_a_constant_other_than_six_is_used_and_told():
    runs = read_runs(table(flops=8 * N * D))
    assert runs.cost == pytest.approx(8, rel=1e-12)
    assert "C = flops = 8 N D" in runs.summary()
    assert codes(runs) == []


def test_what_compute_is_can_be_said():
    flops = changed(6 * N * D, 4, 6e20)
    np.testing.assert_array_equal(read_runs(table(flops=flops), compute="given").C, flops)
    runs = read_runs(table(flops=flops), compute="8*N*D")
    np.testing.assert_array_equal(runs.C, 8 * N * D)
    assert "C = 8 N D" in runs.summary()
    assert runs.cost == 8


def test_losses_in_other_units():
    np.testing.assert_allclose(read_runs(table(loss=LOSS / np.log(2)), loss_unit="bits").loss, LOSS)
    np.testing.assert_allclose(
        read_runs(table(loss=np.exp(LOSS)), loss_unit="perplexity").loss, LOSS
    )
    runs = read_runs(table(loss=LOSS / 3), loss_unit="bits/byte")
    np.testing.assert_array_equal(runs.loss, LOSS / 3)
    assert "L = loss (bits/byte)" in runs.summary()
    assert read_runs(table(loss=LOSS * 10), loss_unit="nats").loss[0] == LOSS[0] * 10
    # below 1 and falling with compute: a loss of something else
    assert read_runs(table(loss=LOSS / 10)).loss[0] == LOSS[0] / 10


def test_small_models_are_believed_where_compute_says_so():
    small, tokens = N / 1e6, np.full(6, 1e7) * np.arange(1, 7)
    with pytest.raises(DataError, match="in millions"):
        read_runs(table(params=small, tokens=tokens))
    runs = read_runs(table(params=small, tokens=tokens, flops=6 * small * tokens))
    np.testing.assert_array_equal(runs.N, small)


# -- rows of a run ------------------------------------------------------------------------------------------------------


def test_the_last_of_a_log_or_the_mean_of_some_or_all():
    runs = read_runs(log())
    assert runs.loss.tolist() == [3.4, 3.2, 3.0]
    assert runs.D.tolist() == [4e9, 8e9, 12e9]
    assert runs.row.tolist() == [4, 8, 12]
    assert codes(runs) == []
    np.testing.assert_allclose(read_runs(log(), rows="last:2").loss, [3.45, 3.25, 3.05])
    np.testing.assert_allclose(read_runs(log(), rows="last:99").loss, [4.0 - 0.025, 3.825, 3.625])
    runs = read_runs(log(np.ones(12)), rows="all")
    assert len(runs) == 12
    assert codes(runs) == []
    assert "3 runs with 12 points" in runs.summary()
    assert codes(read_runs(log(), rows="all")) == ["W-mid-run"]
    assert codes(read_runs(log(COSINE), rows="all")) == ["W-mid-run"]
    assert codes(read_runs(log(COSINE))) == []


def test_a_run_that_ended_halfway_is_told_from_those_that_decayed_further():
    """A rate of 0.4 is no end where others go to 0.1; it is where all do."""
    runs = read_runs(log(changed(COSINE, 3, 0.4)))
    assert codes(runs) == ["W-mid-run"]
    assert runs.warnings[0].message == "a (rate 0.4 of its largest, others end at 0.1)"
    assert "schedule='constant'" in runs.warnings[0].cure
    assert codes(read_runs(log(changed(COSINE, 3, 0.2)))) == []
    assert codes(read_runs(log(np.tile([1.0, 0.8, 0.6, 0.4], 3)))) == []


def test_a_constant_rate_may_be_declared_where_no_column_says_so():
    runs = read_runs(log(), rows="all", schedule="constant")
    assert codes(runs) == []
    assert len(runs) == 12
    assert codes(read_runs(log(np.ones(12)), rows="all", schedule="constant")) == []
    assert codes(read_runs(log(), schedule="constant")) == []
    for rows in ("last", "all"):
        with pytest.raises(DomainError, match=r"lr says: a ends at 0\.1 of its largest"):
            read_runs(log(COSINE), rows=rows, schedule="constant")
    with pytest.raises(DomainError, match="schedule"):
        read_runs(log(), schedule="cosine")


def test_rows_are_ordered_by_their_steps_or_their_tokens():
    order = np.random.default_rng(0).permutation(12)
    for lacking in ((), ("step",)):
        given = {k: np.array(v)[order] for k, v in log().items() if k not in lacking}
        runs = read_runs(given)
        assert dict(zip(runs.run.tolist(), runs.loss.tolist(), strict=True)) == {
            "a": 3.4,
            "b": 3.2,
            "c": 3.0,
        }


def test_empty_cells_of_a_log_are_passed_over_and_filled():
    given = log()
    given["loss"] = [None, 4.0, None, 3.4, None, 3.9, None, 3.2, None, 3.6, None, 3.0]
    given["tokens"] = [1e9, None, 3e9, None, 2e9, None, 6e9, 8e9, 3e9, None, 9e9, 12e9]
    given["params"] = [1e8, None, None, None, 3e8, None, None, None, 1e9, None, None, None]
    runs = read_runs(given)
    assert runs.loss.tolist() == [3.4, 3.2, 3.0]
    assert runs.D.tolist() == [3e9, 8e9, 12e9]  # nothing known beyond the last, which is said below
    assert runs.N.tolist() == [1e8, 3e8, 1e9]
    runs = read_runs(given, rows="all")
    assert runs.D.tolist() == [2e9, 3e9, 4e9, 8e9, 6e9, 12e9]


def test_a_run_that_diverged_is_dropped_and_named():
    given = log()
    given["loss"] = changed(given["loss"], 7, "nan")
    runs = read_runs(given)
    assert runs.run.tolist() == ["a", "c"]
    assert runs.dropped == (("b", "diverged: the last loss is nan"),)
    assert "dropped 1: b (diverged: the last loss is nan)" in runs.summary()
    # an earlier one that is not finite is passed over
    given["loss"] = changed(log()["loss"], 5, "inf")
    assert len(read_runs(given)) == 3


def test_a_run_that_stopped_early_is_named():
    for more, words in (
        ({"max_steps": np.repeat([40, 100, 40], 4)}, "b (step 40 of 100)"),
        ({"state": np.repeat(["finished", "finished", "running"], 4)}, "c (running)"),
        ({"loss": changed(changed(log()["loss"], 3, None), 2, None)}, "a (no loss near its end)"),
    ):
        runs = read_runs(log(**more))
        assert codes(runs) == ["W-stopped-early"]
        assert runs.warnings[0].message == words


def test_runs_of_one_name_in_two_groups_are_two():
    runs = read_runs(table(run=list("abcabc"), recipe=list("uuuvvv")), group="recipe")
    assert len(runs) == 6


def test_where_takes_one_value_or_several_of_numbers_words_or_flags():
    given = table(seed=[1, 2, 1, 2, 1, 3], done=[True, False] * 3, kind=list("aabbcc"))
    assert read_runs(given, where={"seed": 1}).row.tolist() == [1, 3, 5]
    assert read_runs(given, where={"seed": "1"}).row.tolist() == [1, 3, 5]
    assert read_runs(given, where={"seed": [2, 3], "kind": ("a", "c")}).row.tolist() == [2, 6]
    assert read_runs(given, where={"done": "true"}).row.tolist() == [1, 3, 5]
    assert read_runs(given, where={"done": False}).row.tolist() == [2, 4, 6]
    assert read_runs(given, where={"kind": "a"}).where == "kind = a"


def test_seeds_give_the_spread_of_ln_loss():
    given = {k: [*v, *v] for k, v in table(run=None).items()}
    given["loss"] = [*LOSS, *(LOSS * np.exp(0.004))]
    given["seed"] = [1] * 6 + [2] * 6
    runs = read_runs(given)
    assert runs.seed_sd == pytest.approx(0.004 / np.sqrt(2), rel=1e-9)
    assert runs.seed_degrees == 6
    assert "ln L differs by 0.0028 (sd, 6 degrees of freedom)" in runs.summary()
    assert read_runs(table()).seed_sd is None
    # runs on other data sets are no seeds
    assert read_runs(given | {"dataset": ["a"] * 6 + ["b"] * 6}).seed_sd is None
    # nor are those with other unique tokens, or another value of what the law is to know
    assert read_runs(given | {"unique_tokens": [1e9] * 6 + [2e9] * 6}).seed_sd is None
    assert read_runs(given | {"share": [0.1] * 6 + [0.2] * 6}, variables=["share"]).seed_sd is None
    assert read_runs(given | {"share": [0.1] * 12}, variables=["share"]).seed_degrees == 6


# -- standard input, examples -------------------------------------------------------------------------------------------


class _Piped(io.BytesIO):
    def isatty(self):
        return False


@pytest.mark.parametrize(
    "content",
    [
        b"params,tokens,loss\n100M,2B,3.5\n300M,3B,3.25\n",
        b'{"params": 1e8, "tokens": 2e9, "loss": 3.5}\n{"params": 3e8, "tokens": 3e9, "loss": 3.25}\n',
        b'[{"params": 1e8, "tokens": 2e9, "loss": 3.5}, {"params": 3e8, "tokens": 3e9, "loss": 3.25}]',
    ],
)
def test_standard_input(monkeypatch, content):
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(_Piped(content)))
    runs = read_runs("-")
    assert runs.loss.tolist() == [3.5, 3.25]
    assert runs.source == "standard input"


def test_nothing_in_standard_input(monkeypatch):
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(_Piped(b"")))
    with pytest.raises(DataError, match="standard input holds no numbers: it is empty"):
        read_runs("-")
    monkeypatch.setattr(sys, "stdin", None)
    with pytest.raises(DataError, match="nothing is piped into standard input"):
        read_runs("-")


def test_the_runs_of_gadre():
    runs = example_runs("gadre")
    assert len(runs) == 104
    assert codes(runs) == ["W-groups"]
    assert runs.counts == "total"
    assert runs.summary().splitlines()[1] == (
        "  1.1e7 < N < 6.9e9, 5.3e7 < D < 9.2e11, 3.4e15 < C < 8e21 (22 budgets), 5 < D/N < 640"
    )
    one = example_runs("gadre", where={"dataset": "c4_original"}, counts="non-embedding")
    assert len(one) == 34
    assert one.columns["N"] == "params_non_embedding"
    with pytest.raises(DomainError, match="name = 'nobody' must be 'gadre' or 'synthetic'"):
        example_runs("nobody")
    with pytest.raises(DomainError, match="are those of read_runs"):
        example_runs("gadre", rowz="last")
    with pytest.raises(DomainError, match="source"):
        example_runs("gadre", source="x.csv")


def test_two_columns_of_one_name_are_refused(tmp_path):
    """The first was taken of a file, and of a data frame nothing at all."""
    path = tmp_path / "runs.csv"
    path.write_text("N,N,D,loss\n1e9,2e9,2e10,3\n")
    with pytest.raises(DataError, match="2 columns are called 'N'"):
        read_runs(path)
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame([[1e9, 2e9, 2e10, 3.0]], columns=["N", "N", "D", "loss"])
    with pytest.raises(DataError, match="columns are called 'N'"):
        read_runs(frame)


def test_names_do_not_command_a_terminal(tmp_path):
    """A name with the codes that color or retitle a terminal is written out."""
    path = tmp_path / "runs.csv"
    path.write_text("run,group,N,D,loss,\x1b[2J\n\x1b[31mred,a\x07\u202e,1e9,2e10,3,1\n")
    runs = read_runs(path, group="group")
    assert runs.run.tolist() == ["\\x1b[31mred"]
    assert runs.group.tolist() == ["a\\x07\\u202e"]
    with pytest.raises(DomainError) as caught:
        read_runs(path, columns={"loss": "none"})
    assert "\x1b" not in str(caught.value)
