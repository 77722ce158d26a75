"""The noise term of laws that are fitted to measured curves."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from ...arguments import Value, afford, instance, number, shaped
from ...errors import refusal
from ...results import Result
from ..catalogue import shows
from ..equivalents.noise_cells import ORDERS, SMALLEST, NoiseCells
from ._schedule import Schedule
from ._train import _checked_steps

_LARGEST = 1e100
_STEEPEST = 100.0


@shows("intrinsic_time", "noise", along="steps")
@dataclass(frozen=True)
class AccumulatedNoise(Result):
    r"""Noise along a schedule.

    Arrays have the shape of the steps that were asked for; scalars in, floats out.

    Attributes
    ----------
    steps : float or ndarray
        t.
    intrinsic_time : float or ndarray
        :math:`\tau_t = \sum_{u < t} \eta_u`.
    noise : float or ndarray
        V.
    by_decay_rate, by_exponent : float or ndarray
        :math:`\partial V/\partial c` and :math:`\partial V/\partial\chi`.
    decay_rate, exponent : float
        The inputs c and :math:`\chi`.
    """

    steps: Value
    intrinsic_time: Value
    noise: Value
    by_decay_rate: Value
    by_exponent: Value
    decay_rate: float
    exponent: float


def accumulated_noise(
    schedule: Schedule,
    at: ArrayLike | None = None,
    *,
    decay_rate: float,
    exponent: float,
) -> AccumulatedNoise:
    r"""Compute the noise that a schedule of rates has accumulated, where noise fades as a power of intrinsic time.

    .. math:: V_t = \int_0^{\tau_t} \eta(\tau')\, (1 + c (\tau_t - \tau'))^{-\chi}\, d\tau'
              = \sum_{u < t} \eta_u\, [G(\tau_t - \tau_u) - G(\tau_t - \tau_{u+1})], \qquad
              G(u) = \frac{1 - (1 + c u)^{1 - \chi}}{c (\chi - 1)}

    the noise term of the functional law as it is fitted to measured curves, up to its prefactor; at :math:`\chi = 1` with the
    logarithm, :math:`G = \ln(1 + c u)/c`.

    Parameters
    ----------
    schedule : Schedule
        Rates :math:`\eta_t`, each for the time of its step.
    at : array_like, optional
        Steps to look at, whole numbers from 0 to T, non-decreasing; by default all of them.
    decay_rate : float
        :math:`c \ge 0`; at 0 noise never fades, and :math:`V = \sum \eta^2`.
    exponent : float
        :math:`\chi > 0`, at most 100; :math:`2 - 1/\alpha` for the spectrum :math:`\lambda_k = k^{-\alpha}`.

    Returns
    -------
    AccumulatedNoise
        The noise, and its derivatives by c and :math:`\chi`.

    Raises
    ------
    DomainError
        If an argument is out of range.
    ResourceError
        If the schedule has too many steps for all of them to be listed.

    Notes
    -----
    Each step is a cell, integrated exactly; far cells are taken together, by series in their moments that are summed up to
    rounding. Accurate to 1e-12 of the noise, derivatives to 1e-11 of themselves. Some 20 ms for 72 000 steps and 120 points, of
    which 1 ms for the points: O(T) to begin with and O(log T) for each.

    References
    ----------
    .. [1] B. Li et al., "Functional scaling laws in kernel regression: loss dynamics and learning rate schedules",
       arXiv:2509.19189.
    .. [2] K. Luo et al., "A multi-power law for loss curve prediction across learning rate schedules", arXiv:2503.12811.

    Examples
    --------
    >>> schedule = Schedule.wsd(rate=0.1, steps=10**4, cooldown=0.2)
    >>> found = accumulated_noise(schedule, [8000, 10**4], decay_rate=2, exponent=1.4)
    >>> found.noise.round(4)
    array([0.1185, 0.0311])
    """
    instance("schedule", schedule, Schedule)
    c = number("decay_rate", decay_rate, low=0.0, high=_LARGEST)
    chi = number("exponent", exponent, low=0.0, strict=True, high=_STEEPEST)
    afford(
        schedule.steps * (6.0 + 2.0 * ORDERS / SMALLEST),
        "the list of all steps",
        "take fewer steps",
    )
    places = _checked_steps(at, schedule.steps)
    rates = schedule.values()
    if not np.max(rates) <= _LARGEST:
        raise refusal("rate", schedule.rate, f"must be at most {_LARGEST:g}")
    if places is None:
        places = np.arange(schedule.steps + 1)
    cells = NoiseCells(rates)
    found = cells.noise(places, c, chi)
    shape = places.shape if at is None else np.shape(at)
    return AccumulatedNoise(
        shaped(places.astype(float), shape),
        shaped(cells.edges[places], shape),
        shaped(found[:, 0].copy(), shape),
        shaped(found[:, 1].copy(), shape),
        shaped(found[:, 2].copy(), shape),
        c,
        chi,
    )
