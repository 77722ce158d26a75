r"""Transforms of the losses at one and at two Laplace variables, relative to unlimited features and samples.

With :math:`Y_k = \kappa/(\lambda_k+\kappa)`, :math:`Z_k = 1 - Y_k`, :math:`Y^0_k = s/(\lambda_k+s)`, a prime for the second
variable, and :math:`G = \sum_k c_k Z_k Y_k'`, :math:`D_2 = \sum_k c_k Z_k Z_k'`, :math:`V = \sum_k s_k Y_k Z_k'`, the two-by-two system
of the dynamical mean-field theory has the solution

.. math:: s s' C_0 = \frac{a (U + \sigma^2 D_2/P) + G V/N + \sigma^2 G \tilde G/(NP)}{\det}, \quad a = R_3 + G/N, \quad
          \det = R_1 R_3' + R_1 \tilde G/N + R_3' G/P,

with :math:`U = \sum_k s_k Y_k Y_k'` and the transpose :math:`\tilde G = \sum_k c_k Y_k Z_k'` of G: everything is
dimensionless and nothing cancels. What is inverted is the difference from its value for N = P = infinity.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from ...arguments import Array, afford
from ...equality import by_value
from ...reprs import short_repr
from .._jit import njit
from ..spectra import Modes
from .kappa import ComplexArray, kappa_along, scaled, size_ratio, times

_TABLE = 2**23  # numbers in a table of modes and nodes
_PAIR = 100  # numbers held at once for each pair of nodes
_NARROWER = "take a spectrum that spans fewer decades"


@short_repr
@dataclass(frozen=True)
@by_value
class Resolved:
    """The renormalized ridge at nodes in the upper half plane, and what it takes to reach it."""

    s: ComplexArray
    kappa: ComplexArray
    df1: ComplexArray
    r1: ComplexArray
    r3: ComplexArray
    inverse_features: float
    inverse_samples: float
    steps: int
    residual: float

    @property
    def found(self) -> bool:
        """Whether the equation for kappa was solved."""
        return math.isfinite(self.residual)

    @property
    def delta(self) -> ComplexArray:
        """Return 1 - R_1 R_3, without cancellation."""
        n, p = self.inverse_features, self.inverse_samples
        return np.asarray(self.df1 * (n + p - self.df1 * n * p))

    def without_first(self) -> Resolved:
        """Return all nodes but the first."""
        s, kappa, df1, r1, r3 = (
            np.ascontiguousarray(getattr(self, name)[1:])
            for name in ("s", "kappa", "df1", "r1", "r3")
        )
        return replace(self, s=s, kappa=kappa, df1=df1, r1=r1, r3=r3)

    def joined(self, other: Resolved) -> Resolved:
        """Return these nodes and those of another part of the contour."""
        s, kappa, df1, r1, r3 = (
            np.concatenate([getattr(self, name), getattr(other, name)])
            for name in ("s", "kappa", "df1", "r1", "r3")
        )
        steps, residual = max(self.steps, other.steps), max(self.residual, other.residual)
        return replace(
            self, s=s, kappa=kappa, df1=df1, r1=r1, r3=r3, steps=steps, residual=residual
        )


def resolve(
    modes: Modes, features: float, samples: float, s: ComplexArray, *, far: bool = False
) -> Resolved:
    """Solve for kappa at nodes of a contour, in the order in which they lie on it."""
    n, ratio, gap = size_ratio(features, samples)
    trace = float(modes.multiplicities @ modes.eigenvalues)
    s = np.ascontiguousarray(s)
    kappa, df1 = s.copy(), np.zeros_like(s)
    steps, residual = kappa_along(
        modes.eigenvalues,
        modes.multiplicities,
        modes.size,
        trace,
        n,
        ratio,
        gap,
        s,
        far,
        kappa,
        df1,
    )
    quotient = s / kappa
    scarce = 2 * quotient / (gap + np.sqrt(gap**2 + 4 * ratio * quotient))
    ample = gap + ratio * scarce
    r1, r3 = (scarce, ample) if samples <= features else (ample, scarce)
    if math.isinf(n):
        r1, r3 = np.ones_like(s), np.ones_like(s)
    return Resolved(
        s, kappa, df1, r1, r3, inverse(features), inverse(samples), int(steps), float(residual)
    )


def inverse(size: float) -> float:
    """Return 1/size, 0 for infinity."""
    return 0.0 if math.isinf(size) else 1.0 / size


def projected_signal(modes: Modes, at: Resolved) -> ComplexArray:
    r"""Return s times the transform of the population loss at doubled time, less its value for unlimited features."""
    return np.asarray(at.delta * _signal_sums(modes.eigenvalues, modes.signal, at.s, at.kappa)[0])


def train_transform(
    modes: Modes, at: Resolved, noise: float
) -> tuple[ComplexArray, ComplexArray, ComplexArray, ComplexArray]:
    r"""Return s times the transform of the train loss at doubled time.

    Returns
    -------
    signal, signal_difference, noise, noise_difference : ndarray
        Contributions of the signal and of the label noise, in full and as difference from unlimited features and samples.
    """
    # Y = Y Z^0 + Y Y^0, and without limits Y^0 = R_1 R_3 Y Z^0 + Y Y^0. So the difference is
    # R_1 (1 - R_3) Y Z^0 - (1 - R_1) Y Y^0, with 1 - R_1 = df_1/P and 1 - R_3 = df_1/N
    near, far = _signal_sums(modes.eigenvalues, modes.signal, at.s, at.kappa)
    unused, taken = noise * at.r1, noise * at.df1 * at.inverse_samples
    difference = at.r1 * at.df1 * at.inverse_features * near - at.df1 * at.inverse_samples * far
    return (
        np.asarray(at.r1 * (near + far)),
        np.asarray(difference),
        np.asarray(unused),
        np.asarray(-taken),
    )


def pair_transform(
    modes: Modes, at: Resolved, noise: float, *, rows: slice = slice(None)
) -> tuple[ComplexArray, ComplexArray]:
    r"""Return s s' C_0 of the test loss at pairs of Laplace variables.

    Returns
    -------
    difference, unlimited : ndarray, shape (rows, 2 nodes)
        What limited features and samples add, and the value without limits. The first variable runs over the nodes in
        `rows`, the second over all nodes and their complex conjugates.
    """
    m = at.s.size
    chosen = len(range(m)[rows])
    afford(_PAIR * m * chosen, f"the transform at {chosen:g} x {m:g} pairs of nodes", _NARROWER)
    by_mode, by_signal, parts = _products(modes, at, rows)
    half = parts.shape[0] // 2
    # G, D_2 and the transpose of G, each at the nodes and at their complex conjugates
    g, d2, transposed = (
        _pairs(by_mode[half:, : 2 * m]),
        _pairs(by_mode[half:, 2 * m :]),
        _pairs(by_mode[:half, 2 * m :]),
    )
    v = _pairs(by_signal)
    unlimited = _pairs(parts[:half, : 2 * m])
    # Y Y' - Y^0 Y^0' as a sum of products that contain Y - Y^0, so that large terms do not cancel
    growth = _pairs(parts[:half, 2 * m :] + parts[half:, : 2 * m] + parts[half:, 2 * m :])

    n, p = at.inverse_features, at.inverse_samples
    r1, r3, other = at.r1[rows, None], at.r3[rows, None], _both(at.r3)
    a = r3 + g * n
    det = r1 * (other + transposed * n) + other * g * p
    # a - det, which multiplies U^0, and a D_2/P + G G~/(NP), which multiplies the noise, are the
    # same sum of positive terms: with G + D_2 = df_1, G~ + D_2 = df_1' and G - G~ = df_1 - df_1'
    lost = (r3 * d2 + g * n * _both(at.df1)) * p
    return (a * growth + g * v * n + lost * (noise + unlimited)) / det, unlimited


def _products(modes: Modes, at: Resolved, rows: slice) -> tuple[Array, Array, Array]:
    """Sum over modes the products of (Y, Z) and (Y, Z) with multiplicities, Y and Z with signals, Y^0 and Y - Y^0 with signals.

    Real parts before imaginary parts; the first factor at the nodes in `rows` only. As many modes at a time as fit 64 MB.
    """
    m = at.s.size
    # columns of the table: real and imaginary parts of Y, Z, Y^0 and Y - Y^0, m nodes each
    some = np.arange(m)[rows]
    left = np.concatenate([some + m * i for i in range(8)]) if rows != slice(None) else slice(None)
    sums: list[Array] = []
    block = max(256, _TABLE // (8 * m))
    for first in range(0, modes.eigenvalues.size, block):
        part = slice(first, first + block)
        table = np.empty((modes.eigenvalues[part].size, 8 * m))
        _shrinkage_table(modes.eigenvalues[part], at.s, at.kappa, at.delta, table)
        factors = table[:, left]
        half = factors.shape[1] // 2
        c, signal = modes.multiplicities[part, None], modes.signal[part, None]
        products = [
            (c * factors[:, :half]).T @ table[:, : 4 * m],
            (signal * factors[:, : half // 2]).T @ table[:, 2 * m : 4 * m],
            (signal * factors[:, half:]).T @ table[:, 4 * m :],
        ]
        sums = [one + two for one, two in zip(sums, products, strict=True)] if sums else products
    return sums[0], sums[1], sums[2]


def _both(x: ComplexArray) -> ComplexArray:
    return np.concatenate([x, x.conj()])


def _pairs(products: Array) -> ComplexArray:
    """Turn sums of products of real and imaginary parts into sums of products with the second factor and its conjugate."""
    l, m = products.shape[0] // 2, products.shape[1] // 2
    rr, ri, ir, ii = products[:l, :m], products[:l, m:], products[l:, :m], products[l:, m:]
    return np.concatenate([rr - ii + 1j * (ri + ir), rr + ii + 1j * (ir - ri)], axis=1)


def train_from_test(
    at: Resolved,
    noise: float,
    difference: ComplexArray,
    unlimited: ComplexArray,
    *,
    rows: slice = slice(None),
) -> tuple[ComplexArray, ComplexArray]:
    r"""Return s s' C_1 of the train loss at pairs of Laplace variables, in full and as difference from no limits."""
    r1, other = at.r1[rows, None], _both(at.r1)
    one, two = at.df1[rows, None] * at.inverse_samples, _both(at.df1) * at.inverse_samples
    # C_1 = R_1 R_1' (C_0 + sigma^2), and 1 - R_1 R_1' = one + two - one two
    product = r1 * other
    return product * (difference + unlimited + noise), product * difference - (
        one + two - one * two
    ) * (unlimited + noise)


# -- kernels ------------------------------------------------------------------------------------------------------------


@njit
def _shares(eigenvalue: float, x: complex) -> tuple[complex, complex]:
    """Return x / (eigenvalue + x) and eigenvalue / (eigenvalue + x); no square leaves the range of floating-point numbers."""
    # divided by the largest of the three, so that squares neither overflow nor underflow
    size = max(abs(x.real), abs(x.imag), eigenvalue)
    a, re, im = eigenvalue / size, x.real / size, x.imag / size
    inverse = 1.0 / ((a + re) * (a + re) + im * im)
    return complex((a * re + re * re + im * im) * inverse, a * im * inverse), complex(
        a * (a + re) * inverse, -a * im * inverse
    )


def _signal_sums(
    eigenvalues: Array, signal: Array, s: ComplexArray, kappa: ComplexArray
) -> tuple[ComplexArray, ComplexArray]:
    """Sum the signal times Y Z^0 and times Y Y^0."""
    near, far = np.zeros_like(s), np.zeros_like(s)
    _add_signals(eigenvalues, signal, s, kappa, near, far)
    return near, far


@njit
def _add_signals(
    eigenvalues: Array,
    signal: Array,
    s: ComplexArray,
    kappa: ComplexArray,
    near: ComplexArray,
    far: ComplexArray,
) -> None:
    for j in range(s.size):
        for k in range(eigenvalues.size):
            y, _ = _shares(eigenvalues[k], kappa[j])
            y0, z0 = _shares(eigenvalues[k], s[j])
            near[j] += scaled(signal[k], times(y, z0))
            far[j] += scaled(signal[k], times(y, y0))


@njit
def _shrinkage_table(
    eigenvalues: Array, s: ComplexArray, kappa: ComplexArray, delta: ComplexArray, table: Array
) -> None:
    """Fill rows with Y, Z, Y^0 and Y - Y^0, real parts before imaginary parts."""
    m = s.size
    for k in range(eigenvalues.size):
        for j in range(m):
            y, z = _shares(eigenvalues[k], kappa[j])
            y0, z0 = _shares(eigenvalues[k], s[j])
            # Y - Y^0 = (1 - s/kappa) Y Z^0: no difference of nearly equal numbers
            change = times(delta[j], times(y, z0))
            table[k, j], table[k, m + j] = y.real, y.imag
            table[k, 2 * m + j], table[k, 3 * m + j] = z.real, z.imag
            table[k, 4 * m + j], table[k, 5 * m + j] = y0.real, y0.imag
            table[k, 6 * m + j], table[k, 7 * m + j] = change.real, change.imag
