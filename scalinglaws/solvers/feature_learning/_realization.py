"""Gradient flow with feature learning from one given kernel."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from ...arguments import Value, broadcast, choice, number, numbers, ordered, shaped
from ...errors import refusal
from ...results import Diagnostics, Result, judged
from ._balance import balanced_scale
from ._flow import DEEPEST, LONGEST, RICHEST, bounded
from ._spectral_measure import Measure
from ._warped_loss import follow, judgment

_SMALLEST = 1e-250  # rate relative to the largest: below, it is 0


@dataclass(frozen=True)
class RealizationFlow(Result):
    r"""Loss along gradient flow with feature learning, from one given kernel.

    All fields have the broadcast shape of the inputs; scalars in, floats out.

    Attributes
    ----------
    t, richness : float or ndarray
        The inputs t and :math:`\gamma`.
    train_loss : float or ndarray
        Loss on the distribution that the kernel belongs to: the train loss, for the population the test loss.
    scale : float or ndarray
        Scale s of the kernel.
    train_error, scale_error : float or ndarray
        Estimated absolute errors of the two.
    diagnostics : Diagnostics
        Newton steps per step of the integrator, and the largest relative error of scale and loss.
    depth : float or ndarray
        The input m.
    """

    t: Value
    richness: Value
    train_loss: Value
    scale: Value
    train_error: Value
    scale_error: Value
    diagnostics: Diagnostics
    depth: Value = 1.0


def realization_flow(
    t: ArrayLike,
    eigenvalues: ArrayLike,
    powers: ArrayLike,
    *,
    richness: ArrayLike,
    floor: float = 0.0,
    depth: ArrayLike = 1.0,
    on_failure: str = "raise",
) -> RealizationFlow:
    r"""Compute the loss along gradient flow with feature learning, for one draw of features and samples.

    With :math:`\hat\Lambda` the covariance of the features (of the population, or :math:`\Psi^T\Psi/P`) and :math:`S_0 = A_0^T A_0/N`,
    the flow depends on the lazy kernel :math:`\hat\Lambda^{1/2} S_0 \hat\Lambda^{1/2}` only: its eigenvalues :math:`x_j`, the squared
    components :math:`\mu_j` of :math:`\hat\Lambda^{1/2} w^*` along its eigenvectors, and what lies in its null space,

    .. math:: \frac{dq_j}{d\tau} = x_j (s^{-1/2} - q_j), \qquad s = 1 + \gamma \sum_j \frac{\mu_j}{x_j} q_j^2, \qquad
              E = \text{floor} + \sum_j \mu_j (1 - \sqrt{s}\, q_j)^2, \qquad dt = d\tau / s .

    Exact for every N, P and draw. For a chain of m hidden factors, the others orthogonal at the start, :math:`s = \sigma^m` with
    :math:`\sigma = 1 + \gamma \sum_j \frac{\mu_j}{x_j} q_j^2` (`gradient_flow`).

    Parameters
    ----------
    t : array_like
        Time, >= 0, finite up to 1e100 or ``math.inf`` for the limit; non-decreasing along its last axis.
    eigenvalues : array_like, shape (n,)
        :math:`x_j \ge 0`, in any order. Powers at 0 count as floor.
    powers : array_like, shape (n,)
        :math:`\mu_j \ge 0`.
    richness : array_like
        :math:`\gamma \ge 0`, up to 1e100; broadcast against `t`.
    floor : float
        Power in the null space, >= 0.
    depth : array_like
        m, the number of hidden factors, >= 0 and up to 1000, not necessarily whole; broadcasts too.
    on_failure : {"raise", "return"}
        What to do if a step of the integrator is not solved.

    Returns
    -------
    RealizationFlow
        Loss and scale.

    Raises
    ------
    DomainError
        If an argument is out of range.
    ConvergenceError
        If a step of the integrator is not solved; the result is attached.

    Notes
    -----
    60 steps per decade of the warped time on two grids, and 20 for every factor e by which the loss falls, 25 ns per eigenvalue
    and step. Relative errors are below 1e-8, those of a loss that has fallen by a factor exp(y) below 1e-9 y where that is more;
    the estimates contain this growth, and losses below 1e-300 are not followed. Rates that differ by a small part r, but do differ,
    add 4e-15/r: late, their difference is what is left. `AccuracyWarning` if an estimate exceeds
    1e-6 of the loss or scale.

    References
    ----------
    .. [1] B. Bordelon, A. Atanasov, C. Pehlevan, "How feature learning can improve neural scaling laws", arXiv:2409.17858.

    Examples
    --------
    >>> found = realization_flow([0, 1, 100], [1.0, 0.1], [0.5, 0.5], richness=2, floor=0.01)
    >>> print(found.train_loss.round(6), found.scale.round(6))
    [1.01     0.420607 0.01    ] [1.       1.493876 3.854102]
    """
    checked = {
        "t": ordered("t", t),
        "richness": numbers("richness", richness, low=0.0),
        "depth": numbers("depth", depth, low=0.0, high=DEEPEST),
    }
    bounded("t", checked["t"], LONGEST, ", or inf for the limit")
    bounded("richness", checked["richness"], RICHEST)
    choice("on_failure", on_failure, ("raise", "return"))
    measure = _measure(eigenvalues, powers, floor)
    shape, (times, gammas, depths) = broadcast(checked)
    table = {
        name: np.zeros(times.size) for name in ("train_loss", "scale", "train_error", "scale_error")
    }
    efforts = []
    for gamma, m in np.unique(np.stack([gammas, depths], axis=1), axis=0).tolist():
        members = np.flatnonzero((gammas == gamma) & (depths == m))
        members = members[np.argsort(times[members], kind="stable")]
        late = np.isinf(times[members])
        table["train_loss"][members[late]] = measure.floor
        table["scale"][members[late]] = balanced_scale(gamma * measure.reach, m)
        members = members[~late]
        found = follow(measure, gamma, times[members], m)
        table["train_loss"][members], table["train_error"][members] = found.train, found.train_error
        table["scale"][members], table["scale_error"][members] = found.scale, found.scale_error
        efforts.append(found.effort(0.0, measure.start, 0.0))
    diagnostics = judgment(efforts)
    result = RealizationFlow(
        t=shaped(times, shape),
        richness=shaped(gammas, shape),
        depth=shaped(depths, shape),
        **{name: shaped(array, shape) for name, array in table.items()},
        diagnostics=diagnostics,
    )
    judged("realization_flow", result, diagnostics, on_failure)
    return result


def _measure(eigenvalues: ArrayLike, powers: ArrayLike, floor: float) -> Measure:
    rates = numbers("eigenvalues", eigenvalues, low=0.0)
    weights = numbers("powers", powers, low=0.0)
    rest = number("floor", floor, low=0.0)
    if rates.ndim != 1 or rates.shape != weights.shape or rates.size == 0:
        raise refusal(
            "eigenvalues",
            rates.shape,
            f"and powers must be two rows of the same length; got shapes {rates.shape} and "
            f"{weights.shape}",
            shown=False,
        )
    with np.errstate(over="ignore"):
        if not math.isfinite(rest + float(np.sum(weights))):
            raise refusal(
                "powers",
                None,
                "and floor add up to more than floating-point numbers hold",
                shown=False,
            )
    learned = rates > _SMALLEST * max(float(np.max(rates)), 1e-40)
    if not learned.any():
        raise refusal(
            "eigenvalues", eigenvalues, "must not all be 0: nothing would be learned", shown=False
        )
    return Measure(rates[learned], weights[learned], rest + float(np.sum(weights[~learned])), 0.0)
