"""Pictures of clusters: what they look like, how a model is divided between them, and the losses that follow."""

from ._allocation import allocation_by_rank
from ._clusters import MOST_SITES, cluster_tree, lattice_slice
from ._experiments import cluster_curves, tried_allocations, width_against_size
from ._losses import dataset_losses, loss_curves
from ._regimes import regime_diagram

__all__ = [
    "MOST_SITES",
    "allocation_by_rank",
    "cluster_curves",
    "cluster_tree",
    "dataset_losses",
    "lattice_slice",
    "loss_curves",
    "regime_diagram",
    "tried_allocations",
    "width_against_size",
]
