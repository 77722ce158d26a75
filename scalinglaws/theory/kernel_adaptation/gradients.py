r"""Derivatives of the free energy of adapted kernels, from the free energy itself.

Each derivative is taken by SymPy, entry by entry for matrices of a given size whose entries are symbols: of a symmetric matrix K, an
entry off the diagonal stands in two places, and G with :math:`dF = \mathrm{Tr}\,G\,dK` has half of the derivative there.

.. math:: \frac{\partial D}{\partial K} = \frac12(Q^{-1} - K^{-1}), \qquad
          \frac{\partial D}{\partial Q} = \frac12(Q^{-1} - Q^{-1}KQ^{-1}), \qquad
          G_{Q_f} = -\frac12[\chi\tilde y\tilde y^T - (Q_f + \kappa)^{-1}].
"""

from __future__ import annotations

import sympy as sp

from ...arguments import choice, whole
from .symbols import CHI, KAPPA

_LARGEST = 4
PARTS = ("prior", "kernel", "data", "erf", "linear")
"""What has a derivative here: divergences with respect to prior and kernel, the data term, and the activations' kernels."""


def gradient(part: str, size: int = 2) -> sp.Matrix:
    r"""Differentiate a part of the free energy of adapted kernels, entry by entry.

    Parameters
    ----------
    part : str
        ``"kernel"`` and ``"prior"``: the divergence, with respect to K and to Q. ``"data"``: the data term, with respect to Q. ``"erf"``
        and ``"linear"``: :math:`\mathrm{Tr}\,G\mathcal A(K)` with respect to K, which takes a derivative G back through a layer.
    size : int
        n, from 1 to 4.

    Returns
    -------
    Matrix
        Symmetric, n by n, of the symbols ``K_ij``, ``Q_ij``, ``G_ij``, ``y_i``, ``chi`` and ``kappa``.

    Raises
    ------
    DomainError
        If the part is none of these, or the size out of range.

    Notes
    -----
    Entries grow as the determinants that they contain do: milliseconds at n = 2, seconds at n = 3.

    References
    ----------
    .. [1] N. Rubin, K. Fischer, J. Lindner, D. Dahmen, I. Seroussi, Z. Ringel, M. Krämer, M. Helias, "From kernels to features: a
           multi-scale adaptive theory of feature learning", arXiv:2502.03210.

    Examples
    --------
    >>> gradient("kernel", 1)
    Matrix([[1/(2*Q_00) - 1/(2*K_00)]])
    """
    part = choice("part", part, PARTS)
    size = whole("size", size, high=_LARGEST)
    if part in ("kernel", "prior"):
        matrix = _symmetric("K" if part == "kernel" else "Q", size)
        return _differentiated(_divergence(size), matrix)
    if part == "data":
        return _differentiated(_data_term(size), _symmetric("Q", size))
    kernel, above = _symmetric("K", size), _symmetric("G", size)
    return _differentiated((above * _activated(kernel, part)).trace(), kernel)


def _symmetric(name: str, size: int) -> sp.Matrix:
    """Return a symmetric matrix of symbols, ``name_ij`` with i >= j."""
    return sp.Matrix(
        size, size, lambda i, j: sp.Symbol(f"{name}_{max(i, j)}{min(i, j)}", real=True)
    )


def _differentiated(scalar: sp.Expr, matrix: sp.Matrix) -> sp.Matrix:
    """Return G with dF = Tr G dK."""
    return sp.Matrix(
        *matrix.shape, lambda i, j: sp.diff(scalar, matrix[i, j]) / (1 if i == j else 2)
    )


def _divergence(size: int) -> sp.Expr:
    """Return D(K|Q)."""
    kernel, prior = _symmetric("K", size), _symmetric("Q", size)
    own, other = kernel.det(method="berkowitz"), prior.det(method="berkowitz")
    trace = (prior.adjugate() * kernel).trace() / other
    return (trace - size + sp.log(other) - sp.log(own)) / 2


def _data_term(size: int) -> sp.Expr:
    """Return what the targets add."""
    targets = sp.Matrix([sp.Symbol(f"y_{i}", real=True) for i in range(size)])
    noisy = _symmetric("Q", size) + KAPPA * sp.eye(size)
    determinant = noisy.det(method="berkowitz")
    square = (targets.T * noisy.adjugate() * targets)[0, 0] / determinant
    return CHI * square / 2 + sp.log(determinant) / 2


def _activated(kernel: sp.Matrix, activation: str) -> sp.Matrix:
    """Return the kernel of activations."""
    if activation == "linear":
        return kernel
    lengths = [1 + 2 * kernel[i, i] for i in range(kernel.rows)]
    return sp.Matrix(
        *kernel.shape,
        lambda i, j: (
            2
            * sp.asin(
                2
                * kernel[i, j]
                / (lengths[i] if i == j else sp.sqrt(lengths[i]) * sp.sqrt(lengths[j]))
            )
            / sp.pi
        ),
    )
