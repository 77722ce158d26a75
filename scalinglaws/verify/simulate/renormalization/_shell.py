"""Orthogonal functions on a grid, and a shell of their modes integrated out exactly, to the order in which loops are counted."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ....arguments import afford, choice, floats, generator, number, one_row, refuse_first, whole
from ....equality import by_value
from ....errors import refusal
from ....reprs import short_repr

Array = NDArray[np.float64]

BASES = ("fourier", "random")


@short_repr
@by_value
@dataclass(frozen=True)
class IntegratedShell:
    r"""What a shell of modes adds to the action of the modes that are left.

    Attributes
    ----------
    loop : ndarray, shape (T,)
        From the shell's fluctuations, over what it is without a quartic coupling; one number for each residual.
    tree : ndarray, shape (T,)
        From the shell's mean, which the residual pulls along.
    """

    loop: Array
    tree: Array


def orthogonal_features(
    points: int, modes: int, *, basis: str = "fourier", rng: np.random.Generator | int | None = None
) -> Array:
    r"""Return functions on a grid of n points, :math:`\frac1n\sum_x \phi_k(x)\phi_l(x) = \delta_{kl}`.

    Parameters
    ----------
    points : int
        n >= 2.
    modes : int
        K <= n; below n for waves.
    basis : {"fourier", "random"}
        Waves: one, then cosine and sine of every frequency in turn; or columns of a random orthogonal matrix, uniformly distributed.
    rng : Generator or int
        Source of randomness, for random functions.

    Returns
    -------
    ndarray, shape (n, K)
        One function in each column.

    Raises
    ------
    DomainError
        If an argument is out of range.
    ResourceError
        If the functions would need more than the memory budget.

    Examples
    --------
    >>> orthogonal_features(4, 2).round(3).T
    array([[ 1.   ,  1.   ,  1.   ,  1.   ],
           [ 1.414,  0.   , -1.414, -0.   ]])
    """
    size, kind = whole("points", points, low=2), choice("basis", basis, BASES)
    count = whole("modes", modes, high=size if kind == "random" else size - 1)
    if kind == "random":
        afford(3.0 * size * count, "the functions", "use fewer points or modes")
        if rng is None:
            raise refusal("rng", rng, "must be given for random functions")
        found, triangle = np.linalg.qr(generator(rng).standard_normal((size, count)))
        columns: Array = np.sqrt(size) * found * np.sign(np.diag(triangle))
        return columns
    afford(2.0 * size * count, "the functions", "use fewer points or modes")
    angles = 2 * np.pi * np.arange(size) / size
    waves = np.ones((size, count))
    for k in range(1, count):
        wave = np.cos if k % 2 else np.sin
        waves[:, k] = np.sqrt(2) * wave((k + 1) // 2 * angles)
    return waves


def integrate_shell(
    features: ArrayLike,
    variances: ArrayLike,
    residuals: ArrayLike,
    *,
    quadratic: float = 0.0,
    quartic: float,
) -> IntegratedShell:
    r"""Integrate a shell of modes out of an action, up to its own cubic and quartic terms.

    With :math:`f = f_< + \sum_k f_k\phi_k`, :math:`\Delta = f_< - y` and means over the grid in integrals, the action
    :math:`\frac12\sum_k f_k^2/\lambda_k + r\int(\Delta + f_>)^2 + u\int(\Delta + f_>)^4` is to second order in the shell
    :math:`b\cdot f + \frac12 f^\top M f`, so that

    .. math::

        \delta S = \tfrac12\log\det M - \tfrac12 b^\top M^{-1} b, \qquad b_k = \int(2r\Delta + 4u\Delta^3)\phi_k, \qquad
        M_{kl} = \Big(\frac1{\lambda_k} + 2r\Big)\delta_{kl} + 12u\int\Delta^2\phi_k\phi_l .

    Parameters
    ----------
    features : array_like, shape (n, m)
        Functions of the shell on the grid, orthonormal.
    variances : array_like, shape (m,)
        :math:`\lambda_k > 0`.
    residuals : array_like, shape (n,) or (n, T)
        :math:`\Delta` on the grid, one or several.
    quadratic, quartic : float
        r >= 0 and u >= 0.

    Returns
    -------
    IntegratedShell
        Loop and tree parts of :math:`\delta S`, the loop without its value at :math:`u = 0`.

    Raises
    ------
    DomainError
        If an argument is out of range or shapes do not match.
    ResourceError
        If a matrix of the shell would need more than the memory budget.

    Notes
    -----
    A determinant of m x m numbers for each residual, by its Cholesky factor; no expansion in u.

    Examples
    --------
    >>> found = integrate_shell([[1.0], [1.0]], [0.5], [1.0, 1.0], quartic=0.1)
    >>> found.loop.round(6), found.tree.round(6)  # log(1.6)/2 and -0.4^2/(2 * 3.2)
    (array([0.235002]), array([-0.025]))
    """
    phi, delta = floats("features", features), floats("residuals", residuals)
    spread = one_row("variances", variances, low=0, strict=True)
    if phi.ndim != 2 or phi.shape[1] != spread.size or not phi.size:
        told = f"must have shape (n, {spread.size}); got {phi.shape}"
        raise refusal("features", phi.shape, told, shown=False)
    if delta.ndim not in (1, 2) or len(delta) != len(phi) or not delta.size:
        told = f"must have shape ({len(phi)},) or ({len(phi)}, T); got {delta.shape}"
        raise refusal("residuals", delta.shape, told, shown=False)
    for name, values in (("features", phi), ("residuals", delta)):
        refuse_first(name, values, ~np.isfinite(values), "must be finite")
    r, u = number("quadratic", quadratic, low=0), number("quartic", quartic, low=0)
    afford(3.0 * spread.size**2 + 2.0 * phi.size, "the shell", "use fewer modes or points")
    columns = delta.reshape(len(delta), -1)
    free = spread / (1 + 2 * r * spread)
    weighted = phi * np.sqrt(free / len(phi))
    loop, tree = np.empty((2, columns.shape[1]))
    for i, row in enumerate(columns.T):
        # in units in which M is the identity at u = 0
        with np.errstate(over="ignore", invalid="ignore"):
            matrix = 12 * u * (weighted.T @ (row[:, None] ** 2 * weighted))
            pull = weighted.T @ (2 * r * row + 4 * u * row**3) / np.sqrt(len(phi))
        if not (np.all(np.isfinite(matrix)) and np.all(np.isfinite(pull))):
            complaint = "are so large that their powers leave the range of floating-point numbers"
            raise refusal("residuals", delta.shape, complaint, shown=False)
        matrix.flat[:: spread.size + 1] += 1
        factor = np.linalg.cholesky(matrix)
        loop[i] = np.sum(np.log(np.diag(factor)))
        tree[i] = -0.5 * float(np.sum(np.linalg.solve(factor, pull) ** 2))
    return IntegratedShell(loop, tree)
