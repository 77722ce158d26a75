"""How much a parameter differs between groups beyond its errors: the random-effects mean and spread."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import brentq
from scipy.special import stdtrit

from ....arguments import one_row, refuse_first
from ....errors import refusal
from ....results import Result
from ._intervals import level_of

Array = NDArray[np.float64]


@dataclass(frozen=True)
class BetweenGroups(Result):
    r"""A parameter of several groups, each value with its error: their mean, and their spread beyond errors.

    Attributes
    ----------
    name : str
        The parameter.
    groups : tuple of str
        Where it was estimated, each group alone.
    values, errors : ndarray, shape (k,)
        Estimates and standard errors; of a positive parameter that is an amplitude or an offset, of its logarithm.
    logarithm : bool
        Whether they are of the logarithm.
    sd : float
        Standard deviation between groups, by Paule and Mandel; 0 where errors explain all differences.
    mean, low, high : float
        Mean over groups and its interval, by Hartung and Knapp; of the logarithm where `logarithm`.
    level : float
        Of the interval.
    """

    name: str
    groups: tuple[str, ...]
    values: Array
    errors: Array
    logarithm: bool
    sd: float
    mean: float
    low: float
    high: float
    level: float


def random_effects(
    values: ArrayLike, errors: ArrayLike, level: float = 0.95
) -> tuple[float, float, float, float]:
    r"""Return mean, its interval, and the standard deviation between groups of values with errors.

    With :math:`w_g = 1/(s_g^2 + \tau^2)` and :math:`\mu = \sum w y / \sum w`, :math:`\tau^2 \ge 0` solves
    :math:`\sum w (y - \mu)^2 = k - 1` (Paule and Mandel), and

    .. math:: \mathrm{se}^2(\mu) = \frac{\max(1, q)}{\sum w}, \quad q = \frac{\sum w (y - \mu)^2}{k - 1}

    with Student's t of k - 1 degrees of freedom (Hartung and Knapp; never narrower than errors alone allow).

    Parameters
    ----------
    values, errors : array_like, shape (k,)
        At least two.
    level : float
        Of the interval.

    Returns
    -------
    (float, float, float, float)
        Mean, low, high, standard deviation between groups.

    References
    ----------
    .. [1] R. C. Paule and J. Mandel, J. Res. Natl. Bur. Stand. 87, 377 (1982).
    .. [2] G. Knapp and J. Hartung, Statistics in Medicine 22, 2693 (2003).

    Examples
    --------
    >>> mean, low, high, sd = random_effects([0.30, 0.36, 0.33], [0.01, 0.01, 0.01])
    >>> round(mean, 3), round(sd, 4)
    (0.33, 0.0283)
    """
    share = level_of(level)
    y, s = one_row("values", values, least=2), one_row("errors", errors, least=2, low=0)
    if y.size != s.size:
        raise refusal("errors", s.shape, f"must be {y.size}, one per value", shown=False)
    refuse_first("errors", s, s == 0, "must be > 0")

    def moments(squared: float) -> tuple[float, float, float]:
        w = 1 / (s**2 + squared)
        mu = float(w @ y / np.sum(w))
        return mu, float(w @ (y - mu) ** 2), float(np.sum(w))

    def over(squared: float) -> float:
        return moments(squared)[1] - (y.size - 1)

    high = float(np.ptp(y)) ** 2 * y.size
    squared = (
        0.0
        if over(0.0) <= 0
        else float(brentq(over, 0.0, high, xtol=1e-16 * max(high, 1e-300), rtol=1e-12))
    )
    mu, spread, total = moments(squared)
    error = np.sqrt(max(1.0, spread / (y.size - 1)) / total)
    half = float(stdtrit(y.size - 1, 0.5 + share / 2) * error)
    return mu, mu - half, mu + half, float(np.sqrt(squared))
