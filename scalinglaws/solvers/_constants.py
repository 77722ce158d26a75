"""Constants that kernels hold, without the library that takes longer to import than most solvers take to answer."""

from __future__ import annotations

import math

_DIRECT = 40  # terms before the tail
_TAIL = (1 / 12, -1 / 720, 1 / 30240, -1 / 1209600, 1 / 47900160)  # B_2j/(2j)!


def zeta(n: int) -> float:
    r"""Return :math:`\zeta(n) = \sum_k k^{-n}` of a whole number n >= 2, by Euler and Maclaurin's formula.

    Accurate to the rounding, 2e-16.

    Examples
    --------
    >>> zeta(2), zeta(60)
    (1.644934066848226..., 1.0)
    """
    last = float(_DIRECT)
    terms = [float(k) ** -n for k in range(1, _DIRECT)]
    terms += [last ** (1 - n) / (n - 1), last**-n / 2]
    rising, power = float(n), last ** (-n - 1)
    for j, coefficient in enumerate(_TAIL):
        terms.append(coefficient * rising * power)
        rising *= (n + 2 * j + 1) * (n + 2 * j + 2)
        power /= last * last
    return math.fsum(terms)
