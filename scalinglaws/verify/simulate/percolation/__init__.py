"""Direct simulation of percolation, on trees and on lattices: clusters, and what can be learned of a target that varies along them.

And of data that are a mere list of clusters, a few common and most of them rare.
"""

from .bethe.dataset import BetheDataset, bethe_dataset
from .bethe.enumeration import bethe_sizes, enumerate_clusters
from .bethe.experiments import RandomAllocations, data_losses, model_loss, random_allocations
from .bethe.learning import (
    DistanceStatistics,
    LearningCurves,
    fitted_scale,
    learning_curves,
    nearest_distances,
    training_grid,
)
from .bethe.nearest import NearestSites, nearest_training_site
from .bethe.rooted import RootedSizes, rooted_sizes
from .bethe.sizes import rooted_exponent
from .draws import listed_losses, zipf_losses
from .lattice.clusters import label_clusters, lattice_clusters, sample_lattices
from .lattice.distances import LatticeDistances, lattice_distances
from .lattice.estimates import (
    crossing,
    fisher_exponent,
    fisher_windows,
    fractal_dimension,
    rank_exponent,
)
from .lattice.records import (
    CanonicalAverages,
    LabeledClusters,
    LatticeClusters,
    LatticeEstimate,
    LatticeSamples,
    OccupationSweep,
)
from .lattice.sweep import canonical, newman_ziff
from .listed.components import component_losses
from .listed.counts import remembered_losses
from .listed.masked import line_gains, masked_gains
from .listed.single import PrunedSamples, emerging_losses, pruned_losses

__all__ = [
    "BetheDataset",
    "CanonicalAverages",
    "DistanceStatistics",
    "LabeledClusters",
    "LatticeClusters",
    "LatticeDistances",
    "LatticeEstimate",
    "LatticeSamples",
    "LearningCurves",
    "NearestSites",
    "OccupationSweep",
    "PrunedSamples",
    "RandomAllocations",
    "RootedSizes",
    "bethe_dataset",
    "bethe_sizes",
    "canonical",
    "component_losses",
    "crossing",
    "data_losses",
    "emerging_losses",
    "enumerate_clusters",
    "fisher_exponent",
    "fisher_windows",
    "fitted_scale",
    "fractal_dimension",
    "label_clusters",
    "lattice_clusters",
    "lattice_distances",
    "learning_curves",
    "line_gains",
    "listed_losses",
    "masked_gains",
    "model_loss",
    "nearest_distances",
    "nearest_training_site",
    "newman_ziff",
    "pruned_losses",
    "random_allocations",
    "rank_exponent",
    "remembered_losses",
    "rooted_exponent",
    "rooted_sizes",
    "sample_lattices",
    "training_grid",
    "zipf_losses",
]
