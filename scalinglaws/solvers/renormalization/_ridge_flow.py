r"""The ridge that stands for the modes beyond a cutoff."""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from ...arguments import Value, broadcast, choice, numbers, shaped, whole_numbers
from ...errors import AccuracyWarning
from ...results import Diagnostics, Result, judged
from .._eigenvalues import spectrum_of
from ..catalogue import shows
from ..learnability import effective_ridge
from ..spectra import Spectrum
from ._integrated_modes import beyond


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
    :math:`\kappa` is that of `scalinglaws.solvers.learnability.effective_ridge`, of the same root finder.
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
    with warnings.catch_warnings():  # the caller is warned once, in the end
        warnings.simplefilter("ignore", AccuracyWarning)
        solved = effective_ridge(
            chosen, samples=checked["samples"], ridge=checked["ridge"], on_failure="return"
        )
    kappas = np.broadcast_to(solved.kappa, shape).ravel()
    with np.errstate(divide="ignore", over="ignore"):
        ratios = p / kappas
    integrated = np.zeros_like(p)  # nothing where all modes are learned
    for ratio in np.unique(ratios[np.isfinite(ratios)]):
        here = ratios == ratio
        integrated[here] = beyond(chosen, kept[here], float(ratio))
    result = RidgeFlow(
        samples=shaped(p, shape),
        bare_ridge=shaped(bare, shape),
        cutoff=shaped(kept, shape),
        kappa=shaped(kappas, shape),
        ridge=shaped(bare + integrated, shape),
        naive_ridge=shaped(bare + beyond(chosen, kept, 0.0), shape),
        diagnostics=solved.diagnostics,
    )
    judged("ridge_flow", result, result.diagnostics, on_failure)
    return result
