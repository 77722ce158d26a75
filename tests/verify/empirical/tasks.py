"""Measurements that are made up: exact power laws with errors of any size."""

import math

import numpy as np

from scalinglaws.verify.empirical import HeldOutCurve, MeasuredExponent, MeasuredSpectrum
from scalinglaws.verify.empirical._measurement import TaskMeasurement
from scalinglaws.verify.empirical._records import POWER_LAW

SIGMA = 1.96


def power_laws(alpha, decay, samples=math.inf, last=60, amplitude=1.0):
    """A spectrum whose residual is a power law of k + 1/2; of a sample, with the biases of one."""
    k = np.arange(1.0, 2 * last + 1)
    bias = 1 - math.pi / alpha / math.tan(math.pi / alpha) * k / samples
    residual = 0.5**decay * (np.arange(2 * last + 1) + 0.5) ** -decay
    residual = residual * (1 - np.arange(2 * last + 1) / samples)
    eigenvalues = amplitude * k**-alpha * bias
    shares = -np.diff(residual)
    return MeasuredSpectrum(
        samples, eigenvalues, shares, 1.0, alpha, decay, (5, last), amplitude, 0.5**decay
    )


def exponent(value, error=0.0, verdict=POWER_LAW, reason=""):
    reach = SIGMA * error
    interval = None if value is None else (value - reach, value + reach)
    return MeasuredExponent(value, interval, error, 0.0, 0.0, (5, 60), (), verdict, reason)


def measured(alpha, beta, *, errors=(0.0, 0.0), held_out=None, samples=400, **changes):
    """A measurement of exact power laws; half-samples lie one standard deviation to all four sides."""
    spectrum = power_laws(alpha, alpha * beta, samples)
    halves = tuple(
        power_laws(
            alpha + a * errors[0], (alpha + a * errors[0]) * (beta + b * errors[1]), samples / 2, 30
        )
        for a in (-1, 1)
        for b in (-1, 1)
    )
    fields = {
        "samples": float(samples),
        "source_of_data": "made up",
        "outputs": 1,
        "capacity": exponent(alpha, errors[0]),
        "source": exponent(beta, errors[1]),
        "decay": exponent(alpha * beta),
        "spectrum": spectrum,
        "half_samples": halves,
        "held_out": held_out,
        "dimension": None,
        "notes": (),
    }
    return TaskMeasurement(**(fields | changes))


def held_out(samples, predicted, ratio, error=0.01):
    """Held-out losses that are so many times what was predicted, with a relative error."""
    loss = np.asarray(predicted) * ratio
    return HeldOutCurve(
        np.asarray(samples, float), loss, error * loss, np.asarray(predicted), 8, 1e-10
    )
