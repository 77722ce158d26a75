"""The laws of percolation that the package ships."""

from __future__ import annotations

from functools import lru_cache

import sympy as sp

from ..asymptotics import EXP
from ..building import laws_of
from ..formula import Law, Misprint, Published
from ..records import Factor
from ..references import (
    BRILL_2024,
    FISHER_1961,
    HUTTER_2021,
    MICHAUD_2023,
    SHARMA_2022,
    STAUFFER_1994,
    ZHOU_2012,
)
from ..symbols import ALPHA, BETA, P
from .allocation import SIZE, AllocationLimited, derive_allocated, derive_break_rank
from .components import (
    FRACTAL,
    INVERSE,
    ClusterLimited,
    GridLimited,
    LossReduction,
    derive_cluster,
    derive_grid,
    derive_reduction,
)
from .paths import PathLimited, derive_path
from .ranks import NEARNESS, RANK, TAU, ClusterNumbers, Subcritical, derive_crossover, derive_ranks
from .resampling import Resampled, derive_resampled
from .sampling import SampleLimited, derive_sampled
from .transitions import KEPT, Emerging, Repeated, derive_capacity, derive_emergence, derive_pruned

_ALPHA = "Zipf excess: the cluster of rank k weighs k^-(1 + alpha)"
_BETA = "exponent at which a single cluster is learned, c/D"
_TAU = "exponent of the cluster numbers, n_s ~ s^-tau at the threshold"
_SMOOTH, _WEIGHT = (1 + ALPHA) * (1 - BETA), (1 + ALPHA) / (1 + BETA)
_ORDER = (
    "order of the error in Euclidean distance: 2 for the square of a piecewise constant "
    "approximation, 4 for a piecewise linear one"
)


_build = laws_of(
    "percolation",
    symbols={"alpha": _ALPHA, "beta": _BETA},
    reference=(BRILL_2024,),
    task=False,
)


@lru_cache(maxsize=1)
def quanta_law() -> Law:
    r"""Return ``percolation.quanta``: :math:`\alpha = (3 - \tau)/(\tau - 2)` for site-rooted clusters."""
    return _build(
        "quanta",
        "weight of the largest percolation clusters against their rank: Zipf's law, "
        "clusters drawn by a random site",
        derive=derive_ranks,
        model=ClusterNumbers(),
        quantity="weight of the clusters beyond rank k, each drawn as that of a random site, in units of the largest",
        variable=RANK,
        symbols={"tau": _TAU},
        reference=(BRILL_2024, STAUFFER_1994),
    )


@lru_cache(maxsize=1)
def quanta_lattice_law() -> Law:
    r"""Return ``percolation.quanta_lattice``: the k largest clusters of one lattice weigh :math:`k^{(\tau - 2)/(\tau - 1)}`."""
    return _build(
        "quanta_lattice",
        "the same where every cluster of one lattice counts once: nothing decays",
        derive=derive_ranks,
        model=ClusterNumbers(ensemble="lattice"),
        quantity="weight of the k largest clusters of a lattice, in units of the largest",
        variable=RANK,
        symbols={"tau": _TAU},
        growth=True,
        reference=(STAUFFER_1994,),
        published=Published(
            (3 - TAU) / (TAU - 2),
            "the decay printed for clusters in general: it inverts the share of sites in clusters of at least s sites, which counts each "
            "cluster by its size; that is right for site-rooted clusters, while here weights are not summable and nothing decays",
            BRILL_2024.at("rank of the clusters"),
            point={"tau": sp.Rational(5, 2)},
        ),
    )


@lru_cache(maxsize=1)
def model_law() -> Law:
    r"""Return ``percolation.model``: :math:`L(n) \sim n^{-\min(\alpha, \beta)}`, times :math:`(\log n)^{1 + \alpha}` where they meet."""
    return _build(
        "model",
        "loss of a model divided between percolation clusters at the least loss, against "
        "its degrees of freedom",
        derive=derive_allocated,
        model=AllocationLimited(),
        variable=SIZE,
        quantity="test loss of n degrees of freedom, divided between clusters at the least loss",
        published=Published(
            sp.Min(ALPHA, BETA),
            "the same exponent with another constant (forms published_loss, published_break_rank): a smallest allocation of 1, where the "
            "tangent rule says (1 + beta)^(1/beta), and power sums as integrals, which for beta < alpha makes the loss too small "
            "by the factor ((a - 1) zeta(a))^(1 + beta), a = (1 + alpha)/(1 + beta)",
            BRILL_2024.at("model scaling"),
            Factor(((_WEIGHT - 1) * sp.zeta(_WEIGHT)) ** -(1 + BETA), BETA < ALPHA),
            {"alpha": sp.S.One, "beta": sp.S.Half},
        ),
    )


@lru_cache(maxsize=1)
def data_law() -> Law:
    r"""Return ``percolation.data``: :math:`L(P) \sim P^{-\min(\beta, \alpha/(1 + \alpha))}`, times a logarithm where they meet."""
    return _build(
        "data",
        "loss on percolation clusters against the number of samples that fall on them",
        derive=derive_sampled,
        model=SampleLimited(),
        variable=P,
        quantity="test loss after P samples, for weights that add up to one",
        published=Published(
            sp.Min(BETA, ALPHA / (1 + ALPHA)),
            "the same exponent with another constant (form published_loss, to be divided by zeta(1 + alpha)): counts of samples replaced "
            "by their means and sums by integrals",
            BRILL_2024.at("data scaling"),
            Factor(
                1 / ((_SMOOTH - 1) * sp.zeta(_SMOOTH) * sp.zeta(1 + ALPHA) ** BETA),
                BETA < ALPHA / (1 + ALPHA),
            ),
            {"alpha": sp.S.One, "beta": sp.Rational(1, 4)},
        ),
    )


@lru_cache(maxsize=1)
def sampling_law() -> Law:
    r"""Return ``percolation.sampling``: :math:`L(P) \sim P^{-\min(\beta, \alpha/b)}`, clusters drawn as :math:`k^{-b}`."""
    return _build(
        "sampling",
        "loss on percolation clusters where samples are drawn by a power of their weights",
        derive=derive_resampled,
        model=Resampled(),
        variable=P,
        quantity="test loss after P samples, drawn from cluster k with a probability in proportion to its weight to the power theta",
        symbols={
            "alpha": _ALPHA,
            "beta": _BETA,
            "theta": "power of the weights by which samples are drawn, above 1/(1 + alpha)",
        },
    )


@lru_cache(maxsize=1)
def break_rank_law() -> Law:
    r"""Return ``percolation.break_rank``: how many clusters a model of n degrees of freedom learns."""
    return _build(
        "break_rank",
        "how many percolation clusters a model learns",
        derive=derive_break_rank,
        model=AllocationLimited(),
        variable=SIZE,
        quantity="number of clusters that are learned by n degrees of freedom",
        growth=True,
    )


@lru_cache(maxsize=1)
def subcritical_crossover_law() -> Law:
    r"""Return ``percolation.subcritical_crossover``: :math:`n_\times \sim P_\times \sim K |p - p_c|^{\beta_p}`."""
    return _build(
        "subcritical_crossover",
        "where the loss leaves its plateau below the percolation threshold",
        derive=derive_crossover,
        model=Subcritical(),
        variable=NEARNESS,
        quantity="size of model or dataset at which the loss leaves its plateau, against r = 1/|p - p_c| below the threshold",
        symbols={
            "tau": _TAU,
            "sigma": "exponent of the cut-off, s_xi = A |p - p_c|^(-1/sigma)",
            "K": "number of site-rooted clusters",
            "A": "amplitude of the cut-off",
            "s_min": "size of the smallest clusters kept",
        },
        reference=(BRILL_2024, STAUFFER_1994),
    )


@lru_cache(maxsize=1)
def supercritical_law() -> Law:
    r"""Return ``percolation.supercritical``: the infinite cluster is learned as :math:`n^{-c/d}`, past its correlation length as c/D."""
    return _build(
        "supercritical",
        "how the infinite cluster is learned above the percolation threshold",
        derive=derive_grid,
        model=GridLimited(crossover=FRACTAL),
        variable=SIZE,
        quantity="loss of the infinite cluster for n > n_xi = (extent/correlation length)^d",
        symbols={
            "c": _ORDER,
            "d": "dimension of the lattice",
            "D": "fractal dimension at the threshold",
            "n_xi": "degrees of freedom that resolve the correlation length",
        },
    )


@lru_cache(maxsize=1)
def cluster_learning_law() -> Law:
    r"""Return ``percolation.cluster_learning``: a critical cluster is learned as :math:`n^{-c/D}`, on a tree as :math:`h(n/n_0)`."""
    return _build(
        "cluster_learning",
        "how a single critical cluster is learned, on a tree without a free parameter",
        derive=derive_cluster,
        model=ClusterLimited(),
        variable=SIZE,
        quantity="mean squared error on one cluster over the variance of its target",
        symbols={"c": _ORDER, "D": "fractal dimension of the cluster"},
        reference=(BRILL_2024, FISHER_1961),
        misprints=(
            Misprint(
                "estimator",
                "the prediction y/(1 + d/sqrt(s)) from the nearest training site, at distance d in a cluster of s sites",
                "y max(0, 1 - d/(2 V)), with the variance V of the cluster's target before it is standardized",
                "standardized values at distance d have the correlation 1 - d/(2 V), which is the factor of the best linear prediction; "
                "sqrt(s) stands for V up to a constant that was set to one, and the quotient is no correlation",
                f"{BRILL_2024.at('experiments on the Bethe lattice')}",
            ),
        ),
    )


@lru_cache(maxsize=1)
def cluster_paths_law() -> Law:
    r"""Return ``percolation.cluster_paths``: a random walk along the paths of a critical cluster is learned as :math:`n^{-d_{min}/D}`."""
    return _build(
        "cluster_paths",
        "how a random walk along the paths of a critical cluster is learned: by distance along the cluster, not in space",
        derive=derive_path,
        model=PathLimited(),
        variable=SIZE,
        quantity="mean squared error on one cluster, in units of that of one training site",
        symbols={
            "D": "fractal dimension of the cluster",
            "d_min": "dimension of shortest paths: sites r apart in space are r^d_min steps apart",
        },
        reference=(BRILL_2024, ZHOU_2012),
    )


@lru_cache(maxsize=1)
def loss_reduction_law() -> Law:
    r"""Return ``percolation.loss_reduction``: knowing a small cluster lowers the cross-entropy in proportion to its extent."""
    return _build(
        "loss_reduction",
        "how much knowing a cluster lowers the cross-entropy: in proportion to its extent",
        derive=derive_reduction,
        model=LossReduction(),
        variable=INVERSE,
        quantity="reduction of the cross-entropy, against X = V/R, vocabulary over extent of the cluster",
        symbols={"p": "weight of a value outside the cluster relative to one inside, below 1"},
    )


@lru_cache(maxsize=1)
def michaud_law() -> Law:
    r"""Return ``percolation.michaud``: the limit :math:`\beta \to \infty` of the model law, :math:`L(n) \simeq n^{-\alpha}/\alpha`."""
    return _build(
        "michaud",
        "quanta that one degree of freedom learns: the limit of easy clusters, against model size",
        derive=derive_allocated,
        model=AllocationLimited(exponent=sp.oo),
        variable=SIZE,
        quantity="test loss of a model that learns the n largest clusters and nothing else",
        symbols={"alpha": _ALPHA},
        reference=(MICHAUD_2023, BRILL_2024),
    )


@lru_cache(maxsize=1)
def hutter_law() -> Law:
    r"""Return ``percolation.hutter``: one sample learns a cluster, :math:`L(P) \sim P^{-\alpha/(1 + \alpha)}`."""
    return _build(
        "hutter",
        "quanta that one sample learns: the limit of easy clusters, against data",
        derive=derive_sampled,
        model=SampleLimited(residual=EXP),
        variable=P,
        quantity="probability that a test point falls on a cluster that none of P samples hit",
        symbols={"alpha": _ALPHA},
        reference=(HUTTER_2021, BRILL_2024),
    )


@lru_cache(maxsize=1)
def sharma_kaplan_law() -> Law:
    r"""Return ``percolation.sharma_kaplan``: a single component of dimension d, :math:`L(n) = n^{-c/d}`."""
    return _build(
        "sharma_kaplan",
        "a single component of given dimension: the limit of one cluster",
        derive=derive_grid,
        model=GridLimited(),
        variable=SIZE,
        quantity="test loss of n cells on one d-dimensional component, in units of that of one cell",
        symbols={"c": _ORDER, "d": "dimension of the component"},
        reference=(SHARMA_2022, BRILL_2024),
    )


@lru_cache(maxsize=1)
def emergence_law() -> Law:
    r"""Return ``percolation.emergence``: the cluster of rank k is half learned after :math:`P \sim k^{1 + \alpha}` samples."""
    return _build(
        "emergence",
        "when single clusters are learned: after a number of samples that grows as their inverse weight",
        derive=derive_emergence,
        model=Emerging(),
        variable=RANK,
        quantity="samples after which the cluster of rank k is half learned",
        growth=True,
        reference=(BRILL_2024, MICHAUD_2023),
    )


@lru_cache(maxsize=1)
def capacity_law() -> Law:
    r"""Return ``percolation.capacity``: P samples show :math:`\sim P^{1/(1 + \alpha)}` clusters, and a model needs room for no more."""
    return _build(
        "capacity",
        "how much room samples can fill: the number of different clusters among them",
        derive=derive_capacity,
        model=Repeated(),
        variable=P,
        quantity="number of different clusters among P samples",
        growth=True,
        symbols={"alpha": _ALPHA},
        reference=(BRILL_2024, HUTTER_2021),
    )


@lru_cache(maxsize=1)
def pruning_law() -> Law:
    r"""Return ``percolation.pruning``: with one sample of each cluster kept, and no more, :math:`L(Q) \sim Q^{-\alpha}`."""
    return _build(
        "pruning",
        "loss against the samples that are kept, one of each cluster, where one sample teaches a cluster",
        derive=derive_pruned,
        model=Repeated(),
        variable=KEPT,
        quantity="test loss of Q samples of different clusters, kept from a pool that has no others",
        symbols={"alpha": _ALPHA},
        reference=(BRILL_2024, HUTTER_2021),
    )
