"""The table of laws: where each is built, and what it states in one line.

Listing imports no SymPy; a law's module is loaded when the law is asked for.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Entry:
    """A line of the catalogue.

    Attributes
    ----------
    builder : str
        ``"module:function"``; the function takes no arguments and returns the law.
    statement : str
        What the law says.
    """

    builder: str
    statement: str


CATALOGUE: dict[str, Entry] = {
    "linear.time": Entry(
        "scalinglaws.theory.linear.laws:time_law",
        "loss of the lazy linear model against training time, features and samples unlimited",
    ),
    "linear.data": Entry(
        "scalinglaws.theory.linear.laws:data_law",
        "loss of the lazy linear model against the number of samples, trained to convergence without ridge or noise",
    ),
    "linear.model": Entry(
        "scalinglaws.theory.linear.laws:model_law",
        "loss of the lazy linear model against the number of random features, samples and time unlimited",
    ),
    "linear.transient": Entry(
        "scalinglaws.theory.linear.laws:transient_law",
        "what a finite number of features adds to the loss of the lazy linear model before it saturates",
    ),
    "linear.sgd_noise": Entry(
        "scalinglaws.theory.linear.laws:sgd_noise_law",
        "how the noise that one-pass SGD feeds into the lazy linear model decays",
    ),
    "linear.optimal_ridge": Entry(
        "scalinglaws.theory.linear.laws:optimal_ridge_law",
        "loss of the noisy lazy linear model at the best ridge, features unlimited",
    ),
    "linear.compute": Entry(
        "scalinglaws.theory.linear.laws:compute_law",
        "loss of the lazy linear model at the best model size for a given compute: seven phases",
    ),
    "linear.compute_time": Entry(
        "scalinglaws.theory.linear.laws:compute_time_law",
        "training steps at the compute optimum of the lazy linear model",
    ),
    "linear.compute_model": Entry(
        "scalinglaws.theory.linear.laws:compute_model_law",
        "features at the compute optimum of the lazy linear model",
    ),
    "linear.phase_boundaries": Entry(
        "scalinglaws.theory.linear.laws:phase_boundaries_law",
        "where the compute-optimal phases of the lazy linear model meet, and the logarithms there",
    ),
    "feature_learning.time": Entry(
        "scalinglaws.theory.feature_learning.laws:time_law",
        "loss of a network that learns features against training time: hard tasks gain, easy ones do not",
    ),
    "feature_learning.bootstrap": Entry(
        "scalinglaws.theory.feature_learning.laws:bootstrap_law",
        "exponent of feature learning from inserting the growth of the kernel level by level",
    ),
    "feature_learning.prefactor": Entry(
        "scalinglaws.theory.feature_learning.laws:prefactor_law",
        "loss of a network that learns features at long times, with its constant for any richness",
    ),
    "feature_learning.crossover": Entry(
        "scalinglaws.theory.feature_learning.laws:crossover_law",
        "when a weakly rich network leaves the lazy curve",
    ),
    "feature_learning.model": Entry(
        "scalinglaws.theory.feature_learning.laws:model_law",
        "loss of a network that learns features against its width; learning features does not change it",
    ),
    "feature_learning.data": Entry(
        "scalinglaws.theory.feature_learning.laws:data_law",
        "loss of a network that learns features against the number of samples; learning features does not change it",
    ),
    "feature_learning.transient": Entry(
        "scalinglaws.theory.feature_learning.laws:transient_law",
        "what a finite width adds to the loss of a network that learns features, before it saturates",
    ),
    "feature_learning.sgd_noise": Entry(
        "scalinglaws.theory.feature_learning.laws:sgd_noise_law",
        "how fast a network that learns features forgets the noise of one-pass SGD",
    ),
    "feature_learning.compute": Entry(
        "scalinglaws.theory.feature_learning.laws:compute_law",
        "loss of a network that learns features at the best width for a given compute: hard, easy, super-easy",
    ),
    "feature_learning.compute_lazy": Entry(
        "scalinglaws.theory.feature_learning.laws:compute_lazy_law",
        "the same without feature learning, to compare with",
    ),
    "feature_learning.compute_time": Entry(
        "scalinglaws.theory.feature_learning.laws:compute_time_law",
        "training steps at the compute optimum of a network that learns features",
    ),
    "feature_learning.compute_model": Entry(
        "scalinglaws.theory.feature_learning.laws:compute_model_law",
        "width at the compute optimum of a network that learns features",
    ),
    "feature_learning.circle": Entry(
        "scalinglaws.theory.feature_learning.laws:circle_law",
        "a network of given smoothness learns a target on the circle",
    ),
    "feature_learning.linear_network": Entry(
        "scalinglaws.theory.feature_learning.laws:linear_network_law",
        "loss of a two-layer linear network with no frozen weights against training time",
    ),
    "manifold.variance_limited": Entry(
        "scalinglaws.theory.manifold:variance_limited_law",
        "loss above its value at unlimited samples, where samples are plentiful",
    ),
    "manifold.width_variance": Entry(
        "scalinglaws.theory.manifold:width_variance_law",
        "fluctuations of a deep network between initializations against its number of parameters",
    ),
    "manifold.nearest_neighbor": Entry(
        "scalinglaws.theory.manifold:nearest_neighbor_law",
        "distance to the nearest of P samples on a d-dimensional manifold",
    ),
    "manifold.spectral": Entry(
        "scalinglaws.theory.manifold:spectral_law",
        "loss of a kernel that learns a target of its own smoothness on a d-dimensional manifold",
    ),
    "percolation.quanta": Entry(
        "scalinglaws.theory.percolation.laws:quanta_law",
        "weight of the largest percolation clusters against their rank: Zipf's law, clusters drawn by a random site",
    ),
    "percolation.quanta_lattice": Entry(
        "scalinglaws.theory.percolation.laws:quanta_lattice_law",
        "the same where every cluster of one lattice counts once: nothing decays",
    ),
    "percolation.model": Entry(
        "scalinglaws.theory.percolation.laws:model_law",
        "loss of a model divided between percolation clusters at the least loss, against its degrees of freedom",
    ),
    "percolation.data": Entry(
        "scalinglaws.theory.percolation.laws:data_law",
        "loss on percolation clusters against the number of samples that fall on them",
    ),
    "percolation.break_rank": Entry(
        "scalinglaws.theory.percolation.laws:break_rank_law",
        "how many percolation clusters a model learns",
    ),
    "percolation.subcritical_crossover": Entry(
        "scalinglaws.theory.percolation.laws:subcritical_crossover_law",
        "where the loss leaves its plateau below the percolation threshold",
    ),
    "percolation.supercritical": Entry(
        "scalinglaws.theory.percolation.laws:supercritical_law",
        "how the infinite cluster is learned above the percolation threshold",
    ),
    "percolation.cluster_learning": Entry(
        "scalinglaws.theory.percolation.laws:cluster_learning_law",
        "how a single critical cluster is learned, on a tree without a free parameter",
    ),
    "percolation.loss_reduction": Entry(
        "scalinglaws.theory.percolation.laws:loss_reduction_law",
        "how much knowing a cluster lowers the cross-entropy: in proportion to its extent",
    ),
    "percolation.michaud": Entry(
        "scalinglaws.theory.percolation.laws:michaud_law",
        "quanta that one degree of freedom learns: the limit of easy clusters, against model size",
    ),
    "percolation.hutter": Entry(
        "scalinglaws.theory.percolation.laws:hutter_law",
        "quanta that one sample learns: the limit of easy clusters, against data",
    ),
    "percolation.sharma_kaplan": Entry(
        "scalinglaws.theory.percolation.laws:sharma_kaplan_law",
        "a single component of given dimension: the limit of one cluster",
    ),
    "patterns.two_layer": Entry(
        "scalinglaws.theory.patterns.laws:two_layer_law",
        "samples by which a two-layer network of given width learns a cubic Hermite target: one specialized neuron, many, or none",
    ),
    "patterns.convolutional": Entry(
        "scalinglaws.theory.patterns.laws:convolutional_law",
        "samples by which a linear convolutional network of given number of channels learns one filter",
    ),
    "patterns.three_layer": Entry(
        "scalinglaws.theory.patterns.laws:three_layer_law",
        "samples by which a three-layer network of given widths learns a cubic Hermite target: which layer specializes",
    ),
    "patterns.attention": Entry(
        "scalinglaws.theory.patterns.laws:attention_law",
        "samples by which a softmax attention head learns to compare positions, against the length of its sequences",
    ),
    "patterns.unlearnability_bound": Entry(
        "scalinglaws.theory.patterns.laws:unlearnability_law",
        "samples below which no posterior is aligned with the target, whatever the data: a theorem",
    ),
    "empirical.chinchilla": Entry(
        "scalinglaws.theory.empirical:chinchilla_law",
        "additive powers of model size and data, and their exact optimum for a given compute",
    ),
    "empirical.kaplan": Entry(
        "scalinglaws.theory.empirical:kaplan_law",
        "a power of a sum of powers of model size and data, and its exact optimum for a given compute",
    ),
    "empirical.rosenfeld": Entry(
        "scalinglaws.theory.empirical:rosenfeld_law",
        "additive powers of model size and data in an envelope that ends at random guessing",
    ),
    "empirical.hestness": Entry(
        "scalinglaws.theory.empirical:hestness_law",
        "a power law above an irreducible loss, and the exponent it appears to have",
    ),
    "empirical.perceptron": Entry(
        "scalinglaws.theory.empirical:perceptron_law",
        "error against samples where the best norm grows with them: plateau, power law, floor",
    ),
}
