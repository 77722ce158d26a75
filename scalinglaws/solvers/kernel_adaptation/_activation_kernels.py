r"""The kernel of the activations of a Gaussian layer, and how derivatives pass through it.

Pre-activations of covariance K on the inputs have activations of covariance :math:`\mathcal A(K) = E[\phi\phi^T]`: K itself for a linear
layer; for error functions

.. math:: \mathcal A_{\mu\nu} = \frac2\pi\arcsin U_{\mu\nu}, \qquad U_{\mu\nu} = \frac{2K_{\mu\nu}}{\sqrt{a_\mu a_\nu}}, \qquad
          a_\mu = 1 + 2K_{\mu\mu}.

A derivative is a symmetric matrix G with :math:`dF = \mathrm{Tr}\,G\,dK`. Each kernel returns its value with a function that takes the
derivative with respect to :math:`\mathcal A` to that with respect to K.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Backward = Callable[[Array], Array]


def linear(kernel: Array) -> tuple[Array, Backward]:
    """Return a kernel as it is, and the function that passes derivatives on as they are."""
    return kernel, lambda derivative: derivative


def erf(kernel: Array) -> tuple[Array, Backward]:
    r"""Return the kernel of error functions, and the function that takes derivatives back through it.

    .. math:: G_K = \frac{2B_{\mu\nu}}{\sqrt{a_\mu a_\nu}} - 2\,\mathrm{diag}\Big(\frac{\sum_\nu B_{\mu\nu}U_{\mu\nu}}{a_\mu}\Big),
              \qquad B = \frac2\pi\,\frac{G}{\sqrt{1 - U^2}}
    """
    inverse = 1 / (1 + 2 * np.diag(kernel))
    root = np.sqrt(inverse)
    cosine = 2 * kernel
    cosine *= root
    cosine *= root[:, None]

    def backward(derivative: Array) -> Array:
        slope = np.subtract(1, cosine)  # (1 - U)(1 + U) keeps the digits of 1 - U^2 near 1
        slope *= 1 + cosine
        # on the diagonal exactly: U = 2K/(1 + 2K), so that 1 - U^2 = (1 + 4K)/(1 + 2K)^2 = 2/a - 1/a^2
        np.einsum("ii->i", slope)[:] = inverse * (2 - inverse)
        np.sqrt(slope, out=slope)
        np.divide(derivative, slope, out=slope)
        slope *= 2 / math.pi
        own = np.einsum("ij,ij->i", slope, cosine)
        slope *= root
        slope *= 2 * root[:, None]
        np.einsum("ii->i", slope)[:] -= 2 * inverse * own
        return slope

    return 2 / math.pi * np.arcsin(cosine), backward


def erf_across(across: Array, new: Array, own: Array) -> Array:
    """Return the activations' kernel of new inputs with others, of their kernels with others and of each with itself."""
    return 2 / math.pi * np.arcsin(2 * across / np.sqrt(np.outer(1 + 2 * new, 1 + 2 * own)))


def erf_own(own: Array) -> Array:
    """Return the activations' kernel of inputs with themselves, of the kernel of each with itself."""
    return 2 / math.pi * np.arcsin(2 * own / (1 + 2 * own))


ACTIVATIONS = {"linear": linear, "erf": erf}
"""By the names that users give."""
