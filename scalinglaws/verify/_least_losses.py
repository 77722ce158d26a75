"""The least loss of the lazy linear model over the time at which training stops, and over ridges."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy.optimize import minimize_scalar

from ..solvers.linear import gradient_flow, ridge
from ..solvers.spectra import Spectrum


def best_stop(
    spectrum: Spectrum, samples: float, noise_variance: float = 1.0
) -> tuple[float, float]:
    """Return the least test loss over time, and that time, for unlimited features."""

    def loss(x: float) -> float:
        found = gradient_flow(
            10**x, spectrum, samples=samples, noise_variance=noise_variance
        ).test_loss
        return float(np.log(found))

    return _least(loss, 0.7 * np.log10(samples / noise_variance))


def best_ridge(
    spectrum: Spectrum, samples: float, noise_variance: float = 1.0
) -> tuple[float, float]:
    """Return the least test loss over ridges, and that ridge, for unlimited features."""

    def loss(x: float) -> float:
        found = ridge(
            spectrum, samples=samples, ridge=10**x, noise_variance=noise_variance
        ).test_loss
        return float(np.log(found))

    return _least(loss, -0.7 * np.log10(samples / noise_variance))


def _least(loss: Callable[[float], float], guess: float) -> tuple[float, float]:
    found = minimize_scalar(loss, bracket=(guess - 0.5, guess), options={"xtol": 1e-5})
    return float(np.exp(found.fun)), float(10**found.x)
