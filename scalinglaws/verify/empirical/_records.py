"""What is measured of a task, and what is predicted from it."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ...equality import by_value
from ...reprs import short_repr

Array = NDArray[np.float64]

POWER_LAW = "power law"
NO_POWER_LAW = "not a power law"
TOO_FEW = "too few samples"


@short_repr
@by_value
@dataclass(frozen=True)
class MeasuredExponent:
    """An exponent that was read off data over a window of modes, with the parts of its error and a verdict.

    Attributes
    ----------
    value : float or None
        The estimate; None where there is none, for the reason given.
    interval : tuple of float, or None
        95 % interval: the value plus and minus 1.96 times the root of the sum of the three squared errors.
    statistical, systematic, drift : float
        Standard deviation over half-samples; half the range over sub-windows; distance of the mean over half-samples.
    window : tuple of int, or None
        First and last mode of the fit.
    local : tuple of (int, int, float)
        First mode, last mode and exponent of each sub-window: without the end, without the beginning, without a part of both.
    verdict : str
        "power law", "not a power law" or "too few samples".
    reason : str
        Why, in a sentence.
    consecutive : tuple of (int, int, float)
        The same of three parts of the window, one after the other, by which the verdict is found.
    """

    value: float | None
    interval: tuple[float, float] | None
    statistical: float
    systematic: float
    drift: float
    window: tuple[int, int] | None
    local: tuple[tuple[int, int, float], ...]
    verdict: str
    reason: str
    consecutive: tuple[tuple[int, int, float], ...] = ()


@short_repr
@by_value
@dataclass(frozen=True)
class MeasuredSpectrum:
    r"""Eigenvalues of a sample and what its labels have in each mode, with the power laws that continue them.

    Attributes
    ----------
    samples : float
        n, of which the spectrum was taken; inf for a spectrum that is known.
    eigenvalues : ndarray, shape (m,)
        :math:`\hat\lambda_k` of K/n in falling order, as they were measured.
    shares : ndarray, shape (m,)
        :math:`|u_k^T Y|^2/|Y|^2` of the centered labels.
    power : float
        :math:`|Y|^2/n` of the centered labels.
    capacity, decay : float
        :math:`\alpha` and :math:`\alpha\beta` of the fits.
    window : tuple of int
        :math:`(k_0, k_1)`, modes of the fits; modes beyond are continued by the fits.
    eigenvalue_amplitude, residual_amplitude : float
        :math:`\lambda_k \simeq A k^{-\alpha}` and :math:`R(k) \simeq B (k + 1/2)^{-\alpha\beta}` of the fits.
    rank : float
        How many modes there are in all, as the columns of features are counted; inf where they are not known to end.
    """

    samples: float
    eigenvalues: Array
    shares: Array
    power: float
    capacity: float
    decay: float
    window: tuple[int, int]
    eigenvalue_amplitude: float
    residual_amplitude: float
    rank: float = math.inf


@short_repr
@by_value
@dataclass(frozen=True)
class HeldOutCurve:
    """Test losses of kernel regression on one half of the data, and what the other half predicted for them.

    Attributes
    ----------
    samples : ndarray, shape (S,)
        P, sizes of training sets.
    measured, standard_error : ndarray, shape (S,)
        Mean squared error on points that were not trained on, over the power of the labels: its mean over splits, and an estimate of how
        far that of another data set would be from it (see `scalinglaws.verify.empirical.held_out_curve`).
    predicted : ndarray, shape (S,)
        From the spectra of the other halves, geometric mean over splits.
    splits : int
        How often one half predicted and the other one measured.
    ridge : float
        Added to the diagonal of the Gram matrix, relative to its mean diagonal.
    points : int
        Data points that took part, fewer than there are where these are many.
    leave_one_out : ndarray, shape (S,), or None
        Another estimate of the measured losses, from the training points alone.
    """

    samples: Array
    measured: Array
    standard_error: Array
    predicted: Array
    splits: int
    ridge: float
    points: int = 0
    leave_one_out: Array | None = None
