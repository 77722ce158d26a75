r"""Data made of percolation clusters: which exponents follow, in every dimension.

A dataset is a set of critical clusters. The one of rank k weighs :math:`k^{-(1 + \alpha)}` and is learned by itself with the exponent
:math:`\beta = c/D`; a model divides its degrees of freedom, a dataset its samples, between them.
"""

from .allocation import AllocationLimited, break_rank_equation, derive_allocated, derive_break_rank
from .components import (
    ClusterLimited,
    GridLimited,
    LossReduction,
    derive_cluster,
    derive_grid,
    derive_reduction,
)
from .counts import CountTransform, MeanPower, PoleRest
from .exponents import (
    CriticalExponents,
    Estimate,
    Prediction,
    critical_exponents,
    critical_threshold,
    path_dimension,
    rank_exponent,
)
from .paths import PathLimited, derive_path
from .ranks import ClusterNumbers, Subcritical, derive_crossover, derive_ranks
from .relations import ScalingExponents, scaling_relations
from .resampling import Resampled, derive_resampled
from .sampling import SampleLimited, derive_sampled
from .transitions import (
    Emerging,
    LearnedMean,
    Repeated,
    derive_capacity,
    derive_emergence,
    derive_pruned,
)
from .width import WidthFit, chinchilla_models, chinchilla_width

__all__ = [
    "AllocationLimited",
    "ClusterLimited",
    "ClusterNumbers",
    "CountTransform",
    "CriticalExponents",
    "Emerging",
    "Estimate",
    "GridLimited",
    "LearnedMean",
    "LossReduction",
    "MeanPower",
    "PathLimited",
    "PoleRest",
    "Prediction",
    "Repeated",
    "Resampled",
    "SampleLimited",
    "ScalingExponents",
    "Subcritical",
    "WidthFit",
    "break_rank_equation",
    "chinchilla_models",
    "chinchilla_width",
    "critical_exponents",
    "critical_threshold",
    "derive_allocated",
    "derive_break_rank",
    "derive_capacity",
    "derive_cluster",
    "derive_crossover",
    "derive_emergence",
    "derive_grid",
    "derive_path",
    "derive_pruned",
    "derive_ranks",
    "derive_reduction",
    "derive_resampled",
    "derive_sampled",
    "path_dimension",
    "rank_exponent",
    "scaling_relations",
]
