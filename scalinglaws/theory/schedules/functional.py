r"""The functional law: bias that depends on intrinsic time alone, and noise that enters and is forgotten.

At small :math:`\eta\lambda_1`, with :math:`\tau = \sum\eta` and the temperature :math:`\theta = \eta/B`,

.. math:: L(\tau) = F(\tau) + \int_0^\tau \theta(\tau')\,K(\tau - \tau')\,(L(\tau') + \sigma^2)\,d\tau', \qquad
          F = \sum_k s_k e^{-2\lambda_k\tau},\quad K(u) = \sum_k \lambda_k^2 e^{-2\lambda_k u} .
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import sympy as sp

from ...arguments import instance
from ...reprs import short_repr
from ..asymptotics import EXP, power_sum
from ..derivation import DEFINITION, EQUAL, Derivation, Step, asymptotic, step
from ..optimum import pieces
from ..records import Derived, Form, Regime
from ..references import BORDELON_2024, FLAJOLET_1995, LI_2025_FUNCTIONAL, PAQUETTE_2024
from ..relations import against_zero, strongest
from ..symbols import ALPHA, BETA, BOX, INDEX, check_task, free_box
from ._letters import INTRINSIC, KERNEL, LOSS, NOISE, REMAINING, TEMPERATURE
from ._sums import finite_trace, over_modes, tidy_gammas
from .cooldown import kernel_of

_BIAS, _FED, _MEMORY, _FLOOR, _C = sp.symbols("F E M V_floor c", positive=True)
_PARTS = {"bias": _BIAS, "first steps": _FED, "boundary": _BIAS + _FED}


@short_repr
@dataclass(frozen=True)
class FunctionalLimited:
    r"""One-pass SGD on modes :math:`\lambda_k = k^{-b}`, :math:`s_k = k^{-a}` at a small temperature, features unlimited.

    Attributes
    ----------
    spectrum_exponent, signal_exponent : Expr or number
        b and a.
    box : mapping
        Ranges of the parameters in which the derivation is checked.
    """

    spectrum_exponent: Any = ALPHA
    signal_exponent: Any = ALPHA * BETA + 1
    box: Mapping[sp.Symbol, tuple[Any, Any]] = field(default_factory=lambda: BOX)

    def __post_init__(self) -> None:
        """Refuse what is no exponent, and a spectrum whose noise has no sum."""
        check_task(self)
        finite_trace(self.spectrum_exponent)


def derive_functional(model: FunctionalLimited) -> Derived:
    r"""Derive the loss against intrinsic time without label noise, to leading order in the temperature, whatever the schedule.

    Parameters
    ----------
    model : FunctionalLimited
        Any spectrum and signal.

    Returns
    -------
    Derived
        Regimes against :math:`X = \sum\eta`: the bias, :math:`\beta`, or what is left of the gradient noise of the first steps, which is in
        proportion to the loss, :math:`\chi = 2 - 1/b`. Forms ``bias``, ``floor`` (of label noise at a constant rate) and ``loss`` (both).

    Examples
    --------
    >>> derive_functional(FunctionalLimited(spectrum_exponent=2, signal_exponent=6)).expr
    3/2
    """
    instance("model", model, FunctionalLimited)
    a, b = model.signal_exponent, model.spectrum_exponent
    x = sp.cancel((a - 1) / b)
    left = power_sum(a, EXP.compose(-b))
    bias = tidy_gammas(left.terms[0].coefficient) * sp.Integer(2) ** -x
    kernel, tail, forgetting, chi = kernel_of(b)
    fed = TEMPERATURE * forgetting * sp.zeta(sp.expand(a - b)) / 2
    regimes = tuple(
        Regime(name, condition, exponent, constant, 0, correction)
        for name, condition, exponent, constant, correction in (
            ("bias", against_zero(chi - x, sp.Gt), x, bias, (fed / bias, chi - x)),
            ("first steps", against_zero(chi - x, sp.Lt), chi, fed, (bias / fed, x - chi)),
            ("boundary", against_zero(chi - x, sp.Eq), x, bias + fed, (sp.S.Zero, sp.S.One)),
        )
        if condition != sp.false
    )
    conditions = strongest((*left.conditions, *finite_trace(b)))
    floor = TEMPERATURE * NOISE * sp.zeta(b) / 2
    forms = {
        "bias": Form(bias * INTRINSIC**-x, "bias at the intrinsic time X, under any schedule"),
        "floor": Form(floor, "label noise in the loss at a constant rate, temperature theta"),
        "loss": Form(
            bias * INTRINSIC**-x + floor,
            "loss at a constant rate: the bias, and a floor that only a decay removes",
        ),
    }

    def build() -> Derivation:
        easy = against_zero(chi - x, sp.Lt)
        steps = [
            step(
                _BIAS,
                over_modes(INDEX**-a, EXP, b, 2 * INTRINSIC),
                DEFINITION,
                "bias: mode k has decayed by exp(-2 lambda_k X), X the sum of all rates in whatever order",
                LI_2025_FUNCTIONAL,
            ),
            step(
                _BIAS,
                left.leading((2 * INTRINSIC) ** (1 / b)),
                asymptotic(INTRINSIC),
                "leading Mellin residue of what is not learned",
                FLAJOLET_1995,
            ),
            step(
                KERNEL,
                kernel,
                DEFINITION,
                "noise of a gradient drives mode k by lambda_k^2 and is forgotten at the rate 2 lambda_k",
                PAQUETTE_2024,
            ),
            step(
                KERNEL,
                tail.leading((2 * REMAINING) ** (1 / b)),
                asymptotic(REMAINING),
                "leading Mellin residue",
                FLAJOLET_1995,
            ),
            step(
                _FLOOR,
                sp.Sum(INDEX**-b / 2, (INDEX, 1, sp.oo)),
                DEFINITION,
                "label noise at a constant rate: all that the kernel remembers, lambda_k/2 from each mode",
            ),
            step(_FLOOR, sp.zeta(b) / 2, EQUAL, "in units of theta sigma^2"),
        ]
        if easy != sp.false:
            steps += _first_steps(a, b, tail.leading((2 * INTRINSIC) ** (1 / b)), fed, chi, easy)
        exponent = sp.Min(*(entry.exponent for entry in regimes if not entry.on_boundary))
        plain = [(entry.constant, entry.condition) for entry in regimes if not entry.on_boundary]
        if not plain:  # both at once
            plain = [(regimes[0].constant, sp.true)]
            exponent = x
        steps += [
            step(
                LOSS,
                pieces([(_PARTS[entry.name], entry.condition) for entry in regimes]),
                DEFINITION,
                "the slower of the two; where the first steps decide, the loss they fed on has a finite sum",
                BORDELON_2024,
            ),
            step(_C, pieces(plain), DEFINITION, "the constant in front"),
            step(LOSS, _C * INTRINSIC**-exponent, EQUAL, "a power of intrinsic time"),
        ]
        return Derivation(tuple(steps), conditions, free_box(model.box, a, b))

    return Derived(regimes, conditions, build, forms=forms)


def _first_steps(
    a: sp.Expr, b: sp.Expr, tail: sp.Expr, fed: sp.Expr, chi: sp.Expr, where: sp.Basic
) -> list[Step]:
    """Write what is left of the gradient noise of the first steps, on tasks so easy that it outlives the bias."""
    return [
        step(
            _MEMORY,
            sp.Sum(INDEX ** sp.expand(b - a) / 2, (INDEX, 1, sp.oo)),
            DEFINITION,
            "the loss summed over intrinsic time, s_k/(2 lambda_k) from each mode: what gradient noise feeds on",
            PAQUETTE_2024,
            where,
        ),
        step(
            _MEMORY,
            sp.zeta(sp.expand(a - b)) / 2,
            EQUAL,
            "finite: it comes from the first steps",
            None,
            where,
        ),
        step(
            _FED,
            TEMPERATURE * tail * _MEMORY,
            DEFINITION,
            "remembered at X: the kernel's tail times what it was fed",
            None,
            where,
        ),
        step(_FED, fed * INTRINSIC**-chi, EQUAL, "a power", None, where),
    ]
