"""The schedule that ends lowest at given steps and batch, in the functional law."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from ...arguments import MOST_EXACT, Array, number, several, whole
from ...equality import by_value
from ...errors import refusal
from ...reprs import short_repr
from ...results import Result, judged
from .._roots import bounded_minimum, brentq
from ..catalogue import shows
from ..spectra import Spectrum, one_spectrum
from ._nodes import Nodes, limited, unlimited
from ._schedule import Schedule
from ._stability import stability
from ._train import TrainingDiagnostics
from ._trials import ended
from ._tuned import tuned_rate

_PANELS = 16  # per unit of the logarithm of time
_FALL = 0.25  # of the logarithm of K within a panel, at most
_POINTS = np.polynomial.legendre.leggauss(6)
_BEHIND = 8  # entries of the table behind the last that counts, for its interpolation
_ACCURATE = 1e-5  # estimated error of the loss, of the coarser mesh
HALF = 0.5
"""Of the bound of stability: beyond, the noise that noise causes is most of it, and the functional law says nothing."""


@short_repr
@by_value
@dataclass(frozen=True)
class Decay:
    """A rate by the steps that remain, interpolated in a table, and cut at a cap; of a step in its middle."""

    steps: int
    remaining: Array
    rates: Array
    cap: float

    @cached_property
    def _spline(self) -> Any:
        from scipy.interpolate import make_interp_spline

        return make_interp_spline(self._place(self.remaining), np.log(self.rates), k=5)

    def _place(self, remaining: Array) -> Array:
        return np.asarray(np.log(remaining + self.remaining[1]))

    def __call__(self, t: Array) -> Array:
        """Return the rates at real steps."""
        left = np.minimum(self.steps - t - 0.5, self.remaining[-1])
        return np.asarray(np.minimum(np.exp(self._spline(self._place(left))), self.cap))


@shows("steps", "rate", "intrinsic_time", "bias", "variance", "predicted_loss", "test_loss")
@dataclass(frozen=True)
class OptimalSchedule(Result):
    r"""The best schedule for a number of steps.

    Attributes
    ----------
    steps : float
        T.
    rate : float
        Largest rate, of the first steps.
    max_rate : float
        The cap :math:`\eta_{\max}`.
    capped : bool
        Whether the schedule runs at the cap before it decays.
    decay_start : float
        Step at which the decay starts; 0 without a cap that binds.
    intrinsic_time : float
        :math:`X = \sum_t \eta_t`.
    bias, variance : float
        F and V of the functional law at the end.
    predicted_loss : float
        F + V.
    test_loss, test_error : float
        Mean test loss by `train`, and its estimated absolute error.
    kernel_norm : float
        :math:`\hat K = \frac{\theta}{2} \sum_i x_i` at the largest rate, which the derivation takes to be small.
    relative_loss : float
        Test loss over :math:`\sigma^2`, taken to be small too.
    gaps : tuple of float
        By how much of it each shape to compare with ends above the optimal schedule, at its own best rate.
    remaining, rates : ndarray, shape (n,)
        The decay: remaining steps, and the rate there before it is capped.
    batch, features, noise_variance : float
        The inputs B, N and :math:`\sigma^2`.
    diagnostics : TrainingDiagnostics
        Of the run.
    """

    steps: float
    rate: float
    max_rate: float
    capped: bool
    decay_start: float
    intrinsic_time: float
    bias: float
    variance: float
    predicted_loss: float
    test_loss: float
    test_error: float
    kernel_norm: float
    relative_loss: float
    gaps: tuple[float, ...]
    remaining: Array
    rates: Array
    batch: float
    features: float
    noise_variance: float
    diagnostics: TrainingDiagnostics

    @property
    def schedule(self) -> Schedule:
        """The schedule itself."""
        return _scheduled(
            int(self.steps), self.remaining, self.rates, self.max_rate, int(self.decay_start)
        )


def optimal_schedule(
    steps: int,
    spectrum: Spectrum,
    *,
    features: float = math.inf,
    batch: float,
    noise_variance: float,
    max_rate: float | None = None,
    compare: Sequence[Schedule] = (),
) -> OptimalSchedule:
    r"""Find the schedule of rates that ends with the least loss after T steps at batch B, with label noise.

    In the functional law, at an intrinsic time X, the variance is least, among all schedules of T steps, for

    .. math:: \eta(u) = \min\big(\eta_{\max},\, c\, K(u)^{-1/2}\big), \qquad \int_0^X \frac{du}{\eta(u)} = T, \qquad
              K(u) = \sum_i x_i^2 e^{-2 x_i u}

    in the remaining intrinsic time u; without a cap :math:`V = \frac{\sigma^2}{B T} \big(\int_0^X \sqrt K\big)^2`. Then X is that
    of the least F(X) + V(X). For power laws this is :math:`\frac{2 \alpha X}{T} (1 - t/T)^{2 \alpha - 1}`.

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
        :math:`\sigma^2 > 0`, variance of the label noise.
    max_rate : float, optional
        Cap :math:`\eta_{\max}`, below the bound of `stability`, half of which is the default.
    compare : sequence of Schedule
        Shapes of T steps whose best rates are found too.

    Returns
    -------
    OptimalSchedule
        The schedule, what the functional law predicts, the loss by `train`, and the gaps of the shapes to compare with.

    Raises
    ------
    DomainError
        If an argument is out of range, or the cap is unstable.
    ConvergenceError
        If two meshes of the run differ.

    Warns
    -----
    AccuracyWarning
        If the estimated error of the loss exceeds 1e-5 of it (it is that of a coarser mesh; the finer one is a hundred times
        better), or that of a tuned shape 1e-8.

    Notes
    -----
    The law it minimizes assumes :math:`L \ll \sigma^2`, :math:`\hat K \ll 1` and :math:`\eta x \ll 1`: see `kernel_norm` and
    `relative_loss`. Where they are small, no smooth change of the schedule lowers the loss of `train` by more than a part of the order of
    their sum; where the cap binds they often are not, and `tuned_rate` of a shape can end lower. Under multiplicative noise
    the optimum is not known in this form.

    Integrals over K are by Gauss's rule on panels of equal logarithms and have rounding accuracy, the schedule is interpolated to 1e-9;
    20 to 60 ms beside the run of `train` (.1 s), and .3 to .8 s for each shape to compare with.

    References
    ----------
    .. [1] B. Li et al., "Optimal learning-rate schedules under functional scaling laws: power decay and warmup-stable-decay",
       arXiv:2602.06797.
    .. [2] B. Bordelon, F. Mori, "Optimal learning rate schedules and scaling laws in a solvable model", arXiv:2602.04774.

    Examples
    --------
    >>> from scalinglaws.solvers import PowerLawSpectrum
    >>> found = optimal_schedule(10**8, PowerLawSpectrum.from_ab(2, 1.5), batch=8, noise_variance=1)
    >>> print(f"{found.rate:.4f} {found.predicted_loss:.3e} {found.test_loss:.3e} {found.schedule(10**8 - 1):.2e}")
    0.0530 7.745e-05 7.756e-05 1.60e-06
    """
    one_spectrum(spectrum, steps=steps)
    count = whole("steps", steps, high=MOST_EXACT)
    size = number("features", features, low=1.0, infinite=True)
    samples = number("batch", batch, low=1.0, high=1e290)
    noise = number("noise_variance", noise_variance, low=0.0, strict=True, high=1e290)
    shapes = several("compare", compare, Schedule)
    for shape in shapes:
        if shape.steps != count:
            raise refusal("compare", shape.steps, f"must be shapes of {count} steps", shown=False)
    cap = capped_rate(count, spectrum, size, samples, max_rate)

    law = _Law(_nodes(spectrum, size, samples, cap, count), cap, count, noise / samples)
    x, slope, turn = law.optimum()
    remaining, rates = law.decay(slope, turn)
    begin = max(0, count - math.floor(law.root_sum(turn) / slope)) if turn < x else 0
    made = _scheduled(count, remaining, rates, cap, min(begin, count))
    run = {"features": size, "batch": samples, "noise_variance": noise}
    found = ended(made, spectrum, **run)
    loss = float(found.test_loss)
    gaps = tuple(
        tuned_rate(
            shape,
            spectrum,
            features=size,
            batch=samples,
            noise_variance=noise,
            max_rate=cap,
        ).test_loss
        / loss
        - 1
        for shape in shapes
    )
    first = float(made(np.zeros(1))[0])
    bias, variance = law.bias(x), law.variance(x, slope, turn)
    result = OptimalSchedule(
        steps=float(count),
        rate=first,
        max_rate=cap,
        capped=turn < x,
        decay_start=float(min(begin, count)),
        intrinsic_time=x,
        bias=bias,
        variance=variance,
        predicted_loss=bias + variance,
        test_loss=loss,
        test_error=float(found.test_error),
        kernel_norm=0.5 * first / samples * law.trace,
        relative_loss=loss / noise,
        gaps=gaps,
        remaining=remaining,
        rates=rates,
        batch=samples,
        features=size,
        noise_variance=noise,
        diagnostics=found.diagnostics,
    )
    if found.diagnostics.error_estimate > _ACCURATE:
        judged("optimal_schedule", result, found.diagnostics)
    return result


def capped_rate(
    steps: int,
    spectrum: Spectrum,
    features: float,
    batch: float,
    given: float | None,
    *,
    name: str = "max_rate",
) -> float:
    """Return the largest rate that is allowed: as given, or half of the bound of stability."""
    flat = Schedule.constant(1.0, steps)
    bound = stability(flat, spectrum, features=features, batch=batch).max_rate
    if given is None:
        return HALF * bound
    cap = number(name, given, low=1e-280, high=1e280)
    if not cap < bound:
        raise refusal(name, given, f"must be below {bound:.6g}, where training is unstable")
    return cap


def _nodes(spectrum: Spectrum, features: float, batch: float, cap: float, steps: int) -> Nodes:
    """Return nodes that serve at all rates up to the cap."""
    if math.isinf(features):
        return unlimited(spectrum, cap * steps, memory=False)
    pole = 2 / (cap * (1 + 1 / batch))
    return limited(spectrum, features, cap * steps, pole, memory=False)


def _scheduled(steps: int, remaining: Array, rates: Array, cap: float, begin: int) -> Schedule:
    """Return the schedule of a decay that is capped before a step."""
    if begin >= steps:
        return Schedule.constant(cap, steps)
    breaks = (begin,) if begin else ()
    return Schedule.from_function(Decay(steps, remaining, rates, cap), breaks, steps=steps)


class _Law:
    """Bias and least variance of the functional law, with tables of integrals over the kernel."""

    def __init__(self, nodes: Nodes, cap: float, count: int, temperature: float) -> None:
        self._x, self._signal, self._weights = nodes.rates, nodes.signal, nodes.noise
        self._floor, self._cap, self._steps = nodes.floor, cap, count
        self._temperature = temperature  # sigma^2/B
        self.trace = float(np.sum(nodes.noise / nodes.rates).real)
        self.longest = cap * count
        start = 0.5 / float(np.max(np.abs(self._x)))
        depth = math.log1p(self.longest / start)
        panels = max(2 * _BEHIND, math.ceil(_PANELS * depth))
        edges = start * np.expm1(np.linspace(0.0, depth, panels + 1))
        edges[-1] = self.longest
        # finer where K falls fast: behind the slowest mode of a finite spectrum
        parts = np.ceil(np.abs(np.diff(np.log(self.kernel(edges)))) / _FALL)
        parts = np.maximum(parts, 1).astype(np.int64)
        places = np.arange(int(np.sum(parts))) - np.repeat(np.cumsum(parts) - parts, parts)
        widths = np.repeat(np.diff(edges) / parts, parts)
        self.edges = np.append(np.repeat(edges[:-1], parts) + places * widths, self.longest)
        roots, sums = self._inside(self.edges[:-1], self.edges[1:])
        self._roots = np.concatenate(([0.0], np.cumsum(roots)))
        self._sums = np.concatenate(([0.0], np.cumsum(sums)))
        self._kernel = self.kernel(self.edges)

    def kernel(self, u: Array) -> Array:
        """Return K."""
        return np.maximum(self._decayed(u, self._weights), 1e-300)

    def bias(self, u: float) -> float:
        """Return F."""
        return float(self._floor + self._decayed(np.array([u]), self._signal)[0])

    def _decayed(self, u: Array, weights: Any) -> Array:
        rows = max(1, 2_000_000 // self._x.size)
        flat = u.ravel()
        found = np.empty(flat.size)
        with np.errstate(under="ignore"):
            for first in range(0, flat.size, rows):
                part = flat[first : first + rows, None]
                found[first : first + rows] = (np.exp(-2 * part * self._x) @ weights).real
        return found.reshape(u.shape)

    def _inside(self, low: Array, high: Array) -> tuple[Array, Array]:
        """Return the integrals of the root of K, and of K, over intervals."""
        points, weights = _POINTS
        half = 0.5 * (high - low)
        kernel = self.kernel(0.5 * (high + low)[:, None] + half[:, None] * points)
        return half * (np.sqrt(kernel) @ weights), half * (kernel @ weights)

    def _upto(self, u: float, table: Array, which: int) -> float:
        place = min(int(np.searchsorted(self.edges, u, side="right")) - 1, self.edges.size - 1)
        low = self.edges[place : place + 1]
        return float(table[place] + self._inside(low, np.array([u]))[which][0])

    def root_sum(self, u: float) -> float:
        r"""Return the integral of :math:`\sqrt K` from 0."""
        return self._upto(u, self._roots, 0)

    def _sum(self, u: float) -> float:
        return self._upto(u, self._sums, 1)

    def _root(self, u: float) -> float:
        return math.sqrt(float(self.kernel(np.array([u]))[0]))

    def variance(self, x: float, slope: float, turn: float) -> float:
        """Return V of the rates that fall behind `turn` of the remaining intrinsic time."""
        found = slope * self.root_sum(turn)
        if turn < x:
            found += self._cap * (self._sum(x) - self._sum(turn))
        return self._temperature * found

    def fitted(self, x: float) -> tuple[float, float]:
        """Return c, and where the cap is met, of the best schedule of an intrinsic time."""
        slope = self.root_sum(x) / self._steps
        if slope <= self._cap * self._root(x):
            return slope, x

        def late(u: float) -> float:  # steps too many, times the cap
            return self.root_sum(u) / self._root(u) - u + x - self.longest

        if late(0.0) >= 0:
            return self._cap * self._root(0.0), 0.0
        turn = float(brentq(late, 0.0, x, xtol=1e-300, rtol=1e-13))
        return self._cap * self._root(turn), turn

    def optimum(self) -> tuple[float, float, float]:
        """Return the best intrinsic time, c, and where the cap is met."""

        def loss(log: float) -> float:
            x = min(math.exp(log), self.longest)
            return self.bias(x) + self.variance(x, *self.fitted(x))

        logs = np.log(np.append(self.edges[1::_PANELS], self.longest))
        values = [loss(log) for log in logs]
        best = int(np.argmin(values))
        ends = (logs[max(best - 1, 0)], logs[min(best + 1, logs.size - 1)])
        place, least = bounded_minimum(loss, *ends, xatol=1e-7, maxiter=100)
        x = math.exp(place if least < values[best] else logs[best])
        x = min(x, self.longest)
        return (x, *self.fitted(x))

    def decay(self, slope: float, turn: float) -> tuple[Array, Array]:
        """Return remaining steps and rates of the decay, in a table that covers it."""
        last = int(np.searchsorted(self.edges, turn)) + _BEHIND
        part = slice(0, min(max(last, 2 * _BEHIND), self.edges.size))
        return self._roots[part] / slope, slope / np.sqrt(self._kernel[part])
