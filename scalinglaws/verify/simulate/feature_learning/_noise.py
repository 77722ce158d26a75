"""Gradient noise that is told apart from everything else: pairs of networks with opposite noise, and one without."""

from __future__ import annotations

import copy
import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ....arguments import generator, number, ordered, whole, whole_or_inf
from ....equality import by_value
from ....errors import refusal
from ....reprs import short_repr
from ....solvers._jit import njit
from ....solvers.spectra import Spectrum, one_spectrum
from .._problems import afford_draw, listed, table
from ._steps import _apply

Array = NDArray[np.float64]

_DIVERGED = 1e280  # squared amplitudes that can still be multiplied by a rate


@short_repr
@dataclass(frozen=True)
@by_value
class PairedTraining:
    r"""Losses of pairs of networks with opposite gradient noise, and of the network without noise.

    Attributes
    ----------
    test_loss : ndarray, shape (draws, T), or (draws,) for a single number of steps
        Mean of the losses of both networks of a pair: what noise adds in its first power cancels.
    silent_loss : ndarray, same shape
        The part of it in modes that carry no signal, where there is nothing but noise.
    quiet_loss, quiet_scale : ndarray, shape (T,), or ()
        Loss and kernel scale :math:`s = 1 + \gamma|w|^2` without noise.
    """

    test_loss: Array
    silent_loss: Array
    quiet_loss: Array
    quiet_scale: Array


def opposite_noise(
    steps: ArrayLike,
    spectrum: Spectrum,
    *,
    batch: int,
    learning_rate: float,
    richness: float,
    noisy: float = math.inf,
    draws: int = 1,
    rng: np.random.Generator | int = 0,
) -> PairedTraining:
    r"""Train networks of unlimited width in pairs whose gradient noise is opposite, and one network without noise.

    The steps are those of `online_sgd`, on B fresh samples at every step,

    .. math:: w_{t+1} - w_t = \eta A_t v^1_t, \quad A_{t+1} - A_t = \eta\gamma\, w_t\, (v^1_t)^\top, \quad
              v^1 = \tfrac1B \Psi^\top\Psi v^0, \quad A_0 = 1, \quad w_0 = 0 .

    With :math:`v^1 = \Lambda v^0 + \zeta` one network of a pair takes steps with :math:`\Lambda v^0 + \zeta` and the other one with
    :math:`\Lambda v^0 - \zeta`, where :math:`\zeta` is made of the same random numbers in both. Their mean loss less the one
    without noise is what noise adds, in its second power and the even powers above.

    Parameters
    ----------
    steps : array_like of int, shape () or (T,)
        Numbers of steps after which losses are recorded, >= 0 and non-decreasing.
    spectrum : PowerLawSpectrum or EmpiricalSpectrum
        Finite spectrum of M modes, eigenvalues :math:`\lambda_k`.
    batch : int
        B >= 1.
    learning_rate : float
        :math:`\eta > 0`. Stable while :math:`\eta s \lambda_1 < 2`, about, and s may grow.
    richness : float
        :math:`\gamma \ge 0`, the learning rate of A over that of w.
    noisy : int or inf
        How many steps are noisy, >= 1: the first ones. All later ones follow the gradient of the population's loss.
    draws : int
        Independent pairs. Pair i is the same however many are asked for.
    rng : Generator or int
        Source of randomness; each pair takes a stream spawned from it.

    Returns
    -------
    PairedTraining
        Mean loss of each pair, its part in modes without signal, and loss and kernel scale without noise.

    Raises
    ------
    DomainError
        If an argument is out of range, steps decrease, the spectrum is infinite, or losses overflow.
    ResourceError
        If the networks would need more than the memory budget (``SCALINGLAWS_MEMORY``, 4 GB by default).

    Notes
    -----
    As in `online_sgd`, a batch enters through one standard normal vector and a number :math:`\chi^2_B`. The second network's noise
    has the mean and the covariance of a batch's, and the opposite skewness. :math:`12 M^2` operations per pair and step.

    References
    ----------
    .. [1] B. Bordelon, A. Atanasov, C. Pehlevan, "How feature learning can improve neural scaling laws", arXiv:2409.17858.

    Examples
    --------
    >>> from scalinglaws.solvers import PowerLawSpectrum
    >>> found = opposite_noise(100, PowerLawSpectrum(2.0, 0.5, 40), batch=50, learning_rate=0.1, richness=1, draws=20)
    >>> bool(found.test_loss.mean() > found.quiet_loss)
    True
    """
    one_spectrum(spectrum, steps=steps)
    counts = ordered("steps", steps, whole=True, infinite=False, single_row=True).astype(np.int64)
    batch, draws = whole("batch", batch), whole("draws", draws)
    rate = number("learning_rate", learning_rate, low=0, strict=True)
    richness = number("richness", richness, low=0)
    last = whole_or_inf("noisy", noisy) or np.iinfo(np.int64).max
    eigenvalues, signal = listed(spectrum)
    flat = counts.reshape(-1)
    afford_draw((2.0 * eigenvalues.size**2 if richness > 0 else 0.0) + 2.0 * flat.size)
    found, quiet = table(2, draws, flat.size), np.empty((3, flat.size))
    roots, amplitudes = np.sqrt(eigenvalues), np.sqrt(signal)
    task = (flat, roots, amplitudes, rate, richness, batch, last)
    source = generator(rng)
    failed = _noisy(copy.deepcopy(source), 0.0, *task, quiet)
    one, other = np.empty((3, flat.size)), np.empty((3, flat.size))
    for i in range(draws):
        if failed >= 0:
            break
        stream = source.spawn(1)[0]
        same = copy.deepcopy(stream)
        failed = max(
            _noisy(stream, 1.0, *task, one),
            _noisy(same, -1.0, *task, other),
        )
        found[:, i] = 0.5 * (one[:2] + other[:2])
    if failed >= 0:
        raise refusal("learning_rate", rate, f"is too large: training overflows at step {failed}")
    shape = counts.shape
    noisy_loss, silent_loss = found.reshape(2, draws, *shape)
    return PairedTraining(noisy_loss, silent_loss, quiet[0].reshape(shape), quiet[2].reshape(shape))


@njit
def _noisy(
    rng: np.random.Generator,
    sign: float,
    counts: NDArray[np.int64],
    roots: Array,
    amplitudes: Array,
    rate: float,
    richness: float,
    batch: int,
    last: int,
    found: Array,
) -> int:
    """Train one network with a multiple of the noise of its batches; return the step that overflows, or -1.

    What is found is the loss, its part without signal, and the scale.
    """
    size, bend = roots.size, rate * richness
    output, error = np.zeros(size), amplitudes.copy()
    pull, moved = np.empty(size), np.empty(size)
    before, turn = np.zeros(size), np.zeros(size)  # change of the kernel, still to be made
    kernel = np.eye(size if richness > 0.0 else 0)
    square, step = 0.0, 0
    for record in range(counts.size):
        while step < counts[record]:
            length = 0.0
            for j in range(size):
                length += error[j] * error[j]
            parallel, across = 1.0, 0.0
            if sign != 0.0 and step < last and length > 0.0:
                chi, along = rng.chisquare(batch), 0.0
                for j in range(size):
                    z = rng.standard_normal()
                    pull[j] = z
                    along += z * error[j]
                across = np.sqrt(chi * length) / batch
                parallel = 1.0 + sign * (chi / batch - across * along / length - 1.0)
                across *= sign
            else:
                for j in range(size):
                    pull[j] = 0.0
            for j in range(size):
                pull[j] = roots[j] * (parallel * error[j] + across * pull[j])
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
            for j in range(size):
                before[j] = pull[j]
                turn[j] = bend * (output[j] + 0.5 * bend * square * pull[j])
                output[j] += rate * moved[j] + drift * pull[j]
                error[j] = amplitudes[j] - roots[j] * output[j]
            square += rate * (2.0 * gain + rate * growth)
            step += 1
            if not square < _DIVERGED:
                return step
        loss, silent = 0.0, 0.0
        for j in range(size):
            loss += error[j] * error[j]
            if amplitudes[j] == 0.0:
                silent += error[j] * error[j]
        if not loss < _DIVERGED:
            return step
        found[0, record], found[1, record] = loss, silent
        found[2, record] = 1.0 + richness * square
    return -1
