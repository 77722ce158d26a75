r"""The loss of the lazy linear model with all of its resources limited at once: a sum of bottlenecks and of what they cost on the way.

Each term is derived by itself where it alone decides; where several are of one size the sum is right within a factor of about
three, unless beta is so close to 1 or 2 that the constants of two terms grow and nearly cancel. Features are assumed to be Gaussian, or
to act as if they were; see the package.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import sympy as sp

from ...arguments import instance
from ...errors import refusal
from ...reprs import short_repr
from ..asymptotics import EXP, RATIONAL, power_sum
from ..derivation import DEFINITION, EQUAL, Derivation, Step, asymptotic, step
from ..optimum import pieces
from ..records import Derived, Form, Regime
from ..references import ATANASOV_2024, BAHRI_2021, BORDELON_2024, FLAJOLET_1995, PAQUETTE_2024
from ..symbols import ALPHA, BETA, BOX, INDEX, N, P, T, check_task
from .bottlenecks import (
    ModeLimited,
    TimeLimited,
    TransientLimited,
    derive_mode,
    derive_time,
    derive_transient,
)

BATCH, RATE = sp.symbols("B eta", positive=True)
"""Samples in a batch and learning rate of online SGD, whose time is t = eta times its steps."""

_L, _TIME, _MODEL, _DATA, _NOISE, _LEAST = sp.symbols("L L_t L_N L_P V L_n", positive=True)
_ON_MODEL, _ON_DATA, _SHARED, _ONLINE = sp.symbols("E_N E_P W E_B", nonnegative=True)
_FEW, _MANY = sp.symbols("n m", positive=True)


@short_repr
@dataclass(frozen=True)
class JointlyLimited:
    r"""A lazy linear model with t, N and P (or, online, B samples at a step) limited at once.

    Attributes
    ----------
    spectrum_exponent, signal_exponent : Expr or number
        b and a: eigenvalues :math:`k^{-b}` carry signal powers :math:`k^{-a}`.
    box : mapping
        Ranges of the parameters in which the derivation is checked.
    """

    spectrum_exponent: Any = ALPHA
    signal_exponent: Any = ALPHA * BETA + 1
    box: Mapping[sp.Symbol, tuple[Any, Any]] = field(default_factory=lambda: BOX)

    def __post_init__(self) -> None:
        """Refuse what is no exponent."""
        check_task(self)


def derive_loss(model: JointlyLimited) -> Derived:
    r"""Derive every term of the loss: bottlenecks, transients of features and samples, what the two cost together, and SGD's noise.

    With :math:`V = \sum_k \lambda_k^2 e^{-2\lambda_k t}` and n and m the lesser and the larger of N and P,

    .. math:: L = L(t) + L(N) + L(P) + \frac{F(t)}{N} + \frac{V}{P} \sum_k \frac{s_k}{\lambda_k^2} + \frac{n}{m - n} L(N{=}n),
              \qquad L_{\rm online} = L(t) + L(N) + \frac{F(t)}{N} + \frac{\eta V}{2B} \sum_k \frac{s_k}{\lambda_k}

    where a term whose sum diverges is less than others at all times and left out.

    Parameters
    ----------
    model : JointlyLimited
        Any spectrum and signal.

    Returns
    -------
    Derived
        Exponent and constant in time with all else unlimited; the forms ``flow`` and ``online`` are the sums.

    Examples
    --------
    >>> found = derive_loss(JointlyLimited(spectrum_exponent=2, signal_exponent=2))
    >>> found.expr, found.forms["online"].expr
    (1/2, sqrt(2)*sqrt(pi)/(4*sqrt(t)) + pi**2/(4*N))
    """
    instance("model", model, JointlyLimited)
    a, b, box = model.signal_exponent, model.spectrum_exponent, model.box
    task = {"spectrum_exponent": b, "signal_exponent": a, "box": box}
    in_time = derive_time(TimeLimited(**task))
    few_features = derive_mode(ModeLimited(N, RATIONAL(1, 1), **task))
    few_samples = derive_mode(ModeLimited(P, RATIONAL(2, 2), RATIONAL(0, 2), **task))
    on_the_way = derive_transient(TransientLimited(**task))
    kernel = power_sum(sp.expand(2 * b), EXP.compose(-b))
    noise = kernel.leading((2 * T) ** (1 / b))
    signal_over = [sp.zeta(sp.expand(a - power * b)) for power in (1, 2)]
    easy, easier = (sp.Gt(sp.expand(a - power * b), 1) for power in (1, 2))

    time, features, samples = (
        _powers(derived, variable)
        for derived, variable in ((in_time, T), (few_features, N), (few_samples, P))
    )
    first = [entry for entry in on_the_way.regimes if entry.name == "saturated"]
    transient = first[0].constant * T ** (-first[0].exponent) / N if first else sp.S.Zero
    least = features.subs(N, sp.Min(N, P))
    terms = {
        _TIME: time,
        _MODEL: features,
        _DATA: samples,
        _ON_MODEL: _where(easy, transient),
        _ON_DATA: _where(easier, signal_over[1] * noise / P),
        _SHARED: least * sp.Min(N, P) / sp.Abs(N - P),
        _ONLINE: _where(easy, RATE / (2 * BATCH) * signal_over[0] * noise),
    }
    flow = sp.Add(*(terms[name] for name in (_TIME, _MODEL, _DATA, _ON_MODEL, _ON_DATA, _SHARED)))
    online = sp.Add(*(terms[name] for name in (_TIME, _MODEL, _ON_MODEL, _ONLINE)))
    (regime,) = (entry for entry in in_time.regimes if not entry.on_boundary)

    def build() -> Derivation:
        return Derivation(tuple(_steps(a, b, terms, noise)), few_samples.conditions, dict(box))

    return Derived(
        (Regime("time-limited", sp.true, regime.exponent, regime.constant),),
        few_samples.conditions,
        build,
        forms={
            "flow": Form(
                flow,
                "test loss of gradient flow for t on P samples with N features, at least a factor of two apart; "
                "within a factor of three for alpha >= 3/2 and beta half a unit from 1 and 2",
            ),
            "online": Form(
                online,
                "test loss of online SGD with batches of B at the rate eta, t = eta times steps; "
                "within a factor of two for alpha >= 3/2 and beta half a unit from 1 and 2",
            ),
        },
    )


def _steps(
    a: sp.Expr, b: sp.Expr, terms: Mapping[sp.Symbol, sp.Expr], noise: sp.Expr
) -> list[Step]:
    """Write down where each term comes from."""

    def left(power: sp.Expr) -> sp.Expr:
        return sp.Sum(INDEX ** (-power) * sp.exp(-2 * T * INDEX ** (-b)), (INDEX, 1, sp.oo))

    return [
        step(
            _TIME,
            left(a),
            DEFINITION,
            "what is unlearned at time t, all else unlimited",
            BORDELON_2024,
        ),
        step(
            _TIME,
            terms[_TIME],
            asymptotic(T),
            "leading Mellin residue, as linear.time derives it",
            FLAJOLET_1995,
        ),
        step(
            _NOISE,
            left(sp.expand(2 * b)),
            DEFINITION,
            "what is left of a random error in the samples, in all modes",
            PAQUETTE_2024,
        ),
        step(_NOISE, noise, asymptotic(T), "leading Mellin residue", FLAJOLET_1995),
        step(
            _MODEL,
            terms[_MODEL],
            DEFINITION,
            "few features, as linear.model derives it",
            ATANASOV_2024,
        ),
        step(
            _DATA, terms[_DATA], DEFINITION, "few samples, as linear.data derives it", BORDELON_2024
        ),
        step(
            _ON_MODEL,
            terms[_ON_MODEL],
            DEFINITION,
            "few features before they saturate, as linear.transient derives it",
            BORDELON_2024,
        ),
        step(
            _ON_DATA,
            terms[_ON_DATA].subs(noise, _NOISE),
            DEFINITION,
            "few samples before they saturate, to first order in 1/P: a random error for all that was learned, s_k/lambda_k^2 each",
            BORDELON_2024,
        ),
        step(
            _ONLINE,
            terms[_ONLINE].subs(noise, _NOISE),
            DEFINITION,
            "gradients of B samples err in proportion to the loss: over all of training s_k/(2 eta lambda_k) from each mode",
            PAQUETTE_2024,
        ),
        step(
            _SHARED,
            _LEAST / (1 - _FEW / _MANY) - _LEAST,
            DEFINITION,
            "n of one resource fitted to m > n of the other: the residual L_n of a regression grows by 1/(1 - n/m)",
            BAHRI_2021,
        ),
        step(
            _SHARED,
            _LEAST * _FEW / (_MANY - _FEW),
            EQUAL,
            "in closed form; n and m are the lesser and the larger of N and P",
        ),
        step(
            _L,
            _TIME + _MODEL + _DATA + _ON_MODEL + _ON_DATA + _SHARED,
            DEFINITION,
            "bottlenecks add up: each decides where it is the largest",
            BORDELON_2024,
        ),
        step(
            _L,
            _TIME + _MODEL + _DATA + _ON_MODEL + _ON_DATA + _LEAST * _FEW / (_MANY - _FEW),
            EQUAL,
            "what they cost each other in closed form",
        ),
    ]


def _powers(derived: Derived, variable: sp.Symbol) -> sp.Expr:
    """Write a bottleneck with its constant, regime by regime; on boundaries it has none."""
    plain = [
        (entry.constant * variable ** (-entry.exponent), entry.condition)
        for entry in derived.regimes
        if entry.log_power == 0 and not entry.on_boundary
    ]
    if not plain:
        complaint = "lies where two exponents of a bottleneck meet: there it carries a logarithm, which no sum of powers has"
        raise refusal("model", None, complaint, named=True, shown=False)
    return pieces(plain)


def _where(condition: sp.Basic, term: sp.Expr) -> sp.Expr:
    """Keep a term where its sum converges."""
    return sp.Piecewise((term, condition), (sp.S.Zero, True))
