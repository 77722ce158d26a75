"""Laws of training curves as they were fitted, and what they predict."""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtri

from ....arguments import number, ordered, refuse_first, shaped
from ....errors import ExtrapolationWarning, refusal
from ....formatting import scientific
from ....notebook import words_html
from ....results import Result
from ....solvers.schedules import Schedule
from ...estimate import ScheduleLawFit
from ...estimate.schedule_points import checked_schedule, larger_variance, spread_steps
from ._laws import CURVE_LAWS, CurvePoints

Array = NDArray[np.float64]
_SHOWN = 120  # points of a prediction, if none are asked for
_SAME_PEAK = 1.05


@dataclass(frozen=True)
class FittedCurve(Result):
    r"""A measured training curve, and the fitted law along it.

    Attributes
    ----------
    name : str
        Of the run.
    group : str
        What it was held out with; its name, if alone.
    steps : ndarray of int, shape (n,)
        Steps taken before each loss.
    rates, intrinsic_time : ndarray, shape (n,)
        Rate of the last of these steps, and sum of the rates of all of them.
    losses, fitted : ndarray, shape (n,)
        Measured, and by the law; the points of warm-up, too.
    used : ndarray of bool, shape (n,)
        Which points were fitted.
    warmup : int
        Steps up to the first maximum of the rate, itself included.
    """

    name: str
    group: str
    steps: NDArray[np.int64]
    rates: Array
    intrinsic_time: Array
    losses: Array
    fitted: Array
    used: NDArray[np.bool_]
    warmup: int


@dataclass(frozen=True)
class HeldOutRun(Result):
    r"""How well a law that was fitted to the other curves predicts one of them.

    Attributes
    ----------
    name, group : str
        Of the curve, and what was held out with it.
    points : int
        Losses that were compared.
    rms, mean : float
        Root mean square and mean of predicted less measured :math:`\ln L`; NaN if there is no prediction.
    final_loss, predicted_loss : float
        At the curve's last point, measured and predicted.
    final_error : float
        Predicted less measured :math:`\ln L` there.
    message : str
        Why there is no prediction; empty if there is.
    """

    name: str
    group: str
    points: int
    rms: float
    mean: float
    final_loss: float
    predicted_loss: float
    final_error: float
    message: str = ""


@dataclass(frozen=True)
class CurvePrediction(Result):
    r"""Losses along a schedule, as a fitted law predicts them.

    Attributes
    ----------
    steps, rates, intrinsic_time : float or ndarray
        Steps taken, rate of the last of them, and sum of the rates of all.
    loss : float or ndarray
        Expected loss.
    low, high : float or ndarray
        Ends of the band.
    standard_error : float or ndarray
        Of the expected loss, from the scatter of the fitted points around the law.
    scale : float
        Standard deviation of :math:`\ln L` that the band adds, as `CurveFit.scale` says.
    level : float
        Share of bands that would hold the measured loss, were errors normal.
    """

    steps: float | Array
    rates: float | Array
    intrinsic_time: float | Array
    loss: float | Array
    low: float | Array
    high: float | Array
    standard_error: float | Array
    scale: float
    level: float


@dataclass(frozen=True)
class CurveFit(Result):
    r"""A law of the schedule fitted to training curves.

    Attributes
    ----------
    law : str
        As in `fit_curves`.
    names : tuple of str
        Of the parameters.
    x : ndarray, shape (p,)
        Coordinates that were fitted: rates in multiples of `unit`, amplitudes and rates of decay as logarithms.
    covariance, block_covariance : ndarray, shape (p, p)
        Of the coordinates, if residuals are independent, and if those of ten neighboring points may go together.
    unit : float
        Largest rate of all curves.
    residual_rms : float
        Root mean square of the residuals of :math:`\ln L` at the fitted points.
    scale : float
        Root mean square by which measured :math:`\ln L` are off the law, the largest of that at the fitted points, and on curves that
        were held out and at their ends, where there are such.
    condition : float
        Condition number of the Jacobian, its columns scaled to length 1, A taken at the geometric mean of S.
    weakest : tuple of str
        The two parameters that are told apart worst.
    fall : float
        Smallest share of its earlier maximum to which a rate fell within the fitted points.
    rates : tuple of float
        Smallest and largest of the curves' peaks.
    curves : tuple of FittedCurve
        The curves.
    held_out : tuple of HeldOutRun
        What was found of each curve that was held out.
    converged : bool
        Whether the fit settled.
    source : str
        Where the curves come from.
    functional : ScheduleLawFit or None
        The fit of `fit_schedule_law`, where the law is the functional one.
    """

    law: str
    names: tuple[str, ...]
    x: Array
    covariance: Array
    block_covariance: Array
    unit: float
    residual_rms: float
    scale: float
    condition: float
    weakest: tuple[str, ...]
    fall: float
    rates: tuple[float, float]
    curves: tuple[FittedCurve, ...]
    held_out: tuple[HeldOutRun, ...] = ()
    converged: bool = True
    source: str = ""
    functional: ScheduleLawFit | None = None

    def __len__(self) -> int:
        return len(self.curves)

    def __repr__(self) -> str:
        shown = ", ".join(f"{name} = {value:.4g}" for name, value in self.parameters.items())
        return f"<CurveFit {self.law} to {len(self)} curves: {shown}>"

    def _repr_html_(self) -> str:
        return words_html(self.summary())

    @property
    def parameters(self) -> dict[str, float]:
        """The parameters by name, in the unit of the rates that were given."""
        found = CURVE_LAWS[self.law].values(self.x, self.unit)
        return dict(zip(self.names, map(float, found), strict=True))

    @property
    def standard_errors(self) -> dict[str, float]:
        """Standard errors of the parameters, linear in the coordinates; they may well exceed the parameters.

        Those `at_bounds` were held there, so that 0 says nothing of how well they are known.
        """
        slopes = CURVE_LAWS[self.law].slopes(self.x, self.unit)
        spread = np.sqrt(larger_variance(slopes, self.covariance, self.block_covariance))
        return dict(zip(self.names, map(float, spread), strict=True))

    @property
    def at_bounds(self) -> tuple[str, ...]:
        """Parameters that ended at a bound of their range."""
        held = np.diag(self.covariance) == 0
        return tuple(name for name, is_held in zip(self.names, held, strict=True) if is_held)

    @property
    def points(self) -> int:
        """Losses that were fitted."""
        return sum(int(np.count_nonzero(curve.used)) for curve in self.curves)

    @property
    def held_out_rms(self) -> float:
        """Root mean square of the errors of ln L of all curves that were held out and predicted; NaN if there are none."""
        return pooled_rms(self.held_out)

    @property
    def held_out_final(self) -> float:
        """Root mean square of the errors of their final ln L; NaN if there are none."""
        errors = [row.final_error for row in self.held_out if not row.message]
        return float(np.sqrt(np.mean(np.square(errors)))) if errors else float("nan")

    def predict(
        self, schedule: Schedule | ArrayLike, at: ArrayLike | None = None, *, level: float = 0.95
    ) -> CurvePrediction:
        r"""Predict the losses of a run with another schedule.

        Parameters
        ----------
        schedule : Schedule or array_like, shape (T,)
            Rates of all steps, in the unit of those that were fitted.
        at : array_like of int, optional
            Steps taken, from 1 to T, non-decreasing; by default some 120 from the first rate above 0 on, dense at both ends.
        level : float
            Of the band, between 0 and 1.

        Returns
        -------
        CurvePrediction
            Expected losses. Their band joins the error of the parameters, linear in the coordinates, and `scale`, by which measured
            curves are off the law: with curves that were held out it knows how well the law forecasts.

        Raises
        ------
        DataError
            If the schedule decays, but no fitted curve did: from a constant rate alone the noise cannot be told from the irreducible loss.
        DomainError
            If an argument is out of range.

        Warns
        -----
        ExtrapolationWarning
            If the peak of the schedule is not among those of the fitted curves, of which the multi-power and the momentum law know nothing:
            warm-up to another peak shifts :math:`L_0`.

        Examples
        --------
        >>> from scalinglaws.verify.empirical import fit_curves
        >>> rates = {"constant": np.full(2000, 0.1), "drop": np.repeat([0.1, 0.02], 1000), "wsd": np.repeat([0.1, 0.05], 1000)}
        >>> rows = [(name, t, row[t], 2 + t**-0.5 - (row[0] - row[t]) * (1 - np.exp(-(t - 999) / 50)))
        ...         for name, row in rates.items() for t in range(50, 2000, 25)]
        >>> columns = dict(zip(("run", "step", "lr", "loss"), zip(*rows)))
        >>> fit_curves("momentum", columns, holdout=None).predict(np.repeat([0.1, 0.03], 1000), at=2000).loss.__round__(2)
        1.95
        """
        schedule = checked_schedule(schedule)
        share = number("level", level, low=1e-6, high=1 - 1e-6)
        if at is None:
            first = int(np.argmax(schedule.values() > 0)) + 1
            wanted = np.unique(spread_steps(schedule.steps, _SHOWN, float(first)))
        else:
            wanted = ordered("at", at, whole=True, infinite=False, single_row=True)
            outside = (wanted < 1) | (wanted > schedule.steps)
            refuse_first("at", wanted, outside, f"must lie between 1 and {schedule.steps}")
        steps = np.atleast_1d(wanted).astype(np.int64)
        rates = schedule.values()[: steps[-1]]
        if not np.any(rates[: steps[0]] > 0):
            raise refusal("at", int(steps[0]), "must come after a step with a rate above 0")
        if self.functional is not None:  # which refuses what its curves do not tell
            self.functional.predict(schedule, at=steps)
        else:
            self._warn(float(np.max(rates)))
        found = CurvePoints(CURVE_LAWS[self.law], schedule, steps, self.unit)
        losses, slopes = found.logs(self.x)
        spread = np.sqrt(larger_variance(slopes, self.covariance, self.block_covariance))
        half = float(ndtri(0.5 + share / 2)) * np.hypot(spread, self.scale)
        expected = np.exp(losses)
        with np.errstate(over="ignore"):  # of curves that tell nothing the band ends at infinity
            low, high = expected * np.exp(-half), expected * np.exp(half)
        columns = {
            "steps": steps.astype(float),
            "rates": rates[steps - 1],
            "intrinsic_time": found.sums * self.unit,
            "loss": expected,
            "low": low,
            "high": high,
            "standard_error": expected * spread,
        }
        shape = steps.shape if at is None else np.shape(at)
        return CurvePrediction(
            **{name: shaped(row, shape) for name, row in columns.items()},
            scale=self.scale,
            level=share,
        )

    def _warn(self, peak: float) -> None:
        """Say so where the peak is another one than those of the fitted curves."""
        low, high = self.rates
        if not low / _SAME_PEAK <= peak <= high * _SAME_PEAK:
            known = f"{low:.4g}" if low == high else f"{low:.4g} to {high:.4g}"
            warnings.warn(
                f"the schedule's peak {peak:.4g} is not that of the fitted curves, {known}: "
                f"the {self.law} law does not know what another peak does",
                ExtrapolationWarning,
                stacklevel=3,
            )

    def summary(self) -> str:
        """Describe the fit in a few lines.

        Returns
        -------
        str
            Parameters with their errors, how well they are known, and a line for each curve that was held out; at most 100 columns.
        """
        head = f"{self.law} law, {len(self)} curves, {self.points} points"
        lines = [f"{head}; residuals {100 * self.residual_rms:.2f} % rms"]
        errors, held = self.standard_errors, self.at_bounds
        for name, value in self.parameters.items():
            told = "at a bound" if name in held else f"+- {errors[name]:.2g}"
            lines.append(f"  {name:6} {value:12.6g} {told}")
        told = f"condition {scientific(self.condition)}, weakest {' and '.join(self.weakest)}"
        lines.append(f"  {told}" + ("" if self.converged else "; the fit did not settle"))
        if self.held_out:
            lines.append(
                "  held out                            rms    at the end (predicted - measured ln L)"
            )
        for row in self.held_out:
            name = row.name if len(row.name) <= 30 else row.name[:27] + "..."
            if row.message:
                lines.append(f"  {name:30} {row.message}"[:100])
            else:
                numbers = f"{100 * row.rms:8.2f} %  {100 * row.final_error:+8.2f} %"
                lines.append(
                    f"  {name:30} {numbers}  {row.predicted_loss:.4f} for {row.final_loss:.4f}"
                )
        return "\n".join(lines)


def pooled_rms(rows: tuple[HeldOutRun, ...]) -> float:
    """Return the root mean square of the errors of ln L of curves that were predicted, each with the same weight."""
    squares = [row.rms**2 for row in rows if not row.message]
    return float(np.sqrt(np.mean(squares))) if squares else float("nan")
