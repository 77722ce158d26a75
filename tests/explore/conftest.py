"""What every panel of the explorer is asked: all corners of its controls, states between, and addresses."""

import itertools
import math
import warnings
from types import SimpleNamespace
from urllib.parse import parse_qsl

import numpy as np
import pytest
from hypothesis import strategies as st

from scalinglaws.errors import ScalingLawsError
from scalinglaws.explore.answers import Line, Marks, Regions, Words
from scalinglaws.explore.controls import Choice, File, Points, Slider, Typed


def ends(control):
    """Return the extreme values of a control."""
    if isinstance(control, Choice):
        return list(control.options)
    if isinstance(control, Slider):
        return [control.low, control.high] + [math.inf] * control.unlimited
    if isinstance(control, Points):
        left, right, bottom, top = control.box
        return [((x, y),) for x in (left, right) for y in (bottom, top)] + [control.start]
    return [control.start]


def corners(panel):
    """Yield all states with every control at an extreme."""
    names = [control.name for control in panel.controls]
    for state in itertools.product(*map(ends, panel.controls)):
        yield dict(zip(names, state, strict=True))


def numbers_of(control):
    """Return values between the ends of a control."""
    if isinstance(control, Slider):
        low, high = control.ends
        return st.one_of(
            st.floats(low, high).map(control.value),
            st.sampled_from(ends(control)),
        )
    if isinstance(control, Points):
        left, right, bottom, top = control.box
        point = st.tuples(st.floats(left, right), st.floats(bottom, top))
        return st.lists(point, min_size=1, max_size=control.most).map(control.dragged)
    if isinstance(control, Choice):
        return st.sampled_from(list(control.options))
    return st.just(control.start)


def states(panel):
    """Return states of a panel, for hypothesis."""
    return st.fixed_dictionaries({control.name: numbers_of(control) for control in panel.controls})


def judged(panel, values):
    """Ask a panel; what it answers can be drawn, what it refuses is refused in words, and nothing is printed."""
    before = repr(values)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            answer = panel.answer(values)
        except ScalingLawsError:
            return None
    assert repr(values) == before
    assert set(answer.drawn) <= {frame.name for frame in panel.frames}
    for drawn in itertools.chain(*answer.drawn.values()):
        if isinstance(drawn, (Line, Marks)):
            x, y = np.asarray(drawn.x, float), np.asarray(drawn.y, float)
            assert x.shape == y.shape
            assert x.ndim == 1
            assert np.all(np.isfinite(x))
            assert not np.any(np.isinf(y))
        elif isinstance(drawn, Words):
            assert math.isfinite(drawn.x)
            assert math.isfinite(drawn.y)
        else:
            assert isinstance(drawn, Regions)
            assert drawn.which.max() < len(drawn.colors)
    for entry in answer.numbers:
        assert isinstance(entry.value, str) or math.isfinite(entry.value), entry
    assert answer.page()
    return answer


def same_after_address(panel, values):
    """Write values into an address and read them again."""
    query = dict(parse_qsl(panel.query(values), keep_blank_values=True))
    kept = {name: value for name, value in panel.start().items() if name not in query}
    found, complaints = panel.read(query)
    assert complaints == []
    assert found == values | kept
    assert not any(isinstance(control, (File, Typed)) for control in panel.controls) or query


@pytest.fixture(scope="session")
def ask():
    """Return the questions that every panel is asked."""
    return SimpleNamespace(
        corners=corners,
        states=states,
        judged=judged,
        same_after_address=same_after_address,
        number=lambda answer, name: next(
            entry.value for entry in answer.numbers if entry.name == name
        ),
        line=lambda answer, frame, label: next(
            drawn for drawn in answer.drawn[frame] if getattr(drawn, "label", None) == label
        ),
    )
