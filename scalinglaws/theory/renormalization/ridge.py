r"""What modes add to the ridge when they are integrated out, and down to which mode there is anything to learn."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import sympy as sp

from ...arguments import instance
from ...errors import refusal
from ...reprs import short_repr
from ..asymptotics import RATIONAL, TAIL, MellinCombination, MellinSymbol, X, power_sum
from ..derivation import DEFINITION, EQUAL, Derivation, asymptotic, step
from ..learnability import Crossover, RidgedSpectrum
from ..mellin import as_shape
from ..records import Derived, Form, Regime
from ..references import ATANASOV_2024, FLAJOLET_1995, RINGEL_2025
from ..symbols import ALPHA, P, as_exponent, free_box
from ._letters import BOX, CUTOFF, KAPPA, OTHER, RIDGE

_FLOW, _KEPT, _ADDED, _C = sp.symbols("sigma2_Lambda E A c", positive=True)


@short_repr
@dataclass(frozen=True)
class IntegratedModes:
    r"""Kernel regression whose modes beyond :math:`\Lambda` have become part of the ridge.

    .. math:: \sigma^2_\Lambda = \sigma^2 + \sum_{j>\Lambda}\lambda_j\,r\Big(\frac{\kappa}{P\lambda_j}\Big), \qquad \lambda_j = j^{-b},
              \qquad \kappa = \sigma^2_0

    Attributes
    ----------
    spectrum_exponent : Expr or number
        b > 1.
    residual : MellinSymbol or MellinCombination
        Share r of a mode that is not learned, :math:`x/(1 + x)`: 1 at large x.
    box : mapping
        Ranges of the parameters in which the derivation is checked.
    """

    spectrum_exponent: Any = 1 + ALPHA
    residual: MellinSymbol | MellinCombination = field(default_factory=lambda: RATIONAL(1, 1))
    box: Mapping[sp.Symbol, tuple[Any, Any]] = field(default_factory=lambda: BOX)

    def __post_init__(self) -> None:
        """Refuse what is no exponent and no share."""
        b = as_exponent("spectrum_exponent", self.spectrum_exponent, "the eigenvalues j^-b")
        if (b - 1).is_nonpositive:
            raise refusal("spectrum_exponent", b, "must exceed 1: the kernel has a finite trace")
        as_shape("residual", self.residual)
        if sp.limit(self.residual.function, X, sp.oo) != 1:
            raise refusal(
                "residual", self.residual, "must tend to 1: late modes are not learned at all"
            )
        object.__setattr__(self, "spectrum_exponent", b)
        free_box(self.box, b)


def derive_ridge_flow(model: IntegratedModes) -> Derived:
    r"""Derive how the ridge that integrated modes make depends on the cutoff.

    Parameters
    ----------
    model : IntegratedModes
        Any spectrum and any share that is not learned.

    Returns
    -------
    Derived
        Exponent :math:`\alpha` and constant :math:`1/\alpha` of :math:`\sigma^2_\Lambda - \sigma^2` beyond the modes that are learned.
        Forms ``naive`` (that, with the ridge), ``learned`` (before them: each mode that is kept takes :math:`\kappa/P`) and ``slope``.

    Examples
    --------
    >>> found = derive_ridge_flow(IntegratedModes(3))
    >>> found.expr, found.constant
    (2, 1/2)
    """
    instance("model", model, IntegratedModes)
    b = model.spectrum_exponent
    tail = power_sum(b, TAIL, mode="integral")
    (term,) = tail.terms
    constant, exponent = sp.gammasimp(sp.cancel(term.coefficient)), sp.expand(-term.exponent)
    conditions = (sp.Gt(b, 1),) if sp.Gt(b, 1) != sp.true else ()

    def left(number: sp.Expr) -> sp.Expr:
        share = model.residual.function.subs(X, KAPPA * number**b / P)
        return number**-b * share

    def build() -> Derivation:
        steps = [
            step(
                RIDGE,
                KAPPA - sp.Sum(left(OTHER), (OTHER, 1, sp.oo)),
                DEFINITION,
                "the equation of the effective ridge kappa, read as the ridge that makes it",
                ATANASOV_2024,
            ),
            step(
                _FLOW,
                RIDGE + sp.Sum(left(OTHER + CUTOFF), (OTHER, 1, sp.oo)),
                DEFINITION,
                "modes beyond Lambda act as noise: each adds what is not learned of it",
                RINGEL_2025,
            ),
            step(
                _KEPT,
                _FLOW + sp.Sum(left(OTHER), (OTHER, 1, CUTOFF)),
                DEFINITION,
                "right side of the equation for the effective ridge of the modes that are kept, with that ridge",
            ),
            step(
                _KEPT,
                KAPPA,
                EQUAL,
                "the same kappa: modes that are kept are learned as before",
            ),
            step(
                _ADDED,
                sp.Sum(left(OTHER + CUTOFF), (OTHER, 1, sp.oo)),
                DEFINITION,
                "what the modes beyond Lambda have added",
            ),
            step(
                _ADDED,
                term.term(CUTOFF),
                asymptotic(CUTOFF),
                "beyond the modes that are learned all of the eigenvalue is added: Mellin transform of a sharp cutoff",
                FLAJOLET_1995,
            ),
            step(_C, constant, DEFINITION, "the constant in front"),
            step(_ADDED, _C * CUTOFF**-exponent, EQUAL, "a power law"),
        ]
        box = free_box(model.box, b, model.residual.function)
        return Derivation(tuple(steps), conditions, box)

    forms = {
        "naive": Form(
            RIDGE + constant * CUTOFF**-exponent,
            "the ridge with all later modes added to it, large Lambda",
        ),
        "learned": Form(
            KAPPA - CUTOFF * sp.limit(X**-1 * model.residual.function, X, 0) * KAPPA / P,
            "the same before the modes that are learned end: each that is kept takes kappa/P away",
        ),
        "slope": Form(
            -sp.factor(sp.powsimp(left(CUTOFF))), "derivative of the ridge with respect to Lambda"
        ),
    }
    regime = Regime("beyond what is learned", sp.true, exponent, constant)
    return Derived((regime,), conditions, build, forms=forms)


def derive_infrared(model: RidgedSpectrum) -> Derived:
    r"""Derive down to which mode the flow of the ridge has anything to learn: where :math:`P\lambda_\Lambda = \sigma^2_\Lambda`.

    Parameters
    ----------
    model : RidgedSpectrum
        Any spectrum, any ridge.

    Returns
    -------
    Derived
        Exponents of growth with P: 1, with constant :math:`\alpha`, where the modes make the ridge; :math:`(1 + \rho)/(1 + \alpha)` where
        it is given. Forms ``effective`` (where :math:`P\lambda = \kappa` instead: the same power, another prefactor) and ``error``.

    Examples
    --------
    >>> found = derive_infrared(RidgedSpectrum(2, 0))
    >>> found.expr, found.constant
    (1/2, 1/sqrt(s))
    """
    instance("model", model, RidgedSpectrum)
    b, rho, s = model.spectrum_exponent, model.fading, model.strength
    alpha = b - 1
    (term,) = power_sum(b, TAIL, mode="integral").terms
    added = sp.gammasimp(sp.cancel(term.coefficient))
    both = Crossover(s, added, alpha / b)
    exponents = (sp.cancel((1 + rho) / b), sp.S.One, sp.S.One)
    constants = (s ** (-1 / b), 1 / added, both ** (-1 / b))
    corrections = (
        (added * s ** (-1 / b) / b, (alpha - rho) / b),
        (s * added**-b, rho - alpha),
        (sp.S.Zero, sp.S.One),
    )
    regimes = model.regimes(
        *(
            Regime("", sp.true, exponent, constant, 0, correction)
            for exponent, constant, correction in zip(
                exponents, constants, corrections, strict=True
            )
        )
    )

    def build() -> Derivation:
        scales = tuple(
            size * P**exponent for size, exponent in zip(constants, exponents, strict=True)
        )
        meeting = model.piecewise(
            *(size * P**-power for size, power in ((s, rho), (added**b, alpha), (both, alpha)))
        )
        steps = [
            step(
                _ADDED,
                sp.Sum((OTHER + CUTOFF) ** -b, (OTHER, 1, sp.oo)),
                DEFINITION,
                "later modes, all of which act as noise: naive, since the next ones are learned in part",
                RINGEL_2025,
            ),
            step(
                _ADDED,
                added * CUTOFF**-alpha,
                asymptotic(CUTOFF),
                "Mellin transform of a sharp cutoff",
                FLAJOLET_1995,
            ),
            step(
                _FLOW,
                s * P**-rho + _ADDED,
                DEFINITION,
                "the ridge at the scale Lambda, with the given one",
            ),
            step(_KEPT, P * CUTOFF**-b, DEFINITION, "P times the eigenvalue at Lambda"),
            step(
                CUTOFF,
                model.piecewise(*scales),
                DEFINITION,
                "where the two meet, by which of the ridges is larger",
            ),
            step(_KEPT, meeting, EQUAL, "P times the eigenvalue there"),
            step(_FLOW, meeting, asymptotic(P), "the ridge there: the same to leading order"),
            step(_C, model.piecewise(*constants), DEFINITION, "the constant in front"),
            step(CUTOFF, _C * P ** sp.Min(*exponents), EQUAL, "a power law"),
        ]
        return Derivation(tuple(steps), model.conditions, model.parameters)

    forms = {
        "effective": Form(
            P / model.share,
            "where P times the eigenvalue is the effective ridge, no ridge given: the same power, another prefactor",
        ),
        "fixed": Form((P / RIDGE) ** (1 / b), "the scale at a ridge sigma2 that matters"),
        "error": Form(
            added * CUTOFF**-alpha,
            "error of a target typical of the prior, of which modes beyond Lambda are missing; the power only",
        ),
        "ridge": Form(model.ridge, "the given ridge"),
    }
    return Derived(regimes, model.conditions, build, forms=forms)
