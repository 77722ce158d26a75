r"""Optimal exponents of sums of monomials under budgets.

A loss with several bottlenecks is a sum of monomials in free scales (model size, data, time), and resources are budgets on
monomials of the same scales. Up to a factor between 1 and the number of terms,

.. math:: \min_X \sum_i c_i X^{a_i} \asymp \max_{(y, \mu)} \prod_i c_i^{y_i} \prod_q C_q^{-\mu_q},

the maximum being over the vertices of :math:`y \ge 0,\ \sum_i y_i = 1,\ \sum_i y_i a_i + \sum_q \mu_q F_q = 0` (and
:math:`\mu_q \ge 0` for caps): linear-programming duality in the logarithms of the scales. `allocate` lists the vertices with
symbolic exponents, each a way in which terms balance; `regimes_in_region` says where in a space of parameters each one wins.
Where coefficients and bounds are powers of one scale and only those vary, `TropicalProgram` lists the vertices once for all.
All symbols must be declared ``positive=True``.
"""

from ._allocate import allocate
from ._minimum import Minimum
from ._program import Program
from ._reading import Problem, read_problem
from ._records import Allocation, Balance, Optimum
from ._regions import RegionalMap, RegionalRegime, regimes_in_region
from ._tropical import Power, TropicalProgram
from ._words import as_latex, on_terminal

__all__ = [
    "Allocation",
    "Balance",
    "Minimum",
    "Optimum",
    "Power",
    "Problem",
    "Program",
    "RegionalMap",
    "RegionalRegime",
    "TropicalProgram",
    "allocate",
    "as_latex",
    "on_terminal",
    "read_problem",
    "regimes_in_region",
]
