r"""Networks drawn from their prior: how unlikely those are that know their target, and what data make of them.

Three simulations that know no pattern. Hidden weights are moved neuron by neuron while the alignment that the network must have is raised
(`anneal_alignment`) or told with noise (`learn_alignment`); a softmax head reads sequences of tokens (`head_overlap`); and all networks of
a prior that can be listed are weighed by the likelihood of data (`weigh_networks`).
"""

from ._attention import head_overlap
from ._events import AlignmentCost, LearnedAlignment, anneal_alignment, learn_alignment
from ._parities import WeighedNetworks, weigh_networks

__all__ = [
    "AlignmentCost",
    "LearnedAlignment",
    "WeighedNetworks",
    "anneal_alignment",
    "head_overlap",
    "learn_alignment",
    "weigh_networks",
]
