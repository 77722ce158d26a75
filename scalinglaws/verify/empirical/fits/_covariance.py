"""Covariance of a fit without the assumption that all residuals have one variance."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ....arguments import instance
from ....errors import DataError, refusal
from ._record import Fit

Array = NDArray[np.float64]

_TO_SD = 1.4826  # median absolute deviation of a normal variable -> standard deviation
_SINGULAR = 1e14  # condition from which on a matrix has no inverse


def robust_deviation(residuals: Array) -> float:
    r"""Return :math:`1.4826\,\mathrm{med}|r - \mathrm{med}\,r|`, the standard deviation of normal residuals.

    Examples
    --------
    >>> robust_deviation(np.array([-1.0, 0.0, 1.0, 2.0, 100.0]))
    1.4826
    """
    return _TO_SD * float(np.median(np.abs(residuals - np.median(residuals))))


def smooth_enough(fit: Fit, what: str) -> None:
    """Refuse a fit without data, and one whose threshold lies below the scatter of its residuals: its objective has edges, no curvature.

    Parameters
    ----------
    fit : Fit
        To be used.
    what : str
        What needs the curvature.

    Raises
    ------
    DomainError
        If there are no data.
    DataError
        If delta is below the robust standard deviation of the residuals.
    """
    instance("fit", fit, Fit)
    if not len(fit):
        raise refusal(
            "fit", None, f"has no data: {what} needs the runs that were fitted", named=False
        )
    scatter = robust_deviation(fit.residuals[fit.row_weights > 0])
    if fit.delta < scatter:
        raise DataError(
            f"{what} needs a threshold of at least the residuals' scatter, {scatter:.2g}; this fit has delta = {fit.delta:.2g}, where the "
            "objective is one of absolute deviations: use bootstrap intervals, or fit with the default delta"
        )


def influence(fit: Fit) -> tuple[Array, Array]:
    r"""Return :math:`w\psi` of all points, and the curvature weights :math:`w 1_{|r|<\delta}`, each of shape (n,)."""
    weights = np.where(fit.residuals > 0, fit.envelope, 1.0) * fit.row_weights
    inside = np.abs(fit.residuals) < fit.delta
    return weights * np.clip(fit.residuals, -fit.delta, fit.delta), weights * inside


def sandwich_covariance(fit: Fit) -> Array:
    r"""Return the sandwich covariance of a fit's coordinates.

    .. math:: B^{-1} M B^{-1}, \quad B = \sum_i w_i 1_{|r_i|<\delta} J_i J_i^T, \quad
              M = \sum_i w_i^2 \psi_i^2 J_i J_i^T, \quad \psi = \mathrm{clip}(r, \pm\delta)

    Points of one run are added before they are squared.

    Parameters
    ----------
    fit : Fit
        To data, with a threshold of at least the scatter of its residuals (1.4826 median absolute deviations), as the default has.

    Returns
    -------
    ndarray, shape (p, p)
        Zeros for fixed coordinates. Valid whether or not all residuals have one variance; no weights enter but those of the fit.

    Raises
    ------
    DomainError
        If the fit has no data.
    DataError
        If delta is too small, or the parameters cannot be told apart.

    References
    ----------
    .. [1] P. J. Huber, *The behavior of maximum likelihood estimates under nonstandard conditions*, Proc. Fifth Berkeley Symp. 1
       (1967), 221-233.

    Examples
    --------
    >>> from scalinglaws.verify import empirical
    >>> found = empirical.fit("surface", empirical.example_runs("synthetic"), bootstrap=0)
    >>> deviations = np.sqrt(np.diag(sandwich_covariance(found)))
    >>> [round(float(value), 4) for value in deviations[3:]]  # of a and b
    [0.00..., 0.00...]
    """
    smooth_enough(fit, "the sandwich covariance")
    free = fit.free
    jacobian = fit.jacobian[:, free]
    pull, inside = influence(fit)
    scores = jacobian * pull[:, None]
    if fit.run is not None:
        _, member = np.unique(fit.run, return_inverse=True)
        together = np.zeros((int(member.max()) + 1, scores.shape[1]))
        np.add.at(together, member, scores)
        scores = together
    size = np.linalg.norm(jacobian * np.sqrt(inside)[:, None], axis=0)
    if not np.all(size > 0):
        raise _degenerate()
    scaled = jacobian * np.sqrt(inside)[:, None] / size
    bread = scaled.T @ scaled
    if np.linalg.cond(bread) > _SINGULAR:
        raise _degenerate()
    half = np.linalg.solve(bread, (scores / size).T)
    found = np.zeros((free.size, free.size))
    found[np.ix_(free, free)] = half @ half.T / np.outer(size, size)
    return found


def _degenerate() -> DataError:
    return DataError(
        "the sandwich covariance does not exist: the parameters cannot be told apart by these runs; see identifiability"
    )
