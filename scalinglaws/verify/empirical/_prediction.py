"""What the theories predict for a measured task: exponents, each from its law, and the learning curve with a band."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ... import theory
from ...equality import by_value
from ...errors import DomainError
from ...formatting import number, percent
from ...reprs import short_repr
from ...results import Result
from ._exponents import spectrum_over
from ._learning_curve import predicted_loss
from ._records import POWER_LAW, HeldOutCurve, MeasuredExponent, MeasuredSpectrum
from ._sample import Modes
from ._windows import sub_windows

if TYPE_CHECKING:
    from ...theory.formula import Law
    from ._task import MeasuredTask

Array = NDArray[np.float64]
Pairs = Sequence[tuple[float, float]]

LAWS = (
    ("time, lazy", "linear.time"),
    ("time, rich", "feature_learning.time"),
    ("model", "linear.model"),
    ("data", "linear.data"),
    ("compute, lazy", "linear.compute"),
    ("compute, rich", "feature_learning.compute"),
)
"""What is predicted, and by which law."""
SIGMA = 1.96
"""Standard errors in half of a 95 % interval."""
SMALLEST = 10
"""First number of samples of a predicted curve: the theory is the leading order in its reciprocal."""
BEYOND = 10
"""How many times the samples of the data the predicted curve reaches."""
RIDGE = 1e-10
"""Of the predicted curve, relative to the mean diagonal of the Gram matrix: regression on a computer has one."""
_PER_DECADE = 8


@short_repr
@by_value
@dataclass(frozen=True)
class PredictedExponent:
    """Exponent of a loss that falls as a power, from a law at the measured capacity and source.

    Attributes
    ----------
    quantity : str
        What the loss falls with, and whether features are learned where that matters.
    law : str
        Name, for `scalinglaws.theory.law`.
    regime : str
        Branch of the law at the estimates; empty where there is no value.
    value : float or None
        None outside the validity of the law, for the reason given.
    interval : tuple of float, or None
        95 % interval: the law at the estimates plus and minus 1.96 times the root of the sum of the three squared errors.
    statistical, systematic, drift : float
        Standard deviation of the law over half-samples; half its range over sub-windows; distance of its mean over half-samples.
    regimes : tuple of str
        All branches that the intervals of capacity and source touch: with more than one, a boundary may lie between the estimate
        and the truth.
    reason : str
        Why there is no value, or no interval, or what else to know; else empty.
    """

    quantity: str
    law: str
    regime: str
    value: float | None
    interval: tuple[float, float] | None
    statistical: float
    systematic: float
    drift: float
    regimes: tuple[str, ...]
    reason: str


@short_repr
@by_value
@dataclass(frozen=True)
class PredictedCurve:
    """Predicted test losses of kernel regression.

    Attributes
    ----------
    samples : ndarray, shape (S,)
        P, increasing.
    loss : ndarray, shape (S,)
        Mean squared error over the power of the centered labels.
    low, high : ndarray, shape (S,)
        95 % band: the loss over and times exp(1.96 s), s the root of the sum of three squared errors of its logarithm.
    statistical, systematic, drift : ndarray, shape (S,)
        The three: standard deviation over half-samples, half the range over sub-windows of the fits, distance of the mean over
        half-samples.
    extrapolated : ndarray of bool, shape (S,)
        Beyond the largest number of samples at which the curve was compared with held-out data.
    """

    samples: Array
    loss: Array
    low: Array
    high: Array
    statistical: Array
    systematic: Array
    drift: Array
    extrapolated: NDArray[np.bool_]


@dataclass(frozen=True)
class TaskPrediction(Result):
    """What theories predict for a measured task, and how the data that were held out compare with it.

    Attributes
    ----------
    samples : float
        n of the measurement.
    exponents : tuple of PredictedExponent
        Against time, model size, samples and compute (C = N t; N counts features, not parameters).
    curve : PredictedCurve or None
        Learning curve; None for the reason in `notes`.
    held_out : HeldOutCurve or None
        What the predicted curve was checked with.
    checked_to : float or None
        Largest number of samples at which it was; None if it was not.
    ratio : ndarray, shape (S,), or None
        Measured over predicted loss at the sizes of `held_out`.
    allowed : ndarray, shape (S,), or None
        Factor by which the ratio may differ from 1 either way: the band of the curve and 1.96 standard errors of the measured loss.
    notes : tuple of str
        What to know, in sentences.
    """

    samples: float
    exponents: tuple[PredictedExponent, ...]
    curve: PredictedCurve | None
    held_out: HeldOutCurve | None
    checked_to: float | None
    ratio: Array | None
    allowed: Array | None
    notes: tuple[str, ...]

    @property
    def agrees(self) -> bool | None:
        """Whether all held-out losses lie within what is allowed; None if nothing was checked."""
        if self.ratio is None or self.allowed is None:
            return None
        return bool(np.all(np.abs(np.log(self.ratio)) <= np.log(self.allowed)))


def predict(measurement: MeasuredTask) -> TaskPrediction:
    """Predict exponents and the learning curve of a measured task.

    Exponents come from the laws ``linear.time``, ``feature_learning.time``, ``linear.model``, ``linear.data``, ``linear.compute`` and
    ``feature_learning.compute`` at the measured capacity and source, the learning curve from `predicted_loss` with the measured
    spectrum. An exponent holds asymptotically; at the size of the data the curve is the better prediction.

    Parameters
    ----------
    measurement : TaskMeasurement
        Of `scalinglaws.verify.empirical.measure`, or loaded.

    Returns
    -------
    TaskPrediction
        Also where little can be said: what is missing has a reason, in `PredictedExponent.reason` or in `TaskPrediction.notes`.

    Notes
    -----
    Intervals are made as those of the measured exponents are: 1.96 times the root of the sum of three squares, the standard deviation
    over half-samples of what is predicted from each, half its range over the sub-windows of the fits, and the distance between its
    mean over half-samples and its value. The curve is treated alike, in the logarithm of the loss; where a sub-window's exponents
    continue the spectrum, so do its amplitudes, and the modes beyond that sub-window are fitted ones.

    The learning curve runs from 10 samples to 10 times those of the data, 8 to a decade. The theory takes features for Gaussian; data
    need not behave so. `TaskPrediction.ratio` tells, for these data, up to `TaskPrediction.checked_to` samples.

    The laws are derived on the first call, which takes seconds; later ones are quick.
    """
    notes = [*_verdicts(measurement)]
    exponents = tuple(predicted_exponents(measurement))
    curve, why = _curve(measurement)
    notes += [why] if why else []
    held = None if curve is None else measurement.held_out
    ratio: Array | None = None
    allowed: Array | None = None
    if held is not None and measurement.spectrum is not None:
        ratio = np.asarray(held.measured) / np.asarray(held.predicted)
        own, _ = _band(measurement, measurement.spectrum, np.asarray(held.samples))
        noise = np.asarray(held.standard_error) / np.asarray(held.measured)
        allowed = np.exp(SIGMA * np.sqrt(sum(part**2 for part in own) + noise**2))
        notes.append(_compared(np.asarray(held.samples), ratio, allowed))
    elif curve is not None:
        notes.append("The predicted curve is not checked: there are no held-out data.")
    return TaskPrediction(
        samples=measurement.samples,
        exponents=exponents,
        curve=curve,
        held_out=held,
        checked_to=None if held is None else float(np.max(held.samples)),
        ratio=ratio,
        allowed=allowed,
        notes=tuple(notes),
    )


# -- exponents ----------------------------------------------------------------------------------------------------------


def predicted_exponents(measurement: MeasuredTask) -> Iterator[PredictedExponent]:
    """Evaluate each law at the measured capacity and source, and at their replicates."""
    alpha, beta = measurement.capacity.value, measurement.source.value
    for quantity, name in LAWS:
        if alpha is None or beta is None:
            missing = measurement.capacity if alpha is None else measurement.source
            what = "capacity" if alpha is None else "source"
            yield _none(quantity, name, f"no {what} was measured: {missing.reason}")
            continue
        law = theory.law(name)
        try:
            value, regime = float(law(alpha=alpha, beta=beta)), law.regime(alpha=alpha, beta=beta)
        except DomainError as refused:
            yield _none(quantity, name, str(refused))
            continue
        halves = _pairs(measurement.half_samples)
        replicates, outside = _at(law, halves)
        windows, cut = _at(law, _pairs(_sub_windows(measurement.spectrum)))
        parts = _errors(value, replicates, windows)
        reach = SIGMA * math.sqrt(sum(part**2 for part in parts))
        reasons = []
        if len(replicates) < 2:
            reasons.append("no interval: fewer than two half-samples have one")
        elif outside:
            reasons.append(
                f"{outside} of {len(halves)} half-samples lie outside the law's validity"
            )
        if cut:
            reasons.append(f"{cut} sub-windows lie outside the law's validity")
        yield PredictedExponent(
            quantity,
            name,
            regime,
            value,
            None if len(replicates) < 2 else (value - reach, value + reach),
            *parts,
            regimes=_touched(law, measurement.capacity, measurement.source) or (regime,),
            reason="; ".join(reasons),
        )


def _none(quantity: str, law: str, reason: str) -> PredictedExponent:
    return PredictedExponent(quantity, law, "", None, None, 0.0, 0.0, 0.0, (), reason)


def _at(law: Law, pairs: Pairs) -> tuple[Array, int]:
    """Evaluate a law at pairs of exponents; return its values, and at how many it has none."""
    good = [(alpha, beta) for alpha, beta in pairs if alpha > 0 and beta > 0]
    if not good:
        return np.empty(0), len(pairs)
    alpha, beta = np.array(good).T
    values = np.ma.compressed(np.ma.asarray(law(alpha=alpha, beta=beta, outside="mask")))
    return np.asarray(values, float), len(pairs) - values.size


def _pairs(spectra: Sequence[MeasuredSpectrum]) -> Pairs:
    """Return capacity and source of each spectrum."""
    return [(entry.capacity, entry.decay / entry.capacity) for entry in spectra]


def _sub_windows(spectrum: MeasuredSpectrum | None) -> list[MeasuredSpectrum]:
    """Return the spectrum with the power laws of each sub-window in which there are any."""
    if spectrum is None:
        return []
    modes = Modes(
        spectrum.eigenvalues, spectrum.shares, spectrum.power, spectrum.samples, spectrum.rank
    )
    found = [spectrum_over(modes, window) for window in sub_windows(spectrum.window)]
    return [entry for entry in found if entry is not None]


def _errors(value: Any, replicates: Array, windows: Array) -> tuple[Any, Any, Any]:
    """Return statistical, systematic and drift error of a value from replicates and sub-windows along the first axis; 0 without."""
    none = value * 0.0
    statistical = np.std(replicates, axis=0, ddof=1) if len(replicates) > 1 else none
    systematic = np.ptp(windows, axis=0) / 2 if len(windows) else none
    drift = np.abs(np.mean(replicates, axis=0) - value) if len(replicates) else none
    if np.ndim(value):
        return statistical, systematic, drift
    return float(statistical), float(systematic), float(drift)


def _touched(law: Law, capacity: MeasuredExponent, source: MeasuredExponent) -> tuple[str, ...]:
    """Name the branches of a law inside the intervals of both exponents."""
    if capacity.interval is None or source.interval is None:
        return ()
    ends = (capacity.interval, source.interval)
    alpha, beta = np.meshgrid(*(np.linspace(low, high, 41) for low, high in ends))
    inside = (alpha > 0) & (beta > 0)
    import sympy as sp  # heavy, and not for whoever fits runs

    symbols = sp.symbols("alpha beta", positive=True)
    for condition in law.validity:
        inside &= sp.lambdify(symbols, condition, "numpy")(alpha, beta)
    return tuple(
        entry.name
        for entry in law.regimes
        if not entry.on_boundary
        and np.any(inside & sp.lambdify(symbols, entry.condition, "numpy")(alpha, beta))
    )


# -- learning curve -----------------------------------------------------------------------------------------------------


def _curve(measurement: MeasuredTask) -> tuple[PredictedCurve | None, str]:
    """Return the predicted curve, or why there is none."""
    spectrum = measurement.spectrum
    if spectrum is None:
        return None, f"No learning curve is predicted: {measurement.capacity.reason}"
    known = spectrum.samples if math.isfinite(spectrum.samples) else spectrum.window[1]
    largest = BEYOND * max(known, SMALLEST)
    count = round(_PER_DECADE * math.log10(largest / SMALLEST)) + 1
    samples = np.geomspace(SMALLEST, largest, count)
    try:
        loss = predicted_loss(spectrum, samples, ridge=RIDGE)
    except DomainError as refused:
        return None, f"No learning curve is predicted: {refused}"
    parts, missing = _band(measurement, spectrum, samples)
    factor = np.exp(SIGMA * np.sqrt(sum(part**2 for part in parts)))
    held = measurement.held_out
    checked = 0.0 if held is None else float(np.max(held.samples))
    curve = PredictedCurve(
        samples, loss, loss / factor, loss * factor, *parts, extrapolated=samples > checked
    )
    return curve, missing


def _band(
    measurement: MeasuredTask, spectrum: MeasuredSpectrum, samples: Array
) -> tuple[tuple[Array, Array, Array], str]:
    """Return the three errors of the logarithm of the predicted loss, and what they lack."""
    halves = _logarithms(measurement.half_samples, samples)
    parts = _errors(
        np.log(predicted_loss(spectrum, samples, ridge=RIDGE)),
        halves,
        _logarithms(_sub_windows(spectrum), samples),
    )
    given = len(measurement.half_samples)
    if len(halves) < 2:
        return parts, "The band of the curve holds no statistical error: there are no half-samples."
    if len(halves) < given:
        return parts, f"{given - len(halves)} of {given} half-samples predict no learning curve."
    return parts, ""


def _logarithms(spectra: Sequence[MeasuredSpectrum], samples: Array) -> Array:
    """Return logarithms of predicted losses, a row for each spectrum that predicts any."""
    rows = []
    for spectrum in spectra:
        try:
            rows.append(np.log(predicted_loss(spectrum, samples, ridge=RIDGE)))
        except DomainError:  # no capacity above 1 in this part of the data
            continue
    return np.array(rows).reshape(len(rows), samples.size)


# -- words --------------------------------------------------------------------------------------------------------------


def _verdicts(measurement: MeasuredTask) -> Iterator[str]:
    """Say what was not found to be a power law: what follows supposes that it is one."""
    for name in ("capacity", "decay", "source"):
        found = getattr(measurement, name)
        if found.verdict != POWER_LAW and found.value is not None:
            label = "decay (alpha beta)" if name == "decay" else name
            yield f"The {label}: {found.verdict}. The exponents of the laws suppose a power law."


def _compared(samples: Array, ratio: Array, allowed: Array) -> str:
    """Say how measured and predicted losses compare."""
    span = f"from P = {number(samples[0], 4)} to {number(samples[-1], 4)}"
    ends = f"{ratio.min():.2f} to {ratio.max():.2f} times"
    beyond = np.abs(np.log(ratio)) - np.log(allowed)
    if np.all(beyond <= 0):
        return f"Held-out data agree with the predicted curve {span}: measured losses are {ends} the predicted ones, within the band."
    worst = int(np.argmax(beyond))
    kind = "optimistic" if ratio[worst] > 1 else "pessimistic"
    side = "below" if ratio[worst] > 1 else "above"
    count = int(np.sum(beyond > 0))
    return (
        f"Held-out data do not agree with the predicted curve: at {count} of {samples.size} sizes {span} they miss its band. The "
        f"prediction is {kind}: at P = {number(samples[worst], 4)} it is {percent(abs(1 - 1 / ratio[worst]), 2)} {side} the measured "
        f"loss (ratio {ratio[worst]:.2f}, allowed is a factor of {allowed[worst]:.2f}). Over all sizes measured losses are {ends} the "
        "predicted ones."
    )
