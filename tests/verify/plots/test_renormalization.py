"""The picture of a flow of couplings."""

import numpy as np
import pytest

from scalinglaws.errors import DomainError
from scalinglaws.solvers.renormalization import fixed_points
from scalinglaws.verify.plots.renormalization import flow_diagram


@pytest.mark.parametrize(
    ("convention", "momentum"),
    [("per_datum", "generic"), ("measure", "generic"), ("measure", "conserving")],
)
@pytest.mark.parametrize("alpha", [0.3, 2.0])
def test_every_fixed_point_is_in_the_window(convention, momentum, alpha):
    given = {"convention": convention, "momentum": momentum}
    (axis,) = flow_diagram(alpha, **given).axes
    marks = {line.get_gid(): line.get_xydata()[0] for line in axis.get_lines()}
    for point in fixed_points(alpha, **given):
        x, y = marks[point.name]
        assert axis.get_xlim()[0] < x < axis.get_xlim()[1]
        assert axis.get_ylim()[0] < y < axis.get_ylim()[1]
        if convention == "per_datum":
            assert (x, y) == (point.quadratic, point.quartic)
        elif np.isfinite(point.quadratic):
            r, u = point.quadratic, point.quartic
            assert (x, y) == pytest.approx((r / (1 + r), u / (1 + r) ** 2))
        else:
            assert (x, y) == (1.0, point.quartic)


def test_stream_lines_follow_the_flow():
    """Arrows of the per-datum flow: the slope of a line is that of the equations."""
    alpha = 0.5
    (axis,) = flow_diagram(alpha).axes
    (lines,) = [found for found in axis.collections if found.get_gid() == "flow"]
    pieces = lines.get_segments()
    start = np.concatenate([(piece[1:] + piece[:-1]) / 2 for piece in pieces])
    way = np.concatenate([np.diff(piece, axis=0) for piece in pieces])
    moves = np.hypot(*way.T) > 0
    start, way = start[moves], way[moves]
    r, u = start.T
    field = np.column_stack([alpha * r - r**2 + u, 2 * alpha * u - 4 * r * u])
    unit = np.array([np.ptp(axis.get_xlim()), np.ptp(axis.get_ylim())])
    a, b = way / unit, field / unit
    cosines = np.sum(a * b, axis=1) / np.linalg.norm(a, axis=1) / np.linalg.norm(b, axis=1)
    away = [
        np.hypot(*((start - place) / unit).T) > 0.05
        for place in ((0, 0), (0.5, 0), (0.25, -0.0625))
    ]
    assert np.all(cosines[np.all(away, axis=0)] > 0.97)
    assert cosines.size > 500


def test_words_that_are_none():
    with pytest.raises(DomainError, match="convention"):
        flow_diagram(0.5, convention="both")
    with pytest.raises(DomainError, match="momentum"):
        flow_diagram(0.5, momentum="conserving")
    with pytest.raises(DomainError, match="alpha = 0"):
        flow_diagram(0)
