"""Laws of single clusters, of different ones and of datasets without repetitions: known numbers, limits, other sums."""

import math
from dataclasses import replace

import numpy as np
import pytest
import sympy as sp
from scipy import special

from scalinglaws import theory
from scalinglaws.errors import DomainError
from scalinglaws.theory.percolation import (
    Emerging,
    LearnedMean,
    Repeated,
    derive_capacity,
    derive_emergence,
    derive_pruned,
)
from scalinglaws.theory.percolation.counts import mean_power

MEANS = {
    0.9: (1.61907336702, 1.07576029146, 0.778958709671, 0.619687929448),
    0.5: (16.6551426813, 4.85156268163, 2.74200352464, 2.0048715154),
    0.1: (10000.6250429755, 100.756042326, 11.1327570928, 5.05913933186),
}


@pytest.mark.parametrize("share", MEANS)
def test_means_at_which_clusters_are_learned(share):
    for beta, mean in zip((0.25, 0.5, 1, 2), MEANS[share], strict=True):
        found = LearnedMean(sp.Float(share, 20), sp.nsimplify(beta)).evalf()
        assert float(found) == pytest.approx(mean, rel=1e-11)
        assert float(mean_power(found, beta)) == pytest.approx(share, rel=1e-12)


def test_the_sum_of_sharp_steps_is_short_of_the_loss():
    law = theory.law("percolation.emergence")
    for beta, ratio in ((1, 0.7830), (2, 0.9487)):
        assert float(law.evaluate("sharp_over_true", alpha=1, beta=beta)) == pytest.approx(
            ratio, abs=5e-5
        )
    data = theory.law("percolation.data").asymptote(1e8, alpha=1, beta=2)
    sharp = law.evaluate("sharp_loss", alpha=1, beta=2, P=1e8)
    assert float(sharp / data) == pytest.approx(0.9487, abs=5e-5)


def test_what_is_new_was_unseen():
    """The slope of the number of clusters is the weight of those not yet among them."""
    law, step = theory.law("percolation.capacity"), 1e-4
    for alpha in (0.5, 1.0, 2.0):
        here, there = (
            float(law.evaluate("distinct", P=1e6 * (1 + e), alpha=alpha)) for e in (-step, step)
        )
        unseen = float(law.evaluate("unseen", P=1e6, alpha=alpha))
        assert (there - here) / (2e6 * step) == pytest.approx(unseen, rel=1e-7)
        assert unseen == pytest.approx(
            float(theory.law("percolation.hutter").asymptote(1e6, alpha=alpha)), rel=1e-12
        )
        room = float(law.evaluate("distinct", P=1e6, alpha=alpha))
        assert float(law.evaluate("samples", n=room, alpha=alpha)) == pytest.approx(1e6)


def test_clusters_are_counted_by_another_sum():
    k, P = np.arange(1, 10**7), 1e5
    seen = -np.expm1(-P * k**-2.0 / special.zeta(2)).sum() + P / special.zeta(2) / 1e7
    law = theory.law("percolation.capacity")
    # the next term is zeta(0) = -1/2
    assert float(law.evaluate("distinct", P=P, alpha=1)) == pytest.approx(seen + 0.5, rel=1e-8)


def test_kept_samples_lose_what_their_pool_loses():
    law, pool = theory.law("percolation.pruning"), 1e6
    kept = float(theory.law("percolation.capacity").evaluate("distinct", P=pool, alpha=0.75))
    loss = float(theory.law("percolation.hutter").asymptote(pool, alpha=0.75))
    assert float(law.evaluate("loss", Q=kept, alpha=0.75)) == pytest.approx(loss, rel=1e-12)
    assert float(law.evaluate("pool", Q=kept, alpha=0.75)) == pytest.approx(pool, rel=1e-12)
    assert law(alpha=1) == 1
    assert float(law.evaluate("loss", Q=1, alpha=1)) == pytest.approx(3 / math.pi)


@pytest.mark.parametrize("name", ["emergence", "capacity", "pruning"])
def test_derivations_hold_and_corrupted_ones_do_not(name):
    derivation = theory.law(f"percolation.{name}").derivation
    assert derivation.refused() is None
    last = derivation.steps[-1]
    wrong = replace(last, expr=sp.Eq(last.quantity, 1.01 * last.value, evaluate=False))
    corrupted = replace(derivation, steps=(*derivation.steps[:-1], wrong))
    assert corrupted.refused() == len(derivation.steps) - 1


@pytest.mark.parametrize(
    "call",
    [
        lambda: derive_emergence(Emerging(weight=1)),
        lambda: derive_emergence(Emerging(exponent=0)),
        lambda: derive_emergence(Emerging(share=1)),
        lambda: derive_capacity(Repeated(weight=sp.S.Half)),
        lambda: derive_pruned(Repeated(weight=sp.Symbol("w"))),
        lambda: derive_pruned(3),
    ],
)
def test_refusals(call):
    with pytest.raises(DomainError):
        call()
