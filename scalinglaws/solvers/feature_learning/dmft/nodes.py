r"""Online SGD with N features is online SGD with unlimited features on another measure, for every draw of the features.

With :math:`S_0 = A_0^T A_0/N` the matrix :math:`X = A S_0^{-1/2}/\sqrt N` on the row space, which begins as the identity, and
:math:`u = w/\sqrt N` obey the equations of unlimited features :math:`\varphi = S_0^{1/2} \psi`, of covariance
:math:`S_0^{1/2} \Lambda S_0^{1/2}`. The target is a linear part in :math:`\varphi` and an independent rest, whose power `floor`
acts as label noise and is part of the loss. So all that enters are the eigenvalues :math:`x_j` of that covariance, with weights
:math:`\mu_j`, the target's powers, and :math:`x_j`. In the proportional limit both measures are known on a contour
(`scalinglaws.solvers.equivalents.elliptic`), and everything else is analytic in x.
"""

from __future__ import annotations

import math

import numpy as np

from ....errors import ConvergenceError
from ...equivalents.elliptic import elliptic_contour, interval, kappas, learned, start_of
from ...equivalents.response import inverse
from ...spectra import Spectrum, depth
from .memory import Nodes
from .modes import every_mode, merged_modes

TRUNCATION = 1e-12
"""Error of sums over the contour."""

_WIDE, _NARROW = (2, 1.3), (4, 1.02)  # opening of the sector, 90 degrees over it; and reach
_MACRO = 1e-10  # the same where vectors are compressed
_TIGHTER = 0.1  # of the truncation error, where steps amplify it


def nodes_for(
    spectrum: Spectrum,
    features: float,
    steps: float,
    *,
    full: bool = False,
    finer: bool = False,
    exact: bool = True,
) -> Nodes:
    r"""Return nodes that serve for so many steps of 2 over the largest eigenvalue.

    With `finer` steps may be close to that, or beyond; with `exact` sums are exact to 1e-12.

    Covariances grow outside of the region where :math:`|1 - \eta A x| < 1`, and much more than powers of that: the longer the steps,
    the closer the contour has to stay to the spectrum.
    """
    if math.isinf(features):
        few = every_mode(spectrum) if full else merged_modes(spectrum, steps, finer=finer)
        return Nodes(
            few.signal_eigenvalues,
            few.signal,
            few.eigenvalues,
            few.variances,
            0.0,
            float(np.max(spectrum.modes().eigenvalues)),
            0.0,
        )
    ridge = np.array(float(np.max(spectrum.modes().eigenvalues)) / (4 * steps + 4))
    modes = spectrum.modes(depth("features", spectrum, np.array(features), ridge))
    power, beyond = _NARROW if finer else _WIDE
    tolerance = (TRUNCATION if exact else _MACRO) * (_TIGHTER if finer else 1.0)
    low, high = interval(modes, features, tolerance)
    place, spacing = elliptic_contour(low**power, high**power, (beyond * high) ** power, tolerance)
    rates = place ** (1 / power)
    kappa, df1, found = kappas(modes, features, rates)
    if not found:
        raise ConvergenceError(
            f"the equation for kappa was not solved on the contour for features = {features}"
        )
    transform, floor = learned(modes, features, kappa, df1, start_of(modes, features))
    shares = 2 / power * spacing / place  # of d log x
    return Nodes(
        rates,
        shares * rates * transform,
        rates,
        shares * rates * df1,
        floor,
        high,
        inverse(features),
    )
