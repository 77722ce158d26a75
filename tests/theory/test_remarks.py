"""What the theory says in a line about a solver's task."""

import math

import pytest

from scalinglaws import SourceCapacity, theory

TASK = SourceCapacity.from_ab(1.7, 1.4)


@pytest.mark.parametrize(
    ("solver", "values", "line"),
    [
        (
            "linear.compute_frontier",
            {"alpha": TASK.alpha, "beta": TASK.beta, "compute": 1e14},
            "phase Ia: loss C^-0.2917, features C^0.4167 (linear.compute)",
        ),
        (
            "linear.compute_frontier",
            {"alpha": 1.5, "beta": 0.5, "dynamics": "flow"},
            "the phases of linear.compute are those of dynamics=sgd",
        ),
        (
            "feature_learning.compute_frontier",
            {"alpha": 1.5, "beta": 0.5, "richness": 1.0},
            "hard: loss C^-0.3529, features C^0.4706 for a positive richness (feature_learning.compute)",
        ),
        (
            "percolation.data_loss",
            {"alpha": 1.0, "exponent": 0.5, "samples": 10.0, "law": "hard"},
            "boundary of both limits: loss P^-0.5 log P (percolation.data)",
        ),
        (
            "percolation.data_loss",
            {"alpha": 1.0, "exponent": 1.0, "sampling": 0.75},
            "cluster-limited: loss P^-0.6667 (percolation.sampling)",
        ),
        ("percolation.data_loss", {"alpha": 1.0, "exponent": 1.0, "sampling": 0.5}, ""),
        ("percolation.data_loss", {"alpha": 1.0, "exponent": 1.0, "support": 100}, ""),
        (
            "percolation.zipf_model_loss",
            {"alpha": 1.0, "exponent": 1.0},
            "boundary of both limits: loss n^-1 (log n)^2 (percolation.model)",
        ),
        (
            "percolation.data_loss_expansion",
            {"alpha": 1.0, "exponent": 0.25},
            "smoothness-limited: loss P^-0.25 (percolation.data)",
        ),
    ],
)
def test_the_regime_and_its_exponents(solver, values, line):
    assert theory.remark(solver, **values) == line


@pytest.mark.parametrize(
    "values",
    [
        {"exponent": 0.5, "weights": (2.0, 1.0)},
        {"alpha": 1.0},
        {"alpha": 0.0, "exponent": 1.0},
        {"alpha": 1.0, "exponent": math.inf},
    ],
)
def test_nothing_is_said_where_the_law_does_not_apply(values):
    assert theory.remark("percolation.data_loss", **values) == ""


def test_nothing_is_said_of_other_solvers():
    assert theory.remark("linear.ridge", alpha=2.0, beta=1.0) == ""
    assert theory.remark("zz.none") == ""
