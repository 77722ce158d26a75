r"""Constant momentum: the mean and the noise of one mode, and what follows for the loss of all.

A method with one memory per parameter, :math:`y' = a y + \gamma_1 g`, :math:`e' = e - \gamma_2 g - \gamma_3 y'`, whose
coefficients are constant. Slow modes forget the memory; what is left is SGD at the rate
:math:`\eta_e = \gamma_2 + \gamma_1\gamma_3/(1-a)`, in its mean and in its noise. Features are assumed to be Gaussian, or to act as if
they were.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import sympy as sp

from ...arguments import instance
from ...errors import refusal
from ...reprs import short_repr
from ..derivation import DEFINITION, Derivation, Step, asymptotic, solves, step
from ..optimum import pieces
from ..parameters import as_expression
from ..records import Derived, Form, Regime
from ..references import FERBACH_2025
from ..relations import against_zero
from ..symbols import ALPHA, BETA, BOX, T, check_task, free_box
from ._letters import BATCH
from .bottlenecks import bottlenecks, inside, source

MOMENTUM, RATE = sp.symbols("mu eta", positive=True)
"""Momentum and learning rate of heavy ball."""

_SLOWNESS = sp.Symbol("u", positive=True)  # one over the eigenvalue of a mode
_RANGES = {
    MOMENTUM: (sp.Rational(1, 10), sp.Rational(9, 10)),
    RATE: (sp.Rational(1, 100), sp.Rational(1, 10)),
    BATCH: (sp.Integer(1), sp.Integer(16)),
}


@short_repr
@dataclass(frozen=True)
class MomentumLimited:
    r"""A lazy linear model that learns by a method with one constant memory; heavy ball unless other coefficients are given.

    Attributes
    ----------
    spectrum_exponent, signal_exponent : Expr or number
        b and a: eigenvalues k^-b, signal power k^-a.
    memory : Expr or number
        a: what is kept of the memory in a step, below 1.
    collected : Expr or number
        :math:`\gamma_1`: weight of the gradient in the memory.
    direct : Expr or number
        :math:`\gamma_2`: rate of the gradient itself; 0 for heavy ball, the learning rate for Nesterov's method.
    recalled : Expr or number
        :math:`\gamma_3`: rate of the memory; the learning rate for heavy ball, times the momentum for Nesterov's method.
    box : mapping
        Ranges of the parameters in which the derivation is checked.
    """

    spectrum_exponent: Any = ALPHA
    signal_exponent: Any = ALPHA * BETA + 1
    memory: Any = MOMENTUM
    collected: Any = 1
    direct: Any = 0
    recalled: Any = RATE
    box: Mapping[sp.Symbol, tuple[Any, Any]] = field(default_factory=lambda: {**BOX, **_RANGES})

    def __post_init__(self) -> None:
        """Refuse what is no exponent and no coefficient."""
        check_task(self)
        for name in ("memory", "collected", "direct", "recalled"):
            value = as_expression(name, getattr(self, name))
            if value.is_negative or not value.is_finite:
                raise refusal(name, value, "must be finite and at least 0")
            free_box(self.box, value)
            object.__setattr__(self, name, value)
        if (self.memory - 1).is_nonnegative:
            raise refusal("memory", self.memory, "must be below 1: otherwise nothing is forgotten")
        if self.effective_rate == 0:
            raise refusal("recalled", self.recalled, "and direct are both 0: nothing is learned")

    @property
    def effective_rate(self) -> sp.Expr:
        r""":math:`\gamma_2 + \gamma_1\gamma_3/(1-a)`: the learning rate of SGD that does the same to slow modes."""
        return _upright(self.direct + self.collected * self.recalled / (1 - self.memory), self.box)


def _upright(expr: sp.Expr, box: Mapping[sp.Symbol, tuple[Any, Any]]) -> sp.Expr:
    """Write a fraction in lowest terms with a denominator that is positive in a box."""
    above, below = sp.fraction(sp.factor(expr))
    used = {name: ends for name, ends in box.items() if name in below.free_symbols}
    if below.subs(inside(used, sp.true)).is_negative:
        above, below = -above, sp.expand(-below)
    return above / below


@lru_cache(maxsize=8)
def _moments(a: sp.Expr, g1: sp.Expr, g2: sp.Expr, g3: sp.Expr) -> tuple[sp.Expr, sp.Expr, sp.Expr]:
    """Solve for the stationary second moments r, c and p of a mode with the eigenvalue 1/u, per unit of loss."""
    x = 1 / _SLOWNESS
    r, c, p = sp.symbols("r c p")
    (found,) = sp.linsolve(
        [sp.expand(left - right) for left, right in _balance(a, g1, g2, g3, x, r, c, p)], r, c, p
    )
    one, two, three = (sp.factor(entry) for entry in found)
    return one, two, three


def _balance(
    a: sp.Expr,
    g1: sp.Expr,
    g2: sp.Expr,
    g3: sp.Expr,
    x: sp.Expr,
    r: sp.Expr,
    c: sp.Expr,
    p: sp.Expr,
) -> tuple[tuple[sp.Expr, sp.Expr], ...]:
    """Write what a step makes of the moments r = x E e^2, c = E e y, p = E y^2/x, and what they were."""
    k = g2 + g1 * g3
    gradient = x * (1 + 1 / BATCH) * r + x / BATCH
    return (
        (
            r
            - 2 * k * x * r
            + k**2 * x * gradient
            + (g3 * a * x) ** 2 * p
            - 2 * g3 * a * x * c
            + 2 * k * g3 * a * x**2 * c,
            r,
        ),
        (
            a * c
            + g1 * r
            - k * a * x * c
            - k * g1 * gradient
            - g3 * a**2 * x * p
            - g3 * a * g1 * x * c,
            c,
        ),
        (a**2 * p + 2 * a * g1 * c + g1**2 * gradient / x, p),
    )


def derive_momentum(model: MomentumLimited) -> Derived:
    r"""Derive that momentum is SGD at another rate, that this rate is bounded, and what the loss does.

    Parameters
    ----------
    model : MomentumLimited
        Any spectrum and signal, and any method with one constant memory.

    Returns
    -------
    Derived
        Regimes of the loss against t = effective rate times steps: those of SGD. Forms: ``effective_rate``; ``largest_rate``, its
        bound; ``noise``, what a mode adds to the noise norm.

    Examples
    --------
    >>> found = derive_momentum(MomentumLimited(spectrum_exponent=2, signal_exponent=2))
    >>> found.expr, found.forms["effective_rate"].expr, found.forms["largest_rate"].expr
    (1/2, eta/(1 - mu), 12*B/pi**2)
    """
    instance("model", model, MomentumLimited)
    a, b = model.signal_exponent, model.spectrum_exponent
    source(a, b)
    found = bottlenecks(a, b, tuple(model.box.items()))
    terms = found.terms(sp.true, T, "time", "noise")
    time, noise = (sp.cancel(-terms[name].as_base_exp()[1]) for name in ("time", "noise"))
    gap = sp.cancel(noise - time)
    known = gap.is_number
    branches = (
        ("time-limited", time, sp.Gt(gap, 0) if known else against_zero(gap, sp.Gt)),
        ("noise-limited", noise, sp.Lt(gap, 0) if known else against_zero(-gap, sp.Gt)),
        ("boundary", time, sp.Eq(gap, 0) if known else _solved(gap)),
    )
    regimes = [
        Regime(name, condition, exponent, None)
        for name, exponent, condition in branches
        if condition != sp.false
    ]
    above = sp.Gt(b, 1)
    conditions = () if above == sp.true else (above,)
    rate = model.effective_rate
    one, _, _ = _moments(model.memory, model.collected, model.direct, model.recalled)
    eigenvalue = sp.Symbol("lambda", positive=True)
    forms = {
        "effective_rate": Form(rate, "learning rate of SGD that does the same to slow modes"),
        "largest_rate": Form(
            2 * BATCH / sp.zeta(b),
            "no effective rate above it is stable, whatever the momentum: at a batch of a few samples momentum buys no larger one",
        ),
        "memory": Form(
            1 / (1 - model.memory),
            "steps for which the memory lasts; before that the loss is another",
        ),
        "noise": Form(
            sp.factor(one.subs(_SLOWNESS, 1 / eigenvalue)),
            "what a mode of eigenvalue lambda adds to the noise norm; below 1 in all, the loss stays bounded",
        ),
    }

    def build() -> Derivation:
        steps = tuple(_steps(model, regimes, time, noise))
        used = set().union(*(part.free_symbols for entry in steps for part in (entry.value,)))
        box = {name: ends for name, ends in {**_RANGES, **model.box}.items() if name in used}
        return Derivation(steps, conditions, box)

    return Derived(tuple(regimes), conditions, build, forms=forms)


def _solved(gap: sp.Expr) -> sp.Basic:
    """Write where a difference vanishes."""
    name = max(gap.free_symbols, key=str)
    (value,) = sp.roots(sp.Poly(sp.numer(sp.together(gap)), name))
    return sp.Eq(name, value)


def _steps(
    model: MomentumLimited, regimes: list[Regime], time: sp.Expr, noise: sp.Expr
) -> list[Step]:
    a, g1, g2, g3 = model.memory, model.collected, model.direct, model.recalled
    b, x, k = model.spectrum_exponent, 1 / _SLOWNESS, g2 + g1 * g3
    decay, rate = sp.symbols("epsilon eta_e", positive=True)
    r, c, p = sp.symbols("r c p", real=True)
    norm, largest, loss = sp.symbols("K_1 eta_max L", positive=True)
    forgotten = sp.sqrt((1 - a + k * x) ** 2 - 4 * x * (k - a * g2))
    one, two, three = _moments(a, g1, g2, g3)
    moments = {r: one, c: two, p: three}
    balance = _balance(a, g1, g2, g3, x, r, c, p)
    reasons = (
        "second moments of a mode of eigenvalue 1/u that gradients of B samples keep up, per unit of loss: of its error",
        "of its error with the memory",
        "of the memory",
    )
    equations = [sp.Eq(left, right, evaluate=False) for left, right in balance]
    steps = [
        step(
            decay,
            2 * x * (k - a * g2) / (1 - a + k * x + forgotten),
            solves(sp.Eq((1 - decay) ** 2 + a * (1 - g2 * x), (1 - k * x + a) * (1 - decay))),
            "a mode of eigenvalue 1/u loses the part epsilon of its error in a step: the slow root of error and memory",
        ),
        step(
            decay,
            model.effective_rate / _SLOWNESS,
            asymptotic(_SLOWNESS),
            "slow modes: as SGD at another rate",
            FERBACH_2025,
        ),
        step(rate, model.effective_rate, DEFINITION, "the effective rate"),
        step(p, three, DEFINITION, reasons[2]),
        step(c, two, DEFINITION, reasons[1]),
        step(r, one, solves(equations[0]), reasons[0] + ", from the moments' own equations"),
        step(c, moments[c], solves(equations[1]), reasons[1]),
        step(p, moments[p], solves(equations[2]), reasons[2]),
        step(norm, r, DEFINITION, "what the mode adds to the noise norm"),
        step(
            norm,
            rate / (2 * BATCH * _SLOWNESS),
            asymptotic(_SLOWNESS),
            "slow modes: the noise of SGD at that rate",
        ),
        step(
            largest,
            2 * BATCH / sp.zeta(b),
            solves(sp.Eq(largest * sp.zeta(b) / (2 * BATCH), 1, evaluate=False)),
            "the noise norm is at least its leading term, and must be below 1: a bound on the effective rate, not on the momentum",
        ),
        step(
            loss,
            T**-time + T**-noise,
            DEFINITION,
            "hence the loss of SGD at t = effective rate times steps: what is unlearned, and the noise of the first steps",
            FERBACH_2025,
        ),
    ]
    branches = [
        (T**-entry.exponent, entry.condition) for entry in regimes if entry.name != "boundary"
    ]
    leading = pieces(branches) if branches else 2 * T**-time
    reason = "the slower one is left: momentum changes no exponent"
    return [*steps, step(loss, leading, asymptotic(T), reason)]
