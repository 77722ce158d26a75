"""Losses that have fallen far below their start: where another contour resolves them, and what they tend to."""

from __future__ import annotations

import math

import numpy as np

from ..equivalents.losses import Loss, Losses
from ..equivalents.tails import Tail, is_poor
from ..spectra import Modes, Spectrum
from ._ridge import ridgeless


class Tails:
    """The tails of one spectrum, each made once for a pair of sizes and a learning rate (0 for gradient flow)."""

    def __init__(self, spectrum: Spectrum, modes: Modes) -> None:
        self._spectrum, self._modes = spectrum, modes
        self._known: dict[tuple[float, ...], Tail] = {}
        self._floors: dict[tuple[float, ...], Loss] = {}

    def improved(
        self,
        losses: Losses,
        time: float,
        features: float,
        samples: float,
        noise: float,
        *,
        learning_rate: float = 0.0,
    ) -> Losses:
        """Return losses, those that have fallen too far resolved on a contour of their own."""
        if math.isinf(features) and math.isinf(samples):
            return losses
        if not (is_poor(losses.test) or is_poor(losses.train)):
            return losses
        key = features, samples, learning_rate
        if key not in self._known:
            self._known[key] = Tail(self._modes, *key)
        place = features, samples, noise
        if place not in self._floors:
            sizes = (np.array([value]) for value in place)
            self._floors[place] = ridgeless(self._spectrum, *sizes)[0].train
        floor, tail = self._floors[place], self._known[key]
        if not tail.reaches(time, 0.0 if math.isinf(samples) else floor.value):
            return losses
        return tail.improved(losses, time, noise, floor)
