r"""Patterns of feature learning: which layers of a network learn what, and how many samples that takes.

Learning a target means that its alignment with the network is of order one. The prior probability
of that is tiny, and minus its logarithm, the cost, is how much evidence the data must supply:
:math:`P_* \sim C`. A pattern assigns to each layer a way of making alignment likely: stay lazy (GP),
specialize one neuron, perhaps in part (S1), or many (S), or inflate all along one feature (G). Its
cost is a sum of monomials in the widths and in free parameters, to be minimized under bounds; with
widths :math:`N_l = d^{n_l}` the exponent of the minimum is the largest of finitely many linear
functions of n. The cheapest pattern wins.

All of this is heuristic and good for exponents. One statement is a theorem: the bound of ``patterns.unlearnability_bound``.
"""

from ._architectures import (
    Architecture,
    Attention,
    attention,
    convolutional,
    fully_connected,
    transfer_order,
)
from ._bound import EvidenceLimited, derive_bound
from ._complexity import RankedPattern, SampleComplexity, WinningRegion, sample_complexity
from ._cost import Cost, cost
from ._derivation import PatternLimited, derive_pattern
from ._diagram import Boundary, PhaseDiagram, phase_diagram
from ._minimum import Minimum, closed_forms, optimize
from ._prefactors import ErfOptimum, erf_cost, erf_optimum
from ._rules import MEANINGS, LayerPattern, Pattern, enumerate_patterns

__all__ = [
    "MEANINGS",
    "Architecture",
    "Attention",
    "Boundary",
    "Cost",
    "ErfOptimum",
    "EvidenceLimited",
    "LayerPattern",
    "Minimum",
    "Pattern",
    "PatternLimited",
    "PhaseDiagram",
    "RankedPattern",
    "SampleComplexity",
    "WinningRegion",
    "attention",
    "closed_forms",
    "convolutional",
    "cost",
    "derive_bound",
    "derive_pattern",
    "enumerate_patterns",
    "erf_cost",
    "erf_optimum",
    "fully_connected",
    "optimize",
    "phase_diagram",
    "sample_complexity",
    "transfer_order",
]
