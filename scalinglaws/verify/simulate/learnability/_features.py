"""Regression on independent features, mode by mode."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.linalg import cho_factor, cho_solve

from ....arguments import afford, choice, generator, number, numbers, one_row, whole, whole_numbers
from ....equality import by_value
from ....errors import DomainError, refusal
from ....reprs import short_repr

Array = NDArray[np.float64]

FEATURES = ("gaussian", "signs")


@short_repr
@by_value
@dataclass(frozen=True)
class ModeRegression:
    r"""Regressions on independent features, several on the same data sets.

    Attributes
    ----------
    samples : int
        P of each data set.
    ridge : ndarray, shape (R,)
        :math:`\sigma^2` of each regression.
    kept : ndarray, shape (R,)
        How many leading modes its kernel has.
    coefficients : ndarray, shape (draws, R, M)
        :math:`\langle\bar f, \phi_k\rangle` of the leading modes; zero beyond those that are kept.
    learnability : ndarray, shape (draws, R, M)
        :math:`\lambda_k\, \phi_k(D)^\top (K_{DD} + \sigma^2)^{-1} \phi_k(D)`: the coefficient if the mode itself were the target.
    test_loss : ndarray, shape (draws, R)
        :math:`\sum_k (\langle\bar f, \phi_k\rangle - y_k)^2`, over all modes.
    """

    samples: int
    ridge: Array
    kept: Array
    coefficients: Array
    learnability: Array
    test_loss: Array


def regress_modes(
    eigenvalues: ArrayLike,
    coefficients: ArrayLike,
    samples: int,
    *,
    ridge: ArrayLike,
    kept: ArrayLike = math.inf,
    noise_variance: float = 0.0,
    features: str = "gaussian",
    modes: int | None = None,
    draws: int,
    rng: np.random.Generator | int,
) -> ModeRegression:
    r"""Draw data sets of independent features, and regress on them exactly, with all modes of the kernel or with the leading ones.

    .. math:: K = \sum_{k \le \Lambda} \lambda_k \phi_k \phi_k, \qquad y = \sum_k y_k \phi_k + \text{noise}, \qquad
              \langle\bar f, \phi_k\rangle = \lambda_k\, \phi_k(D)^\top (K_{DD} + \sigma^2)^{-1} y_D

    Parameters
    ----------
    eigenvalues : array_like, shape (K,)
        :math:`\lambda_k > 0`, in the order in which modes are kept.
    coefficients : array_like, shape (K,) or shorter
        :math:`y_k` of the target on normalized features; those that are missing are zero.
    samples : int
        P >= 1.
    ridge : array_like, shape (R,) or ()
        :math:`\sigma^2 > 0` of each regression, added to :math:`K_{DD}`.
    kept : array_like, shape (R,) or ()
        :math:`\Lambda \ge 1` of each regression, inf for all modes.
    noise_variance : float
        Of the labels.
    features : {"gaussian", "signs"}
        Distribution of the independent values :math:`\phi_k(x_\mu)`, of mean zero and variance one: normal, or one of -1 and 1.
    modes : int, optional
        M, leading modes whose coefficients are returned; all by default.
    draws : int
        Data sets.
    rng : Generator or int
        Source of randomness; each data set takes a stream spawned from it, so that draw i is the same however many there are.

    Returns
    -------
    ModeRegression
        Coefficients of every data set and regression.

    Raises
    ------
    DomainError
        If an argument is out of range or shapes do not match.
    ResourceError
        If a data set or the results would need more than the memory budget (``SCALINGLAWS_MEMORY``, 4 GB by default).

    Notes
    -----
    :math:`P^2 (K + P/3)` operations for each data set and regression, by Cholesky factors: about 1 ms at P = 60 and K = 400.

    Examples
    --------
    >>> found = regress_modes([1.0, 0.1], [1.0], 50, ridge=[1e-6, 5.0], draws=3, rng=0)
    >>> found.coefficients.mean(axis=0)[:, 0].round(2)
    array([1.  , 0.91])
    """
    spectrum = one_row("eigenvalues", eigenvalues, low=0, strict=True)
    given = one_row("coefficients", coefficients)
    if given.size > spectrum.size:
        raise refusal(
            "coefficients", given.shape, f"must be at most {spectrum.size} numbers", shown=False
        )
    target = np.zeros(spectrum.size)
    target[: given.size] = given
    size, count = whole("samples", samples), whole("draws", draws)
    noise = math.sqrt(number("noise_variance", noise_variance, low=0))
    law = choice("features", features, FEATURES)
    ridges = np.atleast_1d(numbers("ridge", ridge, low=0, strict=True))
    limits = np.atleast_1d(whole_numbers("kept", kept, infinite=True))
    try:
        ridges, limits = np.broadcast_arrays(ridges, limits)
    except ValueError:
        raise DomainError(
            "ridge and kept must broadcast against each other", argument="kept", value=kept
        ) from None
    if ridges.ndim > 1:
        raise refusal("ridge", ridges.shape, "must be a number or a row of numbers", shown=False)
    cuts = np.minimum(limits, spectrum.size).astype(int)
    shown = spectrum.size if modes is None else whole("modes", modes, high=spectrum.size)
    shape = (count, ridges.size, shown)
    afford(2.0 * math.prod(shape), "the results", "use fewer draws or modes")
    afford(3.0 * size * spectrum.size + 2.0 * size**2, "one data set", "use fewer samples or modes")
    source = generator(rng)
    learned, alone = np.zeros(shape), np.zeros(shape)
    lost = np.empty(shape[:2])
    for i in range(count):
        stream = source.spawn(1)[0]
        phi: Array = (
            stream.standard_normal((size, spectrum.size))
            if law == "gaussian"
            else stream.choice(np.array([-1.0, 1.0]), (size, spectrum.size))
        )
        labels = phi @ target + noise * stream.standard_normal(size)
        for j, (own, cut) in enumerate(zip(ridges, cuts, strict=True)):
            seen, weights = phi[:, :cut], spectrum[:cut]
            kernel = (seen * weights) @ seen.T
            kernel.flat[:: size + 1] += own
            try:
                factor = cho_factor(kernel, lower=True, overwrite_a=True, check_finite=False)
            except np.linalg.LinAlgError:
                complaint = "is lost in rounding errors of the kernel of these samples"
                raise refusal("ridge", float(own), complaint) from None
            looked = min(cut, shown)
            right = np.column_stack([labels, seen[:, :looked]])
            solved = cho_solve(factor, right, check_finite=False)
            found = np.zeros(spectrum.size)
            found[:cut] = weights * (seen.T @ solved[:, 0])
            lost[i, j] = np.sum((found - target) ** 2)
            learned[i, j] = found[:shown]
            alone[i, j, :looked] = weights[:looked] * np.sum(right[:, 1:] * solved[:, 1:], axis=0)
    return ModeRegression(size, np.array(ridges), cuts.astype(float), learned, alone, lost)
