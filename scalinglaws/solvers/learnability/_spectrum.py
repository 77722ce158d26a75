"""Spectra as these solvers take them: a spectrum, or a plain row of eigenvalues where the target does not matter."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike

from ...arguments import Array, afford, floats, numbers, refuse_first
from ...errors import refusal
from .._samples import SMALLEST_EIGENVALUE
from ..spectra import EmpiricalSpectrum, PowerLawSpectrum, Spectrum


def with_eigenvalues(spectrum: Spectrum | ArrayLike) -> Spectrum:
    """Return a spectrum, or make one without a target from a row of eigenvalues."""
    if isinstance(spectrum, (PowerLawSpectrum, EmpiricalSpectrum)):
        return spectrum
    complaint = "must be a PowerLawSpectrum, an EmpiricalSpectrum or one row of eigenvalues"
    values = floats("spectrum", spectrum, complaint)
    if values.ndim != 1 or values.size == 0:
        raise refusal(
            "spectrum", values.shape, f"{complaint}; got shape {values.shape}", shown=False
        )
    wrong = ~(np.isfinite(values) & (values > SMALLEST_EIGENVALUE))
    refuse_first(
        "spectrum",
        values,
        wrong,
        "must be an eigenvalue > 1e-290 and finite; drop modes without variance",
    )
    return EmpiricalSpectrum(values, np.zeros(values.shape))


def listed_eigenvalues(spectrum: Spectrum, elements: int, what: str) -> Array:
    """Return the eigenvalues of all modes, if memory holds one number for each of them and each of some elements."""
    if not math.isfinite(spectrum.size):
        complaint = "has infinitely many modes, which are not listed; name eigenvalues of modes"
        raise refusal("spectrum", spectrum, complaint, shown=False)
    afford(
        3.0 * elements * spectrum.size,
        f"{what} of {spectrum.size:.3g} modes at {elements} points",
        "name the eigenvalues of those that matter",
    )
    return spectrum.explicit()[0]


def chosen_modes(
    spectrum: Spectrum, mode_eigenvalue: ArrayLike | None, others: dict[str, Array], what: str
) -> dict[str, Array]:
    """Return arguments with the eigenvalue of a mode among them; without one, all modes are the last axis."""
    if mode_eigenvalue is not None:
        own = numbers("mode_eigenvalue", mode_eigenvalue, low=SMALLEST_EIGENVALUE, strict=True)
        return {"mode_eigenvalue": own, **others}
    elements = np.broadcast(*others.values()).size if _fit(others) else 1
    modes = listed_eigenvalues(spectrum, elements, what)
    return {"mode_eigenvalue": modes, **{name: a[..., None] for name, a in others.items()}}


def _fit(arrays: dict[str, Array]) -> bool:
    """Tell whether arrays broadcast; `arguments.broadcast` says why not."""
    try:
        np.broadcast(*arrays.values())
    except ValueError:
        return False
    return True
