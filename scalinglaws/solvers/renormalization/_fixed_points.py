r"""Where the dimensionless flows rest, and how they leave or arrive."""

from __future__ import annotations

import math
from dataclasses import dataclass

from ...arguments import choice, number
from ...equality import by_value
from ...errors import refusal
from ...reprs import short_repr
from ._shells import MOMENTA

CONVENTIONS = ("per_datum", "measure")
"""What the couplings multiply: one datum's potential, or an integral over the measure."""
LEAST_ALPHA, MOST_ALPHA = 1e-3, 1e3


@short_repr
@dataclass(frozen=True)
@by_value
class FixedPoint:
    r"""A fixed point of a dimensionless flow.

    Attributes
    ----------
    name : str
        ``"trivial"`` at :math:`\hat r = \hat u = 0`, ``"ridge"`` at :math:`\hat u = 0`, ``"quartic"`` at :math:`\hat u \ne 0`,
        ``"massive"`` and ``"massive_quartic"`` at :math:`1/\hat r = 0`: as the zeros of the theory's flows are called.
    quadratic : float
        :math:`\hat r`, possibly infinite.
    quartic : float
        :math:`\hat u`, or :math:`\hat u/\hat r^2` where :math:`\hat r` is infinite.
    exponents : tuple of float
        Rates :math:`e^{\theta\ell}` of small deviations, the largest first, of the flow of these two couplings.
    physical : bool
        Whether the quartic coupling is not negative: otherwise the likelihood grows with the residual.
    """

    name: str
    quadratic: float
    quartic: float
    exponents: tuple[float, float]
    physical: bool

    @property
    def stable(self) -> bool:
        """Whether every small deviation dies out."""
        return max(self.exponents) < 0


def fixed_points(
    alpha: float, *, convention: str = "per_datum", momentum: str = "generic"
) -> tuple[FixedPoint, ...]:
    r"""List the fixed points of `dimensionless_flow` and their exponents.

    ``per_datum``: (0, 0) with exponents :math:`\alpha, 2\alpha`; :math:`(\alpha, 0)`, the ridge that is made of integrated modes, with
    :math:`-\alpha, -2\alpha` (of the exact flow :math:`-n\alpha`, n = 1, 2, ...: Hermite perturbations of the heat kernel); and
    :math:`(\alpha/2, -\alpha^2/4)` with :math:`\pm\alpha`, whose likelihood is no likelihood.

    ``measure``: (0, 0) with :math:`1 + \alpha, 1 + 2\alpha`; the massive point :math:`1/\hat r = 0, \hat u/\hat r^2 = 0` with
    :math:`-(1 + \alpha), -1`; and at :math:`1/\hat r = 0` one with :math:`\hat u/\hat r^2 = -1/2` (conserving: -1/5), exponents 1 and
    :math:`-1/2 - \alpha` (conserving: :math:`-4/5 - \alpha`), no likelihood either. With generic eigenfunctions there is no other:
    no Wilson-Fisher point. Where momentum is conserved there is one at

    .. math:: \hat r_* = -\frac{1 + 2\alpha}{4 + 5\alpha}, \quad \hat u_* = \frac{3(1 + 2\alpha)(1 + \alpha)^2}{(4 + 5\alpha)^2}, \qquad
              \theta = -\frac{1 + 5\alpha}{6} \pm \sqrt{\frac{(1 + 5\alpha)^2}{36} + \frac{(4 + 5\alpha)(1 + 2\alpha)}{3}},

    which one loop does not control, since :math:`1 + 2\alpha` is not small.

    Parameters
    ----------
    alpha : float
        :math:`\alpha` of :math:`\lambda_k = k^{-1-\alpha}`, from 0.001 to 1000.
    convention : {"per_datum", "measure"}
        Which flow, as for `dimensionless_flow`.
    momentum : {"generic", "conserving"}
        Which eigenfunctions; only "measure" knows the difference.

    Returns
    -------
    tuple of FixedPoint
        All of them, finite ones first.

    Raises
    ------
    DomainError
        If an argument is out of range.

    Notes
    -----
    In the variables :math:`a = 1/(1 + \hat r)`, :math:`b = \hat u/(1 + \hat r)^2` the flow of ``measure`` is one of Lotka and Volterra,
    :math:`\dot a = -a[(1 + \alpha)(1 - a) + b]`, :math:`\dot b = b[2(1 + \alpha)a - 1 - 2b]` (conserving: -5b), with the massive point
    at its origin.

    References
    ----------
    .. [1] Z. Ringel et al., "Applications of statistical field theory in deep learning", arXiv:2502.18553.

    Examples
    --------
    >>> for point in fixed_points(0.5):
    ...     print(point.name, point.quadratic, point.quartic, point.exponents, point.physical)
    trivial 0.0 0.0 (1.0, 0.5) True
    ridge 0.5 0.0 (-0.5, -1.0) True
    quartic 0.25 -0.0625 (0.5, -0.5) False
    """
    a = number("alpha", alpha, low=LEAST_ALPHA, high=MOST_ALPHA)
    per_datum, conserving = conventions(convention, momentum)
    if per_datum:
        return (
            FixedPoint("trivial", 0.0, 0.0, (2 * a, a), True),
            FixedPoint("ridge", a, 0.0, (-a, -2 * a), True),
            FixedPoint("quartic", a / 2, -a * a / 4, (a, -a), False),
        )
    points = [
        FixedPoint("trivial", 0.0, 0.0, (1 + 2 * a, 1 + a), True),
    ]
    if conserving:
        width = 4 + 5 * a
        half, product = (1 + 5 * a) / 6, width * (1 + 2 * a) / 3
        root = math.sqrt(half**2 + product)
        points.append(
            FixedPoint(
                "quartic",
                -(1 + 2 * a) / width,
                3 * (1 + 2 * a) * ((1 + a) / width) ** 2,
                (product / (half + root), -half - root),
                True,
            )
        )
    loops = 5.0 if conserving else 2.0
    return (
        *points,
        FixedPoint("massive", math.inf, 0.0, (-1.0, -(1 + a)), True),
        FixedPoint("massive_quartic", math.inf, -1 / loops, (1.0, 1 / loops - (1 + a)), False),
    )


def conventions(convention: str, momentum: str) -> tuple[bool, bool]:
    """Check both words; return whether couplings are a datum's, and whether momentum is conserved."""
    per_datum = choice("convention", convention, CONVENTIONS) == "per_datum"
    conserving = choice("momentum", momentum, MOMENTA) == "conserving"
    if per_datum and conserving:
        complaint = "makes no difference to one datum's likelihood; leave it out, or use convention='measure'"
        raise refusal("momentum", momentum, complaint)
    return per_datum, conserving
