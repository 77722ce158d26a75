"""Constants of kernels, against SciPy and mpmath."""

import mpmath
from scipy import special

from scalinglaws.solvers._constants import zeta


def test_zeta_is_that_of_scipy_to_the_last_bit():
    for n in range(2, 200):
        assert zeta(n) == special.zeta(n) == float(mpmath.zeta(n))
