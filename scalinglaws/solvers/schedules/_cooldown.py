"""How long to cool down."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from ...arguments import MOST_EXACT, Array, number, whole
from ...equality import by_value
from ...reprs import short_repr
from ...results import Result, judged
from ..catalogue import shows
from ..spectra import Spectrum, one_spectrum
from ._methods import SGD
from ._optimal import capped_rate
from ._schedule import Schedule
from ._train import TrainingDiagnostics
from ._trials import FINE, ROUGH, Trials, ended, lowest

_SHORTEST = 1.0  # steps of a cooldown
_FEW = 1000  # steps of a cooldown, up to which single ones are tried
_APART = 2.0  # of the fractions of the scan


@short_repr
@by_value
@dataclass(frozen=True)
class Cooldown:
    """A rate of one that falls as a power of the remaining steps behind a start."""

    steps: int
    start: int
    power: float

    def __call__(self, t: Array) -> Array:
        """Return the values at real steps."""
        left = (self.steps - t) / max(self.steps - self.start, 1)
        return np.asarray(np.minimum(1.0, left) ** self.power)


@shows("rate", "cooldown", "test_loss", "test_error", "interior")
@dataclass(frozen=True)
class OptimalCooldown(Result):
    r"""The best part of the steps to cool down in.

    Attributes
    ----------
    cooldown : float
        The fraction :math:`f^*` of the steps; 0 if any cooldown does harm.
    test_loss, test_error : float
        Mean test loss by `train` at the end, and its estimated absolute error.
    interior : bool
        Whether the best fraction lies between none and all.
    constant_loss : float
        Loss at the end without a cooldown.
    cooldowns, losses : ndarray
        The scan, increasing fractions and final losses to 1e-5.
    steps, rate, power : float
        T, the rate before the cooldown, and the power of the remaining steps with which it falls.
    looks : int
        Runs that were made.
    diagnostics : TrainingDiagnostics
        Of the run with the best fraction.
    """

    cooldown: float
    test_loss: float
    test_error: float
    interior: bool
    constant_loss: float
    cooldowns: Array
    losses: Array
    steps: float
    rate: float
    power: float
    looks: int
    diagnostics: TrainingDiagnostics

    @property
    def schedule(self) -> Schedule:
        """The schedule itself."""
        return _cooled(int(self.steps), self.rate, self.cooldown, self.power)


def optimal_cooldown(
    steps: int,
    spectrum: Spectrum,
    *,
    features: float = math.inf,
    batch: float,
    noise_variance: float = 0.0,
    rate: float | None = None,
    power: float = 1.0,
) -> OptimalCooldown:
    r"""Find the fraction of the steps over which a constant rate is best cooled down.

    .. math:: f^* = \arg\min_{f} L_T\Big[\eta \min\Big(1, \frac{T - t}{T - t_1}\Big)^p\Big], \qquad t_1 = \mathrm{round}(T (1 - f))

    Parameters
    ----------
    steps : int
        T.
    spectrum : PowerLawSpectrum or EmpiricalSpectrum
        Eigenvalues :math:`\lambda_k` and signal powers :math:`s_k`.
    features : float
        N >= 1, ``math.inf`` for the limit.
    batch : float
        B >= 1.
    noise_variance : float
        :math:`\sigma^2 \ge 0`, variance of the label noise.
    rate : float, optional
        :math:`\eta`, below the bound of `stability`, half of which is the default.
    power : float
        p, 1 for a linear cooldown.

    Returns
    -------
    OptimalCooldown
        The fraction, its loss, and the losses of fractions a factor of 2 apart.

    Raises
    ------
    DomainError
        If an argument is out of range, or the rate is unstable.
    ConvergenceError
        If two meshes differ at the best fraction.

    Warns
    -----
    AccuracyWarning
        If the estimated error of the loss exceeds 1e-8 of it.

    Notes
    -----
    At a fixed rate hard tasks, :math:`\beta < \nu = 1 - 1/\min(\alpha, p + 1)`, want ever shorter cooldowns,
    :math:`f^* \sim T^{-(\nu - \beta)/(\nu + 1)}`; with a tuned rate easy ones are best cooled down from the start.

    Fractions from one step to all are scanned, then the best is searched between its neighbors, to a step at most. Some 30
    to 50 runs that share nodes: .3 to .9 s for 1e8 steps. The fraction is accurate to 1e-3 of itself, where the loss is flat to 1e-8.

    References
    ----------
    .. [1] B. Li et al., "Optimal learning-rate schedules under functional scaling laws: power decay and warmup-stable-decay",
       arXiv:2602.06797.

    Examples
    --------
    >>> from scalinglaws.solvers import PowerLawSpectrum
    >>> hard = PowerLawSpectrum.from_ab(1.4, 2.5)
    >>> found = optimal_cooldown(10**6, hard, rate=0.9, batch=8, noise_variance=1)
    >>> round(found.cooldown, 4), found.interior
    (0.0314, True)
    """
    one_spectrum(spectrum, steps=steps)
    count = whole("steps", steps, high=MOST_EXACT)
    size = number("features", features, low=1.0, infinite=True)
    samples = number("batch", batch, low=1.0, infinite=True)
    noise = number("noise_variance", noise_variance, low=0.0, high=1e290)
    fall = number("power", power, low=0.0, strict=True, high=1e3)
    high = capped_rate(count, spectrum, size, samples, rate, name="rate")

    flat = Schedule.constant(samples, count)
    trials = Trials(Schedule.constant(high, count), flat, spectrum, size, noise, SGD())

    def final(share: float, accuracy: tuple[float, int]) -> float:
        return trials.final(_cooled(count, high, share, fall), accuracy, same=False)

    parts = [1.0]
    while parts[-1] > _SHORTEST / count:
        parts.append(parts[-1] / _APART)
    shares = np.array(parts[::-1])
    losses = np.array([final(share, ROUGH) for share in shares])
    constant = final(0.0, FINE)
    best = lowest(shares, losses, lambda share: final(share, FINE))
    place, value = best.place, best.value
    if place * count < _FEW:  # where the loss falls in visible steps
        length = round(place * count)
        for step in (-1, 1):
            while 0 < length + step <= count:
                now = final((length + step) / count, FINE)
                if now >= value:
                    break
                length, place, value = length + step, (length + step) / count, now
    interior = place < 1.0
    if constant <= value:
        place, interior = 0.0, False
    found = ended(
        _cooled(count, high, place, fall),
        spectrum,
        features=size,
        batch=samples,
        noise_variance=noise,
    )
    result = OptimalCooldown(
        cooldown=place,
        test_loss=float(found.test_loss),
        test_error=float(found.test_error),
        interior=interior,
        constant_loss=constant,
        cooldowns=shares,
        losses=losses,
        steps=float(count),
        rate=high,
        power=fall,
        looks=trials.looks,
        diagnostics=found.diagnostics,
    )
    judged("optimal_cooldown", result, found.diagnostics)
    return result


def _cooled(steps: int, rate: float, share: float, power: float) -> Schedule:
    """Return the schedule with a cooldown over a part of the steps."""
    if power == 1 or round(steps * share) == 0:
        return Schedule.wsd(rate=rate, steps=steps, cooldown=share)
    start = steps - round(steps * share)
    breaks = (start,) if start else ()
    return Schedule.from_function(Cooldown(steps, start, power), breaks, rate=rate, steps=steps)
