"""Elements, ticks and axes of the pictures."""

import math

import numpy as np
import pytest

from scalinglaws.svg import (
    Axis,
    coordinate,
    element,
    linear_ticks,
    log_ticks,
    number_svg,
    padded,
)


def test_numbers_and_elements():
    assert number_svg(-2.5e-7) == '−2.5·10<tspan dy="-.42em" class="power">−7</tspan>'
    assert number_svg(1e-3, as_power=True) == '10<tspan dy="-.42em" class="power">−3</tspan>'
    assert coordinate(-0.001) == "0"
    assert element("a", title='<&"') == '<a title="&lt;&amp;&quot;"/>'


@pytest.mark.parametrize(
    ("low", "high"),
    [(0.9, 1.1), (80, 240), (1e-30, 1e30), (0.5, 60), (3, 3.0001), (7e-9, 8e-9), (1, 10)],
)
def test_ticks_are_few_round_and_inside(low, high):
    major, minor, powers = log_ticks(low, high)
    assert 2 <= len(major) <= 8
    assert set(major).isdisjoint(minor)
    assert all(low * (1 - 1e-8) <= tick <= high * (1 + 1e-8) for tick in major + minor)
    assert not powers or all(
        math.log10(tick) == pytest.approx(round(math.log10(tick))) for tick in major
    )
    for axis in (Axis(low, high, 0, 1, log=True), Axis(low, high, 0, 1)):
        labels = [label for _, label in axis.ticks()[0]]
        assert len(labels) == len(set(labels))
    ticks = linear_ticks(low, high)
    assert 3 <= len(ticks) <= 8
    assert all(low - 1e-9 * high <= tick <= high * (1 + 1e-9) for tick in ticks)
    assert np.diff(ticks) == pytest.approx([ticks[1] - ticks[0]] * (len(ticks) - 1), rel=1e-3)


def test_axes():
    axis = Axis(1, 1000, 300, 0, log=True)
    assert axis(10) == pytest.approx(200)
    assert axis(0) == axis(-1) == 3300  # below everything, and finite
    assert Axis(0, 1, 0, 100)(math.inf) == 1000
    assert padded([2.0], 0.1, log=False) == pytest.approx((1.6, 2.4))
    low, high = padded([2.0], 0.1, log=True)
    assert low < 2 < high
    assert padded([0.0], 0.1, log=False) == (-1.0, 1.0)
