"""What one data set cannot have taught: bounds of posterior probabilities by the cost of an event under the prior."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from ...arguments import Array, Value, broadcast, number, numbers, refuse_first, shaped
from ...errors import refusal
from ...results import PROMISED, Diagnostics, Result, Status, judged
from .._data import GRAM_ROWS, data_values
from .._jit import njit
from .._samples import SMALLEST_EIGENVALUE, gram_modes, square_gram
from ..catalogue import shows
from ._exponent import MOST, best_exponent

_EPSILON = float(np.finfo(float).eps)
_SLACK = 1e-9  # of what the prior cannot fit


@dataclass(frozen=True)
class PosteriorBound(Result):
    r"""Upper bounds of the logarithm of a posterior probability, for one data set.

    The bounds have the broadcast shape of `cost` and `exponents`; scalars in, floats out.

    Attributes
    ----------
    cost : float or ndarray
        :math:`C = -\ln P(A \ge \alpha)` under the prior.
    ridge : float
        :math:`\sigma^2`.
    jensen : float or ndarray
        The bound of all weights by Jensen's inequality.
    evidence : float or ndarray
        The bound by the evidence of the data set, or by Jensen's inequality for hidden weights only.
    hoelder : float or ndarray
        The bound by Hölder's inequality.
    exponent : float or ndarray
        Its p; at infinity it is `evidence`, at 1 it says nothing.
    best : float or ndarray
        The least of them and 0.
    diagnostics : Diagnostics
        Estimated error of the bounds, relative to the largest term in them.
    """

    cost: Value
    ridge: float
    jensen: Value
    evidence: Value
    hoelder: Value
    exponent: Value
    best: Value
    diagnostics: Diagnostics


@shows("cost")
def alignment_cost(eigenvalue: ArrayLike, alignment: ArrayLike = 0.5) -> Value:
    r"""Compute what it costs the prior of a Gaussian process to be aligned with one mode of its kernel.

    The alignment is :math:`A = \langle f, \phi_k\rangle` with the normalized mode, :math:`\langle\phi_k, \phi_k\rangle = 1`; the target
    :math:`y = \phi_k` has A = 1, and under the prior :math:`A \sim N(0, \lambda_k)`. So

    .. math:: C(\alpha) = -\ln P(A \ge \alpha) = -\ln \bar\Phi\Big(\frac{\alpha}{\sqrt{\lambda_k}}\Big)
              \simeq \frac{\alpha^2}{2\lambda_k} .

    Parameters
    ----------
    eigenvalue : array_like
        :math:`\lambda_k > 0`, the mode's.
    alignment : array_like
        :math:`\alpha \ge 0`; broadcast against `eigenvalue`.

    Returns
    -------
    float or ndarray
        C, ln 2 or more.

    Raises
    ------
    DomainError
        If an argument is out of range, or the cost exceeds 1e300.

    Notes
    -----
    The cost of a target :math:`c\,\phi_k` is that of the alignment :math:`\alpha/c`. Accurate to 1e-14, however far the tail; 30 ns
    an element.

    References
    ----------
    .. [1] N. Rubin, O. Davidovich, Z. Ringel, arXiv:2512.04165 (patterns of feature learning).

    Examples
    --------
    >>> alignment_cost([0.0646, 0.001]).round(6)
    array([  3.705874, 128.68363 ])
    """
    checked = {
        "eigenvalue": numbers("eigenvalue", eigenvalue, low=SMALLEST_EIGENVALUE, strict=True),
        "alignment": numbers("alignment", alignment, low=0.0),
    }
    shape, (values, a) = broadcast(checked)
    return shaped(checked_costs(values, a, shape), shape)


def checked_costs(eigenvalue: Array, alignment: Array, shape: tuple[int, ...]) -> Array:
    """Return costs for checked arrays of one length."""
    from scipy.special import log_ndtr

    # squared in the end, so that nothing leaves the range of floating-point numbers before
    with np.errstate(over="ignore"):
        z = alignment / np.sqrt(eigenvalue)
    refuse_first(
        "alignment",
        alignment,
        ~(z < 1e150),
        "over the root of the eigenvalue must be < 1e150",
        shape,
    )
    return np.asarray(-log_ndtr(-z))


def posterior_bound(
    gram: ArrayLike,
    targets: ArrayLike,
    *,
    ridge: float,
    cost: ArrayLike,
    exponents: ArrayLike | None = None,
    quadratic: float | None = None,
) -> PosteriorBound:
    r"""Bound the posterior probability of an event by what it costs the prior, for one data set.

    The posterior is the prior times :math:`e^{-L}`, :math:`L = \sum_\mu (f_\mu - y_\mu)^2/2\sigma^2`. For every data set, and every
    event of the prior probability :math:`e^{-C}`,

    .. math:: \ln \pi_D \le -C + \sum_\mu \frac{K_{\mu\mu} + y_\mu^2}{2\sigma^2} \quad\text{(Jensen)}, \qquad
              \ln \pi_D \le -C + E_1 \quad\text{(evidence)}, \qquad
              \ln \pi_D \le -\Big(1 - \frac1p\Big) C + E_1 - \frac{E_p}{p} \quad\text{(Hölder, } p > 1),

    with :math:`E_p = -\ln \langle e^{-pL}\rangle`, which for the prior of a Gaussian process is

    .. math:: E_p = \tfrac12 \ln\det\Big(1 + \frac{pK}{\sigma^2}\Big) + \tfrac p2\, y^T (pK + \sigma^2)^{-1} y .

    Parameters
    ----------
    gram : array_like, shape (n, n)
        K(D, D), symmetric and positive semidefinite: the covariance of the outputs under the prior.
    targets : array_like, shape (n,)
        :math:`y_\mu`.
    ridge : float
        :math:`\sigma^2 > 0`, the variance of the likelihood, added to the Gram matrix with no 1/P.
    cost : array_like
        :math:`C \ge 0`; `alignment_cost` for the alignment with a mode.
    exponents : array_like, optional
        p >= 1, ``math.inf`` for the limit; broadcast against `cost`. By default the best one.
    quadratic : float, optional
        For a network of finite width, of which K is the prior covariance: the prior mean
        :math:`E_W\, y^T (Q_W + \sigma^2)^{-1} y` over hidden weights W, whose kernel at a Gaussian readout is :math:`Q_W`,
        :math:`E_W Q_W = K`. It replaces the quadratic form of `evidence`, by Jensen's inequality for the hidden weights alone;
        Hölder bounds are then left out, so that `hoelder` is `evidence`.

    Returns
    -------
    PosteriorBound
        The three bounds and the best of all.

    Raises
    ------
    DomainError
        If an argument is out of range, or the matrix is no covariance.
    ResourceError
        If the decomposition does not fit into the memory budget.

    Warns
    -----
    AccuracyWarning
        If the ridge is so small that the rounding of the matrix's entries matters.

    Notes
    -----
    Exact inequalities. :math:`E_p` is concave in p, so the best exponent is a root; it exists for every cost, and makes the bound
    the better of 0 and of all exponents. Eigenvalues of the matrix below its rounding count as none; where the target has a
    component there, exponents end before such an eigenvalue could change the bound by 1e-9.

    Bounds are accurate to 1e-13 of their largest term where the matrix is well conditioned; ``diagnostics.error_estimate`` says what
    errors of rounding in its entries make of them. One decomposition, :math:`O(n^3)`, about a second at n = 1000 on a busy core, and
    0.1 ms a cost.

    References
    ----------
    .. [1] N. Rubin, O. Davidovich, Z. Ringel, arXiv:2512.04165 (patterns of feature learning): Jensen's bound.

    Examples
    --------
    >>> found = posterior_bound([[1.0, 0.5], [0.5, 1.0]], [1.0, 1.0], ridge=1.0, cost=5.0)
    >>> round(found.jensen, 6), round(found.evidence, 6), round(found.hoelder, 6), round(found.exponent, 6)
    (-3.0, -3.939122, -3.943319, 237.395785)
    """
    k = square_gram(gram)
    y = data_values("targets", targets, len(k), of=GRAM_ROWS)
    variance = number("ridge", ridge, low=SMALLEST_EIGENVALUE, strict=True)
    checked = {"cost": numbers("cost", cost, low=0.0)}
    if exponents is not None:
        checked["exponents"] = numbers("exponents", exponents, low=1.0, infinite=True)
    own = None if quadratic is None else number("quadratic", quadratic, low=0.0)
    if own is not None and exponents is not None:
        complaint = "go with a Gaussian process; leave them out where `quadratic` is given"
        raise refusal("exponents", exponents, complaint, shown=False)
    shape, (costs, *powers) = broadcast(checked)

    largest, values, vectors = gram_modes(k)
    rounding = values[0] * len(k) * _EPSILON
    with np.errstate(over="ignore"):
        values = np.where(values > rounding, values, 0.0) * (largest / variance)
        parts = vectors.T @ y
        parts[np.abs(parts) < 4 * _EPSILON * float(np.linalg.norm(y))] = 0.0
        weights = parts**2 / variance
        mean_loss = 0.5 * float(np.sum(np.diag(k) + y**2)) / variance
    if not (mean_loss < math.inf and np.all(np.isfinite(values))):
        complaint = "is so small that the loss over it leaves the range of floating-point numbers; scale the data"
        raise refusal("ridge", variance, complaint)
    most = MOST
    if np.any(weights[values == 0] > 0):  # exponents at which an eigenvalue of that size matters
        most = min(MOST, max(0.0, math.log(_SLACK * variance / largest / rounding)))

    def evidence(log_p: float) -> tuple[float, float]:
        return _evidence(values, weights, math.exp(-log_p))

    total = evidence(0.0)[0]
    if own is not None:
        total = 0.5 * (float(np.sum(np.log1p(values))) + own)
    jensen = -costs + mean_loss
    plain = -costs + total
    if own is not None:
        found = [(math.inf, 0.0)] * costs.size
    elif powers:
        logs = np.minimum(np.log(powers[0]), MOST)
        found = [
            (p, math.exp(-log_p) * c - evidence(log_p)[0])
            for c, p, log_p in zip(costs, powers[0], logs, strict=True)
        ]
    else:
        found = [best_exponent(c, evidence, most) for c in costs.tolist()]
    exponent, gain = np.array(found).reshape(-1, 2).T
    hoelder = np.where(exponent == 1, 0.0, plain + gain)
    best = np.minimum(np.minimum(jensen, plain), np.minimum(hoelder, 0.0))
    # how far an error in eigenvalues moves E_1 and E_p/p
    moved = _moved(values, weights, 1.0)
    if own is None:
        moved += max(
            (_moved(values, weights, max(1 / p, math.exp(-most))) for p in exponent), default=0.0
        )
    term = max(total, float(np.max(costs, initial=0.0)), 1e-300)
    error = 2 * _EPSILON * (len(k) + largest / variance * moved / term)
    result = PosteriorBound(
        cost=shaped(costs, shape),
        ridge=variance,
        **{
            name: shaped(column, shape)
            for name, column in (
                ("jensen", jensen),
                ("evidence", plain),
                ("hoelder", hoelder),
                ("exponent", exponent),
                ("best", best),
            )
        },
        diagnostics=Diagnostics(
            Status.LOST_ACCURACY if error > PROMISED else Status.CONVERGED,
            0.0,
            1,
            "eigenvalues of the Gram matrix",
            error,
        ),
    )
    judged("posterior_bound", result, result.diagnostics)
    return result


@njit
def _evidence(values: Array, weights: Array, part: float) -> tuple[float, float]:
    """Return E_p/p at p = 1/part, and E_p minus its derivative in ln p, from eigenvalues and squared targets over the ridge."""
    value, rest = 0.0, 0.0
    for k in range(values.size):
        inverse = 1.0 / (values[k] + part)
        logs = math.log1p(values[k] / part)
        value += part * (logs + weights[k] * inverse)
        rest += logs - values[k] * inverse + weights[k] * inverse * (values[k] * inverse)
    return 0.5 * value, 0.5 * rest


@njit
def _moved(values: Array, weights: Array, part: float) -> float:
    """Return how much E_p/p may change with the eigenvalues."""
    total = 0.0
    for k in range(values.size):
        inverse = 1.0 / (values[k] + part)
        total += part * inverse + weights[k] * (part * inverse) * inverse
    return 0.5 * total
