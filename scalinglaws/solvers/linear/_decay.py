r"""Weight decay is a shift of the Laplace variable, Langevin noise a transform of one variable.

With decay r the error vector has the transform :math:`\hat e_r(s) = \frac{s + r}{s}\, \hat e_0(s + r)`: nothing new is solved,
kappa is taken at :math:`s + r` and the weights of the contour stay those of s. In discrete time s is a function of z, and what is
said here holds with its own :math:`s + r`, whatever the method of descent.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from ...arguments import Array
from ..equivalents.inversion import Rule, invert, pair_losses
from ..equivalents.kappa import ComplexArray, filling, size_ratio
from ..equivalents.losses import ROUNDING, Loss
from ..equivalents.rates import SMALLEST
from ..equivalents.response import Resolved, train_transform
from ..spectra import Modes, Spectrum
from ._ridge import ridge


class Nodes(NamedTuple):
    """A contour: weights of a transform times s, kappa at s + r, and s itself."""

    weights: ComplexArray
    at: Resolved
    s: ComplexArray


def unlimited_loss(
    modes: Modes, decay: float, left: Array, error: Array | float, share: Array | None = None
) -> Loss:
    r"""Return :math:`\sum_k s_k g_k^2`, :math:`g = g_\infty + (1 - g_\infty) h`, from what is left, h, of each mode and its error.

    The share that decay keeps, :math:`g_\infty`, is :math:`r/(\lambda + r)`.
    """
    with np.errstate(under="ignore"):
        kept = decay / (modes.eigenvalues + decay) if share is None else share
        lost = modes.eigenvalues / (modes.eigenvalues + decay) if share is None else 1 - share
        residual = kept + lost * left
        wrong = 4 * ROUNDING * (kept + lost * np.abs(left)) + lost * error
        rounding = float(modes.signal @ (wrong * (2 * np.abs(residual) + wrong)))
        return Loss(float(modes.signal @ residual**2), rounding + SMALLEST)


def of_one_variable(
    modes: Modes, decay: float, noise: float, free: Loss, doubled: Nodes, once: Nodes, rule: Rule
) -> tuple[Loss, Loss]:
    r"""Return the parts of the train loss due to signal and to noise, read at twice the time and at the time itself.

    .. math:: \mathcal L^{-1}_{2t} \Big[\frac{s + r}{s^2} \Phi(s + r)\Big] - 2 r\, \mathcal L^{-1}_t \Big[\frac{\Phi(s + r)}{s^2}\Big],
              \qquad \Phi = R_1 \Big(\sum_k \frac{s_k \kappa}{\lambda_k + \kappa} + \sigma^2\Big)

    Each in full, or as difference from unlimited features and samples, whichever loses less to rounding.
    """
    # only products of these numbers with weights of about 1/|s| are summed; s may be tiny
    with np.errstate(all="ignore"):
        twice = doubled.weights * (doubled.at.s / doubled.s)
        single = once.weights * (-2 * (decay / once.s))
    early, late = (train_transform(modes, nodes.at, noise) for nodes in (doubled, once))
    parts = []
    for two, one in zip(early, late, strict=True):
        first, second = invert(twice, two, rule), invert(single, one, rule)
        parts.append(Loss(first.value + second.value, first.error + second.error))
    rest = Loss(noise, ROUNDING * noise)
    signal = _better(parts[0], _sum(parts[1], free))
    return signal, _better(parts[2], _sum(parts[3], rest))


def decayed_losses(
    modes: Modes,
    decay: float,
    noise: float,
    free: list[Loss],
    doubled: list[Nodes] | None,
    once: list[Nodes],
    rules: tuple[Rule, Rule],
    *,
    dropped: float = 0.0,
) -> list[tuple[Loss, Loss]]:
    """Return pairs of test and train losses for limited features or samples.

    `once` holds contours for each time, with the same nodes, and `doubled` those for twice the time where a transform of one
    variable gives the train loss; of the two forms the one with the smaller error is kept.
    """
    weights = np.array([nodes.weights for nodes in once])
    starts = np.array([loss.value for loss in free])
    single, paired = rules
    found = []
    pairs = pair_losses(
        modes, once[0].at, noise, weights, starts, paired, train=True, dropped=dropped
    )
    total = float(np.sum(modes.signal)) + noise
    for i, (test, train) in enumerate(pairs):
        test = Loss(test.value, test.error + free[i].error)
        train = Loss(train.value, train.error + free[i].error)
        if doubled is not None:
            signal, fitted = of_one_variable(
                modes, decay, noise, free[i], doubled[i], once[i], single
            )
            cut = single.truncation / 4 * total
            if once[0].at.inverse_samples == 0.0:
                test = _better(test, Loss(signal.value, signal.error + cut))
            one = _sum(signal, fitted)
            train = _better(train, Loss(one.value, one.error + cut))
        if once[0].at.inverse_samples == 0.0:
            train = _sum(test, Loss(noise, ROUNDING * noise))
        found.append((test, train))
    return found


def langevin(modes: Modes, doubled: Nodes, rule: Rule) -> tuple[Loss, Loss]:
    """Return what Langevin noise of unit temperature adds to test and train loss, by one transform at twice the time."""
    df1 = doubled.at.df1
    test = invert(doubled.weights, np.asarray(df1 / doubled.at.r1), rule)
    train = invert(doubled.weights, df1, rule)
    return tuple(  # type: ignore[return-value]
        Loss(max(loss.value, 0.0), loss.error + rule.truncation * abs(loss.value))
        for loss in (test, train)
    )


def unlimited_langevin(modes: Modes, decay: float, t: float) -> Loss:
    r"""Return it for unlimited features and samples, :math:`\sum_k \lambda_k (1 - e^{-2(\lambda_k + r)t})/(\lambda_k + r)`."""
    rates = modes.eigenvalues + decay
    with np.errstate(under="ignore"):
        grown = -np.expm1(-2 * rates * t)
        value = float(modes.multiplicities @ (modes.eigenvalues * (grown / rates)))
    return Loss(value, 4 * ROUNDING * value)


def langevin_limits(
    spectrum: Spectrum, features: Array, samples: Array, decay: Array
) -> list[tuple[Loss, Loss]]:
    """Return it after long times; infinite where directions that no sample fixes are free."""
    if features.size == 0:
        return []
    end = ridge(spectrum, features=features, samples=samples, ridge=decay, on_failure="return")
    found = []
    accuracy = end.diagnostics.error_estimate
    rows = zip(
        features,
        samples,
        decay,
        np.asarray(end.kappa),
        np.asarray(end.degrees_of_freedom),
        strict=True,
    )
    for n, p, r, kappa, df1 in rows:
        unused = _unused(n, p, r, kappa, df1)
        test = df1 / unused if unused > 0 else math.inf
        found.append((Loss(test, accuracy * test), Loss(df1, accuracy * df1)))
    return found


def _unused(features: float, samples: float, decay: float, kappa: float, df1: float) -> float:
    """Return R_1 at real kappa, without cancellation."""
    if math.isinf(samples):
        return 1.0
    if kappa == 0:  # every mode is learned
        return max(1 - df1 / samples, 0.0)
    _, ratio, gap = size_ratio(features, samples)
    _, scarce, _ = filling(kappa, ratio, gap, decay)
    return float(scarce if samples <= features else gap + ratio * scarce)


def _sum(one: Loss, two: Loss) -> Loss:
    return Loss(one.value + two.value, one.error + two.error)


def _better(one: Loss, two: Loss) -> Loss:
    return one if one.error < two.error else two
