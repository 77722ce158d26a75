r"""Dataset size: samples fall on clusters at random, and what each cluster leaves unlearned depends on how many it got."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import sympy as sp

from ...arguments import instance
from ...errors import refusal
from ...reprs import short_repr
from ..asymptotics import MellinSymbol, X, power_sum
from ..derivation import DEFINITION, EQUAL, Derivation, Step, asymptotic, step
from ..optimum import pieces
from ..records import Derived, Form, Regime
from ..references import BRILL_2024, FLAJOLET_1995, HUTTER_2021
from ..relations import against_zero
from ..symbols import ALPHA, BETA, INDEX, P, free_box
from .allocation import BOTH, CLUSTER, SMOOTH
from .counts import CountTransform, MeanPower, PoleRest

_C, _NORM, _PK, _L, _A, _M = sp.symbols("c C p L A_1 M", positive=True)
BOX = {ALPHA: (sp.Rational(1, 2), 3), BETA: (sp.Rational(1, 10), 2)}


@short_repr
@dataclass(frozen=True)
class SampleLimited:
    r"""P samples, each on cluster k with probability :math:`p_k = k^{-(1 + \alpha)}/\zeta(1 + \alpha)`.

    .. math:: L(P) = \sum_k p_k\,E\,h(d_k), \qquad h(0) = 1,\ h(d) = d^{-\beta}

    with Poisson numbers :math:`d_k` of mean :math:`P p_k`; the binomial ones of a fixed P differ by O(1/P).

    Attributes
    ----------
    weight : Expr or number
        :math:`1 + \alpha`, above 1.
    exponent : Expr or number
        :math:`\beta`, how fast a single cluster is learned.
    residual : MellinSymbol or None
        In place of a power: the mean of h itself, as a function of the mean number of samples. ``EXP`` for clusters that one
        sample learns.
    box : mapping
        Ranges of the parameters in which the derivation is checked.
    """

    weight: Any = 1 + ALPHA
    exponent: Any = BETA
    residual: MellinSymbol | None = None
    box: Mapping[sp.Symbol, tuple[Any, Any]] = field(default_factory=lambda: BOX)


def derive_sampled(model: SampleLimited) -> Derived:
    r"""Derive the loss against the number of samples.

    Parameters
    ----------
    model : SampleLimited
        Any weights, and any single-cluster exponent or residual.

    Returns
    -------
    Derived
        Exponent :math:`\min(\beta, s)` with :math:`s = \alpha/(1 + \alpha)`, constants, and one logarithm at :math:`\beta = s`. Forms
        ``loss`` (both terms of the Mellin expansion), ``normalized`` (what `published_loss` is to be divided by), ``published_loss``.

    Raises
    ------
    DomainError
        If an exponent is not positive.

    Examples
    --------
    >>> derive_sampled(SampleLimited(weight=2, exponent=1)).expr
    1/2
    """
    instance("model", model, SampleLimited)
    alpha = sp.expand(sp.sympify(model.weight) - 1)
    if not alpha.is_positive:
        raise refusal(
            "weight", model.weight, "must be above 1: declare its symbols with positive=True"
        )
    if model.residual is not None:
        return _by_residual(model, alpha, model.residual)
    beta = sp.sympify(model.exponent)
    if not beta.is_positive:
        raise refusal(
            "exponent", model.exponent, "must be positive: declare its symbols with positive=True"
        )
    found = _Terms(alpha, beta)
    every = found.regimes()
    regimes = tuple(entry for entry in every if entry.condition != sp.false)
    return Derived(
        regimes,
        (),
        lambda: Derivation(tuple(found.steps(regimes)), (), free_box(model.box, alpha, beta)),
        forms=found.forms(),
    )


@dataclass(frozen=True)
class _Terms:
    """The two leading terms, and where they meet."""

    alpha: sp.Expr
    beta: sp.Expr

    @property
    def s(self) -> sp.Expr:
        return sp.cancel(self.alpha / (1 + self.alpha))

    @property
    def norm(self) -> sp.Expr:
        return 1 / sp.zeta(1 + self.alpha)

    @property
    def clusters(self) -> sp.Expr:
        """A_1: the coefficient of P^-s."""
        return (
            self.norm ** (1 / (1 + self.alpha))
            / (1 + self.alpha)
            * CountTransform(self.s, self.beta)
        )

    @property
    def smoothness(self) -> sp.Expr:
        """The coefficient of P^-beta."""
        return self.norm ** (1 - self.beta) * sp.zeta(sp.expand((1 + self.alpha) * (1 - self.beta)))

    def merged(self) -> sp.Expr:
        """The two terms together where their poles merge."""
        bracket = (sp.log(self.norm * P) + PoleRest(self.beta)) / (1 + self.alpha) + sp.EulerGamma
        return self.norm ** (1 - self.beta) * P**-self.beta * bracket

    def where(self, relation: Any) -> sp.Basic:
        return against_zero(sp.numer(sp.together(self.s - self.beta)), relation)

    def regimes(self) -> tuple[Regime, ...]:
        gap = sp.factor(self.s - self.beta)
        merged = self.norm ** (1 - self.beta) / (1 + self.alpha)
        return (
            Regime(
                SMOOTH,
                self.where(sp.Gt),
                self.beta,
                self.smoothness,
                0,
                (self.clusters / self.smoothness, gap),
            ),
            Regime(
                CLUSTER,
                self.where(sp.Lt),
                self.s,
                self.clusters,
                0,
                (self.smoothness / self.clusters, -gap),
            ),
            Regime(BOTH, self.where(sp.Eq), self.s, merged, 1),
        )

    def steps(self, regimes: tuple[Regime, ...]) -> list[Step]:
        alpha, beta, s = self.alpha, self.beta, self.s
        weight, line = INDEX ** (-1 - alpha), self.where(sp.Eq)
        loss = sp.Sum(_NORM * weight * MeanPower(P * _NORM * weight, beta), (INDEX, 1, sp.oo))
        plain = [
            (entry.constant, entry.exponent, entry.condition)
            for entry in regimes
            if not entry.log_power
        ]
        steps = [step(_NORM, self.norm, DEFINITION, "weights add up to one", BRILL_2024)]
        if sp.Gt(beta, 1) != sp.false:
            above, t = sp.Gt(beta, 1), sp.Symbol("t", positive=True)
            seen = 2 * sp.exp(-t / 2) * sp.sinh(t / 2)  # 1 - exp(-t) without cancellation
            moment = sp.Integral(t**beta * sp.exp(-t) * seen ** (-s - 1), (t, 0, sp.oo))
            averaged = sp.gamma(s) * (1 + s / sp.gamma(beta + 1) * moment)
            steps += [
                step(
                    _M,
                    averaged,
                    DEFINITION,
                    "Mellin transform of a cluster's mean loss, d^-beta as an integral",
                    None,
                    above,
                ),
                step(
                    _M,
                    CountTransform(s, beta),
                    EQUAL,
                    "a function that continues to all exponents",
                    None,
                    above,
                ),
            ]
        steps.append(
            step(
                _L,
                loss,
                DEFINITION,
                "a cluster is learned from the Poisson number of samples that fall on it: G is its mean",
                BRILL_2024,
            )
        )
        if plain:
            exponent = pieces([(power, where) for _, power, where in plain])
            steps += [
                step(
                    _A,
                    pieces([(constant, where) for constant, _, where in plain]),
                    DEFINITION,
                    "the constant in front",
                ),
                step(
                    _L,
                    _A * P**-exponent,
                    asymptotic(P),
                    "leading Mellin residue: clusters not seen yet, or large ones not yet known well",
                ),
                step(
                    _L,
                    _A * P ** -sp.Min(*(power for _, power, _ in plain)),
                    EQUAL,
                    "a power law (times a logarithm where both meet)",
                ),
            ]
        if line != sp.false:
            quantity = sp.Symbol("L_0", positive=True)
            merged = self.merged()
            steps += [
                step(
                    quantity,
                    loss,
                    DEFINITION,
                    "the same loss where the two exponents are equal",
                    None,
                    line,
                ),
                step(
                    quantity,
                    merged,
                    asymptotic(P),
                    "two poles merge into a logarithm",
                    FLAJOLET_1995,
                    line,
                ),
                step(
                    _C,
                    self.norm ** (1 - beta) / (1 + alpha),
                    DEFINITION,
                    "the constant in front of it",
                    None,
                    line,
                ),
                step(
                    quantity, _C * P**-s * sp.log(P), asymptotic(P), "its leading term", None, line
                ),
            ]
        return steps

    def forms(self) -> dict[str, Form]:
        alpha, beta, s = self.alpha, self.beta, self.s
        off = self.clusters * P**-s + self.smoothness * P**-beta
        published = (beta * (1 + alpha) / alpha * P**-s - P**-beta) / (beta * (1 + alpha) - alpha)
        published_line = P**-s * (sp.log(P) / (1 + alpha) + 1 / alpha)
        line = self.where(sp.Eq)

        def both(apart: sp.Expr, equal: sp.Expr) -> sp.Expr:
            return (
                apart
                if line == sp.false
                else equal
                if line == sp.true
                else sp.Piecewise((equal, line), (apart, True))
            )

        return {
            "loss": Form(both(off, self.merged()), "loss, both terms of the Mellin expansion"),
            "published_loss": Form(
                both(published, published_line),
                "loss as printed, for weights that are not normalized",
            ),
            "normalized": Form(sp.zeta(1 + alpha), "what the loss as printed is to be divided by"),
        }


def _by_residual(model: SampleLimited, alpha: sp.Expr, residual: MellinSymbol) -> Derived:
    """Derive the law of a given mean loss per cluster, by the Mellin transform of that."""
    found = power_sum(1 + alpha, residual.compose(-(1 + alpha)))
    norm = 1 / sp.zeta(1 + alpha)
    weight = INDEX ** (-1 - alpha)
    scale = (_NORM * P) ** (1 / (1 + alpha))
    regimes = []
    for branch in found.branches():
        term = branch.candidate
        power = sp.cancel(-term.exponent / (1 + alpha))
        constant = (
            norm ** (1 - power) * sp.gammasimp(term.coefficient) / (1 + alpha) ** term.log_power
        )
        name = {"zeta": CLUSTER, "gamma": SMOOTH, "double": BOTH}[term.origin]
        regimes.append(Regime(name, branch.condition, power, constant, term.log_power))
    plain = [entry for entry in regimes if not entry.log_power]

    def build() -> Derivation:
        steps = [
            step(_NORM, norm, DEFINITION, "weights add up to one"),
            step(
                _L,
                sp.Sum(
                    _NORM * weight * residual.function.subs(X, P * _NORM * weight),
                    (INDEX, 1, sp.oo),
                ),
                DEFINITION,
                "what clusters leave unlearned at their mean number of samples",
                HUTTER_2021,
            ),
            step(
                _L,
                _NORM * found.leading(scale),
                asymptotic(P),
                "leading Mellin residue",
                FLAJOLET_1995,
            ),
        ]
        if plain:
            constant = pieces([(entry.constant, entry.condition) for entry in plain])
            steps += [
                step(_C, constant, DEFINITION, "the constant in front"),
                step(
                    _L,
                    _C * P ** -sp.Min(*(entry.exponent for entry in plain)),
                    EQUAL,
                    "a power law",
                ),
            ]
        return Derivation(
            tuple(steps), found.conditions, free_box(model.box, alpha, residual.function)
        )

    return Derived(tuple(regimes), found.conditions, build)
