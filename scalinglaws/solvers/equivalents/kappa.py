"""The renormalized ridge kappa: the real root by a guarded Newton iteration, complex ones by continuation."""

from __future__ import annotations

import cmath
import math

import numpy as np
from numpy.typing import NDArray

from .._jit import njit, njit_shared

Array = NDArray[np.float64]
ComplexArray = NDArray[np.complex128]

MAX_STEPS = 200


@njit
def size_ratio(features: float, samples: float) -> tuple[float, float, float]:
    """Return the smaller of N and P, its ratio to the larger, and 1 minus that ratio, exactly."""
    n, larger = min(features, samples), max(features, samples)
    if math.isinf(larger):
        return n, 0.0, 1.0
    return n, n / larger, (larger - n) / larger


@njit
def all_learned(size: float, n: float, ridge: float) -> bool:
    """Tell whether all modes are learned, so that kappa is 0; sizes may differ by rounding."""
    return ridge == 0.0 and size <= n * (1 + 1e-9)


@njit
def filling(kappa: float, ratio: float, gap: float, ridge: float) -> tuple[float, float, float]:
    """Solve (1 - y)(1 - ratio y) = r / kappa for y = df1/n; return y, 1 - y and the root of the discriminant."""
    quotient = min(ridge / kappa, 1.0)
    disc = math.sqrt(gap * gap + 4 * ratio * quotient)
    # the smaller root of rho y^2 - (1 + rho) y + 1 - q = 0 and 1 minus it, with q = r / kappa and
    # rho = N/P or P/N: both multiplied by their conjugates, so that only positive terms are added
    filled = 2 * (1 - quotient) / ((1 + ratio) + disc)
    empty = 2 * quotient / (gap + disc) if quotient > 0.0 else 0.0
    return filled, empty, disc


@njit
def mismatch(
    eigenvalues: Array,
    multiplicities: Array,
    size: float,
    df1: float,
    d: float,
    n: float,
    kappa: float,
    ratio: float,
    gap: float,
    ridge: float,
) -> tuple[float, float]:
    """Return how far df1/n lies above y, and minus the derivative of that with respect to log kappa.

    Three forms of one equation, each for the range in which it is well conditioned and nearly linear in log kappa.
    """
    filled, empty, disc = filling(kappa, ratio, gap, ridge)
    # dy / d log kappa = q / (1 + rho - 2 rho y), whose denominator is the root of the discriminant
    rise = min(ridge / kappa, 1.0) / disc if disc > 0.0 else 0.0
    if filled <= 0.5:  # kappa close to r
        return df1 / n - filled, d / n + rise
    if (
        size <= n and empty < 0.1
    ):  # all modes nearly learned: compare what is missing, which df1 does not resolve
        # 1 - df1/n of the same size as 1 - y, from the modes' 1 - l/(l + kappa) themselves
        missing = 0.0
        for k in range(eigenvalues.size):
            missing += multiplicities[k] * (kappa / (eigenvalues[k] + kappa))
        missing = ((n - size) + missing) / n
        return math.log(empty / missing), d / (n * missing) + rise / empty
    return math.log(df1 / (n * filled)), d / df1 + rise / filled  # df1 close to a power of kappa


@njit
def occupation(eigenvalues: Array, multiplicities: Array, kappa: float) -> tuple[float, float]:
    """Sum df1 and df1 - df2; in two halves, because the additions of a single sum would wait for each other."""
    half = eigenvalues.size // 2
    df1_low, df1_high, d_low, d_high = 0.0, 0.0, 0.0, 0.0
    for k in range(half):
        low, high = 1.0 / (eigenvalues[k] + kappa), 1.0 / (eigenvalues[k + half] + kappa)
        share_low, share_high = (
            multiplicities[k] * eigenvalues[k] * low,
            multiplicities[k + half] * eigenvalues[k + half] * high,
        )
        df1_low += share_low
        df1_high += share_high
        d_low += share_low * kappa * low
        d_high += share_high * kappa * high
    if 2 * half < eigenvalues.size:
        last = 1.0 / (eigenvalues[-1] + kappa)
        share = multiplicities[-1] * eigenvalues[-1] * last
        df1_high += share
        d_high += share * kappa * last
    return df1_low + df1_high, d_low + d_high


@njit_shared
def renormalized_ridge(
    eigenvalues: Array,
    multiplicities: Array,
    size: float,
    trace: float,
    n: float,
    ratio: float,
    gap: float,
    ridge: float,
) -> tuple[float, int]:
    """Solve r = kappa R_1 R_3 for the physical (largest) root; return it and the steps taken.

    With n the smaller of N and P and ratio = n / the larger, the filling y = df1/n obeys (1 - y)(1 - ratio y) = r / kappa,
    which gives y(kappa) in closed form without cancellation, for N = P too. What is left is df1(kappa)/n = y(kappa): the
    left side falls with kappa and the right side rises, so the root is unique. Newton's method, with bisection as a guard.
    """
    if math.isinf(n):
        return ridge, 0
    # kappa >= r, and n >= df1 >= M l / (l + kappa) with l the smallest eigenvalue and M the number
    # of weighted modes; from above r >= kappa (1 - (1 + rho) y), y = df1/n <= trace / (n kappa)
    low = math.log(ridge) if ridge > 0.0 else -math.inf
    if size > n * (1 + 1e-9):
        count, smallest = 0.0, math.inf
        for k in range(eigenvalues.size):
            count += multiplicities[k]
            smallest = min(smallest, eigenvalues[k])
        low = max(low, math.log(smallest) + math.log((count - n) / n))
    high = math.log(ridge + (1 + ratio) / n * trace)
    x = high
    for step in range(MAX_STEPS):
        kappa = math.exp(x)
        df1, d = occupation(eigenvalues, multiplicities, kappa)
        residual, slope = mismatch(
            eigenvalues, multiplicities, size, df1, d, n, kappa, ratio, gap, ridge
        )
        if residual > 0.0:
            low = max(low, x)
        else:
            high = min(high, x)
        change = residual / slope
        if abs(change) < 1e-9 or high - low < 1e-14 * max(1.0, abs(x)):
            # Newton's error is squared by the step still to be made
            return math.exp(min(max(x + change, low), high)), step + 1
        if not low < x + change < high:
            # bisection; without a lower end, down by a factor of 3000
            change = (0.5 * (low + high) if low > -math.inf else high - 8.0) - x
        x += change
    return math.exp(x), MAX_STEPS


@njit
def complex_sums(
    eigenvalues: Array, multiplicities: Array, kappa: complex
) -> tuple[complex, complex, complex]:
    """Sum df1, df1 - df2 and the number of modes that are not learned, at a complex kappa."""
    # kappa = scale * (cosine + i sine): its phase once, not in every term
    scale = abs(kappa)
    cosine, sine = kappa.real / scale, kappa.imag / scale
    df1_re, df1_im, d_re, d_im, gone_re, gone_im = 0.0, 0.0, 0.0, 0.0, 0.0, 0.0
    for k in range(eigenvalues.size):
        larger = max(eigenvalues[k], scale)
        a, b = (
            eigenvalues[k] / larger,
            scale / larger,
        )  # so that no square leaves the range of floating-point numbers
        # (lambda + kappa) / larger, of size between 1 and 2 unless kappa nears the negative axis
        re, im = a + b * cosine, b * sine
        inverse = 1.0 / (re * re + im * im)
        weight = multiplicities[k] * inverse
        learned_re, learned_im = (
            a * re,
            -a * im,
        )  # lambda / (lambda + kappa), but for the denominator
        # kappa (lambda + conj kappa) multiplied out: two products b^2 cosine sine are left out
        missing_re, missing_im = b * (a * cosine + b), a * im
        df1_re += weight * learned_re
        df1_im += weight * learned_im
        gone_re += weight * missing_re
        gone_im += weight * missing_im
        # df1 - df2 = sum of lambda kappa / (lambda + kappa)^2, the product of both
        weight *= inverse
        d_re += weight * (learned_re * missing_re - learned_im * missing_im)
        d_im += weight * (learned_re * missing_im + learned_im * missing_re)
    return complex(df1_re, df1_im), complex(d_re, d_im), complex(gone_re, gone_im)


@njit
def complex_mismatch(
    df1: complex,
    d: complex,
    gone: complex,
    size: float,
    n: float,
    kappa: complex,
    ratio: float,
    gap: float,
    s: complex,
) -> tuple[complex, complex, complex]:
    """Return what `mismatch` returns, at complex s, and the derivative with respect to log s."""
    quotient = _over(s, kappa)
    disc = _root(gap * gap + scaled(4 * ratio, quotient))
    filled = _over(scaled(2.0, 1 - quotient), (1 + ratio) + disc)
    empty = _over(scaled(2.0, quotient), gap + disc)
    rise = _over(quotient, disc)
    if abs(filled) <= 0.5:
        return _part(df1, n) - filled, _part(d, n) + rise, rise
    over, under, base = df1, scaled(n, filled), df1
    if size < 1.5 * n and abs(empty) < 0.1:
        missing = _part((n - size) + gone, n)
        if size > n:  # where the modes fill all there is at a positive kappa, nothing is missing
            return empty - missing, _part(d, n) + rise, rise
        over, under, base = empty, missing, scaled(n, missing)
        filled = empty
    push = _over(rise, filled)
    return cmath.log(_over(over, under)), _over(d, base) + push, push


# complex arithmetic to the last bit as Python does it, without its care for what is infinite, which is most of what the compiler
# would have to read


@njit
def times(z: complex, w: complex) -> complex:
    """Return a product."""
    return complex(z.real * w.real - z.imag * w.imag, z.real * w.imag + z.imag * w.real)


@njit
def scaled(factor: float, z: complex) -> complex:
    """Return a real multiple."""
    return complex(factor * z.real, factor * z.imag)


@njit
def _part(z: complex, divisor: float) -> complex:
    return complex(z.real / divisor, z.imag / divisor)


@njit
def _over(z: complex, w: complex) -> complex:
    a, b, c, d = z.real, z.imag, w.real, w.imag
    if abs(c) >= abs(d):
        ratio = d / c
        whole = c + d * ratio
        return complex((a + b * ratio) / whole, (b - a * ratio) / whole)
    ratio = c / d
    whole = c * ratio + d
    return complex((a * ratio + b) / whole, (b * ratio - a) / whole)


@njit
def _root(z: complex) -> complex:
    a, b = z.real, z.imag
    if a == 0.0 and b == 0.0:
        return complex(0.0, b)
    t = math.sqrt((abs(a) + math.hypot(a, b)) * 0.5)
    if a >= 0.0:
        return complex(t, b / (2 * t))
    return complex(abs(b) / (2 * t), math.copysign(t, b))


@njit
def _exp(z: complex) -> complex:
    size = math.exp(z.real)
    return complex(size * math.cos(z.imag), size * math.sin(z.imag))


@njit
def kappa_along(
    eigenvalues: Array,
    multiplicities: Array,
    size: float,
    trace: float,
    n: float,
    ratio: float,
    gap: float,
    nodes: ComplexArray,
    far: bool,
    kappas: ComplexArray,
    df1s: ComplexArray,
) -> tuple[int, float]:
    """Solve s = kappa R_1 R_3 at successive nodes s in the upper half plane; return the Newton steps and the worst residual.

    Newton's method in log kappa with a tangent predictor, along a path that starts where the root is known: on the positive
    real axis, or with `far` at |s| much above the spectrum, where kappa = s. Steps that fail or leave the physical sheet,
    0 < arg kappa <= arg s, are halved. An infinite residual says that the path was lost.
    """
    if math.isinf(n):
        for i in range(nodes.size):
            kappas[i] = nodes[i]
            df1s[i] = complex_sums(eigenvalues, multiplicities, nodes[i])[0]
        return 0, 0.0
    # here = log s, x = log kappa, tangent = d log kappa / d log s, all at the last point reached
    total, worst = 0, 0.0
    here = cmath.log(nodes[0])
    if far:
        # a thousand times beyond the reach of all modes kappa is s to three digits: a good start
        here = complex(max(here.real, math.log((1 + ratio) / n * trace)) + 7.0, here.imag)
        x = here
        tangent = complex(1.0, 0.0)
    else:
        here = complex(here.real, 0.0)
        root, total = renormalized_ridge(
            eigenvalues, multiplicities, size, trace, n, ratio, gap, math.exp(here.real)
        )
        x = complex(math.log(root), 0.0)
        df1, d, gone = complex_sums(eigenvalues, multiplicities, complex(root, 0.0))
        _, slope, push = complex_mismatch(
            df1, d, gone, size, n, complex(root, 0.0), ratio, gap, complex(math.exp(here.real), 0.0)
        )
        tangent = _over(push, slope)
    for i in range(nodes.size):
        target = cmath.log(nodes[i])
        # parts of the way to the node, halved after a failure and doubled after a success
        fraction = 1.0
        while True:
            there = target if fraction == 1.0 else here + scaled(fraction, target - here)
            s = nodes[i] if fraction == 1.0 else _exp(there)
            y = x + times(tangent, there - here)
            found, residual = False, math.inf
            for _ in range(12):
                total += 1
                kappa = _exp(y)
                df1, d, gone = complex_sums(eigenvalues, multiplicities, kappa)
                excess, slope, push = complex_mismatch(df1, d, gone, size, n, kappa, ratio, gap, s)
                change = _over(excess, slope)
                length = abs(change)
                if found:  # one step after convergence was seen
                    residual = length
                    break
                if length < 1e-8:
                    found = True
                # NaN too
                elif not length < 1e3:
                    break
                elif length > 0.5:
                    # shorter steps in log kappa keep to the sheet on which they are
                    change = scaled(0.5 / length, change)
                y += change
            if math.isfinite(residual) and -1e-9 < y.imag <= there.imag + 1e-9:
                x, here, tangent = y, there, _over(push, slope)
                if fraction == 1.0:
                    break
                fraction = min(1.0, 2 * fraction)
            else:
                fraction /= 2
                if fraction < 1e-7:
                    return total, math.inf
        kappas[i], df1s[i] = _exp(x), df1
        worst = max(worst, residual)
    return total, worst
