r"""Sampling of Bayesian networks: the posterior over all weights, given a data set, by Hamiltonian Monte Carlo.

Three networks have independent Gaussian weights under their priors: one of two layers, :math:`f(x) = \sum_c a_c \phi(w_c \cdot x)`, one
of three, and a linear convolutional one. The readout given the hidden weights is Gaussian, so it is integrated out exactly; the hidden
weights are sampled by trajectories with the exact gradient. Nothing is assumed about which features are learned: widths, samples and
dimensions are finite. One loop runs the chains of all of them, cold ones and planted ones, and judges whether they agree.
"""

from .._convergence import effective_size, split_r_hat
from ._deep import sample_deep
from ._filters import convolutional_posterior, sample_convolutional
from ._gaussian_process import gaussian_process_component
from ._learnability import (
    LearnabilityPoint,
    convolutional_point,
    gaussian_process_point,
    learnability_point,
)
from ._posterior import log_posterior, sample_posterior, teacher_posterior
from ._records import ConvolutionalSample, DeepSample, NetworkSample, PosteriorSample
from ._stratified import stratified_polynomial

__all__ = [
    "ConvolutionalSample",
    "DeepSample",
    "LearnabilityPoint",
    "NetworkSample",
    "PosteriorSample",
    "convolutional_point",
    "convolutional_posterior",
    "effective_size",
    "gaussian_process_component",
    "gaussian_process_point",
    "learnability_point",
    "log_posterior",
    "sample_convolutional",
    "sample_deep",
    "sample_posterior",
    "split_r_hat",
    "stratified_polynomial",
    "teacher_posterior",
]
