"""The command that fits laws of the schedule to training curves."""

import csv
import json
import sys
import time

import numpy as np
import pytest

from scalinglaws.cli import _curves, _waiting, run
from scalinglaws.solvers.schedules import Schedule
from scalinglaws.verify import empirical
from scalinglaws.verify.empirical.curves._read_schedule import read_schedule

STEPS, RATE = 2000, 0.1
SCHEDULES = {
    "constant": Schedule.constant(RATE, STEPS, warmup=40),
    "drop": Schedule.from_array(np.append(np.full(STEPS // 2, RATE), np.full(1000, 0.02))),
    "wsd": Schedule.wsd(rate=RATE, steps=STEPS, cooldown=0.4, warmup=40),
}


def law(schedule, at, rng=None):
    """A momentum law with noise of 0.1 %."""
    rates = schedule.values()
    momentum, annealed = 0.0, np.zeros(rates.size)
    peak = int(np.argmax(rates))
    for i in range(peak + 1, rates.size):
        momentum = 0.98 * momentum + rates[i - 1] - rates[i]
        annealed[i] = annealed[i - 1] + momentum
    losses = 2 + 1.5 * np.cumsum(rates) ** -0.4 - 0.02 * annealed
    noise = 1e-3 * rng.standard_normal(at.size) if rng is not None else 0.0
    return losses[at - 1] * np.exp(noise)


def rows_of(schedules):
    rng, at = np.random.default_rng(1), np.arange(STEPS, 0, -14)[::-1]
    for name, schedule in schedules.items():
        rates = schedule.values()
        for t, loss in zip(at.tolist(), law(schedule, at, rng).tolist(), strict=True):
            yield name, t - 1, rates[t - 1], loss


def written(path, header, rows):
    with path.open("w", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(header)
        writer.writerows(rows)
    return str(path)


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    path = tmp_path_factory.mktemp("curves") / "runs.csv"
    return written(path, ("run", "step", "lr", "loss"), rows_of(SCHEDULES))


def call(capsys, *arguments):
    code = run(["curves", *map(str, arguments)])
    told = capsys.readouterr()
    assert len(told.out.splitlines()) <= 24 or "--json" in arguments
    assert all(len(text) <= 100 for text in told.out.splitlines()) or "--json" in arguments
    return code, told.out, told.err


def test_laws_are_compared_by_curves_that_were_held_out(capsys, table):
    code, out, err = call(capsys, table)
    assert (code, err) == (0, "")
    found = empirical.compare_curves(table)
    assert found.verdict in out
    best = found.fits[found.best]
    assert f"* {found.best}" in out
    assert f"weakest {' and '.join(best.weakest)}" in out
    for name in best.names:
        assert f" {name} " in out
    assert all(row.name in out for row in best.held_out)


def test_a_schedule_is_predicted_from_a_table(capsys, table, tmp_path):
    planned = Schedule.wsd(rate=RATE, steps=3000, cooldown=0.2, warmup=40)
    kept = [0, 39, *range(40, 2400, 100), 2400, 2999]  # sparse: rates lie on lines
    plan = written(
        tmp_path / "plan.csv",
        ("step", "lr"),
        [(t, planned.values()[t]) for t in kept],
    )
    np.testing.assert_allclose(read_schedule(plan).values(), planned.values(), rtol=1e-12)
    code, out, err = call(capsys, table, "--law", "momentum", "--predict", plan)
    assert (code, err) == (0, "")
    fit = empirical.fit_curves("momentum", table)
    end = fit.predict(planned, at=3000)
    assert f"{end.loss:.4f}   {end.low:.4f}..{end.high:.4f}" in out
    assert end.low < law(planned, np.array([3000]))[0] < end.high
    assert "3000 steps, peak 0.1" in out
    assert [text.split()[0] for text in out.splitlines()[-5:]] == [
        "750", "1500", "2250", "2700", "3000",
    ]  # fmt: skip


def test_schedules_are_words_too(capsys, table):
    words = ("--predict", "wsd:0.2", "cosine,linear", "steps=4000")
    code, out, _ = call(capsys, table, "--law", "momentum,multi-power", *words)
    assert code == 0
    assert "4000 steps, peak 0.1, warm-up 40" in out  # of the curves, where nothing else is said
    assert [text.split()[0] for text in out.splitlines()[-3:]] == ["wsd:0.2", "cosine", "linear"]
    _, out, _ = call(
        capsys, table, "--law", "momentum", "--json", "--predict", "wsd:0.2", "rate=0.1",
        "steps=4000", "warmup=0",
    )  # fmt: skip
    data = json.loads(out, parse_constant=pytest.fail)
    one = data["predictions"]["wsd:0.2"]
    at = one["steps"].index(4000.0)
    end = empirical.fit_curves("momentum", table).predict(Schedule.wsd(rate=0.1, steps=4000), 4000)
    assert one["loss"][at] == pytest.approx(end.loss, rel=1e-12)
    assert one["rates"][0] == 0.1
    assert data["predicted_by"] == "momentum"


def test_json_holds_all_digits(capsys, table):
    code, out, _ = call(capsys, table, "--law", "momentum", "--json")
    data = json.loads(out, parse_constant=pytest.fail)
    fit = empirical.fit_curves("momentum", table)
    assert code == 0
    assert data["fits"]["momentum"]["parameters"] == fit.parameters
    assert data["fits"]["momentum"]["held_out"][0]["rms"] == fit.held_out[0].rms
    assert data["best"] == "momentum"


def test_files(capsys, table, tmp_path):
    for suffix in ("json", "md", "tex", "txt", "csv", "svg", "html"):
        path = tmp_path / f"curves.{suffix}"
        options = ("--law", "momentum", "--predict", "wsd:0.2", "--output", path)
        code, _, err = call(capsys, table, *options)
        assert (code, err) == (0, f"wrote {path}\n")
        text = path.read_text()
        assert text
        assert suffix != "svg" or 'id="wsd:0.2, band"' in text
    assert "http" not in text.replace("http://www.w3.org", "")
    assert text.count("<svg") == 2
    rows = list(csv.DictReader((tmp_path / "curves.csv").open()))
    assert (rows[-1]["step"], float(rows[-1]["low"]) < float(rows[-1]["loss"])) == ("1999", True)
    path = tmp_path / "held.csv"
    call(capsys, table, "--law", "momentum", "--output", path)
    assert [row["run"] for row in csv.DictReader(path.open())] == list(SCHEDULES)
    path = tmp_path / "fitted.svg"
    call(capsys, table, "--law", "momentum", "--output", path)
    assert 'id="drop, residuals"' in path.read_text()


def test_other_columns_groups_and_a_folder(capsys, table, tmp_path):
    rows = [
        (name, t, lr, loss, "a" if name == "drop" else "b")
        for name, t, lr, loss in rows_of(SCHEDULES)
    ]
    other = written(tmp_path / "other.csv", ("name", "it", "rate", "eval", "kind"), rows)
    columns = ("--run", "name", "--step", "it", "--lr", "rate", "--loss", "eval")
    _, expected, _ = call(capsys, table, "--law", "momentum")
    code, out, _ = call(capsys, other, "--law", "momentum", *columns)
    assert code == 0
    assert out.splitlines()[1:] == expected.splitlines()[1:]
    _, out, _ = call(capsys, other, "--law", "momentum", *columns, "--holdout", "kind", "--json")
    held = json.loads(out)["fits"]["momentum"]["held_out"]
    assert {row["name"]: row["group"] for row in held}["drop"] == "a"
    _, out, _ = call(capsys, other, "--law", "momentum", *columns, "--holdout", "none")
    assert "held out   " not in out
    assert "nothing says which law forecasts better" in out
    folder = tmp_path / "all"
    folder.mkdir()
    for name in SCHEDULES:
        kept = [row[1:] for row in rows_of(SCHEDULES) if row[0] == name]
        written(folder / f"{name}.csv", ("step", "lr", "loss"), kept)
    code, out, _ = call(capsys, folder, "--law", "momentum")
    assert out.splitlines()[2:4] == expected.splitlines()[2:4]


def test_a_constant_rate_alone_is_told_from_a_decay(capsys, table, tmp_path):
    rows = [row for row in rows_of(SCHEDULES) if row[0] == "constant"]
    alone = written(tmp_path / "constant.csv", ("run", "step", "lr", "loss"), rows)
    code, out, _ = call(capsys, alone)
    assert code == 0
    assert out.count("not fitted") == 2
    assert "not by multi_power, momentum: the law needs a curve whose rate falls below half" in out
    assert "run one more curve whose rate drops to a third" in " ".join(out.split())
    assert "no decay can be predicted" in out
    code, _, err = call(capsys, alone, "--predict", "wsd:0.2")
    assert code == 2
    assert "cannot predict a decay" in err
    code, out, _ = call(capsys, alone, "--law", "momentum")
    assert code == 1
    assert "no law could be fitted" in out
    code, _, err = call(capsys, alone, "--law", "momentum", "--predict", "cosine")
    assert (code, err.startswith("error: no law could be fitted: the law needs a curve")) == (
        2,
        True,
    )
    path = tmp_path / "nothing.png"
    assert call(capsys, alone, "--law", "momentum", "--output", path)[0] == 2


def test_another_peak_is_warned_of_and_other_laws_say_nothing_then(capsys, table):
    words = ("--predict", "wsd:0.2", "rate=0.3")
    code, out, _ = call(capsys, table, "--law", "momentum,multi_power", *words)
    assert code == 0
    assert out.count("warning: the schedule's peak 0.3 is not that of the fitted curves") == 1
    assert "by other laws" not in out


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("--step", "iteration"), "there are run, step, lr, loss; say --step NAME"),
        (("--lr", "rate"), "unknown column"),
        (("--holdout", "size"), "say --holdout NAME of the column"),
        (("--law", "functionl"), "did you mean 'functional'?"),
        (("--law", ","), "must be functional, multi_power, momentum or all"),
        (("--predict", "plan.csv"), "cannot read plan.csv: there is no such file"),
        (("--predict", "wsdd"), "unknown schedule 'wsdd'"),
        (("--predict", "wsd:0.2", "length=3"), "unknown number of a schedule 'length'"),
        (("--predict", "steps=3"), "needs a shape, as wsd:0.2"),
        (("--predict", "wsd,cosine,linear,constant,power:2"), "at most 4"),
        (("--warmup", "-3"), "warmup"),
        (("--output", "curves.docx"), "the suffix must be one of"),
    ],
)
def test_what_cannot_be_meant_is_refused_in_words(capsys, table, arguments, told):
    code, out, err = call(capsys, table, *arguments)
    assert (code, out) == (2, "")
    assert told in err


def test_schedules_that_cannot_be_read_are_refused(capsys, table, tmp_path):
    for rows, told in (
        ([(0, 0.1), (0, 0.1)], "row 2: step = 0 does not increase"),
        ([(0.5, 0.1)], "must be a whole number"),
        ([(0, -1), (3, 0.1)], "lr = -1 must be >= 0"),
        ([(0, 0), (3, 0)], "there is no lr above 0"),
    ):
        plan = written(tmp_path / "plan.csv", ("step", "lr"), rows)
        code, _, err = call(capsys, table, "--law", "momentum", "--predict", plan)
        assert code == 2
        assert told in err
    code, _, err = call(capsys, table, "--predict", plan, "steps=3")
    assert "is a table, which stands alone" in err


def test_the_screen_holds_the_answer_whatever_there_is_to_say(capsys, tmp_path):
    """`call` counts the lines: many curves, some that cannot be predicted, and a schedule on its way."""
    many = {
        f"wsd {part}": Schedule.wsd(rate=RATE, steps=STEPS, cooldown=part / 50)
        for part in range(1, 20)
    }
    path = written(tmp_path / "many.csv", ("run", "step", "lr", "loss"), rows_of(many))
    _, out, _ = call(capsys, path, "--law", "momentum")
    assert "more that were predicted better" in out
    two = {name: SCHEDULES[name] for name in ("constant", "wsd")}
    path = written(tmp_path / "two.csv", ("run", "step", "lr", "loss"), rows_of(two))
    _, out, _ = call(capsys, path, "--predict", "wsd:0.2")
    assert "not by" in out
    assert "2000 steps" in out


def test_a_terminal_hears_of_what_takes_long(monkeypatch):
    class Terminal:
        def __init__(self):
            self.said = []

        def isatty(self):
            return True

        def write(self, text):
            self.said.append(text)

        def flush(self):
            pass

    for seconds, told in ((0.3, True), (0.0, False)):
        terminal = Terminal()
        monkeypatch.setattr(sys, "stderr", terminal)
        monkeypatch.setattr(_waiting, "PATIENCE", 0.05)
        with _waiting.waiting("fitting momentum"):
            time.sleep(seconds)
        assert ("fitting momentum" in "".join(terminal.said)) == told
    assert _curves.waiting is _waiting.waiting
