"""The check of which layer specializes: passes where networks are as measured, fails for others, and leaves out chains that disagree."""

from types import SimpleNamespace

import numpy as np
import pytest

from scalinglaws.errors import ConvergenceError
from scalinglaws.verify.checks.kernel_adaptation import layers
from scalinglaws.verify.registry import Context


def sampled(first_wins, *, disagreeing=()):
    """Stand in for the sampler: one of the two layers is far above its prior, as told for its width."""
    drawn = []

    def sample(inputs, labels, *, neurons, **options):
        first, rng = neurons[0], np.random.default_rng(len(drawn))
        weight, linear = 1.0, 0.4
        if len(inputs):
            drawn.append(first)
            weight, linear = (1.5, 0.4) if first_wins(first) else (1.0, 1.1)
        spread = 0.02 * rng.standard_normal(2)
        shape = (2, 50, 3)
        place = drawn.count(first) - 1
        worst = 1.9 if len(inputs) and (first, place) in disagreeing else 1.02
        return SimpleNamespace(
            overlaps=np.full(shape, weight + spread[0]),
            linear_parts=np.full(shape, linear + spread[1]),
            r_hat={"energy": 1.0, "squared_overlap": worst},
        )

    return sample


def found(monkeypatch, *arguments, **options):
    monkeypatch.setattr(layers, "sample_deep", sampled(*arguments, **options))
    context = Context("kernel_adaptation.layers", "full", 0)
    return {c.id.split("/")[1]: c for c in layers.specializing_layer(context)}


def test_networks_as_measured(monkeypatch):
    comparisons = found(monkeypatch, lambda first: first <= 256)
    verdicts = {name: (c.verdict, c.rival_verdict) for name, c in comparisons.items()}
    assert verdicts == {"8": ("pass", "fail"), "256": ("fail", "pass"), "1024": ("pass", "fail")}
    assert all(c.verdict == c.expect for c in comparisons.values())


@pytest.mark.parametrize("always", [True, False])
def test_one_layer_that_always_wins_is_noticed(monkeypatch, always):
    comparisons = found(monkeypatch, lambda first: always)
    assert comparisons["1024" if always else "8"].verdict == "fail"


def test_data_sets_whose_chains_disagree_are_left_out(monkeypatch):
    comparisons = found(monkeypatch, lambda first: first <= 256, disagreeing={(8, 1)})
    assert comparisons["8"].measurement.n_rep == layers.SETS - 1
    assert next(note for note in comparisons["8"].notes if "left out" in note).endswith("1.900")
    assert comparisons["1024"].measurement.n_rep == layers.SETS
    few = {(8, r) for r in range(layers.SETS - 1)}
    with pytest.raises(ConvergenceError, match="chains of 3 of 4 data sets disagree at N1 = 8"):
        found(monkeypatch, lambda first: True, disagreeing=few)
