"""What the Gaussian process of an infinitely wide network learns of a polynomial of one direction: exact, on a data set."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.linalg import cho_factor, cho_solve
from scipy.special import gammaln, roots_genlaguerre

from ....arguments import afford, choice, number, refuse_first
from ....solvers.kernels import erf_nngp
from ._data import checked, odd_degrees, unit_vector
from ._network import ACTIVATIONS, component

Array = NDArray[np.float64]

_NODES = 80


def gaussian_process_component(
    inputs: ArrayLike,
    labels: ArrayLike,
    *,
    ridge: float,
    degree: int = 3,
    direction: ArrayLike | None = None,
    weight_variance: float = 1.0,
    readout_variance: float = 1.0,
    activation: str = "erf",
) -> float:
    r"""Compute what regression with the kernel of an infinitely wide network of two layers learns of a polynomial, exactly.

    .. math:: \bar f(x) = k(x)^\top (K + \kappa)^{-1} y, \qquad
              K(x, x') = \sigma_a^2\, E_{w \sim N(0, \sigma_w^2/d)}[\phi(w \cdot x)\phi(w \cdot x')]

    and returned is the mean of :math:`\bar f(x) He_k(z)/\sqrt{k!}`, :math:`z = w_* \cdot x`, over standard normal x.

    Parameters
    ----------
    inputs : array_like, shape (P, d)
        Training points.
    labels : array_like, shape (P,)
        Their labels y.
    ridge : float
        :math:`\kappa > 0`. The mean does not depend on :math:`\chi`.
    degree : int
        k, odd, below 100.
    direction : array_like, shape (d,), optional
        :math:`w_*`, normalized here; the first axis by default.
    weight_variance, readout_variance : float
        :math:`\sigma_w^2, \sigma_a^2 > 0`.
    activation : {"erf", "linear"}
        :math:`\phi`.

    Returns
    -------
    float
        The component; one if a target :math:`He_k(z)/\sqrt{k!}` is learned.

    Raises
    ------
    DomainError
        If an argument is out of range or shapes do not match.
    ResourceError
        If the kernel would need more than the memory budget.

    Notes
    -----
    Not tested on points: with :math:`c_k(m, q)` the component of one neuron, the average needed is
    :math:`E_w[\phi(w \cdot x_\mu)\, c_k]`. The factor :math:`(1 + 2q)^{-k/2}` in it is an integral over exponentials,
    :math:`\int_0^\infty s^{k/2-1} e^{-s(1+2q)} ds / \Gamma(k/2)`; under each of these w is Gaussian again with the variance
    :math:`\tau = 1/(d/\sigma_w^2 + 4s)`, and the rest is a sum over Hermite polynomials of m. One integral of a smooth function is
    left, by 80 nodes of Gauss and Laguerre: relative error below 1e-12 at :math:`\sigma_w^2 \le 1`, 1e-9 at 9. Costs
    :math:`P^3/3` operations.

    Examples
    --------
    >>> x = np.random.default_rng(0).standard_normal((400, 2))
    >>> round(gaussian_process_component(x, x[:, 0], ridge=0.1, degree=1), 2)
    0.99
    """
    x, y = checked(inputs, labels)
    (order,) = odd_degrees([degree])
    ridge = number("ridge", ridge, low=0, strict=True)
    spread = number("weight_variance", weight_variance, low=0, strict=True)
    amplitude = number("readout_variance", readout_variance, low=0, strict=True)
    choice("activation", activation, ACTIVATIONS)
    along = unit_vector(direction, x.shape[1])
    afford(3.0 * y.size**2 + _NODES * y.size, "the kernel", "use fewer samples")
    if not y.size:
        return 0.0
    if activation == "linear":
        kernel = spread / x.shape[1] * (x @ x.T)
        features = spread / x.shape[1] * (x @ along) if order == 1 else np.zeros(y.size)
    else:
        # weight_variance of the kernel is that of both layers
        kernel = erf_nngp(x * math.sqrt(spread), depth=1, weight_variance=1.0)
        features = _averages(x, x @ along, spread / x.shape[1], order)
    kernel *= amplitude
    kernel.flat[:: y.size + 1] += ridge
    refuse_first("inputs", kernel, ~np.isfinite(kernel), "must leave the kernel finite")
    factor = cho_factor(kernel, lower=True, overwrite_a=True, check_finite=False)
    return amplitude * float(features @ cho_solve(factor, y))


def _averages(x: Array, along: Array, variance: float, degree: int) -> Array:
    r"""Return :math:`E_w[\mathrm{erf}(w \cdot x)\, c_k(w \cdot w_*, |w|^2)]` of every row of x; w has the given variance."""
    points, weights = roots_genlaguerre(_NODES, degree / 2 - 1)
    kept = weights > 0
    # in units in which the exponential and the tilted prior together fall about as exp(-s)
    unit = 1 + 2 * variance * x.shape[1]
    nodes = points[kept] / unit
    tilted = 1 / (1 / variance + 4 * nodes)
    logs = np.log(weights[kept]) + points[kept] - nodes
    logs += 0.5 * x.shape[1] * np.log(tilted / variance)
    shares = np.exp(logs - gammaln(degree / 2) - degree / 2 * math.log(unit))
    squares = np.einsum("ij,ij->i", x, x)
    total = np.zeros(len(x))
    # m^k = tau^(k/2) sum_j k!/(2^j j! (k - 2j)!) He_(k - 2j)(m / sqrt(tau))
    for j in range((degree - 1) // 2 + 1):
        k = degree - 2 * j
        log = math.lgamma(degree + 1) - math.lgamma(j + 1) - math.lgamma(k + 1) - j * math.log(2)
        powers = shares * tilted ** (degree / 2)
        for share, tau in zip(powers * math.exp(log), tilted, strict=True):
            # E[He_k(m/sqrt(tau)) erf(h)] of two Gaussians: the k-th power of their correlation, which is along/|x|
            root = math.sqrt(tau)
            total += (
                share
                * math.sqrt(math.factorial(k))
                * component(k, root * along, tau * squares, "erf")
            )
    # of c_k = constant m^k (1 + 2q)^(-k/2)
    constant = float(component(degree, np.ones(1), np.zeros(1), "erf")[0])
    found: Array = constant * total
    return found
