"""Losses at the first real numbers of steps: one smooth function through the losses at whole ones."""

from __future__ import annotations

import math

import numpy as np

from ...arguments import Array

KNOWN = 16
"""Whole numbers of steps, from 0 on, through which the function goes."""

FIRST = 12.0
"""Steps from which on the solver's own losses are smooth."""

SMOOTH = 1e-6
"""Largest relative change by the last of them with which a polynomial is taken."""

_LARGEST_CHOICE = 5e-3  # largest binomial coefficient of a number between 0 and 12 over 15
_CHOICES = (-1.0) ** np.arange(KNOWN) * [float(math.comb(KNOWN - 1, k)) for k in range(KNOWN)]


def roughness(losses: Array) -> float:
    """Return by how much the last whole steps change the polynomial through the logarithms of losses, at most.

    A sum of :math:`q_k^t` is smooth if all q are well above 0: differences then fall from order to order.
    """
    if not np.all(losses > 0):
        return math.inf
    # one of two may vanish by chance
    orders = (KNOWN - 2, KNOWN - 1)
    return _LARGEST_CHOICE * max(float(abs(np.diff(np.log(losses), order)[0])) for order in orders)


def continued(losses: Array, steps: float) -> float:
    """Return the loss between whole steps below 12, by that polynomial (its barycentric form)."""
    share = _CHOICES / (steps - np.arange(KNOWN))
    return math.exp(float(share @ np.log(losses)) / float(share.sum()))
