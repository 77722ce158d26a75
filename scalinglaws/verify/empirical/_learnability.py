"""What a Gaussian process learns of a task that people bring, from how many samples on, and from how many it cannot."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ...arguments import flag, number, one_row, whole
from ...equality import by_value
from ...errors import refusal
from ...formatting import short
from ...reprs import short_repr
from ...results import Result
from ._given import (
    Given,
    belongs,
    kernel_settings,
    one_description,
    read_modes,
    read_sample,
    refuse_negative,
)

Array = NDArray[np.float64]

_RIDGE = 0.01  # by default, over the trace
_NONE = 1e-9  # a share of the target that is not worth a row
_NEARLY_HALF = 0.5 - 1e-9  # a half, to rounding


@dataclass(frozen=True)
class TaskLearnability(Result):
    r"""What a Gaussian process learns of a task, and which samples its modes take.

    Attributes
    ----------
    source_of_data : str
        What was given.
    examples : float
        n, of which the modes were taken; inf for those of a population.
    outputs : int
        Columns of the labels.
    ridge : float
        :math:`\sigma^2`, added to the diagonal of the kernel of P samples.
    trace : float
        :math:`\sum_k \lambda_k`, the kernel's mean diagonal.
    power : float
        :math:`|Y|^2/n` of the centered labels.
    unlearnable : float
        Share of the power outside all modes.
    samples : ndarray, shape (s,)
        P.
    kappa : ndarray, shape (s,)
        Effective ridge: modes with :math:`P\lambda_k > \kappa` are learned.
    learnability : ndarray, shape (s,)
        Share of the target that the mean predictor has.
    test_loss : ndarray, shape (s,)
        Mean squared error over the power.
    half : float
        Samples by which half of the target is learned; inf if no more than half is in the modes.
    modes : ndarray, shape (m,)
        Numbers of those modes that hold most of the target, by falling eigenvalues from 1 on.
    eigenvalues, shares : ndarray, shape (m,)
        Theirs, and their parts of the power.
    mode_half : ndarray, shape (m,)
        Samples by which half of a mode is learned.
    mode_bound : ndarray, shape (m,)
        Samples below which the posterior does not, in the mean over data sets, make an alignment of one half with the mode as the
        target more likely than not: the sharpest of the bounds of `scalinglaws.solvers.learnability.unlearnability`.
    notes : tuple of str
        What was made of the data, and how far to trust it.
    """

    source_of_data: str
    examples: float
    outputs: int
    ridge: float
    trace: float
    power: float
    unlearnable: float
    samples: Array
    kappa: Array
    learnability: Array
    test_loss: Array
    half: float
    modes: Array
    eigenvalues: Array
    shares: Array
    mode_half: Array
    mode_bound: Array
    notes: tuple[str, ...]


def learnability(
    *,
    features: ArrayLike | None = None,
    gram: ArrayLike | None = None,
    kernel: str | None = None,
    inputs: ArrayLike | None = None,
    labels: ArrayLike | None = None,
    eigenvalues: ArrayLike | None = None,
    coefficients: ArrayLike | None = None,
    ridge: float | None = None,
    samples: ArrayLike | None = None,
    modes: int = 10,
    depth: int = 1,
    length: float | None = None,
    weight_variance: float = 2.0,
    bias_variance: float = 0.0,
    center: bool = False,
) -> TaskLearnability:
    r"""Compute what a Gaussian process learns of a task, mode by mode, and how many samples that takes.

    .. math:: \kappa = \sigma^2 + \sum_k \frac{\lambda_k \kappa}{\kappa + P\lambda_k}, \qquad
              \mathcal L_k = \frac{P\lambda_k}{\kappa + P\lambda_k}

    with the eigenvalues of K/n, K the Gram matrix of n examples, as those of the population.

    Parameters
    ----------
    features, gram, kernel, inputs, labels, eigenvalues, coefficients
        The task, as `measure` takes it.
    ridge : float, optional
        :math:`\sigma^2 \ge 0`, added to the diagonal of the kernel of P samples (no 1/P); by default a hundredth of the trace.
    samples : array_like, shape (s,), optional
        P >= 1; by default half decades up to n.
    modes : int
        How many modes are told of, those that hold most of the target; fewer if others hold less than 1e-9 of it.
    depth, length, weight_variance, bias_variance, center
        As `measure` takes them.

    Returns
    -------
    TaskLearnability
        Curves of the whole target, and a row for each mode.

    Raises
    ------
    DomainError
        If the task is not given in one way, or an argument is out of range.
    DataError
        If the labels do not vary, or the matrix is none of kernel values.
    ResourceError
        If the memory budget does not hold the modes.

    Notes
    -----
    The curves are for samples that are drawn among the n examples, with replacement. Eigenvalues of a sample are those of its
    population for modes :math:`k \ll n` only, so that new data follow the curves for :math:`P \ll n`. How far depends on the task:
    of the 1797 digits of scikit-learn on a sphere, with the arcsine kernel and the target "5 or more", learnability is by one to two
    percent too high and the loss by up to nine percent too low, at 30 to 300 samples.

    Costs the eigenvectors of the matrix, :math:`O(n^3)`.

    References
    ----------
    .. [1] J. B. Simon, M. Dickens, D. Karkada, M. R. DeWeese, "The eigenlearning framework", arXiv:2110.03922.
    .. [2] A. Canatar, B. Bordelon, C. Pehlevan, "Spectral bias and task-model alignment explain generalization in kernel
       regression and infinitely wide neural networks", Nat. Commun. 12 (2021) 2914.

    Examples
    --------
    >>> angle = 2 * np.pi * np.arange(200) / 200
    >>> inputs = np.column_stack([np.cos(angle), np.sin(angle)])
    >>> found = learnability(kernel="erf_nngp", inputs=inputs, labels=np.cos(angle) + 0.1 * np.cos(3 * angle), ridge=0.01)
    >>> found.samples, found.learnability.round(3)
    (array([ 10.,  32., 100.]), array([0.995, 0.999, 1.   ]))
    """
    options = kernel_settings(kernel, depth, length, weight_variance, bias_variance)
    centered, shown = flag("center", center), whole("modes", modes)
    one_description(features, gram, kernel, eigenvalues)
    belongs("inputs", inputs, "kernel", kernel)
    belongs("coefficients", coefficients, "eigenvalues", eigenvalues)
    if eigenvalues is not None:
        for name, value in (("labels", labels), ("center", centered or None)):
            if value is not None:
                raise refusal(name, value, "has no place beside eigenvalues=", shown=False)
        task = _of_modes(eigenvalues, coefficients)
    else:
        task = _of_sample(read_sample(features, gram, kernel, inputs, labels, options, centered))
    from ...solvers import learnability as solve  # compiles
    from ...solvers.spectra import EmpiricalSpectrum

    trace = float(np.sum(task.values))
    noise = _RIDGE * trace if ridge is None else number("ridge", ridge, low=0.0)
    sizes = _sizes(task) if samples is None else one_row("samples", samples, low=1.0)
    outside = max(1.0 - float(np.sum(task.shares)), 0.0)
    spectrum = EmpiricalSpectrum(task.values, task.shares)
    given: dict[str, Any] = {"ridge": noise, "unlearnable": outside}
    curve = solve.learning_curve(spectrum, samples=sizes, **given)
    half = float(solve.samples_for_target(spectrum, **given))
    largest = np.sort(np.argsort(-task.shares, kind="stable")[:shown])
    largest = largest[task.shares[largest] > _NONE]
    values = task.values[largest]
    bounds = np.zeros(values.shape)
    if noise > 0:
        found = solve.unlearnability(task.values, mode_eigenvalue=values, ridge=noise)
        bounds = np.asarray(np.maximum(found.jensen, found.hoelder))
    return TaskLearnability(
        source_of_data=task.words,
        examples=task.examples,
        outputs=task.outputs,
        ridge=noise,
        trace=trace,
        power=task.power,
        unlearnable=outside,
        samples=np.asarray(curve.samples),
        kappa=np.asarray(curve.kappa),
        learnability=np.asarray(curve.learnability),
        test_loss=np.asarray(curve.test_loss),
        half=half,
        modes=np.asarray(largest + 1.0, dtype=np.float64),
        eigenvalues=values,
        shares=task.shares[largest],
        mode_half=np.asarray(
            solve.samples_for_learnability(task.values, ridge=noise, mode_eigenvalue=values)
        ),
        mode_bound=bounds,
        notes=(*task.notes, *_cautions(task.examples, half)),
    )


def half_in_words(found: TaskLearnability) -> str:
    """Return a clause that says which samples half of the target takes, or why no number suffices."""
    if math.isfinite(found.half):
        return f"Half of the target is learned with {short(found.half)} samples"
    if found.unlearnable < _NEARLY_HALF:
        return "Half of the target takes more samples than floating-point numbers hold"
    outside = short(100 * found.unlearnable)
    return f"No number of samples teaches half of the target, as {outside} % of it lies outside all modes"


@short_repr
@by_value
@dataclass(frozen=True)
class _Task:
    """Modes of a task: eigenvalues, and shares of the target's power."""

    values: Array
    shares: Array
    power: float
    examples: float
    outputs: int
    words: str
    notes: tuple[str, ...]


def _of_modes(eigenvalues: ArrayLike, coefficients: Any) -> _Task:
    values, squares, outputs, power = read_modes(eigenvalues, coefficients)
    kept = values > math.sqrt(values.size) * float(np.finfo(float).eps) * float(values[0])
    words = f"eigenvalues and coefficients of {values.size} modes"
    return _Task(values[kept], squares[kept] / power, power, math.inf, outputs, words, ())


def _of_sample(given: Given) -> _Task:
    sample = given.sample
    modes = sample.modes(sample.size)
    if sample.is_gram and given.points is None:
        refuse_negative(
            sample.kernel, sample.size * float(modes.eigenvalues[0]), np.random.default_rng(0)
        )
    return _Task(
        modes.eigenvalues,
        modes.shares,
        modes.power,
        modes.samples,
        sample.labels.shape[1],
        given.words,
        given.notes,
    )


def _sizes(task: _Task) -> Array:
    """Return half decades, up to the examples, or to the modes of a population."""
    last = max(task.examples if math.isfinite(task.examples) else task.values.size, 10.0)
    return np.round(10 ** (np.arange(2, math.floor(2 * math.log10(last) + 1e-9) + 1) / 2))


def _cautions(examples: float, half: float) -> Iterator[str]:
    if half > examples / 2 and math.isfinite(half):
        yield (
            f"Half of the target takes {half:.4g} samples, and there are {examples:.0f} examples: small eigenvalues, on which this "
            "rests, are those of the sample, not of its population."
        )
