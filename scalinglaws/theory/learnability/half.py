r"""With how many samples half of a mode, or another share of it, is learned."""

from __future__ import annotations

import sympy as sp

from ...arguments import instance
from ..asymptotics import X
from ..derivation import DEFINITION, EQUAL, Derivation, asymptotic, solves, step
from ..records import Derived, Form, Regime
from ..references import ATANASOV_2024
from ..symbols import P
from ._letters import DF, KAPPA, MODE, RIDGE
from .mode import RidgedSpectrum, counted

_EDGE, _C = sp.symbols("K c", positive=True)


def derive_half(model: RidgedSpectrum) -> Derived:
    r"""Derive how the samples that teach half of mode k grow with k.

    Parameters
    ----------
    model : RidgedSpectrum
        Any spectrum and any share. Its ridge falls with the number of the mode, as :math:`s k^{-\rho}`.

    Returns
    -------
    Derived
        Exponent of growth 1 where the ridge does not matter, :math:`1 + \alpha - \rho` where it does. Forms ``samples`` and ``crossover``
        take the ridge as a number.

    Examples
    --------
    >>> found = derive_half(RidgedSpectrum(2, 0))
    >>> found.expr, found.constant
    (2, s)
    >>> [(regime.exponent, regime.constant) for regime in derive_half(RidgedSpectrum(2, 1)).regimes]
    [(1, s + pi/2)]
    """
    instance("model", model, RidgedSpectrum)
    b, rho, s = model.spectrum_exponent, model.fading, model.strength
    odds = 1 / model.learnability - 1
    share, counting = counted(model, _EDGE)
    edge = MODE * odds ** (-1 / b)
    ridge, modes = s / odds, share * odds ** (-1 / b)
    constants = (ridge, modes, ridge + modes)
    first = sp.limit(model.occupation.function, X, 0)  # the share of the first modes
    exponents = (b - rho, sp.S.One, sp.S.One)
    given, own = s * MODE ** (b - rho) / odds, share * edge
    # what the leading term leaves out, relative to it; at the crossover it is all there
    corrections = (
        (modes / ridge, b - rho - 1),
        (ridge / modes, rho - b + 1),
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
        steps = [
            *counting,
            step(
                _EDGE,
                edge,
                DEFINITION,
                f"mode k is learned to {model.learnability} where kappa/P is {odds} of its eigenvalue",
            ),
            step(
                KAPPA,
                P * odds * model.eigenvalue,
                DEFINITION,
                "the effective ridge there",
            ),
            step(
                RIDGE,
                s * MODE**-rho,
                DEFINITION,
                "the ridge, fixed or smaller for later modes",
            ),
            step(
                P,
                given + DF,
                solves(sp.Eq(KAPPA, RIDGE + KAPPA * DF / P, evaluate=False)),
                "kappa = sigma^2 + kappa df/P is explicit: the samples are the ridge over the eigenvalue, and the modes that are learned",
                ATANASOV_2024,
            ),
            step(
                P,
                model.piecewise(given, own, given + own),
                asymptotic(MODE),
                "the larger of the two, or both",
            ),
            step(_C, model.piecewise(*constants), DEFINITION, "the constant in front"),
            step(P, _C * MODE ** sp.Max(b - rho, 1), EQUAL, "a power law"),
        ]
        return Derivation(tuple(steps), model.conditions, model.parameters)

    forms = {
        "samples": Form(
            RIDGE * MODE**b / odds + own + first * sp.zeta(0),
            "samples at which that share of mode k is learned, at the ridge sigma2, large k",
        ),
        "crossover": Form(
            (share * odds ** (1 - 1 / b) / RIDGE) ** (1 / (b - 1)),
            "the mode from which on the ridge sigma2 takes more samples than the modes before it",
        ),
    }
    return Derived(regimes, model.conditions, build, piecewise=True, forms=forms)
