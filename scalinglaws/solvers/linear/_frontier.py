"""Losses over model size and time, and the best split of a budget between the two."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from ...arguments import Array, Value, choice, number, numbers, shaped
from ...errors import refusal
from ...results import PROMISED, Diagnostics, Result, Status, judged
from ..catalogue import shows
from ..equivalents.search import METHOD, POINTS, STEP, best_split
from ..spectra import PowerLawSpectrum, Spectrum, one_spectrum
from ._first_steps import FIRST, KNOWN, SMOOTH, continued, roughness
from ._flow import gradient_flow
from ._sgd import online_sgd
from ._stability import sgd_stability

DYNAMICS = ("sgd", "flow")

_LARGEST = 1e200  # budget


@shows("loss")
@dataclass(frozen=True)
class LossSurface(Result):
    """Test losses on a grid of model sizes and times.

    Attributes
    ----------
    features : ndarray, shape (n,)
        Model sizes N.
    time : ndarray, shape (m,)
        Steps, or flow times, t.
    loss : ndarray, shape (n, m)
        Test losses.
    diagnostics : Diagnostics
        As from the dynamics.
    """

    features: Array
    time: Array
    loss: Array
    diagnostics: Diagnostics


@shows("features", "time", "loss", "loss_exponent", "features_exponent")
@dataclass(frozen=True)
class ComputeFrontier(Result):
    r"""The best split of compute budgets between model size and time.

    All fields have the shape of `compute`; scalars in, floats out.

    Attributes
    ----------
    compute : float or ndarray
        Budgets C = N t.
    features, time : float or ndarray
        The best N, and the time t = C/N that it leaves.
    loss : float or ndarray
        Smallest test loss at the budget.
    loss_exponent : float or ndarray
        Local exponent :math:`-d\log L^*/d\log C`.
    features_exponent : float or ndarray
        Local exponent :math:`d\log N^*/d\log C`.
    learning_rate : float or ndarray
        Learning rate there; one over the unit of time of a flow, 1, where there is none.
    diagnostics : Diagnostics
        Of the losses; the residual is the largest slope left at an optimum.
    """

    compute: Value
    features: Value
    time: Value
    loss: Value
    loss_exponent: Value
    features_exponent: Value
    learning_rate: Value
    diagnostics: Diagnostics


def loss_surface(
    features: ArrayLike,
    time: ArrayLike,
    spectrum: Spectrum,
    *,
    dynamics: str = "sgd",
    batch: float = 1.0,
    learning_rate: float | None = None,
    relative_rate: float = 0.2,
    noise_variance: float = 0.0,
    modes_per_feature: float | None = None,
) -> LossSurface:
    r"""Compute the test loss for every pair of a model size and a time.

    Parameters
    ----------
    features : array_like, shape (n,)
        Model sizes N >= 1.
    time : array_like, shape (m,)
        Steps or flow times t >= 0, non-decreasing.
    spectrum : PowerLawSpectrum or EmpiricalSpectrum
        Eigenvalues and signal powers.
    dynamics, batch, learning_rate, relative_rate, noise_variance, modes_per_feature
        As for `compute_frontier`.

    Returns
    -------
    LossSurface
        Losses of shape (n, m).

    Raises
    ------
    DomainError
        If an argument is out of range, or the learning rate unstable at one of the sizes.

    Notes
    -----
    Features are assumed to be Gaussian, or to act as if they were; see the module.

    About 1 ms per point.

    Examples
    --------
    >>> from scalinglaws.solvers import PowerLawSpectrum
    >>> found = loss_surface([10, 1000], [1e2, 1e4, 1e6], PowerLawSpectrum(1.5, 0.5))
    >>> found.loss.shape, bool(found.loss[0, -1] > found.loss[1, -1])
    ((2, 3), True)
    """
    one_spectrum(spectrum, features=features)
    model = _Model(
        spectrum, dynamics, batch, learning_rate, relative_rate, noise_variance, modes_per_feature
    )
    sizes = np.atleast_1d(
        numbers("features", features, low=1.0, infinite=modes_per_feature is None)
    )
    times = np.atleast_1d(numbers("time", time, low=0.0, infinite=True))
    for name, array in (("features", sizes), ("time", times)):
        if array.ndim != 1:
            raise refusal(
                name,
                array.shape,
                f"must be one row of numbers; got shape {array.shape}",
                shown=False,
            )
    if modes_per_feature is None:
        return LossSurface(sizes, times, model.losses(sizes[:, None], times), model.diagnostics())
    rows = [model.losses(np.full(times.size, size), times) for size in sizes]
    return LossSurface(
        sizes, times, np.array(rows).reshape(sizes.size, times.size), model.diagnostics()
    )


def compute_frontier(
    compute: ArrayLike,
    spectrum: Spectrum,
    *,
    dynamics: str = "sgd",
    batch: float = 1.0,
    learning_rate: float | None = None,
    relative_rate: float = 0.2,
    noise_variance: float = 0.0,
    modes_per_feature: float | None = None,
) -> ComputeFrontier:
    r"""Find the model size that makes the most of a compute budget.

    .. math:: L^*(C) = \min_N L(N, C/N)

    with the test loss L(N, t) of `online_sgd` or `gradient_flow` at real t; below 12 steps of the former the polynomial through
    the logarithms of the losses at 0 to 15 steps is taken, which continues what `online_sgd` returns from 12 steps on.

    Parameters
    ----------
    compute : array_like
        Budgets C = N t, 4 to 1e200.
    spectrum : PowerLawSpectrum or EmpiricalSpectrum
        Eigenvalues and signal powers. With `modes_per_feature` a power law, whose own size is not used.
    dynamics : {"sgd", "flow"}
        One-pass stochastic gradient descent, t in steps; or gradient flow on the population loss, t in units of one over an
        eigenvalue.
    batch : float
        B >= 1, for "sgd".
    learning_rate : float, optional
        For "sgd"; by default `relative_rate` over the trace of the spectrum. Model sizes at which it is unstable are left out.
    relative_rate : float
        Learning rate in units of one over the trace, where `learning_rate` is not given.
    noise_variance : float
        :math:`\sigma^2 \ge 0`, variance of the label noise, for "sgd".
    modes_per_feature : float, optional
        Let the number of modes grow with the model, M = round(this times N), as a capacity of at most one requires.

    Returns
    -------
    ComputeFrontier
        Best model size, time and loss of every budget, and their local exponents. Which phase a power law is in, and the
        exponents to which these tend, are told by the laws ``linear.compute`` and ``linear.compute_model``.

    Raises
    ------
    DomainError
        If an argument is out of range, or the best size lies at an end of the range, N = 1 or t = 1.

    Warns
    -----
    AccuracyWarning
        If losses are less accurate than 1e-8, or differences were taken between whole steps of a loss that is not smooth.

    Notes
    -----
    Features are assumed to be Gaussian, or to act as if they were; see the module.

    33 sizes at equal distances in the logarithm, then Brent's method between the neighbors of the best, then one Newton
    step with fourth-order differences, which give the exponents as well: about 60 losses per budget, 60 ms, and some 20 ms
    more for each below 12 steps. Losses are as accurate as the solver's, sizes to about 1e-5, exponents to 1e-4; with
    `modes_per_feature` no better than one mode. Where learning is so fast that losses at whole steps do not tell those in between
    to 1e-6, and the best time lies near or below 12 steps, sizes and exponents are as rough as powers between whole steps: to some
    percent. That is warned of.

    References
    ----------
    .. [1] E. Paquette, C. Paquette, L. Xiao, J. Pennington, "4+3 phases of compute-optimal neural scaling laws",
       arXiv:2405.15074.
    .. [2] B. Bordelon, A. Atanasov, C. Pehlevan, "A dynamical model of neural scaling laws", arXiv:2402.01092, sec. 4.

    Examples
    --------
    >>> from scalinglaws.solvers import PowerLawSpectrum
    >>> found = compute_frontier(1e14, PowerLawSpectrum.from_ab(1.7, 1.4))
    >>> print(f"{found.features:.3e} {found.loss:.6e} {found.loss_exponent:.3f}")
    8.943e+05 5.232612e-04 0.292
    """
    one_spectrum(spectrum, compute=compute)
    model = _Model(
        spectrum, dynamics, batch, learning_rate, relative_rate, noise_variance, modes_per_feature
    )
    budgets = numbers("compute", compute, low=4.0)
    if np.any(budgets > _LARGEST):
        raise refusal("compute", np.max(budgets), f"must be at most {_LARGEST:g}")
    rows = np.array([model.optimum(math.log(budget)) for budget in budgets.ravel()]).reshape(-1, 6)
    features, loss, loss_exponent, features_exponent, rate, slope = (
        shaped(column, budgets.shape) for column in rows.T
    )
    result = ComputeFrontier(
        compute=shaped(budgets.ravel(), budgets.shape),
        features=features,
        time=shaped(budgets.ravel() / np.ravel(features), budgets.shape),
        loss=loss,
        loss_exponent=loss_exponent,
        features_exponent=features_exponent,
        learning_rate=rate,
        diagnostics=model.diagnostics(float(np.max(np.abs(slope), initial=0.0))),
    )
    judged("compute_frontier", result, result.diagnostics)
    return result


class _Model:
    """The loss as a function of model size and time, with everything else fixed."""

    def __init__(
        self,
        spectrum: Spectrum,
        dynamics: str,
        batch: float,
        learning_rate: float | None,
        relative_rate: float,
        noise_variance: float,
        modes_per_feature: float | None,
    ) -> None:
        choice("dynamics", dynamics, DYNAMICS)
        for name, value in (
            ("batch", batch),
            ("relative_rate", relative_rate),
            ("learning_rate", learning_rate),
            ("noise_variance", noise_variance),
        ):
            if value is None:
                continue
            low, strict = (1.0, False) if name == "batch" else (0.0, name != "noise_variance")
            number(name, value, low=low, infinite=name == "batch", strict=strict)
        if dynamics == "flow" and (learning_rate is not None or noise_variance != 0 or batch != 1):
            raise refusal("dynamics", dynamics, "takes no batch, learning_rate or noise_variance")
        if modes_per_feature is not None:
            number("modes_per_feature", modes_per_feature, low=1)
            if not isinstance(spectrum, PowerLawSpectrum):
                raise refusal("modes_per_feature", modes_per_feature, "needs a power-law spectrum")
        self._spectrum, self._dynamics, self._batch = spectrum, dynamics, batch
        self._rate, self._relative_rate, self._noise, self._ratio = (
            learning_rate,
            relative_rate,
            noise_variance,
            modes_per_feature,
        )
        self._error, self._steps = 0.0, 0

    def spectrum(self, features: float) -> Spectrum:
        """Return the spectrum that a model of this size meets."""
        if self._ratio is None or not isinstance(self._spectrum, PowerLawSpectrum):
            return self._spectrum
        return PowerLawSpectrum(
            self._spectrum.alpha, self._spectrum.beta, float(max(round(self._ratio * features), 1))
        )

    def rate(self, features: float) -> float:
        """Return the learning rate at this size."""
        if self._dynamics == "flow":
            return 1.0
        if self._rate is not None:
            return self._rate
        modes = self.spectrum(features).modes()
        return self._relative_rate / float(modes.multiplicities @ modes.eigenvalues)

    def losses(self, features: Array, time: Array) -> Array:
        """Return losses of sizes and times that broadcast; with modes that grow with the size, of one size."""
        size = float(np.max(features))
        if self._dynamics == "flow":
            flow = gradient_flow(time, self.spectrum(size), features=features)
            found, diagnostics = flow.test_loss, flow.diagnostics
        else:
            sgd = online_sgd(
                time,
                self.spectrum(size),
                features=features,
                batch=self._batch,
                learning_rate=self.rate(size),
                noise_variance=self._noise,
            )
            # a loss that rounding hides is none: the search would settle among digits that mean nothing
            found = np.where(np.asarray(sgd.test_loss) > sgd.test_error, sgd.test_loss, 0.0)
            diagnostics = sgd.diagnostics
        self._error, self._steps = (
            max(self._error, diagnostics.error_estimate),
            max(self._steps, diagnostics.iterations),
        )
        return np.asarray(found)

    def _smooth_losses(self, features: Array, time: Array) -> Array:
        """Return losses of sizes and times alike in shape, without kinks at whole steps."""
        found = self.losses(features, time)
        if self._dynamics == "flow":
            return found
        for i in np.argwhere((time < FIRST) & (time != np.floor(time))):
            at = tuple(i)
            whole = self.losses(features[at], np.arange(float(KNOWN)))
            if roughness(whole) < SMOOTH:
                found[at] = continued(whole, float(time[at]))
        return found

    def _kinks(self, log_compute: float, features: float) -> float:
        """Return how far losses between the whole steps around a best time may be off, relative to them; 0 if they are smooth."""
        least = math.exp(log_compute - 4 * STEP) / features
        if self._dynamics == "flow" or least >= FIRST:
            return 0.0
        whole = self.losses(np.array(features), np.arange(float(KNOWN)))
        if roughness(whole) < SMOOTH:
            return 0.0
        bends = np.diff(np.log(whole[whole > 0]), 2)[max(math.floor(least) - 1, 0) :]
        return float(np.max(np.abs(bends), initial=PROMISED)) / 8

    def log_loss(self, log_features: ArrayLike, log_compute: ArrayLike) -> Array:
        """Return the logarithms of losses at sizes and budgets."""
        x, c = np.broadcast_arrays(np.asarray(log_features, float), np.asarray(log_compute, float))
        sizes, times = np.exp(x).ravel(), np.exp(c - x).ravel()
        with np.errstate(divide="ignore"):  # a loss of zero is refused by the search
            return self._log_losses(sizes, times).reshape(x.shape)

    def _log_losses(self, sizes: Array, times: Array) -> Array:
        if (
            self._ratio is None
        ):  # one column: the order of times along the last axis does not matter
            return np.asarray(np.log(self._smooth_losses(sizes[:, None], times[:, None])))
        return np.array(
            [
                float(np.log(self._smooth_losses(np.array([n]), np.array([t]))[0]))
                for n, t in zip(sizes, times, strict=True)
            ]
        )

    def _sizes(self, log_compute: float) -> Array:
        """Return the logarithms of the sizes to look at first."""
        x = np.linspace(0, log_compute, POINTS)
        if self._dynamics == "flow":
            return x

        def stable_at(n: float) -> bool:
            return bool(
                sgd_stability(
                    self.spectrum(n), features=n, batch=self._batch, learning_rate=self.rate(n)
                ).stable
            )

        if stable_at(
            1.0
        ):  # larger models are more stable, at one learning rate or at one over the trace
            return x
        stable = [stable_at(n) for n in np.exp(x)]
        if sum(stable) < 3:
            raise refusal(
                "learning_rate",
                self._rate,
                f"is unstable at (nearly) all model sizes up to {math.exp(log_compute):.3g}",
            )
        return x[stable]

    def optimum(self, log_compute: float) -> tuple[float, ...]:
        """Return best size, loss, exponents of loss and size, learning rate, and the slope left."""
        found = best_split(self.log_loss, self._sizes(log_compute), log_compute)
        self._error = max(self._error, self._kinks(log_compute, found.features))
        return (
            found.features,
            found.loss,
            found.loss_exponent,
            found.features_exponent,
            self.rate(found.features),
            found.slope,
        )

    def diagnostics(self, residual: float = 0.0) -> Diagnostics:
        """Return how good all losses so far were."""
        status = Status.LOST_ACCURACY if self._error > PROMISED else Status.CONVERGED
        return Diagnostics(status, residual, self._steps, METHOD, self._error)
