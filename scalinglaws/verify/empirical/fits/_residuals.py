"""What residuals of a fit still depend on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from ._record import Fit

Array = NDArray[np.float64]

_RANK = 1e-8  # share of a column's length below which the law has it already


def residual_trends(fit: Fit) -> dict[str, float]:
    r"""Test whether residuals depend on the variables, and on D/N, in ways that the law has no parameters for.

    Of :math:`z = \ln x` and :math:`z^2`, what is orthogonal to the gradients of the law is put beside them:
    :math:`F = (|Q^\top \psi|^2 / k) / ((|\psi|^2 - |Q^\top \psi|^2) / (n - p - k))` with residuals :math:`\psi` cut off at delta, an
    orthonormal basis :math:`Q` of these k columns, and p fitted parameters.

    Parameters
    ----------
    fit : Fit
        To data.

    Returns
    -------
    dict of str to float
        p-values by variable; those that the law or the number of points leaves nothing to test of are absent.

    Examples
    --------
    >>> from scalinglaws.verify import empirical
    >>> found = residual_trends(empirical.fit("surface", empirical.example_runs("synthetic"), bootstrap=0))
    >>> sorted(found), min(found.values()) > 0.01
    (['D', 'D/N', 'N'], True)
    """
    from scipy.stats import f as f_distribution

    used = fit.row_weights > 0
    root = np.sqrt(fit.row_weights[used])
    psi = np.clip(fit.residuals[used], -fit.delta, fit.delta) * root
    known = _basis(fit.jacobian[np.ix_(used, fit.free)] * root[:, None])
    psi = psi - known @ (known.T @ psi)
    found = {}
    for name, values in quantities(fit.columns).items():
        z = np.log(values[used])
        z = z - z.mean()
        added = np.column_stack((z, z**2)) * root[:, None]
        length = np.linalg.norm(added, axis=0)
        if not np.all(length > 0):
            continue
        rest = added / length
        for _ in range(2):  # once more against rounding
            rest = rest - known @ (known.T @ rest)
        more = _basis(rest, _RANK)
        k = more.shape[1]
        left = psi.size - known.shape[1] - k
        if k == 0 or left < 1:
            continue
        explained = float(np.sum((more.T @ psi) ** 2))
        rest_of = float(np.sum(psi**2)) - explained
        ratio = np.inf if rest_of <= 0 else (explained / k) / (rest_of / left)
        found[name] = float(f_distribution.sf(ratio, k, left))
    return found


def quantities(columns: Mapping[str, Array]) -> dict[str, Array]:
    """Return the variables of a law, and D/N where it has both."""
    found = dict(columns)
    if "N" in found and "D" in found:
        found["D/N"] = found["D"] / found["N"]
    return found


def skewness(fit: Fit) -> float:
    """Return the skewness of the residuals; 0 where all are equal."""
    residuals = fit.residuals[fit.row_weights > 0]
    if not residuals.size or np.ptp(residuals) == 0:
        return 0.0
    centered = residuals - residuals.mean()
    return float(np.mean(centered**3) / np.mean(centered**2) ** 1.5)


def _basis(columns: Array, least: float = 1e-12) -> Array:
    """Return an orthonormal basis of the columns' space; what is shorter than `least` (of the longest, at least 1) is nothing."""
    left, lengths, _ = np.linalg.svd(columns, full_matrices=False)
    if not lengths.size:
        return left
    scale = lengths[0] if least < _RANK else 1.0
    return np.asarray(left[:, lengths > least * scale])
