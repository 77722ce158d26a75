"""When to stop training the lazy linear model with noise: bias against variance, and the best ridge for comparison.

Features are assumed to be Gaussian, or to act as if they were; see the package.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import sympy as sp

from ...arguments import instance
from ...reprs import short_repr
from ..asymptotics import EXP, ONE_MINUS_EXP, MellinCombination, MellinSymbol
from ..derivation import DEFINITION, EQUAL, Derivation, Step, step
from ..optimum import pieces
from ..records import Derived, Form
from ..references import ALI_2019, KRAMP_2026, YAO_2007
from ..relations import strongest
from ..symbols import ALPHA, BETA, BOX, T, check_task
from .ridge import SAMPLES, RidgeLimited, derive_ridge

STOPPED: MellinSymbol = EXP.scale(2).compose(-1)
r"""What is left of a mode's power at time t, :math:`e^{-2\lambda t}`, against :math:`x = 1/(\lambda t)`."""

FITTED: MellinCombination = 2 * ONE_MINUS_EXP.compose(-1) - ONE_MINUS_EXP.scale(2).compose(-1)
r"""How much of the noise a mode has fitted by then, :math:`(1 - e^{-\lambda t})^2`."""

_K, _L, _C, _B, _DF2, _M = sp.symbols("K L c B df_2 m", positive=True)
_RIDGE = {name: sp.Symbol(f"{name}_r", positive=True) for name in (_K, _L, _C, _B, _DF2, _M)}
_RATIO = sp.Symbol("R", positive=True)


@short_repr
@dataclass(frozen=True)
class StoppingLimited:
    r"""A noisy linear model that is trained for the best time, features unlimited.

    With X samples per noise variance, :math:`\lambda_k = k^{-b}` and :math:`s_k = k^{-a}`,

    .. math:: L(X) = \min_t \Big[\sum_k s_k\, e^{-2\lambda_k t} + \frac1X \sum_k (1 - e^{-\lambda_k t})^2\Big]

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
        """Refuse what is no exponent."""
        check_task(self)


def derive_early_stopping(model: StoppingLimited) -> Derived:
    r"""Derive how the loss at the best stopping time falls with samples per noise variance, beside that at the best ridge.

    What is left of the signal, :math:`e^{-2\lambda t}`, has no pole to the right: stopping never saturates. The bias of a ridge,
    :math:`(1 + \lambda/r)^{-2}`, has one at 2.

    Parameters
    ----------
    model : StoppingLimited
        Any spectrum and signal.

    Returns
    -------
    Derived
        One regime, its conditions and steps; as forms the best ``time``, the exponent ``ridge_exponent`` of the loss at the best
        ridge, and where ridge does not saturate, :math:`a < 2b + 1`, the ``ratio`` of the two losses.

    Examples
    --------
    >>> found = derive_early_stopping(StoppingLimited(spectrum_exponent=sp.Rational(3, 2), signal_exponent=6))
    >>> found.expr, found.forms["ridge_exponent"].expr
    (5/6, 3/4)
    >>> found = derive_early_stopping(StoppingLimited(spectrum_exponent=sp.Rational(3, 2), signal_exponent=2))
    >>> found.expr, found.forms["ratio"].expr.evalf(6)
    (1/2, 0.983508)
    """
    instance("model", model, StoppingLimited)
    a, b = model.signal_exponent, model.spectrum_exponent
    task = {"spectrum_exponent": b, "signal_exponent": a, "box": model.box}
    stopped = derive_ridge(RidgeLimited(residual=STOPPED, variance=FITTED, **task))
    shrunk = derive_ridge(RidgeLimited(**task))
    (own,) = stopped.regimes
    conditions = strongest(stopped.conditions + shrunk.conditions)
    other = [regime for regime in shrunk.regimes if not regime.log_power]
    easy = [regime for regime in other if regime.name == own.name]
    closed = _ratio(a, b)
    forms = {
        "time": Form(_best_scale(a, b) ** b, "the best time to stop"),
        "ridge_exponent": Form(
            sp.Min(*(regime.exponent for regime in shrunk.regimes)),
            "the exponent of the loss at the best ridge",
        ),
    }
    if easy:
        condition = easy[0].condition
        forms["ratio"] = Form(
            closed,
            "the loss at the best time over that at the best ridge",
            () if condition == sp.true else (condition,),
        )

    def build() -> Derivation:
        *first, last = (_told(entry) for entry in stopped.derivation.steps)
        steps = [
            *first,
            step(T, _K**b, DEFINITION, "modes up to K are learned by that time", ALI_2019),
            *(_of_ridge(entry) for entry in shrunk.derivation.steps),
        ]
        if other:  # where two exponents of ridge meet, its optimum has no closed form
            faster = sum(sign * regime.exponent for sign, regime in ((1, other[-1]), (-1, own)))
            worse = _C / _RIDGE[_C] * SAMPLES**faster
            cases = [(closed, regime.condition) for regime in easy]
            cases += [(worse, regime.condition) for regime in other if regime not in easy]
            steps += [
                step(_RATIO, _L / _RIDGE[_L], DEFINITION, "stopping against ridge", KRAMP_2026),
                step(
                    _RATIO,
                    pieces(cases),
                    EQUAL,
                    "a constant, until the bias of ridge saturates; then stopping wins by a power",
                ),
            ]
        return Derivation((*steps, last), conditions, stopped.derivation.box)

    return Derived(stopped.regimes, conditions, build, forms=forms)


def _best_scale(a: sp.Expr, b: sp.Expr) -> sp.Expr:
    """Return K at the best time: m bias = variance, with m = a - 1."""
    q, beta = 1 / b, sp.cancel((a - 1) / b)
    bias, spread = 2**-beta * sp.gamma(beta) / b, (2 - 2**q) * sp.gamma(1 - q)
    return ((a - 1) * bias / spread * SAMPLES) ** sp.cancel(1 / a)


def _ratio(a: sp.Expr, b: sp.Expr) -> sp.Expr:
    """Return the ratio of the losses where ridge does not saturate."""
    q, beta = 1 / b, sp.cancel((a - 1) / b)
    bias = 2**-beta / sp.gamma(2 - beta)
    # |Gamma(-q)| (2 - 2^q) over Gamma(q) Gamma(2 - q)
    spread = b * (2 - 2**q) * sp.gamma(1 - q) / (sp.gamma(q) * sp.gamma(2 - q))
    share = sp.cancel(1 / a)  # q/(beta + q)
    return bias**share * spread ** (1 - share)


_REASONS = {
    ("B", "definition"): "bias: signal not yet learned at time t = K^b",
    (
        "B",
        "asymptotic",
    ): "leading Mellin residue: the unresolved tail alone, because what is left of a mode falls faster than any power",
    ("df_2", "definition"): "variance: how much of the noise is fitted by then",
    ("K", "balance"): "stationary in t: m times the bias equals the variance",
}


def _told(entry: Step) -> Step:
    """Say of a step of the best ridge what it means for the best time."""
    told = _REASONS.get((str(entry.expr.lhs), entry.relation.kind))
    if told is None:
        return entry
    source = YAO_2007 if entry.relation.kind == "definition" else entry.reference
    return replace(entry, reason=told, reference=source)


def _of_ridge(entry: Step) -> Step:
    """Write a step of the best ridge in letters of its own."""
    relation = entry.relation
    if relation.variable is not None:
        relation = replace(relation, variable=_RIDGE[relation.variable])
    if relation.equation is not None:
        relation = replace(relation, equation=relation.equation.xreplace(_RIDGE))
    return replace(
        entry,
        expr=entry.expr.xreplace(_RIDGE),
        relation=relation,
        reason=f"ridge: {entry.reason}",
        where=entry.where.xreplace(_RIDGE),
    )
