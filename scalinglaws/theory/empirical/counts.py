r"""What counting parameters without embeddings does to the exponent of the optimal size.

Small models are mostly embeddings. Where the loss is one of all parameters N, but sizes and compute are counted without
embeddings, the optimal size grows with compute at an exponent that depends on the size itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import sympy as sp

from ...arguments import instance
from ...reprs import short_repr
from ..derivation import DEFINITION, EQUAL, Derivation, balances, step
from ..formula import Law
from ..records import Derived, Form, Regime
from ..references import HOFFMANN_2022, KAPLAN_2020, PEARCE_2024
from .symbols import EXPONENTS, LOSS, OFFSET, C, D, N, build

_A, _B, _a, _b, _n, _omega, _S = sp.symbols("A B a b n omega s", positive=True)
_CHANGE, _SLOPE = sp.symbols("s_change dL_dlnn", real=True)
_GROWTH = sp.Symbol("nu", real=True)


@short_repr
@dataclass(frozen=True)
class EmbeddedLoss:
    """A loss of two powers, of all parameters and of data, where compute is counted without embeddings.

    Attributes
    ----------
    total : Expr
        All parameters against those without embeddings.
    size : Symbol
        Parameters without embeddings.
    box : mapping
        Ranges of the exponents and of all symbols of `total`.
    """

    total: sp.Expr = _n + _omega * sp.cbrt(_n)
    size: sp.Symbol = _n
    box: Mapping[sp.Symbol, tuple[Any, Any]] = field(
        default_factory=lambda: {
            _a: EXPONENTS,
            _b: EXPONENTS,
            _n: (sp.Integer(1), sp.Integer(100)),
            _omega: (sp.Integer(1), sp.Integer(10)),
        }
    )


def derive_reconciliation(model: EmbeddedLoss) -> Derived:
    r"""Derive how the optimal size without embeddings grows with compute, locally and exactly.

    With :math:`s = d\ln N/d\ln n` and :math:`s' = d\ln s/d\ln n`, the least :math:`E + A N^{-a} + B D^{-b}` at given
    :math:`6nD = C` has

    .. math:: \frac{d\ln n}{d\ln C} = \frac{b}{b + a s - s'}

    Parameters
    ----------
    model : EmbeddedLoss
        Any total that grows with the size.

    Returns
    -------
    Derived
        The local exponent of growth, no constant; forms ``N``, ``compute``, ``D``, ``loss`` and ``all_parameters``. It is the
        minimum's where the denominator is positive, which is a condition.

    Examples
    --------
    Without embeddings it is the exponent of all parameters:

    >>> n = sp.Symbol("n", positive=True)
    >>> derive_reconciliation(EmbeddedLoss(total=2 * n)).expr
    b/(a + b)
    """
    instance("model", model, EmbeddedLoss)
    n, total = model.size, model.total
    elasticity = _reduced(n * sp.diff(total, n) / total, n)
    change = _reduced(n * sp.diff(elasticity, n) / elasticity, n)
    denominator = _b + _a * elasticity - change
    exponent = _b / denominator
    data = (_b * _B * total**_a / (_a * _A * elasticity)) ** (1 / _b)
    compute = 6 * n * data
    tokens = C / (6 * n)
    conditions = (sp.Gt(denominator, 0, evaluate=False),) if n in denominator.free_symbols else ()
    forms = {
        str(N): Form(total, "all parameters"),
        "compute": Form(compute, f"compute without embeddings at which {n} is the best size"),
        str(D): Form(data, "data there"),
        "loss": Form(OFFSET + _A * total**-_a + _B * D**-_b, "the ansatz"),
        "all_parameters": Form(
            _b / (_a + _b), "exponent where sizes and compute count all parameters"
        ),
    }
    steps = [
        step(N, total, DEFINITION, "assumed: embeddings grow with the width only", PEARCE_2024),
        step(_S, n * sp.diff(total, n) / N, DEFINITION, "growth of all parameters with those"),
        step(_S, elasticity, EQUAL, "at most 1, and 1 for large models"),
        step(_CHANGE, n * sp.diff(elasticity, n) / _S, DEFINITION, "and how it changes"),
        step(_CHANGE, change, EQUAL, "simplified"),
        step(
            LOSS,
            OFFSET + _A * total**-_a + _B * tokens**-_b,
            DEFINITION,
            "assumed: additive powers of all parameters and data; data are what compute leaves",
            HOFFMANN_2022,
        ),
        step(
            _SLOPE,
            n * sp.diff(OFFSET + _A * total**-_a + _B * tokens**-_b, n),
            DEFINITION,
            f"change of the loss with log {n} at fixed compute",
        ),
        step(
            _SLOPE,
            _b * _B * tokens**-_b - _a * _A * _S * N**-_a,
            EQUAL,
            "what fewer data cost, less what a larger model gains",
        ),
        step(
            C,
            6 * n * (_b * _B * N**_a / (_a * _A * _S)) ** (1 / _b),
            balances(sp.Eq(_b * _B * tokens**-_b, _a * _A * _S * N**-_a, evaluate=False)),
            f"at the optimum both are equal: compute at which {n} is the best size",
        ),
        step(
            _GROWTH,
            compute / (n * sp.diff(compute, n)),
            DEFINITION,
            f"growth of the best {n} with compute: one over that of compute with {n}",
            PEARCE_2024,
        ),
        step(_GROWTH, _b / (_b + _a * _S - _CHANGE), EQUAL, "the local exponent, exactly"),
        step(_GROWTH, exponent, EQUAL, f"in terms of {n}"),
    ]
    return Derived(
        (Regime("model = data", sp.true, exponent, None),),
        conditions,
        Derivation(tuple(steps), conditions, dict(model.box)),
        forms=forms,
    )


def _reduced(expr: sp.Expr, n: sp.Symbol) -> sp.Expr:
    """Cancel and factor an expression in fractional powers of a symbol."""
    powers = [entry.exp for entry in expr.atoms(sp.Pow) if entry.base == n]
    order = sp.ilcm(1, 1, *(power.q for power in powers if power.is_Rational))
    root = sp.Symbol("root", positive=True)
    return sp.factor(sp.cancel(expr.subs(n, root**order))).subs(root, n ** sp.Rational(1, order))


@lru_cache(maxsize=1)
def kaplan_reconciliation_law() -> Law:
    r"""Return ``empirical.kaplan_reconciliation``: local exponent of the optimal size counted without embeddings.

    :math:`N = n + \omega n^{1/3}`, compute :math:`6nD`.
    """
    return build(
        "kaplan_reconciliation",
        "local exponent of the optimal model size with compute, both counted without embeddings, "
        "where the loss is one of all parameters: why studies disagree",
        quantity="optimal number n of parameters without embeddings, for compute C = 6 n D, near n",
        variable=C,
        symbols={
            "a": "exponent of model size, all parameters counted",
            "b": "exponent of data",
            "omega": "embeddings over n^(1/3)",
            "n": "parameters without embeddings",
        },
        reference=(PEARCE_2024, KAPLAN_2020, HOFFMANN_2022),
        model=EmbeddedLoss(),
        derive=derive_reconciliation,
        growth=True,
    )
