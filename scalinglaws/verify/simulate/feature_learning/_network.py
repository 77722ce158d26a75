"""Gradient flow of a linear network of two layers, one draw at a time."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ....arguments import generator, number, whole, whole_or_inf
from ....solvers.spectra import Spectrum, one_spectrum
from .._problems import afford_draw, fill, listed, table
from ._flow import finite_times
from ._integrator import checked_tolerance, integrate
from ._records import SimulatedTraining

Array = NDArray[np.float64]


def network_flow(
    t: ArrayLike,
    spectrum: Spectrum,
    *,
    features: float = math.inf,
    richness: float,
    samples: float = math.inf,
    noise_variance: float = 0.0,
    draws: int = 1,
    rng: np.random.Generator | int = 0,
    tolerance: float = 1e-9,
) -> SimulatedTraining:
    r"""Draw linear networks of two layers and train both by gradient flow.

    The student is :math:`f = \frac1N w\cdot A\psi`; A is N x M and starts at independent standard normal entries, w at zero, and
    both follow the negative gradient of the mean squared error. With :math:`v^0 = w^* - \frac1N A^\top w`

    .. math:: \dot w = A v^1, \qquad \dot A = \gamma\, w\, (v^1)^\top, \qquad v^1 = \hat\Lambda v^0, \qquad
              L(t) = \sum_k \lambda_k v^0_k(t)^2,

    where :math:`\hat\Lambda = \frac1P\Psi^\top\Psi`, and label noise adds :math:`\frac1P\Psi^\top\epsilon` to :math:`v^1`.

    Parameters
    ----------
    t : array_like, shape () or (T,)
        Times, finite, >= 0 and non-decreasing, in units of learning rate times steps.
    spectrum : PowerLawSpectrum or EmpiricalSpectrum
        Finite spectrum of M modes, eigenvalues :math:`\lambda_k`.
    features : int or inf
        N >= 1, the width; infinite for :math:`\frac1N A(0)^\top A(0) = 1`.
    richness : float
        :math:`\gamma \ge 0`, the learning rate of A over that of w; 0 for a first layer that stays as it is.
    samples : int or inf
        P >= 1, the same ones all along; infinite for :math:`\hat\Lambda = \mathrm{diag}(\lambda_k)`.
    noise_variance : float
        :math:`\sigma^2 \ge 0`, of the labels.
    draws : int
        Independent repetitions. Draw i is the same however many are asked for, and it is the one that `gradient_flow` makes.
    rng : Generator or int
        Source of randomness; each draw takes a stream spawned from it.
    tolerance : float
        Error that a step may make, relative to the readout's length and to the labels' amplitude; between 1e-13 and 1e-2.

    Returns
    -------
    SimulatedTraining
        Test and train loss and :math:`s = 1 + \gamma|w|^2/N`, shape (draws, T), or (draws,) for a single time. With infinite P
        the train loss is the test loss plus :math:`\sigma^2`.

    Raises
    ------
    DomainError
        If an argument is out of range, times decrease or are infinite, or the spectrum is infinite.
    ResourceError
        If one draw would need more than the memory budget (``SCALINGLAWS_MEMORY``, 4 GB by default) or about ten minutes.
    ConvergenceError
        If steps become too small for double precision.

    Notes
    -----
    The readout never leaves the column space of A(0), so n = min(N, M) of its components are followed, and the n x M matrix
    that maps inputs to them; inputs are rotated to the eigenvectors of :math:`\hat\Lambda`, of which those never seen stand still.
    Method, length of steps and accuracy are those of `gradient_flow`, at :math:`50 n M` operations per step.

    References
    ----------
    .. [1] B. Bordelon, A. Atanasov, C. Pehlevan, "How feature learning can improve neural scaling laws", arXiv:2409.17858.

    Examples
    --------
    >>> from scalinglaws.solvers import PowerLawSpectrum
    >>> spectrum = PowerLawSpectrum(1.5, 1.0, 30)
    >>> lazy, rich = (network_flow(200, spectrum, features=10, richness=gamma) for gamma in (0, 1))
    >>> rich.test_loss < 0.05 * lazy.test_loss  # features that move are not stuck with ten directions
    array([ True])
    """
    one_spectrum(spectrum, t=t)
    eigenvalues, signal = listed(spectrum)
    times = finite_times(t)
    count, batch, draws = (
        whole_or_inf("features", features),
        whole_or_inf("samples", samples),
        whole("draws", draws),
    )
    richness, noise_variance = (
        number("richness", richness, low=0),
        number("noise_variance", noise_variance, low=0),
    )
    tolerance = checked_tolerance(tolerance)
    modes = eigenvalues.size
    rows = min(count or modes, modes)
    afford_draw(
        ((count or 0) + 3.0 * rows + 3.0 * times.size) * modes
        + (0.0 if batch is None else (2.0 * batch + modes) * modes)
    )
    scale, target = np.sqrt(eigenvalues), np.sqrt(signal / eigenvalues)
    source = generator(rng)
    found = table(3, draws, times.size)
    for i in range(draws):
        stream = source.spawn(1)[0]
        # the order of random numbers is that of the projected model
        if batch is None:
            rates, drive, turned, rest = eigenvalues, eigenvalues * target, None, noise_variance
        else:
            rates, drive, turned, rest = _sampled(stream, batch, scale, target, noise_variance)
        start = np.eye(modes) if count is None else _layer(stream, count, modes)
        if turned is not None:
            start = np.ascontiguousarray(start @ turned)
        learned, squares, _, _ = integrate(
            times.reshape(-1), start, rates, drive, richness, tolerance
        )
        # what is learned along directions without data counts for the test loss alone
        seen = rates > 0
        roots = np.sqrt(rates[seen])[:, None]
        train = rest + np.sum((drive[seen, None] / roots - roots * learned[seen]) ** 2, axis=0)
        error = target[:, None] - (learned if turned is None else turned @ learned)
        found[:, i] = np.sum(eigenvalues[:, None] * error**2, axis=0), train, 1 + richness * squares
    return SimulatedTraining(*found.reshape(3, draws, *times.shape))


def _layer(rng: np.random.Generator, features: int, modes: int) -> Array:
    """Draw the first layer over the square root of N; return it in an orthonormal basis of its columns."""
    layer = np.empty((features, modes))
    fill(rng, layer)
    layer /= math.sqrt(features)
    return layer if features <= modes else np.asarray(np.linalg.qr(layer, mode="r"))


def _sampled(
    rng: np.random.Generator, samples: int, scale: Array, target: Array, noise_variance: float
) -> tuple[Array, Array, Array, float]:
    """Draw samples; return eigenvalues of their covariance, the drive along eigenvectors, these, and what no weights can fit."""
    inputs = np.empty((samples, scale.size))
    fill(rng, inputs)
    inputs *= scale
    labels = inputs @ target + math.sqrt(noise_variance) * rng.standard_normal(samples)
    left, values, right = np.linalg.svd(inputs, full_matrices=samples < scale.size)
    left, values = left[:, : values.size], values / math.sqrt(samples)
    along = left.T @ labels / math.sqrt(samples)
    rates, drive = np.zeros(scale.size), np.zeros(scale.size)
    rates[: values.size], drive[: values.size] = values**2, values * along
    outside = labels / math.sqrt(samples) - left @ along
    return rates, drive, right.T, float(outside @ outside)
