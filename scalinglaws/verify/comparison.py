"""Predictions, measurements, and what becomes of them: a comparison, or a crash.

The tolerance of a comparison is the largest deviation at which one would still call the theory right, fixed in the source
before the run; `scalinglaws.verify.rule` judges by it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from ..arguments import choice, flag, floats, number, refuse_first
from ..equality import by_value
from ..errors import DomainError, refusal
from ..reprs import line, short_repr
from .rule import (
    ERROR,
    FAIL,
    INCONCLUSIVE,
    LEVEL,
    PASS,
    UNDERPOWERED,
    Outcome,
    judge,
    judge_curve,
    judge_ranking,
    quantile,
    welch,
)

Array = NDArray[np.float64]

KINDS = ("exponent", "curve", "threshold", "ranking")
EVIDENCE = ("simulation", "exact", "data", "literature")
EXPECTATIONS = (PASS, FAIL, INCONCLUSIVE)


@short_repr
@dataclass(frozen=True)
@by_value
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


@short_repr
@dataclass(frozen=True)
@by_value
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
        flag("deterministic", self.deterministic)
        flag("underpowered", self.underpowered)
        value, se = floats("value", self.value), floats("se", self.se)
        refuse_first("value", value, ~np.isfinite(value), "must be finite")
        refuse_first("se", se, ~(np.isfinite(se) & (se >= 0)), "must be finite and >= 0")
        if not self.deterministic and not np.all(np.asarray(self.se) > 0):
            raise DomainError(
                "a measurement without an uncertainty is not admissible: se must be positive",
                argument="se",
                value=self.se,
            )
        if self.df is not None:
            number("df", self.df, low=0, strict=True, infinite=True)


@short_repr
@dataclass(frozen=True)
@by_value
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
@by_value
class Comparison:
    """One prediction against one measurement.

    Attributes
    ----------
    id : str
        Name of the check and of what is compared.
    prediction, measurement : Prediction, Measurement
        The two sides.
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
    """

    id: str
    prediction: Prediction
    measurement: Measurement
    tolerance: float
    tolerance_kind: str = "absolute"
    rival: Rival | None = None
    expect: str = PASS
    expect_reason: str | None = None
    evidence: str = "simulation"
    notes: tuple[str, ...] = ()
    excluded: int = 0
    wall_s: float = 0.0

    def __post_init__(self) -> None:
        """Refuse what cannot be judged."""
        if self.expect not in (PASS, FAIL, INCONCLUSIVE):
            raise DomainError(
                f"expect = {self.expect!r} must be 'pass', 'fail' or 'inconclusive'",
                argument="expect",
                value=self.expect,
            )
        number("tolerance", self.tolerance, low=0, strict=True)
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
        for name, side, kind in (
            ("prediction", self.prediction, Prediction),
            ("measurement", self.measurement, Measurement),
        ):
            if not isinstance(side, kind):
                raise refusal(
                    name, side, "is none: a comparison needs a prediction and a measurement"
                )
        if self.rival is not None and not isinstance(self.rival, Rival):
            raise refusal("rival", self.rival, "must be a Rival or None")
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
            array = np.asarray(value, float)
            wrong = ~np.isfinite(array) | (curve & (array == 0))
            refuse_first(name, array, wrong, f"must be finite{' and not zero' if curve else ''}")
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

    def __repr__(self) -> str:
        return line(f"<Comparison {self.id}: {self.verdict}, {self.evidence}>")

    @property
    def check(self) -> str:
        """Name of the check, the first part of `id`."""
        return self.id.split("/")[0]

    @property
    def inside(self) -> NDArray[np.bool_]:
        """Which points of a curve lie in the domain of the theory; only those are judged."""
        count, domain = np.size(self.prediction.value), self.prediction.domain
        if self.prediction.x is None or not domain:
            return np.ones(count, bool)
        low, high = next(iter(domain.values()))
        x = np.asarray(self.prediction.x, float)
        return (x >= low) & (x <= high)

    def _refuse_blur(self, inside: NDArray[np.bool_]) -> None:
        """Refuse a curve whose error bars hide even its shape: neither a pass nor a failure would mean anything."""
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
        given = floats("value", value)
        if given.shape != np.shape(self.prediction.value) or not np.all(np.isfinite(given)):
            raise refusal("value", value, "must be finite, of the shape of what is predicted")
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
            se, df = welch(float(measured.se), df, self.prediction.se, self.prediction.df)
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
    def outcome(self) -> Outcome:
        """The rule applied to the prediction."""
        found = self.against(self.prediction.value)
        return replace(found, verdict=UNDERPOWERED) if self.measurement.underpowered else found

    @property
    def verdict(self) -> str:
        """``"pass"``, ``"fail"``, ``"inconclusive"`` or ``"underpowered"``."""
        return self.outcome.verdict

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
        return None if self.rival is None else self.against(self.rival.value).verdict

    @property
    def discriminating(self) -> bool:
        """Whether the same data reject the rival; a comparison that does not is no evidence."""
        return self.rival_verdict == FAIL

    @classmethod
    def _from_saved(cls, fields: dict[str, Any]) -> Comparison | Crash:
        """Build what was saved; version 0.1.0 saved a crash as a comparison without sides."""
        error = fields.pop("error", None)
        if error is None:
            return cls(**fields)
        kept = {name: fields[name] for name in ("expect", "expect_reason", "wall_s")}
        return Crash(fields["id"], error, **kept)


@short_repr
@dataclass(frozen=True)
class Crash:
    """The end of a check that could not go on; it is no comparison, and never as expected.

    Attributes
    ----------
    check : str
        Name of the check.
    error : str
        Message and end of the traceback.
    expect, expect_reason : str, str or None
        The verdict that the check declares for its comparisons, and why, where it is not a pass.
    wall_s : float
        Seconds spent, where the check made comparisons too, its share of them.
    """

    check: str
    error: str
    expect: str = PASS
    expect_reason: str | None = None
    wall_s: float = 0.0

    verdict: ClassVar[str] = ERROR
    as_expected: ClassVar[bool] = False
    undecided: ClassVar[bool] = False

    def __post_init__(self) -> None:
        """Refuse expectations that no check can declare."""
        choice("expect", self.expect, EXPECTATIONS)

    @property
    def id(self) -> str:
        """The check's name: what stands where a comparison shows its own."""
        return self.check


Entry = Comparison | Crash
"""What a check leaves behind."""
