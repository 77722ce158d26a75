r"""What a kernel learns that does not adapt: the effective ridge of Gaussian-process regression, and bounds without averages.

The predictor is :math:`\bar f(x) = K(x, D)\,[K(D, D) + \sigma^2]^{-1} y_D` with :math:`K = \sum_k \lambda_k \phi_k \phi_k`. **The ridge
is what is added to the Gram matrix of the data, with no 1/P**: P times the one of `scalinglaws.solvers.linear`. `effective_ridge` and
what follows from it hold on average over data sets, to leading order in many samples; `posterior_bound` and `cross_dataset_bound`
hold for every data set.
"""

from ._cross_dataset import CrossDatasetBound, arcsine_sphere_eigenvalue, cross_dataset_bound
from ._effective_ridge import EffectiveRidge, LearningCurve, effective_ridge, learning_curve
from ._half import samples_for_learnability
from ._posterior import PosteriorBound, alignment_cost, posterior_bound
from ._unlearnability import Unlearnability, unlearnability

__all__ = [
    "CrossDatasetBound",
    "EffectiveRidge",
    "LearningCurve",
    "PosteriorBound",
    "Unlearnability",
    "alignment_cost",
    "arcsine_sphere_eigenvalue",
    "cross_dataset_bound",
    "effective_ridge",
    "learning_curve",
    "posterior_bound",
    "samples_for_learnability",
    "unlearnability",
]
