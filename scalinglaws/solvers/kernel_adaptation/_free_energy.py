r"""The free energy of a Gaussian ansatz for all layers, and its exact gradient.

.. math:: F = N_1 D(\Sigma\|\tfrac{\sigma_1^2}d) + \sum_{l=2}^H N_l D(K^{(l)}\|Q^{(l)})
          + \frac\chi2\,\mathrm{Tr}\,Y^T(Q_f + \kappa)^{-1}Y + \frac m2\log\det(Q_f + \kappa), \qquad
          D(K\|Q) = \frac12\big[\mathrm{Tr}\,Q^{-1}K - n - \log\det Q^{-1}K\big],

with :math:`K^{(1)} = X\Sigma X^T`, :math:`Q^{(l)} = \sigma_l^2\mathcal A(K^{(l-1)})` and :math:`Q_f = \sigma_a^2\mathcal A(K^{(H)})`.

Each kernel is written relative to its own prior as it is now: :math:`K = R\,C C^T R^T` with the Cholesky factor R of Q and a lower
triangle C. Then :math:`D = \frac12[|C|^2 - n - 2\sum_i\log|C_{ii}|]`, whatever the layers below do: the divergences do not couple, their
second derivatives at C = 1 are N off and 2N on the diagonal, and nearly singular Q do not stiffen the problem. The price is one
derivative of a Cholesky factor for each layer.

Only the rows' span matters: inputs are projected on it first, which keeps :math:`\Sigma` at :math:`\sigma_1^2/d` outside. Linear layers
stay in this space, r x r, up to the last one, so that more inputs than dimensions make nothing singular.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ...equality import by_value
from ...reprs import short_repr
from ._activation_kernels import ACTIVATIONS

Array = NDArray[np.float64]


@short_repr
@by_value
@dataclass(frozen=True)
class Problem:
    r"""A data set and a network.

    Attributes
    ----------
    inputs : ndarray, shape (n, r)
        Coordinates of the inputs in the span of the rows, times :math:`\sigma_1/\sqrt d`.
    targets : ndarray, shape (n, m)
    layers : tuple of float
        Widths.
    activation : str
    ridge : ndarray, shape (n,)
        Of each input: one that nobody measured has an infinite one.
    readout_variance : float
    weight_variances : tuple of float
        Of each layer.
    jitter : tuple of float
        Added to the diagonal of the prior of each layer.
    """

    inputs: Array
    targets: Array
    layers: tuple[float, ...]
    activation: str
    ridge: Array
    readout_variance: float
    weight_variances: tuple[float, ...]
    jitter: tuple[float, ...]

    @property
    def lift(self) -> int:
        """The layer whose kernel leaves the span of the inputs for the inputs themselves: the last linear one."""
        return len(self.layers) - 1 if self.activation == "linear" else 0

    @property
    def sizes(self) -> tuple[int, ...]:
        """Of the matrices of all layers."""
        n, rank = self.inputs.shape
        return tuple(rank if layer <= self.lift else n for layer in range(len(self.layers)))

    def gain(self, layer: int) -> float:
        """Return what multiplies the activations' kernel of a layer to make the prior of the next."""
        after = layer + 1
        return self.weight_variances[after] if after < len(self.layers) else self.readout_variance


@short_repr
@by_value
@dataclass(frozen=True)
class State:
    r"""A point: the free energy, its gradient, and all matrices.

    Attributes
    ----------
    free_energy : float
    gradients : list of ndarray
        With respect to each lower triangle.
    kernels : list of ndarray
        Covariance of the first layer's weights along the inputs' coordinates (in units of its prior), then of the pre-activations of
        all further layers.
    lifted : ndarray, shape (n, n)
        The kernel that left the span of the inputs.
    output_kernel : ndarray, shape (n, n)
        :math:`Q_f`.
    weights : ndarray, shape (n, m)
        :math:`(Q_f + \kappa)^{-1}Y`.
    divergences : ndarray
        Of each layer: of one neuron.
    """

    free_energy: float
    gradients: list[Array]
    kernels: list[Array]
    lifted: Array
    output_kernel: Array
    weights: Array
    divergences: Array


def evaluate(problem: Problem, triangles: list[Array], scale: float) -> State | None:
    """Compute the free energy and its gradient at some lower triangles; None where a matrix is not positive in floats."""
    from scipy.linalg import blas, lapack

    last = len(triangles) - 1
    activated = ACTIVATIONS[problem.activation]
    roots, backwards, kernels = [], [], []
    divergences = np.empty(last + 1)
    prior = kernel = lifted = np.empty((0, 0))
    for layer, triangle in enumerate(triangles):
        diagonal = np.abs(np.diag(triangle))
        if not diagonal.all():
            return None
        divergences[layer] = 0.5 * (
            np.vdot(triangle, triangle) - len(triangle) - 2 * np.log(diagonal).sum()
        )
        root, factor = None, triangle
        if layer:
            root = _cholesky(prior)
            if root is None:
                return None
            factor = blas.dtrmm(1, root, triangle, lower=1)
        kernel = _square(factor)
        kernels.append(kernel)
        if layer == problem.lift:
            kernel = lifted = _square(problem.inputs @ factor)
        value, backward = activated(kernel)
        prior = problem.gain(layer) * value
        if layer < last:
            diagonal_of(prior)[:] += problem.jitter[layer + 1]
        roots.append(root)
        backwards.append(backward)

    # what is learned from the targets
    noisy = prior.copy()
    diagonal_of(noisy)[:] += problem.ridge
    root = _cholesky(noisy)
    if root is None:
        return None
    inverse = _mirrored(lapack.dpotri(root, lower=1)[0])
    weights = inverse @ problem.targets
    outputs = problem.targets.shape[1]
    energy = float(
        np.dot(divergences, problem.layers)
        + 0.5 * scale * np.vdot(problem.targets, weights)
        + outputs * np.log(np.diag(root)).sum()
    )

    # back through the layers: derivatives with respect to the prior of the layer above, the kernel, the triangle
    derivative = 0.5 * outputs * inverse
    derivative -= 0.5 * scale * (weights @ weights.T)
    gradients = [np.empty((0, 0))] * (last + 1)
    for layer in range(last, -1, -1):
        derivative = backwards[layer](problem.gain(layer) * derivative)
        if layer == problem.lift:
            derivative = problem.inputs.T @ derivative @ problem.inputs
        triangle, root, width = triangles[layer], roots[layer], problem.layers[layer]
        if root is not None:  # R^T G R
            derivative = blas.dtrmm(1, root, derivative, side=1, lower=1)
            derivative = blas.dtrmm(1, root, derivative, lower=1, trans_a=1, overwrite_b=1)
        pull = blas.dtrmm(2, triangle, derivative, side=1, lower=1)  # 2 R^T G R C
        gradient = width * triangle
        gradient += pull
        diagonal_of(gradient)[:] -= width / np.diag(triangle)
        gradients[layer] = gradient
        if root is not None:
            # R moves with Q: dF = Tr dR^T (2 G R C C^T); with Phi, lower triangle and half of the diagonal,
            # the derivative with respect to Q is R^-T [Phi + Phi^T] R^-1 / 2, Phi of R^T 2 G R C C^T
            half = blas.dtrmm(0.5, triangle, pull, side=1, lower=1, trans_a=1)
            half = _mirrored(np.tril(half))
            half = lapack.dtrtrs(root, half, lower=1, trans=1)[0]
            derivative = lapack.dtrtrs(root, half.T, lower=1, trans=1)[0]
    return State(energy, gradients, kernels, lifted, prior, weights, divergences)


def residual(problem: Problem, state: State, scale: float) -> float:
    r"""Return by how much the equations of the layers are violated.

    .. math:: [K^{(l)}]^{-1} = [Q^{(l)}]^{-1} + \tfrac2{N_l}g_l,

    written for the basis in which each K is the unit matrix; :math:`g_l` is the derivative with respect to :math:`K^{(l)}` of all that
    lies above, at fixed kernels there. It follows the equations rather than the gradient of `evaluate`.
    """
    from scipy.linalg import lapack

    activated = ACTIVATIONS[problem.activation]
    last = len(problem.layers) - 1
    worst = 0.0
    outputs = problem.targets.shape[1]
    noisy = state.output_kernel + np.diag(problem.ridge)
    derivative = 0.5 * outputs * np.linalg.inv(noisy)
    derivative -= 0.5 * scale * (state.weights @ state.weights.T)
    for layer in range(last, -1, -1):
        kernel = state.kernels[layer]
        _, backward = activated(state.lifted if layer == problem.lift else kernel)
        derivative = backward(problem.gain(layer) * derivative)
        if layer == problem.lift:
            derivative = problem.inputs.T @ derivative @ problem.inputs
        width, size = problem.layers[layer], len(kernel)
        if layer:
            below = state.lifted if layer - 1 == problem.lift else state.kernels[layer - 1]
            prior = problem.gain(layer - 1) * activated(below)[0]
            diagonal_of(prior)[:] += problem.jitter[layer]
            root = _cholesky(prior)
        else:
            root = np.eye(size)
        factor = _cholesky(kernel)
        if root is None or factor is None:
            return math.inf
        relative = lapack.dtrtrs(root, factor, lower=1)[0]  # R^-1 L
        pull = factor.T @ derivative @ factor
        violated = relative.T @ relative + 2 / width * pull - np.eye(size)
        worst = max(worst, float(np.max(np.abs(violated))))
        if layer:  # N dD/dQ = N [Q^-1 - Q^-1 K Q^-1]/2
            missing = np.eye(size) - relative @ relative.T
            half = lapack.dtrtrs(root, missing, lower=1, trans=1)[0]
            derivative = 0.5 * width * lapack.dtrtrs(root, half.T, lower=1, trans=1)[0]
    return worst


def _cholesky(matrix: Array) -> Array | None:
    """Return the lower factor, or None."""
    from scipy.linalg import lapack

    factor, failed = lapack.dpotrf(matrix, lower=1, clean=1)
    return None if failed or not math.isfinite(factor[-1, -1]) else factor


def _square(factor: Array) -> Array:
    """Return a factor times its transpose."""
    from scipy.linalg import blas

    return _mirrored(blas.dsyrk(1, factor, lower=1))


def _mirrored(lower: Array) -> Array:
    """Return the symmetric matrix of a lower triangle, zero above."""
    found = lower + lower.T
    diagonal_of(found)[:] *= 0.5
    return found


def diagonal_of(matrix: Array) -> Array:
    """Return the diagonal as a view that can be written to."""
    found: Array = np.einsum("ii->i", matrix)
    return found
