"""Sums over a spectrum: the renormalized ridge, and how many modes are learned at it."""

from __future__ import annotations

import math

import numpy as np

from ...arguments import Array
from ...errors import ConvergenceError
from .._jit import njit
from ..spectra import Spectrum, depth
from .kappa import MAX_STEPS, all_learned, occupation, renormalized_ridge, size_ratio


def effective_ridge(spectrum: Spectrum, features: Array, samples: Array, ridge: Array) -> Array:
    r"""Return the largest root of r = kappa R_1 R_3 for checked arrays of one length.

    Parameters
    ----------
    spectrum : PowerLawSpectrum or EmpiricalSpectrum
        Eigenvalues.
    features, samples : ndarray, shape (n,)
        N and P, >= 1, possibly infinite.
    ridge : ndarray, shape (n,)
        r >= 0, possibly infinite, normalized as in `scalinglaws.solvers.linear.ridge`.

    Returns
    -------
    ndarray, shape (n,)
        kappa: 0 where every mode is learned, r where N and P are infinite. Accurate to about 3e-14;
        for nearly equal sizes without ridge to what `scalinglaws.solvers.linear.ridge` says.

    Raises
    ------
    DomainError
        If modes are needed beyond what floating-point numbers hold.
    ConvergenceError
        If Newton's method does not converge.
    """
    modes = spectrum.modes(spectrum.depth_for(np.minimum(features, samples), ridge))
    kappa, steps = np.empty(ridge.size), np.zeros(ridge.size)
    _effective_ridges(
        modes.eigenvalues, modes.multiplicities, modes.size, features, samples, ridge, kappa, steps
    )
    lost = np.flatnonzero(steps >= MAX_STEPS)
    if lost.size:
        i = int(lost[0])
        raise ConvergenceError(
            f"the equation for kappa was not solved in {MAX_STEPS} steps at "
            f"features = {features[i]}, samples = {samples[i]} and ridge = {ridge[i]}",
            result=kappa,
        )
    return kappa


def degrees_of_freedom(kappa: Array, spectrum: Spectrum) -> tuple[Array, Array]:
    r"""Return the sums of the first and second powers of lambda / (lambda + kappa).

    Parameters
    ----------
    kappa : ndarray, shape (n,)
        >= 0; at 0 both sums are the number of modes, at infinity 0.
    spectrum : PowerLawSpectrum or EmpiricalSpectrum
        Eigenvalues.

    Returns
    -------
    df1, df2 : ndarray, shape (n,)
        Accurate to 1e-12.

    Raises
    ------
    DomainError
        If modes are needed beyond what floating-point numbers hold; it names `kappa`.
    """
    inside = (kappa > 0) & np.isfinite(kappa)
    modes = spectrum.modes(
        depth(
            "kappa",
            spectrum,
            np.full_like(kappa, math.inf),
            np.where(inside, kappa, 1.0),
            smaller=False,
        )
    )
    df1, df2 = (np.where(kappa == 0, spectrum.size, 0.0) for _ in range(2))
    for i in np.flatnonzero(inside).tolist():
        df1[i], d = occupation(modes.eigenvalues, modes.multiplicities, kappa[i])
        # df2 is df1 - d; where that would cancel, df2 is small and summed up by itself
        df2[i] = (
            df1[i] - d
            if d < 0.5 * df1[i]
            else float(
                modes.multiplicities @ (modes.eigenvalues / (modes.eigenvalues + kappa[i])) ** 2
            )
        )
    return df1, df2


# -- kernels -----------------------------------------------------------------------------------


@njit
def _effective_ridges(
    eigenvalues: Array,
    multiplicities: Array,
    size: float,
    features: Array,
    samples: Array,
    ridge: Array,
    kappa: Array,
    steps: Array,
) -> None:
    trace = 0.0
    for k in range(eigenvalues.size):
        trace += multiplicities[k] * eigenvalues[k]
    for i in range(ridge.size):
        n, ratio, gap = size_ratio(features[i], samples[i])
        if math.isinf(ridge[i]):  # nothing is learned
            kappa[i] = math.inf
        elif all_learned(size, n, ridge[i]):
            kappa[i] = 0.0
        else:
            kappa[i], steps[i] = renormalized_ridge(
                eigenvalues, multiplicities, size, trace, n, ratio, gap, ridge[i]
            )
