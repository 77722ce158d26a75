"""The linear network without random projection."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike

from ...arguments import broadcast, numbers, ordered
from ...errors import refusal
from ..catalogue import shows
from ..spectra import Spectrum, one_spectrum
from ._flow import FeatureLearningFlow, gradient_flow


@shows("test_loss", "scale")
def linear_network(
    t: ArrayLike,
    spectrum: Spectrum,
    *,
    richness: ArrayLike,
    features: ArrayLike = math.inf,
    on_failure: str = "raise",
) -> FeatureLearningFlow:
    r"""Compute the population loss of a two-layer linear network along gradient flow.

    The network :math:`f = \frac1N w \cdot A x` trained as it is, :math:`\dot w = A v`, :math:`\dot A = \gamma\, w v^T`, without the factor
    :math:`A_0^T A_0/N` of the random-feature model. Plain gradient flow of a network whose layers start at different scales is the same
    with :math:`\gamma` the squared ratio of the scales. At infinite width, for any number of modes, the loss is exactly that of
    `gradient_flow` with unlimited features.

    Parameters
    ----------
    t : array_like
        Time, >= 0, finite up to 1e100 or ``math.inf`` for the limit; non-decreasing along its last axis.
    spectrum : PowerLawSpectrum or EmpiricalSpectrum
        Variances of the inputs and signal powers.
    richness : array_like
        :math:`\gamma \ge 0`, up to 1e100.
    features : array_like
        Width N, >= 1. Infinite, except where the richness is 0: then the network is a random-feature model of any N. For a
        finite width with feature learning no exact reduction is known: the kernel :math:`A^T A/N + \gamma |w|^2/N` gains full rank as
        w grows, so that the loss has no floor due to N (unlike that of `gradient_flow`, of which it is no approximation). Deviations from
        the infinite width were measured to be 5 to 11 percent at N = 200 and below 4 percent at N = 3200 (alpha = 1.5,
        beta = 0.5, richness 1, 50 modes, t up to 49).
    on_failure : {"raise", "return"}
        What to do if an equation is not solved.

    Returns
    -------
    FeatureLearningFlow
        Losses and scale, as from `gradient_flow`.

    Raises
    ------
    DomainError
        If an argument is out of range, or a finite width comes with feature learning.
    ConvergenceError
        If an equation is not solved; the result is attached.

    References
    ----------
    .. [1] B. Bordelon, A. Atanasov, C. Pehlevan, "How feature learning can improve neural scaling laws", arXiv:2409.17858.

    Examples
    --------
    >>> from scalinglaws.solvers import PowerLawSpectrum
    >>> round(linear_network(10, PowerLawSpectrum(1.5, 0.5, 50), richness=2).test_loss, 8)
    0.06616144
    """
    one_spectrum(spectrum, t=t)
    checked = {
        "t": ordered("t", t),
        "richness": numbers("richness", richness, low=0.0),
        "features": numbers("features", features, low=1.0, infinite=True),
    }
    _, (_, gammas, widths) = broadcast(checked)
    finite = np.isfinite(widths) & (gammas > 0)
    if finite.any():
        raise refusal(
            "features",
            widths[finite][0],
            "must be inf where the richness is not 0: at finite width the network is not solved; "
            "`gradient_flow` is another model there",
        )
    return gradient_flow(t, spectrum, richness=richness, features=features, on_failure=on_failure)
