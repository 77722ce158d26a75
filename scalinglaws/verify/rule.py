r"""The rule that judges a difference: pass, fail or inconclusive.

With difference :math:`d`, standard error :math:`s`, tolerance `tol` and the 95 % quantile :math:`q` of Student's t,

.. math:: \text{pass: } |d| + q s \le tol, \qquad \text{fail: } |d| - q s > tol, \qquad \text{otherwise inconclusive.}

A pass is an equivalence test at 5 %: noisy data cannot pass.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from scipy import special

from ..arguments import flag, number, numbers
from ..errors import refusal
from ..reprs import short_repr

LEVEL = 0.05
"""Level of every test."""

PASS, FAIL, INCONCLUSIVE, UNDERPOWERED, ERROR = VERDICTS = (
    "pass",
    "fail",
    "inconclusive",
    "underpowered",
    "error",
)


@short_repr
@dataclass(frozen=True)
class Outcome:
    """The rule applied once.

    Attributes
    ----------
    verdict : str
        ``"pass"``, ``"fail"``, ``"inconclusive"`` or, for a pilot, ``"underpowered"``.
    difference : float
        Measured minus predicted; for a curve the relative deviation at its worst point.
    interval : tuple of float
        ``difference -+ q * s``.
    z, p_difference, p_equivalence, power : float or None
        Test statistics; None where errors are numerical. `power` is the probability of a pass if the theory is exact.
    worst : int or None
        Index of a curve's worst point.
    se : float or None
        Standard error of the difference; None where errors are numerical.
    """

    verdict: str
    difference: float
    interval: tuple[float, float]
    z: float | None
    p_difference: float | None
    p_equivalence: float | None
    power: float | None
    worst: int | None = None
    se: float | None = None


def judge(
    difference: float, se: float, df: float | None, tolerance: float, *, deterministic: bool = False
) -> Outcome:
    """Apply the three-outcome rule to one number.

    Parameters
    ----------
    difference : float
        Measured minus predicted.
    se : float
        Standard error of the difference, or a bound on it if `deterministic`.
    df : float or None
        Degrees of freedom; None for a normal distribution.
    tolerance : float
        Largest acceptable deviation, > 0, in the same units.
    deterministic : bool
        Take `se` as a bound.

    Returns
    -------
    Outcome
        Verdict and statistics.

    Examples
    --------
    >>> judge(0.01, 0.005, 8, 0.03).verdict, judge(0.01, 0.02, 8, 0.03).verdict, judge(0.1, 0.02, 8, 0.03).verdict
    ('pass', 'inconclusive', 'fail')
    """
    difference, se = number("difference", difference), number("se", se, low=0.0, infinite=True)
    tolerance = number("tolerance", tolerance, infinite=True)
    if not tolerance > 0:
        raise refusal("tolerance", tolerance, "must be positive")
    if df is not None:
        df = number("df", df, low=0.0, strict=True)
    if se == 0 and not flag("deterministic", deterministic):
        raise refusal("se", se, "must be > 0 unless errors are numerical: deterministic=True")
    reach = se if flag("deterministic", deterministic) else float(quantile(1 - LEVEL, df)) * se
    verdict = _verdict(abs(difference), reach, reach, tolerance)
    interval = (difference - reach, difference + reach)
    if deterministic:
        return Outcome(verdict, difference, interval, None, None, None, None)
    z = difference / se
    return Outcome(
        verdict,
        difference,
        interval,
        z,
        p_difference=2 * float(_cdf(-abs(z), df)),
        p_equivalence=float(_cdf((abs(difference) - tolerance) / se, df)),
        power=power(tolerance / se, df),
        se=se,
    )


def judge_ranking(
    advantage: float, se: float, df: float | None, tolerance: float, winner: float
) -> Outcome:
    """Judge which of two is better, from a paired difference.

    Parameters
    ----------
    advantage : float
        Mean advantage of the first over the second, for example the log ratio of the second's loss to the first's.
    se : float
        Its standard error over pairs.
    df : float or None
        Degrees of freedom; None for a normal distribution.
    tolerance : float
        Largest advantage that still counts as a tie, > 0.
    winner : float
        The claim: positive for the first, negative for the second, 0 for a tie.

    Returns
    -------
    Outcome
        A claimed winner passes if the advantage is positive at level 5 %, and fails if the other one's is, or if both are
        equivalent within `tolerance`. A claimed tie is judged as by `judge`. `power` and `p_equivalence` belong to ties alone.

    Examples
    --------
    >>> judge_ranking(0.3, 0.1, 9, 0.05, 1).verdict, judge_ranking(0.3, 0.1, 9, 0.05, -1).verdict
    ('pass', 'fail')
    """
    tie = judge(advantage, se, df, tolerance)
    if winner == 0:
        return tie
    low, high = tie.interval if winner > 0 else (-tie.interval[1], -tie.interval[0])
    verdict = PASS if low > 0 else FAIL if high < 0 or tie.verdict == PASS else INCONCLUSIVE
    return replace(tie, verdict=verdict, p_equivalence=None, power=None)


def judge_curve(
    deviation: ArrayLike,
    se: ArrayLike,
    df: float | None,
    tolerance: float,
    *,
    deterministic: bool = False,
) -> Outcome:
    """Apply the rule to relative deviations point by point.

    Parameters
    ----------
    deviation, se : array_like, shape (J,)
        Relative deviations ``measured / predicted - 1`` and their standard errors.
    df : float or None
        Degrees of freedom of every point; None for a normal distribution.
    tolerance : float
        Largest acceptable relative deviation, > 0.
    deterministic : bool
        Take `se` as bounds.

    Returns
    -------
    Outcome
        Pass if every point passes (no correction is needed for that); fail if some point fails at level 5 % / J.
        Statistics are those of the worst point, `p_difference` corrected for J points.
    """
    e, s = numbers("deviation", deviation), numbers("se", se, low=0.0, infinite=True)
    flag("deterministic", deterministic)
    if e.ndim != 1 or e.size == 0 or e.shape != s.shape:
        raise refusal(
            "se",
            s.shape,
            f"deviation and se must be arrays of one length; got shapes {e.shape} and {s.shape}",
            named=False,
        )
    q_pass, q_fail = (
        (1.0, 1.0)
        if deterministic
        else (float(quantile(1 - LEVEL, df)), float(quantile(1 - LEVEL / e.size, df)))
    )
    worst = int(np.argmax(np.abs(e) + q_pass * s))
    single = judge(float(e[worst]), float(s[worst]), df, tolerance, deterministic=deterministic)
    verdicts = [
        _verdict(abs(d), q_pass * u, q_fail * u, tolerance) for d, u in zip(e, s, strict=True)
    ]
    if FAIL in verdicts:  # show the point that failed, not the noisiest one
        worst = int(np.argmax(np.abs(e) - q_fail * s))
        single = judge(float(e[worst]), float(s[worst]), df, tolerance, deterministic=deterministic)
    verdict = (
        FAIL
        if FAIL in verdicts
        else (PASS if all(entry == PASS for entry in verdicts) else INCONCLUSIVE)
    )
    p_difference = None if single.p_difference is None else min(1.0, e.size * single.p_difference)
    return replace(single, verdict=verdict, p_difference=p_difference, worst=worst)


def power(ratio: float, df: float | None) -> float:
    r"""Return the probability that an exact theory passes, given the tolerance in standard errors.

    .. math:: \int \big[2\Phi(tol/s - q\sqrt{v/df}) - 1\big]_+ \chi^2_{df}(v)\,dv

    Parameters
    ----------
    ratio : float
        Tolerance over standard error.
    df : float or None
        Degrees of freedom; None for a normal distribution.

    Returns
    -------
    float
        Between 0 and 1.

    Examples
    --------
    >>> round(power(4, 8), 2)
    0.95
    """
    q = float(quantile(1 - LEVEL, df))
    if df is None:
        return max(0.0, 2 * float(special.ndtr(ratio - q)) - 1)
    # midpoints in probability of the chi-square distribution: smooth integrand, 1e-4 is ample
    v = special.chdtri(df, (np.arange(400) + 0.5) / 400)
    return float(np.mean(np.maximum(2 * special.ndtr(ratio - q * np.sqrt(v / df)) - 1, 0.0)))


def _verdict(size: float, reach_pass: float, reach_fail: float, tolerance: float) -> str:
    if size + reach_pass <= tolerance:
        return PASS
    return FAIL if size - reach_fail > tolerance else INCONCLUSIVE


def _cdf(x: float, df: float | None) -> Any:
    return special.ndtr(x) if df is None else special.stdtr(df, x)


def quantile(p: float, df: float | None) -> Any:
    """Return a quantile of Student's t with `df` degrees of freedom, or of the normal distribution for None."""
    return special.ndtri(p) if df is None else special.stdtrit(df, p)


def welch(
    se_m: float, df_m: float | None, se_p: float, df_p: float | None
) -> tuple[float, float | None]:
    """Combine two standard errors with the degrees of freedom of Welch and Satterthwaite."""
    s = math.hypot(se_m, se_p)
    spread = sum(se**4 / df for se, df in ((se_m, df_m), (se_p, df_p)) if df is not None)
    return s, (s**4 / spread if spread > 0 else None)
