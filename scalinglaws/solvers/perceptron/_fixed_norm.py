"""The perceptron at fixed norm: learning curves, losses, margins."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from ...arguments import Array, Value, afford, broadcast, choice, numbers, shaped
from ...errors import refusal
from ...results import PROMISED, Diagnostics, Result, Status, judged
from .. import _jit
from ..catalogue import shows
from . import _generic, _logistic, _square
from ._losses import LOGISTIC, SQUARE, ConvexLoss, margin_density, named
from ._points import Points, norms, overlap, samples

Loss = str | Callable[..., Any]

_ROUNDING = 1e-13
_FIELDS = 15  # numbers kept of each point


@shows("error", "overlap", "train_loss", "train_error", "test_loss", "multiplier")
@dataclass(frozen=True)
class FixedNormSolution(Result):
    r"""A perceptron that minimizes its training loss at a fixed norm.

    All fields but `loss` have the broadcast shape of the inputs; scalars in, floats out.

    Attributes
    ----------
    alpha, norm : float or ndarray
        Samples per input dimension, and the norm :math:`\lambda`.
    loss : str
        Name of the loss; ``"callable"`` for a function.
    error : float or ndarray
        Generalization error :math:`\varepsilon = \arccos(R)/\pi`.
    overlap : float or ndarray
        R, cosine of the angle between student and teacher.
    train_loss : float or ndarray
        Mean loss of a training example, :math:`E\,V(\lambda\Delta)`.
    train_error : float or ndarray
        Share of training examples that are misclassified.
    test_loss : float or ndarray
        Mean loss of a new example; infinite at infinite norm.
    multiplier : float or ndarray
        :math:`\mu`: the same point minimizes the summed loss plus :math:`\frac\mu2 |w|^2`.
    displacement : float or ndarray
        :math:`\delta_0`, by which training moves the margin of an example whose cavity field is 0.
    log_response : float or ndarray
        :math:`\log\chi`, where :math:`\chi` is the width of the proximal map.
    free_share : float or ndarray
        :math:`1 - \alpha A`, the share of directions that the examples leave free.
    slope : float or ndarray
        Local exponent :math:`d\ln\varepsilon/d\ln\lambda`, negative below the optimal norm.
    error_estimate : float or ndarray
        Estimated relative error of `error`; infinite where the equations are not solved.
    diagnostics : Diagnostics
        Residual of the equations, steps, largest estimated relative error.
    """

    alpha: Value
    norm: Value
    loss: str
    error: Value
    overlap: Value
    train_loss: Value
    train_error: Value
    test_loss: Value
    multiplier: Value
    displacement: Value
    log_response: Value
    free_share: Value
    slope: Value
    error_estimate: Value
    diagnostics: Diagnostics

    def margin_density(self, margin: ArrayLike, *, loss: Loss | None = None) -> Value:
        r"""Compute the density of the margins :math:`\Delta` of the training examples.

        .. math:: \rho(\Delta) = p_\tau(\omega)\,\frac{d\omega}{d\Delta}, \qquad \omega = \Delta + \chi\lambda V'(\lambda\Delta),
                  \quad \frac{d\omega}{d\Delta} = 1 + \chi\lambda^2 V''(\lambda\Delta), \quad
                  p_\tau(\omega) = 2\varphi(\omega)\Phi(\tau\omega)

        Parameters
        ----------
        margin : array_like
            :math:`\Delta = y\, w\cdot x/\sqrt N` of the normalized weights, any finite number.
        loss : callable, optional
            The loss, if the solution belongs to a function: a solution keeps none.

        Returns
        -------
        float or ndarray
            Of the solution's shape, followed by that of `margin`. At maximum stability and at the kink of the hinge loss a share
            of the examples has one and the same margin; the density is that of all others.

        Raises
        ------
        DomainError
            If a margin is not finite, or the loss is missing.
        """
        delta = numbers("margin", margin)
        if self.loss == "callable" and loss is None:
            raise refusal("loss", loss, "must be given again: a solution keeps no functions")
        kind = named(self.loss if loss is None or self.loss != "callable" else loss)
        outer = np.shape(self.norm)
        norm, error, displacement, log_chi = (
            np.reshape(np.asarray(value, float), outer + (1,) * delta.ndim)
            for value in (self.norm, self.error, self.displacement, self.log_response)
        )
        found = margin_density(delta, norm, error, displacement, log_chi, kind)
        return float(found) if found.ndim == 0 else found


def fixed_norm(
    alpha: ArrayLike, norm: ArrayLike, loss: Loss = "logistic", *, on_failure: str = "raise"
) -> FixedNormSolution:
    r"""Solve the perceptron that learns a teacher's labels at a fixed norm, in the limit of many inputs.

    Of :math:`P = \alpha N` Gaussian or binary inputs x with labels :math:`y = \mathrm{sign}(w^*\cdot x)`, the student minimizes
    :math:`\sum_\mu V(\lambda\Delta^\mu)` with the margins :math:`\Delta = y\, w\cdot x/\sqrt N`, over all w with
    :math:`|w|^2 = N`. With the overlap R, :math:`s^2 = 1 - R^2`, :math:`\tau = R/s`, the law
    :math:`p_\tau(\omega) = 2\varphi(\omega)\Phi(\tau\omega)` and the displacement :math:`\delta(\omega) = \Delta - \omega` to the
    margin that minimizes :math:`V(\lambda\Delta) + (\Delta - \omega)^2/2\chi`,

    .. math:: R = \alpha\sqrt{2/\pi}\; E_{\omega \sim N(0, s^2)}\,\delta, \qquad 1 - R^2 = \alpha\, E_{\omega \sim p_\tau}\,\delta^2 .

    The problem is convex, so replica symmetry is exact.

    Parameters
    ----------
    alpha : array_like
        :math:`\alpha`, samples per input dimension, from 1e-9 to 1e12.
    norm : array_like
        :math:`\lambda = |w|/\sqrt N` of the weights before they are normalized, from 1e-12 to 1e20; with the logistic loss also
        its limits, 0 for Hebb's rule and inf for maximum stability. Both broadcast. In the squared convention,
        :math:`\lambda_s = \lambda^2`.
    loss : {"logistic", "exponential", "hinge", "square"} or callable
        V(u): :math:`\log(1 + e^{-2u})`, :math:`e^{-u}`, :math:`\max(0, 1 - u)`, :math:`\frac12(1 - u)^2`; or a smooth convex
        function with V'(0) < 0 that maps an array of u to V, or to the tuple (V, V', V'') where it has them.
    on_failure : {"raise", "return"}
        What to do if the equations are not solved.

    Returns
    -------
    FixedNormSolution
        Errors, overlap, losses, multiplier, margins.

    Raises
    ------
    DomainError
        If an argument is out of range; with hinge and square loss also if the norm is above the one that the loss itself prefers
        (the multiplier would be negative, and the problem no longer convex).
    ConvergenceError
        If the equations are not solved; the result is attached.

    Notes
    -----
    Logistic: the integrals run over the margin itself, in which the proximal map is explicit; two to six Newton steps in the
    logarithms of :math:`\tau` and :math:`\delta_0`, 0.12 to 0.16 ms a point. Against 40 digits, errors were off by 3e-15 at most;
    the estimate is 1e-13. Training losses and errors that are exponentially small have the relative error of their exponent:
    about 1e-13 times minus their logarithm. Below the smallest floating-point number they are 0.

    Square: the root of a cubic. Others: adaptive panels, with the proximal map found at every node and the norm continued from a
    small one, 0.03 to 1 s a point, accurate to 1e-11 (1e-10 for a function without derivatives); they reach norms at which
    :math:`\log\chi\lambda^2 < 600`, some hundred times the inverse smallest margin. A function is taken at its word between the
    margins -4 and 4 at which it is tried.

    References
    ----------
    .. [1] F. D'Amico, D. Bocchi, M. Negri, "Implicit bias produces neural scaling laws in learning curves, from perceptrons to
       deep networks", arXiv:2505.13230.

    Examples
    --------
    >>> found = fixed_norm([2, 8], [2, 8])
    >>> found.error.round(9), found.train_loss.round(9)
    (array([0.17458719, 0.05415536]), array([0.06574602, 0.01646108]))
    >>> print(f"{fixed_norm(3, 0.5, loss='square').error:.9f}")
    0.156345871
    """
    choice("on_failure", on_failure, ("raise", "return"))
    kind = named(loss)
    shape, (a, n) = broadcast(
        {"alpha": samples(alpha), "norm": norms(norm, limits=kind is LOGISTIC)}
    )
    result = result_of(a, n, shape, kind, solve_points(a, n, kind))
    judged("fixed_norm", result, result.diagnostics, on_failure)
    return result


@shows("error", "train_loss", "train_error", "test_loss", grid=True)
def surface(alpha: ArrayLike, norm: ArrayLike, *, on_failure: str = "raise") -> FixedNormSolution:
    r"""Solve the logistic perceptron on a grid of samples and norms, on all threads.

    Parameters
    ----------
    alpha : array_like
        One row of samples per input dimension, as in `fixed_norm`.
    norm : array_like
        One row of norms, as in `fixed_norm`.
    on_failure : {"raise", "return"}
        What to do if the equations are not solved somewhere.

    Returns
    -------
    FixedNormSolution
        Of shape (len(alpha), len(norm)).

    Raises
    ------
    DomainError
        If an argument is out of range, or is no row of numbers.
    ConvergenceError
        If the equations are not solved somewhere; the result is attached.
    ResourceError
        If the surface would not fit into memory.

    Notes
    -----
    The points are those of `fixed_norm`, whatever the number of threads (``numba.set_num_threads``).

    Examples
    --------
    >>> surface([1, 10, 100], [1, 10]).error.round(6)
    array([[0.254607, 0.262518],
           [0.070975, 0.043651],
           [0.021329, 0.007576]])
    """
    choice("on_failure", on_failure, ("raise", "return"))
    rows = {"alpha": samples(alpha), "norm": norms(norm, limits=True)}
    for name, array in rows.items():
        if array.ndim > 1:
            complaint = f"must be one row of numbers; got shape {array.shape}"
            raise refusal(name, array, complaint, shown=False)
    a, n = np.atleast_1d(rows["alpha"]), np.atleast_1d(rows["norm"])
    afford(3 * _FIELDS * a.size * n.size, f"a surface of {a.size} x {n.size} points", "use fewer")
    every_a, every_n = np.repeat(a, n.size), np.tile(n, a.size)
    found = _logistic.solve(every_a, every_n, threads=_jit.available_threads())
    result = result_of(every_a, every_n, (a.size, n.size), LOGISTIC, found)
    judged("surface", result, result.diagnostics, on_failure)
    return result


def solve_points(alpha: Array, norm: Array, loss: ConvexLoss) -> Points:
    """Solve points in the way that fits the loss."""
    if loss is LOGISTIC:
        return _logistic.solve(alpha, norm)
    return _square.solve(alpha, norm) if loss is SQUARE else _generic.solve(alpha, norm, loss)


def result_of(
    alpha: Array, norm: Array, shape: tuple[int, ...], loss: ConvexLoss, found: Points
) -> FixedNormSolution:
    """Put what was found of a row of points into a result of their shape."""
    solved = np.isfinite(found.sensitivity)
    estimate = np.where(solved, found.sensitivity + _ROUNDING, math.inf)
    columns = {
        "error": found.error,
        "overlap": overlap(found.tau),
        "error_estimate": estimate,
        **{
            name: getattr(found, name)
            for name in (
                "train_loss",
                "train_error",
                "test_loss",
                "multiplier",
                "displacement",
                "log_response",
                "free_share",
                "slope",
            )
        },
    }
    return FixedNormSolution(
        alpha=shaped(alpha, shape),
        norm=shaped(norm, shape),
        loss=loss.name,
        **{name: shaped(column, shape) for name, column in columns.items()},
        diagnostics=diagnosed(found, estimate, loss.method),
    )


def diagnosed(found: Points, estimate: Array, method: str) -> Diagnostics:
    """Sum up how good points are."""
    error = float(np.max(estimate, initial=0.0))
    status = (
        Status.MAX_ITERATIONS
        if not np.all(np.isfinite(estimate))
        else Status.LOST_ACCURACY
        if error > PROMISED
        else Status.CONVERGED
    )
    return Diagnostics(
        status=status,
        residual=float(np.max(found.residual, initial=0.0)),
        iterations=int(np.max(found.steps, initial=0.0)),
        method=method,
        error_estimate=error,
    )
