"""How fast dimensionless couplings change."""

from __future__ import annotations

from typing import NamedTuple

from numpy.typing import ArrayLike

from ...arguments import Value, broadcast, numbers, refuse_first, shaped
from ..catalogue import shows
from ._fixed_points import LEAST_ALPHA, MOST_ALPHA, conventions

_LARGEST = 1e10  # of couplings


@shows(
    "quadratic_rate",
    "quartic_rate",
    meanings={
        "quadratic_rate": "derivative of the quadratic coupling with respect to l",
        "quartic_rate": "derivative of the quartic coupling with respect to l",
    },
)
class FlowVelocity(NamedTuple):
    r"""Derivatives of the quadratic and the quartic coupling with respect to :math:`\ell`."""

    quadratic_rate: Value
    quartic_rate: Value


def flow_velocity(
    *,
    quadratic: ArrayLike,
    quartic: ArrayLike,
    alpha: ArrayLike,
    convention: str = "per_datum",
    momentum: str = "generic",
) -> FlowVelocity:
    r"""Compute how fast dimensionless couplings change as the cutoff falls, as of an arrow in a flow diagram.

    The right-hand sides of `dimensionless_flow` with :math:`\hat v = 0`.

    Parameters
    ----------
    quadratic, quartic : array_like
        :math:`\hat r` and :math:`\hat u`, up to 1e10 in size; for ``measure`` :math:`\hat r > -1`. All numbers broadcast.
    alpha : array_like
        :math:`\alpha` of :math:`\lambda_k = k^{-1-\alpha}`, from 0.001 to 1000.
    convention : {"per_datum", "measure"}
        What the couplings multiply.
    momentum : {"generic", "conserving"}
        Which eigenfunctions; only ``measure`` knows the difference.

    Returns
    -------
    FlowVelocity
        :math:`d\hat r/d\ell` and :math:`d\hat u/d\ell`; 0 at the `fixed_points`.

    Raises
    ------
    DomainError
        If an argument is out of range.

    Notes
    -----
    Rounding errors only: 1e-15 of the largest term.

    Examples
    --------
    >>> flow_velocity(quadratic=[0.1, 0.5], quartic=[0.02, 0.01], alpha=0.5)
    FlowVelocity(quadratic_rate=array([0.06, 0.01]), quartic_rate=array([ 0.012, -0.01 ]))
    """
    per_datum, conserving = conventions(convention, momentum)
    shape, (r, u, a) = broadcast(
        {
            "quadratic": numbers("quadratic", quadratic, low=-_LARGEST, high=_LARGEST),
            "quartic": numbers("quartic", quartic, low=-_LARGEST, high=_LARGEST),
            "alpha": numbers("alpha", alpha, low=LEAST_ALPHA, high=MOST_ALPHA),
        }
    )
    if per_datum:
        return FlowVelocity(shaped(a * r - r * r + u, shape), shaped((2 * a - 4 * r) * u, shape))
    refuse_first("quadratic", r, r <= -1, "must be > -1: modes have 1 + r > 0", shape)
    loop = 3 * (u / (1 + r)) ** 2 if conserving else 0.0
    return FlowVelocity(
        shaped((1 + a) * r + u / (1 + r), shape), shaped((1 + 2 * a) * u - loop, shape)
    )
