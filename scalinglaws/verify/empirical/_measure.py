"""Capacity and source of a task, from what people have of it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ...arguments import flag, generator, whole
from ...errors import DataError, refusal
from ._dimension import IntrinsicDimension, intrinsic_dimension
from ._exponents import decay_from, widest_count
from ._given import (
    Given,
    belongs,
    kernel_settings,
    one_description,
    read_modes,
    read_sample,
    refuse_negative,
)
from ._intervals import measured_exponents
from ._measurement import TaskMeasurement
from ._records import POWER_LAW, HeldOutCurve, MeasuredExponent
from ._sample import Modes, Sample, centered_gram
from ._windows import FIRST, Window, modes_of

Array = NDArray[np.float64]

HALVES = 20
"""Random halves of which the statistical errors are made."""
MOST_CHECKED = 4000
"""Points, at most, of which learning curves are measured and distances taken."""
_SPLITS = 4


def measure(
    *,
    features: ArrayLike | None = None,
    gram: ArrayLike | None = None,
    kernel: str | None = None,
    inputs: ArrayLike | None = None,
    labels: ArrayLike | None = None,
    eigenvalues: ArrayLike | None = None,
    coefficients: ArrayLike | None = None,
    samples: int | None = None,
    power: float | None = None,
    depth: int = 1,
    length: float | None = None,
    weight_variance: float = 2.0,
    bias_variance: float = 0.0,
    center: bool = False,
    held_out: bool = True,
    rng: np.random.Generator | int = 0,
) -> TaskMeasurement:
    r"""Measure capacity and source of a task: how fast eigenvalues fall, and what labels have beyond the first modes.

    .. math:: \lambda_k \sim k^{-\alpha}, \qquad R(k) = \frac{\sum_{i > k} |u_i^T Y|^2}{|Y|^2} \sim k^{-\alpha\beta}

    of eigenvalues and eigenvectors of :math:`K/n`, K the Gram matrix of n samples, and centered labels Y. Both are biased by the sample;
    to first order :math:`\hat\lambda_k \simeq \lambda_k (1 + c_\alpha k/n)` with :math:`c_\alpha = -(\pi/\alpha)\cot(\pi/\alpha)`, and
    :math:`\hat R(k) \simeq (1 - k/n) R(k)`. Both are corrected, over a window of modes that depends on the capacity found.

    Parameters
    ----------
    features : array_like, shape (n, d)
        One row for each sample, :math:`K = F F^T`: last layers, or gradients of a network's output (its empirical tangent kernel).
    gram : array_like, shape (n, n)
        K itself, symmetric and positive semidefinite.
    kernel, inputs : str, array_like of shape (n, D)
        Name of a kernel of `scalinglaws.solvers.kernels.KERNELS`, and its inputs.
    labels : array_like, shape (n,) or (n, c)
        Floats, or classes as whole numbers, flags or words, which become one column each. Always centered.
    eigenvalues, coefficients : array_like, shape (m,) and (m,) or (m, c)
        Instead of all of these: :math:`\lambda_k` of K/n and :math:`u_k^T Y`, or those of a population: of the kernel's operator, and the
        target's coefficients in its orthonormal eigenfunctions. In any order.
    samples : int, optional
        n of which eigenvalues and coefficients were measured. Without it they are a population's: nothing is corrected, there are no
        halves, and intervals are those of the window alone.
    power : float, optional
        Sum of the squared coefficients of all modes, where those given are not all; their own sum by default.
    depth, length, weight_variance, bias_variance : int, float, float, float
        Options of the kernel: hidden layers and variances of networks, length of rbf and laplace (the median distance by default).
    center : bool
        Whether features are centered, too (inside of a kernel: its Gram matrix). It matters little beyond the first modes.
    held_out : bool
        Whether kernel regression on parts of the data is compared with what other parts predict, of at most 4000 points.
    rng : Generator or int
        Source of randomness, for halves and splits: the same seed has the same answer.

    Returns
    -------
    TaskMeasurement
        With 95 % intervals and verdicts: "power law", "not a power law", "too few samples".

    Raises
    ------
    DomainError
        If an argument is out of range, or there is not exactly one of the four descriptions of the data.
    DataError
        If labels are constant, most rows are repeated, or a Gram matrix is none.
    ResourceError
        If the matrices do not fit into the memory budget (``SCALINGLAWS_MEMORY``).

    Notes
    -----
    Fits are ordinary least squares over modes at 20 per decade from mode 5 to :math:`n \min(0.15, 0.5/|c_\alpha|)`, half of the number of
    modes, or 1000; eigenvalues against k, residuals against k + 1/2. :math:`\hat\alpha` is the root of a = (slope corrected with a). There
    is no estimate where the window would end before mode 20. Intervals hold what half-samples, sub-windows and the trend from halves to
    the whole tell (`MeasuredExponent`); of 100 sets of 500 Gaussian samples, 95 to 100 % held the truth. Known: at capacities of 1.5 and
    more, decays come out 2 to 5 % too small.

    Features with d < n are never made a matrix of n by n. Above 5000 points leading modes come from a block Krylov space. Ten seconds of
    one core for 2000 points and a Gram matrix, without held-out curves.

    References
    ----------
    .. [1] A. Atanasov, "Simple derivation of scaling law exponents in linear models".
    .. [2] B. Bordelon, A. Canatar, C. Pehlevan, arXiv:2002.02561, for learning curves of kernels.

    Examples
    --------
    >>> rng, k = np.random.default_rng(1), np.arange(1, 1001)
    >>> phi = rng.standard_normal((300, 1000))
    >>> found = measure(features=phi * k**-1.0, labels=phi @ k**-1.25, held_out=False)
    >>> low, high = found.capacity.interval
    >>> low < 2 < high, found.capacity.verdict
    (True, 'power law')
    """
    source = generator(rng)
    centered, checked = flag("center", center), flag("held_out", held_out)
    options = kernel_settings(kernel, depth, length, weight_variance, bias_variance)
    one_description(features, gram, kernel, eigenvalues)
    belongs("inputs", inputs, "kernel", kernel)
    belongs("coefficients", coefficients, "eigenvalues", eigenvalues)
    for name, value in (("samples", samples), ("power", power)):
        if value is not None and eigenvalues is None:
            raise refusal(name, value, "belongs to eigenvalues=, which are not given")
    if eigenvalues is not None:
        if labels is not None:
            raise refusal(
                "labels",
                labels,
                "have no place beside eigenvalues=: give coefficients=",
                shown=False,
            )
        if centered:
            raise refusal("center", center, "needs features, a Gram matrix or inputs")
        return _of_modes(eigenvalues, coefficients, samples, power)
    given = read_sample(features, gram, kernel, inputs, labels, options, centered)
    return _of_sample(given, checked, source)


# -- a sample -----------------------------------------------------------------------------------------------------------


def _of_sample(given: Given, held_out: bool, source: np.random.Generator) -> TaskMeasurement:
    sample, points, notes = given.sample, given.points, list(given.notes)
    n = sample.size
    modes = sample.modes(widest_count(n))
    if sample.is_gram and points is None:
        refuse_negative(sample.kernel, n * float(modes.eigenvalues[0]), source)
    half = n // 2

    def draw_halves(count: int) -> Sequence[Modes]:
        drawn = (np.sort(source.permutation(n)[:half]) for _ in range(HALVES))
        return [sample.part(rows).modes(min(count, half)) for rows in drawn]

    found = measured_exponents(modes, draw_halves)
    split = None
    if found.spectrum is not None:
        split = _split_decay(sample, found.spectrum.window, source)
        notes += _split_note(split, found.decay, n // 2)
    curve, more = _held_out(sample, source) if held_out else (None, [])
    dimension, told = _dimension(points, source) if points is not None else (None, [])
    return TaskMeasurement(
        samples=float(n),
        source_of_data=given.words,
        outputs=sample.labels.shape[1],
        capacity=found.capacity,
        source=found.source,
        decay=found.decay,
        spectrum=found.spectrum,
        half_samples=found.half_samples,
        held_out=curve,
        dimension=dimension,
        notes=(*notes, *more, *told),
        split_decay=split,
    )


def _split_decay(sample: Sample, window: Window, source: np.random.Generator) -> float | None:
    r"""Return :math:`\alpha\beta` of residuals on samples that were not regressed on, over :math:`(1 + k/m)^2`: the mean over splits."""
    half = sample.size // 2
    k = modes_of((FIRST, window[1] // 2))
    found = []
    for _ in range(_SPLITS):
        order = source.permutation(sample.size)
        residual = sample.extended_residual(order[:half], order[half:], k)
        if np.all(residual > 0):
            found.append(decay_from(k, np.log(residual) - 2 * np.log1p(k / half)))
    return float(np.mean(found)) if found else None


def _split_note(split: float | None, decay: MeasuredExponent, half: int) -> list[str]:
    """Say whether the residual on other samples falls otherwise. What it is too large by grows from 1 + k/m, for labels that are
    mostly beyond the modes, to the square of that: decays with either are to be outside of the interval.
    """
    if split is None or decay.interval is None or decay.window is None:
        return []
    if decay.verdict != POWER_LAW:
        return []
    k = modes_of((FIRST, decay.window[1] // 2))
    least = split + decay_from(k, np.log1p(k / half))
    low, high = decay.interval
    if least <= high and split >= low:
        return []
    return [
        f"Regression on modes of one half, tested on the other, has a decay between {least:.3g} and {split:.3g}, outside of the "
        f"interval {low:.3g} to {high:.3g}: one of the corrections is not good enough."
    ]


def _held_out(sample: Sample, source: np.random.Generator) -> tuple[HeldOutCurve | None, list[str]]:
    from ._held_out import held_out_curve  # compiles

    if sample.size > MOST_CHECKED:
        sample = sample.part(np.sort(source.choice(sample.size, MOST_CHECKED, replace=False)))
    kernel = sample.kernel
    if not sample.is_gram:
        kernel = kernel - kernel.mean(axis=0) if sample.center else kernel
        gram, rank = kernel @ kernel.T, float(kernel.shape[1])
    else:
        gram, rank = (centered_gram(kernel) if sample.center else kernel), math.inf
    try:
        curve = held_out_curve(gram, sample.labels, rank=rank, rng=source)
    except DataError as failure:
        return None, [f"The predicted learning curve was not checked on the data: {failure}."]
    if curve is None:
        return None, [
            "The predicted learning curve was not checked on the data: halves are too small, or have no power laws."
        ]
    return curve, []


def _dimension(
    points: Array, source: np.random.Generator
) -> tuple[IntrinsicDimension | None, list[str]]:
    if points.shape[0] > MOST_CHECKED:
        points = points[np.sort(source.choice(points.shape[0], MOST_CHECKED, replace=False))]
    try:
        return intrinsic_dimension(points, rng=source), []
    except DataError as failure:
        return None, [f"There is no intrinsic dimension: {failure}."]


# -- eigenvalues and coefficients ---------------------------------------------------------------------------------------


def _of_modes(
    eigenvalues: ArrayLike, coefficients: Any, samples: int | None, power: float | None
) -> TaskMeasurement:
    values, squares, outputs, total = read_modes(eigenvalues, coefficients, power)
    n = math.inf if samples is None else float(whole("samples", samples, low=2))
    if values.size > n:
        raise refusal(
            "samples", samples, f"must be at least the number of eigenvalues, {values.size}"
        )
    if samples is not None and power is None and values.size < n - 1:
        raise refusal(
            "power",
            None,
            f"must be given, |Y|^2 of the centered labels: {values.size} modes of {n:.0f} samples do not hold all of it",
        )
    floor = math.sqrt(values.size) * float(np.finfo(float).eps) * float(values[0])
    kept = int(np.sum(values > floor))
    all_listed = power is None or kept < values.size
    count = kept if samples is None else min(kept, widest_count(int(n)))
    modes = Modes(
        eigenvalues=values[:count],
        shares=squares[:count] / total,
        power=total if samples is None else total / n,
        samples=n,
        rank=float(kept) if all_listed and kept < n - 1 else math.inf,
    )
    found = measured_exponents(modes, None)
    words = f"eigenvalues and coefficients of {values.size} modes"
    note = (
        "Eigenvalues and coefficients are taken for those of the population: nothing was corrected, and intervals are those of the "
        "window alone."
        if samples is None
        else "Without the samples there are no halves: intervals are those of the window alone."
    )
    return TaskMeasurement(
        samples=n,
        source_of_data=words + ("" if samples is None else f" of {samples} samples"),
        outputs=outputs,
        capacity=found.capacity,
        source=found.source,
        decay=found.decay,
        spectrum=found.spectrum,
        half_samples=(),
        held_out=None,
        dimension=None,
        notes=(note,),
    )
