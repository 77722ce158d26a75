"""What people type that is nearly right: it is understood, or the message says what to type instead."""

import json

import pytest
from cyclopts import Token

from scalinglaws import theory
from scalinglaws.cli import run
from scalinglaws.cli._app import whole
from scalinglaws.cli._grammar import floats, fraction, pairs, to_float
from scalinglaws.errors import DomainError, unknown_name
from scalinglaws.notation import convention
from scalinglaws.parsing import parse_expression, spelled_out
from scalinglaws.theory import rendering


@pytest.mark.parametrize(
    ("typed", "name"),
    [
        ("α", "alpha"),
        ("β_p", "beta_p"),
        ("λ", "lambda"),
        ("ς", "sigma"),
        ("Σ", "Sigma"),
        ("ϵ", "epsilon"),
        ("N", "N"),
        ("é", "é"),
    ],
)
def test_greek_letters_are_their_names(typed, name):
    assert spelled_out(typed) == name
    assert pairs([f"{typed}=1"]) == {name: "1"}


def test_a_greek_letter_and_its_name_are_one_symbol():
    assert parse_expression("A/N**α") == parse_expression("A/N**alpha")
    with pytest.raises(DomainError, match="alpha is given twice"):
        pairs(["α=1", "alpha=2"])


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("70B", "70e9"),
        ("1.4T", "1.4e12"),
        ("1k", "1e3"),
        ("10^21", "1e21"),
        ("10**21", "1e21"),
        ("5.76*10**23", "5.76e23"),
        ("5.76x10^23", "5.76e23"),
    ],
)
@pytest.mark.parametrize("read", [fraction, to_float])
def test_numbers_with_a_size_or_a_power_of_ten_are_read(read, typed, meant):
    assert read("N", typed) == read("N", meant) > 0


def test_lists_and_ranges_of_numbers_with_a_size():
    assert floats("N", "350M,7B") == [3.5e8, 7e9]
    assert floats("N", "1M:1B:4") == [1e6, 1e7, 1e8, 1e9]


@pytest.mark.parametrize(
    "typed", ["1e400B", "10^400", "10^-400", "1e300T", "10^99999999", "1e99999B"]
)
def test_sizes_beyond_all_floats_are_refused(typed):
    with pytest.raises(DomainError, match="of ordinary size"):
        fraction("N", typed)


@pytest.mark.parametrize(
    ("typed", "value"),
    [
        ("1M", 10**6),
        ("2.5K", 2500),
        ("1e6", 10**6),
        ("10^3", 1000),
        ("-3", -3),
        ("9" * 15, int("9" * 15)),
    ],
)
def test_options_that_are_whole_numbers_are_read_alike(typed, value):
    assert whole(int, [Token(value=typed)]) == value


def test_whole_numbers_end_where_floats_lose_count():
    with pytest.raises(ValueError, match="is beyond 2\\^53"):
        whole(int, [Token(value="9" * 30)])


@pytest.mark.parametrize("typed", ["1.5", "many", "0.5K1", "inf", "nan", "2.5001K"])
def test_options_that_are_no_whole_numbers(typed):
    with pytest.raises(ValueError, match="is not a whole number: write 100, 1e6 or 1M"):
        whole(int, [Token(value=typed)])


@pytest.mark.parametrize(
    ("command", "sizes"),
    [
        ("plan besiroglu --compute 1e22 --max-params {}", {"7B": "7e9"}),
        (
            "plan besiroglu --compute {} --unique-tokens {} --max-tokens {}",
            {"10^22": "1e22", "10B": "1e10", "1.4T": "1.4e12"},
        ),
        (
            "plan besiroglu --params {} --inference-tokens {}",
            {"7B,70B": "7e9,7e10", "300B": "3e11"},
        ),
        ("plan besiroglu --tokens {}", {"1.4t": "1.4e12"}),
        (
            "design besiroglu --budget {} --max-runs 8 --noise 0.01 --target N={},D={}",
            {"10^19": "1e19", "7B": "7e9", "1.4T": "1.4e12"},
        ),
        (
            "design besiroglu --budget 1e19 --max-runs 8 --noise 0.01 --target {}",
            {"params=7B,tokens=1.4T": "N=7e9,D=1.4e12"},
        ),
        ("count --layers 12 --width 768 --vocab {}", {"50K": "50000"}),
        ("solve linear.ridge alpha=1.5 beta=0.5 samples={}", {"1K,1M": "1e3,1e6"}),
        (
            "allocate A/N**a+B/D**b --budget N*D=C a=1/3 b=1/3 A=1 B=1 C={}",
            {"10B": "10000000000"},
        ),
        ("allocate 1/N**(1/3)+1/D**(1/3) --budget 6*N*D={}", {"10B": "1e10"}),
        ("allocate 1/N+2/D --budget {}=6*N*D --cap N<={}", {"10^9": "1e9", "7K": "7000"}),
    ],
)
def test_commands_take_counts_as_people_write_them(capsys, command, sizes):
    assert run([*command.format(*sizes).split(), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert run([*command.format(*sizes.values()).split(), "--json"]) == 0
    assert found == json.loads(capsys.readouterr().out)


@pytest.mark.parametrize("read", [fraction, to_float])
@pytest.mark.parametrize("typed", ["B", "7b7", "70 B", "1,2", "abc"])
def test_other_texts_are_guessed_at_by_nobody(read, typed):
    with pytest.raises(DomainError, match=r"write (3/2|0\.5)"):
        read("N", typed)


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("6 N D", r"write 6\*N\*D for"),
        ("6ND", r"write 6\*N\*D \(or 6\*ND\)"),
        ("2x", r"2\*x for"),
        ("10B", r"write 10\*B for"),
        ("1.5e3x", r"1\.5e3\*x for"),
    ],
)
def test_products_need_their_sign(typed, meant):
    with pytest.raises(DomainError, match=meant):
        parse_expression(typed)


def test_a_name_of_no_law_that_laws_mention():
    with pytest.raises(DomainError, match=r"it is mentioned by linear\.model$"):
        theory.law("Maloney")
    with pytest.raises(DomainError, match=r"\d+ laws mention it: scalinglaws laws 'kernel ridge'$"):
        theory.law("kernel ridge")
    with pytest.raises(DomainError, match=r"did you mean '[^;]*\? \d+ laws mention it"):
        theory.law("linear")


def test_an_author_is_no_slip_for_another():
    with pytest.raises(DomainError) as caught:
        convention("kaplan")
    assert "did you mean" not in str(caught.value)
    with pytest.raises(DomainError, match="did you mean 'bordelon'"):
        convention("bordellon")
    assert "'b'; known" in str(unknown_name("name", "b", ["bc"], likeness=0.9))


def test_what_does_not_belong_to_a_notation_is_said(capsys):
    code = run(
        ["solve", "linear.ridge", "alpha=1", "beta=1.5", "samples=9", "--notation", "maloney"]
    )
    assert code == 2
    assert "beta= is not of the notation 'bahri', which takes alpha_k=\n" in capsys.readouterr().err


def test_a_file_given_first_is_the_spectrum(tmp_path, capsys):
    path = tmp_path / "eigenvalues.csv"
    path.write_text("eigenvalue,signal\n1,1\n0.5,0.3\n0.25,0.1\n", encoding="utf-8")
    assert run(["solve", "linear.ridge", str(path), "P=2", "--json"]) == 0
    first = capsys.readouterr().out
    assert run(["solve", "linear.ridge", f"spectrum={path}", "P=2", "--json"]) == 0
    assert capsys.readouterr().out == first


@pytest.mark.parametrize(
    ("notation", "label", "letter"),
    [
        ("paquette", "alpha_p, alpha_P", "alpha_p, α_P"),
        ("bahri", "alpha_k, alpha_K", "alpha_k, α_K"),
        ("kernel", "student_smoothness, theta_S", "student_smoothness, θ_S"),
        ("kernel", "dimension, d", "dimension, d"),
        ("caponnetto", "capacity, alpha", "capacity, α"),
    ],
)
def test_parameters_are_named_as_given_and_as_printed(notation, label, letter):
    blocks = theory.law("linear.data").in_notation(notation).blocks()
    for text, shown in (
        (rendering.text(blocks), label),
        (rendering.terminal(blocks, 100), letter),
    ):
        assert [line for line in text.split("\n") if line.startswith(f"  {shown}  ")]


def test_a_file_that_is_missing_is_named_once(capsys):
    assert run(["report", "missing.json"]) == 2
    assert capsys.readouterr().err == "error: cannot read missing.json: No such file or directory\n"


def test_what_more_of_a_budget_changes_is_what_was_minimized(capsys):
    assert run(["allocate", "1/N + 1/D", "--budget", "N*D=100"]) == 0
    assert "1 % more of N*D: it falls by 0.5 %" in capsys.readouterr().out
    assert run(["allocate", "2 + 1/N + 1/D", "--budget", "N*D=100"]) == 0
    assert "1 % more of N*D: the excess falls by 0.5 %" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ("samples=-1 ridge=0.1", "error: samples = -1.0 must be >= 1 "),
        ("samples=3,5 ridge=0.1,-2", "error: ridge = -2.0 must be >= 0 "),
        ("samples=3,-5,7 ridge=0.1:10:3", "error: samples = -5.0 must be >= 1 "),
    ],
)
def test_numbers_of_a_grid_are_refused_without_its_indices(capsys, given, told):
    assert run(["solve", "linear.ridge", "alpha=1.5", "beta=0.5", *given.split()]) == 2
    assert capsys.readouterr().err.startswith(told)
