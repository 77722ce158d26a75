r"""The lazy linear model: how its loss falls with time, data and model size, and with compute.

Features with variances :math:`\lambda_k = k^{-\alpha}` carry signal power :math:`s_k = k^{-(\alpha\beta+1)}`; a student sees
them through N random projections, P samples and time t. Losses are :math:`E(f - y)^2`, without a factor 1/2.

Features are taken to be Gaussian, or to act as if they were; features of a given kernel need not.
"""

from ..symbols import ALPHA, BETA, C, N, P, T
from .bottlenecks import (
    ModeLimited,
    TimeLimited,
    TransientLimited,
    derive_mode,
    derive_time,
    derive_transient,
)
from .compute import Case, ComputeLimited, derive_boundaries, derive_compute
from .loss import BATCH, RATE, JointlyLimited, derive_loss
from .ridge import SAMPLES, RidgeLimited, derive_ridge
from .spectra import SpectrumLimited, derive_spectrum
from .stopping import StoppingLimited, derive_early_stopping
from .typed import OwnLaw, own_law

__all__ = [
    "ALPHA",
    "BATCH",
    "BETA",
    "RATE",
    "SAMPLES",
    "C",
    "Case",
    "ComputeLimited",
    "JointlyLimited",
    "ModeLimited",
    "N",
    "OwnLaw",
    "P",
    "RidgeLimited",
    "SpectrumLimited",
    "StoppingLimited",
    "T",
    "TimeLimited",
    "TransientLimited",
    "derive_boundaries",
    "derive_compute",
    "derive_early_stopping",
    "derive_loss",
    "derive_mode",
    "derive_ridge",
    "derive_spectrum",
    "derive_time",
    "derive_transient",
    "own_law",
]
