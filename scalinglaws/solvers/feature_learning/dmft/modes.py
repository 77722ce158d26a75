r"""Few modes that act like many: what the march needs of a spectrum.

Up to the last step T the losses are polynomials in the eigenvalues, and a stable run decays at most as fast as
:math:`e^{-2 T \lambda/\lambda_1}`. A Gauss rule of the spectrum's own measure on a range of small :math:`\lambda` therefore
replaces the modes there by a few: ranges of a factor 4 where the decay within a range matters, one range for everything below,
and narrower ones next to the slowest mode of a finite spectrum where that is learned as well.
Responses need the measure :math:`\sum_k \lambda_k \delta_{\lambda_k}`, mean errors
:math:`\sum_k s_k \delta_{\lambda_k}`: each gets its own rule.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ....equality import by_value
from ....reprs import short_repr
from ...spectra import EmpiricalSpectrum, Spectrum

Array = NDArray[np.float64]

_RANGE = 4.0  # ratio of eigenvalues within a range
_FAST = 16.0  # decay exponent at the last step below which one range holds all modes
_RESPONSE_NODES, _RESPONSE_TAIL = 7, 9
_SIGNAL_NODES, _SIGNAL_TAIL = 10, 12
_SLOW = 0.25  # decay exponent of the slowest mode from which ranges next to it are split
_CLOSE = 8.0  # difference of decay exponents within such a range
_FORGOTTEN = 80.0  # and the one beyond which nothing is left next to the slowest mode
_MORE = 6  # nodes, where errors swing instead of decaying: steps beyond the edge of stability


MERGING = 1e-9
"""Largest relative change of a loss by merging."""


@short_repr
@dataclass(frozen=True)
@by_value
class MarchModes:
    """Two weighted sets of modes.

    Attributes
    ----------
    eigenvalues, variances : ndarray, shape (n,)
        Eigenvalues, and the total variance (multiplicity times eigenvalue) of the modes that each one stands for.
    signal_eigenvalues, signal : ndarray, shape (m,)
        Eigenvalues, and the signal power of the modes that each one stands for.
    """

    eigenvalues: Array
    variances: Array
    signal_eigenvalues: Array
    signal: Array


def every_mode(spectrum: Spectrum) -> MarchModes:
    """Return all modes of a finite spectrum; those of equal eigenvalue are one."""
    if isinstance(spectrum, EmpiricalSpectrum):
        modes = spectrum.modes()
        eigenvalues, signal = modes.eigenvalues, modes.signal
        variances = modes.multiplicities * eigenvalues
    else:
        eigenvalues, signal = spectrum.explicit()
        variances = eigenvalues
    return MarchModes(*_distinct(eigenvalues, variances), *_distinct(eigenvalues, signal))


def merged_modes(spectrum: Spectrum, steps: float, *, finer: bool = False) -> MarchModes:
    """Return a few dozen modes that serve for so many stable steps, or with finer rules for a schedule with longer ones."""
    modes, more = spectrum.modes(), _MORE if finer else 0
    variances = modes.multiplicities * modes.eigenvalues
    return MarchModes(
        *_reduced(
            modes.eigenvalues, variances, steps, _RESPONSE_NODES + more, _RESPONSE_TAIL + more
        ),
        *_reduced(
            modes.eigenvalues, modes.signal, steps, _SIGNAL_NODES + more, _SIGNAL_TAIL + more
        ),
    )


def _distinct(places: Array, weights: Array) -> tuple[Array, Array]:
    """Add up the weights of equal places, in falling order of place; drop what has no weight."""
    values, where = np.unique(-places[weights > 0], return_inverse=True)
    return -values, np.bincount(where, weights[weights > 0], values.size).astype(float)


def _reduced(
    places: Array, weights: Array, steps: float, nodes: int, tail: int
) -> tuple[Array, Array]:
    """Replace the modes of each range by the nodes of a Gauss rule."""
    places, weights = _distinct(places, weights)
    found: list[tuple[Array, Array]] = []
    start, pace = 0, 4.0 * steps / float(places[0]) if places.size else 0.0
    while start < places.size:
        fast = pace * places[start] > _FAST
        stop = int(np.searchsorted(-places, -places[start] / _RANGE)) if fast else places.size
        # once the slowest modes are learned, too, the loss is what is left of those next to the slowest
        ahead = pace * (places[start] - places[-1])
        if pace * places[-1] > _SLOW and ahead <= _FORGOTTEN:
            nearer = places[-1] + max(ahead - _CLOSE, 0.0) / pace
            stop = min(stop, int(np.searchsorted(-places, -nearer, side="right")))
        stop = max(stop, start + 1)
        found.append(_gauss(places[start:stop], weights[start:stop], nodes if fast else tail))
        start = stop
    if not found:
        return places, weights
    return np.concatenate([one for one, _ in found]), np.concatenate([other for _, other in found])


def _gauss(places: Array, weights: Array, nodes: int) -> tuple[Array, Array]:
    """Return the Gauss rule of a discrete measure (Lanczos with full reorthogonalization, Golub-Welsch)."""
    if places.size <= nodes:
        return places, weights
    total, scale = weights.sum(), places[0]
    basis = np.zeros((nodes, places.size))
    diagonal, off = np.zeros(nodes), np.zeros(nodes)
    vector = np.sqrt(weights / total)
    for i in range(nodes):
        basis[i] = vector
        vector = places / scale * vector
        diagonal[i] = vector @ basis[i]
        for _ in range(2):
            vector = vector - (basis[: i + 1] @ vector) @ basis[: i + 1]
        off[i] = np.linalg.norm(vector)
        if off[i] < 1e-14:
            nodes = i + 1
            break
        vector = vector / off[i]
    values, vectors = np.linalg.eigh(
        np.diag(diagonal[:nodes]) + np.diag(off[: nodes - 1], 1) + np.diag(off[: nodes - 1], -1)
    )
    # a node is an average of places: rounding must not carry it out of their range
    return scale * np.clip(values[::-1], places[-1] / scale, 1.0), total * vectors[0, ::-1] ** 2
