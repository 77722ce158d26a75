"""How fast forecasts drift away from runs of more compute, from the forecasts that runs allow and from public ones."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ....arguments import broadcast, instance, number, numbers, text
from ....errors import unknown_name
from ....results import Result
from .._coded_warnings import CodedWarning
from ._record import Fit
from ._rolling import RollingOrigin, rolling_origin

Array = NDArray[np.float64]

PRIOR = 0.015
"""Drift a decade that public sets of runs suggest."""

_PRIOR_BANDS = 4  # bands that the prior counts for
CODES = ("W-drift-unchecked", "W-drift-unseen", "W-weights-unchecked", "W-refits-unsettled")
"""Codes of what is doubtful of a calibration."""


@dataclass(frozen=True)
class Calibration(Result):
    r"""How fast forecasts drift: an error of standard deviation s h at h decades beyond the largest budget.

    Attributes
    ----------
    drift : float
        s a decade, in :math:`\ln L`, of the weighted forecast.
    unshrunk : float
        What the bands alone say; NaN without bands.
    prior : float
        What they were shrunk to.
    bands : int
        Forecasts of later budgets behind it.
    validated_horizon : float
        Decades of the longest of them; beyond, the drift is extrapolated, too.
    by_law : dict of str to float
        The drift of each law alone.
    given : bool
        Whether the drift was given, not found.
    """

    drift: float
    unshrunk: float
    prior: float
    bands: int
    validated_horizon: float
    by_law: dict[str, float]
    given: bool = False

    def drift_of(self, law: str) -> float:
        """Return the drift of one law alone."""
        if text("law", law) not in self.by_law:
            raise unknown_name("law", law, self.by_law)
        return self.by_law[law]

    def summary(self) -> str:
        """Describe the drift in one line.

        Examples
        --------
        >>> Calibration(0.008, 0.004, 0.015, 7, 0.8, {"surface": 0.008}).summary()
        'drift 0.8 % a decade, shrunk to public data; validated horizon: 0.8 decades (7 bands)'
        """
        size = f"drift {100 * self.drift:.2g} % a decade"
        if self.given:
            return f"{size}, as given; validated horizon: {self._horizon}"
        if not self.bands:
            return f"{size} of public data alone: no budget could be forecast from smaller ones"
        return f"{size}, shrunk to public data; validated horizon: {self._horizon}"

    @property
    def _horizon(self) -> str:
        """The validated horizon in words."""
        if not self.bands:
            return "none"
        decades = f"{self.validated_horizon:.1g}"
        bands = f"{self.bands} band{'s' * (self.bands > 1)}"
        return f"{decades} decade{'s' * (decades != '1')} ({bands})"


def drift_per_decade(
    errors: ArrayLike, variances: ArrayLike, horizons: ArrayLike, prior: float = PRIOR
) -> tuple[float, float]:
    r"""Compute the drift of forecasts from their errors, shrunk to a prior and not.

    .. math:: s^2 = \max\Big\{0, \frac{\sum(\bar e^2 - \bar v) + m_0 s_0^2 \overline{h^2}}{\sum h^2 + m_0 \overline{h^2}}\Big\},
              \quad m_0 = 4, \text{ or } 0

    Parameters
    ----------
    errors, variances, horizons : array_like, shape (k,)
        Of bands: mean error, what noise explains of its square, and decades beyond the largest fitted budget.
    prior : float
        s_0.

    Returns
    -------
    (float, float)
        Shrunk and unshrunk; the prior and NaN without bands.

    Examples
    --------
    >>> print("{:.4f} {:.4f}".format(*drift_per_decade([0.02], [0.0], [1.0])))
    0.0161 0.0200
    """
    given = {
        "errors": numbers("errors", errors),
        "variances": numbers("variances", variances),
        "horizons": numbers("horizons", horizons, low=0, strict=True),
    }
    e, v, h = broadcast(given)[1]
    number("prior", prior, low=0)
    if not h.size:
        return prior, math.nan
    beyond, squares, mean = float(np.sum(e**2 - v)), float(np.sum(h**2)), float(np.mean(h**2))
    shrunk = (beyond + _PRIOR_BANDS * prior**2 * mean) / (squares + _PRIOR_BANDS * mean)
    return math.sqrt(max(0.0, shrunk)), math.sqrt(max(0.0, beyond / squares))


def calibrate(fit: Fit, drift: float | None = None, prior: float | None = None) -> Fit:
    r"""Return the fit with the drift of its forecasts, and its laws weighted by them.

    Parameters
    ----------
    fit : Fit
        To data.
    drift : float, optional
        Standard deviation of the error in :math:`\ln L` a decade, for those who know it; 0 for a law that is held true.
    prior : float, optional
        What the drift is shrunk to, 0.015 a decade by default: what seven public sets of runs suggest.

    Returns
    -------
    Fit
        With `rolling`, `weights` and `calibration`, which ``predict(interval="calibrated")`` uses.

    Raises
    ------
    DataError
        If the fit has no data, or nothing says what compute its points took.
    DomainError
        If drift or prior is negative.

    Notes
    -----
    The drift is that of the weighted errors of the bands of `rolling_origin`, by `drift_per_decade`. Where there is no band it is the
    prior, and the fit's own law has all the weight; a warning says so.

    Examples
    --------
    >>> from scalinglaws.verify.empirical import example_runs, fit
    >>> found = calibrate(fit("surface", example_runs("synthetic"), bootstrap=0))
    >>> print(found.calibration.summary())
    drift 0.9 % a decade, shrunk to public data; validated horizon: 0.8 decades (7 bands)
    """
    instance("fit", fit, Fit)
    told = None if drift is None else number("drift", drift, low=0)
    public = PRIOR if prior is None else number("prior", prior, low=0)
    rolling = rolling_origin(fit)
    shrunk, unshrunk = drift_per_decade(
        rolling.error(), rolling.variance(), rolling.horizon, public
    )
    by_law = {
        law: drift_per_decade(rolling.error(law), rolling.variance(law), rolling.horizon, public)[0]
        for law in rolling.laws
    }
    calibration = Calibration(
        drift=shrunk if told is None else told,
        unshrunk=unshrunk,
        prior=public,
        bands=len(rolling),
        validated_horizon=rolling.validated_horizon,
        by_law=by_law if told is None else dict.fromkeys(by_law, told),
        given=told is not None,
    )
    kept = tuple(warning for warning in fit.warnings if warning.code not in CODES)
    return replace(
        fit,
        rolling=rolling,
        calibration=calibration,
        weights=rolling.weights,
        warnings=(*kept, *_warnings(rolling, calibration)),
    )


def _warnings(rolling: RollingOrigin, calibration: Calibration) -> list[CodedWarning]:
    found = []
    budgets = len(rolling.budgets)
    if not len(rolling):
        why = f"; {rolling.skipped[0]}" if rolling.skipped else ""
        if not calibration.given:
            found.append(
                CodedWarning(
                    "W-drift-unchecked",
                    f"no budget of {budgets} could be forecast from smaller ones: the drift is {calibration.drift:g} a decade of "
                    f"public data alone{why}",
                )
            )
        if len(rolling.laws) > 1:
            found.append(
                CodedWarning(
                    "W-weights-unchecked",
                    f"no forecast of later budgets tells {' and '.join(rolling.laws)} apart: {rolling.laws[0]} alone is used{why}",
                )
            )
    elif not calibration.given:
        noise = float(np.mean(rolling.variance()))
        if noise > calibration.prior**2 * float(np.mean(rolling.horizon**2)):
            found.append(
                CodedWarning(
                    "W-drift-unseen",
                    f"the forecasts of later budgets are uncertain by {100 * math.sqrt(noise):.2g} %: a drift of "
                    f"{100 * calibration.prior:g} % a decade would not show in them, and {100 * calibration.drift:.2g} % is what they say",
                )
            )
    if rolling.unsettled:
        found.append(
            CodedWarning(
                "W-refits-unsettled",
                f"{rolling.unsettled} fits to earlier budgets ended at the limit of steps",
            )
        )
    return found
