r"""Exact Gaussian-process regression, data set by data set.

The predictor of kernel K, given data x and labels y, is :math:`\bar f(x') = k(x')^\top (K + \sigma^2)^{-1} y`, where K is the kernel's
matrix on the data and the ridge :math:`\sigma^2` is added to it as it is, not over the number of samples. It is computed and looked at
on a whole population, a finite one such as the images of digits, or one of independent features. Nothing is assumed of how many samples
there are or of how they were drawn.
"""

from ._digits import digits_kernel, digits_on_sphere, regress_digits
from ._features import ModeRegression, regress_modes
from ._population import (
    PopulationRegression,
    Posterior,
    hardest_subset,
    population_posterior,
    regress_population,
)

__all__ = [
    "ModeRegression",
    "PopulationRegression",
    "Posterior",
    "digits_kernel",
    "digits_on_sphere",
    "hardest_subset",
    "population_posterior",
    "regress_digits",
    "regress_modes",
    "regress_population",
]
