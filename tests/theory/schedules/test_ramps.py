"""Batch ramps and early batches against the exact recursion of the modes."""

from fractions import Fraction

import numpy as np
import pytest
import sympy as sp
from hypothesis import given, settings
from hypothesis import strategies as st

from scalinglaws import theory
from scalinglaws.errors import DomainError
from scalinglaws.solvers import PowerLawSpectrum
from scalinglaws.theory.derivation import Derivation
from scalinglaws.theory.schedules import (
    TAU,
    RampLimited,
    derive_batch_ramp,
    derive_early_batch,
)


def _law():
    return theory.law("schedules.batch_ramp")


def _loss(modes, rates, batches, noise):
    """Return the loss after all steps: energies of the modes, one step after the other."""
    x, count, energy = modes.eigenvalues, modes.multiplicities, modes.signal.copy()
    for rate, batch in zip(rates, batches, strict=True):
        step = rate * x
        kick = count * step**2 / batch * (energy.sum() + noise)
        energy = (1 - 2 * step + step**2 * (1 + 1 / batch)) * energy + kick
    return energy.sum()


def test_serial_steps():
    law = _law()
    assert law(alpha=Fraction(3, 2), beta=Fraction(2, 3)) == Fraction(3, 4)
    assert law.growth
    assert law.regime(alpha=1.5, beta=0.5) == "easy"
    assert (law(alpha=3, beta=Fraction(1, 3)), law.regime(alpha=3, beta=0.3)) == (1, "hard")
    assert law.regime(alpha=3, beta=Fraction(2, 3)) == "hard | easy"
    assert law.log_power(alpha=3, beta=Fraction(2, 3)) == 0
    with pytest.raises(DomainError, match="alpha > 1"):
        law(alpha=1, beta=1)


@settings(max_examples=30, deadline=None)
@given(st.floats(1.05, 5), st.floats(0.05, 5))
def test_serial_steps_and_batches_use_all_samples(alpha, beta):
    law = _law()
    at = {"alpha": alpha, "beta": beta}
    assert law(**at) == pytest.approx(min(1, alpha / (alpha * beta + 1)))
    assert law.evaluate("mean_batch", **at) == pytest.approx(1 - law(**at), abs=1e-12)
    assert law.evaluate("early_loss", **at) == pytest.approx(min(beta, 3 - 1 / alpha))


@pytest.mark.parametrize(("decay", "steps"), [(1, 4000), (2, 6000)])
def test_a_ramp_equals_a_decay(decay, steps):
    """Losses agree at the same samples, up to a part that falls with the rate, and what single steps leave."""
    law, modes, apart = _law(), PowerLawSpectrum.from_ab(2, 1.5).modes(), []
    serial = round(law.evaluate("serial_steps", p=decay, t=steps))
    for rate in (0.2, 0.05):
        t = np.arange(steps)
        decayed = _loss(modes, rate * (1 - t / steps) ** decay, np.full(steps, 4.0), 0.1)
        part = (np.arange(serial) + 0.5) / serial
        batches = law.evaluate("batch", B=4, p=decay, u=part)
        assert batches.sum() == pytest.approx(4 * steps, rel=0.05)
        ramp = _loss(modes, np.full(serial, rate), batches, 0.1)
        apart.append(abs(ramp / decayed - 1))
        blind = _loss(modes, np.full(serial, rate), np.full(serial, 4.0), 0.1)
        assert abs(blind / decayed - 1) > 20 * apart[-1]
    assert apart[0] < 0.01
    assert apart[1] < 0.4 * apart[0], apart


@pytest.mark.parametrize("decay", [1, 3])
def test_the_best_ramp_by_minimization(decay):
    """A sum in the intrinsic time alone, at budgets of 1e300 and 1e400 samples."""
    for alpha, beta in ((1.5, 0.6), (2.5, 0.3), (3.0, 0.7)):
        left = max(1 / alpha, 1 / (decay + 1))
        best = []
        for samples in (300 * np.log(10), 400 * np.log(10)):
            tau = np.linspace(0, samples, 200001)
            best.append(tau[np.argmin(np.logaddexp(-beta * tau, left * tau - samples))])
        slope = (best[1] - best[0]) / (100 * np.log(10))
        b = sp.nsimplify(alpha)
        found = derive_batch_ramp(RampLimited(b, b * sp.nsimplify(beta) + 1, decay))
        assert slope == pytest.approx(float(found.expr), abs=1e-3)
        assert found.derivation.refused() is None


def test_early_batches_restore_the_loss():
    """(4.4, 1.6): 2.125 in samples against 1.375; the printed batches cost a logarithm, those that fall all the way none."""
    law, a, b = _law(), 4.4, 1.6
    at = {"alpha": b, "beta": (a - 1) / b}
    modes = PowerLawSpectrum.from_ab(a, b).modes()
    horizons = (300, 3000, 12000)
    found = {}
    for name in ("early_batch", "early_batch_power", "one"):
        losses, samples = [], []
        for horizon in horizons:
            s = np.arange(horizon)
            batches = (
                np.ones(horizon) if name == "one" else law.evaluate(name, s=s, t=horizon, **at)
            )
            assert np.all(batches >= 1)
            losses.append(_loss(modes, np.full(horizon, 0.3), batches, 0.0))
            samples.append(batches.sum())
        found[name] = np.array(losses), np.array(samples)
    assert law.evaluate("early_loss", **at) == pytest.approx(2.125)

    def slope(name):
        losses, samples = found[name]
        return -np.log(losses[2] / losses[1]) / np.log(samples[2] / samples[1])

    assert slope("one") == pytest.approx(1.375, abs=0.03)
    assert slope("early_batch_power") == pytest.approx(2.125, abs=0.08)
    assert (
        slope("early_batch") > 2.1
    )  # samples are still settling: the first batches are a smaller part of them
    growth = {
        name: losses * np.array(horizons, float) ** 2.125 for name, (losses, _) in found.items()
    }
    printed, power = growth["early_batch"], growth["early_batch_power"]
    assert power[2] / power[0] == pytest.approx(1, abs=0.06)
    assert printed[2] / printed[0] > 1.12
    assert growth["one"][2] / growth["one"][0] > 10


def test_early_batches_have_a_limit():
    found = derive_early_batch(RampLimited())
    names = {entry.name: entry for entry in found.regimes}
    alpha, beta = sp.symbols("alpha beta", positive=True)
    assert names["restored"].exponent == beta
    assert sp.cancel(names["noise of the first step"].exponent - 3 + 1 / alpha) == 0
    assert found.derivation.refused() is None
    line = names["restored | noise of the first step"]
    assert line.condition.subs({alpha: 2, beta: sp.Rational(5, 2)}) == sp.true
    assert derive_early_batch(RampLimited(2, 8)).expr == sp.Rational(5, 2)
    assert derive_early_batch(
        RampLimited(sp.Rational(8, 5), sp.Rational(22, 5))
    ).expr == sp.Rational(17, 8)
    # without super-easy tasks there is nothing to restore
    assert derive_early_batch(RampLimited(2, 2)).derivation.refused() is None


def test_a_decay_that_meets_the_capacity_has_a_logarithm():
    found = derive_batch_ramp(RampLimited(2, 8, 1))
    assert found.expr == Fraction(1, 4)
    assert found.regimes[0].log_power == -Fraction(1, 4)
    assert found.derivation.refused() is None
    line = [
        entry
        for entry in derive_batch_ramp(RampLimited(decay=1)).regimes
        if entry.on_boundary and entry.log_power is None
    ]
    assert line


def test_a_corrupted_step_is_refused():
    derivation = derive_batch_ramp(RampLimited(decay=1)).derivation
    for quantity in ("S", "B_s", "B_u", "w_s", f"{TAU}_ramp"):
        place = max(i for i, e in enumerate(derivation.steps) if str(e.quantity) == quantity)
        entry = derivation.steps[place]
        wrong = type(entry)(
            entry.expr.func(entry.quantity, entry.value * sp.Rational(11, 10), evaluate=False),
            entry.relation,
            entry.reason,
            entry.reference,
            entry.where,
        )
        steps = (*derivation.steps[:place], wrong, *derivation.steps[place + 1 :])
        corrupted = Derivation(steps, derivation.conditions, derivation.box)
        assert corrupted.refused(start=place) is not None


@pytest.mark.parametrize(
    ("make", "complaint"),
    [
        (lambda: RampLimited(decay=-1), "at least 0"),
        (lambda: derive_batch_ramp(RampLimited(1, 3)), "must exceed 1"),
        (lambda: derive_batch_ramp(1), "RampLimited"),
        (lambda: derive_early_batch(1), "RampLimited"),
        (lambda: _law().evaluate("batch", B=4, p=1, u=1), "no finite value"),
    ],
)
def test_what_is_refused(make, complaint):
    with pytest.raises(DomainError, match=complaint):
        make()
