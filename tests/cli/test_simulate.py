"""Simulations from the command line: what is printed, written and refused."""

import csv
import json

import numpy as np
import pytest

from scalinglaws.cli import run
from scalinglaws.solvers.percolation import allocate, cluster_scale, data_loss
from scalinglaws.verify.simulate.percolation import (
    BetheDataset,
    LatticeClusters,
    LatticeSamples,
    bethe_dataset,
    fisher_exponent,
    lattice_clusters,
    sample_lattices,
)

BETHE = ("simulate", "percolation", "bethe", "--clusters", "12", "--largest", "1e4", "--seed", "3")
LATTICE = ("simulate", "percolation", "lattice", "--length", "64")


def call(capsys, *arguments):
    code = run(arguments)
    captured = capsys.readouterr()
    return code, captured.out, captured.err


def test_a_dataset_is_the_simulation_s(capsys, tmp_path):
    path = tmp_path / "data.npz"
    code, out, err = call(capsys, *BETHE, "--output", str(path), "--json")
    assert (code, err) == (0, f"wrote {path}\n")
    data, found, loaded = (
        bethe_dataset(12, largest=10**4, rng=3),
        json.loads(out),
        BetheDataset.load(path),
    )
    for name in ("sizes", "parent", "targets", "raw_variance"):
        np.testing.assert_array_equal(getattr(loaded, name), getattr(data, name))
    columns = found["columns"]
    assert columns["size"] == data.sizes.tolist()
    assert columns["V"] == data.raw_variance.tolist()
    assert (
        columns["n_0"]
        == cluster_scale(data.sizes, variance=data.raw_variance, coordination=12).tolist()
    )
    assert sum(columns["share"]) == pytest.approx(1)
    assert found["at_threshold"] is True
    assert 2 < found["summary"]["tau"] < 3


def test_the_summary_for_people(capsys, tmp_path):
    code, out, _ = call(capsys, *BETHE[:3], "--clusters", "40", "--largest", "1e4")
    assert code == 0
    assert out.startswith(
        "Bethe lattice: z = 12, p = 0.09090909091 (the threshold), sizes 100 to 10000, seed 0\n"
    )
    assert "12 of 40 ranks shown" in out
    assert "2.5 on the infinite lattice" in out
    path = tmp_path / "ranks.csv"
    assert call(capsys, *BETHE, "--output", str(path))[1] == ""
    rows = list(csv.DictReader(path.read_text(encoding="utf-8").splitlines()))
    assert [int(row["rank"]) for row in rows] == list(range(1, 13))
    _, out, _ = call(capsys, *BETHE, "--occupation", "0.08")
    assert "not the threshold" in out
    assert "tau" not in out


def test_one_lattice_and_its_labels(capsys, tmp_path):
    path = tmp_path / "lattice.npz"
    code, out, _ = call(
        capsys, *LATTICE, "--output", str(path), "--json", "--seed", "5", "--occupation", "3/5"
    )
    found, loaded = json.loads(out), LatticeClusters.load(path)
    assert code == 0
    expected = lattice_clusters((64, 64), 0.6, labels=True, rng=5)
    np.testing.assert_array_equal(loaded.labels, expected.labels)
    assert found["summary"]["clusters"] == expected.count
    assert found["summary"]["largest"] == expected.largest
    assert found["columns"]["at_least"][0] == 1
    assert found["columns"]["share_of_sites"][0] == 1
    assert "tau" not in found["summary"]  # not the threshold


def test_samples_give_an_error_bar(capsys, tmp_path):
    path = tmp_path / "samples.npz"
    arguments = ("simulate", "percolation", "lattice", "--length", "1024", "--samples", "4")
    code, out, _ = call(capsys, *arguments, "--output", str(path), "--json")
    found = json.loads(out)
    expected = fisher_exponent(LatticeSamples.load(path), powers=(4, 5))
    assert code == 0
    assert found["summary"]["tau_windows"] == [256, 4096]
    assert found["summary"]["tau"] == expected.value
    assert found["summary"]["tau_standard_error"] == expected.standard_error
    assert found["summary"]["tau_systematic_error"] == expected.systematic_error > 0
    _, out, _ = call(capsys, *arguments)
    assert "tau = 2.0" in out
    assert f"+- {expected.systematic_error:.2g} (systematic)" in out
    assert "known: 2.054945" in out
    assert (
        "too small (known: 2.5)"
        in call(capsys, *LATTICE[:3], "--length", "4", "--dimension", "6")[1]
    )
    assert "free boundaries bias it" in call(capsys, *LATTICE, "--free")[1]


def test_boundaries_axis_by_axis(capsys):
    _, out, _ = call(capsys, *LATTICE, "--free-axes", "1")
    assert "periodic along axis 2 only" in out
    assert "free boundaries bias it" in out
    found = json.loads(
        call(
            capsys,
            *LATTICE[:3],
            "--dimension",
            "3",
            "--length",
            "8",
            "--free-axes",
            "1,3",
            "--json",
        )[1]
    )
    assert found["periodic"] == [False, True, False]
    for arguments, complaint in (
        (("--free-axes", "3"), "must name axes from 1 to 2"),
        (("--free-axes", "x"), "names no axes"),
        (("--free-axes", "1", "--free"), "--free is about all axes"),
    ):
        code, _, err = call(capsys, *LATTICE, *arguments)
        assert code != 0
        assert complaint in err


def test_what_is_kept_of_one_lattice_is_what_a_sample_keeps():
    found = lattice_clusters((32, 32, 32), 0.3116, rng=2)
    kept, drawn = (
        LatticeSamples.of(found),
        sample_lattices(32, 3, occupation=0.3116, samples=3, rng=2),
    )
    assert kept.tail_sites.shape[1] == drawn.tail_sites.shape[1]
    for j in range(kept.tail_sites.shape[1]):
        large = found.sizes >= 4**j
        assert kept.tail_clusters[0, j] == found.counts[large].sum()
        assert kept.tail_sites[0, j] == (found.sizes * found.counts)[large].sum()
    assert kept.largest[0] == found.largest
    with pytest.raises(ValueError, match="all lengths must be equal"):
        LatticeSamples.of(lattice_clusters((4, 8), 0.5))


@pytest.mark.parametrize(
    "arguments",
    [BETHE, LATTICE, (*LATTICE[:3], "--dimension", "3", "--length", "16", "--kind", "bond")],
)
def test_pictures(capsys, tmp_path, arguments):
    path = tmp_path / "clusters.png"
    code, out, _ = call(capsys, *arguments, "--output", str(path))
    assert code == 0
    assert "attice" in out.splitlines()[0]
    assert path.read_bytes().startswith(b"\x89PNG")


def test_what_is_too_large_to_draw_is_passed_over(capsys, tmp_path, monkeypatch):
    from scalinglaws.verify.plots import percolation

    path = tmp_path / "tree.png"
    sizes = bethe_dataset(12, largest=10**4, rng=3).sizes
    monkeypatch.setattr(percolation, "MOST_SITES", int(sizes[2]))
    code, _, err = call(capsys, *BETHE, "--output", str(path))
    assert (code, path.exists()) == (0, True)
    drawn = f"drawn is rank 3, the largest cluster of at most {sizes[2]} sites\n"
    assert err == f"{drawn}wrote {path}\n"
    monkeypatch.setattr(percolation, "MOST_SITES", 1)
    assert "all clusters are larger" in call(capsys, *BETHE, "--output", str(path))[2]


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["betha"], 'Did you mean "bethe"'),
        (["bethe", "--clusters", "many"], "many is not a whole number: write 100, 1e6 or 1M"),
        (["bethe", "--clusters", "1.5"], "1.5 is not a whole number"),
        (["bethe", "--clusters", "0"], "clusters = 0"),
        (["bethe", "--occupation", "high"], "high is not a probability: write 0.3 or 1/3"),
        (
            ["bethe", "--smallest", "200", "--largest", "100"],
            "largest = 100 must be at least smallest = 200",
        ),
        (["bethe", "--output", "data.xyz"], "must be one of .csv, .json, .md, .npz"),
        (["bethe", "--output", "/no/such/data.npz"], "there is no folder"),
        (["lattice", "--kind", "edge"], "must be 'site' or 'bond'"),
        (["lattice", "--dimension", "8"], "give --occupation"),
        (["lattice", "--occupation", "2"], "must lie between 0 and 1"),
        (["lattice", "--samples", "2", "--output", "x.png"], "leave out --samples"),
        (
            ["lattice", "--dimension", "1", "--occupation", "0.5", "--output", "x.png"],
            "two dimensions or more",
        ),
    ],
)
def test_bad_requests(capsys, arguments, complaint):
    code, out, err = call(capsys, "simulate", "percolation", *arguments)
    assert (code, out) == (2, "")
    assert complaint in err


# -- the solvers of clusters --------------------------------------------------------------------------------------------


def solve(capsys, *arguments):
    code, out, err = call(capsys, "solve", *arguments, "--json")
    assert (code, err) == (0, "")
    return json.loads(out)


def test_an_allocation_by_rank_with_its_totals(capsys):
    found = solve(capsys, "percolation.allocate", "weights=1,9,4", "n=5,50", "exponents=0.5")
    columns = found["columns"]
    assert columns["rank"] == [1, 2, 3] * 2
    assert columns["weight"] == [9, 4, 1] * 2
    expected = allocate([9, 4, 1], [5, 50], exponents=0.5)
    assert columns["allocation"] == pytest.approx(expected.allocation.ravel().tolist())
    assert [entry["n"] for entry in found["totals"]] == [5, 50]
    assert [entry["loss"] for entry in found["totals"]] == pytest.approx(expected.loss.tolist())
    _, out, _ = call(
        capsys, "solve", "percolation.allocate", "weights=1,9,4", "n=5,50", "exponents=0.5"
    )
    assert "n = 50: loss " in out


def test_weights_by_their_exponent(capsys):
    found = solve(capsys, "percolation.allocate", "alpha=1", "size=316", "n=1000", "exponents=0.5")
    assert found["columns"]["weight"][9] == pytest.approx(0.01)
    assert found["totals"][0]["included"] == 45
    _, out, _ = call(
        capsys, "solve", "percolation.allocate", "alpha=1", "size=316", "n=1000", "exponents=0.5"
    )
    assert "weights = k^-2 for k = 1 to 316" in out
    assert "33 of 316 rows" in out


def test_each_cluster_may_have_an_exponent_of_its_own(capsys):
    found = solve(
        capsys,
        "percolation.allocate",
        "weights=4,1",
        "n=10",
        "exponents=0.5,1",
        "scales=2,1",
        "law=shifted",
    )
    expected = allocate([4, 1], 10.0, exponents=[0.5, 1], scales=[2, 1], law="shifted")
    assert found["columns"]["allocation"] == pytest.approx(expected.allocation.tolist())


def test_ranges_of_samples_are_whole_and_the_regime_is_named(capsys):
    found = solve(capsys, "percolation.data_loss", "samples=1:100:6", "alpha=1", "exponent=0.5")
    assert found["columns"]["samples"] == [1, 3, 6, 16, 40, 100]
    assert (
        found["columns"]["loss"]
        == data_loss([1, 3, 6, 16, 40, 100], alpha=1, exponent=0.5).loss.tolist()
    )
    _, out, _ = call(
        capsys, "solve", "percolation.data_loss", "samples=10", "alpha=1", "exponent=0.5"
    )
    assert "boundary of both limits: loss P^-0.5 log P (percolation.data)" in out
    _, out, _ = call(
        capsys, "solve", "percolation.zipf_model_loss", "n=10", "alpha=1", "exponent=0.25"
    )
    assert "smoothness-limited: loss n^-0.25 (percolation.model)" in out
    found = solve(
        capsys,
        "percolation.data_loss",
        "samples=40",
        "weights=500,200,100,50,20,10",
        "exponent=0.5",
        "scales=5",
    )
    assert found["columns"]["loss"] == [pytest.approx(0.6412754835731, rel=1e-12)]


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["allocate", "n=10", "exponents=1"], "needs weights= (weights= or alpha= and size=)"),
        (["allocate", "n=10", "exponents=1", "alpha=1"], "needs alpha= and size= together"),
        (
            ["allocate", "n=10", "exponents=1", "alpha=1", "size=3", "weights=1,2"],
            "describe the same",
        ),
        (
            ["allocate", "n=10", "exponents=1", "alpha=-1", "size=3"],
            "alpha = -1 must be finite and > 0",
        ),
        (
            ["allocate", "n=10", "exponents=1", "alpha=1", "size=2.5"],
            "size = 2.5 must be a whole number",
        ),
        (
            ["allocate", "n=10", "exponents=1,2", "weights=1,2,3"],
            "one entry for each of the 3 weights",
        ),
        (["allocate", "n=10", "exponent=1", "weights=1,2"], "did you mean 'exponents'"),
        (["data_loss", "samples=10", "exponent=1"], "exactly one of alpha and weights"),
        (["data_loss", "samples=10.5", "exponent=1", "alpha=1"], "samples"),
    ],
)
def test_the_solvers_refuse(capsys, arguments, complaint):
    code, _, err = call(capsys, "solve", f"percolation.{arguments[0]}", *arguments[1:])
    assert code == 2
    assert complaint in err


EXPERIMENT = ("simulate", "percolation", "experiment")
SMALL = ("--clusters", "12", "--smallest", "100", "--largest", "3000", "--datasets", "2")


@pytest.mark.parametrize(
    ("what", "header"),
    [
        ("model", ["n", "simulation", "theory", "ratio"]),
        ("data", ["P", "simulation", "theory", "ratio"]),
        ("allocation", ["n", "a", "k_b", "loss", "k_b by rule", "loss by rule"]),
        ("clusters", ["rank", "size", "n_0 fitted", "n_0 by its law"]),
        ("width", ["x", "standard error", "A"]),
    ],
)
def test_experiments_on_clusters(capsys, tmp_path, what, header):
    sizes = ("--sizes", "30,100", "--candidates", "50") if what != "width" else ()
    picture = tmp_path / "picture.png"
    code, out, err = call(
        capsys, *EXPERIMENT, what, *SMALL, *sizes, "--json", "--output", str(picture)
    )
    assert (code, err) == (0, f"wrote {picture}\n")
    assert picture.read_bytes().startswith(b"\x89PNG")
    found = json.loads(out)
    assert list(found["columns"]) == header
    if what in ("model", "data"):
        assert found["columns"][header[0]] == [30, 100]
        assert all(0.5 < ratio < 2 for ratio in found["columns"]["ratio"])
    if what == "width":
        assert found["columns"]["x"][0] == pytest.approx(0.3944246, abs=1e-7)


def test_experiments_are_reproducible_and_refuse_what_they_do_not_know(capsys):
    first = call(capsys, *EXPERIMENT, "data", *SMALL, "--sizes", "10:100:3")
    assert first == call(capsys, *EXPERIMENT, "data", *SMALL, "--sizes", "10:100:3")
    assert first[0] == 0
    assert [line.split()[0] for line in first[1].splitlines()[4:7]] == ["10", "32", "100"]
    code, _, err = call(capsys, *EXPERIMENT, "emergence")
    assert code == 2
    assert "what" in err
    code, _, err = call(capsys, *EXPERIMENT, "allocation", *SMALL, "--sizes", "1,2,3,4,5")
    assert code == 2
    assert "at most 4 sizes" in err


@pytest.mark.parametrize(
    ("more", "complaint"),
    [
        (("--datasets", "0"), "datasets"),
        (("--sizes", "1e9"), "the sites of a dataset"),
    ],
)
@pytest.mark.parametrize("what", ["model", "data"])
def test_experiments_refuse_no_data_and_more_than_all_sites(capsys, what, more, complaint):
    code, out, err = call(capsys, *EXPERIMENT, what, *SMALL, *more)
    assert (code, out) == (2, "")
    assert complaint in err


def test_the_table_of_dual_occupations_shows_them(capsys):
    code, out, _ = call(
        capsys,
        "solve",
        "percolation.dual_occupation",
        "coordination=12",
        "occupation=0.1,0.5",
        "--json",
    )
    assert code == 0
    assert json.loads(out)["columns"]["dual"] == pytest.approx([0.0823330, 0.000490684], rel=1e-5)


def test_a_grid_has_no_remark_that_holds_for_some_of_its_rows_alone(capsys):
    given = ("solve", "percolation.data_loss", "samples=1e2,1e4", "alpha=2", "exponent=1")
    code, out, _ = call(capsys, *given, "sampling=1/2,1")
    assert code == 0
    assert "loss P^" not in out
    assert "smoothness-limited: loss P^-1" in call(capsys, *given, "sampling=1/2")[1]
