"""Contours that turn transforms back into losses: two for long times, one for few steps."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from .kappa import ComplexArray

NODES = 24
"""Nodes of the cotangent contour; its truncation error is about 3.89^-24 = 7e-15."""

TRUNCATION = 3.89**-NODES


@lru_cache(maxsize=8)
def cotangent(count: int = NODES) -> tuple[ComplexArray, ComplexArray]:
    r"""Return the upper half of the cotangent contour of Weideman and Trefethen.

    .. math:: \frac{1}{2\pi i}\int e^{st} F(s)\,ds \simeq 2\,\mathrm{Re} \sum_j \frac{w_j}{t} F\Big(\frac{z_j}{t}\Big)

    Returns
    -------
    z, w : ndarray, shape (count/2,)
        Scaled nodes in order of increasing angle, and weights; the other half is complex conjugate.
    """
    theta = (2 * np.arange(count // 2) + 1) * np.pi / count
    angle = 0.6407 * theta
    cot = 1 / np.tan(angle)
    z = count * (0.5017 * theta * cot - 0.6122 + 0.2645j * theta)
    slope = 0.5017 * cot - 0.5017 * angle / np.sin(angle) ** 2 + 0.2645j
    w = np.exp(z) * slope / 1j
    for array in (z, w):
        array.setflags(write=False)
    return z, w


@lru_cache(maxsize=8)
def circle(count: int, height: float) -> ComplexArray:
    r"""Return logarithms u of the upper half of `count` points on a circle of radius ``exp(height)``.

    .. math:: f_n = \frac{1}{2\pi i}\oint z^{n-1} F(z)\,dz \simeq \frac{2}{J}\,\mathrm{Re}\sum_j e^{n u_j} F(e^{u_j})

    The error of the rule is ``exp(-count * height)`` times a later value of f.
    """
    u: ComplexArray = np.asarray(
        height + 2j * np.pi * (np.arange(count // 2) + 0.5) / count, complex
    )
    u.setflags(write=False)
    return u
