"""Compiled solvers for the self-consistent equations, at any scale.

Examples
--------
>>> from scalinglaws import solvers
>>> spectrum = solvers.PowerLawSpectrum(alpha=1.5, beta=2 / 3)
>>> print(f"{solvers.linear.ridge(spectrum, samples=1e9).test_loss:.6e}")
2.924327e-09
"""

from __future__ import annotations

from . import feature_learning, kernels, linear, patterns, percolation
from .spectra import EmpiricalSpectrum, Modes, PowerLawSpectrum, Spectrum

__all__ = [
    "EmpiricalSpectrum",
    "Modes",
    "PowerLawSpectrum",
    "Spectrum",
    "feature_learning",
    "kernels",
    "linear",
    "patterns",
    "percolation",
]
