"""How many samples an alignment with the target takes, and what it costs: the dictionary between the two."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from ...arguments import Array, Value, broadcast, numbers, refuse_first, shaped, whole_numbers
from ...errors import ExtrapolationWarning, refusal
from ...results import Result
from .._roots import brentq
from ..catalogue import shows
from ..patterns import aligned_neurons
from ._dual import Maximum, Problem, Weights, maximum
from ._overlaps import amplitude
from ._two_layer import checked_problem, odd_degrees
from ._weight_law import far_weight

_LARGEST_DEGREE = 15  # of a single feature
_LARGEST_DIMENSION = 10**9
_LEAST, _MOST = 1e-30, 1e30  # of what must be positive
_PER_DECADE = 8  # ridges at which several modes are followed
_DECADES = 16
_BISECTIONS = 200


@shows(
    "samples_per_ridge",
    "cost",
    "tilt",
    "variance",
    "specialized",
    whole=("degree", "target"),
    counted=("dimension",),
)
@dataclass(frozen=True)
class SamplesForAlignment(Result):
    r"""Samples and cost of an alignment.

    All fields but `degree` and `target` have the broadcast shape of the arguments; scalars in, floats out.

    Attributes
    ----------
    alignment, dimension, width, scale, readout_variance, weight_variance : float or ndarray
        As given.
    degree : tuple of int
        Degrees of the features that are followed.
    target : tuple of float
        Components of the target on them; empty where a single one varies.
    samples_per_ridge : float or ndarray
        :math:`P/\kappa_e`, where the mean predictor reaches the alignment.
    cost : float or ndarray
        I, minus the logarithm of the prior probability of that predictor.
    tilt : float or ndarray
        :math:`\tau`; weights are tilted by :math:`e^{\tau(\hat t\cdot c)^2}` with a unit vector :math:`\hat t`.
    variance : float or ndarray
        :math:`v = E_\pi(\hat t\cdot c)^2`.
    learned : float or ndarray
        Sum of the learnabilities of the features that are followed, :math:`\mathrm{Tr}\,Q(Q + \kappa')^{-1}`.
    specialized : float or ndarray
        Expected number of neurons that specialize. Below one the width is too small for the mean-field cost: a single neuron
        carries the target, and the points of the next four fields hold.
    spinodal_alignment, spinodal : float or ndarray
        Alignment at which a single neuron carries the target with the fewest samples, and their :math:`P/\kappa_e`: the aligned
        state exists from there on. A linear target is learned continuously, from alignment 0. NaN for several features.
    maxwell_alignment, maxwell : float or ndarray
        Where the free energy of that state is as low as without alignment.
    monotone : bool
        Whether more samples gave more alignment wherever that was tried; always for one feature.
    """

    alignment: Value
    dimension: Value
    width: Value
    scale: Value
    readout_variance: Value
    weight_variance: Value
    degree: tuple[int, ...]
    target: tuple[float, ...]
    samples_per_ridge: Value
    cost: Value
    tilt: Value
    variance: Value
    learned: Value
    specialized: Value
    spinodal_alignment: Value
    spinodal: Value
    maxwell_alignment: Value
    maxwell: Value
    monotone: bool

    def samples(
        self,
        ridge: ArrayLike,
        *,
        eigenvalues: ArrayLike = (),
        multiplicities: ArrayLike | None = None,
    ) -> Value:
        r"""Compute the number of samples at a ridge, with what the kernel's other modes add to it.

        .. math:: P = \frac{\kappa}{\kappa'} + \mathrm{Tr}\,Q(Q + \kappa')^{-1} + \sum_j \frac{g_j\lambda_j}{\kappa' + \lambda_j},
                  \qquad \kappa' = \frac{\kappa_e}{P}

        Parameters
        ----------
        ridge : array_like
            :math:`\kappa \ge 0`; broadcast against the result.
        eigenvalues : array_like, shape (n,)
            :math:`\lambda_j \ge 0` of modes that are not followed.
        multiplicities : array_like, shape (n,), optional
            :math:`g_j \ge 0`; one each by default.

        Returns
        -------
        float or ndarray
            P.

        Raises
        ------
        DomainError
            If an argument is out of range, or shapes do not fit.

        Examples
        --------
        >>> found = samples_for_alignment(0.5, dimension=100, width=100)
        >>> round(found.samples(1.0), 6), round(found.samples(1.0, eigenvalues=[1e-3], multiplicities=[99]), 6)
        (1916.555287, 1981.605313)
        """
        kappa = numbers("ridge", ridge, low=0.0)
        values = np.atleast_1d(numbers("eigenvalues", eigenvalues, low=0.0))
        counts = np.ones(values.shape)
        if multiplicities is not None:
            counts = np.atleast_1d(numbers("multiplicities", multiplicities, low=0.0))
        if values.ndim != 1 or values.shape != counts.shape:
            raise refusal(
                "eigenvalues",
                values.shape,
                f"and multiplicities must be rows of one length; got {values.shape} and {counts.shape}",
                shown=False,
            )
        found = {name: np.asarray(getattr(self, name)) for name in ("samples_per_ridge", "learned")}
        shape, (own, rate, learned) = broadcast({"ridge": kappa, **found})
        with np.errstate(under="ignore"):
            others = np.array([counts @ (values / (1 / each + values)) for each in rate])
        return shaped(own * rate + learned + others, shape)


def samples_for_alignment(
    alignment: ArrayLike,
    *,
    dimension: ArrayLike,
    width: ArrayLike,
    scale: ArrayLike = 1.0,
    readout_variance: ArrayLike = 1.0,
    weight_variance: ArrayLike = 1.0,
    degree: int | Sequence[int] = 3,
    target: ArrayLike = 1.0,
) -> SamplesForAlignment:
    r"""Compute how many samples a two-layer network needs to be aligned with its target, and what the alignment costs.

    The free energy of `two_layer` is :math:`F = \min_A\,[I(A) + \frac{\chi}{2\kappa'}|y - A|^2]` with the cost of a predictor A,

    .. math:: I(A) = \min_\pi\Big[N\,KL(\pi\|\pi_0) + \frac\chi2\, A^T Q[\pi]^{-1} A\Big], \qquad \nabla I = \chi\,\frac{y - A}{\kappa'} .

    For one feature, :math:`A = \alpha y` and :math:`v = E_\pi c^2`,

    .. math:: \tau = \frac{\chi\alpha^2y^2}{2N\sigma_a^2v^2}, \qquad
              \frac{P_\alpha}{\kappa_e} = \frac{\alpha}{(1-\alpha)\,\sigma_a^2 v} = \frac{I'(\alpha)}{\chi y^2 (1-\alpha)} .

    Parameters
    ----------
    alignment : array_like
        :math:`\alpha = y\cdot\bar f/|y|^2`, from 1e-12 to 1, which is excluded. Broadcasts, as do sizes and variances.
    dimension : array_like
        d, whole, from 1 to 1e9.
    width : array_like
        N, from 1 to 1e20.
    scale : array_like
        :math:`\chi > 0`.
    readout_variance, weight_variance : array_like
        :math:`\sigma_a^2` and :math:`\sigma_w^2`, > 0.
    degree : int or sequence of int
        The feature that is followed, :math:`He_k/\sqrt{k!}` with k odd, up to 15; or several, in rising order.
    target : array_like
        Component y of the target on it, not 0; it broadcasts. For several features, their components.

    Returns
    -------
    SamplesForAlignment
        Samples per ridge, cost, tilt, and where a single neuron carries the target.

    Raises
    ------
    DomainError
        If an argument is out of range.

    Warns
    -----
    ExtrapolationWarning
        For several features, if more samples did not give more alignment everywhere: the result is where it is first reached.

    Notes
    -----
    One feature: the law of neurons is that of the patterns theory, `scalinglaws.solvers.patterns.aligned_neurons`, with the dimension
    and the width rescaled. Exact for these equations, accurate to 1e-11; :math:`\tau v^2` rises with the tilt, so there is one
    root, and P with the alignment. 2 ms an element. The squared length of weights across the target is taken at its mean.

    A single neuron has the cost :math:`\frac{d\,m^2}{2\sigma_w^2} + \frac{\chi N\alpha^2y^2}{2\sigma_a^2c^2(m)}`, at
    :math:`q = m^2 + \sigma_w^2` to leading order in 1/d, as the costs of patterns. It is concave at small alignment, so that the
    transition is of first order.

    Several features: the vector equations are followed in :math:`\kappa'`, at 8 values a decade, 0.1 s an element. One feature at a time
    is no approximation to them unless :math:`\kappa' \gg |Q|`.

    References
    ----------
    .. [1] N. Rubin, O. Davidovich, Z. Ringel, arXiv:2512.04165 (patterns of feature learning).
    .. [2] Z. Ringel et al., "Applications of statistical field theory in deep learning", arXiv:2502.18553.

    Examples
    --------
    >>> found = samples_for_alignment([0.2, 0.5], dimension=100, width=100)
    >>> found.samples_per_ridge.round(6), found.cost.round(6)
    (array([1193.480504, 1916.055287]), array([190.040616, 477.036139]))
    """
    several = np.ndim(degree) > 0
    degrees = odd_degrees("degree", degree if several else [degree])  # type: ignore[list-item, arg-type]
    checked = {
        "alignment": numbers("alignment", alignment, low=0.0, high=1.0),
        "dimension": whole_numbers("dimension", dimension, high=_LARGEST_DIMENSION),
        "width": numbers("width", width, low=1.0, high=1e20),
        "scale": numbers("scale", scale, low=_LEAST, high=_MOST),
        "readout_variance": numbers("readout_variance", readout_variance, low=_LEAST, high=_MOST),
        "weight_variance": numbers("weight_variance", weight_variance, low=1e-12, high=1e12),
    }
    a = checked["alignment"]
    refuse_first("alignment", a, (a < 1e-12) | (a >= 1), "must be >= 1e-12 and below 1")
    if several:
        result = _of_several(checked, degrees, target)
        if not result.monotone:
            warnings.warn(
                "samples_for_alignment: alignment does not grow with samples everywhere; this is where it is first reached",
                ExtrapolationWarning,
                stacklevel=2,
            )
        return result
    if degrees[0] > _LARGEST_DEGREE:
        raise refusal("degree", degree, f"must be an odd number from 1 to {_LARGEST_DEGREE}")
    y = numbers("target", target, low=-1e6, high=1e6)
    refuse_first("target", y, np.abs(y) < 1e-6, "must be 1e-6 or more in size")
    checked["target"] = y
    return _of_one(checked, degrees[0])


def _of_one(checked: dict[str, Array], k: int) -> SamplesForAlignment:
    shape, (a, d, n, chi, readout, weight, y) = broadcast(checked)
    # c^2 = gain (w^2/(3 + 2 w^2))^k in rescaled weights w, whose prior is that of another dimension
    gain = amplitude(k) ** 2 / math.factorial(k)
    stretch = 1 + 2 * weight * (d - 1) / d
    narrow = d * stretch / (3 * weight)
    force = chi * (a * y) ** 2 / readout
    rescaled = n * gain / force
    beyond = (narrow < 1e-3) | (narrow > 1e9) | (rescaled < 1e-12) | (rescaled > 1e20)
    complaint = "with these sizes is beyond what is computed: N sigma_a^2/(chi alpha^2 y^2) must lie between 1e-11 and 1e19"
    refuse_first("alignment", a, beyond, complaint, shape)
    found = aligned_neurons(rescaled, narrow, degree=k)
    v = gain * np.asarray(found.variance)
    cost = n * np.asarray(found.relative_entropy) + force / (2 * v)
    single = _one_neuron(d / weight, 1 + 2 * weight, gain * readout / n, chi * y**2, k)
    columns = {
        "samples_per_ridge": a / ((1 - a) * readout * v),
        "cost": cost,
        "tilt": np.asarray(found.tilt) / gain,
        "variance": v,
        "learned": a,
        "specialized": n * np.asarray(found.specialized),
        **single,
    }
    given = dict(zip(checked, (a, d, n, chi, readout, weight), strict=False))
    return SamplesForAlignment(
        **{name: shaped(column, shape) for name, column in (given | columns).items()},
        degree=(k,),
        target=(float(y[0]),) if np.unique(y).size == 1 else (),
        monotone=True,
    )


def _one_neuron(
    stiffness: Array, stretch: Array, gain: Array, power: Array, k: int
) -> dict[str, Array]:
    r"""Find spinodal and Maxwell point of one neuron of squared weight r along the target.

    At given r the best alignment has :math:`\alpha^2 = s\,g\psi^2/(p\,\psi')` with the stiffness s, the gain g and the power p;
    :math:`P/\kappa_e = \alpha/(g\psi(1-\alpha))`. Both points are roots in the logarithm of r, by bisection.
    """
    names = ("spinodal_alignment", "spinodal", "maxwell_alignment", "maxwell")
    if k == 1:  # both are where alignment begins
        start, none = np.sqrt(stiffness * stretch / (power * gain)), np.zeros(gain.shape)
        return dict(zip(names, (none, start, none, start), strict=True))
    front = 0.5 * np.log(stiffness * gain / (power * k * stretch))

    def log_alignment(x: Array) -> Array:
        found: Array = front + 0.5 * (k + 1) * x - 0.5 * (k - 1) * np.log(stretch + 2 * np.exp(x))
        return found

    def samples(x: Array) -> Array:
        missing = -np.expm1(log_alignment(x))
        log_overlap = k * (x - np.log(stretch + 2 * np.exp(x)))
        found: Array = np.exp(log_alignment(x) - log_overlap) / (gain * missing)
        return found

    def turn(x: Array) -> Array:
        # of log samples in x, without the factor 1/(1 - alpha)
        share = np.exp(x) / (stretch + 2 * np.exp(x))
        growth = 0.5 * (k + 1) - (k - 1) * share
        found: Array = growth + np.expm1(log_alignment(x)) * k * (1 - 2 * share)
        return found

    def balance(x: Array) -> Array:
        a = np.exp(log_alignment(x))
        log_overlap = k * (x - np.log(stretch + 2 * np.exp(x)))
        cost = 0.5 * stiffness * np.exp(x) + 0.5 * power * a**2 * np.exp(-log_overlap) / gain
        found: Array = 0.5 * power * samples(x) * a * (2 - a) - cost
        return found

    # alignment one: between powers of r that are its asymptotes, and those with the sum in the denominator doubled
    flat = 0.5 * (k - 1) * np.log(stretch)
    least = np.maximum(2 * (flat - front) / (k + 1), 0.5 * (k - 1) * math.log(2) - front)
    full = _bisect(log_alignment, least - 1.0, least + k)
    spinodal = _bisect(turn, full - 200.0, full)
    maxwell = _bisect(balance, spinodal, full)
    return {
        "spinodal_alignment": np.exp(log_alignment(spinodal)),
        "spinodal": samples(spinodal),
        "maxwell_alignment": np.exp(log_alignment(maxwell)),
        "maxwell": samples(maxwell),
    }


def _bisect(function: Callable[[Array], Array], low: Array, high: Array) -> Array:
    """Return where rising functions pass zero."""
    low, high = low.copy(), high.copy()
    for _ in range(_BISECTIONS):
        middle = 0.5 * (low + high)
        if np.all((middle <= low) | (middle >= high)):
            break
        above = function(middle) > 0
        low, high = np.where(above, low, middle), np.where(above, middle, high)
    return low


def _of_several(
    checked: dict[str, Array], degrees: tuple[int, ...], target: ArrayLike
) -> SamplesForAlignment:
    shape, flat = broadcast(checked)
    rows = []
    for alignment, *sizes in np.transpose(flat).tolist():
        d, width, scale, readout, weight = sizes
        problem = checked_problem(
            target,
            dimension=d,
            width=width,
            scale=scale,
            degrees=degrees,
            mixed=(),
            perpendicular="concentrated",
            readout_variance=readout,
            weight_variance=weight,
        )
        if not np.any(problem.target):
            raise refusal("target", target, "must not be zero")
        rows.append(_followed(problem, alignment))
    names = ("samples_per_ridge", "cost", "tilt", "variance", "learned", "specialized")
    columns = np.array([row[:-1] for row in rows]).reshape(-1, len(names)).T
    named = dict(zip((*checked, *names), (*flat, *columns), strict=True))
    missing = np.full(flat[0].size, math.nan)
    points = ("spinodal_alignment", "spinodal", "maxwell_alignment", "maxwell")
    return SamplesForAlignment(
        **{name: shaped(column, shape) for name, column in named.items()},
        **{name: shaped(missing, shape) for name in points},
        degree=degrees,
        target=tuple(np.atleast_1d(numbers("target", target)).tolist()),
        monotone=all(row[-1] for row in rows),
    )


def _followed(problem: Problem, alignment: float) -> tuple[float, ...]:
    """Follow the vector equations from the lazy kernel down in the ridge, to where an alignment is first reached."""
    y = problem.target
    unit = y / float(y @ y)
    found, weights, _ = maximum(problem, 1.0, np.zeros(y.size))
    lazy = problem.readout_variance * float(np.max(np.sum(weights.components**2, axis=0)))
    stiffness = problem.features.dimension / problem.weight_variance
    # far above: without adaptation, and where the tilt of the largest weight is less than its prior's
    force = math.sqrt(2 * problem.tilt * float(y @ y) * max(1.0, 1 / stiffness))
    ridge = max(lazy, force) * 10 / alignment
    rate = 10 ** (-1 / _PER_DECADE)
    t, before, reached, monotone = np.zeros(y.size), 0.0, None, True
    for _ in range(_PER_DECADE * _DECADES):
        found, weights, _ = maximum(problem, ridge, t)
        value = float(unit @ (found.kernel @ found.t))
        monotone = monotone and value >= before - 1e-9
        if reached is None and value >= alignment:
            reached = (ridge, ridge / rate, found.t)
        if value > max(alignment, 0.99):
            break
        t, before, ridge = found.t, value, ridge * rate
    if reached is None:
        raise refusal(
            "alignment", alignment, f"is not reached down to {ridge:.1e} of ridge per sample"
        )

    def excess(log_ridge: float) -> float:
        best, _, _ = maximum(problem, math.exp(log_ridge), reached[2])
        return float(unit @ (best.kernel @ best.t)) - alignment

    root = math.exp(
        brentq(excess, math.log(reached[0]), math.log(reached[1]), xtol=1e-13, rtol=1e-14)
    )
    found, weights, _ = maximum(problem, root, reached[2])
    return (1 / root, *_described(problem, root, found, weights), float(monotone))


def _described(
    problem: Problem, ridge: float, found: Maximum, weights: Weights
) -> tuple[float, ...]:
    """Return cost, tilt, variance, learned modes and specialized neurons of one solution."""
    t = found.t
    square = float(t @ t)
    cost = found.value - 0.5 * problem.scale * ridge * square
    spread = float(t @ found.kernel @ t) / (square * problem.readout_variance)
    eigenvalues = np.linalg.eigvalsh(found.kernel)
    learned = float(np.sum(eigenvalues / (eigenvalues + ridge)))
    d = problem.features.dimension
    size = math.sqrt((1 + 2 * problem.weight_variance * (d - 1) / d) / 3)
    specialized = problem.width * far_weight(found, weights, size)
    return cost, problem.tilt * square, spread, learned, specialized


@shows("samples_per_ridge")
def samples_for_cost(
    cost: ArrayLike,
    alignment: ArrayLike,
    *,
    power: ArrayLike,
    scale: ArrayLike = 1.0,
    target: ArrayLike = 1.0,
) -> Value:
    r"""Compute how many samples per ridge an alignment takes whose cost is known, and grows as a power of the alignment.

    .. math:: I \propto \alpha^p: \qquad \frac{P_\alpha}{\kappa_e} = \frac{p\,I(\alpha)}{\chi y^2\,\alpha(1 - \alpha)}

    Parameters
    ----------
    cost : array_like
        I > 0 at this alignment. All arguments broadcast.
    alignment : array_like
        :math:`\alpha`, from 1e-12 to 1, which is excluded.
    power : array_like
        p > 0: 2 for a kernel that does not adapt, 1 where any number of neurons specializes, :math:`2/(k+1)` for one neuron.
    scale : array_like
        :math:`\chi > 0`.
    target : array_like
        y, not 0.

    Returns
    -------
    float or ndarray
        :math:`P_\alpha/\kappa_e`.

    Raises
    ------
    DomainError
        If an argument is out of range.

    Notes
    -----
    For a kernel that does not adapt, :math:`I = \chi\alpha^2y^2/2\lambda` gives :math:`P_{1/2} = \kappa_e/\lambda`.

    Examples
    --------
    >>> samples_for_cost(0.5**2 / (2 * 0.01), 0.5, power=2)
    100.0
    """
    checked = {
        "cost": numbers("cost", cost, low=0.0, strict=True, high=1e100),
        "alignment": numbers("alignment", alignment, low=0.0, high=1.0),
        "power": numbers("power", power, low=1e-6, high=1e6),
        "scale": numbers("scale", scale, low=_LEAST, high=_MOST),
        "target": numbers("target", target, low=-1e6, high=1e6),
    }
    a, y = checked["alignment"], checked["target"]
    refuse_first("alignment", a, (a < 1e-12) | (a >= 1), "must be >= 1e-12 and below 1")
    refuse_first("target", y, np.abs(y) < 1e-6, "must be 1e-6 or more in size")
    shape, (price, share, p, chi, size) = broadcast(checked)
    return shaped(p * price / (chi * size**2 * share * (1 - share)), shape)
