"""The flow of the ridge and the infrared scale, against sums of this file's own."""

import math
from dataclasses import replace

import numpy as np
import pytest
import sympy as sp
from scipy import optimize
from scipy.special import zeta

from scalinglaws import theory
from scalinglaws.errors import DomainError
from scalinglaws.theory.asymptotics import EXP, RATIONAL
from scalinglaws.theory.learnability import RidgedSpectrum
from scalinglaws.theory.renormalization import IntegratedModes, derive_infrared, derive_ridge_flow

ALPHA = sp.Symbol("alpha", positive=True)


def effective_ridge(eigenvalues, samples, ridge):
    return math.exp(
        optimize.brentq(
            lambda log: (
                1
                - ridge / math.exp(log)
                - np.sum(eigenvalues / (math.exp(log) + samples * eigenvalues))
            ),
            math.log(max(ridge, 1e-12)),
            math.log(ridge + eigenvalues.sum()),
            xtol=1e-14,
        )
    )


def flowed(eigenvalues, samples, ridge, cutoff):
    """Add what is not learned of later modes."""
    kappa = effective_ridge(eigenvalues, samples, ridge)
    later = eigenvalues[cutoff:]
    return ridge + float(np.sum(later * kappa / (kappa + samples * later))), kappa


@pytest.mark.parametrize(
    ("samples", "ridge", "alpha", "modes", "kappa", "at_5", "at_20"),
    [
        (20, 0.05, 1, 400, 0.199340601, 0.154165419, 0.0928718546),
        (60, 0.05, 1, 400, 0.115446085, 0.106022493, 0.0842803909),
        (100, 1e-6, 0.5, 2000, 0.304230797, 0.289274149, 0.249393364),
    ],
)
def test_the_flow_of_finite_spectra(samples, ridge, alpha, modes, kappa, at_5, at_20):
    """Reference values; the kept modes with that ridge have the same effective ridge, as a step of the derivation says."""
    eigenvalues = np.arange(1, modes + 1.0) ** -(1 + alpha)
    for cutoff, wanted in ((5, at_5), (20, at_20)):
        found, whole = flowed(eigenvalues, samples, ridge, cutoff)
        assert whole == pytest.approx(kappa, abs=1e-9)
        assert found == pytest.approx(wanted, rel=2e-8)
        kept = effective_ridge(eigenvalues[:cutoff], samples, found)
        assert kept == pytest.approx(whole, rel=1e-11)
        law = theory.law("renormalization.ridge_flow")
        values = {"alpha": alpha, "Lambda": cutoff, "sigma2": ridge, "P": samples, "kappa": kappa}
        forms = {entry.name: entry.value for entry in law.evaluations(**values)}
        # between what late modes could add and what early ones take
        assert forms["learned"] < found < forms["naive"]


@pytest.mark.parametrize("alpha", [0.5, 1.0, 2.0])
def test_what_late_modes_add(alpha):
    found = derive_ridge_flow(IntegratedModes())
    assert found.expr == ALPHA
    assert found.constant == 1 / ALPHA
    j = np.arange(1, 2_000_001.0)
    kappa, samples = 0.3, 40.0
    for cutoff in (300, 3_000):
        later = j[cutoff:] ** -(1 + alpha)
        total = (
            float(np.sum(later * kappa / (kappa + samples * later)))
            + (j[-1] + 0.5) ** -alpha / alpha
        )
        share = total / (float(found.constant.subs(ALPHA, alpha)) * cutoff**-alpha) - 1
        # the sum starts half a mode beyond the cutoff, and a part of the next modes is learned
        late = samples / kappa * alpha / (1 + 2 * alpha) * cutoff ** -(1 + alpha)
        first = alpha / (2 * cutoff) + late
        assert share == pytest.approx(
            -first, abs=samples * kappa**-1 * cutoff ** -(1 + alpha) * late + 4 * first**2
        )
        assert abs(share) < 0.03


@pytest.mark.parametrize(
    "shape",
    [RATIONAL(2, 2), RATIONAL(1, 1), RATIONAL(1, 1) * sp.S.Half + RATIONAL(2, 2) * sp.S.Half],
)
def test_other_shares_that_are_not_learned(shape):
    found = derive_ridge_flow(IntegratedModes(sp.Rational(7, 3), shape))
    assert (found.expr, found.constant) == (sp.Rational(4, 3), sp.Rational(3, 4))
    assert found.derivation.refused() is None


@pytest.mark.parametrize(
    ("alpha", "rho", "s"),
    [
        (1.0, 0.0, 0.05),
        (0.5, 0.0, 1.0),
        (2.0, 1.0, 0.3),
        (1.0, 2.0, 0.5),
        (1.0, 1.0, 0.7),
        (0.5, 0.5, 3.0),
    ],
)
def test_the_infrared_scale_solves_its_equation(alpha, rho, s):
    law = theory.law("renormalization.infrared_scale")
    errors = []
    for samples in (1e5, 1e7):
        ridge = s * samples**-rho

        def excess(log, samples=samples, ridge=ridge):
            # all later modes: the Hurwitz zeta function
            return (
                samples * math.exp(-(1 + alpha) * log) - ridge - zeta(1 + alpha, math.exp(log) + 1)
            )

        solved = math.exp(optimize.brentq(excess, 0, math.log(samples) + 5, xtol=1e-13))
        errors.append(law.asymptote(samples, alpha=alpha, rho=rho, s=s) / solved - 1)
        regime = law.branch(alpha=alpha, rho=rho, s=s)
        size, fades = (
            float(part.subs({"alpha": alpha, "rho": rho, "s": s}))
            for part in _plain(regime.correction)
        )
        assert errors[-1] == pytest.approx(
            size * samples**-fades, abs=2 * (size * samples**-fades) ** 2 + 3 / solved
        )
    assert abs(errors[1]) < abs(errors[0])


def _plain(parts):
    return [
        part.subs({symbol: sp.Symbol(symbol.name) for symbol in part.free_symbols})
        for part in parts
    ]


def test_exponents_of_the_infrared_scale():
    law = theory.law("renormalization.infrared_scale")
    assert (law(alpha=1, rho=0), law(alpha=1, rho=2), law(alpha=3, rho=1)) == (
        sp.S.Half,
        1,
        sp.S.Half,
    )
    assert law.standing == "heuristic"
    assert law.branch(alpha=1, rho=2, s=1).constant == ALPHA
    # where P lambda = kappa instead: a prefactor of 2/pi at alpha = 1, where the naive scale has 1
    forms = {entry.name: entry.value for entry in law.evaluations(alpha=1, P=60, sigma2=0.05)}
    assert forms["effective"] == pytest.approx(60 * 2 / math.pi, rel=1e-12)
    assert forms["fixed"] == pytest.approx(math.sqrt(1200), rel=1e-12)


@pytest.mark.parametrize(
    "make",
    [
        lambda: IntegratedModes(1),
        lambda: IntegratedModes(residual=RATIONAL(0, 1)),
        lambda: IntegratedModes(residual=EXP),
        lambda: IntegratedModes(residual=1),
        lambda: derive_ridge_flow(RidgedSpectrum()),
        lambda: derive_infrared(IntegratedModes()),
    ],
)
def test_refusals(make):
    with pytest.raises(DomainError):
        make()


@pytest.mark.parametrize(
    "found",
    [
        derive_ridge_flow(IntegratedModes(3)),
        derive_infrared(RidgedSpectrum(2, 3)),
        derive_infrared(RidgedSpectrum(sp.Rational(5, 2), sp.Rational(3, 2))),
    ],
)
def test_every_corrupted_step_of_other_models_is_refused(found):
    derivation = found.derivation
    assert derivation.refused() is None
    for index, entry in enumerate(derivation.steps):
        steps = list(derivation.steps)
        value = sp.Rational(11, 10) * entry.value
        steps[index] = replace(entry, expr=sp.Eq(entry.quantity, value, evaluate=False))
        assert replace(derivation, steps=tuple(steps)).refused(start=index) is not None, str(entry)
