"""The command that ranks patterns, as a stranger meets it."""

import csv
import json

import pytest

from scalinglaws.cli import run
from scalinglaws.theory import law, patterns


def call(capsys, *arguments):
    code = run(["patterns", *arguments])
    captured = capsys.readouterr()
    return code, captured.out, captured.err


def test_a_dense_network_is_ranked_with_ties_and_said_to_be_heuristic(capsys):
    code, out, err = call(capsys, "fcn", "--widths", "1", "1", "--degree", "3")
    assert (code, err) == (0, "")
    assert "samples ~ d (heuristic): GP S1(1), and 15 more at the same exponent" in out
    assert "heuristic: a scaling argument" in out
    lines = [line for line in out.splitlines() if line.startswith("*")]
    found = patterns.sample_complexity(patterns.fully_connected([1, 1], 3))
    assert [line[3:].split("  ")[0] for line in lines] == [str(entry) for entry in found.winners]
    below = out[out.index(lines[-1]) :]
    assert "S(1) G(1)    9/7       M_1 ~ d^(2/7), beta_2 ~ d^(2/7)" in below


@pytest.mark.parametrize(
    ("arguments", "exponent", "winners", "parameters"),
    [
        (["fcn", "--widths", "6"], "3", ["GP"], {}),
        (["fcn", "--widths", "2", "2"], "3/2", ["GP S(1)", "S(1) GP"], {"M_2": "1/2"}),
        (["fcn", "--widths", "3/2", "1"], "1", ["GP S1(1)", "GP S(1)"], {"u_2": "0"}),
        (["fcn", "--widths", "1/2"], "7/8", ["S1(1)"], {"u": "-1/16"}),
        (
            ["fcn", "--widths", "1/2", "1/2"],
            "5/7",
            ["S1(1) S1(1)", "G(1) S1(1)"],
            {"u_1": "-1/7", "u_2": "-1/28"},
        ),
        (["fcn", "--widths=1.5", "--purity"], "5/4", ["S(1)"], {"M": "1/4"}),
        (["cnn", "--widths", "1/2"], "3/4", ["S(1)", "G(1)"], {"M": "1/4"}),
        (["cnn", "--widths", "1/2", "--local"], "1", ["GP", "S1(1)", "S(1)", "G(1)"], {}),
        (["attention", "--length", "1/2"], "7/4", ["softmax"], {"epsilon2": "-1/4"}),
        (["fcn", "--widths", "1", "--degree", "2"], "1", ["S1(1)", "S(1)"], {"u": "0"}),
    ],
)
def test_json_is_the_engine(capsys, arguments, exponent, winners, parameters):
    code, out, _ = call(capsys, *arguments, "--json")
    found = json.loads(out)
    assert (code, found["exponent"], found["winners"], found["standing"]) == (
        0,
        exponent,
        winners,
        "heuristic",
    )
    assert found["patterns"][0]["parameters"] == parameters
    assert found["purity"] == ("--purity" in arguments)
    assert [entry["pattern"] for entry in found["patterns"] if entry["winner"]] == winners
    assert all(entry["cost"] for entry in found["patterns"])


def test_what_purity_excludes_is_listed(capsys):
    _, out, _ = call(capsys, "fcn", "--widths", "1", "--purity")
    assert "features must be clean" in out
    assert "G(1)     5/3         beta ~ d^(2/3)" in out
    assert any(line.split() == ["GP", "infeasible"] for line in out.splitlines())


def test_symbols_give_regions_and_closed_forms(capsys):
    code, out, _ = call(capsys, "fcn", "--widths", "n")
    assert code == 0
    assert "n <= 1       n/4 + 3/4  S1(1)   -" in out
    assert "u = 3**(1/8)*N**(1/8)/d**(1/8)  n <= 1" in out
    assert "S(1)     2*sqrt(N)*sqrt(d)               M = sqrt(N)/sqrt(d)             n >= 1" in out
    _, out, _ = call(capsys, "fcn", "--widths", "n", "--json")
    found = json.loads(out)
    assert [(entry["exponent"], entry["winners"][0]) for entry in found["regions"]] == [
        ("n/4 + 3/4", "S1(1)"),
        ("n/2 + 1/2", "S(1)"),
        ("3", "GP"),
    ]
    assert found["symbols"] == ["n"]
    assert {"pattern": "S(1)", "reached": ["M >= 1"]}.items() <= {
        key: value
        for key, value in found["closed_forms"][4].items()
        if key in ("pattern", "reached")
    }.items()


def test_tracked_features_and_activation_reach_the_engine(capsys):
    counts = []
    for tracked in ([], ["--tracked", "all"], ["--tracked", "1,3,5"]):
        _, out, _ = call(capsys, "fcn", "--widths", "1", "1", "--degree", "5", *tracked, "--json")
        counts.append(len(json.loads(out)["patterns"]))
    assert counts[0] < counts[1] == counts[2]
    _, out, _ = call(capsys, "fcn", "--widths", "1", "--degree", "4", "--activation", "even")
    assert "even activation, target of degree 4" in out


def test_a_screen_shows_some_of_many_patterns_and_a_file_all(capsys, tmp_path):
    _, out, _ = call(capsys, "fcn", "--widths", "3", "3", "3", "--degree", "1")
    assert "40 of 64 patterns; --json or --output FILE has all of them" in out
    path = tmp_path / "patterns.csv"
    assert call(capsys, "fcn", "--widths", "3", "3", "3", "--degree", "1", "--output", str(path))[
        :2
    ] == (0, "")
    with path.open(encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    assert len(rows) == 64
    assert rows[0]["winner"] == "yes"
    assert rows[-1]["winner"] == "no"


@pytest.mark.parametrize(
    ("arguments", "start"),
    [
        (["fcn", "--widths", "1", "--diagram", "{}.png"], b"\x89PNG"),
        (
            [
                "fcn",
                "--widths",
                "n_1",
                "n_2",
                "--range",
                "0",
                "3",
                "--purity",
                "--diagram",
                "{}.svg",
            ],
            b"<?xml",
        ),
        (["cnn", "--widths", "n", "--patch", "s", "--diagram", "{}.pdf"], b"%PDF"),
        (["attention", "--length", "ell", "--diagram", "{}.png"], b"\x89PNG"),
        (
            ["fcn", "--widths", "4", "4", "--range", "0", "3", "--diagram", "{}.png"],
            b"\x89PNG",
        ),  # the network itself is outside
    ],
)
def test_pictures(capsys, tmp_path, arguments, start):
    arguments = [word.replace("{}", str(tmp_path / "picture")) for word in arguments]
    code, out, err = call(capsys, *arguments)
    (path,) = tmp_path.iterdir()
    assert (code, err) == (0, f"wrote {path}\n")
    assert "heuristic" in out
    assert path.read_bytes().startswith(start)


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["fcn", "--widths", "-1"], "must not be negative"),
        (
            ["fcn", "--widths", "1", "--degree", "2", "--activation", "odd"],
            "expresses odd degrees only",
        ),
        (
            ["fcn", "--widths", "1", "--activation", "relu"],
            "must be 'odd', 'even', 'generic' or 'linear'",
        ),
        (["fcn"], "--widths"),
        (["fcn", "--widths"], "one to 4 hidden layers"),
        (["fcn", "--widths", "1", "1", "1", "1", "1"], "one to 4 hidden layers"),
        (["fcn", "--widths", "inf"], "neither a finite number nor the name of a symbol"),
        (["fcn", "--widths", "x^2"], "--widths"),
        (["fcn", "--widths", "1,1"], "--widths 1 1"),
        (["fcn", "--widths", "a", "b", "c"], "at most two symbols"),
        (["fcn", "--widths", "a", "b", "c", "--diagram", "{}.png"], "one or two axes"),
        (
            ["fcn", "--widths", "1", "1", "1", "--diagram", "{}.png"],
            "write symbols for one or two exponents",
        ),
        (
            ["attention", "--length", "1", "--diagram", "{}.png"],
            "write symbols for one or two exponents",
        ),
        (["fcn", "--widths", "1", "--diagram", "{}.jpg"], "--diagram"),
        (["fcn", "--widths", "1", "--diagram", "{}/no/a.png"], "there is no folder"),
        (["fcn", "--widths", "1", "--range", "0", "3"], "--range belongs to --diagram"),
        (["fcn", "--widths", "1", "--range", "3", "0", "--diagram", "{}.png"], "0 <= low < high"),
        (["fcn", "--widths", "1", "--tracked", "one"], "write degrees as 1,3, or all"),
        (["fcn", "--widths", "1", "--output", "{}.png"], "--output"),
        (["cnn", "--widths", "1", "--patch", "2"], "at most 1"),
        (["attention", "--length", "-1"], "must not be negative"),
        (["transformer"], "transformer"),
    ],
)
def test_refusals(capsys, tmp_path, arguments, complaint):
    arguments = [word.replace("{}", str(tmp_path / "picture")) for word in arguments]
    code, out, err = call(capsys, *arguments)
    assert (code, out) == (2, "")
    assert complaint in err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("network", "printed", "least"),
    [
        ("fcn2", {}, {"S1(1)": "n/4 + 3/4", "S(1)": "n/2 + 1/2", "GP": "3"}),
        ("cnn", {"S1(1)": ("S + N*C ~ sqrt(d*C) ~ d", "C*N + S")}, {"GP": "1"}),
        (
            "fcn3",
            {
                "S1(1) S1(1)": ("d + N_1 + N_2", "N_1 + N_2 + d"),
                "GP S(1)": ("2*sqrt(N_2*d)", "2*sqrt(N_2)*sqrt(d)"),
                "S(1) GP": ("2*sqrt(N_1*d)", "2*sqrt(N_1)*sqrt(d)"),
                "S(1) G(3)": ("3*(N_1*N_2*d)^(1/3)", "3*N_1**(1/3)*N_2**(1/3)*d**(1/3)"),
            },
            {
                "S(1) GP": "n_1/2 + 1/2",
                "GP S(1)": "n_2/2 + 1/2",
                "S1(1) S1(1)": "3*n_1/7 + n_2/7 + 3/7",
            },
        ),
        ("attention", {"softmax": ("L^(1/2)", "2*A*sqrt(L)*W")}, {"softmax": "ell + 1"}),
    ],
)
def test_tables_of_the_talk_stand_beside_what_is_derived(capsys, network, printed, least):
    code, out, _ = call(capsys, "table", network, "--json")
    found = json.loads(out)
    rows = found["patterns"]
    assert code == 0
    assert {
        row["pattern"]: (row["printed"], row["least"]) for row in rows if row["printed"]
    } == printed
    assert least.items() <= {row["pattern"]: row["exponent"] for row in found["regimes"]}.items()
    known = law(found["law"])
    assert [entry["printed"] for entry in found["corrections"]][-len(known.misprints) :] == [
        slip.printed for slip in known.misprints
    ] or not known.misprints
    assert (
        (found["corrections"][0]["printed"] == str(known.published.expr))
        if known.published
        else True
    )
    code, out, _ = call(capsys, "table", network)
    assert code == 0
    assert all(text in out for text, _ in printed.values())
    assert found["law"] in out


def test_a_talk_has_four_tables(capsys):
    code, _, err = call(capsys, "table", "rnn")
    assert code == 2
    assert "fcn2" in err


@pytest.mark.parametrize("seed", ["-1", "0,1", "1.5", "x"])
def test_a_seed_is_one_whole_number(capsys, seed):
    code = run(["solve", "patterns.log_alignment", "n=5", "d=5", f"rng={seed}"])
    assert code == 2
    assert "must be a seed" in capsys.readouterr().err


def test_a_sampling_solver_is_the_solver(capsys):
    from scalinglaws.solvers.patterns import log_tail

    assert (
        run(
            [
                "solve",
                "patterns.log_tail",
                "n=10",
                "s=3,10",
                "method=importance",
                "samples=500",
                "rng=3",
                "--json",
            ]
        )
        == 0
    )
    found = json.loads(capsys.readouterr().out)["columns"]
    expected = log_tail(10, [3, 10], "importance", samples=500, rng=3)
    assert found["log_probability"] == expected.log_probability.tolist()
    assert run(["solve", "patterns.log_tail", "n=10", "s=3", "method=importance"]) == 2
    assert "seed" in capsys.readouterr().err
