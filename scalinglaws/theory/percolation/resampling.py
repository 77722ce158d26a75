"""Samples drawn from clusters by a power of their weights, while the loss still weighs clusters as they are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import sympy as sp

from ...arguments import instance
from ...errors import refusal
from ...reprs import short_repr
from ..derivation import DEFINITION, EQUAL, Derivation, Step, asymptotic, step
from ..optimum import pieces
from ..records import Derived, Form, Regime
from ..references import BRILL_2024, FLAJOLET_1995
from ..relations import against_zero
from ..symbols import ALPHA, BETA, INDEX, P, free_box
from .allocation import BOTH, CLUSTER, SMOOTH
from .counts import CountTransform, MeanPower, PoleRest

THETA = sp.Symbol("theta", positive=True)
_C, _NORM, _DRAW, _L, _A = sp.symbols("c C C_q L A_1", positive=True)
BOX = {
    ALPHA: (sp.S.One, 3),
    BETA: (sp.Rational(1, 10), 2),
    THETA: (sp.Rational(11, 20), sp.S.One),
}


@short_repr
@dataclass(frozen=True)
class Resampled:
    r"""P samples, each on cluster k with probability :math:`q_k \propto p_k^\theta`, where its weight is :math:`p_k`.

    .. math:: L(P) = \sum_k p_k\,E\,h(d_k), \qquad h(0) = 1,\ h(d) = d^{-\beta}, \qquad
              p_k = \frac{k^{-(1+\alpha)}}{\zeta(1+\alpha)}, \quad q_k = \frac{k^{-\theta(1+\alpha)}}{\zeta(\theta(1+\alpha))}

    with Poisson numbers :math:`d_k` of mean :math:`P q_k`.

    Attributes
    ----------
    weight : Expr or number
        :math:`1 + \alpha`, above 1.
    exponent : Expr or number
        :math:`\beta`, how fast a single cluster is learned.
    sampling : Expr or number
        :math:`\theta`, above :math:`1/(1 + \alpha)`: below, the probabilities of infinitely many clusters do not add up.
    box : mapping
        Ranges of the parameters in which the derivation is checked.
    """

    weight: Any = 1 + ALPHA
    exponent: Any = BETA
    sampling: Any = THETA
    box: Mapping[sp.Symbol, tuple[Any, Any]] = field(default_factory=lambda: BOX)


def derive_resampled(model: Resampled) -> Derived:
    r"""Derive the loss against the number of samples that are drawn by a power of the weights.

    Parameters
    ----------
    model : Resampled
        Any weights, single-cluster exponent and power.

    Returns
    -------
    Derived
        Exponent :math:`\min(\beta, s/\theta)` with :math:`s = \alpha/(1 + \alpha)`, constants, and one logarithm where they meet. Forms
        ``loss`` (both terms of the Mellin expansion) and ``best_theta``, :math:`1/(1 + \beta)`, where the constant of
        :math:`P^{-\beta}` is least.

    Raises
    ------
    DomainError
        If an exponent or the power is not positive, or the power too small.

    Examples
    --------
    >>> derive_resampled(Resampled(weight=2, exponent=1, sampling=sp.Rational(3, 4))).expr
    2/3
    """
    instance("model", model, Resampled)
    alpha = sp.expand(sp.sympify(model.weight) - 1)
    if not alpha.is_positive:
        raise refusal(
            "weight", model.weight, "must be above 1: declare its symbols with positive=True"
        )
    beta, theta = sp.sympify(model.exponent), sp.sympify(model.sampling)
    for name, given, value in (
        ("exponent", model.exponent, beta),
        ("sampling", model.sampling, theta),
    ):
        if not value.is_positive:
            raise refusal(name, given, "must be positive: declare its symbols with positive=True")
    b = sp.expand(theta * (1 + alpha))
    if b.is_number and not b > 1:
        raise refusal("sampling", model.sampling, "must exceed 1/weight")
    conditions = (sp.Gt(b, 1),) if b.free_symbols else ()
    return _Resampled(alpha, beta, theta, b, conditions, model.box).derived()


@dataclass(frozen=True)
class _Resampled:
    """The two leading terms, and where they meet."""

    alpha: sp.Expr
    beta: sp.Expr
    theta: sp.Expr
    b: sp.Expr
    conditions: tuple[sp.Basic, ...]
    box: Mapping[sp.Symbol, tuple[Any, Any]]

    def derived(self) -> Derived:
        every = self.regimes()
        regimes = tuple(entry for entry in every if entry.condition != sp.false)
        box = free_box(self.box, self.alpha, self.beta, self.theta)
        held = tuple(against_zero(self.b - 1, sp.Gt) for _ in self.conditions)
        return Derived(
            regimes,
            self.conditions,
            lambda: Derivation(tuple(self.steps(regimes)), held, box),
            forms=self.forms(),
        )

    @property
    def seen(self) -> sp.Expr:
        """The exponent of what is not seen yet, alpha/b."""
        return sp.cancel(self.alpha / (self.theta * (1 + self.alpha)))

    @property
    def norm(self) -> sp.Expr:
        return 1 / sp.zeta(1 + self.alpha)

    @property
    def drawn(self) -> sp.Expr:
        return 1 / sp.zeta(self.b)

    @property
    def clusters(self) -> sp.Expr:
        return self.norm * self.drawn**-self.seen / self.b * CountTransform(self.seen, self.beta)

    @property
    def smoothness(self) -> sp.Expr:
        rest = sp.zeta(sp.expand(1 + self.alpha - self.b * self.beta))
        return self.norm * self.drawn**-self.beta * rest

    def merged(self) -> sp.Expr:
        bracket = (sp.log(self.drawn * P) + PoleRest(self.beta)) / self.b + sp.EulerGamma
        return self.norm * (self.drawn * P) ** -self.beta * bracket

    def where(self, relation: Any) -> sp.Basic:
        return against_zero(sp.numer(sp.together(self.seen - self.beta)), relation)

    def regimes(self) -> tuple[Regime, ...]:
        gap = sp.factor(self.seen - self.beta)
        merged = self.norm * self.drawn**-self.beta / self.b
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
                self.seen,
                self.clusters,
                0,
                (self.smoothness / self.clusters, -gap),
            ),
            Regime(BOTH, self.where(sp.Eq), self.seen, merged, 1),
        )

    def steps(self, regimes: tuple[Regime, ...]) -> list[Step]:
        weight, line = INDEX ** (-1 - self.alpha), self.where(sp.Eq)
        mean = P * _DRAW * INDEX**-self.b
        loss = sp.Sum(_NORM * weight * MeanPower(mean, self.beta), (INDEX, 1, sp.oo))
        plain = [
            (entry.constant, entry.exponent, entry.condition)
            for entry in regimes
            if not entry.log_power
        ]
        steps = [
            step(_NORM, self.norm, DEFINITION, "weights add up to one", BRILL_2024),
            step(
                _DRAW,
                self.drawn,
                DEFINITION,
                "so do the probabilities of being drawn, powers of the weights",
            ),
            step(
                _L,
                loss,
                DEFINITION,
                "a cluster is learned from the Poisson number of samples that fall on it, and weighs what it did",
            ),
        ]
        if plain:
            steps += [
                step(
                    _A,
                    pieces([(constant, where) for constant, _, where in plain]),
                    DEFINITION,
                    "the constant in front",
                ),
                step(
                    _L,
                    _A * P ** -pieces([(power, where) for _, power, where in plain]),
                    asymptotic(P),
                    "leading Mellin residue: clusters not seen yet, or large ones not yet known well",
                    FLAJOLET_1995,
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
                    self.merged(),
                    asymptotic(P),
                    "two poles merge into a logarithm",
                    FLAJOLET_1995,
                    line,
                ),
                step(
                    _C,
                    self.norm * self.drawn**-self.beta / self.b,
                    DEFINITION,
                    "the constant in front of it",
                    None,
                    line,
                ),
                step(
                    quantity,
                    _C * P**-self.seen * sp.log(P),
                    asymptotic(P),
                    "its leading term",
                    None,
                    line,
                ),
            ]
        return steps

    def forms(self) -> dict[str, Form]:
        off = self.clusters * P**-self.seen + self.smoothness * P**-self.beta
        line = self.where(sp.Eq)
        loss = (
            off
            if line == sp.false
            else self.merged()
            if line == sp.true
            else sp.Piecewise((self.merged(), line), (off, True))
        )
        return {
            "loss": Form(loss, "loss, both terms of the Mellin expansion"),
            "best_theta": Form(
                1 / (1 + self.beta),
                "the power at which samples are best drawn: least constant of P^-beta for beta < alpha",
            ),
        }
