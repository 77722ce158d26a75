"""What holds for panels whatever they show."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scalinglaws.explore.panels import TITLES, panel


@pytest.mark.parametrize("name", TITLES)
def test_the_first_state_has_an_address(ask, name):
    ask.same_after_address(panel(name), panel(name).start())


@pytest.mark.parametrize("name", TITLES)
def test_a_snapshot_is_small_and_of_values_that_are_set(name):
    found = panel(name)
    # the plane of phases has few curves, all of them shared
    assert found.states <= (1200 if name == "phases" else 150)
    for control in found.controls:
        for value in found.snapshot.get(control.name, ()):
            assert control.read(control.write(value)) == value


@pytest.mark.parametrize("name", ["patterns", "perceptron", "percolation", "phases"])
@given(data=st.data())
@settings(max_examples=15)
def test_between_corners(ask, name, data):
    values = data.draw(ask.states(panel(name)))
    assert ask.judged(panel(name), values) is not None
    ask.same_after_address(panel(name), values)
