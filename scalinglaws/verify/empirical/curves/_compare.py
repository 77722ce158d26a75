"""All laws of training curves on the same curves, compared by their errors on curves that were held out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ....arguments import whole
from ....errors import DataError, refusal, unknown_name
from ....notebook import words_html
from ....reprs import LONGEST, line
from ....results import Result
from ._fit import fitted, held_out
from ._laws import CURVE_LAWS, LAWS
from ._read_curves import Columns, CurveSource, read_curves
from ._record import CurveFit, HeldOutRun, pooled_rms


@dataclass(frozen=True)
class ComparedCurveLaw(Result):
    r"""One law of a comparison.

    Attributes
    ----------
    law : str
        As in `fit_curves`.
    free : int
        Number of its parameters.
    residual_rms : float
        Of the fit to all curves, in :math:`\ln L`; NaN if there is none.
    held_out_rms : float
        Root mean square of the errors of :math:`\ln L` of held-out curves, of those which every law predicts; NaN if there are none.
    held_out_final : float
        The same of the errors at their ends.
    predicted : int
        Curves that were held out and that this law predicts.
    message : str
        Why it could not be fitted; empty if it could.
    """

    law: str
    free: int
    residual_rms: float
    held_out_rms: float
    held_out_final: float
    predicted: int
    message: str = ""


@dataclass(frozen=True)
class CurveComparison(Result):
    """Laws of training curves on the same curves.

    Attributes
    ----------
    rows : tuple of ComparedCurveLaw
        What was found of each law.
    fits : dict of str to CurveFit
        The fits to all curves, with the table of each curve that was held out.
    best : str
        The law with the least error of held-out curves; empty if none was held out and predicted by all.
    compared : tuple of str
        Curves that were held out and that every fitted law predicts.
    """

    rows: tuple[ComparedCurveLaw, ...]
    fits: dict[str, CurveFit]
    best: str
    compared: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.rows)

    def __repr__(self) -> str:
        words = f"CurveComparison of {len(self)} laws: {self.verdict}"
        return f"<{line(words, LONGEST - 2)}>"

    def _repr_html_(self) -> str:
        return words_html(self.summary())

    @property
    def verdict(self) -> str:
        """What the comparison says, in a line."""
        if not self.fits:
            return "no law could be fitted"
        if not self.best:
            return "no curve was held out and predicted by every law: nothing says which law forecasts better"
        row = next(row for row in self.rows if row.law == self.best)
        error = 100 * row.held_out_rms
        held = (
            "one held-out curve"
            if len(self.compared) == 1
            else f"{len(self.compared)} held-out curves"
        )
        return f"forecasts best: {self.best}, {error:.2f} % rms on {held}"

    def summary(self) -> str:
        """Describe the comparison in a table and a verdict.

        Returns
        -------
        str
            At most 100 columns; ``*`` marks the best law.
        """
        lines = ["  law           p  residuals  held-out rms    at the end  curves"]
        for row in self.rows:
            mark = "*" if row.law == self.best else " "
            if row.message:
                lines.append(line(f"{mark} {row.law}: {row.message}", 100))
                continue
            columns = (row.residual_rms, row.held_out_rms, row.held_out_final)
            first, second, third = (
                "none" if np.isnan(value) else f"{100 * value:.2f} %" for value in columns
            )
            lines.append(
                f"{mark} {row.law:12} {row.free:2d} {first:>10} {second:>13} {third:>13} {row.predicted:7d}"
            )
        return "\n".join([*lines, self.verdict])


def compare_curves(
    runs: CurveSource,
    *,
    laws: Sequence[str] = LAWS,
    lr: str = "lr",
    step: str = "step",
    loss: str = "loss",
    run: str = "run",
    holdout: str | Sequence[str] | None = "run",
    warmup: int = 0,
    points: int = 200,
    start: int = 20,
) -> CurveComparison:
    r"""Fit every law of training curves to the same curves, and compare them by curves that were held out.

    .. math:: \mathrm{rms} = \Big[\frac1n \sum_c \overline{(\ln\hat L_c - \ln L_c)^2}\Big]^{1/2}

    over the curves c which every law predicts from the others.

    Parameters
    ----------
    runs, lr, step, loss, run, holdout, warmup, points, start
        As `fit_curves` takes them.
    laws : sequence of str
        Laws of `fit_curves`.

    Returns
    -------
    CurveComparison
        A law that cannot be fitted stays in the table with the reason.

    Raises
    ------
    DataError
        If rows are malformed.
    DomainError
        If an argument is not allowed.

    Notes
    -----
    Costs what the fits cost: with n curves n + 1 of each law.

    Examples
    --------
    >>> rates = {"constant": np.full(2000, 0.1), "drop": np.repeat([0.1, 0.02], 1000), "wsd": np.repeat([0.1, 0.05], 1000)}
    >>> rows = [(name, t, row[t], 2 + t**-0.5 - (row[0] - row[t]) * (1 - np.exp(-(t - 999) / 50)))
    ...         for name, row in rates.items() for t in range(50, 2000, 25)]
    >>> columns = dict(zip(("run", "step", "lr", "loss"), zip(*rows)))
    >>> compare_curves(columns, laws=["multi_power", "momentum"]).best
    'momentum'
    """
    if isinstance(laws, str):
        laws = [laws]
    names = list(laws) if isinstance(laws, Sequence) else []
    for name in names:
        if name not in LAWS:
            raise unknown_name("law", name, LAWS)
    if not names or len(set(names)) < len(names):
        raise refusal("laws", laws, "must be different names of laws")
    count, first = whole("points", points, low=10), whole("start", start, low=1)
    group = run if holdout == "run" else holdout if isinstance(holdout, str) else None
    curves, source = read_curves(runs, Columns(lr, step, loss, run, group, warmup))
    away = held_out(holdout, curves)
    fits: dict[str, CurveFit] = {}
    failed: dict[str, str] = {}
    for name in names:
        try:
            fits[name] = fitted(CURVE_LAWS[name], curves, source, away, count, first)
        except DataError as failure:
            failed[name] = str(failure)
    told = [{row.name for row in fit.held_out if not row.message} for fit in fits.values()]
    common = set.intersection(*told) if told else set()
    rows = []
    for name in names:
        fit = fits.get(name)
        held = fit.held_out if fit else ()
        shared = tuple(row for row in held if row.name in common)
        rows.append(
            ComparedCurveLaw(
                law=name,
                free=len(CURVE_LAWS[name].names),
                residual_rms=fit.residual_rms if fit else float("nan"),
                held_out_rms=pooled_rms(shared),
                held_out_final=_final(shared),
                predicted=sum(not row.message for row in held),
                message=failed.get(name, ""),
            )
        )
    judged = [row for row in rows if np.isfinite(row.held_out_rms)]
    best = min(judged, key=lambda row: row.held_out_rms).law if judged else ""
    order = [curve.name for curve in curves if curve.name in common]
    return CurveComparison(tuple(rows), fits, best, tuple(order))


def _final(rows: tuple[HeldOutRun, ...]) -> float:
    errors = [row.final_error for row in rows]
    return float(np.sqrt(np.mean(np.square(errors)))) if errors else float("nan")
