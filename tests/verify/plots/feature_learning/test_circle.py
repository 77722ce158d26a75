"""The side-by-side phase diagram agrees with the laws it draws."""

import numpy as np
import pytest
from matplotlib.figure import Figure

from scalinglaws import SourceCapacity, theory
from scalinglaws.errors import DomainError
from scalinglaws.verify.plots.feature_learning import phase_diagram

LAWS = ("feature_learning.compute_lazy", "feature_learning.compute")


def _lines(axis):
    found = {}
    for line in axis.get_lines():
        if line.get_gid():
            points = np.array(line.get_data())
            found[line.get_gid()] = points[:, np.isfinite(points).all(axis=0)]
    return found


@pytest.mark.parametrize("notation", ["capacity", "bordelon", "paquette", "caponnetto"])
def test_regimes_are_named_on_both_sides_and_differ_for_hard_tasks_only(notation):
    figure = phase_diagram(
        notation=notation, tasks={"here": SourceCapacity(2, 1.25)}, resolution=31
    )
    assert [axis.get_title() for axis in figure.axes] == ["lazy", "rich"]
    keys = []
    for axis in figure.axes:
        assert {text.get_text() for text in axis.texts} >= {"hard", "easy", "super-easy", "here"}
        keys.append([text.get_text() for text in axis.get_legend().get_texts()])
    assert [one == two for one, two in zip(*keys, strict=True)] == [
        True,
        False,
        True,
    ]  # easy, hard, super-easy


def test_boundaries_are_exact():
    for axis in phase_diagram(resolution=10).axes:
        found = _lines(axis)
        x, y = found["easy | super-easy"]
        np.testing.assert_allclose(y, 2 - 1 / x, rtol=1e-15)
        assert np.all(found["hard | easy"][1] == 1)
        assert x.min() == 1


def test_colours_agree_with_the_laws():
    figure = phase_diagram(resolution=41)
    rng = np.random.default_rng(2)
    for axis, name in zip(figure.axes, LAWS, strict=True):
        law = theory.law(name)
        names = sorted(("hard", "easy", "super-easy"), key=str.casefold)
        (mesh,) = axis.collections
        corners = mesh.get_coordinates()
        x, y = ((corners[:-1, :-1, k] + corners[1:, 1:, k]) / 2 for k in (0, 1))
        colours = np.ma.asarray(mesh.get_array()).reshape(x.shape)
        for row, column in zip(
            rng.integers(0, x.shape[0], 25), rng.integers(0, x.shape[1], 25), strict=True
        ):
            assert (
                law.regime(alpha=float(x[row, column]), beta=float(y[row, column]))
                == names[colours[row, column]]
            )


def test_draws_in_a_given_figure_with_room_for_tasks(tmp_path):
    given = Figure(figsize=(9, 4), layout="constrained")
    assert phase_diagram(figure=given, tasks=[SourceCapacity(5, 3.5)], resolution=20) is given
    assert all(axis.get_xlim()[1] > 5 and axis.get_ylim()[1] > 3.5 for axis in given.axes)
    given.savefig(tmp_path / "phases.png")
    assert (tmp_path / "phases.png").stat().st_size > 10_000


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"notation": "bahri"}, "alpha_k"),
        ({"notation": "paquete"}, "did you mean 'paquette'"),
        ({"tasks": [(2, 1)]}, "not a SourceCapacity"),
        ({"limits": ((1, 0), (0, 1))}, "rising"),
        ({"resolution": 1}, "whole number"),
    ],
)
def test_refusals(arguments, message):
    with pytest.raises(DomainError, match=message):
        phase_diagram(**arguments)
