"""Spectra where only eigenvalues matter: a spectrum, or a plain row of them."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from ..arguments import floats, refuse_first
from ..errors import refusal
from ._samples import SMALLEST_EIGENVALUE
from .spectra import EmpiricalSpectrum, PowerLawSpectrum, Spectrum


def spectrum_of(name: str, value: Spectrum | ArrayLike) -> Spectrum:
    """Return a spectrum, or make one without a target from a row of eigenvalues."""
    if isinstance(value, (PowerLawSpectrum, EmpiricalSpectrum)):
        return value
    complaint = "must be a PowerLawSpectrum, an EmpiricalSpectrum or one row of eigenvalues"
    values = floats(name, value, complaint)
    if values.ndim != 1 or values.size == 0:
        raise refusal(name, values.shape, f"{complaint}; got shape {values.shape}", shown=False)
    wrong = ~(np.isfinite(values) & (values > SMALLEST_EIGENVALUE))
    refuse_first(
        name,
        values,
        wrong,
        "must be an eigenvalue > 1e-290 and finite; drop modes without variance",
    )
    return EmpiricalSpectrum(values, np.zeros(values.shape))
