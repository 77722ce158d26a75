"""Decay, heat and the closure, asked for on the command line."""

import json

from scalinglaws.cli import run
from scalinglaws.solvers import PowerLawSpectrum, feature_learning, linear, schedules


def call(capsys, *arguments):
    code = run(arguments)
    captured = capsys.readouterr()
    return code, captured.out, captured.err


DECAYED = ["features=60", "samples=150", "noise_variance=0.09", "weight_decay=0.01"]


def test_heat_has_columns_where_there_is_heat(capsys, tmp_path):
    task, given = ["alpha=1.5", "beta=0.5"], {"features": 60, "samples": 150}
    flow = ["solve", "linear.gradient_flow", *task, *DECAYED]
    cold = call(capsys, *flow, "t=10,300")[1]
    assert "langevin" not in cold
    out = call(capsys, *flow, "t=10,300", "temperature=0,0.01", "--json")[1]
    columns = json.loads(out)["columns"]
    found = linear.gradient_flow(
        [10.0, 300.0],
        PowerLawSpectrum(1.5, 0.5),
        weight_decay=0.01,
        temperature=0.01,
        noise_variance=0.09,
        **given,
    )
    assert columns["langevin_test"] == [0, 0, *found.langevin_test]
    assert columns["langevin_train"] == [0, 0, *found.langevin_train]
    shown = call(capsys, *flow, "t=10,300", "temperature=0.01")[1]
    header = next(line for line in shown.splitlines() if line.startswith("t "))
    assert header.split() == ["t", "test_loss", "train_loss", "langevin_test", "langevin_train"]
    size = {}
    for heat in ("0", "0.01"):  # panels of their own
        picture = tmp_path / f"{heat}.svg"
        assert (
            call(capsys, *flow, "t=1:1000", f"temperature={heat}", "--output", str(picture))[0] == 0
        )
        size[heat] = picture.read_text(encoding="utf-8").count('id="axes_')
    assert size["0.01"] == size["0"] + 2
    explained = call(capsys, "solve", "linear.gradient_flow", "--help")[1]
    assert "langevin_test" in explained


def test_decay_is_solved_for(capsys):
    task = PowerLawSpectrum(1.5, 0.5)

    def losses(*arguments):
        code, out, err = call(
            capsys, "solve", *arguments, "alpha=1.5", "beta=0.5", "weight_decay=0.01", "--json"
        )
        assert (code, err) == (0, "")
        return json.loads(out)["columns"]["test_loss"]

    descent = ["linear.gradient_descent", "steps=300", "learning_rate=0.1", "momentum=0.5"]
    given = {"learning_rate": 0.1, "momentum": 0.5, "weight_decay": 0.01}
    for word, decoupled in (("true", True), ("no", False)):
        found = linear.gradient_descent(300, task, decoupled=decoupled, **given).test_loss
        assert losses(*descent, f"decoupled={word}") == [found]
    assert losses(*descent) == [found]
    sgd = {"learning_rate": 0.1, "batch": 4, "weight_decay": 0.01}
    found = linear.online_sgd(300, task, **sgd).test_loss
    assert losses("linear.online_sgd", "steps=300", "learning_rate=0.1", "batch=4") == [found]
    schedule = schedules.Schedule.wsd(rate=0.1, steps=300, cooldown=0.2)
    found = schedules.train(schedule, task, batch=4, weight_decay=0.01).test_loss
    trained = ["schedules.train", "schedule=wsd:0.2", "rate=0.1", "steps=300", "batch=4"]
    assert losses(*trained) == found.tolist()
    complaint = call(capsys, "solve", *descent, "alpha=1.5", "beta=0.5", "decoupled=maybe")[2]
    assert "decoupled = 'maybe' must be true or false" in complaint


def test_the_closure_is_a_word_too(capsys):
    given = ["alpha=1.5", "beta=0.5", "batch=10", "learning_rate=0.1", "richness=1", "steps=20"]
    out = call(capsys, "solve", "feature_learning.online_dmft", *given, "closure=yes", "--json")[1]
    found = feature_learning.online_dmft(
        20, PowerLawSpectrum(1.5, 0.5), batch=10, learning_rate=0.1, richness=1, closure=True
    )
    assert json.loads(out)["columns"]["test_loss"] == found.test_loss.tolist()
