"""Spectra as these solvers take them: a spectrum, or a plain row of eigenvalues where the target does not matter."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike

from ...arguments import Array, afford, numbers
from ...errors import refusal
from .._samples import SMALLEST_EIGENVALUE
from ..spectra import Spectrum


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
