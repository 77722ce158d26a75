"""A Gaussian process drawn from its posterior under any likelihood, by elliptical slices."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ....arguments import afford, choice, floats, generator, number, one_row, refuse_first, whole
from ....errors import ConvergenceError, refusal
from ....results import Diagnostics, Result, Status
from .._convergence import agreement, chain_sizes
from ._elliptical import walk
from ._potential import Potential, read_potential

Array = NDArray[np.float64]

_MATCHES = 20
_DEVIATIONS = 8.0  # of the prior, up to which a potential is tabulated


@dataclass(frozen=True, kw_only=True)
class LikelihoodSample(Result):
    r"""Modes of a Gaussian process drawn from a posterior, in several chains.

    Attributes
    ----------
    modes : ndarray, shape (chains, draws, M)
        Means of the leading modes given the function's values on the data, which are what is drawn: their mean over draws is the
        posterior mean, and their variance lacks that of what the data do not touch.
    energies : ndarray, shape (chains, draws)
        :math:`\sum_\mu V(f_\mu - y_\mu)`.
    means, standard_error : ndarray, shape (M,)
        Posterior means of the modes, and their standard errors.
    variances : ndarray, shape (M,)
        Posterior variances of the modes, all of them.
    effective_size, r_hat : ndarray, shape (M,)
        Effective number of draws and split R-hat of each mode.
    stiffness : float
        :math:`\rho` of the Gaussian likelihood :math:`e^{-\rho\Delta^2}` around whose posterior ellipses are drawn.
    farthest : float
        Largest residual of all draws.
    diagnostics : Diagnostics
        `residual` is the largest R-hat minus one, of energy and modes, `iterations` the number of evaluations.
    """

    modes: Array
    energies: Array
    means: Array
    standard_error: Array
    variances: Array
    effective_size: Array
    r_hat: Array
    stiffness: float
    farthest: float
    diagnostics: Diagnostics


def sample_likelihood(
    features: ArrayLike,
    targets: ArrayLike,
    *,
    eigenvalues: ArrayLike,
    couplings: ArrayLike | None = None,
    potential: Callable[[Array], Any] | None = None,
    reach: float | None = None,
    modes: int | None = None,
    chains: int = 4,
    draws: int = 1000,
    warmup: int = 200,
    thinning: int = 1,
    rng: np.random.Generator | int,
    on_failure: str = "raise",
) -> LikelihoodSample:
    r"""Draw the modes of a Gaussian process from their posterior under a likelihood of any shape.

    .. math::

        p(f) \propto \exp\Big[-\sum_k \frac{f_k^2}{2\lambda_k} - \sum_{\mu \le P} V(f(x_\mu) - y_\mu)\Big], \qquad
        f(x) = \sum_k f_k \phi_k(x), \qquad V(\Delta) = c_1\Delta^2 + c_2\Delta^4 + \dots

    Parameters
    ----------
    features : array_like, shape (P, K)
        :math:`\phi_k(x_\mu)`.
    targets : array_like, shape (P,)
        y.
    eigenvalues : array_like, shape (K,)
        :math:`\lambda_k > 0`.
    couplings : array_like, shape (J,), optional
        :math:`c_1, c_2, \dots`, the last one positive, or all zero.
    potential : callable, optional
        V of an array of residuals, in place of `couplings`.
    reach : float, optional
        The potential is tabulated for residuals between -reach and reach; by default up to the largest target and eight standard
        deviations of the prior.
    modes : int, optional
        M, leading modes that are recorded; all by default.
    chains : int
        Independent chains, >= 2, which start from the prior.
    draws : int
        Of each chain that are kept, >= 4.
    warmup : int
        Moves of each chain before that.
    thinning : int
        Moves per draw.
    rng : Generator or int
        Source of randomness; each chain takes a stream spawned from it.
    on_failure : {"raise", "return"}
        What to do if chains do not agree.

    Returns
    -------
    LikelihoodSample
        Posterior means of modes with their standard errors, and what tells whether the chains converged.

    Raises
    ------
    DomainError
        If an argument is out of range, shapes do not match, or the potential cannot be tabulated.
    ConvergenceError
        If split R-hat exceeds 1.1 for the energy or a mode, one of these has less than ten effective draws for each chain, or a
        residual leaves the table; with the result attached.
    ResourceError
        If the result would need more than the memory budget (``SCALINGLAWS_MEMORY``, 4 GB by default).

    Notes
    -----
    Elliptical slice sampling has no step size. Two exact steps make it fast. Only as many directions as there are data, or modes,
    reach the likelihood; the rest is Gaussian and is not drawn. And the Gaussian whose ellipses are followed is the posterior under
    :math:`e^{-\rho\Delta^2}`, with :math:`\rho` half the mean curvature of V there, so that only :math:`V - \rho\Delta^2` is left to
    the slices: draws are independent if V is a parabola, whatever :math:`\rho`. A table has 1024 cubic pieces, and beyond its ends the
    parabola that continues it; it is refused where it errs by more than 1e-5 of its range between nodes. A move takes
    :math:`\min(K, P) P` operations and some evaluations of P potentials: 3 microseconds at P = 24.

    References
    ----------
    .. [1] I. Murray, R. P. Adams, D. J. C. MacKay, "Elliptical slice sampling", AISTATS 2010, arXiv:1001.0175.

    Examples
    --------
    >>> found = sample_likelihood([[1.0], [1.0]], [1.0, 2.0], eigenvalues=[1.0], couplings=[0.5], rng=0)
    >>> abs(found.means[0] - 1.0) < 4 * found.standard_error[0]  # the mean is 3/(1 + 2)
    np.True_
    """
    phi, y, spectrum = _data(features, targets, eigenvalues)
    size, count = phi.shape
    kept = count if modes is None else whole("modes", modes, high=count)
    runs, length = chain_sizes(chains, draws)
    before, moves = whole("warmup", warmup, low=0), whole("thinning", thinning)
    choice("on_failure", on_failure, ("raise", "return"))
    rank = min(size, count)
    afford(
        float(runs) * length * (rank + kept + size) + 4.0 * rank * (size + count),
        "the chains",
        "use fewer chains, draws, modes or samples",
    )
    scale = np.sqrt(spectrum)
    design = (phi * scale).T
    basis = np.eye(count)
    if count > size:  # the data touch no more directions
        basis, design = np.linalg.qr(design)
    prior = np.sum(design**2, axis=0)
    widest = float(np.max(np.abs(y)) + _DEVIATIONS * np.sqrt(prior.max()))
    end = widest if reach is None else number("reach", reach, low=0, strict=True)
    law = read_potential(couplings, potential, end)

    lengths, axes = np.linalg.eigh(design @ design.T)
    along = axes.T @ design
    stiffness = _matched(law, along, np.maximum(lengths, 0.0), y)
    shrunk = 1 / (1 + 2 * stiffness * np.maximum(lengths, 0.0))
    center = 2 * stiffness * shrunk * (along @ y)
    across = np.ascontiguousarray(np.sqrt(shrunk)[:, None] * along)
    left, rest = y - center @ along, law.less(stiffness)
    positions, evaluations = np.empty((runs, length, rank)), 0
    for i, stream in enumerate(generator(rng).spawn(runs)):
        start = (stream.standard_normal(rank) - center) / np.sqrt(shrunk)
        given = (rest.couplings, rest.pieces, rest.reach)
        evaluations += walk(stream, start, across, left, *given, before, moves, positions[i])
    residuals = positions @ across - left
    farthest = float(np.max(np.abs(residuals)))
    turned = (scale[:, None] * (basis @ axes))[:kept]
    drawn = (center + np.sqrt(shrunk) * positions) @ turned.T
    energies = law(residuals).sum(axis=-1)
    unseen = spectrum[:kept] - np.sum(turned**2, axis=1)
    scalars = {"energy": energies, **{f"mode {k + 1}": drawn[..., k] for k in range(kept)}}
    agreed = agreement(scalars)
    names = list(scalars)[1:]
    beyond = farthest > end and potential is not None
    status = Status.LOST_ACCURACY if beyond else agreed.status
    result = LikelihoodSample(
        modes=drawn,
        energies=energies,
        means=drawn.mean(axis=(0, 1)),
        standard_error=np.array([agreed.standard_error[key] for key in names]),
        variances=drawn.var(axis=(0, 1)) + np.maximum(unseen, 0.0),
        effective_size=np.array([agreed.effective_size[key] for key in names]),
        r_hat=np.array([agreed.r_hat[key] for key in names]),
        stiffness=stiffness,
        farthest=farthest,
        diagnostics=Diagnostics(
            status, agreed.residual, evaluations, "elliptical slice sampling", agreed.error_estimate
        ),
    )
    if not status.ok and on_failure == "raise":
        told = (
            f"residuals reach {farthest:.3g}, beyond the table of the potential; use a larger reach"
        )
        raise ConvergenceError(
            f"sample_likelihood: {told if beyond else agreed.complaint}, or on_failure='return'",
            result=result,
        )
    return result


def _data(
    features: ArrayLike, targets: ArrayLike, eigenvalues: ArrayLike
) -> tuple[Array, Array, Array]:
    phi, y = floats("features", features), floats("targets", targets)
    spectrum = one_row("eigenvalues", eigenvalues, low=0, strict=True)
    if phi.ndim != 2 or not phi.size or phi.shape != (y.size, spectrum.size) or y.ndim != 1:
        raise refusal(
            "features",
            phi.shape,
            f"features, targets and eigenvalues must have shapes (P, K), (P,) and (K,); got {phi.shape}, {y.shape} and {spectrum.shape}",
            named=False,
        )
    for name, values in (("features", phi), ("targets", y)):
        refuse_first(name, values, ~np.isfinite(values), "must be finite")
    return phi, y, spectrum


def _matched(law: Potential, along: Array, lengths: Array, y: Array) -> float:
    """Return the stiffness of the Gaussian likelihood whose posterior sees half of it as the mean curvature of the potential."""
    stiffness = 0.0
    for _ in range(_MATCHES):
        shrunk = 1 / (1 + 2 * stiffness * lengths)
        residuals = (2 * stiffness * shrunk * (along @ y)) @ along - y
        variances = np.maximum(shrunk @ along**2, 1e-12)
        found = max(law.stiffness(residuals, variances), 0.0)
        stiffness = found if stiffness == 0 else float(np.sqrt(found * stiffness))
    return stiffness
