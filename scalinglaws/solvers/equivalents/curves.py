"""The renormalized ridge along a curve: at the nodes of one contour after another, each found from the last one.

Contours of successive times are the same but for a factor. In log s that is a step along the real axis, over which log kappa
changes smoothly: Newton's method from an extrapolation takes two or three steps for all nodes at once, where the path from the
real axis around each contour takes five for every node.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ...arguments import Array
from .._jit import njit
from ..spectra import Modes
from .kappa import ComplexArray, complex_mismatch, size_ratio
from .response import Resolved, resolve, resolved

SPAN = 30.0
"""Factor between the first and the last time that share merged modes."""

TOGETHER = 32
"""Most times whose contours are stacked: what is computed for all of them stays in the cache."""

_SMALL = 1e-8  # eigenvalue, relative to the smallest |s|, below which modes are merged
_FEW = 16  # modes that are not worth merging
_SHORTEST = 8  # times for which following the path is worth compiling what it takes
_LONGEST = 0.8  # step in log s
_PARTS = 6  # steps between two times, beyond which a contour is resolved by itself
_CLOSE = (
    0.3  # first step of Newton's method in log kappa, beyond which the extrapolation is not trusted
)


class Contours(NamedTuple):
    """Some times of a curve: places, modes that serve for all, stacked contours, Newton steps, residuals (infinite where unsolved)."""

    places: slice
    modes: Modes
    stacks: list[Resolved]
    steps: NDArray[np.int64]
    residuals: Array


def contours_along(
    modes: Modes, features: float, samples: float, times: Array, scaled: list[ComplexArray]
) -> Iterator[Contours]:
    """Solve for kappa at nodes z/t of several contours for each time, some times after others; times do not decrease."""
    n, ratio, gap = size_ratio(features, samples)
    sizes = features, samples
    nodes = np.concatenate(scaled)
    ends = np.cumsum([0, *(z.size for z in scaled)])
    closest = float(np.min(np.abs(nodes)))
    path = _Path(modes.size, n, ratio, gap)
    last = 0
    while last < times.size:
        first = last
        reach = SPAN * float(times[first])
        last = min(first + TOGETHER, int(np.searchsorted(times, reach, side="right")))
        some = times[first:last]
        # all modes where those not learned are counted, which merging does not preserve
        limit = _SMALL * (closest / float(some[-1])) if modes.size > 2 * n else 0.0
        merged = merged_below(modes, limit)
        path.take(merged)
        s = nodes / some[:, None]
        kappa, df1 = np.empty_like(s), np.empty_like(s)
        steps, residuals = np.zeros(some.size, np.int64), np.zeros(some.size)
        for i in range(some.size):
            if path.followed(s[i]):
                kappa[i], df1[i] = np.exp(path.x), path.df1
                steps[i], residuals[i] = path.steps, path.residual
                continue
            for low, high in pairwise(ends.tolist()):
                at = resolve(modes, *sizes, s[i, low:high])
                kappa[i, low:high], df1[i, low:high] = at.kappa, at.df1
                steps[i] = max(steps[i], at.steps)
                residuals[i] = max(residuals[i], at.residual)
            more = times.size >= _SHORTEST and first + i + 1 < times.size
            if more and math.isfinite(residuals[i]):
                path.begin(s[i], kappa[i])
        halves = [slice(low, high) for low, high in pairwise(ends.tolist())]
        stacks = [resolved(s[:, z], kappa[:, z], df1[:, z], *sizes) for z in halves]
        yield Contours(slice(first, last), merged, stacks, steps, residuals)


def merged_below(modes: Modes, limit: float) -> Modes:
    r"""Replace modes below a limit by two, one for their multiplicities and one for their signal.

    Functions of an eigenvalue that vanish at 0 are summed with multiplicities, any others with signals, and where they vary over
    eigenvalues no smaller than x, the first three moments of one kind and the first two of the other leave out a part
    :math:`(\lambda/x)^2`.
    """
    far = modes.eigenvalues < limit
    if np.count_nonzero(far) < _FEW:
        return modes
    first = float(np.max(modes.eigenvalues[far]))
    relative = modes.eigenvalues[far] / first
    c, s = modes.multiplicities[far], modes.signal[far]
    trace, signal = float(c @ relative), float(np.sum(s))
    one = float(c @ relative**2) / trace
    two = max(float(s @ relative) / signal, 1e-290 / first) if signal > 0 else 1.0
    near = ~far
    return Modes(
        np.append(modes.eigenvalues[near], [one * first, two * first]),
        np.append(modes.multiplicities[near], [trace / one, 0.0]),
        np.append(modes.signal[near], [0.0, signal]),
        modes.size,
    )


class _Path:
    """Logarithms of s and kappa, and the derivative of one by the other, at the last nodes reached."""

    def __init__(self, size: float, n: float, ratio: float, gap: float) -> None:
        self._sizes = size, n, ratio, gap
        self.begun, self.steps, self.residual = False, 0, 0.0
        self.s = self.x = self.df1 = self._slopes = self._bend = np.zeros(0, complex)

    def take(self, modes: Modes) -> None:
        """Go on with other modes that stand for the same spectrum."""
        self._given = (modes.eigenvalues, 1 / modes.eigenvalues, modes.multiplicities)

    def begin(self, s: ComplexArray, kappa: ComplexArray) -> None:
        """Start where kappa is known."""
        self.df1, self._slopes, self._bend = np.zeros((3, s.size), complex)
        self.begun = self._solved(s, np.log(kappa))

    def followed(self, s: ComplexArray) -> bool:
        """Go on to nodes farther in; tell whether that succeeded."""
        if not self.begun:
            return False
        way = float(np.log(np.abs(s[0]) / np.abs(self.s[0])))
        parts = math.ceil(abs(way) / _LONGEST)
        start, total = self.s, 0
        self.begun = parts <= _PARTS
        for part in range(1, parts + 1):
            if not self.begun:
                return False
            step, before = way / parts, self._slopes.copy()
            shrunk = np.asarray(start * math.exp(way * (part / parts)), dtype=complex)
            there = s if part == parts else shrunk
            extrapolated = self.x + step * (self._slopes + 0.5 * step * self._bend)
            guess = np.asarray(extrapolated, dtype=complex)
            self.begun = self._solved(there, guess)
            self._bend = np.asarray((self._slopes - before) / step, dtype=complex)
            total += self.steps
        self.steps = total
        return self.begun

    def _solved(self, s: ComplexArray, guess: ComplexArray) -> bool:
        self.s, self.x = s, guess
        found = kappa_near(*self._given, *self._sizes, s, guess, self._slopes, self.df1)
        self.steps, self.residual = found
        return math.isfinite(self.residual)


# -- kernels -----------------------------------------------------------------------------------


@njit
def kappa_near(
    eigenvalues: Array,
    reciprocals: Array,
    multiplicities: Array,
    size: float,
    n: float,
    ratio: float,
    gap: float,
    nodes: ComplexArray,
    x: ComplexArray,
    slopes: ComplexArray,
    df1s: ComplexArray,
) -> tuple[int, float]:
    """Solve s = kappa R_1 R_3 at all nodes from close guesses x of log kappa; return the Newton steps and the worst residual.

    The same iteration as `kappa_along`, without its path: an infinite residual says that a guess was not close, or that the
    physical sheet, 0 < arg kappa <= arg s, was left.
    """
    count = nodes.size
    scale, cosine, sine, inner = np.empty((4, count))
    learned_re, learned_im, gone_re, d_re, d_im = np.empty((5, count))
    found = False
    for step in range(12):
        for j in range(count):
            scale[j] = math.exp(x[j].real)
            cosine[j], sine[j], inner[j] = math.cos(x[j].imag), math.sin(x[j].imag), 1.0 / scale[j]
            learned_re[j] = learned_im[j] = gone_re[j] = d_re[j] = d_im[j] = 0.0
        # the sums of `complex_sums`, nodes in the inner loop so that it vectorizes: a sum over modes in it would not
        for k in range(eigenvalues.size):
            value, reciprocal, weight = eigenvalues[k], reciprocals[k], multiplicities[k]
            for j in range(count):
                unit = min(reciprocal, inner[j])
                a, b = value * unit, scale[j] * unit
                re, im = a + b * cosine[j], b * sine[j]
                inverse = 1.0 / (re * re + im * im)
                # lambda and kappa over lambda + kappa: one - i both, missing + i both
                one, both = a * re * inverse, a * im * inverse
                missing = b * (a * cosine[j] + b) * inverse
                learned_re[j] += weight * one
                learned_im[j] += weight * both
                gone_re[j] += weight * missing
                d_re[j] += weight * (one * missing + both * both)
                d_im[j] += weight * (both * (one - missing))
        length = 0.0
        for j in range(count):
            kappa = complex(scale[j] * cosine[j], scale[j] * sine[j])
            df1 = complex(learned_re[j], -learned_im[j])
            excess, slope, push = complex_mismatch(
                df1,
                complex(d_re[j], d_im[j]),
                complex(gone_re[j], learned_im[j]),
                size,
                n,
                kappa,
                ratio,
                gap,
                nodes[j],
            )
            change = excess / slope
            # also where it is not a number
            length = max(length, abs(change)) if abs(change) < _CLOSE else math.inf
            df1s[j], slopes[j] = df1, push / slope
            if not found:
                x[j] += change
        if length == math.inf:
            return step + 1, math.inf
        if found:
            for j in range(count):
                if not -1e-9 < x[j].imag <= math.atan2(nodes[j].imag, nodes[j].real) + 1e-9:
                    return step + 1, math.inf
            return step + 1, length
        found = length < 1e-8
    return 12, math.inf
