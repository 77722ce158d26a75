r"""When single clusters are learned, how many of them samples show, and what is lost if all but one sample of each is thrown away.

A cluster of probability :math:`p_k` expects :math:`x = P p_k` of P samples; what they leave unlearned of it is :math:`G(x)`, the
mean of :math:`h(d)` over Poisson numbers d.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import mpmath
import sympy as sp
from scipy.optimize import brentq

from ...arguments import instance
from ...errors import refusal
from ...reprs import short_repr
from ..derivation import DEFINITION, EQUAL, Derivation, asymptotic, solves, step
from ..records import Derived, Form, Regime
from ..references import BRILL_2024, FLAJOLET_1995, HUTTER_2021, MICHAUD_2023
from ..symbols import ALPHA, BETA, INDEX, P, free_box
from .counts import CountTransform, MeanPower, mean_power
from .ranks import RANK

KEPT = sp.Symbol("Q", positive=True)
_NORM, _PK, _HALF, _A, _L, _KP, _N, _UNSEEN, _C = sp.symbols(
    "C p_k P_q A L k_P N U c", positive=True
)
_J = sp.Symbol("kappa", positive=True)
BOX = {ALPHA: (sp.Rational(1, 2), 3), BETA: (sp.Rational(1, 4), 2)}


def learned_mean(share: Any, beta: Any) -> Any:
    r"""Return the x at which :math:`G(x)`, the mean of :math:`d^{-\beta}` over Poisson numbers, is a given share, to 12 digits.

    Parameters
    ----------
    share, beta : number
        Between 0 and 1, and positive.

    Returns
    -------
    mpmath.mpf
        Positive.
    """
    return mpmath.mpf(_learned_mean(float(share), float(beta)))


@lru_cache(maxsize=1024)
def _learned_mean(share: float, beta: float) -> float:
    def gap(x: float) -> float:
        return float(mean_power(x, beta)) - share

    low, high = 0.0, 1.0
    while gap(high) > 0:
        low, high = high, 2 * high
    return float(brentq(gap, low, high, xtol=1e-300, rtol=9e-16))


class LearnedMean(sp.Function):  # type: ignore[misc]
    r"""The mean number of samples at which a cluster is expected to be unlearned to a share q: :math:`G(x_q) = q`.

    Arguments: q and :math:`\beta`. Evaluates to about 12 digits.

    Examples
    --------
    >>> round(float(LearnedMean(sp.Rational(1, 2), 1)), 8)
    2.74200352
    """

    nargs = (2,)
    is_commutative = True
    is_positive = True
    _imp_ = staticmethod(learned_mean)

    def _eval_evalf(self, prec: int) -> Any:
        share, beta = (entry if entry.is_Float else entry._eval_evalf(prec) for entry in self.args)
        if not (share is not None and share.is_number and beta.is_number):
            return None
        return sp.Float(learned_mean(share._to_mpmath(prec), beta._to_mpmath(prec)), precision=prec)


@short_repr
@dataclass(frozen=True)
class Emerging:
    r"""Clusters of weights :math:`k^{-(1 + \alpha)}`, each learned as :math:`d^{-\beta}` from the d samples that fall on it.

    Attributes
    ----------
    weight : Expr or number
        :math:`1 + \alpha`, above 1.
    exponent : Expr or number
        :math:`\beta`.
    share : Expr or number
        q, what is still unlearned of a cluster when it counts as learned; between 0 and 1.
    box : mapping
        Ranges of the parameters in which the derivation is checked.
    """

    weight: Any = 1 + ALPHA
    exponent: Any = BETA
    share: Any = sp.S.Half
    box: Mapping[sp.Symbol, tuple[Any, Any]] = field(default_factory=lambda: BOX)


def derive_emergence(model: Emerging) -> Derived:
    r"""Derive after how many samples the cluster of rank k is learned.

    Parameters
    ----------
    model : Emerging
        Any weights, single-cluster exponent and share.

    Returns
    -------
    Derived
        Exponent of growth :math:`1 + \alpha`. Forms ``samples``, ``mean``, ``first_seen`` (median number of samples until one falls
        on the cluster), ``sharp_loss`` (loss if every cluster was learned at one stroke) and, for :math:`\beta > \alpha/(1+\alpha)`, its
        ratio to the true one, ``sharp_over_true``.

    Raises
    ------
    DomainError
        If the weight is not above 1, the exponent not positive or the share a number outside (0, 1).

    Examples
    --------
    >>> derive_emergence(Emerging(weight=2, exponent=1)).constant.evalf(6)
    4.51042
    """
    instance("model", model, Emerging)
    alpha, beta = _excess(model.weight), sp.sympify(model.exponent)
    if not beta.is_positive:
        raise refusal(
            "exponent", model.exponent, "must be positive: declare its symbols with positive=True"
        )
    share = sp.sympify(model.share)
    if not (share.is_number and 0 < share < 1):
        raise refusal("share", model.share, "must be a number between 0 and 1")
    s = sp.cancel(alpha / (1 + alpha))
    norm, mean = 1 / sp.zeta(1 + alpha), LearnedMean(share, beta)
    weight, constant = RANK ** (-1 - alpha), mean * sp.zeta(1 + alpha)
    sharp = norm ** (1 - s) * mean**s / alpha * P**-s

    def build() -> Derivation:
        equation = sp.Eq(MeanPower(_HALF * _PK, beta), share, evaluate=False)
        steps = [
            step(_NORM, norm, DEFINITION, "weights add up to one", BRILL_2024),
            step(_PK, _NORM * weight, DEFINITION, "share of the samples that fall on cluster k"),
            step(
                _HALF,
                mean / _PK,
                solves(equation),
                "when a share q is left of it on average, at Poisson numbers of samples",
            ),
            step(_A, constant, DEFINITION, "the constant in front"),
            step(
                _HALF,
                _A * RANK ** (1 + alpha),
                EQUAL,
                "clusters emerge one after the other, later ones at larger and larger distances",
                MICHAUD_2023,
            ),
            step(
                _KP,
                (P / _A) ** (1 / (1 + alpha)),
                solves(sp.Eq(_A * _KP ** (1 + alpha), P, evaluate=False)),
                "the last cluster that has emerged after P samples",
            ),
            step(
                _L,
                sp.Integral(_NORM * (_KP + _J) ** (-1 - alpha), (_J, 0, sp.oo)),
                DEFINITION,
                "the loss if every cluster was learned at one stroke: the weight of those to come",
            ),
            step(
                _L,
                sharp,
                EQUAL,
                "its exponent is alpha/(1 + alpha), whatever beta is: wrong for smaller beta, where old clusters make the loss",
            ),
        ]
        return Derivation(tuple(steps), (), free_box(model.box, alpha, beta))

    p = norm * weight
    forms = {
        "samples": Form(mean / p, "samples after which half of cluster k is left unlearned"),
        "mean": Form(mean, "samples of the cluster itself by then, on average"),
        "first_seen": Form(
            sp.log(2) / (2 * sp.atanh(p / (2 - p))),
            "median number of samples until one falls on cluster k",
        ),
        "sharp_loss": Form(sharp, "loss after P samples if clusters were learned at one stroke"),
        "sharp_over_true": Form(
            mean**s / (s * CountTransform(s, beta)),
            "that over the leading term of the loss, where beta > alpha/(1 + alpha)",
        ),
    }
    return Derived((Regime("emergence", sp.true, 1 + alpha, constant),), (), build, forms=forms)


@short_repr
@dataclass(frozen=True)
class Repeated:
    r"""P samples on clusters of weights :math:`k^{-(1 + \alpha)}`, many of which repeat what others show.

    Attributes
    ----------
    weight : Expr or number
        :math:`1 + \alpha`, above 1.
    box : mapping
        Ranges of the parameters in which the derivation is checked.
    """

    weight: Any = 1 + ALPHA
    box: Mapping[sp.Symbol, tuple[Any, Any]] = field(default_factory=lambda: BOX)


def derive_capacity(model: Repeated) -> Derived:
    r"""Derive how many clusters P samples show: the room that a model needs to know all of them.

    Parameters
    ----------
    model : Repeated
        Any weights.

    Returns
    -------
    Derived
        Exponent of growth :math:`1/(1 + \alpha)`. Forms ``distinct`` (leading term) and ``samples`` (that fill a given room n).

    Raises
    ------
    DomainError
        If the weight is not above 1.

    Examples
    --------
    >>> derive_capacity(Repeated(weight=2)).expr
    1/2
    """
    instance("model", model, Repeated)
    alpha = _excess(model.weight)
    s, _, constant = _seen(alpha)
    power = sp.cancel(1 / (1 + alpha))

    def build() -> Derivation:
        return Derivation(tuple(_seen_steps(alpha)), (), free_box(model.box, alpha))

    n = sp.Symbol("n", positive=True)
    forms = {
        "distinct": Form(constant * P**power, "clusters among P samples, leading term"),
        "samples": Form((n / constant) ** (1 + alpha), "samples that show n clusters"),
        "unseen": Form(
            constant / (1 + alpha) * P**-s, "weight of the clusters not among them, leading term"
        ),
    }
    return Derived((Regime("capacity", sp.true, power, constant),), (), build, forms=forms)


def derive_pruned(model: Repeated) -> Derived:
    r"""Derive the loss of a dataset that keeps one sample of each cluster, against what is kept, where one sample teaches a cluster.

    Parameters
    ----------
    model : Repeated
        Any weights.

    Returns
    -------
    Derived
        Exponent :math:`\alpha`. Forms ``loss``, ``pool`` (samples from which so many are kept) and ``unpruned`` (loss of as many samples
        that are not chosen).

    Raises
    ------
    DomainError
        If the weight is not above 1.

    Examples
    --------
    >>> derive_pruned(Repeated(weight=2)).constant
    3/pi
    """
    instance("model", model, Repeated)
    alpha = _excess(model.weight)
    s, norm, number = _seen(alpha)
    constant = norm * sp.gamma(s) ** (1 + alpha) / (1 + alpha)

    def build() -> Derivation:
        steps = _seen_steps(alpha)
        pool = sp.Symbol("P_Q", positive=True)
        loss = sp.Symbol("L_Q", positive=True)
        steps += [
            step(
                pool,
                (KEPT / number) ** (1 + alpha),
                solves(sp.Eq(number * pool ** (1 / (1 + alpha)), KEPT, evaluate=False)),
                "samples of which Q are kept, one of each cluster",
            ),
            step(
                loss,
                number / (1 + alpha) * pool**-s,
                DEFINITION,
                "what is unseen stays unseen: nothing is lost",
            ),
            step(_C, constant, DEFINITION, "the constant in front"),
            step(loss, _C * KEPT**-alpha, EQUAL, "against what is kept, the exponent of models"),
        ]
        return Derivation(tuple(steps), (), free_box(model.box, alpha))

    forms = {
        "loss": Form(constant * KEPT**-alpha, "loss of Q samples of different clusters"),
        "pool": Form((KEPT / number) ** (1 + alpha), "samples of which Q are kept"),
        "unpruned": Form(
            number / (1 + alpha) * KEPT**-s, "loss of Q samples that are not chosen, leading term"
        ),
    }
    return Derived((Regime("pruned", sp.true, alpha, constant),), (), build, forms=forms)


def _excess(weight: Any) -> sp.Expr:
    alpha = sp.expand(sp.sympify(weight) - 1)
    if not alpha.is_positive:
        raise refusal("weight", weight, "must be above 1: declare its symbols with positive=True")
    return alpha


def _seen(alpha: sp.Expr) -> tuple[sp.Expr, sp.Expr, sp.Expr]:
    """Return s, the normalization and the constant of the number of clusters seen."""
    s = sp.cancel(alpha / (1 + alpha))
    norm = 1 / sp.zeta(1 + alpha)
    return s, norm, sp.gamma(s) * sp.zeta(1 + alpha) ** sp.cancel(-1 / (1 + alpha))


def _seen_steps(alpha: sp.Expr) -> list[Any]:
    s, norm, constant = _seen(alpha)
    weight = INDEX ** (-1 - alpha)
    power = sp.cancel(1 / (1 + alpha))
    return [
        step(_NORM, norm, DEFINITION, "weights add up to one", BRILL_2024),
        step(
            _N,
            sp.Sum(1 - sp.exp(-P * _NORM * weight), (INDEX, 1, sp.oo)),
            DEFINITION,
            "clusters that one of P samples falls on, at Poisson numbers",
        ),
        step(_A, constant, DEFINITION, "the constant in front"),
        step(_N, _A * P**power, asymptotic(P), "leading Mellin residue", FLAJOLET_1995),
        step(
            _UNSEEN,
            sp.Sum(_NORM * weight * sp.exp(-P * _NORM * weight), (INDEX, 1, sp.oo)),
            DEFINITION,
            "weight of those that none falls on: the slope of N, since what is new is unseen before",
            HUTTER_2021,
        ),
        step(
            _UNSEEN,
            _A / (1 + alpha) * P**-s,
            asymptotic(P),
            "and so is its leading term",
        ),
    ]
