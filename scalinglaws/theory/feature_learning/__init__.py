r"""Feature learning: how a network learns whose kernel grows with what it has learned.

A student :math:`f = N^{-1} w^\top A \psi` trains its readout w and, at a rate :math:`\gamma` relative to it, its features A.
At :math:`\gamma = 0` it is the lazy linear model; above, its kernel grows, and hard tasks (:math:`\beta < 1`) are
learned with a larger exponent.
"""

from .bootstrap import derive_bootstrap, levels
from .bottlenecks import WarpedLimited, derive_warped, noise
from .chain import DEPTH, ChainLimited, derive_depth, derive_kernel_scale
from .compute import compute_limited
from .exponents import (
    GAMMA,
    LAZINESS,
    LEVEL,
    TAU,
    FeedbackLimited,
    Warp,
    derive_crossover,
    derive_feedback,
    warps,
)
from .label_noise_descent import derive_label_noise
from .reduction import derive_reduction
from .schedules import (
    RATE,
    SLOWNESS,
    STEPS,
    StepsLimited,
    derive_excess,
    derive_silver,
    derive_steps,
    derive_window,
)
from .warp import (
    WarpLimited,
    derive_network,
    derive_prefactor,
    learned_fraction,
    moments,
    overlap,
    warp_constants,
)

__all__ = [
    "DEPTH",
    "GAMMA",
    "LAZINESS",
    "LEVEL",
    "RATE",
    "SLOWNESS",
    "STEPS",
    "TAU",
    "ChainLimited",
    "FeedbackLimited",
    "StepsLimited",
    "Warp",
    "WarpLimited",
    "WarpedLimited",
    "compute_limited",
    "derive_bootstrap",
    "derive_crossover",
    "derive_depth",
    "derive_excess",
    "derive_feedback",
    "derive_kernel_scale",
    "derive_label_noise",
    "derive_network",
    "derive_prefactor",
    "derive_reduction",
    "derive_silver",
    "derive_steps",
    "derive_warped",
    "derive_window",
    "learned_fraction",
    "levels",
    "moments",
    "noise",
    "overlap",
    "warp_constants",
    "warps",
]
