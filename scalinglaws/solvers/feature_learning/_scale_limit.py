"""How far the scale of the kernel grows."""

from __future__ import annotations

import math

import numpy as np

from ..spectra import PowerLawSpectrum, Spectrum
from ._balance import balanced_scale
from ._spectral_measure import of_kernel


def largest_scale(
    spectrum: Spectrum,
    richness: float,
    features: float = math.inf,
    samples: float = math.inf,
    depth: float = 1.0,
) -> tuple[float, float]:
    r"""Return the limit of the scale at long times and its estimated error, from the sum of mu/x, which may diverge; NaN if not solved."""
    total, error = _reach(spectrum, features, samples)
    if math.isnan(total):
        return math.nan, math.inf
    if math.isinf(total):
        return math.inf, 0.0
    if depth == 1.0:
        root = math.sqrt(0.25 + richness * total)
        return 0.5 + root, richness * total * error / (2 * root)
    scale = balanced_scale(richness * total, depth)
    # d log s/d log(gamma total) = m (sigma - 1)/(sigma + m (sigma - 1))
    moved = depth * math.expm1(math.log(scale) / depth)
    return scale, scale * error * moved / (1 + moved * (1 + 1 / depth))


def _reach(spectrum: Spectrum, features: float, samples: float) -> tuple[float, float]:
    """Return the sum of mu/x over all that is learned, the transform of the train loss at rate 0, and its relative error."""
    from scipy.special import zeta

    n, size = min(features, samples), spectrum.size
    if n < size * (1 - 1e-9):
        if features == samples:
            return math.inf, 0.0
        measure = of_kernel(spectrum, features, samples, 0.0, pairs=False)
        if not math.isfinite(measure.residual):
            return math.nan, math.inf
        return measure.reach, measure.error
    if math.isinf(n) and isinstance(spectrum, PowerLawSpectrum) and math.isinf(size):
        exponent = 1 + spectrum.alpha * (spectrum.beta - 1)
        return (float(zeta(exponent)), 1e-15) if exponent > 1 else (math.inf, 0.0)
    if features <= size * (1 + 1e-9):
        return math.inf, 0.0
    modes = spectrum.modes()
    return float(np.sum(modes.signal / modes.eigenvalues)) / (1 - size / features), 1e-14
