"""How many samples a mode cannot be learned with, by bounds averaged over data sets."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from ...arguments import Array, Value, broadcast, numbers, refuse_first, shaped
from ...results import Result
from .._eigenvalues import spectrum_of
from .._jit import njit
from .._roots import brentq
from ..catalogue import shows
from ..equivalents.kappa import renormalized_ridge
from ..spectra import Modes, Spectrum
from ._exponent import MOST, best_exponent
from ._half import samples_at
from ._posterior import checked_costs
from ._spectrum import chosen_modes

_DEPTH = 70  # octaves of an infinite spectrum to begin with
_EVEN = -math.log(2)  # as likely learned as not
_MOST_SAMPLES = 1e280
_LEAST_RIDGE, _MOST_RIDGE = 1e-100, 1e100
_LOG_RANGE = 600.0  # of kappa / P over the eigenvalue
_LEAST_LOG = -700.0  # of kappa / P


@shows(
    *("mode_eigenvalue", "jensen", "evidence", "hoelder", "half", "population", "leading", "cost"),
    one_by_one=("ridge", "alignment", "noise_variance", "log_odds"),
)
@dataclass(frozen=True)
class Unlearnability(Result):
    r"""Numbers of samples up to which a mode cannot be learned.

    All fields have the broadcast shape of the arguments, with all modes as the last axis if none is chosen; scalars in, floats out.
    Numbers are infinite beyond 1e280.

    Attributes
    ----------
    mode_eigenvalue, ridge, alignment, noise_variance, log_odds : float or ndarray
        As given.
    cost : float or ndarray
        :math:`C(\alpha)` of the alignment under the prior.
    jensen : float or ndarray
        P at which the bound by Jensen's inequality reaches the log odds.
    evidence : float or ndarray
        The same of the bound by the evidence.
    hoelder : float or ndarray
        The same of the bound by Hölder's inequality with the best exponent: the sharpest of the three.
    exponent : float or ndarray
        That exponent p.
    population : float or ndarray
        :math:`2 \sigma^2 C / (\mathrm{Tr} K + \langle y^2 \rangle)`, where Jensen's bound says nothing any more: `jensen` at log odds 0.
    leading : float or ndarray
        :math:`\sigma^2 / [\lambda_k (\mathrm{Tr} K + \langle y^2 \rangle)]`, `population` of the whole target with
        :math:`C = 1 / (2 \lambda_k)`.
    half : float or ndarray
        :math:`P_{1/2}` for comparison, where the mode's learnability is one half.
    """

    mode_eigenvalue: Value
    ridge: Value
    alignment: Value
    noise_variance: Value
    log_odds: Value
    cost: Value
    jensen: Value
    evidence: Value
    hoelder: Value
    exponent: Value
    population: Value
    leading: Value
    half: Value


def unlearnability(
    spectrum: Spectrum | ArrayLike,
    *,
    ridge: ArrayLike,
    mode_eigenvalue: ArrayLike | None = None,
    alignment: ArrayLike = 0.5,
    noise_variance: ArrayLike = 0.0,
    log_odds: ArrayLike = _EVEN,
) -> Unlearnability:
    r"""Bound from below how many samples it takes to learn one mode of a kernel.

    The target is the normalized mode, :math:`y = \phi_k`, perhaps with noise; it counts as learned when the posterior of the Gaussian
    process gives the alignment :math:`A = \langle f, \phi_k\rangle \ge \alpha` a probability of which the logarithm is `log_odds`. The
    bounds of `posterior_bound` are taken at their mean over data sets,

    .. math:: \ln\pi \le -C + P\,\frac{\mathrm{Tr}K + \langle y^2\rangle}{2\sigma^2}, \qquad
              \ln\pi \le -C + E_1, \qquad \ln\pi \le -\Big(1 - \frac1p\Big)C + E_1 - \frac{E_p}{p},

    .. math:: E_1 \simeq \frac12\Big[\sum_j \ln\Big(1 + \frac{P\lambda_j}{\kappa}\Big) + P\Big(\ln\frac{\kappa}{\sigma^2} - 1
              + \frac{\sigma^2}{\kappa}\Big)\Big] + \frac12\sum_j \frac{P y_j^2}{\kappa + P\lambda_j},

    :math:`E_p` being :math:`E_1` at the ridge :math:`\sigma^2/p`, and :math:`\kappa` that of `effective_ridge`.

    Parameters
    ----------
    spectrum : PowerLawSpectrum, EmpiricalSpectrum or array_like, shape (n,)
        Eigenvalues :math:`\lambda_j > 0` of the kernel.
    ridge : array_like
        :math:`\sigma^2`, added to the Gram matrix with no 1/P; from 1e-100 to 1e100. All arguments broadcast.
    mode_eigenvalue : array_like, optional
        :math:`\lambda_k > 0`, the mode's. By default of all modes, in the order given, as the last axis; the spectrum must then be
        finite.
    alignment : array_like
        :math:`\alpha \ge 0`; the target has 1.
    noise_variance : array_like
        Of the labels' noise, or power of the target in directions that are not learned, >= 0: it adds to the
        mode's own power, 1.
    log_odds : array_like
        Natural logarithm of the probability that counts as learned, < 0; by default of one half.

    Returns
    -------
    Unlearnability
        Samples at which each bound is reached, and :math:`P_{1/2}`.

    Raises
    ------
    DomainError
        If an argument is out of range, or modes are needed beyond what floating-point numbers hold.

    Notes
    -----
    With the mean of Jensen's bound, `jensen` is exact on average over data sets. The means in the other two are the leading order in
    many samples, and a rough guide at numbers near one; `posterior_bound` is exact for each data set. All numbers are 0 where
    the prior itself has the odds, and infinite where a bound says that the alignment is never reached. At small ridge the
    numbers of Jensen's bound are far below :math:`P_{1/2}`, which is the estimate to quote.

    The numbers solve their equations to 1e-9, relative; some 10 ms for each mode of a spectrum of 400.

    References
    ----------
    .. [1] N. Rubin, O. Davidovich, Z. Ringel, arXiv:2512.04165 (patterns of feature learning).

    Examples
    --------
    >>> found = unlearnability(np.arange(1, 401.0) ** -2, mode_eigenvalue=0.01, ridge=0.1)
    >>> print(f"{found.jensen:.4f} {found.evidence:.4f} {found.hoelder:.4f} {found.half:.4f}")
    1.0878 7.3931 9.3218 24.9583
    """
    given = spectrum_of("spectrum", spectrum)
    odds = numbers("log_odds", log_odds)
    refuse_first("log_odds", odds, odds >= 0, "must be < 0, the logarithm of a probability")
    others = {
        "ridge": numbers("ridge", ridge, low=_LEAST_RIDGE, high=_MOST_RIDGE),
        "alignment": numbers("alignment", alignment, low=0.0),
        "noise_variance": numbers("noise_variance", noise_variance, low=0.0, high=1e100),
        "log_odds": odds,
    }
    checked = chosen_modes(given, mode_eigenvalue, others, "bounds")
    shape, flat = broadcast(checked)
    eigenvalue, variance, a, noise, odds = flat
    cost = checked_costs(eigenvalue, a, shape)
    modes = given.modes()
    power = float(modes.multiplicities @ modes.eigenvalues) + 1 + noise
    with np.errstate(over="ignore"):
        columns = {
            "cost": cost,
            "jensen": 2 * variance * np.maximum(cost + odds, 0.0) / power,
            "population": 2 * variance * cost / power,
            "leading": variance / (eigenvalue * power),
            "half": samples_at(given, eigenvalue, variance, np.full(cost.shape, 0.5)),
        }
    rows = [
        _reached(given, *element)
        for element in zip(
            *(array.tolist() for array in (cost, odds, eigenvalue, variance, noise)), strict=True
        )
    ]
    columns |= zip(
        ("evidence", "hoelder", "exponent"), np.array(rows).reshape(-1, 3).T, strict=True
    )
    arrays = dict(zip(checked, flat, strict=True)) | columns
    return Unlearnability(**{name: shaped(array, shape) for name, array in arrays.items()})


@dataclass(frozen=True)
class _Mean:
    """Means over data sets of evidences, for one mode as the target."""

    modes: Modes
    trace: float
    eigenvalue: float
    ridge: float
    noise: float

    def along(self, log_t: float) -> tuple[float, float]:
        """Return E_1 and the samples at a ratio t = kappa/P."""
        t, m = math.exp(log_t), self.modes
        value, _, samples = _evidence(
            m.eigenvalues, m.multiplicities, t, self.ridge, 1.0, self.eigenvalue, self.noise
        )
        return value, samples

    def at(self, samples: float, log_p: float) -> tuple[float, float]:
        """Return E_p/p and E_p minus its derivative in ln p."""
        m, part = self.modes, math.exp(-log_p)
        ridge = self.ridge * part
        t, _ = renormalized_ridge(
            m.eigenvalues, m.multiplicities, m.size, self.trace, samples, 0.0, 1.0, ridge / samples
        )
        value, rest, _ = _evidence(
            m.eigenvalues, m.multiplicities, t, ridge, part, self.eigenvalue, self.noise
        )
        return value, rest


def _reached(
    spectrum: Spectrum, cost: float, odds: float, eigenvalue: float, ridge: float, noise: float
) -> tuple[float, float, float]:
    """Return where the bounds by evidence and by Hölder's inequality reach the odds, and the exponent there."""
    if cost + odds <= 0:
        return 0.0, 0.0, 1.0
    depth, needed = 0, _DEPTH
    while needed > depth:  # an infinite spectrum, resolved to what so many samples learn
        depth = needed
        modes = spectrum.modes(depth)
        trace = float(modes.multiplicities @ modes.eigenvalues)
        found = _crossings(cost, odds, _Mean(modes, trace, eigenvalue, ridge, noise))
        if math.isinf(found[1]):
            return found
        needed = spectrum.depth_for(found[1], ridge / found[1])
    return found


def _crossings(cost: float, odds: float, mean: _Mean) -> tuple[float, float, float]:
    """Return the same for modes that are resolved."""
    least = cost + odds  # what E_1 must reach
    middle = math.log(mean.eigenvalue)
    log_t = _falling_root(lambda x: mean.along(x)[0] - least, middle)
    if log_t == -math.inf:
        return math.inf, math.inf, math.inf
    by_evidence = mean.along(log_t)[1]
    if not by_evidence < _MOST_SAMPLES:
        return math.inf, math.inf, math.inf

    def excess(log_samples: float) -> float:
        return -least + mean.at(math.exp(log_samples), 0.0)[0] + best(log_samples)[1]

    def best(log_samples: float) -> tuple[float, float]:
        samples = math.exp(log_samples)
        most = min(MOST, math.log(mean.ridge / samples) + MOST)
        return best_exponent(cost, lambda log_p: mean.at(samples, log_p), most)

    low = high = math.log(by_evidence)
    step = 0.25
    while excess(high) < 0:
        low, high, step = high, high + step, 2 * step
        if high > math.log(_MOST_SAMPLES):
            return by_evidence, math.inf, math.inf
    found = low if low == high else float(brentq(excess, low, high, xtol=1e-12, rtol=1e-13))
    return by_evidence, math.exp(found), best(found)[0]


def _falling_root(function: Callable[[float], float], middle: float) -> float:
    """Return the root of a function that falls, or minus infinity if it is not positive even far down."""
    low = high = middle
    step = 1.0
    while not function(low) >= 0:  # nor where it leaves the range of floating-point numbers
        low, step = low - step, 2 * step
        if middle - low > _LOG_RANGE or low < _LEAST_LOG:
            return -math.inf
    step = 1.0
    while function(high) >= 0:
        high, step = high + step, 2 * step
    return float(brentq(function, low, high, xtol=1e-13, rtol=1e-14, maxiter=500))


@njit
def _evidence(
    eigenvalues: Array,
    multiplicities: Array,
    t: float,
    ridge: float,
    part: float,
    eigenvalue: float,
    noise: float,
) -> tuple[float, float, float]:
    """Return the means of E_p/p and of E_p minus its derivative in ln p, and P, from t = kappa/P at ridge = sigma^2/p."""
    logs, filled, d = 0.0, 0.0, 0.0
    for k in range(eigenvalues.size):
        share = eigenvalues[k] / (eigenvalues[k] + t)
        logs += multiplicities[k] * math.log1p(eigenvalues[k] / t)
        filled += multiplicities[k] * share
        d += multiplicities[k] * share * (1.0 - share)
    empty = ridge / t
    samples = empty + filled
    excess = filled / empty  # kappa/ridge - 1
    logs += samples * (math.log1p(excess) - excess / (1.0 + excess))
    inverse = 1.0 / (eigenvalue + t)
    value = part * (logs + inverse) + noise * (part / t)
    # the logarithms are stationary in kappa, the quadratic form is not: t turns by ridge/(empty + d) with ln p
    turn = 1.0 / (empty + d)
    rest = logs - filled + inverse * (1.0 - ridge * inverse * turn) + noise / t * (d * turn)
    return 0.5 * value, 0.5 * rest, samples
