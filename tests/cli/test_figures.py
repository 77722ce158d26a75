"""Pictures of solvers' tables can be read, and say what cannot be seen in them."""

import inspect
import math
import runpy
from pathlib import Path

import numpy as np
import pytest
from matplotlib.colors import to_rgba
from matplotlib.image import imread
from matplotlib.text import Text

from scalinglaws.cli import _solve, _solver_request, run
from scalinglaws.cli._figures import figure
from scalinglaws.cli._grammar import pairs
from scalinglaws.cli._picture import Picture
from scalinglaws.cli._solver_help import renamed
from scalinglaws.cli._solvers import Solver
from scalinglaws.solvers.catalogue import Shown

SOLVE = runpy.run_path(str(Path(__file__).with_name("test_commands.py")))["SOLVE"]
WIDEST, TALLEST = 1920, 1400  # pixels of a file


def pictured(name, *values):
    """Return the picture that a command would draw."""
    solver = Solver.named(name)
    takes = inspect.signature(solver.function).parameters
    task = ["alpha=1.5", "beta=0.5"] if "spectrum" in takes else []
    request = _solver_request.read_request(solver, renamed(solver, pairs((*task, *values))))
    return _solve._picture(request, _solve._solved(request))


def notes(drawing):
    """Return what stands below, unwrapped."""
    (text,) = (text for text in drawing.texts if text.get_gid() == "notes")
    return text.get_text().replace("\n   ", " ").split("\n")


def panels(drawing):
    return [axes for axes in drawing.axes if axes.get_lines()]


def check(drawing):
    """Check what every picture has to be: small enough, nothing cut off, nothing over something else, every entry seen."""
    drawing.set_dpi(150)
    drawing.draw_without_rendering()
    whole = drawing.bbox
    assert whole.width <= WIDEST
    assert whole.height <= TALLEST
    assert len({round(axes.get_position().y0, 3) for axes in panels(drawing)}) <= 2
    ticks = {text for axes in panels(drawing) for text in _tick_labels(axes)}
    for text in drawing.findobj(Text):
        if text.get_text() and text.get_visible() and text not in ticks:
            box = text.get_window_extent()
            assert text.get_fontsize() >= 8, text.get_text()
            assert min(box.x0, box.y0) >= -1, text.get_text()
            assert box.x1 <= whole.width + 1, text.get_text()
            assert box.y1 <= whole.height + 1, text.get_text()
    boxes = [axes.get_tightbbox() for axes in panels(drawing)]
    boxes += [legend.get_window_extent() for legend in drawing.legends]
    boxes += [text.get_window_extent() for text in drawing.texts if text.get_text()]
    for number, box in enumerate(boxes):
        for other in boxes[:number]:
            shared = box.intersection(box, other)
            assert shared is None or min(shared.width, shared.height) <= 6, (box, other)
    lines = [line for axes in panels(drawing) for line in axes.get_lines()]
    for legend in drawing.legends:
        for handle, text in zip(legend.get_lines(), legend.get_texts(), strict=True):
            label = text.get_text()
            assert any(_looks(handle, label, line) for line in lines if _seen(line)), label
    for axes in panels(drawing):
        assert axes.get_xlabel()
        assert axes.get_ylabel()
        for line in axes.get_lines():
            gid = str(line.get_gid())
            if gid.startswith("beyond"):
                assert any(gid.removeprefix("beyond ") in note for note in notes(drawing)), gid


def _tick_labels(axes):
    """Return the labels of all ticks, also of those beyond the ends of an axis, which are not drawn."""
    for axis in (axes.xaxis, axes.yaxis):
        for tick in (*axis.get_major_ticks(), *axis.get_minor_ticks()):
            yield from (tick.label1, tick.label2)


def _seen(line):
    y = np.asarray(line.get_ydata(), dtype=float)
    return bool(np.isfinite(y).any())


def _looks(handle, label, line):
    """Say whether a line is what an entry of the key stands for: a column or what is derived by name, choices by color."""
    if "=" not in label:
        return label.replace(" ", "_") == line.get_gid()
    return to_rgba(handle.get_color())[:3] == to_rgba(line.get_color())[:3]


@pytest.mark.parametrize("name", SOLVE)
def test_every_solver_s_picture_can_be_read(name):
    picture = pictured(name, *SOLVE[name])
    drawing = figure(picture)
    check(drawing)
    said = "\n".join(notes(drawing))
    for key in (*picture.shown.columns, *picture.varied):
        if key != "standard_error":
            words = key.replace("_", " ")
            assert f"{words}:" in said or f"{words}," in said, f"{key} is not explained"
    assert "standard_error" not in picture.shown.columns or "bars: one standard error" in said


def test_a_file_has_the_size_of_a_screen(tmp_path, capsys):
    path = tmp_path / "frontier.png"
    arguments = ["alpha=1.5", "beta=0.5", "compute=1e8:1e10", "dynamics=sgd"]
    code = run(["solve", "linear.compute_frontier", *arguments, "--output", str(path)])
    capsys.readouterr()
    height, width = imread(path).shape[:2]
    assert code == 0
    assert width <= WIDEST
    assert height <= TALLEST


def derived(drawing, label):
    """Return the derived line of a panel."""
    (axes,) = (axes for axes in panels(drawing) if axes.get_ylabel() == label)
    (line,) = (line for line in axes.get_lines() if line.get_gid() == "derived")
    return np.asarray(line.get_xdata(), float), np.asarray(line.get_ydata(), float)


@pytest.mark.parametrize(
    ("name", "more", "powers"),
    [
        ("linear.compute_frontier", "dynamics=sgd", (-0.3, 0.4, 0.6)),
        ("feature_learning.compute_frontier", "richness=1", (-6 / 17, 8 / 17, 9 / 17)),
    ],
)
def test_derived_exponents_are_drawn(name, more, powers):
    drawing = figure(pictured(name, "compute=1e8:1e12", more))
    for label, power in zip(("loss", "features", "time"), powers, strict=True):
        x, y = derived(drawing, label)
        slopes = np.diff(np.log(y)) / np.diff(np.log(x))
        np.testing.assert_allclose(slopes, power, rtol=1e-9)
    for label, power in zip(("loss exponent", "features exponent"), powers, strict=False):
        np.testing.assert_allclose(derived(drawing, label)[1], abs(power), rtol=1e-12)
    (legend,) = drawing.legends
    assert [text.get_text() for text in legend.get_texts()] == ["derived"]


def test_nothing_is_derived_where_the_theory_has_no_power():
    for more in ("richness=0", "richness=0,1"):
        drawing = figure(pictured("feature_learning.compute_frontier", "compute=1e6,1e7", more))
        assert not [
            line
            for axes in panels(drawing)
            for line in axes.get_lines()
            if line.get_gid() == "derived"
        ]


def test_ridge_is_on_logarithmic_axes_and_its_gaps_are_explained():
    drawing = figure(pictured("linear.ridge", "samples=1:10000:9", "features=100"))
    check(drawing)
    for axes in panels(drawing):
        assert (axes.get_xscale(), axes.get_yscale()) == ("log", "log")
    said = notes(drawing)
    assert "▲ test loss infinite at samples = 100, not on the axis" in said
    assert "▼ train loss 0 at samples = 1 to 100, not on the axis" in said
    assert any("0 up to P = N, where the test loss is infinite" in line for line in said)


def test_curves_that_coincide_are_told():
    drawing = figure(pictured("linear.gradient_flow", "t=1:1e6"))
    assert "train loss = test loss (samples unlimited: P infinite): one curve" in notes(drawing)
    assert panels(drawing)[0].get_ylabel() == "test loss = train loss"
    assert not drawing.legends
    drawing = figure(pictured("linear.gradient_flow", "t=1:1e6", "samples=100,inf"))
    assert "train loss = test loss (samples unlimited: P infinite) for samples = ∞" in notes(
        drawing
    )
    labels = [text.get_text() for text in drawing.legends[0].get_texts()]
    assert labels == ["samples = 100", "samples = ∞", "test loss", "train loss"]
    drawing = figure(
        pictured("percolation.allocate", "alpha=1", "size=30", "n=10,100", "exponents=0.5")
    )
    said = notes(drawing)
    assert "weight: the same curve for n = 10 and n = 100" in said
    assert "▼ allocation 0 at rank = 3 to 30 (n = 10), not on the axis" in said
    drawing = figure(pictured("linear.ridge", "samples=10:1000"))
    assert panels(drawing)[0].get_ylabel() == "test loss"
    assert not drawing.legends
    assert "▼ train loss 0 at samples = 10 to 1000, not on the axis" in notes(drawing)
    drawing = figure(pictured("linear.gradient_flow", "t=1:1e12", "features=1e9", "samples=1e10"))
    assert any(line.startswith("train loss ≈ test loss at t = 1 to") for line in notes(drawing))


def test_zero_and_infinity_stand_at_the_edges():
    drawing = figure(pictured("linear.gradient_flow", "t=0,1,10,100,inf", "features=50"))
    check(drawing)
    said = notes(drawing)
    assert "◀ t = 0, left of the axis: values at the edge" in said
    assert "▶ t = ∞, right of the axis: values at the edge" in said
    drawing = figure(pictured("linear.gradient_flow", "t=1,10,100,inf"))
    assert "▼ test loss 0 at t = ∞, not on the axis" in notes(drawing)


def test_steps_from_zero_are_counted():
    drawing = figure(
        pictured("feature_learning.gradient_descent", "steps=20", "relative_rate=1", "richness=1")
    )
    assert {axes.get_xscale() for axes in panels(drawing)} == {"linear"}


def test_what_is_yes_or_no_is_said():
    drawing = figure(pictured("linear.sgd_stability", "learning_rate=0.1,1,10", "batch=4"))
    said = notes(drawing)
    assert "stable: yes at learning rate = 0.1 to 1, no at learning rate = 10" in said
    assert "▲ kernel norm infinite at learning rate = 10, not on the axis" in said


def test_many_curves_have_a_key_that_fits():
    values = ",".join(str(n) for n in range(10, 40))
    drawing = figure(pictured("linear.effective_ridge", "samples=10:1000:60", f"features={values}"))
    check(drawing)
    assert "30 curves, in the order of their colors; 12 are named" in notes(drawing)
    drawing = figure(
        pictured("linear.ridge", "samples=1:1e4", "features=10,30,100,300", "ridge=0,1e-3,0.1")
    )
    check(drawing)


def table(y, **more):
    return Picture(
        "a title", {"x": list(range(1, len(y) + 1)), "y": y}, Shown(("y",)), ["x"], **more
    )


def test_odd_columns_are_drawn():
    for y, said in (
        ([math.nan, 1.0, 2.0], "y not defined at x = 1"),
        ([-math.inf, -1.0, -2.0], "▼ y minus infinite at x = 1, not on the axis"),
        ([math.inf, math.inf, math.inf], "▲ y infinite at x = 1 to 3, not on the axis"),
    ):
        drawing = figure(table(y))
        check(drawing)
        assert said in notes(drawing)
    (axes,) = figure(table([2.0, 2.0, 2.0])).axes
    assert [text.get_text() for text in axes.texts] == ["2 throughout"]
    lonely = figure(table([1.0, math.nan, 3.0, *([math.nan] * 40), 5.0]))
    (line,) = (line for line in lonely.axes[0].get_lines() if line.get_gid() == "y")
    assert list(line.get_markevery()) == [0, 2, 43]


def test_eight_columns_are_two_rows():
    names = [f"quantity_{i}" for i in range(8)]
    columns = {"x": [1.0, 2.0, 3.0]} | {name: [1.0, 2.0, 9.0] for name in names}
    drawing = figure(Picture("a title", columns, Shown(tuple(names)), ["x"]))
    assert len({round(axes.get_position().y0, 3) for axes in panels(drawing)}) == 2
