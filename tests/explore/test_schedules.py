"""The panel of schedules says what the solver of schedules says, for what was drawn too."""

import random
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scalinglaws import theory
from scalinglaws.explore.panels import panel, schedules
from scalinglaws.solvers import PowerLawSpectrum
from scalinglaws.solvers.schedules import Schedule, optimal_schedule, stability, train

PANEL = panel("schedules")
STATE = {
    "drawn": ((0.0, 1.0), (0.5, 1.0), (1.0, 0.0)),
    "alpha": 1.5,
    "beta": 0.5,
    "steps": 1e7,
    "batch": 8.0,
    "noise": 1.0,
    "peak": 0.2,
}
TASK = PowerLawSpectrum(1.5, 0.5)
STEPS = 10**7
GIVEN = {"batch": 8.0, "noise_variance": 1.0}


def peak():
    return 0.2 * stability(Schedule.constant(1.0, STEPS), TASK, batch=8.0).max_rate


def test_final_losses_are_those_of_the_library(ask):
    answer = ask.judged(PANEL, STATE)
    rate = peak()
    assert ask.number(answer, "rate") == rate
    shapes = {
        "constant": Schedule.constant(rate, STEPS),
        "linear": Schedule.power(1, rate=rate, steps=STEPS),
        "cosine": Schedule.cosine(rate=rate, steps=STEPS),
        "wsd": Schedule.wsd(rate=rate, steps=STEPS, cooldown=0.2),
    }
    for name, schedule in shapes.items():
        loss = train(schedule, TASK, **GIVEN, at=STEPS).test_loss
        assert ask.number(answer, name) == pytest.approx(loss, rel=1e-13), name
    best = optimal_schedule(STEPS, TASK, **GIVEN, max_rate=rate)
    assert ask.number(answer, "optimal") == pytest.approx(best.test_loss, rel=1e-9)
    least = [entry.name for entry in answer.numbers if entry.note == "least"]
    assert least == ["optimal"]


@pytest.mark.parametrize(
    ("knots", "shape"),
    [
        (((0.0, 1.0), (0.5, 1.0), (1.0, 0.0)), Schedule.wsd(rate=1, steps=STEPS, cooldown=0.5)),
        (((0.0, 1.0), (1.0, 0.0)), Schedule.power(1, rate=1, steps=STEPS)),
        (((0.3, 1.0),), Schedule.constant(1, STEPS)),
    ],
    ids=["wsd", "linear", "constant"],
)
def test_a_drawing_of_a_known_shape_is_that_shape(ask, knots, shape):
    answer = ask.judged(PANEL, {**STATE, "drawn": knots})
    loss = train(shape.with_rate(peak()), TASK, **GIVEN, at=STEPS).test_loss
    assert ask.number(answer, "drawn") == pytest.approx(loss, rel=1e-9)


def test_a_drawing_is_followed_as_steps_are(ask):
    """Every step alone, from a list, ends at the same loss."""
    knots = ((0.0, 0.1), (0.13, 1.0), (0.131, 0.4), (0.6, 0.9), (0.9, 0.05), (1.0, 0.3))
    answer = ask.judged(PANEL, {**STATE, "steps": 20000.0, "drawn": knots})
    rate, t = ask.number(answer, "rate"), np.arange(20000)
    listed = Schedule.from_array(rate * np.interp(t / 20000, *np.array(knots).T))
    loss = train(listed, TASK, **GIVEN, at=20000).test_loss
    assert ask.number(answer, "drawn") == pytest.approx(loss, rel=1e-8)
    line = ask.line(answer, "schedule", "drawn")
    assert line.y == pytest.approx(np.interp(line.x, *np.array(knots).T), abs=1e-12)


def test_many_knots_are_thinned_to_those_that_matter(ask):
    x = np.round(np.linspace(0, 1, 64), 3)
    straight = tuple(
        zip(x.tolist(), np.interp(x, [0, 0.508, 1], [0.2, 1, 0]).tolist(), strict=True)
    )
    made, kept = schedules.drawn_schedule(straight, 1.0, STEPS)
    assert len(kept) == schedules.PIECES + 1
    t = np.linspace(0, STEPS - 1, 1000)
    assert made(t) == pytest.approx(np.interp(t / STEPS, [0, 0.508, 1], [0.2, 1, 0]), abs=1e-9)
    answer = ask.judged(PANEL, {**STATE, "drawn": straight})
    assert "of its 64 knots the 17" in answer.html


def test_laws_are_exact_and_met(ask):
    answer = ask.judged(PANEL, {**STATE, "noise": 0.0, "batch": 1e6, "steps": 1e8})
    exact = {"alpha": Fraction(3, 2), "beta": Fraction(1, 2)}
    for name in ("linear.time", "schedules.optimal"):
        assert ask.number(answer, name) == str(theory.law(name)(**exact))
    (law,) = (line for line in answer.drawn["losses"] if line.label.startswith("law"))
    curve = ask.line(answer, "losses", "constant")
    assert curve.y[-1] == pytest.approx(law.y[-1], rel=0.01)
    assert "noise_variance" in answer.html  # why there is no best schedule


def test_corners_without_drawings(ask):
    chosen = [values for values in ask.corners(PANEL) if len(values["drawn"]) > 1]
    for values in random.Random(2).sample(chosen, 16):
        assert ask.judged(PANEL, values) is not None, values


@pytest.mark.slow
def test_all_corners(ask):
    for values in ask.corners(PANEL):
        assert ask.judged(PANEL, values) is not None, values


@given(st.data())
@settings(max_examples=10, deadline=None)
def test_between_corners(ask, data):
    values = data.draw(ask.states(PANEL))
    answer = ask.judged(PANEL, values)
    assert answer is not None
    assert "drawn" in {entry.name for entry in answer.numbers}


@given(st.data())
@settings(max_examples=60)
def test_addresses(ask, data):
    ask.same_after_address(PANEL, data.draw(ask.states(PANEL)))


def test_start_and_snapshot(ask):
    ask.same_after_address(PANEL, PANEL.start())
    assert np.prod([len(values) for values in PANEL.snapshot.values()]) <= 150
