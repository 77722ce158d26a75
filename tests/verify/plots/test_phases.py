"""The phase diagram agrees with the law it draws."""

import numpy as np
import pytest
import sympy as sp
from matplotlib.figure import Figure

from scalinglaws import SourceCapacity, theory
from scalinglaws.errors import DomainError
from scalinglaws.verify.plots.linear import phase_diagram

NOTATIONS = ("capacity", "bordelon", "paquette", "caponnetto")
PHASES = {"Ia", "Ib", "Ic", "II", "III", "IVa", "IVb"}
TASK = SourceCapacity(2, 1.25)
PLACES = {
    "capacity": (2, 1.25),
    "bordelon": (2, 3.5),
    "paquette": (1, 0.75),
    "caponnetto": (2, 0.625),
}
SYMBOLS = {
    "capacity": ("alpha", "beta"),
    "bordelon": ("b", "a"),
    "paquette": ("alpha_P", "beta_P"),
    "caponnetto": ("alpha", "r"),
}
PARAMETERS = {
    "capacity": ("alpha", "beta"),
    "bordelon": ("b", "a"),
    "paquette": ("alpha_p", "beta_p"),
}


@pytest.fixture(scope="module", params=NOTATIONS)
def drawn(request):
    return request.param, phase_diagram(notation=request.param, tasks={"here": TASK}, resolution=41)


def lines(figure):
    """Return the points of every boundary by name."""
    found = {}
    for line in figure.axes[0].get_lines():
        if line.get_gid():
            points = np.array(line.get_data())
            found[line.get_gid()] = points[:, np.isfinite(points).all(axis=0)]
    return found


def test_every_phase_is_named_once_in_the_plane_and_once_in_the_key(drawn):
    _, figure = drawn
    axis = figure.axes[0]
    names = [text.get_text() for text in axis.texts]
    assert set(names) >= PHASES
    assert len(names) == len(set(names))
    assert len(axis.get_legend().get_texts()) == len(PHASES)
    assert axis.get_xlabel().count("$") == 4
    assert axis.get_ylabel().count("$") == 4


def test_no_two_texts_overlap(drawn):
    _, figure = drawn
    figure.draw_without_rendering()
    boxes = [
        text.get_window_extent()
        for text in (*figure.axes[0].texts, *figure.axes[0].get_legend().get_texts())
    ]
    for number, box in enumerate(boxes):
        assert not any(box.overlaps(other) for other in boxes[:number])


def test_the_task_is_where_it_belongs(drawn):
    notation, figure = drawn
    (marker,) = (line for line in figure.axes[0].get_lines() if line.get_label() == "here")
    np.testing.assert_allclose(np.ravel(marker.get_data()), PLACES[notation], rtol=1e-15)


def test_lines_are_the_boundaries_of_the_law(drawn):
    notation, figure = drawn
    found = lines(figure)
    checked = 0
    for regime in theory.law("linear.phase_boundaries").in_notation(notation).regimes:
        equations = list(regime.condition.atoms(sp.Eq))
        if len(equations) > 1:
            assert regime.name not in found
            continue
        points = found[regime.name]
        assert points.shape[1] > 10
        written = {symbol.name: symbol for symbol in regime.condition.free_symbols}
        order = [written.get(name, sp.Symbol(name)) for name in SYMBOLS[notation]]
        (equation,) = equations
        gap = sp.lambdify(order, equation.lhs - equation.rhs)(*points)
        np.testing.assert_allclose(gap, 0, atol=1e-14)
        checked += 1
    assert checked == 8


def test_curves_in_capacity_notation():
    found = lines(phase_diagram(resolution=10))
    x, y = found["II | III"]
    np.testing.assert_allclose(y, 2 - 1 / x, rtol=1e-15)
    assert (x.min(), x.max()) == (1, 3)
    x, y = found["Ia | II"]
    assert np.all(y == 1)
    assert x.min() == 1
    x, y = found["IVa | IVb"]
    assert np.all(x == 2 - np.sqrt(2))
    assert y.min() == 1


def test_border_of_the_power_law():
    x, y = lines(phase_diagram(notation="paquette", resolution=10))["no power law"]
    np.testing.assert_allclose(x + y, 0.5, rtol=1e-15)


@pytest.mark.parametrize("notation", ["capacity", "bordelon", "paquette"])
def test_colours_agree_with_the_law(notation):
    figure = phase_diagram(notation=notation, resolution=41)
    (mesh,) = figure.axes[0].collections
    law = theory.law("linear.compute").in_notation(notation)
    names = sorted(PHASES, key=str.casefold)
    corners = mesh.get_coordinates()
    x, y = ((corners[:-1, :-1, k] + corners[1:, 1:, k]) / 2 for k in (0, 1))
    colours = np.ma.asarray(mesh.get_array()).reshape(x.shape)
    rng = np.random.default_rng(1)
    seen = set()
    for row, column in zip(
        rng.integers(0, x.shape[0], 40), rng.integers(0, x.shape[1], 40), strict=True
    ):
        values = dict(
            zip(PARAMETERS[notation], (float(x[row, column]), float(y[row, column])), strict=True)
        )
        if colours[row, column] is np.ma.masked:
            with pytest.raises(DomainError):
                law.regime(**values)
        else:
            assert law.regime(**values) == names[colours[row, column]]
            seen.add(names[colours[row, column]])
    assert len(seen) >= 5


def test_limits_make_room_for_tasks_unless_given(tmp_path):
    far = SourceCapacity(4, 3.5)
    (axis,) = phase_diagram(tasks=[far], resolution=20).axes
    assert axis.get_xlim()[1] > 4
    assert axis.get_ylim()[1] > 3.5
    assert any(text.get_text() == "(4, 3.5)" for text in axis.texts)
    figure = phase_diagram(limits=((1.2, 3), (-0.5, 0.9)), resolution=20)
    assert [text.get_text() for text in figure.axes[0].texts] == ["Ia", "no power law"]
    figure.savefig(tmp_path / "phases.png")
    assert (tmp_path / "phases.png").stat().st_size > 10_000


def test_other_laws_with_phases():
    figure = phase_diagram(law="linear.data", resolution=20)
    assert {text.get_text() for text in figure.axes[0].texts} == {
        "saturated",
        "source-limited",
        "no power law",
    }
    assert np.all(
        np.nanmin(lines(figure)["no power law"][0]) == 1
    )  # infinitely many modes need alpha > 1
    assert np.all(lines(figure)["boundary"][1] == 2)
    assert lines(figure)["boundary"][0].min() >= 1
    figure = phase_diagram(law="linear.compute_model", notation="paquette", resolution=20)
    assert {text.get_text() for text in figure.axes[0].texts} >= PHASES
    assert figure.axes[0].get_legend().get_title().get_text() == "exponent $g$ of $C^{g}$"


def test_draws_in_a_given_figure():
    given = Figure()
    assert phase_diagram(figure=given, resolution=20) is given


@pytest.mark.parametrize(
    ("arguments", "argument", "message"),
    [
        ({"notation": "paquete"}, "notation", "did you mean 'paquette'"),
        ({"notation": "bahri"}, "notation", "alpha_k"),
        ({"notation": "kernel"}, "notation", "dimension"),
        ({"law": "linear.time"}, "law", "no phases"),
        ({"law": "linear.phase_boundaries"}, "law", "no phases"),
        ({"law": "manifold.spectral"}, "law", "no phases"),
        ({"law": "linear.dota"}, "law", "linear.data"),
        ({"tasks": [(2, 1)]}, "tasks", "not a SourceCapacity"),
        ({"tasks": {"x": 2}}, "tasks", "not a SourceCapacity"),
        ({"tasks": TASK}, "tasks", "sequence or a mapping"),
        ({"tasks": [TASK], "limits": ((0, 1), (0, 1))}, "limits", "outside"),
        ({"limits": ((1, 0), (0, 1))}, "limits", "rising"),
        ({"limits": ((0, np.inf), (0, 1))}, "limits", "finite"),
        ({"limits": "wide"}, "limits", "finite"),
        ({"resolution": 1}, "resolution", "whole number"),
        ({"resolution": 2.5}, "resolution", "whole number"),
    ],
)
def test_refusals(arguments, argument, message):
    with pytest.raises(DomainError, match=message) as caught:
        phase_diagram(**arguments)
    assert caught.value.argument == argument
