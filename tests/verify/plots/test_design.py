"""A picture of a design shows its runs, the usual plan and what to expect."""

import numpy as np
import pytest
from matplotlib.figure import Figure

from scalinglaws.verify.empirical import design, from_parameters
from scalinglaws.verify.plots.empirical import design_plan


@pytest.mark.parametrize(
    "target", [{"compute": 1e24}, {"compute": 1e23, "what": "params"}, {"N": 7e10, "D": 1.4e12}]
)
def test_the_picture_of_a_design(target, tmp_path):
    existing = {"N": [1e8, 1e9, 1e9, 4e8, 4e8, 2e9], "D": [1e10, 1e10, 2e10, 3e10, 6e9, 5e9]}
    plan = design(
        from_parameters("besiroglu"),
        budget=1e22,
        target=target,
        max_runs=20,
        noise=0.005,
        existing=existing,
    )
    given = Figure()
    figure = design_plan(plan, figure=given)
    assert figure is given
    left, *right = figure.axes
    lines = {line.get_gid(): line for line in left.get_lines() if line.get_gid()}
    assert {"candidates", "existing", "isoflop", "best", "target"} <= set(lines)
    np.testing.assert_array_equal(lines["isoflop"].get_ydata(), plan.isoflop_N)
    np.testing.assert_array_equal(lines["existing"].get_ydata(), existing["N"])
    (chosen,) = [part for part in left.collections if part.get_gid() == "chosen"]
    np.testing.assert_allclose(chosen.get_offsets(), np.transpose([plan.C, plan.N]))
    np.testing.assert_array_equal(lines["best"].get_xdata(), np.unique(plan.isoflop_C))
    assert len(right) == len(plan.names)
    for k, axes in enumerate(right):
        heights = [bar.get_height() for bar in axes.patches if bar.get_gid() == "expected"]
        assert heights[-2:] == [plan.sd[k], plan.isoflop_sd[k]]
    figure.savefig(tmp_path / "design.png")
