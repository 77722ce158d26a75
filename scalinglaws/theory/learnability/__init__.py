r"""What a lazy network learns: of each eigenmode of its kernel, how much, with how many samples, and what no data can teach it.

Eigenvalues fall as :math:`\lambda_k = k^{-(1+\alpha)}`, and the ridge :math:`\sigma^2` is added to :math:`K(D, D)`, without 1/P: the
variance of the noise. It may itself fall with what grows, as :math:`s P^{-\rho}`; beyond :math:`\rho = \alpha` it no longer matters.

.. math:: \kappa = \sigma^2 + \sum_k \frac{\lambda_k\kappa}{\kappa + P\lambda_k}, \qquad
          \mathcal L_k = \frac{P\lambda_k}{\kappa + P\lambda_k}
"""

from .bound import ModeBound, derive_mode_bound
from .half import derive_half
from .mode import Crossover, RidgedSpectrum, derive_learnability

__all__ = [
    "Crossover",
    "ModeBound",
    "RidgedSpectrum",
    "derive_half",
    "derive_learnability",
    "derive_mode_bound",
]
