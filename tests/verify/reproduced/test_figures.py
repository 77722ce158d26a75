"""Every reproduced figure is drawn at quick effort, with finite data and a caption full of numbers."""

import re

import numpy as np
import pytest

from scalinglaws.verify import reproduced
from scalinglaws.verify.registry import Context

COSTLY = 2.5  # seconds from which on a figure is drawn with the slow tests only
ENTRIES = [entry for source in reproduced.sources() for entry in reproduced.figures_of(source)]


@pytest.mark.parametrize(
    "entry",
    [
        pytest.param(
            entry,
            marks=[pytest.mark.slow] if entry.seconds >= COSTLY else [],
            id=f"{entry.source}-{entry.name}",
        )
        for entry in ENTRIES
    ],
)
def test_a_figure_is_drawn(entry):
    from matplotlib import pyplot

    for name in entry.requires:
        pytest.importorskip(name)
    figure, found = entry.function(Context(f"figures/{entry.source}.{entry.name}", "quick", 0))
    figure.canvas.draw()
    assert pyplot.get_fignums() == []  # it belongs to no window
    for axes in figure.axes:
        assert axes.has_data() or axes.texts
        for line in axes.get_lines():
            y = np.asarray(line.get_ydata(), dtype=float)
            if y.size == 0:  # an entry of the key
                continue
            assert np.any(np.isfinite(y)), line.get_label()
        if axes.has_data() and axes.axison:
            assert axes.get_xlabel() or axes.get_shared_x_axes().get_siblings(axes)
    assert found.endswith(".")
    assert re.search(r"\d", found)
    assert "nan" not in found
