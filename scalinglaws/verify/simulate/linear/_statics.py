"""Fits: draw features and samples, solve the linear system, look at the loss."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import linalg

from ....arguments import generator, number, numbers, whole, whole_or_inf
from ....errors import refusal
from ....solvers.spectra import Spectrum, one_spectrum
from .._problems import afford_draw, fill, listed, table
from ._records import SimulatedLosses

Array = NDArray[np.float64]


def random_feature_ridge(
    spectrum: Spectrum,
    *misplaced: object,
    samples: int,
    features: float = math.inf,
    ridge: ArrayLike = 0.0,
    noise_variance: float = 0.0,
    noise_draws: int = 1,
    draws: int = 1,
    rng: np.random.Generator | int = 0,
) -> SimulatedLosses:
    r"""Draw random-feature regressions and fit them.

    Each draw takes P Gaussian samples :math:`\psi` with variances :math:`\lambda_k`, labels
    :math:`y = w^*\cdot\psi + \sigma\epsilon`, an N x M Gaussian matrix A, and the readout v that minimizes
    :math:`\frac1P\|y - \Psi A^\top v/\sqrt N\|^2 + r|v|^2`.

    Parameters
    ----------
    spectrum : PowerLawSpectrum or EmpiricalSpectrum
        Finite spectrum of M modes.
    samples : int
        P >= 1.
    features : int or inf
        N >= 1; infinite for regression on the features :math:`\psi` themselves.
    ridge : array_like, shape () or (R,)
        r >= 0, in the normalization above; 0 for least squares, of least norm where N > P. Several are fitted to the same draws.
    noise_variance : float
        :math:`\sigma^2 \ge 0`.
    noise_draws : int
        Draws of the label noise for each draw of features and samples, over whose losses it averages.
    draws : int
        Independent repetitions.
    rng : Generator or int
        Source of randomness.

    Returns
    -------
    SimulatedLosses
        Test and train loss, shape (draws,), or (draws, R) for several ridges.

    Raises
    ------
    DomainError
        If a size is not a positive whole number, or the spectrum is infinite.
    ResourceError
        If one draw would need more than the memory budget (``SCALINGLAWS_MEMORY``, 4 GB by default).

    Notes
    -----
    Cholesky where the system is square and positive definite, QR for overdetermined least squares, singular values
    where either is close to singular: O(P M min(N, P)) per draw. Several ridges share the eigenvectors of the smaller Gram
    matrix, and cost O((M + P) min(N, P)) each, as do several draws of the noise.

    Examples
    --------
    >>> from scalinglaws.solvers import PowerLawSpectrum
    >>> random_feature_ridge(PowerLawSpectrum(1.5, 1.0, 50), samples=200, draws=3).test_loss < 1e-20
    array([ True,  True,  True])
    """
    one_spectrum(spectrum, *misplaced)
    eigenvalues, signal = listed(spectrum)
    samples, draws = whole("samples", samples), whole("draws", draws)
    repeats = whole("noise_draws", noise_draws)
    count = whole_or_inf("features", features)
    ridges, noise_variance = (
        numbers("ridge", ridge, low=0),
        number("noise_variance", noise_variance, low=0),
    )
    if ridges.ndim > 1 or ridges.size == 0:
        complaint = (
            f"must be a number or a non-empty one-dimensional array; got shape {ridges.shape}"
        )
        raise refusal("ridge", ridge, complaint, shown=False)
    afford_draw((samples + (count or 0)) * eigenvalues.size)
    afford_draw(3 * (samples + (count or 0) + eigenvalues.size) * ridges.size * repeats)
    source = generator(rng)
    scale, target = np.sqrt(eigenvalues), np.sqrt(signal / eigenvalues)

    test, train = table(2, draws, ridges.size)
    inputs = np.empty(
        (samples, eigenvalues.size)
    )  # one buffer for all draws: fresh memory would cost as much as the numbers in it
    for i in range(draws):
        fill(source, inputs)
        inputs *= scale
        noise = source.standard_normal((repeats, samples)).T
        labels = (inputs @ target)[:, None] + math.sqrt(noise_variance) * noise
        projection, hidden = None, inputs
        if count is not None:
            projection = np.empty((count, eigenvalues.size))
            fill(source, projection)
            projection /= math.sqrt(count)
            hidden = inputs @ projection.T
        # columns: every draw of the noise for the first ridge, then for the next one
        readouts = (
            _fit(hidden, labels, float(ridges))
            if ridges.ndim == 0
            else _fits(hidden, labels, ridges)
        )
        learned = readouts if projection is None else projection.T @ readouts
        missed = np.mean((np.tile(labels, ridges.size) - hidden @ readouts) ** 2, axis=0)
        train[i] = missed.reshape(ridges.size, repeats).mean(axis=1)
        lost = eigenvalues @ (target[:, None] - learned) ** 2
        test[i] = lost.reshape(ridges.size, repeats).mean(axis=1)
    shape = (draws, *ridges.shape)
    return SimulatedLosses(test.reshape(shape), train.reshape(shape))


def population_projection(
    spectrum: Spectrum,
    *misplaced: object,
    features: int,
    draws: int = 1,
    rng: np.random.Generator | int = 0,
) -> Array:
    r"""Draw random features and take the best predictor they allow, with unlimited data.

    .. math:: L = \min_v \sum_k \lambda_k \Big(w_k^* - \frac{(A^\top v)_k}{\sqrt N}\Big)^2

    Parameters
    ----------
    spectrum : PowerLawSpectrum or EmpiricalSpectrum
        Finite spectrum of M modes.
    features : int
        N, 1 <= N < M.
    draws : int
        Independent repetitions.
    rng : Generator or int
        Source of randomness.

    Returns
    -------
    ndarray, shape (draws,)
        One loss per draw.

    Raises
    ------
    DomainError
        If a size is not a positive whole number, N is not less than M, or the spectrum is infinite.
    ResourceError
        If one draw would need more than the memory budget (``SCALINGLAWS_MEMORY``, 4 GB by default).

    Notes
    -----
    The residual of an orthogonal projection, by QR: O(M N^2) per draw, accurate to 1e-15 of the signal's amplitude.
    """
    one_spectrum(spectrum, *misplaced)
    eigenvalues, signal = listed(spectrum)
    features, draws = whole("features", features), whole("draws", draws)
    if features >= eigenvalues.size:
        raise refusal(
            "features",
            features,
            f"must be less than the {eigenvalues.size} modes: as many features span them all",
        )
    afford_draw(2 * features * eigenvalues.size)
    source = generator(rng)
    scale, target = np.sqrt(eigenvalues), np.sqrt(signal)
    losses = table(draws)
    columns = np.empty((features + 1, eigenvalues.size))
    for i in range(draws):
        # triangularize the features with the target as a last column: what is left of it is its distance from their span
        fill(source, columns[:-1])
        columns[:-1] *= scale
        columns[-1] = target
        losses[i] = (
            linalg.lapack.dgeqrf(columns.T, lwork=64 * (features + 1), overwrite_a=1)[0][
                features, features
            ]
            ** 2
        )
    return losses


def _fit(inputs: Array, labels: Array, ridge: float) -> Array:
    """Minimize ``|labels - inputs v|^2 / P + ridge |v|^2`` for every column of labels; of least norm where that leaves a choice."""
    samples, columns = inputs.shape
    if ridge == 0 and columns <= samples:
        orthogonal, triangular = np.linalg.qr(inputs)
        if _well_conditioned(np.diag(triangular)):
            solution: Array = linalg.solve_triangular(triangular, orthogonal.T @ labels)
            return solution
        return _by_singular_values(inputs, labels, 0.0)
    wide = columns > samples
    gram = inputs @ inputs.T if wide else inputs.T @ inputs
    gram[np.diag_indices_from(gram)] += ridge * samples
    try:
        factor = linalg.cho_factor(gram, lower=True)
    except linalg.LinAlgError:
        return _by_singular_values(inputs, labels, ridge)
    if not _well_conditioned(np.diag(factor[0])):
        return _by_singular_values(inputs, labels, ridge)
    found: Array = (
        inputs.T @ linalg.cho_solve(factor, labels)
        if wide
        else linalg.cho_solve(factor, inputs.T @ labels)
    )
    return found


def _fits(inputs: Array, labels: Array, ridges: Array) -> Array:
    """Fit every column of labels with the first ridge, then with the next one."""
    samples, columns = inputs.shape
    wide = columns > samples
    values, vectors = np.linalg.eigh(inputs @ inputs.T if wide else inputs.T @ inputs)
    if not np.min(ridges) * samples > 1e-8 * values[-1]:  # squaring has cost digits that count
        return np.hstack([_fit(inputs, labels, float(ridge)) for ridge in ridges])
    right = labels if wide else inputs.T @ labels
    damped = (vectors.T @ right)[:, None] / (values[:, None] + ridges * samples)[..., None]
    found: Array = vectors @ damped.reshape(values.size, -1)
    return inputs.T @ found if wide else found


def _well_conditioned(diagonal: Array) -> bool:
    """Whether a triangular factor can be trusted to about ten digits less than working precision allows."""
    return bool(np.min(np.abs(diagonal)) > 1e-5 * np.max(np.abs(diagonal)))


def _by_singular_values(inputs: Array, labels: Array, ridge: float) -> Array:
    """Fit where the system is singular or nearly so: slower, and right."""
    left, values, right = linalg.svd(inputs, full_matrices=False)
    values[values < 1e-13 * values[0]] = 0.0
    damped = np.zeros_like(values)
    kept = values > 0
    damped[kept] = values[kept] / (values[kept] ** 2 + ridge * inputs.shape[0])
    solution: Array = right.T @ (damped[:, None] * (left.T @ labels))
    return solution
