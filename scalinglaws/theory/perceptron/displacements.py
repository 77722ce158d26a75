r"""Displacements of cavity fields on the scale of the angle to the teacher, by the margin itself.

With :math:`s = \sqrt{1 - R^2} \to 0`, fields :math:`u = \omega/s`, displacements :math:`\eta = \delta/s` and
:math:`b = \lambda s`, the proximal map is :math:`\eta = c\,g(v)` with the margin :math:`v = b(u + \eta)` and the force g. It is implicit
in u and explicit in v: :math:`u = v/b - c\,g(v)`.
"""

from __future__ import annotations

import sympy as sp

from .losses import MARGIN, FixedNorm

WIDTH, PUSH = sp.symbols("b c_f", positive=True)
"""The norm times the angle, and the displacement at zero margin over the angle."""


def normal(x: sp.Expr) -> sp.Expr:
    """Density of the normal distribution."""
    return sp.exp(-(x**2) / 2) / sp.sqrt(2 * sp.pi)


def below(x: sp.Expr) -> sp.Expr:
    """Probability that a normal number is smaller, without cancellation at large negative arguments."""
    return sp.erfc(-x / sp.sqrt(2)) / 2


def densities(model: FixedNorm) -> tuple[sp.Expr, ...]:
    """List what is integrated over all margins.

    Parameters
    ----------
    model : FixedNorm
        A loss that is smooth at all margins.

    Returns
    -------
    tuple of Expr
        Of the displacement over Gaussian fields, of its square over fields on the teacher's side, and of the derivatives of both, by b
        and by c, at fixed fields.
    """
    g, b, c = model.force, WIDTH, PUSH
    slope = sp.diff(g, MARGIN)
    u = MARGIN / b - c * g
    jacobian = 1 / b - c * slope
    phi, Phi = normal(u), below(u)
    return (
        phi * c * g * jacobian,
        Phi * c**2 * g**2 * jacobian,
        phi * c * slope * MARGIN / b**2,
        phi * g / b,
        Phi * 2 * c**2 * g * slope * MARGIN / b**2,
        Phi * 2 * c * g**2 / b,
    )


def folded(density: sp.Expr) -> sp.Integral:
    """Write an integral over all margins as one over positive ones."""
    return sp.Integral(density + density.subs(MARGIN, -MARGIN), (MARGIN, 0, sp.oo))


def displacement_integrals(model: FixedNorm, b: sp.Expr, c: sp.Expr) -> tuple[sp.Expr, sp.Expr]:
    """Write the two integrals of the saddle point.

    Parameters
    ----------
    model : FixedNorm
        A loss that is smooth at all margins.
    b, c : Expr
        The norm times the angle, and the displacement at zero margin over the angle.

    Returns
    -------
    tuple of Integral
        Of the displacement over Gaussian fields, and of its square over fields on the teacher's side.
    """
    first, second, *_ = (folded(density).subs({WIDTH: b, PUSH: c}) for density in densities(model))
    return first, second
