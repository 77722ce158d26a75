"""The fit: data, law, threshold, optimum, and the resampled fits."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ....arguments import number, numbers, several, whole
from ....errors import DataError, refusal
from .._read_runs import read_runs
from .._run_tables import read_table
from .._runs import Runs
from ._calibration import calibrate
from ._covariance import robust_deviation
from ._identifiability import identified
from ._laws import FitLaw, fit_law
from ._record import Bounds, Fit
from ._requirements import enough
from ._solve import errors, solve

Array = NDArray[np.float64]

_FIRST_DELTA = 1e-3  # of the fit from whose residuals the threshold is taken
EFFICIENT = 1.345  # robust standard deviations: 95 % efficiency for normal errors
_LEAST_DELTA = 1e-6  # of data without noise
_BOTH = (30, 4)  # runs and budgets from which on `auto` fits surface_power beside surface
_COLUMNS = {"U": "unique_tokens"}  # of runs, where a law has another name
_SHARPNESS = (math.exp(-3), math.exp(3))  # beyond, powers overflow

PUBLISHED: dict[str, tuple[str, dict[str, float], str]] = {
    "hoffmann": (
        "surface",
        {"E": 1.69337368, "A": 406.401018, "B": 410.722827, "a": 0.33917084, "b": 0.2849083},
        "Hoffmann et al. 2022 (parameters in the TeX source of their paper)",
    ),
    "besiroglu": (
        "surface",
        {"E": 1.8172, "A": 482.01, "B": 2085.43, "a": 0.3478, "b": 0.3658},
        "Besiroglu et al. 2024",
    ),
}
"""Name -> (law, parameters, source) of published fits."""


def fit(
    law: str | Any,
    runs: Runs | Mapping[str, Any] | Any,
    *,
    delta: float | None = None,
    weights: ArrayLike | None = None,
    envelope: float | None = None,
    bounds: Bounds | None = None,
    fixed: Mapping[str, float] | None = None,
    bootstrap: int = 4000,
    rng: int | np.random.Generator = 0,
    variables: Sequence[str] = (),
) -> Fit:
    r"""Fit a law to runs.

    Minimizes :math:`F(\theta) = \sum_i w_i H_\delta(\ln L_i - f(\theta; x_i))` with Huber's

    .. math:: H_\delta(r) = r^2/2 \text{ for } |r| < \delta, \quad \delta(|r| - \delta/2) \text{ beyond.}

    Parameters
    ----------
    law : str, Law or FitLaw
        ``"auto"``: ``surface``, and ``surface_power`` beside it from 30 runs and 4 budgets on, weighted and calibrated as by
        `Fit.calibrate`. Or the name of a law, here or in the catalogue (``surface`` is ``empirical.chinchilla``), a law of
        `scalinglaws.theory`, or an expression such as ``"E + A*N**-a + B*D**-a"``.
    runs : Runs, data frame or mapping
        What `read_runs` returns or reads; for laws in other variables than N, D and C, columns named by the variables, and ``loss``.
        A law in x alone is fitted to a column x, or else to the compute of the runs; U of ``repetition`` are the unique tokens.
    delta : float, optional
        Threshold in :math:`\ln L`, > 0; inf for least squares. By default 1.345 robust standard deviations of the residuals of a
        first fit at 0.001 (at least 1e-6).
    weights : array_like, shape (n,), optional
        How often each point counts, >= 0; 1 by default. Errors are those of as many runs as they add up to: weights that are no
        repetitions, such as 1/variance, must be divided by their mean.
    envelope : float, optional
        Weight of residuals above the law, in (0, 1]: for runs that are worse than need be. 0.3 fits the 23 % expectile.
    bounds : dict of str to (float, float), optional
        Least and largest value of parameters.
    fixed : dict of str to float, optional
        Parameters that are not fitted; 0 for an offset or an amplitude leaves the term out.
    bootstrap : int
        Number of fits to resampled runs; 0 for none.
    rng : Generator or int
        Source of randomness of the resampling, or a seed.
    variables : sequence of str
        Names in an expression that are columns of the runs beside N, D, C, P, n, m and x: shares of a mixture, bits, experts; >= 0.

    Returns
    -------
    Fit
        Of ``surface`` for ``"auto"``, with the other law in `laws`. One curve cannot tell all parameters of ``perceptron`` apart: unless
        k_1, k_2 or q_2 is fixed, ``three_region`` is fitted, which is the same curve, and the message says what its parameters are.

    Raises
    ------
    DataError
        If there are fewer points than parameters + 2, or all have the same N, D or D/N where the law needs both.
    DomainError
        If an argument is not allowed.

    Notes
    -----
    Starts are the best of a grid of shapes, each with its best amplitudes; Newton steps with exact Hessians go down for a sequence
    of thresholds from 0.1 to delta. `fits._reference` reaches the same optimum by SciPy. A law, 240 runs: about 2 ms, and 1 s for
    4000 resamples on two threads; the result does not depend on their number.

    References
    ----------
    .. [1] J. Hoffmann et al., *Training Compute-Optimal Large Language Models*, arXiv:2203.15556, sec. 3.3.
    .. [2] T. Besiroglu et al., *Chinchilla Scaling: A replication attempt*, arXiv:2404.10102.

    Examples
    --------
    >>> N, D = np.meshgrid(np.geomspace(1e8, 1e10, 4), np.geomspace(1e9, 1e11, 4))
    >>> data = {"N": N.ravel(), "D": D.ravel(), "loss": (1.8 + 480 / N**0.35 + 2000 / D**0.37).ravel()}
    >>> found = fit("surface", data, bootstrap=0)
    >>> {name: round(value, 4) for name, value in found.parameters.items()}
    {'E': 1.8, 'A': 480.0, 'B': 2000.0, 'a': 0.35, 'b': 0.37}
    """
    count = whole("bootstrap", bootstrap, low=0)
    automatic = isinstance(law, str) and law == "auto"
    own = several("variables", variables, str)
    chosen = fit_law("surface" if automatic else law, bounds, own).constrained(bounds, fixed)
    if unused := [name for name in own if name not in chosen.variables]:
        raise refusal(
            "variables", unused[0], f"are those of an expression; {chosen.id} has its own"
        )
    threshold = None if delta is None else number("delta", delta, low=0, strict=True, infinite=True)
    above = 1.0 if envelope is None else number("envelope", envelope, low=0, high=1, strict=True)
    if chosen.id == "perceptron" and not {"k_1", "k_2", "q_2"} & set(fixed or {}):
        return _perceptron(runs, bounds, fixed, delta, weights, envelope, count, rng)
    data = _data(chosen, runs)
    counted = np.ones(data.losses.size)
    if weights is not None:
        counted = numbers("weights", weights, low=0)
        if counted.shape != counted.shape[:1] or counted.size != data.losses.size:
            raise refusal(
                "weights", counted.shape, f"must be {data.losses.size}, one per point", shown=False
            )
    enough(chosen, data.columns, counted)
    if threshold is None:
        threshold = _threshold(chosen, data, counted, above)
    found = _fitted(chosen, data, counted, threshold, above, bounds, fixed)
    if automatic and data.runs is not None and _both(data.runs):
        other = fit_law("surface_power")
        shared = {name: ends for name, ends in (bounds or {}).items() if name in other.names}
        constrained = other.constrained(shared, fixed)
        power = _fitted(constrained, data, counted, threshold, above, shared, fixed)
        found = replace(found, laws={"surface_power": power})
    found = identified(found)
    if automatic:
        found = calibrate(found)
    return found.bootstrap(count, rng=rng) if count else found


def from_parameters(
    law: str,
    parameters: Mapping[str, float] | None = None,
    covariance: ArrayLike | None = None,
) -> Fit:
    """Make a fit of published constants.

    Parameters
    ----------
    law : str
        Name of a law; or ``"hoffmann"`` or ``"besiroglu"``, whose constants are known.
    parameters : mapping of str to float, optional
        All parameters of the law, with all their digits: exponents that are rounded change losses by percents.
    covariance : array_like, shape (p, p), optional
        Of the coordinates: logarithms of positive parameters, exponents as they are.

    Returns
    -------
    Fit
        Without data.

    Raises
    ------
    DomainError
        If a name is unknown, a parameter missing, or the covariance no symmetric positive semidefinite matrix.

    Examples
    --------
    >>> from_parameters("besiroglu").parameters["a"]
    0.3478
    """
    source = "parameters given"
    if parameters is None:
        if not isinstance(law, str) or law not in PUBLISHED:
            raise refusal(
                "law", law, f"needs parameters=; only {' and '.join(PUBLISHED)} have known ones"
            )
        law, parameters, source = PUBLISHED[law]
    chosen = fit_law(law)
    for name in parameters:
        number(name, parameters[name])
    x = chosen.coordinates(parameters)
    size = len(chosen.names)
    cov = None if covariance is None else _covariance(covariance, size)
    none = np.zeros(0)
    return Fit(
        law=chosen.id,
        names=chosen.names,
        x=x,
        cov=cov,
        objective=0.0,
        delta=np.inf,
        residuals=none,
        sigma=float("nan"),
        row_weights=none,
        columns=dict.fromkeys(chosen.variables, none),
        losses=none,
        run=None,
        runs=None,
        jacobian=np.zeros((0, size)),
        samples=np.zeros((0, size)),
        message="parameters as they were given",
        source=source,
    )


def _perceptron(
    source: Any,
    bounds: Bounds | None,
    fixed: Mapping[str, float] | None,
    delta: float | None,
    weights: ArrayLike | None,
    envelope: float | None,
    count: int,
    rng: int | np.random.Generator,
) -> Fit:
    """Fit q_1 + k_1 (k_2 P^g_2 + q_2)^-g_1 as what can be learnt of it: plateau, crossover, sharpness, exponent and floor."""
    if bounds or fixed:
        raise refusal(
            "fixed",
            dict(fixed or {}),
            "must name k_1, k_2 or q_2: one curve cannot tell these three apart, and without one of them the law is fitted as "
            "three_region, whose parameters are others",
        )
    data = _data(fit_law("perceptron"), source)
    found = fit(
        "three_region",
        {"x": data.columns["P"], "loss": data.losses},
        delta=delta,
        weights=weights,
        envelope=envelope,
        bounds={"s": _SHARPNESS},
        bootstrap=count,
        rng=rng,
    )
    at = found.parameters
    told = (
        f"perceptron: gamma_1 = gamma/s = {at['gamma'] / at['s']:.6g}, gamma_2 = s = {at['s']:.6g}, q_1 = E = {at['E']:.6g}; "
        f"k_1 q_2^-gamma_1 = L_0 - E = {at['L_0 - E']:.6g} and (q_2/k_2)^(1/gamma_2) = x_0 = {at['x_0']:.6g}: "
        "fix k_1, k_2 or q_2 to learn the other two"
    )
    return replace(found, message=f"{found.message}; {told}")


def _covariance(given: ArrayLike, size: int) -> Array:
    matrix = numbers("covariance", given)
    if matrix.shape != (size, size):
        raise refusal("covariance", matrix.shape, f"must have shape ({size}, {size})", shown=False)
    largest = float(np.max(np.abs(matrix), initial=0.0))
    if np.max(np.abs(matrix - matrix.T)) > 1e-10 * largest or (
        np.linalg.eigvalsh(matrix)[0] < -1e-10 * largest
    ):
        raise refusal(
            "covariance", None, "must be symmetric and positive semidefinite", shown=False
        )
    return matrix


class Points:
    """Columns, losses, and the runs they come from."""

    def __init__(
        self,
        columns: dict[str, Array],
        losses: Array,
        runs: Runs | None,
    ) -> None:
        self.columns = columns
        self.losses = losses
        self.runs = runs


def _data(law: FitLaw, source: Any) -> Points:
    if isinstance(source, Points):
        return source
    names = law.variables
    if not isinstance(source, Runs) and not _holds(source, names):
        source = read_runs(read_table(source, named="runs"), variables=law.own)
    if isinstance(source, Runs):
        held = {name: getattr(source, _COLUMNS.get(name, name), None) for name in names}
        held |= {name: source.variables.get(name) for name in law.own}
        if names == ("x",):
            held = {"x": _abscissa(source)}
        for name, column in held.items():
            if not isinstance(column, np.ndarray) or column.dtype.kind not in "fiu":
                cure = f": read_runs(..., variables=[{name!r}])" if name in law.own else ""
                cure = "; name one with read_runs(unique=)" if name == "U" else cure
                raise DataError(
                    f"{law.id} needs a column {_COLUMNS.get(name, name)}; the runs have none{cure}"
                )
            if name == "U" and not np.all(column > 0):
                at = int(np.argmin(column > 0))
                raise DataError(
                    f"{law.id} needs {_COLUMNS[name]} of every run: {source.run[at]} has none above 0"
                )
            law.column(name, column)
        return Points(held, source.loss, source)  # type: ignore[arg-type]
    columns = {name: law.column(name, source[name]).ravel() for name in names}
    losses = numbers("loss", source["loss"], low=0, strict=True).ravel()
    for name, column in columns.items():
        if column.size != losses.size:
            raise refusal(name, column.shape, f"must be {losses.size}, one per loss", shown=False)
    return Points(columns, losses, None)


def _holds(source: Any, names: tuple[str, ...]) -> bool:
    """Tell whether a table holds the variables of a law that is none in N, D and C, under their own names."""
    if set(names) <= {"N", "D", "C"}:
        return False
    return all(name in source for name in (*names, "loss")) if hasattr(source, "keys") else False


def _abscissa(runs: Runs) -> Array:
    """Return what varies: data where all models have one size, sizes where all data are alike, else compute."""
    for still, moving in ((runs.N, runs.D), (runs.D, runs.N)):
        if np.ptp(still) == 0 and np.ptp(moving) > 0:
            return moving
    return runs.C


def _threshold(law: FitLaw, data: Points, weights: Array, envelope: float) -> float:
    first = solve(
        law, data.columns, data.losses, delta=_FIRST_DELTA, weights=weights, envelope=envelope
    )
    return max(EFFICIENT * robust_deviation(first.residuals[weights > 0]), _LEAST_DELTA)


def default_threshold(fit: Fit) -> float:
    """Return the threshold that a fit has where none is asked for."""
    data = Points(fit.columns, fit.losses, fit.runs)
    return _threshold(fit.model, data, fit.row_weights, fit.envelope)


def _both(runs: Runs) -> bool:
    return len(runs) >= _BOTH[0] and len(runs.budgets()) >= _BOTH[1]


def _fitted(
    law: FitLaw,
    data: Points,
    weights: Array,
    delta: float,
    envelope: float,
    bounds: Bounds | None,
    fixed: Mapping[str, float] | None,
) -> Fit:
    solution = solve(
        law, data.columns, data.losses, delta=delta, weights=weights, envelope=envelope
    )
    runs = data.runs
    sigma, cov = errors(solution, weights, law.free)
    return Fit(
        law=law.id,
        names=law.names,
        x=solution.x,
        cov=cov,
        objective=solution.objective,
        delta=delta,
        residuals=solution.residuals,
        sigma=sigma,
        row_weights=weights,
        columns=data.columns,
        losses=data.losses,
        run=None if runs is None else runs.run,
        runs=runs,
        jacobian=solution.jacobian,
        samples=np.zeros((0, len(law.names))),
        fixed=dict(fixed or {}),
        bounds=dict(bounds or {}),
        envelope=envelope,
        success=solution.converged,
        message="no step goes down any more"
        if solution.converged
        else "the limit of steps was reached; the optimum may be lower",
        steps=solution.steps,
        counts="" if runs is None else runs.counts,
        cost=6.0 if runs is None else runs.cost,
    )
