"""Schedules on the command line: words, the table of best rates, and solvers that take a schedule."""

import csv
import json
import math

import pytest

from scalinglaws.cli import run
from scalinglaws.cli._schedule_words import FORMS, make_average, make_method, make_schedule
from scalinglaws.errors import DomainError
from scalinglaws.solvers import PowerLawSpectrum
from scalinglaws.solvers.schedules import (
    DANA,
    EMA,
    SGD,
    HeavyBall,
    Nesterov,
    Schedule,
    TailAverage,
    optimal_schedule,
    train,
    tuned_rate,
)

TASK = PowerLawSpectrum(1.5, 0.5)
GIVEN = {"batch": 8, "noise_variance": 1}
ASKED = ("schedule", "alpha=1.5", "beta=0.5", "steps=3000", "batch=8", "noise_variance=1")


def call(capsys, *arguments):
    code = run(tuple(map(str, arguments)))
    out, err = capsys.readouterr()
    return code, out, err


# -- words --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("constant", Schedule.constant(0.1, 100)),
        ("linear", Schedule.power(1, rate=0.1, steps=100)),
        ("power:2", Schedule.power(2, rate=0.1, steps=100)),
        ("cosine", Schedule.cosine(rate=0.1, steps=100)),
        ("Cosine", Schedule.cosine(rate=0.1, steps=100)),
        ("wsd", Schedule.wsd(rate=0.1, steps=100)),
        ("wsd:1/4", Schedule.wsd(rate=0.1, steps=100, cooldown=0.25)),
        ("inverse_power:0.5", Schedule.inverse_power(0.5, rate=0.1, steps=100)),
        ("inverse-power:0.5:30", Schedule.inverse_power(0.5, start=30, rate=0.1, steps=100)),
        ("exponential:0.01", Schedule.exponential(0.01, rate=0.1, steps=100)),
    ],
)
def test_a_word_is_a_schedule(word, expected):
    assert make_schedule(word, rate=0.1, steps=100) == expected


def test_every_form_has_a_word_and_every_word_a_form():
    made = {name for name, item in vars(Schedule).items() if isinstance(item, classmethod)}
    assert {*FORMS} - {"linear"} == made - {"from_function", "from_array"}


@pytest.mark.parametrize(
    ("word", "complaint"),
    [
        ("cosin", "unknown schedule 'cosin'; did you mean 'cosine'"),
        ("wsd20", "stands behind a colon: wsd:20"),
        ("wsd:0.2:3", "wsd takes cooldown, as wsd:0.2"),
        ("cosine:2", "cosine takes no number"),
        ("inverse_power", "needs its power, as inverse_power:0.5"),
        ("power:two", "is not a number"),
        ("wsd:20", "cooldown = 20"),
    ],
)
def test_words_that_are_no_schedule(word, complaint):
    with pytest.raises(DomainError, match=complaint):
        make_schedule(word, rate=0.1, steps=100)


@pytest.mark.parametrize(
    ("word", "more", "expected"),
    [
        ("sgd", {}, SGD()),
        ("sgd", {"momentum": 0.9}, HeavyBall(0.9)),
        ("momentum:0.9", {}, HeavyBall(0.9)),
        ("nesterov", {"momentum": 0.5}, Nesterov(0.5)),
        ("dana:3", {"spectrum": TASK}, DANA.decaying(1.5, strength=3)),
        ("dana_constant", {"features": 100}, DANA.constant(100)),
    ],
)
def test_a_word_is_a_method(word, more, expected):
    assert make_method(word, **more) == expected


@pytest.mark.parametrize(
    ("word", "more", "complaint"),
    [
        ("heavy_ball", {}, "needs its momentum, as heavy_ball:0.9"),
        ("nesterov:0.5", {"momentum": 0.5}, "has its own"),
        ("dana", {"momentum": 0.5}, "takes none"),
        ("dana", {}, "needs a spectrum with alpha="),
        ("dana_constant", {}, "needs features="),
        ("adam", {}, "unknown method 'adam'"),
    ],
)
def test_words_that_are_no_method(word, more, complaint):
    with pytest.raises(DomainError, match=complaint):
        make_method(word, **more)


def test_a_word_is_an_average():
    assert make_average("tail:0.25") == TailAverage(0.25)
    assert make_average("tail") == TailAverage()
    assert make_average("ema:0.01") == EMA(0.01)
    assert make_average("none") is None
    with pytest.raises(DomainError, match=r"needs its weight, as ema:0.01"):
        make_average("ema")


# -- the command --------------------------------------------------------------------------------------------------------


def test_rates_and_losses_are_the_solvers(capsys):
    code, out, err = call(capsys, *ASKED, "--compare", "constant,wsd:0.2,optimal", "--json")
    assert (code, err) == (0, "")
    found = {row["schedule"]: row for row in json.loads(out)["schedules"]}
    assert list(found) == ["constant", "wsd:0.2", "optimal"]
    for word, shape in (
        ("constant", Schedule.constant(1, 3000)),
        ("wsd:0.2", Schedule.wsd(rate=1, steps=3000)),
    ):
        wanted = tuned_rate(shape, TASK, **GIVEN)
        row = found[word]
        assert (row["rate"], row["test_loss"]) == (wanted.rate, wanted.test_loss)
        assert row["capped"] == wanted.capped
        assert row["serial_steps"] == math.ceil(shape.intrinsic_time)
    best = optimal_schedule(3000, TASK, **GIVEN)
    assert found["optimal"]["test_loss"] == best.test_loss
    least = min(row["test_loss"] for row in found.values())
    for row in found.values():
        assert row["gap"] == pytest.approx(row["test_loss"] / least - 1, abs=1e-15)


def test_all_usual_schedules_are_compared_without_being_named(capsys, tmp_path):
    path = tmp_path / "losses.png"
    code, out, err = call(capsys, *ASKED, "--output", path)
    assert (code, err) == (0, f"wrote {path}\n")
    assert path.read_bytes().startswith(b"\x89PNG")
    rows = out.splitlines()[5:10]
    assert [row.split()[0] for row in rows] == [
        "constant",
        "linear",
        "cosine",
        "wsd:0.2",
        "optimal",
    ]
    assert sum("least" in row for row in rows) == 1


def test_schedules_may_stand_among_the_arguments_and_blanks_part_them(capsys):
    one = call(capsys, *ASKED, "--compare", "linear,cosine", "--json")
    assert one[0] == 0
    assert one == call(capsys, *ASKED[:-1], "sigma2=1", "linear", "cosine", "--json")
    assert one == call(capsys, *ASKED, "--json", "--compare", "linear", "cosine")


def test_one_rate_for_all_with_an_average(capsys, tmp_path):
    path = tmp_path / "rows.csv"
    code, _, _ = call(
        capsys, *ASKED, "constant", "rate=0.2", "average=tail:0.5", "momentum=0", "--output", path
    )
    assert code == 2  # a heavy ball has no average here
    code, _, _ = call(capsys, *ASKED, "constant", "lr=0.2", "average=tail:0.5", "--output", path)
    assert code == 0
    (row,) = csv.DictReader(path.read_text(encoding="utf-8").splitlines())
    run_ = train(Schedule.constant(0.2, 3000), TASK, **GIVEN, average=TailAverage(0.5), at=3000)
    assert float(row["test_loss"]) == run_.averaged_loss
    assert float(row["rate"]) == 0.2


def test_what_is_not_said_has_its_default(capsys):
    code, out, _ = call(capsys, "schedule", "a=2", "b=1.5", "T=500", "cosine")
    assert code == 0
    assert "from a = 2, b = 1.5 (bordelon)" in out.splitlines()[0]
    assert out.splitlines()[1] == "steps = 500, batch = 1, noise_variance = 0"
    _, out, _ = call(capsys, "schedule", "a=2", "b=1.5", "T=500", "N=50")
    assert "optimal  " not in out  # which there is only with label noise


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (("alpha=1.5", "beta=0.5"), "schedule needs steps=, as steps=1e6"),
        (("steps=1e6",), "schedule needs a spectrum"),
        (("alpha=1.5", "beta=0.5", "steps=100", "cosin"), "did you mean 'cosine'?"),
        (("alpha=1.5", "beta=0.5", "steps=100", "stepz=3"), "unknown argument of schedule 'stepz'"),
        (("alpha=1.5", "beta=0.5", "steps=100.5", "cosine"), "must be a whole number"),
        (("alpha=1.5", "beta=0.5", "steps=100", "optimal"), "needs label noise"),
        (("alpha=1.5", "beta=0.5", "steps=100", "batch=1,2"), "batch = '1,2' must be one number"),
        (
            ("alpha=1.5", "beta=0.5", "steps=100", "noise_variance=1", "momentum=0.9", "optimal"),
            "is for SGD",
        ),
        (("alpha=1.5", "beta=0.5", "steps=3000", "cosine", "rate=3"), "is unstable"),
        (("alpha=1.5", "beta=0.5", "steps=100", "method=dana"), "max_rate"),
        (("alpha=1.5", "beta=0.5", "steps=100", "--output", "x.doc"), "the suffix must be one of"),
    ],
)
def test_requests_that_cannot_be_carried_out(capsys, arguments, complaint):
    code, out, err = call(capsys, "schedule", *arguments)
    assert (code, out) == (2, "")
    assert complaint in err


def test_alone_it_says_how_it_is_used(capsys):
    code, out, _ = call(capsys, "schedule")
    assert code == 2
    assert "--compare" in out


# -- solvers ------------------------------------------------------------------------------------------------------------


def test_a_solver_takes_words(capsys):
    code, out, _ = call(
        capsys,
        *("solve", "schedules.train", "alpha=1.5", "beta=0.5", "schedule=wsd:0.3", "rate=0.1"),
        *("steps=1000", "warmup=10", "batch=4", "method=heavy_ball:0.5", "at=1000", "--json"),
    )
    assert code == 0
    shape = Schedule.wsd(rate=0.1, steps=1000, cooldown=0.3, warmup=10)
    wanted = train(shape, TASK, batch=4, method=HeavyBall(0.5), at=1000)
    assert json.loads(out)["columns"]["test_loss"] == [wanted.test_loss]


def test_the_rate_that_is_looked_for_is_no_argument(capsys):
    _, out, _ = call(capsys, "solve", "schedules.tuned_rate", "--help", "--json")
    names = [row["name"] for row in json.loads(out)["arguments"]]
    assert "rate" not in names
    assert {"schedule", "steps", "max_rate", "method", "average"} <= set(names)
