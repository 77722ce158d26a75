"""The bottleneck picture shows what it promises."""

import numpy as np
import pytest
from matplotlib.figure import Figure

from scalinglaws import SourceCapacity
from scalinglaws.errors import DomainError
from scalinglaws.verify.plots.linear import Bottleneck, bottlenecks

TASK = SourceCapacity(2, 1.25)
SMALL = {"sizes": (8, 16, 32), "modes": 128, "draws": 4, "replicates": 4}


def test_two_columns_with_theory_simulation_law_and_rival(tmp_path):
    figure = bottlenecks(
        [
            Bottleneck("linear.data", TASK, 4.0, "saturated"),
            Bottleneck("linear.model", TASK, 4.0, "published"),
        ],
        **SMALL,
    )
    assert len(figure.axes) == 4
    for axis, name in zip(figure.axes[:2], ("P", "N"), strict=True):
        labels = [text.get_text() for text in axis.get_legend().get_texts()]
        assert len(labels) == 4
        assert any(f"derived law: {name}" in label for label in labels)
        assert axis.get_xscale() == axis.get_yscale() == "log"
        for line in axis.get_lines():
            assert np.all(np.isfinite(line.get_ydata()))
    figure.savefig(tmp_path / "bottlenecks.png")
    assert (tmp_path / "bottlenecks.png").stat().st_size > 20_000


def test_draws_in_a_given_figure():
    given = Figure()
    assert (
        bottlenecks([Bottleneck("linear.data", TASK, 4.0, "saturated")], figure=given, **SMALL)
        is given
    )


def test_refusals():
    with pytest.raises(DomainError, match="cases is empty"):
        bottlenecks([])
    with pytest.raises(DomainError, match="must be 'linear.data' or 'linear.model'"):
        bottlenecks([Bottleneck("linear.time", TASK, 4.0, "x")], **SMALL)
