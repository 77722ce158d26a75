r"""Integrating out a Gaussian process's modes one at a time, in the action that averages over the measure of the data."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from ...arguments import Array, Value, afford, broadcast, choice, numbers, shaped, whole_numbers
from ...errors import refusal
from ...results import Diagnostics, Result, Status
from .._jit import njit
from ..catalogue import shows
from ..spectra import Spectrum
from ._integrated_modes import spectrum_of

_LARGEST = 1e30
_ROUNDING = 4e-16

MOMENTA = ("generic", "conserving")
"""What is assumed of triple products of eigenfunctions."""


@shows(
    "running_quadratic",
    "running_quartic",
    counted=("cutoff",),
    whole=("eigenvalues",),
    rows=lambda found, given: {
        "running_quadratic": found.quadratic,
        "running_quartic": found.quartic,
    },
    meanings={
        "running_quadratic": "r at the cutoff",
        "running_quartic": "u at the cutoff",
    },
)
@dataclass(frozen=True)
class ShellRecursion(Result):
    r"""Couplings after all modes beyond a cutoff are integrated out.

    All fields but `momentum` and `diagnostics` have the broadcast shape of the arguments; scalars in, floats out.

    Attributes
    ----------
    bare_quadratic, bare_quartic : float or ndarray
        r and u of the full action, as given.
    cutoff : float or ndarray
        :math:`\Lambda`, modes that are left.
    momentum : str
        What was assumed of the eigenfunctions.
    quadratic, quartic : float or ndarray
        r and u at the cutoff.
    diagnostics : Diagnostics
        Number of modes integrated.
    """

    bare_quadratic: Value
    bare_quartic: Value
    cutoff: Value
    momentum: str
    quadratic: Value
    quartic: Value
    diagnostics: Diagnostics


def shell_recursion(
    quadratic: ArrayLike,
    quartic: ArrayLike,
    *,
    eigenvalues: Spectrum | ArrayLike,
    cutoff: ArrayLike,
    momentum: str = "generic",
) -> ShellRecursion:
    r"""Integrate out the modes of a quartic action one at a time, from the smallest eigenvalue up, to one loop.

    In :math:`S = \frac12\sum_k f_k^2/\lambda_k + r\int (f - y)^2 + u\int (f - y)^4` with integrals over the measure of the data, the
    mode k has the propagator :math:`G = \lambda_k/(1 + 2r\lambda_k)` at the running r, and

    .. math:: dr = 6uG, \qquad du = \begin{cases} 0 & \text{generic eigenfunctions} \\ -36u^2G^2 & \text{conserving momentum.} \end{cases}

    For generic eigenfunctions the second order makes :math:`(\int\Delta^2)^2`, which is no :math:`\int\Delta^4`; for Fourier modes,
    pairs off the diagonal make it one.

    Parameters
    ----------
    quadratic : array_like
        r >= 0 of the full action. Arguments but `eigenvalues` broadcast.
    quartic : array_like
        u >= 0.
    eigenvalues : array_like, PowerLawSpectrum or EmpiricalSpectrum
        :math:`\lambda_k`, in any order; a spectrum of finite size.
    cutoff : array_like
        :math:`\Lambda`, how many of the largest eigenvalues are left; whole, >= 0. Several give the couplings mode by mode.
    momentum : {"generic", "conserving"}
        Which eigenfunctions.

    Returns
    -------
    ShellRecursion
        r and u at each cutoff.

    Raises
    ------
    DomainError
        If an argument is out of range, or one step of the conserving recursion would make u negative (:math:`36uG^2 > 1`).
    ResourceError
        If a spectrum has too many modes to list.

    Notes
    -----
    One loop at each mode: what is left out is of the order :math:`(uG^2)^2` (generic: of :math:`uG^2`, in other couplings).
    About 0.1 microseconds for each mode and pair of couplings.

    References
    ----------
    .. [1] Z. Ringel et al., "Applications of statistical field theory in deep learning", arXiv:2502.18553.

    Examples
    --------
    >>> import numpy as np
    >>> found = shell_recursion(0.5, 1.0, eigenvalues=np.arange(1, 101.0) ** -1.5, cutoff=[100, 50, 5])
    >>> found.quadratic.round(6), found.quartic
    (array([0.5     , 0.990238, 3.953133]), array([1., 1., 1.]))
    """
    conserving = choice("momentum", momentum, MOMENTA) == "conserving"
    listed = -np.sort(-spectrum_of("eigenvalues", eigenvalues).explicit()[0])
    checked = {
        "quadratic": numbers("quadratic", quadratic, low=0.0, high=_LARGEST),
        "quartic": numbers("quartic", quartic, low=0.0, high=_LARGEST),
        "cutoff": whole_numbers("cutoff", cutoff, low=0, high=listed.size),
    }
    shape, (r, u, kept) = broadcast(checked)
    found = np.empty((2, r.size))
    starts, places = np.unique(r + 1j * u, return_inverse=True)  # each pair once
    afford(2.0 * listed.size, f"the couplings of {listed.size} modes", "give fewer eigenvalues")
    for i, start in enumerate(starts):
        path = _recursion(listed, float(start.real), float(start.imag), conserving)
        here = places == i
        chosen = path[:, kept[here].astype(int)]
        negative = np.isnan(chosen[1])
        if np.any(negative):
            stopped = int(np.flatnonzero(np.isnan(path[1]))[-1])
            raise refusal(
                "quartic",
                float(start.imag),
                f"is too large for one loop: 36 u G^2 > 1 at mode {stopped + 1}, which would make u negative",
            )
        found[:, here] = chosen
    steps = int(listed.size - np.min(kept, initial=listed.size))
    return ShellRecursion(
        bare_quadratic=shaped(r, shape),
        bare_quartic=shaped(u, shape),
        cutoff=shaped(kept, shape),
        momentum="conserving" if conserving else "generic",
        quadratic=shaped(found[0], shape),
        quartic=shaped(found[1], shape),
        diagnostics=Diagnostics(
            status=Status.CONVERGED,
            residual=0.0,
            iterations=steps,
            method="one-loop recursion, mode by mode",
            error_estimate=_ROUNDING * math.sqrt(steps + 1),
        ),
    )


@njit
def _recursion(eigenvalues: Array, r: float, u: float, conserving: bool) -> Array:
    """Return r and u by the number of modes left, from all to none; NaN beyond where u would become negative."""
    path = np.full((2, eigenvalues.size + 1), math.nan)
    path[0, -1], path[1, -1] = r, u
    for k in range(eigenvalues.size - 1, -1, -1):
        propagator = eigenvalues[k] / (1 + 2 * r * eigenvalues[k])
        loop = 36 * u * propagator * propagator if conserving else 0.0
        if loop > 1:
            break
        r, u = r + 6 * u * propagator, u * (1 - loop)
        path[0, k], path[1, k] = r, u
    return path
