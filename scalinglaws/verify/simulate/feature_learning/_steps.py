"""Training of the projected model in steps: on fresh batches, or on the same samples again and again."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ....arguments import generator, number, numbers, ordered, whole, whole_or_inf
from ....errors import refusal
from ....solvers._jit import njit
from ....solvers.spectra import Spectrum, one_spectrum
from .._problems import Population, Regression, afford_draw, listed, problems_and_streams, table
from ._records import SimulatedTraining

Array = NDArray[np.float64]

_DIVERGED = 1e280  # squared amplitudes that can still be multiplied by a rate


def online_sgd(
    steps: ArrayLike,
    spectrum: Spectrum,
    *,
    features: float = math.inf,
    batch: int,
    learning_rate: float,
    richness: float,
    initial_variance: float = 0.0,
    noise_variance: float = 0.0,
    replicas: int = 1,
    draws: int = 1,
    rng: np.random.Generator | int = 0,
) -> SimulatedTraining:
    r"""Draw projected linear networks and train both layers by stochastic gradient descent on samples that are never seen again.

    The student is :math:`f = \frac1N w\cdot A\psi` with an N x M matrix that starts at independent standard normal entries
    :math:`A_0`. With the error vector :math:`v^0 = w^* - \frac1N A^\top w` and B fresh samples :math:`\Psi_t` at every step

    .. math:: w_{t+1} - w_t = \eta A_t v^1_t, \quad A_{t+1} - A_t = \eta\gamma\, w_t\, (v^3_t)^\top, \quad
              v^1 = \tfrac1B \Psi^\top(\Psi v^0 + \epsilon), \quad v^3 = \tfrac1N A_0^\top A_0 v^1, \quad L = \sum_k \lambda_k (v^0_k)^2 .

    Parameters
    ----------
    steps : array_like of int, shape () or (T,)
        Numbers of steps t after which losses are recorded, >= 0 and non-decreasing.
    spectrum : PowerLawSpectrum or EmpiricalSpectrum
        Finite spectrum of M modes, eigenvalues :math:`\lambda_k`.
    features : int or inf
        N >= 1; infinite for :math:`\frac1N A_0^\top A_0 = 1`.
    batch : int
        B >= 1.
    learning_rate : float
        :math:`\eta > 0`. Stable while :math:`\eta s \lambda_1 < 2`, about, and s may grow.
    richness : float
        :math:`\gamma \ge 0`, the learning rate of A over that of w; 0 for features that stay as they are.
    initial_variance : float
        :math:`\sigma_w^2 \ge 0`, of the independent entries of the readout w at the start.
    noise_variance : float
        :math:`\sigma^2 \ge 0`, of the labels' noise :math:`\epsilon`.
    replicas : int
        R >= 1: every mode is replaced by R modes with the same eigenvalue, each with a share 1/R of its signal. N and B stay as
        they are given.
    draws : int
        Independent repetitions. Draw i is the same however many are asked for, and starts from the :math:`A_0` of draw i of
        `gradient_flow`.
    rng : Generator or int
        Source of randomness; each draw takes a stream spawned from it.

    Returns
    -------
    SimulatedTraining
        Test loss L, as train loss the expected squared error :math:`L + \sigma^2` on the next sample, and the kernel scale
        :math:`s = 1 + \gamma|w|^2/N`; shape (draws, T), or (draws,) for a single number of steps.

    Raises
    ------
    DomainError
        If an argument is out of range, steps decrease, the spectrum is infinite, or the learning rate is so large that the
        losses overflow; the message names the draw and the step.
    ResourceError
        If one draw would need more than the memory budget (``SCALINGLAWS_MEMORY``, 4 GB by default).

    Notes
    -----
    Two rearrangements, both exact and without any average, make this fast. The rows of A never leave those of :math:`A_0`, so
    :math:`A = BA_0`, and in the eigenvectors of :math:`A_0\Lambda A_0^\top/N` all but r = min(N, M) of the dimensions of B stand
    still. The student is the output :math:`B^\top w` in these coordinates, which moves by the kernel :math:`B^\top B`, which moves
    by the output. And with the error e of these r components, of what they cannot reach, and of the noise in one vector, a batch
    of standard normal rows Z enters through :math:`Z^\top Z e` alone. The rows' components along e are independent of what is
    orthogonal to e, so this vector is :math:`\chi^2 e + \chi |e| z_\perp` where :math:`\chi^2` has B degrees of freedom and
    :math:`z_\perp` is a single standard normal vector less its part along e: one is drawn, whatever the size of the batch.

    :math:`O(M N \min(N, M))` per draw and :math:`6 r^2` operations per step, O(r) without richness: M = 500, N = 100 and 200 steps
    take ten milliseconds, most of them for the draw.
    Losses below :math:`10^{-30}` of the first one are rounding errors. Every draw consumes its own stream on a single thread, so
    results do not depend on how many threads there are.

    References
    ----------
    .. [1] B. Bordelon, A. Atanasov, C. Pehlevan, "How feature learning can improve neural scaling laws", arXiv:2409.17858.

    Examples
    --------
    >>> from scalinglaws.solvers import PowerLawSpectrum
    >>> given = {"features": 200, "batch": 20, "learning_rate": 0.1, "draws": 5}
    >>> lazy, rich = (online_sgd(100, PowerLawSpectrum(1.5, 0.5, 40), richness=gamma, **given) for gamma in (0, 1))
    >>> bool(rich.test_loss.mean() < lazy.test_loss.mean())
    True
    """
    one_spectrum(spectrum, steps=steps)
    return _trained(
        steps,
        spectrum,
        features,
        None,
        whole("batch", batch),
        (number("learning_rate", learning_rate, low=0, strict=True), math.inf),
        richness,
        (initial_variance, noise_variance),
        (replicas, draws),
        rng,
    )


def gradient_descent(
    steps: ArrayLike,
    spectrum: Spectrum,
    *,
    features: float = math.inf,
    samples: float = math.inf,
    learning_rate: ArrayLike = math.inf,
    relative_rate: ArrayLike = math.inf,
    richness: float,
    initial_variance: float = 0.0,
    noise_variance: float = 0.0,
    replicas: int = 1,
    draws: int = 1,
    rng: np.random.Generator | int = 0,
) -> SimulatedTraining:
    r"""Draw projected linear networks and train both layers by gradient descent on the same samples at every step.

    The student is :math:`f = \frac1N w\cdot A\psi` with an N x M matrix that starts at independent standard normal entries
    :math:`A_0`. With the error vector :math:`v^0 = w^* - \frac1N A^\top w` and P samples :math:`\Psi` with noise :math:`\epsilon`

    .. math:: w_{t+1} - w_t = \eta A_t v^1_t, \quad A_{t+1} - A_t = \eta\gamma\, w_t\, (v^3_t)^\top, \quad
              v^1 = \tfrac1P \Psi^\top(\Psi v^0 + \epsilon), \quad v^3 = \tfrac1N A_0^\top A_0 v^1, \quad L = \sum_k \lambda_k (v^0_k)^2 .

    One rate may be given, one for each step, or rates that follow the growth of the kernel: with the largest eigenvalue
    :math:`x_1` that it has at the start, steps have :math:`\eta_t = \min(\eta, c/(s_t x_1))`.

    Parameters
    ----------
    steps : array_like of int, shape () or (T,)
        Numbers of steps t after which losses are recorded, >= 0 and non-decreasing.
    spectrum : PowerLawSpectrum or EmpiricalSpectrum
        Finite spectrum of M modes, eigenvalues :math:`\lambda_k`.
    features : int or inf
        N >= 1; infinite for :math:`\frac1N A_0^\top A_0 = 1`.
    samples : int or inf
        P >= 1; infinite for the gradient of the population loss.
    learning_rate : float or array_like, shape (last step,)
        :math:`\eta > 0`, for all steps or for each; ``math.inf`` leaves it to `relative_rate`. Stable while
        :math:`\eta s x_1 < 2`, about; s may grow.
    relative_rate : float or array_like, shape (last step,)
        c > 0, for all steps or for each; ``math.inf`` leaves it to `learning_rate`.
    richness : float
        :math:`\gamma \ge 0`, the learning rate of A over that of w; 0 for features that stay as they are.
    initial_variance : float
        :math:`\sigma_w^2 \ge 0`, of the independent entries of the readout w at the start.
    noise_variance : float
        :math:`\sigma^2 \ge 0`, of the labels' noise :math:`\epsilon`.
    replicas : int
        R >= 1: every mode is replaced by R modes with the same eigenvalue, each with a share 1/R of its signal. N and P stay as
        they are given.
    draws : int
        Independent repetitions. Draw i is the same however many are asked for, and has the :math:`A_0` and the samples of draw i
        of `gradient_flow` and of `scalinglaws.verify.simulate.linear.gradient_descent`.
    rng : Generator or int
        Source of randomness; each draw takes a stream spawned from it.

    Returns
    -------
    SimulatedTraining
        Test loss L, train loss :math:`\frac1P|\Psi v^0 + \epsilon|^2` and kernel scale :math:`s = 1 + \gamma|w|^2/N`, shape
        (draws, T), or (draws,) for a single number of steps. With infinite P the train loss is the test loss plus :math:`\sigma^2`.

    Raises
    ------
    DomainError
        If an argument is out of range, steps decrease, the spectrum is infinite, neither rate is finite at some step, or rates
        are so large that the losses overflow; the message names the draw and the step.
    ResourceError
        If one draw would need more than the memory budget (``SCALINGLAWS_MEMORY``, 4 GB by default).

    Notes
    -----
    The rows of A never leave those of :math:`A_0`, so :math:`A = BA_0`, and in the eigenvectors of
    :math:`A_0\hat\Lambda A_0^\top/N` all but r = min(N, M, P) of the dimensions of B stand still: the same iteration, for the
    output :math:`B^\top w` and the r x r kernel :math:`B^\top B` that moves it. O(P M N + P N min(N, P)) per draw,
    :math:`6 r^2` operations per step, O(r) without richness, and O(M r) per recorded step.

    References
    ----------
    .. [1] B. Bordelon, A. Atanasov, C. Pehlevan, "How feature learning can improve neural scaling laws", arXiv:2409.17858.

    Examples
    --------
    >>> from scalinglaws.solvers import PowerLawSpectrum
    >>> found = gradient_descent([0, 10, 1000], PowerLawSpectrum(1.5, 0.5, 40), features=20, samples=15, learning_rate=0.1, richness=1)
    >>> found.train_loss[0, 2] < 0.01 * found.test_loss[0, 2]
    np.True_
    """
    one_spectrum(spectrum, steps=steps)
    return _trained(
        steps,
        spectrum,
        features,
        whole_or_inf("samples", samples),
        0,
        (learning_rate, relative_rate),
        richness,
        (initial_variance, noise_variance),
        (replicas, draws),
        rng,
    )


def _trained(
    steps: ArrayLike,
    spectrum: Spectrum,
    features: float,
    samples: int | None,
    batch: int,
    rates: tuple[ArrayLike, ArrayLike],
    richness: float,
    variances: tuple[float, float],
    repeats: tuple[int, int],
    rng: np.random.Generator | int,
) -> SimulatedTraining:
    """Train on batches, or, where `batch` is zero, on all there is."""
    count = whole_or_inf("features", features)
    richness = number("richness", richness, low=0)
    initial_variance, noise_variance = (
        number("initial_variance", variances[0], low=0),
        number("noise_variance", variances[1], low=0),
    )
    replicas, draws = whole("replicas", repeats[0]), whole("draws", repeats[1])
    counts = ordered("steps", steps, whole=True, infinite=False, single_row=True).astype(np.int64)
    absolute, relative = _schedule(rates, int(counts.reshape(-1)[-1]))
    eigenvalues, signal = listed(spectrum)
    rank = min(replicas * eigenvalues.size, count or math.inf, samples or math.inf)
    afford_draw(
        (3.0 * rank**2 if richness > 0 else 0.0)
        + 3.0 * counts.size * rank
        + 2.0 * replicas * eigenvalues.size
    )
    eigenvalues, signal = np.repeat(eigenvalues, replicas), np.repeat(signal / replicas, replicas)
    found = table(3, draws, counts.size)
    drawn = problems_and_streams(
        generator(rng), draws, eigenvalues, signal, count, samples, noise_variance
    )
    for i, (drawn_problem, stream) in enumerate(drawn):
        output, problem = _started(stream, drawn_problem, count, math.sqrt(initial_variance))
        roots = np.sqrt(problem.rates)
        if isinstance(problem, Population):
            amplitudes, spread = problem.amplitudes, math.sqrt(problem.floor + noise_variance)
        else:
            amplitudes, spread = problem.labels / math.sqrt(problem.samples), 0.0
        kernel = np.eye(roots.size if richness > 0 else 0)
        learned, squares = np.empty((counts.size, roots.size)), np.empty(counts.size)
        with np.errstate(over="ignore"):  # infinite where it sets no limit
            schedule = (absolute, relative / max(float(np.max(problem.rates, initial=0)), 1e-300))
        rule = (*schedule, richness, batch, spread)
        failed = _train(
            stream, counts.reshape(-1), roots, amplitudes, *rule, output, kernel, learned, squares
        )
        if failed >= 0:
            limit = np.isfinite(absolute[min(failed, absolute.size) - 1])
            given = absolute if limit else relative
            raise refusal(
                "learning_rate" if limit else "relative_rate",
                float(given[min(failed, given.size) - 1]),
                f"is too large: draw {i} diverges and overflows at step {failed}",
            )
        found[:2, i] = problem.losses_of(learned.T)
        found[2, i] = 1 + richness * squares
    return SimulatedTraining(*found.reshape(3, draws, *counts.shape))


def _schedule(rates: tuple[ArrayLike, ArrayLike], steps: int) -> tuple[Array, Array]:
    """Return rates of the steps and relative ones, each of a single entry where it is the same for all steps."""
    found = []
    for name, value in zip(("learning_rate", "relative_rate"), rates, strict=True):
        given = numbers(name, value, low=0, strict=True, infinite=True)
        if given.ndim and (given.shape != (steps,) or steps == 0):
            raise refusal(
                name,
                given,
                f"must be one number, or one for each of the {steps} steps; got shape {given.shape}",
                shown=False,
            )
        found.append(np.ascontiguousarray(given.reshape(-1)))
    absolute, relative = found
    if np.any(np.isinf(absolute) & np.isinf(relative)):
        raise refusal(
            "learning_rate", math.inf, "and relative_rate must not both be inf: give one of them"
        )
    return absolute, relative


def _started(
    rng: np.random.Generator,
    problem: Population | Regression,
    features: int | None,
    deviation: float,
) -> tuple[Array, Population | Regression]:
    r"""Return :math:`w_0/\sqrt N` in the problem's basis, and the problem.

    What w_0 has outside of this basis never moves, but drives the features: it becomes one more direction, without a rate.
    """
    rank = problem.rates.size
    if deviation == 0:
        return np.zeros(rank), problem
    if features is None:  # nothing of w_0 lies within finitely many dimensions
        readout, outside = np.zeros(rank), deviation
        direction = np.zeros(0 if isinstance(problem, Population) else problem.right.shape[1])
    else:
        drawn = deviation / math.sqrt(features) * rng.standard_normal(features)
        # the basis of a population's problem is not known, and does not matter: w_0 is the same in all of them
        readout = drawn[:rank] if isinstance(problem, Population) else problem.right @ drawn
        if features == rank:
            return readout, problem
        direction = (
            drawn[rank:] if isinstance(problem, Population) else drawn - readout @ problem.right
        )
        outside = float(np.linalg.norm(direction))
        direction = direction / outside
    readout, rates = np.append(readout, outside), np.append(problem.rates, 0.0)
    if isinstance(problem, Population):
        return readout, dataclasses.replace(
            problem, rates=rates, amplitudes=np.append(problem.amplitudes, 0.0)
        )
    right = np.vstack([problem.right, direction])
    return readout, dataclasses.replace(
        problem, rates=rates, labels=np.append(problem.labels, 0.0), right=right
    )


@njit
def _train(
    rng: np.random.Generator,
    counts: NDArray[np.int64],
    roots: Array,
    amplitudes: Array,
    absolute: Array,
    relative: Array,
    richness: float,
    batch: int,
    spread: float,
    output: Array,
    kernel: Array,
    learned: Array,
    squares: Array,
) -> int:
    r"""Train one student, overwriting output and kernel; return the step that overflows, or -1.

    In units where N disappears the readout and the layer move by :math:`\dot\omega = \eta B\nu` and
    :math:`\dot B = \eta\gamma\,\omega\nu^\top` per step, where :math:`\nu` is roots times residuals, or its average over a batch.
    Both matter only through the output :math:`u = B^\top\omega`, the kernel :math:`G = B^\top B` and :math:`|\omega|^2`.
    """
    size = roots.size
    error, pull, moved = np.empty(size), np.empty(size), np.empty(size)
    before, turn = (
        np.zeros(size),
        np.zeros(size),
    )  # change of the kernel by the last step, still to be made
    square, length = 0.0, spread * spread
    for j in range(size):
        square += output[j] * output[j]
        error[j] = amplitudes[j] - roots[j] * output[j]
        length += error[j] * error[j]
    step = 0
    for record in range(counts.size):
        while step < counts[record]:
            rate = min(
                absolute[min(step, absolute.size - 1)],
                relative[min(step, relative.size - 1)] / (1.0 + richness * square),
            )
            bend = rate * richness
            if batch == 0:
                for j in range(size):
                    pull[j] = roots[j] * error[j]
            elif length > 0.0:
                chi = rng.chisquare(batch)
                along = 0.0
                for j in range(size):
                    z = rng.standard_normal()
                    pull[j] = z
                    along += z * error[j]
                along = (along + spread * rng.standard_normal()) / length
                across = np.sqrt(chi * length) / batch
                parallel = chi / batch - across * along
                for j in range(size):
                    pull[j] = roots[j] * (parallel * error[j] + across * pull[j])
            else:  # nothing is left to learn
                for j in range(size):
                    pull[j] = 0.0
            if richness > 0.0:
                _apply(kernel, before, turn, pull, moved)
            else:
                for j in range(size):
                    moved[j] = pull[j]
            gain, growth = 0.0, 0.0
            for j in range(size):
                gain += output[j] * pull[j]
                growth += moved[j] * pull[j]
            drift = bend * (square + rate * gain)
            length = spread * spread
            for j in range(size):
                before[j] = pull[j]
                turn[j] = bend * (output[j] + 0.5 * bend * square * pull[j])
                output[j] += rate * moved[j] + drift * pull[j]
                error[j] = amplitudes[j] - roots[j] * output[j]
                length += error[j] * error[j]
            square += rate * (2.0 * gain + rate * growth)
            step += 1
            if not (length < _DIVERGED and square < _DIVERGED):
                return step
        for j in range(size):
            learned[record, j] = output[j]
        squares[record] = square
    return -1


@njit
def _apply(kernel: Array, before: Array, turn: Array, vector: Array, out: Array) -> None:
    """Add turn before^T and its transpose to a symmetric matrix and apply it to a vector, in one pass."""
    size = vector.size
    for j in range(size):
        out[j] = 0.0
    for i in range(size):
        one, two, factor = turn[i], before[i], vector[i]
        for j in range(size):
            entry = kernel[i, j] + one * before[j] + two * turn[j]
            kernel[i, j] = entry
            out[j] += factor * entry
