"""What there is can be listed, and names are understood as papers write them."""

import json
from fractions import Fraction

import pytest

from scalinglaws import theory
from scalinglaws.cli import run
from scalinglaws.cli._solvers import Solver
from scalinglaws.errors import DomainError, columns, unknown_name
from scalinglaws.notation import CONVENTIONS, belonging, canonical, convention
from scalinglaws.solvers.catalogue import available
from scalinglaws.verify import registry


def call(capsys, *arguments):
    code = run(arguments)
    out, err = capsys.readouterr()
    return code, out, err


# -- what there is ------------------------------------------------------------------------------------------------------


def test_solvers_are_listed_with_their_purpose(capsys):
    code, out, _ = call(capsys, "solve", "--list", "--json")
    found = {row["solver"]: row["what it does"] for row in json.loads(out)}
    assert code == 0
    assert set(found) == set(available())
    assert all(found.values())
    _, out, _ = call(capsys, "solve", "--list", "ridge regression")
    assert [line.split()[0] for line in out.splitlines() if "." in line] == ["linear.ridge"]
    code, _, err = call(capsys, "solve", "--list", "chocolate")
    assert (code, "no solver mentions 'chocolate'" in err) == (2, True)


@pytest.mark.parametrize("name", available())
def test_every_argument_of_every_solver_is_explained(capsys, name):
    code, out, _ = call(capsys, "solve", name, "--help", "--json")
    found = {row["name"]: row for row in json.loads(out)["arguments"]}
    assert code == 0
    solver = Solver.named(name)
    assert set(solver.parameters) <= set(found)
    for key, item in solver.parameters.items():
        assert found[key]["meaning"], key
        assert found[key]["needed"] == (item.default is item.empty)
        assert "`" not in found[key]["meaning"]
        assert "\\" not in found[key]["meaning"]
    assert json.loads(out)["columns"] or not hasattr(solver.function, "columns")
    _, out, _ = call(capsys, "solve", name, "-h")
    assert out.startswith(f"{name}: ")
    assert max(map(len, out.splitlines())) <= 100


def test_solve_alone_says_how_it_is_used(capsys):
    code, out, _ = call(capsys, "solve")
    assert code == 2
    assert "--list" in out
    code, out, _ = call(capsys, "solve", "--help")
    assert code == 0
    assert "--notation" in out


def test_checks_are_listed_with_what_they_test(capsys):
    code, out, _ = call(capsys, "verify", "--list", "--json")
    found = {row["check"]: row for row in json.loads(out)}
    assert code == 0
    assert set(found) == set(registry.available())
    assert {row["effort"] for row in found.values()} == {"quick", "full"}
    code, out, _ = call(capsys, "verify", "--list", "linear.model", "--json")
    assert {row["check"] for row in json.loads(out)} == {
        *registry.checks_of("linear.model"),
        *(name for name in registry.available() if name.startswith("linear.model.")),
    }


def test_simulations_are_listed(capsys):
    code, out, _ = call(capsys, "simulate", "--list", "--json")
    assert code == 0
    assert [row["simulation"] for row in json.loads(out)] == [
        "percolation bethe",
        "percolation lattice",
        "percolation experiment",
        "empirical task",
    ]
    code, out, _ = call(capsys, "simulate")
    assert (code, "percolation" in out) == (0, True)


def test_an_unknown_name_shows_all_that_there_are(capsys):
    _, _, err = call(capsys, "solve", "xyzw")
    assert err.startswith("error: unknown solver 'xyzw'; known:\n")
    assert set(available()) <= set(err.split())
    assert max(map(len, err.splitlines())) <= 80


def test_columns_hold_every_name_in_order():
    names = [f"name{i:03d}" for i in range(47)]
    lines = columns(names).splitlines()
    grid = [line.split() for line in lines]
    assert [row[i] for i in range(len(grid[0])) for row in grid if i < len(row)] == names
    assert columns(["x" * 200, "y"]) == "  " + "x" * 200 + "\n  y"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("bottleneck", "linear.data"),
        ("Maloney", "linear.model"),
        ("kernel ridge", "linear.data"),
        ("ansatz", "empirical.chinchilla"),
        ("NTK", "linear.time"),
        ("hoffmann training", "empirical.chinchilla"),
    ],
)
def test_laws_are_found_by_what_people_call_them(capsys, text, expected):
    code, out, _ = call(capsys, "laws", text, "--json")
    assert code == 0
    assert expected in {row["name"] for row in json.loads(out)}


def test_a_law_names_the_checks_that_test_it():
    assert {entry.name for entry in registry.select("linear.optimal_ridge", "full")} == {
        "linear.optimal-ridge"
    }
    untested = next(
        name
        for name in theory.laws()
        if not registry.checks_of(name)
        and not any(check.startswith(name + ".") for check in registry.available())
    )
    with pytest.raises(DomainError, match="is a law that no check tests"):
        registry.select(untested, "full")


def test_a_check_suggests_its_laws(capsys):
    code, _, err = call(capsys, "law", "linear.model.saturated")
    assert code == 2
    assert "a check of that name tests linear.model" in err


# -- names --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "rest"),
    [
        (("a=2", "b=3/2"), ()),
        (("alpha_p=3/4", "beta_p=1/4"), ()),
        (("alpha_P=3/4", "beta_P=1/4"), ()),
        (("capacity=3/2", "r=1/3"), ()),
        (("alpha=3/2", "r=1/3"), ()),
        (("student_smoothness=1", "teacher_smoothness=2", "dimension=2"), ()),
        (("a=2", "b=1.5"), ("--notation", "atanasov")),
        (("alpha=3/4", "beta=1/4"), ("--notation", "paquette")),
        (("alpha_P=3/4", "beta=1/4"), ("--notation", "Xiao")),
    ],
)
def test_a_spectrum_as_other_papers_write_it(capsys, given, rest):
    expected = {"alpha": 1.5, "beta": 2 / 3}
    code, out, _ = call(capsys, "solve", "linear.ridge", *given, "samples=10", *rest, "--json")
    assert code == 0
    found = json.loads(out)
    assert {key: found["spectrum"][key] for key in expected} == pytest.approx(expected)
    _, out, _ = call(capsys, "solve", "linear.ridge", *given, "samples=10", *rest)
    assert ", from " in out.splitlines()[0]  # what was converted is said


def test_maloney_writes_as_bahri_does(capsys):
    _, out, _ = call(
        capsys, "solve", "linear.ridge", "alpha=1", "P=10", "--notation", "maloney", "--json"
    )
    assert json.loads(out)["spectrum"]["alpha"] == 2
    assert convention("Maloney") is CONVENTIONS["bahri"]
    with pytest.raises(DomainError, match="unknown notation"):
        convention("nobody")


def test_aliases_of_notations_are_unambiguous():
    names = [name for entry in CONVENTIONS.values() for name in (entry.name, *entry.aliases)]
    assert len(names) == len(set(names))
    assert all(name == name.lower() for name in names)


@pytest.mark.parametrize(
    ("arguments", "name"),
    [
        (("linear.ridge", "N=20", "P=10"), ("features=20", "samples=10")),
        (("linear.gradient_flow", "time=3", "width=20"), ("t=3", "features=20")),
        (
            ("linear.online_sgd", "T=3", "B=4", "eta=0.1"),
            ("steps=3", "batch=4", "learning_rate=0.1"),
        ),
        (("feature_learning.gradient_flow", "t=3", "gamma=2"), ("t=3", "richness=2")),
        (("linear.ridge", "P=10", "M=7"), ("samples=10", "size=7")),
    ],
)
def test_symbols_stand_for_arguments(capsys, arguments, name):
    solver, *given = arguments
    one = call(capsys, "solve", solver, "alpha=1.5", "beta=0.5", *given, "--json")
    other = call(capsys, "solve", solver, "alpha=1.5", "beta=0.5", *name, "--json")
    assert one[0] == 0
    assert one == other


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (("linear.ridge", "alpha=2", "beta=1", "P=10", "samples=20"), "are the same; give one"),
        (("linear.ridge", "alpha_p=1", "samples=3"), "notation 'paquette', which takes"),
        (("patterns.log_alignment", "n=10", "d=5", "P=10"), "unknown argument"),
        (("patterns.alignment_rate", "n=10", "d=5", "--notation", "bahri"), "has no spectrum"),
        (("linear.ridge", "alpha=2", "samples=1", "--notation", "bordelon"), "needs a= and b="),
        (
            ("linear.ridge", "alpha=2", "beta=1", "beta_p=1", "samples=1"),
            "beta_p is of the notation",
        ),
    ],
)
def test_names_that_are_not_understood(capsys, arguments, complaint):
    code, _, err = call(capsys, "solve", *arguments)
    assert code == 2
    assert complaint in err


def test_a_law_reads_other_notations():
    law = theory.law("linear.data")
    assert law(a=2, b=Fraction(3, 2)) == law(alpha=Fraction(3, 2), beta=Fraction(2, 3)) == 1
    assert law(alpha_P=Fraction(3, 4), beta_P=Fraction(1, 4)) == 1
    assert law.regime(a=2, b=1.5) == "source-limited"
    # the boundary beta = 2 is found from a and b, too
    assert law.log_power(a=4, b=1.5) == 1
    assert theory.law("linear.time")(a=2, b=Fraction(3, 2)) == Fraction(2, 3)
    # what a law calls a and b itself is not another paper's
    chinchilla = theory.law("empirical.chinchilla")
    assert chinchilla(a=Fraction(1, 3), b=Fraction(1, 3)) == Fraction(1, 6)


def test_a_law_on_the_command_line_says_what_was_read(capsys):
    code, out, _ = call(capsys, "law", "linear.data", "a=2", "b=1.5")
    assert code == 0
    assert "at a = 2, b = 3/2, alpha = 3/2, beta = 2/3: g = 1" in out
    _, _, err = call(capsys, "law", "linear.data", "beta_p=1")
    assert "beta_p is of the notation 'paquette'" in err
    assert "did you mean" not in err


@pytest.mark.parametrize("name", ["alpha_p", "beta_P", "theta", "eta", "N", "gamma"])
def test_another_symbol_is_no_slip(name):
    known = ["alpha", "beta", "n", "zeta", "gamma_1"]
    assert "did you mean" not in str(unknown_name("parameter", name, known))


@pytest.mark.parametrize(("name", "meant"), [("alpa", "alpha"), ("sample", "samples")])
def test_a_slip_is_one(name, meant):
    known = ["alpha", "beta", "samples"]
    assert f"did you mean '{meant}'" in str(unknown_name("parameter", name, known))


def test_values_without_another_notation_stay():
    assert canonical({"alpha": 1, "size": 2}, ("alpha",)) == {"alpha": 1, "size": 2}
    assert canonical({"a": 1}, ()) == {"a": 1}
    assert belonging("samples") == ""


def test_half_a_spectrum_is_not_taken_for_one_of_another_notation(capsys):
    _, _, err = call(capsys, "solve", "linear.ridge", "alpha=2", "samples=20")
    assert "got alpha" in err
    assert "caponnetto" not in err


def test_what_only_python_can_call_is_said_to_be_there(capsys):
    _, _, err = call(capsys, "solve", "renormalization.fixed_points", "alpha=1")
    assert "renormalization.fixed_points is for Python only" in err


@pytest.mark.parametrize("command", ["law", "derive"])
def test_help_of_laws_names_the_notations_of_flows(capsys, command):
    _, out, _ = call(capsys, command, "--help")
    assert "measure or conserving" in " ".join(out.replace("│", " ").split())


@pytest.mark.parametrize(
    ("widths", "title"),
    [
        (("N",), "width N = d^n,"),
        (("n",), "width N = d^n,"),
        (("d^3/2",), "width N = d^(3/2),"),
        (("d",), "width N = d,"),
        (("N_1", "N_2"), "width N_1 = d^n_1, N_2 = d^n_2,"),
    ],
)
def test_widths_may_be_written_as_sizes(capsys, widths, title):
    code, out, _ = call(capsys, "patterns", "fcn", "--widths", *widths)
    assert code == 0
    assert title in out
