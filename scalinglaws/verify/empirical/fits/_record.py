"""A fit of a law to runs, with all that it was made from."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property
from importlib import import_module
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ....notebook import words_html
from ....results import Result
from .._coded_warnings import CodedWarning
from .._runs import Runs
from ._files import from_json_file, save_either
from ._laws import FitLaw, fit_law

Array = NDArray[np.float64]
Bounds = dict[str, tuple[float, float]]


@dataclass(frozen=True)
class Fit(Result):
    r"""A law fitted to runs; or its published constants, as if they had been.

    Attributes
    ----------
    law : str
        The law's name, or an expression.
    names : tuple of str
        Its parameters, in the order of the coordinates.
    x : ndarray, shape (p,)
        Coordinates: logarithms of positive parameters, exponents as they are.
    cov : ndarray, shape (p, p), or None
        Covariance of the coordinates, 0 for fixed ones; None where nothing is known of it.
    objective : float
        Weighted sum of Huber losses of the residuals, in :math:`\ln L`.
    delta : float
        Huber's threshold; inf for least squares.
    residuals : ndarray, shape (n,)
        :math:`\ln L_i - f_i`.
    sigma : float
        Root of the weighted sum of squared residuals over points less parameters; NaN without data.
    row_weights : ndarray, shape (n,)
        How much each point counts.
    columns : dict of str to ndarray, shape (n,)
        The law's variables.
    losses : ndarray, shape (n,)
        What was fitted.
    run : ndarray of str, shape (n,), or None
        Runs to which the points belong.
    runs : Runs or None
        Where they come from, if they were read as runs.
    jacobian : ndarray, shape (n, p)
        Gradients of :math:`\ln L` in the coordinates.
    samples : ndarray, shape (B, p)
        Coordinates of the fits to resampled data.
    fixed, bounds : dict
        Parameters that were not fitted, and bounds of others.
    envelope : float
        Factor of the weights of residuals above the law; 1 for none.
    success : bool
        Whether the fit settled.
    message : str
        How it ended.
    steps : int
        Newton steps tried.
    source : str
        Where published constants come from; empty for data.
    counts : str
        What N counts; empty where nothing says so.
    cost : float
        Compute per parameter and token.
    laws : dict of str to Fit
        Fits of other laws to the same data.
    weights : dict of str to float
        Weight of each law in the forecast; empty until `calibrate` has compared them.
    identifiability, rolling, calibration : Result or None
        What was found of them.
    warnings : tuple of CodedWarning
        What is doubtful of the runs, as `runs.warnings` says, and of the fit.
    """

    law: str
    names: tuple[str, ...]
    x: Array
    cov: Array | None
    objective: float
    delta: float
    residuals: Array
    sigma: float
    row_weights: Array
    columns: dict[str, Array]
    losses: Array
    run: NDArray[Any] | None
    runs: Runs | None
    jacobian: Array
    samples: Array
    fixed: dict[str, float] = field(default_factory=dict)
    bounds: Bounds = field(default_factory=dict)
    envelope: float = 1.0
    success: bool = True
    message: str = ""
    steps: int = 0
    source: str = ""
    counts: str = ""
    cost: float = 6.0
    laws: dict[str, Any] = field(default_factory=dict)
    weights: dict[str, float] = field(default_factory=dict)
    identifiability: Any = None
    rolling: Any = None
    calibration: Any = None
    warnings: tuple[CodedWarning, ...] = ()

    def __post_init__(self) -> None:
        """Say what is doubtful of the runs first, once."""
        if isinstance(self.runs, Runs) and isinstance(self.warnings, tuple):
            own = tuple(one for one in self.warnings if one not in self.runs.warnings)
            object.__setattr__(self, "warnings", (*self.runs.warnings, *own))

    def __len__(self) -> int:
        return int(self.losses.size)

    def __repr__(self) -> str:
        shown = ", ".join(f"{name} = {value:.4g}" for name, value in self.parameters.items())
        points = f"{len(self)} points" if len(self) else self.source
        return f"<Fit {self.law} to {points}: {shown}>"

    @cached_property
    def model(self) -> FitLaw:
        """The law that was fitted, with its bounds and fixed parameters."""
        law = fit_law(self.law, self.bounds, tuple(self.columns))
        return law.constrained(self.bounds, self.fixed)

    @property
    def parameters(self) -> dict[str, float]:
        """The parameters by name."""
        return {name: float(value) for name, value in self.model.parameters(self.x).items()}

    @property
    def sample_parameters(self) -> dict[str, Array]:
        """The parameters of the resampled fits by name, each of shape (B,)."""
        return {
            name: np.asarray(value) for name, value in self.model.parameters(self.samples).items()
        }

    @property
    def rms(self) -> float:
        """Root mean square of the residuals, weighted."""
        return float(np.sqrt(np.average(self.residuals**2, weights=self.row_weights)))

    @property
    def free(self) -> NDArray[np.bool_]:
        """Which coordinates were fitted."""
        return self.model.free

    # -- what is computed from a fit; each in its own module, imported when it is asked for ------------------------------

    def bootstrap(
        self, count: int = 4000, *, cluster: str | None = None, rng: int | np.random.Generator = 0
    ) -> Fit:
        """Return the fit with samples from resampled data.

        Parameters
        ----------
        count : int
            Number of resamples.
        cluster : str, optional
            ``"run"``: runs are drawn instead of points; the default where runs have several.
        rng : Generator or int
            Source of randomness, or a seed.

        Returns
        -------
        Fit
            With new `samples`; those of other laws are drawn alike.
        """
        source = int(rng) if isinstance(rng, np.integer) else rng
        laws = {
            name: other.bootstrap(count, cluster=cluster, rng=source)
            for name, other in self.laws.items()
        }
        drawn = self._in("_bootstrap").bootstrap_samples
        samples = drawn(self, count, cluster=cluster, rng=source)
        return replace(self, samples=samples, laws=laws)

    def interval(self, name: str, level: float = 0.95) -> tuple[float, float]:
        """Return the interval of a parameter; see `fits._intervals.interval`."""
        return self._in("_intervals").interval(self, name, level)  # type: ignore[no-any-return]

    def predict(self, **arguments: Any) -> Any:
        """Predict losses with their intervals; see `fits._predict.predict`."""
        return self._in("_predict").predict(self, **arguments)

    def profile(self, name: str, *, level: float = 0.95, points: int = 41) -> Any:
        """Return the profile of the objective along a parameter; see `fits._profile.profile`."""
        return self._in("_profile").profile(self, name, level=level, points=points)

    def rolling_origin(self, *, minimum_runs: int = 15, reach: float = 1.0) -> Any:
        """Forecast later budgets from earlier ones; see `fits._rolling.rolling_origin`."""
        found = self._in("_rolling").rolling_origin
        return found(self, minimum_runs=minimum_runs, reach=reach)

    def calibrate(self, drift: float | None = None, prior: float | None = None) -> Any:
        """Return the fit with the drift of its forecasts; see `fits._calibration.calibrate`."""
        return self._in("_calibration").calibrate(self, drift=drift, prior=prior)

    def _repr_html_(self) -> str:
        return words_html(self.report())

    def report(
        self,
        compute: ArrayLike | None = None,
        *,
        verbose: bool = False,
        source: str | None = None,
    ) -> str:
        """Describe the fit in a few lines; see `fits._report.report`."""
        told = self._in("_report").report
        return told(self, compute, verbose=verbose, source=source)  # type: ignore[no-any-return]

    def to_html(
        self,
        path: str | Path,
        compute: ArrayLike | None = None,
        *,
        command: str = "",
        source: str | None = None,
    ) -> Path:
        """Write the fit as one page; see `fits._page.write_page`."""
        write = self._in("_page").write_page
        return write(self, path, compute, command=command, source=source)  # type: ignore[no-any-return]

    @staticmethod
    def _in(module: str) -> Any:
        return import_module(f"{__package__}.{module}")

    # -- files ----------------------------------------------------------------------------------------------------------

    def save(self, path: str | Path) -> Path:
        """Write the fit to a file, ``.npz`` or ``.json``; `load` reads both.

        Parameters
        ----------
        path : str or Path
            File to write.

        Returns
        -------
        Path
            The file written.
        """
        return save_either(self, path)

    @classmethod
    def load(cls, path: str | Path) -> Self:
        """Read a fit written by `save`.

        Parameters
        ----------
        path : str or Path
            A ``.npz`` or ``.json`` file.

        Returns
        -------
        Fit
            As it was saved.

        Raises
        ------
        DataError
            If the file is not such a file.
        """
        if (written := from_json_file(cls, path)) is not None:
            return written
        found = super().load(path)
        cls._in("_saved").refuse_unsound(found)
        return found

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Make a fit again from what `to_json` returned; refuse one whose parts do not belong together."""
        found = super().from_json(text)
        cls._in("_saved").refuse_unsound(found)
        return found
