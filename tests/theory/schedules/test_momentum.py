"""Constant momentum: its noise and its rate against the moments themselves, step by step."""

import numpy as np
import pytest
import sympy as sp

from scalinglaws import theory
from scalinglaws.errors import DomainError
from scalinglaws.solvers import PowerLawSpectrum
from scalinglaws.theory.derivation import Derivation
from scalinglaws.theory.schedules import (
    BATCH,
    MOMENTUM,
    RATE,
    MomentumLimited,
    derive_momentum,
)

EIGENVALUE = sp.Symbol("lambda", positive=True)


def _step(moments, x, count, method, batch, driven):
    """Return r, c and p of all nodes after a step; `driven` is the loss, label noise included."""
    r, c, p = moments
    a, g1, g2, g3 = method
    k = g2 + g1 * g3
    gradient = x * (1 + 1 / batch) * r + x * count / batch * driven
    return (
        r
        - 2 * k * x * r
        + k * k * x * gradient
        + (g3 * a * x) ** 2 * p
        - 2 * g3 * a * x * c
        + 2 * k * g3 * a * x * x * c,
        a * c
        + g1 * r
        - k * a * x * c
        - k * g1 * gradient
        - g3 * a * a * x * p
        - g3 * a * g1 * x * c,
        a * a * p + 2 * a * g1 * c + g1 * g1 * gradient / x,
    )


def _law():
    return theory.law("schedules.momentum")


def test_exponents_are_those_of_sgd():
    law = _law().in_notation("bordelon")
    for a, b, value in ((1.75, 1.5, 0.5), (2.2, 1.5, 0.8), (4.2, 1.5, 4 / 3), (1.6, 2, 0.3)):
        assert law(a=a, b=b) == pytest.approx(value)
    assert _law().regime(alpha=1.5, beta=0.5) == "time-limited"
    assert _law().regime(alpha=1.5, beta=2) == "noise-limited"
    assert _law().regime(alpha=2, beta=sp.Rational(3, 2)) == "boundary"
    assert _law().log_power(alpha=2, beta=sp.Rational(3, 2)) == 0
    with pytest.raises(DomainError, match="alpha > 1"):
        _law()(alpha=0.5, beta=1)


def test_the_noise_of_heavy_ball_and_of_nesterov():
    """The stability of both, as it is printed; from one system of equations."""
    x, mu, eta, batch = EIGENVALUE, MOMENTUM, RATE, BATCH
    heavy = eta * x / batch * (1 + mu)
    heavy /= 2 * (1 - mu**2) - eta * x * ((1 - mu) + (1 + mu) / batch)
    assert sp.cancel(_law().forms["noise"].expr - heavy) == 0
    found = derive_momentum(MomentumLimited(direct=eta, recalled=eta * mu))
    other = eta * x / batch * (1 + mu + mu * (1 + 2 * mu) * eta * x)
    other /= (
        2 * (1 - mu**2)
        - eta * x * (1 - mu - 4 * mu**2 + (1 + mu) / batch)
        - mu * (1 + 2 * mu) * eta**2 * x**2 * (1 + 1 / batch)
    )
    assert sp.cancel(found.forms["noise"].expr - other) == 0
    assert found.forms["effective_rate"].expr == eta / (1 - mu)
    assert found.derivation.refused() is None
    plain = derive_momentum(MomentumLimited(memory=0, collected=0, direct=eta, recalled=0))
    sgd = eta * x / batch / (2 - eta * x * (1 + 1 / batch))
    assert sp.cancel(plain.forms["noise"].expr - sgd) == 0


@pytest.mark.parametrize(
    ("memory", "direct", "recalled"), [(0.9, 0.0, 0.05), (0.8, 0.1, 0.08), (0.0, 0.3, 0.0)]
)
def test_the_noise_against_the_recursion(memory, direct, recalled):
    """Modes that gradients of one unit of loss keep up, step by step until they no longer change."""
    x, batch = np.array([1.0, 0.3, 0.05]), 3.0
    method = (memory, 1.0, direct, recalled)
    moments = (np.zeros(3),) * 3
    for _ in range(4000):
        moments = _step(moments, x, 1.0, method, batch, 1.0)
    model = MomentumLimited(
        memory=sp.nsimplify(memory),
        direct=sp.nsimplify(direct),
        recalled=sp.nsimplify(recalled),
    )
    form = derive_momentum(model).forms["noise"].expr
    expected = [float(form.subs({EIGENVALUE: sp.nsimplify(v), BATCH: 3})) for v in x]
    assert moments[0] == pytest.approx(expected, rel=1e-9)


def test_the_loss_is_that_of_sgd_at_the_effective_rate():
    """Heavy ball over SGD, with label noise: as printed, within the rounding of what is printed."""
    modes = PowerLawSpectrum.from_ab(2, 1.5).modes()
    keep = modes.eigenvalues > 1e-9
    x, count, signal = (
        values[keep] for values in (modes.eigenvalues, modes.multiplicities, modes.signal)
    )
    found = []
    for method in ((0.9, 1.0, 0.0, 0.01), (0.0, 0.0, 0.1, 0.0)):
        moments = (signal.copy(), np.zeros_like(x), np.zeros_like(x))
        for _ in range(20000):
            moments = _step(moments, x, count, method, 4.0, moments[0].sum() + 0.1)
        found.append(moments[0].sum())
    assert found[0] / found[1] - 1 == pytest.approx(-0.012, abs=6e-4)


def test_the_effective_rate_is_bounded():
    law = _law()
    largest = law.evaluate("largest_rate", alpha=1.5, B=1)
    assert largest == pytest.approx(2 / 2.6123753486854883)
    assert law.evaluate("effective_rate", eta=0.01, mu=0.9) == pytest.approx(0.1)
    assert law.evaluate("memory", mu=0.99) == pytest.approx(100)
    # whatever the momentum, the noise norm at the bound exceeds 1: the sum over modes, and the tail by its leading term
    k = np.arange(1.0, 20001)
    for mu in (0.3, 0.9, 0.99):
        eta = largest * (1 - mu)
        values = {"eta": eta, "mu": mu, "B": 1}
        stable = eta * ((1 - mu) + (1 + mu)) < 2 * (1 - mu**2)
        if stable:
            noise = law.evaluate("noise", **{"lambda": k**-1.5}, **values)
            tail = largest / 2 * 2 * (k[-1] + 0.5) ** -0.5
            assert np.sum(noise) + tail > 1


@pytest.mark.parametrize(("b", "a"), [(2, 2), (2, 4), (sp.Rational(3, 2), 3), (3, 9)])
def test_numbers_for_exponents(b, a):
    found = derive_momentum(MomentumLimited(b, a, memory=sp.Rational(9, 10)))
    assert found.expr == min(sp.Rational(a - 1) / b, 2 - 1 / sp.Rational(b))
    assert found.derivation.refused() is None


def test_a_corrupted_step_is_refused():
    derivation = derive_momentum(MomentumLimited(direct=RATE, recalled=RATE * MOMENTUM)).derivation
    for quantity in ("epsilon", "r", "K_1"):
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
        assert corrupted.refused(start=place) == place


@pytest.mark.parametrize(
    ("make", "complaint"),
    [
        (lambda: MomentumLimited(memory=1), "below 1"),
        (lambda: MomentumLimited(memory=-1), "at least 0"),
        (lambda: MomentumLimited(recalled=0), "nothing is learned"),
        (lambda: MomentumLimited(recalled=sp.Symbol("z", positive=True)), "no range for z"),
        (lambda: derive_momentum(MomentumLimited(1, 2)), "must exceed 1"),
        (lambda: derive_momentum(None), "MomentumLimited"),
    ],
)
def test_what_is_refused(make, complaint):
    with pytest.raises(DomainError, match=complaint):
        make()
