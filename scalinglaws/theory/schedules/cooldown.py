r"""What label noise is left at the end of a decay of the rate.

Noise that enters at intrinsic time u before the end is forgotten as :math:`K(u) = \sum_k \lambda_k^2 e^{-2\lambda_k u}`. Near its end a
decay :math:`(1 - t/T)^p` has the temperature :math:`\theta_0 (u/U)^\pi` with :math:`\pi = p/(p+1)`, U its intrinsic length.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import sympy as sp

from ...arguments import instance
from ...errors import refusal
from ...reprs import short_repr
from ..asymptotics import EXP, MellinSymbol, PowerSum, X, power_sum
from ..derivation import DEFINITION, EQUAL, Derivation, Step, asymptotic, step
from ..optimum import pieces
from ..parameters import as_expression
from ..records import Derived, Form, Regime
from ..references import FLAJOLET_1995, LI_2025_FUNCTIONAL
from ..relations import strongest
from ..symbols import ALPHA, INDEX, as_exponent, free_box
from ._letters import (
    KERNEL,
    LENGTH,
    NOISE,
    POWER,
    RANGES,
    REMAINING,
    STABLE,
    TEMPERATURE,
)
from ._sums import finite_trace, over_modes, tidy_gammas

NAMES = {"zeta": "spectrum", "gamma": "shape", "double": "boundary"}
"""Regimes: what decides is how fast the eigenvalues fall, or how the rate vanishes."""

_Y, _W, _H, _V, _C, _FLOOR, _EARLIER = sp.symbols("y w h V c V_floor V_stable", positive=True)


def as_power(value: Any) -> sp.Expr:
    """Check the power of a decay: a number, zero included, or a rational function of positive parameters."""
    found = as_exponent("power", value, "the decay (1 - t/T)^p")
    if found.is_negative:
        raise refusal("power", found, "must be 0, a constant rate, or more: the rate decays")
    return found


def decay(power: Any) -> MellinSymbol:
    r"""Return what a mode keeps of the noise of a decay, against :math:`y = \lambda U`.

    .. math:: h(y) = y^2 \int_0^1 v^\pi e^{-2yv}\,dv, \qquad \pi = \frac{p}{p+1}

    Parameters
    ----------
    power : Expr or number
        p >= 0, the power of the decay :math:`(1 - t/T)^p`; 0 for a constant rate.

    Returns
    -------
    MellinSymbol
        With transform :math:`\Gamma(s+2)\,2^{-s-2}/(\pi - 1 - s)`.

    Examples
    --------
    >>> decay(0).transform(sp.Rational(-3, 2)) == sp.sqrt(2 * sp.pi)
    True
    """
    p = as_power(power)
    vanishing = sp.cancel(p / (p + 1))
    half = sp.Rational(1, 2)
    return MellinSymbol(
        ((sp.Integer(2), sp.S.One, 0), (sp.cancel(vanishing - 1), -sp.S.One, 0)),
        ((vanishing, -sp.S.One),),
        half**2,
        half,
        2 ** (-1 - vanishing) * X ** (1 - vanishing) * sp.lowergamma(1 + vanishing, 2 * X),
    )


@short_repr
@dataclass(frozen=True)
class CooldownLimited:
    r"""Noise of the labels at the end of a decay :math:`(1 - t/T)^p` that starts at the temperature :math:`\theta_0`.

    .. math:: V = \theta_0\sigma^2 \int_0^U \Big(\frac uU\Big)^{\frac p{p+1}} \sum_k \lambda_k^2 e^{-2\lambda_k u}\,du,
              \qquad \lambda_k = k^{-b}

    Attributes
    ----------
    spectrum_exponent : Expr or number
        b.
    power : Expr or number
        p >= 0.
    box : mapping
        Ranges of the parameters in which the derivation is checked.
    """

    spectrum_exponent: Any = ALPHA
    power: Any = POWER
    box: Mapping[sp.Symbol, tuple[Any, Any]] = field(default_factory=lambda: RANGES)

    def __post_init__(self) -> None:
        """Refuse what is no exponent and no power."""
        b = as_exponent("spectrum_exponent", self.spectrum_exponent, "the eigenvalues k^-b")
        object.__setattr__(self, "spectrum_exponent", b)
        object.__setattr__(self, "power", as_power(self.power))
        finite_trace(b)
        free_box(self.box, b, self.power)


def may_vanish(power: sp.Expr) -> tuple[sp.Basic, ...]:
    """Return that a power may be zero, whatever its symbol is declared to be."""
    return (sp.Ge(power, 0, evaluate=False),) if power.is_Symbol else ()


def kernel_of(b: sp.Expr) -> tuple[sp.Sum, PowerSum, sp.Expr, sp.Expr]:
    r"""Return the kernel of the noise at u, its Mellin sum, and c and :math:`\chi` of its tail :math:`c\,u^{-\chi}`."""
    found = power_sum(sp.expand(2 * b), EXP.compose(-b))
    tail = found.terms[0]
    chi = sp.cancel(-tail.exponent / b)
    whole = over_modes(INDEX ** sp.expand(-2 * b), EXP, b, 2 * REMAINING)
    return whole, found, tidy_gammas(tail.coefficient) * sp.Integer(2) ** -chi, chi


def derive_cooldown(model: CooldownLimited) -> Derived:
    r"""Derive the label noise at the end of a decay, in units of :math:`\theta_0\sigma^2`.

    Parameters
    ----------
    model : CooldownLimited
        Any spectrum with a finite sum of eigenvalues, and any power.

    Returns
    -------
    Derived
        Regimes against the intrinsic length U: exponents 1 - 1/b, and :math:`\pi = p/(p+1)` where b exceeds p + 1; a logarithm where they
        are equal. Forms ``decay`` (both terms), ``stable`` (added by a stable phase before) and ``floor`` (of a constant rate).

    Examples
    --------
    >>> derive_cooldown(CooldownLimited(spectrum_exponent=3, power=1)).expr
    1/2
    >>> derive_cooldown(CooldownLimited(spectrum_exponent=3, power=2)).regimes[0].log_power
    1
    """
    instance("model", model, CooldownLimited)
    b, p = as_expression("b", model.spectrum_exponent), as_expression("p", model.power)
    shape = decay(p)
    found = power_sum(0, shape.compose(-b))
    regimes = []
    for branch in found.branches():
        term = branch.candidate
        regimes.append(
            Regime(
                NAMES[term.origin],
                branch.condition,
                sp.factor(sp.cancel(1 - term.exponent / b)),
                tidy_gammas(term.coefficient) * b**-term.log_power,
                term.log_power,
            )
        )
    kernel, tail, constant, chi = kernel_of(b)
    fading = sp.cancel(chi - 1)
    earlier = constant / fading * (LENGTH**-fading - (STABLE + LENGTH) ** -fading)
    conditions = strongest((*finite_trace(b), *found.conditions, *may_vanish(p)))
    zero = sp.Symbol("p", nonnegative=True)  # a number that is given for it may be zero
    forms = {
        "decay": Form(
            TEMPERATURE * NOISE * _both(regimes).subs(POWER, zero),
            "label noise left by a decay of intrinsic length U from the temperature theta: both terms",
        ),
        "stable": Form(
            TEMPERATURE * NOISE * earlier,
            "what a stable phase of intrinsic length X_0 before the decay adds, large U",
        ),
        "floor": Form(
            TEMPERATURE * NOISE * sp.zeta(b) / 2,
            "the floor of a constant rate at the temperature theta",
        ),
    }

    def build() -> Derivation:
        inner = sp.cancel(p / (p + 1))
        steps = [
            step(
                KERNEL,
                kernel,
                DEFINITION,
                "how noise is forgotten: mode k is driven by lambda_k^2 and forgets at the rate 2 lambda_k",
                LI_2025_FUNCTIONAL,
            ),
            step(
                KERNEL,
                tail.leading((2 * REMAINING) ** (1 / b)),
                asymptotic(REMAINING),
                "leading Mellin residue: a power",
                FLAJOLET_1995,
            ),
            *_earlier_steps(chi, constant, earlier),
            step(
                _FLOOR,
                sp.Sum(INDEX**-b / 2, (INDEX, 1, sp.oo)),
                DEFINITION,
                "a constant rate: all that the kernel ever remembers, lambda_k/2 from each mode",
            ),
            step(_FLOOR, sp.zeta(b) / 2, EQUAL, "a floor that does not fall"),
            step(
                _H,
                _Y**2
                * sp.Integral(
                    (1 + _W) ** (-2 - inner) * sp.exp(-2 * _Y / (1 + _W)), (_W, 0, sp.oo)
                ),
                DEFINITION,
                f"one mode: the temperature at u before the end is (u/U)^({inner}), u = U/(1 + w); y = lambda U",
            ),
            step(_H, shape.function.subs(X, _Y), EQUAL, "an incomplete Gamma function"),
            step(
                _V,
                over_modes(sp.S.One, shape, b, LENGTH) / LENGTH,
                DEFINITION,
                "all modes, in units of the first temperature times the noise of a label",
            ),
            step(
                _V,
                found.leading(LENGTH ** (1 / b)) / LENGTH,
                asymptotic(LENGTH),
                "leading Mellin residues: of how fast eigenvalues fall, or of how the rate vanishes",
                FLAJOLET_1995,
            ),
            *_read_off(tuple(regimes)),
        ]
        box = {**free_box(model.box, b, p), _Y: (sp.Rational(1, 2), sp.Integer(8))}
        return Derivation(tuple(steps), conditions, box)

    return Derived(tuple(regimes), conditions, build, forms=forms)


def _both(regimes: list[Regime]) -> sp.Expr:
    """Add the terms of all regimes: right next to the line, too, where they diverge with opposite signs; on it, the logarithm."""
    plain = [entry for entry in regimes if not entry.log_power]
    logs = [
        (entry.constant * LENGTH**-entry.exponent * sp.log(LENGTH), entry.condition)
        for entry in regimes
        if entry.log_power
    ]
    total = sp.Add(*(entry.constant * LENGTH**-entry.exponent for entry in plain))
    if not plain:
        return logs[0][0]
    return sp.Piecewise(*logs, (total, sp.true)) if logs else total


def _earlier_steps(chi: sp.Expr, constant: sp.Expr, value: sp.Expr) -> list[Step]:
    """Write what a stable phase before the decay leaves."""
    tail = (LENGTH + REMAINING) ** -chi - (STABLE + LENGTH + REMAINING) ** -chi
    return [
        step(
            _EARLIER,
            constant * sp.Integral(tail, (REMAINING, 0, sp.oo)),
            DEFINITION,
            "the kernel over a stable phase that began U + X_0 before the end and ended at U",
        ),
        step(_EARLIER, value, EQUAL, "what that phase adds"),
    ]


def _read_off(regimes: tuple[Regime, ...]) -> list[Step]:
    """Write the variance as constant times power; with its logarithm where the exponents are numbers that coincide."""
    plain = [(entry.constant, entry.condition) for entry in regimes if not entry.log_power]
    if not plain:
        (regime,) = regimes
        return [
            step(_C, regime.constant, DEFINITION, "the constant in front"),
            step(
                _V,
                _C * LENGTH**-regime.exponent * sp.log(LENGTH),
                asymptotic(LENGTH),
                "b = p + 1: a power law times a logarithm",
            ),
        ]
    exponent = sp.Min(*(entry.exponent for entry in regimes if not entry.log_power))
    return [
        step(_C, pieces(plain), DEFINITION, "the constant in front"),
        step(
            _V,
            _C * LENGTH**-exponent,
            EQUAL,
            "a power law (times a logarithm where b = p + 1)",
        ),
    ]
