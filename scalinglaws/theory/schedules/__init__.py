r"""Schedules of the learning rate: what they do to the exponents of the lazy linear model.

One-pass SGD at rates :math:`\eta_t` and batches of B, in intrinsic time :math:`X = \sum_t \eta_t`: the bias depends on X alone, and label
noise enters at the temperature :math:`\theta = \eta/B` and is forgotten. Losses are :math:`E(f - y)^2` without the noise of the test
labels; laws hold to leading order in the temperature. Features are taken to be Gaussian, or to act as if they were.

What is derived from the functional law is checked against exact recursions: exponents to .005 off the lines where logarithms meet powers,
constants to a per cent at 1e8 steps. That the least loss of all estimators has the exponent :math:`(a-1)/a` too is quoted.
"""

from ._letters import BATCH, INTRINSIC, LARGEST, LENGTH, NOISE, POWER, RANGES, STEPS, TEMPERATURE
from .bottlenecks import decayed_noise
from .compute import TAU, NoisyLimited, derive_compute
from .cooldown import CooldownLimited, decay, derive_cooldown
from .dana import DanaLimited, derive_dana
from .functional import FunctionalLimited, derive_functional
from .momentum import MOMENTUM, RATE, MomentumLimited, derive_momentum
from .optimal import OptimalLimited, derive_fraction, derive_optimal
from .ramps import SAMPLES, RampLimited, derive_batch_ramp, derive_early_batch
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
    "MOMENTUM",
    "NOISE",
    "POWER",
    "RANGES",
    "RATE",
    "SAMPLES",
    "STEPS",
    "TAU",
    "TEMPERATURE",
    "CooldownLimited",
    "DanaLimited",
    "FunctionalLimited",
    "MomentumLimited",
    "NoisyLimited",
    "OptimalLimited",
    "RampLimited",
    "TunedLimited",
    "averaged",
    "averaged_bias",
    "decay",
    "decayed",
    "decayed_noise",
    "derive_batch_ramp",
    "derive_compute",
    "derive_cooldown",
    "derive_dana",
    "derive_early_batch",
    "derive_fraction",
    "derive_functional",
    "derive_momentum",
    "derive_optimal",
    "derive_rate",
    "derive_shapes",
    "derive_tuned",
]
