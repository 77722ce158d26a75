"""Compiled solvers for the self-consistent equations, at any scale.

Examples
--------
>>> from scalinglaws import solvers
>>> spectrum = solvers.PowerLawSpectrum(alpha=1.5, beta=2 / 3)
>>> print(f"{solvers.linear.ridge(spectrum, samples=1e9).test_loss:.6e}")
2.924327e-09
"""

from __future__ import annotations

from ..rooms import lazy_submodules
from .spectra import EmpiricalSpectrum, Modes, PowerLawSpectrum, Spectrum

__all__ = ["EmpiricalSpectrum", "Modes", "PowerLawSpectrum", "Spectrum"]

__getattr__, __dir__ = lazy_submodules(__name__)
