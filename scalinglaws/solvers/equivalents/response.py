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
from typing import Any

import numpy as np

from ...arguments import Array, afford
from ...equality import by_value
from ...reprs import short_repr
from .._jit import njit
from ..spectra import Modes
from .kappa import ComplexArray, kappa_along, size_ratio

_TABLE = 2**23  # numbers in a table of modes and nodes
_SHEET = 2**14  # of them of one kind, where that is all
_PAIR = 100  # numbers held at once for each pair of nodes
_NARROWER = "take a spectrum that spans fewer decades"


@short_repr
@dataclass(frozen=True)
@by_value
class Resolved:
    """The renormalized ridge at nodes in the upper half plane, and what it takes to reach it; contours may be stacked in rows."""

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
    found = resolved(s, kappa, df1, features, samples)
    return replace(found, steps=int(steps), residual=float(residual))


def resolved(
    s: ComplexArray,
    kappa: ComplexArray,
    df1: ComplexArray,
    features: float,
    samples: float,
) -> Resolved:
    """Return what is known where kappa is."""
    n, ratio, gap = size_ratio(features, samples)
    quotient = s / kappa
    scarce = 2 * quotient / (gap + np.sqrt(gap**2 + 4 * ratio * quotient))
    ample = gap + ratio * scarce
    r1, r3 = (scarce, ample) if samples <= features else (ample, scarce)
    if math.isinf(n):
        r1, r3 = np.ones_like(s), np.ones_like(s)
    return Resolved(s, kappa, df1, r1, r3, inverse(features), inverse(samples), 0, 0.0)


def inverse(size: float) -> float:
    """Return 1/size, 0 for infinity."""
    return 0.0 if math.isinf(size) else 1.0 / size


def projected_signal(modes: Modes, at: Resolved) -> ComplexArray:
    r"""Return s times the transform of the population loss at doubled time, less its value for unlimited features."""
    return np.asarray(at.delta * _sums(modes, at)[0])


def _sums(modes: Modes, at: Resolved) -> tuple[ComplexArray, ComplexArray]:
    """Sum the signal times Y Z^0 and times Y Y^0."""
    s, kappa = at.s.ravel(), at.kappa.ravel()
    near, far = np.zeros((2, s.size), complex)
    block = min(modes.eigenvalues.size, _SHEET)
    nodes = max(1, min(s.size, _SHEET // block))
    work = np.empty(12 * nodes * block)
    for part in (slice(i, i + block) for i in range(0, modes.eigenvalues.size, block)):
        for some in (slice(i, i + nodes) for i in range(0, s.size, nodes)):
            table, root = _shrinkage(modes, part, s[some], kappa[some], work)
            # the roots of signals once more; Y Y^0 by real and imaginary parts of both
            free, change, learned = table[4:6] * root, table[6:8] @ root, table[8:10]
            rr, ii, ri, ir = (
                np.einsum("jk,jk->j", learned[i], free[j])
                for i, j in ((0, 0), (1, 1), (0, 1), (1, 0))
            )
            near[some] += change[0] + 1j * change[1]
            far[some] += rr - ii + 1j * (ri + ir)
    return near.reshape(at.s.shape), far.reshape(at.s.shape)


def _shrinkage(
    modes: Modes, part: slice, s: ComplexArray, kappa: ComplexArray, work: Array
) -> tuple[Array, Array]:
    r"""Return a table for some modes, shape (12, nodes, modes), in the memory of `work`, and roots of their signals.

    Real and imaginary parts of c Z, s Y, :math:`\sqrt{s} Y^0, \sqrt{s} Y Z^0`, Y and Z.
    """
    c, signal = modes.multiplicities[part], modes.signal[part]
    root = np.sqrt(signal)
    table = work[: 12 * s.size * c.size].reshape(12 * s.size, c.size)
    _shrinkage_table(modes.eigenvalues[part], c, signal, root, s, kappa, table)
    return table.reshape(12, s.size, c.size), root


def train_transform(
    modes: Modes, at: Resolved, noise: float | Array
) -> tuple[ComplexArray, ComplexArray, ComplexArray, ComplexArray]:
    r"""Return s times the transform of the train loss at doubled time.

    Returns
    -------
    signal, signal_difference, noise, noise_difference : ndarray
        Contributions of the signal and of the label noise, in full and as difference from unlimited features and samples.
    """
    # Y = Y Z^0 + Y Y^0, and without limits Y^0 = R_1 R_3 Y Z^0 + Y Y^0. So the difference is
    # R_1 (1 - R_3) Y Z^0 - (1 - R_1) Y Y^0, with 1 - R_1 = df_1/P and 1 - R_3 = df_1/N
    near, far = _sums(modes, at)
    noises = np.asarray(noise)[..., None]
    unused, taken = noises * at.r1, noises * at.df1 * at.inverse_samples
    difference = at.r1 * at.df1 * at.inverse_features * near - at.df1 * at.inverse_samples * far
    return (
        np.asarray(at.r1 * (near + far)),
        np.asarray(difference),
        np.asarray(unused),
        np.asarray(-taken),
    )


def pair_transform(
    modes: Modes, at: Resolved, noise: float | Array, *, rows: slice = slice(None)
) -> tuple[ComplexArray, ComplexArray]:
    r"""Return s s' C_0 of the test loss at pairs of Laplace variables.

    Returns
    -------
    difference, unlimited : ndarray, shape (..., rows, 2 nodes)
        What limited features and samples add, and the value without limits. The first variable runs over the nodes in
        `rows`, the second over all nodes and their complex conjugates; pairs of nodes of one contour where contours are stacked.
    """
    m = at.s.shape[-1]
    chosen = len(range(m)[rows])
    pairs = at.s.size * chosen
    afford(_PAIR * pairs, f"the transform at {chosen:g} x {m:g} pairs of nodes", _NARROWER)
    # G, D_2, the transpose of G, V and U^0
    sums = _pair_sums(modes, at, rows)
    g, d2, transposed, v, unlimited = sums[:5]
    # Y Y' - Y^0 Y^0' as a sum of products that contain Y - Y^0 = delta Y Z^0: no difference of nearly equal numbers
    one, two = at.delta[..., rows, None], _both(at.delta)
    growth = two * sums[5] + one * sums[6] + one * two * sums[7]

    n, p = at.inverse_features, at.inverse_samples
    r1, r3, other = at.r1[..., rows, None], at.r3[..., rows, None], _both(at.r3)
    a = r3 + g * n
    det = r1 * (other + transposed * n) + other * g * p
    # a - det, which multiplies U^0, and a D_2/P + G G~/(NP), which multiplies the noise, are the
    # same sum of positive terms: with G + D_2 = df_1, G~ + D_2 = df_1' and G - G~ = df_1 - df_1'
    lost = (r3 * d2 + g * n * _both(at.df1)) * p
    total = unlimited + np.asarray(noise)[..., None, None]
    return (a * growth + g * v * n + lost * total) / det, unlimited


def _pair_sums(modes: Modes, at: Resolved, rows: slice) -> list[ComplexArray]:
    r"""Sum over modes :math:`c Z Y', c Z Z', c Y Z', s Y Z', s Y^0 {Y^0}', s Y^0 X', s X {Y^0}', s X X'` at pairs of nodes.

    Here c are multiplicities, s signals, and :math:`X = Y Z^0`. The first factor at the nodes in `rows` only.
    """
    m = at.s.shape[-1]
    block = min(max(256, _TABLE // (12 * m)), modes.eigenvalues.size)
    # memory for all contours: fresh pages cost more than what is written on them
    work = np.empty(12 * m * block)
    if at.s.ndim == 1:
        sums = _products(modes, at.s, at.kappa, rows, work)
    else:
        nodes = zip(at.s, at.kappa, strict=True)
        each = [_products(modes, s, kappa, rows, work) for s, kappa in nodes]
        sums = [np.array(of_all) for of_all in zip(*each, strict=True)]
    zy, zz, yz, both, twice = sums[:5]
    free, mixed = both[..., : 2 * m], both[..., 2 * m :]
    back = sums[5:] or [zy.swapaxes(-1, -2), mixed.swapaxes(-1, -2)]
    order = [zy, zz, back[0], yz, free, mixed, back[1], twice]
    return [_pairs(one) for one in order]


def _products(
    modes: Modes, s: ComplexArray, kappa: ComplexArray, rows: slice, work: Array
) -> list[Array]:
    """Sum products of real and imaginary parts, real parts first; two of them only if they are no transposes of others.

    As many modes at a time as fit into `work`.
    """
    m = s.size
    block = work.size // (12 * m)
    places = np.arange(2 * m).reshape(2, m)
    some: Any = slice(None) if rows == slice(None) else places[:, rows].ravel()
    sums: list[Array] = []
    for first in range(0, modes.eigenvalues.size, block):
        part = slice(first, first + block)
        kinds = _shrinkage(modes, part, s, kappa, work)[0].reshape(6, 2 * m, -1)
        cz, sy, free, change = (group[some] for group in kinds[:4])
        both, y, z = kinds[2:4].reshape(4 * m, -1), kinds[4], kinds[5]
        products = [cz @ y.T, cz @ z.T, sy @ z.T, free @ both.T, change @ kinds[3].T]
        if rows != slice(None):
            products += [(modes.multiplicities[part] * y[some]) @ z.T, change @ kinds[2].T]
        sums = [one + two for one, two in zip(sums, products, strict=True)] if sums else products
    return sums


def _both(x: ComplexArray) -> ComplexArray:
    return np.concatenate([x, x.conj()], axis=-1)[..., None, :]


def _pairs(products: Array) -> ComplexArray:
    """Turn sums of products of real and imaginary parts into sums of products with the second factor and its conjugate."""
    l, m = products.shape[-2] // 2, products.shape[-1] // 2
    found = np.empty((*products.shape[:-2], l, 2 * m), complex)
    rr, ri = products[..., :l, :m], products[..., :l, m:]
    ir, ii = products[..., l:, :m], products[..., l:, m:]
    np.subtract(rr, ii, out=found.real[..., :m])
    np.add(rr, ii, out=found.real[..., m:])
    np.add(ri, ir, out=found.imag[..., :m])
    np.subtract(ir, ri, out=found.imag[..., m:])
    return found


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
def _shares(eigenvalue: float, real: float, imag: float) -> tuple[float, float, float]:
    """Return x / (eigenvalue + x) and eigenvalue / (eigenvalue + x): real parts of both, and the imaginary part, opposite to each other."""
    # in units of the larger one, so that no square leaves the range of floating-point numbers; no branches, so that loops vectorize
    unit = 1.0 / max(abs(real), abs(imag), eigenvalue)
    a, re, im = eigenvalue * unit, real * unit, imag * unit
    inverse = 1.0 / ((a + re) * (a + re) + im * im)
    return (a * re + re * re + im * im) * inverse, a * (a + re) * inverse, a * im * inverse


@njit
def _shrinkage_table(
    eigenvalues: Array,
    multiplicities: Array,
    signal: Array,
    root: Array,
    s: ComplexArray,
    kappa: ComplexArray,
    table: Array,
) -> None:
    """Fill the rows of `_shrinkage`, real parts of all nodes before imaginary parts."""
    m = s.size
    for j in range(m):
        # a few rows in each loop, which is how many the compiler can tell apart
        re, im = kappa[j].real, kappa[j].imag
        y_re, y_im, z_re, z_im = (
            table[8 * m + j],
            table[9 * m + j],
            table[10 * m + j],
            table[11 * m + j],
        )
        for k in range(eigenvalues.size):
            y_re[k], z_re[k], y_im[k] = _shares(eigenvalues[k], re, im)
            z_im[k] = -y_im[k]
        cz_re, cz_im, sy_re, sy_im = table[j], table[m + j], table[2 * m + j], table[3 * m + j]
        for k in range(eigenvalues.size):
            cz_re[k], cz_im[k] = multiplicities[k] * z_re[k], -multiplicities[k] * y_im[k]
            sy_re[k], sy_im[k] = signal[k] * y_re[k], signal[k] * y_im[k]
        re, im = s[j].real, s[j].imag
        free_re, free_im, change_re, change_im = (
            table[4 * m + j],
            table[5 * m + j],
            table[6 * m + j],
            table[7 * m + j],
        )
        for k in range(eigenvalues.size):
            y0, z0, im0 = _shares(eigenvalues[k], re, im)
            free_re[k], free_im[k] = root[k] * y0, root[k] * im0
            change_re[k] = root[k] * (y_re[k] * z0 + y_im[k] * im0)
            change_im[k] = root[k] * (y_im[k] * z0 - y_re[k] * im0)
