"""Gradient flow of the projected model, one draw at a time."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ....arguments import generator, number, ordered, whole, whole_or_inf
from ....errors import refusal
from ....solvers.spectra import Spectrum, one_spectrum
from .._problems import Population, Regression, afford_draw, listed, problems, table
from ._integrator import checked_tolerance, integrate
from ._records import KernelSpectrum, SimulatedTraining

Array = NDArray[np.float64]


def gradient_flow(
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
    r"""Draw projected linear networks and train both of their layers by gradient flow.

    The student is :math:`f = \frac1N w\cdot A\psi` with an N x M matrix that starts at independent standard normal entries
    :math:`A_0`, and a readout that starts at zero. With the error vector :math:`v^0 = w^* - \frac1N A^\top w`

    .. math:: \dot w = A v^1, \qquad \dot A = \gamma\, w\, (v^3)^\top, \qquad v^1 = \hat\Lambda v^0, \quad
              v^3 = \tfrac1N A_0^\top A_0 v^1, \qquad L(t) = \sum_k \lambda_k v^0_k(t)^2,

    where :math:`\hat\Lambda = \frac1P\Psi^\top\Psi`, and label noise adds :math:`\frac1P\Psi^\top\epsilon` to :math:`v^1`.

    Parameters
    ----------
    t : array_like, shape () or (T,)
        Times, finite, >= 0 and non-decreasing, in units of learning rate times steps.
    spectrum : PowerLawSpectrum or EmpiricalSpectrum
        Finite spectrum of M modes, eigenvalues :math:`\lambda_k`.
    features : int or inf
        N >= 1; infinite for :math:`\frac1N A_0^\top A_0 = 1`.
    richness : float
        :math:`\gamma \ge 0`, the learning rate of A over that of w; 0 for features that stay as they are.
    samples : int or inf
        P >= 1, the same ones all along; infinite for :math:`\hat\Lambda = \mathrm{diag}(\lambda_k)`.
    noise_variance : float
        :math:`\sigma^2 \ge 0`, of the labels.
    draws : int
        Independent repetitions. Draw i is the same however many are asked for, and it is the one that
        `scalinglaws.verify.simulate.linear.gradient_flow` and `kernel_spectrum` make.
    rng : Generator or int
        Source of randomness; each draw takes a stream spawned from it.
    tolerance : float
        Error that a step may make, relative to the readout's length and to the labels' amplitude; between 1e-13 and 1e-2.

    Returns
    -------
    SimulatedTraining
        Test and train loss and the kernel scale :math:`s = 1 + \gamma|w|^2/N`, shape (draws, T), or (draws,) for a single
        time. With infinite P the train loss is the test loss plus :math:`\sigma^2`.

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
    The rows of A never leave those of :math:`A_0`, so :math:`A = BA_0` with an N x N matrix B; in the eigenvectors of
    :math:`A_0\hat\Lambda A_0^\top/N` all but r = min(N, M, P) of its dimensions stand still. What is integrated is w and this
    r x r matrix, in time as it is, by the method of Dormand and Prince of order 8 with steps adapted to `tolerance`. As
    :math:`\dot B` has rank one, stages of a step are vectors, and B is formed once per step.

    Explicit steps are no longer than about :math:`6/(s x_1)` where :math:`x_1 \approx \lambda_1 (1 + N^{-1/2})^2` is the largest
    eigenvalue: about :math:`s x_1 t/6` steps of :math:`50 r^2` operations, and s may grow with t. A thousand steps take 0.02
    seconds at r = 30 and 0.1 at r = 100. Measured over 64 runs up to t = 1000, s up to several tens: :math:`\sqrt L` is off by no
    more than 2 `tolerance` :math:`\sqrt{L(0)}`, s by no more than 6 `tolerance` s.

    References
    ----------
    .. [1] B. Bordelon, A. Atanasov, C. Pehlevan, "How feature learning can improve neural scaling laws", arXiv:2409.17858.
    .. [2] E. Hairer, S. P. Norsett, G. Wanner, *Solving Ordinary Differential Equations I*, section II.10.

    Examples
    --------
    >>> from scalinglaws.solvers import PowerLawSpectrum
    >>> spectrum = PowerLawSpectrum(1.5, 0.5, 40)
    >>> lazy, rich = (gradient_flow([0, 10], spectrum, features=200, richness=gamma) for gamma in (0, 1))
    >>> rich.test_loss < lazy.test_loss
    array([[False,  True]])
    >>> lazy.kernel_scale
    array([[1., 1.]])
    """
    one_spectrum(spectrum, t=t)
    eigenvalues, signal = listed(spectrum)
    times = finite_times(t)
    features_, samples_, draws = (
        whole_or_inf("features", features),
        whole_or_inf("samples", samples),
        whole("draws", draws),
    )
    richness, noise_variance = (
        number("richness", richness, low=0),
        number("noise_variance", noise_variance, low=0),
    )
    tolerance = checked_tolerance(tolerance)
    rank = min(eigenvalues.size, features, samples)
    afford_draw(3.0 * rank**2 + 3.0 * times.size * rank)
    found = table(3, draws, times.size)
    drawn = problems(
        generator(rng), draws, eigenvalues, signal, features_, samples_, noise_variance
    )
    for i, problem in enumerate(drawn):
        rates, amplitudes = problem.rates, amplitudes_of(problem)
        learned, squares, _, _ = integrate(
            times.reshape(-1),
            np.eye(rates.size),
            rates,
            np.sqrt(rates) * amplitudes,
            richness,
            tolerance,
        )
        found[:2, i] = problem.losses_of(learned)
        found[2, i] = 1 + richness * squares
    return SimulatedTraining(*found.reshape(3, draws, *times.shape))


def kernel_spectrum(
    spectrum: Spectrum,
    *misplaced: object,
    features: float = math.inf,
    samples: float = math.inf,
    noise_variance: float = 0.0,
    rng: np.random.Generator | int = 0,
) -> KernelSpectrum:
    r"""Draw a projected linear network and diagonalize its kernel at initialization.

    With :math:`S_0 = \frac1N A_0^\top A_0` and :math:`\hat\Lambda = \frac1P\Psi^\top\Psi`

    .. math:: K = \hat\Lambda^{1/2} S_0 \hat\Lambda^{1/2} = \sum_j x_j u_j u_j^\top, \qquad
              \mu_j = \big(u_j\cdot\hat\Lambda^{1/2} w^*\big)^2, \qquad \mathrm{floor} = |\hat\Lambda^{1/2} w^*|^2 - \sum_j \mu_j .

    Parameters
    ----------
    spectrum : PowerLawSpectrum or EmpiricalSpectrum
        Finite spectrum of M modes.
    features : int or inf
        N >= 1; infinite for :math:`S_0 = 1`.
    samples : int or inf
        P >= 1; infinite for :math:`\hat\Lambda = \mathrm{diag}(\lambda_k)`.
    noise_variance : float
        :math:`\sigma^2 \ge 0`. With noisy labels y, :math:`\mu_j` and the floor are shares of :math:`|y|^2/P` along eigenvectors
        of the P x P Gram matrix, which has the same eigenvalues; with infinite P the floor contains :math:`\sigma^2`.
    rng : Generator or int
        Source of randomness. The realization is draw 0 of `gradient_flow` with the same seed; calls with one Generator give
        its draws in turn.

    Returns
    -------
    KernelSpectrum
        Eigenvalues x in decreasing order, those of rank zero left out, powers :math:`\mu`, and the floor.

    Raises
    ------
    DomainError
        If an argument is out of range, or the spectrum is infinite.
    ResourceError
        If the draw would need more than the memory budget (``SCALINGLAWS_MEMORY``, 4 GB by default).

    Notes
    -----
    O(P M N + P N min(N, P)), or O(M N min(M, N)) where P is infinite. Relative accuracy about 1e-10; eigenvalues below 1e-26 of
    the largest one count as zero.

    Examples
    --------
    >>> from scalinglaws.solvers import PowerLawSpectrum
    >>> found = kernel_spectrum(PowerLawSpectrum(1.5, 1.0, 50), features=10)
    >>> found.eigenvalues.shape
    (10,)
    >>> loss = gradient_flow(0, PowerLawSpectrum(1.5, 1.0, 50), features=10, richness=1).train_loss[0]
    >>> bool(abs(found.floor + found.powers.sum() - loss) < 1e-12)
    True
    """
    one_spectrum(spectrum, *misplaced)
    eigenvalues, signal = listed(spectrum)
    features_, samples_ = whole_or_inf("features", features), whole_or_inf("samples", samples)
    noise_variance = number("noise_variance", noise_variance, low=0)
    problem = next(
        problems(generator(rng), 1, eigenvalues, signal, features_, samples_, noise_variance)
    )
    powers = amplitudes_of(problem) ** 2
    floor = (
        problem.floor + noise_variance
        if isinstance(problem, Population)
        else problem.rest / problem.samples
    )
    order = np.argsort(-problem.rates, kind="stable")
    order = order[problem.rates[order] > 0]
    return KernelSpectrum(
        problem.rates[order], powers[order], float(floor + np.sum(powers[problem.rates == 0]))
    )


def amplitudes_of(problem: Population | Regression) -> Array:
    """Return the target's components along the kernel's eigenvectors, in units of the loss."""
    return (
        problem.amplitudes
        if isinstance(problem, Population)
        else problem.labels / math.sqrt(problem.samples)
    )


def finite_times(t: ArrayLike) -> Array:
    """Return times at which something can be recorded."""
    times = ordered("t", t, single_row=True)
    last = times.reshape(-1)[-1]
    if last == math.inf:
        raise refusal("t", math.inf, "cannot be reached step by step; give finite times")
    return times
