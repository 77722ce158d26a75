"""Training without a constraint, with many samples: how the norm grows, and how near the error is to that at fixed norm."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from ...arguments import Array, Value, numbers, refuse_first, shaped
from ...results import Diagnostics, Result, Status, judged
from ..catalogue import shows

_LEAST, _MOST = 1e-6, 1e6
_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(20)
_FORGOTTEN = 42.0  # decay after which the past weighs less than rounding
_ROOT = math.sqrt(2 / math.pi)
_ROUNDING = 1e-11


@shows("time", "error_ratio", "relative_error", "relative_error_fixed_norm")
@dataclass(frozen=True)
class GradientFlow(Result):
    r"""Gradient flow of the logistic loss from zero weights, for infinitely many samples.

    Attributes
    ----------
    norm : float or ndarray
        :math:`\lambda`, reached at `time`.
    time : float or ndarray
        t.
    relative_error : float or ndarray
        :math:`\hat\varepsilon = \varepsilon/\varepsilon_0`, over the error of Hebb's rule at the same number of samples.
    relative_error_fixed_norm : float or ndarray
        The same for the minimizer at fixed norm.
    error_ratio : float or ndarray
        Error over the error at fixed norm, never below 1.
    scaled_tangent : float or ndarray
        :math:`\alpha \tan^2(\pi\varepsilon)`.
    diagnostics : Diagnostics
        Estimated relative error.
    """

    norm: Value
    time: Value
    relative_error: Value
    relative_error_fixed_norm: Value
    error_ratio: Value
    scaled_tangent: Value
    diagnostics: Diagnostics


def gradient_flow(norm: ArrayLike) -> GradientFlow:
    r"""Follow gradient flow without a constraint, for :math:`\alpha \to \infty` at a fixed norm.

    Of :math:`\dot w = -\frac NP \nabla_w \sum_\mu V(y^\mu\, w\cdot x^\mu/\sqrt N)` from w = 0 with the logistic loss. With
    :math:`h = E_z\,\mathrm{sech}^2\lambda z` and :math:`r = E_z |z|(1 - \tanh\lambda|z|)`,

    .. math:: \dot\lambda = r(\lambda), \qquad \frac{d\phi_z}{d\lambda} = \frac{1 - \tanh\lambda|z| - h\,\phi_z}r, \quad
              \phi_z(0) = 0, \qquad \alpha\tan^2(\pi\varepsilon) = \frac{E_z\,\phi_z^2}{\lambda^2},

    against :math:`\frac\pi2 E_z(1 - \tanh\lambda|z|)^2` at fixed norm.

    Parameters
    ----------
    norm : array_like
        :math:`\lambda` from 1e-6 to 1e6, or 0.

    Returns
    -------
    GradientFlow
        Time, errors, and their ratio, which is 1 at both ends and at most 1.148.

    Raises
    ------
    DomainError
        If a norm is out of range.

    Notes
    -----
    The equation is linear, and every :math:`\phi_z` decays at the same rate: it is an integral over the past norms,
    :math:`\phi_z = \int e^{-H(\lambda') }(1 - \tanh\lambda'|z|)/r\,d\lambda'` with :math:`H = \int_{\lambda'}^\lambda h/r`, of which
    only those weigh that are not forgotten. Gauss-Legendre panels, some 5 ms a point whatever the norm. For
    :math:`1 \ll \lambda \ll \alpha` the norm grows as :math:`(\frac{\pi^2}8\sqrt{2/\pi}\,t)^{1/3}`. At finite
    :math:`\alpha`, where the norm ends up growing as :math:`\ln t/2\kappa`, there is no such theory: simulate.

    References
    ----------
    .. [1] F. D'Amico, D. Bocchi, M. Negri, arXiv:2505.13230.

    Examples
    --------
    >>> found = gradient_flow([1, 5, 20])
    >>> found.time.round(4), found.error_ratio.round(5)
    (array([2.8099000e+00, 1.3870900e+02, 8.1782192e+03]), array([1.12833, 1.00817, 1.00051]))
    """
    given = numbers("norm", norm, low=0.0, high=_MOST)
    small = (given > 0) & (given < _LEAST)
    refuse_first("norm", given, small, f"must be 0, or lie between {_LEAST:g} and {_MOST:g}")
    flat = np.array(given).ravel()
    rows = np.array([_row(float(each)) for each in flat]).reshape(-1, 3)
    time, tangent, fixed = rows.T
    columns = {
        "norm": flat,
        "time": time,
        "relative_error": np.sqrt(tangent * 2 / math.pi),
        "relative_error_fixed_norm": np.sqrt(fixed),
        "error_ratio": np.sqrt(tangent / (math.pi / 2 * fixed)),
        "scaled_tangent": tangent,
    }
    result = GradientFlow(
        **{name: shaped(column, given.shape) for name, column in columns.items()},
        diagnostics=Diagnostics(
            status=Status.CONVERGED,
            residual=0.0,
            iterations=1,
            method="Gauss-Legendre panels over past norms",
            error_estimate=_ROUNDING,
        ),
    )
    judged("gradient_flow", result, result.diagnostics)
    return result


def _row(norm: float) -> tuple[float, float, float]:
    """Return the time, alpha tan^2(pi eps), and the squared relative error at fixed norm."""
    if norm == 0:
        return 0.0, math.pi / 2, 1.0
    z, weights = _fields(norm)
    past, steps, decay = _past(norm, z, weights)
    # phi(z), a row of past norms for each z
    phi = np.zeros(z.size)
    for start in range(0, past.size, 512):
        part = slice(start, start + 512)
        phi += _fall(np.outer(z, past[part])) @ (steps * decay)[part]
    tangent = float(weights @ phi**2) / norm**2
    return _time(norm), tangent, float(weights @ _fall(norm * z) ** 2)


def _fall(x: Array) -> Array:
    """Return 1 - tanh x."""
    from scipy.special import expit

    return np.asarray(2 * expit(-2 * x))


def _fields(norm: float) -> tuple[Array, Array]:
    """Return nodes z > 0 and weights of a mean over Gaussian z; panels grow from where tanh bends."""
    first = min(0.25, 0.25 / norm)
    edges = [0.0]
    while edges[-1] < 9.5:
        edges.append(edges[-1] + min(0.75, max(first, 0.5 * edges[-1])))
    return _composite(np.array(edges), lambda z: _ROOT * np.exp(-0.5 * z * z))


def _composite(edges: Array, density: object) -> tuple[Array, Array]:
    half = 0.5 * np.diff(edges)[:, None]
    nodes = (0.5 * (edges[1:] + edges[:-1])[:, None] + half * _NODES).ravel()
    return nodes, (half * _WEIGHTS).ravel() * density(nodes)  # type: ignore[operator]


def _rates(norms: Array, z: Array, weights: Array) -> tuple[Array, Array]:
    """Return h and r at several norms."""
    fall = _fall(np.outer(norms, z))
    return (fall * (2 - fall)) @ weights, fall @ (weights * z)


def _past(norm: float, z: Array, weights: Array) -> tuple[Array, Array, Array]:
    """Return past norms that are not forgotten, their weights over r, and how much of them is left."""
    nodes, steps, decays = [], [], []
    forgotten, end = 0.0, norm
    while end > 0 and forgotten < _FORGOTTEN:
        h, r = (float(each[0]) for each in _rates(np.array([end]), z, weights))
        width = min(end, 2 * r / h, max(0.25, 0.25 * end))
        at = end - 0.5 * width * (1 + _NODES)
        rate_h, rate_r = _rates(at, z, weights)
        rate = rate_h / rate_r
        # decay from each node to the end of the panel: integrate the interpolating polynomial
        within = width * (_CUMULATED @ rate)
        nodes.append(at)
        steps.append(0.5 * width * _WEIGHTS / rate_r)
        decays.append(np.exp(-forgotten - within))
        forgotten += 0.5 * width * float(_WEIGHTS @ rate)
        end -= width
    return np.concatenate(nodes), np.concatenate(steps), np.concatenate(decays)


def _cumulated() -> Array:
    """Return the matrix that integrates, from the end of a panel of width 1 to each node, what is known at the nodes."""
    powers = np.polynomial.legendre.legvander(_NODES, _NODES.size - 1)
    to_series = np.linalg.inv(powers)
    columns = [
        np.polynomial.legendre.legval(_NODES, np.polynomial.legendre.legint(series, lbnd=-1))
        for series in to_series.T
    ]
    return np.asarray(np.array(columns).T / 2)


_CUMULATED = _cumulated()


def _time(norm: float) -> float:
    """Return the integral of 1/r up to a norm."""
    edges = [0.0]
    while edges[-1] < norm:
        edges.append(min(norm, edges[-1] + max(0.25, 0.5 * edges[-1])))
    nodes, weights = _composite(np.array(edges), np.ones_like)
    total = 0.0
    for at, weight in zip(nodes.reshape(-1, 20), weights.reshape(-1, 20), strict=True):
        z, share = _fields(float(at[-1]))
        total += float(weight @ (1 / _rates(at, z, share)[1]))
    return total
