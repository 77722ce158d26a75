"""The nodes over which a run is summed: the modes themselves, or quadratures of what N features see of them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...equality import by_value
from ...reprs import short_repr
from ..equivalents.elliptic import TOLERANCE, contour_nodes
from ..equivalents.losses import ROUNDING
from ..equivalents.real_nodes import gauss_nodes
from ..spectra import Modes, Spectrum, depth
from ._direct import LANES
from ._macro import WIDE

Numbers = NDArray[Any]

_FEW, _FINE = 1e4, 1e-15  # features below which more nodes cost nothing, and their tolerance
_CONTOUR = 3e-12  # relative error of sums over contour nodes
_GAUSS = 2.0  # errors of losses with momentum over what Gauss rules say of exponentials
_BEYOND = 6  # octaves of reserve behind those that matter to 1e-12


@short_repr
@by_value
@dataclass(frozen=True)
class Nodes:
    """Nodes, padded: rates x, signal, and the sums of x^2 (of the modes' number, for methods with memory) of each."""

    rates: Numbers
    signal: Numbers
    noise: Numbers
    floor: float
    error: float
    total: float

    @property
    def slowest(self) -> float:
        """Return the smallest rate of all modes that have signal or noise."""
        filled = (self.signal != 0) | (self.noise != 0)
        return float(np.min(self.rates.real[filled], initial=math.inf))


def resolved(spectrum: Spectrum, reach: float) -> Modes:
    """Return modes that serve up to an intrinsic time; refuse one that needs eigenvalues too small for numbers."""
    ridge = np.array(1 / max(2 * reach, 1e-290))
    deepest = depth("rate", spectrum, np.array(math.inf), ridge)
    alpha = getattr(spectrum, "alpha", None)
    if alpha is None or math.isfinite(spectrum.size):
        return spectrum.modes(deepest)
    beta = spectrum.task.beta  # type: ignore[union-attr]
    # a part (K/k)^-(2 alpha - 1) of the noise, (K/k)^-(alpha + alpha beta) of the loss is beyond the last octave
    beyond = max(40 / (2 * alpha - 1), 42 / (alpha * (1 + float(beta)))) + _BEYOND
    return spectrum.modes(math.ceil(max(math.log2(2 * reach), 0.0) / alpha + beyond))


def unlimited(spectrum: Spectrum, reach: float, *, memory: bool, wide: bool = False) -> Nodes:
    """Return the nodes for unlimited features: modes, merged where they are many; `wide` for `march`."""
    modes = resolved(spectrum, reach)
    noise = modes.multiplicities * (1.0 if memory else modes.eigenvalues**2)
    total = float(np.sum(modes.signal))
    x, signal, noise = (
        _padded(array, fill, WIDE if wide else LANES)
        for array, fill in ((modes.eigenvalues, 1.0), (modes.signal, 0.0), (noise, 0.0))
    )
    return Nodes(x, signal, noise, 0.0, ROUNDING, total)


def _padded(array: Numbers, fill: float = 0.0, lanes: int = LANES) -> Numbers:
    """Return an array with a length that is a multiple of what is summed side by side."""
    rest = np.full(-array.size % lanes, fill, dtype=array.dtype)
    return np.concatenate([array, rest])


def limited(
    spectrum: Spectrum, features: float, reach: float, pole: float, *, memory: bool
) -> Nodes:
    """Return the nodes for limited features; `pole` is where 1 - q vanishes first."""
    ridge = np.array(1 / max(2 * reach, 1e-290))
    modes = spectrum.modes(depth("features", spectrum, np.array(features), ridge))
    total = float(np.sum(modes.signal))
    if memory:
        real = gauss_nodes(modes, features)
        return Nodes(
            _padded(real.rates, 1.0),
            _padded(real.signal),
            _padded(real.noise),
            real.floor,
            max(_GAUSS * real.error, ROUNDING),
            total,
        )
    found = contour_nodes(
        modes, features, reach=pole, tolerance=_FINE if features < _FEW else TOLERANCE
    )
    return Nodes(
        _padded(found.rates, 1.0),
        _padded(2 * found.signal),
        _padded(2 * found.noise),
        found.floor,
        max(found.error, _CONTOUR),
        total,
    )
