"""Pictures of recipes compared show the numbers of the comparison."""

import numpy as np
import pytest

from scalinglaws.errors import DomainError
from scalinglaws.verify import empirical
from scalinglaws.verify.checks.empirical.groups import BETTER, draw_recipes
from scalinglaws.verify.plots import empirical as pictures


def test_compute_multipliers():
    """Curves are those of the comparison, dashed beyond the runs; a recipe without a multiplier has no curve there."""
    table = draw_recipes(np.random.default_rng(0), BETTER)
    found = empirical.compare_recipes("surface", table, "baseline", "recipe", bootstrap=50)
    figure = pictures.compute_multipliers(found)
    (axes,) = figure.axes
    lines = {line.get_gid(): line for line in axes.lines}
    x, y = lines["B"].get_data()
    assert x.max() == pytest.approx(1e21)
    np.testing.assert_allclose(y, found.fits.compute_multiplier("baseline", "B", x).multiplier)
    beyond = lines["beyond"].get_xdata()
    assert (beyond.min(), beyond.max()) == pytest.approx((1e21, 1e23))
    assert lines["beyond"].get_linestyle() == "--"
    assert sum(line.get_gid() == "nothing shared" for line in axes.lines) == 2
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["B"]
    assert axes.get_ylim()[0] < 1 < axes.get_ylim()[1]
    bare = empirical.compare_recipes("surface", table, "baseline", "recipe", (), bootstrap=0)
    figure = pictures.compute_multipliers(bare)
    assert not [line for line in figure.axes[0].lines if line.get_gid() == "nothing shared"]
    with pytest.raises(DomainError, match="RecipeComparison"):
        pictures.compute_multipliers(found.fits)
