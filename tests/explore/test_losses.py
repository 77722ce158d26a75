"""The panel of loss curves says what laws and solvers say."""

import itertools
import math
import random
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scalinglaws import theory
from scalinglaws.errors import ScalingLawsError
from scalinglaws.explore.panels import losses, panel
from scalinglaws.solvers import PowerLawSpectrum, feature_learning, linear

PANEL = panel("losses")
POINT = {
    "axis": "t",
    "alpha": 1.5,
    "beta": 0.5,
    "t": 1e4,
    "N": 1000.0,
    "P": 3000.0,
    "batch": 32.0,
    "rate": 0.3,
    "noise": 0.25,
    "richness": 2.0,
}
TASK = PowerLawSpectrum(1.5, 0.5)
SIZES = {"features": 1000.0, "samples": 3000.0}


@pytest.fixture(scope="module")
def along(ask):
    """Answers along each axis."""
    return {axis: ask.judged(PANEL, {**POINT, "axis": axis}) for axis in losses.AXES}


def test_numbers_are_those_of_the_library(ask, along):
    stable = linear.sgd_stability(TASK, features=1000.0, batch=32.0, learning_rate=1.0)
    rate = 0.3 * stable.max_learning_rate
    expected = {
        "flow": linear.gradient_flow(1e4, TASK, **SIZES, noise_variance=0.25).test_loss,
        "rich": feature_learning.gradient_flow(1e4, TASK, **SIZES, richness=2.0).test_loss,
        "end": linear.gradient_flow(math.inf, TASK, **SIZES, noise_variance=0.25).test_loss,
        "once": linear.online_sgd(
            1e4 / rate,
            TASK,
            features=1000.0,
            batch=32.0,
            learning_rate=rate,
            noise_variance=0.25,
        ).test_loss,
        "learning_rate": rate,
        "samples_used": 32.0 * 1e4 / rate,
    }
    for answer in along.values():
        for name, value in expected.items():
            assert ask.number(answer, name) == value, name


@pytest.mark.parametrize(
    ("axis", "name"), [("t", "time"), ("N", "model"), ("P", "data")], ids=lambda value: value
)
def test_exponents_are_exact(ask, along, axis, name):
    for room in ("linear", "feature_learning"):
        law = theory.law(f"{room}.{name}")
        expected = str(law(alpha=Fraction(3, 2), beta=Fraction(1, 2)))
        assert ask.number(along[axis], law.name) == expected


def test_curves_are_those_of_the_solvers(ask, along):
    noise = {"noise_variance": 0.25}
    curve = ask.line(along["t"], "curves", "lazy, gradient flow")
    assert np.array_equal(curve.y, linear.gradient_flow(curve.x, TASK, **SIZES, **noise).test_loss)
    curve = ask.line(along["t"], "curves", "rich, gradient flow without label noise")
    rich = feature_learning.gradient_flow(curve.x, TASK, **SIZES, richness=2.0)
    assert np.array_equal(curve.y, rich.test_loss)
    curve = ask.line(along["N"], "curves", "lazy, one-pass SGD")
    for n, loss in zip(curve.x[::8], curve.y[::8], strict=True):
        stable = linear.sgd_stability(TASK, features=n, batch=32.0, learning_rate=1.0)
        rate = 0.3 * stable.max_learning_rate
        alone = linear.online_sgd(
            1e4 / rate, TASK, features=n, batch=32.0, learning_rate=rate, **noise
        )
        assert loss == pytest.approx(alone.test_loss, rel=1e-12)
    curve = ask.line(along["P"], "curves", "lazy, one-pass SGD")
    rate = ask.number(along["P"], "learning_rate")
    once = linear.online_sgd(
        curve.x / 32, TASK, features=1000.0, batch=32.0, learning_rate=rate, **noise
    )
    assert np.array_equal(curve.y, once.test_loss)


@pytest.mark.parametrize("axis", losses.AXES)
def test_laws_are_what_curves_tend_to(ask, axis):
    """Where nothing else is short, the curve meets the dashed line."""
    free = {**POINT, "N": math.inf, "P": math.inf, "t": 1e8, "noise": 0.0, "axis": axis}
    answer = ask.judged(PANEL, free)
    which = "lazy" if axis == "t" else "lazy and rich"
    (law,) = (line for line in answer.drawn["curves"] if line.label.startswith(f"law, {which},"))
    curve = ask.line(
        answer, "curves", f"lazy, {'gradient flow' if axis == 't' else 'trained to the end'}"
    )
    at = -9 if axis == "t" else -1
    assert curve.y[at] == pytest.approx(law.y[at], rel=0.02)


def test_the_point_is_on_its_curves(ask, along):
    for axis, answer in along.items():
        for mark in answer.drawn["curves"]:
            if mark.label != "here" or mark.color == losses.CURVES["rich"][1]:
                continue
            (line,) = (
                entry
                for entry in answer.drawn["curves"]
                if entry.label == next(c[0] for c in losses.CURVES.values() if c[1] == mark.color)
            )
            place = np.interp(np.log(mark.x[0]), np.log(line.x), np.log(line.y))
            assert place == pytest.approx(np.log(mark.y[0]), abs=0.1), (axis, line.label)


def test_what_is_infinite_is_said(ask):
    answer = ask.judged(PANEL, {**POINT, "P": 1000.0, "batch": math.inf, "axis": "P"})
    assert ask.number(answer, "end") == "unlimited"
    assert ask.number(answer, "samples_used") == "unlimited"
    assert math.isfinite(ask.number(answer, "flow"))


def test_some_corners(ask):
    for values in random.Random(1).sample(list(ask.corners(PANEL)), 5):
        assert ask.judged(PANEL, values) is not None, values


def ends(*names):
    """Return all corners of some controls."""
    found = {control.name: control for control in PANEL.controls}
    return itertools.product(
        *(
            [found[name].low, found[name].high] + [math.inf] * found[name].unlimited
            for name in names
        )
    )


def test_laws_at_all_corners():
    for axis, (alpha, beta, richness) in itertools.product(
        losses.AXES, ends("alpha", "beta", "richness")
    ):
        lines, numbers, _ = losses._laws(axis, alpha, beta, richness)
        assert lines
        assert len(numbers) == 2


@pytest.mark.slow
@pytest.mark.parametrize("name", losses.CURVES)
def test_curves_at_all_corners(name):
    """Each depends on some of the controls only: with those, the panel has no other corners."""
    needs = losses.CURVES[name][2]
    for axis in ("", *losses.AXES):
        for corner in ends("alpha", "beta", "t", "N", "P", *needs):
            if name == "once" and (
                math.isfinite(corner[4]) or (axis == "P" and math.isinf(corner[5]))
            ):
                continue  # of P it does not depend, and no samples are counted without a batch
            try:
                _, found, _ = losses._losses(name, axis, *corner)
            except ScalingLawsError:
                continue
            assert not np.any(np.asarray(found) < 0), corner
            assert np.any(np.isfinite(found)) or name == "end", corner


@given(st.data())
@settings(max_examples=6, deadline=None)
def test_between_corners(ask, data):
    values = data.draw(ask.states(PANEL))
    assert ask.judged(PANEL, values) is not None
    ask.same_after_address(PANEL, values)


@given(st.data())
@settings(max_examples=60)
def test_addresses(ask, data):
    ask.same_after_address(PANEL, data.draw(ask.states(PANEL)))


def test_start_and_snapshot(ask):
    ask.same_after_address(PANEL, PANEL.start())
    assert np.prod([len(values) for values in PANEL.snapshot.values()]) <= 150
