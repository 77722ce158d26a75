r"""The perceptron with square loss, whose proximal map is linear: a cubic equation.

With :math:`g = x/(1 + x)`,

.. math:: \frac{4\alpha^2}\pi g^3 - \Big(\alpha(1 + \lambda^2) + \frac{2\alpha^2}\pi\Big) g^2 + \lambda^2 = 0, \qquad
          R = \alpha\sqrt{2/\pi}\,\frac g\lambda, \quad 0 < g \le \min(1, 1/\alpha).
"""

from __future__ import annotations

import math

import numpy as np

from ...arguments import Array
from ...errors import DomainError
from . import _observables
from ._points import Points

_ROOT = math.sqrt(2 / math.pi)


def solve(alpha: Array, norm: Array) -> Points:
    """Solve points; refuse norms above the one that the loss itself prefers."""
    top = largest_norm(alpha)
    if np.any(norm > top):
        i = int(np.flatnonzero(norm > top)[0])
        raise DomainError(
            f"norm = {norm[i]:g} must be at most {top[i]:g} at alpha = {alpha[i]:g} with the square loss: "
            "there its own minimum lies, and beyond the constraint would push outwards",
            argument="norm",
            value=float(norm[i]),
        )
    # of h = 1/g >= max(1, alpha), the largest root
    linear = (alpha * (1 + norm**2) + 2 * alpha**2 / math.pi) / norm**2
    constant = 4 * alpha**2 / (math.pi * norm**2)
    radius = np.sqrt(linear / 3)
    angle = np.arccos(np.clip(-constant / (2 * radius**3), -1.0, 1.0))
    h = np.maximum(2 * radius * np.cos(angle / 3), np.maximum(1.0, alpha))
    with np.errstate(divide="ignore", invalid="ignore"):
        for _ in range(2):
            step = (h**3 - linear * h + constant) / (3 * h**2 - linear)
            h = np.where(np.isfinite(step), np.maximum(h - step, np.maximum(1.0, alpha)), h)
        g = 1 / h
        r = alpha * _ROOT * g / norm
        mean = norm * _ROOT * r
        spread = 1 - 2 * mean + norm**2  # E (1 - v)^2
        s2 = alpha * g**2 * spread / norm**2
        tau = r / np.sqrt(s2)
        residual = np.abs(r**2 + s2 - 1)
        # d ln g / d ln norm from the cubic
        fall = 12 * alpha**2 / math.pi * g - 2 * (alpha * (1 + norm**2) + 2 * alpha**2 / math.pi)
        log_g = 2 * norm**2 * (alpha * g**2 - 1) / (fall * g**2)
        # d ln tau: those of R and of E delta^2 cancel but for (1 - v)^2
        slope = (mean * log_g - norm**2) / spread
        free, kept = 1 - alpha * g, 1 - g
        x = g / kept
        log_chi = np.log(x) - 2 * np.log(norm)
        multiplier = free / x
        condition = 1 / np.abs(1 - linear / (3 * h**2))
    cutoff = zip(x / norm, np.sqrt(s2), r, strict=True)
    return Points(
        tau=tau,
        displacement=g / norm,
        log_response=log_chi,
        train_loss=0.5 * kept**2 * spread,
        train_error=np.array([_observables.below(*map(float, row)) for row in cutoff]),
        test_loss=0.5 * spread,
        multiplier=multiplier,
        free_share=free,
        slope=-slope * tau / ((1 + tau**2) * np.arctan2(1.0, tau)),
        residual=residual,
        steps=np.full(alpha.size, 1.0),
        sensitivity=condition * 1e-15,
    )


def largest_norm(alpha: Array) -> Array:
    """Return the norm of the unconstrained minimum, of the smallest one below one example for each dimension."""
    with np.errstate(divide="ignore", invalid="ignore"):
        many = 2 / math.pi + (1 - 2 / math.pi) / (alpha - 1)
        few = alpha * (1 - 2 * alpha / math.pi) / (1 - alpha)
        return np.asarray(np.sqrt(np.where(alpha > 1, many, np.where(alpha < 1, few, math.inf))))
