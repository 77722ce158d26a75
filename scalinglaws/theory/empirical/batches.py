r"""Where to stop training: a loss of model size and steps, and steps that cost a batch which may depend on the loss reached.

:math:`S` steps of batch :math:`B` do the work of :math:`S_{min} = S/(1 + B_c/B)` steps of a batch without limit, and a run of compute
:math:`C = 6 N B S` that of :math:`C_{min} = C/(1 + B/B_c)` spent on a small batch; with the critical batch :math:`B_c` this is
:math:`C_{min} = 6 N B_c S_{min}`, whatever B.
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
from ..derivation import DEFINITION, EQUAL, Derivation, Step, solves, step
from ..formula import Law
from ..monomials import power_of, power_product
from ..optimum import CostLimited, optimum_steps
from ..parameters import as_expression
from ..records import Derived, Form, Regime
from ..references import KAPLAN_2020, MCCANDLISH_2018, Reference
from .symbols import LOSS, C, N, build

_aN, _aS, _aB, _Nc, _Sc = sp.symbols("a_N a_S a_B N_c S_c", positive=True)
_STAR, _B, _f = sp.symbols("B_star B f", positive=True)
_STEPS, _RUN, _LEAST = sp.symbols("S_run C_run C_least", positive=True)
_STOP, _DONE, _TAKEN, _END = sp.symbols("stop S_done B_taken N_end", positive=True)
_BEST, _FINAL = sp.symbols("L_best stop_best", positive=True)
S = sp.Symbol("S", positive=True)
"""Steps that a batch without limit needs."""
CRITICAL = sp.Symbol("B_c", positive=True)
"""The critical batch: at it a run takes twice the fewest steps, and twice the least compute."""


@short_repr
@dataclass(frozen=True)
class BatchLimited:
    """A loss of what size and steps leave, and what they cost at a critical batch.

    Attributes
    ----------
    terms : mapping of str to Expr
        Two monomials: what the first scale leaves however long one trains, and what the second leaves.
    scales : tuple of Symbol
        Model size and fewest steps.
    budget : (Expr, Symbol)
        Cost, a monomial of the first scale times `CRITICAL` times the second scale, and the symbol of the budget.
    batch : Expr
        The critical batch: a constant, or a monomial in the loss ``L`` that does not grow with it.
    box : mapping
        Ranges of the exponents.
    reference : Reference
        Where the formula comes from.
    """

    terms: Mapping[str, sp.Expr] = field(
        default_factory=lambda: {"model": (_Nc / N) ** _aN, "steps": (_Sc / S) ** _aS}
    )
    scales: tuple[sp.Symbol, sp.Symbol] = (N, S)
    budget: tuple[sp.Expr, sp.Symbol] = (6 * N * CRITICAL * S, C)
    batch: sp.Expr = _STAR * LOSS ** (-1 / _aB)
    box: Mapping[sp.Symbol, tuple[Any, Any]] = field(
        default_factory=lambda: {
            _aN: (sp.Rational(1, 20), sp.Rational(1, 2)),
            _aS: (sp.Rational(1, 4), sp.Rational(3, 2)),
            _aB: (sp.Rational(1, 10), sp.Integer(1)),
        }
    )
    reference: Reference = KAPLAN_2020

    def __post_init__(self) -> None:
        """Keep the batch as an expression."""
        object.__setattr__(self, "batch", as_expression("batch", self.batch))


@dataclass(frozen=True)
class _Solved:
    """The optimum at a batch, and at the batch that its own loss has."""

    inner: CostLimited
    least: sp.Expr  # loss at a given batch
    feedback: sp.Expr  # power of the loss in the batch, sign reversed
    exponent: sp.Expr
    constant: sp.Expr
    sizes: Mapping[sp.Symbol, sp.Expr]  # at a given batch
    stop: sp.Expr


def derive_stopping(model: BatchLimited) -> Derived:
    r"""Derive where to stop: the least loss for a compute, and by how much it exceeds that of the same model trained for ever.

    At a given loss the batch is a number, whatever the size. So the least loss at a given batch is a problem of two terms and one
    budget, and the loss at the batch's own loss solves one equation, :math:`L = K (B_c(L)/C)^e`. For
    :math:`L = (N_c/N)^{a_N} + (S_c/S_{min})^{a_S}` and :math:`B_c = B_* L^{-1/a_B}`

    .. math:: L \propto C_{min}^{-\alpha}, \quad \frac1\alpha = \frac1{a_N} + \frac1{a_S} + \frac1{a_B}, \quad
        L = \Big(1 + \frac{a_N}{a_S}\Big) L(N, \infty),

    and :math:`N, B_c, S_{min}` grow as powers :math:`\alpha/a_N, \alpha/a_B, \alpha/a_S` of :math:`C_{min}`, which add up to 1. A constant
    batch is :math:`a_B \to \infty`. The factor holds exactly in both cases, since a loss that is least does not change with size to
    first order, and with it neither does the batch.

    Parameters
    ----------
    model : BatchLimited
        Any two monomials, each in one scale, any cost of size and any batch that does not grow with the loss.

    Returns
    -------
    Derived
        Exponent and constant of the loss with the budget, all runs at the batch that is critical at their own final loss; forms
        ``loss``, ``frontier``, ``compute``, ``stop``, ``stopping_cost``, ``batch``, the scales and their exponents of growth
        (``N_growth`` and so on), and ``run_steps`` and ``run_compute`` of a batch B.

    Raises
    ------
    DomainError
        If a term is not a falling power of one scale, both do not balance in the whole box, the cost is not proportional to batch and
        steps, or the batch grows with the loss.

    Notes
    -----
    A batch that follows the loss along a run is another budget, :math:`6 N \int B_c\,dS_{min}`: earlier steps, at higher losses, cost
    less than the last. The exponents stay, for both are powers of the final loss; the factor grows, at the exponents of Kaplan et al.
    from 1.100 to 1.122.

    Examples
    --------
    >>> found = derive_stopping(BatchLimited())
    >>> found.expr
    a_B*a_N*a_S/(a_B*a_N + a_B*a_S + a_N*a_S)
    >>> found.forms["stop"].expr
    a_N/a_S + 1

    At a constant batch:

    >>> derive_stopping(BatchLimited(batch=sp.Symbol("B_c", positive=True))).expr
    a_N*a_S/(a_N + a_S)
    """
    instance("model", model, BatchLimited)
    found = _solve(model)
    budget = model.budget[1]
    (first, left), (second, done) = zip(model.scales, model.terms.values(), strict=True)
    x = power_of(model.budget[0], first)
    p, q = -power_of(left, first), -power_of(done, second)
    best = found.stop - 1
    detour = ((1 + _f) / found.stop) ** sp.cancel(x / p + 1 / q) * (best / _f) ** sp.cancel(1 / q)
    lowest = found.constant * budget**-found.exponent
    batch = _powers(model.batch.subs(LOSS, lowest))
    chosen = {
        name: _powers(value.subs(CRITICAL, batch)) if value.has(CRITICAL) else value
        for name, value in found.sizes.items()
    }
    forms = {
        "loss": Form(left + done, f"the ansatz: {second} steps at a batch without limit"),
        "frontier": Form(lowest, f"least loss at budget {budget}"),
        "compute": Form(
            (LOSS / found.constant) ** (-1 / found.exponent), f"budget {budget} that reaches loss L"
        ),
        "stop": Form(found.stop, "loss there over that of the same model trained for ever"),
        "stopping_cost": Form(
            detour,
            "factor of budget for the same loss where one stops at 1 + f times the converged loss",
        ),
        **{str(name): Form(value, f"{name} at the optimum") for name, value in chosen.items()},
        "batch": Form(batch, "critical batch at the optimum"),
        **{
            f"{name}_growth": Form(
                sp.factor(power_of(value, budget)), f"power of {budget} with which {name} grows"
            )
            for name, value in (*chosen.items(), ("batch", batch))
        },
        "run_steps": Form(
            second * (1 + model.batch / _B), f"steps at batch B that do the work of {second}"
        ),
        "run_compute": Form(
            budget * (1 + _B / model.batch), f"compute at batch B that does the work of {budget}"
        ),
    }
    regime = Regime("model = steps", sp.true, found.exponent, found.constant)

    def build_steps() -> Derivation:
        return Derivation(tuple(_steps(model, found, chosen, lowest)), (), dict(model.box))

    return Derived((regime,), (), build_steps, forms=forms)


def _solve(model: BatchLimited) -> _Solved:
    """Find the optimum at a given batch, then the batch."""
    cost, budget = model.budget
    if len(model.terms) != 2 or any(
        not power_of(term, name).is_negative or term.has(other)
        for name, other, term in zip(
            model.scales, reversed(model.scales), model.terms.values(), strict=True
        )
    ):
        first, second = model.scales
        raise refusal(
            "terms",
            model.terms,
            f"must be two: a falling power of {first}, and one of {second}",
            shown=False,
        )
    if not (power_of(cost, CRITICAL) == power_of(cost, model.scales[1]) == 1):
        raise refusal("budget", cost, f"must be proportional to {CRITICAL} {model.scales[1]}")
    feedback = sp.cancel(-power_of(model.batch, LOSS))
    if not feedback.is_nonnegative:
        raise refusal("batch", model.batch, "must be a monomial in L that does not grow with it")
    inner = CostLimited(
        model.terms, model.scales, budget, model.budget, box=model.box, reference=model.reference
    )
    entry = inner.winners[0][0]
    if len(inner.winners) != 1 or entry.exact_constant is None or len(entry.duals) != 2:
        raise refusal(
            "terms",
            model.terms,
            "must be two that balance for all parameters in the box",
            shown=False,
        )
    (regime,) = inner.regimes()
    gain = sp.cancel(1 + feedback * regime.exponent)
    assert regime.constant is not None
    whole = regime.constant.subs(CRITICAL, model.batch.subs(LOSS, 1))
    share = entry.duals[next(term for term in entry.duals if term.has(model.scales[0]))]
    return _Solved(
        inner,
        regime.constant * budget**-regime.exponent,
        feedback,
        sp.factor(sp.cancel(regime.exponent / gain)),
        _powers(whole ** (1 / gain)),
        {name: entry.exact_alloc[name] for name in model.scales},
        sp.expand(sp.cancel(1 / share)),
    )


def _powers(expr: sp.Expr) -> sp.Expr:
    return power_product([(sp.powdenest(expr, force=True), sp.S.One)])


def _steps(
    model: BatchLimited, found: _Solved, chosen: Mapping[sp.Symbol, sp.Expr], lowest: sp.Expr
) -> list[Step]:
    first, second = model.scales
    cost, budget = model.budget
    term = next(iter(model.terms.values()))
    inner = {name: sp.Symbol(f"{name}_fixed", positive=True) for name in model.scales}
    reached = sp.Symbol("L_fixed", positive=True)
    needed = cost.subs(CRITICAL, _B)
    steps = [
        step(
            _STEPS,
            second * (1 + CRITICAL / _B),
            DEFINITION,
            f"assumed: at batch B a run takes more steps than the {second} of a batch without limit",
            MCCANDLISH_2018,
        ),
        step(_RUN, needed.subs(second, _STEPS), DEFINITION, "and so much compute"),
        step(
            _LEAST,
            _RUN / (1 + _B / CRITICAL),
            DEFINITION,
            "assumed: so much would do with a small batch",
        ),
        step(_LEAST, cost, EQUAL, "the same for every batch: steps at the critical one"),
    ]
    steps += optimum_steps(found.inner, suffix="_fixed")
    steps += [
        step(
            _STOP,
            reached / term.subs(first, inner[first]),
            DEFINITION,
            "loss over that of the same model trained for ever",
        ),
        step(_STOP, found.stop, EQUAL, "shares of the terms at the optimum, at any batch"),
    ]
    if found.feedback == 0 and model.batch == CRITICAL:
        return steps
    equation = sp.Eq(
        _BEST,
        found.least.subs(CRITICAL, model.batch.subs(LOSS, _BEST)),
        evaluate=False,
    )
    steps += [
        step(
            _BEST,
            lowest,
            solves(equation),
            "assumed: the batch is the critical one of the loss reached, which falls as that grows: no size ends below this",
            model.reference,
        ),
        step(
            _TAKEN,
            model.batch.subs(LOSS, _BEST),
            DEFINITION,
            "the batch there",
        ),
        step(_END, found.sizes[first].subs(CRITICAL, _TAKEN), DEFINITION, f"{first} at that batch"),
        step(_END, chosen[first], EQUAL, f"a power of {budget}"),
        step(
            _DONE, found.sizes[second].subs(CRITICAL, _TAKEN), DEFINITION, f"{second} at that batch"
        ),
        step(_DONE, chosen[second], EQUAL, f"a power of {budget}"),
        step(_FINAL, _BEST / term.subs(first, _END), DEFINITION, "where to stop, at that batch"),
        step(_FINAL, found.stop, EQUAL, "as at any batch"),
    ]
    return steps


# -- laws ---------------------------------------------------------------------------------------------------------------

_SYMBOLS = {
    "a_N": "exponent of model size",
    "a_S": "exponent of steps",
    "N_c": "scale of model size",
    "S_c": "scale of steps",
}


@lru_cache(maxsize=1)
def kaplan_batch_law() -> Law:
    r"""Return ``empirical.kaplan_batch``: a loss of size and steps, at a critical batch that grows as the loss falls.

    :math:`(N_c/N)^{a_N} + (S_c/S)^{a_S}` with :math:`C = 6 N B_c S` and :math:`B_c = B_* L^{-1/a_B}`; S and C are those of
    `BatchLimited`.
    """
    return build(
        "kaplan_batch",
        "least loss of model size and steps for a compute, at the critical batch, which grows as the loss "
        "falls; and where to stop",
        quantity="loss at the compute optimum, C = 6 N B_c(L) S",
        variable=C,
        symbols=_SYMBOLS
        | {"a_B": "B_c = B_star L^(-1/a_B): exponent of the critical batch", "B_star": "its scale"},
        reference=(KAPLAN_2020, MCCANDLISH_2018),
        model=BatchLimited(),
        derive=derive_stopping,
    )


@lru_cache(maxsize=1)
def kaplan_steps_law() -> Law:
    r"""Return ``empirical.kaplan_steps``: a loss of size and steps, at a critical batch that does not change.

    :math:`(N_c/N)^{a_N} + (S_c/S)^{a_S}` with :math:`C = 6 N B_c S`.
    """
    return build(
        "kaplan_steps",
        "least loss of model size and steps for a compute, at a constant critical batch; and where to stop",
        quantity="loss at the compute optimum, C = 6 N B_c S",
        variable=C,
        symbols=_SYMBOLS | {"B_c": "critical batch"},
        reference=(KAPLAN_2020, MCCANDLISH_2018),
        model=BatchLimited(
            batch=CRITICAL,
            box={name: ends for name, ends in BatchLimited().box.items() if name != _aB},
        ),
        derive=derive_stopping,
    )
