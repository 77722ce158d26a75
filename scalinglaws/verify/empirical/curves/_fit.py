"""One way to fit every law of training curves, each curve held out in turn."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ....arguments import choice, whole
from ....errors import DataError, ExtrapolationWarning, refusal, unknown_name
from ...estimate.schedule_points import smallest_fall, thinned
from ._blocks import warmup_end
from ._laws import CURVE_LAWS, FUNCTIONAL, LAWS, CurveLaw, CurvePoints
from ._read_curves import Columns, CurveSource, NamedCurve, read_curves
from ._record import CurveFit, FittedCurve, HeldOutRun
from ._solve import Used, solve

Array = NDArray[np.float64]

FALL = 0.5
"""Share of its earlier maximum below which a rate must fall for the curve to show a decay."""
_SAME = 1e-6  # of the peak: rates that differ by less belong to the same schedule
_CURE = (
    "run one more curve whose rate drops to a third half way, or that decays to a tenth at its end"
)


def fit_curves(
    law: str,
    runs: CurveSource,
    *,
    lr: str = "lr",
    step: str = "step",
    loss: str = "loss",
    run: str = "run",
    holdout: str | Sequence[str] | None = "run",
    warmup: int = 0,
    points: int = 200,
    start: int = 20,
) -> CurveFit:
    r"""Fit a law that knows the schedule of the learning rate to training curves.

    With :math:`S(t) = \sum_{\tau \le t} \eta_\tau`, peak :math:`\eta_p`, and w the step of the first maximum of the rate,

    .. math::
        \text{multi\_power:}\quad L(t) &= L_0 + A\,S(t)^{-\alpha} - B \sum_{k=w+1}^{t} \frac{\eta_{k-1} - \eta_k}{\eta_p}
        \Big[1 - \big(1 + C (\eta_k/\eta_p)^{-\gamma} (S(t) - S(k-1))\big)^{-\beta}\Big] \\
        \text{momentum:}\quad L(t) &= L_0 + A\,S(t)^{-\alpha} - B \sum_{w < i \le t} m_i, \qquad
        m_i = \lambda m_{i-1} + \eta_{i-1} - \eta_i

    and ``functional`` is the law of `scalinglaws.verify.estimate.fit_schedule_law`.

    Parameters
    ----------
    law : {"functional", "multi_power", "momentum"}
        The law.
    runs : path, mapping, data frame, or sequence
        A table as `read_runs` reads it, with a row for each logged step of each run, in the order of the steps; a folder with such tables,
        or a sequence of paths, each perhaps with a single run, which is then called like its file; or objects of
        `scalinglaws.verify.estimate.ScheduledCurve` in a sequence or by name.
    lr, step, loss, run : str
        Columns: the rate of a step, its number counted from 0, the loss after it, and the run. Rows without a loss tell the rate only,
        and the other way round; rates between those that were logged lie on lines. A table without a column ``run`` is one curve.
    holdout : str, sequence of str, or None
        Each value of this column (``"run"``: each run) is held out in turn: the law is fitted to the other curves and predicts these.
        A list of names holds out these curves, all at once, and nothing is fitted to them. None: nothing is held out.
    warmup : int
        Steps of linear warm-up in tables whose first row comes after it: the sum of rates needs them. With 0, rates before the first row
        are those of the row, or rise to it on a line if they go on to rise.
    points : int
        At most so many of each curve are fitted, half of them spread evenly in log t, half in log(T - t).
    start : int
        First step to fit, >= 1; points of warm-up are never fitted.

    Returns
    -------
    CurveFit
        Parameters with their errors, the errors of held-out curves, and `CurveFit.predict`.

    Raises
    ------
    DataError
        If rows are malformed (the message names the row), or the curves do not tell the law's parameters apart: the multi-power law
        needs three different schedules, and both it and the momentum law a curve whose rate falls below half of its peak. The
        functional law is fitted to a constant rate alone, but does not predict a decay then.
    DomainError
        If an argument is not allowed.

    Notes
    -----
    Residuals of ln L, bounded least squares with exact slopes; of the two laws here with Huber's threshold down to .001, from the four
    best of a grid of shapes. Warm-up enters by S only: its changes of the rate would add a constant. A rate counts as at least
    :math:`10^{-6}` of the peak in the power of gamma, so that a schedule may end at 0. The sum of the multi-power law is put together
    into 300 blocks at most, with an error of the loss below 1e-3 B on cosines, cooldowns and steps down to .1 and 0 of the peak.
    Three curves of 20000 to 72000 steps take .1 to .5 s, with the functional law .7 to 5 s; each curve that is held out as long again.
    Without it two schedules may be left for the multi-power law: the forecast tells what that is worth.

    Do not report :math:`\beta, \gamma` or :math:`\lambda` as findings: a fit that is better in its own curves need not forecast better.
    Compare `CurveFit.held_out_rms` of the laws (`compare_curves`).

    References
    ----------
    .. [1] K. Luo et al., "A multi-power law for loss curve prediction across learning rate schedules", arXiv:2503.12811.
    .. [2] H. Tissue et al., "Scaling law with learning rate annealing", arXiv:2408.11029.

    Examples
    --------
    >>> from scalinglaws.solvers import PowerLawSpectrum
    >>> from scalinglaws.solvers.schedules import Schedule, train
    >>> from scalinglaws.verify.estimate import ScheduledCurve
    >>> task, at = PowerLawSpectrum.from_ab(1.8, 1.6), np.unique(np.geomspace(20, 1000, 60).astype(int))
    >>> schedules = {"constant": Schedule.constant(0.15, 1000), "wsd": Schedule.wsd(rate=0.15, steps=1000),
    ...              "drop": Schedule.from_array(np.repeat([0.15, 0.045], 500))}
    >>> curves = {name: ScheduledCurve(s, at, 2 + train(s, task, batch=4, noise_variance=1, at=at).test_loss)
    ...           for name, s in schedules.items()}
    >>> fit = fit_curves("momentum", curves)
    >>> [row.name for row in fit.held_out], fit.held_out_rms < 0.01
    (['constant', 'wsd', 'drop'], True)
    """
    kind = CURVE_LAWS[choice("law", law, LAWS)]
    count, first = whole("points", points, low=10), whole("start", start, low=1)
    group = run if holdout == "run" else holdout if isinstance(holdout, str) else None
    curves, source = read_curves(runs, Columns(lr, step, loss, run, group, warmup))
    return fitted(kind, curves, source, held_out(holdout, curves), count, first)


def fitted(
    law: CurveLaw,
    curves: Sequence[NamedCurve],
    source: str,
    holdout: bool | tuple[str, ...],
    points: int,
    start: int,
) -> CurveFit:
    """Fit a law to curves that were read, and hold out what is to be held out.

    Parameters
    ----------
    law : CurveLaw
        The law.
    curves : sequence of NamedCurve
        All of them.
    source : str
        Where they come from.
    holdout : bool or tuple of str
        Whether each group is held out in turn; or names of curves that are not fitted.
    points, start : int
        As `fit_curves` takes them.

    Returns
    -------
    CurveFit
        With its held-out curves.
    """
    away = holdout if isinstance(holdout, tuple) else ()
    kept = [curve for curve in curves if curve.name not in away]
    if not kept:
        raise refusal("holdout", list(away), "must leave a curve to be fitted")
    found = _one(law, kept, points, start, law.schedules)
    rows: list[HeldOutRun] = []
    if away:
        held = [curve for curve in curves if curve.name in away]
        rows = [_row(found, curve, points, start, "") for curve in held]
        found = replace(found, curves=(*found.curves, *(_along(found, c, None) for c in held)))
    elif holdout:
        for group in dict.fromkeys(curve.group for curve in curves):
            rows += _without(law, curves, group, points, start)
    found = replace(found, held_out=tuple(rows), source=source)
    scales = (found.residual_rms, found.held_out_rms, found.held_out_final)
    return replace(found, scale=float(np.nanmax(scales)))


def held_out(holdout: Any, curves: Sequence[NamedCurve]) -> bool | tuple[str, ...]:
    """Say what is to be held out."""
    if holdout is None or isinstance(holdout, str):
        return holdout is not None
    try:
        names = tuple(holdout)
    except TypeError:
        complaint = "must be a column, a list of names of curves, or None"
        raise refusal("holdout", holdout, complaint) from None
    known = [curve.name for curve in curves]
    for name in names:
        if name not in known:
            raise unknown_name("curve", name, known)
    return names or False


def _without(
    law: CurveLaw, curves: Sequence[NamedCurve], group: str, points: int, start: int
) -> list[HeldOutRun]:
    """Predict the curves of a group from the others; they are judged by their forecasts, so two schedules are enough here."""
    rest = [curve for curve in curves if curve.group != group]
    held = [curve for curve in curves if curve.group == group]
    found, message = None, ""
    try:
        if not rest:
            raise DataError("no other curve is left to be fitted")
        found = _one(law, rest, points, start, min(law.schedules, 2))
    except DataError as failure:
        message = str(failure)
    return [_row(found, curve, points, start, message) for curve in held]


def _one(
    law: CurveLaw, curves: Sequence[NamedCurve], points: int, start: int, schedules: int
) -> CurveFit:
    """Fit a law to all of some curves."""
    used, places = [], []
    for curve in curves:
        at = _fitted_points(curve, points, start)
        places.append(at)
        if at.size:
            held = curve.curve
            used.append(Used(held.schedule, held.steps[at], held.losses[at]))
    if not used:
        raise DataError(f"no loss was measured after warm-up and from step {start} on")
    rates = [one.schedule.values()[: one.steps[-1]] for one in used]
    falls = [smallest_fall(row) for row in rates]
    _check(law, rates, min(falls), schedules)
    tops = [float(np.max(row)) for row in rates]
    unit = max(tops)
    solved = solve(law, used, unit)
    found = CurveFit(
        law=law.name,
        names=law.names,
        x=solved.x,
        covariance=solved.covariance,
        block_covariance=solved.block_covariance,
        unit=unit,
        residual_rms=solved.residual_rms,
        scale=solved.residual_rms,
        condition=solved.condition,
        weakest=solved.weakest,
        fall=min(falls),
        rates=(min(tops), unit),
        curves=(),
        converged=solved.converged,
        functional=solved.functional,
    )
    lines = (_along(found, curve, at) for curve, at in zip(curves, places, strict=True))
    return replace(found, curves=tuple(lines))


def _fitted_points(curve: NamedCurve, points: int, start: int) -> NDArray[np.int64]:
    """Return the places of the points that are fitted: after warm-up, thinned out."""
    held = curve.curve
    end = warmup_end(held.schedule.values()[: held.steps[-1]]) + 1
    return thinned(held.steps, points, max(start, end))


def _check(law: CurveLaw, rates: Sequence[Array], fall: float, schedules: int) -> None:
    """Refuse curves that cannot tell a law's parameters apart."""
    if law.name == FUNCTIONAL:  # which refuses to predict instead
        return
    if fall >= FALL:
        raise DataError(
            f"the {law.name} law needs a curve whose rate falls below half of its peak; here it falls to {fall:.3g} of it at most, so "
            f"that what a decay takes off cannot be told from the irreducible loss: {_CURE}"
        )
    different = _different(rates)
    if different < schedules:
        raise DataError(
            f"the {law.name} law needs {schedules} different schedules, and here "
            f"{'is' if different == 1 else 'are'} {different}: {_CURE}, or use the momentum law"
        )


def _different(rates: Sequence[Array]) -> int:
    """Count schedules of which none is the beginning of another one."""
    shapes: list[Array] = []
    for row in sorted(rates, key=lambda one: -one.size):
        shape = row[warmup_end(row) :] / row.max()
        if not any(
            np.all(np.abs(other[: shape.size] - shape) <= _SAME)
            for other in shapes
            if other.size >= shape.size
        ):
            shapes.append(shape)
    return len(shapes)


def _along(fit: CurveFit, curve: NamedCurve, used: NDArray[np.int64] | None) -> FittedCurve:
    """Return a curve with the fitted law along it."""
    held = curve.curve
    rates = held.schedule.values()[: held.steps[-1]]
    points = CurvePoints(CURVE_LAWS[fit.law], held.schedule, held.steps, fit.unit)
    flags = np.zeros(held.steps.size, dtype=bool)
    if used is not None:
        flags[used] = True
    return FittedCurve(
        name=curve.name,
        group=curve.group,
        steps=held.steps,
        rates=rates[held.steps - 1],
        intrinsic_time=points.sums * fit.unit,
        losses=held.losses,
        fitted=np.exp(points.logs(fit.x)[0]),
        used=flags,
        warmup=warmup_end(rates) + 1,
    )


def _row(
    fit: CurveFit | None, curve: NamedCurve, points: int, start: int, message: str
) -> HeldOutRun:
    """Compare a curve with its prediction, at the points that would have been fitted."""
    at = _fitted_points(curve, points, start)
    nothing = float("nan")
    final = float(curve.curve.losses[at[-1]]) if at.size else nothing
    if not message and not at.size:
        message = "it has no loss after warm-up"
    errors = np.full(1, nothing)
    if fit is not None and not message:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter(
                    "ignore", ExtrapolationWarning
                )  # it is seen here what comes of it
                found = fit.predict(curve.curve.schedule, curve.curve.steps[at])
            errors = np.log(found.loss) - np.log(curve.curve.losses[at])
        except DataError as failure:
            message = str(failure)
    return HeldOutRun(
        name=curve.name,
        group=curve.group,
        points=int(at.size),
        rms=float(np.sqrt(np.mean(errors**2))),
        mean=float(np.mean(errors)),
        final_loss=final,
        predicted_loss=final * float(np.exp(errors[-1])),
        final_error=float(errors[-1]),
        message=message,
    )
