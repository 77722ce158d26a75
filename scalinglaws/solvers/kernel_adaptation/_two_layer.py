r"""A two-layer network of error functions that learns a polynomial of one direction: the unique mean-field solution."""

from __future__ import annotations

import math
import warnings
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from ...arguments import Array, Value, choice, number, numbers, one_row, refuse_first, whole
from ...errors import ExtrapolationWarning, refusal
from ...results import PROMISED, Diagnostics, Result, Status, judged
from ..catalogue import shows
from ..equivalents.kappa import renormalized_ridge
from ._dual import Maximum, Problem, Weights, climb, maximum
from ._overlaps import Features, nodes
from ._weight_law import far_weight, log_tilt, modes, output_powers, phase

FAR = 1.5
"""Size of a weight along the target beyond which it is far, by default."""
LARGEST_DEGREE = 41
_LARGEST = 1e9  # dimension: nodes are as dense as the prior is narrow
_NOISY = 0.25
_ORDER_ONE = 10.0
_ROUNDS = 200
_AGREEING = 1e-12
_APART = 1e-6


@shows(
    "learnability",
    "free_energy",
    "inflation",
    "kurtosis",
    "far_neurons",
    whole=("target", "degrees", "mixed"),
)
@dataclass(frozen=True)
class TwoLayer(Result):
    r"""The mean-field solution of a two-layer network.

    Attributes
    ----------
    target : ndarray, shape (features,)
        Components y of the target on normalized polynomials, in the order of `degrees` and then of `mixed`.
    degrees, mixed : tuple of int
        Degrees of the features that are followed.
    dimension, width, scale, readout_variance, weight_variance : float
        d, N, :math:`\chi`, :math:`\sigma_a^2`, :math:`\sigma_w^2`.
    perpendicular : str
        How the length of weights across the target was treated.
    ridge_per_sample : float
        :math:`\kappa' = \kappa_e/P`.
    samples, ridge, effective_ridge : float
        P, :math:`\kappa` and :math:`\kappa_e`; NaN where only their quotient was given.
    mean : ndarray, shape (features,)
        Components of the mean predictor, :math:`\bar f = Q t`.
    dual : ndarray, shape (features,)
        :math:`t = (y - \bar f)/\kappa'`.
    kernel : ndarray, shape (features, features)
        :math:`Q = \sigma_a^2 E_\pi[c\,c^T]`.
    free_energy : float
        F, at fixed :math:`\kappa'`.
    learnability : float
        :math:`y\cdot\bar f/|y|^2`; NaN without a target.
    inflation : float
        :math:`d\,E_\pi m^2/\sigma_w^2`: variance of the weights along the target over their prior's.
    kurtosis : float
        :math:`E m^4/(E m^2)^2` of the weights along the target; 3 under the prior.
    modes : ndarray, shape (n,)
        Modes of their law, from zero on; others mirror them.
    phase : str
        ``"Gaussian"``: a single mode, at zero. ``"GM-I"``: one pair. ``"GM-II"``: more, some of them far out.
    far_weight : float
        Probability of weights along the target beyond `far`.
    far : float
    far_neurons : float
        N times that: how many neurons are far out. Below one there are none in a network of this width.
    noise_share : float
        Size of what the noise of P samples adds to the force on a weight, over that of the target; NaN if P is not given.
    unique : bool
        Whether the effective ridge was the same from both ends; always at a given :math:`\kappa'`.
    cautions : tuple of str
        Why a finite network may do something else; empty if no reason is known.
    log_total, reach : float
        log Z of the law of one weight, and how far its nodes reach, over what is usual.
    diagnostics : Diagnostics
        Slope of the dual, Newton steps, and how much the number of nodes matters.
    """

    target: Array
    degrees: tuple[int, ...]
    mixed: tuple[int, ...]
    dimension: float
    width: float
    scale: float
    readout_variance: float
    weight_variance: float
    perpendicular: str
    ridge_per_sample: float
    samples: float
    ridge: float
    effective_ridge: float
    mean: Array
    dual: Array
    kernel: Array
    free_energy: float
    learnability: float
    inflation: float
    kurtosis: float
    modes: Array
    phase: str
    far_weight: float
    far: float
    far_neurons: float
    noise_share: float
    unique: bool
    cautions: tuple[str, ...]
    log_total: float
    reach: float
    diagnostics: Diagnostics

    def density(self, weight: ArrayLike) -> Value:
        r"""Compute the density of a weight along the target, :math:`\pi(m)`, over all lengths across it.

        Parameters
        ----------
        weight : array_like
            m, any finite number.

        Returns
        -------
        float or ndarray
            Of the shape of `weight`.

        Raises
        ------
        DomainError
            If a weight is not finite.

        Examples
        --------
        >>> found = two_layer([1, 0], dimension=100, width=1000, scale=1000, ridge_per_sample=0.01)
        >>> m = np.linspace(-3, 3, 6001)
        >>> found.phase, round(float(np.trapezoid(found.density(m), m)), 9)
        ('GM-I', 1.0)
        """
        m = np.minimum(np.abs(numbers("weight", weight)), 1e100)  # whose square is a number
        problem = _problem(self)
        rule = nodes(
            self.dimension,
            self.weight_variance,
            integrated=problem.integrated,
            reach=self.reach,
        )
        tilts, _ = log_tilt(problem, self.dual, rule, m.ravel())
        stiffness = self.dimension / self.weight_variance
        logs = tilts.reshape(m.shape) - stiffness * m**2 / 2 - self.log_total
        found = np.exp(logs + 0.5 * math.log(stiffness / (2 * math.pi)))
        return float(found) if found.ndim == 0 else found


def two_layer(
    target: ArrayLike,
    *,
    dimension: int,
    width: float,
    ridge_per_sample: float | None = None,
    samples: float | None = None,
    ridge: float | None = None,
    scale: float = 1.0,
    degrees: Sequence[int] = (1, 3),
    mixed: Sequence[int] = (),
    perpendicular: str = "integrated",
    readout_variance: float = 1.0,
    weight_variance: float = 1.0,
    far: float = FAR,
    on_failure: str = "raise",
) -> TwoLayer:
    r"""Solve the mean-field equations of a Bayesian two-layer network whose target depends on one direction.

    .. math:: f(x) = \sum_{c \le N} a_c\,\mathrm{erf}(w_c\cdot x), \qquad w_c \sim N(0, \tfrac{\sigma_w^2}{d} 1), \quad
              a_c \sim N(0, \tfrac{\sigma_a^2}{N\chi}), \qquad y = \sum_k y_k \frac{He_k(w_*\cdot x)}{\sqrt{k!}}, \quad x \sim N(0, 1_d).

    A weight with :math:`m = w\cdot w_*` has the overlaps :math:`c(w)` with the features that are followed. For many neurons and
    samples, at fixed :math:`\chi/N` and :math:`\kappa' = \kappa_e/P`,

    .. math:: Q = \sigma_a^2 E_\pi[c\,c^T], \quad t = (Q + \kappa')^{-1} y, \quad \bar f = Q t, \quad
              \pi(w) \propto \pi_0(w)\, e^{\frac{\chi\sigma_a^2}{2N} (t\cdot c(w))^2}.

    These are stationarity of :math:`F[\pi] = N\,KL(\pi\|\pi_0) + \frac\chi2 y^T(Q + \kappa')^{-1}y`, which is strictly convex:
    the solution is unique. It maximizes the concave dual
    :math:`\Phi(t) = \chi\,y\cdot t - \frac\chi2\kappa'|t|^2 - N\log E_{\pi_0} e^{\frac{\chi\sigma_a^2}{2N}(t\cdot c)^2}`.

    Parameters
    ----------
    target : array_like, shape (len(degrees),)
        Components :math:`y_k` on normalized Hermite polynomials: :math:`(1, \sqrt6\,\epsilon)` for :math:`z + \epsilon He_3(z)`.
    dimension : int
        d, from 1 to 1e9.
    width : float
        N, >= 1.
    ridge_per_sample : float, optional
        :math:`\kappa' > 0`. Either this or both of `samples` and `ridge`.
    samples, ridge : float, optional
        P >= 1 and :math:`\kappa > 0`, from which :math:`\kappa_e` follows: the kernel's modes that are not followed act as ridge.
    scale : float
        :math:`\chi > 0`: 1 is the standard scale, N the mean-field one.
    degrees : sequence of int
        Odd degrees k of features of the target's direction alone, in rising order.
    mixed : sequence of int
        Odd degrees k of features :math:`He_k(z)\,(|x_\perp|^2 - d + 1)`, on which the target has no component. They matter at
        moderate d, as the root of 1/d.
    perpendicular : {"integrated", "concentrated"}
        Whether the squared length of a weight across the target is integrated over its prior, or taken at its mean.
    readout_variance, weight_variance : float
        :math:`\sigma_a^2` and :math:`\sigma_w^2`, > 0.
    far : float
        Size of a weight along the target beyond which it counts as far, > 0.
    on_failure : {"raise", "return"}
        What to do if the dual is not at its maximum.

    Returns
    -------
    TwoLayer
        Mean predictor, dual, free energy, the law of a weight with its modes, and cautions.

    Raises
    ------
    DomainError
        If an argument is out of range.
    ConvergenceError
        If the dual or the effective ridge is not solved; the result is attached.

    Warns
    -----
    ExtrapolationWarning
        For each of ``cautions``: :math:`\chi` of order one, for which fluctuations that the equations drop are not small; a far
        mode with less than one neuron in it; too few samples for averages over all inputs; an effective ridge that is not unique.

    Notes
    -----
    Damped Newton steps from t = 0; 5 to 15 of them. With `perpendicular` concentrated about 4 ms, integrated 30 ms, ten times that
    with far modes. The trapezoid rule in m and in the logarithm of :math:`\rho`, compared with the points between its nodes; free
    energy and mean predictor are accurate to 1e-12.

    Uniqueness holds at fixed :math:`\kappa_e`. Where that depends on Q, at small ridge, the equations are solved from two starts: the
    largest and the least that :math:`\kappa_e` can be. ``unique`` says whether they agree; if not, the result is the one with more
    ridge, and a caution says so. In :math:`\kappa_e`, the d - 1 other linear modes count with their own eigenvalue, and what else
    a neuron's output holds as white noise, right for :math:`P\lambda \ll \kappa_e`.

    References
    ----------
    .. [1] Z. Ringel et al., "Applications of statistical field theory in deep learning", arXiv:2502.18553.
    .. [2] N. Rubin, I. Seroussi, Z. Ringel, "Grokking as a first order phase transition in two layer networks", arXiv:2310.03789.

    Examples
    --------
    >>> found = two_layer([1, 0.1 * math.sqrt(6)], dimension=100, width=1000, scale=1000, ridge_per_sample=1e-3,
    ...                   perpendicular="concentrated")
    >>> found.mean.round(9), found.phase, found.modes.round(3)
    (array([0.96856433, 0.04314106]), 'GM-II', array([0.364, 2.416]))
    """
    problem = checked_problem(
        target,
        dimension=dimension,
        width=width,
        scale=scale,
        degrees=degrees,
        mixed=mixed,
        perpendicular=perpendicular,
        readout_variance=readout_variance,
        weight_variance=weight_variance,
    )
    cut = number("far", far, low=0.0, strict=True)
    choice("on_failure", on_failure, ("raise", "return"))
    given = _ridges(ridge_per_sample, samples, ridge)
    result = solution(problem, *given, cut)
    judged("two_layer", result, result.diagnostics, on_failure)
    for caution in result.cautions:
        warnings.warn(f"two_layer: {caution}", ExtrapolationWarning, stacklevel=2)
    return result


def checked_problem(
    target: ArrayLike,
    *,
    dimension: int,
    width: float,
    scale: float,
    degrees: Sequence[int],
    mixed: Sequence[int],
    perpendicular: str,
    readout_variance: float,
    weight_variance: float,
) -> Problem:
    """Check the arguments that all functions of a two-layer network share."""
    d = float(whole("dimension", dimension, high=_LARGEST))
    along = odd_degrees("degrees", degrees)
    both = odd_degrees("mixed", mixed) if np.size(mixed) else ()
    if not along:
        raise refusal("degrees", degrees, "must hold at least one odd number")
    if both and not d > 1:
        raise refusal("dimension", dimension, "must be > 1 for mixed features")
    y = one_row("target", target)
    if y.size != len(along):
        complaint = f"must have one component for each of the {len(along)} degrees; got {y.size}"
        raise refusal("target", target, complaint, shown=False)
    refuse_first("target", y, np.abs(y) > 1e6, "must lie between -1e+06 and 1e+06")
    return Problem(
        target=np.append(y, np.zeros(len(both))),
        features=Features(along, both, d),
        width=number("width", width, low=1.0, high=1e30),
        scale=number("scale", scale, low=1e-30, high=1e30),
        readout_variance=number("readout_variance", readout_variance, low=1e-30, high=1e30),
        weight_variance=number("weight_variance", weight_variance, low=1e-12, high=1e12),
        integrated=choice("perpendicular", perpendicular, ("integrated", "concentrated"))
        == "integrated",
    )


def odd_degrees(name: str, value: Sequence[int]) -> tuple[int, ...]:
    """Return odd degrees, checked and in rising order."""
    row = one_row(name, value, low=1.0, increasing=True)
    complaint = f"must be an odd number from 1 to {LARGEST_DEGREE}: the error function is odd"
    refuse_first(name, row, (row % 2 != 1) | (row > LARGEST_DEGREE), complaint)
    return tuple(int(k) for k in row)


def _ridges(
    per_sample: float | None, samples: float | None, ridge: float | None
) -> tuple[float, float, float]:
    if (per_sample is None) == (samples is None or ridge is None) or (
        per_sample is not None and (samples is not None or ridge is not None)
    ):
        raise refusal(
            "ridge_per_sample",
            per_sample,
            "or both of samples and ridge must be given, and nothing else",
        )
    if per_sample is not None:
        value = number("ridge_per_sample", per_sample, low=1e-30, high=1e30)
        return value, math.nan, math.nan
    return (
        math.nan,
        number("samples", samples, low=1.0, high=1e30),
        number("ridge", ridge, low=1e-30, high=1e30),
    )


def solution(
    problem: Problem, per_sample: float, samples: float, ridge: float, far: float = FAR
) -> TwoLayer:
    """Solve a checked problem at a given effective ridge per sample, or at given samples and ridge."""
    start = np.zeros(problem.target.size)
    effective, unique, rounds = math.nan, True, 0
    if math.isnan(per_sample):
        most, rounds = _self_consistent(problem, samples, ridge, ridge + problem.readout_variance)
        least, more = _self_consistent(problem, samples, ridge, ridge)
        unique = abs(most - least) <= _APART * most
        effective, rounds = most, max(rounds, more)
        per_sample = effective / samples
    found, weights, change = maximum(problem, per_sample, start)
    y, mean = problem.target, found.kernel @ found.t
    power = float(y @ y)
    square = float(found.share @ weights.m**2)
    positions = modes(problem, found.t, weights.rule)
    beyond = far_weight(found, weights, far)
    noise = _noise_share(problem, found, weights, samples, effective)
    solved = found.residual < PROMISED and rounds < _ROUNDS
    cautions = _cautions(problem, positions, problem.width * beyond, far, noise, unique)
    return TwoLayer(
        target=y,
        degrees=problem.features.degrees,
        mixed=problem.features.mixed,
        dimension=problem.features.dimension,
        width=problem.width,
        scale=problem.scale,
        readout_variance=problem.readout_variance,
        weight_variance=problem.weight_variance,
        perpendicular="integrated" if problem.integrated else "concentrated",
        ridge_per_sample=per_sample,
        samples=samples,
        ridge=ridge,
        effective_ridge=effective,
        mean=mean,
        dual=found.t,
        kernel=found.kernel,
        free_energy=found.value,
        learnability=float(y @ mean) / power if power > 0 else math.nan,
        inflation=square * problem.features.dimension / problem.weight_variance,
        kurtosis=float(found.share @ weights.m**4) / square**2,
        modes=np.array(positions),
        phase=phase(positions),
        far_weight=beyond,
        far=far,
        far_neurons=problem.width * beyond,
        noise_share=noise,
        unique=unique,
        cautions=cautions,
        log_total=found.log_total,
        reach=weights.reach,
        diagnostics=Diagnostics(
            status=Status.MAX_ITERATIONS
            if not solved
            else Status.LOST_ACCURACY
            if change > PROMISED
            else Status.CONVERGED,
            residual=found.residual,
            iterations=max(found.steps, rounds),
            method="damped Newton on the concave dual",
            error_estimate=max(change, found.residual),
        ),
    )


def _problem(result: TwoLayer) -> Problem:
    return Problem(
        result.target,
        Features(result.degrees, result.mixed, result.dimension),
        result.width,
        result.scale,
        result.readout_variance,
        result.weight_variance,
        result.perpendicular == "integrated",
    )


def _self_consistent(
    problem: Problem, samples: float, ridge: float, start: float
) -> tuple[float, int]:
    """Iterate the effective ridge from one end of its range; return it and the number of rounds."""
    effective = start
    found, weights, _ = maximum(problem, effective / samples, np.zeros(problem.target.size))
    for count in range(_ROUNDS):
        after = _effective_ridge(problem, found, weights, samples, ridge)
        if abs(after - effective) <= _AGREEING * effective:
            return after, count
        effective = after
        found = climb(problem, effective / samples, weights, found.t)
    return effective, _ROUNDS


def _effective_ridge(
    problem: Problem, found: Maximum, weights: Weights, samples: float, ridge: float
) -> float:
    """Solve for the effective ridge of the kernel that goes with one law of weights."""
    whole, linear = output_powers(problem, found, weights)
    share = problem.readout_variance
    others = problem.features.dimension - 1
    followed = np.maximum(np.linalg.eigvalsh(found.kernel), 0.0)
    rest = max(share * (whole - others * linear) - float(followed.sum()), 0.0)
    eigenvalues = np.append(followed, share * linear)
    multiplicities = np.append(np.ones(followed.size), others)
    kept = (eigenvalues > 0) & (multiplicities > 0)
    eigenvalues, multiplicities = eigenvalues[kept], multiplicities[kept]
    if eigenvalues.size == 0:
        return ridge + rest
    trace = float(eigenvalues @ multiplicities)
    size = float(multiplicities.sum())
    root, _ = renormalized_ridge(
        eigenvalues, multiplicities, size, trace, samples, 0.0, 1.0, (ridge + rest) / samples
    )
    return samples * float(root)


def _noise_share(
    problem: Problem, found: Maximum, weights: Weights, samples: float, effective: float
) -> float:
    r"""Compare the noise of P samples in :math:`\sum_\mu \tilde y_\mu\,\mathrm{erf}(w\cdot x_\mu)` with its mean, :math:`t\cdot c(w)`."""
    if math.isnan(samples):
        return math.nan
    rest = problem.target - found.kernel @ found.t
    whole, _ = output_powers(problem, found, weights)
    noise = samples * float(rest @ rest) * whole / effective**2
    signal = float(found.share @ (found.t @ weights.components) ** 2)
    return math.sqrt(noise / signal) if signal > 0 else math.nan


def _cautions(
    problem: Problem,
    positions: list[float],
    far_neurons: float,
    far: float,
    noise: float,
    unique: bool,
) -> tuple[str, ...]:
    found = []
    if problem.scale < _ORDER_ONE:
        found.append(
            f"scale = {problem.scale:g} is of order one: the equations drop the fluctuations of the readout, which then matter"
        )
    if any(m > far for m in positions) and far_neurons < 1:
        found.append(
            f"only {far_neurons:.2g} neurons are in a far mode: a network of this width has none there, and its law of weights is another"
        )
    if noise > _NOISY:
        found.append(
            f"too few samples for averages over all inputs: their noise moves weights by {noise:.0%} of what the target does"
        )
    if not unique:
        found.append(
            "the effective ridge has more than one solution: this is the one with more ridge"
        )
    return tuple(found)
