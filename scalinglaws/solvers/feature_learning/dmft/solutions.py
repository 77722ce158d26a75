"""Training with finite steps: losses of the feature-learning model under online SGD and full-batch descent."""

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
    afford,
    affordable,
    choice,
    flag,
    numbers,
    one,
    whole_numbers,
)
from ....equality import by_value
from ....errors import AccuracyWarning, DomainError, StabilityWarning, refusal
from ....reprs import short_repr
from ....results import PROMISED, Diagnostics, Result, Status
from ..._blas import one_thread
from ...catalogue import shows
from ...equivalents.response import inverse
from ...linear import largest_eigenvalue
from ...schedules import Schedule
from ...spectra import Spectrum, one_spectrum
from .engine import March, Setting, entries, squares
from .modes import MERGING, MarchModes, every_mode, merged_modes


@short_repr
@dataclass(frozen=True)
@by_value
class MarchMatrices:
    r"""Correlations and responses over pairs of steps, each of shape (steps + 1, steps + 1).

    Attributes
    ----------
    error : ndarray
        :math:`C_0(t, s) = \sum_k \lambda_k \langle v_k(t)\, v_k(s) \rangle`, the covariance of test errors; its diagonal is the test loss.
    gradient : ndarray
        :math:`C_2(t, s) = \frac1N v^2(t) \cdot v^2(s)`, of the signals that drive the readout weights.
    weight : ndarray
        :math:`C_w(t, s) = \frac1N w(t) \cdot w(s)`, of the readout weights.
    response : ndarray
        U, strictly lower triangular; :math:`(1 + \lambda_k U)^{-1}` is the response of the error in mode k to a force on it.
    data_response : ndarray
        :math:`R_\Delta`, unit lower triangular, of the residuals on the training set; the identity online.
    """

    error: Array
    gradient: Array
    weight: Array
    response: Array
    data_response: Array


@shows("test_loss", "train_loss", "scale", along="steps")
@dataclass(frozen=True)
class ReuseDMFTSolution(Result):
    r"""Losses along full-batch gradient descent with feature learning on a fixed set of samples.

    Attributes
    ----------
    samples : float
        The input P, instead of a batch.
    test_loss, train_loss : ndarray
        Mean losses; the train loss contains the label noise, the test loss does not.
    scale : ndarray
        :math:`s(t) = 1 + \gamma C_w(t, t)`, the growth of the kernel.
    steps, features, learning_rate, richness, initial_variance, noise_variance, matrices, diagnostics
        As of `scalinglaws.solvers.feature_learning.OnlineDMFTSolution`.
    """

    steps: Array
    features: float
    samples: float
    learning_rate: Value
    richness: float
    initial_variance: float
    noise_variance: float
    test_loss: Array
    train_loss: Array
    scale: Array
    matrices: MarchMatrices | None
    diagnostics: Diagnostics


def reuse_dmft(
    steps: int,
    spectrum: Spectrum,
    *,
    features: float = math.inf,
    samples: float = math.inf,
    learning_rate: ArrayLike | Schedule,
    richness: float,
    initial_variance: float = 0.0,
    noise_variance: float = 0.0,
    modes: str = "merged",
    matrices: bool = False,
) -> ReuseDMFTSolution:
    r"""Compute mean test and train losses of the feature-learning model under full-batch gradient descent on P samples.

    The model and its updates are those of `online_dmft`, with the same P samples and labels at each step,

    .. math:: v^1_t = \frac1P \Psi^T (\Psi v^0_t + \sigma\epsilon), \qquad
              L_{train} = \frac1P \langle |\Psi v^0_t + \sigma\epsilon|^2 \rangle.

    Parameters
    ----------
    steps, spectrum, features, learning_rate, richness, initial_variance, noise_variance, modes, matrices
        As for `online_dmft`. Without richness that is
        `scalinglaws.solvers.linear.gradient_descent`.
    samples : float
        P >= 1, not necessarily whole; ``math.inf`` for the limit.

    Returns
    -------
    ReuseDMFTSolution
        Losses and kernel scale at steps 0, 1, ..., T.

    Raises
    ------
    DomainError, ResourceError
        As `online_dmft`.

    Warns
    -----
    StabilityWarning
        If :math:`\eta\, s(t)` reaches :math:`2/x_{max}`, with the largest eigenvalue :math:`x_{max}` of the lazy model
        (`scalinglaws.solvers.linear.largest_eigenvalue`): the message names the step.
    AccuracyWarning
        If rounding errors exceed 1e-8.

    Notes
    -----
    Exact in the proportional limit: N, P and the multiplicity of each mode large together; otherwise corrections are of the relative
    order 1/N and 1/P. The test loss may rise again while the train loss falls.

    Time :math:`2 n T^3` flops in matrix products with n response modes (about 20 to 40 when merged), and matrix-vector products;
    at most 7 matrices of T x T numbers, 10 with `matrices`, whatever n is. Accuracy as `online_dmft`. That has a form without
    matrices, for any number of steps; sample reuse has none: the covariance of residuals on the samples is a full function of
    two times.

    References
    ----------
    .. [1] B. Bordelon, A. Atanasov, C. Pehlevan, "How feature learning can improve neural scaling laws", arXiv:2409.17858.

    Examples
    --------
    >>> from scalinglaws.solvers import PowerLawSpectrum
    >>> task = PowerLawSpectrum(1.5, 0.75, 40)
    >>> found = reuse_dmft(59, task, features=20, samples=15, learning_rate=0.25, richness=2)
    >>> found.test_loss[[0, 5, 59]].round(8), found.train_loss[[0, 5, 59]].round(8)
    (array([1.52772799, 0.39891419, 0.23031849]), array([1.52772799, 0.24551538, 0.02794528]))
    """
    one_spectrum(spectrum, steps=steps)
    given = {
        "features": features,
        "samples": samples,
        "learning_rate": learning_rate,
        "richness": richness,
        "initial_variance": initial_variance,
        "noise_variance": noise_variance,
    }
    setting = setting_of(steps, given, matrices, reuse=True)
    result = ReuseDMFTSolution(**marched(setting, spectrum, given, modes))
    edge = largest_eigenvalue(spectrum, features=result.features, samples=result.samples)
    judge("reuse_dmft", result.learning_rate, result.scale, result.diagnostics, 2 / float(edge))
    return result


def checked(name: str, value: Any) -> float:
    """Return one checked argument."""
    size = name in ("features", "batch", "samples")
    return one(name, numbers(name, value, low=1.0 if size else 0.0, infinite=size))


def listed(name: str, value: ArrayLike | Schedule, steps: int) -> ArrayLike:
    """Return the rates of a schedule that has as many steps; numbers as they are."""
    if not isinstance(value, Schedule):
        return value
    if value.steps != steps:
        raise refusal(name, value, f"must have the {steps} steps of the run; it has {value.steps}")
    return value.values()


def per_step(name: str, value: ArrayLike, steps: int, *, infinite: bool = False) -> Array:
    """Return a number for each step, from one for all of them or a row of as many."""
    found = numbers(name, value, low=0.0, strict=True, infinite=infinite)
    if found.ndim == 0:
        afford(float(steps), "the schedule", "take fewer steps")
        return np.full(steps, float(found))
    if found.shape != (steps,) or steps == 0:
        raise refusal(
            name,
            found,
            f"must be one number, or one for each of the {steps} steps; got shape {found.shape}",
            shown=False,
        )
    return np.array(found)


def setting_of(steps: int, given: dict[str, Any], matrices: bool, *, reuse: bool) -> Setting:
    """Check all arguments but the spectrum; in `given` they become floats, a learning rate per step an array like the steps."""
    count = int(one("steps", whole_numbers("steps", steps, low=0)))
    given["learning_rate"] = listed("learning_rate", given["learning_rate"], count)
    rates = per_step("learning_rate", given["learning_rate"], count)
    for name, value in given.items():
        if name != "learning_rate":
            given[name] = checked(name, value)
        elif np.ndim(value):
            given[name] = np.append(rates, rates[-1])
        else:
            given[name] = float(value)
    return Setting(
        steps=count,
        inverse_features=inverse(given["features"]),
        inverse_data=inverse(given["samples" if reuse else "batch"]),
        reuse=reuse,
        learning_rates=rates,
        richness=given["richness"],
        initial_variance=given["initial_variance"],
        noise_variance=given["noise_variance"],
        matrices=flag("matrices", matrices),
    )


def chosen_modes(
    kind: str, spectrum: Spectrum, need: tuple[float, bool], held: float
) -> MarchModes:
    """Return the modes to march with: merged, for what is needed (`needed`), or all, each with `held` numbers in memory."""
    if choice("modes", kind, ("merged", "full")) == "merged":
        return merged_modes(spectrum, need[0], finer=need[1])
    if math.isinf(spectrum.size):
        raise refusal("modes", kind, "needs a spectrum of finite size; use modes = 'merged'")
    afford(held * spectrum.size, "the march", "use fewer steps, or modes = 'merged'")
    return every_mode(spectrum)


def needed(largest: float, rates: Array, scale: Array) -> tuple[float, bool]:
    """Return how many steps of 2/lambda_1 go as far as those that were taken, and whether some were much longer."""
    relative = largest * rates * scale
    return 0.5 * float(np.sum(relative)), bool(np.max(relative, initial=0.0) > 2.5)


@one_thread  # several make losses depend on their number, in the last digit, and are slow where other work keeps a core busy
def marched(
    setting: Setting, spectrum: Spectrum, given: dict[str, Any], kind: str
) -> dict[str, Any]:
    """Run the march; return the fields of its result."""
    largest, need = float(np.max(spectrum.modes().eigenvalues)), (float(setting.steps), False)
    for _ in range(3):
        modes = chosen_modes(kind, spectrum, need, 5.0 * (setting.steps + 1))
        fitting = math.sqrt(affordable() / squares(setting))
        afford(entries(setting, modes), "the march", f"use at most about {fitting:.0f} steps")
        march = March(setting, modes)
        reached = march.run()
        if reached <= setting.steps:
            raise overflow(given["learning_rate"], reached)
        # merged modes serve for stable steps; longer ones need finer modes, seen when done
        gone = needed(largest, setting.learning_rates, march.scale[:-1])
        if kind == "full" or (gone[0] <= 1.1 * need[0] and gone[1] <= need[1]):
            break
        need = (max(gone[0], need[0]), gone[1] or need[1])
    residual = march.residual()
    status = Status.LOST_ACCURACY if residual > PROMISED else Status.CONVERGED
    merged = MERGING if kind == "merged" else 0.0
    named = (
        MarchMatrices(march.C0, march.C2, march.Cw, march.U, march.R_delta)
        if setting.matrices
        else None
    )
    return {
        "steps": np.arange(setting.steps + 1),
        **given,
        "test_loss": march.test_loss,
        "train_loss": march.train_loss,
        "scale": march.scale,
        "matrices": named,
        "diagnostics": Diagnostics(
            status, residual, setting.steps, f"causal march, {kind} modes", residual + merged
        ),
    }


def overflow(rates: Value, step: int) -> DomainError:
    """Build the error for a run that overflows."""
    return refusal(
        "learning_rate",
        rates,
        f"is unstable: losses overflow at step {step}; use a smaller one, or fewer steps",
    )


def judge(name: str, rates: Value, scale: Array, diagnostics: Diagnostics, largest: float) -> None:
    """Warn if steps became too long for the kernel, or rounding errors too large; to be called by the public function itself."""
    too_long = unstable_steps(name, rates, scale, largest)
    if too_long:
        warnings.warn(too_long, StabilityWarning, stacklevel=3)
    if not diagnostics.status.ok:
        warnings.warn(
            f"{name}: rounding errors reach {diagnostics.residual:.1e} of the errors at the start, as unstable steps amplify them; "
            "use a smaller learning_rate, or fewer steps",
            AccuracyWarning,
            stacklevel=3,
        )


def unstable_steps(name: str, rates: Value, scale: Array, largest: float) -> str:
    """Say where rates times the scale get too large: one rate anywhere, one for each step twice in a row."""
    relative = rates * scale
    beyond = relative >= largest
    if np.ndim(rates):
        beyond[1:] &= beyond[:-1].copy()
        beyond[0] = False
    if not beyond.any():
        return ""
    first = int(np.argmax(beyond))
    return (
        f"{name}: learning_rate times scale is {relative[first]:.4g} at step {first}, not below {largest:.4g}: from there on the steps "
        "are unstable and losses may grow; use a smaller learning_rate, or fewer steps"
    )
