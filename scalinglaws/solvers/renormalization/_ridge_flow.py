r"""The ridge that stands for the modes beyond a cutoff."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from ...arguments import Array, Value, broadcast, choice, numbers, shaped, whole_numbers
from ...results import Diagnostics, Result, judged
from ..catalogue import shows
from ..linear import ridge as solve_ridge
from ..spectra import Spectrum
from ._integrated_modes import beyond, spectrum_of


@shows(
    "kappa",
    "flow_ridge",
    "naive_ridge",
    counted=("cutoff",),
    rows=lambda found, given: {
        "kappa": found.kappa,
        "flow_ridge": found.ridge,
        "naive_ridge": found.naive_ridge,
    },
    meanings={"flow_ridge": "sigma^2_Lambda, the ridge of the kernel cut off"},
)
@dataclass(frozen=True)
class RidgeFlow(Result):
    r"""Ridges of kernels that are cut off.

    All fields but `diagnostics` have the broadcast shape of the arguments; scalars in, floats out.

    Attributes
    ----------
    samples, bare_ridge, cutoff : float or ndarray
        P, :math:`\sigma^2` and :math:`\Lambda`, as given.
    kappa : float or ndarray
        Effective ridge :math:`\kappa` of the full kernel, and of the kernel cut off with its ridge.
    ridge : float or ndarray
        :math:`\sigma^2_\Lambda`, the ridge with which the kernel cut off learns the same.
    naive_ridge : float or ndarray
        :math:`\sigma^2 + \sum_{k > \Lambda} \lambda_k`: all modes beyond the cutoff taken for white noise.
    diagnostics : Diagnostics
        Of the equation for :math:`\kappa`.
    """

    samples: Value
    bare_ridge: Value
    cutoff: Value
    kappa: Value
    ridge: Value
    naive_ridge: Value
    diagnostics: Diagnostics


def ridge_flow(
    spectrum: Spectrum | ArrayLike,
    *,
    samples: ArrayLike,
    ridge: ArrayLike,
    cutoff: ArrayLike,
    on_failure: str = "raise",
) -> RidgeFlow:
    r"""Compute the ridge that takes the place of the modes beyond a cutoff.

    With the effective ridge :math:`\kappa = \sigma^2 + \sum_k \lambda_k\kappa/(\kappa + P\lambda_k)` of the full kernel,

    .. math:: \sigma^2_\Lambda = \sigma^2 + \sum_{k > \Lambda} \frac{\lambda_k\kappa}{\kappa + P\lambda_k}, \qquad
              \frac{d\sigma^2_\Lambda}{d\Lambda} = -\frac{\lambda_\Lambda\kappa}{\kappa + P\lambda_\Lambda}, \qquad
              \sigma^2_\infty = \sigma^2, \quad \sigma^2_0 = \kappa.

    The kernel with the first :math:`\Lambda` modes and the ridge :math:`\sigma^2_\Lambda` has the same :math:`\kappa`, so the
    same mean predictor. The naive ridge :math:`\sigma^2 + \sum_{k > \Lambda} \lambda_k` holds where
    :math:`P\lambda_k \ll \sigma^2_\Lambda`; the flow is not closed: with :math:`\sigma^2_\Lambda` itself in place of
    :math:`\kappa` on the right it ends elsewhere.

    Parameters
    ----------
    spectrum : PowerLawSpectrum, EmpiricalSpectrum or array_like
        Eigenvalues :math:`\lambda_k` of the kernel, or a spectrum, of which only they matter.
    samples : array_like
        P, >= 1. All arguments but the spectrum broadcast.
    ridge : array_like
        :math:`\sigma^2 \ge 0`, added to the Gram matrix K(D, D), without 1/P.
    cutoff : array_like
        :math:`\Lambda`, how many of the largest eigenvalues are kept; whole, >= 0, or ``math.inf``.
    on_failure : {"raise", "return"}
        What to do if the equation for :math:`\kappa` is not solved.

    Returns
    -------
    RidgeFlow
        Ridges at the cutoff, and the effective ridge.

    Raises
    ------
    DomainError
        If an argument is out of range, or a cutoff divides modes that a quadrature rule merged.
    ConvergenceError
        If the equation for :math:`\kappa` is not solved; the result is attached.

    Notes
    -----
    :math:`\kappa` is P times that of `scalinglaws.solvers.linear.ridge` at the ridge :math:`\sigma^2/P`, of the same root finder.
    A deterministic equivalent: accurate for P above about 30.

    The sums are accurate to about 1e-13. One sum over modes for each pair of samples and ridge, however many cutoffs; an infinite
    spectrum takes about 2 ms.

    References
    ----------
    .. [1] Z. Ringel et al., "Applications of statistical field theory in deep learning", arXiv:2502.18553.

    Examples
    --------
    >>> import numpy as np
    >>> flow = ridge_flow(np.arange(1, 401.0) ** -2, samples=60, ridge=0.05, cutoff=[0, 5, 20, 400])
    >>> flow.ridge.round(9)
    array([0.11544609, 0.10602249, 0.08428039, 0.05      ])
    """
    choice("on_failure", on_failure, ("raise", "return"))
    chosen = spectrum_of("spectrum", spectrum)
    checked = {
        "samples": numbers("samples", samples, low=1.0),
        "ridge": numbers("ridge", ridge, low=0.0),
        "cutoff": whole_numbers("cutoff", cutoff, low=0, infinite=True),
    }
    shape, (p, bare, kept) = broadcast(checked)
    if np.all(p == p[:1]) and np.all(bare == bare[:1]):
        pairs, places = p[:1] + 1j * bare[:1], np.zeros(p.size, dtype=np.int64)
    else:
        pairs, places = np.unique(p + 1j * bare, return_inverse=True)  # each pair once
    solved = solve_ridge(
        chosen, samples=pairs.real, ridge=pairs.imag / pairs.real, on_failure="return"
    )
    kappas = pairs.real * np.asarray(solved.kappa)
    integrated = np.empty_like(p)
    for i, kappa in enumerate(kappas):
        here = places == i
        integrated[here] = _integrated(chosen, kept[here], float(pairs.real[i]), float(kappa))
    result = RidgeFlow(
        samples=shaped(p, shape),
        bare_ridge=shaped(bare, shape),
        cutoff=shaped(kept, shape),
        kappa=shaped(kappas[places], shape),
        ridge=shaped(bare + integrated, shape),
        naive_ridge=shaped(bare + beyond(chosen, kept, 0.0), shape),
        diagnostics=solved.diagnostics,
    )
    judged("ridge_flow", result, result.diagnostics, on_failure)
    return result


def _integrated(spectrum: Spectrum, cutoffs: Array, samples: float, kappa: float) -> Array:
    """Return what the modes beyond each cutoff add to the ridge: nothing where all are learned."""
    ratio = samples / kappa if kappa > 0 else math.inf
    return beyond(spectrum, cutoffs, ratio) if ratio < math.inf else np.zeros_like(cutoffs)
