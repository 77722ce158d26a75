r"""From cluster numbers to Zipf's law: how large the k-th largest cluster is.

At the threshold there are :math:`n_s \sim s^{-\tau}` clusters of s sites per site. What a rank means depends on how clusters are
collected. Drawn one by one, each as the cluster of a random site (*site-rooted*), a cluster of s sites comes up s times as often as
it occurs; counted once each in one large lattice (*lattice*), it does not.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import sympy as sp

from ...arguments import choice, instance
from ...errors import refusal
from ...reprs import short_repr
from ..derivation import DEFINITION, EQUAL, Derivation, asymptotic, solves, step
from ..records import Derived, Form, Regime
from ..references import BRILL_2024, STAUFFER_1994
from ..relations import against_zero
from ..symbols import free_box

TAU, SIGMA, RANK, S = sp.symbols("tau sigma k s", positive=True)
_J = sp.Symbol("j", positive=True, integer=True)
_V = sp.Symbol("v", positive=True)
_F, _R, _SIZE, _Q, _C, _B, _KXI = sp.symbols("F R s_k Q c B k_xi", positive=True)
CLUSTERS = sp.Symbol("K", positive=True)
NEARNESS = sp.Symbol("r", positive=True)  # 1/|p - p_c|
SMALLEST, AMPLITUDE, CUTOFF = sp.symbols("s_min A s_xi", positive=True)


@short_repr
@dataclass(frozen=True)
class ClusterNumbers:
    r"""Clusters at the threshold, :math:`n_s \propto s^{-\tau}`, and how they are collected.

    Attributes
    ----------
    tau : Expr or number
        Exponent of the cluster numbers, between 2 and 3.
    ensemble : {"site_rooted", "lattice"}
        Each cluster drawn as that of a random site, or every cluster of a lattice counted once.
    box : mapping
        Ranges of the parameters in which the derivation is checked.
    """

    tau: Any = TAU
    ensemble: str = "site_rooted"
    box: Mapping[sp.Symbol, tuple[Any, Any]] = field(
        default_factory=lambda: {TAU: (sp.Rational(9, 4), sp.Rational(11, 4))}
    )


def derive_ranks(model: ClusterNumbers) -> Derived:
    r"""Derive how the weight of clusters depends on their rank.

    Parameters
    ----------
    model : ClusterNumbers
        Any exponent of the cluster numbers, in either ensemble.

    Returns
    -------
    Derived
        Site-rooted: exponent :math:`\alpha = (3 - \tau)/(\tau - 2)` of the weight of all clusters beyond rank k, as a share of the
        largest. Lattice: exponent of growth :math:`(\tau - 2)/(\tau - 1)` of the weight of the k largest. Form ``rank_exponent``.

    Raises
    ------
    DomainError
        If the ensemble is unknown, or tau does not lie between 2 and 3.

    Examples
    --------
    >>> derive_ranks(ClusterNumbers(sp.Rational(5, 2))).expr
    1
    >>> derive_ranks(ClusterNumbers(sp.Rational(5, 2), "lattice")).expr
    1/3
    """
    instance("model", model, ClusterNumbers)
    choice("ensemble", model.ensemble, ("site_rooted", "lattice"))
    tau = sp.sympify(model.tau)
    if tau.is_number and not 2 < tau < 3:
        raise refusal("tau", tau, "must lie between 2 and 3")
    rooted = model.ensemble == "site_rooted"
    weight = tau - 1 if rooted else tau  # of the probability that a collected cluster has s sites
    slope = sp.cancel(1 / (weight - 1))  # of size against rank
    unit = (CLUSTERS / (weight - 1)) ** slope
    counted = (
        "as the cluster of a random site it comes up s times as often as it occurs"
        if rooted
        else "every cluster counts once"
    )
    if rooted:
        exponent, constant = sp.factor(slope - 1), sp.factor(1 / (slope - 1))
        beyond = sp.Sum(_B * (_J + RANK) ** -slope, (_J, 1, sp.oo))
        what, leading, name = (
            "weight of all clusters beyond rank k",
            _B * constant * RANK**-exponent,
            "summable",
        )
    else:
        exponent, constant = sp.factor(1 - slope), sp.factor(1 / (1 - slope))
        beyond = sp.Sum(_B * _J**-slope, (_J, 1, RANK))
        what, leading, name = (
            "weight of the k largest clusters",
            _B * constant * RANK**exponent,
            "not summable",
        )
    steps = [
        step(
            _F,
            sp.Sum((_J + S) ** -weight, (_J, 1, sp.oo)),
            DEFINITION,
            f"share of the clusters that have more than s sites: n_s falls as s^-({tau}), and {counted}",
            STAUFFER_1994,
        ),
        step(_F, S ** (1 - weight) / (weight - 1), asymptotic(S), "a power-law tail"),
        step(
            _R, CLUSTERS * _F, DEFINITION, "how many of K clusters are larger: the rank", BRILL_2024
        ),
        step(_B, unit, DEFINITION, "size of the largest, up to a factor"),
        step(
            S,
            _B * RANK**-slope,
            solves(sp.Eq(_R, RANK, evaluate=False)),
            "size of the cluster of rank k: Zipf's law",
        ),
        step(_Q, beyond, DEFINITION, what),
        step(
            _Q,
            leading,
            asymptotic(RANK),
            "the tail as an integral"
            if rooted
            else "it grows without bound: small clusters hold the mass",
        ),
        step(_C, constant, DEFINITION, "the constant in front, in units of the largest cluster"),
        step(_Q, _B * _C * RANK ** (-exponent if rooted else exponent), EQUAL, "a power law"),
    ]
    conditions = (sp.Gt(tau, 2), sp.Lt(tau, 3)) if tau.free_symbols else ()
    forms = {"rank_exponent": Form(slope, "g of s_k ~ k^-g: size of the cluster of rank k")}
    box = free_box(model.box, tau)
    derivation = Derivation(
        tuple(steps),
        tuple(against_zero(part, sp.Gt) for part in (tau - 2, 3 - tau)) if box else (),
        box,
    )
    return Derived(
        (Regime(name, sp.true, exponent, constant),), conditions, derivation, forms=forms
    )


# -- below the threshold ------------------------------------------------------------------------------------------------


@short_repr
@dataclass(frozen=True)
class Subcritical:
    r"""Clusters below the threshold, :math:`n_s \propto s^{-\tau} e^{-s/s_\xi}` with :math:`s_\xi = A\,|p - p_c|^{-1/\sigma}`.

    Attributes
    ----------
    tau, sigma : Expr or number
        Exponents of the cluster numbers.
    box : mapping
        Ranges of the parameters in which the derivation is checked.
    """

    tau: Any = TAU
    sigma: Any = SIGMA
    box: Mapping[sp.Symbol, tuple[Any, Any]] = field(
        default_factory=lambda: {
            TAU: (sp.Rational(9, 4), sp.Rational(11, 4)),
            SIGMA: (sp.Rational(2, 5), sp.Rational(3, 5)),
        }
    )


def derive_crossover(model: Subcritical) -> Derived:
    r"""Derive where the loss of a model, or of a dataset, leaves its plateau below the threshold.

    Parameters
    ----------
    model : Subcritical
        Any exponents of the cluster numbers.

    Returns
    -------
    Derived
        :math:`n_\times \sim P_\times \sim k_\xi = K (s_{\min}/s_\xi)^{\tau - 2} \propto K |p - p_c|^{\beta_p}` for K site-rooted clusters;
        the constant is that of :math:`k_\xi`. Forms ``rank``, ``size``, ``total``.

    Examples
    --------
    >>> derive_crossover(Subcritical(sp.Rational(5, 2), sp.Rational(1, 2))).expr
    1
    """
    instance("model", model, Subcritical)
    tau, sigma = sp.sympify(model.tau), sp.sympify(model.sigma)
    t = sp.expand(tau - 2)
    y, total, ratio = sp.symbols("y S Y", positive=True)
    exponent = sp.factor(t / sigma)
    constant = CLUSTERS * (SMALLEST / AMPLITUDE) ** t
    cut = AMPLITUDE * NEARNESS ** (1 / sigma)
    above = (
        CLUSTERS
        * t
        * SMALLEST**t
        * sp.Integral(
            (_V + y * CUTOFF) ** (1 - tau) * sp.exp(-(_V + y * CUTOFF) / CUTOFF), (_V, 0, sp.oo)
        )
    )
    steps = [
        step(y, 1 / ratio, DEFINITION, "sizes in units of the cut-off s_xi"),
        step(
            _R,
            above,
            DEFINITION,
            f"how many of K site-rooted clusters have more than s = y s_xi sites: their density is s^({1 - tau}) exp(-s/s_xi)",
            STAUFFER_1994,
        ),
        step(
            _KXI,
            CLUSTERS * (SMALLEST / CUTOFF) ** t,
            DEFINITION,
            "how many would have more than s_xi at the threshold",
        ),
        step(_R, _KXI * t * sp.uppergamma(-t, y), EQUAL, "an incomplete Gamma function"),
        step(
            _R,
            _KXI * ratio**t,
            asymptotic(ratio),
            "far below the cut-off ranks are those at the threshold",
        ),
        step(
            ratio,
            (RANK / _KXI) ** (1 / t),
            solves(sp.Eq(_KXI * ratio**t, RANK, evaluate=False)),
            "sizes fall as k^-(1 + alpha) beyond k_xi, and are about s_xi before",
        ),
        step(
            total,
            sp.Integral(CUTOFF * _KXI * t * _V ** (2 - tau) * sp.exp(-_V), (_V, 0, sp.oo)),
            DEFINITION,
            "weight of all clusters: sizes integrated over ranks",
        ),
        step(
            total,
            _KXI * CUTOFF * t * sp.gamma(1 - t),
            EQUAL,
            "about k_xi clusters of s_xi hold it: below k_xi the loss is flat",
            BRILL_2024,
        ),
        step(
            CUTOFF,
            cut,
            DEFINITION,
            "the largest clusters diverge at the threshold, r = 1/|p - p_c|",
            STAUFFER_1994,
        ),
        step(_C, constant, DEFINITION, "the constant in front"),
        step(_KXI, _C * NEARNESS**-exponent, EQUAL, "the exponent is beta_p = (tau - 2)/sigma"),
    ]
    conditions = (sp.Gt(tau, 2), sp.Lt(tau, 3)) if tau.free_symbols else ()
    k_xi = sp.Symbol("k_xi", positive=True)
    forms = {
        "rank": Form(k_xi * t * sp.uppergamma(-t, y), "rank of a cluster of y s_xi sites"),
        "total": Form(
            k_xi * CUTOFF * t * sp.gamma(1 - t), "weight of all clusters, as an integral over ranks"
        ),
        "crossover": Form(
            constant * NEARNESS**-exponent,
            "k_xi, the size of model and dataset at which the loss leaves its plateau",
        ),
    }
    box = free_box(model.box, tau, sigma)
    regime = Regime("plateau ends", sp.true, exponent, constant)
    return Derived((regime,), conditions, Derivation(tuple(steps), (), box), forms=forms)
