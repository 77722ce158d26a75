"""One-pass SGD with feature learning: the march over pairs of steps, or a memory of vectors and macro steps for long runs."""

from __future__ import annotations

import math
import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from ....arguments import (
    Array,
    Value,
    choice,
    flag,
    numbers,
    one,
    one_row,
    refuse_first,
    whole_numbers,
)
from ....errors import ConvergenceError, DomainError, StabilityWarning, refusal
from ....results import Diagnostics, Result, Status
from ...catalogue import shows
from ...linear import largest_eigenvalue, sgd_stability
from ...schedules import Schedule
from ...spectra import Spectrum, one_spectrum
from .long_runs import (
    DISAGREEMENT,
    EXACT,
    RATIO,
    Course,
    Model,
    StoppedError,
    Track,
    closure_error,
    follow,
    judged,
)
from .solutions import MarchMatrices, checked, judge, listed, marched, setting_of, unstable_steps

SHORT = 700
"""Steps up to which the march over pairs of steps is the fastest."""

_ROUNDING = 1e-12
_REMEMBERED = 60  # steps up to which nothing is compressed


@shows("test_loss", "scale", along="steps", flags=("closure",))
@dataclass(frozen=True)
class OnlineDMFTSolution(Result):
    r"""Losses along one-pass SGD with feature learning.

    Attributes
    ----------
    steps : ndarray, shape (n,)
        0, 1, ..., T, or those asked for, or those where macro steps end; the arrays below have the same shape.
    features, batch, learning_rate, richness, initial_variance, noise_variance : float
        The inputs N, B, :math:`\eta, \gamma, \sigma_w^2, \sigma^2`. A learning rate or batch for each step is an array like
        `steps`: that of the step that follows, at the end the last one again.
    test_loss, train_loss : ndarray
        Mean test loss, and the mean loss on the next batch: the same plus :math:`\sigma^2`.
    scale : ndarray
        :math:`s(t) = 1 + \gamma C_w(t, t)`, the growth of the kernel.
    matrices : MarchMatrices or None
        Correlations and responses, if asked for.
    diagnostics : Diagnostics
        Residual: rounding error of the mean errors at the last step, relative to their start; of a long run, what is left of
        the equations of macro steps.
    error : ndarray of shape (2, n), or None
        Estimated relative errors of test losses and of scales; None in results saved before there were long runs.
    mesh : ndarray or None
        Steps at which the solver's steps end, single and macro.
    """

    steps: Array
    features: float
    batch: Value
    learning_rate: Value
    richness: float
    initial_variance: float
    noise_variance: float
    test_loss: Array
    train_loss: Array
    scale: Array
    matrices: MarchMatrices | None
    diagnostics: Diagnostics
    error: Array | None = None
    mesh: Array | None = None


def online_dmft(
    steps: int,
    spectrum: Spectrum,
    *,
    features: float = math.inf,
    batch: ArrayLike | Schedule,
    learning_rate: ArrayLike | Schedule,
    richness: float,
    initial_variance: float = 0.0,
    noise_variance: float = 0.0,
    modes: str = "merged",
    matrices: bool = False,
    method: str = "auto",
    at: ArrayLike | None = None,
    closure: bool = False,
) -> OnlineDMFTSolution:
    r"""Compute mean losses of the feature-learning model under one-pass stochastic gradient descent.

    The student :math:`f = \frac1N w^T A \psi` trains both layers on B fresh samples at each step,

    .. math:: w_{t+1} - w_t = \eta A_t v^1_t, \qquad A_{t+1} - A_t = \frac{\eta\gamma}{N}\, w_t\, (A_0^T A_0 v^1_t)^T, \qquad
              v^1_t = \frac1B \Psi_t^T (\Psi_t v^0_t + \sigma\epsilon_t), \qquad v^0_t = w^* - \frac1N A_t^T w_t,

    with :math:`A_0` iid standard normal and :math:`w_0` iid of variance :math:`\sigma_w^2`; the test loss is
    :math:`L = \sum_k \lambda_k \langle (v^0_k)^2 \rangle`. Its dynamical mean-field equations are causal and are solved in one pass.

    Parameters
    ----------
    steps : int
        T >= 0, how many steps to take.
    spectrum : PowerLawSpectrum or EmpiricalSpectrum
        Eigenvalues :math:`\lambda_k` and signal powers :math:`s_k = \lambda_k (w^*_k)^2`.
    features : float
        N >= 1, not necessarily whole; ``math.inf`` for the limit.
    batch : float, array_like of shape (T,), or Schedule
        B >= 1, the same way, for all steps or for each.
    learning_rate : float, array_like of shape (T,), or Schedule
        :math:`\eta > 0`, one for all steps or one for each, as numbers or as a `scalinglaws.solvers.schedules.Schedule` of T steps;
        flow time is :math:`\eta` times steps, or the sum. (On the command line a list makes a run for each of its numbers, as
        everywhere; a schedule is for Python.)
    richness : float
        :math:`\gamma \ge 0`; 0 is the lazy limit, in which A stays as it is.
    initial_variance : float
        :math:`\sigma_w^2 \ge 0`.
    noise_variance : float
        :math:`\sigma^2 \ge 0`, variance of the label noise.
    modes : {"merged", "full"}
        Merge small eigenvalues into a few (of a spectrum of any size), or keep every mode of a finite spectrum.
    matrices : bool
        Whether to return the matrices over pairs of steps, of a march.
    method : {"auto", "march", "memory", "macro"}
        March over pairs of steps; take every step with a memory of vectors; or the first 256 so, and then macro steps, for which
        rates and batches are numbers or smooth schedules. By default up to 700 steps are marched, and more are macro steps if
        that is possible. Batches for each step are not for the march.
    at : array_like of int, optional
        Steps to look at, increasing, from 0 to T. By default all that are taken one by one, and the ends of macro steps.
    closure : bool
        Whether to take the one-time closure instead, which forgets how steps and noise break the flow's conservation law: mean and
        variance of each mode and one scalar. `error` says what that costs, some 1e-3 (up to 4e-2 where :math:`\eta s t \sim 1`).

    Returns
    -------
    OnlineDMFTSolution
        Losses and kernel scale at steps 0, 1, ..., T, or where they were looked at.

    Raises
    ------
    DomainError
        If an argument is out of range, ``modes="full"`` meets an infinite spectrum, or the run is so unstable that numbers overflow;
        beyond 256 steps of a long run, if any is unstable. The message names the last good step.
    ConvergenceError
        If macro steps are not solved, or two meshes differ by more than 1e-3; `result` ends with the last good step.
    ResourceError
        If the matrices would need more than the memory budget (``SCALINGLAWS_MEMORY``, 4 GB by default); the message says
        how many steps fit.

    Warns
    -----
    StabilityWarning
        If :math:`\eta\, s(t)` reaches the largest stable learning rate of the lazy model (`scalinglaws.solvers.linear.sgd_stability`; at
        most :math:`2/\lambda_1`): the message names the step. For beta < 1 that happens to every :math:`\eta` in the end. With a
        learning rate for each step two in a row must be that long: shorter steps may make up for a single one.
    AccuracyWarning
        If rounding errors exceed 1e-8.

    Notes
    -----
    Exact in the proportional limit: N, B and the multiplicity of each mode large together; otherwise corrections are of the relative
    order 1/N and 1/B. The part :math:`\lambda_k^2 \langle v_k^2\rangle/B` of the batch noise is one of them and is left out.

    Time :math:`\tfrac43 n T^3` flops in matrix products with n response modes (about 20 to 40 when merged), and matrix-vector
    products, all by one thread; at most 4 matrices of T x T numbers, 8 with `matrices`, whatever n is.

    *Long runs.* For every draw of the features, N of them are unlimited features of another covariance, with what they cannot express as
    label noise. With unlimited features the state is the predictor's mean and variance in each mode, the norm of the readout, and the
    matrix D by which steps and noise break the flow's conservation law: vectors of which each step adds two, exactly. For 60 steps that
    is the march to 1e-12; beyond, vectors are compressed, which costs 1e-6 to 4e-6. Macro steps of a fifth of the time so far carry
    them on, by collocation: 1e-6 to 2e-5, and a second or two for any number of steps (ten with limited features; rates and batches
    for each step about 2 ms each). `error` is the difference from a mesh twice as coarse, and 1e-5. Label noise, a floor included, turns
    the growth of the kernel around at the flow time :math:`B/(\eta\gamma\sigma^2 \mathrm{Tr}\Lambda)`; it is followed far beyond.

    Merging changes losses by less than 1e-9 relative; rounding errors are near 1e-13. Where `StabilityWarning` says that steps are
    unstable neither holds: some 30 steps later rounding has been seen to reach 3e-7 of the loss.

    References
    ----------
    .. [1] B. Bordelon, A. Atanasov, C. Pehlevan, "How feature learning can improve neural scaling laws", arXiv:2409.17858.

    Examples
    --------
    >>> from scalinglaws.solvers import PowerLawSpectrum
    >>> task = PowerLawSpectrum(1.5, 0.75, 40)
    >>> found = online_dmft(59, task, features=20, batch=10, learning_rate=0.25, richness=2)
    >>> found.test_loss[[0, 5, 59]].round(8)
    array([1.52772799, 0.34861541, 0.11888815])
    """
    one_spectrum(spectrum, steps=steps)
    count = int(one("steps", whole_numbers("steps", steps, low=0)))
    given: dict[str, Any] = {
        "features": features,
        "batch": batch,
        "learning_rate": learning_rate,
        "richness": richness,
        "initial_variance": initial_variance,
        "noise_variance": noise_variance,
    }
    places, kind = _places(at, count), choice("modes", modes, ("merged", "full"))
    how = _chosen(method, given, count, flag("matrices", matrices), flag("closure", closure))
    if how != "march":
        result = _long(spectrum, count, given, how, places, kind, flag("closure", closure))
        edge = largest_eigenvalue(spectrum, features=result.features)
        too_long = "" if result.mesh is None else _first_steps(result, 2 / float(edge))
        if too_long:
            warnings.warn(too_long, StabilityWarning, stacklevel=2)
        return result
    setting = setting_of(count, given, matrices, reuse=False)
    found = marched(setting, spectrum, given, kind)
    limit = sgd_stability(
        spectrum,
        features=found["features"],
        batch=found["batch"],
        learning_rate=float(np.max(found["learning_rate"])),
    )
    judge(
        "online_dmft",
        found["learning_rate"],
        found["scale"],
        found["diagnostics"],
        float(limit.max_learning_rate),
    )
    found["error"] = np.full((2, count + 1), found["diagnostics"].error_estimate)
    found["mesh"] = found["steps"]
    return OnlineDMFTSolution(**_looked_at(found, places))


def _places(at: ArrayLike | None, steps: int) -> Array | None:
    """Return the steps to look at, checked."""
    if at is None:
        return None
    row = one_row("at", at, low=0.0, increasing=True)
    wrong = (row != np.floor(row)) | (row > steps)
    refuse_first("at", row, wrong, f"must be a whole number up to steps = {steps}")
    return row


def _looked_at(found: dict[str, Any], places: Array | None) -> dict[str, Any]:
    """Keep of the arrays along steps what was asked for."""
    if places is not None:
        index = places.astype(np.int64)
        size = found["steps"].size
        for name, value in found.items():
            if isinstance(value, np.ndarray) and name != "mesh" and value.shape[-1:] == (size,):
                found[name] = value[..., index]
    return found


def _chosen(method: str, given: dict[str, Any], steps: int, matrices: bool, closure: bool) -> str:
    """Return which method serves; refuse what does not go together."""
    how = choice("method", method, ("auto", "march", "memory", "macro"))
    smooth = all(
        value.smooth if isinstance(value, Schedule) else np.ndim(value) == 0
        for value in (given["learning_rate"], given["batch"])
    )
    varied = isinstance(given["batch"], Schedule) or np.ndim(given["batch"]) > 0
    if how == "auto":
        marched_at_best = matrices or (steps <= SHORT and not varied and not closure)
        remembered = "macro" if smooth and steps > EXACT else "memory"
        how = "march" if marched_at_best else remembered
    if matrices and how != "march":
        raise refusal("matrices", matrices, "needs method = 'march'", shown=False)
    if closure and how == "march":
        raise refusal("closure", closure, "needs method = 'memory' or 'macro', and no matrices")
    if varied and how == "march":
        raise refusal("batch", given["batch"], "must be one number for the march", shown=False)
    if how == "macro" and not smooth:
        raise refusal(
            "method", method, "needs numbers or smooth schedules; use 'memory' for arrays"
        )
    return how


def _course(given: dict[str, Any], steps: int) -> Course:
    """Return the checked course of a run."""
    found = []
    for name, low in (("learning_rate", 0.0), ("batch", 1.0)):
        value = given[name]
        if isinstance(value, Schedule):
            if value.steps != steps:
                listed(name, value, steps)
            if name == "batch":
                values = value(value.looks())
                refuse_first(name, values, ~(values >= low), "must be >= 1")
            found.append(value)
            continue
        row = numbers(name, value, low=low, strict=low == 0.0, infinite=name == "batch")
        if row.ndim == 0:
            given[name] = float(row)
            found.append(Schedule.constant(float(row), max(steps, 1)))
            continue
        if row.shape != (steps,) or steps == 0:
            raise refusal(
                name,
                row,
                f"must be one number, or one for each of the {steps} steps; got shape {row.shape}",
                shown=False,
            )
        found.append(Schedule.from_array(np.minimum(row, 1e290)))
    return Course(*found)


def _long(
    spectrum: Spectrum,
    steps: int,
    given: dict[str, Any],
    how: str,
    places: Array | None,
    kind: str,
    closure: bool,
) -> OnlineDMFTSolution:
    """Follow a long run; return its result, or refuse it."""
    for name in ("features", "richness", "initial_variance", "noise_variance"):
        given[name] = checked(name, given[name])
    course = _course(given, steps)
    if kind == "full" and math.isinf(spectrum.size):
        raise refusal("modes", kind, "needs a spectrum of finite size; use modes = 'merged'")
    model = Model(
        spectrum,
        given["features"],
        given["richness"],
        given["initial_variance"],
        given["noise_variance"],
        kind == "full",
        closure,
    )
    if how == "macro" and steps > EXACT:
        plan = course.mesh()
        for key, value in (("learning_rate", course.rate), ("batch", course.batch)):
            if not value.follows(plan):
                complaint = "varies within some steps by more than what is seen of it: give breaks there, or Schedule.from_array"
                raise refusal(key, value, complaint, shown=False)
    name = {"memory": "memory of vectors", "macro": "memory of vectors, macro steps"}[how]
    stopped: StoppedError | None = None
    try:
        if how == "memory" or steps <= EXACT:
            few = steps <= _REMEMBERED
            track = follow(model, course, places, exact=steps, compressed=not few)
            error = np.full((2, track.steps.size), _ROUNDING if few else 1e-5)
        elif closure:
            track = follow(model, course, places, exact=EXACT, ratio=RATIO / 2)
            error = np.zeros((2, track.steps.size))
        else:
            track, error = judged(model, course, places)
        if closure:
            error = error + closure_error(model, course, track)
            name = "one-time closure"
    except StoppedError as stop:
        stopped = stop
        track = stop.track or Track(*(np.zeros(0),) * 4, 0.0)
        error = np.full((2, track.steps.size), 1e-5)
    worst = np.max(error, axis=0)
    good = np.isfinite(track.loss + track.scale)
    if not closure:
        good &= worst <= DISAGREEMENT
    last = track.steps.size if np.all(good) else int(np.argmin(good))
    result = _solution(track, error, given, course, last, name, stopped is None)
    if stopped is not None:
        where = int(result.steps[-1]) if result.steps.size else 0
        message = (
            f"online_dmft: {stopped.reason}, at step {stopped.step}; the last good step is {where}"
        )
        if stopped.kind is ConvergenceError:
            raise ConvergenceError(message, result=result)
        raise DomainError(
            f"{message}: use a smaller learning_rate, a larger batch, or fewer steps",
            argument="learning_rate",
            value=given["learning_rate"],
        )
    if last < track.steps.size:
        where = int(track.steps[last - 1]) if last else 0
        raise ConvergenceError(
            f"online_dmft: two meshes differ by {float(np.max(worst)):.1e}, so that the run is unstable or not resolved; "
            f"the last good step is {where}",
            result=result,
        )
    return result


def _solution(
    track: Track,
    error: Array,
    given: dict[str, Any],
    course: Course,
    last: int,
    name: str,
    good: bool,
) -> OnlineDMFTSolution:
    """Make a result of the first steps of a track."""
    steps = track.steps[:last]
    times = np.minimum(steps, course.steps - 1).astype(float)
    values: dict[str, Value] = {}
    for key, schedule in (("learning_rate", course.rate), ("batch", course.batch)):
        one_number = isinstance(given[key], float)
        values[key] = given[key] if one_number else schedule(times)
    status = Status.CONVERGED if good and last == track.steps.size else Status.UNRESOLVED
    return OnlineDMFTSolution(
        steps=steps,
        features=given["features"],
        batch=values["batch"],
        learning_rate=values["learning_rate"],
        richness=given["richness"],
        initial_variance=given["initial_variance"],
        noise_variance=given["noise_variance"],
        test_loss=track.loss[:last],
        train_loss=track.loss[:last] + given["noise_variance"],
        scale=track.scale[:last],
        matrices=None,
        diagnostics=Diagnostics(
            status,
            track.residual,
            track.mesh.size - 1,
            name,
            float(np.max(error[:, :last], initial=0.0)),
        ),
        error=error[:, :last],
        mesh=track.mesh,
    )


def _first_steps(result: OnlineDMFTSolution, largest: float) -> str:
    """Say where steps taken one by one are too long for the kernel; macro steps have been refused already."""
    return unstable_steps("online_dmft", result.learning_rate, result.scale, largest)
