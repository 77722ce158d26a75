r"""Schedules of the learning rate: what they do to the exponents of the lazy linear model.

One-pass SGD at rates :math:`\eta_t` and batches of B, in intrinsic time :math:`X = \sum_t \eta_t`: the bias depends on X alone, and label
noise enters at the temperature :math:`\theta = \eta/B` and is forgotten. Losses are :math:`E(f - y)^2` without the noise of the test
labels; laws hold to leading order in the temperature. Features are taken to be Gaussian, or to act as if they were.

What is derived from the functional law is checked against exact recursions: exponents to .005 off the lines where logarithms meet powers,
constants to a per cent at 1e8 steps. That the least loss of all estimators has the exponent :math:`(a-1)/a` too is quoted.
"""

from ._letters import BATCH, INTRINSIC, LARGEST, LENGTH, NOISE, POWER, RANGES, STEPS, TEMPERATURE
from .cooldown import CooldownLimited, decay, derive_cooldown
from .functional import FunctionalLimited, derive_functional
from .optimal import OptimalLimited, derive_fraction, derive_optimal
from .tuned import (
    TunedLimited,
    averaged,
    averaged_bias,
    decayed,
    derive_rate,
    derive_shapes,
    derive_tuned,
)

__all__ = [
    "BATCH",
    "INTRINSIC",
    "LARGEST",
    "LENGTH",
    "NOISE",
    "POWER",
    "RANGES",
    "STEPS",
    "TEMPERATURE",
    "CooldownLimited",
    "FunctionalLimited",
    "OptimalLimited",
    "TunedLimited",
    "averaged",
    "averaged_bias",
    "decay",
    "decayed",
    "derive_cooldown",
    "derive_fraction",
    "derive_functional",
    "derive_optimal",
    "derive_rate",
    "derive_shapes",
    "derive_tuned",
]
