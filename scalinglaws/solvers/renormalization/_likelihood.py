r"""The likelihood of one datum after modes are integrated out: an exact convolution."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from ...arguments import Array, Value, broadcast, function, numbers, refuse_first, shaped, whole
from ...errors import AccuracyWarning, refusal
from ...results import PROMISED, Diagnostics, Result, Status, judged
from ..catalogue import shows
from ._polynomial import LARGEST, Polynomial, positive_couplings
from ._quadrature import Averages, Potential, Quantities, UnboundedError, normal_averages

_MOST_ORDER = 6
_EPSILON = 2.3e-16
_LEAST = 1e-30  # variance that is not 0
_UNEVEN = 1e-9  # beyond it a function is not even
_LEAST_OF_FUNCTION = 1e-12  # whose derivatives are not known


@shows("quadratic", "quartic", whole=("couplings",))
@dataclass(frozen=True)
class ConvolvedLikelihood(Result):
    r"""The local likelihood of one datum after modes of some total variance are integrated out.

    Attributes
    ----------
    bare : tuple of float or callable
        Couplings :math:`c_1, c_2, \dots` at variance 0, or the potential itself.
    variance : float or ndarray
        s, as given.
    quadratic, quartic : float or ndarray
        :math:`r = c_1` and :math:`u = c_2` of the potential at s, of the shape of `variance`.
    couplings : tuple of float or ndarray
        :math:`c_1, c_2, \dots` up to the order asked for.
    diagnostics : Diagnostics
        Largest estimated relative error of a coupling, nodes of the quadrature.
    """

    bare: tuple[float, ...] | Callable[[Array], Array]
    variance: Value
    quadratic: Value
    quartic: Value
    couplings: tuple[Value, ...]
    diagnostics: Diagnostics

    def potential(self, residual: ArrayLike) -> Value:
        r"""Return :math:`V_s(\Delta) = -\ln p_s(\Delta)`, constants included.

        Parameters
        ----------
        residual : array_like
            :math:`\Delta = f - y`, up to 1e12 in size; broadcast against `variance`.

        Returns
        -------
        float or ndarray
            The potential; to about 1e-13 (`AccuracyWarning` where the estimate exceeds 1e-8).
        """
        shape, residuals, variances, parts = self._at(residual)
        averages = _averages(parts, parts.shrinkage * residuals, lambda t, *_: [])
        found = parts.gaussian * parts.shrinkage * residuals**2 + parts.log_share
        found -= averages.log_norm
        start = variances == 0
        found[start] = parts.bare(residuals[start])
        error = np.where(start, 0.0, averages.norm_error)
        _warn("potential", error, np.maximum(np.abs(found), 1.0))
        return shaped(found, shape)

    def log_weight(self, residual: ArrayLike) -> Value:
        r"""Return :math:`\ln p_s(\Delta)`, the logarithm of the likelihood, not normalized: minus the potential.

        Parameters
        ----------
        residual : array_like
            :math:`\Delta`; broadcast against `variance`.

        Returns
        -------
        float or ndarray
            The logarithm.
        """
        found = -np.asarray(self.potential(residual))
        return float(found) if found.ndim == 0 else found

    def slope(self, residual: ArrayLike) -> Value:
        r"""Return :math:`V_s'(\Delta)`.

        Parameters
        ----------
        residual : array_like
            :math:`\Delta`; broadcast against `variance`.

        Returns
        -------
        float or ndarray
            The slope; at s = 0 of a potential that is a function there is none.

        Raises
        ------
        DomainError
            If a residual is out of range.
        """
        shape, residuals, variances, parts = self._at(residual)
        polynomial = parts.polynomial

        def both(t: Array, offset: Array, variance: Array) -> list[tuple[Array, Array]]:
            pull = -offset / variance
            inside = [] if polynomial is None else [_with_size(polynomial, t, 1)]
            return [(pull, np.abs(pull)), *inside]

        averages = _averages(parts, parts.shrinkage * residuals, both)
        best = np.argmin(averages.errors, axis=0)[None]
        inner, error = (
            np.take_along_axis(array, best, 0)[0] for array in (averages.means, averages.errors)
        )
        found = parts.shrinkage * (2 * parts.gaussian * residuals + inner)
        start = variances == 0
        if polynomial is not None:
            at = residuals[start]
            found[start] = 2 * parts.gaussian * at + polynomial.derivative(at, 1)
        error = np.where(start, 0.0, parts.shrinkage * error)
        _warn("slope", error, np.maximum(np.abs(found), parts.shrinkage))
        return shaped(found, shape)

    def _at(self, residual: ArrayLike) -> tuple[tuple[int, ...], Array, Array, _Parts]:
        checked = {
            "residual": numbers("residual", residual, low=-LARGEST, high=LARGEST),
            "variance": np.asarray(self.variance),
        }
        shape, (residuals, variances) = broadcast(checked)
        return shape, residuals, variances, _parts(self.bare, variances)


def convolved_likelihood(
    couplings: Sequence[float] | ArrayLike | Callable[[Array], Array],
    *,
    variance: ArrayLike,
    order: int = 2,
) -> ConvolvedLikelihood:
    r"""Integrate modes out of the likelihood of one datum, exactly: a convolution with a normal density.

    Modes that are independent from datum to datum add a normal variable of variance s to the residual :math:`\Delta = f - y`, so that the
    weight :math:`p = e^{-V(\Delta)}` of a datum becomes

    .. math:: p_s(\Delta) = \int p_0(t)\, N(t; \Delta, s)\,dt, \qquad \partial_s p = \tfrac12 p'', \qquad
              \partial_s V = \tfrac12 V'' - \tfrac12 V'^2,

    with the couplings :math:`r = c_1` and :math:`u = c_2` of :math:`V_s = \mathrm{const} + \sum_j c_j\Delta^{2j}`. A squared loss,
    :math:`r = 1/2\sigma^2`, gets :math:`\sigma^2 + s`; a small u falls as :math:`r^4`.

    Parameters
    ----------
    couplings : sequence of float or callable
        :math:`c_1, c_2, \dots`, the last that is not 0 positive; or the potential V itself, an even function of an array of residuals
        (any shape) that returns an array of this shape, finite or +inf. It must change at distances from 0 above about 1e-4.
    variance : array_like
        :math:`s = 0`, or from 1e-30 to 1e12; of a function at least 1e-12.
    order : int
        How many couplings are computed, at most 6.

    Returns
    -------
    ConvolvedLikelihood
        Couplings at every variance, and the potential, its slope and the weight at any residual.

    Raises
    ------
    DomainError
        If an argument is out of range, the leading coupling is not positive, or a potential falls so fast that nothing can be integrated.

    Notes
    -----
    The trapezoidal rule, with nodes doubled until sums stand still; the quadratic part of a polynomial is integrated in closed form.
    Couplings are averages of derivatives of the weight, or cumulants: whichever loses fewer digits. Those of polynomials are accurate to
    about 1e-12 for s from 1e-6 to 1e6; of functions only cumulants are known, which lose digits as :math:`1/s^j` at small s.
    ``diagnostics.error_estimate`` is the largest relative error that rounding and the last doubling explain (`AccuracyWarning` above
    1e-8); a coupling that is 0 within it is measured by the same power of r. About 0.1 ms a variance or slope, 0.03 ms a potential.

    References
    ----------
    .. [1] Z. Ringel et al., "Applications of statistical field theory in deep learning", arXiv:2502.18553.

    Examples
    --------
    >>> import numpy as np
    >>> found = convolved_likelihood([0.5, 0.2], variance=[0.05, 1.0])
    >>> found.quadratic.round(9), found.quartic.round(9)
    (array([0.52728495, 0.31898524]), array([0.15850436, 0.00201125]))
    >>> robust = convolved_likelihood(lambda t: np.log(np.cosh(t)), variance=0.5)
    >>> round(robust.quadratic, 9)
    0.278682705
    """
    kept = whole("order", order, low=1, high=_MOST_ORDER)
    bare: tuple[float, ...] | Callable[[Array], Array]
    if callable(couplings):
        potential = function("couplings", couplings)
        _refuse_uneven(potential)
        bare, least = potential, _LEAST_OF_FUNCTION
    else:
        bare, least = tuple(map(float, positive_couplings("couplings", couplings))), 0.0
    variances = numbers("variance", variance, low=least, high=LARGEST)
    tiny = (variances > 0) & (variances < _LEAST)
    refuse_first("variance", variances, tiny, f"must be 0 or at least {_LEAST:g}")
    shape, (flat,) = broadcast({"variance": variances})
    parts = _parts(bare, flat)
    table, errors, nodes = _expanded(parts, kept)
    start = flat == 0
    if np.any(start) and not callable(bare):
        known = np.zeros(kept)
        known[: len(bare)] = bare[:kept]
        table[:, start], errors[:, start] = known[:, None], 0.0
    columns = tuple(shaped(column, shape) for column in table)
    error = _relative(table, errors)
    result = ConvolvedLikelihood(
        bare=bare,
        variance=shaped(flat, shape),
        quadratic=columns[0],
        quartic=columns[1] if kept > 1 else shaped(_expanded(parts, 2)[0][1], shape),
        couplings=columns,
        diagnostics=Diagnostics(
            status=Status.CONVERGED if error <= PROMISED else Status.LOST_ACCURACY,
            residual=error,
            iterations=nodes,
            method="trapezoidal rule, nodes doubled",
            error_estimate=error,
        ),
    )
    judged("convolved_likelihood", result, result.diagnostics)
    return result


class _Parts(NamedTuple):
    """A potential, split into what is integrated in closed form and what is left.

    Attributes
    ----------
    bare, inner : callable
        V, and W = V - r t^2.
    polynomial : Polynomial or None
        W, where its derivatives are known.
    landmarks : ndarray
        Distances from 0 at which W changes.
    gaussian : float
        r >= 0, what is integrated in closed form.
    shrinkage, variance, log_share : ndarray, shape (n,)
        1/(1 + 2rs); s times that; and ln(1 + 2rs)/2. A variance of 0 is replaced by 1: nothing is integrated there.
    """

    bare: Potential
    inner: Potential
    polynomial: Polynomial | None
    landmarks: Array
    gaussian: float
    shrinkage: Array
    variance: Array
    log_share: Array


def _parts(bare: tuple[float, ...] | Callable[[Array], Array], variances: Array) -> _Parts:
    if callable(bare):
        whole_potential: Potential = _guarded(bare)
        inner, polynomial, gaussian, landmarks = whole_potential, None, 0.0, np.ones(1)
    else:
        coefficients = np.array(bare)
        whole_potential, gaussian = Polynomial(coefficients), max(bare[0], 0.0)
        polynomial = Polynomial(np.array([bare[0] - gaussian, *bare[1:]]))
        inner, landmarks = polynomial, polynomial.landmarks()
    growth = 1 + 2 * gaussian * variances
    return _Parts(
        whole_potential,
        inner,
        polynomial,
        landmarks,
        gaussian,
        1 / growth,
        np.where(variances == 0, 1.0, variances / growth),
        0.5 * np.log(growth),
    )


def _refuse_uneven(potential: Callable[[Array], Array]) -> None:
    """Refuse a potential that is not the same on both sides, of which even couplings are no expansion."""
    right, left = _guarded(potential)(np.multiply.outer([1.0, -1.0], np.geomspace(1e-4, 1e4, 81)))
    with np.errstate(invalid="ignore"):
        apart = np.where(right == left, 0.0, np.abs(right - left))
    if np.any(apart > _UNEVEN * (1 + np.minimum(np.abs(right), np.abs(left)))):
        complaint = "must be even, V(-t) = V(t)"
        raise refusal("couplings", potential, complaint)


def _guarded(potential: Callable[[Array], Array]) -> Potential:
    """Check what a user's function returns, each time."""

    def guarded(t: Array) -> Array:
        try:
            with np.errstate(over="ignore"):
                values = np.asarray(potential(t))
        except (TypeError, ValueError) as failure:
            complaint = (
                f"must be a function of an array; it raised {type(failure).__name__}: {failure}"
            )
            raise refusal("couplings", potential, complaint) from failure
        if values.shape != t.shape or values.dtype.kind not in "iuf":
            complaint = "must return an array of numbers of the shape of its argument"
            raise refusal("couplings", potential, complaint)
        wrong = np.isnan(values) | (values == -math.inf)
        if np.any(wrong):
            complaint = f"must be finite or +inf; it is {values[wrong][0]} at {t[wrong][0]:g}"
            raise refusal("couplings", potential, complaint)
        return np.asarray(values, dtype=float)

    return guarded


def _averages(parts: _Parts, centers: Array, quantities: Quantities) -> Averages:
    try:
        with np.errstate(over="ignore", under="ignore"):  # weights far outside are 0
            return normal_averages(
                parts.inner, quantities, centers, parts.variance, parts.landmarks
            )
    except UnboundedError:
        complaint = "falls so fast that the weight cannot be integrated"
        raise refusal("couplings", parts.bare, complaint, shown=False) from None


def _expanded(parts: _Parts, order: int) -> tuple[Array, Array, int]:
    r"""Return couplings and what they may be off by, shape (order, n), and nodes.

    The weight's expansion at 0 has the averages of :math:`e^{-W(t + x) + W(t)}`; up to a factor :math:`e^{-x^2/2g}` it is also the
    generating function of moments of t/g.
    """
    polynomial, count = parts.polynomial, 2 * order

    def both(t: Array, offset: Array, variance: Array) -> list[tuple[Array, Array]]:
        square = offset**2 / variance
        moments = [((1 - square) / 2, (1 + square) / 2)]
        power = np.ones_like(t)
        for k in range(1, order + 1):
            power = power * square / (2 * k * (2 * k - 1))
            moments.append((power, power))
        return moments if polynomial is None else moments + _derivatives(polynomial, t, count)

    averages = _averages(parts, np.zeros_like(parts.variance), both)
    means, errors = averages.means, averages.errors
    powers = np.arange(1.0, order + 1)[:, None]
    units = parts.variance**-powers
    found, off = _cumulants(means[1 : order + 1], errors[1 : order + 1])
    found[0], off[0] = means[0], errors[0]
    found, off = found * units, off * units
    if polynomial is not None:
        other, other_off = _cumulants(means[order + 1 :], errors[order + 1 :])
        better = other_off < off
        found, off = np.where(better, other, found), np.where(better, other_off, off)
    outer = parts.shrinkage ** (2 * powers)
    found, off = found * outer, off * outer
    closed = parts.gaussian * parts.shrinkage
    found[0] += closed
    off[0] += 2 * _EPSILON * closed
    off += 4 * powers * _EPSILON * np.abs(found)
    return found, off, averages.nodes


def _derivatives(polynomial: Polynomial, t: Array, count: int) -> list[tuple[Array, Array]]:
    """Return the even coefficients of exp(W(t) - W(t + x)) in x, up to the power `count`, and the sizes of their terms."""
    slopes = [_with_size(polynomial, t, k) for k in range(1, count + 1)]
    series, sizes = [np.ones_like(t)], [np.ones_like(t)]
    for k in range(1, count + 1):
        total, size = np.zeros_like(t), np.zeros_like(t)
        for i, (slope, slope_size) in enumerate(slopes[:k], start=1):
            total -= i * slope * series[k - i]
            size += i * slope_size * sizes[k - i]
        series.append(total / k)
        sizes.append(size / k)
    return list(zip(series[2::2], sizes[2::2], strict=True))


def _with_size(polynomial: Polynomial, t: Array, order: int) -> tuple[Array, Array]:
    """Return a derivative over the factorial of its order, and the size of its terms."""
    terms = Polynomial(np.abs(polynomial.coefficients))
    return polynomial.derivative(t, order), terms.derivative(np.abs(t), order)


def _cumulants(moments: Array, errors: Array) -> tuple[Array, Array]:
    """Return minus the logarithm of the series 1 + sum m_k x^k, and what its coefficients may be off by."""
    logs, off = np.zeros_like(moments), np.zeros_like(moments)
    for n in range(len(moments)):
        logs[n], off[n] = moments[n], errors[n]
        for i in range(n):
            share = (i + 1) / (n + 1)
            product = share * logs[i] * moments[n - 1 - i]
            logs[n] -= product
            off[n] += share * (
                np.abs(logs[i]) * errors[n - 1 - i] + off[i] * np.abs(moments[n - 1 - i])
            )
            off[n] += _EPSILON * np.abs(product)
    return 0.0 - logs, off


def _relative(table: Array, errors: Array) -> float:
    """Return the largest relative error; of a coupling that is 0 within it, by the same power of the first."""
    powers = np.arange(1.0, len(table) + 1)[:, None]
    nothing = np.abs(table) <= 4 * errors
    with np.errstate(divide="ignore", invalid="ignore"):
        shares = errors / np.where(nothing, np.abs(table[0]) ** powers, np.abs(table))
    return float(np.max(np.where(errors == 0, 0.0, shares), initial=0.0))


def _warn(name: str, error: Array, size: Array) -> None:
    """Warn of lost digits, from a method."""
    estimate = float(np.max(error / size, initial=0.0))
    if not estimate <= PROMISED:
        message = f"{name}: {Status.LOST_ACCURACY.value} (estimated relative error {estimate:.1e})"
        warnings.warn(message, AccuracyWarning, stacklevel=3)
