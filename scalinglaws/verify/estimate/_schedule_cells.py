"""The noise that a schedule leaves behind, by exact integrals over cells of steps with nearly one rate."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ...arguments import afford
from ...equality import by_value
from ...reprs import short_repr
from ...solvers.schedules import Schedule

Array = NDArray[np.float64]
Steps = NDArray[np.int64]

_FEW = 40  # changes of the rate, up to which cells lie between them
_JUMP = 0.01  # relative change of the rate in one step that no cell contains
_SINGLE, _GROWTH = (
    8,
    1.08,
)  # latest steps that are cells of their own; beyond, edges' ages in steps grow by a factor


@short_repr
@dataclass(frozen=True)
@by_value
class Cells:
    r"""What the noise at some steps is made of: cells of steps that are nearly alike, and how long ago each was.

    Attributes
    ----------
    times : ndarray, shape (n,)
        :math:`\tau_t`.
    ages : ndarray, shape (n, K + 1)
        :math:`\tau_t - \tau_k` for the edges of cells, the earliest first; those that are not needed lie at t.
    rates : ndarray, shape (n, K)
        :math:`\bar\eta = \sum\eta^2/\sum\eta` of each cell.
    tilts : ndarray, shape (n, K)
        :math:`\frac1{12}\Delta\eta\,\Delta u` with the change of the rate towards larger ages.
    """

    times: Array
    ages: Array
    rates: Array
    tilts: Array

    def noise(self, c: float, chi: float) -> tuple[Array, Array, Array]:
        r"""Return :math:`V = \sum_{cells} \int_{u_{hi}}^{u_{lo}} \eta(u)\,k(u)\,du` and its slopes in :math:`\ln c` and in chi.

        .. math:: k(u) = (1 + c u)^{-\chi}, \qquad G(u) = \int_0^u k(u')\,du' = \frac{1 - (1 + c u)^{1-\chi}}{c (\chi - 1)}, \qquad
                  \int \eta\,k\,du \approx \bar\eta\,[G(u_{lo}) - G(u_{hi})] + \tfrac1{12} \Delta\eta\,\Delta u\,[k(u_{lo}) - k(u_{hi})]
        """
        power, grown = chi - 1, 1 + c * self.ages
        logs = np.log(grown)
        left = np.exp(-power * logs)
        whole = -np.expm1(-power * np.log1p(c * self.ages)) / (c * power)
        kernel = left / grown
        in_log_c = self.ages * kernel - whole
        in_chi = logs * left / (c * power) - whole / power
        kernels = (kernel, -chi * c * self.ages / grown * kernel, -logs * kernel)
        # the age of a cell's first edge is the larger one
        value, slope, bend = (
            np.sum((rows[:, :-1] - rows[:, 1:]) * self.rates, axis=1)
            + np.sum((ends[:, :-1] - ends[:, 1:]) * self.tilts, axis=1)
            for rows, ends in zip((whole, in_log_c, in_chi), kernels, strict=True)
        )
        return value, slope, bend


def cells(schedule: Schedule, steps: Steps, unit: float = 1.0) -> Cells:
    """Cut a schedule into cells, for its noise at some steps; rates and times in multiples of a rate.

    Where rates change a few times only, cells lie between the changes, and the integrals are exact. Else a step's cells grow with their
    age, so that neither the rate nor the kernel changes much within one.
    """
    last = int(steps[-1])
    rates = schedule.values()[:last] / unit
    sums = np.concatenate(([0.0], np.cumsum(rates)))
    squares = np.concatenate(([0.0], np.cumsum(rates**2)))
    changes = np.flatnonzero(rates[1:] != rates[:-1]) + 1
    back = np.zeros(0, dtype=np.int64)
    if changes.size > _FEW:
        larger = np.maximum(rates[changes], rates[changes - 1])
        changes = changes[np.abs(rates[changes] - rates[changes - 1]) > _JUMP * larger]
        count = math.ceil(math.log(max(last, 2)) / math.log(_GROWTH))
        back = np.unique(np.round(_GROWTH ** np.arange(count)).astype(np.int64))
        back = np.union1d(np.arange(1, _SINGLE + 1), back)
    afford(6.0 * steps.size * (changes.size + back.size + 2), "the noise", "ask for fewer steps")
    edges = np.repeat(steps[:, None], changes.size + back.size + 2, axis=1)
    for row, t in zip(edges, steps, strict=True):
        inside = changes[: np.searchsorted(changes, t)]
        graded = t - back[: np.searchsorted(back, t)]
        needed = np.unique(np.concatenate(([0], inside, graded)))
        row[: needed.size] = needed
    edges = edges[:, : int(np.max(np.sum(edges < steps[:, None], axis=1))) + 1]
    lengths = np.diff(sums[edges], axis=1)
    means = np.diff(squares[edges], axis=1) / np.where(lengths > 0, lengths, 1.0)
    counts = np.diff(edges, axis=1)
    firsts, lasts = (
        rates[np.minimum(ends, last - 1)] for ends in (edges[:, :-1], edges[:, 1:] - 1)
    )
    change = (
        (firsts - lasts) * counts / np.maximum(counts - 1, 1)
    )  # between the ends, not the middles, of steps
    tilts = np.where(counts > 1, change, 0.0) * lengths / 12
    return Cells(sums[steps], sums[steps][:, None] - sums[edges], means, tilts)
