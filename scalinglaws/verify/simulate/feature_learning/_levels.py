"""Networks whose kernels grow as recorded while another one, with less growth, was trained."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ....arguments import number, whole
from ....errors import ResourceError
from ....solvers.spectra import Spectrum, one_spectrum
from .._problems import afford_draw, listed
from ._flow import finite_times
from ._records import SimulatedLevels

Array = NDArray[np.float64]

_FIRST = 1e-2  # of the shortest time scale: the first step
_MOST_WORK = 1e12  # multiplications: minutes


def frozen_growth(
    t: ArrayLike,
    spectrum: Spectrum,
    *,
    levels: int,
    richness: float,
    points: int = 30,
) -> SimulatedLevels:
    r"""Train a lazy network, train another one with the kernel's growth that the first would have caused, and so on.

    Level 0 is the network of unlimited width with frozen features. At level n + 1 the kernel changes by what gradients
    of level n do to both layers, whatever the network itself does. With :math:`b_n = w^* - v_n`

    .. math:: \dot v_n = -K_n \Lambda v_n, \qquad K_0 = 1, \qquad
              \dot K_{n+1} = \gamma\big[\Lambda v_n b_n^\top + b_n (\Lambda v_n)^\top + 2\, b_n\cdot\Lambda v_n\big], \qquad
              L_n = v_n\cdot\Lambda v_n .

    A network that causes the growth of its own kernel is what the levels tend to.

    Parameters
    ----------
    t : array_like, shape () or (T,)
        Times, finite, >= 0 and non-decreasing, in units of learning rate times steps.
    spectrum : PowerLawSpectrum or EmpiricalSpectrum
        Finite spectrum of M modes.
    levels : int
        How many levels beyond the lazy one, at least 0.
    richness : float
        :math:`\gamma \ge 0`.
    points : int
        Steps per decade of time, at least 5.

    Returns
    -------
    SimulatedLevels
        Loss and the part :math:`s_n` of the kernel that is a multiple of the one at the start, shape (levels + 1, T).

    Raises
    ------
    DomainError
        If an argument is out of range, times decrease or are infinite, or the spectrum is infinite.
    ResourceError
        If the trajectories would need more than the memory budget (``SCALINGLAWS_MEMORY``, 4 GB by default), or steps more than
        some minutes.

    Notes
    -----
    Level by level, in steps of a geometric grid: the growth is summed by the trapezoidal rule, and a step is the exponential of the
    kernel in its middle, from its eigenvectors, whatever the eigenvalues: O(M^3) per step and level. Errors fall as 1/points^2.
    Measured at 40 modes, :math:`\gamma` = 1, :math:`\alpha` = 3/2, :math:`\beta` = 1/2 and t from 1 to 100: 5e-3 of the loss at the
    default of 30.

    References
    ----------
    .. [1] B. Bordelon, A. Atanasov, C. Pehlevan, "How feature learning can improve neural scaling laws", arXiv:2409.17858.

    Examples
    --------
    >>> from scalinglaws.solvers import PowerLawSpectrum
    >>> found = frozen_growth(10.0, PowerLawSpectrum(2, 0.5, 20), levels=2, richness=1)
    >>> lazy, first, second = found.test_loss
    >>> bool(first < second < lazy)  # growth that lasts too long, and what that loss would have caused
    True
    """
    one_spectrum(spectrum, t=t)
    eigenvalues, signal = listed(spectrum)
    times = finite_times(t)
    levels, points = whole("levels", levels, low=0), whole("points", points, low=5)
    richness = number("richness", richness, low=0)
    flat = times.reshape(-1)
    grid = _grid(flat, float(np.max(eigenvalues)), points)
    modes = eigenvalues.size
    afford_draw(3.0 * grid.size * modes + 6.0 * modes**2 + 2.0 * (levels + 1.0) * flat.size)
    if levels * (grid.size * 10.0 * modes**3) > _MOST_WORK:
        raise ResourceError(
            f"{levels} levels of {grid.size} steps with {modes} modes take too long; use fewer modes, levels or points"
        )
    losses, scales = np.empty((levels + 1, flat.size)), np.ones((levels + 1, flat.size))
    places, scale = np.searchsorted(grid, flat), np.ones(grid.size)
    target = np.sqrt(signal / eigenvalues)
    errors = target * np.exp(-np.multiply.outer(grid, eigenvalues))
    for level in range(levels + 1):
        if level:
            errors, scale = _next(grid, eigenvalues, target, errors, richness)
        losses[level] = np.sum(eigenvalues * errors[places] ** 2, axis=1)
        scales[level] = scale[places]
    shape = (levels + 1, *times.shape)
    return SimulatedLevels(losses.reshape(shape), scales.reshape(shape))


def _grid(times: Array, fastest: float, points: int) -> Array:
    """Return 0, a geometric grid from well before anything is learned, and the times asked for."""
    first, last = _FIRST / fastest, float(times[-1])
    if last <= first:
        return np.unique(np.append(0.0, times))
    count = 2 + int(points * math.log10(last / first))
    return np.unique(np.concatenate([[0.0], np.geomspace(first, last, count), times]))


def _next(
    grid: Array, eigenvalues: Array, target: Array, errors: Array, richness: float
) -> tuple[Array, Array]:
    """Train with the growth of the kernel that these errors cause; return errors and scales of the kernel."""
    learned, gradients, root = target - errors, errors * eigenvalues, np.sqrt(eigenvalues)
    rates = 2.0 * np.sum(learned * gradients, axis=1)
    kernel, scale = np.eye(target.size), np.ones(grid.size)
    found, state = np.empty_like(errors), root * target
    found[0] = target
    for i, step in enumerate(np.diff(grid).tolist()):
        half = 0.5 * richness * step
        grown = half * (gradients[i : i + 2].T @ learned[i : i + 2])
        grown += grown.T
        more = half * (rates[i] + rates[i + 1])
        grown[np.diag_indices_from(grown)] += more
        middle = kernel + 0.5 * grown
        kernel += grown
        scale[i + 1] = scale[i] + more
        values, vectors = np.linalg.eigh(root[:, None] * middle * root)
        state = vectors @ (np.exp(-step * np.maximum(values, 0.0)) * (vectors.T @ state))
        found[i + 1] = state / root
    return found, scale
