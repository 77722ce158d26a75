r"""Predictions, measurements, and the rule that judges between them.

With difference :math:`d`, standard error :math:`s`, tolerance `tol` and the 95 % quantile :math:`q` of Student's t,

.. math:: \text{pass: } |d| + q s \le tol, \qquad \text{fail: } |d| - q s > tol, \qquad \text{otherwise inconclusive.}

A pass is an equivalence test at 5 %: noisy data cannot pass. The tolerance is the largest deviation at which one would still call
the theory right, fixed in the source before the run.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

from ..errors import DomainError

Array = NDArray[np.float64]

LEVEL = 0.05
"""Level of every test."""

PASS, FAIL, INCONCLUSIVE, UNDERPOWERED, ERROR = VERDICTS = (
    "pass",
    "fail",
    "inconclusive",
    "underpowered",
    "error",
)
KINDS = ("exponent", "curve", "threshold", "ranking")
EVIDENCE = ("simulation", "exact", "data", "literature")


@dataclass(frozen=True)
class Prediction:
    """What a theory says.

    Attributes
    ----------
    name : str
        The quantity.
    kind : str
        ``"exponent"`` or ``"threshold"`` (a number), ``"curve"`` (one number per point) or ``"ranking"`` (who wins).
    value : float or ndarray
        The prediction; for a ranking 1 if the first is better, -1 if the second is, 0 for a tie.
    source : str
        Law, solver or equation.
    se, df : float, float or None
        Standard error and its degrees of freedom where the prediction itself was measured; 0 and None for a formula.
    x : ndarray or None
        Where a curve is evaluated.
    domain : mapping
        Range of each variable in which the theory claims to hold; for a curve, the first one is the range of `x`, and points
        outside it are shown but not judged.
    """

    name: str
    kind: str
    value: float | Array
    source: str
    se: float = 0.0
    df: float | None = None
    x: Array | None = None
    domain: Mapping[str, tuple[float, float]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Refuse unknown kinds."""
        if self.kind not in KINDS:
            raise DomainError(
                f"kind = {self.kind!r} must be one of {', '.join(KINDS)}",
                argument="kind",
                value=self.kind,
            )


@dataclass(frozen=True)
class Measurement:
    """What a simulation, an exact computation or an experiment says; never without an uncertainty.

    Attributes
    ----------
    value, se : float or ndarray
        Result and standard error, or numerical error if `deterministic`.
    df : float or None
        Degrees of freedom of the standard error; None for a normal distribution.
    n_rep : int
        Replicates.
    method : str
        How it was obtained.
    window : tuple of float
        Range of the independent variable.
    systematic : float
        Part of `se` that replicates do not reduce.
    deterministic : bool
        Whether `se` is a numerical error bound instead of a standard error.
    underpowered : bool
        Whether this is a pilot that showed that all the replicates planned could not decide, so that they were not run.
    """

    value: float | Array
    se: float | Array
    df: float | None
    n_rep: int
    method: str
    window: tuple[float, float]
    systematic: float = 0.0
    deterministic: bool = False
    underpowered: bool = False

    def __post_init__(self) -> None:
        """Refuse measurements without a usable uncertainty."""
        if not np.all(np.isfinite(self.value)):
            raise DomainError(
                f"value = {self.value} must be finite", argument="value", value=self.value
            )
        if not (np.all(np.isfinite(self.se)) and np.all(np.asarray(self.se) >= 0)):
            raise DomainError(
                f"se = {self.se} must be finite and >= 0", argument="se", value=self.se
            )
        if not self.deterministic and not np.all(np.asarray(self.se) > 0):
            raise DomainError(
                "a measurement without an uncertainty is not admissible: se must be positive",
                argument="se",
                value=self.se,
            )
        if self.df is not None and not self.df > 0:
            raise DomainError(f"df = {self.df} must be positive", argument="df", value=self.df)


@dataclass(frozen=True)
class Rival:
    """A wrong but plausible alternative that the same data must reject.

    Attributes
    ----------
    name : str
        What it is.
    value : float or ndarray
        What it predicts.
    """

    name: str
    value: float | Array


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
    if not tolerance > 0:
        raise DomainError(
            f"tolerance = {tolerance} must be positive", argument="tolerance", value=tolerance
        )
    reach = se if deterministic else float(quantile(1 - LEVEL, df)) * se
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
    e, s = np.asarray(deviation, float), np.asarray(se, float)
    if e.ndim != 1 or e.size == 0 or e.shape != s.shape:
        raise DomainError(
            f"deviation and se must be arrays of one length; got shapes {e.shape} and {s.shape}",
            argument="se",
            value=s.shape,
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


@dataclass(frozen=True)
class Comparison:
    """One prediction against one measurement.

    Attributes
    ----------
    id : str
        Name of the check and of what is compared.
    prediction, measurement : Prediction, Measurement
        The two sides; None if the check crashed.
    tolerance : float
        Declared before the run.
    tolerance_kind : str
        ``"absolute"``, in units of the quantity, or ``"relative"``; always relative for a curve.
    rival : Rival or None
        The alternative to be rejected.
    expect : str
        The verdict that counts as expected.
    expect_reason : str or None
        Why, where it is not a pass.
    evidence : str
        ``"simulation"``, ``"exact"``, ``"data"`` or ``"literature"``; the last never counts as evidence for the code.
    notes : tuple of str
        Remarks for the reader.
    excluded : int
        Points outside the theory's domain, not judged; of a curve they are counted here.
    wall_s : float
        Seconds spent.
    error : str or None
        Message and end of the traceback if the check crashed.
    """

    id: str
    prediction: Prediction | None
    measurement: Measurement | None
    tolerance: float
    tolerance_kind: str = "absolute"
    rival: Rival | None = None
    expect: str = PASS
    expect_reason: str | None = None
    evidence: str = "simulation"
    notes: tuple[str, ...] = ()
    excluded: int = 0
    wall_s: float = 0.0
    error: str | None = None

    def __post_init__(self) -> None:
        """Refuse what cannot be judged."""
        if self.expect not in (PASS, FAIL, INCONCLUSIVE):
            raise DomainError(
                f"expect = {self.expect!r} must be 'pass', 'fail' or 'inconclusive'",
                argument="expect",
                value=self.expect,
            )
        if not 0 < self.tolerance < math.inf:
            raise DomainError(
                f"tolerance = {self.tolerance} must be positive and finite",
                argument="tolerance",
                value=self.tolerance,
            )
        if self.tolerance_kind not in ("absolute", "relative"):
            raise DomainError(
                f"tolerance_kind = {self.tolerance_kind!r} must be 'absolute' or 'relative'",
                argument="tolerance_kind",
                value=self.tolerance_kind,
            )
        if self.evidence not in EVIDENCE:
            raise DomainError(
                f"evidence = {self.evidence!r} must be one of {', '.join(EVIDENCE)}",
                argument="evidence",
                value=self.evidence,
            )
        if self.prediction is None or self.measurement is None:
            if self.error is None:
                raise DomainError(
                    "a comparison needs a prediction and a measurement, or the error that prevented them",
                    argument="error",
                    value=None,
                )
            return
        curve = self.prediction.kind == "curve"
        if curve:
            object.__setattr__(self, "tolerance_kind", "relative")
        shape = np.shape(self.measurement.value)
        for name, value in (
            ("prediction", self.prediction.value),
            ("rival", None if self.rival is None else self.rival.value),
        ):
            if value is None:
                continue
            if np.shape(value) != shape or (len(shape) == 1) != curve:
                raise DomainError(
                    f"{name} of shape {np.shape(value)} against a measurement of shape {shape}: a curve needs one value per point, "
                    "anything else a single number",
                    argument=name,
                    value=np.shape(value),
                )
            if not np.all(np.isfinite(value)) or (curve and np.any(np.asarray(value) == 0)):
                raise DomainError(
                    f"{name} = {value} must be finite{' and not zero' if curve else ''}",
                    argument=name,
                    value=value,
                )
        if curve:
            inside = self.inside
            object.__setattr__(self, "excluded", max(self.excluded, int(np.sum(~inside))))
            if not np.any(inside):
                raise DomainError(
                    f"no point of x lies in the domain {dict(self.prediction.domain)}",
                    argument="domain",
                    value=None,
                )
            self._refuse_blur(inside)

    @property
    def inside(self) -> NDArray[np.bool_]:
        """Which points of a curve lie in the domain of the theory; only those are judged."""
        assert self.prediction is not None
        count, domain = np.size(self.prediction.value), self.prediction.domain
        if self.prediction.x is None or not domain:
            return np.ones(count, bool)
        low, high = next(iter(domain.values()))
        x = np.asarray(self.prediction.x, float)
        return (x >= low) & (x <= high)

    def _refuse_blur(self, inside: NDArray[np.bool_]) -> None:
        """Refuse a curve whose error bars hide even its shape: neither a pass nor a failure would mean anything."""
        assert self.prediction is not None
        assert self.measurement is not None
        if self.measurement.underpowered:
            return
        p = np.asarray(self.prediction.value, float)[inside]
        q = (
            1.0
            if self.measurement.deterministic
            else float(quantile(1 - LEVEL, self.measurement.df))
        )
        reach = q * float(np.max(np.broadcast_to(self.measurement.se, inside.shape)[inside]))
        if 2 * reach > np.ptp(p) and reach > self.tolerance * float(np.max(np.abs(p))):
            raise DomainError(
                f"error bars of +-{reach:.3g} are wider than the whole predicted curve ({np.ptp(p):.3g}); take more replicates",
                argument="measurement",
                value=reach,
            )

    def against(self, value: float | Array) -> Outcome:
        """Judge the measurement against any value of the predicted quantity, with this comparison's tolerance."""
        assert self.prediction is not None
        assert self.measurement is not None
        measured = self.measurement
        se, df = measured.se, measured.df
        if self.prediction.kind == "curve":
            judged = np.flatnonzero(self.inside)
            predicted = np.asarray(value, float)[judged]
            e = np.asarray(measured.value)[judged] / predicted - 1
            spread = np.hypot(np.broadcast_to(se, self.inside.shape)[judged], self.prediction.se)
            found = judge_curve(
                e,
                spread / np.abs(predicted),
                df,
                self.tolerance,
                deterministic=measured.deterministic,
            )
            return replace(found, worst=int(judged[found.worst or 0]))
        if self.prediction.kind == "ranking":
            return judge_ranking(float(measured.value), float(se), df, self.tolerance, float(value))
        if self.prediction.se > 0:
            se, df = _welch(float(measured.se), df, self.prediction.se, self.prediction.df)
        tolerance = self.tolerance * (
            abs(float(value)) if self.tolerance_kind == "relative" else 1.0
        )
        return judge(
            float(measured.value) - float(value),
            float(se),
            df,
            tolerance,
            deterministic=measured.deterministic,
        )

    @cached_property
    def outcome(self) -> Outcome | None:
        """The rule applied to the prediction; None if the check crashed."""
        if self.prediction is None or self.measurement is None:
            return None
        found = self.against(self.prediction.value)
        return replace(found, verdict=UNDERPOWERED) if self.measurement.underpowered else found

    @property
    def verdict(self) -> str:
        """``"pass"``, ``"fail"``, ``"inconclusive"``, ``"underpowered"`` or ``"error"``."""
        return ERROR if self.outcome is None else self.outcome.verdict

    @property
    def undecided(self) -> bool:
        """Whether the data decided nothing: inconclusive, or too few to be worth taking."""
        return self.verdict in (INCONCLUSIVE, UNDERPOWERED)

    @property
    def as_expected(self) -> bool:
        """Whether the verdict is the declared one; where inconclusive is declared, underpowered is a form of it."""
        return self.verdict == self.expect or (self.expect == INCONCLUSIVE and self.undecided)

    @cached_property
    def rival_verdict(self) -> str | None:
        """The rule applied to the rival; None without one."""
        return (
            None
            if self.rival is None or self.outcome is None
            else self.against(self.rival.value).verdict
        )

    @property
    def discriminating(self) -> bool:
        """Whether the same data reject the rival; a comparison that does not is no evidence."""
        return self.rival_verdict == FAIL


def _welch(
    se_m: float, df_m: float | None, se_p: float, df_p: float | None
) -> tuple[float, float | None]:
    """Combine two standard errors with the degrees of freedom of Welch and Satterthwaite."""
    s = math.hypot(se_m, se_p)
    spread = sum(se**4 / df for se, df in ((se_m, df_m), (se_p, df_p)) if df is not None)
    return s, (s**4 / spread if spread > 0 else None)
