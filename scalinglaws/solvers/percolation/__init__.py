"""What the percolation model of data predicts: optimal allocations, losses in model and data size, statistics of clusters."""

from .allocation.hard_and_flowing import (
    Allocation,
    PreparedAllocation,
    allocate,
    prepare_allocation,
)
from .allocation.whole_units import allocate_integer
from .allocation.zipf import ZipfModelLoss, zipf_model_loss
from .bethe.data import bethe_data_loss
from .bethe.distance import (
    cluster_scale,
    infinite_component_loss,
    mean_nearest_distance,
    nearest_distance,
)
from .bethe.sizes import (
    cluster_cutoff,
    cluster_size_probability,
    dual_occupation,
    infinite_cluster,
    mean_cluster_size,
)
from .bethe.tree import cluster_learning_curve
from .critical import Exponents, exponents
from .sampling.expansion import DataLossExpansion, data_loss_expansion
from .sampling.expected_loss import DataLoss, data_loss
from .sampling.off_critical import crossover_data_loss, crossover_model_loss, subcritical_sizes
from .sampling.transitions import (
    Emergence,
    PrunedDataLoss,
    distinct_clusters,
    emergence,
    pruned_data_loss,
)

__all__ = [
    "Allocation",
    "DataLoss",
    "DataLossExpansion",
    "Emergence",
    "Exponents",
    "PreparedAllocation",
    "PrunedDataLoss",
    "ZipfModelLoss",
    "allocate",
    "allocate_integer",
    "bethe_data_loss",
    "cluster_cutoff",
    "cluster_learning_curve",
    "cluster_scale",
    "cluster_size_probability",
    "crossover_data_loss",
    "crossover_model_loss",
    "data_loss",
    "data_loss_expansion",
    "distinct_clusters",
    "dual_occupation",
    "emergence",
    "exponents",
    "infinite_cluster",
    "infinite_component_loss",
    "mean_cluster_size",
    "mean_nearest_distance",
    "nearest_distance",
    "prepare_allocation",
    "pruned_data_loss",
    "subcritical_sizes",
    "zipf_model_loss",
]
