r"""Modes of a Gaussian process integrated out, or sampled, under likelihoods that are not Gaussian.

`sample_likelihood` draws the modes of a process from its posterior under a potential of any shape, by elliptical slices.
`integrate_modes` integrates modes out of the likelihood of one datum by quadrature, shell by shell, and measures its couplings by
differences; `integrate_shell` integrates a shell of functions on a grid. None of them knows how couplings are said to flow.
"""

from ._sample import LikelihoodSample, sample_likelihood
from ._shell import IntegratedShell, integrate_shell, orthogonal_features
from ._toy import IntegratedLikelihood, integrate_modes

__all__ = [
    "IntegratedLikelihood",
    "IntegratedShell",
    "LikelihoodSample",
    "integrate_modes",
    "integrate_shell",
    "orthogonal_features",
    "sample_likelihood",
]
