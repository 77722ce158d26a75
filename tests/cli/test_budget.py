"""Numbers for a real budget, laws of one's own and measured spectra, from the command line."""

import json

import numpy as np
import pytest

from scalinglaws import solvers, theory
from scalinglaws.cli import run


def call(capsys, *arguments):
    """Run the command line; return its exit code, output and errors."""
    code = run(list(arguments))
    out, err = capsys.readouterr()
    return code, out, err


CHINCHILLA = "1.69 + 406.4/N**0.34 + 410.7/D**0.28"


# -- allocate -------------------------------------------------------------------------------------------------------------


def test_a_budget_with_a_number_gives_numbers(capsys):
    code, out, _ = call(capsys, "allocate", CHINCHILLA, "--budget", "6*N*D=5.76e23")
    assert code == 0
    lines = [line.strip() for line in out.splitlines()]
    best = theory.allocate(CHINCHILLA, "6*N*D = 5.76e23").minimum()
    for name, value in [("total ", best.total), ("excess", best.excess)]:
        assert f"{name} = {value:.6g}" in lines
    for name, value in best.scales.items():
        assert f"{name}      = {value:.6g}" in lines
    assert "excess over 1.69" in out
    assert "406.4/N**0.34 is 45.1613 % of the excess" in lines
    assert max(map(len, lines)) < 120  # no radicals of hundreds of digits
    code, out, _ = call(capsys, "allocate", CHINCHILLA, "--budget", "6*N*D=C", "C=1e21")
    assert "excess = 0.638883" in out
    assert "total  = 2.32888" in out
    assert "at C = 1e21" in out


@pytest.mark.parametrize("more", [[], ["C=1e21"], ["--json"], ["C=1e21", "--json"]])
def test_no_line_has_long_numbers(capsys, more):
    code, out, _ = call(capsys, "allocate", CHINCHILLA, "--budget", "6*N*D=C", *more)
    assert code == 0
    digits = "".join(sign if sign.isdigit() else " " for sign in out).split()
    assert max(map(len, digits)) < 20


def test_digits_and_json(capsys):
    arguments = ("allocate", CHINCHILLA, "--budget", "6*N*D=C", "C=1e21", "--digits", "30")
    _, out, _ = call(capsys, *arguments)
    best = theory.allocate(CHINCHILLA, "6*N*D = 1e21").minimum(digits=30)
    assert str(best.excess)[:15] in out
    assert "0.638882940154319" in out
    _, out, _ = call(capsys, *arguments[:-2], "--json")
    found = json.loads(out)["optimum"]
    assert found["scales"]["N"] == pytest.approx(1824217696.8955536, rel=1e-12)
    assert found["total"] == found["excess"] + 1.69
    code, _, err = call(capsys, *arguments[:-1], "0")
    assert code == 2
    assert "digits" in err


@pytest.mark.parametrize("budget", ["C=6*N*D", "6*N*D==C", " 6*N*D = C "])
def test_budgets_may_be_turned_round(capsys, budget):
    code, out, _ = call(capsys, "allocate", CHINCHILLA, "--budget", budget, "C=1e21")
    assert code == 0
    assert "excess = 0.638883" in out
    code, _, err = call(capsys, "allocate", CHINCHILLA, "--budget", "6*N*D<=C", "C=1e21")
    assert code == 2
    assert "what < bounds is a cap: --cap" in err


def test_several_budgets_name_the_scale(capsys):
    budgets = ("allocate", "A/N + 1/D + 1/t", "--budget", "N*D=C", "--budget", "N*t=M")
    code, _, err = call(capsys, *budgets, "A=3")
    assert code == 2
    assert (
        "values are missing for C, M: give them, or let one of them grow: --scale C or --scale M"
        in err
    )
    code, out, _ = call(capsys, *budgets, "A=3", "C=1e6", "M=1e9")
    assert code == 0
    assert "least = 0.00" in out
    assert "number 1" in out


def test_constants_without_a_number_leave_the_total_open(capsys):
    terms = "E + A/N**a + B/D**b"
    values = ("A=406.4", "B=410.7", "a=0.34", "b=0.28", "C=1e21")
    _, out, _ = call(capsys, "allocate", terms, "--budget", "6*N*D=C", *values)
    assert "excess = 0.638883" in out
    assert "total  = needs E" in out
    _, out, _ = call(capsys, "allocate", terms, "--budget", "6*N*D=C", *values[:-1])
    assert "C^(-119/775) = C^-0.153548" in out
    assert "excess ~ 1071.36*C**(-119/775)" in out


def test_a_limit_is_no_minimum(capsys):
    _, out, _ = call(capsys, "allocate", "1/N + 1/D", "--free", "N,D", "--cap", "D<=10")
    assert "no allocation reaches this" in out
    assert "1/N is nothing, in a limit of it" in out


# -- law ------------------------------------------------------------------------------------------------------------------

VALUES = ("E=1.69", "A=406.4", "B=410.7", "a=0.34", "b=0.28")


def test_a_law_evaluates_its_formulas(capsys):
    code, out, _ = call(capsys, "law", "empirical.chinchilla", *VALUES, "C=5.76e23")
    assert code == 0
    lines = [" ".join(line.split()) for line in out.splitlines()]
    assert "frontier = 1.93075" in lines
    assert "N = 3.21899e+10" in lines
    assert "D = 2.98231e+12" in lines
    assert "loss = 1.93075 (at D, N as given here)" in lines
    assert "compute needs L; L must exceed E = 1.69" in lines
    assert "multiplier needs ratio" in lines
    _, out, _ = call(capsys, "law", "empirical.chinchilla", *VALUES, "L=1.6", "--json")
    found = json.loads(out)["numbers"]
    assert found["compute"] == {"note": "L must exceed E = 1.69"}
    _, out, _ = call(
        capsys, "law", "empirical.chinchilla", *VALUES, "L=2", "ratio=2", "--digits", "20"
    )
    assert "1.156978224913374219" in out


def test_formulas_need_no_exponent(capsys):
    code, out, _ = call(capsys, "law", "percolation.cluster_learning", "u=3")
    assert code == 0
    assert "tree       = 0.461989" in out
    code, _, err = call(capsys, "law", "linear.data", "P=1000")
    assert code == 2
    assert "needs alpha, beta" in err
    code, _, err = call(capsys, "law", "empirical.chinchilla", "Q=1")
    assert "unknown parameter of empirical.chinchilla 'Q'" in err


# -- derive ---------------------------------------------------------------------------------------------------------------

OWN = ("derive", "--spectrum", "k**-a", "--signal", "k**-(a*b+1)", "--filter")


def test_a_law_of_ones_own(capsys):
    code, out, _ = call(capsys, *OWN, "exp(-2*x*t)", "--variable", "t", "a=3/2", "b=1/3", "t=1e6")
    assert code == 0
    assert "at a = 3/2, b = 1/3: g = 1/3" in out
    assert "REFUSED" not in out
    assert "checked: 2 points over four decades" in out
    expected = theory.law("linear.time").asymptote(1e6, alpha=3 / 2, beta=1 / 3)
    assert f"leading term = {expected:.6g}" in out
    code, out, _ = call(capsys, *OWN, "1/(1+x*t)**2", "a=3/2", "b=2")
    assert "boundary        b = 2: g = 2, c = 1/a, times log t" in out
    assert "(boundary, times log t)" in out
    code, out, _ = call(capsys, *OWN, "1/(1+x)", "--json")
    assert json.loads(out)["notes"] == ["1/(1+x) has no t: x is read as x*t"]


def test_logarithms_of_other_spectra_are_shown(capsys):
    code, out, _ = call(
        capsys, "derive", "--spectrum", "exp(-k)", "--signal", "k**-3", "--filter", "exp(-2*x*t)"
    )
    assert code == 0
    assert "everywhere: g = 0, c = 1/2, times (log t)^(-2)" in out
    assert "Hence g = 0." in out


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["derive"], "derive NAME, or a law of your own: --spectrum --signal --filter missing"),
        (["derive", "--spectrum", "k**-a"], "--signal --filter missing"),
        (["derive", "linear.time", "alpha=2"], "scalinglaws law linear.time alpha=2 does"),
        ([*OWN, "exp(-2*x*t)", "b"], "a law of your own has no name"),
        ([*OWN, "exp(-2*x*t)", "--notation", "bordelon"], "has the symbols of its formulas"),
        ([*OWN, "exp(-2*x*t)", "q=1"], "unknown parameter of own law 'q'"),
        ([*OWN, "exp(-lambda*t)"], "'lambda' is a reserved word"),
        ([*OWN, "exp(-2*x*tau)"], "give --variable tau"),
        (
            [
                "derive",
                "--spectrum",
                "k**-a",
                "--signal",
                "k**-s",
                "--filter",
                "exp(-x*t)",
                "a=2",
                "s=1/2",
            ],
            "holds for s > 1",
        ),
    ],
)
def test_derive_refuses(capsys, arguments, complaint):
    code, out, err = call(capsys, *arguments)
    assert (code, out) == (2, "")
    assert complaint in err


# -- solve ----------------------------------------------------------------------------------------------------------------


def test_a_spectrum_from_a_file_is_solved(capsys, tmp_path):
    k = np.arange(1.0, 301.0)
    np.save(tmp_path / "e.npy", k**-1.5)
    np.savetxt(tmp_path / "s.csv", k**-2)
    spectrum, signal = f"spectrum={tmp_path / 'e.npy'}", f"signal={tmp_path / 's.csv'}"
    code, out, _ = call(
        capsys, "solve", "linear.ridge", spectrum, signal, "samples=10,100", "--json"
    )
    assert code == 0
    found = json.loads(out)
    assert found["spectrum"]["size"] == 300
    expected = solvers.linear.ridge(
        solvers.EmpiricalSpectrum(k**-1.5, k**-2), samples=np.array([10, 100])
    )
    np.testing.assert_allclose(found["columns"]["test_loss"], expected.test_loss)
    code, out, _ = call(capsys, "solve", "linear.ridge", spectrum, "samples=10")
    assert "e.npy, 300 modes, signal = eigenvalues (a white target)" in out


def test_solvers_with_remarks_on_power_laws_take_files(capsys, tmp_path):
    k = np.arange(1.0, 301.0)
    np.save(tmp_path / "e.npy", np.column_stack([k**-1.5, k**-1.75]))
    for name, *arguments in (
        ("linear.compute_frontier", "compute=1e4", "dynamics=flow"),
        ("feature_learning.compute_frontier", "compute=1e4", "richness=1"),
    ):
        code, out, err = call(capsys, "solve", name, f"spectrum={tmp_path / 'e.npy'}", *arguments)
        assert (code, err) == (0, "")
        assert "300 modes" in out


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["spectrum=nowhere.npy"], "cannot read nowhere.npy"),
        (
            ["spectrum=k**-2"],
            "must be a file (.csv, .csv.gz, .json, .json.gz, .jsonl, .jsonl.gz, .ndjson",
        ),
        (["signal=s.npy"], "goes with spectrum="),
        (["spectrum=e.npy", "alpha=2"], "describe the same"),
        (["alpha=2"], "or spectrum=FILE; got alpha"),
    ],
)
def test_solve_refuses_spectra(capsys, arguments, complaint):
    code, out, err = call(capsys, "solve", "linear.ridge", *arguments, "samples=10")
    assert (code, out) == (2, "")
    assert complaint in err
