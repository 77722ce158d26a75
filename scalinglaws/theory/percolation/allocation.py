r"""Model size: how a model divides its degrees of freedom between clusters, and what loss is left.

The k-th cluster weighs :math:`w_k = k^{-(1 + \alpha)}`; with :math:`n_k` degrees of freedom a share :math:`f(n_k)` of its loss is left. At
the optimum all clusters that are learned have the same marginal gain, so that :math:`n_k \propto k^{-a}` with
:math:`a = (1 + \alpha)/(1 + \beta)`, and clusters beyond a break rank :math:`k_b` get nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import mpmath
import sympy as sp

from ...arguments import instance
from ...errors import refusal
from ...reprs import short_repr
from ..derivation import DEFINITION, EQUAL, Derivation, Step, asymptotic, solves, step
from ..implicit import ImplicitConstant
from ..optimum import pieces
from ..parameters import to_exact
from ..records import Derived, Form, Regime
from ..references import BRILL_2024, MICHAUD_2023
from ..relations import against_zero
from ..symbols import ALPHA, BETA, free_box

SIZE, BREAK = sp.symbols("n k_b", positive=True)
_J = sp.Symbol("j", positive=True, integer=True)
_RANK = sp.Symbol("k", positive=True)
_W, _NK, _LAMBDA, _X, _TOTAL = sp.symbols("w n_k lambda x_star N_total", positive=True)
_IN, _OUT, _L, _C = sp.symbols("L_in L_out L c", positive=True)
_K0, _TOTAL0, _IN0, _L0, _LAMBERT, _LOG = sp.symbols("k_0 N_0 L_in_0 L_0 W_0 log_n", positive=True)

SMOOTH, CLUSTER, BOTH = "smoothness-limited", "cluster-limited", "boundary"
BOX = {ALPHA: (sp.Rational(1, 2), 3), BETA: (sp.Rational(1, 3), sp.Rational(5, 2))}


@short_repr
@dataclass(frozen=True)
class AllocationLimited:
    r"""A model of n degrees of freedom, divided between clusters at the least loss.

    .. math:: L(n) = \min \sum_k k^{-(1 + \alpha)} f(n_k), \qquad \sum_k n_k = n, \qquad f(x) = \min(1, (x + x_0)^{-\beta})

    Attributes
    ----------
    weight : Expr or number
        :math:`1 + \alpha`, above 1: how cluster weights fall with rank.
    exponent : Expr, number or oo
        :math:`\beta`: how fast a single cluster is learned; oo if one degree of freedom learns it.
    offset : int
        :math:`x_0`: 0 (nothing is learned below one degree of freedom), or 1 (the loss falls from the first on).
    threshold : Expr, number or None
        The smallest allocation: by default where the tangent of f goes through (0, 1), which is optimal. Other rules do worse.
    box : mapping
        Ranges of the parameters in which the derivation is checked.
    """

    weight: Any = 1 + ALPHA
    exponent: Any = BETA
    offset: int = 0
    threshold: Any = None
    box: Mapping[sp.Symbol, tuple[Any, Any]] = field(default_factory=lambda: BOX)


@dataclass(frozen=True)
class _Parts:
    """The model's numbers, and what follows from them."""

    alpha: sp.Expr
    beta: sp.Expr
    offset: sp.Expr
    threshold: sp.Expr

    @property
    def a(self) -> sp.Expr:
        return (1 + self.alpha) / (1 + self.beta)

    @property
    def head(self) -> sp.Expr:
        """The smallest allocation, offset included."""
        return self.threshold + self.offset

    @property
    def fraction(self) -> sp.Expr:
        """k_b / n where clusters limit."""
        return sp.cancel(1 - self.a) / (self.head - self.offset * sp.cancel(1 - self.a))

    @property
    def shift(self) -> sp.Expr:
        """What adds to log(k_b) on the boundary."""
        return sp.EulerGamma - self.offset / self.head

    @property
    def lambert(self) -> sp.Expr:
        """W = log(k_b) + shift on the boundary."""
        return sp.LambertW(sp.exp(self.shift) * SIZE / self.head)

    def where(self, name: str) -> sp.Basic:
        """Condition of a regime."""
        relation = {SMOOTH: sp.Gt, CLUSTER: sp.Lt, BOTH: sp.Eq}[name]
        return against_zero(self.alpha - self.beta, relation)

    def cases(self, smooth: sp.Expr, cluster: sp.Expr) -> sp.Expr | None:
        """Write what differs between the two regimes; None where only the boundary is left."""
        found = [
            (value, self.where(name)) for name, value in ((SMOOTH, smooth), (CLUSTER, cluster))
        ]
        kept = [(value, condition) for value, condition in found if condition != sp.false]
        return pieces(kept) if kept else None


def _parts(model: AllocationLimited) -> _Parts:
    alpha, beta = sp.expand(sp.sympify(model.weight) - 1), sp.sympify(model.exponent)
    for name, value, given in (("weight", alpha, model.weight), ("exponent", beta, model.exponent)):
        if not value.is_positive:
            least = "above 1" if name == "weight" else "positive"
            raise refusal(name, given, f"must be {least}: declare its symbols with positive=True")
    if model.offset not in (0, 1):
        raise refusal("offset", model.offset, "must be 0 or 1")
    threshold = model.threshold
    if threshold is None:
        threshold = sp.S.Zero if model.offset else (1 + beta) ** (1 / beta)
    threshold = sp.sympify(threshold)
    if threshold.is_number and not threshold + model.offset >= 1:
        raise refusal(
            "threshold", threshold, f"must be at least {1 - model.offset}: nothing is learned below"
        )
    return _Parts(alpha, beta, sp.sympify(model.offset), threshold)


def _share_steps(model: AllocationLimited, parts: _Parts, x: sp.Expr) -> list[Step]:
    """Write how the degrees of freedom are divided; x is the smallest allocation as it is written."""
    alpha, beta, o, y = parts.alpha, parts.beta, parts.offset, x + parts.offset
    steps = [
        step(_W, _RANK ** (-1 - alpha), DEFINITION, "weight of the cluster of rank k", BRILL_2024)
    ]
    if model.threshold is not None:
        steps.append(
            step(
                _X,
                parts.threshold,
                DEFINITION,
                "a rule for the smallest allocation, not the optimal one",
            )
        )
    elif not model.offset:
        tangent = sp.Eq(_X**-beta + beta * _X**-beta, 1, evaluate=False)
        steps.append(
            step(
                _X,
                parts.threshold,
                solves(tangent),
                "less than x does not pay: there the tangent f - x f' goes through (0, 1)",
            )
        )
    marginal = sp.Eq(beta * _W * (_NK + o) ** (-1 - beta), _LAMBDA, evaluate=False)
    last = sp.Eq((beta * BREAK ** (-1 - alpha) / _LAMBDA) ** (1 / (1 + beta)), y, evaluate=False)
    return [
        *steps,
        step(
            _NK,
            (beta * _W / _LAMBDA) ** (1 / (1 + beta)) - o,
            solves(marginal),
            "all clusters that are learned gain the same at the margin",
        ),
        step(
            _LAMBDA,
            beta * BREAK ** (-1 - alpha) * y ** (-1 - beta),
            solves(last),
            "the last of them, of rank k_b, has the smallest allocation",
        ),
        step(
            _NK,
            y * (_RANK / BREAK) ** -parts.a - o,
            EQUAL,
            "degrees of freedom of rank k",
            BRILL_2024,
        ),
        step(
            _TOTAL,
            sp.Sum(y * (_J / BREAK) ** -parts.a - o, (_J, 1, BREAK)),
            DEFINITION,
            "their total",
        ),
    ]


def _break_steps(model: AllocationLimited, parts: _Parts, x: sp.Expr) -> list[Step]:
    """Write which clusters are learned, off the boundary."""
    y, o, a = x + parts.offset, parts.offset, parts.a
    grown = parts.cases(y * sp.zeta(a) * BREAK**a, (y / sp.cancel(1 - a) - o) * BREAK)
    solved = parts.cases((SIZE / (y * sp.zeta(a))) ** (1 / a), SIZE / (y / sp.cancel(1 - a) - o))
    return [
        *_share_steps(model, parts, x),
        step(
            _TOTAL,
            grown,
            asymptotic(BREAK),
            "a power sum: to zeta(a) where it converges, to an integral where it does not",
        ),
        step(
            BREAK,
            solved,
            solves(sp.Eq(grown, SIZE, evaluate=False)),
            "the rank at which they are used up",
        ),
    ]


def _boundary_steps(parts: _Parts, *, loss: bool) -> list[Step]:
    """Write the case in which both bottlenecks have the same exponent, a = 1."""
    alpha, o, y, g = parts.alpha, parts.offset, parts.head, parts.shift
    where, W = parts.where(BOTH), _LAMBERT
    inside = y * _K0 * (sp.log(_K0) + sp.EulerGamma) - o * _K0
    steps = [
        step(
            _TOTAL0,
            sp.Sum(y * _K0 / _J - o, (_J, 1, _K0)),
            DEFINITION,
            "where a = 1 the total is a harmonic sum",
            None,
            where,
        ),
        step(_TOTAL0, inside, asymptotic(_K0), "a logarithm", None, where),
        step(
            _LOG,
            W + sp.log(W) + sp.log(y) - g,
            DEFINITION,
            "log n, if k_b = exp(W - c) and n = x k_b W: W is Lambert's function",
            None,
            where,
        ),
        step(_LOG, W, asymptotic(W), "W grows as log n", None, where),
        step(
            W,
            parts.lambert,
            solves(sp.Eq(W * sp.exp(W), sp.exp(g) * SIZE / y, evaluate=False)),
            "Lambert's function",
            None,
            where,
        ),
        step(
            _K0,
            SIZE / (y * W),
            solves(sp.Eq(_TOTAL0, SIZE, evaluate=False)),
            "the break rank",
            BRILL_2024,
            where,
        ),
    ]
    if loss:
        steps[2:2] = [
            step(
                _IN0,
                sp.Sum(_J ** (-1 - alpha) * (y * _K0 / _J) ** -alpha, (_J, 1, _K0)),
                DEFINITION,
                "what is left of them",
                None,
                where,
            ),
            step(
                _IN0,
                (y * _K0) ** -alpha * (sp.log(_K0) + sp.EulerGamma),
                asymptotic(_K0),
                "the same sum",
                None,
                where,
            ),
        ]
        steps += [
            step(_L0, _IN0 + _K0**-alpha / alpha, DEFINITION, "the loss", None, where),
            step(
                _L0,
                SIZE**-alpha * W**alpha * (W + o / y + y**alpha / alpha),
                EQUAL,
                "a power and 1 + alpha logarithms",
                None,
                where,
            ),
        ]
    return steps


def _symbol(model: AllocationLimited) -> sp.Expr:
    return sp.S.Zero if model.offset and model.threshold is None else _X


def _box(model: AllocationLimited, parts: _Parts) -> dict[sp.Symbol, tuple[Any, Any]]:
    return free_box(model.box, parts.alpha, parts.beta, parts.threshold)


# -- the loss -----------------------------------------------------------------------------------------------------------


def derive_allocated(model: AllocationLimited) -> Derived:
    r"""Derive the loss of an optimally divided model against its size.

    Parameters
    ----------
    model : AllocationLimited
        Any weights, single-cluster exponent and smallest allocation.

    Returns
    -------
    Derived
        Exponent :math:`\min(\alpha, \beta)` with constants, and :math:`(\log n)^{1 + \alpha}` where both are equal. Forms ``loss`` and
        ``break_rank`` (leading terms with the first correction), and ``published_loss``, ``published_break_rank``,
        ``published_amplitude`` (smallest allocation 1, power sums as integrals).

    Raises
    ------
    DomainError
        If an exponent is not positive, or the smallest allocation learns nothing.

    Examples
    --------
    >>> found = derive_allocated(AllocationLimited(weight=2, exponent=sp.Rational(1, 2)))
    >>> found.expr, found.constant
    (1/2, zeta(4/3)**(3/2))

    A loss per cluster that falls from the first degree of freedom on:

    >>> derive_allocated(AllocationLimited(weight=2, exponent=2, offset=1)).constant
    8
    """
    instance("model", model, AllocationLimited)
    if model.exponent is sp.oo:
        return _all_or_nothing(model)
    parts = _parts(model)
    regimes = tuple(entry for entry in _loss_regimes(parts) if entry.condition != sp.false)

    def build() -> Derivation:
        return Derivation(tuple(_loss_steps(model, parts)), (), _box(model, parts))

    return Derived(regimes, (), build, forms=_forms(parts))


def _loss_regimes(parts: _Parts) -> tuple[Regime, ...]:
    alpha, beta, a, y, o = parts.alpha, parts.beta, parts.a, parts.head, parts.offset
    z, share = sp.zeta(a), parts.fraction
    height = y**-beta / sp.cancel(1 - a) + 1 / alpha
    second = 1 / alpha - y**-beta * (beta * o / y + (1 + beta) / sp.cancel(a - 1))
    rest_smooth = (
        second * (y * z) ** (alpha / a) * z ** (-1 - beta),
        sp.factor((alpha - beta) / (1 + alpha)),
    )
    rest_cluster = (
        z * share ** (a - 1) * (y**-beta / height + alpha * y * share),
        sp.cancel(1 - a),
    )
    return (
        Regime(SMOOTH, parts.where(SMOOTH), beta, z ** (1 + beta), 0, rest_smooth),
        Regime(
            CLUSTER, parts.where(CLUSTER), alpha, share**-alpha * sp.factor(height), 0, rest_cluster
        ),
        Regime(BOTH, parts.where(BOTH), alpha, sp.S.One, 1 + alpha),
    )


def _loss_steps(model: AllocationLimited, parts: _Parts) -> list[Step]:
    alpha, beta, a, x = parts.alpha, parts.beta, parts.a, _symbol(model)
    y = x + parts.offset
    steps: list[Step] = []
    if parts.cases(a, a) is not None:
        smooth, cluster, _ = _loss_regimes(parts)
        constant = parts.cases(smooth.constant, cluster.constant)
        slower = parts.cases(beta, alpha)
        left = y**-beta * parts.cases(
            sp.zeta(a) * BREAK ** (-a * beta), BREAK**-alpha / sp.cancel(1 - a)
        )
        steps = [
            *_break_steps(model, parts, x),
            step(
                _IN,
                sp.Sum(_J ** (-1 - alpha) * (y * (_J / BREAK) ** -a) ** -beta, (_J, 1, BREAK)),
                DEFINITION,
                "what is left of those",
            ),
            step(_IN, left, asymptotic(BREAK), "the same power sum"),
            step(
                _OUT,
                sp.Sum((_J + BREAK) ** (-1 - alpha), (_J, 1, sp.oo)),
                DEFINITION,
                "clusters that are not learned",
            ),
            step(_OUT, BREAK**-alpha / alpha, asymptotic(BREAK), "their tail as an integral"),
            step(_L, _IN + _OUT, DEFINITION, "the loss", BRILL_2024),
            step(_C, constant, DEFINITION, "the constant in front"),
            step(
                _L,
                _C / SIZE**slower,
                asymptotic(SIZE),
                "the slower of the two: the clusters learned first, or all in proportion",
            ),
            step(
                _L,
                _C * SIZE ** -sp.Min(alpha, beta),
                EQUAL,
                "a power law (times logarithms where the exponents meet)",
            ),
        ]
    if parts.where(BOTH) != sp.false:
        shared = [] if steps else _share_steps(model, parts, x)[:-1]
        steps += shared + _boundary_steps(parts, loss=True)
    return steps


def _all_or_nothing(model: AllocationLimited) -> Derived:
    """Derive the limit of clusters that one degree of freedom learns."""
    alpha = sp.expand(sp.sympify(model.weight) - 1)
    steps = [
        step(
            _TOTAL,
            sp.Sum(_J / _J, (_J, 1, BREAK)),
            DEFINITION,
            "one degree of freedom learns a cluster",
            MICHAUD_2023,
        ),
        step(BREAK, SIZE, solves(sp.Eq(_TOTAL, SIZE, evaluate=False)), "the n largest are learned"),
        step(
            _L,
            sp.Sum((_J + BREAK) ** (-1 - alpha), (_J, 1, sp.oo)),
            DEFINITION,
            "clusters that are not learned",
        ),
        step(_L, SIZE**-alpha / alpha, asymptotic(SIZE), "their tail as an integral"),
        step(_C, 1 / alpha, DEFINITION, "the constant in front"),
        step(_L, _C * SIZE**-alpha, EQUAL, "a power law"),
    ]
    derivation = Derivation(tuple(steps), (), free_box(model.box, alpha))
    return Derived(
        (Regime(CLUSTER, sp.true, alpha, 1 / alpha, 0, (-alpha / 2, sp.S.One)),), (), derivation
    )


# -- the break rank -----------------------------------------------------------------------------------------------------


def derive_break_rank(model: AllocationLimited) -> Derived:
    r"""Derive how many clusters a model learns.

    Parameters
    ----------
    model : AllocationLimited
        Any weights, single-cluster exponent and smallest allocation.

    Returns
    -------
    Derived
        Growth exponent of :math:`k_b`: 1/a where smoothness limits, 1 where clusters do, divided by one logarithm in between.

    Examples
    --------
    >>> derive_break_rank(AllocationLimited(weight=2, exponent=1)).regimes[0].log_power
    -1
    """
    instance("model", model, AllocationLimited)
    parts = _parts(model)
    a, y = parts.a, parts.head
    every = (
        Regime(SMOOTH, parts.where(SMOOTH), sp.cancel(1 / a), (y * sp.zeta(a)) ** (-1 / a)),
        Regime(CLUSTER, parts.where(CLUSTER), sp.S.One, parts.fraction),
        Regime(BOTH, parts.where(BOTH), sp.S.One, 1 / y, -1),
    )
    regimes = tuple(entry for entry in every if entry.condition != sp.false)

    def build() -> Derivation:
        steps: list[Step] = []
        if parts.cases(a, a) is not None:
            steps = [
                *_break_steps(model, parts, _symbol(model)),
                step(
                    _C,
                    parts.cases(every[0].constant, every[1].constant),
                    DEFINITION,
                    "the constant in front",
                ),
                step(
                    BREAK,
                    _C * SIZE ** parts.cases(every[0].exponent, sp.S.One),
                    EQUAL,
                    "a power law (over a logarithm where a = 1)",
                ),
            ]
        if parts.where(BOTH) != sp.false:
            shared = [] if steps else _share_steps(model, parts, _symbol(model))[:-1]
            steps += shared + _boundary_steps(parts, loss=False)
        return Derivation(tuple(steps), (), _box(model, parts))

    forms = {name: form for name, form in _forms(parts).items() if "loss" not in name}
    return Derived(regimes, (), build, piecewise=True, forms=forms)


def _forms(parts: _Parts) -> dict[str, Form]:
    """Write the closed formulas, ours and those printed elsewhere."""
    alpha, beta, a, y, o = parts.alpha, parts.beta, parts.a, parts.head, parts.offset
    below, above, line = parts.where(SMOOTH), parts.where(CLUSTER), parts.where(BOTH)

    def branches(smooth: sp.Expr, cluster: sp.Expr, both: sp.Expr) -> sp.Expr:
        kept = [
            (value, where)
            for value, where in ((smooth, below), (cluster, above), (both, line))
            if where != sp.false
        ]
        return kept[0][0] if len(kept) == 1 else sp.Piecewise(*kept)

    k_smooth, k_cluster = (SIZE / (y * sp.zeta(a))) ** (1 / a), parts.fraction * SIZE
    smooth, cluster, _ = _loss_regimes(parts)
    second = sp.factor(1 / alpha - y**-beta * (beta * o / y + (1 + beta) / sp.cancel(a - 1)))
    l_smooth = smooth.constant * SIZE**-beta + second * k_smooth**-alpha
    l_cluster = cluster.constant * SIZE**-alpha
    W = parts.lambert
    l_both = SIZE**-alpha * W**alpha * (W + o / y + y**alpha / alpha)
    p_rank = branches(
        (sp.cancel(a - 1) * SIZE) ** (1 / a), sp.cancel(1 - a) * SIZE, SIZE / sp.LambertW(SIZE)
    )
    p_sum = branches(
        (1 - ((a - 1) * SIZE) ** ((1 - a) / a)) / (a - 1),
        (((1 - a) * SIZE) ** (1 - a) - 1) / (1 - a),
        sp.log(SIZE / sp.LambertW(SIZE)),
    )
    return {
        "loss": Form(
            branches(l_smooth, l_cluster, l_both),
            "loss, with the first correction where smoothness limits",
        ),
        "break_rank": Form(
            branches(k_smooth, k_cluster, SIZE / (y * W)), "how many clusters are learned"
        ),
        "published_break_rank": Form(
            p_rank, "the same as printed: smallest allocation 1, power sums as integrals"
        ),
        "published_amplitude": Form(1 / p_sum, "A of n_k = A n k^-a as printed"),
        "published_loss": Form(
            p_sum ** (1 + beta) * SIZE**-beta + p_rank**-alpha / alpha, "loss as printed"
        ),
    }


def break_rank_equation(
    n: Any, *, alpha: Any, beta: Any, threshold: Any = None
) -> ImplicitConstant:
    r"""Return the break rank as the root of one equation, uniform across :math:`\alpha = \beta`.

    .. math:: k_b^{a} \ln_a k_b = \frac{n}{x^*}, \qquad \ln_a x = \frac{x^{1 - a} - 1}{1 - a}, \qquad a = \frac{1 + \alpha}{1 + \beta}

    Parameters
    ----------
    n : number
        Degrees of freedom, > 0.
    alpha, beta : number
        Zipf excess and single-cluster exponent, > 0.
    threshold : number, optional
        Smallest allocation :math:`x^*`; :math:`(1 + \beta)^{1/\beta}` by default. 1 gives the printed rule.

    Returns
    -------
    ImplicitConstant
        To evaluate to any number of digits. The power sum is replaced by its integral, so that for :math:`\beta < \alpha` the limit
        of large n is off by a constant factor; near :math:`a = 1`, where closed forms fail, it is uniform.

    Raises
    ------
    DomainError
        If a number is not positive.

    Examples
    --------
    Three limits of one equation, here that of Lambert's function:

    >>> print(mpmath.nstr(break_rank_equation(1000, alpha=1, beta=1, threshold=1).evaluate(10), 10))
    190.4906005
    """
    values = {"n": n, "alpha": alpha, "beta": beta} | (
        {} if threshold is None else {"threshold": threshold}
    )
    exact = {name: to_exact(value, name) for name, value in values.items()}
    for name, value in exact.items():
        if not value > 0:
            raise refusal(name, values[name], "must be positive")
    a = (1 + exact["alpha"]) / (1 + exact["beta"])
    x = exact.get("threshold", (1 + exact["beta"]) ** (1 / exact["beta"]))
    grown = BREAK * sp.log(BREAK) if a == 1 else (BREAK - BREAK**a) / (1 - a)
    equation = grown - exact["n"] / x
    high = sp.Integer(2)
    with mpmath.workdps(30):
        function = sp.lambdify(BREAK, equation, "mpmath")
        while function(mpmath.mpf(int(high))) <= 0:
            high *= 2
    return ImplicitConstant(equation, BREAK, (sp.S.One, high))
