"""How strongly one logit of a softmax head couples its output to a cubic target."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike

from ...arguments import broadcast, numbers, shaped, whole_numbers
from ...errors import ResourceError
from .. import _jit
from ..catalogue import shows
from ._normal import Array

_MOST_COUPLING = 2000.0
_FARTHEST = 9.0  # standard deviations
_NEAREST = 1e-5  # the integrand falls as the third power of x
_LOG_STEP = 0.08
_SATURATED = 6.6  # log of an exponent that underflows
_STRIP = 5.0  # steps of the trapezoid rule in half the strip in which the integrand is analytic: an error of exp(-10 pi)


@shows("overlap")
def attention_overlap(coupling: ArrayLike, length: ArrayLike) -> float | Array:
    r"""Compute the overlap of a softmax head with a target that multiplies two tokens.

    .. math::

        h_L(\epsilon) = E_x\Big[x\, E_z \frac{\sum_{b \le L} z_b e^{\epsilon x z_b}}{\sum_{b \le L} e^{\epsilon x z_b}}\Big],
        \qquad x, z_b \sim N(0, 1)

    Parameters
    ----------
    coupling : array_like
        :math:`\epsilon`, the element of the logits' matrix; finite; h is odd.
    length : array_like
        L, the number of tokens, whole, >= 1; broadcast against `coupling`.

    Returns
    -------
    float or ndarray
        :math:`h_L(\epsilon)`: :math:`(1 - 1/L)(\epsilon - 3\epsilon^3/L)` for small couplings, saturating at about
        :math:`\sqrt{2 \log L}`.

    Raises
    ------
    DomainError
        If an argument is out of range.
    ResourceError
        If the couplings add up to more than 2000.

    Notes
    -----
    No sampling: with :math:`\varphi(t) = E e^{-t e^{\theta z}}` the softmax mean is
    :math:`L \int_0^\infty \varphi(t)^{L-1} E[z e^{\theta z} e^{-t e^{\theta z}}]\, dt` for any L, at a cost that does not grow with
    it. Trapezoid rules in z, log t and log x; accurate to about 1e-10. Some 50 ms per element, in proportion
    to the coupling above 1; couplings of 2000 in sum take some minutes, and more are refused.

    References
    ----------
    .. [1] N. Rubin, O. Davidovich, Z. Ringel, arXiv:2512.04165 (patterns of feature learning).

    Examples
    --------
    >>> round(attention_overlap(1, 64), 4)
    0.8837
    """
    shape, (strengths, sizes) = broadcast(
        {
            "coupling": numbers("coupling", coupling),
            "length": whole_numbers("length", length),
        }
    )
    with np.errstate(over="ignore"):
        work = float(np.sum(np.maximum(np.abs(strengths[sizes > 1]), 1e-3)))
    if not work <= _MOST_COUPLING:
        raise ResourceError(
            f"attention_overlap: couplings of {work:.3g} in sum, the work, are more than {_MOST_COUPLING:.0f} (some minutes); "
            "use smaller ones: the overlap saturates as soon as the coupling exceeds sqrt(2 log L)"
        )
    values = [
        math.copysign(_overlap(abs(strength), size), strength)
        for strength, size in zip(strengths.tolist(), sizes.tolist(), strict=True)
    ]
    return shaped(np.array(values), shape)


def _overlap(strength: float, length: float) -> float:
    if strength == 0 or length == 1:
        return 0.0
    x = np.exp(np.arange(math.log(_NEAREST), math.log(_FARTHEST), _LOG_STEP))
    weights = 2 * _LOG_STEP * x**2 * np.exp(-(x**2) / 2) / math.sqrt(2 * math.pi)
    return float(
        weights @ np.array([_softmax_mean(strength * point, length) for point in x.tolist()])
    )


@_jit.njit
def _softmax_mean(theta: float, length: float) -> float:
    """Return the mean of the tokens under the softmax of theta times them."""
    dz = min(0.25, math.pi / 2 / (_STRIP * theta))
    half = math.ceil(_FARTHEST / dz)
    # a step of width 1, smoothed by z over a width theta, to a power that narrows it again
    du = max(0.25, theta / (2 * math.sqrt(8 + 2 * math.log(length))))
    highest, lowest = 4.0 + theta * _FARTHEST, -30.0 - theta * _FARTHEST - math.log(length)
    total = 0.0
    for i in range(int((highest - lowest) / du) + 1):
        u = highest - i * du
        phi, slope = 0.0, 0.0
        for j in range(-half, half + 1):
            z = j * dz
            if u + theta * z > _SATURATED:
                break
            e = math.exp(u + theta * z)
            p = math.exp(-0.5 * z * z - e)
            phi += p
            slope += z * e * p
        phi *= dz / math.sqrt(2 * math.pi)
        slope *= dz / math.sqrt(2 * math.pi)
        total += phi ** (length - 1) * slope * du if phi > 0 else 0.0
    return total * length
