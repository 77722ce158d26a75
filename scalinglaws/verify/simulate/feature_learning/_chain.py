"""Gradient flow of a chain of several hidden factors."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ....arguments import number, whole
from ....errors import DomainError, ResourceError
from ....solvers._jit import njit
from ....solvers.spectra import Spectrum, one_spectrum
from .._problems import afford_draw, listed, table
from ._flow import finite_times
from ._records import SimulatedTraining

Array = NDArray[np.float64]

_MOST_WORK = 1e12  # multiplications with additions: ten minutes
_TOO_LONG, _OVERFLOW = 1, 2


def chain_flow(
    t: ArrayLike,
    spectrum: Spectrum,
    *,
    depth: int,
    richness: float,
    pace: float = 0.25,
) -> SimulatedTraining:
    r"""Train a chain of hidden factors by gradient flow, on unlimited data and at unlimited width.

    The chain :math:`f = w^\top A_m \cdots A_1 \psi` of m square factors starts at w = 0 and :math:`A_j = 1`, and moves by

    .. math:: \dot w = A_m \cdots A_1 g, \qquad \dot A_j = \gamma\, (A_{j+1}^\top \cdots A_m^\top w)(A_{j-1} \cdots A_1 g)^\top, \qquad
              g = \Lambda v, \quad v = w^* - A_1^\top \cdots A_m^\top w, \qquad L(t) = \sum_k \lambda_k v_k(t)^2 .

    All entries of all factors are integrated in time as they are.

    Parameters
    ----------
    t : array_like, shape () or (T,)
        Times, finite, >= 0 and non-decreasing.
    spectrum : PowerLawSpectrum or EmpiricalSpectrum
        Finite spectrum of M modes, eigenvalues :math:`\lambda_k`.
    depth : int
        m between 0 and 100; 1 is the network of two layers, 0 the lazy model.
    richness : float
        :math:`\gamma \ge 0`, the learning rate of the factors over that of w.
    pace : float
        Length of a step over the shortest time in which anything moves, between 0.001 and 1.

    Returns
    -------
    SimulatedTraining
        Test loss, as train loss the same, and the scale of the kernel :math:`s = (1 + \gamma|w|^2)^m`, as of a single draw: shape
        (1, T), or (1,) for a single time.

    Raises
    ------
    DomainError
        If an argument is out of range, times decrease or are infinite, the spectrum is infinite, or numbers overflow.
    ResourceError
        If the chain would need more than the memory budget (``SCALINGLAWS_MEMORY``, 4 GB by default) or about ten minutes.

    Notes
    -----
    The classical method of Runge and Kutta of order 4; in a step the factors are those at its start plus a product of two vectors.
    Steps of length `pace` over :math:`(1+m) s \lambda_1 + m\sqrt\gamma\,|\Lambda w^*|`, an upper bound of the rates: about
    :math:`(1+m) \lambda_1\int s\,dt/\mathrm{pace}` of them, each :math:`12 m M^2` multiplications. Losses are off by less than 3e-5
    of themselves at the default pace while they are above 1e-4 of the first one; the error falls as the fourth power of the pace.

    References
    ----------
    .. [1] B. Bordelon, A. Atanasov, C. Pehlevan, "How feature learning can improve neural scaling laws", arXiv:2409.17858.

    Examples
    --------
    >>> from scalinglaws.solvers import PowerLawSpectrum
    >>> task = PowerLawSpectrum(1.5, 0.5, 40)
    >>> two, three = (chain_flow([1, 10], task, depth=m, richness=1).test_loss for m in (1, 2))
    >>> three < two
    array([[ True,  True]])
    """
    one_spectrum(spectrum, t=t)
    eigenvalues, signal = listed(spectrum)
    times = finite_times(t)
    m = whole("depth", depth, low=0, high=100)
    richness = number("richness", richness, low=0)
    pace = number("pace", pace, low=1e-3, high=1)
    size = eigenvalues.size
    afford_draw(float(m) * size**2 + 16.0 * (m + 1) * size + 3.0 * times.size)
    found = table(2, 1, times.size)
    target = np.sqrt(signal / eigenvalues)
    work = max(m, 1) * (12.0 * size**2 + 100.0 * size) + 100.0
    floor = float(m * math.sqrt(richness) * np.linalg.norm(eigenvalues * target))
    least = float(times.reshape(-1)[-1]) * (eigenvalues.max() + floor) / pace
    if least * work > _MOST_WORK:
        raise ResourceError(
            f"t = {times.reshape(-1)[-1]:.3g} needs at least {least:.1e} steps of {work:.1e} operations, too many; "
            "end earlier, or use fewer modes or factors"
        )
    factors = np.tile(np.eye(size), (m, 1, 1))
    with np.errstate(all="ignore"):
        outcome = _march(
            times.reshape(-1),
            eigenvalues,
            target,
            richness,
            (pace, floor),
            int(_MOST_WORK / work),
            factors,
            found[0, 0],
            found[1, 0],
        )
    if outcome == _TOO_LONG:
        raise ResourceError(
            "training was given up: steps shrink as the kernel grows; end earlier, or lower the richness"
        )
    if outcome == _OVERFLOW:
        raise DomainError(
            f"numbers overflow at richness = {richness:g}; lower it, or rescale the target",
            argument="richness",
            value=richness,
        )
    loss, scale = (row.reshape(1, *times.shape) for row in found)
    return SimulatedTraining(loss, loss.copy(), scale)


@njit
def _dot(left: Array, right: Array) -> float:
    """Multiply two vectors, in four sums that do not wait for each other."""
    one, two, three, four = 0.0, 0.0, 0.0, 0.0
    whole_ = left.size - left.size % 4
    for n in range(0, whole_, 4):
        one += left[n] * right[n]
        two += left[n + 1] * right[n + 1]
        three += left[n + 2] * right[n + 2]
        four += left[n + 3] * right[n + 3]
    for n in range(whole_, left.size):
        one += left[n] * right[n]
    return (one + two) + (three + four)


@njit
def _slopes(
    factors: Array,
    eigenvalues: Array,
    target: Array,
    push: float,
    back: Array,
    front: Array,
    old_back: Array,
    old_front: Array,
) -> None:
    """Fill in products from the readout down and from the input up, of factors that earlier ones have pushed."""
    m, size = factors.shape[0], target.size
    for j in range(m, 0, -1):
        above, below = back[j], back[j - 1]
        gain = push * _dot(old_back[j], above) if push > 0.0 else 0.0
        for i in range(size):
            below[i] = gain * old_front[j - 1, i] if push > 0.0 else 0.0
        for i in range(size):
            factor = above[i]
            for k in range(size):
                below[k] += factor * factors[j - 1, i, k]
    for i in range(size):
        front[0, i] = eigenvalues[i] * (target[i] - back[0, i])
    for j in range(1, m + 1):
        gain = push * _dot(old_front[j - 1], front[j - 1]) if push > 0.0 else 0.0
        for i in range(size):
            front[j, i] = _dot(factors[j - 1, i], front[j - 1])
            if push > 0.0:
                front[j, i] += gain * old_back[j, i]


@njit
def _march(
    times: Array,
    eigenvalues: Array,
    target: Array,
    richness: float,
    pace: tuple[float, float],
    most: int,
    factors: Array,
    losses: Array,
    scales: Array,
) -> int:
    """Integrate through all times, overwriting the factors; return how it went."""
    m, size = factors.shape[0], target.size
    back, front = np.zeros((4, m + 1, size)), np.zeros((4, m + 1, size))
    readout, largest = np.zeros(size), np.max(eigenvalues)
    now, taken = 0.0, 0
    nodes, weights = (0.0, 0.5, 0.5, 1.0), (1.0 / 6, 1.0 / 3, 1.0 / 3, 1.0 / 6)
    for record in range(times.size):
        while now < times[record]:
            scale = (1.0 + richness * _dot(readout, readout)) ** m
            h = pace[0] / ((1 + m) * scale * largest + pace[1])
            if not h > 0.0:
                return 2
            # steps shrink as the kernel grows: what is hopeless by now stays so
            if taken >= most or (taken > 1000 and times[-1] - now > 10.0 * most * h):
                return 1
            taken += 1
            if h >= times[record] - now:
                h, now = times[record] - now, times[record]
            else:
                now += h
            for k in range(4):
                before = max(k - 1, 0)
                for i in range(size):
                    back[k, m, i] = readout[i] + h * nodes[k] * front[before, m, i]
                _slopes(
                    factors,
                    eigenvalues,
                    target,
                    h * nodes[k] * richness,
                    back[k],
                    front[k],
                    back[before],
                    front[before],
                )
            for i in range(size):
                for k in range(4):
                    readout[i] += h * weights[k] * front[k, m, i]
            for j in range(1, m + 1):
                for i in range(size):
                    for k in range(4):
                        gain = h * richness * weights[k] * back[k, j, i]
                        for n in range(size):
                            factors[j - 1, i, n] += gain * front[k, j - 1, n]
        back[0, m] = readout
        _slopes(factors, eigenvalues, target, 0.0, back[0], front[0], back[0], front[0])
        loss = 0.0
        for i in range(size):
            loss += front[0, 0, i] * (target[i] - back[0, 0, i])
        losses[record] = loss
        scales[record] = (1.0 + richness * _dot(readout, readout)) ** m
        if not loss < np.inf or not scales[record] < np.inf:
            return 2
    return 0
