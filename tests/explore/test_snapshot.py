"""What a snapshot keeps: each curve once, nothing for what has no place on an axis, and empty frames said to be empty."""

import json
import math

import numpy as np
import pytest

pytest.importorskip("bokeh")

from scalinglaws.explore.answers import Line, Marks
from scalinglaws.explore.panel import Frame
from scalinglaws.explore.snapshot import Fragments
from scalinglaws.explore.view import columns, key, nothing

FRAME = Frame("curves", "t", "loss", x_log=True, y_log=True)


def test_marks_without_a_place_are_left_out():
    marks = columns([Marks("rich", [1.0, 2.0, -3.0, 4.0], [0.5, math.nan, 1.0, 0.25])], FRAME)
    assert marks["marks"]["x"] == [1.0, 4.0]
    assert marks["marks"]["y"] == [0.5, 0.25]
    assert marks["marks"]["label"] == ["rich", "rich"]


def test_curves_that_states_share_are_kept_once():
    x = np.geomspace(1, 100, 5)
    kept = Fragments()
    for rate in (1.0, 2.0):
        drawn = [
            Line("law", x, 1 / x, dash="dashed"),
            Line("run", x, np.where(x > 50, np.nan, rate / x)),
            Marks("here", [x[1]], [1 / 3]),
        ]
        places = {kind: kept.columns(data) for kind, data in columns(drawn, FRAME).items()}
    pieces = json.loads(str(kept))
    lines, marks = pieces[places["lines"]], pieces[places["marks"]]
    assert lines["xs"][0] == lines["xs"][1]
    assert [pieces[place] for place in lines["ys"]] == [
        [1, 0.31623, 0.1, 0.031623, 0.01],
        [2, 0.63246, 0.2, 0.063246, None],
    ]
    assert marks["y"] == [0.33333]
    assert sum(piece == [1, 3.1623, 10, 31.623, 100] for piece in pieces) == 1


def test_a_key_shows_the_dashes_of_the_picture():
    found = columns([Line("law", [1, 2], [1, 2], dash="dashed")], FRAME)
    (dash,) = found["lines"]["dash"]
    assert all(part.isdigit() for part in dash.split())
    assert f'stroke-dasharray="{dash}"' in key(found)


def test_an_empty_frame_says_so():
    assert nothing(columns([], FRAME))
    assert key(columns([], FRAME)) == "<p>There is nothing to draw here.</p>"
    assert not nothing(columns([Line("", [1, 2], [1, 2])], FRAME))
