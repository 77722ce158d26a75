r"""Macro steps: where they start and end, and the collocation that replaces the steps inside each.

In a macro step of n steps from :math:`t_0` a quantity is a polynomial in :math:`(t - t_0)/n` through its values at 0 and at
the right Radau points :math:`c_1 \dots c_p = 1`. A difference equation is imposed at the (real) times :math:`t_0 + c_k n - 1`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import cache
from itertools import repeat

import numpy as np
from numpy.typing import NDArray

from ...arguments import Array
from ...errors import ResourceError

POINTS = 5
"""Collocation points p of a macro step; errors at its end fall as the power 2p - 1 of its length."""

SHORTEST = 6
"""Steps of the shortest macro step."""

_SINGLE = 48  # steps taken one by one behind every break
_MOST = 4_000_000  # steps of a mesh: seconds
_GONE = 3000.0  # fall of the logarithm behind which a loss is no number, near the bound of stability too
_FOLLOWED = 0.4  # of it within a macro step

Steps = NDArray[np.int64]


@cache
def radau() -> Array:
    """Return 0 and the right Radau points, shape (p + 1,)."""
    from scipy.special import roots_jacobi

    inner = (roots_jacobi(POINTS - 1, 1, 0)[0] + 1) / 2
    points = np.concatenate(([0.0], np.sort(inner), [1.0]))
    points.setflags(write=False)
    return points


@cache
def _derivatives() -> Array:
    """Return -(-1)^j times the j-th derivatives over j! of the interpolating polynomials, at the points: shape (p, p, p + 1)."""
    c = radau()
    apart = c[:, None] - c + np.eye(c.size)
    weights = 1 / np.prod(apart, axis=1)
    first = weights / weights[:, None] / apart
    first -= np.diag(np.diag(first))
    first -= np.diag(np.sum(first, axis=1))  # constants have no slope
    power, found = np.eye(c.size), []
    for j in range(1, POINTS + 1):
        power = first @ power / -j
        found.append(-power[1:])
    return np.array(found)


def backward(lengths: Steps) -> Array:
    r"""Return the backward differences :math:`E_{km} = \ell_m(c_k) - \ell_m(c_k - 1/n)` of macro steps, shape (..., p, p + 1).

    From their Taylor series in 1/n: as a difference they would lose the digits of n.
    """
    inverse = 1.0 / np.asarray(lengths, dtype=float)[..., None, None]
    found = np.zeros((*np.shape(lengths), POINTS, POINTS + 1))
    for term in _derivatives()[::-1]:
        found = (found + term) * inverse
    return found


def times(starts: Steps, lengths: Steps) -> Array:
    """Return the times at which rates are needed, shape (steps, p): the step itself for single ones."""
    inner = radau()[1:] * lengths[:, None] - 1.0
    return np.asarray(starts[:, None] + np.where(lengths[:, None] == 1, 0.0, inner))


class Mesh:
    """Macro steps over all segments; `fine` halves each."""

    def __init__(self, starts: Steps, lengths: Steps) -> None:
        self.starts, self.lengths = starts, lengths
        self.times = times(starts, lengths)
        self.backward = np.zeros((lengths.size, POINTS, POINTS + 1))
        long = lengths > 1
        self.backward[long] = backward(lengths[long])

    @property
    def ends(self) -> Steps:
        """Step 0 and the end of each macro step."""
        return np.append(self.starts, self.starts[-1] + self.lengths[-1])

    def halved(self) -> Mesh:
        """Return the mesh with every macro step in two; into single steps where halves would be too short."""
        parts: list[int] = []
        for n in self.lengths:
            if n >= 2 * SHORTEST:
                parts += [int(n) // 2, int(n) - int(n) // 2]
            else:
                parts += [1] * int(n)
        lengths = np.array(parts, dtype=np.int64)
        return Mesh(np.concatenate(([0], np.cumsum(lengths)[:-1])), lengths)


def mesh(
    segments: Iterable[tuple[int, int]],
    fading: Iterable[bool],
    ratio: float | Iterable[float],
    *,
    single: int = _SINGLE,
    landings: Iterable[int] = (),
    decay: Callable[[int], float] | None = None,
) -> Mesh:
    """Build geometric macro steps.

    Parameters
    ----------
    segments : iterable of (int, int)
        Intervals between breaks.
    fading : iterable of bool
        Whether the noise vanishes towards the end of each.
    ratio : float or iterable of float
        Length of a macro step over the time since the last break (and before the next one, where noise fades); one for each
        interval, or one for all.
    single : int
        Steps taken one by one behind every break.
    landings : iterable of int
        Steps at which a macro step must end, increasing.
    decay : callable, optional
        By how much the logarithm of the loss falls at a step at least, where it falls exponentially: macro steps follow that until
        nothing is left.

    Raises
    ------
    ResourceError
        If that makes more than 4e6 steps.
    """
    gone = 0.0
    starts: list[int] = []
    lengths: list[int] = []
    stops = [*(entry for entry in landings if entry > 0)]
    place = 0
    ratios = repeat(ratio) if isinstance(ratio, float) else iter(ratio)
    for (low, high), faded in zip(segments, fading, strict=True):
        t, share = low, next(ratios)
        while t < high:
            n = 1
            if t - low >= single:
                n = int(share * (t - low))
                if faded:
                    n = min(n, int(share / (1 + share) * (high - t)))
                n = min(max(n, 1), high - t)
            if decay is not None and gone < _GONE:
                pace = decay(t)
                if n > 1 and pace > 0:
                    n = min(n, max(1, int(_FOLLOWED / pace)))
            while place < len(stops) and stops[place] <= t:
                place += 1
            if place < len(stops):
                n = min(n, stops[place] - t)
            n = n if n >= SHORTEST else 1
            if len(lengths) >= _MOST:
                raise ResourceError(
                    f"more than {_MOST:.0e} single and macro steps; use fewer breaks, a shorter memory, or look at fewer steps"
                )
            starts.append(t)
            lengths.append(n)
            if decay is not None and gone < _GONE:
                gone += n * pace
            t += n
    return Mesh(np.array(starts, dtype=np.int64), np.array(lengths, dtype=np.int64))


def sums(at: Mesh, rates: Array) -> Array:
    """Return the sum of the rates up to the ends of macro steps, shape (steps + 1,)."""
    added = rates[:, 0].copy()
    long = at.lengths > 1
    if np.any(long):
        values = np.linalg.solve(at.backward[long][:, :, 1:], rates[long][:, :, None])
        added[long] = values[:, -1, 0]
    return np.concatenate(([0.0], np.cumsum(added)))
