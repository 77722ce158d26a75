"""Kernels of wide fully connected networks, without and with training."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ...arguments import number, whole
from ._erf import Erf
from ._inputs import read_inputs
from ._layers import network_kernel
from ._relu import Relu

Array = NDArray[np.float64]

_DEEPEST = 10_000


def relu_nngp(
    x: ArrayLike,
    z: ArrayLike | None = None,
    *,
    depth: int,
    weight_variance: float = 2.0,
    bias_variance: float = 0.0,
) -> Array:
    r"""Compute the covariance of the outputs of wide random networks of rectified linear units.

    .. math:: \Sigma^0 = \sigma_w^2\,\frac{x\cdot z}{d} + \sigma_b^2, \qquad
              \Sigma' = \frac{\sigma_w^2}{2\pi}\sqrt{\Sigma_{xx}\Sigma_{zz}}\,\big(\sin\theta + (\pi - \theta)\cos\theta\big)
              + \sigma_b^2, \qquad \cos\theta = \frac{\Sigma}{\sqrt{\Sigma_{xx}\Sigma_{zz}}},

    once for each hidden layer; of an input with itself, :math:`\Sigma' = \frac12\sigma_w^2\Sigma + \sigma_b^2`.

    Parameters
    ----------
    x : array_like, shape (n, d)
        Inputs, one in each row.
    z : array_like, shape (m, d), optional
        Other inputs; by default `x`.
    depth : int
        Hidden layers, from 1 to 10000.
    weight_variance : float
        :math:`\sigma_w^2 > 0`: weights have this variance over the width that they sum over.
    bias_variance : float
        :math:`\sigma_b^2 \ge 0`.

    Returns
    -------
    ndarray, shape (n, m)
        The kernel; symmetric if there is no `z`, with the diagonal of the last equation.

    Raises
    ------
    DomainError
        If an argument is out of range, `x` or `z` is no matrix of finite numbers, the rows differ in length, or a kernel of an
        input with itself exceeds 1.8e308.
    ResourceError
        If the memory budget does not hold the result.

    Notes
    -----
    Tile by tile; some 5 ns an entry and layer, and the product of the inputs. Cosine and sine of each angle are carried along,
    and begin with differences where inputs are nearly parallel or opposite: no angle loses digits. Entries are accurate to
    :math:`(d^{1/2} + \mathrm{depth}) \times 10^{-15}` of the root of the product of both diagonal entries, while those lie above
    1e-290.

    References
    ----------
    .. [1] Y. Cho, L. K. Saul, "Kernel methods for deep learning", NIPS 2009, equation 6.
    .. [2] J. Lee, Y. Bahri, R. Novak, S. Schoenholz, J. Pennington, J. Sohl-Dickstein, "Deep neural networks as Gaussian
           processes", arXiv:1711.00165, equations 4 and 11.

    Examples
    --------
    >>> print(relu_nngp([[1, 2, -1, 0.5]], [[0.3, -1, 2, 1]], depth=2).round(6))
    [[1.145709]]
    """
    return _kernel(Relu, False, x, z, depth, weight_variance, bias_variance)


def relu_ntk(
    x: ArrayLike,
    z: ArrayLike | None = None,
    *,
    depth: int,
    weight_variance: float = 2.0,
    bias_variance: float = 0.0,
) -> Array:
    r"""Compute the tangent kernel of wide networks of rectified linear units, with which they learn while features stand still.

    .. math:: \Theta^0 = \Sigma^0, \qquad \Theta' = \Sigma' + \Theta\,\dot\Sigma, \qquad
              \dot\Sigma = \frac{\sigma_w^2}{2}\,\frac{\pi - \theta}{\pi}

    with :math:`\Sigma` and :math:`\theta` of `relu_nngp`; of an input with itself, without bias and at :math:`\sigma_w^2 = 2`,
    :math:`\Theta` is (depth + 1) times :math:`2|x|^2/d`.

    Parameters
    ----------
    x : array_like, shape (n, d)
        Inputs, one in each row.
    z : array_like, shape (m, d), optional
        Other inputs; by default `x`.
    depth : int
        Hidden layers, from 1 to 10000.
    weight_variance : float
        :math:`\sigma_w^2 > 0`: weights have this variance over the width that they sum over.
    bias_variance : float
        :math:`\sigma_b^2 \ge 0`.

    Returns
    -------
    ndarray, shape (n, m)
        The kernel; symmetric if there is no `z`.

    Raises
    ------
    DomainError
        If an argument is out of range, `x` or `z` is no matrix of finite numbers, the rows differ in length, or a kernel of an
        input with itself exceeds 1.8e308.
    ResourceError
        If the memory budget does not hold the result.

    Notes
    -----
    All weights and biases are trained, each in the parametrization in which it is a standard normal number times the root of its
    variance over the width. Cost and care as in `relu_nngp`: entries, those of near duplicates among them, are accurate to
    :math:`(d^{1/2} + \mathrm{depth}) \times 10^{-15}` of the root of the product of both diagonal entries, while those lie above
    1e-290.

    References
    ----------
    .. [1] A. Jacot, F. Gabriel, C. Hongler, "Neural tangent kernel", arXiv:1806.07572, theorem 1.

    Examples
    --------
    >>> print(relu_ntk([[1, 2, -1, 0.5]], [[0.3, -1, 2, 1]], depth=2).round(6))
    [[1.036456]]
    """
    return _kernel(Relu, True, x, z, depth, weight_variance, bias_variance)


def erf_nngp(
    x: ArrayLike,
    z: ArrayLike | None = None,
    *,
    depth: int,
    weight_variance: float = 2.0,
    bias_variance: float = 0.0,
) -> Array:
    r"""Compute the covariance of the outputs of wide random networks whose activation is the error function.

    .. math:: \Sigma^0 = \sigma_w^2\,\frac{x\cdot z}{d} + \sigma_b^2, \qquad
              \Sigma' = \frac{2\sigma_w^2}{\pi}\arcsin\frac{2\Sigma}{\sqrt{(1 + 2\Sigma_{xx})(1 + 2\Sigma_{zz})}} + \sigma_b^2,

    once for each hidden layer.

    Parameters
    ----------
    x : array_like, shape (n, d)
        Inputs, one in each row.
    z : array_like, shape (m, d), optional
        Other inputs; by default `x`.
    depth : int
        Hidden layers, from 1 to 10000.
    weight_variance : float
        :math:`\sigma_w^2 > 0`: weights have this variance over the width that they sum over.
    bias_variance : float
        :math:`\sigma_b^2 \ge 0`.

    Returns
    -------
    ndarray, shape (n, m)
        The kernel; symmetric if there is no `z`.

    Raises
    ------
    DomainError
        If an argument is out of range, `x` or `z` is no matrix of finite numbers, the rows differ in length, or a kernel of an
        input with itself exceeds 1.8e308.
    ResourceError
        If the memory budget does not hold the result.

    Notes
    -----
    Computed as `relu_nngp`, with the arcsine as an arctangent; some 10 ns an entry and layer. Entries are accurate to
    :math:`(d^{1/2} + \mathrm{depth})(1 + \sqrt{\Sigma^0}) \times 10^{-15}` of the root of the product of both diagonal entries,
    :math:`\Sigma^0` being the larger of the inputs' own, for weights of variance up to 2 and entries above 1e-290. Weights of larger
    variance make networks chaotic: each layer pushes near duplicates apart, and rounding errors with them.

    References
    ----------
    .. [1] C. K. I. Williams, "Computing with infinite networks", NIPS 1996, equation 11.

    Examples
    --------
    >>> print(erf_nngp([[1, 2, -1, 0.5]], [[0.3, -1, 2, 1]], depth=2).round(6))
    [[-0.419803]]
    """
    return _kernel(Erf, False, x, z, depth, weight_variance, bias_variance)


def erf_ntk(
    x: ArrayLike,
    z: ArrayLike | None = None,
    *,
    depth: int,
    weight_variance: float = 2.0,
    bias_variance: float = 0.0,
) -> Array:
    r"""Compute the tangent kernel of wide networks whose activation is the error function.

    .. math:: \Theta^0 = \Sigma^0, \qquad \Theta' = \Sigma' + \Theta\,\dot\Sigma, \qquad
              \dot\Sigma = \frac{4\sigma_w^2}{\pi}\big[(1 + 2\Sigma_{xx})(1 + 2\Sigma_{zz}) - 4\Sigma^2\big]^{-1/2}

    with :math:`\Sigma` of `erf_nngp`.

    Parameters
    ----------
    x : array_like, shape (n, d)
        Inputs, one in each row.
    z : array_like, shape (m, d), optional
        Other inputs; by default `x`.
    depth : int
        Hidden layers, from 1 to 10000.
    weight_variance : float
        :math:`\sigma_w^2 > 0`: weights have this variance over the width that they sum over.
    bias_variance : float
        :math:`\sigma_b^2 \ge 0`.

    Returns
    -------
    ndarray, shape (n, m)
        The kernel; symmetric if there is no `z`.

    Raises
    ------
    DomainError
        If an argument is out of range, `x` or `z` is no matrix of finite numbers, the rows differ in length, or a kernel of an
        input with itself exceeds 1.8e308.
    ResourceError
        If the memory budget does not hold the result.

    Notes
    -----
    Trained are all weights and biases, as in `relu_ntk`; computed as `erf_nngp`, and as accurate as that. The difference in the
    bracket is a sum of positive terms of the sine of the angle.

    References
    ----------
    .. [1] A. Jacot, F. Gabriel, C. Hongler, "Neural tangent kernel", arXiv:1806.07572, theorem 1.
    .. [2] J. Lee, L. Xiao, S. Schoenholz, Y. Bahri, R. Novak, J. Sohl-Dickstein, J. Pennington, "Wide neural networks of any
           depth evolve as linear models under gradient descent", arXiv:1902.06720, appendix C.

    Examples
    --------
    >>> print(erf_ntk([[1, 2, -1, 0.5]], [[0.3, -1, 2, 1]], depth=2).round(6))
    [[-1.325221]]
    """
    return _kernel(Erf, True, x, z, depth, weight_variance, bias_variance)


def _kernel(
    kind: type[Relu] | type[Erf],
    tangent: bool,
    x: ArrayLike,
    z: ArrayLike | None,
    depth: int,
    weight_variance: float,
    bias_variance: float,
) -> Array:
    layers = whole("depth", depth, low=1, high=_DEEPEST)
    activation = kind(
        number("weight_variance", weight_variance, low=0, strict=True),
        number("bias_variance", bias_variance, low=0),
    )
    inputs = read_inputs(x, z, layers=4 * layers)
    return network_kernel(inputs, activation, depth=layers, tangent=tangent)
